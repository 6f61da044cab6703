#include "lightclient/evm/precompile.h"

int64_t identity_gas(evm_fork_t fork, view_t input)
{
    (void)fork;
    return precompile_linear_gas(input.n, 15, 3);
}

rc_t identity_run(arena_t *a, view_t *out, evm_fork_t fork, view_t input, const evm_host_t *host)
{
    (void)a, (void)fork, (void)host;
    *out = input;
    return RC_OK;
}
