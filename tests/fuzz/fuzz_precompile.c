/* Precompiles: the first byte picks row and fork, the rest is the input. Properties: prices are not negative; what is
 * affordable ends as a success or a refusal, the same way when run again, and with less memory the same way or with
 * RC_NOMEM; outputs have their length; points that come out are accepted again; MODEXP of short
 * numbers is what square and multiply gives. Other first bytes pick a test of sums:
 * of two points that the rest is mapped to, multiplied together and one by one. With PRECOMPILE=0x0b in the environment
 * the first byte picks only the fork. */
#include <stdlib.h>
#include <string.h>

#include "lightclient/evm/precompile.h"
#include "tests/fuzz/fuzz.h"

#define GAS_MAX 300000 /* keeps one input short */
#define MEMORY ((size_t)64 << 20)
#define SUMS 18u /* first of the selectors that are no row */

enum { G1_ADD = 0x0b, G1_MSM, G2_ADD, G2_MSM, PAIRING, G1_MAP, G2_MAP, P256 = 0x100 };

static const uint16_t indices[SUMS] = { 1,  2,      3,      4,      5,      6,       7,      8,      9,
                                        10, G1_ADD, G1_MSM, G2_ADD, G2_MSM, PAIRING, G1_MAP, G2_MAP, P256 };

static view_t must_run(arena_t *a, unsigned index, view_t input)
{
    view_t out;
    uint64_t gas;
    if (evm_precompile(&out, &gas, a, input, EVM_OSAKA, index))
        abort();
    return out;
}

/* A point that came out of add, msm or map, as the input of add and (in the subgroup) of msm, is itself. */
static void check_point(arena_t *a, unsigned index, view_t point)
{
    uint8_t in[512] = { 0 };
    bool g1 = index == G1_ADD || index == G1_MSM || index == G1_MAP;
    if (point.n != (g1 ? 128 : 256))
        abort();
    memcpy(in, point.p, point.n);
    if (!view_eq(must_run(a, g1 ? G1_ADD : G2_ADD, view_of(in, 2 * point.n)), point))
        abort();
    in[point.n + 31] = 1;
    if (index != G1_ADD && index != G2_ADD &&
        !view_eq(must_run(a, g1 ? G1_MSM : G2_MSM, view_of(in, point.n + 32)), point))
        abort();
}

/* A number of the input, at most 8 bytes; zeros stand behind its end. */
static uint64_t number_at(view_t input, size_t at, size_t n)
{
    uint8_t bytes[8];
    precompile_slice(bytes, input, at, n);
    rd_t r = rd_of(view_of(bytes, n));
    return rd_be(&r, (unsigned)n);
}

/* MODEXP against square and multiply, where the three numbers are short. */
static void check_modexp(view_t input, view_t out)
{
    u256_t len[3];
    uint8_t word[32];
    for (size_t i = 0; i < 3; i++) {
        precompile_slice(word, input, 32 * i, sizeof word);
        len[i] = u256_from_be32(word);
    }
    if (!u256_fits_u64(&len[2]) || out.n != len[2].w[0])
        abort();
    for (size_t i = 0; i < 3; i++)
        if (!u256_fits_u64(&len[i]) || len[i].w[0] > 8)
            return;
    size_t base_n = len[0].w[0], exp_n = len[1].w[0], mod_n = len[2].w[0];
    uint64_t base = number_at(input, 96, base_n), exp = number_at(input, 96 + base_n, exp_n);
    uint64_t mod = number_at(input, 96 + base_n + exp_n, mod_n);
    u128_t power = 1;
    for (unsigned bit = 64; bit-- > 0 && mod;) {
        power = power * power % mod;
        if (exp >> bit & 1)
            power = power * (base % mod) % mod;
    }
    rd_t r = rd_of(out);
    if (rd_be(&r, (unsigned)out.n) != (mod ? (uint64_t)(power % mod) : 0))
        abort();
}

static void check_output(arena_t *a, unsigned index, view_t input, view_t out)
{
    static const uint8_t zeros[31];
    if (index == 4 && !view_eq(out, input))
        abort();
    if (index == 5)
        check_modexp(input, out);
    if ((index == 1 || index == P256) && out.n != 0 && out.n != 32)
        abort();
    if (index == P256 && out.n && (memcmp(out.p, zeros, 31) != 0 || out.p[31] != 1))
        abort();
    if ((index == 2 || index == 3) && out.n != 32)
        abort();
    if ((index == 1 || index == 3) && out.n && memcmp(out.p, zeros, 12) != 0) /* 20 bytes in a word */
        abort();
    if ((index == 6 || index == 7 || index == 9 || index == 10) && out.n != 64)
        abort();
    if ((index == 8 || index == PAIRING) && (out.n != 32 || memcmp(out.p, zeros, 31) != 0 || out.p[31] > 1))
        abort();
    if (index >= G1_ADD && index <= G2_MAP && index != PAIRING)
        check_point(a, index, out);
}

static void row(unsigned index, evm_fork_t fork, view_t input)
{
    addr_t addr = { { 0 } };
    arena_t a, b, c;
    view_t out = { NULL, 0 }, again = { NULL, 0 };
    addr.b[18] = (uint8_t)(index >> 8);
    addr.b[19] = (uint8_t)index;
    const precompile_t *p = precompile_at(&addr, fork);
    if (!p)
        return;
    int64_t gas = p->gas(fork, input);
    if (gas < 0 || gas != p->gas(fork, input))
        abort();
    if (gas > GAS_MAX)
        return;
    arena_init(&a, MEMORY);
    arena_init(&b, MEMORY);
    arena_init(&c, input.n); /* too little for many */
    rc_t rc = p->run(&a, &out, fork, input, NULL);
    if ((rc != RC_OK && rc != RC_REFUSED) || p->run(&b, &again, fork, input, NULL) != rc || !view_eq(out, again))
        abort();
    again = view_of(NULL, 0);
    rc_t less = p->run(&c, &again, fork, input, NULL);
    if (less != RC_NOMEM && (less != rc || !view_eq(out, again)))
        abort();
    if (rc == RC_OK)
        check_output(&b, index, input, out);
    arena_free(&a);
    arena_free(&b);
    arena_free(&c);
}

/* a P + b Q at once, and as a sum of two. bytes: two field elements and two scalars. */
static void sums(bool g1, const uint8_t bytes[256])
{
    size_t parts = g1 ? 1 : 2, len = 128 * parts, term = len + 32;
    uint8_t field[128], terms[576], both[512];
    arena_t a;
    arena_init(&a, MEMORY);
    for (size_t i = 0; i < 2; i++) {
        for (size_t part = 0; part < parts; part++) {
            memset(field + 64 * part, 0, 16);
            memcpy(field + 64 * part + 16, bytes + 48 * (2 * i + part), 48);
            field[64 * part + 16] &= 0x0f; /* below the modulus */
        }
        view_t point = must_run(&a, g1 ? G1_MAP : G2_MAP, view_of(field, 64 * parts));
        memcpy(terms + term * i, point.p, len);
        memcpy(terms + term * i + len, bytes + 192 + 32 * i, 32);
        memcpy(both + len * i, must_run(&a, g1 ? G1_MSM : G2_MSM, view_of(terms + term * i, term)).p, len);
    }
    view_t at_once = must_run(&a, g1 ? G1_MSM : G2_MSM, view_of(terms, 2 * term));
    if (!view_eq(at_once, must_run(&a, g1 ? G1_ADD : G2_ADD, view_of(both, 2 * len))))
        abort();
    check_point(&a, g1 ? G1_MSM : G2_MSM, at_once);
    arena_free(&a);
}

static unsigned selector_of(uint8_t first)
{
    const char *only = getenv("PRECOMPILE");
    unsigned i = 0;
    while (only && i < SUMS && indices[i] != strtoul(only, NULL, 16))
        i++;
    return only && i < SUMS ? i : first % 32;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    uint8_t bytes[256] = { 0 };
    if (len == 0)
        return 0;
    unsigned selector = selector_of(data[0]);
    if (selector < SUMS) {
        row(indices[selector], (evm_fork_t)(data[0] / 32 % EVM_FORKS), view_of(data + 1, len - 1));
    } else {
        memcpy(bytes, data + 1, len - 1 < sizeof bytes ? len - 1 : sizeof bytes);
        sums(selector % 2 == 0, bytes);
    }
    return 0;
}
