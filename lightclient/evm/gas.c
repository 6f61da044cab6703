#include "lightclient/evm/gas.h"

/* Rows repeat what did not change, so that each can be read alone; what a fork changed is marked. */
static const evm_params_t rows[] = {
    [EVM_BERLIN] = {
        .cold_account = 2600, .cold_slot = 2100, .warm = 100, .sstore_set = 20000, .sstore_reset = 2900,
        .sstore_clear_refund = 15000, .selfdestruct_refund = 24000, .refund_divisor = 2,
        .reject_ef_code = false, .initcode_max = SIZE_MAX, .initcode_word_gas = 0, .destroy_only_created = false,
        .warm_coinbase = false, .has_delegation = false, .floor_token_gas = 0, .tx_gas_max = UINT64_MAX,
        .tx_type_max = 1, .tx_blob_max = 0, .modexp = MODEXP_EIP2565 },
    [EVM_LONDON] = {
        .cold_account = 2600, .cold_slot = 2100, .warm = 100, .sstore_set = 20000, .sstore_reset = 2900,
        .sstore_clear_refund = 4800, .selfdestruct_refund = 0, .refund_divisor = 5, /* EIP-3529 */
        .reject_ef_code = true, /* EIP-3541 */
        .initcode_max = SIZE_MAX, .initcode_word_gas = 0, .destroy_only_created = false,
        .warm_coinbase = false, .has_delegation = false, .floor_token_gas = 0, .tx_gas_max = UINT64_MAX,
        .tx_type_max = 2, /* EIP-1559 */
        .tx_blob_max = 0, .modexp = MODEXP_EIP2565 },
    [EVM_PARIS] = {
        .cold_account = 2600, .cold_slot = 2100, .warm = 100, .sstore_set = 20000, .sstore_reset = 2900,
        .sstore_clear_refund = 4800, .selfdestruct_refund = 0, .refund_divisor = 5,
        .reject_ef_code = true, .initcode_max = SIZE_MAX, .initcode_word_gas = 0, .destroy_only_created = false,
        .warm_coinbase = false, .has_delegation = false, .floor_token_gas = 0, .tx_gas_max = UINT64_MAX,
        .tx_type_max = 2, .tx_blob_max = 0, .modexp = MODEXP_EIP2565 },
    [EVM_SHANGHAI] = {
        .cold_account = 2600, .cold_slot = 2100, .warm = 100, .sstore_set = 20000, .sstore_reset = 2900,
        .sstore_clear_refund = 4800, .selfdestruct_refund = 0, .refund_divisor = 5,
        .reject_ef_code = true, .initcode_max = 49152, .initcode_word_gas = 2, /* EIP-3860 */
        .destroy_only_created = false, .warm_coinbase = true, /* EIP-3651 */
        .has_delegation = false, .floor_token_gas = 0, .tx_gas_max = UINT64_MAX,
        .tx_type_max = 2, .tx_blob_max = 0, .modexp = MODEXP_EIP2565 },
    [EVM_CANCUN] = {
        .cold_account = 2600, .cold_slot = 2100, .warm = 100, .sstore_set = 20000, .sstore_reset = 2900,
        .sstore_clear_refund = 4800, .selfdestruct_refund = 0, .refund_divisor = 5,
        .reject_ef_code = true, .initcode_max = 49152, .initcode_word_gas = 2,
        .destroy_only_created = true, /* EIP-6780 */
        .warm_coinbase = true, .has_delegation = false, .floor_token_gas = 0, .tx_gas_max = UINT64_MAX,
        .tx_type_max = 3, .tx_blob_max = UINT64_MAX, /* EIP-4844; the block's maximum holds */
        .modexp = MODEXP_EIP2565 },
    [EVM_PRAGUE] = {
        .cold_account = 2600, .cold_slot = 2100, .warm = 100, .sstore_set = 20000, .sstore_reset = 2900,
        .sstore_clear_refund = 4800, .selfdestruct_refund = 0, .refund_divisor = 5,
        .reject_ef_code = true, .initcode_max = 49152, .initcode_word_gas = 2, .destroy_only_created = true,
        .warm_coinbase = true, .has_delegation = true, .tx_type_max = 4, /* EIP-7702 */
        .floor_token_gas = 10, /* EIP-7623 */
        .tx_gas_max = UINT64_MAX, .tx_blob_max = UINT64_MAX, .modexp = MODEXP_EIP2565 },
    [EVM_OSAKA] = {
        .cold_account = 2600, .cold_slot = 2100, .warm = 100, .sstore_set = 20000, .sstore_reset = 2900,
        .sstore_clear_refund = 4800, .selfdestruct_refund = 0, .refund_divisor = 5,
        .reject_ef_code = true, .initcode_max = 49152, .initcode_word_gas = 2, .destroy_only_created = true,
        .warm_coinbase = true, .has_delegation = true, .tx_type_max = 4, .floor_token_gas = 10,
        .tx_gas_max = 1u << 24, /* EIP-7825 */
        .tx_blob_max = 6,       /* EIP-7594 */
        .modexp = MODEXP_EIP7883 }, /* EIP-7823, EIP-7883 */
};

const evm_params_t *evm_params(evm_fork_t fork)
{
    return (size_t)fork < sizeof rows / sizeof rows[0] ? &rows[fork] : NULL;
}
