/* peers_world.h - nodes with a peer manager on the network in memory, for tests of who is connected to whom. */
#ifndef TESTS_PEERS_WORLD_H
#define TESTS_PEERS_WORLD_H

#include "overlay/net/memory.h"
#include "overlay/peers.h"
#include "tests/unit/net_pair.h"

typedef struct {
    net_t *net;
    peers_t *peers;
    wire_id_t id;
    unsigned opened, closed, bye;
    uint64_t opened_ms[64];
    size_t asked;       /* of names */
    bool stranger;      /* it takes nobody for a member */
    unsigned redirects; /* that it was asked for */
    bool knows_others;
} node_t;

static memory_t *world;
static const memory_faults_t fair = { .delay_min_ms = 10, .delay_max_ms = 10 };

static inline void node_random(void *ctx, void *out, size_t n)
{
    uint8_t *p = out;
    (void)ctx;
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)memory_random(world);
}

static inline void node_opened(void *ctx, net_conn_t *c)
{
    node_t *n = ctx;
    if (peers_opened(n->peers, c) && n->opened < 64)
        n->opened_ms[n->opened++] = memory_now(world);
}

static inline void node_closed(void *ctx, net_conn_t *c, const err_t *why)
{
    node_t *n = ctx;
    n->closed++;
    n->bye = net_bye_code(c);
    peers_closed(n->peers, c, why);
}

static inline void node_resolve(void *ctx, size_t target, const maddr_t *name)
{
    node_t *n = ctx;
    ck_assert(!strcmp(name->name, "b.example"));
    n->asked++;
    const maddr_t at = maddr("/ip4/10.0.0.2/tcp/4001");
    peers_resolved(n->peers, target, &at, n->asked > 1); /* the second time it is known */
}

static inline bool node_is_member(void *ctx, net_conn_t *c)
{
    (void)c;
    return !((const node_t *)ctx)->stranger;
}

static inline bool node_redirect(void *ctx, net_conn_t *c)
{
    node_t *n = ctx;
    (void)c;
    n->redirects++;
    return n->knows_others;
}

static inline bool node_accepts(void *ctx, const maddr_t *from)
{
    return peers_accepts(((const node_t *)ctx)->peers, from);
}

static inline void node_new(node_t *n, const char *word, const char *listens)
{
    *n = (node_t){ 0 };
    wire_secp256k1(&n->id, word);
    const net_config_t c = { .who = n->id.who,
                             .agent = "t",
                             .events = { node_opened, node_closed, NULL, NULL, n, node_accepts } };
    const peers_config_t p = { node_random, node_resolve, node_is_member, node_redirect, n };
    ck_assert_int_eq(net_new(&n->net, &c), RC_OK);
    ck_assert_int_eq(peers_new(&n->peers, &p), RC_OK);
    peers_bind(n->peers, n->net);
    ck_assert_int_eq(memory_join(world, n->net), RC_OK);
    if (!listens)
        return;
    for (int tcp = 0; tcp < 2; tcp++) {
        char text[64];
        snprintf(text, sizeof text, "/ip4/%s/%s", listens, tcp ? "tcp/4001" : "udp/4001/quic-v1");
        const maddr_t at = maddr(text);
        ck_assert_int_eq(net_listen(n->net, NULL, &at), RC_OK);
    }
}

static inline void node_clear(node_t *n)
{
    net_free(n->net);
    peers_free(n->peers);
    wire_id_clear(&n->id);
}

static inline void add_as(node_t *n, peers_source_t source, const char *way)
{
    const maddr_t m = maddr(way);
    ck_assert_int_eq(peers_add(n->peers, source, &m, 1, NULL), RC_OK);
}

static inline void add(node_t *n, const char *way)
{
    add_as(n, PEERS_CONFIGURED, way);
}

static inline void run(uint64_t ms, node_t **nodes, size_t count)
{
    const uint64_t until = memory_now(world) + ms;
    for (uint64_t t = memory_now(world); t <= until; t += 5) {
        memory_run(world, t);
        for (size_t i = 0; i < count; i++)
            (void)peers_turn(nodes[i]->peers, t);
    }
}

static inline size_t open_count(const node_t *n)
{
    size_t open = 0;
    for (net_conn_t *c = net_first(n->net); c; c = net_after(c))
        open += net_is_open(c);
    return open;
}

#endif
