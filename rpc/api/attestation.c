#include "rpc/api/attestation.h"

#include "base/json.h"

#define QUOTE_MAX 32768u
#define EVENT_LOG_MAX (1u << 20)
#define VM_CONFIG_MAX (64u << 10)
#define PROVIDER_MAX 64u
static const char FORM[] = "attestation/2";

/* --- writing --- */

static void put_text(jw_t *w, const char *key, view_t text)
{
    if (text.n)
        jw_text(w, key, text);
}

/* An object that is there as text, without spaces. RC_BUG: it is none. */
static rc_t put_object(jw_t *w, arena_t *a, const char *key, view_t text)
{
    jo_doc_t doc;
    const jo_t o = jo_open(&doc, NULL, text, ATTESTATION_MAX, JO_LENIENT);
    jw_raw(w, key, jo_as_written(&o, a, NULL));
    const rc_t rc = jo_rc(&o);
    jo_close(&doc);
    return rc && rc != RC_NOMEM ? RC_BUG : rc;
}

static void put_cluster(jw_t *w, const attestation_cluster_t *c)
{
    if (!c->is_there)
        return;
    jw_object(w, "cluster");
    jw_object(w, "generation");
    jw_u64(w, "version", c->generation);
    jw_u64(w, "index", c->index);
    jw_hex(w, "order", view_of(c->order.b, 32));
    jw_end(w);
    jw_u64(w, "order_version", c->order_version);
    jw_u64(w, "platforms", c->platforms);
    jw_end(w);
}

rc_t attestation_write(view_t *out, arena_t *a, const attestation_t *in)
{
    jw_t w = jw_of(a, ATTESTATION_MAX);
    jw_object(&w, NULL);
    jw_str(&w, "kettle", FORM);
    jw_u64(&w, "evidence_type", in->evidence_type);
    jw_hex(&w, "quote", in->quote);
    put_text(&w, "event_log", in->event_log);
    jw_hex(&w, "pubkey", view_of(in->pubkey, 33));
    jw_hex(&w, "node_pubkey", view_of(in->node_pubkey, 33));
    if (in->has_nonce)
        jw_hex(&w, "nonce", view_of(in->nonce, 32));
    rc_t rc = put_object(&w, a, "cluster_statement", in->cluster_statement);
    if (!rc)
        rc = put_object(&w, a, "node_statement", in->node_statement);
    if (!rc && in->collateral.n)
        rc = put_object(&w, a, "collateral", in->collateral);
    jw_object(&w, "unbound");
    put_text(&w, "provider", in->provider);
    put_text(&w, "vm_config", in->vm_config);
    put_cluster(&w, &in->cluster);
    jw_end(&w);
    jw_end(&w);
    const view_t text = jw_done(&w);
    if (!rc)
        rc = w.rc;
    if (!rc)
        *out = text;
    return rc;
}

/* --- reading --- */

/* An object that is a document of its own. */
static view_t read_object(const jo_t *o, arena_t *a, const char *key)
{
    const jo_t member = jo_object(o, key);
    return jo_rc(o) ? view_of(NULL, 0) : jo_compact(&member, a, NULL);
}

static void read_cluster(attestation_cluster_t *c, const jo_t *o)
{
    const jo_t generation = jo_object(o, "generation");
    c->is_there = true;
    c->generation = jo_u64(&generation, "version", 0, UINT64_MAX);
    c->index = (uint8_t)jo_u64(&generation, "index", 0, UINT8_MAX);
    jo_hex(&generation, c->order.b, sizeof c->order.b, "order", HEX_ANY);
    jo_rest(&generation);
    c->order_version = jo_u64(o, "order_version", 0, UINT64_MAX);
    c->platforms = jo_u64(o, "platforms", 0, UINT32_MAX);
    jo_rest(o);
}

static void read_unbound(attestation_t *x, arena_t *a, const jo_t *o)
{
    const jo_t unbound = jo_object(o, "unbound");
    jo_t cluster;
    jo_opt_text_copy(&unbound, &x->provider, a, "provider", 0, PROVIDER_MAX);
    jo_opt_text_copy(&unbound, &x->vm_config, a, "vm_config", 0, VM_CONFIG_MAX);
    if (jo_opt_object(&unbound, &cluster, "cluster"))
        read_cluster(&x->cluster, &cluster);
    jo_rest(&unbound);
}

static void read_all(attestation_t *x, arena_t *a, const jo_t *o)
{
    static const char *const forms[] = { FORM, NULL };
    jo_t collateral;
    jo_word(o, "kettle", forms);
    x->evidence_type = (uint8_t)jo_u64(o, "evidence_type", 0, UINT8_MAX);
    x->quote = jo_bytes(o, a, "quote", 1, QUOTE_MAX, HEX_ANY);
    jo_opt_text_copy(o, &x->event_log, a, "event_log", 0, EVENT_LOG_MAX);
    jo_hex(o, x->pubkey, sizeof x->pubkey, "pubkey", HEX_ANY);
    jo_hex(o, x->node_pubkey, sizeof x->node_pubkey, "node_pubkey", HEX_ANY);
    x->has_nonce = jo_opt_hex(o, x->nonce, sizeof x->nonce, "nonce", HEX_ANY);
    x->cluster_statement = read_object(o, a, "cluster_statement");
    x->node_statement = read_object(o, a, "node_statement");
    if (jo_opt_object(o, &collateral, "collateral"))
        x->collateral = jo_as_written(&collateral, a, NULL);
    read_unbound(x, a, o);
}

rc_t attestation_read(attestation_t *out, err_t *e, arena_t *a, view_t body)
{
    jo_doc_t doc;
    attestation_t x = { .evidence_type = 0 };
    const jo_t o = jo_open(&doc, e, body, ATTESTATION_MAX, JO_STRICT);
    read_all(&x, a, &o);
    const rc_t rc = jo_done(&o);
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
