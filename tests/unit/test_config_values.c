/* Values of a configuration: URLs, files of certificates, peers, words, numbers, the policy. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "node/config/config.h"
#include "tests/unit/config_texts.h"
#include "tests/unit/unit.h"

START_TEST(standing_calls_are_off_unless_they_are_configured)
{
    static const struct {
        const char *text;
        uint64_t max, gas;
        bool open;
    } rows[] = {
        { "{" MINIMUM "}", 0, 0, false },
        { "{" MINIMUM ",\"standing\":{\"max\":500}}", 500, 100000000, false },
        { "{" MINIMUM ",\"standing\":{\"max\":4096,\"gas_per_head\":7,\"open\":true}}", 4096, 7, true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        config_t *c = NULL;
        err_t e;
        ck_assert_msg(config_read(&c, &e, view_of(NULL, 0), view_str(rows[i].text), true) == RC_OK, "%s %s", e.field,
                      e.text);
        ck_assert_uint_eq(c->standing.max, rows[i].max);
        ck_assert(!c->standing.max || c->standing.gas_per_head == rows[i].gas);
        ck_assert_int_eq(c->standing.open, rows[i].open);
        config_free(c);
    }
}
END_TEST

START_TEST(urls_are_kept_all_of_them_in_their_order)
{
    config_t *c;
    err_t e;
    ck_assert_msg(
        read_texts(
            &c, &e, NULL,
            "{\"peers\":[],\"port\":1,\"execution_rpc\":[\"http://a\",\"https://b/key?x\",\"http://c:1\"],"
            "\"consensus_rpc\":[\"http://d\",\"http://e\"],\"pccs\":[\"http://f/~\"],\"checkpoint\":\"" CHECKPOINT
            "\"}") == RC_OK,
        "%s: %s", e.field, e.text);
    ck_assert_uint_eq(c->execution_rpc.count, 3);
    ck_assert_str_eq(c->execution_rpc.urls[0], "http://a");
    ck_assert_str_eq(c->execution_rpc.urls[1], "https://b/key?x");
    ck_assert_str_eq(c->execution_rpc.urls[2], "http://c:1");
    ck_assert_uint_eq(c->consensus_rpc.count, 2);
    ck_assert_str_eq(c->consensus_rpc.urls[0], "http://d");
    ck_assert_str_eq(c->consensus_rpc.urls[1], "http://e");
    ck_assert_uint_eq(c->pccs.count, 1);
    ck_assert_str_eq(c->pccs.urls[0], "http://f/~");
    config_free(c);
    ck_assert_int_eq(read_texts(&c, &e, NULL, "{" MINIMUM "}"), RC_OK);
    ck_assert_str_eq(c->execution_rpc.urls[0], "http://127.0.0.1:8545");
    ck_assert_str_eq(c->consensus_rpc.urls[0], "https://www.lightclientdata.org");
    ck_assert_uint_eq(c->pccs.count, 0);
    config_free(c);
}
END_TEST

START_TEST(files_of_certificates_are_one_for_all_or_one_for_each_kind)
{
    config_t *c;
    err_t e;
    ck_assert_int_eq(read_texts(&c, &e, NULL, "{" MINIMUM "}"), RC_OK);
    ck_assert(!c->ca_file.execution && !c->ca_file.consensus && !c->ca_file.pccs && !c->proxy_env);
    config_free(c);
    ck_assert_int_eq(read_texts(&c, &e, NULL, "{" MINIMUM ",\"ca_file\":\"/all\",\"proxy\":\"env\"}"), RC_OK);
    ck_assert_str_eq(c->ca_file.execution, "/all");
    ck_assert_str_eq(c->ca_file.consensus, "/all");
    ck_assert_str_eq(c->ca_file.pccs, "/all");
    ck_assert(c->proxy_env);
    config_free(c);
    ck_assert_int_eq(
        read_texts(&c, &e, NULL, "{" MINIMUM ",\"ca_file\":{\"execution\":\"/e\",\"pccs\":\"/p\"},\"proxy\":\"none\"}"),
        RC_OK);
    ck_assert_str_eq(c->ca_file.execution, "/e");
    ck_assert_ptr_null(c->ca_file.consensus);
    ck_assert_str_eq(c->ca_file.pccs, "/p");
    ck_assert(!c->proxy_env);
    config_free(c);
}
END_TEST

START_TEST(senders_of_the_gateway_are_kept_up_to_their_maximum)
{
    config_t *c;
    err_t e;
    for (size_t n = 1; n <= CONFIG_SENDERS_MAX + 1; n++) {
        char text[4096] = "{" MINIMUM ",\"ccip_senders\":[\"0x" TWENTY "\"";
        for (size_t i = 1; i < n; i++)
            strcat(text, ",\"0x" TWENTY "\"");
        strcat(text, "]}");
        const rc_t rc = read_texts(&c, &e, NULL, text);
        ck_assert_int_eq(rc, n <= CONFIG_SENDERS_MAX ? RC_OK : RC_LIMIT);
        if (rc)
            continue;
        ck_assert_uint_eq(c->ccip_sender_count, n);
        ck_assert_uint_eq(c->ccip_senders[n - 1].b[19], 0x14);
        config_free(c);
    }
}
END_TEST

START_TEST(a_list_has_at_most_sixteen_urls_of_at_most_1024_characters)
{
    config_t *c;
    err_t e;
    for (size_t n = 16; n <= 17; n++) {
        char text[600] = "{\"peers\":[],\"port\":1,\"execution_rpc\":[\"http://a\"";
        for (size_t i = 1; i < n; i++)
            strcat(text, ",\"http://a\"");
        strcat(text, "],\"checkpoint\":\"" CHECKPOINT "\"}");
        ck_assert_int_eq(read_texts(&c, &e, NULL, text), n == 16 ? RC_OK : RC_LIMIT);
        ck_assert_str_eq(e.field, n == 16 ? "" : "execution_rpc");
        ck_assert_str_eq(e.text, n == 16 ? "" : "has more than 16 elements");
        config_free(c);
    }
    static const size_t lengths[] = { 1023, 1024, 1025, 5000 };
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        char *text = text_of("{" MINIMUM ",\"consensus_rpc\":\"http://h/", 'u', lengths[i] - 9, "\"}");
        ck_assert_int_eq(read_texts(&c, &e, NULL, text), lengths[i] <= 1024 ? RC_OK : RC_LIMIT);
        if (c)
            ck_assert_uint_eq(strlen(c->consensus_rpc.urls[0]), lengths[i]);
        else
            ck_assert(!strcmp(e.field, "consensus_rpc") &&
                      !strcmp(e.text, "must be a text of at most 1024 characters"));
        config_free(c);
        free(text);
        text = text_of("{" MINIMUM ",\"collateral_file\":\"/", 'f', lengths[i] - 1, "\"}");
        ck_assert_int_eq(read_texts(&c, &e, NULL, text), lengths[i] <= 1024 ? RC_OK : RC_LIMIT);
        if (c)
            ck_assert(c->collateral_file[0] == '/' && strlen(c->collateral_file) == lengths[i]);
        else
            ck_assert_str_eq(e.field, "collateral_file");
        config_free(c);
        free(text);
    }
}
END_TEST

START_TEST(a_url_with_a_space_or_what_is_not_ascii_is_refused_as_such)
{
    static const char *const urls[] = { "http://a b",       " http://a",        "http://a/ ",
                                        "http://a/\\u001f", "http://a/\\u007f", "http://m\u00fcller" };
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        char text[200];
        config_t *c;
        err_t e;
        snprintf(text, sizeof text, "{" MINIMUM ",\"pccs\":[\"http://a\",\"%s\"]}", urls[i]);
        ck_assert_int_eq(read_texts(&c, &e, NULL, text), RC_MALFORMED);
        ck_assert_str_eq(e.field, "pccs[1]");
        ck_assert_str_eq(e.text, "a URL has a space, a control character or a letter outside ASCII");
        ck_assert_ptr_null(c);
    }
}
END_TEST

START_TEST(peers_are_addresses_with_their_ways)
{
    static const struct {
        const char *text;
        const char *ways[2];
    } rows[] = {
        { "192.0.2.1:4001", { "/ip4/192.0.2.1/udp/4001/quic-v1", "/ip4/192.0.2.1/tcp/4001" } },
        { "[2001:db8::1]:4001", { "/ip6/2001:db8::1/udp/4001/quic-v1", "/ip6/2001:db8::1/tcp/4001" } },
        { "node.example:1", { "/dns/node.example/udp/1/quic-v1", "/dns/node.example/tcp/1" } },
        { "/dns4/node.example/tcp/4001", { "/dns4/node.example/tcp/4001", NULL } },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[400], way[MADDR_TEXT_MAX + 1];
        config_t *c;
        err_t e;
        snprintf(text, sizeof text,
                 "{\"peers\":[\"%s\"],\"port\":1,\"execution_rpc\":\"http://a\",\"consensus_rpc\":\"http://b\","
                 "\"network\":\"sepolia\",\"cluster\":\"02" CHECKPOINT_DIGITS "\"}",
                 rows[i].text);
        ck_assert_msg(read_texts(&c, &e, NULL, text) == RC_OK, "%s: %s: %s", text, e.field, e.text);
        ck_assert_uint_eq(c->peer_count, 1);
        ck_assert_uint_eq(c->peers[0].count, rows[i].ways[1] ? 2 : 1);
        for (size_t k = 0; k < c->peers[0].count; k++) {
            maddr_text(way, &c->peers[0].ways[k]);
            ck_assert_str_eq(way, rows[i].ways[k]);
        }
        ck_assert(c->checkpoint.kind == CHECKPOINT_ABSENT && c->cluster[0] == 2 && c->cluster[1] == 0xbc);
        config_free(c);
    }
}
END_TEST

/* It is said how a peer is written, and not what a multiaddr lacks that nobody has written. */
START_TEST(what_is_no_peer_is_answered_with_how_one_is_written)
{
    static const char *const rows[] = { "a",       "a:b",      "https://a:4001", "::1:4001",
                                        "[a:4001", "10.0.0:1", "a:65536",        "a b:1" };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        config_peer_t peer;
        err_t e;
        ck_assert_int_eq(config_peer_read(&peer, &e, view_str(rows[i])), RC_MALFORMED);
        ck_assert_msg(!strncmp(e.text, "must be \"host:port\", with [] around an IPv6 address, or a multiaddr", 66),
                      "%s: %s", rows[i], e.text);
    }
}
END_TEST

START_TEST(every_word_of_a_list_is_taken_for_itself)
{
    static const char *const tees[] = { "auto", "dstack", "tdx", "simulator" },
                             *const blocks[] = { "latest", "safe", "finalized" },
                             *const transports[] = { "both", "quic", "tcp" };
    static const config_block_t kinds[] = { CONFIG_LATEST, CONFIG_SAFE, CONFIG_FINALIZED };
    for (size_t i = 0; i < 4; i++) {
        char text[400];
        config_t *c;
        err_t e;
        snprintf(text, sizeof text, "{" MINIMUM ",\"tee\":\"%s\",\"default_block\":\"%s\",\"transport\":\"%s\"}",
                 tees[i], blocks[i % 3], transports[i % 3]);
        ck_assert_msg(read_texts(&c, &e, NULL, text) == RC_OK, "%s: %s: %s", text, e.field, e.text);
        ck_assert_str_eq(c->tee, tees[i]);
        ck_assert_int_eq(c->default_block, kinds[i % 3]);
        config_free(c);
    }
}
END_TEST

START_TEST(a_word_that_is_not_known_is_answered_with_all_that_are)
{
    config_t *c;
    err_t e;
    ck_assert_int_eq(read_texts(&c, &e, NULL, "{" MINIMUM ",\"tee\":\"sgx\"}"), RC_MALFORMED);
    ck_assert_str_eq(e.text, "must be one of: auto, dstack, tdx, simulator");
    ck_assert_int_eq(read_texts(&c, &e, NULL, "{" MINIMUM ",\"default_block\":\"pending\"}"), RC_MALFORMED);
    ck_assert_str_eq(e.text, "must be one of: latest, safe, finalized");
    ck_assert_int_eq(read_texts(&c, &e, NULL, "{" MINIMUM ",\"transport\":\"udp\"}"), RC_MALFORMED);
    ck_assert_str_eq(e.text, "must be one of: both, quic, tcp");
}
END_TEST

START_TEST(numbers_are_taken_up_to_both_ends_of_their_range)
{
    static const struct {
        unsigned port, api_port, age_s;
    } rows[] = { { 1, 65535, 1 }, { 65535, 1, 315360000 } };
    for (size_t i = 0; i < 2; i++) {
        char text[300];
        config_t *c;
        err_t e;
        snprintf(text, sizeof text,
                 "{\"peers\":[],\"execution_rpc\":\"http://a\",\"port\":%u,\"api_port\":%u,\"checkpoint_age_max_s\":%u,"
                 "\"checkpoint\":\"" CHECKPOINT "\"}",
                 rows[i].port, rows[i].api_port, rows[i].age_s);
        ck_assert_msg(read_texts(&c, &e, NULL, text) == RC_OK, "%s: %s", e.field, e.text);
        ck_assert_uint_eq(c->overlay_port, rows[i].port);
        ck_assert_uint_eq(c->api_port, rows[i].api_port);
        ck_assert_uint_eq(c->checkpoint_age_max_s, rows[i].age_s);
        config_free(c);
    }
}
END_TEST

/* Peers see a digest of this text, so its form is part of the protocol. */
START_TEST(a_policy_is_kept_compact_with_sorted_keys_however_it_was_written)
{
    static const char *const texts[] = {
        "{" MINIMUM
        ",\"policy\":{\"version\":1,\"mode\":\"same-as-self\",\"tcb\":{\"min_eval\":17,\"accept\":[\"UpToDate\"]}}}",
        "{ \"policy\" : {\n \"tcb\" : { \"accept\" : [ \"UpToDate\" ], \"min_eval\" : 17 }, \"mode\" : \"same-as-self\",\t"
        "\"version\" : 1 }, " MINIMUM "}",
    };
    for (size_t i = 0; i < 2; i++) {
        config_t *c;
        err_t e;
        ck_assert_msg(read_texts(&c, &e, NULL, texts[i]) == RC_OK, "%s: %s", e.field, e.text);
        ck_assert_str_eq(
            c->policy, "{\"mode\":\"same-as-self\",\"tcb\":{\"accept\":[\"UpToDate\"],\"min_eval\":17},\"version\":1}");
        ck_assert_str_eq(e.field, "");
        config_free(c);
    }
}
END_TEST

/* Names in errors are the sender's choice. */
START_TEST(names_in_an_error_are_cut)
{
    static const size_t lengths[] = { 1, 62, 63, 64, 300, 100000 };
    static const struct {
        const char *before, *after, *field;
        size_t cut;
    } rows[] = { { "{" MINIMUM ",\"", "\":1}", "", 63 },
                 { "{" MINIMUM ",\"network\":{" SPEC "," GENESIS "," BLOBS ",\"", "\":1}}", "network.", 63 },
                 { "{" MINIMUM ",\"policy\":{\"version\":1,\"mode\":\"same-as-self\",\"", "\":1}}", "policy.", 63 } };
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
        for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
            config_t *c;
            err_t e;
            char *text = text_of(rows[k].before, 'n', lengths[i], rows[k].after);
            size_t start = strlen(rows[k].field), n = start + lengths[i];
            ck_assert_int_eq(read_texts(&c, &e, NULL, text), RC_MALFORMED);
            ck_assert_ptr_null(c);
            ck_assert_uint_eq(strlen(e.field), n < rows[k].cut ? n : rows[k].cut);
            ck_assert(strncmp(e.field, rows[k].field, start) == 0);
            ck_assert_uint_eq(strspn(e.field + start, "n"), strlen(e.field) - start);
            ck_assert_str_eq(e.text, "unknown key");
            free(text);
        }
}
END_TEST

int main(void)
{
    return UNIT_RUN(
        "config_values", standing_calls_are_off_unless_they_are_configured, urls_are_kept_all_of_them_in_their_order,
        files_of_certificates_are_one_for_all_or_one_for_each_kind, senders_of_the_gateway_are_kept_up_to_their_maximum,
        a_list_has_at_most_sixteen_urls_of_at_most_1024_characters,
        a_url_with_a_space_or_what_is_not_ascii_is_refused_as_such, peers_are_addresses_with_their_ways,
        what_is_no_peer_is_answered_with_how_one_is_written, every_word_of_a_list_is_taken_for_itself,
        a_word_that_is_not_known_is_answered_with_all_that_are, numbers_are_taken_up_to_both_ends_of_their_range,
        a_policy_is_kept_compact_with_sorted_keys_however_it_was_written, names_in_an_error_are_cut);
}
