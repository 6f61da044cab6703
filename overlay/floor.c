#include "overlay/floor.h"

#include "overlay/guard.h"

typedef unsigned long long ull_t;

static floor_peer_t *find(floor_t *f, uint64_t number)
{
    for (size_t i = 0; i < FLOOR_PEERS_MAX; i++)
        if (f->peers[i].number == number)
            return &f->peers[i];
    return NULL;
}

rc_t floor_attested(floor_t *f, uint64_t number, const hash32_t *platform)
{
    floor_peer_t *p = find(f, number);
    if (p)
        return RC_OK;
    p = find(f, 0);
    if (!p)
        return RC_LIMIT;
    *p = (floor_peer_t){ .number = number, .platform = *platform };
    return RC_OK;
}

void floor_gone(floor_t *f, uint64_t number)
{
    floor_peer_t *p = find(f, number);
    if (p)
        *p = (floor_peer_t){ .number = 0 };
}

bool floor_claim(floor_t *f, floor_kind_t kind, uint64_t slot, floor_proof_t proof, uint64_t slot_now)
{
    if (GUARD(CLAIM_TIME) && slot > slot_now && slot - slot_now > 1)
        return true; /* whatever it brings: nobody is there yet */
    if (!GUARD(CLAIM_PROOF) && proof == FLOOR_UNPROVEN)
        proof = FLOOR_PROVEN;
    if (proof == FLOOR_PROVEN && slot > f->proven)
        f->proven = slot;
    if (proof == FLOOR_PROVEN && kind == FLOOR_SIGNED && !f->begun && slot > f->signed_slot)
        f->signed_slot = slot;
    return proof != FLOOR_LATER;
}

void floor_answered(floor_t *f, uint64_t number)
{
    floor_peer_t *p = number ? find(f, number) : NULL;
    if (p)
        p->answered = true;
}

void floor_head(floor_t *f, uint64_t slot)
{
    f->head = slot;
}

void floor_split(floor_t *f, uint64_t slot)
{
    if (!f->is_split)
        f->split_slot = slot;
    f->is_split = GUARD(CHAIN_SPLIT);
}

/* Whether there is still time for a platform's answer; its time begins when it is first waited for. */
static bool has_time(floor_t *f, const hash32_t *platform, uint64_t now_ms)
{
    for (size_t i = 0; i < f->wait_count; i++)
        if (hash32_eq(&f->waits[i].platform, platform))
            return now_ms < f->waits[i].until_ms;
    if (f->wait_count == FLOOR_PEERS_MAX)
        return false; /* so many have not answered: it is more than there are members */
    f->waits[f->wait_count++] = (floor_wait_t){ *platform, now_ms + FLOOR_WAIT_MS };
    return true;
}

static size_t awaited(floor_t *f, uint64_t now_ms)
{
    size_t n = 0;
    for (size_t i = 0; i < FLOOR_PEERS_MAX; i++)
        n += f->peers[i].number && !f->peers[i].answered && has_time(f, &f->peers[i].platform, now_ms);
    if (n && !f->waits_until_ms)
        f->waits_until_ms = now_ms + FLOOR_WAIT_ALL_MS;
    return now_ms < f->waits_until_ms ? n : 0;
}

rc_t floor_may_sign(floor_t *f, err_t *e, uint64_t slot, uint64_t now_ms)
{
    const size_t silent = f->begun ? 0 : awaited(f, now_ms);
    if (f->is_split)
        return err_set(e, RC_REFUSED,
                       "the sync committee signed two headers of slot %llu: which one is the chain's is not for this "
                       "node to say",
                       (ull_t)f->split_slot);
    if (GUARD(FIRST_WAIT) && silent)
        return err_set(e, RC_NEED_DATA, "%zu attested peers have not said yet up to which slot they signed", silent);
    if (GUARD(SIGNED_FLOOR) && slot < f->signed_slot)
        return err_set(e, RC_REFUSED, "slot %llu was signed for already, and the head is at slot %llu",
                       (ull_t)f->signed_slot, (ull_t)slot);
    if (GUARD(HEAD_BOUND) && f->proven > f->head && f->proven - f->head > FLOOR_BOUND_SLOTS)
        return err_set(e, RC_REFUSED,
                       "a member has proven a head at slot %llu, and slot %llu is what can be served here",
                       (ull_t)f->proven, (ull_t)f->head);
    return RC_OK;
}

void floor_signed(floor_t *f, uint64_t slot)
{
    f->begun = true;
    if (slot > f->signed_slot)
        f->signed_slot = slot;
}
