#include "base/crypto/hash.h"
#include "lightclient/evm/precompile.h"

int64_t ripemd160_gas(evm_fork_t fork, view_t input)
{
    (void)fork;
    return precompile_linear_gas(input.n, 600, 120);
}

/* The 20 bytes of the digest at the right of a word. */
rc_t ripemd160_run(arena_t *a, view_t *out, evm_fork_t fork, view_t input, const evm_host_t *host)
{
    (void)fork, (void)host;
    uint8_t *word = arena_calloc(a, 1, 32);
    if (!word)
        return RC_NOMEM;
    ripemd160(word + 12, input);
    *out = view_of(word, 32);
    return RC_OK;
}
