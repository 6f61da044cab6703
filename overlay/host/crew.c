#include "overlay/host/crew.h"

#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/os/worker.h"

#define NAMES_MAX 16u /* that wait to be resolved */

/* Jobs of one thread. */
typedef struct {
    crew_t *crew;
    worker_t *worker;
    join_job_t *first, **end;
} queue_t;

typedef struct {
    size_t target;
    maddr_t name;
} asked_t;

struct crew {
    loop_t *loop;
    crew_named_fn named;
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
    pthread_mutex_lock(&q->crew->lock);
    join_job_t *job = q->first;
    if (job)
        q->first = job->next;
    if (!q->first)
        q->end = &q->first;
    pthread_mutex_unlock(&q->crew->lock);
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
            while (loop_post(q->crew->loop, end_job, job)) /* without memory: again in a while */
                (void)worker_sleep_until(w, clock_monotonic_ms() + 100);
        }
    } while (worker_sleep_until(w, UINT64_MAX));
}

void crew_post(crew_t *c, join_job_t *job)
{
    queue_t *q = job->slow ? &c->slow : &c->quick;
    pthread_mutex_lock(&c->lock);
    job->next = NULL;
    *q->end = job;
    q->end = &job->next;
    pthread_mutex_unlock(&c->lock);
    worker_wake(q->worker);
}

/* ---- names ---- */

typedef struct {
    crew_t *crew;
    size_t target, count;
    maddr_t numbers[CREW_NUMBERS_MAX];
} answer_t;

static void end_name(void *ctx)
{
    answer_t *a = ctx;
    a->crew->named(a->crew->ctx, a->target, a->numbers, a->count);
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
    for (const struct addrinfo *at = found; at && a->count < CREW_NUMBERS_MAX; at = at->ai_next)
        add_number(a, name, at->ai_addr);
    freeaddrinfo(found);
}

static bool next_name(crew_t *c, asked_t *out)
{
    pthread_mutex_lock(&c->lock);
    const bool is_there = c->name_count != 0;
    if (is_there)
        *out = c->names[--c->name_count];
    pthread_mutex_unlock(&c->lock);
    return is_there;
}

static void run_names(worker_t *w, void *ctx)
{
    crew_t *c = ctx;
    do {
        for (asked_t asked; !worker_stopping(w) && next_name(c, &asked);) {
            answer_t *a = calloc(1, sizeof *a);
            if (!a)
                continue;
            a->crew = c;
            a->target = asked.target;
            look_up(a, &asked.name);
            if (loop_post(c->loop, end_name, a))
                free(a);
        }
    } while (worker_sleep_until(w, UINT64_MAX));
}

bool crew_resolve(crew_t *c, size_t target, const maddr_t *name)
{
    pthread_mutex_lock(&c->lock);
    const bool fits = c->name_count < NAMES_MAX;
    if (fits)
        c->names[c->name_count++] = (asked_t){ target, *name };
    pthread_mutex_unlock(&c->lock);
    if (fits)
        worker_wake(c->resolver);
    return fits;
}

/* ---- life ---- */

static rc_t start_queue(queue_t *q, err_t *e, crew_t *c, const char *name)
{
    q->crew = c;
    q->end = &q->first;
    return worker_start(&q->worker, e, name, run_jobs, q);
}

rc_t crew_start(crew_t **out, err_t *e, loop_t *loop, crew_named_fn named, void *ctx)
{
    crew_t *c = calloc(1, sizeof *c);
    if (!c)
        return err_say(e, RC_NOMEM, "out of memory");
    c->loop = loop;
    c->named = named;
    c->ctx = ctx;
    pthread_mutex_init(&c->lock, NULL);
    rc_t rc = start_queue(&c->quick, e, c, "verify");
    if (!rc)
        rc = start_queue(&c->slow, e, c, "quote");
    if (!rc)
        rc = worker_start(&c->resolver, e, "names", run_names, c);
    if (rc) {
        crew_stop(c);
        crew_free(c);
        return rc;
    }
    *out = c;
    return RC_OK;
}

void crew_stop(crew_t *c)
{
    if (!c)
        return;
    worker_ask_to_stop(c->quick.worker);
    worker_ask_to_stop(c->slow.worker);
    worker_stop(c->resolver);
    worker_stop(c->quick.worker);
    worker_stop(c->slow.worker);
    c->quick.worker = c->slow.worker = c->resolver = NULL;
}

void crew_free(crew_t *c)
{
    if (!c)
        return;
    for (join_job_t *job; c->quick.crew && (job = take(&c->quick));)
        join_job_drop(job);
    for (join_job_t *job; c->slow.crew && (job = take(&c->slow));)
        join_job_drop(job);
    pthread_mutex_destroy(&c->lock);
    free(c);
}
