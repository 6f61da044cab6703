/* config.h - the node's configuration: one JSON object, from POST /setup, from a file, or from both.
 *
 * What an operator sends is not measured, so a configuration file inside the measured image may list, under
 * "setup_may_set", the only keys that /setup is then allowed to set. Without a file (a development build) all may be set.
 *
 * Spec:   architecture section 3, POST /setup
 * Floor:  5, node/config. No I/O: text in, values out. The door to jansson here.
 * Tests:  tests/unit/test_config.c, tests/fuzz/fuzz_config.c
 */
#ifndef NODE_CONFIG_CONFIG_H
#define NODE_CONFIG_CONFIG_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/rc.h"
#include "lightclient/consensus/forks.h"
#include "lightclient/evm/evm.h"

#define CONFIG_URLS_MAX 16u
#define CONFIG_URL_LEN_MAX 1024u
#define CONFIG_PEERS_MAX 64u
#define CONFIG_SCHEDULE_ROWS_MAX 32u
#define CONFIG_TEXT_MAX (256u << 10) /* bytes of the JSON text */

typedef enum { CONFIG_LATEST, CONFIG_SAFE, CONFIG_FINALIZED } config_block_t;

typedef struct {
    char *urls[CONFIG_URLS_MAX]; /* owned; in order of preference */
    size_t count;
} config_urls_t;

typedef struct {
    uint16_t overlay_port;
    config_urls_t execution_rpc;
    config_urls_t consensus_rpc;
    lc_network_t network;
    evm_chain_t chain; /* rows points to chain_rows or to a built-in table */
    evm_schedule_row_t chain_rows[CONFIG_SCHEDULE_ROWS_MAX];
    hash32_t checkpoint;           /* beacon block root that is trusted */
    uint64_t checkpoint_age_max_s; /* 0: the network's weak-subjectivity bound */
    uint16_t api_port;             /* 0: not given */
    bool api_tls;                  /* the API port serves HTTPS, with a certificate that carries a quote */
    char tee[16];                  /* "auto", "dstack", "tdx", "simulator"; empty: not given */
    config_block_t default_block;
    char *policy;          /* TEE policy as JSON text, compact with sorted keys; NULL: the default; owned */
    config_urls_t pccs;    /* services that hand out Intel's collateral; count 0: Intel's own */
    char *collateral_file; /* collateral from this file instead; NULL: from services; owned */
    hash32_t setup_hash;   /* SHA-256 of the whole accepted configuration as compact JSON with sorted keys */
} config_t;

/* True when the base text (a --config file) already holds all required keys, so that no setup is needed. */
bool config_is_complete(view_t base);

/* Reads the configuration from a base text (p NULL: none) and a setup text (p NULL: none); keys of setup win where the
 * base allows them.
 *   out    on RC_OK owned by the caller: config_clear
 *   error  filled otherwise: the key at fault, dotted below the top ("network.preset"), and why; clear on RC_OK
 * RC_MALFORMED: not JSON, wrong types, unknown or missing keys; RC_REFUSED: a key that setup may not set, or a value that
 * this program does not support; RC_LIMIT; RC_NOMEM. */
NODISCARD rc_t config_read(config_t **out, err_t *error, view_t base, view_t setup);

/* Checks a base text alone: every key it has must be right; keys may be missing. Results as config_read. */
NODISCARD rc_t config_check_base(err_t *error, view_t base);

/* Frees a configuration; NULL is allowed. */
void config_free(config_t *c);

#endif
