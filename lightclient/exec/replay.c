#include "lightclient/exec/replay.h"

#include <stdlib.h>

#define SCRATCH_MAX ((size_t)64 << 20) /* bytes of the answers of one step */

/* ---- recording ---- */

typedef struct {
    query_t query; /* first: a pointer to it is one to the recording */
    query_t *inner;
    ex_stock_t *into;
    rc_t failed;
} recorded_t;

static recorded_t *recorded_of(query_t *q)
{
    return (recorded_t *)(void *)q;
}

static const recorded_t *const_recorded_of(const query_t *q)
{
    return (const recorded_t *)(const void *)q;
}

static rc_t recorded_step(query_t *q, err_t *e)
{
    recorded_t *r = recorded_of(q);
    query_limit(r->inner, q->expired, q->expired_ctx);
    return r->failed ? err_say(e, r->failed, "what it takes to show this is too much") : query_step(r->inner, e);
}

static size_t recorded_needs(const query_t *q, const need_t **out)
{
    return query_needs(const_recorded_of(q)->inner, out);
}

static rc_t recorded_give(query_t *q, err_t *e, size_t i, const answer_t *answer)
{
    recorded_t *r = recorded_of(q);
    const need_t *needs;
    const size_t count = query_needs(r->inner, &needs);
    const rc_t rc = query_give(r->inner, e, i, answer);
    if (!rc && i < count && !r->failed)
        r->failed = ex_stock_take(r->into, &needs[i], answer);
    return rc;
}

static void recorded_hinted(const query_t *q, hinted_t *io)
{
    query_hinted(const_recorded_of(q)->inner, io);
}

static void recorded_free(query_t *q)
{
    query_free(recorded_of(q)->inner);
    free(q);
}

static bool recorded_expects(query_t *q, expected_t *out, size_t i)
{
    return query_expects(recorded_of(q)->inner, out, i);
}

rc_t ex_recorded_new(query_t **out, err_t *e, query_t *take_q, ex_stock_t *into)
{
    static const query_ops_t ops = { recorded_step, recorded_needs,   recorded_give,
                                     recorded_free, recorded_expects, recorded_hinted };
    recorded_t *r = calloc(1, sizeof *r);
    if (!r) {
        query_free(take_q);
        return err_say(e, RC_NOMEM, "out of memory");
    }
    *r = (recorded_t){ .query.ops = &ops, .inner = take_q, .into = into };
    *out = &r->query;
    return RC_OK;
}

const query_t *ex_recorded_inner(const query_t *q)
{
    return const_recorded_of(q)->inner;
}

/* ---- replaying ---- */

/* Proofs come before what hangs on them: code before its account is proven, a header before its child. */
static bool is_early(need_kind_t kind)
{
    return kind == NEED_PROOF;
}

/* Whether a block was asked for by its number: another one of that number is not what is missing. */
static bool is_numbered(const need_t *need)
{
    return (need->kind == NEED_HEADER || need->kind == NEED_BLOCK) && hash32_is_zero(&need->hash);
}

/* Gives one need its answer. RC_NEED_DATA: it is not there. */
static rc_t give(query_t *q, ex_stock_kind_t *lacks, err_t *e, arena_t *a, ex_stock_t *from, size_t i)
{
    const need_t *needs;
    answer_t answer;
    query_needs(q, &needs);
    const arena_mark_t mark = arena_mark(a);
    rc_t rc = ex_stock_answer(from, &answer, lacks, a, &needs[i]);
    if (!rc)
        rc = query_give(q, e, i, &answer);
    else
        (void)err_say(e, rc, "something that it takes to show this is missing, or cannot be read");
    if (rc == RC_REFUSED && is_numbered(&needs[i]))
        rc = err_say(e, RC_NEED_DATA, "there is another block of this number");
    arena_rollback(a, mark);
    return rc;
}

/* Answers the needs of one step that have this origin. *any: there was one. RC_NEED_DATA: one of them is not there. */
static rc_t answer_all(query_t *q, bool *any, ex_stock_kind_t *lacks, err_t *e, arena_t *a, ex_stock_t *from,
                       need_origin_t origin)
{
    const need_t *needs;
    const size_t count = query_needs(q, &needs);
    rc_t rc = RC_OK;
    for (unsigned pass = 0; pass < 2; pass++)
        for (size_t i = 0; !rc && i < count; i++) {
            if (needs[i].origin != origin || is_early(needs[i].kind) != (pass == 0))
                continue;
            *any = true;
            rc = give(q, lacks, e, a, from, i);
        }
    return rc;
}

/* What a run has met is answered, and nothing that it only guessed: so all that is used is needed. An account that was
 * met may stand in one need with slots that were not. */
static rc_t answer_step(query_t *q, ex_stock_kind_t *lacks, err_t *e, arena_t *a, ex_stock_t *from)
{
    bool any = false;
    rc_t rc = answer_all(q, &any, lacks, e, a, from, NEED_MET);
    if (!rc && !any)
        rc = answer_all(q, &any, lacks, e, a, from, NEED_NAMED);
    return rc || any ? rc : err_say(e, RC_BUG, "a query that needs nothing");
}

rc_t ex_replay(query_t *q, ex_stock_kind_t *lacks, err_t *e, ex_stock_t *from)
{
    arena_t a;
    rc_t rc;
    *lacks = EX_STOCK_HEADER;
    arena_init(&a, SCRATCH_MAX);
    while ((rc = query_step(q, e)) == RC_NEED_DATA && !(rc = answer_step(q, lacks, e, &a, from)))
        arena_free(&a);
    arena_free(&a);
    return rc;
}
