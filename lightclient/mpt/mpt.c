/* Proof walk. The roots are built in root.c. */
#include "lightclient/mpt/mpt.h"

#include "base/crypto/hash.h"
#include "lightclient/mpt/nibble.h"
#include "lightclient/rlp/rlp.h"

#define BRANCH_ITEMS 17u
#define SHORT_ITEMS 2u /* leaf and extension */

/* One decoded node; its views borrow the proof. */
typedef struct {
    enum { NODE_BRANCH, NODE_EXTENSION, NODE_LEAF } kind;
    rlp_item_t item[BRANCH_ITEMS];
    view_t path; /* extension, leaf: nibbles in hex-prefix form */
} node_t;

/* Where a walk stands. */
typedef struct {
    const view_t *nodes;
    const hash32_t *hashes; /* of nodes */
    size_t count;
    size_t used;
} walk_t;

static bool is_empty_string(const rlp_item_t *item)
{
    return !item->is_list && item->payload.n == 0;
}

/* A node is referred to by its hash, or stands inline when its encoding is shorter than a hash. */
static bool is_reference(const rlp_item_t *item)
{
    return item->is_list ? item->whole.n < sizeof(hash32_t) : item->payload.n == sizeof(hash32_t);
}

static bool branch_valid(const node_t *node)
{
    unsigned children = 0;
    for (unsigned i = 0; i < 16; i++) {
        if (is_empty_string(&node->item[i]))
            continue;
        if (!is_reference(&node->item[i]))
            return false;
        children++;
    }
    const rlp_item_t *value = &node->item[16];
    return !value->is_list && children + (value->payload.n > 0) >= 2; /* with less it would be another kind of node */
}

/* Reads the shape of a leaf or an extension. */
static bool short_valid(node_t *node)
{
    const rlp_item_t *first = &node->item[0], *second = &node->item[1];
    if (first->is_list || !hp_valid(first->payload))
        return false;
    node->path = first->payload;
    node->kind = hp_is_leaf(node->path) ? NODE_LEAF : NODE_EXTENSION;
    if (node->kind == NODE_LEAF)
        return !second->is_list && second->payload.n > 0;
    return hp_len(node->path) > 0 && is_reference(second);
}

static rc_t node_read(node_t *node, view_t list_payload)
{
    size_t items;
    if (rlp_split(node->item, &items, BRANCH_ITEMS, list_payload))
        return RC_MALFORMED;
    node->kind = NODE_BRANCH;
    if (items == BRANCH_ITEMS)
        return branch_valid(node) ? RC_OK : RC_MALFORMED;
    return items == SHORT_ITEMS && short_valid(node) ? RC_OK : RC_MALFORMED;
}

/* The node with this hash must be the next one of the proof. */
static rc_t take_by_hash(node_t *node, walk_t *w, const uint8_t *hash)
{
    rlp_item_t item;
    if (w->used == w->count || memcmp(w->hashes[w->used].b, hash, sizeof(hash32_t)))
        return RC_REFUSED;
    view_t bytes = w->nodes[w->used];
    bool root = w->used++ == 0;
    if (!root && bytes.n < sizeof(hash32_t)) /* should stand inline */
        return RC_MALFORMED;
    if (rlp_decode(&item, bytes) || !item.is_list)
        return RC_MALFORMED;
    return node_read(node, item.payload);
}

/* Steps from a node to the child that item refers to. An inline child may also be listed by itself. */
static rc_t take_child(node_t *node, walk_t *w, rlp_item_t item)
{
    if (!item.is_list)
        return take_by_hash(node, w, item.payload.p);
    if (w->used < w->count && view_eq(w->nodes[w->used], item.whole))
        w->used++;
    return node_read(node, item.payload);
}

/* Follows key from the root to where it ends or leaves the trie. */
static rc_t walk(view_t *value, walk_t *w, const hash32_t *root, view_t key)
{
    static const view_t absent = { NULL, 0 };
    size_t at = 0, end = 2 * key.n; /* nibbles */
    node_t node;
    rc_t rc = take_by_hash(&node, w, root->b);
    while (!rc) {
        rlp_item_t child;
        if (node.kind == NODE_LEAF) {
            bool same = hp_len(node.path) == end - at && hp_is_prefix(node.path, key, at);
            *value = same ? node.item[1].payload : absent;
            return RC_OK;
        }
        if (node.kind == NODE_BRANCH) {
            if (at == end) {
                *value = node.item[16].payload.n ? node.item[16].payload : absent;
                return RC_OK;
            }
            child = node.item[nibble_at(key, at++)];
            if (is_empty_string(&child)) {
                *value = absent;
                return RC_OK;
            }
            rc = take_child(&node, w, child);
            continue;
        }
        if (hp_len(node.path) > end - at || !hp_is_prefix(node.path, key, at)) {
            *value = absent;
            return RC_OK;
        }
        at += hp_len(node.path);
        child = node.item[1];
        rc = take_child(&node, w, child);
        if (!rc && node.kind != NODE_BRANCH) /* two paths in a row would be one */
            rc = RC_MALFORMED;
    }
    return rc;
}

/* Copies the nodes without the one empty element that is tolerated. */
static rc_t collect(view_t *out, size_t *count, const view_t *nodes, size_t given)
{
    size_t n = 0;
    if (given > MPT_PROOF_NODES_MAX + 1)
        return RC_LIMIT;
    for (size_t i = 0; i < given; i++) {
        if (nodes[i].n > MPT_NODE_LEN_MAX)
            return RC_LIMIT;
        bool empty = nodes[i].n == 0 || (nodes[i].n == 1 && nodes[i].p[0] == 0x80);
        if (!empty)
            out[n++] = nodes[i];
    }
    if (given - n > 1)
        return RC_REFUSED;
    *count = n;
    return n > MPT_PROOF_NODES_MAX ? RC_LIMIT : RC_OK;
}

rc_t mpt_verify(view_t *value, const hash32_t *root, view_t key, const view_t *nodes, size_t count)
{
    view_t present[MPT_PROOF_NODES_MAX + 1], found = { NULL, 0 };
    hash32_t hashes[MPT_PROOF_NODES_MAX + 1];
    walk_t w = { .nodes = present, .hashes = hashes };
    if (key.n > MPT_PROOF_KEY_MAX)
        return RC_LIMIT;
    rc_t rc = collect(present, &w.count, nodes, count);
    if (rc)
        return rc;
    if (w.count == 0) { /* the empty trie: its root is the hash of a node that holds nothing */
        if (!hash32_eq(root, &EMPTY_TRIE_ROOT))
            return RC_REFUSED;
    } else {
        keccak256_many(hashes, present, w.count);
        rc = walk(&found, &w, root, key);
        if (rc)
            return rc;
        if (w.used != w.count)
            return RC_REFUSED;
    }
    *value = found;
    return RC_OK;
}

rc_t mpt_verify_account(mpt_account_t *out, const hash32_t *state_root, const addr_t *addr, const view_t *nodes,
                        size_t count)
{
    mpt_account_t a = { .storage_root = EMPTY_TRIE_ROOT, .code_hash = KECCAK_EMPTY };
    hash32_t key;
    view_t value;
    rlp_item_t list, field[4];
    size_t fields;
    keccak256(&key, view_of(addr->b, sizeof addr->b));
    rc_t rc = mpt_verify(&value, state_root, view_of(key.b, sizeof key.b), nodes, count);
    if (rc)
        return rc;
    if (value.p) {
        if (rlp_decode(&list, value) || !list.is_list || rlp_split(field, &fields, 4, list.payload) || fields != 4)
            return RC_MALFORMED;
        if (rlp_u64(&a.nonce, &field[0]) || rlp_u256(&a.balance, &field[1]) ||
            rlp_fixed(a.storage_root.b, sizeof(hash32_t), &field[2]) ||
            rlp_fixed(a.code_hash.b, sizeof(hash32_t), &field[3]))
            return RC_MALFORMED;
        a.exists = true;
    }
    *out = a;
    return RC_OK;
}

rc_t mpt_verify_slot(u256_t *out, const hash32_t *storage_root, const hash32_t *slot, const view_t *nodes, size_t count)
{
    u256_t x = u256_of(0);
    hash32_t key;
    view_t value;
    rlp_item_t item;
    keccak256(&key, view_of(slot->b, sizeof slot->b));
    rc_t rc = mpt_verify(&value, storage_root, view_of(key.b, sizeof key.b), nodes, count);
    if (rc)
        return rc;
    if (value.p && (rlp_decode(&item, value) || rlp_u256(&x, &item)))
        return RC_MALFORMED;
    *out = x;
    return RC_OK;
}
