/* session.h - a connection over anything that carries bytes in order: multistream, Noise XX, then yamux. TCP brings a
 * socket, a relay's circuit a stream of another connection.
 *
 *     session_begin   a connection in HANDSHAKE, of which nothing is sent
 *     session_start   the carrier is there: the handshake begins
 *     session_buffer, session_take   bytes of the peer
 *     session_turn    deadlines, and what streams have to send
 *
 * What is to be sent waits in out, at most about 64 KiB of it for the carrier; what a connection has to send beyond
 * that stays in its streams. A connection is confirmed at the dialler by the first record that its listener sealed.
 * Goodbyes travel as the reason of yamux's Go Away; their text does not.
 *
 * Spec:   libp2p/specs connections/README.md, noise/README.md, yamux/README.md; overlay-facts section 6
 * Floor:  4, overlay/net. For transports. No socket, clock or thread.
 * Tests:  tests/unit/test_sockets.c, tests/unit/test_tcp.c, tests/fuzz/fuzz_tcp.c
 */
#ifndef OVERLAY_NET_SESSION_H
#define OVERLAY_NET_SESSION_H

#include "overlay/net/link.h"
#include "overlay/wire/noise.h"
#include "overlay/wire/yamux.h"

#define SESSION_READ_MAX (64u << 10)  /* bytes that session_take takes at once */
#define SESSION_PLAIN_MAX (32u << 10) /* of the records that we write */

typedef struct session session_t;

/* What all sessions of a transport share: Noise's static key, and room for what one of them works on. A session whose
 * bytes come through another one has a pool of its own. */
typedef struct {
    uint8_t static_key[NOISE_KEY_LEN];
    uint8_t in[2u + NOISE_RECORD_MAX + SESSION_READ_MAX]; /* what a connection kept, and what has just come */
    uint8_t plain[SESSION_PLAIN_MAX];
    uint8_t sealed[2 + SESSION_PLAIN_MAX + 16];
} session_pool_t;

/* What carries the bytes. */
typedef struct {
    /* Takes what it can of out. False: it is broken, why. */
    bool (*push)(session_t *s, err_t *why);
    /* We send no more. */
    void (*shut)(session_t *s);
} session_carrier_t;

/* What each end goes through, in this order. */
typedef enum { SESSION_IDLE, SELECT_NOISE, NOISE, SELECT_YAMUX, MUXED } session_stage_t;

struct session {
    net_conn_t conn; /* first: a transport's connection begins with its session */
    const session_carrier_t *carrier;
    session_pool_t *pool;
    session_stage_t stage;
    mss_t *select;
    noise_t noise;
    yamux_t yamux;
    uint8_t *kept; /* the beginning of a message or record */
    size_t kept_n;
    sendq_t out;
    bool broken; /* a record was lost on its way out: ends with the turn */
    uint64_t heard_ms, next_ping_ms, next_tick_ms;
};

/* Draws the static key. */
void session_pool_init(session_pool_t *p);
void session_pool_clear(session_pool_t *p);

/* Begins a session, zeroed by its transport: link_begin, and times. */
void session_begin(session_t *s, net_transport_t *t, const maddr_t *addr, bool dialled, session_pool_t *pool,
                   const session_carrier_t *carrier);

/* The carrier is there: sends the first bytes, or waits for them. It may be over afterwards. */
void session_start(session_t *s);

/* Where the next bytes of the peer go, up to SESSION_READ_MAX; and takes so many of them. */
uint8_t *session_buffer(session_t *s);
void session_take(session_t *s, size_t n);

/* The carrier has room again. */
void session_push(session_t *s);

/* Ends it. */
void session_fail(session_t *s, const err_t *why);

/* Of one in state CONN_OPEN, in its transport's turn; when it wants the next one. */
void session_turn(session_t *s);
uint64_t session_next(const session_t *s);

/* Frees what it holds, and wipes its keys; not the session itself. */
void session_clear(session_t *s);

/* The operations of net_transport_t, for transports whose connections are sessions. */
rc_t session_open(net_conn_t *conn, uint64_t *id);
void session_consumed(net_stream_t *s, size_t n);
void session_reset(net_stream_t *s);
void session_close(net_conn_t *conn, unsigned code, const char *text);
rc_t session_exporter(net_conn_t *conn, uint8_t out[32], const char *label, const hash32_t *context);

#endif
