/* bench NAME [VECTORS]: runs one bench ("all": every one). The last line is for machines: NAME value unit ratio
 * reference. VECTORS is the root of the vectors (default ../shared/vectors); benches that need real data use made-up
 * data without. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/os/memory.h"
#include "tests/bench/bench.h"

static const struct {
    const char *name;
    bool (*run)(const char *dir);
} benches[] = {
#define BENCH(name, fn) { name, fn },
#include "tests/bench/benches.def"
#undef BENCH
};
#define BENCHES (sizeof benches / sizeof benches[0])

uint64_t bench_cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void bench_round(bench_series_t *s, uint64_t start_ns, size_t count)
{
    uint64_t spent = bench_cpu_ns() - start_ns;
    if (s->rounds < BENCH_ROUNDS_MAX && count)
        s->ns[s->rounds++] = (double)spent / (double)count;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(const bench_series_t *s, size_t of_rounds)
{
    bench_series_t sorted = *s;
    qsort(sorted.ns, sorted.rounds, sizeof sorted.ns[0], by_value);
    return sorted.rounds ? sorted.ns[of_rounds] : 0;
}

double bench_best(const bench_series_t *s)
{
    return quantile(s, 0);
}

double bench_median(const bench_series_t *s)
{
    return quantile(s, s->rounds / 2);
}

void bench_line(const char *label, const bench_series_t *s, double ns_per_unit, const char *unit)
{
    printf("  %-58s best %9.2f %s, median %9.2f %s\n", label, bench_best(s) / ns_per_unit, unit,
           bench_median(s) / ns_per_unit, unit);
}

bool bench_result(const char *name, double value, const char *unit, double reference_value, const char *reference)
{
    if (value <= 0 || reference_value <= 0) {
        fprintf(stderr, "bench: %s measured nothing\n", name);
        return false;
    }
    printf("%s %.2f %s %.3f %s\n", name, value, unit, value / reference_value, reference);
    return true;
}

static int usage(FILE *out, int status)
{
    fputs("usage: bench NAME [VECTORS]\nnames: all", out);
    for (size_t i = 0; i < BENCHES; i++)
        fprintf(out, " %s", benches[i].name);
    fputc('\n', out);
    return status;
}

int main(int argc, char **argv)
{
    const char *dir = argc > 2 ? argv[2] : "../shared/vectors";
    struct stat st;
    bool found = false, ok = true;
    if (argc < 2 || argc > 3)
        return usage(stderr, 2);
    if (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help"))
        return usage(stdout, 0);
    if (stat(dir, &st) || !S_ISDIR(st.st_mode)) {
        if (argc > 2) {
            fprintf(stderr, "bench: no folder %s\n", dir);
            return 2;
        }
        dir = NULL;
    }
    memory_begin(); /* as the program does */
    for (size_t i = 0; i < BENCHES; i++)
        if (!strcmp(argv[1], "all") || !strcmp(argv[1], benches[i].name)) {
            found = true;
            ok = benches[i].run(dir) && ok;
            fflush(stdout);
        }
    if (!found)
        return usage(stderr, 2);
    return ok ? 0 : 1;
}
