#include "node/query/ask.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/os/log.h"
#include "base/os/memory.h"
#include "base/os/worker.h"
#include "node/query/round.h"
#include "rpc/upstream/latest.h"
#include "rpc/upstream/refusal.h"

#define PROBE_MAX 65536u    /* bytes of an answer to a probe */
#define GIVE_BACK_MS 10000u /* after a first query: what queries freed goes back to the system */
#define TICK_MS 50u         /* between looks at whose time is over, and at what a query waits for */

/* One query on its way: an actor. Whatever happens to it is an event; the first one puts it on the pool, and the thread
 * that runs it there takes turns until none is left. Nobody else touches it. */
typedef struct run {
    pool_task_t task;
    atomic_uint events;
    struct run *prev, *next; /* in the engine's ring */
    ask_t *ask;
    query_t *query;
    ask_done_fn done;
    void *ctx;
    uint64_t until_ms; /* of the present step */
    uint64_t deadline_ms, run_left_ms;
    uint32_t time_max_ms, run_max_ms;
    bool (*unwanted)(void *ctx); /* with the engine's lock; NULL: it has ended */
    atomic_bool dropped;         /* it was */
    enum { RUN_STEPS, RUN_ASKS } state;
    uint32_t hinters; /* endpoints that gave access lists: a bit each */
    uint64_t due_ms;  /* with the engine's lock: by now_ms, when it is to have a turn in any case */
    round_t round;
} run_t;

struct ask {
    ask_config_t config;
    flights_t *flights;
    worker_t *clock;
    atomic_bool cancelled;
    size_t probed; /* endpoints; these and what follows are whose probe is under way */
    size_t probed_at[UP_ENDPOINTS_MAX];
    hc_request_t probes[UP_ENDPOINTS_MAX];
    hc_response_t told[UP_ENDPOINTS_MAX];
    bool alone; /* they are asked for their chain and nothing else: those who took no batch */
    hc_group_t group;
    pthread_mutex_t lock; /* all below */
    pthread_cond_t empty;
    bool probing, again; /* again: once more, when that has ended */
    run_t runs;          /* a ring */
};

/* Whether the query has to end, for whatever reason. */
static bool is_over(const run_t *r)
{
    return atomic_load(&r->ask->cancelled) || atomic_load(&r->dropped) ||
           r->ask->config.monotonic_ms() >= r->deadline_ms;
}

/* The query's deadline hook. */
static bool step_expired(void *ctx)
{
    const run_t *r = ctx;
    return atomic_load_explicit(&r->ask->cancelled, memory_order_relaxed) ||
           atomic_load_explicit(&r->dropped, memory_order_relaxed) || r->ask->config.monotonic_ms() >= r->until_ms;
}

/* What a turn comes to. */
typedef enum { GOES_ON, YIELDS, RESTS, IS_GONE } turn_t;

/* Until something happens, or by now_ms it is so late. */
static turn_t rest(run_t *r, uint64_t due_ms)
{
    pthread_mutex_lock(&r->ask->lock);
    r->due_ms = due_ms;
    pthread_mutex_unlock(&r->ask->lock);
    return RESTS;
}

/* ---- the end ---- */

static void finish(run_t *r, rc_t rc, const err_t *e)
{
    ask_t *a = r->ask;
    query_limit(r->query, NULL, NULL);
    pthread_mutex_lock(&a->lock);
    r->unwanted = NULL; /* its ctx may go with done */
    pthread_mutex_unlock(&a->lock);
    r->done(r->ctx, rc, e, r->query);
    pthread_mutex_lock(&a->lock);
    r->prev->next = r->next;
    r->next->prev = r->prev;
    if (a->runs.next == &a->runs)
        pthread_cond_broadcast(&a->empty);
    pthread_mutex_unlock(&a->lock);
    hs_client_unref(r->task.client);
    free(r);
}

/* Ends a query whose time is over: that of all, or of its steps. why: of an endpoint that was to be asked again. */
static void finish_late(run_t *r, const err_t *why)
{
    err_t e;
    rc_t rc;
    if (atomic_load(&r->ask->cancelled)) {
        rc = err_say(&e, RC_TIMEOUT, "cancelled: the node is stopping");
        rc = err_code(&e, rc, ASK_CANCELLED);
    } else if (atomic_load(&r->dropped)) {
        rc = err_say(&e, RC_TIMEOUT, "nobody waits for it any more");
        rc = err_code(&e, rc, ASK_CANCELLED);
    } else if (r->ask->config.monotonic_ms() >= r->deadline_ms)
        rc = err_set(&e, RC_TIMEOUT, "the call took longer than %u s%s%s", r->time_max_ms / 1000,
                     why->text[0] ? ": " : "", why->text);
    else
        rc = err_set(&e, RC_TIMEOUT, "the call ran longer than %u s", r->run_max_ms / 1000);
    finish(r, rc, &e);
}

/* ---- on the pool ---- */

/* Something has happened. On any thread; waits for nothing. */
static void post(run_t *r)
{
    if (atomic_fetch_add(&r->events, 1) == 0)
        pool_push(r->ask->config.pool, &r->task);
}

static void on_landed(party_t *p)
{
    post(p->owner);
}

static bool needs_nothing(const run_t *r)
{
    const need_t *needs;
    return query_needs(r->query, &needs) == 0;
}

/* Goes on to ask for what the query needs, if its client may. */
static rc_t begin_round(run_t *r, err_t *e)
{
    const ask_config_t *config = &r->ask->config;
    const need_t *needs;
    const size_t count = query_needs(r->query, &needs);
    if (!flights_may_ask(r->ask->flights, r->task.client, count))
        return err_code(
            e,
            err_say(e, RC_LIMIT,
                    "this client has asked for more in a minute than its share of what upstreams may be asked"),
            QUERY_OVER_BUDGET);
    r->state = RUN_ASKS;
    const rc_t rc = round_begin(&r->round, r->query, config->upstream, r->ask->flights, config->now_ms, on_landed, r);
    if (!rc) {
        round_for(&r->round, r->task.client);
        return RC_OK;
    }
    round_free(&r->round);
    return err_say(e, rc, "out of memory");
}

/* It is done: what became of its access lists tells of the one endpoint that gave them. */
static void learn_hints(const run_t *r)
{
    hinted_t hinted = { 0 };
    size_t endpoint = 0;
    if (!r->hinters || (r->hinters & (r->hinters - 1)))
        return;
    while (!(r->hinters >> endpoint & 1))
        endpoint++;
    query_hinted(r->query, &hinted);
    lesson_hinted(r->ask->config.upstream, endpoint, hinted);
}

/* Runs the query once; as long as it is not known to be heavy, for a slice of time. */
static turn_t step(run_t *r)
{
    err_t e = { 0 };
    const ask_config_t *config = &r->ask->config;
    const uint64_t left = r->task.heavy || r->run_left_ms < ASK_SLICE_MS ? r->run_left_ms : ASK_SLICE_MS;
    uint64_t began = config->monotonic_ms(), until = began + left;
    r->until_ms = until < r->deadline_ms ? until : r->deadline_ms;
    rc_t rc = query_step(r->query, &e);
    uint64_t took = config->monotonic_ms() - began;
    r->run_left_ms = took < r->run_left_ms ? r->run_left_ms - took : 0;
    if (rc == RC_TIMEOUT && !r->task.heavy && r->run_left_ms && !is_over(r)) {
        r->task.heavy = true;
        return YIELDS;
    }
    if (rc == RC_TIMEOUT || (rc == RC_NEED_DATA && !r->run_left_ms)) { /* or a step too short to look at the clock */
        finish_late(r, &(err_t){ 0 });
        return IS_GONE;
    }
    if (rc == RC_NEED_DATA && needs_nothing(r))
        return rest(r, config->now_ms() + TICK_MS);
    if (rc == RC_NEED_DATA && !(rc = begin_round(r, &e)))
        return GOES_ON;
    if (!rc)
        learn_hints(r);
    finish(r, rc, &e);
    return IS_GONE;
}

/* Whether its time is over before an endpoint may have more. */
static bool is_over_before(const run_t *r, uint64_t due_ms)
{
    const uint64_t now = r->ask->config.now_ms();
    return r->ask->config.monotonic_ms() + (due_ms > now ? due_ms - now : 0) >= r->deadline_ms;
}

/* Asks until something is in the air or the round has ended. */
static turn_t ask_on(run_t *r)
{
    err_t e = { 0 };
    const round_state_t state = round_next(&r->round);
    const uint64_t due_ms = round_due_ms(&r->round);
    if (state == ROUND_WAIT || (state == ROUND_LATER && !is_over_before(r, due_ms)))
        return rest(r, due_ms);
    rc_t rc = round_end(&r->round, &e);
    r->hinters |= r->round.hinters;
    round_free(&r->round);
    r->state = RUN_STEPS;
    if (rc == RC_OK)
        return GOES_ON;
    finish(r, rc, &e);
    return IS_GONE;
}

/* Ends a query that has to end, wherever it stands. */
static turn_t stop(run_t *r)
{
    err_t why = { 0 };
    if (r->state == RUN_ASKS) {
        if (!atomic_load(&r->ask->cancelled) && !atomic_load(&r->dropped))
            round_late(&r->round);
        why = r->round.why;
        round_free(&r->round);
    }
    finish_late(r, &why);
    return IS_GONE;
}

static void run_on(pool_task_t *t)
{
    run_t *r = (run_t *)(void *)((char *)t - offsetof(run_t, task));
    unsigned seen;
    do {
        seen = atomic_load(&r->events);
        turn_t turn = GOES_ON;
        while (turn == GOES_ON)
            turn = is_over(r) ? stop(r) : r->state == RUN_STEPS ? step(r) : ask_on(r);
        if (turn == YIELDS) /* still its turn, when that of others has passed */
            pool_push(r->ask->config.pool, &r->task);
        if (turn == YIELDS || turn == IS_GONE)
            return;
    } while (atomic_fetch_sub(&r->events, seen) != seen);
}

/* ---- the clock ---- */

/* Whether a query is to have a turn. With the lock held. */
static bool is_due(ask_t *a, run_t *r)
{
    if (r->unwanted && !atomic_load(&r->dropped) && r->unwanted(r->ctx))
        atomic_store(&r->dropped, true);
    return is_over(r) || a->config.now_ms() >= r->due_ms;
}

/* Gives a turn to queries whose time has come or is over. Whether there are any queries. */
static bool tick(ask_t *a)
{
    pthread_mutex_lock(&a->lock);
    for (run_t *r = a->runs.next; r != &a->runs; r = r->next)
        if (is_due(a, r)) {
            r->due_ms = UINT64_MAX;
            post(r);
        }
    bool any = a->runs.next != &a->runs;
    pthread_mutex_unlock(&a->lock);
    return any;
}

static void clock_main(worker_t *w, void *ctx)
{
    uint64_t next_ms, back_ms = UINT64_MAX; /* until there was a query again */
    do {
        const bool any = tick(ctx);
        const uint64_t now_ms = clock_monotonic_ms();
        if (now_ms >= back_ms) {
            memory_give_back();
            back_ms = UINT64_MAX;
        }
        if (any && back_ms == UINT64_MAX)
            back_ms = now_ms + GIVE_BACK_MS;
        next_ms = any ? now_ms + TICK_MS : back_ms;
    } while (worker_sleep_until(w, next_ms));
}

/* ---- what endpoints are, asked once ---- */

static int learn_form(cap_t *c, void *ctx)
{
    const cap_form_t *form = ctx;
    c->form.by_number |= form->by_number;
    return 0;
}

/* True: it is to be asked for its chain alone. */
static bool take_probe(ask_t *a, size_t endpoint, hc_response_t *r)
{
    err_t e;
    char heard[HEARD_MAX + 1];
    cap_form_t form = { 0 };
    const view_t body = view_of(r->body, r->body_len);
    up_note_coding(a->config.upstream, endpoint, r);
    if (r->why.rc || r->status != 200) /* whoever asks next will find out more */
        return !r->why.rc && refusal_of_status(r->status) == REFUSAL_BATCH;
    up_note_led(a->config.upstream, endpoint, NULL, r, a->config.now_ms());
    up_took(a->config.upstream, endpoint, r->elapsed_ms, true, a->config.now_ms());
    const rc_t rc = a->alone ? latest_check_chain(&e, body, a->config.chain_id)
                             : jr_read_probe(&form, &e, body, a->config.chain_id);
    up_learn(a->config.upstream, endpoint, learn_form, &form);
    if (rc != RC_REFUSED)
        return rc == RC_IO || rc == RC_MALFORMED;
    up_report(a->config.upstream, endpoint, RC_IO, e.text, 0, a->config.now_ms());
    heard_of(heard, r, NULL);
    up_hide(a->config.upstream, endpoint, heard);
    log_write(LOG_WARN, "execution", "%s: %s%s%s", up_origin(a->config.upstream, endpoint), e.text, heard_word(heard),
              heard);
    return false;
}

/* Takes what came. Whether some are to be asked once more. */
static bool take_probes(ask_t *a)
{
    size_t left = 0;
    for (size_t i = 0; i < a->probed; i++) {
        const size_t endpoint = a->probed_at[i];
        if (!atomic_load(&a->cancelled) && take_probe(a, endpoint, &a->told[i]) && !a->alone &&
            !up_is_retired(a->config.upstream, endpoint))
            a->probed_at[left++] = endpoint;
        hc_response_clear(&a->told[i]);
    }
    a->probed = left;
    a->alone = true;
    return left > 0;
}

static void on_probed(void *ctx);

/* With the lock held, so that ask_free cancels what is sent, or nothing is. */
static void send_probes(ask_t *a)
{
    a->probing = !atomic_load(&a->cancelled);
    if (!a->probing) {
        pthread_cond_broadcast(&a->empty);
        return;
    }
    for (size_t i = 0; i < a->probed; i++)
        a->probes[i] = (hc_request_t){ .url = up_url(a->config.upstream, a->probed_at[i]),
                                       .ca_file = up_ca_file(a->config.upstream),
                                       .plain = up_plain(a->config.upstream, a->probed_at[i]),
                                       .post = a->alone ? view_str(LATEST_CHAIN_REQUEST) : jr_probe(),
                                       .body_max = PROBE_MAX,
                                       .timeout_ms = ASK_BATCH_MAX_MS };
    hc_submit(a->config.http, &a->group, a->told, a->probes, a->probed, on_probed, a);
}

/* With the lock held. */
static void probe(ask_t *a)
{
    up_status_t rows[UP_ENDPOINTS_MAX];
    const size_t n = up_snapshot(a->config.upstream, rows);
    a->probed = 0;
    a->alone = false;
    for (size_t i = 0; i < n; i++)
        if (!rows[i].retired)
            a->probed_at[a->probed++] = i;
    a->again = false;
    send_probes(a);
}

/* On the client's I/O thread. */
static void on_probed(void *ctx)
{
    ask_t *a = ctx;
    const bool some = take_probes(a);
    pthread_mutex_lock(&a->lock);
    if (some)
        send_probes(a);
    else if (a->again)
        probe(a);
    else {
        a->probing = false;
        pthread_cond_broadcast(&a->empty);
    }
    pthread_mutex_unlock(&a->lock);
}

void ask_probe(ask_t *a)
{
    pthread_mutex_lock(&a->lock);
    if (a->probing)
        a->again = true;
    else if (a->config.chain_id)
        probe(a);
    pthread_mutex_unlock(&a->lock);
}

/* ---- for others ---- */

rc_t ask_new(ask_t **out, err_t *e, const ask_config_t *config)
{
    ask_t *a = calloc(1, sizeof *a);
    if (!a)
        return err_say(e, RC_NOMEM, "out of memory");
    a->config = *config;
    if (!a->config.monotonic_ms)
        a->config.monotonic_ms = clock_monotonic_ms;
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->empty, NULL);
    a->runs.prev = a->runs.next = &a->runs;
    a->flights = flights_new(&(flights_config_t){ .http = config->http,
                                                  .upstream = config->upstream,
                                                  .pool = config->pool,
                                                  .now_ms = config->now_ms,
                                                  .time_max_ms = ASK_BATCH_MAX_MS,
                                                  .gather_ms = config->gather_ms,
                                                  .bytes_max = config->bytes_max,
                                                  .per_minute = config->per_minute,
                                                  .in_air_max = config->in_air_max });
    rc_t rc = a->flights ? worker_start(&a->clock, e, "ask", clock_main, a) : err_say(e, RC_NOMEM, "out of memory");
    if (rc) {
        ask_free(a);
        return rc;
    }
    ask_probe(a);
    *out = a;
    return RC_OK;
}

rc_t ask_submit(ask_t *a, query_t *take_q, const ask_limits_t *limits, ask_done_fn done, void *ctx)
{
    static const ask_limits_t usual = { 0 };
    const ask_limits_t *l = limits ? limits : &usual;
    run_t *r = calloc(1, sizeof *r);
    if (!r) {
        query_free(take_q);
        return RC_NOMEM;
    }
    *r = (run_t){ .task.run = run_on, .ask = a, .query = take_q, .done = done, .ctx = ctx, .unwanted = l->unwanted };
    r->task.client = hs_client_ref(l->client);
    r->due_ms = UINT64_MAX;
    r->time_max_ms = l->time_max_ms ? l->time_max_ms : ASK_TIME_MAX_MS;
    r->run_max_ms = l->run_max_ms ? l->run_max_ms : ASK_RUN_MAX_MS;
    r->deadline_ms = a->config.monotonic_ms() + r->time_max_ms;
    r->run_left_ms = r->run_max_ms;
    query_limit(take_q, step_expired, r);
    pthread_mutex_lock(&a->lock);
    bool first = a->runs.next == &a->runs;
    r->prev = a->runs.prev;
    r->next = &a->runs;
    r->prev->next = r->next->prev = r;
    post(r);
    if (first) /* with the lock held: behind it the query may have ended, and the engine with it */
        worker_wake(a->clock);
    pthread_mutex_unlock(&a->lock);
    return RC_OK;
}

void ask_counts(ask_t *a, ask_counts_t *out)
{
    *out = (ask_counts_t){ 0 };
    pthread_mutex_lock(&a->lock);
    for (const run_t *r = a->runs.next; r != &a->runs; r = r->next)
        out->queries++;
    pthread_mutex_unlock(&a->lock);
    flights_counts(a->flights, &out->flights);
}

void ask_cancel(ask_t *a)
{
    atomic_store(&a->cancelled, true);
    worker_wake(a->clock);
}

void ask_free(ask_t *a)
{
    if (!a)
        return;
    ask_cancel(a);
    pthread_mutex_lock(&a->lock);
    if (a->probing)
        hc_cancel(a->config.http, &a->group);
    while (a->runs.next != &a->runs || a->probing)
        pthread_cond_wait(&a->empty, &a->lock);
    pthread_mutex_unlock(&a->lock);
    worker_stop(a->clock);
    flights_free(a->flights);
    pthread_cond_destroy(&a->empty);
    pthread_mutex_destroy(&a->lock);
    free(a);
}
