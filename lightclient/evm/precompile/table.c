#include "lightclient/evm/gas.h"
#include "lightclient/evm/precompile.h"

/* In the order of their forks. */
static const precompile_t rows[] = {
    /* Berlin */
    { 0x01, ecrecover_gas, ecrecover_run },
    { 0x02, sha256_gas, sha256_run },
    { 0x03, ripemd160_gas, ripemd160_run },
    { 0x04, identity_gas, identity_run },
    { 0x05, modexp_gas, modexp_run },
    { 0x06, bn254_add_gas, bn254_add_run },
    { 0x07, bn254_mul_gas, bn254_mul_run },
    { 0x08, bn254_pairing_gas, bn254_pairing_run },
    { 0x09, blake2f_gas, blake2f_run },
    /* Cancun */
    { 0x0a, kzg_point_gas, kzg_point_run }, /* EIP-4844 */
    /* Prague */
    { 0x0b, g1_add_gas, g1_add_run }, /* EIP-2537 */
    { 0x0c, g1_msm_gas, g1_msm_run },
    { 0x0d, g2_add_gas, g2_add_run },
    { 0x0e, g2_msm_gas, g2_msm_run },
    { 0x0f, bls_pairing_gas, bls_pairing_run },
    { 0x10, g1_map_gas, g1_map_run },
    { 0x11, g2_map_gas, g2_map_run },
    /* Osaka */
    { 0x100, p256verify_gas, p256verify_run }, /* EIP-7951 */
};

/* How many of them a fork has. */
static const uint8_t counts[] = {
    [EVM_BERLIN] = 9,  [EVM_LONDON] = 9,  [EVM_PARIS] = 9,  [EVM_SHANGHAI] = 9,
    [EVM_CANCUN] = 10, [EVM_PRAGUE] = 17, [EVM_OSAKA] = 18, [EVM_AMSTERDAM] = 18,
};
_Static_assert(sizeof counts == EVM_FORKS, "each known fork has its precompiles");

static const precompile_t *find(evm_fork_t fork, unsigned index)
{
    for (size_t i = 0; i < counts[fork]; i++)
        if (rows[i].index == index)
            return &rows[i];
    return NULL;
}

const precompile_t *precompile_at(const addr_t *addr, evm_fork_t fork)
{
    static const uint8_t zeros[18];
    if (memcmp(addr->b, zeros, sizeof zeros) != 0)
        return NULL;
    return find(fork, (unsigned)addr->b[18] << 8 | addr->b[19]);
}

int64_t precompile_linear_gas(size_t len, int64_t base, int64_t per_word)
{
    return base + per_word * (int64_t)((len + 31) / 32);
}

void precompile_slice(uint8_t *out, view_t input, size_t at, size_t n)
{
    size_t have = at < input.n ? input.n - at : 0;
    if (have > n)
        have = n;
    if (have)
        memcpy(out, input.p + at, have);
    memset(out + have, 0, n - have);
}

rc_t evm_precompile(view_t *out, uint64_t *gas, arena_t *a, view_t input, evm_fork_t fork, unsigned index)
{
    view_t got;
    const precompile_t *p = evm_params(fork) ? find(fork, index) : NULL;
    if (!p)
        return RC_UNSUPPORTED;
    rc_t rc = p->run(a, &got, fork, input, NULL);
    if (rc)
        return rc;
    *gas = (uint64_t)p->gas(fork, input);
    *out = got;
    return RC_OK;
}
