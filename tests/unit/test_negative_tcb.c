/* Negative tests of tee-facts section 8, numbers 43 to 50, 54 and 55: levels, the TDX module, the quoting enclave, the TD itself.
 * The rules of numbers 43 to 50 stand one by one in test_tcb_grade.c; here they meet whole quotes. */
#include "base/hex.h"
#include "tests/unit/negative.h"

static real_t real;

static void setup(void)
{
    real_open(&real);
}

static void teardown(void)
{
    real_close(&real);
}

static void expect_status(int number, const char *what, const sim_plan_t *plan, tcb_status_t want)
{
    tcb_grade_t grade;
    check_case(number, what, verify_plan(plan, what, &grade, SIM_NOW), TEE_OK);
    ck_assert_msg(grade.status == want, "(%d) %s: %s instead of %s", number, what, tcb_status_name(grade.status),
                  tcb_status_name(want));
}

#define STATUS(number, what, want, ...)                                                                                \
    do {                                                                                                               \
        static sim_plan_t p;                                                                                           \
        sim_plan_init(&p);                                                                                             \
        __VA_ARGS__;                                                                                                   \
        expect_status(number, what, &p, want);                                                                         \
    } while (0)

/* The table of section 6.3 for each status of the platform: module and QE up to date, one of them out of date, one revoked. */
START_TEST(number_43_convergence)
{
    static const struct {
        const char *name;
        tcb_status_t itself, with_out_of_date;
    } rows[] = {
        { "UpToDate", TCB_UP_TO_DATE, TCB_OUT_OF_DATE },
        { "SWHardeningNeeded", TCB_SW_HARDENING_NEEDED, TCB_OUT_OF_DATE },
        { "ConfigurationNeeded", TCB_CONFIGURATION_NEEDED, TCB_OUT_OF_DATE_CONFIGURATION_NEEDED },
        { "ConfigurationAndSWHardeningNeeded", TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED,
          TCB_OUT_OF_DATE_CONFIGURATION_NEEDED },
        { "OutOfDate", TCB_OUT_OF_DATE, TCB_OUT_OF_DATE },
        { "OutOfDateConfigurationNeeded", TCB_OUT_OF_DATE_CONFIGURATION_NEEDED, TCB_OUT_OF_DATE_CONFIGURATION_NEEDED },
        { "Revoked", TCB_REVOKED, TCB_REVOKED },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
#define PLATFORM p.levels[0].status = rows[i].name
        STATUS(43, rows[i].name, rows[i].itself, PLATFORM);
        STATUS(43, rows[i].name, rows[i].with_out_of_date, PLATFORM; p.modules[1].levels[0].status = "OutOfDate");
        STATUS(43, rows[i].name, rows[i].with_out_of_date, PLATFORM; p.qe_levels[0].status = "OutOfDate");
        STATUS(43, rows[i].name, rows[i].with_out_of_date, PLATFORM;
               p.modules[1].levels[0].status = p.qe_levels[0].status = "OutOfDate");
        STATUS(43, rows[i].name, TCB_REVOKED, PLATFORM; p.modules[1].levels[0].status = "Revoked");
        STATUS(43, rows[i].name, TCB_REVOKED, PLATFORM; p.qe_levels[0].status = "Revoked");
    }
}
END_TEST

/* Only the first level is there; the certificate's components and those of the quote are moved against it. */
START_TEST(number_44_components)
{
#define ONE_LEVEL                                                                                                      \
    p.level_count = 1;                                                                                                 \
    memset(p.levels[0].sgx, 3, 16);                                                                                    \
    memset(p.levels[0].tdx, 3, 16);                                                                                    \
    p.levels[0].pce_svn = 11;                                                                                          \
    for (unsigned j_ = 0; j_ < 16; j_++)                                                                               \
        p.sgx.components[j_] = p.sgx.cpu_svn[j_] = p.quote.td[SIM_TD_TCB_SVN + j_] = 3;                                \
    p.quote.td[SIM_TD_TCB_SVN] = 5;                                                                                    \
    p.quote.td[SIM_TD_TCB_SVN + 1] = 1
#define SGX_COMPONENT(value) p.sgx.components[i] = p.sgx.cpu_svn[i] = value
    CASE(44, "all equal", TEE_OK, ONE_LEVEL);
    for (unsigned i = 0; i < 16; i++) {
        CASE(44, "SGX component one below", E_TCB_UNSUPPORTED, ONE_LEVEL; SGX_COMPONENT(2));
        CASE(44, "SGX component above", TEE_OK, ONE_LEVEL; SGX_COMPONENT(4));
        if (i < 2)
            continue; /* SVN and version of the module: number 45 */
        CASE(44, "TDX component one below", E_TCB_UNSUPPORTED, ONE_LEVEL; p.quote.td[SIM_TD_TCB_SVN + i] = 2);
        CASE(44, "TDX component above", TEE_OK, ONE_LEVEL; p.quote.td[SIM_TD_TCB_SVN + i] = 4);
    }
    CASE(44, "PCESVN one below", E_TCB_UNSUPPORTED, ONE_LEVEL; p.sgx.pce_svn = 10);
    CASE(44, "PCESVN above", TEE_OK, ONE_LEVEL; p.sgx.pce_svn = 12);
}
END_TEST

START_TEST(numbers_45_to_47_module)
{
#define MODULE(svn, version)                                                                                           \
    p.quote.td[SIM_TD_TCB_SVN] = svn;                                                                                  \
    p.quote.td[SIM_TD_TCB_SVN + 1] = version
    CASE(45, "version 1, SVN below component 0 and not below the module's level", TEE_OK, p.levels[0].tdx[0] = 9;
         p.level_count = 1; MODULE(5, 1));
    CASE(45, "version 0, SVN below component 0", E_TCB_UNSUPPORTED, p.levels[0].tdx[0] = 9; p.level_count = 1;
         MODULE(5, 0));
    CASE(45, "version 0, component 1 above the platform's", E_TCB_UNSUPPORTED, p.levels[0].tdx[1] = 1;
         p.level_count = 1; MODULE(9, 0));
    CASE(46, "no identity for the version", E_MODULE_ID, MODULE(6, 2));
    CASE(46, "no identities at all", E_MODULE_ID, p.module_count = 0);
    CASE(46, "SVN below every level of the module", E_MODULE_SVN, MODULE(1, 1));
    STATUS(46, "SVN between the levels of the module", TCB_OUT_OF_DATE, MODULE(4, 1); p.levels[0].tdx[0] = 0);
    for (unsigned bit = 0; bit < 8 * 48; bit += 7)
        CASE(47, "MRSIGNERSEAM", E_MODULE_SIGNER,
             p.quote.td[SIM_TD_MR_SIGNER_SEAM + bit / 8] = (uint8_t)(1u << bit % 8));
    for (unsigned bit = 0; bit < 64; bit++)
        CASE(47, "SEAMATTRIBUTES", E_MODULE_ATTR,
             p.quote.td[SIM_TD_SEAM_ATTRIBUTES + bit / 8] = (uint8_t)(1u << bit % 8));
}
END_TEST

START_TEST(number_48_a_genuine_quote_below_every_level)
{
    real_t v5;
    real_open_v5(&v5);
    check_case(48, "vector 9-C", real_verify(&v5, v5.quote, v5.n, &v5.collateral, V5_NOW), E_TCB_UNSUPPORTED);
    real_close(&v5);
}
END_TEST

/* A TD that began on an older module, on a platform that has been patched since. */
static void began_on_an_older_module(sim_plan_t *p)
{
    sim_plan_init_td15(p);
    p->quote.td[SIM_TD_TCB_SVN] = 4; /* OutOfDate by the module's levels */
}

#define RELAUNCH(what, want, ...) STATUS(49, what, want, began_on_an_older_module(&p); __VA_ARGS__)
#define CURRENT(at) p.quote.td[SIM_TD_TCB_SVN2 + (at)]

START_TEST(number_49_relaunch)
{
    RELAUNCH("patched since", TCB_TD_RELAUNCH_ADVISED, (void)p);
    RELAUNCH("patched since, hardening needed", TCB_TD_RELAUNCH_ADVISED, p.levels[0].status = "SWHardeningNeeded");
    RELAUNCH("patched since, configuration needed", TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED,
             p.levels[0].status = "ConfigurationNeeded");
    RELAUNCH("patched since, configuration and hardening needed", TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED,
             p.levels[0].status = "ConfigurationAndSWHardeningNeeded");
    RELAUNCH("platform out of date", TCB_OUT_OF_DATE, p.levels[0].status = "OutOfDate");
    RELAUNCH("platform revoked", TCB_REVOKED, p.levels[0].status = "Revoked");
    RELAUNCH("QE out of date", TCB_OUT_OF_DATE, p.qe_levels[0].status = "OutOfDate");
    RELAUNCH("module at launch revoked", TCB_REVOKED, p.modules[1].levels[1].status = "Revoked");
    RELAUNCH("running module one below the highest level", TCB_OUT_OF_DATE, CURRENT(0) = 4);
    RELAUNCH("running module of another version", TCB_TD_RELAUNCH_ADVISED, CURRENT(0) = CURRENT(1) = 3);
    RELAUNCH("component 2 one below the highest level", TCB_TD_RELAUNCH_ADVISED, CURRENT(2) = 2);
    STATUS(49, "a current TCB that is worse", TCB_UP_TO_DATE, sim_plan_init_td15(&p); CURRENT(0) = 4);
    STATUS(49, "TD report 1.0", TCB_OUT_OF_DATE, p.quote.td[SIM_TD_TCB_SVN] = 4);
    STATUS(49, "TD report 1.0 has no second vector", TCB_UP_TO_DATE, memset(&CURRENT(0), 0, 16));
}
END_TEST

/* What would pass if only the vector of the launch were graded. */
START_TEST(number_49_a_current_tcb_that_is_not_supported)
{
#define CURRENT_CASE(what, want, ...) CASE(49, what, want, sim_plan_init_td15(&p); __VA_ARGS__)
    CURRENT_CASE("both up to date", TEE_OK, (void)p);
    CURRENT_CASE("component 2 at the lowest level", TEE_OK, CURRENT(2) = 2; p.level_count = 2);
    CURRENT_CASE("component 2 below every level", E_TCB2_UNSUPPORTED, CURRENT(2) = 1; p.level_count = 2);
    CURRENT_CASE("module version without identity", E_MODULE2_ID, CURRENT(1) = 2);
    CURRENT_CASE("module version with one", TEE_OK, CURRENT(1) = 3);
    CURRENT_CASE("module below its lowest level", E_MODULE2_SVN, CURRENT(0) = 1);
    CURRENT_CASE("module at its lowest level", TEE_OK, CURRENT(0) = 2);
    CURRENT_CASE("no version, below component 0", E_TCB2_UNSUPPORTED, CURRENT(1) = 0; CURRENT(0) = 2);
    CURRENT_CASE("no version, at component 0", TEE_OK, CURRENT(1) = 0; CURRENT(0) = 3);
    CURRENT_CASE("all zero", E_TCB2_ZERO, memset(&CURRENT(0), 0, 16));
    CURRENT_CASE("all zero, where a level asks for nothing", E_TCB2_ZERO, memset(&CURRENT(0), 0, 16);
                 memset(p.levels[3].tdx, 0, 16));
    CURRENT_CASE("launch below every level as well", E_TCB_UNSUPPORTED, CURRENT(2) = 1; p.level_count = 2;
                 p.quote.td[SIM_TD_TCB_SVN + 2] = 1);
}
END_TEST

START_TEST(number_50_quoting_enclave)
{
    CASE(50, "report signed by another key", E_QE_SIG, p.quote.qe_signer = SIM_STRANGER);
    CASE(50, "report signed by the attestation key", E_QE_SIG, p.quote.qe_signer = SIM_ATTESTATION);
    for (unsigned at = 0; at < 64; at++)
        CASE(50, "binding", E_QE_BINDING, p.quote.binding_xor[at] = 1);
    for (unsigned bit = 0; bit < 32; bit++)
        CASE(50, "MISCSELECT", E_QE_MISC, p.quote.qe_report[SIM_QE_MISC_SELECT + bit / 8] = (uint8_t)(1u << bit % 8));
    /* The identity's mask: FBFFFFFFFFFFFFFF 0000000000000000. */
    for (unsigned bit = 0; bit < 128; bit++) {
        const tee_code_t want = bit == 1 ? E_QE_DEBUG : bit == 2 || bit >= 64 ? TEE_OK : E_QE_ATTR;
        CASE(50, "ATTRIBUTES", want, p.quote.qe_report[SIM_QE_ATTRIBUTES + bit / 8] ^= (uint8_t)(1u << bit % 8));
    }
    CASE(50, "DEBUG, and the mask leaves it out", E_QE_DEBUG, p.quote.qe_report[SIM_QE_ATTRIBUTES] |= 2;
         p.qe_identity.edits[0] = (sim_edit_t){ "\"FBFFFFFFFFFFFFFF", "\"F9FFFFFFFFFFFFFF" });
    for (unsigned at = 0; at < 32; at++)
        CASE(50, "MRSIGNER", E_QE_SIGNER, p.quote.qe_report[SIM_QE_MR_SIGNER + at] ^= 1);
    CASE(50, "ISVPRODID", E_QE_PRODID, p.quote.qe_report[SIM_QE_PROD_ID] = 1);
    CASE(50, "ISVPRODID, its upper byte", E_QE_PRODID, p.quote.qe_report[SIM_QE_PROD_ID + 1] = 1);
    CASE(50, "ISVSVN below every level", E_QE_SVN, p.quote.qe_report[SIM_QE_SVN] = 1);
    STATUS(50, "ISVSVN of a level that is revoked", TCB_REVOKED, p.quote.qe_report[SIM_QE_SVN] = 3);
    STATUS(50, "ISVSVN of a level that is out of date", TCB_OUT_OF_DATE, p.quote.qe_report[SIM_QE_SVN] = 5);
    STATUS(50, "ISVSVN above every level", TCB_UP_TO_DATE, p.quote.qe_report[SIM_QE_SVN + 1] = 1);
}
END_TEST

/* Number 54 is of the policy: same-as-self over the quote's own values, so that only what is checked besides can refuse. */
static tee_code_t appraise_plan(const sim_plan_t *plan, const char *td_rules)
{
    sim_case_t c;
    err_t fault = { 0 };
    err_t error;
    policy_t *policy;
    quote_t quote;
    static tee_verified_t v; /* large */
    sim_case_open(&c, plan, "54");
    const size_t cap = 2 * c.p.root.n + 512;
    char *hex = arena_alloc(&c.a, cap), *text = arena_alloc(&c.a, cap);
    ck_assert(hex && text);
    hex_encode(hex, c.p.root);
    snprintf(text, cap, "{\"version\":1,\"mode\":\"same-as-self\",\"simulator_root\":\"%s\",\"td\":{%s}}", hex,
             td_rules);
    ck_assert_msg(policy_read(&policy, &error, view_str(text)) == RC_OK, "%s: %s", error.field, error.text);
    ck_assert_int_eq(quote_parse(&quote, &fault, c.evidence.quote), RC_OK);
    policy_set_self(policy, &quote, NULL);
    const tee_claim_t claim = { TEE_EVIDENCE_SIMULATED, c.evidence.quote, view_of(NULL, 0), c.container,
                                view_of(NULL, 0) };
    rc_t rc = tee_appraise(&v, NULL, NULL, &fault, &c.a, &claim, sim_report_data, policy, SIM_NOW);
    policy_free(policy);
    sim_case_close(&c);
    return rc ? fault.code : TEE_OK;
}

#define TD(what, want, rules, ...)                                                                                     \
    do {                                                                                                               \
        static sim_plan_t p;                                                                                           \
        sim_plan_init_td15(&p);                                                                                        \
        __VA_ARGS__;                                                                                                   \
        check_case(54, what, appraise_plan(&p, rules), want);                                                          \
    } while (0)

static bool defined_bit(unsigned bit)
{
    return bit == 28 || bit == 30 || bit == 31 || bit == 63; /* SEPT_VE_DISABLE, PKS, KL, PERFMON */
}

START_TEST(number_54_the_td)
{
#define ATTRIBUTE(bit) p.quote.td[SIM_TD_ATTRIBUTES + (bit) / 8] ^= (uint8_t)(1u << (bit) % 8)
    TD("as it is", TEE_OK, "", (void)p);
    for (unsigned bit = 0; bit < 64; bit++) {
        const tee_code_t want = bit < 8            ? E_TD_DEBUG
                                : bit == 28        ? E_TD_SEPT
                                : defined_bit(bit) ? TEE_OK
                                                   : E_TD_RESERVED;
        TD("attribute", want, "", ATTRIBUTE(bit));
    }
    TD("PKS and PERFMON", TEE_OK, "", ATTRIBUTE(30); ATTRIBUTE(63));
    TD("debug where the policy admits it", TEE_OK, "\"debug\":true", ATTRIBUTE(0));
    TD("no SEPT_VE_DISABLE where the policy admits it", TEE_OK, "\"sept_ve_disable\":false", ATTRIBUTE(28));
    TD("a reserved bit where the mask admits it", TEE_OK, "\"attributes_zero_mask\":\"fefeff2fffffff7f\"",
       ATTRIBUTE(8));
    for (unsigned at = 0; at < 48; at++)
        TD("MRSERVICETD", E_TD_SERVICE, "", p.quote.td[SIM_TD_MR_SERVICE_TD + at] = 1);
    TD("MRSERVICETD where the policy admits it", TEE_OK, "\"mrservicetd_zero\":false",
       p.quote.td[SIM_TD_MR_SERVICE_TD] = 1);
    TD("another XFAM", E_TD_FIELD, "\"xfam\":\"e702060000000001\"", (void)p);
}
END_TEST

START_TEST(number_55_each_root_is_trusted_alone)
{
    static sim_plan_t plan;
    sim_case_t s;
    sim_plan_init(&plan);
    sim_case_open(&s, &plan, "55");
    check_case(55, "a simulated quote under Intel's root",
               verify_quietly(NULL, &s.a, s.evidence.quote, &s.collateral, CHAIN_INTEL_ROOT, NULL, SIM_NOW), E_ROOT);
    check_case(55, "a production quote under the simulator's root",
               verify_quietly(NULL, &s.a, view_of(real.quote, real.n), &real.collateral, s.p.root, NULL, V4_NOW),
               E_ROOT);
    check_case(55, "a simulated quote by Intel's collateral",
               verify_quietly(NULL, &s.a, s.evidence.quote, &real.collateral, s.p.root, NULL, V4_NOW), E_CRL_ISSUER);
    check_case(55, "each under its own",
               verify_quietly(NULL, &s.a, s.evidence.quote, &s.collateral, s.p.root, NULL, SIM_NOW), TEE_OK);
    sim_case_close(&s);
}
END_TEST

static int run(void)
{
    return UNIT_RUN_AROUND("negative_tcb", setup, teardown, number_43_convergence, number_44_components,
                           numbers_45_to_47_module, number_48_a_genuine_quote_below_every_level, number_49_relaunch,
                           number_49_a_current_tcb_that_is_not_supported, number_50_quoting_enclave, number_54_the_td,
                           number_55_each_root_is_trusted_alone);
}

int main(void)
{
    return negative_run(run);
}
