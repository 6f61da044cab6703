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

/* Bits of the bytes, of 64, that are greater than a value below 0x80; from 0x80 on they are not. */
static inline uint64_t above(const __m128i v[4], int value)
{
    const __m128i than = _mm_set1_epi8((char)value);
    uint64_t bits = 0;
#pragma GCC unroll 4
    for (unsigned i = 0; i < 4; i++)
        bits |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpgt_epi8(v[i], than)) << 16 * i;
    return bits;
}

/* Bits of the bytes, of 64, that are JUMPDEST. */
static inline uint64_t jumpdests(const __m128i v[4])
{
    const __m128i dest = _mm_set1_epi8(OP_JUMPDEST);
    uint64_t bits = 0;
#pragma GCC unroll 4
    for (unsigned i = 0; i < 4; i++)
        bits |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v[i], dest)) << 16 * i;
    return bits;
}

/* Bits of the bytes, of 64, that are push data if all bytes that look like a PUSH are one; *spill: bits of the next
 * block. */
static inline uint64_t doubtful(uint64_t *spill, const __m128i v[4], const uint8_t *code)
{
    uint64_t n1 = above(v, OP_PUSH1 - 1), n2 = above(v, OP_PUSH1), n3 = above(v, OP_PUSH1 + 1);
    uint64_t n4 = above(v, OP_PUSH1 + 2), longer = above(v, OP_PUSH1 + 3);
    uint64_t bits = n1 << 1 | n2 << 2 | n3 << 3 | n4 << 4, over = n1 >> 63 | n2 >> 62 | n3 >> 61 | n4 >> 60;
    for (; longer; longer &= longer - 1) {
        unsigned at = (unsigned)__builtin_ctzll(longer);
        uint64_t data = ((uint64_t)1 << (code[at] - OP_PUSH1 + 1)) - 1;
        bits |= data << at << 1;
        over |= data >> (63 - at);
    }
    *spill = over;
    return bits;
}

/* Goes on from pc, where an instruction begins, to the one at `to`, or to the first behind it. */
static size_t walk(const uint8_t *code, size_t pc, size_t to)
{
    while (pc < to)
        pc += code[pc] >= OP_PUSH1 && code[pc] < OP_PUSH1 + 32 ? code[pc] - OP_PUSH1 + 2u : 1u;
    return pc;
}

/* An instruction begins for sure where no byte that looks like a PUSH reaches. A JUMPDEST elsewhere is decided by a
 * walk from the last such place, or from the walk before. */
void code_prepare(evm_code_t *out, void *room, view_t code)
{
    uint64_t *dests = room, spill = 0;
    uint8_t *bytes = (uint8_t *)room + map_len(code.n);
    size_t sure = 0, pc = 0;
    if (code.n)
        memcpy(bytes, code.p, code.n);
    memset(bytes + code.n, 0, EVM_CODE_PAD);
    for (size_t base = 0; base <= code.n; base += 64) {
        const __m128i *p = (const __m128i *)(const void *)(bytes + base);
        const __m128i v[4] = { _mm_loadu_si128(p), _mm_loadu_si128(p + 1), _mm_loadu_si128(p + 2),
                               _mm_loadu_si128(p + 3) };
        uint64_t found = jumpdests(v), doubt = spill;
        doubt |= doubtful(&spill, v, bytes + base);
        for (uint64_t left = found & doubt; left; left &= left - 1) {
            unsigned at = (unsigned)__builtin_ctzll(left);
            uint64_t before = ~doubt & (((uint64_t)1 << at) - 1);
            if (before)
                sure = base + 63 - (unsigned)__builtin_clzll(before);
            pc = walk(bytes, pc > sure ? pc : sure, base + at);
            if (pc != base + at)
                found &= ~((uint64_t)1 << at);
        }
        if (~doubt)
            sure = base + 63 - (unsigned)__builtin_clzll(~doubt);
        dests[base / 64] = found;
    }
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
