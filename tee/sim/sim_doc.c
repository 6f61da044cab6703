#include "tee/sim/sim_doc.h"

#include "base/crypto/hash.h"
#include "base/json.h"
#include "tee/collateral/collateral.h"

#define DAY 86400
#define DOC_MAX 32768u /* bytes of a document without what edits add */
#define CHAIN_MAX (SIM_CHAIN_CERTS_MAX * 6000u)

/* Replaces the first place; not finding it is the plan's mistake. */
static void edit(wr_t *w, const sim_edit_t *e)
{
    if (!e->find || w->bad)
        return;
    size_t old = strlen(e->find), new = strlen(e->replace);
    uint8_t *at = memmem(w->p, w->n, e->find, old);
    if (!at || w->cap - w->n < new) {
        w->bad = true;
        return;
    }
    size_t behind = (size_t)(w->p + w->n - at) - old;
    memmove(at + new, at + old, behind);
    memcpy(at, e->replace, new);
    w->n = w->n - old + new;
}

/* --- documents --- */

static void put_components(jw_t *w, const char *key, const uint8_t svn[16])
{
    jw_array(w, key);
    for (unsigned i = 0; i < 16; i++) {
        jw_object(w, NULL);
        jw_u64(w, "svn", svn[i]);
        jw_end(w);
    }
    jw_end(w);
}

/* isvsvn alone: levels of modules and of the QE. */
static void put_level(jw_t *w, const sim_level_t *l, bool isv_svn)
{
    jw_object(w, NULL);
    jw_object(w, "tcb");
    if (isv_svn)
        jw_u64(w, "isvsvn", l->isv_svn);
    else {
        put_components(w, "sgxtcbcomponents", l->sgx);
        jw_u64(w, "pcesvn", l->pce_svn);
        put_components(w, "tdxtcbcomponents", l->tdx);
    }
    jw_end(w);
    jw_str(w, "tcbDate", l->date);
    jw_str(w, "tcbStatus", l->status);
    if (l->advisories)
        jw_raw(w, "advisoryIDs", view_str(l->advisories));
    jw_end(w);
}

static void put_levels(jw_t *w, const sim_level_t *levels, size_t count, bool isv_svn)
{
    jw_array(w, "tcbLevels");
    for (size_t i = 0; i < count; i++)
        put_level(w, &levels[i], isv_svn);
    jw_end(w);
}

static void put_head(jw_t *w, const char *id, unsigned version, const sim_document_plan_t *d, int64_t day)
{
    jw_object(w, NULL);
    jw_str(w, "id", id);
    jw_u64(w, "version", version);
    jw_time(w, "issueDate", day + d->from);
    jw_time(w, "nextUpdate", day + d->until);
}

static void put_module_identity(jw_t *w)
{
    static const uint8_t zeros[48];
    jw_digits(w, "mrsigner", view_of(zeros, 48));
    jw_digits(w, "attributes", view_of(zeros, 8));
    jw_str(w, "attributesMask", "FFFFFFFFFFFFFFFF");
}

static void put_modules(jw_t *w, const sim_plan_t *plan)
{
    jw_object(w, "tdxModule");
    put_module_identity(w);
    jw_end(w);
    jw_array(w, "tdxModuleIdentities");
    for (size_t i = 0; i < plan->module_count; i++) {
        jw_object(w, NULL);
        jw_fmt(w, "id", "TDX_%02X", plan->modules[i].version);
        put_module_identity(w);
        put_levels(w, plan->modules[i].levels, plan->modules[i].level_count, true);
        jw_end(w);
    }
    jw_end(w);
}

static void put_tcb_info(jw_t *w, const sim_plan_t *plan, int64_t day)
{
    put_head(w, "TDX", 3, &plan->tcb_info, day);
    jw_digits(w, "fmspc", view_of(plan->sgx.fmspc, plan->sgx.fmspc_len));
    jw_digits(w, "pceId", view_of(plan->sgx.pce_id, 2));
    jw_u64(w, "tcbType", 0);
    jw_u64(w, "tcbEvaluationDataNumber", plan->tcb_info.evaluation_number);
    put_modules(w, plan);
    put_levels(w, plan->levels, plan->level_count, false);
    jw_end(w);
}

static void put_qe_identity(jw_t *w, const sim_plan_t *plan, int64_t day)
{
    hash32_t signer;
    sha256(&signer, view_str("simulated TD QE signer"));
    put_head(w, "TD_QE", 2, &plan->qe_identity, day);
    jw_u64(w, "tcbEvaluationDataNumber", plan->qe_identity.evaluation_number);
    jw_str(w, "miscselect", "00000000");
    jw_str(w, "miscselectMask", "FFFFFFFF");
    jw_str(w, "attributes", "11000000000000000000000000000000");
    jw_str(w, "attributesMask", "FBFFFFFFFFFFFFFF0000000000000000");
    jw_digits(w, "mrsigner", view_of(signer.b, sizeof signer.b));
    jw_u64(w, "isvprodid", 2);
    put_levels(w, plan->qe_levels, plan->qe_level_count, true);
    jw_end(w);
}

/* --- together --- */

static rc_t chain_of(view_t *out, arena_t *a, const sim_pki_t *pki, const sim_document_plan_t *d)
{
    *out = d->chain_text;
    if (out->n)
        return RC_OK;
    uint8_t *buf = arena_alloc(a, CHAIN_MAX);
    if (!buf)
        return RC_NOMEM;
    wr_t w = wr_of(buf, CHAIN_MAX);
    sim_pem(&w, pki, d->chain, d->chain_count);
    *out = wr_view(&w);
    return w.bad ? RC_BUG : RC_OK;
}

/* The document's text with the plan's edits, in storage with room for the late one. */
static rc_t write_document(wr_t *w, arena_t *a, const sim_plan_t *plan, const sim_document_plan_t *d, int64_t day)
{
    size_t cap = DOC_MAX + (d->late.find ? strlen(d->late.replace) : 0);
    for (size_t i = 0; i < SIM_EDITS_MAX; i++)
        cap += d->edits[i].find ? strlen(d->edits[i].replace) : 0;
    uint8_t *buf = arena_alloc(a, cap);
    if (!buf)
        return RC_NOMEM;
    jw_t text = jw_in((char *)buf, DOC_MAX);
    if (d == &plan->qe_identity)
        put_qe_identity(&text, plan, day);
    else
        put_tcb_info(&text, plan, day);
    *w = wr_of(buf, cap);
    w->n = jw_done(&text).n;
    for (size_t i = 0; i < SIM_EDITS_MAX; i++)
        edit(w, &d->edits[i]);
    return text.rc ? RC_BUG : RC_OK;
}

/* Writes a document, signs it, and changes it once more if the plan says so. */
static rc_t make_document(view_t *out, uint8_t signature[64], view_t *chain, arena_t *a, const sim_pki_t *pki,
                          const sim_plan_t *plan, const sim_document_plan_t *d, int64_t day)
{
    wr_t w;
    hash32_t digest;
    rc_t rc = write_document(&w, a, plan, d, day);
    if (rc)
        return rc;
    sha256(&digest, wr_view(&w));
    rc = p256_sign(signature, &digest, pki->keys[d->signer].secret);
    edit(&w, &d->late);
    *out = wr_view(&w);
    return rc || w.bad ? RC_BUG : chain_of(chain, a, pki, d);
}

static rc_t make_crl(view_t *out, arena_t *a, const sim_pki_t *pki, const sim_crl_plan_t *crl, const sim_plan_t *plan,
                     int64_t day)
{
    uint8_t *buf = arena_alloc(a, SIM_CRL_MAX);
    if (!buf)
        return RC_NOMEM;
    wr_t w = wr_of(buf, SIM_CRL_MAX);
    rc_t rc = crl->missing ? RC_OK : sim_crl(&w, pki, crl, plan, day);
    *out = wr_view(&w);
    return rc;
}

rc_t sim_collateral(view_t *out, arena_t *a, const sim_pki_t *pki, const sim_plan_t *plan, int64_t now)
{
    const sim_document_plan_t crl_issuers = { .chain = { SIM_CA, SIM_ROOT }, .chain_count = 2 };
    const int64_t day = now - (now % DAY + DAY) % DAY;
    collateral_t c = { 0 };
    rc_t rc = chain_of(&c.pck_crl_issuer_chain, a, pki, &crl_issuers);
    if (!rc)
        rc = make_crl(&c.root_ca_crl, a, pki, &plan->root_crl, plan, day);
    if (!rc)
        rc = make_crl(&c.pck_crl, a, pki, &plan->pck_crl, plan, day);
    if (!rc)
        rc = make_document(&c.tcb_info, c.tcb_info_signature, &c.tcb_info_issuer_chain, a, pki, plan, &plan->tcb_info,
                           day);
    if (!rc)
        rc = make_document(&c.qe_identity, c.qe_identity_signature, &c.qe_identity_issuer_chain, a, pki, plan,
                           &plan->qe_identity, day);
    return rc ? rc : collateral_write(out, a, &c);
}
