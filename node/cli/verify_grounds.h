/* verify_grounds.h - `kettle verify --evidence`: whether a statement follows from its evidence, without asking anybody
 * and without trust in any TEE.
 *
 * Floor:  5, node/cli. Private to the command verify.
 * Tests:  tests/e2e (statements)
 */
#ifndef NODE_CLI_VERIFY_GROUNDS_H
#define NODE_CLI_VERIFY_GROUNDS_H

#include "base/bytes.h"

typedef struct {
    const char *source;  /* file or - */
    const char *network; /* a built-in name, or a file: a configuration, whose network is taken */
    hash32_t checkpoint;
    const hash32_t *setup; /* NULL: any */
    const addr_t *signers; /* count 0: whoever the statement names */
    size_t signer_count;
} grounds_options_t;

/* Judges a file and prints every step. Returns the exit status: COMMAND_CONVICTED when the statement is validly signed,
 * and its evidence shows something else. */
int verify_grounds(const grounds_options_t *o, bool as_json);

#endif
