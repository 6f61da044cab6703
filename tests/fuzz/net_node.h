/* net_node.h - a node that listens on loopback, under a clock of the target's: for targets that send it bytes. */
#ifndef TESTS_FUZZ_NET_NODE_H
#define TESTS_FUZZ_NET_NODE_H

#include <sodium.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/crypto/secret.h"
#include "overlay/net/loop.h"
#include "overlay/net/sock.h"

static uint64_t node_ms = 1000000;
static unsigned node_opened; /* connections whose peer was proven, in this run */
static loop_t *node;
static maddr_t node_at;

static uint64_t node_clock(void)
{
    return node_ms;
}

static rc_t node_sign(void *ctx, uint8_t out[HOSTKEY_SIG_MAX], size_t *n, view_t message)
{
    *n = 64;
    return crypto_sign_ed25519_detached(out, NULL, message.p, message.n, ctx) ? RC_BUG : RC_OK;
}

/* An identity; secret stays its own. */
static identity_t node_identity(uint8_t secret[64], uint8_t word)
{
    const uint8_t seed[32] = { word };
    identity_t who = { .key = { .type = HOSTKEY_ED25519, .n = 32 }, .sign = node_sign, .sign_ctx = secret };
    if (crypto_sign_ed25519_seed_keypair(who.key.b, secret, seed))
        abort();
    return who;
}

static void node_open(void *ctx, net_conn_t *c)
{
    (void)ctx;
    (void)c;
    node_opened++;
}

/* What comes is sent back. */
static void node_echo(void *ctx, net_stream_t *s, view_t bytes)
{
    (void)ctx;
    net_consumed(s, bytes.n);
    if (net_write(s, bytes))
        net_reset(s);
}

static void node_end(void *ctx, net_stream_t *s)
{
    (void)ctx;
    net_end(s);
}

/* Once. */
static void node_start(unsigned transport, const char *at)
{
    static const net_protocol_t echo = { .name = "/echo/1", .data = node_echo, .ended = node_end };
    static uint8_t secret[64];
    const loop_owner_t owner = { .clock = node_clock };
    net_t *n;
    size_t count;
    if (node)
        return;
    if (secret_init())
        abort();
    const net_config_t config = {
        .who = node_identity(secret, 7), .events = { .opened = node_open }, .protocols = &echo, .protocol_count = 1
    };
    if (net_new(&n, &config) || loop_new(&node, NULL, n, transport, &owner) ||
        maddr_read_text(&node_at, NULL, view_str(at)) || net_listen(n, NULL, &node_at))
        abort();
    node_at = *net_listening(n, &count);
}

static void node_run(uint64_t ms, uint64_t round_ms)
{
    for (const uint64_t until = node_ms + ms; node_ms < until; node_ms += round_ms)
        loop_step(node, 0);
}

static size_t node_conns(void)
{
    size_t n = 0;
    for (net_conn_t *c = net_first(loop_net(node)); c; c = net_after(c))
        n++;
    return n;
}

#endif
