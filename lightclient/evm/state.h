/* state.h - the state as a call sees it: a journal of changes over the host's read-only view.
 *
 * Accounts and slots are cached in hash maps in the arena; each is asked from the host once, when its content is first
 * needed. Every change is noted in the journal, so that a failed frame is undone by rolling back to its checkpoint.
 *
 * Spec:   EIP-2929 (warm sets), EIP-1153 (transient storage), EIP-6780, EIP-7610
 * Floor:  2, evm. No I/O, clock, thread or global state.
 * Tests:  tests/unit/test_evm.c
 */
#ifndef EVM_STATE_H
#define EVM_STATE_H

#include "base/map.h"
#include "lightclient/evm/code.h"
#include "lightclient/evm/evm.h"

#define ST_CODE_LISTS 256u /* one for each first byte of a code hash */

/* The part of an account that a failed frame restores. */
typedef struct {
    bool exists; /* in the state trie, or created since */
    uint64_t nonce;
    u256_t balance;
    hash32_t code_hash;
    const evm_code_t *code; /* NULL: not asked from the host yet */
    bool created;           /* by this transaction: its storage before the call is empty */
    bool destroyed;         /* SELFDESTRUCT took effect: gone at the end of the transaction */
    bool code_changed;
    bool touched; /* deleted at the end of the transaction when empty (EIP-161) */
    bool warm;
} st_core_t;

typedef struct st_account {
    addr_t addr;
    bool loaded;           /* core.exists to core.code hold the host's answer */
    bool nonce_ahead;      /* not loaded, and the transaction has already counted the sender's nonce up */
    bool authorized;       /* by an authorization of this transaction that holds (EIP-7702) */
    bool delegation_paid;  /* ... and it delegated before the transaction, or has paid for it in this one */
    struct st_slot *slots; /* newest first; transient ones too */
    st_core_t core;
} st_account_t;

typedef struct st_slot {
    struct st_slot *next; /* of the same account */
    st_account_t *account;
    u256_t key;
    u256_t original; /* before the transaction */
    u256_t value;
    bool loaded;
    bool warm;
    bool transient; /* EIP-1153: another space of keys */
} st_slot_t;

typedef struct st_undo st_undo_t;

typedef struct {
    arena_t *arena;
    const evm_host_t *host;
    map_t accounts;                   /* st_account_t by address, in order of first use */
    map_t slots;                      /* st_slot_t */
    evm_code_t *codes[ST_CODE_LISTS]; /* by code hash */
    st_undo_t *journal;
    size_t journal_len, journal_cap;
    evm_log_t *logs;
    size_t log_count, log_cap;
    uint32_t logged; /* logs so far, dropped ones too */
    int64_t refund;
    int64_t reservoir; /* EIP-8037: gas that only state gas is taken from */
    int64_t state_gas; /* EIP-8037: spent so far; a frame that gives back what others paid makes it less */
} st_t;

typedef struct {
    size_t journal_len, log_count;
    int64_t refund, reservoir, state_gas;
} st_mark_t;

/* An empty journal over host. RC_NOMEM. */
NODISCARD rc_t st_init(st_t *s, arena_t *arena, const evm_host_t *host);

/* Where the state stands now, and back to there. */
st_mark_t st_mark(const st_t *s);
void st_rollback(st_t *s, st_mark_t mark);

/* The entry of an address, made when it is new, without asking the host. NULL: out of memory. */
st_account_t *st_account(st_t *s, const addr_t *addr);

/* Makes the account's content available: asks the host the first time, and answers with its code if it is not RC_OK. */
NODISCARD rc_t st_load(st_t *s, st_account_t *acc);

/* Loads the account and its code. *out stays valid as long as the arena. */
NODISCARD rc_t st_code(st_t *s, const evm_code_t **out, st_account_t *acc);

/* No nonce, no balance, no code (EIP-161). The account must be loaded. */
bool st_is_empty(const st_account_t *acc);

/* Marks the account as warm; *was_cold tells whether it was not yet. RC_NOMEM. */
NODISCARD rc_t st_warm(st_t *s, bool *was_cold, st_account_t *acc);

/* Notes the account's present content in the journal; call before any change of core. RC_NOMEM. */
NODISCARD rc_t st_change(st_t *s, st_account_t *acc);

/* Marks the account, loaded or not, as touched. RC_NOMEM. */
NODISCARD rc_t st_touch(st_t *s, st_account_t *acc);

/* Moves value between loaded accounts; the caller has checked the balance. Touches the receiver. RC_NOMEM. */
NODISCARD rc_t st_transfer(st_t *s, st_account_t *from, st_account_t *to, const u256_t *value);

/* Replaces the code of a loaded account. code is copied. RC_NOMEM. */
NODISCARD rc_t st_set_code(st_t *s, st_account_t *acc, view_t code);

/* Whether a contract cannot be created here: nonce, code, or with by_storage its storage (EIP-7610). Loads the
 * account. */
NODISCARD rc_t st_collides(st_t *s, bool *out, st_account_t *acc, bool by_storage);

/* The entry of a slot without its content, made when it is new; was_cold (may be NULL) as in st_warm: it becomes warm.
 * RC_NOMEM. */
NODISCARD rc_t st_slot(st_t *s, st_slot_t **out, bool *was_cold, st_account_t *acc, const u256_t *key);

/* Makes the slot's content available: asks the host the first time, never for an account that this call created. */
NODISCARD rc_t st_slot_load(st_t *s, st_slot_t *slot);

/* Sets a loaded slot. RC_NOMEM. */
NODISCARD rc_t st_slot_set(st_t *s, st_slot_t *slot, const u256_t *value);

/* Transient storage: zero unless set in this transaction. */
u256_t st_transient(st_t *s, st_account_t *acc, const u256_t *key);
NODISCARD rc_t st_transient_set(st_t *s, st_account_t *acc, const u256_t *key, const u256_t *value);

/* Appends a log; the data is copied. RC_NOMEM. */
NODISCARD rc_t st_log(st_t *s, const addr_t *addr, const hash32_t *topics, uint8_t topic_count, view_t data);

#endif
