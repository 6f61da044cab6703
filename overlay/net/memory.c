#include "overlay/net/memory.h"

#include <stdlib.h>

#include "base/crypto/hash.h"
#include "overlay/net/link.h"

#define NODES_MAX 64u
#define LOST_MS 1000u   /* until a lost message is sent again */
#define PIECE_MAX 1200u /* bytes of a message: as a datagram */

/* HELLO and WELCOME carry keys, FINISH opens the listener's end and DONE the dialler's. */
typedef enum { HELLO, WELCOME, FINISH, DONE, BYTES, END, RESET, ROOM, BYE } what_t;

/* A message under way. */
typedef struct message {
    struct message *next;
    uint64_t at, order; /* order: of those at one time */
    what_t what;
    uint64_t conn;  /* of the receiving end; for HELLO, of the sender's */
    uint64_t reply; /* of the sending end */
    struct node *to, *from;
    uint64_t stream;
    size_t n; /* bytes, or how many were consumed, or a code */
    uint8_t b[];
} message_t;

/* What a direction of a stream has to remember. */
typedef struct lane {
    struct lane *next;
    uint64_t id, last_at, in_flight;
    bool opened; /* by the peer, here */
} lane_t;

typedef struct {
    net_conn_t conn;
    struct node *peer;
    uint64_t peer_number; /* of the other end's connection; 0: not known */
    uint64_t next_stream, last_at, heard_ms, next_keep_alive;
    lane_t *lanes;
    hash32_t secret;
} mem_conn_t;

typedef struct node {
    net_transport_t transport;
    memory_t *m;
    maddr_t at[NET_LISTEN_MAX];
    size_t count;
    bool gone;
} node_t;

struct memory {
    memory_faults_t faults;
    uint64_t now, random, order;
    node_t *nodes[NODES_MAX];
    size_t node_count;
    bool cut[NODES_MAX][NODES_MAX];
    message_t *queue; /* by time */
    message_t *held;  /* at cut links, in the order of arrival */
};

uint64_t memory_random(memory_t *m) /* splitmix64 */
{
    uint64_t z = m->random += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static bool happens(memory_t *m, uint32_t per_mille)
{
    return memory_random(m) % 1000 < per_mille;
}

static size_t index_of(const memory_t *m, const node_t *n)
{
    size_t i = 0;
    while (m->nodes[i] != n)
        i++;
    return i;
}

static bool is_cut(const memory_t *m, const node_t *a, const node_t *b)
{
    return a->gone || b->gone || m->cut[index_of(m, a)][index_of(m, b)];
}

/* ---- messages ---- */

static uint64_t arrival(memory_t *m)
{
    uint32_t span = m->faults.delay_max_ms - m->faults.delay_min_ms + 1;
    uint64_t at = m->now + m->faults.delay_min_ms + memory_random(m) % span;
    while (happens(m, m->faults.loss_per_mille))
        at += LOST_MS;
    return at;
}

static void post(memory_t *m, message_t *x)
{
    message_t **at = &m->queue;
    x->order = ++m->order;
    while (*at && (*at)->at <= x->at)
        at = &(*at)->next;
    x->next = *at;
    *at = x;
}

/* A message from an end, in the order of its lane; nothing when memory is short: as if it were lost for ever. */
static void send(mem_conn_t *c, what_t what, uint64_t stream, view_t bytes, size_t n, uint64_t *last_at)
{
    node_t *from = (node_t *)c->conn.transport;
    memory_t *m = from->m;
    message_t *x = malloc(sizeof *x + bytes.n);
    if (!x)
        return;
    *x = (message_t){ .at = arrival(m),
                      .what = what,
                      .conn = c->peer_number,
                      .reply = c->conn.number,
                      .to = c->peer,
                      .from = from,
                      .stream = stream,
                      .n = bytes.n ? bytes.n : n };
    if (bytes.n)
        memcpy(x->b, bytes.p, bytes.n);
    if (last_at && x->at < *last_at)
        x->at = *last_at;
    if (last_at)
        *last_at = x->at;
    post(m, x);
}

static lane_t *lane(mem_conn_t *c, uint64_t id)
{
    for (lane_t *l = c->lanes; l; l = l->next)
        if (l->id == id)
            return l;
    lane_t *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->id = id;
    l->next = c->lanes;
    c->lanes = l;
    return l;
}

static void send_on(mem_conn_t *c, what_t what, uint64_t stream, view_t bytes, size_t n)
{
    lane_t *l = lane(c, stream);
    send(c, what, stream, bytes, n, l ? &l->last_at : NULL);
}

/* ---- the transport's side ---- */

static bool speaks(const net_transport_t *t, const maddr_t *to)
{
    (void)t;
    return (to->host == MADDR_IP4 || to->host == MADDR_IP6) && !to->circuit;
}

static rc_t mem_listen(net_transport_t *t, err_t *e, const maddr_t *at)
{
    node_t *n = (node_t *)t;
    if (link_listening(t->net, at))
        return err_say(e, RC_LIMIT, "too many addresses");
    n->at[n->count++] = *at;
    return RC_OK;
}

static mem_conn_t *conn_new(node_t *n, const maddr_t *addr, bool dialled)
{
    mem_conn_t *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    link_begin(&c->conn, &n->transport, addr, dialled);
    c->heard_ms = n->m->now;
    c->next_keep_alive = n->m->now + NET_KEEP_ALIVE_MS;
    c->next_stream = dialled ? 0 : 1;
    return c;
}

static node_t *listener_at(memory_t *m, const maddr_t *to)
{
    for (size_t i = 0; i < m->node_count; i++)
        for (size_t k = 0; k < m->nodes[i]->count; k++) {
            const maddr_t *at = &m->nodes[i]->at[k];
            if (!m->nodes[i]->gone && at->transport == to->transport && at->port == to->port && at->host == to->host &&
                memcmp(at->ip, to->ip, sizeof at->ip) == 0)
                return m->nodes[i];
        }
    return NULL;
}

static rc_t mem_dial(net_transport_t *t, net_conn_t **out, err_t *e, const maddr_t *to)
{
    node_t *n = (node_t *)t;
    mem_conn_t *c = conn_new(n, to, true);
    if (!c)
        return err_say(e, RC_NOMEM, "out of memory");
    *out = &c->conn;
    c->peer = listener_at(n->m, to);
    if (c->peer && !happens(n->m, n->m->faults.dial_fail_per_mille))
        send(c, HELLO, to->transport, view_of(NULL, 0), 0, &c->last_at);
    return RC_OK;
}

static rc_t mem_open(net_conn_t *conn, uint64_t *id)
{
    mem_conn_t *c = (mem_conn_t *)conn;
    *id = c->next_stream;
    c->next_stream += 2;
    return RC_OK;
}

static void mem_consumed(net_stream_t *s, size_t n)
{
    send_on((mem_conn_t *)s->conn, ROOM, s->id, view_of(NULL, 0), n);
}

static void mem_reset(net_stream_t *s)
{
    send_on((mem_conn_t *)s->conn, RESET, s->id, view_of(NULL, 0), 0);
}

static void mem_close(net_conn_t *conn, unsigned code, const char *text)
{
    mem_conn_t *c = (mem_conn_t *)conn;
    (void)text;
    if (c->peer_number)
        send(c, BYE, 0, view_of(NULL, 0), code, &c->last_at);
}

static rc_t mem_exporter(net_conn_t *conn, uint8_t out[32], const char *label, const hash32_t *context)
{
    const mem_conn_t *c = (const mem_conn_t *)conn;
    hash32_t h;
    const view_t parts[] = { view_of(c->secret.b, 32), view_str(label), view_of(context->b, 32) };
    sha256_parts(&h, parts, 3);
    memcpy(out, h.b, 32);
    return RC_OK;
}

static void mem_drop(net_conn_t *conn)
{
    mem_conn_t *c = (mem_conn_t *)conn;
    while (c->lanes) {
        lane_t *l = c->lanes;
        c->lanes = l->next;
        free(l);
    }
    free(c);
}

/* Sends what a stream has, as far as the window goes. */
static void flush(mem_conn_t *c, net_stream_t *s)
{
    lane_t *l = lane(c, s->id);
    view_t v;
    size_t before = sendq_size(&s->out);
    while (l && (v = sendq_next(&s->out)).n && l->in_flight < NET_WINDOW) {
        size_t n = v.n < PIECE_MAX ? v.n : PIECE_MAX, room = NET_WINDOW - (size_t)l->in_flight;
        n = n < room ? n : room;
        send_on(c, BYTES, s->id, view_of(v.p, n), 0);
        sendq_sent(&s->out, n);
        l->in_flight += n;
    }
    sendq_arrived(&s->out, s->out.sent);
    if (s->end_wanted && !s->end_sent && s->out.sent == s->out.end) {
        send_on(c, END, s->id, view_of(NULL, 0), 0);
        s->end_sent = true;
    }
    link_drained(s, before);
    if (s->end_sent && s->peer_ended)
        link_gone(s, RC_OK);
}

static void silence(mem_conn_t *c)
{
    err_t why;
    memory_t *m = ((node_t *)c->conn.transport)->m;
    if (m->now >= c->next_keep_alive && c->conn.state == CONN_OPEN) {
        send(c, ROOM, UINT64_MAX, view_of(NULL, 0), 0, NULL);
        c->next_keep_alive = m->now + NET_KEEP_ALIVE_MS;
    }
    if (m->now < c->heard_ms + NET_IDLE_MS)
        return;
    err_say(&why, RC_TIMEOUT, "the peer is silent");
    link_closed(&c->conn, &why);
}

static void mem_turn(net_transport_t *t)
{
    for (net_conn_t *c = t->net->conns; c; c = c->next) {
        if (c->transport != t || c->state != CONN_OPEN)
            continue;
        silence((mem_conn_t *)c);
        for (net_stream_t *s = c->streams; s && c->state == CONN_OPEN; s = s->next)
            if (!s->gone)
                flush((mem_conn_t *)c, s);
    }
}

static uint64_t mem_next(const net_transport_t *t)
{
    uint64_t at = UINT64_MAX;
    for (const net_conn_t *c = t->net->conns; c; c = c->next) {
        const mem_conn_t *x = (const mem_conn_t *)c;
        uint64_t idle = x->heard_ms + NET_IDLE_MS, next = idle < x->next_keep_alive ? idle : x->next_keep_alive;
        if (c->transport == t && c->state == CONN_OPEN && next < at)
            at = next;
    }
    return at;
}

static void mem_free(net_transport_t *t)
{
    ((node_t *)t)->gone = true; /* freed with the network: messages name it */
}

/* ---- arrival ---- */

static mem_conn_t *conn_of(const node_t *n, uint64_t number)
{
    for (net_conn_t *c = n->transport.net->conns; c; c = c->next)
        if (c->number == number && c->transport == &n->transport && c->state != CONN_CLOSED)
            return (mem_conn_t *)c;
    return NULL;
}

/* The keys that both ends' identities give: a peer's channel key is the hash of its id. */
static void meet(mem_conn_t *c)
{
    const net_t *ours = c->conn.net, *theirs = c->peer->transport.net;
    c->conn.key = theirs->config.who.key;
    sha256(&c->conn.our_channel_key, peerid_view(&ours->self));
    sha256(&c->conn.peer_channel_key, peerid_view(&theirs->self));
}

static void take_hello(const message_t *x)
{
    maddr_t from = x->from->count ? x->from->at[0] : (maddr_t){ .host = MADDR_IP4, .ip = { 127, 0, 0, 9 } };
    from.transport = (maddr_transport_t)x->stream;
    if (!link_may_accept(x->to->transport.net, &from))
        return;
    mem_conn_t *c = conn_new(x->to, &from, false);
    if (!c)
        return;
    c->peer = x->from;
    c->peer_number = x->reply;
    for (size_t i = 0; i < 32; i += 8)
        store_u64le(c->secret.b + i, memory_random(x->to->m));
    meet(c);
    send(c, WELCOME, 0, view_of(c->secret.b, 32), 0, &c->last_at);
}

static void take_welcome(mem_conn_t *c, const message_t *x)
{
    err_t why;
    c->peer_number = x->reply;
    memcpy(c->secret.b, x->b, 32);
    meet(c);
    if (c->conn.addr.peer.n && !peerid_eq(&c->conn.addr.peer, &c->peer->transport.net->self)) {
        mem_close(&c->conn, NET_BYE, "another peer");
        err_say(&why, RC_REFUSED, "another peer answered than the one that was dialled");
        link_closed(&c->conn, &why);
        return;
    }
    send(c, FINISH, 0, view_of(NULL, 0), 0, &c->last_at);
}

static void take_bye(mem_conn_t *c, const message_t *x)
{
    err_t why;
    c->conn.bye_code = (unsigned)x->n;
    err_set(&why, RC_REFUSED, "the peer closed with code %x", c->conn.bye_code);
    link_closed(&c->conn, &why);
}

/* The stream of a message; the first bytes on an id of the peer's open it, once. */
static net_stream_t *stream_of(mem_conn_t *c, const message_t *x, lane_t *l)
{
    net_stream_t *s = link_find(&c->conn, x->stream);
    bool theirs = (x->stream & 1) == (c->conn.dialled ? 1u : 0u);
    if (s || !theirs || !l || l->opened || x->what != BYTES)
        return s;
    l->opened = true;
    s = link_stream(&c->conn, x->stream);
    if (!s)
        send_on(c, RESET, x->stream, view_of(NULL, 0), 0);
    return s;
}

static void take_on_stream(mem_conn_t *c, const message_t *x)
{
    lane_t *l = lane(c, x->stream);
    net_stream_t *s = stream_of(c, x, l);
    if (x->what == ROOM && l)
        l->in_flight -= x->n < l->in_flight ? x->n : l->in_flight;
    else if (s && x->what == BYTES)
        link_data(s, view_of(x->b, x->n));
    else if (s && x->what == END)
        link_ended(s);
    else if (s && x->what == RESET)
        link_gone(s, RC_REFUSED);
}

static void take(const message_t *x)
{
    x->to->transport.net->now_ms = x->to->m->now;
    if (x->what == HELLO) {
        take_hello(x);
        return;
    }
    mem_conn_t *c = conn_of(x->to, x->conn);
    if (!c)
        return;
    c->heard_ms = x->to->m->now;
    switch (x->what) {
    case WELCOME: take_welcome(c, x); break;
    case FINISH:
        send(c, DONE, 0, view_of(NULL, 0), 0, &c->last_at);
        link_opened(&c->conn);
        break;
    case DONE: link_opened(&c->conn); break;
    case BYE: take_bye(c, x); break;
    default:
        if (c->conn.state == CONN_HANDSHAKE && c->conn.dialled) /* overtook DONE, and says the same */
            link_opened(&c->conn);
        if (c->conn.state == CONN_OPEN)
            take_on_stream(c, x);
    }
}

/* ---- the network ---- */

rc_t memory_new(memory_t **out, uint64_t seed, const memory_faults_t *faults)
{
    memory_t *m = calloc(1, sizeof *m);
    if (!m)
        return RC_NOMEM;
    m->faults = *faults;
    m->random = seed;
    *out = m;
    return RC_OK;
}

static void free_messages(message_t *x)
{
    while (x) {
        message_t *next = x->next;
        free(x);
        x = next;
    }
}

void memory_free(memory_t *m)
{
    if (!m)
        return;
    free_messages(m->queue);
    free_messages(m->held);
    for (size_t i = 0; i < m->node_count; i++)
        free(m->nodes[i]);
    free(m);
}

rc_t memory_join(memory_t *m, net_t *n)
{
    static const net_transport_t ops = { .speaks = speaks,
                                         .listen = mem_listen,
                                         .dial = mem_dial,
                                         .next_ms = mem_next,
                                         .turn = mem_turn,
                                         .free = mem_free,
                                         .open = mem_open,
                                         .consumed = mem_consumed,
                                         .reset = mem_reset,
                                         .close = mem_close,
                                         .exporter = mem_exporter,
                                         .drop = mem_drop };
    node_t *x = m->node_count < NODES_MAX ? calloc(1, sizeof *x) : NULL;
    if (!x)
        return RC_NOMEM;
    x->transport = ops;
    x->m = m;
    m->nodes[m->node_count++] = x;
    link_add(n, &x->transport);
    n->now_ms = m->now;
    return RC_OK;
}

static node_t *node_of(memory_t *m, const net_t *n)
{
    for (size_t i = 0; i < m->node_count; i++)
        if (m->nodes[i]->transport.net == n && !m->nodes[i]->gone)
            return m->nodes[i];
    return NULL;
}

void memory_leave(memory_t *m, net_t *n)
{
    node_t *x = node_of(m, n);
    if (x)
        x->gone = true;
}

void memory_cut(memory_t *m, const net_t *a, const net_t *b, bool cut)
{
    const node_t *x = node_of(m, a), *y = node_of(m, b);
    if (!x || !y)
        return;
    m->cut[index_of(m, x)][index_of(m, y)] = m->cut[index_of(m, y)][index_of(m, x)] = cut;
    for (message_t **at = &m->held; *at;) {
        message_t *h = *at;
        if (is_cut(m, h->from, h->to)) {
            at = &h->next;
            continue;
        }
        *at = h->next;
        h->at = m->now;
        post(m, h);
    }
}

uint64_t memory_now(const memory_t *m)
{
    return m->now;
}

static uint64_t next_event(const memory_t *m)
{
    uint64_t at = m->queue ? m->queue->at : UINT64_MAX;
    for (size_t i = 0; i < m->node_count; i++) {
        uint64_t x = m->nodes[i]->gone ? UINT64_MAX : net_next(m->nodes[i]->transport.net);
        at = x < at ? x : at;
    }
    return at;
}

static void turn_all(memory_t *m)
{
    for (size_t i = 0; i < m->node_count; i++)
        if (!m->nodes[i]->gone)
            net_turn(m->nodes[i]->transport.net, m->now);
}

/* Its time has come: it is taken, or waits at a cut link. */
static void arrive(memory_t *m, message_t *x)
{
    message_t **at = &m->held;
    const bool cut = is_cut(m, x->from, x->to);
    if (!cut)
        take(x);
    if (!cut || x->from->gone || x->to->gone) {
        free(x);
        return;
    }
    while (*at)
        at = &(*at)->next;
    x->next = NULL;
    *at = x;
}

void memory_run(memory_t *m, uint64_t until_ms)
{
    turn_all(m); /* what was asked for since the last time */
    for (;;) {
        uint64_t at = next_event(m);
        if (at > until_ms)
            break;
        m->now = at > m->now ? at : m->now;
        while (m->queue && m->queue->at <= m->now) {
            message_t *x = m->queue;
            m->queue = x->next;
            arrive(m, x);
        }
        turn_all(m);
    }
    if (until_ms == UINT64_MAX)
        return;
    m->now = until_ms;
    for (size_t i = 0; i < m->node_count; i++) /* what is asked for next is asked at this time */
        if (!m->nodes[i]->gone)
            m->nodes[i]->transport.net->now_ms = m->now;
}
