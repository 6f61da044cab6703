/* What time it is at least: each bound alone, the counter where it counts and where it does not, clocks that are set.
 * Slots of 12 s; times in milliseconds. */
#include <stdlib.h>
#include <unistd.h>

#include "node/chain/timekeeper.h"
#include "tests/unit/unit.h"

#define SLOT 12000u
#define S UINT64_C(1000)
#define DAY UINT64_C(86400000)
#define T0 UINT64_C(1700000000000) /* the beginning of a slot */
#define RAW0 UINT64_C(5000000)     /* the counter then */

static timebound_t t;
static timebound_source_t by;

static timebound_at_t at(uint64_t clock_ms, uint64_t raw_ms)
{
    return (timebound_at_t){ clock_ms, raw_ms };
}

static void begin(bool counts)
{
    timebound_init(&t, SLOT, 0, RAW0, counts);
}

/* A header of slot n after T0, which 29 of 32 signed, seen at these times. */
static void header(uint64_t n, timebound_at_t seen)
{
    timebound_header(&t, T0 + n * SLOT, 29, 32, seen);
}

/* Clock and chain agree at T0 + 16 s: the header is of T0. */
static void agreed(bool counts)
{
    begin(counts);
    header(0, at(T0 + 16 * S, RAW0));
}

START_TEST(without_evidence_the_clock_is_all_there_is)
{
    int64_t offset;
    begin(true);
    ck_assert_uint_eq(timebound_floor(&t, &by, at(5, 7)), 0);
    ck_assert_int_eq(by, TIMEBOUND_CLOCK);
    ck_assert_uint_eq(timebound_least(&t, at(5, 7)), 5);
    ck_assert_uint_eq(timebound_behind(&t, &by, at(0, 0)), 0);
    ck_assert_uint_eq(timebound_ahead(&t, at(T0, RAW0)), 0);
    ck_assert_uint_eq(timebound_follow(&t, at(T0, RAW0)), T0);
    ck_assert(!timebound_offset(&t, &offset, at(T0, RAW0)));
}
END_TEST

START_TEST(the_latest_of_build_collateral_and_headers_is_the_bound)
{
    timebound_init(&t, SLOT, T0 - 30 * DAY, RAW0, false);
    ck_assert_uint_eq(timebound_behind(&t, &by, at(T0 - 31 * DAY, RAW0)), DAY);
    ck_assert_int_eq(by, TIMEBOUND_BUILD);
    timebound_collateral(&t, T0 - 20 * DAY, RAW0);
    timebound_collateral(&t, T0 - 25 * DAY, RAW0); /* an older one takes nothing back */
    ck_assert_uint_eq(timebound_behind(&t, &by, at(T0 - 31 * DAY, RAW0)), 11 * DAY);
    ck_assert_int_eq(by, TIMEBOUND_COLLATERAL);
    timebound_header(&t, T0 - 10 * DAY, 0, 32, at(T0 - 31 * DAY, RAW0));
    ck_assert_uint_eq(timebound_behind(&t, &by, at(T0 - 31 * DAY, RAW0)), 21 * DAY);
    ck_assert_int_eq(by, TIMEBOUND_CHECKPOINT);
    header(0, at(T0 - 31 * DAY, RAW0));
    ck_assert_uint_eq(timebound_behind(&t, &by, at(T0 - 31 * DAY, RAW0)), 31 * DAY);
    ck_assert_int_eq(by, TIMEBOUND_VALIDATORS);
    ck_assert_uint_eq(t.signers, 29);
    timebound_header(&t, T0 - SLOT, 32, 32, at(T0, RAW0)); /* an older header: nothing */
    ck_assert_uint_eq(t.signers, 29);
    ck_assert_uint_eq(timebound_floor(&t, &by, at(0, RAW0)), T0);
    timebound_collateral(&t, T0 + DAY, RAW0);
    ck_assert_uint_eq(timebound_floor(&t, &by, at(0, RAW0)), T0 + DAY);
    ck_assert_int_eq(by, TIMEBOUND_COLLATERAL);
    ck_assert_uint_eq(timebound_least(&t, at(T0, RAW0)), T0 + DAY);
    ck_assert_uint_eq(timebound_follow(&t, at(T0 - DAY, RAW0)), T0 + DAY); /* a checkpoint's age counts by it too */
    t.collateral_ms = 0;
    ck_assert_uint_eq(timebound_follow(&t, at(T0 - 31 * DAY, RAW0)), T0 - 30 * DAY); /* the build; not the header */
    ck_assert_uint_eq(timebound_follow(&t, at(T0 - 31 * DAY, RAW0 + 2000 * S)), T0 - 30 * DAY + 1999 * S); /* goes on */
    timebound_collateral(&t, T0 + DAY, RAW0);
    ck_assert_uint_eq(timebound_least(&t, at(T0 + 2 * DAY, RAW0)), T0 + 2 * DAY);
}
END_TEST

START_TEST(a_clock_at_the_bound_is_right_and_one_below_is_not)
{
    begin(false);
    header(0, at(T0, RAW0));
    ck_assert_uint_eq(timebound_behind(&t, &by, at(T0, RAW0)), 0);
    ck_assert_uint_eq(timebound_behind(&t, &by, at(T0 - 1, RAW0)), 1);
}
END_TEST

/* 1 ms in 2 s is what a counter may be wrong by. */
START_TEST(a_counter_that_counts_carries_a_header_on)
{
    begin(true);
    header(0, at(T0 - DAY, RAW0)); /* a clock that never agreed */
    ck_assert_uint_eq(timebound_floor(&t, &by, at(0, RAW0 + 2000 * S)), T0 + 1999 * S);
    ck_assert_int_eq(by, TIMEBOUND_VALIDATORS);
    ck_assert_uint_eq(timebound_behind(&t, &by, at(T0 - DAY + 2000 * S, RAW0 + 2000 * S)), DAY - S);
    begin(false);
    header(0, at(T0 - DAY, RAW0));
    ck_assert_uint_eq(timebound_floor(&t, &by, at(0, RAW0 + 2000 * S)), T0);
}
END_TEST

/* A header that comes late brings the bound no further than the first did. */
START_TEST(a_header_that_is_held_back_lowers_no_bound)
{
    agreed(true);
    header(1, at(0, RAW0 + 300 * S));
    ck_assert_uint_eq(timebound_floor(&t, &by, at(0, RAW0 + 300 * S)), T0 + 16 * S + 300 * S - 150);
    begin(true);
    header(0, at(0, RAW0));
    header(1, at(0, RAW0 + 300 * S));
    ck_assert_uint_eq(timebound_floor(&t, &by, at(0, RAW0 + 400 * S)), T0 + 400 * S - 200);
    header(100, at(0, RAW0 + 400 * S)); /* and one that is newer than all that passed raises it */
    ck_assert_uint_eq(timebound_floor(&t, &by, at(0, RAW0 + 410 * S)), T0 + 1200 * S + 10 * S - 5);
}
END_TEST

START_TEST(clock_and_chain_agree_while_a_header_is_three_slots_old)
{
    static const struct {
        int64_t after_ms;
        bool agree;
    } rows[] = { { -1, false }, { 0, true }, { 36000, true }, { 36001, false } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin(false);
        header(0, at(T0 + (uint64_t)rows[i].after_ms, RAW0));
        ck_assert_msg(t.agreed == rows[i].agree, "row %zu", i);
    }
    begin(false);
    timebound_header(&t, T0, 0, 32, at(T0 + 16 * S, RAW0)); /* a checkpoint is no news */
    ck_assert(!t.agreed);
}
END_TEST

START_TEST(a_clock_slowed_to_a_tenth_is_found_behind)
{
    for (int counts = 0; counts < 2; counts++) {
        agreed(counts);
        uint64_t found = 0;
        for (uint64_t s = 1; s < 400 && !found; s++) { /* a header each slot, 16 s after it began */
            timebound_at_t now = at(T0 + 16 * S + s * S / 10, RAW0 + s * S);
            if (s % 12 == 0)
                header(s / 12, now);
            found = timebound_behind(&t, &by, now) ? s : 0;
        }
        /* 16 s of lag are nine tenths of 18 s */
        ck_assert_msg(found >= 18 && found <= 24, "counts %d: after %lu s", counts, (unsigned long)found);
        ck_assert_int_eq(by, TIMEBOUND_VALIDATORS);
    }
}
END_TEST

/* Nobody sends headers, and the clock stands still: only a counter that counts tells. */
START_TEST(a_clock_held_while_headers_are_held_back_is_found_by_the_counter)
{
    agreed(true);
    ck_assert_uint_eq(timebound_behind(&t, &by, at(T0 + 16 * S, RAW0 + 16 * S)), 0);
    ck_assert_uint_eq(timebound_least(&t, at(T0 + 16 * S, RAW0 + 300 * S)), T0 + 316 * S - 150);
    ck_assert_uint_eq(timebound_behind(&t, &by, at(T0 + 16 * S, RAW0 + 300 * S)), 300 * S - 150 - 16 * S);
    ck_assert_int_eq(by, TIMEBOUND_VALIDATORS); /* what others can check is told first */
    agreed(false);
    ck_assert_uint_eq(timebound_least(&t, at(T0 + 16 * S, RAW0 + 300 * S)), T0 + 16 * S);
    ck_assert_uint_eq(timebound_latest(&t, at(T0 + 16 * S, RAW0 + 300 * S)), T0 + 316 * S); /* for ages it counts */
}
END_TEST

START_TEST(a_clock_slowed_little_by_little_moves_no_agreement_back)
{
    agreed(true);
    for (uint64_t n = 1; n < 50; n++) /* it loses 0.3 s each slot, and agrees with each header */
        header(n, at(T0 + n * SLOT + 16 * S - n * 300, RAW0 + n * SLOT));
    timebound_at_t now = at(T0 + 50 * SLOT + 16 * S - 15 * S, RAW0 + 50 * SLOT);
    ck_assert_uint_ge(timebound_least(&t, now), T0 + 50 * SLOT + 16 * S - 300);
    agreed(false); /* where the counter is no bound, the newest agreement counts */
    for (uint64_t n = 1; n < 50; n++)
        header(n, at(T0 + n * SLOT + 16 * S - n * 300, RAW0 + n * SLOT));
    ck_assert_uint_eq(t.agreed_raw_ms, RAW0 + 49 * SLOT);
}
END_TEST

/* Without the counter as a bound the verdict of a header stands until the next one could be here, no longer. */
START_TEST(between_two_headers_a_clock_that_is_behind_stays_behind)
{
    begin(false);
    header(0, at(T0 - 8 * S, RAW0));
    ck_assert_uint_eq(timebound_behind(&t, &by, at(T0 + 4 * S, RAW0 + 12 * S)), 8 * S - 6);
    ck_assert_uint_eq(timebound_behind(&t, &by, at(T0 + 15 * S, RAW0 + 23 * S)), 8 * S - 11);
    ck_assert_uint_eq(timebound_behind(&t, &by, at(T0 + 32 * S, RAW0 + 40 * S)), 0);
    ck_assert_uint_eq(timebound_behind(&t, &by, at(T0 + 12 * S, RAW0 + 12 * S)), 0); /* put right */
}
END_TEST

START_TEST(a_clock_set_ahead_is_convicted_by_the_counter_and_not_followed)
{
    for (int counts = 0; counts < 2; counts++) {
        int64_t offset;
        agreed(counts);
        timebound_at_t now = at(T0 + 16 * S + 612 * S, RAW0 + 12 * S);
        ck_assert_uint_eq(timebound_ahead(&t, now), 600 * S - 6);
        ck_assert_uint_eq(timebound_follow(&t, now), T0 + 28 * S);
        ck_assert(timebound_offset(&t, &offset, now) && offset == 600000);
        ck_assert_uint_eq(timebound_least(&t, now), T0 + 628 * S); /* ages count by it all the same */
        ck_assert_uint_eq(timebound_behind(&t, &by, now), 0);
        for (uint64_t n = 1; n < 100; n++) /* headers that agree with the counter keep it in its place */
            header(n, at(T0 + 16 * S + 600 * S + n * SLOT, RAW0 + n * SLOT));
        ck_assert_uint_eq(timebound_follow(&t, at(T0 + 1816 * S, RAW0 + 1200 * S)), T0 + 1216 * S);
        ck_assert_uint_gt(timebound_ahead(&t, at(T0 + 1816 * S, RAW0 + 1200 * S)), 590 * S);
        now = at(T0 + 1216 * S, RAW0 + 1200 * S); /* put right */
        ck_assert_uint_eq(timebound_ahead(&t, now), 0);
        ck_assert_uint_eq(timebound_behind(&t, &by, now), 0);
        ck_assert_uint_eq(timebound_follow(&t, now), T0 + 1216 * S);
    }
}
END_TEST

START_TEST(a_clock_set_back_is_convicted_and_not_followed)
{
    agreed(false);
    timebound_at_t now = at(T0 + 16 * S - 588 * S, RAW0 + 12 * S);
    header(1, now);
    ck_assert_uint_eq(timebound_behind(&t, &by, now), T0 + 12 * S - now.clock_ms);
    ck_assert_int_eq(by, TIMEBOUND_VALIDATORS);
    ck_assert_uint_eq(timebound_follow(&t, now), T0 + 28 * S);
}
END_TEST

START_TEST(a_step_of_three_slots_is_one_and_less_is_none)
{
    agreed(true);
    ck_assert_uint_eq(timebound_ahead(&t, at(T0 + 16 * S + 36000, RAW0)), 0);
    ck_assert_uint_eq(timebound_ahead(&t, at(T0 + 16 * S + 36001, RAW0)), 36001);
    ck_assert_uint_eq(timebound_follow(&t, at(T0 + 16 * S + 36000, RAW0)), T0 + 52 * S);
    ck_assert_uint_eq(timebound_follow(&t, at(T0 + 16 * S + 36001, RAW0)), T0 + 16 * S);
    /* one that was ahead when it agreed, and is put right: no fault */
    begin(true);
    header(0, at(T0 + 36 * S, RAW0));
    ck_assert_uint_eq(timebound_behind(&t, &by, at(T0 + 12 * S, RAW0 + 12 * S)), 0);
    ck_assert_uint_eq(timebound_behind(&t, &by, at(T0 + 12 * S - 6, RAW0 + 12 * S)), 0);
    t.anchor_ms = t.header_ms = 0; /* and where nobody signed anything that tells */
    ck_assert_uint_eq(timebound_behind(&t, &by, at(T0 + 12 * S - 6, RAW0 + 12 * S)), 0);
    ck_assert_uint_eq(timebound_behind(&t, &by, at(T0 + 12 * S - 7, RAW0 + 12 * S)), 36 * S + 1);
    ck_assert_int_eq(by, TIMEBOUND_COUNTER);
}
END_TEST

/* The machine was paused for an hour: counter and clock stood, then the clock was put right. */
START_TEST(a_counter_that_stood_still_convicts_nobody_once_the_chain_agrees_again)
{
    for (int counts = 0; counts < 2; counts++) {
        agreed(counts);
        timebound_at_t now = at(T0 + 3600 * S, RAW0 + 30 * S);
        ck_assert_uint_gt(timebound_ahead(&t, now), 3500 * S);
        header(299, now);
        ck_assert_uint_eq(timebound_ahead(&t, now), 0);
        ck_assert_uint_eq(timebound_follow(&t, now), now.clock_ms);
        /* and if no header comes, the counter has its say for 25 slots only */
        agreed(counts);
        ck_assert_uint_eq(timebound_follow(&t, at(T0 + 3600 * S, RAW0 + 300 * S)), T0 + 316 * S);
        ck_assert_uint_eq(timebound_follow(&t, at(T0 + 3600 * S, RAW0 + 300 * S + 1)), T0 + 3600 * S);
    }
}
END_TEST

/* A counter that runs wrong by what is allowed makes no right clock wrong, for a year with and without headers. */
START_TEST(drift_convicts_no_right_clock)
{
    for (int fast = 0; fast < 2; fast++)
        for (int headers = 0; headers < 2; headers++) {
            agreed(true);
            for (uint64_t hour = 1; hour < 24 * 365; hour += 7) {
                uint64_t passed = hour * 3600 * S;
                uint64_t raw = fast ? passed + passed / 2001 : passed - passed / 2001;
                timebound_at_t now = at(T0 + 16 * S + passed, RAW0 + raw);
                if (headers)
                    header(passed / SLOT, now);
                ck_assert_msg(!timebound_behind(&t, &by, now) && !timebound_ahead(&t, now), "hour %lu, fast %d",
                              (unsigned long)hour, fast);
            }
        }
}
END_TEST

START_TEST(every_source_has_its_word)
{
    static const char *const words[] = { "clock", "build", "collateral", "checkpoint", "validators", "counter" };
    for (unsigned i = 0; i < TIMEBOUND_SOURCES; i++)
        ck_assert_str_eq(timebound_word((timebound_source_t)i), words[i]);
    ck_assert_str_eq(timebound_word(TIMEBOUND_SOURCES), "unknown");
}
END_TEST

/* ---- the keeper ---- */

static uint64_t clock_now, raw_now;

static uint64_t fake_clock(void)
{
    return clock_now;
}

static uint64_t fake_raw(void)
{
    return raw_now;
}

START_TEST(the_counter_is_a_bound_only_where_the_kernel_reads_the_tsc)
{
    static const struct {
        const char *text, *source;
        bool counts;
    } rows[] = {
        { "tsc\n", "tsc", true },       { "tsc", "tsc", true },      { "kvm-clock\n", "kvm-clock", false },
        { "tsc2\n", "tsc2", false },    { "", "unknown", false },    { "\n", "unknown", false },
        { " tsc\n", "unknown", false }, { "hpet\n", "hpet", false }, { "TSC\n", "TSC", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char path[] = "/tmp/kettle-clocksource-XXXXXX";
        int fd = mkstemp(path);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, rows[i].text, strlen(rows[i].text)), (ssize_t)strlen(rows[i].text));
        close(fd);
        timekeeper_t *k = timekeeper_new(&(timekeeper_config_t){ .source_file = path, .slot_ms = SLOT });
        timekeeper_bound(k, &t);
        ck_assert_msg(t.counts == rows[i].counts && !strcmp(timekeeper_source(k), rows[i].source), "row %zu: %s", i,
                      timekeeper_source(k));
        timekeeper_free(k);
        unlink(path);
    }
    timekeeper_t *k = timekeeper_new(&(timekeeper_config_t){ .source_file = "/no/such/file", .slot_ms = SLOT });
    timekeeper_bound(k, &t);
    ck_assert(!t.counts && !strcmp(timekeeper_source(k), "unknown"));
    timekeeper_free(k);
    timekeeper_free(NULL);
}
END_TEST

START_TEST(the_keeper_reads_both_clocks_and_tells_what_it_knows)
{
    timekeeper_t *k = timekeeper_new(
        &(timekeeper_config_t){ .now_ms = fake_clock, .raw_ms = fake_raw, .build_ms = T0 - 2 * DAY, .slot_ms = SLOT });
    clock_now = T0 - 3 * DAY;
    raw_now = RAW0;
    ck_assert_uint_eq(timekeeper_least_ms(k), T0 - 2 * DAY);
    timekeeper_collateral(k, T0 - DAY);
    ck_assert_uint_eq(timekeeper_least_ms(k), T0 - DAY);
    clock_now = T0 + 16 * S;
    timekeeper_header(k, T0, 29, 32);
    ck_assert_uint_eq(timekeeper_least_ms(k), T0 + 16 * S);
    clock_now += DAY;
    ck_assert_uint_eq(timekeeper_least_ms(k), T0 + 16 * S + DAY);
    ck_assert_uint_eq(timekeeper_follow_ms(k), T0 + 16 * S);
    timekeeper_free(k);
    k = timekeeper_new(&(timekeeper_config_t){ .slot_ms = SLOT }); /* the system's own */
    timebound_at_t first = timekeeper_read(k);
    ck_assert_uint_gt(first.clock_ms, T0);
    ck_assert_uint_ge(timekeeper_read(k).raw_ms, first.raw_ms);
    timekeeper_free(k);
}
END_TEST

int main(void)
{
    return UNIT_RUN(
        "timebound", without_evidence_the_clock_is_all_there_is,
        the_latest_of_build_collateral_and_headers_is_the_bound, a_clock_at_the_bound_is_right_and_one_below_is_not,
        a_counter_that_counts_carries_a_header_on, a_header_that_is_held_back_lowers_no_bound,
        clock_and_chain_agree_while_a_header_is_three_slots_old, a_clock_slowed_to_a_tenth_is_found_behind,
        a_clock_held_while_headers_are_held_back_is_found_by_the_counter,
        a_clock_slowed_little_by_little_moves_no_agreement_back,
        between_two_headers_a_clock_that_is_behind_stays_behind,
        a_clock_set_ahead_is_convicted_by_the_counter_and_not_followed, a_clock_set_back_is_convicted_and_not_followed,
        a_step_of_three_slots_is_one_and_less_is_none,
        a_counter_that_stood_still_convicts_nobody_once_the_chain_agrees_again, drift_convicts_no_right_clock,
        every_source_has_its_word, the_counter_is_a_bound_only_where_the_kernel_reads_the_tsc,
        the_keeper_reads_both_clocks_and_tells_what_it_knows);
}
