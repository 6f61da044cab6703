/* checkpoint.h - the key "checkpoint": where the first trusted beacon block root comes from.
 *
 *     "0x..."                                       this root
 *     "peers"                                       attested members name it: for a node that joins a cluster
 *     { "quorum": 3, "of": ["https://...", ...] }   independent servers name it (node/setup/quorum.h)
 *
 * Floor:  5, node/config. No I/O: text in, values out.
 * Tests:  tests/unit/test_config_checkpoint.c, tests/fuzz/fuzz_config.c
 */
#ifndef NODE_CONFIG_CHECKPOINT_H
#define NODE_CONFIG_CHECKPOINT_H

#include "node/config/option.h"

/* How to get one, and why there must be one. */
#define CHECKPOINT_HOW "From a node of yours: curl URL/eth/v1/beacon/headers/finalized, its data.root"
#define CHECKPOINT_WHY "whoever follows a chain from nothing trusts a recent block (weak subjectivity). " CHECKPOINT_HOW

#define CHECKPOINT_HOST_MAX 64u /* characters of a server's host name: statements name it */

typedef enum { CHECKPOINT_ABSENT, CHECKPOINT_ROOT, CHECKPOINT_PEERS, CHECKPOINT_QUORUM } checkpoint_kind_t;

/* Texts are in the configuration's arena. */
typedef struct {
    checkpoint_kind_t kind;
    hash32_t root;                      /* CHECKPOINT_ROOT; else zeros */
    size_t quorum;                      /* CHECKPOINT_QUORUM: more than half of the servers */
    option_urls_t of;                   /* and these */
    const char *hosts[OPTION_URLS_MAX]; /* their host names, each another one */
    bool plain;                         /* one of them is asked without TLS: for development only */
} config_checkpoint_t;

/* Reads the value at key; faults go to the document of o. RC_MALFORMED: neither of the three, a quorum that is not
 * more than half, a host name twice; RC_LIMIT. */
void config_checkpoint_read(config_checkpoint_t *out, arena_t *arena, const jo_t *o, const char *key);

#endif
