/* give.h - what an edge does with an upstream's body, as one function for tests: decodes it, feeds the query. */
#ifndef TESTS_GIVE_H
#define TESTS_GIVE_H

#include "rpc/upstream/jsonrpc.h"

#define GIVE_ARENA_MAX (2 * (size_t)JR_BODY_MAX)

static const cap_form_t GIVE_FORM = { 0 };

/* Gives the body that answers the batch of these needs (of the query's last step), proofs before codes. Those whose flag is set
 * are passed over; sets the flags of those that were taken. Returns the first fault. */
static inline rc_t give_body(query_t *query, bool *answered, err_t *e, const need_t *needs, size_t count, view_t body)
{
    static const need_kind_t order[] = { NEED_PROOF, NEED_HEADER, NEED_BLOCK, NEED_RECEIPTS,
                                         NEED_CODE,  NEED_WHERE,  NEED_SEND,  NEED_HINT };
    const need_t *all;
    arena_t a;
    query_needs(query, &all);
    arena_init(&a, GIVE_ARENA_MAX);
    const need_t **asked = arena_calloc(&a, count, sizeof *asked);
    jr_answer_t *answers = arena_calloc(&a, count, sizeof *answers);
    for (size_t i = 0; i < count; i++)
        asked[i] = &needs[i];
    rc_t rc = jr_decode(answers, e, &a, asked, count, &GIVE_FORM, body);
    const size_t passes = rc ? 0 : sizeof order / sizeof order[0];
    for (size_t pass = 0; pass < passes; pass++)
        for (size_t i = 0; i < count; i++) {
            jr_answer_t *x = &answers[i];
            if (needs[i].kind != order[pass] || answered[i])
                continue;
            if (!x->rc)
                x->rc =
                    jr_before(&x->why, query_give(query, &x->why, (size_t)(needs - all) + i, &x->answer), &needs[i]);
            answered[i] = x->rc == RC_OK;
            if (x->rc && !rc) {
                rc = x->rc;
                *e = x->why;
            }
        }
    arena_free(&a);
    return rc;
}

/* The batch for these needs. */
static inline rc_t give_request(view_t *out, arena_t *a, const need_t *needs, size_t count)
{
    const need_t **asked = arena_calloc(a, count, sizeof *asked);
    for (size_t i = 0; i < count; i++)
        asked[i] = &needs[i];
    return jr_encode(out, NULL, a, asked, count, &GIVE_FORM);
}

#endif
