/* What is warned of, and from when on: each bound from both sides. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "node/warnings.h"
#include "tests/unit/unit.h"

#define NOW 1800000000u
#define DAY 86400u

static const lc_unknown_fork_t FORK = { .name = "heze", .epoch = 1 };
static warnings_t found;

static warning_facts_t nothing(void)
{
    return (warning_facts_t){ .now_s = NOW };
}

/* Whether exactly this is warned of. */
static void expect(const warning_facts_t *f, warning_t w, const char *text)
{
    warnings_find(&found, f);
    for (warning_t i = 0; i < WARNINGS; i++)
        ck_assert_str_eq(found.text[i], i == w ? text : "");
}

START_TEST(what_is_not_known_is_not_warned_of)
{
    const warning_facts_t f = nothing();
    expect(&f, WARNINGS, "");
}
END_TEST

START_TEST(a_fork_is_told_four_weeks_ahead)
{
    warning_facts_t f = nothing();
    f.fork = &FORK;
    f.fork_s = NOW + 28 * DAY;
    expect(&f, WARNINGS, "");
    f.fork_s--;
    expect(&f, WARN_FORK,
           "the fork heze begins at Unix time 1802419199, and this build does not know it: update before");
    f.fork = NULL;
    f.claimed_by = "execution_rpc[1]";
    f.claim = "";
    expect(&f, WARNINGS, "");
    f.claim = "its eth_config has a next fork";
    expect(&f, WARN_FORK, "execution_rpc[1]: its eth_config has a next fork: look for a newer build");
}
END_TEST

START_TEST(collateral_is_told_five_days_ahead)
{
    warning_facts_t f = nothing();
    f.collateral_until_s = NOW + 5 * DAY;
    expect(&f, WARNINGS, "");
    f.collateral_until_s--;
    expect(&f, WARN_COLLATERAL, "Intel's collateral of this node's quote expires in 119 h and was not renewed");
    f.collateral_until_s = NOW - 7200;
    expect(&f, WARN_COLLATERAL, "Intel's collateral of this node's quote expired 2 h ago");
}
END_TEST

/* It is renewed when a third is left: a warning comes only after a tenth of that was in vain. */
START_TEST(a_certificate_is_told_when_its_renewal_is_overdue)
{
    warning_facts_t f = nothing();
    f.certificate_life_s = 30000;
    f.certificate_until_s = NOW + 10000;
    expect(&f, WARNINGS, "");
    f.certificate_until_s = NOW + 9000;
    expect(&f, WARNINGS, "");
    f.certificate_until_s = NOW + 8999;
    expect(&f, WARN_CERTIFICATE, "the API port's certificate expires at Unix time 1800008999 and could not be renewed");
}
END_TEST

START_TEST(a_disk_that_fills_is_told)
{
    warning_facts_t f = nothing();
    f.disk_all = (uint64_t)10 << 30;
    f.disk_free = (uint64_t)1 << 30;
    expect(&f, WARNINGS, "");
    f.disk_free--;
    expect(&f, WARN_DISK, "1023 MiB are free where the state directory is");
    f.disk_all = (uint64_t)1000 << 30; /* a tenth of it is enough for anything */
    f.disk_free = (uint64_t)1 << 30;
    expect(&f, WARNINGS, "");
    f.disk_all = (uint64_t)100 << 20;
    f.disk_free = (uint64_t)64 << 20;
    expect(&f, WARNINGS, "");
    f.disk_free--;
    expect(&f, WARN_DISK, "63 MiB are free where the state directory is");
}
END_TEST

START_TEST(a_clock_that_is_off_by_all_dates_is_told)
{
    warning_facts_t f = nothing();
    f.clock_least_ms = f.clock_most_ms = 20000;
    expect(&f, WARNINGS, "");
    f.dated = true;
    expect(&f, WARN_CLOCK, "by every endpoint's Date header this machine's clock is 20 s ahead");
    f.clock_least_ms = 10000; /* one of them says less */
    expect(&f, WARNINGS, "");
    f.clock_least_ms = -30000;
    f.clock_most_ms = -10000;
    expect(&f, WARNINGS, "");
    f.clock_most_ms = -10001;
    expect(&f, WARN_CLOCK, "by every endpoint's Date header this machine's clock is 10 s behind");
}
END_TEST

START_TEST(what_is_used_up_is_told)
{
    warning_facts_t f = nothing();
    f.files_max = 1000;
    f.files = 875;
    expect(&f, WARNINGS, "");
    f.files++;
    expect(&f, WARN_BUDGET, "876 of 1000 descriptors are open");
    f.files = 0;
    f.asked_too_often = "execution_rpc[0]";
    expect(&f, WARN_BUDGET, "execution_rpc[0]: says that it is asked too often");
}
END_TEST

START_TEST(they_are_a_list_of_the_status)
{
    warnings_t all = { .text = { "" } };
    arena_t a;
    arena_init(&a, 1 << 16);
    snprintf(all.text[WARN_DISK], sizeof all.text[0], "full \"up\"");
    jw_t w = jw_of(&a, 1 << 12);
    jw_object(&w, NULL);
    warnings_put(&w, &all);
    jw_end(&w);
    const view_t text = jw_done(&w),
                 want = view_str("{\"warnings\":[{\"about\":\"disk\",\"text\":\"full \\\"up\\\"\"}]}");
    ck_assert_msg(view_eq(text, want), "%.*s", (int)text.n, (const char *)text.p);
    arena_free(&a);
}
END_TEST

int main(void)
{
    return UNIT_RUN("warnings", what_is_not_known_is_not_warned_of, a_fork_is_told_four_weeks_ahead,
                    collateral_is_told_five_days_ahead, a_certificate_is_told_when_its_renewal_is_overdue,
                    a_disk_that_fills_is_told, a_clock_that_is_off_by_all_dates_is_told, what_is_used_up_is_told,
                    they_are_a_list_of_the_status);
}
