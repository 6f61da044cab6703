/* members_put.h - members and keys in the storage of the contract that is the first account of s. Included behind s. */
#ifndef TESTS_UNIT_MEMBERS_PUT_H
#define TESTS_UNIT_MEMBERS_PUT_H

#include "base/crypto/hash.h"

/* Of the storage layout (sdk/solidity/DstackP2PMembership.json). */
enum {
    SLOT_HOLDERS = 4,
    SLOT_TOKEN_TO_INSTANCE = 9,
    SLOT_CLUSTER_KEY = 14,
    SLOT_PENDING_KEY = 15,
    SLOT_ACTIVE = 20,
    SLOT_SEATS = 21
};

static inline void put_slot(const hash32_t *key, u256_t value)
{
    world_account_t *c = &s.w.accounts[0];
    for (size_t i = 0; i < c->slot_count; i++)
        if (hash32_eq(&c->slots[i].key, key)) {
            c->slots[i].value = value;
            return;
        }
    ck_assert_uint_lt(c->slot_count, WORLD_SLOTS);
    c->slots[c->slot_count].key = *key;
    c->slots[c->slot_count++].value = value;
}

static inline hash32_t place(uint8_t slot)
{
    return (hash32_t){ .b = { [31] = slot } };
}

static inline void put_of_token(uint8_t token, uint8_t slot, u256_t value)
{
    const uint8_t at[64] = { [31] = token, [63] = slot };
    hash32_t key;
    keccak256(&key, view_of(at, sizeof at));
    put_slot(&key, value);
}

static inline u256_t word(view_t left)
{
    uint8_t b[32] = { 0 };
    memcpy(b, left.p, left.n);
    return u256_from_be32(b);
}

/* A member at a place of the contract's list: address 10.0.1.token, instance "cafe". */
static inline void put_member(uint32_t at, uint8_t token, bool bound, uint64_t heartbeat)
{
    const hash32_t slot = place(SLOT_ACTIVE);
    uint8_t packed[32] = { 0 };
    hash32_t data;
    keccak256(&data, view_of(slot.b, 32));
    for (size_t i = 0; i < s.w.accounts[0].slot_count; i++) /* eight tokens in a word */
        if (hash32_eq(&s.w.accounts[0].slots[i].key, &data))
            u256_to_be32(packed, &s.w.accounts[0].slots[i].value);
    packed[31 - 4 * at] = token;
    put_slot(&data, u256_from_be32(packed));
    put_slot(&slot, u256_of(at + 1));
    put_of_token(token, SLOT_HOLDERS, u256_of(0xf000 + token));
    uint8_t id[32] = "cafe";
    id[31] = 8;
    put_of_token(token, SLOT_TOKEN_TO_INSTANCE, u256_from_be32(id));
    put_of_token(
        token, SLOT_SEATS,
        (u256_t){
            { heartbeat, at | (uint64_t)token << 16 | 1u << 24 | (uint64_t)1 << 32 | (uint64_t)bound << 40, 0, 0 } });
}

/* 33 bytes at a slot: their length there, themselves behind its hash. */
static inline void put_key(uint8_t at, uint8_t first)
{
    const hash32_t slot = place(at);
    uint8_t key[33] = { first, 7 };
    key[32] = 9;
    hash32_t data;
    keccak256(&data, view_of(slot.b, 32));
    put_slot(&slot, u256_of(2 * sizeof key + 1));
    put_slot(&data, word(view_of(key, 32)));
    ck_assert_uint_lt(data.b[31], 255);
    data.b[31]++;
    put_slot(&data, word(view_of(key + 32, 1)));
}

#endif
