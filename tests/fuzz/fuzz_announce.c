/* Announcements, and evidence, that read are written again as the same bytes. The first byte says which. */
#include <stdlib.h>

#include "overlay/announce.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    uint8_t again[ANNOUNCE_EVIDENCE_LEN];
    announce_signed_t a;
    announce_evidence_t x;
    err_t e;
    if (!len)
        return 0;
    const view_t in = view_of(data + 1, len - 1);
    wr_t w = wr_of(again, sizeof again);
    if (data[0] % 2 == 0) {
        if (announce_read(&a, &e, in))
            return 0;
        announce_write(&w, &a);
        if (!announce_any(&a.said) && a.said.signed_slot)
            abort();
    } else {
        if (announce_evidence_read(&x, &e, in))
            return 0;
        announce_evidence_write(&w, &x);
    }
    if (w.bad || !view_eq(wr_view(&w), in))
        abort();
    return 0;
}
