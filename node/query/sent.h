/* sent.h - the transactions that this node has forwarded: what eth_getTransactionCount adds to a proven nonce under the
 * tag pending. Bounded; the oldest are forgotten first.
 *
 * Floor:  5, node/query. Thread-safe. No I/O or clock.
 * Tests:  tests/unit/test_sent.c
 */
#ifndef NODE_QUERY_SENT_H
#define NODE_QUERY_SENT_H

#include <pthread.h>

#include "base/bytes.h"

#define SENT_MAX 4096u  /* transactions */
#define SENT_BLOCKS 64u /* a transaction counts for so many blocks */

typedef struct {
    addr_t sender;
    uint64_t nonce, head;
} sent_row_t;

typedef struct {
    pthread_mutex_t lock;
    sent_row_t rows[SENT_MAX];
    size_t count, next; /* next: the place of the next one */
} sent_t;

void sent_init(sent_t *s); /* never fails */
void sent_clear(sent_t *s);

/* An endpoint has taken a transaction, while head was the number of the latest block. */
void sent_note(void *ctx, const addr_t *sender, uint64_t nonce, uint64_t head);

/* The nonce after those noted that follow `proven` without a gap and are younger than SENT_BLOCKS at this head. */
uint64_t sent_nonce(void *ctx, const addr_t *sender, uint64_t proven, uint64_t head);

#endif
