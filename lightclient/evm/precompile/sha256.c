#include "base/crypto/hash.h"
#include "lightclient/evm/precompile.h"

int64_t sha256_gas(evm_fork_t fork, view_t input)
{
    (void)fork;
    return precompile_linear_gas(input.n, 60, 12);
}

rc_t sha256_run(arena_t *a, view_t *out, evm_fork_t fork, view_t input, const evm_host_t *host)
{
    (void)fork, (void)host;
    hash32_t *digest = arena_alloc(a, sizeof *digest);
    if (!digest)
        return RC_NOMEM;
    sha256(digest, input);
    *out = view_of(digest->b, sizeof digest->b);
    return RC_OK;
}
