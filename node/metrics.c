#include "node/metrics.h"

#include <stdio.h>

#include "base/os/process.h"

#define LABELS(...)                                                                                                    \
    (const mx_label_t[]){ __VA_ARGS__ }, sizeof((const mx_label_t[]){ __VA_ARGS__ }) / sizeof(mx_label_t)
#define NO_LABELS NULL, 0

static void gauge(mx_t *m, const char *name, const char *help, uint64_t value)
{
    mx_family(m, name, MX_GAUGE, help);
    mx_u64(m, NO_LABELS, value);
}

static void counter(mx_t *m, const char *name, const char *help, uint64_t value)
{
    mx_family(m, name, MX_COUNTER, help);
    mx_u64(m, NO_LABELS, value);
}

/* ---- the program ---- */

static void put_process(mx_t *m, const node_t *n)
{
    process_use_t use;
    uint64_t free_bytes, all;
    process_use(&use);
    mx_family(m, "process_cpu_seconds_total", MX_COUNTER, "Processor time, user and system.");
    mx_seconds(m, NO_LABELS, (int64_t)use.cpu_ms);
    gauge(m, "process_resident_memory_bytes", "Bytes in memory.", use.memory);
    gauge(m, "process_resident_memory_max_bytes", "The most bytes in memory so far.", use.memory_most);
    gauge(m, "process_open_fds", "Open descriptors.", use.files);
    gauge(m, "process_max_fds", "Descriptors that may be open.", use.files_max);
    gauge(m, "process_threads", "Threads.", use.threads);
    mx_family(m, "kettle_uptime_seconds", MX_GAUGE, "Since the start.");
    mx_seconds(m, NO_LABELS, (int64_t)(clock_monotonic_ms() - n->started_ms));
    if (!n->options.state_dir || !process_disk(&free_bytes, &all, n->options.state_dir))
        return;
    gauge(m, "kettle_state_free_bytes", "Free bytes where the state directory is.", free_bytes);
    gauge(m, "kettle_state_size_bytes", "Bytes of the file system where the state directory is.", all);
}

static void put_warnings(mx_t *m, const warnings_t *all)
{
    mx_family(m, "kettle_warning", MX_GAUGE, "1 while /v1/status warns of it.");
    for (warning_t w = 0; w < WARNINGS; w++)
        mx_u64(m, LABELS({ "about", warning_word(w) }), all->text[w][0] != 0);
}

static void put_state(mx_t *m, node_state_t now)
{
    mx_family(m, "kettle_state", MX_GAUGE, "1 for the state that the node is in.");
    for (unsigned s = 0; s < NODE_STATES; s++)
        mx_u64(m, LABELS({ "state", node_state_name((node_state_t)s) }), s == (unsigned)now);
}

/* ---- what others ask ---- */

static void route_labels(mx_label_t out[3], size_t i)
{
    const bool is_route = i < NODE_API_ROUTE_COUNT;
    out[0] = (mx_label_t){ "method", is_route ? NODE_API_ROUTES[i].method : "" };
    out[1] = (mx_label_t){ "route", is_route ? NODE_API_ROUTES[i].path : "" };
}

static bool was_asked(const hs_tallies_t *t, size_t i)
{
    uint64_t n = 0;
    for (size_t class = 0; class < 6; class ++)
        n += tally_get(&t->of[i].answers[class]);
    return n > 0;
}

static void put_http(mx_t *m, const hs_tallies_t *t)
{
    static const char *const classes[] = { "0xx", "1xx", "2xx", "3xx", "4xx", "5xx" };
    mx_label_t labels[3];
    mx_family(m, "kettle_http_answers_total", MX_COUNTER,
              "Answers of the API port by route and class of status; without a route: not found, refused.");
    for (size_t i = 0; i <= NODE_API_ROUTE_COUNT; i++)
        for (size_t class = 1; class < 6; class ++) {
            const uint64_t count = tally_get(&t->of[i].answers[class]);
            route_labels(labels, i);
            labels[2] = (mx_label_t){ "status", classes[class] };
            if (count)
                mx_u64(m, labels, 3, count);
        }
    mx_family(m, "kettle_http_seconds", MX_HISTOGRAM, "From a request's headers to its answer.");
    for (size_t i = 0; i <= NODE_API_ROUTE_COUNT; i++) {
        route_labels(labels, i);
        if (was_asked(t, i))
            mx_spread(m, labels, 2, &t->of[i].took);
    }
    gauge(m, "kettle_http_connections", "Open connections of the API port.", tally_get(&t->connections));
    gauge(m, "kettle_http_waiting", "Requests whose answer is being worked on.", tally_get(&t->put_off));
}

static const char *method_name(size_t i)
{
    return i < API_METHOD_COUNT ? API_METHODS[i].name : "unknown";
}

static void put_rpc(mx_t *m, const node_rpc_t *rpc)
{
    mx_family(m, "kettle_rpc_calls_total", MX_COUNTER, "Calls of JSON-RPC.");
    for (size_t i = 0; i <= API_METHOD_COUNT; i++)
        if (tally_get(&node_rpc_tally(rpc, i)->calls))
            mx_u64(m, LABELS({ "method", method_name(i) }), tally_get(&node_rpc_tally(rpc, i)->calls));
    mx_family(m, "kettle_rpc_errors_total", MX_COUNTER, "Those that ended in an error.");
    for (size_t i = 0; i <= API_METHOD_COUNT; i++)
        if (tally_get(&node_rpc_tally(rpc, i)->errors))
            mx_u64(m, LABELS({ "method", method_name(i) }), tally_get(&node_rpc_tally(rpc, i)->errors));
    mx_family(m, "kettle_rpc_seconds", MX_HISTOGRAM, "How long the requests took that calls of a method were in.");
    for (size_t i = 0; i <= API_METHOD_COUNT; i++)
        if (tally_get(&node_rpc_tally(rpc, i)->calls))
            mx_spread(m, LABELS({ "method", method_name(i) }), &node_rpc_tally(rpc, i)->took);
}

static void put_answers(mx_t *m, service_t *s)
{
    uint64_t answered, refused, kept, joined, filters, subscriptions;
    jobs_counts(s->jobs, &answered, &refused);
    jobs_shared(s->jobs, &kept, &joined);
    news_counts(s->news, &filters, &subscriptions);
    counter(m, "kettle_signed_blocks_total", "Answers of GET /block.", atomic_load(&s->blocks));
    counter(m, "kettle_signed_answers_total", "Signed answers to /call and /v1.", answered);
    counter(m, "kettle_refused_answers_total", "Requests to /call and /v1 that got none.", refused);
    counter(m, "kettle_kept_answers_total", "Signed answers that were kept from an earlier request.", kept);
    counter(m, "kettle_joined_requests_total", "Requests that waited for the answer of an equal one.", joined);
    gauge(m, "kettle_filters", "Filters that are polled.", filters);
    gauge(m, "kettle_subscriptions", "Subscriptions of WebSockets.", subscriptions);
    counter(m, "kettle_bloom_receipts_total", "Blocks whose bloom promised logs and whose receipts were fetched.",
            tally_get(&s->tallies.positive));
    counter(m, "kettle_bloom_false_receipts_total", "Those of them that had no such logs.",
            tally_get(&s->tallies.in_vain));
}

static void put_standing(mx_t *m, vigil_t *v)
{
    vigil_counts_t count;
    vigil_counts(v, &count);
    gauge(m, "kettle_standing_calls", "Standing calls.", count.calls);
    gauge(m, "kettle_standing_listeners", "Streams of GET /v1/stream.", count.listeners);
    counter(m, "kettle_standing_signed_total", "Statements that were signed for standing calls.", count.signed_so_far);
    counter(m, "kettle_standing_failed_total", "Runs of standing calls that gave none.", count.failed);
}

/* ---- what we ask others ---- */

static void place_name(char out[32], bool execution, size_t i)
{
    snprintf(out, 32, "%s[%u]", execution ? "execution_rpc" : "consensus_rpc", (unsigned)i);
}

static const char *question_name(bool execution, size_t row)
{
    static const char *const beacon[] = { [LC_BOOTSTRAP] = "bootstrap",
                                          [LC_UPDATE] = "updates",
                                          [LC_FINALITY] = "finality_update",
                                          [LC_OPTIMISTIC] = "optimistic_update",
                                          [LEDGER_BEACON_SPEC] = "spec" };
    if (execution)
        return row < JR_METHODS ? JR_METHOD_NAMES[row] : NULL;
    return row < sizeof beacon / sizeof beacon[0] ? beacon[row] : NULL;
}

/* All endpoints, of both kinds. */
typedef struct {
    up_t *up;
    bool execution;
    size_t i;
    char name[32];
    up_status_t status;
} endpoint_t;

typedef struct {
    endpoint_t at[2 * UP_ENDPOINTS_MAX];
    size_t count;
} endpoints_t;

static void find_endpoints(endpoints_t *out, service_t *s)
{
    up_status_t rows[UP_ENDPOINTS_MAX];
    out->count = 0;
    for (int execution = 1; execution >= 0; execution--) {
        up_t *u = execution ? s->execution : s->consensus;
        const size_t n = up_snapshot(u, rows);
        for (size_t i = 0; i < n; i++) {
            if (rows[i].retired)
                continue;
            endpoint_t *e = &out->at[out->count++];
            *e = (endpoint_t){ .up = u, .execution = execution, .i = i, .status = rows[i] };
            place_name(e->name, execution, i);
        }
    }
}

static void put_questions(mx_t *m, const endpoints_t *all)
{
    mx_family(m, "kettle_upstream_requests_total", MX_COUNTER, "Questions to endpoints, however many at a time.");
    for (size_t k = 0; k < all->count; k++)
        for (size_t row = 0; row < LEDGER_METHODS; row++) {
            const endpoint_t *e = &all->at[k];
            const char *name = question_name(e->execution, row);
            const uint64_t count = tally_get(&up_ledger(e->up, e->i)->of[row].questions);
            if (name && count)
                mx_u64(m, LABELS({ "endpoint", e->name }, { "method", name }), count);
        }
    mx_family(m, "kettle_upstream_received_bytes_total", MX_COUNTER,
              "Bytes of answers by method; mixed: to batches of several methods.");
    for (size_t k = 0; k < all->count; k++) {
        const endpoint_t *e = &all->at[k];
        const ledger_t *l = up_ledger(e->up, e->i);
        for (size_t row = 0; row < LEDGER_METHODS; row++)
            if (question_name(e->execution, row) && tally_get(&l->of[row].received))
                mx_u64(m, LABELS({ "endpoint", e->name }, { "method", question_name(e->execution, row) }),
                       tally_get(&l->of[row].received));
        mx_u64(m, LABELS({ "endpoint", e->name }, { "method", "mixed" }), tally_get(&l->mixed));
    }
}

static void put_trips(mx_t *m, const endpoints_t *all)
{
    mx_family(m, "kettle_upstream_round_trips_total", MX_COUNTER, "Requests of HTTP to endpoints.");
    for (size_t k = 0; k < all->count; k++)
        mx_u64(m, LABELS({ "endpoint", all->at[k].name }),
               tally_get(&up_ledger(all->at[k].up, all->at[k].i)->round_trips));
    mx_family(m, "kettle_upstream_sent_bytes_total", MX_COUNTER, "Bytes of their bodies.");
    for (size_t k = 0; k < all->count; k++)
        mx_u64(m, LABELS({ "endpoint", all->at[k].name }), tally_get(&up_ledger(all->at[k].up, all->at[k].i)->sent));
    mx_family(m, "kettle_upstream_seconds", MX_HISTOGRAM, "Until an endpoint's answer was complete.");
    for (size_t k = 0; k < all->count; k++)
        mx_spread(m, LABELS({ "endpoint", all->at[k].name }), &up_ledger(all->at[k].up, all->at[k].i)->took);
}

static void put_trouble(mx_t *m, const endpoints_t *all)
{
    mx_family(m, "kettle_upstream_trouble_total", MX_COUNTER,
              "Failures: lie (contradicts what was asked), unusable, late (behind), newer (claims a newer fork).");
    for (size_t k = 0; k < all->count; k++) {
        const endpoint_t *e = &all->at[k];
        mx_u64(m, LABELS({ "endpoint", e->name }, { "kind", "lie" }), e->status.lies);
        mx_u64(m, LABELS({ "endpoint", e->name }, { "kind", "unusable" }), e->status.unusable);
        mx_u64(m, LABELS({ "endpoint", e->name }, { "kind", "late" }), e->status.late);
        mx_u64(m, LABELS({ "endpoint", e->name }, { "kind", "newer" }), e->status.newer);
    }
    mx_family(m, "kettle_upstream_failing", MX_GAUGE, "1 while an endpoint's last request failed.");
    for (size_t k = 0; k < all->count; k++)
        mx_u64(m, LABELS({ "endpoint", all->at[k].name }), all->at[k].status.failing);
    mx_family(m, "kettle_upstream_reported_total", MX_COUNTER, "Requests whose end was judged.");
    for (size_t k = 0; k < all->count; k++)
        mx_u64(m, LABELS({ "endpoint", all->at[k].name }), all->at[k].status.requests);
}

static void put_engine(mx_t *m, const node_t *n, service_t *s)
{
    ask_counts_t ask;
    pool_counts_t pool;
    ask_counts(s->ask, &ask);
    pool_counts(n->pool, &pool);
    gauge(m, "kettle_queries", "Queries under way.", ask.queries);
    counter(m, "kettle_needs_asked_total", "Things that queries needed and that were asked for.", ask.flights.asked);
    counter(m, "kettle_needs_joined_total", "Those that another query was asking for already.", ask.flights.joined);
    mx_family(m, "kettle_upstream_batches", MX_GAUGE, "Requests to execution RPCs: in the air, or waiting for that.");
    mx_u64(m, LABELS({ "at", "air" }), ask.flights.in_air);
    mx_u64(m, LABELS({ "at", "queue" }), ask.flights.waiting);
    mx_family(m, "kettle_pool_tasks", MX_GAUGE, "Work for the processors, by weight: at work, or waiting for that.");
    mx_u64(m, LABELS({ "weight", "light" }, { "at", "work" }), pool.light_running);
    mx_u64(m, LABELS({ "weight", "light" }, { "at", "queue" }), pool.light_waiting);
    mx_u64(m, LABELS({ "weight", "heavy" }, { "at", "work" }), pool.heavy_running);
    mx_u64(m, LABELS({ "weight", "heavy" }, { "at", "queue" }), pool.heavy_waiting);
    gauge(m, "kettle_pool_threads", "Threads for that work.", pool.threads);
}

static void put_cache(mx_t *m, ex_cache_t *cache)
{
    ex_cache_counts_t rows[EX_CACHE_KINDS];
    const size_t n = ex_cache_counts(cache, rows);
    mx_family(m, "kettle_cache_lookups_total", MX_COUNTER, "Lookups of proven state, by kind and outcome.");
    for (size_t i = 0; i < n; i++) {
        mx_u64(m, LABELS({ "what", rows[i].what }, { "found", "yes" }), rows[i].hits);
        mx_u64(m, LABELS({ "what", rows[i].what }, { "found", "no" }), rows[i].misses);
    }
    gauge(m, "kettle_cache_bytes", "Bytes of proven state that are kept.", ex_cache_bytes(cache));
}

/* ---- chain, time, evidence, members ---- */

static void put_heads(mx_t *m, service_t *s, const follow_view_t *v)
{
    const lc_network_t *net = &s->with.config->network;
    const uint64_t now = timekeeper_least_ms(s->time);
    const struct {
        const char *name;
        const lc_head_t *head;
    } rows[] = { { "latest", &v->latest }, { "finalized", &v->finalized } };
    mx_family(m, "kettle_head_slot", MX_GAUGE, "Slot of a head.");
    for (size_t i = 0; i < 2; i++)
        if (rows[i].head->valid)
            mx_u64(m, LABELS({ "head", rows[i].name }), rows[i].head->header.beacon.slot);
    mx_family(m, "kettle_head_age_seconds", MX_GAUGE, "Since the begin of its slot.");
    for (size_t i = 0; i < 2; i++)
        if (rows[i].head->valid)
            mx_seconds(m, LABELS({ "head", rows[i].name }),
                       (int64_t)(now - lc_slot_start_ms(net, rows[i].head->header.beacon.slot)));
    gauge(m, "kettle_head_signers", "Members of the sync committee that signed the latest head.",
          v->latest.valid ? v->latest.participants : 0);
    gauge(m, "kettle_committee_size", "Members of a sync committee.", net->preset.committee_size);
    gauge(m, "kettle_sync_periods_left", "Sync-committee periods that are still to be followed.",
          v->progress.periods_total - v->progress.periods_done);
    counter(m, "kettle_follow_round_trips_total", "Exchanges with beacon nodes, one after the other.", v->round_trips);
}

static void put_time(mx_t *m, service_t *s)
{
    const timebound_at_t at = timekeeper_read(s->time);
    timebound_t time;
    timebound_source_t source;
    timekeeper_bound(s->time, &time);
    mx_family(m, "kettle_clock_above_bound_seconds", MX_GAUGE, "This machine's clock less what time it is at least.");
    mx_seconds(m, NO_LABELS, (int64_t)(at.clock_ms - timebound_floor(&time, &source, at)));
}

static void put_evidence(mx_t *m, service_t *s)
{
    attest_status_t status;
    attest_status(s->attest, &status);
    gauge(m, "kettle_quote_verified", "1: this node's own quote verifies by the present collateral.", status.verified);
    if (!status.verified)
        return;
    mx_family(m, "kettle_collateral_left_seconds", MX_GAUGE, "Until the collateral of this node's quote expires.");
    mx_seconds(m, NO_LABELS, status.verifiable_until * 1000 - (int64_t)(timekeeper_least_ms(s->time)));
}

static void put_members(mx_t *m, cluster_t *cluster)
{
    cluster_count_t count;
    cluster_count(cluster, &count);
    mx_family(m, "kettle_members", MX_GAUGE, "Other members: connected, attested, holders of the key.");
    mx_u64(m, LABELS({ "are", "connected" }), count.connected);
    mx_u64(m, LABELS({ "are", "attested" }), count.attested);
    mx_u64(m, LABELS({ "are", "holders" }), count.holders);
}

static void put_service(mx_t *m, const node_t *n, service_t *s, const follow_view_t *v)
{
    endpoints_t all;
    find_endpoints(&all, s);
    put_heads(m, s, v);
    put_answers(m, s);
    put_rpc(m, s->rpc);
    if (s->vigil)
        put_standing(m, s->vigil);
    put_trips(m, &all);
    put_questions(m, &all);
    put_trouble(m, &all);
    put_engine(m, n, s);
    put_time(m, s);
    put_evidence(m, s);
}

void node_metrics(mx_t *m, node_t *n)
{
    follow_view_t view;
    err_t why;
    warnings_t warnings;
    service_t *s = node_service(n); /* before the state is asked for, as in status.c */
    cluster_t *cluster = atomic_load(&n->cluster);
    const node_state_t state = node_state(n, &view, &why);
    mx_family(m, "kettle_info", MX_GAUGE, "1, with the version.");
    mx_u64(m, LABELS({ "version", KETTLE_VERSION }), 1);
    put_state(m, state);
    node_warnings(&warnings, n, s, &view);
    put_warnings(m, &warnings);
    put_process(m, n);
    put_http(m, &n->tallies);
    put_cache(m, n->cache);
    if (cluster)
        put_members(m, cluster);
    if (s)
        put_service(m, n, s, &view);
}
