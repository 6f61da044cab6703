#include "tee/collateral/rollback.h"

static size_t find_platform(const rollback_t *m, const uint8_t fmspc[6])
{
    size_t i = 0;
    while (i < ROLLBACK_ROWS_MAX && !(m->platforms[i].used && memcmp(m->platforms[i].fmspc, fmspc, 6) == 0))
        i++;
    return i;
}

static size_t find_issuer(const rollback_t *m, const hash32_t *issuer)
{
    size_t i = 0;
    while (i < ROLLBACK_ROWS_MAX && !(m->issuers[i].used && hash32_eq(&m->issuers[i].crl.issuer, issuer)))
        i++;
    return i;
}

static bool crl_is_older(const rollback_t *m, const chain_crl_t *crl)
{
    size_t i = find_issuer(m, &crl->issuer);
    if (i == ROLLBACK_ROWS_MAX)
        return false;
    const chain_crl_t *known = &m->issuers[i].crl;
    return memcmp(crl->number, known->number, sizeof crl->number) < 0 || crl->this_update < known->this_update;
}

rc_t rollback_check(const rollback_t *m, err_t *e, const tcb_info_t *info, const qe_identity_t *identity,
                    const chain_crl_t *root_crl, const chain_crl_t *pck_crl)
{
    size_t i = find_platform(m, info->fmspc);
    if (i < ROLLBACK_ROWS_MAX) {
        if (info->evaluation_number < m->platforms[i].evaluation_number ||
            info->issue_date < m->platforms[i].issue_date)
            return tee_fail(e, E_ROLLBACK, "the TCB info is older than one accepted before");
        if (identity->evaluation_number < m->platforms[i].qe_evaluation_number ||
            identity->issue_date < m->platforms[i].qe_issue_date)
            return tee_fail(e, E_ROLLBACK, "the QE identity is older than one accepted before");
    }
    if (crl_is_older(m, root_crl) || crl_is_older(m, pck_crl))
        return tee_fail(e, E_ROLLBACK, "a revocation list is older than one accepted before");
    return RC_OK;
}

static void accept_crl(rollback_t *m, const chain_crl_t *crl)
{
    size_t i = find_issuer(m, &crl->issuer);
    if (i == ROLLBACK_ROWS_MAX) {
        i = 0;
        for (size_t k = 1; k < ROLLBACK_ROWS_MAX; k++)
            if (m->issuers[k].used < m->issuers[i].used)
                i = k;
    }
    m->issuers[i].crl = *crl;
    m->issuers[i].used = ++m->clock;
}

void rollback_accept(rollback_t *m, const tcb_info_t *info, const qe_identity_t *identity, const chain_crl_t *root_crl,
                     const chain_crl_t *pck_crl)
{
    size_t i = find_platform(m, info->fmspc);
    if (i == ROLLBACK_ROWS_MAX) {
        i = 0;
        for (size_t k = 1; k < ROLLBACK_ROWS_MAX; k++)
            if (m->platforms[k].used < m->platforms[i].used)
                i = k;
    }
    memcpy(m->platforms[i].fmspc, info->fmspc, 6);
    m->platforms[i].evaluation_number = info->evaluation_number;
    m->platforms[i].issue_date = info->issue_date;
    m->platforms[i].qe_evaluation_number = identity->evaluation_number;
    m->platforms[i].qe_issue_date = identity->issue_date;
    m->platforms[i].used = ++m->clock;
    accept_crl(m, root_crl);
    accept_crl(m, pck_crl);
}
