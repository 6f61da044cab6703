/* How old heads may be. Times are counted from the first slot of a mainnet-like chain. */
#include "node/chain/age.h"
#include "tests/unit/unit.h"

#define SLOT_MS 12000u
#define EPOCH_MS (32u * SLOT_MS)

static lc_network_t net;
static lc_head_t latest, finalized;

static uint64_t at(uint64_t ms)
{
    return net.genesis_time * 1000 + ms;
}

static void make_heads(void)
{
    net = (lc_network_t){ .preset = LC_PRESET_MAINNET, .seconds_per_slot = 12, .genesis_time = 1606824023 };
    latest = (lc_head_t){ .valid = true, .header.beacon.slot = 1000 };
    finalized = (lc_head_t){ .valid = true, .header.beacon.slot = 928 };
}

static age_t age(uint64_t *age_ms, const lc_head_t *signed_under, uint64_t ms, uint64_t quiet_ms)
{
    return age_of_heads(age_ms, &net, &latest, signed_under, at(ms), quiet_ms);
}

START_TEST(head_is_signed_for_25_slots_and_no_longer)
{
    uint64_t ms;
    ck_assert_int_eq(age(&ms, NULL, 1025 * SLOT_MS, 0), AGE_FRESH);
    ck_assert_uint_eq(ms, 25 * SLOT_MS);
    ck_assert_int_eq(age(&ms, NULL, 1025 * SLOT_MS + 1, 0), AGE_HEAD_STALE);
    ck_assert_uint_eq(ms, 25 * SLOT_MS + 1);
}
END_TEST

START_TEST(clock_that_the_host_holds_or_turns_back_makes_no_head_younger)
{
    uint64_t ms;
    ck_assert_int_eq(age(&ms, NULL, 1000 * SLOT_MS, 25 * SLOT_MS), AGE_FRESH);
    ck_assert_int_eq(age(&ms, NULL, 1000 * SLOT_MS, 25 * SLOT_MS + 1), AGE_HEAD_STALE);
    ck_assert_uint_eq(ms, 25 * SLOT_MS + 1);
    ck_assert_int_eq(age(&ms, NULL, 1, 25 * SLOT_MS + 1), AGE_HEAD_STALE);
    ck_assert_int_eq(age_of_heads(&ms, &net, &latest, NULL, 0, 25 * SLOT_MS + 1), AGE_HEAD_STALE); /* before genesis */
    ck_assert_int_eq(age(&ms, NULL, 1, 5), AGE_FRESH);
    ck_assert_uint_eq(ms, 5);
}
END_TEST

START_TEST(monotonic_clock_alone_makes_no_old_head_young)
{
    uint64_t ms;
    ck_assert_int_eq(age(&ms, NULL, 2000 * SLOT_MS, 0), AGE_HEAD_STALE);
    ck_assert_uint_eq(ms, 1000 * SLOT_MS);
}
END_TEST

/* A run of slots without a payload: heads are young, the block that they build on is not. */
START_TEST(execution_block_of_a_young_head_may_be_no_older_than_a_head)
{
    uint64_t ms;
    latest.header.fork = LC_GLOAS;
    latest.header.execution.timestamp = net.genesis_time + 12 * 976;
    ck_assert_int_eq(age(&ms, NULL, 1001 * SLOT_MS, 0), AGE_FRESH);
    ck_assert_uint_eq(ms, 25 * SLOT_MS);
    ck_assert_int_eq(age(&ms, NULL, 1001 * SLOT_MS + 1, 0), AGE_EXECUTION_STALE);
    ck_assert_uint_eq(ms, 25 * SLOT_MS + 1);
    ck_assert_int_eq(age(&ms, &finalized, 1001 * SLOT_MS + 1, 0), AGE_EXECUTION_STALE);
    ck_assert_int_eq(age(&ms, NULL, 1026 * SLOT_MS, 0), AGE_HEAD_STALE);
    latest.header.fork = LC_FULU; /* whose time is the slot's */
    ck_assert_int_eq(age(&ms, NULL, 1001 * SLOT_MS + 1, 0), AGE_FRESH);
}
END_TEST

START_TEST(finalized_head_is_signed_for_16_epochs_and_no_longer)
{
    uint64_t ms, end = 928 * SLOT_MS + 16 * EPOCH_MS;
    latest.header.beacon.slot = end / SLOT_MS;
    ck_assert_int_eq(age(&ms, &finalized, end, 0), AGE_FRESH);
    ck_assert_uint_eq(ms, 16 * EPOCH_MS);
    ck_assert_int_eq(age(&ms, &finalized, end + 1, 0), AGE_FINALIZED_STALE);
    ck_assert_uint_eq(ms, 16 * EPOCH_MS + 1);
    ck_assert_int_eq(age(&ms, NULL, end + 1, 0), AGE_FRESH); /* the bound is for who signs under it */
}
END_TEST

START_TEST(finalized_head_is_signed_only_while_the_latest_is_fresh)
{
    uint64_t ms;
    ck_assert_int_eq(age(&ms, &finalized, 1026 * SLOT_MS, 0), AGE_HEAD_STALE);
    ck_assert_int_eq(age(&ms, &finalized, 1000 * SLOT_MS, 26 * SLOT_MS), AGE_HEAD_STALE);
    ck_assert_uint_eq(ms, 26 * SLOT_MS);
    ck_assert_int_eq(age(&ms, &finalized, 1025 * SLOT_MS, 0), AGE_FRESH);
    ck_assert_uint_eq(ms, 97 * SLOT_MS);
}
END_TEST

START_TEST(slot_beyond_all_time_is_not_old_by_overflow)
{
    uint64_t ms;
    latest.header.beacon.slot = UINT64_MAX;
    ck_assert_int_eq(age(&ms, NULL, 1, 0), AGE_FRESH);
    ck_assert_uint_eq(ms, 0);
}
END_TEST

START_TEST(endpoint_with_nothing_newer_than_a_head_3_slots_old_is_doubted_in_the_fourth)
{
    ck_assert(!age_lags(&net, LC_OPTIMISTIC, &latest, at(1004 * SLOT_MS - 1)));
    ck_assert(age_lags(&net, LC_OPTIMISTIC, &latest, at(1004 * SLOT_MS)));
    ck_assert(!age_lags(&net, LC_OPTIMISTIC, &latest, at(1))); /* a clock that was turned back doubts nobody */
    latest.valid = false;
    ck_assert(!age_lags(&net, LC_OPTIMISTIC, &latest, at(1004 * SLOT_MS)));
}
END_TEST

START_TEST(endpoint_with_no_finality_newer_than_4_epochs_is_doubted)
{
    ck_assert(!age_lags(&net, LC_FINALITY, &finalized, at(928 * SLOT_MS + 4 * EPOCH_MS)));
    ck_assert(age_lags(&net, LC_FINALITY, &finalized, at(929 * SLOT_MS + 4 * EPOCH_MS)));
    finalized.valid = false;
    ck_assert(!age_lags(&net, LC_FINALITY, &finalized, at(2000 * SLOT_MS)));
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND(
        "age", make_heads, NULL, head_is_signed_for_25_slots_and_no_longer,
        clock_that_the_host_holds_or_turns_back_makes_no_head_younger, monotonic_clock_alone_makes_no_old_head_young,
        execution_block_of_a_young_head_may_be_no_older_than_a_head,
        finalized_head_is_signed_for_16_epochs_and_no_longer, finalized_head_is_signed_only_while_the_latest_is_fresh,
        slot_beyond_all_time_is_not_old_by_overflow,
        endpoint_with_nothing_newer_than_a_head_3_slots_old_is_doubted_in_the_fourth,
        endpoint_with_no_finality_newer_than_4_epochs_is_doubted);
}
