/* How many setups are tried, and whose. */
#include <check.h>

#include "node/setup/trials.h"
#include "tests/unit/unit.h"

static trials_t t;

static uint64_t take(unsigned who, uint64_t at_ms)
{
    const uint8_t key[CLIENT_KEY_LEN] = { [14] = (uint8_t)(who >> 8), [15] = (uint8_t)who };
    return trials_take(&t, key, at_ms);
}

START_TEST(one_client_has_six_a_minute)
{
    t = (trials_t){ 0 };
    for (unsigned i = 0; i < 6; i++)
        ck_assert_uint_eq(take(1, 1000 + i), 0);
    ck_assert_uint_eq(take(1, 2000), 59000);
    ck_assert_uint_eq(take(1, 60999), 1);
    ck_assert_uint_eq(take(1, 61000), 0);
    ck_assert_uint_eq(take(1, 61000), 1);
}
END_TEST

START_TEST(others_keep_nobody_from_two_of_his_own)
{
    t = (trials_t){ 0 };
    for (unsigned i = 0; i < 60; i++)
        (void)take(1 + i % 3, 1000);
    ck_assert_uint_gt(take(1, 1000), 0);
    ck_assert_uint_eq(take(9, 2000), 0);
    ck_assert_uint_eq(take(9, 3000), 0);
    ck_assert_uint_eq(take(9, 4000), 57000); /* when those of the others count no more */
    ck_assert_uint_eq(take(9, 61000), 0);
}
END_TEST

/* Of a hundred clients nobody has a third one; of very many the oldest are forgotten. */
START_TEST(of_very_many_the_oldest_are_forgotten)
{
    t = (trials_t){ 0 };
    for (unsigned i = 0; i < 300; i++)
        ck_assert_msg((take(i % 100, 1000 + i) != 0) == (i >= 200), "%u", i);
    t = (trials_t){ 0 };
    for (unsigned i = 0; i < 600; i++)
        ck_assert_uint_eq(take(i % 300, 1000 + i), 0);
    ck_assert_uint_eq(take(0, 2000), 0);
    ck_assert_uint_eq(take(299, 2000), 0);
    ck_assert_uint_gt(take(299, 2000), 0);
}
END_TEST

int main(void)
{
    return UNIT_RUN("trials", one_client_has_six_a_minute, others_keep_nobody_from_two_of_his_own,
                    of_very_many_the_oldest_are_forgotten);
}
