/* Precompiles: known answers, prices, every way in which an input can be wrong, sums of many points against each
 * other. */
#include <blst.h>
#include <check.h>
#include <stdlib.h>

#include "base/hex.h"
#include "lightclient/bls/kzg.h"
#include "lightclient/bls/points.h"
#include "lightclient/evm/precompile.h"
#include "tests/unit/unit.h"

#define ARENA_LIMIT ((size_t)64 << 20)
#define INPUT_MAX 8192u

enum { MODEXP = 0x05, KZG = 0x0a, G1_ADD, G1_MSM, G2_ADD, G2_MSM, PAIRING, G1_MAP, G2_MAP, P256 = 0x100 };

/* Words, and coordinates with their padding. */
#define W0 "0000000000000000000000000000000000000000000000000000000000000000"
#define W1 "0000000000000000000000000000000000000000000000000000000000000001"
#define W2 "0000000000000000000000000000000000000000000000000000000000000002"
#define ORDER "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001"
#define ORDER_AND_2 "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000003"
#define F(digits) "00000000000000000000000000000000" digits
#define INF1 W0 W0 W0 W0
#define INF2 INF1 INF1

/* Generators: EIP-2537. Negated and doubled with the affine formulas in Python's integers. */
#define G1                                                                                                             \
    F("17f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb")              \
    F("08b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1")
#define G1_NEG                                                                                                         \
    F("17f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb")              \
    F("114d1d6855d545a8aa7d76c8cf2e21f267816aef1db507c96655b9d5caac42364e6f38ba0ecb751bad54dcd6b939c2ca")
#define G1_TWICE                                                                                                       \
    F("0572cbea904d67468808c8eb50a9450c9721db309128012543902d0ac358a62ae28f75bb8f1c7c42c39a8c5529bf0f4e")              \
    F("166a9d8cabc673a322fda673779d8e3822ba3ecb8670e461f73bb9021d5fd76a4c56d9d4cd16bd1bba86881979749d28")
#define G2                                                                                                             \
    F("024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8")              \
    F("13e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e")              \
    F("0ce5d527727d6e118cc9cdc6da2e351aadfd9baa8cbdd3a76d429a695160d12c923ac9cc3baca289e193548608b82801")              \
    F("0606c4a02ea734cc32acd2b02bc28b99cb3e287e85a763af267492ab572e99ab3f370d275cec1da1aaa9075ff05f79be")
#define G2_NEG                                                                                                         \
    F("024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8")              \
    F("13e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e")              \
    F("0d1b3cc2c7027888be51d9ef691d77bcb679afda66c73f17f9ee3837a55024f78c71363275a75d75d86bab79f74782aa")              \
    F("13fa4d4a0ad8b1ce186ed5061789213d993923066dddaf1040bc3ff59f825c78df74f2d75467e25e0f55f8a00fa030ed")
#define G2_TWICE                                                                                                       \
    F("1638533957d540a9d2370f17cc7ed5863bc0b995b8825e0ee1ea1e1e4d00dbae81f14b0bf3611b78c952aacab827a053")              \
    F("0a4edef9c1ed7f729f520e47730a124fd70662a904ba1074728114d1031e1572c6c886f6b57ec72a6178288c47c33577")              \
    F("0468fb440d82b0630aeb8dca2b5256789a66da69bf91009cbfe6bd221e47aa8ae88dece9764bf3bd999d95d71e4c9899")              \
    F("0f6d4552fa65dd2638b361543f887136a43253d9c66c411697003f7a13c308f5422e1aa0a59c8967acdefd8b6e36ccf3")
#define G1_ORDER_3                                                                                                     \
    F("000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000")              \
    F("000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000002")
#define G1_ORDER_3_TWICE                                                                                               \
    F("000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000")              \
    F("1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaa9")

/* On the curve, outside the subgroup: go-ethereum core/vm/testdata/precompiles/fail-blsG1Mul.json, fail-blsG2Mul.json.
 */
#define G1_OUTSIDE                                                                                                     \
    F("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")              \
    F("193fb7cedb32b2c3adc06ec11a96bc0d661869316f5e4a577a9f7c179593987beb4fb2ee424dbb2f5dd891e228b46c4a")
#define G2_OUTSIDE                                                                                                     \
    F("197bfd0342bbc8bee2beced2f173e1a87be576379b343e93232d6cef98d84b1d696e5612ff283ce2cfdccb2cfb65fa0c")              \
    F("184e811f55e6f9d84d77d2f79102fd7ea7422f4759df5bf7f6331d550245e3f1bcf6a30e3b29110d85e0ca16f9f6ae7a")              \
    F("0f10e1eb3c1e53d2ad9cf2d398b2dc22c5842fab0a74b174f691a7e914975da3564d835cd7d2982815b8ac57f507348f")              \
    F("0767d1c453890f1b9110fda82f5815c27281aba3f026ee868e4176a0654feea41a96575e0c4d58a14dbfbcc05b5010b1")

/* go-ethereum blsMapG1.json, blsMapG2.json, matter_fp_to_g1_0 and matter_fp2_to_g2_0. */
#define MAP1_IN F("14406e5bfb9209256a3820879a29ac2f62d6aca82324bf3ae2aa7d3c54792043bd8c791fccdb080c1a52dc68b8b69350")
#define MAP1_OUT                                                                                                       \
    F("0d7721bcdb7ce1047557776eb2659a444166dc6dd55c7ca6e240e21ae9aa18f529f04ac31d861b54faf3307692545db7")              \
    F("108286acbdf4384f67659a8abe89e712a504cb3ce1cba07a716869025d60d499a00d1da8cdc92958918c222ea93d87f0")
#define MAP2_IN                                                                                                        \
    MAP1_IN F("0e885bb33996e12f07da69073e2c0cc880bc8eff26d2a724299eb12d54f4bcf26f4748bb020e80a7e3794a7b0e47a641")
#define MAP2_OUT                                                                                                       \
    F("0d029393d3a13ff5b26fe52bd8953768946c5510f9441f1136f1e938957882db6adbd7504177ee49281ecccba596f2bf")              \
    F("1993f668fb1ae603aefbb1323000033fcb3b65d8ed3bf09c84c61e27704b745f540299a1872cd697ae45a5afd780f1d6")              \
    F("079cb41060ef7a128d286c9ef8638689a49ca19da8672ea5c47b6ba6dbde193ee835d3b87a76a689966037c07159c10d")              \
    F("17c688ae9a8b59a7069c27f2d58dd2196cb414f4fb89da8510518a1142ab19d158badd1c3bad03408fafb1669903cd6c")

/* ethereum/c-kzg-4844 tests/verify_kzg_proof, correct_proof_2_0 and _2_5: versioned hash, z, y, commitment, proof. */
#define KZG_HASH "014edfed8547661f6cb416eba53061a2f6dce872c0497e6dd485a876fe2567f1"
#define KZG_COMMITMENT                                                                                                 \
    "a421e229565952cfff4ef3517100a97da1d4fe57956fa50a442f92af03b1bf37adacc8ad4ed209b31287ea5bb94d9d06"
#define KZG_AT_0                                                                                                       \
    KZG_HASH W0 "50625ad853cc21ba40594f79591e5d35c445ecf9453014da6524c0cf6367c359" KZG_COMMITMENT                      \
                "b72d80393dc39beea3857cb3719277138876b2b207f1d5e54dd62a14e3242d123b5a6db066181ff01a51c26c9d2f400b"
#define KZG_AT_Z                                                                                                       \
    KZG_HASH "564c0a11a0f704f4fc3e8acfe0f8245f0ad1347b378fbf96e206da11a5d36306"                                        \
             "6d928e13fe443e957d82e3e71d48cb65d51028eb4483e719bf8efcdf12f7c321" KZG_COMMITMENT                         \
             "a444d6bb5aadc3ceb615b50d6606bd54bfe529f59247987cd1ab848d19de599a9052f1835fb0d0d44cf70183e19a68c9"
#define KZG_OUT "0000000000000000000000000000000000000000000000000000000000001000" ORDER

/* Wycheproof ecdsa_secp256r1_sha256_p1363_test 1: digest, r, s, x, y. */
#define P256_DIGEST "bb5a52f42f9c9261ed4361f59422a1e30036e7c32b270c8807a419feca605023"
#define P256_R "2ba3a8be6b94d5ec80a6d9d1190a436effe50d85a1eee859b8cc6af9bd5c2e18"
#define P256_S "4cd60b855d442f5b3c7b11eb6c4e0ae7525fe710fab9aa7c77a67f79e6fadd76"
#define P256_KEY                                                                                                       \
    "2927b10512bae3eddcfe467828128bad2903269919f7086069c8c4df6c732838"                                                 \
    "c7787964eaac00e5921fb1498a60f4606766b3d9685001558d1a974e7341513e"
#define P256_ORDER "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
#define P256_FIELD "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"

/* EIP-198, first example: a power that is one by Fermat. */
#define LEN_32 "0000000000000000000000000000000000000000000000000000000000000020"
#define FERMAT                                                                                                         \
    W1 LEN_32 LEN_32 "03"                                                                                              \
                     "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2e"                                \
                     "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f"

static view_t bytes(arena_t *a, const char *hex)
{
    size_t n = strlen(hex) / 2;
    uint8_t *p = arena_alloc(a, n);
    ck_assert_ptr_nonnull(p);
    ck_assert_int_eq(hex_decode_exact(p, n, hex, 2 * n), RC_OK);
    return view_of(p, n);
}

/* Runs in the newest fork on a copy of exactly the input's size, so that ASan sees an over-read. */
static rc_t run(arena_t *a, view_t *out, unsigned index, view_t input)
{
    uint64_t gas;
    uint8_t *copy = malloc(input.n ? input.n : 1);
    memcpy(copy, input.p ? input.p : copy, input.n);
    rc_t rc = evm_precompile(out, &gas, a, view_of(copy, input.n), EVM_OSAKA, index);
    free(copy);
    return rc;
}

static rc_t run_hex(arena_t *a, view_t *out, unsigned index, const char *hex)
{
    return run(a, out, index, bytes(a, hex));
}

/* A valid input of each; the coordinates that it begins with, for those on BLS12-381. */
static const struct {
    unsigned index, coordinates;
    const char *input, *output;
    uint64_t gas;
} valid[] = {
    { MODEXP, 0, FERMAT, W1, 16 * 255 },
    { KZG, 0, KZG_AT_0, KZG_OUT, 50000 },
    { G1_ADD, 4, G1 G1, G1_TWICE, 375 },
    { G1_MSM, 2, G1 ORDER_AND_2, G1_TWICE, 12000 },
    { G2_ADD, 8, G2 G2, G2_TWICE, 600 },
    { G2_MSM, 4, G2 ORDER_AND_2, G2_TWICE, 22500 },
    { PAIRING, 6, G1_NEG G2_TWICE G1_TWICE G2, W1, 37700 + 2 * 32600 },
    { G1_MAP, 1, MAP1_IN, MAP1_OUT, 5500 },
    { G2_MAP, 2, MAP2_IN, MAP2_OUT, 23800 },
    { P256, 0, P256_DIGEST P256_R P256_S P256_KEY, W1, 6900 },
};
#define VALID (sizeof valid / sizeof valid[0])

START_TEST(known_answers_at_known_prices)
{
    for (size_t i = 0; i < VALID; i++) {
        arena_t a;
        view_t out;
        uint64_t gas;
        arena_init(&a, ARENA_LIMIT);
        view_t input = bytes(&a, valid[i].input);
        ck_assert_msg(evm_precompile(&out, &gas, &a, input, EVM_OSAKA, valid[i].index) == RC_OK, "row %zu", i);
        ck_assert_msg(view_eq(out, bytes(&a, valid[i].output)), "row %zu", i);
        ck_assert_msg(gas == valid[i].gas, "row %zu: gas %lu", i, gas);
        arena_free(&a);
    }
}
END_TEST

START_TEST(too_little_memory_is_an_error_and_never_another_result)
{
    for (size_t i = 0; i < VALID; i++) {
        arena_t a, b;
        view_t out;
        rc_t rc = RC_NOMEM;
        arena_init(&b, ARENA_LIMIT);
        view_t input = bytes(&b, valid[i].input);
        for (size_t limit = 0; rc; limit = limit ? 2 * limit : 64) {
            out = view_of("", 1);
            arena_init(&a, limit);
            rc = run(&a, &out, valid[i].index, input);
            ck_assert_msg(rc == RC_OK || (rc == RC_NOMEM && out.n == 1), "row %zu with %zu bytes", i, limit);
            ck_assert_msg(limit || rc == RC_NOMEM, "row %zu needs no memory", i);
            if (rc == RC_OK)
                ck_assert_msg(view_eq(out, bytes(&b, valid[i].output)), "row %zu with %zu bytes", i, limit);
            arena_free(&a);
        }
        arena_free(&b);
    }
}
END_TEST

START_TEST(each_fork_has_its_precompiles)
{
    static const struct {
        unsigned first, last;
        evm_fork_t fork;
    } ranges[] = {
        { 1, 9, EVM_BERLIN }, { 0x0a, 0x0a, EVM_CANCUN }, { 0x0b, 0x11, EVM_PRAGUE }, { 0x100, 0x100, EVM_OSAKA }
    };
    for (evm_fork_t fork = EVM_BERLIN; fork <= EVM_OSAKA; fork++)
        for (unsigned index = 0; index < 0x300; index++) {
            addr_t addr = { { 0 } };
            bool is = false;
            for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
                is |= index >= ranges[i].first && index <= ranges[i].last && fork >= ranges[i].fork;
            addr.b[18] = (uint8_t)(index >> 8);
            addr.b[19] = (uint8_t)index;
            const precompile_t *p = precompile_at(&addr, fork);
            ck_assert_msg(is ? p && p->index == index : !p, "0x%x in fork %d", index, fork);
            for (unsigned i = 0; i < 18; i++) {
                addr.b[i] = 1;
                ck_assert_ptr_null(precompile_at(&addr, fork));
                addr.b[i] = 0;
            }
        }
}
END_TEST

/* --- BLS12-381 --- */

START_TEST(bls_inputs_of_other_lengths_are_refused)
{
    for (size_t i = 0; i < VALID; i++) {
        arena_t a;
        view_t out;
        if (!valid[i].coordinates)
            continue;
        arena_init(&a, ARENA_LIMIT);
        size_t n = strlen(valid[i].input) / 2;
        uint8_t *input = arena_calloc(&a, 1, n + 1);
        memcpy(input, bytes(&a, valid[i].input).p, n);
        for (size_t len = 0; len <= n + 1; len++) {
            bool whole = len == n || (valid[i].index == PAIRING && len == n / 2);
            ck_assert_msg((run(&a, &out, valid[i].index, view_of(input, len)) == RC_REFUSED) != whole,
                          "row %zu, %zu bytes", i, len);
        }
        arena_free(&a);
    }
}
END_TEST

/* Runs the row's input with a coordinate replaced, or with one byte of it changed. */
static rc_t run_with(size_t row, unsigned coordinate, size_t at, const uint8_t *with, size_t n)
{
    arena_t a;
    view_t out;
    arena_init(&a, ARENA_LIMIT);
    view_t input = bytes(&a, valid[row].input);
    uint8_t *copy = arena_alloc(&a, input.n);
    memcpy(copy, input.p, input.n);
    memcpy(copy + 64 * coordinate + at, with, n);
    rc_t rc = run(&a, &out, valid[row].index, view_of(copy, input.n));
    arena_free(&a);
    return rc;
}

START_TEST(coordinates_must_be_padded_and_below_the_modulus)
{
    static const char modulus[] =
        "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab";
    uint8_t p[48], ones[48];
    ck_assert_int_eq(hex_decode_exact(p, 48, modulus, 96), RC_OK);
    memset(ones, 0xff, sizeof ones);
    for (size_t i = 0; i < VALID; i++)
        for (unsigned c = 0; c < valid[i].coordinates; c++) {
            for (size_t pad = 0; pad < 16; pad++)
                ck_assert_msg(run_with(i, c, pad, (const uint8_t[]){ 0x80 }, 1) == RC_REFUSED, "row %zu, %u", i, c);
            ck_assert_msg(run_with(i, c, 16, p, 48) == RC_REFUSED, "row %zu, %u", i, c);
            ck_assert_msg(run_with(i, c, 16, ones, 48) == RC_REFUSED, "row %zu, %u", i, c);
            p[47]--;
            bool map = valid[i].index >= G1_MAP; /* any field element will do, but no other is on the curve */
            ck_assert_msg(run_with(i, c, 16, p, 48) == (map ? RC_OK : RC_REFUSED), "row %zu, %u", i, c);
            p[47]++;
        }
}
END_TEST

START_TEST(sums_take_every_point_of_the_curve_and_the_rest_only_the_subgroup)
{
    static const struct {
        unsigned index;
        const char *input, *output; /* NULL: refused */
    } rows[] = {
        { G1_ADD, INF1 INF1, INF1 },
        { G1_ADD, G1 INF1, G1 },
        { G1_ADD, INF1 G1, G1 },
        { G1_ADD, G1 G1_NEG, INF1 },
        { G1_ADD, G1_ORDER_3 G1_ORDER_3, G1_ORDER_3_TWICE },
        { G1_ADD, G1_ORDER_3 G1_ORDER_3_TWICE, INF1 },
        { G1_ADD, G1_OUTSIDE INF1, G1_OUTSIDE },
        { G2_ADD, INF2 INF2, INF2 },
        { G2_ADD, G2 INF2, G2 },
        { G2_ADD, INF2 G2, G2 },
        { G2_ADD, G2 G2_NEG, INF2 },
        { G2_ADD, G2_OUTSIDE INF2, G2_OUTSIDE },
        { G1_MSM, G1_OUTSIDE W2, NULL },
        { G1_MSM, G1_OUTSIDE W0, NULL },
        { G1_MSM, G1_ORDER_3 W2, NULL },
        { G1_MSM, G1 W1 G1_OUTSIDE W1, NULL },
        { G1_MSM, INF1 W2, INF1 },
        { G1_MSM, G1 W0, INF1 },
        { G1_MSM, G1 ORDER, INF1 },
        { G1_MSM, INF1 W2 G1 W2 G1 W0, G1_TWICE },
        { G1_MSM, G1 W1 G1_NEG W1, INF1 },
        { G1_MSM, G1 W1 G1 W1, G1_TWICE },
        { G2_MSM, G2_OUTSIDE W2, NULL },
        { G2_MSM, G2_OUTSIDE W0, NULL },
        { G2_MSM, G2 W1 G2_OUTSIDE W1, NULL },
        { G2_MSM, INF2 W2, INF2 },
        { G2_MSM, G2 W0, INF2 },
        { G2_MSM, G2 ORDER, INF2 },
        { G2_MSM, INF2 W2 G2 W2 G2 W0, G2_TWICE },
        { G2_MSM, G2 W1 G2_NEG W1, INF2 },
        { G2_MSM, G2 W1 G2 W1, G2_TWICE },
        { PAIRING, G1_OUTSIDE INF2, NULL },
        { PAIRING, INF1 G2_OUTSIDE, NULL },
        { PAIRING, G1_ORDER_3 G2, NULL },
        { PAIRING, G1 INF2, W1 },
        { PAIRING, INF1 G2, W1 },
        { PAIRING, INF1 INF2, W1 },
        { PAIRING, G1 G2, W0 },
        { PAIRING, G1 G2 INF1 G2 G1_NEG G2, W1 },
        { PAIRING, G1 G2 G1 G2_NEG, W1 },
        { PAIRING, G1 G2 G1 G2, W0 },
        { PAIRING, G1_TWICE G2 G1_NEG G2_TWICE, W1 },
        { PAIRING, G1_TWICE G2_TWICE G1_NEG G2_TWICE, W0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        arena_t a;
        view_t out = view_of(NULL, 0);
        arena_init(&a, ARENA_LIMIT);
        rc_t rc = run_hex(&a, &out, rows[i].index, rows[i].input);
        ck_assert_msg(rc == (rows[i].output ? RC_OK : RC_REFUSED), "row %zu: %s", i, rc_name(rc));
        ck_assert_msg(!rows[i].output || view_eq(out, bytes(&a, rows[i].output)), "row %zu", i);
        arena_free(&a);
    }
}
END_TEST

static const struct group {
    unsigned add, msm;
    size_t len;
    const char *generator;
} groups[] = { { G1_ADD, G1_MSM, 128, G1 }, { G2_ADD, G2_MSM, 256, G2 } };

/* Appends a term of a sum of multiples. */
static void put_term(wr_t *w, const uint8_t *point, size_t len, uint64_t scalar)
{
    wr_bytes(w, point, len);
    memset(wr_grab(w, 24), 0, 24);
    wr_be(w, scalar, 8);
}

/* 1 G, 2 G, ... n G with the scalars 7, 14, ... 7 n; with noise, each among terms that do not count. */
static view_t sum_input(arena_t *a, const struct group *g, size_t n, bool noise)
{
    size_t term = g->len + 32;
    wr_t w = wr_of(arena_alloc(a, 4 * n * term), 4 * n * term);
    uint8_t *both = arena_calloc(a, 2, g->len), *infinity = arena_calloc(a, 1, g->len);
    memcpy(both, bytes(a, g->generator).p, g->len);
    for (size_t i = 1; i <= n; i++) {
        view_t next;
        put_term(&w, both, g->len, 7 * i);
        if (noise) {
            put_term(&w, infinity, g->len, i);
            put_term(&w, both, g->len, 0);
            wr_bytes(&w, both, g->len);
            wr_bytes(&w, bytes(a, ORDER).p, 32);
        }
        memcpy(both + g->len, bytes(a, g->generator).p, g->len);
        ck_assert_int_eq(run(a, &next, g->add, view_of(both, 2 * g->len)), RC_OK);
        memcpy(both, next.p, g->len);
    }
    ck_assert(!w.bad);
    return wr_view(&w);
}

START_TEST(sums_of_many_multiples_equal_one_multiple)
{
    static const size_t sizes[] = {
        1, 2, 3, 16, 17, 31, 32, 33, 34, 64, 65, 66, 130, 1025
    }; /* blst changes methods between; longer lists are added up from parts */
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
        for (size_t i = 0; i < 4; i++) {
            const struct group *g = &groups[i % 2];
            arena_t a;
            view_t sum, one;
            if (sizes[s] > 1024 && i >= 2) /* takes long */
                continue;
            uint8_t single[288];
            wr_t w = wr_of(single, sizeof single);
            uint64_t n = sizes[s];
            arena_init(&a, ARENA_LIMIT);
            put_term(&w, bytes(&a, g->generator).p, g->len, 7 * n * (n + 1) * (2 * n + 1) / 6);
            ck_assert_int_eq(run(&a, &one, g->msm, wr_view(&w)), RC_OK);
            ck_assert_int_eq(run(&a, &sum, g->msm, sum_input(&a, g, n, i >= 2)), RC_OK);
            ck_assert_msg(view_eq(sum, one), "%zu terms, group %zu", sizes[s], i % 2 + 1);
            arena_free(&a);
        }
}
END_TEST

START_TEST(pairings_of_many_pairs_multiply)
{
    static const size_t sizes[] = { 1, 7, 8, 9, 16, 17, 20 }; /* blst takes 16 at a time */
    arena_t a;
    view_t out;
    arena_init(&a, ARENA_LIMIT);
    view_t plus = bytes(&a, G1 G2), minus = bytes(&a, G1_NEG G2);
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        wr_t w = wr_of(arena_alloc(&a, 40 * 384), 40 * 384);
        for (size_t i = 0; i < sizes[s]; i++) {
            wr_bytes(&w, plus.p, plus.n);
            wr_bytes(&w, minus.p, minus.n);
        }
        ck_assert_int_eq(run(&a, &out, PAIRING, wr_view(&w)), RC_OK);
        ck_assert_msg(out.p[31] == 1, "%zu pairs", 2 * sizes[s]);
        ck_assert_int_eq(run(&a, &out, PAIRING, view_of(w.p, w.n - 384)), RC_OK);
        ck_assert_msg(out.p[31] == 0, "%zu pairs", 2 * sizes[s] - 1);
    }
    arena_free(&a);
}
END_TEST

/* Source: go-ethereum core/vm/testdata/precompiles/bn256Pairing.json, two_point_match_2: the second point of G2 is
 * minus the first. */
#define BN254_PAIR                                                                                                     \
    W1 W2 "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2"                                           \
          "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"                                           \
          "090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b"                                           \
          "12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa"
#define BN254_PAIR_INVERSE                                                                                             \
    W1 W2 "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2"                                           \
          "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"                                           \
          "275dc4a288d1afb3cbb1ac09187524c7db36395df7be3b99e673b13a075a65ec"                                           \
          "1d9befcd05a5323e6da4d435f3b617cdb3af83285c2df711ef39c01571827f9d"

START_TEST(pairings_of_bn254_multiply_over_many_pieces)
{
    static const size_t sizes[] = { 1, 8, 9, 20 };
    arena_t a;
    view_t out;
    arena_init(&a, ARENA_LIMIT);
    view_t plus = bytes(&a, BN254_PAIR), minus = bytes(&a, BN254_PAIR_INVERSE);
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        wr_t w = wr_of(arena_alloc(&a, 40 * 192), 40 * 192);
        for (size_t i = 0; i < sizes[s]; i++)
            wr_bytes(&w, plus.p, plus.n);
        for (size_t i = 0; i < sizes[s]; i++)
            wr_bytes(&w, minus.p, minus.n);
        ck_assert_int_eq(run(&a, &out, 0x08, wr_view(&w)), RC_OK);
        ck_assert_msg(out.p[31] == 1, "%zu pairs", 2 * sizes[s]);
        ck_assert_int_eq(run(&a, &out, 0x08, view_of(w.p, w.n - 192)), RC_OK);
        ck_assert_msg(out.p[31] == 0, "%zu pairs", 2 * sizes[s] - 1);
    }
    arena_free(&a);
}
END_TEST

/* True from the third question on. */
static bool third_question(void *ctx)
{
    return ++*(unsigned *)ctx >= 3;
}

START_TEST(long_lists_and_many_rounds_end_at_the_deadline)
{
    static const struct {
        rc_t (*run)(arena_t *a, view_t *out, evm_fork_t fork, view_t input, const evm_host_t *host);
        const char *unit;
        size_t copies;
    } rows[] = {
        { bn254_pairing_run, BN254_PAIR, 100 },
        { bls_pairing_run, G1 G2, 100 },
        { g1_msm_run, G1 W2, 300 },
        { g2_msm_run, G2 W2, 300 },
        { blake2f_run, "ffffffff" INF1 W0 W0 "0000000000000000000000000000000000", 1 }, /* a minute's work */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        arena_t a;
        arena_init(&a, ARENA_LIMIT);
        unsigned questions = 0;
        const evm_host_t host = { .ctx = &questions, .expired = third_question };
        view_t out = { NULL, 0 }, unit = bytes(&a, rows[i].unit);
        wr_t w = wr_of(arena_alloc(&a, rows[i].copies * unit.n), rows[i].copies * unit.n);
        for (size_t k = 0; k < rows[i].copies; k++)
            wr_bytes(&w, unit.p, unit.n);
        ck_assert_msg(rows[i].run(&a, &out, EVM_OSAKA, wr_view(&w), &host) == RC_TIMEOUT, "row %zu", i);
        ck_assert_uint_eq(questions, 3);
        ck_assert_ptr_null(out.p);
        arena_free(&a);
    }
}
END_TEST

/* k * multiplication * discount / 1000, discounts from the EIP's tables; pairing 37700 + 32600 k. */
START_TEST(prices_of_lists_follow_their_lengths)
{
    static const struct {
        size_t k;
        int64_t g1, g2;
    } rows[] = {
        { 1, 12000, 22500 },
        { 2, 2 * 12 * 949, 2 * 22500 },
        { 3, 3 * 12 * 848, 3 * 22500 * 923 / 1000 },
        { 128, 128 * 12 * 519, 128 * 22500 / 1000 * 524 },
        { 129, 129 * 12 * 519, 129 * 22500 * 524 / 1000 },
        { 100000, 100000 * 12LL * 519, 100000 * 22500LL / 1000 * 524 },
    };
    static const uint8_t first;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) { /* only the length is looked at */
        size_t k = rows[i].k;
        ck_assert_int_eq(g1_msm_gas(EVM_PRAGUE, view_of(&first, 160 * k)), rows[i].g1);
        ck_assert_int_eq(g2_msm_gas(EVM_PRAGUE, view_of(&first, 288 * k)), rows[i].g2);
        ck_assert_int_eq(bls_pairing_gas(EVM_PRAGUE, view_of(&first, 384 * k)), 37700 + 32600 * (int64_t)k);
    }
}
END_TEST

/* --- KZG point evaluation --- */

START_TEST(evaluation_is_proved_bit_by_bit)
{
    static const char *const proofs[] = { KZG_AT_0, KZG_AT_Z };
    arena_t a;
    view_t out;
    arena_init(&a, ARENA_LIMIT);
    for (size_t p = 0; p < 2; p++) {
        uint8_t input[193] = { 0 };
        memcpy(input, bytes(&a, proofs[p]).p, 192);
        ck_assert_int_eq(run(&a, &out, KZG, view_of(input, 192)), RC_OK);
        ck_assert_int_eq(run(&a, &out, KZG, view_of(input, 193)), RC_REFUSED);
        for (size_t n = 0; n < 192; n++)
            ck_assert_msg(run(&a, &out, KZG, view_of(input, n)) == RC_REFUSED, "%zu bytes", n);
        for (unsigned i = 0; i < 8 * 192; i += p ? 13 : 3) {
            input[i / 8] ^= (uint8_t)(0x80u >> i % 8);
            ck_assert_msg(run(&a, &out, KZG, view_of(input, 192)) == RC_REFUSED, "proof %zu, bit %u", p, i);
            input[i / 8] ^= (uint8_t)(0x80u >> i % 8);
        }
    }
    arena_free(&a);
}
END_TEST

/* The same numbers in another form are not the same input. */
START_TEST(scalars_of_an_evaluation_are_below_the_order_and_points_in_the_subgroup)
{
    static const char infinity[] =
        "c00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000";
    static const char outside[] =
        "8123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    arena_t a;
    arena_init(&a, ARENA_LIMIT);
    hash32_t zero = { { 0 } }, order, one = { { 0 } };
    one.b[31] = 1;
    memcpy(order.b, bytes(&a, ORDER).p, 32);
    const uint8_t *inf = bytes(&a, infinity).p, *out = bytes(&a, outside).p;
    ck_assert_int_eq(kzg_verify(inf, &zero, &zero, inf), RC_OK); /* the polynomial zero */
    ck_assert_int_eq(kzg_verify(inf, &one, &zero, inf), RC_OK);
    ck_assert_int_eq(kzg_verify(inf, &zero, &one, inf), RC_REFUSED);
    ck_assert_int_eq(kzg_verify(inf, &order, &zero, inf), RC_MALFORMED);
    ck_assert_int_eq(kzg_verify(inf, &zero, &order, inf), RC_MALFORMED);
    ck_assert_int_eq(kzg_verify(out, &zero, &zero, inf), RC_MALFORMED);
    ck_assert_int_eq(kzg_verify(inf, &zero, &zero, out), RC_MALFORMED);
    ck_assert(hash32_eq(&KZG_MODULUS, &order));
    arena_free(&a);
}
END_TEST

/* Source: g2_monomial, second point, of the mainnet trusted setup. */
START_TEST(setup_is_the_ceremony_s_point_and_in_the_subgroup)
{
    static const char published[] =
        "b5bfd7dd8cdeb128843bc287230af38926187075cbfbefa81009a2ce615ac53d2914e5870cb452d2afaaab24f3499f72"
        "185cbfee53492714734429b7b38608e23926c911cceceac9a36851477ba4c60b087041de621000edc98edada20c1def2";
    bls_g2_t p;
    blst_p2_affine affine;
    uint8_t got[96];
    char hex[193];
    ck_assert_int_eq(bls_g2_decode(&p, KZG_SETUP_G2, true), RC_OK);
    memcpy(&affine, &p, sizeof affine);
    blst_p2_affine_compress(got, &affine);
    hex_encode(hex, view_of(got, sizeof got));
    ck_assert_str_eq(hex, published);
}
END_TEST

/* --- P-256 --- */

START_TEST(p256_verify_gives_nothing_for_what_does_not_verify)
{
    static const char *const rows[] = {
        "",
        P256_DIGEST P256_R P256_S P256_KEY "00",
        P256_DIGEST P256_R P256_S "2927b10512bae3eddcfe467828128bad2903269919f7086069c8c4df6c732838",
        W1 P256_R P256_S P256_KEY,
        P256_DIGEST W0 P256_S P256_KEY,
        P256_DIGEST P256_R W0 P256_KEY,
        P256_DIGEST P256_ORDER P256_S P256_KEY,
        P256_DIGEST P256_R P256_ORDER P256_KEY,
        P256_DIGEST P256_R P256_S W0 W0,
        P256_DIGEST P256_R P256_S P256_FIELD W1,
        P256_DIGEST P256_R P256_S W1 P256_FIELD,
        P256_DIGEST P256_R P256_S W1 W1, /* off the curve */
        P256_DIGEST P256_S P256_R P256_KEY,
    };
    arena_t a;
    arena_init(&a, ARENA_LIMIT);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        view_t out = view_of("", 1);
        ck_assert_msg(run_hex(&a, &out, P256, rows[i]) == RC_OK, "row %zu", i);
        ck_assert_msg(out.n == 0, "row %zu", i);
    }
    arena_free(&a);
}
END_TEST

/* --- MODEXP --- */

START_TEST(modexp_is_right_for_numbers_of_any_length)
{
    static const struct {
        const char *input, *output;
    } rows[] = {
        { W1 W1 W1 "030507", "05" },
        { W1 W1 W1 "0305", "00" },       /* a missing modulus is zero */
        { W1 W1 W1 "030001", "00" },     /* modulo one */
        { W1 W1 W2 "03000007", "0001" }, /* power zero, in the modulus' length */
        { W1 W1 W1 "000007", "01" },
        { W0 W1 W1 "0507", "00" },
        { W0 W0 W1 "07", "01" },
        { W1 W1 W1 "030508", "03" }, /* even: 243 mod 8 */
        { W1 W1 W0 "0305", "" },
        { W1 W1 W2 "030507", "00f3" }, /* the modulus goes on with zeros: 3^5 mod 0x0700 is 243 */
        { "", "" },
        { FERMAT, W1 },
    };
    arena_t a;
    arena_init(&a, ARENA_LIMIT);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        view_t out = view_of("", 1);
        ck_assert_msg(run_hex(&a, &out, MODEXP, rows[i].input) == RC_OK, "row %zu", i);
        ck_assert_msg(view_eq(out, bytes(&a, rows[i].output)), "row %zu", i);
    }
    arena_free(&a);
}
END_TEST

/* Lengths as words, nothing else: base and modulus read as zero. */
static view_t lengths(uint8_t out[96], uint64_t base, uint64_t exponent, uint64_t modulus)
{
    memset(out, 0, 96);
    store_u64be(out + 24, base);
    store_u64be(out + 56, exponent);
    store_u64be(out + 88, modulus);
    return view_of(out, 96);
}

START_TEST(modexp_prices_are_those_of_the_fork)
{
    static const struct {
        uint64_t base, exponent, modulus;
        int64_t eip198, eip2565, eip7883; /* -1: more than any limit */
    } rows[] = {
        /* the exponent is zero: one iteration, and 8 or 16 for each byte from the 33rd on */
        { 0, 0, 0, 0, 200, 500 },
        { 1, 1, 1, 0, 200, 500 },
        { 32, 33, 1, 32 * 32 * 8 / 20, 200, 500 },
        { 64, 64, 1, 64 * 64 * 256 / 20, 8 * 8 * 256 / 3, 2 * 8 * 8 * 512 },
        { 1, 64, 65, (65 * 65 / 4 + 96 * 65 - 3072) * 256 / 20, 9 * 9 * 256 / 3, 2 * 9 * 9 * 512 },
        { 1024, 1024, 1, (1024 * 1024 / 4 + 96 * 1024 - 3072) * 7936LL / 20, 128 * 128 * 7936 / 3,
          2 * 128 * 128 * 15872 },
        { 1, 0, 1032, (1032 * 1032 / 16 + 480 * 1032 - 199680) / 20, 129 * 129 / 3, 2 * 129 * 129 },
        { 0, UINT64_MAX, 0, 0, 200, -1 },
        { 0, UINT64_MAX, 1, -1, -1, -1 },
        { UINT64_MAX, 0, 0, -1, -1, -1 },
        { 0, 0, (uint64_t)1 << 32, -1, -1, -1 },
    };
    uint8_t in[96];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const int64_t want[] = { rows[i].eip198, rows[i].eip2565, rows[i].eip7883 };
        view_t input = lengths(in, rows[i].base, rows[i].exponent, rows[i].modulus);
        for (unsigned rules = MODEXP_EIP198; rules <= MODEXP_EIP7883; rules++)
            ck_assert_msg(modexp_price(rules, input) == (want[rules] < 0 ? INT64_MAX : want[rules]),
                          "row %zu, rules %u: %ld", i, rules, modexp_price(rules, input));
        for (evm_fork_t fork = EVM_BERLIN; fork <= EVM_OSAKA; fork++)
            ck_assert_int_eq(modexp_gas(fork, input),
                             modexp_price(fork < EVM_OSAKA ? MODEXP_EIP2565 : MODEXP_EIP7883, input));
    }
    memset(in, 0xff, sizeof in); /* lengths of 2^256 - 1 */
    for (unsigned rules = MODEXP_EIP198; rules <= MODEXP_EIP7883; rules++)
        ck_assert_int_eq(modexp_price(rules, view_of(in, 96)), INT64_MAX);
}
END_TEST

START_TEST(modexp_of_osaka_refuses_lengths_above_1024)
{
    static const struct {
        uint64_t base, exponent, modulus;
        rc_t osaka, before;
    } rows[] = {
        { 1024, 1024, 1024, RC_OK, RC_OK },
        { 1025, 0, 0, RC_REFUSED, RC_OK },
        { 0, 1025, 0, RC_REFUSED, RC_OK },
        { 0, 0, 1025, RC_REFUSED, RC_OK },
        { UINT64_MAX, UINT64_MAX, 0, RC_REFUSED, RC_OK }, /* without a modulus there is nothing to compute */
        { 0, 0, UINT64_MAX, RC_REFUSED, RC_NOMEM },
    };
    uint8_t in[96];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        arena_t a;
        view_t out;
        arena_init(&a, ARENA_LIMIT);
        view_t input = lengths(in, rows[i].base, rows[i].exponent, rows[i].modulus);
        ck_assert_msg(modexp_run(&a, &out, EVM_OSAKA, input, NULL) == rows[i].osaka, "row %zu", i);
        ck_assert_msg(modexp_run(&a, &out, EVM_PRAGUE, input, NULL) == rows[i].before, "row %zu", i);
        arena_free(&a);
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN("precompile", known_answers_at_known_prices, too_little_memory_is_an_error_and_never_another_result,
                    each_fork_has_its_precompiles, bls_inputs_of_other_lengths_are_refused,
                    coordinates_must_be_padded_and_below_the_modulus,
                    sums_take_every_point_of_the_curve_and_the_rest_only_the_subgroup,
                    sums_of_many_multiples_equal_one_multiple, pairings_of_many_pairs_multiply,
                    pairings_of_bn254_multiply_over_many_pieces, long_lists_and_many_rounds_end_at_the_deadline,
                    prices_of_lists_follow_their_lengths, evaluation_is_proved_bit_by_bit,
                    scalars_of_an_evaluation_are_below_the_order_and_points_in_the_subgroup,
                    setup_is_the_ceremony_s_point_and_in_the_subgroup,
                    p256_verify_gives_nothing_for_what_does_not_verify, modexp_is_right_for_numbers_of_any_length,
                    modexp_prices_are_those_of_the_fork, modexp_of_osaka_refuses_lengths_above_1024);
}
