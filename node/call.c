#include "node/call.h"

#include <stdio.h>
#include <stdlib.h>

#include "node/log.h"
#include "rpc/jsonrpc.h"

#define ROUND_ARENA_MAX ((size_t)256 << 20) /* bytes: one batch, its answer and the decoded proofs */

typedef struct {
    const call_edge_t *edge;
    uint64_t deadline_ms; /* of the whole call, monotonic */
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

/* One batch to one endpoint, of the needs that are not answered yet. why names what is wrong, without the endpoint. */
static rc_t ask(ex_call_t *call, bool *answered, char *why, size_t cap, uint32_t *retry_after_ms, arena_t *a, size_t endpoint,
                timer_ctx_t *timer, const ex_need_t *needs, size_t count, const ex_block_t *block, const ex_request_t *request)
{
    const call_edge_t *edge = timer->edge;
    uint64_t now = clock_monotonic_ms();
    view_t body;
    hc_response_t response = { 0 };
    if (now >= timer->deadline_ms)
        return RC_TIMEOUT;
    rc_t rc = jr_encode_needs(&body, a, needs, answered, count, block, request);
    if (rc) {
        snprintf(why, cap, "the request could not be written: %s", rc_name(rc));
        return rc;
    }
    uint64_t left = timer->deadline_ms - now;
    hc_request_t post = { .url = up_url(edge->upstream, endpoint), .post = body, .body_max = JR_BODY_MAX,
                          .timeout_ms = left < 15000 ? (uint32_t)left : 15000 };
    hc_perform(edge->http, &response, &post, 1, call_expired, timer);
    *retry_after_ms = response.retry_after_ms;
    if (response.rc) {
        rc = response.rc;
        snprintf(why, cap, "%s", response.error);
    } else if (response.status != 200) {
        rc = RC_IO;
        snprintf(why, cap, "HTTP status %d", response.status);
    } else
        rc = jr_answer_needs(call, answered, why, cap, needs, count, view_of(response.body, response.body_len));
    hc_response_clear(&response);
    return rc;
}

/* Gets every need of the last step answered, by as many endpoints as it takes. */
static rc_t round_trip(ex_call_t *call, char *why, size_t cap, timer_ctx_t *timer, const ex_block_t *block,
                       const ex_request_t *request)
{
    const call_edge_t *edge = timer->edge;
    const ex_need_t *needs;
    size_t count = ex_call_needs(call, &needs), order[UP_ENDPOINTS_MAX];
    size_t endpoints = up_order(edge->upstream, order, edge->now_ms());
    arena_t a;
    arena_init(&a, ROUND_ARENA_MAX);
    bool *answered = arena_calloc(&a, count, sizeof *answered);
    rc_t rc = answered ? RC_IO : RC_NOMEM;
    for (size_t e = 0; rc && rc != RC_NOMEM && e < endpoints && !call_expired(timer); e++) {
        char fault[UP_REASON_MAX] = "";
        uint32_t retry_after_ms = 0;
        arena_mark_t mark = arena_mark(&a);
        rc = ask(call, answered, fault, sizeof fault, &retry_after_ms, &a, order[e], timer, needs, count, block, request);
        arena_rollback(&a, mark);
        if (call_expired(timer))
            break;
        up_report(edge->upstream, order[e], rc, fault, retry_after_ms, edge->now_ms());
        if (rc) {
            snprintf(why, cap, "%s: %s", up_origin(edge->upstream, order[e]), fault);
            log_write(rc_blames_input(rc) ? LOG_WARN : LOG_INFO, "execution", "%s", why);
        }
    }
    arena_free(&a);
    if (rc && call_expired(timer)) {
        snprintf(why, cap, "the call took longer than %u s", CALL_TIME_MAX_MS / 1000);
        return RC_TIMEOUT;
    }
    return rc == RC_OK || rc == RC_NOMEM ? rc : RC_IO;
}

rc_t call_run(ex_call_t **out, char *why, size_t why_cap, const call_edge_t *edge, const ex_block_t *block,
              const ex_request_t *request)
{
    timer_ctx_t timer = { edge, clock_monotonic_ms() + CALL_TIME_MAX_MS, 0 };
    uint64_t run_left_ms = CALL_RUN_MAX_MS;
    ex_call_config_t config = { .chain = edge->chain, .cache = edge->cache, .block = block, .request = request, .use_hint = true,
                                .expired = run_expired, .expired_ctx = &timer };
    ex_call_t *call = ex_call_new(&config);
    rc_t rc = call ? RC_NEED_DATA : RC_NOMEM;
    snprintf(why, why_cap, "out of memory");
    while (rc == RC_NEED_DATA) {
        const char *text = "";
        uint64_t began = clock_monotonic_ms();
        timer.run_until_ms = began + run_left_ms;
        rc = ex_call_step(call, &text);
        uint64_t took = clock_monotonic_ms() - began;
        run_left_ms = took < run_left_ms ? run_left_ms - took : 0;
        if (rc == RC_NEED_DATA) {
            rc_t asked = round_trip(call, why, why_cap, &timer, block, request);
            if (asked)
                rc = asked;
        } else if (rc == RC_TIMEOUT)
            snprintf(why, why_cap, "the call ran longer than %u s", CALL_RUN_MAX_MS / 1000);
        else if (rc)
            snprintf(why, why_cap, "%s", text);
    }
    if (rc) {
        ex_call_free(call);
        return rc;
    }
    *out = call;
    return RC_OK;
}
