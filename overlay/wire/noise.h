/* noise.h - Noise_XX_25519_ChaChaPoly_SHA256 as libp2p runs it over TCP: a handshake that shows both host keys, then
 * sealed records. A machine for either end.
 *
 *     initiator                              responder
 *     e                               ->
 *                                     <-     e, ee, s, es, payload
 *     s, se, payload                  ->
 *
 * A payload has the host key, its signature over the Noise static key, and the stream muxers that its sender offers, so
 * that none has to be negotiated afterwards.
 *
 * Spec:   libp2p/specs noise/README.md; noiseprotocol.org revision 34; overlay-facts section 6
 * Floor:  4, overlay/wire. No heap, I/O, clock or thread: keys come as arguments.
 * Tests:  tests/unit/test_noise.c, tests/fuzz/fuzz_noise.c
 */
#ifndef OVERLAY_WIRE_NOISE_H
#define OVERLAY_WIRE_NOISE_H

#include "base/err.h"
#include "overlay/wire/hostkey.h"
#include "overlay/wire/peerid.h"

#define NOISE_KEY_LEN 32u
#define NOISE_RECORD_MAX 65535u /* bytes of a record's body */
#define NOISE_PLAIN_MAX (NOISE_RECORD_MAX - 16u)
#define NOISE_HANDSHAKE_MAX 4096u /* bytes of a handshake message that are taken; ours have at most 250 */
#define NOISE_MUXERS_MAX 8u       /* that a peer may offer */

typedef enum { NOISE_RUNNING, NOISE_OPEN, NOISE_FAILED } noise_state_t;

/* What one end brings. */
typedef struct {
    bool initiator;
    const identity_t *who;                 /* borrowed until the handshake is over */
    const peerid_t *expected;              /* the peer that was dialled; NULL or n 0: anyone; borrowed likewise */
    const char *muxer;                     /* the only one offered; NULL: none */
    const uint8_t *ephemeral, *static_key; /* NOISE_KEY_LEN random bytes each, copied */
} noise_config_t;

typedef struct {
    uint8_t k[NOISE_KEY_LEN];
    uint64_t n;
} noise_cipher_t;

typedef struct {
    noise_state_t state;
    noise_config_t config; /* without the keys */
    uint8_t e[NOISE_KEY_LEN], s[NOISE_KEY_LEN], peer_e[NOISE_KEY_LEN];
    uint8_t ck[NOISE_KEY_LEN];
    noise_cipher_t cipher; /* of the handshake */
    unsigned turn;         /* messages that are behind us */
    noise_cipher_t send, receive;

    /* what the handshake gave, in NOISE_OPEN */
    hostkey_t peer_key;
    peerid_t peer;
    uint8_t static_public[NOISE_KEY_LEN], peer_static[NOISE_KEY_LEN]; /* Noise static keys: what attestation binds */
    hash32_t hash;                                                    /* of the whole handshake: the channel's name */
    bool muxer_agreed;
} noise_t;

/* Begins. */
void noise_init(noise_t *n, const noise_config_t *config);

/* True when it is this end's turn to write. */
bool noise_writes(const noise_t *n);

/* Writes the next handshake message with its two bytes of length. What the identity's sign returned; RC_BUG: no room
 * or not our turn. */
NODISCARD rc_t noise_write(noise_t *n, wr_t *w);

/* Takes the next handshake message, without its length. Not RC_OK: NOISE_FAILED. RC_MALFORMED; RC_REFUSED: a tag, the
 * host key's signature, the peer or its key is wrong; RC_LIMIT; RC_UNSUPPORTED: host key, or no muxer in common. */
NODISCARD rc_t noise_read(noise_t *n, err_t *e, view_t body);

/* Seals up to NOISE_PLAIN_MAX bytes as a record with its length. RC_LIMIT: too long, or the connection has sent all it
 * may; RC_BUG: no room. */
NODISCARD rc_t noise_seal(noise_t *n, wr_t *w, view_t plain);

/* Opens a record's body to out, which has body.n - 16 bytes and may be where body is. Not RC_OK: NOISE_FAILED.
 * RC_MALFORMED: shorter than a tag; RC_REFUSED; RC_LIMIT. */
NODISCARD rc_t noise_open(noise_t *n, uint8_t *out, view_t body);

/* Wipes all keys. */
void noise_clear(noise_t *n);

#endif
