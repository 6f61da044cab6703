/* Fuzz target: what proxies say. A header that is whole has a length within the input, and is not whole when cut by a
 * byte; the rest is only not to crash. */
#include <stdlib.h>

#include "http/proxy.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct sockaddr_in6 from;
    proxies_t proxies = { .count = 0 };
    bool known;
    size_t n = 0, again = 0;
    if (proxy_header(&from, &known, &n, view_of(data, len)) == RC_OK &&
        (n > len || n > PROXY_HEADER_MAX || proxy_header(&from, &known, &again, view_of(data, n - 1)) != RC_NEED_DATA))
        abort();
    (void)!proxies_add(&proxies, view_of(data, len));
    forwarded_t f = { .proxies = &proxies };
    forwarded_field(&f, view_str("X-Forwarded-For"), view_of(data, len));
    f.standard = true;
    forwarded_field(&f, view_str("Forwarded"), view_of(data, len));
    return 0;
}
