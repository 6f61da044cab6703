/* Roots of whole tries. The sorted keys are visited once; the branches on the path to the present key stand on a stack,
 * so depth costs arena memory and no recursion. */
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "lightclient/mpt/mpt.h"
#include "lightclient/mpt/nibble.h"
#include "lightclient/mpt/node.h"
#include "lightclient/rlp/rlp.h"

/* A branch that may still get children. */
typedef struct frame frame_t;
struct frame {
    frame_t *below; /* nearer to the root; for a free frame, the next free one */
    size_t depth;   /* nibbles that all keys below this branch share */
    view_t value;   /* of the key that ends here */
    mpt_ref_t child[16];
};

typedef struct {
    frame_t *top;
    frame_t *free;
    arena_t *arena;
    wr_t w; /* room for the largest node */
} builder_t;

/* Writes a branch, under an extension when its keys share nibbles from..depth. */
static void put_branch(builder_t *b, const frame_t *f, view_t key, size_t from)
{
    mpt_ref_t branch;
    mpt_put_branch(&b->w, f->child, f->value);
    if (from == f->depth)
        return;
    mpt_refer(&branch, wr_view(&b->w));
    mpt_put_extension(&b->w, key, from, f->depth, &branch);
}

static rc_t push(builder_t *b, size_t depth)
{
    frame_t *f = b->free;
    if (f)
        b->free = f->below;
    else if (!(f = arena_alloc(b->arena, sizeof *f)))
        return RC_NOMEM;
    f->below = b->top;
    f->depth = depth;
    f->value = view_of(NULL, 0);
    for (unsigned i = 0; i < 16; i++)
        f->child[i].n = 0;
    b->top = f;
    return RC_OK;
}

static void pop(builder_t *b)
{
    frame_t *f = b->top;
    b->top = f->below;
    f->below = b->free;
    b->free = f;
}

/* Places the key's value into the deepest open branch, or writes the only leaf of the trie. */
static void add(builder_t *b, const mpt_pair_t *pair)
{
    frame_t *f = b->top;
    if (!f) {
        mpt_put_leaf(&b->w, pair->key, 0, pair->value);
    } else if (f->depth == 2 * pair->key.n) {
        f->value = pair->value;
    } else {
        mpt_put_leaf(&b->w, pair->key, f->depth + 1, pair->value);
        mpt_refer(&f->child[nibble_at(pair->key, f->depth)], wr_view(&b->w));
    }
}

/* Closes the branches of key that the next key does not pass through. keep: nibbles that both share. */
static rc_t close_to(builder_t *b, view_t key, size_t keep)
{
    while (b->top->depth > keep) {
        frame_t *f = b->top, *parent = f->below;
        size_t depth = parent && parent->depth > keep ? parent->depth : keep;
        put_branch(b, f, key, depth + 1);
        pop(b);
        if (!parent || parent->depth < depth) {
            rc_t rc = push(b, depth);
            if (rc)
                return rc;
        }
        mpt_refer(&b->top->child[nibble_at(key, depth)], wr_view(&b->w));
    }
    return RC_OK;
}

/* Closes all branches. */
static void close_all(builder_t *b, view_t key)
{
    while (b->top) {
        frame_t *f = b->top, *parent = f->below;
        put_branch(b, f, key, parent ? parent->depth + 1 : 0);
        pop(b);
        if (parent)
            mpt_refer(&parent->child[nibble_at(key, parent->depth)], wr_view(&b->w));
    }
}

static size_t shared_nibbles(view_t a, view_t b)
{
    size_t n = a.n < b.n ? a.n : b.n, i = 0;
    while (i < n && a.p[i] == b.p[i])
        i++;
    return 2 * i + (i < n && (a.p[i] ^ b.p[i]) < 16);
}

/* Visits the sorted keys; the root node is then in b->w. */
static rc_t build(builder_t *b, const mpt_pair_t *pairs, size_t count)
{
    const mpt_pair_t *last = &pairs[count - 1];
    for (; pairs < last; pairs++) {
        size_t shared = shared_nibbles(pairs[0].key, pairs[1].key);
        rc_t rc = RC_OK;
        if (!b->top || b->top->depth < shared)
            rc = push(b, shared);
        if (rc)
            return rc;
        add(b, pairs);
        rc = close_to(b, pairs->key, shared);
        if (rc)
            return rc;
    }
    add(b, last);
    close_all(b, last->key);
    return RC_OK;
}

static int by_key(const void *a, const void *b)
{
    view_t x = ((const mpt_pair_t *)a)->key, y = ((const mpt_pair_t *)b)->key;
    size_t n = x.n < y.n ? x.n : y.n;
    int order = n ? memcmp(x.p, y.p, n) : 0;
    return order ? order : (x.n > y.n) - (x.n < y.n);
}

/* Sorts, and refuses what no trie holds. *largest: bytes of the longest value. */
static rc_t prepare(mpt_pair_t *pairs, size_t count, size_t *largest)
{
    *largest = 0;
    for (size_t i = 0; i < count; i++) {
        if (pairs[i].key.n > MPT_KEY_MAX)
            return RC_LIMIT;
        if (pairs[i].value.n == 0)
            return RC_REFUSED;
        if (pairs[i].value.n > *largest)
            *largest = pairs[i].value.n;
    }
    qsort(pairs, count, sizeof *pairs, by_key);
    for (size_t i = 1; i < count; i++)
        if (view_eq(pairs[i - 1].key, pairs[i].key))
            return RC_REFUSED;
    return RC_OK;
}

rc_t mpt_root(hash32_t *out, mpt_pair_t *pairs, size_t count, arena_t *scratch)
{
    if (count == 0) {
        *out = EMPTY_TRIE_ROOT;
        return RC_OK;
    }
    size_t largest;
    rc_t rc = prepare(pairs, count, &largest);
    if (rc)
        return rc;
    arena_mark_t mark = arena_mark(scratch);
    size_t room = largest + MPT_KEY_MAX + MPT_NODE_OVERHEAD;
    builder_t b = { .arena = scratch, .w = wr_of(arena_alloc(scratch, room), room) };
    rc = b.w.p ? build(&b, pairs, count) : RC_NOMEM;
    if (!rc && b.w.bad)
        rc = RC_BUG;
    if (!rc)
        keccak256(out, wr_view(&b.w));
    arena_rollback(scratch, mark);
    return rc;
}

rc_t mpt_list_root(hash32_t *out, const view_t *values, size_t count, arena_t *scratch)
{
    enum { INDEX_RLP_MAX = 9 };
    arena_mark_t mark = arena_mark(scratch);
    mpt_pair_t *pairs = arena_calloc(scratch, count, sizeof *pairs);
    uint8_t *keys = arena_calloc(scratch, count, INDEX_RLP_MAX);
    rc_t rc = RC_NOMEM;
    if (pairs && keys) {
        for (size_t i = 0; i < count; i++) {
            wr_t w = wr_of(keys + i * INDEX_RLP_MAX, INDEX_RLP_MAX);
            rlp_put_u64(&w, i);
            pairs[i] = (mpt_pair_t){ wr_view(&w), values[i] };
        }
        rc = mpt_root(out, pairs, count, scratch);
    }
    arena_rollback(scratch, mark);
    return rc;
}
