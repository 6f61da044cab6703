/* same.h - results of JSON-RPC calls that are the same as long as the head is, kept as text: whoever asks the same
 * again, under whatever id, is answered from it. What was kept for another head is never found.
 *
 *     same_key -> same_get, or the call -> same_put
 *
 * Floor:  5, node. Thread-safe.
 * Tests:  tests/unit/test_same.c, tests/unit/test_node_rpc.c
 */
#ifndef NODE_SAME_H
#define NODE_SAME_H

#include <pthread.h>

#include "rpc/api/rpc.h"

#define SAME_SLOTS 1024u
#define SAME_REQUEST_MAX 2048u             /* bytes of a request whose result is kept, */
#define SAME_RESULT_MAX ((size_t)16 << 10) /* ... of a result, */
#define SAME_BYTES_MAX ((size_t)4 << 20)   /* ... of all together */

typedef struct {
    hash32_t key;
    uint8_t *text; /* malloc: the result; NULL: empty */
    size_t len;
    const api_method_t *method;
} same_slot_t;

typedef struct {
    pthread_mutex_t lock;
    size_t bytes, hand; /* of all; where room is made next */
    same_slot_t slots[SAME_SLOTS];
} same_t;

/* What a call is asked by: the digest of the blocks that it is answered for, and of its text but for the id. */
typedef struct {
    hash32_t digest;
    view_t id; /* into the body */
} same_key_t;

void same_init(same_t *s);  /* never fails */
void same_clear(same_t *s); /* lets go of everything */

/* The key of a body. False: what it asks for is not kept. */
bool same_key(same_key_t *out, const api_world_t *world, view_t body);

/* The answer to a call, with its id. RC_NEED_DATA: its result is not there; RC_NOMEM.
 *   out  from malloc, to be freed */
NODISCARD rc_t same_get(same_t *s, uint8_t **out, size_t *n, const api_method_t **method, const same_key_t *key);

/* Keeps the result of an answer to a call, if it has one and its method's results stay the same. */
void same_put(same_t *s, const same_key_t *key, const api_method_t *method, view_t answer);

#endif
