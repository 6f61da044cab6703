/* bls.h - BLS12-381 signatures of the beacon chain: with points.h and kzg.h the door to blst.
 *
 * Spec:   IETF draft-irtf-cfrg-bls-signature, BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_; consensus-specs phase0 and
 *         altair (eth_fast_aggregate_verify)
 * Floor:  2, bls. May include base/. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_bls.c, tests/fuzz/fuzz_bls.c, vectors kind bls; bench: update
 */
#ifndef BLS_BLS_H
#define BLS_BLS_H

#include "base/bytes.h"
#include "base/rc.h"

#define BLS_PUBKEY_LEN 48u /* compressed G1 */
#define BLS_SIG_LEN 96u    /* compressed G2 */

typedef struct {
    uint8_t b[BLS_PUBKEY_LEN];
} bls_pubkey_t; /* compressed, as on the wire; not checked */

typedef struct {
    uint64_t opaque[12];
} bls_point_t; /* a decompressed affine G1 point: on the curve, in the subgroup where the function says so */

/* A public key that was decoded and subgroup checked once. All zero: none. */
typedef struct {
    bls_pubkey_t key;
    bls_point_t point;
} bls_known_t;

/* Decompresses a public key. RC_MALFORMED: not a canonical encoding or not on the curve; RC_REFUSED: infinity, or (when
 * check_subgroup) outside the subgroup. */
NODISCARD rc_t bls_pubkey_decode(bls_point_t *out, const bls_pubkey_t *in, bool check_subgroup);

/* RC_OK when sig is the signature of msg32 by all keys named in participants. Decodes only the fewer keys: starts from
 * the committee's aggregate and subtracts the absent members, or sums the participants when more than half are absent.
 * Both give the same key, because the caller has authenticated aggregate and keys together (one Merkle branch), and
 * the beacon chain computed the aggregate as the sum. A key may occur several times.
 *   aggregate     sum of all count keys, decoded by the caller with its subgroup check (kept from update to update)
 *   keys          the committee's compressed keys; those that are decoded are subgroup checked
 *   known         count of them, or NULL: a key that stands at its place is not decoded again
 *   participants  bit i (byte i/8, bit i%8 from the least significant) is set when member i signed; count bits
 * RC_MALFORMED: the signature or a decoded key is not canonical or not on the curve; RC_REFUSED: nobody signed, the
 * participants' sum is infinity, a point is outside its subgroup, or the signature is wrong. */
NODISCARD rc_t bls_committee_verify(const bls_point_t *aggregate, const bls_pubkey_t *keys, size_t count,
                                    const bls_known_t *known, const uint8_t *participants, const hash32_t *msg32,
                                    const uint8_t sig[BLS_SIG_LEN]);

/* Keeps the keys that bls_committee_verify decodes for these participants, who will most probably sign, or be absent,
 * again: 47 us each, once. Keys that cannot be decoded are left out. */
void bls_remember(bls_known_t *known, const bls_pubkey_t *keys, size_t count, const uint8_t *participants);

/* The specification's text: sums the given keys, each decoded and checked. Errors as above; RC_REFUSED also for an
 * empty list. Costs 47 us a key. */
NODISCARD rc_t bls_fast_aggregate_verify(const bls_pubkey_t *keys, size_t count, view_t msg,
                                         const uint8_t sig[BLS_SIG_LEN]);

/* The same for one key. */
NODISCARD rc_t bls_verify(const bls_pubkey_t *key, view_t msg, const uint8_t sig[BLS_SIG_LEN]);

/* SHA-256 through blst's fastest assembly for this CPU. */
void bls_sha256(hash32_t *out, view_t in);

#endif
