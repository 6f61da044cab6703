#include "rpc/api/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_CAP ((size_t)16 << 10)
#define LINE_MAX 640u /* bytes of a name with its labels, and of a value */

mx_t mx_of(size_t max)
{
    return (mx_t){ .max = max };
}

static void put(mx_t *m, const char *text, size_t n)
{
    if (m->bad || n > m->max - m->n) {
        m->bad = true;
        return;
    }
    if (n > m->cap - m->n) {
        size_t cap = m->cap ? 2 * m->cap : FIRST_CAP;
        while (cap - m->n < n)
            cap *= 2;
        uint8_t *grown = realloc(m->p, cap);
        m->bad = !grown;
        if (!grown)
            return;
        m->p = grown;
        m->cap = cap;
    }
    memcpy(m->p + m->n, text, n);
    m->n += n;
}

static void put_text(mx_t *m, const char *text)
{
    put(m, text, strlen(text));
}

void mx_family(mx_t *m, const char *name, mx_type_t type, const char *help)
{
    static const char *const types[] = { "counter", "gauge", "histogram" };
    char line[LINE_MAX];
    const int n = snprintf(line, sizeof line, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, types[type]);
    m->name = name;
    if (n < 0 || (size_t)n >= sizeof line)
        m->bad = true;
    else
        put(m, line, (size_t)n);
}

/* A value between its quotes. */
static void put_value(mx_t *m, const char *value)
{
    for (const char *p = value; *p; p++)
        if (*p == '\\' || *p == '"')
            put(m, (char[]){ '\\', *p }, 2);
        else if (*p == '\n')
            put(m, "\\n", 2);
        else
            put(m, p, 1);
}

/* A name with its labels, and le of a bucket (NULL: none). */
static void put_name(mx_t *m, const char *suffix, const mx_label_t *labels, size_t count, const char *le)
{
    put_text(m, m->name);
    put_text(m, suffix);
    for (size_t i = 0; i < count; i++) {
        put_text(m, i ? "," : "{");
        put_text(m, labels[i].name);
        put_text(m, "=\"");
        put_value(m, labels[i].value);
        put_text(m, "\"");
    }
    if (le) {
        put_text(m, count ? ",le=\"" : "{le=\"");
        put_text(m, le);
        put_text(m, "\"");
    }
    put_text(m, count || le ? "} " : " ");
}

static void put_number(mx_t *m, uint64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64 "\n", value);
    put_text(m, text);
}

/* Milliseconds as seconds, without a fraction's zeros. */
static void seconds_text(char out[32], int64_t ms)
{
    const uint64_t whole = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;
    int n = snprintf(out, 32, "%s%" PRIu64 ".%03" PRIu64, ms < 0 ? "-" : "", whole / 1000, whole % 1000);
    while (out[n - 1] == '0')
        out[--n] = 0;
    if (out[n - 1] == '.')
        out[n - 1] = 0;
}

void mx_u64(mx_t *m, const mx_label_t *labels, size_t count, uint64_t value)
{
    put_name(m, "", labels, count, NULL);
    put_number(m, value);
}

static void put_seconds(mx_t *m, int64_t ms)
{
    char text[32];
    seconds_text(text, ms);
    put_text(m, text);
    put_text(m, "\n");
}

void mx_seconds(mx_t *m, const mx_label_t *labels, size_t count, int64_t value_ms)
{
    put_name(m, "", labels, count, NULL);
    put_seconds(m, value_ms);
}

void mx_spread(mx_t *m, const mx_label_t *labels, size_t count, const spread_t *s)
{
    uint64_t sofar = 0;
    char le[32];
    for (size_t i = 0; i <= SPREAD_BOUNDS; i++) {
        sofar += tally_get(&s->in[i]);
        if (i < SPREAD_BOUNDS)
            seconds_text(le, SPREAD_BOUNDS_MS[i]);
        put_name(m, "_bucket", labels, count, i < SPREAD_BOUNDS ? le : "+Inf");
        put_number(m, sofar);
    }
    put_name(m, "_sum", labels, count, NULL);
    put_seconds(m, (int64_t)tally_get(&s->sum_ms));
    put_name(m, "_count", labels, count, NULL);
    put_number(m, sofar);
}

view_t mx_done(const mx_t *m)
{
    return m->bad ? view_of(NULL, 0) : view_of(m->p, m->n);
}

void mx_free(mx_t *m)
{
    free(m->p);
    *m = (mx_t){ .bad = true };
}
