/* bls: signature suites, hash to curve, point encodings, real sync-committee signatures. What the library offers is
 * tested through bls.h; what only blst offers (signing, hashing, encodings) pins the blst that this build links. */
#include <blst.h>
#include <blst_aux.h>
#include <stdlib.h>
#include <string.h>

#include "lightclient/bls/bls.h"
#include "tests/vectors/vec.h"

#define KEYS_MAX 512u
#define ETH_DST "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_"
#define TEST_DST "QUUX-V01-CS02-with-BLS12381G2_XMD:SHA-256_SSWU_RO_"

typedef const uint8_t *bytes_t;

static view_t member(arena_t *a, const json_t *o, const char *key)
{
    return vec_hex(a, vec_str(o, key));
}

static size_t keys_of(bls_pubkey_t out[KEYS_MAX], arena_t *a, const json_t *list)
{
    size_t n = json_array_size(list);
    for (size_t i = 0; i < n && i < KEYS_MAX; i++) {
        view_t k = vec_hex(a, json_string_value(json_array_get(list, i)));
        if (k.n != BLS_PUBKEY_LEN)
            return SIZE_MAX;
        memcpy(out[i].b, k.p, k.n);
    }
    return n <= KEYS_MAX ? n : SIZE_MAX;
}

/* ---- functions of ef-v0.1.1: each answers whether the case holds ---- */

static bool run_sign(arena_t *a, const json_t *in, const json_t *out)
{
    view_t key = member(a, in, "privkey"), msg = member(a, in, "message"), want = vec_hex(a, json_string_value(out));
    blst_scalar sk;
    blst_p2 hash, sig;
    uint8_t got[BLS_SIG_LEN];
    if (key.n != 32)
        return false;
    blst_scalar_from_bendian(&sk, key.p);
    if (!blst_sk_check(&sk))
        return json_is_null(out);
    blst_hash_to_g2(&hash, msg.p, msg.n, (bytes_t)ETH_DST, sizeof ETH_DST - 1, NULL, 0);
    blst_sign_pk_in_g1(&sig, &hash, &sk);
    blst_p2_compress(got, &sig);
    return view_eq(want, view_of(got, sizeof got));
}

static bool run_verify(arena_t *a, const json_t *in, const json_t *out)
{
    view_t key = member(a, in, "pubkey"), msg = member(a, in, "message"), sig = member(a, in, "signature");
    bls_pubkey_t k;
    if (key.n != sizeof k.b || sig.n != BLS_SIG_LEN)
        return !json_is_true(out);
    memcpy(k.b, key.p, sizeof k.b);
    return (bls_verify(&k, msg, sig.p) == RC_OK) == json_is_true(out);
}

static bool run_fast_aggregate_verify(arena_t *a, const json_t *in, const json_t *out)
{
    static bls_pubkey_t keys[KEYS_MAX];
    view_t msg = member(a, in, "message"), sig = member(a, in, "signature");
    size_t n = keys_of(keys, a, json_object_get(in, "pubkeys"));
    if (n == SIZE_MAX || sig.n != BLS_SIG_LEN)
        return !json_is_true(out);
    return (bls_fast_aggregate_verify(keys, n, msg, sig.p) == RC_OK) == json_is_true(out);
}

static bool run_aggregate(arena_t *a, const json_t *in, const json_t *out)
{
    blst_p2 sum;
    blst_p2_affine s;
    uint8_t got[BLS_SIG_LEN];
    size_t n = json_array_size(in);
    memset(&sum, 0, sizeof sum);
    for (size_t i = 0; i < n; i++) {
        view_t sig = vec_hex(a, json_string_value(json_array_get(in, i)));
        if (sig.n != BLS_SIG_LEN || blst_p2_uncompress(&s, sig.p) || !blst_p2_affine_in_g2(&s))
            return json_is_null(out);
        blst_p2_add_or_double_affine(&sum, &sum, &s);
    }
    if (n == 0)
        return json_is_null(out);
    blst_p2_compress(got, &sum);
    return view_eq(vec_hex(a, json_string_value(out)), view_of(got, sizeof got));
}

static bool run_aggregate_verify(arena_t *a, const json_t *in, const json_t *out)
{
    static bls_pubkey_t keys[KEYS_MAX];
    const json_t *messages = json_object_get(in, "messages");
    view_t sig = member(a, in, "signature");
    size_t n = keys_of(keys, a, json_object_get(in, "pubkeys"));
    blst_p2_affine s;
    blst_fp12 product, one;
    if (n == SIZE_MAX || n == 0 || n != json_array_size(messages) || sig.n != BLS_SIG_LEN ||
        blst_p2_uncompress(&s, sig.p) || !blst_p2_affine_in_g2(&s) || blst_p2_affine_is_inf(&s))
        return !json_is_true(out);
    blst_miller_loop(&product, &s, &BLS12_381_NEG_G1);
    for (size_t i = 0; i < n; i++) {
        view_t msg = vec_hex(a, json_string_value(json_array_get(messages, i)));
        bls_point_t key;
        blst_p1_affine key_point;
        blst_p2 hash;
        blst_p2_affine hash_point;
        if (bls_pubkey_decode(&key, &keys[i], true))
            return !json_is_true(out);
        memcpy(&key_point, &key, sizeof key_point);
        blst_hash_to_g2(&hash, msg.p, msg.n, (bytes_t)ETH_DST, sizeof ETH_DST - 1, NULL, 0);
        blst_p2_to_affine(&hash_point, &hash);
        blst_miller_loop(&one, &hash_point, &key_point);
        blst_fp12_mul(&product, &product, &one);
    }
    blst_final_exp(&product, &product);
    return blst_fp12_is_one(&product) == json_is_true(out);
}

/* A batch holds when each of its signatures does. */
static bool run_batch_verify(arena_t *a, const json_t *in, const json_t *out)
{
    static bls_pubkey_t keys[KEYS_MAX];
    const json_t *messages = json_object_get(in, "messages"), *sigs = json_object_get(in, "signatures");
    size_t n = keys_of(keys, a, json_object_get(in, "pubkeys"));
    bool all = n != SIZE_MAX && n == json_array_size(messages) && n == json_array_size(sigs);
    for (size_t i = 0; all && i < n; i++) {
        view_t msg = vec_hex(a, json_string_value(json_array_get(messages, i)));
        view_t sig = vec_hex(a, json_string_value(json_array_get(sigs, i)));
        all = sig.n == BLS_SIG_LEN && bls_verify(&keys[i], msg, sig.p) == RC_OK;
    }
    return all == json_is_true(out);
}

/* Writes "0x<re>,0x<im>" or "0x<x>" as blst serializes it (imaginary part first); bytes written, 0: not such text. */
static size_t coordinate(uint8_t out[96], const char *text)
{
    char part[2][2 * 48 + 3];
    const char *comma = text ? strchr(text, ',') : NULL;
    size_t first = text ? (comma ? (size_t)(comma - text) : strlen(text)) : sizeof part[0];
    if (first >= sizeof part[0] || (comma && strlen(comma + 1) >= sizeof part[1]))
        return 0;
    memcpy(part[0], text, first);
    part[0][first] = '\0';
    if (!comma)
        return vec_hex_fixed(out, 48, part[0]) ? 48 : 0;
    strcpy(part[1], comma + 1);
    return vec_hex_fixed(out, 48, part[1]) && vec_hex_fixed(out + 48, 48, part[0]) ? 96 : 0;
}

static bool is_point(const json_t *xy, view_t serialized)
{
    uint8_t want[192];
    size_t n = coordinate(want, vec_str(xy, "x"));
    return n && coordinate(want + n, vec_str(xy, "y")) == n && view_eq(view_of(want, 2 * n), serialized);
}

static bool run_hash_to_g2(arena_t *a, const json_t *in, const json_t *out)
{
    const char *msg = vec_str(in, "msg");
    blst_p2 p;
    uint8_t got[192];
    (void)a;
    if (!msg)
        return false;
    blst_hash_to_g2(&p, (bytes_t)msg, strlen(msg), (bytes_t)TEST_DST, sizeof TEST_DST - 1, NULL, 0);
    blst_p2_serialize(got, &p);
    return is_point(out, view_of(got, sizeof got));
}

static bool run_deserialization_g1(arena_t *a, const json_t *in, const json_t *out)
{
    view_t v = member(a, in, "pubkey");
    bls_pubkey_t key;
    bls_point_t p;
    bool infinity = v.n == sizeof key.b && v.p[0] == 0xc0; /* the suite takes it as a point; as a key it is refused */
    for (size_t i = 1; infinity && i < v.n; i++)
        infinity = v.p[i] == 0;
    if (v.n != sizeof key.b)
        return !json_is_true(out);
    memcpy(key.b, v.p, sizeof key.b);
    rc_t rc = bls_pubkey_decode(&p, &key, true);
    return infinity ? rc == RC_REFUSED && json_is_true(out) : (rc == RC_OK) == json_is_true(out);
}

static bool run_deserialization_g2(arena_t *a, const json_t *in, const json_t *out)
{
    view_t v = member(a, in, "signature");
    blst_p2_affine p;
    bool ok = v.n == BLS_SIG_LEN && blst_p2_uncompress(&p, v.p) == BLST_SUCCESS && blst_p2_affine_in_g2(&p);
    return ok == json_is_true(out);
}

static void run_suite(vec_t *v, const char *function, bool (*run)(arena_t *a, const json_t *in, const json_t *out))
{
    arena_t a;
    arena_init(&a, 64 << 20);
    char **names = vec_list(v, &a, "bls/ef-v0.1.1/%s", function);
    for (; names && *names; names++) {
        arena_mark_t m = arena_mark(&a);
        json_t *c = vec_json(v, "bls/ef-v0.1.1/%s/%s", function, *names);
        if (c && run(&a, json_object_get(c, "input"), json_object_get(c, "output")))
            vec_pass(v);
        else
            vec_fail(v, *names, "other result");
        json_decref(c);
        arena_rollback(&a, m);
    }
    arena_free(&a);
}

/* ---- RFC 9380 ---- */

static void hash_to_curve(vec_t *v, const char *file, bool g2, bool random_oracle)
{
    json_t *root = vec_json(v, "bls/hash-to-curve/%s", file), *c;
    const char *dst = vec_str(root, "dst");
    size_t i;
    json_array_foreach (json_object_get(root, "vectors"), i, c) {
        const char *msg = vec_str(c, "msg");
        uint8_t got[192];
        if (!msg || !dst) {
            vec_fail(v, file, "case %zu: no message", i);
            continue;
        }
        if (g2) {
            blst_p2 p;
            (random_oracle ? blst_hash_to_g2 : blst_encode_to_g2)(&p, (bytes_t)msg, strlen(msg), (bytes_t)dst,
                                                                  strlen(dst), NULL, 0);
            blst_p2_serialize(got, &p);
        } else {
            blst_p1 p;
            (random_oracle ? blst_hash_to_g1 : blst_encode_to_g1)(&p, (bytes_t)msg, strlen(msg), (bytes_t)dst,
                                                                  strlen(dst), NULL, 0);
            blst_p1_serialize(got, &p);
        }
        if (is_point(json_object_get(c, "P"), view_of(got, g2 ? 192 : 96)))
            vec_pass(v);
        else
            vec_fail(v, file, "case %zu: other point", i);
    }
    json_decref(root);
}

static void expand_message(vec_t *v, const char *file)
{
    json_t *root = vec_json(v, "bls/hash-to-curve/%s", file), *c;
    const char *dst = vec_str(root, "DST");
    size_t i;
    arena_t a;
    arena_init(&a, 1 << 20);
    json_array_foreach (json_object_get(root, "tests"), i, c) {
        const char *msg = vec_str(c, "msg");
        view_t want = member(&a, c, "uniform_bytes");
        uint8_t got[512];
        size_t n = vec_u64(vec_str(c, "len_in_bytes"));
        bool ok = msg && dst && want.n == n && n <= sizeof got;
        if (ok)
            blst_expand_message_xmd(got, n, (bytes_t)msg, strlen(msg), (bytes_t)dst, strlen(dst));
        if (ok && view_eq(want, view_of(got, n)))
            vec_pass(v);
        else
            vec_fail(v, file, "case %zu: other bytes", i);
    }
    arena_free(&a);
    json_decref(root);
}

/* ---- encodings: entry i of the four files is the same multiple of the generator ---- */

static void point_encodings(vec_t *v)
{
    arena_t a;
    arena_init(&a, 1 << 20);
    view_t g1c = vec_read(v, &a, "bls/point-encoding/g1_compressed.dat");
    view_t g1u = vec_read(v, &a, "bls/point-encoding/g1_uncompressed.dat");
    view_t g2c = vec_read(v, &a, "bls/point-encoding/g2_compressed.dat");
    view_t g2u = vec_read(v, &a, "bls/point-encoding/g2_uncompressed.dat");
    size_t n = g1c.n / 48;
    for (size_t i = 0; i < n; i++) {
        blst_p1_affine p, q;
        blst_p2_affine r, s;
        uint8_t c1[48], u1[96], c2[96], u2[192];
        bls_pubkey_t key;
        bls_point_t point;
        if (g1u.n != n * 96 || g2c.n != n * 96 || g2u.n != n * 192 || blst_p1_uncompress(&p, g1c.p + 48 * i) ||
            blst_p1_deserialize(&q, g1u.p + 96 * i) || blst_p2_uncompress(&r, g2c.p + 96 * i) ||
            blst_p2_deserialize(&s, g2u.p + 192 * i)) {
            vec_fail(v, "point-encoding", "entry %zu does not decode", i);
            continue;
        }
        memcpy(key.b, g1c.p + 48 * i, sizeof key.b);
        rc_t want = blst_p1_affine_is_inf(&p) ? RC_REFUSED : RC_OK;
        blst_p1_affine_compress(c1, &q);
        blst_p1_affine_serialize(u1, &p);
        blst_p2_affine_compress(c2, &s);
        blst_p2_affine_serialize(u2, &r);
        if (bls_pubkey_decode(&point, &key, true) == want && blst_p1_affine_is_equal(&p, &q) &&
            blst_p2_affine_is_equal(&r, &s) && blst_p2_affine_in_g2(&r) && !memcmp(c1, g1c.p + 48 * i, 48) &&
            !memcmp(u1, g1u.p + 96 * i, 96) && !memcmp(c2, g2c.p + 96 * i, 96) && !memcmp(u2, g2u.p + 192 * i, 192))
            vec_pass(v);
        else
            vec_fail(v, "point-encoding", "entry %zu differs between its forms", i);
    }
    arena_free(&a);
}

/* ---- mainnet ---- */

static void sync_aggregates(vec_t *v)
{
    json_t *root = vec_json(v, "bls/mainnet-sync-aggregates.json"), *c;
    size_t i;
    arena_t a;
    arena_init(&a, 1 << 20);
    json_array_foreach (root, i, c) {
        view_t key = member(&a, c, "aggregate_pubkey"), msg = member(&a, c, "message"),
               sig = member(&a, c, "signature");
        bls_pubkey_t k;
        if (key.n == sizeof k.b && msg.n == 32 && sig.n == BLS_SIG_LEN) {
            memcpy(k.b, key.p, sizeof k.b);
            if ((bls_verify(&k, msg, sig.p) == RC_OK) == json_is_true(json_object_get(c, "output"))) {
                vec_pass(v);
                continue;
            }
        }
        vec_fail(v, "mainnet-sync-aggregates", "case %zu", i);
    }
    arena_free(&a);
    json_decref(root);
}

/* Fills the list up to a committee of 512 with absent members (keys of another case), and asks both functions. */
static bool both_ways(arena_t *a, const json_t *in, const json_t *others, bool want)
{
    static bls_pubkey_t keys[KEYS_MAX], more[KEYS_MAX];
    view_t msg = member(a, in, "message"), sig = member(a, in, "signature");
    size_t n = keys_of(keys, a, json_object_get(in, "pubkeys")),
           m = keys_of(more, a, json_object_get(others, "pubkeys"));
    uint8_t bits[KEYS_MAX / 8] = { 0 };
    blst_p1 sum;
    bls_point_t aggregate;
    hash32_t msg32;
    if (n == SIZE_MAX || m == SIZE_MAX || n + m < KEYS_MAX || msg.n != 32 || sig.n != BLS_SIG_LEN)
        return false;
    memset(&sum, 0, sizeof sum);
    memcpy(msg32.b, msg.p, 32);
    for (size_t i = 0; i < KEYS_MAX; i++) {
        blst_p1_affine p;
        bls_point_t point;
        if (i < n)
            bits[i / 8] |= (uint8_t)(1u << i % 8);
        else
            keys[i] = more[i - n];
        if (bls_pubkey_decode(&point, &keys[i], true))
            return false;
        memcpy(&p, &point, sizeof p);
        blst_p1_add_or_double_affine(&sum, &sum, &p);
    }
    blst_p1_affine total;
    blst_p1_to_affine(&total, &sum);
    memcpy(&aggregate, &total, sizeof aggregate);
    return (bls_fast_aggregate_verify(keys, n, msg, sig.p) == RC_OK) == want &&
           (bls_committee_verify(&aggregate, keys, KEYS_MAX, NULL, bits, &msg32, sig.p) == RC_OK) == want;
}

static void mainnet_committees(vec_t *v)
{
    json_t *root = vec_json(v, "bls/mainnet-fast-aggregate-verify.json"), *c;
    size_t i, n = json_array_size(root);
    arena_t a;
    arena_init(&a, 16 << 20);
    json_array_foreach (root, i, c)
        if (both_ways(&a, json_object_get(c, "input"), json_object_get(json_array_get(root, (i + 1) % n), "input"),
                      json_is_true(json_object_get(c, "output"))))
            vec_pass(v);
        else
            vec_fail(v, "mainnet-fast-aggregate-verify", "case %zu", i);
    arena_free(&a);
    json_decref(root);
}

void vec_kind_bls(vec_t *v)
{
    run_suite(v, "sign", run_sign);
    run_suite(v, "verify", run_verify);
    run_suite(v, "aggregate", run_aggregate);
    run_suite(v, "fast_aggregate_verify", run_fast_aggregate_verify);
    run_suite(v, "aggregate_verify", run_aggregate_verify);
    run_suite(v, "batch_verify", run_batch_verify);
    run_suite(v, "hash_to_G2", run_hash_to_g2);
    run_suite(v, "deserialization_G1", run_deserialization_g1);
    run_suite(v, "deserialization_G2", run_deserialization_g2);
    hash_to_curve(v, "BLS12381G1_XMD_SHA-256_SSWU_NU_.json", false, false);
    hash_to_curve(v, "BLS12381G1_XMD_SHA-256_SSWU_RO_.json", false, true);
    hash_to_curve(v, "BLS12381G2_XMD_SHA-256_SSWU_NU_.json", true, false);
    hash_to_curve(v, "BLS12381G2_XMD_SHA-256_SSWU_RO_.json", true, true);
    expand_message(v, "expand_message_xmd_SHA256_38.json");
    expand_message(v, "expand_message_xmd_SHA256_256.json");
    point_encodings(v);
    sync_aggregates(v);
    mainnet_committees(v);
}
