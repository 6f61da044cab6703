/* A relay and some members that do what the input says. No more is handed on than came, counts stay within their
 * limits, and a stream that is reset is over. */
#define WORLD_STREAMS 24
#include "tests/fuzz/fuzz.h"
#include "tests/unit/relay_world.h"

static rc_t sign(void *ctx, uint8_t out[HOSTKEY_SIG_MAX], size_t *n, view_t message)
{
    (void)ctx;
    (void)message;
    memset(out, 1, 64);
    *n = 64;
    return RC_OK;
}

static void peer_of(peerid_t *out, uint8_t which)
{
    static uint8_t bytes[38] = { 0x00, 0x24, 0x08, 0x01, 0x12, 0x20 };
    bytes[37] = which & 7;
    if (peerid_read(out, view_of(bytes, sizeof bytes)))
        abort();
}

/* One of the streams. */
static world_stream_t *pick(relay_world_t *w, uint8_t which)
{
    return w->count ? &w->streams[which % w->count] : NULL;
}

static void say(relay_world_t *w, rd_t *r, world_stream_t *s)
{
    peerid_t to;
    const uint8_t what = rd_u8(r);
    peer_of(&to, what >> 3);
    switch (what & 7) {
    case 0: world_say(s, CIRCUIT_HOP, &(circuit_message_t){ .type = CIRCUIT_RESERVE }); break;
    case 1: world_say(s, CIRCUIT_HOP, &(circuit_message_t){ .type = CIRCUIT_CONNECT, .peer = to }); break;
    case 2: world_say(s, CIRCUIT_STOP, &(circuit_message_t){ .type = CIRCUIT_STATUS, .status = CIRCUIT_OK }); break;
    case 3: world_say(s, CIRCUIT_STOP, &(circuit_message_t){ .type = CIRCUIT_STATUS, .status = 200 }); break;
    case 4: world_gone(s); break;
    case 5: relay_left(w->relay, &to); break;
    case 6: relay_drained(s->leg); break;
    default: relay_take(s->leg, rd_take(r, what >> 3 < r->n ? what >> 3 : r->n)); break;
    }
}

static void pass(relay_world_t *w, uint64_t *now, uint64_t ms)
{
    *now += ms;
    (void)relay_turn(w->relay, *now, *now / 1000);
}

static void step(relay_world_t *w, rd_t *r, uint64_t *now)
{
    const uint8_t op = rd_u8(r);
    peerid_t who;
    world_stream_t *s = pick(w, rd_u8(r));
    peer_of(&who, op >> 3);
    switch (op & 7) {
    case 0: (void)world_hop(w, &who); break;
    case 1: pass(w, now, op >> 3); break;
    case 2: pass(w, now, 1000ull << (op >> 4)); break;
    case 3: w->no_connection = op & 8; break;
    case 4: w->no_room = op & 8; break;
    case 5:
        if (s && s->leg)
            relay_ended(s->leg);
        break;
    default:
        if (s && s->leg)
            say(w, r, s);
        break;
    }
}

static void check(const relay_world_t *w, uint64_t came)
{
    relay_count_t n;
    relay_counts(w->relay, &n);
    if (n.places > RELAY_PLACES_MAX || n.circuits > RELAY_CIRCUITS_MAX || n.bytes > came)
        abort();
    for (size_t i = 0; i < w->count; i++)
        if (w->streams[i].consumed > came || (w->streams[i].reset && w->streams[i].leg))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const identity_t who = { .key = { .type = HOSTKEY_ED25519, .n = 32, .b = { 9 } }, .sign = sign };
    relay_world_t *w = calloc(1, sizeof *w);
    rd_t r = rd_of(view_of(data, len));
    uint64_t now = 1;
    if (!w || world_begin(w, &who))
        abort();
    (void)relay_turn(w->relay, now, 1);
    while (r.n && !r.bad) {
        step(w, &r, &now);
        check(w, 128 * (uint64_t)len);
    }
    world_clear(w);
    free(w);
    return 0;
}
