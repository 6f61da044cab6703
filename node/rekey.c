#include "node/rekey.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/hex.h"
#include "base/os/log.h"
#include "base/os/worker.h"
#include "rpc/api/prototype.h"

#define BODY_ARENA_MAX ((size_t)1 << 20)
#define AGAIN_MS 5000u /* after a quote that could not be made */

struct rekey {
    rekey_config_t with;
    worker_t *worker;
    pthread_mutex_t lock; /* guards what follows */
    uint8_t pubkey[ECDSA_PUBKEY_LEN];
    hs_shared_t *answer;
};

void rekey_pubkey(rekey_t *k, uint8_t out[ECDSA_PUBKEY_LEN])
{
    pthread_mutex_lock(&k->lock);
    memcpy(out, k->pubkey, sizeof k->pubkey);
    pthread_mutex_unlock(&k->lock);
}

hs_shared_t *rekey_answer(rekey_t *k)
{
    pthread_mutex_lock(&k->lock);
    hs_shared_t *answer = hs_shared_ref(k->answer);
    pthread_mutex_unlock(&k->lock);
    return answer;
}

/* The answer of GET /attest under a key. */
static rc_t make_answer(const rekey_t *k, hs_shared_t **out, err_t *e, const uint8_t pubkey[ECDSA_PUBKEY_LEN])
{
    arena_t a;
    view_t body;
    arena_init(&a, BODY_ARENA_MAX);
    rc_t rc = api_attest_body(&body, &a, attest_quote(k->with.attest), pubkey);
    if (!rc && !(*out = hs_shared_new(200, NULL, body, k->with.flags)))
        rc = RC_NOMEM;
    arena_free(&a);
    return rc ? err_set(e, rc, "the answer of /attest could not be made: %s", rc_name(rc)) : RC_OK;
}

/* Another key signs: evidence and answers are over it from now on. */
static rc_t change(rekey_t *k, err_t *e, const uint8_t pubkey[ECDSA_PUBKEY_LEN])
{
    char hex[2 * ECDSA_PUBKEY_LEN + 1];
    hs_shared_t *answer = NULL;
    rc_t rc = attest_key(k->with.attest, e, pubkey);
    if (!rc)
        rc = make_answer(k, &answer, e, pubkey);
    if (rc)
        return rc;
    pthread_mutex_lock(&k->lock);
    hs_shared_t *old = k->answer;
    k->answer = answer;
    memcpy(k->pubkey, pubkey, sizeof k->pubkey);
    pthread_mutex_unlock(&k->lock);
    hs_shared_unref(old);
    jobs_forget(k->with.jobs);
    hex_encode(hex, view_of(pubkey, ECDSA_PUBKEY_LEN));
    log_write(LOG_INFO, "key", "the cluster's public key is now %s", hex);
    return RC_OK;
}

/* One turn; when the next one is due. */
static uint64_t turn(rekey_t *k)
{
    static const uint8_t none[ECDSA_PUBKEY_LEN];
    uint8_t present[ECDSA_PUBKEY_LEN], next[ECDSA_PUBKEY_LEN], own[ECDSA_PUBKEY_LEN];
    err_t e;
    rc_t rc = RC_OK;
    cluster_key(k->with.cluster, present, next);
    rekey_pubkey(k, own);
    if (memcmp(present, none, sizeof none) != 0 && memcmp(present, own, sizeof own) != 0)
        rc = change(k, &e, present);
    if (!rc && memcmp(next, none, sizeof none) != 0 && memcmp(next, present, sizeof next) != 0)
        rc = attest_prepare(k->with.attest, &e, next);
    if (!rc)
        return UINT64_MAX;
    log_write(LOG_WARN, "key", "the evidence of the new key could not be made: %s", e.text);
    return clock_monotonic_ms() + AGAIN_MS;
}

static void run(worker_t *w, void *ctx)
{
    uint64_t next;
    do
        next = turn(ctx);
    while (worker_sleep_until(w, next));
}

rc_t rekey_start(rekey_t **out, err_t *e, const rekey_config_t *config)
{
    rekey_t *k = calloc(1, sizeof *k);
    if (!k)
        return err_say(e, RC_NOMEM, "out of memory");
    k->with = *config;
    pthread_mutex_init(&k->lock, NULL);
    memcpy(k->pubkey, config->pubkey, sizeof k->pubkey);
    rc_t rc = make_answer(k, &k->answer, e, k->pubkey);
    if (!rc && config->cluster)
        rc = worker_start(&k->worker, e, "rekey", run, k);
    if (rc)
        rekey_stop(k);
    else
        *out = k;
    return rc;
}

void rekey_wake(rekey_t *k)
{
    if (k)
        worker_wake(k->worker);
}

void rekey_stop(rekey_t *k)
{
    if (!k)
        return;
    worker_stop(k->worker);
    hs_shared_unref(k->answer);
    pthread_mutex_destroy(&k->lock);
    free(k);
}
