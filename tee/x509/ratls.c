#include "tee/x509/ratls.h"

#include "tee/x509/der.h"
#include "tee/x509/tbs.h"

/* 1.3.6.1.4.1.62397.1, and one more arc */
static const uint8_t arc[] = { 0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xe7, 0x3d, 0x01 };
enum { ARC_QUOTE = 1, ARC_EVENT_LOG = 2 };

/* The inner octet string of an extension that may come once. */
static bool take_once(view_t *out, view_t value)
{
    rd_t r = rd_of(value);
    if (out->p)
        return false;
    *out = der_take(&r, DER_OCTETS);
    return rd_done(&r) && out->p;
}

static bool take_extension(ratls_t *x, const tbs_extension_t *ext)
{
    if (ext->oid.n != sizeof arc + 1 || memcmp(ext->oid.p, arc, sizeof arc) != 0)
        return true;
    if (ext->oid.p[sizeof arc] == ARC_QUOTE)
        return take_once(&x->evidence, ext->value);
    return ext->oid.p[sizeof arc] != ARC_EVENT_LOG || take_once(&x->event_log, ext->value);
}

static bool read_fields(ratls_t *x, view_t tbs)
{
    tbs_t t;
    tbs_extension_t ext;
    if (tbs_read(&t, tbs))
        return false;
    *x = (ratls_t){ .spki = t.spki, .not_before = t.not_before, .not_after = t.not_after };
    rc_t rc;
    while (!(rc = tbs_extension(&ext, &t)))
        if (!take_extension(x, &ext))
            return false;
    return rc == RC_NEED_DATA;
}

rc_t ratls_check(ratls_t *out, err_t *e, view_t cert, int64_t now)
{
    der_signed_t parts;
    ratls_t x = { 0 };
    uint8_t expected[TEE_REPORT_DATA_LEN];
    if (cert.n > RATLS_CERT_MAX)
        return tee_fail(e, E_LIMIT, "the certificate is longer than any that TLS libraries take");
    if (der_signed(&parts, cert) || !read_fields(&x, parts.tbs))
        return tee_fail(e, E_CERT, NULL);
    if (!x.evidence.n)
        return tee_fail(e, E_CERT, "the certificate carries no quote");
    if (now < x.not_before || now > x.not_after)
        return tee_fail(e, E_CHAINTIME, NULL);
    rc_t rc = quote_parse(&x.quote, e, x.evidence);
    if (rc)
        return rc;
    tee_ratls_report_data(expected, x.spki);
    if (memcmp(x.quote.td.report_data, expected, sizeof expected) != 0)
        return tee_fail(e, E_REPORTDATA, "the quote is not over the certificate's key");
    *out = x;
    return RC_OK;
}
