/* Negative tests of tee-facts section 8, numbers 13 to 28: certificates, the SGX extension, revocation lists. */
#include "tests/unit/negative.h"

static const char *const cert_names[SIM_CERTS] = { "root", "intermediate", "leaf", "TCB signer" };

START_TEST(number_13_another_root_of_the_same_name)
{
    static const uint8_t other_seed[32] = { 9 };
    static sim_plan_t plan;
    tee_provider_t other;
    err_t why;
    sim_case_t c;
    sim_plan_init(&plan);
    sim_case_open(&c, &plan, "13");
    ck_assert_int_eq(tee_simulator_open(&other, &why, other_seed), RC_OK);
    check_case(13, "under another root",
               verify_quietly(NULL, &c.a, c.evidence.quote, &c.collateral, other.root, NULL, SIM_NOW), E_ROOT);
    /* Only the chain's last certificate is the trusted one. */
    static uint8_t text[16384];
    wr_t w = wr_of(text, sizeof text);
    const view_t mixed[] = { sim_cert_pem(&other, &c.a, SIM_LEAF), sim_cert_pem(&other, &c.a, SIM_CA),
                             sim_cert_pem(&c.p, &c.a, SIM_ROOT) };
    for (size_t i = 0; i < 3; i++)
        wr_bytes(&w, mixed[i].p, mixed[i].n);
    CASE(13, "another root's chain before the root", E_CHAINORDER, p.quote.chain_text = wr_view(&w));
    CASE(13, "intermediate signed by another key", E_CHAINSIG, p.certs[SIM_CA].issuer = SIM_STRANGER);
    CASE(13, "intermediate signed by, and naming, another key", E_CHAINORDER, p.certs[SIM_CA].issuer = SIM_STRANGER;
         p.certs[SIM_CA].authority = SIM_STRANGER);
    CASE(13, "leaf signed by another key", E_CHAINSIG, p.certs[SIM_LEAF].issuer = SIM_STRANGER;
         p.certs[SIM_LEAF].issuer_name = p.certs[SIM_CA].name);
    CASE(13, "leaf signed by the root", E_CHAINORDER, p.certs[SIM_LEAF].issuer = SIM_ROOT;
         p.certs[SIM_LEAF].authority = SIM_ROOT);
    CASE(13, "leaf of an issuer of another name", E_CHAINORDER,
         p.certs[SIM_LEAF].issuer_name = "Simulated SGX PCK Processor CA");
    for (unsigned i = 0; i < SIM_CERTS; i++)
        CASE(13, "no authority key identifier", E_CHAINORDER, p.certs[i].authority = SIM_NOBODY);
    CASE(13, "root without key identifiers", E_CHAINORDER, p.certs[SIM_ROOT].authority = SIM_NOBODY;
         p.certs[SIM_ROOT].no_subject_key = true);
    CASE(13, "leaf under an intermediate without key identifiers", E_CRL_ISSUER, p.certs[SIM_CA].no_subject_key = true);
    CASE(13, "leaf without key identifiers", TEE_OK, p.certs[SIM_LEAF].no_subject_key = true);
    other.free(other.ctx);
    sim_case_close(&c);
}
END_TEST

START_TEST(number_14_a_root_that_is_not_self_signed)
{
    CASE(14, "signed by another key", E_CHAINSIG, p.certs[SIM_ROOT].issuer = SIM_STRANGER);
    CASE(14, "signed by another key and naming it", E_CHAINORDER,
         p.certs[SIM_ROOT].issuer = p.certs[SIM_ROOT].authority = SIM_STRANGER);
    CASE(14, "of another issuer's name", E_CHAINORDER, p.certs[SIM_ROOT].issuer_name = "Another SGX Root CA");
    for (unsigned i = 0; i < SIM_CERTS; i++) /* in the serial number, behind version 3 */
        CASE(14, cert_names[i], E_CHAINSIG, p.certs[i].flip = 8 * 20);
}
END_TEST

#define LEAF p.certs[SIM_LEAF]
#define CA p.certs[SIM_CA]
#define ROOT p.certs[SIM_ROOT]
#define SIGNER p.certs[SIM_SIGNER]

START_TEST(number_15_constraints_and_usage)
{
    CASE(15, "intermediate CA:FALSE", E_CHAINUSAGE, CA.ca = false; CA.path_len = -1);
    CASE(15, "root CA:FALSE", E_CHAINUSAGE, ROOT.ca = false; ROOT.path_len = -1);
    CASE(15, "leaf CA:TRUE", E_CHAINUSAGE, LEAF.ca = true);
    CASE(15, "leaf CA:TRUE with a path length", E_CHAINUSAGE, LEAF.ca = true; LEAF.path_len = 0);
    CASE(15, "TCB signer CA:TRUE", E_CHAINUSAGE, SIGNER.ca = true);
    CASE(15, "path length 0 at the root", E_CHAINUSAGE, ROOT.path_len = 0);
    CASE(15, "path length 1 at the intermediate", E_CHAINUSAGE, CA.path_len = 1);
    CASE(15, "no path length at the intermediate", E_CHAINUSAGE, CA.path_len = -1);
    CASE(15, "intermediate without keyCertSign", E_CHAINUSAGE, CA.usage = 2);
    CASE(15, "intermediate without cRLSign", E_CHAINUSAGE, CA.usage = 4);
    CASE(15, "root without keyCertSign", E_CHAINUSAGE, ROOT.usage = 2);
    CASE(15, "root without cRLSign", E_CHAINUSAGE, ROOT.usage = 4);
    CASE(15, "leaf with keyCertSign", E_CHAINUSAGE, LEAF.usage |= 4);
    CASE(15, "TCB signer with cRLSign", E_CHAINUSAGE, SIGNER.usage |= 2);
    CASE(15, "leaf without digitalSignature", E_CHAINUSAGE, LEAF.usage = 64);
    for (unsigned i = 0; i < SIM_CERTS; i++) {
        CASE(15, "no basic constraints", E_CHAINUSAGE, p.certs[i].has_constraints = false);
        CASE(15, "basic constraints not critical", E_CHAINUSAGE, p.certs[i].constraints_critical = false);
        CASE(15, "no key usage", E_CHAINUSAGE, p.certs[i].usage = 0);
        CASE(15, "key usage not critical", E_CHAINUSAGE, p.certs[i].usage_critical = false);
        CASE(15, "a critical extension that nobody knows", E_CHAINUSAGE, p.certs[i].unknown_critical = true);
    }
}
END_TEST

START_TEST(number_16_validity_with_inclusive_bounds)
{
    for (unsigned i = 0; i < SIM_CERTS; i++) {
        CASE(16, cert_names[i], TEE_OK, p.certs[i].until = SIM_NOW);
        CASE(16, cert_names[i], TEE_OK, p.certs[i].from = SIM_NOW);
        CASE(16, cert_names[i], E_CHAINTIME, p.certs[i].until = SIM_NOW - 1);
        CASE(16, cert_names[i], E_CHAINTIME, p.certs[i].from = SIM_NOW + 1);
        CASE(16, cert_names[i], E_CHAINTIME, p.certs[i].until = p.certs[i].from + 1);
    }
    /* GeneralizedTime begins with 2050. */
    CASE(16, "a root until 2060", TEE_OK, ROOT.until = INT64_C(2840140800));
}
END_TEST

START_TEST(number_17_names)
{
    CASE(17, "leaf", E_CHAINNAME, LEAF.name = "Simulated SGX PCK Platform CA");
    CASE(17, "leaf of SGX attestation keys", E_CHAINNAME, LEAF.name = "Simulated SGX Attestation Certificate");
    CASE(17, "leaf in other letter case", E_CHAINNAME, LEAF.name = "Simulated sgx pck certificate");
    CASE(17, "intermediate", E_CHAINNAME, CA.name = "Simulated SGX Processor");
    CASE(17, "root", E_CHAINNAME, ROOT.name = "Simulated Root CA");
    CASE(17, "TCB signer with a leaf's name", E_CHAINNAME, SIGNER.name = "Simulated SGX PCK Certificate");
    CASE(17, "leaf with a TCB signer's name", E_CHAINNAME, LEAF.name = "Simulated SGX TCB Signing");
    CASE(17, "a PCK Processor CA", TEE_OK, CA.name = "Simulated SGX PCK Processor CA");
}
END_TEST

START_TEST(numbers_18_and_19_algorithms)
{
    for (unsigned i = 0; i < SIM_CERTS; i++) {
        CASE(18, cert_names[i], E_CERTKEY, p.certs[i].key_type = SIM_P384);
        CASE(18, cert_names[i], E_CERTKEY, p.certs[i].key_type = SIM_RSA);
        CASE(19, cert_names[i], E_CERTKEY, p.certs[i].hash = SIM_SHA1);
        CASE(19, cert_names[i], E_CERTKEY, p.certs[i].hash = SIM_SHA384);
    }
    CASE(19, "root's list by SHA-1", E_CRL_SIG, p.root_crl.hash = SIM_SHA1);
    CASE(19, "root's list by SHA-384", E_CRL_SIG, p.root_crl.hash = SIM_SHA384);
    CASE(19, "PCK CA's list by SHA-1", E_CRL_SIG, p.pck_crl.hash = SIM_SHA1);
    CASE(19, "PCK CA's list by SHA-384", E_CRL_SIG, p.pck_crl.hash = SIM_SHA384);
}
END_TEST

START_TEST(number_20_sgx_extension)
{
    static uint8_t bomb[900], long_one[1100];
    for (size_t i = 0, left = sizeof bomb; left >= 4; i += 4, left -= 4) { /* sequences around sequences, 225 deep */
        const uint8_t head[4] = { 0x30, 0x82, (uint8_t)((left - 4) >> 8), (uint8_t)(left - 4) };
        memcpy(bomb + i, head, 4);
    }
    long_one[0] = 0x30;
    CASE(20, "missing", E_SGXEXT, LEAF.sgx_extensions = 0);
    CASE(20, "twice", E_SGXEXT, LEAF.sgx_extensions = 2);
    CASE(20, "FMSPC of 5 bytes", E_SGXEXT, p.sgx.fmspc_len = 5);
    CASE(20, "FMSPC of 7 bytes", E_SGXEXT, p.sgx.fmspc_len = 7);
    CASE(20, "FMSPC of 0 bytes", E_SGXEXT, p.sgx.fmspc_len = 0);
    CASE(20, "PCESVN of 3 bytes", E_SGXEXT, p.sgx.pce_svn = 0x10000);
    CASE(20, "PCESVN of 2 bytes", TEE_OK, p.sgx.pce_svn = 0xffff);
    for (unsigned i = 0; i < 16; i++) {
        CASE(20, "component 256", E_SGXEXT, p.sgx.components[i] = 256);
        CASE(20, "component 65535", E_SGXEXT, p.sgx.components[i] = 65535);
        CASE(20, "component differs from CPUSVN", E_SGXEXT, p.sgx.components[i]++);
        CASE(20, "CPUSVN differs from component", E_SGXEXT, p.sgx.cpu_svn[i] ^= 0x80);
    }
    CASE(20, "component 255, in two bytes of DER", TEE_OK, p.sgx.components[0] = p.sgx.cpu_svn[0] = 255);
    CASE(20, "one trailing byte", E_SGXEXT, p.sgx.trailing = 1);
    CASE(20, "16 trailing bytes", E_SGXEXT, p.sgx.trailing = 16);
    CASE(20, "depth bomb", E_SGXEXT, p.sgx.raw = view_of(bomb, sizeof bomb));
    CASE(20, "empty sequence", E_SGXEXT, p.sgx.raw = view_of("\x30\x00", 2));
    CASE(20, "no sequence", E_SGXEXT, p.sgx.raw = view_of("\x04\x00", 2));
    CASE(20, "longer than its maximum", E_SGXEXT, p.sgx.raw = view_of(long_one, sizeof long_one));
}
END_TEST

#define IN(which) (1u << (which))

START_TEST(number_21_revoked)
{
    CASE(21, "leaf in the PCK CA's list", E_REVOKED, p.pck_crl.revoked = IN(SIM_LEAF));
    CASE(21, "leaf alone in the PCK CA's list", E_REVOKED, p.pck_crl.revoked = IN(SIM_LEAF); p.pck_crl.others = 0);
    CASE(21, "intermediate in the root's list", E_REVOKED, p.root_crl.revoked = IN(SIM_CA));
    CASE(21, "TCB signer in the root's list", E_REVOKED, p.root_crl.revoked = IN(SIM_SIGNER));
    CASE(21, "all of them", E_REVOKED, p.root_crl.revoked = IN(SIM_CA) | IN(SIM_SIGNER);
         p.pck_crl.revoked = IN(SIM_LEAF));
    CASE(21, "others only", TEE_OK, p.root_crl.others = 9; p.pck_crl.others = 9);
    CASE(21, "empty lists", TEE_OK, p.root_crl.others = p.pck_crl.others = 0);
    /* Each list speaks only of its issuer's certificates. */
    CASE(21, "leaf in the root's list", TEE_OK, p.root_crl.revoked = IN(SIM_LEAF));
    CASE(21, "intermediate and signer in the PCK CA's list", TEE_OK, p.pck_crl.revoked = IN(SIM_CA) | IN(SIM_SIGNER));
}
END_TEST

START_TEST(numbers_22_to_24_which_list)
{
    CASE(22, "no root list", E_CRL_MISSING, p.root_crl.missing = true);
    CASE(22, "no PCK list", E_CRL_MISSING, p.pck_crl.missing = true);
    CASE(23, "PCK list signed by another key", E_CRL_SIG, p.pck_crl.issuer = SIM_STRANGER;
         p.pck_crl.issuer_name = CA.name);
    CASE(23, "PCK list signed by, and naming, another key", E_CRL_ISSUER,
         p.pck_crl.issuer = p.pck_crl.authority = SIM_STRANGER;
         p.pck_crl.issuer_name = CA.name);
    CASE(23, "PCK list of the root", E_CRL_ISSUER, p.pck_crl.issuer = p.pck_crl.authority = SIM_ROOT);
    CASE(23, "PCK list signed by the root in the CA's name", E_CRL_SIG, p.pck_crl.issuer = SIM_ROOT;
         p.pck_crl.issuer_name = CA.name);
    CASE(23, "root list of the PCK CA", E_CRL_ISSUER, p.root_crl.issuer = p.root_crl.authority = SIM_CA);
    CASE(23, "root list signed by the PCK CA in the root's name", E_CRL_SIG, p.root_crl.issuer = SIM_CA;
         p.root_crl.issuer_name = ROOT.name);
    CASE(23, "PCK list signed by its own leaf", E_CRL_SIG, p.pck_crl.issuer = SIM_LEAF;
         p.pck_crl.issuer_name = CA.name);
    CASE(24, "the list of a Processor CA for a leaf of the Platform CA", E_CRL_ISSUER,
         p.pck_crl.issuer_name = "Simulated SGX PCK Processor CA");
    static uint8_t processor_crl[4096];
    real_t real;
    real_open(&real);
    const size_t len = read_test_data(processor_crl, sizeof processor_crl, "processor_crl.der");
    REAL(&real, 24, "Intel's list of the Processor CA for a leaf of the Platform CA", E_CRL_ISSUER,
         c.pck_crl = view_of(processor_crl, len));
    REAL(&real, 24, "Intel's root list in place of the PCK CA's", E_CRL_ISSUER, c.pck_crl = c.root_ca_crl);
    REAL(&real, 22, "Intel's collateral without a list", E_CRL_MISSING, c.pck_crl = view_of(NULL, 0));
    real_close(&real);
}
END_TEST

START_TEST(number_25_times_of_lists)
{
    for (unsigned i = 0; i < 2; i++) {
#define LIST (i ? &p.pck_crl : &p.root_crl)
        CASE(25, "ends now", TEE_OK, LIST->until = SIM_NOW - SIM_DAY);
        CASE(25, "ended one second ago", E_CRL_TIME, LIST->until = SIM_NOW - SIM_DAY - 1);
        CASE(25, "begins now", TEE_OK, LIST->from = SIM_NOW - SIM_DAY);
        CASE(25, "begins in one second", E_CRL_TIME, LIST->from = SIM_NOW - SIM_DAY + 1);
        CASE(25, "ends before it begins", E_CRL_TIME, LIST->from = SIM_NOW - SIM_DAY; LIST->until = 0);
    }
}
END_TEST

/* Every eleventh bit: whatever the reason, the list is refused. */
START_TEST(number_26_bits_of_lists)
{
    static sim_plan_t plan;
    sim_case_t s;
    sim_plan_init(&plan);
    sim_case_open(&s, &plan, "26");
    for (unsigned i = 0; i < 2; i++) {
        collateral_t c = s.collateral;
        view_t *list = i ? &c.pck_crl : &c.root_ca_crl;
        uint8_t *copy = malloc(list->n);
        ck_assert_ptr_nonnull(copy);
        const view_t genuine = *list;
        *list = view_of(copy, genuine.n);
        for (size_t bit = 0; bit < 8 * genuine.n; bit += 11) {
            memcpy(copy, genuine.p, genuine.n);
            copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
            tee_code_t code = verify_quietly(NULL, &s.a, s.evidence.quote, &c, s.p.root, NULL, SIM_NOW);
            ck_assert_msg(code >= E_CRL_MISSING && code <= E_CRL, "(26) bit %zu: %s", bit, tee_code_name(code));
        }
        memcpy(copy, genuine.p, genuine.n);
        copy[genuine.n - 1] ^= 1;
        check_case(26, "signature", verify_quietly(NULL, &s.a, s.evidence.quote, &c, s.p.root, NULL, SIM_NOW),
                   E_CRL_SIG);
        free(copy);
    }
    sim_case_close(&s);
}
END_TEST

START_TEST(number_27_extensions_of_lists)
{
    CASE(27, "root list without a number", E_CRL_EXT, p.root_crl.has_number = false);
    CASE(27, "PCK list without a number", E_CRL_EXT, p.pck_crl.has_number = false);
    CASE(27, "root list without an authority key identifier", E_CRL_EXT, p.root_crl.authority = SIM_NOBODY);
    CASE(27, "PCK list without an authority key identifier", E_CRL_EXT, p.pck_crl.authority = SIM_NOBODY);
    CASE(27, "without both", E_CRL_EXT, p.pck_crl.authority = SIM_NOBODY; p.pck_crl.has_number = false);
}
END_TEST

START_TEST(number_28_older_lists_than_stored)
{
    static rollback_t memory;
    static sim_plan_t genuine, plan;
    sim_plan_init(&genuine);
    for (unsigned i = 0; i < 2; i++) {
        sim_crl_plan_t *list = i ? &plan.pck_crl : &plan.root_crl;
        memset(&memory, 0, sizeof memory);
        plan = genuine;
        check_case(28, "the first", remember(&memory, &genuine), TEE_OK);
        check_case(28, "the same again", remember(&memory, &genuine), TEE_OK);
        list->number = -1;
        check_case(28, "a lower number", remember(&memory, &plan), E_ROLLBACK);
        list->number = 0;
        list->from = -1;
        check_case(28, "the same number, earlier", remember(&memory, &plan), E_ROLLBACK);
        list->number = 1;
        list->from = 0;
        check_case(28, "a higher number", remember(&memory, &plan), TEE_OK);
        check_case(28, "the first, once more", remember(&memory, &genuine), E_ROLLBACK);
    }
}
END_TEST

static int run(void)
{
    return UNIT_RUN("negative_chain", number_13_another_root_of_the_same_name, number_14_a_root_that_is_not_self_signed,
                    number_15_constraints_and_usage, number_16_validity_with_inclusive_bounds, number_17_names,
                    numbers_18_and_19_algorithms, number_20_sgx_extension, number_21_revoked,
                    numbers_22_to_24_which_list, number_25_times_of_lists, number_26_bits_of_lists,
                    number_27_extensions_of_lists, number_28_older_lists_than_stored);
}

int main(void)
{
    return negative_run(run);
}
