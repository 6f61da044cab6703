#include <blst.h>
#include <stdio.h>

#include "lightclient/bls/bls.h"
#include "tests/bench/bench.h"

#define THERE_US 646.0 /* two Miller loops, joint: 352; final exponentiation: 294 */

bool bench_reference(bench_series_t *s)
{
    const blst_p2_affine *const q[] = { &BLS12_381_G2, &BLS12_381_G2 };
    const blst_p1_affine *const p[] = { &BLS12_381_G1, &BLS12_381_NEG_G1 };
    blst_fp12 product;
    uint64_t start = bench_cpu_ns();
    blst_miller_loop_n(&product, q, p, 2);
    blst_final_exp(&product, &product);
    bench_round(s, start, 1);
    return blst_fp12_is_one(&product);
}

double bench_slower(const bench_series_t *s)
{
    double slower = bench_best(s) / 1e3 / THERE_US;
    bench_line("blst, two Miller loops and one final exponentiation", s, 1e3, "us");
    printf("  %.0f us there: rates are multiplied by %.3f before they are compared with evmone's\n", THERE_US, slower);
    return slower;
}
