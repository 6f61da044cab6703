/* An answer is read within its bounds, and its records lie inside of it. */
#include <stdlib.h>

#include "overlay/gossip.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
    static view_t found[GOSSIP_RECORDS_MAX];
    size_t n = 0;
    if (gossip_read(found, &n, view_of(in, len)))
        return 0;
    if (n > GOSSIP_RECORDS_MAX)
        abort();
    for (size_t i = 0; i < n; i++)
        if (found[i].n > ENVELOPE_MAX || (found[i].n && (found[i].p < in || found[i].p + found[i].n > in + len)))
            abort();
    return 0;
}
