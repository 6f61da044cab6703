/* tcb_parse.c - TCB info and QE identity from their signed JSON. */
#include <strings.h>

#include "base/hex.h"
#include "base/json_tree.h"
#include "tee/collateral/collateral.h"
#include "tee/collateral/tcb.h"
#include "tee/x509/date.h"

static const char *const status_names[TCB_STATUS_COUNT] = {
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
    return (unsigned)s < TCB_STATUS_COUNT ? status_names[s] : "unknown";
}

bool tcb_status_of(tcb_status_t *out, view_t name)
{
    for (unsigned i = 0; i < TCB_STATUS_COUNT; i++)
        if (view_eq(name, view_str(status_names[i]))) {
            *out = (tcb_status_t)i;
            return true;
        }
    return false;
}

/* Which of the two documents is read: the codes of its faults, and the arena of its lists. */
typedef struct {
    err_t *e;
    tee_code_t json, time, id;
    arena_t *a;
    bool sgx;
} reader_t;

static rc_t bad(const reader_t *r, const char *why)
{
    return tee_fail(r->e, r->json, why);
}

static bool get_hex(uint8_t *out, size_t n, const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    return json_is_string(v) && json_string_length(v) == 2 * n &&
           hex_decode_exact(out, n, json_string_value(v), json_string_length(v)) == RC_OK;
}

static bool get_number(uint64_t *out, const json_t *o, const char *key, uint64_t max)
{
    const json_t *v = json_object_get(o, key);
    if (!json_is_integer(v) || json_integer_value(v) < 0 || (uint64_t)json_integer_value(v) > max)
        return false;
    *out = (uint64_t)json_integer_value(v);
    return true;
}

static bool get_date(int64_t *out, const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    return json_is_string(v) && date_read(out, view_of(json_string_value(v), json_string_length(v)));
}

/* issueDate and nextUpdate. */
static rc_t get_dates(int64_t *issue, int64_t *next, const reader_t *r, const json_t *o)
{
    if (!get_date(issue, o, "issueDate") || !get_date(next, o, "nextUpdate"))
        return tee_fail(r->e, r->time, "issueDate or nextUpdate is missing or not a date");
    return *next < *issue ? tee_fail(r->e, r->time, "nextUpdate is before issueDate") : RC_OK;
}

/* What every level has: date, status, advisories. */
static rc_t read_level(tcb_level_t *out, const reader_t *r, const json_t *o)
{
    const json_t *status = json_object_get(o, "tcbStatus"), *list = json_object_get(o, "advisoryIDs");
    if (!get_date(&out->tcb_date, o, "tcbDate"))
        return bad(r, "a level's tcbDate is missing or not a date");
    if (!json_is_string(status) ||
        !tcb_status_of(&out->status, view_of(json_string_value(status), json_string_length(status))) ||
        out->status == TCB_TD_RELAUNCH_ADVISED || out->status == TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED)
        return bad(r, "a level's tcbStatus is missing or unknown");
    if (list && !json_is_array(list))
        return bad(r, "a level's advisoryIDs are not a list");
    out->advisory_count = json_array_size(list);
    if (out->advisory_count > TCB_ADVISORIES_MAX)
        return tee_fail(r->e, E_LIMIT, "a level has too many advisories");
    for (size_t i = 0; i < out->advisory_count; i++) {
        const json_t *id = json_array_get(list, i);
        if (!json_is_string(id) || !json_string_length(id) || json_string_length(id) > TCB_ADVISORY_LEN_MAX)
            return bad(r, "an advisory id is not text, or too long");
        out->advisories[i] = arena_dup(r->a, view_of(json_string_value(id), json_string_length(id)));
        if (!out->advisories[i].p)
            return tee_fail(r->e, E_NOMEM, NULL);
    }
    return RC_OK;
}

/* Levels of a module or of the QE: one SVN, and of the statuses only three. */
static rc_t read_svn_level(tcb_level_t *out, const reader_t *r, const json_t *o)
{
    uint64_t svn;
    if (!get_number(&svn, json_object_get(o, "tcb"), "isvsvn", UINT16_MAX))
        return bad(r, "a level's isvsvn is missing or not a number of 16 bits");
    out->isv_svn = (uint16_t)svn;
    rc_t rc = read_level(out, r, o);
    if (!rc && out->status != TCB_UP_TO_DATE && out->status != TCB_OUT_OF_DATE && out->status != TCB_REVOKED)
        return bad(r, "a module or QE level has a status that only platforms have");
    return rc;
}

static rc_t read_components(uint8_t out[16], const reader_t *r, const json_t *list)
{
    uint64_t svn;
    if (json_array_size(list) != 16)
        return tee_fail(r->e, E_TCB_COMPONENTS, NULL);
    for (size_t i = 0; i < 16; i++) {
        if (!get_number(&svn, json_array_get(list, i), "svn", UINT8_MAX))
            return tee_fail(r->e, E_TCB_COMPONENTS, NULL);
        out[i] = (uint8_t)svn;
    }
    return RC_OK;
}

static rc_t read_platform_level(tcb_level_t *out, const reader_t *r, const json_t *o)
{
    const json_t *tcb = json_object_get(o, "tcb");
    uint64_t pce;
    rc_t rc = read_components(out->sgx, r, json_object_get(tcb, "sgxtcbcomponents"));
    if (!rc && !r->sgx)
        rc = read_components(out->tdx, r, json_object_get(tcb, "tdxtcbcomponents"));
    if (rc)
        return rc;
    if (!get_number(&pce, tcb, "pcesvn", UINT16_MAX))
        return tee_fail(r->e, E_TCB_COMPONENTS, "a TCB level's pcesvn is missing or not a number of 16 bits");
    out->pce_svn = (uint16_t)pce;
    return read_level(out, r, o);
}

/* Whether x comes before y: the higher level first. */
static bool is_higher(const tcb_level_t *x, const tcb_level_t *y)
{
    int order = memcmp(x->sgx, y->sgx, 16);
    if (!order)
        order = (int)x->pce_svn - (int)y->pce_svn;
    if (!order)
        order = memcmp(x->tdx, y->tdx, 16);
    if (!order)
        order = (int)x->isv_svn - (int)y->isv_svn;
    return order > 0;
}

/* A sorted list of levels; not empty. */
static rc_t read_levels(const tcb_level_t **out, size_t *count, const reader_t *r, const json_t *list,
                        rc_t (*read_one)(tcb_level_t *out, const reader_t *r, const json_t *o))
{
    size_t n = json_array_size(list);
    if (!n)
        return bad(r, "a list of TCB levels is missing or empty");
    if (n > TCB_LEVELS_MAX)
        return tee_fail(r->e, E_LIMIT, "too many TCB levels");
    tcb_level_t *levels = arena_calloc(r->a, n, sizeof *levels), *one = arena_alloc(r->a, sizeof *one);
    if (!levels || !one)
        return tee_fail(r->e, E_NOMEM, NULL);
    for (size_t i = 0; i < n; i++) {
        size_t at = i;
        memset(one, 0, sizeof *one);
        rc_t rc = read_one(one, r, json_array_get(list, i));
        if (rc)
            return rc;
        while (at && is_higher(one, &levels[at - 1]))
            at--;
        memmove(&levels[at + 1], &levels[at], (i - at) * sizeof *levels);
        levels[at] = *one;
    }
    *out = levels;
    *count = n;
    return RC_OK;
}

static bool read_module_base(tcb_module_t *m, const json_t *o)
{
    return get_hex(m->mr_signer, 48, o, "mrsigner") && get_hex(m->attributes, 8, o, "attributes") &&
           get_hex(m->attributes_mask, 8, o, "attributesMask");
}

static rc_t read_modules(tcb_info_t *info, const reader_t *r, const json_t *list)
{
    size_t n = json_array_size(list);
    if (list && !json_is_array(list))
        return bad(r, "tdxModuleIdentities is not a list");
    if (n > TCB_MODULES_MAX)
        return tee_fail(r->e, E_LIMIT, "too many TDX module identities");
    tcb_module_t *modules = arena_calloc(r->a, n ? n : 1, sizeof *modules);
    if (!modules)
        return tee_fail(r->e, E_NOMEM, NULL);
    for (size_t i = 0; i < n; i++) {
        const json_t *o = json_array_get(list, i);
        const char *id = json_string_value(json_object_get(o, "id"));
        if (!id || strlen(id) != 6 || strncasecmp(id, "TDX_", 4) != 0 ||
            hex_decode_exact(&modules[i].version, 1, id + 4, 2))
            return bad(r, "a TDX module identity's id is not TDX_ and two hex digits");
        for (size_t k = 0; k < i; k++)
            if (modules[k].version == modules[i].version)
                return bad(r, "a TDX module version has two identities");
        if (!read_module_base(&modules[i], o))
            return bad(r, "a TDX module identity lacks mrsigner, attributes or attributesMask");
        rc_t rc = read_levels(&modules[i].levels, &modules[i].level_count, r, json_object_get(o, "tcbLevels"),
                              read_svn_level);
        if (rc)
            return rc;
    }
    info->modules = modules;
    info->module_count = n;
    return RC_OK;
}

static rc_t check_id(const reader_t *r, const json_t *o, const char *id, uint64_t version)
{
    const char *text = json_string_value(json_object_get(o, "id"));
    uint64_t v;
    if (!text || strcmp(text, id) != 0 || !get_number(&v, o, "version", UINT16_MAX) || v != version)
        return tee_fail(r->e, r->id, NULL);
    return RC_OK;
}

static rc_t read_info(tcb_info_t *x, const reader_t *r, const json_t *o)
{
    uint64_t n;
    rc_t rc = check_id(r, o, r->sgx ? "SGX" : "TDX", 3);
    if (!rc)
        rc = get_dates(&x->issue_date, &x->next_update, r, o);
    if (rc)
        return rc;
    if (!get_hex(x->fmspc, 6, o, "fmspc") || !get_hex(x->pce_id, 2, o, "pceId"))
        return bad(r, "fmspc or pceId is missing or malformed");
    if (!get_number(&n, o, "tcbType", UINT16_MAX) || n != 0)
        return bad(r, "tcbType is not 0");
    if (!get_number(&n, o, "tcbEvaluationDataNumber", UINT32_MAX))
        return bad(r, "tcbEvaluationDataNumber is missing or malformed");
    x->evaluation_number = (uint32_t)n;
    if (!r->sgx && !read_module_base(&x->base_module, json_object_get(o, "tdxModule")))
        return bad(r, "tdxModule is missing or malformed");
    if (!r->sgx)
        rc = read_modules(x, r, json_object_get(o, "tdxModuleIdentities"));
    return rc ? rc : read_levels(&x->levels, &x->level_count, r, json_object_get(o, "tcbLevels"), read_platform_level);
}

static rc_t read_identity(qe_identity_t *x, const reader_t *r, const json_t *o)
{
    uint64_t n, prod_id;
    rc_t rc = check_id(r, o, r->sgx ? "QE" : "TD_QE", 2);
    if (!rc)
        rc = get_dates(&x->issue_date, &x->next_update, r, o);
    if (rc)
        return rc;
    if (!get_number(&n, o, "tcbEvaluationDataNumber", UINT32_MAX))
        return bad(r, "tcbEvaluationDataNumber is missing or malformed");
    x->evaluation_number = (uint32_t)n;
    if (!get_hex(x->misc_select, 4, o, "miscselect") || !get_hex(x->misc_select_mask, 4, o, "miscselectMask") ||
        !get_hex(x->attributes, 16, o, "attributes") || !get_hex(x->attributes_mask, 16, o, "attributesMask") ||
        !get_hex(x->mr_signer, 32, o, "mrsigner") || !get_number(&prod_id, o, "isvprodid", UINT16_MAX))
        return bad(r, "a field of the QE's identity is missing or malformed");
    x->isv_prod_id = (uint16_t)prod_id;
    return read_levels(&x->levels, &x->level_count, r, json_object_get(o, "tcbLevels"), read_svn_level);
}

/* The document as a tree. */
static rc_t load(json_t **out, const reader_t *r, view_t json)
{
    rc_t rc = json_load_strict(out, json, COLLATERAL_DOC_MAX);
    if (!rc && !json_is_object(*out)) {
        json_decref(*out);
        rc = RC_MALFORMED;
    }
    if (!rc)
        return RC_OK;
    return tee_fail(r->e, rc == RC_NOMEM ? E_NOMEM : rc == RC_LIMIT ? E_LIMIT : r->json, NULL);
}

rc_t tcb_info_parse(tcb_info_t *out, err_t *e, arena_t *a, view_t json, tcb_tee_t tee)
{
    const reader_t r = { e, E_TCB_JSON, E_TCB_TIME, E_TCB_ID, a, tee == TCB_OF_SGX };
    tcb_info_t x = { 0 };
    json_t *o;
    rc_t rc = load(&o, &r, json);
    if (rc)
        return rc;
    rc = read_info(&x, &r, o);
    json_decref(o);
    if (!rc)
        *out = x;
    return rc;
}

rc_t qe_identity_parse(qe_identity_t *out, err_t *e, arena_t *a, view_t json, tcb_tee_t tee)
{
    const reader_t r = { e, E_QEID_JSON, E_QEID_TIME, E_QEID_ID, a, tee == TCB_OF_SGX };
    qe_identity_t x = { 0 };
    json_t *o;
    rc_t rc = load(&o, &r, json);
    if (rc)
        return rc;
    rc = read_identity(&x, &r, o);
    json_decref(o);
    if (!rc)
        *out = x;
    return rc;
}
