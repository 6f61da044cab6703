#include "tests/vectors/lc_vec.h"

#include <ctype.h>
#include <stdlib.h>

lc_network_t lcv_network(void)
{
    lc_network_t net = { .name = "vectors", .preset = LC_PRESET_MINIMAL, .seconds_per_slot = 6 };
    for (size_t f = 0; f < LC_FORKS; f++)
        net.fork_epoch[f] = LC_EPOCH_NEVER;
    return net;
}

static bool set_fork(lc_network_t *net, const char *key, const char *value)
{
    for (size_t f = 0; f < LC_FORKS; f++) {
        char name[32];
        size_t n = strlen(lc_fork_name((lc_fork_t)f));
        for (size_t i = 0; i < n; i++)
            name[i] = (char)toupper((unsigned char)lc_fork_name((lc_fork_t)f)[i]);
        name[n] = 0;
        if (strncmp(key, name, n) || key[n] != '_')
            continue;
        if (!strcmp(key + n, "_FORK_EPOCH"))
            net->fork_epoch[f] = strtoull(value, NULL, 10);
        else if (!strcmp(key + n, "_FORK_VERSION"))
            vec_hex_fixed(net->fork_version[f], 4, value);
        return true;
    }
    return false;
}

void lcv_set(lc_network_t *net, const char *key, const char *value)
{
    if (set_fork(net, key, value))
        return;
    if (!strcmp(key, "PRESET_BASE"))
        net->preset = strstr(value, "minimal") ? LC_PRESET_MINIMAL : LC_PRESET_MAINNET;
    else if (!strcmp(key, "GENESIS_FORK_VERSION"))
        vec_hex_fixed(net->genesis_fork_version, 4, value);
    else if (!strcmp(key, "SECONDS_PER_SLOT"))
        net->seconds_per_slot = strtoull(value, NULL, 10);
    else if (!strcmp(key, "MIN_VALIDATOR_WITHDRAWABILITY_DELAY"))
        net->min_withdrawability_delay = strtoull(value, NULL, 10);
    else if (!strcmp(key, "MAX_BLOBS_PER_BLOCK_ELECTRA"))
        net->max_blobs_electra = strtoull(value, NULL, 10);
    else if (!strcmp(key, "DEPOSIT_CHAIN_ID"))
        net->chain_id = strtoull(value, NULL, 10);
}

void lcv_set_yaml(lc_network_t *net, view_t yaml)
{
    for (size_t at = 0; at < yaml.n;) {
        char line[256];
        size_t n = 0;
        while (at + n < yaml.n && yaml.p[at + n] != '\n')
            n++;
        snprintf(line, sizeof line, "%.*s", (int)n, (const char *)yaml.p + at);
        at += n + 1;
        char *colon = strstr(line, ": ");
        if (!colon)
            continue;
        *colon = 0;
        lcv_set(net, line, colon + 2);
    }
}
