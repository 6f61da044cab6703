/* verify.h - what the parts of `kettle verify` share: the options, what is judged, the checks.
 *
 * Floor:  5, node/cli. Private to the command verify.
 */
#ifndef NODE_CLI_VERIFY_H
#define NODE_CLI_VERIFY_H

#include "node/cli/evidence.h"
#include "node/cli/results.h"
#include "node/cli/verify_statement.h"
#include "rpc/api/setup_statement.h"
#include "tee/tee.h"
#include "tee/verify/policy.h"

#define VERIFY_ANSWERS_MAX 64u /* files of each kind */

typedef struct {
    statement_options_t statement; /* first: its readers are given the whole */
    const char *policy, *collateral, *source;
    const char *grounds; /* evidence of a statement: a file; NULL: none is to be verified */
    const char *blocks[VERIFY_ANSWERS_MAX], *calls[VERIFY_ANSWERS_MAX];
    size_t block_count, call_count;
    const char *also[VERIFY_ANSWERS_MAX], *kept[VERIFY_ANSWERS_MAX]; /* of --follow: more nodes, kept statements */
    size_t also_count, kept_count;
    bool follow;
    bool has_nonce, has_pubkey, as_json, ra_tls, development;
    uint8_t nonce[32], pubkey[33];
    /* What the attestation must say of its chain and setup. */
    const char *network; /* "any": whatever it says */
    bool has_chain_id, has_checkpoint, has_setup;
    uint64_t chain_id;
    hash32_t checkpoint, setup;
    bool at_given;
    int64_t now; /* Unix seconds */
} verify_options_t;

/* What is judged. */
typedef struct {
    view_t attestation;
    view_t collateral; /* given beside it; n 0: what is stapled */
    bool asked;        /* a node was asked, and: */
    view_t block;      /* its answer of GET /block; p NULL: none */
    view_t head;       /* its answer of GET /v1/block/latest; p NULL: none */
    view_t cert;       /* of the connection, PEM; n 0: none */
} verify_input_t;

/* What an attestation was found to bind. */
typedef struct {
    attestation_t x;
    evidence_form_t form;
    bool bound; /* the quote carries the report data of all that follows; cluster only with EVIDENCE_V1 */
    setup_cluster_t cluster;
    setup_node_t node;
    hash32_t setup;
} verify_attested_t;

/* Checks an attestation and the connection it came over. False when it is none: then nothing else can be checked. */
bool verify_attestation(verify_attested_t *out, results_t *r, arena_t *a, const verify_input_t *in,
                        const policy_t *policy, const verify_options_t *o);

/* Checks a quote, by collateral (stapled or given), and that a policy admits whose it is: two steps. Of x type, quote
 * and event log count. */
bool verify_evidence(results_t *r, arena_t *a, const attestation_t *x, view_t collateral, const policy_t *policy,
                     const uint8_t expected[TEE_REPORT_DATA_LEN], int64_t now);

/* Checks what the attested setup says against what is expected of it (verify_setup.c). */
void verify_setup(results_t *r, const verify_attested_t *x, const policy_t *policy, const verify_options_t *o);

/* Checks the head that the node said to stand on, its time beside this machine's clock (verify_head.c). */
void verify_head(results_t *r, arena_t *a, const verify_input_t *in, const verify_attested_t *x,
                 const verify_options_t *o);

/* Asks the nodes of o for their key generations, judges them from the pinned key and setup on, and then what the nodes
 * and the kept files say by the newest of them (verify_follow.c). pubkey: of that. False: there is none. */
bool verify_follow(uint8_t pubkey[33], results_t *r, arena_t *a, const verify_options_t *o);

/* Check an answer of the prototype's GET /block, POST /call under the attested key; name tells which one it is. */
bool verify_block(results_t *r, arena_t *a, view_t body, const char *name, const uint8_t pubkey[33]);
bool verify_call(results_t *r, arena_t *a, view_t body, const char *name, const uint8_t pubkey[33]);

#endif
