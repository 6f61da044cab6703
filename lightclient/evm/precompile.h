/* precompile.h - contracts that are part of the protocol: a table row for each, a file for each curve or function.
 *
 * Floor:  2, evm. No I/O, clock, thread or global state.
 * Tests:  tests/unit/test_precompile.c, tests/fuzz/fuzz_precompile.c, vectors kinds precompiles, kzg;
 *         bench: precompiles
 */
#ifndef EVM_PRECOMPILE_H
#define EVM_PRECOMPILE_H

#include "lightclient/evm/evm.h"
#include "lightclient/evm/gas.h"

typedef struct {
    unsigned index; /* the address: 1 to 0x11, or 0x100 */
    /* Price; INT64_MAX when it exceeds every gas limit. */
    int64_t (*gas)(evm_fork_t fork, view_t input);
    /* RC_OK with *out in the arena or in input; RC_REFUSED: the call fails; RC_NOMEM; RC_TIMEOUT: the host's deadline
     * passed, which is asked about between pieces of work of a few milliseconds (MODEXP is one piece). */
    rc_t (*run)(arena_t *a, view_t *out, evm_fork_t fork, view_t input, const evm_host_t *host);
} precompile_t;

/* The row of an address in a fork; NULL when it is an ordinary account there. */
const precompile_t *precompile_at(const addr_t *addr, evm_fork_t fork);

/* Whether the host's deadline has passed. host: NULL where there is none. */
static inline bool precompile_expired(const evm_host_t *host)
{
    return host && host->expired && host->expired(host->ctx);
}

/* base + per_word for each begun 32 bytes of len. */
int64_t precompile_linear_gas(size_t len, int64_t base, int64_t per_word);

/* Copies input[at .. at + n) to out, zeros beyond the end of the input. */
void precompile_slice(uint8_t *out, view_t input, size_t at, size_t n);

/* The price of MODEXP under given rules; INT64_MAX when it exceeds every gas limit. */
int64_t modexp_price(modexp_rules_t rules, view_t input);

/* The rows' functions; see the file of each. */
int64_t ecrecover_gas(evm_fork_t fork, view_t input);
rc_t ecrecover_run(arena_t *a, view_t *out, evm_fork_t fork, view_t input, const evm_host_t *host);
int64_t sha256_gas(evm_fork_t fork, view_t input);
rc_t sha256_run(arena_t *a, view_t *out, evm_fork_t fork, view_t input, const evm_host_t *host);
int64_t ripemd160_gas(evm_fork_t fork, view_t input);
rc_t ripemd160_run(arena_t *a, view_t *out, evm_fork_t fork, view_t input, const evm_host_t *host);
int64_t identity_gas(evm_fork_t fork, view_t input);
rc_t identity_run(arena_t *a, view_t *out, evm_fork_t fork, view_t input, const evm_host_t *host);
int64_t modexp_gas(evm_fork_t fork, view_t input);
rc_t modexp_run(arena_t *a, view_t *out, evm_fork_t fork, view_t input, const evm_host_t *host);
int64_t bn254_add_gas(evm_fork_t fork, view_t input);
rc_t bn254_add_run(arena_t *a, view_t *out, evm_fork_t fork, view_t input, const evm_host_t *host);
int64_t bn254_mul_gas(evm_fork_t fork, view_t input);
rc_t bn254_mul_run(arena_t *a, view_t *out, evm_fork_t fork, view_t input, const evm_host_t *host);
int64_t bn254_pairing_gas(evm_fork_t fork, view_t input);
rc_t bn254_pairing_run(arena_t *a, view_t *out, evm_fork_t fork, view_t input, const evm_host_t *host);
int64_t blake2f_gas(evm_fork_t fork, view_t input);
rc_t blake2f_run(arena_t *a, view_t *out, evm_fork_t fork, view_t input, const evm_host_t *host);
int64_t kzg_point_gas(evm_fork_t fork, view_t input);
rc_t kzg_point_run(arena_t *a, view_t *out, evm_fork_t fork, view_t input, const evm_host_t *host);
int64_t g1_add_gas(evm_fork_t fork, view_t input);
rc_t g1_add_run(arena_t *a, view_t *out, evm_fork_t fork, view_t input, const evm_host_t *host);
int64_t g1_msm_gas(evm_fork_t fork, view_t input);
rc_t g1_msm_run(arena_t *a, view_t *out, evm_fork_t fork, view_t input, const evm_host_t *host);
int64_t g2_add_gas(evm_fork_t fork, view_t input);
rc_t g2_add_run(arena_t *a, view_t *out, evm_fork_t fork, view_t input, const evm_host_t *host);
int64_t g2_msm_gas(evm_fork_t fork, view_t input);
rc_t g2_msm_run(arena_t *a, view_t *out, evm_fork_t fork, view_t input, const evm_host_t *host);
int64_t bls_pairing_gas(evm_fork_t fork, view_t input);
rc_t bls_pairing_run(arena_t *a, view_t *out, evm_fork_t fork, view_t input, const evm_host_t *host);
int64_t g1_map_gas(evm_fork_t fork, view_t input);
rc_t g1_map_run(arena_t *a, view_t *out, evm_fork_t fork, view_t input, const evm_host_t *host);
int64_t g2_map_gas(evm_fork_t fork, view_t input);
rc_t g2_map_run(arena_t *a, view_t *out, evm_fork_t fork, view_t input, const evm_host_t *host);
int64_t p256verify_gas(evm_fork_t fork, view_t input);
rc_t p256verify_run(arena_t *a, view_t *out, evm_fork_t fork, view_t input, const evm_host_t *host);

#endif
