#include "lightclient/exec/feed.h"

#include <stdlib.h>

static feed_link_t *link_at(const feed_t *f, size_t i)
{
    return &f->chain[(f->bottom + i) % FEED_CHAIN_MAX];
}

static feed_event_t *event_at(const feed_t *f, uint64_t seq)
{
    return &f->events[seq % FEED_EVENTS_MAX];
}

const feed_event_t *feed_event(const feed_t *f, uint64_t seq)
{
    return event_at(f, seq);
}

/* The link of a number, or NULL. */
static feed_link_t *find(const feed_t *f, uint64_t number)
{
    if (!f->count || number < link_at(f, 0)->number || number > link_at(f, f->count - 1)->number)
        return NULL;
    return link_at(f, (size_t)(number - link_at(f, 0)->number));
}

rc_t feed_init(feed_t *f, size_t bytes_max)
{
    *f = (feed_t){ .bytes_max = bytes_max,
                   .chain = calloc(FEED_CHAIN_MAX, sizeof *f->chain),
                   .events = calloc(FEED_EVENTS_MAX, sizeof *f->events) };
    if (f->chain && f->events)
        return RC_OK;
    feed_clear(f);
    return RC_NOMEM;
}

/* ---- forgetting ---- */

static void forget_event(feed_t *f)
{
    feed_event_t *e = event_at(f, f->first++);
    if (e->removed)
        f->bytes -= e->logged->bytes; /* the chain let go of it before */
    ex_logged_unref(e->logged);
    e->logged = NULL;
}

/* The lowest link goes, with all events up to the one that announced it. */
static void forget_link(feed_t *f)
{
    feed_link_t *lowest = link_at(f, 0);
    const uint64_t number = lowest->number;
    while (f->first < f->next && event_at(f, f->first)->logged->block.header.number <= number)
        forget_event(f);
    if (lowest->logged)
        f->bytes -= lowest->logged->bytes;
    ex_logged_unref(lowest->logged);
    lowest->logged = NULL;
    f->bottom = (f->bottom + 1) % FEED_CHAIN_MAX;
    f->count--;
}

static void forget_all(feed_t *f)
{
    while (f->count)
        forget_link(f);
    while (f->first < f->next)
        forget_event(f);
}

void feed_clear(feed_t *f)
{
    if (f->chain && f->events)
        forget_all(f);
    free(f->chain);
    free(f->events);
    *f = (feed_t){ 0 };
}

/* Room for what comes: the tip itself stays, however much it holds. */
static void make_room(feed_t *f)
{
    while (f->count > 1 && (f->bytes > f->bytes_max || f->count == FEED_CHAIN_MAX))
        forget_link(f);
}

/* ---- the chain ---- */

void feed_seed(feed_t *f, uint64_t number, const hash32_t *hash, const hash32_t *below, size_t count)
{
    forget_all(f);
    count = count < number ? count : (size_t)number;
    f->bottom = 0;
    f->count = count + 1;
    f->depth = 0;
    *link_at(f, count) = (feed_link_t){ number, *hash, NULL };
    for (size_t i = 0; i < count; i++)
        *link_at(f, count - 1 - i) = (feed_link_t){ number - 1 - i, below[i], NULL };
}

bool feed_tip(const feed_t *f, uint64_t *number, hash32_t *hash)
{
    if (!f->count)
        return false;
    *number = link_at(f, f->count - 1)->number;
    *hash = link_at(f, f->count - 1)->hash;
    return true;
}

bool feed_want(const feed_t *f, uint64_t *from, uint64_t *to, uint64_t head, const hash32_t *hash)
{
    const feed_link_t *tip = f->count ? link_at(f, f->count - 1) : NULL;
    if (!tip || hash32_eq(&tip->hash, hash))
        return false;
    const uint64_t lowest = link_at(f, 0)->number + 1;
    *from = tip->number + 1 < head ? tip->number + 1 : head;
    *from = *from > lowest + f->depth ? *from - f->depth : lowest;
    *from = *from < head ? *from : head;
    *to = f->depth || head - *from < FEED_STEP_MAX ? head : *from + FEED_STEP_MAX - 1;
    return true;
}

static bool in_order(ex_logged_t *const *blocks, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (blocks[i]->block.header.number != blocks[i - 1]->block.header.number + 1 ||
            !hash32_eq(&blocks[i]->block.header.parent_hash, &blocks[i - 1]->block.hash))
            return false;
    return count > 0;
}

static void add_event(feed_t *f, bool removed, ex_logged_t *take)
{
    if (f->next - f->first == FEED_EVENTS_MAX)
        forget_event(f);
    *event_at(f, f->next++) = (feed_event_t){ removed, take };
}

/* Everything from a number on does not stand any more. */
static void remove_from(feed_t *f, uint64_t number)
{
    const size_t left = (size_t)(number - link_at(f, 0)->number);
    for (size_t i = left; i < f->count; i++) {
        if (link_at(f, i)->logged)
            add_event(f, true, link_at(f, i)->logged); /* with the chain's reference */
        link_at(f, i)->logged = NULL;
    }
    f->count = left;
}

static void append(feed_t *f, ex_logged_t *b)
{
    make_room(f);
    *link_at(f, f->count++) = (feed_link_t){ b->block.header.number, b->block.hash, ex_logged_ref(b) };
    f->bytes += b->bytes;
    add_event(f, false, ex_logged_ref(b));
}

rc_t feed_give(feed_t *f, ex_logged_t *const *blocks, size_t count)
{
    if (!in_order(blocks, count) || !f->count)
        return RC_MALFORMED;
    const uint64_t from = blocks[0]->block.header.number;
    const feed_link_t *before = from ? find(f, from - 1) : NULL;
    if (!before)
        return RC_LIMIT;
    if (!hash32_eq(&before->hash, &blocks[0]->block.header.parent_hash)) {
        if (before == link_at(f, 0))
            return RC_LIMIT;
        f->depth = 2 * f->depth + 2;
        return RC_NEED_DATA;
    }
    size_t same = 0;
    for (const feed_link_t *l; same < count && (l = find(f, from + same)); same++)
        if (!hash32_eq(&l->hash, &blocks[same]->block.hash))
            break;
    if (find(f, from + same)) /* on the old branch */
        remove_from(f, from + same);
    for (size_t i = same; i < count; i++)
        append(f, blocks[i]);
    f->depth = 0;
    return RC_OK;
}

/* ---- reading ---- */

ex_logged_t *feed_block(const feed_t *f, uint64_t number)
{
    const feed_link_t *l = find(f, number);
    return l ? l->logged : NULL;
}

bool feed_after(const feed_t *f, uint64_t *seq, uint64_t number, const hash32_t *hash)
{
    const feed_link_t *l = find(f, number);
    if (!l || !hash32_eq(&l->hash, hash))
        return false;
    for (uint64_t i = f->next; i > f->first; i--) {
        const feed_event_t *e = event_at(f, i - 1);
        if (!e->removed && e->logged == l->logged) {
            *seq = i;
            return true;
        }
    }
    const feed_link_t *above = find(f, number + 1);
    *seq = f->first; /* the seed, or what stands of the blocks below: all events came after it */
    return !l->logged && (!above || above->logged);
}
