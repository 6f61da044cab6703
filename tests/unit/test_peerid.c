/* Peer ids and host keys: known answers of the specification, both texts, one form of a key, signatures. */
#include "overlay/wire/proto.h"
#include "tests/unit/wire_id.h"

/* Source: overlay-facts section 3 (the key of js-libp2p's envelope vector). */
#define ED25519_PUB "1ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e"
#define ED25519_ID "12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq"
/* Source: libp2p/specs peer-ids/peer-ids.md, test vectors: the public keys of Ed25519, secp256k1 and ECDSA. */
#define SPEC_ED25519 "080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e"
#define SPEC_SECP256K1 "08021221037777e994e452c21604f91de093ce415f5432f701dd8cd1a7a6fea0e630bfca99"
#define SPEC_ECDSA                                                                                                     \
    "0803125b3059301306072a8648ce3d020106082a8648ce3d03010703420004de3d300fa36ae0e8f5d530899d83abab44abf3161f162a4bc9" \
    "01d8e6ecda020e8b6d5f8da30525e71d6851510c098e5c47c646a597fb4dcec034e9f77c409e62"

static hostkey_t key_of(const char *hex)
{
    uint8_t buf[128], again[128];
    hostkey_t k;
    view_t pb = wire_hex(buf, sizeof buf, hex);
    ck_assert_int_eq(hostkey_read(&k, pb), RC_OK);
    wr_t w = wr_of(again, sizeof again);
    hostkey_write(&w, &k);
    ck_assert(view_eq(wr_view(&w), pb));
    return k;
}

START_TEST(keys_give_their_known_ids)
{
    char text[PEERID_TEXT_MAX + 1];
    peerid_t id, again;
    hostkey_t k = key_of(SPEC_ED25519);
    peerid_of(&id, &k);
    peerid_text(text, &id);
    ck_assert_str_eq(text, ED25519_ID);
    ck_assert_int_eq(peerid_read_text(&again, view_str(text)), RC_OK);
    ck_assert(peerid_eq(&id, &again));
    ck_assert_int_eq(peerid_read(&again, peerid_view(&id)), RC_OK);
    ck_assert(peerid_eq(&id, &again));

    k = key_of(SPEC_SECP256K1);
    peerid_of(&id, &k);
    peerid_text(text, &id);
    ck_assert_int_eq(strncmp(text, "16Uiu2HA", 8), 0);
    ck_assert_uint_eq(id.n, 39);
    ck_assert_int_eq(peerid_read_text(&again, view_str(text)), RC_OK);
    ck_assert(peerid_eq(&id, &again));

    k = key_of(SPEC_ECDSA); /* longer than 42 bytes: hashed */
    peerid_of(&id, &k);
    peerid_text(text, &id);
    ck_assert_int_eq(strncmp(text, "Qm", 2), 0);
    ck_assert_uint_eq(id.n, 34);
    ck_assert_int_eq(peerid_read_text(&again, view_str(text)), RC_OK);
    ck_assert(peerid_eq(&id, &again));
}
END_TEST

START_TEST(the_cid_form_is_read_too)
{
    /* Source: libp2p/specs peer-ids/peer-ids.md, "String representation": one id in both forms. */
    static const char cid[] = "bafzbeie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqxe";
    static const char b58[] = "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N";
    peerid_t a, b;
    ck_assert_int_eq(peerid_read_text(&a, view_str(cid)), RC_OK);
    ck_assert_int_eq(peerid_read_text(&b, view_str(b58)), RC_OK);
    ck_assert(peerid_eq(&a, &b));
    for (size_t n = 0; n < sizeof cid - 1; n++)
        ck_assert_int_ne(peerid_read_text(&a, view_of(cid, n)), RC_OK);
    for (size_t n = 0; n < sizeof b58 - 1; n++)
        ck_assert_int_ne(peerid_read_text(&a, view_of(b58, n)), RC_OK);
    /* another codec than libp2p-key; another version; text of other characters */
    ck_assert_int_eq(peerid_read_text(&a, view_str("bafybeie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqxe")),
                     RC_MALFORMED);
    ck_assert_int_eq(peerid_read_text(&a, view_str("bafzbeie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqxE")),
                     RC_MALFORMED);
    ck_assert_int_eq(peerid_read_text(&a, view_str("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx50")), RC_MALFORMED);
    ck_assert_int_eq(peerid_read_text(&a, view_str("b")), RC_MALFORMED);
    ck_assert_int_eq(peerid_read_text(&a, view_str("")), RC_MALFORMED);
}
END_TEST

START_TEST(ids_of_other_shapes_are_refused)
{
    static const char *const bad[] = {
        "", "00", "0000", "1220", "002400", "1221", "1120aabb", "00022211ff", /* one byte behind the end */
    };
    uint8_t buf[64];
    peerid_t id;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(peerid_read(&id, wire_hex(buf, sizeof buf, bad[i])) == RC_MALFORMED, "%s", bad[i]);
    memset(buf, 0x11, sizeof buf);
    buf[0] = 0, buf[1] = 42;
    ck_assert_int_eq(peerid_read(&id, view_of(buf, 44)), RC_OK);
    buf[1] = 43;
    ck_assert_int_eq(peerid_read(&id, view_of(buf, 45)), RC_MALFORMED);
}
END_TEST

START_TEST(ids_are_ordered_by_their_bytes)
{
    const peerid_t a = { 3, { 0, 1, 5 } }, b = { 3, { 0, 1, 6 } }, longer = { 4, { 0, 1, 5, 0 } }, none = { 0, { 0 } };
    ck_assert_int_lt(peerid_cmp(&a, &b), 0);
    ck_assert_int_gt(peerid_cmp(&b, &a), 0);
    ck_assert_int_lt(peerid_cmp(&a, &longer), 0);
    ck_assert_int_gt(peerid_cmp(&b, &longer), 0);
    ck_assert_int_lt(peerid_cmp(&none, &a), 0);
    ck_assert(peerid_eq(&a, &a) && !peerid_eq(&a, &longer));
}
END_TEST

START_TEST(base58_gives_the_known_answers)
{
    /* Source: draft-msporny-base58-03 section 5, and zeros in front. */
    static const struct {
        const char *hex, *text;
    } rows[] = {
        { "48656c6c6f20576f726c6421", "2NEpo7TZRRrLZSi2U" },
        { "54686520717569636b2062726f776e20666f78206a756d7073206f76657220746865206c617a7920646f672e",
          "USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z" },
        { "0000287fb4cd", "11233QC4" },
        { "000000", "111" },
    };
    uint8_t buf[BASE58_BYTES_MAX], out[BASE58_BYTES_MAX];
    char text[BASE58_TEXT_MAX + 1];
    size_t n;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        view_t v = wire_hex(buf, sizeof buf, rows[i].hex);
        base58_encode(text, v);
        ck_assert_str_eq(text, rows[i].text);
        ck_assert_int_eq(base58_decode(out, &n, sizeof out, view_str(text)), RC_OK);
        ck_assert(view_eq(view_of(out, n), v));
        ck_assert_int_eq(base58_decode(out, &n, v.n, view_str(text)), RC_OK);
        ck_assert_int_eq(base58_decode(out, &n, v.n - 1, view_str(text)), RC_LIMIT);
    }
    memset(buf, 0xff, sizeof buf); /* the longest of all */
    base58_encode(text, view_of(buf, sizeof buf));
    ck_assert_uint_eq(strlen(text), BASE58_TEXT_MAX);
    ck_assert_int_eq(base58_decode(out, &n, sizeof out, view_str(text)), RC_OK);
    ck_assert(n == sizeof out && memcmp(out, buf, sizeof out) == 0);
    memset(text, 'z', BASE58_TEXT_MAX); /* as long, but greater */
    ck_assert_int_eq(base58_decode(out, &n, sizeof out, view_str(text)), RC_LIMIT);
    ck_assert_int_eq(base58_decode(out, &n, sizeof out, view_of("0", 1)), RC_MALFORMED);
    ck_assert_int_eq(base58_decode(out, &n, sizeof out, view_of("\0", 1)), RC_MALFORMED);
}
END_TEST

START_TEST(base32_takes_only_its_one_form)
{
    uint8_t out[8];
    size_t n;
    ck_assert_int_eq(base32_decode(out, &n, sizeof out, view_str("mzxw6ytb")), RC_OK); /* RFC 4648 section 10 */
    ck_assert(n == 5 && memcmp(out, "fooba", 5) == 0);
    ck_assert_int_eq(base32_decode(out, &n, 4, view_str("mzxw6ytb")), RC_LIMIT);
    ck_assert_int_eq(base32_decode(out, &n, sizeof out, view_str("mzxw6ytboi")), RC_OK);
    ck_assert(n == 6 && memcmp(out, "foobar", 6) == 0);
    ck_assert_int_eq(base32_decode(out, &n, sizeof out, view_str("mzxw6ytboj")), RC_MALFORMED); /* a bit too many */
    ck_assert_int_eq(base32_decode(out, &n, sizeof out, view_str("mzxw6ytbo")), RC_MALFORMED);
    ck_assert_int_eq(base32_decode(out, &n, sizeof out, view_str("MZXW6YTB")), RC_MALFORMED);
}
END_TEST

START_TEST(a_host_key_has_one_form)
{
    static const struct {
        const char *hex;
        rc_t rc;
    } rows[] = {
        { "0801122000", RC_MALFORMED },
        { "122021d1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e0801", RC_MALFORMED }, /* reordered */
        { SPEC_ED25519 "1800", RC_MALFORMED },                                                        /* a field more */
        { "08811200" ED25519_PUB, RC_MALFORMED },
        { "0881001220" ED25519_PUB, RC_MALFORMED },    /* type 1 in two bytes */
        { "080112a000" ED25519_PUB, RC_MALFORMED },    /* length 32 in two bytes */
        { "08011221" ED25519_PUB "00", RC_MALFORMED }, /* of 33 bytes */
        { "08021220" ED25519_PUB, RC_MALFORMED },      /* of another type's length */
        { "0800120411223344", RC_UNSUPPORTED },        /* RSA */
        { "0804120411223344", RC_MALFORMED },          /* no type at all */
        { "08021221020000000000000000000000000000000000000000000000000000000000000005", RC_REFUSED }, /* no point */
        { "0803125b3059301306072a8648ce3d020106082a8648ce3d030107034200", RC_MALFORMED },
        { "", RC_MALFORMED },
    };
    uint8_t buf[128];
    hostkey_t k = { .n = 77 };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ck_assert_msg(hostkey_read(&k, wire_hex(buf, sizeof buf, rows[i].hex)) == rows[i].rc, "row %zu", i);
    ck_assert_uint_eq(k.n, 77);
    static const char *const whole[] = { SPEC_ED25519, SPEC_SECP256K1, SPEC_ECDSA };
    for (size_t i = 0; i < 3; i++) {
        view_t v = wire_hex(buf, sizeof buf, whole[i]);
        for (size_t n = 0; n < v.n; n++) {
            uint8_t *cut = wire_exact(view_of(v.p, n));
            ck_assert_int_eq(hostkey_read(&k, view_of(cut, n)), RC_MALFORMED);
            free(cut);
        }
    }
}
END_TEST

static void check_signature(const identity_t *who)
{
    uint8_t sig[HOSTKEY_SIG_MAX];
    size_t n;
    ck_assert_int_eq(who->sign(who->sign_ctx, sig, &n, view_str("a message")), RC_OK);
    ck_assert_int_eq(hostkey_verify(&who->key, view_of(sig, n), view_str("a message")), RC_OK);
    ck_assert_int_eq(hostkey_verify(&who->key, view_of(sig, n), view_str("a messagf")), RC_REFUSED);
    for (size_t i = 0; i < n; i++) {
        sig[i] ^= 1;
        ck_assert_int_ne(hostkey_verify(&who->key, view_of(sig, n), view_str("a message")), RC_OK);
        sig[i] ^= 1;
    }
    for (size_t i = 0; i < n; i++) {
        uint8_t *cut = wire_exact(view_of(sig, i));
        ck_assert_int_eq(hostkey_verify(&who->key, view_of(cut, i), view_str("a message")), RC_MALFORMED);
        free(cut);
    }
}

START_TEST(signatures_of_both_kinds_hold_and_no_other)
{
    wire_id_t a, b;
    wire_ed25519(&a, "one");
    wire_secp256k1(&b, "one");
    check_signature(&a.who);
    check_signature(&b.who);
    ck_assert(!hostkey_eq(&a.who.key, &b.who.key) && hostkey_eq(&a.who.key, &a.who.key));
    wire_id_clear(&b);
}
END_TEST

/* Others may send a high s; the same signature is then taken in its low form. Never as two different answers. */
START_TEST(a_high_s_is_taken_as_its_low_twin)
{
    static const char order[] = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
    uint8_t n[32], compact[64], low[64], der[HOSTKEY_SIG_MAX];
    wire_id_t id;
    size_t len;
    wire_secp256k1(&id, "high");
    ck_assert_int_eq(wire_sign_secp256k1(&id, der, &len, view_str("m")), RC_OK);
    ck_assert_int_eq(ecdsa_from_der(low, view_of(der, len)), RC_OK);
    memcpy(compact, low, 64);
    (void)wire_hex(n, sizeof n, order);
    for (int i = 31, borrow = 0; i >= 0; i--) { /* s becomes n - s */
        int d = n[i] - low[32 + i] - borrow;
        borrow = d < 0;
        compact[32 + i] = (uint8_t)d;
    }
    len = ecdsa_to_der(der, compact);
    ck_assert_uint_gt(len, 0);
    ck_assert_int_eq(hostkey_verify(&id.who.key, view_of(der, len), view_str("m")), RC_OK);
    ck_assert_int_eq(ecdsa_from_der(compact, view_of(der, len)), RC_OK);
    ck_assert_mem_eq(compact, low, 64);
    memset(compact, 0xff, sizeof compact);
    ck_assert_uint_eq(ecdsa_to_der(der, compact), 0); /* not below the order */
    wire_id_clear(&id);
}
END_TEST

int main(void)
{
    return UNIT_RUN("peerid", keys_give_their_known_ids, the_cid_form_is_read_too, ids_of_other_shapes_are_refused,
                    ids_are_ordered_by_their_bytes, base58_gives_the_known_answers, base32_takes_only_its_one_form,
                    a_host_key_has_one_form, signatures_of_both_kinds_hold_and_no_other,
                    a_high_s_is_taken_as_its_low_twin);
}
