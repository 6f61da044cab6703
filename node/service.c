#include "node/service.h"

#include <stdlib.h>
#include <time.h>

#include "base/os/log.h"
#include "rpc/api/prototype.h"

#define BODY_ARENA_MAX ((size_t)1 << 20)

unsigned service_marks(const service_t *s)
{
    return (s->setup.cluster.simulated ? HS_SIMULATED : 0) | (s->setup.cluster.development ? HS_DEVELOPMENT : 0);
}

unsigned service_flags(const service_t *s)
{
    return HS_CORS | service_marks(s);
}

rc_t service_sign(void *ctx, uint8_t out[ECDSA_SIG_LEN], const hash32_t *digest)
{
    return keyring_sign(ctx, out, NULL, digest);
}

rc_t service_sign65(void *ctx, uint8_t out[ECDSA_SIG65_LEN], addr_t *by, const hash32_t *digest)
{
    return keyring_sign65(ctx, out, by, digest);
}

/* ---- state ---- */

/* The state, but for what is still to be put on the disk. */
static node_state_t judged(service_t *s, follow_view_t *view, err_t *why)
{
    timebound_t time;
    follow_view(s->follow, view);
    timekeeper_bound(s->time, &time);
    const node_state_t state =
        judge_state(why, s->with.config, view, &time, timekeeper_read(s->time), atomic_load(&s->was_ready));
    if (state == NODE_READY && s->cluster &&
        !cluster_signs(s->cluster, why, view->latest.header.beacon.slot, view->unserved))
        return why->rc == RC_NEED_DATA ? NODE_SYNCING : NODE_DEGRADED;
    return state;
}

/* Nothing is answered yet that a crash would make the first and last answer of this setup. */
static node_state_t once_kept(const service_t *s, node_state_t state, err_t *why)
{
    if (state != NODE_READY || atomic_load(&s->kept))
        return state;
    (void)err_say(why, RC_NEED_DATA, "keeping the setup for the next start");
    return NODE_SYNCING;
}

node_state_t service_state(service_t *s, follow_view_t *view, err_t *why)
{
    const node_state_t state = judged(s, view, why);
    return once_kept(s, state, why);
}

uint64_t service_turn(void *ctx)
{
    const service_t *s = ctx;
    return s->cluster ? cluster_turn(s->cluster) : 0;
}

/* Something is signed for the head of this view. */
static void note_signed(service_t *s, const follow_view_t *view)
{
    if (s->cluster)
        cluster_signed(s->cluster, view->latest.header.beacon.slot);
}

uint64_t service_least_ms(void *ctx)
{
    const service_t *s = ctx;
    return timekeeper_least_ms(s->time);
}

bool service_is_ready(void *ctx, follow_view_t *view, err_t *why)
{
    const node_state_t state = service_state(ctx, view, why);
    if (state == NODE_READY) {
        note_signed(ctx, view);
        return true;
    }
    err_before(why, RC_REFUSED, "%s: ", node_state_name(state));
    return false;
}

bool service_may_call(void *ctx, err_t *why)
{
    follow_view_t view;
    return service_is_ready(ctx, &view, why);
}

static void note_held(service_t *s, const follow_view_t *v)
{
    const config_t *c = s->with.config;
    if (!v->latest.valid || !lc_proves_execution(&c->network, v->latest.header.beacon.slot))
        return;
    const held_head_t latest = held_head_of(&v->latest, c->chain.chain_id, false);
    const bool is_final = v->finalized.valid && lc_proves_execution(&c->network, v->finalized.header.beacon.slot);
    const held_head_t finalized = is_final ? held_head_of(&v->finalized, c->chain.chain_id, true) : latest;
    held_note(&s->held, &latest, is_final ? &finalized : NULL);
    up_note_block(s->execution, latest.block.env.number);
}

static void tell_news(service_t *s, const follow_view_t *v)
{
    const config_t *c = s->with.config;
    const lc_head_t *head = judge_head(c, v);
    if (!head->valid || !lc_proves_execution(&c->network, head->header.beacon.slot))
        return;
    const held_head_t latest = held_head_of(head, c->chain.chain_id, false);
    const bool is_final = v->finalized.valid && lc_proves_execution(&c->network, v->finalized.header.beacon.slot);
    news_head(s->news, &latest.block, is_final ? v->finalized.header.execution.block_number : 0);
}

/* The list of members is read at its own head. */
static void tell_members(service_t *s, const follow_view_t *v)
{
    const config_t *c = s->with.config;
    const lc_head_t *head = c->membership.block == MEMBERSHIP_LATEST ? &v->latest : &v->finalized;
    if (!head->valid || !lc_proves_execution(&c->network, head->header.beacon.slot))
        return;
    const held_head_t at = held_head_of(head, c->chain.chain_id, head == &v->finalized);
    const held_head_t latest = held_head_of(&v->latest, c->chain.chain_id, false);
    daemon_head(s->members, &at.block);
    if (v->latest.valid && lc_proves_execution(&c->network, v->latest.header.beacon.slot))
        daemon_latest(s->members, &latest.block);
}

/* ---- GET /block ---- */

static hs_shared_t *sign_block(service_t *s, const lc_head_t *head)
{
    arena_t a;
    view_t body;
    const api_signer_t signer = { s->keyring, service_sign };
    hs_shared_t *answer = NULL;
    arena_init(&a, BODY_ARENA_MAX);
    if (!api_block_body(&body, &a, &signer, head->header.execution.block_number))
        answer = hs_shared_new(200, NULL, body, service_flags(s));
    arena_free(&a);
    return answer;
}

/* The present answer, if it is at least as new as a slot and of the key that signs. With the lock held. */
static hs_shared_t *answer_since(service_t *s, uint64_t slot)
{
    const bool holds = s->block_answer && s->block_slot >= slot && s->block_turn == service_turn(s);
    return holds ? hs_shared_ref(s->block_answer) : NULL;
}

hs_shared_t *service_block_answer(service_t *s, const follow_view_t *v)
{
    const lc_head_t *head = judge_head(s->with.config, v);
    uint64_t slot = head->header.beacon.slot;
    if (!head->valid || !lc_proves_execution(&s->with.config->network, head->header.beacon.slot))
        return NULL;
    pthread_mutex_lock(&s->lock);
    hs_shared_t *found = answer_since(s, slot), *old = NULL;
    pthread_mutex_unlock(&s->lock);
    if (found)
        return found;
    const uint64_t signs = service_turn(s);
    hs_shared_t *signed_now = sign_block(s, head);
    pthread_mutex_lock(&s->lock);
    found = answer_since(s, slot); /* another thread may have been faster: the head never moves back */
    if (found)
        old = signed_now;
    else if (signed_now && signs == service_turn(s)) {
        old = s->block_answer;
        s->block_answer = signed_now;
        s->block_slot = slot;
        s->block_turn = signs;
        found = hs_shared_ref(signed_now);
    } else
        old = signed_now; /* another key signs since */
    pthread_mutex_unlock(&s->lock);
    hs_shared_unref(old);
    return found;
}

void service_changed(void *ctx)
{
    service_t *s = ctx;
    follow_view_t v;
    err_t why;
    if (!atomic_load(&s->begun)) {
        if (atomic_load(&s->musters)) {
            follow_view(s->follow, &v);
            tell_members(s, &v);
        }
        return;
    }
    node_state_t state = judged(s, &v, &why);
    if (state == NODE_READY && !atomic_exchange(&s->was_ready, true) && s->with.ready)
        s->with.ready(s->with.ctx);
    state = once_kept(s, state, &why);
    if (state == NODE_READY) {
        note_signed(s, &v);
        hs_shared_unref(service_block_answer(s, &v));
    }
    note_held(s, &v);
    if (state == NODE_READY)
        tell_news(s, &v);
    if (state == NODE_READY && s->vigil)
        vigil_heads(s->vigil, &s->with.config->network, &v);
    if (s->members)
        tell_members(s, &v);
    if (s->cluster && v.latest.valid)
        cluster_head(s->cluster, v.latest.header.beacon.slot);
    if (s->cluster && v.finalized.valid)
        cluster_tell(s->cluster, s->setup.cluster_text, v.finalized.header.beacon.slot, &v.finalized.beacon_root);
    pthread_mutex_lock(&s->lock);
    bool changed = state != s->logged_state;
    s->logged_state = state;
    pthread_mutex_unlock(&s->lock);
    if (changed && state == NODE_READY)
        log_write(LOG_INFO, "ready", "head slot %llu, block %llu, %u of %u signed",
                  (unsigned long long)v.latest.header.beacon.slot,
                  (unsigned long long)v.latest.header.execution.block_number, v.latest.participants,
                  s->with.config->network.preset.committee_size);
    else if (changed)
        log_write(state == NODE_DEGRADED || state == NODE_UNSUPPORTED ? LOG_WARN : LOG_INFO, node_state_name(state),
                  "%s", why.text);
}

bool service_was_ready(service_t *s)
{
    follow_view_t v;
    err_t why;
    return s && (atomic_load(&s->was_ready) || judged(s, &v, &why) == NODE_READY);
}

void service_kept(service_t *s)
{
    atomic_store(&s->kept, true);
    service_changed(s);
}

void service_begin(service_t *s)
{
    atomic_store(&s->begun, true);
    service_changed(s);
}

/* ---- the end ---- */

static void cancel_asks(const service_t *s)
{
    if (s->ask)
        ask_cancel(s->ask);
    if (s->sends)
        ask_cancel(s->sends);
}

void service_cancel(service_t *s)
{
    if (s)
        cancel_asks(s);
}

void service_stop_follower(service_t *s)
{
    const struct timespec moment = { .tv_nsec = 10000000L };
    if (s->follow)
        follow_stop(s->follow);
    while (atomic_load(&s->fetching) || linked_busy(&s->linked))
        (void)nanosleep(&moment, NULL);
}

void service_free(service_t *s)
{
    if (!s)
        return;
    foresight_free(s->foresight);
    pulse_free(s->pulse);
    daemon_stop(s->members);
    cancel_asks(s);
    cluster_stop(s->cluster);
    rekey_stop(atomic_load(&s->rekey));
    service_stop_follower(s); /* it tells what is freed below of heads */
    jobs_free(s->jobs);
    calls_free(s->calls);
    vigil_free(s->vigil);
    statements_free(s->statements);
    said_free(s->said);
    node_rpc_free(s->rpc);
    news_free(s->news);
    ask_free(s->ask);
    ask_free(s->sends);
    daemon_free(s->members);
    wg_free(s->wg);
    wg_door_free(&s->wg_door);
    attest_free(s->attest);
    follow_free(s->follow);
    up_free(s->execution);
    up_free(s->consensus);
    up_free(s->sending);
    lies_free(s->lies);
    lcroutes_free(s->lcroutes);
    objects_free(s->objects);
    claims_free(s->claims);
    timekeeper_free(s->time);
    keyring_free(s->keyring);
    keyring_free(s->node_keyring);
    hs_shared_unref(s->block_answer);
    arena_free(&s->arena);
    held_clear(&s->held);
    sent_clear(&s->sent);
    operator_gate_clear(&s->operator);
    pthread_mutex_destroy(&s->lock);
    free(s);
}
