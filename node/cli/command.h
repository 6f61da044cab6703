/* command.h - the subcommands of the program: one file each, in one table (main.c).
 *
 * A command gets its own name as argv[0] and returns the exit status: 0 done (for a verifier: all holds), 1 failed, 2 wrong
 * usage. Results go to standard output, everything else to standard error.
 *
 * Floor:  5, node/cli.
 */
#ifndef NODE_CLI_COMMAND_H
#define NODE_CLI_COMMAND_H

#include "base/bytes.h"
#include "base/rc.h"

enum { COMMAND_DONE = 0, COMMAND_FAILED = 1, COMMAND_USAGE = 2 };

/* Prints "kettle: ..." and a pointer to --help on standard error. Returns COMMAND_USAGE. */
int command_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Prints "kettle: ..." on standard error. Returns COMMAND_FAILED. */
int command_failed(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Reads a whole file ("-": standard input) of at most max bytes; *out is from malloc. RC_IO, RC_LIMIT, RC_NOMEM, having said
 * on standard error what is wrong with which file. */
NODISCARD rc_t command_read_file(view_t *out, const char *path, size_t max);

/* The commands. */
int command_run(int argc, char **argv);
int command_quote(int argc, char **argv);
int command_measure(int argc, char **argv);
int command_verify(int argc, char **argv);

#endif
