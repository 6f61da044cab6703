/* ask_wait.h - one query through the engine, waited for. */
#ifndef TESTS_ASK_WAIT_H
#define TESTS_ASK_WAIT_H

#include <pthread.h>

#include "node/query/ask.h"

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool done;
    unsigned times; /* done was called */
    rc_t rc;
    err_t e;
    query_t *query;
} ask_wait_t;

static inline void ask_wait_done(void *ctx, rc_t rc, const err_t *e, query_t *take_q)
{
    ask_wait_t *w = ctx;
    pthread_mutex_lock(&w->lock);
    w->done = true;
    w->times++;
    w->rc = rc;
    w->e = *e;
    w->query = take_q;
    pthread_cond_signal(&w->ended);
    pthread_mutex_unlock(&w->lock);
}

/* Starts a query; ask_wait_for has to follow. */
static inline void ask_wait_start(ask_wait_t *w, ask_t *a, query_t *take_q, const ask_limits_t *limits)
{
    *w = (ask_wait_t){ PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0, RC_OK, { 0 }, NULL };
    rc_t rc = ask_submit(a, take_q, limits, ask_wait_done, w);
    if (rc) {
        w->rc = rc;
        w->done = true;
    }
}

/* Waits for its end. The query is in w->query, for query_free. */
static inline rc_t ask_wait_for(ask_wait_t *w)
{
    pthread_mutex_lock(&w->lock);
    while (!w->done)
        pthread_cond_wait(&w->ended, &w->lock);
    pthread_mutex_unlock(&w->lock);
    return w->rc;
}

/* Runs a query to its end; on anything but RC_OK it is freed and *out is NULL. */
static inline rc_t ask_wait(query_t **out, err_t *e, ask_t *a, query_t *take_q)
{
    ask_wait_t w;
    ask_wait_start(&w, a, take_q, NULL);
    rc_t rc = ask_wait_for(&w);
    *e = w.e;
    *out = rc ? NULL : w.query;
    if (rc)
        query_free(w.query);
    return rc;
}

#endif
