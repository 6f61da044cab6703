/* A node with three lines is driven by three bytes a step: frames of peers and of authors behind them, honest and not,
 * lines that come and go, a receiver that is busy. Whatever happens, no relayed message is delivered or handed on twice
 * on one line, nothing under a bad signature or without its session is delivered, and nothing takes more than its
 * bounds. */
#include <stdlib.h>

#include "overlay/messages.h"
#include "tests/fuzz/fuzz.h"

#define LINES 3u
#define AUTHORS 4u

static ecdsa_t *ecdsa;
static uint8_t keys[LINES + AUTHORS + 1][33]; /* of secrets 1, 2, .. */
static messages_t *m;
static uint64_t value[LINES], next[LINES]; /* what the peers count */
static bool up[LINES], said[LINES], busy, wanted;
static bool delivered[AUTHORS + LINES][256];

static rc_t sign_as(uint8_t out[64], const hash32_t *digest, size_t who)
{
    uint8_t secret[32] = { 0 };
    secret[31] = (uint8_t)(who + 1);
    return ecdsa_sign(ecdsa, out, NULL, digest, secret);
}

static rc_t sign(void *ctx, uint8_t out[64], const hash32_t *digest)
{
    (void)ctx;
    return sign_as(out, digest, LINES + AUTHORS);
}

static void draw(void *ctx, void *out, size_t n)
{
    (void)ctx;
    memset(out, 0x10, n);
}

static rc_t send_frame(void *ctx, uint64_t line, view_t frame)
{
    msg_frame_t f;
    (void)ctx;
    if (line < 1 || line > LINES || !up[line - 1] || frame.n > MSG_FRAME_MAX || msg_frame_read(&f, NULL, frame))
        abort();
    if (f.is_hello)
        said[line - 1] = true;
    else if (memcmp(f.author, keys[line - 1], 33) == 0)
        abort(); /* back to its author */
    return RC_OK;
}

static bool take(void *ctx, const message_t *got)
{
    size_t who = 0;
    (void)ctx;
    while (who < LINES + AUTHORS && memcmp(keys[who], got->author, 33) != 0)
        who++;
    if (who == LINES + AUTHORS || !wanted)
        abort();
    if (busy)
        return false;
    if (got->seq && delivered[who][got->seq % 256])
        abort();
    delivered[who][got->seq % 256] = got->seq != 0;
    return true;
}

/* A frame on a line; b: 1 relayed, 2 of an author behind the peer, 4 a bad signature, 8 a nonce out of turn. */
static void frame(size_t line, uint8_t a, uint8_t b)
{
    uint8_t buf[512];
    wr_t w = wr_of(buf, sizeof buf);
    hash32_t digest;
    const bool relayed = b & 1, bad = relayed && (b & 4), astray = b & 8;
    const size_t who = b & 2 ? LINES + a % AUTHORS : line;
    msg_frame_t f = { .nonce = value[line] + next[line] + (astray ? a : 0), .type = view_str(relayed ? "r" : "d") };
    f.payload = view_of(&a, 1);
    f.relayed = relayed;
    f.seq = 1 + a / 4;
    f.has_author = relayed && (b & 2);
    memcpy(f.author, keys[who], 33);
    msg_digest(&digest, &f, keys[who]);
    if (relayed && sign_as(f.signature, &digest, who))
        abort();
    f.signature[5] ^= bad;
    msg_frame_write(&w, &f);
    wanted = up[line] && !bad;
    const rc_t rc = messages_take(m, NULL, line + 1, wr_view(&w));
    wanted = false;
    if ((rc == RC_OK || rc == RC_NEED_DATA) && bad && next[line] != UINT64_MAX)
        abort();
    if (rc == RC_OK && !astray)
        next[line]++;
    if (rc == RC_NEED_DATA) { /* the same again, with time */
        busy = false;
        wanted = true;
        if (messages_take(m, NULL, line + 1, wr_view(&w)))
            abort();
        wanted = false;
        next[line] += !astray;
    }
}

static void step(uint8_t op, uint8_t a, uint8_t b)
{
    const size_t line = a % LINES;
    uint8_t buf[16];
    wr_t w = wr_of(buf, sizeof buf);
    msg_frame_t hello = { .is_hello = true, .session = 0x4000 + b };
    uint64_t all[LINES];
    size_t n = 0;
    for (size_t i = 0; i < LINES; i++)
        if (up[i])
            all[n++] = i + 1;
    const message_out_t out = { .type = b % 2 ? "r" : "d", .payload = view_of(&b, 1) };
    switch (op % 6) {
    case 0:
        up[line] = true;
        if (messages_up(m, line + 1, keys[line]))
            abort();
        if (!said[line])
            abort();
        break;
    case 1:
        messages_gone(m, line + 1);
        up[line] = said[line] = false;
        next[line] = 0;
        break;
    case 2:
        if (!up[line])
            break;
        msg_frame_write(&w, &hello);
        if (!messages_take(m, NULL, line + 1, wr_view(&w)) && messages_ready(m, line + 1))
            value[line] = hello.session > 0x1010101010101010ull ? hello.session : 0x1010101010101010ull;
        break;
    case 3: busy = b % 2; break;
    case 4:
        if (messages_send(m, NULL, NULL, all, n, &out) == RC_BUG)
            abort();
        break;
    default: frame(line, b, a / LINES);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    err_t e;
    if (!ecdsa) {
        ecdsa = ecdsa_new(NULL);
        for (size_t i = 0; i <= LINES + AUTHORS; i++) {
            uint8_t secret[32] = { 0 };
            secret[31] = (uint8_t)(i + 1);
            if (ecdsa_pubkey(ecdsa, keys[i], secret))
                abort();
        }
    }
    memset(up, 0, sizeof up);
    memset(said, 0, sizeof said);
    memset(next, 0, sizeof next);
    memset(value, 0, sizeof value);
    memset(delivered, 0, sizeof delivered);
    busy = wanted = false;
    messages_config_t c = { .sign = sign, .ecdsa = ecdsa, .random = draw, .send = send_frame };
    memcpy(c.self, keys[LINES + AUTHORS], 33);
    const message_type_t relayed = { .name = "r", .relayed = true, .take = take },
                         direct = { .name = "d", .take = take };
    if (messages_new(&m, &c))
        return 0;
    if (messages_register(m, &e, &relayed) || messages_register(m, &e, &direct))
        abort();
    for (size_t i = 0; i + 3 <= len && i < 300; i += 3)
        step(data[i], data[i + 1], data[i + 2]);
    messages_free(m);
    return 0;
}
