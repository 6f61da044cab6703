/* Configuration: required keys, named fields in errors, what the measured image lets /setup set, custom networks. */
#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "node/config/config.h"
#include "tests/unit/config_texts.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"

static bool open; /* a file that was checked says development */

static hosting_t hosting;

#define OPERATOR_1 "0x8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"
#define OPERATOR_2 "0xde9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"
#define NO_OPERATOR "0x0100000000000000000000000000000000000000000000000000000000000000" /* of small order */
#define OPERATORS(threshold) "{\"threshold\":" threshold ",\"keys\":[\"" OPERATOR_1 "\",\"" OPERATOR_2 "\"]}"

START_TEST(the_three_required_keys_and_mainnet_are_enough)
{
    config_t *c;
    err_t e;
    ck_assert_msg(read_texts(&c, &e, NULL, "{" MINIMUM "}") == RC_OK, "%s: %s", e.field, e.text);
    ck_assert_str_eq(c->network.name, "mainnet");
    ck_assert_uint_eq(c->chain.chain_id, 1);
    ck_assert_uint_eq(c->overlay_port, 4001);
    ck_assert_uint_eq(c->execution_rpc.count, 1);
    ck_assert_uint_eq(c->consensus_rpc.count, 1);
    ck_assert(c->checkpoint.kind == CHECKPOINT_ROOT && !hash32_is_zero(&c->checkpoint.root));
    ck_assert_int_eq(c->default_block, CONFIG_LATEST);
    config_free(c);
}
END_TEST

START_TEST(a_node_with_peers_needs_no_beacon_api)
{
    config_t *c;
    err_t e;
    ck_assert_msg(read_texts(&c, &e, NULL,
                             "{\"peers\":[\"a:1\"],\"port\":1,\"execution_rpc\":\"http://a\",\"consensus_rpc\":[]}") ==
                      RC_OK,
                  "%s: %s", e.field, e.text);
    ck_assert_uint_eq(c->consensus_rpc.count, 0); /* and not the network's default */
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
        err_t e;
        ck_assert_msg(read_texts(&c, &e, NULL, rows[i].text) == RC_OK, "%s: %s", e.field, e.text);
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
    { "{\"peers\":[1],\"port\":1,\"execution_rpc\":\"http://a\"}", "peers[0]", RC_MALFORMED },
    { "{\"peers\":[\"10.0.0.1\"],\"port\":1,\"execution_rpc\":\"http://a\"}", "peers[0]", RC_MALFORMED },
    { "{\"peers\":[\"10.0.0.1:0\"],\"port\":1,\"execution_rpc\":\"http://a\"}", "peers[0]", RC_MALFORMED },
    { "{\"peers\":[\"10.0.0.1:65536\"],\"port\":1,\"execution_rpc\":\"http://a\"}", "peers[0]", RC_MALFORMED },
    { "{\"peers\":[\"10.0.0.1:4001\",\"10.0.0:1\"],\"port\":1,\"execution_rpc\":\"http://a\"}", "peers[1]",
      RC_MALFORMED },
    { "{\"peers\":[\"/ip4/10.0.0.1/udp/4001\"],\"port\":1,\"execution_rpc\":\"http://a\"}", "peers[0]", RC_REFUSED },
    { "{\"peers\":[\"a:1\"],\"cluster\":\"new\",\"port\":1,\"execution_rpc\":\"http://a\"}", "cluster", RC_MALFORMED },
    { "{\"peers\":[],\"cluster\":\"old\",\"port\":1,\"execution_rpc\":\"http://a\"}", "cluster", RC_MALFORMED },
    { "{\"peers\":[],\"cluster\":\"04" CHECKPOINT_DIGITS "\",\"port\":1,\"execution_rpc\":\"http://a\"}", "cluster",
      RC_MALFORMED },
    { "{\"peers\":[],\"port\":0,\"execution_rpc\":\"http://a\"}", "port", RC_MALFORMED },
    { "{\"peers\":[],\"port\":65536,\"execution_rpc\":\"http://a\"}", "port", RC_MALFORMED },
    { "{\"peers\":[],\"port\":\"1\",\"execution_rpc\":\"http://a\"}", "port", RC_MALFORMED },
    { "{\"peers\":[],\"port\":1,\"execution_rpc\":7}", "execution_rpc", RC_MALFORMED },
    { "{\"peers\":[],\"port\":1,\"execution_rpc\":[]}", "execution_rpc", RC_MALFORMED },
    { "{\"peers\":[],\"port\":1,\"execution_rpc\":[\"http://a\",1]}", "execution_rpc[1]", RC_MALFORMED },
    { "{\"peers\":[],\"port\":1,\"execution_rpc\":\"file:///etc/passwd\"}", "execution_rpc", RC_MALFORMED },
    { "{\"peers\":[],\"port\":1,\"execution_rpc\":\"http://m\u00fcller\"}", "execution_rpc", RC_MALFORMED },
    { "{" MINIMUM ",\"consensus_rpc\":\"a\"}", "consensus_rpc", RC_MALFORMED },
    { "{" MINIMUM ",\"consensus_rpc\":[]}", "consensus_rpc", RC_MALFORMED },
    { "{\"peers\":[],\"port\":1,\"execution_rpc\":[]}", "execution_rpc", RC_MALFORMED },
    { "{\"peers\":[\"a:1\",1],\"port\":1,\"execution_rpc\":\"http://a\"}", "peers[1]", RC_MALFORMED },
    { "{\"peers\":[],\"port\":1,\"execution_rpc\":[1,\"http://a\"]}", "execution_rpc[0]", RC_MALFORMED },
    { "{\"peers\":[],\"port\":1,\"execution_rpc\":[\"http://a\",\"ftp://b\",\"http://c\"]}", "execution_rpc[1]",
      RC_MALFORMED },
    { "{\"peers\":[],\"port\":1,\"execution_rpc\":\"http://a b\"}", "execution_rpc", RC_MALFORMED },
    { "{\"peers\":[],\"port\":1,\"execution_rpc\":\" http://a\"}", "execution_rpc", RC_MALFORMED },
    { "{\"peers\":[],\"port\":1,\"execution_rpc\":\"http://a/ \"}", "execution_rpc", RC_MALFORMED },
    { "{\"peers\":[],\"port\":1,\"execution_rpc\":\"http://a/\\u001f\"}", "execution_rpc", RC_MALFORMED },
    { "{\"peers\":[],\"port\":1,\"execution_rpc\":\"http://a/\\u007f\"}", "execution_rpc", RC_MALFORMED },
    { "{" MINIMUM ",\"consensus_rpc\":[\"http://a\",null]}", "consensus_rpc[1]", RC_MALFORMED },
    { "{" MINIMUM ",\"pccs\":[{},\"http://a\"]}", "pccs[0]", RC_MALFORMED },
    { "{" MINIMUM ",\"checkpoint_age_max_s\":0}", "checkpoint_age_max_s", RC_MALFORMED },
    { "{" MINIMUM ",\"checkpoint_age_max_s\":-1}", "checkpoint_age_max_s", RC_MALFORMED },
    { "{" MINIMUM ",\"checkpoint_age_max_s\":\"x\"}", "checkpoint_age_max_s", RC_MALFORMED },
    { "{" MINIMUM ",\"checkpoint_age_max_s\":1.5}", "checkpoint_age_max_s", RC_MALFORMED },
    { "{" MINIMUM ",\"checkpoint_age_max_s\":315360001}", "checkpoint_age_max_s", RC_MALFORMED },
    { "{" MINIMUM ",\"collateral_file\":1}", "collateral_file", RC_MALFORMED },
    { "{" MINIMUM ",\"ca_file\":1}", "ca_file", RC_MALFORMED },
    { "{" MINIMUM ",\"ca_file\":\"relative\"}", "ca_file", RC_MALFORMED },
    { "{" MINIMUM ",\"ca_file\":{\"pccs\":\"\"}}", "ca_file.pccs", RC_MALFORMED },
    { "{" MINIMUM ",\"ca_file\":{\"beacon\":\"/a\"}}", "ca_file.beacon", RC_MALFORMED },
    { "{" MINIMUM ",\"proxy\":\"http://a\"}", "proxy", RC_MALFORMED },
    { "{" MINIMUM ",\"proxy\":true}", "proxy", RC_MALFORMED },
    { "{" MINIMUM ",\"collateral_file\":\"\"}", "collateral_file", RC_MALFORMED },
    { "{" MINIMUM ",\"tee\":1}", "tee", RC_MALFORMED },
    { "{" MINIMUM ",\"tee\":\"\"}", "tee", RC_MALFORMED },
    { "{" MINIMUM ",\"transport\":null}", "transport", RC_MALFORMED },
    { "{" MINIMUM ",\"default_block\":0}", "default_block", RC_MALFORMED },
    { "{" MINIMUM ",\"default_block\":\"Latest\"}", "default_block", RC_MALFORMED },
    { "{" MINIMUM ",\"api_port\":0}", "api_port", RC_MALFORMED },
    { "{" MINIMUM ",\"api_port\":65536}", "api_port", RC_MALFORMED },
    { "{" MINIMUM ",\"policy_signers\":[]}", "policy_signers", RC_MALFORMED },
    { "{" MINIMUM ",\"policy_signers\":{\"threshold\":1,\"keys\":[]}}", "policy_signers.keys", RC_MALFORMED },
    { "{" MINIMUM ",\"policy_signers\":{\"threshold\":1,\"keys\":[\"04" CHECKPOINT_DIGITS "\"]}}",
      "policy_signers.keys[0]", RC_MALFORMED },
    { "{" MINIMUM ",\"policy_signers\":{\"threshold\":2,\"keys\":[\"02" CHECKPOINT_DIGITS "\"]}}",
      "policy_signers.threshold", RC_MALFORMED },
    { "{" MINIMUM ",\"policy_signers\":{\"threshold\":1,\"keys\":[\"02" CHECKPOINT_DIGITS "\",\"02" CHECKPOINT_DIGITS
      "\"]}}",
      "policy_signers.keys[1]", RC_MALFORMED },
    { "{" MINIMUM ",\"policy\":{}}", "policy.version", RC_MALFORMED },
    { "{" MINIMUM ",\"policy\":{\"version\":2,\"mode\":\"same-as-self\"}}", "policy.version", RC_MALFORMED },
    { "{" MINIMUM ",\"policy\":{\"version\":1,\"mode\":\"same-as-self\",\"tcb\":{\"accept\":[\"Revoked\"]}}}",
      "policy.tcb.accept[0]", RC_REFUSED },
    { "{" WITHOUT_CHECKPOINT ",\"checkpoint\":\"0x0000000000000000000000000000000000000000000000000000000000000000\"}",
      "checkpoint", RC_MALFORMED },
    { "{" WITHOUT_CHECKPOINT ",\"checkpoint\":\"0x12\"}", "checkpoint", RC_MALFORMED },
    { "{" WITHOUT_CHECKPOINT ",\"checkpoint\":1}", "checkpoint", RC_MALFORMED },
    { "{" MINIMUM ",\"api_tls\":1}", "api_tls", RC_MALFORMED },
    { "{" MINIMUM ",\"api_tls\":\"true\"}", "api_tls", RC_MALFORMED },
    { "{" MINIMUM ",\"network\":\"goerli\"}", "network", RC_MALFORMED },
    { "{" MINIMUM ",\"network\":1}", "network", RC_MALFORMED },
    { "{" WITHOUT_CHECKPOINT "}", "checkpoint", RC_MALFORMED },
    { "{" MINIMUM ",\"network\":\"sepolia\"}", "consensus_rpc", RC_MALFORMED },
    { "{" MINIMUM ",\"network\":{}}", "network.config", RC_MALFORMED },
    { "{" MINIMUM ",\"network\":{" SPEC "}}", "network.genesis", RC_MALFORMED },
    { "{" MINIMUM ",\"network\":{" SPEC "," GENESIS "," BLOBS ",\"colour\":1}}", "network.colour", RC_MALFORMED },
    { "{" MINIMUM ",\"network\":{\"preset\":\"huge\"," SPEC "," GENESIS "," BLOBS "}}", "network.preset",
      RC_MALFORMED },
    { "{" MINIMUM ",\"network\":{" SPEC "," GENESIS ",\"execution\":{\"forks\":{\"paris\":1,\"Moon\":2}}}}",
      "network.execution.forks.Moon", RC_MALFORMED },
    { "{" MINIMUM ",\"network\":{" SPEC "," GENESIS
      ",\"execution\":{\"forks\":{\"cancun\":1795226039,\"prague\":1795226033}}}}",
      "network.execution.forks", RC_MALFORMED },
    { "{" MINIMUM ",\"tee\":\"sgx\"}", "tee", RC_MALFORMED },
    { "{" MINIMUM ",\"transport\":\"carrier pigeon\"}", "transport", RC_MALFORMED },
    { "{" MINIMUM ",\"relay\":\"both\"}", "relay", RC_MALFORMED },
    { "{" MINIMUM ",\"recovery\":\"kms\"}", "recovery", RC_MALFORMED },
    { "{" MINIMUM ",\"recovery\":\"shares\"}", "recovery_shares", RC_MALFORMED },
    { "{" MINIMUM ",\"recovery_shares\":" OPERATORS("2") "}", "recovery_shares", RC_MALFORMED },
    { "{" MINIMUM ",\"recovery\":\"shares\",\"recovery_shares\":" OPERATORS("1") "}", "recovery_shares.threshold",
      RC_MALFORMED },
    { "{" MINIMUM ",\"recovery\":\"shares\",\"recovery_shares\":" OPERATORS("3") "}", "recovery_shares.threshold",
      RC_MALFORMED },
    { "{" MINIMUM ",\"recovery\":\"shares\",\"recovery_shares\":{\"threshold\":2,\"keys\":[\"" OPERATOR_2
      "\",\"" OPERATOR_1 "\"]}}",
      "recovery_shares.keys[1]", RC_MALFORMED },
    { "{" MINIMUM ",\"recovery\":\"shares\",\"recovery_shares\":{\"threshold\":2,\"keys\":[\"" NO_OPERATOR
      "\",\"" OPERATOR_1 "\"]}}",
      "recovery_shares.keys[0]", RC_MALFORMED },
    { "{" MINIMUM ",\"default_block\":\"pending\"}", "default_block", RC_MALFORMED },
    { "{" MINIMUM ",\"api_port\":-1}", "api_port", RC_MALFORMED },
    { "{" MINIMUM ",\"policy\":1}", "policy", RC_MALFORMED },
    { "{" MINIMUM ",\"pccs\":\"ftp://x\"}", "pccs", RC_MALFORMED },
    { "{" MINIMUM ",\"standing\":{}}", "standing.max", RC_MALFORMED },
    { "{" MINIMUM ",\"standing\":{\"max\":0}}", "standing.max", RC_MALFORMED },
    { "{" MINIMUM ",\"standing\":{\"max\":4097}}", "standing.max", RC_MALFORMED },
    { "{" MINIMUM ",\"standing\":{\"max\":1,\"gas_per_head\":0}}", "standing.gas_per_head", RC_MALFORMED },
    { "{" MINIMUM ",\"standing\":{\"max\":1,\"notify\":\"x\"}}", "standing.notify", RC_MALFORMED },
    { "{" MINIMUM ",\"standing\":7}", "standing", RC_MALFORMED },
    { "{" MINIMUM ",\"ccip_senders\":[]}", "ccip_senders", RC_MALFORMED },
    { "{" MINIMUM ",\"ccip_senders\":\"0x" TWENTY "\"}", "ccip_senders", RC_MALFORMED },
    { "{" MINIMUM ",\"ccip_senders\":[\"0x" TWENTY "\",\"0x" TWENTY "00\"]}", "ccip_senders[1]", RC_MALFORMED },
    { "{" MINIMUM ",\"collateral_file\":\"relative\"}", "collateral_file", RC_MALFORMED },
    { "{" MINIMUM ",\"operator_key\":\"02\"}", "operator_key", RC_MALFORMED },
    { "{" MINIMUM ",\"operator_key\":\"04" CHECKPOINT_DIGITS "\"}", "operator_key", RC_MALFORMED },
    { "{" MINIMUM ",\"surprise\":1}", "surprise", RC_MALFORMED },
    { "{" MINIMUM ",\"setup_may_set\":[\"peers\"]}", "setup_may_set", RC_MALFORMED },
};

START_TEST(a_bad_setup_is_refused_with_the_field_named)
{
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        config_t *c;
        err_t e;
        rc_t rc = read_texts(&c, &e, NULL, bad[i].text);
        ck_assert_msg(rc == bad[i].rc, "%s: rc %d (%s: %s)", bad[i].text, rc, e.field, e.text);
        ck_assert_msg(!strcmp(e.field, bad[i].field), "%s: field %s (%s)", bad[i].text, e.field, e.text);
        ck_assert_msg(e.text[0], "%s", bad[i].text);
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
            err_t e;
            snprintf(text, sizeof text, "{" MINIMUM ",\"network\":\"%.*s%s\"}", lead, AS, characters[i]);
            ck_assert_int_ne(read_texts(&c, &e, NULL, text), RC_OK);
            json_t *error = json_string(e.text);
            ck_assert_msg(error != NULL, "%s", text);
            json_decref(error);
            snprintf(text, sizeof text, "{" MINIMUM ",\"%.*s%s\":1}", lead, AS, characters[i]);
            ck_assert_int_eq(read_texts(&c, &e, NULL, text), RC_MALFORMED);
            json_t *field = json_string(e.field);
            ck_assert_msg(field && e.field[0], "%s", text);
            json_decref(field);
        }
}
END_TEST

START_TEST(every_truncation_is_refused)
{
    static const char whole[] = "{" MINIMUM "," REST ",\"network\":{" SPEC "," GENESIS "," BLOBS "}}";
    for (size_t n = 0; n + 1 < sizeof whole; n++) {
        char *cut = malloc(n ? n : 1);
        config_t *c = NULL;
        err_t e;
        memcpy(cut, whole, n);
        ck_assert_int_eq(config_read(&c, &e, (view_t){ NULL, 0 }, view_of(cut, n), true), RC_MALFORMED);
        free(cut);
    }
}
END_TEST

START_TEST(setup_sets_only_what_the_measured_configuration_lists)
{
    static const char base[] =
        "{" REST ",\"checkpoint\":\"" CHECKPOINT "\",\"setup_may_set\":[\"peers\",\"port\",\"execution_rpc\"]}";
    config_t *c;
    err_t e;
    ck_assert_int_eq(config_check_base(&open, &hosting, &e, view_str(base)), RC_OK);
    ck_assert(!config_is_complete(view_str(base)));
    ck_assert_msg(read_texts(&c, &e, base, "{" WITHOUT_CHECKPOINT "}") == RC_OK, "%s: %s", e.field, e.text);
    config_free(c);
    ck_assert_int_eq(read_texts(&c, &e, base, "{" MINIMUM "}"), RC_REFUSED);
    ck_assert_str_eq(e.field, "checkpoint");
    ck_assert_int_eq(read_texts(&c, &e, base, "{" WITHOUT_CHECKPOINT ",\"network\":\"mainnet\"}"), RC_REFUSED);
    ck_assert_str_eq(e.field, "network");
    ck_assert_int_eq(read_texts(&c, &e, "{" REST "}", "{" MINIMUM "}"),
                     RC_REFUSED); /* a file without the list lets nothing in */
    ck_assert_int_eq(config_check_base(&open, &hosting, &e, view_str("{\"setup_may_set\":[\"colour\"]}")),
                     RC_MALFORMED);
    ck_assert_int_eq(config_check_base(&open, &hosting, &e, view_str("{\"port\":70000}")), RC_MALFORMED);
}
END_TEST

START_TEST(a_complete_file_needs_no_setup)
{
    ck_assert(config_is_complete(view_str("{" MINIMUM "}")));
    ck_assert(!config_is_complete((view_t){ NULL, 0 }));
}
END_TEST

START_TEST(what_brings_the_key_back_is_said)
{
    static const char shares[] =
        "{" MINIMUM "," REST ",\"recovery\":\"shares\",\"recovery_shares\":" OPERATORS("2") "}";
    static const char seal[] = "{" MINIMUM "," REST ",\"recovery\":\"seal\"}", none[] = "{" MINIMUM "," REST "}";
    config_t *c = NULL;
    err_t e;
    ck_assert_int_eq(config_read(&c, &e, view_str(none), view_of(NULL, 0), false), RC_OK);
    ck_assert(c->recovery.mode == SETUP_RECOVERY_NONE && !c->recovery.count && !c->recovery.threshold);
    config_free(c);
    ck_assert_int_eq(config_read(&c, &e, view_str(seal), view_of(NULL, 0), false), RC_OK);
    ck_assert(c->recovery.mode == SETUP_RECOVERY_SEAL && !c->recovery.count && !c->recovery.threshold);
    config_free(c);
    ck_assert_int_eq(config_read(&c, &e, view_str(shares), view_of(NULL, 0), false), RC_OK);
    ck_assert(c->recovery.mode == SETUP_RECOVERY_SHARES && c->recovery.count == 2 && c->recovery.threshold == 2);
    ck_assert(c->recovery.keys[0][0] == 0x85 && c->recovery.keys[1][31] == 0x4f);
    config_free(c);
}
END_TEST

START_TEST(the_checkpoint_is_known_by_who_named_it)
{
    static const struct {
        const char *base, *setup;
        setup_found_t found;
    } rows[] = {
        { NULL, "{" MINIMUM "}", SETUP_FOUND_SETUP },
        { "{\"checkpoint\":\"" CHECKPOINT "\",\"setup_may_set\":[\"peers\",\"port\",\"execution_rpc\"]}",
          "{" WITHOUT_CHECKPOINT "}", SETUP_FOUND_CONFIGURATION },
        { "{\"checkpoint\":\"" CHECKPOINT "\",\"setup_may_set\":[\"checkpoint\"]," WITHOUT_CHECKPOINT "}",
          "{\"checkpoint\":\"" CHECKPOINT "\"}", SETUP_FOUND_SETUP },
        { "{" WITHOUT_CHECKPOINT ",\"checkpoint\":\"" CHECKPOINT "\"}", NULL, SETUP_FOUND_CONFIGURATION },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        config_t *c;
        err_t e;
        ck_assert_msg(read_texts(&c, &e, rows[i].base, rows[i].setup) == RC_OK, "%zu: %s: %s", i, e.field, e.text);
        ck_assert_msg(c->checkpoint_found == rows[i].found, "%zu", i);
        config_free(c);
    }
}
END_TEST

START_TEST(what_a_setup_may_set_is_listed)
{
    config_t *c;
    err_t e;
    size_t count, all = 0;
    const option_t *o = config_options(&count);
    ck_assert_int_eq(read_texts(&c, &e,
                                "{\"setup_may_set\":[\"port\",\"peers\",\"execution_rpc\"],\"checkpoint\":\"" CHECKPOINT
                                "\"}",
                                "{" WITHOUT_CHECKPOINT "}"),
                     RC_OK);
    ck_assert_uint_eq(c->may_set.count, 3);
    ck_assert_str_eq(c->may_set.names[0], "peers"); /* in the table's order */
    ck_assert_str_eq(c->may_set.names[2], "execution_rpc");
    ck_assert(!c->development);
    config_free(c);
    ck_assert_int_eq(read_texts(&c, &e, "{" MINIMUM "}", NULL), RC_OK);
    ck_assert(c->may_set.count == 0 && !c->development);
    config_free(c);
    ck_assert_int_eq(read_texts(&c, &e, NULL, "{" MINIMUM "}"), RC_OK);
    for (size_t i = 0; i < count; i++)
        all += !o[i].file_only && !o[i].setup_only;
    ck_assert_uint_eq(c->may_set.count, all);
    ck_assert(c->development);
    config_free(c);
}
END_TEST

START_TEST(any_setup_may_ask_to_be_taken_without_a_trial_and_no_statement_says_so)
{
    static const char base[] =
        "{\"checkpoint\":\"" CHECKPOINT "\",\"setup_may_set\":[\"peers\",\"port\",\"execution_rpc\"]}";
    config_t *c;
    err_t e;
    ck_assert_msg(read_texts(&c, &e, base, "{" WITHOUT_CHECKPOINT ",\"force\":true}") == RC_OK, "%s: %s", e.field,
                  e.text);
    ck_assert(c->force && c->may_set.count == 3);
    config_free(c);
    ck_assert_int_eq(read_texts(&c, &e, base, "{" WITHOUT_CHECKPOINT "}"), RC_OK);
    ck_assert(!c->force);
    config_free(c);
    ck_assert_int_eq(read_texts(&c, &e, "{" MINIMUM ",\"force\":true}", NULL), RC_MALFORMED);
    ck_assert_str_eq(e.field, "force");
}
END_TEST

START_TEST(a_required_key_that_nobody_may_give_is_told_at_start)
{
    static const struct {
        const char *base, *field; /* NULL: all may come */
    } rows[] = {
        { "{\"setup_may_set\":[\"peers\",\"port\",\"execution_rpc\"]}", NULL },
        { "{\"peers\":[\"a:1\"],\"setup_may_set\":[\"port\",\"execution_rpc\"]}", NULL },
        { "{\"peers\":[],\"checkpoint\":\"peers\",\"setup_may_set\":[\"port\",\"execution_rpc\"]}", "peers" },
        { "{\"peers\":[],\"checkpoint\":\"peers\",\"setup_may_set\":[\"port\",\"execution_rpc\",\"peers\"]}", NULL },
        { "{\"network\":\"sepolia\",\"setup_may_set\":[\"peers\",\"port\",\"execution_rpc\"]}", "consensus_rpc" },
        { "{\"network\":\"sepolia\",\"setup_may_set\":[\"peers\",\"port\",\"execution_rpc\",\"network\"]}", NULL },
        { "{\"network\":\"sepolia\",\"setup_may_set\":[\"peers\",\"port\",\"execution_rpc\",\"consensus_rpc\"]}",
          NULL },
        { "{\"network\":\"sepolia\",\"consensus_rpc\":[],\"setup_may_set\":[\"peers\",\"port\",\"execution_rpc\"]}",
          NULL },
        { "{\"setup_may_set\":[\"port\",\"execution_rpc\"]}", "peers" },
        { "{\"setup_may_set\":[\"peers\",\"execution_rpc\"]}", "port" },
        { "{\"port\":1,\"setup_may_set\":[\"peers\"]}", "execution_rpc" },
        { "{\"peers\":[],\"setup_may_set\":[\"port\",\"execution_rpc\"]}", "checkpoint" },
        { "{\"peers\":[],\"setup_may_set\":[\"port\",\"execution_rpc\",\"checkpoint\"]}", NULL },
        { "{}", "peers" },
        { "{\"execution_rpc_file\":\"/f\",\"setup_may_set\":[\"peers\",\"port\"]}", NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        err_t e = { 0 };
        ck_assert_msg(config_check_supply(&e, view_str(rows[i].base)) == (rows[i].field ? RC_MALFORMED : RC_OK),
                      "%s: %s", rows[i].base, e.text);
        ck_assert_msg(!strcmp(e.field, rows[i].field ? rows[i].field : ""), "%s: %s", rows[i].base, e.field);
    }
}
END_TEST

START_TEST(development_in_the_file_opens_every_key)
{
    config_t *c;
    err_t e;
    ck_assert_int_eq(read_texts(&c, &e, "{\"development\":true}", "{" MINIMUM "," REST "}"), RC_OK);
    ck_assert(c->development && c->may_set.count > 10);
    config_free(c);
    ck_assert_int_eq(read_texts(&c, &e, "{\"development\":false}", "{" MINIMUM "}"), RC_REFUSED);
    ck_assert_int_eq(read_texts(&c, &e, "{\"development\":1}", "{" MINIMUM "}"), RC_MALFORMED);
    ck_assert_str_eq(e.field, "development");
    ck_assert_int_eq(read_texts(&c, &e, NULL, "{" MINIMUM ",\"development\":true}"),
                     RC_MALFORMED); /* a setup cannot say so */
    open = false;
    ck_assert_int_eq(config_check_base(&open, &hosting, &e, view_str("{\"development\":false}")), RC_OK);
    ck_assert(!open);
    ck_assert_int_eq(config_check_base(&open, &hosting, &e, view_str("{\"development\":true}")), RC_OK);
    ck_assert(open);
}
END_TEST

START_TEST(without_a_measured_file_a_node_is_open_only_when_started_so)
{
    static const char base[] = "{\"setup_may_set\":[]}";
    const view_t none = { NULL, 0 }, setup = view_str("{" MINIMUM "}");
    config_t *c = NULL;
    err_t e;
    ck_assert_int_eq(config_read(&c, &e, none, setup, false), RC_REFUSED);
    ck_assert_ptr_null(c);
    ck_assert_int_eq(config_read(&c, &e, view_str(base), setup, false), RC_REFUSED);
    ck_assert_int_eq(config_read(&c, &e, view_str(base), setup, true), RC_OK);
    ck_assert(c->development);
    config_free(c);
}
END_TEST

START_TEST(a_text_may_have_256_kib_and_no_more)
{
    static const char setup[] = "{" MINIMUM "}";
    const size_t max = 262144;
    for (size_t n = max; n <= max + 1; n++) {
        config_t *c;
        err_t e;
        char *padded = text_of(setup, ' ', n - (sizeof setup - 1), "");
        ck_assert_int_eq(read_texts(&c, &e, NULL, padded), n == max ? RC_OK : RC_LIMIT);
        ck_assert_str_eq(e.text, n == max ? "" : "the body is larger than 262144 bytes");
        config_free(c);
        ck_assert_int_eq(read_texts(&c, &e, padded, NULL), n == max ? RC_OK : RC_LIMIT);
        ck_assert_str_eq(e.text, n == max ? "" : "the configuration file is larger than 262144 bytes");
        config_free(c);
        ck_assert_int_eq(config_check_base(&open, &hosting, &e, view_str(padded)), n == max ? RC_OK : RC_LIMIT);
        free(padded);
    }
}
END_TEST

START_TEST(a_bad_measured_file_is_not_made_good_by_a_good_setup)
{
    static const struct {
        const char *base, *field;
    } rows[] = { { "{", "" },
                 { "[]", "" },
                 { "{\"setup_may_set\":{}}", "setup_may_set" },
                 { "{\"setup_may_set\":[\"colour\",\"peers\",\"port\",\"execution_rpc\"]}", "setup_may_set[0]" },
                 { "{\"setup_may_set\":[\"peers\",7,\"port\",\"execution_rpc\"]}", "setup_may_set[1]" },
                 { "{\"setup_may_set\":[\"peers\",\"port\",\"execution_rpc\",\"\"]}", "setup_may_set[3]" },
                 { "{\"colour\":1,\"setup_may_set\":[\"peers\",\"port\",\"execution_rpc\"]}", "colour" } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        config_t *c;
        err_t e;
        ck_assert_msg(read_texts(&c, &e, rows[i].base, "{" WITHOUT_CHECKPOINT "}") == RC_MALFORMED, "%s", rows[i].base);
        ck_assert_str_eq(e.field, rows[i].field);
        ck_assert_ptr_null(c);
        ck_assert_msg(config_check_base(&open, &hosting, &e, view_str(rows[i].base)) == RC_MALFORMED, "%s",
                      rows[i].base);
        ck_assert_str_eq(e.field, rows[i].field);
    }
}
END_TEST

START_TEST(each_key_of_the_list_may_be_set_and_wins_over_the_file)
{
    static const char base[] = "{" MINIMUM "," REST ",\"setup_may_set\":[\"port\",\"execution_rpc\",\"api_port\"]}";
    static const struct {
        const char *setup, *url;
        uint16_t port, api_port;
    } rows[] = { { "{\"port\":5}", "http://127.0.0.1:8545", 5, 0 },
                 { "{\"execution_rpc\":\"http://z\"}", "http://z", 4001, 0 },
                 { "{\"api_port\":6}", "http://127.0.0.1:8545", 4001, 6 },
                 { "{}", "http://127.0.0.1:8545", 4001, 0 } };
    config_t *c;
    err_t e;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_msg(read_texts(&c, &e, base, rows[i].setup) == RC_OK, "%s: %s", e.field, e.text);
        ck_assert_uint_eq(c->overlay_port, rows[i].port);
        ck_assert_uint_eq(c->api_port, rows[i].api_port);
        ck_assert_uint_eq(c->execution_rpc.count, 1);
        ck_assert_str_eq(c->execution_rpc.urls[0], rows[i].url);
        config_free(c);
    }
    ck_assert_int_eq(read_texts(&c, &e, base, "{\"port\":5,\"colour\":1}"),
                     RC_MALFORMED); /* not known is not the same as not allowed */
    ck_assert_str_eq(e.field, "colour");
    ck_assert_str_eq(e.text, "unknown key");
    ck_assert_int_eq(read_texts(&c, &e, base, "{\"port\":5,\"setup_may_reach\":\"all\"}"), RC_MALFORMED);
    ck_assert_str_eq(e.field, "setup_may_reach");
    ck_assert_str_eq(e.text, "belongs into the measured configuration, and no setup may set it");
    ck_assert_int_eq(read_texts(&c, &e, "{\"setup_may_set\":[\"port\",\"force\"]}", "{}"), RC_MALFORMED);
    ck_assert_str_eq(e.text, "names a key that no list can let a setup set");
    ck_assert_int_eq(read_texts(&c, &e, "{\"setup_may_set\":[\"port\",\"farce\"]}", "{}"), RC_MALFORMED);
    ck_assert_str_eq(e.text, "is not the name of a key");
    ck_assert_int_eq(read_texts(&c, &e, base, "{\"port\":5,\"tee\":\"tdx\"}"), RC_REFUSED);
    ck_assert_str_eq(e.field, "tee");
    ck_assert_str_eq(e.text, "the measured configuration of this image does not let /setup set this key");
    ck_assert_ptr_null(c);
}
END_TEST

/* One allocation after another fails. */
START_TEST(memory_that_ends_is_said_and_nothing_is_half_read)
{
    static const char base[] =
        "{" MINIMUM ",\"setup_may_set\":[\"consensus_rpc\",\"network\",\"checkpoint\",\"policy\","
        "\"pccs\",\"collateral_file\"]}",
                      setup[] =
                          "{" REST ",\"network\":{" SPEC "," GENESIS "," BLOBS "},\"pccs\":[\"http://a\",\"http://b\"],"
                          "\"policy\":{\"version\":1,\"mode\":\"same-as-self\"},\"collateral_file\":\"/c\"}";
    config_t *c = NULL;
    unsigned n = 0;
    for (rc_t rc = RC_NOMEM; rc; n++) {
        err_t e;
        fail_at((unsigned)n, true);
        rc = COUNTED(config_read(&c, &e, view_str(base), view_str(setup), false));
        ck_assert_msg(rc == (c ? RC_OK : RC_NOMEM), "%u: %d %s: %s", n, rc, e.field, e.text);
        ck_assert_msg(e.rc == rc && !e.text[0] == !rc, "%u: %s", n, e.text);
    }
    fail_never();
    ck_assert_uint_ge(n, 10);
    ck_assert_str_eq(c->collateral_file, "/c");
    config_free(c);
}
END_TEST

START_TEST(each_option_has_a_key_of_its_own_a_line_of_help_and_a_default_within_its_bounds)
{
    size_t count;
    const option_t *o = config_options(&count);
    ck_assert_uint_eq(count, 44);
    for (size_t i = 0; i < count; i++) {
        ck_assert_msg(o[i].key && o[i].key[0], "row %zu", i);
        ck_assert_msg(option_find(o, count, o[i].key) == i, "%s stands twice", o[i].key);
        ck_assert_msg(o[i].help && o[i].help[0] && !strchr(o[i].help, '\n') && !strchr(o[i].help, '\\'), "%s",
                      o[i].key);
        ck_assert_msg(!strstr(o[i].help, "required") == !o[i].required, "%s: %s", o[i].key, o[i].help);
        size_t words = 0;
        while (o[i].words && o[i].words[words])
            words++;
        const bool chosen = o[i].kind == OPTION_CHOICE || o[i].kind == OPTION_WORD;
        ck_assert_msg(chosen ? o[i].normal < words : words == 0, "%s", o[i].key);
        ck_assert_msg(o[i].kind != OPTION_NUMBER || o[i].min < o[i].max, "%s", o[i].key);
        ck_assert_msg(o[i].kind != OPTION_NUMBER || !o[i].normal ||
                          (o[i].normal >= o[i].min && o[i].normal <= o[i].max),
                      "%s", o[i].key);
        ck_assert_msg(o[i].kind != OPTION_PORT || o[i].normal <= 65535, "%s", o[i].key);
        ck_assert_msg(o[i].read == NULL || o[i].kind == OPTION_OTHER, "%s", o[i].key);
        ck_assert_msg(o[i].kind != OPTION_OTHER || o[i].read || o[i].file_only, "%s is never read", o[i].key);
    }
    ck_assert_uint_eq(option_find(o, count, "colour"), count);
}
END_TEST

static char *manual(void)
{
    char path[1024], *text = malloc(100001);
    snprintf(path, sizeof path, "%s/../../docs/kettle.1", getenv("TEST_DATA"));
    FILE *f = fopen(path, "r");
    ck_assert_msg(f && text, "%s", path);
    size_t n = fread(text, 1, 100000, f);
    fclose(f);
    text[n] = '\0';
    return text;
}

/* Each key is a paragraph of the section CONFIGURATION that begins with the option's own line. */
START_TEST(the_manual_lists_every_option_in_order_and_no_other)
{
    size_t count, found = 0;
    const option_t *o = config_options(&count);
    char *text = manual(), *at = strstr(text, ".SH CONFIGURATION\n");
    ck_assert_ptr_nonnull(at);
    char *end = strstr(at + 1, "\n.SH ");
    ck_assert_ptr_nonnull(end);
    for (*end = '\0'; (at = strstr(at, "\n.TP\n")) != NULL; found++) {
        char want[300];
        at += strlen("\n.TP\n");
        ck_assert_msg(found < count, "no such option: %.30s", at);
        int n = snprintf(want, sizeof want, ".B %s\n%s\n", o[found].key, o[found].help);
        ck_assert_msg(!strncmp(at, want, (size_t)n), "want:\n%sfound:\n%.200s", want, at);
        at += n - 1;
    }
    ck_assert_uint_eq(found, count);
    free(text);
}
END_TEST

START_TEST(a_setup_may_set_every_key_but_those_of_the_measured_file)
{
    static const char *const of_the_file[] = {
        "setup_may_set",      "development",        "listen",     "proxies",         "proxy_protocol",
        "setup_token_sha256", "execution_rpc_file", "memory_max", "connections_max", "requests_max",
        "upstream_budget",    "setup_may_reach",    "send_rpc",   "proxy_header"
    };
    size_t count;
    const option_t *o = config_options(&count);
    for (size_t i = 0; i < count; i++) {
        char base[100];
        err_t e;
        snprintf(base, sizeof base, "{\"setup_may_set\":[\"%s\"]}", o[i].key);
        ck_assert_msg(config_check_base(&open, &hosting, &e, view_str(base)) ==
                          (o[i].file_only || o[i].setup_only ? RC_MALFORMED : RC_OK),
                      "%s", base);
        ck_assert_msg(o[i].setup_only == !strcmp(o[i].key, "force"), "%s", o[i].key);
        bool of_file = false;
        for (size_t k = 0; k < sizeof of_the_file / sizeof of_the_file[0]; k++)
            of_file |= !strcmp(o[i].key, of_the_file[k]);
        ck_assert_msg(o[i].file_only == of_file, "%s", o[i].key);
    }
}
END_TEST

/* A file of URLs is named in the measured file only; what a setup says itself wins. */
START_TEST(urls_with_a_key_in_them_come_from_a_file)
{
#define FILE_BASE "\"peers\":[],\"port\":1,\"checkpoint\":\"" CHECKPOINT "\",\"execution_rpc_file\":\"/run/urls\""
    static const struct {
        const char *text;
        rc_t rc;
    } rows[] = { { "https://a/key", RC_OK },
                 { " https://a/key ,\n\thttp://b\r\n", RC_OK },
                 { "", RC_MALFORMED },
                 { "\n", RC_MALFORMED },
                 { "https://a/key,", RC_OK },
                 { "https://a/key,,http://b", RC_MALFORMED },
                 { "https://a/key\nhttp://b", RC_MALFORMED },
                 { "file:///a", RC_MALFORMED },
                 { "http://a,http://a,http://a,http://a,http://a,http://a,http://a,http://a,http://a,http://a,http://a,"
                   "http://a,http://a,http://a,http://a,http://a,http://a",
                   RC_LIMIT } };
    config_t *c;
    err_t e;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_msg(read_texts(&c, &e, "{" FILE_BASE "}", NULL) == RC_OK, "%s: %s", e.field, e.text);
        ck_assert_str_eq(c->execution_rpc_file, "/run/urls");
        ck_assert_uint_eq(c->execution_rpc.count, 0);
        ck_assert_msg(config_take_urls(c, &e, view_str(rows[i].text)) == rows[i].rc, "%s: %s", rows[i].text, e.text);
        ck_assert_msg(!rows[i].rc || (!strcmp(e.field, "execution_rpc_file") && !strstr(e.text, "key")), "%s", e.text);
        ck_assert_msg(rows[i].rc || !strcmp(c->execution_rpc.urls[0], "https://a/key"), "%s", rows[i].text);
        config_free(c);
    }
    ck_assert_int_eq(read_texts(&c, &e, NULL, "{" FILE_BASE "}"), RC_MALFORMED);
    ck_assert_str_eq(e.field, "execution_rpc_file");
    ck_assert_int_eq(
        read_texts(&c, &e, "{" FILE_BASE ",\"setup_may_set\":[\"execution_rpc\"]}", "{\"execution_rpc\":\"http://z\"}"),
        RC_OK);
    ck_assert_str_eq(c->execution_rpc.urls[0], "http://z");
    config_free(c);
}
END_TEST

int main(void)
{
    return UNIT_RUN(
        "config", the_three_required_keys_and_mainnet_are_enough, a_node_with_peers_needs_no_beacon_api,
        the_api_port_is_plain_unless_the_setup_asks_for_tls, a_bad_setup_is_refused_with_the_field_named,
        what_is_quoted_ends_with_a_whole_character, every_truncation_is_refused,
        setup_sets_only_what_the_measured_configuration_lists, a_complete_file_needs_no_setup,
        what_brings_the_key_back_is_said, a_required_key_that_nobody_may_give_is_told_at_start,
        the_checkpoint_is_known_by_who_named_it, what_a_setup_may_set_is_listed,
        any_setup_may_ask_to_be_taken_without_a_trial_and_no_statement_says_so, development_in_the_file_opens_every_key,
        without_a_measured_file_a_node_is_open_only_when_started_so, a_text_may_have_256_kib_and_no_more,
        a_bad_measured_file_is_not_made_good_by_a_good_setup, each_key_of_the_list_may_be_set_and_wins_over_the_file,
        memory_that_ends_is_said_and_nothing_is_half_read,
        each_option_has_a_key_of_its_own_a_line_of_help_and_a_default_within_its_bounds,
        urls_with_a_key_in_them_come_from_a_file, the_manual_lists_every_option_in_order_and_no_other,
        a_setup_may_set_every_key_but_those_of_the_measured_file);
}
