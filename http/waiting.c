#include <poll.h>
#include <stdlib.h>

#include "base/os/clock.h"
#include "http/server_state.h"

#define LOOK_AT 256u /* connections at a time */

/* ---- slow requests ---- */

void conn_handle(conn_t *c)
{
    c->route->handler(c->server->config.ctx, &c->request, &c->response);
}

static void fill_busy(hs_response_t *r, bool over_share)
{
    if (over_share)
        hs_problem(r, 429, "over-share", "this client has more requests waiting than its share, and others wait");
    else
        hs_problem(r, 503, "busy", "too many requests are waiting");
    r->retry_after_s = 1;
}

static bool has_share(const hs_client_t *client, unsigned held, unsigned places)
{
    return client->turns[SHARE_WORKERS].exempt || held < share_part(places);
}

/* Makes room in the workers' queue for a client that has not had its share: whoever holds most gives his last one up,
 * which gets 429. With the lock held. */
static bool queue_yield(hs_t *s, const hs_client_t *to)
{
    share_turn_t *most = share_longest(&s->slow);
    if (!has_share(to, to->turns[SHARE_WORKERS].waiting, s->config.queue_max) || !most ||
        most->waiting <= to->turns[SHARE_WORKERS].waiting + 1)
        return false;
    conn_t *c = (conn_t *)(void *)((char *)share_take_last(&s->slow, most) - offsetof(conn_t, item));
    fill_busy(&c->response, true);
    c->at = AT_ANSWERED;
    MHD_resume_connection(c->mhd);
    return true;
}

bool conn_queue(conn_t *c)
{
    hs_t *s = c->server;
    share_turn_t *turn = &c->request.client->turns[SHARE_WORKERS];
    bool room;
    pthread_mutex_lock(&s->lock);
    room = !s->quit && (s->slow.waiting + s->slow.running < s->worker_count + s->config.queue_max ||
                        queue_yield(s, c->request.client));
    if (room) {
        MHD_suspend_connection(c->mhd);
        atomic_store_explicit(&c->deadline_ms, 0, memory_order_relaxed);
        c->at = AT_QUEUED;
        share_push(&s->slow, turn, &c->item);
        pthread_cond_signal(&s->work);
    } else {
        fill_busy(&c->response, turn->waiting >= share_part(s->config.queue_max));
    }
    pthread_mutex_unlock(&s->lock);
    return room;
}

bool hs_others_wait(const hs_request_t *request)
{
    hs_t *s = request->server;
    pthread_mutex_lock(&s->lock);
    const bool wait = s->slow.waiting > request->client->turns[SHARE_WORKERS].waiting;
    pthread_mutex_unlock(&s->lock);
    return wait;
}

/* Whether the other side has closed the connection, at least for sending. Its fd is open as long as it is suspended. */
static bool has_left(const conn_t *c)
{
    struct pollfd p = { .fd = c->fd, .events = POLLRDHUP };
    return poll(&p, 1, 0) == 1 && p.revents & (POLLRDHUP | POLLHUP | POLLERR);
}

void *conn_worker(void *arg)
{
    hs_t *s = arg;
    pthread_mutex_lock(&s->lock);
    for (;;) {
        share_turn_t *turn;
        share_item_t *item = share_next(&s->slow, &turn);
        bool abandon = s->quit;
        if (!item && s->quit)
            break;
        if (!item) {
            pthread_cond_wait(&s->work, &s->lock);
            continue;
        }
        conn_t *c = (conn_t *)(void *)((char *)item - offsetof(conn_t, item));
        hs_client_t *client = hs_client_ref(c->request.client);
        pthread_mutex_unlock(&s->lock);
        const uint64_t began = clock_monotonic_ms();
        if (abandon)
            hs_problem(&c->response, 503, "stopping", "the server is stopping");
        else if (has_left(c))
            hs_problem(&c->response, 503, "left", "nobody waits for the answer");
        else
            conn_handle(c);
        c->at = AT_ANSWERED;
        MHD_resume_connection(c->mhd); /* c is the event thread's again */
        pthread_mutex_lock(&s->lock);
        share_done(&s->slow, turn, 1000 * (clock_monotonic_ms() - began));
        hs_client_unref(client);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* ---- deferred requests ---- */

static void pending_unref(hs_pending_t *p)
{
    if (atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) != 1)
        return;
    free((void *)(uintptr_t)p->request.body.p);
    free((void *)(uintptr_t)p->request.path);
    free((void *)(uintptr_t)p->request.query);
    free((void *)(uintptr_t)p->request.content_type);
    hs_client_unref(p->request.client);
    free(p);
}

/* The request of a connection, whose body goes over to it. NULL: no memory. */
static hs_pending_t *pending_new(conn_t *c)
{
    hs_pending_t *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    atomic_init(&p->refs, 1);
    p->request = (hs_request_t){ .method = c->route->method,
                                 .path = strdup(c->request.path),
                                 .query = strdup(c->request.query),
                                 .content_type = strdup(c->request.content_type),
                                 .authorization = "",
                                 .operator_signature = "",
                                 .accept = "",
                                 .last_event_id = "",
                                 .from_page = c->request.from_page,
                                 .gzip = c->request.gzip,
                                 .client = hs_client_ref(c->request.client) };
    if (!p->request.path || !p->request.query || !p->request.content_type) {
        pending_unref(p);
        return NULL;
    }
    return p;
}

/* Answers a connection that was taken out of its p. The server lives until p has left its ring; with its lock held. */
static void pending_answer(hs_pending_t *p, conn_t *c, hs_response_t *r)
{
    hs_t *s = c->server;
    c->response = *r;
    *r = (hs_response_t){ 0 };
    c->at = AT_ANSWERED;
    MHD_resume_connection(c->mhd); /* c is the event thread's again */
    p->prev->next = p->next;
    p->next->prev = p->prev;
    s->deferred_bytes -= p->request.body.n;
    p->request.client->deferred_bytes -= p->request.body.n;
    p->request.client->deferred--;
    if (s->config.tallies)
        tally_sub(&s->config.tallies->put_off, 1);
    if (!--s->deferred)
        pthread_cond_broadcast(&s->answered);
}

static bool fits(const hs_t *s, size_t body_len)
{
    return s->deferred < s->config.deferred_max && body_len <= s->config.deferred_body_max - s->deferred_bytes;
}

/* How much of what can be put off a client holds, in thousandths: of the number or of the bytes, whichever is more. */
static unsigned held(const hs_t *s, const hs_client_t *c, unsigned more, size_t more_bytes)
{
    const size_t number = 1000 * (size_t)(c->deferred + more) / s->config.deferred_max;
    const size_t bytes = 1000 * (c->deferred_bytes + more_bytes) / s->config.deferred_body_max;
    return (unsigned)(number > bytes ? number : bytes);
}

static bool is_over(const hs_t *s, const hs_client_t *c, size_t body_len)
{
    return !c->turns[SHARE_WORKERS].exempt && held(s, c, 1, body_len) > 1000 / SHARE_PART;
}

/* The client that holds most of what is put off. */
static hs_client_t *holds_most(const hs_t *s)
{
    hs_client_t *most = NULL;
    for (hs_pending_t *p = s->pendings.next; p != &s->pendings; p = p->next) {
        hs_client_t *c = p->request.client;
        if (!c->turns[SHARE_WORKERS].exempt && (!most || held(s, c, 0, 0) > held(s, most, 0, 0)))
            most = c;
    }
    return most;
}

typedef enum { TAKE_OVER_SHARE, TAKE_STOPPING, TAKE_LEFT } take_why_t;

/* Takes a request's connection from whoever is to answer, and answers it. With the lock held. */
static bool take_back(hs_pending_t *p, take_why_t why)
{
    conn_t *c = atomic_exchange(&p->conn, NULL);
    hs_response_t r = { 0 };
    if (!c)
        return false; /* it is being answered just now */
    if (why == TAKE_OVER_SHARE)
        fill_busy(&r, true);
    else if (why == TAKE_STOPPING)
        hs_problem(&r, 503, "stopping", "the server is stopping");
    else
        hs_problem(&r, 503, "left", "nobody waits for the answer");
    pending_answer(p, c, &r);
    pending_unref(p);
    return true;
}

/* Makes room for a client that has not had its share: whoever holds most gives up what came last, which gets 429. With
 * the lock held. */
static bool defer_yield(hs_t *s, const hs_client_t *to, size_t body_len)
{
    hs_client_t *most = is_over(s, to, body_len) ? NULL : holds_most(s);
    if (!most || held(s, most, 0, 0) <= held(s, to, 1, body_len))
        return false;
    hs_pending_t *p = s->pendings.prev, *before;
    for (; p != &s->pendings && !fits(s, body_len); p = before) {
        before = p->prev;
        if (p->request.client == most)
            (void)take_back(p, TAKE_OVER_SHARE);
    }
    return fits(s, body_len);
}

/* The connection goes from its event thread to p. With the lock held. */
static void put_off(hs_t *s, hs_pending_t *p, conn_t *c)
{
    MHD_suspend_connection(c->mhd);
    atomic_store_explicit(&c->deadline_ms, 0, memory_order_relaxed);
    p->request.body = view_of(c->body, c->body_len);
    conn_body_gone(c, c->body_cap);
    c->body = NULL;
    c->body_cap = 0;
    c->at = AT_DEFERRED;
    c->deferred = true;
    atomic_store(&p->conn, c);
    atomic_store(&p->refs, 2);
    p->prev = s->pendings.prev;
    p->next = &s->pendings;
    p->prev->next = p->next->prev = p;
    s->deferred++;
    if (s->config.tallies)
        tally_add(&s->config.tallies->put_off, 1);
    s->deferred_bytes += c->body_len;
    c->request.client->deferred++;
    c->request.client->deferred_bytes += c->body_len;
}

hs_pending_t *hs_defer(const hs_request_t *request, hs_response_t *response)
{
    conn_t *c = (conn_t *)(uintptr_t)((const char *)request - offsetof(conn_t, request));
    hs_t *s = c->server;
    hs_pending_t *p = pending_new(c);
    pthread_mutex_lock(&s->lock);
    const bool over = is_over(s, request->client, c->body_len);
    const bool room = p && !s->quit && (fits(s, c->body_len) || defer_yield(s, request->client, c->body_len));
    if (room)
        put_off(s, p, c);
    pthread_mutex_unlock(&s->lock);
    if (room)
        return p;
    if (p)
        pending_unref(p);
    fill_busy(response, over);
    return NULL;
}

bool hs_pending_gone(const hs_pending_t *p)
{
    return !atomic_load_explicit(&p->conn, memory_order_relaxed);
}

const hs_request_t *hs_pending_request(const hs_pending_t *p)
{
    return &p->request;
}

void hs_answer(hs_pending_t *p, hs_response_t *response)
{
    conn_t *c = atomic_exchange(&p->conn, NULL);
    if (c) {
        hs_t *s = c->server;
        pthread_mutex_lock(&s->lock);
        pending_answer(p, c, response);
        pthread_mutex_unlock(&s->lock);
        pending_unref(p);
    }
    hs_response_clear(response);
    pending_unref(p);
}

void drop_deferred(hs_t *s)
{
    hs_pending_t *next;
    pthread_mutex_lock(&s->lock);
    for (hs_pending_t *p = s->pendings.next; p != &s->pendings; p = next) {
        next = p->next;
        (void)take_back(p, TAKE_STOPPING);
    }
    while (s->deferred)
        pthread_cond_wait(&s->answered, &s->lock);
    pthread_mutex_unlock(&s->lock);
}

/* Takes back what was put off for connections whose other side has closed: so many from p on. Gives where it stopped;
 * with the lock held. */
static hs_pending_t *drop_some(hs_t *s, hs_pending_t *p)
{
    struct pollfd fds[LOOK_AT];
    hs_pending_t *whose[LOOK_AT];
    nfds_t n = 0;
    for (; p != &s->pendings && n < LOOK_AT; p = p->next) {
        const conn_t *c = atomic_load(&p->conn); /* stays suspended as long as the lock is held */
        if (!c)
            continue;
        whose[n] = p;
        fds[n++] = (struct pollfd){ .fd = c->fd, .events = POLLRDHUP };
    }
    if (poll(fds, n, 0) > 0)
        for (nfds_t i = 0; i < n; i++)
            if (fds[i].revents)
                (void)take_back(whose[i], TAKE_LEFT);
    return p;
}

void drop_left(hs_t *s)
{
    pthread_mutex_lock(&s->lock);
    for (hs_pending_t *p = s->pendings.next; p != &s->pendings;)
        p = drop_some(s, p);
    pthread_mutex_unlock(&s->lock);
}
