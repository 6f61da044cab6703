#include "base/os/worker.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct worker {
    pthread_t thread;
    worker_fn fn;
    void *ctx;
    atomic_bool stopping;
    pthread_mutex_t lock; /* guards woken, and stopping against a sleep that begins */
    pthread_cond_t wake;
    bool woken;
};

static void *run(void *arg)
{
    worker_t *w = arg;
    pthread_mutex_lock(&w->lock); /* worker_start has written its out by now */
    pthread_mutex_unlock(&w->lock);
    w->fn(w, w->ctx);
    return NULL;
}

static worker_t *make(worker_fn fn, void *ctx)
{
    worker_t *w = calloc(1, sizeof *w);
    pthread_condattr_t monotonic;
    if (!w)
        return NULL;
    w->fn = fn;
    w->ctx = ctx;
    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&w->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return w;
}

static void destroy(worker_t *w)
{
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

rc_t worker_start(worker_t **out, err_t *e, const char *name, worker_fn fn, void *ctx)
{
    char shown[16];
    worker_t *w = make(fn, ctx);
    if (!w)
        return err_say(e, RC_NOMEM, "out of memory");
    snprintf(shown, sizeof shown, "%s", name);
    pthread_mutex_lock(&w->lock);
    int failed = pthread_create(&w->thread, NULL, run, w);
    if (!failed) {
        pthread_setname_np(w->thread, shown);
        *out = w;
    }
    pthread_mutex_unlock(&w->lock);
    if (!failed)
        return RC_OK;
    destroy(w);
    return err_set(e, RC_IO, "the thread \"%s\" cannot be started: %s", name, strerror(failed));
}

bool worker_stopping(worker_t *w)
{
    return atomic_load(&w->stopping);
}

bool worker_sleep_until(worker_t *w, uint64_t monotonic_ms)
{
    const struct timespec until = { (time_t)(monotonic_ms / 1000), (long)(monotonic_ms % 1000 * 1000000) };
    int timed_out = 0;
    pthread_mutex_lock(&w->lock);
    while (!w->woken && !worker_stopping(w) && timed_out != ETIMEDOUT)
        timed_out = monotonic_ms == UINT64_MAX ? pthread_cond_wait(&w->wake, &w->lock)
                                               : pthread_cond_timedwait(&w->wake, &w->lock, &until);
    w->woken = false;
    pthread_mutex_unlock(&w->lock);
    return !worker_stopping(w);
}

void worker_wake(worker_t *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->woken = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

void worker_ask_to_stop(worker_t *w)
{
    if (!w)
        return;
    atomic_store(&w->stopping, true);
    worker_wake(w);
}

void worker_stop(worker_t *w)
{
    if (!w)
        return;
    worker_ask_to_stop(w);
    pthread_join(w->thread, NULL);
    destroy(w);
}
