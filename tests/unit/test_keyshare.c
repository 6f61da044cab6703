/* Key requests and shares: known bytes, there and back, every truncation, what must and must not be there. */
#include "base/hex.h"
#include "overlay/keyshare.h"
#include "overlay/wire/proto.h"
#include "tests/unit/wire_id.h"

static keyshare_request_t request(void)
{
    keyshare_request_t m = { .has_cluster = true, .has_name = true, .version = 300, .index = 2 };
    memset(m.id, 0x11, sizeof m.id);
    memset(m.cluster, 0x22, sizeof m.cluster);
    memset(m.order.b, 0x55, sizeof m.order.b);
    memset(m.ephemeral, 0x66, sizeof m.ephemeral);
    return m;
}

static keyshare_t share(void)
{
    keyshare_t m = { .status = KEYSHARE_OK,
                     .entry = view_str("entry"),
                     .ack_count = 2,
                     .draft = true,
                     .bootstrap = view_str("first"),
                     .order = view_str("order") };
    memset(m.id, 0x11, sizeof m.id);
    memset(m.ephemeral, 0x44, sizeof m.ephemeral);
    memset(m.sealed, 0x5e, sizeof m.sealed);
    for (size_t i = 0; i < 2; i++) {
        memset(m.acks[i].key, (int)i + 2, 33);
        memset(m.acks[i].signature, (int)i + 0x70, 64);
    }
    return m;
}

/* Field numbers and lengths by hand, as the protobuf encoding has them. */
START_TEST(a_request_is_written_as_its_field_numbers_say)
{
    uint8_t buf[KEYSHARE_REQUEST_MAX];
    keyshare_request_t m = request(), got;
    err_t e;
    wr_t w = wr_of(buf, sizeof buf);
    keyshare_request_write(&w, &m);
    CK_VIEW_IS(wr_view(&w), "0a1011111111111111111111111111111111"
                            "1221222222222222222222222222222222222222222222222222222222222222222222"
                            "18ac022002"
                            "2a205555555555555555555555555555555555555555555555555555555555555555"
                            "32206666666666666666666666666666666666666666666666666666666666666666");
    ck_assert_int_eq(keyshare_request_read(&got, &e, wr_view(&w)), RC_OK);
    ck_assert_mem_eq(&got, &m, sizeof m);
    for (size_t n = 0; n < w.n; n++) {
        uint8_t *cut = wire_exact(view_of(buf, n));
        ck_assert_msg(keyshare_request_read(&got, &e, view_of(cut, n)) == RC_MALFORMED, "%zu bytes", n);
        free(cut);
    }
}
END_TEST

START_TEST(a_request_of_one_who_has_nothing_names_nothing)
{
    uint8_t buf[KEYSHARE_REQUEST_MAX];
    keyshare_request_t m = request(), got = { .version = 9 };
    err_t e;
    wr_t w = wr_of(buf, sizeof buf);
    m.has_cluster = m.has_name = false;
    keyshare_request_write(&w, &m);
    ck_assert_int_eq(keyshare_request_read(&got, &e, wr_view(&w)), RC_OK);
    ck_assert(!got.has_cluster && !got.has_name && got.version == 0);
    pb_put_u64(&w, 3, 1); /* a version without an index */
    ck_assert_int_eq(keyshare_request_read(&got, &e, wr_view(&w)), RC_MALFORMED);
    ck_assert_str_eq(e.text, "a key request lacks a member");
}
END_TEST

START_TEST(a_request_is_strict)
{
    static const struct {
        uint32_t number;
        size_t length;
        rc_t rc;
    } rows[] = { { 1, 16, RC_MALFORMED }, /* twice */
                 { 2, 33, RC_OK },        { 2, 32, RC_MALFORMED },
                 { 2, 34, RC_MALFORMED }, { 9, 20, RC_OK }, /* unknown */
                 { 9, 100, RC_LIMIT } };
    static const uint8_t zeros[128];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t buf[2 * KEYSHARE_REQUEST_MAX];
        keyshare_request_t m = request(), got;
        err_t e;
        wr_t w = wr_of(buf, sizeof buf);
        m.has_cluster = false;
        keyshare_request_write(&w, &m);
        pb_put_bytes(&w, rows[i].number, view_of(zeros, rows[i].length));
        ck_assert_msg(keyshare_request_read(&got, &e, wr_view(&w)) == rows[i].rc, "row %zu", i);
    }
}
END_TEST

static bool same(const keyshare_t *a, const keyshare_t *b)
{
    return memcmp(a->id, b->id, sizeof a->id) == 0 && a->status == b->status && view_eq(a->entry, b->entry) &&
           memcmp(a->ephemeral, b->ephemeral, sizeof a->ephemeral) == 0 &&
           memcmp(a->sealed, b->sealed, sizeof a->sealed) == 0 && a->ack_count == b->ack_count &&
           memcmp(a->acks, b->acks, sizeof a->acks) == 0 && a->draft == b->draft &&
           view_eq(a->bootstrap, b->bootstrap) && view_eq(a->order, b->order);
}

START_TEST(a_share_is_read_as_it_was_written)
{
    static uint8_t buf[KEYSHARE_MAX];
    keyshare_t m = share(), got;
    err_t e;
    wr_t w = wr_of(buf, sizeof buf);
    keyshare_write(&w, &m);
    ck_assert_int_eq(keyshare_read(&got, &e, wr_view(&w)), RC_OK);
    ck_assert(same(&m, &got));
    for (size_t n = 0; n < w.n; n++) {
        uint8_t *cut = wire_exact(view_of(buf, n));
        rc_t rc = keyshare_read(&got, &e, view_of(cut, n));
        ck_assert_msg(rc == RC_MALFORMED || (rc == RC_OK && !same(&m, &got)), "%zu bytes", n);
        free(cut);
    }
}
END_TEST

START_TEST(a_refusal_holds_nothing_but_its_reason)
{
    static uint8_t buf[KEYSHARE_MAX];
    static const unsigned statuses[] = { 1, 2, 3, 5, 6 };
    keyshare_t m = share(), got;
    err_t e;
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        wr_t w = wr_of(buf, sizeof buf);
        m.status = (keyshare_status_t)statuses[i];
        keyshare_write(&w, &m);
        ck_assert_uint_eq(w.n, 18 + 2);
        ck_assert_int_eq(keyshare_read(&got, &e, wr_view(&w)), RC_OK);
        ck_assert(got.status == m.status && got.entry.n == 0 && !got.ack_count);
        pb_put_bytes(&w, 3, view_str("an entry"));
        ck_assert_int_eq(keyshare_read(&got, &e, wr_view(&w)), RC_MALFORMED);
    }
    for (unsigned bad = 4; bad < 300; bad += bad == 4 ? 3 : 1) {
        wr_t w = wr_of(buf, sizeof buf);
        pb_put_bytes(&w, 1, view_of(m.id, sizeof m.id));
        pb_put_u64(&w, 2, bad);
        ck_assert_msg(keyshare_read(&got, &e, wr_view(&w)) == RC_MALFORMED, "status %u", bad);
    }
}
END_TEST

/* Each field of a share left out, and each twice. */
START_TEST(a_share_lacks_nothing_and_has_nothing_twice)
{
    static uint8_t buf[KEYSHARE_MAX], changed[KEYSHARE_MAX];
    keyshare_t m = share(), got;
    wr_t w = wr_of(buf, sizeof buf);
    err_t e;
    keyshare_write(&w, &m);
    for (uint32_t number = 1; number <= 9; number++)
        for (int copies = 0; copies <= 2; copies += 2) {
            rd_t r = rd_of(wr_view(&w));
            wr_t out = wr_of(changed, sizeof changed);
            for (pb_field_t f;;) {
                const uint8_t *from = r.p;
                if (!pb_next(&r, &f))
                    break;
                for (int k = 0; k < (f.number == number ? copies : 1); k++)
                    wr_bytes(&out, from, (size_t)(r.p - from));
            }
            const bool may = number >= 6 && (copies == 0 || number == 6); /* acknowledgements repeat */
            rc_t rc = keyshare_read(&got, &e, wr_view(&out));
            ck_assert_msg(rc == (may ? RC_OK : RC_MALFORMED), "field %u, %d times", number, copies);
        }
}
END_TEST

START_TEST(everything_in_a_share_has_a_maximum)
{
    static uint8_t buf[KEYSHARE_MAX + 100], big[KEYSHARE_MAX + 1];
    keyshare_t m = share(), got;
    err_t e;
    wr_t w = wr_of(buf, sizeof buf);
    m.ack_count = ENTRY_MEMBERS_MAX;
    m.entry = m.bootstrap = view_of(big, ENTRY_MAX);
    m.order = view_of(big, ORDER_SIGNED_MAX);
    keyshare_write(&w, &m);
    ck_assert(!w.bad && w.n <= KEYSHARE_MAX);
    ck_assert_int_eq(keyshare_read(&got, &e, wr_view(&w)), RC_OK);
    const size_t whole = w.n;
    const size_t mark = pb_begin(&w, 6);
    pb_put_bytes(&w, 1, view_of(m.acks[0].key, 33));
    pb_put_bytes(&w, 2, view_of(m.acks[0].signature, 64));
    pb_end(&w, mark);
    ck_assert_int_eq(keyshare_read(&got, &e, wr_view(&w)), RC_MALFORMED);
    ck_assert_int_eq(keyshare_read(&got, &e, view_of(buf, whole)), RC_OK);
    ck_assert_int_eq(keyshare_read(&got, &e, view_of(big, sizeof big)), RC_LIMIT);
    m.entry = view_of(big, ENTRY_MAX + 1);
    w = wr_of(buf, sizeof buf);
    keyshare_write(&w, &m);
    ck_assert_int_eq(keyshare_read(&got, &e, wr_view(&w)), RC_MALFORMED);
}
END_TEST

START_TEST(the_sealing_covers_all_but_the_sealing_itself)
{
    static uint8_t a[KEYSHARE_MAX], b[KEYSHARE_MAX];
    uint8_t info[KEYSHARE_INFO_LEN];
    const keyshare_t m = share();
    wr_t of_m = wr_of(a, sizeof a);
    keyshare_ad(&of_m, &m);
    for (int row = 0; row < 9; row++) {
        keyshare_t x = m;
        wr_t w = wr_of(b, sizeof b);
        switch (row) {
        case 0: x.sealed[0] ^= 1; break;
        case 1: x.ephemeral[0] ^= 1; break; /* it is in the info */
        case 2: x.id[15] ^= 1; break;
        case 3: x.entry = view_str("entrz"); break;
        case 4: x.acks[1].signature[63] ^= 1; break;
        case 5: x.ack_count = 1; break;
        case 6: x.draft = false; break;
        case 7: x.bootstrap.n = 0; break;
        default: x.order = view_str("ordes"); break;
        }
        keyshare_ad(&w, &x);
        ck_assert_msg(view_eq(wr_view(&of_m), wr_view(&w)) == (row < 2), "row %d", row);
    }
    const uint8_t id[16] = { 1 }, requester[32] = { 2 }, sharer[32] = { 3 };
    keyshare_info(info, id, requester, sharer);
    CK_VIEW_IS(view_of(info, sizeof info), "6b6574746c652d6b657973686172652f31"
                                           "01000000000000000000000000000000"
                                           "0200000000000000000000000000000000000000000000000000000000000000"
                                           "0300000000000000000000000000000000000000000000000000000000000000");
}
END_TEST

int main(void)
{
    return UNIT_RUN("keyshare", a_request_is_written_as_its_field_numbers_say,
                    a_request_of_one_who_has_nothing_names_nothing, a_request_is_strict,
                    a_share_is_read_as_it_was_written, a_refusal_holds_nothing_but_its_reason,
                    a_share_lacks_nothing_and_has_nothing_twice, everything_in_a_share_has_a_maximum,
                    the_sealing_covers_all_but_the_sealing_itself);
}
