#include "base/crypto/bigint.h"
#include "lightclient/evm/gas.h"
#include "lightclient/evm/precompile.h"

/* Input: three lengths as words, then base, exponent and modulus of these lengths.
 *
 * What bounds the lengths, and so the memory that gmp takes from malloc: EIP-7823 from Osaka on; before, the price,
 * which is paid first. Under EIP-2565, g gas buy a base and a modulus below 14 sqrt(g) bytes and an exponent of 0.4 g +
 * 64: 100 kB and 20 MB for 50 million. */

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

/* The price of one multiplication; x is the longer of base and modulus, in bytes. */
static u128_t complexity(modexp_rules_t rules, u128_t x)
{
    u128_t words = (x + 7) / 8;
    switch (rules) {
    case MODEXP_EIP198: return x <= 64 ? x * x : x <= 1024 ? x * x / 4 + 96 * x - 3072 : x * x / 16 + 480 * x - 199680;
    case MODEXP_EIP2565: return words * words;
    default: /* EIP-7883 */ return x <= 32 ? 16 : 2 * words * words;
    }
}

int64_t modexp_price(modexp_rules_t rules, view_t input)
{
    static const struct {
        unsigned per_byte, divisor, least;
    } rows[] = { [MODEXP_EIP198] = { 8, 20, 0 }, [MODEXP_EIP2565] = { 8, 3, 200 }, [MODEXP_EIP7883] = { 16, 1, 500 } };
    modexp_head_t h = read_head(input);
    uint64_t longest = h.base_len > h.mod_len ? h.base_len : h.mod_len;
    u128_t cost = complexity(rules, longest) * iterations(&h, input, rows[rules].per_byte) / rows[rules].divisor;
    if (longest > LEN_MAX || cost > INT64_MAX || (h.exp_len > LEN_MAX && cost))
        return INT64_MAX;
    return cost < rows[rules].least ? rows[rules].least : (int64_t)cost;
}

int64_t modexp_gas(evm_fork_t fork, view_t input)
{
    return modexp_price(evm_params(fork)->modexp, input);
}

rc_t modexp_run(arena_t *a, view_t *out, evm_fork_t fork, view_t input, const evm_host_t *host)
{
    (void)host;
    modexp_head_t h = read_head(input);
    if (evm_params(fork)->modexp == MODEXP_EIP7883 &&
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
