/* Generations of a key, and their one way out: sealed to a peer's ephemeral key, against a grant. */
#include "base/crypto/hash.h"
#include "base/crypto/keyring.h"
#include "base/crypto/secret.h"
#include "base/hex.h"
#include "tests/unit/unit.h"

static const uint8_t blind[32] = { 7 }, salt[32] = { 0x40 }, other_salt[32] = { 0x41 };
static const key_name_t first, second = { 2, { { 0xaa } }, 0 }, second_b = { 2, { { 0xaa } }, 1 },
                               third = { 3, { { 0x01 } }, 0 };

static keyring_t *ring(void)
{
    keyring_t *k = NULL;
    ck_assert_int_eq(keyring_empty(&k, blind), RC_OK);
    return k;
}

/* Signing secret: 32 times byte; message secret: 32 times 0xee. */
static rc_t add(keyring_t *k, const key_name_t *name, uint8_t byte)
{
    static const uint8_t zeros[KEY_SECRETS_LEN];
    uint8_t secrets[KEY_SECRETS_LEN];
    memset(secrets, byte, 32);
    memset(secrets + 32, 0xee, 32);
    rc_t rc = keyring_add(k, name, secrets);
    ck_assert_mem_eq(secrets, zeros, sizeof zeros);
    return rc;
}

static key_ephemeral_t *ephemeral(uint8_t byte)
{
    static const uint8_t zeros[X25519_LEN];
    uint8_t random[X25519_LEN];
    key_ephemeral_t *e = NULL;
    memset(random, byte, sizeof random);
    ck_assert_int_eq(key_ephemeral_new(&e, random), RC_OK);
    ck_assert_mem_eq(random, zeros, sizeof zeros);
    return e;
}

static bool holds(const keyring_t *k, const key_name_t *name)
{
    uint8_t pub[33];
    return keyring_pubkey_of(k, pub, name) == RC_OK;
}

START_TEST(names_are_ordered_by_version_then_order_then_index)
{
    static const key_name_t rows[] = { { 0, { { 0 } }, 0 },          { 1, { { 0 } }, 2 }, { 2, { { 0 } }, 1 },
                                       { UINT64_MAX, { { 0 } }, 0 }, { 0, { { 1 } }, 0 }, { 1, { { 0, 1 } }, 0 },
                                       { 1, { { 1 } }, 0 },          { 1, { { 1 } }, 1 }, { 1, { { 0x80 } }, 255 },
                                       { 2, { { 0, 1 } }, 0 } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (size_t j = 0; j < sizeof rows / sizeof rows[0]; j++) {
            int c = key_name_cmp(&rows[i], &rows[j]);
            ck_assert_msg(i < j ? c < 0 : i > j ? c > 0 : c == 0, "%zu, %zu", i, j);
        }
}
END_TEST

START_TEST(a_ring_without_a_key_in_use_signs_nothing)
{
    static const uint8_t zeros[33];
    uint8_t sig[64], pub[33];
    hash32_t h = { { 1 } };
    addr_t address;
    keyring_t *k = ring();
    ck_assert_int_eq(keyring_sign(k, sig, NULL, &h), RC_REFUSED);
    ck_assert_int_eq(add(k, &first, 1), RC_OK);
    ck_assert_int_eq(keyring_sign(k, sig, NULL, &h), RC_REFUSED);
    keyring_pubkey(k, pub);
    ck_assert_mem_eq(pub, zeros, 33);
    keyring_address(k, &address);
    ck_assert_mem_eq(address.b, zeros, 20);
    ck_assert_int_eq(keyring_use(k, &second), RC_REFUSED);
    ck_assert_int_eq(keyring_use(k, &first), RC_OK);
    ck_assert_int_eq(keyring_sign(k, sig, NULL, &h), RC_OK);
    keyring_drop(k, &first);
    ck_assert_int_eq(keyring_sign(k, sig, NULL, &h), RC_REFUSED);
    keyring_drop(k, &first);
    keyring_free(k);
}
END_TEST

START_TEST(a_newer_generation_in_use_wipes_all_below_it)
{
    uint8_t pub[33], sig[64];
    hash32_t h = { { 1 } };
    ecdsa_t *e = ecdsa_new(NULL);
    keyring_t *k = ring();
    ck_assert_int_eq(add(k, &first, 1), RC_OK);
    ck_assert_int_eq(keyring_use(k, &first), RC_OK);
    ck_assert_int_eq(add(k, &second, 2), RC_OK);
    ck_assert_int_eq(add(k, &second_b, 3), RC_OK);
    ck_assert_int_eq(add(k, &third, 4), RC_OK);
    ck_assert_int_eq(keyring_pubkey_of(k, pub, &second_b), RC_OK);
    ck_assert_int_eq(keyring_sign_as(k, sig, &second_b, &h), RC_OK); /* a draft signs its entry */
    ck_assert_int_eq(ecdsa_verify(e, sig, &h, pub), RC_OK);
    const uint64_t turn = keyring_turn(k);
    ck_assert_int_eq(keyring_use(k, &second_b), RC_OK);
    ck_assert_uint_ne(keyring_turn(k), turn);
    const uint64_t now = keyring_turn(k);
    ck_assert_int_eq(keyring_use(k, &second_b), RC_OK); /* it is in use */
    ck_assert_uint_eq(keyring_turn(k), now);
    ck_assert(!holds(k, &first) && !holds(k, &second) && holds(k, &second_b) && holds(k, &third));
    ck_assert_int_eq(keyring_sign(k, sig, NULL, &h), RC_OK);
    ck_assert_int_eq(ecdsa_verify(e, sig, &h, pub), RC_OK);
    ck_assert_int_eq(keyring_sign_as(k, sig, &first, &h), RC_REFUSED);
    ck_assert_int_eq(add(k, &second, 2), RC_REPLAY);   /* below */
    ck_assert_int_eq(add(k, &second_b, 9), RC_REPLAY); /* the one in use */
    ck_assert_int_eq(add(k, &third, 9), RC_REPLAY);    /* held */
    ck_assert_int_eq(keyring_use(k, &third), RC_OK);
    ck_assert_int_eq(keyring_use(k, &second_b), RC_REFUSED);
    keyring_free(k);
    ecdsa_free(e);
}
END_TEST

START_TEST(the_one_in_use_is_never_replaced_by_one_below)
{
    keyring_t *k = ring();
    ck_assert_int_eq(add(k, &third, 4), RC_OK);
    ck_assert_int_eq(add(k, &first, 1), RC_OK); /* nothing is in use yet */
    ck_assert_int_eq(keyring_use(k, &first), RC_OK);
    ck_assert_int_eq(keyring_use(k, &third), RC_OK);
    ck_assert_int_eq(keyring_use(k, &third), RC_OK);
    ck_assert(!holds(k, &first));
    keyring_free(k);
}
END_TEST

START_TEST(secrets_that_are_none_and_too_many_are_refused)
{
    keyring_t *k = ring();
    ck_assert_int_eq(add(k, &first, 0), RC_REFUSED);
    ck_assert_int_eq(add(k, &first, 0xff), RC_REFUSED);
    for (uint8_t i = 0; i <= KEYRING_GENERATIONS_MAX; i++) {
        key_name_t name = { i, { { 0 } }, 0 };
        ck_assert_int_eq(add(k, &name, (uint8_t)(i + 1)), i < KEYRING_GENERATIONS_MAX ? RC_OK : RC_LIMIT);
    }
    keyring_free(k);
}
END_TEST

/* Giver and taker of one share, on one attested channel. */
typedef struct {
    keyring_t *giver, *taker;
    key_ephemeral_t *of_giver, *of_taker;
    key_box_t out, in;
    key_grant_t grant;
    uint8_t pub[33], sealed[KEY_SEALED_LEN];
} share_t;

static void open_share(share_t *s)
{
    *s = (share_t){ .giver = ring(), .taker = ring(), .of_giver = ephemeral(0x11), .of_taker = ephemeral(0x22) };
    s->out = (key_box_t){ s->of_giver, key_ephemeral_pubkey(s->of_taker), salt, view_str("info"), view_str("ad") };
    s->in = (key_box_t){ s->of_taker, key_ephemeral_pubkey(s->of_giver), salt, view_str("info"), view_str("ad") };
    ck_assert_int_eq(add(s->giver, &second, 2), RC_OK);
    ck_assert_int_eq(keyring_pubkey_of(s->giver, s->pub, &second), RC_OK);
    key_grant_make(&s->grant, &second, salt);
}

static void close_share(share_t *s)
{
    keyring_free(s->giver);
    keyring_free(s->taker);
    key_ephemeral_free(s->of_giver);
    key_ephemeral_free(s->of_taker);
    key_ephemeral_free(NULL);
}

/* Secrets 02.. and ee.., ephemeral keys 11.. and 22.., salt 40 00..; made by Python's cryptography package. */
START_TEST(a_share_is_sealed_as_written)
{
    char hex[2 * KEY_SEALED_LEN + 1];
    share_t s;
    open_share(&s);
    ck_assert_int_eq(keyring_seal(s.giver, s.sealed, &s.grant, &s.out), RC_OK);
    hex_encode(hex, view_of(s.sealed, sizeof s.sealed));
    ck_assert_str_eq(
        hex,
        "3fd6c5480470edf7daf1a24707b89a62b2922cda4d0562a88c37656d3dbbdf76957c4c96e39ecdd7c1ac5b410759e126c4fed0a2cfb201e446c91929549830fc983b7a5653219b624ef46e1d8430f475");
    ck_assert_int_eq(keyring_take(s.taker, &second, s.pub, s.sealed, &s.in), RC_OK);
    ck_assert(holds(s.taker, &second));
    ck_assert_int_eq(keyring_take(s.taker, &second, s.pub, s.sealed, &s.in), RC_REPLAY);
    close_share(&s);
}
END_TEST

START_TEST(a_taken_generation_can_be_passed_on_whole)
{
    uint8_t sealed[KEY_SEALED_LEN];
    share_t s;
    open_share(&s);
    ck_assert_int_eq(keyring_seal(s.giver, s.sealed, &s.grant, &s.out), RC_OK);
    ck_assert_int_eq(keyring_take(s.taker, &second, s.pub, s.sealed, &s.in), RC_OK);
    key_grant_make(&s.grant, &second, salt); /* the other way round: the sealing key is the same, and so the bytes */
    ck_assert_int_eq(keyring_seal(s.taker, sealed, &s.grant, &s.in), RC_OK);
    ck_assert_mem_eq(sealed, s.sealed, sizeof sealed);
    close_share(&s);
}
END_TEST

START_TEST(a_grant_seals_one_generation_once_on_its_channel)
{
    static const uint8_t untouched[KEY_SEALED_LEN];
    static const uint8_t small_order[X25519_LEN];
    share_t s;
    open_share(&s);
    s.grant.open = false;
    ck_assert_int_eq(keyring_seal(s.giver, s.sealed, &s.grant, &s.out), RC_REFUSED);
    key_grant_make(&s.grant, &third, salt); /* not held */
    ck_assert_int_eq(keyring_seal(s.giver, s.sealed, &s.grant, &s.out), RC_REFUSED);
    key_grant_make(&s.grant, &second, other_salt);
    ck_assert_int_eq(keyring_seal(s.giver, s.sealed, &s.grant, &s.out), RC_REFUSED);
    key_grant_make(&s.grant, &second, salt);
    s.out.peer = small_order;
    ck_assert_int_eq(keyring_seal(s.giver, s.sealed, &s.grant, &s.out), RC_REFUSED);
    ck_assert_mem_eq(s.sealed, untouched, sizeof untouched);
    s.out.peer = key_ephemeral_pubkey(s.of_taker);
    ck_assert_int_eq(keyring_seal(s.giver, s.sealed, &s.grant, &s.out), RC_OK);
    ck_assert_int_eq(keyring_seal(s.giver, s.sealed, &s.grant, &s.out), RC_REFUSED);
    close_share(&s);
}
END_TEST

START_TEST(an_ephemeral_key_of_ours_seals_once)
{
    uint8_t again[KEY_SEALED_LEN] = { 0 };
    static const uint8_t untouched[KEY_SEALED_LEN];
    share_t s;
    open_share(&s);
    ck_assert_int_eq(add(s.giver, &third, 4), RC_OK);
    ck_assert_int_eq(keyring_seal(s.giver, s.sealed, &s.grant, &s.out), RC_OK);
    key_grant_make(&s.grant, &third, salt);
    ck_assert_int_eq(keyring_seal(s.giver, again, &s.grant, &s.out), RC_REFUSED);
    ck_assert_mem_eq(again, untouched, sizeof again);
    key_ephemeral_free(s.of_giver);
    s.out.own = s.of_giver = ephemeral(0x33);
    ck_assert_int_eq(keyring_seal(s.giver, again, &s.grant, &s.out), RC_OK); /* the grant was not used up */
    close_share(&s);
}
END_TEST

START_TEST(a_key_of_our_own_is_never_given_away)
{
    uint8_t secret[32];
    keyring_t *own = NULL;
    share_t s;
    open_share(&s);
    memset(secret, 1, 32);
    ck_assert_int_eq(keyring_new(&own, secret, blind), RC_OK);
    key_grant_make(&s.grant, &first, salt);
    ck_assert_int_eq(keyring_seal(own, s.sealed, &s.grant, &s.out), RC_REFUSED);
    keyring_free(own);
    close_share(&s);
}
END_TEST

START_TEST(a_share_that_differs_in_anything_is_not_taken)
{
    share_t s;
    open_share(&s);
    ck_assert_int_eq(keyring_seal(s.giver, s.sealed, &s.grant, &s.out), RC_OK);
    for (size_t i = 0; i < 8 * KEY_SEALED_LEN; i++) {
        s.sealed[i / 8] ^= (uint8_t)(1u << i % 8);
        ck_assert_msg(keyring_take(s.taker, &second, s.pub, s.sealed, &s.in) == RC_REFUSED, "bit %zu", i);
        s.sealed[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    for (int row = 0; row < 5; row++) {
        key_box_t box = s.in;
        uint8_t pub[33];
        memcpy(pub, s.pub, 33);
        switch (row) {
        case 0: box.salt = other_salt; break;
        case 1: box.info = view_str("infp"); break;
        case 2: box.ad = view_str(""); break;
        case 3: box.peer = key_ephemeral_pubkey(s.of_taker); break;
        default: pub[0] ^= 1; break;
        }
        ck_assert_msg(keyring_take(s.taker, &second, pub, s.sealed, &box) == RC_REFUSED, "row %d", row);
    }
    ck_assert(!holds(s.taker, &second));
    ck_assert_int_eq(keyring_take(s.taker, &second, s.pub, s.sealed, &s.in), RC_OK);
    close_share(&s);
}
END_TEST

int main(void)
{
    if (secret_init())
        return EXIT_FAILURE;
    return UNIT_RUN("keyring_share", names_are_ordered_by_version_then_order_then_index,
                    a_ring_without_a_key_in_use_signs_nothing, a_newer_generation_in_use_wipes_all_below_it,
                    the_one_in_use_is_never_replaced_by_one_below, secrets_that_are_none_and_too_many_are_refused,
                    a_share_is_sealed_as_written, a_taken_generation_can_be_passed_on_whole,
                    a_grant_seals_one_generation_once_on_its_channel, an_ephemeral_key_of_ours_seals_once,
                    a_key_of_our_own_is_never_given_away, a_share_that_differs_in_anything_is_not_taken);
}
