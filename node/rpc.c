#include "node/rpc.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/os/clock.h"
#include "http/gzip.h"
#include "node/same.h"

#define JOB_ARENA_MAX ((size_t)256 << 20) /* bytes of one request: its calls, their results, the answer */

/* Where no status of HTTP can say it. */
static const char NO_MEMORY[] =
    "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32603,\"message\":\"out of memory\"}}";

struct node_rpc {
    ask_t *ask, *sends;
    pool_t *pool;
    pthread_mutex_t lock;
    pthread_cond_t idle;
    size_t jobs;
    node_rpc_tally_t *tallies; /* API_METHOD_COUNT and one */
    same_t same;
};

typedef struct job job_t;

/* A query of a job, for ask_done_fn. */
typedef struct {
    job_t *job;
    size_t index;
} asked_t;

/* One request that is being worked on. */
struct job {
    pool_task_t task;
    node_rpc_t *rpc;
    hs_pending_t *pending; /* of HTTP; NULL: it came by another way: */
    node_rpc_call_t call;
    view_t body;
    api_world_t world;
    char not_ready[320];
    arena_t arena;
    uint64_t began_ms;
    api_rpc_t *request;
    asked_t *asked;
    atomic_size_t open; /* queries that have not ended, and one while they are being started */
};

/* ---- answers ---- */

/* The body as the server takes it over. */
static void fill(hs_response_t *out, rc_t rc, view_t body)
{
    uint8_t *copy = rc ? NULL : malloc(body.n ? body.n : 1);
    if (!copy) {
        hs_problem(out, 503, "out-of-memory", "out of memory");
        return;
    }
    if (body.n)
        memcpy(copy, body.p, body.n);
    *out = (hs_response_t){ .status = 200, .body = copy, .body_len = body.n };
}

static void answer_http(job_t *j, rc_t rc, view_t body)
{
    hs_response_t response = { 0 };
    fill(&response, rc, body);
    if (hs_pending_request(j->pending)->gzip)
        gzip_response(&response);
    hs_answer(j->pending, &response);
}

static void count_call(node_rpc_t *r, const api_method_t *m, int error, uint64_t took_ms)
{
    node_rpc_tally_t *t = &r->tallies[m ? (size_t)(m - API_METHODS) : API_METHOD_COUNT];
    tally_add(&t->calls, 1);
    tally_add(&t->errors, error != 0);
    spread_add(&t->took, took_ms);
}

static void count_calls(node_rpc_t *r, const api_rpc_t *request, uint64_t began_ms)
{
    const uint64_t took_ms = clock_monotonic_ms() - began_ms;
    for (size_t i = 0; i < api_rpc_count(request); i++) {
        int error;
        const api_method_t *m = api_rpc_outcome(request, i, &error);
        count_call(r, m, error, took_ms);
    }
}

/* Keeps what a request came to, for others who ask the same by HTTP. */
static void keep_same(const job_t *j, view_t body)
{
    same_key_t key;
    int error;
    if (j->pending && api_rpc_count(j->request) == 1 && same_key(&key, &j->world, j->body))
        same_put(&j->rpc->same, &key, api_rpc_outcome(j->request, 0, &error), body);
}

static void end_job(job_t *j, rc_t rc)
{
    node_rpc_t *r = j->rpc;
    view_t body = { NULL, 0 };
    if (!rc) {
        rc = api_rpc_finish(j->request, &body);
        count_calls(r, j->request, j->began_ms);
        keep_same(j, body);
    }
    if (j->pending)
        answer_http(j, rc, body);
    else
        j->call.done(j->call.ctx, rc ? view_str(NO_MEMORY) : body);
    arena_free(&j->arena);
    free(j->call.take_body);
    free(j);
    pthread_mutex_lock(&r->lock);
    if (!--r->jobs)
        pthread_cond_broadcast(&r->idle);
    pthread_mutex_unlock(&r->lock);
}

static void go_on(pool_task_t *t);

/* One of the job's queries is over, or their start is. Calls that waited for them are begun by the pool: they may have
 * to wait for the disk. */
static void one_less(job_t *j)
{
    if (atomic_fetch_sub(&j->open, 1) != 1)
        return;
    if (!api_rpc_waits(j->request)) {
        end_job(j, RC_OK);
        return;
    }
    j->task.run = go_on;
    pool_push(j->rpc->pool, &j->task);
}

/* ---- on the pool ---- */

static void on_done(void *ctx, rc_t rc, const err_t *e, query_t *take_q)
{
    asked_t *a = ctx;
    api_rpc_end(a->job->request, a->index, rc, e, take_q);
    one_less(a->job);
}

/* Whether nobody waits for its answer any more. */
static bool is_left_job(const job_t *j)
{
    return j->pending ? hs_pending_gone(j->pending) : j->call.unwanted && j->call.unwanted(j->call.ctx);
}

static bool is_left(void *ctx)
{
    const asked_t *a = ctx;
    return is_left_job(a->job);
}

static void start_query(job_t *j, size_t i)
{
    const ask_limits_t limits = { .client = j->task.client,
                                  .time_max_ms = ASK_TIME_MAX_MS + api_rpc_wait_ms(j->request, i),
                                  .unwanted = is_left };
    static const err_t no_memory = { .rc = RC_NOMEM, .text = "out of memory" };
    query_t *q = api_rpc_take(j->request, i);
    if (!q)
        return;
    j->asked[i] = (asked_t){ j, i };
    atomic_fetch_add(&j->open, 1);
    ask_t *by = api_rpc_forwards(j->request, i) ? j->rpc->sends : j->rpc->ask;
    if (ask_submit(by, q, &limits, on_done, &j->asked[i])) {
        api_rpc_end(j->request, i, RC_NOMEM, &no_memory, NULL);
        one_less(j);
    }
}

static job_t *job_of(pool_task_t *t)
{
    return (job_t *)(void *)((char *)t - offsetof(job_t, task));
}

/* Starts the queries that there are. */
static void start_queries(job_t *j)
{
    atomic_store(&j->open, 1);
    for (size_t i = 0; i < api_rpc_count(j->request); i++)
        start_query(j, i);
    one_less(j);
}

static void go_on(pool_task_t *t)
{
    job_t *j = job_of(t);
    if (is_left_job(j)) { /* as geth: what waits is not begun for who has left */
        end_job(j, RC_OK);
        return;
    }
    (void)api_rpc_more(j->request);
    start_queries(j);
}

/* Reads the body and starts its queries. */
static void start_job(pool_task_t *t)
{
    job_t *j = job_of(t);
    rc_t rc = RC_TIMEOUT; /* nobody sees it */
    if (!is_left_job(j))
        rc = api_rpc_begin(&j->request, &j->arena, &j->world, j->body);
    const size_t n = rc ? 0 : api_rpc_count(j->request);
    j->asked = arena_calloc(&j->arena, n, sizeof *j->asked);
    if (rc || !j->asked) {
        for (size_t i = 0; i < n; i++)
            query_free(api_rpc_take(j->request, i)); /* somebody may wait for what they hold */
        end_job(j, rc ? rc : RC_NOMEM);
        return;
    }
    start_queries(j);
}

/* ---- on an event thread ---- */

/* Without an engine no call can have a query. text is in the arena. */
static rc_t answer_now(view_t *text, arena_t *a, const api_world_t *world, view_t body)
{
    api_rpc_t *request;
    arena_init(a, JOB_ARENA_MAX);
    const rc_t rc = api_rpc_begin(&request, a, world, body);
    return rc ? rc : api_rpc_finish(request, text);
}

/* Answers what has no query, where it came. r NULL: there is no engine, and nothing has one. */
static void answer_here(node_rpc_t *r, hs_response_t *response, const hs_request_t *request, const api_world_t *world)
{
    const uint64_t began_ms = clock_monotonic_ms();
    api_rpc_t *calls = NULL;
    view_t text = { NULL, 0 };
    arena_t a;
    arena_init(&a, JOB_ARENA_MAX);
    rc_t rc = api_rpc_begin(&calls, &a, world, request->body);
    if (!rc) {
        rc = api_rpc_finish(calls, &text);
        if (r)
            count_calls(r, calls, began_ms);
    }
    fill(response, rc, text);
    if (request->gzip)
        gzip_response(response);
    arena_free(&a);
}

/* Whether somebody has asked the same before, of the same head. */
static bool answer_same(node_rpc_t *r, hs_response_t *response, const hs_request_t *request, const api_world_t *world)
{
    same_key_t key;
    const api_method_t *method;
    hs_response_t out = { .status = 200 };
    if (!same_key(&key, world, request->body) || same_get(&r->same, &out.body, &out.body_len, &method, &key))
        return false;
    count_call(r, method, 0, 0);
    *response = out;
    if (request->gzip)
        gzip_response(response);
    return true;
}

static job_t *job_new(node_rpc_t *r, const api_world_t *world)
{
    job_t *j = calloc(1, sizeof *j);
    if (!j)
        return NULL;
    j->task.run = start_job;
    j->rpc = r;
    j->began_ms = clock_monotonic_ms();
    j->world = *world;
    if (world->not_ready) {
        snprintf(j->not_ready, sizeof j->not_ready, "%s", world->not_ready);
        j->world.not_ready = j->not_ready;
    }
    arena_init(&j->arena, JOB_ARENA_MAX);
    return j;
}

static void push_job(job_t *j)
{
    node_rpc_t *r = j->rpc;
    const hs_client_t *client = j->task.client;
    j->world.client = client && client->turns[SHARE_LIGHT].exempt ? NULL : client;
    pthread_mutex_lock(&r->lock);
    r->jobs++;
    pthread_mutex_unlock(&r->lock);
    pool_push(r->pool, &j->task);
}

static void put_off(node_rpc_t *r, hs_response_t *response, const hs_request_t *request, const api_world_t *world)
{
    job_t *j = job_new(r, world);
    if (!j) {
        hs_problem(response, 503, "out-of-memory", "out of memory");
        return;
    }
    j->pending = hs_defer(request, response);
    if (!j->pending) {
        free(j);
        return;
    }
    j->body = hs_pending_request(j->pending)->body;
    j->task.client = hs_pending_request(j->pending)->client;
    push_job(j);
}

/* As geth has it: JSON by one of its three names; clients that name none are taken at their word. */
static bool is_json(const char *content_type)
{
    return !*content_type || !strncasecmp(content_type, "application/json", 16);
}

void node_rpc_post(node_rpc_t *r, hs_response_t *response, const hs_request_t *request, const api_world_t *world)
{
    if (!is_json(request->content_type))
        hs_problem(response, 415, "unsupported-media-type", "the content type must be application/json");
    else if (!r || api_rpc_at_once(request->body))
        answer_here(r, response, request, world);
    else if (!answer_same(r, response, request, world))
        put_off(r, response, request, world);
}

/* ---- by another way ---- */

void node_rpc_run(node_rpc_t *r, const api_world_t *world, const node_rpc_call_t *call)
{
    const view_t body = view_of(call->take_body, call->n);
    job_t *j = r ? job_new(r, world) : NULL;
    if (j) {
        j->body = body;
        j->call = *call;
        j->task.client = call->client;
        push_job(j);
        return;
    }
    arena_t a;
    view_t text = { NULL, 0 };
    const rc_t rc = r ? RC_NOMEM : answer_now(&text, &a, world, body);
    call->done(call->ctx, rc ? view_str(NO_MEMORY) : text);
    if (!r)
        arena_free(&a);
    free(call->take_body);
}

/* ---- all of them ---- */

const node_rpc_tally_t *node_rpc_tally(const node_rpc_t *r, size_t i)
{
    return &r->tallies[i];
}

node_rpc_t *node_rpc_new(ask_t *ask, ask_t *sends, pool_t *pool)
{
    node_rpc_t *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->tallies = calloc(API_METHOD_COUNT + 1, sizeof *r->tallies);
    if (!r->tallies) {
        free(r);
        return NULL;
    }
    r->ask = ask;
    r->sends = sends ? sends : ask;
    r->pool = pool;
    same_init(&r->same);
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->idle, NULL);
    return r;
}

void node_rpc_free(node_rpc_t *r)
{
    if (!r)
        return;
    pthread_mutex_lock(&r->lock);
    while (r->jobs)
        pthread_cond_wait(&r->idle, &r->lock);
    pthread_mutex_unlock(&r->lock);
    pthread_cond_destroy(&r->idle);
    pthread_mutex_destroy(&r->lock);
    same_clear(&r->same);
    free(r->tallies);
    free(r);
}
