/* The grammar of Prometheus' text format 0.0.4, as far as this program writes it, and what `promtool check metrics`
 * asks for besides: HELP and TYPE first, no family and no series twice, counters end in _total, buckets add up. */
#ifndef TESTS_METRICS_CHECK_H
#define TESTS_METRICS_CHECK_H

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAMILIES_MAX 256u
#define SERIES_MAX 8192u

typedef struct {
    char family[128], type[16];
    char families[FAMILIES_MAX][128];
    size_t family_count;
    char *series[SERIES_MAX];
    size_t series_count;
    double bucket; /* the last one, of the present series */
    bool infinite;
    char why[256];
} metrics_check_t;

static inline size_t metrics_name_len(const char *p)
{
    const size_t first = strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_:");
    return first ? strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_:0123456789") : 0;
}

static inline bool metrics_bad(metrics_check_t *c, const char *what, const char *line)
{
    snprintf(c->why, sizeof c->why, "%s: %.200s", what, line);
    return false;
}

/* "# HELP name text" and, after it, "# TYPE name type". */
static inline bool metrics_comment(metrics_check_t *c, const char *line)
{
    char name[128], type[16];
    int end = 0;
    if (sscanf(line, "# HELP %127[a-zA-Z0-9_:] %n", name, &end) == 1 && end && line[end]) {
        for (size_t i = 0; i < c->family_count; i++)
            if (!strcmp(c->families[i], name))
                return metrics_bad(c, "a family twice", line);
        if (c->family_count == FAMILIES_MAX)
            return metrics_bad(c, "too many families", line);
        snprintf(c->families[c->family_count++], sizeof c->families[0], "%s", name);
        snprintf(c->family, sizeof c->family, "%s", name);
        c->type[0] = 0;
        return true;
    }
    if (sscanf(line, "# TYPE %127[a-zA-Z0-9_:] %15s%n", name, type, &end) != 2 || line[end])
        return metrics_bad(c, "neither HELP nor TYPE", line);
    if (strcmp(name, c->family) != 0 || c->type[0])
        return metrics_bad(c, "TYPE without its HELP", line);
    if (strcmp(type, "counter") != 0 && strcmp(type, "gauge") != 0 && strcmp(type, "histogram") != 0)
        return metrics_bad(c, "unknown type", line);
    const size_t n = strlen(name);
    if (!strcmp(type, "counter") != (n > 6 && !strcmp(name + n - 6, "_total")))
        return metrics_bad(c, "_total is of counters", line);
    snprintf(c->type, sizeof c->type, "%s", type);
    return true;
}

/* The end of {labels} at p, or NULL. *le: its value, if that is there. */
static inline const char *metrics_labels(const char *p, char le[32])
{
    for (const char *before = "{"; *p == *before; before = ",") {
        const size_t n = metrics_name_len(++p);
        const bool is_le = n == 2 && !strncmp(p, "le", 2);
        p += n;
        if (!n || strncmp(p, "=\"", 2) != 0)
            return NULL;
        const char *value = p += 2;
        for (; *p && *p != '"'; p++)
            if (*p == '\\' && !strchr("\\\"n", *++p))
                return NULL;
        if (!*p)
            return NULL;
        if (is_le)
            snprintf(le, 32, "%.*s", (int)(p - value), value);
        p++;
    }
    return *p == '}' ? p + 1 : NULL;
}

/* Buckets come in order, each at least as large as the one before, then _sum, then _count, equal to the last one. */
static inline bool metrics_histogram(metrics_check_t *c, const char *suffix, const char *le, double value)
{
    if (!strcmp(suffix, "_bucket") && *le) {
        const bool ok = c->infinite || c->bucket < 0 || value >= c->bucket;
        c->infinite = !strcmp(le, "+Inf");
        c->bucket = value;
        return ok;
    }
    if (!strcmp(suffix, "_sum"))
        return c->infinite;
    const bool ok = !strcmp(suffix, "_count") && c->infinite && value == c->bucket;
    c->bucket = -1;
    c->infinite = false;
    return ok;
}

static inline bool metrics_sample(metrics_check_t *c, const char *line)
{
    const size_t n = metrics_name_len(line), f = strlen(c->family);
    char le[32] = "", suffix[16] = "", *end;
    if (n < f || strncmp(line, c->family, f) != 0 || n - f >= sizeof suffix || !c->type[0])
        return metrics_bad(c, "a sample of another family", line);
    memcpy(suffix, line + f, n - f);
    const char *p = line[n] == '{' ? metrics_labels(line + n, le) : line + n;
    if (!p || *p != ' ')
        return metrics_bad(c, "labels", line);
    for (size_t i = 0; i < c->series_count; i++)
        if (!strncmp(c->series[i], line, (size_t)(p - line)) && !c->series[i][p - line])
            return metrics_bad(c, "a series twice", line);
    if (c->series_count == SERIES_MAX)
        return metrics_bad(c, "too many series", line);
    c->series[c->series_count++] = strndup(line, (size_t)(p - line));
    const double value = strtod(p + 1, &end);
    if (end == p + 1 || *end)
        return metrics_bad(c, "value", line);
    if (strcmp(c->type, "histogram") != 0)
        return suffix[0] || (!strcmp(c->type, "counter") && value < 0) ? metrics_bad(c, "name or value", line) : true;
    return metrics_histogram(c, suffix, le, value) ? true : metrics_bad(c, "histogram", line);
}

/* Whether a text is right; why not in why. */
static inline bool metrics_are_right(char why[256], const char *text, size_t len)
{
    metrics_check_t *c = calloc(1, sizeof *c);
    char *copy = strndup(text, len);
    bool ok = len && text[len - 1] == '\n';
    ck_assert(c && copy);
    c->bucket = -1;
    snprintf(c->why, sizeof c->why, ok ? "" : "the last line has no end");
    char *rest = copy;
    for (char *line; ok && (line = strsep(&rest, "\n")) && (*line || rest);)
        ok = *line == '#' ? metrics_comment(c, line) : metrics_sample(c, line);
    snprintf(why, 256, "%s", c->why);
    for (size_t i = 0; i < c->series_count; i++)
        free(c->series[i]);
    free(c);
    free(copy);
    return ok;
}

#endif
