#include "tests/overlay/floor_world.h"

#include <stdarg.h>
#include <stdio.h>

#include "overlay/floor.h"

#define NODES 5
#define SLOT_TICKS 8
#define TROUBLE_TICKS 240
#define END_TICKS 400
#define EMPTY_TICKS 48  /* at the end, in which the slots bring no blocks */
#define ANSWER_TICKS 24 /* after which a peer that did not answer is dropped, */
#define BAN_TICKS 200   /* and for how long it is not let in again */
#define TICK_MS 420     /* ANSWER_TICKS are JOIN_STATE_MS */
#define FAR (1ull << 63)

/* One end of a connection: what i knows of j. */
typedef struct {
    bool open, answered;
    uint64_t number, since, banned_until;
    uint64_t bar; /* what the peer had signed when it was attested */
} link_t;

typedef struct {
    bool liar, silent, renews, eclipsed, knows_split;
    unsigned manner;      /* of a liar: which claim it makes */
    uint64_t head;        /* verified: its own store's */
    uint64_t served;      /* by its execution upstream */
    uint64_t stuck_until; /* which serves nothing new until this tick */
    uint64_t signed_slot; /* by it, since it started, */
    uint64_t signed_tick; /* and when */
    bool has_signed;
    floor_t floor;
    link_t links[NODES];
} node_t;

typedef struct {
    node_t nodes[NODES];
    int count;
    uint64_t random, tick, numbers, split_at;
    uint64_t slot, block; /* now; the newest that has a block */
    char *broken;
} world_t;

static uint64_t draw(world_t *w, uint64_t below)
{
    w->random += 0x9e3779b97f4a7c15ull;
    uint64_t z = w->random;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return ((z ^ z >> 31) >> 11) % below;
}

__attribute__((format(printf, 2, 3))) static void breaks(world_t *w, const char *fmt, ...)
{
    va_list ap;
    if (w->broken[0])
        return;
    va_start(ap, fmt);
    vsnprintf(w->broken, 256, fmt, ap);
    va_end(ap);
}

static void hang_up(world_t *w, int i, int j)
{
    floor_gone(&w->nodes[i].floor, w->nodes[i].links[j].number);
    w->nodes[i].links[j] = (link_t){ .open = false };
}

/* A new boot: its disk may be of yesterday, and its providers may show it nothing. */
static void start(world_t *w, int i)
{
    const bool liar = w->nodes[i].liar, silent = w->nodes[i].silent, renews = w->nodes[i].renews;
    const unsigned manner = w->nodes[i].manner;
    for (int j = 0; j < w->count; j++)
        if (w->nodes[j].links[i].open)
            hang_up(w, j, i);
    w->nodes[i] = (node_t){
        .liar = liar, .silent = silent, .renews = renews, .manner = manner, .eclipsed = w->count > 1 && draw(w, 3) == 0
    };
    w->nodes[i].head = w->nodes[i].served = w->block > 20 ? w->block - 20 : 1;
}

static void attest(world_t *w, int i, int j)
{
    node_t *n = &w->nodes[i];
    n->links[j] = (link_t){ .open = true, .number = ++w->numbers, .since = w->tick };
    n->links[j].bar = w->nodes[j].liar ? 0 : w->nodes[j].signed_slot;
    const hash32_t platform = { { (uint8_t)(j + 1) } };
    if (floor_attested(&n->floor, n->links[j].number, &platform))
        breaks(w, "no room for a peer");
}

/* A claim of j's, by what it is and what i's store makes of the update beside it. */
static bool claim(world_t *w, node_t *n, floor_kind_t kind, uint64_t slot, floor_proof_t proof)
{
    return floor_claim(&n->floor, kind, slot, proof, w->slot);
}

/* A liar's state: slot 2^63, with an update of nobody; a random root at the present slot; a head without its update. */
static bool lie(world_t *w, node_t *n, unsigned manner)
{
    switch (manner) {
    case 0: return claim(w, n, FLOOR_SIGNED, FAR, FLOOR_LATER);
    case 1: return claim(w, n, FLOOR_HEAD, w->slot, FLOOR_UNPROVEN);
    default: return claim(w, n, FLOOR_SIGNED, w->slot + 1, FLOOR_UNPROVEN);
    }
}

static void answer(world_t *w, int i, int j)
{
    node_t *n = &w->nodes[i], *from = &w->nodes[j];
    link_t *l = &n->links[j];
    bool told = true;
    if (from->liar) {
        told = lie(w, n, from->manner);
        if (!told)
            breaks(w, "node %d waits for what is claimed of a slot that has not come", i);
    } else {
        if (from->head > n->head)
            n->head = from->head; /* taken over: it is proven */
        told = claim(w, n, FLOOR_HEAD, from->head, FLOOR_PROVEN);
        if (from->has_signed)
            told &= claim(w, n, FLOOR_SIGNED, from->signed_slot, FLOOR_PROVEN);
        if (from->knows_split) {
            n->knows_split = true;
            floor_split(&n->floor, 1);
        }
    }
    l->answered |= told;
    if (told)
        floor_answered(&n->floor, l->number);
}

static void check_first(world_t *w, int i, uint64_t slot)
{
    for (int j = 0; j < w->count; j++)
        if (w->nodes[i].links[j].open && slot < w->nodes[i].links[j].bar)
            breaks(w, "node %d signs first at slot %llu, below %llu of a peer that was attested", i,
                   (unsigned long long)slot, (unsigned long long)w->nodes[i].links[j].bar);
}

static void sign(world_t *w, int i)
{
    node_t *n = &w->nodes[i];
    const uint64_t usable = n->head < n->served ? n->head : n->served;
    floor_head(&n->floor, usable);
    if (floor_may_sign(&n->floor, NULL, usable, w->tick * TICK_MS))
        return;
    if (!n->has_signed)
        check_first(w, i, usable);
    if (usable < n->signed_slot)
        breaks(w, "node %d signs at slot %llu, below %llu that it signed", i, (unsigned long long)usable,
               (unsigned long long)n->signed_slot);
    if (n->head > usable + FLOOR_BOUND_SLOTS && n->floor.proven == n->head)
        breaks(w, "node %d signs at slot %llu, far behind the proven %llu", i, (unsigned long long)usable,
               (unsigned long long)n->head);
    if (n->knows_split)
        breaks(w, "node %d signs though two headers of one slot are proven", i);
    n->has_signed = true;
    n->signed_slot = usable;
    n->signed_tick = w->tick;
    floor_signed(&n->floor, usable);
}

/* What the world does to a node in one tick. */
static void live(world_t *w, int i, bool trouble)
{
    node_t *n = &w->nodes[i];
    if (trouble && draw(w, 200) == 0)
        start(w, i);
    if (trouble && draw(w, 300) == 0) /* its store begins anew */
        n->head = n->served = w->block > 10 ? w->block - 10 : 1;
    if (trouble && draw(w, 100) == 0)
        n->stuck_until = w->tick + draw(w, 60);
    if (!n->eclipsed && draw(w, 3) == 0)
        n->head = w->block;
    if (w->tick >= n->stuck_until)
        n->served = n->head;
    for (int j = 0; j < w->count; j++) {
        link_t *l = &n->links[j];
        if (j != i && !l->open && w->tick >= l->banned_until && draw(w, 6) == 0)
            attest(w, i, j);
        else if (l->open && w->nodes[j].renews && w->tick - l->since > ANSWER_TICKS / 2)
            hang_up(w, i, j); /* it ends by itself what it did not answer on, and is back soon */
        else if (l->open && !l->answered && w->tick - l->since > ANSWER_TICKS && w->nodes[j].silent) {
            hang_up(w, i, j);
            l->banned_until = w->tick + BAN_TICKS;
        } else if (l->open && !w->nodes[j].silent && draw(w, 3) == 0)
            answer(w, i, j);
    }
    if (!n->liar)
        sign(w, i);
}

/* At rest all sign at the newest head, though it is some slots old; once the committee has signed two, nobody does. */
static void check_rest(world_t *w)
{
    for (int i = 0; i < w->count; i++) {
        const node_t *n = &w->nodes[i];
        if (n->liar)
            continue;
        if (w->split_at ? !n->knows_split : n->signed_slot < w->block || n->signed_tick + 1 < w->tick)
            breaks(w, "node %d signed last at slot %llu of %llu, %llu ticks ago", i, (unsigned long long)n->signed_slot,
                   (unsigned long long)w->block, (unsigned long long)(w->tick - n->signed_tick));
    }
}

void floor_run(char broken[256], uint64_t seed)
{
    static world_t w;
    w = (world_t){ .random = seed * 0x2545f4914f6cdd1dull + 7, .broken = broken, .slot = 30, .block = 30 };
    broken[0] = 0;
    w.count = 1 + (int)draw(&w, NODES);
    for (int i = 0; i < w.count; i++) {
        w.nodes[i].liar = i > 1 && draw(&w, 2); /* one that is honest lets the eclipsed learn */
        w.nodes[i].silent = w.nodes[i].liar && draw(&w, 3) == 0;
        w.nodes[i].renews = w.nodes[i].silent && draw(&w, 2);
        w.nodes[i].manner = (unsigned)draw(&w, 3);
        start(&w, i);
    }
    w.nodes[0].eclipsed = false;
    w.split_at = draw(&w, 6) == 0 ? TROUBLE_TICKS / 2 : 0;
    for (w.tick = 1; w.tick < END_TICKS && !broken[0]; w.tick++) {
        w.slot += w.tick % SLOT_TICKS == 0;
        if (w.tick + EMPTY_TICKS < END_TICKS)
            w.block = w.slot;
        if (w.tick == w.split_at) {
            w.nodes[0].knows_split = true;
            floor_split(&w.nodes[0].floor, w.slot);
        }
        for (int i = 0; i < w.count; i++)
            live(&w, i, w.tick < TROUBLE_TICKS && !(w.split_at && i == 0 && w.tick >= w.split_at));
        w.nodes[0].eclipsed = false;
    }
    if (!broken[0])
        check_rest(&w);
}
