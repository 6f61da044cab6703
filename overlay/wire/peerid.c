#include "overlay/wire/peerid.h"

#include "base/crypto/hash.h"

enum { HASH_IDENTITY = 0x00, HASH_SHA256 = 0x12, CID_V1 = 0x01, CODE_LIBP2P_KEY = 0x72 };
#define INLINE_MAX 42u /* longer keys are hashed */

view_t peerid_view(const peerid_t *id)
{
    return view_of(id->b, id->n);
}

void peerid_of(peerid_t *out, const hostkey_t *k)
{
    uint8_t pb[HOSTKEY_PB_MAX];
    wr_t w = wr_of(pb, sizeof pb);
    hostkey_write(&w, k);
    *out = (peerid_t){ 0 };
    if (w.n <= INLINE_MAX) {
        out->b[0] = HASH_IDENTITY;
        out->b[1] = (uint8_t)w.n;
        memcpy(out->b + 2, pb, w.n);
        out->n = (uint8_t)(2 + w.n);
        return;
    }
    hash32_t h;
    sha256(&h, wr_view(&w));
    out->b[0] = HASH_SHA256;
    out->b[1] = sizeof h.b;
    memcpy(out->b + 2, h.b, sizeof h.b);
    out->n = 2 + sizeof h.b;
}

rc_t peerid_read(peerid_t *out, view_t bytes)
{
    rd_t r = rd_of(bytes);
    uint8_t kind = rd_u8(&r), n = rd_u8(&r);
    view_t rest = rd_take(&r, n);
    if (!rd_done(&r) || !(kind == HASH_SHA256 ? n == 32 : kind == HASH_IDENTITY && n > 0 && n <= INLINE_MAX))
        return RC_MALFORMED;
    *out = (peerid_t){ .n = (uint8_t)(2 + n), .b = { kind, n } };
    memcpy(out->b + 2, rest.p, n);
    return RC_OK;
}

static rc_t read_cid(peerid_t *out, view_t text)
{
    uint8_t bytes[2 + PEERID_MAX];
    size_t n = 0;
    rc_t rc = base32_decode(bytes, &n, sizeof bytes, text);
    if (rc)
        return rc;
    if (n < 2 || bytes[0] != CID_V1 || bytes[1] != CODE_LIBP2P_KEY)
        return RC_MALFORMED;
    return peerid_read(out, view_of(bytes + 2, n - 2));
}

rc_t peerid_read_text(peerid_t *out, view_t text)
{
    uint8_t bytes[PEERID_MAX];
    size_t n = 0;
    if (text.n && text.p[0] == 'b') /* no multihash of ours begins so in base58 */
        return read_cid(out, view_of(text.p + 1, text.n - 1));
    rc_t rc = base58_decode(bytes, &n, sizeof bytes, text);
    return rc ? rc : peerid_read(out, view_of(bytes, n));
}

void peerid_text(char out[PEERID_TEXT_MAX + 1], const peerid_t *id)
{
    base58_encode(out, peerid_view(id));
}

int peerid_cmp(const peerid_t *a, const peerid_t *b)
{
    int order = memcmp(a->b, b->b, a->n < b->n ? a->n : b->n);
    return order ? order : (int)a->n - (int)b->n;
}

bool peerid_eq(const peerid_t *a, const peerid_t *b)
{
    return peerid_cmp(a, b) == 0;
}
