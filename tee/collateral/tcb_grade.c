/* tcb_grade.c - how a platform, its TDX module and its quoting enclave are graded, by Intel's rule. */
#include "tee/collateral/tcb.h"

#define ENCLAVE_DEBUG 0x02u /* in byte 0 of an enclave's attributes */

/* --- the quoting enclave --- */

static bool equal_masked(const uint8_t *got, const uint8_t *want, const uint8_t *mask, size_t n)
{
    uint8_t differ = 0;
    for (size_t i = 0; i < n; i++)
        differ |= (uint8_t)((got[i] ^ want[i]) & mask[i]);
    return differ == 0;
}

rc_t tcb_grade_qe(const tcb_level_t **level, err_t *e, const qe_identity_t *id, const quote_enclave_t *qe)
{
    uint8_t misc[4];
    for (unsigned i = 0; i < 4; i++)
        misc[i] = (uint8_t)(qe->misc_select >> 8 * i);
    if (!equal_masked(misc, id->misc_select, id->misc_select_mask, 4))
        return tee_fail(e, E_QE_MISC, NULL);
    if (qe->attributes[0] & ENCLAVE_DEBUG)
        return tee_fail(e, E_QE_DEBUG, NULL);
    if (!equal_masked(qe->attributes, id->attributes, id->attributes_mask, 16))
        return tee_fail(e, E_QE_ATTR, NULL);
    if (memcmp(qe->mr_signer, id->mr_signer, 32) != 0)
        return tee_fail(e, E_QE_SIGNER, NULL);
    if (qe->isv_prod_id != id->isv_prod_id)
        return tee_fail(e, E_QE_PRODID, NULL);
    for (size_t i = 0; i < id->level_count; i++)
        if (qe->isv_svn >= id->levels[i].isv_svn) {
            *level = &id->levels[i];
            return RC_OK;
        }
    return tee_fail(e, E_QE_SVN, NULL);
}

/* --- the TDX module --- */

static const tcb_module_t *find_module(const tcb_info_t *info, uint8_t version)
{
    for (size_t i = 0; i < info->module_count; i++)
        if (info->modules[i].version == version)
            return &info->modules[i];
    return NULL;
}

/* Which of the two vectors of TDX SVNs is graded: each has its own codes of refusal. */
typedef struct {
    tee_code_t platform, module_id, module_svn;
} codes_t;
static const codes_t of_launch = { E_TCB_UNSUPPORTED, E_MODULE_ID, E_MODULE_SVN };
static const codes_t of_current = { E_TCB2_UNSUPPORTED, E_MODULE2_ID, E_MODULE2_SVN };

/* *level is NULL for module version 0, which has none. */
static rc_t grade_module(const tcb_level_t **level, err_t *e, const tcb_info_t *info, const quote_td_t *td,
                         const uint8_t svns[16], const codes_t *codes)
{
    static const uint8_t zeros[8];
    uint8_t svn = svns[0], version = svns[1];
    const tcb_module_t *m = version ? find_module(info, version) : &info->base_module;
    *level = NULL;
    if (!m)
        return tee_fail(e, codes->module_id, NULL);
    if (memcmp(td->mr_signer_seam, m->mr_signer, 48) != 0)
        return tee_fail(e, E_MODULE_SIGNER, NULL);
    if (memcmp(td->seam_attributes, zeros, 8) != 0 ||
        !equal_masked(td->seam_attributes, m->attributes, m->attributes_mask, 8))
        return tee_fail(e, E_MODULE_ATTR, NULL);
    for (size_t i = 0; version && i < m->level_count; i++)
        if (svn >= m->levels[i].isv_svn) {
            *level = &m->levels[i];
            return RC_OK;
        }
    return version ? tee_fail(e, codes->module_svn, NULL) : RC_OK;
}

/* --- the platform --- */

static bool reaches_sgx(const tcb_level_t *level, const uint8_t components[16], uint16_t pce_svn)
{
    for (unsigned i = 0; i < 16; i++)
        if (components[i] < level->sgx[i])
            return false;
    return pce_svn >= level->pce_svn;
}

/* Bytes 0 and 1 are the module's version: judged by its identity when there is one. */
static bool reaches_tdx(const tcb_level_t *level, const uint8_t svn[16])
{
    for (unsigned i = svn[1] > 0 ? 2 : 0; i < 16; i++)
        if (svn[i] < level->tdx[i])
            return false;
    return true;
}

/* What a part of status x does to a whole of status l (tee-facts section 6.3). */
static tcb_status_t converge(tcb_status_t x, tcb_status_t l)
{
    if (x == TCB_REVOKED)
        return TCB_REVOKED;
    if (x != TCB_OUT_OF_DATE)
        return l;
    if (l == TCB_UP_TO_DATE || l == TCB_SW_HARDENING_NEEDED)
        return TCB_OUT_OF_DATE;
    if (l == TCB_CONFIGURATION_NEEDED || l == TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED)
        return TCB_OUT_OF_DATE_CONFIGURATION_NEEDED;
    return l;
}

/* --- one vector of TDX SVNs, whole --- */

/* What is graded, and by what. */
typedef struct {
    const tcb_info_t *info;
    const tcb_level_t *qe;
    const uint8_t *components; /* 16 */
    uint16_t pce_svn;
    const quote_td_t *td; /* NULL: an SGX enclave */
} subject_t;

typedef struct {
    const tcb_level_t *platform, *module; /* module NULL: none */
    tcb_status_t status;                  /* with the QE's */
} whole_t;

/* Sections 6.1 to 6.3. */
static rc_t grade_vector(whole_t *out, err_t *e, const subject_t *s, const uint8_t svns[16], const codes_t *codes)
{
    const tcb_info_t *info = s->info;
    whole_t w = { 0 };
    rc_t rc = s->td ? grade_module(&w.module, e, info, s->td, svns, codes) : RC_OK;
    if (rc)
        return rc;
    for (size_t i = 0; !w.platform && i < info->level_count; i++)
        if (reaches_sgx(&info->levels[i], s->components, s->pce_svn) && (!s->td || reaches_tdx(&info->levels[i], svns)))
            w.platform = &info->levels[i];
    if (!w.platform)
        return tee_fail(e, codes->platform, NULL);
    w.status = w.module ? converge(w.module->status, w.platform->status) : w.platform->status;
    w.status = converge(s->qe->status, w.status);
    *out = w;
    return RC_OK;
}

/* --- both vectors of a TD report 1.5 (section 6.4) --- */

static bool is_zero(const uint8_t svns[16])
{
    static const uint8_t zeros[16];
    return !memcmp(svns, zeros, 16);
}

static bool out_of_date(tcb_status_t s)
{
    return s == TCB_OUT_OF_DATE || s == TCB_OUT_OF_DATE_CONFIGURATION_NEEDED;
}

static bool needs_configuration(tcb_status_t s)
{
    return s == TCB_CONFIGURATION_NEEDED || s == TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED ||
           s == TCB_OUT_OF_DATE_CONFIGURATION_NEEDED;
}

/* The platform is patched, the TD began before. */
static tcb_status_t advise_relaunch(tcb_status_t launch, tcb_status_t current)
{
    bool patched = current == TCB_UP_TO_DATE || current == TCB_SW_HARDENING_NEEDED ||
                   current == TCB_CONFIGURATION_NEEDED || current == TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED;
    if (!out_of_date(launch) || !patched)
        return launch;
    return needs_configuration(launch) || needs_configuration(current) ? TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED
                                                                       : TCB_TD_RELAUNCH_ADVISED;
}

/* --- together --- */

/* False: there are more than a result can hold. */
static bool add_advisories(tcb_grade_t *g, const tcb_level_t *level)
{
    for (size_t i = 0; i < level->advisory_count; i++) {
        size_t k = 0;
        while (k < g->advisory_count && !view_eq(g->advisories[k], level->advisories[i]))
            k++;
        if (k == TCB_ADVISORIES_MAX)
            return false;
        if (k == g->advisory_count)
            g->advisories[g->advisory_count++] = level->advisories[i];
    }
    return true;
}

/* Dates and advisories of every level that w rests on. */
static rc_t add_levels(tcb_grade_t *g, err_t *e, const whole_t *w, const tcb_level_t *qe)
{
    const tcb_level_t *levels[] = { w->platform, w->module, qe };
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        if (!levels[i])
            continue;
        if (levels[i]->tcb_date < g->tcb_date)
            g->tcb_date = levels[i]->tcb_date;
        if (!add_advisories(g, levels[i]))
            return tee_fail(e, E_LIMIT, "too many advisories");
    }
    return RC_OK;
}

/* The second vector of quote, if it has one; else *w stays, which is then of the first. */
static rc_t grade_current(whole_t *w, err_t *e, const subject_t *s, const quote_t *quote)
{
    if (!s->td || quote->body_type < QUOTE_BODY_TD15)
        return RC_OK;
    if (is_zero(s->td->tcb_svn2))
        return tee_fail(e, E_TCB2_ZERO, NULL);
    return grade_vector(w, e, s, s->td->tcb_svn2, &of_current);
}

rc_t tcb_grade(tcb_grade_t *out, err_t *e, const tcb_info_t *info, const tcb_level_t *qe_level,
               const uint8_t components[16], uint16_t pce_svn, const quote_t *quote)
{
    const quote_td_t *td = quote->body_type != QUOTE_BODY_ENCLAVE ? &quote->td : NULL;
    const subject_t s = { info, qe_level, components, pce_svn, td };
    tcb_grade_t g = { .qe = qe_level->status, .tcb_date = INT64_MAX };
    whole_t launch, current;
    rc_t rc = grade_vector(&launch, e, &s, td ? td->tcb_svn : NULL, &of_launch);
    if (rc)
        return rc;
    current = launch;
    rc = grade_current(&current, e, &s, quote);
    if (!rc)
        rc = add_levels(&g, e, &launch, qe_level);
    if (!rc)
        rc = add_levels(&g, e, &current, qe_level);
    if (rc)
        return rc;
    g.platform = launch.platform->status;
    g.has_module = launch.module != NULL;
    g.module = launch.module ? launch.module->status : TCB_UP_TO_DATE;
    g.launch = launch.status;
    g.current = current.status;
    g.status = advise_relaunch(launch.status, current.status);
    *out = g;
    return RC_OK;
}
