#include "node/p2p/seats.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/os/clock.h"
#include "base/os/log.h"

#define ROLL_MAX ((size_t)2 << 20) /* bytes of a roll's arena */

struct seats {
    seats_config_t with;
    members_roll_call_t call; /* of the query under way */
    ex_block_t at;            /* the head that it reads */
    pthread_mutex_t lock;     /* all below */
    ex_block_t head;
    bool has_head, reading;
    bool has_read;     /* a head, and nothing is to be done for it: */
    uint64_t read_for; /* this block */
    uint64_t again_ms; /* not before */
    err_t failed;
};

seats_t *seats_new(const seats_config_t *config)
{
    seats_t *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->with = *config;
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

void seats_free(seats_t *s)
{
    if (!s)
        return;
    pthread_mutex_destroy(&s->lock);
    free(s);
}

void seats_head(seats_t *s, const ex_block_t *block)
{
    pthread_mutex_lock(&s->lock);
    if (!s->has_head || block->env.number > s->head.env.number) {
        s->head = *block;
        s->has_head = true;
        s->again_ms = 0;
    }
    pthread_mutex_unlock(&s->lock);
}

void seats_of(wg_seats_t *out, const members_roll_t *roll, const ex_block_t *block)
{
    bool taken[WG_PEERS_MAX + 1] = { false };
    *out = (wg_seats_t){ .block_number = block->env.number, .block_time_s = block->env.timestamp };
    for (size_t i = 0; i < roll->count; i++) {
        const members_row_t *m = &roll->rows[i];
        const bool has = m->network == MEMBERS_WIREGUARD && m->ip_index && m->ip_index <= WG_PEERS_MAX;
        if (!has || taken[m->ip_index] || !members_is_heard(roll, m, block->env.timestamp))
            continue;
        taken[m->ip_index] = true;
        out->seats[out->count++] = (wg_seat_t){ m->wallet, m->ip_index };
    }
}

/* A query ended, or could not begin. */
static void note(seats_t *s, rc_t rc, const err_t *e)
{
    pthread_mutex_lock(&s->lock);
    const bool is_news = rc && (s->failed.rc != rc || strcmp(s->failed.field, e->field) != 0);
    err_clear(&s->failed);
    if (rc)
        s->failed = *e;
    s->failed.rc = rc;
    s->reading = false;
    s->has_read = !rc;
    s->read_for = s->at.env.number;
    s->again_ms = rc ? clock_monotonic_ms() + SEATS_AGAIN_MS : 0;
    pthread_mutex_unlock(&s->lock);
    if (is_news)
        log_write(LOG_WARN, "wireguard", "members' addresses: %s%s%s", e->field, e->field[0] ? ": " : "", e->text);
    s->with.turn(s->with.ctx);
}

static void ended(void *ctx, rc_t rc, const err_t *e, query_t *take_q)
{
    seats_t *s = ctx;
    err_t why = *e;
    members_roll_t roll;
    wg_seats_t *seats = calloc(1, sizeof *seats);
    arena_t a;
    arena_init(&a, ROLL_MAX);
    if (!rc)
        rc = seats ? members_roll_read(&roll, &why, &a, &s->call) : err_say(&why, RC_NOMEM, "out of memory");
    if (!rc) {
        seats_of(seats, &roll, &s->at);
        s->with.told(s->with.ctx, seats);
    }
    arena_free(&a);
    free(seats);
    query_free(take_q);
    note(s, rc, &why);
}

static void read_now(seats_t *s)
{
    const ex_call_config_t on = { .chain = s->with.chain, .cache = s->with.cache, .block = &s->at, .use_hint = true };
    query_t *q;
    err_t e;
    rc_t rc = members_roll_query(&q, &e, &s->call, &on, &s->with.contract);
    if (!rc)
        rc = ask_submit(s->with.ask, q, NULL, ended, s) ? err_say(&e, RC_NOMEM, "out of memory") : RC_OK;
    if (rc)
        note(s, rc, &e);
}

uint64_t seats_turn(seats_t *s, uint64_t now_ms)
{
    pthread_mutex_lock(&s->lock);
    const bool is_new = s->has_head && (!s->has_read || s->head.env.number > s->read_for);
    const bool reads = is_new && !s->reading && now_ms >= s->again_ms;
    const uint64_t next = is_new && !s->reading ? s->again_ms : UINT64_MAX;
    if (reads) {
        s->reading = true;
        s->at = s->head;
    }
    pthread_mutex_unlock(&s->lock);
    if (reads)
        read_now(s);
    return reads ? UINT64_MAX : next;
}

void seats_trouble(seats_t *s, err_t *out)
{
    pthread_mutex_lock(&s->lock);
    *out = s->failed;
    pthread_mutex_unlock(&s->lock);
}
