/* config.h - the node's configuration: one JSON object, from POST /setup, from a file, or from both.
 *
 * What an operator sends is not measured, so a configuration file inside the measured image may list, under
 * "setup_may_set", the only keys that /setup is then allowed to set. In development (the option --development, or
 * "development": true in the file) all may be set, no file is needed, and the cluster statement says so.
 *
 * Spec:   architecture section 3, POST /setup
 * Floor:  5, node/config. No I/O: text in, values out.
 * Tests:  tests/unit/test_config.c, tests/fuzz/fuzz_config.c
 */
#ifndef NODE_CONFIG_CONFIG_H
#define NODE_CONFIG_CONFIG_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"
#include "http/reach.h"
#include "node/config/checkpoint.h"
#include "node/config/hosting.h"
#include "node/config/membership.h"
#include "node/config/network.h"
#include "node/config/option.h"
#include "node/config/peer.h"
#include "rpc/api/setup_statement.h"

#define CONFIG_TEXT_MAX (256u << 10)  /* bytes of the JSON text */
#define CONFIG_SENDERS_MAX 64u        /* contracts */
#define CONFIG_SECRET_MAX (16u << 10) /* bytes of a file of URLs */

/* The words of default_block, in their order. */
typedef enum { CONFIG_LATEST, CONFIG_SAFE, CONFIG_FINALIZED } config_block_t;

/* The words of relay: whether this node is reached through members, and relays for them. */
typedef enum { CONFIG_RELAY_OFF, CONFIG_RELAY_USE, CONFIG_RELAY_SERVE } config_relay_t;

/* The words of setup_may_reach: where a setup's trial may go. */
typedef enum { CONFIG_REACH_PUBLIC, CONFIG_REACH_PRIVATE, CONFIG_REACH_ALL } config_reach_t;

/* Whose signatures make an order valid. */
typedef struct {
    unsigned threshold, count; /* so many of so many; 0: nobody's */
    uint8_t keys[SETUP_SIGNERS_MAX][33];
} config_signers_t;

/* Files of trusted certificates in PEM, of each kind of upstream; NULL: the system's. */
typedef struct {
    const char *execution, *consensus, *pccs;
} config_ca_t;

/* Calls that stand (node/vigil.h). max 0: there are none. */
typedef struct {
    uint64_t max, gas_per_head;
    bool open; /* clients may add some, too; otherwise only the operator */
} config_standing_t;

/* All texts are in its arena; config_free ends them. */
typedef struct {
    arena_t arena;
    uint16_t overlay_port;
    config_peer_t peers[CONFIG_PEERS_MAX]; /* whom to ask for the key; none: this node makes one */
    size_t peer_count;
    unsigned transport;          /* of the overlay: 0 both, 1 QUIC, 2 TCP */
    unsigned relay;              /* a config_relay_t */
    bool cluster_new;            /* a new cluster is made, and none is joined */
    uint8_t cluster[33];         /* first public key of the only cluster that is joined; zeros: any */
    config_signers_t signers;    /* of orders: who may change the policy of a running cluster, and ask for a new key */
    uint8_t operator_key[33];    /* whose commands are taken; zeros: nobody's */
    uint64_t policy_min_version; /* the least version of an order */
    setup_recovery_t recovery;   /* of the key, when all nodes have died */
    option_urls_t execution_rpc;
    const char *execution_rpc_file; /* that has them, where execution_rpc is empty (config_take_urls); NULL: none */
    option_urls_t consensus_rpc;
    option_urls_t send_rpc; /* who takes what clients send in place of execution_rpc; count 0: nobody else */
    lc_network_t network;
    evm_chain_t chain; /* rows points to chain_rows or to a built-in table */
    evm_schedule_row_t chain_rows[NETWORK_ROWS_MAX];
    network_origin_t origin;
    config_checkpoint_t checkpoint; /* of a node with peers also CHECKPOINT_ABSENT: theirs */
    setup_found_t checkpoint_found; /* who named it, or where it is to be had */
    uint64_t checkpoint_age_max_s;  /* 0: the network's weak-subjectivity bound */
    uint16_t api_port;              /* 0: not given */
    bool api_tls;                   /* the API port serves HTTPS, with a certificate that carries a quote */
    const char *tee;                /* "auto", "dstack", "tdx", "simulator"; empty: not given */
    config_standing_t standing;
    bool light_client_routes;                /* the beacon API's light-client routes are served */
    unsigned default_block;                  /* a config_block_t */
    unsigned log_follow;                     /* a news_mode_t */
    const char *policy;                      /* TEE policy as JSON text, compact with sorted keys; NULL: the default */
    option_urls_t pccs;                      /* services that hand out Intel's collateral; count 0: Intel's own */
    config_ca_t ca_file;                     /* who vouches for TLS certificates of upstreams */
    bool proxy_env;                          /* proxies of the environment are used */
    const char *collateral_file;             /* collateral from this file instead; NULL: from services */
    addr_t ccip_senders[CONFIG_SENDERS_MAX]; /* for whom the CCIP-Read gateway works; */
    size_t ccip_sender_count;                /* 0: for everybody */
    membership_t membership;                 /* the list of members on chain */
    bool force;                              /* the setup is to be taken without a trial */
    unsigned setup_may_reach;                /* a config_reach_t */
    bool execution_by_setup, consensus_by_setup; /* a setup has named those endpoints */
    hosting_t hosting;
    bool development;       /* the operator may set anything */
    setup_names_t may_set;  /* the keys that a setup was allowed to set; */
    setup_names_t by_setup; /* and those that it has set */
} config_t;

/* Reads the configuration from a base text (p NULL: none) and a setup text (p NULL: none); keys of setup win where the
 * base allows them.
 *   out  on RC_OK owned by the caller: config_free; untouched otherwise
 *   development  the program was started for it: a setup may set every key, and no base text is needed
 *   e    the key at fault, dotted below the top ("network.preset"), and why; clear on RC_OK
 * RC_MALFORMED: not JSON, wrong types, unknown or missing keys; RC_REFUSED: a key that setup may not set, or a value
 * that this program does not support; RC_LIMIT; RC_NOMEM. */
NODISCARD rc_t config_read(config_t **out, err_t *e, view_t base, view_t setup, bool development);

/* The same with a part of the setup that options, environment and credentials give: with what setup says, which may not
 * have the same keys, unless it was kept by an earlier run; then those that are given hold. */
NODISCARD rc_t config_read_given(config_t **out, err_t *e, view_t base, view_t given, view_t setup, bool kept,
                                 bool development);

/* Checks what is given alone, in which keys may be missing. Results as config_read. */
NODISCARD rc_t config_check_given(err_t *e, view_t base, view_t given, bool development);

/* Takes the execution RPCs of the configuration's file, text, which has no other; e names execution_rpc_file.
 * RC_MALFORMED, RC_LIMIT, RC_NOMEM. */
NODISCARD rc_t config_take_urls(config_t *c, err_t *e, view_t text);

/* Reads a base text alone, in which keys may be missing: c has what it says and what holds without the others, and
 * may_set what a setup may set. Results as config_read. */
NODISCARD rc_t config_read_base(config_t **out, err_t *e, view_t base);

/* Checks a base text alone: every key it has must be right; keys may be missing. *development becomes true when it says
 * so; *hosting is what it says of the ports. Results as config_read. */
NODISCARD rc_t config_check_base(bool *development, hosting_t *hosting, err_t *e, view_t base);

/* Whether a base text that config_check_base takes and a setup together can be complete: a required key that neither
 * has is an error that no setup can heal. RC_MALFORMED: e names the key; RC_NOMEM. */
NODISCARD rc_t config_check_supply(err_t *e, view_t base);

/* True when the base text (a --config file) already holds all required keys, so that no setup is needed. */
bool config_is_complete(view_t base);

/* Whether the node comes together with others by the contract's list of members (docs/sdk.md). */
bool config_musters(const config_t *c);

/* Whether a setup may choose whose word the checkpoint is: a quorum that no measured configuration holds. Never in
 * development, which its statement shows. */
bool config_quorum_is_anybodys(const config_t *c);

/* Where a setup's trial may go for a URL that the setup has named, or the measured configuration. */
reach_t config_reach(const config_t *c, bool by_setup);

/* The table of all keys, for the manual. */
const option_t *config_options(size_t *count);

/* Frees a configuration; NULL is allowed. */
void config_free(config_t *c);

#endif
