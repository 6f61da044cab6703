#include "node/cli/options.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "node/cli/say.h"

#define WIDTH 118 /* columns of --help */

/* --- help --- */

/* Prints a text in columns from start on, broken between words. at: where the cursor stands. */
static void wrap(const char *text, int start, int at)
{
    while (*text) {
        const int n = (int)strcspn(text, " ");
        if (at > start && at + 1 + n > WIDTH) {
            putchar('\n');
            at = 0;
        }
        at += at < start ? printf("%*s", start - at, "") : at > start ? printf(" ") : 0;
        at += printf("%.*s", n, text);
        text += n + (text[n] == ' ');
    }
    putchar('\n');
}

/* "  --name ARGUMENT" */
static int head_len(const cli_option_t *o)
{
    return (int)(4 + strlen(o->name) + (o->argument ? 1 + strlen(o->argument) : 0));
}

static void help_option(const cli_option_t *o, int start)
{
    char text[1024];
    const int at = printf("  --%s%s%s", o->name, o->argument ? " " : "", o->argument ? o->argument : "");
    char also[16] = "";
    if (o->letter)
        snprintf(also, sizeof also, "-%c: ", o->letter);
    snprintf(text, sizeof text, "%s%s%s%s%s", also, o->help, o->normal ? " (default: " : "", o->normal ? o->normal : "",
             o->normal ? ")" : "");
    wrap(text, start, at);
}

void cli_help(const cli_command_t *c)
{
    static const cli_option_t help = { .name = "help", .help = "prints this text" };
    char status[512];
    int start = head_len(&help);
    for (size_t i = 0; i < c->option_count; i++)
        if (head_len(&c->options[i]) > start)
            start = head_len(&c->options[i]);
    printf("usage: %s\n", c->usage);
    wrap(c->about, 0, 0);
    putchar('\n');
    for (size_t i = 0; i < c->option_count; i++)
        help_option(&c->options[i], start + 2);
    help_option(&help, start + 2);
    snprintf(status, sizeof status, "exit status: %s, 2 wrong usage", c->status);
    putchar('\n');
    wrap(status, 0, 0);
}

/* --- parsing --- */

enum { IS_HELP = 'h', IS_OPTION = 256 }; /* and the others behind it */

static void make_longs(struct option longs[CLI_OPTIONS_MAX + 2], const cli_command_t *c)
{
    size_t n = 0;
    for (; n < c->option_count && n < CLI_OPTIONS_MAX; n++)
        longs[n] = (struct option){ c->options[n].name, c->options[n].argument ? required_argument : no_argument, NULL,
                                    IS_OPTION + (int)n };
    longs[n++] = (struct option){ "help", no_argument, NULL, IS_HELP };
    longs[n] = (struct option){ NULL, 0, NULL, 0 };
}

/* ":hn:e:" */
static void make_shorts(char out[2 * CLI_OPTIONS_MAX + 3], const cli_command_t *c)
{
    size_t n = 0;
    out[n++] = ':';
    out[n++] = 'h';
    for (size_t i = 0; i < c->option_count && i < CLI_OPTIONS_MAX; i++)
        if (c->options[i].letter) {
            out[n++] = c->options[i].letter;
            out[n++] = ':';
        }
    out[n] = '\0';
}

/* Which option getopt has found; NULL: none. A short form takes a value always. */
static const cli_option_t *found(const cli_command_t *c, int got)
{
    if (got >= IS_OPTION)
        return &c->options[got - IS_OPTION];
    for (size_t i = 0; i < c->option_count; i++)
        if (c->options[i].letter && c->options[i].letter == got)
            return &c->options[i];
    return NULL;
}

static int take(void *values, const cli_option_t *o, char *text)
{
    err_t e;
    if (o->argument && !text[0] && !o->may_be_empty) /* "$VARIABLE", and there is none */
        return 1 + command_usage("--%s: what is given is empty", o->name);
    if (o->read)
        return o->read(values, &e, text) ? 1 + command_usage("--%s %s: %s", o->name, text, e.text) : 0;
    if (o->argument)
        *(const char **)(void *)((char *)values + o->at) = text;
    else
        *(bool *)((char *)values + o->at) = true;
    return 0;
}

static int take_operand(const char **operand, const cli_command_t *c, int argc, char **argv)
{
    if (!c->operand)
        return optind < argc ? 1 + command_usage("%s: unexpected argument %s", c->name, argv[optind]) : 0;
    if (argc - optind != 1)
        return 1 + command_usage("%s needs one %s", c->name, c->operand);
    *operand = argv[optind];
    return 0;
}

/* What getopt does not take: it leaves the option's value or letter in optopt, and 0 for a word that it does not
 * know. */
static int refuse(const cli_command_t *c, char **argv)
{
    const char *word = argv[optind - 1];
    if (optopt >= IS_OPTION || (optopt == IS_HELP && !strncmp(word, "--", 2)))
        return 1 +
               command_usage("--%s takes no value", optopt == IS_HELP ? "help" : c->options[optopt - IS_OPTION].name);
    return 1 + (optopt ? command_usage("unknown option -%c", optopt) : command_usage("unknown option %s", word));
}

uint32_t cli_given(const cli_command_t *c, int argc, char **argv)
{
    struct option longs[CLI_OPTIONS_MAX + 2];
    char shorts[2 * CLI_OPTIONS_MAX + 3];
    uint32_t given = 0;
    make_longs(longs, c);
    make_shorts(shorts, c);
    for (int got; (got = getopt_long(argc, argv, shorts, longs, NULL)) != -1;) {
        const cli_option_t *option = got == ':' || got == IS_HELP ? NULL : found(c, got);
        if (option)
            given |= 1u << (option - c->options);
    }
    optind = 0; /* from the beginning again */
    return given;
}

int cli_parse(void *values, const char **operand, const cli_command_t *c, int argc, char **argv)
{
    struct option longs[CLI_OPTIONS_MAX + 2];
    char shorts[2 * CLI_OPTIONS_MAX + 3];
    make_longs(longs, c);
    make_shorts(shorts, c);
    for (int got; (got = getopt_long(argc, argv, shorts, longs, NULL)) != -1;) {
        if (got == IS_HELP)
            return cli_help(c), 1 + COMMAND_DONE;
        if (got == ':')
            return 1 + command_usage("%s needs a value", argv[optind - 1]);
        const cli_option_t *option = found(c, got);
        if (!option)
            return refuse(c, argv);
        const int status = take(values, option, optarg);
        if (status)
            return status;
    }
    return take_operand(operand, c, argc, argv);
}
