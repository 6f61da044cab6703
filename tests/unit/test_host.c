/* Nodes of an application with sockets, threads and simulated quotes that the real verifier judges. */
#include "overlay/host/host.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/secret.h"
#include "base/hex.h"
#include "base/os/clock.h"
#include "tee/sim/sim.h"
#include "tests/unit/unit.h"

typedef struct {
    host_t *h;
    tee_provider_t tee;
    char policy[8192], at[MADDR_TEXT_MAX + 1];
    pthread_mutex_t lock; /* guards what follows */
    unsigned peers, keyed, got;
    char text[64];
} node_t;

static node_t a, b;
static err_t e;

static void on_peer(void *ctx, const uint8_t key[33], bool is_there)
{
    node_t *x = ctx;
    (void)key;
    pthread_mutex_lock(&x->lock);
    x->peers += is_there;
    pthread_mutex_unlock(&x->lock);
}

static void on_keyed(void *ctx, const uint8_t pubkey[33])
{
    node_t *x = ctx;
    (void)pubkey;
    pthread_mutex_lock(&x->lock);
    x->keyed++;
    pthread_mutex_unlock(&x->lock);
}

static bool on_message(void *ctx, const message_t *m)
{
    node_t *x = ctx;
    pthread_mutex_lock(&x->lock);
    x->got++;
    snprintf(x->text, sizeof x->text, "%.*s", (int)m->payload.n, (const char *)m->payload.p);
    pthread_mutex_unlock(&x->lock);
    return true;
}

static void open_tee(node_t *x, uint8_t word)
{
    const uint8_t seed[32] = { word };
    char hex[4096];
    *x = (node_t){ .lock = PTHREAD_MUTEX_INITIALIZER };
    ck_assert_int_eq(tee_simulator_open(&x->tee, &e, seed), RC_OK);
    hex_encode(hex, x->tee.root);
    snprintf(x->policy, sizeof x->policy, "{\"mode\":\"same-as-self\",\"version\":1,\"simulator_root\":\"%s\"}", hex);
}

static rc_t start(node_t *x, const char *policy, const char *listen, const char *peer)
{
    const host_config_t c = { .application = "test",
                              .found = !peer,
                              .listen = &listen,
                              .listen_count = 1,
                              .peers = &peer,
                              .peer_count = peer ? 1 : 0,
                              .policy = policy,
                              .tee = &x->tee,
                              .events = { .peer = on_peer, .keyed = on_keyed },
                              .ctx = x };
    size_t n;
    const rc_t rc = host_start(&x->h, &e, &c);
    if (!rc)
        maddr_text(x->at, host_listening(x->h, &n));
    return rc;
}

static void stop(node_t *x)
{
    host_stop(x->h);
    x->tee.free(x->tee.ctx);
}

/* Waits until a count is reached. */
static void wait_for(node_t *x, const unsigned *count, unsigned n)
{
    const uint64_t until = clock_monotonic_ms() + 30000;
    for (bool there = false; !there;) {
        pthread_mutex_lock(&x->lock);
        there = *count >= n;
        pthread_mutex_unlock(&x->lock);
        ck_assert_msg(there || clock_monotonic_ms() < until, "%u", n);
        if (!there)
            (void)sched_yield();
    }
}

static rc_t begin(void *ctx, overlay_t *o, err_t *why)
{
    const message_type_t t = { .name = "t", .take = on_message, .ctx = ctx };
    return overlay_register(o, why, &t);
}

static rc_t say(void *ctx, overlay_t *o, err_t *why)
{
    const message_out_t out = { .type = "t", .mode = MSG_SHARED, .payload = view_str(ctx) };
    return overlay_send_all(o, why, &out);
}

/* over QUIC, TCP, and TCP to a name */
static void meet(const char *listen, const char *peer_of)
{
    char peer[MADDR_TEXT_MAX + 1];
    uint8_t sig[2][64];
    const hash32_t digest = { { 1 } };
    open_tee(&a, 1);
    open_tee(&b, 1);
    ck_assert_msg(start(&a, a.policy, listen, NULL) == RC_OK, "%s", e.text);
    snprintf(peer, sizeof peer, "%s", a.at);
    if (peer_of)
        snprintf(peer, sizeof peer, "%s%s", peer_of, strrchr(a.at, '/'));
    ck_assert_msg(start(&b, b.policy, listen, peer) == RC_OK, "%s", e.text);
    ck_assert_int_eq(host_call(a.h, &e, begin, &a), RC_OK);
    ck_assert_int_eq(host_call(b.h, &e, begin, &b), RC_OK);
    wait_for(&b, &b.keyed, 1);
    wait_for(&b, &b.peers, 1);
    wait_for(&a, &a.peers, 1);
    ck_assert_msg(host_call(b.h, &e, say, (void *)(uintptr_t) "hello") == RC_OK, "%s", e.text);
    wait_for(&a, &a.got, 1);
    ck_assert_str_eq(a.text, "hello");
    ck_assert_int_eq(overlay_sign(host_overlay(a.h), sig[0], &digest), RC_OK);
    ck_assert_int_eq(overlay_sign(host_overlay(b.h), sig[1], &digest), RC_OK);
    ck_assert_mem_eq(sig[0], sig[1], 64);
    ck_assert_mem_ne(host_static_key(a.h), host_static_key(b.h), 33);
    stop(&b);
    stop(&a);
}

START_TEST(two_nodes_meet_over_any_transport_and_by_name)
{
    meet("/ip4/127.0.0.1/udp/0/quic-v1", NULL);
    meet("/ip4/127.0.0.1/tcp/0", NULL);
    meet("/ip4/127.0.0.1/tcp/0", "/dns4/localhost/tcp");
}
END_TEST

START_TEST(a_node_that_its_policy_does_not_admit_does_not_start)
{
    open_tee(&a, 1);
    ck_assert_int_ne(start(&a, NULL, "/ip4/127.0.0.1/tcp/0", NULL), RC_OK); /* names no simulator */
    ck_assert_ptr_nonnull(strstr(e.text, "this node's own evidence: "));
    ck_assert_ptr_null(a.h);
    ck_assert_int_eq(start(&a, "{\"mode\":\"other\"}", "/ip4/127.0.0.1/tcp/0", NULL), RC_MALFORMED);
    a.tee.free(a.tee.ctx);
}
END_TEST

START_TEST(an_address_that_is_none_is_named)
{
    open_tee(&a, 1);
    open_tee(&b, 1);
    ck_assert_int_eq(start(&a, a.policy, "/ip4/127.0.0.1", NULL), RC_MALFORMED);
    ck_assert_str_eq(e.field, "listen");
    ck_assert_int_eq(start(&a, a.policy, "/ip4/127.0.0.1/tcp/0", "nobody"), RC_MALFORMED);
    ck_assert_str_eq(e.field, "peers");
    ck_assert_int_eq(start(&a, a.policy, "/ip4/127.0.0.1/tcp/0", NULL), RC_OK);
    ck_assert_int_ne(start(&b, b.policy, a.at, NULL), RC_OK); /* the port is taken */
    ck_assert_ptr_nonnull(strstr(e.text, a.at));
    stop(&a);
    b.tee.free(b.tee.ctx);
}
END_TEST

int main(void)
{
    if (secret_init())
        return EXIT_FAILURE;
    return UNIT_RUN("host", two_nodes_meet_over_any_transport_and_by_name,
                    a_node_that_its_policy_does_not_admit_does_not_start, an_address_that_is_none_is_named);
}
