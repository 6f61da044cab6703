/* What /v1 is asked: each spelling of a value, each that is none, truncations, maxima. */
#include <check.h>
#include <stdlib.h>

#include "base/hex.h"
#include "rpc/api/overrides.h"
#include "rpc/api/question.h"
#include "tests/unit/unit.h"

#define ACCOUNT "0xac0000000000000000000000000000000000a000"
#define BOUND "0xeb230a03241b042d987d712ac23818e2d16252a893fba85d1f58b2af47adb964"
#define ROW "\"" ACCOUNT "\":"
#define TO "\"to\":\"0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48\""

static arena_t arena;

static void setup(void)
{
    arena_init(&arena, (size_t)64 << 20);
}

static void teardown(void)
{
    arena_free(&arena);
}

static rc_t read_call(question_t *q, err_t *e, const char *text)
{
    return question_of_call(q, e, &arena, view_str(text));
}

START_TEST(numbers_may_be_spelled_in_three_ways)
{
    static const char *const texts[] = { "{" TO ",\"gas\":70000,\"value\":26,\"block\":22168277}",
                                         "{" TO ",\"gas\":\"70000\",\"value\":\"26\",\"block\":\"22168277\"}",
                                         "{" TO ",\"gas\":\"0x11170\",\"value\":\"0x1a\",\"block\":\"0x15242d5\"}" };
    for (size_t i = 0; i < 3; i++) {
        question_t q;
        err_t e = { .text = "" };
        ck_assert_msg(read_call(&q, &e, texts[i]) == RC_OK, "%s %s", e.field, e.text);
        ck_assert_uint_eq(q.what.call.gas, 70000);
        ck_assert_uint_eq(q.what.call.value.w[0], 26);
        ck_assert(q.block.given && q.block.by == SETUP_BY_BLOCK && !q.block.by_hash);
        ck_assert_uint_eq(q.block.number, 22168277);
    }
}
END_TEST

START_TEST(what_is_left_out_is_zero_and_the_default_block)
{
    question_t q;
    ck_assert_int_eq(read_call(&q, NULL,
                               "{" TO ",\"overrides\":\"0x"
                               "0000000000000000000000000000000000000000000000000000000000000000\"}"),
                     RC_OK);
    ck_assert_int_eq(q.what.kind, STATEMENT_CALL);
    ck_assert(!q.block.given && !q.gateway && !q.what.call.gas && !q.what.call.data.n);
    ck_assert_uint_eq(q.what.call.to.b[0], 0xa0);
}
END_TEST

START_TEST(what_is_no_question_names_its_member)
{
    static const struct {
        const char *text, *field;
    } rows[] = {
        { "{}", "to" },
        { "{" TO ",\"gas\":-1}", "gas" },
        { "{" TO ",\"gas\":\"0x10000000000000000\"}", "gas" },
        { "{" TO ",\"gas\":\"007\"}", "gas" },
        { "{" TO ",\"value\":1.5}", "value" },
        { "{" TO ",\"value\":\"0x\"}", "value" },
        { "{" TO ",\"data\":\"0x1\"}", "data" },
        { "{" TO ",\"data\":\"0x11\",\"input\":\"0x12\"}", "input" },
        { "{" TO ",\"from\":\"0x00\"}", "from" },
        { "{" TO ",\"nonce\":\"0x00\"}", "nonce" },
        { "{" TO ",\"block\":\"pending\"}", "block" },
        { "{" TO ",\"block\":{}}", "block" },
        { "{" TO ",\"block\":\"18446744073709551616\"}", "block" },
        { "{" TO ",\"stateOverrides\":{}}", "stateOverrides" },
        { "{" TO ",\"stateOverride\":[]}", "stateOverride" },
        { "{" TO ",\"stateOverride\":{\"0x12\":{}}}", "stateOverride.0x12" },
        { "{" TO ",\"stateOverride\":{" ROW "null}}", "stateOverride." ACCOUNT },
        { "{" TO ",\"stateOverride\":{" ROW "{\"nonce\":7}}}", "stateOverride." ACCOUNT ".nonce" },
        { "{" TO ",\"stateOverride\":{" ROW "{\"nonce\":\"7\"}}}", "stateOverride." ACCOUNT ".nonce" },
        { "{" TO ",\"stateOverride\":{" ROW "{\"storage\":{}}}}", "stateOverride." ACCOUNT ".storage" },
        { "{" TO ",\"stateOverride\":{" ROW "{\"state\":{},\"stateDiff\":{}}}}", "stateOverride." ACCOUNT },
        { "{" TO ",\"stateOverride\":{" ROW "{\"state\":{\"0x1\":\"0x1\"}}}}", "stateOverride." ACCOUNT ".state.0x1" },
        { "{" TO ",\"stateOverride\":{" ROW "{\"state\":{\"0x1\":{}}}}}", "stateOverride." ACCOUNT ".state.0x1" },
        { "{" TO ",\"blockOverride\":{\"number\":1}}", "blockOverride.number" },
        { "{" TO ",\"blockOverride\":{\"Number\":\"0x1\"}}", "blockOverride.Number" },
        { "{" TO ",\"blockOverride\":{\"slot\":\"0x1\"}}", "blockOverride.slot" },
        { "{" TO ",\"blockOverride\":{\"sl-ot\":\"0x1\"}}", "blockOverride" },
        { "{" TO ",\"blockOverride\":{\"time\":\"0x 1\"}}", "blockOverride.time" },
        { "{" TO ",\"blockOverride\":{\"time\":\"\"}}", "blockOverride.time" },
        { "{" TO ",\"blockOverride\":{\"beaconRoot\":\"0x01\"}}", "blockOverride.beaconRoot" },
        { "{" TO ",\"blockOverride\":{\"time\":\"0x1\"},\"overrides\":\"0x"
          "0000000000000000000000000000000000000000000000000000000000000000\"}",
          "overrides" },
        { "{" TO ",\"overrides\":\"0x0100000000000000000000000000000000000000000000000000000000000000\"}",
          "overrides" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        question_t q = { .min_number = 77 };
        err_t e = { .text = "" };
        const rc_t rc = read_call(&q, &e, rows[i].text);
        const bool there = !strncmp(e.field, rows[i].field, sizeof e.field - 1);
        ck_assert_msg(rc && rc_blames_input(rc) && there, "%s: %d at %s", rows[i].text, rc, e.field);
        ck_assert_uint_eq(q.min_number, 77);
    }
}
END_TEST

/* Hash: Keccak-256 of the text, by viem. */
START_TEST(overrides_are_bound_by_the_hash_of_their_canonical_json)
{
    static const char bound[] = "{\"blockOverride\":{\"number\":\"0x7\",\"time\":\"0x8\"},\"stateOverride\":{" ROW
                                "{\"balance\":\"0x1\",\"code\":\"0x6001\"}}}";
    static const char *const texts[] = {
        "{" TO ",\"stateOverride\":{" ROW "{\"code\":\"0x6001\",\"balance\":\"0x1\"}},"
        "\"blockOverride\":{\"time\":\"0x8\",\"number\":\"0x7\"}}",
        "{\"blockOverride\" : {\"number\":\"0x7\", \"time\":\"0x8\"}," TO ",\"stateOverride\":{" ROW
        "{\"balance\":\"0x1\",\"code\":\"0x6001\"}},\"overrides\":\"" BOUND "\"}",
    };
    hash32_t want;
    ck_assert(!hex_decode_exact(want.b, 32, BOUND, sizeof BOUND - 1));
    for (size_t i = 0; i < 2; i++) {
        question_t q;
        statement_request_t r;
        err_t e = { .text = "" };
        ck_assert_msg(read_call(&q, &e, texts[i]) == RC_OK, "%s %s", e.field, e.text);
        ck_assert_msg(view_eq(q.overrides, view_str(bound)), "%.*s", (int)q.overrides.n, (const char *)q.overrides.p);
        ck_assert(hash32_eq(&q.what.call.overrides, &want));
        ck_assert_int_eq(question_request_read(&r, &e, &arena, view_str(texts[i])), RC_OK);
        ck_assert(hash32_eq(&r.call.overrides, &want));
    }
}
END_TEST

START_TEST(overrides_are_read_over_what_the_block_has)
{
    static const char text[] = "{\"blockOverride\":{\"time\":\"0x8\"},\"stateOverride\":{" ROW "{\"nonce\":\"0x5\"}}}";
    ex_overrides_t o;
    evm_block_t env = { .number = 7, .timestamp = 1 };
    ck_assert_int_eq(api_bound_overrides(&o, &env, NULL, &arena, view_str(text)), RC_OK);
    ck_assert(env.number == 7 && env.timestamp == 8);
    ck_assert(o.count == 1 && o.rows[0].has_nonce && o.rows[0].nonce == 5 && o.rows[0].addr.b[0] == 0xac);
    for (size_t n = 0; n + 1 < sizeof text; n++)
        ck_assert_int_eq(api_bound_overrides(&o, &env, NULL, &arena, view_of(text, n)), RC_MALFORMED);
    ck_assert(env.timestamp == 8 && o.count == 1);
}
END_TEST

START_TEST(every_truncation_is_a_fault)
{
    static const char text[] = "{" TO ",\"data\":\"0x18160ddd\",\"block\":\"safe\"}",
                      path[] = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48/0xcdd66abf.json";
    question_t q;
    for (size_t n = 0; n + 1 < sizeof text; n++)
        ck_assert_int_eq(question_of_call(&q, NULL, &arena, view_of(text, n)), RC_MALFORMED);
    for (size_t n = 0; n < sizeof path; n++) {
        char *cut = arena_strdup(&arena, view_of(path, n));
        ck_assert_int_eq(question_of_ccip_get(&q, NULL, &arena, cut), RC_MALFORMED);
        ck_assert_int_eq(question_of_ccip_post(&q, NULL, &arena, cut, view_str("{}")), RC_MALFORMED);
        if (n < 46) /* a shorter slot is another slot */
            ck_assert_int_eq(question_of_storage(&q, NULL, cut, ""), RC_MALFORMED);
    }
}
END_TEST

START_TEST(a_block_has_one_name_of_each_form)
{
    static const struct {
        const char *text;
        bool ok;
        uint64_t number;
    } rows[] = {
        { "0", true, 0 },
        { "18446744073709551615", true, UINT64_MAX },
        { "18446744073709551616", false, 0 },
        { "99999999999999999999", false, 0 },
        { "00", false, 0 },
        { "0x0", true, 0 },
        { "0x00", false, 0 },
        { "0xffffffffffffffff", true, UINT64_MAX },
        { "0x10000000000000000", false, 0 },
        { "0x", false, 0 },
        { "0xg", false, 0 },
        { "0xx1", false, 0 },
        { "", false, 0 },
        { "-1", false, 0 },
        { "1 ", false, 0 },
        { "Latest", false, 0 },
        { "block", false, 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        question_block_t b;
        ck_assert_msg((question_block_read(&b, NULL, view_str(rows[i].text)) == RC_OK) == rows[i].ok, "%s",
                      rows[i].text);
        if (rows[i].ok)
            ck_assert(b.given && !b.by_hash && b.by == SETUP_BY_BLOCK && b.number == rows[i].number);
    }
}
END_TEST

START_TEST(what_is_too_long_is_not_read)
{
    question_t q;
    char *text = malloc(QUESTION_MAX + 2);
    memset(text, ' ', QUESTION_MAX + 1);
    memcpy(text, "{" TO "}", sizeof "{" TO "}" - 1);
    ck_assert_int_eq(question_of_call(&q, NULL, &arena, view_of(text, QUESTION_MAX)), RC_OK);
    ck_assert_int_eq(question_of_call(&q, NULL, &arena, view_of(text, QUESTION_MAX + 1)), RC_LIMIT);
    free(text);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("question", setup, teardown, numbers_may_be_spelled_in_three_ways,
                           what_is_left_out_is_zero_and_the_default_block, what_is_no_question_names_its_member,
                           overrides_are_bound_by_the_hash_of_their_canonical_json,
                           overrides_are_read_over_what_the_block_has, every_truncation_is_a_fault,
                           a_block_has_one_name_of_each_form, what_is_too_long_is_not_read);
}
