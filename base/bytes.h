/* bytes.h - views, fixed-length values, and the reader and writer that every codec uses.
 *
 * Floor:  1, base. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_base.c
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Borrowed bytes: n bytes at p. p may be NULL only when n is 0. */
typedef struct {
    const uint8_t *p;
    size_t n;
} view_t;

typedef struct {
    uint8_t b[32];
} hash32_t; /* a 32-byte digest or trie key, in the byte order of the wire */

typedef struct {
    uint8_t b[20];
} addr_t; /* an execution-layer address */

static inline view_t view_of(const void *p, size_t n)
{
    return (view_t){ (const uint8_t *)p, n };
}

static inline view_t view_str(const char *s)
{
    return (view_t){ (const uint8_t *)s, strlen(s) };
}

static inline bool view_eq(view_t a, view_t b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool hash32_eq(const hash32_t *a, const hash32_t *b)
{
    return memcmp(a->b, b->b, sizeof a->b) == 0;
}

static inline bool hash32_is_zero(const hash32_t *a)
{
    static const hash32_t zero;
    return hash32_eq(a, &zero);
}

static inline bool addr_eq(const addr_t *a, const addr_t *b)
{
    return memcmp(a->b, b->b, sizeof a->b) == 0;
}

static inline uint64_t load_u64be(const uint8_t p[8])
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return __builtin_bswap64(v); /* the project targets x86-64 only: TDX exists nowhere else */
}

static inline void store_u64be(uint8_t p[8], uint64_t v)
{
    v = __builtin_bswap64(v);
    memcpy(p, &v, sizeof v);
}

static inline uint64_t load_u64le(const uint8_t p[8])
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline void store_u64le(uint8_t p[8], uint64_t v)
{
    memcpy(p, &v, sizeof v);
}

/* Reader: turns bad at the first short read and gives zeros (or an empty view) from then on, so a
 * decoder checks once, at the end. */
typedef struct {
    const uint8_t *p;
    size_t n; /* bytes left */
    bool bad;
} rd_t;

static inline rd_t rd_of(view_t v)
{
    return (rd_t){ v.p, v.n, false };
}

/* Takes n bytes; an empty view once bad or short. */
static inline view_t rd_take(rd_t *r, size_t n)
{
    if (r->bad || n > r->n) {
        r->bad = true;
        return (view_t){ NULL, 0 };
    }
    view_t v = { r->p, n };
    if (n) {
        r->p += n;
        r->n -= n;
    }
    return v;
}

static inline void rd_copy(rd_t *r, void *out, size_t n)
{
    view_t v = rd_take(r, n);
    if (v.n == n && n)
        memcpy(out, v.p, n);
    else if (n)
        memset(out, 0, n);
}

static inline uint64_t rd_le(rd_t *r, unsigned n)
{
    view_t v = rd_take(r, n);
    uint64_t x = 0;
    for (size_t i = v.n; i-- > 0;)
        x = x << 8 | v.p[i];
    return x;
}

static inline uint64_t rd_be(rd_t *r, unsigned n)
{
    view_t v = rd_take(r, n);
    uint64_t x = 0;
    for (size_t i = 0; i < v.n; i++)
        x = x << 8 | v.p[i];
    return x;
}

static inline uint8_t rd_u8(rd_t *r)
{
    return (uint8_t)rd_le(r, 1);
}
static inline uint16_t rd_u16le(rd_t *r)
{
    return (uint16_t)rd_le(r, 2);
}
static inline uint32_t rd_u32le(rd_t *r)
{
    return (uint32_t)rd_le(r, 4);
}
static inline uint64_t rd_u64le(rd_t *r)
{
    return rd_le(r, 8);
}
static inline uint16_t rd_u16be(rd_t *r)
{
    return (uint16_t)rd_be(r, 2);
}
static inline uint32_t rd_u32be(rd_t *r)
{
    return (uint32_t)rd_be(r, 4);
}
static inline uint64_t rd_u64be(rd_t *r)
{
    return rd_be(r, 8);
}

static inline hash32_t rd_hash32(rd_t *r)
{
    hash32_t h;
    rd_copy(r, h.b, sizeof h.b);
    return h;
}

/* True when every byte was read and no read was short. */
static inline bool rd_done(const rd_t *r)
{
    return !r->bad && r->n == 0;
}

/* Writer into the caller's storage: turns bad instead of writing past cap. */
typedef struct {
    uint8_t *p;
    size_t cap;
    size_t n; /* bytes written */
    bool bad;
} wr_t;

static inline wr_t wr_of(void *p, size_t cap)
{
    return (wr_t){ (uint8_t *)p, cap, 0, false };
}

/* Reserves n bytes and returns them to be filled; NULL once bad. */
static inline uint8_t *wr_grab(wr_t *w, size_t n)
{
    if (w->bad || n > w->cap - w->n) {
        w->bad = true;
        return NULL;
    }
    uint8_t *at = w->p + w->n;
    w->n += n;
    return at;
}

static inline void wr_bytes(wr_t *w, const void *p, size_t n)
{
    uint8_t *at = wr_grab(w, n);
    if (at && n)
        memcpy(at, p, n);
}

static inline void wr_le(wr_t *w, uint64_t x, unsigned n)
{
    uint8_t *at = wr_grab(w, n);
    for (unsigned i = 0; at && i < n; i++, x >>= 8)
        at[i] = (uint8_t)x;
}

static inline void wr_be(wr_t *w, uint64_t x, unsigned n)
{
    uint8_t *at = wr_grab(w, n);
    for (unsigned i = 0; at && i < n; i++, x >>= 8)
        at[n - 1 - i] = (uint8_t)x;
}

static inline void wr_u8(wr_t *w, uint8_t x)
{
    wr_le(w, x, 1);
}
static inline void wr_u16le(wr_t *w, uint16_t x)
{
    wr_le(w, x, 2);
}
static inline void wr_u32le(wr_t *w, uint32_t x)
{
    wr_le(w, x, 4);
}
static inline void wr_u64le(wr_t *w, uint64_t x)
{
    wr_le(w, x, 8);
}
static inline void wr_hash32(wr_t *w, const hash32_t *h)
{
    wr_bytes(w, h->b, sizeof h->b);
}

/* What was written so far, as a view that lives as long as the storage. */
static inline view_t wr_view(const wr_t *w)
{
    return (view_t){ w->p, w->n };
}

#endif
