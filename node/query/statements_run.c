#include "node/query/statements_run.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "lightclient/exec/call.h"
#include "lightclient/exec/join.h"
#include "lightclient/exec/learned.h"
#include "lightclient/exec/read.h"
#include "node/query/statements_shown.h"

#define ONE_ARENA_MAX ((size_t)16 << 20) /* bytes of one call: read, and its statement */
#define ALL_ARENA_MAX ((size_t)64 << 20) /* of all calls' texts, and of what they read before */
#define KEYS_MAX 65536u                  /* accounts and slots that are asked for ahead */
#define SIDE_BY_SIDE 64u                 /* calls that run at a time: those of which nothing is known ask much */

typedef struct all all_t;

/* A call on its way. */
typedef struct {
    all_t *all;
    view_t text;
    arena_t arena;
    work_t work;
    bool open; /* it has not failed yet */
} one_t;

/* An account, or a slot of it, that some call read before. */
typedef struct {
    addr_t addr;
    bool is_slot;
    hash32_t slot;
} read_key_t;

struct all {
    pool_task_t task;
    statements_t *owner;
    statements_run_t how;
    known_t known;
    arena_t arena;
    read_key_t *keys;
    size_t key_count;
    atomic_size_t left; /* calls that have not ended, and one while they are started */
    atomic_size_t next; /* the one that is started next */
    size_t count;
    one_t ones[];
};

/* ---- the end ---- */

static void one_less(all_t *a)
{
    if (atomic_fetch_sub(&a->left, 1) != 1)
        return;
    const statements_run_t how = a->how;
    arena_free(&a->arena);
    free(a);
    how.ended(how.ctx);
}

static void end_one(one_t *o, rc_t rc, const err_t *e, const statements_told_t *out)
{
    all_t *a = o->all;
    a->how.told(a->how.ctx, (size_t)(o - a->ones), rc, e, out);
    arena_free(&o->arena);
    o->open = false;
    one_less(a);
}

/* ---- each by itself ---- */

static void start_next(all_t *a);

static void on_done(void *ctx, rc_t rc, const err_t *e, query_t *take_q)
{
    one_t *o = ctx;
    statements_told_t out = { .gas_used = 0 };
    err_t own = { .rc = RC_OK };
    if (!rc) {
        rc = statements_sign(&o->work, &out.statement, &own, take_q);
        out.valid_until_s = o->work.statement.valid_until;
        out.number = o->work.statement.at.number;
        out.gas_used = rc ? 0 : ex_call_result(take_q)->gas_used;
        e = &own;
    }
    query_free(take_q);
    start_next(o->all); /* before the last one may end all */
    end_one(o, rc, e, &out);
}

/* False: it has ended already. */
static bool start_one(one_t *o)
{
    query_t *q = NULL;
    err_t e = { .text = "out of memory" };
    rc_t rc = statements_query(&o->work, &q, &e);
    if (!rc)
        rc = ask_submit(o->all->how.ask, q, NULL, on_done, o);
    if (rc)
        end_one(o, rc, &e, NULL);
    return !rc;
}

static void start_next(all_t *a)
{
    for (;;) {
        const size_t i = atomic_fetch_add(&a->next, 1);
        if (i >= a->count || (a->ones[i].open && start_one(&a->ones[i])))
            return;
    }
}

static void start_all(all_t *a)
{
    for (size_t i = 0; i < SIDE_BY_SIDE; i++)
        start_next(a);
    one_less(a);
}

/* ---- what they read before ---- */

static int compare(const void *x, const void *y)
{
    const read_key_t *a = x, *b = y;
    const int by_addr = memcmp(a->addr.b, b->addr.b, sizeof a->addr.b);
    if (by_addr || a->is_slot != b->is_slot)
        return by_addr ? by_addr : a->is_slot - b->is_slot;
    return memcmp(a->slot.b, b->slot.b, sizeof a->slot.b);
}

static void add_key(all_t *a, const addr_t *addr, const hash32_t *slot)
{
    if (a->key_count < KEYS_MAX)
        a->keys[a->key_count++] =
            (read_key_t){ .addr = *addr, .is_slot = slot != NULL, .slot = slot ? *slot : (hash32_t){ { 0 } } };
}

/* The keys that a call will probably read. */
static void recall(all_t *a, one_t *o)
{
    ex_touch_t *touched;
    bool same;
    const statement_call_t *c = &o->work.question.what.call;
    const ex_request_t q = { .has_to = true, .from = c->from, .to = c->to, .data = c->data, .value = c->value };
    const arena_mark_t mark = arena_mark(&o->arena);
    const size_t n = ex_learned_get(a->owner->config.cache, &touched, &same, &o->arena, &q);
    for (size_t i = 0; i < n; i++) {
        add_key(a, &touched[i].addr, NULL);
        for (size_t k = 0; k < touched[i].slot_count; k++)
            add_key(a, &touched[i].addr, &touched[i].slots[k]);
    }
    arena_rollback(&o->arena, mark);
}

/* Each key once, in order. */
static void unite(all_t *a)
{
    size_t n = 0;
    qsort(a->keys, a->key_count, sizeof *a->keys, compare);
    for (size_t i = 0; i < a->key_count; i++)
        if (!n || compare(&a->keys[n - 1], &a->keys[i]) != 0)
            a->keys[n++] = a->keys[i];
    a->key_count = n;
}

/* The read of the account at keys[at] and its slots; *next: where those of another one begin. */
static rc_t read_one(all_t *a, query_t **out, size_t *next, err_t *e, const ex_block_t *block, size_t at)
{
    size_t end = at + 1, n = 0;
    while (end < a->key_count && addr_eq(&a->keys[end].addr, &a->keys[at].addr))
        end++;
    hash32_t *slots = arena_alloc(&a->arena, (end - at) * sizeof *slots);
    if (!slots)
        return err_say(e, RC_NOMEM, "out of memory");
    for (size_t i = at; i < end && n < EX_READ_SLOTS_MAX; i++)
        if (a->keys[i].is_slot)
            slots[n++] = a->keys[i].slot;
    *next = end;
    return ex_read_new(out, e,
                       &(ex_read_config_t){ .cache = a->owner->config.cache,
                                            .block = block,
                                            .addr = a->keys[at].addr,
                                            .slots = slots,
                                            .slot_count = n });
}

/* One query for all keys at a block. NULL: there is nothing to be asked for, or memory is short. */
static query_t *read_ahead(all_t *a, const ex_block_t *block)
{
    err_t e;
    query_t *join = NULL, **reads = arena_alloc(&a->arena, EX_JOIN_MAX * sizeof *reads);
    size_t n = 0;
    for (size_t at = 0; reads && at < a->key_count && n < EX_JOIN_MAX; n++)
        if (read_one(a, &reads[n], &at, &e, block, at))
            break;
    return n && !ex_join_new(&join, &e, reads, n) ? join : NULL;
}

static void on_ahead(void *ctx, rc_t rc, const err_t *e, query_t *take_q)
{
    (void)rc; /* what did not come is asked for by whoever reads it */
    (void)e;
    query_free(take_q);
    start_all(ctx);
}

/* The block that most of them are about. */
static const ex_block_t *block_of(const all_t *a)
{
    for (size_t i = 0; i < a->count; i++)
        if (a->ones[i].open && a->ones[i].work.state == HELD && !a->ones[i].work.head.finalized)
            return &a->ones[i].work.head.block;
    for (size_t i = 0; i < a->count; i++)
        if (a->ones[i].open)
            return &a->ones[i].work.head.block;
    return NULL;
}

/* ---- the beginning ---- */

static void read_call(one_t *o)
{
    work_t *w = &o->work;
    err_t e = { .text = "out of memory" };
    arena_init(&o->arena, ONE_ARENA_MAX);
    *w = (work_t){ .owner = o->all->owner, .route = STATEMENTS_CALL, .known = o->all->known, .arena = &o->arena };
    rc_t rc = statements_take_shown(w, &e, "");
    if (!rc)
        rc = question_of_call(&w->question, &e, &o->arena, o->text);
    if (!rc)
        rc = statements_find_head(w, &e);
    if (!rc && w->state != HELD)
        rc = err_say(&e, RC_UNSUPPORTED, "a call that stands is about a head");
    o->open = true;
    if (rc)
        end_one(o, rc, &e, NULL);
}

static void begin(pool_task_t *t)
{
    all_t *a = (all_t *)(void *)((char *)t - offsetof(all_t, task));
    a->keys = arena_alloc(&a->arena, KEYS_MAX * sizeof *a->keys);
    for (size_t i = 0; i < a->count; i++)
        read_call(&a->ones[i]);
    for (size_t i = 0; a->keys && i < a->count; i++)
        if (a->ones[i].open)
            recall(a, &a->ones[i]);
    if (a->keys)
        unite(a);
    const ex_block_t *block = block_of(a);
    query_t *ahead = block ? read_ahead(a, block) : NULL;
    if (!ahead || ask_submit(a->how.ask, ahead, NULL, on_ahead, a))
        start_all(a);
}

rc_t statements_run(statements_t *s, err_t *e, const statements_run_t *how, const view_t *calls, size_t count)
{
    const statements_config_t *k = &s->config;
    follow_view_t view;
    err_t why;
    if (!k->ready(k->ready_ctx, &view, &why))
        return statements_not_now(e, why.text);
    all_t *a = calloc(1, sizeof *a + count * sizeof a->ones[0]);
    rc_t rc = a ? RC_OK : RC_NOMEM;
    if (a) {
        a->task.run = begin;
        a->owner = s;
        a->how = *how;
        a->known = statements_known(k, &view);
        a->count = count;
        atomic_init(&a->left, count + 1);
        arena_init(&a->arena, ALL_ARENA_MAX);
    }
    for (size_t i = 0; i < count && !rc; i++) {
        a->ones[i].all = a;
        a->ones[i].text = arena_dup(&a->arena, calls[i]);
        rc = a->ones[i].text.p ? RC_OK : RC_NOMEM;
    }
    if (!rc) {
        pool_push(how->pool, &a->task);
        return RC_OK;
    }
    if (a)
        arena_free(&a->arena);
    free(a);
    return err_say(e, rc, "out of memory");
}
