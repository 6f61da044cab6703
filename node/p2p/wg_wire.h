/* wg_wire.h - the bytes of /kettle/wg/1: what an attested peer says of its WireGuard interface, signed by the key that
 * has its member's token.
 *
 * What is signed covers EX of the connection and the static key of who says it, so that it is good on this connection,
 * from this end, and nowhere else.
 *
 * Spec:   sdk-facts 5: {1 public_key 32, 2 listen_port, 3 ip_index, 4 contract 20, 5 block number}; field 6 is ours:
 *         the wallet's signature (r, s, 27 or 28) over SHA-256 of `kettle-wg/1` padded to 16, EX 32, static key 33,
 *         contract 20, public key 32, port u16, index u8, block number u64, big-endian
 * Floor:  5, node/p2p. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_wg_wire.c, tests/fuzz/fuzz_wg.c
 */
#ifndef NODE_P2P_WG_WIRE_H
#define NODE_P2P_WG_WIRE_H

#include "base/crypto/ecdsa.h"
#include "base/err.h"
#include "node/p2p/wg_table.h"

#define WG_PROTOCOL "/kettle/wg/1"
#define WG_MESSAGE_MAX 256u

typedef struct {
    uint8_t pubkey[WG_KEY_LEN];
    uint16_t port; /* not 0 */
    uint8_t index; /* 1 to 254 */
    addr_t contract;
    uint64_t block_number; /* of the list by which it has the index */
    uint8_t signature[ECDSA_SIG65_LEN];
} wg_message_t;

/* Reads a message to its end. out is written only on RC_OK. RC_MALFORMED: a member is missing, doubled, out of range or
 * of another length; RC_LIMIT: too long. */
NODISCARD rc_t wg_message_read(wg_message_t *out, err_t *e, view_t message);

/* Writes it without its length: at most WG_MESSAGE_MAX bytes. */
void wg_message_write(wr_t *w, const wg_message_t *m);

/* What the wallet signs, of who says it with this static key on this connection. */
void wg_message_digest(hash32_t *out, const wg_message_t *m, const uint8_t channel[32], const uint8_t static_key[33]);

#endif
