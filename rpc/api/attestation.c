#include "rpc/api/attestation.h"

#include "base/json.h"

#define QUOTE_MAX 32768u
#define EVENT_LOG_MAX (1u << 20)
#define VM_CONFIG_MAX (64u << 10)

/* --- writing --- */

static void put_text(jw_t *w, const char *key, view_t text)
{
    if (text.n)
        jw_text(w, key, text);
}

/* The collateral's object again, without spaces. RC_BUG: it is none. */
static rc_t put_collateral(jw_t *w, arena_t *a, view_t text)
{
    jo_doc_t doc;
    const jo_t o = jo_open(&doc, NULL, text, ATTESTATION_MAX, JO_LENIENT);
    jw_raw(w, "collateral", jo_as_written(&o, a, NULL));
    const rc_t rc = jo_rc(&o);
    jo_close(&doc);
    return rc && rc != RC_NOMEM ? RC_BUG : rc;
}

rc_t attestation_write(view_t *out, arena_t *a, const attestation_t *in)
{
    jw_t w = jw_of(a, ATTESTATION_MAX);
    jw_object(&w, NULL);
    put_text(&w, "tee", in->tee);
    put_text(&w, "provider", in->provider);
    jw_u64(&w, "evidence_type", in->evidence_type);
    jw_hex(&w, "quote", in->quote);
    put_text(&w, "event_log", in->event_log);
    put_text(&w, "vm_config", in->vm_config);
    jw_hex(&w, "pubkey", view_of(in->pubkey, 33));
    jw_hex(&w, "node_pubkey", view_of(in->node_pubkey, 33));
    jw_u64(&w, "chain_id", in->chain_id);
    if (in->has_nonce)
        jw_hex(&w, "nonce", view_of(in->nonce, 32));
    jw_hex(&w, "policy_digest", view_of(in->policy_digest.b, 32));
    jw_hex(&w, "setup_hash", view_of(in->setup_hash.b, 32));
    rc_t rc = in->collateral.n ? put_collateral(&w, a, in->collateral) : RC_OK;
    jw_end(&w);
    const view_t text = jw_done(&w);
    if (!rc)
        rc = w.rc;
    if (!rc)
        *out = text;
    return rc;
}

/* --- reading --- */

static void read_all(attestation_t *x, arena_t *a, const jo_t *o)
{
    jo_t collateral;
    x->tee = jo_text_copy(o, a, "tee", 1, 32);
    jo_opt_text_copy(o, &x->provider, a, "provider", 0, 64);
    x->evidence_type = (uint8_t)jo_u64(o, "evidence_type", 0, UINT8_MAX);
    x->quote = jo_bytes(o, a, "quote", 1, QUOTE_MAX, HEX_ANY);
    jo_opt_text_copy(o, &x->event_log, a, "event_log", 0, EVENT_LOG_MAX);
    jo_opt_text_copy(o, &x->vm_config, a, "vm_config", 0, VM_CONFIG_MAX);
    jo_hex(o, x->pubkey, sizeof x->pubkey, "pubkey", HEX_ANY);
    jo_hex(o, x->node_pubkey, sizeof x->node_pubkey, "node_pubkey", HEX_ANY);
    x->chain_id = jo_u64(o, "chain_id", 0, INT64_MAX);
    x->has_nonce = jo_opt_hex(o, x->nonce, sizeof x->nonce, "nonce", HEX_ANY);
    jo_hex(o, x->policy_digest.b, 32, "policy_digest", HEX_ANY);
    jo_hex(o, x->setup_hash.b, 32, "setup_hash", HEX_ANY);
    if (jo_opt_object(o, &collateral, "collateral"))
        x->collateral = jo_as_written(&collateral, a, NULL);
}

rc_t attestation_read(attestation_t *out, err_t *e, arena_t *a, view_t body)
{
    jo_doc_t doc;
    attestation_t x = { .evidence_type = 0 };
    const jo_t o = jo_open(&doc, e, body, ATTESTATION_MAX, JO_LENIENT);
    read_all(&x, a, &o);
    const rc_t rc = jo_rc(&o);
    jo_close(&doc);
    if (!rc)
        *out = x;
    return rc;
}

rc_t attestation_read_prototype(view_t *quote, uint8_t pubkey[33], err_t *e, arena_t *a, view_t body)
{
    jo_doc_t outer, inner;
    uint8_t key[33];
    const jo_t string = jo_open(&outer, e, body, ATTESTATION_MAX, JO_LENIENT | JO_ANY);
    const view_t text = jo_text(&string, NULL, 0, ATTESTATION_MAX);
    rc_t rc = jo_rc(&string);
    if (!rc) {
        const jo_t o = jo_open(&inner, e, text, ATTESTATION_MAX, JO_LENIENT);
        const view_t q = jo_bytes(&o, a, "quote", 1, QUOTE_MAX, HEX_ANY);
        jo_hex(&o, key, sizeof key, "pubkey", HEX_ANY);
        rc = jo_rc(&o);
        jo_close(&inner);
        if (!rc) {
            *quote = q;
            memcpy(pubkey, key, sizeof key);
        }
    }
    jo_close(&outer);
    return rc;
}
