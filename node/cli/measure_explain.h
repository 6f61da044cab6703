/* measure_explain.h - what `kettle measure` says of a quote beside whether it is that of an image: which release its
 * registers belong to, what is behind a register or an event, and which input differs between two images.
 *
 * Floor:  5, node/cli. Private to the command measure. Writes to standard output.
 * Tests:  tests/e2e (measure), tests/image/run
 */
#ifndef NODE_CLI_MEASURE_EXPLAIN_H
#define NODE_CLI_MEASURE_EXPLAIN_H

#include "base/arena.h"
#include "tee/measure/measure.h"
#include "tee/quote/quote.h"

#define EXPLAIN_LIST_MAX (256u << 10) /* bytes of a list of releases, or of a kettle-image.json */

/* Prints a line for MRTD and RTMR0 to RTMR2: whose value it is by a list of releases (JSON: version 1, registers of
 * {register, value, what}).
 *   unknown  how many of MRTD, RTMR1 and RTMR2 no release has
 * RC_MALFORMED, RC_LIMIT, RC_NOMEM. */
NODISCARD rc_t explain_release(unsigned *unknown, err_t *e, view_t list, const quote_td_t *td);

/* What an event of register imr (0 to 2) is made of; at beyond what is expected: of the register as a whole. */
const char *explain_event(unsigned imr, size_t at);

/* Compares two texts of kettle-image.json and prints a line for each input that differs.
 *   different  how many
 * RC_MALFORMED, RC_LIMIT, RC_NOMEM; e names the text at fault, "ours" or "theirs", and its member. */
NODISCARD rc_t explain_inputs(size_t *different, err_t *e, arena_t *a, view_t ours, view_t theirs);

#endif
