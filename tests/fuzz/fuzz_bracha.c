/* First byte even: frames that read are written as bytes that read to the same. Odd: a node with a seat of four is driven
 * by four bytes a step, the other three seats say what the bytes say; it never votes for two messages of one instance. */
#include <stdlib.h>

#include "overlay/bracha_wire.h"
#include "tests/fuzz/fuzz.h"

static void frame(view_t in)
{
    static uint8_t bytes[BRACHA_FRAME_MAX + 16], twice[BRACHA_FRAME_MAX + 16];
    static bracha_frame_t f, g;
    err_t e;
    if (bracha_frame_read(&f, &e, in))
        return;
    wr_t w = wr_of(bytes, sizeof bytes), again = wr_of(twice, sizeof twice);
    bracha_out_t o = { .kind = f.kind, .send = f.send, .vote = f.vote, .cert = f.cert };
    bracha_frame_write(&w, &o);
    if (w.bad || bracha_frame_read(&g, &e, wr_view(&w)))
        abort();
    o = (bracha_out_t){ .kind = g.kind, .send = g.send, .vote = g.vote, .cert = g.cert };
    bracha_frame_write(&again, &o);
    if (!view_eq(wr_view(&w), wr_view(&again)))
        abort();
}

static ecdsa_t *ecdsa;
static uint8_t keys[4][33];
static order_signed_t orders[2];

static void sign_by(uint8_t out[64], uint8_t k, const hash32_t *digest)
{
    uint8_t secret[32] = { 0 };
    secret[31] = (uint8_t)(k + 1);
    if (ecdsa_sign(ecdsa, out, NULL, digest, secret))
        abort();
}

static rc_t sign_own(void *ctx, uint8_t out[64], const hash32_t *digest)
{
    (void)ctx;
    sign_by(out, 0, digest);
    return RC_OK;
}

static void open(void)
{
    ecdsa = ecdsa_new(NULL);
    for (uint8_t k = 0; k < 4; k++) {
        uint8_t secret[32] = { 0 };
        secret[31] = (uint8_t)(k + 1);
        if (!ecdsa || ecdsa_pubkey(ecdsa, keys[k], secret))
            abort();
    }
    for (uint8_t o = 0; o < 2; o++) {
        orders[o] = (order_signed_t){ .order = { .version = o, .seat_count = 4 }, .id = { .version = o } };
        for (int i = 0; i < 4; i++)
            memset(&orders[o].order.seats[i], i + 1, 32);
        order_digest(&orders[o].id.digest, &orders[o].order);
    }
}

/* A SEND of a seat: one of eight numbers, two payloads, two orders. */
static void send_of(bracha_send_t *s, hash32_t *id, hash32_t *hash, uint8_t a, uint8_t b)
{
    hash32_t digest;
    const uint8_t seat = (uint8_t)(1 + a % 3);
    *s = (bracha_send_t){ .seq = 1 + b % 8, .boot_count = 4, .kind = b & 8 ? BRACHA_DURABLE : 1 };
    s->order = orders[b >> 4 & 1].id.digest;
    s->payload = view_str(b & 32 ? "a" : "b");
    memcpy(s->sender, keys[seat], 33);
    memcpy(s->boots, keys, sizeof keys);
    bracha_instance(id, s);
    bracha_hash(hash, id, s);
    bracha_send_digest(&digest, hash, s);
    sign_by(s->signature, seat, &digest);
}

typedef struct {
    hash32_t instance, hash;
    bracha_step_t step;
} said_t;

/* That a vote does not contradict what was said before. */
static void check_vote(said_t *said, size_t *count, const bracha_vote_t *v)
{
    for (size_t i = 0; i < *count; i++)
        if (said[i].step == v->step && hash32_eq(&said[i].instance, &v->instance)) {
            if (!hash32_eq(&said[i].hash, &v->hash))
                abort();
            return;
        }
    if (*count < 256)
        said[(*count)++] = (said_t){ v->instance, v->hash, v->step };
}

static void drain(bracha_t *b, said_t *said, size_t *count)
{
    static bracha_out_t out;
    while (bracha_poll(b, &out))
        if (out.kind == BRACHA_OUT_VOTE && (out.vote.step == BRACHA_ECHO || out.vote.step == BRACHA_READY))
            check_vote(said, count, &out.vote);
}

static rc_t step(bracha_t *b, const uint8_t *x, uint64_t *now)
{
    static bracha_cert_t cert;
    const uint8_t from = (uint8_t)(1 + x[1] / 4 % 3);
    bracha_send_t s;
    hash32_t id, hash, digest, platform;
    memset(&platform, from + 1, 32);
    send_of(&s, &id, &hash, x[1], x[2]);
    bracha_ready_digest(&digest, &id, &hash);
    bracha_vote_t v = { .step = (bracha_step_t)(1 + x[3] % 4), .instance = id, .hash = hash };
    switch (x[0] % 8) {
    case 0:
    case 1: return bracha_take_send(b, NULL, keys[from], &s, *now);
    case 2:
    case 3:
        sign_by(v.signature, x[3] & 0x80 ? 0 : from, &digest);
        return bracha_take_vote(b, NULL, keys[from], &v, *now);
    case 4:
        cert = (bracha_cert_t){ .instance = id, .hash = hash, .count = 3 };
        for (uint8_t i = 0; i < 3; i++) {
            cert.shares[i].seat = (uint8_t)(i + x[3] % 3);
            sign_by(cert.shares[i].signature, (uint8_t)(i + 1), &digest);
        }
        return bracha_take_cert(b, NULL, keys[from], &cert, *now);
    case 5:
        if (x[2] & 1)
            return bracha_attested(b, keys[from], &platform, *now);
        bracha_gone(b, keys[from], *now);
        return RC_OK;
    case 6:
        *now += (uint64_t)x[1] << x[2] % 20;
        bracha_tick(b, *now);
        return RC_OK;
    default:
        return x[2] & 1 ? bracha_send(b, NULL, x[1], view_of(x, 2), *now) : bracha_order(b, &orders[x[3] % 2], *now);
    }
}

static void machine(const uint8_t *data, size_t len)
{
    static said_t said[256];
    size_t count = 0;
    uint64_t now = 1000;
    bracha_t *b = NULL;
    bracha_config_t c = { .sign = sign_own, .ecdsa = ecdsa };
    memcpy(c.self, keys[0], 33);
    memset(&c.platform, 1, 32);
    if (bracha_new(&b, &c))
        return;
    if (bracha_order(b, &orders[0], now))
        abort();
    for (uint8_t i = 1; i < 4; i++) {
        hash32_t platform;
        memset(&platform, i + 1, 32);
        if (bracha_attested(b, keys[i], &platform, now))
            abort();
    }
    for (size_t i = 0; i + 4 <= len && i < 800; i += 4) {
        if (step(b, data + i, &now) == RC_BUG)
            abort();
        drain(b, said, &count);
    }
    bracha_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (!ecdsa)
        open();
    if (!len)
        return 0;
    if (data[0] % 2)
        machine(data + 1, len - 1);
    else
        frame(view_of(data + 1, len - 1));
    return 0;
}
