/* der.h - strict readers of DER values and PEM blocks, for chain.c and its neighbours.
 *
 * DER: definite lengths in their shortest form only. A reader turns bad as those of base/bytes.h do, so a decoder
 * checks once.
 *
 * Spec:   ITU-T X.690 (DER), RFC 7468 (PEM), RFC 5480 (ECDSA-Sig-Value)
 * Floor:  3, tee/x509. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_chain.c
 */
#ifndef TEE_X509_DER_H
#define TEE_X509_DER_H

#include "base/bytes.h"
#include "base/rc.h"

enum {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_BITS = 0x03,
    DER_OCTETS = 0x04,
    DER_OID = 0x06,
    DER_ENUM = 0x0a,
    DER_UTC_TIME = 0x17,
    DER_GENERAL_TIME = 0x18,
    DER_SEQUENCE = 0x30,
};

/* The next value's tag; 0 at the end or once bad. */
uint8_t der_tag(const rd_t *r);

/* Contents of the next value; bad when it has another tag. */
view_t der_take(rd_t *r, uint8_t tag);

/* The next value with its tag and length. */
view_t der_whole(rd_t *r, uint8_t tag);

/* A reader of the next value's contents, bad when r is. */
rd_t der_enter(rd_t *r, uint8_t tag);

/* An INTEGER or ENUMERATED that is not negative: big-endian, without leading zeros (n 0: the number 0). */
view_t der_unsigned(rd_t *r, uint8_t tag);

/* A BOOLEAN: 00 or ff. */
bool der_bool(rd_t *r);

/* UTCTime or GeneralizedTime, both with seconds and Z: Unix seconds. */
int64_t der_time(rd_t *r);

/* What certificates and revocation lists have in common: SEQUENCE { what is signed, algorithm, signature }. */
typedef struct {
    view_t tbs;       /* with tag and length: the signed bytes */
    view_t algorithm; /* with tag and length */
    view_t signature; /* contents of the bit string */
} der_signed_t;

/* Takes a signed object apart; nothing may follow it. RC_MALFORMED. */
NODISCARD rc_t der_signed(der_signed_t *out, view_t der);

/* True when the algorithm is ECDSA with SHA-256, without parameters. */
bool der_is_ecdsa_sha256(view_t algorithm);

/* RC_OK when the signature over tbs by a P-256 key (x || y) verifies; high s is accepted, as everywhere in X.509.
 * RC_MALFORMED, RC_REFUSED. */
NODISCARD rc_t der_verify(const der_signed_t *s, const uint8_t pubkey[64]);

/* What a SubjectPublicKeyInfo of P-256 begins with: up to the point, which stands uncompressed. */
#define DER_P256_PREFIX_LEN 27u
#define DER_P256_SPKI_LEN (DER_P256_PREFIX_LEN + 64u)
extern const uint8_t DER_P256_PREFIX[DER_P256_PREFIX_LEN];

/* The point (x || y) of a SubjectPublicKeyInfo of P-256, not yet known to be one of the curve; NULL: another key. */
const uint8_t *der_p256_point(view_t spki);

/* Decodes the PEM block with this label that r stands at, to behind its last marker. Nothing but base64 and line ends
 * is allowed between the markers. Appends to out; after a failure out and r hold nothing useful. RC_MALFORMED,
 * RC_LIMIT. */
NODISCARD rc_t pem_take(rd_t *r, wr_t *out, const char *label);

/* Skips line ends. */
void pem_skip_lines(rd_t *r);

#endif
