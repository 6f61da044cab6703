#include "node/query/flight.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/crypto/hash.h"

#define BUCKETS 4096u
#define BATCH_BODY_MAX ((size_t)12 << 20)  /* bytes of the answer to one: some 20 KB for each slot */
#define BATCH_ARENA_MAX ((size_t)48 << 20) /* bytes of one, with its answers */

struct flight {
    flight_t *next; /* of its bucket */
    hash32_t key;
    batch_t *batch;
    size_t element;
    seat_t *seats; /* whoever waits for it */
};

struct flights {
    flights_config_t config;
    pthread_mutex_t lock; /* all below, and seats and parties that wait */
    pthread_cond_t empty;
    flight_t *buckets[BUCKETS];
    struct {
        unsigned in_air;
        batch_t *first, *last; /* wait for their turn */
    } at[UP_ENDPOINTS_MAX];
    size_t batches; /* that are not freed yet */
};

/* ---- keys ---- */

static view_t bytes_of(const void *p, size_t n)
{
    return view_of(p, n);
}

/* The digest of a request for an access list: all that is sent of it. */
static void request_key(hash32_t *out, const ex_request_t *q)
{
    const uint8_t flags[] = { q->has_to, q->has_gas, q->has_gas_price, q->dynamic_fee };
    hash32_t access = { { 0 } };
    for (size_t i = 0; i < q->access_count; i++)
        sha256_parts(&access,
                     (view_t[]){ bytes_of(access.b, 32), bytes_of(q->access[i].addr.b, 20),
                                 bytes_of(q->access[i].keys, q->access[i].key_count * sizeof(hash32_t)) },
                     3);
    sha256_parts(out,
                 (view_t[]){ bytes_of(flags, sizeof flags), bytes_of(q->from.b, 20), bytes_of(q->to.b, 20),
                             bytes_of(&q->value, sizeof q->value), bytes_of(&q->gas_price, sizeof q->gas_price),
                             bytes_of(&q->max_priority_fee, sizeof q->max_priority_fee),
                             bytes_of(&q->gas, sizeof q->gas), q->data, bytes_of(access.b, 32) },
                 9);
}

void flight_key(hash32_t *out, const need_t *need)
{
    uint8_t kind = (uint8_t)need->kind;
    hash32_t request = { { 0 } };
    bool at_addr = need->kind == NEED_PROOF || need->kind == NEED_CODE;
    if (need->kind == NEED_HINT)
        request_key(&request, need->request);
    const view_t raw = need->kind == NEED_SEND ? need->raw : view_of(NULL, 0);
    sha256_parts(out,
                 (view_t[]){ bytes_of(&kind, 1), bytes_of(need->block->block_hash.b, 32), bytes_of(request.b, 32),
                             bytes_of(need->addr.b, at_addr ? 20 : 0),
                             bytes_of(&need->number, need->kind == NEED_HEADER ? sizeof need->number : 0),
                             bytes_of(need->slots, need->kind == NEED_PROOF ? need->slot_count * sizeof(hash32_t) : 0),
                             raw },
                 7);
}

static flight_t **bucket_of(flights_t *f, const hash32_t *key, size_t endpoint)
{
    return &f->buckets[((unsigned)key->b[0] << 8 ^ key->b[1] ^ endpoint << 4) % BUCKETS];
}

/* A flight with that need that is in the air, to that endpoint. */
static flight_t *find(flights_t *f, const hash32_t *key, size_t endpoint)
{
    for (flight_t *x = *bucket_of(f, key, endpoint); x; x = x->next)
        if (x->batch->endpoint == endpoint && hash32_eq(&x->key, key))
            return x;
    return NULL;
}

/* From now on nobody joins the flights of a batch. */
static void take_off_board(flights_t *f, batch_t *b)
{
    for (size_t i = 0; i < b->count; i++) {
        flight_t **at = bucket_of(f, &b->list[i]->key, b->endpoint);
        while (*at && *at != b->list[i])
            at = &(*at)->next;
        if (*at)
            *at = b->list[i]->next;
    }
}

/* ---- batches ---- */

static batch_t *batch_new(flights_t *f, size_t endpoint)
{
    batch_t *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    b->flights = f;
    b->endpoint = endpoint;
    atomic_init(&b->refs, 1);
    arena_init(&b->arena, BATCH_ARENA_MAX);
    b->needs = arena_calloc(&b->arena, BATCH_MAX, sizeof *b->needs);
    b->list = arena_calloc(&b->arena, BATCH_MAX, sizeof *b->list);
    if (!b->needs || !b->list) {
        arena_free(&b->arena);
        free(b);
        return NULL;
    }
    f->batches++;
    return b;
}

/* Without the lock. */
static void batch_unref(batch_t *b)
{
    flights_t *f = b->flights;
    if (atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) != 1)
        return;
    hc_response_clear(&b->response);
    arena_free(&b->arena);
    free(b);
    pthread_mutex_lock(&f->lock);
    if (!--f->batches)
        pthread_cond_broadcast(&f->empty);
    pthread_mutex_unlock(&f->lock);
}

/* A copy of a need with its slots; block and request stay those of the asker, and are for the encoding only. */
static const need_t *copy_need(arena_t *a, const need_t *need)
{
    view_t slots = arena_dup(a, bytes_of(need->slots, need->slot_count * sizeof(hash32_t)));
    need_t *copy = arena_alloc(a, sizeof *copy);
    if (!copy || (need->slot_count && !slots.p))
        return NULL;
    *copy = *need;
    copy->slots = (const hash32_t *)(const void *)slots.p;
    return copy;
}

/* Gives a seat a flight of its own in a batch. False: no memory. */
static bool add_flight(flights_t *f, batch_t *b, seat_t *s)
{
    flight_t *x = arena_calloc(&b->arena, 1, sizeof *x), **at = bucket_of(f, &s->key, b->endpoint);
    const need_t *need = copy_need(&b->arena, s->need);
    if (!x || !need)
        return false;
    *x = (flight_t){ .next = *at, .key = s->key, .batch = b, .element = b->count };
    *at = x;
    b->needs[b->count] = need;
    b->list[b->count++] = x;
    b->slots += need->slot_count;
    return true;
}

static bool has_room(const batch_t *b, const need_t *need)
{
    return b->count < BATCH_MAX && (b->count == 0 || b->slots + need->slot_count <= BATCH_SLOTS_MAX);
}

static void sit_down(seat_t *s, flight_t *x)
{
    s->flight = x;
    s->prev = NULL;
    s->next = x->seats;
    if (s->next)
        s->next->prev = s;
    x->seats = s;
    x->batch->passengers++;
    s->party->left++;
}

static void stand_up(seat_t *s)
{
    flight_t *x = s->flight;
    if (s->prev)
        s->prev->next = s->next;
    else
        x->seats = s->next;
    if (s->next)
        s->next->prev = s->prev;
    s->flight = NULL;
    x->batch->passengers--;
    s->party->left--;
}

/* ---- landing ---- */

/* Decodes the answer: before anybody else sees it. */
static void read_answer(batch_t *b)
{
    const hc_response_t *r = &b->response;
    b->retry_after_ms = r->retry_after_ms;
    if (b->rc)
        return;
    if (r->rc) {
        b->rc = err_say(&b->why, r->rc, r->error);
        return;
    }
    if (r->status != 200) {
        b->rc = err_set(&b->why, RC_IO, "HTTP status %d", r->status);
        return;
    }
    b->heard = true;
    b->answers = arena_calloc(&b->arena, b->count, sizeof *b->answers);
    b->rc = b->answers ? jr_decode(b->answers, &b->why, &b->arena, b->needs, b->count, view_of(r->body, r->body_len))
                       : err_say(&b->why, RC_NOMEM, "out of memory");
}

/* On the client's I/O thread. */
static void on_response(void *ctx)
{
    batch_t *b = ctx;
    pool_push(b->flights->config.pool, &b->task);
}

/* With the lock held: so nobody calls it back before it has gone. */
static void submit(flights_t *f, batch_t *b)
{
    b->sent = true;
    f->at[b->endpoint].in_air++;
    hc_submit(f->config.http, &b->group, &b->response, &b->request, 1, on_response, b);
}

/* One has landed that was sent to this endpoint: another may go. */
static void next_turn(flights_t *f, size_t endpoint)
{
    batch_t *b = f->at[endpoint].first;
    f->at[endpoint].in_air--;
    if (!b)
        return;
    f->at[endpoint].first = b->next;
    submit(f, b);
}

/* Hands the batch to all who wait for it; the next one's turn has come. */
static void land(pool_task_t *t)
{
    batch_t *b = (batch_t *)(void *)((char *)t - offsetof(batch_t, task));
    flights_t *f = b->flights;
    read_answer(b);
    pthread_mutex_lock(&f->lock);
    take_off_board(f, b);
    b->landed = true;
    for (size_t i = 0; i < b->count; i++)
        for (seat_t *s; (s = b->list[i]->seats);) {
            party_t *p = s->party;
            s->batch = b;
            s->element = i;
            atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
            stand_up(s);
            if (!p->left && !p->sending)
                p->landed(p);
        }
    if (b->sent)
        next_turn(f, b->endpoint);
    pthread_mutex_unlock(&f->lock);
    batch_unref(b);
}

/* ---- sending ---- */

/* Gives a seat its place: on a flight in the air, or in one of the batches that are being made. False: no room or
 * memory. */
static bool place(flights_t *f, seat_t *s, size_t endpoint, batch_t *made[BATCHES_MAX], size_t *count)
{
    flight_t *x = find(f, &s->key, endpoint);
    s->own = !x;
    if (!x) {
        if (!*count || !has_room(made[*count - 1], s->need)) {
            batch_t *b = *count < BATCHES_MAX ? batch_new(f, endpoint) : NULL;
            if (!b)
                return false;
            made[(*count)++] = b;
        }
        if (!add_flight(f, made[*count - 1], s))
            return false;
        x = *bucket_of(f, &s->key, endpoint);
    }
    sit_down(s, x);
    return true;
}

/* Writes a batch while its needs are there. What cannot be written lands at once. */
static void write_batch(batch_t *b)
{
    view_t body = { NULL, 0 };
    b->task.run = land;
    b->rc = b->count ? jr_encode(&body, &b->why, &b->arena, b->needs, b->count) : RC_NOMEM;
    b->request = (hc_request_t){ .url = up_url(b->flights->config.upstream, b->endpoint),
                                 .post = body,
                                 .body_max = BATCH_BODY_MAX,
                                 .timeout_ms = b->flights->config.time_max_ms };
    for (size_t i = 0; i < b->count; i++) { /* the asker's; jr_decode needs neither */
        ((need_t *)(uintptr_t)b->needs[i])->block = NULL;
        ((need_t *)(uintptr_t)b->needs[i])->request = NULL;
    }
}

/* Sends it, or lets it wait for its turn. */
static void dispatch(flights_t *f, batch_t *b)
{
    if (b->rc) {
        land(&b->task);
        return;
    }
    pthread_mutex_lock(&f->lock);
    if (f->at[b->endpoint].in_air < f->config.in_air_max)
        submit(f, b);
    else {
        if (f->at[b->endpoint].first)
            f->at[b->endpoint].last->next = b;
        else
            f->at[b->endpoint].first = b;
        f->at[b->endpoint].last = b;
    }
    pthread_mutex_unlock(&f->lock);
}

static void leave_all(flights_t *f, party_t *p);

bool flights_send(flights_t *f, party_t *p, size_t endpoint)
{
    batch_t *made[BATCHES_MAX];
    size_t count = 0, taken = 0;
    pthread_mutex_lock(&f->lock);
    p->left = 0;
    p->sending = true;
    p->leave = false;
    for (; taken < p->count; taken++) {
        p->seats[taken].party = p;
        p->seats[taken].batch = NULL;
        p->seats[taken].flight = NULL;
        if (!place(f, &p->seats[taken], endpoint, made, &count))
            break;
    }
    p->count = taken;
    pthread_mutex_unlock(&f->lock);
    for (size_t i = 0; i < count; i++) {
        write_batch(made[i]);
        dispatch(f, made[i]);
    }
    pthread_mutex_lock(&f->lock);
    p->sending = false;
    if (p->leave)
        leave_all(f, p);
    bool waits = p->left > 0;
    pthread_mutex_unlock(&f->lock);
    return waits;
}

/* ---- leaving ---- */

/* Takes a batch that nobody waits for out of the air. Whether it is the caller's to free. */
static bool call_back(flights_t *f, batch_t *b)
{
    take_off_board(f, b);
    if (b->sent) {
        hc_cancel(f->config.http, &b->group);
        return false;
    }
    batch_t *before = NULL, *at = f->at[b->endpoint].first;
    for (; at && at != b; at = at->next)
        before = at;
    if (!at)
        return false; /* it is about to be sent, or to land */
    if (before)
        before->next = b->next;
    else
        f->at[b->endpoint].first = b->next;
    if (f->at[b->endpoint].last == b)
        f->at[b->endpoint].last = before;
    return true;
}

static void leave_all(flights_t *f, party_t *p)
{
    for (size_t i = 0; i < p->count; i++) {
        flight_t *x = p->seats[i].flight;
        if (!x)
            continue;
        stand_up(&p->seats[i]);
        if (!x->batch->passengers && !x->batch->landed && call_back(f, x->batch))
            pool_push(f->config.pool, &x->batch->task); /* lands with nobody on board */
    }
}

bool flights_leave(flights_t *f, party_t *p)
{
    pthread_mutex_lock(&f->lock);
    bool left = p->left > 0 && !p->sending;
    if (left)
        leave_all(f, p);
    else
        p->leave = p->sending;
    pthread_mutex_unlock(&f->lock);
    return left;
}

void flights_clear(party_t *p)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->seats[i].batch)
            batch_unref(p->seats[i].batch);
    p->count = 0;
}

/* ---- all of them ---- */

flights_t *flights_new(const flights_config_t *config)
{
    flights_t *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->config = *config;
    if (!f->config.in_air_max)
        f->config.in_air_max = IN_AIR_MAX;
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->empty, NULL);
    return f;
}

void flights_free(flights_t *f)
{
    if (!f)
        return;
    pthread_mutex_lock(&f->lock);
    while (f->batches)
        pthread_cond_wait(&f->empty, &f->lock);
    pthread_mutex_unlock(&f->lock);
    pthread_cond_destroy(&f->empty);
    pthread_mutex_destroy(&f->lock);
    free(f);
}
