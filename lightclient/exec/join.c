#include "lightclient/exec/join.h"

#include <stdlib.h>

#include "base/arena.h"

#define NEEDS_MEMORY_MAX ((size_t)32 << 20)

typedef struct {
    query_t *query;
    bool done;
    size_t from, count; /* its needs in the list of all */
} part_t;

typedef struct {
    query_t query; /* first: a pointer to it is one to the join */
    arena_t work;  /* the needs of one step */
    need_t *needs;
    size_t need_count;
    size_t count;
    part_t parts[];
} ex_join_t;

static ex_join_t *join_of(query_t *q)
{
    return (ex_join_t *)(void *)q;
}

static const ex_join_t *const_join_of(const query_t *q)
{
    return (const ex_join_t *)(const void *)q;
}

/* Puts the needs of all parts that have some into one list. */
static rc_t collect(ex_join_t *j, err_t *e)
{
    arena_free(&j->work);
    j->needs = arena_alloc(&j->work, j->need_count * sizeof *j->needs);
    if (!j->needs) {
        j->need_count = 0;
        return err_say(e, RC_NOMEM, "out of memory");
    }
    for (size_t i = 0; i < j->count; i++) {
        const need_t *needs;
        part_t *p = &j->parts[i];
        if (p->done || !p->count)
            continue;
        (void)query_needs(p->query, &needs);
        memcpy(j->needs + p->from, needs, p->count * sizeof *needs);
    }
    return RC_NEED_DATA;
}

static rc_t join_step(query_t *q, err_t *e)
{
    ex_join_t *j = join_of(q);
    size_t open = 0;
    j->need_count = 0;
    for (size_t i = 0; i < j->count; i++) {
        const need_t *needs;
        part_t *p = &j->parts[i];
        p->from = j->need_count;
        p->count = 0;
        if (p->done)
            continue;
        query_limit(p->query, q->expired, q->expired_ctx);
        const rc_t rc = query_step(p->query, e);
        if (rc && rc != RC_NEED_DATA)
            return rc;
        p->done = !rc;
        open += !p->done;
        p->count = p->done ? 0 : query_needs(p->query, &needs);
        j->need_count += p->count;
    }
    return open ? collect(j, e) : RC_OK;
}

static size_t join_needs(const query_t *q, const need_t **out)
{
    const ex_join_t *j = const_join_of(q);
    *out = j->needs;
    return j->need_count;
}

static rc_t join_give(query_t *q, err_t *e, size_t i, const answer_t *answer)
{
    ex_join_t *j = join_of(q);
    for (size_t k = 0; k < j->count; k++) {
        const part_t *p = &j->parts[k];
        if (i >= p->from && i - p->from < p->count)
            return query_give(p->query, e, i - p->from, answer);
    }
    return err_say(e, RC_BUG, "an answer to something that was not asked for");
}

static bool join_expects(query_t *q, expected_t *out, size_t i)
{
    ex_join_t *j = join_of(q);
    for (size_t k = 0; k < j->count; k++) {
        const part_t *p = &j->parts[k];
        if (i >= p->from && i - p->from < p->count)
            return query_expects(p->query, out, i - p->from);
    }
    return false;
}

static void join_hinted(const query_t *q, hinted_t *io)
{
    const ex_join_t *j = const_join_of(q);
    for (size_t k = 0; k < j->count; k++)
        query_hinted(j->parts[k].query, io);
}

static void join_free(query_t *q)
{
    ex_join_t *j = join_of(q);
    for (size_t i = 0; i < j->count; i++)
        query_free(j->parts[i].query);
    arena_free(&j->work);
    free(j);
}

rc_t ex_join_new(query_t **out, err_t *e, query_t *const *take, size_t count)
{
    static const query_ops_t ops = { join_step, join_needs, join_give, join_free, join_expects, join_hinted };
    ex_join_t *j = count > EX_JOIN_MAX ? NULL : calloc(1, sizeof *j + count * sizeof j->parts[0]);
    if (!j) {
        for (size_t i = 0; i < count; i++)
            query_free(take[i]);
        return count > EX_JOIN_MAX ? err_set(e, RC_LIMIT, "%zu queries are more than %u", count, EX_JOIN_MAX)
                                   : err_say(e, RC_NOMEM, "out of memory");
    }
    j->query.ops = &ops;
    j->count = count;
    arena_init(&j->work, NEEDS_MEMORY_MAX);
    for (size_t i = 0; i < count; i++)
        j->parts[i].query = take[i];
    *out = &j->query;
    return RC_OK;
}

const query_t *ex_join_at(const query_t *q, size_t i)
{
    return const_join_of(q)->parts[i].query;
}
