#include "tee/provider/sim_pki.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <stdio.h>

#include "base/crypto/hash.h"

const uint8_t SIM_CPU_SVN[SIM_CPU_SVN_LEN] = { 8, 8, 2, 2, 4, 1, 0, 6 };

/* SGX extension, OID 1.2.840.113741.1.13.1 */
#define SGX_OID "1.2.840.113741.1.13.1"
#define SGX_EXT_MAX 700u
#define PCE_SVN 11u
static const uint8_t sgx_oid_der[] = { 0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01 };
static const uint8_t fmspc[6] = { 0xff, 'S', 'I', 'M', '0', '1' };

enum { DER_BOOLEAN = 1, DER_INTEGER = 2, DER_OCTETS = 4, DER_OID = 6, DER_ENUM = 10, DER_SEQUENCE = 0x30 };

typedef struct {
    const char *name; /* CN; also the label of the key */
    bool ca;
    int path_len; /* -1: none */
    unsigned usage;
    time_t from, until;
    const char *crl; /* distribution point */
} profile_t;

/* Validity as in Intel's chain: constants, because the seed alone must determine every byte. */
static const profile_t root_profile = {
    .name = "Simulated SGX Root CA",
    .ca = true,
    .path_len = 1,
    .usage = GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN,
    .from = 1526860800 /* 2018-05-21 */,
    .until = 2524607999 /* 2049-12-31 */,
    .crl = "https://simulator.invalid/root.der",
};
static const profile_t ca_profile = {
    .name = "Simulated SGX PCK Platform CA",
    .ca = true,
    .path_len = 0,
    .usage = GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN,
    .from = 1526860800 /* 2018-05-21 */,
    .until = 2000246400 /* 2033-05-21 */,
    .crl = "https://simulator.invalid/root.der",
};
static const profile_t leaf_profile = {
    .name = "Simulated SGX PCK Certificate",
    .ca = false,
    .path_len = -1,
    .usage = GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_NON_REPUDIATION,
    .from = 1738627200 /* 2025-02-04 */,
    .until = 1959465600 /* 2032-02-04 */,
    .crl = "https://simulator.invalid/pckcrl?ca=platform",
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

/* The key of a label; the label gets a number when, once in 2^32, the value is no valid secret. */
static rc_t derive_key(uint8_t secret[P256_SECRET_LEN], uint8_t pubkey[P256_PUBKEY_LEN], const uint8_t seed[32],
                       const char *label)
{
    char text[64];
    rc_t rc = RC_REFUSED;
    for (unsigned i = 0; rc == RC_REFUSED && i < 4; i++) {
        snprintf(text, sizeof text, i ? "%s %u" : "%s", label, i);
        rc = sim_derive(secret, P256_SECRET_LEN, seed, text);
        if (!rc)
            rc = p256_pubkey(pubkey, secret);
    }
    return rc;
}

static void der(wr_t *w, uint8_t tag, view_t content)
{
    wr_u8(w, tag);
    if (content.n >= 256)
        wr_u8(w, 0x82);
    else if (content.n >= 128)
        wr_u8(w, 0x81);
    wr_be(w, content.n, content.n >= 256 ? 2 : 1);
    wr_bytes(w, content.p, content.n);
}

/* SEQUENCE { OID prefix.a[.b], value }; b 0: no further arc. */
static void sgx_entry(wr_t *w, uint8_t a, uint8_t b, uint8_t tag, view_t value)
{
    uint8_t buf[SGX_EXT_MAX], oid[sizeof sgx_oid_der + 2];
    wr_t in = wr_of(buf, sizeof buf), o = wr_of(oid, sizeof oid);
    wr_bytes(&o, sgx_oid_der, sizeof sgx_oid_der);
    wr_u8(&o, a);
    if (b)
        wr_u8(&o, b);
    der(&in, DER_OID, wr_view(&o));
    der(&in, tag, value);
    der(w, DER_SEQUENCE, wr_view(&in));
    w->bad |= in.bad;
}

static void sgx_tcb(wr_t *w)
{
    for (uint8_t i = 0; i < SIM_CPU_SVN_LEN; i++)
        sgx_entry(w, 2, (uint8_t)(i + 1), DER_INTEGER, view_of(&SIM_CPU_SVN[i], 1)); /* all below 128 */
    sgx_entry(w, 2, 17, DER_INTEGER, view_of((const uint8_t[]){ PCE_SVN }, 1));
    sgx_entry(w, 2, 18, DER_OCTETS, view_of(SIM_CPU_SVN, SIM_CPU_SVN_LEN));
}

static void sgx_configuration(wr_t *w)
{
    static const uint8_t yes = 0xff, no = 0;
    sgx_entry(w, 7, 1, DER_BOOLEAN, view_of(&yes, 1)); /* dynamic platform */
    sgx_entry(w, 7, 2, DER_BOOLEAN, view_of(&no, 1));  /* cached keys */
    sgx_entry(w, 7, 3, DER_BOOLEAN, view_of(&yes, 1)); /* SMT enabled */
}

static rc_t sgx_extension(wr_t *w, const uint8_t seed[32])
{
    uint8_t tcb[SGX_EXT_MAX], conf[128], all[SGX_EXT_MAX], instance[16];
    wr_t t = wr_of(tcb, sizeof tcb), c = wr_of(conf, sizeof conf), in = wr_of(all, sizeof all);
    hash32_t ppid;
    rc_t rc = sim_derive(instance, sizeof instance, seed, "platform instance");
    if (rc)
        return rc;
    sha256(&ppid, view_of(seed, 32));
    sgx_tcb(&t);
    sgx_configuration(&c);
    sgx_entry(&in, 1, 0, DER_OCTETS, view_of(ppid.b, 16));
    sgx_entry(&in, 2, 0, DER_SEQUENCE, wr_view(&t));
    sgx_entry(&in, 3, 0, DER_OCTETS, view_of((const uint8_t[2]){ 0 }, 2)); /* PCEID */
    sgx_entry(&in, 4, 0, DER_OCTETS, view_of(fmspc, sizeof fmspc));
    sgx_entry(&in, 5, 0, DER_ENUM, view_of((const uint8_t[]){ 1 }, 1)); /* scalable */
    sgx_entry(&in, 6, 0, DER_OCTETS, view_of(instance, sizeof instance));
    sgx_entry(&in, 7, 0, DER_SEQUENCE, wr_view(&c));
    der(w, DER_SEQUENCE, wr_view(&in));
    return t.bad || c.bad || in.bad || w->bad ? RC_BUG : RC_OK;
}

/* GnuTLS signs with random nonces; the seed must determine the bytes, so our own signature is plugged in. */
static int sign_hash(gnutls_privkey_t key, gnutls_sign_algorithm_t algo, void *secret, unsigned flags,
                     const gnutls_datum_t *hash, gnutls_datum_t *signature)
{
    (void)key;
    (void)flags;
    uint8_t sig[P256_SIG_LEN];
    hash32_t digest;
    if (algo != GNUTLS_SIGN_ECDSA_SHA256 || hash->size != sizeof digest.b)
        return GNUTLS_E_INVALID_REQUEST;
    memcpy(digest.b, hash->data, sizeof digest.b);
    if (p256_sign(sig, &digest, secret))
        return GNUTLS_E_PK_SIGN_FAILED;
    gnutls_datum_t r = { sig, 32 }, s = { sig + 32, 32 };
    for (; r.size > 1 && !r.data[0]; r.size--)
        r.data++;
    for (; s.size > 1 && !s.data[0]; s.size--)
        s.data++;
    return gnutls_encode_rs_value(signature, &r, &s);
}

static int sign_data(gnutls_privkey_t key, gnutls_sign_algorithm_t algo, void *secret, unsigned flags,
                     const gnutls_datum_t *data, gnutls_datum_t *signature)
{
    hash32_t digest;
    sha256(&digest, view_of(data->data, data->size));
    const gnutls_datum_t hash = { digest.b, sizeof digest.b };
    return sign_hash(key, algo, secret, flags, &hash, signature);
}

static int key_info(gnutls_privkey_t key, unsigned flags, void *secret)
{
    (void)key;
    (void)secret;
    if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO)
        return GNUTLS_PK_ECDSA;
    if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO_BITS)
        return 256;
    if (flags & GNUTLS_PRIVKEY_INFO_HAVE_SIGN_ALGO)
        return GNUTLS_FLAGS_TO_SIGN_ALGO(flags) == GNUTLS_SIGN_ECDSA_SHA256;
    return -1;
}

static int sign_cert(gnutls_x509_crt_t crt, gnutls_x509_crt_t issuer, uint8_t issuer_secret[P256_SECRET_LEN])
{
    gnutls_privkey_t key;
    int e = gnutls_privkey_init(&key);
    if (e < 0)
        return e;
    e = gnutls_privkey_import_ext4(key, issuer_secret, sign_data, sign_hash, NULL, NULL, key_info, 0);
    if (e >= 0)
        e = gnutls_x509_crt_privkey_sign(crt, issuer, key, GNUTLS_DIG_SHA256, 0);
    gnutls_privkey_deinit(key);
    return e;
}

static int set_pubkey(gnutls_x509_crt_t crt, uint8_t pubkey[P256_PUBKEY_LEN])
{
    const gnutls_datum_t x = { pubkey, 32 }, y = { pubkey + 32, 32 };
    gnutls_pubkey_t key;
    int e = gnutls_pubkey_init(&key);
    if (e < 0)
        return e;
    e = gnutls_pubkey_import_ecc_raw(key, GNUTLS_ECC_CURVE_SECP256R1, &x, &y);
    if (e >= 0)
        e = gnutls_x509_crt_set_pubkey(crt, key);
    gnutls_pubkey_deinit(key);
    return e;
}

static int set_names(gnutls_x509_crt_t crt, const profile_t *p)
{
    char dn[160];
    snprintf(dn, sizeof dn, "C=US,ST=CA,L=Santa Clara,O=Kettle Simulator,CN=%s", p->name);
    int e = gnutls_x509_crt_set_version(crt, 3);
    if (e >= 0)
        e = gnutls_x509_crt_set_dn(crt, dn, NULL);
    if (e >= 0)
        e = gnutls_x509_crt_set_activation_time(crt, p->from);
    if (e >= 0)
        e = gnutls_x509_crt_set_expiration_time(crt, p->until);
    return e;
}

/* The extensions that every profile has; the issuer must have its public key. */
static int set_extensions(gnutls_x509_crt_t crt, gnutls_x509_crt_t issuer, const profile_t *p)
{
    uint8_t id[20];
    size_t n = sizeof id;
    int e = gnutls_x509_crt_get_key_id(issuer, GNUTLS_KEYID_USE_SHA1, id, &n);
    if (e >= 0)
        e = gnutls_x509_crt_set_authority_key_id(crt, id, n);
    if (e >= 0)
        e = gnutls_x509_crt_set_crl_dist_points2(crt, GNUTLS_SAN_URI, p->crl, (unsigned)strlen(p->crl), 0);
    n = sizeof id;
    if (e >= 0)
        e = gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA1, id, &n);
    if (e >= 0)
        e = gnutls_x509_crt_set_subject_key_id(crt, id, n);
    if (e >= 0)
        e = gnutls_x509_crt_set_key_usage(crt, p->usage);
    if (e >= 0)
        e = gnutls_x509_crt_set_basic_constraints(crt, p->ca, p->path_len);
    return e;
}

/* Fills crt and signs it; issuer is crt itself for the root. */
static rc_t make_cert(gnutls_x509_crt_t crt, const profile_t *p, gnutls_x509_crt_t issuer,
                      uint8_t issuer_secret[P256_SECRET_LEN], uint8_t pubkey[P256_PUBKEY_LEN], const uint8_t seed[32],
                      view_t sgx)
{
    uint8_t serial[20];
    char label[64];
    snprintf(label, sizeof label, "%s serial", p->name);
    rc_t rc = sim_derive(serial, sizeof serial, seed, label);
    if (rc)
        return rc;
    serial[0] = (uint8_t)((serial[0] & 0x3f) | 0x40); /* positive, and 20 bytes without a leading zero */
    int e = gnutls_x509_crt_set_serial(crt, serial, sizeof serial);
    if (e >= 0)
        e = set_names(crt, p);
    if (e >= 0)
        e = set_pubkey(crt, pubkey);
    if (e >= 0)
        e = set_extensions(crt, issuer, p);
    if (e >= 0 && sgx.n)
        e = gnutls_x509_crt_set_extension_by_oid(crt, SGX_OID, sgx.p, sgx.n, 0);
    if (e >= 0)
        e = sign_cert(crt, issuer, issuer_secret);
    return e == GNUTLS_E_MEMORY_ERROR ? RC_NOMEM : e < 0 ? RC_BUG : RC_OK;
}

static rc_t append_pem(sim_pki_t *pki, gnutls_x509_crt_t crt)
{
    size_t n = sizeof pki->chain - pki->chain_len;
    if (gnutls_x509_crt_export(crt, GNUTLS_X509_FMT_PEM, pki->chain + pki->chain_len, &n) < 0)
        return RC_BUG;
    pki->chain_len += n;
    return RC_OK;
}

static rc_t make_chain(sim_pki_t *pki, gnutls_x509_crt_t leaf, gnutls_x509_crt_t ca, gnutls_x509_crt_t root,
                       const uint8_t seed[32])
{
    uint8_t root_secret[P256_SECRET_LEN], ca_secret[P256_SECRET_LEN], pubkey[P256_PUBKEY_LEN], ext[SGX_EXT_MAX];
    wr_t sgx = wr_of(ext, sizeof ext);
    const view_t none = { NULL, 0 };
    rc_t rc = sgx_extension(&sgx, seed);
    if (!rc)
        rc = derive_key(root_secret, pubkey, seed, root_profile.name);
    if (!rc)
        rc = make_cert(root, &root_profile, root, root_secret, pubkey, seed, none);
    if (!rc)
        rc = derive_key(ca_secret, pubkey, seed, ca_profile.name);
    if (!rc)
        rc = make_cert(ca, &ca_profile, root, root_secret, pubkey, seed, none);
    if (!rc)
        rc = derive_key(pki->leaf_secret, pubkey, seed, leaf_profile.name);
    if (!rc)
        rc = make_cert(leaf, &leaf_profile, ca, ca_secret, pubkey, seed, wr_view(&sgx));
    if (!rc)
        rc = append_pem(pki, leaf);
    if (!rc)
        rc = append_pem(pki, ca);
    if (!rc)
        rc = append_pem(pki, root);
    pki->root_len = sizeof pki->root;
    if (!rc && gnutls_x509_crt_export(root, GNUTLS_X509_FMT_DER, pki->root, &pki->root_len) < 0)
        rc = RC_BUG;
    return rc;
}

rc_t sim_pki_make(sim_pki_t *out, const char **why, const uint8_t seed[32])
{
    gnutls_x509_crt_t crt[3] = { NULL, NULL, NULL };
    rc_t rc = RC_OK;
    out->chain_len = 0;
    for (size_t i = 0; i < 3; i++)
        if (gnutls_x509_crt_init(&crt[i]) < 0)
            rc = RC_NOMEM;
    if (!rc)
        rc = make_chain(out, crt[0], crt[1], crt[2], seed);
    if (rc)
        *why = rc == RC_NOMEM ? "out of memory" : "GnuTLS refused a simulated certificate";
    for (size_t i = 0; i < 3; i++)
        gnutls_x509_crt_deinit(crt[i]); /* NULL is allowed */
    return rc;
}
