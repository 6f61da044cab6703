/* POST /rpc from the wire to the wire: server, machine, engine, endpoints on loopback. */
#include <check.h>
#include <semaphore.h>

#include "http/server.h"
#include "node/rpc.h"
#include "tests/unit/ask_world.h"

static hs_t *server;
static node_rpc_t *rpc;
static api_world_t api_world;
static char rpc_url[64];

static void on_post(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    (void)ctx;
    node_rpc_post(rpc, r, request, &api_world);
}

static const hs_route_t routes[] = { { "POST", "/rpc", on_post, 0 } };

static void setup(void)
{
    err_t e;
    const hs_config_t config = { .address = "127.0.0.1", .routes = routes, .route_count = 1 };
    open_world(RETURN_42);
    rpc = node_rpc_new(engine, NULL, pool);
    ck_assert_ptr_nonnull(rpc);
    api_world = (api_world_t){ .chain = &PRAGUE, .latest = s.block };
    ck_assert_msg(hs_start(&server, &e, &config) == RC_OK, "%s", e.text);
    snprintf(rpc_url, sizeof rpc_url, "http://127.0.0.1:%u/rpc", hs_port(server));
}

static void teardown(void)
{
    ask_cancel(engine);
    hs_stop(server, 1000);
    node_rpc_free(rpc);
    rpc = NULL;
    close_world();
}

/* The body of the answer, NUL-terminated, from malloc; its status in *status. */
static char *post(int *status, const char *text)
{
    hc_response_t r;
    const hc_request_t q = { .url = rpc_url, .post = view_str(text) };
    hc_perform(http, &r, &q, 1, NULL, NULL);
    ck_assert_msg(r.why.rc == RC_OK, "%s", r.why.text);
    char *body = calloc(1, r.body_len + 1);
    if (r.body_len)
        memcpy(body, r.body, r.body_len);
    *status = r.status;
    hc_response_clear(&r);
    return body;
}

static void expect_answer(const char *request, const char *answer)
{
    int status;
    char *body = post(&status, request);
    ck_assert_int_eq(status, 200);
    ck_assert_str_eq(body, answer);
    free(body);
}

#define BALANCE(id, addr)                                                                                              \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"eth_getBalance\",\"params\":[\"" addr "\",\"latest\"]}"
#define CALL_A                                                                                                         \
    "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"eth_call\",\"params\":["                                               \
    "{\"to\":\"0xac0000000000000000000000000000000000a000\"}]}"
#define OF_A BALANCE("1", "0xac0000000000000000000000000000000000a000")
#define OF_NOBODY BALANCE("2", "0xac0000000000000000000000000000000000dead")

START_TEST(a_batch_is_proven_and_answered_in_order)
{
    expect_answer(
        "[" OF_A "," OF_NOBODY "," CALL_A ",{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"eth_blockNumber\"}]",
        "[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x3e8\"},{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":\"0x0\"},"
        "{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":"
        "\"0x000000000000000000000000000000000000000000000000000000000000002a\"},"
        "{\"jsonrpc\":\"2.0\",\"id\":4,\"result\":\"0x3e8\"}]");
    ck_assert_uint_le(ends[0].batches, 4);
    ck_assert_uint_eq(ends[1].batches, 0);
}
END_TEST

START_TEST(what_changes_something_waits_for_what_stands_before_it)
{
    expect_answer(
        "[" OF_A ",{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"eth_uninstallFilter\",\"params\":[\"0x1\"]}]",
        "[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x3e8\"},{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":false}]");
}
END_TEST

static atomic_uint left_asked, removals;
static sem_t told;

/* He is there when his request is begun, and then no more. */
static bool has_left(void *ctx)
{
    (void)ctx;
    return atomic_fetch_add(&left_asked, 1) > 0;
}

static bool note_removal(void *ctx, void *session, view_t id)
{
    (void)ctx, (void)session, (void)id;
    atomic_fetch_add(&removals, 1);
    return true;
}

static void on_told(void *ctx, view_t text)
{
    (void)ctx, (void)text;
    sem_post(&told);
}

START_TEST(what_waits_to_change_something_is_not_begun_for_who_has_left)
{
    static const api_events_t events = { .remove = note_removal };
    static const char batch[] =
        "[" OF_A ",{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"eth_uninstallFilter\",\"params\":[\"0x1\"]}]";
    api_world.events = &events;
    sem_init(&told, 0, 0);
    node_rpc_run(
        rpc, &api_world,
        &(node_rpc_call_t){
            .take_body = (uint8_t *)strdup(batch), .n = strlen(batch), .done = on_told, .unwanted = has_left });
    while (sem_wait(&told)) {
    }
    ck_assert_uint_eq(atomic_load(&removals), 0);
    ck_assert_uint_gt(atomic_load(&left_asked), 1);
    sem_destroy(&told);
}
END_TEST

START_TEST(notifications_get_an_empty_answer)
{
    expect_answer("{\"jsonrpc\":\"2.0\",\"method\":\"eth_blockNumber\"}", "");
}
END_TEST

START_TEST(what_no_endpoint_can_prove_is_an_error_that_names_one)
{
    int status;
    ends[0].status = ends[1].status = 500;
    char *body = post(&status, OF_A);
    ck_assert_int_eq(status, 200);
    ck_assert_ptr_nonnull(strstr(body, "{\"code\":-32002,\"message\":\"no upstream could prove it: execution_rpc["));
    free(body);
}
END_TEST

START_TEST(a_node_without_an_engine_says_why)
{
    node_rpc_t *kept = rpc;
    rpc = NULL;
    api_world = (api_world_t){ .not_ready = "awaiting-setup: no setup yet" };
    expect_answer(
        "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_chainId\"}]",
        "[{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32002,\"message\":\"awaiting-setup: no setup yet\"}}]");
    rpc = kept;
}
END_TEST

static void *post_in_thread(void *out)
{
    int status;
    *(char **)out = post(&status, OF_A);
    return NULL;
}

START_TEST(a_request_that_waits_is_answered_when_the_node_stops)
{
    pthread_t thread;
    char *body = NULL;
    ends[0].held = ends[1].held = true;
    ck_assert_int_eq(pthread_create(&thread, NULL, post_in_thread, &body), 0);
    for (unsigned i = 0; i < 500 && !ends[0].now; i++) /* it has come to the endpoint */
        pause_ms(10);
    ask_cancel(engine);
    pthread_join(thread, NULL);
    ck_assert_ptr_nonnull(strstr(body, "\"code\":-32002"));
    free(body);
}
END_TEST

/* ---- what memory answers ---- */

static atomic_uint blocked, answered;
static atomic_bool blocks;

static void block(pool_task_t *t)
{
    (void)t;
    atomic_fetch_add(&blocked, 1);
    while (atomic_load(&blocks))
        pause_ms(1);
}

static void on_answered(void *ctx, view_t body)
{
    (void)ctx, (void)body;
    atomic_fetch_add(&answered, 1);
}

/* By HTTP they wait for no thread of the pool. Of those that came by a WebSocket thousands may be in one read, and its
 * thread serves all the others: they have their turns. */
START_TEST(what_memory_answers_waits_for_no_thread_but_a_flood_of_it_by_websocket_has_its_turns)
{
    enum { FLOOD = 1000, THREADS = 2 };
    static const char chain_id[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_chainId\"}";
    pool_task_t tasks[THREADS] = { { .run = block }, { .run = block } };
    atomic_store(&blocks, true);
    for (unsigned i = 0; i < THREADS; i++)
        pool_push(pool, &tasks[i]);
    while (atomic_load(&blocked) < THREADS)
        pause_ms(1);
    expect_answer(chain_id, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x1\"}");
    for (unsigned i = 0; i < FLOOD; i++) {
        uint8_t *body = malloc(sizeof chain_id);
        memcpy(body, chain_id, sizeof chain_id);
        node_rpc_run(rpc, &api_world,
                     &(node_rpc_call_t){ .take_body = body, .n = sizeof chain_id - 1, .done = on_answered });
    }
    ck_assert_uint_eq(atomic_load(&answered), 0);
    atomic_store(&blocks, false);
    for (unsigned i = 0; i < 5000 && atomic_load(&answered) < FLOOD; i++)
        pause_ms(1);
    ck_assert_uint_eq(atomic_load(&answered), FLOOD);
}
END_TEST

/* Nobody is asked, nothing runs on the pool, whatever the id; but of another head it is a new question, and what was no
 * result is asked again. */
START_TEST(what_was_answered_at_the_same_head_is_answered_at_once)
{
    enum { THREADS = 2 };
    pool_task_t tasks[THREADS] = { { .run = block }, { .run = block } };
    expect_answer(OF_A, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x3e8\"}");
    const unsigned batches = ends[0].batches;
    atomic_store(&blocked, 0);
    atomic_store(&blocks, true);
    for (unsigned i = 0; i < THREADS; i++)
        pool_push(pool, &tasks[i]);
    while (atomic_load(&blocked) < THREADS)
        pause_ms(1);
    expect_answer(BALANCE("\"x-7\"", "0xac0000000000000000000000000000000000a000"),
                  "{\"jsonrpc\":\"2.0\",\"id\":\"x-7\",\"result\":\"0x3e8\"}");
    ck_assert_uint_eq(node_rpc_tally(rpc, (size_t)(api_method(view_str("eth_getBalance")) - API_METHODS))->calls, 2);
    atomic_store(&blocks, false);
    ck_assert_uint_eq(ends[0].batches, batches);
    ends[0].status = ends[1].status = 500;
    api_world.latest.block_hash.b[0] ^= 1;
    int status;
    char *body = post(&status, OF_A);
    ck_assert_ptr_nonnull(strstr(body, "\"code\":-32002"));
    free(body);
}
END_TEST

#define SEND                                                                                                           \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_sendRawTransaction\",\"params\":[\"0x02f86e0102843b9aca00845d3df5" \
    "15825f41945fbdb2315678afecb367f032d93f642f64180aa3808406fdde03c001a051b76019447bddda9ba2b78c342147b05f2bd7f54e6a" \
    "131f0eb68e2b665d9d5aa00870cc8624f9b1b0bee831057ffd088000a05627eb11f77cde7821ffc8568186\"]}"

/* Of the two endpoints the second is the relay here. */
START_TEST(what_is_sent_goes_to_relays_alone_where_there_are_some)
{
    err_t e;
    ask_t *sends;
    up_t *relays = up_new((const char *const[]){ url[1] }, 1);
    up_call(relays, "send_rpc");
    const ask_config_t config = { .http = http, .upstream = relays, .pool = pool, .now_ms = clock_system_ms };
    ck_assert_msg(ask_new(&sends, &e, &config) == RC_OK, "%s", e.text);
    node_rpc_free(rpc);
    rpc = node_rpc_new(engine, sends, pool);
    expect_answer(SEND, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":"
                        "\"0xf0a99f1cff6769814848eb3dcaeb483ce3fa4278b0f2f9a079b34451acf8f67b\"}");
    ck_assert_uint_eq(ends[1].elements, 1);
    ends[1].refused = "eth_sendRawTransaction";
    ends[1].words = "nonce too low";
    expect_answer(SEND, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32000,\"message\":\"nonce too low\"}}");
    ends[1].status = 500;
    int status;
    char *body = post(&status, SEND);
    ck_assert_ptr_nonnull(strstr(body, "\"code\":-32002,\"message\":\"no upstream could prove it: send_rpc[0]: "));
    free(body);
    ck_assert_uint_eq(ends[0].batches, 0);
    expect_answer(OF_A, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x3e8\"}");
    ck_assert_uint_eq(ends[0].batches, 1);
    ask_cancel(sends);
    node_rpc_free(rpc);
    rpc = node_rpc_new(engine, NULL, pool);
    ask_free(sends);
    up_free(relays);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND(
        "node_rpc", setup, teardown,
        what_memory_answers_waits_for_no_thread_but_a_flood_of_it_by_websocket_has_its_turns,
        what_was_answered_at_the_same_head_is_answered_at_once, what_is_sent_goes_to_relays_alone_where_there_are_some,
        a_batch_is_proven_and_answered_in_order, what_changes_something_waits_for_what_stands_before_it,
        what_waits_to_change_something_is_not_begun_for_who_has_left, notifications_get_an_empty_answer,
        what_no_endpoint_can_prove_is_an_error_that_names_one, a_node_without_an_engine_says_why,
        a_request_that_waits_is_answered_when_the_node_stops);
}
