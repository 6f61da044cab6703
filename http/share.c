#include "http/share.h"

void share_init(share_t *s, unsigned places)
{
    *s = (share_t){ .places = places };
    s->ring.prev = s->ring.next = &s->ring;
}

unsigned share_part(unsigned places)
{
    return places / SHARE_PART ? places / SHARE_PART : 1;
}

static void join(share_t *s, share_turn_t *t)
{
    t->prev = s->ring.prev;
    t->next = &s->ring;
    t->prev->next = t->next->prev = t;
}

static void leave(share_turn_t *t)
{
    t->prev->next = t->next;
    t->next->prev = t->prev;
    t->prev = t->next = NULL;
}

void share_push(share_t *s, share_turn_t *t, share_item_t *item)
{
    item->next = NULL;
    if (t->last)
        t->last->next = item;
    else
        t->first = item;
    t->last = item;
    s->waiting++;
    if (!t->waiting++)
        join(s, t);
}

bool share_is_bound(const share_t *s, const share_turn_t *t)
{
    return !t->exempt && t->running + (t->twin ? t->twin->running : 0) >= share_part(s->places);
}

/* The first that is within its share and has used no more than the others. NULL: all are at their bounds. */
static share_turn_t *choose(const share_t *s)
{
    share_turn_t *best = NULL;
    for (share_turn_t *t = s->ring.next; t != &s->ring; t = t->next)
        if (!share_is_bound(s, t) && (!best || t->debt_us < best->debt_us))
            best = t;
    return best;
}

/* Whoever waits pays off what he whose turn it is owes. */
static void pay(share_t *s, int64_t owed)
{
    for (share_turn_t *t = s->ring.next; owed && t != &s->ring; t = t->next)
        t->debt_us = t->debt_us > owed ? t->debt_us - owed : 0;
}

/* Who is alone, or waits while all others do at their bounds, goes on. */
static share_turn_t *least_running(const share_t *s)
{
    share_turn_t *best = NULL;
    for (share_turn_t *t = s->ring.next; t != &s->ring; t = t->next)
        if (!best || t->running < best->running)
            best = t;
    return best;
}

share_item_t *share_peek(const share_t *s)
{
    if (s->ring.next == &s->ring)
        return NULL;
    const share_turn_t *t = choose(s);
    return (t ? t : least_running(s))->first;
}

share_item_t *share_next(share_t *s, share_turn_t **turn)
{
    if (s->ring.next == &s->ring)
        return NULL;
    share_turn_t *t = choose(s);
    if (t)
        pay(s, t->debt_us);
    else
        t = least_running(s);
    share_item_t *item = t->first;
    t->first = item->next;
    if (!t->first)
        t->last = NULL;
    s->waiting--;
    s->running++;
    t->running++;
    t->waiting--;
    leave(t);
    if (t->waiting)
        join(s, t);
    *turn = t;
    return item;
}

void share_charge(share_t *s, share_turn_t *t, uint64_t cost_us)
{
    const bool alone = s->waiting == t->waiting && s->running == t->running;
    if (t->exempt)
        return;
    if (alone)
        t->debt_us = 0;
    else if (cost_us < SHARE_DEBT_MAX_US - (uint64_t)t->debt_us)
        t->debt_us += (int64_t)cost_us;
    else
        t->debt_us = SHARE_DEBT_MAX_US;
}

void share_done(share_t *s, share_turn_t *t, uint64_t cost_us)
{
    share_charge(s, t, cost_us);
    s->running--;
    t->running--;
}

void share_remove(share_t *s, share_turn_t *t, share_item_t *item)
{
    share_item_t **at = &t->first, *before = NULL;
    while (*at != item) {
        before = *at;
        at = &before->next;
    }
    *at = item->next;
    if (t->last == item)
        t->last = before;
    s->waiting--;
    if (!--t->waiting)
        leave(t);
}

share_item_t *share_take_last(share_t *s, share_turn_t *t)
{
    share_item_t *last = t->last;
    if (last)
        share_remove(s, t, last);
    return last;
}

share_turn_t *share_longest(const share_t *s)
{
    share_turn_t *longest = NULL;
    for (share_turn_t *t = s->ring.next; t != &s->ring; t = t->next)
        if (!t->exempt && (!longest || t->waiting > longest->waiting))
            longest = t;
    return longest;
}
