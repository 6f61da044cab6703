#include "node/query/call.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/os/log.h"
#include "rpc/upstream/jsonrpc.h"

#define BATCH_MAX 100u                       /* elements of one JSON-RPC batch: providers refuse larger ones */
#define BATCH_SLOTS_MAX 512u                 /* slots in one batch */
#define BATCHES_MAX 8u                       /* batches side by side */
#define BATCH_BODY_MAX ((size_t)12 << 20)    /* bytes of the answer to one: some 20 KB for each slot */
#define ANSWERS_ARENA_MAX ((size_t)64 << 20) /* bytes: the decoded answers to one batch */
#define ROUND_ARENA_MAX ((size_t)256 << 20)  /* bytes: the batches of one round */

typedef struct {
    const call_edge_t *edge;
    uint64_t deadline_ms;  /* of the whole call, monotonic */
    uint64_t run_until_ms; /* of the present run of the EVM, monotonic */
} timer_ctx_t;

static bool call_expired(void *ctx)
{
    const timer_ctx_t *t = ctx;
    return clock_monotonic_ms() >= t->deadline_ms || (t->edge->cancelled && t->edge->cancelled(t->edge->cancelled_ctx));
}

static bool run_expired(void *ctx)
{
    const timer_ctx_t *t = ctx;
    return clock_monotonic_ms() >= t->run_until_ms || call_expired(ctx);
}

/* The needs of one step, and how far they are answered. */
typedef struct {
    const need_t *needs;
    bool *answered;
    size_t count;
    bool heard; /* the endpoint that was asked last answered a batch, if only with errors */
    arena_t arena;
} round_t;

/* Batches that are sent to one endpoint side by side. */
typedef struct {
    hc_request_t posts[BATCHES_MAX];
    hc_response_t responses[BATCHES_MAX];
    const need_t *asked[BATCHES_MAX][BATCH_MAX];
    size_t len[BATCHES_MAX]; /* needs of each batch */
    size_t count;            /* batches */
} exchange_t;

/* How many of the needs from first on go into one batch: bounded in elements, which providers limit, and in slots, which make
 * an answer large. */
static size_t batch_len(const need_t *needs, size_t first, size_t count)
{
    size_t n = 0, slots = 0;
    while (first + n < count && n < BATCH_MAX && (n == 0 || slots + needs[first + n].slot_count <= BATCH_SLOTS_MAX))
        slots += needs[first + n++].slot_count;
    return n;
}

/* Writes batches for the open needs from *at on, as many as go side by side, and moves *at past them. */
static rc_t write_batches(exchange_t *x, size_t *at, round_t *round)
{
    const need_t *needs = round->needs;
    size_t n;
    x->count = 0;
    for (; *at < round->count && x->count < BATCHES_MAX; *at += n) {
        const need_t **asked = x->asked[x->count];
        size_t open = 0;
        view_t body;
        n = batch_len(needs, *at, round->count);
        for (size_t i = *at; i < *at + n; i++)
            if (!round->answered[i])
                asked[open++] = &needs[i];
        if (!open)
            continue;
        rc_t rc = jr_encode(&body, NULL, &round->arena, asked, open);
        if (rc)
            return rc;
        x->posts[x->count] = (hc_request_t){ .post = body, .body_max = BATCH_BODY_MAX };
        x->len[x->count++] = open;
    }
    return RC_OK;
}

/* Gives decoded answers in an order in which each can be judged at once: proofs before codes, headers downwards. The first
 * fault is told. */
static rc_t give_all(query_t *call, round_t *round, err_t *e, jr_answer_t *answers, const need_t *const *asked,
                     size_t n)
{
    static const need_kind_t order[] = { NEED_PROOF, NEED_HEADER, NEED_CODE, NEED_HINT };
    rc_t rc = RC_OK;
    for (size_t pass = 0; pass < sizeof order / sizeof order[0]; pass++)
        for (size_t k = 0; k < n; k++) {
            const size_t i = (size_t)(asked[k] - round->needs);
            jr_answer_t *x = &answers[k];
            if (asked[k]->kind != order[pass])
                continue;
            if (!x->rc)
                x->rc = jr_before(&x->why, query_give(call, &x->why, i, &x->answer), asked[k]);
            round->answered[i] = x->rc == RC_OK;
            if (x->rc && !rc) {
                rc = x->rc;
                *e = x->why;
            }
        }
    return rc;
}

/* Takes the answer to batch k. */
static rc_t take_batch(query_t *call, round_t *round, char *why, size_t cap, const exchange_t *x, size_t k)
{
    const hc_response_t *r = &x->responses[k];
    arena_t a;
    err_t e = { .rc = RC_OK };
    if (r->rc) {
        snprintf(why, cap, "%s", r->error);
        return r->rc;
    }
    if (r->status != 200) {
        snprintf(why, cap, "HTTP status %d", r->status);
        return RC_IO;
    }
    round->heard = true;
    arena_init(&a, ANSWERS_ARENA_MAX);
    jr_answer_t *answers = arena_calloc(&a, x->len[k], sizeof *answers);
    rc_t rc = answers ? jr_decode(answers, &e, &a, x->asked[k], x->len[k], view_of(r->body, r->body_len)) : RC_NOMEM;
    if (!rc)
        rc = give_all(call, round, &e, answers, x->asked[k], x->len[k]);
    snprintf(why, cap, "%s", e.text);
    arena_free(&a);
    return rc;
}

/* Sends what was written and takes the answers; the first fault is told. */
static rc_t perform(query_t *call, round_t *round, char *why, size_t cap, uint32_t *retry_after_ms, exchange_t *x,
                    size_t endpoint, timer_ctx_t *timer)
{
    uint64_t now = clock_monotonic_ms(), left = now < timer->deadline_ms ? timer->deadline_ms - now : 1;
    rc_t rc = RC_OK;
    for (size_t k = 0; k < x->count; k++) {
        x->posts[k].url = up_url(timer->edge->upstream, endpoint);
        x->posts[k].timeout_ms = left < CALL_ASK_MAX_MS ? (uint32_t)left : CALL_ASK_MAX_MS;
    }
    memset(x->responses, 0, sizeof x->responses);
    hc_perform(timer->edge->http, x->responses, x->posts, x->count, call_expired, timer);
    for (size_t k = 0; k < x->count; k++) {
        char fault[UP_REASON_MAX] = "";
        rc_t one = take_batch(call, round, fault, sizeof fault, x, k);
        if (one && (!rc || (rc_blames_input(one) && !rc_blames_input(rc)))) {
            rc = one;
            snprintf(why, cap, "%s", fault);
        }
        if (x->responses[k].retry_after_ms > *retry_after_ms)
            *retry_after_ms = x->responses[k].retry_after_ms;
        hc_response_clear(&x->responses[k]);
    }
    return rc;
}

/* Asks one endpoint for all needs that are not answered yet. What it has not does not keep it from being asked for the rest.
 * why names what is wrong, without the endpoint. */
static rc_t ask(query_t *call, round_t *round, char *why, size_t cap, uint32_t *retry_after_ms, size_t endpoint,
                timer_ctx_t *timer)
{
    exchange_t *x = arena_calloc(&round->arena, 1, sizeof *x);
    rc_t rc = x ? RC_OK : RC_NOMEM;
    bool goes_on = x != NULL, heard = false;
    for (size_t at = 0; goes_on && at < round->count;) {
        arena_mark_t mark = arena_mark(&round->arena);
        round->heard = false;
        rc_t one = write_batches(x, &at, round);
        if (one)
            snprintf(why, cap, "the request could not be written: %s", rc_name(one));
        else if (x->count)
            one = perform(call, round, why, cap, retry_after_ms, x, endpoint, timer);
        heard |= round->heard;
        goes_on = !one || (one == RC_IO && round->heard);
        rc = one ? one : rc;
        arena_rollback(&round->arena, mark);
    }
    round->heard = heard;
    return rc;
}

/* Whether a need of this origin, or of one that is more certain, has no answer. */
static bool is_open(const need_t *needs, const bool *answered, size_t count, need_origin_t upto)
{
    for (size_t i = 0; i < count; i++)
        if (!answered[i] && needs[i].origin <= upto)
            return true;
    return false;
}

/* Asks one endpoint, and reports how it did: what only a guess asked for, it need not have. RC_OK: no need is left that another
 * endpoint should be asked for. */
static rc_t ask_endpoint(query_t *call, round_t *round, char *why, size_t cap, size_t endpoint, timer_ctx_t *timer)
{
    const call_edge_t *edge = timer->edge;
    char fault[UP_REASON_MAX] = "";
    uint32_t retry_after_ms = 0;
    arena_mark_t mark = arena_mark(&round->arena);
    rc_t rc = ask(call, round, fault, sizeof fault, &retry_after_ms, endpoint, timer);
    arena_rollback(&round->arena, mark);
    if (timer->edge->cancelled && timer->edge->cancelled(timer->edge->cancelled_ctx))
        return rc;
    if (rc == RC_IO && !is_open(round->needs, round->answered, round->count, NEED_NAMED))
        rc = RC_OK;
    if (rc != RC_NOMEM) /* that is this machine's matter */
        up_report(edge->upstream, endpoint, rc, fault, retry_after_ms, edge->now_ms());
    if (rc) {
        snprintf(why, cap, "%s: %s", up_origin(edge->upstream, endpoint),
                 up_without_origin(edge->upstream, endpoint, fault));
        log_write(rc_blames_input(rc) ? LOG_WARN : LOG_INFO, "execution", "%s", why);
    }
    return rc;
}

/* Gets the needs of the last step answered, by as many endpoints as it takes. What none of them has may be a key that only a
 * guess or a hint named: as long as one of them answers honestly, and what the call needs for certain is there, the call goes on,
 * however the others fail. */
static rc_t round_trip(query_t *call, char *why, size_t cap, timer_ctx_t *timer)
{
    size_t order[UP_ENDPOINTS_MAX], endpoints = up_order(timer->edge->upstream, order, timer->edge->now_ms());
    round_t round = { .heard = false };
    round.count = query_needs(call, &round.needs);
    arena_init(&round.arena, ROUND_ARENA_MAX);
    round.answered = arena_calloc(&round.arena, round.count, sizeof *round.answered);
    rc_t rc = round.answered ? RC_IO : RC_NOMEM;
    bool honest = false;
    for (size_t e = 0; rc && rc != RC_NOMEM && e < endpoints && !call_expired(timer); e++) {
        rc = ask_endpoint(call, &round, why, cap, order[e], timer);
        honest |= rc == RC_IO && round.heard;
    }
    bool goes_on = rc && rc != RC_NOMEM && honest && !is_open(round.needs, round.answered, round.count, NEED_MET);
    arena_free(&round.arena);
    if (rc && call_expired(timer)) {
        snprintf(why, cap, "the call took longer than %u s", CALL_TIME_MAX_MS / 1000);
        return RC_TIMEOUT;
    }
    return goes_on ? RC_OK : rc == RC_OK || rc == RC_NOMEM ? rc : RC_IO;
}

rc_t call_run(query_t **out, char *why, size_t why_cap, const call_edge_t *edge, const ex_block_t *block,
              const ex_request_t *request)
{
    timer_ctx_t timer = { edge, clock_monotonic_ms() + CALL_TIME_MAX_MS, 0 };
    uint64_t run_left_ms = CALL_RUN_MAX_MS;
    ex_call_config_t config = { .chain = edge->chain,
                                .cache = edge->cache,
                                .block = block,
                                .request = request,
                                .use_hint = true,
                                .proof_slots_max = BATCH_SLOTS_MAX };
    query_t *call = NULL;
    err_t e;
    rc_t rc = ex_call_new(&call, &e, &config);
    if (rc) {
        snprintf(why, why_cap, "%s", e.text);
        return rc;
    }
    query_limit(call, run_expired, &timer);
    rc = RC_NEED_DATA;
    while (rc == RC_NEED_DATA) {
        uint64_t began = clock_monotonic_ms();
        timer.run_until_ms = began + run_left_ms;
        rc = query_step(call, &e);
        uint64_t took = clock_monotonic_ms() - began;
        run_left_ms = took < run_left_ms ? run_left_ms - took : 0;
        if (rc == RC_NEED_DATA && !run_left_ms)
            rc = RC_TIMEOUT; /* a run too short to look at the clock */
        if (rc == RC_NEED_DATA) {
            rc_t asked = round_trip(call, why, why_cap, &timer);
            if (asked)
                rc = asked;
        } else if (rc == RC_TIMEOUT)
            snprintf(why, why_cap, "the call ran longer than %u s", CALL_RUN_MAX_MS / 1000);
        else if (rc)
            snprintf(why, why_cap, "%s", e.text);
    }
    if (rc) {
        query_free(call);
        return rc;
    }
    *out = call;
    return RC_OK;
}
