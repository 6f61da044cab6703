/* The simulated TDX provider: offsets and values of its quote, its signatures and certificates, checked with GnuTLS. */
#include <check.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/crypto/secret.h"
#include "base/hex.h"
#include "tee/quote/quote.h"
#include "tee/sim/sim.h"
#include "tests/unit/unit.h"

static const uint8_t seed[32] = { 1, 2, 3, 4, 5 };

typedef struct {
    uint8_t bytes[TEE_QUOTE_LEN_MAX];
    size_t n;
    quote_t q;
} made_t;

static tee_provider_t open_with(const uint8_t s[32])
{
    tee_provider_t p;
    err_t why = { 0 };
    ck_assert_msg(tee_simulator_open(&p, &why, s) == RC_OK, "%s", why.text);
    return p;
}

static void make(made_t *m, const tee_provider_t *p)
{
    uint8_t report_data[64];
    err_t why = { 0 };
    memset(report_data, 0xab, sizeof report_data);
    report_data[63] = 0xcd;
    tee_evidence_t evidence;
    err_t fault;
    ck_assert_int_eq(p->get_evidence(p->ctx, &evidence, &why, report_data), RC_OK);
    ck_assert_uint_le(evidence.quote.n, sizeof m->bytes);
    memcpy(m->bytes, evidence.quote.p, m->n = evidence.quote.n);
    tee_evidence_free(&evidence);
    rc_t rc = quote_parse(&m->q, &fault, view_of(m->bytes, m->n));
    ck_assert_msg(rc == RC_OK, "%s", fault.text);
}

static void expect(const made_t *m, size_t offset, const char *hex)
{
    char got[2 * 64 + 1];
    size_t n = strlen(hex) / 2;
    ck_assert_uint_le(n, 64);
    hex_encode(got, view_of(m->bytes + offset, n));
    ck_assert_msg(strcmp(got, hex) == 0, "at %zu: %s", offset, got);
}

#define MR_SEAM "122df01b48a65260068ac3706fc0f9c75d0837fe6caf169f764eecb522d7b0e4c7d8d8e6121059ed57f14269c6ecb31d"
#define MR_TD "d57c5ccc8b4a6d04b5fb8aba0ceca2d97d627b94d8b7f00f0742ef64d2f58466f21daa4e69c1259e517f0ab2f0d1d87d"
#define RTMR0 "cab704d30fa7287a66d86bb2f6c6e401d5b40a43242032a1fd05648d17424706429c0fae76095a0d1863bc6bd6873870"
#define RTMR1 "ccc1b0cc386d0e227657a44f698a62ef12159d66591eff9a9fc724139a4c05c23b5ea97481ff5cc99c814355a90efaf4"
#define RTMR2 "d88be7295b521a19044cf309a2b4147267b08c43f1b621f3ba77a3d663619627346d6f62b4687e52c2d42816df5efd75"
#define RTMR3 "be586beb42bcc084395720642e9f9ba20ad2cc75c02e4b64f8a1d85dd2bf7a257ee4dd6727549d405010c5990756085b"
#define MR_ENCLAVE "d75051ec177c25e27417884b67d9290dd925b1e7d3cf347e2da984502c4e7b73"
#define MR_SIGNER "e75626bbfe321e515e538f40d32ba42cd482b25829b2625b9801163c366ccaac"
#define SGX_EXT                                                                                                        \
    "30820226301e060a2a864886f84d010d010104102cc14b03199ed94442265b1d70eb344930820163060a2a864886f84d"                 \
    "010d0102308201533010060b2a864886f84d010d0102010201083010060b2a864886f84d010d0102020201083010060b"                 \
    "2a864886f84d010d0102030201023010060b2a864886f84d010d0102040201023010060b2a864886f84d010d01020502"                 \
    "01043010060b2a864886f84d010d0102060201013010060b2a864886f84d010d0102070201003010060b2a864886f84d"                 \
    "010d0102080201063010060b2a864886f84d010d0102090201003010060b2a864886f84d010d01020a0201003010060b"                 \
    "2a864886f84d010d01020b0201003010060b2a864886f84d010d01020c0201003010060b2a864886f84d010d01020d02"                 \
    "01003010060b2a864886f84d010d01020e0201003010060b2a864886f84d010d01020f0201003010060b2a864886f84d"                 \
    "010d0102100201003010060b2a864886f84d010d01021102010b301f060b2a864886f84d010d01021204100808020204"                 \
    "01000600000000000000003010060a2a864886f84d010d0103040200003014060a2a864886f84d010d01040406ff5349"                 \
    "4d3031300f060a2a864886f84d010d01050a0101301e060a2a864886f84d010d01060410e4953692b32c2cb43b7603bf"                 \
    "b9d211c83044060a2a864886f84d010d010730363010060b2a864886f84d010d0107010101ff3010060b2a864886f84d"                 \
    "010d0107020101003010060b2a864886f84d010d0107030101ff"
#define ZERO16 "00000000000000000000000000000000"
#define ZERO48 ZERO16 ZERO16 ZERO16

/* Offsets: Intel TDX quote format v4 with 32 bytes of QE authentication data. Values: the digests with Python's
 * hashlib. */
START_TEST(every_field_stands_at_its_offset)
{
    tee_provider_t p = open_with(seed);
    made_t m;
    make(&m, &p);
    expect(&m, 0, "0400020081000000");
    expect(&m, 8, "00000000");
    expect(&m, 12, "939a7233f79c4ca9940a0db3957f0607");
    expect(&m, 44, "00000000");
    expect(&m, 48, "06010300000000000000000000000000");
    expect(&m, 64, MR_SEAM);
    expect(&m, 112, ZERO48);
    expect(&m, 160, "0000000000000000");
    expect(&m, 168, "0000001000000000");
    expect(&m, 176, "e702060000000000");
    expect(&m, 184, MR_TD);
    expect(&m, 232, ZERO48);
    expect(&m, 280, ZERO48);
    expect(&m, 328, ZERO48);
    expect(&m, 376, RTMR0);
    expect(&m, 424, RTMR1);
    expect(&m, 472, RTMR2);
    expect(&m, 520, RTMR3);
    expect(&m, 568,
           "abababababababababababababababababababababababababababababababab"
           "abababababababababababababababababababababababababababababababcd");
    ck_assert_uint_eq(m.bytes[632] + 256u * m.bytes[633], m.n - 636);
    expect(&m, 764, "0600");
    ck_assert_uint_eq(m.bytes[766] + 256u * m.bytes[767], m.n - 770);
    expect(&m, 770, "08080202040100060000000000000000"); /* CPUSVN */
    expect(&m, 786, "00000000");                         /* MISCSELECT */
    expect(&m, 818, "1500000000000000e700000000000000"); /* ATTRIBUTES */
    expect(&m, 834, MR_ENCLAVE);
    expect(&m, 898, MR_SIGNER);
    expect(&m, 1026, "02000600"); /* ISVPRODID, ISVSVN */
    expect(&m, 1122, ZERO16 ZERO16);
    expect(&m, 1218, "2000000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    expect(&m, 1252, "0500");
    ck_assert_uint_eq(m.bytes[1254] + 256u * m.bytes[1255], m.n - 1258);
    ck_assert_mem_eq(m.bytes + 1258, "-----BEGIN CERTIFICATE-----", 27);
    ck_assert_uint_eq(m.q.used.n, m.n);
    p.free(p.ctx);
}
END_TEST

START_TEST(the_parser_names_the_same_bytes)
{
    tee_provider_t p = open_with(seed);
    made_t m;
    make(&m, &p);
    const quote_td_t *td = &m.q.td;
    const struct {
        const uint8_t *p;
        size_t offset;
    } fields[] = {
        { m.q.user_data, 28 },       { td->tcb_svn, 48 },          { td->mr_seam, 64 },
        { td->mr_signer_seam, 112 }, { td->seam_attributes, 160 }, { td->td_attributes, 168 },
        { td->xfam, 176 },           { td->mr_td, 184 },           { td->mr_config_id, 232 },
        { td->mr_owner, 280 },       { td->mr_owner_config, 328 }, { td->rtmr[0], 376 },
        { td->rtmr[1], 424 },        { td->rtmr[2], 472 },         { td->rtmr[3], 520 },
        { td->report_data, 568 },    { m.q.signature, 636 },       { m.q.attestation_key, 700 },
        { m.q.qe.whole.p, 770 },     { m.q.qe.cpu_svn, 770 },      { m.q.qe.attributes, 818 },
        { m.q.qe.mr_enclave, 834 },  { m.q.qe.mr_signer, 898 },    { m.q.qe.report_data, 1090 },
        { m.q.qe_signature, 1154 },  { m.q.qe_auth.p, 1220 },      { m.q.certs[0].p, 1258 },
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        ck_assert_msg(fields[i].p == m.bytes + fields[i].offset, "field %zu", i);
    ck_assert_uint_eq(m.q.version, 4);
    ck_assert_uint_eq(m.q.body_type, QUOTE_BODY_TD10);
    ck_assert_uint_eq(m.q.signed_part.n, 632);
    ck_assert_uint_eq(m.q.qe.isv_prod_id, 2);
    ck_assert_uint_eq(m.q.qe.isv_svn, 6);
    ck_assert_uint_eq(m.q.qe_auth.n, 32);
    ck_assert_ptr_null(td->tcb_svn2);
    p.free(p.ctx);
}
END_TEST

static gnutls_x509_crt_t cert_of(view_t pem)
{
    gnutls_x509_crt_t crt;
    const gnutls_datum_t d = { (unsigned char *)(uintptr_t)pem.p, (unsigned)pem.n };
    ck_assert_int_ge(gnutls_x509_crt_init(&crt), 0);
    ck_assert_int_ge(gnutls_x509_crt_import(crt, &d, GNUTLS_X509_FMT_PEM), 0);
    return crt;
}

/* GnuTLS's answer about a raw signature r || s over data. */
static bool signed_by(gnutls_pubkey_t key, const uint8_t sig[64], view_t data)
{
    gnutls_datum_t r = { (unsigned char *)(uintptr_t)sig, 32 }, s = { r.data + 32, 32 }, der;
    const gnutls_datum_t d = { (unsigned char *)(uintptr_t)data.p, (unsigned)data.n };
    ck_assert_int_ge(gnutls_encode_rs_value(&der, &r, &s), 0);
    int e = gnutls_pubkey_verify_data2(key, GNUTLS_SIGN_ECDSA_SHA256, 0, &d, &der);
    gnutls_free(der.data);
    return e >= 0;
}

START_TEST(quote_and_qe_report_are_signed_and_bound)
{
    tee_provider_t p = open_with(seed);
    made_t m;
    make(&m, &p);
    gnutls_pubkey_t key;
    gnutls_datum_t x = { m.bytes + 700, 32 }, y = { m.bytes + 732, 32 };
    ck_assert_int_ge(gnutls_pubkey_init(&key), 0);
    ck_assert_int_ge(gnutls_pubkey_import_ecc_raw(key, GNUTLS_ECC_CURVE_SECP256R1, &x, &y), 0);
    ck_assert(signed_by(key, m.bytes + 636, view_of(m.bytes, 632)));
    m.bytes[600] ^= 1;
    ck_assert(!signed_by(key, m.bytes + 636, view_of(m.bytes, 632)));
    m.bytes[600] ^= 1;
    gnutls_pubkey_deinit(key);

    gnutls_x509_crt_t leaf = cert_of(m.q.certs[0]);
    ck_assert_int_ge(gnutls_pubkey_init(&key), 0);
    ck_assert_int_ge(gnutls_pubkey_import_x509(key, leaf, 0), 0);
    ck_assert(signed_by(key, m.bytes + 1154, view_of(m.bytes + 770, 384)));
    m.bytes[800] ^= 1;
    ck_assert(!signed_by(key, m.bytes + 1154, view_of(m.bytes + 770, 384)));
    gnutls_pubkey_deinit(key);
    gnutls_x509_crt_deinit(leaf);

    const view_t bound[] = { view_of(m.bytes + 700, 64), view_of(m.bytes + 1220, 32) };
    hash32_t want;
    static const uint8_t zeros[32];
    sha256_parts(&want, bound, 2);
    ck_assert_mem_eq(m.bytes + 1090, want.b, 32);
    ck_assert_mem_eq(m.bytes + 1122, zeros, 32);
    p.free(p.ctx);
}
END_TEST

static void check_profile(gnutls_x509_crt_t crt, const char *cn, bool want_ca, int want_path, unsigned want_usage)
{
    char name[64];
    uint8_t serial[32];
    size_t n = sizeof name;
    unsigned critical = 0, ca = 0, usage = 0;
    int path = -1;
    ck_assert_int_ge(gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &n), 0);
    ck_assert_str_eq(name, cn);
    ck_assert_int_eq(gnutls_x509_crt_get_version(crt), 3);
    ck_assert_int_ge(gnutls_x509_crt_get_basic_constraints(crt, &critical, &ca, &path), 0);
    ck_assert(critical);
    ck_assert_int_eq(ca != 0, want_ca);
    ck_assert_int_eq(path, want_path);
    critical = 0;
    ck_assert_int_ge(gnutls_x509_crt_get_key_usage(crt, &usage, &critical), 0);
    ck_assert(critical);
    ck_assert_uint_eq(usage, want_usage);
    n = sizeof serial;
    ck_assert_int_ge(gnutls_x509_crt_get_serial(crt, serial, &n), 0);
    ck_assert_uint_eq(n, 20);
    ck_assert_int_eq(gnutls_x509_crt_get_signature_algorithm(crt), GNUTLS_SIGN_ECDSA_SHA256);
    n = sizeof name;
    ck_assert_int_eq(gnutls_x509_crt_get_key_purpose_oid(crt, 0, name, &n, NULL),
                     GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE);
    n = sizeof serial;
    ck_assert_int_ge(gnutls_x509_crt_get_authority_key_id(crt, serial, &n, NULL), 0);
}

/* A moment inside every validity: 2026-01-01. */
static time_t fixed_time(time_t *t)
{
    if (t)
        *t = 1767225600;
    return 1767225600;
}

START_TEST(the_chain_has_intels_profile_and_verifies_to_its_root)
{
    tee_provider_t p = open_with(seed);
    made_t m;
    make(&m, &p);
    gnutls_x509_crt_t c[3];
    gnutls_x509_trust_list_t list;
    unsigned status = 1;
    for (int i = 0; i < 3; i++)
        c[i] = cert_of(m.q.certs[i]);
    const unsigned signs = GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN;
    check_profile(c[0], "Simulated SGX PCK Certificate", false, -1,
                  GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_NON_REPUDIATION);
    check_profile(c[1], "Simulated SGX PCK Platform CA", true, 0, signs);
    check_profile(c[2], "Simulated SGX Root CA", true, 1, signs);
    gnutls_global_set_time_function(fixed_time);
    ck_assert_int_ge(gnutls_x509_trust_list_init(&list, 0), 0);
    ck_assert_int_eq(gnutls_x509_trust_list_add_cas(list, &c[2], 1, 0), 1);
    ck_assert_int_ge(gnutls_x509_trust_list_verify_crt(list, c, 3, 0, &status, NULL), 0);
    ck_assert_uint_eq(status, 0);
    gnutls_x509_trust_list_deinit(list, 0);

    /* The same CA under another seed's root must fail. */
    static const uint8_t other_seed[32] = { 9 };
    tee_provider_t other = open_with(other_seed);
    made_t m2;
    make(&m2, &other);
    gnutls_x509_crt_t stranger = cert_of(m2.q.certs[2]);
    ck_assert_int_ge(gnutls_x509_trust_list_init(&list, 0), 0);
    ck_assert_int_eq(gnutls_x509_trust_list_add_cas(list, &stranger, 1, 0), 1);
    ck_assert_int_ge(gnutls_x509_trust_list_verify_crt(list, c, 2, 0, &status, NULL), 0);
    ck_assert_uint_ne(status, 0);
    gnutls_x509_trust_list_deinit(list, 0);
    gnutls_x509_crt_deinit(stranger);
    other.free(other.ctx);
    for (int i = 0; i < 3; i++)
        gnutls_x509_crt_deinit(c[i]);
    p.free(p.ctx);
}
END_TEST

START_TEST(the_leaf_carries_the_sgx_extension)
{
    tee_provider_t p = open_with(seed);
    made_t m;
    make(&m, &p);
    gnutls_x509_crt_t leaf = cert_of(m.q.certs[0]);
    uint8_t ext[1024], want[1024];
    size_t n = sizeof ext, want_n = 0;
    unsigned critical = 1;
    ck_assert_int_ge(gnutls_x509_crt_get_extension_by_oid(leaf, "1.2.840.113741.1.13.1", 0, ext, &n, &critical), 0);
    ck_assert_uint_eq(critical, 0);
    /* The platform instance id is 16 bytes of HKDF: taken from Python's hmac like everything else here. */
    ck_assert_int_eq(hex_decode(want, &want_n, sizeof want, SGX_EXT, strlen(SGX_EXT)), RC_OK);
    ck_assert_uint_eq(n, want_n);
    ck_assert_mem_eq(ext, want, n);
    gnutls_x509_crt_deinit(leaf);
    p.free(p.ctx);
}
END_TEST

START_TEST(the_seed_determines_the_chain_and_not_the_attestation_key)
{
    static const uint8_t other_seed[32] = { 9 };
    tee_provider_t a = open_with(seed), b = open_with(seed), c = open_with(other_seed);
    made_t ma, mb, mc, again;
    make(&ma, &a);
    make(&mb, &b);
    make(&mc, &c);
    make(&again, &a);
    ck_assert_uint_eq(ma.n, mb.n);
    ck_assert_mem_eq(ma.bytes + 1258, mb.bytes + 1258, ma.n - 1258);
    ck_assert(memcmp(ma.q.attestation_key, mb.q.attestation_key, 64) != 0);
    ck_assert_mem_eq(ma.bytes, again.bytes, ma.n);
    ck_assert(!view_eq(ma.q.certs[2], mc.q.certs[2]));
    a.free(a.ctx);
    b.free(b.ctx);
    c.free(c.ctx);
}
END_TEST

START_TEST(rtmr3_is_a_live_register)
{
    /* Twice the event "app-event" with five bytes 7: Python's hashlib. */
    static const char *const want[] = {
        "9678e97d6ae0cfaabd379a6b570616f24afcd6d27fd9d87766a828971b70b944ebc6209faeaa87035747947d618f9e4f",
        "408f71116e77440e4422b8a100f3820ba07f55fd8f5d84656e821427dbce12230bba674acb9aba70fce8d5718adcb9c7",
    };
    tee_provider_t p = open_with(seed);
    made_t m;
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(tee_simulator_extend(&p, "app-event", view_str("\a\a\a\a\a")), RC_OK);
        make(&m, &p);
        expect(&m, 520, want[i]);
    }
    p.free(p.ctx);
}
END_TEST

int main(void)
{
    if (secret_init())
        return EXIT_FAILURE;
    return UNIT_RUN("sim", every_field_stands_at_its_offset, the_parser_names_the_same_bytes,
                    quote_and_qe_report_are_signed_and_bound, the_chain_has_intels_profile_and_verifies_to_its_root,
                    the_leaf_carries_the_sgx_extension, the_seed_determines_the_chain_and_not_the_attestation_key,
                    rtmr3_is_a_live_register);
}
