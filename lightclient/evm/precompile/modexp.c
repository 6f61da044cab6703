#include "base/crypto/bigint.h"
#include "lightclient/evm/gas.h"
#include "lightclient/evm/precompile.h"

/* Input: three lengths as words, then base, exponent and modulus of these lengths. Prices: EIP-2565, from Osaka
 * EIP-7883; from Osaka no length above 1024 (EIP-7823). */

#define HEAD_LEN 96u
#define LEN_MAX_OSAKA 1024u
#define LEN_MAX UINT32_MAX /* a longer base or modulus costs more than 5e16 gas */

typedef struct {
    uint64_t base_len, exp_len, mod_len; /* LEN_MAX + 1 stands for all above LEN_MAX */
} modexp_head_t;

static uint64_t read_len(view_t input, size_t at)
{
    uint8_t word[32];
    precompile_slice(word, input, at, sizeof word);
    u256_t v = u256_from_be32(word);
    return u256_fits_u64(&v) && v.w[0] <= LEN_MAX ? v.w[0] : (uint64_t)LEN_MAX + 1;
}

static modexp_head_t read_head(view_t input)
{
    return (modexp_head_t){ read_len(input, 0), read_len(input, 32), read_len(input, 64) };
}

/* The exponent's length in bits as the price sees it: exact for its first 32 bytes, per_byte for each further one. */
static uint64_t iterations(const modexp_head_t *h, view_t input, uint64_t per_byte)
{
    uint8_t first[32];
    size_t n = h->exp_len < 32 ? (size_t)h->exp_len : 32;
    precompile_slice(first, input, HEAD_LEN + (size_t)h->base_len, n);
    u256_t head = u256_from_be(view_of(first, n));
    uint64_t bits = 256 - u256_clz(&head);
    uint64_t count = (h->exp_len > 32 ? per_byte * (h->exp_len - 32) : 0) + (bits ? bits - 1 : 0);
    return count ? count : 1;
}

int64_t modexp_gas(evm_fork_t fork, view_t input)
{
    modexp_head_t h = read_head(input);
    bool osaka = evm_params(fork)->modexp_osaka;
    uint64_t longest = h.base_len > h.mod_len ? h.base_len : h.mod_len;
    uint64_t words = (longest + 7) / 8, least = osaka ? 500 : 200;
    u128_t cost;
    if (osaka)
        cost = (u128_t)(longest <= 32 ? 16 : 2 * words * words) * iterations(&h, input, 16);
    else
        cost = (u128_t)(words * words) * iterations(&h, input, 8) / 3;
    if (longest > LEN_MAX || cost > INT64_MAX || (h.exp_len > LEN_MAX && cost))
        return INT64_MAX;
    return (int64_t)(cost < least ? least : cost);
}

rc_t modexp_run(arena_t *a, view_t *out, evm_fork_t fork, view_t input)
{
    modexp_head_t h = read_head(input);
    if (evm_params(fork)->modexp_osaka &&
        (h.base_len > LEN_MAX_OSAKA || h.exp_len > LEN_MAX_OSAKA || h.mod_len > LEN_MAX_OSAKA))
        return RC_REFUSED;
    *out = view_of(NULL, 0);
    if (h.mod_len == 0) /* the other lengths need not be possible then */
        return RC_OK;
    if (h.base_len > LEN_MAX || h.exp_len > LEN_MAX || h.mod_len > LEN_MAX)
        return RC_NOMEM;
    size_t base_n = (size_t)h.base_len, exp_n = (size_t)h.exp_len, mod_n = (size_t)h.mod_len;
    uint8_t *in = arena_alloc(a, base_n + exp_n + mod_n), *result = arena_alloc(a, mod_n);
    if (!in || !result)
        return RC_NOMEM;
    precompile_slice(in, input, HEAD_LEN, base_n + exp_n + mod_n);
    bigint_modexp(result, view_of(in, base_n), view_of(in + base_n, exp_n), view_of(in + base_n + exp_n, mod_n));
    *out = view_of(result, mod_n);
    return RC_OK;
}
