/* tally.h - counts that many threads add to and one reads now and then, and how long things took: relaxed atomics, so
 * that counting costs nothing that is noticed. What is read together need not belong together.
 *
 * Floor:  1, base. No I/O, clock or thread; any thread.
 * Tests:  tests/unit/test_metrics.c
 */
#ifndef BASE_TALLY_H
#define BASE_TALLY_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

typedef _Atomic(uint64_t) tally_t; /* zeroed at first */

static inline void tally_add(tally_t *t, uint64_t n)
{
    atomic_fetch_add_explicit(t, n, memory_order_relaxed);
}

static inline void tally_sub(tally_t *t, uint64_t n)
{
    atomic_fetch_sub_explicit(t, n, memory_order_relaxed);
}

static inline uint64_t tally_get(const tally_t *t)
{
    return atomic_load_explicit(t, memory_order_relaxed);
}

#define SPREAD_BOUNDS 13u

/* How many took at most so many milliseconds, each bucket without those of the ones before; the last one: longer. */
static const uint32_t SPREAD_BOUNDS_MS[SPREAD_BOUNDS] = { 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000 };

typedef struct {
    tally_t in[SPREAD_BOUNDS + 1];
    tally_t sum_ms;
} spread_t; /* zeroed at first */

/* One more took so long. */
static inline void spread_add(spread_t *s, uint64_t ms)
{
    size_t i = 0;
    while (i < SPREAD_BOUNDS && ms > SPREAD_BOUNDS_MS[i])
        i++;
    tally_add(&s->in[i], 1);
    tally_add(&s->sum_ms, ms);
}

#endif
