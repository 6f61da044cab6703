/* The bytes of mutual attestation: number 80 of tee-facts section 16.6. */
#include "base/crypto/hash.h"
#include "base/hex.h"
#include "tee/channel/hello.h"
#include "tests/unit/unit.h"

static uint8_t ex[32];

/* Both ends of the test vector of overlay-facts-more J. Keys: G and 2G of secp256k1 (SEC 2). */
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
    sha256(&i->order, view_str("policy"));
    i->version = 7;
    memset(&i->genesis, 0x55, 32);
    memcpy(i->cluster, i->static_pubkey, 33);
    memset(&i->key_log, 0x66, 32);
    r->order = i->order;
    r->version = i->version;
    r->genesis = i->genesis;
    memcpy(r->cluster, i->cluster, 33);
    r->key_log = i->key_log;
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
    assert_hex(h.b, 32, "4ad17efcb0963c5263b40c7e0b86c200c5fb559b8f925a93982f5231f07ee09c");
    hello_write(bytes, &r);
    sha256(&h, view_of(bytes, sizeof bytes));
    assert_hex(h.b, 32, "d9832fd54b44b94db6287601ce1e3583776bc08ce4a3445bb994cb04199dfb59");
    hello_transcript(&h, &i, &r);
    assert_hex(h.b, 32, "1974d08e34ef1f0316289556fa96c811a66087cdcebda1d050b7dc3f1b651c8b");
    hello_transcript(&h, &r, &i);
    assert_hex(h.b, 32, "1974d08e34ef1f0316289556fa96c811a66087cdcebda1d050b7dc3f1b651c8b");
    hello_report_data(data, &i, &r, ex);
    assert_hex(data, 64,
               "e247b495419592512a3cbf05986b8da6143147e123577d4abad50598605d4262"
               "2f24fc7734edd5048783cc8b85f39d9a5f06241c6d9566799aafddf0f96b4909");
    hello_report_data(data, &r, &i, ex);
    assert_hex(data, 64,
               "7e3e8e2a936753f39f97951905ddbfb233279277cdf86d51b2a7f41368160776"
               "789634561636d9dd36768def4b4bdfec6c8b0b42dd8d9af03cb1e9a5a7f814e2");
}
END_TEST

/* SHA-256 of the tag, the role, both values above and EX: Python's hashlib. */
START_TEST(confirm_signs_role_and_both_report_data)
{
    hello_t i, r;
    hash32_t h;
    vector(&i, &r);
    hello_confirm_digest(&h, &i, &r, ex);
    assert_hex(h.b, 32, "0bb6c8b1f24e2aa087d2c758c6876041459d333317e43fa0b721b931ef08209c");
    hello_confirm_digest(&h, &r, &i, ex);
    assert_hex(h.b, 32, "1bf454a9a2a41a33d55bbe8479b1af695925ee394a1a7d25d6a691b3640a5b21");
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
    ck_assert_uint_eq(back.version, 7);
    ck_assert(hello_is_pinned(&back));
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
        bool reserved = at < 4 || at == 6 || (at >= 73 && at < 76) || (at >= 221 && at < 224) ||
                        (at == 7 && bit % 8 >= 2) || (at == 148 && bit % 8 >= 6);
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
    for (int row = 0; row < 24; row++) {
        vector(&i, &r);
        hello_t *h = row < 12 ? &i : &r;
        switch (row % 12) {
        case 0: h->nonce[31] ^= 1; break;
        case 1: h->static_pubkey[0] ^= 1; break;
        case 2: h->spki.b[0] ^= 1; break;
        case 3: h->order.b[31] ^= 1; break;
        case 4: h->chain_id = 2; break;
        case 5: h->type = TEE_EVIDENCE_DSTACK; break;
        case 6: h->version = 8; break;
        case 7: h->genesis.b[31] ^= 1; break;
        case 8: h->cluster[32] ^= 1; break;
        case 9: h->key_log.b[31] ^= 1; break;
        case 10: h->wants_key = !h->wants_key; break;
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
