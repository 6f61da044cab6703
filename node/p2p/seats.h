/* seats.h - who has which address of the members' private network: reads the contract's roll at each new head, on
 * proven state (rpc/members/roll.h). Who is not bound, or silent too long, has none.
 *
 *     seats_head -> seats_turn -> a query -> told
 *                                 failed -> again after SEATS_AGAIN_MS, or with the next head
 *
 * Floor:  5, node/p2p. Any thread.
 * Tests:  tests/unit/test_p2p_seats.c
 */
#ifndef NODE_P2P_SEATS_H
#define NODE_P2P_SEATS_H

#include "node/p2p/wg_table.h"
#include "node/query/ask.h"
#include "rpc/members/roll.h"

#define SEATS_AGAIN_MS 4000u

typedef struct seats seats_t;

/* Everything borrowed until seats_free; told and turn on a thread of the pool, and must not wait. */
typedef struct {
    ask_t *ask;
    const evm_chain_t *chain;
    ex_cache_t *cache; /* may be NULL */
    addr_t contract;
    void (*told)(void *ctx, const wg_seats_t *seats); /* of a head that was read */
    void (*turn)(void *ctx);                          /* seats_turn wants to be called */
    void *ctx;
} seats_config_t;

/* NULL: out of memory. */
seats_t *seats_new(const seats_config_t *config);

/* After ask_free, so that no query is on its way. NULL is allowed. */
void seats_free(seats_t *s);

/* The head at which they are to be read; also told again. Copied. */
void seats_head(seats_t *s, const ex_block_t *block);

/* Reads, if it is time to; when it is next, unless turn is called before (UINT64_MAX: not by itself). */
uint64_t seats_turn(seats_t *s, uint64_t now_ms);

/* Why the newest head could not be read; rc RC_OK: it could, or was not tried yet. */
void seats_trouble(seats_t *s, err_t *out);

/* The members of a roll that have an address, at the time of a block. */
void seats_of(wg_seats_t *out, const members_roll_t *roll, const ex_block_t *block);

#endif
