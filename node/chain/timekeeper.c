#include "node/chain/timekeeper.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/os/file.h"

#define SOURCE_MAX 64u

struct timekeeper {
    clock_fn now_ms, raw_ms;
    char source[SOURCE_MAX];
    pthread_mutex_t lock; /* guards what follows */
    timebound_t bound;
};

/* The first word of the file, if it is one. */
static void read_source(char out[SOURCE_MAX], const char *path)
{
    view_t text;
    err_t e;
    size_t n = 0;
    strcpy(out, "unknown");
    if (!path || file_read(&text, &e, path, SOURCE_MAX - 1, 0))
        return;
    while (n < text.n && text.p[n] > ' ' && text.p[n] <= '~')
        n++;
    if (n) {
        memcpy(out, text.p, n);
        out[n] = 0;
    }
    file_free(text);
}

timekeeper_t *timekeeper_new(const timekeeper_config_t *config)
{
    timekeeper_t *k = calloc(1, sizeof *k);
    if (!k)
        return NULL;
    k->now_ms = config->now_ms ? config->now_ms : clock_system_ms;
    k->raw_ms = config->raw_ms ? config->raw_ms : clock_raw_ms;
    read_source(k->source, config->source_file);
    timebound_init(&k->bound, config->slot_ms, config->build_ms, k->raw_ms(), !strcmp(k->source, "tsc"));
    pthread_mutex_init(&k->lock, NULL);
    return k;
}

void timekeeper_free(timekeeper_t *k)
{
    if (!k)
        return;
    pthread_mutex_destroy(&k->lock);
    free(k);
}

timebound_at_t timekeeper_read(const timekeeper_t *k)
{
    return (timebound_at_t){ k->now_ms(), k->raw_ms() };
}

void timekeeper_bound(timekeeper_t *k, timebound_t *out)
{
    pthread_mutex_lock(&k->lock);
    *out = k->bound;
    pthread_mutex_unlock(&k->lock);
}

const char *timekeeper_source(const timekeeper_t *k)
{
    return k->source;
}

void timekeeper_header(timekeeper_t *k, uint64_t header_ms, uint32_t signers, uint32_t committee)
{
    pthread_mutex_lock(&k->lock);
    timebound_header(&k->bound, header_ms, signers, committee, timekeeper_read(k));
    pthread_mutex_unlock(&k->lock);
}

void timekeeper_collateral(timekeeper_t *k, uint64_t issued_ms)
{
    pthread_mutex_lock(&k->lock);
    timebound_collateral(&k->bound, issued_ms, k->raw_ms());
    pthread_mutex_unlock(&k->lock);
}

uint64_t timekeeper_least_ms(timekeeper_t *k)
{
    timebound_t bound;
    timekeeper_bound(k, &bound);
    return timebound_least(&bound, timekeeper_read(k));
}

uint64_t timekeeper_follow_ms(timekeeper_t *k)
{
    timebound_t bound;
    timekeeper_bound(k, &bound);
    return timebound_follow(&bound, timekeeper_read(k));
}
