#include "overlay/msg_wire.h"

#include "base/crypto/hash.h"
#include "overlay/wire/proto.h"

enum { NONCE = 1, TYPE = 2, MODE = 3, PAYLOAD = 4, AUTHOR = 5, SIGNATURE = 6, GROUP = 7, SEQ = 8 };

static unsigned bit(uint32_t number)
{
    return number < 32 ? 1u << number : 0;
}

bool msg_type_is(view_t name)
{
    if (name.n < 1 || name.n > MSG_TYPE_MAX)
        return false;
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] <= ' ' || name.p[i] > '~')
            return false;
    return true;
}

static void read_field(msg_frame_t *m, rd_t *r, const pb_field_t *f)
{
    switch (f->number) {
    case NONCE: m->nonce = pb_fixed64(r, f); break;
    case TYPE: m->type = pb_bytes(r, f, MSG_TYPE_MAX); break;
    case MODE: m->mode = (msg_mode_t)pb_u32(r, f); break;
    case PAYLOAD: m->payload = pb_bytes(r, f, MSG_FRAME_MAX); break;
    case AUTHOR: pb_copy(r, f, m->author, sizeof m->author); break;
    case SIGNATURE: pb_copy(r, f, m->signature, sizeof m->signature); break;
    case GROUP: pb_copy(r, f, m->group, sizeof m->group); break;
    case SEQ: m->seq = pb_u64(r, f); break;
    default: break;
    }
}

/* Whether the members that came make one message. */
static bool fits(const msg_frame_t *m, unsigned seen)
{
    const unsigned required = bit(NONCE) | bit(TYPE) | bit(MODE) | bit(PAYLOAD), signs = bit(SIGNATURE) | bit(SEQ);
    if ((seen & required) != required || !msg_type_is(m->type) || m->mode > MSG_GROUP)
        return false;
    if ((seen & signs) && (seen & signs) != signs)
        return false;
    if ((seen & bit(AUTHOR)) && !(seen & signs))
        return false;
    return (m->mode == MSG_GROUP) == ((seen & bit(GROUP)) != 0);
}

rc_t msg_frame_read(msg_frame_t *out, err_t *e, view_t frame)
{
    msg_frame_t m = { .nonce = 0 };
    unsigned seen = 0;
    rd_t r = rd_of(frame);
    pb_field_t f;
    if (frame.n > MSG_FRAME_MAX)
        return err_set(e, RC_LIMIT, "a message's frame has more than %u bytes", MSG_FRAME_MAX);
    while (pb_next(&r, &f)) {
        r.bad = r.bad || (seen & bit(f.number));
        seen |= bit(f.number);
        read_field(&m, &r, &f);
    }
    const unsigned known = bit(SEQ + 1) - 2;
    m.is_hello = (seen & known) == bit(NONCE);
    if (!rd_done(&r) || (!m.is_hello && !fits(&m, seen)))
        return err_say(e, RC_MALFORMED, "a message's frame is malformed");
    m.session = m.is_hello ? m.nonce : 0;
    m.relayed = (seen & bit(SEQ)) != 0;
    m.has_author = (seen & bit(AUTHOR)) != 0;
    *out = m;
    return RC_OK;
}

void msg_frame_write(wr_t *w, const msg_frame_t *m)
{
    pb_put_fixed64(w, NONCE, m->is_hello ? m->session : m->nonce);
    if (m->is_hello)
        return;
    pb_put_bytes(w, TYPE, m->type);
    pb_put_u64(w, MODE, m->mode);
    pb_put_bytes(w, PAYLOAD, m->payload);
    if (m->has_author)
        pb_put_bytes(w, AUTHOR, view_of(m->author, sizeof m->author));
    if (m->relayed)
        pb_put_bytes(w, SIGNATURE, view_of(m->signature, sizeof m->signature));
    if (m->mode == MSG_GROUP)
        pb_put_bytes(w, GROUP, view_of(m->group, sizeof m->group));
    if (m->relayed)
        pb_put_u64(w, SEQ, m->seq);
}

void msg_digest(hash32_t *out, const msg_frame_t *m, const uint8_t author[33])
{
    static const uint8_t tag[16] = "kettle-msg/1", none[MSG_GROUP_LEN];
    uint8_t head[16 + 33 + 8 + 1 + MSG_GROUP_LEN + 1 + MSG_TYPE_MAX];
    wr_t w = wr_of(head, sizeof head);
    wr_bytes(&w, tag, sizeof tag);
    wr_bytes(&w, author, 33);
    wr_be(&w, m->seq, 8);
    wr_u8(&w, (uint8_t)m->mode);
    wr_bytes(&w, m->mode == MSG_GROUP ? m->group : none, MSG_GROUP_LEN);
    wr_u8(&w, (uint8_t)m->type.n);
    wr_bytes(&w, m->type.p, m->type.n);
    const view_t parts[] = { wr_view(&w), m->payload };
    sha256_parts(out, parts, 2);
}

void msg_ad(wr_t *w, const uint8_t author[33], view_t type, uint64_t number)
{
    wr_bytes(w, author, 33);
    wr_bytes(w, type.p, type.n);
    wr_be(w, number, 8);
}
