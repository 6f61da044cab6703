/* found.h - what a trial is about, and what it finds.
 *
 * Floor:  5, node/setup. Types only.
 */
#ifndef NODE_SETUP_FOUND_H
#define NODE_SETUP_FOUND_H

#include "lightclient/consensus/forks.h"
#include "node/setup/checkpoint.h"
#include "tee/tee.h"

#define TRIAL_MS 20000u        /* that a trial may take; a quote that the kernel makes is waited for */
#define TRIAL_CROWDED_MS 5000u /* ... while another client's setup waits for its own; and for its quote 3 s more */

/* The code, which no errno has, of a failure that time does not heal: the checkpoint is known to no beacon API or too
 * old, an endpoint is of another chain. */
#define TRIAL_FOR_GOOD 1001u

typedef struct {
    const config_t *config;
    const tee_provider_t *tee; /* NULL: not tried */
    uint64_t now_ms;           /* Unix milliseconds */
    bool begun;                /* a node has begun with it: it has the overlay's port, and asks what the setup names */
    deadline_t deadline;
} trial_t;

/* What a trial has found. */
typedef struct {
    checkpoint_t start; /* of a setup without peers */
    lc_fork_t fork;
    uint8_t *bootstrap; /* SSZ of start.root's, not empty when it was fetched; malloc'ed */
    size_t bootstrap_len;
} trial_found_t;

#endif
