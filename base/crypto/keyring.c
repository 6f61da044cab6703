#include "base/crypto/keyring.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/crypto/kdf.h"
#include "base/crypto/secret.h"
#include "base/crypto/shares.h"

_Static_assert(KEY_HOLDERS_MAX == SHARES_MAX, "each holder has a share");

/* What is locked: the secrets of all slots, what messages are sealed with, and room to derive a sealing key, to open a
 * share, and to split a secret. */
typedef struct {
    _Alignas(16) uint8_t secrets[KEYRING_GENERATIONS_MAX][KEY_SECRETS_LEN]; /* the end of it lies at a page's end */
    uint8_t message_keys[KEYRING_GENERATIONS_MAX][AEAD_KEY_LEN];
    uint8_t shared[X25519_LEN], prk[HKDF_PRK_LEN], key[AEAD_KEY_LEN], opened[KEY_SECRETS_LEN];
    uint8_t coefficients[(SHARES_MAX - 1) * KEY_SECRETS_LEN], share[KEY_SHARE_LEN];
    share_t shares[2][SHARES_MAX]; /* of the signing secret, of the message secret */
} vault_t;

typedef struct {
    bool held, given_away; /* given_away: a generation, which a grant may have sealed; it has a message secret */
    key_name_t name;
    uint8_t pubkey[ECDSA_PUBKEY_LEN];
    addr_t address;
} slot_t;

#define NONE KEYRING_GENERATIONS_MAX

struct keyring {
    ecdsa_t *ecdsa; /* constant after keyring_empty, which makes signing safe from several threads */
    vault_t *vault; /* guarded memory */
    slot_t slots[KEYRING_GENERATIONS_MAX];
    size_t in_use; /* NONE: no key */
    atomic_ullong turn;
    pthread_rwlock_t *lock;
};

struct key_ephemeral {
    uint8_t secret[X25519_LEN], pubkey[X25519_LEN];
    bool has_sealed;
};

int key_name_cmp(const key_name_t *a, const key_name_t *b)
{
    const bool first = hash32_is_zero(&a->order);
    if (first != hash32_is_zero(&b->order))
        return first ? -1 : 1;
    if (a->version != b->version)
        return a->version < b->version ? -1 : 1;
    int order = memcmp(a->order.b, b->order.b, sizeof a->order.b);
    return order ? order : (int)a->index - (int)b->index;
}

rc_t keyring_empty(keyring_t **out, const uint8_t blind[32])
{
    keyring_t *k = calloc(1, sizeof *k);
    if (!k)
        return RC_NOMEM;
    k->in_use = NONE;
    k->ecdsa = ecdsa_new(blind);
    k->vault = secret_alloc(sizeof *k->vault);
    k->lock = malloc(sizeof *k->lock);
    if (k->lock && pthread_rwlock_init(k->lock, NULL)) {
        free(k->lock);
        k->lock = NULL;
    }
    if (!k->ecdsa || !k->vault || !k->lock) {
        keyring_free(k);
        return RC_NOMEM;
    }
    *out = k;
    return RC_OK;
}

void keyring_free(keyring_t *k)
{
    if (!k)
        return;
    if (k->lock)
        pthread_rwlock_destroy(k->lock);
    free(k->lock);
    ecdsa_free(k->ecdsa);
    secret_free(k->vault);
    free(k);
}

static void lock_to_read(const keyring_t *k)
{
    pthread_rwlock_rdlock(k->lock);
}

static void lock_to_write(const keyring_t *k)
{
    pthread_rwlock_wrlock(k->lock);
}

static void unlock(const keyring_t *k)
{
    pthread_rwlock_unlock(k->lock);
}

/* The slot of a name; NONE. */
static size_t find(const keyring_t *k, const key_name_t *name)
{
    for (size_t i = 0; i < KEYRING_GENERATIONS_MAX; i++)
        if (k->slots[i].held && key_name_cmp(&k->slots[i].name, name) == 0)
            return i;
    return NONE;
}

static void wipe_slot(keyring_t *k, size_t i)
{
    secret_wipe(k->vault->secrets[i], KEY_SECRETS_LEN);
    secret_wipe(k->vault->message_keys[i], AEAD_KEY_LEN);
    k->slots[i] = (slot_t){ .held = false };
    if (k->in_use == i) {
        k->in_use = NONE;
        atomic_fetch_add(&k->turn, 1);
    }
}

/* What messages of a generation are sealed with, from its message secret. */
static rc_t derive_message_key(vault_t *v, size_t i, const key_name_t *name)
{
    static const char tag[] = "kettle-msg/1";
    uint8_t info[sizeof tag - 1 + 8 + 32 + 1];
    wr_t w = wr_of(info, sizeof info);
    wr_bytes(&w, tag, sizeof tag - 1);
    wr_be(&w, name->version, 8);
    wr_hash32(&w, &name->order);
    wr_u8(&w, name->index);
    hkdf_extract(v->prk, view_of(NULL, 0), view_of(v->secrets[i] + ECDSA_SECRET_LEN, 32));
    const rc_t rc = hkdf_expand(v->message_keys[i], AEAD_KEY_LEN, v->prk, wr_view(&w));
    secret_wipe(v->prk, sizeof v->prk);
    return rc;
}

/* Puts secrets into a free slot. expected: the public key that they must have; NULL: any. */
static rc_t put(keyring_t *k, size_t *at, const key_name_t *name, const uint8_t secrets[KEY_SECRETS_LEN],
                const uint8_t *expected)
{
    uint8_t full[64];
    slot_t s = { .held = true, .given_away = true, .name = *name };
    size_t i = 0;
    if (find(k, name) != NONE || (k->in_use != NONE && key_name_cmp(name, &k->slots[k->in_use].name) <= 0))
        return RC_REPLAY;
    while (i < KEYRING_GENERATIONS_MAX && k->slots[i].held)
        i++;
    if (i == KEYRING_GENERATIONS_MAX)
        return RC_LIMIT;
    rc_t rc = ecdsa_pubkey(k->ecdsa, s.pubkey, secrets);
    if (!rc)
        rc = ecdsa_uncompress(k->ecdsa, full, s.pubkey);
    if (rc)
        return rc;
    if (expected &&
        !secret_eq(expected, s.pubkey, sizeof s.pubkey)) /* so that valgrind sees one branch, on the answer */
        return RC_REFUSED;
    ecdsa_address(&s.address, full);
    memcpy(k->vault->secrets[i], secrets, KEY_SECRETS_LEN);
    rc = derive_message_key(k->vault, i, name);
    if (rc) {
        secret_wipe(k->vault->secrets[i], KEY_SECRETS_LEN);
        return rc;
    }
    k->slots[i] = s;
    *at = i;
    return RC_OK;
}

rc_t keyring_new(keyring_t **out, uint8_t take_secret[ECDSA_SECRET_LEN], const uint8_t blind[32])
{
    static const key_name_t own;
    keyring_t *k = NULL;
    size_t at = NONE;
    rc_t rc = keyring_empty(&k, blind);
    if (!rc) {
        memcpy(k->vault->opened, take_secret, ECDSA_SECRET_LEN);
        rc = put(k, &at, &own, k->vault->opened, NULL);
        secret_wipe(k->vault->opened, sizeof k->vault->opened);
    }
    secret_wipe(take_secret, ECDSA_SECRET_LEN);
    if (rc) {
        keyring_free(k);
        return rc;
    }
    k->slots[at].given_away = false;
    k->in_use = at;
    *out = k;
    return RC_OK;
}

uint64_t keyring_turn(const keyring_t *k)
{
    return atomic_load(&k->turn);
}

void keyring_pubkey(const keyring_t *k, uint8_t out[ECDSA_PUBKEY_LEN])
{
    memset(out, 0, ECDSA_PUBKEY_LEN);
    lock_to_read(k);
    if (k->in_use != NONE)
        memcpy(out, k->slots[k->in_use].pubkey, ECDSA_PUBKEY_LEN);
    unlock(k);
}

void keyring_address(const keyring_t *k, addr_t *out)
{
    lock_to_read(k);
    *out = k->in_use == NONE ? (addr_t){ { 0 } } : k->slots[k->in_use].address;
    unlock(k);
}

/* With the lock held. */
static rc_t sign_with(const keyring_t *k, uint8_t out[ECDSA_SIG_LEN], int *recid, const hash32_t *digest, size_t i)
{
    return i == NONE ? RC_REFUSED : ecdsa_sign(k->ecdsa, out, recid, digest, k->vault->secrets[i]);
}

rc_t keyring_sign(const keyring_t *k, uint8_t out[ECDSA_SIG_LEN], int *recid, const hash32_t *digest)
{
    lock_to_read(k);
    rc_t rc = sign_with(k, out, recid, digest, k->in_use);
    unlock(k);
    return rc;
}

rc_t keyring_sign65(const keyring_t *k, uint8_t out[ECDSA_SIG65_LEN], addr_t *by, const hash32_t *digest)
{
    lock_to_read(k);
    rc_t rc = k->in_use == NONE ? RC_REFUSED : ecdsa_sign65(k->ecdsa, out, digest, k->vault->secrets[k->in_use]);
    if (!rc && by)
        *by = k->slots[k->in_use].address;
    unlock(k);
    return rc;
}

rc_t keyring_sign_as(const keyring_t *k, uint8_t out[ECDSA_SIG_LEN], const key_name_t *name, const hash32_t *digest)
{
    lock_to_read(k);
    rc_t rc = sign_with(k, out, NULL, digest, find(k, name));
    unlock(k);
    return rc;
}

rc_t keyring_add(keyring_t *k, const key_name_t *name, uint8_t take_secrets[KEY_SECRETS_LEN])
{
    size_t at;
    lock_to_write(k);
    rc_t rc = put(k, &at, name, take_secrets, NULL);
    unlock(k);
    secret_wipe(take_secrets, KEY_SECRETS_LEN);
    return rc;
}

/* With the lock held. */
static rc_t use(keyring_t *k, const key_name_t *name)
{
    size_t at = find(k, name);
    if (at == NONE)
        return RC_REFUSED;
    if (k->in_use != NONE && key_name_cmp(name, &k->slots[k->in_use].name) < 0)
        return RC_REPLAY;
    for (size_t i = 0; i < KEYRING_GENERATIONS_MAX; i++)
        if (k->slots[i].held && key_name_cmp(&k->slots[i].name, name) < 0)
            wipe_slot(k, i);
    if (k->in_use != at)
        atomic_fetch_add(&k->turn, 1);
    k->in_use = at;
    return RC_OK;
}

rc_t keyring_use(keyring_t *k, const key_name_t *name)
{
    lock_to_write(k);
    rc_t rc = use(k, name);
    unlock(k);
    return rc;
}

void keyring_drop(keyring_t *k, const key_name_t *name)
{
    lock_to_write(k);
    size_t i = find(k, name);
    if (i != NONE)
        wipe_slot(k, i);
    unlock(k);
}

rc_t keyring_pubkey_of(const keyring_t *k, uint8_t out[ECDSA_PUBKEY_LEN], const key_name_t *name)
{
    lock_to_read(k);
    size_t i = find(k, name);
    if (i != NONE)
        memcpy(out, k->slots[i].pubkey, ECDSA_PUBKEY_LEN);
    unlock(k);
    return i == NONE ? RC_REFUSED : RC_OK;
}

/* ---- messages ---- */

rc_t keyring_seal_message(const keyring_t *k, uint8_t *out, view_t plain, view_t ad,
                          const uint8_t message_nonce[XAEAD_NONCE_LEN])
{
    lock_to_read(k);
    const size_t i = k->in_use;
    const rc_t rc = i != NONE && k->slots[i].given_away ? RC_OK : RC_REFUSED;
    if (!rc) {
        memcpy(out, message_nonce, XAEAD_NONCE_LEN);
        xaead_seal(out + XAEAD_NONCE_LEN, plain, ad, message_nonce, k->vault->message_keys[i]);
    }
    unlock(k);
    return rc;
}

rc_t keyring_open_message(const keyring_t *k, uint8_t *out, view_t sealed, view_t ad)
{
    rc_t rc = RC_REFUSED;
    if (sealed.n < KEY_MESSAGE_EXTRA)
        return RC_MALFORMED;
    const view_t box = view_of(sealed.p + XAEAD_NONCE_LEN, sealed.n - XAEAD_NONCE_LEN);
    memset(out, 0, sealed.n - KEY_MESSAGE_EXTRA);
    lock_to_read(k);
    for (size_t n = 0; n < KEYRING_GENERATIONS_MAX && rc == RC_REFUSED; n++) {
        const size_t first = k->in_use == NONE ? 0 : k->in_use, i = (first + n) % KEYRING_GENERATIONS_MAX;
        if (k->slots[i].held && k->slots[i].given_away)
            rc = xaead_open(out, box, ad, sealed.p, k->vault->message_keys[i]);
    }
    unlock(k);
    return rc;
}

rc_t keyring_derive(const keyring_t *k, uint8_t out[KEY_DERIVED_LEN], view_t label)
{
    static const char tag[] = "kettle-app/1";
    uint8_t info[sizeof tag - 1 + KEY_LABEL_MAX];
    wr_t w = wr_of(info, sizeof info);
    wr_bytes(&w, tag, sizeof tag - 1);
    wr_bytes(&w, label.p, label.n);
    if (w.bad || !label.n)
        return RC_LIMIT;
    lock_to_write(k); /* the room to derive in is one */
    vault_t *v = k->vault;
    rc_t rc = k->in_use != NONE && k->slots[k->in_use].given_away ? RC_OK : RC_REFUSED;
    if (!rc) {
        hkdf_extract(v->prk, view_of(NULL, 0), view_of(v->secrets[k->in_use] + ECDSA_SECRET_LEN, 32));
        rc = hkdf_expand(out, KEY_DERIVED_LEN, v->prk, wr_view(&w));
        secret_wipe(v->prk, sizeof v->prk);
    }
    unlock(k);
    return rc;
}

rc_t key_ephemeral_new(key_ephemeral_t **out, uint8_t take_random[X25519_LEN])
{
    key_ephemeral_t *e = secret_alloc(sizeof *e);
    if (e) {
        e->has_sealed = false;
        memcpy(e->secret, take_random, X25519_LEN);
        x25519_pubkey(e->pubkey, e->secret);
        *out = e;
    }
    secret_wipe(take_random, X25519_LEN);
    return e ? RC_OK : RC_NOMEM;
}

void key_ephemeral_free(key_ephemeral_t *e)
{
    secret_free(e);
}

const uint8_t *key_ephemeral_pubkey(const key_ephemeral_t *e)
{
    return e->pubkey;
}

void key_grant_make(key_grant_t *out, const key_name_t *name, const uint8_t channel[32])
{
    *out = (key_grant_t){ .name = *name, .open = true };
    memcpy(out->channel, channel, sizeof out->channel);
}

/* The sealing key, into the vault, which the caller wipes. With the lock held. */
static rc_t derive(keyring_t *k, const key_box_t *box)
{
    vault_t *v = k->vault;
    rc_t rc = x25519_shared(v->shared, box->own->secret, box->peer);
    if (rc)
        return rc;
    hkdf_extract(v->prk, view_of(box->salt, 32), view_of(v->shared, sizeof v->shared));
    return hkdf_expand(v->key, sizeof v->key, v->prk, box->info);
}

static void wipe_derived(vault_t *v)
{
    secret_wipe(v->shared, sizeof v->shared);
    secret_wipe(v->prk, sizeof v->prk);
    secret_wipe(v->key, sizeof v->key);
    secret_wipe(v->opened, sizeof v->opened);
}

static const uint8_t nonce[XAEAD_NONCE_LEN]; /* zeros: each key seals once */

rc_t keyring_seal(keyring_t *k, uint8_t out[KEY_SEALED_LEN], key_grant_t *grant, const key_box_t *box)
{
    lock_to_write(k);
    size_t i = find(k, &grant->name);
    rc_t rc = RC_REFUSED;
    if (grant->open && !box->own->has_sealed && i != NONE && k->slots[i].given_away &&
        secret_eq(grant->channel, box->salt, 32))
        rc = derive(k, box);
    if (!rc) {
        xaead_seal(out, view_of(k->vault->secrets[i], KEY_SECRETS_LEN), box->ad, nonce, k->vault->key);
        grant->open = false;
        box->own->has_sealed = true;
    }
    wipe_derived(k->vault);
    unlock(k);
    return rc;
}

rc_t keyring_take(keyring_t *k, const key_name_t *name, const uint8_t expected[ECDSA_PUBKEY_LEN],
                  const uint8_t sealed[KEY_SEALED_LEN], const key_box_t *box)
{
    size_t at;
    lock_to_write(k);
    rc_t rc = derive(k, box);
    if (!rc)
        rc = xaead_open(k->vault->opened, view_of(sealed, KEY_SEALED_LEN), box->ad, nonce, k->vault->key);
    if (!rc)
        rc = put(k, &at, name, k->vault->opened, expected);
    wipe_derived(k->vault);
    unlock(k);
    return rc;
}

/* ---- when all who hold it die ---- */

static void wipe_split(vault_t *v)
{
    secret_wipe(v->prk, sizeof v->prk);
    secret_wipe(v->opened, sizeof v->opened);
    secret_wipe(v->coefficients, sizeof v->coefficients);
    secret_wipe(v->share, sizeof v->share);
    secret_wipe(v->shares, sizeof v->shares);
}

/* The coefficients of both polynomials, from what is split and among whom. With the lock held. */
static rc_t derive_coefficients(vault_t *v, size_t i, const key_name_t *name, const key_holders_t *h)
{
    static const char tag[] = "kettle-shares/1";
    uint8_t info[sizeof tag - 1 + 8 + 32 + 1 + 2 + SHARES_MAX * X25519_LEN];
    wr_t w = wr_of(info, sizeof info);
    wr_bytes(&w, tag, sizeof tag - 1);
    wr_be(&w, name->version, 8);
    wr_hash32(&w, &name->order);
    wr_u8(&w, name->index);
    wr_u8(&w, (uint8_t)h->threshold);
    wr_u8(&w, (uint8_t)h->count);
    wr_bytes(&w, h->keys, h->count * X25519_LEN);
    hkdf_extract(v->prk, view_of(NULL, 0), view_of(v->secrets[i], KEY_SECRETS_LEN));
    return hkdf_expand(v->coefficients, (size_t)(h->threshold - 1) * KEY_SECRETS_LEN, v->prk, wr_view(&w));
}

/* Both secrets into v->shares. With the lock held. */
static rc_t split(vault_t *v, size_t i, const key_name_t *name, const key_holders_t *h)
{
    rc_t rc = h->threshold >= 2 && h->threshold <= h->count && h->count <= SHARES_MAX ? RC_OK : RC_LIMIT;
    if (!rc)
        rc = derive_coefficients(v, i, name, h);
    if (!rc)
        rc = shares_split(v->shares[0], v->secrets[i], v->coefficients, h->threshold, h->count);
    if (!rc)
        rc = shares_split(v->shares[1], v->secrets[i] + SHARES_SECRET_LEN,
                          v->coefficients + (size_t)(h->threshold - 1) * SHARES_SECRET_LEN, h->threshold, h->count);
    return rc;
}

/* One holder's share of both, sealed to him. */
static rc_t seal_share(vault_t *v, key_share_box_t *out, unsigned n, const uint8_t to[X25519_LEN],
                       const uint8_t ephemeral[X25519_LEN])
{
    v->share[0] = v->shares[0][n].x;
    memcpy(v->share + 1, v->shares[0][n].y, SHARES_SECRET_LEN);
    memcpy(v->share + 1 + SHARES_SECRET_LEN, v->shares[1][n].y, SHARES_SECRET_LEN);
    sha256(&out->hash, view_of(v->share, sizeof v->share));
    return box_seal(out->sealed, view_of(v->share, sizeof v->share), to, ephemeral);
}

rc_t keyring_split(keyring_t *k, key_share_box_t *out, const key_name_t *name, const key_holders_t *holders,
                   const uint8_t *ephemeral)
{
    key_share_box_t made[SHARES_MAX];
    lock_to_write(k); /* the room to split in is one */
    const size_t i = find(k, name);
    rc_t rc = i != NONE && k->slots[i].given_away ? split(k->vault, i, name, holders) : RC_REFUSED;
    for (unsigned n = 0; !rc && n < holders->count; n++)
        rc = seal_share(k->vault, &made[n], n, holders->keys[n], ephemeral + (size_t)n * X25519_LEN);
    wipe_split(k->vault);
    unlock(k);
    if (!rc)
        memcpy(out, made, holders->count * sizeof made[0]);
    return rc;
}

/* Both secrets into v->opened. With the lock held. */
static rc_t join(vault_t *v, const uint8_t (*shares)[KEY_SHARE_LEN], unsigned count)
{
    if (count > SHARES_MAX)
        return RC_LIMIT;
    for (unsigned n = 0; n < count; n++) {
        v->shares[0][n].x = v->shares[1][n].x = shares[n][0];
        memcpy(v->shares[0][n].y, shares[n] + 1, SHARES_SECRET_LEN);
        memcpy(v->shares[1][n].y, shares[n] + 1 + SHARES_SECRET_LEN, SHARES_SECRET_LEN);
    }
    const rc_t rc = shares_join(v->opened, v->shares[0], count);
    return rc ? rc : shares_join(v->opened + SHARES_SECRET_LEN, v->shares[1], count);
}

rc_t keyring_join(keyring_t *k, const key_name_t *name, const uint8_t expected[ECDSA_PUBKEY_LEN],
                  const uint8_t (*shares)[KEY_SHARE_LEN], unsigned count)
{
    size_t at;
    lock_to_write(k);
    rc_t rc = join(k->vault, shares, count);
    if (!rc)
        rc = put(k, &at, name, k->vault->opened, expected);
    wipe_split(k->vault);
    unlock(k);
    return rc;
}

rc_t keyring_keep(keyring_t *k, uint8_t out[KEY_KEPT_LEN], const key_name_t *name, const uint8_t key[AEAD_KEY_LEN],
                  view_t ad, const uint8_t kept_nonce[XAEAD_NONCE_LEN])
{
    lock_to_read(k);
    const size_t i = find(k, name);
    const rc_t rc = i != NONE && k->slots[i].given_away ? RC_OK : RC_REFUSED;
    if (!rc) {
        memcpy(out, kept_nonce, XAEAD_NONCE_LEN);
        xaead_seal(out + XAEAD_NONCE_LEN, view_of(k->vault->secrets[i], KEY_SECRETS_LEN), ad, kept_nonce, key);
    }
    unlock(k);
    return rc;
}

rc_t keyring_recall(keyring_t *k, const key_name_t *name, const uint8_t expected[ECDSA_PUBKEY_LEN],
                    const uint8_t kept[KEY_KEPT_LEN], const uint8_t key[AEAD_KEY_LEN], view_t ad)
{
    size_t at;
    lock_to_write(k);
    rc_t rc =
        xaead_open(k->vault->opened, view_of(kept + XAEAD_NONCE_LEN, KEY_KEPT_LEN - XAEAD_NONCE_LEN), ad, kept, key);
    if (!rc)
        rc = put(k, &at, name, k->vault->opened, expected);
    secret_wipe(k->vault->opened, sizeof k->vault->opened);
    unlock(k);
    return rc;
}
