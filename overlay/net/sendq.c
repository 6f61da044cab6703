#include "overlay/net/sendq.h"

#include <stdlib.h>

#define CHUNK_MIN 1000u

struct sendq_chunk {
    sendq_chunk_t *next;
    size_t n, cap;
    uint8_t b[];
};

static sendq_chunk_t *chunk_new(sendq_t *q, size_t n)
{
    size_t cap = n < CHUNK_MIN ? CHUNK_MIN : n;
    sendq_chunk_t *c = malloc(sizeof *c + cap);
    if (!c)
        return NULL;
    *c = (sendq_chunk_t){ .cap = cap };
    if (q->last)
        q->last->next = c;
    else
        q->first = c;
    q->last = c;
    return c;
}

rc_t sendq_add(sendq_t *q, view_t bytes)
{
    sendq_chunk_t *c = q->last;
    size_t room = c ? c->cap - c->n : 0, here = bytes.n < room ? bytes.n : room;
    if (here < bytes.n && !chunk_new(q, bytes.n - here))
        return RC_NOMEM;
    if (here)
        memcpy(c->b + c->n, bytes.p, here);
    if (c)
        c->n += here;
    if (here < bytes.n) {
        memcpy(q->last->b, bytes.p + here, bytes.n - here);
        q->last->n = bytes.n - here;
    }
    if (!q->at)
        q->at = q->first;
    q->end += bytes.n;
    return RC_OK;
}

/* Moves on to the chunk that has something, if there is one. */
static void settle(sendq_t *q)
{
    while (q->at && q->at_off == q->at->n && q->at->next) {
        q->at = q->at->next;
        q->at_off = 0;
    }
}

view_t sendq_next(const sendq_t *q)
{
    if (!q->at || q->sent == q->end)
        return (view_t){ NULL, 0 };
    return q->at_off < q->at->n ? view_of(q->at->b + q->at_off, q->at->n - q->at_off)
                                : view_of(q->at->next->b, q->at->next->n);
}

void sendq_sent(sendq_t *q, size_t n)
{
    settle(q);
    q->at_off += n;
    q->sent += n;
    settle(q);
}

void sendq_arrived(sendq_t *q, uint64_t up_to)
{
    while (q->first && q->first != q->at && q->acked + q->first->n <= up_to) {
        sendq_chunk_t *c = q->first;
        q->acked += c->n;
        q->first = c->next;
        free(c);
    }
    if (up_to == q->end && q->sent == q->end) { /* nothing is kept: not even the last chunk */
        while (q->first) {
            sendq_chunk_t *c = q->first;
            q->first = c->next;
            free(c);
        }
        q->last = q->at = NULL;
        q->at_off = 0;
        q->acked = q->end;
    }
}

size_t sendq_size(const sendq_t *q)
{
    return (size_t)(q->end - q->acked);
}

void sendq_clear(sendq_t *q)
{
    while (q->first) {
        sendq_chunk_t *c = q->first;
        q->first = c->next;
        free(c);
    }
    *q = (sendq_t){ 0 };
}
