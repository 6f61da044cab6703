#include "node/vigil_events.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/secret.h"
#include "base/hex.h"
#include "base/json.h"

#define EPOCH_LEN 16u /* characters */
#define HEAD_MAX 256u /* characters in front of an event's data */
#define TEXT_MAX (STANDING_ANSWER_MAX + 512u + (size_t)VIGIL_IDS_MAX * 40u)

/* One event that is kept. */
typedef struct {
    hash32_t call;
    uint8_t *statement; /* owned */
    size_t n;
    uint64_t head;
} event_t;

/* Who listens. */
typedef struct listener {
    struct listener *prev, *next; /* in the ring */
    vigil_events_t *all;
    hs_stream_t *stream;           /* NULL: it is a session's, */
    void *session;                 /* which is not held, */
    char id[API_WATCH_ID_LEN + 1]; /* by this name, */
    const void *message;           /* which this message asked for, */
    bool begun;                    /* and is pushed to */
    uint64_t next_event;           /* number of the next one that it is to see */
    bool begins, gap;              /* open is to be said, a gap of which nobody knows how long it is */
    char *text;                    /* owned: of the event that is being sent */
    size_t n, at;
    uint64_t turn; /* in which the text was made */
    size_t count;
    standing_ref_t *refs; /* behind it; ordered by the hash */
} listener_t;

struct vigil_events {
    pthread_mutex_t lock;
    uint64_t (*turn)(void *ctx);
    void *ctx;
    vigil_sessions_t sessions;
    uint64_t turn_of_events;
    char epoch[EPOCH_LEN + 1];
    event_t events[VIGIL_EVENTS_MAX]; /* number n at n % VIGIL_EVENTS_MAX */
    uint64_t first, next;             /* numbers of those that are kept */
    size_t bytes;
    listener_t listeners; /* a ring */
    uint64_t listener_count;
    size_t watched; /* refs of sessions' listeners */
};

/* ---- what is kept; with the lock held ---- */

static void drop_oldest(vigil_events_t *v)
{
    event_t *e = &v->events[v->first++ % VIGIL_EVENTS_MAX];
    v->bytes -= e->n;
    free(e->statement);
    e->statement = NULL;
}

/* Lets go of what a former key signed. */
static void look_at_turn(vigil_events_t *v)
{
    const uint64_t now = v->turn(v->ctx);
    while (now != v->turn_of_events && v->first < v->next)
        drop_oldest(v);
    v->turn_of_events = now;
}

/* ---- which ---- */

static int by_hash(const void *x, const void *y)
{
    const standing_ref_t *a = x, *b = y;
    return memcmp(a->hash.b, b->hash.b, sizeof a->hash.b);
}

/* The first of a listener's that are of this call; its count when there is none. */
static size_t find(const listener_t *l, const hash32_t *call)
{
    size_t from = 0, to = l->count;
    while (from < to) {
        const size_t mid = from + (to - from) / 2;
        if (memcmp(l->refs[mid].hash.b, call->b, sizeof call->b) < 0)
            from = mid + 1;
        else
            to = mid;
    }
    return from < l->count && hash32_eq(&l->refs[from].hash, call) ? from : l->count;
}

/* ---- texts; with the lock held ---- */

static bool set_text(listener_t *l, uint64_t number, const char *event, view_t data)
{
    static const char
        event_of[] = "id: %s-%llu\nevent: %s\ndata: ",
        notice_of[] =
            "{\"jsonrpc\":\"2.0\",\"method\":\"eth_subscription\",\"params\":{\"subscription\":\"%s\",\"result\":"
            "{\"id\":\"%s-%llu\",\"event\":\"%s\",\"data\":";
    const char *epoch = l->all->epoch, *tail = l->stream ? "\n\n" : "}}}";
    const unsigned long long at = number;
    char head[HEAD_MAX];
    const int n = l->stream ? snprintf(head, sizeof head, event_of, epoch, at, event)
                            : snprintf(head, sizeof head, notice_of, l->id, epoch, at, event);
    l->n = (size_t)n + data.n + strlen(tail);
    l->text = malloc(l->n);
    if (!l->text)
        return false;
    memcpy(l->text, head, (size_t)n);
    memcpy(l->text + n, data.p, data.n);
    memcpy(l->text + (size_t)n + data.n, tail, strlen(tail));
    l->at = 0;
    l->turn = l->all->turn_of_events;
    return true;
}

static bool say_gap(listener_t *l, uint64_t events)
{
    char data[48];
    snprintf(data, sizeof data, "{\"events\":%llu}", (unsigned long long)events);
    return set_text(l, l->next_event - 1, "gap", view_str(data));
}

static bool say_statement(listener_t *l, uint64_t number, size_t from)
{
    const event_t *e = &l->all->events[number % VIGIL_EVENTS_MAX];
    jw_t w = jw_of(NULL, TEXT_MAX);
    jw_object(&w, NULL);
    jw_array(&w, "ids");
    for (size_t i = from; i < l->count && hash32_eq(&l->refs[i].hash, &e->call); i++)
        jw_hex(&w, NULL, view_of(l->refs[i].id, STANDING_ID_LEN));
    jw_end(&w);
    jw_u64(&w, "head", e->head);
    jw_raw(&w, "statement", view_of(e->statement, e->n));
    jw_end(&w);
    const view_t data = jw_done(&w);
    const bool said = data.p && set_text(l, number, "statement", data);
    jw_free(&w);
    return said;
}

/* The oldest event that a listener may still have: what is pushed waits in memory, so that is less. */
static uint64_t oldest_for(const listener_t *l)
{
    const vigil_events_t *v = l->all;
    return l->stream || v->next - v->first <= VIGIL_AGAIN_MAX ? v->first : v->next - VIGIL_AGAIN_MAX;
}

/* Makes the next text that a listener is to be sent. False: there is none, or no memory: then it ends. */
static bool next_text(listener_t *l, bool *no_memory)
{
    const vigil_events_t *v = l->all;
    bool said = true;
    const uint64_t oldest = oldest_for(l);
    if (l->gap || l->next_event < oldest) {
        const uint64_t lost = l->gap ? 0 : oldest - l->next_event;
        l->gap = l->begins = false;
        l->next_event = oldest;
        said = say_gap(l, lost);
    } else if (l->begins) {
        l->begins = false;
        said = set_text(l, l->next_event - 1, "open", view_str("{}"));
    } else {
        for (; l->next_event < v->next; l->next_event++) {
            const size_t at = find(l, &v->events[l->next_event % VIGIL_EVENTS_MAX].call);
            if (at == l->count)
                continue;
            said = say_statement(l, l->next_event++, at);
            *no_memory = !said;
            return said;
        }
        return false;
    }
    *no_memory = !said;
    return said;
}

/* ---- a stream ---- */

static size_t on_read(void *ctx, char *out, size_t cap)
{
    listener_t *l = ctx;
    size_t n = 0;
    bool no_memory = false;
    pthread_mutex_lock(&l->all->lock);
    look_at_turn(l->all);
    const bool is_over = l->text && l->turn != l->all->turn_of_events;
    while (!is_over && n < cap && (l->text || next_text(l, &no_memory))) {
        const size_t more = l->n - l->at < cap - n ? l->n - l->at : cap - n;
        memcpy(out + n, l->text + l->at, more);
        n += more;
        l->at += more;
        if (l->at == l->n) {
            free(l->text);
            l->text = NULL;
        }
    }
    pthread_mutex_unlock(&l->all->lock);
    return is_over || (no_memory && !n) ? HS_STREAM_END : n;
}

/* Into the ring, and out of it; with the lock held. */
static void put_in(listener_t *l)
{
    vigil_events_t *v = l->all;
    l->prev = v->listeners.prev;
    l->next = &v->listeners;
    l->prev->next = l->next->prev = l;
    v->listener_count++;
}

static void take_out(listener_t *l)
{
    l->prev->next = l->next;
    l->next->prev = l->prev;
    l->all->listener_count--;
}

static void on_closed(void *ctx)
{
    listener_t *l = ctx;
    vigil_events_t *v = l->all;
    pthread_mutex_lock(&v->lock);
    if (l->prev)
        take_out(l);
    pthread_mutex_unlock(&v->lock);
    hs_stream_unref(l->stream);
    free(l->text);
    free(l);
}

/* Where a listener goes on that has had the event of this id. With the lock held. */
static void resume(listener_t *l, const char *last)
{
    const vigil_events_t *v = l->all;
    char *end = NULL;
    l->next_event = v->next;
    l->begins = !*last;
    if (!*last)
        return;
    const bool same = !strncmp(last, v->epoch, EPOCH_LEN) && last[EPOCH_LEN] == '-' && last[EPOCH_LEN + 1] >= '0' &&
                      last[EPOCH_LEN + 1] <= '9';
    const uint64_t number = same ? strtoull(last + EPOCH_LEN + 1, &end, 10) : 0;
    if (same && !*end && number < v->next)
        l->next_event = number + 1;
    else
        l->gap = true;
}

/* NULL: out of memory. */
static listener_t *listener_new(vigil_events_t *v, const standing_ref_t *refs, size_t count)
{
    listener_t *l = calloc(1, sizeof *l + count * sizeof *l->refs);
    if (!l)
        return NULL;
    l->all = v;
    l->count = count;
    l->refs = (standing_ref_t *)(void *)(l + 1);
    memcpy(l->refs, refs, count * sizeof *refs);
    qsort(l->refs, count, sizeof *l->refs, by_hash);
    return l;
}

void vigil_events_listen(vigil_events_t *v, hs_response_t *r, const hs_request_t *request, standing_ref_t *refs,
                         size_t count)
{
    listener_t *l = listener_new(v, refs, count);
    if (!l) {
        hs_problem(r, 503, "out-of-memory", "out of memory");
        return;
    }
    const hs_source_t source = { .read = on_read, .closed = on_closed, .ctx = l, .idle = ":\n\n" };
    pthread_mutex_lock(&v->lock);
    resume(l, request->last_event_id);
    l->stream = hs_stream_new(request, r, "text/event-stream", &source);
    if (l->stream)
        put_in(l);
    pthread_mutex_unlock(&v->lock);
    if (!l->stream)
        free(l);
}

/* ---- sessions ---- */

/* Pushes what a session's listener has not had yet. With the lock held. */
static void push_all(listener_t *l)
{
    const vigil_sessions_t *to = &l->all->sessions;
    bool no_memory = false;
    while (l->begun && next_text(l, &no_memory)) {
        to->push(l->session, view_of(l->text, l->n));
        free(l->text);
        l->text = NULL;
    }
    if (no_memory)
        to->end(l->session);
}

static void watch_free(listener_t *l)
{
    l->all->watched -= l->count;
    take_out(l);
    free(l);
}

/* The next listener of a session behind one; NULL: there is none. With the lock held. */
static listener_t *next_of(const listener_t *l, const void *session)
{
    const listener_t *ring = &l->all->listeners;
    for (listener_t *x = l->next; x != ring; x = x->next)
        if (!x->stream && x->session == session)
            return x;
    return NULL;
}

static void draw_id(char id[API_WATCH_ID_LEN + 1])
{
    uint8_t bytes[16];
    secret_random(bytes, sizeof bytes);
    bytes[0] |= 0x80; /* a quantity has no zeros in front */
    memcpy(id, "0x", 2);
    hex_encode(id + 2, view_of(bytes, sizeof bytes));
}

rc_t vigil_events_watch(vigil_events_t *v, char id[API_WATCH_ID_LEN + 1], err_t *e, const api_asker_t *by,
                        standing_ref_t *refs, size_t count, const char *last)
{
    size_t has = 0;
    listener_t *l = listener_new(v, refs, count);
    if (!l)
        return err_say(e, RC_NOMEM, "out of memory");
    l->session = by->session;
    l->message = by->message;
    draw_id(l->id);
    pthread_mutex_lock(&v->lock);
    for (const listener_t *x = &v->listeners; (x = next_of(x, by->session));)
        has++;
    const bool fits = has < VIGIL_WATCHES_MAX && count <= (VIGIL_WATCHED_MAX - v->watched) / VIGIL_WATCHED_PART;
    if (fits) {
        look_at_turn(v);
        resume(l, last);
        v->watched += count;
        put_in(l);
        memcpy(id, l->id, sizeof l->id);
    }
    pthread_mutex_unlock(&v->lock);
    if (fits)
        return RC_OK;
    free(l);
    return err_say(e, RC_LIMIT,
                   has < VIGIL_WATCHES_MAX ? "too many standing calls are listened for"
                                           : "this connection has its share of such subscriptions");
}

bool vigil_events_unwatch(vigil_events_t *v, void *session, view_t id)
{
    pthread_mutex_lock(&v->lock);
    listener_t *l = &v->listeners;
    while ((l = next_of(l, session)) && !view_eq(id, view_str(l->id)))
        ;
    if (l)
        watch_free(l);
    pthread_mutex_unlock(&v->lock);
    return l != NULL;
}

void vigil_events_begin(vigil_events_t *v, void *session, const void *message)
{
    pthread_mutex_lock(&v->lock);
    look_at_turn(v);
    for (listener_t *l = &v->listeners; (l = next_of(l, session));)
        if (!l->begun && l->message == message) {
            l->begun = true;
            push_all(l);
        }
    pthread_mutex_unlock(&v->lock);
}

void vigil_events_over(vigil_events_t *v, void *session)
{
    listener_t *l;
    pthread_mutex_lock(&v->lock);
    while ((l = next_of(&v->listeners, session)))
        watch_free(l);
    pthread_mutex_unlock(&v->lock);
}

/* ---- events ---- */

void vigil_events_put(vigil_events_t *v, uint64_t turn, const hash32_t *call, view_t statement, uint64_t head)
{
    uint8_t *copy = malloc(statement.n ? statement.n : 1);
    pthread_mutex_lock(&v->lock);
    look_at_turn(v);
    if (turn != v->turn_of_events) {
        pthread_mutex_unlock(&v->lock);
        free(copy);
        return;
    }
    while (v->first < v->next &&
           (v->next - v->first >= VIGIL_EVENTS_MAX || v->bytes + statement.n > VIGIL_EVENTS_BYTES_MAX))
        drop_oldest(v);
    if (!copy) { /* an event that nobody can be told: a gap for all */
        while (v->first < v->next)
            drop_oldest(v);
        v->first = ++v->next;
    } else {
        memcpy(copy, statement.p, statement.n);
        v->events[v->next++ % VIGIL_EVENTS_MAX] =
            (event_t){ .call = *call, .statement = copy, .n = statement.n, .head = head };
        v->bytes += statement.n;
    }
    for (listener_t *l = v->listeners.next; l != &v->listeners; l = l->next)
        if (!l->stream)
            push_all(l);
        else if (!copy || find(l, call) < l->count)
            hs_stream_wake(l->stream);
    pthread_mutex_unlock(&v->lock);
}

uint64_t vigil_events_listeners(vigil_events_t *v)
{
    pthread_mutex_lock(&v->lock);
    const uint64_t n = v->listener_count;
    pthread_mutex_unlock(&v->lock);
    return n;
}

vigil_events_t *vigil_events_new(uint64_t (*turn)(void *ctx), void *ctx, const vigil_sessions_t *sessions)
{
    uint8_t epoch[EPOCH_LEN / 2];
    vigil_events_t *v = calloc(1, sizeof *v);
    if (!v)
        return NULL;
    secret_random(epoch, sizeof epoch);
    hex_encode(v->epoch, view_of(epoch, sizeof epoch));
    v->turn = turn;
    v->ctx = ctx;
    v->sessions = *sessions;
    v->turn_of_events = turn(ctx);
    v->first = v->next = 1;
    v->listeners.prev = v->listeners.next = &v->listeners;
    v->listeners.all = v;
    pthread_mutex_init(&v->lock, NULL);
    return v;
}

void vigil_events_free(vigil_events_t *v)
{
    if (!v)
        return;
    while (v->first < v->next)
        drop_oldest(v);
    while (v->listeners.next != &v->listeners) /* sessions whose end nobody told */
        watch_free(v->listeners.next);
    pthread_mutex_destroy(&v->lock);
    free(v);
}
