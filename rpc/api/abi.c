#include "rpc/api/abi.h"

#include "base/u256.h"

#define WORD 32u

/* ---- writing ---- */

static bool is_dynamic(const eip712_type_t *t)
{
    for (size_t i = 0; i < t->count; i++)
        if (eip712_is_view(&t->members[i]) || (t->members[i].kind == EIP712_STRUCT && is_dynamic(t->members[i].type)))
            return true;
    return false;
}

/* Bytes of the part of fixed length. */
static size_t head_len(const eip712_type_t *t)
{
    size_t n = 0;
    for (size_t i = 0; i < t->count; i++) {
        const eip712_member_t *m = &t->members[i];
        n += m->kind == EIP712_STRUCT && !is_dynamic(m->type) ? head_len(m->type) : WORD;
    }
    return n;
}

static size_t padded(size_t n)
{
    return (n + WORD - 1) / WORD * WORD;
}

/* Bytes of the whole; more than ABI_LEN_MAX when that is exceeded. */
static size_t whole_len(const eip712_type_t *t, const void *value)
{
    size_t n = head_len(t);
    for (size_t i = 0; i < t->count && n <= ABI_LEN_MAX; i++) {
        const eip712_member_t *m = &t->members[i];
        const void *p = eip712_value(m, value);
        if (eip712_is_view(m))
            n = ((const view_t *)p)->n > ABI_LEN_MAX ? ABI_LEN_MAX + 1u : n + WORD + padded(((const view_t *)p)->n);
        else if (m->kind == EIP712_STRUCT && is_dynamic(m->type))
            n += whole_len(m->type, p);
    }
    return n;
}

static void put_length(uint8_t out[WORD], size_t n)
{
    memset(out, 0, WORD);
    store_u64be(out + WORD - 8, n);
}

/* The members of a struct: heads, then tails. out has whole_len bytes, which are zero. */
static void put_tuple(uint8_t *out, const eip712_type_t *t, const void *value)
{
    uint8_t *head = out, *tail = out + head_len(t);
    for (size_t i = 0; i < t->count; i++) {
        const eip712_member_t *m = &t->members[i];
        const void *p = eip712_value(m, value);
        if (m->kind == EIP712_STRUCT && !is_dynamic(m->type)) {
            put_tuple(head, m->type, p);
            head += head_len(m->type);
            continue;
        }
        if (m->kind == EIP712_STRUCT) {
            put_length(head, (size_t)(tail - out));
            put_tuple(tail, m->type, p);
            tail += whole_len(m->type, p);
        } else if (eip712_is_view(m)) {
            const view_t *bytes = p;
            put_length(head, (size_t)(tail - out));
            put_length(tail, bytes->n);
            if (bytes->n)
                memcpy(tail + WORD, bytes->p, bytes->n);
            tail += WORD + padded(bytes->n);
        } else
            eip712_word(head, m, value);
        head += WORD;
    }
}

rc_t abi_encode(view_t *out, arena_t *a, const eip712_type_t *t, const void *value)
{
    const size_t n = whole_len(t, value);
    if (n > ABI_LEN_MAX)
        return RC_LIMIT;
    uint8_t *p = arena_calloc(a, n, 1);
    if (!p)
        return RC_NOMEM;
    put_tuple(p, t, value);
    *out = view_of(p, n);
    return RC_OK;
}

/* ---- reading ---- */

/* The bytes behind the offset that a word of the head gives; n 0: it gives none inside. */
static view_t behind(view_t in, const uint8_t word[WORD])
{
    const u256_t offset = u256_from_be32(word);
    if (!u256_fits_u64(&offset) || offset.w[0] >= in.n)
        return view_of(NULL, 0);
    return view_of(in.p + offset.w[0], in.n - (size_t)offset.w[0]);
}

static bool get_bytes(view_t *out, view_t at)
{
    if (at.n < WORD)
        return false;
    const u256_t n = u256_from_be32(at.p);
    if (!u256_fits_u64(&n) || n.w[0] > at.n - WORD)
        return false;
    *out = view_of(at.p + WORD, (size_t)n.w[0]);
    return true;
}

/* A value that stands in its word; what does not fit is cut, and found by writing it again. */
static void get_word(void *out, eip712_kind_t kind, const uint8_t word[WORD])
{
    switch (kind) {
    case EIP712_ADDRESS: memcpy(out, word + WORD - sizeof(addr_t), sizeof(addr_t)); break;
    case EIP712_BYTES32: memcpy(out, word, sizeof(hash32_t)); break;
    case EIP712_UINT8: *(uint8_t *)out = word[WORD - 1]; break;
    case EIP712_UINT16: *(uint16_t *)out = (uint16_t)load_u64be(word + WORD - 8); break;
    case EIP712_UINT32: *(uint32_t *)out = (uint32_t)load_u64be(word + WORD - 8); break;
    case EIP712_BOOL: *(bool *)out = word[WORD - 1] == 1; break;
    case EIP712_UINT64: *(uint64_t *)out = load_u64be(word + WORD - 8); break;
    case EIP712_UINT256: *(u256_t *)out = u256_from_be32(word); break;
    case EIP712_BYTES:
    case EIP712_STRING:
    case EIP712_STRUCT: break;
    }
}

/* The members of a struct; offsets count from the first byte of in. */
static bool get_tuple(void *value, const eip712_type_t *t, view_t in)
{
    rd_t heads = rd_of(in);
    for (size_t i = 0; i < t->count; i++) {
        const eip712_member_t *m = &t->members[i];
        void *p = (uint8_t *)value + m->at;
        const bool inlined = m->kind == EIP712_STRUCT && !is_dynamic(m->type);
        const view_t head = rd_take(&heads, inlined ? head_len(m->type) : WORD);
        if (heads.bad)
            return false;
        if (m->kind == EIP712_STRUCT) {
            if (!get_tuple(p, m->type, inlined ? head : behind(in, head.p)))
                return false;
        } else if (eip712_is_view(m)) {
            if (!get_bytes(p, behind(in, head.p)))
                return false;
        } else
            get_word(p, m->kind, head.p);
    }
    return true;
}

rc_t abi_decode(void *value, size_t size, arena_t *a, const eip712_type_t *t, view_t in)
{
    view_t again;
    if (in.n > ABI_LEN_MAX)
        return RC_LIMIT;
    void *read = arena_calloc(a, 1, size);
    if (!read)
        return RC_NOMEM;
    if (!get_tuple(read, t, in))
        return RC_MALFORMED;
    rc_t rc = abi_encode(&again, a, t, read);
    if (rc)
        return rc == RC_LIMIT ? RC_MALFORMED : rc; /* two members share their bytes */
    if (!view_eq(again, in))
        return RC_MALFORMED;
    memcpy(value, read, size);
    return RC_OK;
}
