/* peers.c - `kettle peers`: whom a node is connected to, whom it dials, whom it turned away and why. */
#include "base/arena.h"
#include "base/json.h"
#include "node/cli/command.h"
#include "node/cli/evidence.h"

#define ARENA_MAX ((size_t)1 << 20)
#define INPUT_MAX (512u << 10)
#define ROWS_MAX 128u
#define TEXT_MAX 512u

typedef struct {
    bool as_json, ra_tls;
} options_t;

static const cli_option_t options[] = {
    { .name = "json", .help = "prints the node's answer as it is", .at = offsetof(options_t, as_json) },
    { .name = "ra-tls",
      .help = "the node serves HTTPS (api_tls): takes its certificate, for which no issuer vouches",
      .at = offsetof(options_t, ra_tls) },
};

/* A member that may be null or absent, as printf's "%.*s" takes it. */
static view_t text_of(const jo_t *o, const char *key)
{
    view_t v = view_str("-");
    if (jo_kind(o, key) == JO_TEXT)
        v = jo_text(o, key, 0, TEXT_MAX);
    return v;
}

#define ARG(v) (int)(v).n, (const char *)(v).p

static void put_member(const jo_t *m)
{
    const view_t peer = text_of(m, "peer"), at = text_of(m, "address"), state = text_of(m, "state"),
                 trouble = text_of(m, "trouble");
    uint64_t slot = 0;
    bool holds = false, dialled = jo_bool(m, "dialled");
    (void)jo_opt_u64(m, &slot, "finalized_slot", 0, UINT64_MAX);
    (void)jo_opt_bool(m, &holds, "holds_key");
    say(stdout, "  %-10.*s %.*s  %.*s (%s), %s, finalized slot %llu%s%.*s", ARG(state), ARG(peer), ARG(at),
        dialled ? "dialled" : "accepted", holds ? "holds the key" : "no key", (unsigned long long)slot,
        trouble.n ? ": " : "", ARG(trouble));
}

static void put_address(const jo_t *m)
{
    const view_t at = text_of(m, "address"), source = text_of(m, "source"), trouble = text_of(m, "trouble");
    const bool connected = jo_bool(m, "connected");
    const uint64_t failures = jo_u64(m, "failures", 0, UINT32_MAX);
    if (connected)
        say(stdout, "  %-10.*s %.*s  connected", ARG(source), ARG(at));
    else
        say(stdout, "  %-10.*s %.*s  %llu failures%s%.*s", ARG(source), ARG(at), (unsigned long long)failures,
            trouble.n ? ": " : "", ARG(trouble));
}

static void put_refused(const jo_t *m)
{
    const view_t at = text_of(m, "address"), code = text_of(m, "code"), reason = text_of(m, "reason");
    say(stdout, "  %.*s  %.*s%s%.*s, %llu times, %llu s ago", ARG(at), ARG(code), code.n ? ": " : "", ARG(reason),
        (unsigned long long)jo_u64(m, "times", 0, UINT32_MAX),
        (unsigned long long)jo_u64(m, "seconds_ago", 0, UINT64_MAX));
}

static void put_banned(const jo_t *m)
{
    const view_t peer = text_of(m, "peer"), host = text_of(m, "host"), reason = text_of(m, "reason");
    const bool by_host = jo_kind(m, "host") == JO_TEXT;
    say(stdout, "  %.*s  %.*s, %llu s left", by_host ? (int)host.n : (int)peer.n,
        (const char *)(by_host ? host.p : peer.p), ARG(reason),
        (unsigned long long)jo_u64(m, "seconds_left", 0, UINT64_MAX));
}

/* One list, with its title where it has a row. */
static void put_list(const jo_t *all, const char *key, void (*put)(const jo_t *m))
{
    jo_t list = jo_list(all, key, 0, ROWS_MAX), row;
    bool first = true;
    while (jo_next(&list, &row)) {
        const jo_t m = jo_object(&row, NULL);
        if (first)
            say(stdout, "%s", key);
        first = false;
        put(&m);
    }
    if (first && put == put_member && !jo_rc(all))
        say(stdout, "no connections");
}

static int print(view_t text)
{
    jo_doc_t doc;
    err_t e;
    const jo_t all = jo_open(&doc, &e, text, INPUT_MAX, JO_LENIENT);
    put_list(&all, "members", put_member);
    put_list(&all, "addresses", put_address);
    put_list(&all, "refused", put_refused);
    put_list(&all, "banned", put_banned);
    const rc_t rc = jo_done(&all);
    jo_close(&doc);
    if (rc)
        return command_failed_by(&e, "the node's answer");
    return fflush(stdout) ? command_failed("standard output: cannot be written") : COMMAND_DONE;
}

static int run(int argc, char **argv);

const cli_command_t COMMAND_PEERS = {
    .name = "peers",
    .what = "shows whom a node is connected to",
    .usage = "kettle peers [OPTIONS] URL\n",
    .about =
        "Shows the peers of a node (GET /v1/peers): its connections and how far each is attested, the addresses that "
        "it dials, whom it turned away and why, and who is banned for how long. URL is a node's API "
        "(http://host:3032). Nothing of it is verified: that is `kettle verify`.",
    .status = "0 printed, 1 not such an answer, 3 not readable",
    .operand = "URL of a node",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};

static int run(int argc, char **argv)
{
    options_t o = { .as_json = false };
    const char *url;
    arena_t a;
    err_t e;
    view_t text, peer;
    int status = cli_parse(&o, &url, &COMMAND_PEERS, argc, argv);
    if (status)
        return status - 1;
    if (!evidence_is_url(url) || (o.ra_tls && strncmp(url, "https://", 8) != 0))
        return command_usage(o.ra_tls ? "--ra-tls needs an https:// URL" : "peers needs a URL, http://host:3032");
    arena_init(&a, ARENA_MAX);
    if (evidence_ask(&text, o.ra_tls ? &peer : NULL, &e, &a, url, "/v1/peers")) {
        command_failed_by(&e, NULL);
        status = COMMAND_UNREACHED;
    } else if (o.as_json) {
        status = command_write(&e, NULL, text) ? command_failed_by(&e, NULL) : COMMAND_DONE;
    } else {
        status = print(text);
    }
    arena_free(&a);
    return status;
}
