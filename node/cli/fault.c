/* fault.c - `kettle fault`: checks once more what a node took for a lie of an endpoint. */
#include <stdio.h>

#include "base/calendar.h"
#include "base/os/file.h"
#include "base/os/persist.h"
#include "node/cli/command.h"
#include "node/config/config.h"
#include "node/lies.h"

#define ARENA_MAX ((size_t)64 << 20)

typedef struct {
    const char *config;
    bool show;
} options_t;

static const cli_option_t options[] = {
    { .name = "config",
      .argument = "FILE",
      .help = "configuration with the network of a beacon API's lie, where that is no built-in one",
      .at = offsetof(options_t, config) },
    { .name = "show", .help = "prints the records as JSON, and checks nothing", .at = offsetof(options_t, show) },
};

/* What is done with the records. */
typedef struct {
    const options_t *o;
    const config_t *config; /* NULL: none was given */
    unsigned count, held;   /* records, and those whose answer is no lie here */
} task_t;

static const lc_network_t *network_of(const task_t *t, view_t name)
{
    if (t->config && view_eq(name, view_str(t->config->network.name)))
        return &t->config->network;
    return lc_network_find((const char *)name.p);
}

static rc_t replay(err_t *e, arena_t *a, const task_t *t, const lie_t *lie)
{
    const lc_network_t *net = network_of(t, lie->network);
    if (lie->beacon && !net)
        return err_say(e, RC_UNSUPPORTED, "the network is not built in: --config names a file that has it");
    return lie_replay(e, a, lie, net);
}

static void tell(const task_t *t, const lie_t *lie, rc_t rc, const err_t *e)
{
    char at[TIME_TEXT];
    (void)time_write(at, lie->at_s);
    say(stdout, "%u: %s %.*s on %.*s: %.*s", t->count, at, (int)lie->endpoint.n, (const char *)lie->endpoint.p,
        (int)lie->network.n, (const char *)lie->network.p, (int)lie->reason.n, (const char *)lie->reason.p);
    if (rc == RC_REFUSED)
        say(stdout, "   it is a lie: %s", e->text);
    else
        say(stdout, "   %s%s", rc ? "cannot be told here: " : "the answer holds: it is no lie", rc ? e->text : "");
}

static rc_t take(void *ctx, view_t text)
{
    task_t *t = ctx;
    arena_t a;
    lie_t lie;
    err_t e = { 0 };
    if (t->o->show)
        return command_write(&e, NULL, text) || command_write(&e, NULL, view_str("\n")) ? RC_IO : RC_OK;
    t->count++;
    arena_init(&a, ARENA_MAX);
    rc_t rc = lie_read(&lie, &e, &a, text);
    if (rc) {
        say(stdout, "%u: is no record: %s%s%s", t->count, e.field, e.field[0] ? ": " : "", e.text);
    } else {
        rc = replay(&e, &a, t, &lie);
        tell(t, &lie, rc, &e);
    }
    t->held += rc != RC_REFUSED;
    arena_free(&a);
    return RC_OK;
}

/* A file of the state directory, a list, or one record. */
static int take_all(task_t *t, const char *path, view_t text)
{
    static const char magic[] = "KETTLE1\n";
    err_t e = { 0 };
    if (text.n > PERSIST_HEAD && !memcmp(text.p, magic, sizeof magic - 1))
        text = view_of(text.p + PERSIST_HEAD, text.n - PERSIST_HEAD);
    const rc_t rc = text.n && text.p[0] == '[' ? lies_read(&e, text, take, t) : take(t, text);
    if (rc)
        return command_failed_by(&e, path);
    if (fflush(stdout))
        return command_failed("standard output: cannot be written");
    return t->held ? COMMAND_FAILED : COMMAND_DONE;
}

static int run(int argc, char **argv);

const cli_command_t COMMAND_FAULT = {
    .name = "fault",
    .what = "checks what a node took for a lie of an endpoint",
    .usage = "kettle fault [--config FILE] [--show] FILE | -\n",
    .about =
        "Reads a record of a lie, or the file \"lies\" of a state directory with all of them, and checks each answer "
        "once more against the header, the hash or the sync committee that it contradicted.",
    .status = "0 each is a lie, 1 one is not or cannot be told, 3 not readable",
    .operand = "record, list of records or file of a state directory; - for standard input",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};

/* The configuration, if one is named. 0 to go on, else the exit status and one. */
static int read_config(config_t **out, const char *path)
{
    view_t text;
    err_t e;
    if (!path)
        return 0;
    if (file_read(&text, &e, path, CONFIG_TEXT_MAX, FILE_REGULAR))
        return command_failed_by(&e, NULL), COMMAND_UNREACHED + 1;
    const rc_t rc = config_read_base(out, &e, text);
    file_free(text);
    return rc ? command_failed_by(&e, path) + 1 : 0;
}

static int run(int argc, char **argv)
{
    options_t o = { .config = NULL };
    config_t *config = NULL;
    const char *path;
    view_t text;
    err_t e;
    int status = cli_parse(&o, &path, &COMMAND_FAULT, argc, argv);
    if (!status)
        status = read_config(&config, o.config);
    if (status)
        return status - 1;
    if (file_read(&text, &e, path, LIES_FILE_MAX + PERSIST_HEAD, FILE_DASH_IS_STDIN)) {
        command_failed_by(&e, NULL);
        status = COMMAND_UNREACHED;
    } else {
        task_t t = { .o = &o, .config = config };
        status = take_all(&t, path, text);
        file_free(text);
    }
    config_free(config);
    return status;
}
