/* record.h - signed envelopes, and the peer record inside one: addresses that only the peer itself can announce.
 *
 * Spec:   libp2p/specs RFC/0002-signed-envelopes.md, RFC/0003-routing-records.md; overlay-facts section 7
 * Floor:  4, overlay/wire. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_record.c, tests/fuzz/fuzz_record.c
 */
#ifndef OVERLAY_WIRE_RECORD_H
#define OVERLAY_WIRE_RECORD_H

#include "overlay/wire/hostkey.h"
#include "overlay/wire/multiaddr.h"

#define ENVELOPE_MAX 4096u /* bytes */
#define RECORD_ADDRS_MAX 16u

/* An envelope whose signature holds; views point into the input. */
typedef struct {
    hostkey_t key;
    view_t payload;
} envelope_t;

/* Opens an envelope of this domain and payload type. out written only on RC_OK.
 * RC_MALFORMED; RC_LIMIT; RC_UNSUPPORTED: host key; RC_REFUSED: another type, or the signature does not hold. */
NODISCARD rc_t envelope_open(envelope_t *out, view_t bytes, const char *domain, view_t type);

/* Writes an envelope, signed by who. What its sign returned; RC_LIMIT: no room, or more than ENVELOPE_MAX. */
NODISCARD rc_t envelope_write(wr_t *w, const identity_t *who, const char *domain, view_t type, view_t payload);

typedef struct {
    peerid_t id;
    uint64_t seq; /* a higher one replaces a lower one */
    maddr_t addrs[RECORD_ADDRS_MAX];
    size_t addr_count; /* those that this node understands */
} record_t;

/* Opens an envelope with a peer record, of any peer: its key is the record's id. out written only on RC_OK. As
 * envelope_open; RC_REFUSED also when it speaks for another peer; RC_LIMIT: more addresses than RECORD_ADDRS_MAX. */
NODISCARD rc_t record_open(record_t *out, view_t bytes);

/* Writes our record; the id is of who's key, and r's is not looked at. */
NODISCARD rc_t record_write(wr_t *w, const identity_t *who, const record_t *r);

#endif
