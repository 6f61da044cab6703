/* join: milliseconds from a node's start to the cluster's key, its own quote and the verifying of both included, over TCP
 * and over QUIC on loopback. links: what a connection costs its owner in memory, and what 128 of them do of which 32 are
 * attested members; the other ends are in a process of their own. */
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/crypto/ecdsa.h"
#include "base/crypto/hash.h"
#include "base/crypto/secret.h"
#include "base/hex.h"
#include "base/os/clock.h"
#include "overlay/host/host.h"
#include "tee/sim/sim.h"
#include "tests/bench/bench.h"

#define JOINS 9u
#define LINKS 64u   /* of one transport, to see what one costs */
#define MEMBERS 32u /* of 128 connections */
#define ALL 128u
#define WAIT_MS 60000u

/* ---- nodes of an application ---- */

typedef struct {
    host_t *h;
    tee_provider_t tee;
    char policy[8192], at[MADDR_TEXT_MAX + 1];
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t more;
    unsigned peers, keyed;
} member_t;

static void on_peer(void *ctx, const uint8_t key[33], bool is_there)
{
    member_t *m = ctx;
    (void)key;
    pthread_mutex_lock(&m->lock);
    m->peers += is_there;
    pthread_cond_signal(&m->more);
    pthread_mutex_unlock(&m->lock);
}

static void on_keyed(void *ctx, const uint8_t pubkey[33])
{
    member_t *m = ctx;
    (void)pubkey;
    pthread_mutex_lock(&m->lock);
    m->keyed++;
    pthread_cond_signal(&m->more);
    pthread_mutex_unlock(&m->lock);
}

static bool open_member(member_t *m)
{
    static const uint8_t seed[32] = { 1 };
    char hex[4096];
    err_t e;
    *m = (member_t){ .lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER };
    if (tee_simulator_open(&m->tee, &e, seed))
        return false;
    hex_encode(hex, m->tee.root);
    snprintf(m->policy, sizeof m->policy, "{\"mode\":\"same-as-self\",\"version\":1,\"simulator_root\":\"%s\"}", hex);
    return true;
}

static bool start_member(member_t *m, const char *listen, const char *const *peers, size_t n, bool found)
{
    const host_config_t c = { .application = "bench",
                              .found = found,
                              .listen = &listen,
                              .listen_count = 1,
                              .peers = peers,
                              .peer_count = n,
                              .policy = m->policy,
                              .tee = &m->tee,
                              .events = { .peer = on_peer, .keyed = on_keyed },
                              .ctx = m };
    err_t e;
    size_t count;
    if (host_start(&m->h, &e, &c)) {
        fprintf(stderr, "bench: %s %s\n", e.field, e.text);
        return false;
    }
    maddr_text(m->at, host_listening(m->h, &count));
    return true;
}

static void stop_member(member_t *m)
{
    host_stop(m->h);
    m->tee.free(m->tee.ctx);
}

static bool wait_for(member_t *m, const unsigned *count, unsigned n)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_MS / 1000;
    pthread_mutex_lock(&m->lock);
    int late = 0;
    while (*count < n && !late)
        late = pthread_cond_timedwait(&m->more, &m->lock, &until);
    const bool there = *count >= n;
    pthread_mutex_unlock(&m->lock);
    return there;
}

/* ---- join ---- */

static double wall_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

/* Nodes that join one that is there, one after the other. */
static bool joins(bench_series_t *s, const char *listen)
{
    static member_t founder, joiner;
    bool good = open_member(&founder) && start_member(&founder, listen, NULL, 0, true);
    const char *const peer = founder.at;
    for (unsigned i = 0; i < JOINS && good; i++) {
        good = open_member(&joiner);
        const double began = wall_ns();
        good = good && start_member(&joiner, listen, &peer, 1, false) && wait_for(&joiner, &joiner.keyed, 1);
        s->ns[s->rounds++] = wall_ns() - began;
        stop_member(&joiner);
    }
    stop_member(&founder);
    return good;
}

bool bench_join(const char *dir)
{
    static bench_series_t tcp, quic;
    (void)dir;
    if (secret_init() || !joins(&tcp, "/ip4/127.0.0.1/tcp/0") || !joins(&quic, "/ip4/127.0.0.1/udp/0/quic-v1"))
        return false;
    bench_line("start to key, TCP", &tcp, 1e6, "ms");
    bench_line("start to key, QUIC", &quic, 1e6, "ms");
    return bench_result("join_tcp", bench_best(&tcp) / 1e6, "ms", 1000, "promised") &&
           bench_result("join", bench_best(&quic) / 1e6, "ms", 1000, "promised");
}

/* ---- links ---- */

/* A node of nothing but connections. */
typedef struct {
    ecdsa_t *ecdsa;
    uint8_t secret[32], pubkey[33];
    loop_t *loop;
    unsigned open;
} plain_t;

static rc_t sign_host(void *ctx, uint8_t out[HOSTKEY_SIG_MAX], size_t *n, view_t message)
{
    const plain_t *x = ctx;
    uint8_t compact[ECDSA_SIG_LEN];
    hash32_t digest;
    sha256(&digest, message);
    const rc_t rc = ecdsa_sign(x->ecdsa, compact, NULL, &digest, x->secret);
    *n = rc ? 0 : ecdsa_to_der(out, compact);
    return rc;
}

static void opened(void *ctx, net_conn_t *c)
{
    (void)c;
    ((plain_t *)ctx)->open++;
}

static bool start_plain(plain_t *x, uint8_t word)
{
    net_config_t n = { .who = { .sign = sign_host, .sign_ctx = x },
                       .agent = "bench",
                       .events = { .opened = opened, .ctx = x } };
    net_t *net;
    x->secret[31] = word;
    x->ecdsa = ecdsa_new(NULL);
    if (!x->ecdsa || ecdsa_pubkey(x->ecdsa, x->pubkey, x->secret))
        return false;
    hostkey_secp256k1(&n.who.key, x->pubkey);
    return !net_new(&net, &n) && !loop_new(&x->loop, NULL, net, LOOP_BOTH, NULL);
}

/* The other process: dials what it is told of, until it is killed. */
static void dial_all(int told, unsigned count)
{
    char text[MADDR_TEXT_MAX + 1] = "";
    plain_t x = { .open = 0 };
    maddr_t to;
    net_conn_t *c;
    if (read(told, text, sizeof text - 1) < 1 || !start_plain(&x, 3) || maddr_read_text(&to, NULL, view_str(text)))
        _exit(1);
    for (unsigned i = 0; i < count; i++) {
        if (net_dial(loop_net(x.loop), &c, NULL, &to, NULL))
            _exit(1);
        while (x.open <= i)
            loop_step(x.loop, 10);
    }
    for (;;)
        loop_step(x.loop, 1000);
}

/* Bytes of the heap that connections of one transport take, each. */
static bool one_costs(double *bytes, const char *listen)
{
    static plain_t hub;
    int pipes[2];
    maddr_t at;
    size_t n;
    char text[MADDR_TEXT_MAX + 1];
    if (pipe(pipes))
        return false;
    const pid_t other = fork();
    if (!other)
        dial_all(pipes[0], LINKS + 1);
    hub = (plain_t){ .open = 0 };
    bool good = other > 0 && start_plain(&hub, 2) && !maddr_read_text(&at, NULL, view_str(listen)) &&
                !net_listen(loop_net(hub.loop), NULL, &at);
    if (good) {
        maddr_text(text, net_listening(loop_net(hub.loop), &n));
        good = write(pipes[1], text, strlen(text)) > 0;
    }
    const uint64_t until = clock_monotonic_ms() + WAIT_MS;
    size_t before = 0;
    while (good && hub.open <= LINKS && clock_monotonic_ms() < until) {
        loop_step(hub.loop, 10);
        if (hub.open == 1 && !before)
            before = mallinfo2().uordblks + mallinfo2().hblkhd;
    }
    for (uint64_t end = clock_monotonic_ms() + 1000; good && clock_monotonic_ms() < end;)
        loop_step(hub.loop, 10); /* identify goes by, too */
    *bytes = ((double)(mallinfo2().uordblks + mallinfo2().hblkhd) - (double)before) / LINKS;
    if (other > 0) {
        kill(other, SIGKILL);
        (void)waitpid(other, NULL, 0);
    }
    close(pipes[0]);
    close(pipes[1]);
    good = good && hub.open == LINKS + 1;
    loop_free(hub.loop);
    ecdsa_free(hub.ecdsa);
    return good;
}

static double resident(void)
{
    unsigned long total = 0, pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f) {
        if (fscanf(f, "%lu %lu", &total, &pages) != 2)
            pages = 0;
        fclose(f);
    }
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

/* The other process: nodes that wait for one that dials them, and tell where they listen. */
static void be_members(int tell, const char *listen)
{
    member_t *all = calloc(MEMBERS, sizeof *all);
    for (unsigned i = 0; all && i < MEMBERS; i++) {
        char line[MADDR_TEXT_MAX + 2];
        if (!open_member(&all[i]) || !start_member(&all[i], listen, NULL, 0, false))
            _exit(1);
        snprintf(line, sizeof line, "%s\n", all[i].at);
        if (write(tell, line, strlen(line)) < 1)
            _exit(1);
    }
    for (;;)
        pause();
}

/* What a founder grows by when so many members have attested and are given the key. */
static bool members_cost(double *bytes, const char *listen)
{
    static char lines[MEMBERS][MADDR_TEXT_MAX + 2];
    static member_t hub;
    const char *peers[MEMBERS];
    int pipes[2];
    if (pipe(pipes))
        return false;
    const pid_t other = fork();
    if (!other)
        be_members(pipes[1], listen);
    close(pipes[1]);
    FILE *told = fdopen(pipes[0], "r");
    bool good = other > 0 && told && open_member(&hub);
    for (unsigned i = 0; i < MEMBERS && good; i++) {
        good = fgets(lines[i], sizeof lines[i], told) != NULL;
        lines[i][strcspn(lines[i], "\n")] = 0;
        peers[i] = lines[i];
    }
    const double before = resident();
    good = good && start_member(&hub, listen, peers, MEMBERS, true) && wait_for(&hub, &hub.peers, MEMBERS);
    if (!good)
        fprintf(stderr, "bench: %u of %u members\n", hub.peers, MEMBERS);
    *bytes = resident() - before;
    if (hub.h)
        stop_member(&hub);
    if (other > 0) {
        kill(other, SIGKILL);
        (void)waitpid(other, NULL, 0);
    }
    if (told)
        fclose(told);
    return good;
}

bool bench_links(const char *dir)
{
    double tcp = 0, quic = 0, members = 0;
    (void)dir;
    if (secret_init() || !members_cost(&members, "/ip4/127.0.0.1/udp/0/quic-v1") ||
        !one_costs(&tcp, "/ip4/127.0.0.1/tcp/0") || !one_costs(&quic, "/ip4/127.0.0.1/udp/0/quic-v1"))
        return false;
    const double all = members + (ALL - MEMBERS) * (tcp > quic ? tcp : quic);
    printf("%u attested members over QUIC: %.1f MiB resident\n", MEMBERS, members / 1048576);
    return bench_result("links_tcp", tcp / 1024, "KiB", 48, "promised") &&
           bench_result("links_quic", quic / 1024, "KiB", 64, "promised") &&
           bench_result("links", all / 1048576, "MiB", 64, "promised");
}
