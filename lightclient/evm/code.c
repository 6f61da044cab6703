#include "lightclient/evm/code.h"

#define OP_JUMPDEST 0x5b
#define OP_PUSH1 0x60
#define OP_PUSH32 0x7f

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

void code_prepare(evm_code_t *out, void *room, view_t code)
{
    uint64_t *dests = room;
    uint8_t *bytes = (uint8_t *)room + map_len(code.n);
    memset(dests, 0, map_len(code.n));
    if (code.n)
        memcpy(bytes, code.p, code.n);
    memset(bytes + code.n, 0, EVM_CODE_PAD);
    for (size_t i = 0; i < code.n; i++) {
        uint8_t op = bytes[i];
        if (op == OP_JUMPDEST)
            dests[i / 64] |= (uint64_t)1 << i % 64;
        else if (op >= OP_PUSH1 && op <= OP_PUSH32)
            i += op - OP_PUSH1 + 1u;
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
