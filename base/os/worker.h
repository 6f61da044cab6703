/* worker.h - a thread that has a turn now and then: it works, sleeps until its next turn, is woken early or stopped.
 *
 *     static void keep_fresh(worker_t *w, void *ctx)
 *     {
 *         do
 *             refresh(ctx);
 *         while (worker_sleep_until(w, next_turn_ms(ctx)));
 *     }
 *
 * All times are on the monotonic clock. All functions but worker_stop may be called on any thread, the worker's own
 * included.
 *
 * Floor:  1, base/os.
 * Tests:  tests/unit/test_worker.c
 */
#ifndef BASE_OS_WORKER_H
#define BASE_OS_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

typedef struct worker worker_t;

/* Runs on the worker's thread; has to return soon after worker_stopping became true. */
typedef void (*worker_fn)(worker_t *w, void *ctx);

/* Starts a thread.
 *   out   written before fn runs, and only on RC_OK; end it with worker_stop
 *   name  of the thread, as debuggers show it; cut after 15 characters
 * RC_NOMEM; RC_IO: the system has no thread left. */
NODISCARD rc_t worker_start(worker_t **out, err_t *e, const char *name, worker_fn fn, void *ctx);

/* True once somebody wants it to end: what takes long looks now and then. */
bool worker_stopping(worker_t *w);

/* Sleeps until a time (UINT64_MAX: without end), until woken, or until it has to end. Woken while it did not sleep, it
 * does not sleep the next time. False: it has to end. */
bool worker_sleep_until(worker_t *w, uint64_t monotonic_ms);

/* Its turn is now. NULL allowed. */
void worker_wake(worker_t *w);

/* Tells it to end without waiting: before several are stopped. NULL allowed. */
void worker_ask_to_stop(worker_t *w);

/* Tells it to end, waits until it has, and frees it. Not on its own thread. NULL allowed. */
void worker_stop(worker_t *w);

#endif
