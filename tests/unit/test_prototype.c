/* Bodies of the prototype's routes: their exact text, and what a client sees who parses twice and checks the signature.
 */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "rpc/api/prototype.h"
#include "tests/unit/unit.h"

static ecdsa_t *e;
static const uint8_t secret[32] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
static uint8_t pubkey[33];

static rc_t sign(void *ctx, uint8_t out[ECDSA_SIG_LEN], const hash32_t *digest)
{
    return ecdsa_sign(ctx, out, NULL, digest, secret);
}

static rc_t sign_never(void *ctx, uint8_t out[ECDSA_SIG_LEN], const hash32_t *digest)
{
    (void)ctx;
    (void)out;
    (void)digest;
    return RC_UNSUPPORTED;
}

/* The inner object of a body, as a client gets it: a JSON string, and its text parsed again. */
static json_t *parse_twice(view_t body)
{
    ck_assert_uint_eq(body.p[body.n], 0);
    json_t *outer = json_loadb((const char *)body.p, body.n, JSON_DECODE_ANY, NULL);
    ck_assert(json_is_string(outer));
    json_t *inner = json_loads(json_string_value(outer), 0, NULL);
    ck_assert(json_is_object(inner));
    json_decref(outer);
    return inner;
}

static void check_signature(const json_t *inner, const char *text)
{
    uint8_t sig[64];
    hash32_t digest;
    const char *hex = json_string_value(json_object_get(inner, "signature"));
    ck_assert_ptr_nonnull(hex);
    ck_assert_int_eq(hex_decode_exact(sig, 64, hex, strlen(hex)), RC_OK);
    sha256(&digest, view_str(text));
    ck_assert_int_eq(ecdsa_verify(e, sig, &digest, pubkey), RC_OK);
}

/* Texts with secret 0x0101...01; signatures by an independent big-integer program (RFC 6979). */
START_TEST(bodies_are_exactly_the_known_text)
{
    arena_t a;
    api_signer_t s = { e, sign };
    view_t body;
    static const uint8_t one = 1;
    arena_init(&a, 1 << 20);
    ck_assert_int_eq(api_block_body(&body, &a, &s, 22168277), RC_OK);
    ck_assert_str_eq((const char *)body.p,
                     "\"{\\\"signature\\\":\\\"8672d2a2c9494e3a9627426af0e682f749a380ed53cd146ce4bcf611dfae7cce"
                     "07d513f8d93c2767f34135b4384cb8b0ea4905583b7e6e8c76a83bd23fc7071a\\\","
                     "\\\"blocknum\\\":\\\"22168277\\\"}\"");
    ck_assert_int_eq(api_block_body(&body, &a, &s, UINT64_MAX), RC_OK);
    ck_assert_str_eq((const char *)body.p,
                     "\"{\\\"signature\\\":\\\"3eb90cae1468c0ca3903229f82f635d9683e64df609a5d22faf7862fea020fc0"
                     "3d28edd4d5986c338d64947f88fbdfefbd4e461f8620baea9abe89163ae9bbda\\\","
                     "\\\"blocknum\\\":\\\"18446744073709551615\\\"}\"");
    ck_assert_int_eq(api_call_body(&body, &a, &s, view_of(&one, 1), false), RC_OK);
    ck_assert_str_eq((const char *)body.p,
                     "\"{\\\"signature\\\":\\\"9eb5230c064e8d4a58f94ac03948dd960c2361535d21b5de6db33cf90792157a"
                     "2be97dc06267c5549a5d7b0242bf2b398afb7f8073cb83a95ef3c783950f160a\\\","
                     "\\\"response\\\":{\\\"Success\\\":\\\"0x01\\\"}}\"");
    ck_assert_int_eq(api_call_body(&body, &a, &s, view_of(NULL, 0), false), RC_OK);
    ck_assert_str_eq((const char *)body.p,
                     "\"{\\\"signature\\\":\\\"69527ec5dc213ed73061c4e175c78782349122c93ae2d597445b1ced64c57a04"
                     "74c0b2f9b83539b16ced8d10052973dbd95e9c94c79a45b3445102dc0855c6c6\\\","
                     "\\\"response\\\":{\\\"Success\\\":\\\"0x\\\"}}\"");
    ck_assert_int_eq(api_call_body(&body, &a, &s, view_of(&one, 1), true), RC_OK);
    ck_assert_str_eq((const char *)body.p,
                     "\"{\\\"signature\\\":\\\"1e5cb27f1a8f22f35f3c7e868a2ea426f98f5b62d224ad8e93ca4904528abd9d"
                     "6ee6ba5ccb779875c92df0aed35f2f496cb061dbd3631606d9c86a9d8ffb8057\\\","
                     "\\\"response\\\":\\\"Error\\\"}\"");
    ck_assert_int_eq(api_attest_body(&body, &a, view_of("\x04\x00\xff", 3), pubkey), RC_OK);
    ck_assert_str_eq((const char *)body.p,
                     "\"{\\\"quote\\\":\\\"0400ff\\\",\\\"pubkey\\\":"
                     "\\\"031b84c5567b126440995d3ed5aaba0565d71e1834604819ff9c17f5e9d5dd078f\\\"}\"");
    arena_free(&a);
}
END_TEST

START_TEST(a_client_that_parses_twice_can_check_the_signature)
{
    arena_t a;
    api_signer_t s = { e, sign };
    view_t body;
    uint8_t output[300];
    arena_init(&a, 1 << 20);
    for (size_t i = 0; i < sizeof output; i++)
        output[i] = (uint8_t)i;

    ck_assert_int_eq(api_block_body(&body, &a, &s, 0), RC_OK);
    json_t *inner = parse_twice(body);
    ck_assert_str_eq(json_string_value(json_object_get(inner, "blocknum")), "0");
    check_signature(inner, "0");
    json_decref(inner);

    for (size_t n = 0; n <= sizeof output; n += 100) {
        ck_assert_int_eq(api_call_body(&body, &a, &s, view_of(output, n), false), RC_OK);
        inner = parse_twice(body);
        char *text = json_dumps(json_object_get(inner, "response"), JSON_COMPACT);
        check_signature(inner, text);
        free(text);
        const char *hex = json_string_value(json_object_get(json_object_get(inner, "response"), "Success"));
        uint8_t back[sizeof output];
        ck_assert_int_eq(hex_decode_exact(back, n, hex, strlen(hex)), RC_OK);
        ck_assert(n == 0 || memcmp(back, output, n) == 0);
        json_decref(inner);
    }
    ck_assert_int_eq(api_call_body(&body, &a, &s, view_of(NULL, 0), true), RC_OK);
    inner = parse_twice(body);
    ck_assert_str_eq(json_string_value(json_object_get(inner, "response")), "Error");
    check_signature(inner, "\"Error\"");
    json_decref(inner);
    arena_free(&a);
}
END_TEST

START_TEST(no_body_without_signature_or_memory)
{
    arena_t a, tiny;
    api_signer_t s = { e, sign }, never = { NULL, sign_never };
    view_t body = { NULL, 77 };
    static const uint8_t output[5000];
    arena_init(&a, 1 << 20);
    arena_init(&tiny, 64);
    ck_assert_int_eq(api_block_body(&body, &a, &never, 1), RC_UNSUPPORTED);
    ck_assert_int_eq(api_call_body(&body, &a, &never, view_of(output, 1), false), RC_UNSUPPORTED);
    ck_assert_int_eq(api_call_body(&body, &a, &never, view_of(output, 1), true), RC_UNSUPPORTED);
    ck_assert_int_eq(api_block_body(&body, &tiny, &s, 1), RC_NOMEM);
    ck_assert_int_eq(api_call_body(&body, &tiny, &s, view_of(output, sizeof output), false), RC_NOMEM);
    ck_assert_int_eq(api_call_body(&body, &tiny, &s, view_of(output, 0), true), RC_NOMEM);
    ck_assert_int_eq(api_attest_body(&body, &tiny, view_of(output, sizeof output), pubkey), RC_NOMEM);
    ck_assert_uint_eq(body.n, 77);
    arena_free(&a);
    arena_free(&tiny);
}
END_TEST

int main(void)
{
    e = ecdsa_new(NULL);
    if (!e || ecdsa_pubkey(e, pubkey, secret))
        return EXIT_FAILURE;
    int failed = UNIT_RUN("api", bodies_are_exactly_the_known_text, a_client_that_parses_twice_can_check_the_signature,
                          no_body_without_signature_or_memory);
    ecdsa_free(e);
    return failed;
}
