#include "overlay/announce.h"

#include "base/crypto/hash.h"

enum { HAS_SIGNED = 1, HAS_FINALIZED = 2, HAS_OPTIMISTIC = 4 };

void announce_of(announce_t *out, const state_t *s)
{
    *out = (announce_t){ .has_signed = s->highest_signed.is_there,
                         .has_finalized = s->finalized.is_there,
                         .has_optimistic = s->optimistic.is_there };
    if (out->has_signed)
        out->signed_slot = s->highest_signed.slot;
    if (out->has_finalized) {
        out->finalized_slot = s->finalized.slot;
        out->finalized_root = s->finalized.root;
    }
    if (out->has_optimistic) {
        out->optimistic_slot = s->optimistic.slot;
        out->optimistic_root = s->optimistic.root;
    }
}

bool announce_any(const announce_t *a)
{
    return a->has_signed || a->has_finalized || a->has_optimistic;
}

static void put(wr_t *w, const announce_t *a)
{
    wr_u8(w, (uint8_t)((a->has_signed ? HAS_SIGNED : 0) | (a->has_finalized ? HAS_FINALIZED : 0) |
                       (a->has_optimistic ? HAS_OPTIMISTIC : 0)));
    wr_be(w, a->signed_slot, 8);
    wr_be(w, a->finalized_slot, 8);
    wr_bytes(w, a->finalized_root.b, 32);
    wr_be(w, a->optimistic_slot, 8);
    wr_bytes(w, a->optimistic_root.b, 32);
}

void announce_digest(hash32_t *out, const announce_t *a)
{
    static const char tag[16] = "kettle-heads/1";
    uint8_t bytes[ANNOUNCE_LEN];
    wr_t w = wr_of(bytes, sizeof bytes);
    put(&w, a);
    const view_t parts[] = { view_of(tag, sizeof tag), wr_view(&w) };
    sha256_parts(out, parts, 2);
}

rc_t announce_judge(err_t *e, const announce_signed_t *a, const uint8_t key[33], const ecdsa_t *ecdsa)
{
    hash32_t digest;
    announce_digest(&digest, &a->said);
    if (ecdsa_verify(ecdsa, a->signature, &digest, key))
        return err_say(e, RC_REFUSED, "what is announced of the chain is not signed by its member");
    return RC_OK;
}

bool announce_contradict(const announce_t *a, const announce_t *b)
{
    return (a->has_finalized && b->has_finalized && a->finalized_slot == b->finalized_slot &&
            !hash32_eq(&a->finalized_root, &b->finalized_root)) ||
           (a->has_optimistic && b->has_optimistic && a->optimistic_slot == b->optimistic_slot &&
            !hash32_eq(&a->optimistic_root, &b->optimistic_root));
}

/* ---- bytes ---- */

void announce_write(wr_t *w, const announce_signed_t *a)
{
    put(w, &a->said);
    wr_bytes(w, a->signature, sizeof a->signature);
}

/* One form for what is not there: zeros. */
static bool fits(const announce_t *a, unsigned there)
{
    return there < 8 && (a->has_signed || !a->signed_slot) &&
           (a->has_finalized || (!a->finalized_slot && hash32_is_zero(&a->finalized_root))) &&
           (a->has_optimistic || (!a->optimistic_slot && hash32_is_zero(&a->optimistic_root)));
}

static void take(announce_signed_t *a, rd_t *r)
{
    const unsigned there = rd_u8(r);
    a->said.has_signed = there & HAS_SIGNED;
    a->said.has_finalized = there & HAS_FINALIZED;
    a->said.has_optimistic = there & HAS_OPTIMISTIC;
    a->said.signed_slot = rd_u64be(r);
    a->said.finalized_slot = rd_u64be(r);
    a->said.finalized_root = rd_hash32(r);
    a->said.optimistic_slot = rd_u64be(r);
    a->said.optimistic_root = rd_hash32(r);
    rd_copy(r, a->signature, sizeof a->signature);
    r->bad |= !fits(&a->said, there);
}

rc_t announce_read(announce_signed_t *out, err_t *e, view_t in)
{
    announce_signed_t a;
    rd_t r = rd_of(in);
    take(&a, &r);
    if (!rd_done(&r))
        return err_say(e, RC_MALFORMED, "an announcement is malformed");
    *out = a;
    return RC_OK;
}

void announce_evidence_write(wr_t *w, const announce_evidence_t *x)
{
    wr_bytes(w, x->key, sizeof x->key);
    announce_write(w, &x->one);
    announce_write(w, &x->other);
}

rc_t announce_evidence_read(announce_evidence_t *out, err_t *e, view_t in)
{
    announce_evidence_t x;
    rd_t r = rd_of(in);
    rd_copy(&r, x.key, sizeof x.key);
    take(&x.one, &r);
    take(&x.other, &r);
    if (!rd_done(&r))
        return err_say(e, RC_MALFORMED, "evidence against a member is malformed");
    *out = x;
    return RC_OK;
}

rc_t announce_evidence_judge(err_t *e, const announce_evidence_t *x, const ecdsa_t *ecdsa)
{
    rc_t rc = announce_judge(e, &x->one, x->key, ecdsa);
    if (!rc)
        rc = announce_judge(e, &x->other, x->key, ecdsa);
    if (!rc && !announce_contradict(&x->one.said, &x->other.said))
        rc = err_say(e, RC_REFUSED, "the two announcements do not contradict each other");
    return rc;
}

/* ---- what was announced ---- */

/* The member's row: its own, a free one, or that of whoever was not heard for longest. */
static announce_member_t *row_of(announce_book_t *b, const uint8_t key[33])
{
    announce_member_t *row = &b->members[0];
    for (size_t i = 0; i < ANNOUNCE_MEMBERS_MAX; i++) {
        announce_member_t *m = &b->members[i];
        if (m->used && memcmp(m->key, key, sizeof m->key) == 0)
            return m;
        if (m->used < row->used)
            row = m;
    }
    *row = (announce_member_t){ .used = 0 };
    memcpy(row->key, key, sizeof row->key);
    return row;
}

bool announce_note(announce_book_t *b, announce_evidence_t *out, const uint8_t key[33], const announce_signed_t *a)
{
    announce_member_t *m = row_of(b, key);
    const size_t kept = m->count < ANNOUNCE_EACH_MAX ? m->count : ANNOUNCE_EACH_MAX;
    m->used = ++b->turn;
    for (size_t i = 0; i < kept; i++)
        if (announce_contradict(&m->said[i].said, &a->said)) {
            *out = (announce_evidence_t){ .one = m->said[i], .other = *a };
            memcpy(out->key, key, sizeof out->key);
            return true;
        }
    m->said[m->count++ % ANNOUNCE_EACH_MAX] = *a;
    return false;
}
