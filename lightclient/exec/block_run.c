#include "lightclient/exec/block_run.h"

#include "base/crypto/hash.h"
#include "lightclient/exec/receipt.h"

#define GWEI 1000000000u
#define DEPOSIT_LOG_LEN 576u
#define DEPOSIT_LEN 192u /* bytes of one deposit in the list of requests */

#define DEPOSITS_KIND 0u /* EIP-6110: the kind of request that comes from logs */

static const addr_t BEACON_ROOTS = { { 0x00, 0x0f, 0x3d, 0xf6, 0xd7, 0x32, 0x80, 0x7e, 0xf1, 0x31,
                                       0x9f, 0xb7, 0xb8, 0xbb, 0x85, 0x22, 0xd0, 0xbe, 0xac, 0x02 } }; /* EIP-4788 */
static const addr_t HISTORY = { { 0x00, 0x00, 0xf9, 0x08, 0x27, 0xf1, 0xc5, 0x3a, 0x10, 0xcb,
                                  0x7a, 0x02, 0x33, 0x5b, 0x17, 0x53, 0x20, 0x00, 0x29, 0x35 } }; /* EIP-2935 */

/* Contracts that give the block's requests when they are called after its transactions, in this order. */
static const struct {
    evm_fork_t since;
    uint8_t kind;
    addr_t addr;
} request_contracts[] = {
    { EVM_PRAGUE, 1, { { 0x00, 0x00, 0x09, 0x61, 0xef, 0x48, 0x0e, 0xb5, 0x5e, 0x80, /* withdrawals, EIP-7002 */
                         0xd1, 0x9a, 0xd8, 0x35, 0x79, 0xa6, 0x4c, 0x00, 0x70, 0x02 } } },
    { EVM_PRAGUE, 2, { { 0x00, 0x00, 0xbb, 0xdd, 0xc7, 0xce, 0x48, 0x86, 0x42, 0xfb, /* consolidations, EIP-7251 */
                         0x57, 0x9f, 0x8b, 0x00, 0xf3, 0xa5, 0x90, 0x00, 0x72, 0x51 } } },
    { EVM_AMSTERDAM, 3, { { 0x00, 0x00, 0xbf, 0xf4, 0x69, 0x84, 0xe3, 0x72, 0x56, 0x91, /* builder deposits, EIP-8282 */
                            0xfa, 0x54, 0x0a, 0x8c, 0x75, 0x89, 0x30, 0x0d, 0x82, 0x82 } } },
    { EVM_AMSTERDAM, 4, { { 0x00, 0x00, 0x64, 0xd6, 0x78, 0x50, 0x5a, 0xd4, 0x8f, 0x8c, /* builder exits, EIP-8282 */
                            0xcb, 0x09, 0x3b, 0xc6, 0x56, 0x13, 0x80, 0x0e, 0x82, 0x82 } } },
};

/* keccak256("DepositEvent(bytes,bytes,bytes,bytes,bytes)") */
static const hash32_t DEPOSIT_EVENT = { { 0x64, 0x9b, 0xbc, 0x62, 0xd0, 0xe3, 0x13, 0x42, 0xaf, 0xea, 0x4e,
                                          0x5c, 0xd8, 0x2d, 0x40, 0x49, 0xe7, 0xe1, 0xee, 0x91, 0x2f, 0xc0,
                                          0x88, 0x9a, 0xa7, 0x90, 0x80, 0x3b, 0xe3, 0x90, 0x38, 0xc5 } };

/* Deposits of one transaction, appended to a list. */
struct ex_deposits {
    struct ex_deposits *next;
    size_t count;
    uint8_t bytes[];
};

typedef struct ex_deposits deposits_t;

static rc_t refuse(const ex_block_run_t *r, const char *text)
{
    return err_say(r->e, RC_REFUSED, text);
}

/* --- system calls --- */

/* A call that the block makes; its output stays in the arena. must: without code, or when it fails, the block is
 * invalid. */
static rc_t system_call(ex_block_run_t *r, view_t *out, const addr_t *to, view_t data, bool must)
{
    evm_receipt_t receipt;
    evm_account_t account;
    rc_t rc = r->host.account(r->host.ctx, &account, to);
    if (rc)
        return rc;
    if (!account.exists || hash32_eq(&account.code_hash, &KECCAK_EMPTY))
        return must ? refuse(r, "a system contract is missing") : RC_OK;
    arena_mark_t mark = arena_mark(r->scratch);
    rc = evm_system_call(&receipt, r->scratch, &r->host, r->rules, &r->env, to, data);
    if (!rc && must && receipt.result.status != EVM_SUCCESS)
        rc = refuse(r, "a system call fails");
    if (!rc)
        rc = ex_layer_apply(&r->layer, receipt.changes, receipt.change_count);
    if (!rc && out) {
        *out = arena_dup(r->arena, receipt.result.output);
        if (receipt.result.output.n && !out->p)
            rc = RC_NOMEM;
    }
    arena_rollback(r->scratch, mark);
    return rc;
}

rc_t ex_block_run_begin(ex_block_run_t *r)
{
    const ex_header_t *h = &r->block->header;
    rc_t rc = RC_OK;
    if (r->rules->fork >= EVM_CANCUN)
        rc = system_call(r, NULL, &BEACON_ROOTS, view_of(h->parent_beacon_root.b, sizeof(hash32_t)), false);
    if (!rc && r->rules->fork >= EVM_PRAGUE)
        rc = system_call(r, NULL, &HISTORY, view_of(h->parent_hash.b, sizeof(hash32_t)), false);
    return rc;
}

/* --- receipts --- */

/* The receipt of a transaction: [type] rlp([status, gas used so far, bloom, logs]). */
static rc_t add_receipt(ex_block_run_t *r, size_t index, uint8_t type, const evm_result_t *result)
{
    ex_receipt_t receipt = { .type = type,
                             .success = result->status == EVM_SUCCESS,
                             .cumulative_gas = r->gas_used,
                             .logs = result->logs,
                             .log_count = result->log_count };
    ex_bloom_add_logs(receipt.bloom, result->logs, result->log_count);
    for (size_t i = 0; i < EX_BLOOM_LEN; i++)
        r->bloom[i] |= receipt.bloom[i];
    return ex_receipt_encode(&r->receipts[index], r->arena, &receipt);
}

/* --- deposits, EIP-6110 --- */

/* One event's five byte strings, which stand at fixed places, put together. */
static bool put_deposit(uint8_t out[DEPOSIT_LEN], view_t data)
{
    static const struct {
        uint64_t at, len;
    } parts[] = { { 160, 48 }, { 256, 32 }, { 320, 8 }, { 384, 96 }, { 512, 8 } };
    wr_t w = wr_of(out, DEPOSIT_LEN);
    if (data.n != DEPOSIT_LOG_LEN)
        return false;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        u256_t at = u256_from_be32(data.p + 32 * i), len = u256_from_be32(data.p + parts[i].at);
        u256_t want_at = u256_of(parts[i].at), want_len = u256_of(parts[i].len);
        if (!u256_eq(&at, &want_at) || !u256_eq(&len, &want_len))
            return false;
        wr_bytes(&w, data.p + parts[i].at + 32, parts[i].len);
    }
    return true;
}

static bool is_deposit(const ex_block_run_t *r, const evm_log_t *log)
{
    return addr_eq(&log->addr, &r->config->deposit_contract) && log->topic_count > 0 &&
           hash32_eq(&log->topics[0], &DEPOSIT_EVENT);
}

static rc_t add_deposits(ex_block_run_t *r, const evm_result_t *result)
{
    size_t count = 0;
    for (size_t i = 0; i < result->log_count; i++)
        count += is_deposit(r, &result->logs[i]);
    if (r->rules->fork < EVM_PRAGUE || count == 0)
        return RC_OK;
    deposits_t *d = arena_calloc(r->arena, 1, sizeof *d + count * DEPOSIT_LEN);
    if (!d)
        return RC_NOMEM;
    for (size_t i = 0; i < result->log_count; i++)
        if (is_deposit(r, &result->logs[i]) && !put_deposit(d->bytes + DEPOSIT_LEN * d->count++, result->logs[i].data))
            return refuse(r, "a deposit event has another layout");
    *r->deposits_end = d;
    r->deposits_end = &d->next;
    return RC_OK;
}

rc_t ex_block_run_add(ex_block_run_t *r, size_t index, uint8_t type, const evm_receipt_t *receipt)
{
    rc_t rc = add_receipt(r, index, type, &receipt->result);
    if (!rc)
        rc = add_deposits(r, &receipt->result);
    return rc ? rc : ex_layer_apply(&r->layer, receipt->changes, receipt->change_count);
}

/* --- after the transactions --- */

/* EIP-4895. An account that stays empty is not made. */
rc_t ex_block_run_withdraw(ex_block_run_t *r)
{
    for (size_t i = 0; i < r->block->withdrawal_count; i++) {
        const ex_withdrawal_t *w = &r->block->withdrawals[i];
        evm_change_t c = { .addr = w->addr };
        rc_t rc = r->host.account(r->host.ctx, &c.account, &w->addr);
        if (rc)
            return rc;
        u256_t amount = u256_of(w->amount), gwei = u256_of(GWEI);
        amount = u256_mul(&amount, &gwei);
        c.account.balance = u256_add(&c.account.balance, &amount);
        c.deleted =
            c.account.nonce == 0 && u256_is_zero(&c.account.balance) && hash32_eq(&c.account.code_hash, &KECCAK_EMPTY);
        c.account.exists = !c.deleted;
        rc = ex_layer_apply(&r->layer, &c, 1);
        if (rc)
            return rc;
    }
    return RC_OK;
}

static rc_t join_deposits(ex_block_run_t *r)
{
    size_t count = 0;
    for (const deposits_t *d = r->deposits; d; d = d->next)
        count += d->count;
    wr_t w = wr_of(arena_alloc(r->arena, count * DEPOSIT_LEN), count * DEPOSIT_LEN);
    if (!w.p)
        return RC_NOMEM;
    for (const deposits_t *d = r->deposits; d; d = d->next)
        wr_bytes(&w, d->bytes, d->count * DEPOSIT_LEN);
    r->requests[DEPOSITS_KIND] = wr_view(&w);
    return RC_OK;
}

/* EIP-7685: the hash over the hashes of all kinds of which there are any. */
rc_t ex_block_run_requests(hash32_t *out, ex_block_run_t *r)
{
    hash32_t hashes[EX_REQUEST_KINDS];
    size_t n = 0;
    rc_t rc = join_deposits(r);
    for (size_t i = 0; !rc && i < sizeof request_contracts / sizeof request_contracts[0]; i++)
        if (r->rules->fork >= request_contracts[i].since)
            rc = system_call(r, &r->requests[request_contracts[i].kind], &request_contracts[i].addr, view_of(NULL, 0),
                             true);
    if (rc)
        return rc;
    for (unsigned i = 0; i < EX_REQUEST_KINDS; i++)
        if (r->requests[i].n) {
            const uint8_t kind = (uint8_t)i;
            const view_t parts[] = { view_of(&kind, 1), r->requests[i] };
            sha256_parts(&hashes[n++], parts, 2);
        }
    sha256(out, view_of(hashes, n * sizeof *hashes));
    return RC_OK;
}

rc_t ex_block_run_init(ex_block_run_t *r)
{
    const ex_header_t *h = &r->block->header;
    r->env = (evm_block_t){ .number = h->number,
                            .timestamp = h->timestamp,
                            .gas_limit = h->gas_limit,
                            .coinbase = h->coinbase,
                            .prev_randao = h->mix_hash,
                            .base_fee = h->base_fee,
                            .excess_blob_gas = h->excess_blob_gas,
                            .chain_id = r->config->chain->chain_id,
                            .slot_number = h->slot_number };
    r->deposits_end = &r->deposits;
    r->receipts = arena_calloc(r->arena, r->block->transaction_count, sizeof *r->receipts);
    r->outcomes = arena_calloc(r->arena, r->block->transaction_count, sizeof *r->outcomes);
    rc_t rc = r->receipts && r->outcomes ? ex_layer_init(&r->layer, r->arena, r->config->host) : RC_NOMEM;
    r->host = ex_layer_host(&r->layer);
    return rc;
}
