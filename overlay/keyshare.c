#include "overlay/keyshare.h"

#include "overlay/wire/proto.h"

enum { ID = 1, CLUSTER = 2, HAVE_VERSION = 3, HAVE_INDEX = 4, ORDER = 5, REQUEST_EPHEMERAL = 6 };
enum { STATUS = 2, ENTRY = 3, EPHEMERAL = 4, SEALED = 5, COMMIT = 6, DRAFT = 7, BOOTSTRAP = 8, ENTRY_ORDER = 9 };
enum { ACK_KEY = 1, ACK_SIGNATURE = 2 };

static unsigned bit(uint32_t number)
{
    return number < 32 ? 1u << number : 0;
}

/* Notes that a field came; one that comes twice turns r bad. */
static void note(unsigned *seen, rd_t *r, uint32_t number)
{
    if (*seen & bit(number))
        r->bad = true;
    *seen |= bit(number);
}

const char *keyshare_status_name(keyshare_status_t status)
{
    switch (status) {
    case KEYSHARE_OK: return "OK";
    case KEYSHARE_NOT_HOLDER: return "NOT_HOLDER";
    case KEYSHARE_ORDER_DIFFERS: return "ORDER_DIFFERS";
    case KEYSHARE_WRONG_CLUSTER: return "WRONG_CLUSTER";
    case KEYSHARE_EVIDENCE_EXPIRED: return "EVIDENCE_EXPIRED";
    case KEYSHARE_BUSY: return "BUSY";
    }
    return "UNKNOWN";
}

/* ---- the request ---- */

rc_t keyshare_request_read(keyshare_request_t *out, err_t *e, view_t message)
{
    const unsigned required = bit(ID) | bit(ORDER) | bit(REQUEST_EPHEMERAL), name = bit(HAVE_VERSION) | bit(HAVE_INDEX);
    keyshare_request_t m = { .has_cluster = false };
    unsigned seen = 0;
    rd_t r = rd_of(message);
    pb_field_t f;
    if (message.n > KEYSHARE_REQUEST_MAX)
        return err_set(e, RC_LIMIT, "a key request has more than %u bytes", KEYSHARE_REQUEST_MAX);
    while (pb_next(&r, &f)) {
        note(&seen, &r, f.number);
        switch (f.number) {
        case ID: pb_copy(&r, &f, m.id, sizeof m.id); break;
        case CLUSTER: pb_copy(&r, &f, m.cluster, sizeof m.cluster); break;
        case HAVE_VERSION: m.version = pb_u64(&r, &f); break;
        case HAVE_INDEX: m.index = pb_u32(&r, &f); break;
        case ORDER: pb_copy(&r, &f, m.order.b, sizeof m.order.b); break;
        case REQUEST_EPHEMERAL: pb_copy(&r, &f, m.ephemeral, sizeof m.ephemeral); break;
        default: break;
        }
    }
    if (!rd_done(&r))
        return err_say(e, RC_MALFORMED, "a key request is malformed");
    if ((seen & required) != required || ((seen & name) && (seen & name) != name))
        return err_say(e, RC_MALFORMED, "a key request lacks a member");
    m.has_cluster = (seen & bit(CLUSTER)) != 0;
    m.has_name = (seen & name) != 0;
    *out = m;
    return RC_OK;
}

void keyshare_request_write(wr_t *w, const keyshare_request_t *m)
{
    pb_put_bytes(w, ID, view_of(m->id, sizeof m->id));
    if (m->has_cluster)
        pb_put_bytes(w, CLUSTER, view_of(m->cluster, sizeof m->cluster));
    if (m->has_name) {
        pb_put_u64(w, HAVE_VERSION, m->version);
        pb_put_u64(w, HAVE_INDEX, m->index);
    }
    pb_put_bytes(w, ORDER, view_of(m->order.b, sizeof m->order.b));
    pb_put_bytes(w, REQUEST_EPHEMERAL, view_of(m->ephemeral, sizeof m->ephemeral));
}

/* ---- the share ---- */

static void read_ack(keyshare_t *m, rd_t *r, const pb_field_t *in)
{
    rd_t inner = rd_of(pb_bytes(r, in, 128));
    unsigned seen = 0;
    pb_field_t f;
    if (m->ack_count == ENTRY_MEMBERS_MAX) {
        r->bad = true;
        return;
    }
    while (pb_next(&inner, &f)) {
        note(&seen, &inner, f.number);
        if (f.number == ACK_KEY)
            pb_copy(&inner, &f, m->acks[m->ack_count].key, 33);
        else if (f.number == ACK_SIGNATURE)
            pb_copy(&inner, &f, m->acks[m->ack_count].signature, 64);
    }
    if (!rd_done(&inner) || seen != (bit(ACK_KEY) | bit(ACK_SIGNATURE)))
        r->bad = true;
    m->ack_count++;
}

static void read_field(keyshare_t *m, unsigned *seen, rd_t *r, const pb_field_t *f)
{
    if (f->number != COMMIT)
        note(seen, r, f->number);
    switch (f->number) {
    case ID: pb_copy(r, f, m->id, sizeof m->id); break;
    case STATUS: m->status = (keyshare_status_t)pb_u32(r, f); break;
    case ENTRY: m->entry = pb_bytes(r, f, ENTRY_MAX); break;
    case EPHEMERAL: pb_copy(r, f, m->ephemeral, sizeof m->ephemeral); break;
    case SEALED: pb_copy(r, f, m->sealed, sizeof m->sealed); break;
    case COMMIT: read_ack(m, r, f); break;
    case DRAFT: m->draft = pb_u32(r, f) != 0; break;
    case BOOTSTRAP: m->bootstrap = pb_bytes(r, f, ENTRY_MAX); break;
    case ENTRY_ORDER: m->order = pb_bytes(r, f, ORDER_SIGNED_MAX); break;
    default: break;
    }
}

/* Whether a status is one, and what it needs is there, and nothing else. */
static bool fits(const keyshare_t *m, unsigned seen)
{
    const unsigned share = bit(ENTRY) | bit(EPHEMERAL) | bit(SEALED);
    const unsigned all = share | bit(DRAFT) | bit(BOOTSTRAP) | bit(ENTRY_ORDER);
    if (!(seen & bit(ID)) || !(seen & bit(STATUS)) || m->status > KEYSHARE_BUSY || m->status == 4)
        return false;
    return m->status == KEYSHARE_OK ? (seen & share) == share : !(seen & all) && !m->ack_count;
}

rc_t keyshare_read(keyshare_t *out, err_t *e, view_t message)
{
    keyshare_t m = { .status = KEYSHARE_OK };
    unsigned seen = 0;
    rd_t r = rd_of(message);
    pb_field_t f;
    if (message.n > KEYSHARE_MAX)
        return err_set(e, RC_LIMIT, "a key share has more than %u bytes", KEYSHARE_MAX);
    while (pb_next(&r, &f))
        read_field(&m, &seen, &r, &f);
    if (!rd_done(&r))
        return err_say(e, RC_MALFORMED, "a key share is malformed");
    if (!fits(&m, seen))
        return err_say(e, RC_MALFORMED, "a key share lacks a member, or has one that its status does not allow");
    *out = m;
    return RC_OK;
}

static void put_if(wr_t *w, uint32_t number, view_t v)
{
    if (v.n)
        pb_put_bytes(w, number, v);
}

/* Fields 6 to 9. */
static void put_rest(wr_t *w, const keyshare_t *m)
{
    for (size_t i = 0; i < m->ack_count; i++) {
        const size_t mark = pb_begin(w, COMMIT);
        pb_put_bytes(w, ACK_KEY, view_of(m->acks[i].key, 33));
        pb_put_bytes(w, ACK_SIGNATURE, view_of(m->acks[i].signature, 64));
        pb_end(w, mark);
    }
    if (m->draft)
        pb_put_u64(w, DRAFT, 1);
    put_if(w, BOOTSTRAP, m->bootstrap);
    put_if(w, ENTRY_ORDER, m->order);
}

void keyshare_write(wr_t *w, const keyshare_t *m)
{
    pb_put_bytes(w, ID, view_of(m->id, sizeof m->id));
    pb_put_u64(w, STATUS, m->status);
    if (m->status != KEYSHARE_OK)
        return;
    pb_put_bytes(w, ENTRY, m->entry);
    pb_put_bytes(w, EPHEMERAL, view_of(m->ephemeral, sizeof m->ephemeral));
    pb_put_bytes(w, SEALED, view_of(m->sealed, sizeof m->sealed));
    put_rest(w, m);
}

rc_t keyshare_proof(entry_proof_t *out, err_t *e, const keyshare_t *m)
{
    entry_proof_t p = { .has_order = m->order.n != 0, .ack_count = m->ack_count };
    rc_t rc = entry_read(&p.entry, e, m->entry);
    if (!rc && p.has_order)
        rc = order_read(&p.order, e, m->order);
    if (rc)
        return rc;
    for (size_t i = 0; i < m->ack_count; i++) {
        p.acks[i].g = p.entry.g;
        memcpy(p.acks[i].key, m->acks[i].key, sizeof p.acks[i].key);
        memcpy(p.acks[i].signature, m->acks[i].signature, sizeof p.acks[i].signature);
    }
    *out = p;
    return RC_OK;
}

void keyshare_ad(wr_t *w, const keyshare_t *m)
{
    pb_put_bytes(w, ID, view_of(m->id, sizeof m->id));
    pb_put_bytes(w, ENTRY, m->entry);
    put_rest(w, m);
}

void keyshare_info(uint8_t out[KEYSHARE_INFO_LEN], const uint8_t id[KEYSHARE_ID_LEN],
                   const uint8_t requester[X25519_LEN], const uint8_t sharer[X25519_LEN])
{
    wr_t w = wr_of(out, KEYSHARE_INFO_LEN);
    wr_bytes(&w, "kettle-keyshare/1", 17);
    wr_bytes(&w, id, KEYSHARE_ID_LEN);
    wr_bytes(&w, requester, X25519_LEN);
    wr_bytes(&w, sharer, X25519_LEN);
}
