/* evm: Amsterdam, EIP by EIP: what transactions and instructions cost, the two kinds of gas, transfer logs, limits. */
#include <check.h>
#include <stdio.h>

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "lightclient/evm/vm.h"
#include "tests/unit/unit.h"

#define ARENA_LIMIT ((size_t)256 << 20)
#define ACCOUNTS_MAX 8
#define CODE_TEXT_MAX 4096
#define ACCOUNT_GAS 183600 /* state gas of a new account, Sepolia's */
#define SLOT_GAS 97920
#define DELEGATION_GAS 35190

/* Accounts by the last byte of their address; the first is 0x10 and the others are zero. */
enum { SENDER = 0xcc, COINBASE = 0xdd, MAIN = 0xaa, OTHER = 0xbb, NOBODY = 0xee, FUNDED = 0xf0, AUTHORITY = 0xab };
#define ADDR(last) "7310000000000000000000000000000000000000" last /* PUSH20 */
#define RETURN_TOP "5f5260205ff3"
#define CALL_OTHER(value) "5f5f5f5f" value ADDR("bb") "5af1"

typedef struct {
    addr_t addr;
    uint64_t nonce, balance;
    uint64_t slot; /* value of every slot */
    view_t code;
} entry_t;

static arena_t arena;
static entry_t entries[ACCOUNTS_MAX];
static size_t entry_count;
static evm_rules_t rules;
static evm_block_t block;
static evm_tx_t tx;
static evm_receipt_t receipt;
static err_t error;

static addr_t at(uint8_t last)
{
    addr_t a = { { 0x10 } };
    a.b[19] = last;
    return a;
}

static const entry_t *find(const addr_t *addr)
{
    for (size_t i = 0; i < entry_count; i++)
        if (addr_eq(&entries[i].addr, addr))
            return &entries[i];
    return NULL;
}

static rc_t host_account(void *ctx, evm_account_t *out, const addr_t *addr)
{
    const entry_t *e = find(addr);
    (void)ctx;
    *out = (evm_account_t){ .code_hash = KECCAK_EMPTY };
    if (e) {
        *out = (evm_account_t){ .exists = true, .nonce = e->nonce, .balance = u256_of(e->balance) };
        keccak256(&out->code_hash, e->code);
    }
    return RC_OK;
}

static rc_t host_storage(void *ctx, u256_t *out, const addr_t *addr, const hash32_t *key)
{
    const entry_t *e = find(addr);
    (void)ctx, (void)key;
    *out = u256_of(e ? e->slot : 0);
    return RC_OK;
}

static rc_t host_code(void *ctx, view_t *out, const addr_t *addr, const hash32_t *hash)
{
    (void)ctx, (void)hash;
    *out = find(addr)->code;
    return RC_OK;
}

static rc_t host_storage_empty(void *ctx, bool *out, const addr_t *addr)
{
    const entry_t *e = find(addr);
    (void)ctx;
    *out = !e || !e->slot;
    return RC_OK;
}

static const evm_host_t host = { .account = host_account,
                                 .storage = host_storage,
                                 .code = host_code,
                                 .storage_empty = host_storage_empty,
                                 .seed = { 1, 2 } };

static view_t bytes_of(const char *hex)
{
    size_t n = strlen(hex) / 2;
    uint8_t *p = arena_alloc(&arena, n + 1);
    ck_assert(p && hex_decode_exact(p, n, hex, 2 * n) == RC_OK);
    return view_of(p, n);
}

static void has(uint8_t last, uint64_t balance, const char *code)
{
    ck_assert_uint_lt(entry_count, ACCOUNTS_MAX);
    entries[entry_count++] = (entry_t){ .addr = at(last), .balance = balance, .code = bytes_of(code) };
}

/* A sender with a balance, and MAIN with code; a transaction to MAIN that carries nothing. */
static void begin(const char *code)
{
    arena_free(&arena);
    arena_init(&arena, ARENA_LIMIT);
    entry_count = 0;
    has(SENDER, (uint64_t)1 << 62, "");
    has(MAIN, 1000, code);
    has(OTHER, 0, "00");
    has(FUNDED, 5, "");
    rules = (evm_rules_t){ EVM_AMSTERDAM, 14, 21, 11684671, NULL };
    block = (evm_block_t){ .number = 1000, .timestamp = 7, .gas_limit = 200000000, .chain_id = 1, .slot_number = 77 };
    block.coinbase = at(COINBASE);
    tx = (evm_tx_t){ .from = at(SENDER), .to = at(MAIN), .gas = 1000000 };
}

static rc_t transact(void)
{
    return evm_transact(&receipt, &error, &arena, &host, &rules, &block, &tx);
}

/* Gas used by a transaction that is valid. */
static uint64_t used(void)
{
    rc_t rc = transact();
    ck_assert_msg(rc == RC_OK, "%s", error.text);
    return receipt.result.gas_used;
}

/* Gas used beyond a transaction's 15000 by a program that ends without a fault. */
static uint64_t cost(const char *code)
{
    begin(code);
    uint64_t gas = used();
    ck_assert_msg(receipt.result.status == EVM_SUCCESS, "%s: %s", code, evm_halt_name(receipt.result.halt));
    return gas - 15000;
}

static uint64_t returned(void)
{
    ck_assert_uint_eq(receipt.result.output.n, 32);
    u256_t w = u256_from_be32(receipt.result.output.p);
    return u256_fits_u64(&w) ? w.w[0] : UINT64_MAX;
}

static const evm_change_t *change_of(const addr_t *addr)
{
    for (size_t i = 0; i < receipt.change_count; i++)
        if (addr_eq(&receipt.changes[i].addr, addr))
            return &receipt.changes[i];
    return NULL;
}

/* --- transactions: EIP-2780, EIP-7976, EIP-7981, EIP-7702 under EIP-8037 --- */

START_TEST(transactions_cost_what_their_accounts_do)
{
    begin("");
    tx.to = at(SENDER), tx.value = u256_of(1);
    ck_assert_uint_eq(used(), 12000);
    tx.to = at(OTHER), tx.value = u256_of(0);
    ck_assert_uint_eq(used(), 15000);
    tx.to = at(FUNDED), tx.value = u256_of(1);
    ck_assert_uint_eq(used(), 21000);
    tx.to = at(NOBODY);
    ck_assert_uint_eq(used(), 204600);
    ck_assert_uint_eq(receipt.result.block_execution_gas, 21000);
    ck_assert_uint_eq(receipt.result.block_state_gas, ACCOUNT_GAS);
    tx.create = true, tx.value = u256_of(0);
    ck_assert_uint_eq(used(), 207600);
    tx.value = u256_of(1); /* a creation pays nothing for the value */
    ck_assert_uint_eq(used(), 207600);
    addr_t made, from = at(SENDER);
    vm_create_address(&made, &from, 0);
    entries[entry_count++] = (entry_t){ .addr = made, .balance = 1 };
    ck_assert_uint_eq(used(), 24000);
}
END_TEST

START_TEST(delegated_receivers_data_and_access_lists_cost_more)
{
    static const hash32_t key;
    const evm_access_t access = { at(OTHER), &key, 1 };
    begin("");
    has(AUTHORITY, 0, "ef010010000000000000000000000000000000000000bb");
    tx.to = at(AUTHORITY);
    ck_assert_uint_eq(used(), 18000);
    tx.value = u256_of(1);
    ck_assert_uint_eq(used(), 24000);
    tx.to = at(OTHER), tx.value = u256_of(0);
    uint8_t data[100];
    memset(data, 1, sizeof data);
    tx.data = view_of(data, sizeof data);
    ck_assert_uint_eq(used(), 21400);
    memset(data, 0, sizeof data); /* the floor is the same for zeros */
    ck_assert_uint_eq(used(), 21400);
    tx.data = view_of(NULL, 0), tx.type = 1, tx.access = &access, tx.access_count = 1;
    ck_assert_uint_eq(used(), 23228);
    tx.data = view_of(data, sizeof data); /* what the list's bytes cost is in the floor too */
    ck_assert_uint_eq(used(), 15000 + 100 * 64 + 20 * 64 + 32 * 64);
}
END_TEST

/* One authorization of AUTHORITY to delegate to OTHER, or (clear) to nobody. */
static void authorize(evm_authorization_t *a, bool clear)
{
    static const addr_t nobody;
    *a = (evm_authorization_t){ .address = clear ? nobody : at(OTHER), .signer = at(AUTHORITY), .signer_valid = true };
    tx.type = 4, tx.to = at(OTHER);
    tx.authorizations = a, tx.authorization_count = 1;
}

START_TEST(authorizations_cost_what_they_write)
{
    evm_authorization_t a[3];
    begin("");
    authorize(a, false);
    ck_assert_uint_eq(used(), 250606); /* a new account */
    has(AUTHORITY, 1, "");
    ck_assert_uint_eq(used(), 67006);
    authorize(a, true);
    ck_assert_uint_eq(used(), 31816);
    a[0].nonce = 7; /* does not hold */
    ck_assert_uint_eq(used(), 22816);
    authorize(a, false); /* set, clear, set: one write, one delegation */
    authorize(a + 1, true), a[1].nonce = 1;
    authorize(a + 2, false), a[2].nonce = 2;
    tx.authorizations = a, tx.authorization_count = 3;
    ck_assert_uint_eq(used(), 15000 + 3 * 7816 + 9000 + DELEGATION_GAS);
    tx.authorization_count = 1, tx.to = at(AUTHORITY), tx.value = u256_of(1); /* the value's price holds the write's */
    ck_assert_uint_eq(used(), 21000 + 7816 + DELEGATION_GAS + 3000);
    a[0].signer = at(SENDER), a[0].nonce = 1, tx.to = at(OTHER), tx.value = u256_of(0);
    ck_assert_uint_eq(used(), 15000 + 7816 + DELEGATION_GAS);
}
END_TEST

START_TEST(a_delegation_stays_when_the_frame_fails_but_not_when_it_cannot_be_paid)
{
    evm_authorization_t a;
    begin("");
    has(AUTHORITY, 1, "");
    addr_t authority = at(AUTHORITY);
    entries[2].code = bytes_of("5f5ffd"); /* OTHER reverts */
    authorize(&a, false);
    ck_assert_uint_eq(used(), 67006 + 4);
    ck_assert_int_eq(receipt.result.status, EVM_REVERT);
    ck_assert_uint_eq(change_of(&authority)->account.nonce, 1);
    ck_assert_uint_eq(change_of(&authority)->code.n, DELEGATION_LEN);
    tx.gas = 67005; /* one too little before the first frame */
    ck_assert_uint_eq(used(), 67005);
    ck_assert_int_eq(receipt.result.status, EVM_HALT);
    ck_assert_int_eq(receipt.result.halt, EVM_HALT_OUT_OF_GAS);
    ck_assert_ptr_null(change_of(&authority));
    addr_t from = at(SENDER);
    ck_assert_uint_eq(change_of(&from)->account.nonce, 1);
    ck_assert_uint_eq(receipt.result.block_state_gas, 0);
}
END_TEST

START_TEST(what_a_receiver_cost_comes_back_when_it_fails)
{
    begin("");
    tx.create = true, tx.data = bytes_of("5f5ffd"); /* a creation that reverts */
    ck_assert_uint_eq(used(), 24000 + 3 * 64);      /* the floor */
    ck_assert_uint_eq(receipt.result.block_state_gas, 0);
    tx.data = bytes_of("fe"); /* one that halts: all but the reservoir is gone */
    ck_assert_uint_eq(used(), 1000000);
    tx.gas = (1 << 24) + ACCOUNT_GAS;
    ck_assert_uint_eq(used(), 1 << 24);
    tx.gas = (1 << 24) + 1;
    ck_assert_uint_eq(used(), 1 << 24);
    ck_assert_uint_eq(receipt.result.block_execution_gas, 1 << 24);
    ck_assert_uint_eq(receipt.result.block_state_gas, 0);
    tx = (evm_tx_t){ .from = at(SENDER), .to = at(NOBODY), .value = u256_of(1), .gas = 204599 };
    ck_assert_uint_eq(used(), 204599);
    ck_assert_int_eq(receipt.result.status, EVM_HALT);
}
END_TEST

START_TEST(limits_of_transactions_are_those_of_the_fork)
{
    begin("");
    tx.gas = 14999;
    ck_assert_int_eq(transact(), RC_REFUSED);
    block.gas_limit = (uint64_t)1 << 40;
    tx.gas = UINT32_MAX;
    ck_assert_uint_eq(used(), 15000);
    tx.gas = (uint64_t)UINT32_MAX + 1;
    ck_assert_int_eq(transact(), RC_REFUSED);
    rules.state_gas = &EVM_STATE_GAS_DEVNET; /* which has no such maximum */
    ck_assert_uint_eq(used(), 15000);
    size_t most = ((1 << 24) - 15000) / 64;
    uint8_t *data = arena_calloc(&arena, most + 1, 1);
    ck_assert_ptr_nonnull(data);
    tx.data = view_of(data, most);
    ck_assert_uint_eq(used(), 15000 + 64 * most);
    tx.data = view_of(data, most + 1); /* a floor above what may be for execution */
    ck_assert_int_eq(transact(), RC_REFUSED);
    evm_result_t r;
    ck_assert_int_eq(evm_call(&r, &arena, &host, &rules, &block, &tx), RC_REFUSED); /* as in geth */
    tx.create = true, tx.data = view_of(data, 131072);
    ck_assert_int_eq(transact(), RC_OK);
    tx.data = view_of(data, 131073);
    ck_assert_int_eq(transact(), RC_REFUSED);
}
END_TEST

/* --- instructions: EIP-8038, EIP-7843, EIP-8024 --- */

START_TEST(instructions_cost_what_the_eips_say)
{
    static const struct {
        const char *code;
        uint64_t gas, state;
    } rows[] = {
        { ADDR("bb") "31", 3 + 3000, 0 },
        { ADDR("bb") "31" ADDR("bb") "31", 2 * 3 + 3000 + 100, 0 },
        { ADDR("bb") "3f", 3 + 3000, 0 },
        { ADDR("bb") "3b", 3 + 3100, 0 },
        { ADDR("bb") "3b" ADDR("bb") "3b", 2 * 3 + 3100 + 200, 0 },
        { "5f5f5f" ADDR("bb") "3c", 3 * 2 + 3 + 3100, 0 },
        { "5f54", 2 + 2100, 0 },
        { "5f545f54", 2 * 2 + 2200, 0 },
        { "5f5f55", 2 * 2 + 2100, 0 },                      /* the value does not change */
        { "60015f55", 5 + 12100, SLOT_GAS },                /* 0 to 1 */
        { "60015f5560025f55", 10 + 12100 + 100, SLOT_GAS }, /* 0, 1, 2 */
        { "5f5f5f5f5f" ADDR("bb") "5af1", 15 + 3000, 0 },   /* no value */
        { CALL_OTHER("6001"), 16 + 3000 + 11300 - 2300, 0 },
        { "5f5f5f5f6001" ADDR("ee") "5af1", 16 + 3000 + 11300 - 2300, ACCOUNT_GAS },
        { "5f5f5f5f6001" ADDR("ee") "5af2", 16 + 3000 + 11300 - 2300, 0 },
        { "5f5f5f"
          "f0",
          6 + 12000, ACCOUNT_GAS },
        { "5f5f5f5f"
          "f5",
          8 + 12000, ACCOUNT_GAS },
        { "60015f5f"
          "f0",
          7 + 12000 + 2 + 3, ACCOUNT_GAS }, /* one word of init code, which stops */
        { ADDR("f0") "ff", 3 + 5000 + 3000, 0 },
        { ADDR("ee") "ff", 3 + 5000 + 3000 + 9000, ACCOUNT_GAS },
        { "4b", 2, 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_msg(cost(rows[i].code) == rows[i].gas + rows[i].state, "row %zu: %llu", i,
                      (unsigned long long)receipt.result.gas_used - 15000);
        ck_assert_msg(receipt.result.block_state_gas == rows[i].state, "row %zu: state", i);
    }
}
END_TEST

START_TEST(storage_that_is_cleared_refunds_at_most_a_fifth)
{
    begin("5f5f55");
    entries[1].slot = 1;
    ck_assert_uint_eq(used(), 15000 + 4 + 12100 - (15000 + 4 + 12100) / 5); /* of 11616 */
    ck_assert_uint_eq(receipt.result.block_execution_gas, 27104);           /* EIP-7778: without the refund */
    begin("5f5f5560015f55");                                                /* cleared, and set as it was */
    entries[1].slot = 1;
    ck_assert_uint_eq(used(), 27104 + 105 - (27104 + 105) / 5);
    ck_assert_uint_eq(receipt.result.block_state_gas, 0);
    begin("60015f555f5f55"); /* a new slot that is given up: its state gas comes back at once */
    ck_assert_uint_eq(used(), 15000 + 5 + 12100 + 104 - (15000 + 5 + 12100 + 104) / 5);
    ck_assert_uint_eq(receipt.result.block_state_gas, 0);
}
END_TEST

START_TEST(the_slot_is_the_headers)
{
    begin("4b" RETURN_TOP);
    (void)used();
    ck_assert_uint_eq(returned(), 77);
    evm_result_t r;
    ck_assert_int_eq(evm_call(&r, &arena, &host, &rules, &block, &tx), RC_OK);
    ck_assert_uint_eq(r.output.p[31], 77);
    rules.fork = EVM_OSAKA;
    (void)used();
    ck_assert_int_eq(receipt.result.halt, EVM_HALT_INVALID_OPCODE);
}
END_TEST

/* Code that pushes n, n - 1, ... 1, so that item i of the stack is i, then runs op and returns the top item. */
static char *on_stack(unsigned n, const char *op)
{
    static char text[CODE_TEXT_MAX];
    size_t len = 0;
    for (unsigned i = n; i > 0; i--)
        len += (size_t)snprintf(text + len, sizeof text - len, "60%02x", i);
    snprintf(text + len, sizeof text - len, "%s" RETURN_TOP, op);
    return text;
}

START_TEST(deep_stack_instructions_follow_the_eip)
{
    static const struct {
        const char *op;
        unsigned items;
        unsigned top; /* 0: it halts */
    } rows[] = {
        { "e680", 17, 17 },                         /* DUPN 17 */
        { "e680", 16, 0 },                          /* one item short */
        { "e75b", 235, 0 },                         /* the byte of a JUMPDEST */
        { "e7db", 109, 109 },                       /* SWAPN 108 */
        { "e7db", 108, 0 },   { "e65a", 235, 235 }, /* the deepest */
        { "e65f", 235, 0 },   { "e661", 235, 0 },
        { "e67f", 235, 0 },   { "e89d50", 4, 2 }, /* EXCHANGE 2 3: items 3 and 4 */
        { "e89d5050", 4, 4 }, { "e89d505050", 4, 3 },
        { "e89d", 3, 0 },     { "e82f50", 20, 20 }, /* EXCHANGE 1 19 */
        { "e82f", 19, 0 },    { "e850", 17, 1 },    /* 14 16 */
        { "e850", 16, 0 },    { "e851", 16, 1 },    /* 14 15 */
        { "e852", 30, 0 },    { "e87f", 30, 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin(on_stack(rows[i].items, rows[i].op));
        (void)used();
        if (rows[i].top) {
            ck_assert_msg(receipt.result.status == EVM_SUCCESS, "row %zu", i);
            ck_assert_msg(returned() == rows[i].top, "row %zu: %llu", i, (unsigned long long)returned());
        } else {
            ck_assert_msg(receipt.result.status == EVM_HALT, "row %zu", i);
        }
    }
    begin(on_stack(145, "e6")); /* an immediate past the end is 0: DUPN 145 */
    entries[1].code.n -= strlen(RETURN_TOP) / 2;
    ck_assert_uint_eq(used(), 15000 + 145 * 3 + 3);
}
END_TEST

START_TEST(jump_destinations_do_not_know_the_immediates)
{
    begin("600456e65b00"); /* jumps to the 0x5b behind a DUPN */
    (void)used();
    ck_assert_int_eq(receipt.result.status, EVM_SUCCESS);
}
END_TEST

/* --- the two kinds of gas: EIP-8037 --- */

START_TEST(the_reservoir_is_what_is_above_the_maximum_for_execution)
{
    begin("5a" RETURN_TOP);
    block.gas_limit = 200000000;
    tx.gas = 20000000;
    ck_assert_uint_eq(used(), 15000 + 2 + 2 + 3 + 3 + 3 + 2);
    ck_assert_uint_eq(returned(), (1 << 24) - 15000 - 2); /* GAS sees no reservoir */
    begin("60015f555a" RETURN_TOP);
    tx.gas = (1 << 24) + SLOT_GAS - 1; /* one unit of the slot is taken from the gas for execution */
    (void)used();
    ck_assert_uint_eq(returned(), (1 << 24) - 15000 - 5 - 12100 - 1 - 2);
    tx.gas++;
    (void)used();
    ck_assert_uint_eq(returned(), (1 << 24) - 15000 - 5 - 12100 - 2);
    evm_result_t r; /* eth_call splits its gas in the same way */
    ck_assert_int_eq(evm_call(&r, &arena, &host, &rules, &block, &tx), RC_OK);
    u256_t left = u256_from_be32(r.output.p);
    ck_assert_uint_eq(left.w[0], (1 << 24) - 15000 - 5 - 12100 - 2);
}
END_TEST

/* MAIN calls OTHER, then returns what gas it has left. OTHER makes a slot, and ends as `end` says. */
static uint64_t left_after_child(const char *end)
{
    char code[CODE_TEXT_MAX];
    begin("5f5f5f5f5f" ADDR("bb") "5af1"
                                  "505a" RETURN_TOP);
    snprintf(code, sizeof code, "60015f55%s", end);
    entries[2].code = bytes_of(code);
    (void)used();
    return returned();
}

START_TEST(a_child_gives_back_what_it_had_taken_for_the_state)
{
    const uint64_t begins = 1000000 - 15000 - 15 - 3000, after = 2 + 2; /* at the CALL's 63/64; POP, GAS */
    const uint64_t kept = begins / 64, given = begins - kept;
    ck_assert_uint_eq(left_after_child("00"), begins - 5 - 12100 - SLOT_GAS - after);
    ck_assert_uint_eq(receipt.result.block_state_gas, SLOT_GAS);
    ck_assert_uint_eq(left_after_child("5f5ffd"), begins - 5 - 12100 - 4 - after); /* reverts: all of it is back */
    ck_assert_uint_eq(receipt.result.block_state_gas, 0);
    ck_assert_uint_eq(left_after_child("fe"), kept - after); /* halts: what came back goes too */
    ck_assert_uint_eq(receipt.result.block_state_gas, 0);
    ck_assert_uint_eq(receipt.result.gas_used, 15000 + 15 + 3000 + given + after + 13);
}
END_TEST

START_TEST(a_halt_leaves_the_reservoir)
{
    begin("5f5f5f5f5f" ADDR("bb") "61fffff1"
                                  "5060015f555a" RETURN_TOP);
    entries[2].code = bytes_of("60015f55fe"); /* takes a slot's gas from the reservoir, and halts */
    tx.gas = (1 << 24) + SLOT_GAS;
    (void)used(); /* MAIN's slot then finds the reservoir full */
    ck_assert_uint_eq(returned(), (1 << 24) - 15000 - 16 - 3000 - 0xffff - 2 - 5 - 12100 - 2);
    ck_assert_uint_eq(receipt.result.block_state_gas, SLOT_GAS);
}
END_TEST

/* What MAIN has left after one child made a slot and another gave it up. */
static uint64_t left_after_two(const evm_state_gas_t *state_gas)
{
    begin("5f5f60015f5f" ADDR("bb") "5af1"
                                    "50"
                                    "5f5f5f5f5f" ADDR("bb") "5af1"
                                                            "505a" RETURN_TOP);
    entries[2].code = bytes_of("365f55"); /* the length of its input into slot 0 */
    rules.state_gas = state_gas;
    (void)used();
    return returned();
}

START_TEST(what_comes_back_by_a_child_repays_its_callers_frame)
{
    /* v8.1.4 and later: at the end of the second child. Before, it stayed in the reservoir. */
    uint64_t before = left_after_two(&EVM_STATE_GAS_DEVNET), gas = receipt.result.gas_used;
    ck_assert_uint_eq(left_after_two(&EVM_STATE_GAS_SEPOLIA) - before, SLOT_GAS);
    ck_assert_uint_eq(receipt.result.gas_used, gas); /* the whole is the same */
    ck_assert_uint_eq(receipt.result.block_state_gas, 0);
    ck_assert_uint_eq(left_after_two(NULL) - before, SLOT_GAS); /* no table named: Sepolia's */
}
END_TEST

START_TEST(an_account_that_a_call_did_not_make_costs_nothing)
{
    /* More value than there is; a creation that reverts; one on an account that has code. */
    ck_assert_uint_eq(cost("5f5f5f5f61ffff" ADDR("ee") "5af1"), 8 + 3 + 3 + 2 + 3000 + 11300 - 2300);
    ck_assert_uint_eq(receipt.result.block_state_gas, 0);
    ck_assert_uint_eq(cost("635f5ffd005f52"
                           "6003601c5ff0"),
                      3 + 2 + 6 + 3 + 3 + 2 + 12000 + 2 + 4);
    ck_assert_uint_eq(receipt.result.block_state_gas, 0);
}
END_TEST

/* A precompile that refuses its input: 63/64 of what is left once its account is paid for are gone, the account's price
 * comes back. By execution-specs; @ethereumjs/evm 10.1.3 takes the 63/64 before the price (tests/differential). */
START_TEST(all_but_a_64th_is_of_what_the_account_has_left)
{
    addr_t blake2f = { { 0 } };
    blake2f.b[19] = 9;
    begin("5f5f5f5f6001"
          "60095af1"
          "505a" RETURN_TOP);
    (void)used();
    const uint64_t before = 1000000 - 15000 - 16, left = before - 100 - 11300 - ACCOUNT_GAS;
    ck_assert_uint_eq(returned(), left / 64 + ACCOUNT_GAS - 4);
    ck_assert_ptr_null(change_of(&blake2f));
    ck_assert_uint_eq(receipt.result.block_state_gas, 0);
    tx.gas = ((uint64_t)1 << 24) + ACCOUNT_GAS; /* from the reservoir, which takes nothing from the child */
    (void)used();
    ck_assert_uint_eq(returned(), (((uint64_t)1 << 24) - 15000 - 16 - 100 - 11300) / 64 - 4);
}
END_TEST

START_TEST(deployed_code_costs_both_kinds_of_gas)
{
    /* 33 zero bytes returned by init code 60215ff3 */
    ck_assert_uint_eq(cost("6360215ff35f52"
                           "6004601c5ff0"),
                      3 + 2 + 6 + 3 + 3 + 2 + 12000 + 2 + (3 + 2 + 6) + 2 * 6 + ACCOUNT_GAS + 33 * 1530);
    ck_assert_uint_eq(receipt.result.block_state_gas, ACCOUNT_GAS + 33 * 1530);
}
END_TEST

START_TEST(code_may_have_65536_bytes)
{
    begin("");
    tx.create = true, tx.gas = 150000000;
    tx.data = bytes_of("620100005ff3");
    uint64_t gas = used();
    ck_assert_int_eq(receipt.result.status, EVM_SUCCESS);
    ck_assert_uint_eq(receipt.result.output.n, 65536);
    ck_assert_uint_eq(receipt.result.block_state_gas, 65536 * 1530 + ACCOUNT_GAS); /* 100453680 */
    ck_assert_uint_eq(receipt.result.block_execution_gas, gas - 100453680);
    tx.data = bytes_of("620100015ff3");
    ck_assert_uint_eq(used(), 1 << 24); /* the reservoir comes back */
    ck_assert_int_eq(receipt.result.halt, EVM_HALT_CODE_SIZE);
}
END_TEST

START_TEST(storage_alone_is_in_nobodys_way)
{
    begin("5f5f5ff0" RETURN_TOP);
    addr_t made, from = at(MAIN);
    vm_create_address(&made, &from, 0);
    entries[entry_count++] = (entry_t){ .addr = made, .slot = 5 };
    (void)used();
    ck_assert_uint_eq(returned() != 0, 1);
    ck_assert(change_of(&made)->storage_cleared);
    rules.fork = EVM_OSAKA; /* EIP-7610 */
    (void)used();
    ck_assert_uint_eq(returned(), 0);
}
END_TEST

/* Prices that no network has, in force from second 8 on. */
static const evm_state_gas_t other_prices = {
    .byte = 1, .account = 1000, .slot = 500, .delegation = 7, .execution_max = 1 << 24, .tx_gas_max = 400000
};
static const evm_schedule_row_t two_tables[] = {
    { 0, { EVM_AMSTERDAM, 14, 21, 11684671, &EVM_STATE_GAS_SEPOLIA } },
    { 8, { EVM_AMSTERDAM, 14, 21, 11684671, &other_prices } },
};

START_TEST(state_gas_changes_by_time_within_the_fork)
{
    const evm_chain_t chain = { 1, two_tables, 2 };
    for (block.timestamp = 7; block.timestamp < 9; block.timestamp++) {
        uint64_t time = block.timestamp, account = time < 8 ? ACCOUNT_GAS : 1000, slot = time < 8 ? SLOT_GAS : 500;
        begin("60015f55");
        rules = *evm_chain_rules(&chain, time);
        block.timestamp = time;
        tx.gas = 400000;
        ck_assert_uint_eq(used(), 15000 + 5 + 12100 + slot);
        tx.to = at(NOBODY), tx.value = u256_of(1);
        ck_assert_uint_eq(used(), 21000 + account);
        tx.gas = 400001;
        ck_assert_int_eq(transact(), time < 8 ? RC_OK : RC_REFUSED);
    }
    ck_assert_ptr_eq(evm_chain_rules(&EVM_SEPOLIA, 1791294816)->state_gas, &EVM_STATE_GAS_SEPOLIA);
}
END_TEST

/* Whatever table the rules name, a fork before Amsterdam has one kind of gas and its own limits. */
START_TEST(no_older_fork_has_state_gas)
{
    for (evm_fork_t fork = EVM_BERLIN; fork < EVM_AMSTERDAM; fork++) {
        uint64_t cost[2];
        for (size_t named = 0; named < 2; named++) {
            begin("6001600055");
            rules = (evm_rules_t){ .fork = fork, .state_gas = named ? &other_prices : NULL };
            tx.gas = 400001; /* above the table's maximum */
            cost[named] = used();
            ck_assert_uint_eq(receipt.result.block_state_gas, 0);
        }
        ck_assert_uint_eq(cost[0], cost[1]);
        ck_assert_uint_eq(evm_tx_execution_gas_max(&rules), INT64_MAX);
    }
}
END_TEST

/* --- transfer logs, destroyed accounts: EIP-7708, EIP-8246 --- */

/* Whether log i tells that value went from one account to another. */
static bool tells(size_t i, const addr_t *from, const addr_t *to, uint64_t value)
{
    if (i >= receipt.result.log_count)
        return false;
    const evm_log_t *log = &receipt.result.logs[i];
    u256_t topic, data = u256_from_be32(log->data.p), want = vm_of_addr(from);
    hash32_t transfer;
    char hex[41];
    keccak256(&transfer, view_of("Transfer(address,address,uint256)", 33));
    hex_encode(hex, view_of(log->addr.b, 20));
    topic = u256_from_be32(log->topics[1].b);
    bool ok = !strcmp(hex, "fffffffffffffffffffffffffffffffffffffffe") && log->topic_count == 3 && log->data.n == 32 &&
              hash32_eq(&log->topics[0], &transfer) && u256_eq(&topic, &want);
    want = vm_of_addr(to), topic = u256_from_be32(log->topics[2].b);
    return ok && u256_eq(&topic, &want) && u256_fits_u64(&data) && data.w[0] == value;
}

START_TEST(value_that_moves_is_logged)
{
    addr_t sender = at(SENDER), main_addr = at(MAIN), other = at(OTHER), made;
    begin(CALL_OTHER("6003") "5f5f6007f0"
                             "5f5fa0" ADDR("f0") "ff");
    addr_t funded = at(FUNDED);
    vm_create_address(&made, &main_addr, 0);
    tx.value = u256_of(2);
    (void)used();
    ck_assert_uint_eq(receipt.result.log_count, 5);
    ck_assert(tells(0, &sender, &main_addr, 2));
    ck_assert(tells(1, &main_addr, &other, 3));
    ck_assert(tells(2, &main_addr, &made, 7));
    ck_assert_uint_eq(receipt.result.logs[3].topic_count, 0); /* LOG0 */
    ck_assert(tells(4, &main_addr, &funded, 1002 - 10));
    rules.fork = EVM_OSAKA;
    (void)used();
    ck_assert_uint_eq(receipt.result.log_count, 1);
}
END_TEST

START_TEST(value_that_stays_is_not_logged)
{
    begin(CALL_OTHER("6003") "5f5f5f5f6001" ADDR("bb") "5af2"
                                                       "5f5f5f5f6001305af1"
                                                       "30ff");
    entries[2].code = bytes_of("5f5ffd"); /* what is undone is not logged either */
    (void)used();
    ck_assert_int_eq(receipt.result.status, EVM_SUCCESS);
    ck_assert_uint_eq(receipt.result.log_count, 0);
    tx.to = at(SENDER), tx.value = u256_of(1);
    (void)used();
    ck_assert_uint_eq(receipt.result.log_count, 0);
}
END_TEST

START_TEST(an_account_that_is_destroyed_keeps_its_balance)
{
    addr_t made, from = at(SENDER), funded = at(FUNDED);
    begin("");
    tx.create = true, tx.value = u256_of(9), tx.data = bytes_of("60015f5530ff"); /* to itself */
    vm_create_address(&made, &from, 0);
    (void)used();
    const evm_change_t *c = change_of(&made);
    ck_assert(c && !c->deleted && c->storage_cleared && c->code_changed);
    ck_assert_uint_eq(c->account.balance.w[0], 9);
    ck_assert_uint_eq(c->account.nonce, 0);
    ck_assert_uint_eq(c->code.n + c->slot_count, 0);
    ck_assert(hash32_eq(&c->account.code_hash, &KECCAK_EMPTY));
    tx.data = bytes_of("60015f55" ADDR("f0") "ff");
    (void)used();
    ck_assert(change_of(&made)->deleted); /* nothing is left of it */
    ck_assert_uint_eq(change_of(&funded)->account.balance.w[0], 14);
    rules.fork = EVM_OSAKA;
    tx.data = bytes_of("30ff");
    (void)used();
    ck_assert(change_of(&made)->deleted); /* burnt */
}
END_TEST

/* --- system calls --- */

START_TEST(a_system_call_has_gas_for_16_slots_beside)
{
    begin("5a" RETURN_TOP);
    addr_t main_addr = at(MAIN);
    ck_assert_int_eq(evm_system_call(&receipt, &arena, &host, &rules, &block, &main_addr, view_of(NULL, 0)), RC_OK);
    ck_assert_uint_eq(returned(), 30000000 - 2);
    entries[1].code = bytes_of("60015f555a" RETURN_TOP);
    ck_assert_int_eq(evm_system_call(&receipt, &arena, &host, &rules, &block, &main_addr, view_of(NULL, 0)), RC_OK);
    ck_assert_uint_eq(returned(), 30000000 - 5 - 12100 - 2);
    ck_assert_uint_eq(receipt.result.block_state_gas, SLOT_GAS);
}
END_TEST

int main(void)
{
    return UNIT_RUN(
        "amsterdam", transactions_cost_what_their_accounts_do, delegated_receivers_data_and_access_lists_cost_more,
        authorizations_cost_what_they_write, a_delegation_stays_when_the_frame_fails_but_not_when_it_cannot_be_paid,
        what_a_receiver_cost_comes_back_when_it_fails, limits_of_transactions_are_those_of_the_fork,
        instructions_cost_what_the_eips_say, storage_that_is_cleared_refunds_at_most_a_fifth, the_slot_is_the_headers,
        deep_stack_instructions_follow_the_eip, jump_destinations_do_not_know_the_immediates,
        the_reservoir_is_what_is_above_the_maximum_for_execution, a_child_gives_back_what_it_had_taken_for_the_state,
        a_halt_leaves_the_reservoir, what_comes_back_by_a_child_repays_its_callers_frame,
        an_account_that_a_call_did_not_make_costs_nothing, all_but_a_64th_is_of_what_the_account_has_left,
        deployed_code_costs_both_kinds_of_gas, code_may_have_65536_bytes, storage_alone_is_in_nobodys_way,
        state_gas_changes_by_time_within_the_fork, no_older_fork_has_state_gas, value_that_moves_is_logged,
        value_that_stays_is_not_logged, an_account_that_is_destroyed_keeps_its_balance,
        a_system_call_has_gas_for_16_slots_beside);
}
