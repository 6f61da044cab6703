/* Workers: turns, wakes and ends, each told apart by how long it took and how often it ran. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/os/worker.h"
#include "tests/unit/unit.h"

#define LONG_MS 60000u

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static atomic_int turns;
static atomic_bool ended;

static void wait_for_turns(int count)
{
    const struct timespec bit = { 0, 1000000 };
    for (uint64_t until = now_ms() + LONG_MS; atomic_load(&turns) < count && now_ms() < until;)
        nanosleep(&bit, NULL);
    ck_assert_int_ge(atomic_load(&turns), count);
}

static void setup(void)
{
    atomic_store(&turns, 0);
    atomic_store(&ended, false);
}

/* A turn at once, and one for each wake. */
static void on_wake(worker_t *w, void *ctx)
{
    (void)ctx;
    do
        atomic_fetch_add(&turns, 1);
    while (worker_sleep_until(w, UINT64_MAX));
    atomic_store(&ended, true);
}

/* A turn every ctx milliseconds. */
static void on_time(worker_t *w, void *ctx)
{
    const unsigned *every = ctx;
    while (worker_sleep_until(w, now_ms() + *every))
        atomic_fetch_add(&turns, 1);
}

static void until_told(worker_t *w, void *ctx)
{
    (void)ctx;
    atomic_fetch_add(&turns, 1);
    while (!worker_stopping(w))
        ;
    ck_assert(!worker_sleep_until(w, UINT64_MAX));
    atomic_store(&ended, true);
}

START_TEST(it_runs_until_it_is_stopped)
{
    worker_t *w = NULL;
    err_t e;
    ck_assert_int_eq(worker_start(&w, &e, "unit", on_wake, NULL), RC_OK);
    wait_for_turns(1);
    worker_stop(w);
    ck_assert(atomic_load(&ended));
    ck_assert_int_eq(atomic_load(&turns), 1);
}
END_TEST

START_TEST(a_wake_gives_a_turn_even_before_the_sleep)
{
    worker_t *w = NULL;
    ck_assert_int_eq(worker_start(&w, NULL, "unit", on_wake, NULL), RC_OK);
    for (int i = 2; i < 200; i++) {
        worker_wake(w);
        wait_for_turns(i);
    }
    worker_stop(w);
    ck_assert_int_eq(atomic_load(&turns), 199);
}
END_TEST

START_TEST(its_turn_comes_with_the_time)
{
    worker_t *w = NULL;
    unsigned every = 20;
    const uint64_t from = now_ms();
    ck_assert_int_eq(worker_start(&w, NULL, "unit", on_time, &every), RC_OK);
    wait_for_turns(3);
    ck_assert_uint_ge(now_ms() - from, 60);
    worker_stop(w);
}
END_TEST

START_TEST(a_long_sleep_ends_with_the_stop)
{
    worker_t *w = NULL;
    unsigned every = LONG_MS;
    const uint64_t from = now_ms();
    ck_assert_int_eq(worker_start(&w, NULL, "unit", on_time, &every), RC_OK);
    worker_stop(w);
    ck_assert_uint_lt(now_ms() - from, LONG_MS / 2);
    ck_assert_int_eq(atomic_load(&turns), 0);
}
END_TEST

START_TEST(what_works_long_learns_that_it_has_to_end)
{
    worker_t *w = NULL;
    ck_assert_int_eq(worker_start(&w, NULL, "unit", until_told, NULL), RC_OK);
    wait_for_turns(1);
    ck_assert(!worker_stopping(w));
    worker_ask_to_stop(w);
    ck_assert(worker_stopping(w));
    worker_stop(w);
    ck_assert(atomic_load(&ended));
}
END_TEST

START_TEST(one_that_has_returned_can_still_be_woken_and_stopped)
{
    worker_t *w = NULL;
    ck_assert_int_eq(worker_start(&w, NULL, "unit", on_wake, NULL), RC_OK);
    worker_ask_to_stop(w);
    for (uint64_t until = now_ms() + LONG_MS; !atomic_load(&ended) && now_ms() < until;)
        ;
    worker_wake(w);
    worker_stop(w);
    worker_stop(NULL);
    worker_wake(NULL);
    worker_ask_to_stop(NULL);
}
END_TEST

static void read_name(worker_t *w, void *ctx)
{
    (void)w;
    pthread_getname_np(pthread_self(), ctx, 16);
    atomic_fetch_add(&turns, 1);
}

static void look_at_own_handle(worker_t *w, void *ctx)
{
    worker_t **mine = ctx;
    atomic_fetch_add(&turns, *mine == w);
}

START_TEST(the_handle_is_known_before_the_thread_needs_it)
{
    for (int i = 1; i <= 50; i++) {
        static worker_t *w;
        w = NULL;
        ck_assert_int_eq(worker_start(&w, NULL, "unit", look_at_own_handle, &w), RC_OK);
        worker_stop(w);
        ck_assert_int_eq(atomic_load(&turns), i);
    }
}
END_TEST

START_TEST(a_long_name_is_cut)
{
    worker_t *w = NULL;
    char name[16] = "";
    ck_assert_int_eq(worker_start(&w, NULL, "follower-of-the-chain", read_name, name), RC_OK);
    worker_stop(w);
    ck_assert_str_eq(name, "follower-of-the");
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("worker", setup, NULL, it_runs_until_it_is_stopped,
                           a_wake_gives_a_turn_even_before_the_sleep, its_turn_comes_with_the_time,
                           a_long_sleep_ends_with_the_stop, what_works_long_learns_that_it_has_to_end,
                           one_that_has_returned_can_still_be_woken_and_stopped,
                           the_handle_is_known_before_the_thread_needs_it, a_long_name_is_cut);
}
