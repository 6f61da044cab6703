/* node/query/flight.h: answers that are longer than they may be, or have too many values. */
#include "tests/unit/ask_world.h"

#define BALANCES(n) n "5b803150600190038060025750602a5f5260205ff3" /* balance(n), ..., balance(1); return 42 */
#define BALANCES_12 BALANCES("600c")
#define BALANCES_40 BALANCES("6028")

/* A value of so many characters, or so many numbers. From malloc. */
static char *make_pad(size_t text, size_t numbers)
{
    const size_t n = text ? text : 2 * numbers;
    char *pad = calloc(1, n + 3);
    ck_assert_ptr_nonnull(pad);
    memset(pad + 1, '0', n);
    for (size_t i = 2; !text && i < n; i += 2)
        pad[i] = ',';
    pad[0] = text ? '"' : '[';
    pad[text ? n + 1 : n] = text ? '"' : ']';
    return pad;
}

/* Runs a call whose answers are as long as one may be, and all together longer. */
static void expect_halves(const char *code, char *pad, unsigned batches)
{
    open_world(code);
    ends[0].pad = pad;
    expect_word(42, 2);
    ck_assert_uint_eq(ends[0].batches, batches);
    ck_assert_uint_eq(ends[1].batches, 0);
    ck_assert_uint_eq(status_of(0).failures, 0);
    ck_assert_uint_eq(up_capability(upstream, 0).batch, CAP_BATCH_MAX);
    close_world();
    free(pad);
}

START_TEST(what_is_too_long_together_is_asked_for_in_halves_and_nobody_is_blamed)
{
    expect_halves(BALANCES_12, make_pad(50000, 0), 1 + 1 + 2);
    expect_halves(BALANCES_40, make_pad(0, 11000), 1 + 1 + 2);
}
END_TEST

/* One alone that is too long is its sender's fault, and costs nobody else. */
START_TEST(one_alone_that_is_too_long_is_blamed_on_its_sender)
{
    char *pad = make_pad((size_t)1 << 20, 0);
    open_world(RETURN_42);
    ends[0].pad = pad;
    ends[0].pad_at = PROOF_OF_A;
    expect_word(42, 1);
    ck_assert_uint_eq(ends[0].batches, 1 + 2 + 2);
    ck_assert_uint_eq(ends[1].elements, 1);
    ck_assert_uint_eq(status_of(0).failures, 1);
    ck_assert_ptr_nonnull(strstr(status_of(0).reason, "larger than allowed"));
    ck_assert_uint_eq(status_of(1).failures, 0);
    close_world();
    free(pad);
}
END_TEST

int main(void)
{
    return UNIT_RUN("ask_long", what_is_too_long_together_is_asked_for_in_halves_and_nobody_is_blamed,
                    one_alone_that_is_too_long_is_blamed_on_its_sender);
}
