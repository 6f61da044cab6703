/* liars.c - what members do that do not keep to the rules. They run the machines too, and say more than those do. */
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "tests/overlay/world.h"

static bool lies(const world_t *w, int i, unsigned what)
{
    return w->nodes[i].liar && (w->s.lies & what);
}

static void send_vote(world_t *w, int i, int j, bracha_step_t step, const hash32_t *instance, const hash32_t *hash)
{
    hash32_t digest;
    message_t *m = message_new(M_VOTE);
    m->vote = (bracha_vote_t){ .step = step, .instance = *instance, .hash = *hash };
    bracha_ready_digest(&digest, instance, hash);
    if (world_sign(&w->nodes[i], m->vote.signature, &digest))
        abort();
    world_send(w, i, j, m);
}

/* Says to each what it likes about an instance, of the two messages that it has heard of. */
static void vote_at_will(world_t *w, int i, const hash32_t *instance)
{
    node_t *x = &w->nodes[i];
    for (int j = 0; j < w->count; j++) {
        if (j == i || !world_served(w, i, j))
            continue;
        for (int step = BRACHA_ECHO; step <= BRACHA_DELIVERED; step++)
            if (step != BRACHA_PULL && world_random(w, 3))
                send_vote(w, i, j, (bracha_step_t)step, instance, &x->heard[world_random(w, 2)]);
    }
}

void liar_sees(world_t *w, int i, const hash32_t *instance, const hash32_t *hash)
{
    node_t *x = &w->nodes[i];
    if (!lies(w, i, LIE_VOTES))
        return;
    if (!hash32_eq(&x->heard_of, instance)) {
        x->heard_of = *instance;
        x->heard[0] = *hash;
        memset(&x->heard[1], (int)world_random(w, 256), 32);
    } else if (!hash32_eq(hash, &x->heard[0]))
        x->heard[1] = *hash;
    if (w->now_ms - x->voted_ms < 100)
        return; /* liars answer each other, too */
    x->voted_ms = w->now_ms;
    vote_at_will(w, i, instance);
}

/* One number, two messages: one to some, the other to the rest; with votes that fit. */
static void send_two(world_t *w, int i)
{
    node_t *x = &w->nodes[i];
    bracha_send_t s[2];
    hash32_t id[2], hash[2], digest;
    for (int k = 0; k < 2; k++) {
        static const uint8_t payloads[2][2] = { "A", "B" };
        s[k] = (bracha_send_t){ .order = w->orders[x->order].order.id.digest,
                                .seq = 1000 + x->lie_seq % 4,
                                .kind = BRACHA_DURABLE | 1 };
        s[k].payload = view_of(payloads[k], 2);
        s[k].boot_count = (uint8_t)w->s.seats;
        for (int j = 0; j < w->s.seats; j++)
            memcpy(s[k].boots[j], w->nodes[j].key, 33);
        memcpy(s[k].sender, x->key, 33);
        bracha_instance(&id[k], &s[k]);
        bracha_hash(&hash[k], &id[k], &s[k]);
        bracha_send_digest(&digest, &hash[k], &s[k]);
        if (world_sign(x, s[k].signature, &digest))
            abort();
    }
    const uint64_t split = world_random(w, 1u << w->count);
    for (int j = 0; j < w->count; j++) {
        if (j == i || !world_served(w, i, j))
            continue;
        const int k = (int)(split >> j & 1);
        world_send_broadcast(w, i, j, &s[k]);
        send_vote(w, i, j, BRACHA_ECHO, &id[k], &hash[k]);
        if (world_random(w, 2))
            send_vote(w, i, j, BRACHA_READY, &id[k], &hash[k]);
    }
    x->lie_seq++;
    liar_sees(w, i, &id[0], &hash[0]);
    liar_sees(w, i, &id[1], &hash[1]);
}

static void random_bytes(world_t *w, uint8_t *out, size_t n)
{
    for (size_t k = 0; k < n; k++)
        out[k] = (uint8_t)world_random(w, 256);
}

static int by_key(const void *a, const void *b)
{
    return memcmp(a, b, 33);
}

/* An entry that lists everybody, by this member, whatever its name is; *secrets: of its key. */
static void make_entry(world_t *w, int i, entry_signed_t *s, const key_name_t *name, uint8_t secrets[KEY_SECRETS_LEN])
{
    entry_t *x = &s->entry;
    random_bytes(w, secrets, KEY_SECRETS_LEN);
    *x = (entry_t){ .name = *name, .from_slot = w->nodes[i].slot + 2 };
    for (int j = 0; j < w->count; j++)
        memcpy(x->members[x->member_count++], w->nodes[j].key, 33);
    if (entry_is_first(x)) { /* the form of a first generation */
        x->member_count = 1;
        memcpy(x->members[0], w->nodes[i].key, 33);
    }
    qsort(x->members, x->member_count, 33, by_key);
    if (ecdsa_pubkey(w->ecdsa, x->pubkey, secrets))
        abort();
    entry_digest(&s->g, x);
    if (world_sign(&w->nodes[i], s->by_maker, &s->g) || ecdsa_sign(w->ecdsa, s->by_key, NULL, &s->g, secrets))
        abort();
}

/* Gives a draft to one member, with the secrets of its key, as the makers do. */
static void give_draft(world_t *w, int i, int j, const entry_signed_t *s, const uint8_t secrets[KEY_SECRETS_LEN])
{
    uint8_t bytes[ENTRY_MAX], copy[KEY_SECRETS_LEN], blind[32] = { 2 };
    keyring_t *ring;
    wr_t out = wr_of(bytes, sizeof bytes);
    memcpy(copy, secrets, sizeof copy);
    entry_write(&out, s);
    if (keyring_empty(&ring, blind) || keyring_add(ring, &s->entry.name, copy))
        abort();
    world_send_draft(w, i, j, ring, &s->entry.name, wr_view(&out));
    keyring_free(ring);
}

/* A named maker that gives two drafts of its name. */
static void two_drafts(world_t *w, int i)
{
    node_t *x = &w->nodes[i];
    const order_signed_t *o = &w->orders[x->order].order;
    const int index = order_maker_index(&o->order, x->key);
    entry_signed_t s[2];
    uint8_t secrets[2][KEY_SECRETS_LEN];
    if (index < 0 || (x->order & 1) || !gen_wants_secrets(x->gen, w->now_ms) || x->lied_order == x->order + 1)
        return;
    x->lied_order = x->order + 1;
    const key_name_t name = { o->id.version, o->id.digest, (uint8_t)index };
    for (int k = 0; k < 2; k++)
        make_entry(w, i, &s[k], &name, secrets[k]);
    for (int round = 0; round < 2; round++)
        for (int j = 0; j < w->count; j++)
            if (j != i && world_served(w, i, j))
                give_draft(w, i, j, &s[(j + round) % 2], secrets[(j + round) % 2]);
}

/* A draft in the form of a first generation, under the highest name that there is; or of another's turn. */
static void forged_draft(world_t *w, int i)
{
    entry_signed_t s;
    uint8_t secrets[KEY_SECRETS_LEN];
    const order_id_t *o = &w->orders[w->nodes[i].order].order.id;
    key_name_t name = { .version = ORDER_VERSION_END - 1 };
    if (world_random(w, 2))
        name = (key_name_t){ o->version, o->digest, (uint8_t)world_random(w, 3) };
    make_entry(w, i, &s, &name, secrets);
    for (int j = 0; j < w->count; j++)
        if (j != i && world_served(w, i, j))
            give_draft(w, i, j, &s, secrets);
}

static void tell_keys(world_t *w, int i, gen_kind_t kind, view_t bytes)
{
    for (int j = 0; j < w->count; j++)
        if (j != i && world_served(w, i, j))
            world_send_keys(w, i, j, kind, bytes);
}

/* A COMMIT of its own, under the order in force, which does not name it; and with its own acknowledgement alone. */
static void forged_commit(world_t *w, int i)
{
    static uint8_t bytes[ENTRY_PROOF_MAX];
    static entry_proof_t p;
    uint8_t secrets[KEY_SECRETS_LEN];
    hash32_t digest;
    const order_signed_t *o = &w->orders[w->nodes[i].order].order;
    const key_name_t name = { o->id.version, o->id.digest, (uint8_t)world_random(w, 3) };
    p = (entry_proof_t){ .has_order = true, .order = *o, .ack_count = 1 };
    p.order.text = view_of(NULL, 0);
    make_entry(w, i, &p.entry, &name, secrets);
    p.acks[0].g = p.entry.g;
    memcpy(p.acks[0].key, w->nodes[i].key, 33);
    entry_ack_digest(&digest, &p.entry.g);
    if (world_sign(&w->nodes[i], p.acks[0].signature, &digest))
        abort();
    wr_t out = wr_of(bytes, sizeof bytes);
    entry_proof_write(&out, &p);
    tell_keys(w, i, GEN_COMMIT, wr_view(&out));
}

/* Acknowledges what it has heard of, under names that nobody listed. */
static void forged_acks(world_t *w, int i)
{
    const node_t *x = &w->nodes[i];
    for (int k = 0; k < 4 && x->has_g; k++) {
        uint8_t bytes[ENTRY_ACK_LEN], secret[32];
        hash32_t digest;
        entry_ack_t ack = { .g = x->g };
        random_bytes(w, secret, sizeof secret);
        entry_ack_digest(&digest, &ack.g);
        if (ecdsa_pubkey(w->ecdsa, ack.key, secret) || ecdsa_sign(w->ecdsa, ack.signature, NULL, &digest, secret))
            abort();
        wr_t out = wr_of(bytes, sizeof bytes);
        entry_ack_write(&out, &ack);
        tell_keys(w, i, GEN_ACK, wr_view(&out));
    }
}

/* A named maker waits until a later one's draft is acknowledged, then gives its own, whose name is lower. */
void liar_hears_ack(world_t *w, int i)
{
    node_t *x = &w->nodes[i];
    const order_signed_t *o = &w->orders[x->order].order;
    const int index = order_maker_index(&o->order, x->key);
    entry_signed_t s;
    uint8_t secrets[KEY_SECRETS_LEN];
    if (!lies(w, i, LIE_TWO_DRAFTS) || index < 0 || x->late_order == x->order + 1)
        return;
    x->late_order = x->order + 1;
    make_entry(w, i, &s, &(key_name_t){ o->id.version, o->id.digest, (uint8_t)index }, secrets);
    for (int j = 0; j < w->count; j++)
        if (j != i && world_served(w, i, j))
            give_draft(w, i, j, &s, secrets);
}

void liar_step(world_t *w, int i)
{
    if (lies(w, i, LIE_TWO_SENDS) && world_random(w, 8) == 0 && w->nodes[i].lie_seq < 20)
        send_two(w, i);
    if (lies(w, i, LIE_TWO_DRAFTS))
        two_drafts(w, i);
    if (lies(w, i, LIE_FORGED_COMMIT) && world_random(w, 10) == 0)
        forged_commit(w, i);
    if (lies(w, i, LIE_FORGED_COMMIT) && world_random(w, 10) == 0)
        forged_draft(w, i);
    if (lies(w, i, LIE_FORGED_COMMIT) && world_random(w, 3) == 0)
        forged_acks(w, i);
}
