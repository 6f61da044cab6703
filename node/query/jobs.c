#include "node/query/jobs.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "node/query/answers.h"

#define JOB_ARENA_MAX ((size_t)64 << 20) /* bytes of one request's parsed body and answer */
#define BUCKETS 1024u

/* Somebody who waits for a job. */
typedef struct asker {
    struct asker *next;
    hs_pending_t *pending;
} asker_t;

/* One request that is being worked on. */
typedef struct job {
    pool_task_t task;
    struct job *next; /* of its bucket */
    jobs_t *jobs;
    const jobs_kind_t *kind;
    hash32_t key;
    uint64_t turn;   /* of the key, before anything was signed */
    asker_t *askers; /* under the lock; the one whose request is read is the last */
    bool left;       /* all of them went away: nobody joins it any more */
    const hs_request_t *request;
    arena_t arena;
    _Alignas(16) uint8_t mine[]; /* the kind's; and behind it as it was at first */
} job_t;

struct jobs {
    jobs_config_t config;
    answers_t answers;
    pthread_mutex_t lock;
    pthread_cond_t idle;
    size_t jobs;
    atomic_ullong answered, refused; /* requests */
    tally_t kept, joined;
    job_t *buckets[BUCKETS];
};

/* ---- answers ---- */

int jobs_status(const char **slug, rc_t rc, const err_t *e)
{
    static const struct {
        rc_t rc;
        int status;
        const char *slug;
    } rows[] = {
        { RC_REFUSED, 422, "call-refused" }, { RC_MALFORMED, 400, "bad-request" },
        { RC_LIMIT, 422, "call-too-large" }, { RC_UNSUPPORTED, 501, "unsupported" },
        { RC_TIMEOUT, 504, "call-timeout" }, { RC_IO, 502, "upstream" },
        { RC_NOMEM, 503, "out-of-memory" },
    };
    *slug = "not-ready";
    if (rc == RC_REFUSED && e->code == JOBS_NOT_NOW)
        return 503;
    *slug = "stopping";
    if (rc == RC_TIMEOUT && e->code == ASK_CANCELLED)
        return 503;
    if (rc == RC_LIMIT && e->code == QUERY_OVER_BUDGET) {
        *slug = "over-budget";
        return 429;
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].rc == rc) {
            *slug = rows[i].slug;
            return rows[i].status;
        }
    *slug = "internal";
    return 500;
}

void jobs_problem(hs_response_t *r, rc_t rc, const err_t *e)
{
    const char *slug;
    const int status = jobs_status(&slug, rc, e);
    hs_problem(r, status, slug, e->text);
    r->retry_after_s = status == 429 ? JOBS_RETRY_S : e->code == JOBS_NOT_NOW ? JOBS_NOT_NOW_RETRY_S : 0;
}

static uint64_t turn_of(const jobs_t *c)
{
    return c->config.turn ? c->config.turn(c->config.turn_ctx) : 0;
}

static job_t **bucket_of(jobs_t *c, const hash32_t *key)
{
    return &c->buckets[((size_t)key->b[0] << 8 | key->b[1]) % BUCKETS];
}

/* With the lock held. */
static void unlink_job(job_t *j)
{
    job_t **at = bucket_of(j->jobs, &j->key);
    while (*at != j)
        at = &(*at)->next;
    *at = j->next;
}

/* Whether all who asked went away; then nobody joins the job any more. */
static bool is_left(void *ctx)
{
    job_t *j = ctx;
    pthread_mutex_lock(&j->jobs->lock);
    const asker_t *a = j->askers;
    while (a && hs_pending_gone(a->pending))
        a = a->next;
    if (!a && !j->left) {
        j->left = true;
        unlink_job(j);
    }
    pthread_mutex_unlock(&j->jobs->lock);
    return !a;
}

/* From now on nobody joins the job; gives those who did. */
static asker_t *close_job(job_t *j)
{
    jobs_t *c = j->jobs;
    pthread_mutex_lock(&c->lock);
    if (!j->left)
        unlink_job(j);
    asker_t *askers = j->askers;
    pthread_mutex_unlock(&c->lock);
    return askers;
}

static const void *mine_at_first(const job_t *j)
{
    return j->mine + j->kind->size;
}

/* The client that the job was done for may not ask more: gives those of its requests that wait for it. If there are
 * others, the one that waits longest is whom it is done for now; else it is closed. */
static asker_t *leave_others(job_t *j)
{
    jobs_t *c = j->jobs;
    const hs_client_t *client = j->request->client;
    asker_t *its = NULL, *last = NULL;
    pthread_mutex_lock(&c->lock);
    for (asker_t **at = &j->askers; *at;) {
        asker_t *a = *at;
        if (hs_pending_request(a->pending)->client == client) {
            *at = a->next;
            a->next = its;
            its = a;
        } else {
            last = a;
            at = &a->next;
        }
    }
    if (last)
        j->request = hs_pending_request(last->pending);
    else if (!j->left)
        unlink_job(j);
    pthread_mutex_unlock(&c->lock);
    return its;
}

/* Lets go of what the job has done so far. */
static void undo(job_t *j)
{
    if (j->kind->end)
        j->kind->end(j->mine);
    arena_free(&j->arena);
}

static void again(job_t *j)
{
    undo(j);
    arena_init(&j->arena, JOB_ARENA_MAX);
    memcpy(j->mine, mine_at_first(j), j->kind->size);
    j->task.client = j->request->client;
    pool_push(j->jobs->config.pool, &j->task);
}

/* Answers all who wait: with the answer, or with what is wrong. What is wrong with a client's share is only of that
 * client; for others it is tried again. */
static void end_job(job_t *j, hs_shared_t *answer, rc_t rc, const err_t *e)
{
    jobs_t *c = j->jobs;
    const bool its_share = !answer && rc == RC_LIMIT && e->code == QUERY_OVER_BUDGET;
    const hs_request_t *before = j->request;
    asker_t *next;
    for (asker_t *a = its_share ? leave_others(j) : close_job(j); a; a = next) {
        hs_response_t r = { 0 };
        next = a->next;
        atomic_fetch_add(answer ? &c->answered : &c->refused, 1);
        if (answer)
            r.shared = hs_shared_ref(answer);
        else
            j->kind->refuse(&r, rc, e);
        hs_answer(a->pending, &r);
        free(a);
    }
    if (j->request != before) {
        again(j);
        return;
    }
    hs_shared_unref(answer);
    undo(j);
    free(j);
    pthread_mutex_lock(&c->lock);
    if (!--c->jobs)
        pthread_cond_broadcast(&c->idle);
    pthread_mutex_unlock(&c->lock);
}

/* ---- on the pool ---- */

/* Makes the answer and keeps it. NULL: e says why there is none. */
static hs_shared_t *make_answer(job_t *j, err_t *e, const query_t *done)
{
    jobs_t *c = j->jobs;
    view_t body;
    if (j->kind->signs == JOBS_SIGN_AT_END)
        j->turn = turn_of(c);
    if (j->kind->finish(j->mine, &body, e, &j->arena, done))
        return NULL;
    if (j->kind->signs != JOBS_SIGN_NOTHING && j->turn != turn_of(c)) {
        (void)err_code(e, err_say(e, RC_REFUSED, "another key signs since this was signed: ask again"), JOBS_NOT_NOW);
        return NULL;
    }
    hs_shared_t *answer = hs_shared_new(200, NULL, body, c->config.flags);
    if (answer)
        answers_put(&c->answers, &j->key, answer, body.n, j->turn);
    else
        (void)err_say(e, RC_NOMEM, "out of memory");
    return answer;
}

static void on_done(void *ctx, rc_t rc, const err_t *e, query_t *take_q)
{
    err_t own = { .rc = RC_OK };
    hs_shared_t *answer = rc ? NULL : make_answer(ctx, &own, take_q);
    query_free(take_q); /* it may borrow from the job */
    end_job(ctx, answer, rc ? rc : own.rc, rc ? e : &own);
}

/* Reads the request and starts its query. */
static void start_job(pool_task_t *t)
{
    job_t *j = (job_t *)(void *)((char *)t - offsetof(job_t, task));
    query_t *query = NULL;
    err_t e = { .code = ASK_CANCELLED, .text = "nobody waits for it any more" };
    if (is_left(j)) {
        end_job(j, NULL, RC_TIMEOUT, &e);
        return;
    }
    e = (err_t){ .text = "out of memory" };
    j->turn = turn_of(j->jobs);
    rc_t rc = j->kind->begin(j->mine, &query, &e, &j->arena, j->request);
    if (!rc && !query) {
        on_done(j, RC_OK, NULL, NULL);
        return;
    }
    const ask_limits_t limits = { .client = j->request->client, .unwanted = is_left };
    if (!rc && (rc = ask_submit(j->jobs->config.ask, query, &limits, on_done, j)))
        (void)err_say(&e, rc, "out of memory");
    if (rc)
        end_job(j, NULL, rc, &e);
}

/* ---- on an event thread ---- */

/* Joins a job of the same key, or makes one, which then is to be started. NULL: joined, or out of memory, when *a is
 * still the caller's. */
static job_t *join_or_make(jobs_t *c, asker_t **a, const jobs_kind_t *kind, const void *mine, const hash32_t *key)
{
    job_t **at = bucket_of(c, key), *j = *at, *made = NULL;
    while (j && !hash32_eq(&j->key, key))
        j = j->next;
    if (!j && (j = made = calloc(1, sizeof *j + 2 * kind->size))) {
        *made = (job_t){ .task.run = start_job, .next = *at, .jobs = c, .kind = kind, .key = *key };
        made->request = hs_pending_request((*a)->pending);
        made->task.client = made->request->client;
        memcpy(made->mine, mine, kind->size);
        memcpy(made->mine + kind->size, mine, kind->size);
        arena_init(&made->arena, JOB_ARENA_MAX);
        *at = made;
        c->jobs++;
    }
    if (!j)
        return NULL;
    (*a)->next = j->askers;
    j->askers = *a;
    *a = NULL;
    return made;
}

void jobs_post(jobs_t *c, const hs_request_t *request, hs_response_t *r, const jobs_kind_t *kind, const void *mine,
               const hash32_t *key)
{
    r->shared = answers_get(&c->answers, key, turn_of(c));
    if (r->shared) {
        atomic_fetch_add(&c->answered, 1);
        tally_add(&c->kept, 1);
        return;
    }
    asker_t *a = calloc(1, sizeof *a);
    if (!a) {
        hs_problem(r, 503, "out-of-memory", "out of memory");
        return;
    }
    a->pending = hs_defer(request, r);
    if (!a->pending) {
        free(a);
        return;
    }
    pthread_mutex_lock(&c->lock);
    job_t *made = join_or_make(c, &a, kind, mine, key);
    pthread_mutex_unlock(&c->lock);
    if (made)
        pool_push(c->config.pool, &made->task);
    else if (!a)
        tally_add(&c->joined, 1);
    if (a) {
        hs_response_t none = { 0 };
        hs_problem(&none, 503, "out-of-memory", "out of memory");
        hs_answer(a->pending, &none);
        free(a);
    }
}

/* ---- all of them ---- */

jobs_t *jobs_new(const jobs_config_t *config)
{
    jobs_t *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->config = *config;
    answers_init(&c->answers);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->idle, NULL);
    return c;
}

void jobs_counts(jobs_t *c, uint64_t *answered, uint64_t *refused)
{
    *answered = atomic_load(&c->answered);
    *refused = atomic_load(&c->refused);
}

void jobs_shared(const jobs_t *c, uint64_t *kept, uint64_t *joined)
{
    *kept = tally_get(&c->kept);
    *joined = tally_get(&c->joined);
}

void jobs_forget(jobs_t *c)
{
    answers_forget(&c->answers);
}

void jobs_free(jobs_t *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    while (c->jobs)
        pthread_cond_wait(&c->idle, &c->lock);
    pthread_mutex_unlock(&c->lock);
    answers_clear(&c->answers);
    pthread_cond_destroy(&c->idle);
    pthread_mutex_destroy(&c->lock);
    free(c);
}
