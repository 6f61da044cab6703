/* p256: one verification of a P-256 signature, as quotes and the precompile at 0x100 ask for, against OpenSSL's on the same inputs in
 * the same process, in turns. OpenSSL is looked for when this runs: nothing of the program needs it. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "base/crypto/hash.h"
#include "base/crypto/p256.h"
#include "tests/bench/bench.h"

#define ROUNDS 41u
#define CHECKS 40u
#define CURVE_P256 415 /* NID_X9_62_prime256v1 */

typedef struct {
    void *(*key_new)(int curve);
    int (*key_set)(void *key, const uint8_t *point, size_t len, void *ctx);
    int (*verify)(int type, const uint8_t *digest, int digest_len, const uint8_t *sig, int sig_len, void *key);
    void (*key_free)(void *key);
} openssl_t;

typedef struct {
    hash32_t digest;
    uint8_t key[1 + P256_PUBKEY_LEN]; /* 4, x, y */
    uint8_t sig[P256_SIG_LEN], der[80];
    size_t der_len;
} work_t;

/* ISO C has no cast from an object's address to a function's. */
static bool find(void *to, void *library, const char *name)
{
    void *at = dlsym(library, name);
    memcpy(to, &at, sizeof at);
    return at;
}

static bool open_library(openssl_t *o)
{
    void *library = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);
    return library && find(&o->key_new, library, "EC_KEY_new_by_curve_name") &&
           find(&o->key_set, library, "EC_KEY_oct2key") && find(&o->verify, library, "ECDSA_verify") &&
           find(&o->key_free, library, "EC_KEY_free");
}

/* An INTEGER of 32 bytes; returns its length. */
static size_t put_integer(uint8_t *out, const uint8_t number[32])
{
    size_t skip = 0;
    while (skip < 31 && !number[skip])
        skip++;
    const size_t pad = number[skip] >> 7, n = 32 - skip;
    out[0] = 2;
    out[1] = (uint8_t)(pad + n);
    out[2] = 0;
    memcpy(out + 2 + pad, number + skip, n);
    return 2 + pad + n;
}

static bool make(work_t *w)
{
    const uint8_t secret[P256_SECRET_LEN] = { 1, 2, 3 };
    sha256(&w->digest, view_str("what is signed"));
    w->key[0] = 4;
    if (p256_pubkey(w->key + 1, secret) || p256_sign(w->sig, &w->digest, secret))
        return false;
    size_t n = put_integer(w->der + 2, w->sig);
    n += put_integer(w->der + 2 + n, w->sig + 32);
    w->der[0] = 0x30;
    w->der[1] = (uint8_t)n;
    w->der_len = 2 + n;
    return true;
}

/* From the bytes of a key on, as ours. */
static bool check_theirs(const openssl_t *o, const work_t *w)
{
    void *key = o->key_new(CURVE_P256);
    const bool good = key && o->key_set(key, w->key, sizeof w->key, NULL) == 1 &&
                      o->verify(0, w->digest.b, sizeof w->digest.b, w->der, (int)w->der_len, key) == 1;
    if (key)
        o->key_free(key);
    return good;
}

bool bench_p256(const char *dir)
{
    bench_series_t ours = { .rounds = 0 }, theirs = { .rounds = 0 };
    openssl_t o;
    work_t w;
    bool good = make(&w);
    (void)dir;
    if (!open_library(&o)) {
        puts("skipped: there is no libcrypto.so.3 to compare with");
        return false;
    }
    for (unsigned r = 0; good && r < ROUNDS; r++) {
        uint64_t start = bench_cpu_ns();
        for (unsigned i = 0; i < CHECKS; i++)
            good = p256_verify(w.sig, &w.digest, w.key + 1) == RC_OK && good;
        bench_round(&ours, start, CHECKS);
        start = bench_cpu_ns();
        for (unsigned i = 0; i < CHECKS; i++)
            good = check_theirs(&o, &w) && good;
        bench_round(&theirs, start, CHECKS);
    }
    if (!good) {
        fprintf(stderr, "bench: p256: a signature does not hold\n");
        return false;
    }
    bench_line("one verification, nettle's", &ours, 1000, "us");
    bench_line("OpenSSL's", &theirs, 1000, "us");
    return bench_result("p256", bench_best(&ours) / 1e3, "us", bench_best(&theirs) / 1e3, "openssl");
}
