#include "overlay/wire/identify.h"

#include "overlay/wire/proto.h"

enum { KEY = 1, ADDR = 2, PROTOCOL = 3, OBSERVED = 4, PROTOCOL_VERSION = 5, AGENT_VERSION = 6, RECORD = 8 };

/* Adds to a list with a maximum. */
static void add(view_t *list, size_t *count, size_t max, view_t v, rd_t *r)
{
    if (*count == max)
        r->bad = true;
    else if (!r->bad)
        list[(*count)++] = v;
}

static void read_field(identify_t *m, view_t *key, rd_t *r, const pb_field_t *f)
{
    switch (f->number) {
    case KEY: *key = pb_bytes(r, f, IDENTIFY_TEXT_MAX); break;
    case ADDR: add(m->addrs, &m->addr_count, IDENTIFY_ADDRS_MAX, pb_bytes(r, f, MADDR_BYTES_MAX), r); break;
    case PROTOCOL:
        add(m->protocols, &m->protocol_count, IDENTIFY_PROTOCOLS_MAX, pb_bytes(r, f, IDENTIFY_TEXT_MAX), r);
        break;
    case OBSERVED: m->observed = pb_bytes(r, f, MADDR_BYTES_MAX); break;
    case PROTOCOL_VERSION: m->protocol_version = pb_bytes(r, f, IDENTIFY_TEXT_MAX); break;
    case AGENT_VERSION: m->agent_version = pb_bytes(r, f, IDENTIFY_TEXT_MAX); break;
    case RECORD: m->signed_record = pb_bytes(r, f, IDENTIFY_RECORD_MAX); break;
    default: break;
    }
}

rc_t identify_read(identify_t *out, err_t *e, view_t message, const hostkey_t *of)
{
    identify_t m = { 0 };
    view_t key = { NULL, 0 };
    rd_t r = rd_of(message);
    pb_field_t f;
    if (message.n > IDENTIFY_MAX)
        return err_set(e, RC_LIMIT, "identify has more than %u bytes", IDENTIFY_MAX);
    while (pb_next(&r, &f))
        read_field(&m, &key, &r, &f);
    if (!rd_done(&r))
        return err_say(e, RC_MALFORMED, "identify is malformed, or has more of something than it may");
    if (key.n) {
        if (hostkey_read(&m.key, key) || !hostkey_eq(&m.key, of))
            return err_say(e, RC_REFUSED, "identify names another key than the connection's");
        m.has_key = true;
    }
    *out = m;
    return RC_OK;
}

static void put_if(wr_t *w, uint32_t number, view_t v)
{
    if (v.n)
        pb_put_bytes(w, number, v);
}

void identify_write(wr_t *w, const identify_t *m)
{
    uint8_t pb[HOSTKEY_PB_MAX];
    wr_t key = wr_of(pb, sizeof pb);
    size_t from = w->n;
    if (m->has_key) {
        hostkey_write(&key, &m->key);
        pb_put_bytes(w, KEY, wr_view(&key));
    }
    for (size_t i = 0; i < m->addr_count; i++)
        pb_put_bytes(w, ADDR, m->addrs[i]);
    for (size_t i = 0; i < m->protocol_count; i++)
        pb_put_bytes(w, PROTOCOL, m->protocols[i]);
    put_if(w, OBSERVED, m->observed);
    put_if(w, PROTOCOL_VERSION, m->protocol_version);
    put_if(w, AGENT_VERSION, m->agent_version);
    put_if(w, RECORD, m->signed_record);
    pb_delimit(w, from);
}
