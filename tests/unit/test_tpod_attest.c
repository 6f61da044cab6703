/* What an attestation of trusted pods is over, and its evidence as JSON. */
#include <stdlib.h>

#include "base/hex.h"
#include "overlay/tpod/attest.h"
#include "tests/unit/unit.h"

static arena_t arena;

static void begin(void)
{
    arena_init(&arena, (size_t)16 << 20);
}

static void end(void)
{
    arena_free(&arena);
}

/* An id of a key that stands in it: of secp256k1 and of Ed25519. */
static peerid_t id_of(unsigned type, uint8_t fill)
{
    const uint8_t n = type == 2 ? 33 : 32;
    peerid_t id = { .n = (uint8_t)(n + 6), .b = { 0, (uint8_t)(n + 4), 8, (uint8_t)type, 0x12, n } };
    memset(id.b + 6, fill, n);
    if (type == 2)
        id.b[6] = 2;
    return id;
}

/* Source: five lines of Python, hashlib.sha512 over the parts as attest.h names them. */
START_TEST(report_data_is_its_known_answer_and_binds_each_part)
{
    static const char want[] =
        "d62db7fc7cb6b94963aa58ed01c63ac73075227bdb9d4ff0eeb2c3ca65674586a528da2c60b8baa9f87cc55dac673fd4208c1c826f509d851a14c30b7124c32d";
    peerid_t server = id_of(2, 0xaa), client = id_of(1, 0xbb);
    uint8_t nonce[TPOD_NONCE_LEN], first[64], other[64];
    char hex[129];
    for (size_t i = 0; i < sizeof nonce; i++)
        nonce[i] = (uint8_t)i;
    tpod_report_data(first, nonce, &server, &client);
    hex_encode(hex, view_of(first, 64));
    ck_assert_str_eq(hex, want);
    tpod_report_data(other, nonce, &client, &server);
    ck_assert_mem_ne(first, other, 64);
    for (size_t i = 0; i < sizeof nonce; i++) {
        nonce[i] ^= 1;
        tpod_report_data(other, nonce, &server, &client);
        ck_assert_mem_ne(first, other, 64);
        nonce[i] ^= 1;
    }
    for (size_t i = 0; i < server.n; i++) {
        server.b[i] ^= 1;
        tpod_report_data(other, nonce, &server, &client);
        ck_assert_mem_ne(first, other, 64);
        server.b[i] ^= 1;
    }
    for (size_t i = 0; i < client.n; i++) {
        client.b[i] ^= 1;
        tpod_report_data(other, nonce, &server, &client);
        ck_assert_mem_ne(first, other, 64);
        client.b[i] ^= 1;
    }
}
END_TEST

START_TEST(evidence_comes_back_as_it_was)
{
    const tee_claim_t all = { TEE_EVIDENCE_DSTACK, view_str("quote"), view_str("[\"log\"]"), view_str("{ \"a\": 1 }"),
                              view_str("{\"memory_size\":1}") },
                      bare = { .type = TEE_EVIDENCE_SIMULATED, .quote = view_str("q") };
    tee_claim_t got;
    view_t text;
    err_t e;
    ck_assert_int_eq(tpod_evidence_write(&text, &arena, &all), RC_OK);
    ck_assert_str_eq(
        (const char *)text.p,
        "{\"kettle\":\"tpod-attestation/1\",\"evidence_type\":2,\"quote\":"
        "\"0x71756f7465\",\"event_log\":\"[\\\"log\\\"]\",\"vm_config\":\"{\\\"memory_size\\\":1}\",\"collateral\":{\"a\":1}}");
    ck_assert_int_eq(tpod_evidence_read(&got, &e, &arena, text), RC_OK);
    ck_assert(got.type == all.type && view_eq(got.quote, all.quote) && view_eq(got.event_log, all.event_log));
    ck_assert(view_eq(got.vm_config, all.vm_config));
    ck_assert(view_eq(got.collateral, view_str("{\"a\":1}")));
    ck_assert_int_eq(tpod_evidence_write(&text, &arena, &bare), RC_OK);
    ck_assert_int_eq(tpod_evidence_read(&got, &e, &arena, text), RC_OK);
    ck_assert(got.type == bare.type && got.event_log.n == 0 && got.vm_config.n == 0 && got.collateral.n == 0);
}
END_TEST

START_TEST(what_is_no_evidence_is_refused)
{
    static const struct {
        const char *text, *field;
    } bad[] = {
        { "", "" },
        { "{\"kettle\":\"attestation/2\",\"evidence_type\":1,\"quote\":\"0x00\"}", "kettle" },
        { "{\"kettle\":\"tpod-attestation/1\",\"evidence_type\":9,\"quote\":\"0x00\"}", "evidence_type" },
        { "{\"kettle\":\"tpod-attestation/1\",\"evidence_type\":1,\"quote\":\"0x\"}", "quote" },
        { "{\"kettle\":\"tpod-attestation/1\",\"evidence_type\":1}", "quote" },
        { "{\"kettle\":\"tpod-attestation/1\",\"evidence_type\":1,\"quote\":\"0x00\",\"collateral\":1}", "collateral" },
        { "{\"kettle\":\"tpod-attestation/1\",\"evidence_type\":1,\"quote\":\"0x00\",\"x\":1}", "x" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tee_claim_t got = { .type = TEE_EVIDENCE_TDX };
        err_t e;
        ck_assert_msg(tpod_evidence_read(&got, &e, &arena, view_str(bad[i].text)) == RC_MALFORMED, "%s", bad[i].text);
        ck_assert_str_eq(e.field, bad[i].field);
        ck_assert_uint_eq(got.quote.n, 0);
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("tpod_attest", begin, end, report_data_is_its_known_answer_and_binds_each_part,
                           evidence_comes_back_as_it_was, what_is_no_evidence_is_refused);
}
