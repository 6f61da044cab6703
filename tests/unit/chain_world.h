/* chain_world.h - POST /rpc over a small chain whose blocks, receipts and states prove each other, with an honest upstream
 * and a loop in place of the engine; requests in a row are counted. A test may put a lie before each honest answer.
 *
 * Tests:  tests/unit/test_roundtrips.c, test_method_lies.c
 */
#ifndef TESTS_CHAIN_WORLD_H
#define TESTS_CHAIN_WORLD_H

#include <check.h>
#include <stdio.h>

#include "lightclient/exec/history.h"
#include "lightclient/mpt/mpt.h"
#include "rpc/api/rpc.h"
#include "tests/unit/unit.h"
#include "tests/unit/world.h"

#define TOP 63u /* the first head; the next one is above it */
#define FIRST_STATE 62u
#define OLD 20u /* a block that only the history contract leads to */

static const evm_schedule_row_t row = { 0, { EVM_PRAGUE, 6, 9, 5007716, NULL } };
static const evm_chain_t CHAIN = { 1, &row, 1 };
static const addr_t HISTORY = { { 0x00, 0x00, 0xf9, 0x08, 0x27, 0xf1, 0xc5, 0x3a, 0x10, 0xcb,
                                  0x7a, 0x02, 0x33, 0x5b, 0x17, 0x53, 0x20, 0x00, 0x29, 0x35 } }; /* EIP-2935 */

/* Which an empty block calls: of beacon roots, withdrawals and consolidations (EIP-4788, EIP-7002, EIP-7251). */
static const addr_t SYSTEM[] = {
    { { 0x00, 0x0f, 0x3d, 0xf6, 0xd7, 0x32, 0x80, 0x7e, 0xf1, 0x31,
        0x9f, 0xb7, 0xb8, 0xbb, 0x85, 0x22, 0xd0, 0xbe, 0xac, 0x02 } },
    { { 0x00, 0x00, 0x09, 0x61, 0xef, 0x48, 0x0e, 0xb5, 0x5e, 0x80,
        0xd1, 0x9a, 0xd8, 0x35, 0x79, 0xa6, 0x4c, 0x00, 0x70, 0x02 } },
    { { 0x00, 0x00, 0xbb, 0xdd, 0xc7, 0xce, 0x48, 0x86, 0x42, 0xfb,
        0x57, 0x9f, 0x8b, 0x00, 0xf3, 0xa5, 0x90, 0x00, 0x72, 0x51 } },
};

/* ---- a chain: each block has a transaction with a log, of the contract A in every eighth block ---- */

typedef struct {
    ex_full_block_t block;
    view_t tx, receipt;
    hash32_t tx_hash;
    evm_log_t log;
} made_t;

static arena_t arena;
static made_t chain[TOP + 2];
static world_t worlds[3]; /* the state of all blocks below the heads, and of each head */
static ex_cache_t *cache;
static addr_t A, B;

static inline world_t *world_of(uint64_t n)
{
    return &worlds[n < TOP ? 0 : n - TOP + 1];
}

/* The state after block n; a head's knows the hashes of those before. */
static inline void make_state(uint64_t n)
{
    world_t *w = world_of(n);
    world_init(w);
    world_set(world_add(w, A, "5f545f5260205ff3"), 0, u256_of(42 + n)); /* returns its slot 0 */
    world_add(w, B, "");
    for (size_t i = 0; i < sizeof SYSTEM / sizeof SYSTEM[0]; i++)
        world_add(w, SYSTEM[i], "00");
    world_account_t *h = world_add(w, HISTORY, "00");
    for (uint64_t i = 0; i < n; i++)
        world_set(h, i, u256_from_be32(chain[i].block.hash.b));
}

/* A transaction of nonce n, whose signature is of somebody. */
static inline void make_transaction(made_t *m, uint64_t n)
{
    static const uint8_t gx[] = { 0x79, 0xbe, 0x66, 0x7e, 0xf9, 0xdc, 0xbb, 0xac, 0x55, 0xa0, 0x62,
                                  0x95, 0xce, 0x87, 0x0b, 0x07, 0x02, 0x9b, 0xfc, 0xdb, 0x2d, 0xce,
                                  0x28, 0xd9, 0x59, 0xf2, 0x81, 0x5b, 0x16, 0xf8, 0x17, 0x98 };
    wr_t w = wr_of(arena_alloc(&arena, 200), 200);
    const uint64_t numbers[] = { n, 1000, 21000 };
    for (size_t i = 0; i < 3; i++)
        rlp_put_u64(&w, numbers[i]);
    rlp_put_bytes(&w, view_of(A.b, 20));
    rlp_put_u64(&w, 0);
    rlp_put_bytes(&w, view_of("", 0));
    rlp_put_u64(&w, 37);
    rlp_put_bytes(&w, view_of(gx, sizeof gx));
    rlp_put_u64(&w, 1);
    rlp_wrap_list(&w, 0);
    m->tx = wr_view(&w);
    keccak256(&m->tx_hash, m->tx);
}

static inline void make_block(uint64_t n)
{
    made_t *m = &chain[n];
    ex_header_t *h = &m->block.header;
    ex_receipt_t r = { .success = true, .cumulative_gas = 21000, .log_count = 1 };
    make_transaction(m, n);
    m->log.addr = n % 8 ? B : A;
    r.logs = &m->log;
    ex_bloom_add_logs(r.bloom, r.logs, 1);
    ck_assert_int_eq(ex_receipt_encode(&m->receipt, &arena, &r), RC_OK);
    *h = (ex_header_t){ .number = n, .timestamp = 5000 + 12 * n, .gas_limit = 30000000, .gas_used = 21000 };
    h->tail = ex_header_tail(EVM_PRAGUE);
    h->ommers_hash = EX_NO_OMMERS;
    h->base_fee = u256_of(7);
    memcpy(h->logs_bloom, r.bloom, sizeof r.bloom);
    h->parent_hash = n ? chain[n - 1].block.hash : (hash32_t){ { 0 } };
    h->state_root = world_root(world_of(n));
    ck_assert_int_eq(mpt_list_root(&h->receipts_root, &m->receipt, 1, &arena), RC_OK);
    ck_assert_int_eq(mpt_list_root(&h->transactions_root, &m->tx, 1, &arena), RC_OK);
    m->block.transactions = &m->tx;
    m->block.transaction_count = 1;
    m->block.has_withdrawals = true;
    ck_assert_int_eq(ex_withdrawals_root(&h->withdrawals_root, &arena, &m->block), RC_OK);
    ex_header_hash(&m->block.hash, h);
}

static inline void make_chain(void)
{
    arena_init(&arena, 256u << 20);
    A = world_addr(0xa000);
    B = world_addr(0xb000);
    memset(chain, 0, sizeof chain);
    make_state(0);
    for (uint64_t n = 0; n <= TOP + 1; n++) {
        if (n >= TOP)
            make_state(n);
        make_block(n);
    }
}

/* ---- an honest upstream ---- */

static inline const made_t *named(const need_t *need)
{
    for (size_t i = 0; i <= TOP + 1; i++)
        if (hash32_eq(&need->hash, need->kind == NEED_WHERE ? &chain[i].tx_hash : &chain[i].block.hash))
            return &chain[i];
    ck_assert(hash32_is_zero(&need->hash) && need->number <= TOP + 1);
    return &chain[need->number];
}

static inline answer_t answer_to(const need_t *need)
{
    static const hash32_t slot;
    static evm_access_t list;
    answer_t a = { .kind = need->kind };
    world_t *w = world_of(need->block->env.number);
    if (need->kind == NEED_HINT) {
        list = (evm_access_t){ .addr = A, .keys = &slot, .key_count = 1 };
        a.hint = &list;
        a.hint_count = 1;
    } else if (need->kind == NEED_PROOF)
        a.proof = world_proof(w, &need->addr, need->slots, need->slot_count);
    else if (need->kind == NEED_CODE)
        a.code = world_code(w, &need->addr);
    else if (need->kind == NEED_SEND)
        keccak256(&a.hash, need->raw);
    else {
        const made_t *m = named(need);
        a.block = m->block;
        a.header = m->block.header;
        a.receipts = &m->receipt;
        a.receipt_count = 1;
        a.number = m->block.header.number;
    }
    return a;
}

static unsigned trips; /* requests in a row */
static uint64_t final = OLD + 10;
static hash32_t said; /* digest of the last answer */

/* Makes a lie of an honest answer. False: it has none for this need. */
static bool (*lie)(const need_t *need, answer_t *a);
static unsigned lies_told, lies_caught; /* caught: refused as what accuses its sender */

static inline void tell_lie(query_t *q, size_t i, const need_t *need)
{
    err_t e;
    answer_t a = answer_to(need);
    if (!lie(need, &a))
        return;
    lies_told++;
    lies_caught += rc_blames_input(query_give(q, &e, i, &a)) ? 1 : 0;
}

static inline rc_t drive(query_t *q, err_t *e)
{
    const need_t *needs;
    rc_t rc;
    while ((rc = query_step(q, e)) == RC_NEED_DATA) {
        const size_t n = query_needs(q, &needs);
        trips++;
        for (size_t i = 0; i < n; i++) {
            if (lie)
                tell_lie(q, i, &needs[i]);
            const answer_t a = answer_to(&needs[i]);
            rc = query_give(q, e, i, &a);
            ck_assert_msg(!rc, "%s", e->text);
        }
    }
    return rc;
}

/* ---- requests ---- */

/* The names that a row's parameters use for what is made: @TX, @HASH, @RANGE and so on. */
static inline void fill_in(char *out, size_t room, const char *params)
{
    static const char *const names[] = { "@HASH", "@TX", "@A", "@OLD", "@CALL" };
    char hash[65], tx[65], values[5][200];
    hex_encode(hash, view_of(chain[TOP].block.hash.b, 32));
    hex_encode(tx, view_of(chain[TOP].tx_hash.b, 32));
    snprintf(values[0], sizeof values[0], "\"0x%s\"", hash);
    snprintf(values[1], sizeof values[1], "\"0x%s\"", tx);
    snprintf(values[2], sizeof values[2], "\"0xac0000000000000000000000000000000000a000\"");
    snprintf(values[3], sizeof values[3], "\"0x%x\"", OLD);
    snprintf(values[4], sizeof values[4], "{\"to\":\"0xac0000000000000000000000000000000000a000\"}");
    size_t n = 0;
    while (*params && n < room - 201) {
        size_t i = 0;
        while (i < 5 && strncmp(params, names[i], strlen(names[i])))
            i++;
        if (i == 5)
            out[n++] = *params++;
        else {
            n += (size_t)snprintf(out + n, room - n, "%s", values[i]);
            params += strlen(names[i]);
        }
    }
    out[n] = 0;
}

/* Asks at a head; how many requests in a row that took. */
static inline unsigned ask(const char *method, const char *params, uint64_t head, const api_events_t *events,
                           void *events_ctx)
{
    char filled[1000], text[1200];
    api_rpc_t *r;
    view_t body;
    arena_t a;
    api_world_t world = { .chain = &CHAIN, .cache = cache, .has_finalized = true };
    ex_block_of_header(&world.latest, &chain[head].block.header, &chain[head].block.hash, 1);
    ex_block_of_header(&world.finalized, &chain[final].block.header, &chain[final].block.hash, 1);
    world.events = events;
    world.events_ctx = events_ctx;
    fill_in(filled, sizeof filled, params);
    snprintf(text, sizeof text, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":[%s]}", method, filled);
    arena_init(&a, 256u << 20);
    trips = 0;
    ck_assert_int_eq(api_rpc_begin(&r, &a, &world, view_str(text)), RC_OK);
    query_t *q = api_rpc_take(r, 0);
    if (q) {
        err_t e = { .text = "" };
        const rc_t rc = drive(q, &e);
        api_rpc_end(r, 0, rc, &e, q);
    }
    ck_assert_int_eq(api_rpc_finish(r, &body), RC_OK);
    ck_assert_msg(memmem(body.p, body.n, "\"result\":", 9), "%s: %.*s", text, (int)body.n, (const char *)body.p);
    sha256(&said, body);
    arena_free(&a);
    return trips;
}

static inline void end_chain(void)
{
    for (size_t i = 0; i < 3; i++)
        world_clear(&worlds[i]);
    arena_free(&arena);
}

static inline void open_cache(void)
{
    cache = ex_cache_new(&(ex_cache_config_t){ .bytes_max = 64u << 20, .seed = { 1, 2 } });
    ck_assert_ptr_nonnull(cache);
}

#endif
