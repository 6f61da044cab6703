#include "tee/quote/quote.h"

#define KEY_TYPE_P256 2u
#define CERT_TYPE_PEM_CHAIN 5u
#define CERT_TYPE_QE_REPORT 6u

static const uint8_t intel_vendor[16] = { 0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
                                          0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07 };

/* sgx: the quote is to be of version 3. */
static rc_t parse_header(quote_t *q, err_t *e, rd_t *r, bool sgx)
{
    q->version = rd_u16le(r);
    unsigned key_type = rd_u16le(r);
    uint32_t tee_type = rd_u32le(r);
    rd_take(r, 4); /* reserved; signed */
    view_t vendor = rd_take(r, sizeof intel_vendor);
    q->user_data = rd_take(r, 20).p;
    if (r->bad)
        return tee_fail(e, E_TRUNCATED, "quote ends inside its header");
    if (sgx && q->version != 3)
        return tee_fail(e, E_VERSION, "the quote's version is not 3");
    if (!sgx && q->version != 4 && q->version != 5)
        return tee_fail(e, E_VERSION, NULL);
    if (key_type != KEY_TYPE_P256)
        return tee_fail(e, E_KEYTYPE, NULL);
    if (tee_type != (sgx ? QUOTE_TEE_SGX : QUOTE_TEE_TDX))
        return tee_fail(e, E_TEETYPE, sgx ? "the quote is not of an SGX enclave" : NULL);
    if (memcmp(vendor.p, intel_vendor, sizeof intel_vendor) != 0)
        return tee_fail(e, E_VENDOR, NULL);
    return RC_OK;
}

/* The descriptor of version 5; the versions before it have one type only. */
static rc_t parse_body_type(quote_t *q, err_t *e, rd_t *r)
{
    q->body_type = q->version == 3 ? QUOTE_BODY_ENCLAVE : QUOTE_BODY_TD10;
    if (q->version != 5)
        return RC_OK;
    q->body_type = rd_u16le(r);
    uint32_t size = rd_u32le(r);
    if (r->bad)
        return tee_fail(e, E_TRUNCATED, "quote ends inside its body descriptor");
    if (q->body_type != QUOTE_BODY_TD10 && q->body_type != QUOTE_BODY_TD15)
        return tee_fail(e, E_BODYTYPE, NULL);
    if (size != (q->body_type == QUOTE_BODY_TD10 ? QUOTE_TD10_LEN : QUOTE_TD15_LEN))
        return tee_fail(e, E_BODYSIZE, NULL);
    return RC_OK;
}

static void parse_td(quote_t *q, rd_t *r)
{
    quote_td_t *td = &q->td;
    td->tcb_svn = rd_take(r, 16).p;
    td->mr_seam = rd_take(r, 48).p;
    td->mr_signer_seam = rd_take(r, 48).p;
    td->seam_attributes = rd_take(r, 8).p;
    td->td_attributes = rd_take(r, 8).p;
    td->xfam = rd_take(r, 8).p;
    td->mr_td = rd_take(r, 48).p;
    td->mr_config_id = rd_take(r, 48).p;
    td->mr_owner = rd_take(r, 48).p;
    td->mr_owner_config = rd_take(r, 48).p;
    for (unsigned i = 0; i < 4; i++)
        td->rtmr[i] = rd_take(r, 48).p;
    td->report_data = rd_take(r, TEE_REPORT_DATA_LEN).p;
    if (q->body_type == QUOTE_BODY_TD15) {
        td->tcb_svn2 = rd_take(r, 16).p;
        td->mr_service_td = rd_take(r, 48).p;
    }
}

static void parse_enclave(quote_enclave_t *e, rd_t *outer)
{
    e->whole = rd_take(outer, QUOTE_ENCLAVE_LEN);
    rd_t r = rd_of(e->whole);
    e->cpu_svn = rd_take(&r, 16).p;
    e->misc_select = rd_u32le(&r);
    rd_take(&r, 28);
    e->attributes = rd_take(&r, 16).p;
    e->mr_enclave = rd_take(&r, 32).p;
    rd_take(&r, 32);
    e->mr_signer = rd_take(&r, 32).p;
    rd_take(&r, 96);
    e->isv_prod_id = rd_u16le(&r);
    e->isv_svn = rd_u16le(&r);
    rd_take(&r, 60);
    e->report_data = rd_take(&r, 64).p;
}

static bool is_pem_body(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/' ||
           c == '=' || c == '\n' || c == '\r';
}

static bool take_text(rd_t *r, const char *text)
{
    view_t v = rd_take(r, strlen(text));
    return !r->bad && view_eq(v, view_str(text));
}

/* One block from its first marker to its last; nothing but base64 and line ends between. */
static bool take_cert(view_t *out, rd_t *r)
{
    const uint8_t *start = r->p;
    if (!take_text(r, "-----BEGIN CERTIFICATE-----"))
        return false;
    while (r->n && is_pem_body(*r->p))
        rd_take(r, 1);
    if (!take_text(r, "-----END CERTIFICATE-----"))
        return false;
    *out = view_of(start, (size_t)(r->p - start));
    return true;
}

/* Exactly three certificates with line ends between them, and perhaps one NUL at the end. */
static bool split_chain(view_t out[QUOTE_CERTS], view_t pem)
{
    rd_t r = rd_of(pem);
    for (unsigned i = 0; i < QUOTE_CERTS; i++) {
        if (!take_cert(&out[i], &r))
            return false;
        while (r.n && (*r.p == '\n' || *r.p == '\r'))
            rd_take(&r, 1);
    }
    return rd_done(&r) || (r.n == 1 && *r.p == 0);
}

/* Type and size around the QE report; version 3 has none. */
static rc_t parse_outer(const quote_t *q, err_t *e, rd_t *r)
{
    if (q->version == 3)
        return RC_OK;
    unsigned type = rd_u16le(r);
    uint32_t size = rd_u32le(r);
    if (r->bad)
        return tee_fail(e, E_TRUNCATED, "signature section of the quote is too short");
    if (type != CERT_TYPE_QE_REPORT)
        return tee_fail(e, E_CERTTYPE_OUTER, "certification data of the quote is not a QE report (type 6)");
    if (size != r->n)
        return tee_fail(e, E_CERTSIZE, "size of the QE report certification data does not fit the signature section");
    return RC_OK;
}

/* The bytes that the length field behind the body counts. */
static rc_t parse_signature(quote_t *q, err_t *e, view_t in)
{
    rd_t r = rd_of(in);
    q->signature = rd_take(&r, 64).p;
    q->attestation_key = rd_take(&r, 64).p;
    rc_t rc = parse_outer(q, e, &r);
    if (rc)
        return rc;
    parse_enclave(&q->qe, &r);
    q->qe_signature = rd_take(&r, 64).p;
    unsigned auth_len = rd_u16le(&r);
    if (auth_len > QUOTE_AUTH_MAX)
        return tee_fail(e, E_LIMIT, "QE authentication data of the quote is too long");
    q->qe_auth = rd_take(&r, auth_len);
    unsigned inner_type = rd_u16le(&r);
    uint32_t inner_size = rd_u32le(&r);
    if (r.bad)
        return tee_fail(e, E_CERTSIZE, "QE report certification data of the quote is too short");
    if (inner_type != CERT_TYPE_PEM_CHAIN)
        return tee_fail(e, E_CERTTYPE_INNER, "PCK certification data of the quote is not a PEM chain (type 5)");
    view_t chain = rd_take(&r, inner_size);
    if (!rd_done(&r))
        return tee_fail(e, E_CERTSIZE, "size of the certificate chain does not fit the signature section");
    if (!split_chain(q->certs, chain))
        return tee_fail(e, E_PEM, "certificate chain of the quote is not exactly three PEM certificates");
    return RC_OK;
}

static bool all_zero(view_t v)
{
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i])
            return false;
    return true;
}

static rc_t parse(quote_t *out, err_t *e, view_t in, bool sgx)
{
    rd_t r = rd_of(in);
    quote_t q = { 0 };
    if (in.n > TEE_QUOTE_LEN_MAX)
        return tee_fail(e, E_LIMIT, "quote is longer than 32 KiB");
    rc_t rc = parse_header(&q, e, &r, sgx);
    if (!rc)
        rc = parse_body_type(&q, e, &r);
    if (rc)
        return rc;
    if (sgx)
        parse_enclave(&q.enclave, &r);
    else
        parse_td(&q, &r);
    if (r.bad)
        return tee_fail(e, E_TRUNCATED, "quote ends inside its body");
    q.signed_part = view_of(in.p, in.n - r.n);
    view_t section = rd_take(&r, rd_u32le(&r));
    if (r.bad)
        return tee_fail(e, E_TRUNCATED, "quote ends inside its signature section");
    q.used = view_of(in.p, in.n - r.n);
    if (!all_zero(view_of(r.p, r.n)))
        return tee_fail(e, E_TRAILING, NULL);
    rc = parse_signature(&q, e, section);
    if (rc)
        return rc;
    *out = q;
    return RC_OK;
}

rc_t quote_parse(quote_t *out, err_t *e, view_t in)
{
    return parse(out, e, in, false);
}

rc_t quote_parse_sgx(quote_t *out, err_t *e, view_t in)
{
    return parse(out, e, in, true);
}
