/* sendq.h - what a stream has to send: kept, without being moved, until the other end has it.
 *
 * Floor:  4, overlay/net. Heap; no socket, clock or thread.
 * Tests:  tests/unit/test_sendq.c
 */
#ifndef OVERLAY_NET_SENDQ_H
#define OVERLAY_NET_SENDQ_H

#include "base/bytes.h"
#include "base/rc.h"

typedef struct sendq_chunk sendq_chunk_t;

typedef struct {
    sendq_chunk_t *first, *last, *at; /* at: where what was not sent begins */
    size_t at_off;                    /* in that chunk */
    uint64_t acked, sent, end;        /* offsets in the stream */
} sendq_t;

/* Appends a copy. RC_NOMEM: nothing was. */
NODISCARD rc_t sendq_add(sendq_t *q, view_t bytes);

/* The next piece that was not sent, as long as it lies in one; n 0: all was. */
view_t sendq_next(const sendq_t *q);

/* So many bytes of it were sent, or have arrived: from then on they may be forgotten. */
void sendq_sent(sendq_t *q, size_t n);
void sendq_arrived(sendq_t *q, uint64_t up_to);

/* Bytes that are kept. */
size_t sendq_size(const sendq_t *q);

/* Frees all. */
void sendq_clear(sendq_t *q);

#endif
