/* quote: one verification of a real quote (steps 1 to 13) by cached collateral, against the ECDSA operations that it
 * makes. Cached means prepared: documents parsed and signatures of the collateral checked once, before (tee_prepare).
 * What is measured takes the quote's bytes apart, reads its PCK certificate, and checks three signatures. For
 * comparison the same without a cache, which prepares the collateral as well (not its container). */
#include <stdio.h>

#include "base/crypto/p256.h"
#include "tee/verify/verify.h"
#include "tests/bench/bench.h"

#define ROUNDS 31u
#define QUOTES 16u
#define OPERATIONS_MAX 64u
#define ARENA_MAX (8u << 20)
#define QUOTE_FILE "gcp-seed-v4-00806f05.bin"
#define COLLATERAL_SET "00806f05-2025-10"
#define NOW 1761920231 /* inside the set's window.json */

/* Every call of p256_verify of this program comes through here (link argument --wrap): while recording, the operation
 * is kept, to be made again on its own. */
static struct {
    uint8_t sig[P256_SIG_LEN], pubkey[P256_PUBKEY_LEN];
    hash32_t digest;
} operations[OPERATIONS_MAX];
static size_t operation_count;
static bool recording;

rc_t __real_p256_verify(const uint8_t sig[P256_SIG_LEN], const hash32_t *digest, const uint8_t pubkey[P256_PUBKEY_LEN]);
rc_t __wrap_p256_verify(const uint8_t sig[P256_SIG_LEN], const hash32_t *digest, const uint8_t pubkey[P256_PUBKEY_LEN]);

rc_t __wrap_p256_verify(const uint8_t sig[P256_SIG_LEN], const hash32_t *digest, const uint8_t pubkey[P256_PUBKEY_LEN])
{
    if (recording && operation_count < OPERATIONS_MAX) {
        memcpy(operations[operation_count].sig, sig, P256_SIG_LEN);
        memcpy(operations[operation_count].pubkey, pubkey, P256_PUBKEY_LEN);
        operations[operation_count++].digest = *digest;
    }
    return __real_p256_verify(sig, digest, pubkey);
}

static view_t load(arena_t *a, const char *dir, const char *folder, const char *name)
{
    char path[512];
    uint8_t *bytes = arena_alloc(a, TEE_QUOTE_LEN_MAX);
    snprintf(path, sizeof path, "%s/tdx/%s/%s", dir, folder, name);
    FILE *f = fopen(path, "rb");
    size_t n = f && bytes ? fread(bytes, 1, TEE_QUOTE_LEN_MAX, f) : 0;
    if (f)
        fclose(f);
    return view_of(bytes, n);
}

static bool load_collateral(collateral_t *c, arena_t *a, const char *dir)
{
    static const char set[] = "collateral/" COLLATERAL_SET;
    err_t fault;
    *c = (collateral_t){ .root_ca_crl = load(a, dir, set, "root_ca_crl.der"),
                         .pck_crl = load(a, dir, set, "pck_crl.der"),
                         .pck_crl_issuer_chain = load(a, dir, set, "pck_crl_issuer_chain.pem"),
                         .tcb_info_issuer_chain = load(a, dir, set, "tcb_signing_chain.pem"),
                         .qe_identity_issuer_chain = load(a, dir, set, "qe_identity_signing_chain.pem") };
    return !collateral_split(&c->tcb_info, c->tcb_info_signature, &fault, load(a, dir, set, "tcb_info.json"),
                             "tcbInfo") &&
           !collateral_split(&c->qe_identity, c->qe_identity_signature, &fault, load(a, dir, set, "qe_identity.json"),
                             "enclaveIdentity");
}

/* One verification with everything that belongs to it, the arena included. prepared NULL: by the collateral as it came.
 */
static bool verify(view_t quote, const collateral_t *c, const tee_prepared_t *prepared)
{
    tee_verified_t v;
    err_t fault;
    arena_t a;
    arena_init(&a, ARENA_MAX);
    rc_t rc = prepared ? tee_verify_prepared(&v, NULL, &fault, &a, quote, prepared, NOW)
                       : tee_verify(&v, NULL, &fault, &a, quote, c, CHAIN_INTEL_ROOT, NOW);
    if (rc)
        fprintf(stderr, "bench: %s: %s\n", tee_code_name(fault.code), fault.text);
    arena_free(&a);
    return rc == RC_OK;
}

static bool repeat_operations(void)
{
    bool ok = true;
    for (size_t i = 0; i < operation_count; i++)
        ok = __real_p256_verify(operations[i].sig, &operations[i].digest, operations[i].pubkey) == RC_OK && ok;
    return ok;
}

/* Verifications and their operations take turns. */
static bool measure(bench_series_t *whole, bench_series_t *ecdsa, view_t quote, const collateral_t *c,
                    const tee_prepared_t *prepared)
{
    operation_count = 0;
    recording = true;
    bool ok = verify(quote, c, prepared);
    recording = false;
    for (unsigned r = 0; ok && r < ROUNDS; r++) {
        uint64_t start = bench_cpu_ns();
        for (unsigned i = 0; i < QUOTES; i++)
            ok = verify(quote, c, prepared) && ok;
        bench_round(whole, start, QUOTES);
        start = bench_cpu_ns();
        for (unsigned i = 0; i < QUOTES; i++)
            ok = repeat_operations() && ok;
        bench_round(ecdsa, start, QUOTES);
    }
    return ok;
}

/* Both ways, and the lines for people; the last series are of the prepared one. */
static bool run(bench_series_t *whole, bench_series_t *ecdsa, view_t quote, const collateral_t *c,
                const tee_prepared_t *prepared)
{
    for (unsigned cached = 0; cached < 2; cached++) {
        char label[64];
        whole->rounds = ecdsa->rounds = 0;
        if (!measure(whole, ecdsa, quote, c, cached ? prepared : NULL))
            return false;
        bench_line(cached ? "verification by prepared collateral" : "verification, collateral included", whole, 1000,
                   "us");
        snprintf(label, sizeof label, "its %zu ECDSA operations alone", operation_count);
        bench_line(label, ecdsa, 1000, "us");
    }
    return true;
}

bool bench_quote(const char *dir)
{
    static bench_series_t whole, ecdsa;
    collateral_t c;
    tee_prepared_t prepared;
    err_t fault;
    arena_t a;
    arena_init(&a, ARENA_MAX);
    view_t quote = dir ? load(&a, dir, "quotes", QUOTE_FILE) : view_of(NULL, 0);
    bool ok = quote.n && load_collateral(&c, &a, dir) && !tee_prepare(&prepared, &fault, &a, &c, CHAIN_INTEL_ROOT, NOW);
    if (!ok)
        fputs("bench: quote needs the vectors\n", stderr);
    ok = ok && run(&whole, &ecdsa, quote, &c, &prepared) &&
         bench_result("quote", bench_best(&whole) / 1000, "us", bench_best(&ecdsa) / 1000, "ECDSA");
    arena_free(&a);
    return ok;
}
