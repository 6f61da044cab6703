#include "node/chain/timebound.h"

static uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t since(uint64_t from, uint64_t to)
{
    return to > from ? to - from : 0;
}

/* What passed by the counter: not more, not less than this. */
static uint64_t at_least(uint64_t raw_ms)
{
    return raw_ms - raw_ms / TIMEBOUND_DRIFT;
}

static uint64_t at_most(uint64_t raw_ms)
{
    return raw_ms + raw_ms / TIMEBOUND_DRIFT;
}

static uint64_t step_ms(const timebound_t *t)
{
    return TIMEBOUND_STEP_SLOTS * t->slot_ms;
}

const char *timebound_word(timebound_source_t source)
{
    static const char *const words[TIMEBOUND_SOURCES] = {
        [TIMEBOUND_CLOCK] = "clock",           [TIMEBOUND_BUILD] = "build",
        [TIMEBOUND_COLLATERAL] = "collateral", [TIMEBOUND_CHECKPOINT] = "checkpoint",
        [TIMEBOUND_VALIDATORS] = "validators", [TIMEBOUND_COUNTER] = "counter",
    };
    return (unsigned)source < TIMEBOUND_SOURCES ? words[source] : "unknown";
}

void timebound_init(timebound_t *t, uint64_t slot_ms, uint64_t build_ms, uint64_t raw_ms, bool counts)
{
    *t = (timebound_t){ .slot_ms = slot_ms, .build_ms = build_ms, .build_raw_ms = raw_ms, .counts = counts };
}

void timebound_collateral(timebound_t *t, uint64_t issued_ms, uint64_t raw_ms)
{
    if (issued_ms <= t->collateral_ms)
        return;
    t->collateral_ms = issued_ms;
    t->collateral_raw_ms = raw_ms;
}

/* ---- what the counter makes of the past ---- */

/* The clock at the last agreement, and what passed at least. */
static uint64_t agreed_now(const timebound_t *t, timebound_at_t at)
{
    return t->agreed_ms + at_least(since(t->agreed_raw_ms, at.raw_ms));
}

static uint64_t anchor_now(const timebound_t *t, timebound_at_t at)
{
    return t->anchor_ms + at_least(since(t->anchor_raw_ms, at.raw_ms));
}

/* The same by the counter as it reads: for what needs no bound. */
static uint64_t expected_now(const timebound_t *t, timebound_at_t at)
{
    return t->agreed_ms + since(t->agreed_raw_ms, at.raw_ms);
}

/* A header is of this moment by a time: neither of its future nor old. */
static bool in_step(const timebound_t *t, uint64_t header_ms, uint64_t time_ms)
{
    return header_ms <= time_ms && time_ms - header_ms <= step_ms(t);
}

/* An agreement later than what the counter makes of the last one takes its place. An earlier one does so only where the
 * counter is no bound: a clock that is slowed little by little agrees all the way. */
static void agree(timebound_t *t, uint64_t header_ms, timebound_at_t at)
{
    if (in_step(t, header_ms, at.clock_ms)) {
        if (!t->agreed || !t->counts || at.clock_ms >= agreed_now(t, at)) {
            t->agreed_ms = at.clock_ms;
            t->agreed_raw_ms = at.raw_ms;
        }
        t->agreed = true;
        t->confirmed_raw_ms = at.raw_ms;
    } else if (t->agreed && in_step(t, header_ms, expected_now(t, at)))
        t->confirmed_raw_ms = at.raw_ms;
}

void timebound_header(timebound_t *t, uint64_t header_ms, uint32_t signers, uint32_t committee, timebound_at_t at)
{
    if (header_ms <= t->header_ms)
        return;
    if (!t->anchor_ms || header_ms >= anchor_now(t, at)) {
        t->anchor_ms = header_ms;
        t->anchor_raw_ms = at.raw_ms;
    }
    t->header_ms = header_ms;
    t->header_raw_ms = at.raw_ms;
    t->signers = signers;
    t->committee = committee;
    if (signers)
        agree(t, header_ms, at);
}

/* ---- bounds ---- */

static void raise_to(uint64_t *floor, timebound_source_t *source, uint64_t ms, timebound_source_t by)
{
    if (ms > *floor) {
        *floor = ms;
        *source = by;
    }
}

/* What is proven: without the agreement, which a clock had a part in. bridge_ms: how long the counter may speak where
 * it is no bound. */
static uint64_t proven(const timebound_t *t, timebound_source_t *source, timebound_at_t at, uint64_t bridge_ms)
{
    const timebound_source_t who = t->signers ? TIMEBOUND_VALIDATORS : TIMEBOUND_CHECKPOINT;
    uint64_t floor = 0, passed = at_least(since(t->header_raw_ms, at.raw_ms));
    *source = TIMEBOUND_CLOCK;
    raise_to(&floor, source, t->build_ms, TIMEBOUND_BUILD);
    raise_to(&floor, source, t->collateral_ms, TIMEBOUND_COLLATERAL);
    if (t->header_ms)
        raise_to(&floor, source, t->header_ms + (passed < bridge_ms ? passed : bridge_ms), who);
    if (t->anchor_ms && t->counts)
        raise_to(&floor, source, anchor_now(t, at), who);
    return floor;
}

uint64_t timebound_floor(const timebound_t *t, timebound_source_t *source, timebound_at_t at)
{
    uint64_t floor = proven(t, source, at, 0);
    if (t->agreed && t->counts)
        raise_to(&floor, source, agreed_now(t, at), TIMEBOUND_COUNTER);
    return floor;
}

uint64_t timebound_least(const timebound_t *t, timebound_at_t at)
{
    timebound_source_t source;
    return max_u64(at.clock_ms, timebound_floor(t, &source, at));
}

uint64_t timebound_latest(const timebound_t *t, timebound_at_t at)
{
    return max_u64(timebound_least(t, at), t->agreed ? expected_now(t, at) : 0);
}

uint64_t timebound_behind(const timebound_t *t, timebound_source_t *source, timebound_at_t at)
{
    /* The next header comes within two slots: until then this one's verdict stands. */
    uint64_t floor = proven(t, source, at, 2 * t->slot_ms);
    /* The clock may have been a step ahead when it agreed, and put right since. What others can check is told first. */
    if (floor <= at.clock_ms && t->agreed && t->counts && agreed_now(t, at) > at.clock_ms + step_ms(t))
        raise_to(&floor, source, agreed_now(t, at), TIMEBOUND_COUNTER);
    return since(at.clock_ms, floor);
}

uint64_t timebound_ahead(const timebound_t *t, timebound_at_t at)
{
    if (!t->agreed)
        return 0;
    uint64_t ahead = since(t->agreed_ms + at_most(since(t->agreed_raw_ms, at.raw_ms)), at.clock_ms);
    return ahead > step_ms(t) ? ahead : 0;
}

/* The clock, unless a counter that headers agree with contradicts it. */
static uint64_t trusted_clock(const timebound_t *t, timebound_at_t at)
{
    if (!t->agreed || since(t->confirmed_raw_ms, at.raw_ms) > TIMEBOUND_TRUST_SLOTS * t->slot_ms)
        return at.clock_ms;
    uint64_t now = expected_now(t, at), apart = since(now, at.clock_ms) + since(at.clock_ms, now);
    return apart > step_ms(t) ? now : at.clock_ms;
}

/* What passed since a moment, at least; 0: the moment is not known. */
static uint64_t gone_on(uint64_t ms, uint64_t raw_ms, timebound_at_t at)
{
    return ms ? ms + at_least(since(raw_ms, at.raw_ms)) : 0;
}

uint64_t timebound_follow(const timebound_t *t, timebound_at_t at)
{
    const uint64_t now = trusted_clock(t, at);
    if (now >= max_u64(t->build_ms, t->collateral_ms))
        return now;
    return max_u64(gone_on(t->build_ms, t->build_raw_ms, at), gone_on(t->collateral_ms, t->collateral_raw_ms, at));
}

bool timebound_offset(const timebound_t *t, int64_t *out, timebound_at_t at)
{
    if (!t->agreed)
        return false;
    *out = (int64_t)(at.clock_ms - expected_now(t, at));
    return true;
}
