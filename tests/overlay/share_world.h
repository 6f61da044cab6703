/* share_world.h - attestation and the key share as members run them (overlay/join.h), on the network in memory, in scenes each of
 * which one rule carries: ../shared/models/2-keyshare.pml has the same. */
#ifndef TESTS_OVERLAY_SHARE_WORLD_H
#define TESTS_OVERLAY_SHARE_WORLD_H

#include <stdint.h>

/* Runs the scenes from a seed; what broke stands in broken, empty: nothing. */
void share_run(char broken[256], uint64_t seed);

#endif
