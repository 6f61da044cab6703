/* listed.c - a node that names no peers: whom the contract's list has it dial, which cluster it may join, and whether
 * it is in the one that the contract names (node/p2p/muster.h). */
#include <stdio.h>

#include "base/os/log.h"
#include "node/cluster/parts.h"

#define KEYS_MAX 2u /* of a cluster, that are known of it before it is joined */

/* ---- whom to dial ---- */

static void dial(cluster_t *c, const rollcall_list_t *list)
{
    maddr_t firsts[MUSTER_DIAL_MAX];
    size_t n = 0;
    for (size_t i = 0; i < list->count; i++) {
        maddr_t ways[PEERS_WAYS_MAX];
        const size_t count = peer_ways(c, ways, &list->peers[i]);
        if (count && !peers_add(c->peers, PEERS_CONFIGURED, ways, count, NULL)) /* else there are too many */
            firsts[n++] = ways[0];
    }
    peers_keep(c->peers, firsts, n);
}

static rc_t take(cluster_t *c, err_t *e, const void *arg)
{
    const rollcall_list_t *list = arg;
    (void)e;
    if (list->anchor.is_known) /* else those before are dialled on, as nothing is known against them */
        dial(c, list);
    pthread_mutex_lock(&c->lock);
    if (list->anchor.is_known)
        c->anchor = list->anchor;
    else
        c->anchor.is_known = false; /* what it named still holds for a node that signs */
    pthread_mutex_unlock(&c->lock);
    return RC_OK;
}

void cluster_listed(cluster_t *c, const rollcall_list_t *list)
{
    err_t e;
    if (call_on_loop(c, &e, take, list))
        log_write(LOG_DEBUG, "cluster", "%s", e.text); /* it ends */
}

/* ---- which cluster ---- */

/* Keys of the cluster that a member is in: of its first generation, and of the newest that is proven. */
static size_t keys_of(const cluster_t *c, uint8_t keys[KEYS_MAX][33], const join_member_t *m)
{
    const entry_proof_t *newest = join_newest(c->join);
    memcpy(keys[0], m->first->pubkey, 33);
    if (!newest || !newest->has_order || memcmp(newest->order.order.cluster, m->first->pubkey, 33) != 0)
        return 1;
    memcpy(keys[1], newest->entry.entry.pubkey, 33);
    return 2;
}

bool listed_admits(const cluster_t *c, const join_member_t *m)
{
    uint8_t keys[KEYS_MAX][33];
    err_t e;
    if (!c->with.by_list)
        return true;
    const size_t n = keys_of(c, keys, m);
    const bool is_listed = peers_rank(c->peers, net_peer(m->conn)) != SIZE_MAX;
    return muster_admits(&e, &c->anchor, is_listed, (const uint8_t(*)[33])keys, n) == RC_OK;
}

/* Whether a key is one of our cluster's generations, as far as we know them. */
static bool is_ours(const cluster_t *c, const uint8_t key[33])
{
    const entry_proof_t *all[KEYS_SHOWN_MAX];
    const entry_signed_t *first = join_first(c->join);
    const uint8_t *cluster = gen_cluster(join_generations(c->join)); /* where the first entry is lost */
    const size_t n = gen_committed(join_generations(c->join), all, KEYS_SHOWN_MAX);
    for (size_t i = 0; i < n; i++)
        if (memcmp(all[i]->entry.entry.pubkey, key, 33) == 0)
            return true;
    return (first && memcmp(first->entry.pubkey, key, 33) == 0) || (cluster && memcmp(cluster, key, 33) == 0);
}

void listed_look(cluster_t *c)
{
    const bool was = c->astray[0] != 0;
    if (!c->with.by_list || !c->anchor.has_key || !c->keys.is_in_use)
        return;
    if (is_ours(c, c->anchor.key))
        memcpy(c->anchored, c->anchor.key, sizeof c->anchored); /* also when that generation is forgotten later */
    const bool is = memcmp(c->anchored, c->anchor.key, sizeof c->anchored) != 0;
    if (is == was)
        return;
    snprintf(c->astray, sizeof c->astray, "%s", is ? "the contract names another cluster's key than this node's" : "");
    atomic_fetch_add(&c->silenced, 1);
    log_write(LOG_WARN, "cluster", "%s", is ? c->astray : "the contract names this node's cluster again");
}
