#include "node/warnings.h"

#include <stdio.h>

#define TEXT_MAX sizeof((warnings_t *)NULL)->text[0]

typedef unsigned long long ull_t;

const char *warning_word(warning_t w)
{
    static const char *const words[WARNINGS] = {
        [WARN_FORK] = "fork", [WARN_COLLATERAL] = "collateral", [WARN_CERTIFICATE] = "certificate",
        [WARN_DISK] = "disk", [WARN_CLOCK] = "clock",           [WARN_BUDGET] = "budget"
    };
    return words[w];
}

static void find_fork(char out[TEXT_MAX], const warning_facts_t *f)
{
    if (f->fork && f->fork_s < f->now_s + WARN_FORK_AHEAD_S)
        snprintf(out, TEXT_MAX, "the fork %s begins at Unix time %llu, and this build does not know it: update before",
                 f->fork->name, (ull_t)f->fork_s);
    else if (f->claim && f->claim[0])
        snprintf(out, TEXT_MAX, "%s: %.180s: look for a newer build", f->claimed_by, f->claim);
}

static void find_collateral(char out[TEXT_MAX], const warning_facts_t *f)
{
    const int64_t left_s = f->collateral_until_s - (int64_t)f->now_s;
    if (f->collateral_until_s && left_s < (int64_t)WARN_COLLATERAL_AHEAD_S)
        snprintf(out, TEXT_MAX, "Intel's collateral of this node's quote %s %llu h%s",
                 left_s < 0 ? "expired" : "expires in", (ull_t)(left_s < 0 ? -left_s : left_s) / 3600,
                 left_s < 0 ? " ago" : " and was not renewed");
}

static void find_certificate(char out[TEXT_MAX], const warning_facts_t *f)
{
    const uint64_t third_s = f->certificate_life_s / WARN_CERTIFICATE_PART;
    if (f->certificate_until_s && f->now_s + third_s > f->certificate_until_s + third_s / 10)
        snprintf(out, TEXT_MAX, "the API port's certificate expires at Unix time %llu and could not be renewed",
                 (ull_t)f->certificate_until_s);
}

static void find_disk(char out[TEXT_MAX], const warning_facts_t *f)
{
    const bool little = f->disk_free < f->disk_all / WARN_DISK_PART && f->disk_free < WARN_DISK_ENOUGH;
    if (f->disk_all && (f->disk_free < WARN_DISK_BYTES || little))
        snprintf(out, TEXT_MAX, "%llu MiB are free where the state directory is", (ull_t)(f->disk_free >> 20));
}

static void find_clock(char out[TEXT_MAX], const warning_facts_t *f)
{
    const int64_t most = WARN_CLOCK_MS;
    if (f->dated && f->clock_least_ms > most)
        snprintf(out, TEXT_MAX, "by every endpoint's Date header this machine's clock is %llu s ahead",
                 (ull_t)f->clock_least_ms / 1000);
    else if (f->dated && f->clock_most_ms < -most)
        snprintf(out, TEXT_MAX, "by every endpoint's Date header this machine's clock is %llu s behind",
                 (ull_t)-f->clock_most_ms / 1000);
}

static void find_budget(char out[TEXT_MAX], const warning_facts_t *f)
{
    if (f->files_max && f->files > f->files_max - f->files_max / WARN_FILES_PART)
        snprintf(out, TEXT_MAX, "%llu of %llu descriptors are open", (ull_t)f->files, (ull_t)f->files_max);
    else if (f->asked_too_often)
        snprintf(out, TEXT_MAX, "%s: says that it is asked too often", f->asked_too_often);
}

void warnings_find(warnings_t *out, const warning_facts_t *facts)
{
    *out = (warnings_t){ .text = { "" } };
    find_fork(out->text[WARN_FORK], facts);
    find_collateral(out->text[WARN_COLLATERAL], facts);
    find_certificate(out->text[WARN_CERTIFICATE], facts);
    find_disk(out->text[WARN_DISK], facts);
    find_clock(out->text[WARN_CLOCK], facts);
    find_budget(out->text[WARN_BUDGET], facts);
}

void warnings_put(jw_t *w, const warnings_t *all)
{
    jw_array(w, "warnings");
    for (warning_t i = 0; i < WARNINGS; i++)
        if (all->text[i][0]) {
            jw_object(w, NULL);
            jw_str(w, "about", warning_word(i));
            jw_str(w, "text", all->text[i]);
            jw_end(w);
        }
    jw_end(w);
}
