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

/* *level is NULL for module version 0, which has none. */
static rc_t grade_module(const tcb_level_t **level, err_t *e, const tcb_info_t *info, const quote_td_t *td)
{
    static const uint8_t zeros[8];
    uint8_t svn = td->tcb_svn[0], version = td->tcb_svn[1];
    const tcb_module_t *m = version ? find_module(info, version) : &info->base_module;
    *level = NULL;
    if (!m)
        return tee_fail(e, E_MODULE_ID, NULL);
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
    return version ? tee_fail(e, E_MODULE_SVN, NULL) : RC_OK;
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

/* --- relaunch advice: the platform is patched, the TD began before (section 6.4) --- */

/* Whether the module that runs now is the newest one. */
static bool runs_newest(const tcb_info_t *info, const uint8_t svn2[16])
{
    const tcb_level_t *highest = &info->levels[0];
    if (!svn2[1])
        return svn2[0] >= highest->tdx[0] && svn2[2] >= highest->tdx[2];
    const tcb_module_t *m = find_module(info, svn2[1]);
    return m && svn2[0] >= m->levels[0].isv_svn && svn2[2] >= highest->tdx[2];
}

static bool needs_configuration(tcb_status_t s)
{
    return s == TCB_CONFIGURATION_NEEDED || s == TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED ||
           s == TCB_OUT_OF_DATE_CONFIGURATION_NEEDED;
}

/* tdx: platform and module together; sgx: of the first level reached on SGX components alone. */
static bool relaunch_helps(const tcb_grade_t *g, tcb_status_t tdx, tcb_status_t sgx, const tcb_info_t *info,
                           const quote_t *q)
{
    bool sgx_good = sgx == TCB_UP_TO_DATE || sgx == TCB_SW_HARDENING_NEEDED || sgx == TCB_CONFIGURATION_NEEDED ||
                    sgx == TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED;
    return q->body_type == QUOTE_BODY_TD15 && g->qe == TCB_UP_TO_DATE && sgx_good &&
           (tdx == TCB_OUT_OF_DATE || tdx == TCB_OUT_OF_DATE_CONFIGURATION_NEEDED) && g->has_module &&
           g->module == TCB_OUT_OF_DATE && runs_newest(info, q->td.tcb_svn2);
}

/* --- together --- */

/* False: there are more than a result can hold. */
static bool add_advisories(tcb_grade_t *g, const tcb_level_t *level)
{
    for (size_t i = 0; level && i < level->advisory_count; i++) {
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

rc_t tcb_grade(tcb_grade_t *out, err_t *e, const tcb_info_t *info, const tcb_level_t *qe_level,
               const uint8_t components[16], uint16_t pce_svn, const quote_t *quote)
{
    const tcb_level_t *platform = NULL, *sgx = NULL, *module = NULL;
    tcb_grade_t g = { .qe = qe_level->status };
    bool is_td = quote->body_type != QUOTE_BODY_ENCLAVE;
    rc_t rc = is_td ? grade_module(&module, e, info, &quote->td) : RC_OK;
    if (rc)
        return rc;
    for (size_t i = 0; !platform && i < info->level_count; i++) {
        const tcb_level_t *level = &info->levels[i];
        if (!reaches_sgx(level, components, pce_svn))
            continue;
        sgx = sgx ? sgx : level;
        if (!is_td || reaches_tdx(level, quote->td.tcb_svn))
            platform = level;
    }
    if (!platform)
        return tee_fail(e, E_TCB_UNSUPPORTED, NULL);
    g.platform = platform->status;
    g.tcb_date = platform->tcb_date;
    g.has_module = module != NULL;
    g.module = module ? module->status : TCB_UP_TO_DATE;
    tcb_status_t tdx = module ? converge(module->status, platform->status) : platform->status;
    g.status = converge(g.qe, tdx);
    if (relaunch_helps(&g, tdx, sgx->status, info, quote))
        g.status = needs_configuration(sgx->status) || needs_configuration(tdx)
                       ? TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED
                       : TCB_TD_RELAUNCH_ADVISED;
    if (!add_advisories(&g, platform) || !add_advisories(&g, module) || !add_advisories(&g, qe_level))
        return tee_fail(e, E_LIMIT, "too many advisories");
    *out = g;
    return RC_OK;
}
