#include "tee/collateral/collateral.h"

#include <stdlib.h>

#include "base/hex.h"
#include "base/json_tree.h"
#include "tee/x509/chain.h"

/* --- the answers of a PCS --- */

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* What follows is for text that is known to be well-formed JSON: it only finds the ends of values. */

static void skip_space(rd_t *r)
{
    while (r->n && is_space(*r->p))
        rd_take(r, 1);
}

/* The string that r stands at, with its quotation marks. */
static view_t skip_string(rd_t *r)
{
    const uint8_t *start = r->p;
    rd_take(r, 1);
    while (!r->bad && r->n && *r->p != '"')
        rd_take(r, *r->p == '\\' ? 2 : 1);
    rd_take(r, 1);
    return view_of(start, (size_t)(r->p - start));
}

/* Any value. */
static view_t skip_value(rd_t *r)
{
    const uint8_t *start = r->p;
    size_t depth = 0;
    do {
        uint8_t c = r->n ? *r->p : 0;
        if (c == '"')
            skip_string(r);
        else {
            if (c == '{' || c == '[')
                depth++;
            else if ((c == '}' || c == ']') && depth)
                depth--;
            rd_take(r, 1);
        }
    } while (!r->bad && (depth || (r->n && *r->p != ',' && *r->p != '}' && !is_space(*r->p))));
    return view_of(start, (size_t)(r->p - start));
}

/* The exact bytes of a member of the top object; n 0: it has none of this spelling. */
static view_t member_bytes(view_t body, const char *member)
{
    rd_t r = rd_of(body);
    skip_space(&r);
    rd_take(&r, 1); /* { */
    while (!r.bad && r.n) {
        skip_space(&r);
        if (!r.n || *r.p != '"')
            break;
        view_t key = skip_string(&r);
        skip_space(&r);
        rd_take(&r, 1); /* : */
        skip_space(&r);
        view_t value = skip_value(&r);
        if (!r.bad && key.n == strlen(member) + 2 && memcmp(key.p + 1, member, key.n - 2) == 0)
            return value;
        skip_space(&r);
        rd_take(&r, 1); /* , or } */
    }
    return view_of(NULL, 0);
}

static bool read_signature(uint8_t out[64], const json_t *value)
{
    const char *text = json_string_value(value);
    return text && hex_decode_exact(out, 64, text, strlen(text)) == RC_OK;
}

static rc_t load_failed(err_t *e, rc_t rc, const char *why)
{
    tee_code_t code = rc == RC_NOMEM ? E_NOMEM : rc == RC_LIMIT ? E_LIMIT : E_COLLATERAL;
    return tee_fail(e, code, rc == RC_MALFORMED ? why : NULL);
}

rc_t collateral_split(view_t *inner, uint8_t signature[64], err_t *e, view_t body, const char *member)
{
    json_t *o;
    uint8_t sig[64];
    rc_t rc = json_load_strict(&o, body, COLLATERAL_DOC_MAX);
    if (rc)
        return load_failed(e, rc, "the service's answer is not JSON");
    bool ok = json_is_object(json_object_get(o, member)) && read_signature(sig, json_object_get(o, "signature"));
    json_decref(o);
    view_t found = ok ? member_bytes(body, member) : view_of(NULL, 0);
    if (!found.n || found.p[0] != '{')
        return tee_fail(e, E_COLLATERAL, "the service's answer lacks the document or its signature");
    *inner = found;
    memcpy(signature, sig, sizeof sig);
    return RC_OK;
}

/* --- the container --- */

static rc_t take_text(view_t *out, err_t *e, arena_t *a, const json_t *o, const char *key, const char *missing)
{
    const json_t *value = json_object_get(o, key);
    if (!json_is_string(value) || !json_string_length(value))
        return tee_fail(e, E_COLLATERAL, missing);
    *out = arena_dup(a, view_of(json_string_value(value), json_string_length(value)));
    return out->p ? RC_OK : tee_fail(e, E_NOMEM, NULL);
}

/* A missing list is told by those who need it: E_CRL_MISSING. */
static rc_t take_crl(view_t *out, err_t *e, arena_t *a, const json_t *o, const char *key)
{
    const json_t *value = json_object_get(o, key);
    if (!value)
        return RC_OK;
    if (!json_is_string(value))
        return tee_fail(e, E_COLLATERAL, "a revocation list in the collateral is not text");
    view_t text = arena_dup(a, view_of(json_string_value(value), json_string_length(value)));
    if (!text.n)
        return json_string_length(value) ? tee_fail(e, E_NOMEM, NULL) : RC_OK;
    return chain_crl_der(out, e, a, text);
}

static rc_t read_container(collateral_t *c, err_t *e, arena_t *a, const json_t *o)
{
    rc_t rc = take_crl(&c->root_ca_crl, e, a, o, "root_ca_crl");
    if (!rc)
        rc = take_crl(&c->pck_crl, e, a, o, "pck_crl");
    if (!rc && json_object_get(o, "pck_crl_issuer_chain"))
        rc = take_text(&c->pck_crl_issuer_chain, e, a, o, "pck_crl_issuer_chain", "pck_crl_issuer_chain is no text");
    if (!rc)
        rc = take_text(&c->tcb_info, e, a, o, "tcb_info", "tcb_info is missing");
    if (!rc)
        rc = take_text(&c->tcb_info_issuer_chain, e, a, o, "tcb_info_issuer_chain", "tcb_info_issuer_chain is missing");
    if (!rc)
        rc = take_text(&c->qe_identity, e, a, o, "qe_identity", "qe_identity is missing");
    if (!rc)
        rc = take_text(&c->qe_identity_issuer_chain, e, a, o, "qe_identity_issuer_chain",
                       "qe_identity_issuer_chain is missing");
    if (rc)
        return rc;
    if (!read_signature(c->tcb_info_signature, json_object_get(o, "tcb_info_signature")))
        return tee_fail(e, E_COLLATERAL, "tcb_info_signature is missing or not 64 bytes of hex");
    if (!read_signature(c->qe_identity_signature, json_object_get(o, "qe_identity_signature")))
        return tee_fail(e, E_COLLATERAL, "qe_identity_signature is missing or not 64 bytes of hex");
    return RC_OK;
}

rc_t collateral_read(collateral_t *out, err_t *e, arena_t *a, view_t json)
{
    collateral_t c = { 0 };
    json_t *o;
    rc_t rc = json_load_strict(&o, json, COLLATERAL_MAX);
    if (rc)
        return load_failed(e, rc, "the collateral is not JSON");
    rc = json_is_object(o) ? read_container(&c, e, a, o)
                           : tee_fail(e, E_COLLATERAL, "the collateral is not a JSON object");
    json_decref(o);
    if (!rc)
        *out = c;
    return rc;
}

static rc_t put_text(json_t *o, const char *key, view_t v)
{
    json_t *raw = json_stringn_nocheck(v.n ? (const char *)v.p : "", v.n),
           *text = json_stringn(v.n ? (const char *)v.p : "", v.n);
    rc_t rc = !raw ? RC_NOMEM : !text ? RC_MALFORMED : json_object_set(o, key, text) ? RC_NOMEM : RC_OK;
    json_decref(raw);
    json_decref(text);
    return rc;
}

static rc_t put_hex(json_t *o, arena_t *a, const char *key, view_t v)
{
    char *text = arena_alloc(a, 2 * v.n + 1);
    if (!text)
        return RC_NOMEM;
    hex_encode(text, v);
    return put_text(o, key, view_str(text));
}

rc_t collateral_write(view_t *out, arena_t *a, const collateral_t *c)
{
    const struct {
        const char *key;
        view_t value;
        bool binary;
    } rows[] = {
        { "pck_crl_issuer_chain", c->pck_crl_issuer_chain, false },
        { "root_ca_crl", c->root_ca_crl, true },
        { "pck_crl", c->pck_crl, true },
        { "tcb_info_issuer_chain", c->tcb_info_issuer_chain, false },
        { "tcb_info", c->tcb_info, false },
        { "tcb_info_signature", view_of(c->tcb_info_signature, 64), true },
        { "qe_identity_issuer_chain", c->qe_identity_issuer_chain, false },
        { "qe_identity", c->qe_identity, false },
        { "qe_identity_signature", view_of(c->qe_identity_signature, 64), true },
    };
    json_t *o = json_object();
    rc_t rc = o ? RC_OK : RC_NOMEM;
    for (size_t i = 0; !rc && i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].value.n) /* what is missing stays missing */
            rc = rows[i].binary ? put_hex(o, a, rows[i].key, rows[i].value) : put_text(o, rows[i].key, rows[i].value);
    char *text = rc ? NULL : json_dumps(o, JSON_COMPACT);
    json_decref(o);
    view_t copy = text ? arena_dup(a, view_str(text)) : view_of(NULL, 0);
    free(text);
    if (rc || !copy.p)
        return rc ? rc : RC_NOMEM;
    *out = copy;
    return RC_OK;
}
