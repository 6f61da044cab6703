#include "overlay/tpod/attest.h"

#include "base/crypto/hash.h"
#include "base/json.h"

static const char FORM[] = "tpod-attestation/1";

void tpod_report_data(uint8_t out[TEE_REPORT_DATA_LEN], const uint8_t nonce[TPOD_NONCE_LEN], const peerid_t *server,
                      const peerid_t *client)
{
    /* an id has at most PEERID_MAX bytes: its length is a varint of one */
    const view_t parts[] = { view_str("tpod-attest/1"), view_of(nonce, TPOD_NONCE_LEN), view_of(&server->n, 1),
                             peerid_view(server),       view_of(&client->n, 1),         peerid_view(client) };
    sha512_parts(out, parts, sizeof parts / sizeof *parts);
}

rc_t tpod_evidence_write(view_t *out, arena_t *a, const tee_claim_t *in)
{
    jw_t w = jw_of(a, TPOD_EVIDENCE_MAX);
    rc_t rc = RC_OK;
    jw_object(&w, NULL);
    jw_str(&w, "kettle", FORM);
    jw_u64(&w, "evidence_type", in->type);
    jw_hex(&w, "quote", in->quote);
    if (in->event_log.n)
        jw_text(&w, "event_log", in->event_log);
    if (in->vm_config.n)
        jw_text(&w, "vm_config", in->vm_config);
    if (in->collateral.n) {
        jo_doc_t doc;
        const jo_t o = jo_open(&doc, NULL, in->collateral, TPOD_EVIDENCE_MAX, JO_LENIENT);
        jw_raw(&w, "collateral", jo_as_written(&o, a, NULL));
        rc = jo_rc(&o);
        jo_close(&doc);
    }
    jw_end(&w);
    const view_t text = jw_done(&w);
    if (rc)
        return rc == RC_NOMEM || rc == RC_LIMIT ? rc : RC_BUG;
    if (!w.rc)
        *out = text;
    return w.rc;
}

rc_t tpod_evidence_read(tee_claim_t *out, err_t *e, arena_t *a, view_t text)
{
    static const char *const forms[] = { FORM, NULL };
    jo_doc_t doc;
    tee_claim_t x = { .type = TEE_EVIDENCE_TDX };
    const jo_t o = jo_open(&doc, e, text, TPOD_EVIDENCE_MAX, JO_STRICT);
    jo_t collateral;
    jo_word(&o, "kettle", forms);
    const uint64_t type = jo_u64(&o, "evidence_type", 0, UINT8_MAX);
    if (!jo_rc(&o) && !tee_is_type((unsigned)type))
        (void)jo_fail(&o, "evidence_type", RC_MALFORMED, "is no type of evidence");
    x.type = (tee_evidence_type_t)type;
    x.quote = jo_bytes(&o, a, "quote", 1, TEE_QUOTE_LEN_MAX, HEX_ANY);
    jo_opt_text_copy(&o, &x.event_log, a, "event_log", 0, TEE_EVENT_LOG_MAX);
    jo_opt_text_copy(&o, &x.vm_config, a, "vm_config", 0, TEE_VM_CONFIG_MAX);
    if (jo_opt_object(&o, &collateral, "collateral"))
        x.collateral = jo_as_written(&collateral, a, NULL);
    const rc_t rc = jo_done(&o);
    jo_close(&doc);
    if (!rc)
        *out = x;
    return rc;
}
