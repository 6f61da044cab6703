/* state.h - the accounts, slots and codes of one call: what is proven, what is wanted, what was read. Internal to
 * exec/.
 *
 * Floor:  2, exec. May include base/, mpt/. Memory comes from the call's arena. No I/O, clock or thread.
 * Tests:  tests/unit/test_exec_state.c, tests/unit/test_call.c
 */
#ifndef EXEC_STATE_H
#define EXEC_STATE_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/map.h"
#include "base/rc.h"
#include "lightclient/exec/cache.h"
#include "lightclient/mpt/mpt.h"

#define EX_HINTED 0xffffffffu   /* in place of a run's number: wanted by a hint, whatever the runs read */
#define EX_REQUIRED 0xfffffffeu /* ... wanted for certain */

/* Code whose hash was computed here: true by its content, whoever sent it. */
typedef struct ex_code {
    struct ex_code *next;
    hash32_t hash;
    view_t bytes;
    bool shared; /* is in the cache */
} ex_code_t;

typedef struct ex_slot ex_slot_t;

typedef struct ex_acct {
    addr_t addr;
    bool proven;
    bool rooted;                  /* value's storage_root is known */
    bool wants_root;              /* without it the account is not known */
    bool has_guess;               /* guess: the account in some earlier state, for discovery only */
    bool named;                   /* by an access list of an upstream */
    unsigned wanted, code_wanted; /* last run that missed it, its code; or one of the marks above */
    mpt_account_t value;          /* when proven */
    mpt_account_t guess;
    unsigned seen, code_seen; /* last run that read it, its code */
    const ex_code_t *code;    /* the last one found for it */
    ex_slot_t *slots, **slots_end;
} ex_acct_t;

struct ex_slot {
    ex_slot_t *next; /* of the same account */
    ex_acct_t *acct;
    hash32_t key;
    u256_t value;          /* when proven */
    bool proven, named;    /* as in the account, */
    unsigned wanted, seen; /* ... and these */
    unsigned asked;        /* the run after which it was first asked for; 0: never */
};

typedef struct {
    arena_t *mem;
    ex_cache_t *cache; /* may be NULL */
    hash32_t state_root;
    bool wants_roots; /* of all accounts: their storage_root is part of what is answered */
    uint64_t seed[2];
    size_t keys, keys_max; /* accounts and slots */
    map_t accts;           /* ex_acct_t by address, in the order of first mention */
    map_t slots;           /* ex_slot_t by address and key */
    ex_code_t *codes;
} ex_state_t;

/* An empty table in the arena. RC_NOMEM. */
NODISCARD rc_t ex_state_init(ex_state_t *s, arena_t *mem, ex_cache_t *cache, const hash32_t *state_root,
                             size_t keys_max);

/* The entry for an address, or for a slot of an account; made when there is none. RC_NOMEM; RC_LIMIT: keys_max. */
NODISCARD rc_t ex_state_acct(ex_acct_t **out, ex_state_t *s, const addr_t *addr);
NODISCARD rc_t ex_state_slot(ex_slot_t **out, ex_state_t *s, ex_acct_t *acct, const hash32_t *key);

/* Marks an account, slots of it and (code) its code with EX_HINTED or EX_REQUIRED. RC_NOMEM, RC_LIMIT. */
NODISCARD rc_t ex_state_want(ex_state_t *s, unsigned mark, const addr_t *addr, const hash32_t *slots, size_t slot_count,
                             bool code);

/* True when proven, here or by the cache; value is then set. A slot is known only when its account is. */
bool ex_acct_known(ex_state_t *s, ex_acct_t *acct);
bool ex_slot_known(ex_state_t *s, ex_slot_t *slot);

/* The value of a slot in the state that the account's guess comes from; zero when that is not known. */
u256_t ex_slot_guess(ex_state_t *s, const ex_slot_t *slot);

/* The code with this hash, from the call or the cache; NULL when neither has it. */
const ex_code_t *ex_code_known(ex_state_t *s, ex_acct_t *acct, const hash32_t *code_hash);

/* Takes what was proven, and remembers it in the cache. */
void ex_state_prove_acct(ex_state_t *s, ex_acct_t *acct, const mpt_account_t *value);
void ex_state_prove_slot(ex_state_t *s, ex_slot_t *slot, const u256_t *value);

/* Keeps a copy of code under its hash. RC_NOMEM. */
NODISCARD rc_t ex_state_add_code(ex_state_t *s, const hash32_t *hash, view_t code);

#endif
