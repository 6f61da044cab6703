/* The order of messages on a connection: values, counters, the window, and what is a replay. */
#include "overlay/msg_session.h"
#include "tests/unit/unit.h"

static err_t e;

/* Two ends that have agreed. */
static void agree(msg_session_t *a, msg_session_t *b, uint64_t x, uint64_t y)
{
    msg_session_start(a, x);
    msg_session_start(b, y);
    ck_assert_int_eq(msg_session_hello(a, &e, y, 0), RC_OK);
    ck_assert_int_eq(msg_session_hello(b, &e, x, 0), RC_OK);
}

START_TEST(both_take_the_larger_value_and_count_from_there)
{
    msg_session_t a, b;
    uint64_t nonce;
    agree(&a, &b, 7, UINT64_MAX - 1);
    ck_assert(a.value == UINT64_MAX - 1 && b.value == UINT64_MAX - 1);
    for (uint64_t k = 0; k < 100; k++) { /* modulo 2^64 */
        ck_assert_int_eq(msg_session_next(&a, &e, &nonce), RC_OK);
        ck_assert_uint_eq(nonce, UINT64_MAX - 1 + k);
        ck_assert_int_eq(msg_session_take(&b, &e, nonce), RC_OK);
    }
    ck_assert_int_eq(msg_session_next(&b, &e, &nonce), RC_OK); /* each direction by itself */
    ck_assert_uint_eq(nonce, UINT64_MAX - 1);
}
END_TEST

START_TEST(equal_values_are_drawn_again_three_times_at_most)
{
    msg_session_t s;
    msg_session_start(&s, 1);
    for (uint64_t i = 1; i <= MSG_DRAWS_MAX; i++) {
        ck_assert_int_eq(msg_session_hello(&s, &e, i, i + 1), RC_NEED_DATA);
        ck_assert(s.own == i + 1 && !s.agreed);
    }
    const msg_session_t before = s;
    ck_assert_int_eq(msg_session_hello(&s, &e, s.own, 99), RC_REFUSED);
    ck_assert_mem_eq(&s, &before, sizeof s);
    ck_assert_int_eq(msg_session_hello(&s, &e, 2, 99), RC_OK);
    ck_assert_uint_eq(s.value, MSG_DRAWS_MAX + 1);
}
END_TEST

START_TEST(nothing_goes_before_the_values_and_no_value_comes_twice)
{
    msg_session_t s, b;
    uint64_t nonce;
    msg_session_start(&s, 5);
    ck_assert_int_eq(msg_session_next(&s, &e, &nonce), RC_REFUSED);
    ck_assert_int_eq(msg_session_take(&s, &e, 5), RC_REFUSED);
    ck_assert_str_eq(e.text, "a message before the session value");
    agree(&s, &b, 5, 6);
    ck_assert_int_eq(msg_session_hello(&s, &e, 7, 0), RC_REFUSED);
    ck_assert_uint_eq(s.value, 6);
}
END_TEST

/* What a receiver that has taken 0 .. 19 says of a number. */
START_TEST(the_window_is_ten_to_both_sides)
{
    static const struct {
        uint64_t k;
        rc_t rc;
    } rows[] = { { 20, RC_OK },           { 30, RC_OK },      { 31, RC_REFUSED },
                 { 19, RC_REPLAY },       { 10, RC_REPLAY },  { 9, RC_REPLAY },
                 { 0, RC_REPLAY },        { 84, RC_REFUSED }, { UINT64_MAX, RC_REFUSED },
                 { 1u << 31, RC_REFUSED } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        msg_session_t a, b;
        agree(&a, &b, 100, 3);
        for (uint64_t k = 0; k < 20; k++)
            ck_assert_int_eq(msg_session_take(&b, &e, 100 + k), RC_OK);
        const msg_session_t before = b;
        const rc_t rc = msg_session_take(&b, &e, 100 + rows[i].k);
        ck_assert_msg(rc == rows[i].rc, "%llu: %s", (unsigned long long)rows[i].k, rc_name(rc));
        if (rc)
            ck_assert_mem_eq(&b, &before, sizeof b);
    }
}
END_TEST

START_TEST(what_was_left_out_may_come_once_while_it_is_in_the_window)
{
    msg_session_t a, b;
    agree(&a, &b, 100, 3);
    ck_assert_int_eq(msg_session_take(&b, &e, 100), RC_OK);
    ck_assert_int_eq(msg_session_take(&b, &e, 105), RC_OK); /* 1 .. 4 are left out */
    ck_assert_int_eq(msg_session_take(&b, &e, 102), RC_OK);
    ck_assert_int_eq(msg_session_take(&b, &e, 102), RC_REPLAY);
    ck_assert_int_eq(msg_session_take(&b, &e, 105), RC_REPLAY);
    ck_assert_int_eq(msg_session_take(&b, &e, 112), RC_OK);
    ck_assert_int_eq(msg_session_take(&b, &e, 103), RC_OK); /* ten behind */
    ck_assert_int_eq(msg_session_take(&b, &e, 101), RC_REPLAY);
    ck_assert_str_eq(e.text, "a message is too old to tell whether it came before");
}
END_TEST

START_TEST(a_message_of_another_session_is_refused)
{
    msg_session_t a, b, c, d;
    uint64_t nonce;
    agree(&a, &b, 1000, 3);
    agree(&c, &d, 500, 4);
    for (int k = 0; k < 50; k++) {
        ck_assert_int_eq(msg_session_next(&a, &e, &nonce), RC_OK);
        ck_assert_int_ne(msg_session_take(&d, &e, nonce), RC_OK);
        ck_assert_int_eq(msg_session_take(&b, &e, nonce), RC_OK);
    }
}
END_TEST

START_TEST(a_new_connection_counts_from_its_own_value_again)
{
    msg_session_t a, b;
    agree(&a, &b, 1000, 3);
    ck_assert_int_eq(msg_session_take(&b, &e, 1000), RC_OK);
    agree(&a, &b, 77, 3);
    ck_assert_int_eq(msg_session_take(&b, &e, 1000), RC_REFUSED);
    ck_assert_int_eq(msg_session_take(&b, &e, 77), RC_OK);
}
END_TEST

int main(void)
{
    return UNIT_RUN("msg_session", both_take_the_larger_value_and_count_from_there,
                    equal_values_are_drawn_again_three_times_at_most,
                    nothing_goes_before_the_values_and_no_value_comes_twice, the_window_is_ten_to_both_sides,
                    what_was_left_out_may_come_once_while_it_is_in_the_window, a_message_of_another_session_is_refused,
                    a_new_connection_counts_from_its_own_value_again);
}
