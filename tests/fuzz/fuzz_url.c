/* URLs of an operator: what is accepted has an origin of scheme, host and port, free of credentials, path and query. */
#include <stdlib.h>
#include <string.h>

#include "http/client.h"
#include "tests/fuzz/fuzz.h"

/* A server that leads there for ever is followed HC_REDIRECTS_MAX times at most, and what is posted by two statuses only. */
static void follow(const char *url, size_t len)
{
    for (long status = 300; status < 310; status++)
        for (int post = 0; post < 2; post++) {
            unsigned hops = 0;
            while (hc_url_follows(len % 2 ? url : "http://far.example/", url, status, post, hops))
                if (++hops > HC_REDIRECTS_MAX || (post && status < 307))
                    abort();
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char url[512], origin[700], small[16];
    const char *host;
    if (len >= sizeof url || memchr(data, 0, len))
        return 0;
    memcpy(url, data, len);
    url[len] = 0;
    hc_url_origin(origin, sizeof origin, url);
    hc_url_origin(small, sizeof small, url);
    if (strncmp(small, origin, sizeof small - 1) != 0)
        abort();
    if (hc_url_check(url) != RC_OK) {
        if (strcmp(origin, "invalid URL") != 0)
            abort();
        return 0;
    }
    if (strncmp(origin, "http://", 7) != 0 && strncmp(origin, "https://", 8) != 0)
        abort();
    host = strchr(origin, '/') + 2;
    if (strpbrk(host, "@/?#\r\n"))
        abort();
    if (hc_url_may_follow("https://far.example/", url) && strncmp(origin, "https://", 8) != 0)
        abort();
    follow(url, len);
    return 0;
}
