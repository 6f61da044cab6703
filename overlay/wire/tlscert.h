/* tlscert.h - the certificate by which a libp2p peer shows its host key inside a TLS 1.3 handshake: made and verified.
 *
 * Self-signed by a throw-away P-256 key; the extension 1.3.6.1.4.1.53594.1.1 has the host key and its signature over
 * "libp2p-tls-handshake:" and the certificate's SubjectPublicKeyInfo. That the peer has the throw-away key is what TLS
 * itself proves.
 *
 * Spec:   libp2p/specs tls/tls.md; overlay-facts section 4
 * Floor:  4, overlay/wire. No I/O, clock or thread; no heap, but gmp's inside P-256.
 * Tests:  tests/unit/test_tlscert.c, tests/fuzz/fuzz_tlscert.c, vectors kind libp2p
 */
#ifndef OVERLAY_WIRE_TLSCERT_H
#define OVERLAY_WIRE_TLSCERT_H

#include "base/crypto/p256.h"
#include "base/err.h"
#include "overlay/wire/hostkey.h"
#include "overlay/wire/peerid.h"

#define TLSCERT_MAX 2048u         /* bytes of a certificate; ours have about 420 */
#define TLSCERT_SKEW_S 3600       /* ours is valid from that long ago */
#define TLSCERT_LIFE_S 3153600000 /* 100 years: it lives as long as the process */

/* What a verified certificate says. */
typedef struct {
    hostkey_t key;
    peerid_t id;
    hash32_t spki; /* SHA-256 of the DER SubjectPublicKeyInfo: what attestation binds */
} tlscert_t;

/* Makes one.
 *   w        TLSCERT_MAX bytes of room
 *   who      signs
 *   secret   the throw-away P-256 key; serial: random bytes
 *   now      Unix seconds
 * What who's sign returned; RC_REFUSED: bad secret; RC_BUG: no room. */
NODISCARD rc_t tlscert_make(wr_t *w, const identity_t *who, const uint8_t secret[P256_SECRET_LEN],
                            const uint8_t serial[8], int64_t now);

/* Verifies the one certificate that a peer sent.
 *   out       written only on RC_OK
 *   now       Unix seconds
 *   expected  the peer that was dialled; n 0 or NULL: anyone
 * Accepted are keys on P-256 with ECDSA and SHA-256, and Ed25519. RC_MALFORMED: no strict DER, or not what the
 * specification asks for; RC_LIMIT; RC_REFUSED: a signature, the time or the peer is another; RC_UNSUPPORTED: a key or
 * signature of another kind. */
NODISCARD rc_t tlscert_verify(tlscert_t *out, err_t *e, view_t der, int64_t now, const peerid_t *expected);

#endif
