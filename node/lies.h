/* lies.h - the records of lies that are kept (rpc/upstream/lie.h): in memory, and with a state directory in its file
 * "lies", a JSON list in base/os/persist.h's envelope, which `kettle fault` reads.
 *
 * An endpoint is told from others by a digest of its URL under a key of the node (its file "lies-key", or of this run
 * without a state directory), so that records stay those of whom they are of when its place is given to another one,
 * and are found at its new place when it has moved.
 *
 * An endpoint has at most LIES_EACH_MAX, the newest ones; of one reason at one endpoint the first is kept. All have at
 * most LIES_MAX and LIES_BYTES_MAX; then the oldest goes.
 *
 * Floor:  5, node. Any thread; a thread of its own writes the file, since who finds a lie must not wait for a disk.
 * Tests:  tests/unit/test_lies.c
 */
#ifndef NODE_LIES_H
#define NODE_LIES_H

#include "base/arena.h"
#include "base/err.h"
#include "rpc/upstream/endpoints.h"
#include "rpc/upstream/lie.h"

#define LIES_MAX 32u
#define LIES_EACH_MAX 4u
#define LIES_BYTES_MAX ((size_t)2 << 20)
#define LIES_FILE "lies"
#define LIES_KEY_FILE "lies-key"
#define LIES_FILE_MAX (LIES_BYTES_MAX + 4096u) /* bytes of its payload */

typedef struct lies lies_t;

typedef struct {
    const char *state_dir; /* borrowed; NULL: memory only */
    const char *network;   /* name; borrowed */
    int64_t (*now_s)(void *ctx);
    void *ctx;
} lies_config_t;

/* Reads what an earlier run kept; a file that is damaged gives a line in the log. RC_NOMEM; RC_IO: no thread. */
NODISCARD rc_t lies_new(lies_t **out, err_t *e, const lies_config_t *config);

/* Writes what is not written yet, and frees. NULL is allowed. */
void lies_free(lies_t *l);

/* Takes the lies of these endpoints from now on (up_on_lie); borrowed. Once, before their first request. */
void lies_watch(lies_t *l, up_t *execution, up_t *consensus);

/* How many there are. */
size_t lies_count(lies_t *l);

/* Those of one endpoint, by its present place ("execution_rpc[0]"), or of all that are asked no more
 * ("execution_rpc[gone]"), and each says so; NULL: of all, each with its place of then. The oldest first: a JSON list
 * in the arena. RC_NOMEM. */
NODISCARD rc_t lies_list(lies_t *l, view_t *out, arena_t *a, const char *endpoint);

/* Takes the records of a file's payload apart: calls take with each one's text, until it answers other than RC_OK.
 * RC_MALFORMED: it is no list of records; RC_LIMIT; RC_NOMEM; or what take answered. */
NODISCARD rc_t lies_read(err_t *e, view_t payload, rc_t (*take)(void *ctx, view_t record), void *ctx);

#endif
