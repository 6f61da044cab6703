/* Commands of an operator: a known answer, and each refusal. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/ecdsa.h"
#include "base/crypto/secret.h"
#include "base/hex.h"
#include "rpc/api/operator.h"
#include "tests/unit/unit.h"

#define NOW 1800000000u
#define BODY "{\"counter\":7,\"not_after\":1800000300,\"level\":\"debug\"}"

static const uint8_t SECRET[32] = { 1 }, OTHER[32] = { 2 };
static ecdsa_t *ecdsa;
static operator_t node;
static err_t e;
static char header[2 * ECDSA_SIG65_LEN + 3];

static void set_up(void)
{
    const uint8_t seed[32] = { 3 };
    ecdsa = ecdsa_new(seed);
    node = (operator_t){ .has_key = true };
    ck_assert_ptr_nonnull(ecdsa);
    ck_assert_int_eq(ecdsa_pubkey(ecdsa, node.key, SECRET), RC_OK);
    ck_assert_int_eq(ecdsa_pubkey(ecdsa, node.node, OTHER), RC_OK);
}

static void tear_down(void)
{
    ecdsa_free(ecdsa);
}

static operator_command_t command(const char *body)
{
    return (operator_command_t){ "POST", "/v1/log-level", "", header, view_str(body) };
}

/* Signs a command with these terms into header, for the node as it is. */
static void sign(const operator_command_t *c, uint64_t counter, uint64_t not_after, const uint8_t secret[32])
{
    hash32_t digest;
    uint8_t signature[ECDSA_SIG65_LEN];
    operator_digest(&digest, node.node, c, &(operator_terms_t){ counter, not_after });
    ck_assert_int_eq(ecdsa_sign65(ecdsa, signature, &digest, secret), RC_OK);
    strcpy(header, "0x");
    hex_encode(header + 2, view_of(signature, sizeof signature));
}

/* Takes it, or refuses it for this reason and stays as it was. */
static void expect(const operator_command_t *c, uint64_t now, rc_t rc, unsigned code)
{
    const operator_t before = node;
    e = (err_t){ 0 };
    ck_assert_msg(operator_take(&node, &e, c, now) == rc, "%s", e.text);
    if (!rc)
        return;
    ck_assert_msg(e.code == code, "code %u: %s", e.code, e.text);
    ck_assert_uint_eq(node.counter, before.counter);
}

/* What is hashed, written out once by hand (Python's hashlib over the bytes that operator.h lists). */
START_TEST(the_digest_is_the_documented_one)
{
    char hex[65];
    hash32_t digest;
    operator_command_t c = { "POST", "/v1/providers", "", "", view_str("{\"counter\":1,\"not_after\":2}") };
    uint8_t key[33] = { 2 };
    memset(key + 1, 0x11, 32);
    operator_digest(&digest, key, &c, &(operator_terms_t){ 1, 2 });
    hex_encode(hex, view_of(digest.b, 32));
    ck_assert_str_eq(hex, "7571a337f627300401493377232d21df80d3170101c2d610d31eb40968265ea9");
    c = (operator_command_t){ "GET", "/v1/log", "after=5&counter=1&not_after=2", "", view_of(NULL, 0) };
    operator_digest(&digest, key, &c, &(operator_terms_t){ 1, 2 });
    hex_encode(hex, view_of(digest.b, 32));
    ck_assert_str_eq(hex, "de6992087060bbdee4d85afa20279d67f675e379a124297fe8b1b46d8befb992");
}
END_TEST

START_TEST(a_command_is_taken_once_and_counters_only_grow)
{
    operator_command_t c = command(BODY);
    sign(&c, 7, NOW + 300, SECRET);
    expect(&c, NOW, RC_OK, 0);
    ck_assert_uint_eq(node.counter, 7);
    expect(&c, NOW, RC_REPLAY, OPERATOR_REPLAYED);
    c = command("{\"counter\":6,\"not_after\":1800000300}"); /* signed before, comes later */
    sign(&c, 6, NOW + 300, SECRET);
    expect(&c, NOW, RC_REPLAY, OPERATOR_REPLAYED);
    c = command("{\"counter\":8,\"not_after\":1800000300}");
    sign(&c, 8, NOW + 300, SECRET);
    expect(&c, NOW, RC_OK, 0);
    c = command("{\"counter\":0,\"not_after\":1800000300}");
    node.counter = 0;
    sign(&c, 0, NOW + 300, SECRET);
    expect(&c, NOW, RC_REPLAY, OPERATOR_REPLAYED);
}
END_TEST

START_TEST(its_time_is_bounded_on_both_sides)
{
    operator_command_t c = command(BODY);
    sign(&c, 7, NOW + 300, SECRET);
    expect(&c, NOW + 301, RC_REFUSED, OPERATOR_EXPIRED);
    expect(&c, NOW - 301, RC_REFUSED, OPERATOR_TOO_FAR);
    expect(&c, NOW - 300, RC_OK, 0); /* ten minutes */
    node.counter = 0;
    expect(&c, NOW + 300, RC_OK, 0);
}
END_TEST

START_TEST(another_node_and_another_start_refuse_it)
{
    operator_command_t c = command(BODY);
    sign(&c, 7, NOW + 300, SECRET);
    node.node[1] ^= 1; /* a fresh key, of whichever node */
    expect(&c, NOW, RC_REFUSED, OPERATOR_BAD_SIGNATURE);
    node.node[1] ^= 1;
    expect(&c, NOW, RC_OK, 0);
}
END_TEST

START_TEST(only_the_operators_key_signs)
{
    operator_command_t c = command(BODY);
    sign(&c, 7, NOW + 300, OTHER);
    expect(&c, NOW, RC_REFUSED, OPERATOR_BAD_SIGNATURE);
    sign(&c, 7, NOW + 300, SECRET);
    node.has_key = false;
    expect(&c, NOW, RC_REFUSED, OPERATOR_NO_KEY);
    node.has_key = true;
    node.key[0] = 5;
    expect(&c, NOW, RC_REFUSED, OPERATOR_NO_KEY);
}
END_TEST

START_TEST(everything_that_was_signed_is_checked)
{
    operator_command_t good = command(BODY);
    sign(&good, 7, NOW + 300, SECRET);
    operator_command_t c = good;
    c.method = "PUT";
    expect(&c, NOW, RC_REFUSED, OPERATOR_BAD_SIGNATURE);
    c = good, c.path = "/v1/log-leve";
    expect(&c, NOW, RC_REFUSED, OPERATOR_BAD_SIGNATURE);
    c = good, c.query = "x";
    expect(&c, NOW, RC_REFUSED, OPERATOR_BAD_SIGNATURE);
    c = good, c.body = view_str("{\"counter\":8,\"not_after\":1800000300,\"level\":\"debug\"}");
    expect(&c, NOW, RC_REFUSED, OPERATOR_BAD_SIGNATURE);
    c = good, c.body = view_str("{\"counter\":7,\"not_after\":1800000301,\"level\":\"debug\"}");
    expect(&c, NOW, RC_REFUSED, OPERATOR_BAD_SIGNATURE);
    c = good, c.body = view_str(BODY " ");
    expect(&c, NOW, RC_REFUSED, OPERATOR_BAD_SIGNATURE);
    for (size_t i = 2; header[i]; i++) { /* each digit: r, s and v */
        const char was = header[i];
        header[i] = was == '0' ? '1' : '0';
        e = (err_t){ 0 };
        ck_assert_int_eq(operator_take(&node, &e, &good, NOW), RC_REFUSED);
        header[i] = was;
    }
    expect(&good, NOW, RC_OK, 0);
}
END_TEST

START_TEST(what_is_no_command_is_told_so)
{
    static const char *const bodies[] = { "",
                                          "[]",
                                          "{}",
                                          "{\"counter\":1}",
                                          "{\"not_after\":1}",
                                          "{\"counter\":\"1\",\"not_after\":1}",
                                          "{\"counter\":-1,\"not_after\":1}",
                                          "{\"counter\":9007199254740992,\"not_after\":1}",
                                          "{\"counter\":1,\"counter\":2,\"not_after\":1}" };
    static const char *const queries[] = { "",
                                           "counter=1",
                                           "not_after=1",
                                           "counter=1&not_after=",
                                           "counter=&not_after=1",
                                           "counter=1x&not_after=1",
                                           "counter=-1&not_after=1",
                                           "counter=1&counter=1&not_after=1",
                                           "counter=9007199254740992&not_after=1",
                                           "counter=99999999999999999999999&not_after=1" };
    static const char *const headers[] = { "", "0x", "00", "zz" };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        operator_command_t c = command(bodies[i]);
        sign(&c, 1, NOW, SECRET);
        expect(&c, NOW, RC_MALFORMED, OPERATOR_FORM);
    }
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        operator_command_t c = { "GET", "/v1/log", queries[i], header, view_of(NULL, 0) };
        expect(&c, NOW, RC_MALFORMED, OPERATOR_FORM);
    }
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        operator_command_t c = command(BODY);
        c.signature = headers[i];
        expect(&c, NOW, RC_MALFORMED, OPERATOR_FORM);
    }
}
END_TEST

START_TEST(a_get_has_its_terms_in_the_query)
{
    operator_command_t c = { "GET", "/v1/log", "after=3&counter=7&not_after=1800000300", header, view_of(NULL, 0) };
    sign(&c, 7, NOW + 300, SECRET);
    c.query = "after=4&counter=7&not_after=1800000300";
    expect(&c, NOW, RC_REFUSED, OPERATOR_BAD_SIGNATURE);
    c.query = "after=3&counter=7&not_after=1800000300";
    c.body = view_str("x");
    expect(&c, NOW, RC_MALFORMED, OPERATOR_FORM);
    c.body = view_of(NULL, 0);
    expect(&c, NOW, RC_OK, 0);
}
END_TEST

int main(void)
{
    if (secret_init())
        return EXIT_FAILURE;
    return UNIT_RUN_AROUND(
        "operator", set_up, tear_down, the_digest_is_the_documented_one, a_command_is_taken_once_and_counters_only_grow,
        its_time_is_bounded_on_both_sides, another_node_and_another_start_refuse_it, only_the_operators_key_signs,
        everything_that_was_signed_is_checked, what_is_no_command_is_told_so, a_get_has_its_terms_in_the_query);
}
