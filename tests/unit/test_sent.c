/* Forwarded transactions: counted from the proven nonce on, without a gap, while they are young. */
#include "node/query/sent.h"

#include <stdlib.h>

#include "tests/unit/unit.h"

static const addr_t A = { { 1 } }, B = { { 2 } };

START_TEST(nonces_follow_the_proven_one_without_a_gap)
{
    sent_t *s = malloc(sizeof *s);
    sent_init(s);
    ck_assert_uint_eq(sent_nonce(s, &A, 5, 100), 5);
    sent_note(s, &A, 6, 100);
    ck_assert_uint_eq(sent_nonce(s, &A, 5, 100), 5); /* 5 is not there */
    sent_note(s, &A, 5, 100);
    sent_note(s, &A, 5, 101); /* again, with a higher fee */
    ck_assert_uint_eq(sent_nonce(s, &A, 5, 101), 7);
    ck_assert_uint_eq(sent_nonce(s, &A, 6, 101), 7); /* the first one is in a block by now */
    ck_assert_uint_eq(sent_nonce(s, &A, 7, 101), 7);
    ck_assert_uint_eq(sent_nonce(s, &B, 5, 101), 5);
    sent_clear(s);
    free(s);
}
END_TEST

START_TEST(what_no_block_took_for_long_counts_no_more)
{
    sent_t *s = malloc(sizeof *s);
    sent_init(s);
    sent_note(s, &A, 0, 100);
    ck_assert_uint_eq(sent_nonce(s, &A, 0, 100 + SENT_BLOCKS - 1), 1);
    ck_assert_uint_eq(sent_nonce(s, &A, 0, 100 + SENT_BLOCKS), 0);
    ck_assert_uint_eq(sent_nonce(s, &A, 0, 99), 1); /* the head went back */
    sent_clear(s);
    free(s);
}
END_TEST

START_TEST(the_oldest_are_forgotten_first)
{
    sent_t *s = malloc(sizeof *s);
    sent_init(s);
    sent_note(s, &A, 0, 1);
    for (size_t i = 0; i < SENT_MAX - 1; i++)
        sent_note(s, &B, i, 1);
    ck_assert_uint_eq(sent_nonce(s, &A, 0, 1), 1);
    sent_note(s, &B, SENT_MAX, 1);
    ck_assert_uint_eq(sent_nonce(s, &A, 0, 1), 0);
    ck_assert_uint_eq(sent_nonce(s, &B, 0, 1), SENT_MAX - 1);
    sent_clear(s);
    free(s);
}
END_TEST

/* One sender who sends the same again and again takes no other's place. */
START_TEST(the_same_transaction_has_one_row)
{
    sent_t *s = malloc(sizeof *s);
    sent_init(s);
    sent_note(s, &A, 0, 1);
    for (size_t i = 0; i < 2 * SENT_MAX; i++)
        sent_note(s, &B, 4, 1 + i % 3);
    ck_assert_uint_eq(s->count, 2);
    ck_assert_uint_eq(sent_nonce(s, &A, 0, 1), 1);
    ck_assert_uint_eq(sent_nonce(s, &B, 4, 2 + SENT_BLOCKS), 5); /* since it was sent last, at 3 */
    ck_assert_uint_eq(sent_nonce(s, &B, 4, 3 + SENT_BLOCKS), 4);
    sent_clear(s);
    free(s);
}
END_TEST

int main(void)
{
    return UNIT_RUN("sent", the_same_transaction_has_one_row, nonces_follow_the_proven_one_without_a_gap,
                    what_no_block_took_for_long_counts_no_more, the_oldest_are_forgotten_first);
}
