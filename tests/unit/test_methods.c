/* POST /rpc: framing as geth's, and each method on a small proven world. */
#include "tests/unit/methods_world.h"

START_TEST(requests_are_framed_as_geth_does)
{
    static const row_t rows[] = {
        { CHAIN_ID("1"), CHAIN_ID_RESULT("1") },
        { "{\"method\":\"eth_chainId\",\"params\":[],\"id\":1,\"jsonrpc\":\"2.0\"}", CHAIN_ID_RESULT("1") },
        { "{\"method\":\"eth_chainId\",\"params\":null,\"id\":1,\"jsonrpc\":\"2.0\",\"more\":{}}",
          CHAIN_ID_RESULT("1") },
        { "", ERROR_NULL("-32700", "parse error") },
        { "{", ERROR_NULL("-32700", "parse error") },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_chainId\"}x", ERROR_NULL("-32700", "parse error") },
        { "[]", ERROR_NULL("-32600", "empty batch") },
        { "7", ERROR_NULL("-32600", "invalid request") },
        { "null", ERROR_NULL("-32600", "invalid request") },
        { "{}", ERROR_NULL("-32600", "invalid request") },
        { "{\"id\":1,\"method\":\"eth_chainId\"}", ERROR("-32600", "invalid request") },
        { "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"eth_chainId\"}", ERROR("-32600", "invalid request") },
        { "{\"jsonrpc\":2,\"id\":1,\"method\":\"eth_chainId\"}", ERROR("-32600", "invalid request") },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}", ERROR("-32600", "invalid request") },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\"}", ERROR("-32600", "invalid request") },
        { CHAIN_ID("{}"), ERROR_NULL("-32600", "invalid request") },
        { CHAIN_ID("[1]"), ERROR_NULL("-32600", "invalid request") },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_foo\"}",
          ERROR("-32601", "the method eth_foo does not exist/is not available") },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_chainid\"}",
          ERROR("-32601", "the method eth_chainid does not exist/is not available") },
        { BALANCE("{}"), ERROR("-32602", "non-array args") },
        { BALANCE("7"), ERROR("-32602", "non-array args") },
        { BALANCE("[]"), ERROR("-32602", "missing value for required argument 0") },
        { BALANCE("null"), ERROR("-32602", "missing value for required argument 0") },
        { BALANCE("[null,\"latest\"]"), ERROR("-32602", "missing value for required argument 0") },
        { BALANCE("[" ADDR ",\"latest\",1]"), ERROR("-32602", "too many arguments, want at most 2") },
    };
    CHECK_ROWS(rows);
}
END_TEST

START_TEST(ids_come_back_byte_for_byte)
{
    static const char *const ids[] = { "0",
                                       "-1",
                                       "1.0",
                                       "1e3",
                                       "1.50",
                                       "\"\"",
                                       "null",
                                       "true",
                                       "\"a\\u0041\\n\\\"}\"",
                                       "\"b9b0-4f\"",
                                       "\"\\/\"",
                                       "9007199254740993",
                                       "18446744073709551616",
                                       "-123456789012345678901234567890",
                                       "1.5E+1234567890123456",
                                       "0.0000000000000000000000001e-999",
                                       "1e400",
                                       "-1E+999",
                                       "\"a\\u0000b\"",
                                       "\"\\ud800\"",
                                       "\"\\udC00\\ud800\\\\u0000\\\"\"" };
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        char request[400], want[400];
        snprintf(request, sizeof request,
                 " {\"params\":[ ] ,\"x\":{\"id\":9}, \"id\" : %s ,\"jsonrpc\":\"2.0\",\"method\":\"eth_chainId\"} ",
                 ids[i]);
        snprintf(want, sizeof want, CHAIN_ID_RESULT("%s"), ids[i]);
        ck_assert_str_eq(serve(request), want);
        snprintf(request, sizeof request, " [ %s , %s ] ", "7", CHAIN_ID("5"));
        ck_assert_str_eq(serve(request), "[" ERROR_NULL("-32600", "invalid request") "," CHAIN_ID_RESULT("5") "]");
        snprintf(request, sizeof request, "[" CHAIN_ID("%s") ",{\"id\":%s}]", ids[i], ids[i]);
        snprintf(want, sizeof want,
                 "[" CHAIN_ID_RESULT("%s") ",{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{\"code\":-32600,"
                                           "\"message\":\"invalid request\"}}]",
                 ids[i], ids[i]);
        ck_assert_str_eq(serve(request), want);
    }
    ck_assert_str_eq(serve("{\"jsonrpc\":\"2.0\",\"id\":01111111111111111111,\"method\":\"eth_chainId\"}"),
                     ERROR_NULL("-32700", "parse error"));
    ck_assert_str_eq(serve("{\"jsonrpc\":\"2.0\",\"i\\u0064\":1.50,\"method\":\"eth_chainId\"}"),
                     CHAIN_ID_RESULT("1.50"));
    ck_assert_str_eq(serve("{\"jsonrpc\":\"2.0\",\"\\u0069d\":1e400,\"method\":\"eth_chainId\"}"),
                     CHAIN_ID_RESULT("1e400"));
    ck_assert_str_eq(serve(CHAIN_ID("\"\\u00g0\"")), ERROR_NULL("-32700", "parse error"));
    ck_assert_str_eq(serve(CHAIN_ID("\"\\u000\"")), ERROR_NULL("-32700", "parse error"));
    ck_assert_str_eq(serve(CHAIN_ID("\"\\u0000\xff\"")), ERROR_NULL("-32700", "parse error"));
    ck_assert_str_eq(serve(CHAIN_ID("1e")), ERROR_NULL("-32700", "parse error"));
}
END_TEST

START_TEST(notifications_have_no_answer)
{
    static const row_t rows[] = {
        { "{\"jsonrpc\":\"2.0\",\"method\":\"eth_chainId\"}", "" },
        { "{\"jsonrpc\":\"2.0\",\"method\":\"eth_foo\"}", "" },
        { "[{\"jsonrpc\":\"2.0\",\"method\":\"eth_chainId\"},{\"jsonrpc\":\"2.0\",\"method\":\"eth_call\"}]", "" },
        { "[{\"jsonrpc\":\"2.0\",\"method\":\"eth_chainId\"}," CHAIN_ID("2") "]", "[" CHAIN_ID_RESULT("2") "]" },
        { "{\"jsonrpc\":\"1.0\",\"method\":\"eth_chainId\"}", ERROR_NULL("-32600", "invalid request") },
    };
    CHECK_ROWS(rows);
}
END_TEST

START_TEST(batches_are_answered_in_order_up_to_1000_calls)
{
    static char text[100000];
    for (size_t n = 999; n <= 1001; n++) {
        strcpy(text, "[");
        for (size_t i = 0; i < n; i++) {
            char one[80];
            snprintf(one, sizeof one, "%s" CHAIN_ID("%zu"), i ? "," : "", i);
            strcat(text, one);
        }
        strcat(text, "]");
        const char *got = serve(text);
        if (n > 1000) {
            ck_assert_str_eq(
                got, "[{\"jsonrpc\":\"2.0\",\"id\":0,\"error\":{\"code\":-32600,\"message\":\"batch too large\"}}]");
            continue;
        }
        for (size_t i = 0; i < n; i++) {
            char one[80];
            const int len = snprintf(one, sizeof one, "%s" CHAIN_ID_RESULT("%zu"), i ? "," : "[", i);
            ck_assert_msg(!strncmp(got, one, (size_t)len), "call %zu", i);
            got += len;
        }
        ck_assert_str_eq(got, "]");
    }
}
END_TEST

START_TEST(a_batch_mixes_what_is_known_and_what_is_asked)
{
    ck_assert_str_eq(
        serve("[" CHAIN_ID("1") "," CALL("{\"to\":" ADDR "}") "," BALANCE("[\"0x1\"]") "," BALANCE("[" ADDR "]") "]"),
        "[" CHAIN_ID_RESULT("1") "," RESULT("\"0x000000000000000000000000000000000000000000000000000000000000002a\"") "," ERROR(
            "-32602", "invalid argument 0: must be 20 bytes of hex with 0x") "," RESULT("\"0x3e8\"") "]");
}
END_TEST

START_TEST(a_node_that_is_not_ready_says_so_and_knows_its_chain)
{
    world.not_ready = "syncing: period 3 of 9";
    ck_assert_str_eq(serve(CHAIN_ID("1")), CHAIN_ID_RESULT("1"));
    ck_assert_str_eq(serve("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_blockNumber\"}"),
                     ERROR("-32002", "syncing: period 3 of 9"));
    ck_assert_str_eq(serve(BALANCE("[" ADDR "]")), ERROR("-32002", "syncing: period 3 of 9"));
    world.chain = NULL;
    ck_assert_str_eq(serve(CHAIN_ID("1")), ERROR("-32002", "syncing: period 3 of 9"));
}
END_TEST

START_TEST(blocks_are_named_by_tag_number_hash_and_object)
{
    static const struct {
        const char *block, *answer;
    } rows[] = {
        { "null", RESULT("\"0x3e8\"") },
        { "\"latest\"", RESULT("\"0x3e8\"") },
        { "\"safe\"", RESULT("\"0x3e8\"") },
        { "\"finalized\"", RESULT("\"0x3e8\"") },
        { "\"0x3e8\"", RESULT("\"0x3e8\"") },
        { "\"0x3a8\"", RESULT("\"0x3e8\"") },
        { "\"" HASH32("aa") "\"", RESULT("\"0x3e8\"") },
        { "{\"blockNumber\":\"0x3e8\"}", RESULT("\"0x3e8\"") },
        { "{\"blockHash\":\"" HASH32("bb") "\",\"requireCanonical\":true}", RESULT("\"0x3e8\"") },
        { "{\"blockNumber\":\"latest\"}", RESULT("\"0x3e8\"") },
        { "{\"blockNumber\":\"finalized\"}", RESULT("\"0x3e8\"") },
        { "{\"blockNumber\":\"pending\"}", ERROR("-32000", "pending state is not available") },
        { "\"0x3e9\"", ERROR("-32000", "header not found") },
        { "\"0x7fffffffffffffff\"", ERROR("-32000", "header not found") },
        { "\"0x8000000000000000\"", ERROR("-32602", "invalid argument 1: block number larger than int64") },
        { "{\"blockNumber\":\"0xffffffffffffffff\"}",
          ERROR("-32602", "invalid argument 1: blockNumber: block number larger than int64") },
        { "\"0x3e7\"", RESULT("\"0x3e8\"") },
        { "{\"blockNumber\":\"0x3e7\"}", RESULT("\"0x3e8\"") },
        { "\"0x3e6\"", ERROR("-32002", "no upstream could prove it: it does not know the block") },
        { "\"pending\"", ERROR("-32000", "pending state is not available") },
        { "\"" HASH32("cc") "\"", ERROR("-32000", "header for hash not found") },
        { "{\"blockHash\":\"" HASH32("cc") "\"}", ERROR("-32000", "header for hash not found") },
        { "{}", ERROR("-32602", "invalid argument 1: must specify either BlockHash or BlockNumber") },
        { "{\"blockNumber\":\"0x1\",\"blockHash\":\"" HASH32("aa") "\"}",
          ERROR("-32602",
                "invalid argument 1: cannot specify both BlockHash and BlockNumber, choose one or the other") },
        { "{\"blockNumber\":7}",
          ERROR("-32602",
                "invalid argument 1: blockNumber: must be a quantity of at most 64 bits, such as \\\"0x1a\\\"") },
        { "\"0x03e8\"",
          ERROR("-32602", "invalid argument 1: must be a quantity of at most 64 bits, such as \\\"0x1a\\\"") },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char request[300];
        snprintf(request, sizeof request, BALANCE("[" ADDR ",%s]"), rows[i].block);
        ck_assert_str_eq(serve(request), rows[i].answer);
    }
    ck_assert(strstr(serve(BALANCE("[" ADDR ",\"lastest\"]")), "\"code\":-32602,\"message\":\"invalid argument 1: "));
    world.has_finalized = false;
    ck_assert_str_eq(serve(BALANCE("[" ADDR ",\"safe\"]")), ERROR("-32000", "safe block not found"));
}
END_TEST

START_TEST(eth_blockNumber_is_that_of_the_latest_head)
{
    ck_assert_str_eq(serve("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_blockNumber\"}"), RESULT("\"0x3e8\""));
}
END_TEST

START_TEST(eth_getBalance_is_proven_and_zero_only_when_absent)
{
    ck_assert_str_eq(serve(BALANCE("[" ADDR "]")), RESULT("\"0x3e8\""));
    ck_assert_uint_eq(rounds, 1);
    ck_assert_str_eq(serve(BALANCE("[" NOBODY "]")), RESULT("\"0x0\""));
    upstream = RC_IO;
    ck_assert_str_eq(serve(BALANCE("[" ADDR "]")),
                     ERROR("-32002", "no upstream could prove it: https://node: it is not there"));
    upstream = RC_TIMEOUT;
    ck_assert_str_eq(serve(BALANCE("[" ADDR "]")), ERROR("-32002", "request timed out: https://node: it is not there"));
}
END_TEST

#define COUNT(params) "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_getTransactionCount\",\"params\":[" params "]}"

START_TEST(eth_getTransactionCount_answers_pending_with_what_is_proven)
{
    static const row_t rows[] = {
        { COUNT(ADDR), RESULT("\"0x1\"") },
        { COUNT(ADDR ",\"finalized\""), RESULT("\"0x1\"") },
        { COUNT(ADDR ",\"pending\""), RESULT("\"0x1\"") },
        { COUNT(NOBODY ",\"latest\""), RESULT("\"0x0\"") },
        { COUNT("\"0x1\",\"pending\""), ERROR("-32602", "invalid argument 0: must be 20 bytes of hex with 0x") },
        { COUNT(ADDR ",\"0x3e9\""), ERROR("-32000", "header not found") },
    };
    CHECK_ROWS(rows);
}
END_TEST

#define DATA(hex) CALL("{\"to\":" ECHO ",\"data\":\"0x" hex "\"},\"latest\"")
#define REVERT(text, hex)                                                                                              \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":3,\"message\":\"execution reverted" text "\",\"data\":\"0x" hex \
    "\"}}"
#define PANIC "4e487b7100000000000000000000000000000000000000000000000000000000000000"
#define NO                                                                                                             \
    "08c379a0"                                                                                                         \
    "0000000000000000000000000000000000000000000000000000000000000020"                                                 \
    "0000000000000000000000000000000000000000000000000000000000000002"                                                 \
    "6e6f000000000000000000000000000000000000000000000000000000000000"
#define NO_TOO_LONG                                                                                                    \
    "08c379a0"                                                                                                         \
    "0000000000000000000000000000000000000000000000000000000000000020"                                                 \
    "0000000000000000000000000000000000000000000000000000000000000021"                                                 \
    "6e6f000000000000000000000000000000000000000000000000000000000000"

START_TEST(eth_call_gives_output_revert_reason_or_halt)
{
    static const row_t rows[] = {
        { CALL("{\"to\":" ADDR "}"), RESULT("\"0x000000000000000000000000000000000000000000000000000000000000002a\"") },
        { CALL("{\"to\":" ADDR ",\"gasLimit\":\"0x1\",\"whatever\":{}},\"latest\",null,{}"),
          RESULT("\"0x000000000000000000000000000000000000000000000000000000000000002a\"") },
        { CALL("{\"to\":" NOBODY "}"), RESULT("\"0x\"") },
        { CALL("{\"data\":\"0x602a5f5260205ff3\"}"),
          RESULT("\"0x000000000000000000000000000000000000000000000000000000000000002a\"") },
        { DATA(""), REVERT("", "") },
        { DATA("12345678"), REVERT("", "12345678") },
        { DATA(NO), REVERT(": no", NO) },
        { DATA(NO_TOO_LONG), REVERT("", NO_TOO_LONG) },
        { DATA(PANIC "01"), REVERT(": assert(false)", PANIC "01") },
        { DATA(PANIC "32"), REVERT(": out-of-bounds access of an array or bytesN", PANIC "32") },
        { DATA(PANIC "77"), REVERT(": unknown panic code: 0x77", PANIC "77") },
        { CALL("{\"to\":" HALTS "}"), ERROR("-32000", "invalid opcode: INVALID") },
        { CALL("{\"to\":" ADDR ",\"from\":" ADDR ",\"value\":\"0x3e9\"}"),
          ERROR("-32000", "err: insufficient funds for gas * price + value: address "
                          "0xAC0000000000000000000000000000000000a000 have 1000 want 1001 (supplied gas 50000000)") },
        { CALL("7"), ERROR("-32602", "invalid argument 0: must be an object") },
        { CALL("{\"to\":\"0x1\"}"), ERROR("-32602", "invalid argument 0: to: must be 20 bytes of hex with 0x") },
    };
    CHECK_ROWS(rows);
}
END_TEST

START_TEST(the_table_is_listed)
{
    view_t body;
    jo_doc_t doc;
    ck_assert_int_eq(api_methods_body(&body, &arena), RC_OK);
    ck_assert_ptr_nonnull(
        strstr((const char *)body.p,
               "{\"name\":\"eth_getBalance\",\"parameters\":[1,2],\"bound\":\"proofs\",\"round_trips\":1}"));
    const jo_t list = jo_open(&doc, NULL, body, body.n, JO_LENIENT);
    ck_assert_uint_eq(jo_size(&list), API_METHOD_COUNT);
    jo_close(&doc);
}
END_TEST

START_TEST(only_single_calls_that_memory_answers_are_answered_at_once)
{
    static const struct {
        const char *body;
        bool at_once;
    } rows[] = {
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_chainId\"}", true },
        { " {\"method\":\"eth_blockNumber\",\"params\":[],\"id\":\"x\",\"jsonrpc\":\"2.0\"}", true },
        { "{\"id\":{\"method\":\"eth_chainId\"},\"method\":\"eth_call\"}", false },
        { "{\"method\":\"eth_gasPrice\"}", false },
        { "{\"method\":\"eth_uninstallFilter\",\"params\":[\"0x1\"]}", false },
        { "{\"method\":\"eth_foo\"}", false },
        { "{\"method\":7}", false },
        { "{\"method\":\"", false },
        { "[{\"method\":\"eth_chainId\"}]", false },
        { "{", false },
        { "", false },
    };
    char longer[API_RPC_AT_ONCE + 2];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ck_assert_msg(api_rpc_at_once(view_str(rows[i].body)) == rows[i].at_once, "%s", rows[i].body);
    for (size_t n = API_RPC_AT_ONCE; n <= API_RPC_AT_ONCE + 1; n++) {
        memset(longer, ' ', sizeof longer);
        memcpy(longer, rows[0].body, strlen(rows[0].body));
        ck_assert(api_rpc_at_once(view_of(longer, n)) == (n <= API_RPC_AT_ONCE));
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND(
        "methods", setup, teardown, only_single_calls_that_memory_answers_are_answered_at_once,
        requests_are_framed_as_geth_does, ids_come_back_byte_for_byte, notifications_have_no_answer,
        batches_are_answered_in_order_up_to_1000_calls, a_batch_mixes_what_is_known_and_what_is_asked,
        a_node_that_is_not_ready_says_so_and_knows_its_chain, blocks_are_named_by_tag_number_hash_and_object,
        eth_blockNumber_is_that_of_the_latest_head, eth_getBalance_is_proven_and_zero_only_when_absent,
        eth_getTransactionCount_answers_pending_with_what_is_proven, eth_call_gives_output_revert_reason_or_halt,
        the_table_is_listed);
}
