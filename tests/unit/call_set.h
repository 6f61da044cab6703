/* call_set.h - the call machine on a small world, with an honest server; programs are bytecode with their assembly beside. */
#ifndef TESTS_CALL_SET_H
#define TESTS_CALL_SET_H

#include <check.h>
#include <stdlib.h>

#include "tests/unit/world.h"

#define SLOAD_ARG "6000355460005260206000f3"     /* return sload(calldata[0]) */
#define SLOAD_CHAIN "600054545460005260206000f3" /* return sload(sload(sload(0))) */
/* x = sload(0); return sload(x ? x : 9): a guess of zero reads slot 9 */
#define SLOAD_CHAIN_OR_9 "5f54806009575060095b545f5260205ff3"
#define SLOAD_WIDE "6000546001546002546003540101015f5260205ff3" /* return sload(0) + sload(1) + sload(2) + sload(3) */
#define SPIN_WHILE_ZERO "5b600054156000576001545f5260205ff3"    /* while (!sload(0)); return sload(1) */
#define CALL_SLOT_0 "60205f5f5f6000545afa5060205ff3"            /* staticcall(sload(0)), return its word */
#define RETURN_42 "602a5f5260205ff3"
#define BASE_FEE "485f5260205ff3"
#define GAS_PRICE "3a5f5260205ff3"
#define GAS_LEFT "5a5f5260205ff3"
#define SELF_BALANCE_OF_CALLER "33315f5260205ff3"
#define BLOCK_HASH_ARG "5f35405f5260205ff3"
#define BLOCK_HASH_ARG_500 "5f356101f401405f5260205ff3" /* blockhash(calldata[0] + 500) */
#define FOREVER "5b5f56"
#define REVERT_WORD "602a5f5260205ffd"

static const evm_schedule_row_t cancun_row = { 0, { EVM_CANCUN, 3, 6, 3338477, NULL } };
static const evm_schedule_row_t prague_row = { 0, { EVM_PRAGUE, 6, 9, 5007716, NULL } };
static const evm_chain_t CANCUN = { 1, &cancun_row, 1 }, PRAGUE = { 1, &prague_row, 1 };

/* One test's surroundings. */
typedef struct {
    world_t w;
    ex_block_t block;
    ex_request_t request;
    ex_call_config_t config;
    bool (*expired)(void *ctx);
    void *expired_ctx;
    query_t *call;
    err_t e;                  /* of the last failure */
    ex_header_t headers[300]; /* ancestors: [0] is the parent */
    bool hint;                /* the server knows eth_createAccessList */
    evm_access_t hints[4];
    size_t hint_count;
    size_t asked[4]; /* needs by kind */
    size_t proven_slots;
    uint8_t word[32]; /* calldata */
} set_t;

static addr_t A, B, C, FROM;

static inline void begin(set_t *s, const char *code)
{
    memset(s, 0, sizeof *s);
    world_init(&s->w);
    A = world_addr(0xa000);
    B = world_addr(0xb000);
    C = world_addr(0xc000);
    FROM = world_addr(0xf000);
    world_add(&s->w, A, code);
    world_add(&s->w, FROM, "");
    s->request = (ex_request_t){ .has_to = true, .to = A, .from = FROM };
    s->block.env = (evm_block_t){
        .number = 1000, .timestamp = 5000, .gas_limit = 30000000, .base_fee = u256_of(7), .chain_id = 1
    };
    s->config = (ex_call_config_t){ .chain = &PRAGUE, .block = &s->block, .request = &s->request };
}

static inline void end(set_t *s)
{
    query_free(s->call);
    world_clear(&s->w);
}

static inline ex_cache_t *cache_new(void)
{
    ex_cache_config_t config = { .bytes_max = 16 << 20, .seed = { 1, 2 } };
    return ex_cache_new(&config);
}

/* Answers to need i; a text is in s->e. */
static inline rc_t give_hint(set_t *s, size_t i, const evm_access_t *list, size_t count)
{
    return query_give(s->call, &s->e, i, &(answer_t){ .kind = NEED_HINT, .hint = list, .hint_count = count });
}

static inline rc_t give_proof(set_t *s, size_t i, const ex_proof_answer_t *proof)
{
    return query_give(s->call, &s->e, i, &(answer_t){ .kind = NEED_PROOF, .proof = *proof });
}

static inline rc_t give_code(set_t *s, size_t i, view_t code)
{
    return query_give(s->call, &s->e, i, &(answer_t){ .kind = NEED_CODE, .code = code });
}

static inline rc_t give_header(set_t *s, size_t i, const ex_header_t *header)
{
    return query_give(s->call, &s->e, i, &(answer_t){ .kind = NEED_HEADER, .header = *header });
}

/* Answers need i honestly. */
static inline rc_t answer(set_t *s, const need_t *need, size_t i)
{
    s->asked[need->kind]++;
    if (need->kind == NEED_HINT)
        return give_hint(s, i, s->hints, s->hint ? s->hint_count : 0);
    if (need->kind == NEED_CODE)
        return give_code(s, i, world_code(&s->w, &need->addr));
    if (need->kind == NEED_HEADER)
        return give_header(s, i, &s->headers[s->block.env.number - 1 - need->number]);
    s->proven_slots += need->slot_count;
    arena_mark_t mark = arena_mark(&s->w.arena);
    ex_proof_answer_t p = world_proof(&s->w, &need->addr, need->slots, need->slot_count);
    rc_t rc = give_proof(s, i, &p);
    arena_rollback(&s->w.arena, mark);
    ck_assert_msg(rc == RC_OK, "an honest proof was refused: %s", s->e.text);
    return rc;
}

/* Starts a call at the present state of the world. */
static inline void start(set_t *s)
{
    query_free(s->call);
    memset(s->asked, 0, sizeof s->asked);
    s->proven_slots = 0;
    s->block.state_root = world_root(&s->w);
    s->call = NULL;
    ck_assert_int_eq(ex_call_new(&s->call, &s->e, &s->config), RC_OK);
    query_limit(s->call, s->expired, s->expired_ctx);
}

/* Answers all needs of one step in order. */
static inline void answer_all(set_t *s)
{
    const need_t *needs;
    size_t n = query_needs(s->call, &needs);
    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(answer(s, &needs[i], i), RC_OK);
}

/* Runs a call to its end with honest answers. */
static inline rc_t run(set_t *s)
{
    rc_t rc;
    start(s);
    while ((rc = query_step(s->call, &s->e)) == RC_NEED_DATA)
        answer_all(s);
    return rc;
}

static inline uint64_t result_word(const set_t *s)
{
    const evm_result_t *r = ex_call_result(s->call);
    ck_assert_ptr_nonnull(r);
    ck_assert_uint_eq(r->output.n, 32);
    u256_t x = u256_from_be32(r->output.p);
    ck_assert(u256_fits_u64(&x));
    return x.w[0];
}

/* Runs and checks the word that comes back and the number of rounds. */
static inline void expect(set_t *s, uint64_t word, unsigned rounds)
{
    rc_t rc = run(s);
    ck_assert_msg(rc == RC_OK, "%s: %s", rc_name(rc), s->e.text);
    ck_assert_int_eq(ex_call_result(s->call)->status, EVM_SUCCESS);
    ck_assert_uint_eq(result_word(s), word);
    ck_assert_uint_eq(ex_call_rounds(s->call), rounds);
}

static inline void expect_failure(set_t *s, rc_t want, const char *text)
{
    ck_assert_int_eq(run(s), want);
    ck_assert_int_eq(s->e.rc, want);
    ck_assert_msg(strstr(s->e.text, text) != NULL, "got: %s", s->e.text);
    ck_assert_ptr_null(ex_call_result(s->call));
}

static inline void argument(set_t *s, uint64_t x)
{
    store_u64be(s->word + 24, x);
    s->request.data = view_of(s->word, 32);
}

static inline void chain_world(set_t *s)
{
    begin(s, SLOAD_CHAIN);
    world_set(&s->w.accounts[0], 0, u256_of(5));
    world_set(&s->w.accounts[0], 5, u256_of(9));
    world_set(&s->w.accounts[0], 9, u256_of(1234));
}

#endif
