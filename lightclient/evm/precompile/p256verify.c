#include "base/crypto/p256.h"
#include "lightclient/evm/precompile.h"

int64_t p256verify_gas(evm_fork_t fork, view_t input)
{
    (void)fork, (void)input;
    return 6900;
}

/* EIP-7951. Input: digest, r, s, x, y. Output: one as a word, or nothing; it never fails. */
rc_t p256verify_run(arena_t *a, view_t *out, evm_fork_t fork, view_t input, const evm_host_t *host)
{
    (void)fork, (void)host;
    rd_t r = rd_of(input);
    hash32_t digest = rd_hash32(&r);
    view_t sig = rd_take(&r, P256_SIG_LEN), key = rd_take(&r, P256_PUBKEY_LEN);
    *out = view_of(NULL, 0);
    if (!rd_done(&r) || p256_verify(sig.p, &digest, key.p))
        return RC_OK;
    uint8_t *word = arena_calloc(a, 1, 32);
    if (!word)
        return RC_NOMEM;
    word[31] = 1;
    *out = view_of(word, 32);
    return RC_OK;
}
