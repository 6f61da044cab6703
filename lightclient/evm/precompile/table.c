#include "lightclient/evm/gas.h"
#include "lightclient/evm/precompile.h"

static const precompile_t rows[] = {
    { 0x01, EVM_BERLIN, ecrecover_gas, ecrecover_run },     { 0x02, EVM_BERLIN, sha256_gas, sha256_run },
    { 0x03, EVM_BERLIN, ripemd160_gas, ripemd160_run },     { 0x04, EVM_BERLIN, identity_gas, identity_run },
    { 0x05, EVM_BERLIN, modexp_gas, modexp_run },           { 0x06, EVM_BERLIN, bn254_add_gas, bn254_add_run },
    { 0x07, EVM_BERLIN, bn254_mul_gas, bn254_mul_run },     { 0x08, EVM_BERLIN, bn254_pairing_gas, bn254_pairing_run },
    { 0x09, EVM_BERLIN, blake2f_gas, blake2f_run },         { 0x0a, EVM_CANCUN, kzg_point_gas, kzg_point_run },
    { 0x0b, EVM_PRAGUE, g1_add_gas, g1_add_run },           { 0x0c, EVM_PRAGUE, g1_msm_gas, g1_msm_run },
    { 0x0d, EVM_PRAGUE, g2_add_gas, g2_add_run },           { 0x0e, EVM_PRAGUE, g2_msm_gas, g2_msm_run },
    { 0x0f, EVM_PRAGUE, bls_pairing_gas, bls_pairing_run }, { 0x10, EVM_PRAGUE, g1_map_gas, g1_map_run },
    { 0x11, EVM_PRAGUE, g2_map_gas, g2_map_run },           { 0x100, EVM_OSAKA, p256verify_gas, p256verify_run },
};

static const precompile_t *find(unsigned index)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].index == index)
            return &rows[i];
    return NULL;
}

const precompile_t *precompile_at(const addr_t *addr, evm_fork_t fork)
{
    static const uint8_t zeros[18];
    if (memcmp(addr->b, zeros, sizeof zeros) != 0)
        return NULL;
    const precompile_t *p = find((unsigned)addr->b[18] << 8 | addr->b[19]);
    return p && fork >= p->first_fork ? p : NULL;
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

rc_t evm_precompile(arena_t *a, view_t *out, uint64_t *gas, evm_fork_t fork, unsigned index, view_t input)
{
    view_t got;
    const precompile_t *p = find(index);
    if (!p || fork < p->first_fork || !evm_params(fork))
        return RC_UNSUPPORTED;
    rc_t rc = p->run(a, &got, fork, input, NULL);
    if (rc)
        return rc;
    *gas = (uint64_t)p->gas(fork, input);
    *out = got;
    return RC_OK;
}
