/* dhcp.h - the four messages by which a machine gets an address, as bytes.
 *
 * What a server says is hostile until proven otherwise, and nothing of it is ever proven: it decides only where packets go. So what
 * is read is little (address, mask, router, name servers, MTU, lease), and each value has a range.
 *
 * Spec:   RFC 2131, RFC 2132
 * Floor:  beside the floors: the image's init. May include base/bytes.h. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_dhcp.c, tests/fuzz/fuzz_dhcp.c
 */
#ifndef IMAGE_DHCP_H
#define IMAGE_DHCP_H

#include "base/bytes.h"

#define DHCP_SENT_LEN 300u       /* bytes of what is sent: the least that old servers take */
#define DHCP_RECEIVED_MAX 1472u  /* bytes of what is read: a frame's; a longer answer is none */
#define DHCP_NAME_SERVERS_MAX 3u /* what a resolver takes */
#define DHCP_LEASE_MIN_S 60u
#define DHCP_LEASE_MAX_S 86400u
#define DHCP_MTU_MIN 1280u /* what QUIC and IPv6 need */
#define DHCP_MTU_MAX 9000u

typedef enum { DHCP_DISCOVER = 1, DHCP_OFFER = 2, DHCP_REQUEST = 3, DHCP_ACK = 5, DHCP_NAK = 6 } dhcp_type_t;

/* Addresses as numbers: 10.0.2.15 is 0x0a00020f. 0: the server did not say. */
typedef struct {
    dhcp_type_t type; /* DHCP_OFFER, DHCP_ACK or DHCP_NAK */
    uint32_t address, server;
    uint32_t mask; /* ones, then zeros; never 0 in an offer or acknowledgement */
    uint32_t router;
    uint32_t name_servers[DHCP_NAME_SERVERS_MAX];
    size_t name_server_count;
    uint32_t mtu;     /* 0, or within the range above */
    uint32_t lease_s; /* within the range above */
} dhcp_answer_t;

/* Writes a message to all servers.
 *   type    DHCP_DISCOVER or DHCP_REQUEST
 *   wanted  NULL with DHCP_DISCOVER; else the offer that is taken (address and server) */
void dhcp_write(uint8_t out[DHCP_SENT_LEN], dhcp_type_t type, uint32_t transaction, const uint8_t mac[6],
                const dhcp_answer_t *wanted);

/* Reads an answer to transaction and mac.
 *   out  written only when true
 * false: no answer to this question, cut short, an option of a wrong length, an address that no machine can have, a type
 * that is not answered with. Unknown options are passed over. */
bool dhcp_read(dhcp_answer_t *out, view_t packet, uint32_t transaction, const uint8_t mac[6]);

#endif
