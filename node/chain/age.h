/* age.h - how old the heads may be: to be signed, and before another beacon API is asked for newer ones. Pure
 * decisions.
 *
 * Floor:  5, node/chain. No I/O, clock or thread.
 * Tests:  tests/unit/test_age.c
 */
#ifndef NODE_CHAIN_AGE_H
#define NODE_CHAIN_AGE_H

#include "lightclient/consensus/sync.h"

#define AGE_HEAD_MAX_SLOTS 25u       /* an older head is not signed; */
#define AGE_FINALIZED_MAX_EPOCHS 16u /* nor an older finalized one */
#define AGE_LAG_SLOTS 3u             /* a head this old makes an endpoint that has nothing newer doubtful; */
#define AGE_LAG_EPOCHS 4u            /* so does a finalized header this old */

typedef enum { AGE_FRESH, AGE_HEAD_STALE, AGE_EXECUTION_STALE, AGE_FINALIZED_STALE } age_t;

/* Which of the heads is too old for anything to be signed. From Gloas on a young head may have an old execution block,
 * when slot after slot has no payload: it may be no older than a head.
 *   age_ms     of the one that the answer is about
 *   finalized  NULL unless it is what is signed; the latest head must be fresh in any case
 *   now_ms     what time it is, by a clock that the host may turn back or hold; therefore also
 *   quiet_ms   how old the latest head is at least, by the raw counter since it came */
age_t age_of_heads(uint64_t *age_ms, const lc_network_t *net, const lc_head_t *latest, const lc_head_t *finalized,
                   uint64_t now_ms, uint64_t quiet_ms);

/* Whether a head (for LC_FINALITY the finalized one) lags so far that an endpoint which had nothing newer may be
 * standing still, and another one should be asked. */
bool age_lags(const lc_network_t *net, lc_kind_t kind, const lc_head_t *head, uint64_t now_ms);

#endif
