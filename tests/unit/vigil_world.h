/* vigil_world.h - standing calls of a node behind the HTTP server, on a world that tests change: requests, heads, and
 * what a stream brings. Statements are judged by rpc/api/statement_verify.h. */
#ifndef TESTS_VIGIL_WORLD_H
#define TESTS_VIGIL_WORLD_H

#include "base/crypto/hash.h"
#include "base/crypto/keyring.h"
#include "base/crypto/secret.h"
#include "lightclient/networks.h"
#include "node/vigil.h"
#include "tests/unit/ask_world.h"
#include "tests/unit/http_hand.h"

#define SLOT 12000000u
#define A_TEXT "0xac0000000000000000000000000000000000a000"
#define SLOAD_OF_DATA "5f35545f5260205ff3" /* return sload(calldataload(0)) */
#define MANY 500u
#define TOKEN_LEN 66u
#define ID_LEN 34u

static const setup_rules_t rules = { .valid_s = { 120, 1800, 1800, 86400 }, .call_gas = 50000000 };
static const hash32_t setup = { { 0x33 } };
static const uint8_t seal_key[VIGIL_KEY_LEN] = { 9 };
static const lc_network_t *net;
static hs_t *server;
static jobs_t *jobs;
static statements_t *statements;
static ex_cache_t *cache;
static pthread_mutex_t cache_lock = PTHREAD_MUTEX_INITIALIZER, view_lock = PTHREAD_MUTEX_INITIALIZER;
static vigil_t *vigil;
static keyring_t *keyring;
static held_t held;
static follow_view_t view;
static uint64_t now_ms;
static bool ready;
static arena_t arena;
static int fd;
static char dir[64];

static inline uint64_t time_ms(void *ctx)
{
    (void)ctx;
    return now_ms;
}

static inline uint64_t time_s(void *ctx)
{
    (void)ctx;
    return now_ms / 1000;
}

static inline rc_t sign65(void *ctx, uint8_t out[65], addr_t *by, const hash32_t *digest)
{
    return keyring_sign65(ctx, out, by, digest);
}

static inline bool is_ready(void *ctx, follow_view_t *out, err_t *why)
{
    (void)ctx;
    pthread_mutex_lock(&view_lock);
    *out = view;
    const bool is = ready;
    pthread_mutex_unlock(&view_lock);
    if (!is)
        err_say(why, RC_REFUSED, "degraded: the head is old");
    return is;
}

static inline void on_post(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx;
    vigil_post(vigil, r, q, false);
}

static inline void on_get(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx;
    vigil_get(vigil, r, q);
}

static inline void on_delete(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx;
    vigil_delete(vigil, r, q);
}

static inline void on_stream(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx;
    vigil_stream(vigil, r, q);
}

static const hs_route_t routes[] = {
    { "POST", "/v1/standing", on_post, HS_SLOW },
    { "GET", "/v1/standing", on_get, HS_SLOW },
    { "GET", "/v1/standing/*", on_get, 0 },
    { "GET", "/v1/stream", on_stream, 0 },
    { "DELETE", "/v1/standing/*", on_delete, HS_SLOW },
};

/* ---- the world ---- */

static inline void lock_cache(void *ctx)
{
    pthread_mutex_lock(ctx);
}

static inline void unlock_cache(void *ctx)
{
    pthread_mutex_unlock(ctx);
}

/* A head with this number, whose state is that of the world now. */
static inline void new_head(uint64_t number)
{
    lc_head_t h = { .valid = true, .participants = 500 };
    lc_execution_t *x = &h.header.execution;
    h.header.beacon.slot = SLOT + number;
    memset(h.beacon_root.b, (int)number, 32);
    memset(x->block_hash.b, (int)(number ^ 0x80), 32);
    x->block_number = number;
    x->timestamp = lc_slot_start_ms(net, SLOT + number) / 1000;
    x->gas_limit = 30000000;
    pthread_mutex_lock(&lock);
    x->state_root = world_root(&s.w);
    pthread_mutex_unlock(&lock);
    pthread_mutex_lock(&view_lock);
    view.latest = h;
    now_ms = lc_slot_start_ms(net, SLOT + number) + 5000;
    pthread_mutex_unlock(&view_lock);
    const held_head_t latest = held_head_of(&h, 1, false);
    held_note(&held, &latest, NULL);
}

static atomic_ullong turn; /* of the key */
static atomic_bool turns;  /* it does once it has been asked for */

static inline uint64_t key_turn(void *ctx)
{
    (void)ctx;
    const uint64_t is = turn;
    turn += atomic_exchange(&turns, false);
    return is;
}

/* What sessions were pushed: of each the last texts, one behind the other. */
typedef struct {
    char text[1 << 15];
    size_t n;
    unsigned count;
    bool ended;
} session_t;

static inline void push(void *session, view_t text)
{
    session_t *to = session;
    ck_assert(to->n + text.n < sizeof to->text);
    memcpy(to->text + to->n, text.p, text.n);
    to->n += text.n;
    to->text[to->n] = 0;
    to->count++;
}

static inline void end_session(void *session)
{
    ((session_t *)session)->ended = true;
}

static uint64_t writes_kib; /* a minute; 0: as many as there are */

static inline void open_vigil(void)
{
    vigil = vigil_new(&(vigil_config_t){ .limits = { 4 * MANY, 1u << 30 },
                                         .statements = statements,
                                         .ask = engine,
                                         .pool = pool,
                                         .now_s = time_s,
                                         .turn = key_turn,
                                         .sessions = { push, end_session },
                                         .writes_kib = writes_kib,
                                         .keep_dir = dir,
                                         .keep_key = seal_key });
    ck_assert_ptr_nonnull(vigil);
    ck_assert_int_eq(hs_start(&server, NULL,
                              &(hs_config_t){ .address = "127.0.0.1",
                                              .routes = routes,
                                              .route_count = sizeof routes / sizeof routes[0],
                                              .event_threads = 1,
                                              .workers = 1 }),
                     RC_OK);
    fd = dial(server);
}

static inline void close_vigil(void)
{
    close(fd);
    hs_stop(server, 1000);
    vigil_free(vigil);
}

static inline void setup_all(void)
{
    uint8_t secret[32], blind[32] = { 1 };
    memset(secret, 1, 32);
    net = lc_network_find("mainnet");
    gather_ms = 2;
    open_world(SLOAD_OF_DATA);
    world_set(&s.w.accounts[0], 5, u256_of(1234));
    arena_init(&arena, (size_t)64 << 20);
    held_init(&held);
    snprintf(dir, sizeof dir, "/tmp/kettle-vigil-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    memset(&view, 0, sizeof view);
    ready = true;
    cache = ex_cache_new(&(ex_cache_config_t){
        .bytes_max = (size_t)64 << 20, .lock_ctx = &cache_lock, .lock = lock_cache, .unlock = unlock_cache });
    ck_assert_int_eq(keyring_new(&keyring, secret, blind), RC_OK);
    jobs = jobs_new(&(jobs_config_t){ .ask = engine, .pool = pool });
    statements = statements_new(&(statements_config_t){ .jobs = jobs,
                                                        .cache = cache,
                                                        .chain = &PRAGUE,
                                                        .network = net,
                                                        .held = &held,
                                                        .signer = { .ctx = keyring, .sign65 = sign65 },
                                                        .setup = &setup,
                                                        .rules = &rules,
                                                        .default_block = SETUP_BY_LATEST,
                                                        .now_ms = time_ms,
                                                        .ready = is_ready });
    new_head(1);
    open_vigil();
}

static inline void end_all(void)
{
    char path[80];
    ask_cancel(engine);
    close_vigil();
    jobs_free(jobs);
    statements_free(statements);
    ex_cache_free(cache);
    keyring_free(keyring);
    held_clear(&held);
    arena_free(&arena);
    close_world();
    snprintf(path, sizeof path, "%s/standing", dir);
    (void)unlink(path);
    (void)rmdir(dir);
}

/* Tells of the heads that there are. */
static inline void tell_heads(void)
{
    vigil_heads(vigil, net, &view);
}

/* ---- requests ---- */

static inline reply_t send_on(int on, const char *method, const char *path, const char *token, const char *more,
                              const char *body)
{
    char text[4096];
    snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: x\r\n%s%s%s%sContent-Length: %zu\r\n\r\n%s", method, path,
             token ? "Authorization: Bearer " : "", token ? token : "", token ? "\r\n" : "", more, strlen(body), body);
    ck_assert(say(on, text));
    return hear(on, false);
}

static inline reply_t request(const char *method, const char *path, const char *token, const char *body)
{
    return send_on(fd, method, path, token, "", body);
}

static inline void expect_answer(const char *method, const char *path, const char *token, const char *body, int status,
                                 const char *text)
{
    const reply_t a = request(method, path, token, body);
    ck_assert_msg(a.status == status && strstr(a.body, text), "%s %s: %d %s", method, path, a.status, a.body);
    free(a.body);
}

static inline void copy_member(char *out, size_t n, const char *json, const char *key)
{
    const char *at = strstr(json, key);
    ck_assert_msg(at != NULL, "%s: %s", key, json);
    memcpy(out, at + strlen(key), n);
    out[n] = 0;
}

/* Adds a call that reads this slot; token: of its owner, or, empty, receives a new one. */
static inline void add(char id[ID_LEN + 1], char token[TOKEN_LEN + 1], uint64_t slot)
{
    char body[300];
    snprintf(body, sizeof body, "{\"call\":{\"to\":\"" A_TEXT "\",\"data\":\"0x%064llx\"}}", (unsigned long long)slot);
    const reply_t a = request("POST", "/v1/standing", *token ? token : NULL, body);
    ck_assert_msg(a.status == 200, "%d %s", a.status, a.body);
    copy_member(id, ID_LEN, a.body, "{\"id\":\"");
    ck_assert(!*token || !strstr(a.body, "token"));
    if (!*token)
        copy_member(token, TOKEN_LEN, a.body, "\"token\":\"");
    free(a.body);
}

static inline vigil_counts_t counts(void)
{
    vigil_counts_t c;
    vigil_counts(vigil, &c);
    return c;
}

/* Until so many runs have ended, with or without a statement. */
static inline void wait_runs(uint64_t n)
{
    const uint64_t until = clock_ms() + 30000;
    while (counts().signed_so_far + counts().failed < n && clock_ms() < until)
        pause_ms(2);
    ck_assert_uint_eq(counts().signed_so_far + counts().failed, n);
}

static inline unsigned batches(void)
{
    pthread_mutex_lock(&lock);
    const unsigned n = ends[0].batches + ends[1].batches;
    pthread_mutex_unlock(&lock);
    return n;
}

static inline void set_slot(uint64_t slot, uint64_t value)
{
    pthread_mutex_lock(&lock);
    world_set(&s.w.accounts[0], slot, u256_of(value));
    pthread_mutex_unlock(&lock);
}

/* The statement of one, which holds and has this word. */
static inline void expect_word_of(const char *id, uint8_t word, uint64_t number)
{
    static addr_t signer;
    char path[80];
    err_t e = { .text = "" };
    statement_t said;
    snprintf(path, sizeof path, "/v1/standing/%s", id);
    const reply_t a = request("GET", path, NULL, "");
    ck_assert_msg(a.status == 200, "%d %s", a.status, a.body);
    const char *text = strstr(a.body, "\"statement\":") + strlen("\"statement\":");
    keyring_address(keyring, &signer);
    const size_t n = strlen(text) - 1; /* the brace of what is around it */
    ck_assert_msg(statement_read(&said, &e, &arena, view_of(text, n)) == RC_OK, "%s %s: %s", e.field, e.text, text);
    const statement_demand_t want = { .chain_id = 1,
                                      .signers = &signer,
                                      .signer_count = 1,
                                      .setup = &setup,
                                      .has_max_age = true,
                                      .max_age_s = 900,
                                      .any_request = true,
                                      .now_s = now_ms / 1000 };
    ck_assert_msg(statement_verify(&said, &e, &want) == RC_OK, "%s", e.text);
    ck_assert_uint_eq(said.at.number, number);
    ck_assert_uint_eq(said.call.result.p[31], word);
    free(a.body);
}

/* ---- a stream ---- */

/* What comes on a stream until there is this text, behind what was read before. */
static inline const char *hear_until(int on, const char *want)
{
    static char got[1 << 17];
    size_t n = 0;
    for (;;) {
        const ssize_t more = recv(on, got + n, sizeof got - 1 - n, 0);
        ck_assert_msg(more > 0, "no %s in %.*s", want, (int)n, got);
        n += (size_t)more;
        got[n] = 0;
        if (strstr(got, want) && n > 4 && !strcmp(got + n - 4, "\n\n\r\n"))
            return got;
    }
}

static inline int listen_for(const char *query, const char *token, const char *last)
{
    const int on = dial(server);
    char text[600];
    snprintf(text, sizeof text, "GET /v1/stream%s HTTP/1.1\r\nHost: x\r\n%s%s%s%s%s%s\r\n", query,
             token ? "Authorization: Bearer " : "", token ? token : "", token ? "\r\n" : "",
             last ? "Last-Event-ID: " : "", last ? last : "", last ? "\r\n" : "");
    ck_assert(say(on, text));
    return on;
}

/* The id of the last event in what came. */
static inline void last_id(char out[64], const char *got)
{
    const char *at = NULL;
    for (const char *p = got; (p = strstr(p, "id: ")); p++)
        at = p + 4;
    ck_assert_ptr_nonnull(at);
    snprintf(out, 64, "%.*s", (int)strcspn(at, "\n"), at);
}

#endif
