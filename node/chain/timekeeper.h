/* timekeeper.h - the clocks of this machine, and what is known against them: timebound.h for many threads.
 *
 * Floor:  5, node/chain. Any thread.
 * Tests:  tests/unit/test_timebound.c, tests/e2e (clock)
 */
#ifndef NODE_CHAIN_TIMEKEEPER_H
#define NODE_CHAIN_TIMEKEEPER_H

#include "base/os/clock.h"
#include "node/chain/timebound.h"

/* Where the kernel says by what it keeps time. */
#define TIMEKEEPER_SOURCE_FILE "/sys/devices/system/clocksource/clocksource0/current_clocksource"

typedef struct timekeeper timekeeper_t;

typedef struct {
    clock_fn now_ms;         /* NULL: the system's clock */
    clock_fn raw_ms;         /* NULL: CLOCK_MONOTONIC_RAW */
    const char *source_file; /* read once; NULL: the counter is no bound */
    uint64_t build_ms;       /* 0: not known */
    uint64_t slot_ms;
} timekeeper_config_t;

/* NULL: out of memory. Freed with timekeeper_free (NULL allowed). */
timekeeper_t *timekeeper_new(const timekeeper_config_t *config);
void timekeeper_free(timekeeper_t *k);

/* Both clocks, now. */
timebound_at_t timekeeper_read(const timekeeper_t *k);

/* Copies what is known. */
void timekeeper_bound(timekeeper_t *k, timebound_t *out);

/* The kernel's clock source, as it calls it; "unknown". */
const char *timekeeper_source(const timekeeper_t *k);

/* timebound_header and timebound_collateral, now. */
void timekeeper_header(timekeeper_t *k, uint64_t header_ms, uint32_t signers, uint32_t committee);
void timekeeper_collateral(timekeeper_t *k, uint64_t issued_ms);

/* timebound_least and timebound_follow, now. */
uint64_t timekeeper_least_ms(timekeeper_t *k);
uint64_t timekeeper_follow_ms(timekeeper_t *k);

#endif
