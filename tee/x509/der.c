#include "tee/x509/der.h"

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

/* Two decimal digits. */
static int64_t two_digits(rd_t *r)
{
    view_t v = rd_take(r, 2);
    if (r->bad || v.p[0] < '0' || v.p[0] > '9' || v.p[1] < '0' || v.p[1] > '9') {
        r->bad = true;
        return 0;
    }
    return (v.p[0] - '0') * 10 + (v.p[1] - '0');
}

/* Days from 1970-01-01 to a day of the Gregorian calendar; years from 1 on, months counted from March. */
static int64_t days_since_1970(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month > 2 ? year : year - 1, m = month > 2 ? month - 3 : month + 9;
    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

static int64_t days_in_month(int64_t year, int64_t month)
{
    return days_since_1970(month == 12 ? year + 1 : year, month == 12 ? 1 : month + 1, 1) -
           days_since_1970(year, month, 1);
}

int64_t der_time(rd_t *r)
{
    bool utc = der_tag(r) == DER_UTC_TIME;
    rd_t t = der_enter(r, utc ? DER_UTC_TIME : DER_GENERAL_TIME);
    int64_t century = utc ? 0 : two_digits(&t);
    int64_t year = two_digits(&t);
    year += utc ? (year < 50 ? 2000 : 1900) : century * 100;
    int64_t month = two_digits(&t), day = two_digits(&t);
    int64_t hour = two_digits(&t), minute = two_digits(&t), second = two_digits(&t);
    if (rd_u8(&t) != 'Z' || !rd_done(&t) || year < 1 || month < 1 || month > 12 || day < 1 ||
        day > days_in_month(year, month) || hour > 23 || minute > 59 || second > 59) {
        r->bad = true;
        return 0;
    }
    return ((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
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

static bool take_text(rd_t *r, const char *text)
{
    view_t v = rd_take(r, strlen(text));
    return !r->bad && view_eq(v, view_str(text));
}

/* Value of a base64 digit; -1: none. */
static int digit(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Base64 with line ends up to the first '-': whole quanta, padded, unused bits zero. */
static rc_t take_base64(rd_t *r, wr_t *out)
{
    uint32_t bits = 0;
    unsigned have = 0, padding = 0; /* of the present quantum of four */
    for (; r->n && *r->p != '-'; rd_take(r, 1)) {
        int d = digit(*r->p);
        if (*r->p == '\n' || *r->p == '\r')
            continue;
        if (*r->p == '=' && have >= 2)
            padding++;
        else if (d < 0 || padding)
            return RC_MALFORMED;
        bits = bits << 6 | (d < 0 ? 0u : (uint32_t)d);
        if (++have < 4)
            continue;
        if ((padding == 1 && bits & 0xff) || (padding == 2 && bits & 0xffff))
            return RC_MALFORMED;
        wr_be(out, bits >> (8 * padding), 3 - padding);
        if (out->bad)
            return RC_LIMIT;
        bits = 0;
        have = 0;
    }
    return have ? RC_MALFORMED : RC_OK;
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
