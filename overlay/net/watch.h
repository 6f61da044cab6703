/* watch.h - the sockets of a loop, and who is called when one of them is ready.
 *
 * Floor:  4, overlay/net. For the loop and the transports that it owns; one thread.
 * Tests:  tests/unit/test_loop.c
 */
#ifndef OVERLAY_NET_WATCH_H
#define OVERLAY_NET_WATCH_H

#include <stdbool.h>
#include <sys/epoll.h>

#include "base/err.h"

#define WATCH_BATCH 64

/* A watched socket: a member of its owner's struct. */
typedef struct watch watch_t;
struct watch {
    int fd;          /* -1: none */
    uint32_t events; /* EPOLLIN, EPOLLOUT */
    void (*ready)(watch_t *w, uint32_t events);
};

typedef struct {
    int epoll;
    struct epoll_event got[WATCH_BATCH];
    int count;
} watches_t;

/* RC_IO. Watches are to be ended before the clearing. */
NODISCARD rc_t watches_init(watches_t *ws, err_t *e);
void watches_clear(watches_t *ws);

/* Watches fd for events; w takes it over on RC_OK. RC_IO. */
NODISCARD rc_t watch_begin(watches_t *ws, watch_t *w, err_t *e, int fd, uint32_t events);

/* Changes what is waited for. */
void watch_want(watches_t *ws, watch_t *w, uint32_t events);

/* Closes the socket; ready is not called any more. Of none: nothing. */
void watch_end(watches_t *ws, watch_t *w);

/* Waits so long at most for any of them (-1: without end), then calls those that are ready. */
void watches_wait(watches_t *ws, int timeout_ms);
void watches_call(watches_t *ws);

#endif
