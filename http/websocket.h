/* websocket.h - WebSockets of the server: connections that have become streams of messages, all on one thread.
 *
 * A message goes to the handler on that thread, which must not wait for anything; what answers it, or is sent unasked,
 * may come on any thread. Every connection is bounded: messages that are being answered (it is read no further
 * meanwhile), bytes that wait to be sent (who does not take what is pushed loses the connection, and nobody else waits
 * for it), and the time that a peer may be silent, or a message take to come. So are all of them together: when their
 * bytes are full, a client that holds less than a quarter gets room from whoever holds most, whose largest connection
 * ends; others are not read meanwhile.
 *
 * Floor:  2, http.
 * Tests:  tests/unit/test_websocket.c
 */
#ifndef HTTP_WEBSOCKET_H
#define HTTP_WEBSOCKET_H

#include "base/bytes.h"
#include "base/err.h"
#include "http/clients.h"

#define WS_PUSH_MAX ((size_t)1 << 20)    /* bytes that wait to be sent, beyond which nothing more is pushed */
#define WS_ROOM_MAX ((size_t)256 << 10)  /* ... beyond which ws_room says that there is none */
#define WS_ANSWER_MAX ((size_t)64 << 20) /* ... beyond which nothing is answered */
#define WS_IN_FLIGHT_MAX 32u             /* messages of one connection that are being answered */

/* One connection: its handler may hold references to it. */
typedef struct ws ws_t;

typedef struct {
    /* A message has come; text is the handler's to free. To be ended by ws_done, on any thread. */
    void (*message)(void *ctx, ws_t *w, uint8_t *take_text, size_t n);
    /* There is room again, where ws_room said that there is none; on that thread. May be NULL. */
    void (*drained)(void *ctx, ws_t *w);
    /* The connection is over; it is told of nothing more. */
    void (*closed)(void *ctx, ws_t *w);
    void *ctx;
    size_t message_max;         /* bytes; 0: 5 MiB */
    size_t bytes_max;           /* of all connections: messages that come, are answered, and wait; 0: 24 MiB */
    unsigned connections_max;   /* 0: 2048 */
    unsigned per_address_max;   /* of a client that stands for itself alone; 0: 128 */
    uint32_t ping_ms, stall_ms; /* silence before a ping, and after it, or that nothing is taken; 0: 30 s each */
} ws_config_t;

/* Something of the handler's that belongs to the connection; NULL at first. The handler's own to guard. */
void ws_set_mine(ws_t *w, void *mine);
void *ws_mine(const ws_t *w);

/* Whose connection it is; lives as long as w. */
hs_client_t *ws_client(const ws_t *w);

ws_t *ws_ref(ws_t *w); /* returns w */
void ws_unref(ws_t *w);

/* The answer to a message, of n bytes when it came. text n 0: it has none. Any thread; each message once. */
void ws_done(ws_t *w, view_t text, size_t n);

/* Sends a message unasked. False: the connection is over, or ends now because too much waits already. Any thread. */
bool ws_push(ws_t *w, view_t text);

/* Whether there is room for what need not be pushed at once: who has much for one that reads sends it in pieces. When
 * there is none, drained is called once there is. Any thread. */
bool ws_room(ws_t *w);

/* Ends the connection soon: by 1013, behind what was sent. Any thread. */
void ws_end(ws_t *w);

/* Whether closed has been called for it, or is about to be. */
bool ws_is_over(ws_t *w);

/* ---- for serve.c ---- */

typedef struct ws_hub ws_hub_t;

/* A connection's way back to the HTTP server. */
typedef struct {
    void (*close)(void *handle); /* closes the socket */
    void *handle;
} ws_socket_t;

/* Starts the thread. RC_NOMEM, RC_IO. */
NODISCARD rc_t ws_hub_start(ws_hub_t **out, err_t *e, const ws_config_t *config);

/* Whether one more connection of a client has room. */
bool ws_hub_admits(ws_hub_t *h, hs_client_t *client);

/* Takes a connection over, and what has come on it already. Closes it when it has no room. */
void ws_hub_add(ws_hub_t *h, const ws_socket_t *socket, int fd, hs_client_t *client, view_t early);

/* Connections at present. */
unsigned ws_hub_count(ws_hub_t *h);

/* Closes all connections, waits until they are, at most a second, and ends the thread. NULL is allowed. */
void ws_hub_stop(ws_hub_t *h);

#endif
