#include "tests/overlay/twins_world.h"

#include <stdio.h>

#include "tests/overlay/no_runner.h"
#include "tests/unit/peers_world.h"

#define SETTLED_MS 5000u
#define NAME_A "b" /* of whose identities the first has the smaller id */
#define NAME_B "a"

static node_t a, b;
static node_t *const both[] = { &a, &b };

/* Of two connections between them: never are both gone once both ends had one. */
static void step(char broken[256], uint64_t ms, bool *had)
{
    for (uint64_t t = 0; t < ms && !broken[0]; t += 5) {
        run(5, (node_t **)both, 2);
        const bool has = open_count(&a) && open_count(&b);
        if (*had && !open_count(&a) && !open_count(&b))
            snprintf(broken, 256, "of two connections to one peer none survives");
        *had = *had || has;
    }
}

static void begin(uint64_t seed, const memory_faults_t *faults)
{
    if (memory_new(&world, seed, faults))
        abort();
    node_new(&a, NAME_A, "10.0.0.1");
    node_new(&b, NAME_B, "10.0.0.2");
}

static void end(void)
{
    node_clear(&a);
    node_clear(&b);
    memory_free(world);
}

/* Each dials the other, some time apart, over QUIC or TCP. */
static void crossing(char broken[256], uint64_t seed)
{
    static const char *const ways[2][2] = { { "/ip4/10.0.0.2/udp/4001/quic-v1", "/ip4/10.0.0.2/tcp/4001" },
                                            { "/ip4/10.0.0.1/udp/4001/quic-v1", "/ip4/10.0.0.1/tcp/4001" } };
    const memory_faults_t rough = { .delay_min_ms = 1, .delay_max_ms = 60 };
    bool had = false;
    begin(seed, &rough);
    add(&a, ways[0][seed & 1]);
    step(broken, seed % 16 * 5, &had);
    add(&b, ways[1][seed >> 1 & 1]);
    step(broken, SETTLED_MS, &had);
    if (!broken[0] && (open_count(&a) != 1 || open_count(&b) != 1))
        snprintf(broken, 256, "at rest there are %zu connections at one end, %zu at the other", open_count(&a),
                 open_count(&b));
    end();
}

/* b's machine loses its power; it starts elsewhere, with the same identity, and dials a, where its old connection is open. */
static void returning(char broken[256], uint64_t seed)
{
    const memory_faults_t fair_enough = { .delay_min_ms = 1, .delay_max_ms = 20 };
    node_t again, *now[] = { &a, &again };
    begin(seed, &fair_enough);
    add(&b, "/ip4/10.0.0.1/tcp/4001");
    run(500, (node_t **)both, 2);
    memory_leave(world, b.net);
    node_new(&again, NAME_B, "10.0.0.3");
    add(&again, "/ip4/10.0.0.1/tcp/4001");
    run(PEERS_PING_MS + 1000, now, 2);
    if (again.bye == NET_BYE_DUPLICATE)
        snprintf(broken, 256, "who comes back is turned away for a connection that is dead");
    node_clear(&again);
    end();
}

/* a knows b, and dials it at an address that is silent now; meanwhile b dials a. */
static void silent_dial(char broken[256], uint64_t seed)
{
    const memory_faults_t fair_enough = { .delay_min_ms = 1, .delay_max_ms = 20 };
    const maddr_t nowhere = maddr("/ip4/10.0.0.9/tcp/4001");
    begin(seed, &fair_enough);
    if (peers_add(a.peers, PEERS_CONFIGURED, &nowhere, 1, net_self(b.net)))
        abort();
    run(50, (node_t **)both, 2);
    add(&b, "/ip4/10.0.0.1/tcp/4001");
    run(500, (node_t **)both, 2);
    if (open_count(&b) != 1)
        snprintf(broken, 256, "a dial that gets nowhere costs the connection that the other end made");
    end();
}

void twins_run(char broken[256], uint64_t seed)
{
    broken[0] = 0;
    crossing(broken, seed);
    if (!broken[0])
        returning(broken, seed);
    if (!broken[0])
        silent_dial(broken, seed);
}
