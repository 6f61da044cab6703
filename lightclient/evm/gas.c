#include "lightclient/evm/gas.h"

/* Forks before Amsterdam know one kind of gas. */
static const evm_state_gas_t none = { .execution_max = INT64_MAX, .tx_gas_max = UINT64_MAX };

const evm_state_gas_t EVM_STATE_GAS_DEVNET = { .byte = 1530,
                                               .account = 120 * 1530,
                                               .slot = 64 * 1530,
                                               .delegation = 23 * 1530,
                                               .execution_max = 1 << 24,
                                               .tx_gas_max = UINT64_MAX,
                                               .repays = false };

const evm_state_gas_t EVM_STATE_GAS_SEPOLIA = { .byte = 1530,
                                                .account = 120 * 1530,
                                                .slot = 64 * 1530,
                                                .delegation = 23 * 1530,
                                                .execution_max = 1 << 24,
                                                .tx_gas_max = UINT32_MAX,
                                                .repays = true };

/* What no fork from Berlin to Osaka has changed. */
#define UNTIL_OSAKA                                                                                                    \
    .cold_account = 2600, .cold_slot = 2100, .cold_sstore = 2100, .warm = 100, .code_read = 0, .sstore_set = 20000,    \
    .sstore_reset = 2900, .call_value = 9000, .new_account = 25000, .new_heir = 25000, .transfer_logs = false,         \
    .create = 32000, .code_byte = 200, .code_word = 0, .code_max = 24576, .storage_collides = true,                    \
    .destroy_keeps_balance = false, .tx_base = 21000, .tx_recipient = 0, .tx_value = 0, .tx_create = 32000,            \
    .tx_access_address = 2400, .tx_access_key = 1900, .tx_access_byte = 0, .tx_authorization = 25000,                  \
    .authorization_refund = 12500, .authorization_write = 0, .delegate_paid = false, .floor_create = 0,                \
    .block_counts_refund = true, .state_gas = &none

/* Rows repeat what else did not change, so that each can be read alone; what a fork changed is marked. */
/* clang-format off */
static const evm_params_t rows[] = {
    [EVM_BERLIN] = { UNTIL_OSAKA,
                     .sstore_clear_refund = 15000, .selfdestruct_refund = 24000, .refund_divisor = 2,
                     .reject_ef_code = false, .initcode_max = SIZE_MAX, .initcode_word_gas = 0,
                     .destroy_only_created = false, .warm_coinbase = false, .has_delegation = false,
                     .floor_zero = 0, .floor_other = 0, .tx_gas_max = UINT64_MAX, .tx_type_max = 1,
                     .tx_blob_max = 0, .modexp = MODEXP_EIP2565 },
    [EVM_LONDON] = { UNTIL_OSAKA,
                     .sstore_clear_refund = 4800, .selfdestruct_refund = 0, .refund_divisor = 5, /* EIP-3529 */
                     .reject_ef_code = true, /* EIP-3541 */
                     .initcode_max = SIZE_MAX, .initcode_word_gas = 0, .destroy_only_created = false,
                     .warm_coinbase = false, .has_delegation = false, .floor_zero = 0, .floor_other = 0,
                     .tx_gas_max = UINT64_MAX, .tx_type_max = 2, /* EIP-1559 */
                     .tx_blob_max = 0, .modexp = MODEXP_EIP2565 },
    [EVM_PARIS] = { UNTIL_OSAKA,
                    .sstore_clear_refund = 4800, .selfdestruct_refund = 0, .refund_divisor = 5,
                    .reject_ef_code = true, .initcode_max = SIZE_MAX, .initcode_word_gas = 0,
                    .destroy_only_created = false, .warm_coinbase = false, .has_delegation = false, .floor_zero = 0,
                    .floor_other = 0, .tx_gas_max = UINT64_MAX, .tx_type_max = 2, .tx_blob_max = 0,
                    .modexp = MODEXP_EIP2565 },
    [EVM_SHANGHAI] = { UNTIL_OSAKA,
                       .sstore_clear_refund = 4800, .selfdestruct_refund = 0, .refund_divisor = 5,
                       .reject_ef_code = true, .initcode_max = 49152, .initcode_word_gas = 2, /* EIP-3860 */
                       .destroy_only_created = false, .warm_coinbase = true, /* EIP-3651 */
                       .has_delegation = false, .floor_zero = 0, .floor_other = 0, .tx_gas_max = UINT64_MAX,
                       .tx_type_max = 2, .tx_blob_max = 0, .modexp = MODEXP_EIP2565 },
    [EVM_CANCUN] = { UNTIL_OSAKA,
                     .sstore_clear_refund = 4800, .selfdestruct_refund = 0, .refund_divisor = 5,
                     .reject_ef_code = true, .initcode_max = 49152, .initcode_word_gas = 2,
                     .destroy_only_created = true, /* EIP-6780 */
                     .warm_coinbase = true, .has_delegation = false, .floor_zero = 0, .floor_other = 0,
                     .tx_gas_max = UINT64_MAX, .tx_type_max = 3,
                     .tx_blob_max = UINT64_MAX, /* EIP-4844; the block's maximum holds */
                     .modexp = MODEXP_EIP2565 },
    [EVM_PRAGUE] = { UNTIL_OSAKA,
                     .sstore_clear_refund = 4800, .selfdestruct_refund = 0, .refund_divisor = 5,
                     .reject_ef_code = true, .initcode_max = 49152, .initcode_word_gas = 2,
                     .destroy_only_created = true, .warm_coinbase = true, .has_delegation = true, /* EIP-7702 */
                     .floor_zero = 10, .floor_other = 40, /* EIP-7623 */
                     .tx_gas_max = UINT64_MAX, .tx_type_max = 4, .tx_blob_max = UINT64_MAX,
                     .modexp = MODEXP_EIP2565 },
    [EVM_OSAKA] = { UNTIL_OSAKA,
                    .sstore_clear_refund = 4800, .selfdestruct_refund = 0, .refund_divisor = 5,
                    .reject_ef_code = true, .initcode_max = 49152, .initcode_word_gas = 2,
                    .destroy_only_created = true, .warm_coinbase = true, .has_delegation = true, .floor_zero = 10,
                    .floor_other = 40, .tx_gas_max = 1u << 24, /* EIP-7825 */
                    .tx_type_max = 4, .tx_blob_max = 6, /* EIP-7594 */
                    .modexp = MODEXP_EIP7883 }, /* EIP-7823, EIP-7883 */
    [EVM_AMSTERDAM] = { .cold_account = 3000,                  /* EIP-8038 */
                        .cold_slot = 2100,
                        .cold_sstore = 2000, /* EIP-8038 */
                        .warm = 100,
                        .code_read = 100,             /* EIP-8038 */
                        .sstore_set = 10100,          /* EIP-8038: 10000 for the first write, and the warm price */
                        .sstore_reset = 10100,        /* EIP-8038 */
                        .sstore_clear_refund = 11616, /* EIP-8038 */
                        .selfdestruct_refund = 0,
                        .refund_divisor = 5,
                        .call_value = 11300,   /* EIP-8038 */
                        .new_account = 0,      /* EIP-8037: state gas */
                        .new_heir = 9000,      /* EIP-8038 */
                        .transfer_logs = true, /* EIP-7708 */
                        .create = 12000,       /* EIP-8038 */
                        .code_byte = 0,        /* EIP-8037: state gas */
                        .code_word = 6,        /* EIP-8037 */
                        .code_max = 65536,     /* EIP-7954 */
                        .reject_ef_code = true,
                        .storage_collides = false,
                        .initcode_max = 131072, /* EIP-7954 */
                        .initcode_word_gas = 2,
                        .destroy_only_created = true,
                        .destroy_keeps_balance = true, /* EIP-8246 */
                        .tx_base = 12000,              /* EIP-2780 */
                        .tx_recipient = 3000,          /* EIP-2780 */
                        .tx_value = 6000,              /* EIP-2780 */
                        .tx_create = 12000,            /* EIP-2780 */
                        .tx_access_address = 2900,     /* EIP-8038 */
                        .tx_access_key = 2000,         /* EIP-8038 */
                        .tx_access_byte = 64,          /* EIP-7981 */
                        .tx_authorization = 7816,      /* EIP-2780 */
                        .authorization_refund = 0,     /* EIP-2780 */
                        .authorization_write = 9000,   /* EIP-2780 */
                        .warm_coinbase = true,
                        .has_delegation = true,
                        .delegate_paid = true,        /* EIP-2780 */
                        .floor_zero = 64,             /* EIP-7976 */
                        .floor_other = 64,            /* EIP-7976 */
                        .floor_create = 12000,        /* EIP-2780 */
                        .tx_gas_max = UINT64_MAX,     /* EIP-8037: see the state gas */
                        .block_counts_refund = false, /* EIP-7778 */
                        .state_gas = &EVM_STATE_GAS_SEPOLIA,
                        .tx_type_max = 4,
                        .tx_blob_max = 6,
                        .modexp = MODEXP_EIP7883 },
};
/* clang-format on */

_Static_assert(sizeof rows / sizeof rows[0] == EVM_FORKS, "each known fork has its prices");

const evm_state_gas_t *evm_state_gas(const evm_rules_t *rules)
{
    const evm_state_gas_t *own = rows[rules->fork].state_gas;
    return own != &none && rules->state_gas ? rules->state_gas : own;
}

uint64_t evm_tx_execution_gas_max(const evm_rules_t *rules)
{
    return (uint64_t)evm_state_gas(rules)->execution_max;
}

const evm_params_t *evm_params(evm_fork_t fork)
{
    return (size_t)fork < EVM_FORKS ? &rows[fork] : NULL;
}
