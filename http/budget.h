/* budget.h - so much of something a minute, and nobody takes all of it: a quarter is kept for those who had little.
 *
 *     if (!budget_has(&b, &mine, 4, now)) ... refused ...
 *     budget_take(&b, &mine, 4, now);
 *
 * What was taken comes back evenly: the whole within a minute, and to a client a quarter of the whole. Who is alone may
 * take three quarters; beyond that, only who had less than a quarter gets some, until he has a quarter. What somebody
 * takes beyond all bounds in one request has to come back to the three quarters; the last one stays for others.
 *
 * Floor:  2, http. No I/O, clock, heap or lock: the owner holds its own. Time: monotonic milliseconds, an argument.
 * Tests:  tests/unit/test_share.c
 */
#ifndef HTTP_BUDGET_H
#define HTTP_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#define BUDGET_MAX 10000000u /* a minute */

/* What somebody has taken, less what has come back; zeroed at first. */
typedef struct {
    uint64_t taken_us; /* in time of the whole budget: a minute's are 60,000,000 */
    uint64_t at_ms;
} budget_use_t;

typedef struct {
    uint64_t per_minute;       /* at most BUDGET_MAX; 0: there is no end to it */
    uint64_t open_us, last_us; /* taken of the three quarters, and of the last one */
    uint64_t at_ms;
} budget_t;

/* Whether n more may be taken. mine NULL: by somebody who stands for many. Of the three quarters more than a quarter of
 * all is asked for as if it were one. */
bool budget_has(const budget_t *b, const budget_use_t *mine, uint64_t n, uint64_t now_ms);

/* Takes n, whether they are there or not. mine as above. */
void budget_take(budget_t *b, budget_use_t *mine, uint64_t n, uint64_t now_ms);

/* How many are left to all. */
uint64_t budget_left(const budget_t *b, uint64_t now_ms);

#endif
