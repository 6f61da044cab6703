#include "rpc/api/objects.h"

#include "base/crypto/hash.h"

static void put_hash(jw_t *w, const char *key, const hash32_t *h)
{
    jw_hex(w, key, view_of(h->b, sizeof h->b));
}

static void put_addr(jw_t *w, const char *key, const addr_t *a)
{
    jw_hex(w, key, view_of(a->b, sizeof a->b));
}

/* ---- headers ---- */

static void put_tail(jw_t *w, const ex_header_t *h)
{
    if (h->tail > 0)
        jw_quantity256(w, "baseFeePerGas", &h->base_fee);
    if (h->tail > 1)
        put_hash(w, "withdrawalsRoot", &h->withdrawals_root);
    if (h->tail > 2) {
        jw_quantity(w, "blobGasUsed", h->blob_gas_used);
        jw_quantity(w, "excessBlobGas", h->excess_blob_gas);
        put_hash(w, "parentBeaconBlockRoot", &h->parent_beacon_root);
    }
    if (h->tail > 5)
        put_hash(w, "requestsHash", &h->requests_hash);
    if (h->tail > 6) {
        put_hash(w, "blockAccessListHash", &h->block_access_list_hash);
        jw_quantity(w, "slotNumber", h->slot_number);
    }
}

static void put_header_fields(jw_t *w, const ex_header_t *h, const hash32_t *hash)
{
    jw_quantity(w, "number", h->number);
    put_hash(w, "hash", hash);
    put_hash(w, "parentHash", &h->parent_hash);
    jw_hex(w, "nonce", view_of(h->nonce, sizeof h->nonce));
    put_hash(w, "mixHash", &h->mix_hash);
    put_hash(w, "sha3Uncles", &h->ommers_hash);
    jw_hex(w, "logsBloom", view_of(h->logs_bloom, sizeof h->logs_bloom));
    put_hash(w, "stateRoot", &h->state_root);
    put_addr(w, "miner", &h->coinbase);
    jw_quantity256(w, "difficulty", &h->difficulty);
    jw_hex(w, "extraData", view_of(h->extra_data, h->extra_data_len));
    jw_quantity(w, "gasLimit", h->gas_limit);
    jw_quantity(w, "gasUsed", h->gas_used);
    jw_quantity(w, "timestamp", h->timestamp);
    put_hash(w, "transactionsRoot", &h->transactions_root);
    put_hash(w, "receiptsRoot", &h->receipts_root);
    put_tail(w, h);
}

void api_put_header(jw_t *w, const char *key, const ex_header_t *h, const hash32_t *hash)
{
    jw_object(w, key);
    put_header_fields(w, h, hash);
    jw_end(w);
}

/* ---- transactions ---- */

static void put_access(jw_t *w, const evm_tx_t *tx)
{
    jw_array(w, "accessList");
    for (size_t i = 0; i < tx->access_count; i++) {
        jw_object(w, NULL);
        put_addr(w, "address", &tx->access[i].addr);
        jw_array(w, "storageKeys");
        for (size_t k = 0; k < tx->access[i].key_count; k++)
            put_hash(w, NULL, &tx->access[i].keys[k]);
        jw_end(w);
        jw_end(w);
    }
    jw_end(w);
}

static void put_authorizations(jw_t *w, const ex_transaction_t *t)
{
    jw_array(w, "authorizationList");
    for (size_t i = 0; i < t->tx.authorization_count; i++) {
        const evm_authorization_t *x = &t->tx.authorizations[i];
        jw_object(w, NULL);
        jw_quantity256(w, "chainId", &x->chain_id);
        put_addr(w, "address", &x->address);
        jw_quantity(w, "nonce", x->nonce);
        jw_quantity256(w, "yParity", &t->authorization_signatures[i].v);
        jw_quantity256(w, "r", &t->authorization_signatures[i].r);
        jw_quantity256(w, "s", &t->authorization_signatures[i].s);
        jw_end(w);
    }
    jw_end(w);
}

/* What only some types have. */
static void put_typed(jw_t *w, const ex_transaction_t *t, uint64_t chain_id)
{
    const evm_tx_t *tx = &t->tx;
    if (tx->type || !t->any_chain)
        jw_quantity(w, "chainId", chain_id);
    if (tx->type >= 2) {
        jw_quantity256(w, "maxFeePerGas", &tx->max_fee);
        jw_quantity256(w, "maxPriorityFeePerGas", &tx->max_priority_fee);
    }
    if (tx->type >= 1) {
        put_access(w, tx);
        jw_quantity256(w, "yParity", &t->signature.v);
    }
    if (tx->type == 3) {
        jw_quantity256(w, "maxFeePerBlobGas", &tx->max_blob_fee);
        jw_array(w, "blobVersionedHashes");
        for (size_t i = 0; i < tx->blob_count; i++)
            put_hash(w, NULL, &tx->blob_hashes[i]);
        jw_end(w);
    }
    if (tx->type == 4)
        put_authorizations(w, t);
}

/* Decodes transaction i; what a proven root holds and this build cannot read is of a newer fork. */
static bool decode(ex_transaction_t *t, jw_t *w, arena_t *a, const api_block_t *b, size_t i)
{
    const view_t raw = b->block->transactions[i];
    const rc_t rc = b->senders ? ex_transaction_read(t, NULL, a, raw, b->chain->chain_id)
                               : ex_transaction_decode(t, NULL, a, raw, b->chain->chain_id);
    if (!rc && b->senders)
        t->tx.from = b->senders[i];
    if (rc && !w->rc)
        w->rc = rc == RC_NOMEM ? rc : RC_UNSUPPORTED;
    return !rc;
}

void api_put_transaction(jw_t *w, const char *key, arena_t *a, const api_block_t *b, size_t i)
{
    ex_transaction_t t;
    const arena_mark_t mark = arena_mark(a);
    if (w->arena == a || !decode(&t, w, a, b, i)) {
        w->rc = w->rc ? w->rc : RC_BUG;
        return;
    }
    const u256_t price = ex_gas_price(&t.tx, &b->block->header.base_fee);
    jw_object(w, key);
    put_hash(w, "blockHash", &b->block->hash);
    jw_quantity(w, "blockNumber", b->block->header.number);
    jw_quantity(w, "blockTimestamp", b->block->header.timestamp);
    put_addr(w, "from", &t.tx.from);
    jw_quantity(w, "gas", t.tx.gas);
    jw_quantity256(w, "gasPrice", &price);
    put_hash(w, "hash", &t.hash);
    jw_hex(w, "input", t.tx.data);
    jw_quantity(w, "nonce", t.tx.nonce);
    if (t.tx.create)
        jw_null(w, "to");
    else
        put_addr(w, "to", &t.tx.to);
    jw_quantity(w, "transactionIndex", i);
    jw_quantity256(w, "value", &t.tx.value);
    jw_quantity(w, "type", t.tx.type);
    put_typed(w, &t, b->chain->chain_id);
    jw_quantity256(w, "v", &t.signature.v);
    jw_quantity256(w, "r", &t.signature.r);
    jw_quantity256(w, "s", &t.signature.s);
    jw_end(w);
    arena_rollback(a, mark);
}

void api_put_unsigned(jw_t *w, const char *key, arena_t *a, view_t raw, uint64_t chain_id)
{
    ex_transaction_t t;
    const arena_mark_t mark = arena_mark(a);
    const rc_t rc = w->arena == a ? RC_BUG : ex_transaction_read(&t, NULL, a, raw, chain_id);
    if (rc) {
        w->rc = w->rc ? w->rc : rc;
        return;
    }
    jw_object(w, key);
    jw_quantity(w, "type", t.tx.type);
    jw_quantity(w, "nonce", t.tx.nonce);
    jw_quantity(w, "gas", t.tx.gas);
    jw_quantity256(w, "gasPrice", t.tx.type < 2 ? &t.tx.gas_price : &t.tx.max_fee);
    if (t.tx.create)
        jw_null(w, "to");
    else
        put_addr(w, "to", &t.tx.to);
    jw_quantity256(w, "value", &t.tx.value);
    jw_hex(w, "input", t.tx.data);
    put_typed(w, &t, chain_id);
    jw_quantity256(w, "v", &t.signature.v);
    jw_quantity256(w, "r", &t.signature.r);
    jw_quantity256(w, "s", &t.signature.s);
    put_hash(w, "hash", &t.hash);
    jw_end(w);
    arena_rollback(a, mark);
}

/* ---- blocks ---- */

static void put_withdrawals(jw_t *w, const ex_full_block_t *b)
{
    jw_array(w, "withdrawals");
    for (size_t i = 0; i < b->withdrawal_count; i++) {
        jw_object(w, NULL);
        jw_quantity(w, "index", b->withdrawals[i].index);
        jw_quantity(w, "validatorIndex", b->withdrawals[i].validator);
        put_addr(w, "address", &b->withdrawals[i].addr);
        jw_quantity(w, "amount", b->withdrawals[i].amount);
        jw_end(w);
    }
    jw_end(w);
}

void api_put_block_members(jw_t *w, arena_t *a, const api_block_t *b, bool whole)
{
    put_header_fields(w, &b->block->header, &b->block->hash);
    jw_quantity(w, "size", ex_block_len(b->block));
    jw_array(w, "transactions");
    for (size_t i = 0; i < b->block->transaction_count; i++) {
        hash32_t hash;
        if (whole) {
            api_put_transaction(w, NULL, a, b, i);
        } else {
            keccak256(&hash, b->block->transactions[i]);
            put_hash(w, NULL, &hash);
        }
    }
    jw_end(w);
    jw_array(w, "uncles");
    jw_end(w);
    if (b->block->has_withdrawals)
        put_withdrawals(w, b->block);
}

void api_put_block(jw_t *w, const char *key, arena_t *a, const api_block_t *b, bool whole)
{
    jw_object(w, key);
    api_put_block_members(w, a, b, whole);
    jw_end(w);
}

/* ---- logs and receipts ---- */

void api_put_log(jw_t *w, const char *key, const evm_log_t *log, const api_log_place_t *at)
{
    jw_object(w, key);
    put_addr(w, "address", &log->addr);
    jw_array(w, "topics");
    for (unsigned i = 0; i < log->topic_count; i++)
        put_hash(w, NULL, &log->topics[i]);
    jw_end(w);
    jw_hex(w, "data", log->data);
    jw_quantity(w, "blockNumber", at->block->header.number);
    put_hash(w, "transactionHash", at->tx_hash);
    jw_quantity(w, "transactionIndex", at->tx_index);
    put_hash(w, "blockHash", &at->block->hash);
    jw_quantity(w, "blockTimestamp", at->block->header.timestamp);
    jw_quantity(w, "logIndex", at->log_index);
    jw_bool(w, "removed", at->removed);
    jw_end(w);
}

static void put_parties(jw_t *w, const evm_tx_t *tx, const ex_outcome_of_t *o)
{
    put_addr(w, "from", &tx->from);
    if (o->to_nobody) {
        jw_null(w, "to");
        put_addr(w, "contractAddress", &o->contract);
    } else {
        put_addr(w, "to", &tx->to);
        jw_null(w, "contractAddress");
    }
}

static void put_outcome(jw_t *w, const ex_receipt_t *r, const ex_outcome_of_t *o)
{
    jw_quantity(w, "cumulativeGasUsed", r->cumulative_gas);
    jw_quantity256(w, "effectiveGasPrice", &o->gas_price);
    jw_quantity(w, "gasUsed", o->gas_used);
    jw_hex(w, "logsBloom", view_of(r->bloom, sizeof r->bloom));
    if (r->has_root)
        put_hash(w, "root", &r->root);
    else
        jw_quantity(w, "status", r->success);
    jw_quantity(w, "type", r->type);
    if (r->type == 3) {
        jw_quantity(w, "blobGasUsed", o->blob_gas_used);
        jw_quantity256(w, "blobGasPrice", &o->blob_gas_price);
    }
}

void api_put_receipt(jw_t *w, const char *key, arena_t *a, const api_block_t *b, size_t i)
{
    const ex_receipt_t *r = &b->receipts[i];
    const ex_header_t *h = &b->block->header;
    const arena_mark_t mark = arena_mark(a);
    ex_transaction_t t;
    ex_outcome_of_t o;
    if (w->arena == a || !decode(&t, w, a, b, i)) {
        w->rc = w->rc ? w->rc : RC_BUG;
        return;
    }
    ex_receipt_derive(&o, b->receipts, i, &t.tx, h, evm_chain_rules(b->chain, h->timestamp));
    jw_object(w, key);
    put_hash(w, "blockHash", &b->block->hash);
    jw_quantity(w, "blockNumber", h->number);
    put_hash(w, "transactionHash", &t.hash);
    jw_quantity(w, "transactionIndex", i);
    put_parties(w, &t.tx, &o);
    put_outcome(w, r, &o);
    jw_array(w, "logs");
    for (size_t k = 0; k < r->log_count; k++)
        api_put_log(w, NULL, &r->logs[k], &(api_log_place_t){ b->block, &t.hash, i, o.log_index + k, false });
    jw_end(w);
    jw_end(w);
    arena_rollback(a, mark);
}

void api_put_receipts(jw_t *w, const char *key, arena_t *a, const api_block_t *b)
{
    jw_array(w, key);
    for (size_t i = 0; i < b->block->transaction_count; i++)
        api_put_receipt(w, NULL, a, b, i);
    jw_end(w);
}
