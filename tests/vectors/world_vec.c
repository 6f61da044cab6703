#include "tests/vectors/world_vec.h"

#include "base/crypto/hash.h"

u256_t vec_word(const char *text)
{
    uint8_t b[32];
    (void)vec_hex_fixed(b, sizeof b, text);
    return u256_from_be32(b);
}

hash32_t vec_hash(const char *text)
{
    hash32_t h;
    (void)vec_hex_fixed(h.b, sizeof h.b, text);
    return h;
}

addr_t vec_addr(const char *text)
{
    addr_t a;
    (void)vec_hex_fixed(a.b, sizeof a.b, text);
    return a;
}

/* An account as the change that makes it. */
static bool change_of(evm_change_t *out, arena_t *a, const char *address, const json_t *object)
{
    const char *key;
    json_t *storage = json_object_get(object, "storage"), *value;
    evm_change_t c = { .addr = vec_addr(address), .code_changed = true };
    evm_slot_t *slots = arena_calloc(a, json_object_size(storage), sizeof *slots);
    if (!slots)
        return false;
    c.account.exists = true;
    c.account.nonce = vec_u64(vec_str(object, "nonce"));
    c.account.balance = vec_word(vec_str(object, "balance"));
    c.code = vec_hex(a, vec_str(object, "code"));
    keccak256(&c.account.code_hash, c.code);
    json_object_foreach (storage, key, value)
        slots[c.slot_count++] = (evm_slot_t){ vec_hash(key), vec_word(json_string_value(value)) };
    c.slots = slots;
    *out = c;
    return true;
}

bool vec_world(ex_world_t *out, arena_t *a, json_t *accounts)
{
    ex_world_t w = { .accounts.arena = a };
    const char *address;
    json_t *object;
    json_object_foreach (accounts, address, object) {
        evm_change_t c;
        if (!change_of(&c, a, address, object) || ex_world_apply(&w, &c, 1))
            return false;
    }
    *out = w;
    return true;
}
