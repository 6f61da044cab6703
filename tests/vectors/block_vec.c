#include "tests/vectors/block_vec.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto/hash.h"
#include "lightclient/rlp/rlp.h"
#include "tests/vectors/upstream.h"
#include "tests/vectors/world_vec.h"

#define TRANSACTION_OVERHEAD 1024u /* bytes of the encoded form beside what has the length of its hex form */

static void put_number(wr_t *w, const json_t *object, const char *key)
{
    u256_t x = vec_word(vec_str(object, key));
    rlp_put_u256(w, &x);
}

static void put_hex(wr_t *w, arena_t *a, const char *text)
{
    rlp_put_bytes(w, vec_hex(a, text));
}

/* A list of hex strings. */
static void put_strings(wr_t *w, arena_t *a, const json_t *list)
{
    size_t began = w->n;
    for (size_t i = 0; i < json_array_size(list); i++)
        put_hex(w, a, json_string_value(json_array_get(list, i)));
    rlp_wrap_list(w, began);
}

static void put_access(wr_t *w, arena_t *a, const json_t *list)
{
    size_t began = w->n;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);
        size_t entry_began = w->n;
        put_hex(w, a, vec_str(entry, "address"));
        put_strings(w, a, json_object_get(entry, "storageKeys"));
        rlp_wrap_list(w, entry_began);
    }
    rlp_wrap_list(w, began);
}

static void put_authorizations(wr_t *w, arena_t *a, const json_t *list)
{
    size_t began = w->n;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);
        size_t entry_began = w->n;
        put_number(w, entry, "chainId");
        put_hex(w, a, vec_str(entry, "address"));
        put_number(w, entry, "nonce");
        put_number(w, entry, "yParity");
        put_number(w, entry, "r");
        put_number(w, entry, "s");
        rlp_wrap_list(w, entry_began);
    }
    rlp_wrap_list(w, began);
}

static void put_transaction(wr_t *w, arena_t *a, const json_t *tx)
{
    uint64_t type = vec_u64(vec_str(tx, "type"));
    if (type)
        wr_u8(w, (uint8_t)type);
    size_t began = w->n;
    if (type)
        put_number(w, tx, "chainId");
    put_number(w, tx, "nonce");
    if (type >= 2)
        put_number(w, tx, "maxPriorityFeePerGas");
    put_number(w, tx, type >= 2 ? "maxFeePerGas" : "gasPrice");
    put_number(w, tx, "gas");
    put_hex(w, a, vec_str(tx, "to"));
    put_number(w, tx, "value");
    put_hex(w, a, vec_str(tx, "input"));
    if (type)
        put_access(w, a, json_object_get(tx, "accessList"));
    if (type == 3) {
        put_number(w, tx, "maxFeePerBlobGas");
        put_strings(w, a, json_object_get(tx, "blobVersionedHashes"));
    }
    if (type == 4)
        put_authorizations(w, a, json_object_get(tx, "authorizationList"));
    put_number(w, tx, "v");
    put_number(w, tx, "r");
    put_number(w, tx, "s");
    rlp_wrap_list(w, began);
}

static bool read_transaction(view_t *out, arena_t *a, const json_t *tx)
{
    hash32_t hash, want = vec_hash(vec_str(tx, "hash"));
    char *text = json_dumps(tx, JSON_COMPACT);
    size_t room = TRANSACTION_OVERHEAD + (text ? strlen(text) : 0);
    free(text);
    wr_t w = wr_of(arena_alloc(a, room), room);
    if (!w.p)
        return false;
    put_transaction(&w, a, tx);
    *out = wr_view(&w);
    keccak256(&hash, *out);
    return !w.bad && hash32_eq(&hash, &want);
}

static bool read_withdrawals(ex_full_block_t *b, arena_t *a, const json_t *list)
{
    ex_withdrawal_t *out = arena_calloc(a, json_array_size(list), sizeof *out);
    if (!out)
        return false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *w = json_array_get(list, i);
        out[i] = (ex_withdrawal_t){ vec_u64(vec_str(w, "index")), vec_u64(vec_str(w, "validatorIndex")),
                                    vec_addr(vec_str(w, "address")), vec_u64(vec_str(w, "amount")) };
    }
    b->has_withdrawals = list != NULL;
    b->withdrawals = out;
    b->withdrawal_count = json_array_size(list);
    return true;
}

const char *vec_block(ex_full_block_t *out, arena_t *a, json_t *block)
{
    const json_t *list = json_object_get(block, "transactions");
    ex_full_block_t b = { .hash = vec_hash(vec_str(block, "hash")), .transaction_count = json_array_size(list) };
    const char *bad = upstream_header(&b.header, block);
    if (bad)
        return bad;
    if (ex_header_check(&b.header, &b.hash))
        return "another hash";
    view_t *transactions = arena_calloc(a, b.transaction_count, sizeof *transactions);
    if (!transactions || !read_withdrawals(&b, a, json_object_get(block, "withdrawals")))
        return "no memory";
    for (size_t i = 0; i < b.transaction_count; i++)
        if (!read_transaction(&transactions[i], a, json_array_get(list, i)))
            return "a transaction has another hash";
    b.transactions = transactions;
    *out = b;
    return NULL;
}
