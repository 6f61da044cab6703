/* evm: whole calls of long programs, beside evmone's baseline interpreter on the machine of its measurement (GCC 12.2,
 * x86-64-v2, Zen 5; ethereum/evmone at 2cbfad3). The programs are those of ipsilon/evm-benchmarks (main set), in the
 * state-test format; a case that the folder does not have is left out. Everything of a call is measured: arena, state,
 * preparation of the code, execution. Machines differ in speed: see reference.c; times are divided by its factor before
 * they are compared. Gas is Istanbul's, as evmone's was measured with; a case without state access uses the same in
 * every fork, and that is checked. The last line is the geometric mean.
 *
 * Hardware counters, where the machine has them, add instructions. Under valgrind --tool=callgrind each case runs once
 * and its counts are dumped under its name: see evm_instructions.py. */
#include <dirent.h>
#include <jansson.h>
#include <linux/perf_event.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#define CALLGRIND_ZERO_STATS
#define CALLGRIND_DUMP_STATS_AT(name) (void)(name)
#endif

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "lightclient/evm/evm.h"
#include "tests/bench/bench.h"

#define ROUNDS 15u
#define ROUND_NS 4e6
#define CALL_MEMORY_MAX ((size_t)256 << 20)
#define CASES_MAX 64u
#define WORLD_MAX 8u

/* What evmone's baseline interpreter needs: gas of the execution, best time, million instructions (0: not counted). */
static const struct {
    const char *name;
    uint64_t gas;
    double us, minstr;
} evmone[] = {
    { "blake2b_huff/empty", 13984, 14.0, 0 },
    { "blake2b_huff/8415nulls", 879923, 565, 6.30 },
    { "blake2b_shifts/8415nulls", 12043105, 5049, 59.9 },
    { "sha1_divs/empty", 36454, 36.8, 0 },
    { "sha1_divs/5311", 3000286, 3175, 33.2 },
    { "sha1_shifts/empty", 35234, 18.9, 0 },
    { "sha1_shifts/5311", 2898473, 1483, 17.8 },
    { "snailtracer/benchmark", 234915768, 26729, 300.4 },
    { "structarray_alloc/nfts_rank", 1737676, 288, 4.74 },
    { "swap_math/spent", 3179, 2.2, 0 },
    { "swap_math/received", 3505, 2.5, 0.055 },
    { "swap_math/insufficient_liquidity", 2232, 1.9, 0 },
    { "weierstrudel/1", 47561, 133, 0 },
    { "weierstrudel/15", 598273, 1408, 15.6 },
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
    int known;    /* row of evmone, or -1 */
    uint64_t gas; /* of the last call */
    bench_series_t series;
    double instructions; /* of one call; 0: not counted */
} case_t;

typedef struct {
    case_t *cases;
    size_t count;
    arena_t arena; /* of all that the cases refer to */
    int counter;   /* of the processor's instructions; -1: it has none */
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

static uint64_t intrinsic_gas(view_t data)
{
    uint64_t gas = 21000;
    for (size_t i = 0; i < data.n; i++)
        gas += data.p[i] ? 16 : 4;
    return gas;
}

/* One whole call; false: it does not succeed. */
static bool call(case_t *c)
{
    static const evm_rules_t rules = { .fork = EVM_LONDON };
    const evm_host_t host = { .ctx = c, .account = host_account, .storage = host_storage, .code = host_code };
    evm_result_t r;
    arena_t a;
    arena_init(&a, CALL_MEMORY_MAX);
    rc_t rc = evm_call(&r, &a, &host, &rules, &c->block, &c->tx);
    if (!rc)
        c->gas = r.gas_used;
    arena_free(&a);
    return rc == RC_OK && r.status == EVM_SUCCESS;
}

/* --- measurement --- */

static int counter_open(void)
{
    struct perf_event_attr attr = { .type = PERF_TYPE_HARDWARE,
                                    .size = sizeof attr,
                                    .config = PERF_COUNT_HW_INSTRUCTIONS,
                                    .exclude_kernel = 1,
                                    .exclude_hv = 1 };
    return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0UL);
}

static uint64_t counter_read(int fd)
{
    uint64_t n = 0;
    return fd >= 0 && read(fd, &n, sizeof n) == (ssize_t)sizeof n ? n : 0;
}

/* A first call, and one for the gas and the instructions. */
static bool try_case(const set_t *s, case_t *c)
{
    (void)call(c); /* memory, and functions bound at their first use */
    uint64_t before = counter_read(s->counter);
    CALLGRIND_ZERO_STATS;
    bool ok = call(c);
    CALLGRIND_DUMP_STATS_AT(c->name);
    uint64_t after = counter_read(s->counter);
    c->instructions = (double)(after - before);
    if (!ok)
        fprintf(stderr, "bench: %s fails\n", c->name);
    /* snailtracer reads its storage, which costs more from Berlin on */
    uint64_t gas = c->gas - intrinsic_gas(c->tx.data);
    if (ok && c->known >= 0 && evmone[c->known].gas != gas && strncmp(c->name, "snailtracer", 11)) {
        fprintf(stderr, "bench: %s uses %llu gas, not %llu\n", c->name, (unsigned long long)gas,
                (unsigned long long)evmone[c->known].gas);
        ok = false;
    }
    return ok;
}

static void round_of(case_t *c)
{
    uint64_t start = bench_cpu_ns(), now;
    size_t count = 0;
    do {
        (void)call(c);
        count++;
        now = bench_cpu_ns();
    } while ((double)(now - start) < ROUND_NS);
    bench_round(&c->series, start, count);
}

static bool measure(set_t *s, bench_series_t *reference)
{
    for (size_t i = 0; i < s->count; i++)
        if (!try_case(s, &s->cases[i]))
            return false;
    for (unsigned r = 0; r < ROUNDS && !RUNNING_ON_VALGRIND; r++) {
        if (!bench_reference(reference))
            return false;
        for (size_t i = 0; i < s->count; i++)
            round_of(&s->cases[i]);
    }
    return true;
}

static void print_case(const case_t *c, double slower)
{
    double us = bench_best(&c->series) / 1e3;
    uint64_t gas = c->known >= 0 ? evmone[c->known].gas : c->gas - intrinsic_gas(c->tx.data);
    printf("  %-34s %9llu gas, best %9.2f us, median %9.2f us, %7.1f Mgas/s", c->name, (unsigned long long)gas, us,
           bench_median(&c->series) / 1e3, (double)gas / us);
    if (c->instructions > 0)
        printf(", %.3f instructions per gas", c->instructions / (double)gas);
    if (c->known >= 0)
        printf(", evmone %7.1f: %.2f times", (double)gas / evmone[c->known].us, evmone[c->known].us * slower / us);
    putchar('\n');
}

static bool report(const set_t *s, const bench_series_t *reference)
{
    double slower = bench_slower(reference), rate = 0, evmone_rate = 0, ms = 0, evmone_ms = 0, least = INFINITY;
    unsigned known = 0;
    for (size_t i = 0; i < s->count; i++) {
        const case_t *c = &s->cases[i];
        print_case(c, slower);
        if (c->known < 0)
            continue;
        double us = bench_best(&c->series) / slower, theirs = evmone[c->known].us, gas = (double)evmone[c->known].gas;
        us /= 1e3;
        rate += log(gas / us), evmone_rate += log(gas / theirs), known++;
        ms += us / 1e3, evmone_ms += theirs / 1e3;
        least = fmin(least, theirs / us);
    }
    printf("  %u of %zu cases of the reference; sum %.2f ms, there %.2f ms: %.2f times; least case %.2f times\n", known,
           EVMONE, ms, evmone_ms, evmone_ms / ms, least);
    return bench_result("evm", known ? exp(rate / known) : 0, "Mgas/s", known ? exp(evmone_rate / known) : 0,
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
    s.counter = counter_open();
    bool ok = read_set(&s, dir) && measure(&s, &reference);
    if (ok && !RUNNING_ON_VALGRIND)
        ok = report(&s, &reference);
    if (s.counter >= 0)
        close(s.counter);
    arena_free(&s.arena);
    return ok;
}
