#include "node/config/network.h"

#include <stdio.h>
#include <stdlib.h>

#include "lightclient/networks.h"
#include "rpc/api/setup_statement.h"

rc_t network_builtin(const network_out_t *out, const char *name)
{
    const lc_network_t *net = lc_network_find(name);
    const lc_builtin_t *chain = lc_builtin_find(name);
    if (!net || !chain)
        return RC_REFUSED;
    *out->consensus = *net;
    *out->execution = *chain->execution;
    return RC_OK;
}

/* --- the consensus side --- */

/* "DENEB_FORK_EPOCH" of "deneb" and "_FORK_EPOCH". */
static void spec_key(char out[48], const char *fork, const char *end)
{
    snprintf(out, 48, "%s%s", fork, end);
    for (char *p = out; *p; p++)
        if (*p >= 'a' && *p <= 'z')
            *p = (char)(*p - 'a' + 'A');
}

static void read_forks(lc_network_t *net, const jo_t *spec)
{
    char key[48];
    for (int f = LC_ALTAIR; f < LC_FORKS; f++) {
        const char *name = lc_fork_name((lc_fork_t)f);
        net->fork_epoch[f] = LC_EPOCH_NEVER;
        spec_key(key, name, "_FORK_EPOCH");
        if (!jo_opt_number(spec, &net->fork_epoch[f], key, UINT64_MAX))
            continue; /* a fork that the network has not heard of */
        spec_key(key, name, "_FORK_VERSION");
        jo_hex(spec, net->fork_version[f], 4, key, HEX_ANY);
    }
    if (net->fork_epoch[LC_ALTAIR] == LC_EPOCH_NEVER)
        jo_fail(spec, "ALTAIR_FORK_EPOCH", RC_MALFORMED, "is required: sync committees begin with Altair");
}

/* A member that says when a fork begins of which there are no rows here. */
static bool read_unknown_fork(lc_unknown_fork_t *out, const jo_t *spec, const jo_t *member)
{
    static const char end[] = "_FORK_EPOCH";
    const size_t n = strlen(member->name);
    char key[48];
    *out = (lc_unknown_fork_t){ .epoch = LC_EPOCH_NEVER };
    if (!lc_fork_of_key(out->name, member->name)) {
        if (n >= sizeof end - 1 && !strcmp(member->name + n - (sizeof end - 1), end))
            jo_fail(member, NULL, RC_MALFORMED, "is not the name of a fork that this build could note");
        return false;
    }
    if (lc_fork_from_name(out->name) != LC_FORKS)
        return false;
    out->epoch = jo_number(member, NULL, UINT64_MAX);
    spec_key(key, out->name, "_FORK_VERSION");
    if (jo_has(spec, key))
        jo_hex(spec, out->version, 4, key, HEX_ANY);
    return out->epoch != LC_EPOCH_NEVER || jo_has(spec, key);
}

/* Forks that have no rows here. Where one has an epoch, the program stops signing; of the others, as many as there is
 * room for, the version is known if it is signed under. */
static void read_unknown_forks(lc_network_t *net, const jo_t *spec, bool scheduled)
{
    jo_t members = *spec, one;
    lc_unknown_fork_t fork;
    while (jo_next(&members, &one)) {
        if (!read_unknown_fork(&fork, spec, &one) || (fork.epoch != LC_EPOCH_NEVER) != scheduled)
            continue;
        if (!lc_unknown_fork_add(net, &fork) && scheduled)
            jo_fail(&one, NULL, RC_LIMIT, "one more fork that this build does not know than the %u that it can note",
                    LC_UNKNOWN_FORKS_MAX);
    }
}

static void read_blob_schedule(lc_network_t *net, const jo_t *spec)
{
    jo_t list, row;
    if (!jo_opt_list(spec, &list, "BLOB_SCHEDULE", 0, LC_BLOB_ROWS_MAX))
        return;
    while (jo_next(&list, &row)) {
        lc_blob_row_t *out = &net->blob_schedule[net->blob_rows++];
        out->epoch = jo_number(&row, "EPOCH", UINT64_MAX);
        out->max_blobs = jo_number(&row, "MAX_BLOBS_PER_BLOCK", UINT64_MAX);
        jo_rest(&row);
    }
}

/* What the beacon node says of its preset has to be that preset: slots, periods and committees are counted by it. */
static void check_preset(const lc_preset_t *p, const jo_t *spec)
{
    const struct {
        const char *key;
        uint64_t value;
    } rows[] = { { "SLOTS_PER_EPOCH", p->slots_per_epoch },
                 { "EPOCHS_PER_SYNC_COMMITTEE_PERIOD", p->epochs_per_period },
                 { "SYNC_COMMITTEE_SIZE", p->committee_size } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t said = rows[i].value;
        if (jo_opt_number(spec, &said, rows[i].key, UINT64_MAX) && said != rows[i].value)
            jo_fail(spec, rows[i].key, RC_MALFORMED, "contradicts the preset, in which it is %llu",
                    (unsigned long long)rows[i].value);
    }
}

static void read_preset(lc_network_t *net, const jo_t *o, const jo_t *spec)
{
    static const char *const words[] = { "mainnet", "minimal", NULL };
    const bool named = jo_kind(o, "preset") != JO_ABSENT;
    const size_t which = named ? jo_word(o, "preset", words) : jo_word(spec, "PRESET_BASE", words);
    if (named && jo_kind(spec, "PRESET_BASE") != JO_ABSENT && jo_word(spec, "PRESET_BASE", words) != which && !jo_rc(o))
        jo_fail(o, "preset", RC_MALFORMED, "contradicts PRESET_BASE");
    net->preset = which == 0 ? LC_PRESET_MAINNET : LC_PRESET_MINIMAL;
    check_preset(&net->preset, spec);
}

/* The newer key, or the older one; where both are, they agree. */
static void read_slot_duration(lc_network_t *net, const jo_t *spec)
{
    uint64_t ms = 0, seconds = 0;
    const bool has_ms = jo_opt_number(spec, &ms, "SLOT_DURATION_MS", UINT64_MAX),
               has_seconds = jo_opt_number(spec, &seconds, "SECONDS_PER_SLOT", UINT64_MAX);
    if (!has_ms && !has_seconds)
        jo_fail(spec, "SLOT_DURATION_MS", RC_MALFORMED, "is required, or SECONDS_PER_SLOT");
    if (ms % 1000)
        jo_fail(spec, "SLOT_DURATION_MS", RC_MALFORMED, "must be whole seconds, as an execution block's time is");
    if (has_ms && has_seconds && ms / 1000 != seconds)
        jo_fail(spec, "SLOT_DURATION_MS", RC_MALFORMED, "contradicts SECONDS_PER_SLOT");
    net->seconds_per_slot = has_ms ? ms / 1000 : seconds;
}

static void read_spec(lc_network_t *net, const jo_t *spec)
{
    read_slot_duration(net, spec);
    net->chain_id = jo_number(spec, "DEPOSIT_CHAIN_ID", SETUP_INT_MAX);
    net->min_withdrawability_delay = 256; /* phase0 configs, both presets */
    jo_opt_number(spec, &net->min_withdrawability_delay, "MIN_VALIDATOR_WITHDRAWABILITY_DELAY", UINT64_MAX);
    jo_opt_number(spec, &net->max_blobs_electra, "MAX_BLOBS_PER_BLOCK_ELECTRA", UINT64_MAX);
    read_forks(net, spec);
    read_unknown_forks(net, spec, true);
    read_unknown_forks(net, spec, false);
    read_blob_schedule(net, spec);
    jo_rest(spec);
}

static void read_genesis(lc_network_t *net, const jo_t *genesis)
{
    net->genesis_time = jo_number(genesis, "genesis_time", UINT64_MAX);
    jo_hex(genesis, net->genesis_validators_root.b, 32, "genesis_validators_root", HEX_ANY);
    jo_hex(genesis, net->genesis_fork_version, 4, "genesis_fork_version", HEX_ANY);
    jo_rest(genesis);
}

/* What the operator pastes here has a name of its own. */
static jo_t pasted(const jo_t *o, const char *key, const char *path)
{
    if (jo_kind(o, key) != JO_OBJECT)
        jo_fail(o, key, RC_MALFORMED, "must be the data object of %s", path);
    return jo_object(o, key);
}

/* What it is called in statements: never like a chain that everybody knows. */
static void read_name(lc_network_t *net, const jo_t *o)
{
    view_t name = view_str("custom");
    if (jo_opt_text(o, &name, "name", 1, sizeof net->name - 1) && !setup_is_name(name))
        jo_fail(o, "name", RC_MALFORMED, "must be printable ASCII without quotes and backslashes");
    snprintf(net->name, sizeof net->name, "%.*s", (int)name.n, (const char *)name.p);
    if (lc_network_find(net->name))
        jo_fail(o, "name", RC_MALFORMED, "is the name of a built-in network, which an object cannot describe");
}

static void read_consensus(lc_network_t *net, const jo_t *o)
{
    err_t e;
    *net = (lc_network_t){ .blob_rows = 0 };
    read_name(net, o);
    jo_t spec = pasted(o, "config", "/eth/v1/config/spec");
    jo_t genesis = pasted(o, "genesis", "/eth/v1/beacon/genesis");
    read_preset(net, o, &spec);
    read_spec(net, &spec);
    read_genesis(net, &genesis);
    if (!jo_rc(o) && lc_network_check(&e, net))
        jo_fail(o, "config", RC_MALFORMED, "%s", e.text);
}

/* --- the execution side --- */

/* The time at which blocks of an epoch are executed by new rules: those of epoch 0 hold from the first block on. */
static uint64_t epoch_time(const lc_network_t *net, uint64_t epoch)
{
    return epoch ? network_epoch_time(net, epoch) : 0;
}

static void twin_times(uint64_t times[LC_EXECUTION_FORKS], const lc_network_t *net)
{
    for (size_t i = 0; i < LC_EXECUTION_FORKS; i++)
        times[i] = epoch_time(net, net->fork_epoch[lc_execution_forks[i].twin]);
}

/* As lc_fork_of_key makes them. Blob rows have their time from BLOB_SCHEDULE. */
static bool is_fork_name(const char *name)
{
    return *name && strncmp(name, "bpo", 3) && strlen(name) < LC_FORK_NAME_MAX &&
           !name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")];
}

/* A fork that has no rows here begins at a time: signing ends with the epoch before. */
static void add_unknown_fork(lc_network_t *net, const jo_t *o)
{
    lc_unknown_fork_t fork = { .epoch = LC_EPOCH_NEVER };
    const uint64_t time = jo_number(o, NULL, UINT64_MAX), epoch_s = net->preset.slots_per_epoch * net->seconds_per_slot;
    if (!is_fork_name(o->name))
        jo_fail(o, NULL, RC_MALFORMED, "is not the name of a fork that this build could note");
    if (jo_rc(o))
        return;
    if (time != UINT64_MAX)
        fork.epoch = time > net->genesis_time ? (time - net->genesis_time) / epoch_s : 0;
    snprintf(fork.name, sizeof fork.name, "%s", o->name);
    if (!lc_unknown_fork_add(net, &fork))
        jo_fail(o, NULL, RC_LIMIT, "one more fork that this build does not know than the %u that it can note",
                LC_UNKNOWN_FORKS_MAX);
}

/* Forks that are in force where proofs begin. */
static bool is_before_paris(const char *name)
{
    static const char *const names[] = { "frontier",       "homestead",  "dao",          "tangerine",   "spurious",
                                         "byzantium",      "petersburg", "istanbul",     "muirglacier", "berlin",
                                         "constantinople", "london",     "arrowglacier", "grayglacier" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!strcmp(names[i], name))
            return true;
    return false;
}

static void given_times(uint64_t times[LC_EXECUTION_FORKS], lc_network_t *net, const jo_t *forks)
{
    jo_t names = *forks, one;
    for (size_t i = 0; i < LC_EXECUTION_FORKS; i++) {
        times[i] = i ? UINT64_MAX : 0;
        jo_opt_number(forks, &times[i], lc_execution_forks[i].name, UINT64_MAX);
        if (times[i] <= net->genesis_time)
            times[i] = 0; /* EIP-6122: what holds from the first block on is no fork */
    }
    while (jo_next(&names, &one)) {
        size_t i = 0;
        while (i < LC_EXECUTION_FORKS && strcmp(lc_execution_forks[i].name, one.name))
            i++;
        if (i < LC_EXECUTION_FORKS)
            continue;
        if (!is_before_paris(one.name))
            add_unknown_fork(net, &one);
        else if (jo_number(&one, NULL, UINT64_MAX) > net->genesis_time)
            jo_fail(&one, NULL, RC_MALFORMED, "is a fork before Paris: it has to be in force from the first block on");
    }
}

/* A fork that is not named began with the one after it, if that began at 0. */
static void begin_with_later_ones(uint64_t times[LC_EXECUTION_FORKS])
{
    for (size_t i = LC_EXECUTION_FORKS - 1; i-- > 0;)
        if (times[i] == UINT64_MAX && times[i + 1] == 0)
            times[i] = 0;
}

static void check_times(const uint64_t times[LC_EXECUTION_FORKS], const jo_t *o)
{
    if (times[0] == UINT64_MAX)
        jo_fail(o, NULL, RC_MALFORMED, "Paris never begins: proofs need an execution chain");
    for (size_t i = 1; i < LC_EXECUTION_FORKS; i++)
        if (times[i] < times[i - 1])
            jo_fail(o, "execution.forks", RC_MALFORMED, "%s begins before the fork that precedes it",
                    lc_execution_forks[i].name);
}

static void add_row(const network_out_t *out, const jo_t *o, uint64_t timestamp, const evm_rules_t *rules)
{
    evm_chain_t *chain = out->execution;
    if (chain->count && out->rows[chain->count - 1].timestamp == timestamp)
        chain->count--; /* several changes at once: the last one holds */
    if (chain->count == NETWORK_ROWS_MAX)
        jo_fail(o, NULL, RC_LIMIT, "more than %u rows in the execution schedule", NETWORK_ROWS_MAX);
    else
        out->rows[chain->count++] = (evm_schedule_row_t){ timestamp, *rules };
}

/* Blob parameters that a configuration gives. */
typedef struct {
    bool given;
    uint64_t target, max, fraction;
} blobs_t;

#define BLOBS_MAX UINT32_MAX /* of a block */

/* By fork, and by row of BLOB_SCHEDULE. */
typedef struct {
    blobs_t fork[LC_EXECUTION_FORKS], row[LC_BLOB_ROWS_MAX];
    const evm_state_gas_t *state_gas; /* NULL: as the fork has it */
} parameters_t;

static void take_blobs(evm_rules_t *rules, const blobs_t *b)
{
    rules->blob_target = b->target;
    rules->blob_max = b->max;
    rules->blob_base_fee_update_fraction = b->fraction;
}

/* The place of "cancun", "prague" ...; or of "bpo1", "bpo2" ...: the first, second ... row of BLOB_SCHEDULE. NULL:
 * there is none of that name. */
static blobs_t *blobs_of(parameters_t *s, const char *name)
{
    char *end;
    for (size_t i = 0; i < LC_EXECUTION_FORKS; i++)
        if (!strcmp(lc_execution_forks[i].name, name))
            return &s->fork[i];
    if (strncmp(name, "bpo", 3) || name[3] < '1' || name[3] > '9')
        return NULL;
    const unsigned long n = strtoul(name + 3, &end, 10);
    return *end || n > LC_BLOB_ROWS_MAX ? NULL : &s->row[n - 1];
}

/* EIP-7840: {"bpo1": {"target": 10, "max": 15, "baseFeeUpdateFraction": 8346193}} */
static void read_blobs(parameters_t *s, const jo_t *o)
{
    jo_t names, one;
    if (!jo_opt_object(o, &names, "blobSchedule"))
        return;
    while (jo_next(&names, &one)) {
        blobs_t *b = blobs_of(s, one.name);
        if (!b) {
            jo_fail(&one, NULL, RC_MALFORMED, "is neither a fork nor a row of BLOB_SCHEDULE");
            return;
        }
        const jo_t values = jo_object(&one, NULL);
        b->given = true;
        b->target = jo_number(&values, "target", BLOBS_MAX);
        b->max = jo_number(&values, "max", BLOBS_MAX);
        b->fraction = jo_number(&values, "baseFeeUpdateFraction", UINT64_MAX);
        if (b->target > b->max || !b->max || !b->fraction) /* what follows from them divides by both */
            jo_fail(&one, NULL, RC_MALFORMED, "has a target above its max, or a max or baseFeeUpdateFraction of 0");
    }
}

/* Where the beacon nodes' configuration says the maximum, it is that. */
static void check_max_blobs(const jo_t *o, const lc_execution_fork_t *fork, uint64_t max)
{
    const char *key = fork->fork == EVM_CANCUN   ? "MAX_BLOBS_PER_BLOCK"
                      : fork->fork == EVM_PRAGUE ? "MAX_BLOBS_PER_BLOCK_ELECTRA"
                                                 : NULL;
    const jo_t spec = jo_object(o, "config");
    uint64_t said = max;
    if (key && jo_opt_number(&spec, &said, key, UINT64_MAX) && said != max)
        jo_fail(o, "execution.blobSchedule", RC_MALFORMED, "%s is required, with the maximum of %s, %llu", fork->name,
                key, (unsigned long long)said);
}

static void add_fork(const network_out_t *out, evm_rules_t *rules, const jo_t *o, const parameters_t *blobs, size_t i,
                     uint64_t time)
{
    const lc_execution_fork_t *fork = &lc_execution_forks[i];
    rules->fork = fork->fork;
    rules->state_gas = fork->fork >= EVM_AMSTERDAM ? blobs->state_gas : NULL;
    if (blobs->fork[i].given)
        take_blobs(rules, &blobs->fork[i]);
    else if (fork->blob_max)
        take_blobs(rules, &(blobs_t){ true, fork->blob_target, fork->blob_max, fork->blob_base_fee_update_fraction });
    check_max_blobs(o, fork, rules->blob_max);
    add_row(out, o, time, rules);
}

/* BLOB_SCHEDULE says the maximum only; target and fraction do not follow from it, so they must be given. */
static void add_blob_row(const network_out_t *out, evm_rules_t *rules, const jo_t *o, const parameters_t *blobs,
                         size_t i, uint64_t time)
{
    const uint64_t max = out->consensus->blob_schedule[i].max_blobs;
    if (!blobs->row[i].given)
        jo_fail(o, "execution.blobSchedule", RC_MALFORMED,
                "bpo%zu is required: BLOB_SCHEDULE[%zu] says neither target nor fraction", i + 1, i);
    else if (blobs->row[i].max != max)
        jo_fail(o, "execution.blobSchedule", RC_MALFORMED, "the maximum of bpo%zu is not that of BLOB_SCHEDULE[%zu]",
                i + 1, i);
    take_blobs(rules, &blobs->row[i]);
    add_row(out, o, time, rules);
}

/* The row of BLOB_SCHEDULE that Osaka begins with, if there is one before it. What osaka itself is given holds if it
 * has the row's maximum. */
static void add_first_blobs(const network_out_t *out, evm_rules_t *rules, const jo_t *o, const parameters_t *blobs,
                            size_t rows, uint64_t time)
{
    const blobs_t *own = &blobs->fork[EVM_OSAKA - EVM_PARIS];
    if (rows &&
        (blobs->row[rows - 1].given || !own->given || own->max != out->consensus->blob_schedule[rows - 1].max_blobs))
        add_blob_row(out, rules, o, blobs, rows - 1, time);
}

/* Forks and rows of BLOB_SCHEDULE, in order of time; of those at the same time the row comes last. Of the rows before
 * Osaka the last one holds from Osaka on. */
static void add_rows(const network_out_t *out, const jo_t *o, const uint64_t times[LC_EXECUTION_FORKS],
                     const parameters_t *blobs)
{
    const lc_network_t *net = out->consensus;
    evm_rules_t rules = { .fork = EVM_PARIS };
    for (size_t f = 0, b = 0; !jo_rc(o);) {
        const uint64_t fork_at = f < LC_EXECUTION_FORKS ? times[f] : UINT64_MAX,
                       blobs_at = b < net->blob_rows ? epoch_time(net, net->blob_schedule[b].epoch) : UINT64_MAX;
        if (fork_at == UINT64_MAX && blobs_at == UINT64_MAX)
            return;
        if (fork_at <= blobs_at) {
            const evm_fork_t fork = lc_execution_forks[f].fork;
            add_fork(out, &rules, o, blobs, f++, fork_at);
            if (fork == EVM_OSAKA && fork_at != blobs_at)
                add_first_blobs(out, &rules, o, blobs, b, fork_at);
            if (fork > EVM_OSAKA && fork_at != blobs_at && b && rules.blob_max != net->blob_schedule[b - 1].max_blobs)
                jo_fail(o, "execution.blobSchedule", RC_MALFORMED,
                        "the maximum of %s is not that of BLOB_SCHEDULE[%zu], which is in force then",
                        lc_execution_forks[f - 1].name, b - 1);
        } else {
            if (rules.fork >= EVM_OSAKA)
                add_blob_row(out, &rules, o, blobs, b, blobs_at);
            b++;
        }
    }
}

/* Times of the forks; the chain id changes when the operator names one, and forks may be there that are unknown. */
static void read_execution(uint64_t times[LC_EXECUTION_FORKS], parameters_t *blobs, lc_network_t *net, const jo_t *o)
{
    static const char *const words[] = { "sepolia", "glamsterdam-devnet-8", NULL };
    static const evm_state_gas_t *const state_gas[] = { NULL, &EVM_STATE_GAS_DEVNET };
    jo_t execution, forks;
    twin_times(times, net);
    if (!jo_opt_object(o, &execution, "execution"))
        return;
    jo_opt_number(&execution, &net->chain_id, "chain_id", UINT64_MAX);
    if (jo_opt_object(&execution, &forks, "forks"))
        given_times(times, net, &forks);
    read_blobs(blobs, &execution);
    if (jo_kind(&execution, "eip8037") != JO_ABSENT)
        blobs->state_gas = state_gas[jo_word(&execution, "eip8037", words)];
}

/* DEPOSIT_CONTRACT_ADDRESS is among the beacon node's words, the hash of block 0 is not. */
static void read_origin(network_origin_t *out, const jo_t *o)
{
    network_origin_t origin = { .has_genesis = false };
    const jo_t spec = jo_object(o, "config");
    jo_t execution;
    origin.has_deposits =
        jo_opt_hex(&spec, origin.deposits.b, sizeof origin.deposits.b, "DEPOSIT_CONTRACT_ADDRESS", HEX_ANY);
    if (jo_opt_object(o, &execution, "execution"))
        origin.has_genesis = jo_opt_hex(&execution, origin.genesis.b, sizeof origin.genesis.b, "genesis_hash", HEX_0X);
    if (out)
        *out = origin;
}

static void read_custom(const network_out_t *out, const jo_t *o)
{
    uint64_t times[LC_EXECUTION_FORKS];
    parameters_t blobs = { 0 };
    read_consensus(out->consensus, o);
    read_execution(times, &blobs, out->consensus, o);
    read_origin(out->origin, o);
    begin_with_later_ones(times);
    check_times(times, o);
    if (jo_rc(o))
        return;
    *out->execution = (evm_chain_t){ out->consensus->chain_id, out->rows, 0 };
    add_rows(out, o, times, &blobs);
}

void network_read(const network_out_t *out, const jo_t *o, const char *key)
{
    if (jo_kind(o, key) == JO_OBJECT) {
        jo_t custom = jo_object(o, key);
        read_custom(out, &custom);
        return;
    }
    if (jo_kind(o, key) != JO_TEXT) {
        jo_fail(o, key, RC_MALFORMED, "must be a name (mainnet, sepolia, hoodi) or an object");
        return;
    }
    view_t name = jo_text(o, key, 0, SIZE_MAX);
    if (network_builtin(out, (const char *)name.p))
        jo_fail(o, key, RC_MALFORMED, "\"%.40s\" is not built in: mainnet, sepolia, hoodi, or an object",
                (const char *)name.p);
}
