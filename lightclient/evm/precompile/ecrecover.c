#include "base/crypto/ecdsa.h"
#include "lightclient/evm/precompile.h"

int64_t ecrecover_gas(evm_fork_t fork, view_t input)
{
    (void)fork, (void)input;
    return 3000;
}

/* Input: digest, v (27 or 28), r, s. Output: the signer's address as a word, or nothing; it never fails. */
rc_t ecrecover_run(arena_t *a, view_t *out, evm_fork_t fork, view_t input, const evm_host_t *host)
{
    (void)fork, (void)host;
    uint8_t in[128], key[64];
    hash32_t digest;
    addr_t signer;
    precompile_slice(in, input, 0, sizeof in);
    memcpy(digest.b, in, sizeof digest.b);
    u256_t v = u256_from_be32(in + 32);
    *out = view_of(NULL, 0);
    if (!u256_fits_u64(&v) || (v.w[0] != 27 && v.w[0] != 28))
        return RC_OK;
    if (ecdsa_recover(NULL, key, in + 64, (int)v.w[0] - 27, &digest))
        return RC_OK;
    uint8_t *word = arena_calloc(a, 1, 32);
    if (!word)
        return RC_NOMEM;
    ecdsa_address(&signer, key);
    memcpy(word + 12, signer.b, sizeof signer.b);
    *out = view_of(word, 32);
    return RC_OK;
}
