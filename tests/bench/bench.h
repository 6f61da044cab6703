/* bench.h - what every bench uses: thread CPU time, series of rounds, the line that machines read. */
#ifndef TESTS_BENCH_H
#define TESTS_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_ROUNDS_MAX 256u

/* Rounds of one measured thing; each entry is the time of one operation. */
typedef struct {
    double ns[BENCH_ROUNDS_MAX];
    size_t rounds;
} bench_series_t;

/* CPU time of this thread: other work on the machine disturbs it least. */
uint64_t bench_cpu_ns(void);

/* Adds a round of count operations that began at start_ns. Measured things take turns, round by round, so that a slow
 * moment of the machine meets all of them. */
void bench_round(bench_series_t *s, uint64_t start_ns, size_t count);

/* The undisturbed cost, and the usual one. 0 without rounds. */
double bench_best(const bench_series_t *s);
double bench_median(const bench_series_t *s);

/* A line for people: label, best and median in the unit that divides nanoseconds by ns_per_unit. */
void bench_line(const char *label, const bench_series_t *s, double ns_per_unit, const char *unit);

/* The last line of a bench, for machines: NAME value unit ratio reference; ratio = value / reference value. Refused
 * (false, and a message) when there is nothing to compare with. */
bool bench_result(const char *name, double value, const char *unit, double reference_value, const char *reference);

/* A round of a pairing of blst, whose time on the machine where the peers were measured is known. False: it is wrong. */
bool bench_reference(bench_series_t *s);

/* How many times slower this machine is, by the best round of s; prints it. */
double bench_slower(const bench_series_t *s);

/* Every bench: its name and function (benches.def). dir: root of the vectors, or NULL when there are none. True when it
 * measured. */
#define BENCH(name, fn) bool fn(const char *dir);
#include "tests/bench/benches.def"
#undef BENCH

#endif
