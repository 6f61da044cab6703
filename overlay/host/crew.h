/* crew.h - threads for what takes long: jobs of join.h, and names that are resolved.
 *
 * Floor:  4, overlay/host.
 * Tests:  tests/unit/test_host.c
 */
#ifndef OVERLAY_HOST_CREW_H
#define OVERLAY_HOST_CREW_H

#include "overlay/join.h"
#include "overlay/net/loop.h"
#include "overlay/wire/multiaddr.h"

typedef struct crew crew_t;

#define CREW_NUMBERS_MAX 4u /* addresses behind one name */

/* Runs on the loop's thread. */
typedef void (*crew_named_fn)(void *ctx, size_t target, const maddr_t *numbers, size_t n);

/* Starts the threads: one that verifies, one that makes quotes, one that resolves. loop: borrowed until crew_stop.
 * RC_IO, RC_NOMEM. */
NODISCARD rc_t crew_start(crew_t **out, err_t *e, loop_t *loop, crew_named_fn named, void *ctx);

/* Hands a job over. */
void crew_post(crew_t *c, join_job_t *job);

/* Asks for the numbers behind a name. False: too many are asked for, and nobody will be told. */
bool crew_resolve(crew_t *c, size_t target, const maddr_t *name);

/* Ends the threads, before the loop is freed; then, after it, drops what is left. NULL allowed. */
void crew_stop(crew_t *c);
void crew_free(crew_t *c);

#endif
