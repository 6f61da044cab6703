/* The call machine against a server that lies. */
#include "tests/unit/call_set.h"
#include "tests/unit/lies.h"
#include "tests/unit/unit.h"

START_TEST(every_false_field_is_refused_and_the_honest_answer_still_taken)
{
    set_t s;
    const need_t *needs;
    chain_world(&s);
    world_add(&s.w, B, SLOAD_CHAIN);
    world_set(&s.w.accounts[2], 0, u256_of(5));
    world_set(&s.w.accounts[2], 5, u256_of(8));
    hash32_t keys[LIE_SLOTS] = { world_key(0), world_key(5) };
    s.hints[0] = (evm_access_t){ A, keys, LIE_SLOTS };
    s.hint_count = 1;
    s.hint = s.config.use_hint = true;
    start(&s);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_NEED_DATA);
    answer_all(&s);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_NEED_DATA);
    ck_assert_uint_eq(query_needs(s.call, &needs), 1);
    ck_assert_int_eq(needs[0].kind, NEED_PROOF);
    ck_assert_uint_eq(needs[0].slot_count, LIE_SLOTS);
    for (int x = 0; x < LIES; x++) {
        ex_proof_answer_t p = world_proof(&s.w, &A, needs[0].slots, LIE_SLOTS);
        ck_assert(hash32_eq(&needs[0].slots[0], &keys[0]) && hash32_eq(&needs[0].slots[1], &keys[1]));
        lie(&p, x, &s.w, &B);
        rc_t rc = give_proof(&s, 0, &p);
        ck_assert_msg(rc_blames_input(rc), "lie %d gave %s", x, rc_name(rc));
        ck_assert(s.e.text[0]);
    }
    answer_all(&s);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_NEED_DATA);
    answer_all(&s);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_OK);
    ck_assert_uint_eq(result_word(&s), 1234);
    end(&s);
}
END_TEST

START_TEST(proof_under_an_older_root_is_refused)
{
    set_t s;
    const need_t *needs;
    begin(&s, RETURN_42);
    ex_proof_answer_t old = world_proof(&s.w, &A, NULL, 0);
    s.w.accounts[1].balance = u256_of(5);
    start(&s);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_NEED_DATA);
    size_t n = query_needs(s.call, &needs);
    for (size_t i = 0; i < n; i++)
        if (needs[i].kind == NEED_PROOF && addr_eq(&needs[i].addr, &A))
            ck_assert_int_eq(give_proof(&s, i, &old), RC_REFUSED);
    answer_all(&s);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_OK);
    end(&s);
}
END_TEST

/* Index of the first need of a kind for an address. */
static size_t need_for(const set_t *s, need_kind_t kind, const addr_t *addr)
{
    const need_t *needs;
    size_t n = query_needs(s->call, &needs);
    for (size_t i = 0; i < n; i++)
        if (needs[i].kind == kind && addr_eq(&needs[i].addr, addr))
            return i;
    ck_abort_msg("no such need");
    return 0;
}

START_TEST(code_that_is_not_the_proven_one_is_refused)
{
    set_t s;
    static const uint8_t other[] = { 0x60, 0x07, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3 };
    begin(&s, RETURN_42);
    start(&s);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_NEED_DATA);
    const need_t *needs;
    query_needs(s.call, &needs);
    size_t proof = need_for(&s, NEED_PROOF, &A), code = need_for(&s, NEED_CODE, &A);
    ck_assert_int_eq(answer(&s, &needs[proof], proof), RC_OK);
    ck_assert_int_eq(give_code(&s, code, view_of(other, sizeof other)), RC_REFUSED);
    ck_assert_int_eq(give_code(&s, code, view_of(NULL, 0)), RC_REFUSED);
    answer_all(&s);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_OK);
    ck_assert_uint_eq(result_word(&s), 42);
    end(&s);
}
END_TEST

START_TEST(code_that_came_before_its_proof_is_not_run_unless_it_is_the_proven_one)
{
    set_t s;
    static const uint8_t other[] = { 0x60, 0x07, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3 };
    begin(&s, RETURN_42);
    s.config.cache = cache_new();
    start(&s);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_NEED_DATA);
    const need_t *needs;
    size_t n = query_needs(s.call, &needs), code = need_for(&s, NEED_CODE, &A);
    ck_assert_int_eq(give_code(&s, code, view_of(other, sizeof other)), RC_OK);
    for (size_t i = 0; i < n; i++)
        if (i != code)
            ck_assert_int_eq(answer(&s, &needs[i], i), RC_OK);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_NEED_DATA);
    ck_assert_uint_eq(query_needs(s.call, &needs), 1);
    ck_assert_int_eq(needs[0].kind, NEED_CODE);
    ck_assert_int_eq(give_code(&s, 0, view_of(other, sizeof other)), RC_REFUSED);
    answer_all(&s);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_OK);
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
    begin(&s, "");
    start(&s);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_NEED_DATA);
    const need_t *needs;
    query_needs(s.call, &needs);
    size_t proof = need_for(&s, NEED_PROOF, &A), code = need_for(&s, NEED_CODE, &A);
    ck_assert_int_eq(answer(&s, &needs[proof], proof), RC_OK);
    ck_assert_int_eq(give_code(&s, code, view_str("x")), RC_REFUSED);
    ck_assert_int_eq(give_code(&s, code, view_of(NULL, 0)), RC_OK);
    end(&s);
}
END_TEST

START_TEST(code_longer_than_any_contract_is_refused)
{
    set_t s;
    static const uint8_t big[EX_CODE_MAX + 1];
    begin(&s, RETURN_42);
    start(&s);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_NEED_DATA);
    size_t code = need_for(&s, NEED_CODE, &A);
    ck_assert_int_eq(give_code(&s, code, view_of(big, sizeof big)), RC_LIMIT);
    end(&s);
}
END_TEST

START_TEST(absent_account_may_be_claimed_with_zero_or_empty_hashes)
{
    set_t s;
    begin(&s, "");
    s.request.to = C;
    start(&s);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_NEED_DATA);
    size_t at = need_for(&s, NEED_PROOF, &C);
    ex_proof_answer_t p = world_proof(&s.w, &C, NULL, 0);
    ck_assert(hash32_eq(&p.code_hash, &KECCAK_EMPTY));
    ck_assert_int_eq(give_proof(&s, at, &p), RC_OK);
    memset(&p.code_hash, 0, 32);
    memset(&p.storage_hash, 0, 32);
    ck_assert_int_eq(give_proof(&s, at, &p), RC_OK);
    p.storage_hash.b[3] = 1;
    ck_assert_int_eq(give_proof(&s, at, &p), RC_REFUSED);
    p.storage_hash.b[3] = 0;
    p.balance = u256_of(1);
    ck_assert_int_eq(give_proof(&s, at, &p), RC_REFUSED);
    end(&s);
}
END_TEST

START_TEST(slots_of_an_absent_account_may_be_left_out_but_those_of_an_existing_one_not)
{
    world_t w;
    mpt_account_t account;
    hash32_t keys[2] = { world_key(1), world_key(2) };
    u256_t values[2] = { u256_of(5), u256_of(5) };
    world_init(&w);
    addr_t here = world_addr(1), nowhere = world_addr(2);
    world_set(world_add(&w, here, ""), 1, u256_of(9));
    hash32_t root = world_root(&w);
    ex_proof_answer_t p = world_proof(&w, &nowhere, keys, 2);
    ck_assert_int_eq(ex_proof_verify(&account, values, NULL, &root, &nowhere, keys, 2, &p), RC_OK);
    ck_assert(!account.exists && u256_is_zero(&values[0]) && u256_is_zero(&values[1]));
    p.slot_count = 1;
    ck_assert_int_eq(ex_proof_verify(&account, values, NULL, &root, &nowhere, keys, 2, &p), RC_REFUSED);
    p.slot_count = 0;
    values[1] = u256_of(5);
    ck_assert_int_eq(ex_proof_verify(&account, values, NULL, &root, &nowhere, keys, 2, &p), RC_OK);
    ck_assert(u256_is_zero(&values[1]));
    p = world_proof(&w, &here, keys, 2);
    ck_assert_int_eq(ex_proof_verify(&account, values, NULL, &root, &here, keys, 2, &p), RC_OK);
    ck_assert_uint_eq(values[0].w[0], 9);
    p.slot_count = 0;
    ck_assert_int_eq(ex_proof_verify(&account, values, NULL, &root, &here, keys, 2, &p), RC_REFUSED);
    ck_assert_uint_eq(values[0].w[0], 9); /* untouched */
    world_clear(&w);
}
END_TEST

START_TEST(existing_account_may_not_be_claimed_with_zero_hashes)
{
    set_t s;
    begin(&s, "");
    start(&s);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_NEED_DATA);
    ex_proof_answer_t p = world_proof(&s.w, &A, NULL, 0);
    memset(&p.code_hash, 0, 32);
    ck_assert_int_eq(give_proof(&s, need_for(&s, NEED_PROOF, &A), &p), RC_REFUSED);
    end(&s);
}
END_TEST

START_TEST(answer_to_another_kind_of_need_is_a_bug)
{
    set_t s;
    begin(&s, RETURN_42);
    start(&s);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_NEED_DATA);
    ex_proof_answer_t p = world_proof(&s.w, &A, NULL, 0);
    ck_assert_int_eq(give_proof(&s, 99, &p), RC_BUG);
    ck_assert_int_eq(give_proof(&s, need_for(&s, NEED_CODE, &A), &p), RC_BUG);
    ck_assert_int_eq(give_code(&s, need_for(&s, NEED_PROOF, &A), view_str("")), RC_BUG);
    ck_assert_int_eq(give_hint(&s, 0, NULL, 0), RC_BUG);
    end(&s);
}
END_TEST

START_TEST(many_slots_are_split_into_several_needs)
{
    set_t s;
    chain_world(&s);
    static hash32_t keys[NEED_SLOTS_MAX + 10];
    const need_t *needs;
    for (unsigned i = 0; i < NEED_SLOTS_MAX + 10; i++)
        keys[i] = world_key(i);
    s.hints[0] = (evm_access_t){ A, keys, NEED_SLOTS_MAX + 10 };
    s.hint_count = 1;
    s.hint = s.config.use_hint = true;
    start(&s);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_NEED_DATA);
    answer_all(&s);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_NEED_DATA);
    ck_assert_uint_eq(query_needs(s.call, &needs), 2);
    ck_assert_uint_eq(needs[0].slot_count, NEED_SLOTS_MAX);
    ck_assert_uint_eq(needs[1].slot_count, 10);
    answer_all(&s);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_OK);
    end(&s);
}
END_TEST

/* ---- addresses that are taken (EIP-684, EIP-7610) ---- */

#define CREATE_FAILS "5f5f5ff0155f5260205ff3"    /* return create(0, no code) == 0 */
#define CREATE2_FAILS "5f5f5f5ff5155f5260205ff3" /* return create2(0, no code, salt 0) == 0 */

/* Where account `by` with nonce 1 creates. */
static addr_t create_address(const addr_t *by)
{
    uint8_t list[23] = { 0xd6, 0x94 };
    hash32_t h;
    addr_t out;
    memcpy(list + 2, by->b, sizeof by->b);
    list[22] = 1;
    keccak256(&h, view_of(list, sizeof list));
    memcpy(out.b, h.b + 12, sizeof out.b);
    return out;
}

/* Where it creates2 from no code with salt 0. */
static addr_t create2_address(const addr_t *by)
{
    uint8_t text[85] = { 0xff };
    hash32_t h;
    addr_t out;
    memcpy(text + 1, by->b, sizeof by->b);
    memcpy(text + 53, KECCAK_EMPTY.b, sizeof KECCAK_EMPTY.b);
    keccak256(&h, view_of(text, sizeof text));
    memcpy(out.b, h.b + 12, sizeof out.b);
    return out;
}

static const struct {
    const char *what;
    bool exists;
    uint64_t nonce, balance;
    const char *code;
    uint64_t slot; /* value of one slot */
    bool taken;
} places[] = {
    { "nobody", false, 0, 0, "", 0, false },
    { "an account that only holds ether", true, 0, 1000, "", 0, false },
    { "an empty account", true, 0, 0, "", 0, false },
    { "a nonce", true, 1, 0, "", 0, true },
    { "a large nonce", true, UINT64_MAX - 1, 0, "", 0, true },
    { "code", true, 0, 0, "00", 0, true },
    { "storage", true, 0, 0, "", 1, true },
    { "storage and ether", true, 0, 1000, "", 7, true },
    { "all of them", true, 1, 1000, "00", 1, true },
};
#define PLACES (sizeof places / sizeof places[0])

static void put_place(set_t *s, size_t i, addr_t addr)
{
    if (!places[i].exists)
        return;
    world_account_t *acct = world_add(&s->w, addr, places[i].code);
    acct->nonce = places[i].nonce;
    acct->balance = u256_of(places[i].balance);
    world_set(acct, 3, u256_of(places[i].slot));
}

START_TEST(contracts_create_where_nothing_but_ether_is)
{
    for (size_t i = 0; i < PLACES; i++)
        for (int salted = 0; salted < 2; salted++)
            for (int cached = 0; cached < 2; cached++) {
                set_t s;
                begin(&s, salted ? CREATE2_FAILS : CREATE_FAILS);
                put_place(&s, i, salted ? create2_address(&A) : create_address(&A));
                s.config.cache = cached ? cache_new() : NULL;
                for (int again = 0; again <= cached; again++) {
                    ck_assert_int_eq(run(&s), RC_OK);
                    ck_assert_msg(result_word(&s) == places[i].taken, "%s, create%d", places[i].what, 1 + salted);
                }
                ex_cache_free(s.config.cache);
                end(&s);
            }
}
END_TEST

START_TEST(a_call_without_receiver_creates_where_nothing_but_ether_is)
{
    static const uint8_t init[] = { 0x60, 0x2a, 0x5f, 0x53, 0x60, 0x01, 0x5f, 0xf3 }; /* deploys the byte 0x2a */
    for (size_t i = 0; i < PLACES; i++) {
        set_t s;
        begin(&s, "");
        put_place(&s, i, create_address(&FROM));
        s.request.has_to = false;
        s.request.data = view_of(init, sizeof init);
        ck_assert_int_eq(run(&s), RC_OK);
        const evm_result_t *r = ex_call_result(s.call);
        ck_assert_msg(r->status == (places[i].taken ? EVM_HALT : EVM_SUCCESS), "%s", places[i].what);
        ck_assert_int_eq(r->halt, places[i].taken ? EVM_HALT_CREATE_COLLISION : EVM_HALT_NONE);
        ck_assert_uint_eq(r->output.n, places[i].taken ? 0 : 1);
        end(&s);
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN("call_answers", every_false_field_is_refused_and_the_honest_answer_still_taken,
                    proof_under_an_older_root_is_refused, code_that_is_not_the_proven_one_is_refused,
                    code_that_came_before_its_proof_is_not_run_unless_it_is_the_proven_one,
                    account_without_code_must_have_empty_code, code_longer_than_any_contract_is_refused,
                    absent_account_may_be_claimed_with_zero_or_empty_hashes,
                    slots_of_an_absent_account_may_be_left_out_but_those_of_an_existing_one_not,
                    existing_account_may_not_be_claimed_with_zero_hashes, answer_to_another_kind_of_need_is_a_bug,
                    many_slots_are_split_into_several_needs, contracts_create_where_nothing_but_ether_is,
                    a_call_without_receiver_creates_where_nothing_but_ether_is);
}
