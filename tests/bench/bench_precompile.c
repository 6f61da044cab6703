/* precompiles: gas per second of each precompile, beside evmone's. The last line is the geometric mean of the compared
 * rates.
 *
 * With KETTLE_EVMONE (see peer.h) evmone's run in this process, in turns with ours (all but P-256, which it has not), and
 * must give the same. Without, they are compared with those on another machine (GCC 12.2, Zen 5): a pairing of blst,
 * whose time on that machine is known, is measured in the same run, and rates are multiplied by its time here / its time
 * there. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "lightclient/evm/evm.h"
#include "tests/bench/bench.h"
#include "tests/bench/peer.h"

#define ROUNDS 31u
#define REFERENCE_ROUNDS 9u /* before each row */
#define ROUND_NS 1e6
#define INPUT_MAX 8192u

/* Where an input comes from: digits; else the case of a file of the vectors (the row is left out without vectors); else
 * made_len bytes that count upwards. evmone: Mgas/s on its machine; 0: not measured there. */
typedef struct {
    unsigned index;
    const char *label;
    evm_fork_t fork;
    double evmone;
    const char *hex, *file, *name;
    size_t made_len;
} row_t;

/* Source of these inputs: ethereum/evmone, test/precompiles_bench (first one of each), and go-ethereum,
 * core/vm/testdata/precompiles/bn256Pairing.json, two_point_match_2. */
static const char ECRECOVER[] = "18c547e4f7b0f325ad1e56f57e26c745b09a3e503d86e00e5255ff7f715d3d1c"
                                "000000000000000000000000000000000000000000000000000000000000001c"
                                "73b1693892219d736caba55bdb67216e485557ea6b6af75f37096c9aa6a5a75f"
                                "eeb940b1d03b21e36b0e47e79769f095fe2ab855bd91e3a38756b7d75a9c4549";
static const char BN254_ADD[] = "0f25929bcb43d5a57391564615c9e70a992b10eafa4db109709649cf48c50dd2"
                                "16da2f5cb6be7a0aa72c440c53c9bbdfec6c36c7d515536431b3a865468acbba"
                                "1de49a4b0233273bba8146af82042d004f2085ec982397db0d97da17204cc286"
                                "0217327ffc463919bef80cc166d09c6172639d8589799928761bcd9f22c903d4";
static const char BN254_MUL[] = "0f25929bcb43d5a57391564615c9e70a992b10eafa4db109709649cf48c50dd2"
                                "16da2f5cb6be7a0aa72c440c53c9bbdfec6c36c7d515536431b3a865468acbba"
                                "183227397098d014dc2822db40c0ac2ecbc0b548b438e5469e10460b6c3e7ea3";
static const char BN254_PAIRING[] = "0000000000000000000000000000000000000000000000000000000000000001"
                                    "0000000000000000000000000000000000000000000000000000000000000002"
                                    "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2"
                                    "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"
                                    "090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b"
                                    "12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa"
                                    "0000000000000000000000000000000000000000000000000000000000000001"
                                    "0000000000000000000000000000000000000000000000000000000000000002"
                                    "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2"
                                    "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"
                                    "275dc4a288d1afb3cbb1ac09187524c7db36395df7be3b99e673b13a075a65ec"
                                    "1d9befcd05a5323e6da4d435f3b617cdb3af83285c2df711ef39c01571827f9d";

static const row_t rows[] = {
    { 0x01, "ecrecover", EVM_OSAKA, 10.9, ECRECOVER, NULL, NULL, 0 },
    { 0x02, "sha256", EVM_OSAKA, 0, NULL, NULL, NULL, 256 },
    { 0x02, "sha256 of two words", EVM_OSAKA, 0, NULL, NULL, NULL, 64 },
    { 0x03, "ripemd160", EVM_OSAKA, 0, NULL, NULL, NULL, 256 },
    { 0x04, "identity", EVM_OSAKA, 0, NULL, NULL, NULL, 4096 },
    { 0x04, "identity of a word", EVM_OSAKA, 0, NULL, NULL, NULL, 32 },
    { 0x05, "modexp", EVM_PRAGUE, 105, NULL, "05-modexp-eip2565gas", "nagydani-3-pow0x10001", 0 },
    { 0x06, "bn254 add", EVM_OSAKA, 91, BN254_ADD, NULL, NULL, 0 },
    { 0x07, "bn254 mul", EVM_OSAKA, 39, BN254_MUL, NULL, NULL, 0 },
    { 0x08, "bn254 pairing", EVM_OSAKA, 47, BN254_PAIRING, NULL, NULL, 0 },
    { 0x09, "blake2f", EVM_OSAKA, 0, NULL, "09-blake2f", "vector 5", 0 },
    { 0x0a, "kzg point evaluation", EVM_OSAKA, 0, NULL, "0a-kzg-point-evaluation",
      "verify_kzg_proof_case_correct_proof_3_5", 0 },
    { 0x0b, "bls12-381 g1 add", EVM_OSAKA, 0, NULL, "0b-bls-g1add", "matter_g1_add_0", 0 },
    { 0x0c, "bls12-381 g1 msm", EVM_OSAKA, 0, NULL, "0c-bls-g1msm", "matter_g1_multiexp_0", 0 },
    { 0x0d, "bls12-381 g2 add", EVM_OSAKA, 0, NULL, "0d-bls-g2add", "matter_g2_add_0", 0 },
    { 0x0e, "bls12-381 g2 msm", EVM_OSAKA, 0, NULL, "0e-bls-g2msm", "matter_g2_multiexp_0", 0 },
    { 0x0f, "bls12-381 pairing", EVM_OSAKA, 0, NULL, "0f-bls-pairing", "matter_pairing_18", 0 },
    { 0x10, "bls12-381 map to g1", EVM_OSAKA, 0, NULL, "10-bls-map-fp-to-g1", "matter_fp_to_g1_0", 0 },
    { 0x11, "bls12-381 map to g2", EVM_OSAKA, 0, NULL, "11-bls-map-fp2-to-g2", "matter_fp2_to_g2_0", 0 },
    { 0x100, "p256 verify", EVM_OSAKA, 0, NULL, "0100-p256verify",
      "wycheproof/ecdsa_secp256r1_sha256_p1363_test.json EcdsaP1363Verify SHA-256 #1: signature malleability", 0 },
};

#define ROWS (sizeof rows / sizeof rows[0])

/* False: the vectors do not have it. */
static bool from_file(uint8_t *out, size_t *n, const char *dir, const row_t *row)
{
    char path[1024];
    bool found = false;
    snprintf(path, sizeof path, "%s/precompiles/%s.json", dir, row->file);
    json_t *cases = json_load_file(path, 0, NULL);
    for (size_t i = 0; i < json_array_size(cases) && !found; i++) {
        const json_t *test = json_array_get(cases, i);
        const char *name = json_string_value(json_object_get(test, "name"));
        const char *hex = json_string_value(json_object_get(test, "input"));
        found = name && hex && !strcmp(name, row->name) && !hex_decode(out, n, INPUT_MAX, hex, strlen(hex));
    }
    json_decref(cases);
    return found;
}

static bool input_of(uint8_t *out, size_t *n, const char *dir, const row_t *row)
{
    if (row->hex)
        return hex_decode(out, n, INPUT_MAX, row->hex, strlen(row->hex)) == RC_OK;
    if (row->file)
        return dir && from_file(out, n, dir, row);
    for (*n = 0; *n < row->made_len; ++*n)
        out[*n] = (uint8_t)*n;
    return true;
}

/* Runs it count times. False: it fails. */
static bool repeat(uint64_t *gas, const row_t *row, view_t input, size_t count)
{
    arena_t a;
    view_t out;
    bool ok = true;
    arena_init(&a, 16u << 20);
    const arena_mark_t start = arena_mark(&a);
    for (size_t i = 0; ok && i < count; i++) {
        ok = evm_precompile(&out, gas, &a, input, row->fork, row->index) == RC_OK;
        arena_rollback(&a, start);
    }
    arena_free(&a);
    return ok;
}

/* What a row gave. */
typedef struct {
    bench_series_t ours, theirs; /* no rounds: left out */
    size_t input_len;
    uint64_t gas;
} result_t;

static void peer_repeat(const peer_t *peer, peer_run_t *run, const row_t *row, size_t count)
{
    for (size_t i = 0; i < count; i++)
        (void)peer->precompile(run, row->index);
}

/* Once by each: both say the same, gas too where the rules are the same. */
static bool peer_agrees(const peer_t *peer, peer_run_t *run, const row_t *row, view_t input)
{
    uint64_t gas = 0;
    view_t out;
    arena_t a;
    arena_init(&a, 16u << 20);
    bool ok = evm_precompile(&out, &gas, &a, input, row->fork, row->index) == RC_OK &&
              peer->precompile(run, row->index) == 0 && view_eq(out, view_of(run->out, run->out_len)) &&
              (row->fork != EVM_OSAKA || gas == (uint64_t)run->gas);
    arena_free(&a);
    return ok;
}

/* The series of a row, in turns; false: it fails. */
static bool measure(result_t *r, const row_t *row, const peer_t *peer, view_t input)
{
    static uint8_t out[INPUT_MAX];
    peer_run_t run = { .input = input.p, .input_len = input.n, .out = out, .out_cap = sizeof out };
    const bool by_peer = peer->precompile && row->index < 0x100;
    uint64_t start = bench_cpu_ns();
    if (!repeat(&r->gas, row, input, 1) || (by_peer && !peer_agrees(peer, &run, row, input)))
        return false;
    double once = (double)(bench_cpu_ns() - start);
    size_t count = 1 + (size_t)(ROUND_NS / (once > 50 ? once : 50));
    for (unsigned round = 0; round < ROUNDS; round++) {
        start = bench_cpu_ns();
        (void)repeat(&r->gas, row, input, count);
        bench_round(&r->ours, start, count);
        start = bench_cpu_ns();
        if (by_peer)
            peer_repeat(peer, &run, row, count);
        if (by_peer)
            bench_round(&r->theirs, start, count);
    }
    return true;
}

static bool measure_all(result_t *results, bench_series_t *reference, const peer_t *peer, const char *dir)
{
    static uint8_t bytes[INPUT_MAX];
    for (size_t i = 0; i < ROWS; i++) {
        result_t *r = &results[i];
        for (unsigned round = 0; round < REFERENCE_ROUNDS && !peer->precompile; round++)
            if (!bench_reference(reference))
                return false;
        if (!input_of(bytes, &r->input_len, dir, &rows[i]))
            continue;
        if (!measure(r, &rows[i], peer, view_of(bytes, r->input_len))) {
            fprintf(stderr, "bench: %s failed\n", rows[i].label);
            return false;
        }
    }
    return true;
}

/* evmone's time for a row, in ns; 0: not known. */
static double peer_ns(const result_t *r, const row_t *row, const peer_t *peer, double slower)
{
    if (peer->precompile)
        return bench_best(&r->theirs);
    return row->evmone > 0 ? (double)r->gas / row->evmone * 1e3 * slower : 0;
}

bool bench_precompile(const char *dir)
{
    static result_t results[ROWS];
    static bench_series_t reference;
    double product = 1, their_product = 1, least = INFINITY;
    unsigned compared = 0;
    peer_t peer;
    if (!peer_open(&peer) || !measure_all(results, &reference, &peer, dir))
        return false;
    double slower = peer.precompile ? 1 : bench_slower(&reference);
    for (size_t i = 0; i < ROWS; i++) {
        const result_t *r = &results[i];
        double best_ns = bench_best(&r->ours), theirs = peer_ns(r, &rows[i], &peer, slower);
        if (best_ns <= 0) {
            printf("  %-22s skipped, no vectors\n", rows[i].label);
            continue;
        }
        double rate = (double)r->gas / best_ns * 1e3;
        printf("  %-22s %5zu bytes %7llu gas, best %9.3f us, median %9.3f us, %8.1f Mgas/s", rows[i].label,
               r->input_len, (unsigned long long)r->gas, best_ns / 1e3, bench_median(&r->ours) / 1e3, rate);
        if (theirs > 0) {
            printf(", evmone %9.3f us: %.2f times", theirs / 1e3, theirs / best_ns);
            product *= rate, their_product *= (double)r->gas / theirs * 1e3, compared++;
            least = fmin(least, theirs / best_ns);
        }
        putchar('\n');
    }
    printf("  least %.2f times\n", least);
    return bench_result("precompiles", pow(product, 1.0 / compared), "Mgas/s", pow(their_product, 1.0 / compared),
                        "evmone");
}
