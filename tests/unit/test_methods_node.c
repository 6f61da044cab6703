/* Methods of POST /rpc that are answered from memory. */
#include "tests/unit/methods_world.h"

#define ASK(method) "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"" method "\"}"

START_TEST(what_a_node_is_asked_first_is_known)
{
    static const row_t rows[] = {
        { ASK("web3_clientVersion"), RESULT("\"Kettle/v" KETTLE_VERSION "\"") },
        { ASK("net_version"), RESULT("\"560048\"") },
        { ASK("net_listening"), RESULT("true") },
        { ASK("eth_accounts"), RESULT("[]") },
        { ASK("eth_coinbase"), RESULT("\"0x0000000000000000000000000000000000000000\"") },
        { ASK("eth_syncing"), RESULT("false") },
    };
    CHECK_ROWS(rows);
    world.not_ready = "syncing: 3 of 7 periods";
    ck_assert_str_eq(serve(ASK("eth_syncing")), ERROR("-32002", "syncing: 3 of 7 periods"));
    ck_assert_str_eq(serve(ASK("net_version")), RESULT("\"560048\""));
}
END_TEST

/* EIP-1559: 1000 at a full block of twice the target is an eighth more, at an empty one an eighth less. */
START_TEST(eth_baseFee_is_the_next_blocks)
{
    world.latest.env.base_fee = u256_of(1000);
    world.latest.gas_used = 15000000;
    ck_assert_str_eq(serve(ASK("eth_baseFee")), RESULT("\"0x3e8\""));
    world.latest.gas_used = 30000000;
    ck_assert_str_eq(serve(ASK("eth_baseFee")), RESULT("\"0x465\""));
    world.latest.gas_used = 0;
    ck_assert_str_eq(serve(ASK("eth_baseFee")), RESULT("\"0x36b\""));
}
END_TEST

/* Fraction 5007716: e is reached at that excess. */
START_TEST(eth_blobBaseFee_is_the_heads)
{
    ck_assert_str_eq(serve(ASK("eth_blobBaseFee")), RESULT("\"0x1\""));
    world.latest.env.excess_blob_gas = 5007716;
    ck_assert_str_eq(serve(ASK("eth_blobBaseFee")), RESULT("\"0x2\""));
    world.latest.env.excess_blob_gas = 5007716 * 10;
    ck_assert_str_eq(serve(ASK("eth_blobBaseFee")), RESULT("\"0x560a\"")); /* e^10 is 22026.4 */
}
END_TEST

/* Source of the identifiers: the networks' own clients announce them (EIP-6122). */
START_TEST(eth_config_tells_the_present_rules_and_those_to_come)
{
    static const struct {
        uint64_t time;
        const char *now, *next, *last;
    } rows[] = { { 1742999832, "0x0929e24e", "0xe7e0e7ff", "0x23aa1351" },
                 { 1761677592, "0xe7e0e7ff", "0x3893353e", "0x23aa1351" },
                 { 1762955544, "0x23aa1351", NULL, NULL } };
    static const char *const members[] = { "current", "next", "last" };
    static const addr_t deposits = { { 0x77 } };
    world.chain = &EVM_HOODI;
    world.fork_id = 0xbef71d30;
    world.deposit_contract = &deposits;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *const want[] = { rows[i].now, rows[i].next, rows[i].last };
        jo_doc_t doc;
        world.latest.env.timestamp = rows[i].time;
        const jo_t o = jo_open(&doc, NULL, view_str(serve(ASK("eth_config"))), 1 << 20, JO_LENIENT);
        const jo_t result = jo_object(&o, "result");
        for (size_t k = 0; k < 3; k++) {
            jo_t config;
            const bool there = jo_opt_object(&result, &config, members[k]);
            ck_assert_int_eq(there, want[k] != NULL);
            if (there)
                ck_assert(view_eq(jo_text(&config, "forkId", 0, 99), view_str(want[k])));
        }
        ck_assert_int_eq(jo_done(&o), RC_OK);
        jo_close(&doc);
    }
    const char *text = serve(ASK("eth_config"));
    ck_assert_ptr_nonnull(
        strstr(text, "\"blobSchedule\":{\"target\":14,\"max\":21,\"baseFeeUpdateFraction\":11684671}"));
    ck_assert_ptr_nonnull(strstr(text, "\"P256VERIFY\":\"0x0000000000000000000000000000000000000100\""));
    ck_assert_ptr_nonnull(strstr(text, "\"DEPOSIT_CONTRACT_ADDRESS\":\"0x7700000000000000000000000000000000000000\""));
    ck_assert_ptr_null(strstr(text, "BUILDER_"));
    /* A network that is not built in has its hash: Hoodi's, whose checksum is that of above. */
    static const hash32_t hoodi = { { 0xbb, 0xe3, 0x12, 0x86, 0x8b, 0x37, 0x6a, 0x30, 0x01, 0x69, 0x2a,
                                      0x64, 0x6d, 0xd2, 0xd7, 0xd1, 0xe4, 0x40, 0x63, 0x80, 0xdf, 0xd8,
                                      0x6b, 0x98, 0xaa, 0x8a, 0x34, 0xd1, 0x55, 0x7c, 0x97, 0x1b } };
    world.fork_id = 0;
    world.genesis_hash = &hoodi;
    ck_assert_ptr_nonnull(strstr(serve(ASK("eth_config")), "\"forkId\":\"0x23aa1351\""));
    world.deposit_contract = NULL;
    ck_assert_str_eq(serve(ASK("eth_config")), ERROR("-32000", "the genesis block of this network is not known"));
    world.deposit_contract = &deposits;
    world.genesis_hash = NULL;
    ck_assert_str_eq(serve(ASK("eth_config")), ERROR("-32000", "the genesis block of this network is not known"));
}
END_TEST

START_TEST(eth_capabilities_tells_the_head_and_what_is_served)
{
    const char *text = serve(ASK("eth_capabilities"));
    ck_assert_ptr_nonnull(strstr(text, "\"head\":{\"number\":\"0x3e8\",\"hash\":\"" HASH32("aa") "\"}"));
    ck_assert_ptr_nonnull(strstr(text, "\"state\":{\"disabled\":false,\"oldestBlock\":\"0x369\"}"));
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("methods_node", setup, teardown, what_a_node_is_asked_first_is_known,
                           eth_baseFee_is_the_next_blocks, eth_blobBaseFee_is_the_heads,
                           eth_config_tells_the_present_rules_and_those_to_come,
                           eth_capabilities_tells_the_head_and_what_is_served);
}
