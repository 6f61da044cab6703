#include "overlay/net/watch.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

rc_t watches_init(watches_t *ws, err_t *e)
{
    ws->count = 0;
    ws->epoll = epoll_create1(EPOLL_CLOEXEC);
    return ws->epoll >= 0 ? RC_OK : err_set(e, RC_IO, "no epoll: %s", strerror(errno));
}

void watches_clear(watches_t *ws)
{
    if (ws->epoll >= 0)
        close(ws->epoll);
    ws->epoll = -1;
}

rc_t watch_begin(watches_t *ws, watch_t *w, err_t *e, int fd, uint32_t events)
{
    struct epoll_event ev = { .events = events, .data.ptr = w };
    if (epoll_ctl(ws->epoll, EPOLL_CTL_ADD, fd, &ev))
        return err_set(e, RC_IO, "a socket cannot be watched: %s", strerror(errno));
    w->fd = fd;
    w->events = events;
    return RC_OK;
}

void watch_want(watches_t *ws, watch_t *w, uint32_t events)
{
    struct epoll_event ev = { .events = events, .data.ptr = w };
    if (w->fd < 0 || w->events == events)
        return;
    w->events = events;
    epoll_ctl(ws->epoll, EPOLL_CTL_MOD, w->fd, &ev); /* fails for no fd that is watched */
}

void watch_end(watches_t *ws, watch_t *w)
{
    if (w->fd < 0)
        return;
    for (int i = 0; i < ws->count; i++)
        if (ws->got[i].data.ptr == w)
            ws->got[i].data.ptr = NULL;
    close(w->fd); /* which ends the watching, too */
    w->fd = -1;
}

void watches_wait(watches_t *ws, int timeout_ms)
{
    int n = epoll_wait(ws->epoll, ws->got, WATCH_BATCH, timeout_ms);
    ws->count = n > 0 ? n : 0; /* a signal: nothing is ready */
}

void watches_call(watches_t *ws)
{
    for (int i = 0; i < ws->count; i++) {
        watch_t *w = ws->got[i].data.ptr;
        if (w)
            w->ready(w, ws->got[i].events);
    }
    ws->count = 0;
}
