/* node/query/call.c against JSON-RPC servers on loopback that answer from a small world, and leave out or falsify what a test says. */
#include <jansson.h>

#include "base/os/log.h"
#include "node/query/call.h"
#include "tests/unit/call_set.h"
#include "tests/unit/fake_server.h"
#include "tests/unit/unit.h"
#include "tests/unit/world_json.h"

#define BALANCES_900 "6103845b803150600190038060035750602a5f5260205ff3" /* balance(900), ..., balance(1); return 42 */
#define SLOADS_1200 "6104b05b805450600190038060035750602a5f5260205ff3"  /* sload(1200), ..., sload(1); return 42 */
#define PROOF_OF_A "\"eth_getProof\",\"params\":[\"0xac0000000000000000000000000000000000a000\""
#define PROOF_OF_B "\"eth_getProof\",\"params\":[\"0xbb01"
#define BATCH_MAX 100u
#define BATCH_SLOTS_MAX 512u
#define BATCHES_MAX 8u

/* One endpoint: how it behaves, and what it was asked. */
typedef struct {
    const char *refused;   /* elements whose text has this get an error */
    unsigned refusing;     /* ... in so many batches; 0: in all */
    const char *falsified; /* proofs that were asked for with this text name another balance */
    int status;            /* of HTTP; 0: 200 */
    unsigned pause_ms;
    unsigned batches, elements, most_elements, most_slots, now, most_now;
} endpoint_t;

static set_t s;
static endpoint_t ends[2];
static fake_t *fakes[2];
static up_t *upstream;
static hc_t *http;
static char url[2][64];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* the world and the endpoints */

static void put_result(char *out, const endpoint_t *e, const char *method, const json_t *params, const char *text)
{
    const char *account = json_string_value(json_array_get(params, 0));
    const json_t *keys = json_array_get(params, 1);
    size_t count = json_array_size(keys), at = strlen(out);
    hash32_t *slots = calloc(count + 1, sizeof *slots);
    addr_t addr;
    ck_assert_int_eq(hex_decode_exact(addr.b, 20, account, strlen(account)), RC_OK);
    for (size_t i = 0; i < count; i++)
        slots[i] = world_key(strtoull(json_string_value(json_array_get(keys, i)), NULL, 16));
    if (!strcmp(method, "eth_getCode"))
        put_hex(out, world_code(&s.w, &addr));
    else
        put_proof(out, &s.w, &addr, slots, count);
    char *balance = strstr(out + at, "\"balance\":\"0x");
    if (e->falsified && strstr(text, e->falsified) && balance)
        balance[strlen("\"balance\":\"0x")] ^= 1;
    free(slots);
}

static bool refuses(const endpoint_t *e, const char *text)
{
    return e->refused && strstr(text, e->refused) && (!e->refusing || e->batches <= e->refusing);
}

static void put_answer(char *out, endpoint_t *e, const json_t *element)
{
    const char *method = json_string_value(json_object_get(element, "method"));
    const json_t *params = json_object_get(element, "params");
    char *text = json_dumps(element, JSON_COMPACT);
    put(out, "{\"jsonrpc\":\"2.0\",\"id\":%lld,", json_integer_value(json_object_get(element, "id")));
    if (!strcmp(method, "eth_createAccessList") || refuses(e, text))
        put(out, "\"error\":{\"code\":-32000,\"message\":\"not here\"}");
    else {
        put(out, "\"result\":");
        put_result(out, e, method, params, text);
    }
    put(out, "}");
    free(text);
}

static unsigned slots_of(const json_t *batch)
{
    const json_t *element;
    size_t i, n = 0;
    json_array_foreach (batch, i, element)
        if (!strcmp(json_string_value(json_object_get(element, "method")), "eth_getProof"))
            n += json_array_size(json_array_get(json_object_get(element, "params"), 1));
    return (unsigned)n;
}

static void raise_to(unsigned *most, unsigned x)
{
    if (x > *most)
        *most = x;
}

/* The answer's body, from malloc; counts what was asked. */
static char *answer_batch(endpoint_t *e, const char *request)
{
    json_t *batch = json_loads(strstr(request, "\r\n\r\n") + 4, 0, NULL), *element;
    char *out = calloc(1, WORLD_TEXT_MAX);
    size_t i, n = json_array_size(batch);
    e->batches++;
    e->elements += (unsigned)n;
    raise_to(&e->most_elements, (unsigned)n);
    raise_to(&e->most_slots, slots_of(batch));
    put(out, "[");
    json_array_foreach (batch, i, element) {
        arena_mark_t mark = arena_mark(&s.w.arena);
        put(out, i ? "," : "");
        put_answer(out, e, element);
        arena_rollback(&s.w.arena, mark);
    }
    put(out, "]");
    json_decref(batch);
    return out;
}

static bool serve(endpoint_t *e, int fd, const char *request)
{
    char head[120];
    pthread_mutex_lock(&lock);
    raise_to(&e->most_now, ++e->now);
    pthread_mutex_unlock(&lock);
    pause_ms(e->pause_ms);
    pthread_mutex_lock(&lock);
    char *body = answer_batch(e, request);
    e->now--;
    pthread_mutex_unlock(&lock);
    snprintf(head, sizeof head, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n\r\n", e->status ? e->status : 200,
             strlen(body));
    bool sent = say(fd, head) && say(fd, body);
    free(body);
    return sent;
}

static bool serve_0(int fd, const char *request)
{
    return serve(&ends[0], fd, request);
}

static bool serve_1(int fd, const char *request)
{
    return serve(&ends[1], fd, request);
}

/* A world with a contract at A, and two endpoints. */
static void open_world(const char *code)
{
    static const behave_t behave[2] = { serve_0, serve_1 };
    begin(&s, code);
    s.block.state_root = world_root(&s.w);
    memset(ends, 0, sizeof ends);
    for (unsigned i = 0; i < 2; i++) {
        fakes[i] = fake_new(behave[i]);
        snprintf(url[i], sizeof url[i], "http://127.0.0.1:%u", fakes[i]->port);
    }
    upstream = up_new((const char *const[]){ url[0], url[1] }, 2);
    http = hc_new(NULL);
    log_set_level(LOG_ERROR);
}

static void close_world(void)
{
    up_free(upstream);
    hc_free(http);
    for (unsigned i = 0; i < 2; i++)
        fake_free(fakes[i]);
    end(&s);
}

/* Runs the call, whose state must not change any more. */
static rc_t run_call(char why[512])
{
    call_edge_t edge = { .http = http, .upstream = upstream, .chain = &PRAGUE, .now_ms = clock_system_ms };
    query_free(s.call);
    s.call = NULL;
    s.block.state_root = world_root(&s.w);
    return call_run(&s.call, why, 512, &edge, &s.block, &s.request);
}

static void expect_word(uint64_t word, unsigned rounds)
{
    char why[512] = "";
    rc_t rc = run_call(why);
    ck_assert_msg(rc == RC_OK, "%s: %s", rc_name(rc), why);
    ck_assert_uint_eq(result_word(&s), word);
    ck_assert_uint_eq(ex_call_rounds(s.call), rounds);
}

static up_status_t status_of(unsigned i)
{
    up_status_t all[UP_ENDPOINTS_MAX];
    up_snapshot(upstream, all);
    return all[i];
}

START_TEST(many_needs_go_in_batches_of_bounded_length_side_by_side)
{
    open_world(BALANCES_900);
    ends[0].pause_ms = 100;
    expect_word(42, 2);
    ck_assert_uint_eq(ends[0].most_elements, BATCH_MAX);
    ck_assert_uint_eq(ends[0].most_now, BATCHES_MAX);
    ck_assert_uint_eq(ends[0].batches, 1 + 9); /* hint, receiver, its code, sender; then 900 accounts */
    ck_assert_uint_eq(ends[0].elements, 4 + 900);
    ck_assert_uint_eq(ends[1].batches, 0);
    close_world();
}
END_TEST

START_TEST(slots_of_one_batch_are_bounded_too)
{
    open_world(SLOADS_1200);
    world_set(&s.w.accounts[0], 7, u256_of(1));
    expect_word(42, 2);
    ck_assert_uint_eq(ends[0].most_slots, BATCH_SLOTS_MAX);
    ck_assert_uint_eq(ends[0].batches, 1 + 4); /* the slot met first, then 512, 512 and 175 */
    close_world();
}
END_TEST

START_TEST(what_only_a_guess_asked_for_concerns_no_other_endpoint)
{
    open_world(SLOAD_CHAIN_OR_9);
    world_set(&s.w.accounts[0], 0, u256_of(5));
    world_set(&s.w.accounts[0], 5, u256_of(1234));
    ends[0].refused = "\"0x0000000000000000000000000000000000000000000000000000000000000009\"";
    expect_word(1234, 3);
    ck_assert_uint_eq(ends[0].batches, 3);
    ck_assert_uint_eq(ends[1].batches, 0);
    ck_assert_uint_eq(status_of(0).failures, 0);
    close_world();
}
END_TEST

START_TEST(next_endpoint_is_asked_for_what_the_first_did_not_answer_and_for_no_more)
{
    open_world(RETURN_42);
    ends[0].refused = PROOF_OF_A;
    expect_word(42, 1);
    ck_assert_uint_eq(ends[0].elements, 4);
    ck_assert_uint_eq(ends[1].batches, 1);
    ck_assert_uint_eq(ends[1].elements, 1);
    ck_assert(status_of(0).failing);
    ck_assert_uint_eq(status_of(0).lies, 0);
    ck_assert_ptr_nonnull(strstr(status_of(0).reason, "not here"));
    ck_assert(!status_of(1).failing);
    close_world();
}
END_TEST

START_TEST(false_proof_is_counted_and_another_endpoint_asked)
{
    open_world(RETURN_42);
    ends[0].falsified = "a000";
    expect_word(42, 1);
    ck_assert_uint_eq(ends[1].elements, 1);
    ck_assert_uint_eq(status_of(0).lies, 1);
    close_world();
}
END_TEST

/* The first endpoint has all but the sender, who is nobody's need for certain. */
START_TEST(bad_fallback_does_not_stop_what_the_first_endpoint_made_possible)
{
    static const endpoint_t bad[] = {
        { .status = 500 }, { .refused = PROOF_OF_B }, { .falsified = "bb01" }, { .status = 429 }
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        open_world(RETURN_42);
        s.request.from = (addr_t){ { 0xbb, 1 } };
        ends[0].refused = PROOF_OF_B;
        ends[1] = bad[i];
        expect_word(42, 1);
        ck_assert_uint_eq(ends[1].batches, 1);
        ck_assert_uint_eq(status_of(1).lies, bad[i].falsified != NULL);
        close_world();
    }
}
END_TEST

/* A set that was learned makes one round of 902 needs, the sender last, because its balance is needed for certain. */
START_TEST(error_for_one_element_does_not_stop_the_batches_after_it)
{
    char why[512] = "";
    open_world(BALANCES_900);
    const ex_cache_config_t sizes = { .bytes_max = 16 << 20 };
    ex_cache_t *cache = ex_cache_new(&sizes);
    up_free(upstream);
    upstream = up_new((const char *const[]){ url[0] }, 1);
    const call_edge_t edge = {
        .http = http, .upstream = upstream, .chain = &PRAGUE, .cache = cache, .now_ms = clock_system_ms
    };
    ck_assert_msg(call_run(&s.call, why, sizeof why, &edge, &s.block, &s.request) == RC_OK, "%s", why);
    query_free(s.call);
    s.call = NULL;
    world_set(&s.w.accounts[0], 7, u256_of(1));
    s.block.state_root = world_root(&s.w);
    s.request.from = (addr_t){ { 0xbb, 1 } };
    s.request.has_gas_price = s.request.has_gas = true;
    s.request.gas_price = u256_of(1000000000000);
    s.request.gas = 9000000;
    ends[0] = (endpoint_t){ .refused = "\"0x0000000000000000000000000000000000000383\"", .refusing = 8 };
    ck_assert_int_eq(call_run(&s.call, why, sizeof why, &edge, &s.block, &s.request), RC_REFUSED);
    ck_assert_msg(strstr(why, "insufficient funds") != NULL, "%s", why);
    s.call = NULL;
    close_world();
    ex_cache_free(cache);
}
END_TEST

START_TEST(fault_names_the_last_endpoint_the_method_and_the_account)
{
    static const struct {
        endpoint_t end;
        const char *text;
    } faults[] = {
        { { .refused = PROOF_OF_A },
          "eth_getProof 0xac0000000000000000000000000000000000a000: error -32000: not here" },
        { { .falsified = "a000" }, "eth_getProof 0xac0000000000000000000000000000000000a000: " },
        { { .status = 500 }, "HTTP status 500" },
    };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        char why[512] = "";
        open_world(RETURN_42);
        ends[0] = ends[1] = faults[i].end;
        ck_assert_int_eq(run_call(why), RC_IO);
        ck_assert_msg(strstr(why, url[1]) == why && strstr(why, faults[i].text), "%s", why);
        ck_assert_uint_eq(ends[0].batches, 1);
        ck_assert_uint_eq(ends[1].batches, 1);
        close_world();
    }
}
END_TEST

static bool yes(void *ctx)
{
    (void)ctx;
    return true;
}

START_TEST(cancelled_call_ends_and_blames_no_endpoint)
{
    char why[512] = "";
    open_world(RETURN_42);
    call_edge_t edge = {
        .http = http, .upstream = upstream, .chain = &PRAGUE, .now_ms = clock_system_ms, .cancelled = yes
    };
    ck_assert_int_eq(call_run(&s.call, why, sizeof why, &edge, &s.block, &s.request), RC_TIMEOUT);
    ck_assert_uint_eq(status_of(0).failures, 0);
    close_world();
}
END_TEST

int main(void)
{
    return UNIT_RUN("node_call", many_needs_go_in_batches_of_bounded_length_side_by_side,
                    slots_of_one_batch_are_bounded_too, what_only_a_guess_asked_for_concerns_no_other_endpoint,
                    next_endpoint_is_asked_for_what_the_first_did_not_answer_and_for_no_more,
                    false_proof_is_counted_and_another_endpoint_asked,
                    bad_fallback_does_not_stop_what_the_first_endpoint_made_possible,
                    error_for_one_element_does_not_stop_the_batches_after_it,
                    fault_names_the_last_endpoint_the_method_and_the_account,
                    cancelled_call_ends_and_blames_no_endpoint);
}
