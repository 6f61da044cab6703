/* proxy_headers.h - what proxies may send in front of a connection, good and bad, of both versions. */
#ifndef TESTS_PROXY_HEADERS_H
#define TESTS_PROXY_HEADERS_H

#include "base/rc.h"

#define PROXY_V2 "\r\n\r\n\0\r\nQUIT\n"
#define PROXY_RAW(text) text, sizeof(text) - 1

static const struct {
    const char *text;
    size_t len;
    rc_t rc;
    const char *from; /* NULL: not known */
    unsigned port;
} proxy_headers[] = {
    /* version 1 */
    { PROXY_RAW("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n"), RC_OK, "::ffff:192.0.2.1", 56324 },
    { PROXY_RAW("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"), RC_OK, "::ffff:255.255.255.255", 65535 },
    { PROXY_RAW("PROXY TCP6 2001:db8::1 2001:db8::2 1 443\r\n"), RC_OK, "2001:db8::1", 1 },
    { PROXY_RAW(
          "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
      RC_OK, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535 },
    { PROXY_RAW("PROXY UNKNOWN\r\n"), RC_OK, NULL, 0 },
    { PROXY_RAW("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n"), RC_OK, NULL, 0 },
    { PROXY_RAW("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\n"), RC_MALFORMED, NULL, 0 },
    { PROXY_RAW("PROXY TCP4 192.0.2.1 198.51.100.1 56324\r\n"), RC_MALFORMED, NULL, 0 },
    { PROXY_RAW("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443 1\r\n"), RC_MALFORMED, NULL, 0 },
    { PROXY_RAW("PROXY TCP4 192.0.2.1 198.51.100.1 65536 443\r\n"), RC_MALFORMED, NULL, 0 },
    { PROXY_RAW("PROXY TCP4 192.0.2.1 198.51.100.1 056 443\r\n"), RC_MALFORMED, NULL, 0 },
    { PROXY_RAW("PROXY TCP4 192.0.2.1 198.51.100.1 -1 443\r\n"), RC_MALFORMED, NULL, 0 },
    { PROXY_RAW("PROXY TCP4 192.0.2 198.51.100.1 56324 443\r\n"), RC_MALFORMED, NULL, 0 },
    { PROXY_RAW("PROXY TCP4 2001:db8::1 2001:db8::2 56324 443\r\n"), RC_MALFORMED, NULL, 0 },
    { PROXY_RAW("PROXY TCP6 192.0.2.1 198.51.100.1 56324 443\r\n"), RC_MALFORMED, NULL, 0 },
    { PROXY_RAW("PROXY TCP4  192.0.2.1 198.51.100.1 56324 443\r\n"), RC_MALFORMED, NULL, 0 },
    { PROXY_RAW("PROXY UDP4 192.0.2.1 198.51.100.1 56324 443\r\n"), RC_MALFORMED, NULL, 0 },
    { PROXY_RAW("PROXY example.org 198.51.100.1 56324 443\r\n"), RC_MALFORMED, NULL, 0 },
    { PROXY_RAW("PROXY \r\n"), RC_MALFORMED, NULL, 0 },
    { PROXY_RAW("proxy TCP4 192.0.2.1 198.51.100.1 56324 443\r\n"), RC_MALFORMED, NULL, 0 },
    { PROXY_RAW("GET / HTTP/1.1\r\n\r\n"), RC_MALFORMED, NULL, 0 },
    { PROXY_RAW(
          "PROXY TCP4 0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
          "0000\r\n"),
      RC_MALFORMED, NULL, 0 },
    /* version 2 */
    { PROXY_RAW(PROXY_V2 "\x21\x11\0\x0c\xc0\0\2\1\xc6\x33\x64\1\xdc\4\1\xbb"), RC_OK, "::ffff:192.0.2.1", 56324 },
    { PROXY_RAW(PROXY_V2 "\x21\x11\0\x11\xc0\0\2\1\xc6\x33\x64\1\xdc\4\1\xbb\4\0\2ab"), RC_OK, "::ffff:192.0.2.1",
      56324 },
    { PROXY_RAW(
          PROXY_V2
          "\x21\x21\0\x24\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2\xdc\4\1\xbb"),
      RC_OK, "2001:db8::1", 56324 },
    { PROXY_RAW(PROXY_V2 "\x20\0\0\0"), RC_OK, NULL, 0 },
    { PROXY_RAW(PROXY_V2 "\x20\x11\0\x0c\xc0\0\2\1\xc6\x33\x64\1\xdc\4\1\xbb"), RC_OK, NULL, 0 },
    { PROXY_RAW(PROXY_V2 "\x21\0\0\0"), RC_OK, NULL, 0 },
    { PROXY_RAW(PROXY_V2 "\x21\x12\0\x0c\xc0\0\2\1\xc6\x33\x64\1\xdc\4\1\xbb"), RC_OK, NULL, 0 },
    { PROXY_RAW(PROXY_V2 "\x21\x11\0\x0b\xc0\0\2\1\xc6\x33\x64\1\xdc\4\1"), RC_MALFORMED, NULL, 0 },
    { PROXY_RAW(PROXY_V2 "\x21\x21\0\x0c\xc0\0\2\1\xc6\x33\x64\1\xdc\4\1\xbb"), RC_MALFORMED, NULL, 0 },
    { PROXY_RAW(PROXY_V2 "\x11\x11\0\x0c\xc0\0\2\1\xc6\x33\x64\1\xdc\4\1\xbb"), RC_MALFORMED, NULL, 0 },
    { PROXY_RAW(PROXY_V2 "\x22\x11\0\x0c\xc0\0\2\1\xc6\x33\x64\1\xdc\4\1\xbb"), RC_MALFORMED, NULL, 0 },
    { PROXY_RAW(PROXY_V2 "\x21\x41\0\x0c\xc0\0\2\1\xc6\x33\x64\1\xdc\4\1\xbb"), RC_MALFORMED, NULL, 0 },
    { PROXY_RAW(PROXY_V2 "\x21\x13\0\x0c\xc0\0\2\1\xc6\x33\x64\1\xdc\4\1\xbb"), RC_MALFORMED, NULL, 0 },
    { PROXY_RAW(PROXY_V2 "\x21\x11\4\0"), RC_MALFORMED, NULL, 0 },
    { PROXY_RAW("\r\n\r\n\0\r\nQUIX\n\x21\x11\0\x0c"), RC_MALFORMED, NULL, 0 },
};

#define PROXY_HEADERS (sizeof proxy_headers / sizeof proxy_headers[0])

#endif
