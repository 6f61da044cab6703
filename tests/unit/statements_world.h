/* statements_world.h - the routes of signed statements on an HTTP server, above the small world of ask_world.h. What comes back
 * is judged by rpc/api/statement_verify.h. */
#ifndef TESTS_STATEMENTS_WORLD_H
#define TESTS_STATEMENTS_WORLD_H

#include "base/crypto/hash.h"
#include "base/crypto/keyring.h"
#include "base/crypto/secret.h"
#include "base/hex.h"
#include "node/config/network.h"
#include "node/query/statements.h"
#include "rpc/api/statement_verify.h"
#include "tests/unit/ask_world.h"
#include "tests/unit/http_hand.h"
#include "tests/unit/lc_chain.h"

#define SLOT 12000000u
#define A_TEXT "0xac0000000000000000000000000000000000a000"
#define NOBODY "0xdddddddddddddddddddddddddddddddddddddddd"
#define ZERO_HASH "0000000000000000000000000000000000000000000000000000000000000000"
#define CALL_A "{\"to\":\"" A_TEXT "\"}"

static const setup_rules_t rules = { .valid_s = { 120, 1800, 1800, 86400 }, .call_gas = 50000000 };
static const hash32_t setup = { { 0x33 } };
static const lc_network_t *net;
static hs_t *server;
static jobs_t *jobs;
static statements_t *statements;
static keyring_t *keyring;
static held_t held;
static follow_view_t now_known;
static uint64_t now_at_ms;
static unsigned signatures, looks, looks_allowed;
static atomic_ullong turn, turns_at_sign; /* of the key */
static arena_t arena;
static int fd;

/* A chain whose heads can be shown; otherwise it is mainnet, with heads out of nowhere. */
static bool shows;
static lc_network_t own;
static lcc_block_t checkpoint;
static objects_t *objects;
static said_t *remembered;
static hash32_t own_setup;
static view_t own_text;

static inline uint64_t now_fn(void *ctx)
{
    (void)ctx;
    return now_at_ms;
}

static inline rc_t sign65(void *ctx, uint8_t out[65], addr_t *by, const hash32_t *digest)
{
    signatures++;
    turn += turns_at_sign;
    return keyring_sign65(ctx, out, by, digest);
}

static inline uint64_t key_turn(void *ctx)
{
    (void)ctx;
    return turn;
}

static inline bool is_ready(void *ctx, follow_view_t *view, err_t *why)
{
    (void)ctx;
    *view = now_known;
    if (looks++ < looks_allowed)
        return true;
    err_say(why, RC_REFUSED, "degraded: the head is old");
    return false;
}

#define ROUTE(name, route)                                                                                             \
    static void name(void *ctx, const hs_request_t *q, hs_response_t *r)                                               \
    {                                                                                                                  \
        (void)ctx;                                                                                                     \
        statements_ask(statements, q, r, route);                                                                       \
    }
ROUTE(on_call, STATEMENTS_CALL)
ROUTE(on_block, STATEMENTS_BLOCK)
ROUTE(on_account, STATEMENTS_ACCOUNT)
ROUTE(on_storage, STATEMENTS_STORAGE)
ROUTE(on_checkpoint, STATEMENTS_CHECKPOINT)
ROUTE(on_ccip_get, STATEMENTS_CCIP_GET)
ROUTE(on_ccip_post, STATEMENTS_CCIP_POST)
ROUTE(on_logs, STATEMENTS_LOGS)
ROUTE(on_receipt, STATEMENTS_RECEIPT)

static inline void on_evidence(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx;
    statements_evidence(statements, q, r);
}

static const hs_route_t routes[] = {
    { "POST", "/v1/call", on_call, HS_CORS },
    { "GET", "/v1/block/*", on_block, HS_CORS },
    { "GET", "/v1/account/*", on_account, HS_CORS },
    { "GET", "/v1/storage/*", on_storage, HS_CORS },
    { "GET", "/v1/checkpoint", on_checkpoint, HS_CORS },
    { "GET", "/v1/ccip/*", on_ccip_get, HS_CORS },
    { "POST", "/v1/ccip/*", on_ccip_post, HS_CORS },
    { "POST", "/v1/logs", on_logs, HS_CORS },
    { "GET", "/v1/receipt/*", on_receipt, HS_CORS },
    { "GET", "/v1/evidence/*", on_evidence, HS_CORS },
};

/* ---- the world ---- */

static inline lc_head_t head_at(uint64_t slot, uint64_t number, uint8_t hash, uint8_t parent)
{
    lc_head_t h = { .valid = true, .participants = 500 };
    h.header.beacon.slot = slot;
    memset(h.header.beacon.state_root.b, 0x44, 32);
    memset(h.beacon_root.b, hash ^ 0xff, 32);
    lc_execution_t *x = &h.header.execution;
    x->block_number = number;
    x->timestamp = lc_slot_start_ms(net, slot) / 1000;
    x->gas_limit = 30000000;
    x->state_root = world_root(&s.w);
    memset(x->block_hash.b, hash, 32);
    memset(x->parent_hash.b, parent, 32);
    return h;
}

/* Blocks 999 and 929, the parents of the two heads, which nobody holds. */
static inline void open_past(void)
{
    static ex_header_t headers[2];
    lc_head_t *heads[2] = { &now_known.latest, &now_known.finalized };
    hash32_t hash;
    for (size_t i = 0; i < 2; i++) {
        const lc_execution_t *x = &heads[i]->header.execution;
        headers[i] = (ex_header_t){ .number = x->block_number - 1, .timestamp = x->timestamp - 12 };
        headers[i].gas_limit = 30000000;
        headers[i].state_root = x->state_root;
        headers[i].ommers_hash = EX_NO_OMMERS;
        ex_header_hash(&hash, &headers[i]);
        heads[i]->header.execution.parent_hash = hash;
    }
    past = headers;
    past_count = 2;
}

static inline void note(void)
{
    const held_head_t latest = held_head_of(&now_known.latest, 1, false),
                      finalized = held_head_of(&now_known.finalized, 1, true);
    held_note(&held, &latest, now_known.finalized.valid ? &finalized : NULL);
}

static inline lcc_block_t shown_block(uint64_t slot, uint64_t number, const lcc_block_t *final)
{
    ex_header_t x = { .number = number, .gas_limit = 30000000, .state_root = world_root(&s.w) };
    x.timestamp = lc_slot_start_ms(net, slot) / 1000;
    x.ommers_hash = EX_NO_OMMERS;
    return lcc_block(net, slot, &x, final);
}

static inline void note_object(lc_kind_t kind, view_t object)
{
    objects_note(objects, kind, LC_FULU, view_of(object.p + 4, object.n - 4), &checkpoint.root);
}

static inline lc_head_t shown_head(const lcc_block_t *b)
{
    return (lc_head_t){
        .valid = true, .whole = true, .header = b->header, .beacon_root = b->root, .participants = LCC_SIZE
    };
}

/* Objects that a follower would have taken, and the heads that they show. */
static inline void open_shown(void)
{
    const lcc_block_t middle = shown_block(24, 700, NULL), late = shown_block(40, 800, &middle),
                      final = shown_block(70, 930, NULL), head = shown_block(78, 1000, &final);
    setup_cluster_t cluster = { .network = "made-up", .chain_id = 1, .rules = rules };
    checkpoint = shown_block(8, 600, NULL);
    objects = objects_new(net);
    remembered = said_new(0, (const uint64_t[]){ 1, 2 });
    note_object(LC_BOOTSTRAP, lcc_bootstrap(&arena, net, &checkpoint));
    note_object(LC_UPDATE, lcc_update(&arena, net, LC_UPDATE, &late, &middle, LCC_SIZE));
    note_object(LC_FINALITY, lcc_update(&arena, net, LC_FINALITY, &head, &final, LCC_SIZE));
    now_known.latest = shown_head(&head);
    now_known.finalized = shown_head(&final);
    cluster.genesis_validators_root = net->genesis_validators_root;
    cluster.forks_until = net->genesis_time;
    cluster.policy_signers = SETUP_NO_SIGNERS;
    ck_assert_int_eq(network_digest(&cluster.network_digest, net, &PRAGUE, cluster.forks_until), RC_OK);
    ck_assert_int_eq(setup_cluster_write(&own_text, &own_setup, &arena, &cluster), RC_OK);
}

static inline void open_statements(const char *code, const addr_t *senders, size_t sender_count)
{
    uint8_t secret[32], blind[32] = { 1 };
    err_t e;
    memset(secret, 1, 32);
    own = lcc_network(1);
    net = shows ? &own : lc_network_find("mainnet");
    open_world(code);
    world_set(&s.w.accounts[0], 5, u256_of(1234));
    arena_init(&arena, (size_t)64 << 20);
    held_init(&held);
    memset(&now_known, 0, sizeof now_known);
    now_known.latest = head_at(SLOT, 1000, 0xaa, 0xa9);
    now_known.finalized = head_at(SLOT - 70, 930, 0x93, 0x92);
    if (shows)
        open_shown();
    note();
    now_at_ms = lc_slot_start_ms(net, shows ? 78 : SLOT) + 5000;
    signatures = looks = 0;
    looks_allowed = UINT32_MAX;
    ck_assert_int_eq(keyring_new(&keyring, secret, blind), RC_OK);
    jobs = jobs_new(&(jobs_config_t){ .ask = engine, .pool = pool, .flags = HS_CORS, .turn = key_turn });
    statements_config_t config = { .jobs = jobs,
                                   .chain = &PRAGUE,
                                   .network = net,
                                   .held = &held,
                                   .signer = { .ctx = keyring, .sign65 = sign65 },
                                   .setup = &setup,
                                   .rules = &rules,
                                   .default_block = SETUP_BY_LATEST,
                                   .senders = senders,
                                   .sender_count = sender_count,
                                   .now_ms = now_fn,
                                   .ready = is_ready };
    if (shows) {
        config.setup = &own_setup;
        config.setup_text = own_text;
        config.objects = objects;
        config.said = remembered;
    }
    statements = statements_new(&config);
    const hs_config_t http_config = { .address = "127.0.0.1",
                                      .routes = routes,
                                      .route_count = sizeof routes / sizeof routes[0],
                                      .event_threads = 1,
                                      .workers = 1 };
    ck_assert_msg(hs_start(&server, &e, &http_config) == RC_OK, "%s", e.text);
    fd = dial(server);
}

static inline void close_statements(void)
{
    close(fd);
    ask_cancel(engine);
    hs_stop(server, 1000);
    jobs_free(jobs);
    statements_free(statements);
    objects_free(objects);
    said_free(remembered);
    objects = NULL;
    remembered = NULL;
    keyring_free(keyring);
    held_clear(&held);
    arena_free(&arena);
    close_world();
}

/* A GET, or with a body a POST; the answer's body is to be freed. */
static inline reply_t send_request(const char *path, const char *body)
{
    char head[4096];
    if (body)
        snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", path, strlen(body));
    else
        snprintf(head, sizeof head, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
    ck_assert(say(fd, head) && (!body || say(fd, body)));
    return hear(fd, false);
}

static inline statement_demand_t demand(void)
{
    static addr_t signer;
    keyring_address(keyring, &signer);
    return (statement_demand_t){ .chain_id = 1,
                                 .signers = &signer,
                                 .signer_count = 1,
                                 .setup = &setup,
                                 .has_max_age = true,
                                 .max_age_s = 900,
                                 .allow_failed = true,
                                 .any_request = true,
                                 .now_s = now_at_ms / 1000 };
}

/* A statement that holds, and is for the request when there is one. */
static inline statement_t ask_statement(const char *path, const char *body, const statement_request_t *request)
{
    statement_t said;
    statement_demand_t want = demand();
    err_t e = { .text = "" };
    reply_t a = send_request(path, body);
    ck_assert_msg(a.status == 200, "%s: %d %s", path, a.status, a.body ? a.body : "");
    ck_assert_msg(statement_read(&said, &e, &arena, view_of(a.body, a.body_len)) == RC_OK, "%s %s in %s", e.field,
                  e.text, a.body);
    want.request = request;
    ck_assert_msg(statement_verify(&said, &e, &want) == RC_OK, "%s: %s %s in %s", path, e.field, e.text, a.body);
    free(a.body);
    return said;
}

static inline void expect_problem(const char *path, const char *body, int status, const char *slug, const char *text)
{
    char type[80];
    reply_t a = send_request(path, body);
    snprintf(type, sizeof type, "urn:kettle:error:%s", slug);
    ck_assert_msg(a.status == status && a.body && strstr(a.body, type) && strstr(a.body, text), "%s %s: %d %s", path,
                  body ? body : "", a.status, a.body ? a.body : "");
    free(a.body);
}

static inline reply_t same_again(const char *path, const char *body)
{
    reply_t a = send_request(path, body), b = send_request(path, body);
    ck_assert_int_eq(a.status, 200);
    ck_assert_int_eq(b.status, 200);
    ck_assert_str_eq(a.body, b.body);
    free(b.body);
    return a;
}

#endif
