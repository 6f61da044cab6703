/* lightclient-spec: the specification's own light_client/sync cases, every step and every check; lightclient-gloas. */
#include <stdlib.h>

#include "lightclient/ssz/ssz.h"
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

/* The root of the execution payload header, whose field 12 the block hash is, from the siblings of that field: the
 * lowest part of the branch of a header in Gloas form. */
static void root_from_hash(hash32_t *out, const lc_header_t *h, unsigned siblings)
{
    const hash32_t *branch = h->execution_branch + (LC_EXECUTION_BRANCH_MAX - siblings - 4);
    hash32_t pair[2];
    *out = h->execution.block_hash;
    for (unsigned i = 0, index = 12; i < siblings; i++, index /= 2) {
        pair[index % 2] = *out;
        pair[1 - index % 2] = branch[i];
        ssz_merkleize(out, pair, 2, 1);
    }
}

/* get_lc_execution_root: zero before Capella, the block hash from Gloas on. */
static hash32_t execution_root(const lc_network_t *net, const lc_header_t *h)
{
    hash32_t root = { { 0 } };
    const lc_fork_t fork = lc_fork_at_epoch(net, lc_epoch_of_slot(net, h->beacon.slot));
    const lc_layout_t *layout = lc_layout(fork);
    if (!layout->execution_branch_len)
        return root;
    if (!layout->execution_fixed_len)
        return h->execution.block_hash;
    if (lc_header_by_hash(h))
        root_from_hash(&root, h, layout->blob_fields ? 5 : 4);
    else
        lc_execution_root(&root, &h->execution, fork);
    return root;
}

/* One header of "checks": slot, block root, execution root. */
static bool header_is(const lc_network_t *net, const lc_header_t *h, const json_t *want)
{
    hash32_t beacon, want_beacon, want_execution;
    if (!want)
        return true;
    const hash32_t execution = execution_root(net, h);
    lc_beacon_root(&beacon, &h->beacon);
    const char *execution_text = vec_str(want, "execution_root");
    return h->beacon.slot == decimal(want, "slot") && vec_hex_fixed(want_beacon.b, 32, vec_str(want, "beacon_root")) &&
           hash32_eq(&beacon, &want_beacon) &&
           (!execution_text ||
            (vec_hex_fixed(want_execution.b, 32, execution_text) && hash32_eq(&execution, &want_execution)));
}

static rc_t process(vec_t *v, arena_t *a, lc_store_t *store, err_t *e, const char *folder, const json_t *step,
                    lc_fork_t fork)
{
    static lc_update_t update;
    lc_verdict_t verdict;
    view_t ssz = vec_read(v, a, "%s/%s.ssz", folder, vec_str(step, "update"));
    rc_t rc = lc_update_decode(&update, store->network, fork, LC_UPDATE, ssz);
    return rc ? err_say(e, rc, "does not decode")
              : lc_store_process(store, &verdict, e, &update, decimal(step, "current_slot"));
}

static const char *accepted(vec_t *v, arena_t *a, lc_store_t *store, const char *folder, const json_t *step)
{
    static err_t e;
    lc_fork_t fork;
    if (!fork_of(&fork, store->network, vec_str(step, "update_fork_digest")))
        return "unknown fork digest";
    return process(v, a, store, &e, folder, step, fork) ? e.text : NULL;
}

/* Whether a case's update is refused, and, where its file says more than "invalid", for that. */
static const char *refused(vec_t *v, arena_t *a, lc_store_t *store, const char *folder, const json_t *step)
{
    static const struct {
        const char *update, *why;
    } reasons[] = {
        { "wrong_execution_block_hash", "the attested execution block hash is not the one in the block" },
        { "wrong_execution_branch", "the attested execution block hash is not the one in the block" },
        { "wrong_finality_branch", "the finalized header is not the one in the attested state" },
        { "wrong_next_committee_branch", "the sync committee is not the one in the state" },
        { "signed_under_fulu_version", "the sync committee's signature does not verify" },
        { "one_byte_short", "does not decode" },
    };
    static err_t e;
    if (!process(v, a, store, &e, folder, step, LC_GLOAS))
        return "accepted";
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (!strcmp(vec_str(step, "update"), reasons[i].update) && strcmp(e.text, reasons[i].why))
            return e.text;
    return NULL;
}

/* NULL, or what is wrong. */
static const char *run_step(vec_t *v, arena_t *a, lc_store_t *store, const char *folder, const json_t *step)
{
    const char *fault = NULL;
    const json_t *body;
    if ((body = json_object_get(step, "process_update")))
        fault = accepted(v, a, store, folder, body);
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

/* Cases below a folder: each where a file of this name is. */
static void run_all(vec_t *v, const char *below, const char *name,
                    void (*run)(vec_t *v, arena_t *a, const char *folder))
{
    arena_t a;
    arena_init(&a, (size_t)64 << 20);
    char **files = vec_walk(v, &a, below, name);
    for (size_t i = 0; files && files[i]; i++) {
        files[i][strlen(files[i]) - strlen(name) - 1] = 0;
        run(v, &a, files[i]);
    }
    arena_free(&a);
}

void vec_kind_lightclient_spec(vec_t *v)
{
    run_all(v, "lightclient-spec", "steps.json", run_case);
}

/* Objects that must be refused by the store after the bootstrap. */
static void run_negative(vec_t *v, arena_t *a, const char *folder)
{
    static lc_store_t store, before;
    lc_network_t net;
    json_t *cases = vec_json(v, "%s/cases.json", folder);
    if (!start(v, a, &store, &net, folder))
        vec_fail(v, folder, "no store from the bootstrap");
    else
        for (size_t i = 0; i < json_array_size(cases); i++) {
            before = store;
            const char *fault = refused(v, a, &store, folder, json_array_get(cases, i));
            if (!fault && memcmp(&before, &store, sizeof store))
                fault = "refused, but the store is another one";
            if (fault)
                vec_fail(v, folder, "%s: %s", vec_str(json_array_get(cases, i), "update"), fault);
            else
                vec_pass(v);
        }
    json_decref(cases);
}

/* The same bootstrap and update in the form of their fork and in that of Gloas: both are valid, and lead to the same
 * headers. */
static void run_upgraded(vec_t *v, arena_t *a, const char *folder)
{
    static const struct {
        const char *form;
        lc_fork_t fork;
    } forms[] = { { "electra", LC_FULU }, { "gloas", LC_GLOAS } };
    static lc_bootstrap_t bootstrap;
    static lc_update_t update;
    static lc_store_t store;
    lc_network_t net;
    lc_verdict_t verdict;
    hash32_t root, execution[2];
    err_t e = { 0 };
    char fork[512];
    snprintf(fork, sizeof fork, "%.*s/gloas_fork", (int)(strlen(folder) - strlen("/upgraded_objects")), folder);
    bool ok = start(v, a, &store, &net, fork);
    for (size_t i = 0; ok && i < 2; i++) {
        ok = !lc_bootstrap_decode(&bootstrap, &net, forms[i].fork,
                                  vec_read(v, a, "%s/bootstrap_%s.ssz", folder, forms[i].form)) &&
             !lc_update_decode(&update, &net, forms[i].fork, LC_UPDATE,
                               vec_read(v, a, "%s/update_%s.ssz", folder, forms[i].form));
        lc_beacon_root(&root, &bootstrap.header.beacon);
        ok = ok && !lc_store_init(&store, &e, &net, &root, &bootstrap) &&
             !lc_store_process(&store, &verdict, &e, &update, 17);
        execution[i] = execution_root(&net, &store.optimistic_header);
    }
    if (ok && hash32_eq(&execution[0], &execution[1]))
        vec_pass(v);
    else
        vec_fail(v, folder, "%s", e.text);
}

/* lightclient-gloas: the same kinds of cases past the fork, made by Lodestar's types with real signatures. */
void vec_kind_lightclient_gloas(vec_t *v)
{
    run_all(v, "lightclient-gloas", "steps.json", run_case);
    run_all(v, "lightclient-gloas", "cases.json", run_negative);
    run_all(v, "lightclient-gloas", "bootstrap_gloas.ssz", run_upgraded);
}
