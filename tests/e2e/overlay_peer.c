/* A peer on the overlay's transports for the scenario overlay-interop: it answers identify and ping, proposes nothing
 * but attestation to who is not attested, and closes on who has not attested in time. Which is everybody. With "relay" it
 * is a relay for everybody, and keeps places at all whom it dials: who is attested is the business of others.
 *
 *     overlay_peer quic|tcp|both ed25519|secp256k1 DEADLINE_MS [relay]
 *
 * It says what happens as one JSON object a line, and takes lines: "dial MULTIADDR", which pings, too; end of input ends
 * it. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/crypto/ecdsa.h"
#include "base/crypto/hash.h"
#include "base/crypto/secret.h"
#include "overlay/circuits.h"
#include "overlay/net/loop.h"

#define BASIC 3u /* protocols beside those of circuits */

static loop_t *loop;
static circuits_t *circuits; /* NULL: it has nothing to do with relays */
static uint64_t deadline_ms;
static uint8_t secret[64]; /* of the identity */
static ecdsa_t *ecdsa;

static rc_t sign_ed25519(void *ctx, uint8_t out[HOSTKEY_SIG_MAX], size_t *n, view_t message)
{
    (void)ctx;
    *n = 64;
    return crypto_sign_ed25519_detached(out, NULL, message.p, message.n, secret) ? RC_BUG : RC_OK;
}

static rc_t sign_secp256k1(void *ctx, uint8_t out[HOSTKEY_SIG_MAX], size_t *n, view_t message)
{
    uint8_t compact[ECDSA_SIG_LEN];
    hash32_t digest;
    (void)ctx;
    sha256(&digest, message);
    rc_t rc = ecdsa_sign(ecdsa, compact, NULL, &digest, secret);
    *n = rc ? 0 : ecdsa_to_der(out, compact);
    return rc;
}

static rc_t make_identity(identity_t *who, bool ed25519)
{
    uint8_t pubkey[33];
    rc_t rc = RC_OK;
    *who = (identity_t){ .key = { .type = HOSTKEY_ED25519, .n = 32 }, .sign = ed25519 ? sign_ed25519 : sign_secp256k1 };
    secret_random(secret, 32);
    if (ed25519)
        return crypto_sign_ed25519_keypair(who->key.b, secret) ? RC_BUG : RC_OK;
    ecdsa = ecdsa_new(NULL);
    rc = ecdsa ? ecdsa_pubkey(ecdsa, pubkey, secret) : RC_NOMEM;
    if (!rc)
        hostkey_secp256k1(&who->key, pubkey);
    return rc;
}

static void text_of(char out[PEERID_TEXT_MAX + 1], const net_conn_t *c)
{
    peerid_text(out, net_peer(c));
}

static void pong(void *ctx, net_conn_t *c, rc_t rc, uint64_t ms)
{
    char peer[PEERID_TEXT_MAX + 1];
    (void)ctx;
    text_of(peer, c);
    printf("{\"event\":\"pong\",\"peer\":\"%s\",\"rc\":\"%s\",\"ms\":%llu}\n", peer, rc_name(rc),
           (unsigned long long)ms);
}

static bool is_peer(void *ctx, net_conn_t *c)
{
    (void)ctx;
    (void)c;
    return true;
}

static int64_t now_s(void *ctx)
{
    (void)ctx;
    return (int64_t)time(NULL);
}

/* Where relays make us reachable. */
static void reached(void *ctx)
{
    maddr_t at[4];
    const size_t n = circuits_addrs(circuits, at, 4);
    (void)ctx;
    for (size_t i = 0; i < n; i++) {
        char addr[MADDR_TEXT_MAX + 1];
        maddr_text(addr, &at[i]);
        printf("{\"event\":\"reached\",\"address\":\"%s\"}\n", addr);
    }
}

static void opened(void *ctx, net_conn_t *c)
{
    char peer[PEERID_TEXT_MAX + 1], addr[MADDR_TEXT_MAX + 1];
    (void)ctx;
    text_of(peer, c);
    maddr_text(addr, net_addr(c));
    net_set_user(c, (void *)(uintptr_t)net_now(loop_net(loop)));
    printf("{\"event\":\"opened\",\"peer\":\"%s\",\"address\":\"%s\",\"dialled\":%s,\"key\":%d}\n", peer, addr,
           net_dialled(c) ? "true" : "false", (int)net_peer_key(c)->type);
    if (net_dialled(c) && net_ping(c, pong, NULL))
        net_close(c, NET_BYE, "no ping");
    else if (circuits)
        circuits_peer(circuits, c);
}

static void closed(void *ctx, net_conn_t *c, const err_t *why)
{
    char peer[PEERID_TEXT_MAX + 1];
    (void)ctx;
    text_of(peer, c);
    if (circuits)
        circuits_closed(circuits, c);
    printf("{\"event\":\"closed\",\"peer\":\"%s\",\"code\":%u,\"why\":\"%s\"}\n", peer, net_bye_code(c), why->text);
}

static bool serves(void *ctx, net_conn_t *c, const net_protocol_t *p)
{
    (void)ctx;
    if (circuits_is(p))
        return circuits && circuits_serves(circuits, c, p);
    return strcmp(p->name, "/kettle/attest/1") == 0;
}

static void identified(void *ctx, net_conn_t *c, const identify_t *m)
{
    char peer[PEERID_TEXT_MAX + 1];
    (void)ctx;
    text_of(peer, c);
    printf("{\"event\":\"identified\",\"peer\":\"%s\",\"agent\":\"%.*s\",\"protocols\":[", peer,
           (int)m->agent_version.n, (const char *)m->agent_version.p);
    for (size_t i = 0; i < m->protocol_count; i++)
        printf("%s\"%.*s\"", i ? "," : "", (int)m->protocols[i].n, (const char *)m->protocols[i].p);
    printf("]}\n");
}

/* Closes on those whose time is over. */
static uint64_t turn(void *ctx, uint64_t now_ms)
{
    uint64_t next = circuits ? circuits_turn(circuits, now_ms) : UINT64_MAX;
    (void)ctx;
    for (net_conn_t *c = net_first(loop_net(loop)); c; c = net_after(c)) {
        const uint64_t at = (uint64_t)(uintptr_t)net_user(c) + deadline_ms;
        if (net_is_open(c) && at <= now_ms)
            net_close(c, NET_BYE_ATTEST, "not attested in time");
        else if (net_is_open(c))
            next = at < next ? at : next;
    }
    return next;
}

static void dial(void *ctx)
{
    char *text = ctx;
    maddr_t to;
    net_conn_t *c;
    err_t e;
    rc_t rc = maddr_read_text(&to, &e, view_str(text));
    if (!rc)
        rc = net_dial(loop_net(loop), &c, &e, &to, NULL);
    if (rc)
        printf("{\"event\":\"failed\",\"why\":\"%s\"}\n", e.text);
    free(text);
}

static void listen_on(const char *at, const identity_t *who)
{
    char addr[MADDR_TEXT_MAX + 1];
    maddr_t m;
    err_t e;
    size_t n;
    if (maddr_read_text(&m, &e, view_str(at)) || net_listen(loop_net(loop), &e, &m)) {
        fprintf(stderr, "overlay_peer: %s: %s\n", at, e.text);
        exit(1);
    }
    const maddr_t *list = net_listening(loop_net(loop), &n);
    m = list[n - 1];
    peerid_of(&m.peer, &who->key);
    maddr_text(addr, &m);
    printf("{\"event\":\"listening\",\"address\":\"%s\"}\n", addr);
}

static void take_lines(void)
{
    char line[600];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        char *to = strncmp(line, "dial ", 5) == 0 ? strdup(line + 5) : NULL;
        if (to && loop_post(loop, dial, to))
            free(to);
    }
}

int main(int argc, char **argv)
{
    static net_protocol_t protocols[BASIC + CIRCUITS_PROTOCOLS] = { { .name = "/kettle/attest/1" },
                                                                    { .name = "/kettle/keyshare/1" },
                                                                    { .name = "/kettle/state/1" } };
    const loop_owner_t owner = { .turn = turn };
    identity_t who;
    unsigned transports;
    net_t *n;
    err_t e = { 0 };
    const bool relays = argc == 5 && strcmp(argv[4], "relay") == 0;
    if ((argc != 4 && !relays) || !loop_transports(&transports, view_str(argv[1])) || secret_init())
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    deadline_ms = strtoull(argv[3], NULL, 10);
    if (make_identity(&who, strcmp(argv[2], "ed25519") == 0))
        return 1;
    const circuits_config_t relaying = {
        .who = who, .serves = true, .uses = true, .is_peer = is_peer, .now_s = now_s, .changed = reached
    };
    if (relays && circuits_new(&circuits, &relaying))
        return 1;
    if (circuits)
        circuits_protocols(circuits, protocols + BASIC);
    const net_config_t config = {
        .who = who,
        .agent = "kettle-e2e/1",
        .events = { .opened = opened, .closed = closed, .serves = serves, .identified = identified },
        .protocols = protocols,
        .protocol_count = circuits ? BASIC + CIRCUITS_PROTOCOLS : BASIC,
        .tell_identify = true
    };
    if (net_new(&n, &config) || (circuits && circuits_bind(circuits, n)) ||
        loop_new(&loop, &e, n, transports, &owner)) {
        fprintf(stderr, "overlay_peer: %s\n", e.text);
        return 1;
    }
    if (transports & LOOP_QUIC)
        listen_on("/ip4/127.0.0.1/udp/0/quic-v1", &who);
    if (transports & LOOP_TCP)
        listen_on("/ip4/127.0.0.1/tcp/0", &who);
    if (loop_start(loop, &e))
        return 1;
    take_lines();
    loop_free(loop);
    circuits_free(circuits);
    ecdsa_free(ecdsa);
    return 0;
}
