/* HTTP client against a server of raw sockets that misbehaves in every way, on loopback. */
#include <arpa/inet.h>
#include <check.h>
#include <gnutls/x509.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "rpc/http/client.h"

#define CONNS_MAX 256u

/* What the server does with one request; false ends the connection. request is NUL-terminated. */
typedef bool (*behave_t)(int fd, const char *request);

typedef struct {
    int listen_fd;
    uint16_t port;
    atomic_uint accepted, requests, open_now, open_peak;
    atomic_bool stop;
    behave_t behave;
    pthread_t acceptor, threads[CONNS_MAX];
    atomic_int fds[CONNS_MAX];
} fake_t;

typedef struct {
    fake_t *fake;
    unsigned index;
} fake_conn_t;

static uint64_t clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void pause_ms(unsigned ms)
{
    nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 }, NULL);
}

static bool put(int fd, const void *p, size_t n)
{
    const char *at = p;
    while (n) {
        ssize_t sent = send(fd, at, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        at += sent;
        n -= (size_t)sent;
    }
    return true;
}

static bool say(int fd, const char *text)
{
    return put(fd, text, strlen(text));
}

/* Reads one request, head and body; false at the end of the connection. */
static bool get_request(int fd, char *out, size_t cap)
{
    size_t n = 0, want = 0;
    for (;;) {
        ssize_t got = recv(fd, out + n, cap - 1 - n, 0);
        char *end, *length;
        if (got <= 0)
            return false;
        n += (size_t)got;
        out[n] = 0;
        end = strstr(out, "\r\n\r\n");
        if (!end)
            continue;
        length = strcasestr(out, "\r\nContent-Length:");
        want = (size_t)(end - out) + 4 + (length ? strtoul(length + 17, NULL, 10) : 0);
        if (n >= want)
            return true;
    }
}

static void *fake_conn(void *arg)
{
    fake_conn_t c = *(fake_conn_t *)arg;
    fake_t *f = c.fake;
    int fd = f->fds[c.index];
    char request[16384];
    free(arg);
    while (get_request(fd, request, sizeof request)) {
        f->requests++;
        if (!f->behave(fd, request))
            break;
    }
    f->open_now--;
    shutdown(fd, SHUT_WR);
    f->fds[c.index] = -1;
    close(fd);
    return NULL;
}

static void *fake_accept(void *arg)
{
    fake_t *f = arg;
    for (;;) {
        int fd = accept(f->listen_fd, NULL, NULL);
        if (fd < 0 || f->accepted == CONNS_MAX)
            return NULL;
        unsigned open_now = ++f->open_now;
        if (open_now > f->open_peak)
            f->open_peak = open_now;
        fake_conn_t *c = malloc(sizeof *c);
        *c = (fake_conn_t){ f, f->accepted };
        f->fds[f->accepted] = fd;
        pthread_create(&f->threads[f->accepted], NULL, fake_conn, c);
        f->accepted++;
    }
}

static fake_t *fake_new(behave_t behave)
{
    fake_t *f = calloc(1, sizeof *f);
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof at;
    f->behave = behave;
    f->listen_fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(f->listen_fd, (struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(listen(f->listen_fd, 128), 0);
    getsockname(f->listen_fd, (struct sockaddr *)&at, &len);
    f->port = ntohs(at.sin_port);
    pthread_create(&f->acceptor, NULL, fake_accept, f);
    return f;
}

static void fake_free(fake_t *f)
{
    shutdown(f->listen_fd, SHUT_RDWR);
    pthread_join(f->acceptor, NULL);
    for (unsigned i = 0; i < f->accepted; i++)
        if (f->fds[i] >= 0)
            shutdown(f->fds[i], SHUT_RDWR);
    for (unsigned i = 0; i < f->accepted; i++)
        pthread_join(f->threads[i], NULL);
    close(f->listen_fd);
    free(f);
}

/* ---- behaviours ---- */

static bool be_honest(int fd, const char *request)
{
    (void)request;
    return say(fd, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nEth-Consensus-Version:  deneb "
                   "\r\nContent-Length: 2\r\n\r\n{}");
}

static bool be_slow(int fd, const char *request)
{
    pause_ms(150);
    return be_honest(fd, request);
}

static bool be_echo(int fd, const char *request)
{
    char head[100];
    snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n",
             strlen(request));
    return say(fd, head) && say(fd, request);
}

static bool be_dropping(int fd, const char *request)
{
    (void)fd;
    (void)request;
    return false;
}

static bool be_resetting(int fd, const char *request)
{
    struct linger now = { .l_onoff = 1, .l_linger = 0 };
    (void)request;
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    return false;
}

static bool be_hanging(int fd, const char *request)
{
    (void)fd;
    (void)request;
    return true;
}

static bool be_dripping(int fd, const char *request)
{
    (void)request;
    say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
    while (say(fd, "x"))
        pause_ms(20);
    return false;
}

static bool be_dripping_head(int fd, const char *request)
{
    (void)request;
    say(fd, "HTTP/1.1 200 OK\r\nX: ");
    while (say(fd, "x"))
        pause_ms(20);
    return false;
}

static bool be_stalling(int fd, const char *request)
{
    (void)request;
    return say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
}

static bool be_endless(int fd, const char *request)
{
    static char block[65536];
    (void)request;
    say(fd, "HTTP/1.1 200 OK\r\n\r\n");
    while (put(fd, block, sizeof block))
        continue;
    return false;
}

static bool be_endless_chunks(int fd, const char *request)
{
    (void)request;
    say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (say(fd, "10\r\n0123456789abcdef\r\n"))
        continue;
    return false;
}

static bool be_flooding_headers(int fd, const char *request)
{
    (void)request;
    say(fd, "HTTP/1.1 200 OK\r\n");
    while (say(fd, "X-Flood: 0123456789012345678901234567890123456789\r\n"))
        continue;
    return false;
}

static bool be_one_endless_header(int fd, const char *request)
{
    (void)request;
    say(fd, "HTTP/1.1 200 OK\r\nX-Flood: ");
    while (say(fd, "0123456789012345678901234567890123456789"))
        continue;
    return false;
}

static bool be_endless_continue(int fd, const char *request)
{
    (void)request;
    while (say(fd, "HTTP/1.1 100 Continue\r\n\r\n"))
        continue;
    return false;
}

static bool be_endless_trailers(int fd, const char *request)
{
    (void)request;
    say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n");
    while (say(fd, "X-Trailer: 0123456789\r\n"))
        continue;
    return false;
}

/* A gzip bomb by hand: one fixed-Huffman block of "a" and matches of length 258 at distance 1 (13 bits each), 64 MiB in
 * 415 KB. */
static bool be_bombing(int fd, const char *request)
{
    static uint8_t bomb[430000];
    size_t n = 10;
    unsigned bit = 0;
    static const char first[] = "110"
                                "10010001"; /* last block, fixed codes; literal 'a' */
    static const char match[] = "11000101"
                                "00000";
    char head[120];
    (void)request;
    memset(bomb, 0, sizeof bomb);
    memcpy(bomb, "\x1f\x8b\x08\0\0\0\0\0\0\x03", 10);
    for (const char *p = first; *p; p++, bit++)
        bomb[n + bit / 8] |= (uint8_t)((*p - '0') << bit % 8);
    for (unsigned i = 0; i < 260000; i++)
        for (const char *p = match; *p; p++, bit++)
            bomb[n + bit / 8] |= (uint8_t)((*p - '0') << bit % 8);
    n += bit / 8;
    snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", n);
    return say(fd, head) && put(fd, bomb, n);
}

/* gzip.compress(b'{"jsonrpc":"2.0","id":1,"result":"0x1"}', mtime=0) of Python 3.11 */
#define GZIP_BYTES                                                                                                     \
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\xca\x2a\xce\xcf\x2b\x2a\x48\x56\xb2\x52\x32\xd2"                 \
    "\x33\x50\xd2\x51\xca\x4c\x51\xb2\x32\xd4\x51\x2a\x4a\x2d\x2e\xcd\x29\x01\x8a\x1a\x54\x18\x2a\xd5"                 \
    "\x02\x00\xc0\x23\xc3\xed\x27\x00\x00\x00"

static const char *scripted; /* what be_scripted sends; then it closes */
static size_t scripted_len;

static bool be_scripted(int fd, const char *request)
{
    (void)request;
    (void)put(fd, scripted, scripted_len);
    return false;
}

/* ---- helpers ---- */

static hc_response_t ask(hc_t *c, uint16_t port, hc_request_t q)
{
    hc_response_t r;
    char url[120];
    snprintf(url, sizeof url, "http://user:pa55word@127.0.0.1:%u/secretkey?token=hidden", port);
    if (!q.url)
        q.url = url;
    hc_perform(c, &r, &q, 1, NULL, NULL);
    ck_assert_msg(!strstr(r.error, "pa55word") && !strstr(r.error, "secretkey") && !strstr(r.error, "hidden"), "%s",
                  r.error);
    ck_assert_msg((r.rc == RC_OK) == (r.error[0] == 0), "%s: %s", rc_name(r.rc), r.error);
    if (r.rc != RC_OK)
        ck_assert_msg(r.body == NULL && r.body_len == 0, "a failed request leaves a body");
    return r;
}

static const hc_request_t hasty = {
    .connect_timeout_ms = 1000, .timeout_ms = 1500, .stall_timeout_ms = 300, .body_max = 1 << 20
};

START_TEST(an_honest_answer_arrives_with_its_headers)
{
    fake_t *f = fake_new(be_honest);
    hc_t *c = hc_new(NULL);
    hc_response_t r = ask(c, f->port, (hc_request_t){ 0 });
    ck_assert_msg(r.rc == RC_OK, "%s", r.error);
    ck_assert_int_eq(r.status, 200);
    ck_assert_str_eq(r.content_type, "application/json");
    ck_assert_str_eq(r.consensus_version, "deneb");
    ck_assert_uint_eq(r.body_len, 2);
    ck_assert(memcmp(r.body, "{}", 2) == 0);
    hc_response_clear(&r);
    hc_free(c);
    fake_free(f);
}
END_TEST

START_TEST(requests_carry_what_was_asked_for_and_nothing_of_the_environment)
{
    fake_t *f = fake_new(be_echo);
    setenv("http_proxy", "http://127.0.0.1:1/", 1);
    hc_t *c = hc_new(NULL);
    hc_response_t r =
        ask(c, f->port, (hc_request_t){ .post = view_str("{\"id\":1}"), .accept = "application/octet-stream" });
    unsetenv("http_proxy");
    ck_assert_msg(r.rc == RC_OK, "%s", r.error);
    char *text = strndup((char *)r.body, r.body_len);
    ck_assert_ptr_nonnull(strstr(text, "POST /secretkey?token=hidden HTTP/1.1\r\n"));
    ck_assert_ptr_nonnull(strstr(text, "\r\nAccept: application/octet-stream\r\n"));
    ck_assert_ptr_nonnull(strstr(text, "\r\nContent-Type: application/json\r\n"));
    ck_assert_ptr_nonnull(strstr(text, "\r\nAccept-Encoding: gzip\r\n"));
    ck_assert_ptr_nonnull(strstr(text, "\r\nUser-Agent: kettle/" KETTLE_VERSION "\r\n"));
    ck_assert_ptr_nonnull(strstr(text, "\r\n\r\n{\"id\":1}"));
    ck_assert_ptr_null(strstr(text, "Expect"));
    free(text);
    hc_response_clear(&r);
    hc_free(c);
    fake_free(f);
}
END_TEST

/* Complete answers are answers, whatever their status; everything else is an error of the right kind. */
static const struct {
    const char *name, *bytes;
    size_t len;
    rc_t rc;
    int status;
    size_t body_len;
    uint32_t retry_after_ms;
} scripts[] = {
#define S(x) x, sizeof x - 1
    { "429 with Retry-After", S("HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nContent-Length: 1\r\n\r\nx"), RC_OK, 429, 1,
      7000 },
    { "503 with a long Retry-After", S("HTTP/1.1 503 No\r\nRetry-After: 99999999\r\nContent-Length: 0\r\n\r\n"), RC_OK,
      503, 0, 60000 },
    { "500", S("HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\n{}"), RC_OK, 500, 2, 0 },
    { "404", S("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}"), RC_OK, 404, 2, 0 },
    { "206", S("HTTP/1.1 206 Partial\r\nContent-Range: bytes 0-1/9\r\nContent-Length: 2\r\n\r\n{}"), RC_OK, 206, 2, 0 },
    { "204", S("HTTP/1.1 204 No Content\r\n\r\n"), RC_OK, 204, 0, 0 },
    { "302 is not followed", S("HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n"),
      RC_OK, 302, 0, 0 },
    { "307 is not followed", S("HTTP/1.1 307 T\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"), RC_OK,
      307, 0, 0 },
    { "100 then 200", S("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), RC_OK, 200, 2,
      0 },
    { "103 then 200", S("HTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), RC_OK,
      200, 2, 0 },
    { "no length, ended by close", S("HTTP/1.1 200 OK\r\n\r\n{}"), RC_OK, 200, 2, 0 },
    { "chunks", S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"), RC_OK, 200, 2,
      0 },
    { "length shorter than the body", S("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}garbage"), RC_OK, 200, 2, 0 },
    { "101 without being asked", S("HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n"), RC_IO, 0, 0, 0 },
    { "only 100", S("HTTP/1.1 100 Continue\r\n\r\n"), RC_IO, 0, 0, 0 },
    { "nothing", S(""), RC_IO, 0, 0, 0 },
    { "half a head", S("HTTP/1.1 200 OK\r\nContent-Le"), RC_IO, 0, 0, 0 },
    { "truncated body", S("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}"), RC_IO, 0, 0, 0 },
    { "truncated chunk", S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{}"), RC_IO, 0, 0, 0 },
    { "missing last chunk", S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"), RC_IO, 0, 0, 0 },
    { "chunk size no number", S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"), RC_IO, 0,
      0, 0 },
    { "chunk size beyond 64 bits", S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}"),
      RC_IO, 0, 0, 0 },
    { "chunk without its end", S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n"), RC_IO, 0,
      0, 0 },
    { "negative length", S("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}"), RC_MALFORMED, 0, 0, 0 },
    { "length no number", S("HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n{}"), RC_MALFORMED, 0, 0, 0 },
    { "length beyond 64 bits", S("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n{}"), RC_LIMIT, 0, 0,
      0 },
    { "length beyond the cap", S("HTTP/1.1 200 OK\r\nContent-Length: 4294967296\r\n\r\n{}"), RC_LIMIT, 0, 0, 0 },
    { "no HTTP at all", S("SSH-2.0-OpenSSH_9.2\r\n"), RC_MALFORMED, 0, 0, 0 },
    { "a body without a head", S("{\"jsonrpc\":\"2.0\"}"), RC_MALFORMED, 0, 0, 0 },
    { "an unknown version", S("HTTP/9.9 200 OK\r\nContent-Length: 2\r\n\r\n{}"), RC_MALFORMED, 0, 0, 0 },
    { "status of letters", S("HTTP/1.1 abc OK\r\nContent-Length: 2\r\n\r\n{}"), RC_MALFORMED, 0, 0, 0 },
    { "status out of range", S("HTTP/1.1 999 OK\r\nContent-Length: 2\r\n\r\n{}"), RC_MALFORMED, 0, 0, 0 },
    { "gzip that is none", S("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello"),
      RC_MALFORMED, 0, 0, 0 },
    { "unknown coding", S("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 5\r\n\r\nhello"), RC_MALFORMED, 0,
      0, 0 },
    { "gzip twice", S("HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\nContent-Length: 5\r\n\r\nhello"),
      RC_MALFORMED, 0, 0, 0 },
    { "NUL in a header", S("HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 2\r\n\r\n{}"), RC_MALFORMED, 0, 0, 0 },
#undef S
};

START_TEST(complete_answers_are_answers_and_all_else_is_an_error_of_its_kind)
{
    fake_t *f = fake_new(be_scripted);
    hc_t *c = hc_new(NULL);
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        scripted = scripts[i].bytes;
        scripted_len = scripts[i].len;
        hc_response_t r = ask(c, f->port, hasty);
        ck_assert_msg(r.rc == scripts[i].rc, "%s: %s: %s (status %d)", scripts[i].name, rc_name(r.rc), r.error,
                      r.status);
        if (r.rc == RC_OK) {
            ck_assert_msg(r.status == scripts[i].status, "%s: status %d", scripts[i].name, r.status);
            ck_assert_msg(r.body_len == scripts[i].body_len, "%s: %zu bytes", scripts[i].name, r.body_len);
            ck_assert_msg(r.retry_after_ms == scripts[i].retry_after_ms, "%s: retry %u", scripts[i].name,
                          r.retry_after_ms);
        }
        hc_response_clear(&r);
    }
    hc_free(c);
    fake_free(f);
}
END_TEST

static const struct {
    const char *name;
    behave_t behave;
    rc_t rc;
    unsigned at_most_ms;
} misbehaving[] = {
    { "drop", be_dropping, RC_IO, 1000 },
    { "reset", be_resetting, RC_IO, 1000 },
    { "hang", be_hanging, RC_TIMEOUT, 1000 },
    { "stall in the body", be_stalling, RC_TIMEOUT, 1000 },
    { "drip in the body", be_dripping, RC_TIMEOUT, 2200 },
    { "drip in the head", be_dripping_head, RC_TIMEOUT, 2200 },
    { "endless body", be_endless, RC_LIMIT, 1500 },
    { "endless chunks", be_endless_chunks, RC_LIMIT, 2200 },
    { "header flood", be_flooding_headers, RC_LIMIT, 1500 },
    { "one endless header", be_one_endless_header, RC_LIMIT, 1500 },
    { "endless 100 Continue", be_endless_continue, RC_LIMIT, 1500 },
    { "endless trailers", be_endless_trailers, RC_LIMIT, 1500 },
    { "gzip bomb", be_bombing, RC_LIMIT, 1500 },
};

START_TEST(no_misbehaviour_hangs_or_grows_the_client)
{
    hc_t *c = hc_new(NULL);
    for (size_t i = 0; i < sizeof misbehaving / sizeof misbehaving[0]; i++) {
        fake_t *f = fake_new(misbehaving[i].behave);
        uint64_t start = clock_ms();
        hc_response_t r = ask(c, f->port, hasty);
        uint64_t took = clock_ms() - start;
        ck_assert_msg(r.rc == misbehaving[i].rc, "%s: %s: %s", misbehaving[i].name, rc_name(r.rc), r.error);
        ck_assert_msg(took <= misbehaving[i].at_most_ms, "%s: took %llu ms", misbehaving[i].name,
                      (unsigned long long)took);
        hc_response_clear(&r);
        fake_free(f);
    }
    hc_free(c);
}
END_TEST

START_TEST(gzip_is_unpacked_and_a_body_may_be_as_large_as_its_cap_and_no_larger)
{
    static char answer[200000];
    fake_t *f = fake_new(be_scripted);
    hc_t *c = hc_new(NULL);
    int n = snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
                     sizeof GZIP_BYTES - 1);
    memcpy(answer + n, GZIP_BYTES, sizeof GZIP_BYTES - 1);
    scripted = answer;
    scripted_len = (size_t)n + sizeof GZIP_BYTES - 1;
    hc_request_t q = hasty;
    for (size_t max = 38; max <= 39; max++) {
        q.body_max = max;
        hc_response_t r = ask(c, f->port, q);
        ck_assert_msg(r.rc == (max == 39 ? RC_OK : RC_LIMIT), "cap %zu: %s", max, r.error);
        if (r.rc == RC_OK)
            ck_assert(
                view_eq(view_of(r.body, r.body_len), view_str("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x1\"}")));
        hc_response_clear(&r);
    }
    n = snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\n\r\n");
    memset(answer + n, 'x', 100000);
    scripted_len = (size_t)n + 100000;
    for (size_t max = 99999; max <= 100000; max++) {
        q.body_max = max;
        hc_response_t r = ask(c, f->port, q);
        ck_assert_msg(r.rc == (max == 100000 ? RC_OK : RC_LIMIT), "cap %zu: %s", max, r.error);
        hc_response_clear(&r);
    }
    hc_free(c);
    fake_free(f);
}
END_TEST

START_TEST(gzip_that_breaks_off_or_does_not_match_its_checksum_is_no_answer)
{
    static char answer[400];
    static const char gzip[] = GZIP_BYTES;
    fake_t *f = fake_new(be_scripted);
    hc_t *c = hc_new(NULL);
    for (size_t len = 0; len <= sizeof gzip - 1;
         len++) { /* the last round is whole, but a bit of its checksum is flipped */
        int n = snprintf(answer, sizeof answer,
                         "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", len);
        memcpy(answer + n, gzip, len);
        if (len == sizeof gzip - 1)
            answer[(size_t)n + len - 8] ^= 1;
        scripted = answer;
        scripted_len = (size_t)n + len;
        hc_response_t r = ask(c, f->port, hasty);
        ck_assert_msg(r.rc == (len == 0                ? RC_OK
                               : len < sizeof gzip - 1 ? RC_IO
                                                       : RC_MALFORMED),
                      "%zu bytes: %s: %s", len, rc_name(r.rc), r.error);
        ck_assert_uint_eq(r.body_len, 0); /* no bytes at all are an empty body, which is complete */
        hc_response_clear(&r);
    }
    hc_free(c);
    fake_free(f);
}
END_TEST

START_TEST(connections_are_kept_between_calls_and_threads)
{
    fake_t *f = fake_new(be_honest);
    hc_t *c = hc_new(NULL);
    for (unsigned i = 0; i < 20; i++) {
        hc_response_t r = ask(c, f->port, hasty);
        ck_assert_msg(r.rc == RC_OK, "%s", r.error);
        hc_response_clear(&r);
    }
    ck_assert_uint_eq(f->requests, 20);
    ck_assert_uint_eq(f->accepted, 1);
    hc_free(c);
    fake_free(f);
}
END_TEST

static atomic_uint turns;

static bool be_leaving(int fd, const char *request)
{
    be_honest(fd, request);
    return ++turns % 2 != 0; /* every second answer is the connection's last, without saying so */
}

START_TEST(a_kept_connection_that_has_died_is_replaced_without_an_error)
{
    fake_t *f = fake_new(be_leaving);
    hc_t *c = hc_new(NULL);
    for (unsigned i = 0; i < 10; i++) {
        hc_response_t r = ask(c, f->port, (hc_request_t){ .post = view_str("{}") });
        ck_assert_msg(r.rc == RC_OK, "%s", r.error);
        hc_response_clear(&r);
        pause_ms(5);
    }
    hc_free(c);
    fake_free(f);
}
END_TEST

START_TEST(requests_of_one_call_run_in_parallel_and_reuse_their_connections)
{
    enum { N = 12 };
    fake_t *f = fake_new(be_slow);
    hc_t *c = hc_new(NULL);
    hc_request_t q[N];
    hc_response_t r[N];
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", f->port);
    for (unsigned round = 0; round < 2; round++) {
        uint64_t start = clock_ms();
        for (unsigned i = 0; i < N; i++)
            q[i] = (hc_request_t){ .url = url };
        hc_perform(c, r, q, N, NULL, NULL);
        ck_assert_uint_lt(clock_ms() - start, 900); /* one after the other: 1800 */
        for (unsigned i = 0; i < N; i++) {
            ck_assert_msg(r[i].rc == RC_OK, "%s", r[i].error);
            hc_response_clear(&r[i]);
        }
    }
    ck_assert_uint_eq(f->open_peak, N);
    ck_assert_uint_eq(f->accepted, N);
    hc_free(c);
    fake_free(f);
}
END_TEST

START_TEST(requests_beyond_the_connections_of_a_host_wait_their_turn)
{
    enum { N = 40 };
    fake_t *f = fake_new(be_slow);
    hc_t *c = hc_new(NULL);
    hc_request_t q[N];
    hc_response_t r[N];
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", f->port);
    for (unsigned i = 0; i < N; i++)
        q[i] = (hc_request_t){ .url = url, .connect_timeout_ms = 200, .stall_timeout_ms = 250 };
    hc_perform(c, r, q, N, NULL, NULL);
    for (unsigned i = 0; i < N; i++) {
        ck_assert_msg(r[i].rc == RC_OK, "%u: %s", i, r[i].error);
        hc_response_clear(&r[i]);
    }
    ck_assert_uint_le(f->open_peak, 16);
    hc_free(c);
    fake_free(f);
}
END_TEST

START_TEST(one_bad_request_does_not_spoil_the_others_of_its_call)
{
    fake_t *good = fake_new(be_honest), *bad = fake_new(be_resetting), *hanging = fake_new(be_hanging);
    hc_t *c = hc_new(NULL);
    char url[3][64];
    hc_request_t q[4];
    hc_response_t r[4];
    snprintf(url[0], 64, "http://127.0.0.1:%u/", bad->port);
    snprintf(url[1], 64, "http://127.0.0.1:%u/", good->port);
    snprintf(url[2], 64, "http://127.0.0.1:%u/", hanging->port);
    for (unsigned i = 0; i < 4; i++) {
        q[i] = hasty;
        q[i].url = i < 3 ? url[i] : "ftp://127.0.0.1/";
    }
    hc_perform(c, r, q, 4, NULL, NULL);
    ck_assert_int_eq(r[0].rc, RC_IO);
    ck_assert_int_eq(r[1].rc, RC_OK);
    ck_assert_int_eq(r[2].rc, RC_TIMEOUT);
    ck_assert_int_eq(r[3].rc, RC_MALFORMED);
    for (unsigned i = 0; i < 4; i++)
        hc_response_clear(&r[i]);
    hc_perform(c, r, q, 0, NULL, NULL);
    hc_free(c);
    fake_free(good);
    fake_free(bad);
    fake_free(hanging);
}
END_TEST

static bool cancel_at(void *ctx)
{
    return clock_ms() >= *(uint64_t *)ctx;
}

START_TEST(cancel_ends_everything_soon)
{
    fake_t *f = fake_new(be_hanging);
    hc_t *c = hc_new(NULL);
    char url[64];
    hc_response_t r[3];
    uint64_t start = clock_ms(), at = start + 200;
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", f->port);
    hc_request_t q[3] = { { .url = url }, { .url = url }, { .url = url } };
    hc_perform(c, r, q, 3, cancel_at, &at);
    ck_assert_uint_lt(clock_ms() - start, 600);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_int_eq(r[i].rc, RC_TIMEOUT);
        ck_assert_ptr_nonnull(strstr(r[i].error, "cancelled"));
        hc_response_clear(&r[i]);
    }
    hc_free(c);
    fake_free(f);
}
END_TEST

typedef struct {
    hc_t *c;
    uint16_t port;
    unsigned good;
} user_t;

static void *user_main(void *arg)
{
    user_t *u = arg;
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", u->port);
    for (unsigned i = 0; i < 50; i++) {
        hc_request_t q[2] = { { .url = url }, { .url = url, .post = view_str("{}") } };
        hc_response_t r[2];
        hc_perform(u->c, r, q, 2, NULL, NULL);
        u->good += (r[0].rc == RC_OK ? 1u : 0u) + (r[1].rc == RC_OK ? 1u : 0u);
        hc_response_clear(&r[0]);
        hc_response_clear(&r[1]);
    }
    return NULL;
}

START_TEST(one_client_serves_many_threads_with_few_connections)
{
    enum { N = 6 };
    fake_t *f = fake_new(be_honest);
    hc_t *c = hc_new(NULL);
    pthread_t threads[N];
    user_t users[N];
    for (unsigned i = 0; i < N; i++) {
        users[i] = (user_t){ c, f->port, 0 };
        pthread_create(&threads[i], NULL, user_main, &users[i]);
    }
    for (unsigned i = 0; i < N; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_uint_eq(users[i].good, 100);
    }
    ck_assert_uint_eq(f->requests, N * 100);
    ck_assert_uint_le(f->accepted, N * 2);
    hc_free(c);
    fake_free(f);
}
END_TEST

START_TEST(a_closed_port_is_an_error_at_once)
{
    fake_t *f = fake_new(be_honest);
    uint16_t port = f->port;
    fake_free(f);
    hc_t *c = hc_new(NULL);
    hc_response_t r = ask(c, port, hasty);
    ck_assert_int_eq(r.rc, RC_IO);
    ck_assert_uint_lt(r.elapsed_ms, 900);
    hc_response_clear(&r);
    hc_free(c);
}
END_TEST

START_TEST(tls_against_a_server_that_speaks_none_fails_clearly)
{
    fake_t *f = fake_new(be_honest);
    hc_t *c = hc_new(NULL);
    char url[64];
    snprintf(url, sizeof url, "https://127.0.0.1:%u/", f->port);
    hc_request_t q = hasty;
    q.url = url;
    hc_response_t r = ask(c, f->port, q);
    ck_assert(r.rc == RC_IO || r.rc == RC_TIMEOUT);
    hc_response_clear(&r);
    hc_free(c);
    fake_free(f);
}
END_TEST

/* ---- TLS ---- */

typedef struct {
    char cert[4096], key[4096]; /* PEM, NUL-terminated */
    char ca_path[64];           /* the same certificate in a file; removed by tls_close */
    struct MHD_Daemon *daemon;
    uint16_t port;
    atomic_uint connections;
} tls_t;

static enum MHD_Result tls_answer(void *ctx, struct MHD_Connection *conn, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_len, void **request_ctx)
{
    static char body[] = "{}";
    static int seen;
    (void)ctx, (void)url, (void)method, (void)version, (void)upload, (void)upload_len;
    if (!*request_ctx) {
        *request_ctx = &seen;
        return MHD_YES;
    }
    struct MHD_Response *r = MHD_create_response_from_buffer(2, body, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result queued = MHD_queue_response(conn, 200, r);
    MHD_destroy_response(r);
    return queued;
}

static void tls_connection(void *ctx, struct MHD_Connection *conn, void **socket_ctx,
                           enum MHD_ConnectionNotificationCode code)
{
    (void)conn, (void)socket_ctx;
    ((tls_t *)ctx)->connections += code == MHD_CONNECTION_NOTIFY_STARTED ? 1u : 0u;
}

/* A self-signed certificate for one address, valid from a minute ago for valid_s seconds. */
static void tls_certify(tls_t *t, const uint8_t ip[4], time_t valid_s)
{
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t crt;
    size_t cert_len = sizeof t->cert - 1, key_len = sizeof t->key - 1;
    gnutls_x509_privkey_init(&key);
    gnutls_x509_crt_init(&crt);
    ck_assert_int_eq(
        gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0), 0);
    gnutls_x509_crt_set_version(crt, 3);
    gnutls_x509_crt_set_serial(crt, "\x01", 1);
    gnutls_x509_crt_set_activation_time(crt, time(NULL) - 60);
    gnutls_x509_crt_set_expiration_time(crt, time(NULL) - 60 + valid_s);
    gnutls_x509_crt_set_dn(crt, "CN=test", NULL);
    gnutls_x509_crt_set_key(crt, key);
    gnutls_x509_crt_set_ca_status(crt, 1);
    gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, ip, 4, GNUTLS_FSAN_SET);
    ck_assert_int_eq(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0), 0);
    ck_assert_int_eq(gnutls_x509_crt_export(crt, GNUTLS_X509_FMT_PEM, t->cert, &cert_len), 0);
    ck_assert_int_eq(gnutls_x509_privkey_export(key, GNUTLS_X509_FMT_PEM, t->key, &key_len), 0);
    t->cert[cert_len] = t->key[key_len] = 0;
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(key);
}

static void tls_open(tls_t *t, const uint8_t ip[4], time_t valid_s)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    *t = (tls_t){ .ca_path = "/tmp/kettle-test-ca-XXXXXX" };
    tls_certify(t, ip, valid_s);
    int fd = mkstemp(t->ca_path);
    ck_assert_int_eq(write(fd, t->cert, strlen(t->cert)), (ssize_t)strlen(t->cert));
    close(fd);
    t->daemon =
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TLS, 0, NULL, NULL, tls_answer, NULL,
                         MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_HTTPS_MEM_CERT, t->cert, MHD_OPTION_HTTPS_MEM_KEY,
                         t->key, MHD_OPTION_NOTIFY_CONNECTION, tls_connection, t, MHD_OPTION_END);
    ck_assert_ptr_nonnull(t->daemon);
    t->port = MHD_get_daemon_info(t->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

static void tls_close(tls_t *t)
{
    MHD_stop_daemon(t->daemon);
    unlink(t->ca_path);
}

static const uint8_t loopback[4] = { 127, 0, 0, 1 }, elsewhere[4] = { 127, 0, 0, 2 };

static rc_t tls_ask(const char *ca, uint16_t port, unsigned times)
{
    hc_t *c = hc_new(ca);
    char url[64];
    rc_t rc = RC_OK;
    snprintf(url, sizeof url, "https://127.0.0.1:%u/", port);
    for (unsigned i = 0; i < times && rc == RC_OK; i++) {
        hc_response_t r = ask(c, port, (hc_request_t){ .url = url });
        rc = r.rc;
        ck_assert_msg(rc == RC_OK || strstr(r.error, "certificate"), "%s", r.error);
        hc_response_clear(&r);
    }
    hc_free(c);
    return rc;
}

START_TEST(tls_needs_a_certificate_from_the_ca_file_for_this_host_and_time)
{
    tls_t good, other_host, expired;
    tls_open(&good, loopback, 3600);
    tls_open(&other_host, elsewhere, 3600);
    tls_open(&expired, loopback, 30);
    ck_assert_int_eq(tls_ask(good.ca_path, good.port, 10), RC_OK);
    ck_assert_uint_eq(good.connections, 1);                             /* kept */
    ck_assert_int_eq(tls_ask(other_host.ca_path, good.port, 1), RC_IO); /* another issuer */
    ck_assert_int_eq(tls_ask(NULL, good.port, 1), RC_IO);               /* the system's issuers */
    ck_assert_int_eq(tls_ask(other_host.ca_path, other_host.port, 1), RC_IO);
    ck_assert_int_eq(tls_ask(expired.ca_path, expired.port, 1), RC_IO);
    tls_close(&good);
    tls_close(&other_host);
    tls_close(&expired);
}
END_TEST

START_TEST(only_http_urls_with_a_host_pass_the_check)
{
    static const char *const good[] = { "http://a", "https://a.example:8545/key?x=y", "HTTP://[::1]:80/",
                                        "http://u:p@127.0.0.1" };
    static const char *const bad[] = { "",           "a.example",   "ftp://a",         "file:///etc/passwd",
                                       "http://",    "http://a b/", "http://a:99999/", "http://a\r\nX: y/",
                                       "gopher://a", "unix:/x",     "http://a:port/" };
    char *huge = malloc(20000);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        ck_assert_msg(hc_url_check(good[i]) == RC_OK, "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(hc_url_check(bad[i]) == RC_MALFORMED, "%s", bad[i]);
    ck_assert_int_eq(hc_url_check(NULL), RC_MALFORMED);
    memset(huge, 'a', 20000);
    memcpy(huge, "http://", 7);
    huge[19999] = 0;
    ck_assert_int_eq(hc_url_check(huge), RC_MALFORMED);
    free(huge);
}
END_TEST

START_TEST(an_origin_has_scheme_host_and_port_only)
{
    char out[64];
    hc_url_origin(out, sizeof out, "https://user:pass@rpc.example/v2/KEY?a=b");
    ck_assert_str_eq(out, "https://rpc.example:443");
    hc_url_origin(out, sizeof out, "http://[::1]:8545/x");
    ck_assert_str_eq(out, "http://[::1]:8545");
    hc_url_origin(out, sizeof out, "not a URL with a KEY");
    ck_assert_str_eq(out, "invalid URL");
    hc_url_origin(out, 8, "https://rpc.example/");
    ck_assert_str_eq(out, "https:/");
}
END_TEST

START_TEST(a_ca_file_that_cannot_be_read_is_refused)
{
    ck_assert_ptr_null(hc_new("/nonexistent/ca.pem"));
    hc_free(NULL);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("http_client");
    TCase *t = tcase_create("http_client");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, an_honest_answer_arrives_with_its_headers);
    tcase_add_test(t, requests_carry_what_was_asked_for_and_nothing_of_the_environment);
    tcase_add_test(t, complete_answers_are_answers_and_all_else_is_an_error_of_its_kind);
    tcase_add_test(t, no_misbehaviour_hangs_or_grows_the_client);
    tcase_add_test(t, gzip_is_unpacked_and_a_body_may_be_as_large_as_its_cap_and_no_larger);
    tcase_add_test(t, gzip_that_breaks_off_or_does_not_match_its_checksum_is_no_answer);
    tcase_add_test(t, connections_are_kept_between_calls_and_threads);
    tcase_add_test(t, a_kept_connection_that_has_died_is_replaced_without_an_error);
    tcase_add_test(t, requests_of_one_call_run_in_parallel_and_reuse_their_connections);
    tcase_add_test(t, requests_beyond_the_connections_of_a_host_wait_their_turn);
    tcase_add_test(t, one_bad_request_does_not_spoil_the_others_of_its_call);
    tcase_add_test(t, cancel_ends_everything_soon);
    tcase_add_test(t, one_client_serves_many_threads_with_few_connections);
    tcase_add_test(t, a_closed_port_is_an_error_at_once);
    tcase_add_test(t, tls_against_a_server_that_speaks_none_fails_clearly);
    tcase_add_test(t, tls_needs_a_certificate_from_the_ca_file_for_this_host_and_time);
    tcase_add_test(t, only_http_urls_with_a_host_pass_the_check);
    tcase_add_test(t, an_origin_has_scheme_host_and_port_only);
    tcase_add_test(t, a_ca_file_that_cannot_be_read_is_refused);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
