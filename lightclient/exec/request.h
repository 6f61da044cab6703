/* request.h - what a question about the execution layer is asked with: a verified block, and eth_call's transaction
 * object.
 *
 * Spec:   execution-apis eth_call
 * Floor:  2, exec. Types only.
 */
#ifndef EXEC_REQUEST_H
#define EXEC_REQUEST_H

#include "base/bytes.h"
#include "lightclient/evm/evm.h"

/* A verified block that something is asked about. */
typedef struct {
    hash32_t block_hash;
    hash32_t parent_hash;
    hash32_t state_root;
    uint64_t gas_used, blob_gas_used;
    evm_block_t env;
} ex_block_t;

/* eth_call's transaction object. */
typedef struct {
    bool has_to, has_gas, has_gas_price;
    bool has_max_fee, has_tip;
    bool dynamic_fee; /* EIP-1559 fields: gas_price is maxFeePerGas, and max_priority_fee holds */
    bool has_chain_id;
    addr_t from, to;
    u256_t value, gas_price; /* gas_price: gasPrice or maxFeePerGas */
    u256_t max_priority_fee;
    uint64_t chain_id; /* must be the chain's */
    uint64_t gas;
    view_t data;
    const evm_access_t *access;
    size_t access_count;
    bool has_nonce, has_access, has_blobs, has_authorizations, has_max_blob_fee;
    uint64_t nonce;
    const hash32_t *blob_hashes;
    size_t blob_count;
    u256_t max_blob_fee;
    const evm_authorization_t *authorizations;
    const u256_t *authorization_signatures; /* three of each: parity, r, s */
    size_t authorization_count;
} ex_request_t;

#endif
