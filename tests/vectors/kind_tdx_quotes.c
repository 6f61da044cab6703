/* tdx-quotes: tdx/quotes/<name>.bin parse with the fields of <name>.json; version 3 and non-zero trailing bytes are
 * refused. The quote's own signature verifies where the file says that signatures are valid. */
#include <stdlib.h>
#include <string.h>

#include "base/crypto/hash.h"
#include "base/crypto/p256.h"
#include "base/hex.h"
#include "tee/quote/quote.h"
#include "tests/vectors/vec.h"

/* True when the JSON's hex text is exactly these bytes. */
static bool same(const json_t *o, const char *key, const uint8_t *p, size_t n)
{
    uint8_t want[64];
    const char *text = vec_str(o, key);
    return text && p && n <= sizeof want && hex_decode_exact(want, n, text, strlen(text)) == RC_OK &&
           memcmp(want, p, n) == 0;
}

static bool number(const json_t *o, const char *key, uint64_t n)
{
    const json_t *v = json_object_get(o, key);
    return json_is_integer(v) && (uint64_t)json_integer_value(v) == n;
}

/* The name of the first field that differs, or NULL. */
static const char *difference(const quote_t *q, const json_t *o, size_t total)
{
    const quote_td_t *td = &q->td;
    const struct {
        const char *key;
        const uint8_t *p;
        size_t n;
    } bytes[] = {
        { "user_data", q->user_data, 20 },
        { "tee_tcb_svn", td->tcb_svn, 16 },
        { "mr_seam", td->mr_seam, 48 },
        { "mr_signer_seam", td->mr_signer_seam, 48 },
        { "seam_attributes", td->seam_attributes, 8 },
        { "td_attributes", td->td_attributes, 8 },
        { "xfam", td->xfam, 8 },
        { "mr_td", td->mr_td, 48 },
        { "mr_config_id", td->mr_config_id, 48 },
        { "mr_owner", td->mr_owner, 48 },
        { "mr_owner_config", td->mr_owner_config, 48 },
        { "rtmr0", td->rtmr[0], 48 },
        { "rtmr1", td->rtmr[1], 48 },
        { "rtmr2", td->rtmr[2], 48 },
        { "rtmr3", td->rtmr[3], 48 },
        { "report_data", td->report_data, 64 },
        { "attestation_key", q->attestation_key, 64 },
        { "qe_mrsigner", q->qe.mr_signer, 32 },
    };
    const struct {
        const char *key;
        uint64_t n;
    } numbers[] = {
        { "version", q->version },
        { "body_type", q->body_type },
        { "att_key_type", 2 },
        { "cert_type", 6 },
        { "inner_cert_type", 5 },
        { "signed_len", q->signed_part.n },
        { "sig_data_len", q->used.n - q->signed_part.n - 4 },
        { "total", total },
        { "trailing", total - q->used.n },
        { "qe_auth_len", q->qe_auth.n },
        { "qe_isvsvn", q->qe.isv_svn },
        { "qe_isvprodid", q->qe.isv_prod_id },
        { "n_certs", QUOTE_CERTS },
    };
    /* One file lists only what is signed. */
    bool is_short = !json_object_get(o, "attestation_key");
    for (size_t i = 0; i < sizeof bytes / sizeof bytes[0] - (is_short ? 2 : 0); i++)
        if (!same(o, bytes[i].key, bytes[i].p, bytes[i].n))
            return bytes[i].key;
    for (size_t i = 0; i < (is_short ? 3 : sizeof numbers / sizeof numbers[0]); i++)
        if (!number(o, numbers[i].key, numbers[i].n))
            return numbers[i].key;
    if ((td->tcb_svn2 != NULL) != (q->body_type == QUOTE_BODY_TD15))
        return "body_type";
    if (td->tcb_svn2 && !same(o, "tee_tcb_svn2", td->tcb_svn2, 16))
        return "tee_tcb_svn2";
    if (td->mr_service_td && !same(o, "mr_service_td", td->mr_service_td, 48))
        return "mr_service_td";
    return NULL;
}

/* The two checks that need no certificate: the quote's signature, and the attestation key's place in the QE report. */
static bool signed_and_bound(const quote_t *q)
{
    const view_t bound[] = { view_of(q->attestation_key, 64), q->qe_auth };
    static const uint8_t zeros[32];
    hash32_t digest, binding;
    sha256(&digest, q->signed_part);
    sha256_parts(&binding, bound, 2);
    return p256_verify(q->signature, &digest, q->attestation_key) == RC_OK &&
           memcmp(q->qe.report_data, binding.b, 32) == 0 && memcmp(q->qe.report_data + 32, zeros, 32) == 0;
}

static void run(vec_t *v, const char *name, view_t bin, const json_t *o)
{
    quote_t q;
    err_t fault;
    rc_t rc = quote_parse(&q, &fault, bin);
    if (!number(o, "version", 4) && !number(o, "version", 5)) {
        if (rc == RC_REFUSED)
            vec_pass(v);
        else
            vec_fail(v, name, "an unknown version gave %s", rc_name(rc));
        return;
    }
    size_t used = bin.n - (size_t)json_integer_value(json_object_get(o, "trailing"));
    bool padded = true; /* with zeros only */
    for (size_t i = used; i < bin.n; i++)
        padded = padded && !bin.p[i];
    if (!padded && rc != RC_MALFORMED) {
        vec_fail(v, name, "bytes behind the end gave %s", rc_name(rc));
        return;
    }
    if (!padded)
        rc = quote_parse(&q, &fault, view_of(bin.p, used));
    const char *field = rc ? NULL : difference(&q, o, bin.n);
    if (rc)
        vec_fail(v, name, "%s: %s", tee_code_name(fault.code), fault.text);
    else if (field)
        vec_fail(v, name, "field %s differs", field);
    else if (json_is_true(json_object_get(o, "signatures_valid")) && !signed_and_bound(&q))
        vec_fail(v, name, "signature or binding does not verify");
    else
        vec_pass(v);
}

void vec_kind_tdx_quotes(vec_t *v)
{
    arena_t a;
    arena_init(&a, 16u << 20);
    char **names = vec_list(v, &a, "tdx/quotes");
    for (; names && *names; names++) {
        size_t n = strlen(*names);
        if (n < 5 || strcmp(*names + n - 4, ".bin") != 0)
            continue;
        int stem = (int)n - 4;
        view_t bin = vec_read(v, &a, "tdx/quotes/%s", *names);
        json_t *o = vec_json(v, "tdx/quotes/%.*s.json", stem, *names);
        if (bin.p && o)
            run(v, *names, bin, o);
        else
            vec_fail(v, *names, "no .bin or no .json");
        json_decref(o);
    }
    arena_free(&a);
}
