/* The heads that a node holds: found by number and hash, only as ancestors of a head, forgotten when another chain shows,
 * final when an ancestor of what is. */
#include <check.h>
#include <stdlib.h>

#include "node/chain/held.h"
#include "tests/unit/unit.h"

static held_t held;

static uint64_t slot;     /* of the next head */
static ex_block_t newest; /* the latest head */

static held_head_t block(uint64_t number, uint8_t hash, uint8_t parent)
{
    held_head_t h = { .slot = ++slot, .participants = 400 };
    h.block.env.number = number;
    memset(h.block.block_hash.b, hash, 32);
    memset(h.block.parent_hash.b, parent, 32);
    return h;
}

static void latest(uint64_t number, uint8_t hash, uint8_t parent)
{
    const held_head_t h = block(number, hash, parent);
    newest = h.block;
    held_note(&held, &h, NULL);
}

/* The first byte of the hash at a number below the latest head; 0: none. */
static unsigned at(uint64_t number)
{
    held_head_t h;
    return held_by_number(&held, &h, &newest, number) ? h.block.block_hash.b[0] : 0;
}

static bool has_hash(uint8_t hash)
{
    held_head_t h;
    const held_head_t want = block(0, hash, 0);
    return held_by_hash(&held, &h, &newest, &want.block.block_hash) &&
           hash32_eq(&h.block.block_hash, &want.block.block_hash);
}

/* Whether it is held, on whatever branch. */
static bool keeps(uint8_t hash)
{
    held_head_t h;
    const held_head_t want = block(0, hash, 0);
    return held_anywhere(&held, &h, &want.block.block_hash);
}

static bool is_final(uint64_t number)
{
    held_head_t h;
    return held_by_number(&held, &h, &newest, number) && h.finalized;
}

START_TEST(an_ancestor_is_found_by_number_and_by_hash)
{
    held_head_t h;
    const uint64_t first = slot + 1;
    const held_head_t want = block(11, 0x11, 0x10);
    held_init(&held);
    newest = want.block;
    ck_assert_uint_eq(at(10), 0);
    latest(10, 0x10, 0x09);
    latest(11, 0x11, 0x10);
    latest(11, 0x11, 0x10);
    ck_assert_uint_eq(held.count, 2);
    ck_assert_uint_eq(at(10), 0x10);
    ck_assert_uint_eq(at(11), 0); /* the head is no ancestor of itself */
    ck_assert(has_hash(0x10) && !has_hash(0x11) && !has_hash(0x09));
    ck_assert(held_anywhere(&held, &h, &want.block.block_hash));
    ck_assert_uint_eq(h.slot, first + 2);
    ck_assert_uint_eq(h.participants, 400);
    ck_assert(!held_anywhere(&held, &h, &want.beacon_root));
    ck_assert(held_has_between(&held, 11, 20) && held_has_between(&held, 2, 10));
    ck_assert(!held_has_between(&held, 12, 20) && !held_has_between(&held, 2, 9));
    held_clear(&held);
}
END_TEST

/* Two blocks go, and one comes that is younger than both: nothing but the parent hashes says so. */
START_TEST(a_block_that_a_reorganisation_took_is_no_block_of_its_number)
{
    held_init(&held);
    latest(100, 0x10, 0x09);
    latest(101, 0x11, 0x10);
    latest(102, 0x12, 0x11);
    ck_assert_uint_eq(at(101), 0x11);
    ck_assert(has_hash(0x10) && has_hash(0x11));
    latest(103, 0x23, 0x22); /* 102 and 101 of the new branch were no heads */
    ck_assert_uint_eq(at(102), 0);
    ck_assert_uint_eq(at(101), 0);
    ck_assert_uint_eq(at(100), 0); /* may be an ancestor, which has to be proven */
    ck_assert(!has_hash(0x12) && !has_hash(0x11) && !has_hash(0x10));
    latest(104, 0x24, 0x23);
    ck_assert_uint_eq(at(103), 0x23);
    ck_assert_uint_eq(at(101), 0);
    ck_assert(!has_hash(0x11));
    held_clear(&held);
}
END_TEST

/* Who asks at an older head than the newest that is held is answered by its chain. */
START_TEST(ancestors_are_those_of_the_head_that_is_asked_at)
{
    const held_head_t old = block(102, 0x12, 0x11);
    held_head_t h;
    held_init(&held);
    latest(101, 0x11, 0x10);
    latest(102, 0x22, 0x21);
    ck_assert_uint_eq(at(101), 0);
    ck_assert(!held_by_number(&held, &h, &old.block, 101)); /* 0x22 showed that the block before it is another */
    latest(103, 0x23, 0x22);
    ck_assert_uint_eq(at(102), 0x22);
    ck_assert(!held_by_number(&held, &h, &old.block, 102));
    ck_assert(!held_by_number(&held, &h, &old.block, 103));
    held_clear(&held);
}
END_TEST

START_TEST(what_another_chain_shows_to_be_no_ancestor_is_forgotten)
{
    held_init(&held);
    latest(10, 0x10, 0x09);
    latest(11, 0x11, 0x10);
    latest(12, 0x12, 0x11);
    latest(12, 0x22, 0x21); /* a slot later: another block 12, on another block 11 */
    ck_assert(keeps(0x22) && !keeps(0x12) && !keeps(0x11));
    ck_assert(keeps(0x10)); /* may still be one */
    latest(14, 0x24, 0x23);
    ck_assert(keeps(0x22));
    held_clear(&held);
}
END_TEST

START_TEST(ancestors_of_a_final_block_are_final_and_what_is_not_goes)
{
    held_init(&held);
    latest(9, 0x09, 0x08);
    latest(11, 0x11, 0x10); /* 10 was missed: nothing ties 9 to it */
    latest(12, 0x12, 0x11);
    latest(13, 0x13, 0x12);
    const held_head_t now = block(13, 0x13, 0x12);
    held_head_t final = block(12, 0x12, 0x11);
    final.finalized = true;
    final.participants = 450;
    held_note(&held, &now, &final);
    ck_assert(is_final(11) && is_final(12) && keeps(0x13));
    ck_assert_uint_eq(at(9), 0);
    ck_assert(!keeps(0x09));
    held_head_t h;
    ck_assert(held_by_number(&held, &h, &newest, 12));
    ck_assert_uint_eq(h.participants, 450);
    latest(15, 0x15, 0x14); /* 14 was missed: what is final needs no link */
    ck_assert(is_final(11) && is_final(12) && has_hash(0x11) && !has_hash(0x13));
    ck_assert_uint_eq(at(13), 0);
    held_clear(&held);
}
END_TEST

START_TEST(what_comes_late_changes_nothing)
{
    held_init(&held);
    const held_head_t old = block(12, 0x12, 0x11);
    latest(12, 0x22, 0x21);
    held_note(&held, &old, NULL);
    ck_assert(keeps(0x22));
    ck_assert_uint_eq(held.count, 1);
    held_clear(&held);
}
END_TEST

START_TEST(the_newest_are_kept)
{
    held_init(&held);
    for (unsigned i = 1; i <= HELD_MAX + 10; i++)
        latest(100 + i, (uint8_t)i, (uint8_t)(i - 1));
    ck_assert_uint_eq(held.count, HELD_MAX);
    ck_assert_uint_eq(at(110), 0);
    ck_assert_uint_eq(at(111), 11);
    ck_assert_uint_eq(at(109 + HELD_MAX), HELD_MAX + 9);
    held_clear(&held);
}
END_TEST

START_TEST(all_are_listed_by_their_slots)
{
    held_head_t all[HELD_MAX];
    held_init(&held);
    ck_assert_uint_eq(held_list(&held, all), 0);
    for (unsigned i = 1; i <= HELD_MAX + 3; i++)
        latest(100 + i, (uint8_t)i, (uint8_t)(i - 1)); /* rows in the order of their places by now */
    ck_assert_uint_eq(held_list(&held, all), HELD_MAX);
    for (unsigned i = 0; i < HELD_MAX; i++)
        ck_assert_uint_eq(all[i].block.env.number, 104 + i);
    held_clear(&held);
}
END_TEST

int main(void)
{
    return UNIT_RUN("held", an_ancestor_is_found_by_number_and_by_hash,
                    a_block_that_a_reorganisation_took_is_no_block_of_its_number,
                    ancestors_are_those_of_the_head_that_is_asked_at,
                    what_another_chain_shows_to_be_no_ancestor_is_forgotten,
                    ancestors_of_a_final_block_are_final_and_what_is_not_goes, what_comes_late_changes_nothing,
                    the_newest_are_kept, all_are_listed_by_their_slots);
}
