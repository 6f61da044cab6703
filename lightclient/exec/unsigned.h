/* unsigned.h - a call object as the transaction that it would be, of which the signature is zero.
 *
 * Spec:   EIP-2718, EIP-2930, EIP-1559, EIP-4844, EIP-7702; go-ethereum internal/ethapi/transaction_args.go (the type)
 * Floor:  2, exec. May include base/, rlp/, evm/. Memory comes from the arena. No I/O, clock or thread.
 * Tests:  tests/unit/test_simulate.c, vectors kind rpc-hive
 */
#ifndef EXEC_UNSIGNED_H
#define EXEC_UNSIGNED_H

#include "base/arena.h"
#include "base/rc.h"
#include "lightclient/exec/request.h"

/* The type that a request has as a transaction where all types are known: with a gas price 0, else 2 or what it needs
 * more. */
uint8_t ex_unsigned_type(const ex_request_t *q);

/* Its encoding, in the arena, with this nonce and gas. The chain's id is put where the type has it. RC_NOMEM. */
NODISCARD rc_t ex_unsigned_encode(view_t *out, arena_t *a, const ex_request_t *q, uint64_t chain_id, uint64_t nonce,
                                  uint64_t gas);

#endif
