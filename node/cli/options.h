/* options.h - the options of a subcommand as one table: it is parsed by, it prints --help, and the man page is checked
 * against it (tests/lint/manpage.py).
 *
 *     static const cli_option_t options[] = {
 *         { "json", NULL, "results as JSON", NULL, offsetof(options_t, as_json), NULL },
 *         { "name", "NAME", "name of the entry", "image", offsetof(options_t, name), NULL },
 *         { "memory", "SIZE", "memory of the guest", NULL, 0, read_memory },
 *     };
 *
 * Floor:  5, node/cli. Writes to standard output.
 * Tests:  tests/lint/manpage.py, tests/e2e (measure, attest), tests/unit/test_verify_command.sh
 */
#ifndef NODE_CLI_OPTIONS_H
#define NODE_CLI_OPTIONS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLI_OPTIONS_MAX 32u /* of one command */

typedef struct {
    const char *name;     /* without the dashes */
    const char *argument; /* as --help shows it, "FILE"; NULL: it takes none */
    const char *help;     /* what it does, one sentence or two; wrapped when printed */
    const char *normal;   /* what holds without it, for --help; NULL: nothing that is worth a word */
    size_t at;            /* offset of the value: a bool (true when given) without an argument, else a const char * */
    /* For values of another kind: takes the text, which lives as long as argv and may be cut there. NULL: see at. */
    rc_t (*read)(void *values, err_t *e, char *text);
    char letter;       /* its short form, "-n"; 0: none */
    bool may_be_empty; /* the argument may be an empty text */
    unsigned with;     /* the command's own: a bit for each of its modes that looks at the option; 0: it has none */
} cli_option_t;

/* A subcommand. */
typedef struct {
    const char *name;
    const char *what;    /* in the list of `kettle --help` */
    const char *usage;   /* the lines behind "usage: ", each with its end */
    const char *about;   /* paragraphs */
    const char *status;  /* the exit statuses, one line */
    const char *operand; /* what its one argument without an option is; NULL: it takes none */
    const cli_option_t *options;
    size_t option_count;
    int (*run)(int argc, char **argv); /* argv[0] is its own name; returns the exit status */
} cli_command_t;

/* Fills values by the table of c, and *operand (may be NULL when there is none). Returns 0 to go on, else the exit
 * status plus one: --help was printed, or what is wrong was said on standard error. */
int cli_parse(void *values, const char **operand, const cli_command_t *c, int argc, char **argv);

/* The options that are given, the bit of each by its place in the table of c; puts argv in order as cli_parse does,
 * which is to follow, and says what is wrong. */
uint32_t cli_given(const cli_command_t *c, int argc, char **argv);

/* Prints the help of a command. */
void cli_help(const cli_command_t *c);

#endif
