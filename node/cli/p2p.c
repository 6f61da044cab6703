/* p2p.c - `kettle p2p`: what the node on this machine says of the cluster's members, over its Unix socket. */
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "base/json.h"
#include "http/client.h"
#include "node/cli/command.h"
#include "node/p2p/daemon.h"
#include "node/p2p/shown.h"

#define ARENA_MAX ((size_t)8 << 20)
#define ANSWER_MAX ((size_t)2 << 20)
#define TIMEOUT_MS 60000u
#define WAIT_S 60u
#define AGAIN_S 2

typedef struct {
    const char *socket;
    bool as_json;
} p2p_options_t;

static const cli_option_t options[] = {
    { .name = "socket",
      .argument = "PATH",
      .help = "the node's socket, as its configuration has it; else of the environment variable KETTLE_P2P_SOCKET",
      .normal = MEMBERSHIP_SOCKET,
      .at = offsetof(p2p_options_t, socket) },
    { .name = "json", .help = "prints the node's answers as they are", .at = offsetof(p2p_options_t, as_json) },
};

/* What one command runs on. */
typedef struct {
    const p2p_options_t *o;
    hc_t *http;
    arena_t a; /* of the answer */
} p2p_run_t;

/* The words of an error's body. */
static rc_t refused(err_t *e, arena_t *a, const char *socket, const hc_response_t *r)
{
    jo_doc_t doc;
    view_t detail = { NULL, 0 };
    const jo_t o = jo_open(&doc, NULL, view_of(r->body, r->body_len), ANSWER_MAX, JO_LENIENT);
    (void)jo_opt_text_copy(&o, &detail, a, "detail", 0, 512);
    jo_close(&doc);
    return err_set(e, RC_REFUSED, "%s: %.*s (HTTP status %d)", socket, (int)detail.n,
                   detail.n ? (const char *)detail.p : "", r->status);
}

/* One exchange; out is in the arena. RC_REFUSED: the node says why; others: it is not there. */
static rc_t ask(p2p_run_t *x, view_t *out, err_t *e, const char *target, bool posts)
{
    char url[160];
    hc_response_t r;
    snprintf(url, sizeof url, "http://kettle%s", target);
    const hc_request_t request = { .url = url,
                                   .unix_socket = x->o->socket,
                                   .post = posts ? view_str("") : view_of(NULL, 0),
                                   .timeout_ms = posts ? 10 * TIMEOUT_MS : 1000 * WAIT_S + TIMEOUT_MS,
                                   .stall_timeout_ms = posts ? 10 * TIMEOUT_MS : 1000 * WAIT_S + TIMEOUT_MS,
                                   .body_max = ANSWER_MAX };
    hc_perform(x->http, &r, &request, 1, NULL, NULL);
    rc_t rc = r.why.rc ? err_set(e, r.why.rc, "%s: %s", x->o->socket, r.why.text) : RC_OK;
    if (!rc && r.status != 200)
        rc = refused(e, &x->a, x->o->socket, &r);
    if (!rc) {
        *out = arena_dup(&x->a, view_of(r.body, r.body_len));
        rc = out->p ? RC_OK : err_say(e, RC_NOMEM, "out of memory");
    }
    hc_response_clear(&r);
    return rc;
}

static int failed(const err_t *e, rc_t rc)
{
    command_failed_by(e, NULL);
    return rc == RC_REFUSED ? COMMAND_FAILED : COMMAND_UNREACHED;
}

/* Which list it is. */
static rc_t read_cursor(char out[SHOWN_CURSOR_LEN + 1], err_t *e, view_t text)
{
    jo_doc_t doc;
    const jo_t o = jo_open(&doc, e, text, ANSWER_MAX, JO_LENIENT);
    const view_t at = jo_text(&o, "cursor", SHOWN_CURSOR_LEN, SHOWN_CURSOR_LEN);
    snprintf(out, SHOWN_CURSOR_LEN + 1, "%.*s", (int)at.n, at.n ? (const char *)at.p : "");
    const rc_t rc = jo_rc(&o);
    jo_close(&doc);
    return rc;
}

/* Prints the endpoints: one a line, or all on one. */
static rc_t put_peers(err_t *e, view_t text, bool on_one_line)
{
    jo_doc_t doc;
    const jo_t o = jo_open(&doc, e, text, ANSWER_MAX, JO_LENIENT);
    jo_t list = jo_list(&o, "peers", 0, MEMBERS_MAX), row;
    while (jo_next(&list, &row)) {
        const view_t peer = jo_text(&row, NULL, 1, MEMBERS_ENDPOINT_MAX);
        if (!members_is_endpoint(peer, MEMBERS_TLS) && !members_is_endpoint(peer, MEMBERS_WIREGUARD))
            jo_fail(&row, NULL, RC_MALFORMED, "is no endpoint");
        else
            printf("%.*s%c", (int)peer.n, (const char *)peer.p, on_one_line ? ' ' : '\n');
    }
    const rc_t rc = jo_done(&o);
    jo_close(&doc);
    if (on_one_line)
        puts("");
    return rc;
}

static int print_whole(view_t text)
{
    err_t e;
    return command_write(&e, NULL, text) ? command_failed_by(&e, NULL) : COMMAND_DONE;
}

static int put_list(const p2p_run_t *x, view_t text, bool on_one_line)
{
    err_t e;
    if (x->o->as_json)
        return print_whole(text);
    return put_peers(&e, text, on_one_line) ? command_failed_by(&e, "the node's answer") : COMMAND_DONE;
}

static int do_peers(p2p_run_t *x)
{
    view_t text;
    err_t e;
    const rc_t rc = ask(x, &text, &e, "/v1/p2p/peers", false);
    return rc ? failed(&e, rc) : put_list(x, text, false);
}

/* Prints each list that is another than the one before, until it is ended. */
static int do_watch(p2p_run_t *x)
{
    char target[128] = "/v1/p2p/peers", cursor[SHOWN_CURSOR_LEN + 1] = "", now[SHOWN_CURSOR_LEN + 1];
    for (int status = COMMAND_DONE; !status; arena_free(&x->a), arena_init(&x->a, ARENA_MAX)) {
        view_t text;
        err_t e;
        const rc_t rc = ask(x, &text, &e, target, false);
        if (rc) {
            (void)failed(&e, rc);
            (void)nanosleep(&(struct timespec){ .tv_sec = AGAIN_S }, NULL);
            continue;
        }
        if (read_cursor(now, &e, text))
            return command_failed_by(&e, "the node's answer");
        if (strcmp(now, cursor) != 0)
            status = put_list(x, text, true);
        if (!status && fflush(stdout))
            status = command_failed("standard output: cannot be written");
        memcpy(cursor, now, sizeof cursor);
        snprintf(target, sizeof target, "/v1/p2p/peers?after=%s&wait_s=%u", cursor, WAIT_S);
    }
    return COMMAND_FAILED;
}

static int show(p2p_run_t *x, const char *target, bool posts)
{
    view_t text;
    err_t e;
    const rc_t rc = ask(x, &text, &e, target, posts);
    return rc ? failed(&e, rc) : print_whole(text);
}

static int do_status(p2p_run_t *x)
{
    return show(x, "/v1/p2p/status", false);
}

static int do_register(p2p_run_t *x)
{
    return show(x, "/v1/p2p/register", true);
}

/* The address alone, for scripts. */
static int do_address(p2p_run_t *x)
{
    jo_doc_t doc;
    view_t text;
    err_t e;
    rc_t rc = ask(x, &text, &e, "/v1/p2p/address", false);
    if (rc)
        return failed(&e, rc);
    if (x->o->as_json)
        return print_whole(text);
    const jo_t o = jo_open(&doc, &e, text, ANSWER_MAX, JO_LENIENT);
    const view_t at = jo_text(&o, "address", 42, 42);
    if (at.n)
        say(stdout, "%s", (const char *)at.p);
    rc = jo_rc(&o);
    jo_close(&doc);
    return rc ? command_failed_by(&e, "the node's answer") : COMMAND_DONE;
}

static const struct {
    const char *word;
    int (*run)(p2p_run_t *x);
} words[] = {
    { "peers", do_peers },     { "watch", do_watch },       { "status", do_status },
    { "address", do_address }, { "register", do_register },
};

static int run(int argc, char **argv);

const cli_command_t COMMAND_P2P = {
    .name = "p2p",
    .what = "has the node listed by its contract, and shows who is",
    .usage = "kettle p2p [OPTIONS] address|register|peers|watch|status\n",
    .about =
        "Asks the node on this machine, whose configuration has the key membership, over its Unix socket "
        "(docs/sdk.md). address prints the address for which the contract's owner mints a token, and which is "
        "funded. register has the node listed, and kept so, and waits until the chain shows it. peers prints where "
        "the members are reached, one a line, in the contract's order: a list that the node proved. watch prints "
        "each list that is another than the one before, one a line, until it is ended. status prints which "
        "contract is followed, and where list and registration stand.",
    .status = "0 done, 1 the node refuses and says why, 3 no node at the socket",
    .operand = "address, register, peers, watch or status",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};

static int run(int argc, char **argv)
{
    p2p_options_t o = { .socket = NULL };
    const char *word, *from = getenv("KETTLE_P2P_SOCKET");
    int status = cli_parse(&o, &word, &COMMAND_P2P, argc, argv);
    if (status)
        return status - 1;
    if (!o.socket)
        o.socket = from && from[0] ? from : MEMBERSHIP_SOCKET;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (!strcmp(word, words[i].word)) {
            p2p_run_t x = { .o = &o, .http = hc_new(NULL) };
            if (!x.http)
                return command_failed("out of memory");
            arena_init(&x.a, ARENA_MAX);
            status = words[i].run(&x);
            arena_free(&x.a);
            hc_free(x.http);
            return status;
        }
    return command_usage("p2p %s: address, register, peers, watch or status", word);
}
