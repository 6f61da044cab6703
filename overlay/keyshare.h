/* keyshare.h - the bytes of /kettle/keyshare/1: a request for the cluster's key, and the share that answers it.
 *
 * The secrets of a share travel sealed to the requester's ephemeral key (base/crypto/keyring.h); here are the bytes
 * around them, and what the sealing covers: the info of its key, and as associated data all that is not the sealing's
 * own. Every status but KEYSHARE_OK stands alone.
 *
 * Spec:   overlay-facts-more J (/kettle/keyshare/1), E8, E9; field 9 is ours: the order that the entry's name names,
 *         which the receiver need not have any more
 * Floor:  4, overlay. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_keyshare.c, tests/fuzz/fuzz_keyshare.c
 */
#ifndef OVERLAY_KEYSHARE_H
#define OVERLAY_KEYSHARE_H

#include "overlay/entry.h"

#define KEYSHARE_PROTOCOL "/kettle/keyshare/1"
#define KEYSHARE_MAX (64u << 10) /* bytes of a message */
#define KEYSHARE_ID_LEN 16u
#define KEYSHARE_REQUEST_MAX 192u
#define KEYSHARE_INFO_LEN (17u + KEYSHARE_ID_LEN + 2u * X25519_LEN)

/* "Give me what is newer than what I have." */
typedef struct {
    uint8_t id[KEYSHARE_ID_LEN]; /* random, of this request */
    bool has_cluster;
    uint8_t cluster[33]; /* first public key of the cluster that is wanted; not there: any */
    bool has_name;
    uint64_t version; /* of the generation that the asker has, */
    uint32_t index;   /* and its place there */
    hash32_t order;   /* that the asker runs */
    uint8_t ephemeral[X25519_LEN];
} keyshare_request_t;

typedef enum {
    KEYSHARE_OK = 0,
    KEYSHARE_NOT_HOLDER = 1,
    KEYSHARE_ORDER_DIFFERS = 2,
    KEYSHARE_WRONG_CLUSTER = 3,
    KEYSHARE_EVIDENCE_EXPIRED = 5, /* judged at this moment, the asker's evidence does not do any more */
    KEYSHARE_BUSY = 6
} keyshare_status_t;

typedef struct {
    uint8_t id[KEYSHARE_ID_LEN]; /* of the request; of a draft the first bytes of G */
    keyshare_status_t status;
    /* the rest: of KEYSHARE_OK only */
    view_t entry; /* with both signatures, as entry_read takes it */
    uint8_t ephemeral[X25519_LEN];
    uint8_t sealed[KEY_SEALED_LEN];
    uint8_t ack_count;
    struct {
        uint8_t key[33], signature[64];
    } acks[ENTRY_MEMBERS_MAX];
    bool draft; /* not committed yet: unasked, from a named maker to a listed member */
    view_t
        bootstrap; /* entry of the cluster's first generation; n 0: it is the entry itself, or of a later one that the
                         sharer has lost it, and the order names the cluster */
    view_t order;  /* without text, as order_read takes it; n 0: the first generation has none */
} keyshare_t;

/* Words for a status: "OK", "NOT_HOLDER", ... */
const char *keyshare_status_name(keyshare_status_t status);

/* Reads a message to its end. What it has room for is copied, views point into it. out written only on RC_OK.
 * RC_MALFORMED: a member is missing, doubled, of another length, or not of this status; RC_LIMIT: too long. */
NODISCARD rc_t keyshare_request_read(keyshare_request_t *out, err_t *e, view_t message);
NODISCARD rc_t keyshare_read(keyshare_t *out, err_t *e, view_t message);

/* Writes a message without its length: at most KEYSHARE_REQUEST_MAX, KEYSHARE_MAX bytes. */
void keyshare_request_write(wr_t *w, const keyshare_request_t *m);
void keyshare_write(wr_t *w, const keyshare_t *m);

/* The committed generation that a share says it is, read and not judged. RC_MALFORMED. */
NODISCARD rc_t keyshare_proof(entry_proof_t *out, err_t *e, const keyshare_t *m);

/* What the sealing covers. info: tag, request id, both ephemeral keys; ad: fields 1, 3 and 6 to 9 as they are written,
 * at most KEYSHARE_MAX bytes. */
void keyshare_info(uint8_t out[KEYSHARE_INFO_LEN], const uint8_t id[KEYSHARE_ID_LEN],
                   const uint8_t requester[X25519_LEN], const uint8_t sharer[X25519_LEN]);
void keyshare_ad(wr_t *w, const keyshare_t *m);

#endif
