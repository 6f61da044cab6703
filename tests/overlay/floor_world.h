/* floor_world.h - a chain, nodes that follow it and sign, and members that claim what they like of it: runs of
 * overlay/floor.h. */
#ifndef TESTS_OVERLAY_FLOOR_WORLD_H
#define TESTS_OVERLAY_FLOOR_WORLD_H

#include <stdint.h>

/* Runs what a seed draws. What broke stands in broken; empty: nothing. */
void floor_run(char broken[256], uint64_t seed);

#endif
