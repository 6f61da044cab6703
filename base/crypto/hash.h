/* hash.h - Keccak-256, SHA-2, RIPEMD-160 and SHA-1.
 *
 * Spec:   Keccak (padding 0x01, as in Ethereum, not FIPS 202); FIPS 180-4;
 *         RIPEMD-160 (Dobbertin, Bosselaers, Preneel 1996; little-endian words, as this program's machines have)
 * Floor:  1, base/crypto. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_hash.c
 */
#ifndef BASE_CRYPTO_HASH_H
#define BASE_CRYPTO_HASH_H

#include "base/bytes.h"

/* Keccak-256 of in. out may overlap in. */
void keccak256(hash32_t *out, view_t in);

/* Keccak-256 of n independent inputs: out[i] is that of in[i]. Several are computed at once where the processor can
 * (eight with AVX-512, four with AVX2), so hash what is independent together. out must not overlap the inputs. */
void keccak256_many(hash32_t *out, const view_t *in, size_t n);

/* SHA-256 of in. */
void sha256(hash32_t *out, view_t in);

/* SHA-256 of exactly 64 bytes: one node of an SSZ tree. out may overlap in64. */
void sha256_64(hash32_t *out, const uint8_t in64[64]);

/* SHA-256 of the concatenation of count parts. */
void sha256_parts(hash32_t *out, const view_t *parts, size_t count);

/* SHA-384 and SHA-512 of the concatenation of count parts. out may overlap the parts. */
void sha384_parts(uint8_t out48[48], const view_t *parts, size_t count);
void sha512_parts(uint8_t out64[64], const view_t *parts, size_t count);

/* SHA-384 of what comes in pieces: begin, add as often as wanted, end. */
typedef struct {
    uint64_t state[32];
} sha384_t;
void sha384_begin(sha384_t *h);
void sha384_add(sha384_t *h, view_t in);
void sha384_end(uint8_t out48[48], sha384_t *h);

/* RIPEMD-160 of in. */
void ripemd160(uint8_t out20[20], view_t in);

/* SHA-1 of in: no security rests on it; the handshake of WebSocket has it (RFC 6455). */
void sha1(uint8_t out20[20], view_t in);

/* keccak256 of the empty string, and of the RLP empty string (the empty trie root). */
extern const hash32_t KECCAK_EMPTY;
extern const hash32_t EMPTY_TRIE_ROOT;

#endif
