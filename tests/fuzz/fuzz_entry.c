/* Entries, acknowledgements and proofs that read are written again as the same bytes. The first byte says which. */
#include <stdlib.h>

#include "overlay/entry.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t again[ENTRY_PROOF_MAX];
    static entry_proof_t p;
    entry_ack_t ack;
    err_t e;
    if (!len)
        return 0;
    const view_t in = view_of(data + 1, len - 1);
    wr_t w = wr_of(again, sizeof again);
    switch (data[0] % 3) {
    case 0:
        if (entry_read(&p.entry, &e, in))
            return 0;
        entry_write(&w, &p.entry);
        break;
    case 1:
        if (entry_ack_read(&ack, &e, in))
            return 0;
        entry_ack_write(&w, &ack);
        break;
    default:
        if (entry_proof_read(&p, &e, in))
            return 0;
        entry_proof_write(&w, &p);
        break;
    }
    if (w.bad || !view_eq(wr_view(&w), in))
        abort();
    return 0;
}
