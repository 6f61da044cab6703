/* Methods of POST /rpc that read the state. */
#include "base/hex.h"
#include "tests/unit/methods_world.h"

#define ASK(method, params) "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"" method "\",\"params\":[" params "]}"
#define SLOTS "\"0xac0000000000000000000000000000000000d000\""
#define ZERO64 "0000000000000000000000000000000000000000000000000000000000000000"
#define WORD(two) "\"0x00000000000000000000000000000000000000000000000000000000000000" two "\""

static void setup_slots(void)
{
    setup();
    world_account_t *a = world_add(&w, world_addr(0xd000), "602a");
    world_set(a, 0, u256_of(0x38));
    world_set(a, 7, u256_of(0x77));
    world.latest.state_root = world.finalized.state_root = world_root(&w);
}

START_TEST(eth_getCode_is_proven_and_empty_only_where_there_is_none)
{
    static const row_t rows[] = {
        { ASK("eth_getCode", ADDR), RESULT("\"0x602a5f5260205ff3\"") },
        { ASK("eth_getCode", ADDR ",\"finalized\""), RESULT("\"0x602a5f5260205ff3\"") },
        { ASK("eth_getCode", NOBODY), RESULT("\"0x\"") },
        { ASK("eth_getCode", ADDR ",\"pending\""), ERROR("-32000", "pending state is not available") },
    };
    CHECK_ROWS(rows);
    ck_assert_uint_eq(rounds, 0);
}
END_TEST

static ex_block_t older; /* block 990 */

static bool older_by_number(void *ctx, ex_block_t *out, const ex_block_t *of, uint64_t number)
{
    *out = older;
    return !ctx && hash32_eq(&of->block_hash, &world.latest.block_hash) && number == older.env.number;
}

static bool older_by_hash(void *ctx, ex_block_t *out, const ex_block_t *of, const hash32_t *hash)
{
    *out = older;
    return !ctx && hash32_eq(&of->block_hash, &world.latest.block_hash) && hash32_eq(hash, &older.block_hash);
}

START_TEST(blocks_that_are_still_held_are_read_at)
{
    static const row_t rows[] = {
        { ASK("eth_getStorageAt", SLOTS ",\"0x0\",\"0x3de\""), RESULT(WORD("39")) },
        { ASK("eth_getStorageAt", SLOTS ",\"0x0\",\"" HASH32("cc") "\""), RESULT(WORD("39")) },
        { ASK("eth_getStorageAt", SLOTS ",\"0x0\",\"" HASH32("cd") "\""),
          ERROR("-32000", "header for hash not found") },
        { ASK("eth_getStorageAt", SLOTS ",\"0x0\",\"0x3e9\""), ERROR("-32000", "header not found") },
    };
    world_set(world_find(&w, (addr_t[]){ world_addr(0xd000) }), 0, u256_of(0x39));
    older = world.latest;
    older.env.number = 990;
    older.state_root = world_root(&w);
    memset(older.block_hash.b, 0xcc, 32);
    world.held_by_number = older_by_number;
    world.held_by_hash = older_by_hash;
    CHECK_ROWS(rows);
}
END_TEST

START_TEST(a_block_of_the_past_is_proven_first)
{
    static const row_t rows[] = {
        { ASK("eth_getStorageAt", SLOTS ",\"0x0\",\"0x3e7\""), RESULT(WORD("39")) },
        { ASK("eth_getStorageAt", SLOTS ",\"0x0\",{\"blockNumber\":\"0x3e7\"}"), RESULT(WORD("39")) },
        { ASK("eth_getBalance", NOBODY ",\"0x3e7\""), RESULT("\"0x0\"") },
        { ASK("eth_call", "{\"to\":" SLOTS ",\"gas\":7},\"0x3e7\""),
          ERROR("-32602", "invalid argument 0: gas: must be a quantity of at most 64 bits, such as \\\"0x1a\\\"") },
        { ASK("eth_getStorageAt", SLOTS ",\"0xzz\",\"0x3e7\""),
          ERROR("-32602", "invalid hex in storage key: \\\"0xzz\\\"") },
    };
    world_set(world_find(&w, (addr_t[]){ world_addr(0xd000) }), 0, u256_of(0x39));
    set_past();
    CHECK_ROWS(rows);
    serve(rows[0].request);
    ck_assert_uint_eq(rounds, 2);
    serve("[" ASK("eth_getStorageAt", SLOTS ",\"0x0\",\"0x3e7\"") "," ASK("eth_blockNumber", "") "," ASK(
        "eth_getBalance", NOBODY ",\"0x3e7\"") "]");
    ck_assert_uint_eq(rounds, 4);
}
END_TEST

START_TEST(a_block_of_the_past_by_its_hash_is_proven_to_be_of_the_chain)
{
    char text[300], hash[65];
    set_past();
    hex_encode(hash, view_of(past_hash.b, 32));
    snprintf(text, sizeof text, ASK("eth_getBalance", ADDR ",\"0x%.64s\""), hash);
    ck_assert_str_eq(serve(text), RESULT("\"0x3e8\""));
    memset(world.latest.parent_hash.b, 7, 32); /* it is another branch's */
    ck_assert_ptr_nonnull(strstr(serve(text), "-32002"));
}
END_TEST

START_TEST(a_block_access_list_is_that_of_the_header)
{
    /* one account whose balance becomes 5 */
    static const uint8_t list[] = { 0xde, 0xdd, 0x94, 0xac, 0, 0,    0, 0,    0,    0,    0,    0, 0, 0,    0,   0,
                                    0,    0,    0,    0,    0, 0xd0, 0, 0xc0, 0xc0, 0xc3, 0xc2, 1, 5, 0xc0, 0xc0 };
    static const evm_schedule_row_t amsterdam = { 0, { EVM_AMSTERDAM, 6, 9, 5007716, NULL } };
    static const evm_chain_t chain = { 560048, &amsterdam, 1 };
    static const row_t rows[] = {
        { ASK("debug_getRawBlockAccessList", "\"0x3e7\""),
          RESULT("\"0xdedd94ac0000000000000000000000000000000000d000c0c0c3c20105c0c0\"") },
        { ASK("eth_getBlockAccessList", "\"0x3e7\""),
          RESULT("[{\"address\":" SLOTS ",\"storageChanges\":[],\"storageReads\":[],\"balanceChanges\":"
                 "[{\"index\":\"0x1\",\"value\":\"0x5\"}],\"nonceChanges\":[],\"codeChanges\":[]}]") },
    };
    world.chain = &chain;
    past.tail = ex_header_tail(EVM_AMSTERDAM);
    past_changes = view_of(list, sizeof list);
    keccak256(&past.block_access_list_hash, past_changes);
    ex_header_hash(&past_hash, &past);
    world.latest.parent_hash = past_hash;
    CHECK_ROWS(rows);
    ck_assert_uint_eq(rounds, 2); /* the header of the past, then the list */
    past_changes.n--;             /* another list is no answer */
    ck_assert_ptr_nonnull(strstr(serve(rows[0].request), "-32002"));
    past_changes = view_of(NULL, 0);
    ck_assert_str_eq(serve(rows[0].request), ERROR("4444", "no endpoint has the block access list"));
}
END_TEST

START_TEST(a_block_of_before_amsterdam_has_no_access_list)
{
    static const row_t rows[] = {
        { ASK("debug_getRawBlockAccessList", "\"latest\""),
          ERROR("-32001", "a block of before Amsterdam has no block access list") },
        { ASK("eth_getBlockAccessList", "\"latest\""),
          ERROR("-32001", "a block of before Amsterdam has no block access list") },
    };
    CHECK_ROWS(rows);
    ck_assert_uint_eq(rounds, 0); /* nobody is asked */
}
END_TEST

START_TEST(eth_getStorageAt_takes_keys_as_geth_does)
{
    static const row_t rows[] = {
        { ASK("eth_getStorageAt", SLOTS ",\"0x0\""), RESULT(WORD("38")) },
        { ASK("eth_getStorageAt", SLOTS ",\"0x" ZERO64 "\",\"latest\""), RESULT(WORD("38")) },
        { ASK("eth_getStorageAt", SLOTS ",\"7\""), RESULT(WORD("77")) },
        { ASK("eth_getStorageAt", SLOTS ",\"0X07\""), RESULT(WORD("77")) },
        { ASK("eth_getStorageAt", SLOTS ",\"\""), RESULT(WORD("38")) },
        { ASK("eth_getStorageAt", SLOTS ",\"0x8\""), RESULT(WORD("00")) },
        { ASK("eth_getStorageAt", NOBODY ",\"0x8\""), RESULT(WORD("00")) },
        { ASK("eth_getStorageAt", SLOTS ",\"0x" ZERO64 "0\",\"latest\""),
          ERROR("-32602", "storage key too long (want at most 32 bytes): \\\"0x" ZERO64 "0\\\"") },
        { ASK("eth_getStorageAt", SLOTS ",\"0xasdf\""), ERROR("-32602", "invalid hex in storage key: \\\"0xasdf\\\"") },
        { ASK("eth_getStorageAt", SLOTS), ERROR("-32602", "missing value for required argument 1") },
    };
    CHECK_ROWS(rows);
}
END_TEST

START_TEST(eth_getStorageValues_reads_all_in_one_batch)
{
    ck_assert_str_eq(serve(ASK("eth_getStorageValues",
                               "{" SLOTS ":[" WORD("07") "," WORD("00") "]," NOBODY ":[" WORD("01") "]," ADDR ":[]}")),
                     RESULT("{" SLOTS ":[" WORD("77") "," WORD("38") "]," NOBODY ":[" WORD("00") "]," ADDR ":[]}"));
    ck_assert_uint_eq(rounds, 1);
    static const row_t rows[] = {
        { ASK("eth_getStorageValues", "{}"), ERROR("-32602", "empty request") },
        { ASK("eth_getStorageValues", "{" ADDR ":[]}"), ERROR("-32602", "empty request") },
        { ASK("eth_getStorageValues", "{\"0x12\":[]}"),
          ERROR("-32602", "invalid argument 0: 0x12: the name must be an address") },
        { ASK("eth_getStorageValues", "{\"x\":[]}"),
          ERROR("-32602", "invalid argument 0: x: the name must be an address") },
        { ASK("eth_getStorageValues", "{" ADDR ":[\"0x0\"]}"),
          ERROR("-32602",
                "invalid argument 0: 0xac0000000000000000000000000000000000a000[0]: must be 32 bytes of hex with 0x") },
    };
    CHECK_ROWS(rows);
}
END_TEST

START_TEST(eth_getStorageValues_has_at_most_1024_slots)
{
    static char text[100000];
    for (unsigned n = 1024; n <= 1025; n++) {
        strcpy(text, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_getStorageValues\",\"params\":[{" SLOTS ":[");
        for (unsigned i = 0; i < n; i++)
            strcat(text, i ? "," WORD("07") : WORD("07"));
        strcat(text, "]}]}");
        const char *got = serve(text);
        if (n == 1024)
            ck_assert_ptr_nonnull(strstr(got, "\"result\""));
        else
            ck_assert_str_eq(got, ERROR("-38026", "too many slots (max 1024)"));
    }
}
END_TEST

START_TEST(eth_getProof_shows_verified_nodes_and_keys_as_they_were_given)
{
    const char *text = serve(ASK("eth_getProof", SLOTS ",[\"0x07\"," WORD("00") "],\"latest\""));
    ck_assert_ptr_nonnull(strstr(text, "\"result\":{\"address\":" SLOTS ",\"accountProof\":[\"0x"));
    ck_assert_ptr_nonnull(strstr(text, "\"key\":\"0x7\",\"value\":\"0x77\",\"proof\":[\"0x"));
    ck_assert_ptr_nonnull(strstr(text, "\"key\":" WORD("00") ",\"value\":\"0x38\",\"proof\":[\"0x"));
    text = serve(ASK("eth_getProof", NOBODY ",[]"));
    ck_assert_ptr_nonnull(strstr(text, "\"balance\":\"0x0\",\"codeHash\":\"0x" ZERO64 "\",\"nonce\":\"0x0\","
                                       "\"storageHash\":\"0x" ZERO64 "\",\"storageProof\":[]}"));
    ck_assert_str_eq(serve(ASK("eth_getProof", NOBODY ",[\"0xasdf\"]")),
                     ERROR("-32602", "invalid hex in storage key: \\\"0xasdf\\\""));
}
END_TEST

START_TEST(eth_getProof_takes_1024_keys)
{
    static char text[100000];
    for (unsigned n = 1024; n <= 1025; n++) {
        strcpy(text, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_getProof\",\"params\":[" SLOTS ",[");
        for (unsigned i = 0; i < n; i++)
            strcat(text, i ? ",\"0x7\"" : "\"0x7\"");
        strcat(text, "]]}");
        const char *got = serve(text);
        if (n == 1024)
            ck_assert_ptr_nonnull(strstr(got, "\"result\""));
        else
            ck_assert_str_eq(got, ERROR("-32602", "too many storage keys requested (max 1024, got 1025)"));
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND(
        "methods_state", setup_slots, teardown, eth_getCode_is_proven_and_empty_only_where_there_is_none,
        blocks_that_are_still_held_are_read_at, a_block_of_the_past_is_proven_first,
        a_block_access_list_is_that_of_the_header, a_block_of_before_amsterdam_has_no_access_list,
        a_block_of_the_past_by_its_hash_is_proven_to_be_of_the_chain, eth_getStorageAt_takes_keys_as_geth_does,
        eth_getStorageValues_reads_all_in_one_batch, eth_getStorageValues_has_at_most_1024_slots,
        eth_getProof_shows_verified_nodes_and_keys_as_they_were_given, eth_getProof_takes_1024_keys);
}
