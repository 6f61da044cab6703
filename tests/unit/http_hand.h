/* http_hand.h - an HTTP client of raw sockets, which reads byte-exact, for tests of the server. */
#ifndef TESTS_HTTP_HAND_H
#define TESTS_HTTP_HAND_H

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "http/server.h"
#include "tests/unit/sockets.h"

/* Connects from an address of 127.0.0.0/8; NULL: whichever. -1: refused. */
static inline int dial_port_from(uint16_t port, const char *from)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons(port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr_in own = { .sin_family = AF_INET };
    struct timeval patience = { .tv_sec = 10 };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (from) {
        ck_assert_int_eq(inet_pton(AF_INET, from, &own.sin_addr), 1);
        ck_assert_int_eq(bind(fd, (struct sockaddr *)&own, sizeof own), 0);
    }
    if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0)
        return fd;
    close(fd);
    return -1;
}

static inline int dial_port(uint16_t port)
{
    return dial_port_from(port, NULL);
}

static inline int dial_from(const hs_t *to, const char *from)
{
    int fd = dial_port_from(hs_port(to), from);
    ck_assert_int_ge(fd, 0);
    return fd;
}

static inline int dial(const hs_t *to)
{
    return dial_from(to, NULL);
}

typedef struct {
    int status; /* 0: the connection ended first */
    char head[4096];
    char *body; /* NUL-terminated; malloc */
    size_t body_len;
} reply_t;

/* Reads one answer byte-exact, so that pipelined ones stay in the socket. */
static inline reply_t hear(int fd, bool head_only)
{
    reply_t a = { 0 };
    size_t n = 0;
    char *length;
    while (n < sizeof a.head - 1 && !(n >= 4 && memcmp(a.head + n - 4, "\r\n\r\n", 4) == 0)) {
        if (recv(fd, a.head + n, 1, 0) != 1)
            return a;
        n++;
    }
    sscanf(a.head, "HTTP/1.1 %d", &a.status);
    length = strcasestr(a.head, "\r\nContent-Length:");
    a.body_len = length && !head_only ? strtoul(length + 17, NULL, 10) : 0;
    a.body = calloc(1, a.body_len + 1);
    for (size_t got = 0; got < a.body_len;) {
        ssize_t more = recv(fd, a.body + got, a.body_len - got, 0);
        if (more <= 0) {
            a.status = 0;
            break;
        }
        got += (size_t)more;
    }
    return a;
}

/* True when the peer has closed: nothing more comes. */
static inline bool ended(int fd)
{
    char c;
    ssize_t n = recv(fd, &c, 1, 0);
    return n == 0 || (n < 0 && errno == ECONNRESET);
}

#endif
