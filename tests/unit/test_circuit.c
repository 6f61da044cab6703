/* Messages of circuit relay v2 and its vouchers: known bytes there and back, every truncation, what each protocol has,
 * maxima, whom a voucher is of. */
#include "overlay/wire/circuit.h"
#include "overlay/wire/proto.h"
#include "overlay/wire/record.h"
#include "tests/unit/wire_id.h"

/* Source: written field by field from the specification in JavaScript, the voucher signed by Node's Ed25519; the relay
 * is the peer of overlay-facts section 7, whose private half is there, the other one that of its multiaddrs. */
#define SEED "7e0830617c4a7de83925dfb2694556b12936c477a0e1feb2e148ec9da60fee7d"
#define RELAY_ID                                                                                                       \
    "002408011220"                                                                                                     \
    "1ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e"
#define PEER_ID                                                                                                        \
    "002408011220"                                                                                                     \
    "a77f1d92fedb59dddaea5a1c4abd1ac2fbde7d7b879ed364501809923d7c11b9"
#define EXPIRES 1700000000u
#define ADDR "047f00000191020fa1cd03a50326" RELAY_ID
#define VOUCHER                                                                                                        \
    "0a24080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e120203021a560a26" RELAY_ID            \
    "1226" PEER_ID "1880e2cfaa062a405e08521670f85b40fa863d847630de7798197872b5b079dd4322388dcf951ad293ae86ef711fb8"    \
    "770121f39beb34225a4b8ef0c8364cc874cb1283fdec7dd105"
#define RESERVE "020800"
#define CONNECT "2c080112280a26" PEER_ID
#define RESERVED "920208021a83020880e2cfaa061234" ADDR "1ac401" VOUCHER "22060878108080082864"
#define STOP "34080012280a26" PEER_ID "1a06087810808008"
#define STOP_OK "0408012064"

static void known_relay(wire_id_t *id)
{
    uint8_t seed[32];
    wire_ed25519(id, "");
    (void)wire_hex(seed, sizeof seed, SEED);
    crypto_sign_ed25519_seed_keypair(id->who.key.b, id->secret, seed);
}

static void known_id(peerid_t *out, const char *hex)
{
    uint8_t bytes[PEERID_MAX];
    ck_assert_int_eq(peerid_read(out, wire_hex(bytes, sizeof bytes, hex)), RC_OK);
}

/* The message behind its length. */
static view_t inside(view_t framed)
{
    view_t message = { NULL, 0 };
    size_t used = 0;
    ck_assert_int_eq(pb_delimited(&message, &used, framed, CIRCUIT_MESSAGE_MAX), RC_OK);
    ck_assert_uint_eq(used, framed.n);
    return message;
}

static const struct {
    const char *name;
    circuit_protocol_t protocol;
    const char *bytes;
    circuit_type_t type;
    bool has_peer, has_reservation, has_limit;
    uint32_t status;
} known[] = {
    { "RESERVE", CIRCUIT_HOP, RESERVE, CIRCUIT_RESERVE, false, false, false, 0 },
    { "CONNECT", CIRCUIT_HOP, CONNECT, CIRCUIT_CONNECT, true, false, false, 0 },
    { "reserved", CIRCUIT_HOP, RESERVED, CIRCUIT_STATUS, false, true, true, CIRCUIT_OK },
    { "refused", CIRCUIT_HOP, "05080228cc01", CIRCUIT_STATUS, false, false, false, CIRCUIT_NO_RESERVATION },
    { "stop CONNECT", CIRCUIT_STOP, STOP, CIRCUIT_CONNECT, true, false, true, 0 },
    { "stop STATUS", CIRCUIT_STOP, STOP_OK, CIRCUIT_STATUS, false, false, false, CIRCUIT_OK },
};
#define KNOWN (sizeof known / sizeof *known)

START_TEST(known_messages_are_read_and_written)
{
    uint8_t in[512], out[512];
    peerid_t peer;
    known_id(&peer, PEER_ID);
    for (size_t i = 0; i < KNOWN; i++) {
        circuit_message_t m;
        const view_t framed = wire_hex(in, sizeof in, known[i].bytes);
        ck_assert_msg(circuit_read(&m, known[i].protocol, inside(framed)) == RC_OK, "%s", known[i].name);
        ck_assert_msg(m.type == known[i].type && m.status == known[i].status, "%s", known[i].name);
        ck_assert_msg(peerid_eq(&m.peer, &peer) == known[i].has_peer, "%s", known[i].name);
        ck_assert_msg(m.has_reservation == known[i].has_reservation, "%s", known[i].name);
        ck_assert_msg(m.limit.is_set == known[i].has_limit, "%s", known[i].name);
        wr_t w = wr_of(out, sizeof out);
        circuit_write(&w, known[i].protocol, &m);
        ck_assert(!w.bad);
        CK_VIEW_IS(wr_view(&w), known[i].bytes);
    }
}
END_TEST

START_TEST(a_reservation_says_what_the_relay_gives)
{
    uint8_t in[512];
    circuit_message_t m;
    ck_assert_int_eq(circuit_read(&m, CIRCUIT_HOP, inside(wire_hex(in, sizeof in, RESERVED))), RC_OK);
    ck_assert_uint_eq(m.expires_s, EXPIRES);
    ck_assert_uint_eq(m.addr_count, 1);
    CK_VIEW_IS(m.addrs[0], ADDR);
    CK_VIEW_IS(m.voucher, VOUCHER);
    ck_assert_uint_eq(m.limit.duration_s, 120);
    ck_assert_uint_eq(m.limit.bytes, 131072);
}
END_TEST

START_TEST(no_message_may_be_cut_off)
{
    uint8_t in[512];
    for (size_t i = 0; i < KNOWN; i++) {
        const view_t v = inside(wire_hex(in, sizeof in, known[i].bytes));
        for (size_t n = 0; n < v.n; n++) {
            circuit_message_t m = { .status = 9 };
            uint8_t *cut = wire_exact(view_of(v.p, n));
            /* a beginning that ends with a field may be a message of its own, but not the same one */
            if (circuit_read(&m, known[i].protocol, view_of(cut, n)) == RC_OK) {
                uint8_t out[512];
                wr_t w = wr_of(out, sizeof out);
                circuit_write(&w, known[i].protocol, &m);
                ck_assert(!view_eq(inside(wr_view(&w)), v));
            } else {
                ck_assert_uint_eq(m.status, 9);
            }
            free(cut);
        }
    }
}
END_TEST

START_TEST(a_message_may_come_in_portions)
{
    uint8_t bytes[512];
    const view_t v = wire_hex(bytes, sizeof bytes, RESERVED "abcd");
    for (size_t portion = 1; portion <= v.n; portion++) {
        circuit_in_t *in = calloc(1, sizeof *in);
        circuit_message_t m;
        size_t at = 0, used = 0;
        rc_t rc = RC_NEED_DATA;
        for (; rc == RC_NEED_DATA && at < v.n; at += used) {
            const size_t n = v.n - at < portion ? v.n - at : portion;
            rc = circuit_take(in, &m, &used, CIRCUIT_HOP, view_of(v.p + at, n));
            ck_assert(rc || used <= n);
        }
        ck_assert_int_eq(rc, RC_OK);
        ck_assert_uint_eq(at, v.n - 2); /* the circuit's own bytes are left */
        CK_VIEW_IS(m.voucher, VOUCHER);
        free(in);
    }
}
END_TEST

START_TEST(a_message_that_is_too_long_is_refused_by_its_length)
{
    circuit_in_t *in = calloc(1, sizeof *in);
    circuit_message_t m;
    size_t used = 0;
    ck_assert_int_eq(circuit_take(in, &m, &used, CIRCUIT_HOP, view_of("\x81\x20", 2)), RC_LIMIT); /* 4097 */
    in->n = 0;
    ck_assert_int_eq(circuit_take(in, &m, &used, CIRCUIT_HOP, view_of("\x80\x20", 2)), RC_NEED_DATA);
    ck_assert_uint_eq(used, 2);
    static const uint8_t zeros[CIRCUIT_MESSAGE_MAX + 100];
    ck_assert_int_eq(circuit_take(in, &m, &used, CIRCUIT_HOP, view_of(zeros, sizeof zeros)), RC_MALFORMED);
    free(in);
}
END_TEST

START_TEST(what_a_protocol_lacks_or_misses_is_refused)
{
    static const struct {
        const char *what;
        circuit_protocol_t protocol;
        const char *bytes;
        rc_t rc;
    } rows[] = {
        { "nothing", CIRCUIT_HOP, "", RC_MALFORMED },
        { "no type", CIRCUIT_HOP, "2864", RC_MALFORMED },
        { "type 3", CIRCUIT_HOP, "08032864", RC_MALFORMED },
        { "type 2 of stop", CIRCUIT_STOP, "08022064", RC_MALFORMED },
        { "type of 33 bits", CIRCUIT_HOP,
          "08808080801028"
          "64",
          RC_MALFORMED },
        { "type as bytes", CIRCUIT_HOP, "0a0100", RC_MALFORMED },
        { "CONNECT to nobody", CIRCUIT_HOP, "0801", RC_MALFORMED },
        { "CONNECT to a peer without id", CIRCUIT_HOP, "08011200", RC_MALFORMED },
        { "CONNECT to half an id", CIRCUIT_HOP, "080112050a03002408", RC_MALFORMED },
        { "STATUS without status", CIRCUIT_HOP, "0802", RC_MALFORMED },
        { "stop STATUS with hop's number", CIRCUIT_STOP, "08012864", RC_MALFORMED },
        { "duration of 33 bits", CIRCUIT_HOP, "080222060880808080102864", RC_MALFORMED },
        { "a reservation at stop is unknown", CIRCUIT_STOP, "080120643a00", RC_OK },
        { "unknown field", CIRCUIT_HOP, "0800fa0701ff", RC_OK },
        { "a byte behind", CIRCUIT_HOP, "080000", RC_MALFORMED },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t in[64];
        circuit_message_t m = { .status = 9 };
        const rc_t rc = circuit_read(&m, rows[i].protocol, wire_hex(in, sizeof in, rows[i].bytes));
        ck_assert_msg(rc == rows[i].rc, "%s: %d", rows[i].what, (int)rc);
        ck_assert_msg(rc == RC_OK || m.status == 9, "%s", rows[i].what);
    }
}
END_TEST

/* STATUS with so many addresses. */
static rc_t of_addrs(size_t count)
{
    uint8_t out[2048];
    circuit_message_t m;
    wr_t w = wr_of(out, sizeof out);
    pb_put_u64(&w, 1, 2);
    const size_t reservation = pb_begin(&w, 3);
    for (size_t i = 0; i < count; i++)
        pb_put_bytes(&w, 2, view_str("address"));
    pb_end(&w, reservation);
    pb_put_u64(&w, 5, CIRCUIT_OK);
    return circuit_read(&m, CIRCUIT_HOP, wr_view(&w));
}

START_TEST(everything_has_a_maximum)
{
    static uint8_t big[CIRCUIT_MESSAGE_MAX + 1], out[2 * CIRCUIT_MESSAGE_MAX];
    circuit_message_t m;
    ck_assert_int_eq(of_addrs(CIRCUIT_ADDRS_MAX), RC_OK);
    ck_assert_int_eq(of_addrs(CIRCUIT_ADDRS_MAX + 1), RC_LIMIT);
    ck_assert_int_eq(circuit_read(&m, CIRCUIT_HOP, view_of(big, sizeof big)), RC_LIMIT);
    ck_assert_int_eq(circuit_read(&m, CIRCUIT_HOP, view_of(big, sizeof big - 1)), RC_MALFORMED);
    m = (circuit_message_t){ .type = CIRCUIT_STATUS, .has_reservation = true, .status = CIRCUIT_OK };
    for (m.addr_count = 0; m.addr_count < CIRCUIT_ADDRS_MAX; m.addr_count++)
        m.addrs[m.addr_count] = view_of(big, MADDR_BYTES_MAX);
    wr_t w = wr_of(out, sizeof out); /* 16 of the longest are more than a message */
    circuit_write(&w, CIRCUIT_HOP, &m);
    ck_assert(w.bad);
    m.addr_count = 9;
    w = wr_of(out, sizeof out);
    circuit_write(&w, CIRCUIT_HOP, &m);
    ck_assert(!w.bad);
    ck_assert_int_eq(circuit_read(&m, CIRCUIT_HOP, inside(wr_view(&w))), RC_OK);
    w = wr_of(out, 100);
    circuit_write(&w, CIRCUIT_HOP, &m);
    ck_assert(w.bad);
}
END_TEST

START_TEST(the_known_voucher_is_opened_and_written)
{
    uint8_t in[256], out[512];
    uint64_t expires = 0;
    wire_id_t id;
    peerid_t relay, peer;
    known_relay(&id);
    known_id(&relay, RELAY_ID);
    known_id(&peer, PEER_ID);
    ck_assert_int_eq(circuit_voucher_open(&expires, wire_hex(in, sizeof in, VOUCHER), &relay, &peer), RC_OK);
    ck_assert_uint_eq(expires, EXPIRES);
    wr_t w = wr_of(out, sizeof out);
    ck_assert_int_eq(circuit_voucher_write(&w, &id.who, &peer, EXPIRES), RC_OK);
    CK_VIEW_IS(wr_view(&w), VOUCHER);
    w = wr_of(out, 100);
    ck_assert_int_eq(circuit_voucher_write(&w, &id.who, &peer, EXPIRES), RC_LIMIT);
}
END_TEST

START_TEST(no_byte_of_a_voucher_may_be_cut_off_or_changed)
{
    uint8_t in[256];
    uint64_t expires = 9;
    peerid_t relay, peer;
    known_id(&relay, RELAY_ID);
    known_id(&peer, PEER_ID);
    const view_t v = wire_hex(in, sizeof in, VOUCHER);
    for (size_t n = 0; n < v.n; n++) {
        uint8_t *cut = wire_exact(view_of(v.p, n));
        ck_assert_int_ne(circuit_voucher_open(&expires, view_of(cut, n), &relay, &peer), RC_OK);
        free(cut);
    }
    for (size_t bit = 0; bit < 8 * v.n; bit++) {
        in[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_msg(circuit_voucher_open(&expires, v, &relay, &peer) != RC_OK, "bit %zu", bit);
        in[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    ck_assert_uint_eq(expires, 9);
}
END_TEST

START_TEST(a_voucher_is_of_one_relay_for_one_peer)
{
    uint8_t in[256], out[512], payload[256];
    uint64_t expires;
    wire_id_t other;
    peerid_t relay, peer, stranger;
    known_id(&relay, RELAY_ID);
    known_id(&peer, PEER_ID);
    wire_ed25519(&other, "another relay");
    peerid_of(&stranger, &other.who.key);
    const view_t v = wire_hex(in, sizeof in, VOUCHER);
    ck_assert_int_eq(circuit_voucher_open(&expires, v, &relay, &stranger), RC_REFUSED);
    ck_assert_int_eq(circuit_voucher_open(&expires, v, &stranger, &peer), RC_REFUSED);
    wr_t w = wr_of(out, sizeof out), p = wr_of(payload, sizeof payload); /* another signs in the relay's name */
    pb_put_bytes(&p, 1, peerid_view(&relay));
    pb_put_bytes(&p, 2, peerid_view(&peer));
    pb_put_u64(&p, 3, EXPIRES);
    const view_t type = view_of("\x03\x02", 2);
    ck_assert_int_eq(envelope_write(&w, &other.who, "libp2p-relay-rsvp", type, wr_view(&p)), RC_OK);
    ck_assert_int_eq(circuit_voucher_open(&expires, wr_view(&w), &relay, &peer), RC_REFUSED);
    ck_assert_int_eq(circuit_voucher_open(&expires, wr_view(&w), &stranger, &peer), RC_REFUSED);
}
END_TEST

int main(void)
{
    return UNIT_RUN("circuit", known_messages_are_read_and_written, a_reservation_says_what_the_relay_gives,
                    no_message_may_be_cut_off, a_message_may_come_in_portions,
                    a_message_that_is_too_long_is_refused_by_its_length, what_a_protocol_lacks_or_misses_is_refused,
                    everything_has_a_maximum, the_known_voucher_is_opened_and_written,
                    no_byte_of_a_voucher_may_be_cut_off_or_changed, a_voucher_is_of_one_relay_for_one_peer);
}
