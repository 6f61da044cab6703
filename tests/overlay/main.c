/* overlay-sim: runs the machines of overlay/ in a simulated cluster, then each of their rules on trial: left out, a
 * property must break. All that happens follows from the seed that it prints.
 *
 * usage: overlay-sim [--runs N] [--seed S] [--jobs J] [--trials N] [--guard NAME] [--verbose]
 *        overlay-sim --soak HOURS [--seed S]     of virtual time: seven members, two of them liars, one killed every
 *                                                half a minute; all are ready at the end, and the heap does not grow */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/crypto/secret.h"
#include "tests/overlay/floor_world.h"
#include "tests/overlay/scenario.h"
#include "tests/overlay/share_world.h"
#include "tests/overlay/twins_world.h"

typedef struct {
    uint64_t runs, seed, trial_runs, soak_h;
    unsigned jobs;
    bool verbose;
    const char *guard;
} options_t;

#define SHARE_EVERY 16u /* runs: the scenes of share_world.h take a while each */

static world_t world;

static void share(uint64_t seed)
{
#ifdef TEE_SIMULATOR
    share_run(world.broken, seed);
#else
    (void)seed;
#endif
}

/* Runs of one job; gives how many broke. */
static int run_share(const options_t *o, unsigned job)
{
    int broken = 0;
    for (uint64_t i = job; i < o->runs; i += o->jobs) {
        scenario_t s;
        char words[256];
        scenario_draw(&s, o->seed + i);
        world_run(&world, &s, o->seed + i, o->verbose);
        if (!world.broken[0])
            floor_run(world.broken, o->seed + i);
        if (!world.broken[0])
            twins_run(world.broken, o->seed + i);
        if (!world.broken[0] && i % SHARE_EVERY == 0)
            share(o->seed + i);
        if (!world.broken[0])
            continue;
        scenario_words(words, &s);
        printf("BROKEN seed %llu: %s\n  %s\n", (unsigned long long)(o->seed + i), words, world.broken);
        fflush(stdout);
        broken++;
    }
    return broken;
}

static void run_trial(const trial_t *t, uint64_t seed, bool verbose)
{
    switch (t->of) {
    case OF_CLUSTER: world_run(&world, &t->scenario, seed, verbose); break;
    case OF_FLOOR: floor_run(world.broken, seed); break;
    case OF_TWINS: twins_run(world.broken, seed); break;
    case OF_SHARE: share(seed); break;
    }
}

/* Whether leaving out a rule is seen within so many runs. */
static bool try_guard(const options_t *o, const trial_t *t)
{
    guard_removed = t->guard;
    bool seen = false;
    for (uint64_t i = 0; i < o->trial_runs * (t->times ? t->times : 1) && !seen; i++) {
        run_trial(t, o->seed + i, o->verbose);
        seen = world.broken[0] && (!t->seen || strstr(world.broken, t->seen));
        if (seen)
            printf("without %-15s run %2llu: %s\n", t->name, (unsigned long long)i + 1, world.broken);
    }
    guard_removed = GUARD_NONE;
    if (!seen)
        printf("without %-15s NOTHING is seen to break: %s\n", t->name, t->rule);
    for (uint64_t i = 0; i < 3; i++) { /* with it, the same runs hold */
        run_trial(t, o->seed + i, false);
        if (world.broken[0])
            printf("with %-18s BROKEN seed %llu: %s\n", t->name, (unsigned long long)(o->seed + i), world.broken);
        seen = seen && !world.broken[0];
    }
    fflush(stdout);
    return seen;
}

static int try_share(const options_t *o, unsigned job)
{
    int bad = 0;
    for (size_t k = job; k < trial_count; k += o->jobs)
        if (!o->guard || strcmp(o->guard, trials[k].name) == 0)
            bad += !try_guard(o, &trials[k]);
    return bad;
}

/* Spreads work over processes; gives how many of them found something. */
static int spread(const options_t *o, int (*work)(const options_t *, unsigned))
{
    int bad = 0, status;
    for (unsigned j = 0; j < o->jobs; j++)
        if (fork() == 0) {
            int found = work(o, j);
            fflush(stdout);
            _exit(found ? 1 : 0);
        }
    while (wait(&status) > 0)
        bad += status != 0;
    return bad;
}

/* What was attacked, in how many of the runs, and which test shows it by itself. */
static void print_attacks(const options_t *o)
{
    printf("attacks:\n");
    for (size_t k = 0; k < attack_count; k++) {
        unsigned runs = 0;
        for (uint64_t i = 0; i < o->runs && attacks[k].occurs; i++) {
            scenario_t s;
            scenario_draw(&s, o->seed + i);
            runs += attacks[k].occurs(&s);
        }
        printf("  %-95s %5u runs  %s\n", attacks[k].words, runs, attacks[k].shown_by);
    }
}

#define SOAK_MESSAGES 200
#define SOAK_SLACK ((size_t)256 << 10) /* bytes that the heap may differ by between two quarters of the time */

/* Whether seven members, two of which lie, are well after so long, and take no more memory than before. */
static bool soak(const options_t *o)
{
    const scenario_t s = { .seats = 7,
                           .liars = 2,
                           .lies = LIE_TWO_SENDS | LIE_VOTES | LIE_TWO_DRAFTS | LIE_FORGED_COMMIT,
                           .restarts = (int)o->soak_h * 120,
                           .orders = 6,
                           .messages = SOAK_MESSAGES,
                           .trouble_ms = o->soak_h * 3600000,
                           .quiet_ms = 220000 };
    world_run(&world, &s, o->seed, o->verbose);
    const bool flat = world.heap_early && world.heap_late <= world.heap_early + SOAK_SLACK;
    printf("%llu h, %d kills: %s; heap %zu KiB in the second quarter, %zu KiB in the last%s\n",
           (unsigned long long)o->soak_h, s.restarts, world.broken[0] ? world.broken : "all that are honest are ready",
           world.heap_early >> 10, world.heap_late >> 10, flat ? "" : ": it GROWS");
    return flat && !world.broken[0];
}

static bool read_number(uint64_t *out, const char *text)
{
    char *end;
    *out = strtoull(text, &end, 10);
    return *text && !*end;
}

static bool read_options(options_t *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        uint64_t jobs = 0;
        if (strcmp(argv[i], "--verbose") == 0) {
            o->verbose = true;
            continue;
        }
        if (i + 1 == argc)
            return false;
        const char *value = argv[++i];
        bool good = strcmp(argv[i - 1], "--runs") == 0     ? read_number(&o->runs, value)
                    : strcmp(argv[i - 1], "--seed") == 0   ? read_number(&o->seed, value)
                    : strcmp(argv[i - 1], "--trials") == 0 ? read_number(&o->trial_runs, value)
                    : strcmp(argv[i - 1], "--jobs") == 0   ? read_number(&jobs, value) && jobs > 0 && jobs < 65
                    : strcmp(argv[i - 1], "--soak") == 0
                        ? read_number(&o->soak_h, value) && o->soak_h > 0 && o->soak_h < 1000
                    : strcmp(argv[i - 1], "--guard") == 0 ? (o->guard = value) != NULL
                                                          : false;
        if (!good)
            return false;
        o->jobs = jobs ? (unsigned)jobs : o->jobs;
    }
    return true;
}

int main(int argc, char **argv)
{
    options_t o = { .runs = 1000, .seed = 1, .trial_runs = 40, .jobs = 2 };
    if (!read_options(&o, argc, argv)) {
        fprintf(stderr,
                "usage: overlay-sim [--runs N] [--seed S] [--trials N] [--jobs J] [--guard NAME] [--verbose]\n");
        return 2;
    }
    if (secret_init())
        return 2;
    (void)mallopt(M_MMAP_THRESHOLD, 1 << 28); /* for speed; the sanitizers' allocator knows neither */
    (void)mallopt(M_TRIM_THRESHOLD, 1 << 28);
    printf("seed %llu, %llu runs\n", (unsigned long long)o.seed, (unsigned long long)o.runs);
    fflush(stdout);
    if (o.soak_h)
        return soak(&o) ? 0 : 1;
    int bad = spread(&o, run_share);
    printf("%llu runs: %s\n", (unsigned long long)o.runs, bad ? "some are BROKEN" : "safety and liveness hold in all");
    fflush(stdout);
    if (o.trial_runs)
        bad += spread(&o, try_share);
    print_attacks(&o);
    return bad ? 1 : 0;
}
