/* results.h - what a check found, step by step, and how it is printed.
 *
 * Floor:  5, node/cli.
 * Tests:  tests/e2e (attest, invented)
 */
#ifndef NODE_CLI_RESULTS_H
#define NODE_CLI_RESULTS_H

#include "base/bytes.h"
#include "base/err.h"
#include "node/cli/say.h"

#define RESULTS_STEPS_MAX 160u

typedef struct {
    struct {
        const char *name;
        bool ok;
        const char *code; /* "E_..."; NULL where there is none */
        char detail[640];
    } steps[RESULTS_STEPS_MAX];
    size_t count;
    bool failed;    /* something does not hold */
    bool unreached; /* something that is needed could not be had */
    /* What the attestation binds, once it is known to: hex with 0x. */
    char pubkey[69], setup[67];
} results_t;

/* Adds a step; code counts only where it failed. Returns ok. */
bool step(results_t *r, const char *name, bool ok, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* A step that failed for the reason in e. Returns false. */
bool step_failed(results_t *r, const char *name, const char *code, const err_t *e);

/* What the step is about could not be fetched or read. Returns false. */
bool step_unreached(results_t *r, const char *name, const err_t *e);

/* Prints all steps and the whole, as text or as JSON; foreign bytes in them reach no terminal. Returns the exit status:
 * COMMAND_DONE, COMMAND_FAILED, or COMMAND_UNREACHED when nothing failed but for want of something. */
int results_print(const results_t *r, bool as_json);

#endif
