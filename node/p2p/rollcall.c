#include "node/p2p/rollcall.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/os/clock.h"
#include "base/os/log.h"

#define KEPT_MAX ((size_t)2 << 20) /* bytes of one roll's arena */

struct rollcall {
    rollcall_config_t with;
    members_roll_call_t call; /* of the query under way, as */
    ex_block_t at;
    pthread_mutex_t lock; /* all below */
    ex_block_t head;
    bool has_head, reading;
    bool is_done; /* a reading has ended: of this block, */
    uint64_t done_for;
    uint64_t again_ms; /* and failed: again then; 0: it did not */
    bool has_roll;
    arena_t arena; /* of the newest */
    members_roll_t roll;
    uint64_t roll_time_s;
    err_t trouble; /* of the last reading; RC_OK: none */
    muster_t muster;
};

rollcall_t *rollcall_new(const rollcall_config_t *config)
{
    rollcall_t *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->with = *config;
    arena_init(&r->arena, KEPT_MAX);
    pthread_mutex_init(&r->lock, NULL);
    return r;
}

void rollcall_free(rollcall_t *r)
{
    if (!r)
        return;
    arena_free(&r->arena);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

void rollcall_head(rollcall_t *r, const ex_block_t *block)
{
    pthread_mutex_lock(&r->lock);
    if (!r->has_head || block->env.number > r->head.env.number) {
        r->head = *block;
        r->has_head = true;
    }
    pthread_mutex_unlock(&r->lock);
}

/* ---- reading ---- */

/* A reading has ended; take: its roll, NULL: it failed. */
static void end_reading(rollcall_t *r, const err_t *why, arena_t *take_arena, const members_roll_t *take)
{
    pthread_mutex_lock(&r->lock);
    const bool is_news = why->rc && (why->rc != r->trouble.rc || strcmp(why->field, r->trouble.field) != 0);
    r->trouble = *why;
    if (take) {
        arena_free(&r->arena);
        r->arena = *take_arena;
        r->roll = *take;
        r->roll_time_s = r->at.env.timestamp;
        r->has_roll = true;
    }
    r->reading = false;
    r->is_done = true;
    r->again_ms = why->rc ? clock_monotonic_ms() + ROLLCALL_AGAIN_MS : 0;
    pthread_mutex_unlock(&r->lock);
    if (is_news)
        log_write(LOG_WARN, "members", "the contract's members cannot be read: %s%s%s", why->field,
                  why->field[0] ? ": " : "", why->text);
    r->with.read(r->with.ctx);
}

static void on_roll(void *ctx, rc_t rc, const err_t *e, query_t *take_q)
{
    rollcall_t *r = ctx;
    members_roll_t roll;
    arena_t arena;
    err_t why = *e;
    why.rc = rc;
    arena_init(&arena, KEPT_MAX);
    if (!rc)
        rc = members_roll_read(&roll, &why, &arena, &r->call);
    query_free(take_q);
    if (rc)
        arena_free(&arena);
    else
        err_clear(&why);
    end_reading(r, &why, &arena, rc ? NULL : &roll);
}

static void begin_reading(rollcall_t *r)
{
    const rollcall_config_t *k = &r->with;
    const ex_call_config_t on = { .chain = k->chain, .cache = k->cache, .block = &r->at, .use_hint = true };
    query_t *q = NULL;
    err_t e;
    rc_t rc = members_check_age(&e, r->at.env.timestamp, k->now_s(k->ctx), k->membership->max_age_s);
    if (!rc)
        rc = members_roll_query(&q, &e, &r->call, &on, &k->membership->contract);
    if (!rc && ask_submit(k->ask, q, NULL, on_roll, r))
        rc = err_say(&e, RC_NOMEM, "out of memory");
    if (rc)
        end_reading(r, &e, NULL, NULL);
}

uint64_t rollcall_turn(rollcall_t *r, uint64_t now_ms)
{
    pthread_mutex_lock(&r->lock);
    const bool is_new = r->has_head && (!r->is_done || r->head.env.number >= r->done_for + r->with.membership->every);
    const bool begins = r->has_head && !r->reading && (is_new || (r->again_ms && now_ms >= r->again_ms));
    if (begins) {
        r->reading = true;
        r->at = r->head;
        r->done_for = r->head.env.number;
        r->again_ms = 0;
    }
    pthread_mutex_unlock(&r->lock);
    if (begins)
        begin_reading(r);
    pthread_mutex_lock(&r->lock);
    const bool waits = r->again_ms && !r->reading && r->again_ms < now_ms + ROLLCALL_TURN_MS;
    const uint64_t next = waits ? r->again_ms : now_ms + ROLLCALL_TURN_MS;
    pthread_mutex_unlock(&r->lock);
    return next;
}

/* ---- looking ---- */

/* The roll that may still be looked at, with the lock held; NULL: none, and trouble says why. */
static const members_roll_t *present(const rollcall_t *r, err_t *trouble)
{
    err_t old;
    const rollcall_config_t *k = &r->with;
    *trouble = r->trouble;
    if (!r->has_roll)
        return NULL;
    const rc_t rc = members_check_age(&old, r->roll_time_s, k->now_s(k->ctx), k->membership->max_age_s);
    if (rc && !trouble->rc)
        *trouble = old;
    return rc ? NULL : &r->roll;
}

static muster_ways_t ways_of(const rollcall_t *r)
{
    const membership_t *m = r->with.membership;
    return (muster_ways_t){ .mode = (members_mode_t)m->mode, .port = r->with.port, .domain = m->gateway_domain };
}

void rollcall_list(rollcall_t *r, rollcall_list_t *out)
{
    const muster_ways_t ways = ways_of(r);
    addr_t self;
    err_t trouble;
    const bool has_self = r->with.self(r->with.ctx, &self);
    *out = (rollcall_list_t){ .count = 0 };
    pthread_mutex_lock(&r->lock);
    const members_roll_t *roll = present(r, &trouble);
    if (roll) {
        out->anchor = (muster_anchor_t){ .is_known = true, .has_key = roll->has_key };
        memcpy(out->anchor.key, roll->key, sizeof out->anchor.key);
        out->count = muster_dials(out->peers, roll, r->roll_time_s, has_self ? &self : NULL, &ways);
    }
    pthread_mutex_unlock(&r->lock);
}

muster_do_t rollcall_muster(rollcall_t *r, err_t *why, bool answers, bool is_kept, uint64_t now_ms)
{
    const muster_ways_t ways = ways_of(r);
    addr_t self;
    err_t trouble;
    const bool has_self = r->with.self(r->with.ctx, &self);
    pthread_mutex_lock(&r->lock);
    const muster_view_t view = { .now_ms = now_ms,
                                 .roll = present(r, &trouble),
                                 .block_time_s = r->roll_time_s,
                                 .trouble = trouble.rc ? &trouble : NULL,
                                 .ways = &ways,
                                 .self = has_self ? &self : NULL,
                                 .answers = answers,
                                 .is_kept = is_kept };
    const muster_do_t what = muster_turn(&r->muster, why, &view);
    pthread_mutex_unlock(&r->lock);
    return what;
}
