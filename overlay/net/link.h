/* link.h - what a transport brings, and what it calls: the lower side of net.h.
 *
 * A transport allocates connections whose first member is a net_conn_t, moves the bytes of their streams, and tells
 * here what came. What is to be sent waits in each stream's queue; a transport takes it from there in its flush.
 * Freeing is left to the end of a turn, so that pointers stay good in callbacks.
 *
 * Floor:  4, overlay/net. May include overlay/wire.
 * Tests:  tests/unit/test_net.c
 */
#ifndef OVERLAY_NET_LINK_H
#define OVERLAY_NET_LINK_H

#include "overlay/net/net.h"
#include "overlay/net/sendq.h"
#include "overlay/wire/multistream.h"

typedef struct net_transport net_transport_t;

/* The operations of one kind of transport. */
struct net_transport {
    net_transport_t *next;
    net_t *net;
    bool (*speaks)(const net_transport_t *t, const maddr_t *m);      /* is such an address its own? */
    rc_t (*listen)(net_transport_t *t, err_t *e, const maddr_t *at); /* tells link_listening */
    rc_t (*dial)(net_transport_t *t, net_conn_t **out, err_t *e, const maddr_t *to);
    uint64_t (*next_ms)(const net_transport_t *t); /* when it wants its turn */
    void (*turn)(net_transport_t *t);              /* deadlines of its own; then flush of every connection */
    void (*free)(net_transport_t *t);              /* after all its connections */

    /* of its connections */
    rc_t (*open)(net_conn_t *c, uint64_t *id); /* a stream's id on this connection */
    void (*consumed)(net_stream_t *s, size_t n);
    void (*reset)(net_stream_t *s);
    void (*close)(net_conn_t *c, unsigned code, const char *text); /* says goodbye if it can; no callbacks */
    rc_t (*exporter)(net_conn_t *c, uint8_t out[32], const char *label, const hash32_t *context);
    void (*drop)(net_conn_t *c); /* frees it */
};

typedef enum { CONN_HANDSHAKE, CONN_OPEN, CONN_CLOSED } conn_state_t;

struct net_conn {
    net_conn_t *next;
    net_t *net;
    net_transport_t *transport;
    conn_state_t state;
    bool dialled, told; /* told: the owner knows of it */
    uint64_t number;
    uint64_t deadline_ms; /* of the handshake */
    uint64_t opened_ms;   /* since when it is OPEN */
    maddr_t addr; /* of the peer; while dialling, with the peer id that is expected (behind a circuit: target) */
    hostkey_t key;
    peerid_t peer;
    hash32_t our_channel_key, peer_channel_key;
    unsigned bye_code;
    net_stream_t *streams;
    size_t stream_count, queued;
    void *user;
    net_stream_t *ping;
    net_pong_fn pong;
    void *pong_ctx;
    uint64_t pinged_ms;
    uint8_t ping_bytes[32];
    size_t ping_got;
};

struct net_stream {
    net_stream_t *next;
    net_conn_t *conn;
    uint64_t id;
    bool opener, agreed, gone; /* gone: closed was told; freed at the end of the turn */
    bool end_wanted, end_sent, peer_ended;
    bool blocked;  /* a transport's own: no room at the peer */
    size_t unread; /* likewise: bytes that were brought and not given back */
    mss_t *select; /* while no protocol is agreed */
    const char *wanted[1];
    uint64_t deadline_ms;
    const net_protocol_t *protocol;
    sendq_t out;
    void *user;
    uint8_t *in; /* of the built-in protocols: what has not come whole */
    size_t in_n;
};

struct net {
    net_config_t config;
    net_protocol_t served[NET_PROTOCOLS_MAX + 3]; /* the configuration's and the built-in ones */
    size_t served_count;
    net_transport_t *transports;
    net_conn_t *conns, **conns_end;
    maddr_t listening[NET_LISTEN_MAX];
    size_t listening_count;
    uint64_t now_ms, next_number;
    peerid_t self;
};

/* --- what transports call --- */

/* Adds a transport, which net_free frees; or frees all of them, of a node without connections. */
void link_add(net_t *n, net_transport_t *t);
void link_remove(net_t *n);

/* An address that we listen on now. RC_LIMIT. */
NODISCARD rc_t link_listening(net_t *n, const maddr_t *at);

/* May a connection of this address be accepted? Counts those in HANDSHAKE. */
bool link_may_accept(const net_t *n, const maddr_t *from);

/* A new connection, zeroed by its transport but for what this fills. */
void link_begin(net_conn_t *c, net_transport_t *t, const maddr_t *addr, bool dialled);

/* Its peer is proven: key, and both channel keys, are filled in. Closes it when it is ourselves. */
void link_opened(net_conn_t *c);

/* It is over. Streams are closed; it is freed at the end of the turn. */
void link_closed(net_conn_t *c, const err_t *why);

/* The peer opened a stream. NULL: no memory, or too many; the transport resets it. */
net_stream_t *link_stream(net_conn_t *c, uint64_t id);
net_stream_t *link_find(const net_conn_t *c, uint64_t id);

/* Bytes came; the peer sends no more; the stream is no more (RC_OK: both ends ended, RC_REFUSED: reset). */
void link_data(net_stream_t *s, view_t bytes);
void link_ended(net_stream_t *s);
void link_gone(net_stream_t *s, rc_t why);

/* --- streams of a connection, for the turn --- */

/* Drops the streams whose time is over; the next such time; tells all that they are closed; frees those that are. */
void stream_deadlines(net_conn_t *c);
uint64_t stream_next(const net_conn_t *c);
void stream_close_all(net_conn_t *c, rc_t why);
void stream_sweep(net_conn_t *c);

/* What waits was sent, or all has arrived: bookkeeping after the queue was changed. */
void link_drained(net_stream_t *s, size_t queued_before);

#endif
