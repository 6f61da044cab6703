#include "overlay/entry.h"

#include <assert.h>

#include "base/crypto/hash.h"
#include "overlay/guard.h"

static const uint8_t tag[16] = "kettle-key/1";
static const char ack_tag[16] = "kettle-key-ack/1"; /* without a NUL */

bool entry_is_first(const entry_t *entry)
{
    return hash32_is_zero(&entry->name.order);
}

int entry_member_index(const entry_t *entry, const uint8_t key[33])
{
    for (int i = 0; i < entry->member_count; i++)
        if (memcmp(entry->members[i], key, 33) == 0)
            return i;
    return -1;
}

void entry_write_body(wr_t *w, const entry_t *entry)
{
    wr_bytes(w, tag, sizeof tag);
    wr_hash32(w, &entry->name.order);
    wr_be(w, entry->name.version, 8);
    wr_u8(w, entry->name.index);
    wr_bytes(w, entry->pubkey, sizeof entry->pubkey);
    wr_be(w, entry->from_slot, 8);
    wr_u8(w, entry->member_count);
    wr_bytes(w, entry->members, (size_t)entry->member_count * sizeof entry->members[0]);
    if (entry_is_first(entry))
        wr_hash32(w, &entry->setup);
}

void entry_digest(hash32_t *out, const entry_t *entry)
{
    uint8_t body[ENTRY_BODY_MAX];
    wr_t w = wr_of(body, sizeof body);
    entry_write_body(&w, entry);
    assert(!w.bad);
    sha256(out, wr_view(&w));
}

void entry_ack_digest(hash32_t *out, const hash32_t *g)
{
    const view_t parts[] = { view_of(ack_tag, sizeof ack_tag), view_of(g->b, sizeof g->b) };
    sha256_parts(out, parts, 2);
}

void entry_write(wr_t *w, const entry_signed_t *entry)
{
    entry_write_body(w, &entry->entry);
    wr_bytes(w, entry->by_maker, sizeof entry->by_maker);
    wr_bytes(w, entry->by_key, sizeof entry->by_key);
}

static rc_t check_members(err_t *e, const entry_t *entry)
{
    bool first = entry_is_first(entry);
    if (first && (entry->name.index || entry->member_count != 1))
        return err_in(e, RC_MALFORMED, "members", "a first generation has one maker, and no others");
    for (size_t i = 1; i < entry->member_count; i++)
        if (memcmp(entry->members[i - 1], entry->members[i], sizeof entry->members[i]) >= 0)
            return err_in(e, RC_MALFORMED, "members", "are not ascending");
    return RC_OK;
}

rc_t entry_read(entry_signed_t *out, err_t *e, view_t in)
{
    entry_signed_t s = { .entry = { .member_count = 0 } };
    entry_t *x = &s.entry;
    rd_t r = rd_of(in);
    view_t start = rd_take(&r, sizeof tag);
    x->name.order = rd_hash32(&r);
    x->name.version = rd_u64be(&r);
    x->name.index = rd_u8(&r);
    rd_copy(&r, x->pubkey, sizeof x->pubkey);
    x->from_slot = rd_u64be(&r);
    x->member_count = rd_u8(&r);
    if (x->member_count < 1 || x->member_count > ENTRY_MEMBERS_MAX)
        return err_in(e, RC_MALFORMED, "members", "not 1 to %u", ENTRY_MEMBERS_MAX);
    rd_copy(&r, x->members, (size_t)x->member_count * sizeof x->members[0]);
    if (entry_is_first(x))
        x->setup = rd_hash32(&r);
    rd_copy(&r, s.by_maker, sizeof s.by_maker);
    rd_copy(&r, s.by_key, sizeof s.by_key);
    if (!rd_done(&r))
        return err_say(e, RC_MALFORMED, "the entry has another length");
    if (!view_eq(start, view_of(tag, sizeof tag)))
        return err_say(e, RC_MALFORMED, "the entry does not start with its tag");
    if (x->name.version >= ORDER_VERSION_END || x->name.index >= ORDER_MAKERS_MAX)
        return err_in(e, RC_MALFORMED, "name", "is out of range");
    rc_t rc = check_members(e, x);
    if (rc)
        return rc;
    entry_digest(&s.g, x);
    *out = s;
    return RC_OK;
}

void entry_ack_write(wr_t *w, const entry_ack_t *ack)
{
    wr_hash32(w, &ack->g);
    wr_bytes(w, ack->key, sizeof ack->key);
    wr_bytes(w, ack->signature, sizeof ack->signature);
}

rc_t entry_ack_read(entry_ack_t *out, err_t *e, view_t in)
{
    entry_ack_t ack;
    rd_t r = rd_of(in);
    ack.g = rd_hash32(&r);
    rd_copy(&r, ack.key, sizeof ack.key);
    rd_copy(&r, ack.signature, sizeof ack.signature);
    if (!rd_done(&r))
        return err_say(e, RC_MALFORMED, "the acknowledgement has another length");
    *out = ack;
    return RC_OK;
}

void entry_proof_write(wr_t *w, const entry_proof_t *p)
{
    uint8_t part[ORDER_SIGNED_MAX > ENTRY_MAX ? ORDER_SIGNED_MAX : ENTRY_MAX];
    wr_t order = wr_of(part, sizeof part);
    if (p->has_order)
        order_write(&order, &p->order, false);
    wr_be(w, order.n, 2);
    wr_bytes(w, order.p, order.n);
    wr_t entry = wr_of(part, sizeof part);
    entry_write(&entry, &p->entry);
    wr_be(w, entry.n, 2);
    wr_bytes(w, entry.p, entry.n);
    wr_u8(w, p->ack_count);
    for (size_t i = 0; i < p->ack_count; i++) {
        wr_bytes(w, p->acks[i].key, sizeof p->acks[i].key);
        wr_bytes(w, p->acks[i].signature, sizeof p->acks[i].signature);
    }
}

static rc_t take_acks(entry_proof_t *p, err_t *e, rd_t *r)
{
    p->ack_count = rd_u8(r);
    if (p->ack_count > ENTRY_MEMBERS_MAX)
        return err_in(e, RC_MALFORMED, "acks", "more than %u", ENTRY_MEMBERS_MAX);
    for (size_t i = 0; i < p->ack_count; i++) {
        entry_ack_t *ack = &p->acks[i];
        ack->g = p->entry.g;
        rd_copy(r, ack->key, sizeof ack->key);
        rd_copy(r, ack->signature, sizeof ack->signature);
        if (i && memcmp(p->acks[i - 1].key, ack->key, sizeof ack->key) >= 0)
            return err_in(e, RC_MALFORMED, "acks", "are not by ascending keys");
    }
    return rd_done(r) ? RC_OK : err_say(e, RC_MALFORMED, "the proof has another length");
}

rc_t entry_proof_read(entry_proof_t *out, err_t *e, view_t in)
{
    rd_t r = rd_of(in);
    view_t order = rd_take(&r, rd_u16be(&r));
    view_t entry = rd_take(&r, rd_u16be(&r));
    rc_t rc = RC_OK;
    entry_proof_t p = { .has_order = order.n > 0 };
    if (p.has_order)
        rc = err_under(e, order_read(&p.order, e, order), "order");
    if (!rc && p.order.text.n)
        rc = err_in(e, RC_MALFORMED, "order", "carries a text");
    if (!rc)
        rc = err_under(e, entry_read(&p.entry, e, entry), "entry");
    if (!rc && p.has_order == entry_is_first(&p.entry.entry))
        rc = err_in(e, RC_MALFORMED, "order", "belongs to every entry but a first one");
    if (!rc)
        rc = take_acks(&p, e, &r);
    if (!rc)
        *out = p;
    return rc;
}

/* The static key that may have made it; NULL: none. */
static const uint8_t *maker_of(const entry_t *x, const order_signed_t *order)
{
    if (!order)
        return entry_is_first(x) ? x->members[0] : NULL;
    if (entry_is_first(x) || x->name.version != order->id.version || !hash32_eq(&x->name.order, &order->id.digest))
        return NULL;
    return x->name.index < order->order.maker_count ? order->order.makers[x->name.index] : NULL;
}

rc_t entry_judge(err_t *e, const entry_signed_t *entry, const order_signed_t *order, const ecdsa_t *ecdsa)
{
    const uint8_t *maker = maker_of(&entry->entry, order);
    for (size_t i = 0; !GUARD(NAMED_MAKER) && order && i < entry->entry.member_count; i++)
        if (!ecdsa_verify(ecdsa, entry->by_maker, &entry->g, entry->entry.members[i]))
            maker = entry->entry.members[i];
    if (!maker)
        return err_in(e, RC_REFUSED, "name", "the order names no such maker");
    if (entry_member_index(&entry->entry, maker) < 0)
        return err_in(e, RC_REFUSED, "members", "the maker is not among them");
    if (ecdsa_verify(ecdsa, entry->by_maker, &entry->g, maker))
        return err_in(e, RC_REFUSED, "by_maker", "the maker has not signed it");
    if (ecdsa_verify(ecdsa, entry->by_key, &entry->g, entry->entry.pubkey))
        return err_in(e, RC_REFUSED, "by_key", "the new key has not signed it");
    return RC_OK;
}

rc_t entry_ack_judge(err_t *e, const entry_ack_t *ack, const entry_signed_t *entry, const ecdsa_t *ecdsa)
{
    hash32_t digest;
    if (!hash32_eq(&ack->g, &entry->g))
        return err_in(e, RC_REFUSED, "g", "is of another entry");
    if (GUARD(ACK_LISTED) && entry_member_index(&entry->entry, ack->key) < 0)
        return err_in(e, RC_REFUSED, "key", "is not among the members");
    entry_ack_digest(&digest, &entry->g);
    if (ecdsa_verify(ecdsa, ack->signature, &digest, ack->key))
        return err_in(e, RC_REFUSED, "signature", "does not verify");
    return RC_OK;
}

bool entry_commits(const entry_t *entry, size_t acks)
{
    if (entry_is_first(entry))
        return true; /* signed by its only member */
    return GUARD(COMMIT_HALF) ? 2 * acks > entry->member_count : acks > 0;
}

rc_t entry_proof_judge(err_t *e, const entry_proof_t *p, const order_rules_t *rules)
{
    static const uint8_t any[33];
    const entry_t *x = &p->entry.entry;
    rc_t rc = p->has_order ? err_under(e, order_judge(e, &p->order, rules), "order") : RC_OK;
    bool known = memcmp(rules->cluster, any, sizeof any) != 0;
    if (!rc && !p->has_order && known && memcmp(x->pubkey, rules->cluster, sizeof any) != 0)
        rc = err_in(e, RC_REFUSED, "cluster", "is another");
    if (!rc)
        rc = err_under(e, entry_judge(e, &p->entry, p->has_order ? &p->order : NULL, rules->ecdsa), "entry");
    for (size_t i = 0; !rc && i < p->ack_count; i++)
        rc = err_under(e, entry_ack_judge(e, &p->acks[i], &p->entry, rules->ecdsa), "acks");
    if (!rc && !entry_commits(x, p->ack_count))
        rc = err_in(e, RC_REFUSED, "acks", "are of %u of %u members", p->ack_count, x->member_count);
    return rc;
}

bool entry_admits_older(const entry_proof_t *p, uint64_t slot)
{
    if (!GUARD(VOID_OLD))
        return true;
    return p->has_order && slot < p->entry.entry.from_slot && slot < p->order.order.void_slot;
}

const entry_proof_t *entry_retired_by(const entry_proof_t *const *known, size_t count, const key_name_t *by,
                                      uint64_t slot)
{
    const entry_proof_t *newest = NULL;
    for (size_t i = 0; i < count; i++) {
        const key_name_t *name = &known[i]->entry.entry.name;
        if (known[i]->has_order && key_name_cmp(name, by) > 0 && !entry_admits_older(known[i], slot) &&
            (!newest || key_name_cmp(name, &newest->entry.entry.name) > 0))
            newest = known[i];
    }
    return newest;
}

bool entry_proofs_contradict(const entry_proof_t *a, const entry_proof_t *b)
{
    return key_name_cmp(&a->entry.entry.name, &b->entry.entry.name) == 0 && !hash32_eq(&a->entry.g, &b->entry.g);
}
