/* The call machine against an honest server, a lying one, and a partial one. Programs are given as bytecode with their
 * assembly beside. */
#include <check.h>
#include <stdlib.h>

#include "tests/unit/world.h"

#define SLOAD_ARG "6000355460005260206000f3"                    /* return sload(calldata[0]) */
#define SLOAD_CHAIN "600054545460005260206000f3"                /* return sload(sload(sload(0))) */
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

static const evm_schedule_row_t cancun_row = { 0, { EVM_CANCUN, 3, 6, 3338477 } };
static const evm_schedule_row_t prague_row = { 0, { EVM_PRAGUE, 6, 9, 5007716 } };
static const evm_chain_t CANCUN = { 1, &cancun_row, 1 }, PRAGUE = { 1, &prague_row, 1 };

/* One test's surroundings. */
typedef struct {
    world_t w;
    ex_block_t block;
    ex_request_t request;
    ex_call_config_t config;
    ex_call_t *call;
    ex_header_t headers[300]; /* ancestors: [0] is the parent */
    bool hint;                /* the server knows eth_createAccessList */
    evm_access_t hints[4];
    size_t hint_count;
    size_t asked[4]; /* needs by kind */
    size_t proven_slots;
    uint8_t word[32]; /* calldata */
} set_t;

static addr_t A, B, C, FROM;

static void begin(set_t *s, const char *code)
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

static void end(set_t *s)
{
    ex_call_free(s->call);
    world_clear(&s->w);
}

static ex_cache_t *cache_new(void)
{
    ex_cache_config_t config = { .bytes_max = 16 << 20, .seed = { 1, 2 } };
    return ex_cache_new(&config);
}

/* Answers need i honestly. */
static rc_t answer(set_t *s, const ex_need_t *need, size_t i)
{
    const char *why = NULL;
    s->asked[need->kind]++;
    if (need->kind == EX_NEED_HINT)
        return ex_call_give_hint(s->call, i, s->hints, s->hint ? s->hint_count : 0);
    if (need->kind == EX_NEED_CODE)
        return ex_call_give_code(s->call, i, world_code(&s->w, &need->addr), &why);
    if (need->kind == EX_NEED_HEADER)
        return ex_call_give_header(s->call, i, &s->headers[s->block.env.number - 1 - need->number], &why);
    s->proven_slots += need->slot_count;
    arena_mark_t mark = arena_mark(&s->w.arena);
    ex_proof_answer_t p = world_proof(&s->w, &need->addr, need->slots, need->slot_count);
    rc_t rc = ex_call_give_proof(s->call, i, &p, &why);
    arena_rollback(&s->w.arena, mark);
    ck_assert_msg(rc == RC_OK, "an honest proof was refused: %s", why);
    return rc;
}

/* Starts a call at the present state of the world. */
static void start(set_t *s)
{
    ex_call_free(s->call);
    memset(s->asked, 0, sizeof s->asked);
    s->proven_slots = 0;
    s->block.state_root = world_root(&s->w);
    s->call = ex_call_new(&s->config);
    ck_assert_ptr_nonnull(s->call);
}

/* Answers all needs of one step in order. */
static void answer_all(set_t *s)
{
    const ex_need_t *needs;
    size_t n = ex_call_needs(s->call, &needs);
    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(answer(s, &needs[i], i), RC_OK);
}

/* Runs a call to its end with honest answers. */
static rc_t run(set_t *s, const char **why)
{
    rc_t rc;
    start(s);
    while ((rc = ex_call_step(s->call, why)) == RC_NEED_DATA)
        answer_all(s);
    return rc;
}

static uint64_t result_word(const set_t *s)
{
    const evm_result_t *r = ex_call_result(s->call);
    ck_assert_ptr_nonnull(r);
    ck_assert_uint_eq(r->output.n, 32);
    u256_t x = u256_from_be32(r->output.p);
    ck_assert(u256_fits_u64(&x));
    return x.w[0];
}

/* Runs and checks the word that comes back and the number of rounds. */
static void expect(set_t *s, uint64_t word, unsigned rounds)
{
    const char *why = NULL;
    rc_t rc = run(s, &why);
    ck_assert_msg(rc == RC_OK, "%s: %s", rc_name(rc), why ? why : "");
    ck_assert_int_eq(ex_call_result(s->call)->status, EVM_SUCCESS);
    ck_assert_uint_eq(result_word(s), word);
    ck_assert_uint_eq(ex_call_rounds(s->call), rounds);
}

static void expect_failure(set_t *s, rc_t want, const char *text)
{
    const char *why = NULL;
    ck_assert_int_eq(run(s, &why), want);
    ck_assert_ptr_nonnull(why);
    ck_assert_msg(strstr(why, text) != NULL, "got: %s", why);
    ck_assert_ptr_null(ex_call_result(s->call));
}

static void argument(set_t *s, uint64_t x)
{
    store_u64be(s->word + 24, x);
    s->request.data = view_of(s->word, 32);
}

/* ---- rounds ---- */

static void chain_world(set_t *s)
{
    begin(s, SLOAD_CHAIN);
    world_set(&s->w.accounts[0], 0, u256_of(5));
    world_set(&s->w.accounts[0], 5, u256_of(9));
    world_set(&s->w.accounts[0], 9, u256_of(1234));
}

START_TEST(first_call_takes_two_rounds_with_a_complete_hint)
{
    set_t s;
    chain_world(&s);
    hash32_t keys[3] = { world_key(0), world_key(5), world_key(9) };
    s.hints[0] = (evm_access_t){ A, keys, 3 };
    s.hint_count = 1;
    s.hint = s.config.use_hint = true;
    expect(&s, 1234, 2);
    ck_assert_uint_eq(s.asked[EX_NEED_HINT], 1);
    ck_assert_uint_eq(s.asked[EX_NEED_CODE], 1);
    ck_assert_uint_eq(s.asked[EX_NEED_PROOF], 3); /* receiver and sender, then the receiver's slots */
    ck_assert_uint_eq(s.proven_slots, 3);
    end(&s);
}
END_TEST

START_TEST(without_hint_rounds_are_the_depth_of_dependencies)
{
    set_t s;
    chain_world(&s);
    expect(&s, 1234, 4); /* accounts and code, then one round for each step of the chain */
    end(&s);
    begin(&s, SLOAD_WIDE);
    for (unsigned i = 0; i < 4; i++)
        world_set(&s.w.accounts[0], i, u256_of(10 + i));
    expect(&s, 46, 2); /* four slots that do not depend on each other */
    end(&s);
}
END_TEST

START_TEST(refused_hint_loses_no_round)
{
    set_t s;
    chain_world(&s);
    s.config.use_hint = true;
    expect(&s, 1234, 4);
    end(&s);
}
END_TEST

START_TEST(same_block_again_needs_no_round)
{
    set_t s;
    chain_world(&s);
    s.config.cache = cache_new();
    s.config.use_hint = true;
    expect(&s, 1234, 4);
    expect(&s, 1234, 0);
    ex_cache_free(s.config.cache);
    end(&s);
}
END_TEST

START_TEST(learned_call_in_a_new_block_takes_one_round_and_no_code)
{
    set_t s;
    chain_world(&s);
    s.config.cache = cache_new();
    s.config.use_hint = true;
    expect(&s, 1234, 4);
    s.w.accounts[1].balance = u256_of(77); /* another state root */
    expect(&s, 1234, 1);
    ck_assert_uint_eq(s.asked[EX_NEED_HINT], 0);
    ck_assert_uint_eq(s.asked[EX_NEED_CODE], 0);
    world_set(&s.w.accounts[0], 9, u256_of(4321)); /* another storage root too */
    expect(&s, 4321, 1);
    ck_assert_uint_eq(s.asked[EX_NEED_CODE], 0);
    ex_cache_free(s.config.cache);
    end(&s);
}
END_TEST

START_TEST(slots_of_an_unchanged_storage_serve_a_later_block)
{
    set_t s;
    chain_world(&s);
    s.config.cache = cache_new();
    expect(&s, 1234, 4);
    s.w.accounts[1].balance = u256_of(77);
    start(&s);
    const char *why;
    const ex_need_t *needs;
    ck_assert_int_eq(ex_call_step(s.call, &why), RC_NEED_DATA);
    size_t n = ex_call_needs(s.call, &needs);
    for (size_t i = 0; i < n; i++) { /* answer as if another call had proven the accounts alone */
        ex_cache_t *c = s.config.cache;
        ex_proof_answer_t p = world_proof(&s.w, &needs[i].addr, NULL, 0);
        mpt_account_t account = { true, p.nonce, p.balance, p.storage_hash, p.code_hash };
        ex_cache_put_account(c, &s.block.state_root, &needs[i].addr, &account);
    }
    expect(&s, 1234, 0);
    ex_cache_free(s.config.cache);
    end(&s);
}
END_TEST

START_TEST(other_argument_in_a_new_block_takes_one_round)
{
    set_t s;
    begin(&s, SLOAD_ARG);
    world_set(&s.w.accounts[0], 3, u256_of(33));
    world_set(&s.w.accounts[0], 4, u256_of(44));
    s.config.cache = cache_new();
    argument(&s, 3);
    expect(&s, 33, 2);
    s.w.accounts[1].balance = u256_of(77);
    argument(&s, 4);
    expect(&s, 44, 1); /* the code is known, and the run on guesses finds the slot */
    ex_cache_free(s.config.cache);
    end(&s);
}
END_TEST

START_TEST(learned_chain_that_has_moved_is_still_answered_right)
{
    set_t s;
    chain_world(&s);
    s.config.cache = cache_new();
    expect(&s, 1234, 4);
    world_set(&s.w.accounts[0], 5, u256_of(10));
    world_set(&s.w.accounts[0], 10, u256_of(99));
    expect(&s, 99, 2);
    ex_cache_free(s.config.cache);
    end(&s);
}
END_TEST

START_TEST(replaced_code_is_asked_for_and_run)
{
    set_t s;
    begin(&s, RETURN_42);
    s.config.cache = cache_new();
    expect(&s, 42, 1);
    size_t n;
    ck_assert_int_eq(hex_decode(s.w.accounts[0].code, &n, 256, "60075f5260205ff3", 16), RC_OK);
    expect(&s, 7, 2);
    ex_cache_free(s.config.cache);
    end(&s);
}
END_TEST

/* Another thread, which proves account A just before this call takes the cache's lock for the n-th time. */
typedef struct {
    ex_cache_t *cache;
    hash32_t root;
    mpt_account_t account;
    unsigned locks, at;
    bool inside;
} rival_t;

static void rival_lock(void *ctx)
{
    rival_t *r = ctx;
    if (r->inside || r->locks++ != r->at)
        return;
    r->inside = true;
    ex_cache_put_account(r->cache, &r->root, &A, &r->account);
    r->inside = false;
}

START_TEST(needs_are_whole_whenever_another_thread_fills_the_cache)
{
    for (unsigned at = 0; at < 60; at++) {
        set_t s;
        rival_t rival = { .at = UINT32_MAX };
        const ex_need_t *needs;
        const char *why;
        begin(&s, SLOAD_ARG);
        s.request.data = view_of(s.word, 32);
        world_set(&s.w.accounts[0], 0, u256_of(5));
        ex_cache_config_t config = { .bytes_max = 16 << 20, .seed = { 1, 2 }, .lock_ctx = &rival, .lock = rival_lock };
        s.config.cache = rival.cache = ex_cache_new(&config);
        expect(&s, 5, 2);
        size_t n;
        ck_assert_int_eq(hex_decode(s.w.accounts[0].code, &n, 256, "60003554600101" "5f5260205ff3", 26), RC_OK); /* one more */
        s.w.accounts[0].code_len = n;
        world_set(&s.w.accounts[0], 0, u256_of(6));
        start(&s);
        ex_proof_answer_t p = world_proof(&s.w, &A, NULL, 0);
        rival.account = (mpt_account_t){ true, p.nonce, p.balance, p.storage_hash, p.code_hash };
        rival.root = s.block.state_root;
        rival.locks = 0;
        rival.at = at;
        ck_assert_int_eq(ex_call_step(s.call, &why), RC_NEED_DATA);
        n = ex_call_needs(s.call, &needs);
        for (size_t i = 0; i < n; i++)
            for (size_t k = 0; k < needs[i].slot_count; k++)
                ck_assert_msg(hash32_is_zero(&needs[i].slots[k]), "need %zu of %zu, lock %u", i, n, at);
        answer_all(&s);
        rc_t rc;
        while ((rc = ex_call_step(s.call, &why)) == RC_NEED_DATA)
            answer_all(&s);
        ck_assert_int_eq(rc, RC_OK);
        ck_assert_uint_eq(result_word(&s), 7);
        ex_cache_free(s.config.cache);
        end(&s);
    }
}
END_TEST

START_TEST(called_contract_comes_with_its_code_in_one_round)
{
    set_t s;
    begin(&s, CALL_SLOT_0);
    world_add(&s.w, B, RETURN_42);
    world_set(&s.w.accounts[0], 0, u256_from_be(view_of(B.b, 20)));
    expect(&s, 42, 3); /* A; its slot; B with its code */
    end(&s);
}
END_TEST

START_TEST(delegation_is_followed)
{
    set_t s;
    char code[64] = "ef0100";
    begin(&s, "");
    world_add(&s.w, B, RETURN_42);
    hex_encode(code + 6, view_of(B.b, 20));
    ck_assert_int_eq(hex_decode(s.w.accounts[0].code, &s.w.accounts[0].code_len, 256, code, strlen(code)), RC_OK);
    expect(&s, 42, 2);
    end(&s);
}
END_TEST

/* ---- guesses ---- */

START_TEST(guess_cannot_loop_forever)
{
    set_t s;
    begin(&s, SPIN_WHILE_ZERO);
    world_set(&s.w.accounts[0], 0, u256_of(1));
    world_set(&s.w.accounts[0], 1, u256_of(8));
    s.config.gas_cap = UINT64_MAX;
    expect(&s, 8, 3);
    end(&s);
}
END_TEST

START_TEST(missing_slot_is_never_zero)
{
    set_t s;
    const char *why;
    begin(&s, SLOAD_ARG);
    argument(&s, 3);
    world_set(&s.w.accounts[0], 3, u256_of(33));
    start(&s);
    for (int i = 0; i < 5; i++) { /* accounts and code are given, the slot never */
        const ex_need_t *needs;
        ck_assert_int_eq(ex_call_step(s.call, &why), RC_NEED_DATA);
        ck_assert_ptr_null(ex_call_result(s.call));
        size_t n = ex_call_needs(s.call, &needs);
        ck_assert_uint_gt(n, 0);
        for (size_t k = 0; k < n; k++)
            if (needs[k].kind != EX_NEED_PROOF || needs[k].slot_count == 0)
                ck_assert_int_eq(answer(&s, &needs[k], k), RC_OK);
    }
    ck_assert_int_eq(ex_call_step(s.call, &why), RC_NEED_DATA);
    answer_all(&s);
    ck_assert_int_eq(ex_call_step(s.call, &why), RC_OK);
    ck_assert_uint_eq(result_word(&s), 33);
    end(&s);
}
END_TEST

START_TEST(proven_zero_is_an_answer)
{
    set_t s;
    begin(&s, SLOAD_ARG);
    argument(&s, 3);
    world_set(&s.w.accounts[0], 4, u256_of(1));
    expect(&s, 0, 2);
    end(&s);
    begin(&s, SLOAD_ARG); /* an empty trie needs no proof of its slots */
    argument(&s, 3);
    expect(&s, 0, 1);
    end(&s);
}
END_TEST

START_TEST(false_hint_changes_nothing_but_the_cost)
{
    set_t s;
    chain_world(&s);
    hash32_t keys[2] = { world_key(700), world_key(5) };
    s.hints[0] = (evm_access_t){ C, keys, 2 };
    s.hints[1] = (evm_access_t){ A, keys, 2 };
    s.hint_count = 2;
    s.hint = s.config.use_hint = true;
    expect(&s, 1234, 3); /* slot 5 came with slot 0: one round less than without */
    end(&s);
}
END_TEST

START_TEST(huge_hint_is_cut)
{
    set_t s;
    static hash32_t keys[EX_HINT_KEYS_MAX * 2];
    chain_world(&s);
    for (unsigned i = 0; i < EX_HINT_KEYS_MAX * 2; i++)
        keys[i] = world_key(100000 + i);
    s.hints[0] = (evm_access_t){ A, keys, EX_HINT_KEYS_MAX * 2 };
    s.hint_count = 1;
    s.hint = s.config.use_hint = true;
    expect(&s, 1234, 4);
    ck_assert_uint_le(s.proven_slots, EX_HINT_KEYS_MAX + 3);
    end(&s);
}
END_TEST

START_TEST(call_that_reads_too_much_ends)
{
    set_t s;
    begin(&s, "5f5b8054506001018060015700"); /* i = 0; do sload(i++) while (i): ends by gas or by EX_KEYS_MAX */
    world_set(&s.w.accounts[0], 0, u256_of(1));
    s.config.gas_cap = UINT64_MAX;
    expect_failure(&s, RC_LIMIT, "more state");
    end(&s);
}
END_TEST

START_TEST(call_with_too_many_rounds_ends)
{
    set_t s;
    begin(&s, "5f5b54806001575f5ffd"); /* x = 0; do x = sload(x) while (x) */
    for (unsigned i = 0; i < 75; i++)
        world_set(&s.w.accounts[0], i, u256_of(i + 1));
    expect_failure(&s, RC_LIMIT, "rounds");
    end(&s);
}
END_TEST

static bool always(void *ctx)
{
    (void)ctx;
    return true;
}

START_TEST(deadline_ends_a_call)
{
    set_t s;
    begin(&s, FOREVER);
    s.config.expired = always;
    expect_failure(&s, RC_TIMEOUT, "deadline");
    end(&s);
}
END_TEST

/* ---- false answers ---- */

enum { SLOTS = 2, LIES = 16 };

/* Applies lie number x to an honest answer about A with two slots. */
static void lie(ex_proof_answer_t *p, int x, world_t *w)
{
    static view_t nodes[8];
    static uint8_t node[600];
    memcpy(nodes, p->account_proof.nodes, p->account_proof.count * sizeof *nodes);
    switch (x) {
    case 0:
        p->address.b[7] ^= 1;
        break;
    case 1:
        p->nonce++;
        break;
    case 2:
        p->balance.w[0]++;
        break;
    case 3:
        p->balance.w[3] = 1;
        break;
    case 4:
        p->code_hash.b[31] ^= 1;
        break;
    case 5:
        p->storage_hash.b[0] ^= 1;
        break;
    case 6:
        p->slot_count--;
        break;
    case 7:
        p->slots[0].key.w[0] ^= 1;
        break;
    case 8:
        p->slots[1].value.w[0]++;
        break;
    case 9:
        p->slots[1].value = u256_of(0);
        break;
    case 10:
        p->account_proof.count--;
        break;
    case 11:
        p->slots[0].proof.count--;
        break;
    case 12: { /* another key's proof under the right name */
        ex_slot_answer_t t = p->slots[0];
        p->slots[0].proof = p->slots[1].proof;
        p->slots[1].proof = t.proof;
        break;
    }
    case 13: /* one bit of the last node */
        memcpy(node, nodes[p->account_proof.count - 1].p, nodes[p->account_proof.count - 1].n);
        node[40] ^= 4;
        nodes[p->account_proof.count - 1].p = node;
        p->account_proof.nodes = nodes;
        break;
    case 14: /* a node too many */
        nodes[p->account_proof.count] = nodes[0];
        p->account_proof.nodes = nodes;
        p->account_proof.count++;
        break;
    case 15: { /* another account, renamed */
        hash32_t keys[SLOTS] = { world_key(0), world_key(5) };
        ex_proof_answer_t other = world_proof(w, &B, keys, SLOTS);
        other.address = p->address;
        *p = other;
        break;
    }
    }
}

START_TEST(every_false_field_is_refused_and_the_honest_answer_still_taken)
{
    set_t s;
    const char *why;
    const ex_need_t *needs;
    chain_world(&s);
    world_add(&s.w, B, SLOAD_CHAIN);
    world_set(&s.w.accounts[2], 0, u256_of(5));
    world_set(&s.w.accounts[2], 5, u256_of(8));
    hash32_t keys[SLOTS] = { world_key(0), world_key(5) };
    s.hints[0] = (evm_access_t){ A, keys, SLOTS };
    s.hint_count = 1;
    s.hint = s.config.use_hint = true;
    start(&s);
    ck_assert_int_eq(ex_call_step(s.call, &why), RC_NEED_DATA);
    answer_all(&s);
    ck_assert_int_eq(ex_call_step(s.call, &why), RC_NEED_DATA);
    ck_assert_uint_eq(ex_call_needs(s.call, &needs), 1);
    ck_assert_int_eq(needs[0].kind, EX_NEED_PROOF);
    ck_assert_uint_eq(needs[0].slot_count, SLOTS);
    for (int x = 0; x < LIES; x++) {
        ex_proof_answer_t p = world_proof(&s.w, &A, needs[0].slots, SLOTS);
        ck_assert(hash32_eq(&needs[0].slots[0], &keys[0]) && hash32_eq(&needs[0].slots[1], &keys[1]));
        lie(&p, x, &s.w);
        rc_t rc = ex_call_give_proof(s.call, 0, &p, &why);
        ck_assert_msg(rc_blames_input(rc), "lie %d gave %s", x, rc_name(rc));
        ck_assert_ptr_nonnull(why);
    }
    answer_all(&s);
    ck_assert_int_eq(ex_call_step(s.call, &why), RC_NEED_DATA);
    answer_all(&s);
    ck_assert_int_eq(ex_call_step(s.call, &why), RC_OK);
    ck_assert_uint_eq(result_word(&s), 1234);
    end(&s);
}
END_TEST

START_TEST(proof_under_an_older_root_is_refused)
{
    set_t s;
    const char *why;
    const ex_need_t *needs;
    begin(&s, RETURN_42);
    ex_proof_answer_t old = world_proof(&s.w, &A, NULL, 0);
    s.w.accounts[1].balance = u256_of(5);
    start(&s);
    ck_assert_int_eq(ex_call_step(s.call, &why), RC_NEED_DATA);
    size_t n = ex_call_needs(s.call, &needs);
    for (size_t i = 0; i < n; i++)
        if (needs[i].kind == EX_NEED_PROOF && addr_eq(&needs[i].addr, &A))
            ck_assert_int_eq(ex_call_give_proof(s.call, i, &old, &why), RC_REFUSED);
    answer_all(&s);
    ck_assert_int_eq(ex_call_step(s.call, &why), RC_OK);
    end(&s);
}
END_TEST

/* Index of the first need of a kind for an address. */
static size_t need_for(const set_t *s, ex_need_kind_t kind, const addr_t *addr)
{
    const ex_need_t *needs;
    size_t n = ex_call_needs(s->call, &needs);
    for (size_t i = 0; i < n; i++)
        if (needs[i].kind == kind && addr_eq(&needs[i].addr, addr))
            return i;
    ck_abort_msg("no such need");
    return 0;
}

START_TEST(code_that_is_not_the_proven_one_is_refused)
{
    set_t s;
    const char *why;
    static const uint8_t other[] = { 0x60, 0x07, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3 };
    begin(&s, RETURN_42);
    start(&s);
    ck_assert_int_eq(ex_call_step(s.call, &why), RC_NEED_DATA);
    const ex_need_t *needs;
    ex_call_needs(s.call, &needs);
    size_t proof = need_for(&s, EX_NEED_PROOF, &A), code = need_for(&s, EX_NEED_CODE, &A);
    ck_assert_int_eq(answer(&s, &needs[proof], proof), RC_OK);
    ck_assert_int_eq(ex_call_give_code(s.call, code, view_of(other, sizeof other), &why), RC_REFUSED);
    ck_assert_int_eq(ex_call_give_code(s.call, code, view_of(NULL, 0), &why), RC_REFUSED);
    answer_all(&s);
    ck_assert_int_eq(ex_call_step(s.call, &why), RC_OK);
    ck_assert_uint_eq(result_word(&s), 42);
    end(&s);
}
END_TEST

START_TEST(code_that_came_before_its_proof_is_not_run_unless_it_is_the_proven_one)
{
    set_t s;
    const char *why;
    static const uint8_t other[] = { 0x60, 0x07, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3 };
    begin(&s, RETURN_42);
    s.config.cache = cache_new();
    start(&s);
    ck_assert_int_eq(ex_call_step(s.call, &why), RC_NEED_DATA);
    const ex_need_t *needs;
    size_t n = ex_call_needs(s.call, &needs), code = need_for(&s, EX_NEED_CODE, &A);
    ck_assert_int_eq(ex_call_give_code(s.call, code, view_of(other, sizeof other), &why), RC_OK);
    for (size_t i = 0; i < n; i++)
        if (i != code)
            ck_assert_int_eq(answer(&s, &needs[i], i), RC_OK);
    ck_assert_int_eq(ex_call_step(s.call, &why), RC_NEED_DATA);
    ck_assert_uint_eq(ex_call_needs(s.call, &needs), 1);
    ck_assert_int_eq(needs[0].kind, EX_NEED_CODE);
    ck_assert_int_eq(ex_call_give_code(s.call, 0, view_of(other, sizeof other), &why), RC_REFUSED);
    answer_all(&s);
    ck_assert_int_eq(ex_call_step(s.call, &why), RC_OK);
    ck_assert_uint_eq(result_word(&s), 42);
    hash32_t h;
    view_t found;
    keccak256(&h, view_of(other, sizeof other));
    ck_assert(!ex_cache_get_code(s.config.cache, &found, &s.w.arena, &h)); /* code of nobody fills no cache */
    ex_cache_free(s.config.cache);
    end(&s);
}
END_TEST

START_TEST(account_without_code_must_have_empty_code)
{
    set_t s;
    const char *why;
    begin(&s, "");
    start(&s);
    ck_assert_int_eq(ex_call_step(s.call, &why), RC_NEED_DATA);
    const ex_need_t *needs;
    ex_call_needs(s.call, &needs);
    size_t proof = need_for(&s, EX_NEED_PROOF, &A), code = need_for(&s, EX_NEED_CODE, &A);
    ck_assert_int_eq(answer(&s, &needs[proof], proof), RC_OK);
    ck_assert_int_eq(ex_call_give_code(s.call, code, view_str("x"), &why), RC_REFUSED);
    ck_assert_int_eq(ex_call_give_code(s.call, code, view_of(NULL, 0), &why), RC_OK);
    end(&s);
}
END_TEST

START_TEST(code_longer_than_any_contract_is_refused)
{
    set_t s;
    const char *why;
    static const uint8_t big[EX_CODE_MAX + 1];
    begin(&s, RETURN_42);
    start(&s);
    ck_assert_int_eq(ex_call_step(s.call, &why), RC_NEED_DATA);
    size_t code = need_for(&s, EX_NEED_CODE, &A);
    ck_assert_int_eq(ex_call_give_code(s.call, code, view_of(big, sizeof big), &why), RC_LIMIT);
    end(&s);
}
END_TEST

START_TEST(absent_account_may_be_claimed_with_zero_or_empty_hashes)
{
    set_t s;
    const char *why;
    begin(&s, "");
    s.request.to = C;
    start(&s);
    ck_assert_int_eq(ex_call_step(s.call, &why), RC_NEED_DATA);
    size_t at = need_for(&s, EX_NEED_PROOF, &C);
    ex_proof_answer_t p = world_proof(&s.w, &C, NULL, 0);
    ck_assert(hash32_eq(&p.code_hash, &KECCAK_EMPTY));
    ck_assert_int_eq(ex_call_give_proof(s.call, at, &p, &why), RC_OK);
    memset(&p.code_hash, 0, 32);
    memset(&p.storage_hash, 0, 32);
    ck_assert_int_eq(ex_call_give_proof(s.call, at, &p, &why), RC_OK);
    p.storage_hash.b[3] = 1;
    ck_assert_int_eq(ex_call_give_proof(s.call, at, &p, &why), RC_REFUSED);
    p.storage_hash.b[3] = 0;
    p.balance = u256_of(1);
    ck_assert_int_eq(ex_call_give_proof(s.call, at, &p, &why), RC_REFUSED);
    end(&s);
}
END_TEST

START_TEST(slots_of_an_absent_account_may_be_left_out_but_those_of_an_existing_one_not)
{
    world_t w;
    const char *why;
    mpt_account_t account;
    hash32_t keys[2] = { world_key(1), world_key(2) };
    u256_t values[2] = { u256_of(5), u256_of(5) };
    world_init(&w);
    addr_t here = world_addr(1), nowhere = world_addr(2);
    world_set(world_add(&w, here, ""), 1, u256_of(9));
    hash32_t root = world_root(&w);
    ex_proof_answer_t p = world_proof(&w, &nowhere, keys, 2);
    ck_assert_int_eq(ex_proof_verify(&account, values, &why, &root, &nowhere, keys, 2, &p), RC_OK);
    ck_assert(!account.exists && u256_is_zero(&values[0]) && u256_is_zero(&values[1]));
    p.slot_count = 1;
    ck_assert_int_eq(ex_proof_verify(&account, values, &why, &root, &nowhere, keys, 2, &p), RC_REFUSED);
    p.slot_count = 0;
    values[1] = u256_of(5);
    ck_assert_int_eq(ex_proof_verify(&account, values, &why, &root, &nowhere, keys, 2, &p), RC_OK);
    ck_assert(u256_is_zero(&values[1]));
    p = world_proof(&w, &here, keys, 2);
    ck_assert_int_eq(ex_proof_verify(&account, values, &why, &root, &here, keys, 2, &p), RC_OK);
    ck_assert_uint_eq(values[0].w[0], 9);
    p.slot_count = 0;
    ck_assert_int_eq(ex_proof_verify(&account, values, &why, &root, &here, keys, 2, &p), RC_REFUSED);
    ck_assert_uint_eq(values[0].w[0], 9); /* untouched */
    world_clear(&w);
}
END_TEST

START_TEST(existing_account_may_not_be_claimed_with_zero_hashes)
{
    set_t s;
    const char *why;
    begin(&s, "");
    start(&s);
    ck_assert_int_eq(ex_call_step(s.call, &why), RC_NEED_DATA);
    ex_proof_answer_t p = world_proof(&s.w, &A, NULL, 0);
    memset(&p.code_hash, 0, 32);
    ck_assert_int_eq(ex_call_give_proof(s.call, need_for(&s, EX_NEED_PROOF, &A), &p, &why), RC_REFUSED);
    end(&s);
}
END_TEST

START_TEST(answer_to_another_kind_of_need_is_a_bug)
{
    set_t s;
    const char *why;
    begin(&s, RETURN_42);
    start(&s);
    ck_assert_int_eq(ex_call_step(s.call, &why), RC_NEED_DATA);
    ex_proof_answer_t p = world_proof(&s.w, &A, NULL, 0);
    ck_assert_int_eq(ex_call_give_proof(s.call, 99, &p, &why), RC_BUG);
    ck_assert_int_eq(ex_call_give_proof(s.call, need_for(&s, EX_NEED_CODE, &A), &p, &why), RC_BUG);
    ck_assert_int_eq(ex_call_give_code(s.call, need_for(&s, EX_NEED_PROOF, &A), view_str(""), &why), RC_BUG);
    ck_assert_int_eq(ex_call_give_hint(s.call, 0, NULL, 0), RC_BUG);
    end(&s);
}
END_TEST

START_TEST(many_slots_are_split_into_several_needs)
{
    set_t s;
    chain_world(&s);
    static hash32_t keys[EX_NEED_SLOTS_MAX + 10];
    const char *why;
    const ex_need_t *needs;
    for (unsigned i = 0; i < EX_NEED_SLOTS_MAX + 10; i++)
        keys[i] = world_key(i);
    s.hints[0] = (evm_access_t){ A, keys, EX_NEED_SLOTS_MAX + 10 };
    s.hint_count = 1;
    s.hint = s.config.use_hint = true;
    start(&s);
    ck_assert_int_eq(ex_call_step(s.call, &why), RC_NEED_DATA);
    answer_all(&s);
    ck_assert_int_eq(ex_call_step(s.call, &why), RC_NEED_DATA);
    ck_assert_uint_eq(ex_call_needs(s.call, &needs), 2);
    ck_assert_uint_eq(needs[0].slot_count, EX_NEED_SLOTS_MAX);
    ck_assert_uint_eq(needs[1].slot_count, 10);
    answer_all(&s);
    ck_assert_int_eq(ex_call_step(s.call, &why), RC_OK);
    end(&s);
}
END_TEST

/* ---- semantics of the request ---- */

START_TEST(value_must_be_covered_by_the_balance)
{
    set_t s;
    begin(&s, RETURN_42);
    s.request.value = u256_of(1001);
    expect_failure(&s, RC_REFUSED, "insufficient funds for transfer");
    s.request.value = u256_of(1000);
    expect(&s, 42, 1);
    end(&s);
}
END_TEST

START_TEST(gas_below_the_intrinsic_cost_is_refused_without_asking)
{
    set_t s;
    begin(&s, RETURN_42);
    s.request.has_gas = true;
    s.request.gas = 20999;
    expect_failure(&s, RC_REFUSED, "intrinsic gas");
    end(&s);
}
END_TEST

START_TEST(gas_is_the_request_s_up_to_the_cap)
{
    set_t s;
    begin(&s, GAS_LEFT);
    expect(&s, EX_GAS_CAP - 21000 - 2, 1);
    s.request.has_gas = true;
    s.request.gas = 100000;
    expect(&s, 100000 - 21000 - 2, 1);
    s.config.gas_cap = 50000;
    expect(&s, 50000 - 21000 - 2, 1);
    end(&s);
}
END_TEST

START_TEST(base_fee_is_zero_unless_a_price_is_given)
{
    set_t s;
    begin(&s, BASE_FEE);
    s.w.accounts[1].balance = u256_of(UINT64_MAX);
    expect(&s, 0, 1);
    s.config.keep_base_fee = true;
    expect(&s, 7, 1);
    s.config.keep_base_fee = false;
    s.request.has_gas_price = true;
    expect(&s, 0, 1); /* a price of zero */
    s.request.gas_price = u256_of(8);
    expect(&s, 7, 1);
    end(&s);
}
END_TEST

START_TEST(gas_price_is_the_effective_one)
{
    set_t s;
    begin(&s, GAS_PRICE);
    s.w.accounts[1].balance = u256_of(UINT64_MAX);
    expect(&s, 0, 1);
    s.request.has_gas_price = true;
    s.request.gas_price = u256_of(20);
    expect(&s, 20, 1);
    s.request.dynamic_fee = true;
    s.request.max_priority_fee = u256_of(2);
    expect(&s, 9, 1);
    s.request.max_priority_fee = u256_of(19);
    expect(&s, 20, 1);
    s.request.max_priority_fee = u256_of(21);
    expect_failure(&s, RC_REFUSED, "priority fee");
    end(&s);
}
END_TEST

START_TEST(priced_call_is_paid_for_by_the_sender)
{
    set_t s;
    begin(&s, SELF_BALANCE_OF_CALLER);
    s.request.has_gas = s.request.has_gas_price = true;
    s.request.gas = 50000;
    s.request.gas_price = u256_of(6);
    expect_failure(&s, RC_REFUSED, "less than block base fee");
    s.request.gas_price = u256_of(10);
    s.w.accounts[1].balance = u256_of(499999);
    expect_failure(&s, RC_REFUSED, "insufficient funds for gas * price + value");
    s.w.accounts[1].balance = u256_of(500003);
    expect(&s, 3, 1);
    s.request.value = u256_of(4);
    expect_failure(&s, RC_REFUSED, "insufficient funds for gas * price + value");
    s.request.value = u256_of(0);
    s.request.gas_price = (u256_t){ { 0, 0, 0, UINT64_MAX } };
    expect_failure(&s, RC_REFUSED, "insufficient funds for gas * price + value");
    end(&s);
}
END_TEST

START_TEST(other_chain_is_refused)
{
    set_t s;
    begin(&s, RETURN_42);
    s.request.has_chain_id = true;
    s.request.chain_id = 5;
    expect_failure(&s, RC_REFUSED, "chain id");
    s.request.chain_id = 1;
    expect(&s, 42, 1);
    end(&s);
}
END_TEST

START_TEST(revert_and_creation_are_results)
{
    set_t s;
    const char *why;
    begin(&s, REVERT_WORD);
    ck_assert_int_eq(run(&s, &why), RC_OK);
    ck_assert_int_eq(ex_call_result(s.call)->status, EVM_REVERT);
    ck_assert_uint_eq(result_word(&s), 42);
    static const uint8_t init[] = { 0x60, 0x2a, 0x5f, 0x53, 0x60, 0x01, 0x5f, 0xf3 }; /* deploys the byte 0x2a */
    s.request.has_to = false;
    s.request.data = view_of(init, sizeof init);
    ck_assert_int_eq(run(&s, &why), RC_OK);
    ck_assert_int_eq(ex_call_result(s.call)->status, EVM_SUCCESS);
    ck_assert_uint_eq(ex_call_result(s.call)->output.n, 1);
    end(&s);
}
END_TEST

/* ---- needs that stay unanswered ---- */

static bool names_slot(const ex_need_t *need, uint64_t slot)
{
    hash32_t key = world_key(slot);
    for (size_t i = 0; i < need->slot_count; i++)
        if (hash32_eq(&need->slots[i], &key))
            return true;
    return false;
}

/* Runs against a server that refuses every need that names this slot. */
static rc_t run_without(set_t *s, uint64_t slot)
{
    const char *why;
    const ex_need_t *needs;
    rc_t rc;
    start(s);
    while ((rc = ex_call_step(s->call, &why)) == RC_NEED_DATA) {
        size_t n = ex_call_needs(s->call, &needs);
        for (size_t i = 0; i < n; i++) {
            if (!names_slot(&needs[i], slot))
                ck_assert_int_eq(answer(s, &needs[i], i), RC_OK);
            else if (needs[i].origin == EX_MET)
                return RC_IO;
        }
    }
    return rc;
}

START_TEST(slot_that_only_a_guess_named_may_stay_unanswered_and_takes_no_round)
{
    set_t s;
    begin(&s, SLOAD_CHAIN_OR_9);
    world_set(&s.w.accounts[0], 0, u256_of(5));
    world_set(&s.w.accounts[0], 5, u256_of(1234));
    ck_assert_int_eq(run_without(&s, 9), RC_OK);
    ck_assert_uint_eq(result_word(&s), 1234);
    ck_assert_uint_eq(ex_call_rounds(s.call), 3); /* accounts and code; slot 0 and, by a guess, slot 9; slot 5 */
    ck_assert_int_eq(run_without(&s, 5), RC_IO);
    end(&s);
}
END_TEST

START_TEST(slot_without_an_answer_keeps_no_other_of_a_hint_from_being_answered)
{
    set_t s;
    chain_world(&s);
    hash32_t keys[4] = { world_key(0), world_key(5), world_key(9), world_key(77) };
    s.hints[0] = (evm_access_t){ A, keys, 4 };
    s.hint_count = 1;
    s.hint = s.config.use_hint = true;
    ck_assert_int_eq(run_without(&s, 77), RC_OK);
    ck_assert_uint_eq(result_word(&s), 1234);
    ck_assert_uint_eq(ex_call_rounds(s.call), 3); /* the third asks slot by slot */
    ck_assert_int_eq(run_without(&s, 5), RC_IO);
    end(&s);
}
END_TEST

START_TEST(what_a_run_meets_first_stands_alone)
{
    set_t s;
    const char *why;
    const ex_need_t *needs;
    begin(&s, SLOAD_WIDE);
    for (unsigned i = 0; i < 4; i++)
        world_set(&s.w.accounts[0], i, u256_of(10 + i));
    start(&s);
    ck_assert_int_eq(ex_call_step(s.call, &why), RC_NEED_DATA);
    ck_assert_uint_eq(ex_call_needs(s.call, &needs), 2);
    ck_assert_int_eq(needs[0].origin, EX_MET);
    ck_assert_int_eq(needs[1].kind, EX_NEED_CODE);
    ck_assert_int_eq(needs[1].origin, EX_GUESSED);
    answer_all(&s);
    ck_assert_int_eq(ex_call_step(s.call, &why), RC_NEED_DATA);
    ck_assert_uint_eq(ex_call_needs(s.call, &needs), 2);
    ck_assert_int_eq(needs[0].origin, EX_MET);
    ck_assert_uint_eq(needs[0].slot_count, 1);
    ck_assert_int_eq(needs[1].origin, EX_GUESSED);
    ck_assert_uint_eq(needs[1].slot_count, 3);
    ck_assert_int_eq(answer(&s, &needs[0], 0), RC_OK);
    ck_assert_int_eq(ex_call_step(s.call, &why), RC_NEED_DATA);
    ck_assert_uint_eq(ex_call_needs(s.call, &needs), 3); /* asked for in vain: one by one */
    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(needs[i].slot_count, 1);
        ck_assert_int_eq(needs[i].origin, i ? EX_GUESSED : EX_MET);
    }
    answer_all(&s);
    ck_assert_int_eq(ex_call_step(s.call, &why), RC_OK);
    end(&s);
}
END_TEST

/* ---- block hashes ---- */

static const addr_t HISTORY = { { 0x00, 0x00, 0xf9, 0x08, 0x27, 0xf1, 0xc5, 0x3a, 0x10, 0xcb,
                                  0x7a, 0x02, 0x33, 0x5b, 0x17, 0x53, 0x20, 0x00, 0x29, 0x35 } };

/* A chain of headers below block 1000. */
static void add_headers(set_t *s)
{
    for (size_t at = 300; at-- > 0;) {
        s->headers[at] =
            (ex_header_t){ .number = 999 - at, .gas_limit = 30000000, .timestamp = 4000 + 999 - at, .tail = 1 };
        if (at < 299)
            ex_header_hash(&s->headers[at].parent_hash, &s->headers[at + 1]);
    }
    ex_header_hash(&s->block.parent_hash, &s->headers[0]);
}

/* The request does not name the number itself: that would be foreseen. */
static void ask_for(set_t *s, uint64_t number)
{
    argument(s, number - 500);
}

static void expect_hash(set_t *s, const hash32_t *want, unsigned rounds)
{
    const char *why = NULL;
    rc_t rc = run(s, &why);
    ck_assert_msg(rc == RC_OK, "%s: %s", rc_name(rc), why ? why : "");
    ck_assert_uint_eq(ex_call_result(s->call)->output.n, 32);
    ck_assert(memcmp(ex_call_result(s->call)->output.p, want->b, 32) == 0);
    ck_assert_uint_eq(ex_call_rounds(s->call), rounds);
}

START_TEST(parent_hash_needs_no_proof_and_blocks_outside_the_window_are_zero)
{
    set_t s;
    hash32_t zero = { { 0 } };
    begin(&s, BLOCK_HASH_ARG_500);
    add_headers(&s);
    ask_for(&s, 999);
    expect_hash(&s, &s.block.parent_hash, 1);
    ask_for(&s, 1000);
    expect_hash(&s, &zero, 1);
    ask_for(&s, 743);
    expect_hash(&s, &zero, 1);
    ck_assert_uint_eq(s.asked[EX_NEED_HEADER], 0);
    end(&s);
}
END_TEST

START_TEST(older_hash_comes_from_headers_in_one_batch)
{
    set_t s;
    begin(&s, BLOCK_HASH_ARG_500);
    add_headers(&s);
    s.config.chain = &CANCUN;
    s.config.cache = cache_new();
    ask_for(&s, 744);
    expect_hash(&s, &s.headers[254].parent_hash, 2);
    ck_assert_uint_eq(s.asked[EX_NEED_HEADER], 255);
    expect_hash(&s, &s.headers[254].parent_hash, 0); /* parents are remembered by hash */
    ask_for(&s, 990);
    expect_hash(&s, &s.headers[8].parent_hash, 0);
    ex_cache_free(s.config.cache);
    end(&s);
}
END_TEST

START_TEST(false_headers_are_refused)
{
    set_t s;
    const char *why;
    const ex_need_t *needs;
    begin(&s, BLOCK_HASH_ARG_500);
    add_headers(&s);
    s.config.chain = &CANCUN;
    ask_for(&s, 997);
    start(&s);
    ck_assert_int_eq(ex_call_step(s.call, &why), RC_NEED_DATA);
    answer_all(&s);
    ck_assert_int_eq(ex_call_step(s.call, &why), RC_NEED_DATA);
    ck_assert_uint_eq(ex_call_needs(s.call, &needs), 2);
    ck_assert_uint_eq(needs[0].number, 999);
    ck_assert_uint_eq(needs[1].number, 998);
    ex_header_t h = s.headers[0];
    ck_assert_int_eq(ex_call_give_header(s.call, 0, &s.headers[1], &why), RC_REFUSED);
    h.gas_used++;
    ck_assert_int_eq(ex_call_give_header(s.call, 0, &h, &why), RC_REFUSED);
    h = s.headers[1]; /* before its child it can only be kept, and is dropped when the child names another */
    h.gas_used++;
    ck_assert_int_eq(ex_call_give_header(s.call, 1, &h, &why), RC_OK);
    ck_assert_int_eq(ex_call_give_header(s.call, 0, &s.headers[0], &why), RC_OK);
    ck_assert_int_eq(ex_call_give_header(s.call, 1, &h, &why), RC_REFUSED);
    ck_assert_int_eq(ex_call_step(s.call, &why), RC_NEED_DATA);
    ck_assert_uint_eq(ex_call_needs(s.call, &needs), 1);
    ck_assert_uint_eq(needs[0].number, 998);
    answer_all(&s);
    ck_assert_int_eq(ex_call_step(s.call, &why), RC_OK);
    ck_assert(memcmp(ex_call_result(s.call)->output.p, s.headers[1].parent_hash.b, 32) == 0);
    end(&s);
}
END_TEST

START_TEST(headers_may_come_before_those_of_their_children)
{
    set_t s;
    const char *why;
    const ex_need_t *needs;
    begin(&s, BLOCK_HASH_ARG_500);
    add_headers(&s);
    s.config.chain = &CANCUN;
    ask_for(&s, 900);
    start(&s);
    ck_assert_int_eq(ex_call_step(s.call, &why), RC_NEED_DATA);
    answer_all(&s);
    ck_assert_int_eq(ex_call_step(s.call, &why), RC_NEED_DATA);
    for (size_t i = ex_call_needs(s.call, &needs); i-- > 0;)
        ck_assert_int_eq(answer(&s, &needs[i], i), RC_OK);
    ck_assert_int_eq(ex_call_step(s.call, &why), RC_OK);
    ck_assert(memcmp(ex_call_result(s.call)->output.p, s.headers[98].parent_hash.b, 32) == 0);
    end(&s);
}
END_TEST

START_TEST(from_prague_on_the_history_contract_gives_older_hashes)
{
    set_t s;
    hash32_t want;
    begin(&s, BLOCK_HASH_ARG_500);
    add_headers(&s);
    memset(want.b, 0x77, 32);
    world_add(&s.w, HISTORY, "00");
    world_set(&s.w.accounts[2], 900, u256_from_be32(want.b));
    ask_for(&s, 900);
    expect_hash(&s, &want, 2);
    ck_assert_uint_eq(s.asked[EX_NEED_HEADER], 0);
    ask_for(&s, 901); /* proven zero there: not kept by the contract */
    expect_hash(&s, &s.headers[97].parent_hash, 3);
    ck_assert_uint_eq(s.asked[EX_NEED_HEADER], 98);
    end(&s);
}
END_TEST

START_TEST(hash_of_a_block_that_the_data_names_takes_no_round_of_its_own)
{
    set_t s;
    hash32_t kept;
    uint8_t data[36] = { 1, 2, 3, 4 }; /* a selector before the word */
    begin(&s, "600435405f5260205ff3");
    add_headers(&s);
    memset(kept.b, 0x77, 32);
    world_add(&s.w, HISTORY, "00");
    world_set(&s.w.accounts[2], 900, u256_from_be32(kept.b));
    store_u64be(data + 28, 900);
    s.request.data = view_of(data, sizeof data);
    expect_hash(&s, &kept, 1);
    s.config.chain = &CANCUN;
    expect_hash(&s, &s.headers[98].parent_hash, 1);
    ck_assert_uint_eq(s.asked[EX_NEED_HEADER], 99);
    data[4] = 1; /* not a block's number */
    hash32_t zero = { { 0 } };
    expect_hash(&s, &zero, 1);
    ck_assert_uint_eq(s.asked[EX_NEED_HEADER], 0);
    end(&s);
}
END_TEST

START_TEST(foreseen_header_may_stay_unanswered)
{
    set_t s;
    const char *why;
    const ex_need_t *needs;
    begin(&s, RETURN_42);
    s.config.chain = &CANCUN;
    argument(&s, 998);
    start(&s);
    ck_assert_int_eq(ex_call_step(s.call, &why), RC_NEED_DATA);
    ck_assert_uint_eq(ex_call_needs(s.call, &needs), 3);
    ck_assert_int_eq(needs[0].kind, EX_NEED_HEADER);
    ck_assert_int_eq(needs[0].origin, EX_NAMED);
    ck_assert_int_eq(answer(&s, &needs[1], 1), RC_OK);
    ck_assert_int_eq(ex_call_step(s.call, &why), RC_NEED_DATA);
    ck_assert_uint_eq(ex_call_needs(s.call, &needs), 1); /* the code; the header is not asked for again */
    ck_assert_int_eq(needs[0].origin, EX_MET);
    answer_all(&s);
    ck_assert_int_eq(ex_call_step(s.call, &why), RC_OK);
    ck_assert_uint_eq(result_word(&s), 42);
    end(&s);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("call");
    TCase *t = tcase_create("call");
    tcase_add_test(t, first_call_takes_two_rounds_with_a_complete_hint);
    tcase_add_test(t, without_hint_rounds_are_the_depth_of_dependencies);
    tcase_add_test(t, refused_hint_loses_no_round);
    tcase_add_test(t, same_block_again_needs_no_round);
    tcase_add_test(t, learned_call_in_a_new_block_takes_one_round_and_no_code);
    tcase_add_test(t, slots_of_an_unchanged_storage_serve_a_later_block);
    tcase_add_test(t, other_argument_in_a_new_block_takes_one_round);
    tcase_add_test(t, learned_chain_that_has_moved_is_still_answered_right);
    tcase_add_test(t, replaced_code_is_asked_for_and_run);
    tcase_add_test(t, needs_are_whole_whenever_another_thread_fills_the_cache);
    tcase_add_test(t, called_contract_comes_with_its_code_in_one_round);
    tcase_add_test(t, delegation_is_followed);
    tcase_add_test(t, guess_cannot_loop_forever);
    tcase_add_test(t, missing_slot_is_never_zero);
    tcase_add_test(t, proven_zero_is_an_answer);
    tcase_add_test(t, false_hint_changes_nothing_but_the_cost);
    tcase_add_test(t, huge_hint_is_cut);
    tcase_add_test(t, call_that_reads_too_much_ends);
    tcase_add_test(t, call_with_too_many_rounds_ends);
    tcase_add_test(t, deadline_ends_a_call);
    tcase_add_test(t, every_false_field_is_refused_and_the_honest_answer_still_taken);
    tcase_add_test(t, proof_under_an_older_root_is_refused);
    tcase_add_test(t, code_that_is_not_the_proven_one_is_refused);
    tcase_add_test(t, code_that_came_before_its_proof_is_not_run_unless_it_is_the_proven_one);
    tcase_add_test(t, account_without_code_must_have_empty_code);
    tcase_add_test(t, code_longer_than_any_contract_is_refused);
    tcase_add_test(t, absent_account_may_be_claimed_with_zero_or_empty_hashes);
    tcase_add_test(t, slots_of_an_absent_account_may_be_left_out_but_those_of_an_existing_one_not);
    tcase_add_test(t, existing_account_may_not_be_claimed_with_zero_hashes);
    tcase_add_test(t, answer_to_another_kind_of_need_is_a_bug);
    tcase_add_test(t, many_slots_are_split_into_several_needs);
    tcase_add_test(t, value_must_be_covered_by_the_balance);
    tcase_add_test(t, gas_below_the_intrinsic_cost_is_refused_without_asking);
    tcase_add_test(t, gas_is_the_request_s_up_to_the_cap);
    tcase_add_test(t, base_fee_is_zero_unless_a_price_is_given);
    tcase_add_test(t, gas_price_is_the_effective_one);
    tcase_add_test(t, priced_call_is_paid_for_by_the_sender);
    tcase_add_test(t, other_chain_is_refused);
    tcase_add_test(t, revert_and_creation_are_results);
    tcase_add_test(t, slot_that_only_a_guess_named_may_stay_unanswered_and_takes_no_round);
    tcase_add_test(t, slot_without_an_answer_keeps_no_other_of_a_hint_from_being_answered);
    tcase_add_test(t, what_a_run_meets_first_stands_alone);
    tcase_add_test(t, parent_hash_needs_no_proof_and_blocks_outside_the_window_are_zero);
    tcase_add_test(t, older_hash_comes_from_headers_in_one_batch);
    tcase_add_test(t, false_headers_are_refused);
    tcase_add_test(t, headers_may_come_before_those_of_their_children);
    tcase_add_test(t, from_prague_on_the_history_contract_gives_older_hashes);
    tcase_add_test(t, hash_of_a_block_that_the_data_names_takes_no_round_of_its_own);
    tcase_add_test(t, foreseen_header_may_stay_unanswered);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
