/* keccak, sha256: one block each, against the library that offers the same permutation. */
#include <nettle/sha3.h>
#include <stdio.h>

#include "base/crypto/hash.h"
#include "lightclient/bls/bls.h"
#include "tests/bench/bench.h"

#define ROUNDS 41u
#define HASHES 4096u

/* Each hash is the next one's input, so that none can be left out. */
bool bench_keccak(const char *dir)
{
    bench_series_t own = { .rounds = 0 }, library = { .rounds = 0 };
    uint8_t in[64] = { 0 };
    (void)dir;
    for (unsigned r = 0; r < ROUNDS; r++) {
        uint64_t start = bench_cpu_ns();
        for (unsigned i = 0; i < HASHES; i++) {
            hash32_t out;
            keccak256(&out, view_of(in, sizeof in));
            memcpy(in, out.b, sizeof out.b);
        }
        bench_round(&own, start, HASHES);
        start = bench_cpu_ns();
        for (unsigned i = 0; i < HASHES; i++) {
            struct sha3_256_ctx ctx;
            sha3_256_init(&ctx);
            sha3_256_update(&ctx, sizeof in, in);
            sha3_256_digest(&ctx, 32, in);
        }
        bench_round(&library, start, HASHES);
    }
    bench_line("keccak256 of 64 bytes", &own, 1, "ns");
    bench_line("nettle SHA3-256 of 64 bytes (the same permutation)", &library, 1, "ns");
    return bench_result("keccak", bench_best(&own), "ns", bench_best(&library), "nettle");
}

bool bench_sha256(const char *dir)
{
    bench_series_t own = { .rounds = 0 }, library = { .rounds = 0 };
    uint8_t in[64] = { 0 };
    (void)dir;
    for (unsigned r = 0; r < ROUNDS; r++) {
        uint64_t start = bench_cpu_ns();
        for (unsigned i = 0; i < HASHES; i++) {
            hash32_t out;
            sha256_64(&out, in);
            memcpy(in, out.b, sizeof out.b);
        }
        bench_round(&own, start, HASHES);
        start = bench_cpu_ns();
        for (unsigned i = 0; i < HASHES; i++) {
            hash32_t out;
            bls_sha256(&out, view_of(in, sizeof in));
            memcpy(in, out.b, sizeof out.b);
        }
        bench_round(&library, start, HASHES);
    }
    bench_line("sha256_64", &own, 1, "ns");
    bench_line("blst SHA-256 of 64 bytes", &library, 1, "ns");
    return bench_result("sha256", bench_best(&own), "ns", bench_best(&library), "blst");
}
