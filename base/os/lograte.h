/* lograte.h - how often the log says the same: an event's lines that begin alike (with the same endpoint, mostly) are
 * let through up to a number in a time; of the others one line says how many there were.
 *
 * Floor:  1, base/os. No clock, thread, heap: the log holds its lock.
 * Tests:  tests/unit/test_log.c
 */
#ifndef BASE_OS_LOGRATE_H
#define BASE_OS_LOGRATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOGRATE_ROWS 64u         /* different beginnings that are counted at a time */
#define LOGRATE_LINES 20u        /* of one beginning, */
#define LOGRATE_TIME_MS 10000u   /* in this time */
#define LOGRATE_SUMMARY_MAX 160u /* bytes of a summary with its NUL */

typedef struct {
    struct {
        char event[24], first[64]; /* what they begin with: the event, the message's first word */
        uint64_t since_ms;
        unsigned lines, left_out;
    } rows[LOGRATE_ROWS];
} lograte_t;

/* Whether a line is to be written. Zeroed at first. */
bool lograte_pass(lograte_t *r, const char *event, const char *message, uint64_t now_ms);

/* A summary of lines that were left out and whose time is over. False: there is none; to be asked until then.
 *   event  of the summary; lives until the next call of either function */
bool lograte_summary(lograte_t *r, const char **event, char text[LOGRATE_SUMMARY_MAX], uint64_t now_ms);

#endif
