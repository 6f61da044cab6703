/* jobs.h - threads for what takes long: jobs of join.h, and names that are resolved.
 *
 * Floor:  4, overlay/host.
 * Tests:  tests/unit/test_host.c
 */
#ifndef OVERLAY_HOST_JOBS_H
#define OVERLAY_HOST_JOBS_H

#include "overlay/join.h"
#include "overlay/net/loop.h"
#include "overlay/wire/multiaddr.h"

typedef struct jobs jobs_t;

#define JOBS_NUMBERS_MAX 4u /* addresses behind one name */

/* Runs on the loop's thread. */
typedef void (*jobs_named_fn)(void *ctx, size_t target, const maddr_t *numbers, size_t n);

/* Starts the threads: one that verifies, one that makes quotes, one that resolves. loop: borrowed until jobs_stop.
 * RC_IO, RC_NOMEM. */
NODISCARD rc_t jobs_start(jobs_t **out, err_t *e, loop_t *loop, jobs_named_fn named, void *ctx);

/* Hands a job over. */
void jobs_post(jobs_t *j, join_job_t *job);

/* Asks for the numbers behind a name. False: too many are asked for, and nobody will be told. */
bool jobs_resolve(jobs_t *j, size_t target, const maddr_t *name);

/* Ends the threads, before the loop is freed; then, after it, drops what is left. NULL allowed. */
void jobs_stop(jobs_t *j);
void jobs_free(jobs_t *j);

#endif
