#include "node/cli/evidence.h"

#include <ctype.h>
#include <stdio.h>

#include "base/hex.h"
#include "base/os/clock.h"
#include "http/client.h"
#include "tee/tee.h"
#include "tee/x509/der.h"
#include "tee/x509/ratls.h"

#define URL_MAX 1200u
#define TIMEOUT_MS 90000u /* a fresh quote takes seconds on real hardware */

/* What JSON takes for space. */
static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static view_t trim(view_t v)
{
    while (v.n && is_space(v.p[0]))
        v = view_of(v.p + 1, v.n - 1);
    while (v.n && is_space(v.p[v.n - 1]))
        v.n--;
    return v;
}

/* Digits and nothing else: no quote begins like that, its version is 4 or 5. */
static bool is_hex(view_t v)
{
    if (v.n >= 2 && v.p[0] == '0' && (v.p[1] == 'x' || v.p[1] == 'X'))
        v = view_of(v.p + 2, v.n - 2);
    for (size_t i = 0; i < v.n; i++)
        if (!isxdigit(v.p[i]))
            return false;
    return v.n > 0;
}

static rc_t read_hex(view_t *quote, err_t *e, arena_t *a, view_t text)
{
    size_t n;
    if (text.n > 2 * TEE_QUOTE_LEN_MAX + 2)
        return err_set(e, RC_LIMIT, "a quote has at most %u bytes", (unsigned)TEE_QUOTE_LEN_MAX);
    uint8_t *p = arena_alloc(a, text.n / 2 + 1);
    if (!p)
        return err_say(e, RC_NOMEM, "out of memory");
    if (hex_decode(p, &n, text.n / 2, (const char *)text.p, text.n))
        return err_say(e, RC_MALFORMED, "an odd number of hexadecimal digits is no quote");
    *quote = view_of(p, n);
    return RC_OK;
}

rc_t evidence_read(attestation_t *out, evidence_form_t *form, err_t *e, arena_t *a, view_t text)
{
    attestation_t x = { 0 };
    view_t t = trim(text);
    evidence_form_t f = !t.n || t.p[0] == '{' ? EVIDENCE_V1 : t.p[0] == '"' ? EVIDENCE_PROTOTYPE : EVIDENCE_QUOTE;
    rc_t rc = RC_OK;
    if (f == EVIDENCE_V1)
        rc = attestation_read(&x, e, a, t);
    else if (f == EVIDENCE_PROTOTYPE)
        rc = attestation_read_prototype(&x.quote, x.pubkey, e, a, t);
    else if (is_hex(t))
        rc = read_hex(&x.quote, e, a, t);
    else
        x.quote = text;
    if (rc)
        return rc;
    *out = x;
    *form = f;
    return RC_OK;
}

bool evidence_is_url(const char *source)
{
    return !strncmp(source, "http://", 7) || !strncmp(source, "https://", 8);
}

/* Takes an answer: its body, and the certificate of its sender. */
static rc_t take(view_t *out, view_t *peer, err_t *e, arena_t *a, const hc_response_t *r, const char *origin)
{
    const int shown = (int)(r->body_len < 160 ? r->body_len : 160);
    if (r->why.rc)
        return err_set(e, r->why.rc, "%s: %s", origin, r->why.text);
    if (r->status != 200)
        return err_set(e, RC_IO, "%s: HTTP status %d: %.*s", origin, r->status, shown, (const char *)r->body);
    *out = arena_dup(a, view_of(r->body, r->body_len));
    if (peer)
        *peer = r->peer ? arena_dup(a, view_str(r->peer)) : view_of(NULL, 0);
    return r->body_len && !out->p ? err_say(e, RC_NOMEM, "out of memory") : RC_OK;
}

/* Whether the server shows a certificate that carries a quote. */
static bool is_ra_tls(hc_t *http, const char *url)
{
    static uint8_t der[RATLS_CERT_MAX];
    hc_response_t r;
    ratls_t tls;
    const hc_request_t request = { .url = url,
                                   .timeout_ms = TIMEOUT_MS,
                                   .stall_timeout_ms = TIMEOUT_MS,
                                   .body_max = ATTESTATION_MAX,
                                   .any_peer = true };
    const int64_t now = (int64_t)(clock_system_ms() / 1000);
    wr_t cert = wr_of(der, sizeof der);
    hc_perform(http, &r, &request, 1, NULL, NULL);
    rd_t in = rd_of(r.peer ? view_str(r.peer) : view_of(NULL, 0));
    const bool is = in.n && !pem_take(&in, &cert, "CERTIFICATE") && !ratls_check(&tls, NULL, wr_view(&cert), now);
    hc_response_clear(&r);
    return is;
}

/* post: p NULL: GET. */
static rc_t fetch(view_t *out, view_t *peer, err_t *e, arena_t *a, hc_t *http, const char *url, view_t post)
{
    char origin[160];
    hc_response_t r;
    const hc_request_t request = { .url = url,
                                   .post = post,
                                   .timeout_ms = TIMEOUT_MS,
                                   .stall_timeout_ms = TIMEOUT_MS,
                                   .body_max = ATTESTATION_MAX,
                                   .any_peer = peer != NULL };
    hc_url_origin(origin, sizeof origin, url);
    hc_perform(http, &r, &request, 1, NULL, NULL);
    const bool unreached = r.why.rc == RC_IO && !peer && !strncmp(url, "https://", 8);
    rc_t rc = take(out, peer, e, a, &r, origin);
    hc_response_clear(&r);
    if (unreached && is_ra_tls(http, url))
        return err_set(e, rc, "%s: its certificate is a RA-TLS one, for which no issuer vouches: give --ra-tls",
                       origin);
    return rc;
}

static rc_t ask(view_t *out, view_t *peer, err_t *e, arena_t *a, const char *url, const char *route, view_t post)
{
    size_t n = strlen(url);
    char full[URL_MAX];
    while (route && n && url[n - 1] == '/')
        n--;
    const int len = snprintf(full, sizeof full, "%.*s%s", (int)n, url, route ? route : "");
    if (n >= sizeof full || len < 0 || (size_t)len >= sizeof full)
        return err_say(e, RC_LIMIT, "the URL is too long");
    hc_t *http = hc_new(NULL);
    if (!http)
        return err_say(e, RC_NOMEM, "out of memory");
    const rc_t rc = fetch(out, peer, e, a, http, full, post);
    hc_free(http);
    return rc;
}

rc_t evidence_ask(view_t *out, view_t *peer, err_t *e, arena_t *a, const char *url, const char *route)
{
    return ask(out, peer, e, a, url, route, view_of(NULL, 0));
}

rc_t evidence_post(view_t *out, err_t *e, arena_t *a, const char *url, const char *route, view_t body)
{
    view_t any;
    return ask(out, &any, e, a, url, route, body);
}
