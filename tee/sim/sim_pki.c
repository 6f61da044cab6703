#include "tee/sim/sim_pki.h"

#include <gnutls/crypto.h>
#include <stdio.h>

#include "base/crypto/base64.h"
#include "base/crypto/hash.h"
#include "base/crypto/secret.h"
#include "tee/x509/der_write.h"

#define TAG_CONTEXT 0x80u  /* [0] of a primitive type */
#define TAG_EXPLICIT 0xa0u /* [0] around a value */
#define TAG_UTF8 0x0cu
#define TAG_PRINTABLE 0x13u
#define TAG_SET 0x31u

/* Object identifiers, contents. */
#define ID_CE(arc)                                                                                                     \
    {                                                                                                                  \
        0x55, 0x1d, arc                                                                                                \
    }
static const uint8_t oid_sgx[] = { 0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01 };
static const uint8_t oid_subject_key[] = ID_CE(14), oid_usage[] = ID_CE(15), oid_constraints[] = ID_CE(19),
                     oid_crl_number[] = ID_CE(20), oid_crl_points[] = ID_CE(31), oid_authority[] = ID_CE(35),
                     oid_unknown[] = ID_CE(99);
static const uint8_t oid_country[] = { 0x55, 4, 6 }, oid_state[] = { 0x55, 4, 8 }, oid_locality[] = { 0x55, 4, 7 },
                     oid_organization[] = { 0x55, 4, 10 }, oid_common_name[] = { 0x55, 4, 3 };
static const uint8_t oid_ecdsa[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04 }; /* ECDSA signatures */

/* Keys derive from the seed by these labels. */
static const char *const key_labels[SIM_KEYS] = {
    [SIM_ROOT] = "Simulated SGX Root CA",
    [SIM_CA] = "Simulated SGX PCK Platform CA",
    [SIM_LEAF] = "Simulated SGX PCK Certificate",
    [SIM_SIGNER] = "Simulated SGX TCB Signing",
    [SIM_STRANGER] = "stranger",
};

rc_t sim_derive(uint8_t *out, size_t n, const uint8_t seed[32], const char *label)
{
    uint8_t zeros[32] = { 0 }, prk[32], ikm[32]; /* GnuTLS wants them writable */
    memcpy(ikm, seed, 32);
    const gnutls_datum_t key = { ikm, 32 }, salt = { zeros, 32 }, extracted = { prk, 32 };
    const gnutls_datum_t info = { (unsigned char *)(uintptr_t)label, (unsigned)strlen(label) };
    if (gnutls_hkdf_extract(GNUTLS_MAC_SHA256, &key, &salt, prk) < 0 ||
        gnutls_hkdf_expand(GNUTLS_MAC_SHA256, &extracted, &info, out, n) < 0)
        return RC_NOMEM;
    return RC_OK;
}

void sim_flip(uint8_t *p, size_t n, long bit)
{
    if (bit >= 0 && (size_t)bit / 8 < n)
        p[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

/* --- keys --- */

/* A label gets a number when, once in 2^32, the value is no valid secret. label NULL: random. */
static rc_t make_key(sim_pki_t *pki, sim_key_t which, const char *label)
{
    char text[64];
    uint8_t *secret = pki->keys[which].secret, *public = pki->keys[which].public;
    rc_t rc = RC_REFUSED;
    for (unsigned i = 0; rc == RC_REFUSED && i < 4; i++) {
        snprintf(text, sizeof text, i ? "%s %u" : "%s", label ? label : "", i);
        rc = RC_OK;
        if (label)
            rc = sim_derive(secret, P256_SECRET_LEN, pki->seed, text);
        else
            secret_random(secret, P256_SECRET_LEN);
        if (!rc)
            rc = p256_pubkey(public, secret);
    }
    uint8_t point[1 + P256_PUBKEY_LEN] = { 4 };
    memcpy(point + 1, public, P256_PUBKEY_LEN);
    if (!rc && gnutls_hash_fast(GNUTLS_DIG_SHA1, point, sizeof point, pki->keys[which].id) < 0)
        rc = RC_NOMEM;
    return rc;
}

/* --- what certificates and lists have in common --- */

static void write_algorithm(wr_t *w, sim_hash_t hash)
{
    static const uint8_t arcs[][2] = { [SIM_SHA256] = { 3, 2 }, [SIM_SHA1] = { 1, 0 }, [SIM_SHA384] = { 3, 3 } };
    size_t algorithm = derw_begin(w, DER_SEQUENCE), oid = derw_begin(w, DER_OID);
    wr_bytes(w, oid_ecdsa, sizeof oid_ecdsa);
    wr_bytes(w, arcs[hash], hash == SIM_SHA1 ? 1 : 2);
    derw_end(w, oid);
    derw_end(w, algorithm);
}

/* The leftmost 256 bits of the hash, as ECDSA on P-256 takes them. */
static rc_t digest(hash32_t *out, sim_hash_t hash, view_t in)
{
    uint8_t wide[48] = { 0 };
    int e = 0;
    if (hash == SIM_SHA256)
        sha256(out, in);
    else if (hash == SIM_SHA384)
        e = gnutls_hash_fast(GNUTLS_DIG_SHA384, in.p, in.n, wide);
    else
        e = gnutls_hash_fast(GNUTLS_DIG_SHA1, in.p, in.n, wide + 12); /* 160 bits: a smaller number */
    if (hash != SIM_SHA256)
        memcpy(out->b, wide, sizeof out->b);
    return e < 0 ? RC_NOMEM : RC_OK;
}

/* SEQUENCE { tbs, algorithm, signature }, with a bit of it flipped. */
static rc_t write_signed(wr_t *w, const sim_pki_t *pki, view_t tbs, sim_hash_t hash, sim_key_t issuer, long flip)
{
    uint8_t sig[P256_SIG_LEN];
    hash32_t h;
    rc_t rc = digest(&h, hash, tbs);
    if (!rc)
        rc = p256_sign(sig, &h, pki->keys[issuer].secret);
    if (rc)
        return rc;
    size_t start = w->n, whole = derw_begin(w, DER_SEQUENCE);
    wr_bytes(w, tbs.p, tbs.n);
    write_algorithm(w, hash);
    size_t bits = derw_begin(w, DER_BITS);
    wr_u8(w, 0); /* unused bits */
    size_t rs = derw_begin(w, DER_SEQUENCE);
    derw_unsigned(w, DER_INTEGER, view_of(sig, 32));
    derw_unsigned(w, DER_INTEGER, view_of(sig + 32, 32));
    derw_end(w, rs);
    derw_end(w, bits);
    derw_end(w, whole);
    if (w->bad)
        return RC_BUG;
    sim_flip(w->p + start, w->n - start, flip);
    return RC_OK;
}

static void write_attribute(wr_t *w, const uint8_t oid[3], uint8_t tag, const char *text)
{
    size_t set = derw_begin(w, TAG_SET), one = derw_begin(w, DER_SEQUENCE);
    derw_value(w, DER_OID, view_of(oid, 3));
    derw_value(w, tag, view_str(text));
    derw_end(w, one);
    derw_end(w, set);
}

static void write_name(wr_t *w, const char *common_name)
{
    size_t name = derw_begin(w, DER_SEQUENCE);
    write_attribute(w, oid_common_name, TAG_UTF8, common_name);
    write_attribute(w, oid_organization, TAG_UTF8, "Kettle Simulator");
    write_attribute(w, oid_locality, TAG_UTF8, "Santa Clara");
    write_attribute(w, oid_state, TAG_UTF8, "CA");
    write_attribute(w, oid_country, TAG_PRINTABLE, "US");
    derw_end(w, name);
}

/* SEQUENCE { OID, critical, OCTET STRING { ... } }: between begin and end the value is written. */
typedef struct {
    size_t whole, value;
} extension_t;

static extension_t begin_extension(wr_t *w, view_t oid, bool critical)
{
    extension_t e;
    e.whole = derw_begin(w, DER_SEQUENCE);
    derw_value(w, DER_OID, oid);
    if (critical)
        derw_bool(w, true);
    e.value = derw_begin(w, DER_OCTETS);
    return e;
}

static void end_extension(wr_t *w, extension_t e)
{
    derw_end(w, e.value);
    derw_end(w, e.whole);
}

#define OID(bytes) view_of(bytes, sizeof(bytes))

static void write_authority(wr_t *w, const sim_pki_t *pki, sim_key_t authority)
{
    if (authority == SIM_NOBODY)
        return;
    extension_t e = begin_extension(w, OID(oid_authority), false);
    size_t id = derw_begin(w, DER_SEQUENCE);
    derw_value(w, TAG_CONTEXT, view_of(pki->keys[authority].id, SIM_KEY_ID_LEN));
    derw_end(w, id);
    end_extension(w, e);
}

/* --- the SGX extension --- */

/* SEQUENCE { OID P.a[.b], value }; b 0: no further arc. The value is written between begin and end. */
static size_t begin_sgx(wr_t *w, uint8_t a, uint8_t b)
{
    size_t field = derw_begin(w, DER_SEQUENCE), oid = derw_begin(w, DER_OID);
    wr_bytes(w, oid_sgx, sizeof oid_sgx);
    wr_u8(w, a);
    if (b)
        wr_u8(w, b);
    derw_end(w, oid);
    return field;
}

static void sgx_octets(wr_t *w, uint8_t a, uint8_t b, const void *p, size_t n)
{
    size_t field = begin_sgx(w, a, b);
    derw_value(w, DER_OCTETS, view_of(p, n));
    derw_end(w, field);
}

static void sgx_number(wr_t *w, uint8_t a, uint8_t b, uint8_t tag, uint32_t number)
{
    size_t field = begin_sgx(w, a, b);
    derw_number(w, tag, number);
    derw_end(w, field);
}

static void sgx_flag(wr_t *w, uint8_t b, bool value)
{
    size_t field = begin_sgx(w, 7, b);
    derw_bool(w, value);
    derw_end(w, field);
}

static rc_t write_sgx(wr_t *w, const sim_sgx_plan_t *s, const uint8_t seed[32])
{
    static const uint8_t zeros[16];
    uint8_t instance[16];
    hash32_t ppid;
    rc_t rc = sim_derive(instance, sizeof instance, seed, "platform instance");
    if (rc)
        return rc;
    if (s->raw.n) {
        wr_bytes(w, s->raw.p, s->raw.n);
        return RC_OK;
    }
    sha256(&ppid, view_of(seed, 32));
    size_t all = derw_begin(w, DER_SEQUENCE);
    sgx_octets(w, 1, 0, ppid.b, 16);
    size_t tcb = begin_sgx(w, 2, 0), list = derw_begin(w, DER_SEQUENCE);
    for (uint8_t i = 0; i < 16; i++)
        sgx_number(w, 2, (uint8_t)(i + 1), DER_INTEGER, s->components[i]);
    sgx_number(w, 2, 17, DER_INTEGER, s->pce_svn);
    sgx_octets(w, 2, 18, s->cpu_svn, sizeof s->cpu_svn);
    derw_end(w, list);
    derw_end(w, tcb);
    sgx_octets(w, 3, 0, s->pce_id, sizeof s->pce_id);
    sgx_octets(w, 4, 0, s->fmspc, s->fmspc_len);
    sgx_number(w, 5, 0, DER_ENUM, 1); /* scalable */
    sgx_octets(w, 6, 0, instance, sizeof instance);
    size_t conf = begin_sgx(w, 7, 0), flags = derw_begin(w, DER_SEQUENCE);
    sgx_flag(w, 1, true);  /* dynamic platform */
    sgx_flag(w, 2, false); /* cached keys */
    sgx_flag(w, 3, true);  /* SMT enabled */
    derw_end(w, flags);
    derw_end(w, conf);
    derw_end(w, all);
    wr_bytes(w, zeros, s->trailing <= sizeof zeros ? s->trailing : sizeof zeros);
    return RC_OK;
}

/* --- certificates --- */

/* Keys that are not on P-256: the generator of P-384, and an RSA modulus of 2048 bits that nobody can factor or
 * need to. */
static void write_other_key(wr_t *w, sim_key_type_t type)
{
    static const uint8_t oid_rsa[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01 };
    static const uint8_t p384[] = { 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d,
                                    0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22 };
    static const uint8_t generator[96] = {
        0xaa, 0x87, 0xca, 0x22, 0xbe, 0x8b, 0x05, 0x37, 0x8e, 0xb1, 0xc7, 0x1e, 0xf3, 0x20, 0xad, 0x74,
        0x6e, 0x1d, 0x3b, 0x62, 0x8b, 0xa7, 0x9b, 0x98, 0x59, 0xf7, 0x41, 0xe0, 0x82, 0x54, 0x2a, 0x38,
        0x55, 0x02, 0xf2, 0x5d, 0xbf, 0x55, 0x29, 0x6c, 0x3a, 0x54, 0x5e, 0x38, 0x72, 0x76, 0x0a, 0xb7,
        0x36, 0x17, 0xde, 0x4a, 0x96, 0x26, 0x2c, 0x6f, 0x5d, 0x9e, 0x98, 0xbf, 0x92, 0x92, 0xdc, 0x29,
        0xf8, 0xf4, 0x1d, 0xbd, 0x28, 0x9a, 0x14, 0x7c, 0xe9, 0xda, 0x31, 0x13, 0xb5, 0xf0, 0xb8, 0xc0,
        0x0a, 0x60, 0xb1, 0xce, 0x1d, 0x7e, 0x81, 0x9d, 0x7a, 0x43, 0x1d, 0x7c, 0x90, 0xea, 0x0e, 0x5f,
    };
    uint8_t modulus[256];
    memset(modulus, 0xa5, sizeof modulus);
    if (type == SIM_P384) {
        wr_bytes(w, p384, sizeof p384);
        size_t bits = derw_begin(w, DER_BITS);
        wr_bytes(w, (const uint8_t[]){ 0, 4 }, 2);
        wr_bytes(w, generator, sizeof generator);
        derw_end(w, bits);
        return;
    }
    size_t algorithm = derw_begin(w, DER_SEQUENCE);
    derw_value(w, DER_OID, OID(oid_rsa));
    derw_value(w, 0x05, view_of(NULL, 0)); /* NULL */
    derw_end(w, algorithm);
    size_t bits = derw_begin(w, DER_BITS);
    wr_u8(w, 0);
    size_t key = derw_begin(w, DER_SEQUENCE);
    derw_unsigned(w, DER_INTEGER, view_of(modulus, sizeof modulus));
    derw_number(w, DER_INTEGER, 65537);
    derw_end(w, key);
    derw_end(w, bits);
}

static void write_spki(wr_t *w, const uint8_t public[P256_PUBKEY_LEN], sim_key_type_t type)
{
    static const uint8_t p256[] = { 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
                                    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07 };
    size_t spki = derw_begin(w, DER_SEQUENCE);
    if (type == SIM_P256) {
        wr_bytes(w, p256, sizeof p256);
        size_t bits = derw_begin(w, DER_BITS);
        wr_bytes(w, (const uint8_t[]){ 0, 4 }, 2);
        wr_bytes(w, public, P256_PUBKEY_LEN);
        derw_end(w, bits);
    } else
        write_other_key(w, type);
    derw_end(w, spki);
}

static void write_crl_point(wr_t *w, const char *uri)
{
    extension_t e = begin_extension(w, OID(oid_crl_points), false);
    size_t list = derw_begin(w, DER_SEQUENCE), one = derw_begin(w, DER_SEQUENCE);
    size_t point = derw_begin(w, TAG_EXPLICIT), full = derw_begin(w, TAG_EXPLICIT);
    derw_value(w, TAG_CONTEXT + 6, view_str(uri));
    derw_end(w, full);
    derw_end(w, point);
    derw_end(w, one);
    derw_end(w, list);
    end_extension(w, e);
}

static void write_usage(wr_t *w, const sim_cert_plan_t *c)
{
    if (!c->usage)
        return;
    extension_t e = begin_extension(w, OID(oid_usage), c->usage_critical);
    const uint8_t bits[2] = { (uint8_t)__builtin_ctz(c->usage), (uint8_t)c->usage };
    derw_value(w, DER_BITS, view_of(bits, 2));
    end_extension(w, e);
}

static void write_subject_key(wr_t *w, const sim_pki_t *pki, sim_key_t which)
{
    if (which == SIM_NOBODY)
        return;
    extension_t e = begin_extension(w, OID(oid_subject_key), false);
    derw_value(w, DER_OCTETS, view_of(pki->keys[which].id, SIM_KEY_ID_LEN));
    end_extension(w, e);
}

static void write_constraints(wr_t *w, const sim_cert_plan_t *c)
{
    if (!c->has_constraints)
        return;
    extension_t e = begin_extension(w, OID(oid_constraints), c->constraints_critical);
    size_t list = derw_begin(w, DER_SEQUENCE);
    if (c->ca)
        derw_bool(w, true);
    if (c->path_len >= 0)
        derw_number(w, DER_INTEGER, (uint64_t)c->path_len);
    derw_end(w, list);
    end_extension(w, e);
}

static rc_t write_extensions(wr_t *w, const sim_pki_t *pki, const sim_plan_t *plan, sim_key_t which)
{
    const sim_cert_plan_t *c = &plan->certs[which];
    rc_t rc = RC_OK;
    size_t outer = derw_begin(w, TAG_EXPLICIT + 3), list = derw_begin(w, DER_SEQUENCE);
    write_authority(w, pki, c->authority);
    write_crl_point(w, c->crl);
    write_subject_key(w, pki, c->no_subject_key ? SIM_NOBODY : which);
    write_usage(w, c);
    write_constraints(w, c);
    for (unsigned i = 0; i < c->sgx_extensions && !rc; i++) {
        extension_t e = begin_extension(w, OID(oid_sgx), false);
        rc = write_sgx(w, &plan->sgx, pki->seed);
        end_extension(w, e);
    }
    if (c->unknown_critical) {
        extension_t e = begin_extension(w, OID(oid_unknown), true);
        derw_value(w, DER_OCTETS, view_of(NULL, 0));
        end_extension(w, e);
    }
    derw_end(w, list);
    derw_end(w, outer);
    return rc;
}

static rc_t make_cert(sim_pki_t *pki, const sim_plan_t *plan, sim_key_t which)
{
    const sim_cert_plan_t *c = &plan->certs[which];
    const sim_cert_plan_t *issuer = &plan->certs[c->issuer < SIM_CERTS ? c->issuer : SIM_ROOT];
    uint8_t buf[SIM_CERT_MAX], *serial = pki->certs[which].serial;
    char label[64];
    wr_t w = wr_of(buf, sizeof buf), out = wr_of(pki->certs[which].der, SIM_CERT_MAX);
    snprintf(label, sizeof label, "%s serial", key_labels[which]);
    rc_t rc = sim_derive(serial, SIM_SERIAL_LEN, pki->seed, label);
    if (rc)
        return rc;
    serial[0] = (uint8_t)((serial[0] & 0x3f) | 0x40); /* positive, and 20 bytes without a leading zero */
    size_t tbs = derw_begin(&w, DER_SEQUENCE), version = derw_begin(&w, TAG_EXPLICIT);
    derw_number(&w, DER_INTEGER, 2); /* version 3 */
    derw_end(&w, version);
    derw_unsigned(&w, DER_INTEGER, view_of(serial, SIM_SERIAL_LEN));
    write_algorithm(&w, c->hash);
    write_name(&w, c->issuer_name ? c->issuer_name : issuer->name);
    size_t validity = derw_begin(&w, DER_SEQUENCE);
    derw_time(&w, c->from);
    derw_time(&w, c->until);
    derw_end(&w, validity);
    write_name(&w, c->name);
    write_spki(&w, pki->keys[which].public, c->key_type);
    rc = write_extensions(&w, pki, plan, which);
    derw_end(&w, tbs);
    if (rc || w.bad)
        return rc ? rc : RC_BUG;
    rc = write_signed(&out, pki, wr_view(&w), c->hash, c->issuer, c->flip);
    pki->certs[which].len = out.n;
    return rc;
}

rc_t sim_pki_make(sim_pki_t *out, const sim_plan_t *plan, const uint8_t seed[32])
{
    rc_t rc = RC_OK;
    memcpy(out->seed, seed, sizeof out->seed);
    for (unsigned i = 0; i < SIM_KEYS && !rc; i++)
        rc = make_key(out, (sim_key_t)i, key_labels[i]);
    for (unsigned i = 0; i < SIM_CERTS && !rc; i++)
        rc = make_cert(out, plan, (sim_key_t)i);
    return rc == RC_REFUSED ? RC_BUG : rc;
}

/* --- revocation lists --- */

static void write_revoked(wr_t *w, view_t serial, int64_t when)
{
    size_t one = derw_begin(w, DER_SEQUENCE);
    derw_unsigned(w, DER_INTEGER, serial);
    derw_time(w, when);
    derw_end(w, one);
}

static rc_t write_entries(wr_t *w, const sim_pki_t *pki, const sim_crl_plan_t *crl, int64_t when)
{
    if (!crl->revoked && !crl->others)
        return RC_OK;
    size_t list = derw_begin(w, DER_SEQUENCE);
    for (unsigned i = 0; i < crl->others; i++) {
        char label[32];
        uint8_t serial[SIM_SERIAL_LEN];
        snprintf(label, sizeof label, "revoked %u", i);
        rc_t rc = sim_derive(serial, sizeof serial, pki->seed, label);
        if (rc)
            return rc;
        write_revoked(w, view_of(serial, sizeof serial), when);
    }
    for (unsigned i = 0; i < SIM_CERTS; i++)
        if (crl->revoked & 1u << i)
            write_revoked(w, view_of(pki->certs[i].serial, SIM_SERIAL_LEN), when);
    derw_end(w, list);
    return RC_OK;
}

rc_t sim_crl(wr_t *out, const sim_pki_t *pki, const sim_crl_plan_t *crl, const sim_plan_t *plan, int64_t day)
{
    uint8_t buf[SIM_CRL_MAX];
    wr_t w = wr_of(buf, sizeof buf);
    const sim_cert_plan_t *issuer = &plan->certs[crl->issuer < SIM_CERTS ? crl->issuer : SIM_ROOT];
    size_t tbs = derw_begin(&w, DER_SEQUENCE);
    derw_number(&w, DER_INTEGER, 1); /* version 2 */
    write_algorithm(&w, crl->hash);
    write_name(&w, crl->issuer_name ? crl->issuer_name : issuer->name);
    derw_time(&w, day + crl->from);
    derw_time(&w, day + crl->until);
    rc_t rc = write_entries(&w, pki, crl, day);
    if (rc)
        return rc;
    size_t outer = derw_begin(&w, TAG_EXPLICIT), list = derw_begin(&w, DER_SEQUENCE);
    write_authority(&w, pki, crl->authority);
    if (crl->has_number) {
        extension_t e = begin_extension(&w, OID(oid_crl_number), false);
        derw_number(&w, DER_INTEGER, (uint64_t)(day / 86400 + crl->number));
        end_extension(&w, e);
    }
    derw_end(&w, list);
    derw_end(&w, outer);
    derw_end(&w, tbs);
    return w.bad ? RC_BUG : write_signed(out, pki, wr_view(&w), crl->hash, crl->issuer, crl->flip);
}

/* --- PEM --- */

/* Lines of 64 characters. */
static void write_base64(wr_t *w, view_t in)
{
    char line[65];
    for (size_t i = 0; i < in.n; i += 48) {
        base64_encode(line, view_of(in.p + i, in.n - i < 48 ? in.n - i : 48));
        wr_bytes(w, line, strlen(line));
        wr_u8(w, '\n');
    }
}

void sim_pem(wr_t *out, const sim_pki_t *pki, const sim_key_t *chain, size_t count)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----\n", end[] = "-----END CERTIFICATE-----\n";
    for (size_t i = 0; i < count; i++) {
        wr_bytes(out, begin, sizeof begin - 1);
        write_base64(out, view_of(pki->certs[chain[i]].der, pki->certs[chain[i]].len));
        wr_bytes(out, end, sizeof end - 1);
    }
}
