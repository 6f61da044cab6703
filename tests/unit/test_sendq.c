/* The queue of a stream: what is sent is what was added, pieces stay where they are, what arrived is forgotten. */
#include "overlay/net/sendq.h"
#include "tests/unit/unit.h"

START_TEST(what_goes_out_is_what_came_in)
{
    static uint8_t in[20000], out[20000];
    sendq_t q = { 0 };
    size_t added = 0, sent = 0;
    unsigned x = 1;
    for (size_t i = 0; i < sizeof in; i++)
        in[i] = (uint8_t)(i * 7 + i / 256);
    while (sent < sizeof in) {
        x = x * 1103515245 + 12345;
        size_t n = (x >> 8) % 1500;
        n = n < sizeof in - added ? n : sizeof in - added;
        ck_assert_int_eq(sendq_add(&q, view_of(in + added, n)), RC_OK);
        added += n;
        view_t v = sendq_next(&q);
        ck_assert(v.n == 0 ? sent == added : v.n <= added - sent);
        n = v.n ? 1 + (x >> 16) % v.n : 0;
        memcpy(out + sent, v.n ? v.p : out, n);
        sendq_sent(&q, n);
        sent += n;
        if (x % 3 == 0)
            sendq_arrived(&q, sent);
        ck_assert_uint_le(sendq_size(&q), added);
        ck_assert_uint_ge(sendq_size(&q), added - sent);
    }
    ck_assert_mem_eq(in, out, sizeof in);
    sendq_arrived(&q, sent);
    ck_assert(sendq_size(&q) == 0 && !q.first && sendq_next(&q).n == 0);
    ck_assert_int_eq(sendq_add(&q, view_str("again")), RC_OK);
    ck_assert(view_eq(sendq_next(&q), view_str("again")));
    sendq_clear(&q);
}
END_TEST

/* ngtcp2 keeps pointers to what it may have to send again. */
START_TEST(a_piece_stays_until_it_arrived)
{
    static uint8_t big[5000] = { 9 };
    sendq_t q = { 0 };
    ck_assert_int_eq(sendq_add(&q, view_str("first")), RC_OK);
    view_t v = sendq_next(&q);
    sendq_sent(&q, v.n);
    for (int i = 0; i < 50; i++)
        ck_assert_int_eq(sendq_add(&q, view_of(big, sizeof big)), RC_OK);
    ck_assert(view_eq(view_of(v.p, 5), view_str("first")));
    ck_assert_uint_eq(sendq_size(&q), 5 + 50 * sizeof big);
    sendq_arrived(&q, 5);
    ck_assert_uint_le(sendq_size(&q), 5 + 50 * sizeof big);
    for (int i = 0; i < 200 && q.sent < q.end; i++)
        sendq_sent(&q, sendq_next(&q).n);
    ck_assert_uint_eq(q.sent, q.end);
    sendq_arrived(&q, q.end);
    ck_assert_uint_eq(sendq_size(&q), 0);
    sendq_clear(&q);
}
END_TEST

START_TEST(nothing_is_nothing)
{
    sendq_t q = { 0 };
    ck_assert_int_eq(sendq_add(&q, view_of(NULL, 0)), RC_OK);
    ck_assert(sendq_next(&q).n == 0 && sendq_size(&q) == 0);
    sendq_arrived(&q, 0);
    sendq_clear(&q);
}
END_TEST

int main(void)
{
    return UNIT_RUN("sendq", what_goes_out_is_what_came_in, a_piece_stays_until_it_arrived, nothing_is_nothing);
}
