/* What reads as an attestation is written again and reads the same; the prototype's reader never crashes. */
#include <stdlib.h>

#include "rpc/api/attestation.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    arena_t a;
    attestation_t x, y;
    view_t body, quote;
    uint8_t key[33];
    err_t e = { .rc = RC_OK };
    arena_init(&a, 64u << 20);
    rc_t rc = attestation_read(&x, &e, &a, view_of(data, len));
    if (!rc) {
        if (attestation_write(&body, &a, &x) || attestation_read(&y, &e, &a, body))
            abort();
        if (!view_eq(x.quote, y.quote) || !view_eq(x.event_log, y.event_log) || memcmp(x.pubkey, y.pubkey, 33) != 0 ||
            x.has_nonce != y.has_nonce || !view_eq(x.collateral, y.collateral) ||
            !view_eq(x.cluster_statement, y.cluster_statement) || !view_eq(x.node_statement, y.node_statement))
            abort();
    } else if (e.rc != rc || !*e.text)
        abort();
    (void)!attestation_read_prototype(&quote, key, &e, &a, view_of(data, len));
    arena_free(&a);
    return 0;
}
