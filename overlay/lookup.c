#include "overlay/lookup.h"

#include "base/crypto/hash.h"

/* ---- addresses ---- */

enum { NOWHERE = -1, MACHINE, INSIDE, OUTSIDE };

static int reach4(const uint8_t ip[4])
{
    if (ip[0] == 0 || ip[0] >= 224)
        return NOWHERE;
    return ip[0] == 127 ? MACHINE : INSIDE;
}

/* From how far away an address of numbers can be reached. */
static int reach(const maddr_t *m)
{
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff }, zero[15];
    if (maddr_is_public(m))
        return OUTSIDE;
    if (m->host == MADDR_IP4)
        return reach4(m->ip);
    if (!memcmp(m->ip, mapped, sizeof mapped))
        return reach4(m->ip + 12);
    if (!memcmp(m->ip, zero, sizeof zero))
        return m->ip[15] == 1 ? MACHINE : NOWHERE;
    return (m->ip[0] & 0xfe) == 0xfc ? INSIDE : NOWHERE; /* unique local; link-local needs an interface */
}

static bool may_tell(const maddr_t *teller, const maddr_t *at)
{
    const int r = reach(at);
    return r != NOWHERE && r >= reach(teller);
}

static bool has(const maddr_t *list, size_t n, const maddr_t *at)
{
    for (size_t i = 0; i < n; i++)
        if (maddr_eq(&list[i], at))
            return true;
    return false;
}

/* ---- peers ---- */

static void distance(hash32_t *out, const lookup_t *l, const peerid_t *id)
{
    sha256(out, peerid_view(id));
    for (size_t i = 0; i < sizeof out->b; i++)
        out->b[i] ^= l->target_hash.b[i];
}

static bool nearer(const hash32_t *a, const hash32_t *b)
{
    return memcmp(a->b, b->b, sizeof a->b) < 0;
}

static lookup_peer_t *find(lookup_t *l, const peerid_t *id)
{
    for (size_t i = 0; i < l->known_count; i++)
        if (peerid_eq(&l->known[i].peer.id, id))
            return &l->known[i];
    return NULL;
}

/* Where one more peer of this distance goes: a new place, or that of the farthest that nobody asked. NULL: nowhere. */
static lookup_peer_t *place(lookup_t *l, const hash32_t *d)
{
    lookup_peer_t *far = NULL;
    if (l->known_count < LOOKUP_KNOWN)
        return &l->known[l->known_count++];
    for (size_t i = 0; i < l->known_count; i++) {
        lookup_peer_t *p = &l->known[i];
        if (!p->seed && !p->asked && (!far || nearer(&far->distance, &p->distance)))
            far = p;
    }
    return far && nearer(d, &far->distance) ? far : NULL;
}

static void tell_target(lookup_t *l, const maddr_t *at)
{
    if (l->told_count < LOOKUP_TARGET_ADDRS && !has(l->told, l->told_count, at))
        l->told[l->told_count++] = *at;
}

void lookup_init(lookup_t *l, const peerid_t *target, const peerid_t *self, uint64_t now_ms)
{
    memset(l, 0, sizeof *l);
    l->target = *target;
    l->self = *self;
    l->until_ms = now_ms + LOOKUP_MS;
    sha256(&l->target_hash, peerid_view(target));
}

rc_t lookup_seed(lookup_t *l, const maddr_t *at)
{
    if (!at->peer.n || at->circuit || (at->host != MADDR_IP4 && at->host != MADDR_IP6))
        return RC_REFUSED;
    if (peerid_eq(&at->peer, &l->target)) {
        tell_target(l, at);
        return RC_OK;
    }
    lookup_peer_t *p = find(l, &at->peer);
    if (!p) {
        hash32_t d;
        distance(&d, l, &at->peer);
        p = place(l, &d);
        if (!p)
            return RC_LIMIT;
        *p = (lookup_peer_t){ .peer = { .id = at->peer }, .distance = d };
    }
    if (p->peer.addr_count == KAD_ADDRS_MAX || (!p->seed && l->seed_count == LOOKUP_SEEDS_MAX))
        return RC_LIMIT;
    l->seed_count += !p->seed;
    p->seed = true;
    p->peer.addrs[p->peer.addr_count++] = *at;
    return RC_OK;
}

/* ---- tries ---- */

static size_t free_try(const lookup_t *l, bool target)
{
    const size_t from = target ? LOOKUP_AT_ONCE : 0;
    for (size_t i = from; i < from + LOOKUP_AT_ONCE; i++)
        if (!l->tries[i].busy)
            return i;
    return LOOKUP_NONE;
}

/* Whom to ask: bootstrap peers, then the nearest. known_count: nobody. */
static size_t choose(const lookup_t *l)
{
    size_t best = l->known_count;
    for (size_t i = 0; i < l->known_count; i++) {
        const lookup_peer_t *p = &l->known[i];
        if (p->busy || p->over || p->next == p->peer.addr_count || (!p->asked && l->asked_count == LOOKUP_ASKED_MAX))
            continue;
        const lookup_peer_t *b = best < l->known_count ? &l->known[best] : NULL;
        if (!b || (p->seed != b->seed ? p->seed : nearer(&p->distance, &b->distance)))
            best = i;
    }
    return best;
}

size_t lookup_next(lookup_t *l, uint64_t now_ms)
{
    size_t t = free_try(l, true);
    if (now_ms >= l->until_ms)
        return LOOKUP_NONE;
    if (t != LOOKUP_NONE && l->told_next < l->told_count) {
        l->tries[t] = (lookup_try_t){ true, true, 0, l->told[l->told_next++], now_ms + LOOKUP_TRY_MS };
        return t;
    }
    const size_t who = choose(l);
    t = free_try(l, false);
    if (t == LOOKUP_NONE || who == l->known_count)
        return LOOKUP_NONE;
    lookup_peer_t *p = &l->known[who];
    l->asked_count += !p->asked;
    p->asked = p->busy = true;
    l->tries[t] = (lookup_try_t){ true, false, who, p->peer.addrs[p->next++], now_ms + LOOKUP_TRY_MS };
    return t;
}

/* What one peer tells of the target. */
static void take_target(lookup_t *l, const maddr_t *teller)
{
    size_t n = 0;
    for (size_t k = 0; k < l->answer.count; k++) {
        const kad_peer_t *p = &l->answer.peers[k];
        for (size_t i = 0; peerid_eq(&p->id, &l->target) && i < p->addr_count && n < LOOKUP_TARGET_PER_PEER; i++)
            if (may_tell(teller, &p->addrs[i])) {
                tell_target(l, &p->addrs[i]);
                n++;
            }
    }
}

/* Takes a peer that is not known yet. False: it is of no use. */
static bool take_peer(lookup_t *l, const maddr_t *teller, const kad_peer_t *told)
{
    lookup_peer_t p = { .peer = { .id = told->id } };
    if (peerid_eq(&told->id, &l->self) || peerid_eq(&told->id, &l->target) || find(l, &told->id))
        return false;
    for (size_t i = 0; i < told->addr_count; i++)
        if (may_tell(teller, &told->addrs[i]))
            p.peer.addrs[p.peer.addr_count++] = told->addrs[i];
    distance(&p.distance, l, &told->id);
    lookup_peer_t *to = p.peer.addr_count ? place(l, &p.distance) : NULL;
    if (to)
        *to = p;
    return to != NULL;
}

/* The nearest of an answer that was not taken yet. NULL: none. */
static kad_peer_t *nearest(lookup_t *l, const bool *done)
{
    kad_peer_t *best = NULL;
    hash32_t best_d = { { 0 } }, d;
    for (size_t i = 0; i < l->answer.count; i++) {
        distance(&d, l, &l->answer.peers[i].id);
        if (done[i] || (best && !nearer(&d, &best_d)))
            continue;
        best = &l->answer.peers[i];
        best_d = d;
    }
    return best;
}

static void take_answer(lookup_t *l, const maddr_t *teller)
{
    bool done[KAD_PEERS_MAX] = { false };
    size_t taken = 0;
    for (kad_peer_t *p; taken < LOOKUP_TAKEN && (p = nearest(l, done));) {
        done[p - l->answer.peers] = true;
        taken += take_peer(l, teller, p);
    }
    take_target(l, teller);
}

static bool end_try(lookup_t *l, size_t t)
{
    if (t >= LOOKUP_TRIES || !l->tries[t].busy)
        return false;
    l->tries[t].busy = false;
    if (!l->tries[t].target)
        l->known[l->tries[t].who].busy = false;
    return true;
}

void lookup_answer(lookup_t *l, size_t t, view_t message)
{
    if (!end_try(l, t) || l->tries[t].target)
        return;
    l->known[l->tries[t].who].over = true;
    if (!kad_read(&l->answer, NULL, message))
        take_answer(l, &l->tries[t].at);
}

void lookup_failed(lookup_t *l, size_t t)
{
    (void)end_try(l, t);
}

size_t lookup_late(const lookup_t *l, uint64_t now_ms)
{
    for (size_t i = 0; i < LOOKUP_TRIES; i++)
        if (l->tries[i].busy && now_ms >= l->tries[i].until_ms)
            return i;
    return LOOKUP_NONE;
}

bool lookup_over(const lookup_t *l, uint64_t now_ms)
{
    bool busy = l->told_next < l->told_count || choose(l) < l->known_count;
    for (size_t i = 0; i < LOOKUP_TRIES; i++)
        busy |= l->tries[i].busy;
    return !busy || now_ms >= l->until_ms;
}
