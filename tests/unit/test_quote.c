/* The quote parser, on quotes that this file builds by the offset tables of the format. Real ones: vectors tdx-quotes.
 */
#include <check.h>
#include <stdlib.h>

#include "tee/quote/quote.h"
#include "tests/unit/unit.h"

#define BLOCK "-----BEGIN CERTIFICATE-----\nMIIBabc+/09==\n-----END CERTIFICATE-----\n"
#define CHAIN BLOCK BLOCK BLOCK

typedef struct {
    uint8_t bytes[TEE_QUOTE_LEN_MAX + 1];
    size_t n;
    size_t section; /* offset of the length field behind the body */
    size_t inner;   /* offset of the inner certification type */
} made_t;

static void put(made_t *m, uint64_t x, unsigned n)
{
    for (unsigned i = 0; i < n; i++, x >>= 8)
        m->bytes[m->n++] = (uint8_t)x;
}

static void put_at(made_t *m, size_t at, uint64_t x, unsigned n)
{
    size_t was = m->n;
    m->n = at;
    put(m, x, n);
    m->n = was;
}

static void put_bytes(made_t *m, const void *p, size_t n)
{
    memcpy(m->bytes + m->n, p, n);
    m->n += n;
}

/* n bytes that tell where they stand. */
static void put_pattern(made_t *m, size_t n)
{
    for (; n; n--, m->n++)
        m->bytes[m->n] = (uint8_t)(m->n * 7 + (m->n >> 8));
}

/* A quote of a version with a body of one type (1: enclave, in version 3 only; 2: TD 1.0, 3: TD 1.5). */
static void build(made_t *m, unsigned version, unsigned body_type, size_t auth, view_t chain)
{
    static const uint8_t vendor[] = { 0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
                                      0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07 };
    size_t body = body_type == 1 ? 384 : body_type == 2 ? 584 : 648, outer = body_type == 1 ? 0 : 6;
    memset(m, 0, sizeof *m);
    put(m, version, 2);
    put(m, 2, 2);
    put(m, body_type == 1 ? 0 : 0x81, 4);
    put_pattern(m, 4);
    put_bytes(m, vendor, sizeof vendor);
    put_pattern(m, 20);
    if (version == 5) {
        put(m, body_type, 2);
        put(m, body, 4);
    }
    put_pattern(m, body);
    m->section = m->n;
    put(m, 584 + outer + auth + chain.n, 4);
    put_pattern(m, 64 + 64);
    if (outer) {
        put(m, 6, 2);
        put(m, 456 + auth + chain.n, 4);
    }
    put_pattern(m, 384 + 64);
    put(m, auth, 2);
    put_pattern(m, auth);
    m->inner = m->n;
    put(m, 5, 2);
    put(m, chain.n, 4);
    put_bytes(m, chain.p, chain.n);
}

static void build_default(made_t *m)
{
    build(m, 4, 2, 32, view_str(CHAIN));
}

/* Parses an exact-size heap copy, so that ASan sees an over-read; checks that out is untouched and why is said on
 * failure. */
static tee_code_t last_code; /* of the last parse */

static rc_t parse_by(rc_t (*parser)(quote_t *out, err_t *fault, view_t in), const made_t *m, size_t n)
{
    uint8_t *copy = malloc(n ? n : 1);
    quote_t q, before;
    err_t fault = { 0 };
    memcpy(copy, m->bytes, n);
    memset(&before, 0x5a, sizeof before);
    q = before;
    rc_t rc = parser(&q, &fault, view_of(copy, n));
    if (rc) {
        ck_assert_mem_eq(&q, &before, sizeof q);
        ck_assert_str_ne(fault.text, "");
    }
    last_code = fault.code;
    free(copy);
    return rc;
}

static rc_t parse(const made_t *m, size_t n)
{
    return parse_by(quote_parse, m, n);
}

static rc_t parse_sgx(const made_t *m, size_t n)
{
    return parse_by(quote_parse_sgx, m, n);
}

/* Offsets inside the body: Intel TDX Module Base spec, TDREPORT. */
static void check_body(const quote_t *q, const made_t *m, size_t body)
{
    const quote_td_t *td = &q->td;
    const struct {
        const uint8_t *p;
        size_t offset;
    } fields[] = {
        { td->tcb_svn, 0 },           { td->mr_seam, 16 },        { td->mr_signer_seam, 64 },
        { td->seam_attributes, 112 }, { td->td_attributes, 120 }, { td->xfam, 128 },
        { td->mr_td, 136 },           { td->mr_config_id, 184 },  { td->mr_owner, 232 },
        { td->mr_owner_config, 280 }, { td->rtmr[0], 328 },       { td->rtmr[1], 376 },
        { td->rtmr[2], 424 },         { td->rtmr[3], 472 },       { td->report_data, 520 },
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        ck_assert_msg(fields[i].p == m->bytes + body + fields[i].offset, "field %zu", i);
}

START_TEST(version_4_and_5_fields_stand_at_their_offsets)
{
    static const struct {
        unsigned version, type;
        size_t body, section;
    } rows[] = { { 4, 2, 48, 632 }, { 5, 2, 54, 638 }, { 5, 3, 54, 702 } };
    made_t m;
    quote_t q;
    err_t fault = { 0 };
    for (size_t i = 0; i < 3; i++) {
        build(&m, rows[i].version, rows[i].type, 32, view_str(CHAIN));
        rc_t rc = quote_parse(&q, &fault, view_of(m.bytes, m.n));
        ck_assert_msg(rc == RC_OK, "row %zu: %s", i, fault.text);
        const uint8_t *s = m.bytes + rows[i].section;
        check_body(&q, &m, rows[i].body);
        ck_assert_uint_eq(q.version, rows[i].version);
        ck_assert_uint_eq(q.body_type, rows[i].type);
        ck_assert_uint_eq(q.signed_part.n, rows[i].section);
        ck_assert_uint_eq(q.used.n, m.n);
        ck_assert_ptr_eq(q.user_data, m.bytes + 28);
        ck_assert_ptr_eq(q.signature, s + 4);
        ck_assert_ptr_eq(q.attestation_key, s + 4 + 64);
        ck_assert_ptr_eq(q.qe.whole.p, s + 4 + 134);
        ck_assert_ptr_eq(q.qe.cpu_svn, s + 4 + 134);
        ck_assert_ptr_eq(q.qe.attributes, s + 4 + 134 + 48);
        ck_assert_ptr_eq(q.qe.mr_enclave, s + 4 + 134 + 64);
        ck_assert_ptr_eq(q.qe.mr_signer, s + 4 + 134 + 128);
        ck_assert_ptr_eq(q.qe.report_data, s + 4 + 134 + 320);
        ck_assert_uint_eq(q.qe.misc_select, load_u64le(s + 4 + 134 + 16) & 0xffffffffu);
        ck_assert_uint_eq(q.qe.isv_prod_id, load_u64le(s + 4 + 134 + 256) & 0xffffu);
        ck_assert_uint_eq(q.qe.isv_svn, load_u64le(s + 4 + 134 + 258) & 0xffffu);
        ck_assert_ptr_eq(q.qe_signature, s + 4 + 518);
        ck_assert_ptr_eq(q.qe_auth.p, s + 4 + 584);
        ck_assert_uint_eq(q.qe_auth.n, 32);
        ck_assert_ptr_eq(q.certs[0].p, s + 4 + 590 + 32);
        ck_assert(view_eq(q.certs[2], view_of(BLOCK, strlen(BLOCK) - 1)));
        ck_assert_ptr_eq(q.td.tcb_svn2, rows[i].type == 3 ? m.bytes + 638 : NULL);
        ck_assert_ptr_eq(q.td.mr_service_td, rows[i].type == 3 ? m.bytes + 654 : NULL);
    }
}
END_TEST

/* Offsets: tee-facts section 1, version 3. */
START_TEST(an_enclaves_quote_is_read_by_its_own_parser)
{
    made_t m;
    quote_t q;
    err_t fault = { 0 };
    build(&m, 3, 1, 32, view_str(CHAIN));
    rc_t rc = quote_parse_sgx(&q, &fault, view_of(m.bytes, m.n));
    ck_assert_msg(rc == RC_OK, "%s", fault.text);
    ck_assert_uint_eq(q.version, 3);
    ck_assert_uint_eq(q.body_type, QUOTE_BODY_ENCLAVE);
    ck_assert_uint_eq(q.signed_part.n, 432);
    ck_assert_ptr_eq(q.enclave.whole.p, m.bytes + 48);
    ck_assert_ptr_eq(q.enclave.mr_enclave, m.bytes + 48 + 64);
    ck_assert_ptr_eq(q.enclave.report_data, m.bytes + 48 + 320);
    ck_assert_ptr_eq(q.signature, m.bytes + 436);
    ck_assert_ptr_eq(q.qe.whole.p, m.bytes + 436 + 128);
    ck_assert_ptr_eq(q.qe_signature, m.bytes + 436 + 512);
    ck_assert_ptr_eq(q.qe_auth.p, m.bytes + 436 + 578);
    ck_assert_ptr_eq(q.certs[0].p, m.bytes + 436 + 584 + 32);
    ck_assert_ptr_null(q.td.mr_td);
    ck_assert_uint_eq(q.used.n, m.n);
    for (size_t n = 0; n < m.n; n++)
        ck_assert_msg(parse_sgx(&m, n) == RC_MALFORMED, "length %zu", n);
}
END_TEST

START_TEST(quotes_of_guests_and_of_enclaves_are_not_mixed_up)
{
    made_t m;
    build(&m, 3, 1, 32, view_str(CHAIN));
    ck_assert_int_eq(parse_sgx(&m, m.n), RC_OK);
    ck_assert_int_eq(parse(&m, m.n), RC_REFUSED);
    ck_assert_uint_eq(last_code, E_VERSION);
    put_at(&m, 4, 0x81, 4);
    ck_assert_int_eq(parse_sgx(&m, m.n), RC_REFUSED);
    ck_assert_uint_eq(last_code, E_TEETYPE);
    ck_assert_int_eq(parse(&m, m.n), RC_REFUSED);
    for (unsigned version = 0; version < 8; version++) {
        build(&m, 3, 1, 32, view_str(CHAIN));
        put_at(&m, 0, version, 2);
        ck_assert_int_eq(parse_sgx(&m, m.n), version == 3 ? RC_OK : RC_REFUSED);
        ck_assert_uint_eq(last_code, version == 3 ? TEE_OK : E_VERSION);
        if (version != 4 && version != 5) {
            ck_assert_int_eq(parse(&m, m.n), RC_REFUSED);
            ck_assert_uint_eq(last_code, E_VERSION);
        }
        build_default(&m);
        put_at(&m, 0, version, 2);
        ck_assert_int_eq(parse_sgx(&m, m.n), RC_REFUSED);
    }
}
END_TEST

START_TEST(every_truncation_is_malformed)
{
    made_t m;
    for (unsigned type = 2; type <= 3; type++) {
        build(&m, 5, type, 32, view_str(CHAIN));
        ck_assert_int_eq(parse(&m, m.n), RC_OK);
        for (size_t n = 0; n < m.n; n++)
            ck_assert_msg(parse(&m, n) == RC_MALFORMED, "length %zu", n);
    }
    build_default(&m);
    for (size_t n = 0; n < m.n; n++)
        ck_assert_msg(parse(&m, n) == RC_MALFORMED, "length %zu", n);
}
END_TEST

START_TEST(only_zeros_may_follow_the_end)
{
    made_t m;
    quote_t q;
    err_t fault = { 0 };
    build_default(&m);
    ck_assert_int_eq(parse(&m, m.n + 1), RC_OK);
    ck_assert_int_eq(parse(&m, 8000), RC_OK);
    ck_assert_int_eq(parse(&m, TEE_QUOTE_LEN_MAX), RC_OK);
    ck_assert_int_eq(parse(&m, TEE_QUOTE_LEN_MAX + 1), RC_LIMIT);
    ck_assert_int_eq(quote_parse(&q, &fault, view_of(m.bytes, 8000)), RC_OK);
    ck_assert_uint_eq(q.used.n, m.n);
    m.bytes[m.n] = 1;
    ck_assert_int_eq(parse(&m, m.n + 1), RC_MALFORMED);
    m.bytes[m.n] = 0;
    m.bytes[7999] = 0x80;
    ck_assert_int_eq(parse(&m, 8000), RC_MALFORMED);
    ck_assert_int_eq(parse(&m, 7999), RC_OK);
}
END_TEST

START_TEST(other_versions_keys_tees_and_vendors_are_refused)
{
    static const struct {
        size_t at;
        uint64_t value;
        unsigned n;
    } rows[] = {
        { 0, 0, 2 },    { 0, 1, 2 },    { 0, 3, 2 },          { 0, 6, 2 },      { 0, 0xffff, 2 }, { 0, 0x0104, 2 },
        { 2, 0, 2 },    { 2, 1, 2 },    { 2, 3, 2 },          { 2, 0x0102, 2 }, { 4, 0, 4 },      { 4, 1, 4 },
        { 4, 0x80, 4 }, { 4, 0x82, 4 }, { 4, 0x01000081, 4 }, { 12, 0x92, 1 },  { 27, 0x06, 1 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        made_t m;
        build_default(&m);
        put_at(&m, rows[i].at, rows[i].value, rows[i].n);
        ck_assert_msg(parse(&m, m.n) == RC_REFUSED, "row %zu", i);
        ck_assert_uint_eq(last_code, rows[i].at == 0   ? E_VERSION
                                     : rows[i].at == 2 ? E_KEYTYPE
                                     : rows[i].at == 4 ? E_TEETYPE
                                                       : E_VENDOR);
    }
}
END_TEST

START_TEST(each_byte_of_the_vendor_counts)
{
    for (size_t at = 12; at < 28; at++) {
        made_t m;
        build_default(&m);
        m.bytes[at] ^= 1;
        ck_assert_int_eq(parse(&m, m.n), RC_REFUSED);
        ck_assert_uint_eq(last_code, E_VENDOR);
        build(&m, 3, 1, 32, view_str(CHAIN));
        m.bytes[at] ^= 1;
        ck_assert_int_eq(parse_sgx(&m, m.n), RC_REFUSED);
        ck_assert_uint_eq(last_code, E_VENDOR);
    }
}
END_TEST

START_TEST(a_version_5_body_must_have_the_size_of_its_type)
{
    static const struct {
        unsigned type;
        uint32_t size;
        rc_t want;
    } rows[] = {
        { 2, 648, RC_MALFORMED },        { 3, 584, RC_MALFORMED }, { 1, 384, RC_REFUSED },
        { 1, 584, RC_REFUSED },          { 0, 584, RC_REFUSED },   { 4, 648, RC_REFUSED },
        { 2, 0xffffffff, RC_MALFORMED }, { 3, 649, RC_MALFORMED }, { 3, 0, RC_MALFORMED },
        { 0x0102, 584, RC_REFUSED },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (unsigned built = 2; built <= 3; built++) {
            made_t m;
            build(&m, 5, built, 32, view_str(CHAIN));
            put_at(&m, 48, rows[i].type, 2);
            put_at(&m, 50, rows[i].size, 4);
            ck_assert_msg(parse(&m, m.n) == rows[i].want, "row %zu", i);
            ck_assert_uint_eq(last_code, rows[i].want == RC_REFUSED ? E_BODYTYPE : E_BODYSIZE);
        }
}
END_TEST

START_TEST(certification_types_and_sizes_must_fit)
{
    made_t m;
    static const unsigned wrong_inner[] = { 0, 1, 2, 3, 4, 6, 7, 0x0105 };
    static const unsigned wrong_outer[] = { 0, 1, 5, 7, 0x0106 };
    for (size_t i = 0; i < sizeof wrong_inner / sizeof wrong_inner[0]; i++) {
        build_default(&m);
        put_at(&m, m.inner, wrong_inner[i], 2);
        ck_assert_int_eq(parse(&m, m.n), RC_REFUSED);
        ck_assert_uint_eq(last_code, E_CERTTYPE_INNER);
    }
    for (size_t i = 0; i < sizeof wrong_outer / sizeof wrong_outer[0]; i++) {
        build_default(&m);
        put_at(&m, m.section + 4 + 128, wrong_outer[i], 2);
        ck_assert_int_eq(parse(&m, m.n), RC_REFUSED);
        ck_assert_uint_eq(last_code, E_CERTTYPE_OUTER);
    }
    build_default(&m);
    const size_t sizes[] = { m.section, m.section + 4 + 130, m.inner + 2 };
    for (size_t i = 0; i < 3; i++) {
        uint32_t right = (uint32_t)load_u64le(m.bytes + sizes[i]);
        const uint32_t wrong[] = { 0, 1, right - 1, right + 1, right + 0x10000, 0x7fffffff, 0xffffffff, 0u - right };
        for (size_t j = 0; j < sizeof wrong / sizeof wrong[0]; j++) {
            build_default(&m);
            put_at(&m, sizes[i], wrong[j], 4);
            ck_assert_msg(parse(&m, m.n) == RC_MALFORMED, "size %zu, value %zu", i, j);
            ck_assert_msg(parse(&m, m.n + 64) == RC_MALFORMED, "padded; size %zu, value %zu", i, j);
        }
    }
}
END_TEST

START_TEST(a_short_signature_section_is_told_of)
{
    static const struct {
        size_t n; /* below this */
        unsigned code;
    } rows[] = { { 128 + 6, E_TRUNCATED }, { 128 + 6 + 448 + 2, E_CERTSIZE } };
    made_t m;
    for (size_t n = 0; n < rows[1].n; n++) {
        build_default(&m);
        put_at(&m, m.section, n, 4);
        put_at(&m, m.section + 4 + 130, n > 134 ? n - 134 : 0, 4);
        ck_assert_int_eq(parse(&m, m.section + 4 + n), RC_MALFORMED);
        ck_assert_msg(last_code == rows[n >= rows[0].n].code, "%zu bytes: %s", n, tee_code_name(last_code));
    }
}
END_TEST

START_TEST(authentication_data_has_any_length_up_to_its_maximum)
{
    static const size_t good[] = { 0, 1, 31, 32, 33, 100, QUOTE_AUTH_MAX };
    made_t m;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        build(&m, 4, 2, good[i], view_str(CHAIN));
        ck_assert_int_eq(parse(&m, m.n), RC_OK);
    }
    build(&m, 4, 2, QUOTE_AUTH_MAX + 1, view_str(CHAIN));
    ck_assert_int_eq(parse(&m, m.n), RC_LIMIT);
    static const size_t wrong[] = { 0, 31, 33, 500 }; /* in place of 32 */
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        build_default(&m);
        put_at(&m, m.inner - 34, wrong[i], 2);
        ck_assert_msg(parse(&m, m.n) != RC_OK, "row %zu", i);
    }
    build_default(&m);
    put_at(&m, m.inner - 34, 0xffff, 2);
    ck_assert_int_eq(parse(&m, m.n), RC_LIMIT);
}
END_TEST

#define TEXT(s)                                                                                                        \
    {                                                                                                                  \
        s, sizeof s - 1                                                                                                \
    }

START_TEST(the_chain_is_exactly_three_blocks)
{
    static const struct {
        const char *p;
        size_t n;
    } good[] = {
        TEXT(CHAIN),
        TEXT(CHAIN "\0"),
        TEXT(BLOCK "\n" BLOCK "\r\n" BLOCK "\n"),
        TEXT(CHAIN "\n\n"),
        TEXT(BLOCK "-----BEGIN CERTIFICATE-----\r\nMII\r\nAA==\r\n-----END CERTIFICATE-----\r\n" BLOCK),
        TEXT(BLOCK BLOCK "-----BEGIN CERTIFICATE-----AZaz09+/=-----END CERTIFICATE-----"),
    }, bad[] = {
        TEXT(""),
        TEXT(BLOCK),
        TEXT(BLOCK BLOCK),
        TEXT(CHAIN BLOCK),
        TEXT(CHAIN "\0\0"),
        TEXT(CHAIN "\0\n"),
        TEXT(CHAIN "x"),
        TEXT(BLOCK "\0" BLOCK BLOCK),
        TEXT(BLOCK "comment\n" BLOCK BLOCK),
        TEXT(" " CHAIN),
        TEXT("\n" CHAIN),
        TEXT(BLOCK BLOCK "-----BEGIN CERTIFICATE-----\nMII!\n-----END CERTIFICATE-----\n"),
        TEXT(BLOCK BLOCK "-----BEGIN CERTIFICATE-----\nMI\0I\n-----END CERTIFICATE-----\n"),
        TEXT(BLOCK BLOCK "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE----"),
        TEXT(BLOCK BLOCK "-----BEGIN X509 CRL-----\nMII\n-----END X509 CRL-----\n"),
    };
    made_t m;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        build(&m, 4, 2, 32, view_of(good[i].p, good[i].n));
        ck_assert_msg(parse(&m, m.n) == RC_OK, "good row %zu", i);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        build(&m, 4, 2, 32, view_of(bad[i].p, bad[i].n));
        ck_assert_msg(parse(&m, m.n) == RC_MALFORMED, "bad row %zu", i);
        ck_assert_uint_eq(last_code, E_PEM);
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN("quote", version_4_and_5_fields_stand_at_their_offsets, an_enclaves_quote_is_read_by_its_own_parser,
                    quotes_of_guests_and_of_enclaves_are_not_mixed_up, every_truncation_is_malformed,
                    only_zeros_may_follow_the_end, other_versions_keys_tees_and_vendors_are_refused,
                    each_byte_of_the_vendor_counts, a_version_5_body_must_have_the_size_of_its_type,
                    certification_types_and_sizes_must_fit, a_short_signature_section_is_told_of,
                    authentication_data_has_any_length_up_to_its_maximum, the_chain_is_exactly_three_blocks);
}
