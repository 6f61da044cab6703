/* What peers claim of the chain, and whether a node signs by it: each attack by its words, and each rule's edge. */
#include "overlay/floor.h"
#include "tests/unit/unit.h"

#define NOW 1000u

static floor_t f;
static const hash32_t platform = { { 1 } };
static err_t e;

/* One attested peer, that has answered; our head is at slot NOW - 1. */
static void setup(void)
{
    f = (floor_t){ .begun = false };
    floor_head(&f, NOW - 1);
    ck_assert_int_eq(floor_attested(&f, 7, &platform), RC_OK);
    floor_answered(&f, 7);
}

static void unchanged(void)
{
    ck_assert_msg(floor_may_sign(&f, &e, NOW - 1, 1) == RC_OK, "%s", e.text);
    ck_assert(f.proven == 0 && f.signed_slot == 0);
}

START_TEST(a_random_root_at_the_present_slot_changes_nothing)
{
    ck_assert(floor_claim(&f, FLOOR_HEAD, NOW, FLOOR_UNPROVEN, NOW));
    unchanged();
}
END_TEST

START_TEST(a_head_without_its_update_changes_nothing)
{
    ck_assert(floor_claim(&f, FLOOR_HEAD, NOW + 1, FLOOR_UNPROVEN, NOW));
    ck_assert(floor_claim(&f, FLOOR_SIGNED, NOW + 1, FLOOR_UNPROVEN, NOW));
    unchanged();
}
END_TEST

/* Whatever is said of it: nobody is there yet. */
START_TEST(a_claim_of_slot_2_63_changes_nothing_and_is_not_waited_for)
{
    static const floor_proof_t proofs[] = { FLOOR_UNPROVEN, FLOOR_PROVEN, FLOOR_LATER };
    for (size_t i = 0; i < 3; i++) {
        ck_assert(floor_claim(&f, FLOOR_SIGNED, 1ull << 63, proofs[i], NOW));
        ck_assert(floor_claim(&f, FLOOR_HEAD, UINT64_MAX, proofs[i], NOW));
        ck_assert(floor_claim(&f, FLOOR_HEAD, NOW + 2, proofs[i], NOW));
    }
    unchanged();
}
END_TEST

START_TEST(clocks_differ_by_a_slot)
{
    ck_assert(floor_claim(&f, FLOOR_SIGNED, NOW + 1, FLOOR_PROVEN, NOW));
    ck_assert_uint_eq(f.proven, NOW + 1);
    ck_assert_uint_eq(f.signed_slot, NOW + 1);
}
END_TEST

START_TEST(the_first_signature_waits_for_every_attested_peer)
{
    ck_assert_int_eq(floor_attested(&f, 8, &platform), RC_OK);
    ck_assert_int_eq(floor_attested(&f, 9, &platform), RC_OK);
    ck_assert_int_eq(floor_may_sign(&f, &e, NOW - 1, 1), RC_NEED_DATA);
    ck_assert_msg(strstr(e.text, "2 attested peers"), "%s", e.text);
    floor_answered(&f, 8);
    ck_assert_int_eq(floor_attested(&f, 8, &platform), RC_OK); /* told twice: it has answered */
    ck_assert_int_eq(floor_may_sign(&f, &e, NOW - 1, 1), RC_NEED_DATA);
    floor_answered(&f, 10); /* nobody */
    floor_answered(&f, 0);
    ck_assert_int_eq(floor_may_sign(&f, &e, NOW - 1, 1), RC_NEED_DATA);
    floor_gone(&f, 9); /* who is gone is not waited for */
    unchanged();
}
END_TEST

/* However often a platform connects anew: each time it has not answered. */
START_TEST(a_peer_that_comes_again_and_again_puts_the_first_signature_off_once)
{
    uint64_t number = 100;
    for (uint64_t ms = 0; ms < FLOOR_WAIT_MS; ms += 1000, number++) {
        ck_assert_int_eq(floor_attested(&f, number, &platform), RC_OK);
        ck_assert_int_eq(floor_may_sign(&f, &e, NOW - 1, 1 + ms), RC_NEED_DATA);
        floor_gone(&f, number);
    }
    ck_assert_int_eq(floor_attested(&f, number, &platform), RC_OK);
    ck_assert_int_eq(floor_may_sign(&f, &e, NOW - 1, FLOOR_WAIT_MS), RC_NEED_DATA);
    ck_assert_int_eq(floor_may_sign(&f, &e, NOW - 1, 1 + FLOOR_WAIT_MS), RC_OK);
}
END_TEST

/* One platform after the other, each as late as it can. */
START_TEST(many_platforms_put_the_first_signature_off_for_a_minute_at_most)
{
    static const uint64_t end = 1 + FLOOR_WAIT_ALL_MS;
    uint64_t ms = 1;
    for (uint8_t i = 0; i < FLOOR_PEERS_MAX / 2 && ms < end; i++) {
        const hash32_t another = { { 2, i } };
        ck_assert_int_eq(floor_attested(&f, 100u + i, &another), RC_OK);
        ck_assert_int_eq(floor_may_sign(&f, &e, NOW - 1, ms), RC_NEED_DATA);
        ms += FLOOR_WAIT_MS - 1;
    }
    ck_assert_uint_ge(ms, end);
    const hash32_t late = { { 3 } };
    ck_assert_int_eq(floor_attested(&f, 99, &late), RC_OK);
    ck_assert_int_eq(floor_may_sign(&f, &e, NOW - 1, end - 1), RC_NEED_DATA);
    ck_assert_int_eq(floor_may_sign(&f, &e, NOW - 1, end), RC_OK);
}
END_TEST

START_TEST(who_comes_after_the_first_signature_is_not_waited_for)
{
    floor_signed(&f, NOW - 1);
    ck_assert_int_eq(floor_attested(&f, 8, &platform), RC_OK);
    ck_assert_int_eq(floor_may_sign(&f, &e, NOW - 1, 1), RC_OK);
}
END_TEST

START_TEST(what_cannot_be_judged_yet_is_no_answer)
{
    ck_assert(!floor_claim(&f, FLOOR_HEAD, NOW, FLOOR_LATER, NOW));
    ck_assert(f.proven == 0);
    ck_assert(floor_claim(&f, FLOOR_HEAD, NOW, FLOOR_PROVEN, NOW));
    ck_assert(f.proven == NOW);
}
END_TEST

START_TEST(nothing_is_signed_below_a_slot_that_was_signed_for)
{
    floor_signed(&f, NOW);
    ck_assert_int_eq(floor_may_sign(&f, &e, NOW, 1), RC_OK);
    ck_assert_int_eq(floor_may_sign(&f, &e, NOW - 1, 1), RC_REFUSED);
    ck_assert_msg(strstr(e.text, "slot 1000 was signed"), "%s", e.text);
    floor_signed(&f, NOW - 5);
    ck_assert_int_eq(floor_may_sign(&f, &e, NOW - 1, 1), RC_REFUSED);
    setup();
    ck_assert(floor_claim(&f, FLOOR_SIGNED, NOW, FLOOR_PROVEN, NOW)); /* by a peer, who proves the slot */
    ck_assert_int_eq(floor_may_sign(&f, &e, NOW - 1, 1), RC_REFUSED);
    ck_assert_int_eq(floor_may_sign(&f, &e, NOW, 1), RC_OK);
}
END_TEST

START_TEST(a_proven_head_ahead_by_more_than_the_bound_stops_signing_until_it_is_served)
{
    floor_head(&f, NOW - FLOOR_BOUND_SLOTS);
    ck_assert(floor_claim(&f, FLOOR_HEAD, NOW, FLOOR_PROVEN, NOW));
    ck_assert_int_eq(floor_may_sign(&f, &e, NOW - FLOOR_BOUND_SLOTS, 1), RC_OK);
    floor_head(&f, NOW - FLOOR_BOUND_SLOTS - 1);
    ck_assert_int_eq(floor_may_sign(&f, &e, NOW - FLOOR_BOUND_SLOTS - 1, 1), RC_REFUSED);
    ck_assert_msg(strstr(e.text, "proven a head at slot 1000"), "%s", e.text);
    floor_gone(&f, 7); /* it is consensus data, whoever brought it */
    ck_assert_int_eq(floor_may_sign(&f, &e, NOW - FLOOR_BOUND_SLOTS - 1, 1), RC_REFUSED);
    floor_head(&f, NOW);
    ck_assert_int_eq(floor_may_sign(&f, &e, NOW, 1), RC_OK);
}
END_TEST

START_TEST(a_contradicting_proven_header_ends_signing_for_good)
{
    floor_split(&f, NOW - 3);
    floor_split(&f, NOW - 2); /* the first one is told */
    ck_assert_int_eq(floor_may_sign(&f, &e, NOW - 1, 1), RC_REFUSED);
    ck_assert_msg(strstr(e.text, "two headers of slot 997"), "%s", e.text);
    floor_head(&f, NOW + 100);
    ck_assert_int_eq(floor_may_sign(&f, &e, NOW + 100, 1), RC_REFUSED);
}
END_TEST

START_TEST(there_is_room_for_so_many)
{
    for (uint64_t i = 0; i < FLOOR_PEERS_MAX - 1; i++)
        ck_assert_int_eq(floor_attested(&f, 100 + i, &platform), RC_OK);
    ck_assert_int_eq(floor_attested(&f, 99, &platform), RC_LIMIT);
    floor_gone(&f, 100);
    ck_assert_int_eq(floor_attested(&f, 99, &platform), RC_OK);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("floor", setup, NULL, a_random_root_at_the_present_slot_changes_nothing,
                           a_head_without_its_update_changes_nothing,
                           a_claim_of_slot_2_63_changes_nothing_and_is_not_waited_for, clocks_differ_by_a_slot,
                           the_first_signature_waits_for_every_attested_peer,
                           a_peer_that_comes_again_and_again_puts_the_first_signature_off_once,
                           many_platforms_put_the_first_signature_off_for_a_minute_at_most,
                           who_comes_after_the_first_signature_is_not_waited_for,
                           what_cannot_be_judged_yet_is_no_answer, nothing_is_signed_below_a_slot_that_was_signed_for,
                           a_proven_head_ahead_by_more_than_the_bound_stops_signing_until_it_is_served,
                           a_contradicting_proven_header_ends_signing_for_good, there_is_room_for_so_many);
}
