#include "http/budget.h"

#define MINUTE_US 60000000u
#define PART 4u /* of the whole: for a client, and for those who had less than that */

/* What is still taken: the time passes it back, or part of the time. */
static uint64_t taken(const budget_use_t *u, uint64_t now_ms, unsigned part)
{
    const uint64_t back = (now_ms > u->at_ms ? now_ms - u->at_ms : 0) * 1000 / part;
    return u->taken_us > back ? u->taken_us - back : 0;
}

static uint64_t time_of(const budget_t *b, uint64_t n)
{
    const uint64_t most = 10 * b->per_minute; /* what nobody has to wait longer for */
    return (n < most ? n : most) * MINUTE_US / b->per_minute;
}

bool budget_has(const budget_t *b, const budget_use_t *mine, uint64_t n, uint64_t now_ms)
{
    if (!b->per_minute)
        return true;
    const uint64_t share = MINUTE_US / PART, asked = time_of(b, n), more = asked < share ? asked : share;
    const uint64_t all = taken(&b->all, now_ms, 1) + more;
    if (all <= MINUTE_US - share)
        return true;
    return all <= MINUTE_US && (!mine || taken(mine, now_ms, PART) + more <= share);
}

void budget_take(budget_t *b, budget_use_t *mine, uint64_t n, uint64_t now_ms)
{
    if (!b->per_minute)
        return;
    b->all = (budget_use_t){ taken(&b->all, now_ms, 1) + time_of(b, n), now_ms };
    if (mine)
        *mine = (budget_use_t){ taken(mine, now_ms, PART) + time_of(b, n), now_ms };
}

uint64_t budget_left(const budget_t *b, uint64_t now_ms)
{
    const uint64_t gone = taken(&b->all, now_ms, 1);
    return gone < MINUTE_US ? (MINUTE_US - gone) * b->per_minute / MINUTE_US : 0;
}
