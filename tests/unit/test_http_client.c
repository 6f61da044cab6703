/* HTTP client against a server that misbehaves in every way: answers, limits, errors. */
#include <sys/stat.h>

#include "tests/unit/fake_server.h"
#include "tests/unit/http_ask.h"
#include "tests/unit/unit.h"

/* ---- behaviours ---- */

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
    while (send_all(fd, block, sizeof block))
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
    return say(fd, head) && send_all(fd, bomb, n);
}

/* gzip.compress(b'{"jsonrpc":"2.0","id":1,"result":"0x1"}', mtime=0) of Python 3.11 */
#define GZIP_BYTES                                                                                                     \
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\xca\x2a\xce\xcf\x2b\x2a\x48\x56\xb2\x52\x32\xd2"                 \
    "\x33\x50\xd2\x51\xca\x4c\x51\xb2\x32\xd4\x51\x2a\x4a\x2d\x2e\xcd\x29\x01\x8a\x1a\x54\x18\x2a\xd5"                 \
    "\x02\x00\xc0\x23\xc3\xed\x27\x00\x00\x00"

static char scripted[200000]; /* what be_scripted sends; then it closes */
static size_t scripted_len;
static pthread_mutex_t script_lock = PTHREAD_MUTEX_INITIALIZER;

static void set_script(const void *bytes, size_t len)
{
    pthread_mutex_lock(&script_lock);
    memcpy(scripted, bytes, len);
    scripted_len = len;
    pthread_mutex_unlock(&script_lock);
}

static bool be_scripted(int fd, const char *request)
{
    (void)request;
    pthread_mutex_lock(&script_lock);
    (void)send_all(fd, scripted, scripted_len);
    pthread_mutex_unlock(&script_lock);
    return false;
}

/* ---- answers ---- */

static bool be_headed(int fd, const char *request)
{
    (void)request;
    return say(fd, "HTTP/1.1 200 OK\r\nTCB-Info-Issuer-Chain: -----BEGIN%20X-----\r\nContent-Length: 2\r\n\r\n{}");
}

START_TEST(the_header_that_was_asked_for_is_kept)
{
    fake_t *f = fake_new(be_headed);
    hc_t *c = hc_new(NULL);
    hc_response_t r = ask(c, f->port, (hc_request_t){ .want_header = "tcb-info-issuer-chain:" });
    ck_assert_int_eq(r.why.rc, RC_OK);
    ck_assert_str_eq(r.header, "-----BEGIN%20X-----");
    hc_response_clear(&r);
    ck_assert_ptr_null(r.header);
    r = ask(c, f->port, (hc_request_t){ .want_header = "SGX-PCK-CRL-Issuer-Chain:" });
    ck_assert_int_eq(r.why.rc, RC_OK);
    ck_assert_ptr_null(r.header);
    hc_response_clear(&r);
    hc_free(c);
    fake_free(f);
}
END_TEST

START_TEST(the_servers_date_is_read_where_it_is_one)
{
    static const struct {
        const char *headers;
        int64_t want;
    } rows[] = {
        { "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 784111777 }, /* RFC 9110 5.6.7, in its three forms */
        { "date:Sunday, 06-Nov-94 08:49:37 GMT\r\n", 784111777 },
        { "Date: Sun Nov  6 08:49:37 1994\r\n", 784111777 },
        { "Date: tomorrow\r\n", 0 },
        { "Date: \r\n", 0 },
        { "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n", 0 },
        { "Date: Sun, 06 Nov 1904 08:49:37 GMT\r\n", 0 },
        { "X-Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 0 },
        { "", 0 },
    };
    fake_t *f = fake_new(be_scripted);
    hc_t *c = hc_new(NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[256];
        int n = snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\n%sContent-Length: 2\r\n\r\n{}", rows[i].headers);
        set_script(text, (size_t)n);
        hc_response_t r = ask(c, f->port, (hc_request_t){ 0 });
        ck_assert_msg(r.why.rc == RC_OK && r.date_s == rows[i].want, "row %zu: %lld", i, (long long)r.date_s);
        hc_response_clear(&r);
    }
    hc_free(c);
    fake_free(f);
}
END_TEST

START_TEST(an_honest_answer_arrives_with_its_headers)
{
    fake_t *f = fake_new(be_honest);
    hc_t *c = hc_new(NULL);
    hc_response_t r = ask(c, f->port, (hc_request_t){ 0 });
    ck_assert_msg(r.why.rc == RC_OK, "%s", r.why.text);
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
    ck_assert_msg(r.why.rc == RC_OK, "%s", r.why.text);
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

START_TEST(proxies_of_the_environment_are_used_when_that_is_wanted)
{
    fake_t *proxy = fake_new(be_echo);
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%u", proxy->port);
    setenv("http_proxy", url, 1);
    setenv("no_proxy", "near.invalid", 1);
    hc_t *c = hc_new(NULL);
    hc_use_proxies(c, true);
    hc_response_t r = ask(c, 1, (hc_request_t){ .url = "http://far.invalid/x" });
    ck_assert_msg(r.why.rc == RC_OK, "%s", r.why.text);
    char *text = strndup((char *)r.body, r.body_len);
    ck_assert_ptr_nonnull(strstr(text, "GET http://far.invalid/x HTTP/1.1\r\n"));
    free(text);
    hc_response_clear(&r);
    r = ask(c, 1, (hc_request_t){ .url = "http://near.invalid/x" });
    ck_assert_ptr_nonnull(strstr(r.why.text, "DNS has no address of the host"));
    hc_response_clear(&r);
    unsetenv("http_proxy");
    unsetenv("no_proxy");
    hc_free(c);
    fake_free(proxy);
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
    { "307 that leads nowhere", S("HTTP/1.1 307 T\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"),
      RC_IO, 0, 0, 0 },
    { "307 to another scheme", S("HTTP/1.1 307 T\r\nLocation: ftp://127.0.0.1/\r\nContent-Length: 0\r\n\r\n"), RC_OK,
      307, 0, 0 },
    { "307 that leads to itself", S("HTTP/1.1 307 T\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"), RC_OK, 307, 0, 0 },
    { "304 that points somewhere", S("HTTP/1.1 304 T\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"), RC_OK, 304, 0, 0 },
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
    { "gzip by two headers",
      S("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n"),
      RC_MALFORMED, 0, 0, 0 },
    { "gzip in a trailer",
      S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nContent-Encoding: gzip\r\n\r\n"),
      RC_MALFORMED, 0, 0, 0 },
    { "identity", S("HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Length: 2\r\n\r\n{}"), RC_OK, 200, 2, 0 },
    { "429 with Retry-After 60", S("HTTP/1.1 429 No\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n"), RC_OK, 429, 0,
      60000 },
    { "429 with Retry-After 61", S("HTTP/1.1 429 No\r\nRetry-After: 61\r\nContent-Length: 0\r\n\r\n"), RC_OK, 429, 0,
      60000 },
    { "429 with Retry-After 0", S("HTTP/1.1 429 No\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"), RC_OK, 429, 0, 0 },
    { "unknown coding", S("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 5\r\n\r\nhello"), RC_MALFORMED, 0,
      0, 0 },
    { "gzip twice", S("HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\nContent-Length: 5\r\n\r\nhello"),
      RC_MALFORMED, 0, 0, 0 },
    { "NUL in a header", S("HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 2\r\n\r\n{}"), RC_MALFORMED, 0, 0, 0 },
#undef S
};

/* An error blames the answer where that is at fault, and names nobody: whoever asked knows whom. */
static void check_error(const hc_response_t *r, const char *name)
{
    const bool blamed = r->why.rc == RC_MALFORMED || r->why.rc == RC_LIMIT;
    if (r->why.rc)
        ck_assert_msg(strncmp(r->why.text, "the answer", blamed ? 10 : 0) == 0 && !strstr(r->why.text, "127.0.0.1"),
                      "%s: %s", name, r->why.text);
}

START_TEST(complete_answers_are_answers_and_all_else_is_an_error_of_its_kind)
{
    fake_t *f = fake_new(be_scripted);
    hc_t *c = hc_new(NULL);
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        set_script(scripts[i].bytes, scripts[i].len);
        hc_response_t r = ask(c, f->port, hasty);
        ck_assert_msg(r.why.rc == scripts[i].rc, "%s: %s: %s (status %d)", scripts[i].name, rc_name(r.why.rc),
                      r.why.text, r.status);
        check_error(&r, scripts[i].name);
        if (r.why.rc == RC_OK) {
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
        ck_assert_msg(r.why.rc == misbehaving[i].rc, "%s: %s: %s", misbehaving[i].name, rc_name(r.why.rc), r.why.text);
        check_error(&r, misbehaving[i].name);
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
    set_script(answer, (size_t)n + sizeof GZIP_BYTES - 1);
    hc_request_t q = hasty;
    for (size_t max = 38; max <= 39; max++) {
        q.body_max = max;
        hc_response_t r = ask(c, f->port, q);
        ck_assert_msg(r.why.rc == (max == 39 ? RC_OK : RC_LIMIT), "cap %zu: %s", max, r.why.text);
        if (r.why.rc == RC_OK)
            ck_assert(
                view_eq(view_of(r.body, r.body_len), view_str("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x1\"}")));
        hc_response_clear(&r);
    }
    n = snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\n\r\n");
    memset(answer + n, 'x', 100000);
    set_script(answer, (size_t)n + 100000);
    for (size_t max = 99999; max <= 100000; max++) {
        q.body_max = max;
        hc_response_t r = ask(c, f->port, q);
        ck_assert_msg(r.why.rc == (max == 100000 ? RC_OK : RC_LIMIT), "cap %zu: %s", max, r.why.text);
        hc_response_clear(&r);
    }
    hc_free(c);
    fake_free(f);
}
END_TEST

static const char *coded;          /* what comes when a coding is asked for */
static atomic_uint codings, plain; /* requests that do, and that do not */

static bool be_misread(int fd, const char *request)
{
    const bool identity = strstr(request, "\r\nAccept-Encoding: identity\r\n") != NULL;
    atomic_fetch_add(identity ? &plain : &codings, 1);
    return say(fd, identity ? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}" : coded);
}

/* Once, and whoever asks is told: what an endpoint's coding is worth is remembered where the rest of it is. */
START_TEST(who_packs_its_answers_badly_is_asked_for_them_as_they_are)
{
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08",
    };
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        fake_t *f = fake_new(be_misread);
        hc_t *c = hc_new(NULL);
        coded = answers[i];
        atomic_store(&codings, 0);
        atomic_store(&plain, 0);
        for (unsigned k = 0; k < 4; k++) {
            hc_response_t r = ask(c, f->port, (hc_request_t){ .post = view_str("[]"), .plain = k > 1 });
            ck_assert(r.misread == (k < 2));
            ck_assert_msg(r.why.rc == RC_OK && r.status == 200 && r.body_len == 2, "%s", r.why.text);
            hc_response_clear(&r);
        }
        ck_assert_uint_eq(atomic_load(&plain), 4);
        ck_assert_uint_eq(atomic_load(&codings), 2);
        hc_free(c);
        fake_free(f);
    }
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
        set_script(answer, (size_t)n + len);
        hc_response_t r = ask(c, f->port, hasty);
        ck_assert_msg(r.why.rc == (len == 0                ? RC_OK
                                   : len < sizeof gzip - 1 ? RC_IO
                                                           : RC_MALFORMED),
                      "%zu bytes: %s: %s", len, rc_name(r.why.rc), r.why.text);
        ck_assert_uint_eq(r.body_len, 0); /* no bytes at all are an empty body, which is complete */
        hc_response_clear(&r);
    }
    hc_free(c);
    fake_free(f);
}
END_TEST

/* ---- header values of any length ---- */

enum { HEADER_FAR = 5000 };

/* An answer with one header of n letters behind name, between two others that have to arrive all the same. */
static hc_response_t ask_with_header(const fake_t *f, hc_t *c, const char *name, size_t n, char letter)
{
    static char answer[HEADER_FAR + 400], value[HEADER_FAR + 1];
    memset(value, letter, n);
    value[n] = 0;
    int len = snprintf(answer, sizeof answer,
                       "HTTP/1.1 200 OK\r\nX-Kept: one\r\n%s: %s\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\n{}",
                       name, value);
    set_script(answer, (size_t)len);
    return ask(c, f->port, (hc_request_t){ .want_header = "X-Kept:" });
}

static void others_arrived(const hc_response_t *r, const char *name, size_t n)
{
    ck_assert_msg(r->why.rc == RC_OK && r->status == 200, "%s of %zu: %s", name, n, r->why.text);
    ck_assert_msg(r->retry_after_ms == 7000, "%s of %zu: retry after %u", name, n, r->retry_after_ms);
    ck_assert_msg(r->header && strcmp(r->header, "one") == 0, "%s of %zu: %s", name, n, r->header);
    ck_assert_msg(r->body_len == 2 && memcmp(r->body, "{}", 2) == 0, "%s of %zu", name, n);
    ck_assert_ptr_null(r->peer);
}

START_TEST(a_header_value_that_does_not_fit_is_left_out_whole)
{
    static const size_t lengths[] = { 22, 23, 24, 25, 94, 95, 96, 97, HEADER_FAR };
    fake_t *f = fake_new(be_scripted);
    hc_t *c = hc_new(NULL);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        size_t n = lengths[i];
        hc_response_t r = ask_with_header(f, c, "Eth-Consensus-Version", n, 'v');
        others_arrived(&r, "version", n);
        ck_assert_uint_eq(strlen(r.consensus_version), n <= 23 ? n : 0);
        ck_assert_str_eq(r.content_type, "");
        hc_response_clear(&r);
        r = ask_with_header(f, c, "Content-Type", n, 't');
        others_arrived(&r, "type", n);
        ck_assert_uint_eq(strlen(r.content_type), n <= 95 ? n : 0);
        ck_assert_str_eq(r.consensus_version, "");
        hc_response_clear(&r);
    }
    hc_free(c);
    fake_free(f);
}
END_TEST

START_TEST(a_content_coding_of_any_length_is_refused_for_what_it_is)
{
    static const size_t lengths[] = { 1, 4, 14, 15, 16, 17, 300, HEADER_FAR };
    fake_t *f = fake_new(be_scripted);
    hc_t *c = hc_new(NULL);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        hc_response_t r = ask_with_header(f, c, "Content-Encoding", lengths[i], 'g');
        ck_assert_msg(r.why.rc == RC_MALFORMED, "%zu: %s", lengths[i], rc_name(r.why.rc));
        ck_assert_ptr_nonnull(strstr(r.why.text, "the answer has a content coding that was not asked for"));
        hc_response_clear(&r);
    }
    hc_free(c);
    fake_free(f);
}
END_TEST

START_TEST(a_header_that_was_asked_for_is_kept_at_any_length)
{
    static const size_t lengths[] = { 0, 1, 4095, HEADER_FAR };
    fake_t *f = fake_new(be_scripted);
    hc_t *c = hc_new(NULL);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        hc_response_t r =
            ask_with_header(f, c, "X-Kept", lengths[i], 'k'); /* the second of that name takes its place */
        ck_assert_int_eq(r.why.rc, RC_OK);
        ck_assert_uint_eq(strlen(r.header), lengths[i]);
        hc_response_clear(&r);
    }
    hc_free(c);
    fake_free(f);
}
END_TEST

START_TEST(only_a_status_line_starts_the_headers_anew)
{
    static const struct {
        const char *answer, *version, *kept;
    } rows[] = {
        { "HTTP/1.1 200 OK\r\nEth-Consensus-Version: deneb\r\nX-Kept: one\r\nHTTP2-Settings: x\r\nHT: y\r\nContent-Length: "
          "0\r\n\r\n",
          "deneb", "one" },
        { "HTTP/1.1 103 Hints\r\nEth-Consensus-Version: deneb\r\nX-Kept: one\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: "
          "0\r\n\r\n",
          "", NULL },
        { "HTTP/1.1 200 OK\r\nEth-Consensus-Version:\t deneb \t\r\nX-Kept:one \r\nContent-Length: 0\r\n\r\n", "deneb",
          "one" },
        { "HTTP/1.1 200 OK\r\nEth-Consensus-Version: de\x01neb\r\nX-Kept: o\x7fne\r\nContent-Length: 0\r\n\r\n", "",
          "" },
        { "HTTP/1.1 200 OK\r\nEth-Consensus-Version: \xe9\r\nX-Kept: ~ !\r\nContent-Length: 0\r\n\r\n", "", "~ !" },
        { "HTTP/1.1 200 OK\r\nEth-Consensus-Version-2: deneb\r\nX-Kep: one\r\nContent-Length: 0\r\n\r\n", "", NULL },
    };
    fake_t *f = fake_new(be_scripted);
    hc_t *c = hc_new(NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        set_script(rows[i].answer, strlen(rows[i].answer));
        hc_response_t r = ask(c, f->port, (hc_request_t){ .want_header = "X-Kept:" });
        ck_assert_msg(r.why.rc == RC_OK && r.status == 200, "row %zu: %s", i, r.why.text);
        ck_assert_msg(strcmp(r.consensus_version, rows[i].version) == 0, "row %zu: %s", i, r.consensus_version);
        ck_assert_pstr_eq(r.header, rows[i].kept);
        hc_response_clear(&r);
    }
    hc_free(c);
    fake_free(f);
}
END_TEST

/* ---- URLs ---- */

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

START_TEST(who_is_far_may_not_point_at_what_is_near_and_nobody_at_less_safety)
{
    static const struct {
        const char *from, *to;
        bool may;
    } rows[] = {
        { "http://a.example/x", "https://a.example/x", true },
        { "https://a.example/x", "https://b.example:8443/y?z", true },
        { "https://a.example/x", "http://a.example/x", false },
        { "http://a.example", "file:///etc/passwd", false },
        { "http://a.example", "http://127.0.0.1:9/", false },
        { "http://a.example", "http://127.1/", false },
        { "http://a.example", "http://2130706433/", false },
        { "http://a.example", "http://10.1.2.3/", false },
        { "http://a.example", "http://172.16.0.1/", false },
        { "http://a.example", "http://172.32.0.1/", true },
        { "http://a.example", "http://192.168.9.1/", false },
        { "http://a.example", "http://169.254.169.254/latest", false },
        { "http://a.example", "http://[::1]/", false },
        { "http://a.example", "http://LOCALHOST/", false },
        { "http://192.168.9.1", "http://192.168.9.2/", true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ck_assert_msg(hc_url_may_follow(rows[i].from, rows[i].to) == rows[i].may, "%s to %s", rows[i].from, rows[i].to);
}
END_TEST

static char moved_to[64];
static atomic_uint with_secret, followed;

static bool be_moving(int fd, const char *request)
{
    char head[200];
    with_secret += strstr(request, "\r\nAuthorization:") != NULL;
    snprintf(head, sizeof head, "HTTP/1.1 307 T\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", moved_to);
    return say(fd, head);
}

static bool be_target(int fd, const char *request)
{
    with_secret += 16 * (strstr(request, "uthorization") != NULL || strstr(request, "KEY") != NULL);
    followed += strncmp(request, "POST /there", 11) == 0 && strstr(request, "\r\n\r\n{}") != NULL;
    return be_honest(fd, request);
}

START_TEST(a_redirect_to_another_server_carries_the_body_and_no_secret)
{
    hc_t *c = hc_new(NULL);
    fake_t *from = fake_new(be_moving), *to = fake_new(be_target);
    char url[100];
    snprintf(moved_to, sizeof moved_to, "http://127.0.0.1:%u/there", to->port);
    snprintf(url, sizeof url, "http://user:pass@127.0.0.1:%u/KEY?k=KEY", from->port);
    hc_response_t r;
    const hc_request_t q = { .url = url, .post = view_str("{}") };
    hc_perform(c, &r, &q, 1, NULL, NULL);
    ck_assert_msg(r.why.rc == RC_OK && r.status == 200, "%s, %d", r.why.text, r.status);
    ck_assert_uint_eq(with_secret, 1); /* the first one's */
    ck_assert_uint_eq(followed, 1);
    hc_response_clear(&r);
    hc_free(c);
    fake_free(from);
    fake_free(to);
}
END_TEST

START_TEST(a_url_may_be_4096_characters_long_and_no_longer)
{
    char *url = malloc(4098);
    memset(url, 'a', 4097);
    memcpy(url, "http://h/", 9);
    for (size_t n = 4095; n <= 4097; n++) {
        url[n] = 0;
        ck_assert_msg(hc_url_check(url) == (n <= 4096 ? RC_OK : RC_MALFORMED), "%zu", n);
        url[n] = 'a';
    }
    free(url);
}
END_TEST

START_TEST(an_error_names_nothing_of_the_url_however_long_it_is)
{
    static const size_t lengths[] = { 60, 71, 72, 73, 250, 4000 };
    hc_t *c = hc_new(NULL);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        char url[4200] = "http://";
        memset(url + 7, 'h', lengths[i]);
        strcpy(url + 7 + lengths[i], ":8545/key");
        hc_response_t r = ask(c, 0, (hc_request_t){ .url = url, .unix_socket = "/nonexistent/socket" });
        ck_assert_int_eq(r.why.rc, RC_IO);
        ck_assert(r.why.text[0]);
        ck_assert_msg(!strstr(r.why.text, "http") && !strstr(r.why.text, "hhhh") && !strstr(r.why.text, "key") &&
                          !strstr(r.why.text, "nonexistent"),
                      "%s", r.why.text);
        hc_response_clear(&r);
    }
    hc_free(c);
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
    char folder[] = "/tmp/kettle-ca-XXXXXX", pipe[64];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(pipe, sizeof pipe, "%s/pipe", folder);
    ck_assert_int_eq(mkfifo(pipe, 0600), 0);
    ck_assert_ptr_null(hc_new("/nonexistent/ca.pem"));
    ck_assert_ptr_null(hc_new(pipe));
    hc_t *c = hc_new(NULL);
    const char *const files[] = { "/nonexistent/ca.pem", pipe, folder };
    for (size_t i = 0; i < 3; i++) {
        const hc_request_t request = { .url = "https://127.0.0.1:9/", .ca_file = files[i] };
        hc_response_t r;
        hc_perform(c, &r, &request, 1, NULL, NULL);
        ck_assert_int_eq(r.why.rc, RC_IO);
        ck_assert_ptr_nonnull(strstr(r.why.text, "the file of trusted certificates cannot be read"));
        hc_response_clear(&r);
    }
    hc_free(c);
    hc_free(NULL);
    unlink(pipe);
    rmdir(folder);
}
END_TEST

int main(void)
{
    return UNIT_RUN(
        "http_client", the_servers_date_is_read_where_it_is_one, an_honest_answer_arrives_with_its_headers,
        the_header_that_was_asked_for_is_kept, requests_carry_what_was_asked_for_and_nothing_of_the_environment,
        proxies_of_the_environment_are_used_when_that_is_wanted,
        complete_answers_are_answers_and_all_else_is_an_error_of_its_kind, no_misbehaviour_hangs_or_grows_the_client,
        gzip_is_unpacked_and_a_body_may_be_as_large_as_its_cap_and_no_larger,
        who_packs_its_answers_badly_is_asked_for_them_as_they_are,
        gzip_that_breaks_off_or_does_not_match_its_checksum_is_no_answer, only_http_urls_with_a_host_pass_the_check,
        a_header_value_that_does_not_fit_is_left_out_whole, a_content_coding_of_any_length_is_refused_for_what_it_is,
        a_header_that_was_asked_for_is_kept_at_any_length, only_a_status_line_starts_the_headers_anew,
        a_url_may_be_4096_characters_long_and_no_longer,
        who_is_far_may_not_point_at_what_is_near_and_nobody_at_less_safety,
        a_redirect_to_another_server_carries_the_body_and_no_secret,
        an_error_names_nothing_of_the_url_however_long_it_is, an_origin_has_scheme_host_and_port_only,
        a_ca_file_that_cannot_be_read_is_refused);
}
