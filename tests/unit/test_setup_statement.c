/* The two statements of what a setup means: written canonically, read strictly, compared member by member. */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "rpc/api/setup_statement.h"
#include "tests/unit/unit.h"

static arena_t a;

static void setup(void)
{
    arena_init(&a, 16 << 20);
}

static void teardown(void)
{
    arena_free(&a);
}

static setup_cluster_t cluster(void)
{
    setup_cluster_t s = {
        .network = "mainnet",
        .forks_until = 1767747671,
        .chain_id = 1,
        .found = SETUP_FOUND_CONFIGURATION,
        .rules = { .head_age_s = 300,
                   .finalized_age_s = 6144,
                   .valid_s = { 120, 1800, 1800, 86400 },
                   .call_gas = 50000000 },
        .policy_signers = SETUP_NO_SIGNERS,
        .simulated = true,
    };
    memset(s.genesis_validators_root.b, 0x4b, 32);
    memset(s.network_digest.b, 0x22, 32);
    memset(s.checkpoint.b, 0x33, 32);
    return s;
}

static setup_node_t node(void)
{
    setup_node_t s = { .program = "0.1.0",
                       .policy_version = 1,
                       .default_block = SETUP_BY_FINALIZED,
                       .setup = { { "peers", "port" }, 2 },
                       .flags = { { "api-port" }, 1 } };
    memset(s.policy_digest.b, 0x44, 32);
    return s;
}

/* Hashes by `printf %s TEXT | sha256sum`. */
static const char CLUSTER[] =
    "{\"chain_id\":1,\"checkpoint\":{\"age_max_s\":0,\"found\":\"configuration\","
    "\"root\":\"0x3333333333333333333333333333333333333333333333333333333333333333\"},\"development\":false,"
    "\"kettle\":\"cluster-statement/1\",\"network\":{"
    "\"digest\":\"0x2222222222222222222222222222222222222222222222222222222222222222\",\"forks_until\":1767747671,"
    "\"genesis_validators_root\":\"0x4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b\","
    "\"name\":\"mainnet\"},"
    "\"policy_signers\":\"0x4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945\","
    "\"recovery\":\"none\",\"rules\":{\"call_gas\":50000000,\"finalized_age_s\":6144,\"head_age_s\":300,"
    "\"valid_s\":{\"block\":86400,\"finalized\":1800,\"latest\":120,\"safe\":1800}},\"simulated\":true}";
static const char CLUSTER_HASH[] = "437a72b1c466d12f2bd5fc996b9a5fa2ccbd0376dee7e7c16d3297e927e6263d";
static const char NODE[] =
    "{\"default_block\":\"finalized\",\"kettle\":\"node-statement/1\",\"may_set\":{\"environment\":[],"
    "\"flags\":[\"api-port\"],\"setup\":[\"peers\",\"port\"]},\"policy\":{"
    "\"digest\":\"0x4444444444444444444444444444444444444444444444444444444444444444\",\"version\":1},"
    "\"program\":\"0.1.0\"}";
static const char NODE_HASH[] = "1f5cc32f2bd141b5ebf9cfb4bc6acbbc818ea9d2d10ec27c3b9efcb0a6a7cf18";

static void check_hash(const hash32_t *got, const char *want)
{
    char hex[65];
    hex_encode(hex, view_of(got->b, 32));
    ck_assert_str_eq(hex, want);
}

START_TEST(each_is_written_in_its_one_form)
{
    const setup_cluster_t c = cluster();
    const setup_node_t n = node();
    view_t text;
    hash32_t hash;
    ck_assert_int_eq(setup_cluster_write(&text, &hash, &a, &c), RC_OK);
    ck_assert_str_eq((const char *)text.p, CLUSTER);
    check_hash(&hash, CLUSTER_HASH);
    ck_assert_int_eq(setup_node_write(&text, &hash, &a, &n), RC_OK);
    ck_assert_str_eq((const char *)text.p, NODE);
    check_hash(&hash, NODE_HASH);
}
END_TEST

START_TEST(servers_that_named_the_checkpoint_are_read_and_written_in_one_form)
{
    static const char head[] = "\"checkpoint\":{\"age_max_s\":0,", old[] = "\"found\":\"configuration\",";
    static const struct {
        const char *members, *field; /* field NULL: taken */
    } rows[] = {
        { "\"by\":[\"a.example\",\"b.example\"],\"found\":\"configuration\",\"of\":3,", NULL },
        { "\"by\":[\"a.example\"],\"found\":\"configuration\",\"of\":1,", NULL },
        { "\"by\":[],\"found\":\"configuration\",\"of\":1,", "checkpoint.by" },
        { "\"by\":[\"a.example\",\"b.example\"],\"found\":\"configuration\",\"of\":1,", "checkpoint.of" },
        { "\"by\":[\"a.example\"],\"found\":\"configuration\",\"of\":17,", "checkpoint.of" },
        { "\"by\":[\"a.example\"],\"found\":\"configuration\",", "checkpoint.of" },
        { "\"found\":\"configuration\",\"of\":3,", "checkpoint.of" },
        { "\"by\":[\"a\\u0001\"],\"found\":\"configuration\",\"of\":3,", "checkpoint.by[0]" },
        { "\"by\":[7],\"found\":\"configuration\",\"of\":3,", "checkpoint.by[0]" },
        { "\"found\":\"configuration\",\"by\":[\"a.example\"],\"of\":3,", "" }, /* not canonical */
    };
    const char *at = strstr(CLUSTER, head) + strlen(head);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[2048];
        setup_cluster_t c;
        err_t e;
        view_t again;
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - CLUSTER), CLUSTER, rows[i].members, at + strlen(old));
        const rc_t rc = setup_cluster_read(&c, &e, &a, view_str(text));
        ck_assert_msg((rc == RC_OK) == !rows[i].field, "row %zu: %s: %s", i, e.field, e.text);
        if (rc) {
            ck_assert_msg(!strcmp(e.field, rows[i].field), "row %zu: %s: %s", i, e.field, e.text);
            continue;
        }
        ck_assert_int_eq(setup_cluster_write(&again, NULL, &a, &c), RC_OK);
        ck_assert_str_eq((const char *)again.p, text);
    }
}
END_TEST

#define KEY_1 "0x1111111111111111111111111111111111111111111111111111111111111111"
#define KEY_2 "0x2222222222222222222222222222222222222222222222222222222222222222"

START_TEST(who_can_recover_the_key_is_read_and_written_in_one_form)
{
    static const char old[] = "\"recovery\":\"none\",";
    static const struct {
        const char *members, *field; /* field NULL: taken */
    } rows[] = {
        { "\"recovery\":\"none\",", NULL },
        { "\"recovery\":\"seal\",", NULL },
        { "\"recovery\":\"shares\",\"recovery_shares\":{\"keys\":[\"" KEY_1 "\",\"" KEY_2 "\"],\"threshold\":2},",
          NULL },
        { "\"recovery\":\"\",", "recovery" },
        { "\"recovery\":\"shares\",", "recovery_shares" },
        { "\"recovery\":\"shares\",\"recovery_shares\":{\"keys\":[\"" KEY_1 "\"],\"threshold\":2},",
          "recovery_shares.keys" },
        { "\"recovery\":\"shares\",\"recovery_shares\":{\"keys\":[\"" KEY_1 "\",\"" KEY_2 "\"],\"threshold\":1},",
          "recovery_shares.threshold" },
        { "\"recovery\":\"shares\",\"recovery_shares\":{\"keys\":[\"" KEY_1 "\",\"" KEY_2 "\"],\"threshold\":3},",
          "recovery_shares.threshold" },
        { "\"recovery\":\"shares\",\"recovery_shares\":{\"keys\":[\"" KEY_1 "\",\"0x22\"],\"threshold\":2},",
          "recovery_shares.keys[1]" },
        /* members that say nothing, and keys that do not ascend, are not the one form */
        { "\"recovery\":\"none\",\"recovery_shares\":{\"keys\":[\"" KEY_1 "\",\"" KEY_2 "\"],\"threshold\":2},",
          "recovery_shares" },
        { "\"recovery\":\"shares\",\"recovery_shares\":{\"keys\":[\"" KEY_2 "\",\"" KEY_1 "\"],\"threshold\":2},", "" },
        { "\"recovery\":\"shares\",\"recovery_shares\":{\"keys\":[\"" KEY_1 "\",\"" KEY_1 "\"],\"threshold\":2},", "" },
    };
    const char *at = strstr(CLUSTER, old);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[2048];
        setup_cluster_t c;
        err_t e;
        view_t again;
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - CLUSTER), CLUSTER, rows[i].members, at + strlen(old));
        const rc_t rc = setup_cluster_read(&c, &e, &a, view_str(text));
        ck_assert_msg((rc == RC_OK) == !rows[i].field, "row %zu: %s: %s", i, e.field, e.text);
        if (rc) {
            ck_assert_msg(!strcmp(e.field, rows[i].field), "row %zu: %s: %s", i, e.field, e.text);
            continue;
        }
        ck_assert_int_eq(setup_cluster_write(&again, NULL, &a, &c), RC_OK);
        ck_assert_str_eq((const char *)again.p, text);
    }
}
END_TEST

/* Another program's canonical form (jansson's sorted members, no spaces) is the same. */
START_TEST(the_form_is_canonical)
{
    const char *const texts[] = { CLUSTER, NODE };
    for (size_t i = 0; i < 2; i++) {
        json_t *o = json_loads(texts[i], JSON_REJECT_DUPLICATES, NULL);
        char *again = json_dumps(o, JSON_SORT_KEYS | JSON_COMPACT);
        ck_assert_str_eq(again, texts[i]);
        free(again);
        json_decref(o);
    }
}
END_TEST

START_TEST(each_reads_as_it_was_written)
{
    const setup_cluster_t c = cluster();
    const setup_node_t n = node();
    setup_cluster_t c2;
    setup_node_t n2;
    err_t e;
    ck_assert_int_eq(setup_cluster_read(&c2, &e, &a, view_str(CLUSTER)), RC_OK);
    ck_assert_int_eq(setup_cluster_check(&c2, &e, &c), RC_OK);
    ck_assert_int_eq(setup_node_read(&n2, &e, &a, view_str(NODE)), RC_OK);
    ck_assert_str_eq(n2.program, n.program);
    ck_assert(hash32_eq(&n2.policy_digest, &n.policy_digest) && n2.policy_version == 1);
    ck_assert_int_eq(n2.default_block, SETUP_BY_FINALIZED);
    ck_assert(n2.setup.count == 2 && n2.flags.count == 1 && n2.environment.count == 0);
    ck_assert_str_eq(n2.setup.names[1], "port");
}
END_TEST

START_TEST(no_truncation_and_no_other_spelling_reads)
{
    static const char *const spellings[] = { " %s", "%s ", "%s\n" };
    const char *const texts[] = { CLUSTER, NODE };
    setup_cluster_t c = { .chain_id = 7 };
    setup_node_t n = { .policy_version = 7 };
    err_t e;
    char text[2048];
    for (size_t i = 0; i < 2; i++) {
        for (size_t len = 0; len < strlen(texts[i]); len++) {
            uint8_t *copy = malloc(len ? len : 1); /* exact size on the heap: ASan sees an over-read */
            memcpy(copy, texts[i], len);
            ck_assert_int_eq(i ? setup_node_read(&n, &e, &a, view_of(copy, len))
                               : setup_cluster_read(&c, &e, &a, view_of(copy, len)),
                             RC_MALFORMED);
            free(copy);
        }
        for (size_t k = 0; k < 3; k++) {
            const int len = spellings[k][0] == ' ' ? snprintf(text, sizeof text, " %s", texts[i])
                                                   : snprintf(text, sizeof text, "%s%s", texts[i], spellings[k] + 2);
            const view_t view = view_of(text, (size_t)len);
            ck_assert_int_eq(i ? setup_node_read(&n, &e, &a, view) : setup_cluster_read(&c, &e, &a, view),
                             RC_MALFORMED);
        }
    }
    ck_assert(c.chain_id == 7 && n.policy_version == 7); /* untouched */
}
END_TEST

/* The text with one member (a pointer of names, two deep at most) of another value, or gone. */
static char *altered(const char *text, const char *outer, const char *inner, json_t *take_value)
{
    json_t *o = json_loads(text, 0, NULL), *in = outer ? json_object_get(o, outer) : o;
    ck_assert_ptr_nonnull(json_object_get(in, inner));
    if (take_value)
        json_object_set_new(in, inner, take_value);
    else
        json_object_del(in, inner);
    char *out = json_dumps(o, JSON_SORT_KEYS | JSON_COMPACT);
    json_decref(o);
    return out;
}

static const struct {
    const char *outer, *inner, *field;
} members[] = {
    { NULL, "chain_id", "chain_id" },
    { "checkpoint", "age_max_s", "checkpoint.age_max_s" },
    { "checkpoint", "found", "checkpoint.found" },
    { "checkpoint", "root", "checkpoint.root" },
    { NULL, "checkpoint", "checkpoint" },
    { NULL, "development", "development" },
    { NULL, "kettle", "kettle" },
    { "network", "digest", "network.digest" },
    { "network", "forks_until", "network.forks_until" },
    { "network", "genesis_validators_root", "network.genesis_validators_root" },
    { "network", "name", "network.name" },
    { NULL, "network", "network" },
    { NULL, "policy_signers", "policy_signers" },
    { NULL, "recovery", "recovery" },
    { "rules", "call_gas", "rules.call_gas" },
    { "rules", "finalized_age_s", "rules.finalized_age_s" },
    { "rules", "head_age_s", "rules.head_age_s" },
    { "rules", "valid_s", "rules.valid_s" },
    { NULL, "simulated", "simulated" },
};
#define MEMBERS (sizeof members / sizeof members[0])

START_TEST(a_wrong_or_missing_member_is_named)
{
    setup_cluster_t c;
    err_t e;
    for (size_t i = 0; i < MEMBERS; i++)
        for (unsigned missing = 0; missing < 2; missing++) {
            char *text = altered(CLUSTER, members[i].outer, members[i].inner, missing ? NULL : json_real(0.5));
            ck_assert_int_eq(setup_cluster_read(&c, &e, &a, view_str(text)), RC_MALFORMED);
            ck_assert_str_eq(e.field, members[i].field);
            free(text);
        }
}
END_TEST

START_TEST(what_nobody_knows_and_what_is_too_large_is_refused)
{
    setup_cluster_t c;
    setup_node_t n;
    err_t e;
    char *text = altered(CLUSTER, NULL, "chain_id", json_integer((json_int_t)1 << 53));
    ck_assert_int_ne(setup_cluster_read(&c, &e, &a, view_str(text)), RC_OK);
    ck_assert_str_eq(e.field, "chain_id");
    free(text);
    text = altered(CLUSTER, "network", "name", json_string("main\x1b[2Jnet"));
    ck_assert_int_eq(setup_cluster_read(&c, &e, &a, view_str(text)), RC_MALFORMED);
    ck_assert_str_eq(e.field, "network.name");
    free(text);
    text = altered(CLUSTER, "network", "name", json_string("a-name-of-thirty-two-characters-"));
    ck_assert_int_eq(setup_cluster_read(&c, &e, &a, view_str(text)), RC_LIMIT);
    free(text);
    json_t *o = json_loads(CLUSTER, 0, NULL);
    json_object_set_new(o, "zero", json_integer(0));
    text = json_dumps(o, JSON_SORT_KEYS | JSON_COMPACT);
    ck_assert_int_eq(setup_cluster_read(&c, &e, &a, view_str(text)), RC_MALFORMED);
    ck_assert_str_eq(e.field, "zero");
    free(text);
    json_decref(o);
    text = altered(NODE, NULL, "default_block", json_string("block"));
    ck_assert_int_eq(setup_node_read(&n, &e, &a, view_str(text)), RC_MALFORMED);
    ck_assert_str_eq(e.field, "default_block");
    free(text);
}
END_TEST

START_TEST(what_has_no_place_is_not_written)
{
    setup_cluster_t c = cluster();
    setup_node_t n = node();
    view_t text = { NULL, 0 };
    c.chain_id = (uint64_t)1 << 53;
    ck_assert_int_eq(setup_cluster_write(&text, NULL, &a, &c), RC_BUG);
    c.chain_id--;
    ck_assert_int_eq(setup_cluster_write(&text, NULL, &a, &c), RC_OK);
    c.network[0] = '\n';
    ck_assert_int_eq(setup_cluster_write(&text, NULL, &a, &c), RC_BUG);
    n.program = "";
    c = cluster();
    c.of = 1;
    c.by_count = 2; /* more than there are */
    c.by[0] = c.by[1] = "a.example";
    ck_assert_int_eq(setup_cluster_write(&text, NULL, &a, &c), RC_BUG);
    ck_assert_int_eq(setup_node_write(&text, NULL, &a, &n), RC_BUG);
}
END_TEST

/* A node whose operator invented a chain, with the real genesis root and chain id and a checkpoint of its own, is told
 * apart from ours: it never belongs to our cluster. */
START_TEST(an_invented_checkpoint_is_found_different)
{
    const setup_cluster_t own = cluster();
    setup_cluster_t theirs = own;
    err_t e;
    ck_assert_int_eq(setup_cluster_check(&theirs, &e, &own), RC_OK);
    theirs.checkpoint.b[31] ^= 1;
    ck_assert_int_eq(setup_cluster_check(&theirs, &e, &own), RC_REFUSED);
    ck_assert_str_eq(e.field, "checkpoint.root");
}
END_TEST

/* Every bit of meaning counts: with each number, hash, flag and text altered in turn. */
START_TEST(each_member_that_differs_is_named)
{
    const setup_cluster_t own = cluster();
    setup_cluster_t t;
    err_t e;
#define DIFFERS(change, name)                                                                                          \
    do {                                                                                                               \
        t = own;                                                                                                       \
        change;                                                                                                        \
        ck_assert_int_eq(setup_cluster_check(&t, &e, &own), RC_REFUSED);                                               \
        ck_assert_str_eq(e.field, name);                                                                               \
    } while (0)
    DIFFERS(t.network[0]++, "network.name");
    DIFFERS(t.genesis_validators_root.b[0]++, "network.genesis_validators_root");
    DIFFERS(t.chain_id++, "chain_id");
    DIFFERS(t.forks_until++, "network.forks_until");
    DIFFERS(t.network_digest.b[9]++, "network.digest");
    DIFFERS(t.checkpoint.b[0]++, "checkpoint.root");
    DIFFERS(t.found = SETUP_FOUND_SETUP, "checkpoint.found");
    DIFFERS(t.checkpoint_age_s++, "checkpoint.age_max_s");
    DIFFERS(t.of++, "checkpoint.of");
    DIFFERS((t.by[0] = "a.example", t.by_count++), "checkpoint.by");
    DIFFERS(t.policy_signers.b[0]++, "policy_signers");
    DIFFERS(t.recovery.mode = SETUP_RECOVERY_SEAL, "recovery");
    DIFFERS(t.recovery.threshold++, "recovery");
    DIFFERS(t.recovery.count++, "recovery");
    DIFFERS(t.development = true, "development");
    DIFFERS(t.simulated = false, "simulated");
    DIFFERS(t.rules.call_gas++, "rules.call_gas");
    DIFFERS(t.rules.finalized_age_s++, "rules.finalized_age_s");
    DIFFERS(t.rules.head_age_s++, "rules.head_age_s");
    DIFFERS(t.rules.valid_s[SETUP_BY_BLOCK]++, "rules.valid_s.block");
    DIFFERS(t.rules.valid_s[SETUP_BY_FINALIZED]++, "rules.valid_s.finalized");
    DIFFERS(t.rules.valid_s[SETUP_BY_LATEST]++, "rules.valid_s.latest");
    DIFFERS(t.rules.valid_s[SETUP_BY_SAFE]++, "rules.valid_s.safe");
}
END_TEST

/* SHA-256 of the text in setup_statement.h, by another program. */
START_TEST(who_may_change_the_policy_is_named_by_a_digest)
{
    uint8_t keys[2][33] = { { 2 }, { 3 } };
    char hex[65];
    hash32_t digest;
    memset(keys[0] + 1, 0x11, 32);
    memset(keys[1] + 1, 0x22, 32);
    setup_signers_digest(&digest, (const uint8_t(*)[33])keys, 2, 2);
    hex_encode(hex, view_of(digest.b, 32));
    ck_assert_str_eq(hex, "90c785d106cc7ec4373514157a066e022fe0199f0cb3a510812c10eb9cd0e89b");
    setup_signers_digest(&digest, (const uint8_t(*)[33])keys, 0, 0);
    ck_assert(hash32_eq(&digest, &SETUP_NO_SIGNERS));
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND(
        "setup_statement", setup, teardown, who_may_change_the_policy_is_named_by_a_digest,
        each_is_written_in_its_one_form, servers_that_named_the_checkpoint_are_read_and_written_in_one_form,
        who_can_recover_the_key_is_read_and_written_in_one_form, the_form_is_canonical, each_reads_as_it_was_written,
        no_truncation_and_no_other_spelling_reads, a_wrong_or_missing_member_is_named,
        what_nobody_knows_and_what_is_too_large_is_refused, what_has_no_place_is_not_written,
        an_invented_checkpoint_is_found_different, each_member_that_differs_is_named);
}
