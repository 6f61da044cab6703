/* Which addresses a request may lead to; the client asks no other, however a name or a redirect leads there. */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "tests/unit/fake_server.h"
#include "tests/unit/http_ask.h"
#include "tests/unit/unit.h"

static bool allows(reach_t reach, const char *text)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        return reach_allows(reach, (const struct sockaddr *)&v4);
    ck_assert_msg(inet_pton(AF_INET6, text, &v6.sin6_addr) == 1, "%s", text);
    return reach_allows(reach, (const struct sockaddr *)&v6);
}

START_TEST(each_address_is_as_far_away_as_what_it_is_for)
{
    static const struct {
        reach_t needs; /* REACH_ALL: it alone */
        const char *address;
    } rows[] = {
        { REACH_PUBLIC, "1.1.1.1" },
        { REACH_PUBLIC, "8.8.8.8" },
        { REACH_PUBLIC, "9.255.255.255" },
        { REACH_PUBLIC, "11.0.0.0" },
        { REACH_PUBLIC, "100.63.255.255" },
        { REACH_PUBLIC, "100.128.0.0" },
        { REACH_PUBLIC, "126.255.255.255" },
        { REACH_PUBLIC, "128.0.0.0" },
        { REACH_PUBLIC, "169.253.255.255" },
        { REACH_PUBLIC, "169.255.0.0" },
        { REACH_PUBLIC, "172.15.255.255" },
        { REACH_PUBLIC, "172.32.0.0" },
        { REACH_PUBLIC, "192.167.255.255" },
        { REACH_PUBLIC, "192.169.0.0" },
        { REACH_PUBLIC, "198.17.255.255" },
        { REACH_PUBLIC, "198.20.0.0" },
        { REACH_PUBLIC, "223.255.255.255" },
        { REACH_PRIVATE, "10.0.0.0" },
        { REACH_PRIVATE, "10.255.255.255" },
        { REACH_PRIVATE, "172.16.0.1" },
        { REACH_PRIVATE, "172.31.255.255" },
        { REACH_PRIVATE, "192.168.0.1" },
        { REACH_PRIVATE, "100.64.0.0" },
        { REACH_PRIVATE, "100.127.255.255" },
        { REACH_LOCAL, "127.0.0.1" },
        { REACH_LOCAL, "127.255.255.255" },
        { REACH_ALL, "0.0.0.0" },
        { REACH_ALL, "0.255.255.255" },
        { REACH_ALL, "169.254.0.0" },
        { REACH_ALL, "169.254.169.254" },
        { REACH_ALL, "169.254.255.255" },
        { REACH_ALL, "100.100.100.200" },
        { REACH_ALL, "168.63.129.16" },
        { REACH_ALL, "192.0.0.192" },
        { REACH_ALL, "192.0.2.1" },
        { REACH_ALL, "192.88.99.1" },
        { REACH_ALL, "198.18.0.1" },
        { REACH_ALL, "198.19.255.255" },
        { REACH_ALL, "198.51.100.1" },
        { REACH_ALL, "203.0.113.1" },
        { REACH_ALL, "224.0.0.1" },
        { REACH_ALL, "240.0.0.1" },
        { REACH_ALL, "255.255.255.255" },
        { REACH_PUBLIC, "2606:4700:4700::1111" },
        { REACH_PUBLIC, "2a00::1" },
        { REACH_PUBLIC, "::ffff:1.1.1.1" },
        { REACH_PUBLIC, "64:ff9b::1.1.1.1" },
        { REACH_PUBLIC, "2002:101:101::1" },
        { REACH_PRIVATE, "fc00::1" },
        { REACH_PRIVATE, "fdff:ffff::1" },
        { REACH_PRIVATE, "::ffff:10.0.0.1" },
        { REACH_PRIVATE, "::ffff:192.168.1.1" },
        { REACH_PRIVATE, "64:ff9b::172.16.0.1" },
        { REACH_PRIVATE, "2002:a00:1::1" },
        { REACH_LOCAL, "::1" },
        { REACH_LOCAL, "::ffff:127.0.0.1" },
        { REACH_LOCAL, "::127.0.0.1" },
        { REACH_LOCAL, "::ffff:0:127.0.0.1" },
        { REACH_LOCAL, "64:ff9b::7f00:1" },
        { REACH_LOCAL, "2002:7f00:1::" },
        { REACH_ALL, "::" },
        { REACH_ALL, "::ffff:0.0.0.0" },
        { REACH_ALL, "::ffff:169.254.169.254" },
        { REACH_ALL, "::169.254.169.254" },
        { REACH_ALL, "64:ff9b::169.254.169.254" },
        { REACH_ALL, "64:ff9b:1::1.1.1.1" },
        { REACH_ALL, "2002:a9fe:a9fe::1" },
        { REACH_ALL, "2001::1" },
        { REACH_ALL, "2001:db8::1" },
        { REACH_ALL, "3fff::1" },
        { REACH_ALL, "fd00:ec2::254" },
        { REACH_ALL, "fe80::1" },
        { REACH_ALL, "febf::1" },
        { REACH_ALL, "fec0::1" },
        { REACH_ALL, "ff02::1" },
        { REACH_ALL, "100::1" },
        { REACH_ALL, "4000::1" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_msg(allows(REACH_ALL, rows[i].address), "%s", rows[i].address);
        for (reach_t reach = REACH_PUBLIC; reach <= REACH_LOCAL; reach++)
            ck_assert_msg(allows(reach, rows[i].address) == (rows[i].needs != REACH_ALL && reach >= rows[i].needs),
                          "%s, reach %d", rows[i].address, (int)reach);
    }
}
END_TEST

START_TEST(what_is_no_address_of_ip_is_never_within_reach)
{
    const struct sockaddr other = { .sa_family = AF_UNIX };
    ck_assert(!reach_allows(REACH_LOCAL, &other));
    ck_assert(reach_allows(REACH_ALL, &other));
}
END_TEST

/* Under each way of writing this machine's address, and by a name. */
START_TEST(the_client_opens_no_socket_out_of_reach)
{
    static const char *const hosts[] = { "127.0.0.1",  "127.1",     "2130706433",        "0x7f000001",
                                         "0177.0.0.1", "localhost", "[::ffff:127.0.0.1]" };
    fake_t *f = fake_new(be_honest);
    hc_t *c = hc_new(NULL);
    char url[100];
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
        for (reach_t reach = REACH_PUBLIC; reach <= REACH_PRIVATE; reach++) {
            snprintf(url, sizeof url, "http://%s:%u/", hosts[i], f->port);
            hc_request_t q = hasty;
            q.url = url;
            q.reach = reach;
            hc_response_t r = ask(c, f->port, q);
            ck_assert_msg(r.why.rc == RC_REFUSED && strstr(r.why.text, "may not be asked"), "%s: %s", url, r.why.text);
            hc_response_clear(&r);
        }
    ck_assert_uint_eq(f->accepted, 0);
    hc_free(c);
    fake_free(f);
}
END_TEST

/* A connection that another request has left open to the same place is none of its own. */
START_TEST(a_connection_that_is_open_already_is_not_used_and_none_is_left)
{
    fake_t *f = fake_new(be_honest);
    hc_t *c = hc_new(NULL);
    static const struct {
        reach_t reach;
        rc_t rc;
        unsigned accepted;
    } rows[] = { { REACH_ALL, RC_OK, 1 },          { REACH_ALL, RC_OK, 1 },   { REACH_PUBLIC, RC_REFUSED, 1 },
                 { REACH_PRIVATE, RC_REFUSED, 1 }, { REACH_LOCAL, RC_OK, 2 }, { REACH_LOCAL, RC_OK, 3 } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        hc_request_t q = hasty;
        q.reach = rows[i].reach;
        hc_response_t r = ask(c, f->port, q);
        ck_assert_msg(r.why.rc == rows[i].rc, "row %zu: %s", i, r.why.text);
        ck_assert_uint_eq(f->accepted, rows[i].accepted);
        hc_response_clear(&r);
    }
    hc_free(c);
    fake_free(f);
}
END_TEST

static bool be_moved(int fd, const char *request)
{
    (void)request;
    return say(fd, "HTTP/1.1 307 X\r\nLocation: http://169.254.169.254/latest/meta-data\r\nContent-Length: 0\r\n\r\n");
}

START_TEST(a_redirect_leads_no_further_than_its_request_may)
{
    fake_t *f = fake_new(be_moved);
    hc_t *c = hc_new(NULL);
    hc_request_t q = hasty;
    q.reach = REACH_LOCAL;
    hc_response_t r = ask(c, f->port, q);
    ck_assert_msg(r.why.rc == RC_REFUSED && strstr(r.why.text, "may not be asked"), "%s", r.why.text);
    ck_assert_uint_eq(f->accepted, 1);
    hc_response_clear(&r);
    hc_free(c);
    fake_free(f);
}
END_TEST

/* The rows of a POST: it was led there before, and its own URL is as near. */
START_TEST(where_a_request_was_led_before_is_within_its_reach_or_not_asked)
{
    fake_t *f = fake_new(be_honest);
    hc_t *c = hc_new(NULL);
    char led[64];
    snprintf(led, sizeof led, "http://localhost:%u/", f->port);
    for (reach_t reach = REACH_PUBLIC; reach <= REACH_LOCAL; reach++) {
        hc_request_t q = hasty;
        q.post = view_str("{}");
        q.led = led;
        q.reach = reach;
        hc_response_t r = ask(c, f->port, q);
        ck_assert_msg(r.why.rc == (reach == REACH_LOCAL ? RC_OK : RC_REFUSED), "reach %d: %s", (int)reach, r.why.text);
        ck_assert(r.led_failed == (reach != REACH_LOCAL));
        ck_assert_uint_eq(f->accepted, reach == REACH_LOCAL);
        hc_response_clear(&r);
    }
    hc_free(c);
    fake_free(f);
}
END_TEST

int main(void)
{
    return UNIT_RUN("reach", each_address_is_as_far_away_as_what_it_is_for,
                    what_is_no_address_of_ip_is_never_within_reach, the_client_opens_no_socket_out_of_reach,
                    a_connection_that_is_open_already_is_not_used_and_none_is_left,
                    a_redirect_leads_no_further_than_its_request_may,
                    where_a_request_was_led_before_is_within_its_reach_or_not_asked);
}
