#include "lightclient/exec/message.h"

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "lightclient/evm/gas.h"
#include "lightclient/exec/layer.h"

#define BLOB_HASH_VERSION 0x01
#define BLOB_GAS 131072u /* EIP-4844: gas of one blob */

const char *ex_addr_text(char out[EX_ADDR_TEXT_MAX], const addr_t *addr)
{
    hash32_t hash;
    out[0] = '0';
    out[1] = 'x';
    hex_encode(out + 2, view_of(addr->b, sizeof addr->b));
    keccak256(&hash, view_of(out + 2, 2 * sizeof addr->b));
    for (unsigned i = 0; i < 2 * sizeof addr->b; i++) {
        const unsigned nibble = hash.b[i / 2] >> (i % 2 ? 0 : 4) & 15;
        if (out[2 + i] >= 'a' && nibble >= 8)
            out[2 + i] = (char)(out[2 + i] - 'a' + 'A');
    }
    return out;
}

const char *ex_decimal_text(char out[EX_DECIMAL_TEXT_MAX], const u256_t *x)
{
    char digits[EX_DECIMAL_TEXT_MAX];
    size_t n = 0;
    u256_t left = *x, digit;
    const u256_t ten = u256_of(10);
    do {
        u256_divmod(&left, &digit, &left, &ten);
        digits[n++] = (char)('0' + digit.w[0]);
    } while (!u256_is_zero(&left));
    for (size_t i = 0; i < n; i++)
        out[i] = digits[n - 1 - i];
    out[n] = 0;
    return out;
}

/* sum += a * b; false when it passes 2^256. */
static bool add_product(u256_t *sum, const u256_t *a, const u256_t *b)
{
    unsigned char carry;
    u256_t high, low = u256_mul_wide(&high, a, b);
    *sum = u256_add_carry(sum, &low, &carry);
    return !carry && u256_is_zero(&high);
}

u256_t ex_message_price(const ex_request_t *q, const u256_t *base_fee)
{
    unsigned char carry;
    if (!q->dynamic_fee)
        return q->has_gas_price ? q->gas_price : u256_of(0);
    if (u256_is_zero(&q->gas_price) && u256_is_zero(&q->max_priority_fee))
        return u256_of(0);
    const u256_t price = u256_add_carry(base_fee, &q->max_priority_fee, &carry);
    return carry || u256_lt(&q->gas_price, &price) ? q->gas_price : price;
}

/* The most and the first that the sender offers for a unit of gas. */
static u256_t fee_cap(const ex_request_t *q)
{
    return q->has_gas_price ? q->gas_price : u256_of(0);
}

static u256_t tip_cap(const ex_request_t *q)
{
    return q->dynamic_fee ? q->max_priority_fee : fee_cap(q);
}

static rc_t check_fees(err_t *e, const ex_message_t *m, const u256_t *base_fee)
{
    const ex_request_t *q = m->request;
    char addr[EX_ADDR_TEXT_MAX], a[EX_DECIMAL_TEXT_MAX], b[EX_DECIMAL_TEXT_MAX];
    const u256_t cap = fee_cap(q), tip = tip_cap(q);
    rc_t rc = RC_OK;
    if (!m->strict && u256_is_zero(&cap) && u256_is_zero(&tip))
        return RC_OK;
    if (u256_lt(&cap, &tip)) {
        rc = err_set(e, RC_REFUSED,
                     "max priority fee per gas higher than max fee per gas: address %s, maxPriorityFeePerGas: %s, "
                     "maxFeePerGas: %s",
                     ex_addr_text(addr, &q->from), ex_decimal_text(a, &tip), ex_decimal_text(b, &cap));
        return err_code(e, rc, EX_MESSAGE_TIP);
    }
    if (u256_lt(&cap, base_fee))
        rc = err_set(e, RC_REFUSED,
                     "max fee per gas less than block base fee: address %s, maxFeePerGas: %s, baseFee: %s",
                     ex_addr_text(addr, &q->from), ex_decimal_text(a, &cap), ex_decimal_text(b, base_fee));
    return err_code(e, rc, EX_MESSAGE_FEE);
}

static rc_t check_blobs(err_t *e, const ex_message_t *m, const u256_t *blob_base_fee)
{
    const ex_request_t *q = m->request;
    const evm_params_t *params = evm_params(m->rules->fork);
    char addr[EX_ADDR_TEXT_MAX], a[EX_DECIMAL_TEXT_MAX], b[EX_DECIMAL_TEXT_MAX];
    if (!q->has_blobs)
        return RC_OK;
    if (!q->has_to)
        return err_say(e, RC_REFUSED, "blob transaction of type create");
    if (!q->blob_count)
        return err_say(e, RC_REFUSED, "blob transaction missing blob hashes");
    if (m->rules->fork >= EVM_OSAKA && q->blob_count > params->tx_blob_max)
        return err_say(e, RC_REFUSED, "blob transaction has too many blobs");
    for (size_t i = 0; i < q->blob_count; i++)
        if (q->blob_hashes[i].b[0] != BLOB_HASH_VERSION)
            return err_set(e, RC_REFUSED, "blob %zu has invalid hash version", i);
    if (u256_is_zero(&q->max_blob_fee) || !u256_lt(&q->max_blob_fee, blob_base_fee))
        return RC_OK;
    return err_set(e, RC_REFUSED,
                   "max fee per blob gas less than block blob gas fee: address %s blobGasFeeCap: %s, blobBaseFee: %s",
                   ex_addr_text(addr, &q->from), ex_decimal_text(a, &q->max_blob_fee),
                   ex_decimal_text(b, blob_base_fee));
}

static rc_t check_form(err_t *e, const ex_message_t *m)
{
    const ex_request_t *q = m->request;
    const size_t most = evm_params(m->rules->fork)->initcode_max;
    char addr[EX_ADDR_TEXT_MAX];
    if (q->has_authorizations && (!q->has_to || !q->authorization_count))
        return err_set(e, RC_REFUSED, "EIP-7702 transaction %s (sender %s)",
                       q->has_to ? "with empty auth list" : "cannot be used to create contract",
                       ex_addr_text(addr, &q->from));
    if (!q->has_to && q->data.n > most)
        return err_code(e,
                        err_set(e, RC_REFUSED, "max initcode size exceeded: code size %zu limit %zu", q->data.n, most),
                        EX_MESSAGE_INITCODE);
    return RC_OK;
}

/* What the sender must have, and what is taken from it before the call. False: more than 256 bits. */
static bool costs(u256_t *most, u256_t *fee, const ex_message_t *m, const evm_tx_t *tx, const u256_t *blob_base_fee)
{
    const ex_request_t *q = m->request;
    const u256_t gas = u256_of(m->gas), blob_gas = u256_of(BLOB_GAS * q->blob_count), cap = fee_cap(q);
    *most = q->value;
    *fee = u256_of(0);
    return add_product(most, &cap, &gas) && add_product(fee, &tx->gas_price, &gas) &&
           add_product(most, &q->max_blob_fee, &blob_gas) && add_product(fee, blob_base_fee, &blob_gas);
}

/* Whether the sender has what it may cost. Fills its account when it costs anything, and what is taken before the
 * call. */
static rc_t check_funds(evm_account_t *sender, u256_t *fee, err_t *e, const evm_host_t *host, const bool *guessed,
                        const ex_message_t *m, const evm_tx_t *tx, const u256_t *blob_base_fee)
{
    char addr[EX_ADDR_TEXT_MAX], have[EX_DECIMAL_TEXT_MAX], want[EX_DECIMAL_TEXT_MAX];
    u256_t most;
    rc_t rc = RC_OK;
    if (!costs(&most, fee, m, tx, blob_base_fee))
        rc = err_set(e, RC_REFUSED,
                     "insufficient funds for gas * price + value: address %s required balance exceeds 256 bits",
                     ex_addr_text(addr, &tx->from));
    if (rc || (u256_is_zero(&most) && u256_is_zero(fee)))
        return err_code(e, rc, EX_MESSAGE_FUNDS);
    rc = host->account(host->ctx, sender, &tx->from);
    if (rc || *guessed || !u256_lt(&sender->balance, &most))
        return rc;
    rc = err_set(e, RC_REFUSED, "insufficient funds for gas * price + value: address %s have %s want %s",
                 ex_addr_text(addr, &tx->from), ex_decimal_text(have, &sender->balance), ex_decimal_text(want, &most));
    return err_code(e, rc, EX_MESSAGE_FUNDS);
}

/* What it needs before it begins. */
static rc_t check_gas(err_t *e, const ex_message_t *m, const evm_tx_t *tx)
{
    evm_tx_gas_t due;
    evm_tx_t asked = *tx;
    asked.gas = INT64_MAX;
    evm_tx_price(&due, m->rules, &asked);
    if (due.intrinsic > m->gas)
        return err_code(e,
                        err_set(e, RC_REFUSED, "intrinsic gas too low: have %llu, want %llu",
                                (unsigned long long)m->gas, (unsigned long long)due.intrinsic),
                        EX_MESSAGE_INTRINSIC);
    if (due.floor > m->gas)
        return err_set(e, RC_REFUSED, "insufficient gas for floor data gas cost: have %llu, want %llu",
                       (unsigned long long)m->gas, (unsigned long long)due.floor);
    const uint64_t first = due.floor > due.intrinsic ? due.floor : due.intrinsic,
                   most = evm_tx_execution_gas_max(m->rules);
    return first <= most
               ? RC_OK
               : err_set(e, RC_REFUSED, "gas due before execution is above a transaction's limit: %llu of %llu",
                         (unsigned long long)first, (unsigned long long)most);
}

/* Why the EVM would not start it. */
static rc_t refusal(err_t *e, const ex_message_t *m, const evm_tx_t *tx)
{
    char addr[EX_ADDR_TEXT_MAX];
    const rc_t rc = check_gas(e, m, tx);
    return rc ? rc
              : err_set(e, RC_REFUSED, "insufficient funds for transfer: address %s", ex_addr_text(addr, &tx->from));
}

static evm_tx_t tx_of(const ex_message_t *m)
{
    const ex_request_t *q = m->request;
    return (evm_tx_t){ .from = q->from,
                       .create = !q->has_to,
                       .to = q->to,
                       .value = q->value,
                       .data = q->data,
                       .gas = m->gas,
                       .gas_price = ex_message_price(q, &m->env->base_fee),
                       .type = q->has_authorizations ? 4
                               : q->has_blobs        ? 3
                               : q->dynamic_fee      ? 2
                                                     : q->access_count > 0,
                       .access = q->access,
                       .access_count = q->access_count,
                       .blob_hashes = q->blob_hashes,
                       .blob_count = q->blob_count,
                       .authorizations = q->authorizations,
                       .authorization_count = q->authorization_count };
}

/* The nonce that the sender has, where it counts. */
static rc_t check_nonce(err_t *e, const evm_host_t *host, const bool *guessed, const ex_message_t *m)
{
    evm_account_t sender;
    char addr[EX_ADDR_TEXT_MAX];
    if (!m->strict)
        return RC_OK;
    rc_t rc = host->account(host->ctx, &sender, &m->request->from);
    if (rc || *guessed)
        return rc;
    (void)ex_addr_text(addr, &m->request->from);
    if (sender.nonce != m->nonce) {
        const bool high = m->nonce > sender.nonce;
        rc = err_set(e, RC_REFUSED, "nonce too %s: address %s, tx: %llu state: %llu", high ? "high" : "low", addr,
                     (unsigned long long)m->nonce, (unsigned long long)sender.nonce);
        return err_code(e, rc, high ? EX_MESSAGE_NONCE_HIGH : EX_MESSAGE_NONCE_LOW);
    }
    return m->nonce != UINT64_MAX ? RC_OK
                                  : err_set(e, RC_REFUSED, "nonce has max value: address %s, nonce: %llu", addr,
                                            (unsigned long long)m->nonce);
}

/* The environment as the message sees it. */
static evm_block_t env_of(const ex_message_t *m, const evm_tx_t *tx)
{
    evm_block_t env = *m->env;
    if (u256_is_zero(&tx->gas_price) && !m->keep_base_fee)
        env.base_fee = u256_of(0);
    if (!env.has_blob_base_fee)
        env.blob_base_fee = evm_blob_base_fee(m->rules, env.excess_blob_gas);
    env.has_blob_base_fee = true;
    if (m->request->has_blobs && u256_is_zero(&m->request->max_blob_fee))
        env.blob_base_fee = u256_of(0);
    return env;
}

/* All that is wrong with it before it costs anything. */
static rc_t check(evm_tx_t *tx, evm_block_t *env, err_t *e, const evm_host_t *host, const bool *guessed,
                  const ex_message_t *m)
{
    if (!evm_params(m->rules->fork))
        return err_say(e, RC_UNSUPPORTED, "the block's fork is newer than this build");
    *tx = tx_of(m);
    *env = env_of(m, tx);
    rc_t rc = check_nonce(e, host, guessed, m);
    if (!rc)
        rc = check_fees(e, m, &env->base_fee);
    if (!rc)
        rc = check_blobs(e, m, &env->blob_base_fee);
    return rc ? rc : check_form(e, m);
}

rc_t ex_message_check(evm_tx_t *tx, evm_block_t *env, err_t *e, const evm_host_t *host, const bool *guessed,
                      const ex_message_t *m)
{
    evm_account_t sender;
    evm_block_t seen;
    evm_tx_t asked;
    u256_t fee;
    rc_t rc = check(&asked, &seen, e, host, guessed, m);
    if (!rc)
        rc = check_funds(&sender, &fee, e, host, guessed, m, &asked, &seen.blob_base_fee);
    if (!rc)
        rc = check_gas(e, m, &asked);
    if (rc)
        return rc;
    *tx = asked;
    *env = seen;
    return RC_OK;
}

rc_t ex_message_run(evm_result_t *out, err_t *e, arena_t *a, const evm_host_t *host, const bool *guessed,
                    const ex_message_t *m)
{
    evm_tx_t tx;
    evm_block_t env;
    ex_layer_t layer;
    u256_t fee = u256_of(0);
    evm_change_t c = { .slot_count = 0 };
    rc_t rc = check(&tx, &env, e, host, guessed, m);
    if (!rc)
        rc = check_funds(&c.account, &fee, e, host, guessed, m, &tx, &env.blob_base_fee);
    if (!rc)
        rc = ex_layer_init(&layer, a, host);
    if (!rc && !*guessed && !u256_is_zero(&fee)) {
        c.addr = tx.from;
        c.account.balance = u256_sub(&c.account.balance, &fee);
        rc = ex_layer_apply(&layer, &c, 1);
    }
    if (rc)
        return rc;
    const evm_host_t charged = ex_layer_host(&layer);
    rc = evm_call(out, a, layer.accts.count ? &charged : host, m->rules, &env, &tx);
    return rc == RC_REFUSED && !*guessed ? refusal(e, m, &tx) : rc;
}
