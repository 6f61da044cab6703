/* Dates, TCB info and QE identity, and Intel's grading rule, on documents and platforms that this file makes up.
 * Numbers in names are those of tee-facts section 8. Real documents: vectors tdx. */
#include <stdio.h>
#include <stdlib.h>

#include "tee/collateral/collateral.h"
#include "tee/collateral/tcb.h"
#include "tests/unit/unit.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define DOC_MAX (64u << 10)

static arena_t arena;

static void setup(void)
{
    arena_init(&arena, 16u << 20);
}

static void teardown(void)
{
    arena_free(&arena);
}

/* ---- documents ---- */

#define ZEROS48 "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
#define SIX ",{\"svn\":0},{\"svn\":0},{\"svn\":0},{\"svn\":0},{\"svn\":0},{\"svn\":0}"
#define SGX_HIGH "[{\"svn\":7,\"category\":\"BIOS\",\"type\":\"x\"},{\"svn\":255},{\"svn\":2},{\"svn\":1}" SIX SIX "]"
#define SGX_LOW "[{\"svn\":6},{\"svn\":255},{\"svn\":2},{\"svn\":1}" SIX SIX "]"
#define TDX_HIGH "[{\"svn\":5},{\"svn\":0},{\"svn\":7},{\"svn\":0}" SIX SIX "]"
#define TDX_LOW "[{\"svn\":3},{\"svn\":0},{\"svn\":6},{\"svn\":0}" SIX SIX "]"
#define DATE "\"tcbDate\":\"2024-03-13T00:00:00Z\""
#define LEVEL_A                                                                                                        \
    "{\"tcb\":{\"sgxtcbcomponents\":" SGX_HIGH ",\"pcesvn\":11,\"tdxtcbcomponents\":" TDX_HIGH "}," DATE               \
    ",\"tcbStatus\":\"UpToDate\"}"
#define LEVEL_B                                                                                                        \
    "{\"tcb\":{\"sgxtcbcomponents\":" SGX_HIGH ",\"pcesvn\":11,\"tdxtcbcomponents\":" TDX_LOW "}," DATE                \
    ",\"tcbStatus\":\"SWHardeningNeeded\"}"
#define LEVEL_C                                                                                                        \
    "{\"tcb\":{\"sgxtcbcomponents\":" SGX_HIGH ",\"pcesvn\":5,\"tdxtcbcomponents\":" TDX_HIGH "}," DATE                \
    ",\"tcbStatus\":\"ConfigurationNeeded\",\"advisoryIDs\":[\"INTEL-SA-00001\"]}"
#define LEVEL_D                                                                                                        \
    "{\"tcb\":{\"sgxtcbcomponents\":" SGX_LOW ",\"pcesvn\":13,\"tdxtcbcomponents\":" TDX_HIGH "}," DATE                \
    ",\"tcbStatus\":\"OutOfDate\","                                                                                    \
    "\"advisoryIDs\":[\"INTEL-SA-00001\",\"INTEL-SA-00002\"]}"
#define MODULE_LEVELS                                                                                                  \
    "[{\"tcb\":{\"isvsvn\":4}," DATE ",\"tcbStatus\":\"UpToDate\"},{\"tcb\":{\"isvsvn\":2}," DATE                      \
    ",\"tcbStatus\":\"OutOfDate\"}]"
#define MODULE(id)                                                                                                     \
    "{\"id\":\"" id "\",\"mrsigner\":\"" ZEROS48                                                                       \
    "\",\"attributes\":\"0000000000000000\",\"attributesMask\":\"FFFFFFFFFFFFFFFF\","                                  \
    "\"tcbLevels\":" MODULE_LEVELS "}"
#define INFO_HEAD                                                                                                      \
    "{\"id\":\"TDX\",\"version\":3,\"issueDate\":\"2025-10-19T17:48:50Z\",\"nextUpdate\":\"2025-11-18T17:48:50Z\","    \
    "\"fmspc\":\"00806F05abcd\",\"pceId\":\"0102\",\"tcbType\":0,\"tcbEvaluationDataNumber\":17,"                      \
    "\"tdxModule\":{\"mrsigner\":\"" ZEROS48                                                                           \
    "\",\"attributes\":\"0000000000000000\",\"attributesMask\":\"FFFFFFFFFFFFFFFF\"},"                                 \
    "\"tdxModuleIdentities\":[" MODULE("TDX_03") "," MODULE("tdx_1F") "],"
#define INFO INFO_HEAD "\"tcbLevels\":[" LEVEL_A "," LEVEL_B "," LEVEL_C "," LEVEL_D "]}"
#define IDENTITY                                                                                                       \
    "{\"id\":\"TD_QE\",\"version\":2,\"issueDate\":\"2025-10-13T10:46:47Z\",\"nextUpdate\":\"2025-11-12T10:46:47Z\","  \
    "\"tcbEvaluationDataNumber\":17,\"miscselect\":\"01020304\",\"miscselectMask\":\"FFFFFFFF\","                      \
    "\"attributes\":\"11000000000000000000000000000000\",\"attributesMask\":\"FBFFFFFFFFFFFFFF0000000000000000\","     \
    "\"mrsigner\":\"DC9E2A7C6F948F17474E34A7FC43ED030F7C1563F1BABDDF6340C82E0E54A8C5\",\"isvprodid\":2,"               \
    "\"tcbLevels\":[{\"tcb\":{\"isvsvn\":4}," DATE ",\"tcbStatus\":\"OutOfDate\"},{\"tcb\":{\"isvsvn\":6}," DATE       \
    ",\"tcbStatus\":\"UpToDate\"},"                                                                                    \
    "{\"tcb\":{\"isvsvn\":2}," DATE ",\"tcbStatus\":\"Revoked\"}]}"

/* A document with the first occurrence of a text replaced by another. */
static view_t changed(const char *document, const char *from, const char *to)
{
    static char out[DOC_MAX];
    const char *at = strstr(document, from);
    ck_assert_msg(at != NULL, "no %s in the document", from);
    int n = snprintf(out, sizeof out, "%.*s%s%s", (int)(at - document), document, to, at + strlen(from));
    ck_assert(n >= 0 && (size_t)n < sizeof out);
    return view_of(out, (size_t)n);
}

static tee_code_t info_code(view_t json)
{
    static tcb_info_t before, x;
    err_t fault = { 0 };
    memset(&before, 0x5a, sizeof before);
    x = before;
    rc_t rc = tcb_info_parse(&x, &fault, &arena, json, TCB_OF_TDX);
    ck_assert((rc == RC_OK) == (fault.code == TEE_OK));
    if (rc) {
        ck_assert_mem_eq(&x, &before, sizeof x);
        ck_assert_str_ne(fault.text, "");
    }
    return fault.code;
}

static tee_code_t identity_code(view_t json)
{
    static qe_identity_t before, x;
    err_t fault = { 0 };
    memset(&before, 0x5a, sizeof before);
    x = before;
    rc_t rc = qe_identity_parse(&x, &fault, &arena, json, TCB_OF_TDX);
    ck_assert((rc == RC_OK) == (fault.code == TEE_OK));
    if (rc)
        ck_assert_mem_eq(&x, &before, sizeof x);
    return fault.code;
}

START_TEST(a_tcb_info_is_read_and_its_levels_sorted)
{
    static const uint8_t fmspc[6] = { 0x00, 0x80, 0x6f, 0x05, 0xab, 0xcd };
    static const tcb_status_t order[] = { TCB_UP_TO_DATE, TCB_SW_HARDENING_NEEDED, TCB_CONFIGURATION_NEEDED,
                                          TCB_OUT_OF_DATE };
    tcb_info_t x;
    err_t fault;
    ck_assert_int_eq(tcb_info_parse(&x, &fault, &arena, view_str(INFO), TCB_OF_TDX), RC_OK);
    ck_assert_mem_eq(x.fmspc, fmspc, 6);
    ck_assert(x.pce_id[0] == 1 && x.pce_id[1] == 2);
    ck_assert_int_eq(x.issue_date, 1760896130);
    ck_assert_int_eq(x.next_update, 1763488130);
    ck_assert_uint_eq(x.evaluation_number, 17);
    ck_assert_uint_eq(x.module_count, 2);
    ck_assert(x.modules[0].version == 0x03 && x.modules[1].version == 0x1f);
    ck_assert(x.modules[0].level_count == 2 && x.modules[0].levels[0].isv_svn == 4 &&
              x.modules[0].levels[1].status == TCB_OUT_OF_DATE);
    ck_assert_uint_eq(x.level_count, 4);
    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(x.levels[i].status, order[i]);
    ck_assert(x.levels[0].sgx[0] == 7 && x.levels[0].sgx[1] == 255 && x.levels[0].tdx[2] == 7 &&
              x.levels[0].pce_svn == 11);
    ck_assert_int_eq(x.levels[0].tcb_date, 1710288000);
    ck_assert(x.levels[3].advisory_count == 2 && view_eq(x.levels[3].advisories[1], view_str("INTEL-SA-00002")));
}
END_TEST

START_TEST(a_qe_identity_is_read_and_its_levels_sorted)
{
    static const uint8_t misc[4] = { 1, 2, 3, 4 };
    qe_identity_t x;
    err_t fault;
    ck_assert_int_eq(qe_identity_parse(&x, &fault, &arena, view_str(IDENTITY), TCB_OF_TDX), RC_OK);
    ck_assert_mem_eq(x.misc_select, misc, 4);
    ck_assert(x.attributes[0] == 0x11 && x.attributes_mask[0] == 0xfb && x.attributes_mask[8] == 0);
    ck_assert(x.mr_signer[0] == 0xdc && x.mr_signer[31] == 0xc5 && x.isv_prod_id == 2 && x.evaluation_number == 17);
    ck_assert_uint_eq(x.level_count, 3);
    ck_assert(x.levels[0].isv_svn == 6 && x.levels[0].status == TCB_UP_TO_DATE);
    ck_assert(x.levels[1].isv_svn == 4 && x.levels[1].status == TCB_OUT_OF_DATE);
    ck_assert(x.levels[2].isv_svn == 2 && x.levels[2].status == TCB_REVOKED);
}
END_TEST

typedef struct {
    const char *name, *from, *to;
    tee_code_t code;
} change_t;

START_TEST(a_malformed_tcb_info_is_refused_with_its_code)
{
    static const change_t rows[] = {
        { "letter case of the FMSPC (35)", "00806F05abcd", "00806f05ABCD", TEE_OK },
        { "no module identities at all", "\"tdxModuleIdentities\":[" MODULE("TDX_03") "," MODULE("tdx_1F") "],", "",
          TEE_OK },
        { "id SGX (34)", "\"TDX\"", "\"SGX\"", E_TCB_ID },
        { "id in small letters", "\"TDX\"", "\"tdx\"", E_TCB_ID },
        { "no id", "\"id\":\"TDX\",", "", E_TCB_ID },
        { "version 2 (34)", "\"version\":3", "\"version\":2", E_TCB_ID },
        { "version 4 (34)", "\"version\":3", "\"version\":4", E_TCB_ID },
        { "version as text", "\"version\":3", "\"version\":\"3\"", E_TCB_ID },
        { "nextUpdate before issueDate (33)", "2025-11-18T17:48:50Z", "2025-10-19T17:48:49Z", E_TCB_TIME },
        { "nextUpdate at issueDate", "2025-11-18T17:48:50Z", "2025-10-19T17:48:50Z", TEE_OK },
        { "no date (33)", "2025-11-18T17:48:50Z", "2025-11-31T17:48:50Z", E_TCB_TIME },
        { "date a number (33)", "\"2025-10-19T17:48:50Z\"", "1760896130", E_TCB_TIME },
        { "issueDate missing", "\"issueDate\":\"2025-10-19T17:48:50Z\",", "", E_TCB_TIME },
        { "nextUpdate missing", "\"nextUpdate\":\"2025-11-18T17:48:50Z\",", "", E_TCB_TIME },
        { "FMSPC short", "00806F05abcd", "00806F05ab", E_TCB_JSON },
        { "FMSPC with 0x", "00806F05abcd", "0x806F05abcd", E_TCB_JSON },
        { "FMSPC no hex", "00806F05abcd", "00806F05abcg", E_TCB_JSON },
        { "FMSPC missing", "\"fmspc\":\"00806F05abcd\",", "", E_TCB_JSON },
        { "PCEID long", "\"0102\"", "\"010203\"", E_TCB_JSON },
        { "tcbType 1", "\"tcbType\":0", "\"tcbType\":1", E_TCB_JSON },
        { "tcbType missing", "\"tcbType\":0,", "", E_TCB_JSON },
        { "evaluation number negative", "Number\":17", "Number\":-17", E_TCB_JSON },
        { "evaluation number of 33 bits", "Number\":17", "Number\":4294967296", E_TCB_JSON },
        { "evaluation number missing", "\"tcbEvaluationDataNumber\":17,", "", E_TCB_JSON },
        { "tdxModule missing", "\"tdxModule\":{", "\"tdxModul\":{", E_TCB_JSON },
        { "tdxModule's signer short", "\"tdxModule\":{\"mrsigner\":\"00", "\"tdxModule\":{\"mrsigner\":\"",
          E_TCB_JSON },
        { "tdxModule without mask", ",\"attributesMask\":\"FFFFFFFFFFFFFFFF\"},", "},", E_TCB_JSON },
        { "identities not a list", "\"tdxModuleIdentities\":[" MODULE("TDX_03") "," MODULE("tdx_1F") "]",
          "\"tdxModuleIdentities\":{}", E_TCB_JSON },
        { "module id of another form", "TDX_03", "TDX_3", E_TCB_JSON },
        { "module id no hex", "TDX_03", "TDX_0x", E_TCB_JSON },
        { "module id of another prefix", "TDX_03", "TDY_03", E_TCB_JSON },
        { "a module version twice", "TDX_03", "TDX_1f", E_TCB_JSON },
        { "module without signer", MODULE("TDX_03"), "{\"id\":\"TDX_03\"}", E_TCB_JSON },
        { "module without levels", MODULE_LEVELS, "[]", E_TCB_JSON },
        { "module SVN a text", "\"isvsvn\":4", "\"isvsvn\":\"4\"", E_TCB_JSON },
        { "module status only platforms have", "\"tcbStatus\":\"UpToDate\"", "\"tcbStatus\":\"SWHardeningNeeded\"",
          E_TCB_JSON },
        { "module status Revoked", "\"tcbStatus\":\"UpToDate\"", "\"tcbStatus\":\"Revoked\"", TEE_OK },
        { "15 components (37)", SIX SIX "]", SIX ",{\"svn\":0},{\"svn\":0},{\"svn\":0},{\"svn\":0},{\"svn\":0}]",
          E_TCB_COMPONENTS },
        { "17 components (37)", SIX SIX "]", SIX SIX ",{\"svn\":0}]", E_TCB_COMPONENTS },
        { "17 TDX components (37)", TDX_LOW, "[{\"svn\":0},{\"svn\":0},{\"svn\":0},{\"svn\":0},{\"svn\":0}" SIX SIX "]",
          E_TCB_COMPONENTS },
        { "SVN 256 (37)", "{\"svn\":255}", "{\"svn\":256}", E_TCB_COMPONENTS },
        { "SVN negative (37)", "{\"svn\":255}", "{\"svn\":-1}", E_TCB_COMPONENTS },
        { "SVN a text (37)", "{\"svn\":255}", "{\"svn\":\"255\"}", E_TCB_COMPONENTS },
        { "SVN a fraction", "{\"svn\":255}", "{\"svn\":255.0}", E_TCB_COMPONENTS },
        { "SVN missing", "{\"svn\":255}", "{}", E_TCB_COMPONENTS },
        { "component a number", "{\"svn\":255}", "255", E_TCB_COMPONENTS },
        { "components missing", "\"sgxtcbcomponents\"", "\"components\"", E_TCB_COMPONENTS },
        { "TDX components missing", "\"tdxtcbcomponents\"", "\"components\"", E_TCB_COMPONENTS },
        { "pcesvn missing (37)", "\"pcesvn\":11,", "", E_TCB_COMPONENTS },
        { "pcesvn of 17 bits", "\"pcesvn\":11", "\"pcesvn\":65536", E_TCB_COMPONENTS },
        { "pcesvn a text", "\"pcesvn\":11", "\"pcesvn\":\"11\"", E_TCB_COMPONENTS },
        { "no levels (38)", "\"tcbLevels\":[" LEVEL_A "," LEVEL_B "," LEVEL_C "," LEVEL_D "]", "\"tcbLevels\":[]",
          E_TCB_JSON },
        { "levels missing (38)", ",\"tcbLevels\":[" LEVEL_A "," LEVEL_B "," LEVEL_C "," LEVEL_D "]", "", E_TCB_JSON },
        { "levels an object (38)", "\"tcbLevels\":[" LEVEL_A "," LEVEL_B "," LEVEL_C "," LEVEL_D "]",
          "\"tcbLevels\":{}", E_TCB_JSON },
        { "a level that is no object", LEVEL_D, "7", E_TCB_COMPONENTS },
        { "unknown status (39)", "\"SWHardeningNeeded\"", "\"SoftwareHardeningNeeded\"", E_TCB_JSON },
        { "status in other letters (39)", "\"SWHardeningNeeded\"", "\"swhardeningneeded\"", E_TCB_JSON },
        { "status that only we compute", "\"SWHardeningNeeded\"", "\"TDRelaunchAdvised\"", E_TCB_JSON },
        { "status missing", ",\"tcbStatus\":\"SWHardeningNeeded\"", "", E_TCB_JSON },
        { "tcbDate no date", "2024-03-13T00:00:00Z", "2024-03-13", E_TCB_JSON },
        { "advisories a text", "[\"INTEL-SA-00001\"]", "\"INTEL-SA-00001\"", E_TCB_JSON },
        { "advisory a number", "[\"INTEL-SA-00001\"]", "[1]", E_TCB_JSON },
        { "advisory empty", "[\"INTEL-SA-00001\"]", "[\"\"]", E_TCB_JSON },
        { "advisory too long", "[\"INTEL-SA-00001\"]", "[\"INTEL-SA-00001-00000000000000000000000000\"]", E_LIMIT },
        { "duplicate key (40)", "\"version\":3", "\"version\":3,\"version\":3", E_TCB_JSON },
        { "duplicate key deep (40)", "\"isvsvn\":4", "\"isvsvn\":4,\"isvsvn\":4", E_TCB_JSON },
        { "duplicate key by an escape (40)", "\"version\":3", "\"version\":3,\"versio\\u006e\":3", E_TCB_JSON },
        { "no object", INFO, "[]", E_TCB_JSON },
        { "nothing", INFO, "", E_TCB_JSON },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        tee_code_t got = info_code(changed(INFO, rows[i].from, rows[i].to));
        ck_assert_msg(got == rows[i].code, "%s: %s", rows[i].name, tee_code_name(got));
    }
}
END_TEST

START_TEST(a_malformed_qe_identity_is_refused_with_its_code)
{
    static const change_t rows[] = {
        { "id QE", "\"TD_QE\"", "\"QE\"", E_QEID_ID },
        { "version 1", "\"version\":2", "\"version\":1", E_QEID_ID },
        { "version 3", "\"version\":2", "\"version\":3", E_QEID_ID },
        { "date", "2025-10-13T10:46:47Z", "2025-10-13T10:46:60Z", E_QEID_TIME },
        { "nextUpdate before issueDate", "2025-11-12T10:46:47Z", "2025-10-13T10:46:46Z", E_QEID_TIME },
        { "evaluation number", "Number\":17", "Number\":\"17\"", E_QEID_JSON },
        { "miscselect short", "01020304", "010203", E_QEID_JSON },
        { "miscselect mask missing", "\"miscselectMask\":\"FFFFFFFF\",", "", E_QEID_JSON },
        { "attributes long", "\"11000000000000000000000000000000\"", "\"1100000000000000000000000000000000\"",
          E_QEID_JSON },
        { "attributes mask missing", ",\"attributesMask\":\"FBFFFFFFFFFFFFFF0000000000000000\"", "", E_QEID_JSON },
        { "signer missing", "\"mrsigner\"", "\"mrsign\"", E_QEID_JSON },
        { "product id of 17 bits", "\"isvprodid\":2", "\"isvprodid\":65536", E_QEID_JSON },
        { "product id missing", "\"isvprodid\":2,", "", E_QEID_JSON },
        { "SVN missing", "{\"isvsvn\":4}", "{}", E_QEID_JSON },
        { "SVN of 17 bits", "\"isvsvn\":4", "\"isvsvn\":65536", E_QEID_JSON },
        { "unknown status", "\"Revoked\"", "\"revoked\"", E_QEID_JSON },
        { "status only platforms have", "\"Revoked\"", "\"ConfigurationNeeded\"", E_QEID_JSON },
        { "duplicate key", "\"isvprodid\":2", "\"isvprodid\":2,\"isvprodid\":2", E_QEID_JSON },
        { "levels missing", "\"tcbLevels\"", "\"levels\"", E_QEID_JSON },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        tee_code_t got = identity_code(changed(IDENTITY, rows[i].from, rows[i].to));
        ck_assert_msg(got == rows[i].code, "%s: %s", rows[i].name, tee_code_name(got));
    }
}
END_TEST

/* Every length but the whole; text behind; nesting; size (40). */
/* One level, without modules and TDX components. */
#define SGX_INFO(id)                                                                                                       \
    "{\"id\":\"" id "\",\"version\":3,\"issueDate\":\"2025-09-19T17:48:50Z\",\"nextUpdate\":\"2025-10-19T17:48:50Z\","     \
    "\"fmspc\":\"00a067110000\",\"pceId\":\"0000\",\"tcbType\":0,\"tcbEvaluationDataNumber\":17,\"tcbLevels\":[{\"tcb\":{" \
    "\"sgxtcbcomponents\":" SGX_LOW ",\"pcesvn\":13}," DATE ",\"tcbStatus\":\"UpToDate\"}]}"

START_TEST(documents_of_one_tee_are_not_those_of_the_other)
{
    tcb_info_t info;
    qe_identity_t id;
    err_t fault = { 0 };
    ck_assert_int_eq(tcb_info_parse(&info, &fault, &arena, view_str(SGX_INFO("SGX")), TCB_OF_SGX), RC_OK);
    ck_assert_uint_eq(info.level_count, 1);
    ck_assert_uint_eq(info.levels[0].pce_svn, 13);
    ck_assert_uint_eq(info.module_count, 0);
    ck_assert_int_eq(tcb_info_parse(&info, &fault, &arena, view_str(SGX_INFO("SGX")), TCB_OF_TDX), RC_REFUSED);
    ck_assert_int_eq(fault.code, E_TCB_ID);
    ck_assert_int_eq(tcb_info_parse(&info, &fault, &arena, view_str(SGX_INFO("TDX")), TCB_OF_TDX), RC_MALFORMED);
    ck_assert_int_eq(tcb_info_parse(&info, &fault, &arena, view_str(INFO), TCB_OF_SGX), RC_REFUSED);
    ck_assert_int_eq(fault.code, E_TCB_ID);
    ck_assert_int_eq(qe_identity_parse(&id, &fault, &arena, view_str(IDENTITY), TCB_OF_SGX), RC_REFUSED);
    ck_assert_int_eq(fault.code, E_QEID_ID);
}
END_TEST

START_TEST(documents_are_whole_bounded_and_stand_alone)
{
    char deep[400];
    view_t info = view_str(INFO), identity = view_str(IDENTITY);
    for (size_t n = 0; n < info.n; n++)
        ck_assert_int_eq(info_code(view_of(info.p, n)), E_TCB_JSON);
    for (size_t n = 0; n < identity.n; n++)
        ck_assert_int_eq(identity_code(view_of(identity.p, n)), E_QEID_JSON);
    ck_assert_int_eq(info_code(view_str(INFO " \r\n\t")), TEE_OK);
    ck_assert_int_eq(info_code(view_str(INFO "x")), E_TCB_JSON);
    ck_assert_int_eq(info_code(view_str(INFO "{}")), E_TCB_JSON);
    ck_assert_int_eq(identity_code(view_str(IDENTITY ",")), E_QEID_JSON);
    memset(deep, '[', 200);
    memset(deep + 200, ']', 200);
    deep[399] = '\0';
    ck_assert_int_eq(info_code(view_str(deep)), E_LIMIT);
    size_t large = (size_t)10 << 20;
    char *text = malloc(large);
    ck_assert_ptr_nonnull(text);
    memset(text, ' ', large);
    memcpy(text, INFO, info.n);
    ck_assert_int_eq(info_code(view_of(text, large)), E_LIMIT);
    ck_assert_int_eq(identity_code(view_of(text, COLLATERAL_DOC_MAX + 1)), E_LIMIT);
    ck_assert_int_eq(info_code(view_of(text, COLLATERAL_DOC_MAX)), TEE_OK);
    free(text);
}
END_TEST

/* An INFO with n copies of one level, or of one module with other ids, or a level of n advisories. */
static view_t repeated(const char *head, const char *item, size_t n, const char *tail)
{
    size_t cap = strlen(head) + n * (strlen(item) + 1) + strlen(tail) + 1, at;
    char *out = arena_alloc(&arena, cap);
    ck_assert_ptr_nonnull(out);
    at = (size_t)sprintf(out, "%s", head);
    for (size_t i = 0; i < n; i++)
        at += (size_t)sprintf(out + at, "%s%s", i ? "," : "", item);
    at += (size_t)sprintf(out + at, "%s", tail);
    return view_of(out, at);
}

START_TEST(lists_have_their_maximum)
{
    static const char info[] = INFO;
    const char *advisories = strstr(info, "\"INTEL-SA-00001\"]");
    char head[DOC_MAX];
    ck_assert_int_eq(info_code(repeated(INFO_HEAD "\"tcbLevels\":[", LEVEL_A, TCB_LEVELS_MAX, "]}")), TEE_OK);
    ck_assert_int_eq(info_code(repeated(INFO_HEAD "\"tcbLevels\":[", LEVEL_A, TCB_LEVELS_MAX + 1, "]}")), E_LIMIT);
    snprintf(head, sizeof head, "%.*s", (int)(advisories - info), info);
    ck_assert_int_eq(info_code(repeated(head, "\"I\"", TCB_ADVISORIES_MAX, advisories + strlen("\"INTEL-SA-00001\""))),
                     TEE_OK);
    ck_assert_int_eq(
        info_code(repeated(head, "\"I\"", TCB_ADVISORIES_MAX + 1, advisories + strlen("\"INTEL-SA-00001\""))), E_LIMIT);
    const char *modules = strstr(info, MODULE("TDX_03")), *behind = strstr(info, "],\"tcbLevels\":[" LEVEL_A);
    snprintf(head, sizeof head, "%.*s", (int)(modules - info), info);
    ck_assert_int_eq(info_code(repeated(head, MODULE("TDX_03"), TCB_MODULES_MAX + 1, behind)), E_LIMIT);
}
END_TEST

START_TEST(advisory_ids_have_their_maximum)
{
    static const char *const lists[] = { "%s\"", "%s\",\"B\",\"C\"", "A\",\"%s\",\"C\"", "A\",\"B\",\"%s\"" };
    static const size_t lengths[] = { 1, 31, 32, 33, 5000, 0 };
    char id[5001], list[5100];
    for (size_t i = 0; i < COUNT(lists); i++)
        for (size_t k = 0; k < COUNT(lengths); k++) {
            memset(id, 'I', lengths[k]);
            id[lengths[k]] = '\0';
            snprintf(list, sizeof list, lists[i], id);
            view_t text = changed(INFO, "INTEL-SA-00001\"", list);
            uint8_t *exact = malloc(text.n); /* a sanitizer sees a read behind its end */
            memcpy(exact, text.p, text.n);
            tee_code_t want = lengths[k] == 0 ? E_TCB_JSON : lengths[k] <= 32 ? TEE_OK : E_LIMIT;
            ck_assert_msg(info_code(view_of(exact, text.n)) == want, "list %zu, %zu characters", i, lengths[k]);
            free(exact);
        }
}
END_TEST

/* Each of four levels, and of the three of a QE identity, has a fault in turn. */
START_TEST(a_malformed_level_is_refused_wherever_it_stands)
{
    static const char *const levels[] = { LEVEL_A, LEVEL_B, LEVEL_C, LEVEL_D };
    static const char *const wrong[] = { "7", "null", "{}", "[]", "{\"tcb\":{}}" };
    for (size_t i = 0; i < COUNT(levels); i++)
        for (size_t k = 0; k < COUNT(wrong); k++)
            ck_assert_msg(info_code(changed(INFO, levels[i], wrong[k])) == E_TCB_COMPONENTS, "level %zu, %s", i,
                          wrong[k]);
    static const char *const svns[] = { "{\"isvsvn\":4}," DATE ",\"tcbStatus\":\"OutOfDate\"", "{\"isvsvn\":6}",
                                        "{\"isvsvn\":2}," DATE ",\"tcbStatus\":\"Revoked\"" };
    for (size_t i = 0; i < COUNT(svns); i++)
        ck_assert_msg(identity_code(changed(IDENTITY, svns[i], "{\"isvsvn\":65536}")) != TEE_OK, "level %zu", i);
    static const char *const modules[] = { MODULE("TDX_03"), MODULE("tdx_1F") };
    for (size_t i = 0; i < COUNT(modules); i++)
        for (size_t k = 0; k < COUNT(wrong); k++)
            ck_assert_msg(info_code(changed(INFO, modules[i], wrong[k])) == E_TCB_JSON, "module %zu, %s", i, wrong[k]);
}
END_TEST

START_TEST(memory_that_ends_is_told_as_such)
{
    bool whole = false;
    for (size_t limit = 0; !whole; limit += 16) {
        arena_t small;
        tcb_info_t x, before;
        err_t fault = { 0 };
        memset(&before, 0x5a, sizeof before);
        x = before;
        arena_init(&small, limit);
        rc_t rc = tcb_info_parse(&x, &fault, &small, view_str(INFO), TCB_OF_TDX);
        ck_assert(rc == RC_OK || (rc == RC_NOMEM && fault.code == E_NOMEM));
        ck_assert(rc == RC_OK || memcmp(&x, &before, sizeof x) == 0);
        whole = rc == RC_OK;
        arena_free(&small);
    }
}
END_TEST

START_TEST(the_order_of_levels_in_the_document_does_not_matter)
{
    static const char *const levels[4] = { LEVEL_A, LEVEL_B, LEVEL_C, LEVEL_D };
    static char doc[DOC_MAX];
    unsigned seen = 0;
    for (unsigned code = 0; code < 256; code++) {
        const unsigned at[4] = { code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6 };
        tcb_info_t x;
        err_t fault;
        if ((1u << at[0] | 1u << at[1] | 1u << at[2] | 1u << at[3]) != 15)
            continue; /* not a permutation */
        snprintf(doc, sizeof doc, "%s\"tcbLevels\":[%s,%s,%s,%s]}", INFO_HEAD, levels[at[0]], levels[at[1]],
                 levels[at[2]], levels[at[3]]);
        ck_assert_int_eq(tcb_info_parse(&x, &fault, &arena, view_str(doc), TCB_OF_TDX), RC_OK);
        ck_assert(x.levels[0].status == TCB_UP_TO_DATE && x.levels[1].status == TCB_SW_HARDENING_NEEDED &&
                  x.levels[2].status == TCB_CONFIGURATION_NEEDED && x.levels[3].status == TCB_OUT_OF_DATE);
        seen++;
    }
    ck_assert_uint_eq(seen, 24);
}
END_TEST

START_TEST(statuses_have_the_names_that_intel_gives_them)
{
    static const char *const names[] = { "UpToDate",
                                         "SWHardeningNeeded",
                                         "ConfigurationNeeded",
                                         "ConfigurationAndSWHardeningNeeded",
                                         "OutOfDate",
                                         "OutOfDateConfigurationNeeded",
                                         "TDRelaunchAdvised",
                                         "TDRelaunchAdvisedConfigurationNeeded",
                                         "Revoked" };
    ck_assert_uint_eq(COUNT(names), TCB_STATUS_COUNT);
    for (unsigned i = 0; i < TCB_STATUS_COUNT; i++) {
        ck_assert_str_eq(tcb_status_name((tcb_status_t)i), names[i]);
        ck_assert_str_eq(tcb_status_names[i], names[i]);
    }
    ck_assert_str_eq(tcb_status_name(TCB_STATUS_COUNT), "unknown");
    ck_assert_ptr_null(tcb_status_names[TCB_STATUS_COUNT]);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND(
        "tcb", setup, teardown, a_tcb_info_is_read_and_its_levels_sorted, a_qe_identity_is_read_and_its_levels_sorted,
        a_malformed_tcb_info_is_refused_with_its_code, a_malformed_qe_identity_is_refused_with_its_code,
        documents_of_one_tee_are_not_those_of_the_other, documents_are_whole_bounded_and_stand_alone,
        lists_have_their_maximum, advisory_ids_have_their_maximum, a_malformed_level_is_refused_wherever_it_stands,
        memory_that_ends_is_told_as_such, the_order_of_levels_in_the_document_does_not_matter,
        statuses_have_the_names_that_intel_gives_them);
}
