/* What was proven before a block holds after it, also where the block's parent was no head. */
#include "lightclient/exec/head.h"
#include "node/linked.h"
#include "tests/unit/ask_world.h"

#define BLOCKS (LINKED_MAX + 3u)

static ex_header_t chain[BLOCKS]; /* that change nothing, and yet have roots of their own */
static held_t held;
static ex_cache_t *cache;
static linked_t linked;
static const addr_t someone = { { 7 } };
static const uint8_t EMPTY[] = { 0xc0 };

static void make_chain(void)
{
    const view_t empty = view_of(EMPTY, 1);
    memset(chain, 0, sizeof chain);
    for (unsigned i = 0; i < BLOCKS; i++) {
        ex_header_t *h = &chain[i];
        h->number = 100 + i;
        h->tail = ex_header_tail(EVM_AMSTERDAM);
        h->slot_number = 1000 + i;
        h->state_root.b[0] = (uint8_t)(i + 1);
        keccak256(&h->block_access_list_hash, empty);
        if (i)
            ex_header_hash(&h->parent_hash, &chain[i - 1]);
    }
}

/* The first block is a head, and an account was proven under it. */
static void start_chain(void)
{
    held_head_t first = { .slot = 1001 };
    const mpt_account_t account = { .nonce = 5 };
    open_world(RETURN_42);
    make_chain();
    past = chain;
    past_count = BLOCKS;
    held_init(&held);
    first.block.env.number = chain[0].number;
    first.block.state_root = chain[0].state_root;
    ex_header_hash(&first.block.block_hash, &chain[0]);
    held_note(&held, &first, NULL);
    cache = ex_cache_new(&(ex_cache_config_t){ .bytes_max = 1u << 20 });
    ck_assert_ptr_nonnull(cache);
    ex_cache_put_account(cache, &chain[0].state_root, &someone, &account);
    linked_init(&linked, engine, cache, &held);
}

static void finish_chain(void)
{
    while (linked_busy(&linked))
        pause_ms(1);
    close_engine();
    ex_cache_free(cache);
    held_clear(&held);
    past = NULL;
    past_count = 0;
    close_world();
}

/* Block i becomes a head; whether the account is known under it once all is done. */
static bool head_knows(unsigned i)
{
    mpt_account_t got = { 0 };
    bool rooted;
    linked_take(&linked, &chain[i], view_of(EMPTY, 1));
    while (linked_busy(&linked))
        pause_ms(1);
    return ex_cache_follow_account(cache, &got, &rooted, &chain[i].state_root, &someone) && got.nonce == 5 && rooted;
}

START_TEST(a_block_after_a_head_needs_nobody)
{
    start_chain();
    ck_assert(head_knows(1));
    ck_assert_uint_eq(ends[0].batches, 0);
    finish_chain();
}
END_TEST

START_TEST(blocks_that_were_no_heads_are_fetched_with_their_lists)
{
    start_chain();
    ck_assert(head_knows(3)); /* 2 and 1 are fetched; 1 follows the head */
    ck_assert_uint_eq(ends[0].batches, 2);
    ck_assert_uint_eq(ends[0].elements, 4);
    finish_chain();
}
END_TEST

/* Two heads of a branch that is no more stand where the new branch's blocks are fetched. */
START_TEST(a_reorganisation_is_followed_to_where_the_branches_part)
{
    start_chain();
    for (unsigned i = 1; i < 3; i++) {
        held_head_t side = { .slot = 1001 + i };
        side.block.env.number = chain[i].number;
        side.block.block_hash.b[0] = (uint8_t)i;
        if (i > 1)
            side.block.parent_hash.b[0] = (uint8_t)(i - 1);
        else
            side.block.parent_hash = chain[1].parent_hash;
        side.block.state_root.b[0] = (uint8_t)(100 + i);
        held_note(&held, &side, NULL);
    }
    ck_assert(head_knows(4));
    ck_assert_uint_eq(ends[0].batches, 3);
    finish_chain();
}
END_TEST

START_TEST(a_walk_has_an_end)
{
    start_chain();
    ck_assert(!head_knows(LINKED_MAX + 2)); /* one block too many: nothing is asked */
    ck_assert_uint_eq(ends[0].batches, 0);
    ck_assert(head_knows(LINKED_MAX + 1));
    ck_assert_uint_eq(ends[0].batches, LINKED_MAX);
    finish_chain();
}
END_TEST

START_TEST(where_a_list_is_missing_nothing_is_known)
{
    start_chain();
    ends[0].refused = ends[1].refused = "eth_getBlockAccessList";
    ck_assert(!head_knows(3));
    ck_assert_uint_eq(ends[0].batches, 1); /* the walk ends with the block that has none */
    ends[0].refused = ends[1].refused = "eth_getBlockByHash";
    ck_assert(!head_knows(3));
    finish_chain();
}
END_TEST

START_TEST(lists_that_nobody_has_are_asked_for_less)
{
    start_chain();
    ck_assert(linked_asks(&linked));
    for (unsigned i = 1; i < 4; i++)
        linked_take(&linked, &chain[i], view_of(NULL, 0));
    ck_assert(!linked_asks(&linked));
    chain[4].tail = ex_header_tail(EVM_OSAKA); /* has none, and says nothing about that */
    linked_take(&linked, &chain[4], view_of(NULL, 0));
    ck_assert_uint_eq(atomic_load(&linked.without), 3);
    ck_assert(head_knows(1));
    ck_assert(linked_asks(&linked));
    finish_chain();
}
END_TEST

/* The list may be why a header did not come; the one after it is asked for with its list. */
START_TEST(after_a_header_that_did_not_come_one_is_asked_for_alone)
{
    start_chain();
    linked_lost(&linked);
    ck_assert(!linked_asks(&linked));
    ck_assert(linked_asks(&linked));
    finish_chain();
}
END_TEST

/* A list of which nothing is proven: one with another hash is no reason to ask. */
START_TEST(a_list_with_another_hash_is_not_taken)
{
    start_chain();
    chain[1].block_access_list_hash.b[0] ^= 1;
    ck_assert(!head_knows(1));
    chain[3].block_access_list_hash.b[0] ^= 1;
    ck_assert(!head_knows(3));
    ck_assert_uint_eq(ends[0].batches, 0);
    finish_chain();
}
END_TEST

int main(void)
{
    return UNIT_RUN("linked", a_block_after_a_head_needs_nobody, blocks_that_were_no_heads_are_fetched_with_their_lists,
                    a_reorganisation_is_followed_to_where_the_branches_part, a_walk_has_an_end,
                    where_a_list_is_missing_nothing_is_known, lists_that_nobody_has_are_asked_for_less,
                    after_a_header_that_did_not_come_one_is_asked_for_alone, a_list_with_another_hash_is_not_taken);
}
