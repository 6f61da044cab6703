/* The key "checkpoint": a root, members, or a quorum of servers. */
#include <stdio.h>
#include <stdlib.h>

#include "base/os/file.h"
#include "tests/unit/config_texts.h"
#include "tests/unit/unit.h"

#define FIVE                                                                                                           \
    "\"https://a.example\",\"https://b.example/key\",\"https://C.example:5052\",\"https://d.example\",\"https://192.0.2.1\""

static const char *with(const char *checkpoint, const char *peers)
{
    static char text[1600];
    snprintf(text, sizeof text, "{\"peers\":[%s],\"port\":1,\"execution_rpc\":\"http://a\",\"checkpoint\":%s}", peers,
             checkpoint);
    return text;
}

START_TEST(a_quorum_is_kept_with_the_host_names_of_its_servers)
{
    config_t *c;
    err_t e;
    ck_assert_msg(read_texts(&c, &e, NULL, with("{\"quorum\":3,\"of\":[" FIVE "]}", "")) == RC_OK, "%s: %s", e.field,
                  e.text);
    ck_assert_int_eq(c->checkpoint.kind, CHECKPOINT_QUORUM);
    ck_assert(c->checkpoint.quorum == 3 && c->checkpoint.of.count == 5 && !c->checkpoint.plain);
    ck_assert(hash32_is_zero(&c->checkpoint.root));
    ck_assert_str_eq(c->checkpoint.of.urls[1], "https://b.example/key");
    ck_assert_str_eq(c->checkpoint.hosts[1], "b.example");
    ck_assert_str_eq(c->checkpoint.hosts[2], "c.example");
    ck_assert_str_eq(c->checkpoint.hosts[4], "192.0.2.1");
    config_free(c);
}
END_TEST

START_TEST(the_three_forms_are_taken)
{
    static const struct {
        const char *checkpoint, *peers;
        checkpoint_kind_t kind;
    } rows[] = { { "\"" CHECKPOINT "\"", "", CHECKPOINT_ROOT },
                 { "\"" CHECKPOINT_DIGITS "\"", "\"a:1\"", CHECKPOINT_ROOT },
                 { "\"peers\"", "\"a:1\"", CHECKPOINT_PEERS },
                 { "{\"quorum\":1,\"of\":\"https://a.example\"}", "", CHECKPOINT_QUORUM },
                 { "{\"quorum\":5,\"of\":[" FIVE "]}", "\"a:1\"", CHECKPOINT_QUORUM } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        config_t *c;
        err_t e;
        ck_assert_msg(read_texts(&c, &e, NULL, with(rows[i].checkpoint, rows[i].peers)) == RC_OK, "%zu: %s: %s", i,
                      e.field, e.text);
        ck_assert_int_eq(c->checkpoint.kind, rows[i].kind);
        config_free(c);
    }
}
END_TEST

START_TEST(what_is_wrong_is_named)
{
    static const struct {
        const char *checkpoint, *field, *text;
    } rows[] = {
        { "{\"quorum\":2,\"of\":[" FIVE "]}", "checkpoint.quorum",
          "must be more than half of the 5 servers, and at most all" },
        { "{\"quorum\":6,\"of\":[" FIVE "]}", "checkpoint.quorum",
          "must be more than half of the 5 servers, and at most all" },
        { "{\"quorum\":0,\"of\":[" FIVE "]}", "checkpoint.quorum", "must be a number from 1 to 16" },
        { "{\"of\":[" FIVE "]}", "checkpoint.quorum", "is required" },
        { "{\"quorum\":1,\"of\":[]}", "checkpoint.of", NULL },
        { "{\"quorum\":1}", "checkpoint.of", NULL },
        { "{\"quorum\":2,\"of\":[\"https://a.example\",\"https://A.example:7/x\"]}", "checkpoint.of",
          "a.example is named twice: a quorum needs independent servers" },
        { "{\"quorum\":2,\"of\":[\"https://a.example\",\"https://a.example./\"]}", "checkpoint.of",
          "a.example is named twice: a quorum needs independent servers" },
        { "{\"quorum\":2,\"of\":[\"https://a.example..\",\"https://a.example/\"]}", "checkpoint.of", NULL },
        { "{\"quorum\":2,\"of\":[\"https://[::ffff:127.0.0.1]\",\"https://127.0.0.1\"]}", "checkpoint.of",
          "127.0.0.1 is named twice: a quorum needs independent servers" },
        { "{\"quorum\":2,\"of\":[\"https://[2001:db8::1]\",\"https://[2001:db8:0::1]:7\"]}", "checkpoint.of",
          "2001:db8::1 is named twice: a quorum needs independent servers" },
        { "\"Peers\"", "checkpoint", NULL },
        { "\"finalized\"", "checkpoint", NULL },
        { "[]", "checkpoint", NULL },
        { "{\"quorum\":2,\"of\":[\"https://a.example\",\"https://%61.example\"]}", "checkpoint.of", NULL },
        { "{\"quorum\":2,\"of\":[\"https://192.0.2.1\",\"https://0xc0000201:7\"]}", "checkpoint.of", NULL },
        { "{\"quorum\":2,\"of\":[\"https://[2001:db8::1]\",\"https://[2001:DB8:0:0::1]\"]}", "checkpoint.of", NULL },
        { "{\"quorum\":1,\"of\":[\"ftp://a.example\"]}", "checkpoint.of[0]", NULL },
        { "{\"quorum\":1,\"of\":[\"https://a0123456789012345678901234567890123456789012345678901234567890."
          "example\"]}",
          "checkpoint.of", "a host name has more than 64 characters" },
        { "{\"quorum\":1,\"of\":[\"https://a.example\"],\"colour\":1}", "checkpoint.colour", "unknown key" },
        { "\"peers\"", "peers", "is empty, and checkpoint is \"peers\": nobody names one" },
        { "\"quorum\"", "checkpoint",
          "must be a block root (32 bytes of hex), \"peers\", or {\"quorum\": N, \"of\": [URLs]}" },
        { "null", "checkpoint", NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        config_t *c;
        err_t e;
        ck_assert_int_ne(read_texts(&c, &e, NULL, with(rows[i].checkpoint, "")), RC_OK);
        ck_assert_msg(!strcmp(e.field, rows[i].field), "%s: %s: %s", rows[i].checkpoint, e.field, e.text);
        ck_assert_msg(!rows[i].text || !strcmp(e.text, rows[i].text), "%s: %s", rows[i].checkpoint, e.text);
        ck_assert_ptr_null(c);
    }
}
END_TEST

START_TEST(servers_without_tls_are_for_development)
{
    static const char base[] = "{" WITHOUT_CHECKPOINT ",\"checkpoint\":{\"quorum\":1,\"of\":[\"http://a.example\"]}%s}";
    config_t *c;
    err_t e;
    char text[400];
    snprintf(text, sizeof text, base, "");
    ck_assert_int_eq(read_texts(&c, &e, text, NULL), RC_REFUSED);
    ck_assert_str_eq(e.field, "checkpoint.of");
    snprintf(text, sizeof text, base, ",\"setup_may_set\":[\"peers\"]"); /* no setup heals it: told at start */
    ck_assert_int_eq(config_check_supply(&e, view_str(text)), RC_REFUSED);
    ck_assert_str_eq(e.field, "checkpoint.of");
    snprintf(text, sizeof text, base, ",\"development\":true");
    ck_assert_int_eq(read_texts(&c, &e, text, NULL), RC_OK);
    ck_assert(c->checkpoint.plain);
    config_free(c);
}
END_TEST

START_TEST(without_any_the_reason_and_the_command_are_said)
{
    config_t *c;
    err_t e;
    ck_assert_int_eq(read_texts(&c, &e, NULL, "{" WITHOUT_CHECKPOINT "}"), RC_MALFORMED);
    ck_assert_str_eq(e.field, "checkpoint");
    ck_assert_ptr_nonnull(strstr(e.text, "weak subjectivity"));
    ck_assert_ptr_nonnull(strstr(e.text, "curl URL/eth/v1/beacon/headers/finalized, its data.root"));
}
END_TEST

START_TEST(the_examples_are_configurations_that_a_setup_completes)
{
    static const struct {
        const char *name;
        checkpoint_kind_t kind;
        const char *peers;
    } rows[] = { { "mainnet", CHECKPOINT_QUORUM, "" },
                 { "sepolia", CHECKPOINT_QUORUM, "" },
                 { "joiner", CHECKPOINT_PEERS, "\"a:1\"" } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char path[512], setup[200];
        view_t base;
        bool open = false;
        hosting_t hosting;
        config_t *c = NULL;
        err_t e;
        snprintf(path, sizeof path, "%s/../../examples/config/%s.json", getenv("TEST_DATA"), rows[i].name);
        ck_assert_msg(file_read(&base, &e, path, CONFIG_TEXT_MAX, 0) == RC_OK, "%s", e.text);
        ck_assert_msg(config_check_base(&open, &hosting, &e, base) == RC_OK && !open, "%s: %s: %s", path, e.field,
                      e.text);
        ck_assert_msg(config_check_supply(&e, base) == RC_OK, "%s: %s: %s", path, e.field, e.text);
        snprintf(setup, sizeof setup,
                 "{\"peers\":[%s],\"port\":5000,\"execution_rpc\":\"https://a\",\"consensus_rpc\":\"https://b\"}",
                 rows[i].peers);
        ck_assert_msg(config_read(&c, &e, base, view_str(setup), false) == RC_OK, "%s: %s: %s", path, e.field, e.text);
        ck_assert_int_eq(c->checkpoint.kind, rows[i].kind);
        config_free(c);
        file_free(base);
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN("config_checkpoint", a_quorum_is_kept_with_the_host_names_of_its_servers, the_three_forms_are_taken,
                    what_is_wrong_is_named, the_examples_are_configurations_that_a_setup_completes,
                    servers_without_tls_are_for_development, without_any_the_reason_and_the_command_are_said);
}
