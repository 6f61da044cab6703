/* given.h - what the command line and the environment give of a setup: POST /setup by another door, under the same
 * rules.
 *
 * Each key may come from an option, else from its variable (KETTLE_EXECUTION_RPC), else, for URLs with keys in them,
 * from a file: an option, a variable, or the systemd credential of the key's name. A list is written with commas; peers
 * may be "none".
 *
 * Floor:  5, node/cli.
 * Tests:  tests/unit/test_given.c, tests/unit/test_node.c
 */
#ifndef NODE_CLI_GIVEN_H
#define NODE_CLI_GIVEN_H

#include "base/bytes.h"
#include "base/err.h"

/* What options gave; NULL: not given. */
typedef struct {
    const char *network, *execution_rpc, *execution_rpc_file, *consensus_rpc, *checkpoint, *peers, *port;
} given_t;

/* The variables that are looked at, up to a NULL. */
extern const char *const GIVEN_ENVIRONMENT[];

/* Makes the setup of what is given.
 *   out    JSON, to be given to file_free; p NULL: nothing is given
 *   env    getenv, or a test's own
 *   alone  there is no configuration file: peers and port are none and 4001 where nothing gives them, and the execution
 *          RPCs and where to begin are given: it is a whole setup then
 * RC_IO, RC_LIMIT: a file cannot be read; RC_MALFORMED; RC_NOMEM. */
NODISCARD rc_t given_setup(view_t *out, err_t *e, const given_t *given, char *(*env)(const char *name), bool alone);

#endif
