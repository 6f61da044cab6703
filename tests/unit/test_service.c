/* What decides whether a node signs: its state, the head that never moves back, the time that collateral is judged by. */
#include <stdlib.h>

#include "base/crypto/secret.h"
#include "node/service.h"
#include "tests/unit/unit.h"

#define SLOT_MS 12000u
#define MOVED_MS 500000u /* monotonic, when the head came */

static config_t config;
static follow_view_t view;
static err_t why;

static uint64_t at(uint64_t slot)
{
    return (config.network.genesis_time + 12 * slot) * 1000;
}

/* A chain of the newest fork, whose latest head is slot 1000 and whose finalized one is slot 928. */
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
    view.latest_moved_ms = MOVED_MS;
}

/* The state when so many slots have passed since the head's. */
static node_state_t judge(uint64_t slots, bool was_ready)
{
    return service_judge(&why, &config, &view, was_ready, at(1000 + slots), MOVED_MS);
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
    ck_assert_int_eq(service_judge(&why, &config, &view, true, at(1001), MOVED_MS + 25 * SLOT_MS), NODE_READY);
    ck_assert_int_eq(service_judge(&why, &config, &view, true, at(1001), MOVED_MS + 26 * SLOT_MS), NODE_DEGRADED);
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
    view.latest.header.execution.timestamp = at(976) / 1000;
    ck_assert_int_eq(judge(1, true), NODE_READY);
    ck_assert_int_eq(judge(2, true), NODE_DEGRADED);
    ck_assert_str_eq(why.text, "the newest execution block is 312 s old: the slots up to 1000 brought no other");
}
END_TEST

/* Epoch 32 begins at slot 1024: 24 slots after the head, which alone would be young for one slot more. */
START_TEST(node_stops_at_the_slot_of_a_fork_that_it_does_not_know)
{
    const lc_unknown_fork_t heze = { .name = "heze", .epoch = 32 };
    ck_assert(lc_unknown_fork_add(&config.network, &heze));
    ck_assert_int_eq(service_judge(&why, &config, &view, true, at(1024) - 1, MOVED_MS), NODE_READY);
    ck_assert_int_eq(judge(24, true), NODE_UNSUPPORTED);
    ck_assert_str_eq(why.text, "the fork heze began at slot 1024, and this build does not know it");
    ck_assert_str_eq(node_state_name(NODE_UNSUPPORTED), "unsupported-fork");
    view.known = (lc_head_t){ .valid = true, .whole = true, .header.beacon.slot = 1024 }; /* the clock is late */
    ck_assert_int_eq(judge(1, true), NODE_UNSUPPORTED);
    view.known.header.beacon.slot = 1023;
    ck_assert_int_eq(judge(1, true), NODE_READY);
}
END_TEST

START_TEST(node_stops_when_a_newer_fork_is_proven)
{
    strcpy(view.unsupported, "2/3 of the sync committee signed under another version");
    ck_assert_int_eq(judge(1, true), NODE_UNSUPPORTED);
    ck_assert_str_eq(why.text, "2/3 of the sync committee signed under another version");
    view.latest.valid = false;
    ck_assert_int_eq(judge(1, false), NODE_UNSUPPORTED);
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

/* ---- GET /block ---- */

static service_t *signer(void)
{
    static const tee_provider_t tee = { .name = "simulator", .simulated = true };
    static const uint8_t blind[32] = { 3 };
    uint8_t secret[32] = { 1 };
    service_t *s = calloc(1, sizeof *s);
    s->with = (service_config_t){ .config = &config, .tee = &tee };
    pthread_mutex_init(&s->lock, NULL);
    ck_assert_int_eq(keyring_new(&s->keyring, secret, blind), RC_OK);
    return s;
}

START_TEST(block_answer_is_signed_once_for_a_head_and_never_moves_back)
{
    service_t *s = signer();
    hs_shared_t *first = service_block_answer(s, &view), *again = service_block_answer(s, &view);
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_eq(first, again);
    view.latest.header.beacon.slot = 1001;
    hs_shared_t *newer = service_block_answer(s, &view);
    ck_assert_ptr_ne(newer, first);
    view.latest.header.beacon.slot = 999; /* a thread with an older view */
    hs_shared_t *older = service_block_answer(s, &view);
    ck_assert_ptr_eq(older, newer);
    ck_assert_uint_eq(s->block_slot, 1001);
    hs_shared_unref(first);
    hs_shared_unref(again);
    hs_shared_unref(newer);
    hs_shared_unref(older);
    view.latest.valid = false;
    ck_assert_ptr_null(service_block_answer(s, &view));
    service_free(s);
}
END_TEST

START_TEST(default_block_says_which_head_is_signed)
{
    ck_assert_ptr_eq(service_head(&config, &view), &view.latest);
    config.default_block = CONFIG_SAFE;
    ck_assert_ptr_eq(service_head(&config, &view), &view.finalized);
    config.default_block = CONFIG_FINALIZED;
    ck_assert_ptr_eq(service_head(&config, &view), &view.finalized);
}
END_TEST

START_TEST(clock_held_back_makes_no_collateral_younger_than_the_chain)
{
    const int64_t head_s = (int64_t)(at(1000) / 1000);
    ck_assert_int_eq(service_evidence_s(&config.network, &view.latest, at(1000) - 5000000), head_s);
    ck_assert_int_eq(service_evidence_s(&config.network, &view.latest, at(1000) + 7000), head_s + 7);
    view.latest.valid = false;
    ck_assert_int_eq(service_evidence_s(&config.network, &view.latest, 9000), 9);
}
END_TEST

int main(void)
{
    if (secret_init())
        return EXIT_FAILURE;
    return UNIT_RUN_AROUND(
        "service", set_up, NULL, node_is_ready_as_long_as_its_head_is_young,
        clock_that_stands_still_keeps_no_node_ready, node_that_was_never_ready_asks_for_the_present_head_first,
        node_without_a_head_to_sign_says_what_it_waits_for,
        node_waits_for_the_execution_header_of_a_known_head_and_says_so,
        slots_without_a_payload_make_a_node_degraded_in_time, node_stops_at_the_slot_of_a_fork_that_it_does_not_know,
        node_stops_when_a_newer_fork_is_proven, head_before_capella_is_never_signed,
        block_answer_is_signed_once_for_a_head_and_never_moves_back, default_block_says_which_head_is_signed,
        clock_held_back_makes_no_collateral_younger_than_the_chain);
}
