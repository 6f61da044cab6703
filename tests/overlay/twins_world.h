/* twins_world.h - two nodes that dial each other, with their peer managers (overlay/peers.h) on the network in memory, in as many
 * interleavings as there are seeds. */
#ifndef TESTS_OVERLAY_TWINS_WORLD_H
#define TESTS_OVERLAY_TWINS_WORLD_H

#include <stdint.h>

/* Runs one scene from a seed; what broke stands in broken, empty: nothing. */
void twins_run(char broken[256], uint64_t seed);

#endif
