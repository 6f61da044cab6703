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

/* The text of a percent-encoded header, in the arena; p NULL: malformed or no memory. '+' is itself: it occurs in
 * base64. */
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

static rc_t say(err_t *e, rc_t rc, const char *document, const char *what)
{
    return err_set(e, rc, "%s: %s", document, what);
}

/* One document on its way: what is asked, where, and what came. */
typedef struct {
    const char *name, *header; /* of the document; of its issuer chain, NULL: it has none */
    char url[URL_MAX];
    view_t body, chain;
} asked_t;

/* One answer: its body copied, its chain decoded where it has one. */
static rc_t take(asked_t *d, err_t *e, arena_t *a, const hc_response_t *r)
{
    char status[32];
    snprintf(status, sizeof status, "HTTP status %d", r->status);
    if (r->why.rc)
        return say(e, r->why.rc, d->name, r->why.text);
    if (r->status != 200)
        return say(e, RC_IO, d->name, status);
    if (!r->body_len)
        return say(e, RC_MALFORMED, d->name, "the answer is empty");
    d->body = arena_dup(a, view_of(r->body, r->body_len));
    if (!d->body.p)
        return say(e, RC_NOMEM, d->name, "out of memory");
    if (!d->header)
        return RC_OK;
    if (!r->header)
        return say(e, RC_MALFORMED, d->name, "the header with the issuer chain is missing");
    d->chain = percent_decode(a, r->header);
    return d->chain.p ? RC_OK : say(e, RC_MALFORMED, d->name, "the header with the issuer chain is malformed");
}

/* What is wrong with a document, which is heard of. */
static rc_t unreadable(char heard[HEARD_MAX + 1], err_t *e, rc_t rc, const err_t *why, const asked_t *d)
{
    if (!rc)
        return RC_OK;
    heard_of(heard, &(hc_response_t){ .body = (uint8_t *)(uintptr_t)d->body.p, .body_len = d->body.n }, d->url);
    return say(e, rc, d->name, why->text);
}

static rc_t split(view_t *inner, uint8_t sig[64], char heard[HEARD_MAX + 1], err_t *e, const asked_t *d,
                  const char *member)
{
    err_t f;
    return unreadable(heard, e, collateral_split(inner, sig, &f, d->body, member), &f, d);
}

static rc_t crl(view_t *der, char heard[HEARD_MAX + 1], err_t *e, arena_t *a, const asked_t *d)
{
    err_t f;
    return unreadable(heard, e, crl_der(der, &f, a, d->body), &f, d);
}

static void perform(hc_response_t *r, const hc_request_t *q, size_t n, const pccs_request_t *request)
{
    hc_perform(request->http, r, q, n, request->cancelled, request->cancelled_ctx);
}

/* Intel's own service has no /rootcacrl: its root list lies where the root certificate says. */
static void ask_root_again(hc_response_t *r, char url[URL_MAX], const pccs_request_t *request)
{
    if (r->why.rc || r->status == 200 || !request->root_crl)
        return;
    snprintf(url, URL_MAX, "%s", request->root_crl);
    const hc_request_t q = {
        .url = url, .ca_file = request->ca_file, .accept = "*/*", .timeout_ms = TIMEOUT_MS, .body_max = CRL_MAX
    };
    hc_response_clear(r);
    perform(r, &q, 1, request);
}

/* Asks for all documents and takes the answers. */
static rc_t ask(asked_t d[DOCUMENTS], char heard[HEARD_MAX + 1], err_t *e, arena_t *a, const pccs_request_t *request)
{
    hc_request_t q[DOCUMENTS];
    hc_response_t r[DOCUMENTS];
    rc_t rc = RC_OK;
    for (size_t i = 0; i < DOCUMENTS; i++)
        q[i] = (hc_request_t){ .url = d[i].url,
                               .ca_file = request->ca_file,
                               .accept = "*/*",
                               .timeout_ms = TIMEOUT_MS,
                               .body_max = CRL_MAX,
                               .want_header = d[i].header };
    perform(r, q, DOCUMENTS, request);
    ask_root_again(&r[ROOT_CRL], d[ROOT_CRL].url, request);
    for (size_t i = 0; !rc && i < DOCUMENTS; i++) {
        rc = take(&d[i], e, a, &r[i]);
        if (rc)
            heard_of(heard, &r[i], d[i].url);
    }
    for (size_t i = 0; i < DOCUMENTS; i++)
        hc_response_clear(&r[i]);
    return rc;
}

/* Takes the documents out of their answers. */
static rc_t open_all(collateral_t *c, char heard[HEARD_MAX + 1], err_t *e, arena_t *a, const asked_t d[DOCUMENTS])
{
    rc_t rc = split(&c->tcb_info, c->tcb_info_signature, heard, e, &d[TCB_INFO], "tcbInfo");
    if (!rc)
        rc = split(&c->qe_identity, c->qe_identity_signature, heard, e, &d[QE_IDENTITY], "enclaveIdentity");
    if (!rc)
        rc = crl(&c->pck_crl, heard, e, a, &d[PCK_CRL]);
    if (!rc)
        rc = crl(&c->root_ca_crl, heard, e, a, &d[ROOT_CRL]);
    c->tcb_info_issuer_chain = d[TCB_INFO].chain;
    c->qe_identity_issuer_chain = d[QE_IDENTITY].chain;
    c->pck_crl_issuer_chain = d[PCK_CRL].chain;
    return rc;
}

/* A base URL's length without what its owner wrote of the documents' own path. */
static size_t base_len(const char *base)
{
    static const char *const own[] = { "/sgx/certification/v4", "/tdx/certification/v4" };
    size_t n = strlen(base);
    while (n && base[n - 1] == '/')
        n--;
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        const size_t part = strlen(own[i]);
        if (n > part && !memcmp(base + n - part, own[i], part))
            return n - part;
    }
    return n;
}

rc_t pccs_fetch(collateral_t *out, char heard[HEARD_MAX + 1], err_t *e, arena_t *a, const pccs_request_t *request)
{
    asked_t d[DOCUMENTS] = { 0 };
    char fmspc[13];
    collateral_t c = { 0 };
    const size_t n = base_len(request->base);
    heard[0] = '\0';
    if (n > URL_MAX - 128)
        return say(e, RC_LIMIT, "collateral", "the URL is too long");
    hex_encode(fmspc, view_of(request->fmspc, 6));
    const char *tails[DOCUMENTS] = { fmspc, "", request->processor_ca ? "processor" : "platform", "" };
    for (size_t i = 0; i < DOCUMENTS; i++) {
        d[i].name = documents[i].name;
        d[i].header = documents[i].header;
        snprintf(d[i].url, URL_MAX, "%.*s%s%s", (int)n, request->base, documents[i].path, tails[i]);
    }
    rc_t rc = ask(d, heard, e, a, request);
    if (!rc)
        rc = open_all(&c, heard, e, a, d);
    if (!rc)
        *out = c;
    return rc;
}
