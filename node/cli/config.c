/* config.c - `kettle config`: what a configuration file comes to. */
#include <stdio.h>

#include "base/os/clock.h"
#include "base/os/file.h"
#include "node/cli/command.h"
#include "node/config/show.h"

#define ARENA_MAX ((size_t)8 << 20)

typedef struct {
    bool check;
} options_t;

static const cli_option_t options[] = {
    { .name = "check",
      .help = "says in one line whether it is right, and shows nothing else",
      .at = offsetof(options_t, check) },
};

/* One line: what a setup has to bring, if anything. */
static int say_right(const char *path, view_t text)
{
    const char *names[CONFIG_MISSING_MAX];
    const size_t count = config_missing(names, text);
    char list[200] = "";
    for (size_t i = 0, at = 0; i < count; i++)
        at += (size_t)snprintf(list + at, sizeof list - at, "%s%s", i ? ", " : "", names[i]);
    say(stdout, "%s: right%s%s%s", path, count ? "; a setup has to bring: " : "", list,
        config_may_lack_start(text) ? ", and checkpoint when peers is empty" : "");
    return fflush(stdout) ? command_failed("standard output: cannot be written") : COMMAND_DONE;
}

static int show(view_t text, const char *path)
{
    arena_t a;
    err_t e;
    view_t shown;
    arena_init(&a, ARENA_MAX);
    const rc_t rc = config_show(&shown, &e, &a, text, clock_system_ms() / 1000);
    int status = rc ? command_failed_by(&e, path) : COMMAND_DONE;
    if (!rc && (command_write(&e, NULL, shown) || command_write(&e, NULL, view_str("\n"))))
        status = command_failed_by(&e, NULL);
    arena_free(&a);
    return status;
}

static int run(int argc, char **argv);

const cli_command_t COMMAND_CONFIG = {
    .name = "config",
    .what = "shows what a configuration comes to",
    .usage = "kettle config [--check] FILE | -\n",
    .about = "Checks a configuration file as a node does at its start, and shows it as JSON: its SHA-256, the digests "
             "of network and policy that statements name, what a setup must and may still set, and every value that "
             "holds. Of a URL only scheme, host and port are shown: the others may be secret.",
    .status = "0 it is right, 1 it is not, 3 not readable",
    .operand = "configuration file, or - for standard input",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};

static int run(int argc, char **argv)
{
    options_t o = { .check = false };
    const char *path;
    view_t text;
    err_t e;
    int status = cli_parse(&o, &path, &COMMAND_CONFIG, argc, argv);
    if (status)
        return status - 1;
    if (file_read(&text, &e, path, CONFIG_TEXT_MAX, FILE_DASH_IS_STDIN)) {
        command_failed_by(&e, NULL);
        return COMMAND_UNREACHED;
    }
    if (!o.check)
        status = show(text, path);
    else
        status = config_check(&e, text) ? command_failed_by(&e, path) : say_right(path, text);
    file_free(text);
    return status;
}
