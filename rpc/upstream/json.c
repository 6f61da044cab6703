#include "rpc/upstream/json.h"

#include "base/hex.h"
#include "rpc/upstream/jsonrpc.h"

/* The digits of a string that begins with "0x"; p is NULL when it is not one. */
static view_t digits_of(const json_t *value)
{
    const char *s = json_string_value(value);
    size_t n = s ? json_string_length(value) : 0;
    if (n < 2 || s[0] != '0' || s[1] != 'x')
        return (view_t){ NULL, 0 };
    return view_of(s + 2, n - 2);
}

bool jr_fixed(void *out, size_t n, const json_t *value)
{
    view_t d = digits_of(value);
    return d.p && d.n == 2 * n && hex_decode_exact(out, n, (const char *)d.p - 2, d.n + 2) == RC_OK;
}

bool jr_word(u256_t *out, const json_t *value)
{
    char padded[64];
    uint8_t b[32];
    view_t d = digits_of(value);
    if (d.n == 0 || d.n > sizeof padded)
        return false;
    memset(padded, '0', sizeof padded);
    memcpy(padded + sizeof padded - d.n, d.p, d.n);
    if (hex_decode_exact(b, sizeof b, padded, sizeof padded))
        return false;
    *out = u256_from_be32(b);
    return true;
}

bool jr_u256(u256_t *out, const json_t *value)
{
    view_t d = digits_of(value);
    if (d.n > 1 && d.p[0] == '0')
        return false;
    return jr_word(out, value);
}

bool jr_u64(uint64_t *out, const json_t *value)
{
    u256_t x;
    if (!jr_u256(&x, value) || !u256_fits_u64(&x))
        return false;
    *out = x.w[0];
    return true;
}

bool jr_bytes(view_t *out, arena_t *a, const json_t *value)
{
    view_t d = digits_of(value);
    size_t n;
    uint8_t *p = d.p && d.n % 2 == 0 ? arena_alloc(a, d.n / 2) : NULL;
    if (!p || hex_decode(p, &n, d.n / 2, (const char *)d.p - 2, d.n + 2))
        return false;
    *out = view_of(p, n);
    return true;
}
