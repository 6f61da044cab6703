/* transaction.h - signed transactions: bytes of any type to what the EVM runs, with hash and sender.
 *
 * Spec:   EIP-2718 envelope; legacy (EIP-155 or without chain id), EIP-2930, EIP-1559, EIP-4844 (as in blocks, without
 *         sidecar), EIP-7702; EIP-2 (low s)
 * Floor:  2, exec. May include base/, rlp/, evm/. Memory comes from the caller's arena. No I/O, clock or thread.
 * Tests:  tests/unit/test_transaction.c, tests/fuzz/fuzz_transaction.c, vectors kinds transactions, blockchain
 */
#ifndef EXEC_TRANSACTION_H
#define EXEC_TRANSACTION_H

#include "lightclient/evm/evm.h"

#define EX_TRANSACTION_MAX ((size_t)10 << 20) /* bytes; a block has no more (EIP-7934) */

typedef struct {
    u256_t v, r, s; /* v as it stands: 27, 28 or EIP-155's for legacy transactions, else the parity */
} ex_signature_t;

typedef struct {
    evm_tx_t tx; /* data borrows the input, lists are in the arena; from is the sender that signed */
    hash32_t hash;
    bool any_chain; /* legacy without chain id: valid on every chain */
    ex_signature_t signature;
    const ex_signature_t *authorization_signatures; /* as many as tx.authorizations; in the arena */
} ex_transaction_t;

/* Decodes one transaction as blocks and eth_sendRawTransaction hold it, and recovers its sender. What depends on the
 * fork, the block or the state is for evm_tx_check and evm_transact.
 *   out  written only on RC_OK; borrows raw
 * RC_MALFORMED: not exactly one transaction in strict RLP; RC_LIMIT: longer than EX_TRANSACTION_MAX; RC_REFUSED:
 * another chain, or no such signature; RC_NOMEM. */
NODISCARD rc_t ex_transaction_decode(ex_transaction_t *out, err_t *e, arena_t *a, view_t raw, uint64_t chain_id);

/* The same without the signers, which cost a hundred times the rest: tx.from and the signers of authorizations are
 * zero, and the signature is not checked. For transactions whose bytes a root has proven, of which they are not
 * wanted, and for those that nobody signed, whose signature is zero. */
NODISCARD rc_t ex_transaction_read(ex_transaction_t *out, err_t *e, arena_t *a, view_t raw, uint64_t chain_id);

#endif
