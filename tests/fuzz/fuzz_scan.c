/* Answers from outside as the scanner reads them. Property: what it takes, the JSON tree takes, and as the same. */
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"
#include "tests/scan_same.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const need_t needs[] = { { .kind = NEED_PROOF, .slot_count = 2 },
                                    { .kind = NEED_CODE },
                                    { .kind = NEED_PROOF } };
    static const need_t blocks[] = { { .kind = NEED_RECEIPTS }, { .kind = NEED_RECEIPTS } };
    bool taken;
    for (size_t count = 1; count <= 2; count++)
        if (!scan_same(&taken, blocks, count, view_of(data, len)))
            abort();
    for (size_t count = 1; count <= 3; count++)
        if (!scan_same(&taken, needs, count, view_of(data, len)))
            abort();
    return 0;
}
