/* evm: addresses of new contracts, fork schedules, blob fees, whole transactions. */
#include <stdlib.h>

#include "lightclient/evm/vm.h"
#include "tests/unit/evm_world.h"
#include "tests/unit/unit.h"

static rc_t transact(arena_t *a, evm_receipt_t *out, world_t *w, evm_fork_t fork, const evm_tx_t *tx)
{
    evm_host_t host = host_of(w);
    evm_rules_t rules = { .fork = fork, .blob_max = 9, .blob_base_fee_update_fraction = 5007716 };
    evm_block_t block = block_of();
    block.base_fee = u256_of(7);
    return evm_transact(out, NULL, a, &host, &rules, &block, tx);
}

/* --- addresses, schedules, fees --- */

START_TEST(addresses_of_created_contracts_match_known_answers)
{
    addr_t creator, got;
    char hex[41];
    /* go-ethereum's crypto tests; EIP-1014, example 1 */
    ck_assert_int_eq(hex_decode_exact(creator.b, 20, "970e8128ab834e8eac17ab8e3812f010678cf791", 40), RC_OK);
    vm_create_address(&got, &creator, 0);
    hex_encode(hex, view_of(got.b, 20));
    ck_assert_str_eq(hex, "333c3310824b7c685133f2bedb2ca4b8b4df633d");
    vm_create_address(&got, &creator, 1);
    hex_encode(hex, view_of(got.b, 20));
    ck_assert_str_eq(hex, "8bda78331c916a08481428e4b07c96d3e916d165");
    static const uint8_t zero;
    u256_t salt = u256_of(0);
    creator = (addr_t){ { 0 } };
    vm_create2_address(&got, &creator, &salt, view_of(&zero, 1));
    hex_encode(hex, view_of(got.b, 20));
    ck_assert_str_eq(hex, "4d1a2e2bb4f88f0250f26ffff098b0b30b26bf38");
}
END_TEST

START_TEST(schedules_change_exactly_at_their_times)
{
    static const struct {
        const evm_chain_t *chain;
        uint64_t time;
        evm_fork_t before, after;
        uint64_t max_after;
    } rows[] = {
        { &EVM_MAINNET, 1681338455, EVM_PARIS, EVM_SHANGHAI, 0 },
        { &EVM_MAINNET, 1710338135, EVM_SHANGHAI, EVM_CANCUN, 6 },
        { &EVM_MAINNET, 1746612311, EVM_CANCUN, EVM_PRAGUE, 9 },
        { &EVM_MAINNET, 1764798551, EVM_PRAGUE, EVM_OSAKA, 9 },
        { &EVM_MAINNET, 1765290071, EVM_OSAKA, EVM_OSAKA, 15 },
        { &EVM_MAINNET, 1767747671, EVM_OSAKA, EVM_OSAKA, 21 },
        { &EVM_SEPOLIA, 1741159776, EVM_CANCUN, EVM_PRAGUE, 9 },
        { &EVM_SEPOLIA, 1760427360, EVM_PRAGUE, EVM_OSAKA, 9 },
        { &EVM_SEPOLIA, 1791294816, EVM_OSAKA, EVM_AMSTERDAM, 21 },
        { &EVM_HOODI, 1742999832, EVM_CANCUN, EVM_PRAGUE, 9 },
        { &EVM_HOODI, 1762955544, EVM_OSAKA, EVM_OSAKA, 21 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_int_eq(evm_chain_rules(rows[i].chain, rows[i].time - 1)->fork, rows[i].before);
        ck_assert_int_eq(evm_chain_rules(rows[i].chain, rows[i].time)->fork, rows[i].after);
        ck_assert_uint_eq(evm_chain_rules(rows[i].chain, rows[i].time)->blob_max, rows[i].max_after);
    }
    ck_assert_int_eq(evm_chain_rules(&EVM_MAINNET, 0)->fork, EVM_PARIS);
    ck_assert_int_eq(evm_chain_rules(&EVM_HOODI, UINT64_MAX)->fork, EVM_OSAKA);
}
END_TEST

START_TEST(rules_that_are_too_new_are_unsupported)
{
    arena_t a;
    arena_init(&a, ARENA_LIMIT);
    world_t w = { 0 };
    evm_result_t r = { .gas_used = 77 };
    evm_receipt_t receipt;
    evm_tx_t tx = tx_of(100000);
    view_t out;
    uint64_t gas;
    ck_assert_int_eq(call(&a, &r, &w, EVM_FORKS, &tx), RC_UNSUPPORTED);
    ck_assert_uint_eq(r.gas_used, 77);
    ck_assert_int_eq(transact(&a, &receipt, &w, EVM_FORKS, &tx), RC_UNSUPPORTED);
    ck_assert_int_eq(evm_precompile(&out, &gas, &a, view_of(NULL, 0), EVM_FORKS, 4), RC_UNSUPPORTED);
    ck_assert_uint_eq(w.accounts, 0);
    arena_free(&a);
}
END_TEST

START_TEST(blob_fee_matches_known_answers)
{
    /* go-ethereum's eip4844 tests, Cancun's fraction */
    static const struct {
        uint64_t excess, fee;
    } rows[] = { { 0, 1 }, { 2314057, 1 }, { 2314058, 2 }, { 10 * 1024 * 1024, 23 } };
    evm_rules_t rules = { .fork = EVM_CANCUN, .blob_base_fee_update_fraction = 3338477 };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        u256_t fee = evm_blob_base_fee(&rules, rows[i].excess);
        ck_assert(u256_fits_u64(&fee));
        ck_assert_uint_eq(fee.w[0], rows[i].fee);
    }
    u256_t fee = evm_blob_base_fee(&rules, UINT64_MAX); /* an absurd excess ends, too */
    ck_assert_uint_eq(fee.w[3], UINT64_MAX);
}
END_TEST

/* --- transactions --- */

static const evm_change_t *change_at(const evm_receipt_t *r, uint8_t last)
{
    addr_t addr = at(last);
    for (size_t i = 0; i < r->change_count; i++)
        if (addr_eq(&r->changes[i].addr, &addr))
            return &r->changes[i];
    return NULL;
}

START_TEST(transaction_moves_fees_tip_and_value)
{
    arena_t a;
    arena_init(&a, ARENA_LIMIT);
    world_t w = { .nonce = 3, .balance = u256_of(10000000) };
    evm_receipt_t r;
    evm_tx_t tx = tx_of(100000);
    tx.to = at(0x77);
    tx.nonce = 3;
    tx.type = 2;
    tx.max_fee = u256_of(20);
    tx.max_priority_fee = u256_of(3); /* pays 10 */
    tx.value = u256_of(55);
    ck_assert_int_eq(transact(&a, &r, &w, EVM_OSAKA, &tx), RC_OK);
    ck_assert_uint_eq(r.result.gas_used, 21000);
    ck_assert_uint_eq(r.change_count, 3);
    ck_assert_uint_eq(change_at(&r, SENDER)->account.balance.w[0], 10000000 - 210000 - 55);
    ck_assert_uint_eq(change_at(&r, SENDER)->account.nonce, 4);
    ck_assert_uint_eq(change_at(&r, COINBASE)->account.balance.w[0], 63000);
    ck_assert_uint_eq(change_at(&r, 0x77)->account.balance.w[0], 55);
    tx.value = u256_of(0);
    tx.max_priority_fee = u256_of(0);
    tx.max_fee = u256_of(7);
    ck_assert_int_eq(transact(&a, &r, &w, EVM_OSAKA, &tx), RC_OK);
    ck_assert(change_at(&r, 0x77)->deleted && change_at(&r, COINBASE)->deleted); /* touched, but empty */
    arena_free(&a);
}
END_TEST

START_TEST(a_transaction_at_each_bound_is_taken)
{
    arena_t a;
    arena_init(&a, ARENA_LIMIT);
    world_t w = { .nonce = 3, .balance = u256_of(2000000) };
    evm_receipt_t r;
    evm_tx_t good = tx_of(100000), tx;
    good.nonce = 3;
    good.type = 2;
    good.max_fee = u256_of(10);
    tx = good, tx.max_priority_fee = u256_of(10); /* all of it may be a tip */
    ck_assert_int_eq(transact(&a, &r, &w, EVM_OSAKA, &tx), RC_OK);
    tx = good, tx.max_fee = u256_of(7); /* the base fee */
    ck_assert_int_eq(transact(&a, &r, &w, EVM_OSAKA, &tx), RC_OK);
    tx = good, tx.max_fee = u256_of(20); /* all of the balance */
    ck_assert_int_eq(transact(&a, &r, &w, EVM_OSAKA, &tx), RC_OK);
    tx = good, tx.gas = 21000; /* what any transaction costs */
    ck_assert_int_eq(transact(&a, &r, &w, EVM_OSAKA, &tx), RC_OK);
    arena_free(&a);
}
END_TEST

START_TEST(invalid_transactions_are_refused)
{
    arena_t a;
    arena_init(&a, ARENA_LIMIT);
    world_t w = { .nonce = 3, .balance = u256_of(2000000) };
    evm_receipt_t r = { .change_count = 77 };
    evm_tx_t good = tx_of(100000), tx;
    good.nonce = 3;
    good.type = 2;
    good.max_fee = u256_of(10);
    ck_assert_int_eq(transact(&a, &(evm_receipt_t){ 0 }, &w, EVM_OSAKA, &good), RC_OK);
    tx = good, tx.nonce = 2;
    ck_assert_int_eq(transact(&a, &r, &w, EVM_OSAKA, &tx), RC_REFUSED);
    tx = good, tx.nonce = 4;
    ck_assert_int_eq(transact(&a, &r, &w, EVM_OSAKA, &tx), RC_REFUSED);
    tx = good, tx.max_fee = u256_of(6);
    ck_assert_int_eq(transact(&a, &r, &w, EVM_OSAKA, &tx), RC_REFUSED);
    tx = good, tx.max_priority_fee = u256_of(11);
    ck_assert_int_eq(transact(&a, &r, &w, EVM_OSAKA, &tx), RC_REFUSED);
    tx = good, tx.max_fee = u256_of(21);
    ck_assert_int_eq(transact(&a, &r, &w, EVM_OSAKA, &tx), RC_REFUSED);
    tx = good, tx.max_fee = (u256_t){ { 0, 0, 0, UINT64_MAX } };
    ck_assert_int_eq(transact(&a, &r, &w, EVM_OSAKA, &tx), RC_REFUSED);
    tx = good, tx.gas = 20999;
    ck_assert_int_eq(transact(&a, &r, &w, EVM_OSAKA, &tx), RC_REFUSED);
    tx = good, tx.type = 5;
    ck_assert_int_eq(transact(&a, &r, &w, EVM_OSAKA, &tx), RC_REFUSED);
    tx = good, tx.type = 3; /* no blobs */
    ck_assert_int_eq(transact(&a, &r, &w, EVM_OSAKA, &tx), RC_REFUSED);
    tx = good, tx.type = 4; /* no authorizations */
    ck_assert_int_eq(transact(&a, &r, &w, EVM_OSAKA, &tx), RC_REFUSED);
    ck_assert_int_eq(transact(&a, &r, &w, EVM_BERLIN, &good), RC_REFUSED); /* type 2 came with London */
    tx = good, tx.from = at(OTHER), tx.nonce = 0;
    w.other_code = code_of(&a, "00"); /* EIP-3607 */
    ck_assert_int_eq(transact(&a, &r, &w, EVM_OSAKA, &tx), RC_REFUSED);
    w.balance = (u256_t){ { 0, 1 } };
    tx = good, tx.gas = (1u << 24) + 1; /* EIP-7825 */
    ck_assert_int_eq(transact(&a, &r, &w, EVM_OSAKA, &tx), RC_REFUSED);
    ck_assert_uint_eq(r.change_count, 77);
    ck_assert_int_eq(transact(&a, &r, &w, EVM_PRAGUE, &tx), RC_OK);
    evm_result_t result; /* a call is not limited by it */
    ck_assert_int_eq(call(&a, &result, &w, EVM_OSAKA, &tx), RC_OK);
    arena_free(&a);
}
END_TEST

START_TEST(selfdestruct_deletes_before_cancun_and_only_moves_after)
{
    arena_t a;
    arena_init(&a, ARENA_LIMIT);
    world_t w = { .balance = u256_of(100000000) };
    evm_receipt_t r;
    evm_tx_t tx = tx_of(100000);
    tx.gas_price = u256_of(10);
    w.code = code_of(&a, OTHER_ADDR "ff");
    ck_assert_int_eq(transact(&a, &r, &w, EVM_SHANGHAI, &tx), RC_OK);
    ck_assert(change_at(&r, MAIN)->deleted);
    ck_assert_uint_eq(change_at(&r, OTHER)->account.balance.w[0], 200000000);
    ck_assert_int_eq(transact(&a, &r, &w, EVM_CANCUN, &tx), RC_OK);
    ck_assert(!change_at(&r, MAIN)->deleted);
    ck_assert_uint_eq(change_at(&r, MAIN)->account.balance.w[0], 0);
    ck_assert_uint_eq(change_at(&r, OTHER)->account.balance.w[0], 200000000);
    arena_free(&a);
}
END_TEST

int main(void)
{
    return UNIT_RUN("transact", addresses_of_created_contracts_match_known_answers,
                    schedules_change_exactly_at_their_times, rules_that_are_too_new_are_unsupported,
                    blob_fee_matches_known_answers, transaction_moves_fees_tip_and_value,
                    a_transaction_at_each_bound_is_taken, invalid_transactions_are_refused,
                    selfdestruct_deletes_before_cancun_and_only_moves_after);
}
