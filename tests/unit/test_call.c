/* The call machine: rounds, guesses, needs that stay unanswered. */
#include "base/crypto/hash.h"
#include "lightclient/exec/message.h"
#include "tests/unit/call_set.h"
#include "tests/unit/unit.h"

/* ---- rounds ---- */

START_TEST(first_call_takes_two_rounds_with_a_complete_hint)
{
    set_t s;
    chain_world(&s);
    hash32_t keys[3] = { world_key(0), world_key(5), world_key(9) };
    s.hints[0] = (evm_access_t){ A, keys, 3 };
    s.hint_count = 1;
    s.hint = s.config.use_hint = true;
    expect(&s, 1234, 2);
    ck_assert_uint_eq(s.asked[NEED_HINT], 1);
    ck_assert_uint_eq(s.asked[NEED_CODE], 1);
    ck_assert_uint_eq(s.asked[NEED_PROOF], 3); /* receiver and sender, then the receiver's slots */
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
    ck_assert_uint_eq(s.asked[NEED_HINT], 0);
    ck_assert_uint_eq(s.asked[NEED_CODE], 0);
    world_set(&s.w.accounts[0], 9, u256_of(4321)); /* another storage root too */
    expect(&s, 4321, 1);
    ck_assert_uint_eq(s.asked[NEED_CODE], 0);
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
    const need_t *needs;
    ck_assert_int_eq(query_step(s.call, &s.e), RC_NEED_DATA);
    size_t n = query_needs(s.call, &needs);
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

/* What one calldata read is not asked for another's sake: 200 tokens of one would cost as many proofs again. */
START_TEST(slots_of_another_argument_are_not_asked_for)
{
    set_t s;
    const need_t *needs;
    begin(&s, SLOAD_ARG);
    world_set(&s.w.accounts[0], 3, u256_of(33));
    world_set(&s.w.accounts[0], 4, u256_of(44));
    s.config.cache = cache_new();
    s.config.use_hint = true;
    argument(&s, 3);
    expect(&s, 33, 2);
    world_set(&s.w.accounts[0], 9, u256_of(1)); /* another storage root */
    argument(&s, 4);
    start(&s);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_NEED_DATA);
    const size_t n = query_needs(s.call, &needs);
    ck_assert_int_eq(needs[0].kind, NEED_HINT); /* beside what is known */
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < needs[i].slot_count; k++)
            ck_assert_uint_eq(needs[i].slots[k].b[31], 4);
    expect(&s, 44, 1);
    argument(&s, 3);
    world_set(&s.w.accounts[0], 9, u256_of(2));
    expect(&s, 33, 1);
    ck_assert_uint_eq(s.asked[NEED_HINT], 0); /* that very call is known */
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
        const need_t *needs;
        begin(&s, SLOAD_ARG);
        s.request.data = view_of(s.word, 32);
        world_set(&s.w.accounts[0], 0, u256_of(5));
        ex_cache_config_t config = { .bytes_max = 16 << 20, .seed = { 1, 2 }, .lock_ctx = &rival, .lock = rival_lock };
        s.config.cache = rival.cache = ex_cache_new(&config);
        expect(&s, 5, 2);
        size_t n;
        ck_assert_int_eq(hex_decode(s.w.accounts[0].code, &n, 256,
                                    "60003554600101"
                                    "5f5260205ff3",
                                    26),
                         RC_OK); /* one more */
        s.w.accounts[0].code_len = n;
        world_set(&s.w.accounts[0], 0, u256_of(6));
        start(&s);
        ex_proof_answer_t p = world_proof(&s.w, &A, NULL, 0);
        rival.account = (mpt_account_t){ true, p.nonce, p.balance, p.storage_hash, p.code_hash };
        rival.root = s.block.state_root;
        rival.locks = 0;
        rival.at = at;
        ck_assert_int_eq(query_step(s.call, &s.e), RC_NEED_DATA);
        n = query_needs(s.call, &needs);
        for (size_t i = 0; i < n; i++)
            for (size_t k = 0; k < needs[i].slot_count; k++)
                ck_assert_msg(hash32_is_zero(&needs[i].slots[k]), "need %zu of %zu, lock %u", i, n, at);
        answer_all(&s);
        rc_t rc;
        while ((rc = query_step(s.call, &s.e)) == RC_NEED_DATA)
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
    begin(&s, SLOAD_ARG);
    argument(&s, 3);
    world_set(&s.w.accounts[0], 3, u256_of(33));
    start(&s);
    for (int i = 0; i < 5; i++) { /* accounts and code are given, the slot never */
        const need_t *needs;
        ck_assert_int_eq(query_step(s.call, &s.e), RC_NEED_DATA);
        ck_assert_ptr_null(ex_call_result(s.call));
        size_t n = query_needs(s.call, &needs);
        ck_assert_uint_gt(n, 0);
        for (size_t k = 0; k < n; k++)
            if (needs[k].kind != NEED_PROOF || needs[k].slot_count == 0)
                ck_assert_int_eq(answer(&s, &needs[k], k), RC_OK);
    }
    ck_assert_int_eq(query_step(s.call, &s.e), RC_NEED_DATA);
    answer_all(&s);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_OK);
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
    hinted_t hinted = { 0 };
    query_hinted(s.call, &hinted);
    ck_assert(hinted.named == 6 && hinted.read == 2); /* A and its slot 5 */
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

/* return 7 after reading a chain of this many slots, one after the other */
static void begin_chain(set_t *s, unsigned slots)
{
    begin(s, "5f5b548060015760075f5260205ff3"); /* x = 0; do x = sload(x) while (x) */
    for (unsigned i = 0; i + 1 < slots; i++)
        world_set(&s->w.accounts[0], i, u256_of(i + 1));
    world_set(&s->w.accounts[0], 1000, u256_of(1)); /* the trie is not empty */
}

START_TEST(a_call_may_have_just_its_number_of_rounds)
{
    set_t s;
    begin_chain(&s, EX_ROUNDS_MAX - 1); /* the accounts and the code take a round, too */
    expect(&s, 7, EX_ROUNDS_MAX);
    end(&s);
    begin_chain(&s, EX_ROUNDS_MAX);
    expect_failure(&s, RC_LIMIT, "rounds");
    ck_assert_uint_eq(ex_call_rounds(s.call), EX_ROUNDS_MAX);
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
    s.expired = always;
    expect_failure(&s, RC_TIMEOUT, "deadline");
    end(&s);
}
END_TEST

/* ---- needs that stay unanswered ---- */

static bool names_slot(const need_t *need, uint64_t slot)
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
    const need_t *needs;
    rc_t rc;
    start(s);
    while ((rc = query_step(s->call, &s->e)) == RC_NEED_DATA) {
        size_t n = query_needs(s->call, &needs);
        for (size_t i = 0; i < n; i++) {
            if (!names_slot(&needs[i], slot))
                ck_assert_int_eq(answer(s, &needs[i], i), RC_OK);
            else if (needs[i].origin == NEED_MET)
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
    const need_t *needs;
    begin(&s, SLOAD_WIDE);
    for (unsigned i = 0; i < 4; i++)
        world_set(&s.w.accounts[0], i, u256_of(10 + i));
    start(&s);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_NEED_DATA);
    ck_assert_uint_eq(query_needs(s.call, &needs), 2);
    ck_assert_int_eq(needs[0].origin, NEED_MET);
    ck_assert_int_eq(needs[1].kind, NEED_CODE);
    ck_assert_int_eq(needs[1].origin, NEED_GUESSED);
    answer_all(&s);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_NEED_DATA);
    ck_assert_uint_eq(query_needs(s.call, &needs), 2);
    ck_assert_int_eq(needs[0].origin, NEED_MET);
    ck_assert_uint_eq(needs[0].slot_count, 1);
    ck_assert_int_eq(needs[1].origin, NEED_GUESSED);
    ck_assert_uint_eq(needs[1].slot_count, 3);
    ck_assert_int_eq(answer(&s, &needs[0], 0), RC_OK);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_NEED_DATA);
    ck_assert_uint_eq(query_needs(s.call, &needs), 3); /* asked for in vain: one by one */
    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(needs[i].slot_count, 1);
        ck_assert_int_eq(needs[i].origin, i ? NEED_GUESSED : NEED_MET);
    }
    answer_all(&s);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_OK);
    end(&s);
}
END_TEST

static rc_t rich(void *ctx, evm_account_t *out, const addr_t *addr)
{
    (void)ctx, (void)addr;
    *out = (evm_account_t){ .exists = true, .nonce = 1, .balance = u256_of(UINT64_MAX), .code_hash = KECCAK_EMPTY };
    return RC_OK;
}

static rc_t no_slot(void *ctx, u256_t *out, const addr_t *addr, const hash32_t *key)
{
    (void)ctx, (void)addr, (void)key;
    *out = u256_of(0);
    return RC_OK;
}

static rc_t no_code(void *ctx, view_t *out, const addr_t *addr, const hash32_t *hash)
{
    (void)ctx, (void)addr, (void)hash;
    *out = view_of(NULL, 0);
    return RC_OK;
}

static rc_t no_hash(void *ctx, hash32_t *out, uint64_t number)
{
    (void)ctx, (void)number;
    *out = (hash32_t){ { 0 } };
    return RC_OK;
}

/* Before Amsterdam gas has no maximum of its own in a call; from then on at most 2^24 may be due before execution. */
START_TEST(what_a_message_is_refused_for_is_what_is_due)
{
    static const struct {
        evm_fork_t fork;
        size_t n; /* bytes of calldata, none zero */
        uint64_t gas;
        const char *text; /* NULL: it runs */
    } rows[] = {
        { EVM_OSAKA, 300000, 50000000, NULL },
        { EVM_AMSTERDAM, 300000, 50000000,
          "gas due before execution is above a transaction's limit: 19215000 of 16777216" },
        { EVM_AMSTERDAM, 10000, 50000000, NULL },
        { EVM_AMSTERDAM, 10000, 600000, "insufficient gas for floor data gas cost: have 600000, want 655000" },
        { EVM_AMSTERDAM, 10000, 100000, "intrinsic gas too low: have 100000, want 175000" },
    };
    static uint8_t data[300000];
    const evm_host_t host = { .account = rich, .storage = no_slot, .code = no_code, .block_hash = no_hash };
    const evm_block_t env = { .number = 1, .timestamp = 1, .gas_limit = 200000000, .chain_id = 1 };
    memset(data, 1, sizeof data);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const evm_rules_t rules = { .fork = rows[i].fork, .blob_base_fee_update_fraction = 1 };
        ex_request_t request = { .has_to = true, .data = view_of(data, rows[i].n) };
        const bool guessed = false;
        arena_t a;
        evm_result_t out;
        err_t e = { 0 };
        request.to.b[19] = 0x77;
        request.from.b[19] = 0x55;
        arena_init(&a, (size_t)1 << 26);
        const rc_t rc =
            ex_message_run(&out, &e, &a, &host, &guessed,
                           &(ex_message_t){ .rules = &rules, .env = &env, .request = &request, .gas = rows[i].gas });
        ck_assert_msg(rc == (rows[i].text ? RC_REFUSED : RC_OK), "row %zu: %s", i, e.text);
        ck_assert_msg(!rows[i].text || !strcmp(e.text, rows[i].text), "row %zu: %s", i, e.text);
        arena_free(&a);
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN(
        "call", what_a_message_is_refused_for_is_what_is_due, first_call_takes_two_rounds_with_a_complete_hint,
        without_hint_rounds_are_the_depth_of_dependencies, refused_hint_loses_no_round, same_block_again_needs_no_round,
        learned_call_in_a_new_block_takes_one_round_and_no_code, slots_of_an_unchanged_storage_serve_a_later_block,
        other_argument_in_a_new_block_takes_one_round, learned_chain_that_has_moved_is_still_answered_right,
        slots_of_another_argument_are_not_asked_for, replaced_code_is_asked_for_and_run,
        needs_are_whole_whenever_another_thread_fills_the_cache, called_contract_comes_with_its_code_in_one_round,
        delegation_is_followed, guess_cannot_loop_forever, missing_slot_is_never_zero, proven_zero_is_an_answer,
        false_hint_changes_nothing_but_the_cost, huge_hint_is_cut, call_that_reads_too_much_ends,
        call_with_too_many_rounds_ends, a_call_may_have_just_its_number_of_rounds, deadline_ends_a_call,
        slot_that_only_a_guess_named_may_stay_unanswered_and_takes_no_round,
        slot_without_an_answer_keeps_no_other_of_a_hint_from_being_answered, what_a_run_meets_first_stands_alone);
}
