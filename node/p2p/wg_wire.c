#include "node/p2p/wg_wire.h"

#include "base/crypto/hash.h"
#include "overlay/wire/proto.h"

#define TAG "kettle-wg/1\0\0\0\0\0" /* 16 bytes */

enum { PUBKEY = 1, PORT = 2, INDEX = 3, CONTRACT = 4, BLOCK = 5, SIGNATURE = 6 };

#define BIT(n) (1u << (n))
#define ALL (BIT(SIGNATURE + 1) - 2)

/* A number within bounds; r turns bad otherwise. */
static uint32_t number(rd_t *r, const pb_field_t *f, uint32_t max)
{
    const uint32_t x = pb_u32(r, f);
    r->bad = r->bad || !x || x > max;
    return x;
}

static void read_field(wg_message_t *m, rd_t *r, const pb_field_t *f)
{
    switch (f->number) {
    case PUBKEY: pb_copy(r, f, m->pubkey, sizeof m->pubkey); break;
    case PORT: m->port = (uint16_t)number(r, f, UINT16_MAX); break;
    case INDEX: m->index = (uint8_t)number(r, f, WG_PEERS_MAX); break;
    case CONTRACT: pb_copy(r, f, m->contract.b, sizeof m->contract.b); break;
    case BLOCK: m->block_number = pb_u64(r, f); break;
    case SIGNATURE: pb_copy(r, f, m->signature, sizeof m->signature); break;
    default: break;
    }
}

rc_t wg_message_read(wg_message_t *out, err_t *e, view_t message)
{
    wg_message_t m = { .port = 0 };
    unsigned seen = 0;
    rd_t r = rd_of(message);
    pb_field_t f;
    if (message.n > WG_MESSAGE_MAX)
        return err_set(e, RC_LIMIT, "a WireGuard message has more than %u bytes", WG_MESSAGE_MAX);
    while (pb_next(&r, &f)) {
        const unsigned bit = f.number <= SIGNATURE ? BIT(f.number) : 0;
        r.bad = r.bad || (seen & bit);
        seen |= bit;
        read_field(&m, &r, &f);
    }
    if (!rd_done(&r) || seen != ALL)
        return err_say(e, RC_MALFORMED, "a WireGuard message is malformed");
    *out = m;
    return RC_OK;
}

void wg_message_write(wr_t *w, const wg_message_t *m)
{
    pb_put_bytes(w, PUBKEY, view_of(m->pubkey, sizeof m->pubkey));
    pb_put_u64(w, PORT, m->port);
    pb_put_u64(w, INDEX, m->index);
    pb_put_bytes(w, CONTRACT, view_of(m->contract.b, sizeof m->contract.b));
    pb_put_u64(w, BLOCK, m->block_number);
    pb_put_bytes(w, SIGNATURE, view_of(m->signature, sizeof m->signature));
}

void wg_message_digest(hash32_t *out, const wg_message_t *m, const uint8_t channel[32], const uint8_t static_key[33])
{
    uint8_t bytes[16 + 32 + 33 + 20 + WG_KEY_LEN + 2 + 1 + 8];
    wr_t w = wr_of(bytes, sizeof bytes);
    wr_bytes(&w, TAG, 16);
    wr_bytes(&w, channel, 32);
    wr_bytes(&w, static_key, 33);
    wr_bytes(&w, m->contract.b, sizeof m->contract.b);
    wr_bytes(&w, m->pubkey, sizeof m->pubkey);
    wr_be(&w, m->port, 2);
    wr_u8(&w, m->index);
    wr_be(&w, m->block_number, 8);
    sha256(out, wr_view(&w));
}
