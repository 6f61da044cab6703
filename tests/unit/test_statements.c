/* The routes of signed statements through the HTTP server: each kind, what it binds, kept answers, refusals, the second look
 * at readiness, and the CCIP-Read gateway. What comes back is judged by rpc/api/statement_verify.h. */
#include "base/crypto/hash.h"
#include "base/crypto/keyring.h"
#include "base/crypto/secret.h"
#include "base/hex.h"
#include "lightclient/mpt/mpt.h"
#include "lightclient/rlp/rlp.h"
#include "node/config/network.h"
#include "node/query/retrace.h"
#include "node/query/statements.h"
#include "rpc/api/abi.h"
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

static uint64_t now_fn(void *ctx)
{
    (void)ctx;
    return now_at_ms;
}

static rc_t sign65(void *ctx, uint8_t out[65], addr_t *by, const hash32_t *digest)
{
    signatures++;
    turn += turns_at_sign;
    return keyring_sign65(ctx, out, by, digest);
}

static uint64_t key_turn(void *ctx)
{
    (void)ctx;
    return turn;
}

static bool is_ready(void *ctx, follow_view_t *view, err_t *why)
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

static void on_evidence(void *ctx, const hs_request_t *q, hs_response_t *r)
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

static lc_head_t head_at(uint64_t slot, uint64_t number, uint8_t hash, uint8_t parent)
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
static void open_past(void)
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

static void note(void)
{
    const held_head_t latest = held_head_of(&now_known.latest, 1, false),
                      finalized = held_head_of(&now_known.finalized, 1, true);
    held_note(&held, &latest, now_known.finalized.valid ? &finalized : NULL);
}

static lcc_block_t shown_block(uint64_t slot, uint64_t number, const lcc_block_t *final)
{
    ex_header_t x = { .number = number, .gas_limit = 30000000, .state_root = world_root(&s.w) };
    x.timestamp = lc_slot_start_ms(net, slot) / 1000;
    x.ommers_hash = EX_NO_OMMERS;
    return lcc_block(net, slot, &x, final);
}

static void note_object(lc_kind_t kind, view_t object)
{
    objects_note(objects, kind, LC_FULU, view_of(object.p + 4, object.n - 4), &checkpoint.root);
}

static lc_head_t shown_head(const lcc_block_t *b)
{
    return (lc_head_t){
        .valid = true, .whole = true, .header = b->header, .beacon_root = b->root, .participants = LCC_SIZE
    };
}

/* Objects that a follower would have taken, and the heads that they show. */
static void open_shown(void)
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

static void open_statements(const char *code, const addr_t *senders, size_t sender_count)
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

static void close_statements(void)
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
static reply_t send_request(const char *path, const char *body)
{
    char head[4096];
    if (body)
        snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", path, strlen(body));
    else
        snprintf(head, sizeof head, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
    ck_assert(say(fd, head) && (!body || say(fd, body)));
    return hear(fd, false);
}

static statement_demand_t demand(void)
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
static statement_t ask_statement(const char *path, const char *body, const statement_request_t *request)
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

static void expect_problem(const char *path, const char *body, int status, const char *slug, const char *text)
{
    char type[80];
    reply_t a = send_request(path, body);
    snprintf(type, sizeof type, "urn:kettle:error:%s", slug);
    ck_assert_msg(a.status == status && a.body && strstr(a.body, type) && strstr(a.body, text), "%s %s: %d %s", path,
                  body ? body : "", a.status, a.body ? a.body : "");
    free(a.body);
}

/* ---- the kinds ---- */

START_TEST(a_call_is_bound_to_its_request_block_setup_and_time)
{
    statement_request_t request = { .kind = STATEMENT_CALL };
    open_statements(RETURN_42, NULL, 0);
    request.call.to = A;
    request.call.value = u256_of(0);
    const statement_t x = ask_statement("/v1/call", CALL_A, &request);
    ck_assert_uint_eq(x.call.status, STATEMENT_SUCCESS);
    ck_assert_uint_eq(x.call.result.n, 32);
    ck_assert_uint_eq(x.call.result.p[31], 42);
    ck_assert_uint_eq(x.at.number, 1000);
    ck_assert_uint_eq(x.at.hash.b[7], 0xaa);
    ck_assert(hash32_eq(&x.at.state_root, &now_known.latest.header.execution.state_root));
    ck_assert_uint_eq(x.at.slot, SLOT);
    ck_assert_uint_eq(x.at.finality, STATEMENT_OPTIMISTIC);
    ck_assert_uint_eq(x.at.signers, 500);
    ck_assert_uint_eq(x.issued_at, lc_slot_start_ms(net, SLOT) / 1000);
    ck_assert_uint_eq(x.valid_until, x.issued_at + 120);
    request.call.data = view_of("\x01", 1);
    request.call.gas = 70000;
    request.call.from = FROM;
    ask_statement("/v1/call",
                  "{\"to\":\"" A_TEXT "\",\"input\":\"0x01\",\"gas\":70000,\"value\":\"0x0\",\"from\":"
                  "\"0xac0000000000000000000000000000000000f000\",\"block\":\"finalized\"}",
                  &request);
    close_statements();
}
END_TEST

/* NUMBER, in the place of the code that is there: what is answered rests on both overrides. */
START_TEST(a_call_under_overrides_says_so)
{
    static const char body[] = "{\"to\":\"" A_TEXT "\",\"block\":930,\"stateOverride\":{\"" A_TEXT
                               "\":{\"code\":\"0x4360005260206000f3\"}},\"blockOverride\":{\"number\":\"0x4d\"}}",
                      asked[] = "{\"to\":\"" A_TEXT "\",\"stateOverride\":{\"" A_TEXT
                                "\":{\"code\":\"0x4360005260206000f3\"}},\"blockOverride\":{\"number\":\"0x4d\"}}";
    statement_request_t request;
    open_statements(RETURN_42, NULL, 0);
    ck_assert_int_eq(question_request_read(&request, NULL, &arena, view_str(asked)), RC_OK);
    ck_assert(!hash32_is_zero(&request.call.overrides));
    const statement_t x = ask_statement("/v1/call", body, &request);
    ck_assert_uint_eq(x.call.status, STATEMENT_SUCCESS);
    ck_assert_uint_eq(x.call.result.p[31], 0x4d);
    ck_assert_uint_eq(x.at.number, 930);
    const statement_t plain = ask_statement("/v1/call", CALL_A, NULL);
    ck_assert_uint_eq(plain.call.result.p[31], 42);
    ck_assert(hash32_is_zero(&plain.call.asked.overrides));
    close_statements();
}
END_TEST

START_TEST(a_revert_and_a_halt_are_said_as_what_they_are)
{
    open_statements(REVERT_WORD, NULL, 0);
    statement_t x = ask_statement("/v1/call", CALL_A, NULL);
    ck_assert_uint_eq(x.call.status, STATEMENT_REVERT);
    ck_assert_uint_eq(x.call.result.n, 32);
    close_statements();
    open_statements("fe", NULL, 0);
    x = ask_statement("/v1/call", CALL_A, NULL);
    ck_assert_uint_eq(x.call.status, STATEMENT_HALT);
    ck_assert_uint_eq(x.call.result.n, 0);
    close_statements();
}
END_TEST

START_TEST(a_block_is_named_by_tag_number_or_hash_and_its_signature_lasts_accordingly)
{
    static const struct {
        const char *name;
        uint64_t number, window;
        unsigned finality;
    } rows[] = {
        { "latest", 1000, 120, 0 },
        { "safe", 930, 1800, 2 },
        { "finalized", 930, 1800, 2 },
        { "1000", 1000, 86400, 0 },
        { "0x3e8", 1000, 86400, 0 },
        { "930", 930, 86400, 2 },
        { "0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 1000, 86400, 0 },
    };
    open_statements(RETURN_42, NULL, 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char path[120];
        snprintf(path, sizeof path, "/v1/block/%s", rows[i].name);
        const statement_t x = ask_statement(path, NULL, NULL);
        ck_assert_int_eq(x.kind, STATEMENT_BLOCK);
        ck_assert_uint_eq(x.at.number, rows[i].number);
        ck_assert_uint_eq(x.at.finality, rows[i].finality);
        ck_assert_uint_eq(x.valid_until - x.issued_at, rows[i].window);
    }
    ck_assert_uint_eq(ends[0].batches, 0); /* nothing was asked for */
    close_statements();
}
END_TEST

START_TEST(a_block_of_the_past_is_proven_at_the_head_that_it_rests_on)
{
    static const struct {
        uint64_t number, rests_on_slot;
        unsigned finality;
    } rows[] = { { 999, SLOT, 0 }, { 929, SLOT - 70, 2 } };
    open_statements(RETURN_42, NULL, 0);
    open_past();
    for (size_t i = 0; i < 4; i++) {
        char path[200], hex[65];
        hash32_t hash;
        ex_header_hash(&hash, &past[i % 2]);
        hex_encode(hex, view_of(hash.b, sizeof hash.b));
        if (i < 2)
            snprintf(path, sizeof path, "/v1/block/%llu", (unsigned long long)rows[i].number);
        else
            snprintf(path, sizeof path, "/v1/storage/" A_TEXT "/0x5?block=0x%.64s", hex);
        const statement_t x = ask_statement(path, NULL, NULL);
        ck_assert_uint_eq(x.at.number, rows[i % 2].number);
        ck_assert_uint_eq(x.at.finality, rows[i % 2].finality);
        ck_assert(hash32_eq(&x.at.hash, &hash));
        ck_assert_uint_eq(x.at.timestamp, past[i % 2].timestamp);
        ck_assert_uint_eq(x.issued_at, lc_slot_start_ms(net, rows[i % 2].rests_on_slot) / 1000);
        ck_assert_uint_eq(x.valid_until - x.issued_at, 86400);
        if (i >= 2)
            ck_assert_int_eq(x.storage.value.b[30] << 8 | x.storage.value.b[31], 1234);
    }
    const statement_t x = ask_statement("/v1/call", "{\"to\":\"" A_TEXT "\",\"block\":999}", NULL);
    ck_assert_uint_eq(x.at.number, 999);
    ck_assert_uint_eq(x.call.result.p[31], 42);
    past = NULL;
    past_count = 0;
    close_statements();
}
END_TEST

#define WITHOUT_LOGS 6u

/* Blocks 994 to 999, the ancestors of the head; their blooms say that nothing was logged. */
static void open_quiet_past(void)
{
    static ex_header_t headers[WITHOUT_LOGS];
    hash32_t hash = { { 0 } };
    const uint64_t now_s = now_known.latest.header.execution.timestamp;
    for (size_t i = 0; i < WITHOUT_LOGS; i++) {
        const uint64_t number = 1000 - WITHOUT_LOGS + i;
        headers[i] =
            (ex_header_t){ .number = number, .timestamp = now_s - 12 * (WITHOUT_LOGS - i), .parent_hash = hash };
        headers[i].gas_limit = 30000000;
        headers[i].ommers_hash = EX_NO_OMMERS;
        ex_header_hash(&hash, &headers[i]);
    }
    now_known.latest.header.execution.parent_hash = hash;
    past = headers;
    past_count = WITHOUT_LOGS;
}

/* A call that finds logs is in tests/e2e (statements). */
START_TEST(logs_are_complete_also_when_there_are_none)
{
    char body[300], hex[65];
    hash32_t hash, nothing;
    statement_request_t request;
    open_statements(RETURN_42, NULL, 0);
    open_quiet_past();
    ex_header_hash(&hash, &past[WITHOUT_LOGS - 1]);
    hex_encode(hex, view_of(hash.b, sizeof hash.b));
    const char *asked = "{\"fromBlock\":994,\"address\":\"" A_TEXT "\"}";
    ck_assert_int_eq(question_request_read(&request, NULL, &arena, view_str(asked)), RC_OK);
    keccak256(&nothing, view_str("[]"));
    for (size_t i = 0; i < 2; i++) {
        snprintf(body, sizeof body, "{\"fromBlock\":\"0x3e2\",\"toBlock\":\"%s%s\",\"address\":\"" A_TEXT "\"}",
                 i ? "0x" : "", i ? hex : "999");
        const statement_t x = ask_statement("/v1/logs", body, &request);
        ck_assert_int_eq(x.kind, STATEMENT_LOGS);
        ck_assert(x.logs.complete && !x.logs.count && x.logs.from_number == 994);
        ck_assert(hash32_eq(&x.logs.logs_hash, &nothing) && view_eq(x.result, view_str("[]")));
        ck_assert(hash32_eq(&x.at.hash, &hash) && x.at.number == 999 && x.at.finality == STATEMENT_OPTIMISTIC);
        ck_assert_uint_eq(x.valid_until - x.issued_at, 86400);
    }
    past = NULL;
    past_count = 0;
    close_statements();
}
END_TEST

/* The parent of a head: a block with a transaction, whose signature is of somebody, and its receipt with a log. */
static const ex_full_block_t *open_logged_past(lc_execution_t *head)
{
    static const uint8_t gx[] = { 0x79, 0xbe, 0x66, 0x7e, 0xf9, 0xdc, 0xbb, 0xac, 0x55, 0xa0, 0x62,
                                  0x95, 0xce, 0x87, 0x0b, 0x07, 0x02, 0x9b, 0xfc, 0xdb, 0x2d, 0xce,
                                  0x28, 0xd9, 0x59, 0xf2, 0x81, 0x5b, 0x16, 0xf8, 0x17, 0x98 };
    static uint8_t tx[200];
    static view_t txs[1], raw[1];
    static hash32_t topic = { { 0x0d } };
    static evm_log_t log;
    static ex_receipt_t receipt;
    static ex_full_block_t block;
    static ex_header_t header;
    static api_block_t whole;
    wr_t w = wr_of(tx, sizeof tx);
    const uint64_t numbers[] = { 0, 7, 21000 };
    for (size_t i = 0; i < 3; i++)
        rlp_put_u64(&w, numbers[i]);
    rlp_put_bytes(&w, view_of(A.b, 20));
    rlp_put_u64(&w, 0);
    rlp_put_bytes(&w, view_of("", 0));
    rlp_put_u64(&w, 37);
    rlp_put_bytes(&w, view_of(gx, sizeof gx));
    rlp_put_u64(&w, 1);
    rlp_wrap_list(&w, 0);
    txs[0] = wr_view(&w);
    log = (evm_log_t){ .addr = A, .topics = { topic }, .topic_count = 1 };
    receipt = (ex_receipt_t){ .success = true, .cumulative_gas = 21000, .logs = &log, .log_count = 1 };
    memset(receipt.bloom, 0, sizeof receipt.bloom);
    ex_bloom_add_logs(receipt.bloom, receipt.logs, 1);
    ck_assert_int_eq(ex_receipt_encode(&raw[0], &arena, &receipt), RC_OK);
    header = (ex_header_t){ .number = head->block_number - 1, .timestamp = head->timestamp - 12 };
    header.gas_limit = 30000000;
    header.gas_used = 21000;
    header.ommers_hash = EX_NO_OMMERS;
    memcpy(header.logs_bloom, receipt.bloom, sizeof receipt.bloom);
    ck_assert_int_eq(mpt_list_root(&header.receipts_root, raw, 1, &arena), RC_OK);
    ck_assert_int_eq(mpt_list_root(&header.transactions_root, txs, 1, &arena), RC_OK);
    block = (ex_full_block_t){ .header = header, .transactions = txs, .transaction_count = 1 };
    ex_header_hash(&block.hash, &header);
    head->parent_hash = block.hash;
    whole = (api_block_t){ .chain = &PRAGUE, .block = &block, .has_body = true, .receipts = &receipt };
    past = &block.header;
    past_count = 1;
    past_block = &whole;
    return &block;
}

START_TEST(logs_and_a_receipt_stand_beside_what_was_signed_of_them)
{
    statement_request_t request;
    char path[100], asked[200], hex[65];
    hash32_t hash;
    open_statements(RETURN_42, NULL, 0);
    const ex_full_block_t *b = open_logged_past(&now_known.finalized.header.execution);
    const char *logs =
        "{\"fromBlock\":929,\"topics\":[[\"0x0d00000000000000000000000000000000000000000000000000000000000000\"]]";
    snprintf(asked, sizeof asked, "%s}", logs);
    ck_assert_int_eq(question_request_read(&request, NULL, &arena, view_str(asked)), RC_OK);
    snprintf(asked, sizeof asked, "%s,\"toBlock\":929}", logs);
    const statement_t x = ask_statement("/v1/logs", asked, &request);
    ck_assert(x.logs.count == 1 && x.logs.complete && x.result_count == 1 && x.result.n > 100);
    ck_assert(x.at.number == 929 && hash32_eq(&x.at.hash, &b->hash) && x.at.finality == STATEMENT_FINAL);
    b = open_logged_past(&now_known.latest.header.execution);
    keccak256(&hash, b->transactions[0]);
    hex_encode(hex, view_of(hash.b, sizeof hash.b));
    snprintf(path, sizeof path, "/v1/receipt/0x%s", hex);
    snprintf(asked, sizeof asked, "{\"method\":\"eth_getTransactionReceipt\",\"params\":[\"0x%s\"]}", hex);
    ck_assert_int_eq(question_request_read(&request, NULL, &arena, view_str(asked)), RC_OK);
    const statement_t y = ask_statement(path, NULL, &request);
    ck_assert_int_eq(y.kind, STATEMENT_RPC);
    ck_assert(y.result.n > 500 && memmem(y.result.p, y.result.n, hex, 64));
    ck_assert(y.at.number == 999 && hash32_eq(&y.at.hash, &b->hash) && y.at.finality == STATEMENT_OPTIMISTIC);
    past_block = NULL;
    past = NULL;
    past_count = 0;
    close_statements();
}
END_TEST

START_TEST(what_has_no_logs_or_receipt_to_be_proven_is_no_statement)
{
    open_statements(RETURN_42, NULL, 0);
    expect_problem("/v1/logs", "{}", 400, "bad-request", "fromBlock: is missing");
    expect_problem("/v1/logs", "{\"fromBlock\":1001}", 400, "bad-request", "fromBlock: is above the last block, 1000");
    expect_problem("/v1/logs", "{\"fromBlock\":1,\"toBlock\":1001}", 404, "unknown-block", "block: is none");
    expect_problem("/v1/logs", "{\"fromBlock\":\"latest\"}", 400, "bad-request", "fromBlock: ");
    expect_problem("/v1/logs", "{\"fromBlock\":1,\"blockHash\":\"0x01\"}", 400, "bad-request",
                   "blockHash: unknown key");
    expect_problem("/v1/logs", "{\"fromBlock\":1,\"topics\":[null,null,null,null,null]}", 400, "bad-request",
                   "max topics");
    expect_problem("/v1/logs", "{\"fromBlock\":1,\"address\":\"0x01\"}", 400, "bad-request", "address");
    expect_problem("/v1/receipt/0x12", NULL, 400, "bad-request", "transaction: must be 32 bytes");
    expect_problem("/v1/receipt/0x" ZERO_HASH "?block=1", NULL, 400, "bad-request", "query: no parameter");
    expect_problem("/v1/receipt/0x" ZERO_HASH, NULL, 404, "unknown-transaction", "transaction: is in no block");
    ck_assert_uint_eq(signatures, 0);
    close_statements();
}
END_TEST

START_TEST(evidence_that_cannot_be_given_is_a_problem_that_says_why)
{
    open_statements(RETURN_42, NULL, 0);
    expect_problem("/v1/evidence/0x12", NULL, 400, "bad-request", "id: must be 32 bytes");
    expect_problem("/v1/evidence/0x" ZERO_HASH "?x=1", NULL, 400, "bad-request", "query: has an unknown parameter");
    expect_problem("/v1/evidence/0x" ZERO_HASH "?checkpoint=0x1", NULL, 400, "bad-request", "checkpoint: must be 32");
    expect_problem("/v1/evidence/0x" ZERO_HASH, NULL, 404, "evidence-expired", "gives no evidence");
    expect_problem("/v1/block/latest?evidence=1", NULL, 400, "bad-request", "evidence: must be inline");
    expect_problem("/v1/block/latest?checkpoint=0x" ZERO_HASH, NULL, 400, "bad-request", "query: no parameter");
    expect_problem("/v1/block/latest?evidence=inline", NULL, 404, "evidence-expired", "gives no evidence");
    expect_problem("/v1/account/" A_TEXT "?block=1000&evidence=inline", NULL, 404, "evidence-expired", "no evidence");
    expect_problem("/v1/call?evidence=inline", CALL_A, 404, "evidence-expired", "gives no evidence");
    close_statements();
}
END_TEST

/* The answer is the evidence of what it says; the same comes again by its id. */
static void expect_evidence(const char *path, const char *body, statement_kind_t kind)
{
    const retrace_config_t config = { .network = net, .chain = &PRAGUE, .checkpoint = checkpoint.root };
    char by_id[100] = "/v1/evidence/0x";
    grounds_t g;
    addr_t signer;
    err_t e = { .text = "" };
    reply_t a = send_request(path, body);
    ck_assert_msg(a.status == 200, "%s: %d %.300s", path, a.status, a.body);
    ck_assert_msg(!grounds_read(&g, &e, &arena, view_of(a.body, a.body_len)), "%s: %s", e.field, e.text);
    keyring_address(keyring, &signer);
    ck_assert_msg(!retrace_judge(&e, &config, &g, &signer, 1), "%s: %s %s", path, grounds_code_word(e.code), e.text);
    ck_assert_int_eq(g.statement.kind, kind);
    hex_encode(by_id + strlen(by_id), view_of(g.id.b, sizeof g.id.b));
    reply_t b = send_request(by_id, NULL);
    ck_assert_msg(b.status == 200 && !strcmp(a.body, b.body), "%s: %d %.300s", by_id, b.status, b.body);
    free(a.body);
    free(b.body);
}

START_TEST(evidence_comes_with_an_answer_or_by_its_id)
{
    shows = true;
    open_statements(RETURN_42, NULL, 0);
    expect_evidence("/v1/call?evidence=inline", CALL_A, STATEMENT_CALL);
    expect_evidence("/v1/block/latest?evidence=inline", NULL, STATEMENT_BLOCK);
    expect_evidence("/v1/block/finalized?evidence=inline", NULL, STATEMENT_BLOCK);
    expect_evidence("/v1/checkpoint?evidence=inline", NULL, STATEMENT_CHECKPOINT);
    expect_evidence("/v1/account/" A_TEXT "?evidence=inline&block=finalized", NULL, STATEMENT_ACCOUNT);
    expect_evidence("/v1/storage/" A_TEXT "/0x5?block=latest&evidence=inline", NULL, STATEMENT_STORAGE);
    expect_problem("/v1/block/latest?evidence=inline&checkpoint=0x" ZERO_HASH, NULL, 404, "unknown-checkpoint",
                   "checkpoint: is none");
    turns_at_sign = 1; /* another key signs before the evidence of what was signed is there */
    expect_problem("/v1/block/1000?evidence=inline", NULL, 503, "not-ready", "another key signs");
    turns_at_sign = 0;
    expect_evidence("/v1/block/1000?evidence=inline", NULL, STATEMENT_BLOCK);
    expect_problem("/v1/evidence/0x" ZERO_HASH, NULL, 404, "evidence-expired", "no such statement");
    close_statements();
    shows = false;
}
END_TEST

/* What was signed without it is shown when it is asked for. */
START_TEST(evidence_of_an_earlier_answer_is_made_when_it_is_asked_for)
{
    statement_t x;
    hash32_t id;
    char by_id[100] = "/v1/evidence/0x";
    grounds_t g;
    err_t e = { .text = "" };
    shows = true;
    open_statements(RETURN_42, NULL, 0);
    reply_t a = send_request("/v1/call", CALL_A);
    ck_assert_int_eq(statement_read(&x, &e, &arena, view_of(a.body, a.body_len)), RC_OK);
    statement_digest(&id, &x);
    hex_encode(by_id + strlen(by_id), view_of(id.b, sizeof id.b));
    reply_t b = send_request(by_id, NULL);
    ck_assert_msg(b.status == 200, "%d %.300s", b.status, b.body);
    ck_assert_int_eq(grounds_read(&g, &e, &arena, view_of(b.body, b.body_len)), RC_OK);
    ck_assert(view_eq(g.answer, view_of(a.body, a.body_len)));
    ck_assert_uint_eq(signatures, 1);
    const unsigned batches = ends[0].batches;
    reply_t c = send_request(by_id, NULL); /* kept */
    ck_assert(c.status == 200 && ends[0].batches == batches);
    free(a.body);
    free(b.body);
    free(c.body);
    close_statements();
    shows = false;
}
END_TEST

START_TEST(accounts_and_slots_are_said_also_when_nothing_is_there)
{
    statement_request_t request = { .kind = STATEMENT_ACCOUNT };
    open_statements(RETURN_42, NULL, 0);
    request.account = A;
    statement_t x = ask_statement("/v1/account/" A_TEXT, NULL, &request);
    ck_assert(!hash32_is_zero(&x.account.code_hash) && !hash32_is_zero(&x.account.storage_root));
    request.kind = STATEMENT_STORAGE;
    request.slot.b[31] = 5;
    x = ask_statement("/v1/storage/" A_TEXT "/0x5?block=1000", NULL, &request);
    ck_assert_int_eq(x.storage.value.b[30] << 8 | x.storage.value.b[31], 1234);
    request.slot.b[31] = 6;
    x = ask_statement("/v1/storage/" A_TEXT "/0x0000000000000000000000000000000000000000000000000000000000000006", NULL,
                      &request);
    ck_assert(hash32_is_zero(&x.storage.value));
    request.kind = STATEMENT_ACCOUNT;
    memset(request.account.b, 0xdd, 20);
    x = ask_statement("/v1/account/" NOBODY, NULL, &request);
    ck_assert(u256_is_zero(&x.account.balance) && !x.account.nonce);
    ck_assert(hash32_is_zero(&x.account.code_hash) && hash32_is_zero(&x.account.storage_root));
    close_statements();
}
END_TEST

START_TEST(a_checkpoint_is_the_finalized_beacon_block)
{
    open_statements(RETURN_42, NULL, 0);
    const statement_t x = ask_statement("/v1/checkpoint", NULL, NULL);
    ck_assert_int_eq(x.kind, STATEMENT_CHECKPOINT);
    ck_assert_uint_eq(x.checkpoint.slot, SLOT - 70);
    ck_assert_uint_eq(x.checkpoint.root.b[3], 0x93 ^ 0xff);
    ck_assert_uint_eq(x.checkpoint.state_root.b[3], 0x44);
    ck_assert_uint_eq(x.valid_until - x.issued_at, 1800);
    close_statements();
}
END_TEST

/* ---- the same again ---- */

static reply_t same_again(const char *path, const char *body)
{
    reply_t a = send_request(path, body), b = send_request(path, body);
    ck_assert_int_eq(a.status, 200);
    ck_assert_int_eq(b.status, 200);
    ck_assert_str_eq(a.body, b.body);
    free(b.body);
    return a;
}

START_TEST(the_same_request_on_the_same_block_gets_the_same_bytes)
{
    open_statements(RETURN_42, NULL, 0);
    reply_t first = same_again("/v1/call", CALL_A);
    ck_assert_uint_eq(signatures, 1);
    ck_assert_uint_eq(ends[0].batches, 1);
    /* Another text for the same, and the same on the next head: proven and signed anew, and yet the same. */
    reply_t spaced = send_request("/v1/call", "{ \"block\": \"latest\", \"to\": \"" A_TEXT "\" }");
    ck_assert_str_eq(first.body, spaced.body);
    ck_assert_uint_eq(signatures, 2);
    reply_t by_number = same_again("/v1/account/" A_TEXT "?block=1000", NULL);
    now_known.latest = head_at(SLOT + 1, 1001, 0xab, 0xaa);
    note();
    reply_t later = send_request("/v1/account/" A_TEXT "?block=1000", NULL);
    ck_assert_str_eq(by_number.body, later.body);
    ck_assert_uint_eq(ask_statement("/v1/call", CALL_A, NULL).at.number, 1001);
    free(first.body);
    free(spaced.body);
    free(by_number.body);
    free(later.body);
    close_statements();
}
END_TEST

/* ---- refusals ---- */

START_TEST(what_is_not_known_or_not_supported_is_named)
{
    static const struct {
        const char *path, *body;
        int status;
        const char *slug, *text;
    } rows[] = {
        { "/v1/call", "{", 400, "bad-request", "" },
        { "/v1/call", "{}", 400, "bad-request", "to: " },
        { "/v1/call", "{\"to\":7}", 400, "bad-request", "to: must be" },
        { "/v1/call", "{\"to\":\"" A_TEXT "\",\"stateOverrides\":{}}", 400, "bad-request",
          "stateOverrides: unknown key" },
        { "/v1/call", "{\"to\":\"" A_TEXT "\",\"blockOverride\":{\"slot\":\"0x1\"}}", 400, "bad-request",
          "blockOverride.slot: unknown key" },
        { "/v1/call",
          "{\"to\":\"" A_TEXT "\",\"stateOverride\":{\"" A_TEXT "\":{\"movePrecompileToAddress\":\"" NOBODY "\"}}}",
          422, "call-refused", "is not a precompile" },
        { "/v1/call", "{\"to\":\"" A_TEXT "\",\"gasPrice\":\"0x1\"}", 400, "bad-request", "gasPrice: " },
        { "/v1/call", "{\"to\":\"" A_TEXT "\",\"accessList\":[]}", 400, "bad-request", "accessList: " },
        { "/v1/call", "{\"to\":\"" A_TEXT "\",\"gas\":50000001}", 400, "bad-request", "gas: must be at most 50000000" },
        { "/v1/call", "{\"to\":\"" A_TEXT "\",\"gas\":1}", 422, "call-refused", "intrinsic gas too low" },
        { "/v1/call", "{\"to\":\"" A_TEXT "\",\"block\":\"pending\"}", 400, "bad-request", "block: must be" },
        { "/v1/call", "{\"to\":\"" A_TEXT "\",\"block\":1001}", 404, "unknown-block", "block: is none that" },
        { "/v1/block/earliest", NULL, 400, "bad-request", "block: must be" },
        { "/v1/block/01", NULL, 400, "bad-request", "block: must be" },
        { "/v1/block/1001", NULL, 404, "unknown-block", "block: is none that" },
        { "/v1/block/999", NULL, 502, "upstream", "it does not know the block" },
        { "/v1/block/0x1111111111111111111111111111111111111111111111111111111111111111", NULL, 404, "unknown-block",
          "" },
        { "/v1/block/latest?x=1", NULL, 400, "bad-request", "query: " },
        { "/v1/checkpoint?block=1", NULL, 400, "bad-request", "query: " },
        { "/v1/account/0x12", NULL, 400, "bad-request", "address: must be 20 bytes" },
        { "/v1/account/" A_TEXT "?block=latest&block=1", NULL, 400, "bad-request", "query: " },
        { "/v1/storage/" A_TEXT, NULL, 400, "bad-request", "slot: must be" },
        { "/v1/storage/" A_TEXT "/0x", NULL, 400, "bad-request", "slot: must be" },
        { "/v1/storage/" A_TEXT "/0x5?block=7000000", NULL, 404, "unknown-block", "block: " },
    };
    open_statements(RETURN_42, NULL, 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_problem(rows[i].path, rows[i].body, rows[i].status, rows[i].slug, rows[i].text);
    ck_assert_uint_eq(signatures, 0);
    close_statements();
}
END_TEST

START_TEST(a_lie_is_no_statement)
{
    open_statements(RETURN_42, NULL, 0);
    ends[0].falsified = ends[1].falsified = "ac00";
    expect_problem("/v1/account/" A_TEXT, NULL, 502, "upstream", "");
    ck_assert_uint_eq(signatures, 0);
    ends[0].falsified = ends[1].falsified = NULL;
    ask_statement("/v1/account/" A_TEXT, NULL, NULL); /* nothing of the failure was kept */
    close_statements();
}
END_TEST

START_TEST(readiness_is_looked_at_again_before_the_key_is_used)
{
    open_statements(RETURN_42, NULL, 0);
    looks_allowed = 0;
    expect_problem("/v1/call", CALL_A, 503, "not-ready", "degraded: the head is old");
    looks = 0;
    looks_allowed = 1; /* as the request comes, and not when all is proven */
    expect_problem("/v1/call", CALL_A, 503, "not-ready", "degraded: the head is old");
    ck_assert_uint_eq(looks, 2);
    ck_assert_uint_ge(ends[0].batches, 1);
    ck_assert_uint_eq(signatures, 0);
    close_statements();
}
END_TEST

START_TEST(nothing_is_signed_that_has_expired_and_nothing_kept_is_given_out_then)
{
    open_statements(RETURN_42, NULL, 0);
    ask_statement("/v1/block/latest", NULL, NULL);
    now_at_ms = lc_slot_start_ms(net, SLOT) + 120999;
    ask_statement("/v1/block/latest", NULL, NULL);
    ck_assert_uint_eq(signatures, 1);
    now_at_ms = lc_slot_start_ms(net, SLOT) + 121000;
    expect_problem("/v1/block/latest", NULL, 503, "not-ready", "would have expired already");
    ask_statement("/v1/block/1000", NULL, NULL);
    now_at_ms = lc_slot_start_ms(net, SLOT - 70) + 1801000;
    expect_problem("/v1/checkpoint", NULL, 503, "not-ready", "the finalized block is 1801 s old");
    now_known.finalized.valid = false;
    expect_problem("/v1/block/safe", NULL, 503, "not-ready", "no finalized header");
    close_statements();
}
END_TEST

/* ---- CCIP-Read ---- */

typedef struct {
    statement_call_t call;
    uint8_t rule;
    uint64_t number;
} args_t;

static const eip712_member_t args_members[] = {
    { "call", EIP712_STRUCT, offsetof(args_t, call), &STATEMENT_CALL_TYPE, 0 },
    { "rule", EIP712_UINT8, offsetof(args_t, rule), NULL, 0 },
    { "number", EIP712_UINT64, offsetof(args_t, number), NULL, 0 },
};
static const eip712_type_t args_type = { "args", args_members, 3 };

/* Calldata for the gateway, as hex with 0x, in the arena. */
static char *calldata(uint8_t rule, uint64_t number, uint8_t overrides)
{
    args_t args = { .call.to = A, .rule = rule, .number = number };
    view_t data;
    args.call.overrides.b[31] = overrides;
    ck_assert_int_eq(abi_encode(&data, &arena, &args_type, &args), RC_OK);
    char *hex = arena_alloc(&arena, 11 + 2 * data.n);
    memcpy(hex, "0xcdd66abf", 10);
    hex_encode(hex + 10, data);
    return hex;
}

static const char *ccip_path(const char *data)
{
    char *path = arena_alloc(&arena, 2048);
    snprintf(path, 2048, "/v1/ccip/" NOBODY "/%s.json", data);
    return path;
}

static void expect_message(const char *path, const char *body, int status, const char *text)
{
    reply_t a = send_request(path, body);
    ck_assert_msg(a.status == status && a.body && !strncmp(a.body, "{\"message\":\"", 12) && strstr(a.body, text),
                  "%s: %d %s", path, a.status, a.body ? a.body : "");
    free(a.body);
}

/* {"data": ...} is the ABI form of the very statement that /v1/call gives. */
START_TEST(the_gateway_answers_the_statement_of_the_call_in_abi_form)
{
    static const char *const blocks[] = { "latest", "safe", "finalized", "930" };
    open_statements(RETURN_42, NULL, 0);
    for (uint8_t rule = 0; rule < 4; rule++) {
        char body[300], *hex;
        view_t abi;
        snprintf(body, sizeof body, "{\"to\":\"" A_TEXT "\",\"block\":\"%s\"}", blocks[rule]);
        const statement_t x = ask_statement("/v1/call", body, NULL);
        ck_assert_int_eq(statement_abi(&abi, &arena, &x), RC_OK);
        hex = arena_alloc(&arena, 2 * abi.n + 32);
        strcpy(hex, "{\"data\":\"0x");
        hex_encode(hex + 11, abi);
        strcat(hex, "\"}");
        const char *asked = calldata(rule, rule == 3 ? 930 : 900, 0);
        reply_t a = same_again(ccip_path(asked), NULL);
        ck_assert_str_eq(a.body, hex);
        free(a.body);
        char post[2048];
        snprintf(post, sizeof post, "{\"data\":\"%s\",\"sender\":\"" NOBODY "\"}", asked);
        a = send_request("/v1/ccip/" NOBODY ".json", post);
        ck_assert_str_eq(a.body, hex);
        free(a.body);
    }
    close_statements();
}
END_TEST

START_TEST(what_the_gateway_refuses_is_a_message)
{
    addr_t sender;
    memset(sender.b, 0xdd, 20);
    open_statements(RETURN_42, &sender, 1);
    const char *good = calldata(0, 0, 0);
    char post[2048], other[2048];
    reply_t a = send_request(ccip_path(good), NULL);
    ck_assert_int_eq(a.status, 200);
    free(a.body);
    snprintf(other, sizeof other, "/v1/ccip/" A_TEXT "/%s.json", good);
    expect_message(other, NULL, 403, "sender: ");
    expect_message(ccip_path(calldata(4, 0, 0)), NULL, 400, "rule: must be");
    expect_message(ccip_path(calldata(0, 0, 1)), NULL, 400, "call.overrides: overrides are not supported");
    expect_message(ccip_path(calldata(3, 1001, 0)), NULL, 404, "block: ");
    expect_message(ccip_path(calldata(0, 1001, 0)), NULL, 503, "number: ");
    expect_message(ccip_path("0xcdd66abe"), NULL, 400, "data: must be calldata of callStatement");
    expect_message(ccip_path("0xcdd66abf00"), NULL, 400, "data: is not what abi.encode writes");
    expect_message(ccip_path("0xcdd66ab"), NULL, 400, "data: must be bytes");
    expect_message("/v1/ccip/0x12/0x12.json", NULL, 400, "sender: must be");
    expect_message("/v1/ccip/" NOBODY "/0x12", NULL, 400, "path: must be");
    snprintf(post, sizeof post, "{\"data\":\"%s\",\"sender\":\"" A_TEXT "\"}", good);
    expect_message("/v1/ccip/" NOBODY ".json", post, 400, "sender: is not the one in the path");
    expect_message("/v1/ccip/" NOBODY ".json", "{\"data\":\"0x\",\"sender\":\"" NOBODY "\",\"x\":1}", 400, "x: ");
    expect_message("/v1/ccip/" NOBODY, "{}", 400, "path: must be");
    looks_allowed = 0;
    expect_message(ccip_path(good), NULL, 503, "degraded: the head is old");
    ck_assert_uint_eq(signatures, 1);
    close_statements();
}
END_TEST

int main(void)
{
    if (secret_init())
        return EXIT_FAILURE;
    return UNIT_RUN(
        "statements", a_call_is_bound_to_its_request_block_setup_and_time, a_call_under_overrides_says_so,
        a_revert_and_a_halt_are_said_as_what_they_are,
        a_block_is_named_by_tag_number_or_hash_and_its_signature_lasts_accordingly,
        a_block_of_the_past_is_proven_at_the_head_that_it_rests_on, logs_are_complete_also_when_there_are_none,
        logs_and_a_receipt_stand_beside_what_was_signed_of_them,
        what_has_no_logs_or_receipt_to_be_proven_is_no_statement,
        accounts_and_slots_are_said_also_when_nothing_is_there,
        evidence_that_cannot_be_given_is_a_problem_that_says_why, evidence_comes_with_an_answer_or_by_its_id,
        evidence_of_an_earlier_answer_is_made_when_it_is_asked_for, a_checkpoint_is_the_finalized_beacon_block,
        the_same_request_on_the_same_block_gets_the_same_bytes, what_is_not_known_or_not_supported_is_named,
        a_lie_is_no_statement, readiness_is_looked_at_again_before_the_key_is_used,
        nothing_is_signed_that_has_expired_and_nothing_kept_is_given_out_then,
        the_gateway_answers_the_statement_of_the_call_in_abi_form, what_the_gateway_refuses_is_a_message);
}
