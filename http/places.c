/* Who may stay: the list of connections, whose place a newcomer gets, and the memory of bodies and answers. */
#include <sys/socket.h>

#include "base/os/clock.h"
#include "http/reply.h"
#include "http/server_state.h"
#include "http/tls.h"

static stage_t stage_of(const conn_t *c)
{
    return atomic_load_explicit(&c->stage, memory_order_relaxed);
}

/* ---- connections ---- */

static void conn_uncount(hs_t *s, conn_t *c)
{
    s->conn_count--;
    if (s->config.tallies)
        tally_sub(&s->config.tallies->connections, 1);
    c->client->connections--;
}

/* Closes a connection to make room. With the lock held. */
static void evict_one(hs_t *s, conn_t *c)
{
    c->evicted = true;
    s->evicted++;
    conn_uncount(s, c);
    (void)shutdown(c->fd, SHUT_RDWR); /* its event thread sees the end and closes */
}

/* Closes the oldest connection of a client that is still receiving. With the lock held. */
static void evict_own(hs_t *s, const hs_client_t *of)
{
    conn_t *c = s->conns_last;
    while (c && (c->evicted || c->client != of || stage_of(c) != STAGE_RECEIVING))
        c = c->prev;
    if (c)
        evict_one(s, c);
}

/* Counts the connections of each client, but for those that last. With the lock held. */
static void count_held(const hs_t *s)
{
    for (const conn_t *c = s->conns; c; c = c->next)
        conn_asker(c)->held = 0;
    for (const conn_t *c = s->conns; c; c = c->next)
        conn_asker(c)->held += !c->evicted && stage_of(c) != STAGE_LASTING;
}

/* Whose connection has to go for the newest one, when all places are taken: the oldest that is still receiving, of a
 * client that has no fewer than the newcomer's; else of whoever has most, and more than that, the oldest whose answer
 * is being sent, or is waited for. Whoever stands for many counts as who has none yet. NULL: of nobody. */
static conn_t *whom_to_evict(const hs_t *s)
{
    const hs_client_t *own = conn_asker(s->conns);
    conn_t *most = NULL;
    count_held(s);
    const unsigned held = own->turns[0].exempt ? 0 : own->held;
    for (conn_t *c = s->conns_last; c != s->conns; c = c->prev) {
        const stage_t stage = stage_of(c);
        const unsigned n = conn_asker(c)->held;
        if (c->evicted || stage == STAGE_LASTING)
            continue;
        if (stage == STAGE_RECEIVING && n >= held)
            return c;
        if (n > held &&
            (!most || n > conn_asker(most)->held || (n == conn_asker(most)->held && stage > stage_of(most))))
            most = c;
    }
    return most;
}

void conn_enter(hs_t *s, conn_t *c)
{
    pthread_mutex_lock(&s->conns_lock);
    c->identity = c->tls ? hs_identity_ref(s->identity) : NULL;
    c->next = s->conns;
    if (c->next)
        c->next->prev = c;
    else
        s->conns_last = c;
    s->conns = c;
    s->conn_count++;
    if (s->config.tallies)
        tally_add(&s->config.tallies->connections, 1);
    c->client->connections++;
    if (c->client->connections > s->config.per_client_max && !c->client->turns[0].exempt) {
        evict_own(s, c->client);
    } else if (s->conn_count > s->config.connections_max) {
        conn_t *other = whom_to_evict(s);
        evict_one(s, other ? other : c);
    }
    pthread_mutex_unlock(&s->conns_lock);
    if (c->tls)
        tls_attach(c->tls, c->identity);
}

void conn_leave(hs_t *s, conn_t *c)
{
    pthread_mutex_lock(&s->conns_lock);
    if (c->prev)
        c->prev->next = c->next;
    else
        s->conns = c->next;
    if (c->next)
        c->next->prev = c->prev;
    else
        s->conns_last = c->prev;
    if (!c->evicted)
        conn_uncount(s, c);
    pthread_mutex_unlock(&s->conns_lock);
}

void conns_reap(hs_t *s)
{
    uint64_t now = clock_monotonic_ms();
    pthread_mutex_lock(&s->conns_lock); /* a connection leaves the list before its descriptor is closed */
    for (conn_t *c = s->conns; c; c = c->next) {
        uint64_t deadline = atomic_load_explicit(&c->deadline_ms, memory_order_relaxed);
        if (deadline && now > deadline)
            (void)shutdown(c->fd, SHUT_RDWR); /* its event thread sees the end and closes */
    }
    pthread_mutex_unlock(&s->conns_lock);
}

/* ---- memory of bodies and answers ---- */

#define SMALL_ANSWER 4096u /* longer ones count */

/* Gives back bytes of one of the two sorts. */
static void gone(conn_t *c, atomic_size_t *sort, size_t bytes)
{
    if (!bytes)
        return;
    atomic_fetch_sub(sort, bytes);
    atomic_fetch_sub(&conn_asker(c)->bodies, bytes);
    atomic_fetch_sub_explicit(&c->holds, bytes, memory_order_relaxed);
}

void conn_body_gone(conn_t *c, size_t bytes)
{
    gone(c, &c->server->bodies, bytes);
}

void conn_memory_gone(conn_t *c)
{
    gone(c, &c->server->answers, c->answer_holds);
    c->answer_holds = 0;
    conn_body_gone(c, atomic_load_explicit(&c->holds, memory_order_relaxed));
}

/* The oldest connection of a client that holds any of this memory, and is at no handler. With the lock held. */
static conn_t *holding(const hs_t *s, const hs_client_t *of)
{
    conn_t *c = s->conns_last;
    while (c && (c->evicted || conn_asker(c) != of || !atomic_load_explicit(&c->holds, memory_order_relaxed) ||
                 stage_of(c) == STAGE_AT_WORK))
        c = c->prev;
    return c;
}

/* The memory of bodies, or that of answers, is full: closes the oldest connection of whoever holds most, and more than
 * this client will. False: nobody does. */
static bool evict_holder(hs_t *s, hs_client_t *but, size_t more)
{
    hs_client_t *most = NULL;
    size_t held = atomic_load(&but->bodies) + more;
    pthread_mutex_lock(&s->conns_lock);
    for (conn_t *c = s->conns; c; c = c->next)
        if (!c->evicted && conn_asker(c) != but && atomic_load(&conn_asker(c)->bodies) > held) {
            most = conn_asker(c);
            held = atomic_load(&most->bodies);
        }
    conn_t *goes = most ? holding(s, most) : NULL;
    if (goes)
        evict_one(s, goes);
    pthread_mutex_unlock(&s->conns_lock);
    return most != NULL;
}

/* Counts more bytes of one of the two sorts. False: there is no memory for them. Who holds less than a quarter gets
 * some of another client's, a little before it is free. */
static bool has_memory(conn_t *c, atomic_size_t *sort, size_t more)
{
    hs_t *s = c->server;
    hs_client_t *who = conn_asker(c);
    const size_t most = s->config.bodies_max, before = atomic_fetch_add(sort, more);
    const bool small = atomic_load(&who->bodies) + more <= most / SHARE_PART;
    if (before + more > most && !(small && before + more <= most + most / SHARE_PART && evict_holder(s, who, more))) {
        atomic_fetch_sub(sort, more);
        return false;
    }
    atomic_fetch_add(&who->bodies, more);
    atomic_fetch_add_explicit(&c->holds, more, memory_order_relaxed);
    return true;
}

bool conn_body_room(conn_t *c, size_t more)
{
    return has_memory(c, &c->server->bodies, more);
}

bool conn_answer_room(conn_t *c)
{
    const size_t n = reply_memory(&c->response), most = c->server->config.bodies_max / SHARE_PART,
                 counts = n < most ? n : most;
    if (n <= SMALL_ANSWER)
        return true;
    if (!has_memory(c, &c->server->answers, counts))
        return false;
    c->answer_holds += counts;
    return true;
}
