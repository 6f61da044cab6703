/* Datagrams of QUIC in the hands of an attacker between two nodes, or beside them: split hellos, forged resets, another
 * address, and ends at every moment. The linker hands what is sent to this file (replaced, in meson.build). */
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <unistd.h>

#include "overlay/net/quic.h"
#include "overlay/net/quic_inside.h"
#include "tests/unit/loop_pair.h"
#include "tests/unit/unit.h"

static looped_t a, b;

/* What happens to a datagram on its way; NULL: it goes. */
static bool (*passes)(quic_end_t *end, view_t datagram);
static bool long_hello;
static const char *hello_of; /* GnuTLS's priorities of who dials next; NULL: ours */

typedef struct {
    quic_end_t *end;
    struct sockaddr_storage to;
    socklen_t to_n;
    uint8_t b[QUIC_SEND_MAX];
    size_t n;
} kept_t;

static kept_t kept[4];
static size_t kept_count;
static const struct sockaddr *last_to;
static socklen_t last_to_n;

void __real_quic_send(quic_end_t *end, const struct sockaddr *to, socklen_t to_n, view_t datagram);
void __wrap_quic_send(quic_end_t *end, const struct sockaddr *to, socklen_t to_n, view_t datagram);
void __wrap_quic_send(quic_end_t *end, const struct sockaddr *to, socklen_t to_n, view_t datagram)
{
    last_to = to;
    last_to_n = to_n;
    if (!passes || passes(end, datagram))
        __real_quic_send(end, to, to_n, datagram);
}

int __real_gnutls_alpn_set_protocols(gnutls_session_t s, const gnutls_datum_t *list, unsigned n, unsigned flags);
int __wrap_gnutls_alpn_set_protocols(gnutls_session_t s, const gnutls_datum_t *list, unsigned n, unsigned flags);

static int take_nothing(gnutls_session_t s, const unsigned char *data, size_t n)
{
    (void)s, (void)data, (void)n;
    return 0;
}

static int send_much(gnutls_session_t s, gnutls_buffer_t out)
{
    static const uint8_t much[1500];
    (void)s;
    return gnutls_buffer_append_data(out, much, sizeof much) ? -1 : (int)sizeof much;
}

/* A dialler's hello that is as long as one with a post-quantum key share: it fills two packets. */
int __wrap_gnutls_alpn_set_protocols(gnutls_session_t s, const gnutls_datum_t *list, unsigned n, unsigned flags)
{
    if (long_hello)
        ck_assert_int_eq(gnutls_session_ext_register(s, "much", 0xfafa, GNUTLS_EXT_TLS, take_nothing, send_much, NULL,
                                                     NULL, NULL, GNUTLS_EXT_FLAG_CLIENT_HELLO | GNUTLS_EXT_FLAG_TLS),
                         0);
    if (hello_of)
        ck_assert_int_eq(gnutls_priority_set_direct(s, hello_of, NULL), 0);
    return __real_gnutls_alpn_set_protocols(s, list, n, flags);
}

static bool keep(quic_end_t *end, view_t datagram)
{
    kept_t *k = &kept[kept_count];
    if (kept_count == sizeof kept / sizeof kept[0] || datagram.n > sizeof k->b)
        return true;
    kept_count++;
    k->end = end;
    memcpy(&k->to, last_to, last_to_n);
    k->to_n = last_to_n;
    k->n = datagram.n;
    memcpy(k->b, datagram.p, datagram.n);
    return false;
}

static void deliver(const kept_t *k)
{
    __real_quic_send(k->end, (const struct sockaddr *)&k->to, k->to_n, view_of(k->b, k->n));
}

static void begin(void)
{
    passes = NULL;
    kept_count = 0;
    long_hello = false;
    hello_of = NULL;
    ck_assert_int_eq(secret_init(), RC_OK);
    looped_new(&a, "a", true, LOOP_QUIC, "/ip4/127.0.0.1/udp/0/quic-v1");
    looped_new(&b, "b", false, LOOP_QUIC, "/ip4/127.0.0.1/udp/0/quic-v1");
}

static void end(void)
{
    passes = NULL;
    looped_clear(&a);
    looped_clear(&b);
}

static size_t conns(const looped_t *x)
{
    size_t n = 0;
    for (net_conn_t *c = net_first(x->peer.net); c; c = net_after(c))
        n++;
    return n;
}

static void ping_works(void)
{
    const unsigned before = a.peer.pongs;
    ck_assert_int_eq(net_ping(a.peer.conn, peer_pong, &a.peer), RC_OK);
    pair_run(&a, &b, 500, 1);
    ck_assert(a.peer.pongs == before + 1 && a.peer.pong_rc == RC_OK);
}

/* In order, out of order, and the second long after the first. */
START_TEST(a_client_hello_in_two_packets_is_put_together)
{
    static const struct {
        bool swapped;
        unsigned gap_ms;
    } rows[] = { { false, 0 }, { true, 0 }, { false, 900 }, { true, 900 } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin();
        long_hello = true;
        passes = keep;
        pair_dial(&a, &b.at);
        long_hello = false;
        loop_step(a.loop, 0);
        passes = NULL;
        ck_assert_uint_ge(kept_count, 2); /* it does not fit into one */
        deliver(&kept[rows[i].swapped]);
        loop_step(b.loop, 0);
        ck_assert_uint_eq(b.peer.opened, 0);
        pair_run(NULL, &b, rows[i].gap_ms + 1, 10);
        deliver(&kept[!rows[i].swapped]);
        pair_run(&a, &b, 3000, 1);
        ck_assert_msg(a.peer.opened == 1 && b.peer.opened == 1, "%zu: %s", i, a.peer.closed_text);
        end();
    }
}
END_TEST

static void dial_with(const char *priorities)
{
    hello_of = priorities;
    pair_dial(&a, &b.at);
    hello_of = NULL;
    pair_run(&a, &b, NET_HANDSHAKE_MS + 500, 20);
}

START_TEST(a_client_hello_of_tls_1_2_is_refused)
{
    begin();
    dial_with("NORMAL:-VERS-ALL:+VERS-TLS1.2");
    ck_assert(a.peer.opened == 0 && a.peer.closed == 1 && b.peer.opened == 0 && conns(&b) == 0);
    ck_assert_ptr_nonnull(strstr(a.peer.closed_text, "QUIC's code 1"));    /* 0x100 and TLS's alert */
    dial_with("NORMAL:-VERS-ALL:+VERS-TLS1.3:%DISABLE_TLS13_COMPAT_MODE"); /* nothing else of it is wrong */
    ck_assert_msg(a.peer.opened == 1 && b.peer.opened == 1, "%s", a.peer.closed_text);
    end();
}
END_TEST

START_TEST(half_a_client_hello_has_its_time)
{
    begin();
    long_hello = true;
    passes = keep;
    pair_dial(&a, &b.at);
    loop_step(a.loop, 0);
    passes = NULL;
    deliver(&kept[0]);
    pair_run(NULL, &b, NET_HANDSHAKE_MS + 200, 20);
    ck_assert(conns(&b) == 0 && b.peer.opened == 0);
    end();
}
END_TEST

static unsigned forged;
static size_t forged_n;

/* In the place of what the listener sends: a short header, bytes by chance, and a token that nobody gave out. */
static bool forge_reset(quic_end_t *from, view_t datagram)
{
    uint8_t d[QUIC_SEND_MAX];
    if (from->quic->transport.net != b.peer.net || (datagram.n && datagram.p[0] & 0x80))
        return true;
    secret_random(d, sizeof d);
    d[0] = (uint8_t)(0x40 | (d[0] & 0x3f));
    if (forged % 2 && datagram.n > 1 + QUIC_CID_LEN)
        memcpy(d + 1, datagram.p + 1, QUIC_CID_LEN); /* to the right connection */
    __real_quic_send(from, last_to, last_to_n, view_of(d, forged_n));
    forged++;
    return true;
}

START_TEST(a_forged_stateless_reset_ends_nothing)
{
    begin();
    pair_dial(&a, &b.at);
    pair_run(&a, &b, 200, 1);
    ck_assert(a.peer.opened == 1 && b.peer.opened == 1);
    forged = 0;
    passes = forge_reset;
    for (forged_n = 21; forged_n < 120; forged_n += 7)
        ping_works();
    passes = NULL;
    ck_assert_uint_gt(forged, 14);
    ck_assert(a.peer.closed == 0 && b.peer.closed == 0);
    ping_works();
    end();
}
END_TEST

static int elsewhere = -1;
static unsigned moved;

/* What the dialler sends comes from another address. */
static bool move(quic_end_t *from, view_t datagram)
{
    if (from->quic->transport.net != a.peer.net)
        return true;
    moved++;
    return sendto(elsewhere, datagram.p, datagram.n, 0, last_to, last_to_n) < 0;
}

START_TEST(a_connection_stays_at_its_address)
{
    maddr_t any = maddr("/ip4/127.0.0.1/udp/0/quic-v1");
    begin();
    ck_assert_int_eq(sock_bound(&elsewhere, &any, NULL), RC_OK);
    pair_dial(&a, &b.at);
    pair_run(&a, &b, 200, 1);
    const maddr_t was = *net_addr(b.peer.conn);
    moved = 0;
    passes = move;
    ck_assert_int_eq(net_ping(a.peer.conn, peer_pong, &a.peer), RC_OK);
    pair_run(&a, &b, 300, 1);
    passes = NULL;
    ck_assert_uint_gt(moved, 0);
    ck_assert_uint_eq(net_addr(b.peer.conn)->port, was.port);
    pair_run(&a, &b, 2000, 1);
    ck_assert(a.peer.closed == 0 && b.peer.closed == 0);
    ping_works();
    close(elsewhere);
    end();
}
END_TEST

/* The dialler, or the listener, closes after so many steps of the handshake. */
START_TEST(a_close_in_any_state_leaves_nothing)
{
    for (unsigned steps = 0; steps < 12; steps++) {
        for (int listener = 0; listener < 2; listener++) {
            begin();
            net_conn_t *c = pair_dial(&a, &b.at);
            for (unsigned k = 0; k < steps; k++, pair_now++)
                loop_step(k % 2 ? b.loop : a.loop, 0);
            if (listener)
                c = net_first(b.peer.net);
            if (c)
                net_close(c, NET_BYE_SHUTDOWN, "in the middle");
            pair_run(&a, &b, NET_HANDSHAKE_MS + 1000, 5);
            ck_assert_msg(!c || (conns(&a) == 0 && conns(&b) == 0), "%u, %d: %zu, %zu", steps, listener, conns(&a),
                          conns(&b));
            ck_assert_msg(!c || a.peer.opened == a.peer.closed || a.peer.closed == 1, "%u, %d", steps, listener);
            pair_dial(&a, &b.at); /* and both go on */
            pair_run(&a, &b, 200, 1);
            ck_assert_msg(a.peer.conn && b.peer.conn, "%u, %d", steps, listener);
            end();
        }
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN("quic_attacks", a_client_hello_in_two_packets_is_put_together, a_client_hello_of_tls_1_2_is_refused,
                    half_a_client_hello_has_its_time, a_forged_stateless_reset_ends_nothing,
                    a_connection_stays_at_its_address, a_close_in_any_state_leaves_nothing);
}
