#include "node/evidence/https.h"

#include <stdlib.h>

#include "base/os/log.h"
#include "base/os/worker.h"
#include "tee/provider/ratls_make.h"

#define CHECK_MS_MAX 10000u /* between looks at the clock, which may be set */

struct https {
    const tee_provider_t *tee;
    clock_fn now_ms;
    uint32_t lifetime_s;
    uint64_t made_ms;        /* the wall clock's time of the present certificate */
    tally_t *expires_s;      /* NULL: nobody is told */
    hs_identity_t *identity; /* once the worker runs, its own */
    hs_t *server;
    worker_t *worker; /* NULL: nothing is kept yet */
};

static void tell(https_t *h)
{
    if (h->expires_s)
        atomic_store(h->expires_s, h->made_ms / 1000 + h->lifetime_s);
}

/* Makes a certificate over a fresh key, and an identity of both. */
static rc_t renew(https_t *h, err_t *e)
{
    ratls_pair_t pair;
    hs_identity_t *identity;
    const uint64_t now_ms = h->now_ms();
    rc_t rc = ratls_make(&pair, e, h->tee, (int64_t)(now_ms / 1000), h->lifetime_s);
    if (rc)
        return err_before(e, rc, "no certificate for the API port: ");
    rc = hs_identity_new(&identity, e, pair.cert, pair.key);
    ratls_pair_clear(&pair);
    if (rc)
        return rc;
    hs_identity_unref(h->identity);
    h->identity = identity;
    h->made_ms = now_ms;
    tell(h);
    return RC_OK;
}

/* True once two thirds of its life are over, or the clock is before its making. */
static bool is_due(const https_t *h)
{
    const uint64_t now_ms = h->now_ms();
    return now_ms < h->made_ms || now_ms - h->made_ms >= (uint64_t)h->lifetime_s * 1000 / 3 * 2;
}

/* Looks once. Milliseconds until the next look; after a failure a third of the life is left: time for some attempts. */
static uint64_t look(https_t *h)
{
    const uint64_t retry_ms = (uint64_t)h->lifetime_s * 1000 / 48;
    const uint64_t check_ms = retry_ms < CHECK_MS_MAX ? retry_ms : CHECK_MS_MAX;
    err_t e;
    if (!is_due(h))
        return check_ms;
    if (renew(h, &e)) {
        log_write(LOG_WARN, "https", "%s", e.text);
        return retry_ms;
    }
    hs_set_identity(h->server, h->identity);
    log_write(LOG_INFO, "https", "the API port has a new certificate, quote by %s", h->tee->name);
    return check_ms;
}

static void keep(worker_t *w, void *ctx)
{
    while (worker_sleep_until(w, clock_monotonic_ms() + look(ctx))) {
    }
}

rc_t https_open(https_t **out, err_t *e, const tee_provider_t *tee, clock_fn now_ms, uint32_t lifetime_s)
{
    https_t *h = calloc(1, sizeof *h);
    if (!h)
        return err_say(e, RC_NOMEM, "out of memory");
    h->tee = tee;
    h->now_ms = now_ms;
    h->lifetime_s = lifetime_s;
    const rc_t rc = renew(h, e);
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

void https_tell(https_t *h, tally_t *expires_s)
{
    h->expires_s = expires_s;
    tell(h);
}

rc_t https_keep(https_t *h, err_t *e, hs_t *server)
{
    h->server = server;
    return worker_start(&h->worker, e, "https", keep, h);
}

void https_close(https_t *h)
{
    if (!h)
        return;
    worker_stop(h->worker);
    hs_identity_unref(h->identity);
    free(h);
}
