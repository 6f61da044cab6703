/* Standing calls of a node, through the HTTP server: what they cost at a head, what is served when runs fail, what listeners
 * are told, whose they are, and what a restart brings back. Statements are judged by rpc/api/statement_verify.h. */
#include <fcntl.h>
#include <sys/stat.h>

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

static uint64_t time_ms(void *ctx)
{
    (void)ctx;
    return now_ms;
}

static uint64_t time_s(void *ctx)
{
    (void)ctx;
    return now_ms / 1000;
}

static rc_t sign65(void *ctx, uint8_t out[65], addr_t *by, const hash32_t *digest)
{
    return keyring_sign65(ctx, out, by, digest);
}

static bool is_ready(void *ctx, follow_view_t *out, err_t *why)
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

static void on_post(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx;
    vigil_post(vigil, r, q, false);
}

static void on_get(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx;
    vigil_get(vigil, r, q);
}

static void on_delete(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx;
    vigil_delete(vigil, r, q);
}

static void on_stream(void *ctx, const hs_request_t *q, hs_response_t *r)
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

static void lock_cache(void *ctx)
{
    pthread_mutex_lock(ctx);
}

static void unlock_cache(void *ctx)
{
    pthread_mutex_unlock(ctx);
}

/* A head with this number, whose state is that of the world now. */
static void new_head(uint64_t number)
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

static uint64_t key_turn(void *ctx)
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

static void push(void *session, view_t text)
{
    session_t *to = session;
    ck_assert(to->n + text.n < sizeof to->text);
    memcpy(to->text + to->n, text.p, text.n);
    to->n += text.n;
    to->text[to->n] = 0;
    to->count++;
}

static void end_session(void *session)
{
    ((session_t *)session)->ended = true;
}

static uint64_t writes_kib; /* a minute; 0: as many as there are */

static void open_vigil(void)
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

static void close_vigil(void)
{
    close(fd);
    hs_stop(server, 1000);
    vigil_free(vigil);
}

static void setup_all(void)
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

static void end_all(void)
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

/* ---- requests ---- */

static reply_t send_on(int on, const char *method, const char *path, const char *token, const char *more,
                       const char *body)
{
    char text[4096];
    snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: x\r\n%s%s%s%sContent-Length: %zu\r\n\r\n%s", method, path,
             token ? "Authorization: Bearer " : "", token ? token : "", token ? "\r\n" : "", more, strlen(body), body);
    ck_assert(say(on, text));
    return hear(on, false);
}

static reply_t request(const char *method, const char *path, const char *token, const char *body)
{
    return send_on(fd, method, path, token, "", body);
}

static void expect_answer(const char *method, const char *path, const char *token, const char *body, int status,
                          const char *text)
{
    const reply_t a = request(method, path, token, body);
    ck_assert_msg(a.status == status && strstr(a.body, text), "%s %s: %d %s", method, path, a.status, a.body);
    free(a.body);
}

static void copy_member(char *out, size_t n, const char *json, const char *key)
{
    const char *at = strstr(json, key);
    ck_assert_msg(at != NULL, "%s: %s", key, json);
    memcpy(out, at + strlen(key), n);
    out[n] = 0;
}

/* Adds a call that reads this slot; token: of its owner, or, empty, receives a new one. */
static void add(char id[ID_LEN + 1], char token[TOKEN_LEN + 1], uint64_t slot)
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

static vigil_counts_t counts(void)
{
    vigil_counts_t c;
    vigil_counts(vigil, &c);
    return c;
}

/* Until so many runs have ended, with or without a statement. */
static void wait_runs(uint64_t n)
{
    const uint64_t until = clock_ms() + 30000;
    while (counts().signed_so_far + counts().failed < n && clock_ms() < until)
        pause_ms(2);
    ck_assert_uint_eq(counts().signed_so_far + counts().failed, n);
}

static unsigned batches(void)
{
    pthread_mutex_lock(&lock);
    const unsigned n = ends[0].batches + ends[1].batches;
    pthread_mutex_unlock(&lock);
    return n;
}

static void set_slot(uint64_t slot, uint64_t value)
{
    pthread_mutex_lock(&lock);
    world_set(&s.w.accounts[0], slot, u256_of(value));
    pthread_mutex_unlock(&lock);
}

/* The statement of one, which holds and has this word. */
static void expect_word_of(const char *id, uint8_t word, uint64_t number)
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

/* ---- what they cost ---- */

START_TEST(five_hundred_calls_cost_one_batch_a_head)
{
    static char ids[MANY][ID_LEN + 1];
    char token[TOKEN_LEN + 1] = "";
    setup_all();
    for (unsigned i = 0; i < MANY; i++)
        add(ids[i], token, i);
    ck_assert_uint_eq(batches(), 0); /* no head was told of yet */
    vigil_head(vigil, 1);
    wait_runs(MANY);
    for (unsigned head = 2; head < 5; head++) {
        const unsigned before = batches();
        set_slot(5, head); /* another state */
        new_head(head);
        vigil_head(vigil, head);
        wait_runs(head * MANY);
        ck_assert_uint_eq(counts().failed, 0);
        ck_assert_uint_eq(batches() - before, 1);
        expect_word_of(ids[5], (uint8_t)head, head);
        expect_word_of(ids[499], 0, head);
    }
    ck_assert_uint_eq(counts().calls, MANY);
    end_all();
}
END_TEST

static int take_8_keys(cap_t *c, void *ctx)
{
    (void)ctx;
    c->keys_good = 0; /* whatever it gave before */
    cap_keys(c, 16, false);
    return 0;
}

START_TEST(what_they_read_before_is_asked_in_proofs_as_large_as_the_endpoint_gives)
{
    char id[ID_LEN + 1], token[TOKEN_LEN + 1] = "";
    setup_all();
    for (unsigned i = 0; i < 20; i++)
        add(id, token, i);
    vigil_head(vigil, 1);
    wait_runs(20);
    up_learn(upstream, 0, take_8_keys, NULL);
    pthread_mutex_lock(&lock);
    ends[0].most_keys = 0;
    pthread_mutex_unlock(&lock);
    set_slot(5, 7);
    new_head(2);
    vigil_head(vigil, 2);
    wait_runs(40);
    pthread_mutex_lock(&lock);
    const unsigned keys = ends[0].most_keys;
    pthread_mutex_unlock(&lock);
    ck_assert_uint_eq(keys, 8);
    ck_assert_uint_eq(counts().failed, 0);
    end_all();
}
END_TEST

START_TEST(what_reads_something_else_asks_for_it_by_itself_and_fails_alone)
{
    char one[ID_LEN + 1], other[ID_LEN + 1], path[80], token[TOKEN_LEN + 1] = "";
    setup_all();
    vigil_head(vigil, 1);
    add(one, token, 5);
    wait_runs(1); /* at once, and not at the next head alone */
    expect_word_of(one, (uint8_t)1234, 1);
    pthread_mutex_lock(&lock);
    ends[0].refused = ends[1].refused = "00000009\"]"; /* the proof of slot 9 */
    pthread_mutex_unlock(&lock);
    set_slot(5, 7);
    new_head(2);
    vigil_head(vigil, 2);
    add(other, token, 9);
    wait_runs(3);
    expect_word_of(one, 7, 2);
    snprintf(path, sizeof path, "/v1/standing/%s", other);
    expect_answer("GET", path, NULL, "", 503, "no-statement");
    expect_answer("GET", "/v1/standing", token, "", 200, "\"why\":\"");
    pthread_mutex_lock(&lock);
    ends[0].refused = ends[1].refused = NULL;
    pthread_mutex_unlock(&lock);
    set_slot(9, 4);
    new_head(3);
    vigil_head(vigil, 3);
    wait_runs(5);
    expect_word_of(other, 4, 3);
    end_all();
}
END_TEST

START_TEST(the_last_good_statement_is_served_until_it_expires)
{
    char id[ID_LEN + 1], path[80], token[TOKEN_LEN + 1] = "";
    setup_all();
    vigil_head(vigil, 1);
    add(id, token, 5);
    wait_runs(1);
    ends[0].status = ends[1].status = 500;
    set_slot(5, 7);
    new_head(2);
    ready = false; /* nothing is signed: the run fails at once */
    vigil_head(vigil, 2);
    wait_runs(2);
    expect_word_of(id, (uint8_t)1234, 1);
    snprintf(path, sizeof path, "/v1/standing/%s", id);
    expect_answer("GET", path, NULL, "", 200, "\"why\":\"degraded: the head is old\"");
    now_ms += 200000;
    expect_answer("GET", path, NULL, "", 503, "degraded: the head is old");
    ready = true;
    ends[0].status = ends[1].status = 0;
    new_head(3);
    vigil_head(vigil, 3);
    wait_runs(3);
    expect_word_of(id, 7, 3);
    end_all();
}
END_TEST

/* ---- listeners ---- */

/* What comes on a stream until there is this text, behind what was read before. */
static const char *hear_until(int on, const char *want)
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

static int listen_for(const char *query, const char *token, const char *last)
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
static void last_id(char out[64], const char *got)
{
    const char *at = NULL;
    for (const char *p = got; (p = strstr(p, "id: ")); p++)
        at = p + 4;
    ck_assert_ptr_nonnull(at);
    snprintf(out, 64, "%.*s", (int)strcspn(at, "\n"), at);
}

START_TEST(a_listener_misses_nothing_or_is_told_of_a_gap)
{
    char one[ID_LEN + 1], other[ID_LEN + 1], query[80], id[64], token[TOKEN_LEN + 1] = "", second[TOKEN_LEN + 1] = "";
    setup_all();
    vigil_head(vigil, 1);
    add(one, token, 5);
    add(other, second, 6);
    wait_runs(2);
    snprintf(query, sizeof query, "?ids=%s", one);
    int on = listen_for(query, NULL, NULL), all = listen_for("", second, NULL);
    (void)hear_until(on, "event: open\ndata: {}\n\n");
    (void)hear_until(all, "event: open\ndata: {}\n\n");
    ck_assert_uint_eq(counts().listeners, 2);
    set_slot(5, 7);
    new_head(2);
    vigil_head(vigil, 2);
    wait_runs(4);
    const char *got = hear_until(on, "\"head\":2,\"statement\":{\"type\":\"CallStatement\"");
    ck_assert(strstr(got, one) && !strstr(got, other));
    last_id(id, got);
    got = hear_until(all, "\"head\":2,");
    ck_assert(strstr(got, other) && !strstr(got, one));
    close(on);
    for (unsigned head = 3; head < 5; head++) { /* while nobody listens */
        set_slot(5, head);
        new_head(head);
        vigil_head(vigil, head);
        wait_runs(2 * head);
    }
    on = listen_for(query, NULL, id);
    got = hear_until(on, "\"head\":4,");
    ck_assert(strstr(got, "\"head\":3,") && !strstr(got, "event: gap") && !strstr(got, "event: open"));
    close(on);
    id[0] = id[0] == '0' ? '1' : '0'; /* of another start */
    on = listen_for(query, NULL, id);
    got = hear_until(on, "event: gap\ndata: {\"events\":0}");
    close(on);
    close(all);
    end_all();
}
END_TEST

START_TEST(who_falls_behind_finds_a_gap)
{
    char one[ID_LEN + 1], query[80], token[TOKEN_LEN + 1] = "";
    setup_all();
    vigil_head(vigil, 1);
    add(one, token, 5);
    wait_runs(1);
    snprintf(query, sizeof query, "?ids=%s", one);
    const int on = listen_for(query, NULL, "");
    close(on);
    close_vigil();
    open_vigil(); /* another epoch */
    ck_assert_uint_eq(counts().calls, 1);
    const int again = listen_for(query, NULL, "0000000000000000-1");
    (void)hear_until(again, "event: gap");
    vigil_head(vigil, 1);
    (void)hear_until(again, "\"head\":1,");
    close(again);
    end_all();
}
END_TEST

/* ---- sessions of WebSockets ---- */

/* Subscribes to what this says. */
static rc_t subscribe(char id[API_WATCH_ID_LEN + 1], err_t *e, session_t *session, const char *what)
{
    jo_doc_t doc;
    const jo_t o = jo_open(&doc, e, view_str(what), 1 << 20, JO_STRICT);
    rc_t rc = VIGIL_STANDING.watch(vigil, id, e, session, &o);
    rc = jo_done(&o) ? jo_done(&o) : rc;
    jo_close(&doc);
    return rc;
}

static void run_head(unsigned head, uint64_t runs)
{
    set_slot(5, head);
    new_head(head);
    vigil_head(vigil, head);
    wait_runs(runs);
}

START_TEST(a_session_is_pushed_what_it_subscribed_to)
{
    static session_t session, other;
    char one[ID_LEN + 1], two[ID_LEN + 1], what[300], id[API_WATCH_ID_LEN + 1], last[64], token[TOKEN_LEN + 1] = "";
    err_t e;
    setup_all();
    vigil_head(vigil, 1);
    add(one, token, 5);
    add(two, token, 6);
    wait_runs(2);
    snprintf(what, sizeof what, "{\"ids\":[\"%s\"]}", one);
    ck_assert_int_eq(subscribe(id, &e, &session, what), RC_OK);
    ck_assert(strlen(id) == 34 && id[2] != '0');
    run_head(2, 4);
    ck_assert_uint_eq(session.count, 0); /* its id is not told yet */
    vigil_begin(vigil, &session);
    ck_assert_uint_eq(session.count, 2);
    run_head(3, 6);
    ck_assert_uint_eq(session.count, 3);
    snprintf(
        what, sizeof what,
        "{\"jsonrpc\":\"2.0\",\"method\":\"eth_subscription\",\"params\":{\"subscription\":\"%s\",\"result\":{\"id\":\"",
        id);
    ck_assert(strncmp(session.text, what, strlen(what)) == 0);
    ck_assert(strstr(session.text, "\"event\":\"open\",\"data\":{}}}}"));
    ck_assert(strstr(session.text, "\"head\":2,\"statement\":{\"type\":\"CallStatement\""));
    ck_assert(strstr(session.text, one) && !strstr(session.text, two));
    const char *at = strstr(session.text, "\"head\":2");
    while (strncmp(at, "\"id\":\"", 6) != 0)
        at--;
    copy_member(last, strcspn(at + 6, "\""), at, "\"id\":\"");
    snprintf(what, sizeof what, "{\"token\":\"%s\",\"last\":\"%s\"}", token, last);
    ck_assert_int_eq(subscribe(id, &e, &other, what), RC_OK);
    vigil_begin(vigil, &other);
    ck_assert(other.count >= 2 && strstr(other.text, "\"head\":3") && !strstr(other.text, "\"event\":\"open\""));
    ck_assert(!strstr(other.text, "\"event\":\"gap\"") && strstr(other.text, two));
    ck_assert(!VIGIL_STANDING.unwatch(vigil, &session, view_str(id)));
    ck_assert(VIGIL_STANDING.unwatch(vigil, &other, view_str(id)));
    vigil_over(vigil, &session);
    const unsigned before = session.count + other.count;
    run_head(4, 8);
    ck_assert_uint_eq(session.count + other.count, before);
    ck_assert_uint_eq(counts().listeners, 0);
    ck_assert(!session.ended);
    end_all();
}
END_TEST

START_TEST(a_session_has_its_share_and_nobody_elses_calls)
{
    static session_t session;
    char one[ID_LEN + 1], what[300], id[API_WATCH_ID_LEN + 1], token[TOKEN_LEN + 1] = "";
    err_t e;
    setup_all();
    add(one, token, 5);
    ck_assert_int_eq(subscribe(id, &e, &session, "{\"ids\":[\"0x11111111111111111111111111111111\"]}"), RC_REFUSED);
    ck_assert_int_eq(subscribe(id, &e, &session, "{\"ids\":[]}"), RC_MALFORMED);
    ck_assert_int_eq(subscribe(id, &e, &session, "{}"), RC_MALFORMED);
    ck_assert_int_eq(subscribe(id, &e, &session, "{\"token\":\"0x11\"}"), RC_MALFORMED);
    token[5] = token[5] == '0' ? '1' : '0';
    snprintf(what, sizeof what, "{\"token\":\"%s\"}", token);
    ck_assert_int_eq(subscribe(id, &e, &session, what), RC_REFUSED);
    snprintf(what, sizeof what, "{\"ids\":[\"%s\"],\"last\":\"0000000000000000-1\"}", one);
    for (unsigned i = 0; i < VIGIL_WATCHES_MAX; i++)
        ck_assert_int_eq(subscribe(id, &e, &session, what), RC_OK);
    ck_assert_int_eq(subscribe(id, &e, &session, what), RC_LIMIT);
    vigil_begin(vigil, &session);
    ck_assert_uint_eq(session.count, VIGIL_WATCHES_MAX);
    ck_assert(strstr(session.text, "\"event\":\"gap\",\"data\":{\"events\":0}"));
    end_all(); /* which ends it, too */
}
END_TEST

/* ---- another key ---- */

START_TEST(what_another_key_signed_is_neither_served_nor_sent)
{
    char one[ID_LEN + 1], path[80], query[80], id[64], token[TOKEN_LEN + 1] = "";
    setup_all();
    vigil_head(vigil, 1);
    add(one, token, 5);
    wait_runs(1);
    snprintf(path, sizeof path, "/v1/standing/%s", one);
    snprintf(query, sizeof query, "?ids=%s", one);
    int on = listen_for(query, NULL, NULL);
    last_id(id, hear_until(on, "event: open\ndata: {}\n\n"));
    close(on);
    set_slot(5, 7);
    new_head(2);
    vigil_head(vigil, 2);
    wait_runs(2);
    expect_word_of(one, 7, 2);
    turn++;
    expect_answer("GET", path, NULL, "", 503, "another key signs since this was signed");
    expect_answer("GET", "/v1/standing", token, "", 200, "another key signs since this was signed");
    on = listen_for(query, NULL, id);
    ck_assert_ptr_null(strstr(hear_until(on, "event: gap\ndata: {\"events\":1}"), "statement"));
    ends[0].held = ends[1].held = true;
    set_slot(5, 8);
    new_head(3);
    vigil_head(vigil, 3); /* it is run by the new key, and then another one comes */
    turn++;
    pthread_mutex_lock(&lock);
    ends[0].held = ends[1].held = false;
    pthread_mutex_unlock(&lock);
    wait_runs(3);
    expect_answer("GET", path, NULL, "", 503, "another key signs since this was signed");
    new_head(4);
    vigil_head(vigil, 4);
    wait_runs(4);
    expect_word_of(one, 8, 4);
    ck_assert_ptr_null(strstr(hear_until(on, "\"head\":4,"), "\"head\":3,"));
    close(on);
    end_all();
}
END_TEST

START_TEST(what_was_signed_as_the_key_turned_is_not_sent)
{
    char one[ID_LEN + 1], query[80], id[64], token[TOKEN_LEN + 1] = "";
    setup_all();
    vigil_head(vigil, 1);
    add(one, token, 5);
    wait_runs(1);
    snprintf(query, sizeof query, "?ids=%s", one);
    int on = listen_for(query, NULL, NULL);
    last_id(id, hear_until(on, "event: open\ndata: {}\n\n"));
    close(on);
    const uint64_t until = clock_ms() + 30000;
    while (counts().listeners && clock_ms() < until) /* nobody else looks at the key */
        pause_ms(2);
    ends[0].held = ends[1].held = true;
    set_slot(5, 7);
    new_head(2);
    vigil_head(vigil, 2);
    turns = true; /* as soon as the table has looked */
    pthread_mutex_lock(&lock);
    ends[0].held = ends[1].held = false;
    pthread_mutex_unlock(&lock);
    wait_runs(2);
    ck_assert(!turns && counts().signed_so_far == 2);
    on = listen_for(query, NULL, id);
    new_head(3);
    vigil_head(vigil, 3);
    wait_runs(3);
    ck_assert_ptr_null(strstr(hear_until(on, "\"head\":3,"), "\"head\":2,"));
    close(on);
    end_all();
}
END_TEST

/* ---- whose they are ---- */

START_TEST(only_the_token_lists_and_ends)
{
    char one[ID_LEN + 1], other[ID_LEN + 1], path[80], token[TOKEN_LEN + 1] = "", second[TOKEN_LEN + 1] = "";
    setup_all();
    add(one, token, 5);
    add(other, token, 6);
    add(path, second, 5);
    snprintf(path, sizeof path, "/v1/standing/%s", one);
    expect_answer("DELETE", path, NULL, "", 401, "standing-token");
    expect_answer("DELETE", path, "0x12", "", 401, "standing-token");
    expect_answer("DELETE", path, second, "", 404, "unknown-standing-call");
    expect_answer("GET", "/v1/standing", NULL, "", 401, "standing-token");
    expect_answer("GET", "/v1/standing", token, "", 200, other);
    expect_answer("GET", path, NULL, "", 503, "no-statement");
    expect_answer("DELETE", path, token, "", 200, "success");
    expect_answer("GET", path, NULL, "", 404, "unknown-standing-call");
    expect_answer("GET", "/v1/standing/0x00", NULL, "", 404, "unknown-standing-call");
    expect_answer("GET", "/v1/stream", NULL, "", 400, "ids=");
    expect_answer("GET", "/v1/stream?ids=0x00", NULL, "", 404, "unknown-standing-call");
    token[5] = token[5] == '0' ? '1' : '0';
    expect_answer("GET", "/v1/stream", token, "", 403, "standing-token");
    expect_answer("POST", "/v1/standing", token, "{\"call\":{\"to\":\"" A_TEXT "\"}}", 403, "standing-token");
    expect_answer("POST", "/v1/standing", NULL, "{\"call\":{\"to\":\"" A_TEXT "\",\"block\":7}}", 400, "call.block");
    end_all();
}
END_TEST

START_TEST(a_restart_keeps_them_and_no_other_key_opens_the_file)
{
    char id[ID_LEN + 1], path[80], token[TOKEN_LEN + 1] = "";
    uint8_t other[VIGIL_KEY_LEN] = { 8 };
    setup_all();
    add(id, token, 5);
    add(path, token, 6);
    close_vigil();
    open_vigil();
    ck_assert_uint_eq(counts().calls, 2);
    vigil_head(vigil, 1);
    wait_runs(2);
    expect_word_of(id, (uint8_t)1234, 1);
    snprintf(path, sizeof path, "/v1/standing/%s", id);
    expect_answer("DELETE", path, token, "", 200, "success");
    close_vigil();
    vigil_config_t config = { .limits = { 8, 1u << 30 }, .now_s = time_s, .keep_dir = dir, .keep_key = other };
    vigil = vigil_new(&config);
    ck_assert_uint_eq(counts().calls, 0);
    vigil_free(vigil);
    config.keep_key = seal_key;
    vigil = vigil_new(&config);
    ck_assert_uint_eq(counts().calls, 1);
    vigil_free(vigil);
    now_ms += (uint64_t)STANDING_LIFE_MAX_S * 1000 + 1000;
    open_vigil();
    ck_assert_uint_eq(counts().calls, 0); /* their time is over */
    end_all();
}
END_TEST

/* As one that is ended while the disk is full: it would come back with the next start. */
START_TEST(what_the_disk_did_not_take_is_written_later)
{
    char id[ID_LEN + 1], path[80], token[TOKEN_LEN + 1] = "", kept[300], file[300];
    setup_all();
    add(id, token, 5);
    snprintf(file, sizeof file, "%s/standing", dir);
    snprintf(kept, sizeof kept, "%s.kept", dir);
    ck_assert(rename(file, kept) == 0 && rmdir(dir) == 0);
    close(open(dir, O_CREAT | O_WRONLY, 0600)); /* what is there is no directory */
    snprintf(path, sizeof path, "/v1/standing/%s", id);
    expect_answer("DELETE", path, token, "", 200, "success");
    ck_assert(!counts().survives);
    ck_assert(unlink(dir) == 0 && mkdir(dir, 0700) == 0 && rename(kept, file) == 0);
    vigil_head(vigil, 1);
    ck_assert(!counts().survives); /* it is tried every ten seconds */
    now_ms += 10000;
    vigil_head(vigil, 2);
    ck_assert(counts().survives);
    close_vigil();
    open_vigil();
    ck_assert_uint_eq(counts().calls, 0);
    end_all();
}
END_TEST

/* Adds and ends one with a call of 30 KiB, until that is refused; says how often it was not. */
static unsigned change_until_refused(const char *token)
{
    static char body[31 << 10], text[32 << 10], id[ID_LEN + 1], path[80];
    unsigned n = 0;
    const int room = snprintf(body, sizeof body, "{\"call\":{\"to\":\"" A_TEXT "\",\"data\":\"0x%030000d\"}}", 0);
    for (;; n++) {
        snprintf(text, sizeof text,
                 "POST /v1/standing HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s",
                 token, room, body);
        ck_assert(say(fd, text));
        reply_t a = hear(fd, false);
        if (a.status == 429) {
            ck_assert_msg(strstr(a.body, "over-share"), "%s", a.body);
            free(a.body);
            return n;
        }
        ck_assert_msg(a.status == 200, "%d %s", a.status, a.body);
        copy_member(id, ID_LEN, a.body, "{\"id\":\"");
        free(a.body);
        snprintf(path, sizeof path, "/v1/standing/%s", id);
        a = request("DELETE", path, token, "");
        free(a.body);
        if (a.status == 429)
            return n;
        ck_assert_uint_lt(n, 100000);
    }
}

START_TEST(who_has_the_table_written_all_the_time_is_refused_for_a_while)
{
    char id[ID_LEN + 1], token[TOKEN_LEN + 1] = "";
    writes_kib = 4096;
    setup_all();
    writes_kib = 0;
    add(id, token, 5);
    const unsigned n = change_until_refused(token);
    ck_assert_uint_ge(n, 40); /* 15 KiB and nothing by turns, of 3 MiB */
    ck_assert_uint_le(n, 400);
    end_all();
}
END_TEST

START_TEST(what_is_not_on_the_disk_is_not_said_to_be)
{
    static const char body[] = "{\"call\":{\"to\":\"" A_TEXT "\"}}";
    setup_all();
    ck_assert_int_eq(rmdir(dir), 0);
    close(open(dir, O_CREAT | O_WRONLY, 0600)); /* what is there is no directory */
    expect_answer("POST", "/v1/standing", NULL, body, 200, "\"survives_restart\":false");
    ck_assert(!counts().survives);
    ck_assert(unlink(dir) == 0 && mkdir(dir, 0700) == 0);
    expect_answer("POST", "/v1/standing", NULL, body, 200, "\"survives_restart\":true");
    ck_assert(counts().survives);
    close_vigil();
    open_vigil();
    ck_assert_uint_eq(counts().calls, 2); /* the first one, too */
    end_all();
}
END_TEST

int main(void)
{
    if (secret_init())
        return EXIT_FAILURE;
    return UNIT_RUN("vigil", five_hundred_calls_cost_one_batch_a_head,
                    what_they_read_before_is_asked_in_proofs_as_large_as_the_endpoint_gives,
                    what_reads_something_else_asks_for_it_by_itself_and_fails_alone,
                    the_last_good_statement_is_served_until_it_expires, a_listener_misses_nothing_or_is_told_of_a_gap,
                    who_falls_behind_finds_a_gap, a_session_is_pushed_what_it_subscribed_to,
                    a_session_has_its_share_and_nobody_elses_calls, what_another_key_signed_is_neither_served_nor_sent,
                    what_was_signed_as_the_key_turned_is_not_sent,
                    who_has_the_table_written_all_the_time_is_refused_for_a_while,
                    what_is_not_on_the_disk_is_not_said_to_be, what_the_disk_did_not_take_is_written_later,
                    only_the_token_lists_and_ends, a_restart_keeps_them_and_no_other_key_opens_the_file);
}
