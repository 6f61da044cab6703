/* checkpoint.h - the checkpoint that a node begins from, and the servers that named it, when a quorum did.
 *
 * Floor:  5, node/setup. Any thread; waits for answers.
 * Tests:  tests/unit/test_checkpoint.c, tests/e2e (setup)
 */
#ifndef NODE_SETUP_CHECKPOINT_H
#define NODE_SETUP_CHECKPOINT_H

#include "node/config/config.h"
#include "node/setup/exchange.h"

/* Names are the configuration's. */
typedef struct {
    hash32_t root; /* zeros: attested members name it */
    const char *by[OPTION_URLS_MAX];
    size_t by_count, of; /* 0: no servers were asked */
} checkpoint_t;

/* How it is found. */
typedef struct {
    const config_t *config;
    uint64_t now_ms; /* Unix milliseconds: what is too old */
    deadline_t deadline;
    bool asked_by_owner; /* e is for whoever has just named the servers; else for anybody */
} checkpoint_ask_t;

/* "14 d 3 h", "5 h 12 min", "340 s": in out, which is returned. */
const char *checkpoint_duration(char out[40], uint64_t ms);

#define CHECKPOINT_STEPS_MAX 4u /* how many epochs back, where the block of the first is missing */

/* The root of the configuration, or what a quorum of its servers names now; who disagrees or fails is told to the log.
 * RC_NEED_DATA, RC_REFUSED: no quorum; RC_LIMIT: what they name is too old; RC_TIMEOUT, RC_NOMEM. e names the field,
 * and as far as its room goes what each server did, by its place: "checkpoint.of[2]". */
NODISCARD rc_t checkpoint_find(checkpoint_t *out, err_t *e, const checkpoint_ask_t *x);

#endif
