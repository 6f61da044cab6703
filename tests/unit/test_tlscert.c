/* The libp2p certificate: the specification's vectors, ours made and verified, every truncation, every byte, and each rule. */
#include "overlay/wire/tlscert.h"
#include "tee/x509/der_write.h"
#include "tests/unit/wire_id.h"

#define NOW 1795000000
#define SECRET ((const uint8_t[32]){ 1, 2, 3, [31] = 9 })
#define SERIAL ((const uint8_t[8]){ 0x80, 1, 2, 3, 4, 5, 6, 7 })

/* Source: libp2p/specs tls/tls.md, test vectors 1 and 3. */
static const char spec_ed25519[] =
    "308201ae30820156a0030201020204499602d2300a06082a8648ce3d040302302031123010060355040a13096c69627032702e696f31"
    "0a300806035504051301313020170d3735303130313133303030305a180f34303936303130313133303030305a302031123010060355"
    "040a13096c69627032702e696f310a300806035504051301313059301306072a8648ce3d020106082a8648ce3d030107034200040c90"
    "1d423c831ca85e27c73c263ba132721bb9d7a84c4f0380b2a6756fd601331c8870234dec878504c174144fa4b14b66a651691606d817"
    "3e55bd37e381569ea37c307a3078060a2b0601040183a25a0101046a3068042408011220a77f1d92fedb59dddaea5a1c4abd1ac2fbde"
    "7d7b879ed364501809923d7c11b90440d90d2769db992d5e6195dbb08e706b6651e024fda6cfb8846694a435519941cac215a8207792"
    "e42849cccc6cd8136c6e4bde92a58c5e08cfd4206eb5fe0bf909300a06082a8648ce3d0403020346003043021f50f6b6c52711a88177"
    "8718238f650c9fb48943ae6ee6d28427dc6071ae55e702203625f116a7a454db9c56986c82a25682f7248ea1cb764d322ea983ed36a3"
    "1b77";
static const char spec_secp256k1[] =
    "308201ba3082015fa0030201020204499602d2300a06082a8648ce3d040302302031123010060355040a13096c69627032702e696f31"
    "0a300806035504051301313020170d3735303130313133303030305a180f34303936303130313133303030305a302031123010060355"
    "040a13096c69627032702e696f310a300806035504051301313059301306072a8648ce3d020106082a8648ce3d030107034200040c90"
    "1d423c831ca85e27c73c263ba132721bb9d7a84c4f0380b2a6756fd601331c8870234dec878504c174144fa4b14b66a651691606d817"
    "3e55bd37e381569ea38184308181307f060a2b0601040183a25a01010471306f0425080212210206dc6968726765b820f050263ececf"
    "7f71e4955892776c0970542efd689d2382044630440220145e15a991961f0d08cd15425bb95ec93f6ffa03c5a385eedc34ecf464c7a8"
    "ab022026b3109b8a3f40ef833169777eb2aa337cfb6282f188de0666d1bcec2a4690dd300a06082a8648ce3d04030203490030460221"
    "00e1a217eeef9ec9204b3f774a08b70849646b6a1e6b8b27f93dc00ed58545d9fe022100b00dafa549d0f03547878338c7b15e750288"
    "8f6d45db387e5ae6b5d46899cef0";

static uint8_t buf[TLSCERT_MAX + 1];

START_TEST(the_specifications_certificates_hold)
{
    static const struct {
        const char *hex, *id;
    } rows[] = { { spec_ed25519, "12D3KooWM6CgA9iBFZmcYAHA6A2qvbAxqfkmrYiRQuz3XEsk4Ksv" },
                 { spec_secp256k1, "16Uiu2HAkutTMoTzDw1tCvSRtu6YoixJwS46S1ZFxW8hSx9fWHiPs" } };
    tlscert_t c;
    err_t e;
    char text[PEERID_TEXT_MAX + 1];
    for (size_t i = 0; i < 2; i++) {
        ck_assert_msg(tlscert_verify(&c, &e, wire_hex(buf, sizeof buf, rows[i].hex), NOW, NULL) == RC_OK, "%s", e.text);
        peerid_text(text, &c.id);
        ck_assert_str_eq(text, rows[i].id);
    }
}
END_TEST

static view_t make(const wire_id_t *id)
{
    wr_t w = wr_of(buf, TLSCERT_MAX);
    ck_assert_int_eq(tlscert_make(&w, &id->who, SECRET, SERIAL, NOW), RC_OK);
    return wr_view(&w);
}

static void check_made(const wire_id_t *id, const wire_id_t *other)
{
    tlscert_t c;
    err_t e;
    peerid_t mine, theirs;
    hash32_t spki;
    peerid_of(&mine, &id->who.key);
    peerid_of(&theirs, &other->who.key);
    view_t cert = make(id);
    ck_assert_uint_le(cert.n, 450);
    ck_assert_msg(tlscert_verify(&c, &e, cert, NOW, NULL) == RC_OK, "%s", e.text);
    ck_assert(peerid_eq(&c.id, &mine) && hostkey_eq(&c.key, &id->who.key));
    sha256(&spki, view_of(memmem(cert.p, cert.n, DER_P256_PREFIX, DER_P256_PREFIX_LEN), DER_P256_SPKI_LEN));
    ck_assert(hash32_eq(&spki, &c.spki));
    ck_assert_int_eq(tlscert_verify(&c, &e, cert, NOW, &mine), RC_OK);
    ck_assert_int_eq(tlscert_verify(&c, &e, cert, NOW, &(peerid_t){ .n = 0 }), RC_OK);
    ck_assert_int_eq(tlscert_verify(&c, &e, cert, NOW, &theirs), RC_REFUSED);
    ck_assert_str_eq(e.text, "another peer answered than the one that was dialled");
    /* an hour back, a hundred years ahead */
    ck_assert_int_eq(tlscert_verify(&c, &e, cert, NOW - TLSCERT_SKEW_S, NULL), RC_OK);
    ck_assert_int_eq(tlscert_verify(&c, &e, cert, NOW - TLSCERT_SKEW_S - 1, NULL), RC_REFUSED);
    ck_assert_int_eq(tlscert_verify(&c, &e, cert, NOW + TLSCERT_LIFE_S, NULL), RC_OK);
    ck_assert_int_eq(tlscert_verify(&c, &e, cert, NOW + TLSCERT_LIFE_S + 1, NULL), RC_REFUSED);
}

START_TEST(ours_are_verified_for_both_kinds_of_keys)
{
    wire_id_t a, b;
    wire_ed25519(&a, "one");
    wire_secp256k1(&b, "two");
    check_made(&a, &b);
    check_made(&b, &a);
    wire_id_clear(&b);
}
END_TEST

START_TEST(a_certificate_cut_or_followed_by_a_byte_is_refused)
{
    wire_id_t a;
    tlscert_t c = { .id = { .n = 77 } };
    err_t e;
    wire_secp256k1(&a, "cut");
    view_t cert = make(&a);
    for (size_t n = 0; n < cert.n; n++) {
        uint8_t *cut = wire_exact(view_of(cert.p, n));
        ck_assert_int_eq(tlscert_verify(&c, &e, view_of(cut, n), NOW, NULL), RC_MALFORMED);
        free(cut);
    }
    buf[cert.n] = 0;
    ck_assert_int_eq(tlscert_verify(&c, &e, view_of(buf, cert.n + 1), NOW, NULL), RC_MALFORMED);
    ck_assert_int_eq(tlscert_verify(&c, &e, view_of(buf, TLSCERT_MAX + 1), NOW, NULL), RC_LIMIT);
    ck_assert_uint_eq(c.id.n, 77);
    wire_id_clear(&a);
}
END_TEST

/* GnuTLS takes a trusted certificate whose signature of itself is wrong; this reader does not. */
START_TEST(no_byte_of_a_certificate_may_change)
{
    for (int k = 0; k < 2; k++) {
        wire_id_t a;
        tlscert_t c;
        err_t e;
        (k ? wire_secp256k1 : wire_ed25519)(&a, "bits");
        view_t cert = make(&a);
        for (size_t i = 0; i < cert.n; i++) {
            uint8_t bit = (uint8_t)(1u << (i * 5 + 3) % 8); /* one of each byte: a signature check costs */
            buf[i] ^= bit;
            ck_assert_msg(tlscert_verify(&c, &e, cert, NOW, NULL) != RC_OK, "byte %zu", i);
            buf[i] ^= bit;
        }
        ck_assert_int_eq(tlscert_verify(&c, &e, cert, NOW, NULL), RC_OK);
        wire_id_clear(&a);
    }
}
END_TEST

/* ---- certificates of any shape ---- */

typedef struct {
    unsigned version, extensions; /* extensions: how many times libp2p's comes */
    bool foreign_critical, foreign, trailing, unique_id, long_length, other_algorithm, flipped, ed25519;
    const uint8_t *pb;
    size_t pb_n;
    int64_t from, until;
} shape_t;

static wire_id_t id, tls_key;

static void put_algorithm(wr_t *w, const shape_t *s, bool sha384)
{
    const uint8_t ecdsa[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, (uint8_t)(sha384 ? 3 : 2) };
    static const uint8_t ed25519[] = { 0x2b, 0x65, 0x70 };
    size_t m = derw_begin(w, DER_SEQUENCE);
    derw_value(w, DER_OID, s->ed25519 ? view_of(ed25519, sizeof ed25519) : view_of(ecdsa, sizeof ecdsa));
    derw_end(w, m);
}

static void put_key(wr_t *w, const shape_t *s)
{
    static const uint8_t ed25519[] = { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00 };
    uint8_t point[64];
    ck_assert_int_eq(p256_pubkey(point, SECRET), RC_OK);
    wr_bytes(w, s->ed25519 ? ed25519 : DER_P256_PREFIX, s->ed25519 ? sizeof ed25519 : DER_P256_PREFIX_LEN);
    wr_bytes(w, s->ed25519 ? tls_key.who.key.b : point, s->ed25519 ? 32 : 64);
}

static void put_extension(wr_t *w, const shape_t *s, view_t spki)
{
    static const uint8_t oid[] = { 0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xa2, 0x5a, 0x01, 0x01 };
    uint8_t message[160], sig[HOSTKEY_SIG_MAX];
    size_t n = 0;
    wr_t m = wr_of(message, sizeof message);
    wr_bytes(&m, "libp2p-tls-handshake:", 21);
    wr_bytes(&m, spki.p, spki.n);
    ck_assert_int_eq(id.who.sign(id.who.sign_ctx, sig, &n, wr_view(&m)), RC_OK);
    size_t one = derw_begin(w, DER_SEQUENCE);
    derw_value(w, DER_OID, view_of(oid, sizeof oid));
    derw_bool(w, true); /* critical or not is the same for this one */
    size_t value = derw_begin(w, DER_OCTETS), pair = derw_begin(w, DER_SEQUENCE);
    if (s->long_length) {
        wr_u8(w, DER_OCTETS);
        wr_u8(w, 0x81);
        wr_u8(w, (uint8_t)s->pb_n);
        wr_bytes(w, s->pb, s->pb_n);
    } else {
        derw_value(w, DER_OCTETS, view_of(s->pb, s->pb_n));
    }
    derw_value(w, DER_OCTETS, view_of(sig, n));
    if (s->trailing)
        derw_number(w, DER_INTEGER, 1);
    derw_end(w, pair);
    derw_end(w, value);
    derw_end(w, one);
}

static void put_foreign(wr_t *w, bool critical)
{
    static const uint8_t oid[] = { 0x55, 0x1d, 0x0f };
    size_t one = derw_begin(w, DER_SEQUENCE);
    derw_value(w, DER_OID, view_of(oid, sizeof oid));
    derw_bool(w, critical);
    derw_value(w, DER_OCTETS, view_of("\x03\x02\x07\x80", 4));
    derw_end(w, one);
}

static void put_extensions(wr_t *w, const shape_t *s, view_t spki)
{
    size_t m = derw_begin(w, 0xa3), list = derw_begin(w, DER_SEQUENCE);
    if (s->foreign || s->foreign_critical)
        put_foreign(w, s->foreign_critical);
    for (unsigned i = 0; i < s->extensions; i++)
        put_extension(w, s, spki);
    derw_end(w, list);
    derw_end(w, m);
}

static void put_tbs(wr_t *w, const shape_t *s)
{
    size_t tbs = derw_begin(w, DER_SEQUENCE), m = derw_begin(w, 0xa0);
    derw_number(w, DER_INTEGER, s->version);
    derw_end(w, m);
    derw_number(w, DER_INTEGER, 5);
    put_algorithm(w, s, s->other_algorithm);
    derw_value(w, DER_SEQUENCE, view_of(NULL, 0));
    m = derw_begin(w, DER_SEQUENCE);
    derw_time(w, s->from);
    derw_time(w, s->until);
    derw_end(w, m);
    derw_value(w, DER_SEQUENCE, view_of(NULL, 0));
    uint8_t spki[DER_P256_SPKI_LEN];
    wr_t k = wr_of(spki, sizeof spki);
    put_key(&k, s);
    wr_bytes(w, spki, k.n);
    if (s->unique_id)
        derw_value(w, 0x82, view_of("\0\1", 2));
    put_extensions(w, s, wr_view(&k));
    derw_end(w, tbs);
}

static void put_signature(wr_t *w, const shape_t *s, view_t tbs)
{
    uint8_t sig[HOSTKEY_SIG_MAX];
    size_t n, m = derw_begin(w, DER_BITS);
    hash32_t digest;
    wr_u8(w, 0);
    if (s->ed25519) {
        ck_assert_int_eq(tls_key.who.sign(tls_key.who.sign_ctx, sig, &n, tbs), RC_OK);
        sig[40] ^= s->flipped;
        wr_bytes(w, sig, n);
    } else {
        sha256(&digest, tbs);
        ck_assert_int_eq(p256_sign(sig, &digest, SECRET), RC_OK);
        sig[40] ^= s->flipped;
        size_t pair = derw_begin(w, DER_SEQUENCE);
        derw_unsigned(w, DER_INTEGER, view_of(sig, 32));
        derw_unsigned(w, DER_INTEGER, view_of(sig + 32, 32));
        derw_end(w, pair);
    }
    derw_end(w, m);
}

static view_t build(const shape_t *s)
{
    uint8_t copy[TLSCERT_MAX];
    wr_t w = wr_of(buf, TLSCERT_MAX);
    size_t cert = derw_begin(&w, DER_SEQUENCE), from = w.n;
    put_tbs(&w, s);
    memcpy(copy, w.p + from, w.n - from);
    const view_t tbs = view_of(copy, w.n - from);
    put_algorithm(&w, s, false);
    put_signature(&w, s, tbs);
    derw_end(&w, cert);
    ck_assert(!w.bad);
    return wr_view(&w);
}

/* Faults that can be asked for by flag; the others are below. */
START_TEST(each_rule_of_the_specification_is_kept)
{
    uint8_t pb[HOSTKEY_PB_MAX + 2];
    wr_t w = wr_of(pb, sizeof pb);
    wire_ed25519(&id, "rules");
    wire_ed25519(&tls_key, "tls");
    hostkey_write(&w, &id.who.key);
    const size_t n = w.n;
    wr_u16le(&w, 0x0018); /* a field more, for one row */
    static const uint8_t rsa[] = { 0x08, 0x00, 0x12, 0x01, 0x30 };
#define SOUND .pb = pb, .pb_n = n, .from = NOW, .until = NOW
    const struct {
        const char *why;
        rc_t rc;
        shape_t s;
    } rows[] = {
        { "sound", RC_OK, { 2, 1, .foreign = true, SOUND } },
        { "an Ed25519 key of TLS", RC_OK, { 2, 1, .ed25519 = true, SOUND } },
        { "its self-signature", RC_REFUSED, { 2, 1, .ed25519 = true, .flipped = true, SOUND } },
        { "version 2", RC_MALFORMED, { 1, 1, SOUND } },
        { "no extension", RC_MALFORMED, { 2, 0, SOUND } },
        { "none of libp2p", RC_MALFORMED, { 2, 0, .foreign = true, SOUND } },
        { "twice", RC_MALFORMED, { 2, 2, SOUND } },
        { "unknown and critical", RC_REFUSED, { 2, 1, .foreign_critical = true, SOUND } },
        { "something behind the signature", RC_MALFORMED, { 2, 1, .trailing = true, SOUND } },
        { "a longer length than needed", RC_MALFORMED, { 2, 1, .long_length = true, SOUND } },
        { "a unique id", RC_MALFORMED, { 2, 1, .unique_id = true, SOUND } },
        { "two algorithms", RC_MALFORMED, { 2, 1, .other_algorithm = true, SOUND } },
        { "self-signature", RC_REFUSED, { 2, 1, .flipped = true, SOUND } },
        { "expired", RC_REFUSED, { 2, 1, .pb = pb, .pb_n = n, .from = NOW - 9, .until = NOW - 1 } },
        { "not yet valid", RC_REFUSED, { 2, 1, .pb = pb, .pb_n = n, .from = NOW + 1, .until = NOW + 9 } },
        { "host key with a field more", RC_MALFORMED, { 2, 1, .pb = pb, .pb_n = n + 2, .from = NOW, .until = NOW } },
        { "RSA host key", RC_UNSUPPORTED, { 2, 1, .pb = rsa, .pb_n = sizeof rsa, .from = NOW, .until = NOW } },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tlscert_t c = { .id = { .n = 77 } };
        err_t e;
        err_clear(&e);
        rc_t rc = tlscert_verify(&c, &e, build(&rows[i].s), NOW, NULL);
        ck_assert_msg(rc == rows[i].rc, "%s: %d %s", rows[i].why, rc, e.text);
        ck_assert(rc == RC_OK || (e.text[0] && c.id.n == 77));
    }
}
END_TEST

/* As vector 4 of the specification: what a host key signed for another key of TLS, or another host key did. */
START_TEST(the_host_key_must_have_signed_this_key_of_tls)
{
    uint8_t pb[HOSTKEY_PB_MAX];
    wr_t w = wr_of(pb, sizeof pb);
    tlscert_t c;
    err_t e;
    wire_ed25519(&id, "rules");
    hostkey_write(&w, &id.who.key);
    const shape_t s = { 2, 1, .pb = pb, .pb_n = w.n, .from = NOW, .until = NOW };
    ck_assert_int_eq(tlscert_verify(&c, &e, build(&s), NOW, NULL), RC_OK);
    wire_ed25519(&id, "another");
    ck_assert_int_eq(tlscert_verify(&c, &e, build(&s), NOW, NULL), RC_REFUSED);
    ck_assert_str_eq(e.text, "the host key did not sign this certificate's key");
}
END_TEST

START_TEST(there_is_no_certificate_without_room_or_with_a_bad_secret)
{
    wire_id_t a;
    wire_ed25519(&a, "one");
    view_t whole = make(&a);
    for (size_t cap = 0; cap < whole.n; cap += 7) {
        wr_t w = wr_of(buf, cap);
        ck_assert_int_eq(tlscert_make(&w, &a.who, SECRET, SERIAL, NOW), RC_BUG);
    }
    wr_t w = wr_of(buf, TLSCERT_MAX);
    ck_assert_int_eq(tlscert_make(&w, &a.who, (const uint8_t[32]){ 0 }, SERIAL, NOW), RC_REFUSED);
}
END_TEST

int main(void)
{
    return UNIT_RUN("tlscert", the_specifications_certificates_hold, ours_are_verified_for_both_kinds_of_keys,
                    a_certificate_cut_or_followed_by_a_byte_is_refused, no_byte_of_a_certificate_may_change,
                    each_rule_of_the_specification_is_kept, the_host_key_must_have_signed_this_key_of_tls,
                    there_is_no_certificate_without_room_or_with_a_bad_secret);
}
