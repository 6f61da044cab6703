/* hello.h - the bytes of mutual attestation: HELLO, what quotes carry, what CONFIRM signs. Everything here is pure.
 *
 * Only mattest.c calls hello_report_data, from what a live connection said: nobody else may choose report data of this
 * tag.
 *
 * Spec:   tee-facts sections 16.2 to 16.4, with HELLO version 2 (overlay-facts-more J)
 * Floor:  3, tee/channel. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_hello.c (number 80 of tee-facts)
 */
#ifndef TEE_CHANNEL_HELLO_H
#define TEE_CHANNEL_HELLO_H

#include "base/bytes.h"
#include "tee/fault.h"
#include "tee/tee.h"

#define MATTEST_HELLO_LEN 256u
#define MATTEST_VERSION_END (1ull << 62) /* versions of orders are below */

typedef enum { MATTEST_INITIATOR = 1, MATTEST_RESPONDER = 2 } mattest_role_t;

/* What one end says of itself. */
typedef struct {
    mattest_role_t role;
    tee_evidence_type_t type;
    bool wants_key, holds_key; /* hints; both clear: it founds a new cluster */
    uint8_t nonce[32];
    uint8_t static_pubkey[33];
    hash32_t spki;  /* of its certificate */
    hash32_t order; /* digest of the order that it runs */
    uint64_t chain_id;
    uint64_t version; /* of that order */
    hash32_t
        genesis; /* validators root of the chain's genesis; of an application without a chain 32 bytes of its own */
    uint8_t cluster[33]; /* public key of the first generation of the cluster that it is pinned to; zeros: none */
    hash32_t key_log;    /* head of its log of key releases; zeros: none */
} hello_t;

/* Writes the 256 bytes. */
void hello_write(uint8_t out[MATTEST_HELLO_LEN], const hello_t *h);

/* Reads 256 bytes: magic, known role, type and flags, reserved bytes and bits zero, nonce not zero, version below
 * MATTEST_VERSION_END. Whether keys are points is not checked. out written only on RC_OK. E_HELLO, E_EVIDENCE_TYPE. */
NODISCARD rc_t hello_read(hello_t *out, err_t *e, const uint8_t in[MATTEST_HELLO_LEN]);

/* Whether it names a cluster. */
bool hello_is_pinned(const hello_t *h);

/* HT: what both ends have said, in the order of their roles. */
void hello_transcript(hash32_t *out, const hello_t *a, const hello_t *b);

/* What the quote of attester for verifier carries. ex: the exporter's 32 bytes. */
void hello_report_data(uint8_t out[TEE_REPORT_DATA_LEN], const hello_t *attester, const hello_t *verifier,
                       const uint8_t ex[32]);

/* What the CONFIRM of signer, one of the two ends, signs. */
void hello_confirm_digest(hash32_t *out, const hello_t *signer, const hello_t *other, const uint8_t ex[32]);

#endif
