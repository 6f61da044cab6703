#include "node/p2p/writer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/crypto/keyring.h"
#include "base/crypto/secret.h"
#include "base/hex.h"
#include "base/os/log.h"
#include "base/os/worker.h"
#include "lightclient/exec/send.h"
#include "node/p2p/registrar.h"
#include "tee/provider/dstack.h"

#define PURPOSE "kettle-p2p"
#define PATH_BEFORE_ID "kettle/p2p/"
#define ARENA_MAX ((size_t)64 << 10)
#define AGAIN_MS 4000u /* after an exchange that failed */

/* What is under way. */
typedef enum { REST, LOOKING, LOOKED, SENDING } phase_t;

struct writer {
    writer_config_t with;
    members_stand_call_t stand_call;
    ex_block_t at;   /* the head that is looked at */
    arena_t sending; /* of the transaction under way */
    registrar_send_t send;
    pthread_mutex_t key_lock; /* while the TEE is asked */
    pthread_mutex_t lock;     /* all below */
    worker_t *worker;         /* NULL: it is stopped */
    keyring_t *key;           /* NULL: not asked for yet; constant then, as */
    members_self_t self;
    dstack_info_t info;
    arena_t arena; /* of self */
    ex_block_t head;
    bool has_head, is_wanted, stopping;
    uint64_t looked_at; /* the block that was looked at last */
    bool has_looked;    /* since writer_register */
    uint64_t again_ms;  /* not before; 0: at once */
    phase_t phase;
    query_t *found; /* LOOKED: the query, with its result */
    registrar_t registrar;
    uint64_t token;
    hash32_t hash; /* of the last transaction */
    err_t why;     /* what keeps it; RC_OK: nothing */
};

/* ---- the key ---- */

/* The key of a signature over text. */
static rc_t recover(uint8_t xy[64], err_t *e, const uint8_t sig[65], view_t text)
{
    hash32_t digest;
    keccak256(&digest, text);
    if (sig[64] > 1 || ecdsa_recover(NULL, xy, sig, sig[64], &digest))
        return err_say(e, RC_REFUSED, "dstack: the key's signature chain is no such chain");
    return RC_OK;
}

/* What the contract checks, from what the KMS gave. */
static rc_t make_chain(members_chain_t *out, err_t *e, const dstack_key_t *key, const uint8_t derived[33],
                       const uint8_t app_id[DSTACK_ID_LEN])
{
    char text[sizeof PURPOSE + 66 + 1];
    const int n = snprintf(text, sizeof text, PURPOSE ":");
    hex_encode(text + n, view_of(derived, 33));
    rc_t rc = ecdsa_uncompress(NULL, out->derived_xy, derived) ? err_say(e, RC_BUG, "the key is none") : RC_OK;
    if (!rc)
        rc = recover(out->app_xy, e, key->app_signature, view_str(text));
    memcpy(out->app_sig, key->app_signature, sizeof out->app_sig);
    memcpy(out->kms_sig, key->kms_signature, sizeof out->kms_sig);
    memcpy(out->app_id, app_id, sizeof out->app_id);
    return rc;
}

static rc_t make_self(writer_t *w, err_t *e, keyring_t **ring, dstack_key_t *key)
{
    uint8_t blind[32], derived[ECDSA_PUBKEY_LEN], xy[64];
    members_chain_t chain;
    secret_random(blind, sizeof blind);
    rc_t rc = keyring_new(ring, key->secret, blind);
    secret_wipe(blind, sizeof blind);
    if (rc)
        return err_set(e, rc, "dstack's key cannot be used: %s", rc_name(rc));
    keyring_pubkey(*ring, derived);
    rc = make_chain(&chain, e, key, derived, w->info.app_id);
    if (rc)
        return rc;
    memcpy(xy, chain.derived_xy, sizeof xy);
    ecdsa_address(&w->self.sender, xy);
    w->self.contract = w->with.membership->contract;
    w->self.instance_id = view_str(w->info.instance_id);
    return members_calldata(w->self.data, e, &w->arena, w->self.instance_id, &chain);
}

/* With key_lock held. */
static rc_t ask_tee(writer_t *w, err_t *e, keyring_t **ring)
{
    char path[sizeof PATH_BEFORE_ID + 2 * DSTACK_ID_LEN];
    dstack_key_t key;
    if (!dstack_is_agent(w->with.tee))
        return err_set(e, RC_UNSUPPORTED, "the TEE provider (%s) gives no keys of a KMS: dstack's guest agent does",
                       w->with.tee->name);
    rc_t rc = dstack_get_info(w->with.tee, &w->info, e);
    if (rc)
        return rc;
    snprintf(path, sizeof path, PATH_BEFORE_ID "%s", w->info.instance_id);
    rc = dstack_get_key(w->with.tee, &key, e, path, PURPOSE);
    if (!rc)
        rc = make_self(w, e, ring, &key);
    secret_wipe(&key, sizeof key);
    return rc;
}

static bool has_key(writer_t *w)
{
    pthread_mutex_lock(&w->lock);
    const bool has = w->key != NULL;
    pthread_mutex_unlock(&w->lock);
    return has;
}

rc_t writer_identity(writer_t *w, err_t *e)
{
    keyring_t *ring = NULL;
    pthread_mutex_lock(&w->key_lock);
    const rc_t rc = has_key(w) ? RC_OK : ask_tee(w, e, &ring);
    if (rc)
        keyring_free(ring);
    if (!rc && ring) {
        pthread_mutex_lock(&w->lock);
        w->key = ring;
        pthread_mutex_unlock(&w->lock);
    }
    pthread_mutex_unlock(&w->key_lock);
    return rc;
}

static rc_t sign(void *ctx, uint8_t out[ECDSA_SIG65_LEN], const hash32_t *digest)
{
    return keyring_sign65(ctx, out, NULL, digest);
}

/* ---- one look ---- */

/* Something failed, or somebody has to do something; told when it is another thing than before. */
static void note(writer_t *w, rc_t rc, const err_t *e, bool later)
{
    pthread_mutex_lock(&w->lock);
    const bool is_news = strcmp(e->text, w->why.rc ? w->why.text : "") != 0;
    w->why = *e;
    w->why.rc = rc;
    w->phase = REST;
    w->has_looked = true;
    w->again_ms = later ? clock_monotonic_ms() + AGAIN_MS : 0;
    worker_wake(w->worker);
    pthread_mutex_unlock(&w->lock);
    if (is_news)
        log_write(LOG_WARN, "members", "not registered: %s", e->text);
    w->with.looked(w->with.ctx);
}

/* It may look at this head no more. */
static void rest(writer_t *w)
{
    pthread_mutex_lock(&w->lock);
    w->why = (err_t){ .rc = RC_OK };
    w->phase = REST;
    w->has_looked = true;
    w->looked_at = w->at.env.number;
    worker_wake(w->worker); /* another head may be there */
    pthread_mutex_unlock(&w->lock);
    w->with.looked(w->with.ctx);
}

static void on_stand(void *ctx, rc_t rc, const err_t *e, query_t *take_q)
{
    writer_t *w = ctx;
    if (rc) {
        query_free(take_q);
        note(w, rc, e, true);
        return;
    }
    pthread_mutex_lock(&w->lock);
    w->found = take_q;
    w->phase = LOOKED;
    worker_wake(w->worker);
    pthread_mutex_unlock(&w->lock);
}

static void look(writer_t *w)
{
    const ex_call_config_t on = { .chain = w->with.chain, .cache = w->with.cache, .block = &w->at, .use_hint = true };
    query_t *q;
    err_t e;
    rc_t rc = writer_identity(w, &e);
    if (!rc)
        rc = members_stand_query(&q, &e, &w->stand_call, &on, &w->self);
    if (!rc)
        rc = ask_submit(w->with.ask, q, NULL, on_stand, w);
    if (rc)
        note(w, rc, &e, true);
}

/* An endpoint that has the transaction already says so in its own words: it is on its way all the same. */
static void on_sent(void *ctx, rc_t rc, const err_t *e, query_t *take_q)
{
    writer_t *w = ctx;
    query_free(take_q);
    arena_free(&w->sending);
    if (rc && rc != RC_REFUSED) {
        note(w, rc, e, true);
        return;
    }
    pthread_mutex_lock(&w->lock);
    registrar_sent(&w->registrar, &w->send, w->at.env.number);
    pthread_mutex_unlock(&w->lock);
    log_write(rc ? LOG_WARN : LOG_INFO, "members", "%s: nonce %llu, at most %llu wei for a unit of gas%s%s",
              members_step_name(w->send.step), (unsigned long long)w->send.nonce, (unsigned long long)w->send.max_fee,
              rc ? ": " : "", rc ? e->text : "");
    rest(w);
}

static void send(writer_t *w)
{
    const members_tx_t tx = { .chain_id = w->with.chain->chain_id,
                              .nonce = w->send.nonce,
                              .gas = members_step_gas(w->send.step),
                              .tip = w->send.tip,
                              .max_fee = w->send.max_fee,
                              .to = w->self.contract,
                              .data = w->self.data[w->send.step] };
    view_t raw;
    hash32_t hash;
    query_t *q;
    err_t e;
    arena_init(&w->sending, ARENA_MAX);
    rc_t rc = members_sign(&raw, &hash, &w->sending, &tx, sign, w->key);
    if (rc)
        (void)err_set(&e, rc, "the transaction could not be signed: %s", rc_name(rc));
    pthread_mutex_lock(&w->lock);
    if (!rc)
        w->hash = hash;
    w->phase = SENDING;
    pthread_mutex_unlock(&w->lock);
    if (!rc)
        rc = ex_send_new(&q, &e, raw, &hash);
    if (!rc)
        rc = ask_submit(w->with.ask, q, NULL, on_sent, w);
    if (rc) {
        arena_free(&w->sending);
        note(w, rc, &e, true);
    }
}

/* With what a look found. */
static void decide(writer_t *w, query_t *q)
{
    members_stand_t stand;
    err_t e;
    rc_t rc = members_stand_read(&stand, &e, &w->stand_call);
    registrar_do_t does = REGISTRAR_STUCK;
    if (!rc) {
        const registrar_view_t view = { .stand = &stand,
                                        .block_number = w->at.env.number,
                                        .block_time_s = w->at.env.timestamp,
                                        .base_fee = w->at.env.base_fee };
        pthread_mutex_lock(&w->lock);
        does = registrar_turn(&w->registrar, &w->send, &e, &view);
        w->token = stand.token;
        pthread_mutex_unlock(&w->lock);
        rc = does == REGISTRAR_STUCK ? e.rc : RC_OK;
    }
    query_free(q);
    if (does == REGISTRAR_SEND) {
        send(w);
    } else if (does == REGISTRAR_WAIT) {
        rest(w);
    } else {
        pthread_mutex_lock(&w->lock);
        w->looked_at = w->at.env.number;
        pthread_mutex_unlock(&w->lock);
        note(w, rc, &e, false);
    }
}

/* ---- turns ---- */

static uint64_t turn(writer_t *w)
{
    pthread_mutex_lock(&w->lock);
    query_t *found = w->found;
    w->found = NULL;
    const uint64_t now_ms = clock_monotonic_ms();
    const bool is_new = w->has_head && w->head.env.number > w->looked_at;
    const bool looks = w->is_wanted && w->phase == REST && is_new && now_ms >= w->again_ms && !w->stopping;
    if (looks) {
        w->phase = LOOKING;
        w->at = w->head;
    }
    const uint64_t next = w->is_wanted && is_new && w->phase == REST ? w->again_ms : UINT64_MAX;
    pthread_mutex_unlock(&w->lock);
    if (found)
        decide(w, found);
    else if (looks)
        look(w);
    return next;
}

static void run(worker_t *worker, void *ctx)
{
    uint64_t next;
    do
        next = turn(ctx);
    while (worker_sleep_until(worker, next));
}

void writer_head(writer_t *w, const ex_block_t *block)
{
    pthread_mutex_lock(&w->lock);
    if (!w->has_head || block->env.number > w->head.env.number) {
        w->head = *block;
        w->has_head = true;
        worker_wake(w->worker);
    }
    pthread_mutex_unlock(&w->lock);
}

void writer_register(writer_t *w)
{
    pthread_mutex_lock(&w->lock);
    if (!w->is_wanted || w->why.rc) { /* somebody may have done what he had to */
        w->has_looked = false;
        w->looked_at = 0;
        w->again_ms = 0;
    }
    w->is_wanted = true;
    worker_wake(w->worker);
    pthread_mutex_unlock(&w->lock);
}

writer_state_t writer_state(writer_t *w, err_t *why)
{
    pthread_mutex_lock(&w->lock);
    *why = w->why;
    const writer_state_t state = !w->is_wanted                 ? WRITER_IDLE
                                 : !w->has_looked              ? WRITER_AT_WORK
                                 : w->registrar.is_registered  ? WRITER_REGISTERED
                                 : w->why.rc == RC_REFUSED     ? WRITER_STUCK
                                 : w->why.rc == RC_UNSUPPORTED ? WRITER_STUCK
                                                               : WRITER_AT_WORK;
    pthread_mutex_unlock(&w->lock);
    return state;
}

void writer_put(writer_t *w, jw_t *out)
{
    pthread_mutex_lock(&w->lock);
    if (w->key) {
        jw_hex(out, "address", view_of(w->self.sender.b, sizeof w->self.sender.b));
        jw_str(out, "instance_id", w->info.instance_id);
        jw_hex(out, "app_id", view_of(w->info.app_id, sizeof w->info.app_id));
    } else {
        jw_null(out, "address");
        jw_null(out, "instance_id");
        jw_null(out, "app_id");
    }
    jw_u64(out, "token", w->token);
    jw_bool(out, "registered", w->is_wanted && w->registrar.is_registered);
    jw_u64(out, "transactions", w->registrar.sends);
    if (w->registrar.sends)
        jw_hex(out, "transaction", view_of(w->hash.b, sizeof w->hash.b));
    else
        jw_null(out, "transaction");
    if (w->why.rc)
        jw_str(out, "trouble", w->why.text);
    else
        jw_null(out, "trouble");
    pthread_mutex_unlock(&w->lock);
}

bool writer_address(writer_t *w, addr_t *out)
{
    pthread_mutex_lock(&w->lock);
    const bool has = w->key != NULL;
    if (has)
        *out = w->self.sender;
    pthread_mutex_unlock(&w->lock);
    return has;
}

rc_t writer_sign(writer_t *w, uint8_t out[ECDSA_SIG65_LEN], const hash32_t *digest)
{
    return has_key(w) ? sign(w->key, out, digest) : RC_REFUSED; /* constant once it is there */
}

rc_t writer_start(writer_t **out, err_t *e, const writer_config_t *config)
{
    writer_t *w = calloc(1, sizeof *w);
    if (!w)
        return err_say(e, RC_NOMEM, "out of memory");
    w->with = *config;
    w->registrar.fee_cap = config->membership->fee_cap;
    arena_init(&w->arena, ARENA_MAX);
    pthread_mutex_init(&w->lock, NULL);
    pthread_mutex_init(&w->key_lock, NULL);
    pthread_mutex_lock(&w->lock);
    const rc_t rc = worker_start(&w->worker, e, "register", run, w);
    pthread_mutex_unlock(&w->lock);
    if (rc) {
        writer_free(w);
        return rc;
    }
    *out = w;
    return RC_OK;
}

void writer_stop(writer_t *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    worker_t *worker = w->worker;
    w->worker = NULL;
    w->stopping = true;
    pthread_mutex_unlock(&w->lock);
    worker_stop(worker);
}

void writer_free(writer_t *w)
{
    if (!w)
        return;
    query_free(w->found);
    keyring_free(w->key);
    arena_free(&w->arena);
    pthread_mutex_destroy(&w->lock);
    pthread_mutex_destroy(&w->key_lock);
    free(w);
}
