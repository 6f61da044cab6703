#include "http/wsframe.h"

#include <stdlib.h>
#include <wslay/wslay.h>

#define HEAD_STEP                                                                                                      \
    2u /* bytes of a frame's head that are given at once: it has an even number, and no message is as short */
#define KEEP_MAX ((size_t)4 << 10) /* bytes of an empty buffer that are kept for the next use */

typedef struct {
    uint8_t *p;
    size_t n, cap;
} buffer_t;

struct wsf {
    wsf_config_t config;
    wslay_event_context_ptr wslay;
    view_t in;        /* what is left of the bytes that are being fed */
    bool control;     /* the frame that is coming is one */
    bool no_memory;   /* in a callback */
    bool paused;      /* no frame is begun */
    uint64_t left;    /* bytes of the frame that is coming */
    buffer_t waiting; /* came while it was paused */
    buffer_t message; /* of which whole frames, and parts of one, have come */
    buffer_t out;
    size_t out_at; /* so much of it is sent */
};

/* False: no memory, or it would be longer than most. */
static bool append(buffer_t *b, const uint8_t *p, size_t n, size_t most)
{
    if (n > most - b->n)
        return false;
    if (n > b->cap - b->n) {
        size_t cap = b->cap ? b->cap : 512;
        while (cap - b->n < n)
            cap = cap > most / 2 ? most : 2 * cap;
        uint8_t *grown = realloc(b->p, cap);
        if (!grown)
            return false;
        b->p = grown;
        b->cap = cap;
    }
    if (n)
        memcpy(b->p + b->n, p, n);
    b->n += n;
    return true;
}

/* ---- what libwslay calls ---- */

static ssize_t on_recv(wslay_event_context_ptr wslay, uint8_t *out, size_t n, int flags, void *ctx)
{
    wsf_t *f = ctx;
    (void)flags;
    if (!f->in.n || f->paused) {
        wslay_event_set_error(wslay, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    /* Nearly no byte behind the frame: no other message is in there when it pauses. */
    const uint64_t most = f->left ? f->left : HEAD_STEP;
    n = n < most ? n : (size_t)most;
    n = n < f->in.n ? n : f->in.n;
    memcpy(out, f->in.p, n);
    f->in = view_of(f->in.p + n, f->in.n - n);
    return (ssize_t)n;
}

static ssize_t on_send(wslay_event_context_ptr wslay, const uint8_t *p, size_t n, int flags, void *ctx)
{
    wsf_t *f = ctx;
    (void)flags;
    if (append(&f->out, p, n, SIZE_MAX))
        return (ssize_t)n;
    f->no_memory = true;
    wslay_event_set_error(wslay, WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

/* libwslay bounds each frame by the maximum; the frames of a message together are bounded here. */
static void on_frame(wslay_event_context_ptr wslay, const struct wslay_event_on_frame_recv_start_arg *frame, void *ctx)
{
    wsf_t *f = ctx;
    (void)wslay;
    f->control = wslay_is_ctrl_frame(frame->opcode);
    f->left = frame->payload_length;
    if (!f->control && frame->payload_length > f->config.message_max - f->message.n)
        f->no_memory |= wsf_close(f, WSF_CLOSE_TOO_BIG) != RC_OK;
}

static void on_chunk(wslay_event_context_ptr wslay, const struct wslay_event_on_frame_recv_chunk_arg *chunk, void *ctx)
{
    wsf_t *f = ctx;
    (void)wslay;
    f->left -= chunk->data_length;
    if (!f->control && !wsf_closing(f) && !append(&f->message, chunk->data, chunk->data_length, f->config.message_max))
        f->no_memory = true;
}

static void on_message(wslay_event_context_ptr wslay, const struct wslay_event_on_msg_recv_arg *message, void *ctx)
{
    wsf_t *f = ctx;
    buffer_t whole = f->message;
    (void)wslay;
    if (wslay_is_ctrl_frame(message->opcode))
        return;
    f->message = (buffer_t){ 0 };
    if (!whole.p)
        whole.p = malloc(1); /* an empty message is one, too */
    f->no_memory |= !whole.p;
    if (!f->no_memory && !wsf_closing(f))
        f->config.message(f->config.ctx, whole.p, whole.n);
    else
        free(whole.p);
}

/* ---- the stream ---- */

wsf_t *wsf_new(const wsf_config_t *config)
{
    static const struct wslay_event_callbacks callbacks = { .recv_callback = on_recv,
                                                            .send_callback = on_send,
                                                            .on_frame_recv_start_callback = on_frame,
                                                            .on_frame_recv_chunk_callback = on_chunk,
                                                            .on_msg_recv_callback = on_message };
    wsf_t *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->config = *config;
    if (wslay_event_context_server_init(&f->wslay, &callbacks, f) != 0) {
        free(f);
        return NULL;
    }
    wslay_event_config_set_no_buffering(f->wslay, 1);
    wslay_event_config_set_max_recv_msg_length(f->wslay, config->message_max);
    return f;
}

void wsf_free(wsf_t *f)
{
    if (!f)
        return;
    wslay_event_context_free(f->wslay);
    free(f->message.p);
    free(f->waiting.p);
    free(f->out.p);
    free(f);
}

/* Has everything queued written to out. */
static rc_t flush(wsf_t *f)
{
    const int failed = wslay_event_send(f->wslay);
    return failed || f->no_memory ? RC_NOMEM : RC_OK;
}

/* Keeps what a pause has left of the bytes that were fed, which may be those that waited. */
static bool keep_rest(wsf_t *f)
{
    buffer_t *b = &f->waiting;
    const view_t rest = f->paused ? f->in : view_of(NULL, 0);
    f->in = view_of(NULL, 0);
    if (b->n && rest.n)
        memmove(b->p, rest.p, rest.n);
    else if (rest.n && !append(b, rest.p, rest.n, SIZE_MAX))
        return false;
    b->n = rest.n;
    if (!b->n) {
        free(b->p);
        *b = (buffer_t){ 0 };
    }
    return true;
}

rc_t wsf_feed(wsf_t *f, view_t bytes)
{
    int failed;
    size_t before;
    if (f->waiting.n && !append(&f->waiting, bytes.p, bytes.n, SIZE_MAX))
        return RC_NOMEM;
    f->in = f->waiting.n ? view_of(f->waiting.p, f->waiting.n) : bytes;
    f->paused = false;
    do {
        before = f->in.n;
        failed = wslay_event_recv(f->wslay);
    } while (!failed && !f->paused && f->in.n && f->in.n < before); /* it stops when it got a part of a head */
    if (!keep_rest(f) || failed == WSLAY_ERR_NOMEM || f->no_memory)
        return RC_NOMEM;
    return flush(f);
}

void wsf_pause(wsf_t *f)
{
    f->paused = true;
}

size_t wsf_waiting(const wsf_t *f)
{
    return f->waiting.n;
}

static rc_t queue(wsf_t *f, uint8_t opcode, view_t text)
{
    const struct wslay_event_msg m = { opcode, text.p, text.n };
    const int failed = wslay_event_queue_msg(f->wslay, &m);
    if (failed && failed != WSLAY_ERR_NO_MORE_MSG)
        return RC_NOMEM;
    return flush(f);
}

rc_t wsf_send(wsf_t *f, view_t text)
{
    return queue(f, WSLAY_TEXT_FRAME, text);
}

rc_t wsf_ping(wsf_t *f)
{
    return queue(f, WSLAY_PING, view_of(NULL, 0));
}

rc_t wsf_close(wsf_t *f, unsigned code)
{
    const int failed = wslay_event_queue_close(f->wslay, (uint16_t)code, NULL, 0);
    wslay_event_shutdown_read(f->wslay);
    if (failed && failed != WSLAY_ERR_NO_MORE_MSG)
        return RC_NOMEM;
    return flush(f);
}

view_t wsf_out(const wsf_t *f)
{
    return f->out.n > f->out_at ? view_of(f->out.p + f->out_at, f->out.n - f->out_at) : view_of(NULL, 0);
}

void wsf_sent(wsf_t *f, size_t n)
{
    f->out_at += n;
    if (f->out_at < f->out.n)
        return;
    f->out.n = f->out_at = 0;
    if (f->out.cap > KEEP_MAX) {
        free(f->out.p);
        f->out = (buffer_t){ 0 };
    }
}

size_t wsf_begun(const wsf_t *f)
{
    return f->message.n;
}

size_t wsf_held(const wsf_t *f)
{
    return f->message.cap + f->waiting.cap + (f->out.n ? f->out.cap : 0);
}

bool wsf_closing(const wsf_t *f)
{
    return wslay_event_get_close_sent(f->wslay) || !wslay_event_get_read_enabled(f->wslay);
}

bool wsf_closed_by_peer(const wsf_t *f)
{
    return wslay_event_get_close_received(f->wslay);
}
