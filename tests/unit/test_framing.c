/* Requests that are badly framed, by a raw socket: each is refused once, and nothing behind it is answered. */
#include <check.h>
#include <poll.h>

#include "http/framing.h"
#include "tests/unit/http_hand.h"
#include "tests/unit/unit.h"

#define H "Host: x\r\n"
#define P "POST /echo HTTP/1.1\r\n" H
#define G "GET /quick HTTP/1.1\r\n" H

typedef struct {
    int status;
    bool closes;
    const char *text;
    size_t len; /* 0: up to its NUL */
} row_t;

static atomic_uint answered;

static void echo(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx, (void)q;
    answered++;
    *r = (hs_response_t){ .status = 200, .body = (uint8_t *)strdup("{}"), .body_len = 2 };
}

static const hs_route_t routes[] = { { "GET", "/quick", echo, 0 }, { "POST", "/echo", echo, 0 } };

static hs_t *start(void)
{
    hs_t *s = NULL;
    err_t e;
    const hs_config_t k = { .address = "127.0.0.1", .routes = routes, .route_count = 2, .body_max = 1000 };
    ck_assert_msg(hs_start(&s, &e, &k) == RC_OK, "%s", e.text);
    return s;
}

/* What comes within ms, to the end if it ends; its length. */
static size_t read_all(int fd, char *out, size_t room, int ms, bool *closed)
{
    size_t n = 0;
    struct pollfd p = { .fd = fd, .events = POLLIN };
    *closed = false;
    while (n < room - 1 && poll(&p, 1, ms) == 1) {
        ssize_t got = recv(fd, out + n, room - 1 - n, 0);
        if (got <= 0) {
            *closed = true;
            break;
        }
        n += (size_t)got;
    }
    out[n] = 0;
    return n;
}

static unsigned count(const char *text, const char *what)
{
    unsigned n = 0;
    for (const char *p = text; (p = strstr(p, what)); p++)
        n++;
    return n;
}

/* The row, with a whole request behind it that must not be answered when the connection is to be closed. */
static void check_row(const hs_t *s, size_t i, const row_t *row)
{
    static const char next[] = G "\r\n";
    static char got[65536];
    bool closed;
    int status = 0;
    int fd = dial(s);
    const unsigned before = answered;
    ck_assert(send_all(fd, row->text, row->len ? row->len : strlen(row->text)));
    (void)send_all(fd, next, sizeof next - 1);
    (void)read_all(fd, got, sizeof got, row->closes ? 5000 : 300, &closed);
    sscanf(got, "HTTP/1.1 %d", &status);
    ck_assert_msg(status == row->status, "row %zu: status %d instead of %d: %s", i, status, row->status, got);
    ck_assert_msg(closed == row->closes, "row %zu: %s: %s", i, closed ? "closed" : "left open", got);
    /* For a wrong number libmicrohttpd itself answers, and sends the head of that answer twice. */
    char line[32];
    snprintf(line, sizeof line, "HTTP/1.1 %d ", row->status);
    const unsigned answers = count(got, "\nDate: "), refused = count(got, line);
    ck_assert_msg(row->closes ? answers == refused : answers == 2, "row %zu: %u answers: %s", i, answers, got);
    const unsigned handled = row->closes ? row->status == 200 : 1 + (row->status == 200);
    ck_assert_msg(answered - before == handled, "row %zu: %u handled", i, answered - before);
    close(fd);
}

#define RAW(text) text, sizeof(text) - 1

static const row_t rows[] = {
    /* whole ones, for comparison */
    { 200, false, G "\r\n", 0 },
    { 200, false, P "Content-Length: 2\r\n\r\n{}", 0 },
    { 200, false, P "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 0 },
    { 200, false, P "Transfer-Encoding: Chunked\r\n\r\n2;x=y\r\n{}\r\n0\r\nA: b\r\n\r\n", 0 },
    { 200, true, "GET /quick HTTP/1.0\r\n\r\n", 0 },
    { 200, true, G "Connection: close\r\n\r\n", 0 },
    { 200, false, "GET http://x/quick HTTP/1.1\r\n" H "\r\n", 0 },
    { 204, false, "OPTIONS /quick HTTP/1.1\r\n" H "\r\n", 0 },
    { 411, true, P "\r\n", 0 },
    { 200, false, G "A: \r\nB:\r\nC: \t d \r\n\r\n", 0 },
    { 200, false, "GET /quick HTTP/1.1\r\nHost:x\r\nA:b\r\n\r\n", 0 },
    { 200, false, "\r\nGET /quick HTTP/1.1\r\n" H "\r\n", 0 },
    { 200, false, "GET /quick?a=%41&b HTTP/1.1\r\n" H "\r\n", 0 },
    /* length and coding */
    { 400, true, P "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 0 },
    { 400, true, P "Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}", 0 },
    { 400, true, P "Content-Length: 40\r\ncontent-length: 2\r\n\r\n{}", 0 },
    { 400, true, P "Content-Length: 2, 2\r\n\r\n{}", 0 },
    { 400, true, P "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 0 },
    { 400, true, P "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 0 },
    { 400, true, P "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0 },
    { 400, true, P "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 0 },
    { 400, true, P "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 0 },
    { 400, true, P "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 0 },
    { 400, true, P "Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n", 0 },
    { 400, true, P "Transfer-Encoding: identity\r\n\r\n0\r\n\r\n", 0 },
    { 400, true, P "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 0 },
    { 400, true, P "Transfer-Encoding: chunkedx\r\n\r\n0\r\n\r\n", 0 },
    { 400, true, P "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n", 0 },
    { 400, true, P "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", 0 },
    { 400, true, P "Transfer-Encoding:\r\n\r\n0\r\n\r\n", 0 },
    { 400, true, P "Transfer-Encoding: chunked\x0b\r\n\r\n0\r\n\r\n", 0 },
    { 400, true, P "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 0 },
    { 400, true, "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0 },
    { 400, true, P "Content-Length: -2\r\n\r\n{}", 0 },
    { 400, true, P "Content-Length: +2\r\n\r\n{}", 0 },
    { 400, true, P "Content-Length: 0x2\r\n\r\n{}", 0 },
    { 400, true, P "Content-Length: 2x\r\n\r\n{}", 0 },
    { 400, true, P "Content-Length: 2 2\r\n\r\n{}", 0 },
    { 400, true, P "Content-Length:\r\n\r\n{}", 0 },
    { 400, true, P "Content-Length : 2\r\n\r\n{}", 0 },
    { 413, true, P "Content-Length: 1001\r\n\r\n", 0 },
    { 413, true, P "Content-Length: 18446744073709551616\r\n\r\n{}", 0 },
    { 413, true, P "Content-Length: 99999999999999999999999\r\n\r\n{}", 0 },
    { 400, true, G "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 0 },
    { 400, true, G "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0 },
    { 400, true, "HEAD /quick HTTP/1.1\r\n" H "Content-Length: 2\r\nContent-Length: 3\r\n\r\n", 0 },
    { 400, true, "DELETE /quick HTTP/1.1\r\n" H "Transfer-Encoding: gzip\r\n\r\n", 0 },
    { 400, true, "OPTIONS /quick HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", 0 },
    /* chunks */
    { 400, true, P "Transfer-Encoding: chunked\r\n\r\nx\r\n{}\r\n0\r\n\r\n", 0 },
    { 400, true, P "Transfer-Encoding: chunked\r\n\r\n2\r\n{}0\r\n\r\n", 0 },
    { 400, true, P "Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n", 0 },
    { 400, true, P "Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n", 0 },
    { 400, true, P "Transfer-Encoding: chunked\r\n\r\n\r\n{}\r\n0\r\n\r\n", 0 },
    { 413, true, P "Transfer-Encoding: chunked\r\n\r\n11111111111111111\r\n{}\r\n0\r\n\r\n", 0 },
    /* Host */
    { 400, true, "GET /quick HTTP/1.1\r\n\r\n", 0 },
    { 400, true, G H "\r\n", 0 },
    { 400, true, "GET /quick HTTP/1.1\r\n" H "host: y\r\n\r\n", 0 },
    { 400, true, "POST /echo HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", 0 },
    { 400, true, "GET /quick HTTP/1.1\r\nHost: x, y\r\n\r\n", 0 },
    { 400, true, "GET /quick HTTP/1.1\r\nHost: x y\r\n\r\n", 0 },
    { 400, true, "GET /quick HTTP/1.1\r\nHost: a@x\r\n\r\n", 0 },
    { 400, true, "GET /quick HTTP/1.1\r\nHost: x/quick\r\n\r\n", 0 },
    { 400, true, "GET /quick HTTP/1.1\r\nHost: \xc3\xbc\r\n\r\n", 0 },
    { 400, true, "GET /quick HTTP/1.1\r\nHost : x\r\n\r\n", 0 },
    { 400, true, "GET /quick HTTP/1.0\r\n" H H "\r\n", 0 },
    /* request line */
    { 400, true, "GET quick HTTP/1.1\r\n" H "\r\n", 0 },
    { 400, true, "GET * HTTP/1.1\r\n" H "\r\n", 0 },
    { 400, true, "GET ftp://x/quick HTTP/1.1\r\n" H "\r\n", 0 },
    { 400, true, "CONNECT x:80 HTTP/1.1\r\n" H "\r\n", 0 },
    { 400, true, "GET /quick\x01 HTTP/1.1\r\n" H "\r\n", 0 },
    { 400, true, "GET /quick\x7f HTTP/1.1\r\n" H "\r\n", 0 },
    { 400, true, "GET /quick\xff HTTP/1.1\r\n" H "\r\n", 0 },
    { 400, true, "GET /quick#a HTTP/1.1\r\n" H "\r\n", 0 },
    { 400, true, "GET /quick /quick HTTP/1.1\r\n" H "\r\n", 0 },
    { 0, true, "GET\t/quick\tHTTP/1.1\r\n" H "\r\n", 0 },
    { 400, true, "G(T /quick HTTP/1.1\r\n" H "\r\n", 0 },
    { 505, true, "GET /quick HTTP/2.0\r\n" H "\r\n", 0 },
    { 505, true, "GET /quick HTTP/1.2\r\n" H "\r\n", 0 },
    { 400, true, "GET /quick HTTP/1.1x\r\n" H "\r\n", 0 },
    { 505, true, "GET /quick HTTP/0.9\r\n" H "\r\n", 0 },
    { 400, true, "GET /quick http/1.1\r\n" H "\r\n", 0 },
    { 400, true, "GET /quick\r\n" H "\r\n", 0 },
    { 0, true, "GET\r\n" H "\r\n", 0 },
    { 505, true, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0 },
    /* fields */
    { 400, true, G "A: b\x01\r\n\r\n", 0 },
    { 400, true, G "A: b\x7f\r\n\r\n", 0 },
    { 400, true, G "A: b\rTransfer-Encoding: chunked\r\n\r\n", 0 },
    { 400, true, G "A\x01: b\r\n\r\n", 0 },
    { 400, true, G "A B: b\r\n\r\n", 0 },
    { 400, true, G "A : b\r\n\r\n", 0 },
    { 400, true, G "no colon\r\n\r\n", 0 },
    { 400, true, RAW(G "A\0: b\r\n\r\n") },
    { 400, true, RAW(G "A: b\0c\r\n\r\n") },
    { 400, true, RAW(G "A: b\0\0c\r\n\r\n") },
    { 400, true, RAW(G "A: b\0\0\0\0c\r\nB: c\r\n\r\n") },
    { 400, true, RAW(G "A: \0\r\nB: c\r\n\r\n") },
    { 400, true, RAW(P "Content-Length: 2\0 30\r\n\r\n{}") },
    { 400, true, RAW("GET /quick HTTP/1.1\r\nHost: x\0y\r\n\r\n") },
    { 400, true, RAW("GET /qu\0ick HTTP/1.1\r\n" H "\r\n") },
    { 400, true, RAW("GET /quick\0 HTTP/1.1\r\n" H "\r\n") },
    { 400, true, RAW("GET /quick HTTP/1.1\0x\r\n" H "\r\n") },
    /* lines that continue others, and that do not end as they should */
    { 400, true, G "Content-Length:\r\n 2\r\n\r\n{}", 0 },
    { 400, true, G "Content-Length: 2\r\n 0\r\nA: b\r\n\r\n{}", 0 },
    { 400, true, G "Transfer-Encoding:\r\n\tchunked\r\nA: b\r\n\r\n0\r\n\r\n", 0 },
    { 400, true, G "A: b\r\n c\r\n\r\n", 0 },
    { 400, true, G "A: b\nB: c\r\n\r\n", 0 },
    { 400, true, G "A: b\nContent-Length: 2\r\n\r\n{}", 0 },
    { 400, true, "GET /quick HTTP/1.1\n" H "\r\n", 0 },
    { 400, true, "GET /quick HTTP/1.1\nHost: x\n\n", 0 },
};

START_TEST(every_badly_framed_request_is_refused_once_and_nothing_behind_it_is_answered)
{
    hs_t *s = start();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_row(s, i, &rows[i]);
    hs_stop(s, 1000);
}
END_TEST

/* The head comes in pieces, and in more room than there was at first. */
START_TEST(a_whole_request_is_one_however_it_comes)
{
    static char text[20000];
    hs_t *s = start();
    for (size_t step = 1; step < 5000; step = 3 * step + 1) {
        const int fd = dial(s);
        size_t n = (size_t)snprintf(text, sizeof text, "%s", G);
        for (unsigned i = 0; i < (step < 10 ? 5u : 60u); i++)
            n += (size_t)snprintf(text + n, sizeof text - n, "A%u: %0*u\r\n", i, 200, i);
        n += (size_t)snprintf(text + n, sizeof text - n, "\r\n");
        for (unsigned again = 0; again < 3; again++) {
            for (size_t at = 0; at < n; at += step) {
                ck_assert(send_all(fd, text + at, step < n - at ? step : n - at));
                if (at / step % 16 == 0)
                    pause_ms(1);
            }
            reply_t a = hear(fd, false);
            ck_assert_msg(a.status == 200, "in pieces of %zu: %d", step, a.status);
            free(a.body);
        }
        close(fd);
    }
    hs_stop(s, 1000);
}
END_TEST

int main(void)
{
    return UNIT_RUN("framing", a_whole_request_is_one_however_it_comes,
                    every_badly_framed_request_is_refused_once_and_nothing_behind_it_is_answered);
}
