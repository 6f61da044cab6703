/* What a call object may say. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "rpc/api/callobject.h"
#include "tests/unit/unit.h"

#define ADDR "\"0xac0000000000000000000000000000000000a000\""
#define KEY7 "\"0x0000000000000000000000000000000000000000000000000000000000000007\""

static rc_t parse(ex_request_t *q, err_t *e, arena_t *a, const char *text)
{
    char *copy = strdup(text);
    rc_t rc = api_parse_call(q, e, a, view_str(copy));
    free(copy); /* nothing may point into the text */
    return rc;
}

START_TEST(full_call_object_is_read)
{
    arena_t a;
    ex_request_t q;
    err_t e;
    arena_init(&a, 1 << 20);
    ck_assert_int_eq(
        parse(&q, &e, &a,
              "{\"from\":\"0xAC0000000000000000000000000000000000F000\",\"to\":" ADDR
              ",\"gas\":\"0x5208\",\"gasPrice\":\"0x0\",\"value\":\"0x10\",\"data\":\"0x1234\",\"input\":\"0x1234\","
              "\"nonce\":\"0x1\",\"type\":\"0x1\",\"chainId\":\"0x7\",\"accessList\":[{\"address\":" ADDR
              ",\"storageKeys\":[" KEY7 "]}]}"),
        RC_OK);
    ck_assert(q.has_to && q.has_gas && q.has_gas_price && !q.dynamic_fee && q.has_chain_id);
    ck_assert_uint_eq(q.gas, 21000);
    ck_assert_uint_eq(q.from.b[18], 0xf0);
    ck_assert_uint_eq(q.to.b[18], 0xa0);
    ck_assert_uint_eq(q.value.w[0], 16);
    ck_assert_uint_eq(q.chain_id, 7);
    ck_assert(view_eq(q.data, view_str("\x12\x34")));
    ck_assert_uint_eq(q.access_count, 1);
    ck_assert_uint_eq(q.access[0].key_count, 1);
    ck_assert_uint_eq(q.access[0].keys[0].b[31], 7);
    arena_free(&a);
}
END_TEST

START_TEST(least_call_objects_are_read)
{
    arena_t a;
    ex_request_t q;
    err_t e;
    arena_init(&a, 1 << 20);
    ck_assert_int_eq(parse(&q, &e, &a, "{}"), RC_OK);
    ck_assert(!q.has_to && !q.has_gas && !q.has_gas_price && q.data.n == 0);
    ck_assert_int_eq(parse(&q, &e, &a, "{\"to\":null,\"input\":\"0x6001\"}"), RC_OK);
    ck_assert(!q.has_to && q.data.n == 2);
    ck_assert_int_eq(parse(&q, &e, &a, "{\"from\":null,\"gas\":null,\"value\":null,\"accessList\":null}"), RC_OK);
    ck_assert(!q.has_gas && q.access_count == 0); /* null is left out, as in geth */
    ck_assert_int_eq(parse(&q, &e, &a, "{\"maxFeePerGas\":\"0x9\"}"), RC_OK);
    ck_assert(q.has_gas_price && q.dynamic_fee && q.gas_price.w[0] == 9 && u256_is_zero(&q.max_priority_fee));
    arena_free(&a);
}
END_TEST

static const struct {
    const char *text, *field, *why;
} bad_calls[] = {
    { "", "", "is not valid JSON" },
    { "[]", "", "must be an object" },
    { "\"{}\"", "", "is not valid JSON" },
    { "{\"to\":" ADDR "}x", "", "is not valid JSON" },
    { "{\"to\":" ADDR ",\"to\":" ADDR "}", "", "is not valid JSON" },
    { "{\"to\":\"0x1\"}", "to", "must be 20 bytes" },
    { "{\"to\":7}", "to", "must be 20 bytes" },
    { "{\"from\":\"ac0000000000000000000000000000000000a00\"}", "from", "must be 20 bytes" },
    { "{\"gas\":-1}", "gas", "must be a number of at least 0" },
    { "{\"gas\":1.5}", "gas", "must be a quantity such as \"0x1a\", or a number, also as text" },
    { "{\"gas\":\"18446744073709551616\"}", "gas", "must be a quantity" },
    { "{\"value\":\"1e3\"}", "value", "must be a decimal number" },
    { "{\"value\":\"ff\"}", "value", "must be a quantity" },
    { "{\"value\":[1]}", "value", "must be a quantity" },
    { "{\"gas\":\"0x10000000000000000\"}", "gas", "must be a quantity" },
    { "{\"gas\":\"\"}", "gas", "must be a quantity" },
    { "{\"value\":\"0x\"}", "value", "must be a quantity" },
    { "{\"value\":\"-0x1\"}", "value", "must be a quantity" },
    { "{\"value\":\"0x10000000000000000000000000000000000000000000000000000000000000000\"}", "value",
      "must be a quantity" },
    { "{\"gasPrice\":\"one\"}", "gasPrice", "must be a quantity" },
    { "{\"nonce\":\"18446744073709551616\"}", "nonce", "must be a quantity below 2^64" },
    { "{\"data\":\"0x1\"}", "data", "must be bytes" },
    { "{\"data\":\"0xzz\"}", "data", "must be bytes" },
    { "{\"data\":\"123\"}", "data", "must be bytes" },
    { "{\"data\":\"0x12\",\"input\":\"0x13\"}", "", "both \"data\" and \"input\" are set and not equal" },
    { "{\"gasPrice\":\"0x1\",\"maxFeePerGas\":\"0x1\"}", "",
      "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas)" },
    { "{\"accessList\":{}}", "accessList", "must be a list" },
    { "{\"accessList\":[{}]}", "accessList[0].address", "is required" },
    { "{\"accessList\":[{\"address\":" ADDR ",\"storageKeys\":[\"0x7\"]}]}", "accessList[0].storageKeys[0]",
      "must be 32 bytes" },
    { "{\"chainId\":1.5}", "chainId", "must be a quantity" },
    { "{\"nonce\":true}", "nonce", "must be a quantity" },
    { "{\"nonce\":\"0X\"}", "nonce", "must be a quantity" },
    { "{\"type\":\"two\"}", "type", "must be a quantity" },
    { "{\"data\":\"0X0x12\"}", "data", "must be bytes" },
    { "{\"maxFeePerBlobGas\":-1}", "maxFeePerBlobGas", "must be a number of at least 0" },
    { "{\"authorizationList\":[{}]}", "authorizationList[0].chainId", "is required" },
};

START_TEST(each_bad_call_object_is_refused_with_the_field_s_name)
{
    arena_t a;
    ex_request_t q = { .gas = 77 };
    err_t e;
    arena_init(&a, 1 << 20);
    for (size_t i = 0; i < sizeof bad_calls / sizeof bad_calls[0]; i++) {
        ck_assert_msg(parse(&q, &e, &a, bad_calls[i].text) == RC_MALFORMED, "%s", bad_calls[i].text);
        ck_assert_str_eq(e.field, bad_calls[i].field);
        ck_assert_msg(strstr(e.text, bad_calls[i].why) == e.text, "%s: %s", bad_calls[i].text, e.text);
        ck_assert_uint_eq(q.gas, 77);
    }
    arena_free(&a);
}
END_TEST

/* What the prototype's server took, beside what geth does: each is the call that stands first. */
START_TEST(forms_of_the_prototype_are_taken)
{
    static const char *const same[] = {
        "{\"to\":" ADDR ",\"data\":\"0x1234\",\"gas\":\"0x5208\",\"value\":\"0x10\"}",
        "{\"to\":\"ac0000000000000000000000000000000000a000\",\"data\":\"1234\",\"gas\":21000,\"value\":16}",
        "{\"to\":" ADDR ",\"input\":\"1234\",\"gas\":\"21000\",\"value\":\"16\"}",
        "{\"to\":" ADDR ",\"data\":\"0x1234\",\"gas\":\"0x0005208\",\"value\":\"0x010\"}",
        "{\"to\":\"0Xac0000000000000000000000000000000000a000\",\"data\":\"0X1234\",\"gas\":\"0X5208\",\"value\":\"0X010\"}",
        "{\"to\":" ADDR ",\"data\":\"0x1234\",\"gas\":21000,\"value\":16,\"gasLimit\":{\"a\":[1]},\"dta\":null}",
        "{\"to\":" ADDR ",\"data\":\"0x1234\",\"gas\":21000,\"value\":16,\"from\":null,\"gasPrice\":null,"
        "\"maxFeePerGas\":null,\"maxPriorityFeePerGas\":null,\"nonce\":null,\"type\":null,\"chainId\":null,"
        "\"accessList\":null,\"blobVersionedHashes\":null,\"maxFeePerBlobGas\":null,\"authorizationList\":null,"
        "\"input\":null}"
    };
    arena_t a;
    ex_request_t q;
    err_t e = { 0 };
    arena_init(&a, 1 << 20);
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        ck_assert_msg(parse(&q, &e, &a, same[i]) == RC_OK, "%s: %s: %s", same[i], e.field, e.text);
        ck_assert_msg(q.has_to && q.to.b[0] == 0xac && q.to.b[18] == 0xa0, "%s", same[i]);
        ck_assert_msg(view_eq(q.data, view_str("\x12\x34")) && q.gas == 21000 && q.has_gas, "%s", same[i]);
        ck_assert_msg(q.value.w[0] == 16 && !q.has_gas_price && !q.has_nonce && !q.has_access, "%s", same[i]);
    }
    arena_free(&a);
}
END_TEST

START_TEST(every_number_is_taken_in_the_prototype_s_forms)
{
    static const char *const forms[] = { "26", "\"26\"", "\"0x1a\"", "\"0x01a\"", "\"0X1a\"", "\"0X001A\"" };
    arena_t a;
    ex_request_t q;
    err_t e = { 0 };
    char text[300];
    arena_init(&a, 1 << 20);
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        snprintf(text, sizeof text, "{\"to\":" ADDR ",\"gasPrice\":%s,\"nonce\":%s,\"chainId\":%s}", forms[i], forms[i],
                 forms[i]);
        ck_assert_msg(parse(&q, &e, &a, text) == RC_OK, "%s: %s: %s", text, e.field, e.text);
        ck_assert_msg(q.gas_price.w[0] == 26 && q.nonce == 26 && q.chain_id == 26, "%s", text);
        ck_assert_msg(q.has_gas_price && q.has_nonce && q.has_chain_id, "%s", text);
        snprintf(text, sizeof text, "{\"to\":" ADDR ",\"maxFeePerGas\":%s,\"maxPriorityFeePerGas\":%s}", forms[i],
                 forms[i]);
        ck_assert_msg(parse(&q, &e, &a, text) == RC_OK, "%s: %s: %s", text, e.field, e.text);
        ck_assert_msg(q.gas_price.w[0] == 26 && q.max_priority_fee.w[0] == 26 && q.has_max_fee, "%s", text);
        snprintf(text, sizeof text,
                 "{\"type\":%s,\"maxFeePerBlobGas\":%s,\"authorizationList\":[{\"chainId\":%s,\"address\":" ADDR
                 ",\"nonce\":%s,\"yParity\":%s,\"r\":%s,\"s\":%s}]}",
                 forms[i], forms[i], forms[i], forms[i], forms[i], forms[i], forms[i]);
        ck_assert_msg(parse(&q, &e, &a, text) == RC_OK, "%s: %s: %s", text, e.field, e.text);
        ck_assert_msg(q.has_max_blob_fee && q.max_blob_fee.w[0] == 26 && q.authorization_count == 1, "%s", text);
        ck_assert_msg(q.authorizations[0].nonce == 26 && q.authorizations[0].chain_id.w[0] == 26, "%s", text);
        for (size_t k = 0; k < 3; k++)
            ck_assert_msg(q.authorization_signatures[k].w[0] == 26, "%s", text);
    }
    arena_free(&a);
}
END_TEST

/* As /rpc and /v1 read it. */
START_TEST(elsewhere_geth_s_forms_alone_are_taken)
{
    static const char *const others[] = { "{\"gas\":\"0X1\"}",
                                          "{\"value\":\"0X1\"}",
                                          "{\"nonce\":1}",
                                          "{\"maxFeePerBlobGas\":\"0x01\"}",
                                          "{\"type\":\"1\"}",
                                          "{\"data\":\"0X12\"}",
                                          "{\"data\":\"12\"}",
                                          "{\"chainId\":\"1\"}",
                                          "{\"authorizationList\":[{\"chainId\":1}]}" };
    arena_t a;
    arena_init(&a, 1 << 20);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        ex_request_t q;
        err_t e;
        jo_doc_t doc;
        const jo_t o = jo_open(&doc, &e, view_str(others[i]), API_CALL_MAX, JO_LENIENT);
        ck_assert_msg(api_read_call(&q, &a, &o) == RC_MALFORMED, "%s", others[i]);
        ck_assert_msg(strstr(e.text, "such as \"0x1a\"") || strstr(e.text, "must be bytes of hex with 0x"), "%s: %s",
                      others[i], e.text);
        jo_close(&doc);
    }
    arena_free(&a);
}
END_TEST

START_TEST(an_unknown_field_s_name_of_any_length_is_cut)
{
    static const size_t lengths[] = { 1, 62, 63, 64, 65, 300, 100000 };
    arena_t a;
    arena_init(&a, 1 << 20);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        ex_request_t q = { .gas = 77 };
        err_t e;
        char *text = calloc(1, lengths[i] + 10);
        strcpy(text, "{\"");
        memset(text + 2, 'n', lengths[i]);
        strcat(text, "\":1}");
        jo_doc_t doc;
        const jo_t o = jo_open(&doc, &e, view_str(text), API_CALL_MAX, JO_STRICT);
        ck_assert_int_eq(api_read_call(&q, &a, &o), RC_OK);
        ck_assert_int_eq(jo_done(&o), RC_MALFORMED);
        jo_close(&doc);
        q.gas = 77;
        ck_assert_uint_eq(strlen(e.field), lengths[i] < 63 ? lengths[i] : 63);
        ck_assert_uint_eq(strspn(e.field, "n"), strlen(e.field));
        ck_assert_str_eq(e.text, "unknown key");
        ck_assert_uint_eq(q.gas, 77);
        free(text);
    }
    arena_free(&a);
}
END_TEST

START_TEST(every_truncation_of_a_call_object_is_refused)
{
    static const char text[] =
        "{\"from\":" ADDR ",\"to\":" ADDR ",\"data\":\"0x1234\",\"accessList\":[{\"address\":" ADDR
        ",\"storageKeys\":[" KEY7 "]}]}";
    arena_t a;
    ex_request_t q;
    err_t e;
    char copy[sizeof text];
    arena_init(&a, 1 << 20);
    for (size_t n = 0; n < sizeof text - 1; n++) {
        memcpy(copy, text, n);
        copy[n] = '\0';
        ck_assert_int_eq(parse(&q, &e, &a, copy), RC_MALFORMED);
    }
    ck_assert_int_eq(parse(&q, &e, &a, text), RC_OK);
    arena_free(&a);
}
END_TEST

START_TEST(call_object_past_its_size_is_refused)
{
    arena_t a;
    ex_request_t q;
    err_t e;
    char *text = malloc(API_CALL_MAX + 2);
    arena_init(&a, 1 << 20);
    memset(text, ' ', API_CALL_MAX + 1);
    text[0] = '{';
    text[API_CALL_MAX] = '}';
    text[API_CALL_MAX + 1] = '\0';
    ck_assert_int_eq(parse(&q, &e, &a, text), RC_LIMIT);
    text[API_CALL_MAX - 1] = '}';
    text[API_CALL_MAX] = '\0';
    ck_assert_int_eq(parse(&q, &e, &a, text), RC_OK);
    free(text);
    arena_free(&a);
}
END_TEST

int main(void)
{
    return UNIT_RUN("callobject", full_call_object_is_read, least_call_objects_are_read,
                    each_bad_call_object_is_refused_with_the_field_s_name, forms_of_the_prototype_are_taken,
                    every_number_is_taken_in_the_prototype_s_forms, elsewhere_geth_s_forms_alone_are_taken,
                    an_unknown_field_s_name_of_any_length_is_cut, every_truncation_of_a_call_object_is_refused,
                    call_object_past_its_size_is_refused);
}
