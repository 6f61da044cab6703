/* gas.h - what differs between forks in prices, limits and rules, one row for each fork.
 *
 * Spec:   ethereum/execution-specs, Berlin to Amsterdam; the EIP of each column is named
 * Floor:  2, evm. No heap, I/O, clock or thread.
 */
#ifndef EVM_GAS_H
#define EVM_GAS_H

#include "lightclient/evm/evm.h"

/* Rules of MODEXP: prices, and with EIP-7883 the bounds of EIP-7823. No fork from Berlin on has those of EIP-198; they
 * are here for the published prices. */
typedef enum { MODEXP_EIP198, MODEXP_EIP2565, MODEXP_EIP7883 } modexp_rules_t;

typedef struct {
    /* state access, EIP-2929, EIP-3529, EIP-8038 */
    int64_t cold_account; /* first touch of an account in a transaction, whole price */
    int64_t cold_slot;    /* first touch of a slot: whole price of SLOAD */
    int64_t cold_sstore;  /* ... surcharge of SSTORE */
    int64_t warm;         /* any later touch */
    int64_t code_read;    /* EXTCODESIZE, EXTCODECOPY: reading the code after the account */
    int64_t sstore_set;   /* zero to not zero */
    int64_t sstore_reset; /* not zero to another value */
    int64_t sstore_clear_refund;
    int64_t selfdestruct_refund;
    int64_t refund_divisor; /* at most gas used / this is refunded */

    /* value */
    int64_t call_value;  /* CALL and CALLCODE that move value; GAS_CALL_STIPEND of it is given on */
    int64_t new_account; /* ... CALL, to an empty account */
    int64_t new_heir;    /* SELFDESTRUCT that moves value to an empty account */
    bool transfer_logs;  /* EIP-7708 */

    /* contract creation */
    int64_t create;             /* CREATE, CREATE2 */
    int64_t code_byte;          /* deployed code, each byte */
    int64_t code_word;          /* ... each begun word of 32 bytes */
    size_t code_max;            /* EIP-170, EIP-7954; bytes */
    bool reject_ef_code;        /* EIP-3541 */
    bool storage_collides;      /* EIP-7610: an account that has only storage is in the way of a new contract */
    size_t initcode_max;        /* EIP-3860, EIP-7954; bytes */
    int64_t initcode_word_gas;  /* EIP-3860 */
    bool destroy_only_created;  /* EIP-6780 */
    bool destroy_keeps_balance; /* EIP-8246 */

    /* transactions */
    int64_t tx_base;
    int64_t tx_recipient; /* EIP-2780: a receiver other than the sender */
    int64_t tx_value;     /* EIP-2780: ... that is sent value */
    int64_t tx_create;
    int64_t tx_access_address;
    int64_t tx_access_key;
    int64_t tx_access_byte; /* EIP-7981: of an access list's addresses and keys */
    int64_t tx_authorization;
    int64_t authorization_refund; /* EIP-7702: of these, when the authority exists */
    int64_t authorization_write;  /* EIP-2780: the first one of an authority whose account is not written anyway */
    int64_t floor_zero;           /* EIP-7623, EIP-7976: a zero byte of calldata */
    int64_t floor_other;          /* ... another byte; 0: no floor */
    int64_t floor_create;         /* ... a contract creation */
    bool warm_coinbase;           /* EIP-3651 */
    bool has_delegation;          /* EIP-7702 */
    bool delegate_paid;           /* EIP-2780: touching what the receiver delegates to is paid for */
    bool block_counts_refund;     /* before EIP-7778: what is refunded does not count as used by the block */
    uint64_t tx_gas_max;          /* EIP-7825 */
    uint8_t tx_type_max;          /* newest EIP-2718 type */
    uint64_t tx_blob_max;         /* EIP-7594; blobs of one transaction */

    modexp_rules_t modexp;
    const evm_state_gas_t *state_gas; /* EIP-8037: where the rules of a block name no other */
} evm_params_t;

/* Prices that no fork from Berlin on has changed. */
#define GAS_TX_DATA_ZERO 4
#define GAS_TX_DATA_NONZERO 16
#define GAS_CALL_STIPEND 2300
#define GAS_COPY_WORD 3
#define GAS_KECCAK_WORD 6
#define GAS_EXP_BYTE 50
#define GAS_LOG_BYTE 8
#define GAS_MEMORY_WORD 3
#define GAS_MEMORY_SQUARE 512 /* words squared, divided by this */
#define GAS_PER_BLOB 131072

#define EVM_DEPTH_MAX 1024u
#define EVM_TAKES_MAX 17u /* items that one instruction may need, as opcode.def has them: SWAP16 */
#define EVM_STACK_MAX 1024u

/* The row of a fork; NULL for one that this build does not know. */
const evm_params_t *evm_params(evm_fork_t fork);

/* The state gas of a block with these rules, whose fork is known: none before Amsterdam. */
const evm_state_gas_t *evm_state_gas(const evm_rules_t *rules);

#endif
