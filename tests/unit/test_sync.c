/* The machine against an integer clock and a server made of recorded objects: what it asks for, when, and what it
 * signs. */
#include <check.h>

#include "lc_fixture.h"
#include "lightclient/consensus/sync.h"
#include "tests/unit/unit.h"

#define SIGNATURE_SLOT_AT 104u /* of an optimistic update: behind offset, bits and signature */

static lc_network_t net;
static lc_sync_t *sync_;
static lc_want_t wants[8];
static uint64_t wake;
static unsigned moved;
static err_t fault;

static uint64_t at(uint64_t slot, uint64_t ms)
{
    return lc_slot_start_ms(&net, slot) + ms;
}

static void start(const char *checkpoint, uint64_t age_max_s)
{
    lc_sync_config_t config = { .network = &net, .checkpoint = fx_hash(checkpoint), .checkpoint_age_max_s = age_max_s };
    lc_sync_free(sync_);
    sync_ = lc_sync_new(&config);
    ck_assert_ptr_nonnull(sync_);
}

static void start_fulu(void)
{
    net = fx_minimal_fulu();
    start(FX_FULU_CHECKPOINT_8, 0);
}

static rc_t feed_as(const char *file, lc_kind_t kind, lc_fork_t fork, uint64_t now_ms)
{
    view_t ssz = fx_read(file);
    moved = 0;
    fault = (err_t){ 0 };
    rc_t rc = lc_sync_input(sync_, &moved, &fault, kind, fork, ssz, now_ms);
    ck_assert(rc == RC_OK || (fault.rc == rc && fault.text[0]));
    free((void *)ssz.p);
    return rc;
}

static rc_t feed(const char *name, lc_kind_t kind, uint64_t now_ms)
{
    char file[64];
    snprintf(file, sizeof file, "minimal-fulu/%s.ssz", name);
    return feed_as(file, kind, LC_FULU, now_ms);
}

static size_t poll_at(uint64_t now_ms)
{
    return lc_sync_poll(sync_, wants, 8, &wake, now_ms);
}

/* Lets time pass until something is asked for; how much is. */
static size_t wait_for_one(uint64_t *now_ms)
{
    for (int i = 0; i < 100; i++) {
        size_t n = poll_at(*now_ms);
        if (n)
            return n;
        ck_assert_uint_gt(wake, *now_ms);
        *now_ms = wake;
    }
    return 0;
}

static lc_state_t state_at(uint64_t now_ms)
{
    lc_progress_t p;
    lc_sync_progress(sync_, &p, now_ms);
    return p.state;
}

static uint64_t latest_slot(void)
{
    lc_head_t head;
    lc_sync_latest(sync_, &head);
    return head.valid ? head.header.beacon.slot : 0;
}

static uint64_t finalized_slot(void)
{
    lc_head_t head;
    lc_sync_finalized(sync_, &head);
    return head.valid ? head.header.beacon.slot : 0;
}

static void feed_updates(int from, int to, uint64_t now_ms)
{
    for (int i = from; i <= to; i++) {
        char name[16];
        snprintf(name, sizeof name, "update-%d", i);
        ck_assert_int_eq(feed(name, LC_UPDATE, now_ms), RC_OK);
    }
}

START_TEST(a_first_synchronisation_takes_three_round_trips)
{
    start_fulu();
    uint64_t now = at(154, 900);
    lc_progress_t p;
    memset(&p, 0x5a, sizeof p);
    lc_sync_progress(sync_, &p, now);
    ck_assert_int_eq(p.state, LC_STATE_NEW);
    ck_assert_uint_eq(p.current_slot, 154);
    ck_assert_uint_eq(p.periods_done | p.periods_total | p.finalized_slot | p.optimistic_slot, 0);
    ck_assert_uint_eq(poll_at(now), 1);
    ck_assert_int_eq(wants[0].kind, LC_BOOTSTRAP);
    hash32_t checkpoint = fx_hash(FX_FULU_CHECKPOINT_8);
    ck_assert(hash32_eq(&wants[0].block_root, &checkpoint));
    ck_assert_uint_eq(poll_at(now + 10), 0); /* given out once */
    ck_assert_int_eq(feed("bootstrap-8", LC_BOOTSTRAP, now), RC_OK);
    ck_assert_uint_eq(moved, LC_BOOTSTRAPPED);
    ck_assert_int_eq(state_at(now), LC_STATE_SYNCING);
    ck_assert_uint_eq(latest_slot(), 0); /* a checkpoint alone is no head to sign */
    ck_assert_uint_eq(finalized_slot(), 0);

    ck_assert_uint_eq(poll_at(now), 1);
    ck_assert_int_eq(wants[0].kind, LC_UPDATE);
    ck_assert_uint_eq(wants[0].period, 0);
    ck_assert_uint_eq(wants[0].count, 3);
    feed_updates(0, 2, now);
    ck_assert_uint_eq(moved, LC_MOVED_HEAD | LC_MOVED_FINALIZED | LC_MOVED_PERIOD);
    ck_assert_int_eq(state_at(now), LC_STATE_FOLLOWING);

    ck_assert_uint_eq(poll_at(now), 2);
    ck_assert_int_eq(wants[0].kind, LC_FINALITY);
    ck_assert_int_eq(wants[1].kind, LC_OPTIMISTIC);
    ck_assert_int_eq(feed("finality-153", LC_FINALITY, now), RC_OK);
    ck_assert_uint_eq(moved, LC_MOVED_HEAD | LC_MOVED_FINALIZED);
    ck_assert_int_eq(feed("optimistic-153", LC_OPTIMISTIC, now), RC_REPLAY);
    ck_assert_uint_eq(latest_slot(), 153);
    ck_assert_uint_eq(finalized_slot(), 136);
    lc_sync_progress(sync_, &p, now);
    ck_assert_uint_eq(p.periods_done, 2);
    ck_assert_uint_eq(p.periods_total, 2);
    ck_assert_uint_eq(p.finalized_slot, 136);
    ck_assert_uint_eq(p.optimistic_slot, 153);
    ck_assert_uint_eq(poll_at(now), 0);
    ck_assert_uint_eq(wake, at(155, 666)); /* the next slot's third, with nothing else due before */
}
END_TEST

START_TEST(a_checkpoint_of_the_current_period_is_ready_after_two)
{
    net = fx_minimal_fulu();
    start(FX_FULU_CHECKPOINT_104, 0);
    uint64_t now = at(122, 900);
    ck_assert_uint_eq(poll_at(now), 1);
    ck_assert_int_eq(feed("bootstrap-104", LC_BOOTSTRAP, now), RC_OK);
    ck_assert_int_eq(state_at(now), LC_STATE_FOLLOWING);
    ck_assert_uint_eq(poll_at(now), 3); /* the next committee beside the heads */
    ck_assert_int_eq(wants[0].kind, LC_UPDATE);
    ck_assert_uint_eq(wants[0].period, 1);
    ck_assert_uint_eq(wants[0].count, 1);
    lc_sync_failed(sync_, &wants[0], now); /* the server has none yet: asked again before the period ends at 128 */
    ck_assert_uint_eq(poll_at(at(123, 900)), 0);
    bool asked = false;
    for (uint64_t slot = 124; slot < 128 && !asked; slot++)
        for (size_t n = poll_at(at(slot, 950)), i = 0; i < n; i++)
            asked = asked || wants[i].kind == LC_UPDATE;
    ck_assert(asked);
    ck_assert_int_eq(feed("update-1", LC_UPDATE, now), RC_OK);
    ck_assert_uint_eq(moved & LC_MOVED_PERIOD, LC_MOVED_PERIOD);
    ck_assert_int_eq(feed("optimistic-130", LC_OPTIMISTIC, at(131, 700)), RC_OK); /* signed by the next committee */
    ck_assert_uint_eq(moved, LC_MOVED_HEAD);
}
END_TEST

START_TEST(without_the_next_committee_a_new_period_means_updates_again)
{
    net = fx_minimal_fulu();
    start(FX_FULU_CHECKPOINT_104, 0);
    ck_assert_uint_eq(poll_at(at(126, 0)), 1);
    ck_assert_int_eq(feed("bootstrap-104", LC_BOOTSTRAP, at(126, 0)), RC_OK);
    ck_assert_int_eq(feed("optimistic-130", LC_OPTIMISTIC, at(131, 700)), RC_NEED_DATA);
    ck_assert_int_eq(state_at(at(131, 700)), LC_STATE_SYNCING);
    ck_assert_uint_eq(poll_at(at(131, 700)), 1);
    ck_assert_int_eq(wants[0].kind, LC_UPDATE);
    ck_assert_uint_eq(wants[0].period, 1);
    ck_assert_uint_eq(wants[0].count, 2);
    feed_updates(1, 1, at(131, 700)); /* the list ends early: the newest period has no update yet */
    ck_assert_int_eq(state_at(at(131, 700)), LC_STATE_FOLLOWING);
    ck_assert_uint_eq(poll_at(at(131, 700)), 2);
    ck_assert_int_eq(wants[0].kind, LC_FINALITY);
    ck_assert_int_eq(wants[1].kind, LC_OPTIMISTIC);
}
END_TEST

static const uint64_t optimistic[] = { 144, 145, 146, 147, 148, 150, 151, 152, 153 }; /* 149 was missed */

/* The attested slot that a server shows: the parent of the newest block, from 300 ms after its slot began. */
static uint64_t shown(uint64_t now_ms)
{
    uint64_t best = 0;
    for (size_t i = 0; i < sizeof optimistic / sizeof optimistic[0]; i++) {
        uint64_t signature = optimistic[i] == 148 ? 150 : optimistic[i] + 1;
        if (now_ms >= at(signature, 300))
            best = optimistic[i];
    }
    return best;
}

START_TEST(a_new_head_costs_one_request_and_arrives_in_its_slot)
{
    start_fulu();
    uint64_t now = at(145, 900), end = at(154, 1900);
    ck_assert_uint_eq(poll_at(now), 1);
    ck_assert_int_eq(feed("bootstrap-8", LC_BOOTSTRAP, now), RC_OK);
    ck_assert_uint_eq(poll_at(now), 1);
    feed_updates(0, 2, now);
    unsigned optimistic_requests = 0, finality_requests = 0, heads = 0;
    while (now < end) {
        size_t n = poll_at(now);
        for (size_t i = 0; i < n; i++) {
            char name[32];
            if (wants[i].kind == LC_FINALITY) {
                finality_requests++;
                rc_t rc = feed(now >= at(153, 300) ? "finality-152" : "finality-144", LC_FINALITY, now);
                ck_assert(rc == RC_OK || rc == RC_REPLAY);
                continue;
            }
            ck_assert_int_eq(wants[i].kind, LC_OPTIMISTIC);
            optimistic_requests++;
            snprintf(name, sizeof name, "optimistic-%lu", shown(now));
            rc_t rc = feed(name, LC_OPTIMISTIC, now);
            ck_assert(rc == RC_OK || rc == RC_REPLAY);
            if (rc == RC_OK && (moved & LC_MOVED_HEAD)) {
                heads++;
                ck_assert_uint_lt(now, at(lc_slot_at(&net, now), 700)); /* a third into the slot */
            }
        }
        ck_assert_uint_gt(wake, now);
        now = n ? now : wake; /* answers came: poll again */
    }
    ck_assert_uint_eq(latest_slot(), 153);
    ck_assert_uint_eq(finalized_slot(), 136);
    ck_assert_uint_ge(heads, 7);
    /* One a head, four more for the slot without a block and one for the start. */
    ck_assert_uint_le(optimistic_requests, 8 + 5 + 1);
    ck_assert_uint_le(finality_requests, 3);
}
END_TEST

START_TEST(a_silent_server_is_asked_ever_more_rarely)
{
    start_fulu();
    uint64_t now = at(154, 900), last = 0, gap = 0;
    for (int i = 0; i < 12; i++) {
        ck_assert_uint_eq(wait_for_one(&now), 1);
        ck_assert_int_eq(wants[0].kind, LC_BOOTSTRAP);
        if (i) {
            ck_assert_uint_ge(now - last, gap * 2 < 30000 ? gap * 2 : 30000);
            gap = now - last;
            ck_assert_uint_le(gap, 30000);
        }
        last = now;
        lc_sync_failed(sync_, &wants[0], now);
    }
    ck_assert_uint_eq(gap, 30000);
}
END_TEST

START_TEST(a_range_that_fails_is_asked_for_in_smaller_parts)
{
    net = fx_minimal_fulu();
    start(FX_FULU_CHECKPOINT_8, 100000000);
    uint64_t now = at(64 * 300, 900);
    ck_assert_uint_eq(poll_at(now), 1);
    ck_assert_int_eq(feed("bootstrap-8", LC_BOOTSTRAP, now), RC_OK);
    static const uint32_t counts[] = { 128, 8, 1, 1 };
    for (size_t i = 0; i < 4; i++) {
        ck_assert_uint_eq(wait_for_one(&now), 1);
        ck_assert_int_eq(wants[0].kind, LC_UPDATE);
        ck_assert_uint_eq(wants[0].period, 0);
        ck_assert_uint_eq(wants[0].count, counts[i]);
        lc_sync_failed(sync_, &wants[0], now);
        ck_assert_uint_eq(poll_at(now), i == 2); /* there are none, it seems: what is the head? No answer comes here */
        ck_assert(i != 2 || wants[0].kind == LC_OPTIMISTIC);
    }
    ck_assert_uint_eq(wait_for_one(&now), 1);
    feed_updates(0, 0, now);
    ck_assert_uint_eq(poll_at(now), 1); /* progress: at once, and more again */
    ck_assert_uint_eq(wants[0].period, 1);
    ck_assert_uint_eq(wants[0].count, 2);
    feed_updates(1, 2, now); /* then the list says nothing more: wait */
    ck_assert_uint_eq(poll_at(now), 1);
    ck_assert_uint_eq(wants[0].period, 3);
    ck_assert_uint_eq(wants[0].count, 8);
    ck_assert_int_eq(feed("update-2", LC_UPDATE, now), RC_OK);
    ck_assert_uint_eq(moved, 0);
    ck_assert_uint_eq(poll_at(now), 0);
    lc_progress_t p;
    lc_sync_progress(sync_, &p, now);
    ck_assert_int_eq(p.state, LC_STATE_SYNCING);
    ck_assert_uint_eq(p.periods_done, 3);
    ck_assert_uint_eq(p.periods_total, 300);
}
END_TEST

/* A machine that follows at slot 154. */
static uint64_t following(void)
{
    start_fulu();
    uint64_t now = at(154, 900);
    poll_at(now);
    ck_assert_int_eq(feed("bootstrap-8", LC_BOOTSTRAP, now), RC_OK);
    poll_at(now);
    feed_updates(0, 2, now);
    ck_assert_uint_eq(poll_at(now), 2);
    ck_assert_int_eq(feed("finality-152", LC_FINALITY, now), RC_OK);
    ck_assert_int_eq(feed("optimistic-153", LC_OPTIMISTIC, now), RC_OK);
    return now;
}

START_TEST(held_back_finality_is_no_stall)
{
    following();
    unsigned finality = 0, optimistic_requests = 0;
    uint64_t now = at(160, 0), end = at(176, 0); /* two epochs in which the server repeats itself */
    while (now < end) {
        size_t n = poll_at(now);
        for (size_t i = 0; i < n; i++) {
            finality += wants[i].kind == LC_FINALITY;
            optimistic_requests += wants[i].kind == LC_OPTIMISTIC;
            ck_assert_int_eq(feed(wants[i].kind == LC_FINALITY ? "finality-152" : "optimistic-153", wants[i].kind, now),
                             RC_REPLAY);
        }
        now = n ? now : wake;
    }
    ck_assert_int_eq(state_at(now), LC_STATE_FOLLOWING);
    ck_assert_uint_ge(finality, 3);
    ck_assert_uint_le(finality, 10);
    ck_assert_uint_ge(optimistic_requests, 14); /* at least once a slot */
    ck_assert_uint_le(optimistic_requests, 64);
}
END_TEST

/* The slot in which finality is next asked for; other wants are left alone. */
static uint64_t slot_of_next_finality(uint64_t *now_ms)
{
    for (int i = 0; i < 100; i++) {
        size_t n = poll_at(*now_ms);
        for (size_t k = 0; k < n; k++)
            if (wants[k].kind == LC_FINALITY)
                return lc_slot_at(&net, *now_ms);
        *now_ms = wake;
    }
    return 0;
}

START_TEST(finality_that_is_held_back_again_is_asked_for_soon_again)
{
    start_fulu();
    uint64_t now = at(152, 900);
    poll_at(now);
    ck_assert_int_eq(feed("bootstrap-8", LC_BOOTSTRAP, now), RC_OK);
    poll_at(now);
    feed_updates(0, 2, now); /* finalized 128: three epochs behind */
    static const uint64_t slots[] = { 152, 153, 155 };
    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(slot_of_next_finality(&now), slots[i]);
        if (i < 2)
            ck_assert_int_eq(feed("finality-144", LC_FINALITY, now), RC_REPLAY);
    }
    ck_assert_int_eq(feed("finality-152", LC_FINALITY, now), RC_OK); /* 136: no more */
    ck_assert_uint_eq(slot_of_next_finality(&now), 161);
    ck_assert_int_eq(feed("finality-152", LC_FINALITY, now), RC_REPLAY);
    ck_assert_uint_eq(slot_of_next_finality(&now), 162);
    ck_assert_int_eq(feed("finality-152", LC_FINALITY, now), RC_REPLAY);
    ck_assert_uint_eq(slot_of_next_finality(&now), 164);
}
END_TEST

START_TEST(a_machine_that_slept_through_periods_asks_for_updates_again)
{
    following();
    uint64_t now = at(64 * 7 + 3, 100);
    ck_assert_int_eq(state_at(now), LC_STATE_SYNCING);
    ck_assert_uint_eq(poll_at(now), 1);
    ck_assert_int_eq(wants[0].kind, LC_UPDATE);
    ck_assert_uint_eq(wants[0].period, 3);
    ck_assert_uint_eq(wants[0].count, 5);
    ck_assert_uint_eq(latest_slot(), 153); /* the head stays; its age is the node's concern */
}
END_TEST

START_TEST(a_clock_that_goes_back_does_not_stop_the_machine)
{
    following();
    uint64_t now = at(146, 0);
    ck_assert_uint_ge(wait_for_one(&now), 1);
    ck_assert_uint_le(now, at(147, 0));
}
END_TEST

START_TEST(a_lost_want_is_given_out_again)
{
    start_fulu();
    uint64_t now = at(154, 900);
    ck_assert_uint_eq(poll_at(now), 1);
    ck_assert_uint_eq(poll_at(now + LC_WANT_TIMEOUT_MS - 1), 0);
    ck_assert_uint_eq(poll_at(now + LC_WANT_TIMEOUT_MS), 1);
}
END_TEST

START_TEST(a_checkpoint_may_not_be_too_old)
{
    start_fulu();
    uint64_t bound = 256u * 8 * 2 * 1000; /* MIN_VALIDATOR_WITHDRAWABILITY_DELAY epochs */
    ck_assert_int_eq(feed("bootstrap-8", LC_BOOTSTRAP, at(8, bound + 1)), RC_LIMIT);
    ck_assert_str_eq(fault.text, "the checkpoint is older than the weak-subjectivity bound");
    ck_assert_ptr_null(lc_sync_store(sync_));
    ck_assert_int_eq(feed("bootstrap-8", LC_BOOTSTRAP, at(8, bound)), RC_OK);
    start(FX_FULU_CHECKPOINT_8, 60);
    ck_assert_int_eq(feed("bootstrap-8", LC_BOOTSTRAP, at(8, 60001)), RC_LIMIT);
    ck_assert_int_eq(feed("bootstrap-8", LC_BOOTSTRAP, at(8, 60000)), RC_OK);
    ck_assert_int_eq(feed("bootstrap-8", LC_BOOTSTRAP, at(8, 60000)), RC_REPLAY);
    start(FX_FULU_CHECKPOINT_104, 0);
    ck_assert_int_eq(feed("bootstrap-8", LC_BOOTSTRAP, at(8, 0)), RC_REFUSED);
}
END_TEST

/* ---- the clock is wrong ---- */

static lc_seen_t seen(void)
{
    lc_seen_t out;
    lc_sync_seen(sync_, &out);
    return out;
}

START_TEST(a_checkpoint_of_the_future_convicts_the_clock)
{
    start_fulu();
    ck_assert_uint_eq(seen().slot, 0);
    ck_assert_int_eq(feed("bootstrap-104", LC_BOOTSTRAP, at(6, 0)), RC_REFUSED); /* it is not the one that is trusted */
    ck_assert_uint_eq(seen().slot, 0);
    start(FX_FULU_CHECKPOINT_104, 0);
    ck_assert_int_eq(feed("bootstrap-104", LC_BOOTSTRAP, at(6, 0)), RC_OK);
    ck_assert(seen().slot == 104 && !seen().participants);
    ck_assert_int_eq(state_at(at(6, 0)), LC_STATE_FOLLOWING); /* by the checkpoint's slot */
    lc_progress_t p;
    lc_sync_progress(sync_, &p, at(6, 0));
    ck_assert_uint_eq(p.current_slot, 104);
}
END_TEST

/* A machine that has all committees up to slot 154, by a clock that stands so many slots behind it. */
static uint64_t behind(uint64_t slots)
{
    start_fulu();
    uint64_t now = at(154 - slots, 900);
    ck_assert_uint_eq(poll_at(now), 1);
    ck_assert_int_eq(feed("bootstrap-8", LC_BOOTSTRAP, now), RC_OK);
    feed_updates(0, 2, now);
    return now;
}

START_TEST(a_head_of_the_future_is_taken_and_convicts_the_clock)
{
    static const uint64_t distances[] = { 2, 3, 6, 140 }; /* update-2 is of slot 144 */
    for (size_t i = 0; i < 4; i++) {
        uint64_t now = behind(distances[i]);
        ck_assert_int_eq(feed("optimistic-153", LC_OPTIMISTIC, now), RC_OK);
        ck_assert_uint_eq(moved, LC_MOVED_HEAD);
        ck_assert_uint_eq(latest_slot(), 153);
        ck_assert(seen().slot == 153 && seen().participants >= 22);
        ck_assert_int_eq(state_at(now), LC_STATE_FOLLOWING);
        now += 2000; /* asked again within a slot, though the clock has long to go */
        ck_assert_uint_ge(wait_for_one(&now), 1);
        ck_assert_uint_le(now, at(154 - distances[i], 900) + 2 * 2000);
    }
}
END_TEST

START_TEST(a_clock_periods_behind_is_led_to_the_head_all_the_same)
{
    start_fulu();
    uint64_t now = at(10, 0);
    poll_at(now);
    ck_assert_int_eq(feed("bootstrap-8", LC_BOOTSTRAP, now), RC_OK);
    ck_assert_uint_eq(poll_at(now), 3); /* it is up to date, by the clock */
    ck_assert_int_eq(wants[2].kind, LC_OPTIMISTIC);
    feed_updates(0, 0, now);
    ck_assert_uint_eq(poll_at(now), 0);
    ck_assert_int_eq(feed("optimistic-153", LC_OPTIMISTIC, now), RC_NEED_DATA); /* of period 2, and 1 is known */
    lc_sync_failed(sync_, &wants[2], now);
    ck_assert_uint_eq(poll_at(now), 1);
    ck_assert(wants[0].kind == LC_UPDATE && wants[0].period == 1 && wants[0].count == 1);
    feed_updates(1, 1, now);
    ck_assert_uint_eq(seen().slot, 80);
    ck_assert_int_eq(feed("optimistic-153", LC_OPTIMISTIC, now), RC_OK);
    ck_assert_uint_eq(latest_slot(), 153);
    ck_assert_uint_eq(seen().slot, 153);
}
END_TEST

START_TEST(a_forged_head_of_the_future_is_a_lie_still)
{
    uint64_t now = behind(20);
    view_t ssz = fx_read("minimal-fulu/optimistic-153.ssz");
    for (size_t i = 0; i < ssz.n; i += 7) {
        if (i >= SIGNATURE_SLOT_AT && i < SIGNATURE_SLOT_AT + 8)
            continue;
        ((uint8_t *)(uintptr_t)ssz.p)[i] ^= 1;
        rc_t rc = lc_sync_input(sync_, &moved, &fault, LC_OPTIMISTIC, LC_FULU, ssz, now);
        ck_assert_msg(rc == RC_REFUSED || rc == RC_MALFORMED || rc == RC_REPLAY, "byte %zu: %s", i, rc_name(rc));
        ck_assert_uint_eq(seen().slot, 144);
        ((uint8_t *)(uintptr_t)ssz.p)[i] ^= 1;
    }
    ck_assert_int_eq(lc_sync_input(sync_, &moved, &fault, LC_OPTIMISTIC, LC_FULU, ssz, now), RC_OK);
    free((void *)(uintptr_t)ssz.p);
}
END_TEST

/* Only the header's slot is signed. */
static rc_t feed_signed_at(uint64_t signature_slot, uint64_t now_ms)
{
    view_t ssz = fx_read("minimal-fulu/optimistic-153.ssz");
    store_u64le((uint8_t *)(uintptr_t)ssz.p + SIGNATURE_SLOT_AT, signature_slot);
    rc_t rc = lc_sync_input(sync_, &moved, &fault, LC_OPTIMISTIC, LC_FULU, ssz, now_ms);
    free((void *)(uintptr_t)ssz.p);
    return rc;
}

START_TEST(a_signature_slot_that_is_not_reached_blames_nobody)
{
    uint64_t now = behind(2); /* 152 by the clock */
    ck_assert_int_eq(feed_signed_at(156, now), RC_NEED_DATA);
    ck_assert_str_eq(fault.text, "the signature slot lies in the future of this machine's clock");
    ck_assert_uint_eq(seen().slot, 153); /* its header is evidence all the same */
    ck_assert_uint_lt(latest_slot(), 153);
    now = behind(0);
    ck_assert_int_eq(feed_signed_at(156, now), RC_NEED_DATA);
    now = behind(0);
    ck_assert_int_eq(feed_signed_at(153 + 8, now), RC_NEED_DATA);
    now = behind(0);
    ck_assert_int_eq(feed_signed_at(153 + 9, now), RC_REFUSED); /* nobody waits an epoch for the next block */
    ck_assert_str_eq(fault.text, "the signature slot lies in the future");
    ck_assert_int_eq(feed_signed_at(154, now), RC_OK);
}
END_TEST

START_TEST(few_signers_of_the_future_prove_nothing)
{
    uint64_t now = behind(20);
    ck_assert_int_eq(feed("forged-few-signers", LC_FINALITY, now), RC_NEED_DATA);
    ck_assert_uint_eq(seen().slot, 144);
}
END_TEST

START_TEST(a_clock_set_back_lets_no_old_checkpoint_in)
{
    net = fx_minimal_fulu();
    start(FX_FULU_CHECKPOINT_8, 120);
    uint64_t now = at(30, 0); /* the checkpoint is 44 s old by the clock; update 1 is of slot 80, 144 s after it */
    ck_assert_uint_eq(poll_at(now), 1);
    ck_assert_int_eq(feed("bootstrap-8", LC_BOOTSTRAP, now), RC_OK);
    ck_assert_int_eq(feed("update-0", LC_UPDATE, now), RC_OK);
    ck_assert_int_eq(feed("update-1", LC_UPDATE, now), RC_LIMIT);
    ck_assert_str_eq(fault.text, "the checkpoint is older than the weak-subjectivity bound");
    ck_assert_int_eq(state_at(now), LC_STATE_NEW);
    ck_assert_uint_eq(latest_slot() | finalized_slot(), 0);
    ck_assert_ptr_null(lc_sync_store(sync_));
    ck_assert_int_eq(feed("bootstrap-8", LC_BOOTSTRAP, now), RC_LIMIT); /* what was seen is not forgotten */
}
END_TEST

START_TEST(a_clock_put_right_finds_the_checkpoint_too_old)
{
    net = fx_minimal_fulu();
    start(FX_FULU_CHECKPOINT_8, 120);
    ck_assert_uint_eq(poll_at(at(30, 0)), 1);
    ck_assert_int_eq(feed("bootstrap-8", LC_BOOTSTRAP, at(30, 0)), RC_OK);
    ck_assert_uint_eq(poll_at(at(68, 1)), 1);
    ck_assert_int_eq(wants[0].kind, LC_BOOTSTRAP);
    ck_assert_int_eq(state_at(at(68, 1)), LC_STATE_NEW);
}
END_TEST

START_TEST(a_head_in_step_stands_in_the_checkpoints_place)
{
    static const struct {
        uint64_t clock_slot;
        rc_t want;
    } rows[] = { { 34, RC_OK }, { 59, RC_OK }, { 60, RC_LIMIT } }; /* update-0 is of slot 34: in step for 25 slots */
    for (size_t i = 0; i < 3; i++) {
        net = fx_minimal_fulu();
        start(FX_FULU_CHECKPOINT_8, 120); /* slot 68 for the checkpoint, slot 94 for a head of slot 34 */
        uint64_t now = at(rows[i].clock_slot, 0);
        poll_at(now);
        ck_assert_int_eq(feed("bootstrap-8", LC_BOOTSTRAP, now), RC_OK);
        ck_assert_int_eq(feed("update-0", LC_UPDATE, now), RC_OK);
        ck_assert_msg(feed("update-1", LC_UPDATE, at(90, 0)) == rows[i].want, "row %zu: %s", i, fault.text);
    }
}
END_TEST

START_TEST(a_clock_far_ahead_asks_for_the_head_all_the_same)
{
    start_fulu();
    uint64_t now = at(154 + 300, 900);
    ck_assert_uint_eq(poll_at(now), 1);
    ck_assert_int_eq(feed("bootstrap-8", LC_BOOTSTRAP, now), RC_OK);
    ck_assert_uint_eq(poll_at(now), 1);
    feed_updates(0, 2, now);
    bool asked = false;
    for (int i = 0; i < 6 && !asked; i++) {
        size_t n = wait_for_one(&now);
        ck_assert_uint_ge(n, 1);
        asked = wants[n - 1].kind == LC_OPTIMISTIC;
        lc_sync_failed(sync_, &wants[0], now); /* the chain has no such period yet */
    }
    ck_assert(asked);
    ck_assert_int_eq(feed("optimistic-153", LC_OPTIMISTIC, now), RC_OK);
    ck_assert_uint_eq(latest_slot(), 153);
    ck_assert_int_eq(state_at(now), LC_STATE_SYNCING);
}
END_TEST

START_TEST(a_clock_put_right_is_followed_at_once)
{
    start_fulu();
    uint64_t year = UINT64_C(31536000000), now = at(154, 900);
    for (int i = 0; i < 8; i++) {
        uint64_t ahead = now + year;
        ck_assert_uint_eq(wait_for_one(&ahead), 1);
        ck_assert_int_eq(feed("bootstrap-8", LC_BOOTSTRAP, ahead), RC_LIMIT);
        lc_sync_failed(sync_, &wants[0], ahead);
        now = ahead - year;
    }
    ck_assert_uint_eq(poll_at(now), 1); /* though it had waited half a minute by then */
    ck_assert_int_eq(wants[0].kind, LC_BOOTSTRAP);
}
END_TEST

START_TEST(the_stored_inputs_lead_to_the_same_heads_offline)
{
    start_fulu();
    uint64_t now = at(154, 900);
    ck_assert_int_eq(feed("bootstrap-8", LC_BOOTSTRAP, now), RC_OK);
    feed_updates(0, 2, now);
    ck_assert_int_eq(feed("finality-153", LC_FINALITY, now), RC_OK);
    ck_assert_uint_eq(latest_slot(), 153);
    ck_assert_uint_eq(finalized_slot(), 136);
    ck_assert_uint_eq(poll_at(now), 2); /* and goes on from there */
    ck_assert_int_eq(wants[0].kind, LC_FINALITY);
}
END_TEST

START_TEST(a_finality_update_that_moved_the_period_is_not_missed_in_a_replay)
{
    net = fx_minimal_fulu();
    uint64_t now = at(154, 900);
    hash32_t current[2], next[2];
    for (int replay = 0; replay < 2; replay++) {
        start_fulu();
        ck_assert_int_eq(feed("bootstrap-8", LC_BOOTSTRAP, now), RC_OK);
        feed_updates(0, 1, now);
        if (!replay) {
            ck_assert_int_eq(feed("finality-144", LC_FINALITY, now), RC_OK);
            ck_assert_uint_eq(moved, LC_MOVED_HEAD | LC_MOVED_FINALIZED | LC_MOVED_PERIOD);
        }
        feed_updates(2, 2, now);
        ck_assert(moved & LC_MOVED_PERIOD);
        ck_assert_int_eq(feed("finality-153", LC_FINALITY, now), RC_OK);
        ck_assert_uint_eq(finalized_slot(), 136);
        ck_assert(lc_sync_store(sync_)->next_sync_committee.known);
        current[replay] = lc_sync_store(sync_)->current_sync_committee.root;
        next[replay] = lc_sync_store(sync_)->next_sync_committee.root;
    }
    ck_assert(hash32_eq(&current[0], &current[1]) && hash32_eq(&next[0], &next[1]));
}
END_TEST

START_TEST(a_trusted_replay_is_as_old_as_where_it_ends)
{
    net = fx_minimal_fulu();
    for (int fresh = 0; fresh < 2; fresh++) {
        lc_sync_config_t config = { .network = &net,
                                    .checkpoint = fx_hash(FX_FULU_CHECKPOINT_8),
                                    .checkpoint_age_max_s = 120, /* beyond LC_IN_STEP_SLOTS */
                                    .replay_is_trusted = true };
        lc_sync_free(sync_);
        sync_ = lc_sync_new(&config);
        uint64_t now =
            fresh ? at(136, 120000) : at(136, 120001); /* the finalized header that the replay reaches: 136 */
        ck_assert_int_eq(feed("bootstrap-8", LC_BOOTSTRAP, now), RC_OK);
        feed_updates(0, 2, now);
        ck_assert_int_eq(feed("finality-153", LC_FINALITY, now), RC_OK);
        ck_assert_uint_ge(poll_at(now), 1);
        ck_assert_int_eq(state_at(now), fresh ? LC_STATE_FOLLOWING : LC_STATE_NEW);
        ck_assert_uint_eq(latest_slot(), fresh ? 153 : 0);
        if (!fresh) {
            ck_assert_int_eq(wants[0].kind, LC_BOOTSTRAP);
            ck_assert_int_eq(feed("bootstrap-8", LC_BOOTSTRAP, now), RC_LIMIT); /* now it is no replay */
        }
    }
}
END_TEST

START_TEST(less_than_two_thirds_moves_nothing_that_is_signed)
{
    start_fulu();
    uint64_t now = at(154, 900);
    ck_assert_int_eq(feed("bootstrap-8", LC_BOOTSTRAP, now), RC_OK);
    feed_updates(0, 2, now);
    static const char *const few[] = { "forged-few-signers", "forged-one-signer" };
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(feed(few[i], LC_FINALITY, now), RC_OK);
        ck_assert_uint_eq(moved, 0);
        ck_assert_uint_eq(latest_slot(), 144);
        ck_assert_uint_eq(finalized_slot(), 128);
    }
    ck_assert_int_eq(feed("forged-next-committee-signed", LC_FINALITY, now), RC_REFUSED);
    ck_assert_int_eq(feed("forged-wrong-domain-fork", LC_FINALITY, now), RC_REFUSED);
    ck_assert_int_eq(feed("finality-153", LC_FINALITY, now), RC_OK);
    ck_assert_uint_eq(moved, LC_MOVED_HEAD | LC_MOVED_FINALIZED);
    lc_head_t head;
    lc_sync_latest(sync_, &head);
    ck_assert_uint_eq(head.participants, 31);
    ck_assert_uint_eq(head.signature_slot, 154);
}
END_TEST

START_TEST(a_few_signers_on_a_fresh_store_move_the_optimistic_header_only)
{
    net = fx_minimal_fulu();
    start(FX_FULU_CHECKPOINT_104, 0);
    uint64_t now = at(154, 900);
    ck_assert_int_eq(feed("bootstrap-104", LC_BOOTSTRAP, now), RC_OK);
    feed_updates(1, 1, now);
    ck_assert_int_eq(feed("forged-few-signers", LC_FINALITY, now), RC_OK);
    ck_assert_uint_eq(moved, 0);
    ck_assert_uint_eq(latest_slot(), 80); /* of the update; the few did not move it */
    ck_assert_int_eq(feed("finality-153", LC_FINALITY, now), RC_OK);
    ck_assert_uint_eq(latest_slot(), 153);
}
END_TEST

START_TEST(heads_never_go_back)
{
    following();
    uint64_t now = at(154, 900);
    ck_assert_uint_eq(latest_slot(), 153);
    ck_assert_int_eq(feed("optimistic-145", LC_OPTIMISTIC, now), RC_REPLAY);
    ck_assert_int_eq(feed("finality-144", LC_FINALITY, now), RC_REPLAY);
    ck_assert_int_eq(feed("update-2", LC_UPDATE, now),
                     RC_OK); /* valid, attested after the finalized header: nothing new */
    ck_assert_uint_eq(moved, 0);
    ck_assert_uint_eq(latest_slot(), 153);
    ck_assert_uint_eq(finalized_slot(), 136);
}
END_TEST

START_TEST(a_checkpoint_becomes_the_finalized_head_once_an_update_shows_it)
{
    net = fx_minimal_fulu();
    start("db1488e99537c09c92fe6401fb4708db7ee193a3a8789617294676cbd5174603", 0);
    uint64_t now = at(154, 900);
    ck_assert_int_eq(feed("bootstrap-136", LC_BOOTSTRAP, now), RC_OK);
    ck_assert_uint_eq(finalized_slot(), 0);
    ck_assert_int_eq(feed("update-2", LC_UPDATE, now), RC_OK); /* finalizes 128: history */
    ck_assert_uint_eq(moved, LC_MOVED_HEAD | LC_MOVED_PERIOD);
    ck_assert_uint_eq(finalized_slot(), 0);
    ck_assert_int_eq(feed("finality-152", LC_FINALITY, now), RC_OK);
    ck_assert_uint_eq(moved, LC_MOVED_HEAD | LC_MOVED_FINALIZED);
    ck_assert_uint_eq(finalized_slot(), 136);
}
END_TEST

START_TEST(a_failure_after_a_part_of_the_answer_was_taken_is_none)
{
    start_fulu();
    uint64_t now = at(154, 900);
    poll_at(now);
    ck_assert_int_eq(feed("bootstrap-8", LC_BOOTSTRAP, now), RC_OK);
    ck_assert_uint_eq(poll_at(now), 1);
    lc_want_t range = wants[0];
    feed_updates(0, 0, now);
    ck_assert_int_eq(feed("update-2", LC_UPDATE, now), RC_NEED_DATA); /* the second element skips a period */
    lc_sync_failed(sync_, &range, now);
    ck_assert_uint_eq(poll_at(now), 1); /* at once, from where it ended */
    ck_assert_uint_eq(wants[0].period, 1);
    ck_assert_uint_eq(wants[0].count, 2);
}
END_TEST

START_TEST(the_machine_crosses_forks)
{
    net = fx_minimal_forks();
    start(FX_FORKS_CHECKPOINT_8, 0);
    uint64_t now = at(99, 0);
    ck_assert_int_eq(feed_as("minimal-forks/bootstrap-8.ssz", LC_BOOTSTRAP, LC_DENEB, now), RC_OK);
    ck_assert_int_eq(feed_as("minimal-forks/update-0.ssz", LC_UPDATE, LC_DENEB, now), RC_OK);
    ck_assert_uint_eq(finalized_slot(), 16);
    ck_assert_int_eq(feed_as("minimal-forks/update-1.ssz", LC_UPDATE, LC_ELECTRA, now), RC_OK);
    ck_assert_int_eq(feed_as("minimal-forks/finality-96.ssz", LC_FINALITY, LC_FULU, now), RC_OK);
    ck_assert_uint_eq(finalized_slot(), 80);
    ck_assert_uint_eq(latest_slot(), 96);
}
END_TEST

START_TEST(what_is_not_well_formed_is_malformed)
{
    start_fulu();
    static const uint8_t junk[7] = { 1, 2, 3 };
    ck_assert_int_eq(lc_sync_input(sync_, &moved, &fault, LC_UPDATE, LC_FULU, view_of(junk, 7), at(9, 0)),
                     RC_NEED_DATA);
    ck_assert_int_eq(feed("bootstrap-8", LC_BOOTSTRAP, at(9, 0)), RC_OK);
    for (int kind = LC_UPDATE; kind <= LC_OPTIMISTIC; kind++)
        ck_assert_int_eq(lc_sync_input(sync_, &moved, &fault, (lc_kind_t)kind, LC_FULU, view_of(junk, 7), at(9, 0)),
                         RC_MALFORMED);
    ck_assert_int_eq(lc_sync_input(sync_, &moved, &fault, LC_UPDATE, LC_FORKS, view_of(junk, 7), at(9, 0)),
                     RC_MALFORMED);
    ck_assert_int_eq(lc_sync_input(sync_, &moved, &fault, (lc_kind_t)9, LC_FULU, view_of(junk, 7), at(9, 0)),
                     RC_MALFORMED);
}
END_TEST

int main(void)
{
    int failed = UNIT_RUN(
        "sync", a_first_synchronisation_takes_three_round_trips, a_checkpoint_of_the_current_period_is_ready_after_two,
        without_the_next_committee_a_new_period_means_updates_again,
        a_new_head_costs_one_request_and_arrives_in_its_slot, a_silent_server_is_asked_ever_more_rarely,
        a_range_that_fails_is_asked_for_in_smaller_parts, held_back_finality_is_no_stall,
        finality_that_is_held_back_again_is_asked_for_soon_again,
        a_machine_that_slept_through_periods_asks_for_updates_again, a_clock_that_goes_back_does_not_stop_the_machine,
        a_lost_want_is_given_out_again, a_checkpoint_may_not_be_too_old, a_checkpoint_of_the_future_convicts_the_clock,
        a_head_of_the_future_is_taken_and_convicts_the_clock, a_clock_periods_behind_is_led_to_the_head_all_the_same,
        a_forged_head_of_the_future_is_a_lie_still, few_signers_of_the_future_prove_nothing,
        a_signature_slot_that_is_not_reached_blames_nobody, a_clock_set_back_lets_no_old_checkpoint_in,
        a_clock_put_right_finds_the_checkpoint_too_old, a_head_in_step_stands_in_the_checkpoints_place,
        a_clock_far_ahead_asks_for_the_head_all_the_same, a_clock_put_right_is_followed_at_once,
        the_stored_inputs_lead_to_the_same_heads_offline,
        a_finality_update_that_moved_the_period_is_not_missed_in_a_replay, a_trusted_replay_is_as_old_as_where_it_ends,
        less_than_two_thirds_moves_nothing_that_is_signed,
        a_few_signers_on_a_fresh_store_move_the_optimistic_header_only, heads_never_go_back,
        a_checkpoint_becomes_the_finalized_head_once_an_update_shows_it,
        a_failure_after_a_part_of_the_answer_was_taken_is_none, the_machine_crosses_forks,
        what_is_not_well_formed_is_malformed);
    lc_sync_free(sync_);
    return failed;
}
