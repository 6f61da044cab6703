/* Multiaddresses: known answers, both forms there and back, every truncation, what is not understood. */
#include "overlay/wire/multiaddr.h"
#include "tests/unit/wire_id.h"

#define PEER "12D3KooWM6CgA9iBFZmcYAHA6A2qvbAxqfkmrYiRQuz3XEsk4Ksv"
#define PEER_HEX "a50326002408011220a77f1d92fedb59dddaea5a1c4abd1ac2fbde7d7b879ed364501809923d7c11b9"

/* Source: overlay-facts section 3, made by js-multiaddr; the circuit's code 290 from multiformats' table. */
static const struct {
    const char *text, *hex;
    bool is_public;
} known[] = {
    { "/ip4/127.0.0.1/udp/4001/quic-v1", "047f00000191020fa1cd03", false },
    { "/ip4/127.0.0.1/tcp/4001", "047f000001060fa1", false },
    { "/ip6/::1/udp/4001/quic-v1", "290000000000000000000000000000000191020fa1cd03", false },
    { "/dns4/node.example/udp/5000/quic-v1", "360c6e6f64652e6578616d706c6591021388cd03", true },
    { "/dns4/node.example/udp/5000/quic-v1/p2p/" PEER, "360c6e6f64652e6578616d706c6591021388cd03" PEER_HEX, true },
    { "/ip4/8.8.8.8/tcp/0/p2p/" PEER, "0408080808060000" PEER_HEX, true },
    { "/ip6/2001:db8::7/tcp/65535", "2920010db800000000000000000000000706ffff", true },
    { "/dns/a.b/tcp/1", "3503612e62060001", true },
    { "/dns6/x/tcp/1/p2p/" PEER "/p2p-circuit/p2p/" PEER, "370178060001" PEER_HEX "a202" PEER_HEX, true },
    { "/ip4/10.1.2.3/tcp/1/p2p/" PEER "/p2p-circuit", "040a010203060001" PEER_HEX "a202", false },
};
#define KNOWN (sizeof known / sizeof known[0])

START_TEST(addresses_have_their_known_forms)
{
    uint8_t buf[MADDR_BYTES_MAX], out[MADDR_BYTES_MAX];
    char text[MADDR_TEXT_MAX + 1];
    for (size_t i = 0; i < KNOWN; i++) {
        view_t want = wire_hex(buf, sizeof buf, known[i].hex);
        maddr_t m, again;
        err_t e;
        ck_assert_msg(maddr_read_text(&m, &e, view_str(known[i].text)) == RC_OK, "%s: %s", known[i].text, e.text);
        wr_t w = wr_of(out, sizeof out);
        maddr_write(&w, &m);
        CK_VIEW_IS(wr_view(&w), known[i].hex);
        ck_assert_int_eq(maddr_read(&again, want), RC_OK);
        ck_assert(maddr_eq(&m, &again));
        maddr_text(text, &again);
        ck_assert_str_eq(text, known[i].text);
        ck_assert_msg(maddr_is_public(&m) == known[i].is_public, "%s", known[i].text);
    }
}
END_TEST

/* Whole again after a cut are only addresses whose peers were cut off. */
START_TEST(an_address_cut_short_is_another_one_or_none)
{
    uint8_t buf[MADDR_BYTES_MAX];
    for (size_t i = 0; i < KNOWN; i++) {
        view_t v = wire_hex(buf, sizeof buf, known[i].hex);
        maddr_t m, whole;
        ck_assert_int_eq(maddr_read(&whole, v), RC_OK);
        for (size_t n = 0; n < v.n; n++) {
            uint8_t *cut = wire_exact(view_of(v.p, n));
            rc_t rc = maddr_read(&m, view_of(cut, n));
            ck_assert(rc != RC_OK || !maddr_eq(&m, &whole));
            ck_assert(rc != RC_OK || (m.port == whole.port && (whole.peer.n || whole.circuit)));
            free(cut);
        }
        for (size_t n = 0, text_n = strlen(known[i].text); n < text_n; n++) {
            uint8_t *cut = wire_exact(view_of(known[i].text, n));
            err_t e;
            rc_t rc = maddr_read_text(&m, &e, view_of(cut, n));
            ck_assert(rc != RC_OK || !maddr_eq(&m, &whole));
            ck_assert(rc == RC_OK || e.text[0]);
            free(cut);
        }
    }
}
END_TEST

START_TEST(text_that_is_no_address_says_why)
{
    static const struct {
        const char *text;
        rc_t rc;
    } rows[] = {
        { "", RC_MALFORMED },
        { "/", RC_MALFORMED },
        { "ip4/1.2.3.4/tcp/1", RC_MALFORMED },
        { "/ip4", RC_MALFORMED },
        { "/ip4/1.2.3/tcp/1", RC_MALFORMED },
        { "/ip4/1.2.3.4.5/tcp/1", RC_MALFORMED },
        { "/ip4/::1/tcp/1", RC_MALFORMED },
        { "/ip6/1.2.3.4/tcp/1", RC_MALFORMED },
        { "/ip6/11111:22222:33333:44444:55555:66666:77777:88888/tcp/1", RC_MALFORMED },
        { "/dns4//tcp/1", RC_MALFORMED },
        { "/dns4/a..b/tcp/1", RC_MALFORMED },
        { "/dns4/.a/tcp/1", RC_MALFORMED },
        { "/dns4/a b/tcp/1", RC_MALFORMED },
        { "/dns4/0123456789012345678901234567890123456789012345678901234567890123/tcp/1", RC_MALFORMED },
        { "/dns4/a/tcp/65536", RC_MALFORMED },
        { "/dns4/a/tcp/01", RC_MALFORMED },
        { "/dns4/a/tcp/-1", RC_MALFORMED },
        { "/dns4/a/tcp/1x", RC_MALFORMED },
        { "/dns4/a/tcp/100000", RC_MALFORMED },
        { "/dns4/a/tcp/", RC_MALFORMED },
        { "/dns4/a/tcp", RC_MALFORMED },
        { "/dns4/a/tcp/1/", RC_MALFORMED },
        { "/dns4/a/tcp/1/p2p", RC_MALFORMED },
        { "/dns4/a/tcp/1/p2p/x", RC_MALFORMED },
        { "/dns4/a/tcp/1/p2p/" PEER "/p2p/" PEER, RC_UNSUPPORTED },
        { "/dns4/a/tcp/1/p2p-circuit/p2p-circuit", RC_UNSUPPORTED },
        { "/dns4/a/udp/1", RC_UNSUPPORTED },
        { "/dns4/a/udp/1/quic", RC_UNSUPPORTED },
        { "/dns4/a/tcp/1/ws", RC_UNSUPPORTED },
        { "/dns4/a/sctp/1", RC_UNSUPPORTED },
        { "/unix/tmp", RC_UNSUPPORTED },
    };
    maddr_t m = { .port = 7 };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        err_t e = { 0 };
        ck_assert_msg(maddr_read_text(&m, &e, view_str(rows[i].text)) == rows[i].rc, "%s: %s", rows[i].text, e.text);
        ck_assert(e.text[0] && m.port == 7);
    }
    static const char nul[] = "/ip4/1.2.3.4\0/tcp/1";
    ck_assert_int_eq(maddr_read_text(&m, NULL, view_of(nul, sizeof nul - 1)), RC_MALFORMED);
}
END_TEST

START_TEST(bytes_that_are_no_address_are_told_from_foreign_ones)
{
    static const struct {
        const char *hex;
        rc_t rc;
    } rows[] = {
        { "", RC_MALFORMED },
        { "047f000001", RC_MALFORMED },
        { "047f0000010600", RC_MALFORMED },
        { "8400047f000001060fa1", RC_MALFORMED },
        { "047f00000191020fa1", RC_UNSUPPORTED },     /* UDP alone */
        { "047f00000191020fa1cc03", RC_UNSUPPORTED }, /* the old draft of QUIC */
        { "047f00000191020fa1cd", RC_MALFORMED },
        { "047f000001060fa1dd03", RC_UNSUPPORTED }, /* ws */
        { "047f000001060fa1a20200", RC_UNSUPPORTED },
        { "047f000001060fa1a202a202", RC_MALFORMED }, /* two circuits */
        { "047f000001060fa1a50300", RC_MALFORMED },   /* an empty id */
        { "047f000001060fa1" PEER_HEX PEER_HEX, RC_MALFORMED },
        { "3500060001", RC_MALFORMED },           /* an empty name */
        { "350161840100010001", RC_UNSUPPORTED }, /* SCTP */
        { "9003016106", RC_UNSUPPORTED },         /* unix */
        { "350300616206000106", RC_MALFORMED },   /* a NUL in a name */
    };
    uint8_t buf[MADDR_BYTES_MAX + 1];
    maddr_t m = { .port = 7 };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ck_assert_msg(maddr_read(&m, wire_hex(buf, sizeof buf, rows[i].hex)) == rows[i].rc, "row %zu", i);
    memset(buf, 0, sizeof buf);
    ck_assert_int_eq(maddr_read(&m, view_of(buf, sizeof buf)), RC_LIMIT);
    ck_assert_uint_eq(m.port, 7);
}
END_TEST

START_TEST(private_addresses_are_known)
{
    static const char *const hidden[] = { "/ip4/0.0.0.0",     "/ip4/10.255.0.1",        "/ip4/100.64.0.1",
                                          "/ip4/169.254.9.9", "/ip4/172.16.0.1",        "/ip4/172.31.255.255",
                                          "/ip4/192.168.0.1", "/ip4/224.0.0.1",         "/ip4/255.255.255.255",
                                          "/ip6/::",          "/ip6/fe80::1",           "/ip6/fc00::1",
                                          "/ip6/ff02::1",     "/ip6/::ffff:192.168.1.1" };
    static const char *const open[] = { "/ip4/9.255.255.255",   "/ip4/100.63.0.1",    "/ip4/100.128.0.1",
                                        "/ip4/172.32.0.1",      "/ip4/172.15.0.1",    "/ip4/192.167.1.1",
                                        "/ip4/223.255.255.255", "/ip4/169.253.1.1",   "/ip6/2600::1",
                                        "/ip6/3fff::1",         "/ip6/::ffff:8.8.8.8" };
    char text[80];
    maddr_t m;
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++) {
        snprintf(text, sizeof text, "%s/tcp/1", hidden[i]);
        ck_assert_int_eq(maddr_read_text(&m, NULL, view_str(text)), RC_OK);
        ck_assert_msg(!maddr_is_public(&m), "%s", text);
    }
    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++) {
        snprintf(text, sizeof text, "%s/tcp/1", open[i]);
        ck_assert_int_eq(maddr_read_text(&m, NULL, view_str(text)), RC_OK);
        ck_assert_msg(maddr_is_public(&m), "%s", text);
    }
}
END_TEST

/* Everything at its longest, so that no text is cut. */
START_TEST(the_longest_address_has_room)
{
    uint8_t bytes[MADDR_BYTES_MAX];
    char text[MADDR_TEXT_MAX + 1];
    maddr_t m = { .host = MADDR_DNS4, .transport = MADDR_QUIC, .port = 65535, .circuit = true }, again;
    memset(m.name, 'a', MADDR_NAME_MAX);
    m.name[63] = m.name[127] = m.name[191] = '.';
    m.peer = m.target = (peerid_t){ .n = 39, .b = { 0, 37 } };
    memset(m.peer.b + 2, 0xff, 37);
    memset(m.target.b + 2, 0xff, 37);
    wr_t w = wr_of(bytes, sizeof bytes);
    maddr_write(&w, &m);
    ck_assert(!w.bad);
    ck_assert_int_eq(maddr_read(&again, wr_view(&w)), RC_OK);
    maddr_text(text, &m);
    ck_assert_int_eq(maddr_read_text(&again, NULL, view_str(text)), RC_OK);
    ck_assert(maddr_eq(&m, &again));
    again.target.b[5] ^= 1;
    ck_assert(!maddr_eq(&m, &again));
}
END_TEST

int main(void)
{
    return UNIT_RUN("multiaddr", addresses_have_their_known_forms, an_address_cut_short_is_another_one_or_none,
                    text_that_is_no_address_says_why, bytes_that_are_no_address_are_told_from_foreign_ones,
                    private_addresses_are_known, the_longest_address_has_room);
}
