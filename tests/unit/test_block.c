/* Whole blocks: headers after their parents, what a block does to the state, and each thing that a header can say
 * wrongly about its block. */
#include "base/crypto/ecdsa.h"
#include "base/crypto/hash.h"
#include "base/hex.h"
#include "lightclient/exec/block.h"
#include "lightclient/exec/layer.h"
#include "lightclient/exec/world.h"
#include "lightclient/rlp/rlp.h"
#include "tests/unit/unit.h"

#define GWEI 1000000000ull
#define BLOB_GAS 131072u
#define DEPOSIT_LOG_LEN 576u

/* keccak256(rlp([])), and sha256 of nothing: no requests (EIP-7685). */
#define NO_OMMERS "1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"
#define NO_REQUESTS "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* System contracts, and the deposit contract of mainnet. */
#define BEACON_ROOTS "000f3df6d732807ef1319fb7b8bb8522d0beac02"
#define HISTORY "0000f90827f1c53a10cb7a02335b175320002935"
#define WITHDRAWALS "00000961ef480eb55e80d19ad83579a64c007002"
#define CONSOLIDATIONS "0000bbddc7ce488642fb579f8b00f3a590007251"
#define DEPOSITS "00000000219ab540356cbb839cbe05303d7705fa"

/* Code: the first word of the input into slot 0; nothing; one byte 0x07 returned; invalid; the input as one log with
 * the topic of a deposit. */
#define CODE_STORE "5f355f55"
#define CODE_STOP "00"
#define CODE_SEVEN "60075f5360015ff3"
#define CODE_FAIL "fe"
#define CODE_LOG "365f5f377f649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5365fa1"

static const evm_schedule_row_t osaka = { 0, { EVM_OSAKA, 6, 9, 5007716, NULL } };
static const evm_schedule_row_t cancun = { 0, { EVM_CANCUN, 3, 6, 3338477, NULL } };
static evm_chain_t chain;

static arena_t arena, scratch;
static ex_world_t world;
static evm_host_t host;
static ex_header_t parent;
static hash32_t parent_hash;
static ex_full_block_t block; /* valid, empty, of Osaka */

static hash32_t hash_of(const char *hex)
{
    hash32_t h;
    ck_assert_int_eq(hex_decode_exact(h.b, sizeof h.b, hex, strlen(hex)), RC_OK);
    return h;
}

static addr_t addr_of(const char *hex)
{
    addr_t a;
    ck_assert_int_eq(hex_decode_exact(a.b, sizeof a.b, hex, strlen(hex)), RC_OK);
    return a;
}

static void set_account(const char *addr, const char *code_hex, uint64_t balance_gwei)
{
    uint8_t code[64];
    size_t n = 0;
    u256_t gwei = u256_of(GWEI), balance = u256_of(balance_gwei);
    ck_assert_int_eq(hex_decode(code, &n, sizeof code, code_hex, strlen(code_hex)), RC_OK);
    evm_change_t c = { .addr = addr_of(addr), .account.exists = true, .code = view_of(code, n), .code_changed = true };
    c.account.balance = u256_mul(&balance, &gwei);
    keccak256(&c.account.code_hash, c.code);
    ck_assert_int_eq(ex_world_apply(&world, &c, 1), RC_OK);
}

/* The root after the block, or (NULL) that of the state as it is. */
static hash32_t root_after(const ex_executed_t *done)
{
    ex_world_t after = world;
    hash32_t root;
    if (done)
        ck_assert_int_eq(ex_world_apply(&after, done->changes, done->change_count), RC_OK);
    ck_assert_int_eq(ex_world_root(&root, &after), RC_OK);
    return root;
}

static rc_t state_root(void *ctx, hash32_t *out, const evm_change_t *changes, size_t count)
{
    ex_world_t after = *(const ex_world_t *)ctx;
    rc_t rc = ex_world_apply(&after, changes, count);
    return rc ? rc : ex_world_root(out, &after);
}

static rc_t run(ex_executed_t *done, err_t *e, bool compare_state)
{
    const ex_block_config_t config = { &chain, addr_of(DEPOSITS), &host, compare_state ? state_root : NULL };
    return ex_block_execute(done, e, &arena, &scratch, &config, &block);
}

/* Makes the header's state root that of the block; all else must be right already. */
static void seal(void)
{
    ex_executed_t done;
    err_t e;
    ck_assert_msg(run(&done, &e, false) == RC_OK, "%s", e.text);
    block.header.state_root = root_after(&done);
}

static void setup(void)
{
    arena_init(&arena, (size_t)64 << 20);
    arena_init(&scratch, (size_t)64 << 20);
    chain = (evm_chain_t){ 1, &osaka, 1 };
    world = (ex_world_t){ .accounts.arena = &arena };
    host = ex_world_host(&world);
    set_account(BEACON_ROOTS, CODE_STORE, 0);
    set_account(HISTORY, CODE_STORE, 0);
    set_account(WITHDRAWALS, CODE_STOP, 0);
    set_account(CONSOLIDATIONS, CODE_STOP, 0);
    parent = (ex_header_t){ .number = 10, .gas_limit = 20000000, .gas_used = 10000000, .timestamp = 1000, .tail = 6 };
    parent.base_fee = u256_of(GWEI);
    parent.state_root = root_after(NULL);
    ex_header_hash(&parent_hash, &parent);
    block = (ex_full_block_t){ .has_withdrawals = true };
    block.header = parent;
    block.header.parent_hash = parent_hash;
    block.header.number = 11;
    block.header.timestamp = 1012;
    block.header.gas_used = 0;
    block.header.ommers_hash = hash_of(NO_OMMERS);
    block.header.transactions_root = block.header.receipts_root = EMPTY_TRIE_ROOT;
    block.header.withdrawals_root = EMPTY_TRIE_ROOT;
    block.header.parent_beacon_root.b[0] = 0xbe;
    block.header.requests_hash = hash_of(NO_REQUESTS);
    seal();
}

static void teardown(void)
{
    arena_free(&arena);
    arena_free(&scratch);
}

/* --- headers --- */

static rc_t follows(err_t *e)
{
    return ex_header_follows(e, &block.header, &parent, &parent_hash, &chain);
}

/* Field number i of the valid header made wrong; what is said about it. NULL: there are no more. */
static const char *spoil_header(ex_header_t *h, unsigned i)
{
    switch (i) {
    case 0: h->parent_hash.b[31] ^= 1; return "another parent";
    case 1: h->number++; return "number is not the parent's and one";
    case 2: h->number--; return "number is not the parent's and one";
    case 3: h->timestamp = parent.timestamp; return "not later than the parent";
    case 4: h->gas_limit += parent.gas_limit / 1024; return "gas limit too far from the parent's, or out of range";
    case 5: h->gas_limit -= parent.gas_limit / 1024; return "gas limit too far from the parent's, or out of range";
    case 6: h->gas_used = h->gas_limit + 1; return "gas used above the limit";
    case 7: h->tail = 5; return "fields of another fork";
    case 8: h->base_fee.w[0]++; return "another base fee";
    case 9: h->base_fee.w[3]++; return "another base fee";
    case 10: h->difficulty = u256_of(1); return "difficulty is not zero";
    case 11: h->nonce[7] = 1; return "nonce is not zero";
    case 12: h->ommers_hash.b[0] ^= 1; return "ommers";
    case 13: h->blob_gas_used = 1; return "blob gas used out of range";
    case 14: h->blob_gas_used = 10 * BLOB_GAS; return "blob gas used out of range";
    case 15: h->excess_blob_gas = 1; return "another excess blob gas";
    default: return NULL;
    }
}

START_TEST(each_wrong_field_of_a_header_is_refused_with_its_reason)
{
    const ex_header_t good = block.header;
    err_t e;
    const char *want;
    ck_assert_int_eq(follows(&e), RC_OK);
    for (unsigned i = 0; (want = spoil_header(&block.header, i)); i++, block.header = good) {
        ck_assert_int_eq(follows(&e), RC_REFUSED);
        ck_assert_str_eq(e.text, want);
    }
}
END_TEST

START_TEST(the_gas_limit_moves_by_less_than_a_1024th_and_stays_above_5000)
{
    err_t e;
    block.header.gas_limit = parent.gas_limit + parent.gas_limit / 1024 - 1;
    ck_assert_int_eq(follows(&e), RC_OK);
    block.header.gas_limit = parent.gas_limit - parent.gas_limit / 1024 + 1;
    ck_assert_int_eq(follows(&e), RC_OK);
    parent.gas_limit = block.header.gas_limit = 5000;
    parent.gas_used = 2500;
    ck_assert_int_eq(follows(&e), RC_OK);
    block.header.gas_limit = 4999;
    ck_assert_int_eq(follows(&e), RC_REFUSED);
}
END_TEST

/* go-ethereum's consensus/misc/eip1559 TestCalcBaseFee; the last row is the least step up (EIP-1559). */
START_TEST(base_fees_match_known_answers)
{
    static const struct {
        uint64_t parent_fee, used, fee;
    } rows[] = {
        { GWEI, 10000000, GWEI }, { GWEI, 9000000, 987500000 }, { GWEI, 11000000, 1012500000 }, { 1, 10000001, 2 }
    };
    err_t e;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        parent.base_fee = u256_of(rows[i].parent_fee);
        parent.gas_used = rows[i].used;
        block.header.base_fee = u256_of(rows[i].fee);
        ck_assert_msg(follows(&e) == RC_OK, "row %zu: %s", i, e.text);
        block.header.base_fee = u256_of(rows[i].fee - 1);
        ck_assert_int_eq(follows(&e), RC_REFUSED);
    }
}
END_TEST

/* By hand from EIP-4844 and EIP-7918, with target 6 and maximum 9: below the target nothing is left; above it the
 * rest; where execution gas is so dear that the reserve price counts, a third of what was used is added. */
START_TEST(excess_blob_gas_matches_known_answers)
{
    static const struct {
        uint64_t base_fee, excess, blobs, want;
    } rows[] = { { 1, 0, 5, 0 },
                 { 1, 0, 6, 0 },
                 { 1, 0, 9, 3 * BLOB_GAS },
                 { 1, 10 * BLOB_GAS, 0, 4 * BLOB_GAS },
                 { 16, 10 * BLOB_GAS, 0, 4 * BLOB_GAS },
                 { 17, 10 * BLOB_GAS, 0, 10 * BLOB_GAS },
                 { 17, 10 * BLOB_GAS, 1, 10 * BLOB_GAS + 43690 },
                 { 17, 10 * BLOB_GAS, 9, 13 * BLOB_GAS } };
    err_t e;
    parent.gas_used = parent.gas_limit / 2;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        parent.base_fee = block.header.base_fee = u256_of(rows[i].base_fee);
        parent.excess_blob_gas = rows[i].excess;
        parent.blob_gas_used = rows[i].blobs * BLOB_GAS;
        block.header.excess_blob_gas = rows[i].want;
        ck_assert_msg(follows(&e) == RC_OK, "row %zu: %s", i, e.text);
        block.header.excess_blob_gas++;
        ck_assert_int_eq(follows(&e), RC_REFUSED);
    }
}
END_TEST

START_TEST(the_first_block_of_a_fork_follows_one_with_fewer_fields)
{
    err_t e;
    parent.tail = 2; /* Shanghai: no blobs yet */
    parent.excess_blob_gas = 77;
    ck_assert_int_eq(follows(&e), RC_OK);
    parent.tail = 0;
    ck_assert_int_eq(follows(&e), RC_REFUSED);
    ck_assert_str_eq(e.text, "parent is older than London");
}
END_TEST

START_TEST(rules_that_are_too_new_are_unsupported)
{
    static const evm_schedule_row_t newer = { 0, { EVM_FORKS, 6, 9, 5007716, NULL } };
    err_t e;
    ex_executed_t done;
    chain.rows = &newer;
    ck_assert_int_eq(follows(&e), RC_UNSUPPORTED);
    ck_assert_int_eq(run(&done, &e, true), RC_UNSUPPORTED);
}
END_TEST

/* --- bodies --- */

/* What the header says about the block, made wrong. */
static const char *spoil_block(ex_header_t *h, unsigned i)
{
    switch (i) {
    case 0: h->transactions_root.b[0] ^= 1; return "another transactions root";
    case 1: h->withdrawals_root.b[0] ^= 1; return "another withdrawals root";
    case 2: h->gas_used = 21000; return "another gas used";
    case 3: h->blob_gas_used = BLOB_GAS; return "another blob gas used";
    case 4: h->logs_bloom[255] = 1; return "another logs bloom";
    case 5: h->receipts_root.b[0] ^= 1; return "another receipts root";
    case 6: h->requests_hash.b[0] ^= 1; return "another requests hash";
    case 7: h->state_root.b[0] ^= 1; return "another state root";
    default: return NULL;
    }
}

START_TEST(each_wrong_statement_about_the_block_is_refused_with_its_reason)
{
    const ex_header_t good = block.header;
    err_t e;
    const char *want;
    ex_executed_t done = { .change_count = 77 };
    for (unsigned i = 0; (want = spoil_block(&block.header, i)); i++, block.header = good) {
        ck_assert_int_eq(run(&done, &e, true), RC_REFUSED);
        ck_assert_str_eq(e.text, want);
        ck_assert_uint_eq(done.change_count, 77);
    }
    ck_assert_int_eq(run(&done, &e, true), RC_OK);
}
END_TEST

static const evm_change_t *change_of(const ex_executed_t *done, const char *addr)
{
    const addr_t want = addr_of(addr);
    for (size_t i = 0; i < done->change_count; i++)
        if (addr_eq(&done->changes[i].addr, &want))
            return &done->changes[i];
    return NULL;
}

static void expect_slot(const ex_executed_t *done, const char *addr, const hash32_t *value)
{
    const evm_change_t *c = change_of(done, addr);
    u256_t want = u256_from_be32(value->b);
    ck_assert_ptr_nonnull(c);
    ck_assert_uint_eq(c->slot_count, 1);
    ck_assert(u256_eq(&c->slots[0].value, &want));
}

START_TEST(a_block_begins_with_its_system_calls)
{
    ex_executed_t done;
    err_t e;
    ck_assert_int_eq(run(&done, &e, true), RC_OK);
    expect_slot(&done, BEACON_ROOTS, &block.header.parent_beacon_root);
    expect_slot(&done, HISTORY, &block.header.parent_hash);
}
END_TEST

START_TEST(system_contracts_must_be_there_and_succeed_only_after_the_transactions)
{
    ex_executed_t done;
    err_t e;
    set_account(BEACON_ROOTS, CODE_FAIL, 0);
    set_account(HISTORY, "", 0);
    seal();
    set_account(CONSOLIDATIONS, CODE_FAIL, 0);
    ck_assert_int_eq(run(&done, &e, true), RC_REFUSED);
    ck_assert_str_eq(e.text, "a system call fails");
    set_account(CONSOLIDATIONS, CODE_STOP, 0);
    set_account(WITHDRAWALS, "", 0);
    ck_assert_int_eq(run(&done, &e, true), RC_REFUSED);
    ck_assert_str_eq(e.text, "a system contract is missing");
}
END_TEST

START_TEST(withdrawals_are_paid_in_gwei_and_an_empty_account_is_not_made)
{
    static const char *const receivers[] = { "1000000000000000000000000000000000000001",
                                             "1000000000000000000000000000000000000002" };
    const ex_withdrawal_t list[] = { { 5, 6, addr_of(receivers[0]), 3 },
                                     { 7, 8, addr_of(receivers[1]), 0 },
                                     { 9, 8, addr_of(receivers[0]), 4 } };
    uint8_t rows[3][64];
    view_t views[3];
    ex_executed_t done;
    err_t e;
    for (size_t i = 0; i < 3; i++) {
        wr_t w = wr_of(rows[i], sizeof rows[i]);
        rlp_put_u64(&w, list[i].index);
        rlp_put_u64(&w, list[i].validator);
        rlp_put_bytes(&w, view_of(list[i].addr.b, 20));
        rlp_put_u64(&w, list[i].amount);
        rlp_wrap_list(&w, 0);
        views[i] = wr_view(&w);
    }
    block.withdrawals = list;
    block.withdrawal_count = 3;
    ck_assert_int_eq(mpt_list_root(&block.header.withdrawals_root, views, 3, &scratch), RC_OK);
    seal();
    ck_assert_int_eq(run(&done, &e, true), RC_OK);
    u256_t want = u256_of(7 * GWEI);
    ck_assert(u256_eq(&change_of(&done, receivers[0])->account.balance, &want));
    ck_assert(change_of(&done, receivers[1])->deleted);
    block.has_withdrawals = false;
    ck_assert_int_eq(run(&done, &e, true), RC_REFUSED);
    ck_assert_str_eq(e.text, "withdrawals of another fork");
}
END_TEST

/* EIP-7934: 8 MiB, from Osaka on. */
START_TEST(a_block_has_a_maximal_length_from_osaka_on)
{
    ex_executed_t done;
    err_t e;
    block.rlp_len = (size_t)8 << 20;
    ck_assert_int_eq(run(&done, &e, true), RC_OK);
    block.rlp_len++;
    ck_assert_int_eq(run(&done, &e, true), RC_REFUSED);
    ck_assert_str_eq(e.text, "block too long");
}
END_TEST

/* --- transactions, requests --- */

static uint8_t tx_room[1024];
static view_t txs[2];

/* A signed legacy transaction of chain 1 to the deposit contract; its sender has funds. */
static void put_transaction(uint64_t nonce, uint64_t gas, view_t data)
{
    static const uint8_t seed[32] = { 1 }, secret[32] = { 7 };
    uint8_t sig[64], key33[33], key[64];
    char sender[41];
    hash32_t digest;
    int parity;
    wr_t w;
    const addr_t to = addr_of(DEPOSITS);
    u256_t price = u256_of(GWEI);
    ecdsa_t *e = ecdsa_new(seed);
    ck_assert_ptr_nonnull(e);
    for (int is_signed = 0; is_signed < 2; is_signed++) {
        w = wr_of(tx_room, sizeof tx_room);
        rlp_put_u64(&w, nonce);
        rlp_put_u256(&w, &price);
        rlp_put_u64(&w, gas);
        rlp_put_bytes(&w, view_of(to.b, 20));
        rlp_put_u64(&w, 0);
        rlp_put_bytes(&w, data);
        rlp_put_u64(&w, is_signed ? 37 + (uint64_t)parity : 1);
        u256_t r = u256_from_be32(sig), s = u256_from_be32(sig + 32), zero = u256_of(0);
        rlp_put_u256(&w, is_signed ? &r : &zero);
        rlp_put_u256(&w, is_signed ? &s : &zero);
        rlp_wrap_list(&w, 0);
        keccak256(&digest, wr_view(&w));
        if (!is_signed)
            ck_assert_int_eq(ecdsa_sign(e, sig, &parity, &digest, secret), RC_OK);
    }
    ck_assert_int_eq(ecdsa_pubkey(e, key33, secret), RC_OK);
    ck_assert_int_eq(ecdsa_uncompress(e, key, key33), RC_OK);
    ecdsa_free(e);
    addr_t from;
    ecdsa_address(&from, key);
    hex_encode(sender, view_of(from.b, 20));
    set_account(sender, "", 1000000000);
    txs[0] = txs[1] = wr_view(&w);
    block.transactions = txs;
    block.transaction_count = 1;
    ck_assert_int_eq(mpt_list_root(&block.header.transactions_root, txs, 1, &scratch), RC_OK);
}

/* The receipt of one transaction that succeeded without logs: [1, 21000, 256 zeros, []]. */
static void expect_plain_receipt(void)
{
    uint8_t receipt[267] = { 0xf9, 0x01, 0x08, 0x01, 0x82, 0x52, 0x08, 0xb9, 0x01, 0x00, [266] = 0xc0 };
    const view_t v = view_of(receipt, sizeof receipt);
    block.header.gas_used = 21000;
    ck_assert_int_eq(mpt_list_root(&block.header.receipts_root, &v, 1, &scratch), RC_OK);
}

START_TEST(a_transaction_leaves_its_receipt_and_outcome)
{
    ex_executed_t done;
    err_t e;
    put_transaction(0, 21000, view_of(NULL, 0));
    expect_plain_receipt();
    seal();
    ck_assert_int_eq(run(&done, &e, true), RC_OK);
    ck_assert_uint_eq(done.outcomes[0].gas_used, 21000);
    ck_assert(done.outcomes[0].success);
}
END_TEST

static void expect_refusal(const char *want)
{
    ex_executed_t done;
    err_t e;
    rc_t rc = run(&done, &e, true);
    ck_assert_msg(rc_blames_input(rc) && !strcmp(e.text, want), "%s, not %s", e.text, want);
}

START_TEST(an_invalid_transaction_makes_the_block_invalid)
{
    put_transaction(1, 21000, view_of(NULL, 0));
    expect_refusal("nonce is not the sender's");
    put_transaction(0, 20999, view_of(NULL, 0));
    expect_refusal("intrinsic gas above the gas limit");
    put_transaction(0, (1u << 24) + 1, view_of(NULL, 0)); /* EIP-7825 */
    expect_refusal("gas limit above the maximum of a transaction");
    put_transaction(0, 1u << 24, view_of(NULL, 0));
    block.header.gas_limit = (1u << 24) + 20999;
    block.transaction_count = 2; /* the second finds 21000 less */
    ck_assert_int_eq(mpt_list_root(&block.header.transactions_root, txs, 2, &scratch), RC_OK);
    expect_refusal("gas limit above what the block has left");
    txs[0].n = 0;
    expect_refusal("an empty transaction");
    txs[0] = view_of(tx_room, 5);
    block.transaction_count = 1;
    ck_assert_int_eq(mpt_list_root(&block.header.transactions_root, txs, 1, &scratch), RC_OK);
    expect_refusal("not one RLP list");
}
END_TEST

/* The requests hash of a block that has only requests of one kind. */
static hash32_t hash_of_one(uint8_t kind, view_t bytes)
{
    hash32_t inner, out;
    const view_t parts[] = { view_of(&kind, 1), bytes };
    sha256_parts(&inner, parts, 2);
    sha256(&out, view_of(inner.b, sizeof inner.b));
    return out;
}

START_TEST(what_the_system_contracts_return_is_in_the_requests_hash)
{
    static const uint8_t seven = 7;
    ex_executed_t done;
    err_t e;
    set_account(WITHDRAWALS, CODE_SEVEN, 0);
    block.header.requests_hash = hash_of_one(1, view_of(&seven, 1));
    seal();
    ck_assert_int_eq(run(&done, &e, true), RC_OK);
    set_account(WITHDRAWALS, CODE_STOP, 0);
    set_account(CONSOLIDATIONS, CODE_SEVEN, 0);
    expect_refusal("another requests hash");
    block.header.requests_hash = hash_of_one(2, view_of(&seven, 1));
    seal();
    ck_assert_int_eq(run(&done, &e, true), RC_OK);
}
END_TEST

/* The event of the deposit contract: five offsets, then each string after its length (EIP-6110). */
static void make_deposit(uint8_t log[DEPOSIT_LOG_LEN], uint8_t packed[192])
{
    static const struct {
        size_t at, len;
    } parts[] = { { 160, 48 }, { 256, 32 }, { 320, 8 }, { 384, 96 }, { 512, 8 } };
    size_t n = 0;
    memset(log, 0, DEPOSIT_LOG_LEN);
    for (size_t i = 0; i < 5; i++) {
        log[32 * i + 30] = (uint8_t)(parts[i].at >> 8);
        log[32 * i + 31] = (uint8_t)parts[i].at;
        log[parts[i].at + 31] = (uint8_t)parts[i].len;
        memset(log + parts[i].at + 32, (int)(0xa0 + i), parts[i].len);
        memset(packed + n, (int)(0xa0 + i), parts[i].len);
        n += parts[i].len;
    }
}

START_TEST(deposits_are_in_the_requests_hash_and_another_layout_is_refused)
{
    uint8_t log[DEPOSIT_LOG_LEN], packed[192];
    make_deposit(log, packed);
    set_account(DEPOSITS, CODE_LOG, 0);
    put_transaction(0, 200000, view_of(log, sizeof log));
    expect_refusal("another requests hash");
    block.header.requests_hash = hash_of_one(0, view_of(packed, sizeof packed));
    expect_refusal("another gas used"); /* which comes after the requests */
    log[63] ^= 1;
    put_transaction(0, 200000, view_of(log, sizeof log));
    expect_refusal("a deposit event has another layout");
    put_transaction(0, 200000, view_of(log, sizeof log - 1));
    expect_refusal("a deposit event has another layout");
}
END_TEST

/* Calls itself, where it logs a deposit's topic and reverts; then logs without a topic, in the place of the first. */
#define CODE_UNDONE_LOG                                                                                                \
    "333014601357"                                                                                                     \
    "5f5f5f5f5f305af150"                                                                                               \
    "5f5fa000"                                                                                                         \
    "5b7f649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c55f5fa15f5ffd"

START_TEST(a_log_without_a_topic_is_no_deposit_whatever_stood_in_its_place)
{
    set_account(DEPOSITS, CODE_UNDONE_LOG, 0);
    put_transaction(0, 200000, view_of(NULL, 0));
    expect_refusal("another gas used"); /* the requests are none, as the header says */
}
END_TEST

START_TEST(before_prague_nobody_looks_for_requests)
{
    ex_executed_t done;
    err_t e;
    chain.rows = &cancun;
    set_account(WITHDRAWALS, CODE_FAIL, 0);
    seal();
    ck_assert_int_eq(run(&done, &e, true), RC_OK);
    ck_assert_ptr_null(change_of(&done, HISTORY));
}
END_TEST

/* --- several transactions on one state --- */

static u256_t slot_seen(const evm_host_t *over, const addr_t *addr)
{
    static const hash32_t zero;
    u256_t value;
    ck_assert_int_eq(over->storage(over->ctx, &value, addr, &zero), RC_OK);
    return value;
}

/* Slot 0 is 5 below; it is set to 6, the account is destroyed, made again with slot 1, and slot 0 is set to 7. */
START_TEST(later_transactions_see_what_earlier_ones_did_to_an_account)
{
    const char *const name = "1000000000000000000000000000000000000001";
    const addr_t addr = addr_of(name);
    evm_slot_t slots[] = {
        { .value = u256_of(5) }, { .value = u256_of(6) }, { .value = u256_of(8) }, { .value = u256_of(7) }
    };
    slots[2].key.b[31] = 1;
    ex_layer_t o;
    set_account(name, CODE_STOP, 1);
    evm_change_t c = { .addr = addr, .slots = &slots[0], .slot_count = 1 };
    ck_assert_int_eq(host.account(host.ctx, &c.account, &addr), RC_OK);
    ck_assert_int_eq(ex_world_apply(&world, &c, 1), RC_OK);
    ck_assert_int_eq(ex_layer_init(&o, &arena, &host), RC_OK);
    evm_host_t over = ex_layer_host(&o);
    ck_assert_uint_eq(slot_seen(&over, &addr).w[0], 5);
    c.slots = &slots[1];
    ck_assert_int_eq(ex_layer_apply(&o, &c, 1), RC_OK);
    ck_assert_uint_eq(slot_seen(&over, &addr).w[0], 6);

    const evm_change_t gone = { .addr = addr, .deleted = true };
    evm_account_t account;
    bool empty;
    ck_assert_int_eq(ex_layer_apply(&o, &gone, 1), RC_OK);
    ck_assert_uint_eq(slot_seen(&over, &addr).w[0], 0);
    ck_assert_int_eq(over.account(over.ctx, &account, &addr), RC_OK);
    ck_assert(!account.exists && hash32_eq(&account.code_hash, &KECCAK_EMPTY));
    ck_assert_int_eq(over.storage_empty(over.ctx, &empty, &addr), RC_OK);
    ck_assert(empty);

    c.slots = &slots[2];
    c.storage_cleared = true;
    ck_assert_int_eq(ex_layer_apply(&o, &c, 1), RC_OK);
    ck_assert_uint_eq(slot_seen(&over, &addr).w[0], 0);
    c.slots = &slots[3];
    c.storage_cleared = false;
    ck_assert_int_eq(ex_layer_apply(&o, &c, 1), RC_OK);
    ck_assert_uint_eq(slot_seen(&over, &addr).w[0], 7);

    const evm_change_t *all;
    size_t count;
    ck_assert_int_eq(ex_layer_changes(&all, &count, &o), RC_OK);
    ck_assert_uint_eq(count, 1);
    ck_assert(!all[0].deleted && all[0].storage_cleared);
    ck_assert_uint_eq(all[0].slot_count, 2);
}
END_TEST

/* Creates an account with code and two slots, then looks at all that changed; in an arena of `limit` bytes. */
static rc_t overlay_within(size_t limit, const addr_t *addr)
{
    static const uint8_t code[100] = { 0x5f, [99] = 0x5e };
    evm_slot_t slots[] = { { .value = u256_of(6) }, { .key = { { 1 } }, .value = u256_of(8) } };
    evm_change_t c = { .addr = *addr,
                       .account = { .exists = true, .nonce = 9, .code_hash = { { 1 } } },
                       .code = view_of(code, sizeof code),
                       .code_changed = true,
                       .slots = slots,
                       .slot_count = 2 };
    arena_t a;
    ex_layer_t o;
    evm_account_t account;
    view_t seen;
    const evm_change_t *all;
    size_t count;
    arena_init(&a, limit);
    rc_t rc = ex_layer_init(&o, &a, &host);
    if (!rc)
        rc = ex_layer_apply(&o, &c, 1);
    if (!rc)
        rc = ex_layer_changes(&all, &count, &o);
    if (!rc) {
        evm_host_t over = ex_layer_host(&o);
        ck_assert_uint_eq(slot_seen(&over, addr).w[0], 6);
        ck_assert_int_eq(over.account(over.ctx, &account, addr), RC_OK);
        ck_assert_uint_eq(account.nonce, 9);
        ck_assert_int_eq(over.code(over.ctx, &seen, addr, &account.code_hash), RC_OK);
        ck_assert(view_eq(seen, view_of(code, sizeof code)));
        ck_assert_uint_eq(count, 1);
        ck_assert_uint_eq(all[0].slot_count, 2);
        ck_assert(view_eq(all[0].code, seen));
    }
    arena_free(&a);
    return rc;
}

START_TEST(a_layer_without_enough_memory_says_so)
{
    const addr_t addr = addr_of("1000000000000000000000000000000000000002");
    size_t low = 0, high = 1 << 20;
    ck_assert_int_eq(overlay_within(high, &addr), RC_OK);
    while (high - low > 1) { /* the least that suffices */
        size_t limit = (low + high) / 2;
        *(overlay_within(limit, &addr) ? &low : &high) = limit;
    }
    for (size_t limit = high > 4000 ? high - 4000 : 0; limit < high; limit += 8)
        ck_assert_int_eq(overlay_within(limit, &addr), RC_NOMEM);
    ck_assert_int_eq(overlay_within(0, &addr), RC_NOMEM);
    ck_assert_int_eq(overlay_within(high, &addr), RC_OK);
}
END_TEST

static bool time_is_over;

static bool when_over(void *ctx)
{
    (void)ctx;
    return time_is_over;
}

START_TEST(a_layer_is_late_when_what_is_below_is)
{
    ex_layer_t o;
    evm_host_t below = host;
    ck_assert_int_eq(ex_layer_init(&o, &arena, &below), RC_OK);
    evm_host_t over = ex_layer_host(&o);
    below.expired = NULL;
    ck_assert(!over.expired(over.ctx));
    below.expired = when_over;
    time_is_over = false;
    ck_assert(!over.expired(over.ctx));
    time_is_over = true;
    ck_assert(over.expired(over.ctx));
}
END_TEST

/* What is below has storage that the layer does not show. */
static rc_t storage_below(void *ctx, bool *out, const addr_t *addr)
{
    (void)ctx, (void)addr;
    *out = false;
    return RC_OK;
}

START_TEST(storage_is_empty_when_neither_the_layer_nor_what_is_below_has_any)
{
    const addr_t addr = addr_of("1000000000000000000000000000000000000003");
    evm_host_t below = host;
    for (int row = 0; row < 8; row++) {
        bool full_below = row & 1, cleared = row & 2, set = row & 4, empty;
        evm_slot_t slots[] = { { .value = u256_of(0) }, { .key = { { 1 } }, .value = u256_of(set) } };
        const evm_change_t c = { .addr = addr, .storage_cleared = cleared, .slots = slots, .slot_count = 2 };
        ex_layer_t o;
        below.storage_empty = full_below ? storage_below : NULL;
        ck_assert_int_eq(ex_layer_init(&o, &arena, &below), RC_OK);
        evm_host_t over = ex_layer_host(&o);
        ck_assert_int_eq(over.storage_empty(over.ctx, &empty, &addr), RC_OK);
        ck_assert_int_eq(empty, !full_below); /* untouched */
        ck_assert_int_eq(ex_layer_apply(&o, &c, 1), RC_OK);
        ck_assert_int_eq(over.storage_empty(over.ctx, &empty, &addr), RC_OK);
        ck_assert_msg(empty == (!set && (cleared || !full_below)), "row %d", row);
    }
}
END_TEST

/* --- RLP --- */

static view_t encode_block(wr_t *w, bool ommer, bool withdrawals)
{
    static const uint8_t transactions[] = { 0xc3, 0x01, 0xc1, 0x05 }; /* an envelope of one byte, and a legacy one */
    ex_header_encode(w, &block.header);
    wr_bytes(w, transactions, sizeof transactions);
    if (ommer) {
        rlp_put_list_prefix(w, 1);
        rlp_put_list_prefix(w, 0);
    } else {
        rlp_put_list_prefix(w, 0);
    }
    if (withdrawals) {
        size_t began = w->n, row = w->n;
        static const addr_t addr = { { 9 } };
        rlp_put_u64(w, 1);
        rlp_put_u64(w, 2);
        rlp_put_bytes(w, view_of(addr.b, 20));
        rlp_put_u64(w, 3);
        rlp_wrap_list(w, row);
        rlp_wrap_list(w, began);
    }
    rlp_wrap_list(w, 0);
    ck_assert(!w->bad);
    return wr_view(w);
}

START_TEST(a_block_decodes_from_rlp_and_no_truncation_of_it)
{
    uint8_t buf[2048];
    ex_full_block_t got = { .rlp_len = 77 };
    err_t e;
    wr_t w = wr_of(buf, sizeof buf);
    view_t v = encode_block(&w, false, true);
    for (size_t n = 0; n < v.n; n++) {
        ck_assert_int_eq(ex_block_decode(&got, &e, &arena, view_of(buf, n)), RC_MALFORMED);
        ck_assert_uint_eq(got.rlp_len, 77);
    }
    ck_assert_msg(ex_block_decode(&got, &e, &arena, v) == RC_OK, "%s", e.text);
    hash32_t hash;
    ex_header_hash(&hash, &block.header);
    ck_assert(hash32_eq(&got.hash, &hash));
    ck_assert_uint_eq(got.rlp_len, v.n);
    ck_assert_uint_eq(got.transaction_count, 2);
    ck_assert_uint_eq(got.transactions[0].n, 1);
    ck_assert_uint_eq(got.transactions[1].n, 2);
    ck_assert(got.has_withdrawals);
    ck_assert_uint_eq(got.withdrawal_count, 1);
    ck_assert_uint_eq(got.withdrawals[0].validator, 2);
    ck_assert_uint_eq(got.withdrawals[0].amount, 3);
}
END_TEST

START_TEST(a_block_with_ommers_or_too_many_bytes_is_refused)
{
    uint8_t buf[2048];
    ex_full_block_t got;
    err_t e;
    wr_t w = wr_of(buf, sizeof buf);
    view_t v = encode_block(&w, true, false);
    ck_assert_int_eq(ex_block_decode(&got, &e, &arena, v), RC_REFUSED);
    ck_assert_str_eq(e.text, "ommers");
    uint8_t *large = calloc(1, EX_BLOCK_RLP_MAX + 1);
    ck_assert_ptr_nonnull(large);
    ck_assert_int_eq(ex_block_decode(&got, &e, &arena, view_of(large, EX_BLOCK_RLP_MAX + 1)), RC_LIMIT);
    free(large);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND(
        "block", setup, teardown, each_wrong_field_of_a_header_is_refused_with_its_reason,
        the_gas_limit_moves_by_less_than_a_1024th_and_stays_above_5000, base_fees_match_known_answers,
        excess_blob_gas_matches_known_answers, the_first_block_of_a_fork_follows_one_with_fewer_fields,
        rules_that_are_too_new_are_unsupported, each_wrong_statement_about_the_block_is_refused_with_its_reason,
        a_block_begins_with_its_system_calls, system_contracts_must_be_there_and_succeed_only_after_the_transactions,
        withdrawals_are_paid_in_gwei_and_an_empty_account_is_not_made, a_block_has_a_maximal_length_from_osaka_on,
        a_transaction_leaves_its_receipt_and_outcome, an_invalid_transaction_makes_the_block_invalid,
        what_the_system_contracts_return_is_in_the_requests_hash,
        deposits_are_in_the_requests_hash_and_another_layout_is_refused,
        a_log_without_a_topic_is_no_deposit_whatever_stood_in_its_place, before_prague_nobody_looks_for_requests,
        later_transactions_see_what_earlier_ones_did_to_an_account, a_layer_without_enough_memory_says_so,
        a_layer_is_late_when_what_is_below_is, storage_is_empty_when_neither_the_layer_nor_what_is_below_has_any,
        a_block_decodes_from_rlp_and_no_truncation_of_it, a_block_with_ommers_or_too_many_bytes_is_refused);
}
