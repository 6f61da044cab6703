/* sim.h - what the simulated TDX provider offers beyond tee.h (tee_simulator_open).
 *
 * Floor:  6, tee/provider. Built only with the meson option simulator. The provider may be used from several threads.
 * Tests:  tests/unit/test_sim.c
 */
#ifndef TEE_PROVIDER_SIM_H
#define TEE_PROVIDER_SIM_H

#include "tee/tee.h"

#define SIM_REGISTER_LEN 48u

/* Extends RTMR3 of a provider that tee_simulator_open made: RTMR3 = SHA-384(RTMR3 || digest). */
void tee_simulator_extend(const tee_provider_t *p, const uint8_t digest[SIM_REGISTER_LEN]);

#endif
