/* The prototype's binding of a key to a quote. */
#include <check.h>
#include <stdlib.h>

#include "base/hex.h"
#include "tee/provider/open.h"
#include "tee/tee.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"

/* Source: the quote that the prototype publishes for this key (a real TDX quote; its report data). Python's hashlib
 * gives the same for SHA-256 of "register" and the hex text. */
START_TEST(register_report_data_matches_the_published_quote)
{
    uint8_t key[33], out[TEE_REPORT_DATA_LEN];
    char hex[2 * sizeof out + 1];
    const char *text = "02f3bf0aaa9dd53d07ef32facc6b068421b4a7dc25e4ba3d399c5e1109c39dc45e";
    ck_assert_int_eq(hex_decode_exact(key, sizeof key, text, strlen(text)), RC_OK);
    tee_register_report_data(out, key);
    hex_encode(hex, view_of(out, sizeof out));
    ck_assert_str_eq(hex, "89ec5e2361b38468a4cc543823d1ade75a049dc7de653bdb161f98585f29157f"
                          "0000000000000000000000000000000000000000000000000000000000000000");
}
END_TEST

/* Known answer: nonce 00..1f, keys G and 2G, evidence type 1, statements 32 x 33 and 32 x 44, key log 32 x 66; by
 * Python's hashlib. */
START_TEST(attest_report_data_matches_the_known_answer)
{
    uint8_t nonce[32], g[33], g2[33], got[64], want[64];
    tee_attest_t bound = { .type = TEE_EVIDENCE_TDX, .nonce = nonce, .cluster_pubkey = g, .node_pubkey = g2 };
    memset(bound.cluster_statement.b, 0x33, 32);
    memset(bound.node_statement.b, 0x44, 32);
    memset(bound.key_log.b, 0x66, 32);
    for (unsigned i = 0; i < 32; i++)
        nonce[i] = (uint8_t)i;
    ck_assert_int_eq(hex_decode_exact(g, 33, "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798", 66),
                     RC_OK);
    ck_assert_int_eq(hex_decode_exact(g2, 33, "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5", 66),
                     RC_OK);
    ck_assert_int_eq(hex_decode_exact(want, 64,
                                      "adb56684ea914977fec2d9fea3980588ab8aef82c3c86580e0d6695e71e61e1f"
                                      "3ac48e7db5e0b39b53ffd92d8d1c61c39113362e849816d593ed187c23dd7a0b",
                                      128),
                     RC_OK);
    tee_attest_report_data(got, &bound);
    ck_assert_mem_eq(got, want, 64);
    memset(nonce, 0, sizeof nonce);
    tee_attest_report_data(want, &bound);
    bound.nonce = NULL;
    tee_attest_report_data(got, &bound);
    ck_assert_mem_eq(got, want, 64); /* no nonce is one of zeros */
}
END_TEST

/* Nonce 00..1f, recovery key 32 x 77, node key 2G, evidence type 1; by Python's hashlib. */
START_TEST(recover_report_data_matches_the_known_answer)
{
    uint8_t nonce[32], key[32], g2[33], got[64];
    char hex[129];
    for (unsigned i = 0; i < 32; i++)
        nonce[i] = (uint8_t)i;
    memset(key, 0x77, sizeof key);
    ck_assert_int_eq(hex_decode_exact(g2, 33, "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5", 66),
                     RC_OK);
    tee_recover_report_data(got, TEE_EVIDENCE_TDX, nonce, key, g2);
    hex_encode(hex, view_of(got, 64));
    ck_assert_str_eq(hex, "d8c76e28a67f657cc4bff08f081c3811b94bafcfb8cd8174bfcafeff5f18ceb6"
                          "84c3d390ebf9ca5ae3f4a1c6d44b364afcc08b176a94c40c168819014e587c64");
}
END_TEST

static const struct {
    size_t part, max;
} bounds[] = { { 0, TEE_QUOTE_LEN_MAX }, { 1, TEE_EVENT_LOG_MAX }, { 2, TEE_VM_CONFIG_MAX } };

START_TEST(the_parts_of_an_evidence_have_their_maximum)
{
    for (size_t i = 0; i < 3; i++)
        for (size_t extra = 0; extra < 2; extra++) {
            size_t n = bounds[i].max + extra;
            uint8_t *bytes = malloc(n);
            view_t parts[3] = { view_str("quote"), view_str("log"), view_str("config") };
            tee_evidence_t e = { .buffer = NULL, .quote = { NULL, 77 } };
            memset(bytes, 0xa5, n);
            parts[bounds[i].part] = view_of(bytes, n);
            rc_t rc = tee_evidence_make(&e, TEE_EVIDENCE_DSTACK, parts[0], parts[1], parts[2]);
            ck_assert_int_eq(rc, extra ? RC_LIMIT : RC_OK);
            ck_assert_uint_eq(e.quote.n, extra ? 77 : parts[0].n);
            if (!rc) {
                ck_assert_int_eq(e.type, TEE_EVIDENCE_DSTACK);
                ck_assert(view_eq(e.quote, parts[0]) && view_eq(e.event_log, parts[1]) &&
                          view_eq(e.vm_config, parts[2]));
                tee_evidence_free(&e);
                ck_assert(!e.buffer && !e.quote.n && !e.event_log.n && !e.vm_config.n);
            }
            free(bytes);
        }
    tee_evidence_t e;
    ck_assert_int_eq(tee_evidence_make(&e, TEE_EVIDENCE_TDX, view_of(NULL, 0), view_of(NULL, 0), view_of(NULL, 0)),
                     RC_OK);
    ck_assert(e.quote.n == 0 && e.event_log.n == 0 && e.vm_config.n == 0);
    tee_evidence_free(&e);
    tee_evidence_free(NULL);
}
END_TEST

START_TEST(an_evidence_without_memory_is_not_made)
{
    tee_evidence_t e = { .quote = { NULL, 77 } };
    fail_at(0, true);
    rc_t rc = COUNTED(tee_evidence_make(&e, TEE_EVIDENCE_TDX, view_str("quote"), view_of(NULL, 0), view_of(NULL, 0)));
    fail_never();
    ck_assert_int_eq(rc, RC_NOMEM);
    ck_assert_uint_eq(e.quote.n, 77);
}
END_TEST

START_TEST(a_simulator_opens_or_says_that_the_build_has_none)
{
    const tee_open_t options = { .which = "simulator" };
    tee_provider_t p = { .name = NULL };
    err_t why = { 0 };
    rc_t rc = tee_open(&p, &why, &options);
    ck_assert_int_eq(rc, TEE_SIMULATOR ? RC_OK : RC_UNSUPPORTED);
    if (rc == RC_UNSUPPORTED) {
        ck_assert_ptr_nonnull(strstr(why.text, "simulat"));
        ck_assert_ptr_null(p.name);
        return;
    }
    ck_assert_str_eq(p.name, "simulator");
    ck_assert(p.simulated);
    p.free(p.ctx);
}
END_TEST

START_TEST(kinds_have_words_bytes_and_names)
{
    static const struct {
        const char *word, *name;
        unsigned byte;
    } kinds[] = { { "dstack", "dstack-tdx", 2 }, { "tdx", "tdx", 1 }, { "simulator", "simulated", 0xf0 } };
    size_t n = 0;
    ck_assert_str_eq(TEE_WORDS[0], "auto");
    for (; TEE_WORDS[n + 1]; n++) {
        const tee_provider_t p = { .type = (tee_evidence_type_t)kinds[n].byte };
        ck_assert_str_eq(TEE_WORDS[n + 1], kinds[n].word);
        ck_assert_str_eq(tee_type_name(kinds[n].byte), kinds[n].name);
        for (size_t i = 0; i < 3; i++)
            ck_assert(tee_is(&p, kinds[i].word) == (i == n));
        ck_assert(tee_is(&p, "auto") && !tee_is(&p, ""));
    }
    ck_assert_uint_eq(n, 3);
    for (unsigned byte = 0; byte < 512; byte++)
        ck_assert(tee_is_type(byte) == (byte == 1 || byte == 2 || byte == 0xf0));
}
END_TEST

int main(void)
{
    return UNIT_RUN("tee", register_report_data_matches_the_published_quote,
                    attest_report_data_matches_the_known_answer, recover_report_data_matches_the_known_answer,
                    the_parts_of_an_evidence_have_their_maximum, an_evidence_without_memory_is_not_made,
                    a_simulator_opens_or_says_that_the_build_has_none, kinds_have_words_bytes_and_names);
}
