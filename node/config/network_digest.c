/* network_digest.c - what a network is, as one hash: its parameters, and what changed in it up to a time. */
#include "base/crypto/hash.h"
#include "lightclient/networks.h"
#include "node/config/network.h"

#define TEXT_MAX ((size_t)64 << 10)

/* Unix seconds at which an epoch begins; UINT64_MAX for one that never comes. */
uint64_t network_epoch_time(const lc_network_t *net, uint64_t epoch)
{
    if (epoch >= (uint64_t)1 << 40)
        return UINT64_MAX;
    return net->genesis_time + epoch * net->preset.slots_per_epoch * net->seconds_per_slot;
}

/* The later of both, if it has come. */
static uint64_t later(uint64_t newest, uint64_t at, uint64_t now_s)
{
    return at > newest && at <= now_s ? at : newest;
}

uint64_t network_forks_until(const lc_network_t *net, const evm_chain_t *chain, uint64_t now_s)
{
    uint64_t newest = net->genesis_time;
    for (size_t f = 0; f < LC_FORKS; f++)
        newest = later(newest, network_epoch_time(net, net->fork_epoch[f]), now_s);
    for (size_t i = 0; i < net->blob_rows; i++)
        newest = later(newest, network_epoch_time(net, net->blob_schedule[i].epoch), now_s);
    for (size_t i = 0; i < chain->count; i++)
        newest = later(newest, chain->rows[i].timestamp, now_s);
    return newest;
}

static void put_forks(jw_t *w, const lc_network_t *net, uint64_t until_s)
{
    jw_array(w, "forks");
    for (size_t f = 0; f < LC_FORKS; f++) {
        if (network_epoch_time(net, net->fork_epoch[f]) > until_s)
            continue;
        jw_object(w, NULL);
        jw_decimal(w, "epoch", net->fork_epoch[f]);
        jw_str(w, "name", lc_fork_name((lc_fork_t)f));
        jw_hex(w, "version", view_of(net->fork_version[f], 4));
        jw_end(w);
    }
    jw_end(w);
}

static void put_blob_schedule(jw_t *w, const lc_network_t *net, uint64_t until_s)
{
    jw_array(w, "blob_schedule");
    for (size_t i = 0; i < net->blob_rows; i++) {
        if (network_epoch_time(net, net->blob_schedule[i].epoch) > until_s)
            continue;
        jw_object(w, NULL);
        jw_decimal(w, "epoch", net->blob_schedule[i].epoch);
        jw_decimal(w, "max_blobs", net->blob_schedule[i].max_blobs);
        jw_end(w);
    }
    jw_end(w);
}

/* The fork that this program knows by its time alone has its name already. */
static const char *fork_name(evm_fork_t fork)
{
    return fork < EVM_PARIS   ? "before-paris"
           : fork < EVM_FORKS ? lc_execution_forks[fork - EVM_PARIS].name
                              : "amsterdam";
}

static void put_execution(jw_t *w, const evm_chain_t *chain, uint64_t until_s)
{
    jw_array(w, "execution");
    for (size_t i = 0; i < chain->count && chain->rows[i].timestamp <= until_s; i++) {
        const evm_rules_t *r = &chain->rows[i].rules;
        jw_object(w, NULL);
        jw_decimal(w, "blob_base_fee_update_fraction", r->blob_base_fee_update_fraction);
        jw_decimal(w, "blob_max", r->blob_max);
        jw_decimal(w, "blob_target", r->blob_target);
        if (r->state_gas == &EVM_STATE_GAS_DEVNET)
            jw_str(w, "eip8037", "glamsterdam-devnet-8");
        jw_str(w, "fork", fork_name(r->fork));
        jw_decimal(w, "timestamp", chain->rows[i].timestamp);
        jw_end(w);
    }
    jw_end(w);
}

rc_t network_digest(hash32_t *out, const lc_network_t *net, const evm_chain_t *chain, uint64_t until_s)
{
    jw_t w = jw_of(NULL, TEXT_MAX);
    jw_object(&w, NULL); /* members in the order of their names: RFC 8785 */
    put_blob_schedule(&w, net, until_s);
    jw_decimal(&w, "chain_id", net->chain_id);
    jw_decimal(&w, "checkpoint_age_epochs", net->checkpoint_age_epochs);
    jw_decimal(&w, "committee_size", net->preset.committee_size);
    jw_decimal(&w, "epochs_per_period", net->preset.epochs_per_period);
    put_execution(&w, chain, until_s);
    put_forks(&w, net, until_s);
    jw_hex(&w, "genesis_fork_version", view_of(net->genesis_fork_version, 4));
    jw_decimal(&w, "genesis_time", net->genesis_time);
    jw_hex(&w, "genesis_validators_root", view_of(net->genesis_validators_root.b, 32));
    jw_decimal(&w, "max_blobs_electra", net->max_blobs_electra);
    jw_decimal(&w, "min_withdrawability_delay", net->min_withdrawability_delay);
    jw_decimal(&w, "seconds_per_slot", net->seconds_per_slot);
    jw_decimal(&w, "slots_per_epoch", net->preset.slots_per_epoch);
    jw_end(&w);
    const view_t text = jw_done(&w);
    if (text.p)
        sha256(out, text);
    const rc_t rc = w.rc;
    jw_free(&w);
    return rc;
}
