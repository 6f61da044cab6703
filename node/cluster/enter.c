#include "node/cluster/enter.h"

#include <stdio.h>
#include <time.h>

#include "base/os/log.h"
#include "node/setup/found.h"

#define LOOK_MS 20u /* between two looks */

/* Waits a moment; false: it is to stop. */
static bool wait_a_moment(const enter_t *x)
{
    const struct timespec moment = { .tv_nsec = LOOK_MS * 1000000L };
    (void)nanosleep(&moment, NULL);
    return !x->stopping(x->stop_ctx);
}

static rc_t stopped(err_t *e)
{
    return err_say(e, RC_TIMEOUT, "the node ends");
}

/* What is there of a cluster, for who waits for one. list: what the contract's list has us wait for; NULL: nothing. */
static void say_what_is_there(const enter_t *x, bool has_root, bool is_offered, const char *list)
{
    cluster_count_t n;
    char text[240], more[240] = "";
    err_t why;
    cluster_count(x->cluster, &n);
    if (!n.holders && x->config->recovery.mode != SETUP_RECOVERY_NONE)
        cluster_recovery_said(x->cluster, more);
    if (!is_offered && cluster_is_refused(x->cluster, &why))
        snprintf(text, sizeof text, "%s", why.text);
    else if (!n.connected)
        snprintf(text, sizeof text, "no peer answers yet");
    else if (!n.attested)
        snprintf(text, sizeof text, "attesting: %u connected", n.connected);
    else if (!n.holders)
        snprintf(text, sizeof text, "none of %u attested peers holds a key", n.attested);
    else if (!is_offered)
        snprintf(text, sizeof text, "no peer is in a cluster that this node may join");
    else
        snprintf(text, sizeof text, "%s", has_root ? "" : "members name no finalized root, or contradict each other");
    if (more[0])
        snprintf(text + strlen(text), sizeof text - strlen(text), "; %.170s", more);
    if (list && !is_offered)
        snprintf(text + strlen(text), sizeof text - strlen(text), "; %.190s", list);
    if (text[0])
        cluster_say(x->cluster, text);
}

/* Whether nobody is left of the cluster that this node was in, as far as it can know. */
static bool is_alone(const enter_t *x, uint64_t waited_ms)
{
    cluster_count_t n;
    if (x->config->peer_count || x->config->cluster[0] || x->recovers || x->musters)
        return false;
    cluster_count(x->cluster, &n);
    if (n.holders || waited_ms < ENTER_ALONE_MS)
        return false;
    return n.attested == n.connected || waited_ms >= ENTER_ATTEST_MS;
}

/* Whether this node founds its cluster by the contract's list. why: what is waited for. */
static bool founds(const enter_t *x, err_t *why)
{
    cluster_count_t n;
    if (!x->musters)
        return false;
    cluster_count(x->cluster, &n);
    return x->musters(x->musters_ctx, why, n.holders != 0, x->recovers || x->config->cluster[0]) == MUSTER_FOUND;
}

/* Whether every peer has refused this node for ENTER_REFUSED_MS. since_ms: when that began; 0: they do not. */
static bool is_refused(const enter_t *x, uint64_t *since_ms, err_t *e)
{
    const uint64_t now_ms = clock_monotonic_ms();
    if (!x->gives_up || x->recovers || !cluster_is_refused(x->cluster, e)) {
        *since_ms = 0;
        return false;
    }
    if (!*since_ms)
        *since_ms = now_ms;
    return now_ms - *since_ms >= ENTER_REFUSED_MS;
}

/* Whether this cluster is the one that we are pinned to, if we are. */
static rc_t check_pin(err_t *e, const config_t *c, const cluster_offer_t *offer)
{
    if (c->cluster[0] && memcmp(c->cluster, offer->pubkey, sizeof c->cluster) != 0)
        return err_in(e, RC_REFUSED, "cluster", "the peer is in another cluster than this node is pinned to");
    return RC_OK;
}

/* Whether nobody holds the key of what may be brought back: every address was tried, and who answers has attested. */
static bool nobody_holds(const enter_t *x, uint64_t waited_ms)
{
    cluster_count_t n;
    cluster_count(x->cluster, &n);
    if (n.holders || waited_ms < ENTER_ALONE_MS)
        return false;
    return (n.attested == n.connected && !n.untried) || waited_ms >= ENTER_ATTEST_MS;
}

/* A cluster is not ours, and is looked at no more. */
static void turn_down(const enter_t *x, const cluster_offer_t *offer, const err_t *why)
{
    if (offer->is_recovered)
        cluster_recovery_failed(x->cluster, why);
    else
        cluster_turn_down(x->cluster, offer->pubkey, why);
}

static rc_t take_over(const enter_t *x, setup_t *setup, err_t *e, arena_t *a, const setup_world_t *world,
                      const cluster_offer_t *offer)
{
    const view_t statement = view_of(offer->statement, offer->statement_n);
    rc_t rc = check_pin(e, x->config, offer);
    if (!rc)
        rc = setup_join(setup, e, a, x->config, world, statement, &offer->setup);
    if (rc && rc != RC_NOMEM && rc != RC_BUG) {
        log_write(LOG_WARN, "joining", "a cluster is not joined: %s: %s", e->field, e->text);
        turn_down(x, offer, e);
        return RC_REFUSED;
    }
    return rc;
}

/* Whether a key can be brought back that nobody holds any more. */
static bool is_recoverable(const enter_t *x, cluster_offer_t *out, uint64_t waited_ms)
{
    return x->config->recovery.mode != SETUP_RECOVERY_NONE && nobody_holds(x, waited_ms) &&
           cluster_recovers(x->cluster, out);
}

/* Whether the list that names this node's peers has not been read: nothing is known of who holds a key. */
static bool has_nobody_to_dial(const enter_t *x)
{
    cluster_count_t n;
    if (!x->musters)
        return false;
    cluster_count(x->cluster, &n);
    return !n.knows_list;
}

rc_t enter_find(const enter_t *x, setup_t *setup, cluster_offer_t *out, err_t *e, arena_t *a,
                const setup_world_t *world)
{
    uint64_t from = clock_monotonic_ms(), refused_ms = 0;
    err_t list;
    do {
        if (has_nobody_to_dial(x))
            from = clock_monotonic_ms();
        if (is_recoverable(x, out, clock_monotonic_ms() - from)) {
            const rc_t rc = take_over(x, setup, e, a, world, out);
            if (rc != RC_REFUSED)
                return rc;
        }
        const bool is_offered = cluster_offer(x->cluster, out);
        if (is_offered && out->has_root) {
            const rc_t rc = take_over(x, setup, e, a, world, out);
            if (rc != RC_REFUSED)
                return rc;
        }
        if (founds(x, &list))
            return err_say(e, RC_NEED_DATA, list.text);
        say_what_is_there(x, is_offered && out->has_root, is_offered, x->musters ? list.text : NULL);
        if (is_alone(x, clock_monotonic_ms() - from))
            return err_say(e, RC_NEED_DATA, "no former member holds a key any more");
        if (is_refused(x, &refused_ms, e))
            return err_code(e, RC_REFUSED, TRIAL_FOR_GOOD);
    } while (wait_a_moment(x));
    return stopped(e);
}

/* What is waited for, while the chain is verified. */
static void say_how_far(const enter_t *x, char text[240], const follow_view_t *v, const cluster_offer_t *offer)
{
    const char *colon = v->trouble[0] ? ": " : "";
    if (offer->is_recovered)
        snprintf(text, 240, "verifying the chain, before the key is brought back%s%.160s", colon, v->trouble);
    else
        snprintf(text, 240, "verifying the chain from the members' finalized slot %llu%s%.160s",
                 (unsigned long long)offer->slot, colon, v->trouble);
    cluster_say(x->cluster, text);
}

/* Whether a chain that began at a root of this node's own is the members': RC_OK when both have the same finalized
 * block. RC_NEED_DATA: not at the same slot, so that they are to be asked again; RC_REFUSED: another one. */
static rc_t compare_chains(const enter_t *x, err_t *e, const lc_beacon_t *own, const cluster_offer_t *offer)
{
    hash32_t root;
    lc_beacon_root(&root, own);
    if (own->slot == offer->slot && hash32_eq(&root, &offer->root))
        return RC_OK;
    const rc_t rc = own->slot == offer->slot
                        ? err_set(e, RC_REFUSED,
                                  "this node's chain has another finalized block at slot %llu than the "
                                  "members name: its checkpoint is of another chain",
                                  (unsigned long long)offer->slot)
                        : err_set(e, RC_NEED_DATA, "comparing this node's finalized slot %llu with the members' %llu",
                                  (unsigned long long)own->slot, (unsigned long long)offer->slot);
    cluster_say(x->cluster, e->text);
    return rc;
}

rc_t enter_verify(const enter_t *x, err_t *e, follow_t *follow, const cluster_offer_t *offer)
{
    const uint64_t until = clock_monotonic_ms() + ENTER_SYNC_MS;
    follow_view_t v;
    do {
        char text[240];
        follow_view(follow, &v);
        if (v.finalized.valid && v.finalized.header.beacon.slot >= offer->slot) {
            if (!x->musters || offer->is_recovered)
                return RC_OK;
            if (compare_chains(x, e, &v.finalized.header.beacon, offer) == RC_OK)
                return RC_OK;
            return wait_a_moment(x) ? RC_NEED_DATA : stopped(e);
        }
        say_how_far(x, text, &v, offer);
        if (clock_monotonic_ms() >= until) {
            if (!x->musters && !offer->is_recovered)
                cluster_misled(x->cluster, offer);
            return err_say(e, RC_NEED_DATA, text);
        }
    } while (wait_a_moment(x));
    return stopped(e);
}

rc_t enter_restore(const enter_t *x, err_t *e, follow_t *follow, const cluster_offer_t *offer)
{
    rc_t rc = enter_verify(x, e, follow, offer);
    if (rc)
        return rc;
    rc = cluster_restore(x->cluster, e);
    if (!rc || rc == RC_NOMEM || rc == RC_NEED_DATA)
        return rc;
    cluster_recovery_failed(x->cluster, e);
    return RC_NEED_DATA;
}

/* The newest head that is verified: of which slot's key there is need. */
static void tell_head(const enter_t *x, follow_t *follow)
{
    follow_view_t v;
    follow_view(follow, &v);
    if (v.latest.valid)
        cluster_head(x->cluster, v.latest.header.beacon.slot);
    else if (v.finalized.valid)
        cluster_head(x->cluster, v.finalized.header.beacon.slot);
}

rc_t enter_key(const enter_t *x, err_t *e, follow_t *follow, const cluster_offer_t *offer)
{
    tell_head(x, follow);
    rc_t rc = cluster_want(x->cluster, e, offer->pubkey);
    if (rc)
        return rc;
    cluster_say(x->cluster, "asking for the cluster's key");
    while (!cluster_has_key(x->cluster)) {
        if (!wait_a_moment(x))
            return stopped(e);
        tell_head(x, follow);
    }
    return RC_OK;
}
