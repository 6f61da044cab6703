#include "rpc/api/operator.h"

#include <stdlib.h>

#include "base/crypto/ecdsa.h"
#include "base/crypto/hash.h"
#include "base/hex.h"
#include "base/json.h"

static rc_t refuse(err_t *e, rc_t rc, uint16_t code, const char *text)
{
    return err_code(e, err_say(e, rc, text), code);
}

void operator_digest(hash32_t *out, const uint8_t node[OPERATOR_KEY_LEN], const operator_command_t *c,
                     const operator_terms_t *terms)
{
    static const uint8_t domain[32] = "kettle-operator/1";
    uint8_t numbers[16];
    hash32_t body;
    store_u64be(numbers, terms->counter);
    store_u64be(numbers + 8, terms->not_after_s);
    sha256(&body, c->body);
    const bool asks = *c->query != 0;
    sha256_parts(out,
                 (view_t[]){ view_of(domain, sizeof domain), view_str(c->method), view_str(" "), view_str(c->path),
                             view_str(asks ? "?" : ""), view_str(c->query), view_str("\n"),
                             view_of(node, OPERATOR_KEY_LEN), view_of(numbers, sizeof numbers),
                             view_of(body.b, sizeof body.b) },
                 10);
}

/* A parameter of a query. False: it is not there once, or no number. */
static bool read_parameter(uint64_t *out, const char *query, const char *name)
{
    const size_t n = strlen(name);
    size_t found = 0;
    for (const char *p = query; *p;) {
        const size_t len = strcspn(p, "&");
        if (len > n && !strncmp(p, name, n) && p[n] == '=') {
            char *end;
            *out = p[n + 1] >= '0' && p[n + 1] <= '9' ? strtoull(p + n + 1, &end, 10) : UINT64_MAX;
            if (*out >= OPERATOR_NUMBER_MAX || end != p + len)
                return false;
            found++;
        }
        p += len + (p[len] == '&');
    }
    return found == 1;
}

/* Counter and not_after, from where the method has them. */
static rc_t read_terms(operator_terms_t *out, err_t *e, const operator_command_t *c)
{
    jo_doc_t doc;
    if (!strcmp(c->method, "GET"))
        return !c->body.n && read_parameter(&out->counter, c->query, "counter") &&
                       read_parameter(&out->not_after_s, c->query, "not_after")
                   ? RC_OK
                   : refuse(e, RC_MALFORMED, OPERATOR_FORM, "the query must have counter and not_after, once each");
    const jo_t o = jo_open(&doc, e, c->body, OPERATOR_BODY_MAX, JO_LENIENT);
    out->counter = jo_u64(&o, "counter", 0, OPERATOR_NUMBER_MAX - 1);
    out->not_after_s = jo_u64(&o, "not_after", 0, OPERATOR_NUMBER_MAX - 1);
    const rc_t rc = jo_done(&o);
    jo_close(&doc);
    return rc ? err_code(e, rc, OPERATOR_FORM) : RC_OK;
}

static rc_t check_signature(err_t *e, const operator_t *o, const operator_command_t *c, const operator_terms_t *terms)
{
    uint8_t signature[ECDSA_SIG65_LEN], point[64];
    hash32_t digest;
    addr_t by, wanted;
    if (hex_decode_exact(signature, sizeof signature, c->signature, strlen(c->signature)))
        return refuse(e, RC_MALFORMED, OPERATOR_FORM, "send the header Kettle-Operator: 65 bytes as hex");
    if (ecdsa_uncompress(NULL, point, o->key))
        return refuse(e, RC_REFUSED, OPERATOR_NO_KEY, "operator_key of this node's configuration is no public key");
    operator_digest(&digest, o->node, c, terms);
    ecdsa_address(&wanted, point);
    if (ecdsa_recover65(&by, signature, &digest) || memcmp(by.b, wanted.b, sizeof by.b) != 0)
        return refuse(e, RC_REFUSED, OPERATOR_BAD_SIGNATURE,
                      "the signature is not operator_key's over this command for this node since its last start");
    return RC_OK;
}

rc_t operator_take(operator_t *o, err_t *e, const operator_command_t *c, uint64_t now_s)
{
    operator_terms_t terms = { 0 };
    if (!o->has_key)
        return refuse(e, RC_REFUSED, OPERATOR_NO_KEY, "this node's configuration has no operator_key");
    rc_t rc = read_terms(&terms, e, c);
    if (!rc)
        rc = check_signature(e, o, c, &terms);
    if (rc)
        return rc;
    if (terms.not_after_s < now_s)
        return refuse(e, RC_REFUSED, OPERATOR_EXPIRED, "the command has expired");
    if (terms.not_after_s - now_s > OPERATOR_AHEAD_S)
        return refuse(e, RC_REFUSED, OPERATOR_TOO_FAR, "not_after lies more than ten minutes ahead");
    if (terms.counter <= o->counter)
        return refuse(e, RC_REPLAY, OPERATOR_REPLAYED, "the counter is not above that of the last command");
    o->counter = terms.counter;
    return RC_OK;
}
