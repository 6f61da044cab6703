/* What comes from outside about WireGuard: answers of its socket and of the kernel, and messages of peers. What is read is
 * written again as it was, and what is refused was not taken. */
#include <stdlib.h>

#include "node/p2p/wg_netlink.h"
#include "node/p2p/wg_uapi.h"
#include "node/p2p/wg_wire.h"
#include "tests/fuzz/fuzz.h"

static void check_message(view_t in)
{
    uint8_t bytes[WG_MESSAGE_MAX];
    wg_message_t m, again;
    if (wg_message_read(&m, NULL, in))
        return;
    wr_t w = wr_of(bytes, sizeof bytes);
    wg_message_write(&w, &m);
    if (w.bad || !m.port || !m.index || m.index > WG_PEERS_MAX || wg_message_read(&again, NULL, wr_view(&w)) ||
        again.port != m.port || again.index != m.index || again.block_number != m.block_number ||
        memcmp(again.pubkey, m.pubkey, sizeof m.pubkey) != 0)
        abort();
}

static void check_kernel(view_t in)
{
    wg_overlap_t o = { .is_found = false };
    bool done;
    uint16_t family = 0;
    bool is_there[256] = { false };
    err_t e;
    (void)!wg_nl_own(is_there, &done, NULL, in, 1, 3);
    if (wg_nl_overlap(&o, &done, NULL, in, 1, 7) == RC_OK && o.is_found &&
        (o.bits > 32 || o.interface == 7 || (!o.is_address && !o.bits)))
        abort();
    if (wg_nl_family_read(&family, NULL, in, 1) == RC_OK && family < 16)
        abort();
    if (wg_nl_ack(&e, in, 1) == RC_REFUSED && !e.code)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const view_t in = view_of(data + (len ? 1 : 0), len ? len - 1 : 0);
    err_t e;
    switch (len ? data[0] % 3 : 0) {
    case 0:
        if (wg_uapi_answer(&e, in) == RC_REFUSED && !e.code)
            abort();
        break;
    case 1: check_kernel(in); break;
    default: check_message(in);
    }
    return 0;
}
