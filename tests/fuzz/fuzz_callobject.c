/* Call objects from outside. Properties: one that is refused leaves the request as it was, and says why; one that is taken
 * says the same when read again. */
#include <stdlib.h>
#include <string.h>

#include "rpc/api/callobject.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const view_t body = view_of(data, len);
    arena_t a;
    err_t e = { .rc = RC_OK };
    ex_request_t q, again;
    arena_init(&a, 64u << 20);
    memset(&q, 0x5a, sizeof q);
    if (api_parse_call(&q, &e, &a, body)) {
        for (size_t i = 0; i < sizeof q; i++)
            if (((const uint8_t *)&q)[i] != 0x5a)
                abort();
        if (!e.rc || !*e.text)
            abort();
    } else if (api_parse_call(&again, NULL, &a, body) || !view_eq(q.data, again.data) ||
               q.access_count != again.access_count || q.gas != again.gas || !u256_eq(&q.value, &again.value))
        abort();
    arena_free(&a);
    return 0;
}
