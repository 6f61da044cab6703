/* deadline: how long a call of 550 million gas can go without asking the host about its deadline, and what memory it
 * takes from the arena: programs made to be slow or large, each ended by its deadline after LIMIT_MS. The last line is
 * the longest time between two questions under the newest rules, beside the 100 ms that a caller may count on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "lightclient/evm/evm.h"
#include "tests/bench/bench.h"

#define GAS 550000000u
#define LIMIT_MS 400.0
#define PROMISED_MS 100.0
#define MEMORY_MAX ((size_t)256 << 20)
#define CODE_MAX 24576u

/* A loop over a body, repeated to fill the code; or a call of a precompile with the call data. */
typedef struct {
    const char *name, *head, *body;
    unsigned precompile;
    evm_fork_t fork;
    size_t copies; /* of one unit of call data */
} program_t;

static const program_t programs[] = {
    { "mulmod", "5b", "5f1960035f19095060035f195f190950", 0, EVM_OSAKA, 0 },
    { "exp", "5b", "5f195f190a50", 0, EVM_OSAKA, 0 },
    { "keccak256 of 1 MiB", "620fffe0515b", "621000005f2050", 0, EVM_OSAKA, 0 },
    { "mcopy of 1 MiB", "620fffe0515b", "621000005f60205e", 0, EVM_OSAKA, 0 },
    { "jumps", "5b", "", 0, EVM_OSAKA, 0 },
    { "calls of itself", "5b", "5f5f5f5f305afa50", 0, EVM_OSAKA, 0 },
    { "sload, cold", "5b", "5a5450", 0, EVM_OSAKA, 0 },
    { "memory as far as gas goes", "5b", "5f5952", 0, EVM_OSAKA, 0 },
    { "modexp of 1024 bytes", NULL, NULL, 5, EVM_OSAKA, 1 },
    { "modexp before Osaka", NULL, NULL, 5, EVM_PRAGUE, 1 },
    { "bn254 pairing", NULL, NULL, 8, EVM_OSAKA, 9000 },
    { "blake2f", NULL, NULL, 9, EVM_OSAKA, 1 },
    { "bls12-381 g1 msm", NULL, NULL, 0xc, EVM_OSAKA, 20000 },
    { "bls12-381 g2 msm", NULL, NULL, 0xe, EVM_OSAKA, 12000 },
    { "bls12-381 pairing", NULL, NULL, 0xf, EVM_OSAKA, 9000 },
};
#define PROGRAMS (sizeof programs / sizeof programs[0])

typedef struct {
    view_t code;
    uint64_t start_ns, asked_ns;
    double longest_ms;
    uint64_t questions;
} run_t;

static rc_t host_account(void *ctx, evm_account_t *out, const addr_t *addr)
{
    (void)ctx;
    *out = (evm_account_t){ .code_hash = KECCAK_EMPTY };
    if (addr->b[0] == 0x77)
        *out = (evm_account_t){ .exists = true, .code_hash = { { 1 } } };
    return RC_OK;
}

static rc_t host_storage(void *ctx, u256_t *out, const addr_t *addr, const hash32_t *key)
{
    (void)ctx, (void)addr, (void)key;
    *out = u256_of(1);
    return RC_OK;
}

static rc_t host_code(void *ctx, view_t *out, const addr_t *addr, const hash32_t *code_hash)
{
    (void)addr, (void)code_hash;
    *out = ((const run_t *)ctx)->code;
    return RC_OK;
}

static bool host_expired(void *ctx)
{
    run_t *r = ctx;
    uint64_t now = bench_cpu_ns();
    double gap = (double)(now - r->asked_ns) / 1e6;
    if (gap > r->longest_ms)
        r->longest_ms = gap;
    r->asked_ns = now;
    r->questions++;
    return (double)(now - r->start_ns) / 1e6 > LIMIT_MS;
}

static size_t put(uint8_t *out, size_t at, const char *hex)
{
    size_t n = 0;
    if (hex_decode(out + at, &n, CODE_MAX - at, hex, strlen(hex)))
        n = 0;
    return at + n;
}

/* head, the body as often as it fits, a jump to the JUMPDEST that ends the head. */
static size_t make_loop(uint8_t code[CODE_MAX], const program_t *p)
{
    size_t n = put(code, 0, p->head), target = n - 1, body = strlen(p->body) / 2;
    while (body && n + body + 3 <= CODE_MAX)
        n = put(code, n, p->body);
    code[n++] = 0x60;
    code[n++] = (uint8_t)target;
    code[n++] = 0x56;
    return n;
}

/* CALLDATACOPY of all, STATICCALL of the precompile with all gas. */
static size_t make_call(uint8_t code[CODE_MAX], unsigned precompile)
{
    char text[64];
    snprintf(text, sizeof text, "365f5f375f5f365f60%02x5afa00", precompile);
    return put(code, 0, text);
}

/* A point that the precompile maps a small number to. */
static bool mapped(arena_t *a, view_t *out, unsigned precompile, size_t len)
{
    uint64_t gas;
    uint8_t *in = arena_calloc(a, 1, len);
    if (!in)
        return false;
    in[len - 1] = 7;
    return evm_precompile(out, &gas, a, view_of(in, len), EVM_OSAKA, precompile) == RC_OK;
}

/* One unit of call data: a pair, a term, or the whole input. */
static bool unit_of(arena_t *a, wr_t *w, const program_t *p)
{
    static const char bn254_pair[] =
        "000000000000000000000000000000000000000000000000000000000000000100000000000000000000000000000000"
        "00000000000000000000000000000002198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2"
        "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed090689d0585ff075ec9e99ad690c3395"
        "bc4b313370b38ef355acdadcd122975b12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa";
    view_t g1 = { NULL, 0 }, g2 = { NULL, 0 };
    if (p->precompile == 8) {
        w->n = put(w->p, 0, bn254_pair);
        return w->n == 192;
    }
    if (p->precompile == 9) {
        wr_u32le(w, 0x20); /* 2^29 rounds, big-endian */
        memset(wr_grab(w, 209), 0, 209);
        return true;
    }
    if (p->precompile == 5) {
        size_t modulus = p->fork == EVM_OSAKA ? 1024 : 2048, exponent = p->fork == EVM_OSAKA ? 1024 : 3000;
        memset(w->p, 0, 96);
        store_u64be(w->p + 24, modulus), store_u64be(w->p + 56, exponent), store_u64be(w->p + 88, modulus);
        w->n = 96;
        memset(wr_grab(w, 2 * modulus + exponent), 0xff, 2 * modulus + exponent);
        return true;
    }
    if (!mapped(a, &g1, 0x10, 64) || !mapped(a, &g2, 0x11, 128))
        return false;
    if (p->precompile != 0xe)
        wr_bytes(w, g1.p, g1.n);
    if (p->precompile != 0xc)
        wr_bytes(w, g2.p, g2.n);
    if (p->precompile != 0xf)
        memset(wr_grab(w, 32), 0xa5, 32);
    return true;
}

static bool call_data(arena_t *a, view_t *out, const program_t *p)
{
    uint8_t *unit = arena_alloc(a, CODE_MAX);
    wr_t w = wr_of(unit, CODE_MAX);
    if (!unit || !unit_of(a, &w, p))
        return false;
    uint8_t *all = arena_alloc(a, w.n * p->copies);
    if (!all)
        return false;
    for (size_t i = 0; i < p->copies; i++)
        memcpy(all + i * w.n, unit, w.n);
    *out = view_of(all, w.n * p->copies);
    return true;
}

static bool run(run_t *r, rc_t *rc, size_t *memory, const program_t *p)
{
    static uint8_t code[CODE_MAX];
    const evm_rules_t rules = { .fork = p->fork };
    const evm_block_t block = { .gas_limit = GAS };
    const evm_host_t host = {
        .ctx = r, .account = host_account, .storage = host_storage, .code = host_code, .expired = host_expired
    };
    evm_tx_t tx = { .gas = GAS, .to = { { 0x77 } }, .from = { { 0x66 } } };
    arena_t a, inputs;
    evm_result_t result;
    arena_init(&a, MEMORY_MAX);
    arena_init(&inputs, MEMORY_MAX);
    r->code = view_of(code, p->precompile ? make_call(code, p->precompile) : make_loop(code, p));
    bool ok = !p->precompile || call_data(&inputs, &tx.data, p);
    r->start_ns = r->asked_ns = bench_cpu_ns();
    *rc = ok ? evm_call(&result, &a, &host, &rules, &block, &tx) : RC_BUG;
    double rest = (double)(bench_cpu_ns() - r->asked_ns) / 1e6;
    if (rest > r->longest_ms)
        r->longest_ms = rest;
    *memory = a.used;
    arena_free(&a);
    arena_free(&inputs);
    return ok;
}

bool bench_deadline(const char *dir)
{
    double longest = 0;
    (void)dir;
    for (size_t i = 0; i < PROGRAMS; i++) {
        run_t r = { 0 };
        rc_t rc;
        size_t memory;
        if (!run(&r, &rc, &memory, &programs[i])) {
            fprintf(stderr, "bench: %s cannot be made\n", programs[i].name);
            return false;
        }
        printf("  %-28s %-12s %7.2f ms at most between %6llu questions, %6.1f MB\n", programs[i].name, rc_name(rc),
               r.longest_ms, (unsigned long long)r.questions, (double)memory / 1e6);
        if (programs[i].fork == EVM_OSAKA && r.longest_ms > longest)
            longest = r.longest_ms;
    }
    return bench_result("deadline", longest, "ms", PROMISED_MS, "promised");
}
