/* check.c - what must hold at any time, and once everything has come to rest. Counts anew what the machines counted. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/overlay/world.h"

static bool is_good(const world_t *w, int i)
{
    return !w->nodes[i].liar && !w->nodes[i].excluded;
}

/* ---- at any time ---- */

/* A COMMIT by hand: different listed members, more than half of them. */
static void check_commit(world_t *w, int i, const entry_proof_t *p)
{
    const entry_t *x = &p->entry.entry;
    if (!p->has_order) {
        if (memcmp(x->pubkey, w->first_key, 33) != 0)
            world_break(w, "member %d takes an entry without an order", i);
        return;
    }
    if (x->name.index >= p->order.order.maker_count ||
        ecdsa_verify(w->ecdsa, p->entry.by_maker, &p->entry.g, p->order.order.makers[x->name.index]))
        world_break(w, "member %d takes an entry that its maker has not signed", i);
    for (int a = 0; a < p->ack_count; a++) {
        bool listed = false;
        for (int m = 0; m < x->member_count; m++)
            listed = listed || memcmp(x->members[m], p->acks[a].key, 33) == 0;
        if (!listed)
            world_break(w, "member %d counts the acknowledgement of one who is not listed", i);
        for (int b = 0; b < a; b++)
            if (memcmp(p->acks[a].key, p->acks[b].key, 33) == 0)
                world_break(w, "member %d counts an acknowledgement twice", i);
    }
    if (2 * p->ack_count <= x->member_count)
        world_break(w, "member %d takes %d of %d acknowledgements for a COMMIT", i, p->ack_count, x->member_count);
}

void check_use(world_t *w, int i)
{
    node_t *x = &w->nodes[i];
    if (!is_good(w, i) || w->broken[0])
        return;
    const key_name_t *use = gen_in_use(x->gen);
    const entry_proof_t *top = gen_newest(x->gen);
    if (top && !(x->has_seen && key_name_cmp(&x->seen, &top->entry.entry.name) == 0)) {
        check_commit(w, i, top);
        x->has_seen = true;
        x->seen = top->entry.entry.name;
    }
    if (!use)
        return;
    if (x->has_used && key_name_cmp(use, &x->used) < 0)
        world_break(w, "member %d goes back to an older key", i);
    x->has_used = true;
    x->used = *use;
    if (top && top->entry.entry.from_slot <= x->slot && key_name_cmp(use, &top->entry.entry.name) != 0 &&
        gen_signer(x->gen, x->slot) == GEN_SIGNS)
        world_break(w, "member %d signs with a key below one that it knows committed", i);
    if (!top)
        world_break(w, "member %d uses a key that is not committed", i);
}

void check_acks(world_t *w, int i, const gen_out_t *out)
{
    node_t *x = &w->nodes[i];
    entry_ack_t ack;
    err_t e;
    if (!is_good(w, i) || entry_ack_read(&ack, &e, out->bytes) || memcmp(ack.key, x->key, 33) != 0)
        return;
    const int c = x->has_acked ? key_name_cmp(&out->name, &x->acked) : 1;
    if (c == 0 && !hash32_eq(&ack.g, &x->acked_g))
        world_break(w, "member %d acknowledges two entries of one name", i);
    if (c < 0 && out->to_all)
        world_break(w, "member %d acknowledges below what it acknowledged", i);
    if (c <= 0)
        return;
    x->has_acked = true;
    x->acked = out->name;
    x->acked_g = ack.g;
}

void check_delivery(world_t *w, int i, const hash32_t *instance, const bracha_send_t *s)
{
    hash32_t hash;
    if (!is_good(w, i))
        return;
    bracha_hash(&hash, instance, s);
    size_t k = 0;
    while (k < w->instance_count && !hash32_eq(&w->instances[k].instance, instance))
        k++;
    if (k == w->instance_count) {
        if (k % 256 == 0)
            w->instances = realloc(w->instances, (k + 256) * sizeof *w->instances);
        if (!w->instances)
            abort();
        w->instances[w->instance_count].instance = *instance;
        w->instances[w->instance_count++].hash = hash;
    } else if (!hash32_eq(&w->instances[k].hash, &hash))
        world_break(w, "two different messages of one instance are delivered, one at member %d", i);
    if (s->payload.n != 1)
        return; /* a liar's */
    const app_t *a = &w->apps[s->payload.p[0]];
    if (memcmp(a->sender_key, s->sender, 33) != 0)
        world_break(w, "member %d delivers what its sender never sent", i);
    w->nodes[i].agreed[s->payload.p[0]] = 1;
    for (int j = 0; j < w->s.seats; j++)
        if (memcmp(s->boots[j], w->nodes[j].key, 33) == 0)
            w->nodes[j].listed[s->payload.p[0]] = 1;
    if (w->verbose)
        printf("%8.1f member %d delivers message %d, seq %d, kind %x\n", (double)w->now_ms / 1000, i, s->payload.p[0],
               (int)s->seq, s->kind);
}

/* ---- at rest ---- */

static int newest_order(const world_t *w)
{
    int best = 0;
    for (int k = 1; k < w->order_count; k++) {
        const order_id_t *a = &w->orders[k].order.id, *b = &w->orders[best].order.id;
        const int c =
            a->version != b->version ? (a->version < b->version ? -1 : 1) : memcmp(a->digest.b, b->digest.b, 32);
        if (w->orders[k].presented && c > 0)
            best = k;
    }
    return best;
}

static bool holds(const node_t *x, const key_name_t *name)
{
    uint8_t pubkey[33];
    return keyring_pubkey_of(x->keys, pubkey, name) == RC_OK;
}

/* That all run the newest order and sign with one key, the newest committed; its secret may be lost with all who had it. */
static void check_keys(world_t *w)
{
    const int order = newest_order(w);
    const entry_proof_t *top = NULL;
    bool held = false;
    for (int i = 0; i < w->count; i++) {
        const node_t *x = &w->nodes[i];
        const entry_proof_t *p = is_good(w, i) ? gen_newest(x->gen) : NULL;
        if (is_good(w, i) && x->order != order)
            world_break(w, "member %d runs order %d, not %d", i, x->order, order);
        if (p && (!top || key_name_cmp(&p->entry.entry.name, &top->entry.entry.name) > 0))
            top = p;
    }
    for (int i = 0; top && i < w->count; i++)
        held = held || (is_good(w, i) && holds(&w->nodes[i], &top->entry.entry.name));
    for (int i = 0; held && i < w->count; i++) {
        const key_name_t *use = gen_in_use(w->nodes[i].gen);
        if (is_good(w, i) && (!use || key_name_cmp(use, &top->entry.entry.name) != 0))
            world_break(w, "member %d does not sign with the newest committed key", i);
    }
}

/* An order that named a boot which lives since is carried out, or surpassed, if more than half of all live since it came
 * and keep to the rules: of them a draft's COMMIT is made. Where not all connect most of a maker's peers may be silent. */
static void check_carried_out(world_t *w)
{
    const issued_t *o = &w->orders[newest_order(w)];
    int steady = 0;
    for (int i = 0; i < w->count; i++)
        steady += is_good(w, i) && w->nodes[i].born_ms < o->at_ms;
    if (w->s.partial || 2 * steady <= w->count)
        return;
    for (int i = 0; i < w->count; i++) {
        const node_t *x = &w->nodes[i];
        const entry_proof_t *p = gen_newest(x->gen);
        if (!is_good(w, i) || x->born_ms > o->at_ms || order_maker_index(&o->order.order, x->key) < 0)
            continue;
        if (!p ||
            order_id_cmp(&(order_id_t){ p->entry.entry.name.version, p->entry.entry.name.order }, &o->order.id) < 0)
            world_break(w, "the newest order has a living maker, member %d, and no key", i);
    }
}

/* E11, for one who knows the newest generation of an order that voids: whatever slot an old key's statement names. */
static void check_void(world_t *w)
{
    static const uint64_t slots[] = { 0, 1, 10, 1ull << 63, UINT64_MAX };
    for (int i = 0; i < w->count; i++) {
        const entry_proof_t *p = is_good(w, i) ? gen_newest(w->nodes[i].gen) : NULL;
        for (size_t k = 0; p && p->has_order && k < sizeof slots / sizeof slots[0]; k++)
            if (entry_admits_older(p, slots[k]))
                world_break(w, "a back-dated statement of the old key is accepted");
    }
}

/* Whom a member is connected with, over others that work too. */
static unsigned reached(const world_t *w, int from)
{
    unsigned set = 1u << from;
    for (int round = 0; round < w->count; round++)
        for (int i = 0; i < w->count; i++)
            for (int j = 0; j < w->count; j++)
                if ((set >> i & 1) && w->allowed[i][j] && i != j && is_good(w, j))
                    set |= 1u << j;
    return set;
}

static void check_flood(world_t *w, int id)
{
    const app_t *a = &w->apps[id];
    const node_t *sender = &w->nodes[a->sender];
    if (!is_good(w, a->sender) || memcmp(sender->key, a->sender_key, 33) != 0 || w->s.long_cut)
        return;
    const unsigned set = reached(w, a->sender);
    for (int i = 0; i < w->count; i++)
        if (is_good(w, i) && (set >> i & 1) && !w->nodes[i].flooded[id])
            world_break(w, "message %d of living member %d, flooded, does not reach member %d", id, a->sender, i);
}

static void check_agreed(world_t *w, int id)
{
    const app_t *a = &w->apps[id];
    const unsigned f = (unsigned)(w->s.seats - 1) / 3;
    const bool alive = is_good(w, a->sender) && memcmp(w->nodes[a->sender].key, a->sender_key, 33) == 0;
    unsigned delivered = 0;
    bool by_old = false;
    for (int i = 0; i < w->s.seats; i++) {
        const node_t *x = &w->nodes[i];
        if (is_good(w, i) && x->agreed[id]) {
            delivered++;
            by_old = by_old || x->listed[id];
        }
    }
    if (alive && !w->nodes[a->sender].agreed[id])
        world_break(w, "living member %d does not see its own message %d delivered", a->sender, id);
    for (int i = 0; i < w->s.seats; i++) {
        const node_t *x = &w->nodes[i];
        if (!is_good(w, i) || x->agreed[id])
            continue;
        const bool old = x->listed[id];
        if (old && (alive || by_old) && !(w->s.long_cut && i == 0 && !a->durable))
            world_break(w, "totality: message %d is delivered at some, and not at member %d, which lives since", id, i);
        if (!old && !x->before[id] && a->durable && delivered >= f + 1)
            world_break(w, "totality: message %d, durable, is delivered at %u, and not at the newcomer %d", id,
                        delivered, i);
    }
}

void check_rest(world_t *w)
{
    check_keys(w);
    check_carried_out(w);
    check_void(w);
    for (int id = 0; id < w->app_count; id++) {
        if (w->apps[id].sender < 0)
            continue;
        if (!w->apps[id].agreed)
            check_flood(w, id);
        else if (!w->s.partial)
            check_agreed(w, id);
    }
}
