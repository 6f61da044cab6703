/* First byte even: frames that read are written as bytes that read to the same. Odd: a node is driven by three bytes a
 * step; whatever happens, no message is delivered twice, and all that it says stays within its bounds. */
#include <stdlib.h>

#include "overlay/flood_wire.h"
#include "tests/fuzz/fuzz.h"

static void frame(view_t in)
{
    static uint8_t out[FLOOD_FRAME_MAX + 16], twice[FLOOD_FRAME_MAX + 16];
    static flood_frame_t f, g;
    err_t e;
    if (flood_frame_read(&f, &e, in))
        return;
    wr_t w = wr_of(out, sizeof out), again = wr_of(twice, sizeof twice);
    flood_out_t o = { .kind = f.kind, .message = &f.message, .ids = f.ids, .id_count = f.id_count };
    flood_frame_write(&w, &o);
    if (w.bad || flood_frame_read(&g, &e, wr_view(&w)))
        abort();
    o = (flood_out_t){ .kind = g.kind, .message = &g.message, .ids = g.ids, .id_count = g.id_count };
    flood_frame_write(&again, &o);
    if (!view_eq(wr_view(&w), wr_view(&again)))
        abort();
}

static ecdsa_t *ecdsa;

static rc_t sign(void *ctx, uint8_t out[64], const hash32_t *digest)
{
    uint8_t secret[32] = { 0 };
    secret[31] = *(const uint8_t *)ctx;
    return ecdsa_sign(ecdsa, out, NULL, digest, secret);
}

static void key(uint8_t out[33], uint8_t k)
{
    uint8_t secret[32] = { 0 };
    secret[31] = k;
    if (ecdsa_pubkey(ecdsa, out, secret))
        abort();
}

/* A message of one of four authors, with one of two payloads; some are not its author's. */
static void message(flood_message_t *m, uint8_t a, uint8_t b)
{
    const uint8_t author = (uint8_t)(2 + a % 4);
    hash32_t id;
    *m = (flood_message_t){ .kind = 1, .seq = b % 64, .payload = view_str(b & 0x40 ? "c" : b & 0x80 ? "a" : "b") };
    key(m->author, author);
    flood_id(&id, m);
    if (sign((void *)(uintptr_t)&author, m->signature, &id))
        abort();
    m->signature[0] ^= (uint8_t)(b & 0x40 ? 1 : 0);
}

/* Which of the 512 messages were delivered, by author (two bits tell the four keys apart), number and payload. */
static void drain(flood_t *f, uint8_t *delivered, hash32_t *said, size_t *count)
{
    flood_out_t out;
    while (flood_poll(f, &out)) {
        if (out.id_count > FLOOD_KEPT_MAX)
            abort();
        for (size_t i = 0; i < out.id_count && out.kind == FLOOD_IDS; i++)
            said[i] = out.ids[i];
        *count = out.kind == FLOOD_IDS ? out.id_count : *count;
        if (out.kind != FLOOD_DELIVER || out.message->kind != 1)
            continue;
        size_t slot =
            (size_t)out.message->author[5] / 64 * 128 + out.message->seq * 2 + (out.message->payload.p[0] == 'a');
        hash32_t id;
        flood_id(&id, out.message);
        if (delivered[slot] == id.b[0] && id.b[0])
            abort();
        delivered[slot] = id.b[0];
    }
}

static void machine(const uint8_t *data, size_t len)
{
    static const uint8_t self = 9;
    static hash32_t said[FLOOD_KEPT_MAX];
    uint8_t delivered[512] = { 0 }, peer[33];
    size_t count = 0;
    uint64_t now = 1000;
    flood_t *f = NULL;
    flood_config_t c = { .sign = sign, .sign_ctx = (void *)(uintptr_t)&self, .ecdsa = ecdsa };
    key(c.self, self);
    if (flood_new(&f, &c))
        return;
    for (size_t i = 0; i + 3 <= len && i < 600; i += 3) {
        const uint8_t a = data[i + 1], b = data[i + 2];
        flood_message_t m;
        rc_t rc = RC_OK;
        key(peer, (uint8_t)(2 + a / 4 % 4));
        switch (data[i] % 7) {
        case 0: rc = flood_connected(f, peer, now); break;
        case 1: flood_gone(f, peer); break;
        case 2: rc = flood_publish(f, NULL, 2, view_of(data + i, 1), now); break;
        case 3: now += (uint64_t)a << (b % 16); break;
        case 4: rc = flood_take_ids(f, peer, said, count, now); break;
        case 5: rc = flood_take_pull(f, peer, said, count, now); break;
        default:
            message(&m, a, b);
            rc = flood_take(f, NULL, peer, &m, now);
            if (rc == RC_OK && (b & 0x40))
                abort(); /* it is not the author's */
            break;
        }
        if (rc == RC_BUG)
            abort();
        drain(f, delivered, said, &count);
    }
    flood_free(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (!ecdsa)
        ecdsa = ecdsa_new(NULL);
    if (!len || !ecdsa)
        return 0;
    if (data[0] % 2)
        machine(data + 1, len - 1);
    else
        frame(view_of(data + 1, len - 1));
    return 0;
}
