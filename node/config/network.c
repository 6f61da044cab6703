#include "node/config/network.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "base/json_tree.h"
#include "lightclient/networks.h"

rc_t network_builtin(config_t *c, const char *name)
{
    const lc_network_t *net = lc_network_find(name);
    const lc_builtin_t *chain = lc_builtin_find(name);
    if (!net || !chain)
        return RC_REFUSED;
    c->network = *net;
    c->chain = *chain->execution;
    return RC_OK;
}

/* A number given as JSON integer or as decimal text, as beacon nodes write it. */
static bool number(uint64_t *out, const json_t *value)
{
    if (json_is_integer(value) && json_integer_value(value) >= 0) {
        *out = (uint64_t)json_integer_value(value);
        return true;
    }
    const char *text = json_string_value(value);
    if (!text || text[0] < '0' || text[0] > '9')
        return false;
    char *end;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    if (*end || errno)
        return false;
    *out = n;
    return true;
}

static rc_t need_number(uint64_t *out, err_t *e, const json_t *object, const char *where, const char *key)
{
    char field[64];
    snprintf(field, sizeof field, "network.%s.%s", where, key);
    const json_t *value = json_object_get(object, key);
    if (!value)
        return err_in(e, RC_MALFORMED, field, "is required");
    if (!number(out, value))
        return err_in(e, RC_MALFORMED, field, "must be a number");
    return RC_OK;
}

static rc_t need_bytes(uint8_t *out, size_t n, err_t *e, const json_t *object, const char *where, const char *key)
{
    char field[64];
    snprintf(field, sizeof field, "network.%s.%s", where, key);
    const char *text = json_string_value(json_object_get(object, key));
    if (!text || hex_decode_exact(out, n, text, strlen(text)))
        return err_in(e, RC_MALFORMED, field, "must be %zu bytes as hex", n);
    return RC_OK;
}

static rc_t read_forks(lc_network_t *net, err_t *e, const json_t *spec)
{
    for (int f = LC_ALTAIR; f < LC_FORKS; f++) {
        char upper[24] = "", key[48];
        const char *name = lc_fork_name((lc_fork_t)f);
        for (size_t i = 0; name[i] && i + 1 < sizeof upper; i++)
            upper[i] = (char)(name[i] >= 'a' && name[i] <= 'z' ? name[i] - 'a' + 'A' : name[i]);
        snprintf(key, sizeof key, "%s_FORK_EPOCH", upper);
        net->fork_epoch[f] = LC_EPOCH_NEVER;
        if (!json_object_get(spec, key)) /* a fork that the network has not heard of */
            continue;
        rc_t rc = need_number(&net->fork_epoch[f], e, spec, "config", key);
        snprintf(key, sizeof key, "%s_FORK_VERSION", upper);
        if (!rc)
            rc = need_bytes(net->fork_version[f], 4, e, spec, "config", key);
        if (rc)
            return rc;
    }
    if (net->fork_epoch[LC_ALTAIR] == LC_EPOCH_NEVER)
        return err_in(e, RC_MALFORMED, "network.config.ALTAIR_FORK_EPOCH",
                      "is required: sync committees begin with Altair");
    return RC_OK;
}

static rc_t read_blob_schedule(lc_network_t *net, err_t *e, const json_t *spec)
{
    static const char field[] = "network.config.BLOB_SCHEDULE";
    const json_t *list = json_object_get(spec, "BLOB_SCHEDULE");
    if (list && !json_is_array(list))
        return err_in(e, RC_MALFORMED, field, "must be a list");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *row = json_array_get(list, i);
        lc_blob_row_t *out = &net->blob_schedule[i];
        if (i == LC_BLOB_ROWS_MAX)
            return err_in(e, RC_LIMIT, field, "more than %u rows", LC_BLOB_ROWS_MAX);
        if (!number(&out->epoch, json_object_get(row, "EPOCH")) ||
            !number(&out->max_blobs, json_object_get(row, "MAX_BLOBS_PER_BLOCK")))
            return err_in(e, RC_MALFORMED, field, "row %zu needs EPOCH and MAX_BLOBS_PER_BLOCK", i);
        net->blob_rows = i + 1;
    }
    return RC_OK;
}

static rc_t read_preset(lc_network_t *net, err_t *e, const json_t *value, const json_t *spec)
{
    const char *preset = json_string_value(json_object_get(value, "preset"));
    if (!preset)
        preset = json_string_value(json_object_get(spec, "PRESET_BASE"));
    if (preset && !strcmp(preset, "mainnet"))
        net->preset = LC_PRESET_MAINNET;
    else if (preset && !strcmp(preset, "minimal"))
        net->preset = LC_PRESET_MINIMAL;
    else
        return err_in(e, RC_MALFORMED, "network.preset", "must be \"mainnet\" or \"minimal\"");
    return RC_OK;
}

static rc_t read_consensus(lc_network_t *net, err_t *e, const json_t *value)
{
    const json_t *spec = json_object_get(value, "config"), *genesis = json_object_get(value, "genesis");
    if (!json_is_object(spec))
        return err_in(e, RC_MALFORMED, "network.config", "must be the data object of /eth/v1/config/spec");
    if (!json_is_object(genesis))
        return err_in(e, RC_MALFORMED, "network.genesis", "must be the data object of /eth/v1/beacon/genesis");
    const char *name = json_string_value(json_object_get(value, "name"));
    snprintf(net->name, sizeof net->name, "%s", name ? name : "custom");
    json_whole_characters(net->name);
    rc_t rc = read_preset(net, e, value, spec);
    if (!rc)
        rc = need_number(&net->seconds_per_slot, e, spec, "config", "SECONDS_PER_SLOT");
    if (!rc)
        rc = need_number(&net->chain_id, e, spec, "config", "DEPOSIT_CHAIN_ID");
    net->min_withdrawability_delay = 256; /* phase0 configs, both presets */
    if (!rc && json_object_get(spec, "MIN_VALIDATOR_WITHDRAWABILITY_DELAY"))
        rc = need_number(&net->min_withdrawability_delay, e, spec, "config", "MIN_VALIDATOR_WITHDRAWABILITY_DELAY");
    if (!rc && json_object_get(spec, "MAX_BLOBS_PER_BLOCK_ELECTRA"))
        rc = need_number(&net->max_blobs_electra, e, spec, "config", "MAX_BLOBS_PER_BLOCK_ELECTRA");
    if (!rc)
        rc = read_forks(net, e, spec);
    if (!rc)
        rc = read_blob_schedule(net, e, spec);
    if (!rc)
        rc = need_number(&net->genesis_time, e, genesis, "genesis", "genesis_time");
    if (!rc)
        rc = need_bytes(net->genesis_validators_root.b, 32, e, genesis, "genesis", "genesis_validators_root");
    if (!rc)
        rc = need_bytes(net->genesis_fork_version, 4, e, genesis, "genesis", "genesis_fork_version");
    const char *why;
    if (!rc && lc_network_check(net, &why))
        rc = err_in(e, RC_MALFORMED, "network.config", "%s", why);
    return rc;
}

/* Unix seconds at which an epoch begins; UINT64_MAX for one that never comes. */
static uint64_t epoch_time(const lc_network_t *net, uint64_t epoch)
{
    if (epoch >= (uint64_t)1 << 40)
        return UINT64_MAX;
    return epoch ? net->genesis_time + epoch * net->preset.slots_per_epoch * net->seconds_per_slot : 0;
}

static rc_t add_row(config_t *c, err_t *e, uint64_t timestamp, evm_rules_t rules)
{
    if (c->chain.count == CONFIG_SCHEDULE_ROWS_MAX)
        return err_in(e, RC_LIMIT, "network", "more than %u rows in the execution schedule", CONFIG_SCHEDULE_ROWS_MAX);
    if (c->chain.count && c->chain_rows[c->chain.count - 1].timestamp == timestamp)
        c->chain.count--; /* several changes at once: the last one holds */
    c->chain_rows[c->chain.count++] = (evm_schedule_row_t){ timestamp, rules };
    c->chain.rows = c->chain_rows;
    return RC_OK;
}

static rc_t fork_times(uint64_t times[LC_EXECUTION_FORKS], err_t *e, const lc_network_t *net, const json_t *execution)
{
    const json_t *forks = json_object_get(execution, "forks");
    if (execution && !json_is_object(forks))
        return err_in(e, RC_MALFORMED, "network.execution.forks", "must be an object of fork names and times");
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)forks, name, value) {
        size_t i = 0;
        while (i < LC_EXECUTION_FORKS && strcmp(lc_execution_forks[i].name, name))
            i++;
        if (i == LC_EXECUTION_FORKS)
            return err_in(e, RC_MALFORMED, "network.execution.forks", "unknown fork \"%.40s\"", name);
        if (!number(&times[i], value))
            return err_in(e, RC_MALFORMED, "network.execution.forks", "%s must be a time in Unix seconds", name);
    }
    for (size_t i = 0; i < LC_EXECUTION_FORKS; i++)
        if (!forks)
            times[i] = epoch_time(net, net->fork_epoch[lc_execution_forks[i].twin]);
        else if (!json_object_get(forks, lc_execution_forks[i].name))
            times[i] = i ? UINT64_MAX : 0;
    for (size_t i = LC_EXECUTION_FORKS - 1;
         i-- > 0;) /* a fork that is not named began with the one after it, if that began at 0 */
        if (times[i] == UINT64_MAX && times[i + 1] == 0)
            times[i] = 0;
    for (size_t i = 1; i < LC_EXECUTION_FORKS; i++)
        if (times[i] < times[i - 1])
            return err_in(e, RC_MALFORMED, "network.execution.forks", "%s begins before the fork that precedes it",
                          lc_execution_forks[i].name);
    return RC_OK;
}

static rc_t read_execution(config_t *c, err_t *e, const json_t *execution)
{
    uint64_t times[LC_EXECUTION_FORKS];
    evm_rules_t rules = { EVM_PARIS, 0, 0, 0 };
    if (execution && !json_is_object(execution))
        return err_in(e, RC_MALFORMED, "network.execution", "must be an object");
    c->chain = (evm_chain_t){ c->network.chain_id, c->chain_rows, 0 };
    if (json_object_get(execution, "chain_id")) {
        rc_t rc = need_number(&c->chain.chain_id, e, execution, "execution", "chain_id");
        if (rc)
            return rc;
        c->network.chain_id = c->chain.chain_id;
    }
    rc_t rc = fork_times(times, e, &c->network, execution);
    for (size_t i = 0; !rc && i < LC_EXECUTION_FORKS && times[i] != UINT64_MAX; i++) {
        rules.fork = lc_execution_forks[i].fork;
        if (lc_execution_forks[i].blob_max) {
            rules.blob_target = lc_execution_forks[i].blob_target;
            rules.blob_max = lc_execution_forks[i].blob_max;
            rules.blob_base_fee_update_fraction = lc_execution_forks[i].blob_base_fee_update_fraction;
        }
        rc = add_row(c, e, times[i], rules);
    }
    for (size_t i = 0; !rc && i < c->network.blob_rows; i++) {
        /* EIP-7892 keeps to a target of two thirds and scales the fraction with the maximum (5007716 at 9). */
        uint64_t max = c->network.blob_schedule[i].max_blobs,
                 time = epoch_time(&c->network, c->network.blob_schedule[i].epoch);
        if (time == UINT64_MAX || time < c->chain_rows[c->chain.count - 1].timestamp)
            continue;
        rules.blob_max = max;
        rules.blob_target = max * 2 / 3;
        rules.blob_base_fee_update_fraction = (5007716 * max + 4) / 9; /* to the nearest */
        rc = add_row(c, e, time, rules);
    }
    return rc;
}

rc_t network_read(config_t *c, err_t *e, const json_t *value)
{
    static const char *const known[] = { "name", "preset", "config", "genesis", "execution" };
    const char *name = json_string_value(value), *key;
    json_t *unused;
    if (name)
        return network_builtin(c, name)
                   ? err_in(e, RC_MALFORMED, "network",
                            "\"%.40s\" is not built in: mainnet, sepolia, hoodi, or an object", name)
                   : RC_OK;
    if (!json_is_object(value))
        return err_in(e, RC_MALFORMED, "network", "must be a name (mainnet, sepolia, hoodi) or an object");
    json_object_foreach ((json_t *)value, key, unused) {
        size_t i = 0;
        while (i < sizeof known / sizeof known[0] && strcmp(known[i], key))
            i++;
        if (i == sizeof known / sizeof known[0]) {
            char field[64];
            snprintf(field, sizeof field, "network.%s", key);
            return err_in(e, RC_MALFORMED, field, "unknown key");
        }
    }
    rc_t rc = read_consensus(&c->network, e, value);
    return rc ? rc : read_execution(c, e, json_object_get(value, "execution"));
}
