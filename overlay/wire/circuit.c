#include "overlay/wire/circuit.h"

#include "overlay/wire/proto.h"
#include "overlay/wire/record.h"

#define VOUCHER_DOMAIN "libp2p-relay-rsvp"

static const uint8_t voucher_type[] = { 0x03, 0x02 };

/* Where the two protocols differ: numbers of fields, and of the first type. 0: it has none. */
typedef struct {
    uint32_t reservation, limit, status;
    circuit_type_t first;
} layout_t;

enum { TYPE = 1, PEER = 2 };

static const layout_t layouts[] = {
    [CIRCUIT_HOP] = { .reservation = 3, .limit = 4, .status = 5, .first = CIRCUIT_RESERVE },
    [CIRCUIT_STOP] = { .limit = 3, .status = 4, .first = CIRCUIT_CONNECT }
};

/* Peer { 1 id, 2 addrs }: we dial nobody for others, so addresses are passed over. */
static rc_t read_peer(peerid_t *out, view_t bytes)
{
    view_t id = { NULL, 0 };
    rd_t r = rd_of(bytes);
    pb_field_t f;
    while (pb_next(&r, &f))
        if (f.number == 1)
            id = pb_bytes(&r, &f, PEERID_MAX);
    return rd_done(&r) ? peerid_read(out, id) : RC_MALFORMED;
}

/* Reservation { 1 expire, 2 addrs, 3 voucher } */
static rc_t read_reservation(circuit_message_t *m, view_t bytes)
{
    rd_t r = rd_of(bytes);
    pb_field_t f;
    m->has_reservation = true;
    while (pb_next(&r, &f))
        switch (f.number) {
        case 1: m->expires_s = pb_u64(&r, &f); break;
        case 2:
            if (m->addr_count == CIRCUIT_ADDRS_MAX)
                return RC_LIMIT;
            m->addrs[m->addr_count++] = pb_bytes(&r, &f, MADDR_BYTES_MAX);
            break;
        case 3: m->voucher = pb_bytes(&r, &f, CIRCUIT_VOUCHER_MAX); break;
        default: break;
        }
    return rd_done(&r) ? RC_OK : RC_MALFORMED;
}

/* Limit { 1 duration, 2 data } */
static rc_t read_limit(circuit_limit_t *out, view_t bytes)
{
    rd_t r = rd_of(bytes);
    pb_field_t f;
    out->is_set = true;
    while (pb_next(&r, &f))
        switch (f.number) {
        case 1: out->duration_s = pb_u32(&r, &f); break;
        case 2: out->bytes = pb_u64(&r, &f); break;
        default: break;
        }
    return rd_done(&r) ? RC_OK : RC_MALFORMED;
}

static rc_t read_field(circuit_message_t *m, bool *typed, const layout_t *l, rd_t *r, const pb_field_t *f)
{
    if (f->number == TYPE) {
        const uint32_t type = pb_u32(r, f);
        if (type > CIRCUIT_STATUS - (uint32_t)l->first)
            return RC_MALFORMED;
        m->type = (circuit_type_t)(type + (uint32_t)l->first);
        *typed = true;
    } else if (f->number == PEER) {
        return read_peer(&m->peer, pb_bytes(r, f, CIRCUIT_MESSAGE_MAX));
    } else if (f->number == l->limit) {
        return read_limit(&m->limit, pb_bytes(r, f, CIRCUIT_MESSAGE_MAX));
    } else if (f->number == l->status) {
        m->status = pb_u32(r, f);
    } else if (f->number == l->reservation) {
        return read_reservation(m, pb_bytes(r, f, CIRCUIT_MESSAGE_MAX));
    }
    return RC_OK;
}

rc_t circuit_read(circuit_message_t *out, circuit_protocol_t protocol, view_t message)
{
    circuit_message_t m = { 0 };
    rd_t r = rd_of(message);
    pb_field_t f;
    bool typed = false;
    rc_t rc = message.n > CIRCUIT_MESSAGE_MAX ? RC_LIMIT : RC_OK;
    while (!rc && pb_next(&r, &f))
        rc = read_field(&m, &typed, &layouts[protocol], &r, &f);
    if (rc)
        return rc;
    if (!rd_done(&r) || !typed || (m.type == CIRCUIT_CONNECT && !m.peer.n) || (m.type == CIRCUIT_STATUS && !m.status))
        return RC_MALFORMED;
    *out = m;
    return RC_OK;
}

rc_t circuit_take(circuit_in_t *in, circuit_message_t *out, size_t *used, circuit_protocol_t protocol, view_t bytes)
{
    const size_t before = in->n, room = sizeof in->b - before, n = bytes.n < room ? bytes.n : room;
    view_t message;
    size_t all;
    if (n)
        memcpy(in->b + before, bytes.p, n);
    in->n += n;
    rc_t rc = pb_delimited(&message, &all, view_of(in->b, in->n), CIRCUIT_MESSAGE_MAX);
    if (rc == RC_NEED_DATA)
        *used = n;
    if (!rc)
        rc = circuit_read(out, protocol, message);
    if (!rc)
        *used = all - before;
    return rc;
}

static void write_reservation(wr_t *w, uint32_t number, const circuit_message_t *m)
{
    const size_t inside = pb_begin(w, number);
    pb_put_u64(w, 1, m->expires_s);
    for (size_t i = 0; i < m->addr_count; i++)
        pb_put_bytes(w, 2, m->addrs[i]);
    if (m->voucher.n)
        pb_put_bytes(w, 3, m->voucher);
    pb_end(w, inside);
}

void circuit_write(wr_t *w, circuit_protocol_t protocol, const circuit_message_t *m)
{
    const layout_t *l = &layouts[protocol];
    const size_t from = w->n;
    size_t inside;
    pb_put_u64(w, TYPE, (uint64_t)m->type - (uint64_t)l->first);
    if (m->peer.n) {
        inside = pb_begin(w, PEER);
        pb_put_bytes(w, 1, peerid_view(&m->peer));
        pb_end(w, inside);
    }
    if (m->has_reservation && l->reservation)
        write_reservation(w, l->reservation, m);
    if (m->limit.is_set) {
        inside = pb_begin(w, l->limit);
        pb_put_u64(w, 1, m->limit.duration_s);
        pb_put_u64(w, 2, m->limit.bytes);
        pb_end(w, inside);
    }
    if (m->status)
        pb_put_u64(w, l->status, m->status);
    w->bad |= w->n - from > CIRCUIT_MESSAGE_MAX;
    pb_delimit(w, from);
}

/* ---- vouchers ---- */

rc_t circuit_voucher_open(uint64_t *expires_s, view_t bytes, const peerid_t *relay, const peerid_t *peer)
{
    envelope_t envelope;
    peerid_t signer;
    view_t of = { NULL, 0 }, to = of;
    uint64_t expires = 0;
    pb_field_t f;
    rc_t rc = envelope_open(&envelope, bytes, VOUCHER_DOMAIN, view_of(voucher_type, sizeof voucher_type));
    if (rc)
        return rc;
    rd_t r = rd_of(envelope.payload);
    while (pb_next(&r, &f))
        switch (f.number) {
        case 1: of = pb_bytes(&r, &f, PEERID_MAX); break;
        case 2: to = pb_bytes(&r, &f, PEERID_MAX); break;
        case 3: expires = pb_u64(&r, &f); break;
        default: break;
        }
    if (!rd_done(&r))
        return RC_MALFORMED;
    peerid_of(&signer, &envelope.key);
    if (!peerid_eq(&signer, relay) || !view_eq(of, peerid_view(relay)) || !view_eq(to, peerid_view(peer)))
        return RC_REFUSED;
    *expires_s = expires;
    return RC_OK;
}

rc_t circuit_voucher_write(wr_t *w, const identity_t *relay, const peerid_t *peer, uint64_t expires_s)
{
    uint8_t payload[3 * (2 + PEERID_MAX)];
    wr_t p = wr_of(payload, sizeof payload);
    peerid_t id;
    peerid_of(&id, &relay->key);
    pb_put_bytes(&p, 1, peerid_view(&id));
    pb_put_bytes(&p, 2, peerid_view(peer));
    pb_put_u64(&p, 3, expires_s);
    return envelope_write(w, relay, VOUCHER_DOMAIN, view_of(voucher_type, sizeof voucher_type), wr_view(&p));
}
