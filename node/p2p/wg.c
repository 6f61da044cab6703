#include "node/p2p/wg.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/base64.h"
#include "base/crypto/curve25519.h"
#include "base/crypto/secret.h"
#include "base/os/clock.h"
#include "base/os/log.h"
#include "base/os/worker.h"

/* What has to stay secret: locked, and wiped with it. */
typedef struct {
    uint8_t secret[WG_KEY_LEN];
    wg_claim_t claims[WG_CLAIMS_MAX]; /* EX of their connections */
    wg_table_t want, have;            /* have and ops: the worker's alone */
    wg_op_t ops[WG_OPS_MAX];
} vault_t;

/* What was said on a connection. */
typedef struct {
    uint64_t line; /* 0: a free place */
    uint8_t index;
    uint64_t at_ms;
} said_t;

struct wg {
    wg_config_t with;
    uint8_t pubkey[WG_KEY_LEN];
    bool is_open;         /* the worker's, as */
    uint8_t open_index;   /* the address of the interface that is open */
    pthread_mutex_t lock; /* all below */
    worker_t *worker;     /* NULL: not started yet, or stopped */
    wg_owner_t owner;
    vault_t *vault;
    wg_verdict_t verdicts[WG_CLAIMS_MAX], told[WG_CLAIMS_MAX]; /* of claims; what the log was told of them */
    said_t said[WG_CLAIMS_MAX];
    wg_seats_t seats;
    addr_t wallet;
    bool is_wanted, is_checked; /* is_checked: since wg_register */
    err_t hindered;             /* why the interface cannot be had; RC_OK: it can */
    err_t trouble;              /* of the interface that is open */
    uint8_t shown_index;        /* of the interface; 0: it is not open */
    uint64_t again_ms;
};

/* With the lock held. */
static wg_view_t view(const wg_t *w)
{
    wg_view_t v = { .seats = &w->seats,
                    .max_age_s = w->with.max_age_s,
                    .now_s = w->owner.now_s ? w->owner.now_s(w->owner.ctx) : 0,
                    .wallet = w->wallet };
    memcpy(v.pubkey, w->pubkey, sizeof v.pubkey);
    return v;
}

/* ---- what is said on connections ---- */

static said_t *find_said(wg_t *w, uint64_t line)
{
    for (size_t i = 0; i < WG_CLAIMS_MAX; i++)
        if (w->said[i].line == line)
            return &w->said[i];
    return NULL;
}

/* Writes what we say. With the lock held. */
static rc_t write_own(const wg_t *w, wr_t *out, const side_line_t *l, uint8_t index)
{
    wg_message_t m = {
        .port = w->with.port, .index = index, .contract = w->with.contract, .block_number = w->seats.block_number
    };
    hash32_t digest;
    memcpy(m.pubkey, w->pubkey, sizeof m.pubkey);
    wg_message_digest(&digest, &m, l->channel, l->own_key);
    const rc_t rc = w->owner.sign(w->owner.ctx, m.signature, &digest);
    if (!rc)
        wg_message_write(out, &m);
    return rc;
}

static bool say(void *ctx, wr_t *out, const side_line_t *l)
{
    wg_t *w = ctx;
    const uint64_t now_ms = clock_monotonic_ms();
    bool says = false;
    pthread_mutex_lock(&w->lock);
    if (w->worker && w->is_wanted && w->is_checked && !w->hindered.rc) {
        const wg_view_t v = view(w);
        const uint8_t index = wg_own_index(&v);
        said_t *s = find_said(w, l->number);
        const bool is_due = !s || s->index != index || now_ms - s->at_ms >= WG_SAY_AGAIN_MS;
        s = s ? s : find_said(w, 0);
        says = index && s && is_due && write_own(w, out, l, index) == RC_OK;
        if (says)
            *s = (said_t){ l->number, index, now_ms };
    }
    pthread_mutex_unlock(&w->lock);
    return says;
}

static void fill_endpoint(wg_endpoint_t *out, const side_line_t *l, uint16_t port)
{
    *out = (wg_endpoint_t){ .n = 0 };
    if (l->relayed || (l->addr->host != MADDR_IP4 && l->addr->host != MADDR_IP6))
        return;
    out->n = l->addr->host == MADDR_IP4 ? 4 : 16;
    memcpy(out->ip, l->addr->ip, out->n);
    out->port = port;
}

/* Puts a claim in the place of what this connection said before. With the lock held. */
static rc_t keep(wg_t *w, err_t *e, const wg_claim_t *c)
{
    size_t at = WG_CLAIMS_MAX;
    for (size_t i = 0; i < WG_CLAIMS_MAX; i++) {
        const uint64_t line = w->vault->claims[i].line;
        if (line == c->line || (!line && at == WG_CLAIMS_MAX))
            at = i;
        if (line == c->line)
            break;
    }
    if (at == WG_CLAIMS_MAX)
        return err_say(e, RC_LIMIT, "too many WireGuard peers");
    wg_claim_t *old = &w->vault->claims[at];
    const bool says_the_same = old->line == c->line && old->index == c->index && addr_eq(&old->wallet, &c->wallet) &&
                               memcmp(old->pubkey, c->pubkey, sizeof c->pubkey) == 0;
    *old = *c;
    if (!says_the_same)
        w->verdicts[at] = w->told[at] = WG_ALONE;
    return RC_OK;
}

static rc_t take(void *ctx, err_t *e, const side_line_t *l, view_t message)
{
    wg_t *w = ctx;
    wg_message_t m;
    hash32_t digest;
    wg_claim_t c = { .line = l->number, .expires_s = l->expires_s };
    rc_t rc = wg_message_read(&m, e, message);
    if (rc)
        return rc;
    wg_message_digest(&digest, &m, l->channel, l->static_key);
    rc = ecdsa_recover65(&c.wallet, m.signature, &digest);
    if (rc)
        return err_say(e, rc, "a WireGuard message whose signature is none");
    if (!addr_eq(&m.contract, &w->with.contract))
        return RC_OK; /* of another list: no member of ours */
    memcpy(c.channel, l->channel, sizeof c.channel);
    memcpy(c.pubkey, m.pubkey, sizeof c.pubkey);
    c.index = m.index;
    fill_endpoint(&c.endpoint, l, m.port);
    pthread_mutex_lock(&w->lock);
    rc = keep(w, e, &c);
    worker_wake(w->worker);
    pthread_mutex_unlock(&w->lock);
    secret_wipe(&c, sizeof c);
    return rc;
}

static void gone(void *ctx, uint64_t number)
{
    wg_t *w = ctx;
    pthread_mutex_lock(&w->lock);
    for (size_t i = 0; i < WG_CLAIMS_MAX; i++)
        if (w->vault->claims[i].line == number)
            secret_wipe(&w->vault->claims[i], sizeof w->vault->claims[i]);
    said_t *s = find_said(w, number);
    if (s)
        *s = (said_t){ .line = 0 };
    worker_wake(w->worker);
    pthread_mutex_unlock(&w->lock);
}

void wg_side(wg_t *w, side_owner_t *out)
{
    *out =
        (side_owner_t){ .name = WG_PROTOCOL, .max = WG_MESSAGE_MAX, .say = say, .take = take, .gone = gone, .ctx = w };
}

/* ---- the interface ---- */

static void note(wg_t *w, err_t *where, const err_t *e, rc_t rc, const char *what)
{
    pthread_mutex_lock(&w->lock);
    const bool is_news = rc && strcmp(where->text, e->text) != 0;
    if (rc) {
        *where = *e;
        where->rc = rc;
    } else {
        err_clear(where);
    }
    pthread_mutex_unlock(&w->lock);
    if (is_news)
        log_write(LOG_WARN, "wireguard", "%s: %s", what, e->text);
}

/* Whether there is WireGuard and the network is free, when it is to be looked at. */
static void check(wg_t *w)
{
    err_t e;
    pthread_mutex_lock(&w->lock);
    const bool does = w->is_wanted && !w->is_checked;
    pthread_mutex_unlock(&w->lock);
    if (!does)
        return;
    err_clear(&e);
    const rc_t rc = w->with.door.check(w->with.door.ctx, &e);
    note(w, &w->hindered, &e, rc, "no interface");
    pthread_mutex_lock(&w->lock);
    w->is_checked = true;
    pthread_mutex_unlock(&w->lock);
    w->owner.looked(w->owner.ctx);
}

/* Tells the log whom it refuses, once. With the lock held. */
static void tell_verdicts(wg_t *w)
{
    for (size_t i = 0; i < WG_CLAIMS_MAX; i++) {
        const wg_verdict_t v = w->verdicts[i];
        if (!w->vault->claims[i].line || v == w->told[i])
            continue;
        w->told[i] = v;
        if (v == WG_NOT_ITS_OWN || v == WG_KEY_TAKEN || v == WG_BAD_KEY || v == WG_UNLISTED)
            log_write(LOG_WARN, "wireguard", "a member that says 10.0.1.%u is refused: %s", w->vault->claims[i].index,
                      wg_verdict_text(v));
    }
}

/* The wanted table, and our own address (0: none). */
static uint8_t look(wg_t *w)
{
    pthread_mutex_lock(&w->lock);
    const wg_view_t v = view(w);
    const uint8_t index = w->is_wanted && w->is_checked && !w->hindered.rc ? wg_own_index(&v) : 0;
    wg_wanted(&w->vault->want, w->verdicts, w->vault->claims, WG_CLAIMS_MAX, &v);
    tell_verdicts(w);
    pthread_mutex_unlock(&w->lock);
    return index;
}

static void shut(wg_t *w)
{
    if (!w->is_open)
        return;
    w->with.door.close(w->with.door.ctx);
    w->is_open = false;
    secret_wipe(&w->vault->have, sizeof w->vault->have);
    log_write(LOG_INFO, "wireguard", "10.0.1.%u is given up", w->open_index);
    pthread_mutex_lock(&w->lock);
    w->shown_index = 0;
    pthread_mutex_unlock(&w->lock);
}

/* Opens the interface with this address, without peers. */
static rc_t open_at(wg_t *w, err_t *e, uint8_t index)
{
    const rc_t rc = w->with.door.open(w->with.door.ctx, e, w->vault->secret, w->with.port, index);
    w->is_open = true; /* as far as it has come, it is to be closed */
    w->open_index = index;
    w->vault->have.count = 0;
    if (rc)
        return rc;
    pthread_mutex_lock(&w->lock);
    w->shown_index = index;
    pthread_mutex_unlock(&w->lock);
    log_write(LOG_INFO, "wireguard", WG_INTERFACE " has 10.0.1.%u", index);
    return RC_OK;
}

static rc_t apply(wg_t *w, err_t *e)
{
    vault_t *v = w->vault;
    const size_t n = wg_diff(v->ops, &v->have, &v->want);
    const rc_t rc = n ? w->with.door.apply(w->with.door.ctx, e, v->ops, n) : RC_OK;
    secret_wipe(v->ops, sizeof v->ops);
    if (!rc)
        v->have = v->want;
    return rc;
}

/* Makes the interface what it has to be. After a failure nothing is left of it, and it is made anew. */
static void work(wg_t *w)
{
    err_t e;
    rc_t rc = RC_OK;
    const uint8_t index = look(w);
    if (!index) {
        shut(w);
        return;
    }
    err_clear(&e);
    if (!w->is_open || w->open_index != index)
        rc = open_at(w, &e, index);
    if (!rc)
        rc = apply(w, &e);
    note(w, &w->trouble, &e, rc, "the interface");
    if (rc)
        shut(w);
}

static void run(worker_t *worker, void *ctx)
{
    wg_t *w = ctx;
    do {
        check(w);
        work(w);
    } while (worker_sleep_until(worker, clock_monotonic_ms() + WG_AGAIN_MS));
    shut(w);
}

/* ---- what its owner says ---- */

void wg_register(wg_t *w)
{
    pthread_mutex_lock(&w->lock);
    if (!w->is_wanted || w->hindered.rc)
        w->is_checked = false;
    w->is_wanted = true;
    worker_wake(w->worker);
    pthread_mutex_unlock(&w->lock);
}

wg_state_t wg_state(wg_t *w, err_t *why)
{
    pthread_mutex_lock(&w->lock);
    *why = w->hindered;
    const wg_state_t s = !w->is_wanted    ? WG_IDLE
                         : !w->is_checked ? WG_CHECKING
                         : w->hindered.rc ? WG_HINDERED
                                          : WG_READY;
    pthread_mutex_unlock(&w->lock);
    return s;
}

void wg_list(wg_t *w, const wg_seats_t *seats, const addr_t *wallet)
{
    pthread_mutex_lock(&w->lock);
    w->seats = *seats;
    w->wallet = *wallet;
    worker_wake(w->worker);
    pthread_mutex_unlock(&w->lock);
}

static void put_key(jw_t *out, const char *name, const uint8_t key[WG_KEY_LEN])
{
    char text[48];
    base64_encode(text, view_of(key, WG_KEY_LEN));
    jw_str(out, name, text);
}

static void put_address(jw_t *out, uint8_t index)
{
    char text[16];
    snprintf(text, sizeof text, "10.0.1.%u", index);
    if (index)
        jw_str(out, "address", text);
    else
        jw_null(out, "address");
}

void wg_put(wg_t *w, jw_t *out)
{
    pthread_mutex_lock(&w->lock);
    jw_str(out, "interface", WG_INTERFACE);
    put_address(out, w->shown_index);
    put_key(out, "public_key", w->pubkey);
    jw_u64(out, "port", w->with.port);
    for (unsigned k = 0; k < 2; k++) {
        jw_array(out, k ? "refused" : "peers");
        for (size_t i = 0; i < WG_CLAIMS_MAX; i++) {
            const wg_claim_t *c = &w->vault->claims[i];
            if (!c->line || (w->verdicts[i] != WG_WANTED) != (k == 1))
                continue;
            jw_object(out, NULL);
            put_address(out, c->index);
            put_key(out, "public_key", c->pubkey);
            if (k)
                jw_str(out, "why", wg_verdict_text(w->verdicts[i]));
            jw_end(out);
        }
        jw_end(out);
    }
    const err_t *why = w->hindered.rc ? &w->hindered : &w->trouble;
    if (why->rc)
        jw_str(out, "trouble", why->text);
    else
        jw_null(out, "trouble");
    pthread_mutex_unlock(&w->lock);
}

rc_t wg_new(wg_t **out, err_t *e, const wg_config_t *config)
{
    wg_t *w = calloc(1, sizeof *w);
    vault_t *v = w ? secret_alloc(sizeof *v) : NULL;
    if (!v) {
        free(w);
        return err_say(e, RC_NOMEM, "no memory that may be locked for WireGuard's key");
    }
    memset(v, 0, sizeof *v);
    secret_random(v->secret, sizeof v->secret);
    w->vault = v;
    w->with = *config;
    x25519_pubkey(w->pubkey, v->secret);
    pthread_mutex_init(&w->lock, NULL);
    *out = w;
    return RC_OK;
}

rc_t wg_start(wg_t *w, err_t *e, const wg_owner_t *owner)
{
    pthread_mutex_lock(&w->lock);
    w->owner = *owner;
    const rc_t rc = worker_start(&w->worker, e, "wireguard", run, w);
    pthread_mutex_unlock(&w->lock);
    return rc;
}

void wg_stop(wg_t *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    worker_t *worker = w->worker;
    w->worker = NULL; /* nothing is said any more */
    pthread_mutex_unlock(&w->lock);
    worker_stop(worker);
}

void wg_free(wg_t *w)
{
    if (!w)
        return;
    secret_free(w->vault);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
