#include "lightclient/exec/changes.h"

#include <stdlib.h>

#include "base/crypto/hash.h"
#include "lightclient/rlp/rlp.h"

/* Places in the list of an account, of a slot, of a change. */
enum { ADDRESS, WRITES, READS, BALANCES, NONCES, CODES, ACCOUNT_FIELDS };
enum { KEY, CHANGES, SLOT_FIELDS };
enum { INDEX, VALUE, CHANGE_FIELDS };

/* The list on its way into its two arrays, which are as long as they can become. */
typedef struct {
    ex_account_change_t *accounts;
    ex_slot_change_t *slots;
    size_t account_count, slot_count;
} reading_t;

/* The last value of a list of changes, which is what holds after the block; their indices rise. False: no such list.
 * *count: how many there are. */
static bool last_change(rlp_item_t *out, size_t *count, const rlp_item_t *list)
{
    view_t rest = list->payload;
    uint64_t index, before = 0;
    for (*count = 0; rest.n; ++*count, before = index) {
        rlp_item_t change, f[CHANGE_FIELDS];
        size_t n;
        if (rlp_next(&change, &rest) || !change.is_list || rlp_split(f, &n, CHANGE_FIELDS, change.payload) ||
            n != CHANGE_FIELDS || rlp_u64(&index, &f[INDEX]) || (*count && index <= before))
            return false;
        *out = f[VALUE];
    }
    return list->is_list;
}

/* A slot key: 32 bytes of an integer that is written without leading zeros. */
static bool read_key(hash32_t *out, const rlp_item_t *item)
{
    u256_t key;
    if (rlp_u256(&key, item))
        return false;
    u256_to_be32(out->b, &key);
    return true;
}

static bool read_writes(reading_t *r, ex_account_change_t *account, const rlp_item_t *list)
{
    view_t rest = list->payload;
    account->slots = r->slot_count;
    while (rest.n) {
        ex_slot_change_t *slot = &r->slots[r->slot_count];
        rlp_item_t item, f[SLOT_FIELDS], value;
        size_t n, changes;
        if (rlp_next(&item, &rest) || !item.is_list || rlp_split(f, &n, SLOT_FIELDS, item.payload) ||
            n != SLOT_FIELDS || !read_key(&slot->key, &f[KEY]) || !last_change(&value, &changes, &f[CHANGES]) ||
            !changes || rlp_u256(&slot->value, &value))
            return false;
        if (r->slot_count > account->slots && memcmp(slot[-1].key.b, slot->key.b, sizeof slot->key.b) >= 0)
            return false;
        r->slot_count++;
    }
    account->slot_count = r->slot_count - account->slots;
    return list->is_list;
}

static bool read_values(ex_account_change_t *out, const rlp_item_t f[ACCOUNT_FIELDS])
{
    rlp_item_t value;
    size_t n;
    if (!last_change(&value, &n, &f[BALANCES]) || (n && rlp_u256(&out->balance, &value)))
        return false;
    out->has_balance = n > 0;
    if (!last_change(&value, &n, &f[NONCES]) || (n && rlp_u64(&out->nonce, &value)))
        return false;
    out->has_nonce = n > 0;
    if (!last_change(&value, &n, &f[CODES]) || (n && value.is_list))
        return false;
    out->has_code = n > 0;
    if (n)
        keccak256(&out->code_hash, value.payload);
    return true;
}

static bool read_account(reading_t *r, const rlp_item_t *item)
{
    ex_account_change_t *out = &r->accounts[r->account_count];
    rlp_item_t f[ACCOUNT_FIELDS];
    size_t n;
    *out = (ex_account_change_t){ .slots = 0 };
    if (!item->is_list || rlp_split(f, &n, ACCOUNT_FIELDS, item->payload) || n != ACCOUNT_FIELDS ||
        rlp_fixed(out->addr.b, sizeof out->addr.b, &f[ADDRESS]) || !f[READS].is_list ||
        !read_writes(r, out, &f[WRITES]) || !read_values(out, f))
        return false;
    if (r->account_count && memcmp(out[-1].addr.b, out->addr.b, sizeof out->addr.b) >= 0)
        return false;
    r->account_count++;
    return true;
}

/* How many accounts the list has, and at most how many written slots: each has at least five bytes. */
static bool make_room(reading_t *r, arena_t *a, const rlp_item_t *list)
{
    size_t accounts;
    if (rlp_count(&accounts, list))
        return false;
    r->accounts = arena_alloc(a, (accounts + 1) * sizeof *r->accounts);
    r->slots = arena_alloc(a, (list->payload.n / 5 + 1) * sizeof *r->slots);
    return true;
}

rc_t ex_changes_verify(ex_changes_t *out, err_t *e, arena_t *a, const hash32_t *expected, view_t rlp)
{
    reading_t r = { .account_count = 0 };
    rlp_item_t list, item;
    hash32_t hash;
    if (rlp.n > EX_CHANGES_RLP_MAX)
        return err_say(e, RC_LIMIT, "the block access list is too long");
    keccak256(&hash, rlp);
    if (!hash32_eq(&hash, expected))
        return err_say(e, RC_REFUSED, "the block access list has another hash");
    bool good = !rlp_decode(&list, rlp) && list.is_list && make_room(&r, a, &list);
    if (good && (!r.accounts || !r.slots))
        return err_say(e, RC_NOMEM, "out of memory");
    for (view_t rest = good ? list.payload : (view_t){ NULL, 0 }; good && rest.n;)
        good = !rlp_next(&item, &rest) && read_account(&r, &item);
    if (!good)
        return err_say(e, RC_UNSUPPORTED, "the block access list is of a form that this build does not know");
    *out = (ex_changes_t){ r.accounts, r.account_count, r.slots, r.slot_count };
    return RC_OK;
}

static int by_address(const void *addr, const void *account)
{
    return memcmp(addr, ((const ex_account_change_t *)account)->addr.b, sizeof(addr_t));
}

static int by_key(const void *key, const void *slot)
{
    return memcmp(key, ((const ex_slot_change_t *)slot)->key.b, sizeof(hash32_t));
}

const ex_account_change_t *ex_changes_account(const ex_changes_t *c, const addr_t *addr)
{
    return c->account_count ? bsearch(addr->b, c->accounts, c->account_count, sizeof *c->accounts, by_address) : NULL;
}

const ex_slot_change_t *ex_changes_slot(const ex_changes_t *c, const ex_account_change_t *account, const hash32_t *key)
{
    if (!account->slot_count)
        return NULL;
    return bsearch(key->b, c->slots + account->slots, account->slot_count, sizeof *c->slots, by_key);
}
