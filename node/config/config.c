#include "node/config/config.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/crypto/curve25519.h"
#include "lightclient/networks.h"
#include "rpc/api/standing.h"
#include "tee/tee.h"
#include "tee/verify/policy.h"

#define ARENA_MAX ((size_t)16 * CONFIG_TEXT_MAX) /* texts; numbers of a policy may grow */
#define STANDING_GAS_USUAL 100000000u
#define STANDING_GAS_MOST 1000000000000u /* keeps sums far from 64 bits */
static const char SETUP_MAY_SET[] = "setup_may_set", DEVELOPMENT[] = "development", FORCE[] = "force",
                  EXECUTION[] = "execution_rpc", EXECUTION_FILE[] = "execution_rpc_file", CONSENSUS[] = "consensus_rpc",
                  RECOVERY_SHARES[] = "recovery_shares";

/* --- keys that have a reader of their own --- */

static void read_peers(void *config, arena_t *arena, const jo_t *o, const char *key)
{
    config_t *c = config;
    jo_t list = jo_list(o, key, 0, CONFIG_PEERS_MAX), peer;
    err_t e;
    (void)arena;
    for (c->peer_count = 0; jo_next(&list, &peer); c->peer_count++) {
        view_t text = jo_text(&peer, NULL, 1, MADDR_TEXT_MAX);
        const rc_t rc = text.p ? config_peer_read(&c->peers[c->peer_count], &e, text) : RC_OK;
        if (rc)
            jo_fail(&peer, NULL, rc == RC_UNSUPPORTED ? RC_REFUSED : rc, "%s", e.text);
    }
}

/* "new", or the public key of a cluster's first generation. */
static void read_cluster(void *config, arena_t *arena, const jo_t *o, const char *key)
{
    config_t *c = config;
    (void)arena;
    if (view_eq(jo_text(o, key, 1, 2 * sizeof c->cluster + 2), view_str("new"))) {
        c->cluster_new = true;
        return;
    }
    if (jo_hex(o, c->cluster, sizeof c->cluster, key, HEX_ANY) && c->cluster[0] != 2 && c->cluster[0] != 3)
        jo_fail(o, key, RC_MALFORMED, "must be \"new\" or a compressed public key");
}

static void read_operator_key(void *config, arena_t *arena, const jo_t *o, const char *key)
{
    config_t *c = config;
    (void)arena;
    if (jo_hex(o, c->operator_key, sizeof c->operator_key, key, HEX_ANY) && c->operator_key[0] != 2 &&
        c->operator_key[0] != 3)
        jo_fail(o, key, RC_MALFORMED, "must be a compressed public key");
}

/* {"threshold": 2, "keys": ["0x02...", ...]}: compressed public keys, ascending, as in the cluster statement. */
static void read_signers(void *config, arena_t *arena, const jo_t *o, const char *key)
{
    config_signers_t *s = &((config_t *)config)->signers;
    const jo_t signers = jo_object(o, key);
    jo_t list = jo_list(&signers, "keys", 1, SETUP_SIGNERS_MAX), one;
    (void)arena;
    for (s->count = 0; jo_next(&list, &one); s->count++) {
        uint8_t *at = s->keys[s->count];
        if (jo_hex(&one, at, 33, NULL, HEX_ANY) && at[0] != 2 && at[0] != 3)
            jo_fail(&one, NULL, RC_MALFORMED, "must be a compressed public key");
        if (s->count && memcmp(s->keys[s->count - 1], at, 33) >= 0)
            jo_fail(&one, NULL, RC_MALFORMED, "the keys must ascend");
    }
    s->threshold = (unsigned)jo_u64(&signers, "threshold", 1, s->count ? s->count : 1);
}

static void read_recovery(void *config, arena_t *arena, const jo_t *o, const char *key)
{
    (void)arena;
    ((config_t *)config)->recovery.mode = (setup_recovery_mode_t)jo_word(o, key, SETUP_RECOVERY_WORDS);
}

/* {"threshold": 2, "keys": ["0x...", ...]}: X25519 public keys, ascending, as in the cluster statement. */
static void read_recovery_shares(void *config, arena_t *arena, const jo_t *o, const char *key)
{
    static const uint8_t any[X25519_LEN] = { 1 };
    setup_recovery_t *x = &((config_t *)config)->recovery;
    const jo_t shares = jo_object(o, key);
    jo_t list = jo_list(&shares, "keys", 2, SETUP_OPERATORS_MAX), one;
    (void)arena;
    for (x->count = 0; jo_next(&list, &one); x->count++) {
        uint8_t *at = x->keys[x->count], shared[X25519_LEN];
        if (jo_hex(&one, at, X25519_LEN, NULL, HEX_ANY) && x25519_shared(shared, any, at))
            jo_fail(&one, NULL, RC_MALFORMED, "must be an X25519 public key");
        if (x->count && memcmp(x->keys[x->count - 1], at, X25519_LEN) >= 0)
            jo_fail(&one, NULL, RC_MALFORMED, "the keys must ascend");
    }
    x->threshold = (unsigned)jo_u64(&shares, "threshold", 2, x->count < 2 ? 2 : x->count);
}

static network_out_t network_of(config_t *c)
{
    return (network_out_t){ &c->network, &c->chain, c->chain_rows, &c->origin };
}

static void read_network(void *config, arena_t *arena, const jo_t *o, const char *key)
{
    (void)arena;
    const network_out_t out = network_of(config);
    network_read(&out, o, key);
}

/* Checks a policy's text; the field of a fault begins with the key. */
static rc_t check_policy(err_t *e, view_t text, const char *key)
{
    policy_t *p = NULL;
    rc_t rc = policy_read(&p, e, text);
    policy_free(p);
    return err_under(e, rc, key);
}

static void read_checkpoint(void *config, arena_t *arena, const jo_t *o, const char *key)
{
    config_t *c = config;
    config_checkpoint_read(&c->checkpoint, arena, o, key);
}

static void read_policy(void *config, arena_t *arena, const jo_t *o, const char *key)
{
    config_t *c = config;
    err_t e;
    if (jo_kind(o, key) != JO_OBJECT) {
        jo_fail(o, key, RC_MALFORMED, "must be an object (docs/policy.md)");
        return;
    }
    view_t text = jo_compact(o, arena, key);
    rc_t rc = text.p ? check_policy(&e, text, key) : RC_OK; /* without memory the document says so */
    if (rc)
        jo_fail(o, e.field, rc, "%s", e.text);
    c->policy = (const char *)text.p;
}

/* One file for all, or one for each kind. */
static void read_ca_file(void *config, arena_t *arena, const jo_t *o, const char *key)
{
    static const option_t kinds[] = {
        { .key = "execution", .kind = OPTION_PATH, .at = offsetof(config_ca_t, execution) },
        { .key = "consensus", .kind = OPTION_PATH, .at = offsetof(config_ca_t, consensus) },
        { .key = "pccs", .kind = OPTION_PATH, .at = offsetof(config_ca_t, pccs) },
    };
    config_ca_t *ca = &((config_t *)config)->ca_file;
    if (jo_kind(o, key) == JO_OBJECT) {
        const jo_t each = jo_object(o, key);
        options_read(ca, arena, &each, kinds, sizeof kinds / sizeof kinds[0], false);
        return;
    }
    const option_t all = { .key = key, .kind = OPTION_PATH, .at = offsetof(config_ca_t, execution) };
    options_read(ca, arena, o, &all, 1, false);
    ca->consensus = ca->pccs = ca->execution;
}

static void read_proxy(void *config, arena_t *arena, const jo_t *o, const char *key)
{
    static const char *const words[] = { "none", "env", NULL };
    (void)arena;
    ((config_t *)config)->proxy_env = jo_word(o, key, words) == 1;
}

static void read_senders(void *config, arena_t *arena, const jo_t *o, const char *key)
{
    config_t *c = config;
    jo_t list = jo_list(o, key, 1, CONFIG_SENDERS_MAX), row;
    (void)arena;
    for (c->ccip_sender_count = 0; jo_next(&list, &row); c->ccip_sender_count++)
        jo_hex(&row, c->ccip_senders[c->ccip_sender_count].b, sizeof(addr_t), NULL, HEX_0X);
}

static void read_membership(void *config, arena_t *arena, const jo_t *o, const char *key)
{
    membership_read(&((config_t *)config)->membership, arena, o, key);
}

static void read_standing(void *config, arena_t *arena, const jo_t *o, const char *key)
{
    config_standing_t *x = &((config_t *)config)->standing;
    const jo_t standing = jo_object(o, key);
    (void)arena;
    *x = (config_standing_t){ .gas_per_head = STANDING_GAS_USUAL };
    x->max = jo_u64(&standing, "max", 1, STANDING_MAX);
    (void)jo_opt_u64(&standing, &x->gas_per_head, "gas_per_head", 1, STANDING_GAS_MOST);
    (void)jo_opt_bool(&standing, &x->open, "open");
}

static void read_listen(void *config, arena_t *arena, const jo_t *o, const char *key)
{
    (void)arena;
    hosting_read_listen(&((config_t *)config)->hosting, o, key);
}

static void read_proxies(void *config, arena_t *arena, const jo_t *o, const char *key)
{
    (void)arena;
    hosting_read_proxies(&((config_t *)config)->hosting, o, key);
}

static void read_token(void *config, arena_t *arena, const jo_t *o, const char *key)
{
    (void)arena;
    hosting_read_token(&((config_t *)config)->hosting, o, key);
}

/* --- the table --- */

static const char *const transports[] = { "both", "quic", "tcp", NULL };
static const char *const relays[] = { "off", "use", "serve", NULL };
static const char *const blocks[] = {
    [CONFIG_LATEST] = "latest", [CONFIG_SAFE] = "safe", [CONFIG_FINALIZED] = "finalized", NULL
};

static const char *const reaches[] = { "public", "private", "all", NULL };           /* as config_reach_t */
static const char *const proxy_headers[] = { "x-forwarded-for", "forwarded", NULL }; /* as proxy_header_t */
static const char *const follows[] = { "on-demand", "off", "always", NULL };         /* as news_mode_t */

static const option_t options[] = {
    { .key = "peers",
      .help = "List of peers to join, as host:port or multiaddr; empty: by membership, or a new cluster; required.",
      .kind = OPTION_OTHER,
      .required = true,
      .read = read_peers },
    { .key = "port",
      .help = "Port of the overlay; required.",
      .kind = OPTION_PORT,
      .required = true,
      .at = offsetof(config_t, overlay_port) },
    { .key = "transport",
      .help = "Transport of the overlay: both (default), quic or tcp.",
      .kind = OPTION_CHOICE,
      .at = offsetof(config_t, transport),
      .words = transports },
    { .key = "relay",
      .help = "Circuits: use (be reached through members that serve), serve (relay for members) or off (default).",
      .kind = OPTION_CHOICE,
      .at = offsetof(config_t, relay),
      .words = relays },
    { .key = "cluster",
      .help = "First public key of the only cluster that is joined, or \"new\"; any by default.",
      .kind = OPTION_OTHER,
      .read = read_cluster },
    { .key = "policy_signers",
      .help = "Who may change the policy of a running cluster: an object with threshold and keys; nobody by default.",
      .kind = OPTION_OTHER,
      .read = read_signers },
    { .key = "policy_min_version",
      .help = "Least version of an order that changes the policy; 0 by default.",
      .kind = OPTION_NUMBER,
      .at = offsetof(config_t, policy_min_version),
      .min = 0,
      .max = SETUP_INT_MAX },
    { .key = "recovery",
      .help = "What brings the key back when all nodes have died: none (default), seal or shares.",
      .kind = OPTION_OTHER,
      .read = read_recovery },
    { .key = RECOVERY_SHARES,
      .help = "Of recovery shares: an object with keys (X25519, of the operators) and threshold, how many are needed.",
      .kind = OPTION_OTHER,
      .read = read_recovery_shares },
    { .key = EXECUTION,
      .help = "URL of an execution RPC, or a list in order of preference; needed, unless a file has them.",
      .kind = OPTION_URLS,
      .at = offsetof(config_t, execution_rpc) },
    { .key = EXECUTION_FILE,
      .help = "Absolute path of a file with these URLs, for those with a key in them; in the measured file only.",
      .kind = OPTION_PATH,
      .file_only = true,
      .at = offsetof(config_t, execution_rpc_file) },
    { .key = CONSENSUS,
      .help = "URL of a beacon API, or a list in order of preference; empty, with peers: members give its data.",
      .kind = OPTION_URLS,
      .may_be_empty = true,
      .at = offsetof(config_t, consensus_rpc) },
    { .key = "send_rpc",
      .help =
          "URL of a relay that alone takes the transactions that clients send, or a list; in the measured file only.",
      .kind = OPTION_URLS,
      .file_only = true,
      .at = offsetof(config_t, send_rpc) },
    { .key = "network",
      .help = "The chain: mainnet (default), sepolia, hoodi, or an object.",
      .kind = OPTION_OTHER,
      .read = read_network },
    { .key = "checkpoint",
      .help = "Where to begin: a recent beacon block root that is trusted, the word peers, or a quorum of servers.",
      .kind = OPTION_OTHER,
      .read = read_checkpoint },
    { .key = "checkpoint_age_max_s",
      .help = "Bound on the checkpoint's age in seconds, in place of the network's own.",
      .kind = OPTION_NUMBER,
      .at = offsetof(config_t, checkpoint_age_max_s),
      .min = 1,
      .max = (uint64_t)10 * 365 * 86400 },
    { .key = "log_follow",
      .help = "Logs are followed: on-demand (default: while somebody has a filter or a subscription), off, always.",
      .kind = OPTION_CHOICE,
      .at = offsetof(config_t, log_follow),
      .words = follows },
    { .key = "default_block",
      .help = "Head that answers rest on: latest (default), safe or finalized.",
      .kind = OPTION_CHOICE,
      .at = offsetof(config_t, default_block),
      .normal = CONFIG_LATEST,
      .words = blocks },
    { .key = "light_client_routes",
      .help = "Whether the beacon API's light-client routes are served to strangers; false by default.",
      .kind = OPTION_FLAG,
      .at = offsetof(config_t, light_client_routes) },
    { .key = "standing",
      .help =
          "Calls that are run at each head: an object with max, gas_per_head, open (docs/operate.md); none by default.",
      .kind = OPTION_OTHER,
      .read = read_standing },
    { .key = "api_port",
      .help = "Port of the API, in place of the command line's.",
      .kind = OPTION_PORT,
      .at = offsetof(config_t, api_port) },
    { .key = "api_tls",
      .help = "Whether the API port serves HTTPS and nothing else; false by default.",
      .kind = OPTION_FLAG,
      .at = offsetof(config_t, api_tls) },
    { .key = "tee",
      .help = "The TEE provider that the program must have been started with: auto, dstack, tdx or simulator.",
      .kind = OPTION_WORD,
      .at = offsetof(config_t, tee),
      .normal_text = "",
      .words = TEE_WORDS },
    { .key = "policy",
      .help = "Which TDs are taken as peers: an object as docs/policy.md describes it.",
      .kind = OPTION_OTHER,
      .read = read_policy },
    { .key = "pccs",
      .help = "URL of a service that hands out Intel's collateral, or a list in order of preference.",
      .kind = OPTION_URLS,
      .at = offsetof(config_t, pccs) },
    { .key = "ca_file",
      .help = "Absolute path of a PEM file of trusted certificates, or an object with one for each kind of upstream.",
      .kind = OPTION_OTHER,
      .read = read_ca_file },
    { .key = "proxy",
      .help = "Proxies between node and upstreams: none (default), or env for those of the environment.",
      .kind = OPTION_OTHER,
      .read = read_proxy },
    { .key = "collateral_file",
      .help = "Absolute path of a file with collateral, in place of a service.",
      .kind = OPTION_PATH,
      .at = offsetof(config_t, collateral_file) },
    { .key = "ccip_senders",
      .help = "List of the contracts for which the CCIP-Read gateway works; for all when it is not there.",
      .kind = OPTION_OTHER,
      .read = read_senders },
    { .key = "operator_key",
      .help = "Public key of who may send this node commands (docs/operate.md); nobody by default.",
      .kind = OPTION_OTHER,
      .read = read_operator_key },
    { .key = "membership",
      .help = "The contract that lists a cluster's members, and how its list is read (docs/sdk.md); none by default.",
      .kind = OPTION_OTHER,
      .read = read_membership },
    { .key = FORCE,
      .help = "Whether a setup is taken without being tried first; false by default; in a setup only.",
      .kind = OPTION_FLAG,
      .setup_only = true,
      .at = offsetof(config_t, force) },
    { .key = "listen",
      .help = "List of the addresses of both ports; by default all, without a file loopback; in the file only.",
      .kind = OPTION_OTHER,
      .file_only = true,
      .read = read_listen },
    { .key = "proxies",
      .help = "List of proxies, as addresses or networks, that name their clients; none by default; in the file only.",
      .kind = OPTION_OTHER,
      .file_only = true,
      .read = read_proxies },
    { .key = "proxy_protocol",
      .help = "Whether connections of the proxies begin with a PROXY header; false by default; in the file only.",
      .kind = OPTION_FLAG,
      .file_only = true,
      .at = offsetof(config_t, hosting.proxy_protocol) },
    { .key = "proxy_header",
      .help = "The field by which proxies name clients: x-forwarded-for (default) or forwarded; in the file only.",
      .kind = OPTION_CHOICE,
      .file_only = true,
      .at = offsetof(config_t, hosting.proxy_header),
      .words = proxy_headers },
    { .key = "memory_max",
      .help = "MiB that caches, bodies and answers are sized by: 64 to 65536, 256 by default; in the file only.",
      .kind = OPTION_NUMBER,
      .file_only = true,
      .at = offsetof(config_t, hosting.memory_max),
      .min = 64,
      .max = 65536,
      .normal = HOSTING_MEMORY_MAX },
    { .key = "connections_max",
      .help = "Connections of the API port, at most and by default 4096; one client has a quarter; in the file only.",
      .kind = OPTION_NUMBER,
      .file_only = true,
      .at = offsetof(config_t, hosting.connections_max),
      .min = 16,
      .max = HOSTING_CLIENTS_MAX,
      .normal = HOSTING_CLIENTS_MAX },
    { .key = "requests_max",
      .help =
          "Requests that wait for an answer, at most and by default 4096; one client has a quarter; in the file only.",
      .kind = OPTION_NUMBER,
      .file_only = true,
      .at = offsetof(config_t, hosting.requests_max),
      .min = 16,
      .max = HOSTING_CLIENTS_MAX,
      .normal = HOSTING_CLIENTS_MAX },
    { .key = "upstream_budget",
      .help = "Questions to execution RPCs a minute, for all clients; 0, by default: no bound; in the file only.",
      .kind = OPTION_NUMBER,
      .file_only = true,
      .at = offsetof(config_t, hosting.upstream_budget),
      .max = HOSTING_BUDGET_MAX },
    { .key = "setup_token_sha256",
      .help = "SHA-256 of the token that POST /setup has to bring; none by default; in the measured file only.",
      .kind = OPTION_OTHER,
      .file_only = true,
      .read = read_token },
    { .key = "setup_may_reach",
      .help =
          "Addresses that a setup's URLs may lead to as it is tried: public (default), private, all; in the file only.",
      .kind = OPTION_CHOICE,
      .file_only = true,
      .at = offsetof(config_t, setup_may_reach),
      .words = reaches },
    { .key = DEVELOPMENT,
      .help = "Whether a setup may set every key; false by default; in the measured file only.",
      .kind = OPTION_FLAG,
      .file_only = true,
      .at = offsetof(config_t, development) },
    { .key = SETUP_MAY_SET,
      .help = "List of the only keys that a setup may set; in the measured file only.",
      .kind = OPTION_OTHER,
      .file_only = true },
};
#define OPTIONS (sizeof options / sizeof options[0])
_Static_assert(OPTIONS <= 64, "a set of keys is a word of 64 bits");

const option_t *config_options(size_t *count)
{
    *count = OPTIONS;
    return options;
}

/* --- what a setup may set --- */

#define EVERY_KEY UINT64_MAX
_Static_assert(OPTIONS <= SETUP_NAMES_MAX, "a statement names them all");

/* The bit of a key that a setup may set where the file allows it, or 0. */
static uint64_t key_bit(const char *key)
{
    size_t i = option_find(options, OPTIONS, key);
    return i < OPTIONS && !options[i].file_only && !options[i].setup_only ? (uint64_t)1 << i : 0;
}

/* The keys that a measured file lists. */
static uint64_t settable(const jo_t *base)
{
    uint64_t set = 0;
    jo_t list, entry;
    if (jo_has(base, FORCE))
        jo_fail(base, FORCE, RC_MALFORMED, "belongs into POST /setup only");
    if (jo_has(base, DEVELOPMENT) && jo_bool(base, DEVELOPMENT))
        return EVERY_KEY;
    if (jo_kind(base, SETUP_MAY_SET) == JO_ABSENT)
        return 0;
    list = jo_list(base, SETUP_MAY_SET, 0, SIZE_MAX);
    while (jo_next(&list, &entry)) {
        view_t key = jo_text(&entry, NULL, 0, SIZE_MAX);
        uint64_t bit = key.p ? key_bit((const char *)key.p) : 0;
        if (!bit && key.p && option_find(options, OPTIONS, (const char *)key.p) < OPTIONS)
            jo_fail(&entry, NULL, RC_MALFORMED, "names a key that no list can let a setup set");
        else if (!bit)
            jo_fail(&entry, NULL, RC_MALFORMED, "is not the name of a key");
        set |= bit;
    }
    return set;
}

static void check_settable(const jo_t *setup, uint64_t set)
{
    jo_t all = *setup, one;
    while (jo_next(&all, &one)) {
        uint64_t bit = key_bit(one.name);
        if (!strcmp(one.name, FORCE))
            continue;
        if (!bit && option_find(options, OPTIONS, one.name) < OPTIONS)
            jo_fail(&one, NULL, RC_MALFORMED, "belongs into the measured configuration, and no setup may set it");
        else if (!bit)
            jo_fail(&one, NULL, RC_MALFORMED, "unknown key");
        else if (!(bit & set))
            jo_fail(&one, NULL, RC_REFUSED,
                    "the measured configuration of this image does not let /setup set this key");
    }
}

/* --- from text to values --- */

/* That a node which begins by itself knows from where. */
static rc_t check_checkpoint(const config_t *c, err_t *e)
{
    if (c->checkpoint.kind == CHECKPOINT_PEERS)
        return err_in(e, RC_MALFORMED, "peers", "is empty, and checkpoint is \"peers\": nobody names one");
    if (c->checkpoint.kind == CHECKPOINT_ABSENT)
        return err_in(e, RC_MALFORMED, "checkpoint", "is required: " CHECKPOINT_WHY);
    return RC_OK;
}

/* Shares, and only they, have holders. */
static rc_t check_recovery(const config_t *c, err_t *e)
{
    const bool shares = c->recovery.mode == SETUP_RECOVERY_SHARES;
    if (shares && !c->recovery.count)
        return err_in(e, RC_MALFORMED, RECOVERY_SHARES, "is required: recovery is \"shares\"");
    if (!shares && c->recovery.count)
        return err_in(e, RC_MALFORMED, RECOVERY_SHARES, "is there, and recovery is not \"shares\"");
    return RC_OK;
}

static rc_t fill_defaults(config_t *c, err_t *e)
{
    const lc_builtin_t *chain = lc_builtin_find(c->network.name);
    const rc_t bad = check_recovery(c, e);
    if (bad)
        return bad;
    if (c->cluster_new && c->peer_count)
        return err_in(e, RC_MALFORMED, "cluster", "is \"new\", and there are peers to join");
    if (!c->execution_rpc.count && !c->execution_rpc_file)
        return err_in(e, RC_MALFORMED, EXECUTION, "is required");
    rc_t rc = c->peer_count ? RC_OK : check_checkpoint(c, e);
    if (rc)
        return rc;
    if (c->consensus_rpc.given && !c->consensus_rpc.count)
        return c->peer_count ? RC_OK : err_in(e, RC_MALFORMED, CONSENSUS, "may be empty only for a node with peers");
    if (!c->consensus_rpc.count && (!chain || !chain->beacon_api))
        return err_in(e, RC_MALFORMED, CONSENSUS, "is required: no default is built in for network \"%s\"",
                      c->network.name);
    if (!c->consensus_rpc.count)
        c->consensus_rpc = (option_urls_t){ .urls = { chain->beacon_api }, .count = 1 };
    return RC_OK;
}

/* Whoever named the checkpoint, or where it is to be had, last. */
static setup_found_t found_by(const jo_t *setup)
{
    static const char key[] = "checkpoint";
    return setup && jo_has(setup, key) ? SETUP_FOUND_SETUP : SETUP_FOUND_CONFIGURATION;
}

static void name_settable(setup_names_t *names, uint64_t set)
{
    for (size_t i = 0; i < OPTIONS; i++)
        if (key_bit(options[i].key) & set)
            names->names[names->count++] = options[i].key;
}

/* That nobody on the way can name the checkpoint in place of a quorum's servers. */
static rc_t check_tls(const config_t *c, err_t *e)
{
    if (!c->checkpoint.plain || c->development)
        return RC_OK;
    return err_in(e, RC_REFUSED, "checkpoint.of", "a server is asked without TLS (https://), which is for development");
}

/* What base and setup (NULL: none) say together. */
static rc_t read_both(config_t *c, err_t *e, const jo_t *base, const jo_t *setup, bool complete, bool development)
{
    const network_out_t network = network_of(c);
    jo_doc_t doc;
    jo_t o = jo_merge(&doc, e, base, setup, SETUP_MAY_SET, JO_STRICT);
    if (network_builtin(&network, "mainnet"))
        jo_fail(&o, "network", RC_BUG, "mainnet is not built in");
    options_read(c, &c->arena, &o, options, OPTIONS, complete);
    rc_t rc = jo_done(&o);
    if (!rc && complete)
        rc = fill_defaults(c, e);
    c->checkpoint_found = found_by(setup);
    c->execution_by_setup = setup && jo_has(setup, EXECUTION);
    c->consensus_by_setup = setup && jo_has(setup, CONSENSUS);
    c->development |= development;
    if (!rc && complete)
        rc = check_tls(c, e);
    jo_close(&doc);
    return rc;
}

/* A text that must be one object; what names it in errors. */
static jo_t open_object(jo_doc_t *doc, err_t *e, view_t text, const char *what)
{
    jo_t root = jo_open(doc, e, text, CONFIG_TEXT_MAX, JO_LENIENT);
    jo_object(&root, NULL);
    err_before(e, jo_rc(&root), "the %s ", what);
    return root;
}

/* The three texts that a configuration may come from, p NULL: none; and how it is read. */
typedef struct {
    view_t base, given, setup;
    bool kept, development, complete;
} texts_t;

/* What is given and a setup together. No body says anew what is given; before what an earlier run has kept it goes. */
static jo_t open_setup(jo_doc_t docs[3], err_t *e, const texts_t *t)
{
    if (!t->given.p || !t->setup.p)
        return open_object(&docs[0], e, t->given.p ? t->given : t->setup, t->given.p ? "given setup" : "body");
    const jo_t given = open_object(&docs[0], e, t->given, "given setup"),
               body = open_object(&docs[1], e, t->setup, "body");
    jo_t all = body, one;
    if (jo_rc(&given))
        return given;
    while (!t->kept && jo_next(&all, &one))
        if (jo_has(&given, one.name))
            jo_fail(&one, NULL, RC_REFUSED, "is set by options, environment or credentials of this node");
    return jo_rc(&body) ? body : jo_merge(&docs[2], e, &body, &given, NULL, JO_LENIENT);
}

/* The setup comes on top of base, which may be NULL. */
static rc_t read_with_setup(config_t *c, err_t *e, const jo_t *base, const texts_t *t)
{
    jo_doc_t docs[3] = { { 0 } };
    const uint64_t set = t->development ? EVERY_KEY : settable(base);
    name_settable(&c->may_set, set);
    if (!t->given.p && !t->setup.p)
        return read_both(c, e, base, NULL, t->complete, t->development);
    jo_t setup = open_setup(docs, e, t);
    check_settable(&setup, set);
    for (size_t i = 0; i < OPTIONS; i++)
        if (jo_has(&setup, options[i].key))
            c->by_setup.names[c->by_setup.count++] = options[i].key;
    rc_t rc = jo_rc(&setup);
    if (!rc)
        rc = read_both(c, e, base, &setup, t->complete, t->development);
    for (size_t i = 0; i < sizeof docs / sizeof docs[0]; i++)
        jo_close(&docs[i]);
    return rc;
}

static rc_t read_with_base(config_t *c, err_t *e, const texts_t *t)
{
    jo_doc_t doc;
    jo_t base = open_object(&doc, e, t->base, "configuration file");
    settable(&base); /* its faults come first */
    rc_t rc = jo_rc(&base);
    if (!rc)
        rc = read_with_setup(c, e, &base, t);
    jo_close(&doc);
    return rc;
}

static config_t *config_new(err_t *e)
{
    config_t *c = calloc(1, sizeof *c);
    err_clear(e);
    if (c)
        arena_init(&c->arena, ARENA_MAX);
    else
        err_say(e, RC_NOMEM, "out of memory");
    return c;
}

static rc_t read_texts(config_t **out, err_t *e, texts_t t)
{
    config_t *c = config_new(e);
    t.development |= !t.base.p;
    rc_t rc = !c ? RC_NOMEM : t.base.p ? read_with_base(c, e, &t) : read_with_setup(c, e, NULL, &t);
    if (rc) {
        config_free(c);
        return rc;
    }
    *out = c;
    return RC_OK;
}

rc_t config_read_given(config_t **out, err_t *e, view_t base, view_t given, view_t setup, bool kept, bool development)
{
    if (!base.p && !development)
        return err_say(e, RC_REFUSED, "there is no measured configuration, and this is no development");
    return read_texts(out, e, (texts_t){ base, given, setup, kept, development, true });
}

rc_t config_read(config_t **out, err_t *e, view_t base, view_t setup, bool development)
{
    return config_read_given(out, e, base, view_of(NULL, 0), setup, false, development);
}

rc_t config_check_given(err_t *e, view_t base, view_t given, bool development)
{
    config_t *c = NULL;
    const rc_t rc = read_texts(&c, e, (texts_t){ base, given, view_of(NULL, 0), false, development, false });
    config_free(c);
    return rc;
}

bool config_musters(const config_t *c)
{
    return c->membership.is_set && !c->peer_count && !c->cluster_new;
}

bool config_quorum_is_anybodys(const config_t *c)
{
    if (c->development || c->checkpoint.kind != CHECKPOINT_QUORUM)
        return false;
    for (size_t i = 0; i < c->may_set.count; i++)
        if (strcmp(c->may_set.names[i], "checkpoint") == 0)
            return true;
    return false;
}

reach_t config_reach(const config_t *c, bool by_setup)
{
    if (!by_setup || c->setup_may_reach == CONFIG_REACH_ALL)
        return REACH_ALL;
    if (c->development)
        return REACH_LOCAL;
    return c->setup_may_reach == CONFIG_REACH_PRIVATE ? REACH_PRIVATE : REACH_PUBLIC;
}

rc_t config_take_urls(config_t *c, err_t *e, view_t text)
{
    return err_under(e, option_split_urls(&c->execution_rpc, e, &c->arena, text), EXECUTION_FILE);
}

rc_t config_read_base(config_t **out, err_t *e, view_t text)
{
    jo_doc_t doc;
    config_t *c = config_new(e);
    if (!c)
        return RC_NOMEM;
    jo_t base = open_object(&doc, e, text, "configuration file");
    name_settable(&c->may_set, settable(&base));
    rc_t rc = jo_rc(&base);
    if (!rc)
        rc = read_both(c, e, &base, NULL, false, false);
    jo_close(&doc);
    if (rc)
        config_free(c);
    else
        *out = c;
    return rc;
}

rc_t config_check_base(bool *development, hosting_t *hosting, err_t *e, view_t text)
{
    config_t *c = NULL;
    const rc_t rc = config_read_base(&c, e, text);
    if (rc)
        return rc;
    *development |= c->development;
    *hosting = c->hosting;
    config_free(c);
    return RC_OK;
}

/* Whether a key is there, or may be set. */
static bool may_come(const jo_t *base, uint64_t set, const char *key)
{
    return jo_has(base, key) || (key_bit(key) & set);
}

/* That each key which a node cannot do without is there, or may be set. */
static rc_t supply_keys(err_t *e, const jo_t *base, uint64_t set, const config_t *c)
{
    static const char missing[] = "is required, and setup_may_set does not list it";
    const lc_builtin_t *chain = lc_builtin_find(c->network.name);
    for (size_t i = 0; i < OPTIONS; i++)
        if (options[i].required && !may_come(base, set, options[i].key))
            return err_in(e, RC_MALFORMED, options[i].key, "%s", missing);
    if (!may_come(base, set, EXECUTION) && !jo_has(base, EXECUTION_FILE))
        return err_in(e, RC_MALFORMED, EXECUTION, "%s", missing);
    if (!may_come(base, set, CONSENSUS) && !(key_bit("network") & set) && (!chain || !chain->beacon_api))
        return err_in(e, RC_MALFORMED, CONSENSUS, "%s (no default is built in for network \"%s\")", missing,
                      c->network.name);
    return RC_OK;
}

/* That a node which no setup can give peers, or another checkpoint, has a place to begin. */
static rc_t supply_start(err_t *e, uint64_t set, const config_t *c)
{
    const bool joins = (key_bit("peers") & set) || c->peer_count;
    const rc_t rc = check_tls(c, e);
    if (rc || joins || (key_bit("checkpoint") & set))
        return rc;
    return c->checkpoint.kind == CHECKPOINT_ABSENT
               ? err_in(e, RC_MALFORMED, "checkpoint",
                        "is required, and setup_may_set does not list it: " CHECKPOINT_WHY)
               : check_checkpoint(c, e);
}

rc_t config_check_supply(err_t *e, view_t text)
{
    jo_doc_t doc;
    config_t *c = NULL;
    rc_t rc = config_read_base(&c, e, text);
    if (rc)
        return rc;
    jo_t base = open_object(&doc, e, text, "configuration file");
    const uint64_t set = settable(&base);
    rc = jo_rc(&base);
    if (!rc)
        rc = supply_keys(e, &base, set, c);
    if (!rc)
        rc = supply_start(e, set, c);
    jo_close(&doc);
    config_free(c);
    return rc;
}

bool config_is_complete(view_t base)
{
    config_t *c = NULL;
    bool complete = base.p && config_read(&c, NULL, base, view_of(NULL, 0), false) == RC_OK;
    config_free(c);
    return complete;
}

void config_free(config_t *c)
{
    if (!c)
        return;
    arena_free(&c->arena);
    free(c);
}
