/* BN254: the field against 256-bit modular arithmetic, the tower's identities, the groups, the pairing, and what the
 * precompiles refuse. */
#include <stdio.h>

#include "base/hex.h"
#include "lightclient/evm/bn254/bn254.h"
#include "lightclient/evm/precompile.h"
#include "tests/unit/unit.h"

#define P_HEX "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47"
#define R_HEX "30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001"
#define W0 "0000000000000000000000000000000000000000000000000000000000000000"
#define W1 "0000000000000000000000000000000000000000000000000000000000000001"
#define W2 "0000000000000000000000000000000000000000000000000000000000000002"
#define NOT_ON_CURVE W1 W1
#define TOO_LARGE P_HEX W0
#define ONES "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

/* The generators of EIP-197; their multiples, and the points outside the subgroup, by affine formulas in Python's
 * integers. */
#define G1 W1 W2
#define G1_TWICE                                                                                                       \
    "030644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd3"                                                 \
    "15ed738c0e0a7c92e7845f96b2ae9c0a68a6a449e3538fc7ff3ebf7a5a18a2c4"
#define G2                                                                                                             \
    "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2"                                                 \
    "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"                                                 \
    "090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b"                                                 \
    "12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa"
#define G2_TWICE                                                                                                       \
    "203e205db4f19b37b60121b83a7333706db86431c6d835849957ed8c3928ad79"                                                 \
    "27dc7234fd11d3e8c36c59277c3e6f149d5cd3cfa9a62aee49f8130962b4b3b9"                                                 \
    "195e8aa5b7827463722b8c153931579d3505566b4edf48d498e185f0509de152"                                                 \
    "04bb53b8977e5f92a0bc372742c4830944a59b4fe6b1c0466e2a6dad122b5d2e"
#define G2_THRICE                                                                                                      \
    "1014772f57bb9742735191cd5dcfe4ebbc04156b6878a0a7c9824f32ffb66e85"                                                 \
    "06064e784db10e9051e52826e192715e8d7e478cb09a5e0012defa0694fbc7f5"                                                 \
    "021e2335f3354bb7922ffcc2f38d3323dd9453ac49b55441452aeaca147711b2"                                                 \
    "058e1d5681b5b9e0074b0f9c8d2c68a069b920d74521e79765036d57666c5597"

static const char *const outside_subgroup[] = {
    /* x = 1, an order of every factor */
    W0 W1 "0d1271953ed9ea0836846e70a1934187998c7f790cb4d7511b7f8da82de048a4"
          "2869111d5381f072f8e2728fdb825a51aadd70e52c9830e9ab4b871c0531f1bb",
    /* order 10069 */
    "0f0a87c117963381ad55ab9b17e3c4f9533ef81d16b752be905d1a444b982519"
    "25d0b2ba5c369c1dbbfed41ccb191fe4df508cf88faf370494b4867a332815ec"
    "01961c59a0d89a4d27fe2b87137614a142c3ad7ada8b3fb5580462e2a5a99847"
    "2e4585f85183195d71c90a2d1d38655cb0ff30b352fdf58d6a36d8fbb3ee84a1",
    /* order 5864401 */
    "04c0bc1439e9c27f2b24350ab6b24fc772a89925068eec87a9661ff29f7064f5"
    "2da528bc66ffd99ba99250159b3db2bd6a2faf8f78b5f453f36c5dc1ab3e1e27"
    "0c5532a193b14f6ea35f1aafeb9e33684794470e4919e7941947eb752ba75796"
    "26c185cde0d1f020378cba3bc799810f2d24b2a211ea6f4023176f4f3216800e",
    /* order 2p - r */
    "0f1b774812e04eae19f53de91ff34c0dc44cecb407ee845bf0e3cc81cdfd116c"
    "1b8657a6141071b36317397c07d80acb368a1fa8e99f7fcb3b62bfdde784f651"
    "1bebb5770f60f8284b1ea19bee405ab97693c5dbebe2638ed727232dcac76513"
    "1c06e80d445368336664825773f370aa0b07841ae48f962c79da0d154d81fa43",
    /* the generator and the point of order 10069 added */
    "17e5d224c5f68f03c1abb67d16cf2f541bdd0284a402129e25b7ce3ff6e27ea8"
    "17250faaafeabc320ff7c8486d0a26ea8c347d73d71970c622b92fcaef09d849"
    "093c8f136f4e51bb42f2c64351517fbae12b146ceccd83763a1329870e0c0c81"
    "11c6123f1007dc08117d7a8b6874ce3b558a701ace0fd89006f071d46b5a1cc8",
};

static void unhex(uint8_t *out, size_t n, const char *text)
{
    ck_assert_int_eq(hex_decode_exact(out, n, text, strlen(text)), RC_OK);
}

static u256_t number(const char *hex)
{
    uint8_t b[32];
    unhex(b, 32, hex);
    return u256_from_be32(b);
}

/* The same numbers in every run. */
static u256_t next(uint64_t *seed)
{
    u256_t v;
    for (unsigned i = 0; i < 4; i++) {
        *seed ^= *seed << 13, *seed ^= *seed >> 7, *seed ^= *seed << 17;
        v.w[i] = *seed;
    }
    return v;
}

static fp_t element(const u256_t *v)
{
    u256_t p = number(P_HEX), rest;
    uint8_t b[32];
    fp_t r;
    u256_divmod(NULL, &rest, v, &p);
    u256_to_be32(b, &rest);
    ck_assert(fp_from_be32(&r, b));
    return r;
}

static u256_t value(const fp_t *a)
{
    uint8_t b[32];
    fp_to_be32(b, a);
    return u256_from_be32(b);
}

static fp2_t element2(uint64_t *seed)
{
    u256_t a = next(seed), b = next(seed);
    return (fp2_t){ element(&a), element(&b) };
}

static fp12_t element12(uint64_t *seed)
{
    fp2_t c[6];
    for (unsigned i = 0; i < 6; i++)
        c[i] = element2(seed);
    return (fp12_t){ { c[0], c[1], c[2] }, { c[3], c[4], c[5] } };
}

static void fp2_pow(fp2_t *r, const fp2_t *a, const u256_t *e)
{
    fp2_t t = { FP_1, FP_0 };
    for (unsigned i = 256; i-- > 0;) {
        fp2_sqr(&t, &t);
        if (e->w[i / 64] >> i % 64 & 1)
            fp2_mul(&t, &t, a);
    }
    *r = t;
}

static void fp12_pow(fp12_t *r, const fp12_t *a, const u256_t *e)
{
    fp12_t t;
    fp12_one(&t);
    for (unsigned i = 256; i-- > 0;) {
        fp12_sqr(&t, &t);
        if (e->w[i / 64] >> i % 64 & 1)
            fp12_mul(&t, &t, a);
    }
    *r = t;
}

static bn254_g1_t g1(const char *hex)
{
    uint8_t b[BN254_G1_LEN];
    bn254_g1_t p;
    unhex(b, sizeof b, hex);
    ck_assert_int_eq(bn254_g1_decode(&p, b), RC_OK);
    return p;
}

static bn254_g2_t g2(const char *hex)
{
    uint8_t b[BN254_G2_LEN];
    bn254_g2_t q;
    unhex(b, sizeof b, hex);
    ck_assert_int_eq(bn254_g2_decode(&q, b), RC_OK);
    return q;
}

static bool same(const bn254_g1_t *p, const bn254_g1_t *q)
{
    return fp_eq(&p->x, &q->x) && fp_eq(&p->y, &q->y);
}

static bn254_g1_t negated(const bn254_g1_t *p)
{
    return (bn254_g1_t){ p->x, fp_neg(&p->y) };
}

static bn254_g1_t times(const bn254_g1_t *p, uint64_t k)
{
    u256_t v = u256_of(k);
    bn254_g1_t r;
    bn254_g1_mul(&r, p, &v);
    return r;
}

/* ---- fields ---- */

START_TEST(field_agrees_with_256_bit_arithmetic)
{
    const u256_t p = number(P_HEX), one = u256_of(1), zero = u256_of(0);
    u256_t edge[8] = { zero,
                       one,
                       u256_of(2),
                       u256_sub(&p, &one),
                       { { 0, 0, 0, 1 } },
                       { { ~0ull, 0, 0, 0 } },
                       { { 0, 0, ~0ull, 0 } },
                       { { ~0ull, ~0ull, ~0ull, 0x30644e72e131a028 } } };
    uint64_t seed = 1;
    for (unsigned i = 0; i < 20000; i++) {
        u256_t a = i < 64 ? edge[i / 8] : next(&seed), b = i < 64 ? edge[i % 8] : next(&seed);
        fp_t x = element(&a), y = element(&b), r = fp_mul(&x, &y), s = fp_add(&x, &y), d = fp_sub(&x, &y);
        u256_t product = u256_mulmod(&a, &b, &p), sum = u256_addmod(&a, &b, &p), got = value(&r);
        ck_assert_msg(u256_eq(&got, &product), "product %u", i);
        got = value(&s);
        ck_assert_msg(u256_eq(&got, &sum), "sum %u", i);
        fp_t back = fp_add(&d, &y);
        ck_assert_msg(fp_eq(&back, &x), "difference %u", i);
    }
}
END_TEST

START_TEST(inverse_times_the_number_is_one)
{
    uint64_t seed = 2;
    for (unsigned i = 0; i < 20000; i++) {
        u256_t v = i < 256 ? u256_of(i) : next(&seed);
        if (i % 3 == 0)
            v = u256_shr(&v, (unsigned)(seed >> 8) % 255); /* numbers of every length */
        fp_t a = element(&v), k = fp_inv(&a), product = fp_mul(&a, &k);
        ck_assert_msg(fp_eq(&product, fp_is_zero(&a) ? &FP_0 : &FP_1), "row %u", i);
        a = (fp_t){ { v.w[0], v.w[1], v.w[2], 0 } }; /* the same of the inner form */
        k = fp_inv(&a), product = fp_mul(&a, &k);
        ck_assert_msg(fp_eq(&product, fp_is_zero(&a) ? &FP_0 : &FP_1), "row %u", i);
    }
    for (unsigned bit = 0; bit < 253; bit++) {
        u256_t one = u256_of(1), v = u256_shl(&one, bit);
        fp_t a = { { v.w[0], v.w[1], v.w[2], v.w[3] } }, k = fp_inv(&a), product = fp_mul(&a, &k);
        ck_assert_msg(fp_eq(&product, &FP_1), "bit %u", bit);
        a = fp_neg(&a), k = fp_inv(&a), product = fp_mul(&a, &k);
        ck_assert_msg(fp_eq(&product, &FP_1), "minus bit %u", bit);
    }
}
END_TEST

START_TEST(only_numbers_below_p_are_read)
{
    static const char *const bad[] = { P_HEX, "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd48", ONES,
                                       ("30644e72e131a029b85045b68181585d97816a916871ca8e"
                                        "0000000000000000") };
    uint8_t b[32], back[32];
    fp_t a = FP_1;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        unhex(b, 32, bad[i]);
        ck_assert_msg(!fp_from_be32(&a, b), "%s", bad[i]);
        ck_assert(fp_eq(&a, &FP_1));
    }
    unhex(b, 32, "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd46");
    ck_assert(fp_from_be32(&a, b));
    fp_to_be32(back, &a);
    ck_assert_mem_eq(b, back, 32);
    a = fp_add(&a, &FP_1);
    ck_assert(fp_is_zero(&a));
}
END_TEST

START_TEST(frobenius_constants_are_powers_of_xi)
{
    const u256_t p = number(P_HEX), one = u256_of(1), six = u256_of(6), p_less_1 = u256_sub(&p, &one);
    fp2_t xi = { FP_1, FP_0 }, got;
    u256_t sixth, rest;
    fp2_mul_xi(&xi, &xi);
    u256_t re = value(&xi.c0), im = value(&xi.c1);
    ck_assert(re.w[0] == 9 && u256_fits_u64(&re) && u256_eq(&im, &one));
    u256_divmod(&sixth, &rest, &p_less_1, &six);
    ck_assert(u256_is_zero(&rest));
    for (uint64_t k = 0; k < 6; k++) {
        u256_t factor = u256_of(k), e = u256_mul(&sixth, &factor);
        fp2_pow(&got, &xi, &e);
        ck_assert_msg(fp2_eq(&got, &FP2_FROBENIUS[k]), "constant %u", (unsigned)k);
    }
}
END_TEST

START_TEST(quadratic_field_obeys_its_laws)
{
    uint64_t seed = 3;
    const fp2_t u = { FP_0, FP_1 }, xi_one = { FP_1, FP_0 };
    fp2_t s, t, xi;
    fp2_sqr(&s, &u);
    fp_t minus_one = fp_neg(&FP_1);
    ck_assert(fp_eq(&s.c0, &minus_one) && fp_is_zero(&s.c1));
    fp2_mul_xi(&xi, &xi_one);
    for (unsigned i = 0; i < 500; i++) {
        fp2_t a = element2(&seed), b = element2(&seed), c = element2(&seed), ab, bc;
        fp2_mul(&ab, &a, &b);
        fp2_mul(&bc, &b, &c);
        fp2_mul(&s, &ab, &c);
        fp2_mul(&t, &a, &bc);
        ck_assert(fp2_eq(&s, &t));
        fp2_sqr(&s, &a);
        fp2_mul(&t, &a, &a);
        ck_assert(fp2_eq(&s, &t));
        fp2_mul_xi(&s, &a);
        fp2_mul(&t, &a, &xi);
        ck_assert(fp2_eq(&s, &t));
        fp2_add(&s, &a, &b);
        fp2_mul(&s, &s, &c);
        fp2_mul(&t, &a, &c);
        fp2_add(&t, &t, &bc);
        ck_assert(fp2_eq(&s, &t));
        fp2_inv(&s, &a);
        fp2_mul(&s, &s, &a);
        ck_assert(fp2_eq(&s, &xi_one));
    }
}
END_TEST

START_TEST(tower_obeys_its_laws)
{
    uint64_t seed = 4;
    const u256_t p = number(P_HEX);
    fp12_t s, t, ab, bc;
    for (unsigned i = 0; i < 50; i++) {
        fp12_t a = element12(&seed), b = element12(&seed), c = element12(&seed), line = b;
        fp12_mul(&ab, &a, &b);
        fp12_mul(&bc, &b, &c);
        fp12_mul(&s, &ab, &c);
        fp12_mul(&t, &a, &bc);
        ck_assert(fp12_eq(&s, &t));
        fp12_mul(&t, &b, &a);
        ck_assert(fp12_eq(&ab, &t));
        fp12_sqr(&s, &a);
        fp12_mul(&t, &a, &a);
        ck_assert(fp12_eq(&s, &t));
        fp12_inv(&s, &a);
        fp12_mul(&s, &s, &a);
        ck_assert(fp12_is_one(&s));
        memset(&line.c0.c1, 0, sizeof line.c0.c1);
        memset(&line.c0.c2, 0, sizeof line.c0.c2);
        memset(&line.c1.c2, 0, sizeof line.c1.c2);
        fp12_mul(&s, &a, &line);
        fp12_mul_line(&t, &a, &line.c0.c0, &line.c1.c0, &line.c1.c1);
        ck_assert(fp12_eq(&s, &t));
    }
    fp12_t a = element12(&seed), six = a;
    fp12_pow(&s, &a, &p);
    fp12_frobenius(&t, &a);
    ck_assert(fp12_eq(&s, &t));
    for (unsigned i = 0; i < 6; i++)
        fp12_frobenius(&six, &six);
    fp12_conj(&t, &a);
    ck_assert(fp12_eq(&six, &t));
    bn254_final_exp(&s, &a);
    fp12_mul(&t, &s, &s);
    fp12_sqr_cyclotomic(&ab, &s);
    ck_assert(fp12_eq(&ab, &t));
    fp12_conj(&t, &s);
    fp12_mul(&t, &t, &s);
    ck_assert(fp12_is_one(&t));
}
END_TEST

/* ---- groups ---- */

/* Source: go-ethereum core/vm/testdata/precompiles/bn256Add.json, bn256ScalarMul.json (chfast1, chfast2). */
START_TEST(sums_and_multiples_match_known_answers)
{
    const bn254_g1_t a = g1("18b18acfb4c2c30276db5411368e7185b311dd124691610c5d3b74034e093dc9"
                            "063c909c4720840cb5134cb9f59fa749755796819658d32efc0d288198f37266"),
                     b = g1("07c2b7f58a84bd6145f00c9c2bc0bb1a187f20ff2c92963a88019e7c6a014eed"
                            "06614e20c147e940f2d70da3f74c9a17df361706a4485c742bd6788478fa17d7"),
                     a_plus_b = g1("2243525c5efd4b9c3d3c45ac0ca3fe4dd85e830a4ce6b65fa1eeaee202839703"
                                   "301d1d33be6da8e509df21cc35964723180eed7532537db9ae5e7d48f195c915"),
                     c = g1("2bd3e6d0f3b142924f5ca7b49ce5b9d54c4703d7ae5648e61d02268b1a0a9fb7"
                            "21611ce0a6af85915e2f1d70300909ce2e49dfad4a4619c8390cae66cefdb204"),
                     kc = g1("070a8d6a982153cae4be29d434e8faef8a47b274a053f5a4ee2a6c9c13c31e5c"
                             "031b8ce914eba3a9ffb989f9cdd5b0f01943074bf4f0f315690ec3cec6981afc"),
                     lkc = g1("025a6f4181d2b4ea8b724290ffb40156eb0adb514c688556eb79cdea0752c2bb"
                              "2eff3f31dea215f1eb86023a133a996eb6300b44da664d64251d05381bb8a02e"),
                     generator = g1(G1), twice = g1(G1_TWICE);
    bn254_g1_t got;
    u256_t k = u256_of(0x11138ce750fa15c2),
           l = number("30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd46");
    bn254_g1_add(&got, &a, &b);
    ck_assert(same(&got, &a_plus_b));
    bn254_g1_mul(&got, &c, &k);
    ck_assert(same(&got, &kc));
    bn254_g1_mul(&got, &kc, &l);
    ck_assert(same(&got, &lkc));
    bn254_g1_add(&got, &generator, &generator);
    ck_assert(same(&got, &twice));
}
END_TEST

START_TEST(addition_is_that_of_a_group)
{
    const bn254_g1_t none = { FP_0, FP_0 }, g = g1(G1);
    bn254_g1_t s, t, p = g;
    for (unsigned i = 0; i < 200; i++) {
        bn254_g1_t minus = negated(&p), q = times(&p, 12345 + i), r = times(&g, 777 * i);
        bn254_g1_add(&s, &p, &q);
        bn254_g1_add(&t, &q, &p);
        ck_assert(same(&s, &t));
        bn254_g1_add(&s, &s, &r);
        bn254_g1_add(&t, &q, &r);
        bn254_g1_add(&t, &t, &p);
        ck_assert(same(&s, &t));
        bn254_g1_add(&s, &p, &none);
        bn254_g1_add(&t, &none, &p);
        ck_assert(same(&s, &p) && same(&t, &p));
        bn254_g1_add(&s, &p, &minus);
        ck_assert(bn254_g1_is_infinity(&s));
        bn254_g1_add(&p, &p, &g);
    }
    bn254_g1_add(&s, &none, &none);
    ck_assert(bn254_g1_is_infinity(&s));
}
END_TEST

/* Every scalar against adding and doubling, bit by bit. */
START_TEST(multiplication_is_repeated_addition_for_any_256_bits)
{
    static const char *const edge[] = {
        W0,
        W1,
        W2,
        R_HEX,
        P_HEX,
        ONES,
        "30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000000",
        "30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000002",
        "0000000000000000b3c4d79d41a917585bfc41088d8daaa78b17ea66b99c90dd", /* lambda, what the endomorphism does */
        "0000000000000000b3c4d79d41a917585bfc41088d8daaa78b17ea66b99c90dc",
        "30644e72e131a029048b6e193fd84104cc37a73fec2bc5e9b8ca0b2d36636f23", /* lambda^2 */
        "000000000000000000000000000000006f4d8248eeb859fd0be4e1541221250b", /* 6x^2 + 4x + 1 */
        "8000000000000000000000000000000000000000000000000000000000000000",
    };
    const size_t edges = sizeof edge / sizeof edge[0];
    const bn254_g1_t g = g1(G1), none = { FP_0, FP_0 };
    uint64_t seed = 5;
    for (size_t n = 0; n < edges + 60; n++) {
        u256_t k = n < edges ? number(edge[n]) : next(&seed);
        bn254_g1_t p = times(&g, 1 + 1000003 * n), want = none, got;
        for (unsigned i = 256; i-- > 0;) {
            bn254_g1_add(&want, &want, &want);
            if (k.w[i / 64] >> i % 64 & 1)
                bn254_g1_add(&want, &want, &p);
        }
        bn254_g1_mul(&got, &p, &k);
        ck_assert_msg(same(&got, &want), "scalar %zu", n);
        bn254_g1_mul(&got, &none, &k);
        ck_assert(bn254_g1_is_infinity(&got));
    }
    for (uint64_t k = 0; k < 300; k++) {
        bn254_g1_t want = none, got = times(&g, k);
        for (uint64_t i = 0; i < k; i++)
            bn254_g1_add(&want, &want, &g);
        ck_assert_msg(same(&got, &want), "scalar %u", (unsigned)k);
    }
}
END_TEST

START_TEST(points_are_read_only_from_their_curve_and_group)
{
    static const char *const bad1[] = { W1 W1,
                                        W0 W1,
                                        W1 W0,
                                        W2 W1,
                                        P_HEX W0,
                                        W0 P_HEX,
                                        ONES W2,
                                        W1 ONES,
                                        "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd48" W2,
                                        W1 "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd49" };
    uint8_t in[BN254_G2_LEN], back[BN254_G1_LEN];
    bn254_g1_t p = g1(G1), p_before = p;
    bn254_g2_t q = g2(G2), q_before = q;
    for (size_t i = 0; i < sizeof bad1 / sizeof bad1[0]; i++) {
        unhex(in, BN254_G1_LEN, bad1[i]);
        ck_assert_msg(bn254_g1_decode(&p, in) == RC_MALFORMED, "%s", bad1[i]);
        ck_assert(same(&p, &p_before));
    }
    unhex(in, BN254_G1_LEN, G1_TWICE);
    ck_assert_int_eq(bn254_g1_decode(&p, in), RC_OK);
    bn254_g1_encode(back, &p);
    ck_assert_mem_eq(in, back, BN254_G1_LEN);
    for (size_t i = 0; i < sizeof outside_subgroup / sizeof outside_subgroup[0]; i++) {
        unhex(in, BN254_G2_LEN, outside_subgroup[i]);
        ck_assert_msg(bn254_g2_decode(&q, in) == RC_REFUSED, "point %zu", i);
        ck_assert_mem_eq(&q, &q_before, sizeof q);
    }
    for (unsigned bit = 0; bit < 8 * BN254_G2_LEN; bit++) {
        unhex(in, BN254_G2_LEN, G2);
        in[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_msg(bn254_g2_decode(&q, in) == RC_MALFORMED, "bit %u", bit);
    }
    for (unsigned part = 0; part < 4; part++) {
        memset(in, 0, sizeof in);
        unhex(in + 32 * part, 32, P_HEX); /* 0, but not in its only form */
        ck_assert_int_eq(bn254_g2_decode(&q, in), RC_MALFORMED);
    }
    memset(in, 0, sizeof in);
    ck_assert_int_eq(bn254_g2_decode(&q, in), RC_OK);
    ck_assert(bn254_g2_is_infinity(&q));
    (void)g2(G2_TWICE), (void)g2(G2_THRICE);
}
END_TEST

/* ---- pairing ---- */

static void pairing(fp12_t *out, const bn254_g1_t *p, const bn254_g2_t *q)
{
    bn254_miller(out, p, q, 1);
    bn254_final_exp(out, out);
}

START_TEST(pairing_is_bilinear_and_of_order_r)
{
    const bn254_g1_t p = g1(G1);
    const bn254_g2_t q = g2(G2), q2 = g2(G2_TWICE), q3 = g2(G2_THRICE);
    const u256_t r = number(R_HEX);
    fp12_t e, e2, e3, s, t;
    uint64_t seed = 6;
    pairing(&e, &p, &q);
    ck_assert(!fp12_is_one(&e));
    fp12_pow(&s, &e, &r);
    ck_assert(fp12_is_one(&s));
    pairing(&e2, &p, &q2);
    fp12_mul(&s, &e, &e);
    ck_assert(fp12_eq(&s, &e2));
    pairing(&e3, &p, &q3);
    fp12_mul(&s, &s, &e);
    ck_assert(fp12_eq(&s, &e3));
    for (unsigned i = 0; i < 10; i++) {
        u256_t k = next(&seed);
        bn254_g1_t kp;
        bn254_g1_mul(&kp, &p, &k);
        pairing(&s, &kp, &q2);
        fp12_pow(&t, &e2, &k);
        ck_assert(fp12_eq(&s, &t));
    }
}
END_TEST

START_TEST(frobenius_of_the_twist_is_that_of_the_pairing)
{
    const bn254_g1_t g = g1(G1), p = times(&g, 99);
    const u256_t field = number(P_HEX);
    bn254_g2_t q = g2(G2), image;
    fp12_t e, s, t;
    bn254_g2_frobenius(&image, &q);
    pairing(&e, &p, &q);
    pairing(&s, &p, &image);
    fp12_frobenius(&t, &e);
    ck_assert(fp12_eq(&s, &t));
    fp12_pow(&t, &e, &field);
    ck_assert(fp12_eq(&s, &t));
}
END_TEST

/* e(kP, Q) e(-P, kQ) = 1, and sums that do not fit are seen; up to numbers that need several turns of the loop. */
START_TEST(products_of_many_pairs_are_judged_rightly)
{
    enum { MANY = 35 };
    const bn254_g1_t g = g1(G1), none = { FP_0, FP_0 };
    const bn254_g2_t q[3] = { g2(G2), g2(G2_TWICE), g2(G2_THRICE) }, none2 = { { FP_0, FP_0 }, { FP_0, FP_0 } };
    bn254_g1_t p[MANY + 1];
    bn254_g2_t twist[MANY + 1];
    ck_assert(bn254_pairing_is_one(NULL, NULL, 0));
    for (size_t n = 1; n <= MANY; n++) {
        uint64_t sum = 0;
        for (size_t i = 0; i + 1 < n; i++) {
            uint64_t k = 7919 * i + 13;
            p[i] = i % 7 == 3 ? none : times(&g, k);
            twist[i] = i % 11 == 5 ? none2 : q[i % 3];
            sum += i % 7 == 3 || i % 11 == 5 ? 0 : k * (i % 3 + 1);
        }
        p[n - 1] = times(&g, sum);
        p[n - 1] = negated(&p[n - 1]);
        twist[n - 1] = q[0];
        ck_assert_msg(bn254_pairing_is_one(p, twist, n), "%zu pairs", n);
        p[n - 1] = times(&g, sum + 1);
        p[n - 1] = negated(&p[n - 1]);
        ck_assert_msg(!bn254_pairing_is_one(p, twist, n), "%zu pairs", n);
    }
}
END_TEST

/* ---- precompiles ---- */

enum { ADD = 6, MUL, PAIRING };

/* Runs one on the heap, so that ASan sees an over-read; *one: the output's last byte. */
static rc_t run(unsigned index, const char *hex, size_t limit, size_t *out_len, uint64_t *gas, uint8_t *one)
{
    size_t n = strlen(hex) / 2;
    uint8_t *in = malloc(n ? n : 1);
    arena_t a;
    view_t out = { NULL, 0 };
    ck_assert_ptr_nonnull(in);
    unhex(in, n, hex);
    arena_init(&a, limit);
    rc_t rc = evm_precompile(&out, gas, &a, view_of(in, n), EVM_BERLIN, index);
    *out_len = out.n;
    *one = rc == RC_OK ? out.p[out.n - 1] : 0;
    arena_free(&a);
    free(in);
    return rc;
}

START_TEST(precompiles_take_or_refuse_as_the_eips_say)
{
    static char long_input[2 * 192 * 2 + 3];
    const struct {
        unsigned index;
        const char *hex;
        rc_t want;
        uint64_t gas;
        uint8_t last; /* byte of the output */
    } rows[] = {
        { ADD, "", RC_OK, 150, 0 },
        { ADD, G1, RC_OK, 150, 2 },
        { ADD, G1 G1, RC_OK, 150, 0xc4 },
        { ADD, G1 G1 ONES, RC_OK, 150, 0xc4 }, /* what follows is ignored */
        { ADD, W1, RC_REFUSED, 0, 0 },         /* (1, 0) */
        { ADD, G1 W1, RC_REFUSED, 0, 0 },
        { ADD, NOT_ON_CURVE, RC_REFUSED, 0, 0 },
        { ADD, TOO_LARGE, RC_REFUSED, 0, 0 },
        { MUL, "", RC_OK, 6000, 0 },
        { MUL, G1, RC_OK, 6000, 0 }, /* times 0 */
        { MUL, G1 "00", RC_OK, 6000, 0 },
        { MUL, G1 W2, RC_OK, 6000, 0xc4 },
        { MUL, G1 W2 ONES, RC_OK, 6000, 0xc4 },
        { MUL, G1 R_HEX, RC_OK, 6000, 0 },
        { MUL, NOT_ON_CURVE W0, RC_REFUSED, 0, 0 },
        { MUL, TOO_LARGE W0, RC_REFUSED, 0, 0 },
        { PAIRING, "", RC_OK, 45000, 1 },
        { PAIRING, G1 G2, RC_OK, 79000, 0 },
        { PAIRING, W0 W0 G2, RC_OK, 79000, 1 },
        { PAIRING, G1 W0 W0 W0 W0, RC_OK, 79000, 1 },
        { PAIRING, G1 G2 W0 W0 W0 W0 W0 W0, RC_OK, 113000, 0 },
        { PAIRING, W0 W0 W0 W0 W0 W1, RC_REFUSED, 0, 0 }, /* an invalid point is one also beside infinity */
        { PAIRING, NOT_ON_CURVE W0 W0 W0 W0, RC_REFUSED, 0, 0 },
        { PAIRING, W0 W0 P_HEX W0 W0 W0, RC_REFUSED, 0, 0 },
    };
    size_t n;
    uint64_t gas;
    uint8_t last;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rc_t rc = run(rows[i].index, rows[i].hex, 1 << 20, &n, &gas, &last);
        ck_assert_msg(rc == rows[i].want, "row %zu: %s", i, rc_name(rc));
        if (rc == RC_OK)
            ck_assert_msg(gas == rows[i].gas && n == (rows[i].index == PAIRING ? 32 : 64) && last == rows[i].last,
                          "row %zu", i);
    }
    for (size_t i = 0; i < sizeof outside_subgroup / sizeof outside_subgroup[0]; i++) {
        snprintf(long_input, sizeof long_input, W0 W0 "%s", outside_subgroup[i]);
        ck_assert_int_eq(run(PAIRING, long_input, 1 << 20, &n, &gas, &last), RC_REFUSED);
    }
    for (size_t bytes = 1; bytes <= 384; bytes++) { /* pairs are taken whole */
        memcpy(long_input, G1 G2 W0 W0 W0 W0 W0 W0 "00", sizeof long_input);
        long_input[2 * bytes] = 0;
        ck_assert_msg(run(PAIRING, long_input, 1 << 20, &n, &gas, &last) == (bytes % 192 ? RC_REFUSED : RC_OK),
                      "%zu bytes", bytes);
    }
    for (unsigned index = ADD; index <= PAIRING; index++)
        ck_assert_int_eq(run(index, "", 8, &n, &gas, &last), RC_NOMEM);
}
END_TEST

int main(void)
{
    return UNIT_RUN("bn254", field_agrees_with_256_bit_arithmetic, inverse_times_the_number_is_one,
                    only_numbers_below_p_are_read, frobenius_constants_are_powers_of_xi, quadratic_field_obeys_its_laws,
                    tower_obeys_its_laws, sums_and_multiples_match_known_answers, addition_is_that_of_a_group,
                    multiplication_is_repeated_addition_for_any_256_bits,
                    points_are_read_only_from_their_curve_and_group, pairing_is_bilinear_and_of_order_r,
                    frobenius_of_the_twist_is_that_of_the_pairing, products_of_many_pairs_are_judged_rightly,
                    precompiles_take_or_refuse_as_the_eips_say);
}
