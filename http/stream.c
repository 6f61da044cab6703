#include "http/stream.h"

#include <poll.h>
#include <stdlib.h>

#include "base/os/clock.h"
#include "http/server_state.h"

#define LOOK_AT 256u /* connections at a time */
#define BLOCK 4096u  /* bytes that libmicrohttpd asks for */

struct hs_stream {
    hs_stream_t *prev, *next; /* in the server's ring, under its lock */
    hs_t *server;
    conn_t *conn;
    hs_client_t *client;
    hs_source_t source;
    atomic_uint refs; /* of the answer, and of who wakes it */
    pthread_mutex_t lock;
    bool suspended, woken, idle; /* under it; idle: its text is due */
    bool over;                   /* likewise: nothing is sent any more, or */
    bool gone;                   /* the connection is not there any more */
    uint64_t since_ms;           /* likewise: when it was suspended */
};

void hs_stream_unref(hs_stream_t *s)
{
    if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
        return;
    hs_client_unref(s->client);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* With its lock held. */
static void resume(hs_stream_t *s)
{
    s->woken = true;
    if (!s->suspended || s->gone)
        return;
    s->suspended = false;
    MHD_resume_connection(s->conn->mhd);
}

void hs_stream_wake(hs_stream_t *s)
{
    pthread_mutex_lock(&s->lock);
    resume(s);
    pthread_mutex_unlock(&s->lock);
}

/* Nothing more is sent. */
static void end_stream(hs_stream_t *s)
{
    pthread_mutex_lock(&s->lock);
    s->over = true;
    resume(s);
    pthread_mutex_unlock(&s->lock);
}

static size_t put_idle(hs_stream_t *s, char *out, size_t cap)
{
    const size_t n = s->idle ? strlen(s->source.idle) : 0;
    s->idle = false;
    if (!n || n > cap)
        return 0;
    memcpy(out, s->source.idle, n);
    return n;
}

/* Bytes for the connection, or it waits. On its event thread. */
static ssize_t on_read(void *ctx, uint64_t at, char *out, size_t cap)
{
    hs_stream_t *s = ctx;
    (void)at;
    for (;;) {
        pthread_mutex_lock(&s->lock);
        s->woken = false;
        const bool over = s->over;
        size_t n = over ? 0 : put_idle(s, out, cap);
        pthread_mutex_unlock(&s->lock);
        if (!over && !n)
            n = s->source.read(s->source.ctx, out, cap);
        if (over || n == HS_STREAM_END)
            return MHD_CONTENT_READER_END_OF_STREAM;
        if (n) {
            atomic_store_explicit(&s->conn->deadline_ms,
                                  clock_monotonic_ms() + 2000u * (uint64_t)s->server->config.idle_timeout_s,
                                  memory_order_relaxed);
            return (ssize_t)n;
        }
        pthread_mutex_lock(&s->lock);
        const bool waits = !s->woken && !s->over;
        if (waits) {
            atomic_store_explicit(&s->conn->deadline_ms, 0, memory_order_relaxed);
            s->suspended = true;
            s->since_ms = clock_monotonic_ms();
            MHD_suspend_connection(s->conn->mhd);
        }
        pthread_mutex_unlock(&s->lock);
        if (waits)
            return 0;
    }
}

/* The answer is not needed any more. */
static void on_free(void *ctx)
{
    hs_stream_t *s = ctx;
    hs_t *server = s->server;
    pthread_mutex_lock(&server->lock);
    s->prev->next = s->next;
    s->next->prev = s->prev;
    server->stream_count--;
    s->client->streams--;
    pthread_mutex_unlock(&server->lock);
    pthread_mutex_lock(&s->lock);
    s->gone = s->over = true;
    pthread_mutex_unlock(&s->lock);
    s->source.closed(s->source.ctx);
    hs_stream_unref(s);
}

struct MHD_Response *stream_reply(hs_stream_t *take)
{
    struct MHD_Response *m = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, on_read, take, on_free);
    if (!m)
        on_free(take);
    return m;
}

void stream_drop(hs_stream_t *take)
{
    if (take)
        on_free(take);
}

/* With the server's lock held. */
static bool has_place(const hs_t *s, const hs_client_t *client, bool *over_share)
{
    const unsigned most = lasting_max(s);
    *over_share = !client->turns[0].exempt && client->streams >= share_part(most);
    return !s->quit && !*over_share && s->stream_count < most;
}

static void enlist(hs_t *server, hs_stream_t *s)
{
    s->next = server->streams;
    s->prev = server->streams->prev;
    s->prev->next = s->next->prev = s;
    server->stream_count++;
    s->client->streams++;
}

hs_stream_t *hs_stream_new(const hs_request_t *request, hs_response_t *r, const char *content_type,
                           const hs_source_t *source)
{
    conn_t *c = (conn_t *)(uintptr_t)((const char *)request - offsetof(conn_t, request));
    hs_t *server = c->server;
    bool over_share = false;
    hs_stream_t *s = calloc(1, sizeof *s);
    if (!s) {
        hs_problem(r, 503, "out-of-memory", "out of memory");
        return NULL;
    }
    *s = (hs_stream_t){ .server = server, .conn = c, .source = *source };
    atomic_init(&s->refs, 2);
    pthread_mutex_init(&s->lock, NULL);
    s->client = hs_client_ref(request->client);
    pthread_mutex_lock(&server->lock);
    const bool room = has_place(server, s->client, &over_share);
    if (room)
        enlist(server, s);
    pthread_mutex_unlock(&server->lock);
    if (room) {
        *r = (hs_response_t){ .status = 200, .content_type = content_type, .take_stream = s };
        return s;
    }
    atomic_store(&s->refs, 1);
    hs_stream_unref(s);
    if (over_share)
        hs_problem(r, 429, "over-share", "this client has its share of streams open");
    else
        hs_problem(r, 503, "busy", "too many streams are open");
    r->retry_after_s = 1;
    return NULL;
}

/* ---- for the reaper, and the end ---- */

void streams_init(hs_t *s)
{
    s->streams = calloc(1, sizeof *s->streams);
    if (s->streams)
        s->streams->prev = s->streams->next = s->streams;
}

void streams_clear(hs_t *s)
{
    free(s->streams);
}

void streams_end(hs_t *server)
{
    pthread_mutex_lock(&server->lock);
    for (hs_stream_t *s = server->streams->next; s != server->streams; s = s->next)
        end_stream(s);
    pthread_mutex_unlock(&server->lock);
}

/* Takes its fd to be looked at, if it waits; then its descriptor stays open. */
static bool look_at(hs_stream_t *s, struct pollfd *fd, uint64_t now)
{
    pthread_mutex_lock(&s->lock);
    const bool waits = s->suspended;
    if (waits) {
        *fd = (struct pollfd){ .fd = s->conn->fd, .events = POLLRDHUP };
        if (s->source.idle && now - s->since_ms >= HS_STREAM_IDLE_MS) {
            s->idle = true;
            resume(s);
        }
    }
    pthread_mutex_unlock(&s->lock);
    return waits;
}

void streams_look(hs_t *server)
{
    struct pollfd fds[LOOK_AT];
    hs_stream_t *whose[LOOK_AT];
    const uint64_t now = clock_monotonic_ms();
    pthread_mutex_lock(&server->lock);
    for (hs_stream_t *s = server->streams->next; s != server->streams;) {
        nfds_t n = 0;
        for (; s != server->streams && n < LOOK_AT; s = s->next)
            if (look_at(s, &fds[n], now))
                whose[n++] = s;
        if (n && poll(fds, n, 0) > 0)
            for (nfds_t i = 0; i < n; i++)
                if (fds[i].revents)
                    end_stream(whose[i]);
    }
    pthread_mutex_unlock(&server->lock);
}
