#include "node/evidence/https.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/os/log.h"
#include "tee/provider/ratls_make.h"

#define CHECK_MS_MAX 10000u /* between looks at the clock, which may be set */

struct https {
    const tee_provider_t *tee;
    clock_fn now_ms;
    uint32_t lifetime_s;
    uint64_t made_ms; /* the wall clock's time of the present certificate */
    hs_identity_t *identity;
    hs_t *server;
    pthread_t thread;
    bool runs;
    pthread_mutex_t lock; /* guards stop */
    pthread_cond_t changed;
    bool stop;
};

/* Makes a certificate over a fresh key, and an identity of both. */
static rc_t renew(https_t *h, char *why, size_t cap)
{
    ratls_pair_t pair;
    hs_identity_t *identity;
    err_t e;
    uint64_t now_ms = h->now_ms();
    rc_t rc = ratls_make(&pair, &e, h->tee, (int64_t)(now_ms / 1000), h->lifetime_s);
    if (rc) {
        snprintf(why, cap, "no certificate for the API port: %s", e.text);
        return rc;
    }
    rc = hs_identity_new(&identity, &e, pair.cert, pair.key);
    ratls_pair_clear(&pair);
    if (rc) {
        snprintf(why, cap, "%s", e.text);
        return rc;
    }
    hs_identity_unref(h->identity);
    h->identity = identity;
    h->made_ms = now_ms;
    return RC_OK;
}

/* True once two thirds of its life are over, or the clock is before its making. */
static bool is_due(const https_t *h)
{
    uint64_t now_ms = h->now_ms();
    return now_ms < h->made_ms || now_ms - h->made_ms >= (uint64_t)h->lifetime_s * 1000 / 3 * 2;
}

/* Waits; false when it is time to stop. */
static bool wait_ms(https_t *h, uint64_t ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(ms / 1000);
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&h->lock);
    while (!h->stop && pthread_cond_timedwait(&h->changed, &h->lock, &until) != ETIMEDOUT)
        ;
    bool go_on = !h->stop;
    pthread_mutex_unlock(&h->lock);
    return go_on;
}

static void *keep(void *ctx)
{
    https_t *h = ctx;
    char why[400];
    uint64_t check_ms = (uint64_t)h->lifetime_s * 1000 / 48;
    if (check_ms > CHECK_MS_MAX)
        check_ms = CHECK_MS_MAX;
    for (uint64_t pause_ms = check_ms; wait_ms(h, pause_ms);) {
        pause_ms = check_ms;
        if (!is_due(h))
            continue;
        if (renew(h, why, sizeof why)) {
            log_write(LOG_WARN, "https", "%s", why);
            pause_ms = (uint64_t)h->lifetime_s * 1000 / 48; /* a third of the life is left: time for some attempts */
            continue;
        }
        hs_set_identity(h->server, h->identity);
        log_write(LOG_INFO, "https", "the API port has a new certificate, quote by %s", h->tee->name);
    }
    return NULL;
}

rc_t https_open(https_t **out, char *why, size_t cap, const tee_provider_t *tee, clock_fn now_ms, uint32_t lifetime_s)
{
    pthread_condattr_t monotonic;
    https_t *h = calloc(1, sizeof *h);
    if (!h) {
        snprintf(why, cap, "out of memory");
        return RC_NOMEM;
    }
    h->tee = tee;
    h->now_ms = now_ms;
    h->lifetime_s = lifetime_s;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    rc_t rc = renew(h, why, cap);
    if (rc)
        https_close(h);
    else
        *out = h;
    return rc;
}

hs_identity_t *https_identity(const https_t *h)
{
    return h->identity;
}

rc_t https_keep(https_t *h, hs_t *server)
{
    h->server = server;
    h->runs = pthread_create(&h->thread, NULL, keep, h) == 0;
    return h->runs ? RC_OK : RC_IO;
}

void https_close(https_t *h)
{
    if (!h)
        return;
    pthread_mutex_lock(&h->lock);
    h->stop = true;
    pthread_cond_signal(&h->changed);
    pthread_mutex_unlock(&h->lock);
    if (h->runs)
        pthread_join(h->thread, NULL);
    hs_identity_unref(h->identity);
    pthread_cond_destroy(&h->changed);
    pthread_mutex_destroy(&h->lock);
    free(h);
}
