/* pool.h - threads for work that needs a CPU and waits for nothing. Clients take turns (http/share.h), and what turned
 * out to be heavy stands behind what is light: there is one thread more than cores, and one never does heavy work.
 *
 * Floor:  5, node/query. Any thread may push, a task's own included.
 * Tests:  tests/unit/test_pool.c
 */
#ifndef NODE_QUERY_POOL_H
#define NODE_QUERY_POOL_H

#include "base/err.h"
#include "http/clients.h"

typedef struct pool pool_t;

/* Something to do, inside whatever it is about; free to be pushed again once run was called. */
typedef struct pool_task {
    share_item_t item;
    hs_client_t *client; /* for whom; NULL: for the program itself. Borrowed until run is called */
    bool heavy;          /* it ran, and needs more than a slice of time */
    void (*run)(struct pool_task *t);
} pool_task_t;

/* Starts threads, at least two; 0: one more than the machine has cores. RC_NOMEM; RC_IO: the system has no thread
 * left. */
NODISCARD rc_t pool_new(pool_t **out, err_t *e, unsigned threads);

/* Queues a task, which is borrowed until its run is called. Cannot fail. */
void pool_push(pool_t *p, pool_task_t *t);

/* Tasks that wait and that run now. */
typedef struct {
    unsigned light_waiting, light_running, heavy_waiting, heavy_running, threads;
} pool_counts_t;
void pool_counts(pool_t *p, pool_counts_t *out);

/* Runs all that is queued, ends the threads and frees. NULL is allowed. */
void pool_free(pool_t *p);

#endif
