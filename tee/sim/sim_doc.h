/* sim_doc.h - TCB info, QE identity and the collateral container of the simulated platform.
 *
 * Spec:   Intel PCS API v4; tee-facts section 4.2
 * Floor:  3, tee/sim.
 * Tests:  tests/unit/test_sim.c
 */
#ifndef TEE_SIM_SIM_DOC_H
#define TEE_SIM_SIM_DOC_H

#include "tee/sim/sim_pki.h"

/* The flattened container, dated from the beginning of now's day; in the arena. RC_NOMEM, RC_BUG. */
NODISCARD rc_t sim_collateral(view_t *out, arena_t *a, const sim_pki_t *pki, const sim_plan_t *plan, int64_t now);

#endif
