/* The HTTP server with an identity: TLS 1.2 and 1.3 only, identities replaced while it runs, everything else as without. */
#include <pthread.h>
#include <signal.h>

#include "http/client.h"
#include "http/server.h"
#include "tests/unit/http_hand.h"
#include "tests/unit/proxy_headers.h"
#include "tests/unit/tls_client.h"
#include "tests/unit/unit.h"

#define BIG (5u << 20)
#define GET "GET /quick HTTP/1.1\r\nHost: a\r\n\r\n"

static view_t cert[2], key[2];
static hs_identity_t *identity[2];

static void quick(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx;
    *r = (hs_response_t){ .status = 200, .body = malloc(q->body.n + 2), .body_len = q->body.n + 2 };
    memset(r->body, '{', q->body.n + 2);
}

static void slow(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    pause_ms(50);
    quick(ctx, q, r);
}

static void big(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx, (void)q;
    *r = (hs_response_t){ .status = 200, .body = calloc(1, BIG), .body_len = BIG };
}

static const hs_route_t routes[] = {
    { "GET", "/quick", quick, 0 },
    { "POST", "/echo", quick, 0 },
    { "GET", "/slow", slow, HS_SLOW },
    { "GET", "/big", big, 0 },
};

static void set_up(void)
{
    err_t e;
    for (size_t i = 0; i < 2; i++) {
        tls_pair(&cert[i], &key[i], 3600);
        ck_assert_msg(hs_identity_new(&identity[i], &e, cert[i], key[i]) == RC_OK, "%s", e.text);
    }
}

static void tear_down(void)
{
    for (size_t i = 0; i < 2; i++) {
        hs_identity_unref(identity[i]);
        gnutls_free((void *)(uintptr_t)cert[i].p);
        gnutls_free((void *)(uintptr_t)key[i].p);
    }
}

static hs_t *start(hs_config_t k)
{
    err_t e;
    hs_t *s = NULL;
    k.address = "127.0.0.1";
    k.routes = routes;
    k.route_count = sizeof routes / sizeof routes[0];
    k.identity = identity[0];
    ck_assert_msg(hs_start(&s, &e, &k) == RC_OK, "%s", e.text);
    return s;
}

START_TEST(a_client_that_trusts_the_certificate_is_served)
{
    char ca[] = "/tmp/kettle-test-ca-XXXXXX", url[64];
    hs_t *s = start((hs_config_t){ 0 });
    tls_write_pem(ca, cert[0]);
    hc_t *c = hc_new(ca), *stranger = hc_new(NULL);
    hc_response_t r;
    for (unsigned i = 0; i < 3; i++) {
        snprintf(url, sizeof url, "https://127.0.0.1:%u/%s", hs_port(s), i == 0 ? "quick" : i == 1 ? "slow" : "big");
        hc_perform(c, &r, &(hc_request_t){ .url = url }, 1, NULL, NULL);
        ck_assert_msg(r.why.rc == RC_OK && r.status == 200, "%s: %s", url, r.why.text);
        ck_assert_uint_eq(r.body_len, i == 2 ? BIG : 2);
        hc_response_clear(&r);
    }
    hc_perform(stranger, &r, &(hc_request_t){ .url = url }, 1, NULL, NULL);
    ck_assert_int_eq(r.why.rc, RC_IO);
    ck_assert_ptr_nonnull(strstr(r.why.text, "certificate"));
    hc_response_clear(&r);
    hc_free(c);
    hc_free(stranger);
    hs_stop(s, 100);
    unlink(ca);
}
END_TEST

START_TEST(only_tls_1_2_and_1_3_with_forward_secrecy_are_spoken)
{
    static const struct {
        const char *priorities;
        bool served;
    } rows[] = {
        { "NORMAL:-VERS-ALL:+VERS-TLS1.3", true },
        { "NORMAL:-VERS-ALL:+VERS-TLS1.2", true },
        { "NORMAL:-VERS-ALL:+VERS-TLS1.1:+SHA1:%COMPAT", false },
        { "NORMAL:-VERS-ALL:+VERS-TLS1.0:+SHA1:%COMPAT", false },
        { "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA", false },
        { "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CBC", false },
    };
    hs_t *s = start((hs_config_t){ 0 });
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tls_client_t c;
        bool served = tls_dial(&c, hs_port(s), rows[i].priorities);
        ck_assert_msg(served == rows[i].served, "%s", rows[i].priorities);
        if (served)
            ck_assert_int_eq(tls_ask(&c, GET, NULL), 200);
        tls_hang_up(&c);
    }
    hs_stop(s, 100);
}
END_TEST

START_TEST(old_connections_survive_a_new_identity_and_new_ones_see_it)
{
    hs_t *s = start((hs_config_t){ .event_threads = 3 });
    tls_client_t old[4], new;
    for (size_t i = 0; i < 4; i++) {
        ck_assert(tls_dial(&old[i], hs_port(s), NULL));
        ck_assert(view_eq(tls_peer(&old[i]), cert[0]));
    }
    hs_set_identity(s, identity[1]);
    hs_identity_unref(identity[0]); /* the connections keep it */
    identity[0] = NULL;
    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(tls_ask(&old[i], GET, NULL), 200);
    ck_assert(tls_dial(&new, hs_port(s), NULL));
    ck_assert(view_eq(tls_peer(&new), cert[1]));
    ck_assert_int_eq(tls_ask(&new, GET, NULL), 200);
    for (size_t i = 0; i < 4; i++)
        tls_hang_up(&old[i]);
    tls_hang_up(&new);
    hs_stop(s, 100);
}
END_TEST

START_TEST(a_handshake_that_has_begun_ends_with_the_identity_of_its_beginning)
{
    hs_t *s = start((hs_config_t){ 0 });
    int fd = tls_tcp(hs_port(s)); /* accepted, but silent */
    tls_client_t probe;
    ck_assert(tls_dial(&probe, hs_port(s), NULL));
    hs_set_identity(s, identity[1]);
    hs_identity_unref(identity[0]);
    identity[0] = NULL;
    tls_hang_up(&probe);
    tls_client_t c = { .fd = fd };
    gnutls_init(&c.session, GNUTLS_CLIENT);
    gnutls_certificate_allocate_credentials(&c.credentials);
    gnutls_credentials_set(c.session, GNUTLS_CRD_CERTIFICATE, c.credentials);
    gnutls_set_default_priority(c.session);
    gnutls_transport_set_int(c.session, fd);
    ck_assert_int_eq(gnutls_handshake(c.session), 0);
    ck_assert_int_eq(tls_ask(&c, GET, NULL), 200);
    tls_hang_up(&c);
    hs_stop(s, 100);
}
END_TEST

START_TEST(plain_http_is_refused_and_harms_nobody)
{
    hs_t *s = start((hs_config_t){ 0 });
    char buf[512];
    tls_client_t c;
    for (unsigned i = 0; i < 20; i++) {
        int fd = tls_tcp(hs_port(s));
        ck_assert(say(fd, GET));
        ssize_t n, all = 0;
        while ((n = recv(fd, buf, sizeof buf, 0)) > 0) {
            ck_assert_ptr_null(memmem(buf, (size_t)n, "HTTP/1.1 200", 12));
            all += n;
        }
        ck_assert_int_le(all, 16); /* at most an alert, and the end */
        close(fd);
    }
    ck_assert(tls_dial(&c, hs_port(s), NULL));
    ck_assert_int_eq(tls_ask(&c, GET, NULL), 200);
    tls_hang_up(&c);
    hs_stop(s, 100);
}
END_TEST

START_TEST(a_handshake_that_stalls_is_ended)
{
    hs_t *s = start((hs_config_t){ .idle_timeout_s = 1 });
    uint64_t begun = clock_ms();
    char buf[16];
    int fd = tls_tcp(hs_port(s));
    ck_assert(send_all(fd, "\x16\x03\x01\x02\x00", 5)); /* the head of a ClientHello */
    ck_assert_int_le(recv(fd, buf, sizeof buf, 0), 0);
    ck_assert_uint_lt(clock_ms() - begun, 5000);
    close(fd);
    hs_stop(s, 100);
}
END_TEST

START_TEST(bodies_limits_and_pipelined_requests_work_as_without_tls)
{
    hs_t *s = start((hs_config_t){ .body_max = 100000 });
    tls_client_t c;
    size_t n;
    static char request[200000];
    ck_assert(tls_dial(&c, hs_port(s), NULL));
    for (size_t len = 1; len <= 100000; len = len * 7 + 1) {
        int head =
            snprintf(request, sizeof request, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n", len);
        memset(request + head, 'x', len);
        request[(size_t)head + len] = '\0';
        size_t sent = 0;
        while (strlen(request) - sent > 8192) { /* in more than one record */
            ck_assert_int_gt(gnutls_record_send(c.session, request + sent, 8192), 0);
            sent += 8192;
        }
        ck_assert_int_eq(tls_ask(&c, request + sent, &n), 200);
        ck_assert_uint_eq(n, len + 2);
    }
    ck_assert_int_eq(tls_ask(&c, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100001\r\n\r\n", NULL), 413);
    tls_hang_up(&c);
    ck_assert(
        tls_dial(&c, hs_port(s), NULL)); /* a chunked body that grows too long: refused in the middle, inside TLS */
    int head = snprintf(request, sizeof request,
                        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n", 16000);
    memset(request + head, 'x', 16000);
    request[head + 16000] = '\0';
    ck_assert_int_gt(gnutls_record_send(c.session, request, strlen(request)), 0);
    snprintf(request, sizeof request, "\r\n%x\r\n", 16000);
    memset(request + 8, 'x', 16000);
    request[8 + 16000] = '\0';
    for (unsigned i = 0; i < 5; i++)
        ck_assert_int_gt(gnutls_record_send(c.session, request, 8 + 16000), 0);
    ck_assert_int_eq(tls_ask(&c, request, NULL), 413);
    tls_hang_up(&c);
    hs_stop(s, 100);
}
END_TEST

static void *dial_often(void *arg)
{
    hs_t *s = arg;
    for (unsigned i = 0; i < 15; i++) {
        tls_client_t c;
        if (!tls_dial(&c, hs_port(s), NULL) ||
            tls_ask(&c, i % 2 ? GET : "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n", NULL) != 200)
            return NULL;
        if (!view_eq(tls_peer(&c), cert[0]) && !view_eq(tls_peer(&c), cert[1]))
            return NULL;
        tls_hang_up(&c);
    }
    return arg;
}

START_TEST(identities_change_while_many_connect)
{
    hs_t *s = start((hs_config_t){ .event_threads = 2 });
    pthread_t threads[4];
    void *done;
    for (size_t i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, dial_often, s);
    for (size_t i = 0; i < 100; i++) {
        hs_set_identity(s, identity[i % 2]);
        pause_ms(3);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], &done);
        ck_assert_ptr_nonnull(done);
    }
    hs_stop(s, 100);
}
END_TEST

START_TEST(a_key_of_another_certificate_is_no_identity)
{
    hs_identity_t *i;
    err_t e = { 0 };
    ck_assert_int_eq(hs_identity_new(&i, &e, cert[0], key[1]), RC_MALFORMED);
    ck_assert_int_ne(e.text[0], 0);
    ck_assert_int_eq(hs_identity_new(&i, &e, view_str("none"), key[1]), RC_MALFORMED);
    ck_assert_int_eq(hs_identity_new(&i, &e, cert[0], view_str("none")), RC_MALFORMED);
}
END_TEST

/* A connection from an address of 127.0.0.0/8 on which some bytes were sent in front of TLS: whether it gets an answer. */
static bool served_behind(const hs_t *s, const char *from, const char *text, size_t len)
{
    static const struct timeval patience = { .tv_sec = 20 };
    tls_client_t c;
    const int fd = dial_from(s, from);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ck_assert(send_all(fd, text, len));
    const bool served = tls_shake(&c, fd, NULL) && tls_ask(&c, GET, NULL) == 200;
    tls_hang_up(&c);
    return served;
}

/* Before TLS, as dstack's gateway sends it: from whom it is not expected, it is no handshake. */
START_TEST(a_header_of_a_listed_proxy_stands_in_front_of_tls)
{
    proxies_t listed = { .count = 0 };
    ck_assert_int_eq(proxies_add(&listed, view_str("127.0.0.2")), RC_OK);
    hs_t *s = start((hs_config_t){ .proxies = &listed, .proxy_protocol = true });
    for (size_t i = 0; i < PROXY_HEADERS; i++) {
        const char *text = proxy_headers[i].text;
        const size_t len = proxy_headers[i].len;
        ck_assert_msg(served_behind(s, "127.0.0.2", text, len) == (proxy_headers[i].rc == RC_OK), "row %zu", i);
        ck_assert_msg(!served_behind(s, "127.0.0.3", text, len), "row %zu, from who is no proxy", i);
    }
    ck_assert(served_behind(s, "127.0.0.3", "", 0));
    hs_stop(s, 100);
}
END_TEST

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    return UNIT_RUN_AROUND("http_tls_server", set_up, tear_down, a_client_that_trusts_the_certificate_is_served,
                           only_tls_1_2_and_1_3_with_forward_secrecy_are_spoken,
                           old_connections_survive_a_new_identity_and_new_ones_see_it,
                           a_handshake_that_has_begun_ends_with_the_identity_of_its_beginning,
                           plain_http_is_refused_and_harms_nobody, a_handshake_that_stalls_is_ended,
                           bodies_limits_and_pipelined_requests_work_as_without_tls,
                           identities_change_while_many_connect, a_header_of_a_listed_proxy_stands_in_front_of_tls,
                           a_key_of_another_certificate_is_no_identity);
}
