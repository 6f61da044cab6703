/* Networks of a configuration: those built in by name, those of one's own by the beacon node's words. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/config_texts.h"
#include "tests/unit/unit.h"

START_TEST(a_custom_network_takes_the_beacon_nodes_own_words)
{
    config_t *c;
    err_t e;
    ck_assert_msg(read_texts(&c, &e, NULL,
                             "{" MINIMUM "," REST ",\"network\":{\"name\":\"dev\"," SPEC "," GENESIS "," BLOBS
                             "}}") == RC_OK,
                  "%s: %s", e.field, e.text);
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
    ck_assert_uint_eq(last->blob_base_fee_update_fraction,
                      20609697); /* as given: it does not follow from the maximum */
    ck_assert_uint_eq(evm_chain_rules(&c->chain, 1795226031 + 20 * 16)->blob_base_fee_update_fraction, 8346193);
    config_free(c);
}
END_TEST

START_TEST(execution_forks_can_be_given)
{
    config_t *c;
    err_t e;
    static const char text[] =
        "{" MINIMUM "," REST ",\"network\":{" SPEC "," GENESIS
        ",\"execution\":{\"chain_id\":77,\"forks\":{\"shanghai\":0,\"cancun\":0,\"prague\":1795226100}}}}";
    ck_assert_msg(read_texts(&c, &e, NULL, text) == RC_OK, "%s: %s", e.field, e.text);
    ck_assert_uint_eq(c->chain.chain_id, 77);
    ck_assert_uint_eq(evm_chain_rules(&c->chain, 5)->fork, EVM_CANCUN);
    ck_assert_uint_eq(evm_chain_rules(&c->chain, 1795226100)->fork, EVM_PRAGUE);
    ck_assert_uint_eq(evm_chain_rules(&c->chain, 1895226100)->fork, EVM_PRAGUE);
    config_free(c);
}
END_TEST

#define HASH "0x0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"

START_TEST(where_a_network_began_may_be_given)
{
    config_t *c;
    err_t e;
    static const char head[] = "{" MINIMUM "," REST ",\"network\":{" SPEC "," GENESIS ",\"execution\":{\"forks\":{}";
    char text[8192];
    snprintf(text, sizeof text, "%s,\"genesis_hash\":\"" HASH "\"}}}", head);
    ck_assert_msg(read_texts(&c, &e, NULL, text) == RC_OK, "%s: %s", e.field, e.text);
    ck_assert(c->origin.has_genesis);
    ck_assert_uint_eq(c->origin.genesis.b[0], 1);
    ck_assert_uint_eq(c->origin.genesis.b[31], 0x20);
    config_free(c);
    snprintf(text, sizeof text, "%s}}}", head);
    ck_assert_int_eq(read_texts(&c, &e, NULL, text), RC_OK);
    ck_assert(!c->origin.has_genesis);
    config_free(c);
    snprintf(text, sizeof text, "%s,\"genesis_hash\":\"0x01\"}}}", head);
    ck_assert_int_eq(read_texts(&c, &e, NULL, text), RC_MALFORMED);
    ck_assert_str_eq(e.field, "network.execution.genesis_hash");
    static const char spec[] = SPEC;
    snprintf(text, sizeof text,
             "{" MINIMUM "," REST ",\"network\":{\"config\":{\"DEPOSIT_CONTRACT_ADDRESS\":\"0x%040d\",%s," GENESIS
             ",\"execution\":{\"forks\":{}}}}",
             77, spec + strlen("\"config\":{"));
    ck_assert_msg(read_texts(&c, &e, NULL, text) == RC_OK, "%s: %s", e.field, e.text);
    ck_assert(c->origin.has_deposits);
    ck_assert_uint_eq(c->origin.deposits.b[19], 0x77);
    config_free(c);
}
END_TEST

START_TEST(no_custom_network_takes_a_name_that_everybody_knows)
{
    static const char *const names[] = { "mainnet", "hoodi", "main\\nnet", "\\u001b[2J", "na\\u00efve", "a\\\"b" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        config_t *c;
        err_t e;
        char text[4096];
        snprintf(text, sizeof text,
                 "{" MINIMUM "," REST ",\"network\":{\"name\":\"%s\"," SPEC "," GENESIS "," BLOBS "}}", names[i]);
        ck_assert_msg(read_texts(&c, &e, NULL, text) == RC_MALFORMED, "%s", names[i]);
        ck_assert_str_eq(e.field, "network.name");
    }
}
END_TEST

START_TEST(a_network_name_in_an_error_is_cut_at_40_characters)
{
    static const size_t lengths[] = { 39, 40, 41, 300, 100000 };
    static const char fortieth[] = "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn";
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        config_t *c;
        err_t e;
        char *text = text_of("{" MINIMUM ",\"network\":\"", 'n', lengths[i], "\"}"), want[200];
        snprintf(want, sizeof want, "\"%.*s\" is not built in: mainnet, sepolia, hoodi, or an object",
                 (int)(lengths[i] < 40 ? lengths[i] : 40), fortieth);
        ck_assert_int_eq(read_texts(&c, &e, NULL, text), RC_MALFORMED);
        ck_assert_str_eq(e.field, "network");
        ck_assert_str_eq(e.text, want);
        free(text);
    }
}
END_TEST

START_TEST(a_network_of_ones_own_has_a_name_of_1_to_31_bytes)
{
    for (size_t n = 0; n < 40; n++) {
        config_t *c;
        err_t e;
        char *text =
            text_of("{" MINIMUM "," REST ",\"network\":{" SPEC "," GENESIS "," BLOBS ",\"name\":\"", 'n', n, "\"}}");
        ck_assert_int_eq(read_texts(&c, &e, NULL, text), n == 0 ? RC_MALFORMED : n <= 31 ? RC_OK : RC_LIMIT);
        ck_assert_str_eq(e.field, n && n <= 31 ? "" : "network.name");
        ck_assert(!c || strlen(c->network.name) == n);
        config_free(c);
        free(text);
    }
}
END_TEST

#define NOT_A_FORK "is not the name of a fork that this build could note"
#define BAD_BLOBS "has a target above its max, or a max or baseFeeUpdateFraction of 0"

/* A network object of an operator, one thing in it changed. */
#define OSAKA(max, fraction) "\"osaka\":{\"target\":1,\"max\":" #max ",\"baseFeeUpdateFraction\":" #fraction "}"
#define BPO1(max, fraction) "\"bpo1\":{\"target\":1,\"max\":" #max ",\"baseFeeUpdateFraction\":" #fraction "}"
static const struct {
    const char *from, *to, *field, *error; /* error NULL: taken */
} networks[] = {
    { "\"SECONDS_PER_SLOT\":\"2\"", "\"SECONDS_PER_SLOT\":2", "", NULL },
    { "\"SECONDS_PER_SLOT\":\"2\",", "", "network.config.SLOT_DURATION_MS", "is required, or SECONDS_PER_SLOT" },
    { "\"SECONDS_PER_SLOT\":\"2\"", "\"SLOT_DURATION_MS\":\"2000\"", "", NULL },
    { "\"SECONDS_PER_SLOT\":\"2\"", "\"SLOT_DURATION_MS\":\"2000\",\"SECONDS_PER_SLOT\":2", "", NULL },
    { "\"SECONDS_PER_SLOT\":\"2\"", "\"SLOT_DURATION_MS\":\"2000\",\"SECONDS_PER_SLOT\":3",
      "network.config.SLOT_DURATION_MS", "contradicts SECONDS_PER_SLOT" },
    { "\"SECONDS_PER_SLOT\":\"2\"", "\"SLOT_DURATION_MS\":\"2001\"", "network.config.SLOT_DURATION_MS",
      "must be whole seconds, as an execution block's time is" },
    { "\"SECONDS_PER_SLOT\":\"2\"", "\"SECONDS_PER_SLOT\":\"2x\"", "network.config.SECONDS_PER_SLOT",
      "must be a decimal number in quotes" },
    { "\"SECONDS_PER_SLOT\":\"2\"", "\"SECONDS_PER_SLOT\":-2", "network.config.SECONDS_PER_SLOT",
      "must be a number of at least 0" },
    { "\"SECONDS_PER_SLOT\":\"2\"", "\"SECONDS_PER_SLOT\":\"\"", "network.config.SECONDS_PER_SLOT",
      "must be a decimal number in quotes" },
    { "\"SECONDS_PER_SLOT\":\"2\"", "\"SECONDS_PER_SLOT\":\"18446744073709551616\"", "network.config.SECONDS_PER_SLOT",
      "the number is out of range" },
    { "\"DEPOSIT_CHAIN_ID\":\"1337470\"", "\"DEPOSIT_CHAIN_ID\":[]", "network.config.DEPOSIT_CHAIN_ID",
      "must be a number from 0 to 9007199254740991" },
    { "\"DEPOSIT_CHAIN_ID\":\"1337470\"", "\"DEPOSIT_CHAIN_ID\":\"9007199254740991\"", "", NULL },
    { "\"DEPOSIT_CHAIN_ID\":\"1337470\"", "\"DEPOSIT_CHAIN_ID\":\"9007199254740992\"",
      "network.config.DEPOSIT_CHAIN_ID", "the number is out of range" },
    { "\"ALTAIR_FORK_EPOCH\":\"0\",", "", "network.config.ALTAIR_FORK_EPOCH",
      "is required: sync committees begin with Altair" },
    { "\"FULU_FORK_VERSION\":\"0x06304801\"", "\"FULU_FORK_VERSION\":\"0x063048\"", "network.config.FULU_FORK_VERSION",
      "must be 4 bytes of hex" },
    { "\"FULU_FORK_EPOCH\":\"12\"", "\"FULU_FORK_EPOCH\":\"+12\"", "network.config.FULU_FORK_EPOCH",
      "must be a decimal number in quotes" },
    { "\"PRESET_BASE\":\"minimal\"", "\"PRESET_BASE\":7", "network.config.PRESET_BASE",
      "must be one of: mainnet, minimal" },
    { "\"PRESET_BASE\":\"minimal\"", "\"PRESET_BASE\":\"gnosis\"", "network.config.PRESET_BASE",
      "must be one of: mainnet, minimal" },
    { "\"network\":{", "\"network\":{\"preset\":\"minimal\",", "", NULL },
    { "\"network\":{", "\"network\":{\"preset\":\"mainnet\",", "network.preset", "contradicts PRESET_BASE" },
    { "\"PRESET_BASE\":\"minimal\"",
      "\"PRESET_BASE\":\"minimal\",\"SLOTS_PER_EPOCH\":\"8\",\"EPOCHS_PER_SYNC_COMMITTEE_PERIOD\":8,"
      "\"SYNC_COMMITTEE_SIZE\":\"32\"",
      "", NULL },
    { "\"PRESET_BASE\":\"minimal\"", "\"PRESET_BASE\":\"minimal\",\"SLOTS_PER_EPOCH\":\"16\"",
      "network.config.SLOTS_PER_EPOCH", "contradicts the preset, in which it is 8" },
    { "\"PRESET_BASE\":\"minimal\"", "\"PRESET_BASE\":\"minimal\",\"EPOCHS_PER_SYNC_COMMITTEE_PERIOD\":256",
      "network.config.EPOCHS_PER_SYNC_COMMITTEE_PERIOD", "contradicts the preset, in which it is 8" },
    { "\"PRESET_BASE\":\"minimal\"", "\"PRESET_BASE\":\"minimal\",\"SYNC_COMMITTEE_SIZE\":\"512\"",
      "network.config.SYNC_COMMITTEE_SIZE", "contradicts the preset, in which it is 32" },
    { "[{\"EPOCH\":\"20\"", "[7,{\"EPOCH\":\"20\"", "network.config.BLOB_SCHEDULE[0]", "must be an object" },
    { "{\"EPOCH\":\"30\",", "{", "network.config.BLOB_SCHEDULE[1].EPOCH", "is required" },
    { "\"21\"}]", "\"21\"},{\"EPOCH\":\"40\"}]", "network.config.BLOB_SCHEDULE[2].MAX_BLOBS_PER_BLOCK", "is required" },
    { "\"BLOB_SCHEDULE\":[", "\"BLOB_SCHEDULE\":7,\"x\":[", "network.config.BLOB_SCHEDULE", "must be a list" },
    { "\"genesis_time\":\"1795226031\",", "", "network.genesis.genesis_time", "is required" },
    { "\"0xd0df", "\"0xd0", "network.genesis.genesis_validators_root", "must be 32 bytes of hex" },
    { "\"0x00304801\"", "\"0x0030480100\"", "network.genesis.genesis_fork_version", "must be 4 bytes of hex" },
    { "\"execution\":{", "\"execution\":7,\"x\":{", "network.execution", "must be an object" },
    { "\"execution\":{", "\"execution\":{\"forks\":7,", "network.execution.forks", "must be an object" },
    { "\"execution\":{", "\"execution\":{\"forks\":{\"paris\":\"x\"},", "network.execution.forks.paris",
      "must be a decimal number in quotes" },
    { "\"execution\":{", "\"execution\":{\"forks\":{\"osaka\":-1},", "network.execution.forks.osaka",
      "must be a number of at least 0" },
    { "\"execution\":{", "\"execution\":{\"forks\":{\"Bogota\":6},", "network.execution.forks.Bogota", NOT_A_FORK },
    { "\"execution\":{", "\"execution\":{\"forks\":{\"bpo1\":6},", "network.execution.forks.bpo1", NOT_A_FORK },
    { "\"execution\":{", "\"execution\":{\"forks\":{\"bogota\":\"x\"},", "network.execution.forks.bogota",
      "must be a decimal number in quotes" },
    { "\"execution\":{", "\"execution\":{\"eip8037\":\"moon\",", "network.execution.eip8037",
      "must be one of: sepolia, glamsterdam-devnet-8" },
    { "\"execution\":{", "\"execution\":{\"chain_id\":\"x\",", "network.execution.chain_id",
      "must be a decimal number in quotes" },
    { "\"execution\":{", "\"execution\":{\"forks\":{\"shanghai\":1795226035,\"paris\":1795226036},",
      "network.execution.forks", "shanghai begins before the fork that precedes it" },
    { "\"execution\":{", "\"execution\":{\"forks\":{\"cancun\":0,\"prague\":1795226036,\"osaka\":1795226035},",
      "network.execution.forks", "osaka begins before the fork that precedes it" },
    { "\"execution\":{", "\"execution\":{\"forks\":{\"paris\":\"18446744073709551615\"},", "network",
      "Paris never begins: proofs need an execution chain" },
    { "\"execution\":{", "\"execution\":{\"forks\":{\"berlin\":\"0\",\"london\":0,\"cancun\":0},", "", NULL },
    { "\"execution\":{", "\"execution\":{\"forks\":{\"london\":1795226032,\"cancun\":0},",
      "network.execution.forks.london", "is a fork before Paris: it has to be in force from the first block on" },
    { "\"execution\":{\"blobSchedule\":{",
      "\"execution\":{\"forks\":{\"osaka\":0,\"amsterdam\":1795226600},\"blobSchedule\":{"
      "\"amsterdam\":{\"target\":21,\"max\":32,\"baseFeeUpdateFraction\":20609697},",
      "network.execution.blobSchedule",
      "the maximum of amsterdam is not that of BLOB_SCHEDULE[1], which is in force then" },
    { "\"execution\":{\"blobSchedule\":{",
      "\"execution\":{\"forks\":{\"osaka\":0,\"amsterdam\":1795226600},\"blobSchedule\":{"
      "\"amsterdam\":{\"target\":15,\"max\":21,\"baseFeeUpdateFraction\":20609697},",
      "", NULL },
    { "\"execution\":{", "\"execution\":{\"colour\":1,", "network.execution.colour", "unknown key" },
    { "\"bpo1\"", "\"bpo3\"", "network.execution.blobSchedule",
      "bpo1 is required: BLOB_SCHEDULE[0] says neither target nor fraction" },
    { "\"bpo1\"", "\"bpo32\"", "network.execution.blobSchedule",
      "bpo1 is required: BLOB_SCHEDULE[0] says neither target nor fraction" },
    { "\"bpo2\"", "\"bpo3\"", "network.execution.blobSchedule",
      "bpo2 is required: BLOB_SCHEDULE[1] says neither target nor fraction" },
    { "\"bpo2\"", "\"moon\"", "network.execution.blobSchedule.moon", "is neither a fork nor a row of BLOB_SCHEDULE" },
    { "\"bpo2\"", "\"bpo0\"", "network.execution.blobSchedule.bpo0", "is neither a fork nor a row of BLOB_SCHEDULE" },
    { "\"bpo2\"", "\"bpo33\"", "network.execution.blobSchedule.bpo33", "is neither a fork nor a row of BLOB_SCHEDULE" },
    { "\"bpo2\"", "\"bpo2x\"", "network.execution.blobSchedule.bpo2x", "is neither a fork nor a row of BLOB_SCHEDULE" },
    { "\"max\":15", "\"max\":14", "network.execution.blobSchedule",
      "the maximum of bpo1 is not that of BLOB_SCHEDULE[0]" },
    { "\"target\":10,", "", "network.execution.blobSchedule.bpo1.target", "is required" },
    { "\"max\":15,", "", "network.execution.blobSchedule.bpo1.max", "is required" },
    { ",\"baseFeeUpdateFraction\":8346193", "", "network.execution.blobSchedule.bpo1.baseFeeUpdateFraction",
      "is required" },
    { "\"target\":10,", "\"target\":16,", "network.execution.blobSchedule.bpo1", BAD_BLOBS },
    { "\"max\":15,\"", "\"max\":0,\"", "network.execution.blobSchedule.bpo1", BAD_BLOBS },
    { "8346193", "0", "network.execution.blobSchedule.bpo1", BAD_BLOBS },
    { "\"target\":10,", "\"target\":4294967296,", "network.execution.blobSchedule.bpo1.target",
      "must be a number from 0 to 4294967295" },
    { "\"bpo1\"", "\"osaka\":{\"target\":0,\"max\":0,\"baseFeeUpdateFraction\":5},\"bpo1\"",
      "network.execution.blobSchedule.osaka", BAD_BLOBS },
    { "\"target\":10,", "\"target\":10,\"colour\":1,", "network.execution.blobSchedule.bpo1.colour", "unknown key" },
    { "\"FULU_FORK_EPOCH\"", "\"HEZE_FORK_EPOCH\":\"99\",\"FULU_FORK_EPOCH\"", "", NULL },
    { "\"FULU_FORK_EPOCH\"", "\"HEZE_FORK_EPOCH\":\"x\",\"FULU_FORK_EPOCH\"", "network.config.HEZE_FORK_EPOCH",
      "must be a decimal number in quotes" },
    { "\"FULU_FORK_EPOCH\"", "\"HEZE_FORK_EPOCH\":\"99\",\"HEZE_FORK_VERSION\":\"0x080000\",\"FULU_FORK_EPOCH\"",
      "network.config.HEZE_FORK_VERSION", "must be 4 bytes of hex" },
    { "\"FULU_FORK_EPOCH\"",
      "\"A_FORK_EPOCH\":1,\"B_FORK_EPOCH\":2,\"C_FORK_EPOCH\":3,\"D_FORK_EPOCH\":4,\"E_FORK_EPOCH\":5,"
      "\"FULU_FORK_EPOCH\"",
      "network.config.E_FORK_EPOCH", "one more fork that this build does not know than the 4 that it can note" },
    { "\"FULU_FORK_EPOCH\"", "\"OF_A_NAME_THAT_HAS_TOO_MANY_LETTERS_FORK_EPOCH\":1,\"FULU_FORK_EPOCH\"",
      "network.config.OF_A_NAME_THAT_HAS_TOO_MANY_LETTERS_FORK_EPOCH", NOT_A_FORK },
    { "\"FULU_FORK_EPOCH\"", "\"he ze_FORK_EPOCH\":1,\"FULU_FORK_EPOCH\"", "network.config.he ze_FORK_EPOCH",
      NOT_A_FORK },
    { "\"FULU_FORK_EPOCH\"", "\"HEZE_FORK_EPOCHS\":1,\"FULU_FORK_EPOCH\"", "", NULL },
    { "\"FULU_FORK_EPOCH\"", "\"MAX_BLOBS_PER_BLOCK\":\"6\",\"MAX_BLOBS_PER_BLOCK_ELECTRA\":\"9\",\"FULU_FORK_EPOCH\"",
      "", NULL },
    { "\"FULU_FORK_EPOCH\"", "\"MAX_BLOBS_PER_BLOCK\":\"7\",\"FULU_FORK_EPOCH\"", "network.execution.blobSchedule",
      "cancun is required, with the maximum of MAX_BLOBS_PER_BLOCK, 7" },
    { "\"FULU_FORK_EPOCH\"", "\"MAX_BLOBS_PER_BLOCK_ELECTRA\":\"12\",\"FULU_FORK_EPOCH\"",
      "network.execution.blobSchedule", "prague is required, with the maximum of MAX_BLOBS_PER_BLOCK_ELECTRA, 12" },
    { "\"bpo1\"", "\"prague\":{\"target\":8,\"max\":12,\"baseFeeUpdateFraction\":5},\"bpo1\"", "", NULL },
};

START_TEST(forks_that_this_build_does_not_know_are_noted_in_order)
{
    config_t *c;
    err_t e;
    const char *heze = "\"config\":{\"ZULU_FORK_EPOCH\":\"200\",\"EIP7594_FORK_EPOCH\":\"18446744073709551615\","
                       "\"YAK_FORK_EPOCH\":\"18446744073709551615\",\"YAK_FORK_VERSION\":\"0x09304801\","
                       "\"HEZE_FORK_EPOCH\":\"99\",\"HEZE_FORK_VERSION\":\"0x08304801\",";
    static const char whole[] = "{" MINIMUM "," REST ",\"network\":{" SPEC "," GENESIS "," BLOBS "}}";
    const char *at = strstr(whole, "\"config\":{");
    char text[4096];
    ck_assert_int_eq(read_texts(&c, &e, NULL, whole), RC_OK);
    ck_assert_ptr_null(lc_unknown_fork(&c->network));
    config_free(c);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - whole), whole, heze, at + strlen("\"config\":{"));
    ck_assert_msg(read_texts(&c, &e, NULL, text) == RC_OK, "%s: %s", e.field, e.text);
    ck_assert_uint_eq(c->network.unknown_count, 3);
    ck_assert_ptr_eq(lc_unknown_fork(&c->network), &c->network.unknown_forks[0]);
    ck_assert_str_eq(c->network.unknown_forks[0].name, "heze");
    ck_assert_uint_eq(c->network.unknown_forks[0].epoch, 99);
    ck_assert_uint_eq(c->network.unknown_forks[0].version[0], 8);
    ck_assert_str_eq(c->network.unknown_forks[1].name, "zulu");
    ck_assert_str_eq(c->network.unknown_forks[2].name, "yak"); /* for its version */
    ck_assert_uint_eq(c->network.unknown_forks[2].version[0], 9);
    config_free(c);
}
END_TEST

/* Of the rows of BLOB_SCHEDULE before Osaka the last one holds from Osaka on, as consensus has it; nothing is guessed. At
 * a fork's own time the row holds. */
START_TEST(forks_and_blob_rows_stand_in_order_of_time)
{
    static const struct {
        const char *osaka, *blobs, *error; /* rows of 15 and 21 at 1795226351 and 1795226511 */
        uint64_t max, fraction;            /* in Osaka's first block */
    } rows[] = {
        { "1795226352", OSAKA(2, 3), "bpo1 is required: BLOB_SCHEDULE[0] says neither target nor fraction", 0, 0 },
        { "1795226352", OSAKA(15, 3), NULL, 15, 3 },
        { "1795226352", OSAKA(15, 3) "," BPO1(15, 4), NULL, 15, 4 },
        { "1795226352", BPO1(15, 4), NULL, 15, 4 },
        { "1795226352", BPO1(2, 4), "the maximum of bpo1 is not that of BLOB_SCHEDULE[0]", 0, 0 },
        { "1795226511", OSAKA(2, 3), NULL, 21, 5 }, /* with the second row */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        config_t *c;
        err_t e;
        char text[4096];
        snprintf(text, sizeof text,
                 "{" MINIMUM "," REST ",\"network\":{" SPEC "," GENESIS
                 ",\"execution\":{\"forks\":{\"prague\":0,\"osaka\":%s},\"blobSchedule\":{%s,"
                 "\"bpo2\":{\"target\":14,\"max\":21,\"baseFeeUpdateFraction\":5}}}}}",
                 rows[i].osaka, rows[i].blobs);
        const rc_t rc = read_texts(&c, &e, NULL, text);
        ck_assert_msg((rc == RC_OK) == !rows[i].error, "row %zu: %s: %s", i, e.field, e.text);
        if (rows[i].error) {
            ck_assert_str_eq(e.text, rows[i].error);
            continue;
        }
        const uint64_t begins = strtoul(rows[i].osaka, NULL, 10);
        const evm_rules_t *first = evm_chain_rules(&c->chain, begins), *second = evm_chain_rules(&c->chain, 1795226511);
        ck_assert_uint_eq(evm_chain_rules(&c->chain, begins - 1)->blob_max, 9);
        ck_assert_uint_eq(first->fork, EVM_OSAKA);
        ck_assert_uint_eq(first->blob_max, rows[i].max);
        ck_assert_uint_eq(first->blob_base_fee_update_fraction, rows[i].fraction);
        ck_assert_uint_eq(second->blob_max, 21);
        ck_assert_uint_eq(second->blob_base_fee_update_fraction, 5);
        config_free(c);
    }
}
END_TEST

/* EIP-8037 is under review: a network may have other rules than Sepolia's. They are part of what the network is. */
START_TEST(the_gas_of_state_is_that_of_the_named_rules)
{
    static const struct {
        const char *option;
        const evm_state_gas_t *rules;
    } rows[] = { { "", NULL },
                 { "\"eip8037\":\"sepolia\",", NULL },
                 { "\"eip8037\":\"glamsterdam-devnet-8\",", &EVM_STATE_GAS_DEVNET } };
    hash32_t digests[3];
    for (size_t i = 0; i < 3; i++) {
        config_t *c;
        err_t e;
        char text[4096];
        snprintf(text, sizeof text,
                 "{" MINIMUM "," REST ",\"network\":{" SPEC "," GENESIS
                 ",\"execution\":{%s\"forks\":{\"prague\":0,\"osaka\":1795226511,\"amsterdam\":1795226600},"
                 "\"blobSchedule\":{\"bpo2\":{\"target\":14,\"max\":21,\"baseFeeUpdateFraction\":5}}}}}",
                 rows[i].option);
        ck_assert_msg(read_texts(&c, &e, NULL, text) == RC_OK, "%s: %s", e.field, e.text);
        ck_assert_ptr_null(evm_chain_rules(&c->chain, 1795226599)->state_gas);
        ck_assert_int_eq(evm_chain_rules(&c->chain, 1795226600)->fork, EVM_AMSTERDAM);
        ck_assert_ptr_eq(evm_chain_rules(&c->chain, 1795226600)->state_gas, rows[i].rules);
        ck_assert_int_eq(network_digest(&digests[i], &c->network, &c->chain, 1795226600), RC_OK);
        config_free(c);
    }
    ck_assert(hash32_eq(&digests[0], &digests[1]));
    ck_assert(!hash32_eq(&digests[0], &digests[2]));
}
END_TEST

/* Of the execution side, by time: signing ends with the epoch before. Genesis is at 1795226031, an epoch has 8 slots of 2 seconds. */
START_TEST(an_execution_fork_that_this_build_does_not_know_is_noted)
{
    static const char whole[] = "{" MINIMUM "," REST ",\"network\":{" SPEC "," GENESIS "," BLOBS "}}";
    const char *at = strstr(whole, "\"execution\":{");
    config_t *c;
    err_t e;
    char text[4096];
    const uint64_t genesis = 1795226031, times[] = { 5, genesis + 16 * 99, genesis + 16 * 99 + 15, UINT64_MAX },
                   epochs[] = { 0, 99, 99, LC_EPOCH_NEVER };
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        snprintf(text, sizeof text, "%.*s\"execution\":{\"forks\":{\"bogota\":\"%lu\"},%s", (int)(at - whole), whole,
                 (unsigned long)times[i], at + strlen("\"execution\":{"));
        ck_assert_msg(read_texts(&c, &e, NULL, text) == RC_OK, "%s: %s", e.field, e.text);
        ck_assert_uint_eq(c->network.genesis_time, genesis);
        ck_assert_uint_eq(c->network.unknown_count, 1);
        ck_assert_str_eq(c->network.unknown_forks[0].name, "bogota");
        ck_assert_uint_eq(c->network.unknown_forks[0].epoch, epochs[i]);
        config_free(c);
    }
}
END_TEST

/* A genesis file names the time of its first block where others have 0 (EIP-6122). */
START_TEST(forks_up_to_genesis_are_in_force_from_the_first_block_on)
{
    config_t *c;
    err_t e;
    const char *text = "{" MINIMUM "," REST ",\"network\":{" SPEC "," GENESIS
                       ",\"execution\":{\"forks\":{\"prague\":1795226031,\"osaka\":1795226032},\"blobSchedule\":{"
                       "\"bpo1\":{\"target\":10,\"max\":15,\"baseFeeUpdateFraction\":8346193},"
                       "\"bpo2\":{\"target\":14,\"max\":21,\"baseFeeUpdateFraction\":5}}}}}";
    ck_assert_msg(read_texts(&c, &e, NULL, text) == RC_OK, "%s: %s", e.field, e.text);
    ck_assert_uint_eq(c->chain.rows[0].timestamp, 0);
    ck_assert_uint_eq(c->chain.rows[0].rules.fork, EVM_PRAGUE);
    ck_assert_uint_eq(c->chain.rows[1].timestamp, 1795226032);
    config_free(c);
}
END_TEST

START_TEST(each_part_of_a_custom_network_is_checked_and_named)
{
    static const char whole[] = "{" MINIMUM "," REST ",\"network\":{" SPEC "," GENESIS "," BLOBS "}}";
    for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++) {
        config_t *c;
        err_t e;
        char text[4096];
        const char *at = strstr(whole, networks[i].from);
        ck_assert_msg(at != NULL, "row %zu", i);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - whole), whole, networks[i].to,
                 at + strlen(networks[i].from));
        rc_t rc = read_texts(&c, &e, NULL, text);
        ck_assert_msg((rc == RC_OK) == !networks[i].error && (!rc || rc_blames_input(rc)), "row %zu: %s: %s", i,
                      e.field, e.text);
        ck_assert_msg(!strcmp(e.field, networks[i].field), "row %zu: %s: %s", i, e.field, e.text);
        ck_assert_msg(!strcmp(e.text, networks[i].error ? networks[i].error : ""), "row %zu: %s", i, e.text);
        ck_assert(!c == !!networks[i].error);
        config_free(c);
    }
}
END_TEST

/* Shanghai, Cancun, Prague and Osaka are four rows; each blob row after Fulu is one more. */
START_TEST(an_execution_schedule_has_at_most_32_rows)
{
    static const char whole[] =
        "{" MINIMUM "," REST ",\"network\":{" SPEC "," GENESIS ",\"execution\":{\"blobSchedule\":{";
    const char *at = strstr(whole, "\"BLOB_SCHEDULE\":["), *end = strstr(at, "]");
    for (unsigned rows = 28; rows <= 33; rows++) {
        char text[8192];
        config_t *c;
        err_t e;
        int n = snprintf(text, sizeof text, "%.*s\"BLOB_SCHEDULE\":[", (int)(at - whole), whole);
        for (unsigned i = 0; i < rows; i++)
            n += snprintf(text + n, sizeof text - (size_t)n, "%s{\"EPOCH\":%u,\"MAX_BLOBS_PER_BLOCK\":9}", i ? "," : "",
                          20 + i);
        n += snprintf(text + n, sizeof text - (size_t)n, "%s", end);
        for (unsigned i = 0; i < rows && i < 32; i++)
            n += snprintf(text + n, sizeof text - (size_t)n,
                          "%s\"bpo%u\":{\"target\":6,\"max\":9,\"baseFeeUpdateFraction\":%u}", i ? "," : "", i + 1,
                          i + 1);
        snprintf(text + n, sizeof text - (size_t)n, "}}}}");
        ck_assert_msg(read_texts(&c, &e, NULL, text) == (rows == 28 ? RC_OK : RC_LIMIT), "%u: %s", rows, e.text);
        ck_assert_str_eq(e.field, rows == 28 ? "" : rows == 33 ? "network.config.BLOB_SCHEDULE" : "network");
        ck_assert(!c || c->chain.count == 32);
        config_free(c);
    }
}
END_TEST

START_TEST(each_built_in_network_has_its_own_chain)
{
    static const struct {
        const char *name;
        uint64_t chain_id;
    } rows[] = { { "mainnet", 1 }, { "sepolia", 11155111 }, { "hoodi", 560048 } };
    for (size_t i = 0; i < 3; i++) {
        char text[400];
        config_t *c;
        err_t e;
        snprintf(text, sizeof text, "{" MINIMUM "," REST ",\"network\":\"%s\"}", rows[i].name);
        ck_assert_msg(read_texts(&c, &e, NULL, text) == RC_OK, "%s: %s", e.field, e.text);
        ck_assert_str_eq(c->network.name, rows[i].name);
        ck_assert_uint_eq(c->chain.chain_id, rows[i].chain_id);
        config_free(c);
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN(
        "config_network", a_custom_network_takes_the_beacon_nodes_own_words, execution_forks_can_be_given,
        where_a_network_began_may_be_given, no_custom_network_takes_a_name_that_everybody_knows,
        a_network_name_in_an_error_is_cut_at_40_characters, a_network_of_ones_own_has_a_name_of_1_to_31_bytes,
        an_execution_fork_that_this_build_does_not_know_is_noted, the_gas_of_state_is_that_of_the_named_rules,
        forks_that_this_build_does_not_know_are_noted_in_order, forks_and_blob_rows_stand_in_order_of_time,
        forks_up_to_genesis_are_in_force_from_the_first_block_on, each_part_of_a_custom_network_is_checked_and_named,
        an_execution_schedule_has_at_most_32_rows, each_built_in_network_has_its_own_chain);
}
