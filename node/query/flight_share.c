/* flight_share.c - one proof for what several queries need of an account. */
#include <string.h>

#include "node/query/flight.h"

static bool is_same_account(const need_t *a, const need_t *b)
{
    return a->kind == NEED_PROOF && b->kind == NEED_PROOF && addr_eq(&a->addr, &b->addr) &&
           hash32_eq(&a->block->block_hash, &b->block->block_hash);
}

/* Whether some slots stand among others one after the other, in the same order; *at: from where on. */
static bool stand_in(size_t *at, const need_t *of, const need_t *in)
{
    const size_t n = of->slot_count;
    for (*at = 0; *at + n <= in->slot_count; ++*at)
        if (!n || !memcmp(of->slots, in->slots + *at, n * sizeof *of->slots))
            return true;
    return false;
}

/* Whether two have a slot in common. */
static bool overlap(const need_t *a, const need_t *b)
{
    for (size_t i = 0; i < a->slot_count; i++)
        for (size_t k = 0; k < b->slot_count; k++)
            if (hash32_eq(&a->slots[i], &b->slots[k]))
                return true;
    return false;
}

/* Adds slots to a proof that a batch asks for. False: no memory. */
static bool widen(batch_t *b, size_t i, const need_t *more)
{
    const need_t *old = b->needs[i];
    const size_t n = old->slot_count;
    need_t *wide = arena_alloc(&b->arena, sizeof *wide);
    hash32_t *slots = arena_calloc(&b->arena, n + more->slot_count, sizeof *slots);
    if (!wide || !slots)
        return false;
    if (n)
        memcpy(slots, old->slots, n * sizeof *slots);
    memcpy(slots + n, more->slots, more->slot_count * sizeof *slots);
    *wide = *old;
    wide->slots = slots;
    wide->slot_count += more->slot_count;
    b->needs[i] = wide;
    b->slots += more->slot_count;
    return true;
}

/* Whether somebody else waits for it, and none who needs only what he guessed: that may be refused. */
static bool is_of_others(const flight_t *x, const party_t *p)
{
    for (const seat_t *s = x->seats; s; s = s->next)
        if (s->party == p || s->need->origin == NEED_GUESSED)
            return false;
    return x->seats;
}

flight_t *flight_share_proof(batch_t *b, seat_t *s, const cap_t *can)
{
    const need_t *need = s->need;
    for (size_t i = 0; i < b->count && need->origin != NEED_GUESSED; i++) {
        const need_t *other = b->needs[i];
        const size_t sum = other->slot_count + need->slot_count, most = cap_slots(can, BATCH_SLOTS_MAX);
        size_t at;
        if (!is_same_account(other, need) || !is_of_others(b->list[i], s->party))
            continue;
        const bool there = stand_in(&at, need, other);
        const bool fits = sum <= most && b->slots + need->slot_count <= BATCH_SLOTS_MAX;
        if (there || (fits && !overlap(need, other) && widen(b, i, need))) {
            s->from = there ? at : other->slot_count;
            b->list[i]->wide = true;
            return b->list[i];
        }
    }
    return NULL;
}
