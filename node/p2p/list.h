/* list.h - the list of a cluster's members for whoever asks this node: read on proven state, once for each block; kept,
 * and given again with its age when a newer one cannot be had.
 *
 *     block known already, or one that a kept list is good for -> the kept list, nothing is asked
 *     else the query (rpc/members/members.h) -> kept and given
 *             failed -> the kept list, as long as its block is younger than max_age_s, and why there is no newer one
 *                       else the error, which names the endpoint
 *
 * Floor:  5, node/p2p. Any thread.
 * Tests:  tests/unit/test_p2p_list.c
 */
#ifndef NODE_P2P_LIST_H
#define NODE_P2P_LIST_H

#include "node/query/ask.h"
#include "rpc/members/members.h"

typedef struct p2p_list p2p_list_t;

/* Everything borrowed until p2p_list_free. */
typedef struct {
    ask_t *ask;
    const evm_chain_t *chain;
    ex_cache_t *cache; /* may be NULL: every block then takes as many rounds as the first */
    addr_t contract;
    members_mode_t mode;
    uint64_t max_age_s;         /* of a list's block */
    uint64_t every;             /* a list is given for so many blocks without being read again; 0: for one */
    const char *gateway_domain; /* MEMBERS_TLS: endpoints that are not under it are left out; NULL: none is */
} p2p_list_config_t;

/* A list and what it rests on. Borrowed for the call of done. */
typedef struct {
    members_t members;
    hash32_t block_hash, state_root;
    uint64_t block_number, block_time_s;
    uint64_t age_s; /* of the block, at the time that was given */
    err_t stale;    /* RC_OK: of the block that was asked for; else why it is of an older one */
} p2p_answer_t;

/* Called once for each p2p_list_get; must not wait for anything.
 *   answer  NULL unless rc is RC_OK
 * RC_TIMEOUT: the list is older than max_age_s, or the query took too long; RC_IO: no endpoint gave what could be
 * proven, and e names the last one; RC_REFUSED, RC_MALFORMED, RC_LIMIT: the contract is none or lists nonsense;
 * RC_NOMEM. */
typedef void (*p2p_done_fn)(void *ctx, rc_t rc, const err_t *e, const p2p_answer_t *answer);

/* NULL: out of memory. */
p2p_list_t *p2p_list_new(const p2p_list_config_t *config);

/* After ask_free of its engine, so that no query is on its way. NULL is allowed. */
void p2p_list_free(p2p_list_t *l);

/* Gives the list at a verified block: done is called before this returns when nothing has to be asked, else on a thread
 * of the pool.
 *   block  copied
 *   now_s  the time by which ages are told; a block older than max_age_s is not asked about */
void p2p_list_get(p2p_list_t *l, const ex_block_t *block, uint64_t now_s, p2p_done_fn done, void *ctx);

#endif
