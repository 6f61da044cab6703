/* evm_world.h - a small state for the evm's unit tests, which counts what it is asked. */
#ifndef TESTS_EVM_WORLD_H
#define TESTS_EVM_WORLD_H

#include <check.h>

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "lightclient/evm/evm.h"

#define ARENA_LIMIT ((size_t)256 << 20)
#define MAIN 0xaa  /* last byte of the address that runs; all other bytes are zero but the first, 0x10 */
#define OTHER 0xbb /* a second contract */
#define SENDER 0xcc
#define COINBASE 0xdd

/* Pieces of code: PUSH20 of OTHER's address; return of the top item as a word. */
#define OTHER_ADDR "7310000000000000000000000000000000000000bb"
#define RETURN_TOP "5f5260205ff3"

/* A state of a few accounts that counts what it is asked. */
typedef struct {
    view_t code, other_code; /* of MAIN and OTHER */
    uint8_t missing;         /* last byte of an account that is not known; 0: none */
    bool no_storage, no_code, no_hash, expired;
    bool collision; /* every account has storage */
    uint64_t nonce; /* of the sender */
    u256_t balance; /* of sender, MAIN, OTHER */
    uint64_t slot;  /* value of every slot */
    unsigned accounts, slots, codes, hashes, sender_asked, coinbase_asked;
} world_t;

static inline addr_t at(uint8_t last)
{
    addr_t a = { { 0x10 } };
    a.b[19] = last;
    return a;
}

static inline rc_t host_account(void *ctx, evm_account_t *out, const addr_t *addr)
{
    world_t *w = ctx;
    uint8_t last = addr->b[19];
    w->accounts++;
    w->sender_asked += last == SENDER;
    w->coinbase_asked += last == COINBASE;
    if (w->missing && last == w->missing)
        return RC_NEED_DATA;
    *out = (evm_account_t){ .code_hash = KECCAK_EMPTY };
    if (addr->b[0] != 0x10 || (last != MAIN && last != OTHER && last != SENDER))
        return RC_OK;
    out->exists = true;
    out->balance = w->balance;
    if (last == SENDER)
        out->nonce = w->nonce;
    else
        keccak256(&out->code_hash, last == MAIN ? w->code : w->other_code);
    return RC_OK;
}

static inline rc_t host_storage(void *ctx, u256_t *out, const addr_t *addr, const hash32_t *key)
{
    world_t *w = ctx;
    (void)addr, (void)key;
    w->slots++;
    *out = u256_of(w->slot);
    return w->no_storage ? RC_NEED_DATA : RC_OK;
}

static inline rc_t host_code(void *ctx, view_t *out, const addr_t *addr, const hash32_t *code_hash)
{
    world_t *w = ctx;
    (void)code_hash;
    w->codes++;
    *out = addr->b[19] == MAIN ? w->code : w->other_code;
    return w->no_code ? RC_NEED_DATA : RC_OK;
}

static inline rc_t host_block_hash(void *ctx, hash32_t *out, uint64_t number)
{
    world_t *w = ctx;
    w->hashes++;
    *out = (hash32_t){ { (uint8_t)number } };
    return w->no_hash ? RC_NEED_DATA : RC_OK;
}

static inline bool host_expired(void *ctx)
{
    return ((world_t *)ctx)->expired;
}

static inline rc_t host_storage_empty(void *ctx, bool *out, const addr_t *addr)
{
    (void)addr;
    *out = !((world_t *)ctx)->collision;
    return RC_OK;
}

static inline evm_host_t host_of(world_t *w)
{
    return (evm_host_t){ .ctx = w,
                         .account = host_account,
                         .storage = host_storage,
                         .code = host_code,
                         .block_hash = host_block_hash,
                         .expired = host_expired,
                         .storage_empty = host_storage_empty,
                         .seed = { 1, 2 } };
}

static inline view_t code_of(arena_t *a, const char *text)
{
    size_t n = strlen(text) / 2;
    uint8_t *p = arena_alloc(a, n);
    ck_assert(p && hex_decode_exact(p, n, text, 2 * n) == RC_OK);
    return view_of(p, n);
}

static inline evm_block_t block_of(void)
{
    evm_block_t b = { .number = 1000, .timestamp = 7, .gas_limit = 30000000, .chain_id = 1 };
    b.coinbase = at(COINBASE);
    return b;
}

static inline evm_tx_t tx_of(uint64_t gas)
{
    return (evm_tx_t){ .from = at(SENDER), .to = at(MAIN), .gas = gas };
}

static inline rc_t call(arena_t *a, evm_result_t *out, world_t *w, evm_fork_t fork, const evm_tx_t *tx)
{
    evm_host_t host = host_of(w);
    evm_rules_t rules = { .fork = fork, .blob_max = 9, .blob_base_fee_update_fraction = 5007716 };
    evm_block_t block = block_of();
    return evm_call(out, a, &host, &rules, &block, tx);
}

/* Runs code (and other, may be NULL) with plenty of gas. */
static inline rc_t run(arena_t *a, evm_result_t *out, world_t *w, evm_fork_t fork, const char *code, const char *other)
{
    evm_tx_t tx = tx_of(1000000);
    w->code = code_of(a, code);
    w->other_code = code_of(a, other ? other : "");
    return call(a, out, w, fork, &tx);
}

#endif
