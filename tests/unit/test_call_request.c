/* What a request means to the call machine: value, gas, prices, chain; and the hashes of older blocks. */
#include "tests/unit/call_set.h"
#include "tests/unit/unit.h"

/* ---- semantics of the request ---- */

START_TEST(value_must_be_covered_by_the_balance)
{
    set_t s;
    begin(&s, RETURN_42);
    s.request.value = u256_of(1001);
    expect_failure(&s, RC_REFUSED, "insufficient funds for gas * price + value");
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

/* Init code of zeros, which stops: its maximum is that of the block's fork (EIP-3860, EIP-7954). */
START_TEST(init_code_is_as_long_as_the_fork_allows)
{
    static const evm_schedule_row_t amsterdam_row = { 0, { EVM_AMSTERDAM, 14, 21, 11684671, NULL } };
    static const evm_chain_t amsterdam = { 1, &amsterdam_row, 1 };
    static const uint8_t zeros[131073];
    set_t s;
    begin(&s, RETURN_42);
    s.request.has_to = false;
    s.request.data = view_of(zeros, 49152);
    ck_assert_int_eq(run(&s), RC_OK);
    s.request.data = view_of(zeros, 49153);
    expect_failure(&s, RC_REFUSED, "max initcode size exceeded");
    s.config.chain = &amsterdam;
    s.request.data = view_of(zeros, 131072);
    ck_assert_int_eq(run(&s), RC_OK);
    s.request.data = view_of(zeros, 131073);
    expect_failure(&s, RC_REFUSED, "max initcode size exceeded");
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
    s.request.max_priority_fee = u256_of(20); /* all of it may be a tip */
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
    s.w.accounts[1].balance = u256_of(350000);
    s.request.gas_price = u256_of(7); /* just the base fee, with all that the sender has */
    expect(&s, 0, 1);
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
    s.request.gas_price = (u256_t){ { 0, 0, 0, 1ull << 63 } }; /* times an even number: 0 in 256 bits */
    expect_failure(&s, RC_REFUSED, "insufficient funds for gas * price + value");
    s.request.gas_price = u256_of(10);
    for (unsigned i = 0; i < 4; i++) { /* each word of the value counts */
        s.request.value = u256_of(0);
        s.request.value.w[i] = i ? 1 : 4;
        expect_failure(&s, RC_REFUSED, "insufficient funds for gas * price + value");
    }
    s.request.value = (u256_t){ { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } }; /* the sum passes 256 bits */
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
    expect_failure(&s, RC_REFUSED, "chainId does not match");
    s.request.chain_id = 1;
    expect(&s, 42, 1);
    end(&s);
}
END_TEST

START_TEST(revert_and_creation_are_results)
{
    set_t s;
    begin(&s, REVERT_WORD);
    ck_assert_int_eq(run(&s), RC_OK);
    ck_assert_int_eq(ex_call_result(s.call)->status, EVM_REVERT);
    ck_assert_uint_eq(result_word(&s), 42);
    static const uint8_t init[] = { 0x60, 0x2a, 0x5f, 0x53, 0x60, 0x01, 0x5f, 0xf3 }; /* deploys the byte 0x2a */
    s.request.has_to = false;
    s.request.data = view_of(init, sizeof init);
    ck_assert_int_eq(run(&s), RC_OK);
    ck_assert_int_eq(ex_call_result(s.call)->status, EVM_SUCCESS);
    ck_assert_uint_eq(ex_call_result(s.call)->output.n, 1);
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
    rc_t rc = run(s);
    ck_assert_msg(rc == RC_OK, "%s: %s", rc_name(rc), s->e.text);
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
    ck_assert_uint_eq(s.asked[NEED_HEADER], 0);
    end(&s);
}
END_TEST

START_TEST(a_hash_outside_the_window_is_zero_after_one_inside_it)
{
    set_t s;
    hash32_t zero = { { 0 } };
    begin(&s, "6103e74050"
              "6103e840"
              "5f5260205ff3"); /* blockhash(999), then blockhash(1000) */
    add_headers(&s);
    memset(s.block.parent_hash.b, 0x77, 32);
    expect_hash(&s, &zero, 1);
    end(&s);
}
END_TEST

/* The first hash is met, the second is asked for by a run that goes on with a guess. */
START_TEST(only_the_headers_up_to_the_first_hash_are_met)
{
    set_t s;
    const need_t *needs;
    begin(&s, "6103de4050"
              "6103d440"
              "5f5260205ff3"); /* blockhash(990), then blockhash(980) */
    add_headers(&s);
    s.config.chain = &CANCUN;
    start(&s);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_NEED_DATA);
    answer_all(&s);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_NEED_DATA);
    ck_assert_uint_eq(query_needs(s.call, &needs), 19);
    for (size_t i = 0; i < 19; i++) {
        ck_assert_uint_eq(needs[i].number, 999 - i);
        ck_assert_msg(needs[i].origin == (i < 9 ? NEED_MET : NEED_GUESSED), "header %zu", i);
    }
    answer_all(&s);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_OK);
    ck_assert(memcmp(ex_call_result(s.call)->output.p, s.headers[18].parent_hash.b, 32) == 0);
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
    ck_assert_uint_eq(s.asked[NEED_HEADER], 255);
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
    const need_t *needs;
    begin(&s, BLOCK_HASH_ARG_500);
    add_headers(&s);
    s.config.chain = &CANCUN;
    ask_for(&s, 997);
    start(&s);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_NEED_DATA);
    answer_all(&s);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_NEED_DATA);
    ck_assert_uint_eq(query_needs(s.call, &needs), 2);
    ck_assert_uint_eq(needs[0].number, 999);
    ck_assert_uint_eq(needs[1].number, 998);
    ex_header_t h = s.headers[0];
    ck_assert_int_eq(give_header(&s, 0, &s.headers[1]), RC_REFUSED);
    h.gas_used++;
    ck_assert_int_eq(give_header(&s, 0, &h), RC_REFUSED);
    h = s.headers[1]; /* before its child it can only be kept, and is dropped when the child names another */
    h.gas_used++;
    ck_assert_int_eq(give_header(&s, 1, &h), RC_OK);
    ck_assert_int_eq(give_header(&s, 0, &s.headers[0]), RC_OK);
    ck_assert_int_eq(give_header(&s, 1, &h), RC_REFUSED);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_NEED_DATA);
    ck_assert_uint_eq(query_needs(s.call, &needs), 1);
    ck_assert_uint_eq(needs[0].number, 998);
    answer_all(&s);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_OK);
    ck_assert(memcmp(ex_call_result(s.call)->output.p, s.headers[1].parent_hash.b, 32) == 0);
    end(&s);
}
END_TEST

START_TEST(headers_may_come_before_those_of_their_children)
{
    set_t s;
    const need_t *needs;
    begin(&s, BLOCK_HASH_ARG_500);
    add_headers(&s);
    s.config.chain = &CANCUN;
    ask_for(&s, 900);
    start(&s);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_NEED_DATA);
    answer_all(&s);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_NEED_DATA);
    for (size_t i = query_needs(s.call, &needs); i-- > 0;)
        ck_assert_int_eq(answer(&s, &needs[i], i), RC_OK);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_OK);
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
    ck_assert_uint_eq(s.asked[NEED_HEADER], 0);
    ask_for(&s, 901); /* proven zero there: not kept by the contract */
    expect_hash(&s, &s.headers[97].parent_hash, 3);
    ck_assert_uint_eq(s.asked[NEED_HEADER], 98);
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
    ck_assert_uint_eq(s.asked[NEED_HEADER], 99);
    data[4] = 1; /* not a block's number */
    hash32_t zero = { { 0 } };
    expect_hash(&s, &zero, 1);
    ck_assert_uint_eq(s.asked[NEED_HEADER], 0);
    end(&s);
}
END_TEST

START_TEST(foreseen_header_may_stay_unanswered)
{
    set_t s;
    const need_t *needs;
    begin(&s, RETURN_42);
    s.config.chain = &CANCUN;
    argument(&s, 998);
    start(&s);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_NEED_DATA);
    ck_assert_uint_eq(query_needs(s.call, &needs), 3);
    ck_assert_int_eq(needs[0].kind, NEED_HEADER);
    ck_assert_int_eq(needs[0].origin, NEED_NAMED);
    ck_assert_int_eq(answer(&s, &needs[1], 1), RC_OK);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_NEED_DATA);
    ck_assert_uint_eq(query_needs(s.call, &needs), 1); /* the code; the header is not asked for again */
    ck_assert_int_eq(needs[0].origin, NEED_MET);
    answer_all(&s);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_OK);
    ck_assert_uint_eq(result_word(&s), 42);
    end(&s);
}
END_TEST

int main(void)
{
    return UNIT_RUN("call_request", value_must_be_covered_by_the_balance,
                    gas_below_the_intrinsic_cost_is_refused_without_asking, init_code_is_as_long_as_the_fork_allows,
                    gas_is_the_request_s_up_to_the_cap, base_fee_is_zero_unless_a_price_is_given,
                    gas_price_is_the_effective_one, priced_call_is_paid_for_by_the_sender, other_chain_is_refused,
                    revert_and_creation_are_results, parent_hash_needs_no_proof_and_blocks_outside_the_window_are_zero,
                    a_hash_outside_the_window_is_zero_after_one_inside_it,
                    only_the_headers_up_to_the_first_hash_are_met, older_hash_comes_from_headers_in_one_batch,
                    false_headers_are_refused, headers_may_come_before_those_of_their_children,
                    from_prague_on_the_history_contract_gives_older_hashes,
                    hash_of_a_block_that_the_data_names_takes_no_round_of_its_own, foreseen_header_may_stay_unanswered);
}
