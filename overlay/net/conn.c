#include <stdlib.h>

#include "overlay/net/basic.h"
#include "overlay/net/link.h"

rc_t net_new(net_t **out, const net_config_t *config)
{
    if (config->protocol_count > NET_PROTOCOLS_MAX)
        return RC_LIMIT;
    net_t *n = calloc(1, sizeof *n);
    if (!n)
        return RC_NOMEM;
    n->config = *config;
    n->conns_end = &n->conns;
    basic_serve(n);
    for (size_t i = 0; i < config->protocol_count; i++)
        n->served[BASIC_COUNT + i] = config->protocols[i];
    n->served_count = BASIC_COUNT + config->protocol_count;
    peerid_of(&n->self, &config->who.key);
    *out = n;
    return RC_OK;
}

void link_add(net_t *n, net_transport_t *t)
{
    t->net = n;
    t->next = n->transports;
    n->transports = t;
}

void link_remove(net_t *n)
{
    while (n->transports) {
        net_transport_t *t = n->transports;
        n->transports = t->next;
        t->free(t);
    }
}

rc_t link_listening(net_t *n, const maddr_t *at)
{
    if (n->listening_count == NET_LISTEN_MAX)
        return RC_LIMIT;
    n->listening[n->listening_count++] = *at;
    return RC_OK;
}

static net_transport_t *transport_of(const net_t *n, const maddr_t *m)
{
    net_transport_t *t = n->transports;
    while (t && !t->speaks(t, m))
        t = t->next;
    return t;
}

rc_t net_listen(net_t *n, err_t *e, const maddr_t *at)
{
    net_transport_t *t = transport_of(n, at);
    return t ? t->listen(t, e, at) : err_say(e, RC_UNSUPPORTED, "no transport listens on such an address");
}

const maddr_t *net_listening(const net_t *n, size_t *count)
{
    *count = n->listening_count;
    return n->listening;
}

rc_t net_dial(net_t *n, net_conn_t **out, err_t *e, const maddr_t *to, void *user)
{
    net_transport_t *t = transport_of(n, to);
    net_conn_t *c;
    if (!t)
        return err_say(e, RC_UNSUPPORTED, "no transport dials such an address");
    if (peerid_eq(&to->peer, &n->self) || peerid_eq(&to->target, &n->self))
        return err_say(e, RC_REFUSED, "that address is our own");
    rc_t rc = t->dial(t, &c, e, to);
    if (rc)
        return rc;
    c->user = user;
    c->told = true;
    *out = c;
    return RC_OK;
}

/* ---- what transports call ---- */

bool link_may_accept(const net_t *n, const maddr_t *from)
{
    const net_events_t *ev = &n->config.events;
    unsigned all = 0, same = 0;
    if (ev->accepts && !ev->accepts(ev->ctx, from))
        return false;
    for (const net_conn_t *c = n->conns; c; c = c->next) {
        if (c->state != CONN_HANDSHAKE || c->dialled)
            continue;
        all++;
        same += c->addr.host == from->host && memcmp(c->addr.ip, from->ip, sizeof from->ip) == 0;
    }
    return all < NET_PENDING_MAX && same < NET_PENDING_PER_IP;
}

void link_begin(net_conn_t *c, net_transport_t *t, const maddr_t *addr, bool dialled)
{
    net_t *n = t->net;
    c->net = n;
    c->transport = t;
    c->addr = *addr;
    c->dialled = dialled;
    c->number = ++n->next_number;
    c->deadline_ms = n->now_ms + NET_HANDSHAKE_MS;
    *n->conns_end = c;
    n->conns_end = &c->next;
}

void link_closed(net_conn_t *c, const err_t *why)
{
    const net_events_t *ev = &c->net->config.events;
    if (c->state == CONN_CLOSED)
        return;
    c->state = CONN_CLOSED;
    stream_close_all(c, RC_REFUSED);
    if (c->told && ev->closed)
        ev->closed(ev->ctx, c, why);
}

void net_close(net_conn_t *c, unsigned code, const char *text)
{
    err_t why;
    if (c->state == CONN_CLOSED)
        return;
    c->transport->close(c, code, text);
    err_set(&why, RC_REFUSED, "closed by us: %s", text);
    link_closed(c, &why);
}

void link_opened(net_conn_t *c)
{
    const net_events_t *ev = &c->net->config.events;
    if (c->state != CONN_HANDSHAKE)
        return;
    peerid_of(&c->peer, &c->key);
    if (peerid_eq(&c->peer, &c->net->self)) {
        net_close(c, NET_BYE_SELF, "that is ourselves");
        return;
    }
    c->state = CONN_OPEN;
    c->opened_ms = c->net->now_ms;
    c->told = true;
    *(c->addr.circuit ? &c->addr.target : &c->addr.peer) = c->peer;
    if (ev->opened)
        ev->opened(ev->ctx, c);
    if (c->net->config.tell_identify && c->state == CONN_OPEN)
        basic_identify(c);
}

/* ---- the turn ---- */

static void deadlines(net_t *n)
{
    for (net_conn_t *c = n->conns; c; c = c->next) {
        if (c->state == CONN_OPEN)
            stream_deadlines(c);
        if (c->state != CONN_HANDSHAKE || c->deadline_ms > n->now_ms)
            continue;
        err_t why;
        c->transport->close(c, NET_BYE, "too slow");
        err_set(&why, RC_TIMEOUT, "no handshake within %u ms", NET_HANDSHAKE_MS);
        link_closed(c, &why);
    }
}

static void sweep(net_t *n)
{
    for (net_conn_t **at = &n->conns; *at;) {
        net_conn_t *c = *at;
        stream_sweep(c);
        if (c->state != CONN_CLOSED) {
            at = &c->next;
            continue;
        }
        *at = c->next;
        if (n->conns_end == &c->next)
            n->conns_end = at;
        c->transport->drop(c);
    }
}

void net_turn(net_t *n, uint64_t now_ms)
{
    n->now_ms = now_ms;
    deadlines(n);
    for (net_transport_t *t = n->transports; t; t = t->next)
        t->turn(t);
    sweep(n);
}

uint64_t net_next(const net_t *n)
{
    uint64_t at = UINT64_MAX;
    for (const net_transport_t *t = n->transports; t; t = t->next) {
        uint64_t x = t->next_ms(t);
        at = x < at ? x : at;
    }
    for (const net_conn_t *c = n->conns; c; c = c->next) {
        uint64_t x = c->state == CONN_HANDSHAKE ? c->deadline_ms : c->state == CONN_OPEN ? stream_next(c) : n->now_ms;
        at = x < at ? x : at;
    }
    return at;
}

void net_free(net_t *n)
{
    if (!n)
        return;
    n->config.events = (net_events_t){ 0 };
    for (net_conn_t *c = n->conns; c; c = c->next)
        net_close(c, NET_BYE_SHUTDOWN, "the node ends");
    for (net_transport_t *t = n->transports; t; t = t->next)
        t->turn(t);
    sweep(n);
    link_remove(n);
    free(n);
}

/* ---- what is known of a connection ---- */

uint64_t net_now(const net_t *n)
{
    return n->now_ms;
}

const peerid_t *net_self(const net_t *n)
{
    return &n->self;
}

const peerid_t *net_peer(const net_conn_t *c)
{
    return &c->peer;
}

const hostkey_t *net_peer_key(const net_conn_t *c)
{
    return &c->key;
}

const maddr_t *net_addr(const net_conn_t *c)
{
    return &c->addr;
}

bool net_dialled(const net_conn_t *c)
{
    return c->dialled;
}

bool net_is_open(const net_conn_t *c)
{
    return c->state == CONN_OPEN;
}

uint64_t net_opened_ms(const net_conn_t *c)
{
    return c->opened_ms;
}

uint64_t net_number(const net_conn_t *c)
{
    return c->number;
}

void net_set_user(net_conn_t *c, void *user)
{
    c->user = user;
}

void *net_user(const net_conn_t *c)
{
    return c->user;
}

void net_channel_keys(const net_conn_t *c, hash32_t *ours, hash32_t *peers)
{
    *ours = c->our_channel_key;
    *peers = c->peer_channel_key;
}

rc_t net_exporter(net_conn_t *c, uint8_t out[32], const char *label, const hash32_t *context)
{
    return c->state == CONN_OPEN ? c->transport->exporter(c, out, label, context) : RC_REFUSED;
}

unsigned net_bye_code(const net_conn_t *c)
{
    return c->bye_code;
}

net_conn_t *net_first(const net_t *n)
{
    return n->conns;
}

net_conn_t *net_after(const net_conn_t *c)
{
    return c->next;
}
