#include "lightclient/evm/evm.h"

/* Blob parameters: target, maximum, update fraction. EIP-7840 and EIP-7892; EIP-7691 for Prague. Then the state gas of
 * EIP-8037. */
#define NO_BLOBS 0, 0, 0, NULL
#define BLOBS_CANCUN 3, 6, 3338477, NULL
#define BLOBS_PRAGUE 6, 9, 5007716, NULL
#define BLOBS_BPO1 10, 15, 8346193, NULL
#define BLOBS_BPO2 14, 21, 11684671, NULL
#define AMSTERDAM_BPO2 14, 21, 11684671, &EVM_STATE_GAS_SEPOLIA

/* Activation times as in the networks' published genesis files. A light client begins after the merge: row 0 is Paris
 * where the chain is older. */
static const evm_schedule_row_t mainnet[] = {
    { 0, { EVM_PARIS, NO_BLOBS } },
    { 1681338455, { EVM_SHANGHAI, NO_BLOBS } },
    { 1710338135, { EVM_CANCUN, BLOBS_CANCUN } },
    { 1746612311, { EVM_PRAGUE, BLOBS_PRAGUE } },
    { 1764798551, { EVM_OSAKA, BLOBS_PRAGUE } },
    { 1765290071, { EVM_OSAKA, BLOBS_BPO1 } },
    { 1767747671, { EVM_OSAKA, BLOBS_BPO2 } },
};
static const evm_schedule_row_t sepolia[] = {
    { 0, { EVM_PARIS, NO_BLOBS } },
    { 1677557088, { EVM_SHANGHAI, NO_BLOBS } },
    { 1706655072, { EVM_CANCUN, BLOBS_CANCUN } },
    { 1741159776, { EVM_PRAGUE, BLOBS_PRAGUE } },
    { 1760427360, { EVM_OSAKA, BLOBS_PRAGUE } },
    { 1761017184, { EVM_OSAKA, BLOBS_BPO1 } },
    { 1761607008, { EVM_OSAKA, BLOBS_BPO2 } },
    { 1791294816, { EVM_AMSTERDAM, AMSTERDAM_BPO2 } },
};
static const evm_schedule_row_t hoodi[] = {
    { 0, { EVM_CANCUN, BLOBS_CANCUN } },         { 1742999832, { EVM_PRAGUE, BLOBS_PRAGUE } },
    { 1761677592, { EVM_OSAKA, BLOBS_PRAGUE } }, { 1762365720, { EVM_OSAKA, BLOBS_BPO1 } },
    { 1762955544, { EVM_OSAKA, BLOBS_BPO2 } },
};

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

const evm_chain_t EVM_MAINNET = { 1, mainnet, COUNT(mainnet) };
const evm_chain_t EVM_SEPOLIA = { 11155111, sepolia, COUNT(sepolia) };
const evm_chain_t EVM_HOODI = { 560048, hoodi, COUNT(hoodi) };

const evm_rules_t *evm_chain_rules(const evm_chain_t *chain, uint64_t timestamp)
{
    size_t i = chain->count - 1;
    while (i > 0 && timestamp < chain->rows[i].timestamp)
        i--;
    return &chain->rows[i].rules;
}

#define FEE_EXPONENT_MAX 130u /* e^130 < 2^188: the sums below then stay under 2^256 */

u256_t evm_blob_base_fee(const evm_rules_t *rules, uint64_t excess_blob_gas)
{
    uint64_t fraction = rules->blob_base_fee_update_fraction;
    if (fraction == 0)
        return u256_of(0);
    if (excess_blob_gas / fraction >= FEE_EXPONENT_MAX)
        return (u256_t){ { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } };
    u256_t sum = u256_of(0), term = u256_of(fraction), excess = u256_of(excess_blob_gas), unit = u256_of(fraction);
    for (uint64_t i = 1; !u256_is_zero(&term); i++) { /* the terms of the exponential's Taylor series */
        u256_t step = u256_of(i);
        sum = u256_add(&sum, &term);
        term = u256_mul(&term, &excess);
        step = u256_mul(&step, &unit);
        u256_divmod(&term, NULL, &term, &step);
    }
    u256_divmod(&sum, NULL, &sum, &unit);
    return sum;
}
