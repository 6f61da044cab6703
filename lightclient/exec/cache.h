/* cache.h - proven state, bounded in bytes: accounts by (state root, address), slots by (storage root, key), code by
 * hash, parents by block hash, and what calls were seen to read. Content-addressed, so unchanged
 * storage keeps serving later blocks.
 *
 * Floor:  2, exec. Pure: not thread-safe by itself; the lock hooks let node/ share one cache between worker threads.
 * Tests:  tests/unit/test_cache.c, tests/unit/test_follow_changes.c
 */
#ifndef EXEC_CACHE_H
#define EXEC_CACHE_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/rc.h"
#include "lightclient/exec/changes.h"
#include "lightclient/mpt/mpt.h"

#define EX_FOLLOW_MAX 64u /* blocks whose changes are followed back */

typedef struct ex_cache ex_cache_t;

typedef struct {
    size_t bytes_max; /* all entries together; the least recently used go first */
    void *lock_ctx;   /* hooks may be NULL: single thread */
    void (*lock)(void *ctx);
    void (*unlock)(void *ctx);
    uint64_t seed[2]; /* random: keys come from outside */
} ex_cache_config_t;

/* NULL: out of memory. The caller frees it with ex_cache_free (NULL allowed). Every put may drop what it is given when
 * memory is short or the entry is larger than an eighth of bytes_max. */
ex_cache_t *ex_cache_new(const ex_cache_config_t *config);
void ex_cache_free(ex_cache_t *c);

/* Only what was proven may be put here. Getters answer false, out untouched, when it is not there. */
bool ex_cache_get_account(ex_cache_t *c, mpt_account_t *out, const hash32_t *state_root, const addr_t *addr);
void ex_cache_put_account(ex_cache_t *c, const hash32_t *state_root, const addr_t *addr, const mpt_account_t *account);
bool ex_cache_get_slot(ex_cache_t *c, u256_t *out, const hash32_t *storage_root, const hash32_t *key);
void ex_cache_put_slot(ex_cache_t *c, const hash32_t *storage_root, const hash32_t *key, const u256_t *value);

/* What a block did: the state under one root is that under another but for its changes. Copied. */
void ex_cache_put_changes(ex_cache_t *c, const hash32_t *after, const hash32_t *before, const ex_changes_t *changes);

/* The same as above by way of the changes of at most EX_FOLLOW_MAX blocks. An account's slots are found by its address,
 * under whichever root they were proven. *rooted: the account's storage_root holds; when its storage was written since
 * it was proven, it does not, and is zero. */
bool ex_cache_follow_account(ex_cache_t *c, mpt_account_t *out, bool *rooted, const hash32_t *state_root,
                             const addr_t *addr);
bool ex_cache_follow_slot(ex_cache_t *c, u256_t *out, const hash32_t *state_root, const addr_t *addr,
                          const hash32_t *key);
/* Code is copied into the arena; p stays NULL when it is not cached or memory is short. */
bool ex_cache_get_code(ex_cache_t *c, view_t *out, arena_t *a, const hash32_t *code_hash);
void ex_cache_put_code(ex_cache_t *c, const hash32_t *code_hash, view_t code);
/* The parent of a block, both by hash. */
bool ex_cache_get_parent(ex_cache_t *c, hash32_t *parent, const hash32_t *block);
void ex_cache_put_parent(ex_cache_t *c, const hash32_t *block, const hash32_t *parent);

/* Parts of a verified block by its hash, in whatever form their reader gives them; and the hash of a block's ancestor
 * by its number. */
typedef enum { EX_PART_HEADER, EX_PART_BODY, EX_PART_RECEIPTS } ex_part_t;
bool ex_cache_get_part(ex_cache_t *c, view_t *out, arena_t *a, ex_part_t part, const hash32_t *block);
void ex_cache_put_part(ex_cache_t *c, ex_part_t part, const hash32_t *block, view_t bytes);
bool ex_cache_get_ancestor(ex_cache_t *c, hash32_t *out, const hash32_t *block, uint64_t number);
void ex_cache_put_ancestor(ex_cache_t *c, const hash32_t *block, uint64_t number, const hash32_t *ancestor);
/* The number of the block in which a transaction was found, by its hash: where it was then, and may be no more. */
bool ex_cache_get_where(ex_cache_t *c, uint64_t *number, const hash32_t *tx);
void ex_cache_put_where(ex_cache_t *c, const hash32_t *tx, uint64_t number);

/* Nodes of a proof as bytes, in whatever form their reader gives them (exec/proofs.h): by the trie's root and the name
 * in it. */
bool ex_cache_get_proof(ex_cache_t *c, view_t *out, arena_t *a, const hash32_t *root, view_t name);
void ex_cache_put_proof(ex_cache_t *c, const hash32_t *root, view_t name, view_t bytes);

/* The account as it was last put, under whichever state root: a guess for a discovery run, never an answer. */
bool ex_cache_guess_account(ex_cache_t *c, mpt_account_t *out, const addr_t *addr);

/* Bytes of what calls were seen to read (exec/learned.h): by the contract, and a digest of what of the call counts. */
bool ex_cache_get_learned(ex_cache_t *c, view_t *out, arena_t *a, const addr_t *to, const hash32_t *of);
void ex_cache_put_learned(ex_cache_t *c, const addr_t *to, const hash32_t *of, view_t bytes);

/* How often something was there, and was not, by the kind of thing, for metrics. Returns how many kinds there are. */
#define EX_CACHE_KINDS 16u
typedef struct {
    const char *what;
    uint64_t hits, misses;
} ex_cache_counts_t;
size_t ex_cache_counts(ex_cache_t *c, ex_cache_counts_t out[EX_CACHE_KINDS]);

/* Bytes in use, for metrics. */
size_t ex_cache_bytes(ex_cache_t *c);

/* The seed the cache was made with, for tables of one call. */
void ex_cache_seed(const ex_cache_t *c, uint64_t out[2]);

#endif
