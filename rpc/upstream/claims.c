#include "rpc/upstream/claims.h"

#include <stdio.h>

#include "base/json.h"

#define CL_BLOB_ROWS_MAX 256u

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

static bool has_blob_row(const lc_network_t *net, uint64_t epoch, uint64_t max)
{
    for (size_t i = 0; i < net->blob_rows; i++)
        if (net->blob_schedule[i].epoch == epoch && net->blob_schedule[i].max_blobs == max)
            return true;
    return false;
}

/* The first row of BLOB_SCHEDULE that the network has not; rows before Fulu change nothing. LC_EPOCH_NEVER: none. */
static uint64_t claimed_blobs(char text[CL_TEXT_MAX], const lc_network_t *net, const jo_t *data)
{
    jo_t list, row;
    uint64_t first = LC_EPOCH_NEVER;
    if (!jo_opt_list(data, &list, "BLOB_SCHEDULE", 0, CL_BLOB_ROWS_MAX))
        return first;
    while (jo_next(&list, &row)) {
        const uint64_t epoch = jo_number(&row, "EPOCH", UINT64_MAX),
                       max = jo_number(&row, "MAX_BLOBS_PER_BLOCK", UINT64_MAX);
        if (jo_rc(&row) || epoch >= first || epoch < net->fork_epoch[LC_FULU] || has_blob_row(net, epoch, max))
            continue;
        first = epoch;
        snprintf(text, CL_TEXT_MAX,
                 "BLOB_SCHEDULE has %llu blobs from epoch %llu (slot %llu) on, and this network's "
                 "configuration has no such row",
                 (ull_t)max, (ull_t)epoch, (ull_t)lc_first_slot(net, epoch));
    }
    return first;
}

bool cl_of_spec(char out[CL_TEXT_MAX], const lc_network_t *net, view_t body)
{
    char blobs[CL_TEXT_MAX];
    jo_doc_t doc;
    const jo_t o = jo_open(&doc, NULL, body, CL_BODY_MAX, JO_LENIENT);
    jo_t data = jo_object(&o, "data"), members = data, member;
    uint64_t first = LC_EPOCH_NEVER;
    while (jo_next(&members, &member)) {
        char text[CL_TEXT_MAX];
        const uint64_t epoch = claimed(text, net, &member);
        if (epoch >= first)
            continue;
        first = epoch;
        memcpy(out, text, CL_TEXT_MAX);
    }
    const uint64_t blobs_at = claimed_blobs(blobs, net, &data);
    if (blobs_at < first) {
        first = blobs_at;
        memcpy(out, blobs, CL_TEXT_MAX);
    }
    jo_close(&doc);
    return first != LC_EPOCH_NEVER;
}

/* The rules that begin at a time; NULL: none do. Those from before the first that count here, or before any block of
 * the beacon chain, are in force when they are the current ones, and are not looked at. */
static const evm_rules_t *rules_from(bool *early, const evm_chain_t *chain, uint64_t genesis_time, uint64_t time)
{
    *early = chain->count && (time < chain->rows[0].timestamp || time <= genesis_time);
    for (size_t i = 0; i < chain->count; i++)
        if (chain->rows[i].timestamp == time)
            return &chain->rows[i].rules;
    return NULL;
}

/* Whether blobs are counted and priced otherwise than by rules. */
static bool other_blobs(char text[CL_TEXT_MAX], const evm_rules_t *rules, const jo_t *config)
{
    jo_t blobs;
    if (!jo_opt_object(config, &blobs, "blobSchedule"))
        return false;
    const uint64_t target = jo_number(&blobs, "target", UINT64_MAX), max = jo_number(&blobs, "max", UINT64_MAX),
                   fraction = jo_number(&blobs, "baseFeeUpdateFraction", UINT64_MAX);
    if (jo_rc(&blobs) ||
        (target == rules->blob_target && max == rules->blob_max && fraction == rules->blob_base_fee_update_fraction))
        return false;
    snprintf(text, CL_TEXT_MAX, "blobs %llu/%llu/%llu, and %llu/%llu/%llu here", (ull_t)target, (ull_t)max,
             (ull_t)fraction, (ull_t)rules->blob_target, (ull_t)rules->blob_max,
             (ull_t)rules->blob_base_fee_update_fraction);
    return true;
}

bool cl_of_config(char out[CL_TEXT_MAX], const evm_chain_t *chain, uint64_t genesis_time, view_t body)
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
        bool early;
        char blobs[CL_TEXT_MAX];
        const uint64_t time = jo_number(&config, "activationTime", UINT64_MAX);
        const evm_rules_t *rules = rules_from(&early, chain, genesis_time, time);
        if (jo_rc(&config) || early)
            continue;
        found = !rules || other_blobs(blobs, rules, &config);
        if (found)
            snprintf(out, CL_TEXT_MAX, "eth_config: %s rules from %llu on, %.120s", which[i], (ull_t)time,
                     rules ? blobs : "a time at which no known fork begins");
    }
    jo_close(&doc);
    return found;
}
