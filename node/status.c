/* status.c - the body of GET /v1/status. */
#include <stdio.h>

#include "base/json.h"
#include "base/os/limits.h"
#include "base/os/process.h"
#include "node/state.h"

#define STATUS_MAX ((size_t)256 << 10)

static void put_head(jw_t *w, const char *key, const service_t *s, const lc_head_t *h)
{
    const lc_network_t *net = &s->with.config->network;
    const lc_execution_t *x = &h->header.execution;
    if (!h->valid) {
        jw_null(w, key);
        return;
    }
    uint64_t slot = h->header.beacon.slot, now = timekeeper_least_ms(s->time), at = lc_slot_start_ms(net, slot);
    const bool proves = lc_proves_execution(net, slot), whole = proves && h->whole;
    jw_object(w, key);
    jw_u64(w, "slot", slot);
    jw_hex(w, "beacon_root", view_of(h->beacon_root.b, 32));
    jw_str(w, "fork", lc_fork_name(lc_fork_at_epoch(net, lc_epoch_of_slot(net, slot))));
    jw_u64(w, "age_s", now > at ? (now - at) / 1000 : 0);
    jw_u64(w, "participants", h->participants);
    jw_u64(w, "committee_size", net->preset.committee_size);
    whole ? jw_u64(w, "block_number", x->block_number) : jw_null(w, "block_number");
    proves ? jw_hex(w, "block_hash", view_of(x->block_hash.b, 32)) : jw_null(w, "block_hash");
    whole ? jw_hex(w, "state_root", view_of(x->state_root.b, 32)) : jw_null(w, "state_root");
    whole ? jw_u64(w, "timestamp", x->timestamp) : jw_null(w, "timestamp");
    jw_end(w);
}

/* What the clock is held against. */
static void put_clock(jw_t *w, const service_t *s)
{
    const timebound_at_t at = timekeeper_read(s->time);
    timebound_t time;
    timebound_source_t source;
    int64_t offset_ms;
    timekeeper_bound(s->time, &time);
    const uint64_t floor = timebound_floor(&time, &source, at);
    jw_object(w, "clock");
    jw_u64(w, "now_ms", at.clock_ms);
    jw_u64(w, "bound_ms", floor);
    jw_str(w, "bound_by", timebound_word(source));
    jw_i64(w, "above_bound_ms", (int64_t)(at.clock_ms - floor));
    jw_str(w, "source", timekeeper_source(s->time));
    jw_bool(w, "counter_is_bound", time.counts);
    if (timebound_offset(&time, &offset_ms, at))
        jw_i64(w, "counter_offset_ms", offset_ms);
    else
        jw_null(w, "counter_offset_ms");
    jw_end(w);
}

/* at: to compare the endpoints' Date headers with our clock. */
static void put_upstreams(jw_t *w, const char *key, up_t *u, timebound_at_t at)
{
    char name[32]; /* as in the configuration; its URL is the operator's matter */
    up_status_t rows[UP_ENDPOINTS_MAX];
    size_t count = up_snapshot(u, rows);
    jw_array(w, key);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].retired)
            continue;
        jw_object(w, NULL);
        snprintf(name, sizeof name, "%s_rpc[%zu]", key, i);
        jw_str(w, "endpoint", name);
        jw_bool(w, "failing", rows[i].failing);
        jw_str(w, "reason", rows[i].reason);
        jw_u64(w, "requests", rows[i].requests);
        jw_u64(w, "failures", rows[i].failures);
        jw_u64(w, "lies", rows[i].lies);
        jw_u64(w, "unusable", rows[i].unusable);
        jw_u64(w, "late", rows[i].late);
        jw_u64(w, "newer", rows[i].newer);
        jw_str(w, "newer_reason", rows[i].newer_reason);
        if (rows[i].timed)
            jw_u64(w, "latency_ms", rows[i].mean_ms);
        else
            jw_null(w, "latency_ms");
        if (rows[i].dated)
            jw_i64(w, "clock_off_by_s", ((int64_t)(at.clock_ms - at.raw_ms) - rows[i].date_ms) / 1000);
        else
            jw_null(w, "clock_off_by_s");
        jw_end(w);
    }
    jw_end(w);
}

/* The TEE, and what is known of our own evidence once there is a service. */
static void put_tee(jw_t *w, const node_t *n, const service_t *s)
{
    attest_status_t status;
    jw_object(w, "tee");
    jw_str(w, "provider", n->tee.name);
    jw_bool(w, "simulated", s ? s->setup.cluster.simulated : n->tee.simulated);
    if (n->tee.simulated && n->tee.root.n)
        jw_hex(w, "simulator_root", n->tee.root);
    if (s) {
        attest_status(s->attest, &status);
        jw_bool(w, "verified", status.verified);
        if (status.verified) {
            jw_str(w, "tcb_status", tcb_status_name(status.status));
            jw_i64(w, "verifiable_until", status.verifiable_until);
        } else {
            jw_null(w, "tcb_status");
            jw_null(w, "verifiable_until");
        }
        jw_str(w, "trouble", status.trouble);
    }
    jw_end(w);
}

static void put_fork(jw_t *w, const char *key, const char *name, const lc_network_t *net, uint64_t epoch)
{
    const uint64_t slot = lc_first_slot(net, epoch);
    jw_object(w, key);
    jw_str(w, "name", name);
    jw_u64(w, "epoch", epoch);
    jw_u64(w, "slot", slot);
    jw_u64(w, "time", lc_slot_start_ms(net, slot) / 1000);
    jw_end(w);
}

/* The first fork of the network that this build does not know. */
static void put_unknown_fork(jw_t *w, const lc_network_t *net)
{
    const lc_unknown_fork_t *fork = lc_unknown_fork(net);
    if (fork)
        put_fork(w, "unknown_fork", fork->name, net, fork->epoch);
    else
        jw_null(w, "unknown_fork");
}

/* The first fork that this build knows and that is still to come at a slot. */
static void put_next_fork(jw_t *w, const lc_network_t *net, uint64_t slot)
{
    for (size_t i = 0; i < LC_FORKS; i++)
        if (net->fork_epoch[i] != LC_EPOCH_NEVER && net->fork_epoch[i] > lc_epoch_of_slot(net, slot)) {
            put_fork(w, "next_fork", lc_fork_name((lc_fork_t)i), net, net->fork_epoch[i]);
            return;
        }
    jw_null(w, "next_fork");
}

static void put_config(jw_t *w, const config_t *c)
{
    static const char *const blocks[] = { "latest", "safe", "finalized" };
    jw_str(w, "network", c->network.name);
    put_unknown_fork(w, &c->network);
    jw_u64(w, "chain_id", c->chain.chain_id);
    jw_str(w, "default_block", blocks[c->default_block]);
}

/* Where the chain is followed from, and which servers named it, of how many. */
static void put_checkpoint(jw_t *w, const setup_cluster_t *c)
{
    jw_hex(w, "checkpoint", view_of(c->checkpoint.b, 32));
    jw_array(w, "checkpoint_by");
    for (size_t i = 0; i < c->by_count; i++)
        jw_str(w, NULL, c->by[i]);
    jw_end(w);
    jw_u64(w, "checkpoint_of", c->of);
}

/* What the setup means: the statements that /v1/attest binds. */
static void put_setup(jw_t *w, const setup_t *s)
{
    jw_hex(w, "setup", view_of(s->hash.b, 32));
    jw_raw(w, "cluster_statement", s->cluster_text);
    jw_raw(w, "node_statement", s->node_text);
}

/* Which keys came by the setup, over the port or by options; what the measured file says is not among them. */
static void put_by_setup(jw_t *w, const config_t *c)
{
    jw_array(w, "setup_keys");
    for (size_t i = 0; i < c->by_setup.count; i++)
        jw_str(w, NULL, c->by_setup.names[i]);
    jw_end(w);
}

/* What is answered now, and what was. */
static void put_answers(jw_t *w, service_t *s, node_state_t state)
{
    uint64_t answered, refused;
    err_t why;
    const bool beats = pulse_beats(s->pulse, &why);
    jw_object(w, "ready");
    jw_bool(w, "block", state == NODE_READY);
    jw_bool(w, "call", state == NODE_READY && beats);
    jw_str(w, "reason", why.text); /* what calls lack */
    jw_end(w);
    jobs_counts(s->jobs, &answered, &refused);
    jw_object(w, "answers");
    jw_u64(w, "block", atomic_load(&s->blocks));
    jw_u64(w, "calls", answered); /* and the statements of /v1 */
    jw_u64(w, "refused", refused);
    jw_end(w);
}

/* The member is there where standing calls are. */
static void put_standing(jw_t *w, const service_t *s)
{
    vigil_counts_t count;
    if (!s->vigil)
        return;
    vigil_counts(s->vigil, &count);
    jw_object(w, "standing");
    jw_u64(w, "calls", count.calls);
    jw_u64(w, "listeners", count.listeners);
    jw_u64(w, "signed", count.signed_so_far);
    jw_u64(w, "failed", count.failed);
    jw_bool(w, "open", s->with.config->standing.open);
    jw_bool(w, "survive_restart", count.survives);
    jw_end(w);
}

/* What is known once the follower runs. */
static void put_service(jw_t *w, service_t *s, const follow_view_t *v, node_state_t state)
{
    put_answers(w, s, state);
    put_checkpoint(w, &s->setup.cluster);
    put_setup(w, &s->setup);
    put_by_setup(w, s->with.config);
    jw_hex(w, "node_pubkey", view_of(s->node_pubkey, sizeof s->node_pubkey));
    uint8_t pubkey[ECDSA_PUBKEY_LEN];
    rekey_pubkey(atomic_load(&s->rekey), pubkey);
    jw_hex(w, "pubkey", view_of(pubkey, sizeof pubkey));
    put_clock(w, s);
    put_head(w, "head", s, &v->latest);
    put_head(w, "finalized", s, &v->finalized);
    put_head(w, "known", s, &v->known);
    const lc_network_t *net = &s->with.config->network;
    const uint64_t slot = lc_slot_at(net, timekeeper_least_ms(s->time));
    put_next_fork(w, net, slot);
    jw_object(w, "sync");
    jw_u64(w, "periods_done", v->progress.periods_done);
    jw_u64(w, "periods_total", v->progress.periods_total);
    jw_u64(w, "current_slot", slot);
    jw_u64(w, "round_trips", v->round_trips);
    jw_end(w);
    news_status(s->news, w);
    put_standing(w, s);
    jw_object(w, "upstreams");
    put_upstreams(w, "execution", s->execution, timekeeper_read(s->time));
    put_upstreams(w, "consensus", s->consensus, timekeeper_read(s->time));
    if (s->sending)
        put_upstreams(w, "send", s->sending, timekeeper_read(s->time));
    jw_end(w);
    jw_u64(w, "lie_records", lies_count(s->lies));
}

/* The first endpoint that claims a fork of which this build knows nothing, and one that wants to be left alone. */
static void find_complaints(warning_facts_t *f, char claimed_by[32], char busy[32], up_status_t rows[UP_ENDPOINTS_MAX],
                            up_t *u, const char *key)
{
    const size_t n = up_snapshot(u, rows);
    for (size_t i = 0; i < n; i++) {
        if (rows[i].retired)
            continue;
        if (rows[i].newer_reason[0] && !f->claim) {
            snprintf(claimed_by, 32, "%s[%zu]", key, i);
            f->claimed_by = claimed_by;
            f->claim = rows[i].newer_reason;
        }
        if (!f->asked_too_often && up_wait_ms(u, i, clock_monotonic_ms())) {
            snprintf(busy, 32, "%s[%zu]", key, i);
            f->asked_too_often = busy;
        }
    }
}

static void find_time_facts(warning_facts_t *f, service_t *s, const follow_view_t *v)
{
    const lc_network_t *net = &s->with.config->network;
    const timebound_at_t at = timekeeper_read(s->time);
    const int64_t now = (int64_t)(at.clock_ms - at.raw_ms);
    attest_status_t evidence;
    attest_status(s->attest, &evidence);
    f->now_s = timekeeper_least_ms(s->time) / 1000;
    f->fork = lc_unknown_fork(net);
    f->fork_s = f->fork ? lc_slot_start_ms(net, lc_first_slot(net, f->fork->epoch)) / 1000 : 0;
    f->collateral_until_s = evidence.verified ? evidence.verifiable_until : 0;
    f->dated = v->dates.known;
    f->clock_least_ms = now - v->dates.newest_ms;
    f->clock_most_ms = now - v->dates.oldest_ms;
}

void node_warnings(warnings_t *out, node_t *n, service_t *s, const follow_view_t *view)
{
    warning_facts_t f = { .now_s = n->now_ms() / 1000,
                          .certificate_until_s = tally_get(&n->certificate_s),
                          .certificate_life_s = HTTPS_LIFETIME_S };
    up_status_t execution[UP_ENDPOINTS_MAX], consensus[UP_ENDPOINTS_MAX];
    char claimed_by[32], busy[32];
    process_use_t use;
    process_use(&use);
    f.files = use.files;
    f.files_max = use.files_max;
    if (n->options.state_dir)
        (void)process_disk(&f.disk_free, &f.disk_all, n->options.state_dir);
    if (s) {
        find_time_facts(&f, s, view);
        find_complaints(&f, claimed_by, busy, execution, s->execution, "execution_rpc");
        find_complaints(&f, claimed_by, busy, consensus, s->consensus, "consensus_rpc");
    }
    warnings_find(out, &f);
}

/* How much there is of what clients share. */
static void put_limits(jw_t *w, const node_t *n)
{
    const hosting_memory_t m = hosting_memory(&n->hosting);
    jw_object(w, "limits");
    jw_u64(w, "memory_mib", n->hosting.memory_max ? n->hosting.memory_max : HOSTING_MEMORY_MAX);
    jw_u64(w, "cache_bytes", m.cache);
    jw_u64(w, "bodies_bytes", m.bodies);
    jw_u64(w, "answers_bytes", m.answers);
    jw_u64(w, "websockets_bytes", m.websockets);
    jw_u64(w, "filters_bytes", m.news);
    jw_u64(w, "descriptors", n->files);
    jw_u64(w, "connections", limits_for_clients(n->files, hosting_connections(&n->hosting)));
    jw_u64(w, "requests", hosting_requests(&n->hosting));
    jw_u64(w, "client_part", SHARE_PART);
    jw_u64(w, "upstream_budget", n->hosting.upstream_budget);
    jw_end(w);
}

view_t node_status_json(node_t *n, arena_t *a)
{
    follow_view_t view;
    err_t why;
    warnings_t warnings;
    service_t *s = node_service(n); /* before the state is asked for: view is filled if there is a service by now */
    const config_t *config = atomic_load(&n->config);
    cluster_t *cluster = atomic_load(&n->cluster);
    node_state_t state = node_state(n, &view, &why);
    jw_t w = jw_of(a, STATUS_MAX);
    jw_indent(&w, 2);
    jw_object(&w, NULL);
    jw_str(&w, "state", node_state_name(state));
    jw_str(&w, "reason", why.text);
    jw_str(&w, "version", KETTLE_VERSION);
    jw_u64(&w, "uptime_s", (clock_monotonic_ms() - n->started_ms) / 1000);
    put_tee(&w, n, s);
    jw_bool(&w, "development", n->options.development);
    put_limits(&w, n);
    node_warnings(&warnings, n, s, &view);
    warnings_put(&w, &warnings);
    if (config)
        put_config(&w, config);
    if (s)
        put_service(&w, s, &view, state);
    if (cluster)
        cluster_status(cluster, &w);
    jw_end(&w);
    return jw_done(&w);
}
