/* recovery_world.h - a cluster whose newest generation is kept for after its end: as shares of three operators, two of
 * whom are needed, or sealed by a TEE provider's key. On top of generation_world.h: node 0 founded and made it. */
#ifndef TESTS_UNIT_RECOVERY_WORLD_H
#define TESTS_UNIT_RECOVERY_WORLD_H

#include <stdlib.h>

#include "base/crypto/hash.h"
#include "overlay/gather.h"
#include "tests/unit/generation_world.h"

#define OPERATORS 3u

static const char STATEMENT[] = "{\"kettle\":\"cluster-statement/1\"}";
static const uint8_t seal_key[32] = { 0x5e };
static uint8_t operator_secrets[OPERATORS][32], operator_keys[OPERATORS][32];
static const key_holders_t operators = { (const uint8_t (*)[32])operator_keys, 2, OPERATORS };
static uint8_t order_bytes[ORDER_MAX];
static uint8_t spoils_order; /* bits that keep changes in the signature of the generation's order */

static inline int by_operator(const void *a, const void *b)
{
    uint8_t x[32], y[32];
    x25519_pubkey(x, a);
    x25519_pubkey(y, b);
    return memcmp(x, y, 32);
}

static inline void open_operators(void)
{
    open();
    sha256(&setup_hash, view_str(STATEMENT));
    for (unsigned i = 0; i < OPERATORS; i++)
        memset(operator_secrets[i], (int)(0x21 + i), 32);
    qsort(operator_secrets, OPERATORS, 32, by_operator);
    for (unsigned i = 0; i < OPERATORS; i++)
        x25519_pubkey(operator_keys[i], operator_secrets[i]);
}

/* What a node writes of its newest generation; freed by the caller. order: the one in force, NULL: none was signed. */
static inline view_t keep(boot_t *n, recovery_mode_t mode, const order_signed_t *order)
{
    recovery_t *r = calloc(1, sizeof *r);
    uint8_t *out = malloc(RECOVERY_MAX), ephemeral[OPERATORS * 32];
    wr_t w = wr_of(out, RECOVERY_MAX), o = wr_of(order_bytes, sizeof order_bytes);
    hash32_t digest;
    *r = (recovery_t){ .mode = mode, .slot = 90, .statement = view_str(STATEMENT), .proof = *gen_newest(n->g) };
    r->has_first = r->proof.has_order && gen_first(n->g);
    if (r->has_first)
        r->first = gen_first(n->g)->entry;
    r->proof.order.signatures[0].signature[3] ^= spoils_order;
    if (order)
        order_write(&o, order, true);
    r->order = wr_view(&o);
    const key_name_t *name = &r->proof.entry.entry.name;
    if (mode == RECOVERY_SHARES) {
        memset(ephemeral, (int)(0x60 + n->secret), sizeof ephemeral);
        r->threshold = operators.threshold;
        r->count = operators.count;
        memcpy(r->keys, operator_keys, sizeof operator_keys);
        ck_assert_int_eq(keyring_split(n->keys, r->boxes, name, &operators, ephemeral), RC_OK);
    }
    recovery_write(&w, r);
    if (mode == RECOVERY_SHARES) {
        sha256(&digest, wr_view(&w));
        ck_assert_int_eq(keyring_sign_as(n->keys, r->signature, name, &digest), RC_OK);
    } else
        ck_assert_int_eq(keyring_keep(n->keys, r->kept, name, seal_key, wr_view(&w), (const uint8_t[24]){ 1 }), RC_OK);
    recovery_write_end(&w, r);
    ck_assert(!w.bad);
    free(r);
    return wr_view(&w);
}

/* An operator opens his box, and sends what is in it to a gatherer. */
static inline rc_t send_share(gather_t *g, err_t *e, view_t bytes, unsigned who, unsigned by)
{
    const order_rules_t rules = rules_of(false);
    static recovery_t r;
    uint8_t plain[KEY_SHARE_LEN], sealed[KEY_SHARE_LEN + BOX_TAG_LEN];
    view_t covered;
    gather_share_t s = { .recovery = bytes, .holder = who, .nonce = { 7 }, .sealed = view_of(sealed, sizeof sealed) };
    ck_assert_int_eq(recovery_read(&r, &covered, e, bytes), RC_OK);
    ck_assert_int_eq(box_open(plain, view_of(r.boxes[who].sealed, sizeof r.boxes[who].sealed), operator_secrets[who]),
                     RC_OK);
    ck_assert_int_eq(
        box_seal_from(sealed, view_of(plain, sizeof plain), gather_pubkey(g), operator_secrets[by], s.nonce), RC_OK);
    return gather_take(g, e, &s, &rules);
}

static inline gather_t *gatherer(void)
{
    uint8_t random[32] = { 0x44 };
    gather_t *g = NULL;
    ck_assert_int_eq(gather_new(&g, &operators, random), RC_OK);
    ck_assert_uint_eq(random[0], 0);
    return g;
}

static inline rc_t join_shares(void *ctx, keyring_t *keys, const key_name_t *name, const uint8_t expected[33])
{
    (void)name, (void)expected; /* those of the recovery that was gathered */
    return gather_join(ctx, keys);
}

/* Puts a gathered generation into a machine. */
static inline rc_t restore(boot_t *n, err_t *e, gather_t *g)
{
    static uint8_t proof[ENTRY_PROOF_MAX], first[ENTRY_MAX];
    const recovery_t *r = gather_recovery(g, NULL);
    wr_t p = wr_of(proof, sizeof proof), f = wr_of(first, sizeof first);
    ck_assert_ptr_nonnull(r);
    entry_proof_write(&p, &r->proof);
    if (r->has_first)
        entry_write(&f, &r->first);
    return gen_restore(n->g, e, wr_view(&p), wr_view(&f), join_shares, g);
}

#endif
