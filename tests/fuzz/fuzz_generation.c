/* A node's part in key generations, driven by four bytes a step: orders, heads, drafts, acknowledgements, COMMITs of any
 * making, some with a byte changed. It never goes back to an older key, never signs with a key that is not committed,
 * and what it shows as its newest generation is one that a stranger accepts. */
#include <stdlib.h>

#include "base/crypto/secret.h"
#include "overlay/generation.h"
#include "tests/fuzz/fuzz.h"

enum { SELF = 2, SIGNER = 10, FIRST_KEY = 1, DRAFT_KEY = 20 };

static ecdsa_t *ecdsa;
static order_rules_t rules;
static order_signed_t orders[4];
static const uint8_t salt[32] = { 9 };

static void secret_of(uint8_t out[32], uint8_t k)
{
    memset(out, 0, 32);
    out[31] = k;
}

static void point(uint8_t out[33], uint8_t k)
{
    uint8_t secret[32];
    secret_of(secret, k);
    if (ecdsa_pubkey(ecdsa, out, secret))
        abort();
}

static void sign_by(uint8_t out[64], uint8_t k, const hash32_t *digest)
{
    uint8_t secret[32];
    secret_of(secret, k);
    if (ecdsa_sign(ecdsa, out, NULL, digest, secret))
        abort();
}

static rc_t sign_own(void *ctx, uint8_t out[64], const hash32_t *digest)
{
    (void)ctx;
    sign_by(out, SELF, digest);
    return RC_OK;
}

/* Four orders: makers are 2G to 4G, turned round; the third makes nothing. */
static void open(void)
{
    ecdsa = ecdsa_new(NULL);
    if (!ecdsa || secret_init())
        abort();
    rules = (order_rules_t){ .threshold = 1, .signer_count = 1, .ecdsa = ecdsa };
    point(rules.signers[0], SIGNER);
    for (uint8_t k = 0; k < 4; k++) {
        order_signed_t *o = &orders[k];
        *o = (order_signed_t){ .order = { .version = 1 + k, .maker_count = k == 2 ? 0 : 3 }, .signature_count = 1 };
        point(o->order.cluster, FIRST_KEY);
        for (uint8_t i = 0; i < o->order.maker_count; i++)
            point(o->order.makers[i], (uint8_t)(2 + (i + k) % 3));
        o->id.version = o->order.version;
        order_digest(&o->id.digest, &o->order);
        point(o->signatures[0].key, SIGNER);
        sign_by(o->signatures[0].signature, SIGNER, &o->id.digest);
    }
}

static int by_key(const void *a, const void *b)
{
    return memcmp(a, b, 33);
}

/* A draft of an order and a turn; key: of the new generation. */
static void entry_of(entry_signed_t *s, const order_signed_t *o, uint8_t index, uint8_t key, uint8_t members)
{
    entry_t *x = &s->entry;
    *x = (entry_t){ .name = { o->id.version, o->id.digest, index }, .from_slot = 50 + key, .member_count = 4 };
    for (uint8_t i = 0; i < 4; i++)
        point(x->members[i], (uint8_t)(2 + i + (members & 1)));
    qsort(x->members, 4, 33, by_key);
    point(x->pubkey, key);
    entry_digest(&s->g, x);
    sign_by(s->by_maker, (uint8_t)(2 + (index + o->id.version - 1) % 3), &s->g);
    sign_by(s->by_key, key, &s->g);
}

static void ack_of(entry_ack_t *ack, const hash32_t *g, uint8_t k)
{
    hash32_t digest;
    ack->g = *g;
    point(ack->key, k);
    entry_ack_digest(&digest, g);
    sign_by(ack->signature, k, &digest);
}

/* A draft as its maker gives it, sealed. */
static rc_t give_draft(gen_t *g, const entry_signed_t *s, uint8_t key, uint8_t from, view_t bytes)
{
    uint8_t a[X25519_LEN] = { 3 }, b[X25519_LEN] = { 4 }, blind[32] = { 5 }, sealed[KEY_SEALED_LEN] = { 0 }, sender[33];
    uint8_t secrets[KEY_SECRETS_LEN] = { 0 };
    key_ephemeral_t *ours = NULL, *theirs = NULL;
    keyring_t *ring = NULL;
    key_grant_t grant;
    secrets[31] = key;
    if (key_ephemeral_new(&ours, a) || key_ephemeral_new(&theirs, b) || keyring_empty(&ring, blind) ||
        keyring_add(ring, &s->entry.name, secrets))
        abort();
    const key_box_t out = { .own = theirs, .peer = key_ephemeral_pubkey(ours), .salt = salt };
    const key_box_t in = { .own = ours, .peer = key_ephemeral_pubkey(theirs), .salt = salt };
    key_grant_make(&grant, &s->entry.name, salt);
    if (keyring_seal(ring, sealed, &grant, &out))
        abort();
    point(sender, from);
    rc_t rc = gen_draft(g, NULL, sender, bytes, sealed, &in);
    key_ephemeral_free(ours);
    key_ephemeral_free(theirs);
    keyring_free(ring);
    return rc;
}

/* A proof with acknowledgements of the members that the bits name, perhaps with a byte changed. */
static rc_t give_commit(gen_t *g, const entry_signed_t *s, const order_signed_t *o, uint8_t bits)
{
    static uint8_t bytes[ENTRY_PROOF_MAX];
    static entry_proof_t p;
    uint8_t members[4];
    p = (entry_proof_t){ .has_order = true, .order = *o, .entry = *s };
    for (uint8_t i = 0; i < 4; i++) { /* in the order of their keys */
        members[i] = 0;
        for (uint8_t k = 2; k < 7; k++) {
            uint8_t key[33];
            point(key, k);
            if (memcmp(key, s->entry.members[i], 33) == 0)
                members[i] = k;
        }
        if (bits >> i & 1)
            ack_of(&p.acks[p.ack_count++], &s->g, members[i]);
    }
    wr_t w = wr_of(bytes, sizeof bytes);
    entry_proof_write(&w, &p);
    if (bits & 0x80)
        bytes[(bits * 7u) % w.n] ^= 1;
    return gen_commit(g, NULL, wr_view(&w));
}

static rc_t step(gen_t *g, const uint8_t *x, uint64_t *now, uint64_t *slot, unsigned *order)
{
    static uint8_t bytes[ENTRY_MAX];
    uint8_t secrets[KEY_SECRETS_LEN] = { 0 }, peers[3][33], ack_bytes[ENTRY_ACK_LEN];
    const order_signed_t *o = &orders[x[1] % 4];
    const uint8_t key = (uint8_t)(DRAFT_KEY + x[3] % 4), index = x[2] % 3;
    entry_signed_t s;
    entry_ack_t ack;
    entry_of(&s, o, index, key, x[2] >> 7);
    for (uint8_t i = 0; i < 3; i++)
        point(peers[i], (uint8_t)(3 + i));
    wr_t w = wr_of(bytes, sizeof bytes), a = wr_of(ack_bytes, sizeof ack_bytes);
    switch (x[0] % 8) {
    case 0:
        if (x[1] % 4 > *order) /* only higher ones are taken */
            gen_order(g, &orders[ *order = x[1] % 4], *now);
        return RC_OK;
    case 1: gen_head(g, *slot += x[1]); return RC_OK;
    case 2: gen_peers(g, (const uint8_t(*)[33])peers, x[1] % 4); return RC_OK;
    case 3: gen_connected(g, peers[x[1] % 3]); return RC_OK;
    case 4: secrets[31] = (uint8_t)(40 + x[1] % 100); return gen_make(g, secrets, *now += (uint64_t)x[2] * 1000);
    case 5:
        entry_write(&w, &s);
        if (x[3] & 0x80)
            bytes[(x[1] * 3u) % w.n] ^= 1;
        return give_draft(g, &s, key, (uint8_t)(2 + (index + o->id.version - 1 + (x[3] & 0x40 ? 1 : 0)) % 3),
                          wr_view(&w));
    case 6:
        ack_of(&ack, &s.g, (uint8_t)(2 + x[1] / 4 % 6));
        entry_ack_write(&a, &ack);
        return gen_ack(g, NULL, wr_view(&a));
    default: return give_commit(g, &s, o, x[3]);
    }
}

static void check(gen_t *g, bool *has, key_name_t *last, uint64_t slot)
{
    const key_name_t *use = gen_in_use(g);
    const entry_proof_t *top = gen_newest(g);
    gen_out_t out;
    if (use && *has && key_name_cmp(use, last) < 0)
        abort();
    if (use && (!top || key_name_cmp(use, &top->entry.entry.name) > 0))
        abort();
    if (top && entry_proof_judge(NULL, top, &rules))
        abort();
    if (gen_signer(g, slot) == GEN_SIGNS && !use)
        abort();
    *has = *has || use;
    if (use)
        *last = *use;
    while (gen_poll(g, &out))
        if (!out.bytes.n)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    uint8_t blind[32] = { 7 }, secrets[KEY_SECRETS_LEN] = { 0 };
    hash32_t setup = { { 1 } };
    uint64_t now = 1000, slot = 10;
    unsigned order = 0;
    keyring_t *keys = NULL;
    gen_t *g = NULL;
    key_name_t last;
    bool has = false;
    if (!ecdsa)
        open();
    gen_config_t c = { .sign = sign_own, .rules = rules };
    point(c.self, SELF);
    if (keyring_empty(&keys, blind))
        return 0;
    c.keys = keys;
    secrets[31] = FIRST_KEY;
    if (gen_new(&g, &c) || (len && data[0] % 2 && gen_found(g, secrets, &setup)))
        abort();
    gen_order(g, &orders[0], now);
    gen_head(g, slot);
    for (size_t i = 1; i + 4 <= len && i < 120; i += 4) {
        if (step(g, data + i, &now, &slot, &order) == RC_BUG)
            abort();
        check(g, &has, &last, slot);
    }
    gen_free(g);
    keyring_free(keys);
    return 0;
}
