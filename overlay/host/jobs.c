#include "overlay/host/jobs.h"

#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/os/worker.h"

#define NAMES_MAX 16u /* that wait to be resolved */

/* Jobs of one thread. */
typedef struct {
    jobs_t *jobs;
    worker_t *worker;
    join_job_t *first, **end;
} queue_t;

typedef struct {
    size_t target;
    maddr_t name;
} asked_t;

struct jobs {
    loop_t *loop;
    jobs_named_fn named;
    void *ctx;
    queue_t quick, slow;
    worker_t *resolver;
    pthread_mutex_t lock; /* guards the queues, and what follows */
    asked_t names[NAMES_MAX];
    size_t name_count;
};

/* ---- jobs ---- */

static join_job_t *take(queue_t *q)
{
    pthread_mutex_lock(&q->jobs->lock);
    join_job_t *job = q->first;
    if (job)
        q->first = job->next;
    if (!q->first)
        q->end = &q->first;
    pthread_mutex_unlock(&q->jobs->lock);
    return job;
}

static void end_job(void *ctx)
{
    join_job_done(ctx);
}

static void run_jobs(worker_t *w, void *ctx)
{
    queue_t *q = ctx;
    do {
        for (join_job_t *job; !worker_stopping(w) && (job = take(q));) {
            join_job_run(job);
            while (loop_post(q->jobs->loop, end_job, job)) /* without memory: again in a while */
                (void)worker_sleep_until(w, clock_monotonic_ms() + 100);
        }
    } while (worker_sleep_until(w, UINT64_MAX));
}

void jobs_post(jobs_t *j, join_job_t *job)
{
    queue_t *q = job->slow ? &j->slow : &j->quick;
    pthread_mutex_lock(&j->lock);
    job->next = NULL;
    *q->end = job;
    q->end = &job->next;
    pthread_mutex_unlock(&j->lock);
    worker_wake(q->worker);
}

/* ---- names ---- */

typedef struct {
    jobs_t *jobs;
    size_t target, count;
    maddr_t numbers[JOBS_NUMBERS_MAX];
} answer_t;

static void end_name(void *ctx)
{
    answer_t *a = ctx;
    a->jobs->named(a->jobs->ctx, a->target, a->numbers, a->count);
    free(a);
}

/* Puts one of the system's addresses in the place of the name. */
static void add_number(answer_t *a, const maddr_t *name, const struct sockaddr *from)
{
    maddr_t *m = &a->numbers[a->count];
    *m = *name;
    memset(m->name, 0, sizeof m->name);
    if (from->sa_family == AF_INET && name->host != MADDR_DNS6) {
        m->host = MADDR_IP4;
        memcpy(m->ip, &((const struct sockaddr_in *)(const void *)from)->sin_addr, 4);
        a->count++;
    } else if (from->sa_family == AF_INET6 && name->host != MADDR_DNS4) {
        m->host = MADDR_IP6;
        memcpy(m->ip, &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr, 16);
        a->count++;
    }
}

static void look_up(answer_t *a, const maddr_t *name)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    if (getaddrinfo(name->name, NULL, &hints, &found))
        return;
    for (const struct addrinfo *at = found; at && a->count < JOBS_NUMBERS_MAX; at = at->ai_next)
        add_number(a, name, at->ai_addr);
    freeaddrinfo(found);
}

static bool next_name(jobs_t *j, asked_t *out)
{
    pthread_mutex_lock(&j->lock);
    const bool is_there = j->name_count != 0;
    if (is_there)
        *out = j->names[--j->name_count];
    pthread_mutex_unlock(&j->lock);
    return is_there;
}

static void run_names(worker_t *w, void *ctx)
{
    jobs_t *j = ctx;
    do {
        for (asked_t asked; !worker_stopping(w) && next_name(j, &asked);) {
            answer_t *a = calloc(1, sizeof *a);
            if (!a)
                continue;
            a->jobs = j;
            a->target = asked.target;
            look_up(a, &asked.name);
            if (loop_post(j->loop, end_name, a))
                free(a);
        }
    } while (worker_sleep_until(w, UINT64_MAX));
}

bool jobs_resolve(jobs_t *j, size_t target, const maddr_t *name)
{
    pthread_mutex_lock(&j->lock);
    const bool fits = j->name_count < NAMES_MAX;
    if (fits)
        j->names[j->name_count++] = (asked_t){ target, *name };
    pthread_mutex_unlock(&j->lock);
    if (fits)
        worker_wake(j->resolver);
    return fits;
}

/* ---- life ---- */

static rc_t start_queue(queue_t *q, err_t *e, jobs_t *j, const char *name)
{
    q->jobs = j;
    q->end = &q->first;
    return worker_start(&q->worker, e, name, run_jobs, q);
}

rc_t jobs_start(jobs_t **out, err_t *e, loop_t *loop, jobs_named_fn named, void *ctx)
{
    jobs_t *j = calloc(1, sizeof *j);
    if (!j)
        return err_say(e, RC_NOMEM, "out of memory");
    j->loop = loop;
    j->named = named;
    j->ctx = ctx;
    pthread_mutex_init(&j->lock, NULL);
    rc_t rc = start_queue(&j->quick, e, j, "verify");
    if (!rc)
        rc = start_queue(&j->slow, e, j, "quote");
    if (!rc)
        rc = worker_start(&j->resolver, e, "names", run_names, j);
    if (rc) {
        jobs_stop(j);
        jobs_free(j);
        return rc;
    }
    *out = j;
    return RC_OK;
}

void jobs_stop(jobs_t *j)
{
    if (!j)
        return;
    worker_ask_to_stop(j->quick.worker);
    worker_ask_to_stop(j->slow.worker);
    worker_stop(j->resolver);
    worker_stop(j->quick.worker);
    worker_stop(j->slow.worker);
    j->quick.worker = j->slow.worker = j->resolver = NULL;
}

void jobs_free(jobs_t *j)
{
    if (!j)
        return;
    for (join_job_t *job; j->quick.jobs && (job = take(&j->quick));)
        join_job_drop(job);
    for (join_job_t *job; j->slow.jobs && (job = take(&j->slow));)
        join_job_drop(job);
    pthread_mutex_destroy(&j->lock);
    free(j);
}
