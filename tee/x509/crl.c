#include "tee/x509/crl.h"

#include "base/hex.h"

#define EXTENSIONS_TAG 0xa0u           /* [0] of TBSCertList */
#define KEY_ID_TAG 0x80u               /* [0] of AuthorityKeyIdentifier */
#define TEXT_MAX (2 * CRL_MAX + 4096u) /* hex or PEM of the longest list */

static const uint8_t oid_number[] = { 0x55, 0x1d, 0x14 }, oid_key_id[] = { 0x55, 0x1d, 0x23 };

/* Extension ::= SEQUENCE { OID, critical BOOLEAN DEFAULT FALSE, value OCTET STRING }. False: malformed or critical. */
static bool take_extension(view_t *oid, view_t *value, rd_t *list)
{
    rd_t e = der_enter(list, DER_SEQUENCE);
    bool critical = false;
    *oid = der_take(&e, DER_OID);
    if (der_tag(&e) == DER_BOOLEAN)
        critical = der_bool(&e);
    *value = der_take(&e, DER_OCTETS);
    return rd_done(&e) && !critical;
}

static bool parse_number(crl_t *c, view_t value)
{
    rd_t r = rd_of(value);
    view_t number = der_unsigned(&r, DER_INTEGER);
    if (c->has_number || !rd_done(&r) || number.n > sizeof c->number)
        return false;
    if (number.n)
        memcpy(c->number + sizeof c->number - number.n, number.p, number.n);
    c->has_number = true;
    return true;
}

static bool parse_key_id(crl_t *c, view_t value)
{
    rd_t whole = rd_of(value);
    rd_t r = der_enter(&whole, DER_SEQUENCE);
    if (c->key_id.p)
        return false;
    c->key_id = der_take(&r, KEY_ID_TAG);
    return rd_done(&r) && rd_done(&whole);
}

static bool parse_extensions(crl_t *c, rd_t *tbs)
{
    if (der_tag(tbs) == 0)
        return true; /* none; the caller of crl_parse misses what must be there */
    rd_t outer = der_enter(tbs, EXTENSIONS_TAG);
    rd_t list = der_enter(&outer, DER_SEQUENCE);
    while (!list.bad && list.n) {
        view_t oid, value;
        if (!take_extension(&oid, &value, &list))
            return false;
        if (view_eq(oid, view_of(oid_number, sizeof oid_number)) && !parse_number(c, value))
            return false;
        if (view_eq(oid, view_of(oid_key_id, sizeof oid_key_id)) && !parse_key_id(c, value))
            return false;
    }
    return !list.bad && rd_done(&outer);
}

/* SEQUENCE { serial, revocation date, extensions OPTIONAL }; serial without leading zeros. */
static bool take_entry(view_t *serial, rd_t *list)
{
    rd_t e = der_enter(list, DER_SEQUENCE);
    *serial = der_unsigned(&e, DER_INTEGER);
    der_time(&e);
    if (der_tag(&e) == DER_SEQUENCE) {
        rd_t extensions = der_enter(&e, DER_SEQUENCE);
        while (!extensions.bad && extensions.n) {
            view_t oid, value;
            if (!take_extension(&oid, &value, &extensions))
                return false;
        }
        if (extensions.bad)
            return false;
    }
    return rd_done(&e);
}

static bool parse_entries(crl_t *c, rd_t *tbs)
{
    if (der_tag(tbs) != DER_SEQUENCE)
        return true;
    rd_t list = der_enter(tbs, DER_SEQUENCE);
    c->entries = view_of(list.p, list.n);
    while (!list.bad && list.n) {
        view_t serial;
        if (!take_entry(&serial, &list))
            return false;
    }
    return !list.bad;
}

static bool parse_tbs(crl_t *c)
{
    rd_t whole = rd_of(c->parts.tbs);
    rd_t tbs = der_enter(&whole, DER_SEQUENCE);
    view_t version = der_unsigned(&tbs, DER_INTEGER);
    if (version.n != 1 || version.p[0] != 1 || !view_eq(der_whole(&tbs, DER_SEQUENCE), c->parts.algorithm))
        return false; /* version 2 is written as 1 */
    c->issuer = der_whole(&tbs, DER_SEQUENCE);
    c->this_update = der_time(&tbs);
    c->next_update = der_time(&tbs);
    return !tbs.bad && parse_entries(c, &tbs) && parse_extensions(c, &tbs) && rd_done(&tbs);
}

rc_t crl_parse(crl_t *out, err_t *e, view_t der)
{
    crl_t c = { 0 };
    if (der.n > CRL_MAX)
        return tee_fail(e, E_LIMIT, "revocation list is longer than 1 MiB");
    if (der_signed(&c.parts, der) || !parse_tbs(&c))
        return tee_fail(e, E_CRL, NULL);
    *out = c;
    return RC_OK;
}

bool crl_lists(const crl_t *c, view_t serial)
{
    rd_t list = rd_of(c->entries);
    view_t listed;
    while (list.n && take_entry(&listed, &list))
        if (view_eq(listed, serial))
            return true;
    return false;
}

size_t crl_count(const crl_t *c)
{
    rd_t list = rd_of(c->entries);
    view_t listed;
    size_t n = 0;
    while (list.n && take_entry(&listed, &list))
        n++;
    return n;
}

static bool is_hex(view_t v)
{
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')))
            return false;
    }
    return true;
}

static rc_t from_pem(wr_t *w, view_t in)
{
    rd_t r = rd_of(in);
    rc_t rc = pem_take(&r, w, "X509 CRL");
    pem_skip_lines(&r);
    return !rc && !rd_done(&r) ? RC_MALFORMED : rc;
}

rc_t crl_der(view_t *out, err_t *e, arena_t *a, view_t in)
{
    static const char begin[] = "-----BEGIN";
    view_t text = in;
    rc_t rc;
    if (in.n > TEXT_MAX)
        return tee_fail(e, E_LIMIT, "revocation list is longer than 1 MiB");
    while (text.n && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r'))
        text.n--;
    bool pem = in.n >= sizeof begin && memcmp(in.p, begin, sizeof begin - 1) == 0;
    if (pem || (text.n && is_hex(text))) { /* DER is never hex throughout: its object identifiers are not */
        size_t cap = pem ? in.n : text.n / 2;
        uint8_t *buf = arena_alloc(a, cap);
        if (!buf)
            return tee_fail(e, E_NOMEM, NULL);
        wr_t w = wr_of(buf, cap);
        if (pem)
            rc = from_pem(&w, in);
        else
            rc = hex_decode(buf, &w.n, cap, (const char *)text.p, text.n);
        if (rc)
            return tee_fail(e, E_CRL, "revocation list is not well-formed PEM or hex");
        in = wr_view(&w);
    }
    rd_t r = rd_of(in);
    der_take(&r, DER_SEQUENCE);
    if (!rd_done(&r))
        return tee_fail(e, E_CRL, "revocation list is neither PEM, DER nor hex of DER");
    if (in.n > CRL_MAX)
        return tee_fail(e, E_LIMIT, "revocation list is longer than 1 MiB");
    *out = in;
    return RC_OK;
}
