/* Roots of whole tries. The sorted keys are visited once; the branches on the path to the present key stand on a stack,
 * so depth costs arena memory and no recursion. */
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "lightclient/mpt/mpt.h"
#include "lightclient/mpt/nibble.h"
#include "lightclient/rlp/rlp.h"

/* How a parent names a child: a hash as an RLP string, or the child's own short encoding. */
typedef struct {
    uint8_t n; /* bytes used; 0: no child */
    uint8_t b[33];
} ref_t;

/* A branch that may still get children. */
typedef struct frame frame_t;
struct frame {
    frame_t *below; /* nearer to the root; for a free frame, the next free one */
    size_t depth;   /* nibbles that all keys below this branch share */
    view_t value;   /* of the key that ends here */
    ref_t child[16];
};

typedef struct {
    frame_t *top;
    frame_t *free;
    arena_t *arena;
    wr_t w; /* room for the largest node */
} builder_t;

#define NODE_OVERHEAD 640u /* bytes of a branch without its value, or of a leaf without path and value, at most */

/* Turns the node that was written to b->w into a reference. */
static void refer(ref_t *out, builder_t *b)
{
    view_t node = wr_view(&b->w);
    if (node.n < sizeof(hash32_t)) {
        out->n = (uint8_t)node.n;
        memcpy(out->b, node.p, node.n);
        return;
    }
    hash32_t h;
    keccak256(&h, node);
    out->n = sizeof out->b;
    out->b[0] = 0x80 + sizeof h;
    memcpy(out->b + 1, h.b, sizeof h);
}

/* Starts a leaf or an extension: its path is nibbles from..to of key. */
static void put_path(builder_t *b, view_t key, size_t from, size_t to, bool leaf)
{
    uint8_t hp[MPT_KEY_MAX + 1];
    wr_t w = wr_of(hp, sizeof hp);
    hp_put(&w, key, from, to, leaf);
    b->w.n = 0;
    rlp_put_bytes(&b->w, wr_view(&w));
}

static void put_leaf(builder_t *b, view_t key, size_t from, view_t value)
{
    put_path(b, key, from, 2 * key.n, true);
    rlp_put_bytes(&b->w, value);
    rlp_wrap_list(&b->w, 0);
}

/* Writes a branch, under an extension when its keys share nibbles from..depth. */
static void put_branch(builder_t *b, const frame_t *f, view_t key, size_t from)
{
    b->w.n = 0;
    for (unsigned i = 0; i < 16; i++) {
        if (f->child[i].n)
            wr_bytes(&b->w, f->child[i].b, f->child[i].n);
        else
            wr_u8(&b->w, 0x80);
    }
    rlp_put_bytes(&b->w, f->value);
    rlp_wrap_list(&b->w, 0);
    if (from == f->depth)
        return;
    ref_t branch;
    refer(&branch, b);
    put_path(b, key, from, f->depth, false);
    wr_bytes(&b->w, branch.b, branch.n);
    rlp_wrap_list(&b->w, 0);
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
        put_leaf(b, pair->key, 0, pair->value);
    } else if (f->depth == 2 * pair->key.n) {
        f->value = pair->value;
    } else {
        put_leaf(b, pair->key, f->depth + 1, pair->value);
        refer(&f->child[nibble_at(pair->key, f->depth)], b);
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
        refer(&b->top->child[nibble_at(key, depth)], b);
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
            refer(&parent->child[nibble_at(key, parent->depth)], b);
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
    size_t room = largest + MPT_KEY_MAX + NODE_OVERHEAD;
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
