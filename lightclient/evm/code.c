#include <emmintrin.h>

#include "lightclient/evm/code.h"

#define OP_JUMPDEST 0x5b
#define OP_PUSH1 0x60

static const uint8_t no_bytes[EVM_CODE_PAD];
static const uint64_t no_dests[1];
const evm_code_t CODE_NONE = { .bytes = no_bytes, .dests = no_dests };

static size_t map_len(size_t len)
{
    return (len / 64 + 1) * sizeof(uint64_t);
}

size_t code_room(size_t len)
{
    return (map_len(len) + len + EVM_CODE_PAD + 15) & ~(size_t)15;
}

/* Bit i: code[i], of 64 bytes, is a JUMPDEST; *push likewise for PUSH1 to PUSH32, the greatest bytes when signed. */
static inline uint64_t find(uint64_t *push, const uint8_t *code)
{
    const __m128i dest = _mm_set1_epi8(OP_JUMPDEST), below = _mm_set1_epi8(OP_PUSH1 - 1);
    uint64_t dests = 0, pushes = 0;
    for (unsigned i = 0; i < 64; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(code + i));
        dests |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, dest)) << i;
        pushes |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpgt_epi8(v, below)) << i;
    }
    *push = pushes;
    return dests;
}

/* The map of a block of 64 bytes, the first *data of which are push data; *data becomes that of the next block. Whether
 * a PUSH is one, or data of the one before it, is decided without a branch, and each byte is loaded without waiting for
 * the decision before. */
static inline uint64_t map_block(const uint8_t *code, uint64_t *data)
{
    uint64_t push, dests = find(&push, code), end = *data, covered = ~(UINT64_MAX << end);
    for (; push; push &= push - 1) {
        uint64_t at = (uint64_t)__builtin_ctzll(push), next = at + code[at] - (OP_PUSH1 - 2);
        uint64_t bytes = (~(uint64_t)1 << at) ^ (next < 64 ? UINT64_MAX << next : 0);
        bool is_data = at < end;
        covered |= is_data ? 0 : bytes;
        end = is_data ? end : next;
    }
    *data = end > 64 ? end - 64 : 0;
    return dests & ~covered;
}

void code_prepare(evm_code_t *out, void *room, view_t code)
{
    uint64_t *dests = room;
    uint8_t *bytes = (uint8_t *)room + map_len(code.n);
    uint64_t data = 0;
    if (code.n)
        memcpy(bytes, code.p, code.n);
    memset(bytes + code.n, 0, EVM_CODE_PAD);
    for (size_t i = 0; i <= code.n / 64; i++)
        dests[i] = map_block(bytes + 64 * i, &data);
    *out = (evm_code_t){ .len = code.n, .bytes = bytes, .dests = dests };
}

static const uint8_t delegation_magic[3] = { 0xef, 0x01, 0x00 };

bool code_delegation(addr_t *target, view_t code)
{
    if (code.n != DELEGATION_LEN || memcmp(code.p, delegation_magic, sizeof delegation_magic) != 0)
        return false;
    memcpy(target->b, code.p + sizeof delegation_magic, sizeof target->b);
    return true;
}

void code_delegate(uint8_t out[DELEGATION_LEN], const addr_t *target)
{
    memcpy(out, delegation_magic, sizeof delegation_magic);
    memcpy(out + sizeof delegation_magic, target->b, sizeof target->b);
}
