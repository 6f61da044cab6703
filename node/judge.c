#include "node/judge.h"

#include <stdio.h>

#include "node/chain/age.h"

typedef unsigned long long ull_t;

const char *node_state_name(node_state_t state)
{
    switch (state) {
    case NODE_AWAITING_SETUP: return "awaiting-setup";
    case NODE_BOOTSTRAPPING: return "bootstrapping";
    case NODE_JOINING: return "joining";
    case NODE_SYNCING: return "syncing";
    case NODE_READY: return "ready";
    case NODE_DEGRADED: return "degraded";
    case NODE_UNSUPPORTED: return "unsupported-fork";
    }
    return "unknown";
}

const lc_head_t *judge_head(const config_t *config, const follow_view_t *view)
{
    return config->default_block == CONFIG_LATEST ? &view->latest : &view->finalized;
}

static node_state_t say(err_t *why, node_state_t state, const char *text)
{
    (void)err_say(why, RC_OK, text);
    return state;
}

/* Whole seconds, never 0 for what is more than nothing. */
static ull_t seconds(uint64_t ms)
{
    return (ms + 999) / 1000;
}

/* ---- the clock ---- */

static node_state_t clock_is_behind(err_t *why, const timebound_t *time, timebound_source_t source, uint64_t ms)
{
    static const char *const what[TIMEBOUND_SOURCES] = {
        [TIMEBOUND_BUILD] = "the build of this program",
        [TIMEBOUND_COLLATERAL] = "the issue date of Intel's collateral",
        [TIMEBOUND_CHECKPOINT] = "the checkpoint",
        [TIMEBOUND_COUNTER] = "its own counter since both agreed with the chain",
    };
    if (source == TIMEBOUND_VALIDATORS)
        (void)err_set(why, RC_OK, "this machine's clock is %llu s behind what %u of %u validators signed", seconds(ms),
                      time->signers, time->committee);
    else
        (void)err_set(why, RC_OK, "this machine's clock is %llu s behind %s", seconds(ms), what[source]);
    return NODE_DEGRADED;
}

/* What the endpoints' Date headers say of the clock, in seconds: "+598 s", "+3 to +598 s". Only a hint: nobody signed
 * it. False: no endpoint sent one, or the clock is right by them. */
static bool date_hint(char *out, size_t cap, const follow_view_t *v, const timebound_t *time, timebound_at_t at)
{
    const int64_t now = (int64_t)(at.clock_ms - at.raw_ms), step = (int64_t)(TIMEBOUND_STEP_SLOTS * time->slot_ms);
    const int64_t least = now - v->dates.newest_ms, most = now - v->dates.oldest_ms;
    if (!v->dates.known || (least <= step && most >= -step && most <= step))
        return false;
    if (least / 1000 == most / 1000)
        snprintf(out, cap, "%+lld s", (long long)(least / 1000));
    else
        snprintf(out, cap, "%+lld to %+lld s", (long long)(least / 1000), (long long)(most / 1000));
    return true;
}

/* ---- forks ---- */

/* The chain has a fork that this build does not know: its configuration has said so, or it was proven. What may be the
 * time is the clock's, unless it is convicted, or the newest head's. */
static bool is_past_knowledge(err_t *why, const lc_network_t *net, const follow_view_t *v, uint64_t now_ms)
{
    const lc_unknown_fork_t *fork = lc_unknown_fork(net);
    const uint64_t begins = fork ? lc_first_slot(net, fork->epoch) : UINT64_MAX;
    if (v->unsupported[0]) {
        (void)err_say(why, RC_OK, v->unsupported);
        return true;
    }
    if (lc_slot_at(net, now_ms) < begins && (!v->known.valid || v->known.header.beacon.slot < begins))
        return false;
    (void)err_set(why, RC_OK, "the fork %s began at slot %llu, and this build does not know it", fork->name,
                  (ull_t)begins);
    return true;
}

/* ---- the heads ---- */

/* The newest head is known, and its execution header is not here. */
static bool lacks_header(const follow_view_t *v)
{
    return v->known.valid && !v->known.whole;
}

static node_state_t say_lacks_header(err_t *why, node_state_t state, const follow_view_t *v)
{
    (void)err_set(why, RC_OK, "the execution header of the head at slot %llu is not here yet%s%s",
                  (ull_t)v->known.header.beacon.slot, v->missing[0] ? ": " : "", v->missing);
    return state;
}

static const char *which_head(age_t age)
{
    static const char *const newest[] = { [AGE_HEAD_STALE] = "head with 2/3 of the sync committee",
                                          [AGE_EXECUTION_STALE] = "execution block",
                                          [AGE_FINALIZED_STALE] = "finalized head" };
    return newest[age];
}

/* Too old to sign: because the chain, the endpoints or the clock went wrong, as far as that is known. */
static node_state_t too_old(err_t *why, const follow_view_t *v, const timebound_t *time, timebound_at_t at, age_t age,
                            uint64_t age_ms)
{
    char hint[64];
    const uint64_t ahead = timebound_ahead(time, at);
    const bool hinted = date_hint(hint, sizeof hint, v, time, at);
    if (ahead)
        (void)err_set(
            why, RC_OK,
            "this machine's clock ran %llu s ahead of its counter since it agreed with the chain: by the clock "
            "the newest %s is %llu s old",
            seconds(ahead), which_head(age), (ull_t)(age_ms / 1000));
    else if (!time->agreed)
        (void)err_set(why, RC_OK,
                      "the newest %s is %llu s old by this machine's clock: the clock is ahead, or every endpoint is "
                      "behind%s%s",
                      which_head(age), (ull_t)(age_ms / 1000), hinted ? "; their Date headers say " : "",
                      hinted ? hint : "");
    else if (age == AGE_HEAD_STALE && lacks_header(v))
        return say_lacks_header(why, NODE_DEGRADED, v);
    else if (age == AGE_EXECUTION_STALE)
        (void)err_set(why, RC_OK, "the newest %s is %llu s old: the slots up to %llu brought no other", which_head(age),
                      (ull_t)(age_ms / 1000), (ull_t)v->latest.header.beacon.slot);
    else
        (void)err_set(why, RC_OK, "the newest %s is %llu s old%s%s", which_head(age), (ull_t)(age_ms / 1000),
                      v->trouble[0] ? "; " : "", v->trouble);
    return NODE_DEGRADED;
}

/* No head of the present yet. A clock that is ahead looks like a chain that ends too early, or an old checkpoint. */
static node_state_t still_syncing(err_t *why, const follow_view_t *v, const timebound_t *time, timebound_at_t at)
{
    char hint[64];
    const char *doing = v->trouble[0] ? v->trouble : "following sync committees from the checkpoint to the present";
    if (time->agreed || !date_hint(hint, sizeof hint, v, time, at))
        return say(why, NODE_SYNCING, doing);
    (void)err_set(why, RC_OK, "%s; by the endpoints' Date headers this machine's clock is off by %s", doing, hint);
    return NODE_SYNCING;
}

node_state_t judge_state(err_t *why, const config_t *config, const follow_view_t *v, const timebound_t *time,
                         timebound_at_t at, bool was_ready)
{
    const lc_network_t *net = &config->network;
    const lc_head_t *head = judge_head(config, v);
    timebound_source_t source;
    uint64_t age_ms, behind_ms = timebound_behind(time, &source, at);
    err_clear(why);
    if (is_past_knowledge(why, net, v, timebound_follow(time, at)))
        return NODE_UNSUPPORTED;
    if (behind_ms)
        return clock_is_behind(why, time, source, behind_ms);
    if (v->progress.state == LC_STATE_FOLLOWING && !v->latest.valid && lacks_header(v))
        return say_lacks_header(why, NODE_SYNCING, v);
    /* A head comes with the block after its own: it is a slot old by then. */
    age_t age = age_of_heads(&age_ms, net, &v->latest, head == &v->finalized ? head : NULL, timebound_latest(time, at),
                             at.raw_ms - v->latest_came_ms + time->slot_ms);
    const bool waits = v->progress.state != LC_STATE_FOLLOWING || !v->latest.valid;
    const bool doubtful = !time->agreed || timebound_ahead(time, at);
    if (waits && doubtful && v->latest.valid && v->head_answered && age == AGE_HEAD_STALE)
        return too_old(why, v, time, at, age, age_ms);
    if (waits)
        return still_syncing(why, v, time, at);
    if (!head->valid)
        return say(why, NODE_SYNCING, "no finalized header has been proven yet");
    if (!lc_proves_execution(net, head->header.beacon.slot))
        return say(why, NODE_DEGRADED, "the chain is before Capella: its headers prove no execution block");
    if (age != AGE_FRESH && !was_ready && !v->trouble[0] && !v->head_answered)
        return say(why, NODE_SYNCING, "asking for the present head");
    return age == AGE_FRESH ? NODE_READY : too_old(why, v, time, at, age, age_ms);
}
