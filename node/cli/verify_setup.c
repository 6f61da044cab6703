/* verify_setup.c - what an attested setup says, beside what is expected of it: network, chain, checkpoint, rules. */
#include <stdio.h>

#include "base/hex.h"
#include "lightclient/networks.h"
#include "node/cli/verify.h"
#include "node/config/network.h"
#include "tee/fault.h"

typedef struct {
    char hex[65];
} hex_t;

static hex_t hex_of(const hash32_t *hash)
{
    hex_t out;
    hex_encode(out.hex, view_of(hash->b, 32));
    return out;
}

/* That a network which calls itself by a name that is built in here is that one. */
static const char *differs_from(const setup_cluster_t *c, const lc_network_t *net, const evm_chain_t *chain)
{
    hash32_t digest;
    if (!hash32_eq(&c->genesis_validators_root, &net->genesis_validators_root))
        return "its genesis validators root is another";
    if (network_digest(&digest, net, chain, c->forks_until) || !hash32_eq(&c->network_digest, &digest))
        return "its parameters or forks are others than this program knows";
    return NULL;
}

static void check_network(results_t *r, const setup_cluster_t *c, const char *wanted)
{
    const lc_network_t *net = lc_network_find(c->network);
    const lc_builtin_t *chain = lc_builtin_find(c->network);
    const char *fault = net && chain ? differs_from(c, net, chain->execution) : NULL;
    const hex_t root = hex_of(&c->genesis_validators_root), digest = hex_of(&c->network_digest);
    if (strcmp(wanted, "any") != 0 && strcmp(wanted, c->network) != 0)
        step(r, "network", false, "E_NETWORK", "it follows %s, not %.32s (--network); genesis validators root 0x%s",
             c->network, wanted, root.hex);
    else if (fault)
        step(r, "network", false, "E_NETWORK", "it calls its network %s, but %s; genesis validators root 0x%s",
             c->network, fault, root.hex);
    else
        step(r, "network", true, NULL, "%s%s, genesis validators root 0x%s, configuration 0x%s", c->network,
             net ? "" : " (not built in here)", root.hex, digest.hex);
}

static void check_chain(results_t *r, const setup_cluster_t *c, const verify_options_t *o)
{
    const lc_network_t *net = lc_network_find(o->network);
    const uint64_t wanted = o->has_chain_id ? o->chain_id : net ? net->chain_id : c->chain_id;
    const unsigned long long id = (unsigned long long)c->chain_id;
    if (wanted == c->chain_id)
        step(r, "chain", true, NULL, "chain id %llu", id);
    else
        step(r, "chain", false, "E_CHAIN_ID", "chain id %llu, not %llu", id, (unsigned long long)wanted);
}

/* ", by 3 of 5: a.example, ..."; empty: no servers named it. */
static void say_by(char *out, size_t cap, const setup_cluster_t *c)
{
    size_t n = 0;
    out[0] = '\0';
    if (c->of)
        n = (size_t)snprintf(out, cap, ", by %zu of %llu: ", c->by_count, (unsigned long long)c->of);
    for (size_t i = 0; i < c->by_count && n < cap; i++)
        n += (size_t)snprintf(out + n, cap - n, "%s%s", i ? ", " : "", c->by[i]);
}

static void check_checkpoint(results_t *r, const setup_cluster_t *c, const verify_options_t *o)
{
    static const char *const found[] = { [SETUP_FOUND_CONFIGURATION] = "from the measured configuration",
                                         [SETUP_FOUND_SETUP] = "from whoever sent POST /setup" };
    const bool same = !o->has_checkpoint || hash32_eq(&c->checkpoint, &o->checkpoint);
    const hex_t root = hex_of(&c->checkpoint);
    char by[SETUP_HOSTS_MAX * (SETUP_HOST_MAX + 2) + 64];
    say_by(by, sizeof by, c);
    if (same)
        step(r, "checkpoint", true, NULL, "0x%s%s, %s", root.hex, by, found[c->found]);
    else
        step(r, "checkpoint", false, "E_CHECKPOINT", "0x%s%s, %s, is not the one of --checkpoint", root.hex, by,
             found[c->found]);
}

/* What the statement says of the key's end: "none", or who can bring it back. */
static void say_recovery(char *out, size_t cap, const setup_recovery_t *x)
{
    if (x->mode == SETUP_RECOVERY_SHARES)
        snprintf(out, cap, "shares: %u of %u operators together can read the key", x->threshold, x->count);
    else if (x->mode == SETUP_RECOVERY_SEAL)
        snprintf(out, cap, "seal: whoever has the root key of the TEE provider's key service can read the key");
    else
        snprintf(out, cap, "%s", SETUP_RECOVERY_WORDS[x->mode]);
}

static void check_setup(results_t *r, const verify_attested_t *x, const verify_options_t *o)
{
    const bool same = !o->has_setup || hash32_eq(&x->setup, &o->setup);
    const setup_rules_t *rules = &x->cluster.rules;
    const hex_t setup = hex_of(&x->setup);
    char recovery[96];
    say_recovery(recovery, sizeof recovery, &x->cluster.recovery);
    if (same)
        step(r, "setup", true, NULL, "0x%s: heads up to %llu s old, program %s, default block %s, recovery %s",
             setup.hex, (unsigned long long)rules->head_age_s, x->node.program, setup_by_name(x->node.default_block),
             recovery);
    else
        step(r, "setup", false, "E_SETUP", "0x%s is not the one of --setup-hash", setup.hex);
}

/* What makes a setup worthless for anybody but a developer. */
static void check_open(results_t *r, const setup_cluster_t *c, const verify_options_t *o)
{
    if (c->development)
        step(r, "development", o->development, "E_DEVELOPMENT",
             "the node runs in development: whoever sent its setup chose the chain, the policy and what is trusted");
}

/* A key that a simulated TEE made is nobody's secret, whoever holds it now. */
static void check_simulated(results_t *r, const setup_cluster_t *c, const policy_t *policy)
{
    if (c->simulated)
        step(r, "simulated", policy_simulator_root(policy).n > 0, tee_code_name(E_SIMULATED),
             "the cluster's key was made by a node whose quote did not lead to Intel's root");
}

static void check_policy(results_t *r, const verify_attested_t *x, const policy_t *policy)
{
    const policy_chain_t said = { x->cluster.chain_id, x->cluster.genesis_validators_root, x->setup };
    err_t e;
    if (policy_check_chain(policy, &e, &said))
        step_failed(r, "policy", tee_code_name(e.code), &e);
}

void verify_setup(results_t *r, const verify_attested_t *x, const policy_t *policy, const verify_options_t *o)
{
    const setup_cluster_t *c = &x->cluster;
    snprintf(r->setup, sizeof r->setup, "0x%s", hex_of(&x->setup).hex);
    check_open(r, c, o);
    check_simulated(r, c, policy);
    check_network(r, c, o->network);
    check_chain(r, c, o);
    check_checkpoint(r, c, o);
    check_setup(r, x, o);
    check_policy(r, x, policy);
}
