/* multiaddr.h - addresses of peers, as text and as bytes: what this node can listen on or dial.
 *
 *     /ip4/192.0.2.1/udp/4001/quic-v1        /dns4/node.example/tcp/4001/p2p/16Uiu2HA...
 *     /ip6/2001:db8::1/tcp/4001              /ip4/192.0.2.1/tcp/4001/p2p/RELAY/p2p-circuit/p2p/TARGET
 *
 * That is: a host, tcp or udp with quic-v1, then maybe a peer id, then maybe a relay's circuit with the peer id behind
 * it. Others (websockets, WebRTC, bare UDP) are RC_UNSUPPORTED: nobody's fault.
 *
 * Spec:   multiformats/multiaddr, its table of protocols; libp2p/specs addressing, relay/circuit-v2
 * Floor:  4, overlay/wire. No heap, I/O, clock or thread. Names are not resolved here.
 * Tests:  tests/unit/test_multiaddr.c, tests/fuzz/fuzz_multiaddr.c
 */
#ifndef OVERLAY_WIRE_MULTIADDR_H
#define OVERLAY_WIRE_MULTIADDR_H

#include "base/err.h"
#include "overlay/wire/peerid.h"

#define MADDR_NAME_MAX 253u  /* characters of a DNS name */
#define MADDR_BYTES_MAX 384u /* bytes of an address */
#define MADDR_TEXT_MAX 448u  /* characters of one, without a NUL */

typedef enum { MADDR_IP4, MADDR_IP6, MADDR_DNS, MADDR_DNS4, MADDR_DNS6 } maddr_host_t;
typedef enum { MADDR_TCP, MADDR_QUIC } maddr_transport_t;

typedef struct {
    maddr_host_t host;
    uint8_t ip[16];                /* network order; 4 bytes of it for MADDR_IP4 */
    char name[MADDR_NAME_MAX + 1]; /* of the DNS ones */
    maddr_transport_t transport;
    uint16_t port;
    peerid_t peer; /* n 0: none; with a circuit, the relay's */
    bool circuit;
    peerid_t target; /* behind the circuit; n 0: none */
} maddr_t;

/* Reads text or bytes, to their end. out is written only on RC_OK.
 * RC_MALFORMED: no address, with what is wrong; RC_UNSUPPORTED: a protocol that this node does not speak; RC_LIMIT. */
NODISCARD rc_t maddr_read_text(maddr_t *out, err_t *e, view_t text);
NODISCARD rc_t maddr_read(maddr_t *out, view_t bytes);

/* Writes bytes, at most MADDR_BYTES_MAX, or text with a NUL. */
void maddr_write(wr_t *w, const maddr_t *m);
void maddr_text(char out[MADDR_TEXT_MAX + 1], const maddr_t *m);

/* The same address, peer ids included? */
bool maddr_eq(const maddr_t *a, const maddr_t *b);

/* An address on the public Internet; names count as public. False for loopback, link-local, private and unspecified
 * ones: never told to peers that are on the other side. */
bool maddr_is_public(const maddr_t *m);

#endif
