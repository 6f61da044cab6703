/* shown.h - a list of members as those are told it who ask this node: a copy, with its cursor, and as JSON.
 *
 * The cursor names what the list says, whatever the block: who has a list with it has this one.
 *
 * Floor:  5, node/p2p. No I/O, clock or thread.
 * Tests:  tests/unit/test_p2p_daemon.c
 */
#ifndef NODE_P2P_SHOWN_H
#define NODE_P2P_SHOWN_H

#include "base/json.h"
#include "node/p2p/list.h"

#define SHOWN_CURSOR_LEN 32u /* characters */

/* Zeroed at first; owned by whoever filled it. */
typedef struct {
    bool is_set;
    char cursor[SHOWN_CURSOR_LEN + 1];
    view_t peers; /* a JSON list of texts; malloc */
    size_t count, left_out;
    hash32_t block_hash, state_root;
    uint64_t block_number, block_time_s;
    err_t stale; /* RC_OK: of the newest block; else why there is no newer list */
} shown_t;

/* Replaces *s by a copy of a list. RC_NOMEM: *s is as before. */
NODISCARD rc_t shown_take(shown_t *s, const p2p_answer_t *answer);

/* Members of an object: where and when the list was read, and how old it is now. */
void shown_put_origin(jw_t *w, const shown_t *s, uint64_t now_s);

/* The same with the list and its cursor. */
void shown_put(jw_t *w, const shown_t *s, uint64_t now_s);

/* Frees what it holds and empties it. */
void shown_clear(shown_t *s);

#endif
