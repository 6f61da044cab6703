/* Results that stay the same as long as the head is: whose they are, what is kept, and how much. */
#include <stdio.h>
#include <stdlib.h>

#include "node/same.h"
#include "tests/unit/unit.h"

static same_t s;
static api_world_t world;

static void setup(void)
{
    same_init(&s);
    world = (api_world_t){ .latest.block_hash.b = { 1 } };
}

static void teardown(void)
{
    same_clear(&s);
}

#define ASKED(id, params) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"eth_call\",\"params\":[" params "]}"
#define ANSWERED(id, result) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":" result "}"

static bool keep(const char *method, const char *body, const char *answer)
{
    same_key_t key;
    const bool asked = same_key(&key, &world, view_str(body));
    if (asked)
        same_put(&s, &key, api_method(view_str(method)), view_str(answer));
    return asked;
}

/* What is answered; NULL: nothing is kept for it. */
static char *found(const char *body)
{
    same_key_t key;
    uint8_t *out;
    size_t n;
    const api_method_t *method;
    if (!same_key(&key, &world, view_str(body)) || same_get(&s, &out, &n, &method, &key))
        return NULL;
    char *text = calloc(1, n + 1);
    memcpy(text, out, n);
    free(out);
    return text;
}

static void expect(const char *body, const char *answer)
{
    char *text = found(body);
    if (answer)
        ck_assert_str_eq(text, answer);
    else
        ck_assert_msg(!text, "%s: %s", body, text);
    free(text);
}

START_TEST(a_result_is_given_to_whoever_asks_the_same_of_the_same_head_under_his_own_id)
{
    ck_assert(keep("eth_call", ASKED("1", "{}"), ANSWERED("1", "\"0x2a\"")));
    expect(ASKED("1", "{}"), ANSWERED("1", "\"0x2a\""));
    expect(ASKED("123456789012345678", "{}"), ANSWERED("123456789012345678", "\"0x2a\""));
    expect(ASKED("\"a-B9\"", "{}"), ANSWERED("\"a-B9\"", "\"0x2a\""));
    expect(ASKED("1", "{ }"), NULL);
    expect(ASKED("1", "{},\"0x1\""), NULL);
    world.latest.block_hash.b[0] = 2;
    expect(ASKED("1", "{}"), NULL);
    world.latest.block_hash.b[0] = 1;
    world.has_finalized = true;
    world.finalized.block_hash.b[0] = 3;
    expect(ASKED("1", "{}"), NULL);
    world.has_finalized = false;
    world.not_ready = "degraded: too old";
    expect(ASKED("1", "{}"), NULL);
}
END_TEST

START_TEST(an_id_that_may_be_no_json_or_hide_a_member_is_not_taken_for_one)
{
    static const char *const ids[] = { "01",   "1.5",          "-1",        "1e3",          "1234567890123456789",
                                       "null", "true",         "\"\"",      "\"",           "{}",
                                       "[1]",  "\"a\\u0062\"", "\"a b\"",   "\"\xc3\xa9\"", "x",
                                       "",     "1 2",          "\"a\"\"b\"" };
    keep("eth_call", ASKED("1", "{}"), ANSWERED("1", "\"0x2a\""));
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        char body[256];
        snprintf(body, sizeof body, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"eth_call\",\"params\":[{}]}", ids[i]);
        expect(body, NULL);
    }
    expect("{\"jsonrpc\":\"2.0\",\"method\":\"eth_call\",\"params\":[{}]}", NULL); /* a notification */
    expect("[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_call\",\"params\":[{}]}]", NULL);
    expect("", NULL);
    expect(" ", NULL);
}
END_TEST

START_TEST(where_the_id_stands_is_part_of_the_question)
{
    keep("eth_call", "{\"a\":\"\",\"id\":1,\"b\":2}", ANSWERED("1", "\"0x2a\""));
    expect("{\"a\":\"\",\"id\":7,\"b\":2}", ANSWERED("7", "\"0x2a\""));
    expect("{\"a\":\"\",\"b\":2,\"id\":7}", NULL);
    expect("{\"id\":1,\"a\":\"\",\"b\":2}", NULL);
}
END_TEST

START_TEST(errors_null_and_what_changes_by_itself_are_not_kept)
{
    keep("eth_call", ASKED("1", "1"),
         "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":3,\"message\":\"execution reverted\"}}");
    expect(ASKED("1", "1"), NULL);
    keep("eth_getTransactionByHash", ASKED("1", "2"), ANSWERED("1", "null"));
    expect(ASKED("1", "2"), NULL);
    static const char *const change[] = {
        "eth_getTransactionCount", "eth_getFilterChanges", "eth_newFilter", "eth_subscribe",
        "eth_sendRawTransaction",  "eth_fillTransaction",  "eth_syncing",   "nothing"
    };
    for (size_t i = 0; i < sizeof change / sizeof change[0]; i++) {
        keep(change[i], ASKED("1", "3"), ANSWERED("1", "\"0x1\""));
        expect(ASKED("1", "3"), NULL);
    }
    keep("eth_getBalance", ASKED("1", "3"), ANSWERED("1", "\"0x1\""));
    expect(ASKED("2", "3"), ANSWERED("2", "\"0x1\""));
}
END_TEST

START_TEST(requests_results_and_all_together_are_bounded)
{
    enum { LONG = 15000 };
    char *body = calloc(1, SAME_REQUEST_MAX + 128), *answer = calloc(1, SAME_RESULT_MAX + 128);
    snprintf(body, SAME_REQUEST_MAX + 128, ASKED("1", "\"%*s\""), SAME_REQUEST_MAX, "");
    ck_assert(!keep("eth_call", body, ANSWERED("1", "1")));
    snprintf(answer, SAME_RESULT_MAX + 128, ANSWERED("1", "\"%*s\""), (int)SAME_RESULT_MAX, "");
    keep("eth_call", ASKED("1", "1"), answer);
    expect(ASKED("1", "1"), NULL);
    snprintf(answer, SAME_RESULT_MAX + 128, ANSWERED("1", "\"%*s\""), LONG, "");
    for (unsigned i = 0; i < 2000; i++) {
        snprintf(body, SAME_REQUEST_MAX, ASKED("1", "%u"), i);
        keep("eth_call", body, answer);
        expect(body, answer);
        ck_assert_uint_le(s.bytes, SAME_BYTES_MAX);
    }
    ck_assert_uint_gt(s.bytes, SAME_BYTES_MAX - 2 * LONG);
    free(body);
    free(answer);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND(
        "same", setup, teardown, a_result_is_given_to_whoever_asks_the_same_of_the_same_head_under_his_own_id,
        an_id_that_may_be_no_json_or_hide_a_member_is_not_taken_for_one, where_the_id_stands_is_part_of_the_question,
        errors_null_and_what_changes_by_itself_are_not_kept, requests_results_and_all_together_are_bounded);
}
