/* routes.c - the HTTP routes: POST /setup on the setup port; /block, /call, /rpc, /attest, /v1 and its statements,
 * /metrics, /healthz, /readyz and its parts on the API port. */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/crypto/hash.h"
#include "base/crypto/secret.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/os/log.h"
#include "node/cluster/order_text.h"
#include "node/metrics.h"
#include "node/page.h"
#include "node/state.h"
#include "node/world.h"
#include "rpc/api/callobject.h"
#include "rpc/api/prototype.h"

#define ATTEST_ARENA_MAX ((size_t)32 << 20)
#define STATUS_ARENA_MAX ((size_t)1 << 20)
#define SETUP_ANSWER_MAX ((size_t)8 << 10)
#define KEYS_ARENA_MAX ((size_t)4 << 20)
#define METHODS_ARENA_MAX ((size_t)1 << 20)

static void answer(hs_response_t *r, int status, const char *content_type, view_t body)
{
    r->body = malloc(body.n ? body.n : 1);
    if (!r->body) {
        hs_problem(r, 500, "out-of-memory", "out of memory");
        return;
    }
    if (body.n)
        memcpy(r->body, body.p, body.n);
    r->body_len = body.n;
    r->status = status;
    r->content_type = content_type;
}

/* Fills a 503 and says false when the node does not sign now. */
static bool require_ready(node_t *n, follow_view_t *view, hs_response_t *r)
{
    char detail[320];
    err_t why;
    node_state_t state = node_state(n, view, &why);
    if (state == NODE_READY)
        return true;
    snprintf(detail, sizeof detail, "%s: %s", node_state_name(state), why.text);
    hs_problem(r, 503, "not-ready", detail);
    r->retry_after_s = 2;
    return false;
}

static void setup_answer(hs_response_t *r, int status, const err_t *error)
{
    jw_t w = jw_of(NULL, SETUP_ANSWER_MAX);
    jw_object(&w, NULL);
    jw_str(&w, "status", error ? "error" : "success");
    if (error) {
        jw_str(&w, "error", error->text);
        jw_str(&w, "field", error->field);
    }
    jw_end(&w);
    view_t text = jw_done(&w);
    if (text.p)
        answer(r, status, NULL, text);
    else
        hs_problem(r, 500, "out-of-memory", "out of memory");
    jw_free(&w);
}

static bool is_json(const char *content_type)
{
    static const char json[] = "application/json";
    const size_t n = sizeof json - 1;
    return strncasecmp(content_type, json, n) == 0 && strchr("; \t", content_type[n]);
}

/* Whether the operator's token is there, where the measured configuration wants one. */
static bool has_token(const node_t *n, const char *authorization)
{
    static const char bearer[] = "Bearer "; /* a scheme's name is of either case */
    hash32_t digest;
    if (!n->hosting.has_token)
        return true;
    if (strncasecmp(authorization, bearer, sizeof bearer - 1) != 0)
        return false;
    sha256(&digest, view_str(authorization + sizeof bearer - 1));
    return secret_eq(digest.b, n->hosting.token_sha256.b, sizeof digest.b);
}

/* Whether a setup may be read at all: no page of a browser can send one, under whatever name it reaches this port. */
static int refuse_setup(err_t *e, const node_t *n, const hs_request_t *request)
{
    *e = (err_t){ .rc = RC_REFUSED };
    if (request->from_page) {
        (void)err_say(e, RC_REFUSED, "a page in a browser may not set a node up (Origin, Sec-Fetch-Site)");
        return 403;
    }
    if (!is_json(request->content_type)) {
        (void)err_say(e, RC_REFUSED, "send the header Content-Type: application/json");
        return 415;
    }
    if (has_token(n, request->authorization))
        return 0;
    (void)err_say(e, RC_REFUSED,
                  "send the header Authorization: Bearer TOKEN, with the token of this image's operator");
    return 401;
}

static int setup_status(rc_t rc, const err_t *why)
{
    if (why->code == NODE_TRIED_OFTEN)
        return 429;
    return rc == RC_REPLAY ? 409 : rc_blames_input(rc) ? 400 : 500;
}

static void post_setup(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    err_t error;
    const int status = refuse_setup(&error, ctx, request);
    if (status) {
        log_write(LOG_WARN, "setup", "refused, status %d: %s", status, error.text);
        setup_answer(r, status, &error);
        return;
    }
    rc_t rc = node_accept_setup_of(ctx, &error, request->body, request);
    if (rc) {
        log_write(LOG_WARN, "setup", "refused: %s%s%s", error.field, error.field[0] ? ": " : "", error.text);
        setup_answer(r, setup_status(rc, &error), &error);
        r->retry_after_s = error.code == NODE_TRIED_OFTEN ? TRIALS_MS / TRIALS_MAX / 1000 : 0;
    } else
        setup_answer(r, 200, NULL);
}

static void get_block(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    node_t *n = ctx;
    follow_view_t view;
    (void)request;
    if (!require_ready(n, &view, r))
        return;
    service_t *s = node_service(n);
    r->shared = service_block_answer(s, &view); /* signed already, unless the head came this instant */
    if (r->shared)
        atomic_fetch_add(&s->blocks, 1);
    else
        hs_problem(r, 503, "not-ready", "the block could not be signed now: ask again");
}

#define NO_KEY_MAX 360u

/* Why there is no service: the state, as everybody is told it. */
static const char *no_key(char out[NO_KEY_MAX], node_t *n)
{
    follow_view_t view;
    err_t why;
    const node_state_t state = node_state(n, &view, &why);
    snprintf(out, NO_KEY_MAX, "the node has no key yet: %s: %s", node_state_name(state), why.text);
    return out;
}

/* NULL with a 503 until the node has its keys. */
static service_t *require_service(node_t *n, hs_response_t *r)
{
    char text[NO_KEY_MAX];
    service_t *s = node_service(n);
    if (s)
        return s;
    hs_problem(r, 503, "not-ready", no_key(text, n));
    r->retry_after_s = 2;
    return NULL;
}

static void get_attest(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    service_t *s = require_service(ctx, r);
    (void)request;
    if (s)
        r->shared = rekey_answer(atomic_load(&s->rekey));
}

typedef struct {
    bool has_nonce, staple;
    uint8_t nonce[32];
} attest_query_t;

/* Reads "nonce=0x...&collateral=1". RC_MALFORMED: e says which parameter is wrong. */
static rc_t read_attest_query(attest_query_t *q, err_t *e, const char *query)
{
    for (const char *p = query; *p;) {
        size_t n = strcspn(p, "&");
        if (n > 6 && !strncmp(p, "nonce=", 6)) {
            if (q->has_nonce || hex_decode_exact(q->nonce, sizeof q->nonce, p + 6, n - 6))
                return err_in(e, RC_MALFORMED, "nonce", "nonce must be given once, as 32 bytes of hex");
            q->has_nonce = true;
        } else if (n == 12 && !strncmp(p, "collateral=1", 12))
            q->staple = true;
        else if (!(n == 12 && !strncmp(p, "collateral=0", 12)))
            return err_say(e, RC_MALFORMED, "unknown parameter: nonce and collateral (0 or 1) are known");
        p += n + (p[n] == '&');
    }
    return RC_OK;
}

static void get_v1_attest(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    service_t *s = require_service(ctx, r);
    attest_query_t q = { 0 };
    err_t e;
    arena_t a;
    view_t body;
    if (!s)
        return;
    if (read_attest_query(&q, &e, request->query)) {
        hs_problem(r, 400, "bad-request", e.text);
        return;
    }
    arena_init(&a, ATTEST_ARENA_MAX);
    attestation_cluster_t stands = { .is_there = false };
    cluster_t *cluster = atomic_load(&((node_t *)ctx)->cluster);
    if (cluster)
        cluster_attested(cluster, &stands);
    rc_t rc = attest_body(s->attest, &body, &e, &a, &stands, q.has_nonce ? q.nonce : NULL, q.staple);
    if (!rc)
        answer(r, 200, NULL, body);
    else if (rc == RC_LIMIT) {
        hs_problem(r, 429, "too-many-quotes", e.text);
        r->retry_after_s = 5;
    } else
        hs_problem(r, 503, rc == RC_NEED_DATA ? "no-collateral" : "no-quote", e.text);
    arena_free(&a);
}

static void post_call(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    node_t *n = ctx;
    follow_view_t view;
    if (!require_ready(n, &view, r))
        return;
    service_t *s = node_service(n);
    const config_t *config = s->with.config;
    const ex_block_t block = held_head_of(judge_head(config, &view), config->chain.chain_id, false).block;
    calls_post(s->calls, request, r, &block);
}

/* Signed statements. */
static void answer_statement(node_t *n, const hs_request_t *request, hs_response_t *r, statements_route_t route)
{
    char text[NO_KEY_MAX];
    service_t *s = node_service(n);
    if (s)
        statements_ask(s->statements, request, r, route);
    else
        statements_not_ready(r, route, no_key(text, n));
}

#define STATEMENT(name, route)                                                                                         \
    static void name(void *ctx, const hs_request_t *request, hs_response_t *r)                                         \
    {                                                                                                                  \
        answer_statement(ctx, request, r, route);                                                                      \
    }
STATEMENT(post_v1_call, STATEMENTS_CALL)
STATEMENT(get_v1_block, STATEMENTS_BLOCK)
STATEMENT(get_v1_account, STATEMENTS_ACCOUNT)
STATEMENT(get_v1_storage, STATEMENTS_STORAGE)
STATEMENT(get_v1_checkpoint, STATEMENTS_CHECKPOINT)
STATEMENT(get_v1_ccip, STATEMENTS_CCIP_GET)
STATEMENT(post_v1_ccip, STATEMENTS_CCIP_POST)
STATEMENT(post_v1_logs, STATEMENTS_LOGS)
STATEMENT(get_v1_receipt, STATEMENTS_RECEIPT)
#undef STATEMENT

static void get_evidence(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    char text[NO_KEY_MAX];
    service_t *s = node_service(ctx);
    if (s)
        statements_evidence(s->statements, request, r);
    else
        statements_not_ready(r, STATEMENTS_EVIDENCE, no_key(text, ctx));
}

static void post_rpc(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    world_t w;
    node_world(ctx, &w);
    node_rpc_post(w.service ? w.service->rpc : NULL, r, request, &w.api);
}

static void get_methods(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    arena_t a;
    view_t body;
    (void)ctx, (void)request;
    arena_init(&a, METHODS_ARENA_MAX);
    if (api_methods_body(&body, &a))
        hs_problem(r, 500, "out-of-memory", "out of memory");
    else
        answer(r, 200, NULL, body);
    arena_free(&a);
}

static void get_status(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    (void)request;
    arena_t a;
    arena_init(&a, STATUS_ARENA_MAX);
    view_t text = node_status_json(ctx, &a);
    if (text.p)
        answer(r, 200, NULL, text);
    else
        hs_problem(r, 500, "out-of-memory", "out of memory");
    arena_free(&a);
}

static void put_held(jw_t *w, const held_head_t *head)
{
    jw_object(w, NULL);
    jw_u64(w, "slot", head->slot);
    jw_u64(w, "block_number", head->block.env.number);
    jw_hex(w, "block_hash", view_of(head->block.block_hash.b, 32));
    jw_u64(w, "participants", head->participants);
    jw_bool(w, "finalized", head->finalized);
    jw_end(w);
}

/* The newest heads that this node has followed, and how many of the committee signed each. */
static void get_heads(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    service_t *s = require_service(ctx, r);
    arena_t a;
    (void)request;
    if (!s)
        return;
    arena_init(&a, STATUS_ARENA_MAX);
    held_head_t *all = arena_alloc(&a, HELD_MAX * sizeof *all);
    const size_t count = all ? held_list(&s->held, all) : 0;
    jw_t w = jw_of(&a, STATUS_ARENA_MAX / 2);
    jw_object(&w, NULL);
    jw_u64(&w, "committee_size", s->with.config->network.preset.committee_size);
    jw_array(&w, "heads");
    for (size_t i = 0; i < count; i++)
        put_held(&w, &all[i]);
    jw_end(&w);
    jw_end(&w);
    const view_t text = jw_done(&w);
    if (all && text.p)
        answer(r, 200, NULL, text);
    else
        hs_problem(r, 500, "out-of-memory", "out of memory");
    arena_free(&a);
}

/* The overlay, or NULL with a 503. */
static cluster_t *require_cluster(node_t *n, hs_response_t *r)
{
    cluster_t *cluster = atomic_load(&n->cluster);
    if (!cluster)
        hs_problem(r, 503, "not-ready", "the overlay is not running yet");
    return cluster;
}

static void get_peers(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    cluster_t *cluster = require_cluster(ctx, r);
    arena_t a;
    (void)request;
    if (!cluster)
        return;
    arena_init(&a, STATUS_ARENA_MAX);
    jw_t w = jw_of(&a, STATUS_ARENA_MAX);
    jw_indent(&w, 2);
    cluster_peers(cluster, &w);
    view_t text = jw_done(&w);
    if (text.p)
        answer(r, 200, NULL, text);
    else
        hs_problem(r, 500, "out-of-memory", "out of memory");
    arena_free(&a);
}

/* Answers with what write puts. */
static void answer_of_cluster(node_t *n, hs_response_t *r, rc_t (*write)(cluster_t *, err_t *, jw_t *))
{
    cluster_t *cluster = require_cluster(n, r);
    arena_t a;
    err_t e;
    if (!cluster)
        return;
    arena_init(&a, KEYS_ARENA_MAX);
    jw_t w = jw_of(&a, KEYS_ARENA_MAX);
    const rc_t rc = write(cluster, &e, &w);
    const view_t text = rc ? view_of(NULL, 0) : jw_done(&w);
    if (text.p)
        answer(r, 200, NULL, text);
    else
        hs_problem(r, 500, "out-of-memory", "out of memory");
    arena_free(&a);
}

static void get_keys(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    (void)request;
    answer_of_cluster(ctx, r, cluster_keys);
}

static void get_releases(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    (void)request;
    answer_of_cluster(ctx, r, cluster_releases);
}

/* The service, when the request is a command of its operator; else NULL, and r says why. */
static service_t *require_operator(node_t *n, const hs_request_t *request, hs_response_t *r)
{
    service_t *s = require_service(n, r);
    return s && operator_admits(&s->operator, r, request, timekeeper_least_ms(s->time) / 1000) ? s : NULL;
}

static void post_log_level(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    if (require_operator(ctx, request, r))
        operator_set_log_level(r, request);
}

static void post_keys_rotate(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    if (require_operator(ctx, request, r))
        operator_rotate(r);
}

static rc_t set_pccs(void *ctx, const char *const *urls, size_t count)
{
    return attest_set_pccs(ctx, urls, count);
}

static void post_providers(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    service_t *s = require_operator(ctx, request, r);
    bool changed = false;
    if (s)
        operator_set_providers(r, request, &(operator_upstreams_t){ s->execution, s->consensus, set_pccs, s->attest },
                               clock_monotonic_ms(), &changed);
    if (changed)
        ask_probe(s->ask);
}

static void get_log(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    if (require_operator(ctx, request, r))
        operator_read_log(r, request);
}

static void get_faults(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    service_t *s = require_operator(ctx, request, r);
    if (s)
        operator_read_faults(r, request, s->lies);
}

/* Standing calls, or NULL: they are off. */
static vigil_t *require_vigil(node_t *n, hs_response_t *r)
{
    service_t *s = require_service(n, r);
    if (s && !s->vigil)
        hs_problem(r, 404, "standing-off", "this node's configuration has no standing calls");
    return s ? s->vigil : NULL;
}

/* From the operator; from clients, too, where the configuration is open to them. */
static void post_standing(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    vigil_t *v = require_vigil(ctx, r);
    const bool is_command = v && (*request->operator_signature || !node_service(ctx)->with.config->standing.open);
    if (v && (!is_command || require_operator(ctx, request, r)))
        vigil_post(v, r, request, is_command);
}

#define STANDING(name, function)                                                                                       \
    static void name(void *ctx, const hs_request_t *request, hs_response_t *r)                                         \
    {                                                                                                                  \
        vigil_t *v = require_vigil(ctx, r);                                                                            \
        if (v)                                                                                                         \
            function(v, r, request);                                                                                   \
    }
STANDING(delete_standing, vigil_delete)
STANDING(get_standing, vigil_get)
STANDING(get_stream, vigil_stream)
#undef STANDING

/* An order of the operators, from whoever brings it: it is signed. */
static void post_order(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    cluster_t *cluster = require_cluster(ctx, r);
    arena_t a;
    err_t e;
    order_signed_t order;
    if (!cluster)
        return;
    arena_init(&a, KEYS_ARENA_MAX);
    rc_t rc = order_text_read(&order, &e, &a, request->body);
    uint8_t *buf = rc ? NULL : arena_alloc(&a, ORDER_MAX);
    wr_t w = wr_of(buf, buf ? ORDER_MAX : 0);
    if (!rc) {
        order_write(&w, &order, true);
        rc = w.bad ? err_say(&e, RC_NOMEM, "out of memory") : cluster_take_order(cluster, &e, wr_view(&w));
    }
    err_before(&e, rc, "%s%s", e.field, e.field[0] ? ": " : "");
    if (!rc)
        answer(r, 200, NULL, view_str("{\"status\":\"success\"}\n"));
    else
        hs_problem(r,
                   rc == RC_REPLAY       ? 409
                   : rc_blames_input(rc) ? 400
                                         : 503,
                   rc == RC_REPLAY       ? "order-not-newer"
                   : rc_blames_input(rc) ? "bad-order"
                                         : "not-ready",
                   e.text);
    arena_free(&a);
}

static void get_page(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    const node_t *n = ctx;
    page_get(r, request,
             (n->tee.simulated ? (unsigned)HS_SIMULATED : 0) | (n->options.development ? (unsigned)HS_DEVELOPMENT : 0));
}

/* Of the beacon API. */
static void get_light_client(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    service_t *s = require_service(ctx, r);
    if (s)
        lcroutes_get(s->lcroutes, r, request);
}

static void get_metrics(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    mx_t m = mx_of(METRICS_MAX);
    (void)request;
    node_metrics(&m, ctx);
    const view_t text = mx_done(&m);
    if (text.p)
        answer(r, 200, MX_CONTENT_TYPE, text);
    else
        hs_problem(r, 500, "out-of-memory", "out of memory");
    mx_free(&m);
}

static void get_recovery_shares(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    cluster_t *cluster = require_cluster(ctx, r);
    arena_t a;
    err_t e;
    (void)request;
    if (!cluster)
        return;
    arena_init(&a, KEYS_ARENA_MAX);
    jw_t w = jw_of(&a, KEYS_ARENA_MAX);
    const rc_t rc = cluster_recovery_shares(cluster, &e, &w);
    const view_t text = rc ? view_of(NULL, 0) : jw_done(&w);
    if (rc)
        hs_problem(r, 404, "no-shares", e.text);
    else if (text.p)
        answer(r, 200, NULL, text);
    else
        hs_problem(r, 500, "out-of-memory", "out of memory");
    arena_free(&a);
}

/* Of the routes that operators ask who bring a key back. */
static void recovery_problem(hs_response_t *r, rc_t rc, err_t *e)
{
    err_before(e, rc, "%s%s", e->field, e->field[0] ? ": " : "");
    if (rc == RC_REPLAY)
        hs_problem(r, 409, "not-needed", e->text);
    else if (rc == RC_LIMIT)
        hs_problem(r, 429, "too-many-quotes", e->text);
    else if (rc_blames_input(rc))
        hs_problem(r, 400, "refused", e->text);
    else
        hs_problem(r, 503, "not-ready", e->text);
}

static void get_recovery(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    cluster_t *cluster = require_cluster(ctx, r);
    attest_query_t q = { 0 };
    arena_t a;
    err_t e;
    view_t body;
    if (!cluster)
        return;
    if (read_attest_query(&q, &e, request->query) || !q.has_nonce) {
        hs_problem(r, 400, "bad-request", "a nonce is needed: nonce=0x..., 32 bytes of hex");
        return;
    }
    arena_init(&a, ATTEST_ARENA_MAX);
    const rc_t rc = cluster_recovery_evidence(cluster, &body, &e, &a, q.nonce);
    if (rc)
        recovery_problem(r, rc, &e);
    else
        answer(r, 200, NULL, body);
    arena_free(&a);
}

/* A share of an operator, who has judged this node's evidence. */
static void post_recovery(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    cluster_t *cluster = require_cluster(ctx, r);
    arena_t a;
    err_t e;
    if (!cluster)
        return;
    arena_init(&a, KEYS_ARENA_MAX);
    const rc_t rc = cluster_take_share(cluster, &e, &a, request->body);
    if (rc)
        recovery_problem(r, rc, &e);
    else
        answer(r, 200, NULL, view_str("{\"status\":\"success\"}\n"));
    arena_free(&a);
}

static void get_healthz(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    (void)ctx, (void)request;
    answer(r, 200, "text/plain; charset=utf-8", view_str("ok\n"));
}

/* What GET /block needs. */
static void get_readyz_block(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    follow_view_t view;
    (void)request;
    if (require_ready(ctx, &view, r))
        answer(r, 200, "text/plain; charset=utf-8", view_str("ready\n"));
}

/* And what calls need besides: an execution RPC. */
static void get_readyz(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    node_t *n = ctx;
    follow_view_t view;
    err_t why;
    (void)request;
    if (!require_ready(n, &view, r))
        return;
    if (pulse_beats(node_service(n)->pulse, &why)) {
        answer(r, 200, "text/plain; charset=utf-8", view_str("ready\n"));
        return;
    }
    hs_problem(r, 503, "no-execution-rpc", why.text);
    r->retry_after_s = 5;
}

const hs_route_t NODE_SETUP_ROUTES[] = {
    { "POST", "/setup", post_setup, HS_SLOW },
    { "POST", "/setup/", post_setup, HS_SLOW }, /* as the prototype's server took it */
};
const size_t NODE_SETUP_ROUTE_COUNT = sizeof NODE_SETUP_ROUTES / sizeof NODE_SETUP_ROUTES[0];

const hs_route_t NODE_API_ROUTES[] = {
    { "GET", "/", get_page, 0 },
    { "GET", "/kettle-verify.mjs", get_page, HS_CORS },
    { "ANY", "/block", get_block, HS_CORS | HS_QUOTED },
    { "POST", "/call", post_call, HS_CORS | HS_QUOTED },
    { "ANY", "/block/", get_block, HS_CORS | HS_QUOTED }, /* as the prototype's server took them */
    { "POST", "/call/", post_call, HS_CORS | HS_QUOTED },
    { "ANY", "/attest/", get_attest, HS_CORS | HS_QUOTED },
    { "POST", "/v1/call", post_v1_call, HS_CORS },
    { "GET", "/v1/block/*", get_v1_block, HS_CORS },
    { "GET", "/v1/account/*", get_v1_account, HS_CORS },
    { "GET", "/v1/storage/*", get_v1_storage, HS_CORS },
    { "GET", "/v1/checkpoint", get_v1_checkpoint, HS_CORS },
    { "POST", "/v1/logs", post_v1_logs, HS_CORS },
    { "GET", "/v1/receipt/*", get_v1_receipt, HS_CORS },
    { "GET", "/v1/evidence/*", get_evidence, HS_CORS },
    { "GET", "/v1/ccip/*", get_v1_ccip, HS_CORS },
    { "POST", "/v1/ccip/*", post_v1_ccip, HS_CORS },
    { "ANY", "/attest", get_attest, HS_CORS | HS_QUOTED },
    { "GET", "/v1/attest", get_v1_attest, HS_SLOW | HS_CORS },
    { "GET", "/v1/status", get_status, HS_CORS },
    { "GET", "/v1/heads", get_heads, HS_CORS },
    { "GET", "/v1/peers", get_peers, HS_CORS },
    { "GET", "/v1/keys", get_keys, HS_SLOW | HS_CORS },
    { "GET", "/v1/keys/releases", get_releases, HS_SLOW | HS_CORS },
    { "POST", "/v1/keys/rotate", post_keys_rotate, HS_SLOW },
    { "POST", "/v1/orders", post_order, HS_SLOW },
    { "GET", "/v1/recovery", get_recovery, HS_SLOW },
    { "POST", "/v1/recovery", post_recovery, HS_SLOW },
    { "GET", "/v1/recovery/shares", get_recovery_shares, HS_SLOW | HS_CORS },
    { "POST", "/v1/providers", post_providers, HS_SLOW },
    { "POST", "/v1/log-level", post_log_level, HS_SLOW },
    { "GET", "/v1/log", get_log, HS_SLOW },
    { "GET", "/v1/providers/*", get_faults, HS_SLOW },
    { "POST", "/v1/standing", post_standing, HS_SLOW | HS_CORS },
    { "GET", "/v1/standing", get_standing, HS_SLOW | HS_CORS },
    { "GET", "/v1/standing/*", get_standing, HS_CORS },
    { "DELETE", "/v1/standing/*", delete_standing, HS_SLOW | HS_CORS },
    { "GET", "/v1/stream", get_stream, HS_CORS },
    { "GET", "/v1/methods", get_methods, HS_CORS },
    { "POST", "/rpc", post_rpc, HS_CORS },
    { "GET", "/rpc", NULL, HS_WEBSOCKET }, /* node/wsrpc.h */
    { "GET", "/eth/v1/beacon/light_client/bootstrap/*", get_light_client, HS_CORS },
    { "GET", "/eth/v1/beacon/light_client/updates", get_light_client, HS_CORS },
    { "GET", "/eth/v1/beacon/light_client/finality_update", get_light_client, HS_CORS },
    { "GET", "/eth/v1/beacon/light_client/optimistic_update", get_light_client, HS_CORS },
    { "GET", "/eth/v1/beacon/genesis", get_light_client, HS_CORS },
    { "GET", "/metrics", get_metrics, 0 },
    { "GET", "/healthz", get_healthz, 0 },
    { "GET", "/readyz", get_readyz, 0 },
    { "GET", "/readyz/block", get_readyz_block, 0 },
    { "GET", "/readyz/call", get_readyz, 0 },
};
const size_t NODE_API_ROUTE_COUNT = sizeof NODE_API_ROUTES / sizeof NODE_API_ROUTES[0];
