/* appraise.c - evidence under a policy: genuine, of an admitted TD, and over the expected report data. */
#include "base/crypto/secret.h"
#include "tee/verify/verify.h"

/* Verification does not need this chain, but what comes as evidence holds as a whole. */
static rc_t check_crl_issuer(err_t *e, arena_t *a, const collateral_t *c, view_t root, int64_t now)
{
    const chain_ca_t *ca;
    return c->pck_crl_issuer_chain.n
               ? chain_verify_ca(&ca, e, a, c->pck_crl_issuer_chain, c->root_ca_crl, c->pck_crl, root, now)
               : RC_OK;
}

static rc_t appraise(tee_verified_t *v, eventlog_t *log, err_t *e, arena_t *a, const tee_claim_t *claim,
                     const policy_t *policy, const rollback_t *memory, int64_t now)
{
    collateral_t c;
    policy_match_t match;
    bool simulated = claim->type == TEE_EVIDENCE_SIMULATED;
    view_t root = simulated ? policy_simulator_root(policy) : CHAIN_INTEL_ROOT;
    if (!tee_is_type(claim->type))
        return tee_fail(e, E_EVIDENCE_TYPE, NULL);
    if (!root.n)
        return tee_fail(e, E_SIMULATED, NULL);
    rc_t rc = collateral_read(&c, e, a, claim->collateral);
    if (!rc)
        rc = tee_verify(v, NULL, e, a, claim->quote, &c, root, now);
    if (!rc)
        rc = check_crl_issuer(e, a, &c, root, now);
    if (!rc && memory)
        rc = rollback_check(memory, e, v->info, v->identity, &v->root_crl, &v->pck_crl);
    if (!rc && claim->event_log.n)
        rc = eventlog_verify(log, e, a, claim->event_log, v->quote.td.rtmr);
    if (rc)
        return rc;
    uint32_t tcb_number = v->tcb_evaluation_number, qe_number = v->qe_evaluation_number;
    const policy_subject_t subject = { .quote = &v->quote,
                                       .grade = &v->grade,
                                       .log = claim->event_log.n ? log : NULL,
                                       .vm_config = claim->vm_config,
                                       .platform = &v->platform,
                                       .evaluation_number = tcb_number < qe_number ? tcb_number : qe_number,
                                       .issued = v->issued,
                                       .now = now };
    rc = policy_check(policy, &match, e, &subject);
    if (!rc)
        v->acpi = match.acpi;
    return rc;
}

rc_t tee_appraise(tee_verified_t *out, eventlog_t *log, rollback_t *memory, err_t *e, arena_t *a,
                  const tee_claim_t *claim, const uint8_t report_data[TEE_REPORT_DATA_LEN], const policy_t *policy,
                  int64_t now)
{
    tee_verified_t v;
    eventlog_t events = { 0 };
    rc_t rc = appraise(&v, &events, e, a, claim, policy, memory, now);
    if (!rc && !secret_eq(v.quote.td.report_data, report_data, TEE_REPORT_DATA_LEN))
        rc = tee_fail(e, E_REPORTDATA, NULL);
    if (rc)
        return rc;
    if (memory) /* not before: evidence that is not admitted could bring early collateral, and so shut others out */
        rollback_accept(memory, v.info, v.identity, &v.root_crl, &v.pck_crl);
    *out = v;
    if (log)
        *log = events;
    return RC_OK;
}
