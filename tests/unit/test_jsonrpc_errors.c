/* JSON-RPC texts: errors, and what is no answer. */
#include "tests/unit/jsonrpc_set.h"

START_TEST(error_for_an_element_is_no_lie_and_its_message_is_cut_and_cleaned)
{
    set_t s;
    const need_t *needs;
    begin(&s, SLOAD_ARG, true);
    size_t n = step(&s, &needs);
    ck_assert_int_eq(needs[0].kind, NEED_HINT);
    char *body = calloc(1, WORLD_TEXT_MAX);
    put(body, "[");
    for (size_t i = 0; i < n; i++)
        put(body, "%s{\"jsonrpc\":\"2.0\",\"id\":%zu,\"error\":{\"code\":-32000,\"message\":\"a\\n%0200d\"}}",
            i ? "," : "", i + 1, 0);
    put(body, "]");
    ck_assert_int_eq(give(&s, needs, n, body), RC_IO);
    ck_assert(strstr(s.why.text, ": error -32000") && !strstr(s.why.text, "a?"));
    ck_assert_uint_lt(strlen(s.why.text), 240);
    ck_assert(s.answered[0]); /* a refused hint counts as given */
    for (size_t i = 1; i < n; i++)
        ck_assert(!s.answered[i]);
    free(body);
    end(&s);
}
END_TEST

/* A message of `length` letters in an error object, by itself or for one element; with or without a code. */
static void put_error(char *out, const char *id, const char *code, size_t length)
{
    out[0] = '\0';
    put(out, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{%s\"message\":\"", id, code);
    size_t at = strlen(out);
    memset(out + at, 'm', length);
    out[at + length] = '\0';
    strcat(out, "\"}}");
}

/* Anybody may read an answer's reason: the operator finds the message in the log. */
START_TEST(an_error_s_message_is_not_repeated)
{
    static const size_t lengths[] = { 0, 1, 120, 50000 };
    char *body = calloc(1, WORLD_TEXT_MAX), want[300];
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        set_t s;
        const need_t *needs;
        begin(&s, SLOAD_ARG, false);
        size_t n = step(&s, &needs);
        ck_assert_int_eq(needs[0].kind, NEED_PROOF);
        put_error(body, "1", "\"code\":-32000,", lengths[i]);
        ck_assert_int_eq(give(&s, needs, 1, body), RC_IO);
        snprintf(want, sizeof want, "eth_getProof 0x%s: error -32000",
                 needs[0].addr.b[18] == 0xa0 ? "ac0000000000000000000000000000000000a000"
                                             : "ac0000000000000000000000000000000000f000");
        ck_assert_str_eq(s.why.text, want);
        put_error(body, "null", "", lengths[i]);
        ck_assert_int_eq(give(&s, needs, n, body), RC_IO);
        ck_assert_str_eq(s.why.text, "the whole batch was refused: an error, the batch is not taken as it is");
        for (size_t k = 0; k < n; k++)
            ck_assert(!s.answered[k]);
        end(&s);
    }
    free(body);
}
END_TEST

/* A refusal of what the request does not hold is one of something else. */
START_TEST(an_error_means_only_what_its_request_can_be_refused_for)
{
    static const hash32_t hash = { { 1 } };
    const struct {
        need_t need;
        int code;
        const char *message, *why; /* why: the end of the sentence; "": it is answered */
        refusal_t meaning;
    } rows[] = {
        { { .kind = NEED_SEND }, -32602, "invalid argument 0", ": error -32602", REFUSAL_OTHER },
        { { .kind = NEED_SEND }, -32603, "header not found", ": error -32603", REFUSAL_OTHER },
        { { .kind = NEED_SEND }, -32603, "too many slots", ": error -32603", REFUSAL_OTHER },
        { { .kind = NEED_SEND }, 429, "", ": error 429, it was asked too often", REFUSAL_BUSY },
        { { .kind = NEED_HEAD }, -32602, "", ": error -32602", REFUSAL_OTHER },
        { { .kind = NEED_HEAD_BYTES }, -32602, "", ": error -32602", REFUSAL_OTHER },
        { { .kind = NEED_CHANGES }, -32602, "", ": error -32602", REFUSAL_OTHER },
        { { .kind = NEED_WHERE, .hash = hash }, -32602, "", ": error -32602", REFUSAL_OTHER },
        { { .kind = NEED_HEADER, .number = 7 }, -32602, "", ": error -32602", REFUSAL_OTHER },
        { { .kind = NEED_BLOCK, .hash = hash }, -32602, "", ": error -32602", REFUSAL_OTHER },
        { { .kind = NEED_RECEIPTS, .number = 7 }, -32602, "", ": error -32602", REFUSAL_OTHER },
        { { .kind = NEED_RECEIPTS, .hash = hash }, -32602, "", "", REFUSAL_NONE },
        { { .kind = NEED_CODE }, -32602, "", ", it does not take a block's hash", REFUSAL_FORM },
        { { .kind = NEED_PROOF }, -32602, "", ", it does not take a block's hash", REFUSAL_FORM },
    };
    for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
        const cap_form_t form = { .by_number = i % 2 != 0 };
        const bool by_form = rows[i / 2].meaning == REFUSAL_FORM && form.by_number;
        const refusal_t meaning = by_form ? REFUSAL_OTHER : rows[i / 2].meaning;
        const char *why = by_form ? ": error -32602" : rows[i / 2].why;
        const need_t *need = &rows[i / 2].need;
        jr_answer_t answer = { .rc = RC_BUG };
        arena_t a;
        char body[200];
        arena_init(&a, 1 << 16);
        snprintf(body, sizeof body, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":%d,\"message\":\"%s\"}}",
                 rows[i / 2].code, rows[i / 2].message);
        ck_assert_int_eq(jr_decode(&answer, NULL, &a, &need, 1, &form, view_str(body)), RC_OK);
        ck_assert_msg(answer.refusal == meaning, "%zu: %d", i, (int)answer.refusal);
        ck_assert_int_eq(answer.rc, *why ? RC_IO : RC_OK);
        ck_assert(answer.answer.absent == !*why);
        const size_t n = strlen(answer.why.text);
        ck_assert_msg(*why ? n > strlen(why) && !strcmp(answer.why.text + n - strlen(why), why) : !n, "%zu: %s", i,
                      answer.why.text);
        arena_free(&a);
    }
}
END_TEST

/* Some clients refuse a transaction by the code of a bad parameter or of an inner fault: the words tell. */
START_TEST(a_transaction_is_refused_by_words_whatever_the_code)
{
    static const struct {
        int code;
        const char *message;
        bool refused;
    } rows[] = {
        { -32000, "anything", true },
        { -32602, "0x15d34AAf tries to send a tx with nonce 13, but account has nonce 14 (tx nonce too low)", true },
        { -32602, "does not have enough balance to cover transaction costs (insufficient balance)", true },
        { -32602, "replacement gas too low, got tip 1, min: 1", true },
        { -32603, "Transaction underpriced", true },
        { -32603, "already known", true },
        { -32602, "0xf3dd: this transaction is already in the TxPool", true },
        { -32602, "missing value for required argument 0", false },
        { -32603, "internal error", false },
        { -32005, "nonce too low", false },
        { -32601, "already known", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        static const need_t send = { .kind = NEED_SEND };
        const need_t *need = &send;
        jr_answer_t answer = { .rc = RC_BUG };
        arena_t a;
        char body[300];
        arena_init(&a, 1 << 16);
        snprintf(body, sizeof body, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":%d,\"message\":\"%s\"}}",
                 rows[i].code, rows[i].message);
        ck_assert_int_eq(jr_decode(&answer, NULL, &a, &need, 1, &(cap_form_t){ 0 }, view_str(body)), RC_OK);
        ck_assert_msg(answer.answer.refused == rows[i].refused, "%zu", i);
        ck_assert_int_eq(answer.rc, rows[i].refused ? RC_OK : RC_IO);
        arena_free(&a);
    }
}
END_TEST

START_TEST(an_error_for_a_lone_hint_refuses_the_hint_and_not_the_round)
{
    set_t s;
    const need_t *needs;
    begin(&s, SLOAD_ARG, true);
    (void)step(&s, &needs);
    ck_assert_int_eq(needs[0].kind, NEED_HINT);
    ck_assert_int_eq(give(&s, needs, 1, "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":1,\"message\":\"x\"}}"),
                     RC_IO);
    ck_assert_str_eq(s.why.text, "the whole batch was refused: error 1, the batch is not taken as it is");
    ck_assert(!s.answered[0]);
    ck_assert_int_eq(
        give(&s, needs, 1, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32601,\"message\":\"no such method\"}}"),
        RC_OK);
    ck_assert(s.answered[0]);
    ck_assert_str_eq(s.why.text, "");
    end(&s);
}
END_TEST

START_TEST(error_for_the_whole_batch_is_reported)
{
    set_t s;
    const need_t *needs;
    begin(&s, SLOAD_ARG, false);
    size_t n = step(&s, &needs);
    ck_assert_int_eq(
        give(&s, needs, n,
             "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32005,\"message\":\"batch too large\"}}"),
        RC_IO);
    ck_assert_ptr_nonnull(strstr(s.why.text, "the whole batch was refused: error -32005, "));
    ck_assert_int_eq(give(&s, needs, n, "{\"jsonrpc\":\"2.0\",\"id\":null}"), RC_MALFORMED);
    ck_assert_int_eq(give(&s, needs, n, "[]"), RC_MALFORMED);
    ck_assert_ptr_nonnull(strstr(s.why.text, "no answer"));
    ck_assert_int_eq(give(&s, needs, n, "null"), RC_MALFORMED);
    ck_assert_int_eq(give(&s, needs, n, "[null]"), RC_MALFORMED);
    ck_assert_int_eq(give(&s, needs, n, "<html>"), RC_MALFORMED);
    end(&s);
}
END_TEST

START_TEST(null_result_means_no_answer)
{
    set_t s;
    const need_t *needs;
    begin(&s, SLOAD_ARG, false);
    size_t n = step(&s, &needs);
    char *body = calloc(1, WORLD_TEXT_MAX);
    put(body, "[");
    for (size_t i = 0; i < n; i++)
        put(body, "%s{\"jsonrpc\":\"2.0\",\"id\":%zu,\"result\":null}", i ? "," : "", i + 1);
    put(body, "]");
    ck_assert_int_eq(give(&s, needs, n, body), RC_NEED_DATA); /* of a block that is there: not yet */
    ck_assert_ptr_nonnull(strstr(s.why.text, "null"));
    free(body);
    end(&s);
}
END_TEST

START_TEST(more_elements_or_the_same_twice_are_refused)
{
    set_t s;
    const need_t *needs;
    begin(&s, SLOAD_ARG, false);
    size_t n = step(&s, &needs);
    char *body = honest(&s, needs, n);
    char *bad = replaced(body, "[{", "[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":null},{");
    ck_assert_int_eq(give(&s, needs, n, bad), RC_MALFORMED);
    ck_assert_ptr_nonnull(strstr(s.why.text, "more elements"));
    free(bad);
    bad = replaced(body, "\"id\":2", "\"id\":1");
    ck_assert_int_eq(give(&s, needs, n, bad), RC_MALFORMED);
    ck_assert_ptr_nonnull(strstr(s.why.text, "same id"));
    free(bad);
    free(body);
    end(&s);
}
END_TEST

START_TEST(too_deep_or_too_many_values_are_refused_before_a_tree_is_built)
{
    set_t s;
    const need_t *needs;
    begin(&s, SLOAD_ARG, false);
    size_t n = step(&s, &needs);
    char *body = calloc(1, 1000001);
    ck_assert_ptr_nonnull(body);
    memset(body, '[', JSON_DEPTH_MAX + 1);
    memset(body + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
    ck_assert_int_eq(give(&s, needs, n, body), RC_LIMIT);
    memset(body, 0, 1000001);
    memset(body, '[', JSON_DEPTH_MAX);
    memset(body + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
    ck_assert_int_eq(give(&s, needs, n, body), RC_MALFORMED);
    for (size_t i = 0; i < 500000; i++)
        memcpy(body + 2 * i, i ? ",0" : "[0", 2);
    ck_assert_int_eq(give(&s, needs, n, body), RC_LIMIT);
    free(body);
    end(&s);
}
END_TEST

int main(void)
{
    return UNIT_RUN("jsonrpc_errors", error_for_an_element_is_no_lie_and_its_message_is_cut_and_cleaned,
                    an_error_s_message_is_not_repeated, an_error_means_only_what_its_request_can_be_refused_for,
                    a_transaction_is_refused_by_words_whatever_the_code,
                    an_error_for_a_lone_hint_refuses_the_hint_and_not_the_round, error_for_the_whole_batch_is_reported,
                    null_result_means_no_answer, more_elements_or_the_same_twice_are_refused,
                    too_deep_or_too_many_values_are_refused_before_a_tree_is_built);
}
