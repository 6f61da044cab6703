/* Lies about fees, sizes, withdrawals and the past, told before each honest answer: every one is caught, accuses who told
 * it, and changes no answer. tests/unit/test_history.c has those about transactions and receipts,
 * tests/unit/test_http_client.c chunks that are cut. */
#include "tests/unit/chain_world.h"

static bool about_block(const need_t *need)
{
    return need->kind == NEED_BLOCK || need->kind == NEED_HEADER;
}

static bool other_base_fee(const need_t *need, answer_t *a)
{
    a->header.base_fee = a->block.header.base_fee = u256_of(8);
    return about_block(need);
}

static bool other_gas_used(const need_t *need, answer_t *a)
{
    a->header.gas_used = a->block.header.gas_used = 20999;
    return about_block(need);
}

static bool other_gas_limit(const need_t *need, answer_t *a)
{
    a->header.gas_limit = a->block.header.gas_limit = 60000000;
    return about_block(need);
}

/* Of another price, so of another tip. */
static bool other_price(const need_t *need, answer_t *a)
{
    static made_t m;
    make_transaction(&m, need->number ? need->number + 1000 : 1000);
    a->block.transactions = &m.tx;
    return need->kind == NEED_BLOCK;
}

/* Which gives the block another size. */
static bool one_more_transaction(const need_t *need, answer_t *a)
{
    static view_t all[2];
    if (need->kind != NEED_BLOCK)
        return false;
    all[0] = all[1] = a->block.transactions[0];
    a->block.transactions = all;
    a->block.transaction_count = 2;
    return true;
}

static bool no_transaction(const need_t *need, answer_t *a)
{
    a->block.transaction_count = 0;
    return need->kind == NEED_BLOCK;
}

static bool a_withdrawal(const need_t *need, answer_t *a)
{
    static const ex_withdrawal_t w = { .index = 1, .amount = 7 };
    a->block.withdrawals = &w;
    a->block.withdrawal_count = 1;
    return need->kind == NEED_BLOCK;
}

/* A reward is the tip of the transaction at a share of the gas. */
static bool other_gas_of_receipt(const need_t *need, answer_t *a)
{
    static view_t raw;
    ex_receipt_t r = { .success = true, .cumulative_gas = 21001, .log_count = 1 };
    if (need->kind != NEED_RECEIPTS)
        return false;
    r.logs = &named(need)->log;
    ex_bloom_add_logs(r.bloom, r.logs, 1);
    ck_assert_int_eq(ex_receipt_encode(&raw, &arena, &r), RC_OK);
    a->receipts = &raw;
    return true;
}

/* The history contract knows the block, and it is said that it does not. */
static bool zero_slot(const need_t *need, answer_t *a)
{
    if (need->kind != NEED_PROOF || !addr_eq(&need->addr, &HISTORY))
        return false;
    a->proof.slots[0].value = u256_of(0);
    return true;
}

/* The same with a proof of another slot, which is zero. */
static bool proof_of_a_zero_slot(const need_t *need, answer_t *a)
{
    static const hash32_t unused = { { 0xff } };
    if (need->kind != NEED_PROOF || !addr_eq(&need->addr, &HISTORY))
        return false;
    const u256_t key = a->proof.slots[0].key;
    a->proof = world_proof(world_of(need->block->env.number), &need->addr, &unused, 1);
    a->proof.slots[0].key = key;
    return true;
}

static bool no_proof_of_slot(const need_t *need, answer_t *a)
{
    if (need->kind != NEED_PROOF || !addr_eq(&need->addr, &HISTORY))
        return false;
    a->proof.slot_count = 0;
    return true;
}

static const struct {
    const char *method, *params;
    bool (*lie)(const need_t *need, answer_t *a);
} rows[] = {
    { "eth_feeHistory", "\"0xa\",\"latest\",[]", other_base_fee },
    { "eth_feeHistory", "\"0xa\",\"latest\",[]", other_gas_used },
    { "eth_feeHistory", "\"0xa\",\"latest\",[]", other_gas_limit },
    { "eth_feeHistory", "\"0xa\",\"latest\",[50]", other_price },
    { "eth_feeHistory", "\"0xa\",\"latest\",[50]", no_transaction },
    { "eth_feeHistory", "\"0xa\",\"latest\",[50]", other_gas_of_receipt },
    { "eth_gasPrice", "", other_price },
    { "eth_gasPrice", "", other_base_fee },
    { "eth_maxPriorityFeePerGas", "", no_transaction },
    { "eth_getBlockByNumber", "\"latest\",false", one_more_transaction },
    { "eth_getBlockByNumber", "\"latest\",false", no_transaction },
    { "eth_getBlockByNumber", "\"latest\",true", a_withdrawal },
    { "eth_getBlockByNumber", "\"latest\",true", other_base_fee },
    { "eth_getBlockByHash", "@HASH,false", one_more_transaction },
    { "eth_getBlockByHash", "@HASH,false", a_withdrawal },
    { "debug_getRawBlock", "\"latest\"", a_withdrawal },
    { "eth_getBlockByNumber", "@OLD,false", zero_slot },
    { "eth_getBlockByNumber", "@OLD,false", proof_of_a_zero_slot },
    { "eth_getBlockByNumber", "@OLD,false", no_proof_of_slot },
    { "eth_getBalance", "@A,@OLD", zero_slot },
    { "eth_getLogs", "{\"fromBlock\":@OLD,\"toBlock\":@OLD}", proof_of_a_zero_slot },
};

START_TEST(no_lie_changes_an_answer_and_each_is_told_of)
{
    make_chain();
    final = TOP; /* above it, another block may be one of another branch, which is nobody's lie */
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        lie = NULL;
        open_cache();
        (void)ask(rows[i].method, rows[i].params, TOP, NULL, NULL);
        ex_cache_free(cache);
        const hash32_t honest = said;
        lie = rows[i].lie;
        lies_told = lies_caught = 0;
        open_cache();
        (void)ask(rows[i].method, rows[i].params, TOP, NULL, NULL);
        ex_cache_free(cache);
        ck_assert_msg(lies_told > 0, "row %zu: nothing was told", i);
        ck_assert_msg(lies_caught == lies_told, "row %zu: %u of %u", i, lies_caught, lies_told);
        ck_assert_msg(hash32_eq(&honest, &said), "row %zu: another answer", i);
    }
    end_chain();
}
END_TEST

int main(void)
{
    return UNIT_RUN("method_lies", no_lie_changes_an_answer_and_each_is_told_of);
}
