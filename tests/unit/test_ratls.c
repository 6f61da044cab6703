/* TLS certificates that carry a quote: what is made, as GnuTLS and ratls_check read it; everything else is refused. */
#include <check.h>
#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <stdlib.h>

#include "base/crypto/secret.h"
#include "tee/provider/ratls_make.h"
#include "tee/sim/sim.h"
#include "tee/x509/ratls.h"
#include "tests/unit/unit.h"

#define NOW 1795000000
#define LIFETIME 86400u

static tee_provider_t simulator;

static void set_up(void)
{
    const uint8_t seed[32] = { 3 };
    err_t why = { 0 };
    ck_assert_int_eq(tee_simulator_open(&simulator, &why, seed), RC_OK);
}

static void tear_down(void)
{
    simulator.free(simulator.ctx);
}

/* Quotes of the simulator with an event log of so many bytes, or over other report data. */
static size_t log_len;
static uint8_t flip;

static rc_t get_logged(void *ctx, tee_evidence_t *out, err_t *err, const uint8_t report_data[TEE_REPORT_DATA_LEN])
{
    uint8_t asked[TEE_REPORT_DATA_LEN], *log = malloc(log_len + 1);
    tee_evidence_t e;
    memcpy(asked, report_data, sizeof asked);
    asked[TEE_REPORT_DATA_LEN - 1] ^= flip;
    memset(log, 'x', log_len);
    rc_t rc = simulator.get_evidence(ctx, &e, err, asked);
    if (!rc) {
        rc = tee_evidence_make(out, e.type, e.quote, view_of(log, log_len), view_of(NULL, 0));
        tee_evidence_free(&e);
    }
    free(log);
    return rc;
}

static rc_t get_nothing(void *ctx, tee_evidence_t *out, err_t *err, const uint8_t report_data[TEE_REPORT_DATA_LEN])
{
    (void)ctx, (void)out, (void)report_data;
    return err_say(err, RC_TIMEOUT, "no quote today");
}

static ratls_pair_t made(size_t log, uint8_t report_data_flip)
{
    tee_provider_t p = simulator;
    ratls_pair_t pair;
    err_t why = { 0 };
    log_len = log;
    flip = report_data_flip;
    p.get_evidence = get_logged;
    ck_assert_msg(ratls_make(&pair, &why, &p, NOW, LIFETIME) == RC_OK, "%s", why.text);
    return pair;
}

static gnutls_x509_crt_t imported(view_t der)
{
    gnutls_x509_crt_t crt;
    const gnutls_datum_t d = { (unsigned char *)(uintptr_t)der.p, (unsigned)der.n };
    gnutls_x509_crt_init(&crt);
    ck_assert_int_eq(gnutls_x509_crt_import(crt, &d, GNUTLS_X509_FMT_DER), 0);
    return crt;
}

START_TEST(the_quote_in_the_certificate_is_over_the_hash_of_its_key)
{
    ratls_pair_t pair = made(200, 0);
    gnutls_x509_crt_t crt = imported(pair.cert);
    gnutls_pubkey_t key;
    gnutls_datum_t spki;
    uint8_t ext[16384], log[512], expected[64];
    size_t n = sizeof ext;
    unsigned critical = 1;
    quote_t q;
    err_t fault;
    gnutls_pubkey_init(&key);
    ck_assert_int_eq(gnutls_pubkey_import_x509(key, crt, 0), 0);
    ck_assert_int_eq(gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &spki), 0);
    tee_ratls_report_data(expected, view_of(spki.data, spki.size));
    ck_assert_int_eq(gnutls_x509_crt_get_extension_by_oid(crt, RATLS_OID_QUOTE, 0, ext, &n, &critical), 0);
    ck_assert_uint_eq(critical, 0);
    ck_assert_uint_eq(ext[0], 0x04); /* OCTET STRING inside extnValue, length in two bytes */
    ck_assert_uint_eq(ext[1], 0x82);
    ck_assert_uint_eq((size_t)ext[2] << 8 | ext[3], n - 4);
    ck_assert_int_eq(quote_parse(&q, &fault, view_of(ext + 4, n - 4)), RC_OK);
    ck_assert_mem_eq(q.td.report_data, expected, sizeof expected);
    n = sizeof log;
    ck_assert_int_eq(gnutls_x509_crt_get_extension_by_oid(crt, RATLS_OID_EVENT_LOG, 0, log, &n, &critical), 0);
    ck_assert_uint_eq(n, 3 + 200);
    ck_assert_mem_eq(log, "\x04\x81\xc8x", 4);

    ratls_t r;
    ck_assert_int_eq(ratls_check(&r, &fault, pair.cert, NOW), RC_OK);
    ck_assert(view_eq(r.spki, view_of(spki.data, spki.size)));
    ck_assert(view_eq(r.evidence, q.used));
    ck_assert_uint_eq(r.event_log.n, 200);
    ck_assert_int_eq(r.not_before, NOW - RATLS_SKEW_S);
    ck_assert_int_eq(r.not_after, NOW + LIFETIME);
    gnutls_free(spki.data);
    gnutls_pubkey_deinit(key);
    gnutls_x509_crt_deinit(crt);
    ratls_pair_clear(&pair);
}
END_TEST

START_TEST(the_certificate_is_a_servers_signed_by_its_own_key)
{
    ratls_pair_t pair = made(0, 0), other = made(0, 0);
    gnutls_x509_crt_t crt = imported(pair.cert);
    gnutls_x509_privkey_t key;
    const gnutls_datum_t d = { (unsigned char *)(uintptr_t)pair.key.p, (unsigned)pair.key.n };
    char text[128];
    uint8_t serial[2][32], id[2][64];
    size_t n = sizeof text, serial_len[2] = { 32, 32 }, id_len[2] = { 64, 64 };
    unsigned critical, ca, out;
    ck_assert_int_eq(gnutls_x509_crt_get_version(crt), 3);
    ck_assert_int_eq(gnutls_x509_crt_get_dn(crt, text, &n), 0);
    ck_assert_ptr_nonnull(strstr(text, "CN=kettle"));
    ck_assert_ptr_nonnull(strstr(text, "O=simulated"));
    ck_assert_int_eq(gnutls_x509_crt_get_basic_constraints(crt, &critical, &ca, NULL), 0);
    ck_assert(critical && !ca);
    n = sizeof text;
    ck_assert_int_eq(gnutls_x509_crt_get_key_purpose_oid(crt, 0, text, &n, &critical), 0);
    ck_assert_str_eq(text, GNUTLS_KP_TLS_WWW_SERVER);
    ck_assert_int_ne(gnutls_x509_crt_check_hostname(crt, "localhost"), 0);
    ck_assert_int_ne(gnutls_x509_crt_check_hostname(crt, "127.0.0.1"), 0);
    ck_assert_int_eq(gnutls_x509_crt_check_hostname(crt, "example.org"), 0);
    ck_assert_int_eq(gnutls_x509_crt_verify(crt, &crt, 1, GNUTLS_VERIFY_DISABLE_TIME_CHECKS, &out), 0);
    ck_assert_uint_eq(out, 0);
    gnutls_x509_privkey_init(&key);
    ck_assert_int_eq(gnutls_x509_privkey_import_pkcs8(key, &d, GNUTLS_X509_FMT_DER, NULL, GNUTLS_PKCS_PLAIN), 0);
    ck_assert_int_eq(gnutls_x509_privkey_get_key_id(key, 0, id[0], &id_len[0]), 0);
    ck_assert_int_eq(gnutls_x509_crt_get_key_id(crt, 0, id[1], &id_len[1]), 0);
    ck_assert_uint_eq(id_len[0], id_len[1]);
    ck_assert_mem_eq(id[0], id[1], id_len[0]);
    gnutls_x509_crt_t crt2 = imported(other.cert); /* neither the key nor the serial number comes twice */
    ck_assert_int_eq(gnutls_x509_crt_get_serial(crt, serial[0], &serial_len[0]), 0);
    ck_assert_int_eq(gnutls_x509_crt_get_serial(crt2, serial[1], &serial_len[1]), 0);
    ck_assert_uint_eq(serial_len[0], 16);
    ck_assert(memcmp(serial[0], serial[1], 16) != 0);
    ck_assert_int_eq(gnutls_x509_crt_get_key_id(crt2, 0, id[1], &id_len[1]), 0);
    ck_assert(memcmp(id[0], id[1], id_len[0]) != 0);
    gnutls_x509_crt_deinit(crt2);
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(key);
    ratls_pair_clear(&pair);
    ratls_pair_clear(&other);
}
END_TEST

START_TEST(a_certificate_is_valid_for_its_time_with_both_bounds)
{
    static const struct {
        int64_t now;
        tee_code_t code;
    } rows[] = { { NOW - RATLS_SKEW_S - 1, E_CHAINTIME },
                 { NOW - RATLS_SKEW_S, TEE_OK },
                 { NOW + LIFETIME, TEE_OK },
                 { NOW + LIFETIME + 1, E_CHAINTIME } };
    ratls_pair_t pair = made(0, 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ratls_t r;
        err_t fault = { 0 };
        rc_t rc = ratls_check(&r, &fault, pair.cert, rows[i].now);
        ck_assert_msg((rc ? fault.code : TEE_OK) == rows[i].code, "%zu: %s", i, fault.text);
    }
    ratls_pair_clear(&pair);
}
END_TEST

START_TEST(a_quote_over_another_key_is_refused)
{
    ratls_pair_t pair = made(0, 1);
    ratls_t r;
    err_t fault;
    ck_assert_int_eq(ratls_check(&r, &fault, pair.cert, NOW), RC_REFUSED);
    ck_assert_int_eq(fault.code, E_REPORTDATA);
    ratls_pair_clear(&pair);
}
END_TEST

/* Whatever bit of the key's bytes or of the report data is flipped: nothing else makes them fit again. */
START_TEST(no_flipped_bit_of_the_key_or_the_report_data_passes)
{
    ratls_pair_t pair = made(0, 0);
    uint8_t *der = (uint8_t *)(uintptr_t)pair.cert.p;
    ratls_t r;
    err_t fault;
    ck_assert_int_eq(ratls_check(&r, &fault, pair.cert, NOW), RC_OK);
    const view_t parts[] = { r.spki, view_of(r.quote.td.report_data, 64) };
    for (size_t i = 0; i < 2; i++)
        for (size_t at = 0; at < 8 * parts[i].n; at++) {
            uint8_t *byte = der + (parts[i].p - pair.cert.p) + at / 8;
            *byte ^= (uint8_t)(1u << at % 8);
            ck_assert_msg(ratls_check(&r, &fault, pair.cert, NOW) != RC_OK, "part %zu, bit %zu", i, at);
            *byte ^= (uint8_t)(1u << at % 8);
        }
    ratls_pair_clear(&pair);
}
END_TEST

START_TEST(each_truncation_and_a_byte_more_are_refused)
{
    ratls_pair_t pair = made(300, 0);
    ratls_t r;
    err_t fault;
    for (size_t n = 0; n < pair.cert.n; n++) {
        uint8_t *cut = malloc(n ? n : 1); /* of exactly this size, for the sanitizer */
        memcpy(cut, pair.cert.p, n);
        ck_assert_msg(ratls_check(&r, &fault, view_of(cut, n), NOW) == RC_MALFORMED, "%zu bytes", n);
        free(cut);
    }
    uint8_t *more = calloc(1, pair.cert.n + 1);
    memcpy(more, pair.cert.p, pair.cert.n);
    ck_assert_int_eq(ratls_check(&r, &fault, view_of(more, pair.cert.n + 1), NOW), RC_MALFORMED);
    free(more);
    more = calloc(1, RATLS_CERT_MAX + 1);
    ck_assert_int_eq(ratls_check(&r, &fault, view_of(more, RATLS_CERT_MAX + 1), NOW), RC_LIMIT);
    free(more);
    ratls_pair_clear(&pair);
}
END_TEST

/* The certificate of a pair with its extensions changed by edit, signed by its key again. */
static view_t edited(const ratls_pair_t *pair, void (*edit)(gnutls_x509_crt_t from, gnutls_x509_crt_t to))
{
    gnutls_x509_crt_t from = imported(pair->cert), to;
    gnutls_x509_privkey_t key;
    const gnutls_datum_t d = { (unsigned char *)(uintptr_t)pair->key.p, (unsigned)pair->key.n };
    gnutls_datum_t der;
    gnutls_x509_privkey_init(&key);
    ck_assert_int_eq(gnutls_x509_privkey_import_pkcs8(key, &d, GNUTLS_X509_FMT_DER, NULL, GNUTLS_PKCS_PLAIN), 0);
    gnutls_x509_crt_init(&to);
    gnutls_x509_crt_set_version(to, 3);
    gnutls_x509_crt_set_serial(to, "\x01", 1);
    gnutls_x509_crt_set_dn(to, "CN=test", NULL);
    gnutls_x509_crt_set_activation_time(to, NOW - 1);
    gnutls_x509_crt_set_expiration_time(to, NOW + 1);
    gnutls_x509_crt_set_key(to, key);
    edit(from, to);
    ck_assert_int_eq(gnutls_x509_crt_sign2(to, to, key, GNUTLS_DIG_SHA256, 0), 0);
    ck_assert_int_eq(gnutls_x509_crt_export2(to, GNUTLS_X509_FMT_DER, &der), 0);
    gnutls_x509_crt_deinit(from);
    gnutls_x509_crt_deinit(to);
    gnutls_x509_privkey_deinit(key);
    return view_of(der.data, der.size);
}

static void copy_quote(gnutls_x509_crt_t from, gnutls_x509_crt_t to, const char *oid, size_t skip)
{
    uint8_t ext[16384];
    size_t n = sizeof ext;
    unsigned critical;
    ck_assert_int_eq(gnutls_x509_crt_get_extension_by_oid(from, RATLS_OID_QUOTE, 0, ext, &n, &critical), 0);
    ck_assert_int_eq(gnutls_x509_crt_set_extension_by_oid(to, oid, ext + skip, n - skip, skip == 0), 0);
}

static void edit_version_one(gnutls_x509_crt_t from, gnutls_x509_crt_t to)
{
    (void)from, gnutls_x509_crt_set_version(to, 1);
}
static void edit_other_oid(gnutls_x509_crt_t from, gnutls_x509_crt_t to)
{
    copy_quote(from, to, "1.3.6.1.4.1.62397.1.8", 0);
}
static void edit_log_only(gnutls_x509_crt_t from, gnutls_x509_crt_t to)
{
    copy_quote(from, to, RATLS_OID_EVENT_LOG, 0);
}
static void edit_bare(gnutls_x509_crt_t from, gnutls_x509_crt_t to)
{
    copy_quote(from, to, RATLS_OID_QUOTE, 4);
}
static void edit_critical(gnutls_x509_crt_t from, gnutls_x509_crt_t to)
{
    copy_quote(from, to, RATLS_OID_QUOTE, 0);
}

static void edit_no_quote(gnutls_x509_crt_t from, gnutls_x509_crt_t to)
{
    (void)from;
    ck_assert_int_eq(gnutls_x509_crt_set_basic_constraints(to, 0, -1), 0);
}

static void edit_empty(gnutls_x509_crt_t from, gnutls_x509_crt_t to)
{
    (void)from;
    ck_assert_int_eq(gnutls_x509_crt_set_extension_by_oid(to, RATLS_OID_QUOTE, "\x04\x00", 2, 0), 0);
}

static void edit_short(gnutls_x509_crt_t from, gnutls_x509_crt_t to)
{
    (void)from;
    ck_assert_int_eq(gnutls_x509_crt_set_extension_by_oid(to, RATLS_OID_QUOTE, "\x04\x02\x04\x00", 4, 0), 0);
}

START_TEST(certificates_without_a_quote_in_its_place_are_refused)
{
    static const struct {
        const char *name;
        void (*edit)(gnutls_x509_crt_t from, gnutls_x509_crt_t to);
        tee_code_t code;
    } rows[] = {
        { "critical extension", edit_critical, TEE_OK },
        { "version 1", edit_version_one, E_CERT },
        { "quote under another OID", edit_other_oid, E_CERT },
        { "quote under the event log's OID", edit_log_only, E_CERT },
        { "no quote", edit_no_quote, E_CERT },
        { "quote without an octet string around it", edit_bare, E_CERT },
        { "empty quote", edit_empty, E_CERT },
        { "quote of two bytes", edit_short, E_TRUNCATED },
    };
    ratls_pair_t pair = made(0, 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ratls_t r;
        err_t fault = { 0 };
        view_t der = edited(&pair, rows[i].edit);
        rc_t rc = ratls_check(&r, &fault, der, NOW);
        ck_assert_msg((rc ? fault.code : TEE_OK) == rows[i].code, "%s: %s", rows[i].name, tee_code_name(fault.code));
        gnutls_free((void *)(uintptr_t)der.p);
    }
    ratls_pair_clear(&pair);
}
END_TEST

/* GnuTLS writes no extension twice, so the log's number is turned into the quote's afterwards. */
static void edit_both(gnutls_x509_crt_t from, gnutls_x509_crt_t to)
{
    copy_quote(from, to, RATLS_OID_QUOTE, 0);
    copy_quote(from, to, RATLS_OID_EVENT_LOG, 0);
}

START_TEST(a_second_quote_is_refused)
{
    static const uint8_t oid[] = { 0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xe7, 0x3d, 0x01, 0x02 };
    ratls_pair_t pair = made(0, 0);
    ratls_t r;
    err_t fault;
    view_t der = edited(&pair, edit_both);
    ck_assert_int_eq(ratls_check(&r, &fault, der, NOW), RC_OK);
    uint8_t *at = memmem(der.p, der.n, oid, sizeof oid);
    ck_assert_ptr_nonnull(at);
    at[sizeof oid - 1] = 1;
    ck_assert_int_eq(ratls_check(&r, &fault, der, NOW), RC_MALFORMED);
    ck_assert_int_eq(fault.code, E_CERT);
    gnutls_free((void *)(uintptr_t)der.p);
    ratls_pair_clear(&pair);
}
END_TEST

START_TEST(a_long_event_log_is_left_out)
{
    ratls_pair_t most = made(RATLS_EVENT_LOG_MAX, 0), more = made(RATLS_EVENT_LOG_MAX + 1, 0);
    ratls_t r;
    err_t fault;
    ck_assert_int_eq(ratls_check(&r, &fault, most.cert, NOW), RC_OK);
    ck_assert_uint_eq(r.event_log.n, RATLS_EVENT_LOG_MAX);
    ck_assert_int_eq(ratls_check(&r, &fault, more.cert, NOW), RC_OK);
    ck_assert_uint_eq(r.event_log.n, 0);
    ratls_pair_clear(&most);
    ratls_pair_clear(&more);
}
END_TEST

START_TEST(without_a_quote_there_is_no_certificate)
{
    tee_provider_t p = simulator;
    ratls_pair_t pair;
    err_t why = { 0 };
    p.get_evidence = get_nothing;
    ck_assert_int_eq(ratls_make(&pair, &why, &p, NOW, LIFETIME), RC_TIMEOUT);
    ck_assert_str_eq(why.text, "no quote today");
}
END_TEST

int main(void)
{
    if (secret_init())
        return EXIT_FAILURE;
    return UNIT_RUN_AROUND(
        "ratls", set_up, tear_down, the_quote_in_the_certificate_is_over_the_hash_of_its_key,
        the_certificate_is_a_servers_signed_by_its_own_key, a_certificate_is_valid_for_its_time_with_both_bounds,
        a_quote_over_another_key_is_refused, no_flipped_bit_of_the_key_or_the_report_data_passes,
        each_truncation_and_a_byte_more_are_refused, certificates_without_a_quote_in_its_place_are_refused,
        a_second_quote_is_refused, a_long_event_log_is_left_out, without_a_quote_there_is_no_certificate);
}
