#include "tee/verify.h"

#include "base/crypto/hash.h"
#include "base/crypto/p256.h"

/* What the steps hand on to each other. */
typedef struct {
    tee_verified_t v;
    chain_pck_t pck;
    tcb_info_t info;
    qe_identity_t identity;
    const tcb_level_t *qe_level;
    const collateral_t *collateral;
    view_t root;
    int64_t now;
    arena_t *a;
} steps_t;

static void expires(steps_t *s, int64_t at)
{
    if (at < s->v.earliest_expiry)
        s->v.earliest_expiry = at;
}

/* Steps 2 to 5. */
static rc_t check_pck_chain(steps_t *s, tee_fault_t *fault)
{
    rc_t rc = chain_verify_pck(&s->pck, fault, s->v.quote.certs, s->collateral->root_ca_crl, s->collateral->pck_crl, s->root, s->now);
    if (rc)
        return rc;
    s->v.sgx = s->pck.sgx;
    s->v.earliest_expiry = s->pck.earliest_expiry;
    return RC_OK;
}

/* Step 6, and that the signer signed exactly these bytes. */
static rc_t check_document(steps_t *s, tee_fault_t *fault, view_t document, const uint8_t signature[64], view_t chain, tee_code_t code)
{
    chain_signer_t signer;
    hash32_t digest;
    rc_t rc = chain_verify_signer(&signer, fault, chain, s->collateral->root_ca_crl, s->root, s->now);
    if (rc)
        return rc;
    sha256(&digest, document);
    if (p256_verify(signature, &digest, signer.pubkey))
        return tee_fail(fault, code, NULL);
    expires(s, signer.earliest_expiry);
    return RC_OK;
}

static bool is_fresh(const steps_t *s, int64_t issue_date, int64_t next_update)
{
    return issue_date <= s->now && s->now <= next_update;
}

/* Step 7. */
static rc_t check_tcb_info(steps_t *s, tee_fault_t *fault)
{
    const collateral_t *c = s->collateral;
    rc_t rc = check_document(s, fault, c->tcb_info, c->tcb_info_signature, c->tcb_info_issuer_chain, E_TCB_SIG);
    if (!rc)
        rc = tcb_info_parse(&s->info, fault, s->a, c->tcb_info);
    if (rc)
        return rc;
    if (!is_fresh(s, s->info.issue_date, s->info.next_update))
        return tee_fail(fault, E_TCB_TIME, NULL);
    if (memcmp(s->info.fmspc, s->pck.sgx.fmspc, 6) != 0)
        return tee_fail(fault, E_FMSPC, NULL);
    if (memcmp(s->info.pce_id, s->pck.sgx.pce_id, 2) != 0)
        return tee_fail(fault, E_PCEID, NULL);
    expires(s, s->info.next_update);
    return RC_OK;
}

/* Step 8. */
static rc_t check_qe_identity(steps_t *s, tee_fault_t *fault)
{
    const collateral_t *c = s->collateral;
    rc_t rc = check_document(s, fault, c->qe_identity, c->qe_identity_signature, c->qe_identity_issuer_chain, E_QEID_SIG);
    if (!rc)
        rc = qe_identity_parse(&s->identity, fault, s->a, c->qe_identity);
    if (rc)
        return rc;
    if (!is_fresh(s, s->identity.issue_date, s->identity.next_update))
        return tee_fail(fault, E_QEID_TIME, NULL);
    expires(s, s->identity.next_update);
    return RC_OK;
}

static rc_t check_signature(tee_fault_t *fault, view_t signed_part, const uint8_t signature[64], const uint8_t key[64], tee_code_t code)
{
    hash32_t digest;
    sha256(&digest, signed_part);
    rc_t rc = p256_verify(signature, &digest, key);
    return rc == RC_OK ? RC_OK : tee_fail(fault, rc == RC_MALFORMED ? E_POINT : code, NULL);
}

/* Steps 9 to 12: PCK key to QE report to attestation key to quote. */
static rc_t check_quote(steps_t *s, tee_fault_t *fault)
{
    static const uint8_t zeros[32];
    const quote_t *q = &s->v.quote;
    const view_t bound[] = { view_of(q->attestation_key, 64), q->qe_auth };
    hash32_t binding;
    rc_t rc = check_signature(fault, q->qe.whole, q->qe_signature, s->pck.leaf_pubkey, E_QE_SIG);
    if (rc)
        return rc;
    sha256_parts(&binding, bound, 2);
    if (memcmp(q->qe.report_data, binding.b, 32) != 0 || memcmp(q->qe.report_data + 32, zeros, 32) != 0)
        return tee_fail(fault, E_QE_BINDING, NULL);
    rc = tcb_grade_qe(&s->qe_level, fault, &s->identity, &q->qe);
    return rc ? rc : check_signature(fault, q->signed_part, q->signature, q->attestation_key, E_QUOTE_SIG);
}

rc_t tee_verify(tee_verified_t *out, tee_fault_t *fault, arena_t *a, view_t quote, const collateral_t *collateral, view_t root,
                rollback_t *memory, int64_t now)
{
    steps_t *s = arena_calloc(a, 1, sizeof *s);
    if (!s)
        return tee_fail(fault, E_NOMEM, NULL);
    s->collateral = collateral;
    s->root = root;
    s->now = now;
    s->a = a;
    rc_t rc = quote_parse(&s->v.quote, fault, quote);
    if (!rc)
        rc = check_pck_chain(s, fault);
    if (!rc)
        rc = check_tcb_info(s, fault);
    if (!rc)
        rc = check_qe_identity(s, fault);
    if (!rc)
        rc = check_quote(s, fault);
    if (!rc) /* step 13 */
        rc = tcb_grade(&s->v.grade, fault, &s->info, s->qe_level, s->pck.sgx.components, s->pck.sgx.pce_svn, &s->v.quote);
    if (!rc && memory)
        rc = rollback_check(memory, fault, &s->info, &s->identity, &s->pck.root_crl, &s->pck.pck_crl);
    if (rc)
        return rc;
    s->v.tcb_evaluation_number = s->info.evaluation_number;
    s->v.qe_evaluation_number = s->identity.evaluation_number;
    s->v.issued = s->info.issue_date < s->identity.issue_date ? s->info.issue_date : s->identity.issue_date;
    s->v.production_root = view_eq(root, CHAIN_INTEL_ROOT);
    if (memory)
        rollback_accept(memory, &s->info, &s->identity, &s->pck.root_crl, &s->pck.pck_crl);
    *out = s->v;
    return RC_OK;
}
