/* What is TCP's own: peers that stop half-way, cut or change bytes, hold places, or take nothing. The client is a bare
 * socket of the test's, with the machines of overlay/wire. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#include "overlay/net/sock.h"
#include "overlay/wire/noise.h"
#include "overlay/wire/yamux.h"
#include "tests/unit/loop_pair.h"
#include "tests/unit/unit.h"

static looped_t b;
static const char hello[] = "\x13/multistream/1.0.0\n\x07/noise\n";
#define HELLO_LEN (sizeof hello - 1)

static void begin(void)
{
    ck_assert_int_eq(secret_init(), RC_OK);
    looped_new(&b, "b", true, LOOP_TCP, "/ip4/0.0.0.0/tcp/0");
}

static void end(void)
{
    looped_clear(&b);
}

static size_t conns(void)
{
    size_t n = 0;
    for (net_conn_t *c = net_first(b.peer.net); c; c = net_after(c))
        n++;
    return n;
}

/* ---- the client ---- */

typedef struct {
    int fd;
    noise_t noise;
    wire_id_t id;
} client_t;

static void run_for(uint64_t ms)
{
    pair_run(&b, NULL, ms, 1);
}

static int connect_from(const char *ip)
{
    maddr_t at = maddr(ip), to = b.at;
    sock_addr_t s;
    int fd;
    ck_assert_int_eq(sock_bound(&fd, &at, NULL), RC_OK);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    memcpy(to.ip, at.ip, 4);
    sock_addr(&s, &to);
    ck_assert(connect(fd, (struct sockaddr *)&s.a, s.n) == 0 || errno == EINPROGRESS);
    run_for(2);
    return fd;
}

static void say(int fd, view_t v)
{
    (void)!send(fd, v.p, v.n, MSG_NOSIGNAL | MSG_DONTWAIT); /* it may have been closed by now */
    run_for(2);
}

static view_t hear(int fd, uint8_t out[4096])
{
    ssize_t n = recv(fd, out, 4096, MSG_DONTWAIT);
    return view_of(out, n > 0 ? (size_t)n : 0);
}

static bool is_closed(int fd)
{
    uint8_t drop[4096];
    ssize_t n;
    run_for(2);
    while ((n = recv(fd, drop, sizeof drop, MSG_DONTWAIT)) > 0)
        ;
    return n == 0 || errno == ECONNRESET;
}

static void client_new(client_t *c, const char *ip)
{
    static const uint8_t keys[2][NOISE_KEY_LEN] = { { 1 }, { 2 } };
    wire_ed25519(&c->id, "client");
    c->fd = connect_from(ip);
    const noise_config_t config = {
        .initiator = true, .who = &c->id.who, .muxer = "/yamux/1.0.0", .ephemeral = keys[0], .static_key = keys[1]
    };
    noise_init(&c->noise, &config);
}

static void client_end(client_t *c)
{
    noise_clear(&c->noise);
    close(c->fd);
    run_for(3);
}

/* The two parts of what a client says in a handshake: up to its first message, and the last. flip: the byte of that part
 * that is changed; cut: how many of its bytes are said. */
static void shake(client_t *c, int part, size_t cut, size_t flip)
{
    uint8_t out[1024], in[4096];
    wr_t w = wr_of(out, sizeof out);
    wr_bytes(&w, hello, HELLO_LEN);
    ck_assert_int_eq(noise_write(&c->noise, &w), RC_OK);
    if (part == 0 && flip < w.n)
        out[flip] ^= 1;
    say(c->fd, view_of(out, part == 0 && cut < w.n ? cut : w.n));
    if (part == 0)
        return;
    const view_t v = hear(c->fd, in);
    ck_assert_uint_gt(v.n, HELLO_LEN + 2);
    ck_assert_int_eq(noise_read(&c->noise, NULL, view_of(v.p + HELLO_LEN + 2, v.n - HELLO_LEN - 2)), RC_OK);
    w = wr_of(out, sizeof out);
    ck_assert_int_eq(noise_write(&c->noise, &w), RC_OK);
    if (part == 1 && flip < w.n)
        out[flip] ^= 1;
    say(c->fd, view_of(out, part == 1 && cut < w.n ? cut : w.n));
}

#define PART_1_LEN (HELLO_LEN + 2 + 32)
#define WHOLE SIZE_MAX

/* Ping frames as one record. */
static size_t pings(client_t *c, uint8_t *out, size_t cap, unsigned count)
{
    uint8_t frames[16 * YAMUX_HEADER_LEN];
    wr_t f = wr_of(frames, sizeof frames), w = wr_of(out, cap);
    yamux_t y = { 0 };
    for (unsigned i = 0; i < count; i++)
        ck_assert(yamux_ping(&y, &f, i));
    ck_assert_int_eq(noise_seal(&c->noise, &w, wr_view(&f)), RC_OK);
    return w.n;
}

/* ---- tests ---- */

START_TEST(the_client_of_this_test_is_let_in)
{
    client_t c;
    uint8_t out[256], in[4096];
    begin();
    client_new(&c, "/ip4/127.0.0.1/tcp/0");
    shake(&c, 2, WHOLE, WHOLE);
    ck_assert_uint_eq(b.peer.opened, 1);
    (void)hear(c.fd, in);
    say(c.fd, view_of(out, pings(&c, out, sizeof out, 1)));
    const view_t v = hear(c.fd, in);
    ck_assert_uint_eq(v.n, 2 + YAMUX_HEADER_LEN + 16);
    ck_assert_int_eq(noise_open(&c.noise, in, view_of(v.p + 2, v.n - 2)), RC_OK);
    ck_assert(in[1] == 2 && in[3] == 2); /* a ping's acknowledgement */
    client_end(&c);
    ck_assert(b.peer.closed == 1 && conns() == 0);
    end();
}
END_TEST

START_TEST(a_handshake_that_is_cut_anywhere_leaves_nothing)
{
    client_t c;
    begin();
    for (int part = 0; part < 2; part++)
        for (size_t n = 0; n < (part ? 170u : PART_1_LEN); n++) {
            client_new(&c, "/ip4/127.0.0.1/tcp/0");
            shake(&c, part, n, WHOLE);
            ck_assert_msg(conns() == 1, "part %d, %zu bytes", part, n);
            client_end(&c);
            ck_assert_msg(conns() == 0 && b.peer.opened == 0, "part %d, %zu bytes", part, n);
        }
    end();
}
END_TEST

START_TEST(a_changed_byte_of_the_handshake_lets_nobody_in)
{
    client_t c;
    begin();
    for (int part = 0; part < 2; part++)
        for (size_t i = 0; i < (part ? 186u : PART_1_LEN); i++) {
            uint8_t in[4096];
            client_new(&c, "/ip4/127.0.0.1/tcp/0");
            shake(&c, part, WHOLE, i);
            if (part == 0) { /* the rest does not fit what the listener took */
                say(c.fd, view_of(in, 200));
                say(c.fd, view_of(in, 200));
            }
            ck_assert_msg(b.peer.opened == 0, "part %d, byte %zu", part, i);
            client_end(&c);
            ck_assert_uint_eq(conns(), 0);
        }
    end();
}
END_TEST

START_TEST(a_changed_byte_of_a_record_ends_the_connection)
{
    client_t c;
    begin();
    for (size_t i = 2; i < 2 + YAMUX_HEADER_LEN + 16; i++) {
        uint8_t out[256];
        client_new(&c, "/ip4/127.0.0.1/tcp/0");
        shake(&c, 2, WHOLE, WHOLE);
        ck_assert_uint_eq(conns(), 1);
        const size_t n = pings(&c, out, sizeof out, 1);
        out[i] ^= 0x80;
        say(c.fd, view_of(out, n));
        ck_assert_msg(b.peer.closed_rc == RC_REFUSED && is_closed(c.fd), "byte %zu", i);
        ck_assert_str_eq(b.peer.closed_text, "a record is not sealed with the connection's keys");
        b.peer.closed_rc = RC_OK;
        client_end(&c);
    }
    end();
}
END_TEST

START_TEST(records_may_come_byte_by_byte)
{
    client_t c;
    uint8_t out[256], in[4096];
    begin();
    client_new(&c, "/ip4/127.0.0.1/tcp/0");
    shake(&c, 2, WHOLE, WHOLE);
    (void)hear(c.fd, in);
    const size_t n = pings(&c, out, sizeof out, 3);
    for (size_t i = 0; i < n; i++) {
        ck_assert_uint_eq(hear(c.fd, in).n, 0);
        say(c.fd, view_of(out + i, 1));
    }
    ck_assert_uint_eq(hear(c.fd, in).n, 2 + 3 * YAMUX_HEADER_LEN + 16);
    client_end(&c);
    end();
}
END_TEST

START_TEST(garbage_is_answered_by_the_end)
{
    const char *texts[] = {
        "GET / HTTP/1.1\r\nHost: kettle.example\r\nUser-Agent: a browser, or what says it is one\r\n\r\n",
        "\x16\x03\x01\x02\x01\x01\x01\x01\xfc\x03\x03, a hello of TLS, almost", "\x13/multistream/2.0.0\n",
        "\xff\xff\xff\xff\xff\xff"
    };
    begin();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        int fd = connect_from("/ip4/127.0.0.1/tcp/0");
        say(fd, view_str(texts[i]));
        ck_assert_msg(is_closed(fd) && conns() == 0, "%zu", i);
        close(fd);
    }
    end();
}
END_TEST

START_TEST(half_open_connections_have_their_time)
{
    begin();
    int fd = connect_from("/ip4/127.0.0.1/tcp/0");
    pair_run(&b, NULL, NET_HANDSHAKE_MS / 2, 10);
    say(fd, view_of(hello, 5)); /* a drip does not prolong it */
    pair_run(&b, NULL, NET_HANDSHAKE_MS / 2 - 100, 10);
    ck_assert(conns() == 1 && !is_closed(fd));
    pair_run(&b, NULL, 200, 10);
    ck_assert(conns() == 0 && is_closed(fd));
    close(fd);
    end();
}
END_TEST

START_TEST(places_in_the_handshake_have_a_maximum)
{
    int fds[100];
    char ip[64];
    begin();
    for (unsigned i = 0; i < 100; i++) {
        snprintf(ip, sizeof ip, "/ip4/127.0.3.%u/tcp/0", 1 + i / 5);
        fds[i] = connect_from(ip);
        const size_t most = (i / 5) * NET_PENDING_PER_IP + (i % 5 < 4 ? i % 5 + 1 : 4);
        ck_assert_uint_eq(conns(), most < NET_PENDING_MAX ? most : NET_PENDING_MAX);
    }
    pair_run(&b, NULL, NET_HANDSHAKE_MS + 100, 10);
    ck_assert_uint_eq(conns(), 0);
    for (unsigned i = 0; i < 100; i++)
        close(fds[i]);
    end();
}
END_TEST

START_TEST(a_peer_that_takes_nothing_is_given_up)
{
    client_t c;
    uint8_t out[512];
    unsigned records = 0;
    begin();
    client_new(&c, "/ip4/127.0.0.1/tcp/0");
    (void)setsockopt(c.fd, SOL_SOCKET, SO_RCVBUF, &(int){ 4096 }, sizeof(int));
    shake(&c, 2, WHOLE, WHOLE);
    for (; conns() && records < 20000; records++) { /* 16 pings each, 50 in each second: below what is a flood */
        const size_t n = pings(&c, out, sizeof out, 16);
        for (size_t at = 0, tries = 0; at < n && tries < 5000 && conns(); tries++) {
            ssize_t sent = send(c.fd, out + at, n - at, MSG_NOSIGNAL | MSG_DONTWAIT);
            at += sent > 0 ? (size_t)sent : 0;
            loop_step(b.loop, sent > 0 ? 0 : 1);
        }
        pair_now += 20;
    }
    ck_assert_uint_eq(conns(), 0);
    /* Or the system delivers none of its bytes any more, with a window that is shut: then it is silent. */
    ck_assert_msg(b.peer.closed_rc == RC_LIMIT || b.peer.closed_rc == RC_TIMEOUT, "%s", b.peer.closed_text);
    client_end(&c);
    end();
}
END_TEST

int main(void)
{
    return UNIT_RUN("tcp", the_client_of_this_test_is_let_in, a_handshake_that_is_cut_anywhere_leaves_nothing,
                    a_changed_byte_of_the_handshake_lets_nobody_in, a_changed_byte_of_a_record_ends_the_connection,
                    records_may_come_byte_by_byte, garbage_is_answered_by_the_end,
                    half_open_connections_have_their_time, places_in_the_handshake_have_a_maximum,
                    a_peer_that_takes_nothing_is_given_up);
}
