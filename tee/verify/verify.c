#include "tee/verify/verify.h"

#include "base/crypto/hash.h"
#include "base/crypto/p256.h"

static int64_t min64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* --- the collateral --- */

/* Step 6, and that the signer signed exactly these bytes. */
static rc_t check_document(tee_prepared_t *p, err_t *e, view_t document, const uint8_t signature[64], view_t chain,
                           tee_code_t code)
{
    chain_signer_t signer;
    hash32_t digest;
    rc_t rc = chain_verify_signer(&signer, e, chain, p->collateral.root_ca_crl, p->root, p->from);
    if (rc)
        return rc;
    sha256(&digest, document);
    if (p256_verify(signature, &digest, signer.pubkey))
        return tee_fail(e, code, NULL);
    p->until = min64(p->until, signer.earliest_expiry);
    return RC_OK;
}

/* Step 7, but for the platform. */
static rc_t check_tcb_info(tee_prepared_t *p, err_t *e, arena_t *a, tcb_tee_t tee)
{
    const collateral_t *c = &p->collateral;
    rc_t rc = check_document(p, e, c->tcb_info, c->tcb_info_signature, c->tcb_info_issuer_chain, E_TCB_SIG);
    if (!rc)
        rc = tcb_info_parse(&p->info, e, a, c->tcb_info, tee);
    if (rc)
        return rc;
    if (p->from < p->info.issue_date || p->from > p->info.next_update)
        return tee_fail(e, E_TCB_TIME, NULL);
    p->until = min64(p->until, p->info.next_update);
    return RC_OK;
}

/* Step 8. */
static rc_t check_qe_identity(tee_prepared_t *p, err_t *e, arena_t *a, tcb_tee_t tee)
{
    const collateral_t *c = &p->collateral;
    rc_t rc = check_document(p, e, c->qe_identity, c->qe_identity_signature, c->qe_identity_issuer_chain, E_QEID_SIG);
    if (!rc)
        rc = qe_identity_parse(&p->identity, e, a, c->qe_identity, tee);
    if (rc)
        return rc;
    if (p->from < p->identity.issue_date || p->from > p->identity.next_update)
        return tee_fail(e, E_QEID_TIME, NULL);
    p->until = min64(p->until, p->identity.next_update);
    return RC_OK;
}

/* Both documents; p is in place and has no CA yet. */
static rc_t check_documents(tee_prepared_t *p, err_t *e, arena_t *a, const collateral_t *collateral, view_t root,
                            int64_t now, tcb_tee_t tee)
{
    *p = (tee_prepared_t){ .collateral = *collateral, .root = root, .from = now, .until = INT64_MAX };
    rc_t rc = check_tcb_info(p, e, a, tee);
    return rc ? rc : check_qe_identity(p, e, a, tee);
}

rc_t tee_prepare(tee_prepared_t *out, err_t *e, arena_t *a, const collateral_t *c, view_t root, int64_t now)
{
    tee_prepared_t p;
    err_t none;
    rc_t rc = check_documents(&p, e, a, c, root, now, TCB_OF_TDX);
    if (rc)
        return rc;
    if (!chain_verify_ca(&p.ca, &none, a, c->pck_crl_issuer_chain, c->root_ca_crl, c->pck_crl, root, now))
        p.until = min64(p.until, chain_ca_expiry(p.ca));
    *out = p;
    return RC_OK;
}

/* --- the quote --- */

static rc_t check_signature(err_t *e, view_t signed_part, const uint8_t signature[64], const uint8_t key[64],
                            tee_code_t code)
{
    hash32_t digest;
    sha256(&digest, signed_part);
    rc_t rc = p256_verify(signature, &digest, key);
    return rc == RC_OK ? RC_OK : tee_fail(e, rc == RC_MALFORMED ? E_POINT : code, NULL);
}

/* Steps 9 and 10: PCK key to QE report to attestation key. */
static rc_t check_enclave(err_t *e, const quote_t *q, const uint8_t pck_key[64])
{
    static const uint8_t zeros[32];
    const view_t bound[] = { view_of(q->attestation_key, 64), q->qe_auth };
    hash32_t binding;
    rc_t rc = check_signature(e, q->qe.whole, q->qe_signature, pck_key, E_QE_SIG);
    if (rc)
        return rc;
    sha256_parts(&binding, bound, 2);
    if (memcmp(q->qe.report_data, binding.b, 32) != 0 || memcmp(q->qe.report_data + 32, zeros, 32) != 0)
        return tee_fail(e, E_QE_BINDING, NULL);
    return RC_OK;
}

/* Steps 9 to 12: PCK key to QE report to attestation key to quote. */
static rc_t check_quote(const tcb_level_t **qe_level, err_t *e, const quote_t *q, const uint8_t pck_key[64],
                        const qe_identity_t *identity)
{
    rc_t rc = check_enclave(e, q, pck_key);
    if (!rc)
        rc = tcb_grade_qe(qe_level, e, identity, &q->qe);
    return rc ? rc : check_signature(e, q->signed_part, q->signature, q->attestation_key, E_QUOTE_SIG);
}

rc_t tee_leads_to(err_t *e, view_t quote, view_t root)
{
    uint8_t pck_key[64];
    quote_t q;
    rc_t rc = quote_parse(&q, e, quote);
    if (!rc)
        rc = chain_leads_to(pck_key, e, q.certs, root);
    if (!rc)
        rc = check_enclave(e, &q, pck_key);
    return rc ? rc : check_signature(e, q.signed_part, q.signature, q.attestation_key, E_QUOTE_SIG);
}

/* The platform of step 7, and steps 9 to 13, for a quote whose PCK chain verified. */
static rc_t judge(tee_verified_t *out, err_t *e, const quote_t *q, const chain_pck_t *pck, const tee_prepared_t *p,
                  rollback_t *memory)
{
    const tcb_level_t *qe_level;
    tee_verified_t v = { .quote = *q, .sgx = pck->sgx, .info = &p->info, .identity = &p->identity };
    if (memcmp(p->info.fmspc, pck->sgx.fmspc, 6) != 0)
        return tee_fail(e, E_FMSPC, NULL);
    if (memcmp(p->info.pce_id, pck->sgx.pce_id, 2) != 0)
        return tee_fail(e, E_PCEID, NULL);
    rc_t rc = check_quote(&qe_level, e, q, pck->leaf_pubkey, &p->identity);
    if (!rc)
        rc = tcb_grade(&v.grade, e, &p->info, qe_level, pck->sgx.components, pck->sgx.pce_svn, q);
    if (!rc && memory)
        rc = rollback_check(memory, e, &p->info, &p->identity, &pck->root_crl, &pck->pck_crl);
    if (rc)
        return rc;
    sha256(&v.platform, view_of(pck->sgx.ppid, sizeof pck->sgx.ppid));
    v.root_crl = pck->root_crl;
    v.pck_crl = pck->pck_crl;
    v.tcb_evaluation_number = p->info.evaluation_number;
    v.qe_evaluation_number = p->identity.evaluation_number;
    v.issued = min64(min64(p->info.issue_date, p->identity.issue_date), pck->pck_crl.this_update);
    v.earliest_expiry = min64(p->until, pck->earliest_expiry);
    v.production_root = view_eq(p->root, CHAIN_INTEL_ROOT);
    if (memory)
        rollback_accept(memory, &p->info, &p->identity, &pck->root_crl, &pck->pck_crl);
    *out = v;
    return RC_OK;
}

rc_t tee_verify_prepared(tee_verified_t *out, rollback_t *memory, err_t *e, arena_t *a, view_t quote,
                         const tee_prepared_t *p, int64_t now)
{
    quote_t q;
    chain_pck_t pck;
    if (now < p->from || now > p->until)
        return tee_verify(out, memory, e, a, quote, &p->collateral, p->root, now);
    rc_t rc = quote_parse(&q, e, quote);
    if (rc)
        return rc;
    if (p->ca && chain_is_of(p->ca, q.certs))
        rc = chain_verify_leaf(&pck, e, q.certs[0], p->ca, now);
    else
        rc = chain_verify_pck(&pck, e, q.certs, p->collateral.root_ca_crl, p->collateral.pck_crl, p->root, now);
    return rc ? rc : judge(out, e, &q, &pck, p, memory);
}

/* Of a parsed quote. */
static rc_t verify(tee_verified_t *out, err_t *e, arena_t *a, const quote_t *q, const collateral_t *collateral,
                   view_t root, rollback_t *memory, int64_t now, tcb_tee_t tee)
{
    chain_pck_t pck;
    tee_prepared_t *p = arena_alloc(a, sizeof *p);
    if (!p)
        return tee_fail(e, E_NOMEM, NULL);
    rc_t rc = chain_verify_pck(&pck, e, q->certs, collateral->root_ca_crl, collateral->pck_crl, root, now);
    if (!rc)
        rc = check_documents(p, e, a, collateral, root, now, tee);
    return rc ? rc : judge(out, e, q, &pck, p, memory);
}

rc_t tee_verify(tee_verified_t *out, rollback_t *memory, err_t *e, arena_t *a, view_t quote,
                const collateral_t *collateral, view_t root, int64_t now)
{
    quote_t q;
    rc_t rc = quote_parse(&q, e, quote);
    return rc ? rc : verify(out, e, a, &q, collateral, root, memory, now, TCB_OF_TDX);
}

rc_t tee_verify_sgx(tee_verified_t *out, err_t *e, arena_t *a, view_t quote, const collateral_t *collateral,
                    view_t root, int64_t now)
{
    quote_t q;
    rc_t rc = quote_parse_sgx(&q, e, quote);
    return rc ? rc : verify(out, e, a, &q, collateral, root, NULL, now, TCB_OF_SGX);
}
