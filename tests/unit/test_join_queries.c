/* Several queries as one: one list of needs, each answer to its own query, the first failure ends all. */
#include "lightclient/exec/join.h"
#include "lightclient/exec/then.h"

#include <stdlib.h>

#include "tests/unit/unit.h"

/* A query that wants `needs` things in each of `rounds` steps. */
typedef struct {
    query_t query;
    unsigned rounds, steps;
    size_t needs;
    need_t list[4];
    unsigned given;
    rc_t end;
} fake_t;

static unsigned freed;

static rc_t fake_step(query_t *q, err_t *e)
{
    fake_t *f = (fake_t *)(void *)q;
    if (f->steps++ < f->rounds)
        return RC_NEED_DATA;
    return f->end ? err_say(e, f->end, "it fails") : RC_OK;
}

static size_t fake_needs(const query_t *q, const need_t **out)
{
    const fake_t *f = (const fake_t *)(const void *)q;
    *out = f->list;
    return f->needs;
}

static rc_t fake_give(query_t *q, err_t *e, size_t i, const answer_t *answer)
{
    fake_t *f = (fake_t *)(void *)q;
    (void)e;
    ck_assert_uint_lt(i, f->needs);
    ck_assert_int_eq(answer->kind, NEED_HEADER);
    ck_assert_uint_eq(answer->header.number, f->list[i].number);
    f->given++;
    return RC_OK;
}

static void fake_free(query_t *q)
{
    freed++;
    free(q);
}

/* Its needs are for the headers first, first + 1, ... */
static fake_t *fake(unsigned rounds, size_t needs, uint64_t first, rc_t end)
{
    static const query_ops_t ops = { fake_step, fake_needs, fake_give, fake_free, NULL, NULL };
    fake_t *f = calloc(1, sizeof *f);
    *f = (fake_t){ .query.ops = &ops, .rounds = rounds, .needs = needs, .end = end };
    for (size_t i = 0; i < needs; i++)
        f->list[i] = (need_t){ .kind = NEED_HEADER, .number = first + i };
    return f;
}

static void answer_all(query_t *q)
{
    const need_t *needs;
    err_t e;
    const size_t n = query_needs(q, &needs);
    for (size_t i = 0; i < n; i++) {
        const answer_t a = { .kind = NEED_HEADER, .header.number = needs[i].number };
        ck_assert_int_eq(query_give(q, &e, i, &a), RC_OK);
    }
    ck_assert_int_eq(query_give(q, &e, n, &(answer_t){ .kind = NEED_HEADER }), RC_BUG);
}

START_TEST(needs_of_all_are_asked_together_and_answers_find_their_query)
{
    fake_t *f[] = { fake(1, 2, 10, RC_OK), fake(0, 4, 20, RC_OK), fake(2, 3, 30, RC_OK) };
    query_t *q = NULL;
    const need_t *needs;
    err_t e;
    freed = 0;
    ck_assert_int_eq(ex_join_new(&q, &e, (query_t *[]){ &f[0]->query, &f[1]->query, &f[2]->query }, 3), RC_OK);
    ck_assert_int_eq(query_step(q, &e), RC_NEED_DATA);
    ck_assert_uint_eq(query_needs(q, &needs), 5);
    answer_all(q);
    ck_assert_int_eq(query_step(q, &e), RC_NEED_DATA);
    ck_assert_uint_eq(query_needs(q, &needs), 3);
    ck_assert_uint_eq(needs[0].number, 30);
    answer_all(q);
    ck_assert_int_eq(query_step(q, &e), RC_OK);
    ck_assert_uint_eq(f[0]->given, 2);
    ck_assert_uint_eq(f[1]->given, 0);
    ck_assert_uint_eq(f[2]->given, 6);
    ck_assert_uint_eq(f[1]->steps, 1); /* who has its result is left alone */
    ck_assert_ptr_eq(ex_join_at(q, 2), &f[2]->query);
    query_free(q);
    ck_assert_uint_eq(freed, 3);
}
END_TEST

START_TEST(the_first_failure_ends_all)
{
    fake_t *f[] = { fake(3, 1, 1, RC_OK), fake(1, 1, 2, RC_REFUSED) };
    query_t *q = NULL;
    err_t e;
    ck_assert_int_eq(ex_join_new(&q, &e, (query_t *[]){ &f[0]->query, &f[1]->query }, 2), RC_OK);
    ck_assert_int_eq(query_step(q, &e), RC_NEED_DATA);
    answer_all(q);
    ck_assert_int_eq(query_step(q, &e), RC_REFUSED);
    ck_assert_str_eq(e.text, "it fails");
    query_free(q);
}
END_TEST

START_TEST(too_many_queries_are_refused_and_freed)
{
    static query_t *take[EX_JOIN_MAX + 1];
    query_t *q = NULL;
    err_t e;
    for (size_t i = 0; i <= EX_JOIN_MAX; i++)
        take[i] = &fake(0, 0, 0, RC_OK)->query;
    freed = 0;
    ck_assert_int_eq(ex_join_new(&q, &e, take, EX_JOIN_MAX + 1), RC_LIMIT);
    ck_assert_uint_eq(freed, EX_JOIN_MAX + 1);
}
END_TEST

/* Two more of two needs each, and no more. */
static rc_t make_next(void *ctx, query_t **out, err_t *e, const query_t *done)
{
    unsigned *made = ctx;
    ck_assert_ptr_nonnull(done);
    if (*made < 2)
        *out = &fake(1, 2, 100 * ++*made, RC_OK)->query;
    return *made > 2 ? err_say(e, RC_REFUSED, "not this way") : RC_OK;
}

START_TEST(queries_in_a_row_are_made_from_each_other)
{
    query_t *q = NULL;
    const need_t *needs;
    err_t e;
    unsigned made = 0;
    freed = 0;
    ck_assert_int_eq(ex_then_new(&q, &e, &fake(1, 1, 10, RC_OK)->query, make_next, &made), RC_OK);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_int_eq(query_step(q, &e), RC_NEED_DATA);
        ck_assert_uint_eq(query_needs(q, &needs), i ? 2 : 1);
        ck_assert_uint_eq(needs[0].number, i ? 100 * i : 10);
        ck_assert_uint_eq(freed, i);
        for (size_t k = 0; k < (i ? 2u : 1u); k++)
            ck_assert_int_eq(query_give(q, &e, k, &(answer_t){ .kind = NEED_HEADER, .header.number = needs[k].number }),
                             RC_OK);
    }
    ck_assert_int_eq(query_step(q, &e), RC_OK);
    ck_assert_int_eq(query_step(q, &e), RC_OK);
    ck_assert_uint_eq(((const fake_t *)(const void *)ex_then_last(q))->given, 2);
    query_free(q);
    ck_assert_uint_eq(freed, 3);
}
END_TEST

static rc_t make_endless(void *ctx, query_t **out, err_t *e, const query_t *done)
{
    (void)ctx, (void)e, (void)done;
    *out = &fake(0, 0, 0, RC_OK)->query;
    return RC_OK;
}

START_TEST(a_row_ends_by_a_failure_or_its_length)
{
    query_t *q = NULL;
    err_t e;
    unsigned made = 3;
    ck_assert_int_eq(ex_then_new(&q, &e, &fake(0, 1, 10, RC_OK)->query, make_next, &made), RC_OK);
    ck_assert_int_eq(query_step(q, &e), RC_REFUSED);
    query_free(q);
    ck_assert_int_eq(ex_then_new(&q, &e, &fake(0, 1, 10, RC_OK)->query, make_endless, NULL), RC_OK);
    ck_assert_int_eq(query_step(q, &e), RC_LIMIT);
    query_free(q);
}
END_TEST

int main(void)
{
    return UNIT_RUN("join_queries", needs_of_all_are_asked_together_and_answers_find_their_query,
                    the_first_failure_ends_all, too_many_queries_are_refused_and_freed,
                    queries_in_a_row_are_made_from_each_other, a_row_ends_by_a_failure_or_its_length);
}
