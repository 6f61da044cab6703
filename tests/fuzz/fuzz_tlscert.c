/* A certificate that passes says whose it is, passes for that peer and no other, and not without its last byte. */
#include <stdlib.h>

#include "overlay/wire/tlscert.h"
#include "tests/fuzz/fuzz.h"

#define NOW 1795000000 /* inside the time of the corpus's certificates */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const view_t cert = view_of(data, len);
    tlscert_t c, again;
    err_t e = { 0 };
    if (tlscert_verify(&c, &e, cert, NOW, NULL)) {
        if (!e.text[0])
            abort();
        return 0;
    }
    peerid_t id, other = c.id;
    other.b[other.n - 1] ^= 1;
    peerid_of(&id, &c.key);
    if (!peerid_eq(&id, &c.id) || tlscert_verify(&again, &e, cert, NOW, &id) ||
        !tlscert_verify(&again, &e, cert, NOW, &other) ||
        !tlscert_verify(&again, &e, view_of(data, len - 1), NOW, NULL))
        abort();
    return 0;
}
