/* overlay: messages per second on one core, both ends in it, against libsodium's AEAD that seals and opens the same bytes
 * in the same run. First the machine alone (numbers, frames, sealing under the message secret), then over TCP with Noise
 * and over QUIC on loopback, the kernel's part included. */
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/crypto/secret.h"
#include "overlay/net/loop.h"
#include "overlay/talk.h"
#include "tests/bench/bench.h"

#define ROUNDS 15u
#define BATCH 200u
#define MESSAGE_LEN 1024u

static uint8_t text[MESSAGE_LEN];
static ecdsa_t *ecdsa;
static size_t got;

static void draw(void *ctx, void *out, size_t n)
{
    (void)ctx;
    secret_random(out, n);
}

static bool take(void *ctx, const message_t *m)
{
    (void)ctx;
    got += m->payload.n == MESSAGE_LEN;
    return true;
}

static keyring_t *make_ring(void)
{
    static const key_name_t name = { .version = 1 };
    uint8_t secrets[KEY_SECRETS_LEN], blind[32] = { 1 };
    keyring_t *k = NULL;
    memset(secrets, 7, sizeof secrets);
    if (keyring_empty(&k, blind) || keyring_add(k, &name, secrets) || keyring_use(k, &name))
        return NULL;
    return k;
}

/* ---- the reference ---- */

static void aead_round(bench_series_t *s)
{
    static uint8_t sealed[MESSAGE_LEN + AEAD_TAG_LEN], opened[MESSAGE_LEN];
    static const uint8_t key[AEAD_KEY_LEN] = { 5 };
    uint8_t nonce[XAEAD_NONCE_LEN] = { 0 };
    const uint64_t start = bench_cpu_ns();
    for (unsigned i = 0; i < BATCH; i++) {
        nonce[0] = (uint8_t)i;
        xaead_seal(sealed, view_of(text, sizeof text), view_of(NULL, 0), nonce, key);
        if (xaead_open(opened, view_of(sealed, sizeof sealed), view_of(NULL, 0), nonce, key))
            abort();
    }
    bench_round(s, start, BATCH);
}

/* ---- the machine alone ---- */

static messages_t *ends[2];
static bool piped; /* what ends[0] sends, ends[1] takes */

static rc_t send_frame(void *ctx, uint64_t line, view_t frame)
{
    (void)ctx;
    return piped ? messages_take(ends[1], NULL, line, frame) : RC_OK;
}

/* Two ends whose sessions have the largest value, which each is told by hand. */
static bool make_ends(const keyring_t *ring)
{
    const message_type_t t = { .name = "bench", .take = take };
    const msg_frame_t hello = { .is_hello = true, .session = UINT64_MAX };
    uint8_t buf[16];
    wr_t w = wr_of(buf, sizeof buf);
    msg_frame_write(&w, &hello);
    for (int i = 0; i < 2; i++) {
        messages_config_t c = { .self = { 2 }, .ecdsa = ecdsa, .ring = ring, .random = draw, .send = send_frame };
        if (messages_new(&ends[i], &c) || messages_register(ends[i], NULL, &t) || messages_up(ends[i], 1, c.self) ||
            messages_take(ends[i], NULL, 1, wr_view(&w)))
            return false;
    }
    piped = true;
    return true;
}

static void machine_round(bench_series_t *s)
{
    const message_out_t out = { .type = "bench", .mode = MSG_SHARED, .payload = view_of(text, sizeof text) };
    const uint64_t line = 1, start = bench_cpu_ns();
    for (unsigned i = 0; i < BATCH; i++)
        if (messages_send(ends[0], NULL, NULL, &line, 1, &out))
            abort();
    bench_round(s, start, BATCH);
}

/* ---- over sockets ---- */

typedef struct {
    uint8_t secret[32], pubkey[33];
    net_protocol_t protocol;
    talk_t *talk;
    loop_t *loop;
    uint8_t peer[33];
    bool is_there;
} node_t;

static rc_t sign(void *ctx, uint8_t out[HOSTKEY_SIG_MAX], size_t *n, view_t message)
{
    const node_t *x = ctx;
    uint8_t compact[64];
    hash32_t digest;
    sha256(&digest, message);
    const rc_t rc = ecdsa_sign(ecdsa, compact, NULL, &digest, x->secret);
    *n = rc ? 0 : ecdsa_to_der(out, compact);
    return rc;
}

static void opened(void *ctx, net_conn_t *c)
{
    node_t *x = ctx;
    if (talk_peer(x->talk, c, net_peer_key(c)->b))
        abort();
}

static void closed(void *ctx, net_conn_t *c, const err_t *why)
{
    (void)why;
    talk_closed(((node_t *)ctx)->talk, c);
}

static void peer(void *ctx, const uint8_t key[33], bool is_there)
{
    node_t *x = ctx;
    memcpy(x->peer, key, sizeof x->peer);
    x->is_there = is_there;
}

static uint64_t turn(void *ctx, uint64_t now_ms)
{
    return talk_turn(((node_t *)ctx)->talk, now_ms);
}

static bool start(node_t *x, uint8_t word, unsigned transport)
{
    const message_type_t t = { .name = "bench", .take = take };
    talk_config_t c = { .messages = { .ecdsa = ecdsa, .random = draw }, .peer = peer, .ctx = x };
    net_config_t n = { .who = { .sign = sign, .sign_ctx = x },
                       .agent = "bench",
                       .events = { .opened = opened, .closed = closed, .ctx = x } };
    const loop_owner_t owner = { .turn = turn, .ctx = x };
    net_t *net;
    x->secret[31] = word;
    if (ecdsa_pubkey(ecdsa, x->pubkey, x->secret))
        return false;
    memcpy(c.messages.self, x->pubkey, sizeof x->pubkey);
    hostkey_secp256k1(&n.who.key, x->pubkey);
    if (talk_new(&x->talk, &c) || messages_register(talk_messages(x->talk), NULL, &t))
        return false;
    talk_protocol(x->talk, &x->protocol);
    n.protocols = &x->protocol;
    n.protocol_count = 1;
    return !net_new(&net, &n) && !loop_new(&x->loop, NULL, net, transport, &owner);
}

static void step(node_t *x)
{
    loop_step(x[0].loop, 0);
    loop_step(x[1].loop, 0);
}

static bool meet(node_t *x, const char *at)
{
    maddr_t to;
    net_conn_t *c;
    size_t n;
    const uint64_t until = clock_monotonic_ms() + 10000;
    if (maddr_read_text(&to, NULL, view_str(at)) || net_listen(loop_net(x[1].loop), NULL, &to))
        return false;
    to = *net_listening(loop_net(x[1].loop), &n);
    if (net_dial(loop_net(x[0].loop), &c, NULL, &to, NULL))
        return false;
    while (!(x[0].is_there && x[1].is_there) && clock_monotonic_ms() < until)
        step(x);
    return x[0].is_there;
}

static void socket_round(bench_series_t *s, node_t *x)
{
    const message_out_t out = { .type = "bench", .payload = view_of(text, sizeof text) };
    const uint64_t line = messages_line(talk_messages(x[0].talk), x[0].peer);
    const size_t want = got + BATCH;
    const uint64_t start_ns = bench_cpu_ns();
    for (unsigned i = 0; i < BATCH; i++)
        while (messages_send(talk_messages(x[0].talk), NULL, NULL, &line, 1, &out))
            step(x);
    while (got < want)
        step(x);
    bench_round(s, start_ns, BATCH);
}

static bool over(bench_series_t *s, unsigned transport, const char *at)
{
    node_t *x = calloc(2, sizeof *x);
    bool met = x && start(&x[0], 2, transport) && start(&x[1], 3, transport) && meet(x, at);
    for (unsigned i = 0; met && i < ROUNDS; i++)
        socket_round(s, x);
    for (int i = 0; x && i < 2; i++) {
        loop_free(x[i].loop);
        talk_free(x[i].talk);
    }
    free(x);
    return met;
}

/* As in a node that has read one large answer: from then on the C library keeps more than 128 KiB of what was freed. A
 * heap that shrinks and grows with every burst costs more than all the rest. */
static void settle_heap(void)
{
    void *volatile once = malloc(1u << 20);
    free(once);
}

bool bench_overlay(const char *dir)
{
    static bench_series_t aead, machine, tcp, quic;
    keyring_t *ring;
    (void)dir;
    settle_heap();
    if (secret_init() || !(ecdsa = ecdsa_new(NULL)) || !(ring = make_ring()) || !make_ends(ring))
        return false;
    for (unsigned i = 0; i < ROUNDS; i++) {
        aead_round(&aead);
        machine_round(&machine);
    }
    if (!over(&tcp, LOOP_TCP, "/ip4/127.0.0.1/tcp/0") || !over(&quic, LOOP_QUIC, "/ip4/127.0.0.1/udp/0/quic-v1"))
        return false;
    printf("messages of %u bytes, both ends on one core\n", MESSAGE_LEN);
    bench_line("libsodium's AEAD, sealed and opened", &aead, 1000, "us");
    bench_line("the machine, sealed for all members", &machine, 1000, "us");
    bench_line("TCP and Noise on loopback", &tcp, 1000, "us");
    bench_line("QUIC on loopback", &quic, 1000, "us");
    messages_free(ends[0]);
    messages_free(ends[1]);
    keyring_free(ring);
    ecdsa_free(ecdsa);
    return bench_result("overlay_tcp", 1e9 / bench_best(&tcp), "messages/s", 1e9 / bench_best(&aead), "AEAD") &&
           bench_result("overlay_quic", 1e9 / bench_best(&quic), "messages/s", 1e9 / bench_best(&aead), "AEAD") &&
           bench_result("overlay", 1e9 / bench_best(&machine), "messages/s", 1e9 / bench_best(&aead), "AEAD");
}
