/* recover.c - what of the key outlives all nodes: file "recovery" of the state directory (overlay/recovery.h), written
 * when another generation or order is in force, and what is brought back of it: sealed by this TEE, or from shares. */
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/crypto/secret.h"
#include "base/os/file.h"
#include "base/os/log.h"
#include "base/os/persist.h"
#include "node/cluster/parts.h"
#include "node/cluster/recovery_text.h"

#define FILE_NAME "recovery"
#define SEAL_PATH "kettle/seal/key/1" /* of the provider's key */
#define SLOTS 64u                     /* for which are signed before what is sealed is written anew */
#define AGAIN_MS 10000u               /* after a file that could not be written */

/* The loop's thread alone, but for what is said so. */
struct recover {
    setup_recovery_mode_t mode;
    gather_t *gather;  /* of shares: those that come */
    uint8_t *seal_key; /* of the provider, in locked memory */
    recovery_t kept;   /* of the file as it was found, or as it was written: views into bytes */
    view_t covered;
    uint8_t *bytes; /* NULL: there is none */
    size_t n;
    bool is_former; /* kept is of an earlier run, and may be brought back */
    /* what the file says that was written last */
    bool wrote;
    hash32_t generation;
    order_id_t order;
    uint64_t slot, again_ms;
    char trouble[240]; /* with the cluster's lock: why nothing is brought back; empty: nothing is known against it */
    unsigned have;     /* with the cluster's lock */
    bool ready;        /* with the cluster's lock: something could be brought back */
};

bool cluster_may_recover(const config_t *config, const char *state_dir)
{
    view_t kept = { NULL, 0 };
    bool found = false;
    if (config->recovery.mode == SETUP_RECOVERY_NONE || config->cluster_new)
        return false;
    if (config->cluster[0])
        return true;
    if (!state_dir)
        return false;
    const rc_t rc = persist_read(&kept, &found, NULL, state_dir, FILE_NAME, RECOVERY_MAX);
    file_free(kept);
    return rc || found; /* a damaged one is looked at by people, and not overwritten by a new cluster's */
}

static void say_trouble(cluster_t *c, const char *text)
{
    pthread_mutex_lock(&c->lock);
    snprintf(c->recover->trouble, sizeof c->recover->trouble, "%s", text);
    pthread_mutex_unlock(&c->lock);
    if (text[0])
        log_write(LOG_WARN, "recovery", "%s", text);
}

/* What others look at. */
static void publish(cluster_t *c)
{
    recover_t *r = c->recover;
    unsigned needed = 0;
    const unsigned have = r->gather ? gather_count(r->gather, &needed) : 0;
    pthread_mutex_lock(&c->lock);
    r->have = have;
    r->ready = r->gather ? have >= needed : r->is_former;
    pthread_mutex_unlock(&c->lock);
}

/* ---- the file ---- */

/* Takes bytes, which it owns from now on. */
static rc_t adopt(recover_t *r, err_t *e, uint8_t *take_bytes, size_t n)
{
    const rc_t rc = recovery_read(&r->kept, &r->covered, e, view_of(take_bytes, n));
    free(r->bytes);
    r->bytes = rc ? NULL : take_bytes;
    r->n = rc ? 0 : n;
    if (rc)
        free(take_bytes);
    return rc;
}

static recovery_mode_t form_of(setup_recovery_mode_t mode)
{
    return mode == SETUP_RECOVERY_SEAL ? RECOVERY_SEALED : RECOVERY_SHARES;
}

static void read_file(cluster_t *c)
{
    recover_t *r = c->recover;
    view_t kept = { NULL, 0 };
    bool found = false;
    err_t e;
    if (!c->with.state_dir || c->with.config->cluster_new)
        return;
    rc_t rc = persist_read(&kept, &found, &e, c->with.state_dir, FILE_NAME, RECOVERY_MAX);
    uint8_t *copy = !rc && found ? malloc(kept.n ? kept.n : 1) : NULL;
    if (!rc && found && !copy)
        rc = err_say(&e, RC_NOMEM, "out of memory");
    if (copy) {
        memcpy(copy, kept.p, kept.n);
        rc = adopt(r, &e, copy, kept.n);
    }
    if (!rc && found)
        rc = recovery_judge(&e, &r->kept, r->covered, c->ecdsa);
    if (!rc && found && r->kept.mode != form_of(r->mode))
        rc = err_say(&e, RC_REFUSED, "the kept recovery is of another mode than the configuration's");
    file_free(kept);
    r->is_former = found && !rc && r->mode == SETUP_RECOVERY_SEAL;
    if (rc) {
        free(r->bytes);
        r->bytes = NULL;
        (void)err_before(&e, rc, "what was kept to recover the key is not used: %s%s", e.field, e.field[0] ? ": " : "");
        say_trouble(c, e.text);
    }
}

static rc_t open_seal(cluster_t *c, err_t *e)
{
    const tee_provider_t *tee = c->with.tee;
    if (!tee->seal_key)
        return err_set(e, RC_REFUSED, "recovery: the %s gives no key to seal by", tee->name);
    if (!c->with.state_dir)
        return err_say(e, RC_REFUSED, "recovery: seal needs a state directory (--state-dir)");
    c->recover->seal_key = secret_alloc(TEE_SEAL_KEY_LEN);
    return c->recover->seal_key ? tee->seal_key(tee->ctx, c->recover->seal_key, e, SEAL_PATH)
                                : err_say(e, RC_NOMEM, "out of memory");
}

static rc_t new_gather(recover_t *r, const setup_recovery_t *of)
{
    uint8_t random[X25519_LEN];
    const key_holders_t holders = { (const uint8_t(*)[X25519_LEN])of->keys, of->threshold, of->count };
    gather_t *g = NULL;
    secret_random(random, sizeof random);
    const rc_t rc = gather_new(&g, &holders, random);
    if (rc)
        return rc;
    gather_free(r->gather);
    r->gather = g;
    return RC_OK;
}

rc_t recover_open(cluster_t *c, err_t *e)
{
    const setup_recovery_t *of = &c->with.config->recovery;
    rc_t rc = RC_OK;
    c->recover = calloc(1, sizeof *c->recover);
    if (!c->recover)
        return err_say(e, RC_NOMEM, "out of memory");
    c->recover->mode = of->mode;
    if (of->mode == SETUP_RECOVERY_NONE)
        return RC_OK;
    if (of->mode == SETUP_RECOVERY_SEAL)
        rc = open_seal(c, e);
    else if (new_gather(c->recover, of))
        rc = err_say(e, RC_NOMEM, "out of memory");
    if (rc)
        return rc;
    read_file(c);
    publish(c);
    return RC_OK;
}

void recover_free(recover_t *r)
{
    if (!r)
        return;
    gather_free(r->gather);
    secret_free(r->seal_key);
    free(r->bytes);
    free(r);
}

/* ---- writing ---- */

/* The order in force with its policy's text, into buf (ORDER_MAX bytes); nothing when nobody signed it. */
static view_t order_in_force(const cluster_t *c, uint8_t *buf)
{
    const order_signed_t *order = join_order(c->join);
    wr_t w = wr_of(buf, ORDER_MAX);
    if (order->signature_count)
        order_write(&w, order, true);
    return w.bad ? view_of(NULL, 0) : wr_view(&w);
}

static void fill(cluster_t *c, recovery_t *out, uint8_t *order_buf)
{
    const entry_signed_t *first = join_first(c->join);
    out->mode = form_of(c->recover->mode);
    out->proof = *join_newest(c->join);
    out->has_first = first && out->proof.has_order;
    if (out->has_first)
        out->first = *first;
    out->order = order_in_force(c, order_buf);
    pthread_mutex_lock(&c->lock);
    out->statement = c->statement;
    out->slot = c->signed_slot;
    pthread_mutex_unlock(&c->lock);
}

/* Splits the generation among the operators. */
static rc_t split(cluster_t *c, recovery_t *r, const key_name_t *name)
{
    const setup_recovery_t *of = &c->with.config->recovery;
    const key_holders_t holders = { (const uint8_t(*)[X25519_LEN])of->keys, of->threshold, of->count };
    uint8_t ephemeral[KEY_HOLDERS_MAX * X25519_LEN];
    r->threshold = of->threshold;
    r->count = of->count;
    memcpy(r->keys, of->keys, sizeof r->keys);
    secret_random(ephemeral, sizeof ephemeral);
    const rc_t rc = keyring_split(c->with.ring, r->boxes, name, &holders, ephemeral);
    secret_wipe(ephemeral, sizeof ephemeral);
    return rc;
}

/* Puts the secrets behind what is known of them. */
static rc_t finish(cluster_t *c, wr_t *w, recovery_t *r)
{
    const key_name_t *name = &r->proof.entry.entry.name;
    uint8_t nonce[XAEAD_NONCE_LEN];
    hash32_t digest;
    rc_t rc = r->mode == RECOVERY_SHARES ? split(c, r, name) : RC_OK;
    if (rc)
        return rc;
    recovery_write(w, r);
    if (r->mode == RECOVERY_SHARES) {
        sha256(&digest, wr_view(w));
        rc = keyring_sign_as(c->with.ring, r->signature, name, &digest);
    } else {
        secret_random(nonce, sizeof nonce);
        rc = keyring_keep(c->with.ring, r->kept, name, c->recover->seal_key, wr_view(w), nonce);
    }
    recovery_write_end(w, r);
    return !rc && w->bad ? RC_LIMIT : rc;
}

static rc_t write_out(cluster_t *c, err_t *e)
{
    recovery_t *r = calloc(1, sizeof *r);
    uint8_t *out = malloc(RECOVERY_MAX), *order_buf = malloc(ORDER_MAX);
    rc_t rc = r && out && order_buf ? RC_OK : err_say(e, RC_NOMEM, "out of memory");
    wr_t w = wr_of(out, out ? RECOVERY_MAX : 0);
    if (!rc) {
        fill(c, r, order_buf);
        rc = finish(c, &w, r);
        if (rc)
            (void)err_set(e, rc, "the key could not be made recoverable: %s", rc_name(rc));
    }
    if (!rc && c->with.state_dir)
        rc = persist_write(e, c->with.state_dir, FILE_NAME, wr_view(&w));
    if (!rc) {
        rc = adopt(c->recover, e, out, w.n);
        out = NULL;
    }
    free(r);
    free(out);
    free(order_buf);
    return rc;
}

/* Whether what is kept is not what holds now. */
static bool is_due(cluster_t *c, const hash32_t *newest, const order_id_t *order)
{
    const recover_t *r = c->recover;
    pthread_mutex_lock(&c->lock);
    const bool may = c->statement.n && c->keys.holds && c->keys.is_in_use;
    const uint64_t slot = c->signed_slot;
    pthread_mutex_unlock(&c->lock);
    if (!may)
        return false;
    return !r->wrote || !hash32_eq(&r->generation, newest) || order_id_cmp(&r->order, order) != 0 ||
           (r->mode == SETUP_RECOVERY_SEAL && slot >= r->slot + SLOTS);
}

void recover_turn(cluster_t *c, uint64_t now_ms)
{
    recover_t *r = c->recover;
    const entry_proof_t *newest = join_newest(c->join);
    const order_id_t order = join_order(c->join)->id;
    err_t e;
    if (r->mode == SETUP_RECOVERY_NONE || !newest || now_ms < r->again_ms || !is_due(c, &newest->entry.g, &order))
        return;
    if (write_out(c, &e)) {
        r->again_ms = now_ms + AGAIN_MS;
        say_trouble(c, e.text);
        return;
    }
    r->is_former = false;
    r->wrote = true;
    r->generation = r->kept.proof.entry.g;
    r->order = order;
    r->slot = r->kept.slot;
    say_trouble(c, "");
    publish(c);
    log_write(LOG_INFO, "recovery", "generation %llu.%u outlives its nodes: %s",
              (unsigned long long)r->kept.proof.entry.entry.name.version, r->kept.proof.entry.entry.name.index,
              r->mode == SETUP_RECOVERY_SEAL ? "sealed by the TEE provider" : "shares at GET /v1/recovery/shares");
}

/* ---- bringing back ---- */

/* What may be brought back now; NULL: nothing. */
static const recovery_t *at_hand(const recover_t *r)
{
    unsigned needed;
    if (r->gather)
        return gather_count(r->gather, &needed) >= needed ? gather_recovery(r->gather, NULL) : NULL;
    return r->is_former ? &r->kept : NULL;
}

/* Whether the contract's list, if this node goes by it, is against bringing it back. */
static rc_t check_anchor(cluster_t *c, err_t *e, const recovery_t *r)
{
    if (!c->with.by_list)
        return RC_OK;
    pthread_mutex_lock(&c->lock);
    const muster_anchor_t anchor = c->anchor;
    pthread_mutex_unlock(&c->lock);
    return muster_restores(e, &anchor, r->proof.entry.entry.pubkey, recovery_cluster(r));
}

static rc_t offer(cluster_t *c, err_t *e, const void *arg)
{
    cluster_offer_t *out = (cluster_offer_t *)(uintptr_t)arg;
    const recovery_t *r = at_hand(c->recover);
    if (!r)
        return err_say(e, RC_NEED_DATA, "nothing is at hand");
    if (check_anchor(c, e, r) == RC_NEED_DATA)
        return RC_NEED_DATA;
    *out = (cluster_offer_t){ .is_recovered = true, .statement_n = r->statement.n };
    memcpy(out->pubkey, recovery_cluster(r), sizeof out->pubkey);
    memcpy(out->statement, r->statement.p, r->statement.n);
    if (r->has_first)
        out->setup = r->first.entry.setup;
    else if (!r->proof.has_order)
        out->setup = r->proof.entry.entry.setup;
    else
        sha256(&out->setup, r->statement); /* the first entry is lost: the generation's key vouches for the statement */
    return RC_OK;
}

bool cluster_recovers(cluster_t *c, cluster_offer_t *out)
{
    err_t e;
    pthread_mutex_lock(&c->lock);
    const bool ready = c->recover->ready;
    pthread_mutex_unlock(&c->lock);
    return ready && !call_on_loop(c, &e, offer, out);
}

static rc_t take_secrets(void *ctx, keyring_t *keys, const key_name_t *name, const uint8_t expected[33])
{
    const recover_t *r = ctx;
    return r->gather ? gather_join(r->gather, keys)
                     : keyring_recall(keys, name, expected, r->kept.kept, r->seal_key, r->covered);
}

/* The generation, with what shows it. */
static rc_t bring_back(cluster_t *c, err_t *e, const recovery_t *r)
{
    uint8_t *proof = malloc(ENTRY_PROOF_MAX), first[ENTRY_MAX];
    wr_t p = wr_of(proof, proof ? ENTRY_PROOF_MAX : 0), f = wr_of(first, sizeof first);
    if (!proof)
        return err_say(e, RC_NOMEM, "out of memory");
    entry_proof_write(&p, &r->proof);
    if (r->has_first)
        entry_write(&f, &r->first);
    const rc_t rc = join_restore(c->join, e, wr_view(&p), wr_view(&f), take_secrets, c->recover);
    free(proof);
    return rc;
}

static rc_t restore(cluster_t *c, err_t *e, const void *arg)
{
    const recovery_t *r = at_hand(c->recover);
    (void)arg;
    if (!r)
        return err_say(e, RC_NEED_DATA, "nothing is at hand");
    rc_t rc = check_anchor(c, e, r);
    if (!rc)
        rc = keys_take_kept(c, e, r->order);
    if (!rc)
        rc = bring_back(c, e, r);
    if (rc)
        return rc;
    pthread_mutex_lock(&c->lock);
    if (r->slot > c->floor.signed_slot)
        c->floor.signed_slot = r->slot;
    pthread_mutex_unlock(&c->lock);
    log_write(LOG_WARN, "recovery", "generation %llu.%u is brought back: an order should have a new key made",
              (unsigned long long)r->proof.entry.entry.name.version, r->proof.entry.entry.name.index);
    keys_update(c);
    return RC_OK;
}

rc_t cluster_restore(cluster_t *c, err_t *e)
{
    return call_on_loop(c, e, restore, NULL);
}

static rc_t forget(cluster_t *c, err_t *e, const void *arg)
{
    const err_t *why = arg;
    err_t told;
    (void)err_set(&told, RC_REFUSED, "the key is not brought back: %s%s%s", why->field, why->field[0] ? ": " : "",
                  why->text);
    c->recover->is_former = false;
    const rc_t rc = c->recover->gather ? new_gather(c->recover, &c->with.config->recovery) : RC_OK;
    say_trouble(c, told.text);
    publish(c);
    return rc ? err_say(e, rc, "out of memory") : RC_OK;
}

void cluster_recovery_failed(cluster_t *c, const err_t *why)
{
    err_t e;
    if (call_on_loop(c, &e, forget, why))
        log_write(LOG_WARN, "recovery", "%s", e.text);
}

void cluster_recovery_said(cluster_t *c, char out[240])
{
    const recover_t *r = c->recover;
    const setup_recovery_t *of = &c->with.config->recovery;
    pthread_mutex_lock(&c->lock);
    if (r->mode == SETUP_RECOVERY_SHARES)
        snprintf(out, 240, "%u of %u shares of operators are here (kettle recover)%s%.150s", r->have, of->threshold,
                 r->trouble[0] ? "; " : "", r->trouble);
    else
        snprintf(out, 240, "%s", r->trouble);
    pthread_mutex_unlock(&c->lock);
}

/* ---- operators ---- */

static rc_t put_shares(cluster_t *c, err_t *e, const void *arg)
{
    const recover_t *r = c->recover;
    if (r->mode != SETUP_RECOVERY_SHARES || !r->bytes)
        return err_say(e, RC_NEED_DATA, "this node has no shares to show");
    recovery_shares_write((jw_t *)(uintptr_t)arg, &r->kept, view_of(r->bytes, r->n));
    return RC_OK;
}

rc_t cluster_recovery_shares(cluster_t *c, err_t *e, jw_t *w)
{
    return call_on_loop(c, e, put_shares, w);
}

/* That this node waits for shares. */
static rc_t check_waits(cluster_t *c, err_t *e)
{
    if (!c->recover->gather)
        return err_say(e, RC_REFUSED, "this node's configuration has no recovery by shares");
    if (join_newest(c->join) && c->keys.is_in_use)
        return err_say(e, RC_REPLAY, "this node holds the cluster's key");
    return RC_OK;
}

static rc_t take_share(cluster_t *c, err_t *e, const void *arg)
{
    const gather_share_t *s = arg;
    order_rules_t rules = keys_rules(c);
    unsigned needed;
    memcpy(rules.cluster, c->with.config->cluster, sizeof rules.cluster);
    rc_t rc = check_waits(c, e);
    if (!rc)
        rc = gather_take(c->recover->gather, e, s, &rules);
    if (rc)
        return rc;
    const unsigned have = gather_count(c->recover->gather, &needed);
    log_write(LOG_INFO, "recovery", "the share of operator %u has come: %u of %u", s->holder, have, needed);
    say_trouble(c, "");
    publish(c);
    return RC_OK;
}

rc_t cluster_take_share(cluster_t *c, err_t *e, arena_t *a, view_t json)
{
    gather_share_t s;
    const rc_t rc = recovery_share_read(&s, e, a, json);
    return rc ? rc : call_on_loop(c, e, take_share, &s);
}

static rc_t look(cluster_t *c, err_t *e, const void *arg)
{
    recovery_evidence_t *x = (recovery_evidence_t *)(uintptr_t)arg;
    const rc_t rc = check_waits(c, e);
    if (rc)
        return rc;
    memcpy(x->recovery_key, gather_pubkey(c->recover->gather), sizeof x->recovery_key);
    x->have = gather_count(c->recover->gather, &x->needed);
    return RC_OK;
}

rc_t cluster_recovery_evidence(cluster_t *c, view_t *out, err_t *e, arena_t *a, const uint8_t nonce[32])
{
    recovery_evidence_t x = { .evidence_type = (uint8_t)c->with.tee->type };
    uint8_t report_data[TEE_REPORT_DATA_LEN];
    tee_evidence_t made = { 0 };
    rc_t rc = call_on_loop(c, e, look, &x);
    if (rc)
        return rc;
    memcpy(x.nonce, nonce, sizeof x.nonce);
    memcpy(x.node_pubkey, c->with.node_pubkey, sizeof x.node_pubkey);
    tee_recover_report_data(report_data, c->with.tee->type, nonce, x.recovery_key, x.node_pubkey);
    rc = attest_collateral(c->with.attest, &x.collateral, e, a);
    if (!rc)
        rc = attest_evidence(c->with.attest, &made, e, report_data);
    if (rc)
        return rc;
    x.quote = made.quote;
    x.event_log = made.event_log;
    x.vm_config = made.vm_config;
    jw_t w = jw_of(a, RECOVERY_EVIDENCE_MAX);
    recovery_evidence_write(&w, a, &x);
    *out = jw_done(&w);
    tee_evidence_free(&made);
    return w.rc ? err_say(e, w.rc, "the evidence cannot be written") : RC_OK;
}

void recover_status(const cluster_t *c, jw_t *w)
{
    const recover_t *r = c->recover;
    const setup_recovery_t *of = &c->with.config->recovery;
    jw_object(w, "recovery");
    jw_str(w, "mode", SETUP_RECOVERY_WORDS[of->mode]);
    if (of->mode == SETUP_RECOVERY_SHARES) {
        jw_u64(w, "threshold", of->threshold);
        jw_u64(w, "holders", of->count);
        jw_u64(w, "have", r ? r->have : 0);
    }
    r && r->trouble[0] ? jw_str(w, "trouble", r->trouble) : jw_null(w, "trouble");
    jw_end(w);
}
