/* Clients behind proxies, and a server on several addresses: who is taken for whom, by real sockets. */
#include <check.h>

#include "base/os/log.h"
#include "http/clients.h"
#include "tests/unit/http_hand.h"
#include "tests/unit/unit.h"

#define LISTED "127.0.0.2"
#define GET "GET /who HTTP/1.1\r\nHost: x\r\n"

/* Says who asks: the address's last four bytes, and whether it stands for many. */
static void who(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    char *text = NULL;
    const uint8_t *k = q->client->key;
    (void)ctx;
    int n = asprintf(&text, "%u.%u.%u.%u%s", k[12], k[13], k[14], k[15], q->client->turns[0].exempt ? " many" : "");
    *r = (hs_response_t){ .status = 200, .body = (uint8_t *)text, .body_len = (size_t)n };
}

static const hs_route_t routes[] = { { "GET", "/who", who, 0 }, { "POST", "/who", who, 0 } };

static hs_t *start(hs_config_t k)
{
    err_t e;
    hs_t *s = NULL;
    proxies_t proxies = { .count = 0 };
    ck_assert_int_eq(proxies_add(&proxies, view_str(LISTED)), RC_OK);
    k.address = "127.0.0.1";
    k.routes = routes;
    k.route_count = sizeof routes / sizeof routes[0];
    k.proxies = &proxies;
    ck_assert_msg(hs_start(&s, &e, &k) == RC_OK, "%s", e.text);
    return s;
}

static void expect_on(int fd, const char *request, const char *body)
{
    ck_assert(say(fd, request));
    reply_t a = hear(fd, false);
    ck_assert_msg(a.status == 200 && strcmp(a.body, body) == 0, "%d: %s instead of %s", a.status, a.body, body);
    free(a.body);
}

static void expect(const hs_t *s, const char *from, const char *request, const char *body)
{
    int fd = dial_from(s, from);
    expect_on(fd, request, body);
    close(fd);
}

START_TEST(what_listed_proxies_say_is_taken_for_each_request)
{
    hs_t *s = start((hs_config_t){ 0 });
    expect(s, "127.0.0.3", GET "\r\n", "127.0.0.3");
    expect(s, "127.0.0.3", GET "X-Forwarded-For: 192.0.2.1\r\nForwarded: for=192.0.2.1\r\n\r\n", "127.0.0.3");
    expect(s, LISTED, GET "\r\n", "127.0.0.2 many");
    int fd = dial_from(s, LISTED);
    expect_on(fd, GET "X-Forwarded-For: 192.0.2.1\r\n\r\n", "192.0.2.1");
    expect_on(fd, GET "X-Forwarded-For: 1.1.1.1, 192.0.2.2, 127.0.0.2\r\n\r\n", "192.0.2.2");
    expect_on(fd, GET "X-Forwarded-For: \", 192.0.2.3\r\nForwarded: for=1.2.3.4\r\n\r\n", "192.0.2.3");
    expect_on(fd, GET "X-Forwarded-For: \"\r\n\r\n", "0.0.0.0"); /* bounded */
    expect_on(fd, GET "Forwarded: for=_x\r\n\r\n", "127.0.0.2 many");
    expect_on(fd, GET "\r\n", "127.0.0.2 many");
    close(fd);
    hs_stop(s, 1000);
    s = start((hs_config_t){ .by_forwarded = true });
    fd = dial_from(s, LISTED);
    expect_on(fd, GET "Forwarded: for=\"192.0.2.3:80\"\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n", "192.0.2.3");
    expect_on(fd, GET "Forwarded: for=_x\r\n\r\n", "0.0.0.0");
    close(fd);
    hs_stop(s, 1000);
}
END_TEST

/* How often the log says that proxies name clients by the other field. */
static unsigned told(hs_config_t k, const char *const requests[2])
{
    char text[4096] = "";
    FILE *log = tmpfile();
    unsigned n = 0;
    ck_assert_ptr_nonnull(log);
    log_redirect(log, 0);
    hs_t *s = start(k);
    for (unsigned i = 0; i < 4; i++) {
        const int fd = dial_from(s, i ? LISTED : "127.0.0.3");
        ck_assert(say(fd, requests[i % 2]));
        reply_t a = hear(fd, false);
        ck_assert_int_eq(a.status, 200);
        free(a.body);
        close(fd);
    }
    hs_stop(s, 1000);
    log_redirect(stderr, 0);
    rewind(log);
    ck_assert(fread(text, 1, sizeof text - 1, log) < sizeof text);
    for (const char *at = text; (at = strstr(at, "a listed proxy names a client by ")); at++)
        n++;
    fclose(log);
    return n;
}

START_TEST(a_proxy_that_names_clients_by_the_other_field_is_told_once)
{
    static const char *const standard[] = { GET "Forwarded: for=192.0.2.1\r\n\r\n",
                                            GET "forwarded: for=192.0.2.2\r\n\r\n" },
                             *const usual[] = { GET "X-Forwarded-For: 192.0.2.1\r\n\r\n", GET "\r\n" },
                             *const both[] = { GET "X-Forwarded-For: 192.0.2.1\r\nForwarded: for=1.2.3.4\r\n\r\n",
                                               GET "\r\n" };
    ck_assert_uint_eq(told((hs_config_t){ 0 }, standard), 1);
    ck_assert_uint_eq(told((hs_config_t){ 0 }, usual), 0);
    ck_assert_uint_eq(told((hs_config_t){ 0 }, both), 0);
    ck_assert_uint_eq(told((hs_config_t){ .by_forwarded = true }, usual), 1);
    ck_assert_uint_eq(told((hs_config_t){ .by_forwarded = true }, standard), 0);
}
END_TEST

START_TEST(connections_of_listed_proxies_begin_with_their_header)
{
    static const char v1[] = "PROXY TCP4 192.0.2.1 127.0.0.1 5000 80\r\n";
    static const char v2[] = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\5\x7f\0\0\1\xdc\4\1\xbb";
    hs_t *s = start((hs_config_t){ .proxy_protocol = true });
    int fd = dial_from(s, LISTED);
    for (size_t i = 0; i < sizeof v1 - 1; i++) { /* byte by byte */
        ck_assert(send_all(fd, v1 + i, 1));
        pause_ms(1);
    }
    expect_on(fd, GET "\r\n", "192.0.2.1");
    expect_on(fd, GET "X-Forwarded-For: 9.9.9.9\r\n\r\n", "192.0.2.1");
    close(fd);
    fd = dial_from(s, LISTED);
    ck_assert(send_all(fd, v2, sizeof v2 - 1));
    expect_on(fd, GET "\r\n", "192.0.2.5");
    close(fd);
    fd = dial_from(s, LISTED);
    ck_assert(say(fd, "PROXY UNKNOWN\r\n"));
    expect_on(fd, GET "\r\n", "127.0.0.2 many");
    expect_on(fd, GET "X-Forwarded-For: 192.0.2.9\r\n\r\n", "192.0.2.9");
    close(fd);
    hs_stop(s, 1000);
}
END_TEST

START_TEST(headers_from_others_and_connections_without_one_are_closed)
{
    hs_t *s = start((hs_config_t){ .proxy_protocol = true });
    int other = dial_from(s, "127.0.0.3"), bare = dial_from(s, LISTED), silent = dial_from(s, LISTED);
    ck_assert(say(other, "PROXY TCP4 192.0.2.1 127.0.0.1 5000 80\r\n" GET "\r\n"));
    reply_t a = hear(other, false);
    ck_assert_int_ne(a.status, 200);
    free(a.body);
    ck_assert(ended(other));
    ck_assert(say(bare, GET "\r\n"));
    ck_assert(ended(bare));
    expect(s, "127.0.0.3", GET "\r\n", "127.0.0.3"); /* while one waits */
    ck_assert(ended(silent));
    close(other);
    close(bare);
    close(silent);
    hs_stop(s, 1000);
}
END_TEST

START_TEST(silent_proxies_fill_no_places_of_others)
{
    enum { N = 300 };
    int fds[N];
    hs_t *s = start((hs_config_t){ .proxy_protocol = true, .connections_max = 8 });
    for (unsigned i = 0; i < N; i++)
        fds[i] = dial_from(s, LISTED);
    expect(s, "127.0.0.3", GET "\r\n", "127.0.0.3");
    ck_assert(ended(fds[0])); /* more than can wait: the oldest goes */
    for (unsigned i = 0; i < N; i++)
        close(fds[i]);
    hs_stop(s, 1000);
}
END_TEST

/* Bodies that a client behind a proxy begins and never ends. */
START_TEST(half_sent_bodies_behind_a_proxy_leave_room_for_others_behind_it)
{
    enum { N = 16, HALF = 60000 };
    static char half[HALF], whole[HALF + 200];
    static const char head[] =
        "POST /who HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.%u\r\nContent-Length: %u\r\n\r\n";
    int fds[N];
    char text[200];
    hs_t *s = start((hs_config_t){ .bodies_max = N * 65536, .headers_ms = 60000 });
    memset(half, 'x', sizeof half);
    snprintf(text, sizeof text, head, 1u, HALF + 1u);
    for (unsigned i = 0; i < N; i++) {
        fds[i] = dial_from(s, LISTED);
        ck_assert(say(fds[i], text) && send_all(fds[i], half, sizeof half));
    }
    pause_ms(300);
    const int n = snprintf(whole, sizeof whole, head, 2u, (unsigned)HALF);
    memset(whole + n, 'x', HALF);
    whole[n + HALF] = '\0';
    for (unsigned i = 0; i < 3; i++)
        expect(s, i == 1 ? "127.0.0.3" : LISTED, whole, i == 1 ? "127.0.0.3" : "192.0.2.2");
    for (unsigned i = 0; i < N; i++)
        close(fds[i]);
    hs_stop(s, 1000);
}
END_TEST

START_TEST(a_server_listens_on_each_address_it_is_given)
{
    static const char *const at[] = { "127.0.0.5", "127.0.0.6", "::1" };
    hs_t *s = start((hs_config_t){ .addresses = at, .address_count = 3 });
    for (unsigned i = 4; i < 8; i++) {
        struct sockaddr_in to = { .sin_family = AF_INET,
                                  .sin_port = htons(hs_port(s)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK + i) };
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        bool open = connect(fd, (struct sockaddr *)&to, sizeof to) == 0;
        ck_assert_msg(open == (i == 4 || i == 5), "127.0.0.%u", i + 1);
        if (open)
            expect_on(fd, GET "\r\n", "127.0.0.1");
        close(fd);
    }
    hs_stop(s, 1000);
}
END_TEST

int main(void)
{
    return UNIT_RUN("http_proxy", what_listed_proxies_say_is_taken_for_each_request,
                    a_proxy_that_names_clients_by_the_other_field_is_told_once,
                    connections_of_listed_proxies_begin_with_their_header,
                    headers_from_others_and_connections_without_one_are_closed, silent_proxies_fill_no_places_of_others,
                    half_sent_bodies_behind_a_proxy_leave_room_for_others_behind_it,
                    a_server_listens_on_each_address_it_is_given);
}
