/* Shares of a secret: a frozen split, each way to join it, and what too few or foreign ones are worth. */
#include "base/crypto/shares.h"
#include "base/hex.h"
#include "tests/unit/unit.h"

#define N 5u
#define T 3u

static uint8_t secret[32], coefficients[64];
static share_t shares[N];

static void setup(void)
{
    for (unsigned i = 0; i < 32; i++) {
        secret[i] = (uint8_t)i;
        coefficients[i] = (uint8_t)(0x80 + i);
        coefficients[32 + i] = (uint8_t)(255 - i);
    }
    ck_assert_int_eq(shares_split(shares, secret, coefficients, T, N), RC_OK);
}

static bool joins(const share_t *some, unsigned count)
{
    uint8_t got[32];
    ck_assert_int_eq(shares_join(got, some, count), RC_OK);
    return memcmp(got, secret, sizeof got) == 0;
}

/* Secret 00 01 .. 1f, coefficients 80 .. 9f and ff .. e0; by another program, with tables of logarithms. */
START_TEST(a_split_is_frozen)
{
    static const char *const want[N] = { "7f7e7d7c7b7a797877767574737271706f6e6d6c6b6a69686766656463626160",
                                         "cacdc4c3d6d1d8dff2f5fcfbeee9e0e7babdb4b3a6a1a8af82858c8b9e999097",
                                         "b5b2bbbca9aea7a08d8a838491969f98c5c2cbccd9ded7d0fdfaf3f4e1e6efe8",
                                         "5f4a75600b1e2134f7e2ddc8a3b6899c14013e2b40556a7fbca99683e8fdc2d7",
                                         "20350a1f74615e4b889da2b7dcc9f6e36b7e41543f2a1500c3d6e9fc9782bda8" };
    for (unsigned i = 0; i < N; i++) {
        ck_assert_uint_eq(shares[i].x, i + 1);
        char hex[65];
        hex_encode(hex, view_of(shares[i].y, 32));
        ck_assert_str_eq(hex, want[i]);
    }
}
END_TEST

START_TEST(so_many_of_them_in_any_order_are_the_secret)
{
    for (unsigned i = 0; i < N; i++)
        for (unsigned j = 0; j < N; j++)
            for (unsigned k = 0; k < N; k++) {
                const share_t some[] = { shares[i], shares[j], shares[k] };
                uint8_t got[32];
                if (i == j || j == k || i == k)
                    ck_assert_int_eq(shares_join(got, some, T), RC_MALFORMED);
                else
                    ck_assert(joins(some, T));
            }
    ck_assert(joins(shares, T + 1) && joins(shares, N)); /* more do no harm */
}
END_TEST

/* With one share less every secret is as likely as any other: each is that of some third share. */
START_TEST(fewer_are_not_and_fit_every_secret)
{
    for (unsigned i = 0; i < N; i++) {
        ck_assert(!joins(&shares[i], 1));
        for (unsigned j = 0; j < N; j++)
            if (i != j)
                ck_assert(!joins((const share_t[]){ shares[i], shares[j] }, 2));
    }
    bool seen[256] = { false };
    for (unsigned first = 0; first < 256; first++) { /* two shares and any third: always some secret, each another */
        share_t some[] = { shares[0], shares[1], shares[2] };
        uint8_t got[32];
        some[2].y[0] = (uint8_t)first;
        ck_assert_int_eq(shares_join(got, some, T), RC_OK);
        ck_assert(!seen[got[0]]);
        seen[got[0]] = true;
    }
}
END_TEST

START_TEST(shares_of_another_split_are_no_help)
{
    share_t others[N], some[T];
    coefficients[0] ^= 1;
    coefficients[40] ^= 1;
    ck_assert_int_eq(shares_split(others, secret, coefficients, T, N), RC_OK);
    memcpy(some, shares, sizeof some);
    some[1] = others[1];
    ck_assert(!joins(some, T));
    for (unsigned k = 0; k < 32; k++) { /* nor is one that was changed */
        memcpy(some, shares, sizeof some);
        some[2].y[k] ^= 1;
        ck_assert(!joins(some, T));
    }
}
END_TEST

START_TEST(all_thresholds_and_counts)
{
    static uint8_t random[SHARES_MAX * 32];
    share_t out[SHARES_MAX];
    for (size_t i = 0; i < sizeof random; i++)
        random[i] = (uint8_t)(i * 7 + i / 32);
    for (unsigned t = 0; t <= SHARES_MAX + 1; t++)
        for (unsigned n = 0; n <= SHARES_MAX + 1; n++) {
            const bool good = t >= 2 && t <= n && n <= SHARES_MAX;
            out[0].x = 99;
            ck_assert_int_eq(shares_split(out, secret, random, t, n), good ? RC_OK : RC_LIMIT);
            ck_assert(good ? joins(out + (n - t), t) && !joins(out, t - 1) : out[0].x == 99);
        }
}
END_TEST

START_TEST(a_share_is_somebodys)
{
    uint8_t got[32] = { 0x5e };
    share_t some[SHARES_MAX + 1];
    memcpy(some, shares, sizeof shares);
    ck_assert_int_eq(shares_join(got, some, 0), RC_LIMIT);
    ck_assert_int_eq(shares_join(got, some, SHARES_MAX + 1), RC_LIMIT);
    some[1].x = 0;
    ck_assert_int_eq(shares_join(got, some, T), RC_MALFORMED);
    some[1].x = SHARES_MAX + 1;
    ck_assert_int_eq(shares_join(got, some, T), RC_MALFORMED);
    ck_assert_uint_eq(got[0], 0x5e);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("shares", setup, NULL, a_split_is_frozen, so_many_of_them_in_any_order_are_the_secret,
                           fewer_are_not_and_fit_every_secret, shares_of_another_split_are_no_help,
                           all_thresholds_and_counts, a_share_is_somebodys);
}
