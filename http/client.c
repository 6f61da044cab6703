#include "http/client.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/os/clock.h"
#include "base/os/file.h"
#include "base/os/worker.h"
#include "http/transfer.h"

#define POLL_MS 50 /* between looks at what has stalled */
#define IDLE_MS 60000
#define CANCEL_MS 50 /* between looks at a waiting thread's cancel */

struct hc {
    char *ca_file;
    lane_t lane;       /* the I/O thread's, */
    hc_group_t active; /* and the groups that are on their way: a ring */
    uint64_t pruned_ms;
    worker_t *io;
    atomic_bool cancelling; /* some active group was cancelled */
    pthread_mutex_t lock;
    hc_group_t *submitted, **submitted_end;
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void curl_start(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* ---- on the I/O thread ---- */

static void group_end(hc_t *c, hc_group_t *g)
{
    transfer_t *t = g->transfers;
    for (size_t i = 0; t && i < g->count; i++)
        transfer_clear(&t[i], &c->lane);
    free(t);
    g->prev->next = g->next;
    g->next->prev = g->prev;
    g->done(g->ctx);
}

static void group_start(hc_t *c, hc_group_t *g)
{
    transfer_t *t = g->transfers = calloc(g->count, sizeof *t);
    g->prev = c->active.prev;
    g->next = &c->active;
    g->prev->next = g->next->prev = g;
    g->left = 0;
    for (size_t i = 0; i < g->count; i++) {
        if (t) {
            transfer_start(&t[i], &c->lane, g, &g->out[i], &g->requests[i]);
            g->left += !t[i].ended;
        } else {
            memset(&g->out[i], 0, sizeof g->out[i]);
            transfer_refuse(&g->out[i], &g->requests[i], RC_NOMEM, "out of memory");
        }
    }
    if (!g->left)
        group_end(c, g);
}

static void start_submitted(hc_t *c)
{
    pthread_mutex_lock(&c->lock);
    hc_group_t *g = c->submitted, *next;
    c->submitted = NULL;
    c->submitted_end = &c->submitted;
    pthread_mutex_unlock(&c->lock);
    for (; g; g = next) {
        next = g->next;
        group_start(c, g);
    }
}

/* Ends the transfers that curl reports as done. */
static void reap(hc_t *c)
{
    for (transfer_t *t; (t = transfer_reap(&c->lane));) {
        hc_group_t *g = t->owner;
        if (!--g->left)
            group_end(c, g);
    }
}

/* Ends what has stalled or was cancelled, or everything with the sentence all. */
static void prune(hc_t *c, const char *all)
{
    hc_group_t *next;
    uint64_t now = c->pruned_ms = clock_monotonic_ms();
    atomic_store(&c->cancelling, false);
    for (hc_group_t *g = c->active.next; g != &c->active; g = next) {
        transfer_t *t = g->transfers;
        const char *what = all ? all : atomic_load(&g->cancelled) ? "cancelled" : NULL;
        next = g->next;
        for (size_t i = 0; i < g->count; i++) {
            if (t[i].ended)
                continue;
            if (what)
                transfer_stop(&t[i], &c->lane, what);
            else
                (void)transfer_stalled(&t[i], &c->lane, now);
            g->left -= t[i].ended;
        }
        if (!g->left)
            group_end(c, g);
    }
}

static bool has_work(hc_t *c)
{
    pthread_mutex_lock(&c->lock);
    bool work = c->submitted || c->active.next != &c->active;
    pthread_mutex_unlock(&c->lock);
    return work;
}

static void io_main(worker_t *w, void *ctx)
{
    hc_t *c = ctx;
    while (!worker_stopping(w)) {
        int running = 0;
        start_submitted(c);
        CURLMcode bad = curl_multi_perform(c->lane.multi, &running);
        reap(c);
        if (bad)
            prune(c, "the HTTP client failed");
        else if (atomic_load(&c->cancelling) || clock_monotonic_ms() - c->pruned_ms >= POLL_MS)
            prune(c, NULL);
        bool idle = c->active.next == &c->active;
        (void)curl_multi_poll(c->lane.multi, NULL, 0, idle ? IDLE_MS : POLL_MS, NULL);
    }
    do { /* a done may submit more */
        start_submitted(c);
        prune(c, "cancelled");
    } while (has_work(c));
}

/* ---- on any thread ---- */

static const char *ca_find(const char *given)
{
    static const char *const usual[] = { "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                                         "/etc/ssl/cert.pem" };
    if (given)
        return given;
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
        if (access(usual[i], R_OK) == 0)
            return usual[i];
    return NULL;
}

hc_t *hc_new(const char *ca_file)
{
    const char *ca = ca_find(ca_file);
    if (ca_file && (!file_is_regular(ca_file) || access(ca_file, R_OK) != 0))
        return NULL;
    pthread_once(&curl_once, curl_start);
    hc_t *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    pthread_mutex_init(&c->lock, NULL);
    c->active.prev = c->active.next = &c->active;
    c->submitted_end = &c->submitted;
    c->ca_file = ca ? strdup(ca) : NULL;
    if (!lane_open(&c->lane, c->ca_file) || (ca && !c->ca_file) || worker_start(&c->io, NULL, "http", io_main, c)) {
        hc_free(c);
        return NULL;
    }
    return c;
}

void hc_use_proxies(hc_t *c, bool use)
{
    atomic_store(&c->lane.proxy_env, use);
}

void hc_free(hc_t *c)
{
    if (!c)
        return;
    worker_ask_to_stop(c->io);
    if (c->io)
        (void)curl_multi_wakeup(c->lane.multi);
    worker_stop(c->io);
    lane_close(&c->lane);
    pthread_mutex_destroy(&c->lock);
    free(c->ca_file);
    free(c);
}

void hc_submit(hc_t *c, hc_group_t *g, hc_response_t *out, const hc_request_t *requests, size_t n,
               void (*done)(void *ctx), void *ctx)
{
    *g = (hc_group_t){ .out = out, .requests = requests, .count = n, .done = done, .ctx = ctx };
    pthread_mutex_lock(&c->lock);
    *c->submitted_end = g;
    c->submitted_end = &g->next;
    pthread_mutex_unlock(&c->lock);
    (void)curl_multi_wakeup(c->lane.multi);
}

void hc_cancel(hc_t *c, hc_group_t *g)
{
    atomic_store(&g->cancelled, true);
    atomic_store(&c->cancelling, true);
    (void)curl_multi_wakeup(c->lane.multi);
}

/* ---- waiting for the answer ---- */

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool done;
} wait_t;

static void wake(void *ctx)
{
    wait_t *w = ctx;
    pthread_mutex_lock(&w->lock);
    w->done = true;
    pthread_cond_signal(&w->ended);
    pthread_mutex_unlock(&w->lock);
}

/* Waits a while; true: all have ended. */
static bool wait_some(wait_t *w)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += CANCEL_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&w->lock);
    while (!w->done && !pthread_cond_clockwait(&w->ended, &w->lock, CLOCK_MONOTONIC, &until))
        continue;
    bool done = w->done;
    pthread_mutex_unlock(&w->lock);
    return done;
}

void hc_perform(hc_t *c, hc_response_t *out, const hc_request_t *requests, size_t n, bool (*cancel)(void *ctx),
                void *cancel_ctx)
{
    wait_t w = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false };
    hc_group_t g;
    if (!n)
        return;
    hc_submit(c, &g, out, requests, n, wake, &w);
    while (!wait_some(&w))
        if (cancel && cancel(cancel_ctx))
            hc_cancel(c, &g);
    pthread_cond_destroy(&w.ended);
    pthread_mutex_destroy(&w.lock);
}

void hc_response_clear(hc_response_t *r)
{
    free(r->header);
    r->header = NULL;
    free(r->led);
    r->led = NULL;
    free(r->peer);
    r->peer = NULL;
    free(r->body);
    r->body = NULL;
    r->body_len = 0;
}
