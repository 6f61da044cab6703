/* What a configuration comes to, as people read it: values, digests, what is missing, and no secrets. */
#include <check.h>
#include <stdlib.h>

#include "node/config/show.h"
#include "tests/unit/config_texts.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"

#define NOW 1790000000u

static arena_t arena;

static void set_up(void)
{
    arena_init(&arena, (size_t)4 << 20);
}

static void tear_down(void)
{
    arena_free(&arena);
}

static const char *shown(const char *base)
{
    view_t out = { NULL, 0 };
    err_t e;
    ck_assert_msg(config_show(&out, &e, &arena, view_str(base), NOW) == RC_OK, "%s: %s", e.field, e.text);
    return (const char *)out.p;
}

static void has(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part), "no %s in\n%s", part, text);
}

/* The digest is `printf '{"setup_may_set":["peers","port","execution_rpc"]}' | sha256sum`. */
START_TEST(an_almost_empty_file_shows_what_is_built_in)
{
    const char *text = shown("{\"setup_may_set\":[\"peers\",\"port\",\"execution_rpc\"]}");
    has(text, "\"sha256\": \"0x2fe3ab51f868a0e6fc0df3e60553372a5b91dc96e2b118bd133f7e8fb791562e\"");
    has(text, "\"development\": false");
    has(text, "\"name\": \"mainnet\",\n    \"chain_id\": 1,");
    has(text, "\"setup_must_set\": [\n    \"peers\",\n    \"port\",\n    \"execution_rpc\"\n  ]");
    has(text, "\"setup_may_set\": [\n    \"peers\",\n    \"port\",\n    \"execution_rpc\"\n  ]");
    has(text, "\"transport\": \"both\"");
    has(text, "\"policy_min_version\": 0");
    has(text, "\"checkpoint_age_max_s\": null");
    has(text, "\"consensus_rpc\": [\n      \"https://www.lightclientdata.org:443\"\n    ]");
    ck_assert_ptr_null(strstr(text, "force"));
}
END_TEST

START_TEST(of_urls_and_tokens_nothing_secret_is_shown)
{
    const char *text = shown("{" WITHOUT_CHECKPOINT ",\"consensus_rpc\":[\"https://user:SECRET@a/SECRET?k=SECRET\"],"
                             "\"pccs\":\"https://b:8081/SECRET\",\"setup_token_sha256\":\"0x" CHECKPOINT_DIGITS "\","
                             "\"checkpoint\":{\"quorum\":2,\"of\":[\"https://c/SECRET\",\"https://d\"]},"
                             "\"execution_rpc_file\":\"/run/urls\"}");
    ck_assert_ptr_null(strstr(text, "SECRET"));
    ck_assert_ptr_null(strstr(text, CHECKPOINT_DIGITS));
    has(text, "\"https://a:443\"");
    has(text, "\"https://b:8081\"");
    has(text, "\"quorum\": 2,\n      \"of\": [\n        \"https://c:443\",\n        \"https://d:443\"\n      ]");
    has(text, "\"setup_token_sha256\": \"(is set)\"");
    has(text, "\"execution_rpc_file\": \"/run/urls\"");
    has(text, "\"setup_must_set\": []");
    has(text, "\"setup_may_set\": []");
}
END_TEST

START_TEST(what_a_setup_has_to_bring_is_named)
{
    static const struct {
        const char *base, *names;
    } rows[] = {
        { "{\"development\":true}", "peers port execution_rpc " },
        { "{\"development\":true,\"peers\":[]}", "port execution_rpc checkpoint " },
        { "{\"development\":true,\"peers\":[\"a:1\"],\"port\":1}", "execution_rpc " },
        { "{\"development\":true,\"execution_rpc_file\":\"/f\"}", "peers port " },
        { "{\"development\":true,\"network\":\"hoodi\"}", "peers port execution_rpc consensus_rpc " },
        { "{" MINIMUM "}", "" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *names[CONFIG_MISSING_MAX];
        char text[200] = "";
        const size_t n = config_missing(names, view_str(rows[i].base));
        for (size_t k = 0; k < n; k++)
            strcat(strcat(text, names[k]), " ");
        ck_assert_msg(!strcmp(text, rows[i].names), "%s: %s", rows[i].base, text);
    }
}
END_TEST

START_TEST(a_file_is_checked_as_a_node_does_at_its_start)
{
    static const struct {
        const char *base, *field;
    } rows[] = {
        { "{", "" },
        { "{\"colour\":1}", "colour" },
        { "{\"port\":1}", "peers" },
        { "{" WITHOUT_CHECKPOINT "}", "checkpoint" },
        { "{" MINIMUM ",\"network\":\"hoodi\"}", "consensus_rpc" }, /* nobody can set it any more */
        { "{" MINIMUM ",\"setup_may_set\":[\"colour\"]}", "setup_may_set[0]" },
        { "{" MINIMUM "}", NULL },
        { "{" MINIMUM ",\"network\":\"hoodi\",\"setup_may_set\":[\"consensus_rpc\"]}", NULL },
        { "{\"development\":true}", NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        view_t out = { NULL, 7 };
        err_t e = { 0 };
        const rc_t rc = config_check(&e, view_str(rows[i].base));
        ck_assert_msg(!rc == !rows[i].field, "%s: %s: %s", rows[i].base, e.field, e.text);
        ck_assert_msg(!rc || !strcmp(e.field, rows[i].field), "%s: %s", rows[i].base, e.field);
        ck_assert_msg(config_show(&out, &e, &arena, view_str(rows[i].base), NOW) == rc, "%s", rows[i].base);
        ck_assert(!rc || out.n == 7);
    }
}
END_TEST

START_TEST(memory_that_ends_is_said)
{
    rc_t rc = RC_NOMEM;
    unsigned n;
    for (n = 0; rc && n < 400; n++) {
        arena_t a;
        view_t out = { NULL, 0 };
        err_t e = { 0 };
        arena_init(&a, (size_t)4 << 20);
        fail_at(n, true);
        rc = COUNTED(config_show(&out, &e, &a, view_str("{" MINIMUM "}"), NOW));
        fail_never();
        ck_assert_msg(rc == (out.p ? RC_OK : RC_NOMEM), "%u: %d %s", n, rc, e.text);
        arena_free(&a);
    }
    ck_assert_int_eq(rc, RC_OK);
    ck_assert_uint_ge(n, 5);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("config_show", set_up, tear_down, an_almost_empty_file_shows_what_is_built_in,
                           of_urls_and_tokens_nothing_secret_is_shown, what_a_setup_has_to_bring_is_named,
                           a_file_is_checked_as_a_node_does_at_its_start, memory_that_ends_is_said);
}
