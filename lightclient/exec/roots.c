#include "lightclient/exec/roots.h"

#include "base/crypto/hash.h"
#include "lightclient/rlp/rlp.h"

#define ACCOUNT_RLP_MAX 128u
#define SLOT_RLP_MAX 33u
#define POLL_EVERY 4096u /* hashes */

rc_t ex_roots_init(ex_roots_t *r, arena_t *a, const uint64_t seed[2])
{
    *r = (ex_roots_t){ .gaps = NULL };
    return mpt_known_init(&r->known, a, seed);
}

void ex_roots_clear(ex_roots_t *r)
{
    r->gaps = NULL;
    r->gap_count = 0;
}

static rc_t learn_nodes(ex_roots_t *r, const ex_nodes_t *n)
{
    rc_t rc = RC_OK;
    for (size_t i = 0; !rc && i < n->count; i++)
        rc = mpt_known_add(&r->known, n->nodes[i]);
    return rc;
}

rc_t ex_roots_learn(ex_roots_t *r, const ex_proof_answer_t *proof)
{
    rc_t rc = learn_nodes(r, &proof->account_proof);
    for (size_t i = 0; !rc && i < proof->slot_count; i++)
        rc = learn_nodes(r, &proof->slots[i].proof);
    return rc;
}

/* ---- gaps ---- */

static rc_t add_gap(ex_roots_t *r, const addr_t *addr, const hash32_t *slot)
{
    ex_gap_t *gap = arena_calloc(r->known.arena, 1, sizeof *gap);
    if (!gap)
        return RC_NOMEM;
    gap->addr = *addr;
    gap->has_slot = slot != NULL;
    if (slot)
        gap->slot = *slot;
    gap->next = r->gaps;
    r->gaps = gap;
    return ++r->gap_count > EX_ROOTS_GAPS_MAX ? RC_LIMIT : RC_NEED_DATA;
}

static bool begins(const hash32_t *hash, const mpt_gap_t *gap)
{
    const size_t bytes = gap->nibbles / 2;
    return !memcmp(hash->b, gap->prefix.b, bytes) &&
           (gap->nibbles % 2 == 0 || (hash->b[bytes] ^ gap->prefix.b[bytes]) < 0x10);
}

/* A key of len bytes, at most 32, whose hash begins as the gap says: in the last len bytes of out. */
static rc_t find_key(ex_roots_t *r, hash32_t *out, err_t *e, const mpt_gap_t *gap, size_t len)
{
    hash32_t hash;
    memset(out, 0, sizeof *out);
    for (uint32_t i = 0; gap->nibbles <= EX_ROOTS_DEPTH_MAX && r->hashes < EX_ROOTS_HASHES_MAX; i++, r->hashes++) {
        if (i % POLL_EVERY == POLL_EVERY - 1 && r->expired && r->expired(r->expired_ctx))
            return RC_TIMEOUT;
        store_u64be(out->b + sizeof out->b - 8, i);
        keccak256(&hash, view_of(out->b + sizeof out->b - len, len));
        if (begins(&hash, gap))
            return RC_OK;
    }
    return err_say(e, RC_REFUSED,
                   gap->nibbles > EX_ROOTS_DEPTH_MAX
                       ? "the state root needs a node that no proof shows: something is removed beside it"
                       : "the state root needs nodes that no proof shows: more than keys are looked for");
}

/* What is missing on the way to a slot of an account, or beside it. */
static rc_t slot_gap(ex_roots_t *r, err_t *e, const addr_t *addr, const hash32_t *slot, const hash32_t *hash,
                     const mpt_gap_t *gap)
{
    hash32_t key = *slot;
    const rc_t rc = begins(hash, gap) ? RC_OK : find_key(r, &key, e, gap, sizeof key);
    return rc ? rc : add_gap(r, addr, &key);
}

static rc_t account_gap(ex_roots_t *r, err_t *e, const addr_t *addr, const hash32_t *hash, const mpt_gap_t *gap)
{
    hash32_t key;
    addr_t other = *addr;
    if (!begins(hash, gap)) {
        const rc_t rc = find_key(r, &key, e, gap, sizeof other);
        if (rc)
            return rc;
        memcpy(other.b, key.b + sizeof key - sizeof other, sizeof other);
    }
    return add_gap(r, &other, NULL);
}

/* ---- changes ---- */

static rc_t set_slot(ex_roots_t *r, hash32_t *root, err_t *e, const addr_t *addr, const evm_slot_t *slot)
{
    uint8_t buf[SLOT_RLP_MAX];
    wr_t w = wr_of(buf, sizeof buf);
    hash32_t key;
    mpt_gap_t gap;
    keccak256(&key, view_of(slot->key.b, sizeof slot->key.b));
    if (!u256_is_zero(&slot->value))
        rlp_put_u256(&w, &slot->value);
    const rc_t rc = mpt_known_set(root, &gap, &r->known, &key, wr_view(&w));
    return rc == RC_NEED_DATA ? slot_gap(r, e, addr, &slot->key, &key, &gap) : rc;
}

/* The storage root of an account as the trie has it; that of an absent one is of no storage. */
static rc_t read_storage_root(hash32_t *out, mpt_gap_t *gap, ex_roots_t *r, const hash32_t *state_root,
                              const hash32_t *key)
{
    view_t value;
    rlp_item_t list, items[4];
    size_t count;
    const rc_t rc = mpt_known_get(&value, gap, &r->known, state_root, key);
    *out = EMPTY_TRIE_ROOT;
    if (rc || !value.n)
        return rc;
    if (rlp_decode(&list, value) || !list.is_list || rlp_split(items, &count, 4, list.payload) || count != 4 ||
        items[2].payload.n != sizeof out->b)
        return RC_MALFORMED;
    memcpy(out->b, items[2].payload.p, sizeof out->b);
    return RC_OK;
}

static rc_t put_account(ex_roots_t *r, hash32_t *state_root, mpt_gap_t *gap, const hash32_t *key,
                        const evm_account_t *account, const hash32_t *storage_root)
{
    uint8_t buf[ACCOUNT_RLP_MAX];
    wr_t w = wr_of(buf, sizeof buf);
    rlp_put_u64(&w, account->nonce);
    rlp_put_u256(&w, &account->balance);
    rlp_put_bytes(&w, view_of(storage_root->b, sizeof storage_root->b));
    rlp_put_bytes(&w, view_of(account->code_hash.b, sizeof account->code_hash.b));
    rlp_wrap_list(&w, 0);
    return mpt_known_set(state_root, gap, &r->known, key, wr_view(&w));
}

static rc_t set_slots(ex_roots_t *r, hash32_t *root, err_t *e, const evm_change_t *c)
{
    rc_t rc = RC_OK;
    for (size_t i = 0; i < c->slot_count; i++) {
        const rc_t one = set_slot(r, root, e, &c->addr, &c->slots[i]);
        if (one && one != RC_NEED_DATA)
            return one;
        rc = one ? one : rc; /* the others may lack something too */
    }
    return rc;
}

static rc_t apply_one(ex_roots_t *r, hash32_t *state_root, err_t *e, const evm_change_t *c)
{
    hash32_t key, storage = EMPTY_TRIE_ROOT;
    mpt_gap_t gap;
    keccak256(&key, view_of(c->addr.b, sizeof c->addr.b));
    rc_t rc = c->deleted ? RC_OK : read_storage_root(&storage, &gap, r, state_root, &key);
    if (rc == RC_NEED_DATA)
        return account_gap(r, e, &c->addr, &key, &gap);
    if (c->storage_cleared)
        storage = EMPTY_TRIE_ROOT;
    if (!rc && !c->deleted)
        rc = set_slots(r, &storage, e, c);
    if (rc)
        return rc;
    rc = c->deleted ? mpt_known_set(state_root, &gap, &r->known, &key, view_of(NULL, 0))
                    : put_account(r, state_root, &gap, &key, &c->account, &storage);
    return rc == RC_NEED_DATA ? account_gap(r, e, &c->addr, &key, &gap) : rc;
}

rc_t ex_roots_apply(ex_roots_t *r, hash32_t *state_root, err_t *e, const evm_change_t *changes, size_t count)
{
    hash32_t root = *state_root;
    rc_t rc = RC_OK;
    for (size_t i = 0; i < count; i++) {
        const rc_t one = apply_one(r, &root, e, &changes[i]);
        if (one && one != RC_NEED_DATA)
            return one;
        rc = one ? one : rc;
    }
    if (!rc)
        *state_root = root;
    return rc;
}
