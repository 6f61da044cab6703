#include "overlay/bracha_wire.h"

#include "overlay/wire/proto.h"

enum { SEND = 1, VOTE = 2, CERT = 3 };
enum { ORDER = 1, SENDER = 2, SEQ = 3, BOOT = 4, KIND = 5, PAYLOAD = 6, SIGNATURE = 7, AGAIN = 8 };
enum { STEP = 1, INSTANCE = 2, HASH = 3, VOTE_SIGNATURE = 4 };
enum { CERT_INSTANCE = 1, CERT_HASH = 2, SHARE = 3 };
enum { SEAT = 1, SHARE_SIGNATURE = 2 };

static unsigned bit(uint32_t number)
{
    return number < 32 ? 1u << number : 0;
}

/* Notes that a field came; one that comes twice turns r bad. */
static void note(unsigned *seen, rd_t *r, uint32_t number)
{
    r->bad = r->bad || (*seen & bit(number));
    *seen |= bit(number);
}

static void read_boot(bracha_send_t *s, rd_t *r, const pb_field_t *f)
{
    if (s->boot_count == ORDER_SEATS_MAX) {
        r->bad = true;
        return;
    }
    if (pb_bytes(r, f, 33).n)
        pb_copy(r, f, s->boots[s->boot_count], 33);
    s->boot_count++;
}

static void read_send_field(bracha_send_t *s, unsigned *seen, rd_t *r, const pb_field_t *f)
{
    if (f->number != BOOT)
        note(seen, r, f->number);
    switch (f->number) {
    case ORDER: pb_copy(r, f, s->order.b, sizeof s->order.b); break;
    case SENDER: pb_copy(r, f, s->sender, sizeof s->sender); break;
    case SEQ: s->seq = pb_u64(r, f); break;
    case BOOT: read_boot(s, r, f); break;
    case KIND: s->kind = pb_u32(r, f); break;
    case PAYLOAD: s->payload = pb_bytes(r, f, BRACHA_PAYLOAD_MAX); break;
    case SIGNATURE: pb_copy(r, f, s->signature, sizeof s->signature); break;
    case AGAIN: pb_copy(r, f, s->again.b, sizeof s->again.b); break;
    default: break;
    }
}

static bool read_send(bracha_send_t *s, view_t in)
{
    const unsigned required = bit(ORDER) | bit(SENDER) | bit(SEQ) | bit(KIND) | bit(PAYLOAD) | bit(SIGNATURE);
    unsigned seen = 0;
    rd_t r = rd_of(in);
    pb_field_t f;
    while (pb_next(&r, &f))
        read_send_field(s, &seen, &r, &f);
    return rd_done(&r) && (seen & required) == required && s->boot_count >= ORDER_SEATS_MIN;
}

static bool read_vote(bracha_vote_t *v, view_t in)
{
    const unsigned required = bit(STEP) | bit(INSTANCE) | bit(HASH);
    unsigned seen = 0;
    rd_t r = rd_of(in);
    pb_field_t f;
    uint32_t step = 0;
    while (pb_next(&r, &f)) {
        note(&seen, &r, f.number);
        switch (f.number) {
        case STEP: step = pb_u32(&r, &f); break;
        case INSTANCE: pb_copy(&r, &f, v->instance.b, sizeof v->instance.b); break;
        case HASH: pb_copy(&r, &f, v->hash.b, sizeof v->hash.b); break;
        case VOTE_SIGNATURE: pb_copy(&r, &f, v->signature, sizeof v->signature); break;
        default: break;
        }
    }
    if (!rd_done(&r) || (seen & required) != required || step < BRACHA_ECHO || step > BRACHA_DELIVERED)
        return false;
    v->step = (bracha_step_t)step;
    return (step == BRACHA_READY) == ((seen & bit(VOTE_SIGNATURE)) != 0);
}

static void read_share(bracha_cert_t *c, rd_t *r, const pb_field_t *in)
{
    rd_t inner = rd_of(pb_bytes(r, in, 128));
    unsigned seen = 0;
    uint32_t seat = 0;
    bracha_share_t share;
    pb_field_t f;
    while (pb_next(&inner, &f)) {
        note(&seen, &inner, f.number);
        if (f.number == SEAT)
            seat = pb_u32(&inner, &f);
        else if (f.number == SHARE_SIGNATURE)
            pb_copy(&inner, &f, share.signature, sizeof share.signature);
    }
    const unsigned both = bit(SEAT) | bit(SHARE_SIGNATURE);
    if (!rd_done(&inner) || (seen & both) != both || seat >= ORDER_SEATS_MAX || c->count == ORDER_SEATS_MAX ||
        (c->count && c->shares[c->count - 1].seat >= seat)) {
        r->bad = true;
        return;
    }
    share.seat = (uint8_t)seat;
    c->shares[c->count++] = share;
}

static bool read_cert(bracha_cert_t *c, view_t in)
{
    const unsigned required = bit(CERT_INSTANCE) | bit(CERT_HASH);
    unsigned seen = 0;
    rd_t r = rd_of(in);
    pb_field_t f;
    while (pb_next(&r, &f)) {
        if (f.number != SHARE)
            note(&seen, &r, f.number);
        switch (f.number) {
        case CERT_INSTANCE: pb_copy(&r, &f, c->instance.b, sizeof c->instance.b); break;
        case CERT_HASH: pb_copy(&r, &f, c->hash.b, sizeof c->hash.b); break;
        case SHARE: read_share(c, &r, &f); break;
        default: break;
        }
    }
    return rd_done(&r) && (seen & required) == required;
}

rc_t bracha_frame_read(bracha_frame_t *out, err_t *e, view_t frame)
{
    bracha_frame_t m = { .kind = BRACHA_OUT_SEND };
    rd_t r = rd_of(frame);
    pb_field_t f;
    uint32_t kind = 0;
    bool good = true;
    if (frame.n > BRACHA_FRAME_MAX)
        return err_set(e, RC_LIMIT, "a broadcast frame has more than %u bytes", BRACHA_FRAME_MAX);
    while (pb_next(&r, &f)) {
        if (f.number > CERT)
            continue;
        good = good && !kind;
        kind = f.number;
        const view_t in = pb_bytes(&r, &f, BRACHA_FRAME_MAX);
        good = good && (kind == SEND   ? read_send(&m.send, in)
                        : kind == VOTE ? read_vote(&m.vote, in)
                                       : read_cert(&m.cert, in));
    }
    if (!rd_done(&r) || !kind || !good)
        return err_say(e, RC_MALFORMED, "a broadcast frame is malformed");
    m.kind = kind == SEND ? BRACHA_OUT_SEND : kind == VOTE ? BRACHA_OUT_VOTE : BRACHA_OUT_CERT;
    *out = m;
    return RC_OK;
}

static void put_hash(wr_t *w, uint32_t number, const hash32_t *h)
{
    pb_put_bytes(w, number, view_of(h->b, sizeof h->b));
}

static void write_send(wr_t *w, const bracha_send_t *s)
{
    static const uint8_t none[33];
    put_hash(w, ORDER, &s->order);
    pb_put_bytes(w, SENDER, view_of(s->sender, sizeof s->sender));
    pb_put_u64(w, SEQ, s->seq);
    for (size_t i = 0; i < s->boot_count; i++)
        pb_put_bytes(w, BOOT, view_of(s->boots[i], memcmp(s->boots[i], none, sizeof none) ? sizeof none : 0));
    pb_put_u64(w, KIND, s->kind);
    pb_put_bytes(w, PAYLOAD, s->payload);
    pb_put_bytes(w, SIGNATURE, view_of(s->signature, sizeof s->signature));
    if (!hash32_is_zero(&s->again))
        put_hash(w, AGAIN, &s->again);
}

static void write_vote(wr_t *w, const bracha_vote_t *v)
{
    pb_put_u64(w, STEP, v->step);
    put_hash(w, INSTANCE, &v->instance);
    put_hash(w, HASH, &v->hash);
    if (v->step == BRACHA_READY)
        pb_put_bytes(w, VOTE_SIGNATURE, view_of(v->signature, sizeof v->signature));
}

static void write_cert(wr_t *w, const bracha_cert_t *c)
{
    put_hash(w, CERT_INSTANCE, &c->instance);
    put_hash(w, CERT_HASH, &c->hash);
    for (size_t i = 0; i < c->count; i++) {
        const size_t mark = pb_begin(w, SHARE);
        pb_put_u64(w, SEAT, c->shares[i].seat);
        pb_put_bytes(w, SHARE_SIGNATURE, view_of(c->shares[i].signature, sizeof c->shares[i].signature));
        pb_end(w, mark);
    }
}

void bracha_frame_write(wr_t *w, const bracha_out_t *out)
{
    const uint32_t kind = out->kind == BRACHA_OUT_SEND ? SEND : out->kind == BRACHA_OUT_VOTE ? VOTE : CERT;
    const size_t mark = pb_begin(w, kind);
    if (kind == SEND)
        write_send(w, &out->send);
    else if (kind == VOTE)
        write_vote(w, &out->vote);
    else
        write_cert(w, &out->cert);
    pb_end(w, mark);
}
