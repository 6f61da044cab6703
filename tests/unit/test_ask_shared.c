/* What several queries need at the same time: it is asked once, its liar is told of once, and who leaves takes nothing from
 * the others. */
#include "lightclient/exec/read.h"
#include "tests/unit/ask_world.h"

#define MANY 10u

/* In the place of flights_send (tests/unit/meson.build): whoever sent a party off looks up only when the answer has long
 * been judged. */
static atomic_bool sender_dreams;
bool __real_flights_send(flights_t *f, party_t *p, size_t endpoint);
bool __wrap_flights_send(flights_t *f, party_t *p, size_t endpoint);

bool __wrap_flights_send(flights_t *f, party_t *p, size_t endpoint)
{
    const bool off = __real_flights_send(f, p, endpoint);
    for (unsigned i = 0; i < 500 && off && sender_dreams && !status_of(0).failures; i++)
        pause_ms(1);
    if (sender_dreams)
        pause_ms(20);
    return off;
}

static unsigned count_of(const unsigned *x)
{
    pthread_mutex_lock(&lock);
    unsigned n = *x;
    pthread_mutex_unlock(&lock);
    return n;
}

static void release(endpoint_t *e)
{
    pthread_mutex_lock(&lock);
    e->held = false;
    pthread_mutex_unlock(&lock);
}

static void wait_asked(const endpoint_t *e, unsigned n)
{
    for (unsigned i = 0; i < 5000 && count_of(&e->now) < n; i++)
        pause_ms(1);
    ck_assert_uint_ge(count_of(&e->now), n);
}

/* The result of a call that has ended well. */
static void expect_42(ask_wait_t *w)
{
    ck_assert_msg(ask_wait_for(w) == RC_OK, "%s", w->e.text);
    ck_assert_uint_eq(w->times, 1);
    const evm_result_t *r = ex_call_result(w->query);
    ck_assert_uint_eq(r->output.n, 32);
    ck_assert_uint_eq(r->output.p[31], 42);
    query_free(w->query);
}

static void start_equal_calls(ask_wait_t *waits, const ask_limits_t *first_limits)
{
    for (unsigned i = 0; i < MANY; i++)
        ask_wait_start(&waits[i], engine, new_call(&s.request), i ? NULL : first_limits);
    wait_asked(&ends[0], 1);
    pause_ms(50); /* so that all of them have stepped */
}

START_TEST(equal_needs_in_flight_are_asked_once)
{
    static ask_wait_t waits[MANY];
    open_world(RETURN_42);
    ends[0].held = true;
    start_equal_calls(waits, NULL);
    release(&ends[0]);
    for (unsigned i = 0; i < MANY; i++)
        expect_42(&waits[i]);
    ck_assert_uint_eq(ends[0].batches, 1);
    ck_assert_uint_eq(ends[0].elements, 4);
    ck_assert_uint_eq(status_of(0).requests, 1);
    ck_assert_uint_eq(ends[1].batches, 0);
    close_world();
}
END_TEST

START_TEST(only_what_differs_is_asked_again)
{
    static ask_wait_t waits[MANY];
    open_world(RETURN_42);
    ex_request_t other = s.request;
    other.from = (addr_t){ { 0xbb, 1 } };
    ends[0].held = true;
    ask_wait_start(&waits[0], engine, new_call(&s.request), NULL);
    wait_asked(&ends[0], 1);
    ask_wait_start(&waits[1], engine, new_call(&other), NULL);
    wait_asked(&ends[0], 2);
    release(&ends[0]);
    expect_42(&waits[0]);
    expect_42(&waits[1]);
    ck_assert_uint_eq(ends[0].batches, 2);
    ck_assert_uint_eq(ends[0].elements, 4 + 2); /* the other's hint, and its sender */
    close_world();
}
END_TEST

START_TEST(another_block_is_another_need)
{
    static ask_wait_t waits[MANY];
    open_world(RETURN_42);
    ex_block_t other = s.block;
    query_t *q;
    other.block_hash.b[0] ^= 1;
    ends[0].held = true;
    ask_wait_start(&waits[0], engine, new_call(&s.request), NULL);
    wait_asked(&ends[0], 1);
    s.config.block = &other;
    q = new_call(&s.request);
    s.config.block = &s.block;
    ask_wait_start(&waits[1], engine, q, NULL);
    wait_asked(&ends[0], 2);
    release(&ends[0]);
    expect_42(&waits[0]);
    expect_42(&waits[1]);
    ck_assert_uint_eq(ends[0].elements, 8);
    close_world();
}
END_TEST

START_TEST(lie_is_told_of_once_however_many_wait_for_it)
{
    static ask_wait_t waits[MANY];
    open_world(RETURN_42);
    ends[0].held = true;
    ends[0].falsified = "a000";
    start_equal_calls(waits, NULL);
    release(&ends[0]);
    for (unsigned i = 0; i < MANY; i++)
        expect_42(&waits[i]);
    ck_assert_uint_eq(status_of(0).lies, 1);
    ck_assert_uint_eq(status_of(0).requests, 1);
    ck_assert(status_of(0).failing);
    close_world();
}
END_TEST

START_TEST(what_the_endpoint_has_not_is_its_failure_once_and_all_go_on_to_the_next)
{
    static ask_wait_t waits[MANY];
    open_world(RETURN_42);
    ends[0].held = true;
    ends[0].refused = PROOF_OF_A;
    start_equal_calls(waits, NULL);
    release(&ends[0]);
    for (unsigned i = 0; i < MANY; i++)
        expect_42(&waits[i]);
    ck_assert_uint_eq(status_of(0).failures, 1);
    ck_assert_uint_eq(status_of(0).lies, 0);
    ck_assert_uint_ge(ends[1].batches, 1);
    ck_assert_uint_eq(ends[1].elements, ends[1].batches); /* nothing but the proof of A */
    close_world();
}
END_TEST

START_TEST(who_asked_may_leave_and_the_others_get_the_answer)
{
    static ask_wait_t waits[MANY];
    static const ask_limits_t soon = { .time_max_ms = 300 };
    open_world(RETURN_42);
    ends[0].held = true;
    start_equal_calls(waits, &soon);
    ck_assert_int_eq(ask_wait_for(&waits[0]), RC_TIMEOUT);
    query_free(waits[0].query);
    release(&ends[0]);
    for (unsigned i = 1; i < MANY; i++)
        expect_42(&waits[i]);
    ck_assert_uint_eq(ends[0].batches, 1);
    close_world();
}
END_TEST

/* It is a lie also when nobody is there any more to whom it was told. */
START_TEST(who_asked_may_leave_and_a_lie_is_told_of_by_another)
{
    static ask_wait_t waits[MANY];
    static const ask_limits_t soon = { .time_max_ms = 300 };
    open_world(RETURN_42);
    ends[0].falsified = "a000";
    ends[0].held = true;
    start_equal_calls(waits, &soon);
    ck_assert_int_eq(ask_wait_for(&waits[0]), RC_TIMEOUT);
    query_free(waits[0].query);
    release(&ends[0]);
    for (unsigned i = 1; i < MANY; i++)
        expect_42(&waits[i]);
    ck_assert_uint_eq(status_of(0).lies, 1);
    close_world();
}
END_TEST

/* Every call has a sender of its own. */
START_TEST(many_wait_for_a_slow_endpoint_without_threads_and_no_more_than_so_many_batches_are_in_the_air)
{
    enum { N = 40 };
    static ask_wait_t waits[N];
    static ex_request_t requests[N];
    open_world(RETURN_42);
    ends[0].held = true;
    for (unsigned i = 0; i < N; i++) {
        requests[i] = s.request;
        requests[i].from = (addr_t){ { 0xbb, (uint8_t)(1 + i) } };
        ask_wait_start(&waits[i], engine, new_call(&requests[i]), NULL);
    }
    wait_asked(&ends[0], TEST_IN_AIR_MAX);
    pause_ms(100);
    ck_assert_uint_eq(count_of(&ends[0].most_now), TEST_IN_AIR_MAX);
    release(&ends[0]);
    for (unsigned i = 0; i < N; i++)
        expect_42(&waits[i]);
    ck_assert_uint_eq(ends[0].most_now, TEST_IN_AIR_MAX);
    ck_assert_uint_eq(ends[0].batches, N);
    close_world();
}
END_TEST

/* As of a log query, whose answers fill the memory for them while a provider takes its time. */
START_TEST(a_short_answer_waits_for_no_long_ones_that_wait_for_memory)
{
    ask_wait_t long_one, short_one;
    query_t *q;
    open_world(BALANCES_900);
    close_engine();
    answers_max = (size_t)14 << 20; /* three batches of a hundred proofs, and a little more */
    open_engine(url[0], NULL, NULL);
    answers_max = 0;
    ends[0].held = true;
    ends[0].held_from = 4000;
    ask_wait_start(&long_one, engine, new_call(&s.request), NULL);
    wait_asked(&ends[0], 2);
    pause_ms(50);
    const ex_read_config_t read = { .block = &s.block, .cache = s.config.cache, .addr = { { 0xbb, 0x77 } } };
    ck_assert_int_eq(ex_read_new(&q, NULL, &read), RC_OK);
    ask_wait_start(&short_one, engine, q, NULL);
    ck_assert_int_eq(ask_wait_for(&short_one), RC_OK);
    query_free(short_one.query);
    ck_assert_uint_ge(count_of(&ends[0].now), 2); /* they are still on their way */
    ck_assert_uint_eq(long_one.times, 0);
    release(&ends[0]);
    expect_42(&long_one);
    close_world();
}
END_TEST

/* However many short ones wait: they take every second place only, also where one batch is in the air at a time. */
START_TEST(a_long_answer_waits_for_no_flood_of_short_ones)
{
    enum { N = 200 };
    static ask_wait_t waits[N], long_one;
    static ex_request_t requests[N];
    hash32_t slots[WIDE_SLOTS] = { 0 };
    query_t *q;
    open_world(RETURN_42);
    ends[0].held = true;
    for (unsigned i = 0; i < N; i++) {
        requests[i] = s.request;
        requests[i].from = (addr_t){ { 0xbb, (uint8_t)(1 + i) } };
        ask_wait_start(&waits[i], engine, new_call(&requests[i]), NULL);
    }
    wait_asked(&ends[0], TEST_IN_AIR_MAX);
    for (unsigned i = 0; i < WIDE_SLOTS; i++)
        slots[i].b[31] = (uint8_t)(1 + i);
    const ex_read_config_t read = {
        .block = &s.block, .addr = { { 0xbb, 0xff } }, .slots = slots, .slot_count = WIDE_SLOTS
    };
    ck_assert_int_eq(ex_read_new(&q, NULL, &read), RC_OK);
    ask_wait_start(&long_one, engine, q, NULL);
    ask_counts_t counts;
    do {
        pause_ms(1);
        ask_counts(engine, &counts);
    } while (counts.flights.waiting < N + 1 - TEST_IN_AIR_MAX);
    release(&ends[0]);
    ck_assert_int_eq(ask_wait_for(&long_one), RC_OK);
    query_free(long_one.query);
    for (unsigned i = 0; i < N; i++)
        expect_42(&waits[i]);
    ck_assert_uint_ge(ends[0].wide_at, 1);
    ck_assert_uint_le(ends[0].wide_at, N / 2);
    close_world();
}
END_TEST

START_TEST(those_that_wait_for_their_turn_are_cancelled_too)
{
    enum { N = 40 };
    static ask_wait_t waits[N];
    static ex_request_t requests[N];
    open_world(RETURN_42);
    ends[0].held = true;
    for (unsigned i = 0; i < N; i++) {
        requests[i] = s.request;
        requests[i].from = (addr_t){ { 0xbb, (uint8_t)(1 + i) } };
        ask_wait_start(&waits[i], engine, new_call(&requests[i]), NULL);
    }
    wait_asked(&ends[0], TEST_IN_AIR_MAX);
    ask_free(engine);
    engine = NULL;
    for (unsigned i = 0; i < N; i++) {
        ck_assert_uint_eq(waits[i].times, 1);
        ck_assert_uint_eq(waits[i].e.code, ASK_CANCELLED);
        query_free(waits[i].query);
    }
    ck_assert_uint_eq(status_of(0).failures, 0);
    release(&ends[0]);
    close_world();
}
END_TEST

static int refuse_eight(cap_t *c, void *unused)
{
    (void)unused;
    return (int)cap_refused(c, 8, false);
}

/* One batch at a time, until the right size is found; who gives no answer does not keep all in a row that way. */
START_TEST(who_refuses_a_batch_and_then_hangs_is_waited_for_side_by_side)
{
    ask_wait_t waits[4];
    ex_block_t blocks[4];
    open_world(RETURN_42);
    close_engine();
    open_engine(url[0], NULL, NULL);
    (void)up_learn(upstream, 0, refuse_eight, NULL);
    ends[0].held = true;
    for (unsigned i = 0; i < 4; i++) {
        blocks[i] = s.block;
        blocks[i].block_hash.b[0] ^= (uint8_t)(1 + i);
        s.config.block = &blocks[i];
        ask_wait_start(&waits[i], engine, new_call(&s.request), i ? NULL : &(ask_limits_t){ .time_max_ms = 500 });
        if (!i)
            wait_asked(&ends[0], 1);
    }
    s.config.block = &s.block;
    ck_assert_int_eq(ask_wait_for(&waits[0]), RC_TIMEOUT);
    query_free(waits[0].query);
    wait_asked(&ends[0], 4);
    release(&ends[0]);
    for (unsigned i = 1; i < 4; i++)
        expect_42(&waits[i]);
    close_world();
}
END_TEST

/* A party that is in the air belongs to whoever it lands with, also while its query waits to ask again. */
START_TEST(an_answer_that_is_there_before_its_sender_looks_up_is_no_want_of_memory)
{
    ask_wait_t w;
    open_world(RETURN_42);
    close_engine();
    open_engine(url[0], NULL, NULL);
    sender_dreams = true;
    ends[0].status = 429;
    ask_wait_start(&w, engine, new_call(&s.request), NULL);
    for (unsigned i = 0; i < 5000 && !status_of(0).failures; i++)
        pause_ms(1);
    pthread_mutex_lock(&lock);
    ends[0].status = 0;
    pthread_mutex_unlock(&lock);
    expect_42(&w);
    sender_dreams = false;
    close_world();
}
END_TEST

/* ---- gathered ---- */

#define GATHER_MS 300u /* long enough for all to come, however slow the machine */

/* So many calls with a sender each, side by side. */
static void start_calls(ask_wait_t *waits, ex_request_t *requests, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        requests[i] = s.request;
        requests[i].from = (addr_t){ { 0xbb, (uint8_t)(1 + i) } };
        ask_wait_start(&waits[i], engine, new_call(&requests[i]), NULL);
    }
}

/* The others are told so while they wait for their turn. */
START_TEST(who_asks_for_time_is_not_asked_by_those_that_wait_for_their_turn)
{
    enum { N = 30 };
    static ask_wait_t waits[N];
    static ex_request_t requests[N];
    up_status_t status[UP_ENDPOINTS_MAX];
    ask_counts_t counts;
    open_world(RETURN_42);
    close_engine();
    open_engine(url[0], url[1], NULL);
    ends[0].held = ends[0].after = true;
    ends[0].status = 429;
    start_calls(waits, requests, N);
    wait_asked(&ends[0], TEST_IN_AIR_MAX);
    do {
        pause_ms(1);
        ask_counts(engine, &counts);
    } while (counts.flights.waiting < N - TEST_IN_AIR_MAX);
    release(&ends[0]);
    for (unsigned i = 0; i < N; i++)
        expect_42(&waits[i]);
    ck_assert_uint_eq(count_of(&ends[0].batches), TEST_IN_AIR_MAX);
    up_snapshot(upstream, status);
    ck_assert(status[0].unusable <= TEST_IN_AIR_MAX && !status[1].failures);
    close_world();
}
END_TEST

static void open_gathering(void)
{
    open_world(RETURN_42);
    close_engine();
    gather_ms = GATHER_MS;
    open_engine(url[0], url[1], NULL);
    gather_ms = 0;
}

START_TEST(what_many_ask_within_a_moment_is_one_batch)
{
    static ask_wait_t waits[MANY];
    static ex_request_t requests[MANY];
    open_gathering();
    start_calls(waits, requests, MANY);
    for (unsigned i = 0; i < MANY; i++)
        expect_42(&waits[i]);
    ck_assert_uint_eq(ends[0].batches, 1);
    ck_assert_uint_eq(ends[0].elements, 2 + 2 * MANY); /* A's proof and code; a hint and a sender for each */
    ck_assert_uint_eq(ends[1].batches, 0);
    close_world();
}
END_TEST

START_TEST(what_has_no_room_goes_in_a_batch_of_its_own)
{
    enum { N = 60 };
    static ask_wait_t waits[N];
    static ex_request_t requests[N];
    open_gathering();
    start_calls(waits, requests, N);
    for (unsigned i = 0; i < N; i++)
        expect_42(&waits[i]);
    ck_assert_uint_ge(ends[0].batches, 2);
    ck_assert_uint_le(ends[0].batches, 6);
    ck_assert_uint_le(ends[0].most_elements, BATCH_MAX);
    close_world();
}
END_TEST

/* Who shares a batch that fails goes on to the next endpoint, and the failure is told of once. */
START_TEST(a_gathered_batch_that_fails_fails_once)
{
    static ask_wait_t waits[MANY];
    static ex_request_t requests[MANY];
    open_gathering();
    ends[0].status = 503;
    start_calls(waits, requests, MANY);
    for (unsigned i = 0; i < MANY; i++)
        expect_42(&waits[i]);
    ck_assert_uint_eq(status_of(0).failures, 1);
    ck_assert_uint_eq(ends[1].batches, 1);
    close_world();
}
END_TEST

START_TEST(a_lie_in_a_gathered_batch_harms_nobody_else)
{
    static ask_wait_t waits[MANY];
    static ex_request_t requests[MANY];
    open_gathering();
    ends[0].falsified = PROOF_OF_B;
    start_calls(waits, requests, MANY);
    for (unsigned i = 0; i < MANY; i++)
        expect_42(&waits[i]);
    ck_assert_uint_eq(status_of(0).lies, 1);
    close_world();
}
END_TEST

START_TEST(what_is_gathered_is_cancelled_too)
{
    static ask_wait_t waits[MANY];
    static ex_request_t requests[MANY];
    open_gathering();
    start_calls(waits, requests, MANY);
    ask_free(engine);
    engine = NULL;
    for (unsigned i = 0; i < MANY; i++) {
        ck_assert_uint_eq(waits[i].times, 1);
        query_free(waits[i].query);
    }
    close_world();
}
END_TEST

/* ---- one proof for what several need ---- */

/* What somebody reads: so many slots of an account. */
typedef struct {
    unsigned count, keys[3];
    hash32_t slots[3];
    ask_wait_t wait;
} reader_t;

static void start_readers(reader_t *all, unsigned n, const addr_t *addr)
{
    world_set(&s.w.accounts[0], 0, u256_of(100));
    world_set(&s.w.accounts[0], 5, u256_of(105));
    world_set(&s.w.accounts[0], 9, u256_of(109));
    s.block.state_root = world_root(&s.w);
    for (unsigned i = 0; i < n; i++) {
        reader_t *r = &all[i];
        query_t *q;
        memset(r->slots, 0, sizeof r->slots);
        for (unsigned k = 0; k < r->count; k++)
            r->slots[k].b[31] = (uint8_t)r->keys[k];
        const ex_read_config_t read = { .block = &s.block, .addr = *addr, .slots = r->slots, .slot_count = r->count };
        ck_assert_int_eq(ex_read_new(&q, NULL, &read), RC_OK);
        ask_wait_start(&r->wait, engine, q, NULL);
    }
}

/* Each has what it asked for; zero: there is nothing. */
static void expect_read(reader_t *all, unsigned n, bool zero)
{
    for (unsigned i = 0; i < n; i++) {
        reader_t *r = &all[i];
        ck_assert_msg(ask_wait_for(&r->wait) == RC_OK, "%u: %s", i, r->wait.e.text);
        const ex_read_result_t *got = ex_read_result(r->wait.query);
        ck_assert_uint_eq(got->value_count, r->count);
        ck_assert_int_eq(got->account.exists, !zero);
        for (unsigned k = 0; k < r->count; k++) {
            const u256_t want = u256_of(zero ? 0 : 100 + r->keys[k]);
            ck_assert(u256_eq(&got->values[k], &want));
        }
        query_free(r->wait.query);
    }
}

/* In whatever order they come: none has a part of what another one has. */
static const reader_t READERS[] = { { 0 },
                                    { .count = 1, .keys = { 0 } },
                                    { .count = 2, .keys = { 5, 9 } },
                                    { .count = 2, .keys = { 5, 9 } },
                                    { .count = 1, .keys = { 0 } },
                                    { 0 } };
#define READERS_N (sizeof READERS / sizeof *READERS)

START_TEST(an_account_and_slots_of_it_that_several_need_are_one_proof)
{
    static reader_t readers[READERS_N];
    const addr_t nobody = { { 0xbb, 0x77 } };
    const addr_t *const who[] = { &A, &nobody }; /* the slots of an absent one may be left out */
    for (unsigned i = 0; i < 2; i++) {
        memcpy(readers, READERS, sizeof readers);
        open_gathering();
        start_readers(readers, READERS_N, who[i]);
        expect_read(readers, READERS_N, i == 1);
        ck_assert_uint_eq(ends[0].batches, 1);
        ck_assert_uint_eq(ends[0].elements, 1);
        ck_assert_uint_eq(ends[0].most_keys, 3);
        ck_assert_uint_eq(ends[1].batches + status_of(0).failures, 0);
        close_world();
    }
}
END_TEST

/* Some of it is asked for, and some is not: a proof of its own, since not every server gives one slot twice. */
START_TEST(slots_that_are_asked_for_in_part_are_a_proof_of_their_own)
{
    static reader_t readers[] = { { .count = 2, .keys = { 0, 5 } }, { .count = 2, .keys = { 5, 9 } } };
    open_gathering();
    start_readers(readers, 2, &A);
    expect_read(readers, 2, false);
    ck_assert_uint_eq(ends[0].batches, 1);
    ck_assert_uint_eq(ends[0].elements, 2);
    close_world();
}
END_TEST

/* The same slots in another order, or one of them twice: neither is in the other's proof, and nobody has lied. */
START_TEST(slots_in_another_order_are_not_in_the_proof_of_another)
{
    static reader_t readers[] = { { .count = 2, .keys = { 5, 9 } },
                                  { .count = 2, .keys = { 9, 5 } },
                                  { .count = 1, .keys = { 0 } },
                                  { .count = 2, .keys = { 0, 0 } } };
    open_gathering();
    start_readers(readers, 4, &A);
    expect_read(readers, 4, false);
    ck_assert_uint_eq(status_of(0).lies + status_of(0).failures + ends[1].batches, 0);
    close_world();
}
END_TEST

/* Who comes first decides whether the second finds what it needs in the first one's proof. */
START_TEST(slots_that_are_all_in_the_proof_of_another_are_not_asked_for)
{
    static reader_t readers[] = { { .count = 2, .keys = { 5, 9 } }, { .count = 1, .keys = { 9 } } };
    open_gathering();
    start_readers(readers, 1, &A);
    pause_ms(GATHER_MS / 3);
    start_readers(readers + 1, 1, &A);
    expect_read(readers, 2, false);
    ck_assert_uint_le(ends[0].elements, 2);
    ck_assert_uint_eq(ends[1].batches + status_of(0).failures, 0);
    close_world();
}
END_TEST

START_TEST(one_proof_for_several_is_of_as_many_slots_as_the_endpoint_gives)
{
    static reader_t readers[READERS_N];
    memcpy(readers, READERS, sizeof readers);
    open_gathering();
    ends[0].keys_max = 2;
    start_readers(readers, READERS_N, &A);
    expect_read(readers, READERS_N, false);
    ck_assert_uint_eq(ends[1].batches + status_of(0).failures, 0);
    close_world();
}
END_TEST

/* Who reads what is refused harms nobody who reads something else of the same account. */
START_TEST(what_is_refused_of_one_proof_for_several_is_asked_apart)
{
    static reader_t readers[READERS_N];
    memcpy(readers, READERS, sizeof readers);
    open_gathering();
    ends[0].refused = "\"0x0000000000000000000000000000000000000000000000000000000000000009\"";
    start_readers(readers, READERS_N, &A);
    expect_read(readers, READERS_N, false);
    ck_assert_uint_eq(ends[0].batches, 2);
    ck_assert_uint_ge(ends[1].elements, 1);
    ck_assert_uint_le(ends[1].elements, 2); /* the two who read slot 9 */
    close_world();
}
END_TEST

START_TEST(a_lie_in_one_proof_for_several_is_told_of_once)
{
    static reader_t readers[READERS_N];
    memcpy(readers, READERS, sizeof readers);
    open_gathering();
    ends[0].falsified = "eth_getProof";
    start_readers(readers, READERS_N, &A);
    expect_read(readers, READERS_N, false);
    ck_assert_uint_eq(status_of(0).lies, 1);
    close_world();
}
END_TEST

/* What is in the air at an endpoint that retires ends as it would have, and its answer is taken; who asks then is asked of
 * the new one. */
START_TEST(an_endpoint_that_retires_while_it_is_asked_ends_cleanly)
{
    ask_wait_t first, second;
    const char *const next[] = { url[1] };
    open_world(RETURN_42);
    close_engine();
    open_engine(url[0], NULL, NULL);
    ends[0].held = true;
    ask_wait_start(&first, engine, new_call(&s.request), NULL);
    wait_asked(&ends[0], 1);
    const unsigned before = count_of(&ends[0].batches);
    ck_assert_int_eq(up_replace(upstream, next, 1, clock_system_ms()), RC_OK);
    ask_probe(engine);
    s.request.has_gas = true;
    s.request.gas = 70000;
    ask_wait_start(&second, engine, new_call(&s.request), NULL);
    expect_42(&second);
    release(&ends[0]);
    expect_42(&first);
    ck_assert_uint_le(count_of(&ends[0].batches) - before, 1);
    ck_assert_uint_gt(count_of(&ends[1].batches), 0);
    ck_assert(!status_of(0).failures && !status_of(1).failures && status_of(0).retired);
    close_world();
}
END_TEST

int main(void)
{
    return UNIT_RUN(
        "ask_shared", an_answer_that_is_there_before_its_sender_looks_up_is_no_want_of_memory,
        equal_needs_in_flight_are_asked_once, only_what_differs_is_asked_again, another_block_is_another_need,
        lie_is_told_of_once_however_many_wait_for_it,
        what_the_endpoint_has_not_is_its_failure_once_and_all_go_on_to_the_next,
        who_refuses_a_batch_and_then_hangs_is_waited_for_side_by_side,
        who_asked_may_leave_and_the_others_get_the_answer, who_asked_may_leave_and_a_lie_is_told_of_by_another,
        many_wait_for_a_slow_endpoint_without_threads_and_no_more_than_so_many_batches_are_in_the_air,
        a_short_answer_waits_for_no_long_ones_that_wait_for_memory, a_long_answer_waits_for_no_flood_of_short_ones,
        those_that_wait_for_their_turn_are_cancelled_too, what_many_ask_within_a_moment_is_one_batch,
        what_has_no_room_goes_in_a_batch_of_its_own, a_gathered_batch_that_fails_fails_once,
        a_lie_in_a_gathered_batch_harms_nobody_else, what_is_gathered_is_cancelled_too,
        an_account_and_slots_of_it_that_several_need_are_one_proof,
        slots_that_are_asked_for_in_part_are_a_proof_of_their_own,
        slots_in_another_order_are_not_in_the_proof_of_another,
        slots_that_are_all_in_the_proof_of_another_are_not_asked_for,
        one_proof_for_several_is_of_as_many_slots_as_the_endpoint_gives,
        what_is_refused_of_one_proof_for_several_is_asked_apart, a_lie_in_one_proof_for_several_is_told_of_once,
        an_endpoint_that_retires_while_it_is_asked_ends_cleanly,
        who_asks_for_time_is_not_asked_by_those_that_wait_for_their_turn);
}
