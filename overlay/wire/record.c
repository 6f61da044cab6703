#include "overlay/wire/record.h"

#include "overlay/wire/proto.h"

#define RECORD_DOMAIN "libp2p-peer-record"
#define SIGNED_MAX (ENVELOPE_MAX + 128u)

static const uint8_t record_type[] = { 0x03, 0x01 };

/* What an envelope's signature is over: each part behind its length. */
static rc_t signed_bytes(wr_t *w, const char *domain, view_t type, view_t payload)
{
    const view_t parts[] = { view_str(domain), type, payload };
    for (size_t i = 0; i < 3; i++) {
        varint_put(w, parts[i].n);
        wr_bytes(w, parts[i].p, parts[i].n);
    }
    return w->bad ? RC_LIMIT : RC_OK;
}

rc_t envelope_open(envelope_t *out, view_t bytes, const char *domain, view_t type)
{
    view_t key = { NULL, 0 }, said = key, payload = key, sig = key;
    uint8_t message[SIGNED_MAX];
    wr_t w = wr_of(message, sizeof message);
    envelope_t x = { 0 };
    rd_t r = rd_of(bytes);
    pb_field_t f;
    if (bytes.n > ENVELOPE_MAX)
        return RC_LIMIT;
    while (pb_next(&r, &f))
        switch (f.number) {
        case 1: key = pb_bytes(&r, &f, HOSTKEY_PB_MAX); break;
        case 2: said = pb_bytes(&r, &f, ENVELOPE_MAX); break;
        case 3: payload = pb_bytes(&r, &f, ENVELOPE_MAX); break;
        case 5: sig = pb_bytes(&r, &f, HOSTKEY_SIG_MAX); break;
        default: break;
        }
    if (!rd_done(&r))
        return RC_MALFORMED;
    rc_t rc = hostkey_read(&x.key, key);
    if (!rc && !view_eq(said, type))
        rc = RC_REFUSED;
    if (!rc)
        rc = signed_bytes(&w, domain, type, payload);
    if (!rc)
        rc = hostkey_verify(&x.key, sig, wr_view(&w));
    x.payload = payload;
    if (!rc)
        *out = x;
    return rc;
}

rc_t envelope_write(wr_t *w, const identity_t *who, const char *domain, view_t type, view_t payload)
{
    uint8_t message[SIGNED_MAX], sig[HOSTKEY_SIG_MAX], pb[HOSTKEY_PB_MAX];
    wr_t m = wr_of(message, sizeof message), key = wr_of(pb, sizeof pb);
    size_t n = 0;
    rc_t rc = signed_bytes(&m, domain, type, payload);
    if (!rc)
        rc = who->sign(who->sign_ctx, sig, &n, wr_view(&m));
    if (rc)
        return rc;
    hostkey_write(&key, &who->key);
    pb_put_bytes(w, 1, wr_view(&key));
    pb_put_bytes(w, 2, type);
    pb_put_bytes(w, 3, payload);
    pb_put_bytes(w, 5, view_of(sig, n));
    return w->bad ? RC_LIMIT : RC_OK;
}

/* AddressInfo { 1 multiaddr }. Addresses that this node does not speak are passed over. */
static rc_t read_addr(record_t *x, view_t info)
{
    rd_t r = rd_of(info);
    pb_field_t f;
    view_t bytes = { NULL, 0 };
    while (pb_next(&r, &f))
        if (f.number == 1)
            bytes = pb_bytes(&r, &f, ENVELOPE_MAX);
    if (!rd_done(&r))
        return RC_MALFORMED;
    if (x->addr_count == RECORD_ADDRS_MAX)
        return RC_LIMIT;
    rc_t rc = maddr_read(&x->addrs[x->addr_count], bytes);
    if (!rc)
        x->addr_count++;
    return rc == RC_UNSUPPORTED ? RC_OK : rc;
}

static rc_t read_record(record_t *x, view_t payload)
{
    view_t id = { NULL, 0 };
    rd_t r = rd_of(payload);
    pb_field_t f;
    rc_t rc = RC_OK;
    while (!rc && pb_next(&r, &f))
        switch (f.number) {
        case 1: id = pb_bytes(&r, &f, PEERID_MAX); break;
        case 2: x->seq = pb_u64(&r, &f); break;
        case 3: rc = read_addr(x, pb_bytes(&r, &f, ENVELOPE_MAX)); break;
        default: break;
        }
    if (rc)
        return rc;
    return rd_done(&r) ? peerid_read(&x->id, id) : RC_MALFORMED;
}

rc_t record_open(record_t *out, view_t bytes)
{
    envelope_t envelope;
    record_t x = { 0 };
    peerid_t of_key;
    rc_t rc = envelope_open(&envelope, bytes, RECORD_DOMAIN, view_of(record_type, sizeof record_type));
    if (!rc)
        rc = read_record(&x, envelope.payload);
    if (rc)
        return rc;
    peerid_of(&of_key, &envelope.key);
    if (!peerid_eq(&of_key, &x.id))
        return RC_REFUSED;
    *out = x;
    return RC_OK;
}

rc_t record_write(wr_t *w, const identity_t *who, const record_t *r)
{
    uint8_t payload[ENVELOPE_MAX / 2], addr[MADDR_BYTES_MAX];
    wr_t p = wr_of(payload, sizeof payload);
    peerid_t id;
    peerid_of(&id, &who->key);
    pb_put_bytes(&p, 1, peerid_view(&id));
    pb_put_u64(&p, 2, r->seq);
    for (size_t i = 0; i < r->addr_count; i++) {
        wr_t a = wr_of(addr, sizeof addr);
        maddr_write(&a, &r->addrs[i]);
        size_t info = pb_begin(&p, 3);
        pb_put_bytes(&p, 1, wr_view(&a));
        pb_end(&p, info);
    }
    if (p.bad)
        return RC_LIMIT;
    return envelope_write(w, who, RECORD_DOMAIN, view_of(record_type, sizeof record_type), wr_view(&p));
}
