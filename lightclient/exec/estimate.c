#include "lightclient/exec/estimate.h"

#include "base/crypto/hash.h"

#include "lightclient/evm/gas.h"
#include "lightclient/exec/message.h"

#define TRANSFER_GAS 21000u
#define ERROR_RATIO 0.015
#define STIPEND 2300u /* geth's slack for calls with value */

static ex_estimate_t *estimate_of(ex_program_t *p)
{
    return (ex_estimate_t *)(void *)p;
}

/* One run. *failed: more gas might help. */
static rc_t execute(bool *failed, evm_result_t *out, err_t *e, const ex_run_t *on, uint64_t gas)
{
    rc_t rc = ex_message_run(
        out, e, on->arena, on->host, on->guessed,
        &(ex_message_t){ .rules = on->rules, .env = on->env, .request = on->config->request, .gas = gas });
    if (*on->guessed)
        return rc ? rc : RC_NEED_DATA;
    if (rc == RC_REFUSED && e && e->code == EX_MESSAGE_INTRINSIC) {
        *out = (evm_result_t){ .status = EVM_HALT, .halt = EVM_HALT_OUT_OF_GAS };
        rc = RC_OK;
    }
    *failed = !rc && out->status != EVM_SUCCESS;
    return rc;
}

/* The same, when only success matters: keeps no memory. */
static rc_t attempt(bool *failed, err_t *e, const ex_run_t *on, uint64_t gas)
{
    evm_result_t result;
    const arena_mark_t mark = arena_mark(on->arena);
    const rc_t rc = execute(failed, &result, e, on, gas);
    arena_rollback(on->arena, mark);
    return rc;
}

/* Lowers the limit to what the sender can pay. */
static rc_t cap_by_funds(uint64_t *limit, err_t *e, const ex_run_t *on)
{
    const ex_request_t *q = on->config->request;
    evm_account_t sender;
    if (!q->has_gas_price || u256_is_zero(&q->gas_price))
        return RC_OK;
    rc_t rc = on->host->account(on->host->ctx, &sender, &q->from);
    if (rc || *on->guessed)
        return rc ? rc : RC_NEED_DATA;
    if (!u256_is_zero(&q->value) && !u256_lt(&q->value, &sender.balance))
        return err_say(e, RC_REFUSED, "insufficient funds for transfer");
    u256_t left = u256_sub(&sender.balance, &q->value);
    if (q->blob_count) {
        u256_t high, blobs = u256_of((uint64_t)GAS_PER_BLOB * q->blob_count);
        blobs = u256_mul_wide(&high, &blobs, &q->max_blob_fee);
        if (!u256_is_zero(&high) || !u256_lt(&blobs, &left))
            return err_say(e, RC_REFUSED, "insufficient funds for gas * price + value");
        left = u256_sub(&left, &blobs);
    }
    u256_divmod(&left, NULL, &left, &q->gas_price);
    if (u256_fits_u64(&left) && *limit > left.w[0])
        *limit = left.w[0];
    return RC_OK;
}

static rc_t highest(uint64_t *out, err_t *e, const ex_run_t *on)
{
    const ex_request_t *q = on->config->request;
    const uint64_t cap = on->config->gas_cap ? on->config->gas_cap : EX_GAS_CAP;
    const uint64_t asked = q->has_gas && q->gas > cap ? cap : q->gas;
    const uint64_t tx_max = evm_params(on->rules->fork)->tx_gas_max;
    uint64_t limit = q->has_gas && asked >= TRANSFER_GAS ? asked : on->env->gas_limit;
    if (limit > tx_max)
        limit = tx_max;
    const rc_t rc = cap_by_funds(&limit, e, on);
    *out = limit > cap ? cap : limit;
    return rc;
}

/* Whether 21000 is enough for what looks like a plain transfer. */
static rc_t is_transfer(bool *yes, err_t *e, const ex_run_t *on)
{
    const ex_request_t *q = on->config->request;
    evm_account_t to;
    bool failed = true;
    *yes = false;
    if (q->data.n || !q->has_to)
        return RC_OK;
    rc_t rc = on->host->account(on->host->ctx, &to, &q->to);
    if (rc || *on->guessed)
        return rc ? rc : RC_NEED_DATA;
    if (to.exists && !hash32_eq(&to.code_hash, &KECCAK_EMPTY))
        return RC_OK;
    rc = attempt(&failed, e, on, TRANSFER_GAS);
    *yes = !rc && !failed;
    return rc == RC_REFUSED ? RC_OK : rc;
}

/* Halves the range until it is narrow enough. */
static rc_t search(uint64_t *out, err_t *e, const ex_run_t *on, uint64_t low, uint64_t high)
{
    while (low + 1 < high && (double)(high - low) / (double)high >= ERROR_RATIO) {
        uint64_t middle = low + (high - low) / 2;
        bool failed;
        if (middle > low * 2)
            middle = low * 2;
        const rc_t rc = attempt(&failed, e, on, middle);
        if (rc)
            return rc;
        if (failed)
            low = middle;
        else
            high = middle;
    }
    *out = high;
    return RC_OK;
}

static rc_t with_gas(rc_t rc, err_t *e, const ex_run_t *on, uint64_t gas)
{
    if (rc != RC_REFUSED || *on->guessed || !e)
        return rc;
    const err_t why = *e;
    return err_set(e, rc, "failed with %llu gas: %s", (unsigned long long)gas, why.text);
}

rc_t ex_estimate_run(ex_program_t *p, err_t *e, const ex_run_t *on)
{
    ex_estimate_t *x = estimate_of(p);
    bool transfer = false, failed = false;
    uint64_t high = 0;
    rc_t rc = highest(&high, e, on);
    if (!rc)
        rc = is_transfer(&transfer, e, on);
    x->gas = TRANSFER_GAS;
    x->failed = false;
    if (rc || transfer)
        return rc;
    rc = execute(&failed, &x->result, e, on, high);
    if (rc)
        return with_gas(rc, e, on, high);
    x->failed = failed;
    if (failed && x->result.status == EVM_HALT && x->result.halt == EVM_HALT_OUT_OF_GAS)
        return err_set(e, RC_REFUSED, "gas required exceeds allowance (%llu)", (unsigned long long)high);
    if (failed)
        return RC_OK;
    uint64_t low = x->result.gas_used - 1;
    const uint64_t likely = (x->result.gas_peak + STIPEND) * 64 / 63;
    if (likely < high) {
        rc = attempt(&failed, e, on, likely);
        if (rc)
            return with_gas(rc, e, on, likely);
        if (failed)
            low = likely;
        else
            high = likely;
    }
    return search(&x->gas, e, on, low, high);
}
