/* node/config/membership.h: the key `membership`, what holds without its members, and what is refused. */
#include "node/config/config.h"

#include <stdio.h>

#include "tests/unit/config_texts.h"
#include "tests/unit/unit.h"

#define CONTRACT "\"contract\":\"0x5fbdb2315678afecb367f032d93f642f64180aa3\""
#define LEAST CONTRACT ",\"mode\":\"tls\",\"attested_only\":false"

static rc_t read_membership(config_t **out, err_t *e, const char *members)
{
    char text[1024];
    snprintf(text, sizeof text, "{" MINIMUM ",\"membership\":{%s}}", members);
    return read_texts(out, e, NULL, text);
}

START_TEST(what_is_not_said_has_a_default)
{
    config_t *c;
    err_t e;
    ck_assert_msg(read_membership(&c, &e, LEAST) == RC_OK, "%s: %s", e.field, e.text);
    const membership_t *m = &c->membership;
    ck_assert(m->is_set);
    ck_assert_uint_eq(m->contract.b[0], 0x5f);
    ck_assert_uint_eq(m->contract.b[19], 0xa3);
    ck_assert_uint_eq(m->mode, MEMBERS_TLS);
    ck_assert_uint_eq(m->block, MEMBERSHIP_FINALIZED);
    ck_assert_uint_eq(m->max_age_s, 1536);
    ck_assert_uint_eq(m->every, 1);
    ck_assert_uint_eq(m->fee_cap, 100000000000u);
    ck_assert(!m->attested_only);
    ck_assert_ptr_null(m->gateway_domain);
    ck_assert_uint_eq(m->overlay_port, 0);
    ck_assert_str_eq(m->socket, "/run/kettle/p2p.sock");
    config_free(c);
    ck_assert_int_eq(read_texts(&c, &e, NULL, "{" MINIMUM "}"), RC_OK);
    ck_assert(!c->membership.is_set);
    config_free(c);
}
END_TEST

START_TEST(what_is_said_is_taken)
{
    config_t *c;
    err_t e;
    ck_assert_int_eq(
        read_membership(&c, &e,
                        LEAST ",\"block\":\"latest\",\"max_age_s\":60,\"every\":32,"
                              "\"gateway_domain\":\"gw.example\",\"socket\":\"/tmp/a.sock\",\"overlay_port\":4001"),
        RC_OK);
    ck_assert_uint_eq(c->membership.block, MEMBERSHIP_LATEST);
    ck_assert_uint_eq(c->membership.max_age_s, 60);
    ck_assert_uint_eq(c->membership.every, 32);
    ck_assert_str_eq(c->membership.gateway_domain, "gw.example");
    ck_assert_str_eq(c->membership.socket, "/tmp/a.sock");
    ck_assert_uint_eq(c->membership.overlay_port, 4001);
    config_free(c);
}
END_TEST

#define TEN "aaaaaaaaaa"
#define POINT TEN TEN TEN TEN TEN TEN "aaaa" /* 32 bytes */
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

START_TEST(what_cannot_be_is_refused_by_name)
{
    static const struct {
        const char *members, *field;
        rc_t rc;
    } rows[] = {
        { "", "membership.contract", RC_MALFORMED },
        { "\"contract\":\"0x5f\"", "membership.contract", RC_MALFORMED },
        { "\"contract\":\"5fbdb2315678afecb367f032d93f642f64180aa3\"", "membership.contract", RC_MALFORMED },
        { CONTRACT, "membership.mode", RC_MALFORMED },
        { CONTRACT ",\"mode\":\"vpn\"", "membership.mode", RC_MALFORMED },
        { CONTRACT ",\"mode\":\"tls\"", "membership.attested_only", RC_MALFORMED },
        { CONTRACT ",\"mode\":\"tls\",\"attested_only\":true", "membership.attested_only", RC_REFUSED },
        { LEAST ",\"block\":\"safe\"", "membership.block", RC_MALFORMED },
        { LEAST ",\"max_age_s\":0", "membership.max_age_s", RC_MALFORMED },
        { LEAST ",\"max_age_s\":86401", "membership.max_age_s", RC_MALFORMED },
        { LEAST ",\"every\":0", "membership.every", RC_MALFORMED },
        { LEAST ",\"every\":1025", "membership.every", RC_MALFORMED },
        { LEAST ",\"fee_cap\":0", "membership.fee_cap", RC_MALFORMED },
        { LEAST ",\"overlay_port\":0", "membership.overlay_port", RC_MALFORMED },
        { LEAST ",\"overlay_port\":65536", "membership.overlay_port", RC_MALFORMED },
        { LEAST ",\"gateway_domain\":\"\"", "membership.gateway_domain", RC_MALFORMED },
        { LEAST ",\"gateway_domain\":\"GW.example\"", "membership.gateway_domain", RC_MALFORMED },
        { CONTRACT ",\"mode\":\"wireguard\",\"attested_only\":false,\"gateway_domain\":\"gw.example\"",
          "membership.gateway_domain", RC_MALFORMED },
        { LEAST ",\"socket\":\"p2p.sock\"", "membership.socket", RC_MALFORMED },
        { LEAST ",\"socket\":\"/" HUNDRED "aaaaaaa\"", "membership.socket", RC_MALFORMED },
        { LEAST ",\"peers\":[]", "membership.peers", RC_MALFORMED },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        config_t *c = NULL;
        err_t e;
        ck_assert_msg(read_membership(&c, &e, rows[i].members) == rows[i].rc, "%s: %s: %s", rows[i].members, e.field,
                      e.text);
        ck_assert_str_eq(e.field, rows[i].field);
        config_free(c);
    }
}
END_TEST

START_TEST(a_setup_sets_it_only_where_the_file_lets_it)
{
#define BASE "\"peers\":[],\"port\":1,\"execution_rpc\":\"http://a\",\"checkpoint\":\"" CHECKPOINT "\""
    static const char setup[] = "{\"membership\":{" LEAST "}}";
    config_t *c = NULL;
    err_t e;
    ck_assert_int_eq(read_texts(&c, &e, "{" BASE ",\"setup_may_set\":[\"peers\"]}", setup), RC_REFUSED);
    ck_assert_str_eq(e.field, "membership");
    ck_assert_msg(read_texts(&c, &e, "{" BASE ",\"setup_may_set\":[\"membership\"]}", setup) == RC_OK, "%s: %s",
                  e.field, e.text);
    ck_assert(c->membership.is_set);
    config_free(c);
}
END_TEST

START_TEST(nodes_come_together_by_the_list_without_peers_and_unless_a_new_cluster_is_said)
{
    static const struct {
        const char *more;
        bool musters;
    } rows[] = {
        { ",\"peers\":[]", true },
        { ",\"peers\":[],\"cluster\":\"new\"", false },
        { ",\"peers\":[\"192.0.2.1:4001\"]", false },
        { ",\"peers\":[],\"cluster\":\"0x02" POINT "\"", true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (unsigned with = 0; with < 2; with++) {
            char text[1024];
            config_t *c;
            err_t e;
            snprintf(text, sizeof text,
                     "{\"port\":1,\"execution_rpc\":\"http://a\",\"checkpoint\":\"" CHECKPOINT "\"%s%s}", rows[i].more,
                     with ? ",\"membership\":{" LEAST "}" : "");
            ck_assert_msg(read_texts(&c, &e, NULL, text) == RC_OK, "%s: %s", e.field, e.text);
            ck_assert_msg(config_musters(c) == (with && rows[i].musters), "row %zu", i);
            config_free(c);
        }
}
END_TEST

/* Who posts the setup may choose servers that say what he likes; a root is in the cluster's statement. */
START_TEST(quorum_that_a_setup_may_name_is_anybodys)
{
#define QUORUM "{\"quorum\":2,\"of\":[\"https://a\",\"https://b\",\"https://c\"]}"
#define MEASURED "{\"network\":\"mainnet\",\"execution_rpc\":\"http://a\",\"peers\":[],\"port\":1"
    static const struct {
        const char *base, *setup;
        bool is;
    } rows[] = {
        { MEASURED ",\"setup_may_set\":[\"checkpoint\"]}", "{\"checkpoint\":" QUORUM "}", true },
        { MEASURED ",\"setup_may_set\":[\"checkpoint\"]}", "{\"checkpoint\":\"" CHECKPOINT "\"}", false },
        { MEASURED ",\"checkpoint\":" QUORUM ",\"setup_may_set\":[\"peers\"]}", "{\"peers\":[]}", false },
        { NULL, "{\"execution_rpc\":\"http://a\",\"peers\":[],\"port\":1,\"checkpoint\":" QUORUM "}", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        config_t *c;
        err_t e;
        ck_assert_msg(read_texts(&c, &e, rows[i].base, rows[i].setup) == RC_OK, "row %zu: %s: %s", i, e.field, e.text);
        ck_assert_msg(config_quorum_is_anybodys(c) == rows[i].is, "row %zu", i);
        config_free(c);
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN("config_membership", what_is_not_said_has_a_default, what_is_said_is_taken,
                    nodes_come_together_by_the_list_without_peers_and_unless_a_new_cluster_is_said,
                    quorum_that_a_setup_may_name_is_anybodys, what_cannot_be_is_refused_by_name,
                    a_setup_sets_it_only_where_the_file_lets_it);
}
