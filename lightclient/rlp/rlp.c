#include "lightclient/rlp/rlp.h"

#define SHORT_MAX 55u /* longest payload whose length stands in the prefix byte */
#define STRING_BASE 0x80u
#define LIST_BASE 0xc0u

rc_t rlp_next(rlp_item_t *out, view_t *in)
{
    rd_t r = rd_of(*in);
    uint8_t prefix = rd_u8(&r);
    rlp_item_t item = { .is_list = prefix >= LIST_BASE };
    if (r.bad)
        return RC_MALFORMED;
    if (prefix < STRING_BASE) {
        item.payload = view_of(in->p, 1);
    } else {
        uint64_t n = prefix - (item.is_list ? LIST_BASE : STRING_BASE);
        if (n > SHORT_MAX) {
            unsigned length_bytes = (unsigned)(n - SHORT_MAX); /* 1 to 8 */
            n = rd_be(&r, length_bytes);
            /* Canonical: no leading zero in the length, and none that the prefix byte could have held. */
            if (n <= SHORT_MAX || n >> (8 * (length_bytes - 1)) == 0)
                return RC_MALFORMED;
        }
        item.payload = rd_take(&r, n);
        if (r.bad || (prefix == STRING_BASE + 1 && item.payload.p[0] < STRING_BASE))
            return RC_MALFORMED;
    }
    item.whole = view_of(in->p, in->n - r.n);
    *out = item;
    *in = view_of(r.p, r.n);
    return RC_OK;
}

rc_t rlp_decode(rlp_item_t *out, view_t in)
{
    rlp_item_t item;
    rc_t rc = rlp_next(&item, &in);
    if (rc)
        return rc;
    if (in.n)
        return RC_MALFORMED;
    *out = item;
    return RC_OK;
}

rc_t rlp_split(rlp_item_t *items, size_t *count, size_t cap, view_t list_payload)
{
    size_t n = 0;
    while (list_payload.n) {
        if (n == cap)
            return RC_LIMIT;
        rc_t rc = rlp_next(&items[n++], &list_payload);
        if (rc)
            return rc;
    }
    *count = n;
    return RC_OK;
}

rc_t rlp_count(size_t *out, const rlp_item_t *list)
{
    view_t rest = list->payload;
    rlp_item_t item;
    size_t n = 0;
    if (!list->is_list)
        return RC_MALFORMED;
    for (; rest.n; n++)
        if (rlp_next(&item, &rest))
            return RC_MALFORMED;
    *out = n;
    return RC_OK;
}

/* A string without leading zeros, at most max bytes: the form of every number. */
static bool is_number(const rlp_item_t *item, size_t max)
{
    return !item->is_list && item->payload.n <= max && (item->payload.n == 0 || item->payload.p[0] != 0);
}

rc_t rlp_u64(uint64_t *out, const rlp_item_t *item)
{
    if (!is_number(item, 8))
        return RC_MALFORMED;
    rd_t r = rd_of(item->payload);
    *out = rd_be(&r, (unsigned)item->payload.n);
    return RC_OK;
}

rc_t rlp_u256(u256_t *out, const rlp_item_t *item)
{
    if (!is_number(item, 32))
        return RC_MALFORMED;
    *out = u256_from_be(item->payload);
    return RC_OK;
}

rc_t rlp_fixed(void *out, size_t n, const rlp_item_t *item)
{
    if (item->is_list || item->payload.n != n)
        return RC_MALFORMED;
    if (n)
        memcpy(out, item->payload.p, n);
    return RC_OK;
}

static unsigned length_bytes_of(size_t n)
{
    unsigned bytes = 1;
    while (bytes < 8 && (uint64_t)n >> (8 * bytes))
        bytes++;
    return bytes;
}

size_t rlp_prefix_len(size_t n)
{
    return n <= SHORT_MAX ? 1 : 1 + length_bytes_of(n);
}

static void put_prefix(wr_t *w, unsigned base, size_t n)
{
    if (n <= SHORT_MAX) {
        wr_u8(w, (uint8_t)(base + n));
        return;
    }
    unsigned bytes = length_bytes_of(n);
    wr_u8(w, (uint8_t)(base + SHORT_MAX + bytes));
    wr_be(w, n, bytes);
}

void rlp_put_bytes(wr_t *w, view_t bytes)
{
    if (bytes.n != 1 || bytes.p[0] >= STRING_BASE)
        put_prefix(w, STRING_BASE, bytes.n);
    wr_bytes(w, bytes.p, bytes.n);
}

/* The number without its leading zeros. */
static void put_number(wr_t *w, const uint8_t *be, size_t n)
{
    while (n && *be == 0)
        be++, n--;
    rlp_put_bytes(w, view_of(be, n));
}

void rlp_put_u64(wr_t *w, uint64_t x)
{
    uint8_t be[8];
    store_u64be(be, x);
    put_number(w, be, sizeof be);
}

void rlp_put_u256(wr_t *w, const u256_t *x)
{
    uint8_t be[32];
    u256_to_be32(be, x);
    put_number(w, be, sizeof be);
}

void rlp_put_list_prefix(wr_t *w, size_t n)
{
    put_prefix(w, LIST_BASE, n);
}

void rlp_wrap_list(wr_t *w, size_t began)
{
    size_t payload = w->n - began, prefix = rlp_prefix_len(payload);
    if (!wr_grab(w, prefix))
        return;
    memmove(w->p + began + prefix, w->p + began, payload);
    wr_t head = wr_of(w->p + began, prefix);
    rlp_put_list_prefix(&head, payload);
}
