/* lightclient-spec: the specification's own light_client/sync cases, every step and every check. */
#include <stdlib.h>

#include "tests/vectors/lc_vec.h"

static uint64_t decimal(const json_t *object, const char *key)
{
    const char *text = vec_str(object, key);
    return text ? strtoull(text, NULL, 10) : 0;
}

static bool fork_of(lc_fork_t *out, const lc_network_t *net, const char *digest)
{
    uint8_t d[4];
    return vec_hex_fixed(d, 4, digest) && lc_fork_from_digest(out, net, d) == RC_OK;
}

/* One header of "checks": slot, block root, execution root (zero before Capella). */
static bool header_is(const lc_network_t *net, const lc_header_t *h, const json_t *want)
{
    hash32_t beacon, execution = { { 0 } }, want_beacon, want_execution;
    lc_fork_t fork = lc_fork_at_epoch(net, lc_epoch_of_slot(net, h->beacon.slot));
    if (!want)
        return true;
    lc_beacon_root(&beacon, &h->beacon);
    if (lc_layout(fork)->execution_fixed_len)
        lc_execution_root(&execution, &h->execution, fork);
    const char *execution_text = vec_str(want, "execution_root");
    return h->beacon.slot == decimal(want, "slot") && vec_hex_fixed(want_beacon.b, 32, vec_str(want, "beacon_root")) &&
           hash32_eq(&beacon, &want_beacon) &&
           (!execution_text ||
            (vec_hex_fixed(want_execution.b, 32, execution_text) && hash32_eq(&execution, &want_execution)));
}

static const char *process(vec_t *v, arena_t *a, lc_store_t *store, const char *folder, const json_t *step, bool valid)
{
    static lc_update_t update;
    static err_t e;
    lc_fork_t fork;
    lc_verdict_t verdict;
    view_t ssz = vec_read(v, a, "%s/%s.ssz", folder, vec_str(step, "update"));
    if (!fork_of(&fork, store->network, vec_str(step, "update_fork_digest")))
        return "unknown fork digest";
    if (lc_update_decode(&update, store->network, fork, LC_UPDATE, ssz))
        return valid ? "does not decode" : NULL;
    rc_t rc = lc_store_process(store, &verdict, &e, &update, decimal(step, "current_slot"));
    return (rc == RC_OK) == valid ? NULL : valid ? e.text : "accepted";
}

/* NULL, or what is wrong. */
static const char *run_step(vec_t *v, arena_t *a, lc_store_t *store, const char *folder, const json_t *step)
{
    const char *fault = NULL;
    const json_t *body;
    if ((body = json_object_get(step, "process_update")))
        fault = process(v, a, store, folder, body, true);
    else if ((body = json_object_get(step, "force_update")))
        lc_store_force_update(store, decimal(body, "current_slot"));
    else if ((body = json_object_get(step, "upgrade_store")))
        ; /* one store serves every fork */
    else
        return "unknown step";
    const json_t *checks = json_object_get(body, "checks");
    if (fault || !checks)
        return fault;
    if (!header_is(store->network, &store->finalized_header, json_object_get(checks, "finalized_header")))
        return "another finalized header";
    if (!header_is(store->network, &store->optimistic_header, json_object_get(checks, "optimistic_header")))
        return "another optimistic header";
    return NULL;
}

static bool start(vec_t *v, arena_t *a, lc_store_t *store, lc_network_t *net, const char *folder)
{
    static lc_bootstrap_t bootstrap;
    hash32_t root;
    lc_fork_t fork;
    json_t *meta = vec_json(v, "%s/meta.json", folder);
    *net = lcv_network();
    lcv_set_yaml(net, vec_read(v, a, "%s/config.yaml", folder));
    bool ok = meta && vec_hex_fixed(net->genesis_validators_root.b, 32, vec_str(meta, "genesis_validators_root")) &&
              vec_hex_fixed(root.b, 32, vec_str(meta, "trusted_block_root")) &&
              fork_of(&fork, net, vec_str(meta, "bootstrap_fork_digest")) &&
              !lc_bootstrap_decode(&bootstrap, net, fork, vec_read(v, a, "%s/bootstrap.ssz", folder)) &&
              !lc_store_init(store, NULL, net, &root, &bootstrap);
    json_decref(meta);
    return ok;
}

static void run_case(vec_t *v, arena_t *a, const char *folder)
{
    static lc_store_t store;
    lc_network_t net;
    json_t *steps = vec_json(v, "%s/steps.json", folder);
    if (!start(v, a, &store, &net, folder)) {
        vec_fail(v, folder, "no store from the bootstrap");
    } else {
        vec_pass(v);
        for (size_t i = 0; i < json_array_size(steps); i++) {
            const char *fault = run_step(v, a, &store, folder, json_array_get(steps, i));
            if (!fault)
                vec_pass(v);
            else
                vec_fail(v, folder, "step %zu: %s", i, fault);
        }
    }
    json_decref(steps);
}

void vec_kind_lightclient_spec(vec_t *v)
{
    arena_t a;
    arena_init(&a, (size_t)64 << 20);
    char **files = vec_walk(v, &a, "lightclient-spec", "steps.json");
    for (size_t i = 0; files && files[i]; i++) {
        files[i][strlen(files[i]) - strlen("/steps.json")] = 0;
        run_case(v, &a, files[i]);
    }
    arena_free(&a);
}
