#include "node/linked.h"

#include <stdlib.h>

#include "base/os/log.h"
#include "lightclient/exec/head.h"

#define CHANGES_ARENA_MAX ((size_t)256 << 20) /* a block access list as arrays */
#define TRIES 3u                              /* heads without a list, after which none is asked for, but */
#define AGAIN 1024u                           /* once in so many */
#define WALKS_MAX 4u

/* A block whose parent is being fetched. */
typedef struct {
    linked_t *owner;
    arena_t arena;
    ex_changes_t changes; /* in the arena */
    hash32_t after;       /* state root */
    unsigned left;        /* blocks that may be fetched yet */
} link_t;

void linked_init(linked_t *l, ask_t *ask, ex_cache_t *cache, held_t *held)
{
    l->ask = ask;
    l->cache = cache;
    l->held = held;
    atomic_init(&l->without, 0);
    atomic_init(&l->walks, 0);
    atomic_init(&l->lost, false);
}

bool linked_asks(linked_t *l)
{
    const unsigned without = atomic_load(&l->without);
    return !atomic_exchange(&l->lost, false) && (without < TRIES || without % AGAIN == 0);
}

void linked_lost(linked_t *l)
{
    atomic_store(&l->lost, true);
}

bool linked_busy(const linked_t *l)
{
    return atomic_load(&l->walks) > 0;
}

static void keep(linked_t *l, const ex_header_t *h, view_t rlp, unsigned left);

static void link_free(link_t *k)
{
    atomic_fetch_sub(&k->owner->walks, 1);
    arena_free(&k->arena);
    free(k);
}

static void on_parent(void *ctx, rc_t rc, const err_t *e, query_t *take_q)
{
    link_t *k = ctx;
    const ex_header_t *parent = rc ? NULL : ex_head_result(take_q);
    if (rc)
        log_write(LOG_DEBUG, "execution", "a block between two heads: %s", e->text);
    if (parent)
        ex_cache_put_changes(k->owner->cache, &k->after, &parent->state_root, &k->changes);
    if (parent && ex_header_has_slot(parent) && ex_head_changes(take_q).p)
        keep(k->owner, parent, ex_head_changes(take_q), k->left);
    query_free(take_q);
    link_free(k);
}

/* Fetches the parent of a block with these changes, which take_arena holds. */
static void fetch_parent(linked_t *l, const ex_header_t *h, arena_t take_arena, const ex_changes_t *changes,
                         unsigned left)
{
    query_t *q;
    err_t e;
    link_t *k = malloc(sizeof *k);
    if (!k) {
        arena_free(&take_arena);
        return;
    }
    *k = (link_t){ l, take_arena, *changes, h->state_root, left - 1 };
    atomic_fetch_add(&l->walks, 1);
    rc_t rc = ex_head_new(&q, &e, &h->parent_hash, EX_HEAD_AND_CHANGES);
    if (!rc)
        rc = ask_submit(l->ask, q, NULL, on_parent, k);
    if (rc)
        link_free(k);
}

static void keep(linked_t *l, const ex_header_t *h, view_t rlp, unsigned left)
{
    arena_t a;
    ex_changes_t changes;
    held_head_t before;
    err_t e;
    arena_init(&a, CHANGES_ARENA_MAX);
    const bool reads = ex_changes_verify(&changes, &e, &a, &h->block_access_list_hash, rlp) == RC_OK;
    const bool follows = held_anywhere(l->held, &before, &h->parent_hash);
    if (reads && !follows && left) {
        fetch_parent(l, h, a, &changes, left);
        return;
    }
    if (reads && follows)
        ex_cache_put_changes(l->cache, &h->state_root, &before.block.state_root, &changes);
    else if (!reads)
        log_write(LOG_INFO, "execution", "%s", e.text);
    arena_free(&a);
}

/* How many blocks may be fetched to get from a head to one before it; 0: all of those are too far. A head of such a
 * number is no ancestor for certain: after a reorganisation the way to the one that is may be longer. */
static unsigned reach(linked_t *l, const ex_header_t *h)
{
    const uint64_t lowest = h->number > LINKED_MAX ? h->number - 1 - LINKED_MAX : 0;
    return h->number > 1 && held_has_between(l->held, lowest, h->number - 2) ? LINKED_MAX : 0;
}

void linked_take(linked_t *l, const ex_header_t *h, view_t rlp)
{
    if (!ex_header_has_slot(h))
        return;
    atomic_store(&l->without, rlp.p ? 0 : atomic_load(&l->without) + 1);
    if (rlp.p)
        keep(l, h, rlp, atomic_load(&l->walks) < WALKS_MAX ? reach(l, h) : 0);
}
