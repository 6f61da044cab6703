/* A DHCP server's answer: what is taken has an address, a server and a mask of ones then zeros, and numbers within their ranges. */
#include <stdlib.h>

#include "meta-dstack-patch/image/dhcp.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const uint8_t mac[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };
    dhcp_answer_t a;
    if (!dhcp_read(&a, view_of(data, len), 0x12345678, mac) || a.type == DHCP_NAK)
        return 0;
    const uint32_t hosts = ~a.mask;
    if (len > DHCP_RECEIVED_MAX || !a.address || !a.server || !a.mask || hosts & (hosts + 1))
        abort();
    if (a.lease_s < DHCP_LEASE_MIN_S || a.lease_s > DHCP_LEASE_MAX_S || a.name_server_count > DHCP_NAME_SERVERS_MAX)
        abort();
    if (a.mtu && (a.mtu < DHCP_MTU_MIN || a.mtu > DHCP_MTU_MAX))
        abort();
    return 0;
}
