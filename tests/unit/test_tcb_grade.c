/* Intel's grading rule: tables 6.1 to 6.4 of tee-facts, on platforms that this file makes up. Numbers in names are
 * those of section 8. */
#include <stdio.h>
#include <stdlib.h>

#include "tee/collateral/tcb.h"
#include "tests/unit/unit.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* What a level demands of the module: version 1 is judged by the identity, bytes 0 and 1 of the level not at all. */
#define MODULE_VERSION 1u

/* A platform that reaches one level exactly, and the documents that it is judged by. Each test changes something. */
static struct {
    uint8_t svn[16], svn2[16], mr_signer[48], seam_attributes[8];
    quote_t quote;
    uint8_t components[16];
    uint16_t pce_svn;
    tcb_level_t levels[3], module_levels[2], qe_level;
    tcb_module_t module;
    tcb_info_t info;
} p;

static void setup(void)
{
    memset(&p, 0, sizeof p);
    for (unsigned i = 0; i < 16; i++) {
        p.components[i] = p.levels[0].sgx[i] = (uint8_t)(10 + i);
        p.svn[i] = p.levels[0].tdx[i] = (uint8_t)(20 + i);
    }
    p.pce_svn = p.levels[0].pce_svn = 11;
    p.svn[0] = 4;
    p.svn[1] = MODULE_VERSION;
    p.module_levels[0].isv_svn = 4;
    p.levels[0].tcb_date = p.levels[1].tcb_date = p.levels[2].tcb_date = 1000;
    p.module_levels[0].tcb_date = p.module_levels[1].tcb_date = p.qe_level.tcb_date = 1000;
    memset(p.module.attributes_mask, 0xff, 8);
    p.module.version = MODULE_VERSION;
    p.module.levels = p.module_levels;
    p.module.level_count = 1;
    p.info.base_module = p.module;
    p.info.base_module.version = 0;
    p.info.base_module.levels = NULL;
    p.info.base_module.level_count = 0;
    p.info.modules = &p.module;
    p.info.module_count = 1;
    p.info.levels = p.levels;
    p.info.level_count = 1;
    p.quote.body_type = QUOTE_BODY_TD10;
    p.quote.td.tcb_svn = p.svn;
    p.quote.td.mr_signer_seam = p.mr_signer;
    p.quote.td.seam_attributes = p.seam_attributes;
}

static tee_code_t grade(tcb_grade_t *out)
{
    static tcb_grade_t before;
    err_t fault = { 0 };
    memset(&before, 0x5a, sizeof before);
    *out = before;
    rc_t rc = tcb_grade(out, &fault, &p.info, &p.qe_level, p.components, p.pce_svn, &p.quote);
    ck_assert((rc == RC_OK) == (fault.code == TEE_OK));
    if (rc)
        ck_assert_mem_eq(out, &before, sizeof before);
    return fault.code;
}

static tee_code_t code(void)
{
    tcb_grade_t g;
    return grade(&g);
}

static tcb_status_t status(void)
{
    tcb_grade_t g;
    tee_code_t c = grade(&g);
    ck_assert_msg(c == TEE_OK, "%s", tee_code_name(c));
    return g.status;
}

/* ---- 6.1: the platform ---- */

START_TEST(each_component_one_below_equal_and_above_44)
{
    ck_assert_int_eq(code(), TEE_OK);
    for (unsigned i = 0; i < 16; i++) {
        p.components[i]--;
        ck_assert_msg(code() == E_TCB_UNSUPPORTED, "SGX component %u", i);
        p.components[i] = (uint8_t)(p.components[i] + 2);
        ck_assert_msg(code() == TEE_OK, "SGX component %u", i);
        p.components[i] = UINT8_MAX;
        ck_assert_msg(code() == TEE_OK, "SGX component %u", i);
        p.components[i] = p.levels[0].sgx[i];
    }
    for (unsigned i = 2; i < 16; i++) {
        p.svn[i]--;
        ck_assert_msg(code() == E_TCB_UNSUPPORTED, "TDX component %u", i);
        p.svn[i] = (uint8_t)(p.svn[i] + 2);
        ck_assert_msg(code() == TEE_OK, "TDX component %u", i);
        p.svn[i] = p.levels[0].tdx[i];
    }
    p.pce_svn = 10;
    ck_assert_int_eq(code(), E_TCB_UNSUPPORTED);
    p.pce_svn = 12;
    ck_assert_int_eq(code(), TEE_OK);
    p.pce_svn = 256; /* two bytes: not 0 */
    ck_assert_int_eq(code(), TEE_OK);
}
END_TEST

/* Bytes 0 and 1 of TEE_TCB_SVN: with a module version the module's identity judges them, without one the level does. */
START_TEST(a_module_with_a_version_is_not_compared_with_components_0_and_1_45)
{
    p.svn[0] = 4; /* below component 0, which is 20; at the identity's 4 */
    p.svn[1] = 1; /* below component 1, which is 21 */
    ck_assert_int_eq(code(), TEE_OK);
    p.svn[1] = 0;
    ck_assert_int_eq(code(), E_TCB_UNSUPPORTED);
    p.svn[0] = 255;
    ck_assert_int_eq(code(), E_TCB_UNSUPPORTED); /* component 1 of the level is above 0 */
    p.levels[0].tdx[1] = 0;
    ck_assert_int_eq(code(), TEE_OK);
    p.svn[0] = p.levels[0].tdx[0];
    ck_assert_int_eq(code(), TEE_OK);
    p.svn[0]--;
    ck_assert_int_eq(code(), E_TCB_UNSUPPORTED);
}
END_TEST

START_TEST(the_first_level_that_matches_in_all_decides)
{
    tcb_grade_t g;
    p.levels[1] = p.levels[2] = p.levels[0];
    p.levels[0].tdx[2]++; /* reached on SGX alone */
    p.levels[1].status = TCB_SW_HARDENING_NEEDED;
    p.levels[1].tcb_date = 77;
    p.levels[2].status = TCB_REVOKED;
    p.info.level_count = 3;
    ck_assert_int_eq(grade(&g), TEE_OK);
    ck_assert_int_eq(g.status, TCB_SW_HARDENING_NEEDED);
    ck_assert_int_eq(g.tcb_date, 77);
    p.info.level_count = 1;
    ck_assert_int_eq(code(), E_TCB_UNSUPPORTED);
    p.info.level_count = 0;
    ck_assert_int_eq(code(), E_TCB_UNSUPPORTED);
}
END_TEST

/* ---- 6.2: the module ---- */

START_TEST(a_module_must_have_its_identity_46)
{
    p.svn[1] = 2;
    ck_assert_int_eq(code(), E_MODULE_ID);
    p.svn[1] = 1;
    p.info.module_count = 0; /* no fall-back to tdxModule */
    ck_assert_int_eq(code(), E_MODULE_ID);
    p.info.module_count = 1;
    p.svn[0] = 3;
    ck_assert_int_eq(code(), E_MODULE_SVN);
    p.svn[0] = 5;
    ck_assert_int_eq(code(), TEE_OK);
}
END_TEST

START_TEST(the_first_module_level_that_is_reached_decides)
{
    tcb_grade_t g;
    p.module_levels[1].isv_svn = 2;
    p.module_levels[1].status = TCB_OUT_OF_DATE;
    p.module.level_count = 2;
    p.svn[0] = 3;
    ck_assert_int_eq(grade(&g), TEE_OK);
    ck_assert(g.has_module && g.module == TCB_OUT_OF_DATE && g.platform == TCB_UP_TO_DATE &&
              g.status == TCB_OUT_OF_DATE);
    p.svn[0] = 4;
    ck_assert_int_eq(grade(&g), TEE_OK);
    ck_assert(g.has_module && g.module == TCB_UP_TO_DATE && g.status == TCB_UP_TO_DATE);
    p.svn[0] = 1;
    ck_assert_int_eq(code(), E_MODULE_SVN);
}
END_TEST

START_TEST(a_modules_identity_is_found_wherever_it_stands)
{
    for (unsigned place = 0; place < 3; place++) {
        tcb_module_t modules[3] = { p.module, p.module, p.module };
        tcb_level_t levels[3] = { p.module_levels[0], p.module_levels[0], p.module_levels[0] };
        for (unsigned i = 0; i < 3; i++) {
            modules[i].version = i == place ? MODULE_VERSION : (uint8_t)(7 + i);
            modules[i].levels = &levels[i];
            levels[i].status = i == place ? TCB_SW_HARDENING_NEEDED : TCB_REVOKED;
        }
        tcb_grade_t g;
        p.info.modules = modules;
        p.info.module_count = 3;
        ck_assert_int_eq(grade(&g), TEE_OK);
        ck_assert_int_eq(g.module, TCB_SW_HARDENING_NEEDED);
        modules[place].version = 2;
        ck_assert_int_eq(code(), E_MODULE_ID);
        setup();
    }
}
END_TEST

START_TEST(a_level_is_found_wherever_it_stands)
{
    static const tcb_status_t three[3] = { TCB_UP_TO_DATE, TCB_CONFIGURATION_NEEDED, TCB_OUT_OF_DATE };
    tcb_grade_t g;
    for (unsigned i = 0; i < 3; i++) { /* each demands one less of component 15 of both */
        p.levels[i] = p.levels[0];
        p.levels[i].sgx[15] = (uint8_t)(25 - i);
        p.levels[i].tdx[15] = (uint8_t)(35 - i);
        p.levels[i].status = three[i];
        p.levels[i].tcb_date = 100 + i;
    }
    p.info.level_count = 3;
    for (unsigned i = 0; i < 4; i++) {
        p.components[15] = (uint8_t)(25 - i);
        p.svn[15] = (uint8_t)(35 - i);
        if (i == 3) {
            ck_assert_int_eq(code(), E_TCB_UNSUPPORTED);
            continue;
        }
        ck_assert_int_eq(grade(&g), TEE_OK);
        ck_assert_int_eq(g.platform, three[i]);
        ck_assert_int_eq(g.tcb_date, 100 + i);
    }
}
END_TEST

START_TEST(module_version_0_has_no_status)
{
    tcb_grade_t g;
    memcpy(p.svn, p.levels[0].tdx, 16);
    p.svn[1] = p.levels[0].tdx[1] = 0;
    p.module_levels[0].status = TCB_REVOKED; /* of version 1: not concerned */
    ck_assert_int_eq(grade(&g), TEE_OK);
    ck_assert(!g.has_module && g.status == TCB_UP_TO_DATE);
    p.info.module_count = 0;
    ck_assert_int_eq(code(), TEE_OK);
}
END_TEST

/* With version 0 by tdxModule, with version 1 by the module's identity. */
START_TEST(signer_and_attributes_of_the_module_are_checked_47)
{
    for (unsigned version = 0; version < 2; version++) {
        setup();
        p.svn[1] = (uint8_t)version;
        p.levels[0].tdx[0] = p.levels[0].tdx[1] = 0;
        tcb_module_t *m = version ? &p.module : &p.info.base_module;
        ck_assert_int_eq(code(), TEE_OK);
        for (unsigned i = 0; i < 48; i++) {
            p.mr_signer[i] = 1;
            ck_assert_int_eq(code(), E_MODULE_SIGNER);
            m->mr_signer[i] = 1;
            ck_assert_int_eq(code(), TEE_OK);
            p.mr_signer[i] = 0;
            ck_assert_int_eq(code(), E_MODULE_SIGNER);
            m->mr_signer[i] = 0;
        }
        for (unsigned i = 0; i < 8; i++) {
            p.seam_attributes[i] = 0x40;
            ck_assert_int_eq(code(), E_MODULE_ATTR);
            m->attributes_mask[i] = 0xbf; /* even where the mask leaves it out, and where the identity has it */
            ck_assert_int_eq(code(), E_MODULE_ATTR);
            m->attributes_mask[i] = 0xff;
            m->attributes[i] = 0x40;
            ck_assert_int_eq(code(), E_MODULE_ATTR);
            p.seam_attributes[i] = 0;
            ck_assert_int_eq(code(), E_MODULE_ATTR);
            m->attributes_mask[i] = 0xbf;
            ck_assert_int_eq(code(), TEE_OK);
            m->attributes[i] = 0;
            m->attributes_mask[i] = 0xff;
        }
    }
}
END_TEST

/* ---- 6.3: together ---- */

#define U TCB_UP_TO_DATE
#define S TCB_SW_HARDENING_NEEDED
#define C TCB_CONFIGURATION_NEEDED
#define CS TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED
#define O TCB_OUT_OF_DATE
#define OC TCB_OUT_OF_DATE_CONFIGURATION_NEEDED
#define R TCB_REVOKED
#define RL TCB_TD_RELAUNCH_ADVISED
#define RC TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED

/* Platform, module, QE and the whole: all 63, written out. */
static const tcb_status_t together[][4] = {
    { U, U, U, U },   { U, U, O, O },   { U, U, R, R },  { U, O, U, O },   { U, O, O, O },   { U, O, R, R },
    { U, R, U, R },   { U, R, O, R },   { U, R, R, R },  { S, U, U, S },   { S, U, O, O },   { S, U, R, R },
    { S, O, U, O },   { S, O, O, O },   { S, O, R, R },  { S, R, U, R },   { S, R, O, R },   { S, R, R, R },
    { C, U, U, C },   { C, U, O, OC },  { C, U, R, R },  { C, O, U, OC },  { C, O, O, OC },  { C, O, R, R },
    { C, R, U, R },   { C, R, O, R },   { C, R, R, R },  { CS, U, U, CS }, { CS, U, O, OC }, { CS, U, R, R },
    { CS, O, U, OC }, { CS, O, O, OC }, { CS, O, R, R }, { CS, R, U, R },  { CS, R, O, R },  { CS, R, R, R },
    { O, U, U, O },   { O, U, O, O },   { O, U, R, R },  { O, O, U, O },   { O, O, O, O },   { O, O, R, R },
    { O, R, U, R },   { O, R, O, R },   { O, R, R, R },  { OC, U, U, OC }, { OC, U, O, OC }, { OC, U, R, R },
    { OC, O, U, OC }, { OC, O, O, OC }, { OC, O, R, R }, { OC, R, U, R },  { OC, R, O, R },  { OC, R, R, R },
    { R, U, U, R },   { R, U, O, R },   { R, U, R, R },  { R, O, U, R },   { R, O, O, R },   { R, O, R, R },
    { R, R, U, R },   { R, R, O, R },   { R, R, R, R },
};

START_TEST(platform_module_and_qe_converge_by_the_table_43)
{
    ck_assert_uint_eq(COUNT(together), 7 * 3 * 3);
    for (size_t i = 0; i < COUNT(together); i++) {
        tcb_grade_t g;
        p.levels[0].status = together[i][0];
        p.module_levels[0].status = together[i][1];
        p.qe_level.status = together[i][2];
        ck_assert_int_eq(grade(&g), TEE_OK);
        ck_assert_int_eq(g.platform, together[i][0]);
        ck_assert_int_eq(g.module, together[i][1]);
        ck_assert_int_eq(g.qe, together[i][2]);
        ck_assert_msg(g.status == together[i][3], "row %zu: %s", i, tcb_status_name(g.status));
    }
    p.svn[1] = 0; /* without a module: as if it were up to date */
    p.levels[0].tdx[0] = p.levels[0].tdx[1] = 0;
    for (size_t i = 0; i < COUNT(together); i++) {
        if (together[i][1] != U)
            continue;
        p.levels[0].status = together[i][0];
        p.qe_level.status = together[i][2];
        ck_assert_msg(status() == together[i][3], "row %zu", i);
    }
}
END_TEST

START_TEST(advisories_are_united_in_order_without_duplicates_and_none_is_lost)
{
    static const char *const want[] = { "A", "B", "C", "D" };
    static char names[TCB_ADVISORIES_MAX][8];
    tcb_grade_t g;
    p.levels[0].advisories[0] = view_str("A");
    p.levels[0].advisories[1] = view_str("B");
    p.levels[0].advisory_count = 2;
    p.module_levels[0].advisories[0] = view_str("B");
    p.module_levels[0].advisories[1] = view_str("C");
    p.module_levels[0].advisory_count = 2;
    p.qe_level.advisories[0] = view_str("A");
    p.qe_level.advisories[1] = view_str("D");
    p.qe_level.advisory_count = 2;
    ck_assert_int_eq(grade(&g), TEE_OK);
    ck_assert_uint_eq(g.advisory_count, 4);
    for (size_t i = 0; i < 4; i++)
        ck_assert(view_eq(g.advisories[i], view_str(want[i])));
    for (size_t i = 0; i < TCB_ADVISORIES_MAX; i++) {
        snprintf(names[i], sizeof names[i], "%u", (unsigned)i);
        p.levels[0].advisories[i] = p.qe_level.advisories[i] = view_str(names[i]);
    }
    p.levels[0].advisory_count = p.qe_level.advisory_count = TCB_ADVISORIES_MAX;
    p.module_levels[0].advisory_count = 0;
    ck_assert_int_eq(grade(&g), TEE_OK);
    ck_assert_uint_eq(g.advisory_count, TCB_ADVISORIES_MAX);
    p.qe_level.advisories[0] = view_str("A");
    ck_assert_int_eq(code(), E_LIMIT);
}
END_TEST

/* ---- 6.4: two vectors ---- */

/* A TD that began before the platform was patched: TEE_TCB_SVN reaches level 1 and the module's level 1 only,
 * TEE_TCB_SVN2 reaches the first of both. */
static void start_before_renewal(void)
{
    setup();
    p.quote.body_type = QUOTE_BODY_TD15;
    p.quote.td.tcb_svn2 = p.svn2;
    memcpy(p.svn2, p.svn, 16);
    p.levels[1] = p.levels[0];
    p.info.level_count = 2;
    p.levels[0].tdx[2]++;
    p.svn2[2]++;
    p.module_levels[0].isv_svn = 9;
    p.module_levels[1].isv_svn = 4;
    p.module.level_count = 2;
    p.svn2[0] = 9;
}

/* Launch by current, all 49, written out; columns and rows in the order U S C CS O OC R. */
static const tcb_status_t relaunched[7][7] = {
    { U, U, U, U, U, U, U },        { S, S, S, S, S, S, S },     { C, C, C, C, C, C, C },
    { CS, CS, CS, CS, CS, CS, CS }, { RL, RL, RC, RC, O, O, O }, { RC, RC, RC, RC, OC, OC, OC },
    { R, R, R, R, R, R, R },
};
static const tcb_status_t statuses[7] = { U, S, C, CS, O, OC, R };

START_TEST(relaunch_is_advised_by_the_table_of_launch_and_current_49)
{
    for (size_t l = 0; l < 7; l++)
        for (size_t c = 0; c < 7; c++) {
            tcb_grade_t g;
            start_before_renewal();
            p.levels[1].status = statuses[l];
            p.levels[0].status = statuses[c];
            ck_assert_int_eq(grade(&g), TEE_OK);
            ck_assert(g.launch == statuses[l] && g.current == statuses[c] && g.platform == statuses[l]);
            ck_assert_msg(g.status == relaunched[l][c], "launch %s, current %s: %s", tcb_status_name(statuses[l]),
                          tcb_status_name(statuses[c]), tcb_status_name(g.status));
            p.quote.body_type = QUOTE_BODY_TD10; /* which has one vector */
            ck_assert_int_eq(grade(&g), TEE_OK);
            ck_assert(g.status == statuses[l] && g.launch == statuses[l] && g.current == statuses[l]);
        }
}
END_TEST

/* Both are graded whole: module and QE count in each. */
START_TEST(module_and_qe_count_in_both_vectors_49)
{
    static const struct {
        tcb_status_t launch_module, current_module, qe, launch, current, want;
    } rows[] = {
        { O, U, U, O, U, RL }, { U, O, U, U, O, U }, { O, O, U, O, O, O }, { O, R, U, O, R, O }, { R, U, U, R, U, R },
        { U, R, U, U, R, U },  { O, U, O, O, O, O }, { U, U, O, O, O, O }, { O, U, R, R, R, R },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        tcb_grade_t g;
        start_before_renewal();
        p.module_levels[1].status = rows[i].launch_module;
        p.module_levels[0].status = rows[i].current_module;
        p.qe_level.status = rows[i].qe;
        ck_assert_int_eq(grade(&g), TEE_OK);
        ck_assert_int_eq(g.module, rows[i].launch_module);
        ck_assert_msg(g.launch == rows[i].launch && g.current == rows[i].current && g.status == rows[i].want,
                      "row %zu: %s, %s, %s", i, tcb_status_name(g.launch), tcb_status_name(g.current),
                      tcb_status_name(g.status));
    }
}
END_TEST

/* What no level or identity describes is not supported, in one vector as in the other; each says which it is. */
START_TEST(a_current_tcb_without_level_or_identity_is_not_supported)
{
    for (unsigned i = 2; i < 16; i++) {
        start_before_renewal();
        p.svn2[i] = (uint8_t)(p.levels[1].tdx[i] - 1); /* below every level */
        ck_assert_msg(code() == E_TCB2_UNSUPPORTED, "component %u", i);
        p.svn2[i] = p.levels[1].tdx[i];
        ck_assert_msg(code() == TEE_OK, "component %u", i);
        p.svn[i]--;
        ck_assert_msg(code() == E_TCB_UNSUPPORTED, "component %u at launch", i);
    }
    start_before_renewal();
    p.svn2[1] = 7;
    ck_assert_int_eq(code(), E_MODULE2_ID);
    p.svn2[1] = MODULE_VERSION;
    p.svn2[0] = 3;
    ck_assert_int_eq(code(), E_MODULE2_SVN);
    p.svn2[0] = 4;
    ck_assert_int_eq(code(), TEE_OK);
    p.svn[0] = 3;
    ck_assert_int_eq(code(), E_MODULE_SVN);
    p.svn[0] = 4;
    p.svn[1] = 7;
    ck_assert_int_eq(code(), E_MODULE_ID);
    start_before_renewal(); /* the QE does not save it, nor does a body type that is still to come change it */
    p.quote.body_type = QUOTE_BODY_TD15 + 1;
    p.svn2[0] = 3;
    ck_assert_int_eq(code(), E_MODULE2_SVN);
    p.quote.body_type = QUOTE_BODY_TD10;
    ck_assert_int_eq(code(), TEE_OK);
}
END_TEST

/* Without a version, components 0 and 1 of the level judge the module that runs, as they do at launch. */
START_TEST(a_current_module_without_a_version_is_judged_by_the_level)
{
    tcb_grade_t g;
    start_before_renewal();
    p.svn2[1] = 0;
    p.svn2[0] = 255;
    ck_assert_int_eq(code(), E_TCB2_UNSUPPORTED); /* component 1 of both levels is 21 */
    p.levels[0].tdx[1] = p.levels[1].tdx[1] = 0;
    p.module_levels[1].status = O;
    ck_assert_int_eq(grade(&g), TEE_OK);
    ck_assert(g.has_module && g.launch == O && g.current == U && g.status == RL);
    p.svn2[0] = p.levels[0].tdx[0];
    ck_assert_int_eq(code(), TEE_OK);
    p.svn2[0]--;
    ck_assert_int_eq(code(), E_TCB2_UNSUPPORTED);
}
END_TEST

START_TEST(a_td_that_began_without_a_module_version_is_graded_twice_too)
{
    tcb_grade_t g;
    start_before_renewal();
    p.svn[1] = 0;
    p.levels[1].tdx[0] = p.levels[1].tdx[1] = 0;
    p.levels[1].status = O;
    ck_assert_int_eq(grade(&g), TEE_OK);
    ck_assert(!g.has_module && g.launch == O && g.current == U && g.status == RL);
}
END_TEST

/* Not even where a level asks for nothing. */
START_TEST(a_second_vector_of_zeros_is_refused)
{
    start_before_renewal();
    memset(p.levels[1].tdx, 0, 16);
    memset(p.svn2, 0, 16);
    ck_assert_int_eq(code(), E_TCB2_ZERO);
    for (unsigned i = 0; i < 16; i++) {
        p.svn2[i] = 1;
        ck_assert_msg(code() == (i == 1 ? E_MODULE2_SVN : TEE_OK), "byte %u", i);
        p.svn2[i] = 0;
    }
    p.quote.body_type = QUOTE_BODY_TD10;
    ck_assert_int_eq(code(), TEE_OK);
}
END_TEST

START_TEST(the_modules_signer_is_checked_for_both_vectors)
{
    tcb_module_t modules[2];
    start_before_renewal();
    modules[0] = modules[1] = p.module;
    modules[1].version = 3;
    p.info.modules = modules;
    p.info.module_count = 2;
    p.svn2[1] = 3;
    ck_assert_int_eq(code(), TEE_OK);
    modules[1].mr_signer[47] = 1;
    ck_assert_int_eq(code(), E_MODULE_SIGNER);
    modules[1].mr_signer[47] = 0;
    modules[1].attributes[7] = 1;
    ck_assert_int_eq(code(), E_MODULE_ATTR);
}
END_TEST

START_TEST(the_tcb_date_is_the_earliest_of_all_levels)
{
    tcb_level_t *const levels[] = { &p.levels[0], &p.levels[1], &p.module_levels[0], &p.module_levels[1], &p.qe_level };
    tcb_grade_t g;
    for (size_t i = 0; i < COUNT(levels); i++) {
        start_before_renewal();
        levels[i]->tcb_date = 999;
        ck_assert_int_eq(grade(&g), TEE_OK);
        ck_assert_msg(g.tcb_date == 999, "level %zu", i);
        p.quote.body_type = QUOTE_BODY_TD10; /* reaches neither of the first ones */
        ck_assert_int_eq(grade(&g), TEE_OK);
        ck_assert_msg(g.tcb_date == (levels[i] == &p.levels[0] || levels[i] == &p.module_levels[0] ? 1000 : 999),
                      "level %zu, report 1.0", i);
    }
}
END_TEST

START_TEST(advisories_of_both_vectors_are_united)
{
    static const char *const want[] = { "L", "M", "Q", "N", "K" };
    tcb_level_t *const levels[] = { &p.levels[1], &p.module_levels[1], &p.qe_level, &p.levels[0], &p.module_levels[0] };
    tcb_grade_t g;
    start_before_renewal();
    for (size_t i = 0; i < COUNT(levels); i++) {
        levels[i]->advisories[0] = view_str(want[i]);
        levels[i]->advisories[1] = view_str("L");
        levels[i]->advisory_count = 2;
    }
    ck_assert_int_eq(grade(&g), TEE_OK);
    ck_assert_uint_eq(g.advisory_count, 5);
    for (size_t i = 0; i < 5; i++)
        ck_assert(view_eq(g.advisories[i], view_str(want[i])));
    p.quote.body_type = QUOTE_BODY_TD10;
    ck_assert_int_eq(grade(&g), TEE_OK);
    ck_assert_uint_eq(g.advisory_count, 3);
}
END_TEST

/* ---- step 11: the quoting enclave ---- */

START_TEST(the_quoting_enclave_must_be_the_one_of_the_identity_50)
{
    uint8_t attributes[16] = { 0x15 }, signer[32] = { 0xdc };
    const tcb_level_t levels[] = { { .isv_svn = 6 }, { .isv_svn = 4, .status = O }, { .isv_svn = 2, .status = R } };
    quote_enclave_t qe = {
        .misc_select = 0x04030201, .attributes = attributes, .mr_signer = signer, .isv_prod_id = 2, .isv_svn = 6
    };
    qe_identity_t id = { .misc_select = { 1, 2, 3, 4 },
                         .misc_select_mask = { 255, 255, 255, 0x0f },
                         .attributes = { 0x11 },
                         .attributes_mask = { 0xfb, 0xff },
                         .mr_signer = { 0xdc },
                         .isv_prod_id = 2,
                         .levels = levels,
                         .level_count = 3 };
    const tcb_level_t *level;
    err_t f;
#define CODE() (tcb_grade_qe(&level, &f, &id, &qe) ? f.code : TEE_OK)
    ck_assert(CODE() == TEE_OK && level == &levels[0]);
    qe.misc_select ^= 0xf0000000; /* outside the mask */
    ck_assert_int_eq(CODE(), TEE_OK);
    for (unsigned bit = 0; bit < 28; bit++) {
        qe.misc_select ^= 1u << bit;
        ck_assert_int_eq(CODE(), E_QE_MISC);
        qe.misc_select ^= 1u << bit;
    }
    for (unsigned bit = 0; bit < 128; bit++) {
        bool inside = bit < 16 && bit != 2;
        attributes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_int_eq(CODE(), bit == 1 ? E_QE_DEBUG : inside ? E_QE_ATTR : TEE_OK);
        attributes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    attributes[0] |= 2; /* debug, where the identity asks for it */
    id.attributes[0] |= 2;
    ck_assert_int_eq(CODE(), E_QE_DEBUG);
    attributes[0] &= 0xfd;
    id.attributes[0] &= 0xfd;
    memset(id.attributes_mask, 0xff, sizeof id.attributes_mask);
    id.attributes[0] = 0x15;
    for (unsigned i = 0; i < 16; i++) {
        attributes[i] ^= 0x80;
        ck_assert_int_eq(CODE(), E_QE_ATTR);
        attributes[i] ^= 0x80;
    }
    for (unsigned i = 0; i < 32; i++) {
        signer[i] ^= 1;
        ck_assert_int_eq(CODE(), E_QE_SIGNER);
        signer[i] ^= 1;
    }
    ck_assert_int_eq(CODE(), TEE_OK);
    qe.isv_prod_id = 1;
    ck_assert_int_eq(CODE(), E_QE_PRODID);
    qe.isv_prod_id = 2;
    qe.isv_svn = 5;
    ck_assert(CODE() == TEE_OK && level->status == O);
    qe.isv_svn = 3;
    ck_assert(CODE() == TEE_OK && level->status == R);
    qe.isv_svn = 1;
    ck_assert_int_eq(CODE(), E_QE_SVN);
    qe.isv_svn = 65535;
    ck_assert(CODE() == TEE_OK && level == &levels[0]);
#undef CODE
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND(
        "tcb_grade", setup, NULL, each_component_one_below_equal_and_above_44,
        a_module_with_a_version_is_not_compared_with_components_0_and_1_45, the_first_level_that_matches_in_all_decides,
        a_module_must_have_its_identity_46, the_first_module_level_that_is_reached_decides,
        a_modules_identity_is_found_wherever_it_stands, a_level_is_found_wherever_it_stands,
        module_version_0_has_no_status, signer_and_attributes_of_the_module_are_checked_47,
        platform_module_and_qe_converge_by_the_table_43,
        advisories_are_united_in_order_without_duplicates_and_none_is_lost,
        relaunch_is_advised_by_the_table_of_launch_and_current_49, module_and_qe_count_in_both_vectors_49,
        a_current_tcb_without_level_or_identity_is_not_supported,
        a_current_module_without_a_version_is_judged_by_the_level,
        a_td_that_began_without_a_module_version_is_graded_twice_too, a_second_vector_of_zeros_is_refused,
        the_modules_signer_is_checked_for_both_vectors, the_tcb_date_is_the_earliest_of_all_levels,
        advisories_of_both_vectors_are_united, the_quoting_enclave_must_be_the_one_of_the_identity_50);
}
