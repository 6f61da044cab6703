#include "tee/collateral/collateral.h"

#include "base/json.h"
#include "base/utf8.h"
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

/* Ends the reading of a document whose faults are E_COLLATERAL. */
static rc_t finish(err_t *e, const jo_t *o, err_t *found)
{
    const rc_t rc = jo_done(o);
    jo_close(o->doc);
    found->code = E_COLLATERAL; /* of a text that does not parse, too */
    return rc ? tee_fail_json(e, found) : RC_OK;
}

rc_t collateral_split(view_t *inner, uint8_t signature[64], err_t *e, view_t body, const char *member)
{
    jo_doc_t doc;
    err_t found;
    uint8_t sig[64];
    const jo_t o = jo_open(&doc, &found, body, COLLATERAL_DOC_MAX, JO_LENIENT);
    jo_object(&o, member);
    jo_hex(&o, sig, sizeof sig, "signature", HEX_ANY);
    const view_t bytes = jo_rc(&o) ? view_of(NULL, 0) : member_bytes(body, member);
    if (!bytes.n)
        jo_fail(&o, member, RC_MALFORMED, "is not spelled as the service spells it");
    const rc_t rc = finish(e, &o, &found);
    if (rc)
        return rc;
    *inner = bytes;
    memcpy(signature, sig, sizeof sig);
    return RC_OK;
}

/* --- the container --- */

/* The lists are still text. One that is missing is told by those who need it: E_CRL_MISSING. */
static void read_container(collateral_t *c, arena_t *a, const jo_t *o)
{
    jo_opt_text_copy(o, &c->root_ca_crl, a, "root_ca_crl", 0, SIZE_MAX);
    jo_opt_text_copy(o, &c->pck_crl, a, "pck_crl", 0, SIZE_MAX);
    jo_opt_text_copy(o, &c->pck_crl_issuer_chain, a, "pck_crl_issuer_chain", 1, SIZE_MAX);
    c->tcb_info = jo_text_copy(o, a, "tcb_info", 1, SIZE_MAX);
    c->tcb_info_issuer_chain = jo_text_copy(o, a, "tcb_info_issuer_chain", 1, SIZE_MAX);
    c->qe_identity = jo_text_copy(o, a, "qe_identity", 1, SIZE_MAX);
    c->qe_identity_issuer_chain = jo_text_copy(o, a, "qe_identity_issuer_chain", 1, SIZE_MAX);
    jo_hex(o, c->tcb_info_signature, sizeof c->tcb_info_signature, "tcb_info_signature", HEX_ANY);
    jo_hex(o, c->qe_identity_signature, sizeof c->qe_identity_signature, "qe_identity_signature", HEX_ANY);
}

static rc_t decode_crl(view_t *crl, err_t *e, arena_t *a)
{
    return crl->n ? crl_der(crl, e, a, *crl) : RC_OK;
}

rc_t collateral_read(collateral_t *out, err_t *e, arena_t *a, view_t json)
{
    jo_doc_t doc;
    err_t found;
    collateral_t c = { 0 };
    const jo_t o = jo_open(&doc, &found, json, COLLATERAL_MAX, JO_LENIENT);
    read_container(&c, a, &o);
    rc_t rc = finish(e, &o, &found);
    if (!rc)
        rc = decode_crl(&c.root_ca_crl, e, a);
    if (!rc)
        rc = decode_crl(&c.pck_crl, e, a);
    if (!rc)
        *out = c;
    return rc;
}

static bool is_utf8(view_t text)
{
    rd_t r = rd_of(text);
    while (r.n) {
        const size_t n = utf8_len(view_of(r.p, r.n));
        if (!n)
            return false;
        rd_take(&r, n);
    }
    return true;
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
    jw_t w = jw_of(a, SIZE_MAX);
    jw_object(&w, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!rows[i].binary && !is_utf8(rows[i].value)) /* the writer would change what is signed */
            return RC_MALFORMED;
        if (rows[i].value.n) /* what is missing stays missing */
            (rows[i].binary ? jw_digits : jw_text)(&w, rows[i].key, rows[i].value);
    }
    jw_end(&w);
    const view_t text = jw_done(&w);
    if (w.rc)
        return w.rc;
    *out = text;
    return RC_OK;
}
