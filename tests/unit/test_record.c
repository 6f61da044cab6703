/* Signed envelopes and peer records: js-libp2p's vector, there and back, every truncation and bit, whom it speaks for. */
#include "overlay/wire/proto.h"
#include "overlay/wire/record.h"
#include "tests/unit/wire_id.h"

/* Source: overlay-facts section 7, made by js-libp2p; the key's private half is there. */
#define SEED "7e0830617c4a7de83925dfb2694556b12936c477a0e1feb2e148ec9da60fee7d"
#define ENVELOPE                                                                                                       \
    "0a24080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e120203011a390a260024080112201ed1e8fa" \
    "e2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e10071a0d0a0b047f00000191020fa1cd032a40977035374ab2a25872" \
    "0abd3693ea1e2f9d66eb7faa7018fc6bde584408a337d6a11a70675e88956acd41cb5e33c840d4a148550406ca82fc8bfa58f624b7640b"

static void known_identity(wire_id_t *id)
{
    uint8_t seed[32];
    wire_ed25519(id, "");
    (void)wire_hex(seed, sizeof seed, SEED);
    crypto_sign_ed25519_seed_keypair(id->who.key.b, id->secret, seed);
}

static record_t known_record(void)
{
    record_t r = { .seq = 7, .addr_count = 1 };
    ck_assert_int_eq(maddr_read_text(&r.addrs[0], NULL, view_str("/ip4/127.0.0.1/udp/4001/quic-v1")), RC_OK);
    return r;
}

START_TEST(the_known_envelope_is_read_and_written)
{
    uint8_t buf[256], out[256];
    char text[PEERID_TEXT_MAX + 1];
    wire_id_t id;
    record_t r, want = known_record();
    known_identity(&id);
    ck_assert_int_eq(record_open(&r, wire_hex(buf, sizeof buf, ENVELOPE)), RC_OK);
    peerid_text(text, &r.id);
    ck_assert_str_eq(text, "12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq");
    ck_assert(r.seq == 7 && r.addr_count == 1 && maddr_eq(&r.addrs[0], &want.addrs[0]));
    wr_t w = wr_of(out, sizeof out);
    ck_assert_int_eq(record_write(&w, &id.who, &want), RC_OK);
    CK_VIEW_IS(wr_view(&w), ENVELOPE);
}
END_TEST

START_TEST(no_byte_may_be_cut_off_or_changed)
{
    uint8_t buf[256];
    record_t r = { .seq = 99 };
    view_t v = wire_hex(buf, sizeof buf, ENVELOPE);
    for (size_t n = 0; n < v.n; n++) {
        uint8_t *cut = wire_exact(view_of(v.p, n));
        ck_assert_int_ne(record_open(&r, view_of(cut, n)), RC_OK);
        free(cut);
    }
    for (size_t bit = 0; bit < 8 * v.n; bit++) {
        buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_msg(record_open(&r, v) != RC_OK, "bit %zu", bit);
        buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    ck_assert_uint_eq(r.seq, 99);
}
END_TEST

START_TEST(nobody_speaks_for_another_peer)
{
    uint8_t payload[128], out[512];
    wire_id_t id, other;
    peerid_t other_id;
    record_t r;
    wire_secp256k1(&id, "one");
    wire_secp256k1(&other, "two");
    peerid_of(&other_id, &other.who.key);
    wr_t p = wr_of(payload, sizeof payload), w = wr_of(out, sizeof out);
    pb_put_bytes(&p, 1, peerid_view(&other_id));
    pb_put_u64(&p, 2, 1);
    const view_t type = view_of("\x03\x01", 2);
    ck_assert_int_eq(envelope_write(&w, &other.who, "libp2p-peer-record", type, wr_view(&p)), RC_OK);
    ck_assert_int_eq(record_open(&r, wr_view(&w)), RC_OK);
    ck_assert(peerid_eq(&r.id, &other_id) && r.addr_count == 0);
    w.n = 0;
    ck_assert_int_eq(envelope_write(&w, &id.who, "libp2p-peer-record", type, wr_view(&p)), RC_OK);
    ck_assert_int_eq(record_open(&r, wr_view(&w)), RC_REFUSED);
    /* another domain, another type */
    envelope_t e;
    ck_assert_int_eq(envelope_open(&e, wr_view(&w), "libp2p-peer-record", type), RC_OK);
    ck_assert(view_eq(e.payload, wr_view(&p)) && hostkey_eq(&e.key, &id.who.key));
    ck_assert_int_eq(envelope_open(&e, wr_view(&w), "libp2p-peer-recore", type), RC_REFUSED);
    ck_assert_int_eq(envelope_open(&e, wr_view(&w), "libp2p-peer-record", view_of("\x03\x02", 2)), RC_REFUSED);
    wire_id_clear(&id);
    wire_id_clear(&other);
}
END_TEST

/* A record of so many times one address, given as bytes. */
static rc_t of_addrs(record_t *r, size_t count, view_t addr)
{
    static uint8_t payload[2000], out[3000];
    wire_id_t id;
    peerid_t pid;
    wire_ed25519(&id, "many");
    peerid_of(&pid, &id.who.key);
    wr_t p = wr_of(payload, sizeof payload), w = wr_of(out, sizeof out);
    pb_put_bytes(&p, 1, peerid_view(&pid));
    for (size_t i = 0; i < count; i++) {
        size_t info = pb_begin(&p, 3);
        pb_put_bytes(&p, 1, addr);
        pb_end(&p, info);
    }
    ck_assert_int_eq(envelope_write(&w, &id.who, "libp2p-peer-record", view_of("\x03\x01", 2), wr_view(&p)), RC_OK);
    return record_open(r, wr_view(&w));
}

START_TEST(addresses_are_bounded_and_foreign_ones_passed_over)
{
    static const uint8_t tcp[] = { 0x04, 0x7f, 0, 0, 1, 0x06, 0x0f, 0xa1 },
                         ws[] = { 0x04, 0x7f, 0, 0, 1, 0x06, 0x0f, 0xa1, 0xdd, 0x03 };
    static uint8_t big[ENVELOPE_MAX + 1];
    record_t r;
    ck_assert_int_eq(of_addrs(&r, RECORD_ADDRS_MAX, view_of(tcp, sizeof tcp)), RC_OK);
    ck_assert_uint_eq(r.addr_count, RECORD_ADDRS_MAX);
    ck_assert_int_eq(of_addrs(&r, RECORD_ADDRS_MAX + 1, view_of(tcp, sizeof tcp)), RC_LIMIT);
    ck_assert_int_eq(of_addrs(&r, 3, view_of(ws, sizeof ws)), RC_OK);
    ck_assert_uint_eq(r.addr_count, 0);
    ck_assert_int_eq(of_addrs(&r, 1, view_of(tcp, 3)), RC_MALFORMED);
    ck_assert_int_eq(record_open(&r, view_of(big, sizeof big)), RC_LIMIT);
}
END_TEST

START_TEST(a_record_without_room_is_an_error)
{
    uint8_t out[100];
    wire_id_t id;
    record_t r = known_record();
    known_identity(&id);
    wr_t w = wr_of(out, sizeof out);
    ck_assert_int_eq(record_write(&w, &id.who, &r), RC_LIMIT);
}
END_TEST

int main(void)
{
    return UNIT_RUN("record", the_known_envelope_is_read_and_written, no_byte_may_be_cut_off_or_changed,
                    nobody_speaks_for_another_peer, addresses_are_bounded_and_foreign_ones_passed_over,
                    a_record_without_room_is_an_error);
}
