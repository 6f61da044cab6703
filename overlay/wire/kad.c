#include "overlay/wire/kad.h"

#include "overlay/wire/proto.h"

enum { TYPE = 1, KEY = 2, CLOSER = 8 };
enum { PEER_ID = 1, PEER_ADDR = 2 };
enum { FIND_NODE = 4 };

void kad_find_node(wr_t *w, const peerid_t *id)
{
    const size_t from = w->n;
    pb_put_u64(w, TYPE, FIND_NODE);
    pb_put_bytes(w, KEY, peerid_view(id));
    pb_delimit(w, from);
}

/* Its id may stand behind its addresses. */
static bool read_id(peerid_t *out, view_t message)
{
    rd_t r = rd_of(message);
    pb_field_t f;
    view_t id = { NULL, 0 };
    while (pb_next(&r, &f))
        if (f.number == PEER_ID)
            id = pb_bytes(&r, &f, PEERID_MAX);
    return rd_done(&r) && peerid_read(out, id) == RC_OK;
}

static void add_addr(kad_peer_t *p, view_t bytes)
{
    maddr_t m;
    if (p->addr_count == KAD_ADDRS_MAX || maddr_read(&m, bytes))
        return;
    if ((m.host != MADDR_IP4 && m.host != MADDR_IP6) || m.circuit || !m.port)
        return;
    if (m.peer.n && !peerid_eq(&m.peer, &p->id))
        return;
    m.peer = p->id;
    p->addrs[p->addr_count++] = m;
}

static rc_t read_peer(kad_peer_t *out, view_t message)
{
    rd_t r = rd_of(message);
    pb_field_t f;
    size_t told = 0;
    out->addr_count = 0;
    if (!read_id(&out->id, message))
        return RC_MALFORMED;
    while (pb_next(&r, &f)) {
        if (f.number != PEER_ADDR)
            continue;
        if (told++ == KAD_TOLD_MAX)
            return RC_LIMIT;
        add_addr(out, pb_bytes(&r, &f, message.n));
    }
    return rd_done(&r) ? RC_OK : RC_MALFORMED;
}

static rc_t read_field(kad_answer_t *out, uint64_t *type, rd_t *r, const pb_field_t *f)
{
    if (f->number == TYPE)
        *type = pb_u64(r, f);
    if (f->number != CLOSER)
        return RC_OK;
    if (out->count == KAD_PEERS_MAX)
        return RC_LIMIT;
    const rc_t rc = read_peer(&out->peers[out->count], pb_bytes(r, f, KAD_MESSAGE_MAX));
    out->count += !rc;
    return rc;
}

rc_t kad_read(kad_answer_t *out, err_t *e, view_t message)
{
    rd_t r = rd_of(message);
    pb_field_t f;
    uint64_t type = 0;
    rc_t rc = message.n > KAD_MESSAGE_MAX ? RC_LIMIT : RC_OK;
    out->count = 0;
    while (!rc && pb_next(&r, &f))
        rc = read_field(out, &type, &r, &f);
    if (rc == RC_LIMIT)
        return err_say(e, rc, "an answer to FIND_NODE has more of something than it may");
    if (rc || !rd_done(&r) || type != FIND_NODE)
        return err_say(e, RC_MALFORMED, "no answer to FIND_NODE");
    return RC_OK;
}
