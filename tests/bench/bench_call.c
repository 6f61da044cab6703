/* call: one POST /call that asks 1, 10 and 200 contracts for a balance, against an upstream 50 ms away in this process: cold, again
 * on the same block, and on the next block. Round trips are counted at the upstream; the reference is the time that they take. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "base/os/memory.h"
#include "base/os/process.h"
#include "lightclient/mpt/trie.h"
#include "lightclient/rlp/rlp.h"
#include "tests/bench/bench.h"
#include "tests/bench/engine.h"
#include "tests/bench/upstream.h"

#define LATENCY_MS 50u
#define CONTRACTS 2000u /* of one call at most */
#define OTHERS 8192u    /* accounts of the state that nobody asks for */
#define HOLDERS 64u     /* of each contract */
#define HOLDER 7u       /* who is asked for */
#define ROUNDS 5u
#define BODY_MAX 160000u
#define ANSWER_MAX 16384u

/* For each address of the data but its last word: its answer to that word; returns the sum. */
static const char MANY[] =
    "60203603355f525f5b6020360381101560 2f576020602060205f84355afa50602051604051016040526020016008565b60206040f3";
/* return sload(keccak256(calldata[0..32], 0)) */
static const char TOKEN[] = "5f355f525f60205260405f20545f5260205ff3";

static struct {
    arena_t arena;
    uint8_t many[128], token[64];
    size_t many_len, token_len;
    hash32_t slot; /* the holder's */
    mpt_trie_t storages[CONTRACTS], states[2];
    hash32_t roots[2], storage_roots[1 + CONTRACTS], many_hash, token_hash;
    view_t proofs[2][1 + CONTRACTS];   /* of accounts on each block, and */
    view_t slot_proofs[1 + CONTRACTS]; /* of the slot, as JSON: a server has them at hand */
} world;

static ex_block_t blocks[2];
static unsigned at; /* which block is the head */
static calls_t *calls;

/* ---- the state ---- */

static size_t code_of(uint8_t *out, size_t room, hash32_t *hash, const char *text)
{
    char digits[256];
    size_t n = 0, len;
    for (const char *p = text; *p; p++)
        if (*p != ' ')
            digits[n++] = *p;
    if (hex_decode(out, &len, room, digits, n))
        abort();
    keccak256(hash, view_of(out, len));
    return len;
}

static addr_t address(unsigned i)
{
    return (addr_t){ { 0xaa, [17] = (uint8_t)(i >> 16), [18] = (uint8_t)(i >> 8), [19] = (uint8_t)i } };
}

static void put(mpt_trie_t *t, view_t secured, view_t value)
{
    hash32_t key;
    keccak256(&key, secured);
    if (mpt_trie_put(t, view_of(key.b, sizeof key.b), value, NULL))
        abort();
}

static void put_account(mpt_trie_t *t, unsigned i, uint64_t nonce, const hash32_t *storage, const hash32_t *code)
{
    uint8_t account[128];
    const addr_t who = address(i);
    wr_t w = wr_of(account, sizeof account);
    rlp_put_u64(&w, nonce);
    rlp_put_u64(&w, 0);
    rlp_put_bytes(&w, view_of(storage->b, sizeof storage->b));
    rlp_put_bytes(&w, view_of(code->b, sizeof code->b));
    rlp_wrap_list(&w, 0);
    put(t, view_of(who.b, sizeof who.b), wr_view(&w));
}

static void slot_of(hash32_t *out, unsigned holder)
{
    uint8_t words[64] = { [30] = (uint8_t)(holder >> 8), [31] = (uint8_t)holder };
    keccak256(out, view_of(words, sizeof words));
}

/* A proof as JSON. */
static view_t proof_of(const mpt_trie_t *t, view_t secured)
{
    static view_t nodes[MPT_TRIE_PROOF_MAX];
    size_t count = 0;
    hash32_t key;
    jw_t w = jw_of(&world.arena, ANSWER_MAX);
    keccak256(&key, secured);
    if (mpt_trie_prove(nodes, &count, t, view_of(key.b, sizeof key.b)))
        abort();
    jw_array(&w, NULL);
    for (size_t i = 0; i < count; i++)
        jw_hex(&w, NULL, nodes[i]);
    jw_end(&w);
    return jw_done(&w);
}

static void make_storages(void)
{
    world.storage_roots[0] = EMPTY_TRIE_ROOT;
    for (unsigned i = 1; i <= CONTRACTS; i++) {
        mpt_trie_t *t = &world.storages[i - 1];
        *t = (mpt_trie_t){ .arena = &world.arena };
        for (unsigned h = 0; h < HOLDERS; h++) {
            hash32_t slot;
            uint8_t value[4] = { 0x83, (uint8_t)(1 + (i >> 8)), (uint8_t)i, (uint8_t)(1 + h) };
            slot_of(&slot, h);
            put(t, view_of(slot.b, sizeof slot.b), view_of(value, sizeof value));
        }
        if (mpt_trie_root(&world.storage_roots[i], t))
            abort();
        world.slot_proofs[i] = proof_of(t, view_of(world.slot.b, sizeof world.slot.b));
    }
}

static void make_block(unsigned b)
{
    if (mpt_trie_root(&world.roots[b], &world.states[b]))
        abort();
    for (unsigned i = 0; i <= CONTRACTS; i++) {
        const addr_t who = address(i);
        world.proofs[b][i] = proof_of(&world.states[b], view_of(who.b, sizeof who.b));
    }
    blocks[b] = (ex_block_t){ .state_root = world.roots[b],
                              .env = { .number = 1000 + b, .timestamp = 5000, .gas_limit = 30000000, .chain_id = 1 } };
    memset(blocks[b].block_hash.b, (int)(0xb0 + b), 32);
}

/* Account 0 calls, 1 to CONTRACTS are called; an account that nobody asks for is another one on the second block. */
static void make_world(void)
{
    mpt_trie_t *state = &world.states[0];
    arena_init(&world.arena, (size_t)1 << 30);
    world.many_len = code_of(world.many, sizeof world.many, &world.many_hash, MANY);
    world.token_len = code_of(world.token, sizeof world.token, &world.token_hash, TOKEN);
    slot_of(&world.slot, HOLDER);
    make_storages();
    *state = (mpt_trie_t){ .arena = &world.arena };
    for (unsigned i = 0; i <= CONTRACTS; i++)
        put_account(state, i, 1, &world.storage_roots[i], i ? &world.token_hash : &world.many_hash);
    for (unsigned i = 1; i <= OTHERS; i++)
        put_account(state, CONTRACTS + i, i, &EMPTY_TRIE_ROOT, &KECCAK_EMPTY);
    make_block(0);
    world.states[1] = *state;
    put_account(&world.states[1], CONTRACTS + 1, 7777, &EMPTY_TRIE_ROOT, &KECCAK_EMPTY);
    make_block(1);
}

/* ---- the upstream ---- */

static void put_proof(jw_t *w, const jo_t *params)
{
    jo_t list = *params, who = { 0 }, keys = { 0 }, where = { 0 }, key;
    addr_t addr = { { 0 } };
    hash32_t hash = { { 0 } };
    (void)(jo_next(&list, &who) && jo_next(&list, &keys) && jo_next(&list, &where));
    jo_hex(&who, addr.b, sizeof addr.b, NULL, HEX_0X);
    jo_hex(&where, hash.b, sizeof hash.b, "blockHash", HEX_0X);
    const unsigned b = hash32_eq(&hash, &blocks[1].block_hash), i = (unsigned)addr.b[18] << 8 | addr.b[19];
    if (i > CONTRACTS)
        abort();
    jw_object(w, "result");
    jw_hex(w, "address", view_of(addr.b, sizeof addr.b));
    jw_raw(w, "accountProof", world.proofs[b][i]);
    jw_quantity(w, "balance", 0);
    jw_hex(w, "codeHash", view_of((i ? &world.token_hash : &world.many_hash)->b, 32));
    jw_quantity(w, "nonce", 1);
    jw_hex(w, "storageHash", view_of(world.storage_roots[i].b, 32));
    jw_array(w, "storageProof");
    for (jo_t all = jo_list(&keys, NULL, 0, 1); i && jo_next(&all, &key);) {
        jw_object(w, NULL);
        jw_text(w, "key", jo_text(&key, NULL, 3, 66));
        jw_quantity(w, "value", (uint64_t)(256 + i) << 8 | (1 + HOLDER));
        jw_raw(w, "proof", world.slot_proofs[i]);
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
}

/* What a call touches, as a server finds it by running it. */
static void put_hint(jw_t *w, const jo_t *params)
{
    jo_t list = *params, request = { 0 };
    arena_t a;
    (void)jo_next(&list, &request);
    arena_init(&a, BODY_MAX);
    const view_t data = jo_bytes(&request, &a, jo_has(&request, "input") ? "input" : "data", 0, BODY_MAX, HEX_0X);
    jw_object(w, "result");
    jw_array(w, "accessList");
    for (size_t i = 0; i + 64 <= data.n; i += 32) {
        jw_object(w, NULL);
        jw_hex(w, "address", view_of(data.p + i + 12, 20));
        jw_array(w, "storageKeys");
        jw_hex(w, NULL, view_of(world.slot.b, sizeof world.slot.b));
        jw_end(w);
        jw_end(w);
    }
    jw_end(w);
    jw_quantity(w, "gasUsed", 100000);
    jw_end(w);
    arena_free(&a);
}

static void put_code(jw_t *w, const jo_t *params)
{
    jo_t list = *params, who = { 0 };
    addr_t addr = { { 0 } };
    (void)jo_next(&list, &who);
    jo_hex(&who, addr.b, sizeof addr.b, NULL, HEX_0X);
    const bool many = !addr.b[18] && !addr.b[19];
    jw_hex(w, "result", many ? view_of(world.many, world.many_len) : view_of(world.token, world.token_len));
}

static void put_answer(jw_t *w, const jo_t *element)
{
    const view_t method = jo_text(element, "method", 1, 40);
    const jo_t params = jo_list(element, "params", 0, 8);
    if (view_eq(method, view_str("eth_getProof")))
        put_proof(w, &params);
    else if (view_eq(method, view_str("eth_createAccessList")))
        put_hint(w, &params);
    else
        put_code(w, &params);
}

/* ---- the client ---- */

static void post_call(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx;
    calls_post(calls, q, r, &blocks[at]);
}

static size_t write_request(char *out, size_t room, unsigned contracts)
{
    static char body[BODY_MAX];
    size_t n = (size_t)snprintf(body, sizeof body, "{\"to\":\"0xaa%038x\",\"data\":\"0x", 0);
    for (unsigned i = 0; i < contracts; i++)
        n += (size_t)snprintf(body + n, sizeof body - n, "%024xaa%038x", 0, 1 + i);
    n += (size_t)snprintf(body + n, sizeof body - n, "%064x\"}", HOLDER);
    return (size_t)snprintf(
        out, room, "POST /call HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s", n, body);
}

/* One call, on a connection of its own. */
static bool call(unsigned contracts, uint16_t port)
{
    static char text[BODY_MAX + 200], answer[ANSWER_MAX];
    const struct sockaddr_in to = { .sin_family = AF_INET,
                                    .sin_port = htons(port),
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const size_t n = write_request(text, sizeof text, contracts);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    size_t got = 0;
    bool good = fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof to) == 0 &&
                send(fd, text, n, MSG_NOSIGNAL) == (ssize_t)n;
    for (ssize_t more = 1; good && more > 0 && got < sizeof answer - 1; got += (size_t)more) {
        more = recv(fd, answer + got, sizeof answer - 1 - got, 0);
        good = more >= 0;
    }
    answer[got] = '\0';
    if (fd >= 0)
        close(fd);
    good = good && strncmp(answer, "HTTP/1.1 200 ", 13) == 0;
    if (!good)
        fprintf(stderr, "bench: call: %s\n", answer);
    return good;
}

/* ---- measuring ---- */

typedef struct {
    unsigned rounds, batches;
    double wall_ms, cpu_ms; /* the best of all times; CPU: of the process, without the upstream's answers */
} cost_t;

static double now_ms(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static bool measure(cost_t *c, unsigned contracts, uint16_t port)
{
    const unsigned rounds = bench_up.rounds, batches = bench_up.batches;
    const double upstream = (double)bench_up.cpu_ns / 1e6;
    double cpu = now_ms(CLOCK_PROCESS_CPUTIME_ID), wall = now_ms(CLOCK_MONOTONIC);
    if (!call(contracts, port))
        return false;
    wall = now_ms(CLOCK_MONOTONIC) - wall;
    cpu = now_ms(CLOCK_PROCESS_CPUTIME_ID) - cpu - ((double)bench_up.cpu_ns / 1e6 - upstream);
    c->wall_ms = c->wall_ms > 0 && c->wall_ms < wall ? c->wall_ms : wall;
    c->cpu_ms = c->cpu_ms > 0 && c->cpu_ms < cpu ? c->cpu_ms : cpu;
    c->rounds = bench_up.rounds - rounds;
    c->batches = bench_up.batches - batches;
    return true;
}

static bool measure_all(cost_t costs[3], unsigned contracts, const char *url)
{
    static const hs_route_t routes[] = { { "POST", "/call", post_call, HS_CORS } };
    static const char *const names[] = { "cold", "same block", "next block" };
    for (unsigned r = 0; r < ROUNDS; r++) {
        bench_engine_t engine;
        at = 0;
        bool good = bench_engine_start(&engine, url, routes, 1);
        calls = engine.calls;
        good = good && measure(&costs[0], contracts, engine.port) && measure(&costs[1], contracts, engine.port);
        at = 1;
        good = good && measure(&costs[2], contracts, engine.port);
        bench_engine_stop(&engine);
        if (!good)
            return false;
    }
    for (unsigned i = 0; i < 3; i++)
        printf(
            "  %3u contracts, %-10s  %u round trips (%u requests)  %6.1f ms, of which the round trips %3u; %5.2f ms of CPU\n",
            contracts, names[i], costs[i].rounds, costs[i].batches, costs[i].wall_ms, costs[i].rounds * LATENCY_MS,
            costs[i].cpu_ms);
    return true;
}

bool bench_call(const char *dir)
{
    static const unsigned counts[] = { 1, 10, 200 };
    static cost_t costs[3][3];
    char url[BENCH_URL_MAX];
    (void)dir;
    make_world();
    bool good = bench_up_start(url, put_answer, LATENCY_MS);
    for (unsigned i = 0; good && i < 3; i++)
        good = measure_all(costs[i], counts[i], url);
    bench_up_stop();
    arena_free(&world.arena);
    return good && bench_result("call", costs[2][0].wall_ms, "ms", costs[2][0].rounds * LATENCY_MS, "round-trips");
}

/* ---- what stays in memory ---- */

static double in_use_mib(void)
{
    process_use_t use;
    process_use(&use);
    return (double)use.memory / (1u << 20);
}

bool bench_given_back(const char *dir)
{
    static const hs_route_t routes[] = { { "POST", "/call", post_call, HS_CORS } };
    char url[BENCH_URL_MAX];
    bench_engine_t engine;
    (void)dir;
    make_world();
    at = 0;
    bool good = bench_up_start(url, put_answer, 0) && bench_engine_start(&engine, url, routes, 1);
    calls = engine.calls;
    good = good && call(10, engine.port);
    const double before = in_use_mib();
    good = good && call(CONTRACTS, engine.port);
    const double after = in_use_mib();
    memory_give_back();
    const double back = in_use_mib();
    bench_engine_stop(&engine);
    bench_up_stop();
    arena_free(&world.arena);
    printf("  a call over %u contracts: %.1f MiB before, %.1f after it, %.1f once memory was given back\n", CONTRACTS,
           before, after, back);
    return good && bench_result("given-back", back - before, "MiB", after - before, "after-the-call");
}
