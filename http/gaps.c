#include "http/gaps.h"

#include <microhttpd.h>
#include <string.h>

#define SHOWS_ALL (MHD_VERSION >= 0x00097701) /* it refuses by itself */

/* A text has ended, and its line with it: the next one begins behind a return and a line feed. */
static void end_line(gaps_t *g, const char *text, size_t len)
{
    g->found |= text[len + 1] != '\0';
    g->next = text + len + 2;
}

void gaps_line(gaps_t *g, const char *target, size_t len, const char *version)
{
    *g = (gaps_t){ .found = !SHOWS_ALL && version != target + len + 1 };
    if (!SHOWS_ALL && !g->found)
        end_line(g, version, strlen(version));
}

void gaps_field(gaps_t *g, const char *name, const char *value, size_t value_len)
{
    if (SHOWS_ALL || g->found)
        return;
    g->found = !value || name != g->next;
    if (!g->found)
        end_line(g, value, value_len);
}

bool gaps_found(const gaps_t *g)
{
    return g->found || (g->next && *g->next); /* there is the empty line */
}
