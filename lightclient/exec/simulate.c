#include "lightclient/exec/simulate.h"

#include "base/crypto/hash.h"
#include "lightclient/exec/block_run.h"
#include "lightclient/exec/message.h"
#include "lightclient/exec/receipt.h"
#include "lightclient/exec/unsigned.h"

#define NODES_MAX ((size_t)256 << 20)
#define SCRATCH_MAX ((size_t)128 << 20) /* bytes of one call */
#define BLOB_GAS 131072u                /* EIP-4844: gas of one blob */

static ex_simulate_t *simulate_of(ex_program_t *p)
{
    return (ex_simulate_t *)(void *)p;
}

/* ---- which blocks ---- */

static rc_t refuse_numbers(err_t *e, uint64_t number, uint64_t before)
{
    return err_code(e,
                    err_set(e, RC_REFUSED, "block numbers must be in order: %llu <= %llu", (unsigned long long)number,
                            (unsigned long long)before),
                    EX_SIMULATE_NUMBERS);
}

static rc_t refuse_times(err_t *e, uint64_t time, uint64_t before)
{
    return err_code(e,
                    err_set(e, RC_REFUSED, "block timestamps must be in order: %llu <= %llu", (unsigned long long)time,
                            (unsigned long long)before),
                    EX_SIMULATE_TIMES);
}

/* Puts one block behind n others, with empty ones between; counts n up. */
static rc_t place(ex_simulate_block_t *all, size_t *n, err_t *e, const ex_simulate_block_t *one, const ex_block_t *base)
{
    const evm_block_t *before = *n ? &all[*n - 1].env : &base->env;
    const uint64_t last = before->number;
    uint64_t time = before->timestamp;
    ex_simulate_block_t b = *one;
    if (!(b.given & EX_SIMULATE_HAS_NUMBER))
        b.env.number = last + 1;
    if (b.env.number <= last)
        return refuse_numbers(e, b.env.number, last);
    if (b.env.number - base->env.number > EX_SIMULATE_BLOCKS_MAX)
        return err_code(e, err_say(e, RC_REFUSED, "too many blocks"), EX_SIMULATE_LIMIT);
    for (uint64_t number = last + 1; number < b.env.number; number++) {
        time += EX_SIMULATE_STEP_S;
        all[(*n)++] = (ex_simulate_block_t){ .env = { .number = number, .timestamp = time } };
    }
    if (!(b.given & EX_SIMULATE_HAS_TIME))
        b.env.timestamp = time + EX_SIMULATE_STEP_S;
    if (b.env.timestamp <= time)
        return refuse_times(e, b.env.timestamp, time);
    all[(*n)++] = b;
    return RC_OK;
}

rc_t ex_simulate_plan(ex_simulate_t *s, err_t *e, arena_t *a, const ex_block_t *base)
{
    ex_simulate_block_t *all = arena_calloc(a, EX_SIMULATE_BLOCKS_MAX, sizeof *all);
    size_t n = 0;
    rc_t rc = all ? RC_OK : err_say(e, RC_NOMEM, "out of memory");
    for (size_t i = 0; !rc && i < s->block_count; i++)
        rc = place(all, &n, e, &s->blocks[i], base);
    if (rc)
        return rc;
    s->blocks = all;
    s->block_count = n;
    return RC_OK;
}

/* ---- one run ---- */

typedef struct {
    ex_simulate_t *s;
    const ex_run_t *on;
    err_t *e;
    ex_simulated_t *done;
    size_t count;
    uint64_t budget;  /* gas that all calls may use together */
    ex_layer_t state; /* after the blocks that are done */
    hash32_t state_root;
    ex_header_t parent;
    hash32_t parent_hash;
} sim_t;

/* The block being made. */
typedef struct {
    sim_t *sim;
    const ex_simulate_block_t *asked;
    ex_block_config_t config;
    evm_host_t below; /* the state before it */
    ex_block_run_t run;
    ex_scene_t scene; /* its precompiles */
    ex_full_block_t block;
    view_t *transactions;
    addr_t *senders;
    ex_simulated_call_t *calls;
    size_t logged;
} one_t;

/* Hashes of simulated blocks, which the state below does not know. */
static rc_t simulated_hash(void *ctx, hash32_t *out, uint64_t number)
{
    const sim_t *sim = ctx;
    const ex_block_t *base = sim->on->config->block;
    const evm_host_t *below = sim->on->host;
    if (number < base->env.number)
        return below->block_hash(below->ctx, out, number);
    *out = base->block_hash;
    for (size_t i = 0; i < sim->count && number > base->env.number; i++)
        if (sim->done[i].block.header.number == number)
            *out = sim->done[i].block.hash;
    return RC_OK;
}

/* ---- headers ---- */

static ex_header_t header_of_base(const ex_block_t *b, const evm_chain_t *chain)
{
    return (ex_header_t){ .tail = ex_header_tail(evm_chain_rules(chain, b->env.timestamp)->fork),
                          .number = b->env.number,
                          .timestamp = b->env.timestamp,
                          .gas_limit = b->env.gas_limit,
                          .gas_used = b->gas_used,
                          .coinbase = b->env.coinbase,
                          .base_fee = b->env.base_fee,
                          .blob_gas_used = b->blob_gas_used,
                          .excess_blob_gas = b->env.excess_blob_gas };
}

static void make_header(ex_header_t *h, const sim_t *sim, const ex_simulate_block_t *b, const evm_rules_t *rules)
{
    const ex_header_t *parent = &sim->parent;
    *h = (ex_header_t){ .parent_hash = sim->parent_hash,
                        .ommers_hash = EX_NO_OMMERS,
                        .number = b->env.number,
                        .timestamp = b->env.timestamp,
                        .coinbase = b->given & EX_SIMULATE_HAS_COINBASE ? b->env.coinbase : parent->coinbase,
                        .gas_limit = b->given & EX_SIMULATE_HAS_GAS_LIMIT ? b->env.gas_limit : parent->gas_limit,
                        .mix_hash = b->env.prev_randao,
                        .tail = ex_header_tail(rules->fork),
                        .parent_beacon_root = b->beacon_root };
    if (b->given & EX_SIMULATE_HAS_BASE_FEE)
        h->base_fee = b->env.base_fee;
    else if (sim->s->validates)
        h->base_fee = ex_base_fee_after(&parent->base_fee, parent->gas_limit, parent->gas_used);
    if (rules->fork >= EVM_CANCUN)
        h->excess_blob_gas = ex_excess_blob_gas_after(parent, rules);
}

/* ---- calls ---- */

static uint16_t code_of(const err_t *why)
{
    switch (why->code) {
    case EX_MESSAGE_NONCE_LOW: return EX_SIMULATE_NONCE_LOW;
    case EX_MESSAGE_NONCE_HIGH: return EX_SIMULATE_NONCE_HIGH;
    case EX_MESSAGE_FEE: return EX_SIMULATE_FEE_LOW;
    case EX_MESSAGE_INTRINSIC: return EX_SIMULATE_INTRINSIC;
    case EX_MESSAGE_FUNDS: return EX_SIMULATE_FUNDS;
    case EX_MESSAGE_INITCODE: return EX_SIMULATE_INITCODE;
    default: return EX_SIMULATE_INVALID;
    }
}

/* A call that is no transaction ends all. */
static rc_t refuse_call(err_t *e, rc_t rc, uint64_t gas)
{
    if (rc != RC_REFUSED || !e)
        return rc;
    const err_t why = *e;
    rc = err_set(e, rc, "err: %s (supplied gas %llu)", why.text, (unsigned long long)gas);
    return err_code(e, rc, code_of(&why));
}

/* What is not given: the sender's nonce, and all gas that is left. */
static rc_t complete(const one_t *o, uint64_t *nonce, uint64_t *gas, const ex_request_t *q)
{
    const sim_t *sim = o->sim;
    const evm_host_t *host = &o->run.host;
    const uint64_t left = o->block.header.gas_limit - o->run.gas_used;
    evm_account_t sender = { .nonce = 0 };
    const rc_t rc = q->has_nonce ? RC_OK : host->account(host->ctx, &sender, &q->from);
    *nonce = q->has_nonce ? q->nonce : sender.nonce;
    *gas = q->has_gas ? q->gas : left;
    if (rc)
        return rc;
    if (q->has_chain_id && q->chain_id != o->run.env.chain_id)
        return err_set(sim->e, RC_REFUSED, "chainId does not match node's (have=%llu, want=%llu)",
                       (unsigned long long)q->chain_id, (unsigned long long)o->run.env.chain_id);
    if (*gas > left)
        return err_code(sim->e,
                        err_set(sim->e, RC_REFUSED, "block gas limit reached: remaining: %llu, required: %llu",
                                (unsigned long long)left, (unsigned long long)*gas),
                        EX_SIMULATE_BLOCK_GAS);
    *gas = *gas < sim->budget ? *gas : sim->budget;
    return RC_OK;
}

/* Logs with their data in the arena; all, or those of the EVM alone. */
static rc_t keep_logs(evm_result_t *r, arena_t *a, bool all)
{
    evm_log_t *logs = arena_alloc(a, r->log_count * sizeof *logs);
    size_t n = 0;
    for (size_t i = 0; logs && i < r->log_count; i++) {
        if (r->logs[i].traced && !all)
            continue;
        logs[n] = r->logs[i];
        logs[n].data = arena_dup(a, r->logs[i].data);
        if (r->logs[i].data.n && !logs[n].data.p)
            return RC_NOMEM;
        n++;
    }
    r->logs = logs;
    r->log_count = n;
    return logs ? RC_OK : RC_NOMEM;
}

/* The result that is shown outlives the call. */
static rc_t keep_result(ex_simulated_call_t *x, arena_t *a, const evm_result_t *r)
{
    x->result = *r;
    x->result.output = arena_dup(a, r->output);
    return r->output.n && !x->result.output.p ? RC_NOMEM : keep_logs(&x->result, a, true);
}

static rc_t add_call(one_t *o, size_t i, const ex_request_t *q, evm_receipt_t *receipt)
{
    o->calls[i].first_log = o->logged;
    o->logged += receipt->result.logged;
    o->run.gas_used += receipt->result.gas_used;
    o->run.blobs += q->blob_count;
    o->sim->budget -= receipt->result.gas_used;
    rc_t rc = keep_result(&o->calls[i], o->sim->on->arena, &receipt->result);
    if (!rc)
        rc = keep_logs(&receipt->result, o->run.scratch, false); /* what is traced is in no receipt */
    return rc ? rc : ex_block_run_add(&o->run, i, ex_unsigned_type(q), receipt);
}

/* Runs one in the scratch arena. */
static rc_t execute(one_t *o, size_t i, const ex_request_t *q, const evm_block_t *env, const evm_tx_t *tx)
{
    const sim_t *sim = o->sim;
    const evm_simulation_t how = { .pays = sim->s->validates || !u256_is_zero(&tx->gas_price),
                                   .traces = sim->s->traces };
    const arena_mark_t mark = arena_mark(o->run.scratch);
    evm_receipt_t receipt;
    rc_t rc = evm_simulate(&receipt, o->run.scratch, &o->run.host, o->run.rules, env, tx, &how);
    if (!rc)
        rc = add_call(o, i, q, &receipt);
    arena_rollback(o->run.scratch, mark);
    return rc;
}

static rc_t run_call(one_t *o, size_t i)
{
    const ex_request_t *q = &o->asked->calls[i];
    sim_t *sim = o->sim;
    arena_t *a = sim->on->arena;
    const bool *guessed = sim->on->guessed;
    evm_block_t env;
    evm_tx_t tx;
    uint64_t nonce, gas;
    rc_t rc = complete(o, &nonce, &gas, q);
    if (!rc)
        rc = ex_unsigned_encode(&o->transactions[i], a, q, o->run.env.chain_id, nonce, gas);
    if (rc)
        return rc;
    keccak256(&o->calls[i].hash, o->transactions[i]);
    o->senders[i] = q->from;
    const ex_message_t m = { .rules = o->run.rules,
                             .env = &o->run.env,
                             .request = q,
                             .gas = gas,
                             .keep_base_fee = true,
                             .strict = sim->s->validates,
                             .nonce = nonce };
    rc = ex_message_check(&tx, &env, sim->e, &o->run.host, guessed, &m);
    if (!rc)
        rc = execute(o, i, q, &env, &tx);
    return rc == RC_REFUSED && *guessed ? RC_NEED_DATA : refuse_call(sim->e, rc, gas);
}

/* ---- blocks ---- */

static rc_t begin_block(one_t *o, const evm_rules_t *rules)
{
    sim_t *sim = o->sim;
    arena_t *a = sim->on->arena;
    const size_t n = o->asked->call_count;
    make_header(&o->block.header, sim, o->asked, rules);
    o->transactions = arena_calloc(a, n, sizeof *o->transactions);
    o->senders = arena_calloc(a, n, sizeof *o->senders);
    o->calls = arena_calloc(a, n, sizeof *o->calls);
    if (!o->transactions || !o->senders || !o->calls)
        return RC_NOMEM;
    o->block.transactions = o->transactions;
    o->block.transaction_count = n;
    o->block.has_withdrawals = rules->fork >= EVM_SHANGHAI;
    o->block.withdrawals = o->asked->withdrawals;
    o->block.withdrawal_count = o->block.has_withdrawals ? o->asked->withdrawal_count : 0;
    o->below = ex_layer_host(&sim->state);
    o->config = (ex_block_config_t){ .chain = sim->on->config->chain,
                                     .deposit_contract = sim->s->deposit_contract,
                                     .host = &o->below };
    o->run = (ex_block_run_t){
        .arena = a, .scratch = &sim->s->scratch, .config = &o->config, .block = &o->block, .rules = rules, .e = sim->e
    };
    return ex_block_run_init(&o->run);
}

/* What is given otherwise than by the header: precompiles, accounts, the blob base fee. */
static rc_t override_block(one_t *o)
{
    const ex_simulate_block_t *b = o->asked;
    o->scene = (ex_scene_t){ .fork = o->run.rules->fork };
    o->run.env.has_blob_base_fee = b->env.has_blob_base_fee;
    o->run.env.blob_base_fee = b->env.blob_base_fee;
    rc_t rc = ex_overrides_move(&o->scene.precompiles, o->sim->e, &b->overrides, o->scene.fork);
    o->run.layer.hook_ctx = &o->scene;
    o->run.layer.precompile = ex_scene_precompile;
    o->run.host = ex_layer_host(&o->run.layer);
    return rc ? rc : ex_overrides_apply(&o->run.layer, &b->overrides);
}

/* The roots of what is in the block. */
static rc_t fill_header(one_t *o)
{
    ex_header_t *h = &o->block.header;
    arena_t *a = o->sim->on->arena;
    h->gas_used = o->run.gas_used;
    h->blob_gas_used = BLOB_GAS * o->run.blobs;
    memcpy(h->logs_bloom, o->run.bloom, sizeof h->logs_bloom);
    rc_t rc = mpt_list_root(&h->transactions_root, o->transactions, o->block.transaction_count, a);
    if (!rc)
        rc = mpt_list_root(&h->receipts_root, o->run.receipts, o->block.transaction_count, a);
    if (!rc && o->block.has_withdrawals)
        rc = ex_withdrawals_root(&h->withdrawals_root, a, &o->block);
    return rc;
}

/* Takes over what the block did. Its state root is only looked for when nothing was guessed. */
static rc_t end_block(one_t *o)
{
    sim_t *sim = o->sim;
    const evm_change_t *changes;
    size_t count;
    rc_t rc = RC_OK;
    if (o->run.rules->fork >= EVM_PRAGUE)
        rc = ex_block_run_requests(&o->block.header.requests_hash, &o->run);
    if (!rc)
        rc = ex_block_run_withdraw(&o->run);
    if (!rc)
        rc = fill_header(o);
    if (!rc)
        rc = ex_layer_changes(&changes, &count, &o->run.layer);
    if (!rc)
        rc = ex_layer_apply(&sim->state, changes, count);
    if (!rc && !*sim->on->guessed)
        rc = ex_roots_apply(&sim->s->roots, &sim->state_root, sim->e, changes, count);
    if (rc)
        return rc;
    o->block.header.state_root = sim->state_root;
    ex_header_hash(&o->block.hash, &o->block.header);
    o->block.rlp_len = 0;
    sim->done[sim->count++] = (ex_simulated_t){ o->block, o->senders, o->calls };
    sim->parent = o->block.header;
    sim->parent_hash = o->block.hash;
    return RC_OK;
}

static rc_t run_block(sim_t *sim, const ex_simulate_block_t *b)
{
    const evm_rules_t *rules = evm_chain_rules(sim->on->config->chain, b->env.timestamp);
    one_t *o = arena_calloc(sim->on->arena, 1, sizeof *o);
    if (!o)
        return RC_NOMEM;
    if (rules->fork < EVM_PARIS)
        return err_say(sim->e, RC_REFUSED, "blocks before the merge cannot be simulated");
    if (rules->fork >= EVM_AMSTERDAM)
        return err_say(sim->e, RC_REFUSED, "blocks with an access list cannot be simulated");
    o->sim = sim;
    o->asked = b;
    rc_t rc = begin_block(o, rules);
    if (!rc)
        rc = override_block(o);
    if (!rc)
        rc = ex_block_run_begin(&o->run);
    for (size_t i = 0; !rc && i < b->call_count; i++)
        rc = run_call(o, i);
    return rc ? rc : end_block(o);
}

static rc_t begin(ex_simulate_t *s, const ex_run_t *on)
{
    if (s->began) {
        ex_roots_clear(&s->roots);
        return RC_OK;
    }
    arena_init(&s->nodes, NODES_MAX);
    arena_init(&s->scratch, SCRATCH_MAX);
    s->began = true;
    return ex_roots_init(&s->roots, &s->nodes, on->host->seed);
}

rc_t ex_simulate_run(ex_program_t *p, err_t *e, const ex_run_t *on)
{
    ex_simulate_t *s = simulate_of(p);
    const ex_block_t *base = on->config->block;
    sim_t sim = { .s = s,
                  .on = on,
                  .e = e,
                  .budget = on->config->gas_cap ? on->config->gas_cap : EX_GAS_CAP,
                  .state_root = base->state_root,
                  .parent = header_of_base(base, on->config->chain),
                  .parent_hash = base->block_hash };
    rc_t rc = begin(s, on);
    s->roots.expired = on->host->expired;
    s->roots.expired_ctx = on->host->ctx;
    sim.done = arena_calloc(on->arena, s->block_count, sizeof *sim.done);
    if (!rc && !sim.done)
        rc = RC_NOMEM;
    if (!rc)
        rc = ex_layer_init(&sim.state, on->arena, on->host);
    sim.state.hook_ctx = &sim;
    sim.state.block_hash = simulated_hash;
    for (size_t i = 0; !rc && i < s->block_count; i++)
        rc = run_block(&sim, &s->blocks[i]);
    s->results = sim.done;
    s->result_count = sim.count;
    return rc;
}

/* ---- what the roots lack ---- */

size_t ex_simulate_wants(ex_program_t *p, const need_t **out)
{
    ex_simulate_t *s = simulate_of(p);
    size_t n = 0;
    s->wanted = s->began ? arena_calloc(&s->nodes, s->roots.gap_count, sizeof *s->wanted) : NULL;
    for (const ex_gap_t *g = s->wanted ? s->roots.gaps : NULL; g; g = g->next)
        s->wanted[n++] = (need_t){ .addr = g->addr, .slots = &g->slot, .slot_count = g->has_slot };
    *out = s->wanted;
    return n;
}

rc_t ex_simulate_proven(ex_program_t *p, const ex_proof_answer_t *proof)
{
    ex_simulate_t *s = simulate_of(p);
    return s->began ? ex_roots_learn(&s->roots, proof) : RC_OK;
}

void ex_simulate_clear(ex_program_t *p)
{
    ex_simulate_t *s = simulate_of(p);
    if (s->began) {
        arena_free(&s->nodes);
        arena_free(&s->scratch);
    }
    s->began = false;
}
