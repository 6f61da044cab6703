#include "node/query/flight.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/os/worker.h"
#include "node/query/flight_work.h"
#include "node/query/lesson.h"

#define CODE_WEIGHT 4u                     /* slots that take as much as most codes, */
#define HINT_WEIGHT 16u                    /* ... and long access lists */
#define WIDE_PART(n) ((n) - (n) / 4)       /* of all memory, that long answers may have together */
#define BATCH_ARENA_MAX ((size_t)48 << 20) /* bytes of one, with its answers */
#define QUESTION_COST 1000u                /* to whose turn it is, in what share.h calls microseconds; */
#define BYTES_A_COST 16u                   /* ... and one more for so many bytes of the answer */

/* ---- keys ---- */

static flight_t **bucket_of(flights_t *f, const hash32_t *key, size_t endpoint)
{
    return &f->buckets[((unsigned)key->b[0] << 8 ^ key->b[1] ^ endpoint << 4) % BUCKETS];
}

/* A flight with that need that is in the air, to that endpoint. */
flight_t *flight_find(flights_t *f, const hash32_t *key, size_t endpoint)
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

static void land(pool_task_t *t);

batch_t *batch_new(flights_t *f, size_t endpoint, hs_client_t *client)
{
    batch_t *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    b->flights = f;
    b->client = client;
    b->endpoint = endpoint;
    b->task.run = land;
    atomic_init(&b->refs, 1);
    arena_init(&b->arena, BATCH_ARENA_MAX);
    b->needs = arena_calloc(&b->arena, BATCH_MAX, sizeof *b->needs);
    b->list = arena_calloc(&b->arena, BATCH_MAX, sizeof *b->list);
    if (!b->needs || !b->list) {
        arena_free(&b->arena);
        free(b);
        return NULL;
    }
    (void)hs_client_ref(client);
    f->batches++;
    return b;
}

static void pump(flights_t *f, size_t endpoint);

/* An answer is not in use any more: what waited for its memory may go. With the lock held. */
static void let_go(flights_t *f, size_t bytes)
{
    f->held -= bytes;
    for (size_t i = 0; bytes && i < UP_ENDPOINTS_MAX; i++)
        pump(f, i);
}

/* Without the lock. */
static void batch_unref(batch_t *b)
{
    const size_t held = b->sent && !b->tall ? b->request.body_max : 0;
    flights_t *f = b->flights;
    if (atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) != 1)
        return;
    hc_response_clear(&b->response);
    arena_free(&b->arena);
    hs_client_unref(b->client);
    free(b);
    pthread_mutex_lock(&f->lock);
    let_go(f, held);
    if (!--f->batches)
        pthread_cond_broadcast(&f->empty);
    pthread_mutex_unlock(&f->lock);
}

/* What an answer weighs, in slots: a whole block or its receipts about a tenth of a batch. */
static size_t weight_of(const need_t *need)
{
    switch (need->kind) {
    case NEED_BLOCK:
    case NEED_RECEIPTS: return BATCH_SLOTS_MAX / 10;
    case NEED_CODE: return CODE_WEIGHT;
    case NEED_HINT: return HINT_WEIGHT;
    default: return need->slot_count;
    }
}

/* Copies so many elements of a size; NULL: no memory. */
static const void *copy_array(arena_t *a, const void *p, size_t count, size_t size)
{
    return arena_dup(a, view_of(p, count * size)).p;
}

/* A copy of a request with all it points to; NULL: no memory. */
static const ex_request_t *copy_request(arena_t *a, const ex_request_t *q)
{
    ex_request_t *copy = arena_alloc(a, sizeof *copy);
    if (!copy)
        return NULL;
    *copy = *q;
    copy->data = arena_dup(a, q->data);
    evm_access_t *rows = arena_calloc(a, q->access_count, sizeof *rows);
    bool whole = rows && (copy->data.p || !q->data.n);
    for (size_t i = 0; whole && i < q->access_count; i++) {
        rows[i] = q->access[i];
        rows[i].keys = copy_array(a, rows[i].keys, rows[i].key_count, sizeof(hash32_t));
        whole = rows[i].keys || !rows[i].key_count;
    }
    copy->access = rows;
    return whole ? copy : NULL;
}

/* A copy of a need with all it points to; needs of one block share its copy. */
static const need_t *copy_need(batch_t *b, const need_t *need)
{
    arena_t *a = &b->arena;
    need_t *copy = arena_alloc(a, sizeof *copy);
    if (need->block != b->block_of)
        b->block = copy_array(a, need->block, 1, sizeof *need->block);
    b->block_of = need->block;
    if (!copy || !b->block)
        return NULL;
    *copy = *need;
    copy->block = b->block;
    copy->slots = copy_array(a, need->slots, need->slot_count, sizeof(hash32_t));
    copy->request = need->kind == NEED_HINT ? copy_request(a, need->request) : NULL;
    copy->raw = arena_dup(a, need->raw);
    if (need->raw.n && !copy->raw.p)
        return NULL;
    return (need->slot_count && !copy->slots) || (need->kind == NEED_HINT && !copy->request) ? NULL : copy;
}

/* Puts a need into a batch, on a flight of its own that others may join. NULL: no memory. */
flight_t *batch_add(flights_t *f, batch_t *b, const hash32_t *key, const need_t *asked)
{
    flight_t *x = arena_calloc(&b->arena, 1, sizeof *x), **at = bucket_of(f, key, b->endpoint);
    const need_t *need = copy_need(b, asked);
    if (!x || !need)
        return NULL;
    *x = (flight_t){ .next = *at, .key = *key, .batch = b, .element = b->count };
    *at = x;
    b->needs[b->count] = need;
    b->list[b->count++] = x;
    b->slots += weight_of(need);
    b->hints += need->kind == NEED_HINT;
    return x;
}

/* Elements that a batch has in the form that an endpoint is asked in. */
static size_t elements_of(const batch_t *b, const cap_t *can)
{
    return b->count - (can->form.no_hint ? b->hints : 0);
}

bool batch_has_room(const batch_t *b, const need_t *need, const cap_t *can)
{
    return b->count < BATCH_MAX && elements_of(b, can) < can->batch &&
           (b->count == 0 || b->slots + weight_of(need) <= BATCH_SLOTS_MAX);
}

void seat_sit_down(seat_t *s, flight_t *x)
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

void seat_stand_up(seat_t *s)
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

/* Where a batch waits, and is counted while it is in the air. It has all its needs. A head waits for no blocks, though
 * its header may come with as many hashes as a full block has. */
turns_t *batch_turns(flights_t *f, const batch_t *b)
{
    return batch_is_wide(b) ? &f->wide[b->endpoint] : &f->at[b->endpoint];
}

/* ---- landing ---- */

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
    b->request.plain = up_plain(f->config.upstream, b->endpoint);
    b->request.led = up_led(f->config.upstream, &b->arena, b->endpoint, f->config.now_ms());
    f->held += b->tall ? 0 : b->request.body_max;
    f->tall |= b->tall;
    batch_turns(f, b)->in_air++;
    hc_submit(f->config.http, &b->group, &b->response, &b->request, 1, on_response, b);
}

/* Hands the batch to all who wait for it. With the lock held. */
static void hand_out(batch_t *b)
{
    for (size_t i = 0; i < b->count; i++)
        for (seat_t *s; (s = b->list[i]->seats);) {
            party_t *p = s->party;
            s->batch = b;
            s->element = i;
            atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
            seat_stand_up(s);
            if (p->left || p->sending)
                continue;
            atomic_store(&p->here, true);
            p->landed(p);
        }
}

/* What a batch cost whoever's turn it was. */
static uint64_t cost_of(const batch_t *b)
{
    return b->sent ? QUESTION_COST * b->count + b->response.body_len / BYTES_A_COST : 0;
}

/* The text of a long answer has been read: what was made of it is short, and waits for the rest of its party. */
static void drop_text(batch_t *b)
{
    free(b->response.body);
    b->response.body = NULL;
    b->response.body_len = 0;
}

/* The next one of these may go. With the lock held. */
static void end_tall(flights_t *f, const batch_t *b)
{
    if (!b->sent || !b->tall)
        return;
    f->tall = false;
    for (size_t i = 0; i < UP_ENDPOINTS_MAX; i++)
        pump(f, i);
}

static void land(pool_task_t *t)
{
    batch_t *b = (batch_t *)(void *)((char *)t - offsetof(batch_t, task));
    flights_t *f = b->flights;
    lesson_read(b);
    lesson_note(f->config.upstream, b, f->config.now_ms());
    const uint64_t cost = cost_of(b);
    if (b->tall)
        drop_text(b);
    pthread_mutex_lock(&f->lock);
    take_off_board(f, b);
    b->landed = true;
    batch_ask_again(f, b);
    hand_out(b);
    batch_turns(f, b)->in_air -= b->sent;
    turns_end(batch_turns(f, b), b, cost);
    pump(f, b->endpoint);
    end_tall(f, b);
    pthread_mutex_unlock(&f->lock);
    batch_unref(b);
}

/* ---- sending ---- */

/* Writes a batch in a form. What cannot be written lands at once. */
static void write_batch(batch_t *b, const cap_form_t *form)
{
    view_t body = { NULL, 0 };
    b->form = *form;
    if (!b->count)
        b->rc = err_say(&b->why, RC_NOMEM, "out of memory");
    else if (jr_elements(b->needs, b->count, form))
        b->rc = jr_encode(&body, &b->why, &b->arena, b->needs, b->count, form);
    b->request = (hc_request_t){ .url = up_url(b->flights->config.upstream, b->endpoint),
                                 .ca_file = up_ca_file(b->flights->config.upstream),
                                 .post = body,
                                 .body_max = batch_body_max(b),
                                 .timeout_ms = b->flights->config.time_max_ms };
}

/* The next batch whose turn has come: not larger than the endpoint takes. */
static batch_t *next_batch(flights_t *f, turns_t *t, const cap_t *can)
{
    batch_t *b = turns_take(t);
    if (elements_of(b, can) <= can->batch)
        return b;
    take_off_board(f, b);
    batch_mark_all(b, true);
    batch_rebook(f, b, false, false);
    b->emptied = !b->passengers;
    if (!b->emptied)
        b->rc = err_say(&b->why, RC_NOMEM, "out of memory");
    pool_push(f->config.pool, &b->task);
    return NULL;
}

static bool same_form(const cap_form_t *a, const cap_form_t *b)
{
    return a->no_hint == b->no_hint && a->by_number == b->by_number && a->funds == b->funds;
}

/* Whether a batch may go: the endpoint is to be asked side by side, and there is memory for the answer. One of each
 * sort may be on its way whatever the others hold. */
static bool may_send(const flights_t *f, const turns_t *t, const batch_t *b, const cap_t *can)
{
    const size_t at = b->endpoint, held = f->held + batch_body_max(b), most = f->config.bytes_max;
    if (f->at[at].in_air + f->wide[at].in_air >= (can->settling ? 1 : f->config.in_air_max))
        return false;
    if (b->tall)
        return !f->tall;
    return !t->in_air || held <= (t == &f->wide[at] ? WIDE_PART(most) : most);
}

/* The endpoint asked for time while the batch waited for its turn: whoever waits for it asks another one, or later.
 * That is no fault that anybody tells. */
static void turn_away(batch_t *b)
{
    b->rc = err_code(&b->why, err_say(&b->why, RC_IO, "asked too often"), REFUSAL_BUSY);
    atomic_store(&b->blamed, lesson_rank(RC_NOMEM));
}

/* Sends the next of a sort. False: none waits, or it may not go. With the lock held. */
static bool send_next(flights_t *f, turns_t *t)
{
    const batch_t *next = turns_peek(t);
    if (!next)
        return false;
    const cap_t can = up_capability(f->config.upstream, next->endpoint);
    if (!may_send(f, t, next, &can))
        return false;
    f->wide_is_next[next->endpoint] = t == &f->at[next->endpoint];
    batch_t *b = next_batch(f, t, &can);
    if (!b)
        return true;
    if (!b->request.url || !same_form(&b->form, &can.form))
        write_batch(b, &can.form);
    if (!b->rc && up_wait_ms(f->config.upstream, b->endpoint, f->config.now_ms()))
        turn_away(b);
    if (b->rc || !b->request.post.p || !b->passengers)
        pool_push(f->config.pool, &b->task);
    else
        submit(f, b);
    return true;
}

/* Sends what waits, as far as it may: a flood of one sort leaves every second place to the other, and all of them when
 * whoever floods has his share. */
static void pump(flights_t *f, size_t endpoint)
{
    turns_t *const sorts[TURNS_SORTS] = { &f->at[endpoint], &f->wide[endpoint] };
    bool first;
    do {
        first = f->wide_is_next[endpoint];
        if (turns_yields(sorts[first], sorts[!first]))
            first = !first;
    } while (send_next(f, sorts[first]) || send_next(f, sorts[!first]));
}

/* Batches that take a party on board. */
typedef struct {
    const cap_t *can;
    size_t endpoint, most;
    batch_t *made[SMALL_MAX]; /* the first may be one that was open */
    size_t count;
} boarding_t;

/* What somebody has of the budget; NULL: he stands for many. */
static budget_use_t *use_of(flights_t *f, hs_client_t *client)
{
    if (!client)
        return &f->own;
    return client->turns[SHARE_LIGHT].exempt ? NULL : &client->upstream;
}

bool flights_may_ask(flights_t *f, hs_client_t *client, size_t questions)
{
    if (!client)
        return true;
    pthread_mutex_lock(&f->lock);
    const bool may = budget_has(&f->budget, use_of(f, client), questions, clock_monotonic_ms());
    pthread_mutex_unlock(&f->lock);
    return may;
}

/* Gives a seat its place: on a flight in the air, or in one of the batches that are being made. False: no room or
 * memory. */
static bool place(flights_t *f, seat_t *s, boarding_t *to)
{
    flight_t *x = flight_find(f, &s->key, to->endpoint);
    s->from = 0;
    if (!x && to->count)
        x = flight_share_proof(to->made[to->count - 1], s, to->can);
    s->own = !x;
    *(x ? &f->counts.joined : &f->counts.asked) += 1;
    if (!x) {
        if (!to->count || !batch_has_room(to->made[to->count - 1], s->need, to->can)) {
            batch_t *b = to->count < to->most ? batch_new(f, to->endpoint, s->party->client) : NULL;
            if (!b)
                return false;
            to->made[to->count++] = b;
        }
        x = batch_add(f, to->made[to->count - 1], &s->key, s->need);
        if (!x)
            return false;
        budget_take(&f->budget, use_of(f, s->party->client), 1, clock_monotonic_ms());
    }
    seat_sit_down(s, x);
    return true;
}

/* A transaction goes at once and alone: whoever sends it waits for nothing else. */
static bool gathers(const flights_t *f, const party_t *p)
{
    return f->gate && !(p->count && p->seats[0].need->kind == NEED_SEND);
}

/* With the lock held: the batch that is open takes part. */
static void take_open(flights_t *f, boarding_t *to)
{
    batch_t **open = &f->at[to->endpoint].open;
    if (*open)
        to->made[to->count++] = *open;
    *open = NULL;
}

/* How many batches a party may have: one more while sizes are tried, as each refusal is waited out. */
static size_t batches_most(const boarding_t *to)
{
    if (to->can->tried)
        return to->count + 1;
    return to->can->batch < BATCH_MAX ? SMALL_MAX : BATCHES_MAX;
}

/* With the lock held: the last batch, which others may get on as well, is left open. */
static void leave_open(flights_t *f, boarding_t *to)
{
    batch_t *b = to->count ? to->made[to->count - 1] : NULL;
    if (!b || !b->count || elements_of(b, to->can) >= to->can->batch)
        return;
    to->count--;
    f->at[to->endpoint].open = b;
    if (b->close_ms)
        return;
    b->close_ms = clock_monotonic_ms() + f->config.gather_ms;
    worker_wake(f->gate);
}

/* Writes batches and lets them wait for their turn. */
static void send_off(flights_t *f, batch_t *const *made, size_t count, size_t endpoint, const cap_t *can)
{
    for (size_t i = 0; i < count; i++)
        write_batch(made[i], &can->form);
    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < count; i++)
        turns_queue(batch_turns(f, made[i]), made[i]);
    pump(f, endpoint);
    pthread_mutex_unlock(&f->lock);
}

bool flights_send(flights_t *f, party_t *p, size_t endpoint)
{
    const cap_t can = up_capability(f->config.upstream, endpoint);
    boarding_t to = { .can = &can, .endpoint = endpoint };
    size_t taken = 0;
    pthread_mutex_lock(&f->lock);
    const bool gather = gathers(f, p);
    p->left = 0;
    p->sending = true;
    atomic_store(&p->here, false);
    if (gather)
        take_open(f, &to);
    to.most = batches_most(&to);
    for (; taken < p->count; taken++) {
        p->seats[taken].party = p;
        p->seats[taken].batch = NULL;
        p->seats[taken].flight = NULL;
        if (!place(f, &p->seats[taken], &to))
            break;
    }
    p->count = taken;
    if (gather)
        leave_open(f, &to);
    pthread_mutex_unlock(&f->lock);
    if (to.count)
        send_off(f, to.made, to.count, endpoint, &can);
    pthread_mutex_lock(&f->lock);
    p->sending = false;
    bool waits = p->left > 0;
    pthread_mutex_unlock(&f->lock);
    return waits;
}

/* ---- closing ---- */

/* On the pool: a batch that was open goes. */
static void depart(pool_task_t *t)
{
    batch_t *b = (batch_t *)(void *)((char *)t - offsetof(batch_t, task));
    const cap_t can = up_capability(b->flights->config.upstream, b->endpoint);
    b->task.run = land;
    send_off(b->flights, &b, 1, b->endpoint, &can);
}

/* Closes what has been open long enough. By the monotonic clock, when the next one has. */
static uint64_t close_due(flights_t *f)
{
    uint64_t next = UINT64_MAX;
    const uint64_t now = clock_monotonic_ms();
    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < UP_ENDPOINTS_MAX; i++) {
        batch_t *b = f->at[i].open;
        if (b && b->close_ms <= now) {
            f->at[i].open = NULL;
            b->task.run = depart;
            pool_push(f->config.pool, &b->task);
        } else if (b && b->close_ms < next)
            next = b->close_ms;
    }
    pthread_mutex_unlock(&f->lock);
    return next;
}

static void gate_main(worker_t *w, void *ctx)
{
    while (worker_sleep_until(w, close_due(ctx)))
        continue;
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
    return turns_remove(batch_turns(f, b), b); /* else it is open, about to be sent, or to land */
}

bool flights_leave(flights_t *f, party_t *p)
{
    pthread_mutex_lock(&f->lock);
    const bool left = p->left > 0;
    for (size_t i = 0; i < p->count; i++) {
        flight_t *x = p->seats[i].flight;
        if (!x)
            continue;
        seat_stand_up(&p->seats[i]);
        if (!x->batch->passengers && !x->batch->landed && call_back(f, x->batch))
            pool_push(f->config.pool, &x->batch->task); /* lands with nobody on board */
    }
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

void flights_counts(flights_t *f, flights_counts_t *out)
{
    pthread_mutex_lock(&f->lock);
    *out = f->counts;
    out->left = budget_left(&f->budget, clock_monotonic_ms());
    for (size_t i = 0; i < UP_ENDPOINTS_MAX; i++) {
        out->in_air += f->at[i].in_air + f->wide[i].in_air;
        out->waiting += turns_waiting(&f->at[i]) + turns_waiting(&f->wide[i]);
    }
    pthread_mutex_unlock(&f->lock);
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
    if (!f->config.bytes_max)
        f->config.bytes_max = FLIGHT_BYTES_MAX;
    f->budget.per_minute = config->per_minute;
    for (size_t i = 0; i < UP_ENDPOINTS_MAX; i++) {
        turns_init(&f->at[i], &f->guests[i], 0, f->config.in_air_max);
        turns_init(&f->wide[i], &f->guests[i], 1, f->config.in_air_max);
    }
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->empty, NULL);
    if (config->gather_ms && worker_start(&f->gate, NULL, "flights", gate_main, f)) {
        flights_free(f);
        return NULL;
    }
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
    worker_stop(f->gate);
    pthread_cond_destroy(&f->empty);
    pthread_mutex_destroy(&f->lock);
    free(f);
}
