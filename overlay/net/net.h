/* net.h - connections to peers, and streams on them, whatever transport carries them (link.h).
 *
 *     dial or accept -> HANDSHAKE -> OPEN (the peer's key is known and proven) -> CLOSED
 *     stream: open or accept -> protocol agreed -> data, each direction ended or all reset -> closed
 *
 * Everything happens on one thread and in callbacks, whose time is net_now. A callback may call any function here. A
 * pointer to a connection or stream is good until its closed callback returned. Identify and ping are answered by
 * themselves; every other protocol is served where the owner's `serves` says so.
 *
 * Floor:  4, overlay/net. May include overlay/wire. No socket or clock here: transports bring them.
 * Tests:  tests/unit/test_net.c
 */
#ifndef OVERLAY_NET_NET_H
#define OVERLAY_NET_NET_H

#include "overlay/wire/identify.h"
#include "overlay/wire/multiaddr.h"

#define NET_HANDSHAKE_MS 5000u        /* from the first byte to OPEN */
#define NET_SELECT_MS 10000u          /* to agree on a stream's protocol */
#define NET_IDLE_MS 30000u            /* without a byte of the peer */
#define NET_KEEP_ALIVE_MS 5000u       /* below the idle limit of every known peer */
#define NET_PENDING_MAX 60u           /* accepted connections in HANDSHAKE, of all peers */
#define NET_PENDING_PER_IP 4u         /* ... of one address */
#define NET_STREAMS_MAX 256u          /* of one connection */
#define NET_WINDOW (256u << 10)       /* bytes under way on a stream that the receiver has not consumed */
#define NET_QUEUE_MAX (1u << 20)      /* bytes that wait on a stream */
#define NET_CONN_QUEUE_MAX (4u << 20) /* ... on a connection */
#define NET_PROTOCOLS_MAX 32u
#define NET_LISTEN_MAX 8u

/* Why a connection ends: QUIC's application error; 0x6b00 and above are ours (overlay-facts-more J). */
enum {
    NET_BYE = 0,
    NET_BYE_DUPLICATE = 0x6b01,
    NET_BYE_SLOTS_FULL,
    NET_BYE_ATTEST,
    NET_BYE_BANNED,
    NET_BYE_SHUTDOWN,
    NET_BYE_PROTOCOL,
    NET_BYE_REATTEST_DUE,
    NET_BYE_POLICY,
    NET_BYE_WRONG_CHAIN,
    NET_BYE_SELF
};

typedef struct net net_t;
typedef struct net_conn net_conn_t;
typedef struct net_stream net_stream_t;

/* A protocol: its name, at most MSS_NAME_MAX characters, and what happens on its streams. Both ends of a stream get the
 * same callbacks; any may be NULL. */
typedef struct {
    const char *name;
    void (*opened)(void *ctx, net_stream_t *s);             /* both ends agreed */
    void (*data)(void *ctx, net_stream_t *s, view_t bytes); /* give the room back by net_consumed */
    void (*ended)(void *ctx, net_stream_t *s);              /* the peer sends no more */
    void (*writable)(void *ctx, net_stream_t *s);           /* agreed, and all that was written has left */
    void (*closed)(void *ctx, net_stream_t *s, rc_t why);   /* RC_OK: both ends ended; RC_UNSUPPORTED: the peer does not
                                                             * serve it; RC_TIMEOUT; RC_REFUSED: reset */
    void *ctx;
} net_protocol_t;

typedef struct {
    /* A connection is OPEN. */
    void (*opened)(void *ctx, net_conn_t *c);
    /* It is over; of one that never was OPEN, too. why: never RC_OK. */
    void (*closed)(void *ctx, net_conn_t *c, const err_t *why);
    /* May this protocol of the configuration be served on this connection now? NULL: always. */
    bool (*serves)(void *ctx, net_conn_t *c, const net_protocol_t *p);
    /* What the peer told about itself. NULL: not wanted. */
    void (*identified)(void *ctx, net_conn_t *c, const identify_t *id);
    void *ctx;
    /* May a connection of this address be accepted? NULL: always. */
    bool (*accepts)(void *ctx, const maddr_t *from);
} net_events_t;

typedef struct {
    identity_t who;
    const char *agent; /* for identify: "kettle/0.1.0" */
    net_events_t events;
    const net_protocol_t *protocols; /* served; stay the caller's, as do the strings */
    size_t protocol_count;
    bool tell_identify; /* ask every peer for identify as soon as it is OPEN */
} net_config_t;

/* A node without transports. *out is freed with net_free, which closes and frees everything of it. RC_NOMEM; RC_LIMIT:
 * too many protocols. */
NODISCARD rc_t net_new(net_t **out, const net_config_t *config);
void net_free(net_t *n);

/* Listens. A port of 0 is chosen by the system; net_listening has the real ones. RC_UNSUPPORTED: no transport for it;
 * RC_IO; RC_LIMIT. */
NODISCARD rc_t net_listen(net_t *n, err_t *e, const maddr_t *at);
const maddr_t *net_listening(const net_t *n, size_t *count);

/* Dials an address with numbers, not names; with a peer id in it, nobody else is taken. The connection is in HANDSHAKE;
 * closed comes if nothing comes of it. user: for net_user. RC_UNSUPPORTED, RC_IO, RC_NOMEM. */
NODISCARD rc_t net_dial(net_t *n, net_conn_t **out, err_t *e, const maddr_t *to, void *user);

/* One turn: the time now (monotonic milliseconds), deadlines, what is to be sent. */
void net_turn(net_t *n, uint64_t now_ms);

/* When the next turn is due at the latest. */
uint64_t net_next(const net_t *n);
uint64_t net_now(const net_t *n);

/* Our own id. */
const peerid_t *net_self(const net_t *n);

/* Ends a connection, with a code of those above. */
void net_close(net_conn_t *c, unsigned code, const char *text);

/* What is known of a connection. Peer and key from OPEN on. */
const peerid_t *net_peer(const net_conn_t *c);
const hostkey_t *net_peer_key(const net_conn_t *c);
const maddr_t *net_addr(const net_conn_t *c); /* of the peer, with its transport */
bool net_dialled(const net_conn_t *c);
bool net_is_open(const net_conn_t *c);
uint64_t net_opened_ms(const net_conn_t *c); /* when it became OPEN */
uint64_t net_number(const net_conn_t *c);    /* never used twice: for who comes back later */
void net_set_user(net_conn_t *c, void *user);
void *net_user(const net_conn_t *c);

/* What attestation binds: SHA-256 of both ends' TLS SubjectPublicKeyInfo, or of their Noise static keys; and 32 bytes
 * that only both ends know, for this label and context: TLS's exporter, or HMAC under the Noise handshake's hash.
 * RC_REFUSED: not OPEN. */
void net_channel_keys(const net_conn_t *c, hash32_t *ours, hash32_t *peers);
NODISCARD rc_t net_exporter(net_conn_t *c, uint8_t out[32], const char *label, const hash32_t *context);

/* The code with which the peer closed; 0: none. */
unsigned net_bye_code(const net_conn_t *c);

/* Opens a stream for a protocol, which stays the caller's. It may be written to at once: what is written is sent behind
 * the proposal. RC_REFUSED: not OPEN; RC_LIMIT: too many; RC_NOMEM. */
NODISCARD rc_t net_open(net_conn_t *c, net_stream_t **out, const net_protocol_t *p, void *user);

/* Writes all of it, or nothing. RC_LIMIT: too much waits; RC_REFUSED: we ended, or it is gone; RC_NOMEM. */
NODISCARD rc_t net_write(net_stream_t *s, view_t bytes);

/* So many bytes net_write would take now. */
size_t net_room(const net_stream_t *s);

/* Ends our direction behind what was written. */
void net_end(net_stream_t *s);

/* Drops a stream; its closed callback is called with RC_REFUSED. */
void net_reset(net_stream_t *s);

/* So many bytes that data brought were used up: the peer may send as many more. */
void net_consumed(net_stream_t *s, size_t n);

/* What is known of a stream. */
net_conn_t *net_conn_of(const net_stream_t *s);
bool net_opener(const net_stream_t *s); /* did this end open it? */
void net_set_stream_user(net_stream_t *s, void *user);
void *net_stream_user(const net_stream_t *s);

/* Pings; pong comes with the round trip in milliseconds, or with RC_TIMEOUT after NET_SELECT_MS, or why the stream
 * ended. One at a time for a connection: RC_LIMIT. */
typedef void (*net_pong_fn)(void *ctx, net_conn_t *c, rc_t rc, uint64_t ms);
NODISCARD rc_t net_ping(net_conn_t *c, net_pong_fn pong, void *ctx);

/* Connections that there are, in any state, in the order of their making. */
net_conn_t *net_first(const net_t *n);
net_conn_t *net_after(const net_conn_t *c);

#endif
