#include "node/operator.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/calendar.h"
#include "base/json.h"
#include "base/os/log.h"
#include "node/config/option.h"
#include "rpc/upstream/endpoints.h"

#define FAULTS_ARENA_MAX (4 * LIES_BYTES_MAX)
#define LOG_BODY_MAX ((size_t)8 << 20) /* bytes: each of a line may become six */

void operator_gate_init(operator_gate_t *g, const uint8_t key[OPERATOR_KEY_LEN])
{
    *g = (operator_gate_t){ .state.has_key = key[0] != 0 };
    memcpy(g->state.key, key, OPERATOR_KEY_LEN);
    pthread_mutex_init(&g->lock, NULL);
}

void operator_gate_node(operator_gate_t *g, const uint8_t node[OPERATOR_KEY_LEN])
{
    memcpy(g->state.node, node, OPERATOR_KEY_LEN);
}

void operator_gate_clear(operator_gate_t *g)
{
    pthread_mutex_destroy(&g->lock);
}

static void refuse(hs_response_t *r, const err_t *e)
{
    static const struct {
        int status;
        const char *slug;
    } rows[] = {
        [OPERATOR_NO_KEY] = { 403, "operator-no-key" },           [OPERATOR_FORM] = { 401, "operator-form" },
        [OPERATOR_BAD_SIGNATURE] = { 401, "operator-signature" }, [OPERATOR_EXPIRED] = { 401, "operator-expired" },
        [OPERATOR_TOO_FAR] = { 401, "operator-too-far" },         [OPERATOR_REPLAYED] = { 409, "operator-replayed" }
    };
    char detail[sizeof e->field + sizeof e->text + 4];
    snprintf(detail, sizeof detail, "%s%s%s", e->field, e->field[0] ? ": " : "", e->text);
    if (e->code && e->code < sizeof rows / sizeof rows[0])
        hs_problem(r, rows[e->code].status, rows[e->code].slug, detail);
    else
        hs_problem(r, 503, "out-of-memory", "out of memory");
}

bool operator_admits(operator_gate_t *g, hs_response_t *r, const hs_request_t *request, uint64_t now_s)
{
    const operator_command_t c = { request->method, request->path, request->query, request->operator_signature,
                                   request->body };
    err_t e = { .rc = RC_OK };
    pthread_mutex_lock(&g->lock);
    const rc_t rc = operator_take(&g->state, &e, &c, now_s);
    const uint64_t counter = g->state.counter;
    pthread_mutex_unlock(&g->lock);
    if (rc) {
        refuse(r, &e);
        return false;
    }
    log_write(LOG_INFO, "operator", "%s %s, counter %llu", c.method, c.path, (unsigned long long)counter);
    return true;
}

static void answer(hs_response_t *r, view_t text)
{
    r->body = text.p ? malloc(text.n) : NULL;
    if (!r->body) {
        hs_problem(r, 500, "out-of-memory", "out of memory");
        return;
    }
    memcpy(r->body, text.p, text.n);
    r->body_len = text.n;
    r->status = 200;
}

void operator_set_log_level(hs_response_t *r, const hs_request_t *request)
{
    static const char *const words[] = { "error", "warn", "info", "debug", NULL };
    jo_doc_t doc;
    err_t e;
    const jo_t o = jo_open(&doc, &e, request->body, OPERATOR_BODY_MAX, JO_STRICT);
    jo_skip(&o, "counter");
    jo_skip(&o, "not_after");
    const size_t level = jo_word(&o, "level", words);
    rc_t rc = jo_done(&o);
    if (rc)
        rc = err_before(&e, rc, "%s: ", e.field[0] ? e.field : "body");
    jo_close(&doc);
    if (rc) {
        hs_problem(r, rc == RC_NOMEM ? 503 : 400, rc == RC_NOMEM ? "out-of-memory" : "bad-request", e.text);
        return;
    }
    log_set_level((log_level_t)level);
    answer(r, view_str("{\"status\":\"success\"}\n"));
}

/* ---- providers ---- */

#define PROVIDERS_ARENA_MAX ((size_t)1 << 20)

typedef struct {
    option_urls_t execution, consensus, pccs;
} providers_t;

/* No URL twice: it would have two numbers. */
static bool has_twins(const option_urls_t *x)
{
    for (size_t i = 0; i < x->count; i++)
        for (size_t k = 0; k < i; k++)
            if (!strcmp(x->urls[i], x->urls[k]))
                return true;
    return false;
}

static rc_t read_providers(providers_t *out, err_t *e, arena_t *a, view_t body)
{
    jo_doc_t doc;
    const jo_t o = jo_open(&doc, e, body, OPERATOR_BODY_MAX, JO_STRICT);
    jo_skip(&o, "counter");
    jo_skip(&o, "not_after");
    if (jo_kind(&o, "execution"))
        option_read_urls(&out->execution, a, &o, "execution");
    if (jo_kind(&o, "consensus"))
        option_read_urls(&out->consensus, a, &o, "consensus");
    if (jo_kind(&o, "pccs"))
        option_read_urls(&out->pccs, a, &o, "pccs");
    if (has_twins(&out->execution) || has_twins(&out->consensus))
        jo_fail(&o, has_twins(&out->execution) ? "execution" : "consensus", RC_MALFORMED, "names a URL twice");
    else if (!out->execution.count && !out->consensus.count && !out->pccs.count)
        jo_fail(&o, "execution", RC_MALFORMED, "is missing, and so are consensus and pccs");
    const rc_t rc = jo_done(&o);
    jo_close(&doc);
    return rc;
}

static bool has_numbers(up_t *u, const option_urls_t *by, uint64_t now_ms)
{
    return !by->count || up_has_numbers(u, by->urls, by->count, now_ms);
}

static rc_t replace(up_t *u, const option_urls_t *by, uint64_t now_ms)
{
    return by->count ? up_replace(u, by->urls, by->count, now_ms) : RC_OK;
}

/* Of all kinds, or of none, unless memory is short. */
static rc_t replace_all(const operator_upstreams_t *of, const providers_t *by, uint64_t now_ms)
{
    if (!has_numbers(of->execution, &by->execution, now_ms) || !has_numbers(of->consensus, &by->consensus, now_ms))
        return RC_LIMIT;
    rc_t rc = replace(of->execution, &by->execution, now_ms);
    if (!rc)
        rc = replace(of->consensus, &by->consensus, now_ms);
    return rc || !by->pccs.count ? rc : of->set_pccs(of->ctx, by->pccs.urls, by->pccs.count);
}

void operator_set_providers(hs_response_t *r, const hs_request_t *request, const operator_upstreams_t *of,
                            uint64_t now_ms, bool *changed)
{
    providers_t p = { .execution.count = 0 };
    arena_t a;
    err_t e;
    arena_init(&a, PROVIDERS_ARENA_MAX);
    rc_t rc = read_providers(&p, &e, &a, request->body);
    *changed = !rc;
    if (rc) {
        rc = err_before(&e, rc, "%s: ", e.field[0] ? e.field : "body");
        hs_problem(r, rc == RC_NOMEM ? 503 : 400, rc == RC_NOMEM ? "out-of-memory" : "bad-request", e.text);
    } else if ((rc = replace_all(of, &p, now_ms))) {
        hs_problem(r, 503, rc == RC_LIMIT ? "providers-retiring" : "out-of-memory",
                   rc == RC_LIMIT ? "endpoints that were replaced a moment ago are not over yet" : "out of memory");
        r->retry_after_s = UP_RETIRED_MS / 1000;
    } else {
        log_write(LOG_INFO, "operator",
                  "from now on %zu execution RPCs, %zu beacon APIs, %zu services for collateral; 0: as before",
                  p.execution.count, p.consensus.count, p.pccs.count);
        answer(r, view_str("{\"status\":\"success\"}\n"));
    }
    arena_free(&a);
}

void operator_rotate(hs_response_t *r)
{
    hs_problem(
        r, 409, "rotation-by-order",
        "no node rotates the cluster's key by itself: an order does, which the operators sign (docs/overlay.md)");
}

static void put_line(jw_t *w, const log_line_t *line)
{
    char when[TIME_TEXT_MS];
    (void)time_write_ms(when, line->at_ms);
    jw_object(w, NULL);
    jw_u64(w, "number", line->number);
    jw_str(w, "ts", when);
    jw_str(w, "level", log_level_name(line->level));
    jw_str(w, "event", line->event);
    jw_str(w, "msg", line->message);
    jw_end(w);
}

/* What stands behind "name=" in a query; NULL: it is not there. */
static const char *parameter(const char *query, const char *name)
{
    const size_t n = strlen(name);
    for (const char *p = query; *p; p += strcspn(p, "&"), p += *p == '&')
        if (!strncmp(p, name, n) && p[n] == '=')
            return p + n + 1;
    return NULL;
}

/* The number of "after=N"; 0 without it. */
static uint64_t after_of(const char *query)
{
    const char *at = parameter(query, "after");
    return at ? strtoull(at, NULL, 10) : 0;
}

/* The place that "/v1/providers/N/faults" and "of" name, as records have it. False: there can be none. */
static bool place_of(char out[32], const hs_request_t *request)
{
    const char *number = request->path + sizeof "/v1/providers/" - 1, *of = parameter(request->query, "of");
    const bool gone = !strncmp(number, "gone", 4);
    const size_t digits = gone ? 0 : strspn(number, "0123456789"), word = of ? strcspn(of, "&") : 0;
    const bool consensus = word == 9 && !strncmp(of, "consensus", word);
    if (!digits == !gone || digits > 2 || strcmp(number + (gone ? 4 : digits), "/faults") != 0 ||
        strtoul(number, NULL, 10) >= UP_ENDPOINTS_MAX ||
        (of && !consensus && !(word == 9 && !strncmp(of, "execution", word))))
        return false;
    snprintf(out, 32, "%s[%.*s]", consensus ? "consensus_rpc" : "execution_rpc", (int)(gone ? 4 : digits), number);
    return true;
}

void operator_read_faults(hs_response_t *r, const hs_request_t *request, lies_t *lies)
{
    char place[32];
    view_t list;
    arena_t a;
    if (!place_of(place, request)) {
        hs_problem(r, 404, "not-found",
                   "a place is /v1/providers/N/faults, N from 0 on, or gone; of=consensus for beacon APIs");
        return;
    }
    arena_init(&a, FAULTS_ARENA_MAX);
    jw_t w = jw_of(&a, FAULTS_ARENA_MAX / 2);
    jw_object(&w, NULL);
    jw_str(&w, "endpoint", place);
    if (lies_list(lies, &list, &a, place))
        w.rc = RC_NOMEM;
    else
        jw_raw(&w, "faults", list);
    jw_end(&w);
    answer(r, jw_done(&w));
    arena_free(&a);
}

void operator_read_log(hs_response_t *r, const hs_request_t *request)
{
    log_line_t *lines = calloc(LOG_RING_LINES, sizeof *lines);
    jw_t w = jw_of(NULL, LOG_BODY_MAX);
    const size_t n = lines ? log_after(lines, LOG_RING_LINES, after_of(request->query)) : 0;
    jw_object(&w, NULL);
    jw_array(&w, "lines");
    for (size_t i = 0; i < n; i++)
        put_line(&w, &lines[i]);
    jw_end(&w);
    jw_end(&w);
    answer(r, lines ? jw_done(&w) : view_of(NULL, 0));
    jw_free(&w);
    free(lines);
}
