/* gas.h - what differs between forks in prices, limits and rules, one row for each fork.
 *
 * Spec:   ethereum/execution-specs, Berlin to Osaka; the EIP of each column is named
 * Floor:  2, evm. No heap, I/O, clock or thread.
 */
#ifndef EVM_GAS_H
#define EVM_GAS_H

#include "lightclient/evm/evm.h"

/* Rules of MODEXP: prices, and with EIP-7883 the bounds of EIP-7823. No fork from Berlin on has those of EIP-198; they
 * are here for the published prices. */
typedef enum { MODEXP_EIP198, MODEXP_EIP2565, MODEXP_EIP7883 } modexp_rules_t;

typedef struct {
    /* state access, EIP-2929 and EIP-3529 */
    int64_t cold_account; /* first touch of an account in a transaction, whole price */
    int64_t cold_slot;    /* first touch of a slot: whole price of SLOAD, surcharge of SSTORE */
    int64_t warm;         /* any later touch */
    int64_t sstore_set;   /* zero to not zero */
    int64_t sstore_reset; /* not zero to another value */
    int64_t sstore_clear_refund;
    int64_t selfdestruct_refund;
    int64_t refund_divisor; /* at most gas used / this is refunded */

    /* contract creation */
    bool reject_ef_code;       /* EIP-3541 */
    size_t initcode_max;       /* EIP-3860; bytes */
    int64_t initcode_word_gas; /* EIP-3860 */
    bool destroy_only_created; /* EIP-6780 */

    /* transactions */
    bool warm_coinbase;      /* EIP-3651 */
    bool has_delegation;     /* EIP-7702 */
    int64_t floor_token_gas; /* EIP-7623; 0: no floor */
    uint64_t tx_gas_max;     /* EIP-7825 */
    uint8_t tx_type_max;     /* newest EIP-2718 type */
    uint64_t tx_blob_max;    /* EIP-7594; blobs of one transaction */

    modexp_rules_t modexp;
} evm_params_t;

/* Prices that no fork from Berlin on has changed. */
#define GAS_TX 21000
#define GAS_TX_CREATE 32000
#define GAS_TX_DATA_ZERO 4
#define GAS_TX_DATA_NONZERO 16
#define GAS_TX_ACCESS_ADDRESS 2400
#define GAS_TX_ACCESS_KEY 1900
#define GAS_TX_AUTHORIZATION 25000     /* EIP-7702 PER_EMPTY_ACCOUNT_COST */
#define GAS_AUTHORIZATION_REFUND 12500 /* EIP-7702: of these, when the authority exists */
#define GAS_CALL_VALUE 9000
#define GAS_CALL_STIPEND 2300
#define GAS_NEW_ACCOUNT 25000
#define GAS_CODE_BYTE 200 /* deployed code */
#define GAS_COPY_WORD 3
#define GAS_KECCAK_WORD 6
#define GAS_EXP_BYTE 50
#define GAS_LOG_BYTE 8
#define GAS_MEMORY_WORD 3
#define GAS_MEMORY_SQUARE 512 /* words squared, divided by this */
#define GAS_PER_BLOB 131072

#define EVM_CODE_MAX 24576u /* EIP-170; bytes of deployed code */
#define EVM_DEPTH_MAX 1024u
#define EVM_STACK_MAX 1024u

/* The row of a fork; NULL for one that this build does not know. */
const evm_params_t *evm_params(evm_fork_t fork);

#endif
