/* run.c - `kettle run`: the node. */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto/secret.h"
#include "base/os/file.h"
#include "base/os/harden.h"
#include "base/os/log.h"
#include "base/os/memory.h"
#include "base/os/persist.h"
#include "node/chain/timekeeper.h"
#include "node/cli/command.h"
#include "node/cli/given.h"
#include "node/node.h"
#include "tee/tee.h"

/* What the command line sets. node stands first: its options know nothing of the others. */
typedef struct {
    node_options_t node;
    given_t given;
} run_values_t;

static rc_t read_port(uint16_t *out, err_t *e, const char *text)
{
    char *end;
    errno = 0;
    unsigned long n = strtoul(text, &end, 10);
    if (errno || *end || text[0] < '0' || text[0] > '9' || n < 1 || n > 65535)
        return err_say(e, RC_MALFORMED, "must be between 1 and 65535");
    *out = (uint16_t)n;
    return RC_OK;
}

static rc_t read_setup_port(void *values, err_t *e, char *text)
{
    return read_port(&((node_options_t *)values)->setup_port, e, text);
}

static rc_t read_api_port(void *values, err_t *e, char *text)
{
    return read_port(&((node_options_t *)values)->api_port, e, text);
}

static rc_t read_tee(void *values, err_t *e, char *text)
{
    char words[128] = "";
    for (const char *const *word = TEE_WORDS; *word; word++) {
        const size_t at = strlen(words);
        if (!strcmp(*word, text)) {
            ((node_options_t *)values)->tee = *word;
            return RC_OK;
        }
        snprintf(words + at, sizeof words - at, "%s%s", at ? ", " : "", *word);
    }
    return err_set(e, RC_MALFORMED, "must be one of: %s", words);
}

static rc_t read_level(void *values, err_t *e, char *text)
{
    static const struct {
        const char *name;
        log_level_t level;
    } levels[] = { { "error", LOG_ERROR }, { "warn", LOG_WARN }, { "info", LOG_INFO }, { "debug", LOG_DEBUG } };
    (void)values;
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
        if (!strcmp(levels[i].name, text)) {
            log_set_level(levels[i].level);
            return RC_OK;
        }
    return err_say(e, RC_MALFORMED, "must be error, warn, info or debug");
}

static rc_t read_format(void *values, err_t *e, char *text)
{
    (void)values;
    if (strcmp(text, "text") != 0 && strcmp(text, "json") != 0)
        return err_say(e, RC_MALFORMED, "must be text or json");
    log_set_format(!strcmp(text, "json"));
    return RC_OK;
}

static const cli_option_t options[] = {
    { .name = "network",
      .letter = 'n',
      .argument = "NAME",
      .help = "the chain: mainnet, sepolia or hoodi; this option and the next six are a setup, with --config as far as "
              "its \"setup_may_set\" lists them; where they are a whole one, no POST /setup is waited for, else it "
              "brings the rest",
      .normal = "$KETTLE_NETWORK",
      .at = offsetof(run_values_t, given.network) },
    { .name = "execution-rpc",
      .letter = 'e',
      .argument = "URL",
      .help = "execution RPC with eth_getProof; several with commas, in order of preference",
      .normal = "$KETTLE_EXECUTION_RPC",
      .at = offsetof(run_values_t, given.execution_rpc) },
    { .name = "execution-rpc-file",
      .argument = "FILE",
      .help = "a file that holds them, so that no process list shows a key",
      .normal = "$KETTLE_EXECUTION_RPC_FILE, else the systemd credential execution_rpc",
      .at = offsetof(run_values_t, given.execution_rpc_file) },
    { .name = "consensus-rpc",
      .letter = 'c',
      .argument = "URL",
      .help = "beacon API; several with commas",
      .normal = "$KETTLE_CONSENSUS_RPC",
      .at = offsetof(run_values_t, given.consensus_rpc) },
    { .name = "checkpoint",
      .letter = 'w',
      .argument = "ROOT",
      .help = "recent finalized beacon block root that is trusted, or a quorum as JSON",
      .normal = "$KETTLE_CHECKPOINT",
      .at = offsetof(run_values_t, given.checkpoint) },
    { .name = "peers",
      .argument = "PEER",
      .help = "peers to join, several with commas, or none: a new cluster",
      .normal = "$KETTLE_PEERS, else none without --config",
      .at = offsetof(run_values_t, given.peers) },
    { .name = "port",
      .argument = "N",
      .help = "port of the overlay",
      .normal = "$KETTLE_PORT, else 4001 without --config",
      .at = offsetof(run_values_t, given.port) },
    { .name = "config",
      .argument = "FILE",
      .help = "configuration of the image, JSON; its \"setup_may_set\" lists what /setup may still set",
      .at = offsetof(node_options_t, config_path) },
    { .name = "development",
      .help = "no measured configuration is needed and /setup may set every key; every answer says so, and `kettle "
              "verify` refuses it unless asked",
      .at = offsetof(node_options_t, development) },
    { .name = "listen",
      .argument = "ADDRESS",
      .help = "address of both ports, several with commas; with --config it belongs into that file",
      .normal = "$KETTLE_LISTEN, else 127.0.0.1 without --config",
      .at = offsetof(node_options_t, listen) },
    { .name = "setup-port",
      .argument = "N",
      .help = "port of POST /setup",
      .normal = "40080",
      .read = read_setup_port },
    { .name = "api-port", .argument = "N", .help = "port of the API", .normal = "3032", .read = read_api_port },
    { .name = "state-dir",
      .argument = "DIR",
      .help = "keeps the accepted setup and light-client data there; made when missing",
      .normal = "$STATE_DIRECTORY, else nothing is kept",
      .at = offsetof(node_options_t, state_dir) },
    { .name = "may-swap",
      .help =
          "starts also where keys cannot be kept from being swapped out (RLIMIT_MEMLOCK); with --development it does",
      .at = offsetof(node_options_t, may_swap) },
    { .name = "tee",
      .argument = "WHICH",
      .help = "auto, dstack, tdx or simulator; auto is the first of dstack's guest agent, its older one, the kernel's "
              "configfs-tsm, and never the simulator",
      .normal = "auto",
      .read = read_tee },
    { .name = "tee-socket",
      .argument = "PATH",
      .help = "socket of dstack's guest agent; waited for when it is not there yet",
      .normal = "$DSTACK_SIMULATOR_ENDPOINT, else the well-known places",
      .at = offsetof(node_options_t, tee_socket) },
    { .name = "simulator-seed",
      .argument = "TEXT",
      .help = "simulators of one text have one root, so that a policy can admit all nodes of a cluster",
      .normal = "a root by chance",
      .at = offsetof(node_options_t, simulator_seed) },
    { .name = "simulator-image",
      .argument = "TEXT",
      .help = "the image that the simulator says it is: MRTD is SHA-384 of the text",
      .normal = "the same for all",
      .at = offsetof(node_options_t, simulator_image) },
    { .name = "log-level",
      .argument = "LEVEL",
      .help = "error, warn, info or debug",
      .normal = "info",
      .read = read_level },
    { .name = "log-format",
      .argument = "FORMAT",
      .help = "text or json",
      .normal = "text on a terminal, else json",
      .read = read_format },
};

static int run(int argc, char **argv);

const cli_command_t COMMAND_RUN = {
    .name = "run",
    .what = "runs a node",
    .usage = "kettle run --config FILE [OPTIONS]\n"
             "       kettle run --development [OPTIONS]\n"
             "       kettle run --development -n NAME -e URL -c URL -w ROOT\n",
    .about = "Waits for one POST /setup (unless --config or an earlier setup in the state directory has all it needs), "
             "makes the cluster's key, follows the chain, and serves signed answers.",
    .status = "0 stopped by SIGTERM or SIGINT, 1 could not start",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};

/* The names of all options, for the node statement. */
static const char *const *flag_names(void)
{
    static const char *names[sizeof options / sizeof options[0] + 1];
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        names[i] = options[i].name;
    return names;
}

/* Waits for the signal to end. SIGUSR1 turns debug lines on and off; SIGHUP does nothing. */
static int wait_for_end(const sigset_t *signals)
{
    int got;
    for (;;) {
        sigwait(signals, &got);
        if (got == SIGTERM || got == SIGINT)
            return got;
        if (got == SIGUSR1)
            log_turn_debug();
    }
}

/* Gives up what a node never needs. What the kernel cannot do is told; the log has no thread yet. */
static rc_t harden(err_t *e, const node_options_t *values)
{
    err_t why;
    rc_t rc = harden_process(e);
    if (rc)
        return rc;
    rc = harden_files(&why, values->state_dir);
    if (rc)
        log_write(LOG_WARN, "start", "%s", why.text);
    if (harden_calls(&why))
        log_write(LOG_WARN, "start", "%s", why.text);
    return RC_OK;
}

static int run_node(node_options_t *values)
{
    node_t *node;
    err_t e;
    sigset_t signals;
    memory_begin();
    if (secret_init()) {
        log_write(LOG_ERROR, "start", "the system has no source of random numbers");
        return EXIT_FAILURE;
    }
    if (values->state_dir && persist_check(&e, values->state_dir)) {
        log_write(LOG_ERROR, "start", "--state-dir: %s", e.text);
        return EXIT_FAILURE;
    }
    if (harden(&e, values)) {
        log_write(LOG_ERROR, "start", "%s", e.text);
        return EXIT_FAILURE;
    }
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &signals, NULL); /* before any thread: only sigwait below takes them */
    if (log_start(&e))
        log_write(LOG_WARN, "log", "%s", e.text);
    int status = EXIT_FAILURE;
    if (node_start(&node, &e, values)) {
        if (e.code == NODE_BAD_FLAGS)
            status = command_usage("%s", e.text);
        else
            log_write(LOG_ERROR, "start", "%s", e.text);
    } else {
        log_write(LOG_INFO, "stop", "%s", wait_for_end(&signals) == SIGTERM ? "SIGTERM" : "SIGINT");
        node_stop(node);
        status = EXIT_SUCCESS;
    }
    log_stop();
    return status;
}

static int run(int argc, char **argv)
{
    const char *simulator = getenv("DSTACK_SIMULATOR_ENDPOINT");
    run_values_t values = { .node = { .setup_port = 40080,
                                      .api_port = 3032,
                                      .tee = "auto",
                                      .build_s = KETTLE_BUILD_TIME,
                                      .clock_source_file = TIMEKEEPER_SOURCE_FILE,
                                      .state_dir = getenv("STATE_DIRECTORY"),
                                      .listen = getenv("KETTLE_LISTEN"),
                                      .tee_socket = simulator,
                                      .flags = flag_names(),
                                      .environment = GIVEN_ENVIRONMENT } };
    view_t setup;
    err_t e;
    int status = cli_parse(&values, NULL, &COMMAND_RUN, argc, argv);
    if (status)
        return status - 1;
    if (values.node.state_dir && !values.node.state_dir[0])
        values.node.state_dir = NULL;
    values.node.tee_pretended = simulator && *simulator && values.node.tee_socket == simulator;
    if (!values.node.config_path && !values.node.development)
        return command_usage("run needs --config FILE, the image's measured configuration, or --development");
    if (values.node.setup_port == values.node.api_port)
        return command_usage("--setup-port and --api-port are both %u", values.node.api_port);
    const rc_t rc = given_setup(&setup, &e, &values.given, getenv, !values.node.config_path);
    if (rc)
        return rc == RC_MALFORMED ? command_usage("%s", e.text) : command_failed("%s", e.text);
    values.node.setup = setup;
    status = run_node(&values.node);
    file_free(setup);
    return status;
}
