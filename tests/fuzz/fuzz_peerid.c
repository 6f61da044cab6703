/* Ids and keys have one form each: what is read from text or bytes and written again is the same; a CID gives the id that its
 * base58 form gives. */
#include <stdlib.h>

#include "overlay/wire/peerid.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const view_t in = view_of(data, len);
    char text[PEERID_TEXT_MAX + 1];
    uint8_t pb[HOSTKEY_PB_MAX];
    peerid_t id, again;
    hostkey_t k;
    if (!peerid_read(&id, in)) {
        if (!view_eq(peerid_view(&id), in))
            abort();
        peerid_text(text, &id);
        if (peerid_read_text(&again, view_str(text)) || !peerid_eq(&id, &again))
            abort();
    }
    if (!peerid_read_text(&id, in)) {
        peerid_text(text, &id);
        if (data[0] != 'b' && !view_eq(view_str(text), in))
            abort();
        if (peerid_read_text(&again, view_str(text)) || !peerid_eq(&id, &again))
            abort();
    }
    if (!hostkey_read(&k, in)) {
        wr_t w = wr_of(pb, sizeof pb);
        hostkey_write(&w, &k);
        if (!view_eq(wr_view(&w), in))
            abort();
        peerid_of(&id, &k);
        if (!id.n || !hostkey_verify(&k, in, in)) /* nothing signs itself */
            abort();
    }
    return 0;
}
