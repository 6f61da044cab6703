/* warnings.h - what will hurt if nobody looks: told in /v1/status and /metrics days or weeks ahead.
 *
 * Floor:  5, node. warnings_find: no I/O, clock or thread.
 * Tests:  tests/unit/test_warnings.c
 */
#ifndef NODE_WARNINGS_H
#define NODE_WARNINGS_H

#include "base/json.h"
#include "lightclient/consensus/forks.h"

#define WARN_FORK_AHEAD_S (28u * 86400u)      /* four weeks: time to build, measure and roll out */
#define WARN_COLLATERAL_AHEAD_S (5u * 86400u) /* of the 30 days that Intel's collateral lasts */
#define WARN_CERTIFICATE_PART 3u              /* a third of its life is left: it is overdue */
#define WARN_DISK_PART 10u                    /* less than a tenth of the file system is free, and less than */
#define WARN_DISK_ENOUGH ((uint64_t)1 << 30)  /* ... this; */
#define WARN_DISK_BYTES ((uint64_t)64 << 20)  /* or less than this, which holds all that a node keeps twice */
#define WARN_CLOCK_MS 10000u                  /* all endpoints' Date headers say so much */
#define WARN_FILES_PART 8u                    /* an eighth of the descriptors is left */

typedef enum {
    WARN_FORK,
    WARN_COLLATERAL,
    WARN_CERTIFICATE,
    WARN_DISK,
    WARN_CLOCK,
    WARN_BUDGET, /* what others grant us, or the system: requests, descriptors */
    WARNINGS
} warning_t;

/* What they are found from. Zero or NULL: not known, and nothing is warned of. */
typedef struct {
    uint64_t now_s;                 /* Unix seconds: what time it is at least */
    const lc_unknown_fork_t *fork;  /* the first that this build does not know */
    uint64_t fork_s;                /* when it begins */
    const char *claimed_by, *claim; /* the place of an endpoint that claims a fork which this build does not know, and
                                       what it says */
    int64_t collateral_until_s;
    uint64_t certificate_until_s, certificate_life_s;
    uint64_t disk_free, disk_all; /* bytes, where the state directory is */
    bool dated;
    int64_t clock_least_ms,
        clock_most_ms;           /* how far the clock is ahead of the endpoints' dates, at least and at most */
    const char *asked_too_often; /* the place of an endpoint that wants to be left alone now */
    uint64_t files, files_max;
} warning_facts_t;

typedef struct {
    char text[WARNINGS][240]; /* a sentence; empty: nothing to warn of */
} warnings_t;

/* "fork", "collateral", "certificate", "disk", "clock", "budget". */
const char *warning_word(warning_t w);

/* Fills all texts of out. */
void warnings_find(warnings_t *out, const warning_facts_t *facts);

/* Member "warnings" of an object: a list of {"about", "text"}. */
void warnings_put(jw_t *w, const warnings_t *all);

#endif
