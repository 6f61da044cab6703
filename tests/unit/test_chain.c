/* Certificate chains and revocation lists, on Intel's own documents (tests/data/tdx) and on mutations of
 * them. Chains with other defects, which only a simulated CA can sign: test_negative_chain.c. */
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "tee/x509/chain.h"
#include "tee/x509/crl.h"
#include "tee/x509/der.h"
#include "tests/unit/unit.h"

#define FILE_BYTES 8192u
#define NOW 1751000000       /* 2025-06-27 */
#define CRL_FROM 1750327235  /* 2025-06-19T10:00:35Z */
#define CRL_UNTIL 1752919235 /* 2025-07-19T10:00:35Z */

typedef struct {
    size_t n;
    uint8_t b[FILE_BYTES];
} file_t;

static file_t pck_chain, signer_chain, root_crl, pck_crl, processor_crl;
static view_t certs[3];

static void load(file_t *f, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/tdx/%s", getenv("TEST_DATA"), name);
    FILE *in = fopen(path, "rb");
    ck_assert_msg(in != NULL, "%s", path);
    f->n = fread(f->b, 1, sizeof f->b, in);
    fclose(in);
}

static view_t all(const file_t *f)
{
    return view_of(f->b, f->n);
}

static void setup(void)
{
    static const char end[] = "-----END CERTIFICATE-----";
    load(&pck_chain, "pck_chain.pem");
    load(&signer_chain, "tcb_signing_chain.pem");
    load(&root_crl, "root_ca_crl.der");
    load(&pck_crl, "pck_crl.der");
    load(&processor_crl, "processor_crl.der");
    const uint8_t *p = pck_chain.b;
    for (size_t i = 0; i < 3; i++) {
        const uint8_t *stop = memmem(p, (size_t)(pck_chain.b + pck_chain.n - p), end, strlen(end));
        ck_assert_ptr_nonnull(stop);
        stop += strlen(end);
        certs[i] = view_of(p, (size_t)(stop - p));
        p = stop + 1;
    }
}

/* Decodes a PEM block into storage of the caller. */
static size_t to_der(uint8_t *out, size_t cap, view_t pem)
{
    rd_t r = rd_of(pem);
    wr_t w = wr_of(out, cap);
    ck_assert_int_eq(pem_take(&r, &w, "CERTIFICATE"), RC_OK);
    return w.n;
}

static view_t to_pem(char *out, view_t der)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = (size_t)sprintf(out, "-----BEGIN CERTIFICATE-----\n");
    for (size_t i = 0; i < der.n; i += 3) {
        size_t have = der.n - i < 3 ? der.n - i : 3;
        uint32_t x = 0;
        for (size_t k = 0; k < 3; k++)
            x = x << 8 | (k < have ? der.p[i + k] : 0u);
        for (size_t k = 0; k < 4; k++)
            out[n++] = k <= have ? digits[x >> (18 - 6 * k) & 63] : '=';
    }
    n += (size_t)sprintf(out + n, "\n-----END CERTIFICATE-----");
    return view_of(out, n);
}

/* Verifies; checks that out is untouched and why is said on failure. */
static unsigned verify(const view_t chain[3], view_t rcrl, view_t pcrl, view_t root, int64_t now)
{
    chain_pck_t v, before;
    err_t fault = { 0 };
    memset(&before, 0x5a, sizeof before);
    v = before;
    rc_t rc = chain_verify_pck(&v, &fault, chain, rcrl, pcrl, root, now);
    if (rc) {
        ck_assert_mem_eq(&v, &before, sizeof v);
        ck_assert_str_ne(fault.text, "");
        ck_assert_uint_ne(fault.code, TEE_OK);
    }
    return fault.code;
}

static unsigned verify_signer(view_t pem, view_t rcrl, view_t root, int64_t now)
{
    chain_signer_t v, before;
    err_t fault = { 0 };
    memset(&before, 0x5a, sizeof before);
    v = before;
    rc_t rc = chain_verify_signer(&v, &fault, pem, rcrl, root, now);
    if (rc)
        ck_assert_mem_eq(&v, &before, sizeof v);
    ck_assert((rc == RC_OK) == (fault.code == TEE_OK));
    return fault.code;
}

static void assert_hex(const uint8_t *p, size_t n, const char *want)
{
    char text[257];
    hex_encode(text, view_of(p, n));
    ck_assert_str_eq(text, want);
}

/* Values: openssl x509 and asn1parse on the same files. */
START_TEST(a_genuine_pck_chain_verifies)
{
    chain_pck_t v;
    err_t fault = { 0 };
    rc_t rc = chain_verify_pck(&v, &fault, certs, all(&root_crl), all(&pck_crl), CHAIN_INTEL_ROOT, NOW);
    ck_assert_msg(rc == RC_OK, "%s", fault.text);
    assert_hex(v.sgx.fmspc, 6, "00806f050000");
    assert_hex(v.sgx.pce_id, 2, "0000");
    assert_hex(v.sgx.cpu_svn, 16, "08080202040100060000000000000000");
    assert_hex(v.sgx.components, 16, "08080202040100060000000000000000");
    assert_hex(v.sgx.ppid, 16, "434a7ff2901adc58996d2f03e9ee6e15");
    ck_assert_uint_eq(v.sgx.pce_svn, 11);
    ck_assert_uint_eq(v.sgx.sgx_type, 1);
    ck_assert(v.sgx.has_instance_id);
    assert_hex(v.root_crl.number, 20, "0000000000000000000000000000000000000001");
    assert_hex(v.pck_crl.number, 20, "0000000000000000000000000000000000000001");
    assert_hex(v.root_crl.issuer.b, 32, "a0af031289f5d5d4132f9186068a7fc13628633ba235777472e29b6b6c67a49e");
    ck_assert_int_eq(v.pck_crl.this_update, CRL_FROM);
    ck_assert_int_eq(v.pck_crl.next_update, CRL_UNTIL);
    ck_assert_int_eq(v.root_crl.this_update, 1742469717); /* 2025-03-20T11:21:57Z */
    ck_assert_int_eq(v.root_crl.next_update, 1775215317); /* 2026-04-03T11:21:57Z */
    ck_assert_int_eq(v.earliest_expiry, CRL_UNTIL);
}
END_TEST

START_TEST(the_platform_of_a_chain_is_read_without_verifying)
{
    err_t fault;
    chain_pck_t pck;
    uint8_t fmspc[6];
    bool processor = true;
    ck_assert_int_eq(chain_platform(fmspc, &processor, &fault, certs), RC_OK);
    ck_assert(!processor);
    ck_assert_int_eq(chain_verify_pck(&pck, &fault, certs, all(&root_crl), all(&pck_crl), CHAIN_INTEL_ROOT, NOW),
                     RC_OK);
    ck_assert_mem_eq(fmspc, pck.sgx.fmspc, 6);
    /* The last byte of this one is 0: put another into the certificate, which is not verified here. */
    static char text[2 * FILE_BYTES];
    static const uint8_t found[6] = { 0, 0x80, 0x6f, 5, 0, 0 }, other[6] = { 0, 0x80, 0x6f, 5, 0, 0x9e };
    uint8_t der[FILE_BYTES];
    size_t n = to_der(der, sizeof der, certs[0]);
    uint8_t *place = memmem(der, n, found, sizeof found);
    ck_assert_ptr_nonnull(place);
    memcpy(place, other, sizeof other);
    const view_t changed[3] = { to_pem(text, view_of(der, n)), certs[1], certs[2] };
    memset(fmspc, 0x5a, sizeof fmspc);
    ck_assert_int_eq(chain_platform(fmspc, &processor, &fault, changed), RC_OK);
    ck_assert_mem_eq(fmspc, other, 6);
    const view_t wrong[3] = { certs[1], certs[1], certs[2] };
    ck_assert_int_eq(chain_platform(fmspc, &processor, &fault, wrong), RC_MALFORMED);
    ck_assert_int_eq(fault.code, E_SGXEXT);
}
END_TEST

START_TEST(a_genuine_signer_chain_verifies)
{
    chain_signer_t v;
    err_t fault = { 0 };
    rc_t rc = chain_verify_signer(&v, &fault, all(&signer_chain), all(&root_crl), CHAIN_INTEL_ROOT, NOW);
    ck_assert_msg(rc == RC_OK, "%s", fault.text);
    assert_hex(v.pubkey, 64,
               "43451bcc73c9d5917caf766e61af3fe98087dd4f13257b261e851897799dd13d"
               "6811fb47713803bb9bae587fccddc2e31be9a28b86962acc6daf96da58eeca96");
    ck_assert_int_eq(v.earliest_expiry, 1775215317);
}
END_TEST

START_TEST(the_embedded_root_is_intels)
{
    uint8_t der[FILE_BYTES];
    hash32_t h;
    size_t n = to_der(der, sizeof der, certs[2]);
    ck_assert(view_eq(view_of(der, n), CHAIN_INTEL_ROOT));
    sha256(&h, CHAIN_INTEL_ROOT);
    assert_hex(h.b, 32, "44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3");
}
END_TEST

START_TEST(times_are_inclusive_at_both_ends)
{
    static const struct {
        int64_t now;
        unsigned pck, signer;
    } rows[] = {
        { CRL_FROM, TEE_OK, TEE_OK },
        { CRL_UNTIL, TEE_OK, TEE_OK },
        { CRL_FROM - 1, E_CRL_TIME, TEE_OK },
        { CRL_UNTIL + 1, E_CRL_TIME, TEE_OK },
        { 1742469717, E_CRL_TIME, E_CHAINTIME }, /* the root's list begins; the signer's certificate does later */
        { 1742469716, E_CRL_TIME, E_CRL_TIME },
        { 1746523500, E_CRL_TIME, TEE_OK }, /* 2025-05-06T09:25:00Z: the signer begins */
        { 1746523499, E_CRL_TIME, E_CHAINTIME },
        { 1775215317, E_CRL_TIME, TEE_OK },
        { 1775215318, E_CRL_TIME, E_CRL_TIME },
        { 1526899509, E_CHAINTIME, E_CHAINTIME }, /* one second before the root begins: 2018-05-21T10:45:09Z */
        { 2524608000, E_CHAINTIME, E_CHAINTIME }, /* one second after it ends: 2050-01-01 */
        { 0, E_CHAINTIME, E_CHAINTIME },
        { INT64_MAX, E_CHAINTIME, E_CHAINTIME },
        { INT64_MIN, E_CHAINTIME, E_CHAINTIME },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        unsigned pck = verify(certs, all(&root_crl), all(&pck_crl), CHAIN_INTEL_ROOT, rows[i].now);
        unsigned signer = verify_signer(all(&signer_chain), all(&root_crl), CHAIN_INTEL_ROOT, rows[i].now);
        ck_assert_msg(pck == rows[i].pck && signer == rows[i].signer, "row %zu: %s, %s", i, tee_code_name(pck),
                      tee_code_name(signer));
    }
}
END_TEST

START_TEST(other_orders_and_roots_are_refused)
{
    static const struct {
        int order[3];
        unsigned want;
    } rows[] = {
        { { 1, 0, 2 }, E_CHAINORDER }, { { 0, 2, 1 }, E_CHAINORDER }, { { 2, 1, 0 }, E_CHAINORDER },
        { { 2, 0, 1 }, E_CHAINORDER }, { { 0, 0, 2 }, E_CHAINORDER }, { { 1, 1, 2 }, E_CHAINORDER },
        { { 0, 2, 2 }, E_CHAINUSAGE }, { { 2, 2, 2 }, E_CHAINUSAGE }, { { 1, 2, 2 }, E_CHAINUSAGE },
        { { 0, 1, 1 }, E_ROOT },       { { 0, 0, 0 }, E_ROOT },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const view_t chain[3] = { certs[rows[i].order[0]], certs[rows[i].order[1]], certs[rows[i].order[2]] };
        unsigned code = verify(chain, all(&root_crl), all(&pck_crl), CHAIN_INTEL_ROOT, NOW);
        ck_assert_msg(code == rows[i].want, "row %zu: %s", i, tee_code_name(code));
    }
    uint8_t other[FILE_BYTES];
    size_t n = to_der(other, sizeof other, certs[2]);
    other[n - 1] ^= 1;
    ck_assert_uint_eq(verify(certs, all(&root_crl), all(&pck_crl), view_of(other, n), NOW), E_ROOT);
    ck_assert_uint_eq(verify(certs, all(&root_crl), all(&pck_crl), view_of(NULL, 0), NOW), E_ROOT);
    ck_assert_uint_eq(verify_signer(all(&signer_chain), all(&root_crl), view_of(other, n), NOW), E_ROOT);
}
END_TEST

START_TEST(revocation_lists_must_be_there_and_of_the_right_issuer)
{
    const view_t none = { NULL, 0 };
    ck_assert_uint_eq(verify(certs, none, all(&pck_crl), CHAIN_INTEL_ROOT, NOW), E_CRL_MISSING);
    ck_assert_uint_eq(verify(certs, all(&root_crl), none, CHAIN_INTEL_ROOT, NOW), E_CRL_MISSING);
    ck_assert_uint_eq(verify_signer(all(&signer_chain), none, CHAIN_INTEL_ROOT, NOW), E_CRL_MISSING);
    ck_assert_uint_eq(verify(certs, all(&pck_crl), all(&root_crl), CHAIN_INTEL_ROOT, NOW), E_CRL_ISSUER);
    ck_assert_uint_eq(verify(certs, all(&root_crl), all(&root_crl), CHAIN_INTEL_ROOT, NOW), E_CRL_ISSUER);
    ck_assert_uint_eq(verify(certs, all(&root_crl), all(&processor_crl), CHAIN_INTEL_ROOT, NOW), E_CRL_ISSUER);
}
END_TEST

/* Each byte of what is signed is covered by its signature, and the rest is compared or read strictly. */
START_TEST(each_changed_byte_of_a_certificate_is_refused)
{
    uint8_t der[FILE_BYTES];
    static char text[2 * FILE_BYTES];
    for (size_t which = 0; which < 3; which++) {
        size_t n = to_der(der, sizeof der, certs[which]);
        for (size_t i = 0; i < n; i++) {
            view_t chain[3] = { certs[0], certs[1], certs[2] };
            der[i] ^= (uint8_t)(1u << i % 8);
            chain[which] = to_pem(text, view_of(der, n));
            ck_assert_msg(verify(chain, all(&root_crl), all(&pck_crl), CHAIN_INTEL_ROOT, NOW) != TEE_OK,
                          "certificate %zu, byte %zu", which, i);
            der[i] ^= (uint8_t)(1u << i % 8);
        }
        view_t chain[3] = { certs[0], certs[1], certs[2] };
        chain[which] = to_pem(text, view_of(der, n));
        ck_assert_uint_eq(verify(chain, all(&root_crl), all(&pck_crl), CHAIN_INTEL_ROOT, NOW), TEE_OK);
    }
}
END_TEST

START_TEST(each_changed_byte_of_a_list_is_refused)
{
    file_t f = pck_crl;
    for (size_t i = 0; i < f.n; i++) {
        f.b[i] ^= (uint8_t)(1u << i % 8);
        ck_assert_msg(verify(certs, all(&root_crl), all(&f), CHAIN_INTEL_ROOT, NOW) != TEE_OK, "PCK list, byte %zu", i);
        f.b[i] ^= (uint8_t)(1u << i % 8);
    }
    f = root_crl;
    for (size_t i = 0; i < f.n; i++) {
        f.b[i] ^= (uint8_t)(1u << i % 8);
        ck_assert_msg(verify(certs, all(&f), all(&pck_crl), CHAIN_INTEL_ROOT, NOW) != TEE_OK, "root list, byte %zu", i);
        f.b[i] ^= (uint8_t)(1u << i % 8);
    }
    f.b[f.n - 1] ^= 1;
    ck_assert_uint_eq(verify(certs, all(&f), all(&pck_crl), CHAIN_INTEL_ROOT, NOW), E_CRL_SIG);
}
END_TEST

START_TEST(truncated_lists_and_certificates_are_malformed)
{
    crl_t c;
    err_t fault;
    for (size_t n = 0; n < pck_crl.n; n++) {
        uint8_t *copy = malloc(n ? n : 1);
        memcpy(copy, pck_crl.b, n);
        ck_assert_msg(crl_parse(&c, &fault, view_of(copy, n)) == RC_MALFORMED, "length %zu", n);
        free(copy);
    }
    ck_assert_int_eq(crl_parse(&c, &fault, all(&pck_crl)), RC_OK);
    ck_assert_uint_eq(crl_count(&c), 44);
    pck_crl.b[pck_crl.n] = 0;
    ck_assert_int_eq(crl_parse(&c, &fault, view_of(pck_crl.b, pck_crl.n + 1)), RC_MALFORMED);
    for (size_t n = 0; n < certs[0].n; n += 7) {
        view_t chain[3] = { view_of(certs[0].p, n), certs[1], certs[2] };
        ck_assert_uint_eq(verify(chain, all(&root_crl), all(&pck_crl), CHAIN_INTEL_ROOT, NOW), E_PEM);
    }
    uint8_t der[FILE_BYTES];
    static char text[2 * FILE_BYTES];
    size_t whole = to_der(der, sizeof der, certs[0]);
    for (size_t n = 0; n < whole; n += 7) {
        view_t chain[3] = { to_pem(text, view_of(der, n)), certs[1], certs[2] };
        ck_assert_uint_eq(verify(chain, all(&root_crl), all(&pck_crl), CHAIN_INTEL_ROOT, NOW), E_CERT);
    }
}
END_TEST

START_TEST(a_list_finds_its_serial_numbers)
{
    static const uint8_t first[] = { 0x6f, 0xc3, 0x4e, 0x50, 0x23, 0xe7, 0x28, 0x92, 0x34, 0x35,
                                     0xd6, 0x1a, 0xa4, 0xb8, 0x3c, 0x61, 0x81, 0x66, 0xad, 0x35 };
    uint8_t high[] = { 0xef, 0xae, 0x6e, 0x97, 0x15, 0xfc, 0xa1, 0x3b, 0x87, 0xe3,
                       0x33, 0xe8, 0x26, 0x1e, 0xd6, 0xd9, 0x90, 0xa9, 0x26, 0xad };
    crl_t c;
    err_t fault;
    ck_assert_int_eq(crl_parse(&c, &fault, all(&pck_crl)), RC_OK);
    ck_assert(crl_lists(&c, view_of(first, sizeof first)));
    ck_assert(crl_lists(&c, view_of(high, sizeof high))); /* 00 ef ae ... in the list */
    ck_assert(!crl_lists(&c, view_of(first, sizeof first - 1)));
    high[19] ^= 1;
    ck_assert(!crl_lists(&c, view_of(high, sizeof high)));
}
END_TEST

START_TEST(lists_come_as_pem_der_or_hex)
{
    static char text[4 * FILE_BYTES], upper[4 * FILE_BYTES], pem[4 * FILE_BYTES];
    view_t out;
    err_t fault;
    arena_t a;
    arena_init(&a, 1 << 20);
    hex_encode(text, all(&pck_crl));
    size_t n = strlen(text);
    for (size_t i = 0; i <= n; i++)
        upper[i] = (char)(text[i] >= 'a' ? text[i] - 32 : text[i]);
    view_t p = to_pem(pem, all(&pck_crl));
    const size_t body = strlen("-----BEGIN CERTIFICATE-----"), tail = strlen("-----END CERTIFICATE-----");
    char *crl_pem = malloc(p.n + 8);
    int crl_pem_n =
        sprintf(crl_pem, "-----BEGIN X509 CRL-----%.*s-----END X509 CRL-----\n", (int)(p.n - body - tail), pem + body);
    const view_t good[] = {
        all(&pck_crl),
        view_of(text, n),
        view_of(upper, n),
        view_of(crl_pem, (size_t)crl_pem_n),
    };
    for (size_t i = 0; i < 4; i++) {
        ck_assert_msg(crl_der(&out, &fault, &a, good[i]) == RC_OK, "good row %zu: %s", i, fault.text);
        ck_assert(view_eq(out, all(&pck_crl)));
        ck_assert_int_ne(crl_der(&out, &fault, &a, view_of(good[i].p, good[i].n - 2)), RC_OK);
    }
    static const char *const ends[] = { "\n", "\r\n", "\r", "\n\n", "\r\n\r\n" };
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        char *copy = malloc(n + strlen(ends[i])); /* of exact size */
        memcpy(copy, text, n);
        memcpy(copy + n, ends[i], strlen(ends[i]));
        ck_assert_int_eq(crl_der(&out, &fault, &a, view_of(copy, n + strlen(ends[i]))), RC_OK);
        ck_assert(view_eq(out, all(&pck_crl)));
        free(copy);
    }
    text[n] = '\n';
    text[n / 2] = 'g';
    const view_t bad[] = { view_of(text, n),
                           view_of(text, n - 1),
                           p,
                           view_of(NULL, 0),
                           view_str("\n"),
                           view_str("3000x"),
                           view_str("-----BEGIN"),
                           view_str("-----BEGIN X509 CRL-----") };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(crl_der(&out, &fault, &a, bad[i]) == RC_MALFORMED && fault.code == E_CRL, "bad row %zu", i);
    arena_t tiny;
    arena_init(&tiny, 64);
    ck_assert_int_eq(crl_der(&out, &fault, &tiny, good[2]), RC_NOMEM);
    uint8_t *big = calloc(1, 3u << 20);
    memset(big, '0', 3u << 20);
    ck_assert_int_eq(crl_der(&out, &fault, &a, view_of(big, 3u << 20)), RC_LIMIT);
    free(big);
    free(crl_pem);
    arena_free(&tiny);
    arena_free(&a);
}
END_TEST

START_TEST(a_signer_chain_is_exactly_two_blocks)
{
    static uint8_t text[4 * FILE_BYTES];
    const view_t pem = all(&signer_chain);
    static const char end[] = "-----END CERTIFICATE-----";
    size_t cut = (size_t)((const uint8_t *)memmem(pem.p, pem.n, end, strlen(end)) - pem.p) + strlen(end);
    const struct {
        view_t parts[3];
        unsigned want;
    } rows[] = {
        { { pem, view_of("\0", 1) }, TEE_OK },
        { { pem, view_str("\r\n\n") }, TEE_OK },
        { { pem, view_of("\0\0", 2) }, E_CHAINLEN },
        { { pem, view_of("\0\n", 2) }, E_CHAINLEN },
        { { pem, view_str("x") }, E_CHAINLEN },
        { { pem, certs[2] }, E_CHAINLEN },
        { { view_of(pem.p, cut) }, E_CHAINLEN },
        { { view_str("") }, E_CHAINLEN },
        { { view_str("\n"), pem }, E_PEM },
        { { view_of(pem.p, cut), view_str(" "), view_of(pem.p + cut, pem.n - cut) }, E_PEM },
        { { view_of(pem.p, cut), view_str("\ncomment"), view_of(pem.p + cut, pem.n - cut) }, E_PEM },
        { { view_of(pem.p, cut), view_of("\0", 1), view_of(pem.p + cut, pem.n - cut) }, E_PEM },
        { { certs[2], view_str("\n"), view_of(pem.p, cut) }, E_CHAINORDER },
        { { certs[1], view_str("\n"), certs[2] }, E_CHAINUSAGE }, /* a CA does not sign TCB info */
        { { certs[0], view_str("\n"), certs[2] }, E_CHAINORDER },
        { { certs[2], view_str("\n"), certs[2] }, E_CHAINUSAGE },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        wr_t w = wr_of(text, sizeof text);
        for (size_t k = 0; k < 3; k++)
            wr_bytes(&w, rows[i].parts[k].p, rows[i].parts[k].n);
        unsigned code = verify_signer(wr_view(&w), all(&root_crl), CHAIN_INTEL_ROOT, NOW);
        ck_assert_msg(code == rows[i].want, "row %zu: %s", i, tee_code_name(code));
    }
    memset(text, '\n', sizeof text);
    ck_assert_uint_eq(verify_signer(view_of(text, CHAIN_PEM_MAX + 1), all(&root_crl), CHAIN_INTEL_ROOT, NOW), E_LIMIT);
}
END_TEST

START_TEST(base64_is_strict)
{
    static const struct {
        const char *body, *hex; /* hex NULL: refused */
    } rows[] = {
        { "", "" },       { "AAAA", "000000" }, { "AAE=", "0001" },
        { "AQ==", "01" }, { "+/+/", "fbffbf" }, { "A\nA\r\nE\n=", "0001" },
        { "AAF=", NULL }, { "AR==", NULL },     { "A", NULL },
        { "AA", NULL },   { "AAA", NULL },      { "A===", NULL },
        { "====", NULL }, { "AQ=", NULL },      { "AQ==AQ==", NULL },
        { "AQ=A", NULL }, { "AAAA=", NULL },    { "AA A", NULL },
        { "AA_A", NULL }, { "AA\tAA", NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[200];
        uint8_t out[64];
        wr_t w = wr_of(out, sizeof out);
        sprintf(text, "-----BEGIN X-----%s-----END X-----", rows[i].body);
        rd_t r = rd_of(view_str(text));
        rc_t rc = pem_take(&r, &w, "X");
        ck_assert_msg((rc == RC_OK) == (rows[i].hex != NULL), "row %zu", i);
        if (!rc)
            assert_hex(out, w.n, rows[i].hex);
    }
    uint8_t out[2];
    wr_t w = wr_of(out, sizeof out);
    rd_t r = rd_of(view_str("-----BEGIN X-----AAAA-----END X-----"));
    ck_assert_int_eq(pem_take(&r, &w, "X"), RC_LIMIT);
}
END_TEST

START_TEST(der_times_are_read_to_the_second)
{
    static const struct {
        uint8_t tag;
        const char *text;
        int64_t want; /* date -ud; -1: refused */
    } rows[] = {
        { DER_UTC_TIME, "700101000000Z", 0 },
        { DER_UTC_TIME, "491231235959Z", 2524607999 },
        { DER_UTC_TIME, "500101000000Z", -631152000 },
        { DER_UTC_TIME, "240229120000Z", 1709208000 },
        { DER_GENERAL_TIME, "20500101000000Z", 2524608000 },
        { DER_GENERAL_TIME, "20000229000000Z", 951782400 },
        { DER_GENERAL_TIME, "99991231235959Z", 253402300799 },
        { DER_UTC_TIME, "230229120000Z", -1 },
        { DER_GENERAL_TIME, "21000229000000Z", -1 },
        { DER_UTC_TIME, "251301000000Z", -1 },
        { DER_UTC_TIME, "250001000000Z", -1 },
        { DER_UTC_TIME, "250132000000Z", -1 },
        { DER_UTC_TIME, "250100000000Z", -1 },
        { DER_UTC_TIME, "250101240000Z", -1 },
        { DER_UTC_TIME, "250101006000Z", -1 },
        { DER_UTC_TIME, "250101000060Z", -1 },
        { DER_UTC_TIME, "2501010000Z", -1 },
        { DER_UTC_TIME, "250101000000", -1 },
        { DER_UTC_TIME, "250101000000+0000", -1 },
        { DER_GENERAL_TIME, "20250101000000.5Z", -1 },
        { DER_UTC_TIME, "2501010000 0Z", -1 },
        { DER_GENERAL_TIME, "00000101000000Z", -1 },
        { DER_INTEGER, "250101000000Z", -1 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t der[32] = { rows[i].tag, (uint8_t)strlen(rows[i].text) };
        memcpy(der + 2, rows[i].text, strlen(rows[i].text));
        rd_t r = rd_of(view_of(der, 2 + strlen(rows[i].text)));
        int64_t t = der_time(&r);
        ck_assert_msg(r.bad == (rows[i].want == -1) && (r.bad || t == rows[i].want), "row %zu: %lld", i, (long long)t);
    }
}
END_TEST

START_TEST(der_lengths_and_numbers_have_one_form)
{
    static const struct {
        uint8_t bytes[8];
        size_t n;
        bool good;
    } rows[] = {
        { { 2, 1, 5 }, 3, true },
        { { 2, 2, 0, 0x80 }, 4, true },
        { { 2, 1, 0 }, 3, true },
        { { 2, 0 }, 2, false },
        { { 2, 1, 0x80 }, 3, false },
        { { 2, 2, 0, 0x7f }, 4, false },
        { { 2, 2, 0, 0 }, 4, false },
        { { 2, 0x81, 1, 5 }, 4, false },
        { { 2, 0x82, 0, 1, 5 }, 5, false },
        { { 2, 0x80, 5, 0, 0 }, 5, false },
        { { 2, 2, 5 }, 3, false },
        { { 2 }, 1, false },
        { { 0 }, 0, false },
        { { 4, 1, 5 }, 3, false },
        { { 2, 0x84, 0xff, 0xff, 0xff, 0xff, 1 }, 7, false },
        { { 2, 0x85, 0, 0, 0, 0, 1, 5 }, 8, false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rd_t r = rd_of(view_of(rows[i].bytes, rows[i].n));
        der_unsigned(&r, DER_INTEGER);
        ck_assert_msg(rd_done(&r) == rows[i].good, "row %zu", i);
    }
    uint8_t longer[131] = { 4, 0x81, 128 };
    rd_t r = rd_of(view_of(longer, sizeof longer));
    ck_assert_uint_eq(der_take(&r, DER_OCTETS).n, 128);
    longer[2] = 127;
    r = rd_of(view_of(longer, 130));
    der_take(&r, DER_OCTETS);
    ck_assert(r.bad);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("chain", setup, NULL, a_genuine_pck_chain_verifies,
                           the_platform_of_a_chain_is_read_without_verifying, a_genuine_signer_chain_verifies,
                           the_embedded_root_is_intels, times_are_inclusive_at_both_ends,
                           other_orders_and_roots_are_refused, revocation_lists_must_be_there_and_of_the_right_issuer,
                           each_changed_byte_of_a_certificate_is_refused, each_changed_byte_of_a_list_is_refused,
                           truncated_lists_and_certificates_are_malformed, a_list_finds_its_serial_numbers,
                           lists_come_as_pem_der_or_hex, a_signer_chain_is_exactly_two_blocks, base64_is_strict,
                           der_times_are_read_to_the_second, der_lengths_and_numbers_have_one_form);
}
