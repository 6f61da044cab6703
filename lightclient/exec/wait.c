#include "lightclient/exec/wait.h"

#include <stdlib.h>

typedef struct {
    query_t query; /* first: a pointer to it is one to the whole */
    query_t *first;
    bool waits; /* the first is done */
    ex_wait_t wait;
} waiting_t;

static waiting_t *waiting_of(query_t *q)
{
    return (waiting_t *)(void *)q;
}

static rc_t wait_step(query_t *q, err_t *e)
{
    waiting_t *w = waiting_of(q);
    if (!w->waits) {
        query_limit(w->first, q->expired, q->expired_ctx);
        const rc_t rc = query_step(w->first, e);
        if (rc)
            return rc;
        w->waits = true;
    }
    return w->wait.look(w->wait.ctx, e);
}

static size_t wait_needs(const query_t *q, const need_t **out)
{
    const waiting_t *w = (const waiting_t *)(const void *)q;
    return w->waits ? 0 : query_needs(w->first, out);
}

static rc_t wait_give(query_t *q, err_t *e, size_t i, const answer_t *answer)
{
    return query_give(waiting_of(q)->first, e, i, answer);
}

static bool wait_expects(query_t *q, expected_t *out, size_t i)
{
    return query_expects(waiting_of(q)->first, out, i);
}

static void wait_hinted(const query_t *q, hinted_t *io)
{
    const waiting_t *w = (const waiting_t *)(const void *)q;
    query_hinted(w->first, io);
}

static void wait_free(query_t *q)
{
    waiting_t *w = waiting_of(q);
    query_free(w->first);
    w->wait.left(w->wait.ctx);
    free(w);
}

rc_t ex_wait_new(query_t **out, err_t *e, query_t *take_first, const ex_wait_t *wait)
{
    static const query_ops_t ops = { wait_step, wait_needs, wait_give, wait_free, wait_expects, wait_hinted };
    waiting_t *w = calloc(1, sizeof *w);
    if (!w) {
        query_free(take_first);
        wait->left(wait->ctx);
        return err_say(e, RC_NOMEM, "out of memory");
    }
    *w = (waiting_t){ .query.ops = &ops, .first = take_first, .wait = *wait };
    *out = &w->query;
    return RC_OK;
}
