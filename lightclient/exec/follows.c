/* Headers after their parents. */
#include "lightclient/exec/block.h"
#include "lightclient/exec/transaction.h"

#define GAS_LIMIT_MIN 5000u
#define GAS_LIMIT_STEP 1024u  /* the limit changes by less than parent's / this */
#define GAS_TARGET_DIVISOR 2u /* EIP-1559: gas target is the limit / this */
#define BASE_FEE_STEP 8u      /* EIP-1559: the base fee changes by at most 1 / this */
#define BLOB_BASE_COST 8192u  /* EIP-7918 */
#define BLOB_GAS 131072u      /* EIP-4844: gas of one blob */

static bool gas_limit_valid(const ex_header_t *h, const ex_header_t *parent)
{
    uint64_t step = parent->gas_limit / GAS_LIMIT_STEP;
    uint64_t apart =
        h->gas_limit > parent->gas_limit ? h->gas_limit - parent->gas_limit : parent->gas_limit - h->gas_limit;
    return apart < step && h->gas_limit >= GAS_LIMIT_MIN && h->gas_limit <= INT64_MAX;
}

u256_t ex_base_fee_after(const u256_t *base_fee, uint64_t gas_limit, uint64_t gas_used)
{
    uint64_t target = gas_limit / GAS_TARGET_DIVISOR;
    u256_t divisor = u256_of(target), eight = u256_of(BASE_FEE_STEP), one = u256_of(1);
    bool more = gas_used > target;
    u256_t apart = u256_of(more ? gas_used - target : target - gas_used);
    u256_t step = u256_mul(base_fee, &apart);
    u256_divmod(&step, NULL, &step, &divisor);
    u256_divmod(&step, NULL, &step, &eight);
    if (more && u256_is_zero(&step))
        step = one;
    return more ? u256_add(base_fee, &step) : u256_sub(base_fee, &step);
}

/* EIP-4844, and the reserve price of EIP-7918. */
uint64_t ex_excess_blob_gas_after(const ex_header_t *parent, const evm_rules_t *rules)
{
    if (parent->tail < 5)
        return 0;
    uint64_t target = rules->blob_target * BLOB_GAS, sum;
    if (__builtin_add_overflow(parent->excess_blob_gas, parent->blob_gas_used, &sum))
        return UINT64_MAX; /* no chain gets there */
    if (sum < target)
        return 0;
    u256_t reserve = u256_of(BLOB_BASE_COST), blob_gas = u256_of(BLOB_GAS);
    u256_t price = evm_blob_base_fee(rules, parent->excess_blob_gas);
    reserve = u256_mul(&reserve, &parent->base_fee);
    price = u256_mul(&price, &blob_gas);
    if (rules->fork >= EVM_OSAKA && u256_lt(&price, &reserve))
        return parent->excess_blob_gas +
               parent->blob_gas_used * (rules->blob_max - rules->blob_target) / rules->blob_max;
    return sum - target;
}

rc_t ex_excess_fits(err_t *e, uint64_t excess_blob_gas, uint64_t timestamp, const ex_header_t *parent,
                    const evm_chain_t *chain)
{
    const evm_rules_t *rules = evm_chain_rules(chain, timestamp);
    if ((unsigned)rules->fork >= EVM_FORKS || !rules->blob_max)
        return RC_OK;
    const uint64_t due = ex_excess_blob_gas_after(parent, rules);
    if (excess_blob_gas == due)
        return RC_OK;
    return err_set(
        e, RC_UNSUPPORTED,
        "the execution block's excess blob gas is %llu, and by this network's blob schedule it would be %llu",
        (unsigned long long)excess_blob_gas, (unsigned long long)due);
}

static rc_t check_blobs(err_t *e, const ex_header_t *h, const ex_header_t *parent, const evm_rules_t *rules)
{
    if (h->blob_gas_used % BLOB_GAS || h->blob_gas_used / BLOB_GAS > rules->blob_max)
        return err_say(e, RC_REFUSED, "blob gas used out of range");
    if (h->excess_blob_gas != ex_excess_blob_gas_after(parent, rules))
        return err_say(e, RC_REFUSED, "another excess blob gas");
    return RC_OK;
}

/* What the merge has made constant (EIP-3675). */
static rc_t check_constants(err_t *e, const ex_header_t *h)
{
    static const uint8_t no_nonce[sizeof h->nonce];
    if (!u256_is_zero(&h->difficulty))
        return err_say(e, RC_REFUSED, "difficulty is not zero");
    if (memcmp(h->nonce, no_nonce, sizeof no_nonce))
        return err_say(e, RC_REFUSED, "nonce is not zero");
    return hash32_eq(&h->ommers_hash, &EX_NO_OMMERS) ? RC_OK : err_say(e, RC_REFUSED, "ommers");
}

rc_t ex_header_follows(err_t *e, const ex_header_t *h, const ex_header_t *parent, const hash32_t *parent_hash,
                       const evm_chain_t *chain)
{
    const evm_rules_t *rules = evm_chain_rules(chain, h->timestamp);
    if (rules->fork < EVM_PARIS || rules->fork >= EVM_FORKS)
        return err_say(e, RC_UNSUPPORTED, "the header's fork is older than Paris or newer than this build");
    if (!hash32_eq(&h->parent_hash, parent_hash))
        return err_say(e, RC_REFUSED, "another parent");
    if (parent->number == UINT64_MAX || h->number != parent->number + 1)
        return err_say(e, RC_REFUSED, "number is not the parent's and one");
    if (h->timestamp <= parent->timestamp)
        return err_say(e, RC_REFUSED, "not later than the parent");
    if (!gas_limit_valid(h, parent))
        return err_say(e, RC_REFUSED, "gas limit too far from the parent's, or out of range");
    if (h->gas_used > h->gas_limit)
        return err_say(e, RC_REFUSED, "gas used above the limit");
    if (h->tail != ex_header_tail(rules->fork))
        return err_say(e, RC_REFUSED, "fields of another fork");
    if (parent->tail < 1)
        return err_say(e, RC_REFUSED, "parent is older than London");
    u256_t base_fee = ex_base_fee_after(&parent->base_fee, parent->gas_limit, parent->gas_used);
    if (!u256_eq(&h->base_fee, &base_fee))
        return err_say(e, RC_REFUSED, "another base fee");
    rc_t rc = check_constants(e, h);
    return rc || h->tail < 5 ? rc : check_blobs(e, h, parent, rules);
}
