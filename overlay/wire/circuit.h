/* circuit.h - messages of circuit relay v2: a peer asks a relay for a place, another for a circuit to that peer.
 *
 *     hop: RESERVE                  -> STATUS with reservation and limit           of the peer that is to be reached
 *     hop: CONNECT to a peer        -> STATUS with limit, then the circuit         of the peer that reaches
 *     stop: CONNECT from a peer     -> STATUS, then the circuit                    of the relay, to who has a place
 *
 * A voucher is a signed envelope in which the relay says so; nobody has to believe it, since the ends of a circuit
 * prove themselves to each other.
 *
 * Spec:   libp2p/specs relay/circuit-v2.md; overlay-facts-more I
 * Floor:  4, overlay/wire. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_circuit.c, tests/fuzz/fuzz_circuit.c
 */
#ifndef OVERLAY_WIRE_CIRCUIT_H
#define OVERLAY_WIRE_CIRCUIT_H

#include "overlay/wire/hostkey.h"
#include "overlay/wire/multiaddr.h"
#include "overlay/wire/peerid.h"

#define CIRCUIT_HOP_NAME "/libp2p/circuit/relay/0.2.0/hop"
#define CIRCUIT_STOP_NAME "/libp2p/circuit/relay/0.2.0/stop"
#define CIRCUIT_MESSAGE_MAX 4096u /* bytes of a message, without its length */
#define CIRCUIT_ADDRS_MAX 16u     /* of a reservation */
#define CIRCUIT_VOUCHER_MAX 1024u /* bytes; ours have about 270 */

typedef enum { CIRCUIT_HOP, CIRCUIT_STOP } circuit_protocol_t;

/* RESERVE is of the hop protocol alone. */
typedef enum { CIRCUIT_RESERVE, CIRCUIT_CONNECT, CIRCUIT_STATUS } circuit_type_t;

enum {
    CIRCUIT_OK = 100,
    CIRCUIT_RESERVATION_REFUSED = 200,
    CIRCUIT_RESOURCE_LIMIT_EXCEEDED = 201,
    CIRCUIT_PERMISSION_DENIED = 202,
    CIRCUIT_CONNECTION_FAILED = 203,
    CIRCUIT_NO_RESERVATION = 204,
    CIRCUIT_MALFORMED_MESSAGE = 400,
    CIRCUIT_UNEXPECTED_MESSAGE = 401
};

/* What a relay gives of a circuit. */
typedef struct {
    bool is_set;         /* false: the relay names no limit */
    uint32_t duration_s; /* 0: no limit */
    uint64_t bytes;      /* each way; 0: no limit */
} circuit_limit_t;

/* One message. Views are borrowed: the reader's point into the input. */
typedef struct {
    circuit_type_t type;
    peerid_t peer; /* of CONNECT: the target, or at stop who asks for it; n 0: none */
    bool has_reservation;
    uint64_t expires_s;              /* of the reservation, Unix seconds */
    view_t addrs[CIRCUIT_ADDRS_MAX]; /* of the relay, as bytes, of which not all need be ours to understand */
    size_t addr_count;
    view_t voucher; /* n 0: none */
    circuit_limit_t limit;
    uint32_t status; /* 0: none */
} circuit_message_t;

/* Reads a message, without its length.
 *   out  written only on RC_OK
 * RC_MALFORMED: no message of this protocol, a type that it does not have, a peer without an id, STATUS without a
 * status; RC_LIMIT: longer than CIRCUIT_MESSAGE_MAX, or more addresses than CIRCUIT_ADDRS_MAX. */
NODISCARD rc_t circuit_read(circuit_message_t *out, circuit_protocol_t protocol, view_t message);

/* A message that comes in portions: what there is of it. Begins as zeros. */
typedef struct {
    uint8_t b[2 + CIRCUIT_MESSAGE_MAX];
    size_t n;
} circuit_in_t;

/* Takes bytes of a stream up to the end of its first message; used says how many, the rest is not the message's.
 *   out   written only on RC_OK; its views point into in
 *   used  written on RC_OK and RC_NEED_DATA
 * RC_NEED_DATA: all was used, and it is not there yet; else as circuit_read. */
NODISCARD rc_t circuit_take(circuit_in_t *in, circuit_message_t *out, size_t *used, circuit_protocol_t protocol,
                            view_t bytes);

/* Writes a message with its length. w turns bad when it does not fit, or is longer than CIRCUIT_MESSAGE_MAX. */
void circuit_write(wr_t *w, circuit_protocol_t protocol, const circuit_message_t *m);

/* Opens a voucher of this relay for this peer.
 *   expires_s  Unix seconds; written only on RC_OK
 * RC_MALFORMED, RC_LIMIT, RC_UNSUPPORTED as envelope_open; RC_REFUSED: it is signed by another than the relay, or its
 * signature does not hold, or it names another relay or peer. */
NODISCARD rc_t circuit_voucher_open(uint64_t *expires_s, view_t bytes, const peerid_t *relay, const peerid_t *peer);

/* Writes a voucher of ours for a peer. As envelope_write. */
NODISCARD rc_t circuit_voucher_write(wr_t *w, const identity_t *relay, const peerid_t *peer, uint64_t expires_s);

#endif
