/* keyring.h - sole owner of secret keys: signs digests, seals messages, and holds the generations of a cluster's key. A
 * secret has one way out to others: sealed to the ephemeral key of a peer, against a grant that the attestation of that
 * peer's connection gave; and where the measured configuration wants the key to outlive all nodes, one to the keys that
 * it names, in shares or whole.
 *
 *     keyring_new    one key of our own, that is never given away (a node's identity)
 *     keyring_empty  generations: keyring_add or keyring_take -> keyring_use, which wipes all lower ones
 *
 * Secrets live in locked memory, and are wiped when they are dropped, replaced or freed. Signing is safe from several
 * threads, also while another adds, uses or drops generations; a lock inside makes who wipes wait for who signs.
 *
 * Spec:   overlay-facts-more E (generations), G (recovery), J (sealed share; the key of messages is HKDF-SHA256 of the
 *         message secret with the info `kettle-msg/1`, version u64, order 32, index u8: the whole name of its
 *         generation)
 * Floor:  1, base/crypto. May include base/. No I/O or clock; randomness is an argument.
 * Tests:  tests/unit/test_keyring.c, test_keyring_share.c, test_keyring_recover.c, tests/ctime
 */
#ifndef BASE_CRYPTO_KEYRING_H
#define BASE_CRYPTO_KEYRING_H

#include "base/bytes.h"
#include "base/crypto/aead.h"
#include "base/crypto/box.h"
#include "base/crypto/curve25519.h"
#include "base/crypto/ecdsa.h"
#include "base/rc.h"

#define KEYRING_GENERATIONS_MAX 8u
#define KEY_SECRETS_LEN 64u                             /* of one generation: signing secret 32, message secret 32 */
#define KEY_SEALED_LEN (KEY_SECRETS_LEN + AEAD_TAG_LEN) /* of a sealed share */

typedef struct keyring keyring_t;

/* Name of a generation: the order that asked for it, and the place of its maker there. The first of a cluster has a
 * zero order. */
typedef struct {
    uint64_t version;
    hash32_t order;
    uint8_t index;
} key_name_t;

/* < 0, 0, > 0: the higher is the newer. A zero order, of which nobody but its maker answers for the version, is below
 * all others; then by version, order as bytes, index. */
int key_name_cmp(const key_name_t *a, const key_name_t *b);

/* --- making and signing --- */

/* Takes a secret and random bytes for blinding; secret_init must have been called. The key is in use at once, and no
 * grant gives it away.
 *   out          written only on RC_OK; freed with keyring_free
 *   take_secret  wiped at the caller's place in any case
 * RC_REFUSED: not a valid secret; RC_NOMEM: no memory, or none that may be locked. */
NODISCARD rc_t keyring_new(keyring_t **out, uint8_t take_secret[ECDSA_SECRET_LEN], const uint8_t blind[32]);

/* A ring without a key: signs nothing until keyring_use. RC_NOMEM. */
NODISCARD rc_t keyring_empty(keyring_t **out, const uint8_t blind[32]);

/* Wipes all keys and frees k, which may be NULL. */
void keyring_free(keyring_t *k);

/* A number that is another one whenever the key in use is: what was signed is of the present key if this was the same
 * before it was signed. */
uint64_t keyring_turn(const keyring_t *k);

/* Compressed public key and Ethereum address of the key in use; zeros while there is none. */
void keyring_pubkey(const keyring_t *k, uint8_t out[ECDSA_PUBKEY_LEN]);
void keyring_address(const keyring_t *k, addr_t *out);

/* Signs a digest with the key in use: 64-byte compact, low s, deterministic. recid may be NULL. RC_REFUSED: no key is
 * in use. */
NODISCARD rc_t keyring_sign(const keyring_t *k, uint8_t out[ECDSA_SIG_LEN], int *recid, const hash32_t *digest);

/* The same in the 65 bytes of ecdsa_sign65, from which ecrecover gives the address. by: that address, of the key that
 * signed; NULL: not wanted. */
NODISCARD rc_t keyring_sign65(const keyring_t *k, uint8_t out[ECDSA_SIG65_LEN], addr_t *by, const hash32_t *digest);

/* --- generations --- */

/* Adds a generation, not in use yet.
 *   take_secrets  signing secret and message secret; wiped at the caller's place in any case
 * RC_REFUSED: not a valid secret; RC_REPLAY: held already, or not above the one in use; RC_LIMIT: too many. */
NODISCARD rc_t keyring_add(keyring_t *k, const key_name_t *name, uint8_t take_secrets[KEY_SECRETS_LEN]);

/* Signs from now on with this generation; wipes all below it. RC_REFUSED: not held; RC_REPLAY: below the one in use. */
NODISCARD rc_t keyring_use(keyring_t *k, const key_name_t *name);

/* Wipes a generation, in use or not; what is not held is passed over. */
void keyring_drop(keyring_t *k, const key_name_t *name);

/* The public key of a generation that is held. RC_REFUSED: it is not. */
NODISCARD rc_t keyring_pubkey_of(const keyring_t *k, uint8_t out[ECDSA_PUBKEY_LEN], const key_name_t *name);

/* Signs with a generation that is held, in use or not: its maker signs the entry. RC_REFUSED: not held. */
NODISCARD rc_t keyring_sign_as(const keyring_t *k, uint8_t out[ECDSA_SIG_LEN], const key_name_t *name,
                               const hash32_t *digest);

/* --- the message secret --- */

#define KEY_MESSAGE_EXTRA (XAEAD_NONCE_LEN + AEAD_TAG_LEN) /* bytes that a sealed message is longer */

/* Seals for everybody who holds the generation in use: nonce, ciphertext, tag.
 *   out    plain.n + KEY_MESSAGE_EXTRA bytes, not overlapping plain
 *   nonce  random
 * RC_REFUSED: no generation is in use. */
NODISCARD rc_t keyring_seal_message(const keyring_t *k, uint8_t *out, view_t plain, view_t ad,
                                    const uint8_t nonce[XAEAD_NONCE_LEN]);

/* Opens what was sealed under any generation that is held.
 *   out  sealed.n - KEY_MESSAGE_EXTRA bytes, not overlapping sealed
 * RC_MALFORMED: shorter than that, out untouched; RC_REFUSED: sealed under none of them, out is zeros. */
NODISCARD rc_t keyring_open_message(const keyring_t *k, uint8_t *out, view_t sealed, view_t ad);

/* A secret for an application, by a label of 1 to KEY_LABEL_MAX bytes: the same wherever the generation in use is held,
 * and nothing can be told from it about others. The caller keeps and wipes it. RC_REFUSED: no generation is in use;
 * RC_LIMIT: the label. */
#define KEY_LABEL_MAX 64u
#define KEY_DERIVED_LEN 32u
NODISCARD rc_t keyring_derive(const keyring_t *k, uint8_t out[KEY_DERIVED_LEN], view_t label);

/* --- the one way out, and the way in --- */

/* An X25519 key for one request or one share, in locked memory. */
typedef struct key_ephemeral key_ephemeral_t;

/* Takes 32 random bytes, wiped at the caller's place in any case. RC_NOMEM. */
NODISCARD rc_t key_ephemeral_new(key_ephemeral_t **out, uint8_t take_random[X25519_LEN]);

/* Wipes and frees; NULL is allowed. */
void key_ephemeral_free(key_ephemeral_t *e);

/* Its public half; lives as long as e. */
const uint8_t *key_ephemeral_pubkey(const key_ephemeral_t *e);

/* Permission to seal one generation once, for the peer of one attested channel. Only tee/channel/mattest.c makes one
 * (tests/lint/seams.py). */
typedef struct {
    key_name_t name;
    uint8_t channel[32]; /* EX of mattest */
    bool open;           /* not used yet */
} key_grant_t;

/* For mattest_release_key alone. */
void key_grant_make(key_grant_t *out, const key_name_t *name, const uint8_t channel[32]);

/* How a share is sealed: under HKDF-SHA256 of what the two ephemeral keys share. */
typedef struct {
    key_ephemeral_t *own; /* marked by keyring_seal: it seals once */
    const uint8_t *peer;  /* the other's ephemeral public key, X25519_LEN bytes */
    const uint8_t *salt;  /* EX of the attested channel, 32 bytes */
    view_t info, ad;
} key_box_t;

/* Seals a generation's secrets; closes the grant. RC_REFUSED, with out untouched: the grant is used or of another
 * channel, the generation is not held or never given away, our ephemeral key has sealed before (the nonce is fixed),
 * the peer's is of small order. */
NODISCARD rc_t keyring_seal(keyring_t *k, uint8_t out[KEY_SEALED_LEN], key_grant_t *grant, const key_box_t *box);

/* Opens a sealed share into the ring, as keyring_add. RC_REFUSED too when it does not open, or its public key is not
 * the expected one. */
NODISCARD rc_t keyring_take(keyring_t *k, const key_name_t *name, const uint8_t expected[ECDSA_PUBKEY_LEN],
                            const uint8_t sealed[KEY_SEALED_LEN], const key_box_t *box);

/* --- when all who hold it die --- (lint lets the node's recovery alone call these) */

#define KEY_HOLDERS_MAX 16u
#define KEY_SHARE_LEN (1u + KEY_SECRETS_LEN) /* whose, 1 to KEY_HOLDERS_MAX; its shares of both secrets */
#define KEY_SHARE_SEALED_LEN (KEY_SHARE_LEN + BOX_SEALED_EXTRA)
#define KEY_KEPT_LEN (XAEAD_NONCE_LEN + KEY_SECRETS_LEN + AEAD_TAG_LEN)

/* One operator's share, as everybody may see it. */
typedef struct {
    hash32_t hash;                        /* SHA-256 of the share's KEY_SHARE_LEN bytes */
    uint8_t sealed[KEY_SHARE_SEALED_LEN]; /* box_seal to the operator's key */
} key_share_box_t;

/* Who holds shares of a key: so many of these X25519 keys have it together. */
typedef struct {
    const uint8_t (*keys)[X25519_LEN];
    unsigned threshold, count;
} key_holders_t;

/* Splits a generation among its holders. The shares are the same whoever holds the secrets and splits them: the
 * polynomial's coefficients come from the secrets by HKDF-SHA256, info `kettle-shares/1`, the whole name, threshold,
 * count, and all keys; only the boxes differ.
 *   out        holders->count rows, written only on RC_OK
 *   ephemeral  X25519_LEN random bytes for each, secret: wiped by the caller
 * RC_REFUSED: not held, never given away, or a key of small order; RC_LIMIT: the numbers (shares_split). */
NODISCARD rc_t keyring_split(keyring_t *k, key_share_box_t *out, const key_name_t *name, const key_holders_t *holders,
                             const uint8_t *ephemeral);

/* Joins shares to a generation, as keyring_add. RC_LIMIT, RC_MALFORMED: shares_join; RC_REFUSED too when what comes of
 * them has not the expected public key: they are too few, or of another key. */
NODISCARD rc_t keyring_join(keyring_t *k, const key_name_t *name, const uint8_t expected[ECDSA_PUBKEY_LEN],
                            const uint8_t (*shares)[KEY_SHARE_LEN], unsigned count);

/* Seals a generation's secrets whole, for this program when it runs here again: nonce, ciphertext, tag.
 *   key    of the TEE provider (tee/tee.h)
 *   nonce  random
 * RC_REFUSED: not held, or never given away. */
NODISCARD rc_t keyring_keep(keyring_t *k, uint8_t out[KEY_KEPT_LEN], const key_name_t *name,
                            const uint8_t key[AEAD_KEY_LEN], view_t ad, const uint8_t nonce[XAEAD_NONCE_LEN]);

/* Opens that into the ring, as keyring_add. RC_REFUSED too when it does not open, or its public key is not the expected
 * one. */
NODISCARD rc_t keyring_recall(keyring_t *k, const key_name_t *name, const uint8_t expected[ECDSA_PUBKEY_LEN],
                              const uint8_t kept[KEY_KEPT_LEN], const uint8_t key[AEAD_KEY_LEN], view_t ad);

#endif
