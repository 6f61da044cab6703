/* WebSockets of the server over real sockets: messages there and back, and that each is bounded without harm to others. */
#include <poll.h>
#include <pthread.h>

#include "base/os/clock.h"
#include "tests/unit/http_hand.h"
#include "tests/unit/tls_client.h"
#include "tests/unit/unit.h"

#define HANDSHAKE                                                                                                      \
    "GET /rpc HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"       \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

/* ---- the handler: says a message again; "push" has all connections told, "hold" answers when released ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static ws_t *known[64];
static unsigned known_count, closed_count, held_count, drained_count;
static ws_t *held[512];

static void on_message(void *ctx, ws_t *w, uint8_t *take_text, size_t n)
{
    const view_t text = view_of(take_text, n);
    (void)ctx;
    pthread_mutex_lock(&lock);
    if (!ws_mine(w)) {
        ws_set_mine(w, w);
        known[known_count++] = ws_ref(w);
    }
    if (view_eq(text, view_str("hold")))
        held[held_count++] = ws_ref(w);
    else
        ws_done(w, view_eq(text, view_str("silence")) ? view_of(NULL, 0) : text, n);
    pthread_mutex_unlock(&lock);
    free(take_text);
}

static void on_drained(void *ctx, ws_t *w)
{
    (void)ctx, (void)w;
    pthread_mutex_lock(&lock);
    drained_count++;
    pthread_mutex_unlock(&lock);
}

static void on_closed(void *ctx, ws_t *w)
{
    (void)ctx, (void)w;
    pthread_mutex_lock(&lock);
    closed_count++;
    pthread_mutex_unlock(&lock);
}

static void hello(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx, (void)q;
    *r = (hs_response_t){ .status = 200 };
}

static const hs_route_t routes[] = { { "GET", "/rpc", NULL, HS_WEBSOCKET }, { "POST", "/rpc", hello, 0 } };

static hs_t *start(ws_config_t k, hs_identity_t *identity)
{
    hs_t *s = NULL;
    err_t e;
    k.message = on_message;
    k.drained = on_drained;
    k.closed = on_closed;
    ck_assert_msg(hs_start(&s, &e,
                           &(hs_config_t){ .address = "127.0.0.1",
                                           .routes = routes,
                                           .route_count = 2,
                                           .flags = HS_SIMULATED,
                                           .identity = identity,
                                           .idle_timeout_s = 1,
                                           .websocket = &k }) == RC_OK,
                  "%s", e.text);
    return s;
}

static void reset(void)
{
    pthread_mutex_lock(&lock);
    known_count = closed_count = held_count = drained_count = 0;
    pthread_mutex_unlock(&lock);
}

static void forget(void)
{
    for (unsigned i = 0; i < known_count; i++)
        ws_unref(known[i]);
    reset();
}

/* ---- the client ---- */

static int open_ws_from(const hs_t *s, const char *from)
{
    const int fd = dial_from(s, from);
    ck_assert_int_gt(send(fd, HANDSHAKE, sizeof HANDSHAKE - 1, 0), 0);
    reply_t r = hear(fd, true);
    ck_assert_int_eq(r.status, 101);
    ck_assert_ptr_nonnull(strcasestr(r.head, "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    ck_assert_ptr_nonnull(strcasestr(r.head, "\r\nX-Kettle-TEE: simulated\r\n"));
    free(r.body);
    return fd;
}

static int open_ws(const hs_t *s)
{
    return open_ws_from(s, NULL);
}

/* A masked frame; the mask is zero, which changes nothing. */
static size_t frame(uint8_t *room, uint8_t first, const void *text, size_t n)
{
    size_t at = 0;
    room[at++] = first;
    room[at++] = (uint8_t)(0x80 | (n < 126 ? n : 126));
    if (n >= 126) {
        room[at++] = (uint8_t)(n >> 8);
        room[at++] = (uint8_t)n;
    }
    memset(room + at, 0, 4);
    memcpy(room + at + 4, text, n);
    return at + 4 + n;
}

static void tell(int fd, const char *text)
{
    uint8_t room[300];
    const size_t n = frame(room, 0x81, text, strlen(text));
    ck_assert_int_eq(send(fd, room, n, MSG_NOSIGNAL), (ssize_t)n);
}

static bool read_all(int fd, void *out, size_t n)
{
    for (size_t got = 0; got < n;) {
        const ssize_t more = recv(fd, (uint8_t *)out + got, n - got, 0);
        if (more <= 0)
            return false;
        got += (size_t)more;
    }
    return true;
}

/* Reads one frame; gives its first byte, 0: the end. */
static unsigned next_frame(int fd, char *text, size_t cap)
{
    uint8_t head[2], more[8];
    if (!read_all(fd, head, 2))
        return 0;
    uint64_t n = head[1];
    const size_t extra = n == 126 ? 2 : n == 127 ? 8 : 0;
    ck_assert(read_all(fd, more, extra));
    for (size_t i = 0; i < extra; i++)
        n = (i ? n << 8 : 0) | more[i];
    ck_assert_uint_lt(n, cap);
    ck_assert(read_all(fd, text, (size_t)n));
    text[n] = 0;
    return head[0];
}

static void hears(int fd, const char *text)
{
    char got[1000];
    ck_assert_uint_eq(next_frame(fd, got, sizeof got), 0x81);
    ck_assert_str_eq(got, text);
}

static void closes_with(int fd, unsigned code)
{
    char got[1000];
    ck_assert_uint_eq(next_frame(fd, got, sizeof got), 0x88);
    ck_assert_uint_eq((unsigned)(uint8_t)got[0] << 8 | (uint8_t)got[1], code);
}

static void wait_for(const unsigned *count, unsigned want)
{
    for (unsigned i = 0; i < 1000; i++) {
        pthread_mutex_lock(&lock);
        const bool there = *count == want;
        pthread_mutex_unlock(&lock);
        if (there)
            return;
        pause_ms(5);
    }
    ck_abort_msg("%u of %u", *count, want);
}

/* ---- the tests ---- */

START_TEST(messages_are_answered_in_order_and_the_connection_outlives_the_servers_timeouts)
{
    hs_t *s = start((ws_config_t){ 0 }, NULL);
    const int fd = open_ws(s);
    tell(fd, "one");
    tell(fd, "silence");
    tell(fd, "two");
    hears(fd, "one");
    hears(fd, "two");
    pause_ms(2600); /* longer than the server gives an idle connection, or a request */
    tell(fd, "three");
    hears(fd, "three");
    close(fd);
    wait_for(&closed_count, 1);
    forget();
    hs_stop(s, 0);
}
END_TEST

START_TEST(what_comes_with_the_handshake_is_not_lost)
{
    hs_t *s = start((ws_config_t){ 0 }, NULL);
    uint8_t room[sizeof HANDSHAKE + 64];
    const int fd = dial(s);
    memcpy(room, HANDSHAKE, sizeof HANDSHAKE - 1);
    const size_t n = sizeof HANDSHAKE - 1 + frame(room + sizeof HANDSHAKE - 1, 0x81, "early", 5);
    ck_assert_int_eq(send(fd, room, n, 0), (ssize_t)n);
    reply_t r = hear(fd, true);
    free(r.body);
    hears(fd, "early");
    close(fd);
    forget();
    hs_stop(s, 0);
}
END_TEST

START_TEST(a_request_that_asks_for_no_websocket_is_told_so)
{
    static const struct {
        const char *text;
        int status;
    } rows[] = {
        { "GET /rpc HTTP/1.1\r\nHost: a\r\n\r\n", 426 },
        { "GET /rpc HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\n\r\n",
          426 },
        { "GET /rpc HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
          "Sec-WebSocket-Key: short\r\n\r\n",
          400 },
        { "POST /rpc HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n",
          200 },
    };
    hs_t *s = start((ws_config_t){ 0 }, NULL);
    const int fd = dial(s); /* all on one connection: none of them ends it */
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_int_gt(send(fd, rows[i].text, strlen(rows[i].text), 0), 0);
        reply_t r = hear(fd, false);
        ck_assert_int_eq(r.status, rows[i].status);
        if (r.status == 426)
            ck_assert_ptr_nonnull(strcasestr(r.head, "\r\nSec-WebSocket-Version: 13\r\n"));
        free(r.body);
    }
    close(fd);
    hs_stop(s, 0);
}
END_TEST

START_TEST(there_is_no_room_for_more_of_one_address_than_it_may_have)
{
    hs_t *s = start((ws_config_t){ .per_address_max = 2 }, NULL);
    int fd[2] = { open_ws(s), open_ws(s) };
    tell(fd[1], "here"); /* so that both have joined */
    hears(fd[1], "here");
    const int third = dial(s);
    ck_assert_int_gt(send(third, HANDSHAKE, sizeof HANDSHAKE - 1, 0), 0);
    reply_t r = hear(third, false);
    ck_assert_int_eq(r.status, 503);
    free(r.body);
    close(third);
    close(fd[0]);
    wait_for(&closed_count, 1);
    fd[0] = open_ws(s);
    close(fd[0]);
    close(fd[1]);
    wait_for(&closed_count, 3);
    forget();
    hs_stop(s, 0);
}
END_TEST

START_TEST(who_never_reads_loses_its_connection_and_harms_nobody)
{
    char text[1000];
    hs_t *s = start((ws_config_t){ 0 }, NULL);
    const int deaf = open_ws(s), good = open_ws(s);
    tell(deaf, "here");
    wait_for(&known_count, 1); /* so that known[0] is the deaf one */
    tell(good, "here");
    wait_for(&known_count, 2);
    memset(text, 'x', sizeof text);
    bool open = true;
    unsigned pushes = 0;
    for (; open && pushes < 100000; pushes++) {
        open = ws_push(known[0], view_of(text, sizeof text));
        if (pushes % 1000 == 0) { /* the other one is answered meanwhile */
            tell(good, "still");
            if (!pushes)
                hears(good, "here");
            hears(good, "still");
        }
    }
    ck_assert(!open);
    ck_assert_uint_lt(pushes, 20000); /* what the kernel takes, and WS_PUSH_MAX */
    wait_for(&closed_count, 1);
    tell(good, "and well");
    hears(good, "and well");
    close(good);
    close(deaf);
    forget();
    hs_stop(s, 0);
}
END_TEST

/* What is pushed at once is more than may wait: it goes in pieces, as fast as it is read. */
START_TEST(who_reads_gets_all_that_is_pushed_as_there_is_room)
{
    static char text[10001], got[10010];
    hs_t *s = start((ws_config_t){ 0 }, NULL);
    const int fd = open_ws(s);
    unsigned sent = 0, heard = 0, waits = 0;
    tell(fd, "here");
    hears(fd, "here");
    memset(text, 'x', sizeof text - 1);
    while (heard < 2000) { /* 20 MB */
        while (sent < 2000 && ws_room(known[0])) {
            ck_assert(ws_push(known[0], view_str(text)));
            sent++;
        }
        if (sent < 2000)
            waits++;
        while (heard < sent) {
            ck_assert_uint_eq(next_frame(fd, got, sizeof got), 0x81);
            heard++;
        }
        if (sent < 2000)
            wait_for(&drained_count, waits);
    }
    ck_assert_uint_ge(waits, 1);
    ck_assert_uint_eq(closed_count, 0);
    close(fd);
    wait_for(&closed_count, 1);
    forget();
    hs_stop(s, 0);
}
END_TEST

START_TEST(messages_that_are_being_answered_are_bounded_by_not_reading_on)
{
    hs_t *s = start((ws_config_t){ 0 }, NULL);
    const int fd = open_ws(s);
    for (unsigned i = 0; i < WS_IN_FLIGHT_MAX; i++) {
        tell(fd, "hold");
        wait_for(&held_count, i + 1);
    }
    tell(fd, "next");
    pause_ms(100);
    ck_assert_int_eq(poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 0), 0);
    for (unsigned i = 0; i < WS_IN_FLIGHT_MAX; i++) {
        ws_done(held[i], view_of(NULL, 0), 4);
        ws_unref(held[i]);
    }
    hears(fd, "next");
    close(fd);
    wait_for(&closed_count, 1);
    forget();
    hs_stop(s, 0);
}
END_TEST

/* Whatever came in one read. */
START_TEST(a_burst_of_messages_is_answered_in_turns)
{
    enum { BURST = 300 };
    uint8_t burst[BURST * 10];
    size_t n = 0;
    hs_t *s = start((ws_config_t){ 0 }, NULL);
    const int fd = open_ws(s);
    for (unsigned i = 0; i < BURST; i++)
        n += frame(burst + n, 0x81, "hold", 4);
    ck_assert_int_eq(send(fd, burst, n, MSG_NOSIGNAL), (ssize_t)n);
    for (unsigned i = 0; i < BURST; i += WS_IN_FLIGHT_MAX) {
        const unsigned more = BURST - i < WS_IN_FLIGHT_MAX ? BURST - i : WS_IN_FLIGHT_MAX;
        wait_for(&held_count, i + more); /* and never more of them */
        for (unsigned k = i; k < i + more; k++) {
            pthread_mutex_lock(&lock);
            ws_t *w = held[k];
            ck_assert_uint_le(held_count, k + WS_IN_FLIGHT_MAX);
            pthread_mutex_unlock(&lock);
            ws_done(w, view_of(NULL, 0), 4);
            ws_unref(w);
            if (k + 1 < i + more)
                continue;
            tell(fd, i + more < BURST ? "silence" : "last");
        }
    }
    hears(fd, "last");
    close(fd);
    wait_for(&closed_count, 1);
    forget();
    hs_stop(s, 0);
}
END_TEST

START_TEST(who_is_silent_is_asked_and_then_dropped)
{
    char got[200];
    hs_t *s = start((ws_config_t){ .ping_ms = 60, .stall_ms = 200 }, NULL);
    const int fd = open_ws(s);
    const uint64_t began = clock_monotonic_ms();
    uint8_t pong[16];
    for (unsigned i = 0; i < 5; i++) { /* it answers, and stays */
        ck_assert_uint_eq(next_frame(fd, got, sizeof got), 0x89);
        ck_assert_int_gt(send(fd, pong, frame(pong, 0x8a, "", 0), 0), 0);
    }
    ck_assert_uint_ge(clock_monotonic_ms() - began, 5 * 60);
    ck_assert_uint_eq(next_frame(fd, got, sizeof got), 0x89);
    ck_assert_uint_eq(next_frame(fd, got, sizeof got), 0); /* one ping, then the end */
    wait_for(&closed_count, 1);
    close(fd);
    hs_stop(s, 0);
}
END_TEST

START_TEST(a_message_that_does_not_end_ends_its_connection)
{
    char got[200];
    uint8_t room[16];
    hs_t *s = start((ws_config_t){ .ping_ms = 60000, .stall_ms = 60 }, NULL);
    const int fd = open_ws(s);
    ck_assert_int_gt(send(fd, room, frame(room, 0x01, "[", 1), 0), 0);
    for (unsigned i = 0; i < 40; i++) { /* a byte now and then does not help */
        pause_ms(10);
        (void)!send(fd, room, frame(room, 0x00, " ", 1), MSG_NOSIGNAL);
    }
    ck_assert_uint_eq(next_frame(fd, got, sizeof got), 0x88);
    ck_assert_uint_eq((unsigned)(uint8_t)got[0] << 8 | (uint8_t)got[1], 1008);
    close(fd);
    hs_stop(s, 0);
}
END_TEST

START_TEST(all_together_hold_no_more_bytes_than_they_may)
{
    uint8_t room[20000];
    char *text = calloc(1, 15001), got[200];
    hs_t *s = start((ws_config_t){ .bytes_max = 40000, .stall_ms = 200 }, NULL);
    int fd[4];
    memset(text, 'x', 15000);
    const size_t n = frame(room, 0x01, text, 15000); /* begun, and not whole */
    for (unsigned i = 0; i < 3; i++) {
        fd[i] = open_ws(s);
        ck_assert_int_eq(send(fd[i], room, n, 0), (ssize_t)n);
        pause_ms(20);
    }
    fd[3] = open_ws(s);
    tell(fd[3], "hold"); /* is not even read: three of them hold all there is */
    pause_ms(50);
    ck_assert_uint_eq(held_count, 0);
    for (unsigned i = 0; i < 3; i++) { /* until their time is over */
        ck_assert_uint_eq(next_frame(fd[i], got, sizeof got), 0x88);
        close(fd[i]);
    }
    wait_for(&held_count, 1);
    ws_done(held[0], view_str("held"), 4);
    ws_unref(held[0]);
    hears(fd[3], "held");
    close(fd[3]);
    free(text);
    forget();
    hs_stop(s, 0);
}
END_TEST

/* Messages that never end, of one client: whoever comes next has its own read and answered, and is told what is new. */
START_TEST(who_holds_all_the_bytes_gives_way_to_others)
{
    enum { N = 8 };
    static uint8_t room[20000];
    char *text = calloc(1, 15001);
    hs_t *s = start((ws_config_t){ .bytes_max = 80000 }, NULL);
    int fd[N];
    memset(text, 'x', 15000);
    const size_t n = frame(room, 0x01, text, 15000); /* begun, and not whole: 16,384 bytes of memory */
    for (unsigned i = 0; i < N; i++) {
        fd[i] = open_ws_from(s, "127.0.0.2");
        ck_assert_int_eq(send(fd[i], room, n, 0), (ssize_t)n);
        pause_ms(20);
    }
    const int other = open_ws_from(s, "127.0.0.3");
    for (unsigned i = 0; i < 20; i++) {
        tell(other, "there");
        hears(other, "there");
    }
    ck_assert_uint_eq(known_count, 1);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert(ws_push(known[0], view_of(text, 900)));
        text[900] = 0;
        hears(other, text);
        text[900] = 'x';
    }
    pthread_mutex_lock(&lock);
    ck_assert_uint_ge(closed_count, 1);
    ck_assert_uint_lt(closed_count, N); /* no more than are needed */
    pthread_mutex_unlock(&lock);
    for (unsigned i = 0; i < N; i++)
        close(fd[i]);
    close(other);
    free(text);
    forget();
    hs_stop(s, 0);
}
END_TEST

START_TEST(a_message_as_long_as_one_may_be_passes_where_all_have_little_more)
{
    enum { LONG = 60000 };
    static uint8_t room[LONG + 100];
    static char text[LONG + 1], got[LONG + 100];
    hs_t *s = start((ws_config_t){ .bytes_max = LONG + 6000, .message_max = LONG }, NULL);
    memset(text, 'x', LONG);
    const int fd = open_ws(s);
    const size_t n = frame(room, 0x81, text, LONG);
    ck_assert_int_eq(send(fd, room, n, 0), (ssize_t)n);
    unsigned first = next_frame(fd, got, sizeof got);
    ck_assert_uint_eq(first, 0x81);
    ck_assert_str_eq(got, text);
    close(fd);
    forget();
    hs_stop(s, 0);
}
END_TEST

START_TEST(over_tls_all_is_the_same)
{
    view_t cert, key;
    hs_identity_t *identity;
    tls_client_t c;
    char got[600] = "";
    uint8_t room[64];
    err_t e;
    size_t have = 0;
    tls_pair(&cert, &key, 3600);
    ck_assert_int_eq(hs_identity_new(&identity, &e, cert, key), RC_OK);
    hs_t *s = start((ws_config_t){ 0 }, identity);
    ck_assert(tls_dial(&c, hs_port(s), NULL));
    ck_assert_int_gt(gnutls_record_send(c.session, HANDSHAKE, sizeof HANDSHAKE - 1), 0);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_int_gt(gnutls_record_send(c.session, room, frame(room, 0x81, "secret", 6)), 0);
    while (have < sizeof got - 1 && (have < 24 || memcmp(got + have - 8, "\x81\x06secret", 8) != 0 ||
                                     memcmp(got + have - 24, "\x81\x06secret", 8) != 0)) {
        const ssize_t n = gnutls_record_recv(c.session, got + have, sizeof got - 1 - have);
        ck_assert_int_gt(n, 0);
        have += (size_t)n;
    }
    ck_assert_int_eq(memcmp(got, "HTTP/1.1 101 ", 13), 0);
    ck_assert_int_gt(gnutls_record_send(c.session, room, frame(room, 0x88, "\x03\xe8", 2)), 0);
    ck_assert_int_eq(gnutls_record_recv(c.session, got, sizeof got), 4);
    ck_assert_int_eq(memcmp(got, "\x88\x02\x03\xe8", 4), 0);
    wait_for(&closed_count, 1);
    tls_hang_up(&c);
    forget();
    hs_stop(s, 0);
    hs_identity_unref(identity);
    gnutls_free((void *)(uintptr_t)cert.p);
    gnutls_free((void *)(uintptr_t)key.p);
}
END_TEST

START_TEST(the_end_of_the_server_is_told_and_answers_after_it_go_nowhere)
{
    hs_t *s = start((ws_config_t){ 0 }, NULL);
    const int fd = open_ws(s);
    tell(fd, "hold");
    wait_for(&held_count, 1);
    const uint64_t began = clock_monotonic_ms();
    hs_stop(s, 100); /* waits for the client's end, at most a second */
    ck_assert_uint_lt(clock_monotonic_ms() - began, 2500);
    closes_with(fd, 1001);
    ck_assert(ended(fd));
    ck_assert_uint_eq(closed_count, 1);
    ck_assert(!ws_push(held[0], view_str("late")));
    ws_done(held[0], view_str("late"), 4);
    ws_unref(held[0]);
    close(fd);
    forget();
}
END_TEST

START_TEST(a_close_is_answered_and_ends_the_connection)
{
    uint8_t room[16];
    hs_t *s = start((ws_config_t){ 0 }, NULL);
    const int fd = open_ws(s);
    ck_assert_int_gt(send(fd, room, frame(room, 0x88, "\x03\xe8", 2), 0), 0);
    closes_with(fd, 1000);
    ck_assert(ended(fd));
    wait_for(&closed_count, 1);
    close(fd);
    hs_stop(s, 0);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND(
        "websocket", reset, NULL, messages_are_answered_in_order_and_the_connection_outlives_the_servers_timeouts,
        what_comes_with_the_handshake_is_not_lost, a_request_that_asks_for_no_websocket_is_told_so,
        there_is_no_room_for_more_of_one_address_than_it_may_have,
        who_never_reads_loses_its_connection_and_harms_nobody, who_reads_gets_all_that_is_pushed_as_there_is_room,
        messages_that_are_being_answered_are_bounded_by_not_reading_on, a_burst_of_messages_is_answered_in_turns,
        who_is_silent_is_asked_and_then_dropped, a_message_that_does_not_end_ends_its_connection,
        all_together_hold_no_more_bytes_than_they_may, who_holds_all_the_bytes_gives_way_to_others,
        a_message_as_long_as_one_may_be_passes_where_all_have_little_more, over_tls_all_is_the_same,
        the_end_of_the_server_is_told_and_answers_after_it_go_nowhere, a_close_is_answered_and_ends_the_connection);
}
