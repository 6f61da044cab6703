/* What proxies say: PROXY headers, good and bad, each cut off everywhere; Forwarded and X-Forwarded-For; who is listed. */
#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>

#include "http/proxy.h"
#include "tests/unit/unit.h"

#define V2 "\r\n\r\n\0\r\nQUIT\n"
#define RAW(text) text, sizeof(text) - 1

static const struct {
    const char *text;
    size_t len;
    rc_t rc;
    const char *from; /* NULL: not known */
    unsigned port;
} headers[] = {
    /* version 1 */
    { RAW("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n"), RC_OK, "::ffff:192.0.2.1", 56324 },
    { RAW("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"), RC_OK, "::ffff:255.255.255.255", 65535 },
    { RAW("PROXY TCP6 2001:db8::1 2001:db8::2 1 443\r\n"), RC_OK, "2001:db8::1", 1 },
    { RAW("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
      RC_OK, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535 },
    { RAW("PROXY UNKNOWN\r\n"), RC_OK, NULL, 0 },
    { RAW("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n"), RC_OK, NULL, 0 },
    { RAW("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\n"), RC_MALFORMED, NULL, 0 },
    { RAW("PROXY TCP4 192.0.2.1 198.51.100.1 56324\r\n"), RC_MALFORMED, NULL, 0 },
    { RAW("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443 1\r\n"), RC_MALFORMED, NULL, 0 },
    { RAW("PROXY TCP4 192.0.2.1 198.51.100.1 65536 443\r\n"), RC_MALFORMED, NULL, 0 },
    { RAW("PROXY TCP4 192.0.2.1 198.51.100.1 056 443\r\n"), RC_MALFORMED, NULL, 0 },
    { RAW("PROXY TCP4 192.0.2.1 198.51.100.1 -1 443\r\n"), RC_MALFORMED, NULL, 0 },
    { RAW("PROXY TCP4 192.0.2 198.51.100.1 56324 443\r\n"), RC_MALFORMED, NULL, 0 },
    { RAW("PROXY TCP4 2001:db8::1 2001:db8::2 56324 443\r\n"), RC_MALFORMED, NULL, 0 },
    { RAW("PROXY TCP6 192.0.2.1 198.51.100.1 56324 443\r\n"), RC_MALFORMED, NULL, 0 },
    { RAW("PROXY TCP4  192.0.2.1 198.51.100.1 56324 443\r\n"), RC_MALFORMED, NULL, 0 },
    { RAW("PROXY UDP4 192.0.2.1 198.51.100.1 56324 443\r\n"), RC_MALFORMED, NULL, 0 },
    { RAW("PROXY example.org 198.51.100.1 56324 443\r\n"), RC_MALFORMED, NULL, 0 },
    { RAW("PROXY \r\n"), RC_MALFORMED, NULL, 0 },
    { RAW("proxy TCP4 192.0.2.1 198.51.100.1 56324 443\r\n"), RC_MALFORMED, NULL, 0 },
    { RAW("GET / HTTP/1.1\r\n\r\n"), RC_MALFORMED, NULL, 0 },
    { RAW("PROXY TCP4 0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
          "0000\r\n"),
      RC_MALFORMED, NULL, 0 },
    /* version 2 */
    { RAW(V2 "\x21\x11\0\x0c\xc0\0\2\1\xc6\x33\x64\1\xdc\4\1\xbb"), RC_OK, "::ffff:192.0.2.1", 56324 },
    { RAW(V2 "\x21\x11\0\x11\xc0\0\2\1\xc6\x33\x64\1\xdc\4\1\xbb\4\0\2ab"), RC_OK, "::ffff:192.0.2.1", 56324 },
    { RAW(V2 "\x21\x21\0\x24\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2\xdc\4\1\xbb"),
      RC_OK, "2001:db8::1", 56324 },
    { RAW(V2 "\x20\0\0\0"), RC_OK, NULL, 0 },
    { RAW(V2 "\x20\x11\0\x0c\xc0\0\2\1\xc6\x33\x64\1\xdc\4\1\xbb"), RC_OK, NULL, 0 },
    { RAW(V2 "\x21\0\0\0"), RC_OK, NULL, 0 },
    { RAW(V2 "\x21\x12\0\x0c\xc0\0\2\1\xc6\x33\x64\1\xdc\4\1\xbb"), RC_OK, NULL, 0 },
    { RAW(V2 "\x21\x11\0\x0b\xc0\0\2\1\xc6\x33\x64\1\xdc\4\1"), RC_MALFORMED, NULL, 0 },
    { RAW(V2 "\x21\x21\0\x0c\xc0\0\2\1\xc6\x33\x64\1\xdc\4\1\xbb"), RC_MALFORMED, NULL, 0 },
    { RAW(V2 "\x11\x11\0\x0c\xc0\0\2\1\xc6\x33\x64\1\xdc\4\1\xbb"), RC_MALFORMED, NULL, 0 },
    { RAW(V2 "\x22\x11\0\x0c\xc0\0\2\1\xc6\x33\x64\1\xdc\4\1\xbb"), RC_MALFORMED, NULL, 0 },
    { RAW(V2 "\x21\x41\0\x0c\xc0\0\2\1\xc6\x33\x64\1\xdc\4\1\xbb"), RC_MALFORMED, NULL, 0 },
    { RAW(V2 "\x21\x13\0\x0c\xc0\0\2\1\xc6\x33\x64\1\xdc\4\1\xbb"), RC_MALFORMED, NULL, 0 },
    { RAW(V2 "\x21\x11\4\0"), RC_MALFORMED, NULL, 0 },
    { RAW("\r\n\r\n\0\r\nQUIX\n\x21\x11\0\x0c"), RC_MALFORMED, NULL, 0 },
};

START_TEST(headers_give_who_is_behind_the_proxy_or_are_refused)
{
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        struct sockaddr_in6 from;
        bool known;
        size_t len = 0;
        char text[INET6_ADDRSTRLEN];
        uint8_t with_more[400];
        memcpy(with_more, headers[i].text, headers[i].len);
        memcpy(with_more + headers[i].len, "GET ", 4);
        rc_t rc = proxy_header(&from, &known, &len, view_of(with_more, headers[i].len + 4));
        ck_assert_msg(rc == headers[i].rc, "row %zu: %s", i, rc_name(rc));
        for (size_t n = 0; n < headers[i].len && rc == RC_OK; n++)
            ck_assert_msg(proxy_header(&from, &known, &len, view_of(with_more, n)) == RC_NEED_DATA, "row %zu: %zu", i,
                          n);
        if (rc)
            continue;
        ck_assert_int_eq(proxy_header(&from, &known, &len, view_of(with_more, headers[i].len)), RC_OK);
        ck_assert_uint_eq(len, headers[i].len);
        ck_assert_msg(known == (headers[i].from != NULL), "row %zu", i);
        if (!known)
            continue;
        ck_assert_str_eq(inet_ntop(AF_INET6, &from.sin6_addr, text, sizeof text), headers[i].from);
        ck_assert_uint_eq(ntohs(from.sin6_port), headers[i].port);
    }
}
END_TEST

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
    } rows[] = {
        { { "X-Forwarded-For:192.0.2.1" }, "192.0.2.1" },
        { { "x-forwarded-for:192.0.2.1:8080" }, "192.0.2.1" },
        { { "X-Forwarded-For:1.1.1.1, 192.0.2.1, 10.0.0.1" }, "192.0.2.1" },
        { { "X-Forwarded-For:1.1.1.1", "X-Forwarded-For:192.0.2.1", "X-Forwarded-For:10.0.0.7,10.0.0.8" },
          "192.0.2.1" },
        { { "X-Forwarded-For:2001:db8::7" }, "2001:db8::7" },
        { { "X-Forwarded-For:[2001:db8::7]:443" }, "2001:db8::7" },
        { { "X-Forwarded-For:192.0.2.1, unknown" }, NULL },
        { { "X-Forwarded-For:unknown, 192.0.2.1" }, "192.0.2.1" },
        { { "X-Forwarded-For:10.0.0.1" }, NULL },
        { { "X-Forwarded-For:" }, NULL },
        { { "Forwarded:for=192.0.2.1" }, "192.0.2.1" },
        { { "Forwarded:proto=https;FOR=192.0.2.1;by=10.0.0.1" }, "192.0.2.1" },
        { { "Forwarded:for=1.1.1.1, for=\"[2001:db8::7]:47\", for=10.0.0.1" }, "2001:db8::7" },
        { { "Forwarded:for=\"1.1.1.1, 2.2.2.2\", for=192.0.2.1" }, "192.0.2.1" },
        { { "Forwarded:for=192.0.2.1, for=_hidden" }, NULL },
        { { "Forwarded:by=192.0.2.1" }, NULL },
        { { "X-Forwarded-For:1.1.1.1", "Forwarded:for=192.0.2.1" }, "192.0.2.1" },
        { { "Forwarded:for=192.0.2.1", "X-Forwarded-For:1.1.1.1" }, "192.0.2.1" },
        { { "X-Forwarded:192.0.2.1", "X-Real-IP:192.0.2.1" }, NULL },
    };
    const proxies_t p = two_proxies();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        forwarded_t f = { .proxies = &p };
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
