/* yamux.h - many streams over one ordered connection. A machine without buffers: payload goes through it, frames are
 * written where the caller says.
 *
 *     idle -open/SYN-> open -FIN of one end-> half closed -FIN of the other-> gone
 *                      any of them -RST of either end-> gone
 *
 * The initiator of the connection opens odd streams, the other end even ones. Only payload counts against a stream's
 * window, which begins at YAMUX_WINDOW each way and grows by what yamux_consumed says.
 *
 * Spec:   hashicorp/yamux spec.md; libp2p/specs yamux/README.md; overlay-facts section 6
 * Floor:  4, overlay/wire. No I/O, clock or thread; its streams are in an arena of at most YAMUX_MEMORY_MAX.
 * Tests:  tests/unit/test_yamux.c, tests/fuzz/fuzz_yamux.c
 */
#ifndef OVERLAY_WIRE_YAMUX_H
#define OVERLAY_WIRE_YAMUX_H

#include "base/arena.h"
#include "base/err.h"
#include "base/map.h"

#define YAMUX_HEADER_LEN 12u
#define YAMUX_WINDOW (256u << 10)       /* bytes that may be under way on a stream */
#define YAMUX_FRAME_MAX (16u << 10)     /* bytes of payload in a frame that we write */
#define YAMUX_STREAMS_MAX 256u          /* open at once, of both ends together */
#define YAMUX_PENDING_MAX 16u           /* answers to pings and to refused streams that wait for room */
#define YAMUX_IDLE_MAX 1024u            /* frames that bring nothing, between two yamux_ticks */
#define YAMUX_ROOM_MIN 512u             /* bytes that we sent, for each frame of the peer that gives room back */
#define YAMUX_UNANSWERED_MAX (1u << 20) /* of bytes that we sent, how many are counted for such frames */
#define YAMUX_MEMORY_MAX (96u << 10)

enum { YAMUX_NORMAL = 0, YAMUX_PROTOCOL_ERROR = 1, YAMUX_INTERNAL_ERROR = 2 }; /* reasons of Go Away */

/* What a machine tells. A callback may call the functions below, for its own stream or others. */
typedef struct {
    void (*opened)(void *ctx, uint32_t id);             /* by the peer */
    void (*data)(void *ctx, uint32_t id, view_t bytes); /* in order; yamux_consumed gives the room back */
    void (*ended)(void *ctx, uint32_t id);              /* the peer sends no more */
    void (*gone)(void *ctx, uint32_t id, bool reset);   /* last word on a stream: reset by the peer, or both ended */
    void (*writable)(void *ctx, uint32_t id);           /* the peer gave more room */
    void (*pong)(void *ctx, uint32_t value);
    void (*went_away)(void *ctx, uint32_t reason); /* the peer opens and takes no more streams */
} yamux_events_t;

typedef struct {
    bool initiator;
    const yamux_events_t *events;
    void *ctx;
    arena_t arena;
    map_t streams; /* id to stream */
    uint32_t next_id, last_peer_id;
    bool peer_away, we_away;
    unsigned idle;
    uint32_t unanswered; /* bytes that we sent, less those that frames giving room back have answered */

    uint32_t pongs[YAMUX_PENDING_MAX], resets[YAMUX_PENDING_MAX]; /* to be written */
    unsigned pong_count, reset_count;

    uint8_t header[YAMUX_HEADER_LEN]; /* of the frame at hand */
    size_t header_n;
    uint32_t left, stream; /* payload that is still to come, and whose */
    bool drop;             /* ... of nobody: a stream that is gone */
    uint16_t flags;
    bool failed;
} yamux_t;

/* Begins. RC_NOMEM. seed: of the table of streams. */
NODISCARD rc_t yamux_init(yamux_t *y, bool initiator, const yamux_events_t *events, void *ctx, const uint64_t seed[2]);
void yamux_free(yamux_t *y);

/* Takes bytes of the connection, in any portions. Not RC_OK: the connection is of no more use, and nothing is taken
 * any more. RC_MALFORMED, RC_REFUSED (windows, ids), RC_LIMIT (floods), RC_NOMEM. */
NODISCARD rc_t yamux_take(yamux_t *y, err_t *e, view_t in);

/* Forgets the frames that brought nothing; once a second. */
void yamux_tick(yamux_t *y);

/* Writes what is due: acknowledgements, windows, resets, answers to pings. What finds no room in w waits. */
void yamux_write(yamux_t *y, wr_t *w);

/* Opens a stream. RC_LIMIT: too many, or one end goes away; RC_NEED_DATA: no room in w; RC_NOMEM. */
NODISCARD rc_t yamux_open(yamux_t *y, uint32_t *id, wr_t *w);

/* Writes one frame of payload: as much of it as frame, window and w have room for; returns how much, 0 also for a
 * stream that is gone or was ended. */
size_t yamux_data(yamux_t *y, wr_t *w, uint32_t id, view_t payload);

/* Ends our direction, by a frame of its own: others lose the payload of a frame that ends. False: no room. */
bool yamux_end(yamux_t *y, wr_t *w, uint32_t id);

/* Drops a stream: nothing of it will be told any more. */
void yamux_reset(yamux_t *y, uint32_t id);

/* So many bytes of a stream were used up. */
void yamux_consumed(yamux_t *y, uint32_t id, size_t n);

/* Asks for a pong. False: no room. */
bool yamux_ping(yamux_t *y, wr_t *w, uint32_t value);

/* Says that we take and open no more streams. False: no room. */
bool yamux_go_away(yamux_t *y, wr_t *w, uint32_t reason);

/* Streams that are there. */
size_t yamux_count(const yamux_t *y);

#endif
