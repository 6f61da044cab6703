/* metrics.h - the text of GET /metrics: families of samples as Prometheus reads them.
 *
 *     mx_t m = mx_of(METRICS_MAX);
 *     mx_family(&m, "kettle_upstream_lies_total", MX_COUNTER, "Answers that contradict what was asked.");
 *     mx_u64(&m, (mx_label_t[]){ { "endpoint", "execution_rpc[0]" } }, 1, 3);
 *     view_t text = mx_done(&m);
 *     ...
 *     mx_free(&m);
 *
 * Spec:   Prometheus, text-based exposition format, version 0.0.4
 * Floor:  3, rpc/api. No I/O, clock or thread.
 * Tests:  tests/unit/test_metrics.c
 */
#ifndef RPC_API_METRICS_H
#define RPC_API_METRICS_H

#include "base/bytes.h"
#include "base/tally.h"

#define MX_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define MX_LABELS_MAX 6u

typedef enum { MX_COUNTER, MX_GAUGE, MX_HISTOGRAM } mx_type_t;

typedef struct {
    const char *name;  /* [a-z_]+ */
    const char *value; /* any text; what the format needs escaped is */
} mx_label_t;

typedef struct {
    uint8_t *p;
    size_t n, cap, max;
    const char *name; /* of the present family */
    bool bad;         /* no memory, or longer than max */
} mx_t;

/* A text of at most max bytes. */
mx_t mx_of(size_t max);

/* Begins a family: all samples until the next one are of it. name and help are constant texts; help is one line. */
void mx_family(mx_t *m, const char *name, mx_type_t type, const char *help);

/* A sample: a whole number; milliseconds, written as seconds. At most MX_LABELS_MAX labels. */
void mx_u64(mx_t *m, const mx_label_t *labels, size_t count, uint64_t value);
void mx_seconds(mx_t *m, const mx_label_t *labels, size_t count, int64_t value_ms);

/* The samples of a histogram, in seconds. */
void mx_spread(mx_t *m, const mx_label_t *labels, size_t count, const spread_t *s);

/* The text, until mx_free; p NULL: there was no memory, or it is too long. */
view_t mx_done(const mx_t *m);
void mx_free(mx_t *m);

#endif
