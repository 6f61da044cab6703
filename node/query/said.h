/* said.h - the newest signed statements, so that their evidence can be asked for by their digest; and the evidence
 * that was made. Bounded in bytes; the least recently used go first.
 *
 * Floor:  5, node/query. Thread-safe.
 * Tests:  tests/unit/test_said.c
 */
#ifndef NODE_QUERY_SAID_H
#define NODE_QUERY_SAID_H

#include "base/arena.h"
#include "http/message.h"

#define SAID_BYTES_MAX ((size_t)24 << 20)
#define SAID_ENTRY_MAX (SAID_BYTES_MAX / 4) /* bytes of one statement or file; longer ones are not kept */

typedef struct said said_t;

/* A statement, and on what it rests. */
typedef struct {
    view_t answer;  /* of its route, JSON */
    view_t request; /* what the statement names by a hash alone, JSON; n 0: nothing */
    hash32_t beacon_root;
    uint32_t participants;
    bool finalized; /* the head is a final one */
} said_entry_t;

/* bytes_max 0: SAID_BYTES_MAX. seed: random. NULL: out of memory. */
said_t *said_new(size_t bytes_max, const uint64_t seed[2]);
void said_free(said_t *l); /* NULL is allowed */

/* Keeps a copy under its digest, unless it is there already. */
void said_note(said_t *l, const hash32_t *id, const said_entry_t *entry);

/* Gives a copy in the arena. False: it is not there, or memory is short. */
bool said_get(said_t *l, said_entry_t *out, arena_t *a, const hash32_t *id);

/* Keeps a reference to the evidence of a statement that is there; len: bytes of its body. */
void said_put_file(said_t *l, const hash32_t *id, hs_shared_t *file, size_t len);

/* A reference to it; NULL: there is none. */
hs_shared_t *said_file(said_t *l, const hash32_t *id);

/* Bytes in use. */
size_t said_bytes(said_t *l);

#endif
