/* Memory that was freed goes back to the system, although some of it is still in use in between. */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/os/memory.h"
#include "base/os/process.h"
#include "tests/unit/unit.h"

#define THREADS 8u
#define PIECES 20000u /* of a thread, */
#define PIECE 1000u   /* bytes each: 20 MB, */
#define KEPT_EVERY 400u

static void *kept[THREADS][PIECES / KEPT_EVERY];
static pthread_barrier_t full;

static void *work(void *own)
{
    void **mine = own;
    static _Thread_local void *all[PIECES];
    for (unsigned i = 0; i < PIECES; i++) {
        all[i] = malloc(PIECE);
        ck_assert_ptr_nonnull(all[i]);
        memset(all[i], 1, PIECE);
    }
    pthread_barrier_wait(&full);
    pthread_barrier_wait(&full);
    for (unsigned i = 0; i < PIECES; i++)
        if (i % KEPT_EVERY == KEPT_EVERY - 1)
            mine[i / KEPT_EVERY] = all[i];
        else
            free(all[i]);
    return NULL;
}

static uint64_t in_use(void)
{
    process_use_t use;
    process_use(&use);
    return use.memory;
}

START_TEST(what_was_freed_in_pieces_is_given_back)
{
    pthread_t threads[THREADS];
    memory_begin();
    const uint64_t before = in_use();
    pthread_barrier_init(&full, NULL, THREADS + 1);
    for (unsigned i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, work, kept[i]), 0);
    pthread_barrier_wait(&full);
    const uint64_t most = in_use();
    pthread_barrier_wait(&full);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    const uint64_t freed = in_use();
    memory_give_back();
    const uint64_t after = in_use();
    ck_assert_uint_ge(most, before + (uint64_t)THREADS * PIECES * PIECE / 2);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) /* their allocators keep what was freed, on purpose */
    ck_assert_uint_gt(freed + after, 0);
#else
    ck_assert_uint_gt(freed, before + (most - before) / 2); /* what is still in use holds the rest back */
    ck_assert_uint_lt(after, before + (most - before) / 4);
#endif
    pthread_barrier_destroy(&full);
    for (unsigned i = 0; i < THREADS * (PIECES / KEPT_EVERY); i++)
        free(kept[i / (PIECES / KEPT_EVERY)][i % (PIECES / KEPT_EVERY)]);
}
END_TEST

int main(void)
{
    return UNIT_RUN("memory", what_was_freed_in_pieces_is_given_back);
}
