/* trial.h - a setup is tried before it is taken: what an operator mistyped is said while the port is still open.
 *
 *   the checkpoint is found, by its quorum if it has one; a beacon API has its bootstrap, which is what it says and
 *   young enough; each beacon API is of the network's chain
 *   each execution RPC is of the chain, and one proves an account at its newest block
 *   the TEE gives a quote
 *
 * Of a list of endpoints one has to be good, and none of another chain. What was fetched is used afterwards.
 *
 * Floor:  5, node/setup. Any thread; waits for answers.
 * Tests:  tests/unit/test_trial.c, tests/e2e (setup)
 */
#ifndef NODE_SETUP_TRIAL_H
#define NODE_SETUP_TRIAL_H

#include "node/setup/found.h"

/* Tries a setup.
 *   out  on RC_OK to be cleared by trial_clear; untouched otherwise
 *   e    the field at fault, a sentence, and TRIAL_FOR_GOOD as its code where that is so
 * RC_REFUSED; RC_TIMEOUT: it was to end; RC_NOMEM. */
NODISCARD rc_t trial_run(trial_found_t *out, err_t *e, const trial_t *t);
void trial_clear(trial_found_t *found);

#endif
