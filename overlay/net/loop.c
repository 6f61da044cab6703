#include "overlay/net/loop.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/os/worker.h"
#include "overlay/net/link.h"
#include "overlay/net/quic.h"
#include "overlay/net/tcp.h"
#include "overlay/net/watch.h"

typedef struct posted {
    struct posted *next;
    loop_fn fn;
    void *ctx;
} posted_t;

struct loop {
    watches_t watches;
    watch_t wake; /* an eventfd */
    net_t *net;
    loop_owner_t owner;
    uint64_t owner_next_ms;
    worker_t *thread;

    pthread_mutex_t lock; /* guards what follows */
    posted_t *posted, **posted_end;
    bool stopping;
};

bool loop_transports(unsigned *out, view_t word)
{
    static const struct {
        const char *word;
        unsigned transports;
    } words[] = { { "quic", LOOP_QUIC }, { "tcp", LOOP_TCP }, { "both", LOOP_BOTH } };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (view_eq(word, view_str(words[i].word))) {
            *out = words[i].transports;
            return true;
        }
    return false;
}

/* ---- being woken ---- */

static void woken(watch_t *w, uint32_t events)
{
    uint64_t times;
    (void)events;
    while (read(w->fd, &times, sizeof times) < 0 && errno == EINTR)
        ;
}

void loop_wake(const loop_t *l)
{
    const uint64_t one = 1;
    while (write(l->wake.fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

rc_t loop_post(loop_t *l, loop_fn fn, void *ctx)
{
    posted_t *p = malloc(sizeof *p);
    if (!p)
        return RC_NOMEM;
    *p = (posted_t){ .fn = fn, .ctx = ctx };
    pthread_mutex_lock(&l->lock);
    *l->posted_end = p;
    l->posted_end = &p->next;
    pthread_mutex_unlock(&l->lock);
    loop_wake(l);
    return RC_OK;
}

/* Takes all at once: what they post comes in the next turn. */
static void run_posted(loop_t *l)
{
    pthread_mutex_lock(&l->lock);
    posted_t *p = l->posted;
    l->posted = NULL;
    l->posted_end = &l->posted;
    pthread_mutex_unlock(&l->lock);
    while (p) {
        posted_t *next = p->next;
        p->fn(p->ctx);
        free(p);
        p = next;
    }
}

/* ---- the turn ---- */

static int wait_for(const loop_t *l, uint64_t now, unsigned wait_ms)
{
    uint64_t at = net_next(l->net);
    at = l->owner_next_ms < at ? l->owner_next_ms : at;
    uint64_t wait = at > now ? at - now : 0;
    wait = wait < wait_ms ? wait : wait_ms;
    return wait < INT_MAX ? (int)wait : INT_MAX;
}

void loop_step(loop_t *l, unsigned wait_ms)
{
    watches_wait(&l->watches, wait_for(l, l->owner.clock(), wait_ms));
    uint64_t now = l->owner.clock();
    l->net->now_ms = now;
    watches_call(&l->watches);
    run_posted(l);
    net_turn(l->net, now);
    if (l->owner.turn)
        l->owner_next_ms = l->owner.turn(l->owner.ctx, now);
}

static bool stopping(loop_t *l)
{
    pthread_mutex_lock(&l->lock);
    bool yes = l->stopping;
    pthread_mutex_unlock(&l->lock);
    return yes;
}

static void run(worker_t *w, void *ctx)
{
    loop_t *l = ctx;
    (void)w;
    while (!stopping(l))
        loop_step(l, UINT_MAX);
}

rc_t loop_start(loop_t *l, err_t *e)
{
    return worker_start(&l->thread, e, "overlay", run, l);
}

/* ---- making and freeing ---- */

static rc_t begin(loop_t *l, err_t *e)
{
    rc_t rc = watches_init(&l->watches, e);
    if (rc)
        return rc;
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    l->wake = (watch_t){ .fd = -1, .ready = woken };
    rc = fd < 0 ? err_set(e, RC_IO, "no eventfd: %s", strerror(errno))
                : watch_begin(&l->watches, &l->wake, e, fd, EPOLLIN);
    if (rc && fd >= 0)
        close(fd);
    return rc;
}

static void end(loop_t *l)
{
    watch_end(&l->watches, &l->wake);
    watches_clear(&l->watches);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

rc_t loop_new(loop_t **out, err_t *e, net_t *take_n, unsigned transports, const loop_owner_t *owner)
{
    loop_t *l = calloc(1, sizeof *l);
    if (!l)
        return err_say(e, RC_NOMEM, "out of memory");
    if (owner)
        l->owner = *owner;
    if (!l->owner.clock)
        l->owner.clock = clock_monotonic_ms;
    l->owner_next_ms = l->owner.turn ? 0 : UINT64_MAX; /* its first turn is due at once */
    l->posted_end = &l->posted;
    l->net = take_n;
    l->net->now_ms = l->owner.clock();
    pthread_mutex_init(&l->lock, NULL);
    rc_t rc = begin(l, e);
    if (!rc && transports & LOOP_TCP)
        rc = tcp_add(take_n, e, &l->watches);
    if (!rc && transports & LOOP_QUIC)
        rc = quic_add(take_n, e, &l->watches);
    if (rc) {
        link_remove(take_n);
        end(l);
        return rc;
    }
    *out = l;
    return RC_OK;
}

net_t *loop_net(const loop_t *l)
{
    return l->net;
}

void loop_free(loop_t *l)
{
    if (!l)
        return;
    pthread_mutex_lock(&l->lock);
    l->stopping = true;
    pthread_mutex_unlock(&l->lock);
    loop_wake(l);
    worker_stop(l->thread);
    run_posted(l);
    net_free(l->net);
    end(l);
}
