/* say.h - what all commands say and write by, and their exit statuses.
 *
 * The exit status of each: 0 done (for a verifier: all holds), 1 failed, 2 wrong usage, 3 what is to be verified could
 * not be had. Results go to standard output, everything else to standard error. Whatever is printed, by whomever it was
 * written, passes the one filter of base/printable.h.
 *
 * Floor:  5, node/cli.
 * Tests:  tests/unit/test_printable.c, tests/unit/test_terminal.py, tests/e2e (measure, attest)
 */
#ifndef NODE_CLI_SAY_H
#define NODE_CLI_SAY_H

#include <stdio.h>

#include "base/bytes.h"
#include "base/err.h"

enum { COMMAND_DONE = 0, COMMAND_FAILED = 1, COMMAND_USAGE = 2, COMMAND_UNREACHED = 3, COMMAND_CONVICTED = 4 };

/* Prints a line, and its end; control characters within it are escaped. False: it could not be written. */
bool say(FILE *to, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Prints "kettle: ..." on standard error. Returns COMMAND_USAGE, upon which main() says where the help is. */
int command_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Prints "kettle: ..." on standard error. Returns COMMAND_FAILED. */
int command_failed(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The same of an error: what it is about (NULL: the text says so), the member, the code of tee/, the sentence. */
int command_failed_by(const err_t *e, const char *about);

/* Writes a result, which is JSON, whole: to a file, or with path NULL to standard output, filtered. RC_IO; e names the
 * place and the reason. */
NODISCARD rc_t command_write(err_t *e, const char *path, view_t text);

#endif
