/* evm: whole calls of long programs under Osaka's rules, beside evmone's baseline interpreter, and under Amsterdam's. The
 * programs are those of ipsilon/evm-benchmarks (main set), in the state-test format; a case that the folder does not
 * have is left out. Everything of a call is measured: arena, state, preparation of the code, execution.
 *
 * With KETTLE_EVMONE (see peer.h) evmone runs the same programs in this process, in turns with ours; gas and output must
 * be the same. Without, times are compared with those of evmone on another machine (GCC 12.2, x86-64-v2, Zen 5;
 * ethereum/evmone at 2cbfad3, Istanbul's rules), divided by what makes this one slower (reference.c). The last line is
 * the geometric mean.
 *
 * Under valgrind --tool=callgrind each case runs once by each, and the counts are dumped: see evm_instructions.py. */
#include <dirent.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#define CALLGRIND_ZERO_STATS
#define CALLGRIND_DUMP_STATS_AT(name)
#endif

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "lightclient/evm/evm.h"
#include "tests/bench/bench.h"
#include "tests/bench/peer.h"

#define ROUNDS 15u
#define ROUND_NS 4e6
#define CALL_MEMORY_MAX ((size_t)256 << 20)
#define CASES_MAX 64u
#define WORLD_MAX 8u
#define OUTPUT_MAX 4096u

/* The rules: Osaka's, and Amsterdam's without its limits of a transaction's gas, which the longest program passes. */
enum { OSAKA, AMSTERDAM, WAYS };

/* What evmone's baseline interpreter needed there: gas of the execution, best time. */
static const struct {
    const char *name;
    uint64_t gas;
    double us;
} evmone[] = {
    { "blake2b_huff/empty", 13984, 14.0 },
    { "blake2b_huff/8415nulls", 879923, 565 },
    { "blake2b_shifts/8415nulls", 12043105, 5049 },
    { "sha1_divs/empty", 36454, 36.8 },
    { "sha1_divs/5311", 3000286, 3175 },
    { "sha1_shifts/empty", 35234, 18.9 },
    { "sha1_shifts/5311", 2898473, 1483 },
    { "snailtracer/benchmark", 234915768, 26729 },
    { "structarray_alloc/nfts_rank", 1737676, 288 },
    { "swap_math/spent", 3179, 2.2 },
    { "swap_math/received", 3505, 2.5 },
    { "swap_math/insufficient_liquidity", 2232, 1.9 },
    { "weierstrudel/1", 47561, 133 },
    { "weierstrudel/15", 598273, 1408 },
};
#define EVMONE (sizeof evmone / sizeof evmone[0])

/* One call: the accounts before it, and what it sends. */
typedef struct {
    char name[96];
    struct {
        addr_t addr;
        evm_account_t account;
        view_t code;
    } world[WORLD_MAX];
    size_t world_count;
    evm_block_t block;
    evm_tx_t tx;
    int known;      /* row of evmone, or -1 */
    uint64_t gas;   /* without intrinsic gas */
    uint64_t spent; /* by the last call: all of it, before the refund */
    view_t output;
    uint8_t bytes[OUTPUT_MAX]; /* of output */
    bench_series_t ours[WAYS], theirs;
} case_t;

typedef struct {
    case_t *cases;
    size_t count;
    arena_t arena; /* of all that the cases refer to */
    peer_t peer;
} set_t;

/* --- cases --- */

static bool hex_at(uint8_t *out, size_t n, const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text && hex_decode_exact(out, n, text, strlen(text)) == RC_OK;
}

static uint64_t number_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? strtoull(text, NULL, 16) : 0;
}

static bool bytes_of(view_t *out, arena_t *a, const json_t *value)
{
    const char *text = json_string_value(value);
    size_t n = 0;
    uint8_t *p = text ? arena_alloc(a, strlen(text)) : NULL;
    if (!p || hex_decode(p, &n, strlen(text), text, strlen(text)))
        return false;
    *out = view_of(p, n);
    return true;
}

static bool read_world(case_t *c, arena_t *a, const json_t *pre)
{
    const char *key;
    json_t *object;
    json_object_foreach ((json_t *)pre, key, object) {
        evm_account_t *account = &c->world[c->world_count].account;
        view_t *code = &c->world[c->world_count].code;
        if (c->world_count == WORLD_MAX || hex_decode_exact(c->world[c->world_count].addr.b, 20, key, strlen(key)) ||
            !bytes_of(code, a, json_object_get(object, "code")) || json_object_size(json_object_get(object, "storage")))
            return false;
        account->exists = true;
        account->nonce = number_at(object, "nonce");
        account->balance = u256_of(number_at(object, "balance"));
        keccak256(&account->code_hash, *code);
        c->world_count++;
    }
    return c->world_count > 0;
}

/* Case number i of a test: its i-th input. */
static bool read_case(case_t *c, arena_t *a, const char *name, const json_t *test, size_t i)
{
    const json_t *env = json_object_get(test, "env"), *tx = json_object_get(test, "transaction");
    const json_t *labels = json_object_get(json_object_get(test, "_info"), "labels");
    char index[24];
    snprintf(index, sizeof index, "%zu", i);
    const char *label = json_string_value(json_object_get(labels, index));
    snprintf(c->name, sizeof c->name, "%.60s/%.30s", name, label ? label : index);
    c->block = (evm_block_t){ .number = number_at(env, "currentNumber"),
                              .gas_limit = number_at(env, "currentGasLimit"),
                              .timestamp = number_at(env, "currentTimestamp"),
                              .chain_id = 1,
                              .base_fee = u256_of(number_at(env, "currentBaseFee")) };
    const char *gas = json_string_value(json_array_get(json_object_get(tx, "gasLimit"), 0));
    c->tx = (evm_tx_t){ .gas = gas ? strtoull(gas, NULL, 16) : 0, .gas_price = u256_of(1) };
    c->known = -1;
    for (size_t k = 0; k < EVMONE; k++)
        if (!strcmp(evmone[k].name, c->name))
            c->known = (int)k;
    return hex_at(c->block.coinbase.b, 20, env, "currentCoinbase") && hex_at(c->tx.from.b, 20, tx, "sender") &&
           hex_at(c->tx.to.b, 20, tx, "to") && read_world(c, a, json_object_get(test, "pre")) &&
           bytes_of(&c->tx.data, a, json_array_get(json_object_get(tx, "data"), i));
}

static bool read_file(set_t *s, const char *path)
{
    json_t *file = json_load_file(path, 0, NULL), *test;
    const char *name;
    bool ok = json_is_object(file);
    json_object_foreach (file, name, test) {
        size_t inputs = json_array_size(json_object_get(json_object_get(test, "transaction"), "data"));
        for (size_t i = 0; ok && i < inputs; i++)
            ok = s->count < CASES_MAX && read_case(&s->cases[s->count++], &s->arena, name, test, i);
    }
    json_decref(file);
    if (!ok)
        fprintf(stderr, "bench: %s cannot be read\n", path);
    return ok;
}

/* All of folder/main; false: it cannot be read. */
static bool read_set(set_t *s, const char *dir)
{
    char path[1024];
    struct dirent **entries;
    bool ok = true;
    snprintf(path, sizeof path, "%s/evm-bench/main", dir);
    if (access(path, R_OK))
        snprintf(path, sizeof path, "%s/main", dir);
    int n = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char file[1400];
        size_t len = strlen(entries[i]->d_name);
        snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
        if (ok && len > 5 && !strcmp(entries[i]->d_name + len - 5, ".json"))
            ok = read_file(s, file);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    if (n < 0 || s->count == 0)
        fprintf(stderr, "bench: no programs in %s\n", path);
    return ok && s->count;
}

/* --- the call --- */

static rc_t host_account(void *ctx, evm_account_t *out, const addr_t *addr)
{
    const case_t *c = ctx;
    *out = (evm_account_t){ .code_hash = KECCAK_EMPTY };
    for (size_t i = 0; i < c->world_count; i++)
        if (addr_eq(&c->world[i].addr, addr))
            *out = c->world[i].account;
    return RC_OK;
}

static rc_t host_storage(void *ctx, u256_t *out, const addr_t *addr, const hash32_t *key)
{
    (void)ctx, (void)addr, (void)key;
    *out = u256_of(0);
    return RC_OK;
}

static rc_t host_code(void *ctx, view_t *out, const addr_t *addr, const hash32_t *code_hash)
{
    const case_t *c = ctx;
    (void)code_hash;
    for (size_t i = 0; i < c->world_count; i++)
        if (addr_eq(&c->world[i].addr, addr)) {
            *out = c->world[i].code;
            return RC_OK;
        }
    return RC_BUG;
}

/* One whole call; false: it does not succeed. */
static bool call(case_t *c, unsigned way)
{
    static evm_state_gas_t no_limits;
    no_limits = EVM_STATE_GAS_SEPOLIA;
    no_limits.execution_max = INT64_MAX;
    const evm_rules_t rules = { .fork = way == OSAKA ? EVM_OSAKA : EVM_AMSTERDAM,
                                .state_gas = way == OSAKA ? NULL : &no_limits };
    const evm_host_t host = { .ctx = c, .account = host_account, .storage = host_storage, .code = host_code };
    evm_result_t r;
    arena_t a;
    arena_init(&a, CALL_MEMORY_MAX);
    rc_t rc = evm_call(&r, &a, &host, &rules, &c->block, &c->tx);
    const bool ok = rc == RC_OK && r.status == EVM_SUCCESS && r.output.n <= sizeof c->bytes;
    if (ok) {
        c->spent = r.gas_peak;
        c->output = view_of(c->bytes, r.output.n);
        if (r.output.n)
            memcpy(c->bytes, r.output.p, r.output.n);
    }
    arena_free(&a);
    return ok;
}

/* The same by evmone. */
static bool peer_runs(peer_run_t *run, const set_t *s, const case_t *c)
{
    static uint8_t out[OUTPUT_MAX];
    view_t code = { NULL, 0 };
    for (size_t i = 0; i < c->world_count; i++)
        if (addr_eq(&c->world[i].addr, &c->tx.to))
            code = c->world[i].code;
    *run = (peer_run_t){ .code = code.p,
                         .code_len = code.n,
                         .input = c->tx.data.p,
                         .input_len = c->tx.data.n,
                         .out = out,
                         .out_cap = sizeof out };
    return s->peer.call(run) == 0;
}

/* --- measurement --- */

static bool refused(const case_t *c, const char *what)
{
    fprintf(stderr, "bench: %s: %s\n", c->name, what);
    return false;
}

/* Its gas and output are what they should be. Gas that is less than the floor (EIP-7623) says nothing. */
static bool as_expected(const set_t *s, case_t *c)
{
    const evm_rules_t rules = { .fork = EVM_OSAKA };
    evm_tx_gas_t due;
    peer_run_t run;
    evm_tx_price(&due, &rules, &c->tx);
    const bool floored = c->spent <= due.floor;
    c->gas = c->spent - due.intrinsic;
    if (!s->peer.call) /* where snailtracer paid less for reading its storage */
        return c->known < 0 || floored || evmone[c->known].gas == c->gas || !strncmp(c->name, "snailtracer", 11) ||
               refused(c, "not the gas of evmone");
    if (!peer_runs(&run, s, c))
        return refused(c, "evmone fails");
    if (!floored && (uint64_t)run.gas != c->gas)
        return refused(c, "evmone uses other gas");
    c->gas = (uint64_t)run.gas;
    return view_eq(c->output, view_of(run.out, run.out_len)) || refused(c, "evmone returns something else");
}

static void dump(const char *who, const case_t *c)
{
    char name[128];
    snprintf(name, sizeof name, "%s %s", who, c->name);
    CALLGRIND_DUMP_STATS_AT(name);
    (void)name;
}

/* A first call, and one for the gas, the output and the instructions. */
static bool try_case(const set_t *s, case_t *c)
{
    static const char *const who[WAYS] = { "kettle", "amsterdam" };
    peer_run_t run;
    for (unsigned way = WAYS; way-- > 0;) {
        (void)call(c, way); /* memory, and functions bound at their first use */
        CALLGRIND_ZERO_STATS;
        bool ok = call(c, way);
        dump(who[way], c);
        if (!ok)
            return refused(c, "fails");
    }
    if (!as_expected(s, c))
        return false;
    CALLGRIND_ZERO_STATS;
    if (s->peer.call && RUNNING_ON_VALGRIND && peer_runs(&run, s, c))
        dump("evmone", c);
    return true;
}

/* A round of whoever's turn it is. */
static void round_of(const set_t *s, case_t *c, unsigned way)
{
    peer_run_t run;
    uint64_t start = bench_cpu_ns(), now;
    size_t count = 0;
    do {
        (void)(way < WAYS ? call(c, way) : peer_runs(&run, s, c));
        count++;
        now = bench_cpu_ns();
    } while ((double)(now - start) < ROUND_NS);
    bench_round(way < WAYS ? &c->ours[way] : &c->theirs, start, count);
}

static bool measure(set_t *s, bench_series_t *reference)
{
    for (size_t i = 0; i < s->count; i++)
        if (!try_case(s, &s->cases[i]))
            return false;
    for (unsigned r = 0; r < ROUNDS && !RUNNING_ON_VALGRIND; r++) {
        if (!s->peer.call && !bench_reference(reference))
            return false;
        for (size_t i = 0; i < s->count; i++)
            for (unsigned way = 0; way < WAYS + (s->peer.call ? 1u : 0u); way++)
                round_of(s, &s->cases[i], way);
    }
    return true;
}

/* What evmone needs, in microseconds; 0: not known. */
static double peer_us(const set_t *s, const case_t *c, double slower)
{
    if (s->peer.call)
        return bench_best(&c->theirs) / 1e3;
    return c->known >= 0 ? evmone[c->known].us * slower : 0;
}

static void print_case(const case_t *c, double theirs)
{
    double us = bench_best(&c->ours[OSAKA]) / 1e3, gas = (double)c->gas;
    printf("  %-34s %9llu gas, best %9.2f us, median %9.2f us, %7.1f Mgas/s; Amsterdam's rules %.2f", c->name,
           (unsigned long long)c->gas, us, bench_median(&c->ours[OSAKA]) / 1e3, gas / us,
           bench_best(&c->ours[AMSTERDAM]) / 1e3 / us);
    if (theirs > 0)
        printf("; evmone %9.2f us: %.2f times", theirs, theirs / us);
    putchar('\n');
}

static bool report(const set_t *s, const bench_series_t *reference)
{
    double slower = s->peer.call ? 1 : bench_slower(reference);
    double rate = 0, their_rate = 0, ms = 0, their_ms = 0, least = INFINITY, newer = 0;
    unsigned known = 0;
    for (size_t i = 0; i < s->count; i++) {
        const case_t *c = &s->cases[i];
        double us = bench_best(&c->ours[OSAKA]) / 1e3, theirs = peer_us(s, c, slower);
        print_case(c, theirs);
        newer = fmax(newer, bench_best(&c->ours[AMSTERDAM]) / 1e3 / us);
        if (theirs <= 0)
            continue;
        rate += log((double)c->gas / us), their_rate += log((double)c->gas / theirs), known++;
        ms += us / 1e3, their_ms += theirs / 1e3;
        least = fmin(least, theirs / us);
    }
    printf("  %u cases; sum %.2f ms, evmone's %.2f ms: %.2f times; least case %.2f times; Amsterdam at most %.2f of "
           "Osaka's time\n",
           known, ms, their_ms, their_ms / ms, least, newer);
    return bench_result("evm", known ? exp(rate / known) : 0, "Mgas/s", known ? exp(their_rate / known) : 0,
                        "evmone-baseline");
}

bool bench_evm(const char *dir)
{
    static case_t cases[CASES_MAX];
    static bench_series_t reference;
    set_t s = { .cases = cases };
    if (!dir) {
        fputs("bench: evm needs vectors\n", stderr);
        return false;
    }
    arena_init(&s.arena, CALL_MEMORY_MAX);
    bool ok = peer_open(&s.peer) && read_set(&s, dir) && measure(&s, &reference);
    if (ok && !RUNNING_ON_VALGRIND)
        ok = report(&s, &reference);
    arena_free(&s.arena);
    return ok;
}
