#include "http/budget.h"

#define MINUTE_US 60000000u
#define PART 4u /* of the whole: for a client, and for those who had less than that */

#define SHARE_US (MINUTE_US / PART)
#define OPEN_US (MINUTE_US - SHARE_US)

static uint64_t less(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

/* What a client has still taken: a quarter of the time passes it back. */
static uint64_t taken(const budget_use_t *u, uint64_t now_ms)
{
    return less(u->taken_us, less(now_ms, u->at_ms) * 1000 / PART);
}

/* The budget as it is now: what the time passes back goes to the last quarter first. */
static budget_t settled(const budget_t *b, uint64_t now_ms)
{
    budget_t now = *b;
    const uint64_t back = less(now_ms, b->at_ms) * 1000;
    now.last_us = less(b->last_us, back);
    now.open_us = less(b->open_us, less(back, b->last_us));
    now.at_ms = now_ms;
    return now;
}

static uint64_t time_of(const budget_t *b, uint64_t n)
{
    const uint64_t most = 10 * b->per_minute; /* what nobody has to wait longer for */
    return (n < most ? n : most) * MINUTE_US / b->per_minute;
}

/* Whether so much more is there of the last quarter, for a client (NULL: for one that stands for many). */
static bool has_last(const budget_t *now, const budget_use_t *mine, uint64_t more)
{
    return now->last_us + more <= SHARE_US && (!mine || taken(mine, now->at_ms) + more <= SHARE_US);
}

bool budget_has(const budget_t *b, const budget_use_t *mine, uint64_t n, uint64_t now_ms)
{
    if (!b->per_minute)
        return true;
    const budget_t now = settled(b, now_ms);
    const uint64_t asked = time_of(b, n);
    return now.open_us + (asked < SHARE_US ? asked : SHARE_US) <= OPEN_US || has_last(&now, mine, asked);
}

void budget_take(budget_t *b, budget_use_t *mine, uint64_t n, uint64_t now_ms)
{
    if (!b->per_minute)
        return;
    const uint64_t more = time_of(b, n);
    *b = settled(b, now_ms);
    if (b->open_us + more > OPEN_US && has_last(b, mine, more))
        b->last_us += more;
    else
        b->open_us += more;
    if (mine)
        *mine = (budget_use_t){ taken(mine, now_ms) + more, now_ms };
}

uint64_t budget_left(const budget_t *b, uint64_t now_ms)
{
    const budget_t now = settled(b, now_ms);
    return (less(OPEN_US, now.open_us) + less(SHARE_US, now.last_us)) * b->per_minute / MINUTE_US;
}
