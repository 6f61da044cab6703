/* The loop: turns, posted functions, its thread. */
#include "overlay/net/loop.h"
#include "tests/unit/net_pair.h"
#include "tests/unit/sockets.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static peer_t peer;
static loop_t *loop;
static unsigned turns;
static uint64_t wanted;
static atomic_uint ran;
static pthread_t ran_on;

static uint64_t turn(void *ctx, uint64_t now_ms)
{
    (void)ctx;
    turns++;
    return wanted ? now_ms + wanted : UINT64_MAX;
}

static void begin(unsigned transports)
{
    const loop_owner_t owner = { .turn = turn };
    err_t e;
    ck_assert_int_eq(secret_init(), RC_OK);
    peer_new(&peer, "a", true);
    turns = 0;
    wanted = 0;
    ran = 0;
    ck_assert_msg(loop_new(&loop, &e, peer.net, transports, &owner) == RC_OK, "%s", e.text);
    ck_assert_ptr_eq(loop_net(loop), peer.net);
}

static void end(void)
{
    loop_free(loop);
    peer.net = NULL;
    peer_clear(&peer);
}

static void note(void *ctx)
{
    ck_assert_uint_eq(ran, *(unsigned *)ctx); /* in the order of posting */
    ran_on = pthread_self();
    ran++;
}

static void post_more(void *ctx)
{
    static unsigned zero;
    (void)ctx;
    ck_assert_int_eq(loop_post(loop, note, &zero), RC_OK);
}

START_TEST(words_name_transports)
{
    unsigned t = 9;
    ck_assert(loop_transports(&t, view_str("quic")) && t == LOOP_QUIC);
    ck_assert(loop_transports(&t, view_str("tcp")) && t == LOOP_TCP);
    ck_assert(loop_transports(&t, view_str("both")) && t == LOOP_BOTH);
    ck_assert(!loop_transports(&t, view_str("udp")) && !loop_transports(&t, view_str("")) && t == LOOP_BOTH);
}
END_TEST

START_TEST(the_owner_has_its_turn_when_it_wants_it)
{
    begin(LOOP_BOTH);
    wanted = 30;
    loop_step(loop, 0);
    ck_assert_uint_eq(turns, 1);
    uint64_t at = clock_ms();
    loop_step(loop, 5000);
    ck_assert_uint_eq(turns, 2);
    ck_assert(clock_ms() - at >= 29 && clock_ms() - at < 3000);
    wanted = 0;
    loop_step(loop, 0);
    at = clock_ms();
    loop_step(loop, 20); /* nothing to wait for but the caller's limit */
    ck_assert_uint_ge(clock_ms() - at, 19);
    end();
}
END_TEST

static void *wake_it(void *ctx)
{
    (void)ctx;
    loop_wake(loop);
    return NULL;
}

START_TEST(who_wakes_it_has_the_owner_s_turn_come)
{
    pthread_t other;
    begin(LOOP_BOTH);
    loop_step(loop, 0);
    loop_wake(loop);
    loop_wake(loop);
    const uint64_t at = clock_ms();
    loop_step(loop, 60000);
    ck_assert_uint_eq(turns, 2);
    ck_assert_int_eq(pthread_create(&other, NULL, wake_it, NULL), 0);
    loop_step(loop, 60000);
    ck_assert_int_eq(pthread_join(other, NULL), 0);
    ck_assert_uint_eq(turns, 3);
    ck_assert(clock_ms() - at < 30000);
    end();
}
END_TEST

START_TEST(posted_functions_run_in_order_on_the_thread)
{
    static unsigned order[100];
    begin(LOOP_BOTH);
    err_t e;
    ck_assert_int_eq(loop_start(loop, &e), RC_OK);
    for (unsigned i = 0; i < 100; i++) {
        order[i] = i;
        ck_assert_int_eq(loop_post(loop, note, &order[i]), RC_OK);
    }
    for (unsigned i = 0; i < 500 && ran < 100; i++)
        pause_ms(10);
    ck_assert_uint_eq(ran, 100);
    ck_assert(!pthread_equal(ran_on, pthread_self()));
    end();
}
END_TEST

START_TEST(what_is_posted_in_a_turn_comes_in_the_next)
{
    begin(LOOP_BOTH);
    ck_assert_int_eq(loop_post(loop, post_more, NULL), RC_OK);
    loop_step(loop, 0);
    ck_assert_uint_eq(ran, 0);
    loop_step(loop, 5000);
    ck_assert_uint_eq(ran, 1);
    end();
}
END_TEST

START_TEST(what_was_posted_before_the_end_runs)
{
    static unsigned order[3] = { 0, 1, 2 };
    begin(LOOP_BOTH);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_int_eq(loop_post(loop, note, &order[i]), RC_OK);
    end();
    ck_assert_uint_eq(ran, 3);
    loop_free(NULL);
}
END_TEST

int main(void)
{
    return UNIT_RUN("loop", words_name_transports, the_owner_has_its_turn_when_it_wants_it,
                    who_wakes_it_has_the_owner_s_turn_come, posted_functions_run_in_order_on_the_thread,
                    what_is_posted_in_a_turn_comes_in_the_next, what_was_posted_before_the_end_runs);
}
