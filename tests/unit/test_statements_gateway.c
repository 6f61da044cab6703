/* The CCIP-Read gateway: the statements of calls in ABI form, and refusals as messages. */
#include "rpc/api/abi.h"
#include "tests/unit/statements_world.h"

typedef struct {
    statement_call_t call;
    uint8_t rule;
    uint64_t number;
} args_t;

static const eip712_member_t args_members[] = {
    { "call", EIP712_STRUCT, offsetof(args_t, call), &STATEMENT_CALL_TYPE, 0 },
    { "rule", EIP712_UINT8, offsetof(args_t, rule), NULL, 0 },
    { "number", EIP712_UINT64, offsetof(args_t, number), NULL, 0 },
};
static const eip712_type_t args_type = { "args", args_members, 3 };

/* Calldata for the gateway, as hex with 0x, in the arena. */
static char *calldata(uint8_t rule, uint64_t number, uint8_t overrides)
{
    args_t args = { .call.to = A, .rule = rule, .number = number };
    view_t data;
    args.call.overrides.b[31] = overrides;
    ck_assert_int_eq(abi_encode(&data, &arena, &args_type, &args), RC_OK);
    char *hex = arena_alloc(&arena, 11 + 2 * data.n);
    memcpy(hex, "0xcdd66abf", 10);
    hex_encode(hex + 10, data);
    return hex;
}

static const char *ccip_path(const char *data)
{
    char *path = arena_alloc(&arena, 2048);
    snprintf(path, 2048, "/v1/ccip/" NOBODY "/%s.json", data);
    return path;
}

static void expect_message(const char *path, const char *body, int status, const char *text)
{
    reply_t a = send_request(path, body);
    ck_assert_msg(a.status == status && a.body && !strncmp(a.body, "{\"message\":\"", 12) && strstr(a.body, text),
                  "%s: %d %s", path, a.status, a.body ? a.body : "");
    free(a.body);
}

/* {"data": ...} is the ABI form of the very statement that /v1/call gives. */
START_TEST(the_gateway_answers_the_statement_of_the_call_in_abi_form)
{
    static const char *const blocks[] = { "latest", "safe", "finalized", "930" };
    open_statements(RETURN_42, NULL, 0);
    for (uint8_t rule = 0; rule < 4; rule++) {
        char body[300], *hex;
        view_t abi;
        snprintf(body, sizeof body, "{\"to\":\"" A_TEXT "\",\"block\":\"%s\"}", blocks[rule]);
        const statement_t x = ask_statement("/v1/call", body, NULL);
        ck_assert_int_eq(statement_abi(&abi, &arena, &x), RC_OK);
        hex = arena_alloc(&arena, 2 * abi.n + 32);
        strcpy(hex, "{\"data\":\"0x");
        hex_encode(hex + 11, abi);
        strcat(hex, "\"}");
        const char *asked = calldata(rule, rule == 3 ? 930 : 900, 0);
        reply_t a = same_again(ccip_path(asked), NULL);
        ck_assert_str_eq(a.body, hex);
        free(a.body);
        char post[2048];
        snprintf(post, sizeof post, "{\"data\":\"%s\",\"sender\":\"" NOBODY "\"}", asked);
        a = send_request("/v1/ccip/" NOBODY ".json", post);
        ck_assert_str_eq(a.body, hex);
        free(a.body);
    }
    close_statements();
}
END_TEST

START_TEST(what_the_gateway_refuses_is_a_message)
{
    addr_t sender;
    memset(sender.b, 0xdd, 20);
    open_statements(RETURN_42, &sender, 1);
    const char *good = calldata(0, 0, 0);
    char post[2048], other[2048];
    reply_t a = send_request(ccip_path(good), NULL);
    ck_assert_int_eq(a.status, 200);
    free(a.body);
    snprintf(other, sizeof other, "/v1/ccip/" A_TEXT "/%s.json", good);
    expect_message(other, NULL, 403, "sender: ");
    expect_message(ccip_path(calldata(4, 0, 0)), NULL, 400, "rule: must be");
    expect_message(ccip_path(calldata(0, 0, 1)), NULL, 400, "call.overrides: overrides are not supported");
    expect_message(ccip_path(calldata(3, 1001, 0)), NULL, 404, "block: ");
    expect_message(ccip_path(calldata(0, 1001, 0)), NULL, 503, "number: ");
    expect_message(ccip_path("0xcdd66abe"), NULL, 400, "data: must be calldata of callStatement");
    expect_message(ccip_path("0xcdd66abf00"), NULL, 400, "data: is not what abi.encode writes");
    expect_message(ccip_path("0xcdd66ab"), NULL, 400, "data: must be bytes");
    expect_message("/v1/ccip/0x12/0x12.json", NULL, 400, "sender: must be");
    expect_message("/v1/ccip/" NOBODY "/0x12", NULL, 400, "path: must be");
    snprintf(post, sizeof post, "{\"data\":\"%s\",\"sender\":\"" A_TEXT "\"}", good);
    expect_message("/v1/ccip/" NOBODY ".json", post, 400, "sender: is not the one in the path");
    expect_message("/v1/ccip/" NOBODY ".json", "{\"data\":\"0x\",\"sender\":\"" NOBODY "\",\"x\":1}", 400, "x: ");
    expect_message("/v1/ccip/" NOBODY, "{}", 400, "path: must be");
    looks_allowed = 0;
    expect_message(ccip_path(good), NULL, 503, "degraded: the head is old");
    ck_assert_uint_eq(signatures, 1);
    close_statements();
}
END_TEST

int main(void)
{
    if (secret_init())
        return EXIT_FAILURE;
    return UNIT_RUN("statements_gateway", the_gateway_answers_the_statement_of_the_call_in_abi_form,
                    what_the_gateway_refuses_is_a_message);
}
