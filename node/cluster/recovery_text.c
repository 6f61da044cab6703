#include "node/cluster/recovery_text.h"

#include "tee/tee.h"

static const char SHARES[] = "recovery-shares/1", EVIDENCE[] = "recovery/1";
static const char *const shares_words[] = { SHARES, NULL }, *const evidence_words[] = { EVIDENCE, NULL };

/* ---- writing ---- */

void recovery_shares_write(jw_t *w, const recovery_t *r, view_t bytes)
{
    const key_name_t *name = &r->proof.entry.entry.name;
    jw_object(w, NULL);
    jw_str(w, "kettle", SHARES);
    jw_hex(w, "cluster", view_of(recovery_cluster(r), 33));
    jw_u64(w, "version", name->version);
    jw_u64(w, "index", name->index);
    jw_u64(w, "threshold", r->threshold);
    jw_array(w, "holders");
    for (unsigned i = 0; i < r->count; i++)
        jw_hex(w, NULL, view_of(r->keys[i], sizeof r->keys[i]));
    jw_end(w);
    jw_hex(w, "recovery", bytes);
    jw_end(w);
}

void recovery_evidence_write(jw_t *w, arena_t *a, const recovery_evidence_t *x)
{
    jo_doc_t doc;
    jw_object(w, NULL);
    jw_str(w, "kettle", EVIDENCE);
    jw_u64(w, "evidence_type", x->evidence_type);
    jw_hex(w, "quote", x->quote);
    if (x->event_log.n)
        jw_text(w, "event_log", x->event_log);
    if (x->vm_config.n)
        jw_text(w, "vm_config", x->vm_config);
    jw_hex(w, "nonce", view_of(x->nonce, sizeof x->nonce));
    jw_hex(w, "recovery_key", view_of(x->recovery_key, sizeof x->recovery_key));
    jw_hex(w, "node_pubkey", view_of(x->node_pubkey, sizeof x->node_pubkey));
    if (x->collateral.n) {
        const jo_t o = jo_open(&doc, NULL, x->collateral, RECOVERY_EVIDENCE_MAX, JO_LENIENT);
        const view_t text = jo_as_written(&o, a, NULL);
        if (text.p)
            jw_raw(w, "collateral", text);
        else if (!w->rc)
            w->rc = RC_NOMEM;
        jo_close(&doc);
    }
    jw_u64(w, "have", x->have);
    jw_u64(w, "needed", x->needed);
    jw_end(w);
}

void recovery_share_write(jw_t *w, const gather_share_t *s)
{
    jw_object(w, NULL);
    jw_hex(w, "recovery", s->recovery);
    jw_u64(w, "holder", s->holder);
    jw_hex(w, "nonce", view_of(s->nonce, sizeof s->nonce));
    jw_hex(w, "share", s->sealed);
    jw_end(w);
}

/* ---- reading ---- */

static view_t read_recovery(const jo_t *o, arena_t *a)
{
    return jo_bytes(o, a, "recovery", 1, RECOVERY_MAX, HEX_0X);
}

rc_t recovery_shares_read(view_t *bytes, err_t *e, arena_t *a, view_t json)
{
    jo_doc_t doc;
    const jo_t o = jo_open(&doc, e, json, RECOVERY_JSON_MAX, JO_LENIENT);
    jo_word(&o, "kettle", shares_words);
    const view_t read = read_recovery(&o, a);
    const rc_t rc = jo_done(&o);
    jo_close(&doc);
    if (!rc)
        *bytes = read;
    return rc;
}

rc_t recovery_evidence_read(recovery_evidence_t *out, err_t *e, arena_t *a, view_t json)
{
    jo_doc_t doc;
    recovery_evidence_t x = { .have = 0 };
    const jo_t o = jo_open(&doc, e, json, RECOVERY_EVIDENCE_MAX, JO_LENIENT);
    jo_word(&o, "kettle", evidence_words);
    x.evidence_type = (uint8_t)jo_u64(&o, "evidence_type", 0, 255);
    x.quote = jo_bytes(&o, a, "quote", 1, TEE_QUOTE_LEN_MAX, HEX_0X);
    (void)jo_opt_text_copy(&o, &x.event_log, a, "event_log", 1, TEE_EVENT_LOG_MAX);
    (void)jo_opt_text_copy(&o, &x.vm_config, a, "vm_config", 1, TEE_VM_CONFIG_MAX);
    jo_hex(&o, x.nonce, sizeof x.nonce, "nonce", HEX_0X);
    jo_hex(&o, x.recovery_key, sizeof x.recovery_key, "recovery_key", HEX_0X);
    jo_hex(&o, x.node_pubkey, sizeof x.node_pubkey, "node_pubkey", HEX_0X);
    if (jo_has(&o, "collateral"))
        x.collateral = jo_as_written(&o, a, "collateral");
    x.have = (unsigned)jo_u64(&o, "have", 0, KEY_HOLDERS_MAX);
    x.needed = (unsigned)jo_u64(&o, "needed", 0, KEY_HOLDERS_MAX);
    const rc_t rc = jo_done(&o);
    jo_close(&doc);
    if (!rc)
        *out = x;
    return rc;
}

rc_t recovery_share_read(gather_share_t *out, err_t *e, arena_t *a, view_t json)
{
    jo_doc_t doc;
    gather_share_t s = { .holder = 0 };
    const jo_t o = jo_open(&doc, e, json, RECOVERY_JSON_MAX, JO_STRICT);
    s.recovery = read_recovery(&o, a);
    s.holder = (unsigned)jo_u64(&o, "holder", 0, KEY_HOLDERS_MAX - 1);
    jo_hex(&o, s.nonce, sizeof s.nonce, "nonce", HEX_0X);
    s.sealed = jo_bytes(&o, a, "share", KEY_SHARE_LEN + BOX_TAG_LEN, KEY_SHARE_LEN + BOX_TAG_LEN, HEX_0X);
    const rc_t rc = jo_done(&o);
    jo_close(&doc);
    if (!rc)
        *out = s;
    return rc;
}
