/* What endpoints say of forks to come, against what a network has scheduled. */
#include <check.h>
#include <stdio.h>

#include "lightclient/networks.h"
#include "rpc/upstream/claims.h"
#include "tests/unit/unit.h"

/* Members of /eth/v1/config/spec; the claim, or none. On Sepolia, whose Gloas begins at epoch 353024. */
static const struct {
    const char *members, *claim;
} specs[] = {
    { "\"GLOAS_FORK_EPOCH\":\"353024\",\"FULU_FORK_EPOCH\":\"272640\",\"CONFIG_NAME\":\"sepolia\"", NULL },
    { "\"HEZE_FORK_EPOCH\":\"18446744073709551615\",\"HEZE_FORK_VERSION\":\"0x90000077\"", NULL },
    { "\"HEZE_FORK_EPOCH\":\"400000\"",
      "HEZE_FORK_EPOCH is 400000 (slot 12800000), a fork that this build does not know" },
    { "\"IMAX_FORK_EPOCH\":\"500000\",\"HEZE_FORK_EPOCH\":\"400000\",\"JUNO_FORK_EPOCH\":\"600000\"",
      "HEZE_FORK_EPOCH is 400000 (slot 12800000), a fork that this build does not know" },
    { "\"GLOAS_FORK_EPOCH\":\"353025\"",
      "GLOAS_FORK_EPOCH is 353025 (slot 11296800), and 353024 in this network's configuration" },
    { "\"GLOAS_FORK_EPOCH\":353024", NULL },
    { "\"HEZE_FORK_EPOCH\":\"soon\"", NULL },
    { "\"HEZE_FORK_EPOCH\":null,\"_FORK_EPOCH\":\"1\",\"HEZE_FORK_EPOCHS\":\"1\",\"he ze_FORK_EPOCH\":\"1\"", NULL },
    { "\"A234567890123456789012345678901_FORK_EPOCH\":\"7\"",
      "A234567890123456789012345678901_FORK_EPOCH is 7 (slot 224), a fork that this build does not know" },
    { "\"A2345678901234567890123456789012_FORK_EPOCH\":\"7\"", NULL },
    { "\"BLOB_SCHEDULE\":[{\"EPOCH\":\"274176\",\"MAX_BLOBS_PER_BLOCK\":\"15\"},"
      "{\"EPOCH\":\"275712\",\"MAX_BLOBS_PER_BLOCK\":\"21\"}]",
      NULL },
    { "\"BLOB_SCHEDULE\":[{\"EPOCH\":\"222464\",\"MAX_BLOBS_PER_BLOCK\":\"9\"}]",
      NULL }, /* Electra's, of old clients */
    { "\"HEZE_FORK_EPOCH\":\"500000\",\"BLOB_SCHEDULE\":[{\"EPOCH\":\"450000\",\"MAX_BLOBS_PER_BLOCK\":\"48\"},"
      "{\"EPOCH\":\"400000\",\"MAX_BLOBS_PER_BLOCK\":\"21\"}]",
      "BLOB_SCHEDULE has 21 blobs from epoch 400000 (slot 12800000) on, and this network's configuration has no such row" },
    { "\"BLOB_SCHEDULE\":[{\"EPOCH\":\"275712\",\"MAX_BLOBS_PER_BLOCK\":\"22\"}]",
      "BLOB_SCHEDULE has 22 blobs from epoch 275712 (slot 8822784) on, and this network's configuration has no such row" },
    { "\"BLOB_SCHEDULE\":[{\"EPOCH\":\"x\"}]", NULL },
    { "\"BLOB_SCHEDULE\":7", NULL },
};

static bool spec_claims(char out[CL_TEXT_MAX], const lc_network_t *net, const char *members)
{
    char body[512];
    snprintf(body, sizeof body, "{\"data\":{%s}}", members);
    return cl_of_spec(out, net, view_str(body));
}

START_TEST(a_beacon_node_claims_what_the_network_has_not_or_elsewhere)
{
    const lc_network_t *net = lc_network_find("sepolia");
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
        char out[CL_TEXT_MAX] = "untouched";
        const bool claims = spec_claims(out, net, specs[i].members);
        ck_assert_msg(claims == (specs[i].claim != NULL), "row %zu", i);
        ck_assert_str_eq(out, claims ? specs[i].claim : "untouched");
    }
}
END_TEST

START_TEST(a_fork_that_the_configuration_names_is_claimed_when_it_moves_only)
{
    lc_network_t net = *lc_network_find("mainnet");
    char out[CL_TEXT_MAX];
    const lc_unknown_fork_t heze = { .name = "heze", .epoch = 600000 };
    ck_assert(lc_unknown_fork_add(&net, &heze));
    ck_assert(!spec_claims(out, &net, "\"HEZE_FORK_EPOCH\":\"600000\""));
    ck_assert(spec_claims(out, &net, "\"HEZE_FORK_EPOCH\":\"599999\""));
    ck_assert(spec_claims(out, &net, "\"GLOAS_FORK_EPOCH\":\"590000\""));
    ck_assert_str_eq(out, "GLOAS_FORK_EPOCH is 590000 (slot 18880000), and this network has not scheduled it");
}
END_TEST

/* Results of eth_config, on Sepolia, whose Amsterdam begins at 1791294816. */
static const struct {
    const char *result, *claim;
} configs[] = {
    { "{\"current\":{\"activationTime\":1791294816},\"next\":null,\"last\":null}", NULL },
    { "{\"current\":{\"activationTime\":1761607008},\"next\":{\"activationTime\":1791294816}}", NULL },
    { "{\"current\":{\"activationTime\":1791294816},\"next\":{\"activationTime\":1800000000},\"last\":null}",
      "eth_config: next rules from 1800000000 on, a time at which no known fork begins" },
    { "{\"current\":{\"activationTime\":1800000001}}",
      "eth_config: current rules from 1800000001 on, a time at which no known fork begins" },
    { "{\"current\":{}}", NULL },
    { "{\"current\":{\"activationTime\":1655733600}}", NULL }, /* of the first rules */
    { "{\"next\":{\"activationTime\":1761607008,"
      "\"blobSchedule\":{\"target\":14,\"max\":21,\"baseFeeUpdateFraction\":11684671}}}",
      NULL },
    { "{\"next\":{\"activationTime\":1761607008,"
      "\"blobSchedule\":{\"target\":14,\"max\":21,\"baseFeeUpdateFraction\":13739630}}}",
      "eth_config: next rules from 1761607008 on, blobs 14/21/13739630, and 14/21/11684671 here" },
    { "{\"next\":{\"activationTime\":1761607008,\"blobSchedule\":{\"target\":14}}}", NULL },
    { "{\"current\":7}", NULL },
    { "null", NULL },
};

START_TEST(an_execution_client_claims_a_time_that_no_known_fork_has)
{
    const lc_builtin_t *chain = lc_builtin_find("sepolia");
    for (size_t i = 0; i < sizeof configs / sizeof configs[0]; i++) {
        char body[512], out[CL_TEXT_MAX] = "untouched";
        snprintf(body, sizeof body, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":%s}", configs[i].result);
        const bool claims =
            cl_of_config(out, chain->execution, lc_network_find("sepolia")->genesis_time, view_str(body));
        ck_assert_msg(claims == (configs[i].claim != NULL), "row %zu", i);
        ck_assert_str_eq(out, claims ? configs[i].claim : "untouched");
    }
}
END_TEST

/* Every truncation, and what is no object, claims nothing. */
START_TEST(what_is_no_answer_claims_nothing)
{
    static const char whole[] = "{\"data\":{\"HEZE_FORK_EPOCH\":\"400000\"}}";
    const lc_network_t *net = lc_network_find("sepolia");
    const evm_chain_t *chain = lc_builtin_find("sepolia")->execution;
    char out[CL_TEXT_MAX];
    for (size_t n = 0; n < sizeof whole - 1; n++) {
        char *cut = malloc(n + 1);
        memcpy(cut, whole, n);
        ck_assert(!cl_of_spec(out, net, view_of(cut, n)));
        ck_assert(!cl_of_config(out, chain, 0, view_of(cut, n)));
        free(cut);
    }
    ck_assert(cl_of_spec(out, net, view_str(whole)));
    char *large = calloc(1, CL_BODY_MAX + 1);
    memset(large, ' ', CL_BODY_MAX + 1);
    memcpy(large, whole, sizeof whole - 1);
    ck_assert(cl_of_spec(out, net, view_of(large, CL_BODY_MAX)));
    ck_assert(!cl_of_spec(out, net, view_of(large, CL_BODY_MAX + 1)));
    free(large);
}
END_TEST

int main(void)
{
    return UNIT_RUN("claims", a_beacon_node_claims_what_the_network_has_not_or_elsewhere,
                    a_fork_that_the_configuration_names_is_claimed_when_it_moves_only,
                    an_execution_client_claims_a_time_that_no_known_fork_has, what_is_no_answer_claims_nothing);
}
