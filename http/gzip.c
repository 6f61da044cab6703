#include "http/gzip.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#define GZIP_WINDOW (15 + 16) /* 32 KiB, in the form of RFC 1952 */
#define GZIP_MEMORY 8         /* zlib's usual */

/* Whether the parameters of a coding say "not at all": a weight of 0. */
static bool is_refused(const char *p, const char *end)
{
    for (; p < end; p++)
        if ((*p == 'q' || *p == 'Q') && p + 1 < end && p[1] == '=') {
            for (p += 2; p < end && (*p == '0' || *p == '.'); p++)
                continue;
            return p >= end || *p < '1' || *p > '9';
        }
    return false;
}

bool gzip_accepted(const char *accept_encoding)
{
    const char *p = accept_encoding ? accept_encoding : "";
    while (*p) {
        p += strspn(p, " \t,");
        const char *const end = p + strcspn(p, ",");
        const size_t n = strcspn(p, " \t;,");
        if ((n == 4 && !strncasecmp(p, "gzip", 4)) || (n == 1 && *p == '*'))
            return !is_refused(p + n, end);
        p = end;
    }
    return false;
}

void gzip_response(hs_response_t *r)
{
    z_stream z = { .next_in = r->body, .avail_in = (uInt)r->body_len };
    if (r->shared || r->gzip || r->body_len < HS_GZIP_MIN || r->body_len > UINT32_MAX)
        return;
    if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
        return;
    const size_t cap = r->body_len - r->body_len / 16; /* less is no gain */
    uint8_t *out = malloc(cap);
    z.next_out = out;
    z.avail_out = (uInt)cap;
    if (out && deflate(&z, Z_FINISH) == Z_STREAM_END) {
        free(r->body);
        r->body = out;
        r->body_len = cap - z.avail_out;
        r->gzip = true;
    } else
        free(out);
    (void)deflateEnd(&z);
}
