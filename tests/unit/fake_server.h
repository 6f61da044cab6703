/* fake_server.h - an HTTP server of raw sockets on loopback, one thread for each connection, that does what a test tells it. */
#ifndef TESTS_FAKE_SERVER_H
#define TESTS_FAKE_SERVER_H

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/sockets.h"

#define CONNS_MAX 256u
#define FAKE_REQUEST_MAX ((size_t)256 << 10)

/* What the server does with one request; false ends the connection. request is NUL-terminated. */
typedef bool (*behave_t)(int fd, const char *request);

typedef struct {
    int listen_fd;
    uint16_t port;
    atomic_uint accepted, requests, open_now, open_peak;
    atomic_bool stop;
    behave_t behave;
    void *ctx; /* of whoever made it */
    pthread_t acceptor, threads[CONNS_MAX];
    atomic_int fds[CONNS_MAX];
} fake_t;

typedef struct {
    fake_t *fake;
    unsigned index;
} fake_conn_t;

static _Thread_local fake_t *fake_self __attribute__((unused)); /* whose connection the thread serves */

/* Reads one request, head and body; false at the end of the connection. */
static inline bool get_request(int fd, char *out, size_t cap)
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

static inline void *fake_conn(void *arg)
{
    fake_conn_t c = *(fake_conn_t *)arg;
    fake_t *f = fake_self = c.fake;
    int fd = f->fds[c.index];
    char *request = malloc(FAKE_REQUEST_MAX);
    free(arg);
    while (get_request(fd, request, FAKE_REQUEST_MAX)) {
        f->requests++;
        if (!f->behave(fd, request))
            break;
    }
    free(request);
    f->open_now--;
    shutdown(fd, SHUT_WR);
    f->fds[c.index] = -1;
    close(fd);
    return NULL;
}

static inline void *fake_accept(void *arg)
{
    fake_t *f = arg;
    for (;;) {
        int fd = accept(f->listen_fd, NULL, NULL);
        if (fd < 0 || f->accepted == CONNS_MAX)
            return NULL;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int)); /* fails for Unix sockets */
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

static inline fake_t *fake_serve(behave_t behave, int listen_fd)
{
    fake_t *f = calloc(1, sizeof *f);
    f->behave = behave;
    f->listen_fd = listen_fd;
    ck_assert_int_eq(listen(f->listen_fd, 128), 0);
    pthread_create(&f->acceptor, NULL, fake_accept, f);
    return f;
}

static inline fake_t *fake_new(behave_t behave)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    getsockname(fd, (struct sockaddr *)&at, &len);
    fake_t *f = fake_serve(behave, fd);
    f->port = ntohs(at.sin_port);
    return f;
}

/* On a Unix socket; the file is the caller's to remove. */
static inline fake_t *fake_new_unix(behave_t behave, const char *path)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_uint_lt(strlen(path), sizeof at.sun_path);
    strcpy(at.sun_path, path);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fake_serve(behave, fd);
}

static inline void fake_free(fake_t *f)
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

static inline bool be_honest(int fd, const char *request)
{
    (void)request;
    return say(fd, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nEth-Consensus-Version:  deneb "
                   "\r\nContent-Length: 2\r\n\r\n{}");
}

static inline bool be_slow(int fd, const char *request)
{
    pause_ms(150);
    return be_honest(fd, request);
}

static inline bool be_resetting(int fd, const char *request)
{
    struct linger now = { .l_onoff = 1, .l_linger = 0 };
    (void)request;
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    return false;
}

static inline bool be_hanging(int fd, const char *request)
{
    (void)fd;
    (void)request;
    return true;
}

#endif
