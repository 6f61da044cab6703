/* What is QUIC's own: the dialler's guard and what happens without it, Retry, versions, resets, certificates, loss.
 *
 * The linker puts functions of this file in the place of some that the transport calls (replaced, in meson.build): so a
 * listener or dialler of ours becomes one that breaks the rules. */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "overlay/net/quic.h"
#include "overlay/net/quic_guard.h"
#include "overlay/net/quic_inside.h"
#include "tests/unit/loop_pair.h"
#include "tests/unit/unit.h"

static looped_t a, b;

static void begin(void)
{
    ck_assert_int_eq(secret_init(), RC_OK);
    looped_new(&a, "a", true, LOOP_QUIC, "/ip4/127.0.0.1/udp/0/quic-v1");
    looped_new(&b, "b", false, LOOP_QUIC, "/ip4/127.0.0.1/udp/0/quic-v1");
}

static void end(void)
{
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

/* ---- what is replaced ---- */

static bool unguarded;         /* the dialler reads everything at once */
static bool forges;            /* packets with a short header carry a frame of ours */
static bool hides_certificate; /* sessions that begin have none */
static bool another_protocol;  /* ... and another ALPN */
static bool lossy;             /* datagrams are lost, doubled and overtaken */
static unsigned mutates;       /* of a hundred packets, so many have changed frames */
static uint64_t random_state;

static uint64_t draw(uint64_t below)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (random_state >> 33) % below;
}

size_t __real_quic_guard_cut(view_t datagram);
size_t __wrap_quic_guard_cut(view_t datagram);
size_t __wrap_quic_guard_cut(view_t datagram)
{
    return unguarded ? datagram.n : __real_quic_guard_cut(datagram);
}

int __real_ngtcp2_crypto_encrypt_cb(uint8_t *dest, const ngtcp2_crypto_aead *aead, const ngtcp2_crypto_aead_ctx *ctx,
                                    const uint8_t *plain, size_t n, const uint8_t *nonce, size_t nonce_n,
                                    const uint8_t *ad, size_t ad_n);
int __wrap_ngtcp2_crypto_encrypt_cb(uint8_t *dest, const ngtcp2_crypto_aead *aead, const ngtcp2_crypto_aead_ctx *ctx,
                                    const uint8_t *plain, size_t n, const uint8_t *nonce, size_t nonce_n,
                                    const uint8_t *ad, size_t ad_n);
/* NEW_CONNECTION_ID 7, which retires the first, and PADDING. */
int __wrap_ngtcp2_crypto_encrypt_cb(uint8_t *dest, const ngtcp2_crypto_aead *aead, const ngtcp2_crypto_aead_ctx *ctx,
                                    const uint8_t *plain, size_t n, const uint8_t *nonce, size_t nonce_n,
                                    const uint8_t *ad, size_t ad_n)
{
    static uint8_t forged[2048];
    const uint8_t frame[4 + 8 + 16] = { 0x18, 7, 1, 8, 0xaa, 0xbb, 0xcc, 0xdd };
    if (forges && !(ad[0] & 0x80) && n >= sizeof frame && n <= sizeof forged) {
        memset(forged, 0, sizeof forged);
        memcpy(forged, frame, sizeof frame);
        plain = forged;
    }
    if (mutates && n && n <= sizeof forged && draw(100) < mutates) {
        memcpy(forged, plain, n);
        for (uint64_t k = 1 + draw(4); k; k--)
            forged[draw(draw(2) ? n : n < 40 ? n : 40)] = (uint8_t)draw(256);
        plain = forged;
    }
    return __real_ngtcp2_crypto_encrypt_cb(dest, aead, ctx, plain, n, nonce, nonce_n, ad, ad_n);
}

int __real_gnutls_credentials_set(gnutls_session_t s, gnutls_credentials_type_t type, void *cred);
int __wrap_gnutls_credentials_set(gnutls_session_t s, gnutls_credentials_type_t type, void *cred);
int __wrap_gnutls_credentials_set(gnutls_session_t s, gnutls_credentials_type_t type, void *cred)
{
    static gnutls_certificate_credentials_t none;
    if (!hides_certificate)
        return __real_gnutls_credentials_set(s, type, cred);
    if (!none)
        gnutls_certificate_allocate_credentials(&none);
    return __real_gnutls_credentials_set(s, type, none);
}

int __real_gnutls_alpn_set_protocols(gnutls_session_t s, const gnutls_datum_t *list, unsigned n, unsigned flags);
int __wrap_gnutls_alpn_set_protocols(gnutls_session_t s, const gnutls_datum_t *list, unsigned n, unsigned flags);
int __wrap_gnutls_alpn_set_protocols(gnutls_session_t s, const gnutls_datum_t *list, unsigned n, unsigned flags)
{
    static uint8_t h3[] = "h3";
    const gnutls_datum_t other = { h3, 2 };
    return __real_gnutls_alpn_set_protocols(s, another_protocol ? &other : list, n, flags);
}

void __real_quic_send(quic_end_t *end, const struct sockaddr *to, socklen_t to_n, view_t datagram);
void __wrap_quic_send(quic_end_t *end, const struct sockaddr *to, socklen_t to_n, view_t datagram);
/* Loses one of eight, doubles one of sixteen, and holds one of eight back until the next. */
void __wrap_quic_send(quic_end_t *end, const struct sockaddr *to, socklen_t to_n, view_t datagram)
{
    static struct {
        quic_end_t *end;
        struct sockaddr_storage to;
        socklen_t to_n;
        uint8_t b[QUIC_SEND_MAX];
        size_t n;
    } held;
    if (lossy && draw(8) == 0)
        return;
    if (lossy && !held.n && datagram.n <= sizeof held.b && draw(8) == 0) {
        held.end = end;
        memcpy(&held.to, to, to_n);
        held.to_n = to_n;
        memcpy(held.b, datagram.p, held.n = datagram.n);
        return;
    }
    __real_quic_send(end, to, to_n, datagram);
    if (lossy && draw(16) == 0)
        __real_quic_send(end, to, to_n, datagram);
    if (lossy && held.n)
        __real_quic_send(held.end, (struct sockaddr *)&held.to, held.to_n, view_of(held.b, held.n));
    held.n = 0;
}

/* ---- the guard ---- */

/* One Initial with a token of two bytes, one Handshake, one with a short header. */
static const uint8_t packets[] = {
    0xc0, 0, 0, 0, 1, 2, 7, 7, 1, 8, 2, 9, 9, 0x40, 3, 1, 2, 3, /* 18 */
    0xe0, 0, 0, 0, 1, 2, 7, 7, 1, 8, 4, 1, 2, 3,    4,          /* 33 */
    0x40, 7, 7, 1, 2, 3,
};

START_TEST(the_guard_cuts_at_the_first_short_header)
{
    for (size_t n = 0; n <= sizeof packets; n++) { /* every truncation, in exactly so much memory */
        uint8_t *p = wire_exact(view_of(packets, n));
        const size_t cut = quic_guard_cut(view_of(p, n));
        ck_assert_msg(cut == (n >= 33 ? 33u : n == 18 ? 18u : 0u), "%zu of %zu", cut, n);
        free(p);
    }
    ck_assert_uint_eq(quic_guard_cut(view_of(packets + 33, 6)), 0);
    uint8_t other[sizeof packets];
    memcpy(other, packets, sizeof other);
    other[4] = 2; /* another version: its packets are of a form that is not known */
    ck_assert_uint_eq(quic_guard_cut(view_of(other, sizeof other)), 0);
    other[4] = 0; /* Version Negotiation */
    ck_assert_uint_eq(quic_guard_cut(view_of(other, sizeof other)), sizeof other);
    other[4] = 1;
    other[0] = 0xf0; /* Retry */
    ck_assert_uint_eq(quic_guard_cut(view_of(other, sizeof other)), sizeof other);
    other[0] = 0xc0;
    other[18] = 0xf0; /* not at the front: it is dropped */
    ck_assert_uint_eq(quic_guard_cut(view_of(other, sizeof other)), 18);
    other[18] = 0xe0;
    other[5] = 21; /* an id that is too long */
    ck_assert_uint_eq(quic_guard_cut(view_of(other, sizeof other)), 0);
    memcpy(other, packets, sizeof other);
    memset(other + 13, 0xff, 5); /* a length beyond all */
    ck_assert_uint_eq(quic_guard_cut(view_of(other, sizeof other)), 0);
}
END_TEST

/* The listener, before the handshake's end, sends what only it can: packets with a short header, which retire the
 * dialler's first id. */
static void send_early(looped_t *listener)
{
    static uint8_t data[1000];
    net_conn_t *conn = net_first(listener->peer.net);
    ck_assert(conn && !net_is_open(conn));
    quic_conn_t *c = (quic_conn_t *)conn;
    uint8_t out[QUIC_SEND_MAX];
    ngtcp2_path_storage ps;
    ngtcp2_pkt_info info;
    ngtcp2_ssize taken;
    int64_t id;
    const ngtcp2_vec vec = { data, sizeof data };
    ngtcp2_path_storage_zero(&ps);
    ck_assert_int_eq(ngtcp2_conn_open_bidi_stream(c->q, &id, NULL), 0);
    forges = true;
    ngtcp2_ssize n =
        ngtcp2_conn_writev_stream(c->q, &ps.path, &info, out, sizeof out, &taken, 0, id, &vec, 1, quic_now(conn->net));
    forges = false;
    ck_assert(n > 0 && !(out[0] & 0x80));
    quic_send(c->end, ps.path.remote.addr, ps.path.remote.addrlen, view_of(out, (size_t)n));
    quic_flush(c->end->quic);
}

/* In a child: how a dial ends to a listener that does that. 0: it opened. */
static int dial_hostile(bool guarded)
{
    int status;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr)); /* the assertion's text */
        begin();
        unguarded = !guarded;
        pair_dial(&a, &b.at);
        loop_step(a.loop, 0);
        loop_step(b.loop, 0);
        pair_now += 300; /* it paces what it sends */
        net_first(b.peer.net)->net->now_ms = pair_now;
        send_early(&b);
        pair_run(&a, &b, 200, 1);
        _exit(a.peer.opened == 1 && a.peer.closed == 0 ? 0 : 1);
    }
    ck_assert(child > 0 && waitpid(child, &status, 0) == child);
    return status;
}

START_TEST(a_hostile_listener_aborts_only_a_dialler_without_the_guard)
{
    ck_assert_int_eq(dial_hostile(true), 0);
    const int without = dial_hostile(false);
    if (ngtcp2_version(0)->version_num < 0x011600) /* repaired in 1.22.0: then the guard may go */
        ck_assert_msg(WIFSIGNALED(without) && WTERMSIG(without) == SIGABRT, "status %x", (unsigned)without);
}
END_TEST

/* ---- raw datagrams ---- */

static int raw_socket(const char *ip)
{
    maddr_t at = maddr(ip);
    int fd;
    err_t e;
    ck_assert_msg(sock_bound(&fd, &at, &e) == RC_OK, "%s", e.text);
    return fd;
}

static void raw_send(int fd, const maddr_t *to, view_t d)
{
    sock_addr_t s;
    sock_addr(&s, to);
    ck_assert_int_eq(sendto(fd, d.p, d.n, 0, (struct sockaddr *)&s.a, s.n), (ssize_t)d.n);
}

static size_t raw_answer(int fd, uint8_t out[2048])
{
    loop_step(b.loop, 0);
    ssize_t n = recv(fd, out, 2048, MSG_DONTWAIT);
    return n > 0 ? (size_t)n : 0;
}

/* The first datagram of a dial, caught on its way. */
static size_t catch_initial(uint8_t out[2048])
{
    maddr_t at = maddr("/ip4/127.0.0.1/udp/0/quic-v1");
    int fd;
    ck_assert_int_eq(sock_bound(&fd, &at, NULL), RC_OK);
    net_conn_t *c = pair_dial(&a, &at);
    loop_step(a.loop, 0);
    ssize_t n = recv(fd, out, 2048, MSG_DONTWAIT);
    ck_assert_int_ge(n, 1200);
    net_close(c, NET_BYE, "caught");
    loop_step(a.loop, 0);
    close(fd);
    return (size_t)n;
}

START_TEST(unknown_versions_hear_ours)
{
    uint8_t d[1200] = { 0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 8, 1, 2, 3, 4, 5, 6, 7, 8, 2, 9, 9 }, out[2048];
    begin();
    int fd = raw_socket("/ip4/127.0.0.1/udp/0/quic-v1");
    raw_send(fd, &b.at, view_of(d, 1199)); /* too short to be answered by as much */
    ck_assert_uint_eq(raw_answer(fd, out), 0);
    raw_send(fd, &b.at, view_of(d, sizeof d));
    const size_t n = raw_answer(fd, out);
    const uint8_t want[] = { 0, 0, 0, 0, 2, 9, 9, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 1 };
    ck_assert_uint_eq(n, 1 + sizeof want);
    ck_assert_mem_eq(out + 1, want, sizeof want);
    ck_assert_uint_eq(conns(&b), 0);
    close(fd);
    end();
}
END_TEST

START_TEST(unknown_connections_are_reset_by_less_than_came)
{
    uint8_t d[100] = { 0x41, 1, 2, 3 }, out[2048];
    begin();
    int fd = raw_socket("/ip4/127.0.0.1/udp/0/quic-v1");
    for (size_t n = 1; n <= sizeof d; n++) {
        raw_send(fd, &b.at, view_of(d, n));
        const size_t answered = raw_answer(fd, out);
        ck_assert_msg(n < 43 ? answered == 0 : answered > 0 && answered < n, "%zu to %zu", answered, n);
    }
    unsigned answers = 0; /* a second has a maximum of them */
    for (unsigned i = 0; i < 1000; i++) {
        raw_send(fd, &b.at, view_of(d, sizeof d));
        answers += raw_answer(fd, out) > 0;
    }
    ck_assert_uint_le(answers, 256);
    pair_now += 1000;
    raw_send(fd, &b.at, view_of(d, sizeof d));
    ck_assert_uint_gt(raw_answer(fd, out), 0);
    close(fd);
    end();
}
END_TEST

START_TEST(many_open_handshakes_bring_retry)
{
    uint8_t initial[2048], out[2048];
    int fds[24];
    char ip[64];
    unsigned retries = 0;
    begin();
    for (unsigned i = 0; i < 24; i++) {
        const size_t n = catch_initial(initial);
        snprintf(ip, sizeof ip, "/ip4/127.0.1.%u/udp/0/quic-v1", i + 1);
        fds[i] = raw_socket(ip);
        raw_send(fds[i], &b.at, view_of(initial, n));
        const size_t answered = raw_answer(fds[i], out);
        ck_assert_uint_gt(answered, 0);
        ck_assert_uint_le(answered, 3 * n);
        retries += (out[0] & 0xf0) == 0xf0;
    }
    ck_assert_uint_eq(retries, 24 - QUIC_RETRY_FROM);
    ck_assert_uint_eq(conns(&b), QUIC_RETRY_FROM);
    pair_dial(&a, &b.at); /* who shows its address gets in */
    pair_run(&a, &b, 100, 1);
    ck_assert(a.peer.opened == 1 && b.peer.opened == 1);
    pair_run(&a, &b, NET_HANDSHAKE_MS, 10); /* and nobody holds a place for longer than this */
    ck_assert_uint_eq(conns(&b), 1);
    for (unsigned i = 0; i < 24; i++)
        close(fds[i]);
    end();
}
END_TEST

START_TEST(one_address_has_few_open_handshakes)
{
    uint8_t initial[2048];
    begin();
    int fd = raw_socket("/ip4/127.0.2.1/udp/0/quic-v1");
    for (unsigned i = 0; i < 8; i++) {
        raw_send(fd, &b.at, view_of(initial, catch_initial(initial)));
        loop_step(b.loop, 0);
        ck_assert_uint_eq(conns(&b), i < NET_PENDING_PER_IP ? i + 1 : NET_PENDING_PER_IP);
    }
    close(fd);
    end();
}
END_TEST

START_TEST(garbage_leaves_nothing)
{
    uint8_t initial[2048], d[2048];
    begin();
    int fd = raw_socket("/ip4/127.0.0.1/udp/0/quic-v1");
    const size_t whole = catch_initial(initial);
    uint64_t random = 1;
    for (unsigned i = 0; i < 3000; i++) {
        memcpy(d, initial, whole);
        for (unsigned k = 0; k < 1 + i % 5; k++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            d[(random >> 33) % (i % 2 ? 60 : whole)] = (uint8_t)(random >> 24);
        }
        raw_send(fd, &b.at, view_of(d, i % 3 ? whole : 1 + i % whole));
        if (i % 50 == 0)
            pair_run(&a, &b, 10, 1);
    }
    pair_run(&a, &b, NET_HANDSHAKE_MS + 100, 10);
    ck_assert_uint_eq(conns(&b), 0);
    ck_assert_uint_eq(b.peer.opened, 0);
    pair_dial(&a, &b.at);
    pair_run(&a, &b, 100, 1);
    ck_assert(a.peer.opened == 1 && b.peer.opened == 1);
    close(fd);
    end();
}
END_TEST

/* ---- certificates and loss ---- */

START_TEST(who_shows_no_certificate_is_refused)
{
    begin();
    hides_certificate = true;
    pair_dial(&a, &b.at);
    hides_certificate = false;
    pair_run(&a, &b, 200, 1);
    ck_assert(b.peer.opened == 0 && a.peer.opened == 0 && a.peer.closed == 1);
    ck_assert_str_eq(a.peer.closed_text, "the peer closed with QUIC's code 174"); /* certificate_required */
    end();
}
END_TEST

START_TEST(another_protocol_than_libp2p_is_refused)
{
    begin();
    another_protocol = true;
    pair_dial(&a, &b.at);
    another_protocol = false;
    pair_run(&a, &b, 200, 1);
    ck_assert(b.peer.opened == 0 && a.peer.opened == 0 && a.peer.closed == 1);
    ck_assert_str_eq(a.peer.closed_text, "the peer closed with QUIC's code 178"); /* no_application_protocol */
    end();
}
END_TEST

START_TEST(bytes_come_whole_over_a_bad_line)
{
    static uint8_t bytes[100000];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 31 + i / 251);
    for (uint64_t seed = 1; seed <= 20; seed++) {
        net_stream_t *s;
        begin();
        random_state = seed;
        lossy = true;
        for (unsigned tries = 0; tries < 5 && !a.peer.opened; tries++) {
            pair_dial(&a, &b.at);
            pair_run(&a, &b, NET_HANDSHAKE_MS + 100, 1);
        }
        ck_assert_msg(a.peer.opened >= 1 && a.peer.conn, "seed %llu: %s", (unsigned long long)seed, a.peer.closed_text);
        ck_assert(net_open(a.peer.conn, &s, &a.peer.protocols[0], NULL) == RC_OK &&
                  net_write(s, view_of(bytes, sizeof bytes)) == RC_OK);
        net_end(s);
        pair_run(&a, &b, 25000, 1);
        lossy = false;
        ck_assert_msg(a.peer.got_n == sizeof bytes && a.peer.stream_closed == 1 && a.peer.stream_rc == RC_OK,
                      "seed %llu: %zu bytes", (unsigned long long)seed, a.peer.got_n);
        ck_assert_mem_eq(a.peer.got, bytes, sizeof bytes);
        end();
    }
}
END_TEST

/* Many datagrams at once, and one by one where the system does not cut them: the same bytes come. */
START_TEST(datagrams_go_together_or_one_by_one)
{
    static uint8_t bytes[100000];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 17 + i / 253);
    for (int uncut = 0; uncut < 2; uncut++) {
        net_stream_t *s;
        begin();
        pair_dial(&a, &b.at);
        pair_run(&a, &b, 300, 1);
        ck_assert_uint_eq(a.peer.opened, 1);
        quic_batch_t *out = &((quic_conn_t *)a.peer.conn)->end->quic->out;
        out->uncut = uncut;
        ck_assert(net_open(a.peer.conn, &s, &a.peer.protocols[0], NULL) == RC_OK &&
                  net_write(s, view_of(bytes, sizeof bytes)) == RC_OK);
        net_end(s);
        pair_run(&a, &b, 2000, 1);
        ck_assert(a.peer.got_n == sizeof bytes && out->n == 0);
        ck_assert_mem_eq(a.peer.got, bytes, sizeof bytes);
        end();
    }
}
END_TEST

/* Both ends change frames before they seal them, in one connection of two: what is read then is what only a peer that has
 * the keys can send. Nothing but the connection may end by it. */
START_TEST(changed_frames_end_connections_at_most)
{
    static const uint8_t bytes[3000] = { 1 };
    begin();
    random_state = 7;
    for (unsigned i = 0; i < 320; i++) {
        net_stream_t *s;
        const unsigned opened = a.peer.opened;
        mutates = i % 3 ? 10 + i % 61 : 0; /* of three, one is left alone */
        pair_dial(&a, &b.at);
        pair_run(&a, &b, 30, 1);
        for (unsigned k = 0; k < 3 && a.peer.conn; k++)
            if (!net_open(a.peer.conn, &s, &a.peer.protocols[0], NULL) && !net_write(s, view_of(bytes, sizeof bytes)))
                net_end(s);
        pair_run(&a, &b, 60, 1);
        ck_assert_msg(mutates || a.peer.opened == opened + 1, "%u: %s", i, a.peer.closed_text);
        mutates = 0;
        for (net_conn_t *c = net_first(a.peer.net); c; c = net_after(c))
            net_close(c, NET_BYE, "next");
        for (net_conn_t *c = net_first(b.peer.net); c; c = net_after(c))
            net_close(c, NET_BYE, "next");
        pair_run(&a, &b, 5, 1);
        ck_assert_uint_eq(conns(&a) + conns(&b), 0);
    }
    end();
}
END_TEST

int main(void)
{
    return UNIT_RUN("quic", the_guard_cuts_at_the_first_short_header,
                    a_hostile_listener_aborts_only_a_dialler_without_the_guard, unknown_versions_hear_ours,
                    unknown_connections_are_reset_by_less_than_came, many_open_handshakes_bring_retry,
                    one_address_has_few_open_handshakes, garbage_leaves_nothing, who_shows_no_certificate_is_refused,
                    another_protocol_than_libp2p_is_refused, changed_frames_end_connections_at_most,
                    bytes_come_whole_over_a_bad_line, datagrams_go_together_or_one_by_one);
}
