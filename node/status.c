/* status.c - the body of GET /v1/status. */
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/hex.h"
#include "node/state.h"

static json_t *hex_value(const void *p, size_t n)
{
    char text[2 + 2 * 64 + 1] = "0x";
    hex_encode(text + 2, view_of(p, n <= 64 ? n : 64));
    return json_string(text);
}

static json_t *head_value(const node_t *n, const lc_head_t *h)
{
    const lc_network_t *net = &n->config->network;
    if (!h->valid)
        return json_null();
    uint64_t now = n->now_ms(), at = lc_slot_start_ms(net, h->header.beacon.slot);
    bool execution = lc_proves_execution(net, h->header.beacon.slot);
    return json_pack("{s:I, s:o, s:s, s:I, s:i, s:i, s:o, s:o, s:o, s:o}", "slot", (json_int_t)h->header.beacon.slot,
                     "beacon_root", hex_value(h->beacon_root.b, 32), "fork",
                     lc_fork_name(lc_fork_at_epoch(net, lc_epoch_of_slot(net, h->header.beacon.slot))), "age_s",
                     (json_int_t)(now > at ? (now - at) / 1000 : 0), "participants", (int)h->participants,
                     "committee_size", (int)net->preset.committee_size, "block_number",
                     execution ? json_integer((json_int_t)h->header.execution.block_number) : json_null(), "block_hash",
                     execution ? hex_value(h->header.execution.block_hash.b, 32) : json_null(), "state_root",
                     execution ? hex_value(h->header.execution.state_root.b, 32) : json_null(), "timestamp",
                     execution ? json_integer((json_int_t)h->header.execution.timestamp) : json_null());
}

static json_t *upstreams_value(up_t *u)
{
    up_status_t rows[UP_ENDPOINTS_MAX];
    size_t count = up_snapshot(u, rows);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_pack("{s:s, s:b, s:s, s:I, s:I, s:I}", "endpoint", rows[i].origin, "failing",
                                              rows[i].failing, "reason", rows[i].reason, "requests",
                                              (json_int_t)rows[i].requests, "failures", (json_int_t)rows[i].failures,
                                              "lies", (json_int_t)rows[i].lies));
    return list;
}

/* What is known of our own evidence. */
static void add_evidence(node_t *n, json_t *o)
{
    attest_status_t s;
    attest_status(n->attest, &s);
    json_t *tee = json_object_get(o, "tee");
    json_object_set_new(tee, "verified", json_boolean(s.verified));
    json_object_set_new(tee, "tcb_status", s.verified ? json_string(tcb_status_name(s.status)) : json_null());
    json_object_set_new(tee, "verifiable_until",
                        s.verified ? json_integer((json_int_t)s.verifiable_until) : json_null());
    json_object_set_new(tee, "trouble", json_string(s.trouble));
    json_object_set_new(o, "policy_digest", hex_value(attest_policy_digest(n->attest)->b, 32));
    json_object_set_new(o, "node_pubkey", hex_value(n->node_pubkey, sizeof n->node_pubkey));
}

/* What is known once the follower runs. */
static void add_chain(node_t *n, json_t *o, const follow_view_t *v)
{
    const lc_progress_t *p = &v->progress;
    json_object_set_new(o, "pubkey", hex_value(n->pubkey, sizeof n->pubkey));
    json_object_set_new(o, "head", head_value(n, &v->latest));
    json_object_set_new(o, "finalized", head_value(n, &v->finalized));
    json_object_set_new(o, "sync",
                        json_pack("{s:I, s:I, s:I, s:I}", "periods_done", (json_int_t)p->periods_done, "periods_total",
                                  (json_int_t)p->periods_total, "current_slot",
                                  (json_int_t)lc_slot_at(&n->config->network, n->now_ms()), "round_trips",
                                  (json_int_t)v->round_trips));
    json_object_set_new(o, "upstreams",
                        json_pack("{s:o, s:o}", "execution", upstreams_value(n->execution), "consensus",
                                  upstreams_value(n->consensus)));
}

char *node_status_json(node_t *n)
{
    static const char *const blocks[] = { "latest", "safe", "finalized" };
    follow_view_t view;
    char why[256];
    pthread_mutex_lock(&n->lock); /* before the state is asked for: view is filled if the node serves by now */
    bool configured = n->config != NULL, serving = n->serving;
    pthread_mutex_unlock(&n->lock);
    node_state_t state = node_state(n, &view, why, sizeof why);
    json_t *o =
        json_pack("{s:s, s:s, s:s, s:I, s:{s:s, s:b}}", "state", node_state_name(state), "reason", why, "version",
                  KETTLE_VERSION, "uptime_s", (json_int_t)((clock_monotonic_ms() - n->started_ms) / 1000), "tee",
                  "provider", n->tee.name, "simulated", n->tee.simulated);
    if (configured) {
        json_object_set_new(o, "network", json_string(n->config->network.name));
        json_object_set_new(o, "chain_id", json_integer((json_int_t)n->config->chain.chain_id));
        json_object_set_new(o, "default_block", json_string(blocks[n->config->default_block]));
        json_object_set_new(o, "checkpoint", hex_value(n->config->checkpoint.b, 32));
        json_object_set_new(o, "setup_hash", hex_value(n->config->setup_hash.b, 32));
    }
    if (serving) {
        add_evidence(n, o);
        add_chain(n, o, &view);
    }
    char *text = o ? json_dumps(o, JSON_INDENT(2)) : NULL;
    json_decref(o);
    return text;
}
