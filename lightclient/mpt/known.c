#include "lightclient/mpt/known.h"

#include "base/crypto/hash.h"
#include "lightclient/mpt/nibble.h"
#include "lightclient/mpt/node.h"
#include "lightclient/rlp/rlp.h"

#define NIBBLES 64u

/* A decoded node. Its path is nibbles from..to of key, whose first nibbles lead to it. */
typedef struct {
    enum { LEAF, EXTENSION, BRANCH } kind;
    hash32_t key;
    size_t from, to;     /* of a leaf to the end; of a branch both are its place */
    view_t value;        /* of a leaf */
    mpt_ref_t child[16]; /* of an extension only the first */
} node_t;

typedef struct {
    node_t at[NIBBLES + 1];
    size_t count;
} path_t;

/* One walk or change. */
typedef struct {
    mpt_known_t *k;
    mpt_gap_t gap;
    view_t key;
    path_t path; /* nodes passed, root first */
    node_t now;  /* what stands below them; */
    bool none;   /* nothing does */

    mpt_known_node_t **seen; /* room for the nodes that were loaded by their hashes; NULL: they are not noted */
    size_t seen_count;
} walk_t;

rc_t mpt_known_init(mpt_known_t *k, arena_t *a, const uint64_t seed[2])
{
    k->arena = a;
    return map_init(&k->nodes, a, seed, sizeof(hash32_t), sizeof(mpt_known_node_t));
}

static rc_t add(mpt_known_t *k, const hash32_t *hash, view_t node)
{
    bool is_new;
    mpt_known_node_t *at = map_put(&k->nodes, &is_new, hash->b, sizeof hash->b);
    if (!at || !is_new)
        return at ? RC_OK : RC_NOMEM;
    at->bytes = arena_dup(k->arena, node);
    if (at->bytes.p)
        return RC_OK;
    map_remove(&k->nodes, at);
    return RC_NOMEM;
}

rc_t mpt_known_add(mpt_known_t *k, view_t node)
{
    hash32_t hash;
    keccak256(&hash, node);
    return add(k, &hash, node);
}

/* ---- nodes as they are read ---- */

static void set_nibble(hash32_t *key, size_t i, unsigned nibble)
{
    uint8_t *b = &key->b[i / 2];
    *b = (uint8_t)(i % 2 ? (*b & 0xf0u) | nibble : (*b & 15u) | nibble << 4);
}

static bool read_ref(mpt_ref_t *out, const rlp_item_t *item)
{
    out->n = 0;
    if (!item->is_list && item->payload.n != 0 && item->payload.n != sizeof(hash32_t))
        return false;
    if (item->whole.n > sizeof out->b)
        return false;
    if (item->is_list || item->payload.n) {
        out->n = (uint8_t)item->whole.n;
        memcpy(out->b, item->whole.p, item->whole.n);
    }
    return true;
}

static bool read_branch(node_t *n, const rlp_item_t *items, size_t at)
{
    n->kind = BRANCH;
    n->from = n->to = at;
    for (unsigned i = 0; i < 16; i++)
        if (!read_ref(&n->child[i], &items[i]))
            return false;
    return !items[16].is_list && !items[16].payload.n && at < NIBBLES;
}

static bool read_short(node_t *n, const rlp_item_t *items, size_t at)
{
    const view_t hp = items[0].payload;
    if (items[0].is_list || !hp_valid(hp) || hp_len(hp) > NIBBLES - at)
        return false;
    const size_t len = hp_len(hp), skip = 2 * hp.n - len;
    n->kind = hp_is_leaf(hp) ? LEAF : EXTENSION;
    n->from = at;
    n->to = at + len;
    for (size_t i = 0; i < len; i++)
        set_nibble(&n->key, at + i, nibble_at(hp, skip + i));
    n->value = items[1].payload;
    if (n->kind == LEAF)
        return n->to == NIBBLES && !items[1].is_list && n->value.n;
    return len && n->to < NIBBLES && read_ref(&n->child[0], &items[1]) && n->child[0].n;
}

/* The node that ref names, to which the first `at` nibbles of key lead. */
static rc_t load(walk_t *w, node_t *out, const mpt_ref_t *ref, const hash32_t *key, size_t at)
{
    rlp_item_t list, items[17];
    size_t count;
    const bool hashed = ref->n == sizeof ref->b;
    mpt_known_node_t *found = hashed ? map_get(&w->k->nodes, ref->b + 1, sizeof(hash32_t)) : NULL;
    if (hashed && !found) {
        w->gap = (mpt_gap_t){ *key, (unsigned)at };
        return RC_NEED_DATA;
    }
    if (found && w->seen && w->seen_count == MPT_PROOF_NODES_MAX)
        return RC_MALFORMED;
    if (found && w->seen)
        w->seen[w->seen_count++] = found;
    const view_t bytes = hashed ? found->bytes : arena_dup(w->k->arena, view_of(ref->b, ref->n));
    if (!bytes.p)
        return RC_NOMEM;
    out->key = *key;
    if (rlp_decode(&list, bytes) || !list.is_list || rlp_split(items, &count, 17, list.payload))
        return RC_MALFORMED;
    if (count == 17 ? !read_branch(out, items, at) : count != 2 || !read_short(out, items, at))
        return RC_MALFORMED;
    return RC_OK;
}

static mpt_ref_t ref_of(const hash32_t *hash)
{
    mpt_ref_t ref = { .n = sizeof ref.b };
    ref.b[0] = 0x80 + sizeof *hash;
    memcpy(ref.b + 1, hash->b, sizeof *hash);
    return ref;
}

/* How many nibbles key shares with the node's path. */
static size_t shared_with(const node_t *n, view_t key)
{
    const view_t own = view_of(n->key.b, sizeof n->key.b);
    size_t i = n->from;
    while (i < n->to && nibble_at(own, i) == nibble_at(key, i))
        i++;
    return i - n->from;
}

/* Goes down along the key until it ends or leaves the trie. */
static rc_t descend(walk_t *w, const hash32_t *root, const hash32_t *key)
{
    mpt_ref_t ref = ref_of(root);
    size_t at = 0;
    w->key = view_of(key->b, sizeof key->b);
    w->path.count = 0;
    w->none = hash32_eq(root, &EMPTY_TRIE_ROOT);
    while (!w->none) {
        node_t *n = &w->now;
        const rc_t rc = load(w, n, &ref, key, at);
        if (rc || n->kind == LEAF || shared_with(n, w->key) < n->to - n->from)
            return rc;
        at = n->to;
        ref = n->child[n->kind == BRANCH ? nibble_at(w->key, at++) : 0];
        w->path.at[w->path.count++] = *n;
        w->none = !ref.n;
    }
    return RC_OK;
}

static bool is_found(const walk_t *w)
{
    return !w->none && w->now.kind == LEAF && shared_with(&w->now, w->key) == w->now.to - w->now.from;
}

rc_t mpt_known_get(view_t *value, mpt_gap_t *gap, mpt_known_t *k, const hash32_t *root, const hash32_t *key)
{
    walk_t w = { .k = k };
    const rc_t rc = descend(&w, root, key);
    if (rc == RC_NEED_DATA)
        *gap = w.gap;
    else if (!rc)
        *value = is_found(&w) ? w.now.value : view_of(NULL, 0);
    return rc;
}

rc_t mpt_known_prove(mpt_known_node_t **out, size_t *count, mpt_gap_t *gap, mpt_known_t *k, const hash32_t *root,
                     const hash32_t *key)
{
    walk_t w = { .k = k, .seen = out };
    const rc_t rc = descend(&w, root, key);
    if (rc == RC_NEED_DATA)
        *gap = w.gap;
    else if (!rc)
        *count = w.seen_count;
    return rc;
}

/* ---- nodes as they are written ---- */

/* Writes a node and keeps it under its hash. hash may be NULL. */
static rc_t refer(walk_t *w, mpt_ref_t *ref, hash32_t *hash, const node_t *n)
{
    const view_t key = view_of(n->key.b, sizeof n->key.b);
    const size_t room = MPT_NODE_OVERHEAD + n->value.n;
    const arena_mark_t mark = arena_mark(w->k->arena);
    wr_t out = wr_of(arena_alloc(w->k->arena, room), room);
    if (!out.p)
        return RC_NOMEM;
    if (n->kind == LEAF)
        mpt_put_leaf(&out, key, n->from, n->value);
    else if (n->kind == EXTENSION)
        mpt_put_extension(&out, key, n->from, n->to, &n->child[0]);
    else
        mpt_put_branch(&out, n->child, view_of(NULL, 0));
    if (out.bad)
        return RC_BUG;
    mpt_refer(ref, wr_view(&out));
    if (hash)
        keccak256(hash, wr_view(&out));
    else if (ref->n < sizeof ref->b) { /* stands inside its parent */
        arena_rollback(w->k->arena, mark);
        return RC_OK;
    }
    hash32_t own;
    memcpy(own.b, hash ? hash->b : ref->b + 1, sizeof own.b);
    return add(w->k, &own, wr_view(&out));
}

/* The key leaves the path of a leaf or an extension: a branch stands there. */
static rc_t split(walk_t *w, node_t *leaf)
{
    mpt_ref_t ref;
    node_t old = w->now, *now = &w->now;
    const size_t from = old.from, at = from + shared_with(&old, w->key);
    const view_t own = view_of(old.key.b, sizeof old.key.b);
    *now = (node_t){ .kind = BRANCH, .key = leaf->key, .from = at, .to = at };
    rc_t rc = RC_OK;
    mpt_ref_t *below = &now->child[nibble_at(own, at)];
    if (old.kind == EXTENSION && at + 1 == old.to)
        *below = old.child[0];
    else {
        old.from = at + 1;
        rc = refer(w, below, NULL, &old);
    }
    leaf->from = at + 1;
    if (!rc)
        rc = refer(w, &now->child[nibble_at(w->key, at)], NULL, leaf);
    if (rc || at == from)
        return rc;
    rc = refer(w, &ref, NULL, now);
    *now = (node_t){ .kind = EXTENSION, .key = leaf->key, .from = from, .to = at, .child = { ref } };
    return rc;
}

static size_t only_child(const node_t *branch, size_t *count)
{
    size_t last = 0;
    *count = 0;
    for (size_t i = 0; i < 16; i++)
        if (branch->child[i].n) {
            last = i;
            ++*count;
        }
    return last;
}

/* A branch whose child at the key is gone, in place of it. */
static rc_t shrink(walk_t *w, node_t *branch)
{
    size_t count;
    const size_t at = branch->to;
    hash32_t key = branch->key;
    branch->child[nibble_at(w->key, at)].n = 0;
    const size_t last = only_child(branch, &count);
    w->none = false;
    if (count != 1) {
        w->now = *branch;
        return count ? RC_OK : RC_MALFORMED;
    }
    set_nibble(&key, at, (unsigned)last);
    const rc_t rc = load(w, &w->now, &branch->child[last], &key, at + 1);
    if (w->now.kind == BRANCH)
        w->now = (node_t){ .kind = EXTENSION, .key = key, .to = at + 1, .child = { branch->child[last] } };
    w->now.from = at;
    return rc;
}

/* Puts what stands below the path into it, and takes the new root. */
static rc_t climb(walk_t *w, hash32_t *root)
{
    mpt_ref_t ref;
    rc_t rc = RC_OK;
    while (!rc && w->path.count) {
        node_t *n = &w->path.at[--w->path.count];
        if (w->none)
            rc = shrink(w, n);
        else if (n->kind == EXTENSION && w->now.kind != BRANCH)
            w->now.from = n->from;
        else {
            rc = refer(w, &n->child[n->kind == BRANCH ? nibble_at(w->key, n->to) : 0], NULL, &w->now);
            w->now = *n;
        }
    }
    if (!rc && w->none)
        *root = EMPTY_TRIE_ROOT;
    else if (!rc)
        rc = refer(w, &ref, root, &w->now);
    return rc;
}

rc_t mpt_known_set(hash32_t *root, mpt_gap_t *gap, mpt_known_t *k, const hash32_t *key, view_t value)
{
    walk_t w = { .k = k };
    node_t leaf = { .kind = LEAF, .key = *key, .to = NIBBLES, .value = value };
    hash32_t out;
    rc_t rc = descend(&w, root, key);
    const bool found = !rc && is_found(&w);
    if (!rc && !value.n && !found)
        return RC_OK;
    if (!rc && !value.n)
        w.none = true;
    else if (!rc && !w.none && !found)
        rc = split(&w, &leaf);
    else if (!rc) {
        const node_t *above = w.path.count ? &w.path.at[w.path.count - 1] : NULL;
        leaf.from = !above ? 0 : above->to + (above->kind == BRANCH);
        w.now = leaf;
        w.none = false;
    }
    if (!rc)
        rc = climb(&w, &out);
    if (rc == RC_NEED_DATA)
        *gap = w.gap;
    if (!rc)
        *root = out;
    return rc;
}
