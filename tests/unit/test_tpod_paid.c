/* Whether a pod is paid for: what is asked of the node, which channels do, and everything that a node, its host or its
 * execution RPC may answer in the place of a proof. */
#include "node/tpod/paid.h"

#include <stdio.h>
#include <string.h>

#include "base/crypto/keyring.h"
#include "base/crypto/secret.h"
#include "tests/unit/unit.h"

#define NOW 1700000100u

static arena_t arena;
static keyring_t *key, *other;
static paid_rule_t rule;
static uint8_t publisher[20], pod_id[32], result[128], data[100];
static tpod_payment_t payment;
static statement_t said;

static rc_t sign65(void *ctx, uint8_t out[65], addr_t *by, const hash32_t *digest)
{
    return keyring_sign65(ctx, out, by, digest);
}

static keyring_t *ring(uint8_t byte)
{
    uint8_t secret[32], blind[32] = { 1 };
    keyring_t *k;
    memset(secret, byte, sizeof secret);
    ck_assert_int_eq(keyring_new(&k, secret, blind), RC_OK);
    return k;
}

/* The channel: what was paid in, taken, how long unlocking takes, when it ends. */
static void channel(uint8_t paid, uint8_t taken, uint16_t unlock_s, uint8_t unlocked_at)
{
    memset(result, 0, sizeof result);
    result[31] = paid;
    result[63] = taken;
    result[94] = (uint8_t)(unlock_s >> 8);
    result[95] = (uint8_t)unlock_s;
    result[127] = unlocked_at;
}

static void begin(void)
{
    ck_assert_int_eq(secret_init(), RC_OK);
    arena_init(&arena, (size_t)16 << 20);
    key = ring(1);
    other = ring(2);
    memset(publisher, 0x33, sizeof publisher);
    memset(pod_id, 0x44, sizeof pod_id);
    rule = (paid_rule_t){ .chain_id = 5, .signer_count = 1, .max_age_s = 120, .min_unlock_s = 600 };
    memset(rule.contract.b, 0x11, 20);
    memset(rule.provider.b, 0x22, 20);
    memset(rule.setup.b, 0x55, 32);
    store_u64be(rule.chain_bytes, 5);
    rule.min_amount = u256_of(1);
    keyring_address(key, &rule.signers[0]);
    payment = paid_named(&rule);
    payment.publisher = view_of(publisher, sizeof publisher);
    payment.pod_id = view_of(pod_id, sizeof pod_id);
    memset(data, 0, sizeof data);
    memcpy(data, "\x09\x8f\x26\xb5", 4);
    memset(data + 16, 0x33, 20);
    memset(data + 48, 0x22, 20);
    memset(data + 68, 0x44, 32);
    channel(9, 2, 3600, 0);
    said = (statement_t){
        .kind = STATEMENT_CALL,
        .chain_id = 5,
        .at = { .number = 7, .timestamp = NOW - 12, .slot = 9, .signers = 400 },
        .call = { .asked = { .to = rule.contract, .data = { data, sizeof data } },
                  .status = STATEMENT_SUCCESS,
                  .result = { result, sizeof result } },
        .issued_at = NOW - 12,
        .valid_until = NOW + 108,
        .setup = rule.setup,
    };
}

static void end(void)
{
    keyring_free(key);
    keyring_free(other);
    arena_free(&arena);
}

static rc_t judge_signed(err_t *e, keyring_t *by)
{
    const statement_signer_t signer = { by, sign65 };
    view_t text;
    ck_assert_int_eq(statement_sign(&said, &signer), RC_OK);
    ck_assert_int_eq(statement_write(&text, &arena, &said), RC_OK);
    return paid_judge(e, &arena, &rule, &payment, text, NOW);
}

static rc_t judge(err_t *e)
{
    return judge_signed(e, key);
}

START_TEST(the_question_is_the_contracts_getter)
{
    static const char want[] =
        "{\"to\":\"0x1111111111111111111111111111111111111111\",\"data\":\"0x098f26b5"
        "0000000000000000000000003333333333333333333333333333333333333333"
        "0000000000000000000000002222222222222222222222222222222222222222"
        "4444444444444444444444444444444444444444444444444444444444444444\",\"block\":\"latest\"}";
    view_t got;
    err_t e;
    ck_assert_int_eq(paid_question(&got, &e, &arena, &rule, &payment), RC_OK);
    ck_assert(view_eq(got, view_str(want)));
    rule.finalized = true;
    ck_assert_int_eq(paid_question(&got, &e, &arena, &rule, &payment), RC_OK);
    ck_assert_ptr_nonnull(strstr((const char *)got.p, "\"block\":\"finalized\""));
    payment.pod_id.n = 31;
    ck_assert_int_eq(paid_question(&got, &e, &arena, &rule, &payment), RC_REFUSED);
    ck_assert_str_eq(e.field, "payment.podID");
    payment.pod_id.n = 32;
    payment.publisher = view_of(pod_id, 32);
    ck_assert_int_eq(paid_question(&got, &e, &arena, &rule, &payment), RC_REFUSED);
    ck_assert_str_eq(e.field, "payment.publisherAddress");
    ck_assert_int_eq(judge(&e), RC_REFUSED);
}
END_TEST

START_TEST(a_channel_with_money_that_stays_does)
{
    err_t e;
    ck_assert_msg(judge(&e) == RC_OK, "%s", e.text);
    rule.min_amount = u256_of(7);
    rule.min_unlock_s = 3600;
    ck_assert_msg(judge(&e) == RC_OK, "%s", e.text);
}
END_TEST

START_TEST(a_channel_without_is_refused)
{
    static const struct {
        uint8_t paid, taken;
        uint16_t unlock_s;
        uint8_t unlocked_at;
        const char *text;
    } rows[] = {
        { 0, 0, 3600, 0, "nothing available" },   { 9, 9, 3600, 0, "nothing available" },
        { 8, 9, 3600, 0, "nothing available" },   { 9, 8, 3600, 0, "less available" },
        { 9, 2, 3600, 1, "being unlocked" },      { 9, 2, 599, 0, "within less than 600 s" },
        { 9, 2, 0, 0, "within less than 600 s" },
    };
    rule.min_amount = u256_of(2);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        err_t e;
        channel(rows[i].paid, rows[i].taken, rows[i].unlock_s, rows[i].unlocked_at);
        ck_assert_int_eq(judge(&e), RC_REFUSED);
        ck_assert_str_eq(e.field, "payment");
        ck_assert_msg(strstr(e.text, rows[i].text) != NULL, "%s", e.text);
    }
    channel(9, 2, 3600, 0);
    result[0] = 0x80; /* all 256 bits count */
    result[32] = 0x81;
    ck_assert_int_eq(judge(NULL), RC_REFUSED);
}
END_TEST

/* One thing is otherwise; nothing is proven then. */
static void check_lie(const char *word)
{
    err_t e;
    const rc_t rc = judge(&e);
    ck_assert_msg(rc == RC_IO && strstr(e.text, word), "%s: %s, %s", word, rc_name(rc), rc ? e.text : "");
}

START_TEST(what_is_no_proof_of_this_channel_is_none)
{
    statement_t good = said;
    said.chain_id = 6;
    check_lie("wrong-chain");
    said = good;
    said.setup.b[0] ^= 1;
    check_lie("wrong-setup");
    said = good;
    said.call.asked.to.b[0] ^= 1;
    check_lie("wrong-request");
    said = good;
    data[16] ^= 1; /* another publisher's */
    check_lie("wrong-request");
    data[16] ^= 1;
    data[99] ^= 1; /* another pod's */
    check_lie("wrong-request");
    data[99] ^= 1;
    said.call.asked.overrides.b[0] = 1;
    check_lie("wrong-request");
    said = good;
    said.call.status = STATEMENT_REVERT;
    check_lie("reverted");
    said.call.status = STATEMENT_HALT;
    check_lie("halted");
    said = good;
    said.at.timestamp = NOW - 121;
    check_lie("too-old");
    said.at.timestamp = NOW + 121;
    check_lie("from-the-future");
    said = good;
    said.valid_until = NOW - 1;
    check_lie("expired");
    said = good;
    rule.finalized = true;
    check_lie("not-final");
    said.at.finality = STATEMENT_FINAL;
    ck_assert_int_eq(judge(NULL), RC_OK);
    rule.finalized = false;
    said.call.result.n = 0; /* no contract is there */
    check_lie("0 bytes");
    said.call.result.n = 127;
    check_lie("127 bytes");
    said =
        (statement_t){ .kind = STATEMENT_BLOCK, .chain_id = 5, .at = good.at, .valid_until = NOW, .setup = good.setup };
    check_lie("wrong-type");
}
END_TEST

START_TEST(another_key_and_other_bytes_prove_nothing)
{
    err_t e;
    view_t text;
    const statement_signer_t signer = { key, sign65 };
    ck_assert_int_eq(judge_signed(&e, other), RC_IO);
    ck_assert_ptr_nonnull(strstr(e.text, "wrong-signer"));
    rule.signer_count = 2;
    keyring_address(other, &rule.signers[1]);
    ck_assert_int_eq(judge_signed(&e, other), RC_OK);
    rule.signer_count = 1;
    ck_assert_int_eq(statement_sign(&said, &signer), RC_OK);
    result[31]++; /* signed for less */
    ck_assert_int_eq(statement_write(&text, &arena, &said), RC_OK);
    ck_assert_int_eq(paid_judge(&e, &arena, &rule, &payment, text, NOW), RC_IO);
    result[31]--;
    ck_assert_int_eq(statement_write(&text, &arena, &said), RC_OK);
    for (size_t n = 0; n < text.n; n++)
        ck_assert_int_eq(paid_judge(&e, &arena, &rule, &payment, view_of(text.p, n), NOW), RC_IO);
    ck_assert_int_eq(paid_judge(&e, &arena, &rule, &payment, text, NOW), RC_OK);
}
END_TEST

/* ---- the configuration ---- */

#define KEY33 "0x0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define NODE                                                                                                           \
    "\"contract\":\"0x1111111111111111111111111111111111111111\",\"chain_id\":5,\"node\":\"http://127.0.0.1:3032\","
#define SETUP "\"setup_hash\":\"0x5555555555555555555555555555555555555555555555555555555555555555\""
#define SIGNERS "\"signers\":[\"" KEY33 "\"],"

static rc_t read_rule(paid_rule_t *out, err_t *e, const char *members)
{
    char text[1024];
    jo_doc_t doc;
    err_clear(e);
    snprintf(text, sizeof text, "{\"payment\":{%s}}", members);
    const jo_t o = jo_open(&doc, e, view_str(text), sizeof text, JO_STRICT);
    paid_read(out, &arena, &o, &rule.provider);
    const rc_t rc = jo_done(&o);
    jo_close(&doc);
    return rc;
}

START_TEST(a_configuration_is_read)
{
    static const uint8_t of_one[20] = { 0x7e, 0x5f, 0x45, 0x52, 0x09, 0x1a, 0x69, 0x12, 0x5d, 0x5d,
                                        0xfc, 0xb7, 0xb8, 0xc2, 0x65, 0x90, 0x29, 0x39, 0x5b, 0xdf };
    paid_rule_t x;
    err_t e;
    ck_assert_msg(read_rule(&x, &e, NODE SIGNERS SETUP ",\"min_unlock_s\":600") == RC_OK, "%s: %s", e.field, e.text);
    ck_assert(!x.finalized && x.max_age_s == PAID_LATEST_AGE_S && x.min_unlock_s == 600 && x.signer_count == 1);
    ck_assert_mem_eq(x.signers[0].b, of_one, 20);
    ck_assert(x.chain_id == 5 && x.chain_bytes[7] == 5 && !strcmp(x.node, "http://127.0.0.1:3032"));
    ck_assert(addr_eq(&x.provider, &rule.provider) && hash32_eq(&x.setup, &rule.setup));
    ck_assert_int_eq(
        read_rule(&x, &e, NODE SIGNERS SETUP ",\"min_unlock_s\":0,\"block\":\"finalized\",\"min_amount\":\"20\""),
        RC_OK);
    const u256_t twenty = u256_of(20);
    ck_assert(x.finalized && x.max_age_s == PAID_FINALIZED_AGE_S && u256_eq(&x.min_amount, &twenty));
}
END_TEST

START_TEST(a_configuration_that_would_believe_anybody_is_refused)
{
    static const struct {
        const char *members, *field;
    } bad[] = {
        { SIGNERS SETUP ",\"min_unlock_s\":0", "payment.contract" },
        { NODE SETUP ",\"min_unlock_s\":0", "payment.signers" },
        { NODE "\"signers\":[]," SETUP ",\"min_unlock_s\":0", "payment.signers" },
        { NODE "\"signers\":[\"0x12\"]," SETUP ",\"min_unlock_s\":0", "payment.signers[0]" },
        { NODE "\"signers\":[\"0x02ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\"]," SETUP
               ",\"min_unlock_s\":0",
          "payment.signers[0]" },
        { NODE SIGNERS "\"min_unlock_s\":0", "payment.setup_hash" },
        { NODE SIGNERS SETUP, "payment.min_unlock_s" },
        { NODE SIGNERS SETUP ",\"min_unlock_s\":0,\"min_amount\":\"0\"", "payment.min_amount" },
        { NODE SIGNERS SETUP ",\"min_unlock_s\":0,\"block\":\"safe\"", "payment.block" },
        { NODE SIGNERS SETUP ",\"min_unlock_s\":0,\"max_age_s\":0", "payment.max_age_s" },
        { NODE SIGNERS SETUP ",\"min_unlock_s\":0,\"any\":1", "payment.any" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        paid_rule_t x;
        err_t e;
        ck_assert_msg(read_rule(&x, &e, bad[i].members) != RC_OK, "%s", bad[i].members);
        ck_assert_msg(!strcmp(e.field, bad[i].field), "%s: %s", bad[i].members, e.field);
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("tpod_paid", begin, end, the_question_is_the_contracts_getter,
                           a_channel_with_money_that_stays_does, a_channel_without_is_refused,
                           what_is_no_proof_of_this_channel_is_none, another_key_and_other_bytes_prove_nothing,
                           a_configuration_is_read, a_configuration_that_would_believe_anybody_is_refused);
}
