/* overlay-bench: the overlay's machines on the network in memory, whose messages take 10 ms each way: how many round
 * trips a join takes until the key is there, and how long a broadcast among seven seats until each has it, with the
 * CPU that all of them take for it. Written as tests, since the world of theirs is; the verifier of quotes is a double:
 * build/bench join has the true one. */
#include <time.h>

#include "tests/unit/app_world.h"
#include "tests/unit/unit.h"

#define DELAY_MS 10.0
#define SEATS 7u
#define BROADCASTS 50u

static double cpu_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return 1e3 * (double)t.tv_sec + (double)t.tv_nsec / 1e6;
}

/* How many nodes have the key, or have delivered so many broadcasts. */
static size_t count_of(unsigned agreed)
{
    size_t n = 0;
    for (size_t i = 0; i < app_count; i++)
        n += agreed ? apps[i].agreed >= agreed : apps[i].keyed > 0;
    return n;
}

/* Runs until that is true of all; virtual milliseconds that went by, -1 when it does not come. */
static double run_until_all(unsigned agreed)
{
    const uint64_t began = memory_now(app_net);
    for (uint64_t t = began; t < began + 5000; t++) {
        memory_run(app_net, t);
        for (size_t i = 0; i < app_count; i++) {
            app_work(&apps[i]);
            (void)overlay_turn(apps[i].o, t);
        }
        if (count_of(agreed) == app_count)
            return (double)(t - began);
    }
    return -1;
}

static void line(const char *name, double value, const char *unit, double reference, const char *of)
{
    ck_assert_msg(value > 0, "%s measured nothing", name);
    printf("%s %.2f %s %.3f %s\n", name, value, unit, value / reference, of);
}

START_TEST(join)
{
    apps_world(1);
    apps_open(1, false);
    app_new(&apps[1], app_words[1]);
    app_start(&apps[1]);
    app_count = 2;
    app_dial(1, 0);
    const double cpu = cpu_ms(), ms = run_until_all(0);
    printf("join: %.0f ms at 20 ms a round trip, %.2f ms of CPU at both ends\n", ms, cpu_ms() - cpu);
    line("join_round_trips", ms / (2 * DELAY_MS), "round trips", 1, "one");
    apps_close();
}
END_TEST

START_TEST(broadcast)
{
    err_t e;
    double worst = 0, cpu = 0;
    apps_world(2);
    app_signer();
    apps_open(SEATS, false);
    app_make_order(&app_order, 1, SEATS);
    ck_assert_int_eq(overlay_set_order(apps[0].o, &e, &app_order, world.policy), RC_OK);
    apps_run(3000);
    for (unsigned i = 1; i <= BROADCASTS; i++) {
        const double at = cpu_ms();
        ck_assert_int_eq(overlay_agree(apps[i % SEATS].o, &e, 3, view_str("agreed")), RC_OK);
        const double ms = run_until_all(i);
        ck_assert(ms > 0);
        cpu += cpu_ms() - at;
        worst = ms > worst ? ms : worst;
        apps_run(100);
    }
    printf("broadcast among %u: %.2f ms of CPU at all of them\n", SEATS, cpu / BROADCASTS);
    line("broadcast_7", worst, "ms", DELAY_MS, "delay");
    apps_close();
}
END_TEST

int main(void)
{
    (void)setenv("CK_FORK", "no", 1);
    return UNIT_RUN("overlay-bench", join, broadcast);
}
