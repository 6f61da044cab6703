/* config_texts.h - configurations for tests, as pieces of JSON, and how they are read. */
#ifndef TESTS_CONFIG_TEXTS_H
#define TESTS_CONFIG_TEXTS_H

#include <stdlib.h>

#include "node/config/config.h"
#include "tests/unit/unit.h"

#define CHECKPOINT_DIGITS "bcf4af127b4823431befec2b877e418dc6de2ca1b481f87c4e5d3ee6c13dcbca"
#define CHECKPOINT "0x" CHECKPOINT_DIGITS
#define TWENTY "0102030405060708090a0b0c0d0e0f1011121314"
#define WITHOUT_CHECKPOINT "\"peers\":[],\"port\":4001,\"execution_rpc\":\"http://127.0.0.1:8545\""
#define MINIMUM WITHOUT_CHECKPOINT ",\"checkpoint\":\"" CHECKPOINT "\""
#define REST "\"consensus_rpc\":\"http://127.0.0.1:5052\""

/* From the recording minimal-fulu of the devnet: its /eth/v1/config/spec and /eth/v1/beacon/genesis, cut to what is read, and a
 * key that a light client does not need. */
#define SPEC                                                                                                                            \
    "\"config\":{\"PRESET_BASE\":\"minimal\",\"SECONDS_PER_SLOT\":\"2\",\"DEPOSIT_CHAIN_ID\":\"1337470\",\"MAX_REQUEST_BLOCKS\":\"1\"," \
    "\"ALTAIR_FORK_VERSION\":\"0x01304801\",\"ALTAIR_FORK_EPOCH\":\"0\",\"BELLATRIX_FORK_VERSION\":\"0x02304801\","                     \
    "\"BELLATRIX_FORK_EPOCH\":\"0\",\"CAPELLA_FORK_VERSION\":\"0x03304801\",\"CAPELLA_FORK_EPOCH\":\"0\","                              \
    "\"DENEB_FORK_VERSION\":\"0x04304801\",\"DENEB_FORK_EPOCH\":\"2\",\"ELECTRA_FORK_VERSION\":\"0x05304801\","                         \
    "\"ELECTRA_FORK_EPOCH\":\"6\",\"FULU_FORK_VERSION\":\"0x06304801\",\"FULU_FORK_EPOCH\":\"12\","                                     \
    "\"BLOB_SCHEDULE\":[{\"EPOCH\":\"20\",\"MAX_BLOBS_PER_BLOCK\":\"15\"},{\"EPOCH\":\"30\",\"MAX_BLOBS_PER_BLOCK\":\"21\"}]}"
/* What the consensus side does not say: targets and fractions, EIP-7840. */
#define BLOBS                                                                                                          \
    "\"execution\":{\"blobSchedule\":{\"bpo1\":{\"target\":10,\"max\":15,\"baseFeeUpdateFraction\":8346193},"          \
    "\"bpo2\":{\"target\":\"14\",\"max\":\"21\",\"baseFeeUpdateFraction\":\"20609697\"}}}"
#define GENESIS                                                                                                        \
    "\"genesis\":{\"genesis_time\":\"1795226031\",\"genesis_fork_version\":\"0x00304801\","                            \
    "\"genesis_validators_root\":\"0xd0df1dbe4029181c27973b00eac8fef87ccfc91d51e612fc8554ef66933ad390\"}"

static inline rc_t read_texts(config_t **c, err_t *e, const char *base, const char *setup)
{
    *c = NULL;
    return config_read(c, e, base ? view_str(base) : (view_t){ NULL, 0 }, setup ? view_str(setup) : (view_t){ NULL, 0 },
                       !base);
}

static inline char *text_of(const char *before, char letter, size_t n, const char *after)
{
    char *text = malloc(strlen(before) + n + strlen(after) + 1);
    ck_assert_ptr_nonnull(text);
    strcpy(text, before);
    memset(text + strlen(before), letter, n);
    strcpy(text + strlen(before) + n, after);
    return text;
}

#endif
