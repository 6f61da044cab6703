/* identify.h - what peers tell each other about themselves, on a stream of its own at the beginning of a connection.
 *
 * Spec:   libp2p/specs identify/README.md; overlay-facts section 7
 * Floor:  4, overlay/wire. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_identify.c, tests/fuzz/fuzz_identify.c
 */
#ifndef OVERLAY_WIRE_IDENTIFY_H
#define OVERLAY_WIRE_IDENTIFY_H

#include "base/err.h"
#include "overlay/wire/hostkey.h"
#include "overlay/wire/multiaddr.h"

#define IDENTIFY_NAME "/ipfs/id/1.0.0"
#define IDENTIFY_PUSH_NAME "/ipfs/id/push/1.0.0"
#define IDENTIFY_MAX 8192u /* bytes of a message */
#define IDENTIFY_PROTOCOLS_MAX 64u
#define IDENTIFY_ADDRS_MAX 16u
#define IDENTIFY_TEXT_MAX 256u    /* bytes of a version or a protocol's name */
#define IDENTIFY_RECORD_MAX 4096u /* bytes of a signed peer record */

/* One message. Views are borrowed: the reader's point into the input. What is absent has n 0. */
typedef struct {
    hostkey_t key;
    bool has_key; /* an update may leave it out */
    view_t protocol_version, agent_version;
    view_t protocols[IDENTIFY_PROTOCOLS_MAX];
    size_t protocol_count;
    view_t addrs[IDENTIFY_ADDRS_MAX]; /* multiaddrs as bytes, of which not all need be ours to understand */
    size_t addr_count;
    view_t observed;      /* the address under which its sender sees the receiver */
    view_t signed_record; /* envelope of overlay/wire/record.h */
} identify_t;

/* Reads a message, without its length, of the peer whose connection has this host key.
 *   out  written only on RC_OK
 * RC_MALFORMED; RC_LIMIT: more of something than its maximum; RC_REFUSED: the key is not the connection's. */
NODISCARD rc_t identify_read(identify_t *out, err_t *e, view_t message, const hostkey_t *of);

/* Writes a message with its length. w turns bad when it does not fit. */
void identify_write(wr_t *w, const identify_t *m);

#endif
