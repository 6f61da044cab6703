/* work.c - threads that make and verify evidence, and resolve names. */
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "node/cluster/parts.h"

#define ADDRESSES_MAX 4u

/* ---- jobs ---- */

static join_job_t *take(work_t *w)
{
    pthread_mutex_lock(&w->lock);
    join_job_t *job = w->first;
    if (job)
        w->first = job->next;
    if (!w->first)
        w->end = &w->first;
    pthread_mutex_unlock(&w->lock);
    return job;
}

static void end_job(void *ctx)
{
    join_job_done(ctx);
}

static void run_jobs(worker_t *worker, void *ctx)
{
    work_t *w = ctx;
    do {
        for (join_job_t *job; !worker_stopping(worker) && (job = take(w));) {
            join_job_run(job);
            while (loop_post(w->cluster->loop, end_job, job)) /* without memory: again in a while */
                (void)worker_sleep_until(worker, clock_monotonic_ms() + 100);
        }
    } while (worker_sleep_until(worker, UINT64_MAX));
}

rc_t work_start(work_t *w, err_t *e, cluster_t *c, const char *name)
{
    w->cluster = c;
    return worker_start(&w->worker, e, name, run_jobs, w);
}

void work_add(work_t *w, join_job_t *job)
{
    pthread_mutex_lock(&w->lock);
    job->next = NULL;
    *w->end = job;
    w->end = &job->next;
    pthread_mutex_unlock(&w->lock);
    worker_wake(w->worker);
}

void work_stop(work_t *w)
{
    worker_stop(w->worker);
    w->worker = NULL;
}

void work_drop(work_t *w)
{
    for (join_job_t *job; (job = take(w));)
        join_job_drop(job);
}

/* ---- names ---- */

typedef struct {
    cluster_t *cluster;
    size_t target, count;
    maddr_t numbers[ADDRESSES_MAX];
} resolved_t;

static void end_name(void *ctx)
{
    resolved_t *r = ctx;
    peers_resolved(r->cluster->peers, r->target, r->numbers, r->count);
    free(r);
}

/* Adds one of the system's addresses, in the place of the name. */
static void add_number(resolved_t *r, const maddr_t *name, const struct sockaddr *a)
{
    maddr_t *m = &r->numbers[r->count];
    *m = *name;
    m->name[0] = 0;
    if (a->sa_family == AF_INET && name->host != MADDR_DNS6) {
        m->host = MADDR_IP4;
        memcpy(m->ip, &((const struct sockaddr_in *)(const void *)a)->sin_addr, 4);
        r->count++;
    } else if (a->sa_family == AF_INET6 && name->host != MADDR_DNS4) {
        m->host = MADDR_IP6;
        memcpy(m->ip, &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr, 16);
        r->count++;
    }
}

static void resolve(resolved_t *r, const maddr_t *name)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    if (getaddrinfo(name->name, NULL, &hints, &found))
        return;
    for (const struct addrinfo *a = found; a && r->count < ADDRESSES_MAX; a = a->ai_next)
        add_number(r, name, a->ai_addr);
    freeaddrinfo(found);
}

static bool next_name(cluster_t *c, size_t *target, maddr_t *name)
{
    pthread_mutex_lock(&c->lock);
    const bool is_there = c->names_count != 0;
    if (is_there) {
        c->names_count--;
        *target = c->names_waiting[c->names_count].target;
        *name = c->names_waiting[c->names_count].name;
    }
    pthread_mutex_unlock(&c->lock);
    return is_there;
}

static void run_names(worker_t *w, void *ctx)
{
    cluster_t *c = ctx;
    do {
        size_t target;
        for (maddr_t name; !worker_stopping(w) && next_name(c, &target, &name);) {
            resolved_t *r = calloc(1, sizeof *r);
            if (!r)
                continue;
            r->cluster = c;
            r->target = target;
            resolve(r, &name);
            if (loop_post(c->loop, end_name, r))
                free(r);
        }
    } while (worker_sleep_until(w, UINT64_MAX));
}

rc_t names_start(cluster_t *c, err_t *e)
{
    return worker_start(&c->names, e, "names", run_names, c);
}

void names_resolve(void *ctx, size_t target, const maddr_t *name)
{
    cluster_t *c = ctx;
    pthread_mutex_lock(&c->lock);
    const bool fits = c->names_count < CLUSTER_NAMES_MAX;
    if (fits) {
        c->names_waiting[c->names_count].target = target;
        c->names_waiting[c->names_count++].name = *name;
    }
    pthread_mutex_unlock(&c->lock);
    if (fits)
        worker_wake(c->names);
    else
        peers_resolved(c->peers, target, NULL, 0);
}
