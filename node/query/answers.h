/* answers.h - signed answers, kept so that the same request on the same block costs nothing and gets the same bytes.
 *
 * Floor:  5, node/query. Thread-safe.
 * Tests:  tests/unit/test_answers.c
 */
#ifndef NODE_QUERY_ANSWERS_H
#define NODE_QUERY_ANSWERS_H

#include <pthread.h>

#include "base/bytes.h"
#include "http/message.h"

#define ANSWERS_SLOTS 1024u
#define ANSWERS_LEN_MAX ((size_t)64 << 10)   /* bytes of one answer; a longer one is not kept */
#define ANSWERS_BYTES_MAX ((size_t)16 << 20) /* of all together */

typedef struct {
    pthread_mutex_t lock;
    size_t bytes, hand; /* of all; where room is made next */
    struct {
        hash32_t key;
        hs_shared_t *answer; /* a reference; NULL: empty */
        size_t len;
        uint64_t turn;
    } slots[ANSWERS_SLOTS];
} answers_t;

void answers_init(answers_t *a);  /* never fails */
void answers_clear(answers_t *a); /* lets go of everything */

/* Lets go of every answer; it may be used on. */
void answers_forget(answers_t *a);

/* The key of a request's bytes on a block. */
void answers_key(hash32_t *out, const hash32_t *block_hash, view_t request);

/* A reference to the kept answer; NULL: there is none that was put in this turn. */
hs_shared_t *answers_get(answers_t *a, const hash32_t *key, uint64_t turn);

/* Keeps a reference to an answer with a body of len bytes, in place of whatever shares its slot.
 *   turn  of the key that signed it (jobs.h) */
void answers_put(answers_t *a, const hash32_t *key, hs_shared_t *answer, size_t len, uint64_t turn);

#endif
