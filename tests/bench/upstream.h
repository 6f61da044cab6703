/* upstream.h - an execution RPC in this process whose answers come late, for benches of calls. One at a time. */
#ifndef TESTS_BENCH_UPSTREAM_H
#define TESTS_BENCH_UPSTREAM_H

#include <stdatomic.h>

#include "base/json.h"

#define BENCH_URL_MAX 64u

/* Writes the answer to one element of a request, "result" or "error", into the object that is open. One at a time. */
typedef void bench_put_fn(jw_t *w, const jo_t *element);

extern struct bench_up {
    atomic_uint latency_ms;
    atomic_uint batches;  /* requests */
    atomic_uint rounds;   /* of them, those that came while none waited for its answer */
    atomic_ullong cpu_ns; /* spent on making answers */
} bench_up;

/* Starts it. False: it did not start, and is to be stopped all the same. */
bool bench_up_start(char url[BENCH_URL_MAX], bench_put_fn *put, unsigned latency_ms);

/* Stops it; answers that still wait are not given. */
void bench_up_stop(void);

#endif
