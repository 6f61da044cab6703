/* tcb_parse.c - TCB info and QE identity from their signed JSON. */
#include <strings.h>

#include "base/hex.h"
#include "base/json.h"
#include "tee/collateral/collateral.h"
#include "tee/collateral/tcb.h"

#define COMPONENTS 16u

const char *const tcb_status_names[TCB_STATUS_COUNT + 1] = {
    [TCB_UP_TO_DATE] = "UpToDate",
    [TCB_SW_HARDENING_NEEDED] = "SWHardeningNeeded",
    [TCB_CONFIGURATION_NEEDED] = "ConfigurationNeeded",
    [TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED] = "ConfigurationAndSWHardeningNeeded",
    [TCB_OUT_OF_DATE] = "OutOfDate",
    [TCB_OUT_OF_DATE_CONFIGURATION_NEEDED] = "OutOfDateConfigurationNeeded",
    [TCB_TD_RELAUNCH_ADVISED] = "TDRelaunchAdvised",
    [TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED] = "TDRelaunchAdvisedConfigurationNeeded",
    [TCB_REVOKED] = "Revoked",
};

const char *tcb_status_name(tcb_status_t s)
{
    return (unsigned)s < TCB_STATUS_COUNT ? tcb_status_names[s] : "unknown";
}

/* Which of the two documents is read: the codes of its faults, and the arena of its lists. */
typedef struct {
    tee_code_t json, time, id;
    arena_t *a;
    bool sgx;
} reader_t;

/* issueDate and nextUpdate. */
static void read_dates(int64_t *issue, int64_t *next, const reader_t *r, const jo_t *o)
{
    jo_code(o, (uint16_t)r->time);
    *issue = jo_time(o, "issueDate");
    *next = jo_time(o, "nextUpdate");
    if (*next < *issue)
        jo_fail(o, "nextUpdate", RC_MALFORMED, "is before issueDate");
    jo_code(o, (uint16_t)r->json);
}

static void read_advisories(tcb_level_t *out, const reader_t *r, const jo_t *o)
{
    jo_t list, id;
    if (!jo_opt_list(o, &list, "advisoryIDs", 0, TCB_ADVISORIES_MAX))
        return;
    while (jo_next(&list, &id))
        out->advisories[out->advisory_count++] = jo_text_copy(&id, r->a, NULL, 1, TCB_ADVISORY_LEN_MAX);
}

/* What every level has: date, status, advisories. */
static void read_level(tcb_level_t *out, const reader_t *r, const jo_t *o)
{
    out->tcb_date = jo_time(o, "tcbDate");
    out->status = (tcb_status_t)jo_word(o, "tcbStatus", tcb_status_names);
    if (out->status == TCB_TD_RELAUNCH_ADVISED || out->status == TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED)
        jo_fail(o, "tcbStatus", RC_MALFORMED, "is one that no level has");
    read_advisories(out, r, o);
}

/* Levels of a module or of the QE: one SVN, and of the statuses only three. */
static void read_svn_level(tcb_level_t *out, const reader_t *r, const jo_t *o)
{
    const jo_t tcb = jo_object(o, "tcb");
    out->isv_svn = (uint16_t)jo_u64(&tcb, "isvsvn", 0, UINT16_MAX);
    read_level(out, r, o);
    if (out->status != TCB_UP_TO_DATE && out->status != TCB_OUT_OF_DATE && out->status != TCB_REVOKED)
        jo_fail(o, "tcbStatus", RC_MALFORMED, "is one that only platforms have");
}

static void read_components(uint8_t out[COMPONENTS], const jo_t *tcb, const char *key)
{
    jo_t list = jo_list(tcb, key, 0, SIZE_MAX), one;
    if (jo_size(&list) != COMPONENTS)
        jo_fail(&list, NULL, RC_MALFORMED, "has not %u elements", COMPONENTS);
    while (jo_next(&list, &one))
        out[one.index] = (uint8_t)jo_u64(&one, "svn", 0, UINT8_MAX);
}

static void read_platform_level(tcb_level_t *out, const reader_t *r, const jo_t *o)
{
    jo_code(o, E_TCB_COMPONENTS);
    const jo_t tcb = jo_object(o, "tcb");
    read_components(out->sgx, &tcb, "sgxtcbcomponents");
    if (!r->sgx)
        read_components(out->tdx, &tcb, "tdxtcbcomponents");
    out->pce_svn = (uint16_t)jo_u64(&tcb, "pcesvn", 0, UINT16_MAX);
    jo_code(o, (uint16_t)r->json);
    read_level(out, r, o);
}

/* Whether x comes before y: the higher level first. */
static bool is_higher(const tcb_level_t *x, const tcb_level_t *y)
{
    int order = memcmp(x->sgx, y->sgx, COMPONENTS);
    if (!order)
        order = (int)x->pce_svn - (int)y->pce_svn;
    if (!order)
        order = memcmp(x->tdx, y->tdx, COMPONENTS);
    if (!order)
        order = (int)x->isv_svn - (int)y->isv_svn;
    return order > 0;
}

/* Puts a level behind those that are not lower. */
static void insert(tcb_level_t *levels, size_t count, const tcb_level_t *one)
{
    size_t at = count;
    while (at && is_higher(one, &levels[at - 1]))
        at--;
    memmove(&levels[at + 1], &levels[at], (count - at) * sizeof *levels);
    levels[at] = *one;
}

/* A sorted list of levels; not empty. */
static void read_levels(const tcb_level_t **out, size_t *count, const reader_t *r, const jo_t *o,
                        void (*read_one)(tcb_level_t *out, const reader_t *r, const jo_t *o))
{
    jo_t list = jo_list(o, "tcbLevels", 1, TCB_LEVELS_MAX), level;
    const size_t n = jo_size(&list);
    tcb_level_t *levels = arena_calloc(r->a, n, sizeof *levels), *one = arena_alloc(r->a, sizeof *one);
    if (n && (!levels || !one))
        jo_fail(&list, NULL, RC_NOMEM, "out of memory");
    while (jo_next(&list, &level)) {
        memset(one, 0, sizeof *one);
        read_one(one, r, &level);
        insert(levels, level.index, one);
    }
    *out = levels;
    *count = n;
}

static void read_module_base(tcb_module_t *m, const jo_t *o)
{
    jo_hex(o, m->mr_signer, sizeof m->mr_signer, "mrsigner", HEX_BARE);
    jo_hex(o, m->attributes, sizeof m->attributes, "attributes", HEX_BARE);
    jo_hex(o, m->attributes_mask, sizeof m->attributes_mask, "attributesMask", HEX_BARE);
}

/* One of several modules; those before it are read. */
static void read_module(tcb_module_t *modules, const reader_t *r, const jo_t *o)
{
    tcb_module_t *m = &modules[o->index];
    const view_t id = jo_text(o, "id", 0, SIZE_MAX);
    if (id.n != 6 || strncasecmp((const char *)id.p, "TDX_", 4) != 0 ||
        hex_decode_exact(&m->version, 1, (const char *)id.p + 4, 2))
        jo_fail(o, "id", RC_MALFORMED, "is not TDX_ and two hex digits");
    for (size_t k = 0; k < o->index; k++)
        if (modules[k].version == m->version)
            jo_fail(o, "id", RC_MALFORMED, "is that of another module too");
    read_module_base(m, o);
    read_levels(&m->levels, &m->level_count, r, o, read_svn_level);
}

static void read_modules(tcb_info_t *info, const reader_t *r, const jo_t *o)
{
    jo_t list, one;
    if (!jo_opt_list(o, &list, "tdxModuleIdentities", 0, TCB_MODULES_MAX))
        return;
    info->module_count = jo_size(&list);
    tcb_module_t *modules = arena_calloc(r->a, info->module_count + 1, sizeof *modules);
    if (!modules)
        jo_fail(&list, NULL, RC_NOMEM, "out of memory");
    while (jo_next(&list, &one))
        read_module(modules, r, &one);
    info->modules = modules;
}

static void check_id(const reader_t *r, const jo_t *o, const char *id, uint64_t version)
{
    jo_code(o, (uint16_t)r->id);
    if (!view_eq(jo_text(o, "id", 0, SIZE_MAX), view_str(id)))
        jo_fail(o, "id", RC_MALFORMED, "is not %s", id);
    jo_u64(o, "version", version, version);
    jo_code(o, (uint16_t)r->json);
}

static void read_info(void *out, const reader_t *r, const jo_t *o)
{
    tcb_info_t *x = out;
    check_id(r, o, r->sgx ? "SGX" : "TDX", 3);
    read_dates(&x->issue_date, &x->next_update, r, o);
    jo_hex(o, x->fmspc, sizeof x->fmspc, "fmspc", HEX_BARE);
    jo_hex(o, x->pce_id, sizeof x->pce_id, "pceId", HEX_BARE);
    jo_u64(o, "tcbType", 0, 0);
    x->evaluation_number = (uint32_t)jo_u64(o, "tcbEvaluationDataNumber", 0, UINT32_MAX);
    if (!r->sgx) {
        const jo_t base = jo_object(o, "tdxModule");
        read_module_base(&x->base_module, &base);
        read_modules(x, r, o);
    }
    read_levels(&x->levels, &x->level_count, r, o, read_platform_level);
}

static void read_identity(void *out, const reader_t *r, const jo_t *o)
{
    qe_identity_t *x = out;
    check_id(r, o, r->sgx ? "QE" : "TD_QE", 2);
    read_dates(&x->issue_date, &x->next_update, r, o);
    x->evaluation_number = (uint32_t)jo_u64(o, "tcbEvaluationDataNumber", 0, UINT32_MAX);
    jo_hex(o, x->misc_select, sizeof x->misc_select, "miscselect", HEX_BARE);
    jo_hex(o, x->misc_select_mask, sizeof x->misc_select_mask, "miscselectMask", HEX_BARE);
    jo_hex(o, x->attributes, sizeof x->attributes, "attributes", HEX_BARE);
    jo_hex(o, x->attributes_mask, sizeof x->attributes_mask, "attributesMask", HEX_BARE);
    jo_hex(o, x->mr_signer, sizeof x->mr_signer, "mrsigner", HEX_BARE);
    x->isv_prod_id = (uint16_t)jo_u64(o, "isvprodid", 0, UINT16_MAX);
    read_levels(&x->levels, &x->level_count, r, o, read_svn_level);
}

/* Either document into out, whose type is that of the function that reads it. */
static rc_t parse(void *out, err_t *e, const reader_t *r, view_t json,
                  void (*fill)(void *out, const reader_t *r, const jo_t *o))
{
    jo_doc_t doc;
    err_t found;
    const jo_t o = jo_open(&doc, &found, json, COLLATERAL_DOC_MAX, JO_LENIENT);
    if (jo_rc(&o))
        found.code = (uint16_t)r->json;
    jo_code(&o, (uint16_t)r->json);
    jo_object(&o, NULL);
    fill(out, r, &o);
    const rc_t rc = jo_done(&o);
    jo_close(&doc);
    return rc ? tee_fail_json(e, &found) : RC_OK;
}

rc_t tcb_info_parse(tcb_info_t *out, err_t *e, arena_t *a, view_t json, tcb_tee_t tee)
{
    const reader_t r = { E_TCB_JSON, E_TCB_TIME, E_TCB_ID, a, tee == TCB_OF_SGX };
    tcb_info_t x = { 0 };
    const rc_t rc = parse(&x, e, &r, json, read_info);
    if (!rc)
        *out = x;
    return rc;
}

rc_t qe_identity_parse(qe_identity_t *out, err_t *e, arena_t *a, view_t json, tcb_tee_t tee)
{
    const reader_t r = { E_QEID_JSON, E_QEID_TIME, E_QEID_ID, a, tee == TCB_OF_SGX };
    qe_identity_t x = { 0 };
    const rc_t rc = parse(&x, e, &r, json, read_identity);
    if (!rc)
        *out = x;
    return rc;
}
