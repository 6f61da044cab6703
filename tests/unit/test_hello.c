/* The bytes of mutual attestation: number 80 of tee-facts section 16.6. */
#include "base/crypto/hash.h"
#include "base/hex.h"
#include "tee/channel/hello.h"
#include "tests/unit/unit.h"

static uint8_t ex[32];

/* Both ends of the test vector. Keys: G and 2G of secp256k1 (SEC 2). */
static void vector(hello_t *i, hello_t *r)
{
    const char *g = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
    const char *g2 = "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5";
    *i = (hello_t){ .role = MATTEST_INITIATOR, .type = TEE_EVIDENCE_TDX, .wants_key = true, .chain_id = 1 };
    *r = (hello_t){ .role = MATTEST_RESPONDER, .type = TEE_EVIDENCE_TDX, .holds_key = true, .chain_id = 1 };
    for (uint8_t k = 0; k < 32; k++) {
        i->nonce[k] = k;
        r->nonce[k] = (uint8_t)(0x20 + k);
        ex[k] = (uint8_t)(0x40 + k);
    }
    ck_assert_int_eq(hex_decode_exact(i->static_pubkey, 33, g, 66), RC_OK);
    ck_assert_int_eq(hex_decode_exact(r->static_pubkey, 33, g2, 66), RC_OK);
    sha256(&i->spki, view_str("spki-initiator"));
    sha256(&r->spki, view_str("spki-responder"));
    sha256(&i->policy, view_str("policy"));
    r->policy = i->policy;
}

static void assert_hex(const uint8_t *p, size_t n, const char *want)
{
    char text[129];
    hex_encode(text, view_of(p, n));
    ck_assert_str_eq(text, want);
}

START_TEST(number_80_the_test_vector)
{
    hello_t i, r;
    uint8_t bytes[MATTEST_HELLO_LEN], data[TEE_REPORT_DATA_LEN];
    hash32_t h;
    vector(&i, &r);
    hello_write(bytes, &i);
    sha256(&h, view_of(bytes, sizeof bytes));
    assert_hex(h.b, 32, "6a2abb3eb14d89f74760036b3738786c2105599c20fa1b8d5fd2dc7de652f6b9");
    hello_write(bytes, &r);
    sha256(&h, view_of(bytes, sizeof bytes));
    assert_hex(h.b, 32, "74d13ea07992a73fc5df06fb428a9b43becdb686ebc9705662128751205adca0");
    hello_transcript(&h, &i, &r);
    assert_hex(h.b, 32, "73d028dc5cf64c4d6ee9f06158b023b15577051d8344e77463ff7c763515dbeb");
    hello_transcript(&h, &r, &i);
    assert_hex(h.b, 32, "73d028dc5cf64c4d6ee9f06158b023b15577051d8344e77463ff7c763515dbeb");
    hello_report_data(data, &i, &r, ex);
    assert_hex(data, 64,
               "efc6df3ad22f6eec7e91359cdf319f6de6608efc99e44181a9b6ec353db9510c"
               "00e17070214e24183f9f4b40cf077a3e59602d3a8a0009b13dd78f719ee27065");
    hello_report_data(data, &r, &i, ex);
    assert_hex(data, 64,
               "8fc72522c7f448fdd3ad7c0be648b2dae47b7621ef19608bb7a0ec9f9c3df7ab"
               "bb14b5c961739a228ac04ba9c88b30165ac3752f9b78ea521429e40c43449ab5");
}
END_TEST

/* SHA-256 of the tag, the role, both values above and EX: Python's hashlib. */
START_TEST(confirm_signs_role_and_both_report_data)
{
    hello_t i, r;
    hash32_t h;
    vector(&i, &r);
    hello_confirm_digest(&h, &i, &r, ex);
    assert_hex(h.b, 32, "c8486324c0d91e8b181bd973f8a5c1206724a95c61d187a044484b812375fc23");
    hello_confirm_digest(&h, &r, &i, ex);
    assert_hex(h.b, 32, "ec25efa29411c23df8077705f04b56ab96d3425e83d6da060e6ba67e7dd3c85f");
}
END_TEST

START_TEST(a_hello_reads_as_it_was_written)
{
    hello_t i, r, back;
    uint8_t bytes[MATTEST_HELLO_LEN], again[MATTEST_HELLO_LEN];
    err_t fault;
    vector(&i, &r);
    hello_write(bytes, &i);
    ck_assert_int_eq(hello_read(&back, &fault, bytes), RC_OK);
    ck_assert(back.role == MATTEST_INITIATOR && back.type == TEE_EVIDENCE_TDX && back.wants_key && !back.holds_key);
    ck_assert_uint_eq(back.chain_id, 1);
    hello_write(again, &back);
    ck_assert_mem_eq(bytes, again, sizeof bytes);
}
END_TEST

/* A HELLO that is accepted says the same again: no bit is overlooked. */
START_TEST(each_bit_is_read_or_must_be_zero)
{
    hello_t i, r, back;
    uint8_t bytes[MATTEST_HELLO_LEN], again[MATTEST_HELLO_LEN];
    err_t fault;
    vector(&i, &r);
    hello_write(bytes, &i);
    for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        rc_t rc = hello_read(&back, &fault, bytes);
        size_t at = bit / 8;
        bool reserved = at < 4 || at == 6 || (at >= 73 && at < 76) || at >= 148 || (at == 7 && bit % 8 >= 2);
        if (reserved)
            ck_assert_msg(rc == RC_MALFORMED && fault.code == E_HELLO, "bit %zu", bit);
        if (rc == RC_OK) {
            hello_write(again, &back);
            ck_assert_msg(memcmp(bytes, again, sizeof bytes) == 0, "bit %zu", bit);
        }
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    memset(bytes + 8, 0, 32);
    ck_assert_int_eq(hello_read(&back, &fault, bytes), RC_MALFORMED);
    ck_assert_uint_eq(fault.code, E_HELLO);
}
END_TEST

START_TEST(each_field_changes_the_report_data)
{
    hello_t i, r;
    uint8_t was[TEE_REPORT_DATA_LEN], now[TEE_REPORT_DATA_LEN];
    vector(&i, &r);
    hello_report_data(was, &i, &r, ex);
    for (int row = 0; row < 16; row++) {
        vector(&i, &r);
        hello_t *h = row < 8 ? &i : &r;
        switch (row % 8) {
        case 0: h->nonce[31] ^= 1; break;
        case 1: h->static_pubkey[0] ^= 1; break;
        case 2: h->spki.b[0] ^= 1; break;
        case 3: h->policy.b[31] ^= 1; break;
        case 4: h->chain_id = 2; break;
        case 5: h->type = TEE_EVIDENCE_DSTACK; break;
        case 6: h->wants_key = !h->wants_key; break;
        default: h->holds_key = !h->holds_key; break;
        }
        hello_report_data(now, &i, &r, ex);
        ck_assert_msg(memcmp(was, now, sizeof was) != 0, "row %d", row);
    }
    vector(&i, &r);
    ex[0] ^= 1;
    hello_report_data(now, &i, &r, ex);
    ck_assert_mem_ne(was, now, sizeof was);
}
END_TEST

int main(void)
{
    return UNIT_RUN("hello", number_80_the_test_vector, confirm_signs_role_and_both_report_data,
                    a_hello_reads_as_it_was_written, each_bit_is_read_or_must_be_zero,
                    each_field_changes_the_report_data);
}
