#include "rpc/api/attestation.h"

#include <stdlib.h>

#include "base/hex.h"
#include "base/json_tree.h"

#define QUOTE_MAX 32768u
#define EVENT_LOG_MAX (1u << 20)
#define VM_CONFIG_MAX (64u << 10)

/* --- writing --- */

/* Adds "0x" and the digits of v. False: no memory. */
static bool add_hex(json_t *o, arena_t *a, const char *key, view_t v)
{
    char *text = arena_alloc(a, 2 * v.n + 3);
    if (!text)
        return false;
    memcpy(text, "0x", 2);
    hex_encode(text + 2, v);
    return json_object_set_new(o, key, json_string(text)) == 0;
}

static bool add_text(json_t *o, const char *key, view_t v)
{
    return !v.n || json_object_set_new(o, key, json_stringn((const char *)v.p, v.n)) == 0;
}

static rc_t add_collateral(json_t *o, view_t text)
{
    json_t *value;
    rc_t rc = json_load_strict(&value, text, ATTESTATION_MAX);
    if (rc)
        return rc == RC_NOMEM ? rc : RC_BUG;
    return json_object_set_new(o, "collateral", value) ? RC_NOMEM : RC_OK;
}

static rc_t fill(json_t *o, arena_t *a, const attestation_t *in)
{
    bool ok = add_text(o, "tee", in->tee) && add_text(o, "provider", in->provider) &&
              !json_object_set_new(o, "evidence_type", json_integer(in->evidence_type)) &&
              add_hex(o, a, "quote", in->quote) && add_text(o, "event_log", in->event_log) &&
              add_text(o, "vm_config", in->vm_config) && add_hex(o, a, "pubkey", view_of(in->pubkey, 33)) &&
              add_hex(o, a, "node_pubkey", view_of(in->node_pubkey, 33)) &&
              !json_object_set_new(o, "chain_id", json_integer((json_int_t)in->chain_id));
    if (ok && in->has_nonce)
        ok = add_hex(o, a, "nonce", view_of(in->nonce, 32));
    ok = ok && add_hex(o, a, "policy_digest", view_of(in->policy_digest.b, 32)) &&
         add_hex(o, a, "setup_hash", view_of(in->setup_hash.b, 32));
    if (!ok)
        return RC_NOMEM;
    return in->collateral.n ? add_collateral(o, in->collateral) : RC_OK;
}

rc_t attestation_write(view_t *out, arena_t *a, const attestation_t *in)
{
    json_t *o = json_object();
    rc_t rc = o ? fill(o, a, in) : RC_NOMEM;
    char *text = rc ? NULL : json_dumps(o, JSON_COMPACT);
    view_t copy = text ? arena_dup(a, view_str(text)) : view_of(NULL, 0);
    json_decref(o);
    free(text);
    if (rc)
        return rc;
    if (!copy.p)
        return RC_NOMEM;
    *out = copy;
    return RC_OK;
}

/* --- reading --- */

/* A text of at most max bytes, copied; missing: n 0. */
static rc_t read_text(view_t *out, const char **field, arena_t *a, const json_t *o, const char *key, size_t max)
{
    const json_t *value = json_object_get(o, key);
    *field = key;
    *out = view_of(NULL, 0);
    if (!value)
        return RC_OK;
    if (!json_is_string(value))
        return RC_MALFORMED;
    if (json_string_length(value) > max)
        return RC_LIMIT;
    if (!json_string_length(value))
        return RC_OK;
    *out = arena_dup(a, view_of(json_string_value(value), json_string_length(value)));
    return out->p ? RC_OK : RC_NOMEM;
}

static rc_t read_fixed(uint8_t *out, size_t n, const char **field, const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    *field = key;
    return text ? hex_decode_exact(out, n, text, strlen(text)) : RC_MALFORMED;
}

static rc_t read_quote(view_t *out, const char **field, arena_t *a, const json_t *o)
{
    const json_t *value = json_object_get(o, "quote");
    size_t len = json_string_length(value), n;
    *field = "quote";
    if (!json_is_string(value) || !len)
        return RC_MALFORMED;
    if (len > 2 * QUOTE_MAX + 2)
        return RC_LIMIT;
    uint8_t *p = arena_alloc(a, len / 2 + 1);
    if (!p)
        return RC_NOMEM;
    rc_t rc = hex_decode(p, &n, len / 2, json_string_value(value), len);
    if (rc)
        return rc;
    *out = view_of(p, n);
    return n ? RC_OK : RC_MALFORMED;
}

static rc_t read_number(uint64_t *out, const char **field, const json_t *o, const char *key, uint64_t max)
{
    const json_t *value = json_object_get(o, key);
    *field = key;
    if (!json_is_integer(value) || json_integer_value(value) < 0 || (uint64_t)json_integer_value(value) > max)
        return RC_MALFORMED;
    *out = (uint64_t)json_integer_value(value);
    return RC_OK;
}

static rc_t read_collateral(view_t *out, const char **field, arena_t *a, const json_t *o)
{
    const json_t *value = json_object_get(o, "collateral");
    *field = "collateral";
    *out = view_of(NULL, 0);
    if (!value)
        return RC_OK;
    if (!json_is_object(value))
        return RC_MALFORMED;
    char *text = json_dumps(value, JSON_COMPACT);
    *out = text ? arena_dup(a, view_str(text)) : view_of(NULL, 0);
    free(text);
    return out->p ? RC_OK : RC_NOMEM;
}

static rc_t read_all(attestation_t *x, const char **field, arena_t *a, const json_t *o)
{
    uint64_t type = 0;
    rc_t rc = read_text(&x->tee, field, a, o, "tee", 32);
    if (!rc && !x->tee.n)
        rc = RC_MALFORMED;
    if (!rc)
        rc = read_text(&x->provider, field, a, o, "provider", 64);
    if (!rc)
        rc = read_number(&type, field, o, "evidence_type", UINT8_MAX);
    x->evidence_type = (uint8_t)type;
    if (!rc)
        rc = read_quote(&x->quote, field, a, o);
    if (!rc)
        rc = read_text(&x->event_log, field, a, o, "event_log", EVENT_LOG_MAX);
    if (!rc)
        rc = read_text(&x->vm_config, field, a, o, "vm_config", VM_CONFIG_MAX);
    if (!rc)
        rc = read_fixed(x->pubkey, 33, field, o, "pubkey");
    if (!rc)
        rc = read_fixed(x->node_pubkey, 33, field, o, "node_pubkey");
    if (!rc)
        rc = read_number(&x->chain_id, field, o, "chain_id", INT64_MAX);
    x->has_nonce = json_object_get(o, "nonce") != NULL;
    if (!rc && x->has_nonce)
        rc = read_fixed(x->nonce, 32, field, o, "nonce");
    if (!rc)
        rc = read_fixed(x->policy_digest.b, 32, field, o, "policy_digest");
    if (!rc)
        rc = read_fixed(x->setup_hash.b, 32, field, o, "setup_hash");
    return rc ? rc : read_collateral(&x->collateral, field, a, o);
}

rc_t attestation_read(attestation_t *out, const char **field, arena_t *a, view_t body)
{
    json_t *o = NULL;
    attestation_t x = { 0 };
    *field = "";
    rc_t rc = json_load_strict(&o, body, ATTESTATION_MAX);
    if (!rc)
        rc = json_is_object(o) ? read_all(&x, field, a, o) : RC_MALFORMED;
    json_decref(o);
    if (!rc)
        *out = x;
    return rc;
}

rc_t attestation_read_prototype(view_t *quote, uint8_t pubkey[33], const char **field, arena_t *a, view_t body)
{
    json_error_t error;
    json_t *o = NULL;
    view_t q;
    uint8_t key[33];
    *field = "";
    if (body.n > ATTESTATION_MAX)
        return RC_LIMIT;
    json_t *outer = body.n ? json_loadb((const char *)body.p, body.n, JSON_DECODE_ANY, &error) : NULL;
    rc_t rc = json_is_string(outer)
                  ? json_load_strict(&o, view_of(json_string_value(outer), json_string_length(outer)), ATTESTATION_MAX)
                  : RC_MALFORMED;
    if (!rc)
        rc = json_is_object(o) ? read_quote(&q, field, a, o) : RC_MALFORMED;
    if (!rc)
        rc = read_fixed(key, sizeof key, field, o, "pubkey");
    json_decref(o);
    json_decref(outer);
    if (rc)
        return rc;
    *quote = q;
    memcpy(pubkey, key, sizeof key);
    return RC_OK;
}
