#include "tee/x509/ratls.h"

#include "tee/x509/der.h"

/* 1.3.6.1.4.1.62397.1, and one more arc */
static const uint8_t arc[] = { 0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xe7, 0x3d, 0x01 };
enum {
    ARC_QUOTE = 1,
    ARC_EVENT_LOG = 2,
    TAG_VERSION = 0xa0,
    TAG_ISSUER_ID = 0x81,
    TAG_SUBJECT_ID = 0x82,
    TAG_EXTENSIONS = 0xa3
};

/* The inner octet string of an extension that may come once. */
static bool take_once(view_t *out, view_t value)
{
    rd_t r = rd_of(value);
    if (out->p)
        return false;
    *out = der_take(&r, DER_OCTETS);
    return rd_done(&r) && out->p;
}

static bool read_extension(ratls_t *x, rd_t *list)
{
    rd_t r = der_enter(list, DER_SEQUENCE);
    view_t oid = der_take(&r, DER_OID);
    if (der_tag(&r) == DER_BOOLEAN)
        (void)der_bool(&r);
    view_t value = der_take(&r, DER_OCTETS);
    if (!rd_done(&r))
        return false;
    if (oid.n != sizeof arc + 1 || memcmp(oid.p, arc, sizeof arc) != 0)
        return true;
    if (oid.p[sizeof arc] == ARC_QUOTE)
        return take_once(&x->evidence, value);
    return oid.p[sizeof arc] != ARC_EVENT_LOG || take_once(&x->event_log, value);
}

/* The fields of TBSCertificate in their order. */
static bool read_fields(ratls_t *x, view_t tbs)
{
    rd_t whole = rd_of(tbs);
    rd_t r = der_enter(&whole, DER_SEQUENCE);
    rd_t version = der_enter(&r, TAG_VERSION);
    view_t v3 = der_unsigned(&version, DER_INTEGER);
    if (!rd_done(&version) || v3.n != 1 || v3.p[0] != 2)
        return false;
    (void)der_take(&r, DER_INTEGER);  /* serial number */
    (void)der_take(&r, DER_SEQUENCE); /* signature algorithm */
    (void)der_take(&r, DER_SEQUENCE); /* issuer */
    rd_t validity = der_enter(&r, DER_SEQUENCE);
    x->not_before = der_time(&validity);
    x->not_after = der_time(&validity);
    (void)der_take(&r, DER_SEQUENCE); /* subject */
    x->spki = der_whole(&r, DER_SEQUENCE);
    if (der_tag(&r) == TAG_ISSUER_ID)
        (void)der_take(&r, TAG_ISSUER_ID);
    if (der_tag(&r) == TAG_SUBJECT_ID)
        (void)der_take(&r, TAG_SUBJECT_ID);
    rd_t wrapped = der_enter(&r, TAG_EXTENSIONS);
    rd_t extensions = der_enter(&wrapped, DER_SEQUENCE);
    if (!rd_done(&validity) || !rd_done(&wrapped) || !rd_done(&r) || !rd_done(&whole))
        return false;
    while (extensions.n)
        if (!read_extension(x, &extensions))
            return false;
    return true;
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
