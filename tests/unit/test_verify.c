/* Verification and appraisal of a genuine quote by genuine collateral (tests/data/tdx), and of what one change makes of
 * them. Defects that only a simulated CA can sign: the tests of the simulator. */
#include "base/crypto/hash.h"
#include "base/hex.h"
#include "tee/verify/verify.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/tdx_files.h"
#include "tests/unit/unit.h"

static arena_t memory;
static view_t quote;
static collateral_t collateral;
static tee_prepared_t prepared;
static tee_verified_t found;
static rollback_t rollback;

static void setup(void)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----";
    err_t fault;
    arena_init(&memory, 256u << 20);
    quote = tdx_file(&memory, "quote.bin");
    view_t chain = tdx_file(&memory, "pck_chain.pem");
    const uint8_t *second = memmem(chain.p + 1, chain.n - 1, begin, strlen(begin));
    collateral = (collateral_t){ .root_ca_crl = tdx_file(&memory, "root_ca_crl.der"),
                                 .pck_crl = tdx_file(&memory, "pck_crl.der"),
                                 .pck_crl_issuer_chain = view_of(second, (size_t)(chain.p + chain.n - second)),
                                 .tcb_info_issuer_chain = tdx_file(&memory, "tcb_signing_chain.pem"),
                                 .qe_identity_issuer_chain = tdx_file(&memory, "tcb_signing_chain.pem") };
    ck_assert_int_eq(collateral_split(&collateral.tcb_info, collateral.tcb_info_signature, &fault,
                                      tdx_file(&memory, "tcb_info.json"), "tcbInfo"),
                     RC_OK);
    ck_assert_int_eq(collateral_split(&collateral.qe_identity, collateral.qe_identity_signature, &fault,
                                      tdx_file(&memory, "qe_identity.json"), "enclaveIdentity"),
                     RC_OK);
    ck_assert_int_eq(tee_prepare(&prepared, &fault, &memory, &collateral, CHAIN_INTEL_ROOT, TDX_NOW), RC_OK);
    memset(&rollback, 0, sizeof rollback);
}

static void teardown(void)
{
    arena_free(&memory);
}

/* The code; after a failure found and the memory of collateral are as they were, and what the arena gave is given back.
 */
static tee_code_t verify_with(view_t q, const collateral_t *c, const tee_prepared_t *p, view_t root, int64_t now)
{
    static rollback_t rollback_before;
    static tee_verified_t before;
    err_t fault = { 0 };
    arena_mark_t mark = arena_mark(&memory);
    memset(&before, 0x5a, sizeof before);
    found = before;
    rollback_before = rollback;
    rc_t rc = p ? tee_verify_prepared(&found, &rollback, &fault, &memory, q, p, now)
                : tee_verify(&found, &rollback, &fault, &memory, q, c, root, now);
    ck_assert((rc == RC_OK) == (fault.code == TEE_OK));
    if (rc) {
        ck_assert_mem_eq(&found, &before, sizeof found);
        ck_assert_mem_eq(&rollback, &rollback_before, sizeof rollback);
        ck_assert_str_ne(fault.text, "");
        arena_rollback(&memory, mark);
    }
    return fault.code;
}

static tee_code_t verify(view_t q, const collateral_t *c, int64_t now)
{
    return verify_with(q, c, NULL, CHAIN_INTEL_ROOT, now);
}

static tee_code_t verify_prepared(view_t q, int64_t now)
{
    return verify_with(q, NULL, &prepared, CHAIN_INTEL_ROOT, now);
}

static void assert_found(void)
{
    static const uint8_t fmspc[6] = { 0, 0x80, 0x6f, 5, 0, 0 };
    ck_assert_int_eq(found.grade.status, TCB_UP_TO_DATE);
    ck_assert_int_eq(found.grade.platform, TCB_UP_TO_DATE);
    ck_assert_int_eq(found.grade.module, TCB_UP_TO_DATE);
    ck_assert_int_eq(found.grade.qe, TCB_UP_TO_DATE);
    ck_assert(found.grade.has_module);
    ck_assert_uint_eq(found.grade.advisory_count, 0);
    ck_assert_int_eq(found.grade.tcb_date, 1710288000);
    ck_assert_mem_eq(found.sgx.fmspc, fmspc, 6);
    ck_assert_uint_eq(found.tcb_evaluation_number, 17);
    ck_assert_uint_eq(found.qe_evaluation_number, 17);
    ck_assert_int_eq(found.issued, 1749030018);
    hash32_t platform;
    sha256(&platform, view_of(found.sgx.ppid, sizeof found.sgx.ppid));
    ck_assert(hash32_eq(&found.platform, &platform));
    ck_assert_int_eq(found.earliest_expiry, TDX_UNTIL);
    ck_assert(found.production_root);
    ck_assert(view_eq(found.quote.used, quote));
}

START_TEST(a_genuine_quote_verifies)
{
    ck_assert_int_eq(verify(quote, &collateral, TDX_NOW), TEE_OK);
    assert_found();
    ck_assert_uint_eq(rollback.platforms[0].evaluation_number, 17);
    ck_assert_int_eq(rollback.issuers[1].crl.this_update, TDX_FROM);
}
END_TEST

START_TEST(prepared_collateral_gives_the_same)
{
    ck_assert_ptr_nonnull(prepared.ca);
    ck_assert_int_eq(prepared.from, TDX_NOW);
    ck_assert_int_eq(prepared.until, TDX_UNTIL);
    ck_assert_int_eq(verify_prepared(quote, TDX_NOW), TEE_OK);
    assert_found();
    ck_assert_uint_eq(rollback.platforms[0].evaluation_number, 17);
    ck_assert_int_eq(rollback.issuers[1].crl.this_update, TDX_FROM);
}
END_TEST

START_TEST(collateral_without_issuer_chain_is_prepared_as_well)
{
    err_t fault;
    collateral.pck_crl_issuer_chain = view_str("no chain");
    ck_assert_int_eq(tee_prepare(&prepared, &fault, &memory, &collateral, CHAIN_INTEL_ROOT, TDX_NOW), RC_OK);
    ck_assert_ptr_null(prepared.ca);
    ck_assert_int_eq(verify_prepared(quote, TDX_NOW), TEE_OK);
    assert_found();
    prepared.collateral.pck_crl = view_of(NULL, 0);
    ck_assert_int_eq(verify_prepared(quote, TDX_NOW), E_CRL_MISSING);
}
END_TEST

/* Bounds are inclusive; the first part to be invalid names the code. */
START_TEST(every_part_must_be_valid_at_the_time)
{
    static const struct {
        int64_t now;
        tee_code_t code;
    } rows[] = {
        { TDX_FROM, TEE_OK },
        { TDX_FROM - 1, E_CRL_TIME },
        { TDX_UNTIL, TEE_OK },
        { TDX_UNTIL + 1, E_QEID_TIME },
        { TDX_TCB_UNTIL, E_QEID_TIME },
        { TDX_TCB_UNTIL + 1, E_TCB_TIME },
        { 0, E_CHAINTIME },
        { INT64_MAX, E_CHAINTIME },
        { INT64_MIN, E_CHAINTIME },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        memset(&rollback, 0, sizeof rollback);
        tee_code_t whole = verify(quote, &collateral, rows[i].now), cached = verify_prepared(quote, rows[i].now);
        ck_assert_msg(whole == rows[i].code, "at %lld: %s", (long long)rows[i].now, tee_code_name(whole));
        ck_assert_int_eq(cached, whole);
    }
}
END_TEST

START_TEST(every_truncation_is_refused)
{
    for (size_t n = 0; n < quote.n; n++) {
        uint8_t *exact = malloc(n ? n : 1);
        memcpy(exact, quote.p, n);
        ck_assert_int_ne(verify_prepared(view_of(exact, n), TDX_NOW), TEE_OK);
        free(exact);
    }
}
END_TEST

/* A quote with the byte at one place changed. */
static view_t changed(size_t at, uint8_t value)
{
    static uint8_t copy[8192];
    memcpy(copy, quote.p, quote.n);
    copy[at] ^= value;
    return view_of(copy, quote.n);
}

/* Offsets: tee-facts section 1.3, for version 4 with 32 bytes of authentication data. */
START_TEST(every_byte_that_is_signed_counts)
{
    static const struct {
        size_t from, to;
        tee_code_t code;
    } rows[] = {
        { 8, 12, E_QUOTE_SIG },  { 28, 632, E_QUOTE_SIG }, { 636, 700, E_QUOTE_SIG },    { 700, 764, E_QE_BINDING },
        { 770, 1154, E_QE_SIG }, { 1154, 1218, E_QE_SIG }, { 1220, 1252, E_QE_BINDING },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (size_t at = rows[i].from; at < rows[i].to; at++) {
            tee_code_t code = verify_prepared(changed(at, (uint8_t)(1u << at % 8)), TDX_NOW);
            bool signature = rows[i].code == E_QE_SIG || rows[i].code == E_QUOTE_SIG;
            ck_assert_msg(code == rows[i].code || (signature && code == E_POINT), "byte %zu: %s", at,
                          tee_code_name(code));
        }
}
END_TEST

/* The rest is not signed: it is structure, or the certificates' text. */
START_TEST(no_change_of_structure_or_certificates_is_accepted)
{
    for (size_t at = 0; at < quote.n; at = at < 1258 ? at + 1 : at + 23) {
        bool is_signed =
            (at >= 28 && at < 764 && (at < 632 || at >= 636)) || (at >= 770 && at < 1252 && at / 2 != 1218 / 2);
        if (is_signed)
            continue;
        ck_assert_msg(verify_prepared(changed(at, 0x04), TDX_NOW) != TEE_OK, "byte %zu", at);
    }
}
END_TEST

/* ECDSA signatures have a twin, r and n - s: it is as good, so nobody may take a quote's bytes for its identity. */
START_TEST(the_twin_of_a_signature_is_accepted)
{
    static const uint8_t order[32] = { 0xff, 0xff, 0xff, 0xff, 0,    0,    0,    0,    0xff, 0xff, 0xff,
                                       0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
                                       0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51 };
    view_t twin = changed(0, 0);
    uint8_t *s = (uint8_t *)(uintptr_t)twin.p + 636 + 32;
    int borrow = 0;
    for (unsigned i = 32; i-- > 0;) {
        int d = order[i] - s[i] - borrow;
        borrow = d < 0;
        s[i] = (uint8_t)(d + 256 * borrow);
    }
    ck_assert_int_eq(verify_prepared(twin, TDX_NOW), TEE_OK);
}
END_TEST

START_TEST(signature_numbers_out_of_range_and_keys_off_the_curve_are_refused)
{
    uint8_t *copy = (uint8_t *)(uintptr_t)changed(0, 0).p;
    view_t q = view_of(copy, quote.n);
    memset(copy + 636, 0, 32);
    ck_assert_int_eq(verify_prepared(q, TDX_NOW), E_POINT);
    memset(copy + 636, 0xff, 32);
    ck_assert_int_eq(verify_prepared(q, TDX_NOW), E_POINT);
    changed(0, 0);
    memset(copy + 1154 + 32, 0, 32);
    ck_assert_int_eq(verify_prepared(q, TDX_NOW), E_POINT);
    changed(0, 0);
    memset(copy + 700, 0, 64); /* the QE did not vouch for this one */
    ck_assert_int_eq(verify_prepared(q, TDX_NOW), E_QE_BINDING);
}
END_TEST

START_TEST(documents_are_signed_byte_for_byte)
{
    collateral_t c = collateral;
    for (size_t at = 0; at < collateral.tcb_info.n; at += 61) {
        view_t copy = arena_dup(&memory, collateral.tcb_info);
        ((uint8_t *)(uintptr_t)copy.p)[at] ^= 1;
        c.tcb_info = copy;
        ck_assert_int_eq(verify(quote, &c, TDX_NOW), E_TCB_SIG);
    }
    c = collateral;
    for (size_t at = 0; at < collateral.qe_identity.n; at += 31) {
        view_t copy = arena_dup(&memory, collateral.qe_identity);
        ((uint8_t *)(uintptr_t)copy.p)[at] ^= 1;
        c.qe_identity = copy;
        ck_assert_int_eq(verify(quote, &c, TDX_NOW), E_QEID_SIG);
    }
    c = collateral;
    c.tcb_info =
        tdx_replaced(&memory, collateral.tcb_info, "\"version\":3", view_str("\"version\": 3")); /* the same value */
    ck_assert_int_eq(verify(quote, &c, TDX_NOW), E_TCB_SIG);
    c.tcb_info = tdx_replaced(&memory, collateral.tcb_info, "\"fmspc\":\"00806f", view_str("\"fmspc\":\"00806F"));
    ck_assert_int_eq(verify(quote, &c, TDX_NOW), E_TCB_SIG);
    c = collateral;
    memcpy(c.tcb_info_signature, collateral.qe_identity_signature, 64);
    ck_assert_int_eq(verify(quote, &c, TDX_NOW), E_TCB_SIG);
    memcpy(c.tcb_info_signature, collateral.tcb_info_signature, 64);
    memcpy(c.qe_identity_signature, collateral.tcb_info_signature, 64);
    ck_assert_int_eq(verify(quote, &c, TDX_NOW), E_QEID_SIG);
    c = collateral; /* each in the other's place: genuine, but another document */
    c.tcb_info = collateral.qe_identity;
    memcpy(c.tcb_info_signature, collateral.qe_identity_signature, 64);
    ck_assert_int_eq(verify(quote, &c, TDX_NOW), E_TCB_ID);
    c = collateral;
    c.qe_identity = collateral.tcb_info;
    memcpy(c.qe_identity_signature, collateral.tcb_info_signature, 64);
    ck_assert_int_eq(verify(quote, &c, TDX_NOW), E_QEID_ID);
}
END_TEST

START_TEST(only_the_tcb_signer_may_sign_documents)
{
    collateral_t c = collateral;
    view_t chain = tdx_file(&memory, "pck_chain.pem");
    c.tcb_info_issuer_chain = collateral.pck_crl_issuer_chain; /* platform CA and root */
    ck_assert_int_eq(verify(quote, &c, TDX_NOW), E_CHAINUSAGE);
    c.tcb_info_issuer_chain = chain;
    ck_assert_int_eq(verify(quote, &c, TDX_NOW), E_CHAINLEN);
    c.tcb_info_issuer_chain = view_of(NULL, 0);
    ck_assert_int_eq(verify(quote, &c, TDX_NOW), E_CHAINLEN);
    c = collateral;
    c.qe_identity_issuer_chain = collateral.pck_crl_issuer_chain;
    ck_assert_int_eq(verify(quote, &c, TDX_NOW), E_CHAINUSAGE);
}
END_TEST

START_TEST(both_revocation_lists_are_needed)
{
    collateral_t c = collateral;
    c.root_ca_crl = view_of(NULL, 0);
    ck_assert_int_eq(verify(quote, &c, TDX_NOW), E_CRL_MISSING);
    c = collateral;
    c.pck_crl = view_of(NULL, 0);
    ck_assert_int_eq(verify(quote, &c, TDX_NOW), E_CRL_MISSING);
    c.pck_crl = tdx_file(&memory, "processor_crl.der");
    ck_assert_int_eq(verify(quote, &c, TDX_NOW), E_CRL_ISSUER);
    c.pck_crl = collateral.root_ca_crl;
    ck_assert_int_eq(verify(quote, &c, TDX_NOW), E_CRL_ISSUER);
}
END_TEST

START_TEST(only_the_given_root_is_trusted)
{
    uint8_t other[1024];
    memcpy(other, CHAIN_INTEL_ROOT.p, CHAIN_INTEL_ROOT.n);
    other[CHAIN_INTEL_ROOT.n - 1] ^= 1;
    ck_assert_int_eq(verify_with(quote, &collateral, NULL, view_of(other, CHAIN_INTEL_ROOT.n), TDX_NOW), E_ROOT);
    ck_assert_int_eq(verify_with(quote, &collateral, NULL, view_of(NULL, 0), TDX_NOW), E_ROOT);
    prepared.root = view_of(other, CHAIN_INTEL_ROOT.n);
    prepared.ca = NULL;
    ck_assert_int_eq(verify_prepared(quote, TDX_NOW), E_ROOT);
}
END_TEST

START_TEST(older_collateral_than_accepted_is_refused)
{
    ck_assert_int_eq(verify(quote, &collateral, TDX_NOW), TEE_OK);
    ck_assert_int_eq(verify_prepared(quote, TDX_NOW), TEE_OK);
    rollback.platforms[0].evaluation_number++;
    ck_assert_int_eq(verify(quote, &collateral, TDX_NOW), E_ROLLBACK);
    ck_assert_int_eq(verify_prepared(quote, TDX_NOW), E_ROLLBACK);
    rollback.platforms[0].evaluation_number--;
    rollback.issuers[1].crl.number[0] = 1;
    ck_assert_int_eq(verify(quote, &collateral, TDX_NOW), E_ROLLBACK);
}
END_TEST

START_TEST(memory_is_bounded_by_the_arena)
{
    bool verified = false;
    for (size_t limit = 64; !verified && limit < (1u << 20); limit += limit / 16) {
        err_t fault = { 0 };
        arena_t small;
        tee_verified_t before;
        memset(&before, 0x5a, sizeof before);
        found = before;
        arena_init(&small, limit);
        rc_t rc = tee_verify(&found, NULL, &fault, &small, quote, &collateral, CHAIN_INTEL_ROOT, TDX_NOW);
        verified = rc == RC_OK;
        ck_assert(verified || (rc == RC_NOMEM && fault.code == E_NOMEM));
        ck_assert(verified || memcmp(&found, &before, sizeof found) == 0);
        arena_free(&small);
    }
    ck_assert(verified);
}
END_TEST

/* The n-th allocation fails, for each n: of the verifier, the parsers that it calls, and the policy. */
static rc_t with_allocations(size_t n, err_t *fault, bool appraised)
{
    static const uint8_t no_data[64];
    static rollback_t rollback_before;
    tee_verified_t before;
    tee_claim_t claim = { .type = TEE_EVIDENCE_TDX, .quote = quote };
    policy_t *p;
    ck_assert_int_eq(policy_default(&p), RC_OK);
    ck_assert_int_eq(collateral_write(&claim.collateral, &memory, &collateral), RC_OK);
    memset(&before, 0x5a, sizeof before);
    found = before;
    rollback_before = rollback;
    *fault = (err_t){ 0 };
    fail_at((unsigned)n, true);
    rc_t rc =
        appraised
            ? COUNTED(tee_appraise(&found, NULL, &rollback, fault, &memory, &claim, no_data, p, TDX_NOW))
            : COUNTED(tee_verify(&found, &rollback, fault, &memory, quote, &collateral, CHAIN_INTEL_ROOT, TDX_NOW));
    fail_never();
    if (rc) {
        ck_assert_mem_eq(&found, &before, sizeof found);
        ck_assert_mem_eq(&rollback, &rollback_before, sizeof rollback);
    }
    policy_free(p);
    return rc;
}

START_TEST(each_allocation_that_fails_is_told_as_such)
{
    for (int appraised = 0; appraised < 2; appraised++) {
        const tee_code_t end = appraised ? E_MEASUREMENT : TEE_OK; /* where memory is enough */
        err_t fault;
        size_t n = 0;
        for (rc_t rc = RC_NOMEM; rc == RC_NOMEM; n++) {
            rc = with_allocations(n, &fault, appraised);
            ck_assert_msg(fault.code == (rc == RC_NOMEM ? E_NOMEM : end), "%zu allocations: %s", n,
                          tee_code_name(fault.code));
        }
        ck_assert_uint_gt(n, 20);
    }
}
END_TEST

/* --- appraisal --- */

/* The seed document's quote is over its node key: SHA-256("register" || key in hex), zero padded. */
static const char node_key[] = "02f3bf0aaa9dd53d07ef32facc6b068421b4a7dc25e4ba3d399c5e1109c39dc45e";

static void expected(uint8_t report_data[64])
{
    uint8_t key[33];
    ck_assert_int_eq(hex_decode_exact(key, 33, node_key, strlen(node_key)), RC_OK);
    tee_register_report_data(report_data, key);
}

static tee_code_t appraise(const policy_t *policy, tee_evidence_type_t type, const uint8_t report_data[64], view_t log)
{
    static rollback_t rollback_before;
    err_t fault = { 0 };
    tee_verified_t before;
    tee_claim_t claim = { .type = type, .quote = quote, .event_log = log };
    ck_assert_int_eq(collateral_write(&claim.collateral, &memory, &collateral), RC_OK);
    memset(&before, 0x5a, sizeof before);
    found = before;
    rollback_before = rollback;
    if (tee_appraise(&found, NULL, &rollback, &fault, &memory, &claim, report_data, policy, TDX_NOW)) {
        ck_assert_mem_eq(&found, &before, sizeof found);
        ck_assert_mem_eq(&rollback, &rollback_before, sizeof rollback);
    }
    return fault.code;
}

/* The policy under which a node accepts its like, where "self" is the quote itself. */
static policy_t *same_as_self(void)
{
    policy_t *p;
    err_t fault;
    quote_t q;
    ck_assert_int_eq(quote_parse(&q, &fault, quote), RC_OK);
    ck_assert_int_eq(policy_default(&p), RC_OK);
    policy_set_self(p, &q, NULL);
    return p;
}

START_TEST(the_seeds_quote_is_over_its_node_key)
{
    uint8_t report_data[64];
    policy_t *p = same_as_self();
    expected(report_data);
    ck_assert_int_eq(appraise(p, TEE_EVIDENCE_TDX, report_data, view_of(NULL, 0)), TEE_OK);
    assert_found();
    ck_assert_uint_eq(rollback.platforms[0].evaluation_number, 17);
    policy_free(p);
}
END_TEST

START_TEST(every_bit_of_the_report_data_counts)
{
    uint8_t report_data[64];
    policy_t *p = same_as_self();
    expected(report_data);
    for (unsigned i = 0; i < 64; i++) {
        report_data[i] ^= (uint8_t)(1u << i % 8);
        ck_assert_int_eq(appraise(p, TEE_EVIDENCE_TDX, report_data, view_of(NULL, 0)), E_REPORTDATA);
        report_data[i] ^= (uint8_t)(1u << i % 8);
    }
    policy_free(p);
}
END_TEST

START_TEST(evidence_is_judged_by_its_type)
{
    uint8_t report_data[64];
    policy_t *p = same_as_self();
    expected(report_data);
    ck_assert_int_eq(appraise(p, TEE_EVIDENCE_SIMULATED, report_data, view_of(NULL, 0)), E_SIMULATED);
    ck_assert_int_eq(appraise(p, (tee_evidence_type_t)0, report_data, view_of(NULL, 0)), E_EVIDENCE_TYPE);
    ck_assert_int_eq(appraise(p, TEE_EVIDENCE_DSTACK, report_data, view_str("[]")), E_EVENTLOG);
    ck_assert_int_eq(appraise(p, TEE_EVIDENCE_TDX, report_data, view_str("x")), E_EVENTLOG);
    collateral.tcb_info = view_of(NULL, 0);
    ck_assert_int_eq(appraise(p, TEE_EVIDENCE_TDX, report_data, view_of(NULL, 0)), E_COLLATERAL);
    policy_free(p);
}
END_TEST

START_TEST(a_policy_that_does_not_admit_leaves_no_trace)
{
    uint8_t report_data[64];
    policy_t *p;
    err_t error;
    expected(report_data);
    ck_assert_int_eq(policy_read(&p, &error, view_str("{\"version\":1,\"mode\":\"list\",\"images\":[]}")), RC_OK);
    ck_assert_int_eq(appraise(p, TEE_EVIDENCE_TDX, report_data, view_of(NULL, 0)), E_MEASUREMENT);
    ck_assert_uint_eq(rollback.clock, 0);
    policy_free(p);
}
END_TEST

/* ---- one's own quote, before there is any collateral ---- */

START_TEST(a_genuine_quote_leads_to_intels_root_and_no_other)
{
    err_t e = { 0 };
    uint8_t *other = malloc(CHAIN_INTEL_ROOT.n);
    memcpy(other, CHAIN_INTEL_ROOT.p, CHAIN_INTEL_ROOT.n);
    other[CHAIN_INTEL_ROOT.n - 1] ^= 1;
    ck_assert_int_eq(tee_leads_to(&e, quote, CHAIN_INTEL_ROOT), RC_OK);
    ck_assert_int_eq(tee_leads_to(&e, quote, view_of(other, CHAIN_INTEL_ROOT.n)), RC_REFUSED);
    ck_assert_int_eq(e.code, E_ROOT);
    free(other);
}
END_TEST

/* What is signed: header and body, the QE report; and both signatures and the attestation key. Every byte of them. */
START_TEST(every_signed_byte_counts_for_ones_own_quote)
{
    uint8_t *copy = malloc(quote.n);
    quote_t q;
    err_t e;
    memcpy(copy, quote.p, quote.n);
    ck_assert_int_eq(quote_parse(&q, &e, view_of(copy, quote.n)), RC_OK);
    const struct {
        const uint8_t *p;
        size_t n;
    } parts[] = { { q.signed_part.p, q.signed_part.n },
                  { q.signature, 64 },
                  { q.attestation_key, 64 },
                  { q.qe.whole.p, q.qe.whole.n },
                  { q.qe_signature, 64 } };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        for (size_t at = 0; at < parts[i].n; at += 3) {
            uint8_t *byte = copy + (parts[i].p - copy) + at;
            *byte ^= 1;
            ck_assert_msg(tee_leads_to(&e, view_of(copy, quote.n), CHAIN_INTEL_ROOT) != RC_OK, "%zu: %zu", i, at);
            *byte ^= 1;
        }
    ck_assert_int_eq(tee_leads_to(&e, view_of(copy, quote.n), CHAIN_INTEL_ROOT), RC_OK);
    free(copy);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND(
        "verify", setup, teardown, a_genuine_quote_verifies, prepared_collateral_gives_the_same,
        collateral_without_issuer_chain_is_prepared_as_well, every_part_must_be_valid_at_the_time,
        every_truncation_is_refused, every_byte_that_is_signed_counts,
        no_change_of_structure_or_certificates_is_accepted, the_twin_of_a_signature_is_accepted,
        signature_numbers_out_of_range_and_keys_off_the_curve_are_refused, documents_are_signed_byte_for_byte,
        only_the_tcb_signer_may_sign_documents, both_revocation_lists_are_needed, only_the_given_root_is_trusted,
        older_collateral_than_accepted_is_refused, memory_is_bounded_by_the_arena,
        each_allocation_that_fails_is_told_as_such, the_seeds_quote_is_over_its_node_key,
        every_bit_of_the_report_data_counts, evidence_is_judged_by_its_type,
        a_policy_that_does_not_admit_leaves_no_trace, a_genuine_quote_leads_to_intels_root_and_no_other,
        every_signed_byte_counts_for_ones_own_quote);
}
