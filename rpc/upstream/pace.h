/* pace.h - how long one endpoint usually takes: a mean and how far answers stray from it, as TCP keeps them.
 *
 * Spec:   RFC 6298 section 2 (SRTT, RTTVAR)
 * Floor:  3, rpc/upstream. No I/O, clock or thread.
 * Tests:  tests/unit/test_endpoints.c
 */
#ifndef RPC_UPSTREAM_PACE_H
#define RPC_UPSTREAM_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define PACE_MAX_MS 60000u /* what takes longer counts as that */
#define PACE_LASTS_MS 500u /* what was not waited for longer says nothing of who has not answered yet */

/* All zero: nothing is known. */
typedef struct {
    bool known;
    bool at_least;            /* none was complete, so it takes longer than that, or never answers */
    uint32_t mean_8, stray_4; /* milliseconds in eighths and in quarters */
} pace_t;

/* An answer was complete after so long. */
void pace_took(pace_t *p, uint32_t ms);

/* One was not, and nobody waited on: counts when that is longer than usual, or of who has not answered yet when that is
 * long. */
void pace_lasts(pace_t *p, uint32_t ms);

/* The mean; 0 when nothing is known. */
uint32_t pace_mean_ms(const pace_t *p);

/* After so long nearly every answer is there: the mean and four times what they stray. */
uint32_t pace_usual_ms(const pace_t *p);

#endif
