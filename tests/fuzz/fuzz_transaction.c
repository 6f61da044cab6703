/* Transactions: what decodes, encoded anew from its fields, gives the signed part of the input, byte for byte; no
 * beginning of it decodes; and decoding again gives the same hash and sender. */
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "lightclient/exec/transaction.h"
#include "lightclient/rlp/rlp.h"
#include "tests/fuzz/fuzz.h"

#define INPUT_MAX 4096u
#define PREFIXES_MAX 512u /* beginnings that are tried, so that long inputs stay cheap */
#define CHAIN_ID 1u

static void require(bool ok)
{
    if (!ok)
        abort();
}

static void put_access(wr_t *w, const evm_tx_t *tx)
{
    size_t began = w->n;
    for (size_t i = 0; i < tx->access_count; i++) {
        size_t entry = w->n;
        rlp_put_bytes(w, view_of(tx->access[i].addr.b, sizeof(addr_t)));
        size_t keys = w->n;
        for (size_t k = 0; k < tx->access[i].key_count; k++)
            rlp_put_bytes(w, view_of(tx->access[i].keys[k].b, sizeof(hash32_t)));
        rlp_wrap_list(w, keys);
        rlp_wrap_list(w, entry);
    }
    rlp_wrap_list(w, began);
}

/* The fields before the signature, without those that tx does not hold whole (authorizations). */
static void put_fields(wr_t *w, const evm_tx_t *tx)
{
    if (tx->type)
        rlp_put_u64(w, CHAIN_ID);
    rlp_put_u64(w, tx->nonce);
    if (tx->type >= 2)
        rlp_put_u256(w, &tx->max_priority_fee);
    rlp_put_u256(w, tx->type >= 2 ? &tx->max_fee : &tx->gas_price);
    rlp_put_u64(w, tx->gas);
    rlp_put_bytes(w, view_of(tx->to.b, tx->create ? 0 : sizeof(addr_t)));
    rlp_put_u256(w, &tx->value);
    rlp_put_bytes(w, tx->data);
    if (tx->type)
        put_access(w, tx);
    if (tx->type == 3) {
        rlp_put_u256(w, &tx->max_blob_fee);
        size_t began = w->n;
        for (size_t i = 0; i < tx->blob_count; i++)
            rlp_put_bytes(w, view_of(tx->blob_hashes[i].b, sizeof(hash32_t)));
        rlp_wrap_list(w, began);
    }
}

static void check(arena_t *a, const ex_transaction_t *tx, view_t raw)
{
    static const size_t signature_fields = 3;
    uint8_t buf[INPUT_MAX];
    wr_t w = wr_of(buf, sizeof buf);
    rlp_item_t list;
    hash32_t hash;
    ex_transaction_t again;
    view_t body = tx->tx.type ? view_of(raw.p + 1, raw.n - 1) : raw;
    require(tx->tx.type == 0 || raw.p[0] == tx->tx.type);
    require(rlp_decode(&list, body) == RC_OK && list.is_list);
    put_fields(&w, &tx->tx);
    require(!w.bad && w.n < list.payload.n && !memcmp(buf, list.payload.p, w.n));
    size_t left = 0;
    for (view_t rest = view_of(list.payload.p + w.n, list.payload.n - w.n); rest.n; left++) {
        rlp_item_t item;
        require(rlp_next(&item, &rest) == RC_OK);
    }
    require(left == signature_fields + (tx->tx.type == 4));
    keccak256(&hash, raw);
    require(hash32_eq(&hash, &tx->hash));
    require(ex_transaction_decode(&again, NULL, a, raw, CHAIN_ID) == RC_OK && addr_eq(&again.tx.from, &tx->tx.from));
    for (size_t n = 0; n < raw.n && n < PREFIXES_MAX; n++)
        require(ex_transaction_decode(&again, NULL, a, view_of(raw.p, n), CHAIN_ID) != RC_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    ex_transaction_t tx;
    err_t e = { 0 };
    arena_t a;
    if (len > INPUT_MAX)
        return 0;
    arena_init(&a, 4u << 20);
    rc_t rc = ex_transaction_decode(&tx, &e, &a, view_of(data, len), CHAIN_ID);
    require(e.rc == rc && !e.text[0] == (rc == RC_OK));
    if (rc == RC_OK)
        check(&a, &tx, view_of(data, len));
    arena_free(&a);
    return 0;
}
