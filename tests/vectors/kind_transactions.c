/* transactions: signed transactions with their hash, sender and intrinsic gas, or with why they are invalid. */
#include <string.h>

#include "lightclient/exec/transaction.h"
#include "tests/vectors/vec.h"

static const struct {
    const char *name;
    evm_rules_t rules;
} forks[] = {
    { "Cancun", { EVM_CANCUN, 3, 6, 3338477, NULL } },
    { "Prague", { EVM_PRAGUE, 6, 9, 5007716, NULL } },
    { "Osaka", { EVM_OSAKA, 6, 9, 5007716, NULL } },
};

/* What the format calls a fault (its name after "TransactionException.", or how that begins), and what we do. */
static const struct {
    const char *theirs, *ours;
} faults[] = {
    { "INVALID_CHAINID", "signed for another chain" },
    { "INVALID_SIGNATURE_VRS", "nobody signed it" },
    { "INVALID_SIGNATURE_VRS", "r or s is no number" },
    { "INVALID_SIGNATURE_VRS", "signed for another chain" }, /* v, r and s are all zero */
    { "EC_RECOVERY_FAIL", "nobody signed it" },
    { "RLP_LEADING_ZEROS_V", "v is no number" },
    { "RLP_LEADING_ZEROS_R", "r or s is no number" },
    { "RLP_LEADING_ZEROS_S", "r or s is no number" },
    { "GASLIMIT_PRICE_PRODUCT_OVERFLOW", "gas times price overflows" },
    { "NONCE_OVERFLOW", "nonce is no 64-bit number" },
    { "RLP_LEADING_ZEROS_NONCE", "nonce is no 64-bit number" },
    { "NONCE_TOO_BIG", "nonce at its maximum" },
    { "INTRINSIC_GAS_TOO_LOW", "intrinsic gas above the gas limit" },
    { "GASPRICE_OVERFLOW", "gas price is no number" },
    { "GASPRICE_OVERFLOW", "fee cap is no number" },
    { "RLP_LEADING_ZEROS_GASPRICE", "gas price is no number" },
    { "RLP_LEADING_ZEROS_BASEFEE", "fee cap is no number" },
    { "RLP_LEADING_ZEROS_PRIORITY_FEE", "priority fee is no number" },
    { "PRIORITY_OVERFLOW", "priority fee is no number" },
    { "PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS", "priority fee above the fee cap" },
    { "GASLIMIT_OVERFLOW", "gas limit is no 64-bit number" },
    { "RLP_LEADING_ZEROS_GASLIMIT", "gas limit is no 64-bit number" },
    { "VALUE_OVERFLOW", "value is no number" },
    { "RLP_LEADING_ZEROS_VALUE", "value is no number" },
    { "ADDRESS_TOO", "receiver is no address" },
    { "RLP_INVALID_TO", "receiver is no address" },
    { "RLP_INVALID_ACCESS_LIST_ADDRESS", "access list address has another length" },
    { "RLP_INVALID_ACCESS_LIST_STORAGE", "access list key has another length" },
    { "INITCODE_SIZE_EXCEEDED", "init code too long" },
};

/* Whether our reason is one of theirs ("A|B"); a name that is not in the table fits every reason. */
static bool fits(const char *theirs, const char *why)
{
    bool known = false;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        bool named = strstr(theirs, faults[i].theirs) != NULL;
        known |= named;
        if (named && !strcmp(why, faults[i].ours))
            return true;
    }
    return !known;
}

static void check(vec_t *v, arena_t *a, const char *name, const evm_rules_t *rules, view_t raw, const json_t *want)
{
    err_t e;
    const char *exception = vec_str(want, "exception");
    ex_transaction_t tx;
    evm_tx_gas_t gas = { 0 };
    hash32_t hash;
    addr_t sender;
    rc_t rc = ex_transaction_decode(&tx, &e, a, raw, 1);
    if (!rc)
        rc = evm_tx_check(&gas, &e, rules, &tx.tx);
    if (exception) {
        if (!rc_blames_input(rc))
            vec_fail(v, name, "%s, not %s", rc_name(rc), exception);
        else if (!fits(exception, e.text))
            vec_fail(v, name, "%s, not %s", e.text, exception);
        else
            vec_pass(v);
        return;
    }
    bool ok =
        !rc && vec_hex_fixed(hash.b, 32, vec_str(want, "hash")) && vec_hex_fixed(sender.b, 20, vec_str(want, "sender"));
    if (!ok)
        vec_fail(v, name, "%s: %s", rc_name(rc), e.text);
    else if (!hash32_eq(&hash, &tx.hash) || !addr_eq(&sender, &tx.tx.from))
        vec_fail(v, name, "another hash or sender");
    else if (gas.intrinsic != vec_u64(vec_str(want, "intrinsicGas")))
        vec_fail(v, name, "another intrinsic gas");
    else
        vec_pass(v);
}

void vec_kind_transactions(vec_t *v)
{
    arena_t a;
    arena_init(&a, 64u << 20);
    char **files = vec_walk(v, &a, "transactions", ".json");
    for (; files && *files; files++) {
        json_t *tests = vec_json(v, "%s", *files), *test;
        const char *name;
        if (!tests)
            vec_fail(v, *files, "does not parse");
        json_object_foreach (tests, name, test) {
            arena_mark_t mark = arena_mark(&a);
            view_t raw = vec_hex(&a, vec_str(test, "txbytes"));
            for (size_t i = 0; i < sizeof forks / sizeof forks[0]; i++) {
                json_t *want = json_object_get(json_object_get(test, "result"), forks[i].name);
                if (want)
                    check(v, &a, name, &forks[i].rules, raw, want);
            }
            arena_rollback(&a, mark);
        }
        json_decref(tests);
    }
    arena_free(&a);
}
