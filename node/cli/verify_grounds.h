/* verify_grounds.h - `kettle verify --evidence`: whether a statement follows from its evidence, without asking anybody
 * and without trust in any TEE.
 *
 * Floor:  5, node/cli. Private to the command verify.
 * Tests:  tests/unit/test_verify_command.sh, tests/e2e (statements)
 */
#ifndef NODE_CLI_VERIFY_GROUNDS_H
#define NODE_CLI_VERIFY_GROUNDS_H

#include "node/cli/verify_statement.h"

typedef struct {
    const char *source;  /* file or - */
    const char *network; /* a built-in name, or a file: a configuration, whose network is taken */
    hash32_t checkpoint;
    /* What is demanded of the statement, as with --statement; what is not given is not: no signer is whoever it names,
     * and no chain id that of the network. */
    statement_options_t *demands;
    bool timed; /* now_s counts; otherwise no time does, unless a greatest age is demanded */
    int64_t now_s;
} grounds_options_t;

/* Judges a file and prints every step. Returns the exit status: COMMAND_CONVICTED when the statement is validly signed,
 * and its evidence shows something else. */
int verify_grounds(const grounds_options_t *o, bool as_json);

#endif
