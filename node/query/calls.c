#include "node/query/calls.h"

#include <stdlib.h>

#include "lightclient/exec/call.h"
#include "node/query/answers.h"
#include "node/query/flight.h"
#include "rpc/api/callobject.h"

#define JOB_ARENA_MAX ((size_t)16 << 20) /* bytes of one request's parsed body and answer */
#define BUCKETS 1024u

/* Somebody who waits for a job. */
typedef struct asker {
    struct asker *next;
    hs_pending_t *pending;
} asker_t;

/* One call that is being worked on. */
typedef struct job {
    pool_task_t task;
    struct job *next; /* of its bucket */
    calls_t *calls;
    hash32_t key;
    asker_t *askers; /* under the lock; the one whose body is read is the last */
    view_t body;
    ex_block_t block;
    ex_request_t request;
    arena_t arena;
} job_t;

struct calls {
    calls_config_t config;
    answers_t answers;
    pthread_mutex_t lock;
    pthread_cond_t idle;
    size_t jobs;
    job_t *buckets[BUCKETS];
};

/* ---- answers ---- */

static void problem(hs_response_t *r, rc_t rc, const err_t *e)
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
    if (rc == RC_TIMEOUT && e->code == ASK_CANCELLED) {
        hs_problem(r, 503, "stopping", e->text);
        return;
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].rc == rc) {
            hs_problem(r, rows[i].status, rows[i].slug, e->text);
            return;
        }
    hs_problem(r, 500, "internal", e->text);
}

static job_t **bucket_of(calls_t *c, const hash32_t *key)
{
    return &c->buckets[((size_t)key->b[0] << 8 | key->b[1]) % BUCKETS];
}

/* From now on nobody joins the job; gives those who did. */
static asker_t *close_job(job_t *j)
{
    calls_t *c = j->calls;
    pthread_mutex_lock(&c->lock);
    job_t **at = bucket_of(c, &j->key);
    while (*at != j)
        at = &(*at)->next;
    *at = j->next;
    asker_t *askers = j->askers;
    pthread_mutex_unlock(&c->lock);
    return askers;
}

/* Answers all who wait: with the answer, or with what is wrong. */
static void end_job(job_t *j, hs_shared_t *answer, rc_t rc, const err_t *e)
{
    calls_t *c = j->calls;
    asker_t *next;
    for (asker_t *a = close_job(j); a; a = next) {
        hs_response_t r = { 0 };
        next = a->next;
        if (answer)
            r.shared = hs_shared_ref(answer);
        else
            problem(&r, rc, e);
        hs_answer(a->pending, &r);
        free(a);
    }
    hs_shared_unref(answer);
    arena_free(&j->arena);
    free(j);
    pthread_mutex_lock(&c->lock);
    if (!--c->jobs)
        pthread_cond_broadcast(&c->idle);
    pthread_mutex_unlock(&c->lock);
}

/* ---- on the pool ---- */

static void on_done(void *ctx, rc_t rc, const err_t *e, query_t *call)
{
    job_t *j = ctx;
    calls_t *c = j->calls;
    hs_shared_t *answer = NULL;
    err_t unsigned_answer;
    view_t body;
    if (!rc) {
        const evm_result_t *result = ex_call_result(call);
        rc = api_call_body(&body, &j->arena, &c->config.signer, result->output, result->status != EVM_SUCCESS);
        if (!rc && !(answer = hs_shared_new(200, NULL, body, c->config.flags)))
            rc = RC_NOMEM;
        if (rc) {
            (void)err_say(&unsigned_answer, rc, "the answer could not be signed");
            e = &unsigned_answer;
        }
    }
    query_free(call);
    if (answer)
        answers_put(&c->answers, &j->key, answer, body.n);
    end_job(j, answer, rc, e);
}

/* Its faults are told with their field, as a sentence. */
static rc_t read_body(job_t *j, err_t *e)
{
    err_t bad = { 0 };
    rc_t rc = api_parse_call(&j->request, &bad, &j->arena, j->body);
    return rc ? err_set(e, rc == RC_REFUSED ? RC_MALFORMED : rc, "call object: %s%s%s", bad.field,
                        bad.field[0] ? ": " : "", bad.text)
              : RC_OK;
}

/* Reads the body and starts the call. */
static void start_job(pool_task_t *t)
{
    job_t *j = (job_t *)(void *)((char *)t - offsetof(job_t, task));
    const calls_config_t *k = &j->calls->config;
    query_t *call;
    err_t e;
    rc_t rc = read_body(j, &e);
    if (!rc)
        rc = ex_call_new(&call, &e,
                         &(ex_call_config_t){ .chain = k->chain,
                                              .cache = k->cache,
                                              .block = &j->block,
                                              .request = &j->request,
                                              .use_hint = true,
                                              .proof_slots_max = BATCH_SLOTS_MAX });
    if (!rc && (rc = ask_submit(k->ask, call, NULL, on_done, j)))
        (void)err_say(&e, rc, "out of memory");
    if (rc)
        end_job(j, NULL, rc, &e);
}

/* ---- on an event thread ---- */

/* Joins a job for the same bytes, or makes one, which then is to be started. NULL: joined, or out of memory, when *a is
 * still the caller's. */
static job_t *join_or_make(calls_t *c, asker_t **a, const hash32_t *key, const ex_block_t *block)
{
    job_t **at = bucket_of(c, key), *j = *at, *made = NULL;
    while (j && !hash32_eq(&j->key, key))
        j = j->next;
    if (!j && (j = made = calloc(1, sizeof *j))) {
        *made = (job_t){ .task.run = start_job, .next = *at, .calls = c, .key = *key, .block = *block };
        made->body = hs_pending_request((*a)->pending)->body;
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

void calls_post(calls_t *c, const hs_request_t *request, hs_response_t *r, const ex_block_t *block)
{
    hash32_t key;
    answers_key(&key, &block->block_hash, request->body);
    r->shared = answers_get(&c->answers, &key);
    if (r->shared)
        return;
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
    job_t *made = join_or_make(c, &a, &key, block);
    pthread_mutex_unlock(&c->lock);
    if (made)
        pool_push(c->config.pool, &made->task);
    if (a) {
        hs_response_t none = { 0 };
        hs_problem(&none, 503, "out-of-memory", "out of memory");
        hs_answer(a->pending, &none);
        free(a);
    }
}

/* ---- all of them ---- */

calls_t *calls_new(const calls_config_t *config)
{
    calls_t *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->config = *config;
    answers_init(&c->answers);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->idle, NULL);
    return c;
}

void calls_free(calls_t *c)
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
