#include "node/cluster/book_file.h"

enum { ENVELOPE = 1, BAN = 2 };
static const char head[BOOK_HEAD_LEN] = "kettle-peers/2";

void book_put_head(wr_t *w)
{
    wr_bytes(w, head, sizeof head);
}

static void put_item(wr_t *w, uint8_t kind, view_t bytes)
{
    wr_u8(w, kind);
    wr_be(w, bytes.n, 2);
    wr_bytes(w, bytes.p, bytes.n);
}

void book_put_envelope(wr_t *w, view_t envelope)
{
    put_item(w, ENVELOPE, envelope);
}

void book_put_ban(wr_t *w, const ban_t *ban, uint64_t left_ms)
{
    uint8_t buf[32 + PEERID_MAX];
    wr_t item = wr_of(buf, sizeof buf);
    const view_t peer = peerid_view(&ban->peer);
    wr_be(&item, left_ms / 1000, 4);
    wr_be(&item, ban->times, 4);
    wr_u8(&item, (uint8_t)ban->fault);
    wr_u8(&item, (uint8_t)ban->host);
    wr_bytes(&item, ban->ip, sizeof ban->ip);
    wr_bytes(&item, peer.p, peer.n);
    put_item(w, BAN, wr_view(&item));
}

static bool read_ban(ban_t *out, uint64_t *left_ms, view_t bytes)
{
    rd_t r = rd_of(bytes);
    *out = (ban_t){ .points = 0 };
    *left_ms = (uint64_t)rd_u32be(&r) * 1000;
    out->times = rd_u32be(&r);
    const uint8_t fault = rd_u8(&r), host = rd_u8(&r);
    rd_copy(&r, out->ip, sizeof out->ip);
    if (r.bad || fault > BANS_FLOOD || host > MADDR_IP6)
        return false;
    out->fault = (bans_fault_t)fault;
    out->host = (maddr_host_t)host;
    const view_t peer = rd_take(&r, r.n);
    return !peer.n || !peerid_read(&out->peer, peer);
}

/* One pass over the items; without take it only looks whether they are well-formed. */
static rc_t walk(err_t *e, rd_t r, const book_take_t *take)
{
    for (size_t n = 0; r.n; n++) {
        const uint8_t kind = rd_u8(&r);
        const view_t bytes = rd_take(&r, rd_u16be(&r));
        ban_t ban;
        uint64_t left_ms;
        if (n == BOOK_ITEMS_MAX)
            return err_say(e, RC_LIMIT, "there are too many items");
        if (r.bad || (kind == ENVELOPE && bytes.n > ENVELOPE_MAX) || (kind == BAN && !read_ban(&ban, &left_ms, bytes)))
            return err_say(e, RC_MALFORMED, "an item is malformed");
        if (take && kind == ENVELOPE)
            take->envelope(take->ctx, bytes);
        else if (take && kind == BAN)
            take->ban(take->ctx, &ban, left_ms);
    }
    return RC_OK;
}

rc_t book_decode(err_t *e, view_t file, const book_take_t *take)
{
    rd_t r = rd_of(file);
    const view_t begins = rd_take(&r, BOOK_HEAD_LEN);
    if (r.bad || !view_eq(begins, view_of(head, sizeof head)))
        return err_say(e, RC_UNSUPPORTED, "it is of another version");
    const rc_t rc = walk(e, r, NULL);
    return rc ? rc : walk(e, r, take);
}
