/* A key that outlives all nodes: split among operators, or sealed whole by a key of the TEE provider. */
#include "base/crypto/hash.h"
#include "base/crypto/keyring.h"
#include "base/crypto/secret.h"
#include "base/hex.h"
#include "tests/unit/unit.h"

#define N 3u

static const uint8_t blind[32] = { 7 };
static const key_name_t first, second = { 2, { { 0xaa } }, 1 };
static uint8_t secrets_of[N][32], keys[N][32], ephemeral[N * 32], pubkey[33];
static key_holders_t holders = { (const uint8_t (*)[32])keys, 2, N };
static keyring_t *ring;

static keyring_t *empty(void)
{
    keyring_t *k = NULL;
    ck_assert_int_eq(keyring_empty(&k, blind), RC_OK);
    return k;
}

static void add(keyring_t *k, const key_name_t *name)
{
    uint8_t secrets[KEY_SECRETS_LEN];
    for (unsigned i = 0; i < sizeof secrets; i++)
        secrets[i] = (uint8_t)(i + 1);
    ck_assert_int_eq(keyring_add(k, name, secrets), RC_OK);
}

static void setup(void)
{
    ck_assert_int_eq(secret_init(), RC_OK);
    holders.threshold = 2;
    for (unsigned i = 0; i < N; i++) {
        memset(secrets_of[i], (int)(0x10 + i), 32);
        x25519_pubkey(keys[i], secrets_of[i]);
        memset(ephemeral + 32 * i, (int)(0x70 + i), 32);
    }
    ring = empty();
    add(ring, &second);
    ck_assert_int_eq(keyring_use(ring, &second), RC_OK);
    keyring_pubkey(ring, pubkey);
}

static void teardown(void)
{
    keyring_free(ring);
}

/* Opens the shares of these boxes, each of which has the hash beside it. */
static void open_all(uint8_t shares[N][KEY_SHARE_LEN], const key_share_box_t boxes[N])
{
    for (unsigned i = 0; i < N; i++) {
        hash32_t hash;
        ck_assert_int_eq(box_open(shares[i], view_of(boxes[i].sealed, sizeof boxes[i].sealed), secrets_of[i]), RC_OK);
        sha256(&hash, view_of(shares[i], KEY_SHARE_LEN));
        ck_assert(hash32_eq(&hash, &boxes[i].hash) && shares[i][0] == i + 1);
    }
}

static rc_t joins(const uint8_t (*shares)[KEY_SHARE_LEN], unsigned count)
{
    uint8_t got[33], signature[64], again[64];
    const hash32_t digest = { { 5 } };
    keyring_t *k = empty();
    const rc_t rc = keyring_join(k, &second, pubkey, shares, count);
    if (!rc) {
        ck_assert_int_eq(keyring_use(k, &second), RC_OK);
        keyring_pubkey(k, got);
        ck_assert_mem_eq(got, pubkey, 33);
        ck_assert_int_eq(keyring_sign(k, signature, NULL, &digest), RC_OK);
        ck_assert_int_eq(keyring_sign(ring, again, NULL, &digest), RC_OK);
        ck_assert_mem_eq(signature, again, 64);
    } else
        ck_assert_int_eq(keyring_pubkey_of(k, got, &second), RC_REFUSED);
    keyring_free(k);
    return rc;
}

START_TEST(so_many_shares_are_the_key_and_fewer_are_not)
{
    key_share_box_t boxes[N];
    uint8_t shares[N][KEY_SHARE_LEN];
    ck_assert_int_eq(keyring_split(ring, boxes, &second, &holders, ephemeral), RC_OK);
    open_all(shares, boxes);
    for (unsigned i = 0; i < N; i++)
        for (unsigned j = 0; j < N; j++) {
            uint8_t some[2][KEY_SHARE_LEN];
            memcpy(some[0], shares[i], KEY_SHARE_LEN);
            memcpy(some[1], shares[j], KEY_SHARE_LEN);
            ck_assert_int_eq(joins((const uint8_t(*)[KEY_SHARE_LEN])some, 2), i == j ? RC_MALFORMED : RC_OK);
            ck_assert_int_eq(joins((const uint8_t(*)[KEY_SHARE_LEN])some, 1), RC_REFUSED);
        }
    ck_assert_int_eq(joins((const uint8_t(*)[KEY_SHARE_LEN])shares, N), RC_OK);
    ck_assert_int_eq(joins((const uint8_t(*)[KEY_SHARE_LEN])shares, 0), RC_LIMIT);
    ck_assert_int_eq(joins((const uint8_t(*)[KEY_SHARE_LEN])shares, KEY_HOLDERS_MAX + 1), RC_LIMIT);
}
END_TEST

/* What opens messages comes back too. */
START_TEST(the_message_secret_is_among_them)
{
    key_share_box_t boxes[N];
    uint8_t shares[N][KEY_SHARE_LEN], sealed[3 + KEY_MESSAGE_EXTRA], out[3];
    const uint8_t nonce[XAEAD_NONCE_LEN] = { 3 };
    keyring_t *k = empty();
    ck_assert_int_eq(keyring_split(ring, boxes, &second, &holders, ephemeral), RC_OK);
    open_all(shares, boxes);
    ck_assert_int_eq(keyring_join(k, &second, pubkey, (const uint8_t(*)[KEY_SHARE_LEN])shares, 2), RC_OK);
    ck_assert_int_eq(keyring_seal_message(ring, sealed, view_str("abc"), view_of(NULL, 0), nonce), RC_OK);
    ck_assert_int_eq(keyring_open_message(k, out, view_of(sealed, sizeof sealed), view_of(NULL, 0)), RC_OK);
    ck_assert_mem_eq(out, "abc", 3);
    keyring_free(k);
}
END_TEST

START_TEST(each_byte_of_a_share_counts)
{
    key_share_box_t boxes[N];
    uint8_t shares[N][KEY_SHARE_LEN];
    ck_assert_int_eq(keyring_split(ring, boxes, &second, &holders, ephemeral), RC_OK);
    open_all(shares, boxes);
    for (size_t i = 0; i < 1 + 32; i++) { /* those behind are of the message secret, which has no public key */
        shares[0][i] ^= 0x04;
        ck_assert_int_eq(joins((const uint8_t(*)[KEY_SHARE_LEN])shares, 2), RC_REFUSED);
        shares[0][i] ^= 0x04;
    }
}
END_TEST

/* Every member splits alike; of another threshold, holder or generation the shares are others. Hashes frozen: secrets
 * 01 .. 40, X25519 secrets 32 times 10, 11, 12; by another program. */
START_TEST(all_who_hold_the_key_make_the_same_shares)
{
    static const char *const want[N] = { "032c001795910ebc3544346b45838ceb36ca10f779865bf12c2e38350971b234",
                                         "5d3c104b9f594fe0e4fbfe0b053c695535a8b647cb18a59c72f4bbdc478d7f09",
                                         "fe628bd7a9ca3045ce3e89dd918f5a35fbc9f082f12905223b55b385c6a58422" };
    key_share_box_t boxes[N], again[N];
    keyring_t *k = empty();
    char hex[65];
    add(k, &second);
    ck_assert_int_eq(keyring_split(ring, boxes, &second, &holders, ephemeral), RC_OK);
    ephemeral[1] ^= 1;
    ck_assert_int_eq(keyring_split(k, again, &second, &holders, ephemeral), RC_OK);
    ck_assert(memcmp(boxes[0].sealed, again[0].sealed, sizeof boxes[0].sealed) != 0);
    for (unsigned i = 0; i < N; i++) {
        ck_assert(hash32_eq(&boxes[i].hash, &again[i].hash));
        hex_encode(hex, view_of(boxes[i].hash.b, 32));
        ck_assert_str_eq(hex, want[i]);
    }
    holders.threshold = 3;
    ck_assert_int_eq(keyring_split(k, again, &second, &holders, ephemeral), RC_OK);
    ck_assert(!hash32_eq(&boxes[0].hash, &again[0].hash));
    holders.threshold = 2;
    secrets_of[2][0] ^= 8;
    x25519_pubkey(keys[2], secrets_of[2]);
    ck_assert_int_eq(keyring_split(k, again, &second, &holders, ephemeral), RC_OK);
    ck_assert(!hash32_eq(&boxes[0].hash, &again[0].hash));
    keyring_free(k);
}
END_TEST

START_TEST(what_may_not_be_split_is_not)
{
    static const uint8_t small[32] = { 1 };
    key_share_box_t boxes[N];
    uint8_t secret[32] = { 3 }, kept[KEY_KEPT_LEN];
    const uint8_t key[32] = { 1 }, nonce[XAEAD_NONCE_LEN] = { 2 };
    keyring_t *own = NULL;
    memset(boxes, 0xee, sizeof boxes);
    ck_assert_int_eq(keyring_split(ring, boxes, &first, &holders, ephemeral), RC_REFUSED); /* not held */
    ck_assert_int_eq(keyring_new(&own, secret, blind), RC_OK);
    ck_assert_int_eq(keyring_split(own, boxes, &first, &holders, ephemeral), RC_REFUSED); /* a node's own */
    ck_assert_int_eq(keyring_keep(own, kept, &first, key, view_of(NULL, 0), nonce), RC_REFUSED);
    holders.threshold = 1;
    ck_assert_int_eq(keyring_split(ring, boxes, &second, &holders, ephemeral), RC_LIMIT);
    holders.threshold = 4;
    ck_assert_int_eq(keyring_split(ring, boxes, &second, &holders, ephemeral), RC_LIMIT);
    holders.threshold = 2;
    memcpy(keys[2], small, 32);
    ck_assert_int_eq(keyring_split(ring, boxes, &second, &holders, ephemeral), RC_REFUSED);
    ck_assert_uint_eq(boxes[0].hash.b[0], 0xee); /* untouched */
    keyring_free(own);
}
END_TEST

START_TEST(what_is_kept_opens_under_the_same_key_and_for_the_same_use)
{
    const uint8_t key[32] = { 1 }, other[32] = { 2 }, nonce[XAEAD_NONCE_LEN] = { 9 };
    uint8_t kept[KEY_KEPT_LEN], wrong[33], got[33];
    const view_t ad = view_str("generation 2");
    keyring_t *k = empty();
    ck_assert_int_eq(keyring_keep(ring, kept, &second, key, ad, nonce), RC_OK);
    for (size_t i = 0; i < sizeof kept; i++) {
        kept[i] ^= 0x80;
        ck_assert_int_eq(keyring_recall(k, &second, pubkey, kept, key, ad), RC_REFUSED);
        kept[i] ^= 0x80;
    }
    memcpy(wrong, pubkey, 33);
    wrong[32] ^= 1;
    ck_assert_int_eq(keyring_recall(k, &second, pubkey, kept, other, ad), RC_REFUSED);
    ck_assert_int_eq(keyring_recall(k, &second, pubkey, kept, key, view_str("generation 3")), RC_REFUSED);
    ck_assert_int_eq(keyring_recall(k, &second, wrong, kept, key, ad), RC_REFUSED);
    ck_assert_int_eq(keyring_pubkey_of(k, got, &second), RC_REFUSED);
    ck_assert_int_eq(keyring_recall(k, &second, pubkey, kept, key, ad), RC_OK);
    ck_assert_int_eq(keyring_pubkey_of(k, got, &second), RC_OK);
    ck_assert_mem_eq(got, pubkey, 33);
    ck_assert_int_eq(keyring_recall(k, &second, pubkey, kept, key, ad), RC_REPLAY);
    keyring_free(k);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("keyring_recover", setup, teardown, so_many_shares_are_the_key_and_fewer_are_not,
                           the_message_secret_is_among_them, each_byte_of_a_share_counts,
                           all_who_hold_the_key_make_the_same_shares, what_may_not_be_split_is_not,
                           what_is_kept_opens_under_the_same_key_and_for_the_same_use);
}
