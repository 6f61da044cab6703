/* view.h - what the EVM sees during a call: proven state, or a guess with a note of what is missing. Internal to exec/.
 *
 * A run that was served a guess is worth nothing but its list of missing keys (view.guessed). After the first guess it
 * is cut short when it asks for too much or runs too long.
 *
 * Spec:   EIP-2935 for block hashes older than the parent's
 * Floor:  2, exec. May include base/, mpt/, evm/. No I/O, clock or thread.
 * Tests:  tests/unit/test_call.c
 */
#ifndef EXEC_VIEW_H
#define EXEC_VIEW_H

#include "lightclient/exec/cache.h"
#include "lightclient/exec/query.h"
#include "lightclient/exec/state.h"

#define EX_ANCESTORS_MAX 256u     /* BLOCKHASH looks no further back */
#define EX_MISSES_MAX 2048u       /* new keys that one run may ask for */
#define EX_GUESSED_POLLS_MAX 128u /* polls of the deadline that a run may make after its first guess */

typedef struct {
    const query_t *query; /* has the deadline */
    const evm_chain_t *chain;
    ex_cache_t *cache; /* may be NULL */
    const ex_block_t *block;
    const ex_request_t *request;
    size_t keys_max; /* accounts and slots */
} ex_view_config_t;

typedef struct {
    ex_state_t state;
    ex_view_config_t config;
    evm_fork_t fork;

    /* Hashes of the block's ancestors: [0] is the parent's. */
    hash32_t hash[EX_ANCESTORS_MAX];
    size_t hash_count;    /* known, at least 1 */
    size_t hash_wanted;   /* how many must be known for what was asked */
    size_t hash_foreseen; /* how many must be known for what will probably be asked */
    struct ex_ancestor {
        bool given; /* a header came whose own hash is not known yet */
        hash32_t hash, parent;
    } given[EX_ANCESTORS_MAX];

    /* Of the present run. */
    unsigned run;
    bool guessed;
    const void *met; /* what it missed first, before any guess: the mark of a key in state, or &hash_wanted */
    size_t hash_met; /* hash_wanted at that time */
    bool deadline;   /* the caller's deadline passed */
    rc_t failed;     /* why a callback ended the run: RC_NOMEM, RC_LIMIT */
    unsigned misses, polls;
} ex_view_t;

/* Fills the view of a block for a call; the state in mem. What config points to must outlive it. RC_NOMEM. */
NODISCARD rc_t ex_view_init(ex_view_t *v, arena_t *mem, const ex_view_config_t *config);

/* Starts a run and gives the callbacks for it. */
evm_host_t ex_view_run(ex_view_t *v);

/* Marks the hash of ancestor `number` as one that will probably be asked for. RC_NOMEM, RC_LIMIT. */
NODISCARD rc_t ex_view_foresee(ex_view_t *v, uint64_t number);

/* The hash of ancestor `at` (0: the parent). False: it is not known. */
bool ex_view_ancestor(const ex_view_t *v, hash32_t *out, size_t at);

/* Takes the header of ancestor `at` (0: the parent). RC_REFUSED: its hash is known and another. */
NODISCARD rc_t ex_view_header(ex_view_t *v, size_t at, const ex_header_t *header);

#endif
