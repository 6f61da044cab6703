/* timebound.h - what time it is at least, and whether the machine's clock can be right: the one place that answers.
 *
 * The host sets this machine's clock. Lower bounds that it cannot set back:
 *   - the build of this program,
 *   - the newest issue date in verified collateral,
 *   - the slot of the newest header that 2/3 of a sync committee signed, also one "from the future"; with the raw
 *     counter (CLOCK_MONOTONIC_RAW) what passed since it was first seen as well,
 *   - the last moment at which clock and chain agreed, and by the raw counter what passed since.
 * The counter is a bound only where the kernel reads the time stamp counter itself (clock source "tsc"), which the
 * host of a TD cannot slow. Elsewhere it is a hint: it tells that the clock was set, and bridges the time to the next
 * header.
 *
 * A clock below a bound is wrong, and so is one that ran away from the counter; nobody who sent a header is to blame.
 * All times are Unix milliseconds; raw_ms is the counter, from any beginning.
 *
 * Floor:  5, node/chain. No I/O, clock or thread.
 * Tests:  tests/unit/test_timebound.c
 */
#ifndef NODE_CHAIN_TIMEBOUND_H
#define NODE_CHAIN_TIMEBOUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIMEBOUND_STEP_SLOTS 3u   /* clock and chain agree while a new header is no older; a step this wide is one */
#define TIMEBOUND_TRUST_SLOTS 25u /* how long the counter speaks for the clock without a header that agrees */
#define TIMEBOUND_DRIFT 2000u     /* a counter that nobody disturbs is wrong by at most one part in this many */

/* What a bound comes from. */
typedef enum {
    TIMEBOUND_CLOCK, /* no bound: the clock itself is the latest */
    TIMEBOUND_BUILD,
    TIMEBOUND_COLLATERAL,
    TIMEBOUND_CHECKPOINT,
    TIMEBOUND_VALIDATORS,
    TIMEBOUND_COUNTER,
    TIMEBOUND_SOURCES
} timebound_source_t;

/* The word of /v1/status: "clock", "build", "collateral", "checkpoint", "validators", "counter". */
const char *timebound_word(timebound_source_t source);

/* Both clocks, read together. */
typedef struct {
    uint64_t clock_ms, raw_ms;
} timebound_at_t;

typedef struct {
    uint64_t slot_ms;
    bool counts; /* the raw counter is a bound */
    uint64_t build_ms, collateral_ms;
    uint64_t build_raw_ms, collateral_raw_ms; /* since when they are known */
    uint64_t header_ms, header_raw_ms;        /* newest header's slot, and when it was first seen */
    uint32_t signers, committee;              /* of it; signers 0: it is the checkpoint's */
    uint64_t anchor_ms, anchor_raw_ms;        /* the header whose slot and counter give the latest bound */
    bool agreed;                              /* clock and chain did */
    uint64_t agreed_ms, agreed_raw_ms;        /* the clock then, */
    uint64_t confirmed_raw_ms;                /* and when a header last agreed with what the counter makes of it */
} timebound_t;

/* build_ms 0: not known. raw_ms: the counter now. */
void timebound_init(timebound_t *t, uint64_t slot_ms, uint64_t build_ms, uint64_t raw_ms, bool counts);

/* Issue date of collateral that verified up to the production root; the counter now. */
void timebound_collateral(timebound_t *t, uint64_t issued_ms, uint64_t raw_ms);

/* A header that is known at `at`: the beginning of its slot, and how many of the committee signed it (0: it is the
 * trusted checkpoint). One that is not newer than the newest changes nothing. */
void timebound_header(timebound_t *t, uint64_t header_ms, uint32_t signers, uint32_t committee, timebound_at_t at);

/* The latest lower bound without the clock, and where it comes from. 0 and TIMEBOUND_CLOCK: there is none yet. */
uint64_t timebound_floor(const timebound_t *t, timebound_source_t *source, timebound_at_t at);

/* What time it is at least: the later of floor and clock. For expiry. */
uint64_t timebound_least(const timebound_t *t, timebound_at_t at);

/* The latest that clock, bounds and counter make of now, for how old something is at most: what has a bound on its age
 * shall not outlive it by a clock that is held while the counter, bound or not, goes on. */
uint64_t timebound_latest(const timebound_t *t, timebound_at_t at);

/* By how many milliseconds the clock is proven behind, and by what; 0: it is not. TIMEBOUND_COUNTER only if nothing
 * that others signed proves it. */
uint64_t timebound_behind(const timebound_t *t, timebound_source_t *source, timebound_at_t at);

/* How far the clock ran ahead of the counter since it agreed with the chain, when that is more than a step; else 0. */
uint64_t timebound_ahead(const timebound_t *t, timebound_at_t at);

/* The time to follow the chain by: the clock, or while it contradicts a counter that headers still agree with, what the
 * counter makes of the moment at which they agreed. A clock before build or collateral gives way to these and what
 * passed since they are known, so that time goes on. What was signed is left out: the light client itself holds the two
 * against each other (lightclient/consensus/sync.h). */
uint64_t timebound_follow(const timebound_t *t, timebound_at_t at);

/* Clock less counter since they agreed, in milliseconds. False: they never did. */
bool timebound_offset(const timebound_t *t, int64_t *out, timebound_at_t at);

#endif
