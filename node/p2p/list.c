#include "node/p2p/list.h"

#include <pthread.h>
#include <stdlib.h>

#define KEPT_MAX ((size_t)2 << 20) /* bytes of one list's arena */

/* A list, counted by who gives it. */
typedef struct {
    unsigned users; /* under the lock of the list that keeps it */
    arena_t arena;
    members_t members;
    ex_block_t block;
} listed_t;

struct p2p_list {
    p2p_list_config_t with;
    pthread_mutex_t lock;
    listed_t *kept; /* NULL: none yet */
};

/* One question under way. */
typedef struct {
    p2p_list_t *l;
    members_call_t call;
    ex_block_t block;
    uint64_t now_s;
    p2p_done_fn done;
    void *ctx;
} errand_t;

p2p_list_t *p2p_list_new(const p2p_list_config_t *config)
{
    p2p_list_t *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->with = *config;
    pthread_mutex_init(&l->lock, NULL);
    return l;
}

/* With the lock held. */
static void let_go(listed_t *k)
{
    if (!k || --k->users)
        return;
    arena_free(&k->arena);
    free(k);
}

void p2p_list_free(p2p_list_t *l)
{
    if (!l)
        return;
    let_go(l->kept);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

static listed_t *borrow(p2p_list_t *l)
{
    pthread_mutex_lock(&l->lock);
    listed_t *k = l->kept;
    if (k)
        k->users++;
    pthread_mutex_unlock(&l->lock);
    return k;
}

static void give_back(p2p_list_t *l, listed_t *k)
{
    pthread_mutex_lock(&l->lock);
    let_go(k);
    pthread_mutex_unlock(&l->lock);
}

/* Keeps a list that is counted once already, unless a later block's is kept. */
static void keep(p2p_list_t *l, listed_t *k)
{
    pthread_mutex_lock(&l->lock);
    if (!l->kept || l->kept->block.env.timestamp <= k->block.env.timestamp) {
        let_go(l->kept);
        l->kept = k;
        k->users++;
    }
    pthread_mutex_unlock(&l->lock);
}

static void give(const listed_t *k, uint64_t now_s, const err_t *stale, p2p_done_fn done, void *ctx)
{
    const uint64_t time = k->block.env.timestamp;
    p2p_answer_t answer = { .members = k->members,
                            .block_hash = k->block.block_hash,
                            .state_root = k->block.state_root,
                            .block_number = k->block.env.number,
                            .block_time_s = time,
                            .age_s = now_s > time ? now_s - time : 0 };
    err_t none;
    err_clear(&none);
    answer.stale = stale ? *stale : none;
    done(ctx, RC_OK, &none, &answer);
}

/* The newest list there is, if it is not too old; else the error. */
static void give_older(p2p_list_t *l, rc_t rc, const err_t *e, uint64_t now_s, p2p_done_fn done, void *ctx)
{
    listed_t *k = borrow(l);
    if (k && members_check_age(NULL, k->block.env.timestamp, now_s, l->with.max_age_s) == RC_OK)
        give(k, now_s, e, done, ctx);
    else
        done(ctx, rc, e, NULL);
    if (k)
        give_back(l, k);
}

/* What a query found, counted once. */
static rc_t take(listed_t **out, err_t *e, const errand_t *f, const query_t *q)
{
    listed_t *k = calloc(1, sizeof *k);
    if (!k)
        return err_say(e, RC_NOMEM, "out of memory");
    k->users = 1;
    k->block = f->block;
    arena_init(&k->arena, KEPT_MAX);
    rc_t rc = members_read(&k->members, e, &k->arena, q, f->l->with.mode);
    if (rc) {
        arena_free(&k->arena);
        free(k);
        return rc;
    }
    if (f->l->with.gateway_domain && f->l->with.mode == MEMBERS_TLS)
        members_keep_under(&k->members, view_str(f->l->with.gateway_domain));
    *out = k;
    return RC_OK;
}

static void ended(void *ctx, rc_t rc, const err_t *e, query_t *take_q)
{
    errand_t *f = ctx;
    err_t why = *e;
    listed_t *k = NULL;
    if (rc == RC_OK)
        rc = take(&k, &why, f, take_q);
    query_free(take_q);
    if (rc) {
        give_older(f->l, rc, &why, f->now_s, f->done, f->ctx);
    } else {
        keep(f->l, k);
        give(k, f->now_s, NULL, f->done, f->ctx);
        give_back(f->l, k);
    }
    free(f);
}

/* Starts the query; the flight is ended's then. */
static rc_t start(err_t *e, errand_t *f)
{
    const p2p_list_config_t *with = &f->l->with;
    const ex_call_config_t on = { .chain = with->chain, .cache = with->cache, .block = &f->block, .use_hint = true };
    query_t *q;
    rc_t rc = members_query(&q, e, &f->call, &on, &with->contract);
    if (rc)
        return rc;
    rc = ask_submit(with->ask, q, NULL, ended, f);
    return rc ? err_say(e, rc, "out of memory") : RC_OK;
}

/* Whether a list that is there serves for a later block, too. */
static bool is_good_for(const p2p_list_t *l, const listed_t *k, const ex_block_t *block)
{
    const uint64_t was = k->block.env.number, is = block->env.number;
    return is > was && is - was < l->with.every;
}

void p2p_list_get(p2p_list_t *l, const ex_block_t *block, uint64_t now_s, p2p_done_fn done, void *ctx)
{
    err_t e;
    rc_t rc = members_check_age(&e, block->env.timestamp, now_s, l->with.max_age_s);
    if (rc) {
        done(ctx, rc, &e, NULL);
        return;
    }
    listed_t *k = borrow(l);
    const bool known = k && (hash32_eq(&k->block.block_hash, &block->block_hash) || is_good_for(l, k, block));
    if (known)
        give(k, now_s, NULL, done, ctx);
    if (k)
        give_back(l, k);
    if (known)
        return;
    errand_t *f = malloc(sizeof *f);
    if (f)
        *f = (errand_t){ .l = l, .block = *block, .now_s = now_s, .done = done, .ctx = ctx };
    rc = f ? start(&e, f) : err_say(&e, RC_NOMEM, "out of memory");
    if (rc) {
        free(f);
        give_older(l, rc, &e, now_s, done, ctx);
    }
}
