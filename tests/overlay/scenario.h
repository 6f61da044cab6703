/* scenario.h - what the runs of the simulation are like, which rules are put on trial, and what is shown by whom. */
#ifndef TESTS_OVERLAY_SCENARIO_H
#define TESTS_OVERLAY_SCENARIO_H

#include "tests/overlay/world.h"

/* Draws a scenario from a seed. */
void scenario_draw(scenario_t *out, uint64_t seed);

/* One line that describes it. */
void scenario_words(char out[256], const scenario_t *s);

/* A rule that is left out, in scenarios where that must be seen. */
typedef struct {
    guard_t guard;
    const char *name, *rule; /* rule: of overlay-facts-more */
    scenario_t scenario;
    const char *seen; /* part of what must break; NULL: anything */
    enum {
        OF_CLUSTER,
        OF_FLOOR,
        OF_TWINS,
        OF_SHARE
    } of;           /* runs of world.h, or of floor_world.h, twins_world.h, share_world.h,
                                                           * which draw their scenarios themselves */
    unsigned times; /* so many times the runs of others, for what is rarely seen; 0: once */
} trial_t;

extern const trial_t trials[];
extern const size_t trial_count;

/* The adversarial tests of the facts pages that belong to these machines: their words, and what shows them. */
typedef struct {
    const char *words, *shown_by;
    bool (*occurs)(const scenario_t *s); /* in runs of the simulation like this; NULL: a unit test alone */
} attack_t;

extern const attack_t attacks[];
extern const size_t attack_count;

#endif
