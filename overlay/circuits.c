#include "overlay/circuits.h"

#include <stdlib.h>

#include "overlay/net/relayed.h"
#include "overlay/places.h"

/* What a stream of ours is for. */
typedef enum { RELAYS, RESERVES, DIALS, IS_CALLED, CARRIES } use_kind_t;

typedef struct use {
    struct use *next;
    circuits_t *circuits;
    use_kind_t kind;
    net_stream_t *stream;
    relay_leg_t *leg; /* RELAYS */
    net_conn_t *conn; /* DIALS, CARRIES; NULL: it is over */
    circuit_in_t *in; /* DIALS, IS_CALLED: the message that is to come */
    uint64_t deadline_ms;
} use_t;

struct circuits {
    circuits_config_t config;
    net_t *net;
    relayed_t *transport;
    relay_t *relay;
    places_t *places;
    net_protocol_t hop, stop;
    use_t *uses;
    size_t told; /* addresses that the relay knows of */
    uint64_t now_ms;
};

/* ---- streams ---- */

static use_t *use_new(circuits_t *c, use_kind_t kind, bool reads)
{
    use_t *u = calloc(1, sizeof *u);
    if (!u)
        return NULL;
    *u = (use_t){ .next = c->uses,
                  .circuits = c,
                  .kind = kind,
                  .in = reads ? calloc(1, sizeof *u->in) : NULL,
                  .deadline_ms = reads ? c->now_ms + CIRCUITS_ANSWER_MS : UINT64_MAX };
    if (reads && !u->in) {
        free(u);
        return NULL;
    }
    c->uses = u;
    return u;
}

static void use_free(use_t *u)
{
    use_t **at = &u->circuits->uses;
    while (*at != u)
        at = &(*at)->next;
    *at = u->next;
    free(u->in);
    free(u);
}

/* Opens a stream for a use; without one the use is freed. */
static rc_t open_stream(use_t *u, net_conn_t *to, const net_protocol_t *p)
{
    const rc_t rc = net_open(to, &u->stream, p, u);
    if (rc)
        use_free(u);
    return rc;
}

/* A direct connection to a member. */
static net_conn_t *direct_to(const circuits_t *c, const peerid_t *peer, const net_conn_t *but)
{
    for (net_conn_t *conn = net_first(c->net); conn; conn = net_after(conn))
        if (conn != but && net_is_open(conn) && !net_addr(conn)->circuit && peerid_eq(net_peer(conn), peer) &&
            c->config.is_peer(c->config.ctx, conn))
            return conn;
    return NULL;
}

static rc_t write_message(net_stream_t *s, circuit_protocol_t protocol, const circuit_message_t *m)
{
    uint8_t bytes[256];
    wr_t w = wr_of(bytes, sizeof bytes);
    circuit_write(&w, protocol, m);
    return w.bad ? RC_BUG : net_write(s, wr_view(&w));
}

/* ---- what the machines want ---- */

static void *open_stop(void *ctx, relay_leg_t *leg, const peerid_t *to)
{
    circuits_t *c = ctx;
    net_conn_t *conn = direct_to(c, to, NULL);
    use_t *u = conn ? use_new(c, RELAYS, false) : NULL;
    if (!u)
        return NULL;
    u->leg = leg;
    return open_stream(u, conn, &c->stop) ? NULL : u->stream;
}

static void *open_hop(void *ctx, const peerid_t *relay)
{
    circuits_t *c = ctx;
    net_conn_t *conn = direct_to(c, relay, NULL);
    use_t *u = conn ? use_new(c, RESERVES, false) : NULL;
    return !u || open_stream(u, conn, &c->hop) ? NULL : u->stream;
}

static rc_t send_bytes(void *ctx, void *stream, view_t bytes)
{
    (void)ctx;
    return net_write(stream, bytes);
}

static void end_stream(void *ctx, void *stream)
{
    (void)ctx;
    net_end(stream);
}

static void reset_stream(void *ctx, void *stream)
{
    (void)ctx;
    net_reset(stream);
}

static void give_back(void *ctx, void *stream, size_t n)
{
    (void)ctx;
    net_consumed(stream, n);
}

static void places_changed(void *ctx)
{
    const circuits_t *c = ctx;
    if (c->config.changed)
        c->config.changed(c->config.ctx);
}

/* ---- what the transport wants ---- */

static rc_t dial(void *ctx, net_stream_t **out, err_t *e, net_conn_t *conn, const maddr_t *to)
{
    circuits_t *c = ctx;
    net_conn_t *relay = direct_to(c, &to->peer, NULL);
    if (!relay)
        return err_say(e, RC_IO, "there is no connection to the relay");
    use_t *u = use_new(c, DIALS, true);
    rc_t rc = u ? open_stream(u, relay, &c->hop) : RC_NOMEM;
    if (rc)
        return err_say(e, rc, "no stream to the relay");
    rc = write_message(u->stream, CIRCUIT_HOP, &(circuit_message_t){ .type = CIRCUIT_CONNECT, .peer = to->target });
    if (rc) {
        net_reset(u->stream);
        return err_say(e, rc, "the relay takes no message");
    }
    u->conn = conn;
    *out = u->stream;
    return RC_OK;
}

static void left(void *ctx, net_stream_t *s)
{
    use_t *u = net_stream_user(s);
    (void)ctx;
    u->conn = NULL;
}

/* ---- messages at our end of a circuit ---- */

static void carry(use_t *u, net_conn_t *conn, view_t rest)
{
    u->kind = CARRIES;
    u->conn = conn;
    u->deadline_ms = UINT64_MAX;
    free(u->in);
    u->in = NULL;
    if (rest.n)
        relayed_take(conn, rest);
}

/* The relay's answer to our dial. */
static void take_answer(use_t *u, view_t bytes)
{
    circuit_message_t m;
    size_t used = 0;
    err_t why;
    const rc_t rc = circuit_take(u->in, &m, &used, CIRCUIT_HOP, bytes);
    if (rc == RC_NEED_DATA || !u->conn)
        return;
    if (!rc && m.type == CIRCUIT_STATUS && m.status == CIRCUIT_OK) {
        relayed_carry(u->conn);
        if (u->conn)
            carry(u, u->conn, view_of(bytes.p + used, bytes.n - used));
        return;
    }
    net_conn_t *conn = u->conn;
    u->conn = NULL;
    if (!rc && m.type == CIRCUIT_STATUS)
        err_set(&why, RC_REFUSED, "the relay refuses: status %u", m.status);
    else
        err_say(&why, RC_MALFORMED, "the relay's answer is none");
    net_reset(u->stream);
    relayed_lost(conn, &why);
}

/* A relay says who wants to reach us. */
static void take_call(use_t *u, view_t bytes)
{
    circuits_t *c = u->circuits;
    const net_conn_t *relay = net_conn_of(u->stream);
    maddr_t from = *net_addr(relay);
    circuit_message_t m;
    net_conn_t *conn;
    size_t used = 0;
    const rc_t rc = circuit_take(u->in, &m, &used, CIRCUIT_STOP, bytes);
    if (rc == RC_NEED_DATA)
        return;
    if (rc || m.type != CIRCUIT_CONNECT || peerid_eq(&m.peer, net_self(c->net))) {
        net_reset(u->stream);
        return;
    }
    from.circuit = true;
    from.target = m.peer;
    if (write_message(u->stream, CIRCUIT_STOP, &(circuit_message_t){ .type = CIRCUIT_STATUS, .status = CIRCUIT_OK }) ||
        relayed_accept(c->transport, &conn, u->stream, &from)) {
        net_reset(u->stream);
        return;
    }
    carry(u, conn, view_of(bytes.p + used, bytes.n - used));
}

/* ---- callbacks of the net ---- */

static unsigned calls(const circuits_t *c)
{
    unsigned n = 0;
    for (const use_t *u = c->uses; u; u = u->next)
        n += u->kind == IS_CALLED;
    return n;
}

static void accepted(circuits_t *c, net_stream_t *s, bool hop)
{
    use_t *u = NULL;
    if (hop || calls(c) < CIRCUITS_CALLS_MAX)
        u = use_new(c, hop ? RELAYS : IS_CALLED, !hop);
    if (u) {
        u->stream = s;
        net_set_stream_user(s, u);
    }
    if (u && hop)
        u->leg = relay_opened(c->relay, s, net_peer(net_conn_of(s)));
    if (!u || (hop && !u->leg))
        net_reset(s);
}

static void hop_opened(void *ctx, net_stream_t *s)
{
    if (!net_opener(s))
        accepted(ctx, s, true);
}

static void stop_opened(void *ctx, net_stream_t *s)
{
    if (!net_opener(s))
        accepted(ctx, s, false);
}

static void data(void *ctx, net_stream_t *s, view_t bytes)
{
    circuits_t *c = ctx;
    use_t *u = net_stream_user(s);
    if (u->kind != RELAYS) /* which gives it back when it has left */
        net_consumed(s, bytes.n);
    switch (u->kind) {
    case RELAYS: relay_take(u->leg, bytes); break;
    case RESERVES: places_take(c->places, s, bytes); break;
    case DIALS: take_answer(u, bytes); break;
    case IS_CALLED: take_call(u, bytes); break;
    case CARRIES:
        if (u->conn)
            relayed_take(u->conn, bytes);
        break;
    }
}

static void ended(void *ctx, net_stream_t *s)
{
    const use_t *u = net_stream_user(s);
    (void)ctx;
    if (u->kind == RELAYS)
        relay_ended(u->leg);
    else if (u->kind == RESERVES || !u->conn)
        net_end(s);
    else
        net_reset(s); /* what ends here is over */
}

static void writable(void *ctx, net_stream_t *s)
{
    const use_t *u = net_stream_user(s);
    (void)ctx;
    if (u->kind == RELAYS)
        relay_drained(u->leg);
    else if (u->kind == CARRIES && u->conn)
        relayed_writable(u->conn);
}

static void closed(void *ctx, net_stream_t *s, rc_t why)
{
    circuits_t *c = ctx;
    use_t *u = net_stream_user(s);
    err_t e;
    if (!u) /* it had no room */
        return;
    net_conn_t *conn = u->conn;
    const bool asked = u->kind == DIALS;
    if (u->kind == RELAYS && u->leg)
        relay_gone(u->leg);
    else if (u->kind == RESERVES)
        places_gone(c->places, s);
    use_free(u);
    if (!conn)
        return;
    err_say(&e, why == RC_OK ? RC_IO : why,
            asked ? "the peer is no relay, or none for us" : "the circuit through the relay ended");
    relayed_lost(conn, &e);
}

void circuits_protocols(circuits_t *c, net_protocol_t out[CIRCUITS_PROTOCOLS])
{
    out[0] = c->hop;
    out[1] = c->stop;
}

bool circuits_is(const net_protocol_t *p)
{
    return !strcmp(p->name, CIRCUIT_HOP_NAME) || !strcmp(p->name, CIRCUIT_STOP_NAME);
}

bool circuits_serves(const circuits_t *c, net_conn_t *conn, const net_protocol_t *p)
{
    if (net_addr(conn)->circuit || !c->config.is_peer(c->config.ctx, conn))
        return false;
    return !strcmp(p->name, CIRCUIT_HOP_NAME) ? c->config.serves : c->config.uses;
}

/* ---- members ---- */

void circuits_peer(circuits_t *c, net_conn_t *conn)
{
    if (c->config.uses && net_dialled(conn) && !net_addr(conn)->circuit)
        places_relay(c->places, net_peer(conn), net_addr(conn));
}

void circuits_closed(circuits_t *c, const net_conn_t *conn)
{
    if (net_addr(conn)->circuit || direct_to(c, net_peer(conn), conn))
        return;
    relay_left(c->relay, net_peer(conn));
    places_left(c->places, net_peer(conn));
}

/* ---- time ---- */

/* The relay tells where others reach it: as far as it knows itself. */
static void tell_addrs(circuits_t *c)
{
    static const uint8_t any[16];
    maddr_t named[NET_LISTEN_MAX];
    size_t n, count = 0;
    const maddr_t *at = net_listening(c->net, &n);
    if (n == c->told)
        return;
    c->told = n;
    for (size_t i = 0; i < n; i++)
        if (memcmp(at[i].ip, any, sizeof any) != 0)
            named[count++] = at[i];
    relay_addrs(c->relay, named, count);
}

static use_t *first_late(const circuits_t *c)
{
    use_t *u = c->uses;
    while (u && u->deadline_ms > c->now_ms)
        u = u->next;
    return u;
}

uint64_t circuits_turn(circuits_t *c, uint64_t now_ms)
{
    const uint64_t now_s = (uint64_t)c->config.now_s(c->config.ctx);
    use_t *u;
    c->now_ms = now_ms;
    tell_addrs(c);
    while ((u = first_late(c))) {
        u->deadline_ms = UINT64_MAX;
        net_reset(u->stream);
    }
    const uint64_t relay = relay_turn(c->relay, now_ms, now_s), places = places_turn(c->places, now_ms, now_s);
    uint64_t at = relay < places ? relay : places;
    for (u = c->uses; u; u = u->next)
        at = u->deadline_ms < at ? u->deadline_ms : at;
    return at;
}

size_t circuits_addrs(const circuits_t *c, maddr_t *out, size_t cap)
{
    return places_addrs(c->places, out, cap);
}

void circuits_counts(const circuits_t *c, relay_count_t *relayed, size_t *places)
{
    relay_counts(c->relay, relayed);
    *places = places_count(c->places);
}

/* ---- life ---- */

static rc_t make(circuits_t *c)
{
    const relay_config_t r = { .who = c->config.who,
                               .events = { open_stop, send_bytes, end_stream, reset_stream, give_back },
                               .ctx = c };
    places_config_t p = { .open = open_hop,
                          .send = send_bytes,
                          .end = end_stream,
                          .reset = reset_stream,
                          .changed = places_changed,
                          .ctx = c };
    peerid_of(&p.self, &c->config.who.key);
    const rc_t rc = relay_new(&c->relay, &r);
    return rc ? rc : places_new(&c->places, &p);
}

rc_t circuits_new(circuits_t **out, const circuits_config_t *config)
{
    circuits_t *c = calloc(1, sizeof *c);
    if (!c)
        return RC_NOMEM;
    c->config = *config;
    c->hop = (net_protocol_t){ .name = CIRCUIT_HOP_NAME,
                               .opened = hop_opened,
                               .data = data,
                               .ended = ended,
                               .writable = writable,
                               .closed = closed,
                               .ctx = c };
    c->stop = c->hop;
    c->stop.name = CIRCUIT_STOP_NAME;
    c->stop.opened = stop_opened;
    const rc_t rc = make(c);
    if (rc)
        circuits_free(c);
    else
        *out = c;
    return rc;
}

rc_t circuits_bind(circuits_t *c, net_t *n)
{
    c->net = n;
    return relayed_add(&c->transport, n, &(relayed_config_t){ dial, left, c });
}

void circuits_free(circuits_t *c)
{
    if (!c)
        return;
    while (c->uses)
        use_free(c->uses);
    relay_free(c->relay);
    places_free(c->places);
    free(c);
}
