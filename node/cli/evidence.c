#include "node/cli/evidence.h"

#include <ctype.h>
#include <stdio.h>

#include "base/hex.h"
#include "http/client.h"
#include "tee/tee.h"

static view_t trim(view_t v)
{
    while (v.n && isspace(v.p[0]))
        v = view_of(v.p + 1, v.n - 1);
    while (v.n && isspace(v.p[v.n - 1]))
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

static rc_t read_hex(view_t *quote, arena_t *a, view_t text)
{
    uint8_t *p = text.n <= 2 * TEE_QUOTE_LEN_MAX + 2 ? arena_alloc(a, text.n / 2 + 1) : NULL;
    size_t n;
    if (!p)
        return text.n <= 2 * TEE_QUOTE_LEN_MAX + 2 ? RC_NOMEM : RC_LIMIT;
    rc_t rc = hex_decode(p, &n, text.n / 2, (const char *)text.p, text.n);
    if (!rc)
        *quote = view_of(p, n);
    return rc;
}

rc_t evidence_read(attestation_t *out, evidence_form_t *form, char *why, size_t why_cap, arena_t *a, view_t text)
{
    attestation_t x = { 0 };
    err_t e = { .rc = RC_OK };
    view_t t = trim(text);
    evidence_form_t f = !t.n || t.p[0] == '{' ? EVIDENCE_V1 : t.p[0] == '"' ? EVIDENCE_PROTOTYPE : EVIDENCE_QUOTE;
    rc_t rc = RC_OK;
    if (f == EVIDENCE_V1)
        rc = attestation_read(&x, &e, a, t);
    else if (f == EVIDENCE_PROTOTYPE)
        rc = attestation_read_prototype(&x.quote, x.pubkey, &e, a, t);
    else if (is_hex(t))
        rc = read_hex(&x.quote, a, t);
    else
        x.quote = text;
    if (rc) {
        snprintf(why, why_cap, "%s%s%s%s", e.field[0] ? "member \"" : "", e.field, e.field[0] ? "\": " : "",
                 rc == RC_LIMIT   ? "too large"
                 : rc == RC_NOMEM ? "out of memory"
                                  : "missing or malformed");
        return rc;
    }
    *out = x;
    *form = f;
    return RC_OK;
}

rc_t evidence_fetch(view_t *out, view_t *peer, char *why, size_t why_cap, arena_t *a, const char *url,
                    uint32_t timeout_ms)
{
    char origin[160];
    hc_t *http = hc_new(NULL);
    hc_response_t r = { .rc = RC_NOMEM };
    const hc_request_t request = { .url = url,
                                   .timeout_ms = timeout_ms,
                                   .stall_timeout_ms = timeout_ms,
                                   .body_max = ATTESTATION_MAX,
                                   .any_peer = peer != NULL };
    hc_url_origin(origin, sizeof origin, url);
    if (http)
        hc_perform(http, &r, &request, 1, NULL, NULL);
    rc_t rc = r.rc ? r.rc : r.status == 200 ? RC_OK : RC_IO;
    if (!rc) {
        *out = arena_dup(a, view_of(r.body, r.body_len));
        rc = r.body_len && !out->p ? RC_NOMEM : RC_OK;
    }
    if (!rc && peer)
        *peer = r.peer ? arena_dup(a, view_str(r.peer)) : view_of(NULL, 0);
    if (rc && !r.rc && r.status != 200)
        snprintf(why, why_cap, "%s: HTTP status %d: %.*s", origin, r.status, (int)(r.body_len < 300 ? r.body_len : 300),
                 (const char *)r.body);
    else if (rc)
        snprintf(why, why_cap, "%s: %s", origin, r.error[0] ? r.error : rc_name(rc));
    if (http)
        hc_response_clear(&r);
    hc_free(http);
    return rc;
}
