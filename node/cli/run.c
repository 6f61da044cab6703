/* run.c - `kettle run`: the node. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto/secret.h"
#include "base/os/log.h"
#include "node/cli/command.h"
#include "node/node.h"
#include "tee/tee.h"

static const char HELP[] =
    "usage: kettle run [OPTIONS]\n"
    "\n"
    "Waits for one POST /setup (unless --config or an earlier setup in the state directory has all it needs), makes the\n"
    "cluster's key, follows the chain, and serves signed answers.\n"
    "\n"
    "  --config FILE       configuration of the image, JSON; its \"setup_may_set\" lists what /setup may still set\n"
    "  --setup-port N      port of POST /setup                                     (default 40080)\n"
    "  --api-port N        port of /block, /call, /attest, /v1/status, /readyz     (default 3032)\n"
    "  --state-dir DIR     keeps the accepted setup and light-client data there; made when missing\n"
    "                      (default: $STATE_DIRECTORY, else nothing is kept)\n"
    "  --tee WHICH         auto, dstack, tdx or simulator                          (default auto: the first of dstack's\n"
    "                      guest agent, its older one, the kernel's configfs-tsm; never the simulator)\n"
    "  --tee-socket PATH   of dstack's guest agent    (default: $DSTACK_SIMULATOR_ENDPOINT, else the well-known places)\n"
    "  --log-level LEVEL   error, warn, info or debug                              (default info)\n"
    "\n"
    "exit status: 0 stopped by SIGTERM or SIGINT, 1 could not start, 2 wrong usage\n";

static bool parse_port(uint16_t *out, const char *text)
{
    char *end;
    errno = 0;
    unsigned long n = strtoul(text, &end, 10);
    if (errno || *end || end == text || text[0] == '-' || n < 1 || n > 65535)
        return false;
    *out = (uint16_t)n;
    return true;
}

static bool parse_level(const char *text)
{
    static const struct {
        const char *name;
        log_level_t level;
    } levels[] = { { "error", LOG_ERROR }, { "warn", LOG_WARN }, { "info", LOG_INFO }, { "debug", LOG_DEBUG } };
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
        if (!strcmp(levels[i].name, text)) {
            log_set_level(levels[i].level);
            return true;
        }
    return false;
}

static bool known_tee(const char *text)
{
    for (const char *const *word = TEE_WORDS; *word; word++)
        if (!strcmp(text, *word))
            return true;
    return false;
}

/* Fills the options; 0 to go on, else the exit status plus one. */
static int parse(node_options_t *o, int argc, char **argv)
{
    static const struct option longs[] = {
        { "config", required_argument, NULL, 'c' },
        { "setup-port", required_argument, NULL, 's' },
        { "api-port", required_argument, NULL, 'a' },
        { "state-dir", required_argument, NULL, 'd' },
        { "tee", required_argument, NULL, 't' },
        { "log-level", required_argument, NULL, 'l' },
        { "tee-socket", required_argument, NULL, 'T' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    for (int c; (c = getopt_long(argc, argv, ":h", longs, NULL)) != -1;) {
        switch (c) {
        case 'c': o->config_path = optarg; break;
        case 'd': o->state_dir = optarg; break;
        case 't': o->tee = optarg; break;
        case 'T': o->tee_socket = optarg; break;
        case 's':
            if (!parse_port(&o->setup_port, optarg))
                return 1 + command_usage("--setup-port %s: must be between 1 and 65535", optarg);
            break;
        case 'a':
            if (!parse_port(&o->api_port, optarg))
                return 1 + command_usage("--api-port %s: must be between 1 and 65535", optarg);
            break;
        case 'l':
            if (!parse_level(optarg))
                return 1 + command_usage("--log-level %s: must be error, warn, info or debug", optarg);
            break;
        case 'h': fputs(HELP, stdout); return 1 + EXIT_SUCCESS;
        case ':': return 1 + command_usage("%s needs a value", argv[optind - 1]);
        default: return 1 + command_usage("unknown option %s", argv[optind - 1]);
        }
    }
    if (!known_tee(o->tee))
        return 1 + command_usage("--tee %s: must be auto, dstack, tdx or simulator", o->tee);
    return optind < argc ? 1 + command_usage("unexpected argument %s", argv[optind]) : 0;
}

int command_run(int argc, char **argv)
{
    node_options_t options = { .setup_port = 40080,
                               .api_port = 3032,
                               .tee = "auto",
                               .state_dir = getenv("STATE_DIRECTORY"),
                               .tee_socket = getenv("DSTACK_SIMULATOR_ENDPOINT") };
    node_t *node;
    err_t e;
    sigset_t signals;
    int status = parse(&options, argc, argv), got;
    if (status)
        return status - 1;
    if (secret_init()) {
        log_write(LOG_ERROR, "start", "the system has no source of random numbers");
        return EXIT_FAILURE;
    }
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL); /* before any thread: only sigwait below takes them */
    if (node_start(&node, &e, &options)) {
        log_write(LOG_ERROR, "start", "%s", e.text);
        return EXIT_FAILURE;
    }
    sigwait(&signals, &got);
    log_write(LOG_INFO, "stop", "%s", got == SIGTERM ? "SIGTERM" : "SIGINT");
    node_stop(node);
    return EXIT_SUCCESS;
}
