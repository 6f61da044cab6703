/* sim.h - what the simulated TDX provider offers.
 *
 * Its evidence carries an event log of dstack's form that replays to the quote's registers. Its collateral is dated
 * from the beginning of the day (UTC) and valid for 30 days from there: peers with the same seed then give the same
 * collateral on one day, and none takes the other's for older.
 *
 * Floor:  3, tee/sim. Built only with the meson option simulator. The provider may be used from several threads.
 * Tests:  tests/unit/test_sim.c
 */
#ifndef TEE_SIM_SIM_H
#define TEE_SIM_SIM_H

#include "tee/tee.h"

/* The simulator (tee-facts section 10): well-formed TDX quotes with valid signatures under a throw-away certificate
 * chain that seed determines; it may be used from several threads. secret_init must have been called. */
NODISCARD rc_t tee_simulator_open(tee_provider_t *out, err_t *e, const uint8_t seed[32]);

/* The same, as if it ran another image: its MRTD is SHA-384 of this text. */
NODISCARD rc_t tee_simulator_open_image(tee_provider_t *out, err_t *e, const uint8_t seed[32], view_t image);

/* Measures a runtime event of a provider that tee_simulator_open made into RTMR3 and its event log. event is plain
 * text without ':', '"' and '\\'. RC_LIMIT: the log is full. */
NODISCARD rc_t tee_simulator_extend(const tee_provider_t *p, const char *event, view_t payload);

#endif
