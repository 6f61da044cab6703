#include "overlay/wire/yamux.h"

enum { TYPE_DATA, TYPE_WINDOW, TYPE_PING, TYPE_GO_AWAY };
enum { SYN = 1, ACK = 2, FIN = 4, RST = 8 };

typedef struct {
    uint32_t send_window;    /* that the peer gives */
    uint32_t receive_window; /* that we gave and it has not used */
    uint32_t consumed;       /* used up since we gave more */
    bool ack_due, ended, peer_ended;
} stream_t;

static stream_t *find(const yamux_t *y, uint32_t id)
{
    return map_get(&y->streams, &id, sizeof id);
}

static stream_t *add(yamux_t *y, uint32_t id)
{
    stream_t *s = map_put(&y->streams, NULL, &id, sizeof id);
    if (s)
        *s = (stream_t){ .send_window = YAMUX_WINDOW, .receive_window = YAMUX_WINDOW };
    return s;
}

rc_t yamux_init(yamux_t *y, bool initiator, const yamux_events_t *events, void *ctx, const uint64_t seed[2])
{
    *y = (yamux_t){ .initiator = initiator, .events = events, .ctx = ctx, .next_id = initiator ? 1 : 2 };
    arena_init(&y->arena, YAMUX_MEMORY_MAX);
    return map_init(&y->streams, &y->arena, seed, sizeof(uint32_t), sizeof(stream_t));
}

void yamux_free(yamux_t *y)
{
    arena_free(&y->arena);
    y->failed = true;
}

size_t yamux_count(const yamux_t *y)
{
    return y->streams.count;
}

void yamux_tick(yamux_t *y)
{
    y->idle = 0;
}

/* ---- out ---- */

static bool put_frame(wr_t *w, unsigned type, unsigned flags, uint32_t id, uint32_t length)
{
    if (w->bad || w->cap - w->n < YAMUX_HEADER_LEN)
        return false;
    wr_u8(w, 0); /* version */
    wr_u8(w, (uint8_t)type);
    wr_be(w, flags, 2);
    wr_be(w, id, 4);
    wr_be(w, length, 4);
    return true;
}

static void write_answers(yamux_t *y, wr_t *w)
{
    while (y->reset_count && put_frame(w, TYPE_WINDOW, RST, y->resets[y->reset_count - 1], 0))
        y->reset_count--;
    while (y->pong_count && put_frame(w, TYPE_PING, ACK, 0, y->pongs[y->pong_count - 1]))
        y->pong_count--;
}

void yamux_write(yamux_t *y, wr_t *w)
{
    write_answers(y, w);
    for (stream_t *s = map_first(&y->streams); s; s = map_next(s)) {
        uint32_t id, more = s->consumed >= YAMUX_WINDOW / 2 ? s->consumed : 0;
        memcpy(&id, map_key(&y->streams, s), sizeof id);
        if (!s->ack_due && !more)
            continue;
        if (!put_frame(w, TYPE_WINDOW, s->ack_due ? ACK : 0, id, more))
            return;
        s->ack_due = false;
        s->receive_window += more;
        s->consumed -= more;
    }
}

rc_t yamux_open(yamux_t *y, uint32_t *id, wr_t *w)
{
    if (y->failed || y->peer_away || y->we_away || y->streams.count >= YAMUX_STREAMS_MAX || y->next_id > UINT32_MAX - 2)
        return RC_LIMIT;
    if (w->cap - w->n < YAMUX_HEADER_LEN)
        return RC_NEED_DATA;
    if (!add(y, y->next_id))
        return RC_NOMEM;
    (void)put_frame(w, TYPE_WINDOW, SYN, y->next_id, 0);
    *id = y->next_id;
    y->next_id += 2;
    return RC_OK;
}

size_t yamux_data(yamux_t *y, wr_t *w, uint32_t id, view_t payload)
{
    stream_t *s = find(y, id);
    if (!s || s->ended || w->bad || w->cap - w->n <= YAMUX_HEADER_LEN)
        return 0;
    size_t n = payload.n, room = w->cap - w->n - YAMUX_HEADER_LEN;
    n = n < room ? n : room;
    n = n < YAMUX_FRAME_MAX ? n : YAMUX_FRAME_MAX;
    n = n < s->send_window ? n : s->send_window;
    if (n == 0)
        return 0;
    (void)put_frame(w, TYPE_DATA, s->ack_due ? ACK : 0, id, (uint32_t)n);
    wr_bytes(w, payload.p, n);
    s->ack_due = false;
    s->send_window -= (uint32_t)n;
    y->unanswered += (uint32_t)n;
    if (y->unanswered > YAMUX_UNANSWERED_MAX)
        y->unanswered = YAMUX_UNANSWERED_MAX;
    return n;
}

static void forget(yamux_t *y, stream_t *s, uint32_t id, bool reset)
{
    map_remove(&y->streams, s);
    y->events->gone(y->ctx, id, reset);
}

bool yamux_end(yamux_t *y, wr_t *w, uint32_t id)
{
    stream_t *s = find(y, id);
    if (!s || s->ended)
        return true;
    if (!put_frame(w, TYPE_WINDOW, FIN | (s->ack_due ? ACK : 0), id, 0))
        return false;
    s->ack_due = false;
    s->ended = true;
    if (s->peer_ended)
        forget(y, s, id, false);
    return true;
}

void yamux_reset(yamux_t *y, uint32_t id)
{
    stream_t *s = find(y, id);
    if (!s)
        return;
    map_remove(&y->streams, s);
    if (y->reset_count < YAMUX_PENDING_MAX)
        y->resets[y->reset_count++] = id;
    else
        y->failed = true; /* nothing was written for so long: the connection is not alive */
}

void yamux_consumed(yamux_t *y, uint32_t id, size_t n)
{
    stream_t *s = find(y, id);
    if (s)
        s->consumed += (uint32_t)n;
}

bool yamux_ping(yamux_t *y, wr_t *w, uint32_t value)
{
    (void)y;
    return put_frame(w, TYPE_PING, SYN, 0, value);
}

bool yamux_go_away(yamux_t *y, wr_t *w, uint32_t reason)
{
    y->we_away = true;
    return put_frame(w, TYPE_GO_AWAY, 0, 0, reason);
}

/* ---- in ---- */

typedef struct {
    uint8_t type;
    uint16_t flags;
    uint32_t id, length;
} frame_t;

static bool peer_opens(const yamux_t *y, uint32_t id)
{
    return (id % 2 == 1) != y->initiator;
}

/* A stream that the peer opens. More than we take are refused one by one; too many refused ones are a flood. */
static rc_t take_syn(yamux_t *y, err_t *e, uint32_t id)
{
    if (!peer_opens(y, id) || id <= y->last_peer_id)
        return err_set(e, RC_REFUSED, "the peer opened stream %u, which is not its next", id);
    if (y->peer_away)
        return err_say(e, RC_REFUSED, "the peer opened a stream after Go Away");
    y->last_peer_id = id;
    if (y->streams.count >= YAMUX_STREAMS_MAX || y->we_away) {
        if (y->reset_count == YAMUX_PENDING_MAX)
            return err_say(e, RC_LIMIT, "the peer opens streams faster than they can be refused");
        y->resets[y->reset_count++] = id;
        return RC_OK;
    }
    stream_t *s = add(y, id);
    if (!s)
        return err_say(e, RC_NOMEM, "out of memory");
    s->ack_due = true;
    y->events->opened(y->ctx, id);
    return RC_OK;
}

/* Was there ever a stream of this id? What is still under way on one that is gone is nobody's fault. */
static bool was_there(const yamux_t *y, uint32_t id)
{
    return peer_opens(y, id) ? id <= y->last_peer_id : id < y->next_id;
}

static void take_fin(yamux_t *y, uint32_t id)
{
    stream_t *s = find(y, id);
    if (!s || s->peer_ended)
        return;
    s->peer_ended = true;
    y->events->ended(y->ctx, id);
    s = find(y, id);
    if (s && s->ended)
        forget(y, s, id, false);
}

static void take_rst(yamux_t *y, uint32_t id)
{
    stream_t *s = find(y, id);
    if (s)
        forget(y, s, id, true);
}

static rc_t take_window(yamux_t *y, err_t *e, const frame_t *f)
{
    stream_t *s = find(y, f->id);
    if (s && f->length > UINT32_MAX - s->send_window)
        return err_set(e, RC_REFUSED, "the window of stream %u would be over 2^32", f->id);
    if (s && f->length) {
        s->send_window += f->length;
        y->events->writable(y->ctx, f->id);
    }
    if (f->flags & FIN)
        take_fin(y, f->id);
    if (f->flags & RST)
        take_rst(y, f->id);
    return RC_OK;
}

static rc_t begin_data(yamux_t *y, err_t *e, const frame_t *f)
{
    if (f->flags & RST)
        take_rst(y, f->id);
    stream_t *s = find(y, f->id);
    if (s && (f->length > s->receive_window || (s->peer_ended && f->length)))
        return err_set(e, RC_REFUSED, "the peer sent more on stream %u than it may", f->id);
    if (s)
        s->receive_window -= f->length;
    y->left = f->length;
    y->stream = f->id;
    y->flags = f->flags;
    y->drop = !s;
    if (!y->left && f->flags & FIN)
        take_fin(y, f->id);
    return RC_OK;
}

static rc_t take_ping(yamux_t *y, err_t *e, const frame_t *f)
{
    if (f->flags & ACK) {
        y->events->pong(y->ctx, f->length);
        return RC_OK;
    }
    if (y->pong_count == YAMUX_PENDING_MAX)
        return err_say(e, RC_LIMIT, "the peer pings faster than it takes the answers");
    if (f->flags & SYN)
        y->pongs[y->pong_count++] = f->length;
    return RC_OK;
}

/* Whether a frame is more than a reason to be busy: payload, a beginning, an end, or room for what was used up. */
static bool brings(yamux_t *y, const frame_t *f)
{
    if (f->type == TYPE_DATA)
        return f->length || f->flags;
    if (f->flags & (SYN | FIN | RST))
        return true;
    if (f->type != TYPE_WINDOW || !f->length || y->unanswered < YAMUX_ROOM_MIN)
        return false;
    y->unanswered -= YAMUX_ROOM_MIN;
    return true;
}

static rc_t take_frame(yamux_t *y, err_t *e, const frame_t *f)
{
    const bool of_stream = f->type == TYPE_DATA || f->type == TYPE_WINDOW;
    if (f->type > TYPE_GO_AWAY || f->flags > (SYN | ACK | FIN | RST) || of_stream != (f->id != 0))
        return err_set(e, RC_MALFORMED, "a yamux frame of type %u with flags %u on stream %u", f->type, f->flags,
                       f->id);
    if (!brings(y, f) && ++y->idle > YAMUX_IDLE_MAX)
        return err_say(e, RC_LIMIT, "the peer floods the connection with frames that bring nothing");
    if (f->type == TYPE_PING)
        return take_ping(y, e, f);
    if (f->type == TYPE_GO_AWAY) {
        y->peer_away = true;
        y->events->went_away(y->ctx, f->length);
        return RC_OK;
    }
    rc_t rc = f->flags & SYN ? take_syn(y, e, f->id) : RC_OK;
    if (rc)
        return rc;
    if (!was_there(y, f->id))
        return err_set(e, RC_REFUSED, "a frame on stream %u, which nobody opened", f->id);
    return f->type == TYPE_DATA ? begin_data(y, e, f) : take_window(y, e, f);
}

/* Payload goes on as it comes. */
static void take_payload(yamux_t *y, rd_t *r)
{
    uint32_t n = y->left < r->n ? y->left : (uint32_t)r->n;
    view_t part = rd_take(r, n);
    y->left -= n;
    if (!y->drop && find(y, y->stream))
        y->events->data(y->ctx, y->stream, part);
    if (!y->left && y->flags & FIN)
        take_fin(y, y->stream);
}

static rc_t take_header(yamux_t *y, err_t *e, rd_t *r)
{
    size_t want = sizeof y->header - y->header_n, n = want < r->n ? want : r->n;
    rd_copy(r, y->header + y->header_n, n);
    y->header_n += n;
    if (y->header_n < sizeof y->header)
        return RC_OK;
    y->header_n = 0;
    rd_t h = rd_of(view_of(y->header, sizeof y->header));
    if (rd_u8(&h) != 0)
        return err_say(e, RC_MALFORMED, "a yamux frame of another version than 0");
    frame_t f = { .type = rd_u8(&h) };
    f.flags = rd_u16be(&h);
    f.id = rd_u32be(&h);
    f.length = rd_u32be(&h);
    return take_frame(y, e, &f);
}

rc_t yamux_take(yamux_t *y, err_t *e, view_t in)
{
    rd_t r = rd_of(in);
    rc_t rc = RC_OK;
    while (!rc && r.n && !y->failed) {
        if (y->left)
            take_payload(y, &r);
        else
            rc = take_header(y, e, &r);
    }
    if (!rc && y->failed)
        rc = err_say(e, RC_LIMIT, "the connection takes nothing any more");
    y->failed |= rc != RC_OK;
    return rc;
}
