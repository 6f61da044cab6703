#include "node/operator.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/calendar.h"
#include "base/json.h"
#include "base/os/log.h"
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
    const size_t digits = strspn(number, "0123456789"), word = of ? strcspn(of, "&") : 0;
    const bool consensus = word == 9 && !strncmp(of, "consensus", word);
    if (!digits || digits > 2 || strcmp(number + digits, "/faults") != 0 ||
        strtoul(number, NULL, 10) >= UP_ENDPOINTS_MAX ||
        (of && !consensus && !(word == 9 && !strncmp(of, "execution", word))))
        return false;
    snprintf(out, 32, "%s[%lu]", consensus ? "consensus_rpc" : "execution_rpc", strtoul(number, NULL, 10));
    return true;
}

void operator_read_faults(hs_response_t *r, const hs_request_t *request, lies_t *lies)
{
    char place[32];
    view_t list;
    arena_t a;
    if (!place_of(place, request)) {
        hs_problem(r, 404, "not-found", "a place is /v1/providers/N/faults, N from 0 on; of=consensus for beacon APIs");
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
