/* One kind of node for leaf, branch, and branch under an extension: what tells them apart is only how they are
 * written. */
#include "lightclient/mpt/trie.h"

#include "base/crypto/hash.h"
#include "lightclient/mpt/nibble.h"
#include "lightclient/mpt/node.h"

#define LEVELS_MAX (2u * MPT_KEY_MAX + 1u) /* nodes on the path to one key */

struct mpt_node {
    view_t key;   /* any key below: its first nibbles are those of all others */
    size_t depth; /* how many nibbles all keys below share; the length of a leaf's key */
    view_t value; /* of the key that ends here; empty: none does */
    const void *extra;
    mpt_ref_t ref;  /* how the parent names it, once it was hashed */
    unsigned count; /* children; 0: a leaf, which has no array for them */
    mpt_node_t *child[];
};

/* The nodes passed on the way to a key, root first. */
typedef struct {
    mpt_node_t *node[LEVELS_MAX];
    size_t count;
} path_t;

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many nibbles, at most max, key and other share; the first from are known to be equal. */
static size_t shared_nibbles(view_t key, view_t other, size_t from, size_t max)
{
    max = min_size(max, 2 * key.n);
    while (from < max && nibble_at(key, from) == nibble_at(other, from))
        from++;
    return from;
}

static mpt_node_t *node_new(const mpt_trie_t *t, bool branch)
{
    return arena_calloc(t->arena, 1, sizeof(mpt_node_t) + (branch ? 16 * sizeof(mpt_node_t *) : 0));
}

/* A copy that is not hashed yet. branch: with room for children. */
static mpt_node_t *node_copy(const mpt_trie_t *t, const mpt_node_t *n, bool branch)
{
    mpt_node_t *copy = node_new(t, branch);
    if (!copy)
        return NULL;
    copy->key = n->key;
    copy->depth = n->depth;
    copy->value = n->value;
    copy->extra = n->extra;
    if (branch && n->count) {
        memcpy(copy->child, n->child, 16 * sizeof n->child[0]);
        copy->count = n->count;
    }
    return copy;
}

static mpt_node_t *child_at(const mpt_node_t *n, unsigned nibble)
{
    return n->count ? n->child[nibble] : NULL;
}

static mpt_node_t *only_child(const mpt_node_t *n)
{
    for (unsigned i = 0; i < 16; i++)
        if (n->child[i])
            return n->child[i];
    return NULL;
}

/* Puts copies of the passed nodes above node, with it in the place of what was there. */
static rc_t rebuild(mpt_trie_t *t, const path_t *path, view_t key, mpt_node_t *node)
{
    for (size_t i = path->count; i-- > 0;) {
        mpt_node_t *copy = node_copy(t, path->node[i], true);
        if (!copy)
            return RC_NOMEM;
        mpt_node_t **at = &copy->child[nibble_at(key, copy->depth)];
        copy->count += *at == NULL;
        *at = node;
        node = copy;
    }
    t->root = node;
    return RC_OK;
}

/* Follows key as far as whole nodes of the trie go. What is returned (NULL: nothing is there) is where key ends, or
 * where it leaves the trie; *shared: how many nibbles key has in common with it. */
static mpt_node_t *descend(path_t *path, size_t *shared, const mpt_trie_t *t, view_t key)
{
    mpt_node_t *n = t->root;
    path->count = 0;
    *shared = 0;
    while (n) {
        *shared = shared_nibbles(key, n->key, *shared, n->depth);
        if (*shared < n->depth || 2 * key.n == n->depth)
            break;
        path->node[path->count++] = n;
        n = child_at(n, nibble_at(key, n->depth));
    }
    return n;
}

/* A new branch where key leaves the path of n, or ends on it. */
static mpt_node_t *split(const mpt_trie_t *t, const mpt_node_t *n, size_t shared, mpt_node_t *leaf)
{
    mpt_node_t *branch = node_new(t, true), *below = node_copy(t, n, n->count > 0);
    if (!branch || !below)
        return NULL;
    branch->key = leaf->key;
    branch->depth = shared;
    branch->child[nibble_at(n->key, shared)] = below;
    branch->count = 1;
    if (2 * leaf->key.n == shared) {
        branch->value = leaf->value;
        branch->extra = leaf->extra;
    } else {
        branch->child[nibble_at(leaf->key, shared)] = leaf;
        branch->count++;
    }
    return branch;
}

rc_t mpt_trie_put(mpt_trie_t *t, view_t key, view_t value, const void *extra)
{
    path_t path;
    size_t shared;
    if (key.n > MPT_KEY_MAX)
        return RC_LIMIT;
    if (value.n == 0)
        return RC_REFUSED;
    mpt_node_t *n = descend(&path, &shared, t, key);
    bool here = n && shared == n->depth;
    mpt_node_t *made = here ? node_copy(t, n, n->count > 0) : node_new(t, false);
    if (!made)
        return RC_NOMEM;
    made->value = arena_dup(t->arena, value);
    made->extra = extra;
    if (!here) {
        made->key = arena_dup(t->arena, key);
        made->depth = 2 * key.n;
        if (key.n && !made->key.p)
            return RC_NOMEM;
    }
    if (!made->value.p)
        return RC_NOMEM;
    if (n && !here)
        made = split(t, n, shared, made);
    rc_t rc = made ? rebuild(t, &path, key, made) : RC_NOMEM;
    if (!rc && value.n > t->largest)
        t->largest = value.n;
    return rc;
}

/* The key that ends at n: that of a branch is only known to begin with it. */
static view_t own_key(const mpt_node_t *n)
{
    return view_of(n->key.p, n->depth / 2);
}

/* The parent of a removed leaf without it: a leaf when only its value is left, its child when only one is. */
static mpt_node_t *without(const mpt_trie_t *t, const mpt_node_t *parent, unsigned nibble)
{
    bool leaf = parent->count == 1;
    mpt_node_t *copy = node_copy(t, parent, !leaf);
    if (copy && leaf)
        copy->key = own_key(parent);
    if (!copy || leaf)
        return copy;
    copy->child[nibble] = NULL;
    copy->count--;
    if (copy->count > 1 || copy->value.n)
        return copy;
    const mpt_node_t *child = only_child(copy);
    return node_copy(t, child, child->count > 0);
}

rc_t mpt_trie_remove(mpt_trie_t *t, view_t key)
{
    path_t path;
    size_t shared;
    mpt_node_t *n = descend(&path, &shared, t, key), *left = NULL;
    if (!n || shared != n->depth || n->value.n == 0)
        return RC_OK;
    if (n->count == 1) {
        const mpt_node_t *child = only_child(n);
        left = node_copy(t, child, child->count > 0);
    } else if (n->count) {
        left = node_copy(t, n, true);
        if (left)
            left->value = view_of(left->extra = NULL, 0);
    } else if (path.count) {
        const mpt_node_t *parent = path.node[--path.count];
        left = without(t, parent, nibble_at(key, parent->depth));
    } else {
        t->root = NULL;
        return RC_OK;
    }
    return left ? rebuild(t, &path, key, left) : RC_NOMEM;
}

view_t mpt_trie_get(const mpt_trie_t *t, const void **extra, view_t key)
{
    path_t path;
    size_t shared;
    const mpt_node_t *n = descend(&path, &shared, t, key);
    bool found = n && shared == n->depth && n->value.n;
    if (extra)
        *extra = found ? n->extra : NULL;
    return found ? n->value : view_of(NULL, 0);
}

/* --- neighbours --- */

static view_t first_key(const mpt_node_t *n)
{
    while (n->value.n == 0)
        n = only_child(n); /* the first of several */
    return own_key(n);
}

static view_t last_key(const mpt_node_t *n)
{
    while (n->count)
        for (unsigned i = 16; i-- > 0;)
            if (n->child[i]) {
                n = n->child[i];
                break;
            }
    return n->key;
}

/* The subtree after (or before) the one at nibble; NULL: none. */
static const mpt_node_t *sibling(const mpt_node_t *n, unsigned nibble, bool after)
{
    for (unsigned i = 1; n->count && i < 16; i++) {
        unsigned at = after ? nibble + i : nibble - i; /* below 0 it wraps, and is past 15, too */
        if (at > 15)
            return NULL;
        if (n->child[at])
            return n->child[at];
    }
    return NULL;
}

/* True when all keys below n, which key shares only shared nibbles with, are greater than key. */
static bool is_above(const mpt_node_t *n, view_t key, size_t shared)
{
    return 2 * key.n == shared || nibble_at(n->key, shared) > nibble_at(key, shared);
}

view_t mpt_trie_next(const mpt_trie_t *t, view_t key)
{
    path_t path;
    size_t shared;
    const mpt_node_t *n = descend(&path, &shared, t, key), *next = NULL;
    if (n && shared < n->depth && is_above(n, key, shared))
        return first_key(n);
    if (n && shared == n->depth && n->count)
        return first_key(only_child(n));
    for (size_t i = path.count; i-- > 0 && !next;)
        next = sibling(path.node[i], nibble_at(key, path.node[i]->depth), true);
    return next ? first_key(next) : view_of(NULL, 0);
}

view_t mpt_trie_previous(const mpt_trie_t *t, view_t key)
{
    path_t path;
    size_t shared;
    const mpt_node_t *n = descend(&path, &shared, t, key);
    if (n && shared < n->depth && !is_above(n, key, shared))
        return last_key(n);
    for (size_t i = path.count; i-- > 0;) {
        const mpt_node_t *before = sibling(path.node[i], nibble_at(key, path.node[i]->depth), false);
        if (before)
            return last_key(before);
        if (path.node[i]->value.n)
            return own_key(path.node[i]);
    }
    return view_of(NULL, 0);
}

/* --- hashing --- */

static void put_branch(wr_t *w, const mpt_node_t *n)
{
    mpt_ref_t refs[16];
    for (unsigned i = 0; i < 16; i++)
        if (n->child[i])
            refs[i] = n->child[i]->ref;
        else
            refs[i].n = 0;
    mpt_put_branch(w, refs, n->value);
}

/* Writes n, whose path begins at nibble from, as its parent refers to it. Its children are hashed. */
static void put_node(wr_t *w, const mpt_node_t *n, size_t from)
{
    mpt_ref_t branch;
    if (n->count == 0) {
        mpt_put_leaf(w, n->key, from, n->value);
        return;
    }
    put_branch(w, n);
    if (from == n->depth)
        return;
    mpt_refer(&branch, wr_view(w));
    mpt_put_extension(w, n->key, from, n->depth, &branch);
}

static mpt_node_t *unhashed_child(const mpt_node_t *n)
{
    for (unsigned i = 0; n->count && i < 16; i++)
        if (n->child[i] && n->child[i]->ref.n == 0)
            return n->child[i];
    return NULL;
}

static wr_t writer(const mpt_trie_t *t)
{
    size_t room = t->largest + MPT_KEY_MAX + MPT_NODE_OVERHEAD;
    return wr_of(arena_alloc(t->arena, room), room);
}

/* Hashes what is not hashed, children first. The root node is then in w. */
static rc_t hash_all(const mpt_trie_t *t, wr_t *w)
{
    path_t path = { .node = { t->root }, .count = 1 };
    while (path.count) {
        mpt_node_t *n = path.node[path.count - 1], *child = unhashed_child(n);
        if (child) {
            path.node[path.count++] = child;
            continue;
        }
        path.count--;
        put_node(w, n, path.count ? path.node[path.count - 1]->depth + 1 : 0);
        if (w->bad)
            return RC_BUG;
        mpt_refer(&n->ref, wr_view(w));
    }
    return RC_OK;
}

rc_t mpt_trie_root(hash32_t *out, const mpt_trie_t *t)
{
    if (!t->root) {
        *out = EMPTY_TRIE_ROOT;
        return RC_OK;
    }
    arena_mark_t mark = arena_mark(t->arena);
    wr_t w = writer(t);
    rc_t rc = w.p ? hash_all(t, &w) : RC_NOMEM;
    if (!rc)
        keccak256(out, wr_view(&w));
    arena_rollback(t->arena, mark);
    return rc;
}

/* --- proofs --- */

typedef struct {
    view_t *nodes;
    size_t count;
    arena_t *arena;
    wr_t w;
} proof_t;

/* Adds the node in p->w, unless it stands inside its parent. */
static bool add_node(proof_t *p)
{
    if (p->count && p->w.n < sizeof(hash32_t))
        return true;
    p->nodes[p->count] = arena_dup(p->arena, wr_view(&p->w));
    return p->nodes[p->count++].p != NULL;
}

rc_t mpt_trie_prove(view_t *nodes, size_t *count, const mpt_trie_t *t, view_t key)
{
    hash32_t root;
    proof_t p = { .nodes = nodes, .arena = t->arena };
    rc_t rc = mpt_trie_root(&root, t); /* hashes everything */
    if (!rc && t->root && !(p.w = writer(t)).p)
        rc = RC_NOMEM;
    if (rc)
        return rc;
    size_t from = 0;
    for (const mpt_node_t *n = t->root; n; n = child_at(n, nibble_at(key, from - 1))) {
        put_node(&p.w, n, from);
        if (!add_node(&p))
            return RC_NOMEM;
        if (n->count == 0 || shared_nibbles(key, n->key, from, n->depth) < n->depth)
            break;
        if (from < n->depth) {
            put_branch(&p.w, n);
            if (!add_node(&p))
                return RC_NOMEM;
        }
        from = n->depth + 1;
        if (2 * key.n == n->depth)
            break;
    }
    *count = p.count;
    return RC_OK;
}
