/* u256: known answers, and properties over all pairs and triples of boundary values. */
#include <check.h>
#include <stdlib.h>

#include "base/hex.h"
#include "base/u256.h"
#include "tests/unit/unit.h"

/* Computed with Python's integers. Missing operands are not looked at. The last rows are hard cases of the long
 * division: equal top limbs, and quotient digits that are first taken one too large. */
static const struct {
    const char *op, *a, *b, *m, *result;
} known[] = {
    { "mul", "d23f0824128b2f330c5c7fd0a6a3a4506513270e269e0d37f2a74de452e6b438",
      "0000000000000081e8e25d940ed904759531985d5d9dc9f81818e811892f902b",
      "1738f7d93d9c172411e20b8f6b0d549b6f03675a1600a35a099950d836f675cc",
      "a39c7cca2e12fa7c2ae0851bd5090f341bd44e608453d25b1517ea80c067c568" },
    { "mul", "39263059f28c105d1fb17c2390c192cfd3ac94af0f21ddb66cad4a268d116ece",
      "00000000000000000000000000000000f29d0da9953f48f1a09f76b5a170b338",
      "0000000000000038f9ebdacc0cb1e29c658cda1495e60af593bd04cf0fd630f1",
      "3c135dbb3f09c5fdc788c164e3547dfc953d9dea73ac8aa1f8af2708146a4710" },
    { "mul", "00000000000000246b4cb2424a23d5962217beaddbc496cb8e81973e0becd7b0",
      "0000000000000000000000000000000000000000000000241e27a1c08a6a63ec",
      "00000000000000000000000000000000ae97ba94d0eda82f8f6d05584ef8aa38",
      "60ff69c4c06ee6dd3076623567c9f30f9d4c446f291df417f02a7c25c49fe640" },
    { "mul", "00000000000000000000000000000000923a736994e3bf911a61dbe22e44158b",
      "000000000000000000000000000000000000000000000000301850c5a38fd547",
      "00000000000000000000000000000000000000000000000018f135d25f557203",
      "00000000000000001b78d941c649d801cbb09eaa174de5cb8a0c61f00473a08d" },
    { "div", "7f15052434b9b5df9e7769b10f4205b4907a70c31012f037b64ce4228c38fb29",
      "00000000000000957731af10506bf2efc6f877186d76b07e881ed162ae2eb154",
      "b2f14c942e05319acb5c74273f98e2774cbd87ad5c90a9587403e430ec66a787",
      "00000000000000000000000000000000000000000000000000d9a9899a891540" },
    { "div", "e00902c77ebff206867347214cdd2055930d6eaf14f4733f3e7d1bfbc7a2ea20",
      "0000000000000000000000000000000049b64a0872e6cc3ababced2057ee05cd",
      "000000000000002a6b0a18e8830e07bc1e398f1012bd4acefaecbd389be4bcfc",
      "000000000000000000000000000000030a117182061270c64ff7ecab793278f4" },
    { "div", "000000000000000a6bf46c697d2caf82eeeacbe226e875555790f82ec1d3fcff",
      "000000000000000000000000000000000000000000000004ab1031d0f646e1f4",
      "00000000000000000000000000000000ca02135e92b1d3f28ede0d7ac3baea9e",
      "000000000000000000000000000000023b83ce815c424bfbc194192bb65965e0" },
    { "div", "00000000000000000000000000000000571242425051c1ccd17f9acae01f5057",
      "00000000000000000000000000000000000000000000000059a54a7bb1fee08f",
      "0000000000000000000000000000000000000000000000007f26144b98289fcd",
      "000000000000000000000000000000000000000000000000f8a602a2795bf3c2" },
    { "mod", "451abd81f1d69ed617f5e837d70820fe119a72d174c9df6acc011cdd9474031b",
      "00000000000000b3bb2d420f0f88080b10a3d6b2aa05e11ab2715945795e8229",
      "48db40af72158370d269a9a5ae658f33fe3b890b93f448b3a5aa3c814f426dcb",
      "0000000000000095a51a01ac0bb926e21fca8f82a79fda808f19e3cc6ecfc5ff" },
    { "mod", "7631a992f0ce583505c6af0758d5563dab2cd31ee315128862c33a4fb774eb52",
      "000000000000000000000000000000001df9fd789c6539382b0537e65affb229",
      "00000000000000bd211c70cf49952399c4aaeac137dc76fb0f17a3007e62aa0a",
      "00000000000000000000000000000000077defe59fdcba38598a63513f4c16d3" },
    { "mod", "00000000000000147f1b103cdf1582b0eab477d26415479c65dc9f503f63af83",
      "00000000000000000000000000000000000000000000001972fdf2022a96fb1a",
      "00000000000000000000000000000000230d977ee22571594720771f8ca81811",
      "000000000000000000000000000000000000000000000004e4146886ded0d303" },
    { "mod", "000000000000000000000000000000008cdb305fdd2e16096e36aab0d1bc52d9",
      "000000000000000000000000000000000000000000000000b4d66a3a47469a4d",
      "000000000000000000000000000000000000000000000000fc891b4a6a50df4d",
      "00000000000000000000000000000000000000000000000086027f68052ed03c" },
    { "sdiv", "953e7c2a26a2c0bd3b1287fff52ddf5d616499c9e25a7605aec6f0245bd86d40",
      "000000000000007c0316909e3bbbe9eaa8948c893b61867626bb7dbd2d1c9af0",
      "6b4013ef254b0c4e010c4759482c9cbc43435cc52eae05cf96d0cc5fd4c28c2e",
      "ffffffffffffffffffffffffffffffffffffffffffffffffff239f438ecbf1ff" },
    { "sdiv", "b0c4312d20203626f3fe39c0519088f590fbbd119c1caaf75e8766ed88daf401",
      "000000000000000000000000000000009e1a8ef4f341e07a83f73f16dbf4a8b2",
      "00000000000000dee647cb8f74e69a5d0dd27a65bd628881ad1b72dba7abe1c2",
      "ffffffffffffffffffffffffffffffff7fb4a944d43014efac26b724a1e4f44b" },
    { "sdiv", "80000000000000648f2c6ec8cc4169a3ae3a2b7fdfe01893f3aed0b6c7ac1491",
      "00000000000000000000000000000000000000000000001966237a0465e7e423",
      "0000000000000000000000000000000066836886a260cd0b7b45145c1a81682c",
      "fffffffffffffffffaf5de907a1180b9639b37d6080b9980aeef0c34701522f2" },
    { "sdiv", "00000000000000000000000000000000fc132d0d113db17d30cbc97d0fef7928",
      "00000000000000000000000000000000000000000000000070ccec313571810a",
      "0000000000000000000000000000000000000000000000001c2442f9298cb3a5",
      "0000000000000000000000000000000000000000000000023c151c5dcb269d8e" },
    { "smod", "895fd7b326b94c7f9118bb16000f49c81a358ca00d75985d99c94309570dc195",
      "00000000000000df1200339d068739fa9d1de2a05d158a2ff2ee4e4519f9919c",
      "58ee8571f4998d7c4093f6dea268aa872607679d6050914a9d33a01c353c631c",
      "ffffffffffffff3c1013819af734beeb9a6fe94005f764fbdecb82eb8e7d3665" },
    { "smod", "fe3bfada7cf20724d953ee261d87cec31f7296ab7961fd925d39d0a89a2ef80f",
      "000000000000000000000000000000007bdc968b7afb2c68774b15d7fa529ba3",
      "00000000000000bd57b6fb7ebfeaa1551a28f7b324e4e25a15fc899e4fd58dbe",
      "ffffffffffffffffffffffffffffffffe988d3d8d7e1c58e5ba0b1e57c1a8960" },
    { "smod", "8000000000000005842e7fc229540a6eb12aa1f6d42fddbb7a86f7a243c71b9a",
      "00000000000000000000000000000000000000000000003cf373ca533488f876",
      "00000000000000000000000000000000b0a844e52587be6b5c9bcf35873be078",
      "ffffffffffffffffffffffffffffffffffffffffffffffd86d29a99b2925dec0" },
    { "smod", "00000000000000000000000000000000c215a82a06ec41adea0575438b0d590b",
      "0000000000000000000000000000000000000000000000004c4f9b0687322e25",
      "000000000000000000000000000000000000000000000000a49636a2fa7f0eab",
      "0000000000000000000000000000000000000000000000004af602793bdea145" },
    { "addmod", "e883a1d45de0099784b5a81842d87208d86f40f6b239f3c7174c77a2dd02de92",
      "00000000000000c78aa4248c8857f9a43908f227c59db9165b0ee76f2ac34446",
      "fc241d0bc9d488b1cfbf33609cfc865239194242a2eddbbd5464ecc280b0c08b",
      "e883a1d45de00a5f0f59cca4cb306bad1178331e77d7acdd725b5f1207c622d8" },
    { "addmod", "bd68516766934036d17e44973d4882a5ce5b2a9231f51707da45e18ac2216b02",
      "000000000000000000000000000000008483f8b8332dd3313a0b9965cda6c6fd",
      "00000000000000ca0726e25cfd56a926076b3e36bb2313f55b06258e7e26f36a",
      "000000000000006697625b5402e3c505a139cdf7a0469281fd8e64c3f43563c1" },
    { "addmod", "00000000000000f49aea6429b1491e243192b7044259405278e4b98d4787f93b",
      "000000000000000000000000000000000000000000000033727d83495822cb77",
      "00000000000000000000000000000000597a1ecffcf00fecb91ee9e5efe09f07",
      "000000000000000000000000000000000e82b14eafe6f34d72ebaeae929d48e8" },
    { "addmod", "00000000000000000000000000000000149e259b5d58c705f979d04af47aebdd",
      "0000000000000000000000000000000000000000000000001a26f88938703800",
      "000000000000000000000000000000000000000000000000785729763a12917c",
      "0000000000000000000000000000000000000000000000001c52d4a941c6fddd" },
    { "mulmod", "9c3a23cde67a9b75fc3947249fc2d0a17b8f2ab53451d0135675f6ad325b55dd",
      "00000000000000cc5810d60ea72991b9e8c147437abec539007d1034d726c86b",
      "c845007063771407e8e727891eb20109a91c2439d5ab8b4d15b40aeba4a45eff",
      "0d300841d2a6a6522d7d6040af52a67f0bec728d9b5f26d3ed562979fd730852" },
    { "mulmod", "ca04c79f6f15b6ad2db3997fe39639be7a605a91330698a1c0093492b6246771",
      "00000000000000000000000000000000cd02c5e116353d03551fd8f9a2c68e45",
      "00000000000000be66c1494e7691b06f6555abfeb8c9817af8be8831f237e45a",
      "000000000000004077fa3a2a75d415d69cf3774c24eb941fd801ffca9ba83945" },
    { "mulmod", "0000000000000020fe3c9c8f2b855c1f28aaca51b98c67c215bd448ff26149ed",
      "00000000000000000000000000000000000000000000002526b1cffc070d7109",
      "00000000000000000000000000000000a7e6529bce76e9f477216e9ee7a46309",
      "000000000000000000000000000000006b5511611ed2b837eed523fc9fc3783d" },
    { "mulmod", "00000000000000000000000000000000988af3fbd39630d69c9011ef256badf9",
      "000000000000000000000000000000000000000000000000796f74adfaf55496",
      "000000000000000000000000000000000000000000000000effddeeaa842bc19",
      "000000000000000000000000000000000000000000000000a5b794603cb7e72c" },
    { "exp", "cca2a92b03a56cc1057a40b22188287e8c5c715f8c74fc1e27e9e06f59b44e92",
      "00000000000000efbfdefc1586ce03f91a4f44f9a6511445b9f3635cf88c422b",
      "3606defcdfb85c0dd37ee91531dec4f4df2a8b79fc8e80b36f0e228923a5ef88",
      "0000000000000000000000000000000000000000000000000000000000000000" },
    { "exp", "9620bf0dc38084a03d93fd4c804c25d64affdcd13678bc8d40783f0a072a98d2",
      "000000000000000000000000000000006b4468068b5ab3ee4265bb3153740902",
      "00000000000000e55a9196f0bd6b881ae8f6e0bd0f977044218e0b7bd58dcdb4",
      "0000000000000000000000000000000000000000000000000000000000000000" },
    { "exp", "000000000000006b844a7034e77ffe48d0a6ec179556585ea997f351754a09cd",
      "000000000000000000000000000000000000000000000038eaefc4d2d3bf6d01",
      "0000000000000000000000000000000026debfdb8825ae562179b37d806c10b5",
      "d0dd5885cce0cc3115280e8b9589333e1651af93b24e39ee6d1ed2b2586dadcd" },
    { "exp", "00000000000000000000000000000000df70301704c9d78d82b3359986048719",
      "000000000000000000000000000000000000000000000000c6c91b9270ac06ac",
      "0000000000000000000000000000000000000000000000009bca3cb72ee0289d",
      "d1b3635b413009ba41aa158c5f155e640f369461f6ee64048e97da0acc108ca1" },
    { "mulmod", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
      "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
      "8000000000000005000000000000000000000000000000000000000000000007",
      "7ffffffffffe7a90fffffffffffffa8800000000000036affffffffffffdde08" },
    { "mulmod", "8000000000000005000000000000000000000000000000000000000000000006",
      "8000000000000005000000000000000000000000000000000000000000000006",
      "8000000000000005000000000000000000000000000000000000000000000007",
      "0000000000000000000000000000000000000000000000000000000000000001" },
    { "div", "ffffffffffffffffffffffffffffffff0000000000000000ffffffffffffffff",
      "0000000000000000ffffffffffffffffffffffffffffffff0000000000000001",
      "0000000000000000000000000000000000000000000000000000000000000000",
      "000000000000000000000000000000000000000000000000ffffffffffffffff" },
    { "mod", "ffffffffffffffffffffffffffffffff0000000000000000ffffffffffffffff",
      "0000000000000000ffffffffffffffffffffffffffffffff0000000000000001",
      "0000000000000000000000000000000000000000000000000000000000000000",
      "0000000000000000ffffffffffffffffffffffffffffffff0000000000000000" },
    { "div", "8000000000000000000000000000000000000000000000000000000000000000",
      "000000000000000080000000000000000000000000000000ffffffffffffffff",
      "0000000000000000000000000000000000000000000000000000000000000000",
      "000000000000000000000000000000000000000000000000ffffffffffffffff" },
    { "mod", "8000000000000000000000000000000000000000000000000000000000000000",
      "000000000000000080000000000000000000000000000000ffffffffffffffff",
      "0000000000000000000000000000000000000000000000000000000000000000",
      "00000000000000007fffffffffffffff0000000000000001ffffffffffffffff" },
    { "addmod", "d23f0824128b2f330c5c7fd0a6a3a4506513270e269e0d37f2a74de452e6b438",
      "36f675cc81e74ef5e8e25d940ed904759531985d5d9dc9f81818e811892f902b",
      "0000000000000000000000000000000000000000000000010000000000000000",
      "0000000000000000000000000000000000000000000000000ac035f5dc164463" },
    { "mulmod", "d23f0824128b2f330c5c7fd0a6a3a4506513270e269e0d37f2a74de452e6b438",
      "36f675cc81e74ef5e8e25d940ed904759531985d5d9dc9f81818e811892f902b",
      "0000000000000000000000000000000000000000000000010000000000000000",
      "0000000000000000000000000000000000000000000000001517ea80c067c568" },
    { "addmod", "d23f0824128b2f330c5c7fd0a6a3a4506513270e269e0d37f2a74de452e6b438",
      "36f675cc81e74ef5e8e25d940ed904759531985d5d9dc9f81818e811892f902b",
      "0000000000000000000000000000000000000000000000000000000000000001",
      "0000000000000000000000000000000000000000000000000000000000000000" },
    { "mulmod", "d23f0824128b2f330c5c7fd0a6a3a4506513270e269e0d37f2a74de452e6b438",
      "36f675cc81e74ef5e8e25d940ed904759531985d5d9dc9f81818e811892f902b",
      "0000000000000000000000000000000000000000000000000000000000000001",
      "0000000000000000000000000000000000000000000000000000000000000000" },
    { "addmod", "d23f0824128b2f330c5c7fd0a6a3a4506513270e269e0d37f2a74de452e6b438",
      "36f675cc81e74ef5e8e25d940ed904759531985d5d9dc9f81818e811892f902b",
      "8000000000000000000000000000000000000000000000000000000000000000",
      "09357df094727e28f53edd64b57ca8c5fa44bf6b843bd7300ac035f5dc164463" },
    { "mulmod", "d23f0824128b2f330c5c7fd0a6a3a4506513270e269e0d37f2a74de452e6b438",
      "36f675cc81e74ef5e8e25d940ed904759531985d5d9dc9f81818e811892f902b",
      "8000000000000000000000000000000000000000000000000000000000000000",
      "65f99d1ee00db3dc2ae0851bd5090f341bd44e608453d25b1517ea80c067c568" },
    { "addmod", "d23f0824128b2f330c5c7fd0a6a3a4506513270e269e0d37f2a74de452e6b438",
      "36f675cc81e74ef5e8e25d940ed904759531985d5d9dc9f81818e811892f902b",
      "0000000000000000000000000000000000000000000000000000000000000000",
      "0000000000000000000000000000000000000000000000000000000000000000" },
    { "mulmod", "d23f0824128b2f330c5c7fd0a6a3a4506513270e269e0d37f2a74de452e6b438",
      "36f675cc81e74ef5e8e25d940ed904759531985d5d9dc9f81818e811892f902b",
      "0000000000000000000000000000000000000000000000000000000000000000",
      "0000000000000000000000000000000000000000000000000000000000000000" },
};

static u256_t parse(const char *text)
{
    uint8_t b[32];
    ck_assert_int_eq(hex_decode_exact(b, 32, text, 64), RC_OK);
    return u256_from_be32(b);
}

static u256_t apply(const char *op, const u256_t *a, const u256_t *b, const u256_t *m)
{
    u256_t r = u256_of(0);
    if (!strcmp(op, "mul"))
        r = u256_mul(a, b);
    else if (!strcmp(op, "div"))
        u256_divmod(&r, NULL, a, b);
    else if (!strcmp(op, "mod"))
        u256_divmod(NULL, &r, a, b);
    else if (!strcmp(op, "sdiv"))
        u256_sdivmod(&r, NULL, a, b);
    else if (!strcmp(op, "smod"))
        u256_sdivmod(NULL, &r, a, b);
    else if (!strcmp(op, "addmod"))
        r = u256_addmod(a, b, m);
    else if (!strcmp(op, "mulmod"))
        r = u256_mulmod(a, b, m);
    else if (!strcmp(op, "exp"))
        r = u256_exp(a, b);
    return r;
}

START_TEST(arithmetic_matches_known_answers)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        u256_t a = parse(known[i].a), b = parse(known[i].b), m = parse(known[i].m), want = parse(known[i].result);
        u256_t got = apply(known[i].op, &a, &b, &m);
        ck_assert_msg(u256_eq(&got, &want), "row %zu: %s", i, known[i].op);
    }
}
END_TEST

#define F UINT64_MAX
#define TOP 0x8000000000000000u

static const u256_t edge[] = {
    { { 0, 0, 0, 0 } },      { { 1, 0, 0, 0 } },     { { 2, 0, 0, 0 } },   { { 3, 0, 0, 0 } },   { { 10, 0, 0, 0 } },
    { { 255, 0, 0, 0 } },    { { 256, 0, 0, 0 } },   { { TOP, 0, 0, 0 } }, { { F, 0, 0, 0 } },   { { 0, 1, 0, 0 } },
    { { 1, 1, 0, 0 } },      { { F, 1, 0, 0 } },     { { 0, TOP, 0, 0 } }, { { F, F, 0, 0 } },   { { 0, 0, 1, 0 } },
    { { F, 0, TOP, 0 } },    { { 0, F, F, 0 } },     { { F, F, F, 0 } },   { { 0, 0, 0, 1 } },   { { F, F, F, 1 } },
    { { F, F, F, F >> 1 } }, { { 0, 0, 0, TOP } },   { { 1, 0, 0, TOP } }, { { 0, F, 0, TOP } }, { { F, F, F, TOP } },
    { { 0, 0, F, F } },      { { F - 1, F, F, F } }, { { F, F, F, F } },
};
#define EDGES (sizeof edge / sizeof edge[0])

/* Independent of the code under test: bit by bit. (high, low) mod m. */
static u256_t slow_mod(const u256_t *high, const u256_t *low, const u256_t *m)
{
    u256_t r = u256_of(0);
    for (unsigned i = 512; i-- > 0;) {
        const u256_t *half = i >= 256 ? high : low;
        uint64_t bit = half->w[i % 256 / 64] >> i % 64 & 1, out = r.w[3] >> 63;
        for (unsigned k = 3; k > 0; k--)
            r.w[k] = r.w[k] << 1 | r.w[k - 1] >> 63;
        r.w[0] = r.w[0] << 1 | bit;
        if (out || u256_cmp(&r, m) >= 0)
            r = u256_sub(&r, m);
    }
    return r;
}

START_TEST(sums_and_differences_undo_each_other)
{
    for (size_t i = 0; i < EDGES; i++)
        for (size_t j = 0; j < EDGES; j++) {
            unsigned char carry, borrow;
            u256_t sum = u256_add_carry(&edge[i], &edge[j], &carry), back = u256_sub_borrow(&sum, &edge[j], &borrow);
            ck_assert(u256_eq(&back, &edge[i]));
            ck_assert_uint_eq(carry, borrow);
            ck_assert_int_eq(u256_lt(&edge[i], &edge[j]), u256_cmp(&edge[i], &edge[j]) < 0);
        }
}
END_TEST

START_TEST(signed_order_is_the_order_after_moving_the_sign)
{
    static const u256_t sign = { { 0, 0, 0, TOP } };
    for (size_t i = 0; i < EDGES; i++)
        for (size_t j = 0; j < EDGES; j++) {
            u256_t a = u256_xor(&edge[i], &sign), b = u256_xor(&edge[j], &sign);
            ck_assert_int_eq(u256_slt(&edge[i], &edge[j]), u256_lt(&a, &b));
        }
}
END_TEST

START_TEST(quotient_times_divisor_plus_remainder_is_the_dividend)
{
    for (size_t i = 0; i < EDGES; i++)
        for (size_t j = 0; j < EDGES; j++) {
            u256_t q, r, high, n;
            u256_divmod(&q, &r, &edge[i], &edge[j]);
            if (u256_is_zero(&edge[j])) {
                ck_assert(u256_is_zero(&q) && u256_is_zero(&r));
                continue;
            }
            n = u256_mul_wide(&high, &q, &edge[j]);
            n = u256_add(&n, &r);
            ck_assert(u256_is_zero(&high));
            ck_assert(u256_eq(&n, &edge[i]));
            ck_assert(u256_lt(&r, &edge[j]));
            u256_sdivmod(&q, &r, &edge[i], &edge[j]);
            n = u256_mul(&q, &edge[j]);
            n = u256_add(&n, &r);
            ck_assert(u256_eq(&n, &edge[i]));
            ck_assert(u256_is_zero(&r) || u256_is_negative(&r) == u256_is_negative(&edge[i]));
        }
}
END_TEST

/* Limbs that make quotient digits hard to guess, and others. */
static uint64_t limb_of(uint64_t *state)
{
    static const uint64_t special[] = { 0, 1, 2, TOP - 1, TOP, TOP + 1, F - 1, F };
    uint64_t x = *state ^ *state << 13;
    x ^= x >> 7;
    *state = x ^= x << 17;
    return x >> 60 < 12 ? special[x >> 32 & 7] : x;
}

static u256_t word_of(uint64_t *state, unsigned len)
{
    u256_t r = { { 0 } };
    for (unsigned i = 0; i < len; i++)
        r.w[i] = limb_of(state);
    return r;
}

START_TEST(hard_divisions_match_bitwise_reduction)
{
    uint64_t state = 0x9e3779b97f4a7c15;
    for (unsigned i = 0; i < 20000; i++) {
        u256_t a = word_of(&state, 1 + i % 4), b = word_of(&state, 1 + i / 4 % 4), d = word_of(&state, 1 + i / 16 % 4);
        u256_t high = { { 0 } }, q, r, want, low;
        if (u256_is_zero(&d))
            continue;
        u256_divmod(&q, &r, &a, &d);
        want = slow_mod(&high, &a, &d);
        ck_assert(u256_eq(&r, &want));
        low = u256_mul_wide(&high, &q, &d);
        low = u256_add(&low, &r);
        ck_assert(u256_eq(&low, &a) && u256_is_zero(&high));
        r = u256_mulmod(&a, &b, &d);
        low = u256_mul_wide(&high, &a, &b);
        want = slow_mod(&high, &low, &d);
        ck_assert(u256_eq(&r, &want));
    }
}
END_TEST

START_TEST(one_output_of_a_division_is_that_of_both)
{
    for (size_t i = 0; i < EDGES; i++)
        for (size_t j = 0; j < EDGES; j++) {
            u256_t q, r, q1 = edge[i], r1 = edge[j];
            u256_divmod(&q, &r, &edge[i], &edge[j]);
            u256_divmod(&q1, NULL, &q1, &edge[j]);
            u256_divmod(NULL, &r1, &edge[i], &r1);
            ck_assert(u256_eq(&q, &q1) && u256_eq(&r, &r1));
            q1 = edge[i], r1 = edge[j];
            u256_sdivmod(&q, &r, &edge[i], &edge[j]);
            u256_sdivmod(&q1, NULL, &q1, &edge[j]);
            u256_sdivmod(NULL, &r1, &edge[i], &r1);
            ck_assert(u256_eq(&q, &q1) && u256_eq(&r, &r1));
        }
}
END_TEST

START_TEST(division_may_overwrite_its_inputs)
{
    u256_t a = edge[EDGES - 1], b = u256_of(7), want;
    u256_divmod(&want, NULL, &a, &b);
    u256_divmod(&b, NULL, &a, &b);
    ck_assert(u256_eq(&b, &want));
}
END_TEST

START_TEST(modular_sums_and_products_match_bitwise_reduction)
{
    for (size_t i = 0; i < EDGES; i++)
        for (size_t j = 0; j < EDGES; j++)
            for (size_t k = 0; k < EDGES; k++) {
                u256_t sum = u256_addmod(&edge[i], &edge[j], &edge[k]),
                       product = u256_mulmod(&edge[i], &edge[j], &edge[k]);
                u256_t low, high, want;
                unsigned char carry;
                if (u256_is_zero(&edge[k])) {
                    ck_assert(u256_is_zero(&sum) && u256_is_zero(&product));
                    continue;
                }
                low = u256_add_carry(&edge[i], &edge[j], &carry);
                high = u256_of(carry);
                want = slow_mod(&high, &low, &edge[k]);
                ck_assert(u256_eq(&sum, &want));
                low = u256_mul_wide(&high, &edge[i], &edge[j]);
                want = slow_mod(&high, &low, &edge[k]);
                ck_assert(u256_eq(&product, &want));
            }
}
END_TEST

START_TEST(wide_product_agrees_with_the_truncated_one_and_with_doubling)
{
    static const u256_t two = { { 2, 0, 0, 0 } };
    for (size_t i = 0; i < EDGES; i++) {
        for (size_t j = 0; j < EDGES; j++) {
            u256_t high, low = u256_mul_wide(&high, &edge[i], &edge[j]), cut = u256_mul(&edge[i], &edge[j]);
            ck_assert(u256_eq(&low, &cut));
        }
        unsigned char carry;
        u256_t high, low = u256_mul_wide(&high, &edge[i], &two), sum = u256_add_carry(&edge[i], &edge[i], &carry);
        ck_assert(u256_eq(&low, &sum));
        ck_assert(high.w[0] == carry && u256_fits_u64(&high));
    }
}
END_TEST

START_TEST(shifts_are_products_and_quotients_of_powers_of_two)
{
    for (size_t i = 0; i < EDGES; i++) {
        u256_t power = u256_of(1);
        for (unsigned n = 0; n <= 257; n++) {
            u256_t left = u256_shl(&edge[i], n), right = u256_shr(&edge[i], n), arithmetic = u256_sar(&edge[i], n);
            u256_t want = u256_mul(&edge[i], &power), mask = u256_not(&edge[i]);
            ck_assert(u256_eq(&left, &want));
            u256_divmod(&want, NULL, &edge[i], &power);
            ck_assert(u256_eq(&right, &want));
            mask = u256_shr(&mask, n); /* of a negative number, sar is not(shr(not a)) */
            mask = u256_not(&mask);
            ck_assert(u256_eq(&arithmetic, u256_is_negative(&edge[i]) ? &mask : &want));
            power = u256_add(&power, &power);
        }
    }
}
END_TEST

START_TEST(powers_are_repeated_products)
{
    for (size_t i = 0; i < EDGES; i++) {
        u256_t want = u256_of(1);
        for (uint64_t e = 0; e < 70; e++) {
            u256_t exponent = u256_of(e), got = u256_exp(&edge[i], &exponent);
            ck_assert(u256_eq(&got, &want));
            want = u256_mul(&want, &edge[i]);
        }
    }
}
END_TEST

START_TEST(counts_bytes_and_sign_extension)
{
    u256_t n, got, value = parse("0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1fff");
    ck_assert_uint_eq(u256_clz(&edge[0]), 256);
    ck_assert_uint_eq(u256_clz(&edge[1]), 255);
    ck_assert_uint_eq(u256_clz(&edge[EDGES - 1]), 0);
    ck_assert_uint_eq(u256_byte_len(&edge[0]), 0);
    ck_assert_uint_eq(u256_byte_len(&edge[5]), 1);
    ck_assert_uint_eq(u256_byte_len(&edge[6]), 2);
    for (uint64_t i = 0; i < 32; i++) {
        n = u256_of(i);
        got = u256_byte(&value, &n);
        ck_assert_uint_eq(got.w[0], i == 31 ? 0xff : i + 1);
    }
    for (size_t i = 0; i < EDGES; i++) { /* from 32 on, also where only upper limbs are set */
        got = u256_byte(&value, &edge[i]);
        ck_assert(u256_lt(&edge[i], &(u256_t){ { 32, 0, 0, 0 } }) || u256_is_zero(&got));
    }
    n = u256_of(0);
    got = u256_signextend(&value, &n);
    ck_assert(u256_eq(&got, &edge[EDGES - 1])); /* 0xff is -1 */
    n = u256_of(1);
    got = u256_signextend(&value, &n);
    ck_assert(u256_eq(&got, &(u256_t){ { 0x1fff, 0, 0, 0 } }));
    for (uint64_t i = 31; i < 34; i++) {
        n = u256_of(i);
        got = u256_signextend(&value, &n);
        ck_assert(u256_eq(&got, &value));
    }
    got = u256_signextend(&value, &edge[18]); /* 2^192 */
    ck_assert(u256_eq(&got, &value));
}
END_TEST

int main(void)
{
    return UNIT_RUN("u256", arithmetic_matches_known_answers, sums_and_differences_undo_each_other,
                    signed_order_is_the_order_after_moving_the_sign,
                    quotient_times_divisor_plus_remainder_is_the_dividend, hard_divisions_match_bitwise_reduction,
                    one_output_of_a_division_is_that_of_both, division_may_overwrite_its_inputs,
                    modular_sums_and_products_match_bitwise_reduction,
                    wide_product_agrees_with_the_truncated_one_and_with_doubling,
                    shifts_are_products_and_quotients_of_powers_of_two, powers_are_repeated_products,
                    counts_bytes_and_sign_extension);
}
