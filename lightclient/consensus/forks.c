#include "lightclient/consensus/forks.h"

#include "base/crypto/hash.h"

const lc_preset_t LC_PRESET_MAINNET = { 32, 256, 512 };
const lc_preset_t LC_PRESET_MINIMAL = { 8, 8, 32 };

/* consensus-specs: ExecutionPayloadHeader of capella/beacon-chain.md and deneb/beacon-chain.md; gindices of
 * altair/light-client/sync-protocol.md, electra/light-client/sync-protocol.md and gloas/light-client/sync-protocol.md;
 * SYNC_MESSAGE_DUE_BPS and SYNC_MESSAGE_DUE_BPS_GLOAS. */
/* clang-format off */
static const lc_layout_t layouts[] = {
    /* name, execution_fixed_len, blob_fields, execution_branch_len, gindices of the block hash, of the finalized root,
     * of the current and next committee, due_part */
    [LC_ALTAIR] = { "altair", 0, false, 0, 0, 105, 54, 55, 3 },
    [LC_BELLATRIX] = { "bellatrix", 0, false, 0, 0, 105, 54, 55, 3 },
    [LC_CAPELLA] = { "capella", 568, false, 4, 412, 105, 54, 55, 3 },
    [LC_DENEB] = { "deneb", 584, true, 4, 812, 105, 54, 55, 3 },
    [LC_ELECTRA] = { "electra", 584, true, 4, 812, 169, 86, 87, 3 },
    [LC_FULU] = { "fulu", 584, true, 4, 812, 169, 86, 87, 3 },
    [LC_GLOAS] = { "gloas", 0, false, 11, 2856, 735, 2945, 2946, 4 },
};
_Static_assert(sizeof layouts / sizeof layouts[0] == LC_FORKS, "each fork has its layout");

/* Bytes written as a number, first byte first. */
#define U64_BYTES(x) \
    (uint8_t)((x) >> 56), (uint8_t)((x) >> 48 & 255), (uint8_t)((x) >> 40 & 255), (uint8_t)((x) >> 32 & 255), \
    (uint8_t)((x) >> 24 & 255), (uint8_t)((x) >> 16 & 255), (uint8_t)((x) >> 8 & 255), (uint8_t)((x) & 255)
#define HASH32(a, b, c, d) { { U64_BYTES(a##u), U64_BYTES(b##u), U64_BYTES(c##u), U64_BYTES(d##u) } }
/* clang-format on */

/* 14 days of 384-second epochs: below the 3,532 epochs that electra/weak-subjectivity.md gives for stakes of eight
 * million ether and more. */
#define CHECKPOINT_AGE_EPOCHS 3150u

/* By fork. */
/* clang-format off */
#define MAINNET_VERSIONS \
    { 1, 0, 0, 0 }, { 2, 0, 0, 0 }, { 3, 0, 0, 0 }, { 4, 0, 0, 0 }, { 5, 0, 0, 0 }, { 6, 0, 0, 0 }, { 7, 0, 0, 0 }
#define MAINNET_EPOCHS 74240, 144896, 194048, 269568, 364032, 411392, LC_EPOCH_NEVER
#define SEPOLIA_VERSIONS \
    { 0x90, 0, 0, 0x70 }, { 0x90, 0, 0, 0x71 }, { 0x90, 0, 0, 0x72 }, \
    { 0x90, 0, 0, 0x73 }, { 0x90, 0, 0, 0x74 }, { 0x90, 0, 0, 0x75 }, { 0x90, 0, 0, 0x76 }
#define SEPOLIA_EPOCHS 50, 100, 56832, 132608, 222464, 272640, 353024
#define HOODI_VERSIONS \
    { 0x20, 0, 0x09, 0x10 }, { 0x30, 0, 0x09, 0x10 }, { 0x40, 0, 0x09, 0x10 }, \
    { 0x50, 0, 0x09, 0x10 }, { 0x60, 0, 0x09, 0x10 }, { 0x70, 0, 0x09, 0x10 }, { 0x80, 0, 0x09, 0x10 }
#define HOODI_EPOCHS 0, 0, 0, 0, 2048, 50688, LC_EPOCH_NEVER /* epoch 132352 was withdrawn on 2026-10-22 */
/* clang-format on */
typedef uint8_t version_t[4];
#define HAS_ALL(type, ...) (sizeof((const type[]){ __VA_ARGS__ }) == LC_FORKS * sizeof(type))
_Static_assert(HAS_ALL(uint64_t, MAINNET_EPOCHS) && HAS_ALL(version_t, MAINNET_VERSIONS), "mainnet knows each fork");
_Static_assert(HAS_ALL(uint64_t, SEPOLIA_EPOCHS) && HAS_ALL(version_t, SEPOLIA_VERSIONS), "sepolia knows each fork");
_Static_assert(HAS_ALL(uint64_t, HOODI_EPOCHS) && HAS_ALL(version_t, HOODI_VERSIONS), "hoodi knows each fork");

/* Sources: eth-clients/mainnet, eth-clients/sepolia, eth-clients/hoodi metadata/ (config.yaml,
 * genesis_validators_root); consensus-specs configs/mainnet.yaml for Fulu and the blob schedule of mainnet. Genesis
 * time is the first block's. */
static const lc_network_t networks[] = {
    {
        .name = "mainnet",
        .preset = { 32, 256, 512 },
        .seconds_per_slot = 12,
        .genesis_time = 1606824023,
        .genesis_validators_root =
            HASH32(0x4b363db94e286120, 0xd76eb905340fdd4e, 0x54bfe9f06bf33ff6, 0xcf5ad27f511bfe95),
        .genesis_fork_version = { 0, 0, 0, 0 },
        .fork_version = { MAINNET_VERSIONS },
        .fork_epoch = { MAINNET_EPOCHS },
        .blob_schedule = { { 412672, 15 }, { 419072, 21 } },
        .blob_rows = 2,
        .chain_id = 1,
        .min_withdrawability_delay = 256,
        .checkpoint_age_epochs = CHECKPOINT_AGE_EPOCHS,
    },
    {
        .name = "sepolia",
        .preset = { 32, 256, 512 },
        .seconds_per_slot = 12,
        .genesis_time = 1655733600,
        .genesis_validators_root =
            HASH32(0xd8ea171f3c94aea2, 0x1ebc42a1ed61052a, 0xcf3f9209c00e4efb, 0xaaddac09ed9b8078),
        .genesis_fork_version = { 0x90, 0, 0, 0x69 },
        .fork_version = { SEPOLIA_VERSIONS },
        .fork_epoch = { SEPOLIA_EPOCHS },
        .blob_schedule = { { 274176, 15 }, { 275712, 21 } },
        .blob_rows = 2,
        .chain_id = 11155111,
        .min_withdrawability_delay = 256,
        .checkpoint_age_epochs = CHECKPOINT_AGE_EPOCHS,
    },
    {
        .name = "hoodi",
        .preset = { 32, 256, 512 },
        .seconds_per_slot = 12,
        .genesis_time = 1742213400,
        .genesis_validators_root =
            HASH32(0x212f13fc4df078b6, 0xcb7db228f1c83075, 0x66dcecf900867401, 0xa92023d7ba99cb5f),
        .genesis_fork_version = { 0x10, 0, 0x09, 0x10 },
        .fork_version = { HOODI_VERSIONS },
        .fork_epoch = { HOODI_EPOCHS },
        .blob_schedule = { { 52480, 15 }, { 54016, 21 } },
        .blob_rows = 2,
        .chain_id = 560048,
        .min_withdrawability_delay = 256,
        .checkpoint_age_epochs = CHECKPOINT_AGE_EPOCHS,
    },
};

const lc_network_t *lc_network_find(const char *name)
{
    for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++)
        if (!strcmp(networks[i].name, name))
            return &networks[i];
    return NULL;
}

static bool power_of_two(uint64_t x)
{
    return x && !(x & (x - 1));
}

rc_t lc_network_check(err_t *e, const lc_network_t *net)
{
    const lc_preset_t *p = &net->preset;
    const char *fault = NULL;
    if (!p->slots_per_epoch || p->slots_per_epoch > 1u << 16)
        fault = "SLOTS_PER_EPOCH must be from 1 to 65536";
    else if (!p->epochs_per_period || p->epochs_per_period > 1u << 16)
        fault = "EPOCHS_PER_SYNC_COMMITTEE_PERIOD must be from 1 to 65536";
    else if (p->committee_size < 8 || p->committee_size > 512 || !power_of_two(p->committee_size))
        fault = "SYNC_COMMITTEE_SIZE must be a power of two from 8 to 512";
    else if (!net->seconds_per_slot || net->seconds_per_slot > 3600)
        fault = "SECONDS_PER_SLOT must be from 1 to 3600";
    else if (net->genesis_time > UINT64_MAX / 4000)
        fault = "the genesis time is out of range";
    else if (net->blob_rows > LC_BLOB_ROWS_MAX)
        fault = "BLOB_SCHEDULE has too many rows";
    for (size_t f = 1; !fault && f < LC_FORKS; f++)
        if (net->fork_epoch[f] < net->fork_epoch[f - 1])
            fault = "fork epochs must not decrease from fork to fork";
    for (size_t i = 1; !fault && i < net->blob_rows; i++)
        if (net->blob_schedule[i].epoch <= net->blob_schedule[i - 1].epoch)
            fault = "BLOB_SCHEDULE must be in rising order of epochs";
    return fault ? err_say(e, RC_REFUSED, fault) : RC_OK;
}

const lc_layout_t *lc_layout(lc_fork_t fork)
{
    return &layouts[fork];
}

bool lc_same_form(lc_fork_t a, lc_fork_t b)
{
    return layouts[a].block_hash_gindex == layouts[b].block_hash_gindex &&
           layouts[a].execution_fixed_len == layouts[b].execution_fixed_len &&
           layouts[a].finalized_gindex == layouts[b].finalized_gindex;
}

lc_fork_t lc_fork_at_epoch(const lc_network_t *net, uint64_t epoch)
{
    for (size_t f = LC_FORKS; f-- > 1;)
        if (net->fork_epoch[f] != LC_EPOCH_NEVER && epoch >= net->fork_epoch[f])
            return (lc_fork_t)f;
    return LC_ALTAIR;
}

const char *lc_fork_name(lc_fork_t fork)
{
    return (unsigned)fork < LC_FORKS ? layouts[fork].name : "unknown";
}

lc_fork_t lc_fork_from_name(const char *name)
{
    size_t f = 0;
    while (f < LC_FORKS && strcmp(layouts[f].name, name))
        f++;
    return (lc_fork_t)f;
}

bool lc_fork_of_key(char name[LC_FORK_NAME_MAX], const char *key)
{
    static const char end[] = "_FORK_EPOCH";
    const size_t n = strlen(key), stem = n > sizeof end - 1 ? n - (sizeof end - 1) : 0;
    if (!stem || stem >= LC_FORK_NAME_MAX || strcmp(key + stem, end))
        return false;
    for (size_t i = 0; i < stem; i++)
        if (!(key[i] >= 'A' && key[i] <= 'Z') && !(key[i] >= '0' && key[i] <= '9') && key[i] != '_')
            return false;
    for (size_t i = 0; i < stem; i++)
        name[i] = (char)(key[i] >= 'A' && key[i] <= 'Z' ? key[i] - 'A' + 'a' : key[i]);
    name[stem] = 0;
    return true;
}

const uint8_t *lc_fork_version(const lc_network_t *net, uint64_t epoch)
{
    lc_fork_t fork = lc_fork_at_epoch(net, epoch);
    return fork == LC_ALTAIR && epoch < net->fork_epoch[LC_ALTAIR] ? net->genesis_fork_version
                                                                   : net->fork_version[fork];
}

const lc_unknown_fork_t *lc_unknown_fork(const lc_network_t *net)
{
    return net->unknown_count && net->unknown_forks[0].epoch != LC_EPOCH_NEVER ? &net->unknown_forks[0] : NULL;
}

bool lc_unknown_fork_add(lc_network_t *net, const lc_unknown_fork_t *fork)
{
    const bool full = net->unknown_count == LC_UNKNOWN_FORKS_MAX;
    if (full && (fork->epoch == LC_EPOCH_NEVER || net->unknown_forks[LC_UNKNOWN_FORKS_MAX - 1].epoch != LC_EPOCH_NEVER))
        return false;
    net->unknown_count -= full; /* one that is not scheduled makes room */
    size_t at = net->unknown_count++;
    for (; at && net->unknown_forks[at - 1].epoch > fork->epoch; at--)
        net->unknown_forks[at] = net->unknown_forks[at - 1];
    net->unknown_forks[at] = *fork;
    return true;
}

/* compute_fork_data_root */
static void fork_data_root(hash32_t *out, const uint8_t version[4], const hash32_t *genesis_validators_root)
{
    uint8_t in[64] = { 0 };
    memcpy(in, version, 4);
    memcpy(in + 32, genesis_validators_root->b, 32);
    sha256_64(out, in);
}

void lc_signing_root(hash32_t *out, const lc_network_t *net, const hash32_t *beacon_root, uint64_t signature_slot)
{
    const uint64_t slot = signature_slot ? signature_slot - 1 : 0;
    lc_signing_root_under(out, net, beacon_root, lc_fork_version(net, lc_epoch_of_slot(net, slot)));
}

void lc_signing_root_under(hash32_t *out, const lc_network_t *net, const hash32_t *beacon_root,
                           const uint8_t version[4])
{
    static const uint8_t domain_sync_committee[4] = { 7, 0, 0, 0 };
    hash32_t data_root;
    uint8_t in[64];
    fork_data_root(&data_root, version, &net->genesis_validators_root);
    memcpy(in, beacon_root->b, 32);
    memcpy(in + 32, domain_sync_committee, 4);
    memcpy(in + 36, data_root.b, 28);
    sha256_64(out, in);
}

/* get_blob_parameters: the row in force, in Fulu and later. */
static lc_blob_row_t blob_parameters(const lc_network_t *net, uint64_t epoch)
{
    for (size_t i = net->blob_rows; i-- > 0;)
        if (epoch >= net->blob_schedule[i].epoch)
            return net->blob_schedule[i];
    return (lc_blob_row_t){ net->fork_epoch[LC_ELECTRA],
                            net->max_blobs_electra ? net->max_blobs_electra : LC_MAX_BLOBS_ELECTRA };
}

static void digest_under(uint8_t out[4], const lc_network_t *net, const hash32_t *genesis_validators_root,
                         uint64_t epoch)
{
    hash32_t base;
    fork_data_root(&base, lc_fork_version(net, epoch), genesis_validators_root);
    memcpy(out, base.b, 4);
    if (net->fork_epoch[LC_FULU] == LC_EPOCH_NEVER || epoch < net->fork_epoch[LC_FULU])
        return;
    lc_blob_row_t row = blob_parameters(net, epoch);
    uint8_t in[16];
    hash32_t mask;
    store_u64le(in, row.epoch);
    store_u64le(in + 8, row.max_blobs);
    sha256(&mask, view_of(in, sizeof in));
    for (size_t i = 0; i < 4; i++)
        out[i] ^= mask.b[i];
}

void lc_fork_digest(uint8_t out[4], const lc_network_t *net, uint64_t epoch)
{
    digest_under(out, net, &net->genesis_validators_root, epoch);
}

static bool digest_is(const lc_network_t *net, uint64_t epoch, const uint8_t digest[4])
{
    static const hash32_t no_genesis;
    uint8_t at[4], without_genesis[4];
    if (epoch == LC_EPOCH_NEVER)
        return false;
    digest_under(at, net, &net->genesis_validators_root, epoch);
    digest_under(without_genesis, net, &no_genesis, epoch);
    return !memcmp(at, digest, 4) || !memcmp(without_genesis, digest, 4);
}

rc_t lc_fork_from_digest(lc_fork_t *out, const lc_network_t *net, const uint8_t digest[4])
{
    for (size_t i = 0; i < LC_FORKS + net->blob_rows; i++) {
        uint64_t epoch = i < LC_FORKS ? net->fork_epoch[i] : net->blob_schedule[i - LC_FORKS].epoch;
        if (digest_is(net, epoch, digest)) {
            *out = lc_fork_at_epoch(net, epoch);
            return RC_OK;
        }
    }
    return RC_REFUSED;
}

uint64_t lc_slot_at(const lc_network_t *net, uint64_t now_ms)
{
    uint64_t genesis_ms = net->genesis_time * 1000;
    return now_ms < genesis_ms ? 0 : (now_ms - genesis_ms) / (net->seconds_per_slot * 1000);
}

uint64_t lc_slot_start_ms(const lc_network_t *net, uint64_t slot)
{
    uint64_t slot_ms = net->seconds_per_slot * 1000, genesis_ms = net->genesis_time * 1000;
    return slot > (UINT64_MAX - genesis_ms) / slot_ms ? UINT64_MAX : genesis_ms + slot * slot_ms;
}
