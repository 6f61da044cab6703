/* command.h - the subcommands of the program: one file each, in one table (main.c).
 *
 * Floor:  5, node/cli.
 * Tests:  tests/lint/manpage.py, tests/e2e (measure, attest)
 */
#ifndef NODE_CLI_COMMAND_H
#define NODE_CLI_COMMAND_H

#include "node/cli/options.h"
#include "node/cli/say.h"

extern const cli_command_t COMMAND_RUN, COMMAND_VERIFY, COMMAND_QUOTE, COMMAND_MEASURE, COMMAND_PEERS, COMMAND_ORDER,
    COMMAND_CONFIG, COMMAND_FAULT, COMMAND_RECOVER, COMMAND_OPERATOR, COMMAND_P2P, COMMAND_TPOD;

#endif
