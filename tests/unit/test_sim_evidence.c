/* The simulated platform before the verifier: its evidence and collateral are genuine under its root, and only there. */
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "base/crypto/secret.h"
#include "base/hex.h"
#include "tee/sim/sim.h"
#include "tee/x509/crl.h"
#include "tests/unit/sim_case.h"

static sim_plan_t plan;

static void setup(void)
{
    sim_plan_init(&plan);
}

START_TEST(a_genuine_platform_is_up_to_date)
{
    sim_case_t c;
    tee_verified_t v;
    sim_case_open(&c, &plan, "genuine");
    expect_code("genuine", sim_case_verify(&c, &v, SIM_NOW), TEE_OK);
    ck_assert_str_eq(tcb_status_name(v.grade.status), "UpToDate");
    ck_assert_str_eq(tcb_status_name(v.grade.module), "UpToDate");
    ck_assert(v.grade.has_module);
    ck_assert_uint_eq(v.grade.advisory_count, 0);
    ck_assert_mem_eq(v.sgx.fmspc, "\xffSIM01", 6);
    ck_assert_uint_eq(v.sgx.pce_svn, 11);
    ck_assert_uint_eq(v.tcb_evaluation_number, 17);
    ck_assert_uint_eq(v.qe_evaluation_number, 17);
    ck_assert_int_eq(v.issued, SIM_DAY);
    ck_assert_int_eq(v.earliest_expiry, SIM_DAY + 30 * 86400);
    ck_assert(!v.production_root);
    ck_assert_mem_eq(v.quote.td.report_data, sim_report_data, 64);
    sim_case_close(&c);
}
END_TEST

START_TEST(version_5_and_td_report_15_and_padding_are_genuine_too)
{
    tee_verified_t v;
    sim_plan_init_td15(&plan);
    expect_code("TD 1.5", verify_plan(&plan, "TD 1.5", NULL, SIM_NOW), TEE_OK);
    plan.quote.body_type = QUOTE_BODY_TD10;
    expect_code("version 5 with TD 1.0", verify_plan(&plan, "version 5 with TD 1.0", NULL, SIM_NOW), TEE_OK);
    sim_plan_init(&plan);
    plan.quote.padded = 8000;
    sim_case_t c;
    sim_case_open(&c, &plan, "padded");
    expect_code("padded", sim_case_verify(&c, &v, SIM_NOW), TEE_OK);
    ck_assert_uint_eq(c.evidence.quote.n, 8000);
    ck_assert_uint_lt(v.quote.used.n, 6000);
    sim_case_close(&c);
}
END_TEST

/* What a policy's max_age_s counts from: revocations are as old as the list that would tell them. */
START_TEST(collateral_is_as_old_as_its_oldest_part)
{
    static const int64_t day = 86400;
    sim_case_t c;
    tee_verified_t v;
    for (unsigned part = 0; part < 3; part++) {
        sim_plan_init(&plan);
        *(part == 0   ? &plan.tcb_info.from
          : part == 1 ? &plan.qe_identity.from
                      : &plan.pck_crl.from) = -(int64_t)(3 + part) * day;
        sim_case_open(&c, &plan, "older part");
        expect_code("older part", verify_quietly(&v, &c.a, c.evidence.quote, &c.collateral, c.p.root, NULL, SIM_NOW),
                    TEE_OK);
        ck_assert_int_eq(v.issued, SIM_DAY - (3 + part) * day);
        sim_case_close(&c);
    }
}
END_TEST

/* Prepared collateral holds until its first part ends, and is looked at anew from then on. */
START_TEST(prepared_collateral_ends_with_its_first_part)
{
    static const tee_code_t codes[] = { E_CHAINTIME, E_CHAINTIME, E_CHAINTIME, E_CHAINTIME,
                                        E_CRL_TIME,  E_CRL_TIME,  E_TCB_TIME,  E_QEID_TIME };
    const int64_t last = SIM_NOW + 3600;
    for (unsigned part = 0; part < sizeof codes / sizeof codes[0]; part++) {
        sim_case_t c;
        tee_prepared_t prepared;
        tee_verified_t v;
        err_t e = { 0 };
        sim_plan_init(&plan);
        if (part < SIM_CERTS)
            plan.certs[part].until = last;
        else
            *(part == 4   ? &plan.root_crl.until
              : part == 5 ? &plan.pck_crl.until
              : part == 6 ? &plan.tcb_info.until
                          : &plan.qe_identity.until) = last - SIM_DAY;
        sim_case_open(&c, &plan, "first part to end");
        ck_assert_int_eq(tee_prepare(&prepared, &e, &c.a, &c.collateral, c.p.root, SIM_NOW), RC_OK);
        ck_assert_ptr_nonnull(prepared.ca);
        ck_assert_msg(part == SIM_LEAF ? prepared.until > last : prepared.until == last, "part %u", part);
        ck_assert_int_eq(tee_verify_prepared(&v, NULL, &e, &c.a, c.evidence.quote, &prepared, last), RC_OK);
        ck_assert_msg(v.earliest_expiry == last, "part %u", part);
        ck_assert_int_ne(tee_verify_prepared(&v, NULL, &e, &c.a, c.evidence.quote, &prepared, last + 1), RC_OK);
        expect_code("one second later", (tee_code_t)e.code, codes[part]);
        sim_case_close(&c);
    }
}
END_TEST

START_TEST(another_seeds_root_refuses_it)
{
    static const uint8_t other_seed[32] = { 9 };
    tee_provider_t other;
    err_t why;
    sim_case_t c;
    sim_case_open(&c, &plan, "genuine");
    ck_assert_int_eq(tee_simulator_open(&other, &why, other_seed), RC_OK);
    expect_code("other root", verify_quietly(NULL, &c.a, c.evidence.quote, &c.collateral, other.root, NULL, SIM_NOW),
                E_ROOT);
    expect_code("Intel's root",
                verify_quietly(NULL, &c.a, c.evidence.quote, &c.collateral, CHAIN_INTEL_ROOT, NULL, SIM_NOW), E_ROOT);
    other.free(other.ctx);
    sim_case_close(&c);
}
END_TEST

static void leads(const char *what, tee_code_t want)
{
    sim_case_t c;
    err_t e = { 0 };
    sim_case_open(&c, &plan, what);
    const rc_t rc = tee_leads_to(&e, c.evidence.quote, c.p.root);
    expect_code(what, rc ? (tee_code_t)e.code : TEE_OK, want);
    sim_case_close(&c);
    sim_plan_init(&plan);
}

/* One's own quote, before there is collateral: the chain counts link by link, and the time and the lists do not. */
START_TEST(ones_own_quote_leads_to_the_root_link_by_link)
{
    sim_cert_plan_t *const ca = &plan.certs[SIM_CA], *const leaf = &plan.certs[SIM_LEAF];
    leads("genuine", TEE_OK);
    ca->issuer = SIM_STRANGER;
    leads("intermediate signed by another key", E_CHAINSIG);
    ca->issuer = ca->authority = SIM_STRANGER;
    leads("intermediate that names another key", E_CHAINORDER);
    ca->usage = 2;
    leads("intermediate that may not sign", E_CHAINUSAGE);
    ca->name = "Simulated SGX Processor";
    leads("intermediate of another name", E_CHAINNAME);
    leaf->issuer = SIM_STRANGER;
    leaf->issuer_name = ca->name;
    leads("leaf signed by another key", E_CHAINSIG);
    leaf->issuer = leaf->authority = SIM_ROOT;
    leads("leaf of the root", E_CHAINORDER);
    leaf->ca = true;
    leads("leaf that is a CA", E_CHAINUSAGE);
    leaf->name = "Simulated SGX TCB Signing";
    leads("leaf of another name", E_CHAINNAME);
    plan.quote.qe_signer = SIM_STRANGER;
    leads("QE report signed by another key", E_QE_SIG);
    plan.quote.binding_xor[0] = 1;
    leads("QE report over another key", E_QE_BINDING);
    plan.quote.binding_xor[63] = 1;
    leads("QE report with more than the hash of the key", E_QE_BINDING);
    plan.quote.signer = SIM_STRANGER;
    leads("quote signed by another key", E_QUOTE_SIG);
    ca->until = leaf->until = SIM_DAY;
    leads("certificates that have ended", TEE_OK);
    plan.pck_crl.revoked = 1u << SIM_LEAF;
    leads("a leaf that a list would name", TEE_OK);
}
END_TEST

static void log_replays(sim_case_t *c, size_t events)
{
    eventlog_t log;
    quote_t q;
    err_t fault = { 0 };
    ck_assert_int_eq(quote_parse(&q, &fault, c->evidence.quote), RC_OK);
    rc_t rc = eventlog_verify(&log, &fault, &c->a, c->evidence.event_log, q.td.rtmr);
    ck_assert_msg(rc == RC_OK, "%s", fault.text);
    ck_assert_uint_eq(log.count, events);
}

/* Six boot events and seven of dstack's guest. */
START_TEST(the_event_log_leads_to_the_quotes_registers)
{
    err_t why;
    sim_case_t c;
    err_t fault;
    eventlog_t log;
    quote_t q;
    view_t payload;
    sim_case_open(&c, &plan, "genuine");
    log_replays(&c, 13);
    ck_assert_int_eq(tee_simulator_extend(&c.p, "app-event", view_str("{\"n\":1}")), RC_OK);
    tee_evidence_free(&c.evidence);
    ck_assert_int_eq(c.p.get_evidence(c.p.ctx, &c.evidence, &why, sim_report_data), RC_OK);
    log_replays(&c, 14);
    ck_assert_int_eq(quote_parse(&q, &fault, c.evidence.quote), RC_OK);
    ck_assert_int_eq(eventlog_verify(&log, &fault, &c.a, c.evidence.event_log, q.td.rtmr), RC_OK);
    static const char *const names[] = { "app-id", "compose-hash", "instance-id", "key-provider" };
    static const size_t lengths[] = { 20, 32, 20, 23 };
    for (size_t i = 0; i < 4; i++) {
        ck_assert_int_eq(eventlog_identity(&payload, &fault, &log, names[i]), RC_OK);
        ck_assert_uint_eq(payload.n, lengths[i]);
    }
    sim_case_close(&c);
}
END_TEST

START_TEST(a_full_log_takes_no_more_and_stays_good)
{
    err_t why;
    sim_case_t c;
    sim_case_open(&c, &plan, "genuine");
    size_t events = 13;
    rc_t rc;
    while ((rc = tee_simulator_extend(&c.p, "app-event", view_str("1234567890"))) == RC_OK && events < 4096)
        events++;
    ck_assert_int_eq(rc, RC_LIMIT);
    tee_evidence_free(&c.evidence);
    ck_assert_int_eq(c.p.get_evidence(c.p.ctx, &c.evidence, &why, sim_report_data), RC_OK);
    log_replays(&c, events);
    sim_case_close(&c);
}
END_TEST

START_TEST(collateral_is_the_same_all_day_and_newer_the_next)
{
    sim_case_t c;
    view_t first, last, next;
    collateral_t newer;
    err_t fault;
    static rollback_t memory;
    sim_case_open(&c, &plan, "genuine");
    ck_assert_int_eq(c.p.get_collateral(c.p.ctx, &first, &c.a, SIM_DAY), RC_OK);
    ck_assert_int_eq(c.p.get_collateral(c.p.ctx, &last, &c.a, SIM_DAY + 86399), RC_OK);
    ck_assert_int_eq(c.p.get_collateral(c.p.ctx, &next, &c.a, SIM_DAY + 86400), RC_OK);
    ck_assert(view_eq(first, last));
    ck_assert(!view_eq(first, next));
    ck_assert_int_eq(collateral_read(&newer, &fault, &c.a, next), RC_OK);
    memset(&memory, 0, sizeof memory);
    const int64_t now = SIM_DAY + 86400;
    expect_code("today's", verify_quietly(NULL, &c.a, c.evidence.quote, &c.collateral, c.p.root, &memory, now), TEE_OK);
    expect_code("tomorrow's", verify_quietly(NULL, &c.a, c.evidence.quote, &newer, c.p.root, &memory, now), TEE_OK);
    expect_code("today's again", verify_quietly(NULL, &c.a, c.evidence.quote, &c.collateral, c.p.root, &memory, now),
                E_ROLLBACK);
    sim_case_close(&c);
}
END_TEST

/* GnuTLS reads the lists as we wrote them. */
static void check_list(view_t der, gnutls_x509_crt_t issuer, int entries, const char *name)
{
    gnutls_x509_crl_t crl;
    uint8_t number[20], id[64];
    size_t n = sizeof number;
    unsigned critical = 1, status = 0;
    const gnutls_datum_t d = { (unsigned char *)(uintptr_t)der.p, (unsigned)der.n };
    ck_assert_int_ge(gnutls_x509_crl_init(&crl), 0);
    ck_assert_msg(gnutls_x509_crl_import(crl, &d, GNUTLS_X509_FMT_DER) >= 0, "%s", name);
    ck_assert_int_eq(gnutls_x509_crl_get_version(crl), 2);
    ck_assert_int_eq(gnutls_x509_crl_get_crt_count(crl), entries);
    ck_assert_int_eq(gnutls_x509_crl_get_this_update(crl), SIM_DAY);
    ck_assert_int_eq(gnutls_x509_crl_get_next_update(crl), SIM_DAY + 30 * 86400);
    ck_assert_int_ge(gnutls_x509_crl_get_number(crl, number, &n, &critical), 0);
    ck_assert_uint_eq(critical, 0);
    n = sizeof id;
    ck_assert_int_ge(gnutls_x509_crl_get_authority_key_id(crl, id, &n, &critical), 0);
    ck_assert_int_ge(gnutls_x509_crl_verify(crl, &issuer, 1, GNUTLS_VERIFY_DISABLE_TIME_CHECKS, &status), 0);
    status &= ~(unsigned)(GNUTLS_CERT_INVALID | GNUTLS_CERT_REVOCATION_DATA_SUPERSEDED |
                          GNUTLS_CERT_REVOCATION_DATA_ISSUED_IN_FUTURE);
    ck_assert_msg(status == 0, "%s: %x", name, status); /* the dates against its own clock are all that it minds */
    gnutls_x509_crl_deinit(crl);
}

static gnutls_x509_crt_t cert_of(view_t pem)
{
    gnutls_x509_crt_t crt;
    const gnutls_datum_t d = { (unsigned char *)(uintptr_t)pem.p, (unsigned)pem.n };
    ck_assert_int_ge(gnutls_x509_crt_init(&crt), 0);
    ck_assert_int_ge(gnutls_x509_crt_import(crt, &d, GNUTLS_X509_FMT_PEM), 0);
    return crt;
}

START_TEST(gnutls_reads_and_verifies_the_revocation_lists)
{
    sim_case_t c;
    plan.pck_crl.revoked = 1u << SIM_LEAF;
    sim_case_open(&c, &plan, "lists");
    gnutls_x509_crt_t root = cert_of(sim_cert_pem(&c.p, &c.a, SIM_ROOT)),
                      ca = cert_of(sim_cert_pem(&c.p, &c.a, SIM_CA));
    gnutls_x509_crt_t leaf = cert_of(sim_cert_pem(&c.p, &c.a, SIM_LEAF));
    check_list(c.collateral.root_ca_crl, root, 0, "the root's list");
    check_list(c.collateral.pck_crl, ca, 4, "the PCK CA's list");
    gnutls_x509_crl_t crl;
    const gnutls_datum_t d = { (unsigned char *)(uintptr_t)c.collateral.pck_crl.p, (unsigned)c.collateral.pck_crl.n };
    ck_assert_int_ge(gnutls_x509_crl_init(&crl), 0);
    ck_assert_int_ge(gnutls_x509_crl_import(crl, &d, GNUTLS_X509_FMT_DER), 0);
    ck_assert_int_eq(gnutls_x509_crt_check_revocation(leaf, &crl, 1), 1);
    ck_assert_int_eq(gnutls_x509_crt_check_revocation(ca, &crl, 1), 0);
    gnutls_x509_crl_deinit(crl);
    gnutls_x509_crt_deinit(root);
    gnutls_x509_crt_deinit(ca);
    gnutls_x509_crt_deinit(leaf);
    sim_case_close(&c);
}
END_TEST

START_TEST(a_plan_that_cannot_be_followed_is_said)
{
    tee_provider_t p;
    tee_evidence_t evidence;
    err_t why;
    arena_t a;
    view_t out = { NULL, 0 };
    arena_init(&a, 1u << 20);
    plan.tcb_info.edits[0] = (sim_edit_t){ "no such text", "" };
    ck_assert_int_eq(sim_open(&p, &why, &plan, sim_seed), RC_OK);
    ck_assert_int_eq(p.get_collateral(p.ctx, &out, &a, SIM_NOW), RC_BUG);
    ck_assert_ptr_null(out.p);
    p.free(p.ctx);
    plan.quote.padded = TEE_QUOTE_LEN_MAX + 1;
    ck_assert_int_eq(sim_open(&p, &why, &plan, sim_seed), RC_OK);
    ck_assert_int_eq(p.get_evidence(p.ctx, &evidence, &why, sim_report_data), RC_BUG);
    p.free(p.ctx);
    arena_free(&a);
}
END_TEST

int main(void)
{
    if (secret_init())
        return EXIT_FAILURE;
    return UNIT_RUN_AROUND("sim_evidence", setup, NULL, a_genuine_platform_is_up_to_date,
                           version_5_and_td_report_15_and_padding_are_genuine_too,
                           collateral_is_as_old_as_its_oldest_part, prepared_collateral_ends_with_its_first_part,
                           another_seeds_root_refuses_it, ones_own_quote_leads_to_the_root_link_by_link,
                           the_event_log_leads_to_the_quotes_registers, a_full_log_takes_no_more_and_stays_good,
                           collateral_is_the_same_all_day_and_newer_the_next,
                           gnutls_reads_and_verifies_the_revocation_lists, a_plan_that_cannot_be_followed_is_said);
}
