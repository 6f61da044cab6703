/* needs.h - what of a state is wanted and not known, as needs; and answers that make it known. Internal to exec/.
 *
 * Keys that a run missed or a hint named are asked for together, one account's slots in one need. A slot that was
 * in a need without an answer stands alone from then on, so that it is in the way of no other.
 *
 * Floor:  2, exec. No I/O, clock or thread.
 * Tests:  tests/unit/test_call.c, tests/unit/test_read.c
 */
#ifndef EXEC_NEEDS_H
#define EXEC_NEEDS_H

#include "lightclient/exec/query.h"
#include "lightclient/exec/state.h"

/* A list of needs being made. The caller sets all above `at`, the rest begins zero. */
typedef struct {
    ex_state_t *state;
    const ex_block_t *block; /* of all needs */
    arena_t *arena;          /* of the list */
    size_t proof_slots_max;  /* slots of one NEED_PROOF; 0: NEED_SLOTS_MAX, and never more */
    unsigned run;            /* the run whose wants count, beside those of hints */
    const void *met; /* the mark (ex_acct_t wanted, code_wanted, ex_slot_t wanted) of what it missed first; or NULL */
    need_t *at;
    size_t count, cap;
    bool no_memory;
} ex_needs_t;

/* Empties the list; its memory is the arena's. */
void ex_needs_clear(ex_needs_t *n);

/* Adds one need of the caller's; the block is filled in. Without memory no_memory is set. */
void ex_needs_add(ex_needs_t *n, need_t need);

/* Adds all that is wanted of the state's accounts and not known, in the order in which the answers are best given.
 * RC_NOMEM, also for what was added before. */
NODISCARD rc_t ex_needs_list(ex_needs_t *n);

/* Take the answer to a need of the list; with errors as in query_give. The list must be whole. */
NODISCARD rc_t ex_needs_give_proof(ex_needs_t *n, err_t *e, const need_t *need, const ex_proof_answer_t *answer);
NODISCARD rc_t ex_needs_give_code(ex_needs_t *n, err_t *e, const need_t *need, view_t code);

/* As query_expects: the code hash of an account that is proven. */
bool ex_needs_expects(ex_needs_t *n, expected_t *out, const need_t *need);

#endif
