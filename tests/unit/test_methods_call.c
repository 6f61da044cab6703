/* Methods of POST /rpc that run code: overrides, estimates, access lists. */
#include "lightclient/exec/message.h"
#include "tests/unit/methods_world.h"

#define ASK(method, params) "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"" method "\",\"params\":[" params "]}"
#define WORD(two) "0x00000000000000000000000000000000000000000000000000000000000000" two
#define SLOTS "\"0xac0000000000000000000000000000000000d000\""  /* returns its slot 0 */
#define STORES "\"0xac0000000000000000000000000000000000e000\"" /* sets its slots 1 and 2 */
#define RICH "\"0xac00000000000000000000000000000000000bad\""
#define CODE(hex) ADDR ":{\"code\":\"0x" hex "\"}"
#define ENV(field, op)                                                                                                 \
    {                                                                                                                  \
        ASK("eth_call", "{\"to\":" ADDR "},\"latest\",{" CODE(op "5f5260205ff3") "},{" field "}"),                     \
            RESULT("\"" WORD("07") "\"")                                                                               \
    }

static void setup_call(void)
{
    setup();
    world_account_t *a = world_add(&w, world_addr(0xd000), "5f545f5260205ff3");
    world_set(a, 0, u256_of(0x38));
    world_add(&w, world_addr(0xe000), "600160015560026002555f5ff3");
    world.latest.state_root = world.finalized.state_root = world_root(&w);
}

START_TEST(accounts_are_as_the_request_overrides_them)
{
    static const row_t rows[] = {
        { ASK("eth_call", "{\"to\":" SLOTS "}"), RESULT("\"" WORD("38") "\"") },
        { ASK("eth_call",
              "{\"to\":" SLOTS "},\"latest\",{" SLOTS ":{\"stateDiff\":{\"" WORD("00") "\":\"" WORD("05") "\"}}}"),
          RESULT("\"" WORD("05") "\"") },
        { ASK("eth_call",
              "{\"to\":" SLOTS "},\"latest\",{" SLOTS ":{\"stateDiff\":{\"" WORD("01") "\":\"" WORD("05") "\"}}}"),
          RESULT("\"" WORD("38") "\"") },
        { ASK("eth_call",
              "{\"to\":" SLOTS "},\"latest\",{" SLOTS ":{\"state\":{\"" WORD("01") "\":\"" WORD("05") "\"}}}"),
          RESULT("\"" WORD("00") "\"") },
        { ASK("eth_call", "{\"to\":" NOBODY "},\"latest\",{" NOBODY ":{\"code\":\"0x60075f5260205ff3\"}}"),
          RESULT("\"" WORD("07") "\"") },
        { ASK("eth_call",
              "{\"to\":" ADDR ",\"from\":" NOBODY ",\"value\":\"0x5\"},\"latest\",{" NOBODY ":{\"balance\":\"0x5\"}}"),
          RESULT("\"" WORD("2a") "\"") },
        { ASK("eth_call", "{\"to\":" ADDR "},\"latest\",{" SLOTS ":{\"state\":{},\"stateDiff\":{}}}"),
          ERROR("-32000", "account 0xaC0000000000000000000000000000000000d000 has both 'state' and 'stateDiff'") },
        { ASK("eth_call", "{\"to\":" ADDR "},\"latest\",{\"0x12\":{}}"),
          ERROR("-32602", "invalid argument 2: 0x12: the name must be 20 bytes of hex with 0x") },
        { ASK("eth_call", "{\"to\":" ADDR "},\"latest\",{},{}"), RESULT("\"" WORD("2a") "\"") },
    };
    CHECK_ROWS(rows);
}
END_TEST

/* Identity of 3 bytes, at its own place and at another. */
START_TEST(precompiles_move)
{
    static const row_t rows[] = {
        { ASK("eth_call", "{\"to\":\"0x0000000000000000000000000000000000000004\",\"data\":\"0x010203\"}"),
          RESULT("\"0x010203\"") },
        { ASK("eth_call", "{\"to\":" NOBODY ",\"data\":\"0x010203\"},\"latest\",{"
                          "\"0x0000000000000000000000000000000000000004\":{\"movePrecompileToAddress\":" NOBODY "}}"),
          RESULT("\"0x010203\"") },
        { ASK("eth_call", "{\"to\":\"0x0000000000000000000000000000000000000004\",\"data\":\"0x010203\"},\"latest\",{"
                          "\"0x0000000000000000000000000000000000000004\":{\"movePrecompileToAddress\":" NOBODY "}}"),
          RESULT("\"0x\"") },
        { ASK("eth_call", "{\"to\":\"0x0000000000000000000000000000000000000004\",\"data\":\"0x010203\"},\"latest\",{"
                          "\"0x0000000000000000000000000000000000000004\":{\"code\":\"0x60075f5260205ff3\"}}"),
          RESULT("\"" WORD("07") "\"") },
        { ASK("eth_call", "{\"to\":" ADDR "},\"latest\",{" ADDR ":{\"movePrecompileToAddress\":" NOBODY "}}"),
          ERROR("-32000", "account 0xAC0000000000000000000000000000000000a000 is not a precompile") },
        { ASK("eth_call", "{\"to\":" ADDR "},\"latest\",{\"0x0000000000000000000000000000000000000004\":"
                          "{\"movePrecompileToAddress\":" NOBODY "}," NOBODY ":{}}"),
          ERROR("-32000", "account 0xac0000000000000000000000000000000000deaD is already overridden") },
    };
    CHECK_ROWS(rows);
}
END_TEST

START_TEST(the_block_is_as_the_request_overrides_it)
{
    static const row_t rows[] = {
        ENV("\"number\":\"0x7\"", "43"),
        ENV("\"time\":\"0x7\"", "42"),
        ENV("\"TIME\":\"0x7\"", "42"),
        ENV("\"gasLimit\":\"0x7\"", "45"),
        ENV("\"feeRecipient\":\"0x0000000000000000000000000000000000000007\"", "41"),
        ENV("\"prevRandao\":\"" WORD("07") "\"", "44"),
        ENV("\"blobBaseFee\":\"0x7\"", "4a"),
        { ASK("eth_call", "{\"to\":" ADDR "},\"latest\",null,{\"beaconRoot\":\"" WORD("07") "\"}"),
          ERROR("-32000", "block override \\\"beaconRoot\\\" is not supported for this RPC method") },
        { ASK("eth_call",
              "{\"to\":" ADDR ",\"from\":" RICH ",\"gasPrice\":\"0x1\",\"gas\":\"0x5208\"},\"latest\",{" CODE(
                  "485f5260205ff3") "," RICH ":{\"balance\":\"0xffffffff\"}},{\"baseFeePerGas\":\"0x2\"}"),
          ERROR("-32000",
                "err: max fee per gas less than block base fee: address 0xAc00000000000000000000000000000000000bAd, "
                "maxFeePerGas: 1, baseFee: 2 (supplied gas 21000)") },
    };
    CHECK_ROWS(rows);
}
END_TEST

/* Values of the second and third row: geth 1.17, the same code on its simulated chain. */
START_TEST(eth_estimateGas_searches_as_geth_does)
{
    static const row_t rows[] = {
        { ASK("eth_estimateGas", "{\"to\":" NOBODY "}"), RESULT("\"0x5208\"") },
        { ASK("eth_estimateGas", "{\"to\":" NOBODY "},\"pending\""), RESULT("\"0x5208\"") },
        { ASK("eth_call", "{\"to\":" NOBODY "},\"pending\""), ERROR("-32000", "pending state is not available") },
        { ASK("eth_estimateGas", "{\"to\":" ECHO ",\"data\":\"0x12345678\"}"),
          "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":3,\"message\":\"execution reverted\",\"data\":"
          "\"0x12345678\"}}" },
        { ASK("eth_estimateGas", "{\"to\":" HALTS "}"), ERROR("-32000", "invalid opcode: INVALID") },
        { ASK("eth_estimateGas", "{\"to\":" STORES ",\"gas\":\"0x5300\"}"),
          ERROR("-32000", "gas required exceeds allowance (21248)") },
        { ASK("eth_estimateGas", "{\"to\":" NOBODY ",\"from\":" NOBODY ",\"value\":\"0x1\"}"),
          ERROR("-32000", "failed with 30000000 gas: insufficient funds for gas * price + value: address "
                          "0xac0000000000000000000000000000000000deaD have 0 want 1") },
        { ASK("eth_estimateGas", "{\"to\":" NOBODY ",\"from\":" ADDR ",\"value\":\"0x3e8\",\"gasPrice\":\"0x1\"}"),
          ERROR("-32000", "insufficient funds for transfer") },
    };
    CHECK_ROWS(rows);
    const char *text = serve(ASK("eth_estimateGas", "{\"to\":" STORES "}"));
    const char *at = strstr(text, "\"result\":\"0x");
    ck_assert_msg(at != NULL, "%s", text);
    const unsigned long gas = strtoul(at + 12, NULL, 16); /* two new slots: 21000 + 2 * 22100 + 18 */
    ck_assert_msg(gas >= 65218 && gas <= 66500, "%lu", gas);
}
END_TEST

START_TEST(eth_createAccessList_lists_what_is_touched)
{
    static const row_t rows[] = {
        { ASK("eth_createAccessList", "{\"to\":" STORES "}"),
          RESULT("{\"accessList\":[{\"address\":" STORES
                 ",\"storageKeys\":[\"" WORD("01") "\",\"" WORD("02") "\"]}],\"gasUsed\":\"0x10690\"}") },
        { ASK("eth_createAccessList", "{\"to\":" ECHO ",\"data\":\"0x12\"}"),
          RESULT("{\"accessList\":[],\"error\":\"execution reverted\",\"gasUsed\":\"0x5230\"}") },
        { ASK("eth_createAccessList",
              "{\"to\":" ADDR "},\"latest\",{" CODE("73ac0000000000000000000000000000000000d00031") "}"),
          RESULT("{\"accessList\":[{\"address\":" SLOTS ",\"storageKeys\":[]}],\"gasUsed\":\"0x5bcf\"}") },
    };
    CHECK_ROWS(rows);
}
END_TEST

/* EIP-55's own examples. */
START_TEST(addresses_are_shown_with_their_checksum)
{
    static const char *const rows[] = { "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
                                        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
                                        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
                                        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb" };
    for (size_t i = 0; i < 4; i++) {
        addr_t a;
        char text[EX_ADDR_TEXT_MAX];
        for (size_t k = 0; k < 20; k++)
            a.b[k] = (uint8_t)strtoul((char[3]){ rows[i][2 + 2 * k], rows[i][3 + 2 * k], 0 }, NULL, 16);
        ck_assert_str_eq(ex_addr_text(text, &a), rows[i]);
    }
    char text[EX_DECIMAL_TEXT_MAX];
    const u256_t all = { { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } }, zero = u256_of(0);
    ck_assert_str_eq(ex_decimal_text(text, &all),
                     "115792089237316195423570985008687907853269984665640564039457584007913129639935");
    ck_assert_str_eq(ex_decimal_text(text, &zero), "0");
}
END_TEST

START_TEST(a_transaction_is_filled_in_to_be_signed)
{
    /* RLP of [560048, 1, 0, 0, 21000, to, 1, "", [], 0, 0, 0] behind the type */
    static const char want[] =
        "\"raw\":\"0x02e583088bb001808082520894ac0000000000000000000000000000000000dead0180c0808080\"";
    const char *all = serve(ASK("eth_fillTransaction",
                                "{\"from\":" ADDR ",\"to\":" NOBODY ",\"value\":\"0x1\",\"maxFeePerGas\":\"0x0\","
                                "\"maxPriorityFeePerGas\":\"0x0\"}"));
    ck_assert_msg(strstr(all, want) != NULL, "%s", all);
    ck_assert_ptr_nonnull(strstr(all, "\"type\":\"0x2\",\"nonce\":\"0x1\",\"gas\":\"0x5208\""));
    ck_assert_uint_eq(rounds, 1);
    const char *given =
        serve(ASK("eth_fillTransaction",
                  "{\"from\":" ADDR ",\"to\":" NOBODY ",\"gas\":\"0x5208\",\"nonce\":\"0x7\",\"gasPrice\":\"0x9\"}"));
    ck_assert_ptr_nonnull(strstr(given, "\"type\":\"0x0\",\"nonce\":\"0x7\",\"gas\":\"0x5208\",\"gasPrice\":\"0x9\""));
    ck_assert_uint_eq(rounds, 0);
    const char *reverts =
        serve(ASK("eth_fillTransaction", "{\"to\":" ECHO ",\"data\":\"0x1234\",\"gasPrice\":\"0x0\"}"));
    ck_assert_ptr_nonnull(strstr(reverts, "\"code\":3,\"message\":\"execution reverted\",\"data\":\"0x1234\""));
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("methods_call", setup_call, teardown, accounts_are_as_the_request_overrides_them,
                           precompiles_move, the_block_is_as_the_request_overrides_it,
                           eth_estimateGas_searches_as_geth_does, eth_createAccessList_lists_what_is_touched,
                           addresses_are_shown_with_their_checksum, a_transaction_is_filled_in_to_be_signed);
}
