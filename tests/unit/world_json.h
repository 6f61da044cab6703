/* world_json.h - the answers of an honest JSON-RPC server about a made-up state. */
#ifndef TESTS_WORLD_JSON_H
#define TESTS_WORLD_JSON_H

#include <stdarg.h>
#include <stdio.h>

#include "tests/unit/world.h"

#define WORLD_TEXT_MAX ((size_t)8 << 20) /* bytes of a text that put writes on */

/* Writes on at the end of a text of WORLD_TEXT_MAX bytes. */
static inline void put(char *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static inline void put(char *out, const char *fmt, ...)
{
    size_t n = strlen(out);
    va_list ap;
    va_start(ap, fmt);
    int m = vsnprintf(out + n, WORLD_TEXT_MAX - n, fmt, ap);
    va_end(ap);
    WORLD_MUST(m >= 0 && (size_t)m < WORLD_TEXT_MAX - n);
}

static inline void put_hex(char *out, view_t v)
{
    char *text = malloc(2 * v.n + 1);
    hex_encode(text, v);
    put(out, "\"0x%s\"", text);
    free(text);
}

/* A quantity. */
static inline void put_number(char *out, const u256_t *x)
{
    uint8_t bytes[32];
    char text[65];
    u256_to_be32(bytes, x);
    hex_encode(text, view_of(bytes, sizeof bytes));
    const size_t zeros = strspn(text, "0");
    put(out, "\"0x%s\"", text + (zeros < 64 ? zeros : 63));
}

static inline void put_nodes(char *out, const ex_nodes_t *nodes)
{
    put(out, "[");
    for (size_t i = 0; i < nodes->count; i++) {
        put(out, i ? "," : "");
        put_hex(out, nodes->nodes[i]);
    }
    put(out, "]");
}

static inline void put_proof(char *out, world_t *w, const addr_t *addr, const hash32_t *slots, size_t count)
{
    ex_proof_answer_t p = world_proof(w, addr, slots, count);
    put(out, "{\"address\":");
    put_hex(out, view_of(p.address.b, 20));
    put(out, ",\"accountProof\":");
    put_nodes(out, &p.account_proof);
    put(out, ",\"balance\":\"0x%llx\",\"codeHash\":", (unsigned long long)p.balance.w[0]);
    put_hex(out, view_of(p.code_hash.b, 32));
    put(out, ",\"nonce\":\"0x%llx\",\"storageHash\":", (unsigned long long)p.nonce);
    put_hex(out, view_of(p.storage_hash.b, 32));
    put(out, ",\"storageProof\":[");
    for (size_t i = 0; i < p.slot_count; i++) {
        put(out, "%s{\"key\":", i ? "," : "");
        put_number(out, &p.slots[i].key);
        put(out, ",\"value\":");
        put_number(out, &p.slots[i].value);
        put(out, ",\"proof\":");
        put_nodes(out, &p.slots[i].proof);
        put(out, "}");
    }
    put(out, "]}");
}

#endif
