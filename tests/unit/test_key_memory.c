/* A generation of a key, with everything that is done with it: after each step its secrets stand in the locked memory of the rings
 * that hold it, once in each, and nowhere else in the process: no stack, heap or buffer has a copy. */
#include <stdlib.h>

#include "base/crypto/keyring.h"
#include "base/crypto/secret.h"
#include "tests/unit/memory_scan.h"
#include "tests/unit/unit.h"

enum { PARTS = 4 }; /* of both secrets, 16 bytes each */

static const uint8_t blind[32] = { 7 }, salt[32] = { 0x40 }, nonce[XAEAD_NONCE_LEN] = { 3 },
                     tee_key[AEAD_KEY_LEN] = { 9 };
static const key_name_t name = { 2, { { 0xaa } }, 0 };
static scan_for_t forward[PARTS], backward[PARTS]; /* as libraries hold numbers */
static uint8_t pubkey[ECDSA_PUBKEY_LEN];

static void make_secrets(uint8_t out[KEY_SECRETS_LEN])
{
    for (unsigned i = 0; i < KEY_SECRETS_LEN; i++)
        out[i] = (uint8_t)(i * i + 37 * i + 11);
}

/* What is looked for; the function's own copies are wiped. */
static void set_up(void)
{
    uint8_t secrets[KEY_SECRETS_LEN], back[16];
    scan_begin();
    make_secrets(secrets);
    for (unsigned i = 0; i < PARTS; i++) {
        for (unsigned k = 0; k < 16; k++)
            back[k] = secrets[16 * i + 15 - k];
        forward[i] = scan_for(secrets + 16 * (size_t)i, 16);
        backward[i] = scan_for(back, 16);
    }
    secret_wipe(secrets, sizeof secrets);
    secret_wipe(back, sizeof back);
}

static void expect(unsigned rings, const char *after)
{
    for (unsigned i = 0; i < PARTS; i++) {
        const unsigned found = scan_count(&forward[i]), turned = scan_count(&backward[i]);
        ck_assert_msg(found == rings && !turned, "after %s: part %u stands in %u places, turned in %u", after, i, found,
                      turned);
    }
}

static keyring_t *ring(void)
{
    keyring_t *k = NULL;
    ck_assert_int_eq(keyring_empty(&k, blind), RC_OK);
    return k;
}

static keyring_t *filled(void)
{
    uint8_t secrets[KEY_SECRETS_LEN];
    keyring_t *k = ring();
    make_secrets(secrets);
    ck_assert_int_eq(keyring_add(k, &name, secrets), RC_OK);
    ck_assert_int_eq(keyring_use(k, &name), RC_OK);
    ck_assert_int_eq(keyring_pubkey_of(k, pubkey, &name), RC_OK);
    return k;
}

static key_ephemeral_t *ephemeral(uint8_t byte)
{
    uint8_t random[X25519_LEN];
    key_ephemeral_t *e = NULL;
    memset(random, byte, sizeof random);
    ck_assert_int_eq(key_ephemeral_new(&e, random), RC_OK);
    return e;
}

START_TEST(a_copy_would_be_found)
{
    uint8_t *copy = malloc(KEY_SECRETS_LEN);
    ck_assert_ptr_nonnull(copy);
    expect(0, "nothing");
    make_secrets(copy);
    expect(1, "a copy was made");
    secret_wipe(copy, KEY_SECRETS_LEN);
    free(copy);
    expect(0, "it was wiped");
}
END_TEST

START_TEST(signing_and_messages_leave_no_copy)
{
    uint8_t sig[ECDSA_SIG65_LEN], out[KEY_DERIVED_LEN], sealed[5 + KEY_MESSAGE_EXTRA], plain[5];
    const hash32_t digest = { { 1 } };
    addr_t by;
    keyring_t *k = filled();
    expect(1, "keyring_use");
    ck_assert_int_eq(keyring_sign(k, sig, NULL, &digest), RC_OK);
    expect(1, "keyring_sign");
    ck_assert_int_eq(keyring_sign65(k, sig, &by, &digest), RC_OK);
    ck_assert_int_eq(keyring_sign_as(k, sig, &name, &digest), RC_OK);
    expect(1, "keyring_sign65 and keyring_sign_as");
    ck_assert_int_eq(keyring_derive(k, out, view_str("app")), RC_OK);
    ck_assert_int_eq(keyring_seal_message(k, sealed, view_str("hello"), view_str(""), nonce), RC_OK);
    ck_assert_int_eq(keyring_open_message(k, plain, view_of(sealed, sizeof sealed), view_str("")), RC_OK);
    expect(1, "a derived secret and a message");
    keyring_drop(k, &name);
    expect(0, "keyring_drop");
    keyring_free(k);
}
END_TEST

START_TEST(a_share_leaves_one_copy_with_each_who_holds_it)
{
    uint8_t sealed[KEY_SEALED_LEN];
    key_grant_t grant;
    keyring_t *k = filled(), *other = ring();
    key_ephemeral_t *ours = ephemeral(1), *theirs = ephemeral(2);
    const key_box_t here = { ours, key_ephemeral_pubkey(theirs), salt, view_str("i"), view_str("a") },
                    there = { theirs, key_ephemeral_pubkey(ours), salt, view_str("i"), view_str("a") };
    key_grant_make(&grant, &name, salt);
    ck_assert_int_eq(keyring_seal(k, sealed, &grant, &here), RC_OK);
    expect(1, "keyring_seal");
    ck_assert_int_eq(keyring_take(other, &name, pubkey, sealed, &there), RC_OK);
    expect(2, "keyring_take");
    key_ephemeral_free(ours);
    key_ephemeral_free(theirs);
    keyring_free(k);
    expect(1, "keyring_free");
    keyring_free(other);
    expect(0, "both were freed");
}
END_TEST

START_TEST(what_is_kept_beyond_all_nodes_leaves_no_copy)
{
    enum { HOLDERS = 3 };
    static key_share_box_t boxes[HOLDERS];
    uint8_t holder_keys[HOLDERS][X25519_LEN], random[HOLDERS * X25519_LEN], kept[KEY_KEPT_LEN];
    const key_holders_t holders = { (const uint8_t(*)[X25519_LEN])holder_keys, 2, HOLDERS };
    keyring_t *k = filled(), *other = ring();
    for (unsigned i = 0; i < HOLDERS; i++) {
        key_ephemeral_t *e = ephemeral((uint8_t)(10 + i));
        memcpy(holder_keys[i], key_ephemeral_pubkey(e), X25519_LEN);
        key_ephemeral_free(e);
    }
    memset(random, 5, sizeof random);
    ck_assert_int_eq(keyring_split(k, boxes, &name, &holders, random), RC_OK);
    expect(1, "keyring_split");
    ck_assert_int_eq(keyring_keep(k, kept, &name, tee_key, view_str("x"), nonce), RC_OK);
    expect(1, "keyring_keep");
    ck_assert_int_eq(keyring_recall(other, &name, pubkey, kept, tee_key, view_str("x")), RC_OK);
    expect(2, "keyring_recall");
    keyring_free(other);
    keyring_free(k);
    expect(0, "both were freed");
}
END_TEST

int main(void)
{
    if (secret_init())
        return EXIT_FAILURE;
    return UNIT_RUN_AROUND("key_memory", set_up, NULL, a_copy_would_be_found, signing_and_messages_leave_no_copy,
                           a_share_leaves_one_copy_with_each_who_holds_it,
                           what_is_kept_beyond_all_nodes_leaves_no_copy);
}
