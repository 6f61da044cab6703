#include "tee/x509/der.h"

#include "base/calendar.h"
#include "base/crypto/base64.h"
#include "base/crypto/hash.h"
#include "base/crypto/p256.h"

uint8_t der_tag(const rd_t *r)
{
    return !r->bad && r->n ? *r->p : 0;
}

/* The length behind a tag: one byte below 128, else a count of up to 4 bytes and the shortest form. */
static size_t take_length(rd_t *r)
{
    uint8_t first = rd_u8(r);
    if (first < 0x80)
        return first;
    unsigned count = first & 0x7fu;
    if (count == 0 || count > 4) {
        r->bad = true;
        return 0;
    }
    uint64_t n = rd_be(r, count);
    if (n < 0x80 || n >> (8 * (count - 1)) == 0)
        r->bad = true;
    return (size_t)n;
}

view_t der_take(rd_t *r, uint8_t tag)
{
    if (der_tag(r) != tag) {
        r->bad = true;
        return (view_t){ NULL, 0 };
    }
    rd_take(r, 1);
    return rd_take(r, take_length(r));
}

view_t der_whole(rd_t *r, uint8_t tag)
{
    const uint8_t *start = r->p;
    der_take(r, tag);
    return r->bad ? (view_t){ NULL, 0 } : view_of(start, (size_t)(r->p - start));
}

rd_t der_enter(rd_t *r, uint8_t tag)
{
    rd_t in = rd_of(der_take(r, tag));
    in.bad = r->bad;
    return in;
}

view_t der_unsigned(rd_t *r, uint8_t tag)
{
    view_t v = der_take(r, tag);
    if (v.n == 0 || v.p[0] & 0x80 || (v.n > 1 && v.p[0] == 0 && !(v.p[1] & 0x80))) {
        r->bad = true; /* empty, negative, or longer than needed */
        return (view_t){ NULL, 0 };
    }
    return v.p[0] ? v : view_of(v.p + 1, v.n - 1);
}

bool der_bool(rd_t *r)
{
    view_t v = der_take(r, DER_BOOLEAN);
    if (v.n != 1 || (v.p[0] != 0 && v.p[0] != 0xff)) {
        r->bad = true;
        return false;
    }
    return v.p[0];
}

int64_t der_time(rd_t *r)
{
    const bool utc = der_tag(r) == DER_UTC_TIME;
    const view_t text = der_take(r, utc ? DER_UTC_TIME : DER_GENERAL_TIME);
    int64_t at = 0;
    if (!(utc ? time_read_utc(&at, text) : time_read_generalized(&at, text)))
        r->bad = true;
    return at;
}

rc_t der_signed(der_signed_t *out, view_t der)
{
    rd_t whole = rd_of(der);
    rd_t r = der_enter(&whole, DER_SEQUENCE);
    der_signed_t s = { 0 };
    s.tbs = der_whole(&r, DER_SEQUENCE);
    s.algorithm = der_whole(&r, DER_SEQUENCE);
    rd_t bits = der_enter(&r, DER_BITS);
    uint8_t unused = rd_u8(&bits);
    s.signature = rd_take(&bits, bits.n);
    if (bits.bad || unused != 0 || !rd_done(&r) || !rd_done(&whole))
        return RC_MALFORMED;
    *out = s;
    return RC_OK;
}

bool der_is_ecdsa_sha256(view_t algorithm)
{
    static const uint8_t id[] = { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02 };
    return view_eq(algorithm, view_of(id, sizeof id));
}

rc_t der_verify(const der_signed_t *s, const uint8_t pubkey[64])
{
    uint8_t sig[P256_SIG_LEN] = { 0 };
    hash32_t digest;
    rd_t whole = rd_of(s->signature);
    rd_t r = der_enter(&whole, DER_SEQUENCE);
    for (unsigned i = 0; i < 2; i++) {
        view_t number = der_unsigned(&r, DER_INTEGER);
        if (r.bad || number.n > 32)
            return RC_MALFORMED;
        if (number.n)
            memcpy(sig + 32 * (i + 1) - number.n, number.p, number.n);
    }
    if (!rd_done(&r) || !rd_done(&whole))
        return RC_MALFORMED;
    sha256(&digest, s->tbs);
    return p256_verify(sig, &digest, pubkey);
}

const uint8_t DER_P256_PREFIX[DER_P256_PREFIX_LEN] = { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                                       0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                                       0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04 };

const uint8_t *der_p256_point(view_t spki)
{
    bool p256 = spki.n == DER_P256_SPKI_LEN && memcmp(spki.p, DER_P256_PREFIX, DER_P256_PREFIX_LEN) == 0;
    return p256 ? spki.p + DER_P256_PREFIX_LEN : NULL;
}

static bool take_text(rd_t *r, const char *text)
{
    view_t v = rd_take(r, strlen(text));
    return !r->bad && view_eq(v, view_str(text));
}

/* Base64 with line ends up to the first '-'. */
static rc_t take_base64(rd_t *r, wr_t *out)
{
    const uint8_t *end = r->n ? memchr(r->p, '-', r->n) : NULL;
    const view_t text = rd_take(r, end ? (size_t)(end - r->p) : r->n);
    size_t n = 0;
    rc_t rc = base64_decode(out->p + out->n, &n, out->cap - out->n, text, "\r\n");
    out->n += n;
    return rc;
}

rc_t pem_take(rd_t *r, wr_t *out, const char *label)
{
    if (!take_text(r, "-----BEGIN ") || !take_text(r, label) || !take_text(r, "-----"))
        return RC_MALFORMED;
    rc_t rc = take_base64(r, out);
    if (rc)
        return rc;
    return take_text(r, "-----END ") && take_text(r, label) && take_text(r, "-----") ? RC_OK : RC_MALFORMED;
}

void pem_skip_lines(rd_t *r)
{
    while (!r->bad && r->n && (*r->p == '\n' || *r->p == '\r'))
        rd_take(r, 1);
}
