/* The routes of signed statements through the HTTP server: each kind, what it binds, kept answers, refusals, and the second look
 * at readiness. */
#include "tests/unit/statements_world.h"

/* ---- the kinds ---- */

START_TEST(a_call_is_bound_to_its_request_block_setup_and_time)
{
    statement_request_t request = { .kind = STATEMENT_CALL };
    open_statements(RETURN_42, NULL, 0);
    request.call.to = A;
    request.call.value = u256_of(0);
    const statement_t x = ask_statement("/v1/call", CALL_A, &request);
    ck_assert_uint_eq(x.call.status, STATEMENT_SUCCESS);
    ck_assert_uint_eq(x.call.result.n, 32);
    ck_assert_uint_eq(x.call.result.p[31], 42);
    ck_assert_uint_eq(x.at.number, 1000);
    ck_assert_uint_eq(x.at.hash.b[7], 0xaa);
    ck_assert(hash32_eq(&x.at.state_root, &now_known.latest.header.execution.state_root));
    ck_assert_uint_eq(x.at.slot, SLOT);
    ck_assert_uint_eq(x.at.finality, STATEMENT_OPTIMISTIC);
    ck_assert_uint_eq(x.at.signers, 500);
    ck_assert_uint_eq(x.issued_at, lc_slot_start_ms(net, SLOT) / 1000);
    ck_assert_uint_eq(x.valid_until, x.issued_at + 120);
    request.call.data = view_of("\x01", 1);
    request.call.gas = 70000;
    request.call.from = FROM;
    ask_statement("/v1/call",
                  "{\"to\":\"" A_TEXT "\",\"input\":\"0x01\",\"gas\":70000,\"value\":\"0x0\",\"from\":"
                  "\"0xac0000000000000000000000000000000000f000\",\"block\":\"finalized\"}",
                  &request);
    close_statements();
}
END_TEST

/* NUMBER, in the place of the code that is there: what is answered rests on both overrides. */
START_TEST(a_call_under_overrides_says_so)
{
    static const char body[] = "{\"to\":\"" A_TEXT "\",\"block\":930,\"stateOverride\":{\"" A_TEXT
                               "\":{\"code\":\"0x4360005260206000f3\"}},\"blockOverride\":{\"number\":\"0x4d\"}}",
                      asked[] = "{\"to\":\"" A_TEXT "\",\"stateOverride\":{\"" A_TEXT
                                "\":{\"code\":\"0x4360005260206000f3\"}},\"blockOverride\":{\"number\":\"0x4d\"}}";
    statement_request_t request;
    open_statements(RETURN_42, NULL, 0);
    ck_assert_int_eq(question_request_read(&request, NULL, &arena, view_str(asked)), RC_OK);
    ck_assert(!hash32_is_zero(&request.call.overrides));
    const statement_t x = ask_statement("/v1/call", body, &request);
    ck_assert_uint_eq(x.call.status, STATEMENT_SUCCESS);
    ck_assert_uint_eq(x.call.result.p[31], 0x4d);
    ck_assert_uint_eq(x.at.number, 930);
    const statement_t plain = ask_statement("/v1/call", CALL_A, NULL);
    ck_assert_uint_eq(plain.call.result.p[31], 42);
    ck_assert(hash32_is_zero(&plain.call.asked.overrides));
    close_statements();
}
END_TEST

START_TEST(a_revert_and_a_halt_are_said_as_what_they_are)
{
    open_statements(REVERT_WORD, NULL, 0);
    statement_t x = ask_statement("/v1/call", CALL_A, NULL);
    ck_assert_uint_eq(x.call.status, STATEMENT_REVERT);
    ck_assert_uint_eq(x.call.result.n, 32);
    close_statements();
    open_statements("fe", NULL, 0);
    x = ask_statement("/v1/call", CALL_A, NULL);
    ck_assert_uint_eq(x.call.status, STATEMENT_HALT);
    ck_assert_uint_eq(x.call.result.n, 0);
    close_statements();
}
END_TEST

START_TEST(a_block_is_named_by_tag_number_or_hash_and_its_signature_lasts_accordingly)
{
    static const struct {
        const char *name;
        uint64_t number, window;
        unsigned finality;
    } rows[] = {
        { "latest", 1000, 120, 0 },
        { "safe", 930, 1800, 2 },
        { "finalized", 930, 1800, 2 },
        { "1000", 1000, 86400, 0 },
        { "0x3e8", 1000, 86400, 0 },
        { "930", 930, 86400, 2 },
        { "0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 1000, 86400, 0 },
    };
    open_statements(RETURN_42, NULL, 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char path[120];
        snprintf(path, sizeof path, "/v1/block/%s", rows[i].name);
        const statement_t x = ask_statement(path, NULL, NULL);
        ck_assert_int_eq(x.kind, STATEMENT_BLOCK);
        ck_assert_uint_eq(x.at.number, rows[i].number);
        ck_assert_uint_eq(x.at.finality, rows[i].finality);
        ck_assert_uint_eq(x.valid_until - x.issued_at, rows[i].window);
    }
    ck_assert_uint_eq(ends[0].batches, 0); /* nothing was asked for */
    close_statements();
}
END_TEST

/* Headers of two blocks in a row, of the branch of the next head. */
static void make_branch(ex_header_t headers[2], uint64_t number)
{
    for (size_t i = 0; i < 2; i++) {
        headers[i] = (ex_header_t){ .number = number + i, .gas_limit = 30000000, .ommers_hash = EX_NO_OMMERS };
        headers[i].timestamp = lc_slot_start_ms(net, SLOT + 1 + i) / 1000;
        headers[i].state_root = world_root(&s.w);
        if (i)
            ex_header_hash(&headers[i].parent_hash, &headers[i - 1]);
    }
    past = headers;
    past_count = 2;
}

/* Heads 1001 and 1002, then 1003 on another 1002: what is signed of 1001 is of the block that stands. */
START_TEST(a_block_that_was_a_head_is_signed_only_where_it_stands)
{
    static ex_header_t branch[2];
    hash32_t want;
    open_statements(RETURN_42, NULL, 0);
    now_known.latest = head_at(SLOT + 1, 1001, 0xa1, 0xaa);
    note();
    now_known.latest = head_at(SLOT + 2, 1002, 0xa2, 0xa1);
    note();
    ck_assert_uint_eq(ask_statement("/v1/block/1001", NULL, NULL).at.hash.b[0], 0xa1);
    ck_assert_uint_eq(ends[0].batches, 0);
    now_known.latest = head_at(SLOT + 3, 1003, 0xb3, 0xb2);
    make_branch(branch, 1001);
    ex_header_hash(&now_known.latest.header.execution.parent_hash, &branch[1]);
    note();
    ex_header_hash(&want, &branch[0]);
    statement_t x = ask_statement("/v1/block/1001", NULL, NULL);
    ck_assert(hash32_eq(&x.at.hash, &want));
    ck_assert_uint_gt(ends[0].batches, 0);
    x = ask_statement("/v1/account/" A_TEXT "?block=1001", NULL, NULL);
    ck_assert(hash32_eq(&x.at.hash, &want));
    past = NULL;
    past_count = 0;
    close_statements();
}
END_TEST

START_TEST(a_block_of_the_past_is_proven_at_the_head_that_it_rests_on)
{
    static const struct {
        uint64_t number, rests_on_slot;
        unsigned finality;
    } rows[] = { { 999, SLOT, 0 }, { 929, SLOT - 70, 2 } };
    open_statements(RETURN_42, NULL, 0);
    open_past();
    for (size_t i = 0; i < 4; i++) {
        char path[200], hex[65];
        hash32_t hash;
        ex_header_hash(&hash, &past[i % 2]);
        hex_encode(hex, view_of(hash.b, sizeof hash.b));
        if (i < 2)
            snprintf(path, sizeof path, "/v1/block/%llu", (unsigned long long)rows[i].number);
        else
            snprintf(path, sizeof path, "/v1/storage/" A_TEXT "/0x5?block=0x%.64s", hex);
        const statement_t x = ask_statement(path, NULL, NULL);
        ck_assert_uint_eq(x.at.number, rows[i % 2].number);
        ck_assert_uint_eq(x.at.finality, rows[i % 2].finality);
        ck_assert(hash32_eq(&x.at.hash, &hash));
        ck_assert_uint_eq(x.at.timestamp, past[i % 2].timestamp);
        ck_assert_uint_eq(x.issued_at, lc_slot_start_ms(net, rows[i % 2].rests_on_slot) / 1000);
        ck_assert_uint_eq(x.valid_until - x.issued_at, 86400);
        if (i >= 2)
            ck_assert_int_eq(x.storage.value.b[30] << 8 | x.storage.value.b[31], 1234);
    }
    const statement_t x = ask_statement("/v1/call", "{\"to\":\"" A_TEXT "\",\"block\":999}", NULL);
    ck_assert_uint_eq(x.at.number, 999);
    ck_assert_uint_eq(x.call.result.p[31], 42);
    past = NULL;
    past_count = 0;
    close_statements();
}
END_TEST

START_TEST(accounts_and_slots_are_said_also_when_nothing_is_there)
{
    statement_request_t request = { .kind = STATEMENT_ACCOUNT };
    open_statements(RETURN_42, NULL, 0);
    request.account = A;
    statement_t x = ask_statement("/v1/account/" A_TEXT, NULL, &request);
    ck_assert(!hash32_is_zero(&x.account.code_hash) && !hash32_is_zero(&x.account.storage_root));
    request.kind = STATEMENT_STORAGE;
    request.slot.b[31] = 5;
    x = ask_statement("/v1/storage/" A_TEXT "/0x5?block=1000", NULL, &request);
    ck_assert_int_eq(x.storage.value.b[30] << 8 | x.storage.value.b[31], 1234);
    request.slot.b[31] = 6;
    x = ask_statement("/v1/storage/" A_TEXT "/0x0000000000000000000000000000000000000000000000000000000000000006", NULL,
                      &request);
    ck_assert(hash32_is_zero(&x.storage.value));
    request.kind = STATEMENT_ACCOUNT;
    memset(request.account.b, 0xdd, 20);
    x = ask_statement("/v1/account/" NOBODY, NULL, &request);
    ck_assert(u256_is_zero(&x.account.balance) && !x.account.nonce);
    ck_assert(hash32_is_zero(&x.account.code_hash) && hash32_is_zero(&x.account.storage_root));
    close_statements();
}
END_TEST

START_TEST(a_checkpoint_is_the_finalized_beacon_block)
{
    open_statements(RETURN_42, NULL, 0);
    const statement_t x = ask_statement("/v1/checkpoint", NULL, NULL);
    ck_assert_int_eq(x.kind, STATEMENT_CHECKPOINT);
    ck_assert_uint_eq(x.checkpoint.slot, SLOT - 70);
    ck_assert_uint_eq(x.checkpoint.root.b[3], 0x93 ^ 0xff);
    ck_assert_uint_eq(x.checkpoint.state_root.b[3], 0x44);
    ck_assert_uint_eq(x.valid_until - x.issued_at, 1800);
    close_statements();
}
END_TEST

/* ---- the same again ---- */

START_TEST(the_same_request_on_the_same_block_gets_the_same_bytes)
{
    open_statements(RETURN_42, NULL, 0);
    reply_t first = same_again("/v1/call", CALL_A);
    ck_assert_uint_eq(signatures, 1);
    ck_assert_uint_eq(ends[0].batches, 1);
    /* Another text for the same, and the same on the next head: proven and signed anew, and yet the same. */
    reply_t spaced = send_request("/v1/call", "{ \"block\": \"latest\", \"to\": \"" A_TEXT "\" }");
    ck_assert_str_eq(first.body, spaced.body);
    ck_assert_uint_eq(signatures, 2);
    reply_t by_number = same_again("/v1/account/" A_TEXT "?block=1000", NULL);
    now_known.latest = head_at(SLOT + 1, 1001, 0xab, 0xaa);
    note();
    reply_t later = send_request("/v1/account/" A_TEXT "?block=1000", NULL);
    ck_assert_str_eq(by_number.body, later.body);
    ck_assert_uint_eq(ask_statement("/v1/call", CALL_A, NULL).at.number, 1001);
    free(first.body);
    free(spaced.body);
    free(by_number.body);
    free(later.body);
    close_statements();
}
END_TEST

/* ---- refusals ---- */

START_TEST(what_is_not_known_or_not_supported_is_named)
{
    static const struct {
        const char *path, *body;
        int status;
        const char *slug, *text;
    } rows[] = {
        { "/v1/call", "{", 400, "bad-request", "" },
        { "/v1/call", "{}", 400, "bad-request", "to: " },
        { "/v1/call", "{\"to\":7}", 400, "bad-request", "to: must be" },
        { "/v1/call", "{\"to\":\"" A_TEXT "\",\"stateOverrides\":{}}", 400, "bad-request",
          "stateOverrides: unknown key" },
        { "/v1/call", "{\"to\":\"" A_TEXT "\",\"blockOverride\":{\"slot\":\"0x1\"}}", 400, "bad-request",
          "blockOverride.slot: unknown key" },
        { "/v1/call",
          "{\"to\":\"" A_TEXT "\",\"stateOverride\":{\"" A_TEXT "\":{\"movePrecompileToAddress\":\"" NOBODY "\"}}}",
          422, "call-refused", "is not a precompile" },
        { "/v1/call", "{\"to\":\"" A_TEXT "\",\"gasPrice\":\"0x1\"}", 400, "bad-request", "gasPrice: " },
        { "/v1/call", "{\"to\":\"" A_TEXT "\",\"accessList\":[]}", 400, "bad-request", "accessList: " },
        { "/v1/call", "{\"to\":\"" A_TEXT "\",\"gas\":50000001}", 400, "bad-request", "gas: must be at most 50000000" },
        { "/v1/call", "{\"to\":\"" A_TEXT "\",\"gas\":1}", 422, "call-refused", "intrinsic gas too low" },
        { "/v1/call", "{\"to\":\"" A_TEXT "\",\"block\":\"pending\"}", 400, "bad-request", "block: must be" },
        { "/v1/call", "{\"to\":\"" A_TEXT "\",\"block\":1001}", 404, "unknown-block", "block: is none that" },
        { "/v1/block/earliest", NULL, 400, "bad-request", "block: must be" },
        { "/v1/block/01", NULL, 400, "bad-request", "block: must be" },
        { "/v1/block/1001", NULL, 404, "unknown-block", "block: is none that" },
        { "/v1/block/929", NULL, 502, "upstream", "it does not know the block" },
        { "/v1/block/0x1111111111111111111111111111111111111111111111111111111111111111", NULL, 404, "unknown-block",
          "" },
        { "/v1/block/latest?x=1", NULL, 400, "bad-request", "query: " },
        { "/v1/checkpoint?block=1", NULL, 400, "bad-request", "query: " },
        { "/v1/account/0x12", NULL, 400, "bad-request", "address: must be 20 bytes" },
        { "/v1/account/" A_TEXT "?block=latest&block=1", NULL, 400, "bad-request", "query: " },
        { "/v1/storage/" A_TEXT, NULL, 400, "bad-request", "slot: must be" },
        { "/v1/storage/" A_TEXT "/0x", NULL, 400, "bad-request", "slot: must be" },
        { "/v1/storage/" A_TEXT "/0x5?block=7000000", NULL, 404, "unknown-block", "block: " },
    };
    open_statements(RETURN_42, NULL, 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_problem(rows[i].path, rows[i].body, rows[i].status, rows[i].slug, rows[i].text);
    ck_assert_uint_eq(signatures, 0);
    close_statements();
}
END_TEST

START_TEST(a_lie_is_no_statement)
{
    open_statements(RETURN_42, NULL, 0);
    ends[0].falsified = ends[1].falsified = "ac00";
    expect_problem("/v1/account/" A_TEXT, NULL, 502, "upstream", "");
    ck_assert_uint_eq(signatures, 0);
    ends[0].falsified = ends[1].falsified = NULL;
    ask_statement("/v1/account/" A_TEXT, NULL, NULL); /* nothing of the failure was kept */
    close_statements();
}
END_TEST

START_TEST(readiness_is_looked_at_again_before_the_key_is_used)
{
    open_statements(RETURN_42, NULL, 0);
    looks_allowed = 0;
    expect_problem("/v1/call", CALL_A, 503, "not-ready", "degraded: the head is old");
    looks = 0;
    looks_allowed = 1; /* as the request comes, and not when all is proven */
    expect_problem("/v1/call", CALL_A, 503, "not-ready", "degraded: the head is old");
    ck_assert_uint_eq(looks, 2);
    ck_assert_uint_ge(ends[0].batches, 1);
    ck_assert_uint_eq(signatures, 0);
    close_statements();
}
END_TEST

START_TEST(nothing_is_signed_that_has_expired_and_nothing_kept_is_given_out_then)
{
    open_statements(RETURN_42, NULL, 0);
    ask_statement("/v1/block/latest", NULL, NULL);
    now_at_ms = lc_slot_start_ms(net, SLOT) + 120999;
    ask_statement("/v1/block/latest", NULL, NULL);
    ck_assert_uint_eq(signatures, 1);
    now_at_ms = lc_slot_start_ms(net, SLOT) + 121000;
    expect_problem("/v1/block/latest", NULL, 503, "not-ready", "would have expired already");
    ask_statement("/v1/block/1000", NULL, NULL);
    now_at_ms = lc_slot_start_ms(net, SLOT - 70) + 1801000;
    expect_problem("/v1/checkpoint", NULL, 503, "not-ready", "the finalized block is 1801 s old");
    now_known.finalized.valid = false;
    expect_problem("/v1/block/safe", NULL, 503, "not-ready", "no finalized header");
    close_statements();
}
END_TEST

int main(void)
{
    if (secret_init())
        return EXIT_FAILURE;
    return UNIT_RUN("statements", a_call_is_bound_to_its_request_block_setup_and_time, a_call_under_overrides_says_so,
                    a_revert_and_a_halt_are_said_as_what_they_are,
                    a_block_is_named_by_tag_number_or_hash_and_its_signature_lasts_accordingly,
                    a_block_that_was_a_head_is_signed_only_where_it_stands,
                    a_block_of_the_past_is_proven_at_the_head_that_it_rests_on,
                    accounts_and_slots_are_said_also_when_nothing_is_there, a_checkpoint_is_the_finalized_beacon_block,
                    the_same_request_on_the_same_block_gets_the_same_bytes, what_is_not_known_or_not_supported_is_named,
                    a_lie_is_no_statement, readiness_is_looked_at_again_before_the_key_is_used,
                    nothing_is_signed_that_has_expired_and_nothing_kept_is_given_out_then);
}
