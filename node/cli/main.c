/* main.c - the command line: finds the command. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/cli/command.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *what;
} commands[] = {
    { "run", command_run, "runs a node" },
    { "verify", command_verify, "verifies an attestation, and answers signed with its key" },
    { "quote", command_quote, "prints the fields of a quote" },
    { "measure", command_measure, "computes the measurements of an image, for a policy" },
};
#define COMMANDS (sizeof commands / sizeof commands[0])

static void help(void)
{
    puts("kettle " KETTLE_VERSION " - Ethereum light-client node for trusted execution environments\n\n"
         "usage: kettle COMMAND [OPTIONS]\n"
         "       kettle COMMAND --help\n"
         "       kettle --help | --version\n");
    for (size_t i = 0; i < COMMANDS; i++)
        printf("  %-10s %s\n", commands[i].name, commands[i].what);
}

int command_usage(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fputs("kettle: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputs("\ntry: kettle --help\n", stderr);
    va_end(ap);
    return COMMAND_USAGE;
}

int command_failed(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fputs("kettle: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    return COMMAND_FAILED;
}

rc_t command_read_file(view_t *out, const char *path, size_t max)
{
    bool is_stdin = !strcmp(path, "-");
    FILE *f = is_stdin ? stdin : fopen(path, "rb");
    uint8_t *text = NULL;
    size_t n = 0, cap = 0;
    rc_t rc = f ? RC_OK : RC_IO;
    while (!rc && !feof(f) && n <= max) {
        if (n == cap) {
            cap = cap ? 2 * cap : 65536;
            uint8_t *more = realloc(text, cap);
            if (!more) {
                rc = RC_NOMEM;
                break;
            }
            text = more;
        }
        n += fread(text + n, 1, cap - n, f);
        if (ferror(f))
            rc = RC_IO;
    }
    if (!rc && n > max)
        rc = RC_LIMIT;
    if (rc)
        command_failed("%s: %s", path,
                       rc == RC_IO      ? strerror(errno)
                       : rc == RC_LIMIT ? "the file is too large"
                                        : rc_name(rc));
    if (f && !is_stdin)
        fclose(f);
    if (rc) {
        free(text);
        return rc;
    }
    *out = view_of(text, n);
    return RC_OK;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return command_usage("no command given");
    for (size_t i = 0; i < COMMANDS; i++)
        if (!strcmp(argv[1], commands[i].name))
            return commands[i].run(argc - 1, argv + 1);
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
        help();
        return COMMAND_DONE;
    }
    if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
        puts("kettle " KETTLE_VERSION);
        return COMMAND_DONE;
    }
    return command_usage("unknown command %s", argv[1]);
}
