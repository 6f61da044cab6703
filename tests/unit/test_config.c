/* Configuration: required keys, named fields in errors, what the measured image lets /setup set, custom networks. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "base/json_tree.h"
#include "node/config/config.h"
#include "tests/unit/unit.h"

#define CHECKPOINT "0xbcf4af127b4823431befec2b877e418dc6de2ca1b481f87c4e5d3ee6c13dcbca"
#define MINIMUM "\"peers\":[],\"port\":4001,\"execution_rpc\":\"http://127.0.0.1:8545\""
#define REST "\"consensus_rpc\":\"http://127.0.0.1:5052\",\"checkpoint\":\"" CHECKPOINT "\""

/* From the recording minimal-fulu of the devnet: its /eth/v1/config/spec and /eth/v1/beacon/genesis, cut to what is read, and a
 * key that a light client does not need. */
#define SPEC                                                                                                                            \
    "\"config\":{\"PRESET_BASE\":\"minimal\",\"SECONDS_PER_SLOT\":\"2\",\"DEPOSIT_CHAIN_ID\":\"1337470\",\"MAX_REQUEST_BLOCKS\":\"1\"," \
    "\"ALTAIR_FORK_VERSION\":\"0x01304801\",\"ALTAIR_FORK_EPOCH\":\"0\",\"BELLATRIX_FORK_VERSION\":\"0x02304801\","                     \
    "\"BELLATRIX_FORK_EPOCH\":\"0\",\"CAPELLA_FORK_VERSION\":\"0x03304801\",\"CAPELLA_FORK_EPOCH\":\"0\","                              \
    "\"DENEB_FORK_VERSION\":\"0x04304801\",\"DENEB_FORK_EPOCH\":\"2\",\"ELECTRA_FORK_VERSION\":\"0x05304801\","                         \
    "\"ELECTRA_FORK_EPOCH\":\"6\",\"FULU_FORK_VERSION\":\"0x06304801\",\"FULU_FORK_EPOCH\":\"12\","                                     \
    "\"BLOB_SCHEDULE\":[{\"EPOCH\":\"20\",\"MAX_BLOBS_PER_BLOCK\":\"15\"},{\"EPOCH\":\"30\",\"MAX_BLOBS_PER_BLOCK\":\"21\"}]}"
#define GENESIS                                                                                                        \
    "\"genesis\":{\"genesis_time\":\"1795226031\",\"genesis_fork_version\":\"0x00304801\","                            \
    "\"genesis_validators_root\":\"0xd0df1dbe4029181c27973b00eac8fef87ccfc91d51e612fc8554ef66933ad390\"}"

static rc_t read(config_t **c, config_error_t *e, const char *base, const char *setup)
{
    *c = NULL;
    return config_read(c, e, base ? view_str(base) : (view_t){ NULL, 0 },
                       setup ? view_str(setup) : (view_t){ NULL, 0 });
}

START_TEST(the_three_required_keys_and_mainnet_are_enough)
{
    config_t *c;
    config_error_t e;
    ck_assert_msg(read(&c, &e, NULL, "{" MINIMUM "}") == RC_OK, "%s: %s", e.field, e.error);
    ck_assert_str_eq(c->network.name, "mainnet");
    ck_assert_uint_eq(c->chain.chain_id, 1);
    ck_assert_uint_eq(c->overlay_port, 4001);
    ck_assert_uint_eq(c->execution_rpc.count, 1);
    ck_assert_uint_eq(c->consensus_rpc.count, 1);
    ck_assert(!hash32_is_zero(&c->checkpoint));
    ck_assert_int_eq(c->default_block, CONFIG_LATEST);
    config_free(c);
}
END_TEST

START_TEST(the_api_port_is_plain_unless_the_setup_asks_for_tls)
{
    static const struct {
        const char *text;
        bool tls;
    } rows[] = { { "{" MINIMUM "}", false },
                 { "{" MINIMUM ",\"api_tls\":false}", false },
                 { "{" MINIMUM ",\"api_tls\":true}", true } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        config_t *c;
        config_error_t e;
        ck_assert_msg(read(&c, &e, NULL, rows[i].text) == RC_OK, "%s: %s", e.field, e.error);
        ck_assert(c->api_tls == rows[i].tls);
        config_free(c);
    }
}
END_TEST

static const struct {
    const char *text, *field;
    rc_t rc;
} bad[] = {
    { "", "", RC_MALFORMED },
    { "{", "", RC_MALFORMED },
    { "[]", "", RC_MALFORMED },
    { "{} x", "", RC_MALFORMED },
    { "{\"port\":1,\"port\":2}", "", RC_MALFORMED },
    { "{}", "peers", RC_MALFORMED },
    { "{\"peers\":[],\"execution_rpc\":\"http://a\"}", "port", RC_MALFORMED },
    { "{\"peers\":[],\"port\":1}", "execution_rpc", RC_MALFORMED },
    { "{\"peers\":\"\",\"port\":1,\"execution_rpc\":\"http://a\"}", "peers", RC_MALFORMED },
    { "{\"peers\":[1],\"port\":1,\"execution_rpc\":\"http://a\"}", "peers", RC_MALFORMED },
    { "{\"peers\":[\"10.0.0.1:4001\"],\"port\":1,\"execution_rpc\":\"http://a\"}", "peers", RC_REFUSED },
    { "{\"peers\":[],\"port\":0,\"execution_rpc\":\"http://a\"}", "port", RC_MALFORMED },
    { "{\"peers\":[],\"port\":65536,\"execution_rpc\":\"http://a\"}", "port", RC_MALFORMED },
    { "{\"peers\":[],\"port\":\"1\",\"execution_rpc\":\"http://a\"}", "port", RC_MALFORMED },
    { "{\"peers\":[],\"port\":1,\"execution_rpc\":7}", "execution_rpc", RC_MALFORMED },
    { "{\"peers\":[],\"port\":1,\"execution_rpc\":[]}", "execution_rpc", RC_MALFORMED },
    { "{\"peers\":[],\"port\":1,\"execution_rpc\":[\"http://a\",1]}", "execution_rpc", RC_MALFORMED },
    { "{\"peers\":[],\"port\":1,\"execution_rpc\":\"file:///etc/passwd\"}", "execution_rpc", RC_MALFORMED },
    { "{\"peers\":[],\"port\":1,\"execution_rpc\":\"http://m\u00fcller\"}", "execution_rpc", RC_MALFORMED },
    { "{" MINIMUM ",\"consensus_rpc\":\"a\"}", "consensus_rpc", RC_MALFORMED },
    { "{" MINIMUM ",\"checkpoint\":\"0x12\"}", "checkpoint", RC_MALFORMED },
    { "{" MINIMUM ",\"checkpoint\":1}", "checkpoint", RC_MALFORMED },
    { "{" MINIMUM ",\"api_tls\":1}", "api_tls", RC_MALFORMED },
    { "{" MINIMUM ",\"api_tls\":\"true\"}", "api_tls", RC_MALFORMED },
    { "{" MINIMUM ",\"network\":\"goerli\"}", "network", RC_MALFORMED },
    { "{" MINIMUM ",\"network\":1}", "network", RC_MALFORMED },
    { "{" MINIMUM ",\"network\":\"sepolia\"}", "checkpoint", RC_MALFORMED },
    { "{" MINIMUM ",\"network\":\"sepolia\",\"checkpoint\":\"" CHECKPOINT "\"}", "consensus_rpc", RC_MALFORMED },
    { "{" MINIMUM ",\"network\":{}}", "network.config", RC_MALFORMED },
    { "{" MINIMUM ",\"network\":{" SPEC "}}", "network.genesis", RC_MALFORMED },
    { "{" MINIMUM ",\"network\":{" SPEC "," GENESIS ",\"colour\":1}}", "network.colour", RC_MALFORMED },
    { "{" MINIMUM ",\"network\":{\"preset\":\"huge\"," SPEC "," GENESIS "}}", "network.preset", RC_MALFORMED },
    { "{" MINIMUM ",\"network\":{" SPEC "," GENESIS ",\"execution\":{\"forks\":{\"paris\":1,\"moon\":2}}}}",
      "network.execution.forks", RC_MALFORMED },
    { "{" MINIMUM ",\"network\":{" SPEC "," GENESIS ",\"execution\":{\"forks\":{\"cancun\":9,\"prague\":3}}}}",
      "network.execution.forks", RC_MALFORMED },
    { "{" MINIMUM ",\"tee\":\"sgx\"}", "tee", RC_MALFORMED },
    { "{" MINIMUM ",\"transport\":\"carrier pigeon\"}", "transport", RC_MALFORMED },
    { "{" MINIMUM ",\"default_block\":\"pending\"}", "default_block", RC_MALFORMED },
    { "{" MINIMUM ",\"api_port\":-1}", "api_port", RC_MALFORMED },
    { "{" MINIMUM ",\"policy\":1}", "policy", RC_MALFORMED },
    { "{" MINIMUM ",\"pccs\":\"ftp://x\"}", "pccs", RC_MALFORMED },
    { "{" MINIMUM ",\"collateral_file\":\"relative\"}", "collateral_file", RC_MALFORMED },
    { "{" MINIMUM ",\"operator_key\":\"02\"}", "operator_key", RC_REFUSED },
    { "{" MINIMUM ",\"surprise\":1}", "surprise", RC_MALFORMED },
    { "{" MINIMUM ",\"setup_may_set\":[\"peers\"]}", "setup_may_set", RC_MALFORMED },
};

START_TEST(a_bad_setup_is_refused_with_the_field_named)
{
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        config_t *c;
        config_error_t e;
        rc_t rc = read(&c, &e, NULL, bad[i].text);
        ck_assert_msg(rc == bad[i].rc, "%s: rc %d (%s: %s)", bad[i].text, rc, e.field, e.error);
        ck_assert_msg(!strcmp(e.field, bad[i].field), "%s: field %s (%s)", bad[i].text, e.field, e.error);
        ck_assert_msg(e.error[0], "%s", bad[i].text);
        ck_assert_ptr_null(c);
    }
}
END_TEST

#define AS "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* Fields and errors quote the setup, cut to fit; they are JSON text later, which a half character would not be. */
START_TEST(what_is_quoted_ends_with_a_whole_character)
{
    static const char *const characters[] = { "\u00e9", "\u20ac", "\U0001f600" };
    for (size_t i = 0; i < 3; i++)
        for (int lead = 0; lead < 70; lead++) {
            char text[4096];
            config_t *c;
            config_error_t e;
            snprintf(text, sizeof text, "{" MINIMUM ",\"network\":\"%.*s%s\"}", lead, AS, characters[i]);
            ck_assert_int_ne(read(&c, &e, NULL, text), RC_OK);
            json_t *error = json_string(e.error);
            ck_assert_msg(error != NULL, "%s", text);
            json_decref(error);
            snprintf(text, sizeof text, "{" MINIMUM ",\"%.*s%s\":1}", lead, AS, characters[i]);
            ck_assert_int_eq(read(&c, &e, NULL, text), RC_MALFORMED);
            json_t *field = json_string(e.field);
            ck_assert_msg(field && e.field[0], "%s", text);
            json_decref(field);
            snprintf(text, sizeof text, "{" MINIMUM "," REST ",\"network\":{\"name\":\"%.*s%s\"," SPEC "," GENESIS "}}",
                     lead, AS, characters[i]);
            ck_assert_msg(read(&c, &e, NULL, text) == RC_OK, "%s: %s", e.field, e.error);
            json_t *name = json_string(c->network.name);
            ck_assert_msg(name != NULL, "%s", text);
            json_decref(name);
            config_free(c);
        }
}
END_TEST

START_TEST(every_truncation_is_refused)
{
    static const char whole[] = "{" MINIMUM "," REST ",\"network\":{" SPEC "," GENESIS "}}";
    for (size_t n = 0; n + 1 < sizeof whole; n++) {
        char *cut = malloc(n ? n : 1);
        config_t *c = NULL;
        config_error_t e;
        memcpy(cut, whole, n);
        ck_assert_int_eq(config_read(&c, &e, (view_t){ NULL, 0 }, view_of(cut, n)), RC_MALFORMED);
        free(cut);
    }
}
END_TEST

START_TEST(a_custom_network_takes_the_beacon_nodes_own_words)
{
    config_t *c;
    config_error_t e;
    ck_assert_msg(read(&c, &e, NULL, "{" MINIMUM "," REST ",\"network\":{\"name\":\"dev\"," SPEC "," GENESIS "}}") ==
                      RC_OK,
                  "%s: %s", e.field, e.error);
    const lc_network_t *n = &c->network;
    ck_assert_str_eq(n->name, "dev");
    ck_assert_uint_eq(n->preset.committee_size, 32);
    ck_assert_uint_eq(n->seconds_per_slot, 2);
    ck_assert_uint_eq(n->genesis_time, 1795226031);
    ck_assert_uint_eq(n->fork_epoch[LC_FULU], 12);
    ck_assert_uint_eq(n->fork_version[LC_DENEB][0], 4);
    ck_assert_uint_eq(n->blob_rows, 2);
    /* Execution forks begin with their consensus twins: epochs of 8 slots of 2 s. */
    ck_assert_uint_eq(evm_chain_rules(&c->chain, 1795226031)->fork, EVM_SHANGHAI);
    ck_assert_uint_eq(evm_chain_rules(&c->chain, 1795226031 + 2 * 16)->fork, EVM_CANCUN);
    ck_assert_uint_eq(evm_chain_rules(&c->chain, 1795226031 + 6 * 16 - 1)->fork, EVM_CANCUN);
    ck_assert_uint_eq(evm_chain_rules(&c->chain, 1795226031 + 6 * 16)->fork, EVM_PRAGUE);
    const evm_rules_t *last = evm_chain_rules(&c->chain, 1795226031 + 30 * 16);
    ck_assert_uint_eq(last->fork, EVM_OSAKA);
    ck_assert_uint_eq(last->blob_max, 21);
    ck_assert_uint_eq(last->blob_target, 14);
    ck_assert_uint_eq(last->blob_base_fee_update_fraction, 11684671); /* EIP-7892, mainnet's BPO2 */
    ck_assert_uint_eq(evm_chain_rules(&c->chain, 1795226031 + 20 * 16)->blob_base_fee_update_fraction, 8346193);
    config_free(c);
}
END_TEST

START_TEST(execution_forks_can_be_given)
{
    config_t *c;
    config_error_t e;
    static const char text[] =
        "{" MINIMUM "," REST ",\"network\":{" SPEC "," GENESIS
        ",\"execution\":{\"chain_id\":77,\"forks\":{\"shanghai\":0,\"cancun\":0,\"prague\":1795226100}}}}";
    ck_assert_msg(read(&c, &e, NULL, text) == RC_OK, "%s: %s", e.field, e.error);
    ck_assert_uint_eq(c->chain.chain_id, 77);
    ck_assert_uint_eq(evm_chain_rules(&c->chain, 5)->fork, EVM_CANCUN);
    ck_assert_uint_eq(evm_chain_rules(&c->chain, 1795226100)->fork, EVM_PRAGUE);
    ck_assert_uint_eq(evm_chain_rules(&c->chain, 1895226100)->fork, EVM_PRAGUE);
    config_free(c);
}
END_TEST

START_TEST(setup_sets_only_what_the_measured_configuration_lists)
{
    static const char base[] = "{" REST ",\"setup_may_set\":[\"peers\",\"port\",\"execution_rpc\"]}";
    config_t *c;
    config_error_t e;
    ck_assert_int_eq(config_check_base(&e, view_str(base)), RC_OK);
    ck_assert(!config_is_complete(view_str(base)));
    ck_assert_msg(read(&c, &e, base, "{" MINIMUM "}") == RC_OK, "%s: %s", e.field, e.error);
    config_free(c);
    ck_assert_int_eq(read(&c, &e, base, "{" MINIMUM ",\"checkpoint\":\"" CHECKPOINT "\"}"), RC_REFUSED);
    ck_assert_str_eq(e.field, "checkpoint");
    ck_assert_int_eq(read(&c, &e, base, "{" MINIMUM ",\"network\":\"mainnet\"}"), RC_REFUSED);
    ck_assert_str_eq(e.field, "network");
    ck_assert_int_eq(read(&c, &e, "{" REST "}", "{" MINIMUM "}"),
                     RC_REFUSED); /* a file without the list lets nothing in */
    ck_assert_int_eq(config_check_base(&e, view_str("{\"setup_may_set\":[\"colour\"]}")), RC_MALFORMED);
    ck_assert_int_eq(config_check_base(&e, view_str("{\"port\":70000}")), RC_MALFORMED);
}
END_TEST

START_TEST(a_complete_file_needs_no_setup)
{
    ck_assert(config_is_complete(view_str("{" MINIMUM "}")));
    ck_assert(!config_is_complete((view_t){ NULL, 0 }));
}
END_TEST

START_TEST(the_setup_hash_covers_every_key_and_no_spelling)
{
    config_t *a, *b, *c;
    config_error_t e;
    ck_assert_int_eq(read(&a, &e, NULL, "{" MINIMUM "," REST "}"), RC_OK);
    ck_assert_int_eq(read(&b, &e, NULL, "{" REST ",  " MINIMUM " }"), RC_OK);
    ck_assert_int_eq(read(&c, &e, NULL, "{" MINIMUM "," REST ",\"default_block\":\"finalized\"}"), RC_OK);
    ck_assert(hash32_eq(&a->setup_hash, &b->setup_hash));
    ck_assert(!hash32_eq(&a->setup_hash, &c->setup_hash));
    config_free(a), config_free(b), config_free(c);
}
END_TEST

int main(void)
{
    return UNIT_RUN("config", the_three_required_keys_and_mainnet_are_enough,
                    the_api_port_is_plain_unless_the_setup_asks_for_tls, a_bad_setup_is_refused_with_the_field_named,
                    what_is_quoted_ends_with_a_whole_character, every_truncation_is_refused,
                    a_custom_network_takes_the_beacon_nodes_own_words, execution_forks_can_be_given,
                    setup_sets_only_what_the_measured_configuration_lists, a_complete_file_needs_no_setup,
                    the_setup_hash_covers_every_key_and_no_spelling);
}
