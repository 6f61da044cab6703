/* generation_world.h - boots with machines of overlay/generation.h, and what carries their drafts and messages: node i has
 * the static key (i + 2) G; the operators' key is 10 G; the first generation's is G. */
#ifndef TESTS_UNIT_GENERATION_WORLD_H
#define TESTS_UNIT_GENERATION_WORLD_H

#include "base/crypto/secret.h"
#include "overlay/generation.h"
#include "tests/unit/overlay_keys.h"

#define NODES 5u
#define SIGNER 10u

typedef struct {
    unsigned secret;
    gen_t *g;
    keyring_t *keys;
    bool linked[NODES];
    uint32_t drafts, acks, commits, evidence; /* that it sent */
    rc_t draft_rc;                            /* of the last draft that came */
} boot_t;

static boot_t nodes[NODES];
static hash32_t setup_hash;
static uint64_t slot_now = 1000;
static const uint8_t salt[32] = { 9 };

static inline rc_t sign_by(void *ctx, uint8_t out[64], const hash32_t *digest)
{
    key_sign(out, ((boot_t *)ctx)->secret, digest);
    return RC_OK;
}

static inline uint64_t slot_of_clock(void *ctx)
{
    (void)ctx;
    return slot_now;
}

static inline order_rules_t rules_of(bool pinned)
{
    order_rules_t r = { .threshold = 1, .signer_count = 1, .ecdsa = ecdsa };
    key_point(r.signers[0], SIGNER);
    if (pinned)
        key_point(r.cluster, 1);
    return r;
}

static inline void start(boot_t *n, unsigned secret, const order_rules_t *rules)
{
    static const uint8_t blind[32] = { 7 };
    *n = (boot_t){ .secret = secret };
    ck_assert_int_eq(keyring_empty(&n->keys, blind), RC_OK);
    gen_config_t c = { .sign = sign_by, .sign_ctx = n, .keys = n->keys, .slot_now = slot_of_clock, .rules = *rules };
    key_point(c.self, secret);
    ck_assert_int_eq(gen_new(&n->g, &c), RC_OK);
}

static inline void stop(boot_t *n)
{
    gen_free(n->g);
    keyring_free(n->keys);
    *n = (boot_t){ .g = NULL };
}

static inline void secrets_of(uint8_t out[KEY_SECRETS_LEN], uint8_t k)
{
    memset(out, 0, KEY_SECRETS_LEN);
    out[31] = k;
    out[63] = k;
}

static inline void found(boot_t *n)
{
    uint8_t secrets[KEY_SECRETS_LEN];
    secrets_of(secrets, 1);
    ck_assert_int_eq(gen_found(n->g, secrets, &setup_hash), RC_OK);
}

static inline void peers(boot_t *n)
{
    uint8_t keys[NODES][33];
    size_t count = 0;
    for (size_t i = 0; i < NODES; i++)
        if (n->linked[i] && nodes[i].g)
            key_point(keys[count++], nodes[i].secret);
    gen_peers(n->g, (const uint8_t(*)[33])keys, count);
}

static inline void link_nodes(size_t i, size_t j, bool on)
{
    nodes[i].linked[j] = nodes[j].linked[i] = on;
    peers(&nodes[i]);
    peers(&nodes[j]);
    uint8_t a[33], b[33];
    key_point(a, nodes[i].secret);
    key_point(b, nodes[j].secret);
    if (on) {
        gen_connected(nodes[i].g, b);
        gen_connected(nodes[j].g, a);
    }
}

static inline void link_all(size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            link_nodes(i, j, true);
}

/* Seals a generation from one node's ring; false: it does not hold it. */
typedef struct {
    uint8_t sealed[KEY_SEALED_LEN];
    key_ephemeral_t *sharer, *asker;
    key_box_t box; /* for the one who opens */
} sealed_t;

static inline bool seal(sealed_t *s, boot_t *from, const key_name_t *name)
{
    uint8_t a[X25519_LEN] = { 3 }, b[X25519_LEN] = { 4 };
    key_grant_t grant;
    ck_assert_int_eq(key_ephemeral_new(&s->sharer, a), RC_OK);
    ck_assert_int_eq(key_ephemeral_new(&s->asker, b), RC_OK);
    key_grant_make(&grant, name, salt);
    s->box = (key_box_t){ .own = s->asker, .peer = key_ephemeral_pubkey(s->sharer), .salt = salt };
    const key_box_t own = { .own = s->sharer, .peer = key_ephemeral_pubkey(s->asker), .salt = salt };
    return keyring_seal(from->keys, s->sealed, &grant, &own) == RC_OK;
}

static inline void seal_free(sealed_t *s)
{
    key_ephemeral_free(s->sharer);
    key_ephemeral_free(s->asker);
}

static inline boot_t *by_key(const uint8_t key[33])
{
    for (size_t i = 0; i < NODES; i++) {
        uint8_t k[33];
        if (!nodes[i].g)
            continue;
        key_point(k, nodes[i].secret);
        if (memcmp(k, key, 33) == 0)
            return &nodes[i];
    }
    return NULL;
}

static inline void carry_draft(boot_t *from, boot_t *to, const gen_out_t *out)
{
    sealed_t s;
    uint8_t key[33];
    key_point(key, from->secret);
    ck_assert(seal(&s, from, &out->name));
    to->draft_rc = gen_draft(to->g, NULL, key, out->bytes, s.sealed, &s.box);
    seal_free(&s);
}

static inline void carry(boot_t *from, boot_t *to, const gen_out_t *out)
{
    if (!to->g || !from->linked[to - nodes])
        return;
    switch (out->kind) {
    case GEN_ACK: ck_assert_int_eq(gen_ack(to->g, NULL, out->bytes), RC_OK); break;
    case GEN_COMMIT: ck_assert_int_eq(gen_commit(to->g, NULL, out->bytes), RC_OK); break;
    case GEN_EVIDENCE: ck_assert_int_eq(gen_commit(to->g, NULL, out->bytes), RC_OK); break;
    case GEN_DRAFT: carry_draft(from, to, out); break;
    }
}

/* Hands what nodes send to those that they are linked with, until all is quiet. */
static inline void settle(void)
{
    gen_out_t out;
    for (bool busy = true; busy;) {
        busy = false;
        for (size_t i = 0; i < NODES; i++)
            while (nodes[i].g && gen_poll(nodes[i].g, &out)) {
                busy = true;
                nodes[i].drafts += out.kind == GEN_DRAFT;
                nodes[i].acks += out.kind == GEN_ACK;
                nodes[i].commits += out.kind == GEN_COMMIT;
                nodes[i].evidence += out.kind == GEN_EVIDENCE;
                for (size_t j = 0; out.to_all && j < NODES; j++)
                    if (j != i)
                        carry(&nodes[i], &nodes[j], &out);
                if (!out.to_all && by_key(out.to))
                    carry(&nodes[i], by_key(out.to), &out);
            }
    }
}

static inline void sign_order(order_signed_t *o)
{
    o->id.version = o->order.version;
    order_digest(&o->id.digest, &o->order);
    o->signature_count = 1;
    key_point(o->signatures[0].key, SIGNER);
    key_sign(o->signatures[0].signature, SIGNER, &o->id.digest);
}

/* Makers by their static secrets; 0 ends. */
static inline void order_of(order_signed_t *o, uint64_t version, unsigned a, unsigned b, unsigned c)
{
    const unsigned makers[] = { a, b, c };
    *o = (order_signed_t){ .order = { .version = version } };
    key_point(o->order.cluster, 1);
    for (size_t i = 0; i < 3 && makers[i]; i++)
        key_point(o->order.makers[o->order.maker_count++], makers[i]);
    sign_order(o);
}

static inline void take(boot_t *n, const order_signed_t *o, uint64_t now_ms)
{
    gen_order(n->g, o, now_ms);
}

static inline void take_all(size_t n, const order_signed_t *o, uint64_t now_ms)
{
    for (size_t i = 0; i < n; i++)
        if (nodes[i].g)
            take(&nodes[i], o, now_ms);
}

static inline void heads(size_t n, uint64_t slot)
{
    for (size_t i = 0; i < n; i++)
        if (nodes[i].g)
            gen_head(nodes[i].g, slot);
}

static inline rc_t make(boot_t *n, uint8_t k, uint64_t now_ms)
{
    static const uint8_t zeros[KEY_SECRETS_LEN];
    uint8_t secrets[KEY_SECRETS_LEN];
    secrets_of(secrets, k);
    rc_t rc = gen_make(n->g, secrets, now_ms);
    ck_assert_mem_eq(secrets, zeros, sizeof zeros);
    return rc;
}

/* Gives the newest of one node to another, as an answer to its request; with the bootstrap entry, or without. */
static inline rc_t share_with(boot_t *from, boot_t *to, err_t *e, bool with_first)
{
    static uint8_t proof[ENTRY_PROOF_MAX], first[ENTRY_MAX];
    sealed_t s;
    wr_t p = wr_of(proof, sizeof proof), f = wr_of(first, sizeof first);
    entry_proof_write(&p, gen_newest(from->g));
    if (with_first)
        entry_write(&f, &gen_first(from->g)->entry);
    (void)seal(&s, from, &gen_newest(from->g)->entry.entry.name);
    rc_t rc = gen_share(to->g, e, wr_view(&p), wr_view(&f), s.sealed, &s.box);
    seal_free(&s);
    return rc;
}

static inline rc_t share(boot_t *from, boot_t *to, err_t *e)
{
    return share_with(from, to, e, true);
}

static inline bool signs_with(const boot_t *n, unsigned k)
{
    uint8_t want[33], got[33];
    key_point(want, k);
    keyring_pubkey(n->keys, got);
    return memcmp(want, got, 33) == 0;
}

/* Nodes 0 to n-1 hold the first generation, are linked, and run order 1, which names nobody; the head is 100. */
static inline void cluster(size_t n)
{
    order_signed_t o;
    const order_rules_t rules = rules_of(false);
    for (size_t i = 0; i < n; i++)
        start(&nodes[i], (unsigned)i + 2, &rules);
    found(&nodes[0]);
    order_of(&o, 1, 0, 0, 0);
    take_all(n, &o, 0);
    heads(n, 100);
    for (size_t i = 1; i < n; i++)
        ck_assert_int_eq(share(&nodes[0], &nodes[i], NULL), RC_OK);
    link_all(n);
    settle();
}

static inline void open(void)
{
    keys_open();
    ck_assert_int_eq(secret_init(), RC_OK);
    memset(&setup_hash, 0x77, 32);
}

static inline void close_all(void)
{
    for (size_t i = 0; i < NODES; i++)
        if (nodes[i].g)
            stop(&nodes[i]);
    keys_close();
}

#endif
