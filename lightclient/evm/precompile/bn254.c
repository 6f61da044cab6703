#include "lightclient/evm/bn254/bn254.h"
#include "lightclient/evm/precompile.h"

/* EIP-196 (addition, multiplication) and EIP-197 (pairing); prices: EIP-1108. A coordinate that is not below p or a
 * point outside its group makes the call fail. */

#define PAIR_LEN (BN254_G1_LEN + BN254_G2_LEN)
#define PAIRS_PIECE 16u /* between questions about the deadline */

static rc_t give_point(arena_t *a, view_t *out, const bn254_g1_t *p)
{
    uint8_t *bytes = arena_alloc(a, BN254_G1_LEN);
    if (!bytes)
        return RC_NOMEM;
    bn254_g1_encode(bytes, p);
    *out = view_of(bytes, BN254_G1_LEN);
    return RC_OK;
}

int64_t bn254_add_gas(evm_fork_t fork, view_t input)
{
    (void)fork, (void)input;
    return 150;
}

/* Input: two points, zeros where it is short; what follows is ignored. */
rc_t bn254_add_run(arena_t *a, view_t *out, evm_fork_t fork, view_t input, const evm_host_t *host)
{
    (void)fork, (void)host;
    uint8_t in[2 * BN254_G1_LEN];
    bn254_g1_t p, q;
    precompile_slice(in, input, 0, sizeof in);
    if (bn254_g1_decode(&p, in) || bn254_g1_decode(&q, in + BN254_G1_LEN))
        return RC_REFUSED;
    bn254_g1_add(&p, &p, &q);
    return give_point(a, out, &p);
}

int64_t bn254_mul_gas(evm_fork_t fork, view_t input)
{
    (void)fork, (void)input;
    return 6000;
}

/* Input: a point and a word, zeros where it is short; what follows is ignored. */
rc_t bn254_mul_run(arena_t *a, view_t *out, evm_fork_t fork, view_t input, const evm_host_t *host)
{
    (void)fork, (void)host;
    uint8_t in[BN254_G1_LEN + 32];
    bn254_g1_t p;
    precompile_slice(in, input, 0, sizeof in);
    if (bn254_g1_decode(&p, in))
        return RC_REFUSED;
    u256_t k = u256_from_be32(in + BN254_G1_LEN);
    bn254_g1_mul(&p, &p, &k);
    return give_point(a, out, &p);
}

int64_t bn254_pairing_gas(evm_fork_t fork, view_t input)
{
    (void)fork;
    return 45000 + 34000 * (int64_t)(input.n / PAIR_LEN);
}

/* Input: any number of pairs. Output: the word 1 when the product of their pairings is 1, else 0. */
rc_t bn254_pairing_run(arena_t *a, view_t *out, evm_fork_t fork, view_t input, const evm_host_t *host)
{
    (void)fork;
    size_t n = input.n / PAIR_LEN;
    if (input.n % PAIR_LEN)
        return RC_REFUSED;
    uint8_t *word = arena_calloc(a, 1, 32);
    fp12_t product, part;
    if (!word)
        return RC_NOMEM;
    fp12_one(&product);
    for (size_t i = 0; i < n;) {
        bn254_g1_t p[PAIRS_PIECE];
        bn254_g2_t q[PAIRS_PIECE];
        size_t taken = 0;
        if (precompile_expired(host))
            return RC_TIMEOUT;
        for (; i < n && taken < PAIRS_PIECE; i++, taken++) {
            const uint8_t *in = input.p + i * PAIR_LEN;
            if (bn254_g1_decode(&p[taken], in) || bn254_g2_decode(&q[taken], in + BN254_G1_LEN))
                return RC_REFUSED;
        }
        bn254_miller(&part, p, q, taken);
        fp12_mul(&product, &product, &part);
    }
    bn254_final_exp(&product, &product);
    word[31] = fp12_is_one(&product);
    *out = view_of(word, 32);
    return RC_OK;
}
