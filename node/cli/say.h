/* say.h - what all commands say and write by, and their exit statuses.
 *
 * The exit status of each: 0 done (for a verifier: all holds), 1 failed, 2 wrong usage, 3 could not be fetched or
 * read. Results go to standard output, everything else to standard error.
 *
 * Floor:  5, node/cli.
 * Tests:  tests/e2e (measure, attest)
 */
#ifndef NODE_CLI_SAY_H
#define NODE_CLI_SAY_H

#include "base/bytes.h"
#include "base/err.h"

enum { COMMAND_DONE = 0, COMMAND_FAILED = 1, COMMAND_USAGE = 2, COMMAND_UNREACHED = 3 };

/* Prints "kettle: ..." and a pointer to --help on standard error. Returns COMMAND_USAGE. */
int command_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Prints "kettle: ..." on standard error. Returns COMMAND_FAILED. */
int command_failed(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The same of an error: what it is about (NULL: the text says so), the member, the code of tee/, the sentence. */
int command_failed_by(const err_t *e, const char *about);

/* Writes a result whole: to a file, or with path NULL to standard output. RC_IO; e names the place and the reason. */
NODISCARD rc_t command_write(err_t *e, const char *path, view_t text);

#endif
