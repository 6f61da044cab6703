/* JSON-RPC texts: what is asked, what is taken for an answer. */
#include "tests/unit/jsonrpc_set.h"

/* ---- requests ---- */

START_TEST(batch_asks_for_each_need_in_its_own_words)
{
    set_t s;
    view_t text;
    hash32_t keys[2] = { world_key(1), world_key(0x1234) };
    begin(&s, SLOAD_ARG, false);
    s.request.data = view_str("\x12\x34");
    s.request.has_gas = true;
    s.request.gas = 0x5000;
    need_t needs[4] = { { .kind = NEED_HINT, .block = &s.block, .request = &s.request },
                        { .kind = NEED_PROOF, .block = &s.block, .addr = A, .slots = keys, .slot_count = 2 },
                        { .kind = NEED_CODE, .block = &s.block, .addr = FROM },
                        { .kind = NEED_HEADER, .block = &s.block, .number = 998 } };
    ck_assert_int_eq(give_request(&text, &s.w.arena, needs, 4), RC_OK);
    char by_hash[100], want[1000], hash[65];
    hex_encode(hash, view_of(s.block.block_hash.b, 32));
    snprintf(by_hash, sizeof by_hash, "{\"blockHash\":\"0x%s\"}", hash);
    static const char form[] =
        "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_createAccessList\",\"params\":[{"
        "\"from\":\"0xac0000000000000000000000000000000000f000\",\"to\":\"0xac0000000000000000000000000000000000a000\","
        "\"gas\":\"0x5000\",\"value\":\"0x1\",\"data\":\"0x1234\"},%s]},"
        "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"eth_getProof\",\"params\":["
        "\"0xac0000000000000000000000000000000000a000\","
        "[\"0x0000000000000000000000000000000000000000000000000000000000000001\","
        "\"0x0000000000000000000000000000000000000000000000000000000000001234\"],%s]},"
        "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"eth_getCode\",\"params\":["
        "\"0xac0000000000000000000000000000000000f000\",%s]},"
        "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"eth_getBlockByNumber\",\"params\":[\"0x3e6\",false]}]";
    snprintf(want, sizeof want, form, by_hash, by_hash, by_hash);
    ck_assert(view_eq(text, view_str(want)));
    const need_t *asked[4] = { &needs[0], &needs[1], &needs[2], &needs[3] };
    const cap_form_t by_number = { .by_number = true };
    ck_assert_int_eq(jr_encode(&text, NULL, &s.w.arena, asked, 4, &by_number), RC_OK);
    snprintf(want, sizeof want, form, "\"0x3e8\"", "\"0x3e8\"", "\"0x3e8\"");
    ck_assert(view_eq(text, view_str(want)));
    end(&s);
}
END_TEST

START_TEST(hint_request_repeats_fees_and_access_list)
{
    set_t s;
    view_t text;
    char *copy;
    hash32_t key = world_key(7);
    begin(&s, SLOAD_ARG, false);
    evm_access_t access[2] = { { A, &key, 1 }, { FROM, NULL, 0 } };
    s.request.access = access;
    s.request.access_count = 2;
    s.request.has_gas_price = s.request.dynamic_fee = true;
    s.request.gas_price = (u256_t){ { 2, 0, 1, 0 } };
    s.request.max_priority_fee = u256_of(1);
    need_t need = { .kind = NEED_HINT, .block = &s.block, .request = &s.request };
    ck_assert_int_eq(give_request(&text, &s.w.arena, &need, 1), RC_OK);
    copy = arena_strdup(&s.w.arena, text);
    ck_assert_ptr_nonnull(strstr(copy, "\"maxFeePerGas\":\"0x100000000000000000000000000000002\""));
    ck_assert_ptr_nonnull(strstr(copy, "\"maxPriorityFeePerGas\":\"0x1\""));
    ck_assert_ptr_nonnull(
        strstr(copy, "\"accessList\":[{\"address\":\"0xac0000000000000000000000000000000000a000\",\"storageKeys\":["
                     "\"0x0000000000000000000000000000000000000000000000000000000000000007\"]},"
                     "{\"address\":\"0xac0000000000000000000000000000000000f000\",\"storageKeys\":[]}]"));
    end(&s);
}
END_TEST

START_TEST(quantities_are_written_without_leading_zeros)
{
    static const struct {
        u256_t price;
        const char *text;
    } rows[] = {
        { { { 0, 0, 0, 0 } }, "\"gasPrice\":\"0x0\"," },
        { { { 15, 0, 0, 0 } }, "\"gasPrice\":\"0xf\"," },
        { { { UINT64_MAX, 0, 0, 0 } }, "\"gasPrice\":\"0xffffffffffffffff\"," },
        { { { 0, 1, 0, 0 } }, "\"gasPrice\":\"0x10000000000000000\"," },
        { { { 1, 0, 0, 2 } }, "\"gasPrice\":\"0x2000000000000000000000000000000000000000000000001\"," },
        { { { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } },
          "\"gasPrice\":\"0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\"," },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        set_t s;
        view_t text;
        begin(&s, SLOAD_ARG, false);
        s.request.has_gas_price = true;
        s.request.gas_price = rows[i].price;
        need_t need = { .kind = NEED_HINT, .block = &s.block, .request = &s.request };
        ck_assert_int_eq(give_request(&text, &s.w.arena, &need, 1), RC_OK);
        char *copy = arena_strdup(&s.w.arena, text);
        ck_assert_msg(strstr(copy, rows[i].text) != NULL, "row %zu: %s", i, copy);
        end(&s);
    }
}
END_TEST

/* ---- answers ---- */

START_TEST(honest_answers_in_any_order_lead_to_the_result)
{
    set_t s;
    const need_t *needs;
    begin(&s, SLOAD_ARG, true);
    for (int round = 0; round < 2; round++) {
        size_t n = step(&s, &needs);
        char *body = honest(&s, needs, n);
        ck_assert_msg(give(&s, needs, n, body) == RC_OK, "%s", s.why.text);
        for (size_t i = 0; i < n; i++)
            ck_assert(s.answered[i]);
        free(body);
    }
    ck_assert_int_eq(query_step(s.call, &s.e), RC_OK);
    ck_assert_uint_eq(ex_call_result(s.call)->output.p[31], 0x33);
    end(&s);
}
END_TEST

START_TEST(batch_may_be_split)
{
    set_t s;
    const need_t *needs;
    begin(&s, SLOAD_ARG, true);
    size_t n = step(&s, &needs);
    ck_assert_uint_eq(n, 4);
    for (size_t at = 0; at < n; at += 2) {
        char *body = honest(&s, needs + at, 2);
        ck_assert_msg(give_body(s.call, s.answered + at, &s.why, needs + at, 2, view_str(body)) == RC_OK, "%s",
                      s.why.text);
        free(body);
    }
    n = step(&s, &needs);
    ck_assert_uint_eq(n, 1);
    ck_assert_uint_eq(needs[0].slot_count, 1);
    end(&s);
}
END_TEST

START_TEST(what_one_upstream_leaves_open_another_is_asked_for)
{
    set_t s;
    view_t text;
    const need_t *needs;
    begin(&s, SLOAD_ARG, true);
    size_t n = step(&s, &needs);
    ck_assert_uint_eq(n, 4);
    char *body = honest(&s, needs, n);
    char *part = calloc(1, WORLD_TEXT_MAX); /* elements 3 and 1 alone: the honest answer is in reverse order */
    ck_assert_ptr_nonnull(part);
    const char *third = strstr(body, "\"id\":3,") - strlen("{\"jsonrpc\":\"2.0\","),
               *second = strstr(body, "\"id\":2,") - strlen("{\"jsonrpc\":\"2.0\","),
               *first = strstr(body, "\"id\":1,") - strlen("{\"jsonrpc\":\"2.0\",");
    sprintf(part, "[%.*s%s", (int)(second - third), third, first);
    ck_assert_int_eq(give(&s, needs, n, part), RC_MALFORMED);
    free(part);
    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(s.answered[i], i == 0 || i == 2);
    const need_t *open[] = { &needs[1], &needs[3] };
    ck_assert_int_eq(jr_encode(&text, NULL, &s.w.arena, open, 2, &GIVE_FORM), RC_OK);
    char *asked = arena_strdup(&s.w.arena, text);
    ck_assert_ptr_nonnull(strstr(asked, "[{\"jsonrpc\":\"2.0\",\"id\":1,"));
    ck_assert_ptr_nonnull(strstr(asked, ",{\"jsonrpc\":\"2.0\",\"id\":2,"));
    ck_assert_ptr_null(strstr(asked, "\"id\":3,"));
    ck_assert_msg(give(&s, needs, n, body) == RC_OK, "%s", s.why.text);
    free(body);
    end(&s);
}
END_TEST

START_TEST(every_truncation_is_refused_and_nothing_is_taken)
{
    set_t s;
    const need_t *needs;
    begin(&s, SLOAD_ARG, true);
    size_t n = step(&s, &needs);
    char *body = honest(&s, needs, n), *copy = strdup(body);
    for (size_t len = 0; len < strlen(body); len++) {
        copy[len] = '\0';
        ck_assert_int_eq(give(&s, needs, n, copy), RC_MALFORMED);
        copy[len] = body[len];
        for (size_t i = 0; i < n; i++)
            ck_assert(!s.answered[i]);
    }
    ck_assert_int_eq(give(&s, needs, n, body), RC_OK);
    free(copy);
    free(body);
    end(&s);
}
END_TEST

START_TEST(no_changed_byte_changes_the_result)
{
    set_t s;
    const need_t *needs;
    size_t taken = 0;
    begin(&s, SLOAD_ARG, true);
    for (int round = 0; round < 2; round++) {
        size_t n = step(&s, &needs);
        char *body = honest(&s, needs, n);
        for (size_t at = 0; body[at]; at++)
            for (unsigned bit = 1; bit < 128; bit <<= 1) {
                body[at] = (char)(body[at] ^ (char)bit);
                memset(s.answered, 0, sizeof s.answered);
                taken += give(&s, needs, n, body) == RC_OK; /* upper-case digits, names of ignored fields */
                body[at] = (char)(body[at] ^ (char)bit);
            }
        ck_assert_int_eq(give(&s, needs, n, body), RC_OK);
        free(body);
    }
    ck_assert_int_eq(query_step(s.call, &s.e), RC_OK);
    ck_assert_uint_eq(ex_call_result(s.call)->output.n, 32);
    ck_assert_uint_eq(ex_call_result(s.call)->output.p[31], 0x33);
    ck_assert_uint_gt(taken, 0);
    end(&s);
}
END_TEST

/* Faults in an answer to the second round: proof of A with slot 3. */
static const struct {
    const char *from, *to;
    rc_t rc;
    const char *why;
} faults[] = {
    { "\"id\":1", "\"id\":2", RC_MALFORMED, "id that was not asked for" },
    { "\"id\":1", "\"id\":0", RC_MALFORMED, "id that was not asked for" },
    { "\"id\":1", "\"id\":\"1\"", RC_MALFORMED, "id that was not asked for" },
    { "\"id\":1", "\"id\":null", RC_MALFORMED, "id that was not asked for" },
    { "\"id\":1,", "", RC_MALFORMED, "id that was not asked for" },
    { "\"jsonrpc\":\"2.0\"", "\"jsonrpc\":\"1.0\"", RC_MALFORMED, "not JSON-RPC 2.0" },
    { "\"jsonrpc\":\"2.0\"", "\"jsonrpc\":2", RC_MALFORMED, "not JSON-RPC 2.0" },
    { "\"id\":1", "\"id\":1,\"id\":1", RC_MALFORMED, "batch: the answer is not valid JSON" },
    { "\"id\":1", "\"id\":1,\"error\":{\"code\":1,\"message\":\"x\"}", RC_MALFORMED, "either a result or an error" },
    { "\"result\":{", "\"error\":7,\"x\":{", RC_MALFORMED, "an error that is not an object" },
    { "\"address\":\"0xac0000000000000000000000000000000000a000\"",
      "\"address\":\"0xac0000000000000000000000000000000000a001\"", RC_REFUSED,
      "eth_getProof 0xac0000000000000000000000000000000000a000: address is not the requested one" },
    { "\"address\":\"0xac", "\"address\":\"ac", RC_MALFORMED, "bad field address" },
    { "\"address\":\"0xac00", "\"address\":\"0xac", RC_MALFORMED, "bad field address" },
    { "\"address\"", "\"adress\"", RC_MALFORMED, "bad field address: is required" },
    { "\"balance\":\"0x3e8\"", "\"balance\":\"0x3e9\"", RC_REFUSED, "balance differs" },
    { "\"balance\":\"0x3e8\"", "\"balance\":\"0x03e8\"", RC_MALFORMED, "bad field balance" },
    { "\"balance\":\"0x3e8\"", "\"balance\":1000", RC_MALFORMED, "bad field balance" },
    { "\"balance\":\"0x3e8\"", "\"balance\":\"0x\"", RC_MALFORMED, "bad field balance" },
    { "\"balance\":\"0x3e8\"", "\"balance\":\"3e8\"", RC_MALFORMED, "bad field balance" },
    { "\"balance\":\"0x3e8\"", "\"balance\":\"0X3e8\"", RC_MALFORMED, "bad field balance" },
    { "\"balance\":\"0x3e8\"", "\"balance\":\"0x3eg\"", RC_MALFORMED, "bad field balance" },
    { "\"balance\":\"0x3e8\"", "\"balance\":null", RC_MALFORMED, "bad field balance" },
    { "\"balance\":\"0x3e8\"", "\"balance\":\"0x3e8\\u0000\"", RC_MALFORMED, "batch: the answer is not valid JSON" },
    { "\"balance\":\"0x3e8\"", "\"balance\":\"0x3e8\xff\"", RC_MALFORMED, "batch: the answer is not valid JSON" },
    { "\"nonce\":\"0x1\"", "\"nonce\":\"0x2\"", RC_REFUSED, "nonce differs" },
    { "\"nonce\":\"0x1\"", "\"nonce\":\"0x10000000000000000\"", RC_MALFORMED, "bad field nonce" },
    { "\"nonce\":\"0x1\",", "", RC_MALFORMED, "bad field nonce" },
    { "\"codeHash\":\"0x", "\"codeHash\":\"0x00", RC_MALFORMED, "bad field codeHash" },
    { "\"storageHash\":\"0x", "\"storageHash\":\"0x0", RC_MALFORMED, "bad field storageHash" },
    { "\"accountProof\":[", "\"accountProof\":[7,", RC_MALFORMED, "bad field accountProof" },
    { "\"accountProof\":[", "\"accountProof\":[\"0xc0\",", RC_REFUSED, "account proof does not verify" },
    { "\"accountProof\":[\"0x", "\"accountProof\":[\"0xf", RC_MALFORMED, "bad field accountProof" },
    { "\"key\":\"0x3\"", "\"key\":\"0x4\"", RC_REFUSED, "storage key is not the requested one" },
    { "\"key\":\"0x3\"", "\"key\":\"0x\"", RC_MALFORMED, "bad field storageProof[0].key" },
    { "\"key\":\"0x3\"", "\"key\":\"0x00000000000000000000000000000000000000000000000000000000000000003\"",
      RC_MALFORMED, "bad field storageProof[0].key" },
    { "\"value\":\"0x33\"", "\"value\":\"0x34\"", RC_REFUSED, "storage value differs" },
    { "\"value\":\"0x33\"", "\"value\":\"0x0\"", RC_REFUSED, "storage value differs" },
    { "\"value\":\"0x33\"", "\"value\":51", RC_MALFORMED, "bad field storageProof[0].value" },
    { "\"storageProof\":[{", "\"storageProof\":[{},{", RC_MALFORMED, "bad field storageProof[0].key" },
    { "\"storageProof\":[{", "\"storageProof\":[[],{", RC_MALFORMED, "bad field storageProof[0]: must be an object" },
    { "\"storageProof\":[", "\"storageProof\":7,\"x\":[", RC_MALFORMED, "bad field storageProof: must be a list" },
};

START_TEST(each_wrong_field_is_named_and_the_honest_answer_still_taken)
{
    set_t s;
    const need_t *needs;
    begin(&s, SLOAD_ARG, false);
    size_t n = step(&s, &needs);
    char *body = honest(&s, needs, n);
    ck_assert_msg(give(&s, needs, n, body) == RC_OK, "%s", s.why.text);
    free(body);
    n = step(&s, &needs);
    ck_assert_uint_eq(n, 1);
    body = honest(&s, needs, n);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        char *bad = replaced(body, faults[i].from, faults[i].to);
        rc_t rc = give(&s, needs, n, bad);
        ck_assert_msg(rc == faults[i].rc, "fault %zu: %s, %s", i, rc_name(rc), s.why.text);
        ck_assert_msg(strstr(s.why.text, faults[i].why) != NULL, "fault %zu: %s", i, s.why.text);
        ck_assert(!s.answered[0]);
        free(bad);
    }
    char *padded = replaced(body, "\"value\":\"0x33\"", "\"value\":\"0x033\""); /* as @ethereumjs/client pads */
    ck_assert_msg(give(&s, needs, n, padded) == RC_OK, "%s", s.why.text);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_OK);
    ck_assert_uint_eq(ex_call_result(s.call)->output.p[31], 0x33);
    free(padded);
    free(body);
    end(&s);
}
END_TEST

/* What no specification knows proves nothing and breaks nothing. */
START_TEST(unknown_members_are_passed_over_wherever_they_stand)
{
    static const char *const rows[][2] = {
        { "\"id\":1", "\"id\":1,\"more\":{\"x\":[1]}" },
        { "\"id\":1", "\"id\":1,\"error\":null" },
        { "\"nonce\":\"0x1\"", "\"nonce\":\"0x1\",\"extra\":\"\"" },
        { "\"value\":\"0x33\"", "\"value\":\"0x33\",\"v\":null" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        set_t s;
        const need_t *needs;
        begin(&s, SLOAD_ARG, false);
        size_t n = step(&s, &needs);
        char *body = honest(&s, needs, n);
        ck_assert_int_eq(give(&s, needs, n, body), RC_OK);
        free(body);
        n = step(&s, &needs);
        body = honest(&s, needs, n);
        char *more = replaced(body, rows[i][0], rows[i][1]);
        ck_assert_msg(give(&s, needs, n, more) == RC_OK, "%s: %s", rows[i][1], s.why.text);
        free(more);
        free(body);
        end(&s);
    }
}
END_TEST

START_TEST(code_is_judged_after_the_proof_whatever_the_order)
{
    set_t s;
    const need_t *needs;
    begin(&s, SLOAD_ARG, false);
    size_t n = step(&s, &needs), code = 0;
    char *body = honest(&s, needs, n), *bad = replaced(body, SLOAD_ARG, "6000355460005260206000f4");
    while (needs[code].kind != NEED_CODE)
        code++;
    ck_assert_int_eq(give(&s, needs, n, bad), RC_REFUSED);
    ck_assert_ptr_nonnull(
        strstr(s.why.text, "eth_getCode 0xac0000000000000000000000000000000000a000: code does not have"));
    for (size_t i = 0; i < n; i++)
        ck_assert(s.answered[i] == (i != code)); /* the rest was accepted */
    free(bad);
    bad = replaced(body, "\"0x" SLOAD_ARG "\"", "\"" SLOAD_ARG "\"");
    ck_assert_int_eq(give(&s, needs, n, bad), RC_MALFORMED);
    free(bad);
    ck_assert_int_eq(give(&s, needs, n, body), RC_OK);
    free(body);
    end(&s);
}
END_TEST

START_TEST(hint_that_does_not_parse_is_no_hint)
{
    static const char *const hints[] = {
        "7",
        "{}",
        "{\"accessList\":7}",
        "{\"accessList\":[7]}",
        "{\"accessList\":[{\"address\":\"0x1\",\"storageKeys\":[]}]}",
        "{\"accessList\":[{\"address\":\"0xac0000000000000000000000000000000000a000\",\"storageKeys\":[\"0x1\"]}]}",
        "{\"accessList\":[{\"address\":\"0xac0000000000000000000000000000000000a000\"}]}",
    };
    for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++) {
        set_t s;
        const need_t *needs;
        begin(&s, SLOAD_ARG, true);
        size_t n = step(&s, &needs);
        char *body = honest(&s, needs, n);
        char *odd = replaced(body, "{\"accessList\":[],\"gasUsed\":\"0x5208\"}", hints[i]);
        ck_assert_msg(give(&s, needs, n, odd) == RC_OK, "hint %zu: %s", i, s.why.text);
        n = step(&s, &needs);
        ck_assert_uint_eq(n, 1);
        free(odd);
        free(body);
        end(&s);
    }
}
END_TEST

START_TEST(hint_names_what_is_asked_next)
{
    set_t s;
    const need_t *needs;
    begin(&s, SLOAD_ARG, true);
    size_t n = step(&s, &needs);
    char *body = honest(&s, needs, n);
    char *good =
        replaced(body, "\"accessList\":[]",
                 "\"accessList\":[{\"address\":\"0xac0000000000000000000000000000000000a000\",\"storageKeys\":["
                 "\"0x0000000000000000000000000000000000000000000000000000000000000004\"]}]");
    ck_assert_int_eq(give(&s, needs, n, good), RC_OK);
    n = step(&s, &needs);
    ck_assert_uint_eq(n, 2); /* the slot that the run met, and the hint's */
    ck_assert_int_eq(needs[0].origin, NEED_MET);
    ck_assert_int_eq(needs[1].origin, NEED_NAMED);
    ck_assert_uint_eq(needs[1].slot_count, 1);
    free(good);
    free(body);
    end(&s);
}
END_TEST

int main(void)
{
    return UNIT_RUN("jsonrpc", batch_asks_for_each_need_in_its_own_words, hint_request_repeats_fees_and_access_list,
                    quantities_are_written_without_leading_zeros, honest_answers_in_any_order_lead_to_the_result,
                    batch_may_be_split, what_one_upstream_leaves_open_another_is_asked_for,
                    every_truncation_is_refused_and_nothing_is_taken, no_changed_byte_changes_the_result,
                    each_wrong_field_is_named_and_the_honest_answer_still_taken,
                    unknown_members_are_passed_over_wherever_they_stand,
                    code_is_judged_after_the_proof_whatever_the_order, hint_that_does_not_parse_is_no_hint,
                    hint_names_what_is_asked_next);
}
