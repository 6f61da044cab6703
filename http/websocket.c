#include "http/websocket.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/os/clock.h"
#include "base/os/worker.h"
#include "http/wsframe.h"

#define EVENTS_MAX 64
#define READ_MAX ((size_t)64 << 10)       /* bytes of one read */
#define READS_MAX 4                       /* of one connection in a row */
#define IN_FLIGHT_BYTES ((size_t)8 << 20) /* of messages that are being answered, beyond which no more is read */
#define MESSAGE_COST ((size_t)2 << 10)    /* what answering one takes beside its bytes */
#define CLOSING_MS 3000u                  /* from the close frame to the end */
#define STOPPING_MS 1000u                 /* the same when the hub ends */

/* A message that waits for the thread. */
typedef struct text {
    struct text *next;
    size_t n;
    uint8_t p[];
} text_t;

struct ws {
    ws_hub_t *hub;
    atomic_uint refs;
    _Atomic(void *) mine;
    hs_client_t *client; /* whose it is; referenced */
    /* Under the hub's lock. */
    ws_t *prev, *next; /* of its connections */
    ws_t *due_next;    /* of those that the thread has to look at */
    bool due, over;    /* over: it is in no list */
    bool too_slow;     /* it is to end */
    bool wanted;       /* somebody waits for room */
    bool evicted;      /* ... at once: others want its memory */
    text_t *outbox, **outbox_end;
    size_t outbox_bytes, out_bytes; /* that wait here, and in frames */
    unsigned in_flight;
    size_t in_flight_bytes;
    /* The thread's. */
    ws_socket_t socket;
    int fd;
    wsf_t *frames;
    text_t *early;   /* came before the thread had it */
    size_t held;     /* bytes of frames; written with the lock */
    uint32_t events; /* that epoll looks for */
    bool joined, pinged;
    uint64_t heard_ms, moved_ms, began_ms, closing_ms; /* the last two: 0: not */
};

struct ws_hub {
    ws_config_t config; /* defaults filled in */
    atomic_uint refs;   /* of its owner and of each connection */
    int epoll, wake;
    worker_t *thread;
    atomic_size_t bytes;
    pthread_mutex_t lock; /* what follows */
    ws_t *conns, *due;
    unsigned count;
    bool stopping;
    uint8_t room[READ_MAX]; /* the thread's */
};

/* ---- references ---- */

static void hub_unref(ws_hub_t *h)
{
    if (atomic_fetch_sub_explicit(&h->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (h->epoll >= 0)
        close(h->epoll);
    if (h->wake >= 0)
        close(h->wake);
    pthread_mutex_destroy(&h->lock);
    free(h);
}

ws_t *ws_ref(ws_t *w)
{
    atomic_fetch_add_explicit(&w->refs, 1, memory_order_relaxed);
    return w;
}

void ws_unref(ws_t *w)
{
    if (atomic_fetch_sub_explicit(&w->refs, 1, memory_order_acq_rel) != 1)
        return;
    wsf_free(w->frames);
    free(w->early);
    hs_client_unref(w->client);
    hub_unref(w->hub);
    free(w);
}

hs_client_t *ws_client(const ws_t *w)
{
    return w->client;
}

void ws_set_mine(ws_t *w, void *mine)
{
    atomic_store(&w->mine, mine);
}

void *ws_mine(const ws_t *w)
{
    return atomic_load(&w->mine);
}

/* ---- from any thread ---- */

static void wake(ws_hub_t *h)
{
    const uint64_t one = 1;
    const ssize_t n = write(h->wake, &one, sizeof one);
    (void)n; /* a full counter wakes, too */
}

/* The thread is to look at a connection. With the lock held. */
static void make_due(ws_t *w)
{
    if (w->due)
        return;
    w->due = true;
    w->due_next = w->hub->due;
    w->hub->due = ws_ref(w);
}

static text_t *text_new(view_t from)
{
    text_t *t = malloc(sizeof *t + from.n);
    if (!t)
        return NULL;
    *t = (text_t){ .n = from.n };
    if (from.n)
        memcpy(t->p, from.p, from.n);
    return t;
}

/* Counts bytes of a connection, in the hub's and its client's; modulo the word: they may be less than before. */
static void count_bytes(ws_t *w, size_t more)
{
    atomic_fetch_add(&w->hub->bytes, more);
    atomic_fetch_add(&w->client->websocket_bytes, more);
}

static size_t bytes_of(const ws_t *w)
{
    return w->outbox_bytes + w->held + w->in_flight_bytes;
}

/* Ends the largest connection of whoever holds most, and more than this client. False: nobody does. With the lock
 * held. */
static bool evict_holder(ws_hub_t *h, const hs_client_t *but)
{
    const hs_client_t *most = but;
    ws_t *largest = NULL;
    for (ws_t *w = h->conns; w; w = w->next)
        if (!w->evicted && atomic_load(&w->client->websocket_bytes) > atomic_load(&most->websocket_bytes))
            most = w->client;
    for (ws_t *w = h->conns; w; w = w->next)
        if (!w->evicted && w->client == most && most != but && (!largest || bytes_of(w) > bytes_of(largest)))
            largest = w;
    if (!largest)
        return false;
    largest->evicted = true;
    make_due(largest);
    return true;
}

/* Whether there is memory for more bytes of a connection. Who holds less than a quarter gets some of another client's,
 * a little before it is free. With the lock held. */
static bool has_memory(const ws_t *w, size_t more)
{
    ws_hub_t *h = w->hub;
    const size_t most = h->config.bytes_max, all = atomic_load(&h->bytes) + more;
    const bool small = atomic_load(&w->client->websocket_bytes) + more <= most / SHARE_PART;
    return all <= most || (small && all <= most + most / SHARE_PART && evict_holder(h, w->client));
}

/* Puts a message into the outbox, if there is room up to a bound: one that is long has its turn. With the lock held. */
static bool put(ws_t *w, view_t text, size_t max)
{
    const size_t waits = w->outbox_bytes + w->out_bytes, part = w->hub->config.bytes_max / SHARE_PART;
    if (w->over || w->too_slow)
        return false;
    const bool room = waits + text.n <= max && has_memory(w, text.n < part ? text.n : part);
    text_t *t = room ? text_new(text) : NULL;
    if (t) {
        *w->outbox_end = t;
        w->outbox_end = &t->next;
        w->outbox_bytes += t->n;
        count_bytes(w, t->n);
    } else
        w->too_slow = true;
    make_due(w);
    return t != NULL;
}

bool ws_push(ws_t *w, view_t text)
{
    pthread_mutex_lock(&w->hub->lock);
    const bool sent = put(w, text, WS_PUSH_MAX + text.n); /* one that is long has its turn */
    pthread_mutex_unlock(&w->hub->lock);
    wake(w->hub);
    return sent;
}

bool ws_room(ws_t *w)
{
    pthread_mutex_lock(&w->hub->lock);
    const bool room = w->over || w->too_slow || w->outbox_bytes + w->out_bytes < WS_ROOM_MAX;
    w->wanted |= !room;
    pthread_mutex_unlock(&w->hub->lock);
    return room;
}

void ws_end(ws_t *w)
{
    pthread_mutex_lock(&w->hub->lock);
    w->too_slow = true;
    if (!w->over)
        make_due(w);
    pthread_mutex_unlock(&w->hub->lock);
    wake(w->hub);
}

bool ws_is_over(ws_t *w)
{
    pthread_mutex_lock(&w->hub->lock);
    const bool over = w->over;
    pthread_mutex_unlock(&w->hub->lock);
    return over;
}

void ws_done(ws_t *w, view_t text, size_t n)
{
    pthread_mutex_lock(&w->hub->lock);
    w->in_flight--;
    w->in_flight_bytes -= n + MESSAGE_COST;
    count_bytes(w, (size_t)0 - n - MESSAGE_COST);
    if (text.n)
        (void)put(w, text, WS_ANSWER_MAX);
    if (!w->over)
        make_due(w); /* it may be read again */
    pthread_mutex_unlock(&w->hub->lock);
    wake(w->hub);
}

/* ---- one connection, on the thread ---- */

/* Whether as much is being answered as may be. With the lock held. */
static bool has_enough(const ws_t *w)
{
    return w->in_flight >= WS_IN_FLIGHT_MAX || w->in_flight_bytes >= IN_FLIGHT_BYTES;
}

static void on_message(void *ctx, uint8_t *take_text, size_t n)
{
    ws_t *w = ctx;
    pthread_mutex_lock(&w->hub->lock);
    w->in_flight++;
    w->in_flight_bytes += n + MESSAGE_COST;
    count_bytes(w, n + MESSAGE_COST);
    if (has_enough(w))
        wsf_pause(w->frames);
    pthread_mutex_unlock(&w->hub->lock);
    w->hub->config.message(w->hub->config.ctx, w, take_text, n);
}

/* Counts what the frames hold, and tells who waits for room when there is. */
static void account(ws_t *w)
{
    const size_t out = wsf_out(w->frames).n, held = wsf_held(w->frames);
    const ws_config_t *k = &w->hub->config;
    pthread_mutex_lock(&w->hub->lock);
    count_bytes(w, held - w->held);
    w->held = held;
    w->out_bytes = out;
    const bool drained = w->wanted && w->outbox_bytes + out < WS_ROOM_MAX / 2;
    w->wanted &= !drained;
    pthread_mutex_unlock(&w->hub->lock);
    if (drained && k->drained)
        k->drained(k->ctx, w);
}

static void drop(ws_t *w)
{
    ws_hub_t *h = w->hub;
    (void)epoll_ctl(h->epoll, EPOLL_CTL_DEL, w->fd, NULL);
    w->socket.close(w->socket.handle);
    pthread_mutex_lock(&h->lock);
    w->over = true;
    *(w->prev ? &w->prev->next : &h->conns) = w->next;
    if (w->next)
        w->next->prev = w->prev;
    h->count--;
    text_t *texts = w->outbox;
    w->outbox = NULL;
    count_bytes(w, (size_t)0 - w->outbox_bytes - w->held);
    w->held = w->outbox_bytes = 0;
    pthread_mutex_unlock(&h->lock);
    for (text_t *next; texts; texts = next) {
        next = texts->next;
        free(texts);
    }
    wsf_free(w->frames); /* whoever still answers has references to the rest */
    w->frames = NULL;
    h->config.closed(h->config.ctx, w);
    ws_unref(w);
}

static void begin_close(ws_t *w, unsigned code)
{
    if (!w->closing_ms)
        w->closing_ms = clock_monotonic_ms();
    if (wsf_close(w->frames, code))
        (void)shutdown(w->fd, SHUT_RDWR); /* the end is seen as the peer's */
}

static bool may_read(ws_t *w, size_t out)
{
    ws_hub_t *h = w->hub;
    pthread_mutex_lock(&h->lock);
    const bool room = !has_enough(w) && out < WS_PUSH_MAX;
    const bool may = w->closing_ms || (room && has_memory(w, 1));
    pthread_mutex_unlock(&h->lock);
    return may;
}

/* Sends what the socket takes. False: the connection has ended. */
static bool send_some(ws_t *w)
{
    for (view_t out; (out = wsf_out(w->frames)).n;) {
        const ssize_t n = send(w->fd, out.p, out.n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
            return true;
        if (n <= 0)
            return false;
        wsf_sent(w->frames, (size_t)n);
        w->moved_ms = clock_monotonic_ms();
    }
    if (!wsf_closing(w->frames))
        return true;
    if (wsf_closed_by_peer(w->frames))
        return false;
    (void)shutdown(w->fd, SHUT_WR);
    return true;
}

/* A message that began to come has to be whole in time. */
static void note_begun(ws_t *w, uint64_t now)
{
    if (!wsf_begun(w->frames))
        w->began_ms = 0;
    else if (!w->began_ms)
        w->began_ms = now;
}

/* Sends, and goes on with messages that came while enough was being answered. False: the connection has ended. */
static bool advance(ws_t *w)
{
    for (;;) {
        if (wsf_closing(w->frames) && !w->closing_ms)
            w->closing_ms = clock_monotonic_ms();
        if (!send_some(w))
            return false;
        account(w);
        if (w->closing_ms || !wsf_waiting(w->frames) || !may_read(w, wsf_out(w->frames).n))
            return true;
        if (wsf_feed(w->frames, view_of(NULL, 0)))
            return false;
        note_begun(w, clock_monotonic_ms());
    }
}

/* After anything that happened to it: sends, and says what is waited for. */
static void settle(ws_t *w)
{
    if (!advance(w)) {
        drop(w);
        return;
    }
    const size_t out = wsf_out(w->frames).n;
    const uint32_t events = (may_read(w, out) ? EPOLLIN : 0u) | (out ? EPOLLOUT : 0u);
    if (events == w->events)
        return;
    w->events = events;
    (void)epoll_ctl(w->hub->epoll, EPOLL_CTL_MOD, w->fd, &(struct epoll_event){ .events = events, .data.ptr = w });
}

static bool take(ws_t *w, view_t bytes)
{
    w->heard_ms = clock_monotonic_ms();
    w->pinged = false;
    if (w->closing_ms)
        return true;
    const bool well = !wsf_feed(w->frames, bytes);
    note_begun(w, w->heard_ms);
    return well;
}

/* Reads what is there. False: the connection has ended. */
static bool read_some(ws_t *w)
{
    for (int i = 0; i < READS_MAX && !wsf_waiting(w->frames) && may_read(w, wsf_out(w->frames).n); i++) {
        const ssize_t n = recv(w->fd, w->hub->room, READ_MAX, MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
            return true;
        if (n <= 0 || !take(w, view_of(w->hub->room, (size_t)n)))
            return false;
        if ((size_t)n < READ_MAX)
            return true;
    }
    return true;
}

static void on_event(ws_t *w, uint32_t events)
{
    if (events & EPOLLIN ? !read_some(w) : (events & (EPOLLERR | EPOLLHUP)) != 0)
        drop(w);
    else
        settle(w);
}

/* ---- what others want of the thread ---- */

/* A new one: its socket is watched from now on. */
static bool join(ws_t *w)
{
    text_t *early = w->early;
    w->early = NULL;
    const bool well = !early || take(w, view_of(early->p, early->n));
    free(early);
    w->events = EPOLLIN;
    w->joined = true;
    return well &&
           !epoll_ctl(w->hub->epoll, EPOLL_CTL_ADD, w->fd, &(struct epoll_event){ .events = EPOLLIN, .data.ptr = w });
}

/* Frames what waits in the outbox. */
static bool empty_outbox(ws_t *w)
{
    pthread_mutex_lock(&w->hub->lock);
    text_t *texts = w->outbox;
    const bool too_slow = w->too_slow, evicted = w->evicted;
    count_bytes(w, (size_t)0 - w->outbox_bytes);
    w->outbox = NULL;
    w->outbox_end = &w->outbox;
    w->outbox_bytes = 0;
    pthread_mutex_unlock(&w->hub->lock);
    bool well = !evicted;
    if (texts && !wsf_out(w->frames).n)
        w->moved_ms = clock_monotonic_ms();
    for (text_t *next; texts; texts = next) {
        next = texts->next;
        well = well && !wsf_send(w->frames, view_of(texts->p, texts->n));
        free(texts);
    }
    if (too_slow && well)
        begin_close(w, WSF_CLOSE_AGAIN_LATER);
    return well;
}

static void attend(ws_t *w)
{
    bool well = w->joined || join(w);
    if (well)
        well = empty_outbox(w);
    if (well)
        settle(w);
    else
        drop(w);
}

static void attend_all(ws_hub_t *h)
{
    pthread_mutex_lock(&h->lock);
    ws_t *due = h->due;
    h->due = NULL;
    pthread_mutex_unlock(&h->lock);
    for (ws_t *w = due, *next; w; w = next) {
        pthread_mutex_lock(&h->lock);
        next = w->due_next; /* as long as it counts as due nobody else sets it */
        w->due = false;
        pthread_mutex_unlock(&h->lock);
        if (!w->over)
            attend(w);
        ws_unref(w);
    }
}

/* ---- time ---- */

static void sweep_one(ws_t *w, uint64_t now)
{
    const ws_config_t *k = &w->hub->config;
    if (!(w->events & EPOLLIN))
        w->heard_ms = now; /* not listened to */
    const bool silent = now - w->heard_ms > k->ping_ms;
    if ((w->closing_ms && now - w->closing_ms > CLOSING_MS) ||
        (wsf_out(w->frames).n && now - w->moved_ms > k->stall_ms) || now - w->heard_ms > k->ping_ms + k->stall_ms) {
        drop(w);
        return;
    }
    if (w->began_ms && now - w->began_ms > 2u * k->stall_ms)
        begin_close(w, WSF_CLOSE_POLICY);
    else if (silent && !w->pinged && !w->closing_ms) {
        w->pinged = !wsf_ping(w->frames);
        w->moved_ms = wsf_out(w->frames).n ? now : w->moved_ms;
    }
    settle(w);
}

/* The newest connection. Other threads add before it, and the thread alone takes away: what is behind it stays. */
static ws_t *newest(ws_hub_t *h)
{
    pthread_mutex_lock(&h->lock);
    ws_t *w = h->conns;
    pthread_mutex_unlock(&h->lock);
    return w;
}

static void sweep(ws_hub_t *h, uint64_t now)
{
    for (ws_t *w = newest(h), *next; w; w = next) {
        next = w->next;
        if (w->joined)
            sweep_one(w, now);
    }
}

static bool is_stopping(ws_hub_t *h)
{
    pthread_mutex_lock(&h->lock);
    const bool stopping = h->stopping;
    pthread_mutex_unlock(&h->lock);
    return stopping;
}

static int turn_ms(const ws_hub_t *h)
{
    const uint32_t shorter = h->config.ping_ms < h->config.stall_ms ? h->config.ping_ms : h->config.stall_ms;
    return shorter < 4000 ? (int)(shorter / 4 + 1) : 1000;
}

static void turn(ws_hub_t *h, int wait_ms)
{
    struct epoll_event events[EVENTS_MAX];
    const int n = epoll_wait(h->epoll, events, EVENTS_MAX, wait_ms);
    for (int i = 0; i < n; i++) {
        uint64_t times;
        if (events[i].data.ptr)
            on_event(events[i].data.ptr, events[i].events);
        else
            (void)!read(h->wake, &times, sizeof times);
    }
    attend_all(h);
}

/* Says good-bye to all, and ends those that do not answer in time. */
static void close_all(ws_hub_t *h)
{
    const uint64_t end = clock_monotonic_ms() + STOPPING_MS;
    for (ws_t *w = newest(h), *next; w; w = next) {
        next = w->next;
        begin_close(w, WSF_CLOSE_GOING_AWAY);
        settle(w);
    }
    while (newest(h) && clock_monotonic_ms() < end)
        turn(h, 20);
    for (ws_t *w; (w = newest(h));)
        drop(w);
}

static void run(worker_t *self, void *ctx)
{
    ws_hub_t *h = ctx;
    (void)self; /* is told to end by the hub's own flag, since it sleeps in epoll */
    uint64_t swept = clock_monotonic_ms();
    while (!is_stopping(h)) {
        turn(h, newest(h) ? turn_ms(h) : -1);
        const uint64_t now = clock_monotonic_ms();
        if (now - swept < (uint64_t)turn_ms(h))
            continue;
        swept = now;
        sweep(h, now);
    }
    attend_all(h); /* newcomers join, to be told */
    close_all(h);
}

/* ---- for serve.c ---- */

/* With the lock held. */
static bool has_room(const ws_hub_t *h, hs_client_t *client)
{
    unsigned same = 0;
    for (const ws_t *w = h->conns; w; w = w->next)
        same += w->client == client;
    return !h->stopping && h->count < h->config.connections_max &&
           (same < h->config.per_address_max || client->turns[0].exempt);
}

bool ws_hub_admits(ws_hub_t *h, hs_client_t *client)
{
    pthread_mutex_lock(&h->lock);
    const bool room = has_room(h, client);
    pthread_mutex_unlock(&h->lock);
    return room;
}

static ws_t *ws_new(ws_hub_t *h, const ws_socket_t *socket, int fd, hs_client_t *client, view_t early)
{
    ws_t *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    atomic_init(&w->refs, 1);
    atomic_fetch_add_explicit(&h->refs, 1, memory_order_relaxed);
    w->hub = h;
    w->socket = *socket;
    w->fd = fd;
    w->outbox_end = &w->outbox;
    w->heard_ms = w->moved_ms = clock_monotonic_ms();
    w->client = hs_client_ref(client);
    w->frames = wsf_new(&(wsf_config_t){ h->config.message_max, on_message, w });
    w->early = early.n ? text_new(early) : NULL;
    if (w->frames && (w->early || !early.n))
        return w;
    ws_unref(w);
    return NULL;
}

void ws_hub_add(ws_hub_t *h, const ws_socket_t *socket, int fd, hs_client_t *client, view_t early)
{
    ws_t *w = ws_new(h, socket, fd, client, early);
    pthread_mutex_lock(&h->lock);
    const bool room = w && has_room(h, client);
    if (room) {
        w->next = h->conns;
        if (w->next)
            w->next->prev = w;
        h->conns = w;
        h->count++;
        make_due(w);
    }
    pthread_mutex_unlock(&h->lock);
    if (room) {
        wake(h);
        return;
    }
    if (w)
        ws_unref(w);
    socket->close(socket->handle);
}

unsigned ws_hub_count(ws_hub_t *h)
{
    pthread_mutex_lock(&h->lock);
    const unsigned count = h->count;
    pthread_mutex_unlock(&h->lock);
    return count;
}

#define OR_DEFAULT(field, usual) h->config.field = h->config.field ? h->config.field : (usual)

static void defaults(ws_hub_t *h)
{
    OR_DEFAULT(message_max, (size_t)5 << 20);
    OR_DEFAULT(bytes_max, (size_t)24 << 20);
    OR_DEFAULT(connections_max, 2048);
    OR_DEFAULT(per_address_max, 128);
    OR_DEFAULT(ping_ms, 30000);
    OR_DEFAULT(stall_ms, 30000);
}

rc_t ws_hub_start(ws_hub_t **out, err_t *e, const ws_config_t *config)
{
    ws_hub_t *h = calloc(1, sizeof *h);
    if (!h)
        return err_say(e, RC_NOMEM, "out of memory");
    h->config = *config;
    defaults(h);
    atomic_init(&h->refs, 1);
    pthread_mutex_init(&h->lock, NULL);
    h->epoll = epoll_create1(EPOLL_CLOEXEC);
    h->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    const bool watches = h->epoll >= 0 && h->wake >= 0 &&
                         !epoll_ctl(h->epoll, EPOLL_CTL_ADD, h->wake, &(struct epoll_event){ .events = EPOLLIN });
    const rc_t rc =
        watches ? worker_start(&h->thread, e, "websockets", run, h) : err_say(e, RC_IO, "cannot watch WebSockets");
    if (rc) {
        hub_unref(h);
        return rc;
    }
    *out = h;
    return RC_OK;
}

void ws_hub_stop(ws_hub_t *h)
{
    if (!h)
        return;
    pthread_mutex_lock(&h->lock);
    h->stopping = true;
    pthread_mutex_unlock(&h->lock);
    wake(h);
    worker_stop(h->thread);
    hub_unref(h);
}
