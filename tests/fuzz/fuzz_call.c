/* call: eth_call over state that comes piece by piece, on arbitrary code in two contracts. The cache begins with the
 * accounts as they were in another state, so that runs guess wrongly; the input says which of the needs that may be
 * left unanswered are. Property: the result is that of the EVM over the whole state; and again with all that the first
 * call left in the cache. */
#include <stdlib.h>
#include <string.h>

#include "base/crypto/hash.h"
#include "lightclient/exec/call.h"
#include "tests/fuzz/fuzz.h"

#define GAS_MAX 400000u
#define NUMBER 300u /* of the block */
#define ANCESTORS 256u
#define PATIENT_ROUNDS 8u /* in these, needs are left unanswered */

enum { HISTORY_KNOWN = 1, STALE = 2, HINT = 4, CREATE = 8, EMPTY_STORAGE = 16 };

static const addr_t main_addr = { { 0x10, [19] = 0xaa } }, other_addr = { { [19] = 0xbb } }, sender = { { 0xcc } };
static const addr_t history = { { 0x00, 0x00, 0xf9, 0x08, 0x27, 0xf1, 0xc5, 0x3a, 0x10, 0xcb,
                                  0x7a, 0x02, 0x33, 0x5b, 0x17, 0x53, 0x20, 0x00, 0x29, 0x35 } };
static const hash32_t state_root = { { 1 } }, old_state_root = { { 2 } }, old_storage_root = { { 3 } };

static ex_header_t headers[ANCESTORS]; /* of the blocks NUMBER - 1, NUMBER - 2, ... */
static hash32_t hashes[ANCESTORS];

typedef struct {
    view_t code[2]; /* of main_addr and other_addr */
    unsigned flags;
    view_t choices; /* one bit for each need that may go unanswered */
    size_t chosen;
} world_t;

static void require(bool holds)
{
    if (!holds)
        abort();
}

static const view_t *code_at(const world_t *w, const addr_t *addr)
{
    return addr_eq(addr, &main_addr) ? &w->code[0] : addr_eq(addr, &other_addr) ? &w->code[1] : NULL;
}

/* The truth. */
static mpt_account_t account_at(const world_t *w, const addr_t *addr)
{
    mpt_account_t a = { .storage_root = EMPTY_TRIE_ROOT, .code_hash = KECCAK_EMPTY };
    const view_t *code = code_at(w, addr);
    a.exists = code || addr_eq(addr, &sender) || (addr_eq(addr, &history) && w->flags & HISTORY_KNOWN);
    if (!a.exists)
        return a;
    a.nonce = 1;
    a.balance = u256_of(1000);
    if (code)
        keccak256(&a.code_hash, *code);
    if (!(w->flags & EMPTY_STORAGE) || addr_eq(addr, &history))
        keccak256(&a.storage_root, view_of(addr->b, sizeof addr->b));
    return a;
}

static u256_t slot_at(const world_t *w, const addr_t *addr, const hash32_t *key)
{
    const mpt_account_t a = account_at(w, addr);
    if (!a.exists || hash32_eq(&a.storage_root, &EMPTY_TRIE_ROOT))
        return u256_of(0);
    if (!addr_eq(addr, &history))
        return u256_of(key->b[31] & 3);
    u256_t number = u256_from_be32(key->b);
    if (!u256_fits_u64(&number) || number.w[0] >= NUMBER || NUMBER - number.w[0] > ANCESTORS)
        return u256_of(0);
    return u256_from_be32(hashes[NUMBER - 1 - number.w[0]].b);
}

static rc_t account(void *ctx, evm_account_t *out, const addr_t *addr)
{
    const mpt_account_t a = account_at(ctx, addr);
    *out = (evm_account_t){ a.exists, a.nonce, a.balance, a.code_hash };
    return RC_OK;
}

static rc_t storage(void *ctx, u256_t *out, const addr_t *addr, const hash32_t *key)
{
    *out = slot_at(ctx, addr, key);
    return RC_OK;
}

static rc_t code(void *ctx, view_t *out, const addr_t *addr, const hash32_t *code_hash)
{
    (void)code_hash;
    *out = *code_at(ctx, addr);
    return RC_OK;
}

static rc_t block_hash(void *ctx, hash32_t *out, uint64_t number)
{
    (void)ctx;
    *out = hashes[NUMBER - 1 - number];
    return RC_OK;
}

static rc_t storage_empty(void *ctx, bool *out, const addr_t *addr)
{
    const mpt_account_t a = account_at(ctx, addr);
    *out = hash32_eq(&a.storage_root, &EMPTY_TRIE_ROOT);
    return RC_OK;
}

static void make_headers(void)
{
    if (headers[0].number)
        return;
    for (size_t i = ANCESTORS; i-- > 0;) {
        headers[i] = (ex_header_t){ .number = NUMBER - 1 - i, .gas_limit = GAS_MAX };
        if (i + 1 < ANCESTORS)
            headers[i].parent_hash = hashes[i + 1];
        ex_header_hash(&hashes[i], &headers[i]);
    }
}

/* Another state, in which the contracts have each other's code. */
static void remember_old_state(ex_cache_t *cache, const world_t *w)
{
    const addr_t *const addrs[2] = { &main_addr, &other_addr };
    for (size_t i = 0; i < 2; i++) {
        mpt_account_t a = { true, 7, u256_of(3), old_storage_root, { { 0 } } };
        keccak256(&a.code_hash, w->code[1 - i]);
        ex_cache_put_code(cache, &a.code_hash, w->code[1 - i]);
        ex_cache_put_account(cache, &old_state_root, addrs[i], &a);
    }
    for (uint8_t i = 0; i < 4; i++) {
        const hash32_t key = { { [31] = i } };
        const u256_t value = u256_of(0xbbu + i);
        ex_cache_put_slot(cache, &old_storage_root, &key, &value);
    }
}

static bool is_left_out(world_t *w, const need_t *need, unsigned round)
{
    size_t at = w->chosen++;
    return need->origin != NEED_MET && round < PATIENT_ROUNDS && at / 8 < w->choices.n &&
           w->choices.p[at / 8] >> at % 8 & 1;
}

/* State goes into the cache, as if another call had just proven it. */
static void answer(query_t *q, size_t i, const need_t *need, ex_cache_t *cache, const world_t *w)
{
    const evm_access_t hint = { other_addr, &old_state_root, 1 };
    const view_t *bytes = code_at(w, &need->addr);
    answer_t answer = { .kind = need->kind };
    switch (need->kind) {
    case NEED_HINT:
        answer.hint = &hint;
        answer.hint_count = 1;
        break;
    case NEED_CODE: answer.code = bytes ? *bytes : view_of(NULL, 0); break;
    case NEED_HEADER:
        require(need->number < NUMBER && NUMBER - need->number <= ANCESTORS);
        answer.header = headers[NUMBER - 1 - need->number];
        break;
    default: {
        const mpt_account_t a = account_at(w, &need->addr);
        ex_cache_put_account(cache, &state_root, &need->addr, &a);
        for (size_t k = 0; k < need->slot_count; k++) {
            const u256_t value = slot_at(w, &need->addr, &need->slots[k]);
            ex_cache_put_slot(cache, &a.storage_root, &need->slots[k], &value);
        }
        return;
    }
    }
    require(query_give(q, NULL, i, &answer) == RC_OK);
}

static void check_same(const evm_result_t *a, const evm_result_t *b)
{
    require(a->status == b->status && a->halt == b->halt && a->gas_used == b->gas_used);
    require(view_eq(a->output, b->output) && a->log_count == b->log_count && a->created == b->created);
    require(!a->created || addr_eq(&a->created_addr, &b->created_addr));
    for (size_t i = 0; i < a->log_count; i++) {
        const evm_log_t *x = &a->logs[i], *y = &b->logs[i];
        require(view_eq(x->data, y->data) && addr_eq(&x->addr, &y->addr) && x->topic_count == y->topic_count);
        require(memcmp(x->topics, y->topics, x->topic_count * sizeof x->topics[0]) == 0);
    }
}

/* One call to its end, which must be what the EVM over the whole state came to; or a limit of such calls. */
static void run(const ex_call_config_t *config, world_t *w, rc_t want_rc, const evm_result_t *want)
{
    query_t *q;
    const need_t *needs;
    err_t e = { 0 };
    rc_t rc;
    require(ex_call_new(&q, &e, config) == RC_OK);
    while ((rc = query_step(q, &e)) == RC_NEED_DATA) {
        size_t n = query_needs(q, &needs);
        require(n > 0);
        for (size_t i = 0; i < n; i++)
            if (!is_left_out(w, &needs[i], ex_call_rounds(q)))
                answer(q, i, &needs[i], config->cache, w);
    }
    require(rc == want_rc || rc == RC_LIMIT);
    require((rc == RC_OK) == (ex_call_result(q) != NULL) && e.rc == rc);
    if (!rc)
        check_same(want, ex_call_result(q));
    query_free(q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 9)
        return 0;
    make_headers();
    const size_t n = len - 9, first = n * data[4] / 255;
    world_t w = { { { data + 9, first }, { data + 9 + first, n - first } }, data[1], view_of(data + 5, 4), 0 };
    const evm_schedule_row_t row = {
        0, { .fork = (evm_fork_t)(data[0] % EVM_FORKS), .blob_max = 6, .blob_base_fee_update_fraction = 3338477 }
    };
    const evm_chain_t chain = { 1, &row, 1 };
    const ex_block_t block = { .parent_hash = hashes[0],
                               .state_root = state_root,
                               .env = { .number = NUMBER, .timestamp = 1, .gas_limit = GAS_MAX, .chain_id = 1 } };
    const ex_request_t request = { .has_to = !(w.flags & CREATE),
                                   .has_gas = true,
                                   .from = sender,
                                   .to = main_addr,
                                   .gas = ((uint64_t)data[2] << 8 | data[3]) * GAS_MAX / 65535,
                                   .data = w.code[1] };
    const evm_tx_t tx = {
        .from = sender, .create = !request.has_to, .to = main_addr, .gas = request.gas, .data = request.data
    };
    const evm_host_t host = { .ctx = &w,
                              .account = account,
                              .storage = storage,
                              .code = code,
                              .block_hash = block_hash,
                              .storage_empty = storage_empty,
                              .seed = { 1, 2 } };
    const ex_cache_config_t cache_config = { .bytes_max = 4u << 20, .seed = { 3, 4 } };
    ex_cache_t *cache = ex_cache_new(&cache_config);
    const ex_call_config_t config = { .chain = &chain,
                                      .cache = cache,
                                      .block = &block,
                                      .request = &request,
                                      .use_hint = w.flags & HINT,
                                      .proof_slots_max = data[5] % 4 };
    evm_result_t want = { 0 };
    arena_t a;
    arena_init(&a, (size_t)64 << 20);
    require(cache != NULL);
    rc_t rc = evm_call(&want, &a, &host, &row.rules, &block.env, &tx);
    require(rc == RC_OK || rc == RC_REFUSED);
    if (w.flags & STALE)
        remember_old_state(cache, &w);
    run(&config, &w, rc, &want);
    run(&config, &w, rc, &want);
    ex_cache_free(cache);
    arena_free(&a);
    return 0;
}
