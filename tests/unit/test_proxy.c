/* What proxies say: PROXY headers, good and bad, each cut off everywhere; Forwarded and X-Forwarded-For; who is listed. */
#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>

#include "http/proxy.h"
#include "tests/unit/proxy_headers.h"
#include "tests/unit/unit.h"

START_TEST(headers_give_who_is_behind_the_proxy_or_are_refused)
{
    for (size_t i = 0; i < PROXY_HEADERS; i++) {
        struct sockaddr_in6 from;
        bool known;
        size_t len = 0;
        char text[INET6_ADDRSTRLEN];
        uint8_t with_more[400];
        memcpy(with_more, proxy_headers[i].text, proxy_headers[i].len);
        memcpy(with_more + proxy_headers[i].len, "GET ", 4);
        rc_t rc = proxy_header(&from, &known, &len, view_of(with_more, proxy_headers[i].len + 4));
        ck_assert_msg(rc == proxy_headers[i].rc, "row %zu: %s", i, rc_name(rc));
        for (size_t n = 0; n < proxy_headers[i].len && rc == RC_OK; n++)
            ck_assert_msg(proxy_header(&from, &known, &len, view_of(with_more, n)) == RC_NEED_DATA, "row %zu: %zu", i,
                          n);
        if (rc)
            continue;
        ck_assert_int_eq(proxy_header(&from, &known, &len, view_of(with_more, proxy_headers[i].len)), RC_OK);
        ck_assert_uint_eq(len, proxy_headers[i].len);
        ck_assert_msg(known == (proxy_headers[i].from != NULL), "row %zu", i);
        if (!known)
            continue;
        ck_assert_str_eq(inet_ntop(AF_INET6, &from.sin6_addr, text, sizeof text), proxy_headers[i].from);
        ck_assert_uint_eq(ntohs(from.sin6_port), proxy_headers[i].port);
    }
}
END_TEST

#define UNREAD "100::" /* the one client of all that cannot be read */

static proxies_t two_proxies(void)
{
    proxies_t p = { .count = 0 };
    ck_assert_int_eq(proxies_add(&p, view_str("10.0.0.0/8")), RC_OK);
    ck_assert_int_eq(proxies_add(&p, view_str("2001:db8:1::/48")), RC_OK);
    return p;
}

/* Of each length: the network's addresses by their first bits, and the next one beside it. */
START_TEST(each_bit_of_a_prefix_counts_and_none_behind_it)
{
    for (unsigned bits = 0; bits <= 128; bits++) {
        proxies_t p = { .count = 0 };
        char text[32];
        ip_t inside = { .b = { 0 } }, beside = { .b = { 0 } };
        snprintf(text, sizeof text, "::/%u", bits);
        ck_assert_int_eq(proxies_add(&p, view_str(text)), RC_OK);
        for (unsigned i = bits; i < 128; i++)
            inside.b[i / 8] |= (uint8_t)(0x80 >> i % 8);
        ck_assert_msg(proxies_have(&p, &inside), "%s", text);
        if (!bits)
            continue;
        beside.b[(bits - 1) / 8] = (uint8_t)(0x80 >> (bits - 1) % 8);
        ck_assert_msg(!proxies_have(&p, &beside), "%s", text);
    }
}
END_TEST

START_TEST(networks_are_listed_by_their_prefix)
{
    static const struct {
        const char *text;
        bool listed;
    } rows[] = { { "10.0.0.1", true },        { "10.255.255.255", true },    { "11.0.0.1", false },
                 { "::ffff:10.1.2.3", true }, { "2001:db8:1:ffff::", true }, { "2001:db8:2::", false },
                 { "::10.0.0.1", false } };
    static const char *const bad[] = { "",       "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "10.0.0/8",
                                       "::/129", "localhost",   "/8",        "10.0.0.0/08" };
    proxies_t p = two_proxies();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ip_t ip;
        ck_assert(ip_read(&ip, view_str(rows[i].text)));
        ck_assert_msg(proxies_have(&p, &ip) == rows[i].listed, "%s", rows[i].text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(proxies_add(&p, view_str(bad[i])) == RC_MALFORMED, "%s", bad[i]);
    while (p.count < PROXIES_MAX)
        ck_assert_int_eq(proxies_add(&p, view_str("192.0.2.1")), RC_OK);
    ck_assert_int_eq(proxies_add(&p, view_str("192.0.2.1")), RC_LIMIT);
}
END_TEST

START_TEST(the_last_address_that_is_not_itself_a_proxy_is_the_client)
{
    static const struct {
        const char *fields[3]; /* "name:value" */
        const char *client;    /* NULL: nobody is named */
        bool standard;
    } rows[] = {
        { { "X-Forwarded-For:192.0.2.1" }, "192.0.2.1", false },
        { { "x-forwarded-for:192.0.2.1:8080" }, "192.0.2.1", false },
        { { "X-Forwarded-For:1.1.1.1, 192.0.2.1, 10.0.0.1" }, "192.0.2.1", false },
        { { "X-Forwarded-For:1.1.1.1", "X-Forwarded-For:192.0.2.1", "X-Forwarded-For:10.0.0.7,10.0.0.8" },
          "192.0.2.1",
          false },
        { { "X-Forwarded-For:2001:db8::7" }, "2001:db8::7", false },
        { { "X-Forwarded-For:[2001:db8::7]:443" }, "2001:db8::7", false },
        { { "X-Forwarded-For:192.0.2.1, unknown" }, UNREAD, false },
        { { "X-Forwarded-For:unknown, 192.0.2.1" }, "192.0.2.1", false },
        { { "X-Forwarded-For:\", 192.0.2.1" }, "192.0.2.1", false }, /* what a client sent, and what the proxy added */
        { { "X-Forwarded-For:1.1.1.1;\", 192.0.2.1, 10.0.0.1" }, "192.0.2.1", false },
        { { "X-Forwarded-For:\"192.0.2.1\"" }, UNREAD, false },
        { { "X-Forwarded-For:192.0.2.1," }, "192.0.2.1", false },
        { { "X-Forwarded-For:, ," }, UNREAD, false },
        { { "X-Forwarded-For:10.0.0.1" }, NULL, false },
        { { "X-Forwarded-For:" }, NULL, false },
        { { "X-Forwarded-For:192.0.2.1", "Forwarded:for=1.1.1.1" }, "192.0.2.1", false },
        { { "Forwarded:for=_x", "X-Forwarded-For:192.0.2.1" }, "192.0.2.1", false },
        { { "Forwarded:for=1.1.1.1" }, NULL, false },
        { { "X-Forwarded:192.0.2.1", "X-Real-IP:192.0.2.1" }, NULL, false },
        { { "Forwarded:for=192.0.2.1" }, "192.0.2.1", true },
        { { "Forwarded:proto=https;FOR=192.0.2.1;by=10.0.0.1" }, "192.0.2.1", true },
        { { "Forwarded:for=1.1.1.1, for=\"[2001:db8::7]:47\", for=10.0.0.1" }, "2001:db8::7", true },
        { { "Forwarded:for=\"1.1.1.1, 2.2.2.2\", for=192.0.2.1" }, "192.0.2.1", true },
        { { "Forwarded:for=192.0.2.1, for=_hidden" }, UNREAD, true },
        { { "Forwarded:by=192.0.2.1" }, UNREAD, true },
        { { "Forwarded:for=1.1.1.1;x=\", for=192.0.2.1" }, UNREAD, true },
        { { "Forwarded:for=1.1.1.1;x=\", for=\"[2001:db8::7]:47\"" }, UNREAD, true },
        { { "Forwarded:for=\", for=192.0.2.1" }, UNREAD, true },
        { { "Forwarded:for=192.0.2.1", "X-Forwarded-For:1.1.1.1" }, "192.0.2.1", true },
        { { "X-Forwarded-For:1.1.1.1" }, NULL, true },
    };
    const proxies_t p = two_proxies();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        forwarded_t f = { .proxies = &p, .standard = rows[i].standard };
        ip_t want;
        for (size_t k = 0; k < 3 && rows[i].fields[k]; k++) {
            const char *colon = strchr(rows[i].fields[k], ':');
            forwarded_field(&f, view_of(rows[i].fields[k], (size_t)(colon - rows[i].fields[k])), view_str(colon + 1));
        }
        ck_assert_msg(f.known == (rows[i].client != NULL), "row %zu", i);
        ck_assert(!f.known || ip_read(&want, view_str(rows[i].client)));
        ck_assert_msg(!f.known || memcmp(want.b, f.client.b, 16) == 0, "row %zu", i);
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN("proxy", headers_give_who_is_behind_the_proxy_or_are_refused,
                    each_bit_of_a_prefix_counts_and_none_behind_it, networks_are_listed_by_their_prefix,
                    the_last_address_that_is_not_itself_a_proxy_is_the_client);
}
