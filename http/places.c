/* Who may stay: the list of connections, whose place a newcomer gets, and the memory of bodies and answers. */
#include <sys/socket.h>

#include "base/os/clock.h"
#include "http/reply.h"
#include "http/server_state.h"
#include "http/tls.h"

#define LOOK_MAX 256u /* connections that are looked at for one newcomer, of a stage */

/* ---- connections ---- */

static void list_in(hs_t *s, conn_t *c)
{
    conn_t *first = s->conns[c->stage].first;
    c->prev = NULL;
    c->next = first;
    *(first ? &first->prev : &s->conns[c->stage].last) = c;
    s->conns[c->stage].first = c;
    conn_asker(c)->held += c->stage != STAGE_LASTING;
}

static void list_out(hs_t *s, conn_t *c)
{
    *(c->prev ? &c->prev->next : &s->conns[c->stage].first) = c->next;
    *(c->next ? &c->next->prev : &s->conns[c->stage].last) = c->prev;
    conn_asker(c)->held -= c->stage != STAGE_LASTING;
    c->prev = c->next = NULL;
}

void conn_stage(conn_t *c, stage_t stage)
{
    hs_t *s = c->server;
    pthread_mutex_lock(&s->conns_lock);
    if (!c->evicted) {
        list_out(s, c);
        c->stage = stage;
        list_in(s, c);
    }
    pthread_mutex_unlock(&s->conns_lock);
}

void conn_name(conn_t *c, hs_client_t *take_named)
{
    hs_t *s = c->server;
    pthread_mutex_lock(&s->conns_lock);
    hs_client_t *before = c->named;
    const unsigned counts = !c->evicted && c->stage != STAGE_LASTING;
    conn_asker(c)->held -= counts;
    c->named = take_named;
    conn_asker(c)->held += counts;
    pthread_mutex_unlock(&s->conns_lock);
    hs_client_unref(before);
}

static void conn_uncount(hs_t *s, conn_t *c)
{
    list_out(s, c);
    s->conn_count--;
    if (s->config.tallies)
        tally_sub(&s->config.tallies->connections, 1);
    c->client->connections--;
}

/* Closes a connection to make room. With the lock held. */
static void evict_one(hs_t *s, conn_t *c)
{
    conn_uncount(s, c);
    c->evicted = true;
    s->evicted++;
    (void)shutdown(c->fd, SHUT_RDWR); /* its event thread sees the end and closes */
}

/* Of the connections that have waited longest for a request, the first one whose client has no fewer than so many; of
 * one client, or of whichever (NULL). Only so many are looked at, and the newest is not. NULL: none. With the lock
 * held. */
static conn_t *longest_idle(const hs_t *s, const hs_client_t *of, unsigned held)
{
    conn_t *c = s->conns[STAGE_RECEIVING].last;
    for (unsigned looked = 0; c && c->prev && looked < LOOK_MAX; c = c->prev, looked++)
        if (of ? conn_asker(c) == of : conn_asker(c)->held >= held)
            return c;
    return NULL;
}

/* Puts the tail of a list, from c on, before all others, so that the next look is at these. */
static void pass_over(hs_t *s, stage_t stage, conn_t *c)
{
    conn_t *before = c->prev, *first = s->conns[stage].first, *last = s->conns[stage].last;
    if (!before)
        return;
    before->next = c->prev = NULL;
    s->conns[stage].last = before;
    last->next = first;
    first->prev = last;
    s->conns[stage].first = c;
}

/* Of those who have more connections than so many the one with most: whose answer has been sent for longest, or has
 * been waited for. Only so many are looked at: the next newcomer looks at others. NULL: nobody of them has. With the
 * lock held. */
static conn_t *longest_busy(hs_t *s, unsigned held)
{
    static const stage_t stages[] = { STAGE_SENDING, STAGE_AT_WORK };
    conn_t *most = NULL, *seen[] = { NULL, NULL };
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
        conn_t *c = s->conns[stages[i]].last;
        for (unsigned looked = 0; c && looked < LOOK_MAX; c = c->prev, looked++) {
            seen[i] = c;
            if (conn_asker(c)->held > (most ? conn_asker(most)->held : held))
                most = c;
        }
    }
    for (size_t i = 0; !most && i < sizeof stages / sizeof stages[0]; i++)
        if (seen[i])
            pass_over(s, stages[i], seen[i]);
    return most;
}

/* Whose connection has to go for a new one, when all places are taken: the one that has been idle longest, of a client
 * that has no fewer than the newcomer's; else of whoever has most, and more than that, one that is being answered. A
 * proxy that stands for many counts as who has none yet, until its own idle connections are as many as one client may
 * have: of them it gives one up itself. NULL: of nobody. */
static conn_t *whom_to_evict(hs_t *s, const conn_t *newest)
{
    const hs_client_t *own = conn_asker(newest);
    const bool many = own->turns[0].exempt;
    conn_t *c = many && own->held > s->config.per_client_max ? longest_idle(s, own, 0) : NULL;
    if (!c)
        c = longest_idle(s, NULL, many ? 0 : own->held);
    return c ? c : longest_busy(s, many ? 0 : own->held);
}

void conn_enter(hs_t *s, conn_t *c)
{
    pthread_mutex_lock(&s->conns_lock);
    c->identity = c->tls ? hs_identity_ref(s->identity) : NULL;
    list_in(s, c);
    s->conn_count++;
    if (s->config.tallies)
        tally_add(&s->config.tallies->connections, 1);
    c->client->connections++;
    conn_t *goes = NULL;
    if (c->client->connections > s->config.per_client_max && !c->client->turns[0].exempt) {
        goes = longest_idle(s, c->client, 0);
        goes = goes ? goes : c;
    } else if (s->conn_count > s->config.connections_max) {
        goes = whom_to_evict(s, c);
        goes = goes ? goes : c;
    }
    if (goes)
        evict_one(s, goes);
    pthread_mutex_unlock(&s->conns_lock);
    if (c->tls)
        tls_attach(c->tls, c->identity);
}

void conn_leave(hs_t *s, conn_t *c)
{
    pthread_mutex_lock(&s->conns_lock);
    if (!c->evicted)
        conn_uncount(s, c);
    pthread_mutex_unlock(&s->conns_lock);
}

void conns_reap(hs_t *s)
{
    uint64_t now = clock_monotonic_ms();
    pthread_mutex_lock(&s->conns_lock); /* a connection leaves its list before its descriptor is closed */
    for (stage_t i = 0; i < STAGES; i++)
        for (conn_t *c = s->conns[i].first; c; c = c->next) {
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

/* The connection of a client that has held any of this memory longest, and is at no handler: of bodies first one that
 * sends its own, of answers one that takes them. With the lock held. */
static conn_t *holding(const hs_t *s, const hs_client_t *of, bool answers)
{
    const stage_t stages[] = { answers ? STAGE_SENDING : STAGE_RECEIVING, answers ? STAGE_RECEIVING : STAGE_SENDING,
                               STAGE_LASTING };
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++)
        for (conn_t *c = s->conns[stages[i]].last; c; c = c->prev)
            if (conn_asker(c) == of && atomic_load_explicit(&c->holds, memory_order_relaxed))
                return c;
    return NULL;
}

/* The memory of bodies, or that of answers, is full: closes a connection of whoever holds most, and more than this
 * client will. False: nobody does. */
static bool evict_holder(hs_t *s, hs_client_t *but, size_t more, bool answers)
{
    hs_client_t *most = NULL;
    size_t held = atomic_load(&but->bodies) + more;
    pthread_mutex_lock(&s->conns_lock);
    for (stage_t i = 0; i < STAGES; i++)
        for (conn_t *c = s->conns[i].first; c; c = c->next)
            if (conn_asker(c) != but && atomic_load(&conn_asker(c)->bodies) > held) {
                most = conn_asker(c);
                held = atomic_load(&most->bodies);
            }
    conn_t *goes = most ? holding(s, most, answers) : NULL;
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
    if (before + more > most &&
        !(small && before + more <= most + most / SHARE_PART && evict_holder(s, who, more, sort == &s->answers))) {
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
