/* Threads for work: turns of clients, heavy work behind light, and the end. */
#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "node/query/pool.h"
#include "tests/unit/sockets.h"
#include "tests/unit/unit.h"

#define MANY 200u

typedef struct {
    pool_task_t task;
    unsigned ms;
    atomic_uint done; /* counts up; the order in which it was run, from 1 on */
} work_t;

static atomic_uint ran, heavy_now, heavy_most;

static void run(pool_task_t *t)
{
    work_t *w = (work_t *)(void *)t;
    if (t->heavy) {
        unsigned now = ++heavy_now;
        if (now > heavy_most)
            heavy_most = now;
    }
    pause_ms(w->ms);
    if (t->heavy)
        heavy_now--;
    w->done = ++ran;
}

static pool_t *open_pool(unsigned threads)
{
    pool_t *p;
    err_t e;
    ran = heavy_now = heavy_most = 0;
    ck_assert_int_eq(pool_new(&p, &e, threads), RC_OK);
    return p;
}

static work_t *works(unsigned n, unsigned ms, hs_client_t *client, bool heavy)
{
    work_t *w = calloc(n, sizeof *w);
    for (unsigned i = 0; i < n; i++)
        w[i] = (work_t){ .task = { .run = run, .client = client, .heavy = heavy }, .ms = ms };
    return w;
}

static void push(pool_t *p, work_t *w, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        pool_push(p, &w[i].task);
}

START_TEST(everything_that_was_pushed_is_run_before_the_end)
{
    pool_t *p = open_pool(3);
    work_t *light = works(MANY, 0, NULL, false), *heavy = works(MANY, 0, NULL, true);
    push(p, light, MANY);
    push(p, heavy, MANY);
    pool_free(p);
    ck_assert_uint_eq(ran, 2 * MANY);
    free(light);
    free(heavy);
    pool_free(NULL);
}
END_TEST

START_TEST(one_thread_is_kept_free_of_heavy_work)
{
    pool_t *p = open_pool(3);
    work_t *heavy = works(10, 30, NULL, true), *light = works(1, 0, NULL, false);
    push(p, heavy, 10);
    pause_ms(10);
    push(p, light, 1);
    uint64_t began = clock_ms();
    while (!light->done)
        pause_ms(1);
    ck_assert_uint_lt(clock_ms() - began, 1000);
    ck_assert_uint_le(light->done, 3); /* beside the first two heavy ones */
    pool_free(p);
    ck_assert_uint_eq(heavy_most, 2);
    free(heavy);
    free(light);
}
END_TEST

START_TEST(light_work_does_not_keep_heavy_work_waiting_for_ever)
{
    pool_t *p = open_pool(2);
    work_t *light = works(MANY, 2, NULL, false), *heavy = works(2, 0, NULL, true);
    push(p, light, MANY);
    push(p, heavy, 2);
    pool_free(p);
    ck_assert_uint_lt(heavy[0].done, MANY / 2);
    ck_assert_uint_lt(heavy[1].done, MANY / 2);
    free(light);
    free(heavy);
}
END_TEST

START_TEST(clients_take_turns)
{
    hs_clients_t *all = hs_clients_new();
    hs_client_t *a = hs_client_get(all, (const uint8_t[CLIENT_KEY_LEN]){ 1 }, false);
    hs_client_t *b = hs_client_get(all, (const uint8_t[CLIENT_KEY_LEN]){ 2 }, false);
    for (unsigned heavy = 0; heavy < 2; heavy++) {
        pool_t *p = open_pool(2);
        work_t *flood = works(MANY, 2, a, heavy), *other = works(5, 2, b, heavy);
        push(p, flood, MANY);
        push(p, other, 5);
        hs_client_unref(heavy ? a : NULL); /* the pool has references of its own */
        pool_free(p);
        for (unsigned i = 0; i < 5; i++)
            ck_assert_uint_lt(other[i].done, 40);
        free(flood);
        free(other);
    }
    hs_client_unref(b);
    hs_clients_unref(all);
}
END_TEST

int main(void)
{
    return UNIT_RUN("pool", everything_that_was_pushed_is_run_before_the_end, one_thread_is_kept_free_of_heavy_work,
                    light_work_does_not_keep_heavy_work_waiting_for_ever, clients_take_turns);
}
