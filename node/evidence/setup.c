#include "node/evidence/setup.h"

#include <stdio.h>

#include "base/crypto/hash.h"
#include "lightclient/exec/call.h"
#include "node/chain/age.h"
#include "tee/verify/policy.h"

setup_rules_t setup_rules(const lc_network_t *net)
{
    return (setup_rules_t){
        .head_age_s = AGE_HEAD_MAX_SLOTS * net->seconds_per_slot,
        .finalized_age_s = AGE_FINALIZED_MAX_EPOCHS * net->preset.slots_per_epoch * net->seconds_per_slot,
        .valid_s = { [SETUP_BY_LATEST] = 120,
                     [SETUP_BY_SAFE] = 1800,
                     [SETUP_BY_FINALIZED] = 1800,
                     [SETUP_BY_BLOCK] = 86400 },
        .call_gas = EX_GAS_CAP,
    };
}

static rc_t make_cluster(setup_cluster_t *s, const config_t *c, const setup_world_t *world, uint64_t forks_until)
{
    *s = (setup_cluster_t){
        .genesis_validators_root = c->network.genesis_validators_root,
        .forks_until = forks_until,
        .chain_id = c->chain.chain_id,
        .checkpoint = c->checkpoint.root,
        .checkpoint_age_s = c->checkpoint_age_max_s,
        .found = c->checkpoint_found,
        .recovery = c->recovery,
        .rules = setup_rules(&c->network),
        .development = c->development,
        .simulated = world->simulated,
    };
    if (world->start) {
        s->checkpoint = world->start->root;
        s->by_count = world->start->by_count;
        s->of = world->start->of;
        memcpy(s->by, world->start->by, sizeof s->by);
    }
    setup_signers_digest(&s->policy_signers, (const uint8_t(*)[33])c->signers.keys, c->signers.count,
                         c->signers.threshold);
    snprintf(s->network, sizeof s->network, "%s", c->network.name);
    return network_digest(&s->network_digest, &c->network, &c->chain, s->forks_until);
}

/* Names up to a NULL. */
static void take_names(setup_names_t *out, const char *const *names)
{
    for (; names && *names && out->count < SETUP_NAMES_MAX; names++)
        out->names[out->count++] = *names;
}

static void make_node(setup_node_t *s, const config_t *c, const setup_world_t *world)
{
    static const setup_by_t blocks[] = {
        [CONFIG_LATEST] = SETUP_BY_LATEST, [CONFIG_SAFE] = SETUP_BY_SAFE, [CONFIG_FINALIZED] = SETUP_BY_FINALIZED
    };
    *s = (setup_node_t){ .program = KETTLE_VERSION,
                         .policy_version = POLICY_VERSION,
                         .default_block = blocks[c->default_block],
                         .setup = c->may_set };
    sha256(&s->policy_digest, view_str(c->policy ? c->policy : POLICY_DEFAULT));
    take_names(&s->flags, world->flags);
    take_names(&s->environment, world->environment);
}

rc_t setup_make(setup_t *out, err_t *e, arena_t *a, const config_t *c, const setup_world_t *world)
{
    setup_t s = { .hash = { { 0 } } };
    rc_t rc = make_cluster(&s.cluster, c, world, network_forks_until(&c->network, &c->chain, world->now_s));
    make_node(&s.node, c, world);
    if (!rc)
        rc = setup_cluster_write(&s.cluster_text, &s.hash, a, &s.cluster);
    if (!rc)
        rc = setup_node_write(&s.node_text, &s.node_hash, a, &s.node);
    if (rc)
        return err_set(e, rc, "the statements of the setup could not be made: %s", rc_name(rc));
    *out = s;
    return RC_OK;
}

/* What a configuration leaves open of the checkpoint is as they have it. */
static void take_what_is_not_said(setup_cluster_t *own, const setup_cluster_t *theirs, const config_checkpoint_t *said)
{
    if (said->kind == CHECKPOINT_ROOT)
        return;
    own->checkpoint = theirs->checkpoint;
    own->by_count = theirs->by_count;
    memcpy(own->by, theirs->by, sizeof own->by);
    own->of = said->kind == CHECKPOINT_QUORUM ? said->of.count : theirs->of;
    if (said->kind != CHECKPOINT_QUORUM)
        own->found = theirs->found;
}

/* What this configuration would say in the place of theirs. */
static rc_t compare(const setup_cluster_t *theirs, err_t *e, const config_t *c, const setup_world_t *world)
{
    setup_cluster_t own;
    const rc_t rc = make_cluster(&own, c, world, theirs->forks_until);
    if (rc)
        return err_set(e, rc, "our own statement could not be made: %s", rc_name(rc));
    take_what_is_not_said(&own, theirs, &c->checkpoint);
    return setup_cluster_check(theirs, e, &own);
}

rc_t setup_join(setup_t *out, err_t *e, arena_t *a, const config_t *c, const setup_world_t *world, view_t text,
                const hash32_t *expected)
{
    setup_t s = { .hash = { { 0 } } };
    rc_t rc = setup_cluster_read(&s.cluster, e, a, text);
    if (rc)
        return err_before(e, rc, "the cluster's statement: ");
    sha256(&s.hash, text);
    if (!hash32_eq(&s.hash, expected))
        return err_say(e, RC_REFUSED, "the cluster's statement is not the one that its first generation names");
    rc = compare(&s.cluster, e, c, world);
    if (rc)
        return rc;
    s.cluster_text = arena_dup(a, text);
    make_node(&s.node, c, world);
    rc = s.cluster_text.p ? setup_node_write(&s.node_text, &s.node_hash, a, &s.node) : RC_NOMEM;
    if (rc)
        return err_set(e, rc, "the statements of the setup could not be made: %s", rc_name(rc));
    *out = s;
    return RC_OK;
}
