/* retrace_heads.c - from a checkpoint to the heads of an evidence file. */
#include <stdio.h>
#include <stdlib.h>

#include "node/query/retrace.h"

#define DIGEST_LEN 4u

/* Large. */
typedef struct {
    const retrace_config_t *config;
    const grounds_t *g;
    lc_store_t store;
    lc_bootstrap_t bootstrap;
    lc_update_t head, finality, update;
} sight_t;

static uint64_t period_of(const sight_t *s, uint64_t slot)
{
    return lc_period_of_slot(s->config->network, slot);
}

/* The fork and the SSZ of an object. */
static bool split(lc_fork_t *fork, view_t *ssz, const sight_t *s, view_t object)
{
    if (object.n < DIGEST_LEN)
        return false;
    *ssz = view_of(object.p + DIGEST_LEN, object.n - DIGEST_LEN);
    return !lc_fork_from_digest(fork, s->config->network, object.p);
}

static bool read_update(lc_update_t *out, const sight_t *s, lc_kind_t kind, view_t object)
{
    lc_fork_t fork;
    view_t ssz;
    return split(&fork, &ssz, s, object) && !lc_update_decode(out, s->config->network, fork, kind, ssz);
}

static rc_t read_bootstrap(sight_t *s, err_t *e)
{
    const view_t object = s->g->consensus.bootstrap;
    lc_fork_t fork;
    view_t ssz;
    err_t why = { .text = "" };
    if (!object.n)
        return grounds_refuse(e, GROUNDS_NO_BOOTSTRAP, "consensus.bootstrap", NULL);
    if (!split(&fork, &ssz, s, object) || lc_bootstrap_decode(&s->bootstrap, s->config->network, fork, ssz))
        return grounds_refuse(e, GROUNDS_BAD_BOOTSTRAP, "consensus.bootstrap", "it cannot be read");
    if (lc_store_init(&s->store, &why, s->config->network, &s->config->checkpoint, &s->bootstrap))
        return grounds_refuse(e, GROUNDS_BAD_BOOTSTRAP, "consensus.bootstrap", why.text);
    return RC_OK;
}

static rc_t read_objects(sight_t *s, err_t *e)
{
    const grounds_t *g = s->g;
    if (!read_update(&s->head, s, g->consensus.kind, g->consensus.head))
        return grounds_refuse(e, GROUNDS_BAD_HEAD, "consensus.head.object", "it cannot be read");
    if (g->consensus.finality.n && !read_update(&s->finality, s, LC_FINALITY, g->consensus.finality))
        return grounds_refuse(e, GROUNDS_BAD_FINALITY, "consensus.finality", "it cannot be read");
    return RC_OK;
}

/* A head that an object shows: its attested or its finalized header. */
static rc_t show(lc_head_t *out, sight_t *s, err_t *e, grounds_code_t code, const char *field, const lc_update_t *u,
                 bool finalized)
{
    lc_verdict_t v;
    err_t why = { .text = "" };
    if (lc_store_check(&s->store, &v, &why, u, UINT64_MAX))
        return grounds_refuse(e, code, field, why.text);
    if (!v.supermajority)
        return grounds_refuse(e, code, field, "less than 2/3 of the sync committee signed it");
    if (finalized && !u->has_finality)
        return grounds_refuse(e, code, field, "it has no finalized header");
    out->header = finalized ? u->finalized_header : u->attested_header;
    if (!lc_proves_execution(s->config->network, out->header.beacon.slot))
        return grounds_refuse(e, code, field, "it is of before Capella, and shows no execution block");
    out->valid = true;
    out->whole = !lc_header_by_hash(&out->header);
    out->beacon_root = finalized ? v.finalized_root : v.attested_root;
    out->participants = v.participants;
    out->signature_slot = u->signature_slot;
    return RC_OK;
}

/* The heads that a committee of this period signed. */
static rc_t show_of(retrace_heads_t *out, sight_t *s, err_t *e, uint64_t period)
{
    const grounds_t *g = s->g;
    rc_t rc = RC_OK;
    if (period_of(s, s->head.signature_slot) == period)
        rc = show(&out->head, s, e, GROUNDS_BAD_HEAD, "consensus.head.object", &s->head, g->consensus.finalized);
    if (!rc && g->consensus.finality.n && period_of(s, s->finality.signature_slot) == period)
        rc = show(&out->finality, s, e, GROUNDS_BAD_FINALITY, "consensus.finality", &s->finality, true);
    return rc;
}

/* Applies the update that shows the committee of the next period. */
static rc_t apply(sight_t *s, err_t *e, size_t i, uint64_t period)
{
    const grounds_list_t *all = &s->g->consensus.updates;
    lc_verdict_t v;
    err_t why = { .text = "" };
    char field[40];
    snprintf(field, sizeof field, "consensus.updates[%zu]", i);
    if (i >= all->count)
        return grounds_refuse(e, GROUNDS_MISSING_UPDATE, field, NULL);
    if (!read_update(&s->update, s, LC_UPDATE, all->at[i]))
        return grounds_refuse(e, GROUNDS_BAD_UPDATE, field, "it cannot be read");
    if (period_of(s, s->update.attested_header.beacon.slot) != period)
        return grounds_refuse(e, GROUNDS_BAD_UPDATE, field, "it is of another period");
    if (lc_store_process(&s->store, &v, &why, &s->update, UINT64_MAX))
        return grounds_refuse(e, GROUNDS_BAD_UPDATE, field, why.text);
    return s->store.next_sync_committee.known
               ? RC_OK
               : grounds_refuse(e, GROUNDS_BAD_UPDATE, field, "it does not show the next committee");
}

static rc_t check_age(const sight_t *s, err_t *e, uint64_t age_max_s)
{
    const lc_network_t *net = s->config->network;
    const uint64_t from = lc_slot_start_ms(net, s->bootstrap.header.beacon.slot),
                   to = lc_slot_start_ms(net, s->head.signature_slot);
    return to > from && to - from > lc_checkpoint_bound_ms(net, age_max_s)
               ? grounds_refuse(e, GROUNDS_OLD_CHECKPOINT, "consensus.bootstrap", NULL)
               : RC_OK;
}

/* The last period whose committee signed one of them. */
static uint64_t last_period(const sight_t *s)
{
    const uint64_t head = period_of(s, s->head.signature_slot),
                   finality = s->g->consensus.finality.n ? period_of(s, s->finality.signature_slot) : 0;
    return head > finality ? head : finality;
}

static rc_t look(retrace_heads_t *out, sight_t *s, err_t *e)
{
    const uint64_t first = period_of(s, s->bootstrap.header.beacon.slot), last = last_period(s);
    rc_t rc = RC_OK;
    if (last >= first && s->g->consensus.updates.count > last - first)
        return grounds_refuse(e, GROUNDS_UNUSED_UPDATE, "consensus.updates", NULL);
    for (uint64_t period = first; !rc && period <= last; period++) {
        rc = show_of(out, s, e, period);
        if (!rc && period < last)
            rc = apply(s, e, (size_t)(period - first), period);
    }
    if (!rc && !out->head.valid)
        return grounds_refuse(e, GROUNDS_BAD_HEAD, "consensus.head.object", "it is older than the checkpoint");
    if (!rc && s->g->consensus.finality.n && !out->finality.valid)
        return grounds_refuse(e, GROUNDS_BAD_FINALITY, "consensus.finality", "it is older than the checkpoint");
    return rc;
}

static sight_t *sight_new(err_t *e, const retrace_config_t *config, const grounds_t *g)
{
    sight_t *s = calloc(1, sizeof *s);
    if (!s) {
        (void)err_say(e, RC_NOMEM, "out of memory");
        return NULL;
    }
    s->config = config;
    s->g = g;
    return s;
}

rc_t retrace_periods(uint64_t *first, uint64_t *last, err_t *e, const retrace_config_t *config, const grounds_t *g)
{
    sight_t *s = sight_new(e, config, g);
    rc_t rc = s ? read_bootstrap(s, e) : RC_NOMEM;
    if (!rc)
        rc = read_objects(s, e);
    if (!rc) {
        *first = period_of(s, s->bootstrap.header.beacon.slot);
        *last = last_period(s);
    }
    free(s);
    return rc;
}

rc_t retrace_heads(retrace_heads_t *out, err_t *e, const retrace_config_t *config, const grounds_t *g,
                   uint64_t age_max_s)
{
    retrace_heads_t found;
    memset(&found, 0, sizeof found);
    sight_t *s = sight_new(e, config, g);
    rc_t rc = s ? read_bootstrap(s, e) : RC_NOMEM;
    if (!rc)
        rc = read_objects(s, e);
    if (!rc)
        rc = check_age(s, e, age_max_s);
    if (!rc)
        rc = look(&found, s, e);
    free(s);
    if (!rc)
        *out = found;
    return rc;
}
