/* learned.h - key sets: which accounts and slots calls were seen to read, so that the next one like them asks for all
 * in its first batch. Hints only: a key too few costs one more round, a key too many some bytes.
 *
 *     the same caller, contract and calldata   what it read last, all of it
 *     another calldata of the same selector    what was read for two different ones at least: what one calldata led
 *                                              to, the balances of its tokens, say, is nobody else's
 *
 * Floor:  2, exec. No I/O, clock or thread; the cache's lock makes it safe between threads.
 * Tests:  tests/unit/test_learned.c, tests/unit/test_call.c
 */
#ifndef EXEC_LEARNED_H
#define EXEC_LEARNED_H

#include "lightclient/exec/cache.h"
#include "lightclient/exec/request.h"

#define EX_LEARNED_MAX 1024u       /* accounts and slots of one call; larger sets are not kept */
#define EX_LEARNED_SHARED_MAX 256u /* of one selector */
#define EX_LEARNED_UNUSED_MAX 8u   /* calls in a row that did not read a key, before it is forgotten */

typedef struct {
    addr_t addr;
    const hash32_t *slots;
    size_t slot_count;
    bool code; /* its code was run or read */
} ex_touch_t;

/* What a call of q will probably read; the array is in the arena. 0: nothing is known, or memory is short. *same: that
 * very call was made before. cache may be NULL. q has a receiver. */
size_t ex_learned_get(ex_cache_t *cache, ex_touch_t **out, bool *same, arena_t *a, const ex_request_t *q);

/* Learns what a call of q has read: each account once. scratch is given back before return. */
void ex_learned_put(ex_cache_t *cache, arena_t *scratch, const ex_request_t *q, const ex_touch_t *touched,
                    size_t count);

#endif
