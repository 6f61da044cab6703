/* trials.h - how many setups are tried: six a minute, and two of each client however many others have tried, so that
 * strangers cannot keep an operator out.
 *
 * Floor:  5, node/setup. No I/O, clock, thread.
 * Tests:  tests/unit/test_trials.c
 */
#ifndef NODE_SETUP_TRIALS_H
#define NODE_SETUP_TRIALS_H

#include "http/clients.h"

#define TRIALS_MAX 6u
#define TRIALS_OF_ONE 2u
#define TRIALS_MS 60000u
#define TRIALS_KEPT 256u /* beyond them whoever tried first may again: who fills them has 128 addresses */

/* The last ones, the newest first; zeroed at first. */
typedef struct {
    struct {
        uint64_t at_ms; /* 0: never */
        uint8_t client[CLIENT_KEY_LEN];
    } rows[TRIALS_KEPT];
} trials_t;

/* Takes one, at a time that is not 0. 0: taken; else ms until there is another one. */
uint64_t trials_take(trials_t *t, const uint8_t client[CLIENT_KEY_LEN], uint64_t now_ms);

#endif
