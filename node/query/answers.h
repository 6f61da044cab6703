/* answers.h - signed answers of POST /call, kept so that the same request on the same block costs nothing and gets the same bytes.
 *
 * Floor:  5, node/query. Thread-safe.
 * Tests:  tests/unit/test_journal.c
 */
#ifndef NODE_QUERY_ANSWERS_H
#define NODE_QUERY_ANSWERS_H

#include <pthread.h>

#include "base/bytes.h"

#define ANSWERS_SLOTS 128u
#define ANSWERS_LEN_MAX ((size_t)64 << 10) /* bytes of one answer; a longer one is not kept */

typedef struct {
    pthread_mutex_t lock;
    struct {
        hash32_t key;
        view_t text; /* owned */
    } slots[ANSWERS_SLOTS];
} answers_t;

void answers_init(answers_t *a);  /* never fails */
void answers_clear(answers_t *a); /* frees everything */

/* The key of a request's bytes on a block. */
void answers_key(hash32_t *out, const hash32_t *block_hash, view_t request);

/* A malloc'ed copy of the kept text; p NULL when there is none. */
view_t answers_get(answers_t *a, const hash32_t *key);

/* Keeps a copy, in place of whatever shares its slot. */
void answers_put(answers_t *a, const hash32_t *key, view_t text);

#endif
