#include "overlay/wire/tlscert.h"

#include "base/crypto/curve25519.h"
#include "base/crypto/hash.h"
#include "tee/x509/der.h"
#include "tee/x509/der_write.h"
#include "tee/x509/tbs.h"

#define PREFIX "libp2p-tls-handshake:"
#define SPKI_MAX 96u
#define EXTENSION_MAX 256u /* bytes of the extension's value */

static const uint8_t oid_libp2p[] = { 0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xa2, 0x5a, 0x01, 0x01 };
static const uint8_t oid_ecdsa_sha256[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02 };
static const uint8_t oid_common_name[] = { 0x55, 0x04, 0x03 };
static const uint8_t ed25519_spki[] = { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00 };
static const uint8_t ed25519_algorithm[] = { 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70 };

/* What the host key signs. */
static view_t host_message(uint8_t out[sizeof PREFIX - 1 + SPKI_MAX], view_t spki)
{
    wr_t w = wr_of(out, sizeof PREFIX - 1 + SPKI_MAX);
    wr_bytes(&w, PREFIX, sizeof PREFIX - 1);
    wr_bytes(&w, spki.p, spki.n);
    return wr_view(&w);
}

/* ---- make ---- */

static void put_algorithm(wr_t *w)
{
    size_t mark = derw_begin(w, DER_SEQUENCE);
    derw_value(w, DER_OID, view_of(oid_ecdsa_sha256, sizeof oid_ecdsa_sha256));
    derw_end(w, mark);
}

/* CN=libp2p, as subject and issuer. */
static void put_name(wr_t *w)
{
    enum { DER_SET = 0x31, DER_UTF8 = 0x0c };
    size_t name = derw_begin(w, DER_SEQUENCE), set = derw_begin(w, DER_SET), pair = derw_begin(w, DER_SEQUENCE);
    derw_value(w, DER_OID, view_of(oid_common_name, sizeof oid_common_name));
    derw_value(w, DER_UTF8, view_str("libp2p"));
    derw_end(w, pair);
    derw_end(w, set);
    derw_end(w, name);
}

/* SEQUENCE { OCTET STRING publicKey, OCTET STRING signature }, as value of the extension. */
static rc_t put_extension(wr_t *w, const identity_t *who, view_t spki)
{
    uint8_t message[sizeof PREFIX - 1 + SPKI_MAX], sig[HOSTKEY_SIG_MAX], pb[HOSTKEY_PB_MAX];
    size_t n = 0;
    rc_t rc = who->sign(who->sign_ctx, sig, &n, host_message(message, spki));
    if (rc)
        return rc;
    wr_t key = wr_of(pb, sizeof pb);
    hostkey_write(&key, &who->key);
    size_t list = derw_begin(w, DER_SEQUENCE), one = derw_begin(w, DER_SEQUENCE);
    derw_value(w, DER_OID, view_of(oid_libp2p, sizeof oid_libp2p));
    size_t value = derw_begin(w, DER_OCTETS), signed_key = derw_begin(w, DER_SEQUENCE);
    derw_value(w, DER_OCTETS, wr_view(&key));
    derw_value(w, DER_OCTETS, view_of(sig, n));
    derw_end(w, signed_key);
    derw_end(w, value);
    derw_end(w, one);
    derw_end(w, list);
    return RC_OK;
}

static rc_t put_tbs(wr_t *w, const identity_t *who, view_t spki, const uint8_t serial[8], int64_t now)
{
    enum { TAG_VERSION = 0xa0, TAG_EXTENSIONS = 0xa3 };
    size_t tbs = derw_begin(w, DER_SEQUENCE), version = derw_begin(w, TAG_VERSION);
    derw_number(w, DER_INTEGER, 2);
    derw_end(w, version);
    derw_unsigned(w, DER_INTEGER, view_of(serial, 8));
    put_algorithm(w);
    put_name(w);
    size_t validity = derw_begin(w, DER_SEQUENCE);
    derw_time(w, now - TLSCERT_SKEW_S);
    derw_time(w, now + TLSCERT_LIFE_S);
    derw_end(w, validity);
    put_name(w);
    wr_bytes(w, spki.p, spki.n);
    size_t extensions = derw_begin(w, TAG_EXTENSIONS);
    rc_t rc = put_extension(w, who, spki);
    derw_end(w, extensions);
    derw_end(w, tbs);
    return rc;
}

static void put_signature(wr_t *w, const uint8_t sig[P256_SIG_LEN])
{
    size_t bits = derw_begin(w, DER_BITS);
    wr_u8(w, 0); /* no unused bits */
    size_t pair = derw_begin(w, DER_SEQUENCE);
    derw_unsigned(w, DER_INTEGER, view_of(sig, 32));
    derw_unsigned(w, DER_INTEGER, view_of(sig + 32, 32));
    derw_end(w, pair);
    derw_end(w, bits);
}

rc_t tlscert_make(wr_t *w, const identity_t *who, const uint8_t secret[P256_SECRET_LEN], const uint8_t serial[8],
                  int64_t now)
{
    uint8_t spki[DER_P256_SPKI_LEN], sig[P256_SIG_LEN];
    hash32_t digest;
    memcpy(spki, DER_P256_PREFIX, DER_P256_PREFIX_LEN);
    rc_t rc = p256_pubkey(spki + DER_P256_PREFIX_LEN, secret);
    size_t cert = derw_begin(w, DER_SEQUENCE), tbs = w->n;
    if (!rc)
        rc = put_tbs(w, who, view_of(spki, sizeof spki), serial, now);
    if (rc || w->bad)
        return rc ? rc : RC_BUG;
    sha256(&digest, view_of(w->p + tbs, w->n - tbs));
    rc = p256_sign(sig, &digest, secret);
    if (rc)
        return rc;
    put_algorithm(w);
    put_signature(w, sig);
    derw_end(w, cert);
    return w->bad ? RC_BUG : RC_OK;
}

/* ---- verify ---- */

/* The self-signature. Libraries do not check that of a certificate which they are told to trust; so it is done here. */
static rc_t check_self_signature(err_t *e, const der_signed_t *s, view_t spki)
{
    rc_t rc = RC_UNSUPPORTED;
    const uint8_t *point = der_p256_point(spki);
    if (point) {
        if (der_is_ecdsa_sha256(s->algorithm))
            rc = der_verify(s, point);
    } else if (spki.n == sizeof ed25519_spki + 32 && memcmp(spki.p, ed25519_spki, sizeof ed25519_spki) == 0) {
        if (view_eq(s->algorithm, view_of(ed25519_algorithm, sizeof ed25519_algorithm)))
            rc = s->signature.n == 64 ? ed25519_verify(s->signature.p, s->tbs, spki.p + sizeof ed25519_spki)
                                      : RC_MALFORMED;
    }
    if (rc == RC_UNSUPPORTED)
        return err_say(e, rc, "the certificate's key or signature is neither ECDSA on P-256 nor Ed25519");
    return rc ? err_say(e, rc, "the certificate's signature of itself is wrong") : RC_OK;
}

/* The host key's signature over the certificate's key. */
static rc_t check_host_key(tlscert_t *out, err_t *e, view_t value, view_t spki)
{
    uint8_t message[sizeof PREFIX - 1 + SPKI_MAX];
    rd_t whole = rd_of(value);
    rd_t r = der_enter(&whole, DER_SEQUENCE);
    view_t key = der_take(&r, DER_OCTETS), sig = der_take(&r, DER_OCTETS);
    if (!rd_done(&r) || !rd_done(&whole))
        return err_say(e, RC_MALFORMED, "the libp2p extension is malformed");
    rc_t rc = hostkey_read(&out->key, key);
    if (rc)
        return err_say(e, rc,
                       rc == RC_UNSUPPORTED ? "host keys of this type are not understood" : "malformed host key");
    rc = hostkey_verify(&out->key, sig, host_message(message, spki));
    return rc ? err_say(e, rc, "the host key did not sign this certificate's key") : RC_OK;
}

/* The libp2p extension, which is there once; unknown critical ones are refused. */
static rc_t find_extension(view_t *value, err_t *e, tbs_t *t)
{
    tbs_extension_t x;
    rc_t rc;
    *value = (view_t){ NULL, 0 };
    while (!(rc = tbs_extension(&x, t))) {
        bool ours = view_eq(x.oid, view_of(oid_libp2p, sizeof oid_libp2p));
        if (ours && value->p)
            return err_say(e, RC_MALFORMED, "the libp2p extension comes twice");
        if (!ours && x.critical)
            return err_say(e, RC_REFUSED, "the certificate has an unknown critical extension");
        if (ours)
            *value = x.value;
    }
    if (rc != RC_NEED_DATA)
        return err_say(e, rc, "the certificate's extensions are malformed");
    return value->n && value->n <= EXTENSION_MAX ? RC_OK : err_say(e, RC_MALFORMED, "there is no libp2p extension");
}

static rc_t check(tlscert_t *out, err_t *e, view_t der, int64_t now)
{
    der_signed_t s;
    tbs_t t;
    view_t value;
    if (der_signed(&s, der) || tbs_read(&t, s.tbs))
        return err_say(e, RC_MALFORMED, "the certificate is malformed");
    if (!view_eq(t.algorithm, s.algorithm) || t.has_unique_id)
        return err_say(e, RC_MALFORMED, "the certificate names two algorithms, or a unique id");
    rc_t rc = find_extension(&value, e, &t);
    if (!rc)
        rc = check_self_signature(e, &s, t.spki);
    if (!rc)
        rc = check_host_key(out, e, value, t.spki);
    if (rc)
        return rc;
    if (now < t.not_before || now > t.not_after)
        return err_say(e, RC_REFUSED, "the certificate is not valid now");
    sha256(&out->spki, t.spki);
    peerid_of(&out->id, &out->key);
    return RC_OK;
}

rc_t tlscert_verify(tlscert_t *out, err_t *e, view_t der, int64_t now, const peerid_t *expected)
{
    tlscert_t c = { 0 };
    if (der.n > TLSCERT_MAX)
        return err_say(e, RC_LIMIT, "the certificate is longer than 2 KiB");
    rc_t rc = check(&c, e, der, now);
    if (rc)
        return rc;
    if (expected && expected->n && !peerid_eq(expected, &c.id))
        return err_say(e, RC_REFUSED, "another peer answered than the one that was dialled");
    *out = c;
    return RC_OK;
}
