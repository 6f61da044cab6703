#include "node/query/flight_turns.h"

#include <stddef.h>
#include <stdlib.h>

/* A client's turns at one endpoint, for as long as anything of his waits there or is in the air. */
typedef struct guest {
    share_turn_t turns[TURNS_SORTS];
    hs_client_t *client; /* with a reference */
    struct guest *next;
} guest_t;

void turns_init(turns_t *t, struct guest **guests, unsigned sort, unsigned places)
{
    share_init(&t->queue, places);
    t->guests = guests;
    t->sort = sort;
}

void turns_first(turns_t *t, batch_t *b)
{
    b->next = t->first;
    t->first = b;
}

/* Whose turns a batch takes. NULL: no memory. */
static guest_t *guest_of(turns_t *t, const batch_t *b)
{
    guest_t *g = *t->guests;
    while (g && g->client != b->client)
        g = g->next;
    if (g || !(g = calloc(1, sizeof *g)))
        return g;
    g->client = hs_client_ref(b->client);
    for (size_t i = 0; i < TURNS_SORTS; i++)
        g->turns[i] =
            (share_turn_t){ .exempt = !b->client || b->client->turns[SHARE_LIGHT].exempt, .twin = &g->turns[!i] };
    g->next = *t->guests;
    return *t->guests = g;
}

void turns_queue(turns_t *t, batch_t *b)
{
    b->guest = guest_of(t, b);
    if (!b->guest) {
        turns_first(t, b);
        return;
    }
    b->waits = true;
    share_push(&t->queue, &b->guest->turns[t->sort], &b->item);
}

/* A batch is nobody's turn any more. */
static void forget_turn(turns_t *t, batch_t *b)
{
    guest_t *g = b->guest, **at = t->guests;
    b->guest = NULL;
    for (size_t i = 0; i < TURNS_SORTS; i++)
        if (g->turns[i].waiting || g->turns[i].running)
            return;
    while (*at != g)
        at = &(*at)->next;
    *at = g->next;
    hs_client_unref(g->client);
    free(g);
}

void turns_end(turns_t *t, batch_t *b, uint64_t cost)
{
    if (!b->guest)
        return;
    share_done(&t->queue, &b->guest->turns[t->sort], cost);
    forget_turn(t, b);
}

static batch_t *batch_of(share_item_t *item)
{
    return item ? (batch_t *)(void *)((char *)item - offsetof(batch_t, item)) : NULL;
}

batch_t *turns_peek(const turns_t *t)
{
    return t->first ? t->first : batch_of(share_peek(&t->queue));
}

batch_t *turns_take(turns_t *t)
{
    share_turn_t *turn;
    batch_t *b = t->first;
    if (b) {
        t->first = b->next;
        return b;
    }
    b = batch_of(share_next(&t->queue, &turn));
    b->waits = false;
    return b;
}

bool turns_remove(turns_t *t, batch_t *b)
{
    if (b->waits) {
        b->waits = false;
        share_remove(&t->queue, &b->guest->turns[t->sort], &b->item);
        forget_turn(t, b);
        return true;
    }
    batch_t **at = &t->first;
    while (*at && *at != b)
        at = &(*at)->next;
    if (!*at)
        return false;
    *at = b->next;
    return true;
}

/* Whether whoever is next has his share of the places. */
static bool next_is_bound(const turns_t *t)
{
    const batch_t *b = turns_peek(t);
    return b && b->guest && share_is_bound(&t->queue, &b->guest->turns[t->sort]);
}

bool turns_yields(const turns_t *t, const turns_t *to)
{
    return next_is_bound(t) && turns_peek(to) && !next_is_bound(to);
}

size_t turns_waiting(const turns_t *t)
{
    size_t n = t->queue.waiting;
    for (const batch_t *b = t->first; b; b = b->next)
        n++;
    return n;
}
