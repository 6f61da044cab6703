#include "tee/x509/tbs.h"

#include "tee/x509/der.h"

enum { TAG_VERSION = 0xa0, TAG_ISSUER_ID = 0x81, TAG_SUBJECT_ID = 0x82, TAG_EXTENSIONS = 0xa3 };

static bool skip_if(rd_t *r, uint8_t tag)
{
    bool there = der_tag(r) == tag;
    if (there)
        (void)der_take(r, tag);
    return there;
}

rc_t tbs_read(tbs_t *out, view_t tbs)
{
    tbs_t t = { 0 };
    rd_t whole = rd_of(tbs);
    rd_t r = der_enter(&whole, DER_SEQUENCE);
    rd_t version = der_enter(&r, TAG_VERSION);
    view_t v3 = der_unsigned(&version, DER_INTEGER);
    if (!rd_done(&version) || v3.n != 1 || v3.p[0] != 2)
        return RC_MALFORMED;
    (void)der_take(&r, DER_INTEGER); /* serial number */
    t.algorithm = der_whole(&r, DER_SEQUENCE);
    (void)der_take(&r, DER_SEQUENCE); /* issuer */
    rd_t validity = der_enter(&r, DER_SEQUENCE);
    t.not_before = der_time(&validity);
    t.not_after = der_time(&validity);
    (void)der_take(&r, DER_SEQUENCE); /* subject */
    t.spki = der_whole(&r, DER_SEQUENCE);
    bool issuer_id = skip_if(&r, TAG_ISSUER_ID), subject_id = skip_if(&r, TAG_SUBJECT_ID);
    t.has_unique_id = issuer_id || subject_id;
    rd_t wrapped = der_enter(&r, TAG_EXTENSIONS);
    t.extensions = der_enter(&wrapped, DER_SEQUENCE);
    if (!rd_done(&validity) || !rd_done(&wrapped) || !rd_done(&r) || !rd_done(&whole))
        return RC_MALFORMED;
    *out = t;
    return RC_OK;
}

rc_t tbs_extension(tbs_extension_t *out, tbs_t *t)
{
    if (!t->extensions.n)
        return RC_NEED_DATA;
    rd_t r = der_enter(&t->extensions, DER_SEQUENCE);
    tbs_extension_t x = { .oid = der_take(&r, DER_OID) };
    if (der_tag(&r) == DER_BOOLEAN)
        x.critical = der_bool(&r);
    x.value = der_take(&r, DER_OCTETS);
    if (!rd_done(&r))
        return RC_MALFORMED;
    *out = x;
    return RC_OK;
}
