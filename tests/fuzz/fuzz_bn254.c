/* BN254, by the first byte: what add, mul and pairing answer to any bytes, which is a refusal or a point that is taken
 * again; p + q = q + p and k p + l p = (k + l) p; e(p, q) e(-p, q) = 1, and e(p, q) is 1
 * only where p or q is infinity. */
#include <stdlib.h>
#include <string.h>

#include "lightclient/evm/bn254/bn254.h"
#include "lightclient/evm/precompile.h"
#include "tests/fuzz/fuzz.h"

enum { ADD = 6, MUL, PAIRING };

/* r = 36x^4 + 36x^3 + 18x^2 + 6x + 1 */
static const u256_t order = { { 0x43e1f593f0000001, 0x2833e84879b97091, 0xb85045b68181585d, 0x30644e72e131a029 } };

/* The generator of EIP-197. */
static const uint8_t generator2[BN254_G2_LEN] = {
    0x19, 0x8e, 0x93, 0x93, 0x92, 0x0d, 0x48, 0x3a, 0x72, 0x60, 0xbf, 0xb7, 0x31, 0xfb, 0x5d, 0x25, 0xf1, 0xaa, 0x49,
    0x33, 0x35, 0xa9, 0xe7, 0x12, 0x97, 0xe4, 0x85, 0xb7, 0xae, 0xf3, 0x12, 0xc2, 0x18, 0x00, 0xde, 0xef, 0x12, 0x1f,
    0x1e, 0x76, 0x42, 0x6a, 0x00, 0x66, 0x5e, 0x5c, 0x44, 0x79, 0x67, 0x43, 0x22, 0xd4, 0xf7, 0x5e, 0xda, 0xdd, 0x46,
    0xde, 0xbd, 0x5c, 0xd9, 0x92, 0xf6, 0xed, 0x09, 0x06, 0x89, 0xd0, 0x58, 0x5f, 0xf0, 0x75, 0xec, 0x9e, 0x99, 0xad,
    0x69, 0x0c, 0x33, 0x95, 0xbc, 0x4b, 0x31, 0x33, 0x70, 0xb3, 0x8e, 0xf3, 0x55, 0xac, 0xda, 0xdc, 0xd1, 0x22, 0x97,
    0x5b, 0x12, 0xc8, 0x5e, 0xa5, 0xdb, 0x8c, 0x6d, 0xeb, 0x4a, 0xab, 0x71, 0x80, 0x8d, 0xcb, 0x40, 0x8f, 0xe3, 0xd1,
    0xe7, 0x69, 0x0c, 0x43, 0xd3, 0x7b, 0x4c, 0xe6, 0xcc, 0x01, 0x66, 0xfa, 0x7d, 0xaa
};

static void any_bytes(unsigned index, view_t input)
{
    arena_t a;
    view_t out, again;
    uint64_t gas;
    arena_init(&a, 1 << 20);
    rc_t rc = evm_precompile(&out, &gas, &a, input, EVM_OSAKA, index);
    if (rc != RC_OK && rc != RC_REFUSED)
        abort();
    if (rc == RC_OK && index == PAIRING && (out.n != 32 || out.p[31] > 1 || input.n % 192))
        abort();
    if (rc == RC_OK && index != PAIRING && /* p + 0 = p */
        (out.n != 64 || evm_precompile(&again, &gas, &a, out, EVM_OSAKA, ADD) || !view_eq(again, out)))
        abort();
    arena_free(&a);
}

static bn254_g1_t multiple(const u256_t *k)
{
    bn254_g1_t g = { FP_1, fp_dbl(&FP_1) };
    bn254_g1_mul(&g, &g, k);
    return g;
}

static bool same(const bn254_g1_t *p, const bn254_g1_t *q)
{
    return fp_eq(&p->x, &q->x) && fp_eq(&p->y, &q->y);
}

static void group_laws(const u256_t *k, const u256_t *l, const u256_t *start)
{
    bn254_g1_t p = multiple(start), kp, lp, s, t;
    u256_t sum = u256_addmod(k, l, &order);
    bn254_g1_mul(&kp, &p, k);
    bn254_g1_mul(&lp, &p, l);
    bn254_g1_add(&s, &kp, &lp);
    bn254_g1_add(&t, &lp, &kp);
    if (!same(&s, &t))
        abort();
    bn254_g1_mul(&t, &p, &sum);
    if (!same(&s, &t))
        abort();
}

static void pairing_laws(const u256_t *k, const uint8_t q_bytes[BN254_G2_LEN])
{
    bn254_g1_t p[2] = { multiple(k) };
    bn254_g2_t q[2];
    if (bn254_g2_decode(&q[0], q_bytes) && bn254_g2_decode(&q[0], generator2))
        abort();
    q[1] = q[0];
    p[1] = (bn254_g1_t){ p[0].x, fp_neg(&p[0].y) };
    if (!bn254_pairing_is_one(p, q, 2) ||
        bn254_pairing_is_one(p, q, 1) != (bn254_g1_is_infinity(&p[0]) || bn254_g2_is_infinity(&q[0])))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    uint8_t in[BN254_G2_LEN + 32] = { 0 };
    if (len == 0)
        return 0;
    view_t input = view_of(data + 1, len - 1);
    memcpy(in, input.p, input.n < sizeof in ? input.n : sizeof in);
    u256_t k = u256_from_be32(in), l = u256_from_be32(in + 32), start = u256_from_be32(in + 64);
    switch (data[0]) {
    case ADD:
    case MUL:
    case PAIRING:
        if (input.n <= 192 * 4)
            any_bytes(data[0], input);
        break;
    case 0: group_laws(&k, &l, &start); break;
    default: pairing_laws(&k, in + 32);
    }
    return 0;
}
