#include "node/evidence/pccs.h"

#include <stdio.h>

#include "base/hex.h"
#include "tee/x509/chain.h"

#define URL_MAX 1200u
#define TIMEOUT_MS 20000u

enum { TCB_INFO, QE_IDENTITY, PCK_CRL, ROOT_CRL, DOCUMENTS };

static const struct {
    const char *name, *path, *header;
} documents[DOCUMENTS] = {
    { "TCB info", "/tdx/certification/v4/tcb?fmspc=", "TCB-Info-Issuer-Chain:" },
    { "QE identity", "/tdx/certification/v4/qe/identity", "SGX-Enclave-Identity-Issuer-Chain:" },
    { "PCK CRL", "/sgx/certification/v4/pckcrl?encoding=der&ca=", "SGX-PCK-CRL-Issuer-Chain:" },
    { "root CRL", "/sgx/certification/v4/rootcacrl", NULL },
};

/* The text of a percent-encoded header, in the arena; p NULL: malformed or no memory. '+' is itself: it occurs in base64. */
static view_t percent_decode(arena_t *a, const char *text)
{
    size_t len = strlen(text), n = 0;
    uint8_t *out = arena_alloc(a, len + 1);
    for (size_t i = 0; out && i < len; i++) {
        uint8_t b = (uint8_t)text[i];
        if (b == '%') {
            if (len - i < 3 || hex_decode_exact(&b, 1, text + i + 1, 2))
                return view_of(NULL, 0);
            i += 2;
        }
        out[n++] = b;
    }
    return view_of(out, out ? n : 0);
}

static rc_t say(char *why, size_t cap, rc_t rc, const char *url, const char *document, const char *what)
{
    char origin[160];
    hc_url_origin(origin, sizeof origin, url);
    size_t n = strlen(origin);
    if (n && !strncmp(what, origin, n) && !strncmp(what + n, ": ", 2)) /* errors of the client begin with it */
        what += n + 2;
    snprintf(why, cap, "%s: %s: %s", origin, document, what);
    return rc;
}

/* One answer: its body copied, its chain decoded where it has one. */
static rc_t take(view_t *body, view_t *chain, char *why, size_t cap, arena_t *a, const hc_response_t *r,
                 const char *url, size_t d)
{
    char status[32];
    snprintf(status, sizeof status, "HTTP status %d", r->status);
    if (r->rc)
        return say(why, cap, r->rc, url, documents[d].name, r->error);
    if (r->status != 200)
        return say(why, cap, RC_IO, url, documents[d].name, status);
    *body = arena_dup(a, view_of(r->body, r->body_len));
    if (!body->p)
        return say(why, cap, r->body_len ? RC_NOMEM : RC_MALFORMED, url, documents[d].name,
                   r->body_len ? "out of memory" : "the answer is empty");
    if (!documents[d].header)
        return RC_OK;
    if (!r->header)
        return say(why, cap, RC_MALFORMED, url, documents[d].name, "the header with the issuer chain is missing");
    *chain = percent_decode(a, r->header);
    return chain->p
               ? RC_OK
               : say(why, cap, RC_MALFORMED, url, documents[d].name, "the header with the issuer chain is malformed");
}

static rc_t split(view_t *inner, uint8_t sig[64], char *why, size_t cap, const char *url, size_t d, view_t body,
                  const char *member)
{
    err_t f;
    rc_t rc = collateral_split(inner, sig, &f, body, member);
    return rc ? say(why, cap, rc, url, documents[d].name, f.text) : RC_OK;
}

static rc_t crl(view_t *der, char *why, size_t cap, arena_t *a, const char *url, size_t d, view_t body)
{
    err_t f;
    rc_t rc = chain_crl_der(der, &f, a, body);
    return rc ? say(why, cap, rc, url, documents[d].name, f.text) : RC_OK;
}

static void perform(hc_response_t *r, const hc_request_t *q, size_t n, const pccs_request_t *request)
{
    hc_perform(request->http, r, q, n, request->cancelled, request->cancelled_ctx);
}

/* Intel's own service has no /rootcacrl: its root list lies where the root certificate says. */
static void ask_root_again(hc_response_t *r, char url[URL_MAX], const pccs_request_t *request)
{
    if (r->rc || r->status == 200 || !request->root_crl)
        return;
    snprintf(url, URL_MAX, "%s", request->root_crl);
    const hc_request_t q = { .url = url, .accept = "*/*", .timeout_ms = TIMEOUT_MS, .body_max = CHAIN_CRL_MAX };
    hc_response_clear(r);
    perform(r, &q, 1, request);
}

rc_t pccs_fetch(collateral_t *out, char *why, size_t cap, arena_t *a, const pccs_request_t *request)
{
    char urls[DOCUMENTS][URL_MAX], fmspc[13];
    hc_request_t q[DOCUMENTS];
    hc_response_t r[DOCUMENTS];
    view_t body[DOCUMENTS] = { { NULL, 0 } }, chain[DOCUMENTS] = { { NULL, 0 } };
    collateral_t c = { 0 };
    size_t n = strlen(request->base);
    while (n && request->base[n - 1] == '/')
        n--;
    if (n > URL_MAX - 128)
        return say(why, cap, RC_LIMIT, "", "collateral", "the URL is too long");
    hex_encode(fmspc, view_of(request->fmspc, 6));
    const char *tails[DOCUMENTS] = { fmspc, "", request->processor_ca ? "processor" : "platform", "" };
    for (size_t d = 0; d < DOCUMENTS; d++) {
        snprintf(urls[d], URL_MAX, "%.*s%s%s", (int)n, request->base, documents[d].path, tails[d]);
        q[d] = (hc_request_t){ .url = urls[d],
                               .accept = "*/*",
                               .timeout_ms = TIMEOUT_MS,
                               .body_max = CHAIN_CRL_MAX,
                               .want_header = documents[d].header };
    }
    perform(r, q, DOCUMENTS, request);
    ask_root_again(&r[ROOT_CRL], urls[ROOT_CRL], request);
    rc_t rc = RC_OK;
    for (size_t d = 0; !rc && d < DOCUMENTS; d++)
        rc = take(&body[d], &chain[d], why, cap, a, &r[d], urls[d], d);
    for (size_t d = 0; d < DOCUMENTS; d++)
        hc_response_clear(&r[d]);
    if (!rc)
        rc = split(&c.tcb_info, c.tcb_info_signature, why, cap, urls[TCB_INFO], TCB_INFO, body[TCB_INFO], "tcbInfo");
    if (!rc)
        rc = split(&c.qe_identity, c.qe_identity_signature, why, cap, urls[QE_IDENTITY], QE_IDENTITY, body[QE_IDENTITY],
                   "enclaveIdentity");
    if (!rc)
        rc = crl(&c.pck_crl, why, cap, a, urls[PCK_CRL], PCK_CRL, body[PCK_CRL]);
    if (!rc)
        rc = crl(&c.root_ca_crl, why, cap, a, urls[ROOT_CRL], ROOT_CRL, body[ROOT_CRL]);
    if (rc)
        return rc;
    c.tcb_info_issuer_chain = chain[TCB_INFO];
    c.qe_identity_issuer_chain = chain[QE_IDENTITY];
    c.pck_crl_issuer_chain = chain[PCK_CRL];
    *out = c;
    return RC_OK;
}
