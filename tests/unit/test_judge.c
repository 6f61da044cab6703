/* The state of a node that follows, and its reason: heads, and clocks that cannot be right. */
#include <stdlib.h>

#include "node/judge.h"
#include "tests/unit/unit.h"

#define SLOT_MS 12000u
#define CAME_MS 500000u /* raw counter, when the head came: 16 s after its slot began */

static config_t config;
static follow_view_t view;
static timebound_t bound;
static err_t why;

static uint64_t at(uint64_t slot)
{
    return (config.network.genesis_time + 12 * slot) * 1000;
}

static timebound_at_t clocks(uint64_t clock_ms, uint64_t raw_ms)
{
    return (timebound_at_t){ clock_ms, raw_ms };
}

/* A chain of the newest fork, whose latest head is slot 1000 and whose finalized one is slot 928; it came in time. */
static void set_up(void)
{
    memset(&config, 0, sizeof config);
    memset(&view, 0, sizeof view);
    config.network = *lc_network_find("mainnet");
    memset(config.network.fork_epoch, 0, sizeof config.network.fork_epoch);
    view.progress.state = LC_STATE_FOLLOWING;
    view.latest = (lc_head_t){ .valid = true, .header.beacon.slot = 1000 };
    view.latest.header.execution.block_number = 77;
    view.finalized = (lc_head_t){ .valid = true, .header.beacon.slot = 928 };
    view.finalized.header.execution.block_number = 55;
    view.latest_came_ms = CAME_MS;
    timebound_init(&bound, SLOT_MS, 0, 0, false);
    timebound_header(&bound, at(1000), 400, 512, clocks(at(1001) + 4000, CAME_MS));
}

static node_state_t judge_at(uint64_t clock_ms, uint64_t raw_ms, bool was_ready)
{
    return judge_state(&why, &config, &view, &bound, clocks(clock_ms, raw_ms), was_ready);
}

/* The state when so many slots have passed since the head's. */
static node_state_t judge(uint64_t slots, bool was_ready)
{
    return judge_at(at(1000 + slots), CAME_MS + (slots - 1) * SLOT_MS - 4000, was_ready);
}

START_TEST(node_is_ready_as_long_as_its_head_is_young)
{
    ck_assert_int_eq(judge(1, false), NODE_READY);
    ck_assert_str_eq(why.text, "");
    ck_assert_int_eq(judge(25, true), NODE_READY);
    ck_assert_int_eq(judge(26, true), NODE_DEGRADED);
    ck_assert_str_eq(why.text, "the newest head with 2/3 of the sync committee is 312 s old");
}
END_TEST

START_TEST(clock_that_stands_still_keeps_no_node_ready)
{
    /* it was 16 s old when it came, by a clock that was right then */
    ck_assert_int_eq(judge_at(at(1003), CAME_MS + 25 * SLOT_MS - 16000, true), NODE_READY);
    ck_assert_int_eq(judge_at(at(1003), CAME_MS + 25 * SLOT_MS - 15999, true), NODE_DEGRADED);
    bound.agreed = false; /* not known to have been right: a slot old at least */
    ck_assert_int_eq(judge_at(at(1003), CAME_MS + 24 * SLOT_MS, true), NODE_READY);
    ck_assert_int_eq(judge_at(at(1003), CAME_MS + 24 * SLOT_MS + 1, true), NODE_DEGRADED);
    bound.agreed = bound.counts = true;
    ck_assert_int_eq(judge_at(at(1003), CAME_MS + 2 * SLOT_MS, true), NODE_READY);
    ck_assert_int_eq(judge_at(at(1003), CAME_MS + 4 * SLOT_MS, true), NODE_DEGRADED);
    ck_assert_str_eq(why.text, "this machine's clock is 12 s behind what 400 of 512 validators signed");
    bound.anchor_ms = bound.header_ms = 0; /* nobody signed anything that tells: */
    ck_assert_int_eq(judge_at(at(1003) - 12000, CAME_MS + 4 * SLOT_MS, true), NODE_DEGRADED);
    ck_assert_str_eq(why.text, "this machine's clock is 40 s behind its own counter since both agreed with the chain");
}
END_TEST

START_TEST(node_that_was_never_ready_asks_for_the_present_head_first)
{
    ck_assert_int_eq(judge(26, false), NODE_SYNCING);
    ck_assert_str_eq(why.text, "asking for the present head");
    strcpy(view.trouble, "http://beacon: timeout");
    ck_assert_int_eq(judge(26, false), NODE_DEGRADED);
    ck_assert_str_eq(why.text, "the newest head with 2/3 of the sync committee is 312 s old; http://beacon: timeout");
    ck_assert_int_eq(judge(1, false), NODE_READY); /* trouble with a young head is no reason to refuse */
    view.trouble[0] = 0;
    view.head_answered = true; /* it is the present one, by its endpoint */
    ck_assert_int_eq(judge(26, false), NODE_DEGRADED);
}
END_TEST

START_TEST(node_without_a_head_to_sign_says_what_it_waits_for)
{
    view.progress.state = LC_STATE_FOLLOWING - 1;
    ck_assert_int_eq(judge(1, false), NODE_SYNCING);
    ck_assert_str_eq(why.text, "following sync committees from the checkpoint to the present");
    strcpy(view.trouble, "http://beacon: HTTP status 500");
    ck_assert_int_eq(judge(1, true), NODE_SYNCING);
    ck_assert_str_eq(why.text, "http://beacon: HTTP status 500");
    set_up();
    view.latest.valid = false;
    ck_assert_int_eq(judge(1, true), NODE_SYNCING);
    set_up();
    config.default_block = CONFIG_FINALIZED;
    ck_assert_int_eq(judge(1, true), NODE_READY);
    view.finalized.valid = false;
    ck_assert_int_eq(judge(1, true), NODE_SYNCING);
    ck_assert_str_eq(why.text, "no finalized header has been proven yet");
}
END_TEST

/* A newer head of Gloas is known; only the hash of its execution block is. */
static void know_newer(uint64_t slot)
{
    view.known = (lc_head_t){ .valid = true, .header = { .fork = LC_GLOAS, .beacon.slot = slot } };
}

START_TEST(node_waits_for_the_execution_header_of_a_known_head_and_says_so)
{
    view.latest.valid = false;
    know_newer(1000);
    ck_assert_int_eq(judge(1, false), NODE_SYNCING);
    ck_assert_str_eq(why.text, "the execution header of the head at slot 1000 is not here yet");
    strcpy(view.missing, "http://rpc: HTTP status 500");
    ck_assert_int_eq(judge(1, true), NODE_SYNCING);
    ck_assert_str_eq(why.text,
                     "the execution header of the head at slot 1000 is not here yet: http://rpc: HTTP status 500");
    view.latest.valid = true; /* an older head is usable, and young enough */
    know_newer(1001);
    ck_assert_int_eq(judge(2, true), NODE_READY);
    know_newer(1025);
    ck_assert_int_eq(judge(26, true), NODE_DEGRADED);
    ck_assert_str_eq(why.text,
                     "the execution header of the head at slot 1025 is not here yet: http://rpc: HTTP status 500");
    view.known.whole = true;
    ck_assert_int_eq(judge(26, true), NODE_DEGRADED);
    ck_assert_str_eq(why.text, "the newest head with 2/3 of the sync committee is 312 s old");
}
END_TEST

START_TEST(slots_without_a_payload_make_a_node_degraded_in_time)
{
    view.latest.header.fork = LC_GLOAS;
    view.latest.header.execution.timestamp = at(977) / 1000;
    ck_assert_int_eq(judge(2, true), NODE_READY);
    ck_assert_int_eq(judge(3, true), NODE_DEGRADED);
    ck_assert_str_eq(why.text, "the newest execution block is 312 s old: the slots up to 1000 brought no other");
}
END_TEST

/* Epoch 32 begins at slot 1024: 24 slots after the head, which alone would be young for one slot more. */
START_TEST(node_stops_at_the_slot_of_a_fork_that_it_does_not_know)
{
    const lc_unknown_fork_t heze = { .name = "heze", .epoch = 32 };
    ck_assert(lc_unknown_fork_add(&config.network, &heze));
    ck_assert_int_eq(judge_at(at(1024) - 1, CAME_MS + 22 * SLOT_MS, true), NODE_READY);
    ck_assert_int_eq(judge(24, true), NODE_UNSUPPORTED);
    ck_assert_str_eq(why.text, "the fork heze began at slot 1024, and this build does not know it");
    ck_assert_str_eq(node_state_name(NODE_UNSUPPORTED), "unsupported-fork");
    view.known = (lc_head_t){ .valid = true, .whole = true, .header.beacon.slot = 1024 }; /* the clock is late */
    ck_assert_int_eq(judge(1, true), NODE_UNSUPPORTED);
    view.known.header.beacon.slot = 1023;
    ck_assert_int_eq(judge(1, true), NODE_READY);
    ck_assert_int_eq(judge_at(at(3000), CAME_MS, true), NODE_DEGRADED); /* a clock that was set ahead proves no fork */
}
END_TEST

START_TEST(node_stops_when_a_newer_fork_is_proven)
{
    strcpy(view.unsupported, "2/3 of the sync committee signed under another version");
    ck_assert_int_eq(judge(1, true), NODE_UNSUPPORTED);
    ck_assert_str_eq(why.text, "2/3 of the sync committee signed under another version");
    view.latest.valid = false;
    ck_assert_int_eq(judge(1, true), NODE_UNSUPPORTED);
}
END_TEST

START_TEST(head_before_capella_is_never_signed)
{
    for (size_t i = 0; i < sizeof config.network.fork_epoch / sizeof config.network.fork_epoch[0]; i++)
        if (i >= LC_CAPELLA)
            config.network.fork_epoch[i] = UINT64_MAX;
    ck_assert_int_eq(judge(1, true), NODE_DEGRADED);
    ck_assert_str_eq(why.text, "the chain is before Capella: its headers prove no execution block");
}
END_TEST

START_TEST(default_block_says_which_head_is_signed)
{
    ck_assert_ptr_eq(judge_head(&config, &view), &view.latest);
    config.default_block = CONFIG_SAFE;
    ck_assert_ptr_eq(judge_head(&config, &view), &view.finalized);
    config.default_block = CONFIG_FINALIZED;
    ck_assert_ptr_eq(judge_head(&config, &view), &view.finalized);
}
END_TEST

/* ---- the clock ---- */

START_TEST(clock_behind_what_was_signed_is_a_reason_with_its_distance)
{
    ck_assert_int_eq(judge_at(at(1000), CAME_MS, true), NODE_READY);
    ck_assert_int_eq(judge_at(at(1000) - 1, CAME_MS, true), NODE_DEGRADED);
    ck_assert_str_eq(why.text, "this machine's clock is 1 s behind what 400 of 512 validators signed");
    ck_assert_int_eq(judge_at(at(1000) - 12000, CAME_MS, true), NODE_DEGRADED);
    ck_assert_str_eq(why.text, "this machine's clock is 12 s behind what 400 of 512 validators signed");
    ck_assert_int_eq(judge_at(at(1000) - 86400000, CAME_MS, false), NODE_DEGRADED);
    ck_assert_str_eq(why.text, "this machine's clock is 86400 s behind what 400 of 512 validators signed");
    strcpy(view.trouble, "http://beacon: HTTP status 500"); /* whatever else is wrong, the clock is the first reason */
    view.progress.state = LC_STATE_NEW;
    view.latest.valid = false;
    ck_assert_int_eq(judge_at(at(1000) - 12000, CAME_MS, false), NODE_DEGRADED);
    ck_assert_str_eq(why.text, "this machine's clock is 12 s behind what 400 of 512 validators signed");
}
END_TEST

START_TEST(clock_behind_other_bounds_names_them)
{
    timebound_init(&bound, SLOT_MS, at(900), 0, false);
    ck_assert_int_eq(judge_at(at(899), CAME_MS, true), NODE_DEGRADED);
    ck_assert_str_eq(why.text, "this machine's clock is 12 s behind the build of this program");
    timebound_collateral(&bound, at(950), 0);
    ck_assert_int_eq(judge_at(at(899), CAME_MS, true), NODE_DEGRADED);
    ck_assert_str_eq(why.text, "this machine's clock is 612 s behind the issue date of Intel's collateral");
    timebound_header(&bound, at(960), 0, 512, clocks(at(899), CAME_MS));
    ck_assert_int_eq(judge_at(at(899), CAME_MS, true), NODE_DEGRADED);
    ck_assert_str_eq(why.text, "this machine's clock is 732 s behind the checkpoint");
}
END_TEST

START_TEST(age_counts_by_the_latest_bound)
{
    timebound_collateral(&bound, at(1026), 0); /* says that the head is old, and that the clock is wrong */
    ck_assert_int_eq(judge_at(at(1001), CAME_MS, true), NODE_DEGRADED);
    bound.counts = true;
    bound.collateral_ms = 0; /* 16 s and 24 slots since the head's slot, though the clock says 15 s less */
    ck_assert_int_eq(judge_at(at(1001) + 4000 + 23 * SLOT_MS - 15000, CAME_MS + 23 * SLOT_MS, true), NODE_READY);
    ck_assert_int_eq(judge_at(at(1001) + 4000 + 24 * SLOT_MS - 15000, CAME_MS + 24 * SLOT_MS, true), NODE_DEGRADED);
    ck_assert_ptr_nonnull(strstr(why.text, "is 304 s old"));
}
END_TEST

START_TEST(clock_set_ahead_is_named_and_nobody_else)
{
    strcpy(view.trouble, "");
    ck_assert_int_eq(judge_at(at(1001) + 4000 + 600000, CAME_MS, true), NODE_DEGRADED);
    ck_assert_str_eq(why.text,
                     "this machine's clock ran 600 s ahead of its counter since it agreed with the chain: by the "
                     "clock the newest head with 2/3 of the sync committee is 616 s old");
    view.progress.state = LC_STATE_SYNCING; /* by such a clock a committee is missing */
    view.head_answered = true;
    ck_assert_int_eq(judge_at(at(1001) + 4000 + 600000, CAME_MS, true), NODE_DEGRADED);
    ck_assert_ptr_nonnull(strstr(why.text, "this machine's clock ran 600 s ahead of its counter"));
    view.progress.state = LC_STATE_FOLLOWING;
    ck_assert_int_eq(judge_at(at(1001) + 4000, CAME_MS, true), NODE_READY); /* put right */
}
END_TEST

/* Date headers that tell what the clock told at CAME_MS, less so many seconds. */
static void dates(int64_t oldest_s, int64_t newest_s)
{
    const int64_t then = (int64_t)(at(1050) - CAME_MS);
    view.dates.known = true;
    view.dates.oldest_ms = then - 1000 * oldest_s;
    view.dates.newest_ms = then - 1000 * newest_s;
}

/* The clock never agreed with the chain. */
static void ahead_from_the_start(void)
{
    timebound_init(&bound, SLOT_MS, 0, 0, false);
    timebound_header(&bound, at(1000), 400, 512, clocks(at(1050), CAME_MS));
    view.head_answered = true;
}

START_TEST(clock_ahead_from_the_start_is_told_with_both_causes)
{
    ahead_from_the_start();
    ck_assert_int_eq(judge_at(at(1050), CAME_MS, false), NODE_DEGRADED);
    ck_assert_str_eq(why.text,
                     "the newest head with 2/3 of the sync committee is 600 s old by this machine's clock: the "
                     "clock is ahead, or every endpoint is behind");
    dates(598, 598);
    strcpy(view.trouble, "http://beacon: updates: has no update of period 9"); /* names somebody */
    ck_assert_int_eq(judge_at(at(1050), CAME_MS, false), NODE_DEGRADED);
    ck_assert_str_eq(why.text,
                     "the newest head with 2/3 of the sync committee is 600 s old by this machine's clock: the "
                     "clock is ahead, or every endpoint is behind; their Date headers say +598 s");
    ck_assert_int_eq(judge_at(at(1060), CAME_MS, false), NODE_DEGRADED); /* it is set further ahead */
    ck_assert_ptr_nonnull(strstr(why.text, "; their Date headers say +718 s"));
    dates(598, -3);
    ck_assert_int_eq(judge_at(at(1050), CAME_MS, false), NODE_DEGRADED);
    ck_assert_ptr_nonnull(strstr(why.text, "; their Date headers say -3 to +598 s"));
    dates(1, 0); /* by them the clock is right: every endpoint is behind */
    ck_assert_int_eq(judge_at(at(1050), CAME_MS, false), NODE_DEGRADED);
    ck_assert_ptr_null(strstr(why.text, "Date headers"));
}
END_TEST

START_TEST(clock_ahead_by_periods_is_told_before_the_present_committee_is_known)
{
    ahead_from_the_start();
    dates(598, 598);
    view.progress.state = LC_STATE_SYNCING;
    ck_assert_int_eq(judge_at(at(1050), CAME_MS, false), NODE_DEGRADED);
    ck_assert_ptr_nonnull(
        strstr(why.text, "the clock is ahead, or every endpoint is behind; their Date headers say +598 s"));
    view.head_answered = false; /* nobody was asked yet */
    ck_assert_int_eq(judge_at(at(1050), CAME_MS, false), NODE_SYNCING);
    ck_assert_str_eq(why.text, "following sync committees from the checkpoint to the present; by the endpoints' Date "
                               "headers this machine's clock is off by +598 s");
    view.latest.valid = false; /* a year ahead, even the checkpoint looks old */
    strcpy(view.trouble, "the checkpoint is older than the weak-subjectivity bound");
    ck_assert_int_eq(judge_at(at(1050), CAME_MS, false), NODE_SYNCING);
    ck_assert_str_eq(why.text,
                     "the checkpoint is older than the weak-subjectivity bound; by the endpoints' Date headers "
                     "this machine's clock is off by +598 s");
    dates(0, 0);
    ck_assert_int_eq(judge_at(at(1050), CAME_MS, false), NODE_SYNCING);
    ck_assert_str_eq(why.text, "the checkpoint is older than the weak-subjectivity bound");
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND(
        "judge", set_up, NULL, node_is_ready_as_long_as_its_head_is_young, clock_that_stands_still_keeps_no_node_ready,
        node_that_was_never_ready_asks_for_the_present_head_first, node_without_a_head_to_sign_says_what_it_waits_for,
        node_waits_for_the_execution_header_of_a_known_head_and_says_so,
        slots_without_a_payload_make_a_node_degraded_in_time, node_stops_at_the_slot_of_a_fork_that_it_does_not_know,
        node_stops_when_a_newer_fork_is_proven, head_before_capella_is_never_signed,
        default_block_says_which_head_is_signed, clock_behind_what_was_signed_is_a_reason_with_its_distance,
        clock_behind_other_bounds_names_them, age_counts_by_the_latest_bound, clock_set_ahead_is_named_and_nobody_else,
        clock_ahead_from_the_start_is_told_with_both_causes,
        clock_ahead_by_periods_is_told_before_the_present_committee_is_known);
}
