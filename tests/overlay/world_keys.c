/* world_keys.c - how the members of a simulated cluster ask for keys, give them, and hand drafts on. */
#include "tests/overlay/world_parts.h"

#include <stdlib.h>

#include "base/crypto/hash.h"

static key_box_t box_of(world_t *w, int i, int j, key_ephemeral_t *own, const uint8_t *peer, hash32_t *salt)
{
    uint8_t b[8] = { (uint8_t)(i < j ? i : j), (uint8_t)(i < j ? j : i) };
    store_u64be(b, load_u64be(b) | w->epoch[i][j]);
    sha256(salt, view_of(b, sizeof b));
    return (key_box_t){ own, peer, salt->b, view_str("simulation"), view_str("share") };
}

void keys_ask(world_t *w, int i)
{
    node_t *x = &w->nodes[i];
    if (!gen_wants_key(x->gen) && !x->excluded)
        return;
    for (int j = 0; j < w->count; j++) {
        link_t *l = &x->links[j];
        if (j == i || !world_served(w, i, j) || (l->asked_ms && w->now_ms - l->asked_ms < (x->excluded ? 200 : 2000)))
            continue;
        l->asked_ms = w->now_ms;
        message_t *m = message_new(M_ASK);
        m->order = w->orders[x->order].order.id.digest;
        memcpy(m->ephemeral, key_ephemeral_pubkey(x->ephemeral), 32);
        const key_name_t *have = gen_in_use(x->gen);
        if (have && !x->excluded) {
            m->has_have = true;
            m->have = *have;
        }
        if (gen_cluster(x->gen)) {
            m->has_cluster = true;
            memcpy(m->cluster, gen_cluster(x->gen), 33);
        }
        world_send(w, i, j, m);
    }
}

/* Seals a generation of a ring for the peer of a connection, under an ephemeral key of this share. */
static bool seal(world_t *w, int i, int j, keyring_t *ring, const key_name_t *name, const uint8_t *peer, message_t *out)
{
    uint8_t random[32];
    hash32_t salt;
    key_grant_t grant;
    key_ephemeral_t *own;
    for (size_t k = 0; k < sizeof random; k++)
        random[k] = (uint8_t)world_random(w, 256);
    if (key_ephemeral_new(&own, random))
        abort();
    const key_box_t box = box_of(w, i, j, own, peer, &salt);
    key_grant_make(&grant, name, salt.b);
    const bool done = keyring_seal(ring, out->sealed, &grant, &box) == RC_OK;
    memcpy(out->ephemeral, key_ephemeral_pubkey(own), 32);
    key_ephemeral_free(own);
    return done;
}

/* What mattest_release_key decides, then the sealing. */
bool keys_seal(world_t *w, int i, int j, const key_name_t *name, bool draft, const uint8_t *peer, message_t *out)
{
    link_t *l = &w->nodes[i].links[j];
    bool *has = draft ? &l->has_drafted : &l->has_given;
    key_name_t *last = draft ? &l->drafted : &l->given;
    if (!world_admits(w, i, j) || (*has && key_name_cmp(name, last) <= 0) ||
        !seal(w, i, j, w->nodes[i].keys, name, peer, out))
        return false;
    *has = true;
    *last = *name;
    return true;
}

void keys_asked(world_t *w, const message_t *m)
{
    node_t *x = &w->nodes[m->to];
    key_name_t name;
    uint8_t proof[ENTRY_PROOF_MAX], first[ENTRY_MAX];
    if (gen_give(x->gen, &name, &m->order, m->has_cluster ? m->cluster : NULL, m->has_have ? &m->have : NULL))
        return;
    const entry_proof_t *p = gen_newest(x->gen), *f = gen_first(x->gen);
    message_t *out = message_new(M_SHARE);
    if (!p || !keys_seal(w, m->to, m->from, &name, false, m->ephemeral, out)) {
        message_free(out);
        return;
    }
    wr_t wp = wr_of(proof, sizeof proof), wf = wr_of(first, sizeof first);
    entry_proof_write(&wp, p);
    if (f)
        entry_write(&wf, &f->entry);
    message_set(out, wr_view(&wp));
    out->more = message_copy(wr_view(&wf));
    out->more_n = wf.n;
    world_send(w, m->to, m->from, out);
}

static bool excludes(const world_t *w, const key_name_t *name, int i)
{
    for (int k = 0; k < w->order_count; k++)
        if (hash32_eq(&w->orders[k].order.id.digest, &name->order))
            return w->orders[k].excludes >> i & 1;
    return false;
}

void keys_shared(world_t *w, const message_t *m)
{
    node_t *x = &w->nodes[m->to];
    hash32_t salt;
    err_t e;
    entry_proof_t p;
    key_box_t box = box_of(w, m->to, m->from, w->nodes[m->to].ephemeral, m->ephemeral, &salt);
    const entry_proof_t *top = gen_newest(x->gen);
    key_name_t known = top ? top->entry.entry.name : (key_name_t){ 0 };
    bool knows = top != NULL;
    rc_t rc = gen_share(x->gen, &e, view_of(m->bytes, m->n), view_of(m->more, m->more_n), m->sealed, &box);
    if (rc || entry_proof_read(&p, &e, view_of(m->bytes, m->n)))
        return;
    if (knows && key_name_cmp(&p.entry.entry.name, &known) < 0)
        world_break(w, "member %d took a generation below one that it knew committed", m->to);
    if (excludes(w, &p.entry.entry.name, m->to))
        world_break(w, "excluded member %d got the generation that was made without it", m->to);
    check_use(w, m->to);
}

void keys_drafted(world_t *w, const message_t *m)
{
    hash32_t salt;
    err_t e;
    key_box_t box = box_of(w, m->to, m->from, w->nodes[m->to].ephemeral, m->ephemeral, &salt);
    entry_signed_t s;
    rc_t rc = gen_draft(w->nodes[m->to].gen, &e, w->nodes[m->from].key, view_of(m->bytes, m->n), m->sealed, &box);
    if (!rc && !entry_read(&s, &e, view_of(m->bytes, m->n)) && excludes(w, &s.entry.name, m->to))
        world_break(w, "excluded member %d got a draft that was made without it", m->to);
}

void keys_heard(world_t *w, int i, gen_kind_t kind, view_t bytes)
{
    err_t e;
    entry_ack_t ack;
    if (kind == GEN_ACK && w->nodes[i].liar && entry_ack_read(&ack, &e, bytes) == RC_OK) {
        w->nodes[i].has_g = true;
        w->nodes[i].g = ack.g;
        liar_hears_ack(w, i);
    }
    gen_t *g = w->nodes[i].gen;
    rc_t rc = kind == GEN_ACK ? gen_ack(g, &e, bytes) : kind == GEN_COMMIT ? gen_commit(g, &e, bytes) : RC_OK;
    (void)rc; /* a liar's is refused, and passed over */
    check_use(w, i);
}

void world_send_draft(world_t *w, int from, int to, keyring_t *ring, const key_name_t *name, view_t entry)
{
    message_t *m = message_new(M_DRAFT);
    message_set(m, entry);
    if (!seal(w, from, to, ring, name, w->nodes[from].links[to].ephemeral, m))
        abort();
    world_send(w, from, to, m);
}
