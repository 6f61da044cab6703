/* What the accepted setup means: the statements that a node makes of its configuration, and the digest of a network. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/os/file.h"
#include "lightclient/exec/call.h"
#include "lightclient/networks.h"
#include "node/evidence/setup.h"
#include "tests/unit/unit.h"

#define THREES "0x3333333333333333333333333333333333333333333333333333333333333333"
#define NOW 1795225903u /* 2026-11-21: mainnet's newest rule is its second blob schedule of Fulu */

static arena_t a;

static void set_up(void)
{
    arena_init(&a, 1 << 20);
}

static void tear_down(void)
{
    arena_free(&a);
}

static config_t *config_of(const char *base, const char *setup)
{
    config_t *c;
    err_t e;
    const view_t none = { NULL, 0 };
    ck_assert_msg(config_read(&c, &e, base ? view_str(base) : none, setup ? view_str(setup) : none, !base) == RC_OK,
                  "%s: %s", e.field, e.text);
    return c;
}

static void check_hex(const hash32_t *got, const char *want)
{
    char hex[65];
    hex_encode(hex, view_of(got->b, 32));
    ck_assert_str_eq(hex, want);
}

/* Two nodes whose operators have other providers, with other passwords, mean the same; and no text holds a secret. */
START_TEST(members_of_a_cluster_say_the_same_and_no_secret)
{
    static const char base[] =
        "{\"checkpoint\":\"" THREES "\",\"setup_may_set\":[\"peers\",\"port\",\"execution_rpc\",\"consensus_rpc\"]}";
    config_t *one = config_of(base, "{\"peers\":[],\"port\":1,\"execution_rpc\":\"https://u:hunter2@a.example/key\"}");
    config_t *two =
        config_of(base, "{\"peers\":[],\"port\":2,\"execution_rpc\":\"http://b\",\"consensus_rpc\":\"http://c\"}");
    const setup_world_t world = { .simulated = true, .now_s = NOW };
    setup_t x, y;
    err_t e;
    ck_assert_int_eq(setup_make(&x, &e, &a, one, &world), RC_OK);
    ck_assert_int_eq(setup_make(&y, &e, &a, two, &world), RC_OK);
    ck_assert(view_eq(x.cluster_text, y.cluster_text) && hash32_eq(&x.hash, &y.hash));
    ck_assert(view_eq(x.node_text, y.node_text) && hash32_eq(&x.node_hash, &y.node_hash));
    ck_assert_ptr_null(strstr((const char *)x.cluster_text.p, "hunter2"));
    ck_assert_ptr_null(strstr((const char *)x.node_text.p, "hunter2"));
    config_free(one), config_free(two);
}
END_TEST

/* A joiner that names no checkpoint takes the cluster's statement over as it is; whatever else it would say differently,
 * and another text than the one that the first generation names, it does not join. */
START_TEST(a_joiner_takes_over_what_it_would_say_itself)
{
#define JOINER "\"peers\":[\"a:1\"],\"port\":1,\"execution_rpc\":\"http://b\",\"consensus_rpc\":\"http://c\""
    static const char named[] = "0x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    static const struct {
        const char *base, *extra;
        bool simulated;
        const char *field; /* NULL: it joins */
    } rows[] = {
        { NULL, "", true, NULL },
        { NULL, ",\"default_block\":\"finalized\",\"api_port\":7", true, NULL },
        { NULL, ",\"checkpoint\":\"0x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\"", true, NULL },
        { NULL, ",\"checkpoint\":\"0x010102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\"", true,
          "checkpoint.root" },
        { NULL, ",\"checkpoint_age_max_s\":86400", true, "checkpoint.age_max_s" },
        { NULL, ",\"network\":\"sepolia\"", true, "network.name" },
        { NULL, "", false, "simulated" },
        { "{\"setup_may_set\":[\"peers\",\"port\",\"execution_rpc\",\"consensus_rpc\"]}", "", true, "development" },
    };
    char text[600];
    snprintf(text, sizeof text, "{\"peers\":[],\"port\":1,\"execution_rpc\":\"http://a\",\"checkpoint\":\"%s\"}",
             named);
    config_t *first = config_of(NULL, text);
    const setup_world_t world = { .simulated = true, .now_s = NOW };
    setup_t theirs;
    err_t e;
    ck_assert_int_eq(setup_make(&theirs, &e, &a, first, &world), RC_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(text, sizeof text, "{" JOINER "%s}", rows[i].extra);
        config_t *c = config_of(rows[i].base, text);
        const setup_world_t own = { .simulated = rows[i].simulated, .now_s = NOW + 86400 };
        setup_t s = { .hash = { { 1 } } };
        const rc_t rc = setup_join(&s, &e, &a, c, &own, theirs.cluster_text, &theirs.hash);
        if (rows[i].field) {
            ck_assert_msg(rc == RC_REFUSED && !strcmp(e.field, rows[i].field), "row %zu: %d, %s: %s", i, rc, e.field,
                          e.text);
            ck_assert_uint_eq(s.hash.b[0], 1);
        } else {
            ck_assert_msg(rc == RC_OK, "row %zu: %s: %s", i, e.field, e.text);
            ck_assert(view_eq(s.cluster_text, theirs.cluster_text) && hash32_eq(&s.hash, &theirs.hash));
            hash32_t other = theirs.hash;
            other.b[31] ^= 1;
            ck_assert_int_eq(setup_join(&s, &e, &a, c, &own, theirs.cluster_text, &other), RC_REFUSED);
        }
        config_free(c);
    }
    config_free(first);
}
END_TEST

START_TEST(a_setup_says_who_chose_what)
{
    static const char *const flags[] = { "api-port", "tee", NULL }, *const environment[] = { "STATE_DIRECTORY", NULL };
    const setup_world_t world = { .simulated = false, .flags = flags, .environment = environment, .now_s = NOW };
    config_t *c = config_of("{\"setup_may_set\":[\"peers\",\"port\",\"execution_rpc\"],\"default_block\":\"finalized\","
                            "\"checkpoint_age_max_s\":86400,\"checkpoint\":\"" THREES "\"}",
                            "{\"peers\":[],\"port\":1,\"execution_rpc\":\"http://a\"}");
    setup_t s;
    err_t e;
    ck_assert_int_eq(setup_make(&s, &e, &a, c, &world), RC_OK);
    ck_assert_str_eq(s.cluster.network, "mainnet");
    ck_assert(s.cluster.chain_id == 1 && !s.cluster.simulated && !s.cluster.development);
    ck_assert_int_eq(s.cluster.found, SETUP_FOUND_CONFIGURATION);
    ck_assert_uint_eq(s.cluster.checkpoint_age_s, 86400);
    ck_assert_uint_eq(s.cluster.checkpoint.b[31], 0x33);
    ck_assert_int_eq(s.node.default_block, SETUP_BY_FINALIZED);
    ck_assert_uint_eq(s.node.setup.count, 3);
    ck_assert_uint_eq(s.node.flags.count, 2);
    ck_assert_str_eq(s.node.environment.names[0], "STATE_DIRECTORY");
    check_hex(
        &s.node.policy_digest,
        "f544e0d269292ee87f9c85ef08d2fb11cdb24ae83c4438d4201fbbf14e6d673b"); /* of {"mode":"same-as-self","version":1} */
    config_free(c);
    c = config_of(NULL, "{\"peers\":[],\"port\":1,\"execution_rpc\":\"http://a\",\"checkpoint\":\"0x"
                        "3333333333333333333333333333333333333333333333333333333333333333\"}");
    ck_assert_int_eq(setup_make(&s, &e, &a, c, &world), RC_OK);
    ck_assert(s.cluster.development && s.cluster.found == SETUP_FOUND_SETUP);
    config_free(c);
}
END_TEST

#define QUORUM "{\"quorum\":2,\"of\":[\"https://a.example\",\"https://b.example/key\",\"https://c.example\"]}"

/* The servers that named it are in the cluster statement; a joiner with the same list takes that over. */
START_TEST(a_checkpoint_of_a_quorum_says_by_whom)
{
    static const char base[] = "{\"checkpoint\":" QUORUM ",\"setup_may_set\":[\"peers\",\"port\",\"execution_rpc\"]}",
                      other[] = "{\"checkpoint\":{\"quorum\":1,\"of\":\"https://a.example\"},"
                                "\"setup_may_set\":[\"peers\",\"port\",\"execution_rpc\"]}",
                      joiner[] = "{\"peers\":[\"a:1\"],\"port\":1,\"execution_rpc\":\"http://a\"}";
    config_t *c = config_of(base, "{\"peers\":[],\"port\":1,\"execution_rpc\":\"http://a\"}");
    checkpoint_t start = { .by = { c->checkpoint.hosts[0], c->checkpoint.hosts[2] }, .by_count = 2, .of = 3 };
    memset(start.root.b, 0x77, 32);
    const setup_world_t world = { .now_s = NOW, .start = &start }, own = { .now_s = NOW };
    setup_t s, joined;
    err_t e;
    ck_assert_int_eq(setup_make(&s, &e, &a, c, &world), RC_OK);
    ck_assert_ptr_nonnull(strstr((const char *)s.cluster_text.p,
                                 "\"checkpoint\":{\"age_max_s\":0,\"by\":[\"a.example\",\"c.example\"],"
                                 "\"found\":\"configuration\",\"of\":3,\"root\":\"0x7777"));
    config_free(c);
    c = config_of(base, joiner);
    ck_assert_msg(setup_join(&joined, &e, &a, c, &own, s.cluster_text, &s.hash) == RC_OK, "%s: %s", e.field, e.text);
    ck_assert(hash32_eq(&joined.hash, &s.hash) && joined.cluster.by_count == 2);
    config_free(c);
    c = config_of(other, joiner);
    ck_assert_int_eq(setup_join(&joined, &e, &a, c, &own, s.cluster_text, &s.hash), RC_REFUSED);
    ck_assert_str_eq(e.field, "checkpoint.of");
    config_free(c);
}
END_TEST

START_TEST(the_rules_are_the_programs)
{
    const setup_rules_t r = setup_rules(lc_network_find("mainnet"));
    ck_assert_uint_eq(r.head_age_s, 300);       /* 25 slots */
    ck_assert_uint_eq(r.finalized_age_s, 6144); /* 16 epochs */
    ck_assert_uint_eq(r.valid_s[SETUP_BY_LATEST], 120);
    ck_assert_uint_eq(r.valid_s[SETUP_BY_SAFE], 1800);
    ck_assert_uint_eq(r.valid_s[SETUP_BY_FINALIZED], 1800);
    ck_assert_uint_eq(r.valid_s[SETUP_BY_BLOCK], 86400);
    ck_assert_uint_eq(r.call_gas, 50000000);
}
END_TEST

/* Of mainnet, by Python: hashlib over json.dumps(..., sort_keys=True, separators=(",", ":")) of the values of
 * eth-clients/mainnet (config.yaml, genesis.json). */
START_TEST(the_digest_of_mainnet_is_known)
{
    const lc_network_t *net = lc_network_find("mainnet");
    hash32_t digest;
    ck_assert_uint_eq(network_forks_until(net, &EVM_MAINNET, NOW), 1767747671);
    ck_assert_int_eq(network_digest(&digest, net, &EVM_MAINNET, 1767747671), RC_OK);
    check_hex(&digest, "58c6a8b83e5b5521b4b52a1bca046f8b5d0b5828bff6addb6ee4314cd9a60a06");
}
END_TEST

/* A fork that is yet to come is no part of what the network is: programs that know of it and those that do not agree. */
START_TEST(what_is_to_come_changes_nothing_until_it_has_come)
{
    lc_network_t net = *lc_network_find("mainnet");
    hash32_t before, after;
    const uint64_t until = network_forks_until(&net, &EVM_MAINNET, NOW);
    ck_assert_int_eq(network_digest(&before, &net, &EVM_MAINNET, until), RC_OK);
    net.blob_schedule[net.blob_rows++] = (lc_blob_row_t){ 500000, 48 };
    ck_assert_uint_eq(network_forks_until(&net, &EVM_MAINNET, NOW), until);
    ck_assert_int_eq(network_digest(&after, &net, &EVM_MAINNET, until), RC_OK);
    ck_assert(hash32_eq(&before, &after));
    const uint64_t later = network_epoch_time(&net, 500000);
    ck_assert_uint_eq(network_forks_until(&net, &EVM_MAINNET, later), later);
    ck_assert_uint_eq(network_forks_until(&net, &EVM_MAINNET, later - 1), until);
    ck_assert_int_eq(network_digest(&after, &net, &EVM_MAINNET, later), RC_OK);
    ck_assert(!hash32_eq(&before, &after));
    ck_assert_uint_eq(network_forks_until(&net, &EVM_MAINNET, 0), net.genesis_time); /* before there is a chain */
}
END_TEST

START_TEST(every_parameter_of_a_network_counts)
{
    const lc_network_t own = *lc_network_find("mainnet");
    lc_network_t n;
    evm_schedule_row_t rows[32];
    evm_chain_t chain = { 1, rows, EVM_MAINNET.count };
    hash32_t same, other;
    const uint64_t until = network_forks_until(&own, &EVM_MAINNET, NOW);
    ck_assert_int_eq(network_digest(&same, &own, &EVM_MAINNET, until), RC_OK);
#define COUNTS(change)                                                                                                 \
    do {                                                                                                               \
        n = own;                                                                                                       \
        memcpy(rows, EVM_MAINNET.rows, EVM_MAINNET.count * sizeof *rows);                                              \
        change;                                                                                                        \
        ck_assert_int_eq(network_digest(&other, &n, &chain, until), RC_OK);                                            \
        ck_assert_msg(!hash32_eq(&same, &other), "%s", #change);                                                       \
    } while (0)
    COUNTS(n.preset.slots_per_epoch--);
    COUNTS(n.preset.epochs_per_period++);
    COUNTS(n.preset.committee_size /= 2);
    COUNTS(n.seconds_per_slot--);
    COUNTS(n.genesis_time--);
    COUNTS(n.genesis_validators_root.b[31]++);
    COUNTS(n.genesis_fork_version[3]++);
    COUNTS(n.fork_version[LC_FULU][3]++);
    COUNTS(n.fork_epoch[LC_ALTAIR]--);
    COUNTS(n.blob_schedule[1].max_blobs++);
    COUNTS(n.blob_schedule[0].epoch--);
    COUNTS(n.max_blobs_electra++);
    COUNTS(n.chain_id++);
    COUNTS(n.min_withdrawability_delay++);
    COUNTS(n.checkpoint_age_epochs++);
    COUNTS(rows[1].timestamp++);
    COUNTS(rows[1].rules.fork++);
    COUNTS(rows[1].rules.blob_max++);
    COUNTS(rows[1].rules.blob_target++);
    COUNTS(rows[1].rules.blob_base_fee_update_fraction++);
    n = own;
    memcpy(rows, EVM_MAINNET.rows, EVM_MAINNET.count * sizeof *rows);
    ck_assert_int_eq(network_digest(&other, &n, &chain, until), RC_OK);
    ck_assert(hash32_eq(&same, &other));
}
END_TEST

/* One network as sdk/networks.json has it: its digest from each moment on at which it changed, the newest first. */
static void put_network(jw_t *w, const char *name)
{
    const lc_network_t *net = lc_network_find(name);
    const evm_chain_t *chain = lc_builtin_find(name)->execution;
    jw_object(w, name);
    jw_u64(w, "chain_id", net->chain_id);
    jw_hex(w, "genesis_validators_root", view_of(net->genesis_validators_root.b, 32));
    jw_array(w, "digests");
    for (uint64_t at = INT64_MAX, from = at; from > net->genesis_time; at = from - 1) {
        hash32_t digest;
        from = network_forks_until(net, chain, at);
        ck_assert_int_eq(network_digest(&digest, net, chain, from), RC_OK);
        jw_object(w, NULL);
        jw_u64(w, "from", from);
        jw_hex(w, "digest", view_of(digest.b, 32));
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
}

/* Where this fails, the file is to become what the message shows. */
START_TEST(the_sdk_knows_the_same_networks)
{
    static const char *const names[] = { "mainnet", "sepolia", "hoodi" };
    char path[512];
    view_t file;
    err_t e;
    jw_t w = jw_of(&a, 1 << 16);
    jw_indent(&w, 2);
    jw_object(&w, NULL);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        put_network(&w, names[i]);
    jw_end(&w);
    const view_t text = jw_done(&w);
    ck_assert_ptr_nonnull(text.p);
    snprintf(path, sizeof path, "%s/../../sdk/networks.json", getenv("TEST_DATA"));
    ck_assert_msg(file_read(&file, &e, path, 1 << 16, 0) == RC_OK, "%s", e.text);
    ck_assert_msg(file.n == text.n + 1 && !memcmp(file.p, text.p, text.n), "sdk/networks.json is to be:\n%s",
                  (const char *)text.p);
    file_free(file);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("setup", set_up, tear_down, members_of_a_cluster_say_the_same_and_no_secret,
                           a_joiner_takes_over_what_it_would_say_itself, a_setup_says_who_chose_what,
                           a_checkpoint_of_a_quorum_says_by_whom, the_rules_are_the_programs,
                           the_digest_of_mainnet_is_known, what_is_to_come_changes_nothing_until_it_has_come,
                           every_parameter_of_a_network_counts, the_sdk_knows_the_same_networks);
}
