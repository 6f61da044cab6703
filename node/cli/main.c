/* main.c - the command line: finds the command. */
#include <stdio.h>
#include <string.h>

#include "node/cli/command.h"

static const cli_command_t *const commands[] = { &COMMAND_RUN,     &COMMAND_VERIFY,   &COMMAND_QUOTE,  &COMMAND_MEASURE,
                                                 &COMMAND_PEERS,   &COMMAND_ORDER,    &COMMAND_CONFIG, &COMMAND_FAULT,
                                                 &COMMAND_RECOVER, &COMMAND_OPERATOR, &COMMAND_P2P,    &COMMAND_TPOD };
#define COMMANDS (sizeof commands / sizeof commands[0])

static int help(void)
{
    puts("kettle " KETTLE_VERSION " - Ethereum light-client node for trusted execution environments\n\n"
         "usage: kettle COMMAND [OPTIONS]\n"
         "       kettle help COMMAND\n"
         "       kettle --help | --version\n");
    for (size_t i = 0; i < COMMANDS; i++)
        printf("  %-10s %s\n", commands[i]->name, commands[i]->what);
    return COMMAND_DONE;
}

/* NULL: there is none of this name. */
static const cli_command_t *find(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (!strcmp(name, commands[i]->name))
            return commands[i];
    return NULL;
}

/* Where whoever called it wrongly finds out how. */
static int hint(int status, const char *where)
{
    if (status == COMMAND_USAGE)
        fprintf(stderr, "try: kettle %s\n", where);
    return status;
}

static int run(const cli_command_t *c, int argc, char **argv)
{
    char where[32];
    snprintf(where, sizeof where, "help %s", c->name);
    return hint(c->run(argc, argv), where);
}

static int help_of(const char *name)
{
    const cli_command_t *c = find(name);
    if (!strcmp(name, "help"))
        return help();
    if (!c)
        return hint(command_usage("unknown command %s", name), "--help");
    cli_help(c);
    return COMMAND_DONE;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return hint(command_usage("no command given"), "--help");
    const cli_command_t *c = find(argv[1]);
    if (c)
        return run(c, argc - 1, argv + 1);
    if (!strcmp(argv[1], "help") && argc > 2)
        return help_of(argv[2]);
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
        return help();
    if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V") || !strcmp(argv[1], "-v"))
        return puts("kettle " KETTLE_VERSION), COMMAND_DONE;
    return hint(command_usage("unknown command %s", argv[1]), "--help");
}
