/* mattest.h - mutual attestation "mattest v2": both ends of one TLS 1.3 or QUIC connection prove themselves, fresh
 * and bound to this channel and both static keys. A pure state machine: messages in, messages and wants out.
 *
 * Spec:   tee-facts section 16 (bytes, order, checks, why each part is there); HELLO and tag of overlay-facts-more J
 * Floor:  3, tee/channel. No I/O or clock: nonces, exporter, evidence and time are arguments. One connection, one
 * machine, one attempt.
 * Tests:  tests/unit/test_mattest.c and test_mattest_judged.c (numbers 82 to 90 of tee-facts), test_hello.c (80),
 *         tests/fuzz/fuzz_mattest.c
 */
#ifndef TEE_CHANNEL_MATTEST_H
#define TEE_CHANNEL_MATTEST_H

#include "base/bytes.h"
#include "base/crypto/keyring.h"
#include "tee/channel/hello.h"
#include "tee/verify/verify.h"

#define MATTEST_EXPORTER_LABEL "EXPERIMENTAL-tee-mattest-v1"
#define MATTEST_MESSAGE_MAX (256u << 10) /* bytes of a message's body: the longest is EVIDENCE */
#define MATTEST_DEADLINE_MS 90000u       /* of the whole exchange */
#define MATTEST_UNSENT_MAX 8u            /* releases on one connection that may be taken back */

typedef struct mattest mattest_t;

/* Signs a digest with the node's static key: 64-byte compact, low s. */
typedef rc_t (*mattest_sign_fn)(void *ctx, uint8_t out[64], const hash32_t *digest);

/* What one end is. The policy is borrowed until MATTEST_ATTESTED or MATTEST_FAILED, the memory until mattest_free. */
typedef struct {
    mattest_role_t role;       /* of this end: the TLS client initiates */
    tee_evidence_type_t type;  /* that this end offers */
    bool wants_key, holds_key; /* hints for the peer; both false: we found a new cluster */
    uint8_t nonce[32];         /* fresh from the kernel */
    uint8_t static_pubkey[33]; /* compressed secp256k1 */
    hash32_t spki, peer_spki;  /* SHA-256 of the DER SubjectPublicKeyInfo of both certificates of this connection */
    uint64_t chain_id;         /* 0: an application without a chain */
    hash32_t genesis;          /* validators root of the genesis; without a chain 32 bytes of the application's own */
    uint8_t cluster[33];       /* first public key of the cluster that we are pinned to; zeros: none */
    hash32_t order;            /* digest of the order that we run, */
    uint64_t version;          /* and its version */
    hash32_t key_log;          /* head of our log of key releases; zeros: none */
    const policy_t *policy;    /* by which the exchange is judged */
    rollback_t *memory;        /* NULL: none; used only inside mattest_take, _judge and _release_key */
    mattest_sign_fn sign;
    void *sign_ctx;
    uint64_t started_ms; /* monotonic: the deadline counts from here */
} mattest_config_t;

typedef enum {
    MATTEST_RUNNING,  /* waits for the peer's message */
    MATTEST_EXPORT,   /* supply the exporter: mattest_exporter */
    MATTEST_QUOTE,    /* supply our evidence: mattest_evidence */
    MATTEST_ATTESTED, /* both ends hold: keys may be released */
    MATTEST_FAILED    /* close; mattest_fault says why */
} mattest_state_t;

/* A new machine; its HELLO is the first output. RC_NOMEM; RC_REFUSED: config's key is no point, its nonce zero, its
 * role or type unknown, its cluster no point, its version out of range. */
NODISCARD rc_t mattest_new(mattest_t **out, const mattest_config_t *config);
void mattest_free(mattest_t *m);

/* What the machine wants now. */
mattest_state_t mattest_state(const mattest_t *m);

/* Context for the TLS exporter (HT of section 16.3), in MATTEST_EXPORT. */
void mattest_exporter_context(const mattest_t *m, hash32_t *out);

/* EX: 32 bytes of the exporter for MATTEST_EXPORTER_LABEL and that context. RC_REFUSED in another state. */
NODISCARD rc_t mattest_exporter(mattest_t *m, const uint8_t ex[32]);

/* What our quote must carry, in MATTEST_QUOTE. Only this machine chooses it. */
void mattest_report_data(const mattest_t *m, uint8_t out[TEE_REPORT_DATA_LEN]);

/* Our evidence, with stapled collateral (n 0: none). Nothing changed: RC_REFUSED in another state, or its type or
 * report data differ; RC_LIMIT: all together is longer than MATTEST_MESSAGE_MAX; RC_NOMEM. The machine has failed:
 * our key gave no signature. */
NODISCARD rc_t mattest_evidence(mattest_t *m, const tee_evidence_t *evidence, view_t collateral);

/* Takes bytes of the peer, in any portions. now: Unix seconds for verification; now_ms: monotonic, for the deadline.
 * RC_OK: taken, look at the state; else the machine has failed: mattest_fault. collateral: our own for the
 * peer's platform (n 0: none); what the peer staples is used only where ours is of another platform, out of date or
 * broken. The peer's evidence may come before the exporter is there; it then waits. So call this after
 * mattest_exporter too, with no bytes when none came. Call mattest_sent before it for what was sent. */
NODISCARD rc_t mattest_take(mattest_t *m, view_t bytes, view_t collateral, int64_t now, uint64_t now_ms);

/* Whether our CONFIRM is among what was sent or is to be sent: the peer's evidence holds, and ours is out. */
bool mattest_has_confirmed(const mattest_t *m);

/* How many bytes at the end of the last mattest_take's lie behind the peer's CONFIRM: application data, not of this
 * protocol. 0 unless MATTEST_ATTESTED. */
size_t mattest_rest(const mattest_t *m);

/* Fails with E_DEADLINE when time is up. */
NODISCARD rc_t mattest_tick(mattest_t *m, uint64_t now_ms);

/* Bytes to send; they stay until mattest_sent, and also when MATTEST_ATTESTED must go before anything else. After a
 * failure: the rest of a message that was begun, then a REJECT with the code E_ATTEST only (none when the peer has
 * sent one). */
view_t mattest_output(const mattest_t *m);
void mattest_sent(mattest_t *m, size_t n);

/* Why it failed, for the local log. */
const err_t *mattest_fault(const mattest_t *m);

/* The peer's static key, in MATTEST_ATTESTED; else NULL. */
const uint8_t *mattest_peer(const mattest_t *m);

/* The peer's HELLO; NULL before it came. Until MATTEST_ATTESTED it is a claim of somebody. */
const hello_t *mattest_peer_hello(const mattest_t *m);

/* When to attest anew at the latest, Unix seconds, in MATTEST_ATTESTED (else 0): 24 h after the peer's evidence was
 * verified, or when that expires, whichever is first. */
int64_t mattest_expires(const mattest_t *m);

/* The peer's platform, SHA-256 of its PPID, in MATTEST_ATTESTED; else NULL. */
const hash32_t *mattest_platform(const mattest_t *m);

/* What the peer's TD measured, SHA-256 of MRTD and RTMR0 to RTMR3, in MATTEST_ATTESTED; else NULL. */
const hash32_t *mattest_measurement(const mattest_t *m);

/* EX: 32 bytes that only this connection's two ends share, in MATTEST_ATTESTED; else NULL. */
const uint8_t *mattest_channel(const mattest_t *m);

/* By what a peer is judged at this moment. */
typedef struct {
    const policy_t *policy; /* of the order in force */
    view_t collateral;      /* our newest for the peer's platform; n 0: none, then what it stapled, if that served */
    int64_t now;            /* Unix seconds */
} mattest_present_t;

/* Judges the kept evidence anew, in full: RC_OK when the connection may go on. E_STATE: not attested; E_EXPIRED: after
 * mattest_expires; else tee_appraise's code. The machine does not change. */
NODISCARD rc_t mattest_judge(const mattest_t *m, err_t *e, const mattest_present_t *present);

/* Allows the release of one generation to this peer: attested, mattest_judge says yes at this moment, and neither it
 * nor a newer one was released on this connection before (drafts and committed ones are counted apart). Whether the
 * peer runs our order and the generation is the newest committed is the caller's to know (overlay-facts-more E8).
 *   out    a grant for keyring_seal; written only on RC_OK
 *   draft  it is not committed yet
 * E_KEY_RELEASE with why, or mattest_judge's code. */
NODISCARD rc_t mattest_release_key(mattest_t *m, key_grant_t *out, err_t *e, const key_name_t *generation,
                                   const mattest_present_t *present, bool draft);

/* What was granted last did not get into the channel, and counts for nothing: so the peer may ask once more, at most
 * MATTEST_UNSENT_MAX times a connection. */
void mattest_unreleased(mattest_t *m, const key_name_t *generation, bool draft);

/* Allows one sealing of a group's secret to this peer: attested, and mattest_judge says yes by the group's policy at
 * this moment. However often it is asked. mattest_judge's code. */
NODISCARD rc_t mattest_release_group(const mattest_t *m, key_grant_t *out, err_t *e, const key_name_t *group,
                                     const mattest_present_t *present);

#endif
