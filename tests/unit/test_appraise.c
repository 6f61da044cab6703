/* Appraisal of a simulated platform: what the claim and its collateral say reaches the policy, and nothing is kept of
 * evidence that is not admitted. Genuine evidence: test_verify.c; what a policy demands: test_policy_judge.c. */
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/crypto/secret.h"
#include "base/hex.h"
#include "tests/unit/sim_case.h"

#define DAY INT64_C(86400)
#define TEXT_MAX 16384u

static sim_plan_t plan;
static sim_case_t c;
static tee_claim_t claim;
static rollback_t memory;
static eventlog_t events;
static tee_verified_t found;

static void setup(void)
{
    sim_plan_init(&plan);
    memset(&memory, 0, sizeof memory);
}

/* The platform of the plan, and the claim that it makes. */
static void begin(void)
{
    sim_case_open(&c, &plan, "appraise");
    claim = (tee_claim_t){ .type = TEE_EVIDENCE_SIMULATED,
                           .quote = c.evidence.quote,
                           .event_log = c.evidence.event_log,
                           .collateral = c.container };
}

static void end(void)
{
    sim_case_close(&c);
}

static char *hex_of(view_t v)
{
    char *out = arena_alloc(&c.a, 2 * v.n + 1);
    ck_assert_ptr_nonnull(out);
    hex_encode(out, v);
    return out;
}

/* Under a policy that admits the claim's own TD and has these rules too. What is refused leaves everything as it was. */
static tee_code_t appraise(const char *rules, const uint8_t report_data[64])
{
    static rollback_t memory_before;
    static tee_verified_t before;
    const eventlog_t no_events = { NULL, 7, 9 };
    char *text = arena_alloc(&c.a, TEXT_MAX);
    err_t e = { 0 };
    policy_t *policy;
    quote_t q;
    snprintf(text, TEXT_MAX, "{\"version\":1,\"mode\":\"same-as-self\",\"simulator_root\":\"%s\"%s}", hex_of(c.p.root),
             rules);
    ck_assert_msg(policy_read(&policy, &e, view_str(text)) == RC_OK, "%s: %s", e.field, e.text);
    ck_assert_int_eq(quote_parse(&q, &e, claim.quote), RC_OK);
    policy_set_self(policy, &q, NULL);
    memset(&before, 0x5a, sizeof before);
    found = before;
    events = no_events;
    memory_before = memory;
    const rc_t rc = tee_appraise(&found, &events, &memory, &e, &c.a, &claim, report_data, policy, SIM_NOW);
    policy_free(policy);
    if (!rc)
        return TEE_OK;
    ck_assert_mem_eq(&found, &before, sizeof found);
    ck_assert_mem_eq(&events, &no_events, sizeof events);
    ck_assert_mem_eq(&memory, &memory_before, sizeof memory);
    return e.code;
}

static void expect(const char *what, const char *rules, tee_code_t want)
{
    expect_code(what, appraise(rules, sim_report_data), want);
}

/* The claim's collateral with another issuer chain of the PCK list: two certificates, or less. */
static void issuer_chain(view_t first, view_t second)
{
    uint8_t *text = arena_alloc(&c.a, TEXT_MAX);
    wr_t w = wr_of(text, TEXT_MAX);
    collateral_t other = c.collateral;
    wr_bytes(&w, first.p, first.n);
    wr_bytes(&w, second.p, second.n);
    other.pck_crl_issuer_chain = wr_view(&w);
    ck_assert(!w.bad);
    ck_assert_int_eq(collateral_write(&claim.collateral, &c.a, &other), RC_OK);
}

START_TEST(a_genuine_claim_is_admitted_and_told)
{
    begin();
    expect("genuine", "", TEE_OK);
    ck_assert_uint_eq(events.count, 13);
    ck_assert_uint_lt(events.ready, 13);
    ck_assert_uint_eq(memory.platforms[0].evaluation_number, 17);
    ck_assert_int_eq(found.acpi, POLICY_ACPI_MEASURED);
    claim.event_log = view_of(NULL, 0);
    expect("without its log", "", TEE_OK);
    ck_assert_uint_eq(events.count, 0);
    claim.event_log = view_str("[]");
    expect("a log of other registers", "", E_EVENTLOG);
    end();
}
END_TEST

START_TEST(every_bit_of_the_report_data_counts)
{
    uint8_t other[64];
    begin();
    for (unsigned i = 0; i < 64; i++) {
        memcpy(other, sim_report_data, 64);
        other[i] ^= (uint8_t)(1u << i % 8);
        expect_code("report data", appraise("", other), E_REPORTDATA);
    }
    end();
}
END_TEST

START_TEST(the_type_says_which_root_is_trusted)
{
    begin();
    claim.type = TEE_EVIDENCE_TDX;
    expect("a simulated quote as Intel's", "", E_ROOT);
    claim.type = TEE_EVIDENCE_DSTACK;
    expect("a simulated quote as dstack's", "", E_ROOT);
    claim.type = (tee_evidence_type_t)99;
    expect("no type", "", E_EVIDENCE_TYPE);
    end();
}
END_TEST

/* Verification goes by the quote's own chain; what comes as evidence holds as a whole all the same. */
START_TEST(the_issuer_chain_of_the_pck_list_is_verified_too)
{
    static const uint8_t other_seed[32] = { 9 };
    const view_t none = { NULL, 0 };
    tee_provider_t other;
    err_t e;
    begin();
    ck_assert_int_eq(sim_open(&other, &e, &plan, other_seed), RC_OK);
    const view_t ca = sim_cert_pem(&c.p, &c.a, SIM_CA), root = sim_cert_pem(&c.p, &c.a, SIM_ROOT);
    issuer_chain(ca, root);
    expect("its own", "", TEE_OK);
    issuer_chain(none, none);
    expect("none", "", TEE_OK);
    issuer_chain(ca, none);
    expect("without a root", "", E_CHAINLEN);
    issuer_chain(root, ca);
    expect("in the other order", "", E_ROOT);
    issuer_chain(sim_cert_pem(&c.p, &c.a, SIM_SIGNER), root);
    expect("of the TCB signer", "", E_CHAINUSAGE);
    issuer_chain(sim_cert_pem(&other, &c.a, SIM_CA), root);
    expect("of another platform's CA", "", E_CHAINORDER);
    issuer_chain(sim_cert_pem(&other, &c.a, SIM_CA), sim_cert_pem(&other, &c.a, SIM_ROOT));
    expect("of another platform", "", E_ROOT);
    issuer_chain(view_str("x"), none);
    expect("no certificates", "", E_PEM);
    other.free(other.ctx);
    end();
}
END_TEST

START_TEST(the_lower_number_of_both_documents_counts)
{
    for (unsigned i = 0; i < 2; i++) {
        setup();
        (i ? &plan.qe_identity : &plan.tcb_info)->evaluation_number = 15;
        begin();
        expect("its number", ",\"tcb\":{\"min_eval\":15}", TEE_OK);
        expect("one more", ",\"tcb\":{\"min_eval\":16}", E_EVAL_NUMBER);
        expect("that of the other", ",\"tcb\":{\"min_eval\":17}", E_EVAL_NUMBER);
        end();
    }
}
END_TEST

START_TEST(age_counts_from_the_oldest_part)
{
    for (unsigned i = 0; i < 3; i++) {
        char rules[64];
        setup();
        *(i == 0 ? &plan.tcb_info.from : i == 1 ? &plan.qe_identity.from : &plan.pck_crl.from) = -3 * DAY;
        begin();
        snprintf(rules, sizeof rules, ",\"tcb\":{\"max_age_s\":%d}", (int)(SIM_NOW - SIM_DAY + 3 * DAY));
        expect("as old as it may be", rules, TEE_OK);
        snprintf(rules, sizeof rules, ",\"tcb\":{\"max_age_s\":%d}", (int)(SIM_NOW - SIM_DAY + 3 * DAY) - 1);
        expect("a second older", rules, E_COLLATERAL_AGE);
        end();
    }
}
END_TEST

START_TEST(the_platform_is_one_of_those_listed)
{
    char rules[128];
    hash32_t platform;
    begin();
    expect("any", "", TEE_OK);
    sha256(&platform, view_of(found.sgx.ppid, sizeof found.sgx.ppid));
    snprintf(rules, sizeof rules, ",\"platforms\":\"%s\"", hex_of(view_of(platform.b, 32)));
    expect("this one", rules, TEE_OK);
    platform.b[31] ^= 1;
    snprintf(rules, sizeof rules, ",\"platforms\":\"%s\"", hex_of(view_of(platform.b, 32)));
    expect("another one", rules, E_PLATFORM);
    end();
}
END_TEST

/* Older collateral than was accepted is refused; what is refused for another reason raises nothing. */
START_TEST(memory_is_of_what_was_admitted)
{
    static const uint8_t other[64] = { 1 };
    static const int64_t before = -DAY;
    for (unsigned part = 0; part < 4; part++) {
        view_t newer;
        setup();
        begin();
        newer = claim.collateral;
        sim_plan_t older = plan;
        *(part == 0   ? &older.tcb_info.from
          : part == 1 ? &older.qe_identity.from
          : part == 2 ? &older.root_crl.from
                      : &older.pck_crl.from) = before;
        sim_case_t aged;
        sim_case_open(&aged, &older, "older part");
        expect_code("newer, over other report data", appraise("", other), E_REPORTDATA);
        expect("newer, under a policy that refuses", ",\"tcb\":{\"min_eval\":18}", E_EVAL_NUMBER);
        claim.collateral = aged.container;
        expect("older, the first to be admitted", "", TEE_OK);
        claim.collateral = newer;
        expect("newer", "", TEE_OK);
        claim.collateral = aged.container;
        expect("older again", "", E_ROLLBACK);
        sim_case_close(&aged);
        end();
    }
}
END_TEST

int main(void)
{
    if (secret_init())
        return EXIT_FAILURE;
    return UNIT_RUN_AROUND("appraise", setup, NULL, a_genuine_claim_is_admitted_and_told,
                           every_bit_of_the_report_data_counts, the_type_says_which_root_is_trusted,
                           the_issuer_chain_of_the_pck_list_is_verified_too, the_lower_number_of_both_documents_counts,
                           age_counts_from_the_oldest_part, the_platform_is_one_of_those_listed,
                           memory_is_of_what_was_admitted);
}
