/* Both ends of trusted pods' protocols on a network in memory: the order of calls, each connection by itself, slots and
 * limits, requests that are none. */
#include <stdlib.h>

#include "overlay/net/memory.h"
#include "overlay/tpod/ask.h"
#include "overlay/tpod/attest.h"
#include "overlay/tpod/check.h"
#include "overlay/tpod/codec.h"
#include "overlay/tpod/serve.h"
#include "overlay/wire/proto.h"
#include "tests/unit/net_pair.h"
#include "tests/unit/unit.h"

#define CONNS 40u

static memory_t *world;
static wire_id_t provider_id, publisher_id;
static net_t *provider, *publisher;
static tpod_serve_t *serve;
static tpod_asker_t asker;
static arena_t arena;
static maddr_t at;

/* The provider's owner. */
static const tpod_asked_t *asked[CONNS];
static size_t asked_count;
static bool by_itself; /* answers at once */
static unsigned lefts;
static bool leaves; /* is told who has left */

/* The publisher. */
static net_conn_t *conns[CONNS];
static unsigned bye[CONNS], closes;
static struct {
    rc_t rc;
    unsigned calls;
    uint8_t bytes[2048];
    size_t n;
} got;

static tpod_resource_t resources[] = { { .which = TPOD_MILLIS, .amount = 4000 }, { .which = TPOD_GIBI, .amount = 8 } };
static tpod_priced_t prices[] = { { .reservation = 10, .usage = 1 } };
static uint8_t addresses[3][32];
static tpod_pricing_t pricing = { prices, 1, { addresses[0], 20 } };
static tpod_capacity_t capacity = { resources, 2, &pricing, { addresses[1], 20 } };
static const uint8_t chain[] = { 0, 100 };
static tpod_payment_t payment;

static void answer_attest(const tpod_asked_t *a, const char *error)
{
    const tpod_attest_response_t r = { .evidence = view_str("evidence"), .version = 1, .error = view_str(error) };
    tpod_serve_answer(serve, a, &r);
}

static void on_asked(void *ctx, const tpod_asked_t *a)
{
    (void)ctx;
    ck_assert(peerid_eq(&a->client, net_self(publisher)));
    if (by_itself && a->call == TPOD_ATTEST) {
        answer_attest(a, "");
        return;
    }
    ck_assert_uint_lt(asked_count, CONNS);
    asked[asked_count++] = a;
}

/* What nobody waits for is not begun. */
static void on_left(void *ctx, const tpod_asked_t *a)
{
    (void)ctx;
    lefts++;
    ck_assert(asked_count == 1 && asked[0] == a);
    answer_attest(a, "nobody waits");
    asked_count = 0;
}

static void on_opened(void *ctx, net_conn_t *c)
{
    (void)ctx;
    conns[(uintptr_t)net_user(c)] = c;
}

static void on_closed(void *ctx, net_conn_t *c, const err_t *why)
{
    const uintptr_t i = (uintptr_t)net_user(c);
    (void)ctx, (void)why;
    bye[i] = net_bye_code(c);
    conns[i] = NULL;
    closes++;
}

static void on_answer(void *ctx, rc_t rc, view_t message)
{
    (void)ctx;
    got.rc = rc;
    got.calls++;
    got.n = message.n < sizeof got.bytes ? message.n : 0;
    if (got.n)
        memcpy(got.bytes, message.p, got.n);
}

static void run(uint64_t ms)
{
    const uint64_t until = memory_now(world) + ms;
    for (uint64_t t = memory_now(world); t <= until; t += ms > 1000 ? 250 : 5) {
        memory_run(world, t);
        (void)tpod_serve_turn(serve, t);
    }
}

static void open_world(const tpod_payment_t *paid)
{
    const memory_faults_t fair = { .delay_min_ms = 10, .delay_max_ms = 10 };
    const tpod_serve_config_t c = {
        .capacity = &capacity, .payment = paid, .asked = on_asked, .left = leaves ? on_left : NULL
    };
    net_config_t n = { .who = provider_id.who };
    ck_assert_int_eq(memory_new(&world, 1, &fair), RC_OK);
    ck_assert_int_eq(tpod_serve_new(&serve, &c), RC_OK);
    tpod_serve_net(serve, &n);
    ck_assert_int_eq(net_new(&provider, &n), RC_OK);
    ck_assert_int_eq(memory_join(world, provider), RC_OK);
    const net_config_t p = { .who = publisher_id.who, .events = { .opened = on_opened, .closed = on_closed } };
    ck_assert_int_eq(net_new(&publisher, &p), RC_OK);
    ck_assert_int_eq(memory_join(world, publisher), RC_OK);
    ck_assert_int_eq(maddr_read_text(&at, NULL, view_str("/ip4/10.0.0.1/tcp/4001")), RC_OK);
    ck_assert_int_eq(net_listen(provider, NULL, &at), RC_OK);
}

static void close_world(void)
{
    net_free(publisher);
    net_free(provider);
    for (size_t i = 0; i < asked_count; i++)
        answer_attest(asked[i], "over"); /* nobody waits any more */
    asked_count = 0;
    tpod_serve_free(serve);
    memory_free(world);
}

static void begin(void)
{
    ck_assert_int_eq(secret_init(), RC_OK);
    resources[0].resource = prices[0].resource = view_str("cpu");
    resources[1].resource = view_str("memory");
    memset(addresses[0], 0x11, 32);
    memset(addresses[1], 0x22, 32);
    memset(addresses[2], 0x33, 32);
    payment =
        (tpod_payment_t){ .chain_id = { chain, 2 }, .contract = { addresses[2], 20 }, .provider = capacity.provider };
    wire_secp256k1(&provider_id, "provider");
    wire_ed25519(&publisher_id, "publisher");
    tpod_asker_init(&asker);
    arena_init(&arena, (size_t)8 << 20);
    memset(conns, 0, sizeof conns);
    memset(bye, 0, sizeof bye);
    memset(&got, 0, sizeof got);
    closes = lefts = 0;
    by_itself = true;
    leaves = false;
    open_world(NULL);
}

static void end(void)
{
    close_world();
    wire_id_clear(&provider_id);
    wire_id_clear(&publisher_id);
    arena_free(&arena);
}

static void dial(size_t i)
{
    net_conn_t *c;
    err_t e;
    ck_assert_int_eq(net_dial(publisher, &c, &e, &at, (void *)(uintptr_t)i), RC_OK);
    run(100);
}

static rc_t ask_later(size_t i, tpod_call_t call, const void *request)
{
    memset(&got, 0, sizeof got);
    return tpod_ask(&asker, conns[i], call, request, on_answer, NULL);
}

static rc_t ask(size_t i, tpod_call_t call, const void *request)
{
    ck_assert_int_eq(ask_later(i, call, request), RC_OK);
    run(200);
    ck_assert_uint_eq(got.calls, 1);
    return got.rc;
}

static const uint8_t nonce[TPOD_NONCE_LEN] = { 7 };
static const tpod_attest_request_t attest = { { nonce, sizeof nonce }, false };
static const tpod_capacity_request_t everything;

/* A request that is good, but for payment. */
static tpod_image_t image = { .key = 0 };
static tpod_container_t container = { .image = &image };
static tpod_pod_t pod = { .containers = &container, .container_count = 1 };
static tpod_key_t key;
static tpod_provision_request_t provision = { .pod = &pod, .keys = &key, .key_count = 1 };

static void fill(void)
{
    image.cid = view_str("bafy");
    container.name = view_str("c");
    key.pem = view_str("PEM");
    provision.payment = NULL;
    provision.pricing = NULL;
}

static tpod_attest_response_t attested(void)
{
    tpod_attest_response_t r;
    err_t e;
    ck_assert_int_eq(tpod_read(&r, &e, &arena, &TPOD_ATTEST_RESPONSE, view_of(got.bytes, got.n)), RC_OK);
    return r;
}

static const char *error_of_provision(void)
{
    tpod_provision_response_t r;
    err_t e;
    ck_assert_int_eq(tpod_read(&r, &e, &arena, &TPOD_PROVISION_RESPONSE, view_of(got.bytes, got.n)), RC_OK);
    return arena_strdup(&arena, r.error);
}

START_TEST(attest_then_capacity_then_provision)
{
    tpod_capacity_t told;
    err_t e;
    fill();
    dial(1);
    ck_assert_int_eq(ask(1, TPOD_ATTEST, &attest), RC_OK);
    ck_assert(view_eq(attested().evidence, view_str("evidence")) && !attested().capacity);
    ck_assert_int_eq(ask(1, TPOD_CAPACITY, &everything), RC_OK);
    ck_assert_int_eq(tpod_read(&told, &e, &arena, &TPOD_CAPACITY_RESPONSE, view_of(got.bytes, got.n)), RC_OK);
    ck_assert(told.resource_count == 2 && told.resources[0].which == TPOD_MILLIS && told.resources[0].amount == 4000);
    ck_assert(tpod_pricing_eq(told.pricing, &pricing) && view_eq(told.provider, capacity.provider));
    provision.pricing = &pricing;
    ck_assert_int_eq(ask_later(1, TPOD_PROVISION, &provision), RC_OK);
    run(200);
    ck_assert(asked_count == 1 && asked[0]->call == TPOD_PROVISION && got.calls == 0);
    const tpod_provision_request_t *r = asked[0]->request;
    ck_assert(view_eq(r->keys[0].pem, view_str("PEM")) && view_eq(r->pod->containers[0].image->cid, view_str("bafy")));
    tpod_host_port_t where = { view_str("/ip4/127.0.0.1/tcp/80"), view_str("c"), 80 };
    const tpod_provision_response_t done = { .addresses = &where, .address_count = 1 };
    tpod_serve_answer(serve, asked[0], &done);
    asked_count = 0;
    run(200);
    ck_assert_int_eq(got.rc, RC_OK);
    ck_assert_str_eq(error_of_provision(), "");
}
END_TEST

START_TEST(nothing_else_is_served_before_an_attestation_on_this_connection)
{
    fill();
    dial(1);
    dial(2);
    ck_assert_int_eq(ask(1, TPOD_CAPACITY, &everything), RC_UNSUPPORTED);
    ck_assert_int_eq(ask(1, TPOD_PROVISION, &provision), RC_UNSUPPORTED);
    ck_assert_int_eq(ask(1, TPOD_ATTEST, &attest), RC_OK);
    ck_assert_int_eq(ask(1, TPOD_CAPACITY, &everything), RC_OK);
    /* the same peer, another connection */
    ck_assert_int_eq(ask(2, TPOD_CAPACITY, &everything), RC_UNSUPPORTED);
    ck_assert_int_eq(ask(2, TPOD_PROVISION, &provision), RC_UNSUPPORTED);
    ck_assert_uint_eq(asked_count, 0);
}
END_TEST

START_TEST(an_attestation_that_fails_opens_nothing)
{
    fill();
    by_itself = false;
    dial(1);
    ck_assert_int_eq(ask_later(1, TPOD_ATTEST, &attest), RC_OK);
    run(200);
    ck_assert_uint_eq(asked_count, 1);
    /* while it is under way: one request of a connection at a time, and nothing else is served */
    ck_assert_int_eq(tpod_ask(&asker, conns[1], TPOD_ATTEST, &attest, on_answer, NULL), RC_OK);
    ck_assert_int_eq(tpod_ask(&asker, conns[1], TPOD_PROVISION, &provision, on_answer, NULL), RC_OK);
    run(200);
    ck_assert(got.calls == 2 && got.rc && asked_count == 1);
    memset(&got, 0, sizeof got);
    answer_attest(asked[0], "no quote");
    asked_count = 0;
    run(200);
    ck_assert(view_eq(attested().error, view_str("no quote")));
    ck_assert_int_eq(ask(1, TPOD_PROVISION, &provision), RC_UNSUPPORTED);
    const tpod_attest_request_t bad = { { nonce, 31 }, false };
    ck_assert_int_eq(ask(1, TPOD_ATTEST, &bad), RC_OK);
    ck_assert(view_eq(attested().error, view_str("nonce: must have 32 bytes")) && asked_count == 0);
    ck_assert_int_eq(ask(1, TPOD_CAPACITY, &everything), RC_UNSUPPORTED);
}
END_TEST

START_TEST(capacity_comes_with_an_attestation_and_by_name)
{
    const tpod_attest_request_t both = { { nonce, sizeof nonce }, true };
    tpod_resource_t wanted = { .resource = view_str("memory") };
    const tpod_capacity_request_t some = { &wanted, 1 };
    tpod_capacity_t told;
    err_t e;
    dial(1);
    ck_assert_int_eq(ask(1, TPOD_ATTEST, &both), RC_OK);
    ck_assert(attested().capacity && attested().capacity->resource_count == 2);
    ck_assert_int_eq(ask(1, TPOD_CAPACITY, &some), RC_OK);
    ck_assert_int_eq(tpod_read(&told, &e, &arena, &TPOD_CAPACITY_RESPONSE, view_of(got.bytes, got.n)), RC_OK);
    ck_assert(told.resource_count == 1 && view_eq(told.resources[0].resource, view_str("memory")) && told.pricing);
}
END_TEST

START_TEST(the_deadline_closes_strangers_and_the_idle_limit_the_others)
{
    dial(1);
    dial(2);
    ck_assert_int_eq(ask(1, TPOD_ATTEST, &attest), RC_OK);
    run(TPOD_DEADLINE_MS - 5000);
    ck_assert(conns[1] && conns[2]);
    run(6000);
    ck_assert(conns[1] && !conns[2] && bye[2] == NET_BYE_ATTEST);
    run(TPOD_IDLE_MS - TPOD_DEADLINE_MS - 10000);
    ck_assert_int_eq(ask(1, TPOD_CAPACITY, &everything), RC_OK); /* begins the time anew */
    run(TPOD_IDLE_MS - 5000);
    ck_assert(conns[1]);
    run(6000);
    ck_assert(!conns[1] && closes == 2);
}
END_TEST

START_TEST(sixteen_are_attested_and_the_next_is_told_so)
{
    size_t attested_count, strangers;
    for (size_t i = 0; i < TPOD_SLOTS; i++) {
        dial(i);
        ck_assert_int_eq(ask(i, TPOD_ATTEST, &attest), RC_OK);
        ck_assert_uint_eq(attested().error.n, 0);
    }
    dial(20);
    ck_assert_int_eq(ask(20, TPOD_ATTEST, &attest), RC_OK);
    ck_assert(view_eq(attested().error, view_str("no slot is free")));
    ck_assert_int_eq(ask(20, TPOD_CAPACITY, &everything), RC_UNSUPPORTED);
    ck_assert_int_eq(ask(0, TPOD_ATTEST, &attest), RC_OK); /* who has one may attest again */
    ck_assert_uint_eq(attested().error.n, 0);
    tpod_serve_counts(serve, &attested_count, &strangers);
    ck_assert(attested_count == TPOD_SLOTS && strangers == 1);
    net_close(conns[3], NET_BYE, "bye");
    run(100);
    ck_assert_int_eq(ask(20, TPOD_ATTEST, &attest), RC_OK);
    ck_assert_uint_eq(attested().error.n, 0);
}
END_TEST

START_TEST(strangers_make_room_and_never_those_who_attested)
{
    dial(0);
    ck_assert_int_eq(ask(0, TPOD_ATTEST, &attest), RC_OK);
    for (size_t i = 1; i <= TPOD_STRANGERS; i++)
        dial(i);
    dial(30); /* too soon */
    ck_assert(!conns[30] && bye[30] == NET_BYE_SLOTS_FULL && conns[1]);
    run(TPOD_STRANGER_MS);
    dial(31);
    ck_assert(conns[31] && !conns[1] && bye[1] == NET_BYE_SLOTS_FULL && conns[0] && conns[2]);
}
END_TEST

START_TEST(only_the_offered_table_is_taken)
{
    tpod_priced_t dearer = prices[0];
    tpod_pricing_t other = { &dearer, 1, pricing.currency };
    fill();
    dial(1);
    ck_assert_int_eq(ask(1, TPOD_ATTEST, &attest), RC_OK);
    dearer.reservation--;
    provision.pricing = &other;
    ck_assert_int_eq(ask(1, TPOD_PROVISION, &provision), RC_OK);
    ck_assert_str_eq(error_of_provision(), "pricing: is not the table that is offered");
    ck_assert_uint_eq(asked_count, 0);
}
END_TEST

START_TEST(who_is_to_be_paid_names_chain_contract_and_provider)
{
    static const char *const errors[] = { "payment: is missing",
                                          "payment.contractAddress: is not the contract of this provider",
                                          "payment.providerAddress: is not this provider",
                                          "payment.chainID: is not the chain of this provider", "pricing: is missing" };
    close_world();
    open_world(&payment);
    fill();
    dial(1);
    ck_assert_int_eq(ask(1, TPOD_ATTEST, &attest), RC_OK);
    for (size_t i = 0; i < 6; i++) {
        uint8_t contract[20], to[20], id[] = { (uint8_t)(i == 3 ? 99 : 100) };
        tpod_payment_t p = { .chain_id = view_of(id, 1),
                             .publisher = { addresses[0], 20 },
                             .pod_id = { addresses[0], 32 } };
        memcpy(contract, payment.contract.p, 20);
        memcpy(to, payment.provider.p, 20);
        contract[19] ^= i == 1;
        to[0] ^= i == 2;
        p.contract = view_of(contract, 20);
        p.provider = view_of(to, 20);
        provision.payment = i ? &p : NULL;
        provision.pricing = i == 4 ? NULL : &pricing;
        ck_assert_int_eq(ask_later(1, TPOD_PROVISION, &provision), RC_OK);
        run(200);
        ck_assert_uint_eq(asked_count, i == 5);
        if (i < 5)
            ck_assert_str_eq(error_of_provision(), errors[i]);
    }
    const tpod_provision_request_t *r = asked[0]->request;
    ck_assert(view_eq(r->payment->pod_id, view_of(addresses[0], 32)));
}
END_TEST

START_TEST(a_manifest_that_breaks_a_rule_never_reaches_the_owner)
{
    fill();
    dial(1);
    ck_assert_int_eq(ask(1, TPOD_ATTEST, &attest), RC_OK);
    image.key = 1;
    ck_assert_int_eq(ask(1, TPOD_PROVISION, &provision), RC_OK);
    ck_assert_str_eq(error_of_provision(),
                     "podManifest.containers[0].image.keyIdx: keyIdx 1 of 1; -1 is what is not encrypted");
    ck_assert_uint_eq(asked_count, 0);
    image.key = 0;
}
END_TEST

/* Bytes on a stream as they are. */
static net_protocol_t raw = { .closed = NULL };
static unsigned raw_closed;

static void on_raw_closed(void *ctx, net_stream_t *s, rc_t why)
{
    (void)ctx, (void)s, (void)why;
    raw_closed++;
}

static net_stream_t *send_raw(tpod_call_t call, view_t bytes)
{
    net_stream_t *stream;
    raw = (net_protocol_t){ .name = TPOD_PROTOCOL[call].name, .closed = on_raw_closed };
    raw_closed = 0;
    ck_assert_int_eq(net_open(conns[1], &stream, &raw, NULL), RC_OK);
    ck_assert_int_eq(net_write(stream, bytes), RC_OK);
    run(200);
    return stream;
}

/* An attestation request with its length. */
static view_t raw_attest(void)
{
    static uint8_t bytes[64];
    wr_t w = wr_of(bytes, sizeof bytes);
    tpod_write(&w, &TPOD_ATTEST_REQUEST, &attest);
    pb_delimit(&w, 0);
    ck_assert(!w.bad);
    return wr_view(&w);
}

START_TEST(what_is_no_request_ends_its_stream_and_not_the_connection)
{
    static uint8_t big[300];
    wr_t w = wr_of(big, sizeof big);
    fill();
    dial(1);
    varint_put(&w, 257); /* an attestation has at most 256 */
    send_raw(TPOD_ATTEST, wr_view(&w));
    ck_assert_uint_eq(raw_closed, 1);
    send_raw(TPOD_ATTEST, view_of("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80", 10));
    ck_assert_uint_eq(raw_closed, 1);
    send_raw(TPOD_ATTEST, view_of("\x02\x10\x01x", 4)); /* bytes behind it */
    ck_assert_uint_eq(raw_closed, 1);
    net_end(send_raw(TPOD_ATTEST, view_of("\x22\x0a\x20", 3))); /* cut */
    run(200);
    ck_assert_uint_eq(raw_closed, 1);
    send_raw(TPOD_ATTEST, view_of("\x22\x0a\x20", 3)); /* never goes on */
    ck_assert_uint_eq(raw_closed, 0);
    run(TPOD_REQUEST_MS + 1000);
    ck_assert_uint_eq(raw_closed, 1);
    ck_assert_ptr_nonnull(conns[1]);
    ck_assert_int_eq(ask(1, TPOD_ATTEST, &attest), RC_OK);
    send_raw(TPOD_CAPACITY, view_of("\x02\x08\x01", 3)); /* a wrong type: there is no place for an error */
    ck_assert_uint_eq(raw_closed, 1);
    ck_assert_int_eq(ask(1, TPOD_CAPACITY, &everything), RC_OK);
}
END_TEST

START_TEST(an_answer_may_come_after_the_connection_is_over)
{
    fill();
    by_itself = false;
    dial(1);
    ck_assert_int_eq(ask_later(1, TPOD_ATTEST, &attest), RC_OK);
    run(200);
    ck_assert_uint_eq(asked_count, 1);
    net_close(conns[1], NET_BYE, "bye");
    run(100);
    answer_attest(asked[0], "");
    asked_count = 0;
    run(100);
    dial(2);
    ck_assert_int_eq(ask(2, TPOD_CAPACITY, &everything), RC_UNSUPPORTED);
}
END_TEST

/* However often somebody asks and leaves, nothing of it stays. */
START_TEST(who_leaves_takes_his_request_along)
{
    fill();
    close_world();
    leaves = true;
    open_world(NULL);
    by_itself = false;
    for (unsigned i = 0; i < 3 * TPOD_SLOTS; i++) {
        dial(1);
        ck_assert_int_eq(ask_later(1, TPOD_ATTEST, &attest), RC_OK);
        run(200);
        ck_assert(asked_count == 1 && lefts == i);
        net_close(conns[1], NET_BYE, "bye");
        run(100);
        ck_assert(asked_count == 0 && lefts == i + 1);
    }
    /* only the stream: the connection may ask again */
    dial(1);
    net_stream_t *stream = send_raw(TPOD_ATTEST, raw_attest());
    ck_assert_uint_eq(asked_count, 1);
    net_reset(stream);
    run(200);
    ck_assert(asked_count == 0 && lefts == 3 * TPOD_SLOTS + 1 && conns[1]);
    by_itself = true;
    ck_assert_int_eq(ask(1, TPOD_ATTEST, &attest), RC_OK);
    ck_assert_uint_eq(attested().error.n, 0);
}
END_TEST

START_TEST(the_later_names_are_served_likewise)
{
    fill();
    dial(1);
    tpod_asker_t seed = asker;
    asker.protocols[TPOD_ATTEST].name = TPOD_PROTOCOL[3].name;
    asker.protocols[TPOD_CAPACITY].name = TPOD_PROTOCOL[4].name;
    ck_assert_int_eq(ask(1, TPOD_CAPACITY, &everything), RC_UNSUPPORTED);
    ck_assert_int_eq(ask(1, TPOD_ATTEST, &attest), RC_OK);
    ck_assert_int_eq(ask(1, TPOD_CAPACITY, &everything), RC_OK);
    asker = seed;
    ck_assert_int_eq(ask(1, TPOD_CAPACITY, &everything), RC_OK);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND(
        "tpod_serve", begin, end, attest_then_capacity_then_provision,
        nothing_else_is_served_before_an_attestation_on_this_connection, an_attestation_that_fails_opens_nothing,
        capacity_comes_with_an_attestation_and_by_name, the_deadline_closes_strangers_and_the_idle_limit_the_others,
        sixteen_are_attested_and_the_next_is_told_so, strangers_make_room_and_never_those_who_attested,
        only_the_offered_table_is_taken, who_is_to_be_paid_names_chain_contract_and_provider,
        a_manifest_that_breaks_a_rule_never_reaches_the_owner,
        what_is_no_request_ends_its_stream_and_not_the_connection, an_answer_may_come_after_the_connection_is_over,
        who_leaves_takes_his_request_along, the_later_names_are_served_likewise);
}
