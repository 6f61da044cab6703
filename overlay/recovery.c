#include "overlay/recovery.h"

#include "base/crypto/hash.h"

static const char TAG[] = "kettle-recover/1";
#define TAG_LEN (sizeof TAG - 1)

/* ---- writing ---- */

static void write_shares(wr_t *w, const recovery_t *r)
{
    wr_u8(w, (uint8_t)r->threshold);
    wr_u8(w, (uint8_t)r->count);
    for (unsigned i = 0; i < r->count; i++) {
        wr_bytes(w, r->keys[i], sizeof r->keys[i]);
        wr_hash32(w, &r->boxes[i].hash);
        wr_bytes(w, r->boxes[i].sealed, sizeof r->boxes[i].sealed);
    }
}

void recovery_write(wr_t *w, const recovery_t *r)
{
    uint8_t buf[ENTRY_PROOF_MAX];
    wr_t first = wr_of(buf, sizeof buf), proof = first;
    wr_bytes(w, TAG, TAG_LEN);
    wr_u8(w, (uint8_t)r->mode);
    wr_be(w, r->slot, 8);
    wr_be(w, r->statement.n, 2);
    wr_bytes(w, r->statement.p, r->statement.n);
    if (r->has_first)
        entry_write(&first, &r->first);
    wr_be(w, wr_view(&first).n, 2);
    wr_bytes(w, buf, wr_view(&first).n);
    entry_proof_write(&proof, &r->proof);
    wr_be(w, wr_view(&proof).n, 2);
    wr_bytes(w, buf, wr_view(&proof).n);
    wr_be(w, r->order.n, 4);
    wr_bytes(w, r->order.p, r->order.n);
    if (r->mode == RECOVERY_SHARES)
        write_shares(w, r);
}

void recovery_write_end(wr_t *w, const recovery_t *r)
{
    if (r->mode == RECOVERY_SHARES)
        wr_bytes(w, r->signature, sizeof r->signature);
    else
        wr_bytes(w, r->kept, sizeof r->kept);
}

/* ---- reading ---- */

static rc_t bad(err_t *e, const char *field, const char *why)
{
    return err_in(e, RC_MALFORMED, field, "%s", why);
}

static rc_t read_entries(recovery_t *r, err_t *e, rd_t *in)
{
    const view_t first = rd_take(in, rd_u16be(in)), proof = rd_take(in, rd_u16be(in));
    if (in->bad)
        return bad(e, "proof", "is cut short");
    r->has_first = first.n > 0;
    rc_t rc = r->has_first ? err_under(e, entry_read(&r->first, e, first), "first") : RC_OK;
    if (!rc && r->has_first && !entry_is_first(&r->first.entry))
        rc = bad(e, "first", "is not of a first generation");
    if (!rc)
        rc = err_under(e, entry_proof_read(&r->proof, e, proof), "proof");
    if (!rc && r->has_first && !r->proof.has_order)
        rc = bad(e, "first", "is said twice");
    return rc;
}

static rc_t read_order(recovery_t *r, err_t *e, rd_t *in)
{
    order_signed_t order;
    r->order = rd_take(in, rd_u32be(in));
    if (in->bad)
        return bad(e, "order", "is cut short");
    return r->order.n ? err_under(e, order_read(&order, e, r->order), "order") : RC_OK;
}

static rc_t read_shares(recovery_t *r, err_t *e, rd_t *in)
{
    r->threshold = rd_u8(in);
    r->count = rd_u8(in);
    if (in->bad || r->threshold < 2 || r->threshold > r->count || r->count > KEY_HOLDERS_MAX)
        return bad(e, "shares", "are not so many of at most 16");
    for (unsigned i = 0; i < r->count; i++) {
        rd_copy(in, r->keys[i], sizeof r->keys[i]);
        r->boxes[i].hash = rd_hash32(in);
        rd_copy(in, r->boxes[i].sealed, sizeof r->boxes[i].sealed);
        if (i && !in->bad && memcmp(r->keys[i - 1], r->keys[i], sizeof r->keys[i]) >= 0)
            return bad(e, "shares", "their keys do not ascend");
    }
    return in->bad ? bad(e, "shares", "are cut short") : RC_OK;
}

static rc_t read_head(recovery_t *r, err_t *e, rd_t *in)
{
    const view_t tag = rd_take(in, TAG_LEN);
    const uint8_t mode = rd_u8(in);
    if (in->bad || memcmp(tag.p, TAG, TAG_LEN) != 0)
        return bad(e, "", "is no recovery of this version");
    if (mode != RECOVERY_SEALED && mode != RECOVERY_SHARES)
        return bad(e, "mode", "is unknown");
    r->mode = (recovery_mode_t)mode;
    r->slot = rd_u64be(in);
    r->statement = rd_take(in, rd_u16be(in));
    if (in->bad || !r->statement.n || r->statement.n > STATE_STATEMENT_MAX)
        return bad(e, "statement", "is missing, cut short or too long");
    return RC_OK;
}

static rc_t read_end(recovery_t *r, view_t *covered, err_t *e, rd_t *in, view_t whole)
{
    const bool shares = r->mode == RECOVERY_SHARES;
    const size_t n = shares ? sizeof r->signature : sizeof r->kept;
    rd_copy(in, shares ? r->signature : r->kept, n);
    if (!rd_done(in))
        return bad(e, shares ? "signature" : "sealed", "is cut short, or something follows it");
    *covered = view_of(whole.p, whole.n - n);
    return RC_OK;
}

rc_t recovery_read(recovery_t *out, view_t *covered, err_t *e, view_t in)
{
    rd_t r = rd_of(in);
    if (in.n > RECOVERY_MAX)
        return err_set(e, RC_LIMIT, "is longer than %u bytes", RECOVERY_MAX);
    *out = (recovery_t){ .count = 0 };
    rc_t rc = read_head(out, e, &r);
    if (!rc)
        rc = read_entries(out, e, &r);
    if (!rc)
        rc = read_order(out, e, &r);
    if (!rc && out->mode == RECOVERY_SHARES)
        rc = read_shares(out, e, &r);
    return rc ? rc : read_end(out, covered, e, &r, in);
}

/* ---- judging ---- */

static const entry_signed_t *first_of(const recovery_t *r)
{
    return r->has_first ? &r->first : r->proof.has_order ? NULL : &r->proof.entry;
}

const uint8_t *recovery_cluster(const recovery_t *r)
{
    const entry_signed_t *first = first_of(r);
    return first ? first->entry.pubkey : r->proof.order.order.cluster;
}

rc_t recovery_judge(err_t *e, const recovery_t *r, view_t covered, const ecdsa_t *ecdsa)
{
    const entry_signed_t *first = first_of(r);
    hash32_t digest;
    if (first) {
        const rc_t rc = err_under(e, entry_judge(e, first, NULL, ecdsa), "first");
        sha256(&digest, r->statement);
        if (rc)
            return rc;
        if (!hash32_eq(&digest, &first->entry.setup))
            return err_in(e, RC_REFUSED, "statement", "is not the one that the first generation names");
    }
    if (r->proof.has_order && memcmp(r->proof.order.order.cluster, recovery_cluster(r), 33) != 0)
        return err_in(e, RC_REFUSED, "proof", "is of another cluster");
    if (r->mode != RECOVERY_SHARES)
        return RC_OK;
    sha256(&digest, covered);
    if (ecdsa_verify(ecdsa, r->signature, &digest, r->proof.entry.entry.pubkey))
        return err_in(e, RC_REFUSED, "signature", "is not by the generation's key");
    return RC_OK;
}
