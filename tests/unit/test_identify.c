/* identify: there and back, every truncation, bounds, the key of another peer. */
#include "overlay/wire/identify.h"
#include "overlay/wire/proto.h"
#include "tests/unit/wire_id.h"

static wire_id_t id;

static identify_t sample(void)
{
    static const uint8_t addr[] = { 0x04, 0x7f, 0, 0, 1, 0x06, 0x0f, 0xa1 };
    wire_ed25519(&id, "one");
    return (identify_t){ .key = id.who.key,
                         .has_key = true,
                         .protocol_version = view_str("ipfs/0.1.0"),
                         .agent_version = view_str("kettle/0.1"),
                         .protocols = { view_str("/ipfs/id/1.0.0"), view_str("/ipfs/ping/1.0.0") },
                         .protocol_count = 2,
                         .addrs = { view_of(addr, sizeof addr) },
                         .addr_count = 1,
                         .observed = view_of(addr, sizeof addr),
                         .signed_record = view_str("an envelope") };
}

static bool same(const identify_t *a, const identify_t *b)
{
    bool yes = a->has_key == b->has_key && (!a->has_key || hostkey_eq(&a->key, &b->key)) &&
               a->protocol_count == b->protocol_count && a->addr_count == b->addr_count &&
               view_eq(a->protocol_version, b->protocol_version) && view_eq(a->agent_version, b->agent_version) &&
               view_eq(a->observed, b->observed) && view_eq(a->signed_record, b->signed_record);
    for (size_t i = 0; yes && i < a->protocol_count; i++)
        yes = view_eq(a->protocols[i], b->protocols[i]);
    for (size_t i = 0; yes && i < a->addr_count; i++)
        yes = view_eq(a->addrs[i], b->addrs[i]);
    return yes;
}

START_TEST(a_message_is_read_as_it_was_written)
{
    uint8_t buf[IDENTIFY_MAX];
    wr_t w = wr_of(buf, sizeof buf);
    identify_t m = sample(), got;
    err_t e;
    view_t message;
    size_t used;
    identify_write(&w, &m);
    ck_assert_int_eq(pb_delimited(&message, &used, wr_view(&w), IDENTIFY_MAX), RC_OK);
    ck_assert_uint_eq(used, w.n);
    ck_assert_msg(identify_read(&got, &e, message, &id.who.key) == RC_OK, "%s", e.text);
    ck_assert(same(&m, &got));
    for (size_t n = 0; n < message.n; n++) {
        uint8_t *cut = wire_exact(view_of(message.p, n));
        rc_t rc = identify_read(&got, &e, view_of(cut, n), &id.who.key);
        ck_assert(rc == RC_MALFORMED || !same(&m, &got));
        free(cut);
    }
    /* the field numbers of the specification, in the order in which they are written */
    static const uint8_t keys[] = { 0x0a, 0x12, 0x1a, 0x1a, 0x22, 0x2a, 0x32, 0x42 };
    rd_t r = rd_of(message);
    pb_field_t f;
    for (size_t i = 0; i < sizeof keys; i++) {
        ck_assert_uint_eq(*r.p, keys[i]);
        ck_assert(pb_next(&r, &f));
    }
    ck_assert(rd_done(&r));
}
END_TEST

START_TEST(an_update_may_leave_everything_out)
{
    identify_t got = { 0 }, none = { 0 };
    (void)sample();
    ck_assert_int_eq(identify_read(&got, NULL, view_of(NULL, 0), &id.who.key), RC_OK);
    ck_assert(same(&got, &none));
}
END_TEST

START_TEST(the_key_of_another_peer_is_refused)
{
    uint8_t buf[IDENTIFY_MAX];
    wr_t w = wr_of(buf, sizeof buf);
    identify_t m = sample(), got = { .addr_count = 9 };
    err_t e;
    wire_id_t other;
    wire_ed25519(&other, "two");
    identify_write(&w, &m);
    ck_assert_int_eq(identify_read(&got, &e, view_of(buf + 2, w.n - 2), &other.who.key), RC_REFUSED);
    ck_assert_str_eq(e.text, "identify names another key than the connection's");
    ck_assert_uint_eq(got.addr_count, 9);
    wr_t bad = wr_of(buf, sizeof buf); /* no key at all inside */
    pb_put_bytes(&bad, 1, view_str("no key"));
    ck_assert_int_eq(identify_read(&got, &e, wr_view(&bad), &id.who.key), RC_REFUSED);
}
END_TEST

/* So many fields of one number, each of so many bytes. */
static rc_t many(uint32_t number, size_t count, size_t each)
{
    static uint8_t buf[IDENTIFY_MAX], bytes[5000];
    wr_t w = wr_of(buf, sizeof buf);
    identify_t got;
    for (size_t i = 0; i < count; i++)
        pb_put_bytes(&w, number, view_of(bytes, each));
    ck_assert(!w.bad);
    return identify_read(&got, NULL, wr_view(&w), &id.who.key);
}

START_TEST(everything_has_a_maximum)
{
    static uint8_t big[IDENTIFY_MAX + 1];
    identify_t got;
    (void)sample();
    ck_assert_int_eq(many(3, IDENTIFY_PROTOCOLS_MAX, 9), RC_OK);
    ck_assert_int_eq(many(3, IDENTIFY_PROTOCOLS_MAX + 1, 9), RC_MALFORMED);
    ck_assert_int_eq(many(2, IDENTIFY_ADDRS_MAX, 9), RC_OK);
    ck_assert_int_eq(many(2, IDENTIFY_ADDRS_MAX + 1, 9), RC_MALFORMED);
    static const struct {
        uint32_t number;
        size_t max;
    } rows[] = { { 2, MADDR_BYTES_MAX },   { 3, IDENTIFY_TEXT_MAX }, { 4, MADDR_BYTES_MAX },
                 { 5, IDENTIFY_TEXT_MAX }, { 6, IDENTIFY_TEXT_MAX }, { 8, IDENTIFY_RECORD_MAX } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_int_eq(many(rows[i].number, 1, rows[i].max), RC_OK);
        ck_assert_int_eq(many(rows[i].number, 1, rows[i].max + 1), RC_MALFORMED);
    }
    ck_assert_int_eq(many(7, 1, 5000), RC_OK); /* unknown: passed over */
    ck_assert_int_eq(identify_read(&got, NULL, view_of(big, sizeof big), &id.who.key), RC_LIMIT);
}
END_TEST

int main(void)
{
    return UNIT_RUN("identify", a_message_is_read_as_it_was_written, an_update_may_leave_everything_out,
                    the_key_of_another_peer_is_refused, everything_has_a_maximum);
}
