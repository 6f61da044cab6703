#include "lightclient/exec/then.h"

#include <stdlib.h>

typedef struct {
    query_t query; /* first: a pointer to it is one to the row of queries */
    query_t *now;
    ex_then_fn next;
    void *ctx;
    unsigned made;
    bool done;
    hinted_t hinted; /* of those that are gone */
} ex_then_t;

static ex_then_t *then_of(query_t *q)
{
    return (ex_then_t *)(void *)q;
}

static const ex_then_t *const_then_of(const query_t *q)
{
    return (const ex_then_t *)(const void *)q;
}

static rc_t then_step(query_t *q, err_t *e)
{
    ex_then_t *t = then_of(q);
    while (!t->done) {
        query_t *next = NULL;
        query_limit(t->now, q->expired, q->expired_ctx);
        rc_t rc = query_step(t->now, e);
        if (!rc)
            rc = t->next(t->ctx, &next, e, t->now);
        if (rc)
            return rc;
        t->done = !next;
        if (!next)
            return RC_OK;
        query_hinted(t->now, &t->hinted);
        query_free(t->now);
        t->now = next;
        if (++t->made > EX_THEN_MAX)
            return err_set(e, RC_LIMIT, "more than %u queries in a row", EX_THEN_MAX);
    }
    return RC_OK;
}

static size_t then_needs(const query_t *q, const need_t **out)
{
    return query_needs(const_then_of(q)->now, out);
}

static rc_t then_give(query_t *q, err_t *e, size_t i, const answer_t *answer)
{
    return query_give(then_of(q)->now, e, i, answer);
}

static bool then_expects(query_t *q, expected_t *out, size_t i)
{
    return query_expects(then_of(q)->now, out, i);
}

static void then_hinted(const query_t *q, hinted_t *io)
{
    const ex_then_t *t = const_then_of(q);
    io->named += t->hinted.named;
    io->read += t->hinted.read;
    query_hinted(t->now, io);
}

static void then_free(query_t *q)
{
    query_free(then_of(q)->now);
    free(q);
}

rc_t ex_then_new(query_t **out, err_t *e, query_t *take_first, ex_then_fn next, void *ctx)
{
    static const query_ops_t ops = { then_step, then_needs, then_give, then_free, then_expects, then_hinted };
    ex_then_t *t = calloc(1, sizeof *t);
    if (!t) {
        query_free(take_first);
        return err_say(e, RC_NOMEM, "out of memory");
    }
    *t = (ex_then_t){ .query.ops = &ops, .now = take_first, .next = next, .ctx = ctx, .made = 1 };
    *out = &t->query;
    return RC_OK;
}

const query_t *ex_then_last(const query_t *q)
{
    return const_then_of(q)->now;
}
