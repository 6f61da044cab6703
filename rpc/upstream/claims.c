#include "rpc/upstream/claims.h"

#include <stdio.h>

#include "base/json.h"

typedef unsigned long long ull_t;

/* Where the network has a fork of this name; LC_EPOCH_NEVER: nowhere. *known: this build knows it. */
static uint64_t scheduled(bool *known, const lc_network_t *net, const char *name)
{
    const lc_fork_t fork = lc_fork_from_name(name);
    *known = fork != LC_FORKS;
    if (*known)
        return net->fork_epoch[fork];
    for (size_t i = 0; i < net->unknown_count; i++)
        if (!strcmp(net->unknown_forks[i].name, name))
            return net->unknown_forks[i].epoch;
    return LC_EPOCH_NEVER;
}

/* Where a member of the configuration puts a fork that the network has elsewhere; LC_EPOCH_NEVER: it is no such. */
static uint64_t claimed(char text[CL_TEXT_MAX], const lc_network_t *net, const jo_t *member)
{
    char name[LC_FORK_NAME_MAX];
    uint64_t epoch = LC_EPOCH_NEVER;
    bool known;
    if (!lc_fork_of_key(name, member->name) || !jo_opt_number(member, &epoch, NULL, UINT64_MAX) || jo_rc(member))
        return LC_EPOCH_NEVER;
    const uint64_t here = scheduled(&known, net, name);
    if (epoch == here || epoch == LC_EPOCH_NEVER)
        return LC_EPOCH_NEVER;
    const int n = snprintf(text, CL_TEXT_MAX, "%s is %llu (slot %llu), ", member->name, (ull_t)epoch,
                           (ull_t)lc_first_slot(net, epoch));
    if (here != LC_EPOCH_NEVER)
        snprintf(text + n, CL_TEXT_MAX - (size_t)n, "and %llu in this network's configuration", (ull_t)here);
    else
        snprintf(text + n, CL_TEXT_MAX - (size_t)n, "%s",
                 known ? "and this network has not scheduled it" : "a fork that this build does not know");
    return epoch;
}

bool cl_of_spec(char out[CL_TEXT_MAX], const lc_network_t *net, view_t body)
{
    jo_doc_t doc;
    const jo_t o = jo_open(&doc, NULL, body, CL_BODY_MAX, JO_LENIENT);
    jo_t data = jo_object(&o, "data"), member;
    uint64_t first = LC_EPOCH_NEVER;
    while (jo_next(&data, &member)) {
        char text[CL_TEXT_MAX];
        const uint64_t epoch = claimed(text, net, &member);
        if (epoch >= first)
            continue;
        first = epoch;
        memcpy(out, text, CL_TEXT_MAX);
    }
    jo_close(&doc);
    return first != LC_EPOCH_NEVER;
}

static bool is_scheduled(const evm_chain_t *chain, uint64_t time)
{
    for (size_t i = 0; i < chain->count; i++)
        if (chain->rows[i].timestamp == time)
            return true;
    return chain->count && time < chain->rows[0].timestamp; /* from before the first rules that count here */
}

bool cl_of_config(char out[CL_TEXT_MAX], const evm_chain_t *chain, view_t body)
{
    static const char *const which[] = { "current", "next", "last" };
    jo_doc_t doc;
    const jo_t o = jo_open(&doc, NULL, body, CL_BODY_MAX, JO_LENIENT);
    const jo_t result = jo_object(&o, "result");
    bool found = false;
    for (size_t i = 0; i < sizeof which / sizeof which[0] && !found; i++) {
        jo_t config;
        if (!jo_opt_object(&result, &config, which[i]))
            continue;
        const uint64_t time = jo_number(&config, "activationTime", UINT64_MAX);
        found = !jo_rc(&config) && !is_scheduled(chain, time);
        if (found)
            snprintf(out, CL_TEXT_MAX, "eth_config: %s rules from %llu on, a time at which no known fork begins",
                     which[i], (ull_t)time);
    }
    jo_close(&doc);
    return found;
}
