/* What happens to the chain as events: over thousands of heads of a chain that is reorganised, no gap, no block twice, and
 * removed is exactly what was announced and does not stand any more. */
#include "lightclient/exec/feed.h"

#include <stdlib.h>

#include "tests/unit/unit.h"

#define CHAIN_MAX 4096u

/* ---- a chain of its own: headers are told apart by a number that becomes their hash ---- */

static ex_logged_t *chain[CHAIN_MAX]; /* by number; the canonical branch */
static uint64_t top, made;
static uint64_t dice_state;

static uint64_t dice(uint64_t n)
{
    dice_state = dice_state * 6364136223846793005u + 1442695040888963407u;
    return (dice_state >> 33) % n;
}

static void grow(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        ex_past_t p = { .has_header = true };
        const uint64_t number = ++top;
        p.block.header.number = number;
        if (chain[number - 1])
            p.block.header.parent_hash = chain[number - 1]->block.hash;
        store_u64be(p.block.hash.b, ++made);
        ck_assert_int_eq(ex_logged_new(&chain[number], NULL, &p), RC_OK);
    }
}

static void cut(uint64_t count)
{
    for (uint64_t i = 0; i < count && top > 1; i++) {
        ex_logged_unref(chain[top]);
        chain[top--] = NULL;
    }
}

static void reset(void)
{
    while (top) {
        ex_logged_unref(chain[top]);
        chain[top--] = NULL;
    }
    made = 0;
    dice_state = 1;
}

/* Has the feed follow to a head of the present branch, as its owner does. */
static rc_t follow(feed_t *f, unsigned *rounds, uint64_t head)
{
    uint64_t from, to;
    for (*rounds = 0; feed_want(f, &from, &to, head, &chain[head]->block.hash); ++*rounds) {
        ck_assert_uint_le(from, to);
        ck_assert_uint_le(to, head);
        const rc_t rc = feed_give(f, &chain[from], (size_t)(to - from) + 1);
        if (rc && rc != RC_NEED_DATA)
            return rc;
        ck_assert_uint_lt(*rounds, 64);
    }
    return RC_OK;
}

/* ---- a reader ---- */

typedef struct {
    const ex_logged_t *known[CHAIN_MAX]; /* what it takes for the chain; owned by the events' feed meanwhile */
    hash32_t hashes[CHAIN_MAX];
    uint64_t top, seq;
} reader_t;

/* Takes all events, and checks each: a removed one stood, removed ones rise and are a whole end, an added one follows. */
static void read_events(reader_t *r, const feed_t *f)
{
    uint64_t lowest = 0, expect = 0;
    ck_assert_uint_ge(r->seq, feed_first(f));
    for (; r->seq < feed_next(f); r->seq++) {
        const feed_event_t *e = feed_event(f, r->seq);
        const uint64_t number = e->logged->block.header.number;
        if (e->removed) {
            ck_assert(hash32_eq(&r->hashes[number], &e->logged->block.hash));
            if (lowest && number < lowest) { /* a second time, before anything came */
                ck_assert_uint_eq(expect, r->top + 1);
                r->top = lowest - 1;
                lowest = 0;
            }
            if (!lowest)
                lowest = expect = number;
            ck_assert_uint_eq(number, expect++);
            continue;
        }
        if (lowest) {
            ck_assert_uint_eq(expect, r->top + 1); /* up to the end of what it knew */
            r->top = lowest - 1;
            lowest = 0;
        }
        ck_assert_uint_eq(number, r->top + 1);
        ck_assert(hash32_eq(&e->logged->block.header.parent_hash, &r->hashes[r->top]));
        r->hashes[++r->top] = e->logged->block.hash;
    }
    if (lowest) {
        ck_assert_uint_eq(expect, r->top + 1);
        r->top = lowest - 1;
    }
}

static void agrees(const reader_t *r, uint64_t head)
{
    ck_assert_uint_eq(r->top, head);
    ck_assert(hash32_eq(&r->hashes[head], &chain[head]->block.hash));
}

static void seed(feed_t *f, reader_t *r, uint64_t number)
{
    feed_seed(f, number, &chain[number]->block.hash, NULL, 0);
    r->top = number;
    r->hashes[number] = chain[number]->block.hash;
    r->seq = feed_next(f);
}

START_TEST(thousands_of_reorganised_heads_leave_no_gap_and_tell_nothing_twice)
{
    reader_t *r = calloc(1, sizeof *r);
    for (unsigned run = 0; run < 40; run++) {
        feed_t f;
        unsigned rounds;
        reset();
        dice_state = run + 1;
        grow(20);
        ck_assert_int_eq(feed_init(&f, SIZE_MAX), RC_OK);
        seed(&f, r, 3);
        const uint64_t behind = run % 4 == 3 ? 30 : 1; /* how often the reader comes */
        for (unsigned i = 0; i < 100; i++) {
            const uint64_t deep = dice(10) == 0 ? 15 : 4;
            const uint64_t away = dice(3) ? 0 : dice(top - 4 < deep ? top - 4 : deep);
            cut(away);
            grow(dice(8) + (away ? 0 : 1)); /* the new head may be lower than the old one */
            ck_assert_int_eq(follow(&f, &rounds, top), RC_OK);
            if (i % behind)
                continue;
            read_events(r, &f);
            agrees(r, top);
        }
        read_events(r, &f);
        agrees(r, top);
        feed_clear(&f);
    }
    reset();
    free(r);
}
END_TEST

START_TEST(a_head_far_ahead_is_reached_in_steps_and_nothing_is_left_out)
{
    feed_t f;
    unsigned rounds;
    reader_t *r = calloc(1, sizeof *r);
    reset();
    grow(2000);
    ck_assert_int_eq(feed_init(&f, SIZE_MAX), RC_OK);
    seed(&f, r, 1);
    ck_assert_int_eq(follow(&f, &rounds, top), RC_OK);
    ck_assert_uint_eq(rounds, (1999 + FEED_STEP_MAX - 1) / FEED_STEP_MAX);
    read_events(r, &f);
    agrees(r, top);
    ck_assert_uint_eq(feed_next(&f) - feed_first(&f), 1999);
    feed_clear(&f);
    reset();
    free(r);
}
END_TEST

START_TEST(one_new_block_takes_one_round_and_a_reorganisation_few)
{
    feed_t f;
    unsigned rounds;
    reader_t *r = calloc(1, sizeof *r);
    reset();
    grow(100);
    ck_assert_int_eq(feed_init(&f, SIZE_MAX), RC_OK);
    seed(&f, r, 50);
    ck_assert_int_eq(follow(&f, &rounds, top), RC_OK);
    grow(1);
    ck_assert_int_eq(follow(&f, &rounds, top), RC_OK);
    ck_assert_uint_eq(rounds, 1);
    cut(1);
    grow(2);
    ck_assert_int_eq(follow(&f, &rounds, top), RC_OK);
    ck_assert_uint_eq(rounds, 2);
    cut(20);
    grow(21);
    ck_assert_int_eq(follow(&f, &rounds, top), RC_OK);
    ck_assert_uint_le(rounds, 5);
    read_events(r, &f);
    agrees(r, top);
    feed_clear(&f);
    reset();
    free(r);
}
END_TEST

START_TEST(branches_that_part_below_all_that_is_known_are_a_gap)
{
    feed_t f;
    unsigned rounds;
    reader_t *r = calloc(1, sizeof *r);
    reset();
    grow(100);
    ck_assert_int_eq(feed_init(&f, SIZE_MAX), RC_OK);
    seed(&f, r, 90);
    ck_assert_int_eq(follow(&f, &rounds, top), RC_OK);
    const uint64_t events = feed_next(&f);
    cut(11); /* the seed, too */
    grow(12);
    ck_assert_int_eq(follow(&f, &rounds, top), RC_LIMIT);
    ck_assert_uint_eq(feed_next(&f), events); /* as it was */
    seed(&f, r, top);
    grow(1);
    ck_assert_int_eq(follow(&f, &rounds, top), RC_OK);
    read_events(r, &f);
    agrees(r, top);
    feed_clear(&f);
    reset();
    free(r);
}
END_TEST

START_TEST(a_seed_that_is_taken_away_is_left_for_its_ancestors)
{
    feed_t f;
    unsigned rounds;
    reader_t *r = calloc(1, sizeof *r);
    hash32_t below[3];
    reset();
    grow(100);
    for (size_t i = 0; i < 3; i++)
        below[i] = chain[89 - i]->block.hash;
    ck_assert_int_eq(feed_init(&f, SIZE_MAX), RC_OK);
    feed_seed(&f, 90, &chain[90]->block.hash, below, 3);
    ck_assert_int_eq(follow(&f, &rounds, top), RC_OK);
    uint64_t seq;
    ck_assert(feed_after(&f, &seq, 90, &chain[90]->block.hash));
    ck_assert(!feed_after(&f, &seq, 89, &below[0])); /* the seed's own block is not told */
    ck_assert(!feed_after(&f, &seq, 88, &below[1]));
    cut(12); /* 88 stands */
    for (uint64_t i = 1; i <= 88; i++)
        r->hashes[i] = chain[i]->block.hash;
    r->top = 88;
    grow(14);
    const uint64_t old = feed_next(&f);
    ck_assert_int_eq(follow(&f, &rounds, top), RC_OK);
    r->seq = old + 10; /* behind those that are told as removed: nothing of 89 and 90, which were never told */
    ck_assert(!feed_event(&f, r->seq)->removed);
    ck_assert(feed_event(&f, r->seq - 1)->removed);
    read_events(r, &f);
    agrees(r, top);
    ck_assert(feed_after(&f, &seq, 88, &below[1]));
    ck_assert(!feed_after(&f, &seq, 87, &below[2]));
    cut(top - 86);
    grow(30);
    ck_assert_int_eq(follow(&f, &rounds, top), RC_LIMIT);
    feed_clear(&f);
    reset();
    free(r);
}
END_TEST

START_TEST(blocks_that_do_not_follow_each_other_change_nothing)
{
    feed_t f;
    reader_t *r = calloc(1, sizeof *r);
    reset();
    grow(10);
    ck_assert_int_eq(feed_init(&f, SIZE_MAX), RC_OK);
    seed(&f, r, 5);
    ex_logged_t *const gap[] = { chain[6], chain[8] }, *const turned[] = { chain[7], chain[6] };
    ck_assert_int_eq(feed_give(&f, gap, 2), RC_MALFORMED);
    ck_assert_int_eq(feed_give(&f, turned, 2), RC_MALFORMED);
    ck_assert_int_eq(feed_give(&f, gap, 0), RC_MALFORMED);
    ck_assert_int_eq(feed_give(&f, &chain[8], 2), RC_LIMIT); /* nothing of it hangs on what is known */
    ck_assert_uint_eq(feed_next(&f), feed_first(&f));
    feed_clear(&f);
    reset();
    free(r);
}
END_TEST

START_TEST(memory_is_bounded_and_who_reads_too_slowly_can_tell)
{
    feed_t f;
    unsigned rounds;
    reader_t *r = calloc(1, sizeof *r);
    reset();
    grow(1);
    const size_t each = chain[1]->bytes;
    ck_assert_int_eq(feed_init(&f, 50 * each), RC_OK);
    seed(&f, r, 1);
    for (unsigned i = 0; i < 300; i++) {
        const uint64_t away = i > 20 && i % 5 == 0 ? 2 : 0;
        cut(away);
        grow(away + 1);
        ck_assert_int_eq(follow(&f, &rounds, top), RC_OK);
        ck_assert_uint_le(f.bytes, 54 * each);
        if (i < 40)
            read_events(r, &f);
    }
    ck_assert_uint_lt(r->seq, feed_first(&f));
    uint64_t seq = 0;
    ck_assert(!feed_after(&f, &seq, 10, &chain[10]->block.hash)); /* forgotten */
    ck_assert(feed_after(&f, &seq, top, &chain[top]->block.hash));
    ck_assert_uint_eq(seq, feed_next(&f));
    ck_assert(feed_after(&f, &seq, top - 3, &chain[top - 3]->block.hash));
    r->seq = seq;
    r->top = top - 3;
    r->hashes[r->top] = chain[r->top]->block.hash;
    ck_assert_ptr_eq(feed_block(&f, top), chain[top]);
    ck_assert_ptr_null(feed_block(&f, 10));
    ck_assert_ptr_null(feed_block(&f, top + 1));
    feed_clear(&f);
    reset();
    free(r);
}
END_TEST

START_TEST(a_block_that_was_taken_away_is_no_place_to_go_on_from)
{
    feed_t f;
    unsigned rounds;
    uint64_t seq = 7;
    reader_t *r = calloc(1, sizeof *r);
    reset();
    grow(10);
    ck_assert_int_eq(feed_init(&f, SIZE_MAX), RC_OK);
    seed(&f, r, 5);
    ck_assert(feed_after(&f, &seq, 5, &chain[5]->block.hash)); /* the seed is one */
    ck_assert_uint_eq(seq, feed_first(&f));
    ck_assert_int_eq(follow(&f, &rounds, top), RC_OK);
    const hash32_t gone = chain[10]->block.hash;
    cut(1);
    grow(1);
    ck_assert_int_eq(follow(&f, &rounds, top), RC_OK);
    seq = 7;
    ck_assert(!feed_after(&f, &seq, 10, &gone));
    ck_assert_uint_eq(seq, 7);
    ck_assert(feed_after(&f, &seq, 9, &chain[9]->block.hash));
    ck_assert(!feed_event(&f, seq - 1)->removed);
    feed_clear(&f);
    reset();
    free(r);
}
END_TEST

int main(void)
{
    return UNIT_RUN(
        "feed", thousands_of_reorganised_heads_leave_no_gap_and_tell_nothing_twice,
        a_head_far_ahead_is_reached_in_steps_and_nothing_is_left_out,
        one_new_block_takes_one_round_and_a_reorganisation_few, branches_that_part_below_all_that_is_known_are_a_gap,
        a_seed_that_is_taken_away_is_left_for_its_ancestors, blocks_that_do_not_follow_each_other_change_nothing,
        memory_is_bounded_and_who_reads_too_slowly_can_tell, a_block_that_was_taken_away_is_no_place_to_go_on_from);
}
