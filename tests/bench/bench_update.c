/* update: what it costs to verify one light-client update, against the pure BLS floor measured in the same run: signature
 * decompressed and subgroup checked, message hashed, joint Miller loop, one final exponentiation, for a known key. */
#include <blst.h>
#include <stdio.h>
#include <stdlib.h>

#include "lightclient/bls/bls.h"
#include "tests/bench/bench.h"

#define ROUNDS 41u
#define MEMBERS 512u
#define ABSENT 12u

static const char DST[] = "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";

typedef struct {
    bls_pubkey_t keys[MEMBERS];
    bls_point_t aggregate;
    uint8_t bits[MEMBERS / 8];
    hash32_t msg;
    uint8_t sig_full[BLS_SIG_LEN], sig_absent[BLS_SIG_LEN];
} made_t;

static void secret_of(blst_scalar *out, uint32_t i)
{
    uint8_t seed[32] = { 0 };
    hash32_t h;
    memcpy(seed, &i, sizeof i);
    bls_sha256(&h, view_of(seed, sizeof seed));
    blst_keygen(out, h.b, sizeof h.b, NULL, 0);
}

static bool make(made_t *m)
{
    blst_scalar all = { 0 }, some = { 0 };
    blst_p1 pk;
    blst_p1_affine key;
    blst_p2 hash, sig;
    memset(m, 0, sizeof *m);
    memset(m->msg.b, 0x5a, sizeof m->msg.b);
    for (uint32_t i = 0; i < MEMBERS; i++) {
        blst_scalar sk;
        secret_of(&sk, i);
        blst_sk_to_pk_in_g1(&pk, &sk);
        blst_p1_compress(m->keys[i].b, &pk);
        blst_sk_add_n_check(&all, &all, &sk);
        if (i < ABSENT)
            continue;
        blst_sk_add_n_check(&some, &some, &sk);
        m->bits[i / 8] |= (uint8_t)(1u << i % 8);
    }
    blst_sk_to_pk_in_g1(&pk, &all);
    blst_p1_to_affine(&key, &pk);
    memcpy(&m->aggregate, &key, sizeof key);
    blst_hash_to_g2(&hash, m->msg.b, sizeof m->msg.b, (const uint8_t *)DST, sizeof DST - 1, NULL, 0);
    blst_sign_pk_in_g1(&sig, &hash, &all);
    blst_p2_compress(m->sig_full, &sig);
    blst_sign_pk_in_g1(&sig, &hash, &some);
    blst_p2_compress(m->sig_absent, &sig);
    return true;
}

static bool floor_verify(const made_t *m)
{
    blst_p1_affine key;
    blst_p2_affine sig, hash_affine;
    blst_p2 hash;
    blst_fp12 product;
    memcpy(&key, &m->aggregate, sizeof key);
    if (blst_p2_uncompress(&sig, m->sig_full) || !blst_p2_affine_in_g2(&sig))
        return false;
    blst_hash_to_g2(&hash, m->msg.b, sizeof m->msg.b, (const uint8_t *)DST, sizeof DST - 1, NULL, 0);
    blst_p2_to_affine(&hash_affine, &hash);
    const blst_p2_affine *const in_g2[] = { &sig, &hash_affine };
    const blst_p1_affine *const in_g1[] = { &BLS12_381_NEG_G1, &key };
    blst_miller_loop_n(&product, in_g2, in_g1, 2);
    blst_final_exp(&product, &product);
    return blst_fp12_is_one(&product);
}

bool bench_update(const char *dir)
{
    static made_t m;
    uint8_t all[MEMBERS / 8];
    bench_series_t floor = { .rounds = 0 }, key = { .rounds = 0 }, full = { .rounds = 0 }, absent = { .rounds = 0 };
    bool ok = make(&m);
    (void)dir;
    memset(all, 0xff, sizeof all);
    for (unsigned r = 0; ok && r < ROUNDS; r++) {
        uint64_t start = bench_cpu_ns();
        ok = ok && floor_verify(&m);
        bench_round(&floor, start, 1);
        start = bench_cpu_ns();
        ok = ok && bls_committee_verify(&m.aggregate, m.keys, MEMBERS, all, &m.msg, m.sig_full) == RC_OK;
        bench_round(&full, start, 1);
        start = bench_cpu_ns();
        ok = ok && bls_committee_verify(&m.aggregate, m.keys, MEMBERS, m.bits, &m.msg, m.sig_absent) == RC_OK;
        bench_round(&absent, start, 1);
        start = bench_cpu_ns();
        for (unsigned i = 0; i < ABSENT; i++) {
            bls_point_t p;
            ok = ok && bls_pubkey_decode(&p, &m.keys[i], true) == RC_OK;
        }
        bench_round(&key, start, 1);
    }
    bench_line("floor: known key, joint Miller loop", &floor, 1e3, "us");
    bench_line("12 keys decompressed and subgroup checked", &key, 1e3, "us");
    bench_line("bls_committee_verify, 512 of 512", &full, 1e3, "us");
    bench_line("bls_committee_verify, 500 of 512", &absent, 1e3, "us");
    printf("  500 of 512 against floor and 12 keys: %.3f\n", bench_best(&absent) / (bench_best(&floor) + bench_best(&key)));
    return ok && bench_result("update", bench_best(&full) / 1e3, "us", bench_best(&floor) / 1e3, "bls-floor");
}
