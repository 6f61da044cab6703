#include "rpc/api/eip712.h"

#include <assert.h>

#include "base/crypto/hash.h"
#include "base/u256.h"

static const char *type_name(const eip712_member_t *m)
{
    static const char *const names[] = {
        [EIP712_ADDRESS] = "address", [EIP712_BYTES32] = "bytes32", [EIP712_BYTES] = "bytes",
        [EIP712_UINT8] = "uint8",     [EIP712_UINT16] = "uint16",   [EIP712_UINT64] = "uint64",
        [EIP712_UINT256] = "uint256", [EIP712_UINT32] = "uint32",   [EIP712_STRING] = "string",
        [EIP712_BOOL] = "bool",
    };
    return m->kind == EIP712_STRUCT ? m->type->name : names[m->kind];
}

static void put_text(wr_t *w, const char *text)
{
    wr_bytes(w, text, strlen(text));
}

/* "Mail(address from,bytes data)" without the types that it uses. */
static void put_own(wr_t *w, const eip712_type_t *t)
{
    put_text(w, t->name);
    for (size_t i = 0; i < t->count; i++) {
        put_text(w, i ? "," : "(");
        put_text(w, type_name(&t->members[i]));
        put_text(w, " ");
        put_text(w, t->members[i].name);
    }
    put_text(w, ")");
}

void eip712_type_string(wr_t *w, const eip712_type_t *t)
{
    put_own(w, t);
    for (size_t i = 0; i < t->count; i++)
        if (t->members[i].kind == EIP712_STRUCT)
            put_own(w, t->members[i].type);
}

void eip712_type_hash(hash32_t *out, const eip712_type_t *t)
{
    uint8_t text[EIP712_STRING_MAX];
    wr_t w = wr_of(text, sizeof text);
    eip712_type_string(&w, t);
    assert(!w.bad);
    keccak256(out, wr_view(&w));
}

/* A number of so many bytes at the end of a word. */
static void put_number(uint8_t out[32], uint64_t x)
{
    store_u64be(out + 24, x);
}

void eip712_word(uint8_t out[32], const eip712_member_t *m, const void *value)
{
    const void *p = eip712_value(m, value);
    memset(out, 0, 32);
    switch (m->kind) {
    case EIP712_ADDRESS: memcpy(out + 12, p, sizeof(addr_t)); break;
    case EIP712_BYTES32: memcpy(out, p, sizeof(hash32_t)); break;
    case EIP712_UINT8: put_number(out, *(const uint8_t *)p); break;
    case EIP712_UINT16: put_number(out, *(const uint16_t *)p); break;
    case EIP712_UINT32: put_number(out, *(const uint32_t *)p); break;
    case EIP712_BOOL: put_number(out, *(const bool *)p); break;
    case EIP712_UINT64: put_number(out, *(const uint64_t *)p); break;
    case EIP712_UINT256: u256_to_be32(out, p); break;
    case EIP712_BYTES:
    case EIP712_STRING:
    case EIP712_STRUCT: break;
    }
}

void eip712_hash_struct(hash32_t *out, const eip712_type_t *t, const void *value)
{
    uint8_t words[(1 + EIP712_MEMBERS_MAX) * 32];
    hash32_t h;
    assert(t->count <= EIP712_MEMBERS_MAX);
    eip712_type_hash(&h, t);
    memcpy(words, h.b, sizeof h.b);
    for (size_t i = 0; i < t->count; i++) {
        const eip712_member_t *m = &t->members[i];
        uint8_t *word = words + 32 * (i + 1);
        if (m->kind == EIP712_STRUCT)
            eip712_hash_struct(&h, m->type, eip712_value(m, value));
        else if (eip712_is_view(m))
            keccak256(&h, *(const view_t *)eip712_value(m, value));
        else {
            eip712_word(word, m, value);
            continue;
        }
        memcpy(word, h.b, sizeof h.b);
    }
    keccak256(out, view_of(words, 32 * (t->count + 1)));
}

static void hash_text(uint8_t out[32], const char *text)
{
    hash32_t h;
    keccak256(&h, view_str(text));
    memcpy(out, h.b, sizeof h.b);
}

void eip712_domain(hash32_t *out, const char *name, const char *version, uint64_t chain_id)
{
    uint8_t words[4 * 32] = { 0 };
    hash_text(words, "EIP712Domain(string name,string version,uint256 chainId)");
    hash_text(words + 32, name);
    hash_text(words + 64, version);
    put_number(words + 96, chain_id);
    keccak256(out, view_of(words, sizeof words));
}

void eip712_digest(hash32_t *out, const hash32_t *domain, const hash32_t *struct_hash)
{
    uint8_t text[2 + 64] = { 0x19, 0x01 };
    memcpy(text + 2, domain->b, 32);
    memcpy(text + 34, struct_hash->b, 32);
    keccak256(out, view_of(text, sizeof text));
}
