/* world_vec.h - what the kinds that execute share: values from JSON strings, and whole states from their JSON form. */
#ifndef TESTS_WORLD_VEC_H
#define TESTS_WORLD_VEC_H

#include "lightclient/exec/world.h"
#include "tests/vectors/vec.h"

/* Left-padded with zeros; NULL is zero. */
u256_t vec_word(const char *text);
hash32_t vec_hash(const char *text);
addr_t vec_addr(const char *text);

/* {address: {balance, nonce, code, storage: {slot: value}}} as a state in the arena; false: no memory. */
bool vec_world(ex_world_t *out, arena_t *a, json_t *accounts);

#endif
