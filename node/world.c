#include "node/world.h"

#include <stdio.h>

#include "lightclient/networks.h"
#include "node/query/flight.h"

static bool held_number(void *ctx, ex_block_t *out, const ex_block_t *of, uint64_t number)
{
    held_head_t head;
    const bool found = held_by_number(ctx, &head, of, number);
    if (found)
        *out = head.block;
    return found;
}

static bool held_hash(void *ctx, ex_block_t *out, const ex_block_t *of, const hash32_t *hash)
{
    held_head_t head;
    const bool found = held_by_hash(ctx, &head, of, hash);
    if (found)
        *out = head.block;
    return found;
}

static void of_service(api_world_t *out, service_t *s, const follow_view_t *view)
{
    const config_t *c = s->with.config;
    const lc_builtin_t *builtin = lc_builtin_find(c->network.name);
    out->chain = &c->chain;
    out->cache = s->with.cache;
    out->held_ctx = &s->held;
    out->held_by_number = held_number;
    out->held_by_hash = held_hash;
    out->sent_ctx = &s->sent;
    out->sent_note = sent_note;
    out->sent_nonce = sent_nonce;
    out->tallies = &s->tallies;
    out->events = &NEWS_EVENTS;
    out->events_ctx = s->news;
    out->standing = s->vigil ? &VIGIL_STANDING : NULL;
    out->standing_ctx = s->vigil;
    out->fork_id = builtin ? builtin->fork_id : 0;
    out->genesis_hash = !builtin && c->origin.has_genesis ? &c->origin.genesis : NULL;
    out->deposit_contract = builtin ? &builtin->deposit_contract : c->origin.has_deposits ? &c->origin.deposits : NULL;
    out->latest = held_head_of(judge_head(c, view), c->chain.chain_id, false).block;
    out->finalized = held_head_of(&view->finalized, c->chain.chain_id, true).block;
    out->has_finalized = view->finalized.valid && lc_proves_execution(&c->network, view->finalized.header.beacon.slot);
}

void node_world(node_t *n, world_t *out)
{
    follow_view_t view = { .latest.valid = false };
    err_t why;
    *out = (world_t){ .api.chain = NULL };
    out->service = node_service(n); /* before the state is asked for: view is filled if there is a service by now */
    const node_state_t state = node_state(n, &view, &why);
    if (state != NODE_READY || !out->service) {
        snprintf(out->why, sizeof out->why, "%s: %s", node_state_name(state), why.text);
        out->api.not_ready = out->why;
    }
    if (out->service)
        of_service(&out->api, out->service, &view);
}
