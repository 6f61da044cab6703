/* try_consensus.c - whether a beacon API is of the chain, and has the checkpoint's bootstrap, which is young enough. */
#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "node/setup/tries.h"
#include "rpc/upstream/beacon.h"
#include "rpc/upstream/finality.h"

#define BODY_ARENA_MAX ((size_t)16 << 20)

/* A node with peers learns from them where to begin. */
static bool has_root(const trial_run_t *r)
{
    return !hash32_is_zero(&r->found->start.root);
}

static lc_want_t want_of(const trial_run_t *r)
{
    return (lc_want_t){ .kind = LC_BOOTSTRAP, .block_root = r->found->start.root, .count = 1 };
}

/* A GET of a beacon API. */
static hc_request_t *get(trial_run_t *r, size_t i, const char *path, try_kind_t kind)
{
    hc_request_t *q = exchange_add(&r->exchange, up_url(r->consensus.up, i), path, TRY_WHO(kind, i));
    q->ca_file = up_ca_file(r->consensus.up);
    q->reach = config_reach(r->trial->config, r->trial->config->consensus_by_setup && !r->trial->begun);
    return q;
}

static void ask_bootstrap(trial_run_t *r, size_t i, bool json)
{
    char path[BN_PATH_MAX];
    const lc_want_t want = want_of(r);
    bn_path(path, &want);
    hc_request_t *q = get(r, i, path, TRY_BOOTSTRAP);
    q->accept = json ? BN_ACCEPT_JSON : BN_ACCEPT;
    q->body_max = bn_body_max(&want);
}

static void ask_genesis(trial_run_t *r, size_t i)
{
    get(r, i, FINALITY_GENESIS_PATH, TRY_GENESIS)->body_max = FINALITY_BODY_MAX;
}

void try_consensus_ask(trial_run_t *r, unsigned round)
{
    tries_t *t = &r->consensus;
    for (size_t i = 0; i < t->count; i++) {
        if (round == 0)
            ask_genesis(r, i);
        if (has_root(r) && (round == 0 || t->as_json[i]))
            ask_bootstrap(r, i, round > 0);
        t->as_json[i] = false;
    }
}

/* Whether the API is of our chain. One that does not say may still have the bootstrap, which says it better. */
static void take_genesis(trial_run_t *r, size_t i, size_t endpoint)
{
    tries_t *t = &r->consensus;
    const hash32_t *ours = &r->trial->config->network.genesis_validators_root;
    hash32_t root;
    char theirs[65];
    err_t e;
    const view_t body = exchange_body(&r->exchange, &e, i, t->by_owner);
    rc_t rc = body.p ? finality_read_genesis(&root, &e, body) : e.rc;
    t->is_of_chain[endpoint] = !rc && hash32_eq(&root, ours);
    if (rc && !has_root(r))
        tries_fail(t, endpoint, &e, &r->exchange.responses[i], false);
    if (rc || t->is_of_chain[endpoint])
        return;
    hex_encode(theirs, view_of(root.b, 32));
    (void)err_set(&e, RC_REFUSED, "is of another chain: its genesis validators root is 0x%s", theirs);
    t->why[endpoint].rc = RC_OK; /* says more than whatever was said before */
    tries_fail(t, endpoint, &e, NULL, true);
}

/* Through the same checks as the follower's. */
static rc_t check_bootstrap(trial_run_t *r, tries_t *t, err_t *e, arena_t *a, size_t endpoint, const bn_object_t *o)
{
    const config_t *c = r->trial->config;
    lc_bootstrap_t *b = arena_calloc(a, 1, sizeof *b);
    unsigned moved;
    lc_sync_t *s = lc_sync_new(&(lc_sync_config_t){
        .network = &c->network, .checkpoint = r->found->start.root, .checkpoint_age_max_s = c->checkpoint_age_max_s });
    rc_t rc = s && b ? lc_sync_input(s, &moved, e, LC_BOOTSTRAP, o->fork, o->ssz, r->trial->now_ms)
                     : err_say(e, RC_NOMEM, "out of memory");
    if (rc == RC_LIMIT && !lc_bootstrap_decode(b, &c->network, o->fork, o->ssz))
        t->old_slot[endpoint] = b->header.beacon.slot + 1; /* 0: not so */
    lc_sync_free(s);
    return rc;
}

static void keep(trial_found_t *found, const bn_object_t *o)
{
    if (found->bootstrap)
        return;
    found->bootstrap = malloc(o->ssz.n ? o->ssz.n : 1); /* without it the follower fetches it again */
    if (!found->bootstrap)
        return;
    memcpy(found->bootstrap, o->ssz.p, o->ssz.n);
    found->bootstrap_len = o->ssz.n;
    found->fork = o->fork;
}

static rc_t take_body(trial_run_t *r, tries_t *t, err_t *e, size_t endpoint, const hc_response_t *x)
{
    const lc_want_t want = want_of(r);
    const char *version = x->consensus_version[0] ? x->consensus_version : NULL;
    bn_object_t o;
    size_t count = 0;
    arena_t a;
    arena_init(&a, BODY_ARENA_MAX);
    rc_t rc = bn_decode(&o, &count, e, &a, &r->trial->config->network, &want, x->content_type, version,
                        view_of(x->body, x->body_len));
    if (rc)
        (void)err_before(e, rc, "%s: ", e->field[0] ? e->field : "answer");
    if (!rc)
        rc = check_bootstrap(r, t, e, &a, endpoint, &o);
    if (!rc)
        keep(r->found, &o);
    arena_free(&a);
    return rc;
}

/* A server that has nothing under this root, and not one that lets nobody in or has trouble of its own. */
static bool is_unknown(int status)
{
    return status >= 400 && status < 500 && status != 401 && status != 403 && status != 407 && status != 429;
}

void try_consensus_take(trial_run_t *r, size_t i, try_kind_t kind, size_t endpoint)
{
    tries_t *t = &r->consensus;
    const hc_response_t *x = &r->exchange.responses[i];
    const bool is_first =
        x->body && r->exchange.requests[i].accept && !strcmp(r->exchange.requests[i].accept, BN_ACCEPT);
    err_t e;
    if (kind == TRY_GENESIS) {
        take_genesis(r, i, endpoint);
        return;
    }
    const view_t body = exchange_body(&r->exchange, &e, i, t->by_owner);
    const rc_t rc = body.p ? take_body(r, t, &e, endpoint, x) : e.rc;
    t->as_json[endpoint] = rc && rc != RC_LIMIT && is_first && !x->why.rc && bn_try_json(x->status, x->content_type);
    t->unknown[endpoint] = !body.p && !x->why.rc && is_unknown(x->status);
    if (!rc || t->as_json[endpoint])
        return;
    (void)err_before(&e, rc, "bootstrap: ");
    tries_fail(t, endpoint, &e, x, false);
}

/* ---- what came of all ---- */

static rc_t too_old(const trial_run_t *r, err_t *e, uint64_t slot)
{
    const lc_network_t *net = &r->trial->config->network;
    const uint64_t at = lc_slot_start_ms(net, slot), now = r->trial->now_ms;
    char age[40], bound[40];
    (void)err_in(e, RC_REFUSED, "checkpoint", "is %s old (slot %llu), and may be %s. " CHECKPOINT_HOW,
                 checkpoint_duration(age, now > at ? now - at : 0), (unsigned long long)slot,
                 checkpoint_duration(bound, lc_checkpoint_bound_ms(net, r->trial->config->checkpoint_age_max_s)));
    return err_code(e, RC_REFUSED, TRIAL_FOR_GOOD);
}

static rc_t unknown(err_t *e)
{
    static const char text[] = "no beacon API knows it: not an epoch boundary's root, pruned, or their light-client "
                               "routes are off. " CHECKPOINT_HOW;
    (void)err_in(e, RC_REFUSED, "checkpoint", "%s", text);
    return err_code(e, RC_REFUSED, TRIAL_FOR_GOOD);
}

rc_t try_consensus_conclude(const trial_run_t *r, err_t *e)
{
    const tries_t *t = &r->consensus;
    size_t unknowns = 0, old = SIZE_MAX;
    bool good = false, contradicts = false;
    for (size_t i = 0; i < t->count; i++) {
        good |= !t->why[i].rc;
        contradicts |= t->contradicts[i];
        unknowns += t->unknown[i] && t->is_of_chain[i];
        old = t->old_slot[i] && old == SIZE_MAX ? i : old;
    }
    if (!good && !contradicts && old != SIZE_MAX)
        return too_old(r, e, t->old_slot[old] - 1);
    if (!good && !contradicts && unknowns && unknowns == t->count)
        return unknown(e);
    return tries_conclude(t, e);
}
