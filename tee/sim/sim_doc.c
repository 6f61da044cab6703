#include "tee/sim/sim_doc.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "tee/collateral/collateral.h"

#define DAY 86400
#define DOC_MAX 32768u /* bytes of a document without what edits add */
#define CHAIN_MAX (SIM_CHAIN_CERTS_MAX * 6000u)
#define ZEROS_48                                                                                                       \
    "000000000000000000000000000000000000000000000000"                                                                 \
    "000000000000000000000000000000000000000000000000"

/* --- text --- */

__attribute__((format(printf, 2, 3))) static void put(wr_t *w, const char *form, ...)
{
    va_list args;
    va_start(args, form);
    size_t room = w->cap - w->n;
    int n = w->bad ? -1 : vsnprintf((char *)w->p + w->n, room, form, args);
    va_end(args);
    if (n < 0 || (size_t)n >= room)
        w->bad = true;
    else
        w->n += (size_t)n;
}

static void put_date(wr_t *w, const char *key, int64_t at)
{
    struct tm tm;
    char text[32];
    const time_t t = at;
    if (!gmtime_r(&t, &tm) || !strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm))
        w->bad = true;
    else
        put(w, "\"%s\":\"%s\",", key, text);
}

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

static void put_components(wr_t *w, const char *key, const uint8_t svn[16])
{
    put(w, "\"%s\":[", key);
    for (unsigned i = 0; i < 16; i++)
        put(w, "%s{\"svn\":%u}", i ? "," : "", svn[i]);
    put(w, "]");
}

/* isvsvn alone: levels of modules and of the QE. */
static void put_levels(wr_t *w, const sim_level_t *levels, size_t count, bool isv_svn)
{
    put(w, "\"tcbLevels\":[");
    for (size_t i = 0; i < count; i++) {
        const sim_level_t *l = &levels[i];
        put(w, "%s{\"tcb\":{", i ? "," : "");
        if (isv_svn)
            put(w, "\"isvsvn\":%u", l->isv_svn);
        else {
            put_components(w, "sgxtcbcomponents", l->sgx);
            put(w, ",\"pcesvn\":%u,", l->pce_svn);
            put_components(w, "tdxtcbcomponents", l->tdx);
        }
        put(w, "},\"tcbDate\":\"%s\",\"tcbStatus\":\"%s\"", l->date, l->status);
        if (l->advisories)
            put(w, ",\"advisoryIDs\":%s", l->advisories);
        put(w, "}");
    }
    put(w, "]");
}

static void put_head(wr_t *w, const char *id, unsigned version, const sim_document_plan_t *d, int64_t day)
{
    put(w, "{\"id\":\"%s\",\"version\":%u,", id, version);
    put_date(w, "issueDate", day + d->from);
    put_date(w, "nextUpdate", day + d->until);
}

#define MODULE_IDENTITY                                                                                                \
    "\"mrsigner\":\"" ZEROS_48 "\",\"attributes\":\"0000000000000000\",\"attributesMask\":\"FFFFFFFFFFFFFFFF\""

static void put_tcb_info(wr_t *w, const sim_plan_t *plan, int64_t day)
{
    char fmspc[2 * sizeof plan->sgx.fmspc + 1], pce_id[5];
    hex_encode(fmspc, view_of(plan->sgx.fmspc, plan->sgx.fmspc_len));
    hex_encode(pce_id, view_of(plan->sgx.pce_id, 2));
    put_head(w, "TDX", 3, &plan->tcb_info, day);
    put(w, "\"fmspc\":\"%s\",\"pceId\":\"%s\",\"tcbType\":0,\"tcbEvaluationDataNumber\":%u,", fmspc, pce_id,
        plan->tcb_info.evaluation_number);
    put(w, "\"tdxModule\":{" MODULE_IDENTITY "},\"tdxModuleIdentities\":[");
    for (size_t i = 0; i < plan->module_count; i++) {
        put(w, "%s{\"id\":\"TDX_%02X\"," MODULE_IDENTITY ",", i ? "," : "", plan->modules[i].version);
        put_levels(w, plan->modules[i].levels, plan->modules[i].level_count, true);
        put(w, "}");
    }
    put(w, "],");
    put_levels(w, plan->levels, plan->level_count, false);
    put(w, "}");
}

static void put_qe_identity(wr_t *w, const sim_plan_t *plan, int64_t day)
{
    char signer[65];
    hash32_t h;
    sha256(&h, view_str("simulated TD QE signer"));
    hex_encode(signer, view_of(h.b, 32));
    put_head(w, "TD_QE", 2, &plan->qe_identity, day);
    put(w, "\"tcbEvaluationDataNumber\":%u,\"miscselect\":\"00000000\",\"miscselectMask\":\"FFFFFFFF\",",
        plan->qe_identity.evaluation_number);
    put(w,
        "\"attributes\":\"11000000000000000000000000000000\",\"attributesMask\":\"FBFFFFFFFFFFFFFF0000000000000000\",");
    put(w, "\"mrsigner\":\"%s\",\"isvprodid\":2,", signer);
    put_levels(w, plan->qe_levels, plan->qe_level_count, true);
    put(w, "}");
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

/* Writes a document, signs it, and changes it once more if the plan says so. */
static rc_t make_document(view_t *out, uint8_t signature[64], view_t *chain, arena_t *a, const sim_pki_t *pki,
                          const sim_plan_t *plan, bool identity, int64_t day)
{
    const sim_document_plan_t *d = identity ? &plan->qe_identity : &plan->tcb_info;
    size_t cap = DOC_MAX + (d->late.find ? strlen(d->late.replace) : 0);
    for (size_t i = 0; i < SIM_EDITS_MAX; i++)
        cap += d->edits[i].find ? strlen(d->edits[i].replace) : 0;
    uint8_t *buf = arena_alloc(a, cap);
    if (!buf)
        return RC_NOMEM;
    wr_t w = wr_of(buf, cap);
    hash32_t digest;
    if (identity)
        put_qe_identity(&w, plan, day);
    else
        put_tcb_info(&w, plan, day);
    for (size_t i = 0; i < SIM_EDITS_MAX; i++)
        edit(&w, &d->edits[i]);
    sha256(&digest, wr_view(&w));
    rc_t rc = p256_sign(signature, &digest, pki->keys[d->signer].secret);
    edit(&w, &d->late);
    *out = wr_view(&w);
    if (rc || w.bad)
        return RC_BUG;
    return chain_of(chain, a, pki, d);
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
        rc = make_document(&c.tcb_info, c.tcb_info_signature, &c.tcb_info_issuer_chain, a, pki, plan, false, day);
    if (!rc)
        rc = make_document(&c.qe_identity, c.qe_identity_signature, &c.qe_identity_issuer_chain, a, pki, plan, true,
                           day);
    return rc ? rc : collateral_write(out, a, &c);
}
