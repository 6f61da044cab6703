#include "base/os/lograte.h"

#include <stdio.h>
#include <string.h>

static bool is_over(const lograte_t *r, size_t i, uint64_t now_ms)
{
    return now_ms - r->rows[i].since_ms >= LOGRATE_TIME_MS;
}

/* The row of a beginning; LOGRATE_ROWS: it has none. */
static size_t find(const lograte_t *r, const char *event, const char *first)
{
    size_t i = 0;
    while (i < LOGRATE_ROWS && (strcmp(r->rows[i].event, event) != 0 || strcmp(r->rows[i].first, first) != 0))
        i++;
    return i;
}

/* The row to use for another beginning: an empty one, else the oldest that owes no summary; LOGRATE_ROWS: none. */
static size_t spare(const lograte_t *r)
{
    size_t oldest = LOGRATE_ROWS;
    for (size_t i = 0; i < LOGRATE_ROWS; i++) {
        if (!r->rows[i].lines)
            return i;
        if (!r->rows[i].left_out && (oldest == LOGRATE_ROWS || r->rows[i].since_ms < r->rows[oldest].since_ms))
            oldest = i;
    }
    return oldest;
}

bool lograte_pass(lograte_t *r, const char *event, const char *message, uint64_t now_ms)
{
    char name[sizeof r->rows[0].event], first[sizeof r->rows[0].first];
    snprintf(name, sizeof name, "%s", event);
    snprintf(first, sizeof first, "%.*s", (int)strcspn(message, " "), message);
    size_t i = find(r, name, first);
    if (i == LOGRATE_ROWS) {
        i = spare(r);
        if (i == LOGRATE_ROWS)
            return true;
        memcpy(r->rows[i].event, name, sizeof name);
        memcpy(r->rows[i].first, first, sizeof first);
        r->rows[i].lines = 0;
    }
    if (!r->rows[i].lines || (is_over(r, i, now_ms) && !r->rows[i].left_out)) {
        r->rows[i].since_ms = now_ms;
        r->rows[i].lines = 0;
    }
    if (r->rows[i].lines >= LOGRATE_LINES) {
        r->rows[i].left_out++;
        return false;
    }
    r->rows[i].lines++;
    return true;
}

bool lograte_summary(lograte_t *r, const char **event, char text[LOGRATE_SUMMARY_MAX], uint64_t now_ms)
{
    for (size_t i = 0; i < LOGRATE_ROWS; i++) {
        if (!r->rows[i].left_out || !is_over(r, i, now_ms))
            continue;
        snprintf(text, LOGRATE_SUMMARY_MAX, "%u more lines that begin with \"%s\" were left out", r->rows[i].left_out,
                 r->rows[i].first);
        *event = r->rows[i].event;
        r->rows[i].left_out = r->rows[i].lines = 0;
        return true;
    }
    return false;
}
