#include "rpc/upstream/heard.h"

#include <stdio.h>
#include <string.h>

#include "rpc/upstream/secrets.h"

void heard_of(char out[HEARD_MAX + 1], const hc_response_t *r, const char *url)
{
    size_t n = r->moved[0] ? (size_t)snprintf(out, HEARD_MAX + 1, "moved to %s ", r->moved) : 0;
    n = n < HEARD_MAX ? n : HEARD_MAX;
    const bool words = strcmp(r->content_type, "application/octet-stream") != 0;
    for (size_t i = 0; words && i < r->body_len && n < HEARD_MAX; i++)
        if (r->body[i] >= 0x20 && r->body[i] < 0x7f)
            out[n++] = (char)r->body[i];
    out[n] = 0;
    if (url)
        secrets_hide(out, url);
}
