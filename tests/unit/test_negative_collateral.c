/* Negative tests of tee-facts section 8, numbers 29 to 42: the documents of the collateral. */
#include <jansson.h>

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

/* A copy that a test may change. */
static uint8_t *writable(view_t *v)
{
    uint8_t *copy = arena_alloc(&real.a, v->n);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, v->p, v->n);
    *v = view_of(copy, v->n);
    return copy;
}

START_TEST(number_29_one_byte_of_a_document)
{
    for (unsigned i = 0; i < 2; i++) {
        collateral_t c = real.collateral;
        view_t *document = i ? &c.qe_identity : &c.tcb_info;
        uint8_t *bytes = writable(document);
        for (size_t at = 0; at < document->n; at += 13) {
            bytes[at] ^= 1;
            tee_code_t code = real_verify(&real, real.quote, real.n, &c, V4_NOW);
            /* A changed signature is noticed before a changed form, or after: never is it accepted. */
            check_case(29, "one byte", code, i ? E_QEID_SIG : E_TCB_SIG);
            bytes[at] ^= 1;
        }
        check_case(29, "unchanged", real_verify(&real, real.quote, real.n, &c, V4_NOW), TEE_OK);
    }
    REAL(&real, 29, "one bit of the TCB info's signature", E_TCB_SIG, c.tcb_info_signature[63] ^= 1);
    REAL(&real, 29, "one bit of the QE identity's signature", E_QEID_SIG, c.qe_identity_signature[0] ^= 0x80);
}
END_TEST

/* The same values in another text. */
static view_t serialised_again(view_t document)
{
    json_t *o = json_loadb((const char *)document.p, document.n, 0, NULL);
    char *text = json_dumps(o, JSON_INDENT(1));
    view_t v = arena_dup(&real.a, view_str(text));
    free(text);
    json_decref(o);
    return v;
}

START_TEST(numbers_30_and_31_not_the_bytes_that_were_signed)
{
    REAL(&real, 30, "TCB info serialised again", E_TCB_SIG, c.tcb_info = serialised_again(c.tcb_info));
    REAL(&real, 30, "QE identity serialised again", E_QEID_SIG, c.qe_identity = serialised_again(c.qe_identity));
    REAL(&real, 31, "signatures swapped", E_TCB_SIG,
         memcpy(c.tcb_info_signature, real.collateral.qe_identity_signature, 64);
         memcpy(c.qe_identity_signature, real.collateral.tcb_info_signature, 64));
    REAL(&real, 31, "the QE identity's signature on the TCB info", E_TCB_SIG,
         memcpy(c.tcb_info_signature, real.collateral.qe_identity_signature, 64));
    REAL(&real, 31, "the TCB info's signature on the QE identity", E_QEID_SIG,
         memcpy(c.qe_identity_signature, real.collateral.tcb_info_signature, 64));
}
END_TEST

#define SIGNED_BY(document, key, ...)                                                                                  \
    do {                                                                                                               \
        const sim_key_t chain_[] = { __VA_ARGS__ };                                                                    \
        (document)->signer = key;                                                                                      \
        memcpy((document)->chain, chain_, sizeof chain_);                                                              \
        (document)->chain_count = sizeof chain_ / sizeof chain_[0];                                                    \
    } while (0)

START_TEST(number_32_signers)
{
    for (unsigned i = 0; i < 2; i++) {
#define DOCUMENT (i ? &p.qe_identity : &p.tcb_info)
        const tee_code_t bad_signature = i ? E_QEID_SIG : E_TCB_SIG;
        CASE(32, "its signer", TEE_OK, SIGNED_BY(DOCUMENT, SIM_SIGNER, SIM_SIGNER, SIM_ROOT));
        CASE(32, "the PCK leaf, with its own chain", E_CHAINLEN,
             SIGNED_BY(DOCUMENT, SIM_LEAF, SIM_LEAF, SIM_CA, SIM_ROOT));
        CASE(32, "the PCK leaf under the root", E_CHAINORDER, SIGNED_BY(DOCUMENT, SIM_LEAF, SIM_LEAF, SIM_ROOT));
        CASE(32, "the PCK leaf, with the signer's chain", bad_signature,
             SIGNED_BY(DOCUMENT, SIM_LEAF, SIM_SIGNER, SIM_ROOT));
        CASE(32, "the PCK CA", E_CHAINUSAGE, SIGNED_BY(DOCUMENT, SIM_CA, SIM_CA, SIM_ROOT));
        CASE(32, "the root", E_CHAINUSAGE, SIGNED_BY(DOCUMENT, SIM_ROOT, SIM_ROOT, SIM_ROOT));
        CASE(32, "nobody", bad_signature, SIGNED_BY(DOCUMENT, SIM_STRANGER, SIM_SIGNER, SIM_ROOT));
        CASE(32, "the signer without its root", E_CHAINLEN, (DOCUMENT)->chain_count = 1);
        CASE(32, "turned around", E_CHAINORDER, SIGNED_BY(DOCUMENT, SIM_SIGNER, SIM_ROOT, SIM_SIGNER));
    }
    CASE(32, "a TCB signer that a stranger vouches for", E_CHAINSIG, p.certs[SIM_SIGNER].issuer = SIM_STRANGER;
         p.certs[SIM_SIGNER].issuer_name = p.certs[SIM_ROOT].name);
    CASE(32, "a TCB signer under the PCK CA", E_CHAINORDER,
         p.certs[SIM_SIGNER].issuer = p.certs[SIM_SIGNER].authority = SIM_CA);
    CASE(32, "a signer that is no TCB signer", E_CHAINNAME, p.certs[SIM_SIGNER].name = "Simulated SGX PCK Certificate");
}
END_TEST

#define EDIT(document, from, to)                                                                                       \
    (document).edits[0] = (sim_edit_t)                                                                                 \
    {                                                                                                                  \
        from, to                                                                                                       \
    }
#define EDIT_INFO(from, to) EDIT(p.tcb_info, from, to)
#define EDIT_IDENTITY(from, to) EDIT(p.qe_identity, from, to)
#define NEXT_DAY "2026-01-15T00:00:00Z"

START_TEST(number_33_dates)
{
    static const char *const no_dates[] = { "",
                                            "2026-01-15",
                                            "2026-01-15T00:00:00",
                                            "2026-13-15T00:00:00Z",
                                            "2026-02-30T00:00:00Z",
                                            "2026-01-15T24:00:00Z",
                                            "2026-01-15 00:00:00Z",
                                            "2026-01-15T00:00:00+00:00",
                                            "2026-01-15T00:00:00Zx",
                                            "+026-01-15T00:00:00Z" };
    for (unsigned i = 0; i < 2; i++) {
        const tee_code_t want = i ? E_QEID_TIME : E_TCB_TIME;
        CASE(33, "ends now", TEE_OK, (DOCUMENT)->until = SIM_NOW - SIM_DAY);
        CASE(33, "ended one second ago", want, (DOCUMENT)->until = SIM_NOW - SIM_DAY - 1);
        CASE(33, "begins now", TEE_OK, (DOCUMENT)->from = SIM_NOW - SIM_DAY);
        CASE(33, "begins in one second", want, (DOCUMENT)->from = SIM_NOW - SIM_DAY + 1);
        CASE(33, "nextUpdate before issueDate", want, (DOCUMENT)->from = 0; (DOCUMENT)->until = -1);
        for (size_t k = 0; k < sizeof no_dates / sizeof no_dates[0]; k++) {
            char text[128];
            snprintf(text, sizeof text, "\"issueDate\":\"%s\"", no_dates[k]);
            CASE(33, no_dates[k], want, EDIT(*DOCUMENT, "\"issueDate\":\"" NEXT_DAY "\"", text));
        }
        CASE(33, "a number for a date", want,
             EDIT(*DOCUMENT, "\"issueDate\":\"" NEXT_DAY "\"", "\"issueDate\":1768435200"));
        CASE(33, "no date", want, EDIT(*DOCUMENT, "\"issueDate\":\"" NEXT_DAY "\",", ""));
    }
}
END_TEST

START_TEST(number_34_what_document_it_is)
{
    CASE(34, "TCB info of SGX", E_TCB_ID, EDIT_INFO("\"id\":\"TDX\"", "\"id\":\"SGX\""));
    CASE(34, "TCB info without id", E_TCB_ID, EDIT_INFO("\"id\":\"TDX\",", ""));
    CASE(34, "TCB info version 2", E_TCB_ID, EDIT_INFO("\"version\":3", "\"version\":2"));
    CASE(34, "TCB info version 4", E_TCB_ID, EDIT_INFO("\"version\":3", "\"version\":4"));
    CASE(34, "QE identity of the SGX QE", E_QEID_ID, EDIT_IDENTITY("\"id\":\"TD_QE\"", "\"id\":\"QE\""));
    CASE(34, "QE identity of the QvE", E_QEID_ID, EDIT_IDENTITY("\"id\":\"TD_QE\"", "\"id\":\"QVE\""));
    CASE(34, "QE identity version 1", E_QEID_ID, EDIT_IDENTITY("\"version\":2", "\"version\":1"));
    CASE(34, "QE identity version 3", E_QEID_ID, EDIT_IDENTITY("\"version\":2", "\"version\":3"));
}
END_TEST

START_TEST(numbers_35_and_36_which_platform)
{
    CASE(35, "the FMSPC in capitals", TEE_OK, EDIT_INFO("\"ff53494d3031\"", "\"FF53494D3031\""));
    CASE(35, "another first nibble", E_FMSPC, EDIT_INFO("\"ff53494d3031\"", "\"ef53494d3031\""));
    CASE(35, "another last nibble", E_FMSPC, EDIT_INFO("\"ff53494d3031\"", "\"ff53494d3030\""));
    CASE(36, "another PCEID", E_PCEID, EDIT_INFO("\"pceId\":\"0000\"", "\"pceId\":\"0001\""));
    CASE(36, "another PCEID in the certificate", TEE_OK, p.sgx.pce_id[0] = 1); /* the documents follow the plan */
}
END_TEST

#define FIRST_SGX "\"sgxtcbcomponents\":[{\"svn\":7},"
#define FIRST_TDX "\"tdxtcbcomponents\":[{\"svn\":5},"

START_TEST(numbers_37_to_39_levels)
{
    static const char *const no_svns[] = { "256", "-1", "\"7\"", "7.0", "null", "true", "[7]" };
    CASE(37, "15 SGX components", E_TCB_COMPONENTS, EDIT_INFO(FIRST_SGX, "\"sgxtcbcomponents\":["));
    CASE(37, "17 SGX components", E_TCB_COMPONENTS, EDIT_INFO(FIRST_SGX, FIRST_SGX "{\"svn\":7},"));
    CASE(37, "15 TDX components", E_TCB_COMPONENTS, EDIT_INFO(FIRST_TDX, "\"tdxtcbcomponents\":["));
    CASE(37, "17 TDX components", E_TCB_COMPONENTS, EDIT_INFO(FIRST_TDX, FIRST_TDX "{\"svn\":7},"));
    for (size_t i = 0; i < sizeof no_svns / sizeof no_svns[0]; i++) {
        char text[128];
        snprintf(text, sizeof text, "\"sgxtcbcomponents\":[{\"svn\":%s},", no_svns[i]);
        CASE(37, no_svns[i], E_TCB_COMPONENTS, EDIT_INFO(FIRST_SGX, text));
    }
    CASE(37, "an SVN beyond 64 bits", E_TCB_JSON,
         EDIT_INFO(FIRST_SGX, "\"sgxtcbcomponents\":[{\"svn\":18446744073709551616},"));
    CASE(37, "no pcesvn", E_TCB_COMPONENTS, EDIT_INFO("\"pcesvn\":11,", ""));
    CASE(37, "pcesvn of 17 bits", E_TCB_COMPONENTS, EDIT_INFO("\"pcesvn\":11,", "\"pcesvn\":65536,"));
    CASE(38, "no level of the platform", E_TCB_JSON, p.level_count = 0);
    CASE(38, "no level of a module", E_TCB_JSON, p.modules[1].level_count = 0);
    CASE(38, "no level of the QE", E_QEID_JSON, p.qe_level_count = 0);
    CASE(39, "unknown status of a level", E_TCB_JSON, p.levels[3].status = "Unknown");
    CASE(39, "unknown status of a module", E_TCB_JSON, p.modules[0].levels[1].status = "");
    CASE(39, "unknown status of the QE", E_QEID_JSON, p.qe_levels[2].status = "upToDate");
    CASE(39, "a relaunch status, which is only ever a result", E_TCB_JSON, p.levels[0].status = "TDRelaunchAdvised");
}
END_TEST

START_TEST(number_40_form)
{
    static char deep[5000];
    memset(deep, '[', 2000);
    memset(deep + 2000, ']', 2000);
    static char text[6000];
    snprintf(text, sizeof text, "\"version\":3,\"x\":%s", deep);
    CASE(40, "duplicate key", E_TCB_JSON, EDIT_INFO("\"version\":3", "\"version\":3,\"version\":3"));
    CASE(40, "duplicate key in a level", E_TCB_JSON, EDIT_INFO("\"pcesvn\":11,", "\"pcesvn\":11,\"pcesvn\":11,"));
    CASE(40, "duplicate key of the QE identity", E_QEID_JSON,
         EDIT_IDENTITY("\"isvprodid\":2,", "\"isvprodid\":2,\"isvprodid\":2,"));
    CASE(40, "deep nesting", E_LIMIT, EDIT_INFO("\"version\":3", text));
    CASE(40, "text behind the TCB info", E_TCB_JSON, EDIT_INFO("[\"SIM-SA-00000\"]}]}", "[\"SIM-SA-00000\"]}]}{}"));
    CASE(40, "text behind the QE identity", E_QEID_JSON,
         EDIT_IDENTITY("[\"SIM-SA-00020\"]}]}", "[\"SIM-SA-00020\"]}]} x"));
    CASE(40, "a comment", E_TCB_JSON, EDIT_INFO("\"version\":3", "/**/\"version\":3"));
    uint8_t *large = malloc(10u << 20);
    ck_assert_ptr_nonnull(large);
    memset(large, ' ', 10u << 20);
    collateral_t c;
    view_t document;
    uint8_t signature[64];
    err_t fault = { 0 };
    ck_assert_int_eq(collateral_split(&document, signature, &fault, view_of(large, 10u << 20), "tcbInfo"), RC_LIMIT);
    check_case(40, "a service's answer of 10 MiB", fault.code, E_LIMIT);
    ck_assert_int_eq(collateral_read(&c, &fault, &real.a, view_of(large, 10u << 20)), RC_LIMIT);
    check_case(40, "collateral of 10 MiB", fault.code, E_LIMIT);
    free(large);
}
END_TEST

START_TEST(number_41_the_order_of_levels_does_not_matter)
{
    static sim_plan_t plan;
    tcb_grade_t want, got;
    sim_plan_init(&plan);
    plan.quote.td[SIM_TD_TCB_SVN + 2] = 2; /* SWHardeningNeeded: neither the first level nor the last */
    check_case(41, "in order", verify_plan(&plan, "41", &want, SIM_NOW), TEE_OK);
    ck_assert_int_eq(want.status, TCB_SW_HARDENING_NEEDED);
    for (unsigned turn = 1; turn < 4; turn++) {
        static sim_plan_t turned;
        turned = plan;
        for (unsigned i = 0; i < 4; i++)
            turned.levels[i] = plan.levels[(i + turn) % 4];
        for (unsigned i = 0; i < 3; i++) {
            turned.qe_levels[i] = plan.qe_levels[(i + turn) % 3];
            turned.modules[1].levels[i] = plan.modules[1].levels[(i + turn) % 3];
        }
        check_case(41, "turned", verify_plan(&turned, "41", &got, SIM_NOW), TEE_OK);
        ck_assert_int_eq(got.status, want.status);
        ck_assert_int_eq(got.platform, want.platform);
        ck_assert_int_eq(got.module, want.module);
        ck_assert_int_eq(got.qe, want.qe);
        ck_assert_int_eq(got.tcb_date, want.tcb_date);
    }
}
END_TEST

START_TEST(number_42_a_lower_evaluation_number_than_stored)
{
    static sim_plan_t genuine, plan;
    static rollback_t memory;
    sim_plan_init(&genuine);
    for (unsigned i = 0; i < 2; i++) {
        sim_document_plan_t *document = i ? &plan.qe_identity : &plan.tcb_info;
        memset(&memory, 0, sizeof memory);
        plan = genuine;
        check_case(42, "the first", remember(&memory, &genuine), TEE_OK);
        check_case(42, "the same again", remember(&memory, &genuine), TEE_OK);
        document->evaluation_number--;
        check_case(42, "a lower number", remember(&memory, &plan), E_ROLLBACK);
        document->evaluation_number += 2;
        check_case(42, "a higher number", remember(&memory, &plan), TEE_OK);
        check_case(42, "the first, once more", remember(&memory, &genuine), E_ROLLBACK);
    }
}
END_TEST

static int run(void)
{
    return UNIT_RUN_AROUND("negative_collateral", setup, teardown, number_29_one_byte_of_a_document,
                           numbers_30_and_31_not_the_bytes_that_were_signed, number_32_signers, number_33_dates,
                           number_34_what_document_it_is, numbers_35_and_36_which_platform, numbers_37_to_39_levels,
                           number_40_form, number_41_the_order_of_levels_does_not_matter,
                           number_42_a_lower_evaluation_number_than_stored);
}

int main(void)
{
    return negative_run(run);
}
