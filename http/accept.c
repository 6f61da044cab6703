#include "http/accept.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/os/clock.h"
#include "base/os/worker.h"

#define WAITING_MAX 256u /* connections whose header has not come; the oldest gives way */
#define LOOK_MS 100u
#define BURST 64u /* accepted at a time */

typedef struct {
    int fd;
    uint64_t until_ms;
    struct sockaddr_storage from; /* the proxy */
    socklen_t from_len;
} waiting_t;

struct acceptor {
    acceptor_config_t config;
    int fds[LISTEN_MAX];
    worker_t *worker;
    waiting_t waiting[WAITING_MAX]; /* from the oldest to the newest */
    size_t count;
};

static void forget(acceptor_t *a, size_t i)
{
    a->count--;
    memmove(&a->waiting[i], &a->waiting[i + 1], (a->count - i) * sizeof a->waiting[0]);
}

static void wait_for_header(acceptor_t *a, const waiting_t *w)
{
    if (a->count == WAITING_MAX) {
        close(a->waiting[0].fd);
        forget(a, 0);
    }
    a->waiting[a->count++] = *w;
}

static void accept_some(acceptor_t *a, int listen_fd)
{
    for (unsigned i = 0; i < BURST; i++) {
        waiting_t w = { .from_len = sizeof w.from, .until_ms = clock_monotonic_ms() + PROXY_WAIT_MS };
        struct sockaddr *from = (struct sockaddr *)(void *)&w.from;
        ip_t ip;
        w.fd = accept4(listen_fd, from, &w.from_len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (w.fd < 0)
            return;
        if (a->config.proxies && ip_of(&ip, from) && proxies_have(a->config.proxies, &ip))
            wait_for_header(a, &w);
        else
            a->config.take(a->config.ctx, w.fd, from, w.from_len);
    }
}

/* Waits with the next look until more than n bytes are there. */
static void look_at(int fd, size_t n)
{
    const int low = (int)n + 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &low, sizeof low);
}

/* Looks at what came. RC_NEED_DATA: not all of it; RC_OK: the header is taken out of the socket. */
static rc_t read_header(const waiting_t *w, struct sockaddr_in6 *from, bool *known)
{
    uint8_t head[PROXY_HEADER_MAX];
    size_t len;
    const ssize_t n = recv(w->fd, head, sizeof head, MSG_PEEK | MSG_DONTWAIT);
    if (n <= 0)
        return RC_IO;
    const rc_t rc = proxy_header(from, known, &len, view_of(head, (size_t)n));
    look_at(w->fd, rc == RC_NEED_DATA ? (size_t)n : 0);
    if (rc == RC_OK && recv(w->fd, head, len, MSG_DONTWAIT) != (ssize_t)len)
        return RC_IO;
    return rc;
}

/* True: the connection does not wait any more. */
static bool look(acceptor_t *a, const waiting_t *w, bool readable)
{
    struct sockaddr_in6 from;
    bool known;
    rc_t rc = readable ? read_header(w, &from, &known) : RC_NEED_DATA;
    if (rc == RC_NEED_DATA && clock_monotonic_ms() < w->until_ms)
        return false;
    if (rc)
        close(w->fd);
    else if (known)
        a->config.take(a->config.ctx, w->fd, (const struct sockaddr *)(const void *)&from, sizeof from);
    else
        a->config.take(a->config.ctx, w->fd, (const struct sockaddr *)(const void *)&w->from, w->from_len);
    return true;
}

static void turn(acceptor_t *a)
{
    struct pollfd p[LISTEN_MAX + WAITING_MAX];
    const size_t listening = a->config.count, all = listening + a->count;
    for (size_t i = 0; i < listening; i++)
        p[i] = (struct pollfd){ .fd = a->fds[i], .events = POLLIN };
    for (size_t i = listening; i < all; i++)
        p[i] = (struct pollfd){ .fd = a->waiting[i - listening].fd, .events = POLLIN };
    if (poll(p, all, LOOK_MS) < 0)
        return;
    for (size_t i = all; i-- > listening;)
        if (look(a, &a->waiting[i - listening], p[i].revents != 0))
            forget(a, i - listening);
    for (size_t i = 0; i < listening; i++)
        if (p[i].revents)
            accept_some(a, a->fds[i]);
}

static void acceptor_main(worker_t *w, void *ctx)
{
    while (!worker_stopping(w))
        turn(ctx);
}

rc_t acceptor_start(acceptor_t **out, err_t *e, const acceptor_config_t *config)
{
    acceptor_t *a = calloc(1, sizeof *a);
    if (!a)
        return err_say(e, RC_NOMEM, "out of memory");
    a->config = *config;
    memcpy(a->fds, config->fds, config->count * sizeof a->fds[0]);
    rc_t rc = worker_start(&a->worker, e, "http-accept", acceptor_main, a);
    if (rc) {
        free(a);
        return rc;
    }
    *out = a;
    return RC_OK;
}

void acceptor_stop(acceptor_t *a)
{
    if (!a)
        return;
    worker_stop(a->worker);
    for (size_t i = 0; i < a->config.count; i++)
        close(a->fds[i]);
    for (size_t i = 0; i < a->count; i++)
        close(a->waiting[i].fd);
    free(a);
}
