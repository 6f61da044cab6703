/* crypto: every file of the folder, Wycheproof cases of the primitives that base/crypto offers. What a door cannot even
 * be asked (a nonce of another length, a signature that is no DER) counts as refused. "acceptable" has one rule: X25519
 * accepts such a key (of the twist, not reduced), but refuses it when what is shared would be zero. */
#include <string.h>

#include "base/crypto/aead.h"
#include "base/crypto/curve25519.h"
#include "base/crypto/ecdsa.h"
#include "base/crypto/hash.h"
#include "base/crypto/kdf.h"
#include "base/crypto/p256.h"
#include "base/crypto/secret.h"
#include "tests/vectors/vec.h"

#define MEMORY_MAX (64u << 20)

typedef struct {
    vec_t *v;
    arena_t a;
    ecdsa_t *secp256k1;
    const json_t *group, *test;
} run_t;

static view_t hex(run_t *r, const char *key)
{
    return vec_hex(&r->a, vec_str(r->test, key));
}

/* What our doors say to a case; WRONG: they take it, but give something else than it says. */
typedef enum { REFUSED, ACCEPTED, WRONG } answer_t;

static answer_t answer(bool accepted)
{
    return accepted ? ACCEPTED : REFUSED;
}

/* The public key of the group, x || y. */
static bool uncompressed_key(run_t *r, uint8_t out[64])
{
    view_t key = vec_hex(&r->a, vec_str(json_object_get(r->group, "publicKey"), "uncompressed"));
    if (key.n != 65 || key.p[0] != 4)
        return false;
    memcpy(out, key.p + 1, 64);
    return true;
}

/* --- ECDSA signatures --- */

/* One INTEGER of DER, which is positive and minimal, as 32 bytes. */
static bool take_integer(rd_t *r, uint8_t out[32])
{
    uint8_t tag = rd_u8(r), n = rd_u8(r);
    view_t x = rd_take(r, n);
    if (r->bad || tag != 0x02 || n == 0 || n > 33 || x.p[0] & 0x80 || (n > 1 && !x.p[0] && !(x.p[1] & 0x80)))
        return false;
    if (!x.p[0])
        x = view_of(x.p + 1, x.n - 1u);
    if (x.n > 32)
        return false;
    memset(out, 0, 32);
    if (x.n)
        memcpy(out + 32 - x.n, x.p, x.n);
    return true;
}

/* SEQUENCE { INTEGER r, INTEGER s }: of numbers of 32 bytes its length is one byte. */
static bool parse_der(uint8_t sig[64], view_t der)
{
    rd_t r = rd_of(der);
    uint8_t tag = rd_u8(&r), n = rd_u8(&r);
    return tag == 0x30 && n < 0x80 && n == r.n && take_integer(&r, sig) && take_integer(&r, sig + 32) && rd_done(&r);
}

static bool parse_plain(uint8_t sig[64], view_t in)
{
    if (in.n != 64)
        return false;
    memcpy(sig, in.p, 64);
    return true;
}

static answer_t check_p256(run_t *r, bool (*parse)(uint8_t sig[64], view_t in))
{
    uint8_t sig[64], key[64];
    hash32_t digest;
    sha256(&digest, hex(r, "msg"));
    return answer(uncompressed_key(r, key) && parse(sig, hex(r, "sig")) && p256_verify(sig, &digest, key) == RC_OK);
}

static answer_t p256_der(run_t *r)
{
    return check_p256(r, parse_der);
}

static answer_t p256_plain(run_t *r)
{
    return check_p256(r, parse_plain);
}

/* Only low s: Bitcoin's rule, and the door's. */
static answer_t secp256k1_low(run_t *r)
{
    uint8_t sig[64], key[64], compressed[33];
    hash32_t digest;
    sha256(&digest, hex(r, "msg"));
    if (!uncompressed_key(r, key) || !parse_der(sig, hex(r, "sig")))
        return REFUSED;
    compressed[0] = 2 | (key[63] & 1);
    memcpy(compressed + 1, key, 32);
    return answer(ecdsa_verify(r->secp256k1, sig, &digest, compressed) == RC_OK);
}

/* Either s: the door verifies the low one; a high one is recovered, as of old transactions. */
static answer_t secp256k1_any(run_t *r)
{
    uint8_t sig[64], key[64], recovered[64];
    hash32_t digest;
    bool found = secp256k1_low(r) == ACCEPTED;
    sha256(&digest, hex(r, "msg"));
    if (!uncompressed_key(r, key) || !parse_der(sig, hex(r, "sig")))
        return REFUSED;
    for (int id = 0; id < 4; id++)
        found = found || (!ecdsa_recover(r->secp256k1, recovered, sig, id, &digest) && !memcmp(recovered, key, 64));
    return answer(found);
}

/* --- the others --- */

static answer_t ed25519(run_t *r)
{
    view_t key = vec_hex(&r->a, vec_str(json_object_get(r->group, "publicKey"), "pk")), sig = hex(r, "sig");
    return answer(key.n == ED25519_PUBKEY_LEN && sig.n == ED25519_SIG_LEN &&
                  ed25519_verify(sig.p, hex(r, "msg"), key.p) == RC_OK);
}

static answer_t x25519(run_t *r)
{
    uint8_t shared[X25519_LEN];
    view_t public = hex(r, "public"), private = hex(r, "private");
    if (public.n != X25519_LEN || private.n != X25519_LEN || x25519_shared(shared, private.p, public.p))
        return REFUSED;
    return view_eq(hex(r, "shared"), view_of(shared, X25519_LEN)) ? ACCEPTED : WRONG;
}

static answer_t hkdf(run_t *r)
{
    static uint8_t out[HKDF_OUT_MAX];
    uint8_t prk[HKDF_PRK_LEN];
    size_t n = (size_t)json_integer_value(json_object_get(r->test, "size"));
    hkdf_extract(prk, hex(r, "salt"), hex(r, "ikm"));
    if (hkdf_expand(out, n, prk, hex(r, "info")))
        return REFUSED;
    return view_eq(hex(r, "okm"), view_of(out, n)) ? ACCEPTED : WRONG;
}

typedef void seal_t(uint8_t *out, view_t in, view_t ad, const uint8_t *nonce, const uint8_t *key);
typedef rc_t open_t(uint8_t *out, view_t sealed, view_t ad, const uint8_t *nonce, const uint8_t *key);

/* ct || tag must open to msg, and msg be sealed to it; or neither. */
static answer_t check_aead(run_t *r, size_t nonce_len, seal_t *seal, open_t *open)
{
    view_t key = hex(r, "key"), nonce = hex(r, "iv"), ad = hex(r, "aad"), msg = hex(r, "msg"), ct = hex(r, "ct");
    view_t tag = hex(r, "tag");
    if (key.n != AEAD_KEY_LEN || nonce.n != nonce_len || tag.n != AEAD_TAG_LEN || ct.n != msg.n)
        return REFUSED;
    size_t n = ct.n + AEAD_TAG_LEN;
    uint8_t *sealed = arena_alloc(&r->a, n), *out = arena_alloc(&r->a, n);
    if (!sealed || !out)
        return WRONG;
    if (ct.n)
        memcpy(sealed, ct.p, ct.n);
    memcpy(sealed + ct.n, tag.p, AEAD_TAG_LEN);
    bool opens = open(out, view_of(sealed, n), ad, nonce.p, key.p) == RC_OK;
    bool to_msg = view_eq(view_of(out, ct.n), msg);
    seal(out, msg, ad, nonce.p, key.p);
    bool seals = memcmp(out, sealed, n) == 0;
    return opens != seals || (opens && !to_msg) ? WRONG : answer(opens);
}

static answer_t chacha(run_t *r)
{
    return check_aead(r, AEAD_NONCE_LEN, aead_seal, aead_open);
}

static answer_t xchacha(run_t *r)
{
    return check_aead(r, XAEAD_NONCE_LEN, xaead_seal, xaead_open);
}

/* --- files --- */

typedef answer_t suite_t(run_t *r);

static void run_case(run_t *r, const char *file, suite_t *suite)
{
    static const uint8_t zeros[X25519_LEN];
    static const char *const names[] = { "refused", "accepted", "wrong" };
    const char *result = vec_str(r->test, "result");
    if (!result)
        result = "";
    arena_init(&r->a, MEMORY_MAX);
    answer_t got = suite(r);
    view_t shared = hex(r, "shared");
    bool acceptable = shared.n == X25519_LEN && memcmp(shared.p, zeros, X25519_LEN) != 0;
    answer_t want = answer(!strcmp(result, "valid") || (!strcmp(result, "acceptable") && acceptable));
    if (got == want && *result)
        vec_pass(r->v);
    else {
        char name[160];
        snprintf(name, sizeof name, "%s %d", file, (int)json_integer_value(json_object_get(r->test, "tcId")));
        vec_fail(r->v, name, "%s, but is %s", names[got], *result ? result : "without a result");
    }
    arena_free(&r->a);
}

static void run_file(run_t *r, const char *file, suite_t *suite)
{
    json_t *o = vec_json(r->v, "crypto/%s", file);
    const json_t *groups = json_object_get(o, "testGroups");
    size_t cases = 0;
    for (size_t g = 0; g < json_array_size(groups); g++) {
        r->group = json_array_get(groups, g);
        const json_t *tests = json_object_get(r->group, "tests");
        for (size_t i = 0; i < json_array_size(tests); i++, cases++) {
            r->test = json_array_get(tests, i);
            run_case(r, file, suite);
        }
    }
    if (!cases)
        vec_fail(r->v, file, "no case in it");
    json_decref(o);
}

static suite_t *suite_of(const char *file)
{
    static const struct {
        const char *file;
        suite_t *suite;
    } rows[] = {
        { "wycheproof-ecdsa_secp256k1_sha256_test.json", secp256k1_any },
        { "wycheproof-ecdsa_secp256k1_sha256_bitcoin_test.json", secp256k1_low },
        { "wycheproof-ecdsa_secp256r1_sha256_test.json", p256_der },
        { "wycheproof-ecdsa_secp256r1_sha256_p1363_test.json", p256_plain },
        { "wycheproof-ed25519_test.json", ed25519 },
        { "wycheproof-x25519_test.json", x25519 },
        { "wycheproof-hkdf_sha256_test.json", hkdf },
        { "wycheproof-chacha20_poly1305_test.json", chacha },
        { "wycheproof-xchacha20_poly1305_test.json", xchacha },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (!strcmp(file, rows[i].file))
            return rows[i].suite;
    return NULL;
}

void vec_kind_crypto(vec_t *v)
{
    run_t r = { .v = v, .secp256k1 = ecdsa_new(NULL) };
    arena_t a;
    arena_init(&a, 1u << 20);
    char **names = vec_list(v, &a, "crypto");
    bool ready = r.secp256k1 && !secret_init();
    if (names && !ready)
        vec_fail(v, "crypto", "out of memory, or no random source");
    for (; ready && names && *names; names++) {
        suite_t *suite = suite_of(*names);
        if (suite)
            run_file(&r, *names, suite);
        else
            vec_fail(v, *names, "no suite for this file");
    }
    arena_free(&a);
    ecdsa_free(r.secp256k1);
}
