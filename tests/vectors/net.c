#include "tests/vectors/net.h"

#include <string.h>

static uint64_t number(const json_t *o, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(o, key));
}

static bool fill(lc_network_t *out, const json_t *meta)
{
    const json_t *forks = json_object_get(meta, "forks");
    const char *preset = vec_str(meta, "preset");
    if (!preset || !vec_hex_fixed(out->genesis_validators_root.b, 32, vec_str(meta, "genesis_validators_root")) ||
        !vec_hex_fixed(out->genesis_fork_version, 4, vec_str(json_object_get(forks, "phase0"), "version")))
        return false;
    out->preset = strcmp(preset, "minimal") ? LC_PRESET_MAINNET : LC_PRESET_MINIMAL;
    out->seconds_per_slot = number(meta, "slot_seconds");
    out->genesis_time = number(meta, "genesis_time");
    out->chain_id = number(meta, "chain_id");
    if (!out->chain_id)
        out->chain_id = number(json_object_get(meta, "addresses"), "chain_id");
    out->min_withdrawability_delay = 256;
    for (lc_fork_t f = LC_ALTAIR; f < LC_FORKS; f++) {
        const json_t *fork = json_object_get(forks, lc_fork_name(f));
        out->fork_epoch[f] = fork ? number(fork, "epoch") : LC_EPOCH_NEVER;
        if (fork && !vec_hex_fixed(out->fork_version[f], 4, vec_str(fork, "version")))
            return false;
    }
    return true;
}

bool vec_network(vec_t *v, lc_network_t *out, const char *chain)
{
    json_t *meta = vec_json(v, "devnet/%s/meta.json", chain);
    memset(out, 0, sizeof *out);
    snprintf(out->name, sizeof out->name, "%s", chain);
    bool ok = meta && fill(out, meta);
    json_decref(meta);
    return ok;
}
