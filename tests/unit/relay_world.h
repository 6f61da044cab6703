/* relay_world.h - streams of a relay under test: what it wrote to each, and what became of it. */
#ifndef TESTS_RELAY_WORLD_H
#define TESTS_RELAY_WORLD_H

#include <stdlib.h>
#include <string.h>

#include "overlay/relay.h"

#ifndef WORLD_STREAMS /* a fuzz target has fewer: it makes a world for each input */
#define WORLD_STREAMS 256
#endif
#define WORLD_KEPT 8192

typedef struct {
    relay_leg_t *leg;
    peerid_t peer;
    uint8_t out[WORLD_KEPT]; /* the newest that was written and not looked at */
    size_t out_n;
    uint64_t written, consumed;
    bool ended, reset;
} world_stream_t;

typedef struct {
    relay_t *relay;
    world_stream_t streams[WORLD_STREAMS];
    size_t count;
    bool no_connection, no_room; /* faults */
} relay_world_t;

static inline world_stream_t *world_next(relay_world_t *w, const peerid_t *peer)
{
    if (w->count == WORLD_STREAMS)
        return NULL;
    world_stream_t *s = &w->streams[w->count++];
    *s = (world_stream_t){ .peer = *peer };
    return s;
}

static inline void *world_open(void *ctx, relay_leg_t *leg, const peerid_t *to)
{
    relay_world_t *w = ctx;
    world_stream_t *s = w->no_connection ? NULL : world_next(w, to);
    if (s)
        s->leg = leg;
    return s;
}

static inline rc_t world_send(void *ctx, void *stream, view_t bytes)
{
    const relay_world_t *w = ctx;
    world_stream_t *s = stream;
    if (w->no_room || s->ended || s->reset)
        return RC_LIMIT;
    s->written += bytes.n;
    if (bytes.n <= WORLD_KEPT - s->out_n) {
        memcpy(s->out + s->out_n, bytes.p, bytes.n);
        s->out_n += bytes.n;
    }
    return RC_OK;
}

static inline void world_end(void *ctx, void *stream)
{
    (void)ctx;
    ((world_stream_t *)stream)->ended = true;
}

/* As net_reset: the stream is gone before this returns. */
static inline void world_reset(void *ctx, void *stream)
{
    world_stream_t *s = stream;
    relay_leg_t *leg = s->leg;
    (void)ctx;
    s->reset = true;
    s->leg = NULL;
    if (leg)
        relay_gone(leg);
}

static inline void world_consumed(void *ctx, void *stream, size_t n)
{
    (void)ctx;
    ((world_stream_t *)stream)->consumed += n;
}

static inline rc_t world_begin(relay_world_t *w, const identity_t *who)
{
    const relay_config_t c = { .who = *who,
                               .events = { .open = world_open,
                                           .send = world_send,
                                           .end = world_end,
                                           .reset = world_reset,
                                           .consumed = world_consumed },
                               .ctx = w };
    return relay_new(&w->relay, &c);
}

/* A member opens a hop stream. NULL: the relay does not want it. */
static inline world_stream_t *world_hop(relay_world_t *w, const peerid_t *peer)
{
    world_stream_t *s = world_next(w, peer);
    if (s && !(s->leg = relay_opened(w->relay, s, peer)))
        s->reset = true;
    return s;
}

static inline void world_say(world_stream_t *s, circuit_protocol_t protocol, const circuit_message_t *m)
{
    uint8_t bytes[CIRCUIT_MESSAGE_MAX + 3];
    wr_t w = wr_of(bytes, sizeof bytes);
    circuit_write(&w, protocol, m);
    if (s->leg && !w.bad)
        relay_take(s->leg, wr_view(&w));
}

static inline void world_gone(world_stream_t *s)
{
    relay_leg_t *leg = s->leg;
    s->leg = NULL;
    if (leg)
        relay_gone(leg);
}

static inline void world_clear(relay_world_t *w)
{
    for (size_t i = 0; i < w->count; i++)
        world_gone(&w->streams[i]);
    relay_free(w->relay);
}

#endif
