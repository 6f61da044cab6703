/* Execution of whole blocks. */
#include "lightclient/exec/block.h"

#include "base/crypto/hash.h"
#include "lightclient/exec/block_run.h"
#include "lightclient/exec/receipt.h"
#include "lightclient/exec/transaction.h"
#include "lightclient/mpt/mpt.h"
#include "lightclient/rlp/rlp.h"

#define BLOB_GAS 131072u /* EIP-4844: gas of one blob */
static rc_t refuse(const ex_block_run_t *r, const char *text)
{
    return err_say(r->e, RC_REFUSED, text);
}

/* --- what does not depend on the state --- */

static rc_t check_body(ex_block_run_t *r)
{
    const ex_full_block_t *b = r->block;
    if (r->rules->fork >= EVM_OSAKA && b->rlp_len > EX_BLOCK_RLP_MAX_OSAKA)
        return refuse(r, "block too long");
    if (b->has_withdrawals != (r->rules->fork >= EVM_SHANGHAI))
        return refuse(r, "withdrawals of another fork");
    return ex_body_verify(r->e, r->scratch, b);
}

/* --- transactions --- */

static rc_t run_transaction(ex_block_run_t *r, size_t index)
{
    ex_transaction_t tx;
    evm_receipt_t receipt;
    rc_t rc = ex_transaction_decode(&tx, r->e, r->scratch, r->block->transactions[index], r->config->chain->chain_id);
    if (rc == RC_LIMIT)
        rc = RC_REFUSED;
    if (rc)
        return rc;
    uint64_t for_execution = evm_tx_execution_gas_max(r->rules);
    if (for_execution > tx.tx.gas)
        for_execution = tx.tx.gas;
    if (for_execution > r->env.gas_limit - r->execution_gas || tx.tx.gas > r->env.gas_limit - r->state_gas)
        return refuse(r, "gas limit above what the block has left");
    if (tx.tx.blob_count > r->rules->blob_max - r->blobs)
        return refuse(r, "too many blobs");
    rc = evm_transact(&receipt, r->e, r->scratch, &r->host, r->rules, &r->env, &tx.tx);
    if (rc)
        return rc;
    r->gas_used += receipt.result.gas_used;
    r->execution_gas += receipt.result.block_execution_gas;
    r->state_gas += receipt.result.block_state_gas;
    r->blobs += tx.tx.blob_count;
    r->outcomes[index] = (ex_outcome_t){ receipt.result.gas_used, receipt.result.status == EVM_SUCCESS };
    return ex_block_run_add(r, index, tx.tx.type, &receipt);
}

static rc_t run_transactions(ex_block_run_t *r)
{
    rc_t rc = RC_OK;
    for (size_t i = 0; !rc && i < r->block->transaction_count; i++) {
        arena_mark_t mark = arena_mark(r->scratch);
        rc = run_transaction(r, i);
        arena_rollback(r->scratch, mark);
    }
    return rc;
}

/* --- after the transactions --- */

static rc_t check_requests(ex_block_run_t *r)
{
    hash32_t hash;
    if (r->rules->fork < EVM_PRAGUE)
        return RC_OK;
    const rc_t rc = ex_block_run_requests(&hash, r);
    return rc || hash32_eq(&hash, &r->block->header.requests_hash) ? rc : refuse(r, "another requests hash");
}

static rc_t check_receipts(ex_block_run_t *r)
{
    const ex_header_t *h = &r->block->header;
    hash32_t root;
    if ((r->execution_gas > r->state_gas ? r->execution_gas : r->state_gas) != h->gas_used)
        return refuse(r, "another gas used");
    if (r->rules->fork >= EVM_CANCUN && r->blobs * BLOB_GAS != h->blob_gas_used)
        return refuse(r, "another blob gas used");
    if (memcmp(r->bloom, h->logs_bloom, EX_BLOOM_LEN))
        return refuse(r, "another logs bloom");
    rc_t rc = mpt_list_root(&root, r->receipts, r->block->transaction_count, r->scratch);
    if (rc)
        return rc;
    return hash32_eq(&root, &h->receipts_root) ? RC_OK : refuse(r, "another receipts root");
}

static rc_t check_state(ex_block_run_t *r, ex_executed_t *out)
{
    hash32_t root;
    const ex_block_config_t *c = r->config;
    rc_t rc = ex_layer_changes(&out->changes, &out->change_count, &r->layer);
    if (rc || !c->state_root)
        return rc;
    rc = c->state_root(c->host->ctx, &root, out->changes, out->change_count);
    if (rc)
        return rc;
    return hash32_eq(&root, &r->block->header.state_root) ? RC_OK : refuse(r, "another state root");
}

rc_t ex_block_execute(ex_executed_t *out, err_t *e, arena_t *a, arena_t *scratch, const ex_block_config_t *config,
                      const ex_full_block_t *block)
{
    ex_executed_t done = { 0 };
    ex_block_run_t r = { .arena = a,
                         .scratch = scratch,
                         .config = config,
                         .block = block,
                         .e = e,
                         .rules = evm_chain_rules(config->chain, block->header.timestamp) };
    if (r.rules->fork < EVM_PARIS || r.rules->fork >= EVM_FORKS)
        return err_say(e, RC_UNSUPPORTED, "the block's fork is older than Paris or newer than this build");
    rc_t rc = check_body(&r);
    if (!rc)
        rc = ex_block_run_init(&r);
    if (!rc)
        rc = ex_block_run_begin(&r);
    if (!rc)
        rc = run_transactions(&r);
    if (!rc)
        rc = ex_block_run_withdraw(&r);
    if (!rc)
        rc = check_requests(&r);
    if (!rc)
        rc = check_receipts(&r);
    if (!rc)
        rc = check_state(&r, &done);
    if (rc)
        return rc == RC_NOMEM ? err_say(e, rc, "out of memory") : rc;
    done.outcomes = r.outcomes;
    *out = done;
    return RC_OK;
}
