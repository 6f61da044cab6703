/* Built-in chains: both sides of one chain agree, and forks stand with their twins. */
#include <check.h>
#include <string.h>

#include "lightclient/networks.h"
#include "tests/unit/unit.h"

/* Chain ids: eth-clients; the times are those at which the networks' own clients switched to Cancun. */
static const struct {
    const char *name;
    uint64_t chain_id, cancun;
} chains[] = { { "mainnet", 1, 1710338135 }, { "sepolia", 11155111, 1706655072 }, { "hoodi", 560048, 0 } };

START_TEST(both_sides_of_a_chain_have_one_name_and_id)
{
    for (size_t i = 0; i < 3; i++) {
        const lc_builtin_t *chain = lc_builtin_find(chains[i].name);
        ck_assert_ptr_nonnull(chain);
        ck_assert_str_eq(chain->name, chains[i].name);
        ck_assert_uint_eq(chain->execution->chain_id, chains[i].chain_id);
        ck_assert_uint_eq(lc_network_find(chains[i].name)->chain_id, chains[i].chain_id);
        ck_assert_uint_eq(evm_chain_rules(chain->execution, chains[i].cancun)->fork, EVM_CANCUN);
    }
}
END_TEST

START_TEST(a_chain_without_a_name_here_is_not_found)
{
    ck_assert_ptr_null(lc_builtin_find("goerli"));
    ck_assert_ptr_null(lc_builtin_find("mainnet2"));
    ck_assert_ptr_null(lc_builtin_find(""));
}
END_TEST

START_TEST(only_mainnet_has_a_beacon_api_of_its_own)
{
    ck_assert_str_eq(lc_builtin_find("mainnet")->beacon_api, "https://www.lightclientdata.org");
    ck_assert_ptr_null(lc_builtin_find("sepolia")->beacon_api);
    ck_assert_ptr_null(lc_builtin_find("hoodi")->beacon_api);
}
END_TEST

START_TEST(execution_forks_stand_in_order_with_their_twins)
{
    static const struct {
        const char *name, *twin;
        uint64_t blob_max;
    } rows[] = { { "paris", "bellatrix", 0 }, { "shanghai", "capella", 0 }, { "cancun", "deneb", 6 },
                 { "prague", "electra", 9 },  { "osaka", "fulu", 0 },       { "amsterdam", "gloas", 0 } };
    for (size_t i = 0; i < LC_EXECUTION_FORKS; i++) {
        ck_assert_str_eq(lc_execution_forks[i].name, rows[i].name);
        ck_assert_str_eq(lc_fork_name(lc_execution_forks[i].twin), rows[i].twin);
        ck_assert_uint_eq(lc_execution_forks[i].blob_max, rows[i].blob_max);
        ck_assert(i == 0 || lc_execution_forks[i].fork > lc_execution_forks[i - 1].fork);
    }
}
END_TEST

/* When a fork begins in the execution schedule; 0: with the chain, or never. */
static uint64_t execution_time(const evm_chain_t *chain, evm_fork_t fork)
{
    for (size_t i = 0; i < chain->count; i++)
        if (chain->rows[i].rules.fork == fork)
            return chain->rows[i].timestamp;
    return 0;
}

START_TEST(execution_forks_begin_when_their_twins_do)
{
    for (size_t n = 0; n < 3; n++)
        for (size_t i = 1; i < LC_EXECUTION_FORKS; i++) { /* Paris began by difficulty */
            const lc_network_t *net = lc_network_find(chains[n].name);
            uint64_t epoch = net->fork_epoch[lc_execution_forks[i].twin];
            uint64_t time =
                epoch && epoch != LC_EPOCH_NEVER ? net->genesis_time + epoch * 32 * net->seconds_per_slot : 0;
            uint64_t row = execution_time(lc_builtin_find(chains[n].name)->execution, lc_execution_forks[i].fork);
            ck_assert_msg(row == time, "%s %s", chains[n].name, lc_execution_forks[i].name);
        }
}
END_TEST

int main(void)
{
    return UNIT_RUN("networks", both_sides_of_a_chain_have_one_name_and_id, a_chain_without_a_name_here_is_not_found,
                    only_mainnet_has_a_beacon_api_of_its_own, execution_forks_stand_in_order_with_their_twins,
                    execution_forks_begin_when_their_twins_do);
}
