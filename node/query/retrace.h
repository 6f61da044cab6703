/* retrace.h - a signed statement once more, from its evidence alone (rpc/api/grounds.h): consensus from a trusted
 * checkpoint, head, headers, proofs, execution, and then whether the statement says what came of it. The queries are
 * those that made the statement (node/query/statements.h).
 *
 *     retrace_new -> retrace_load -> retrace_run                       a file is judged
 *     retrace_new -> retrace_record, driven -> retrace_run -> retrace_file     one is made, and judged on the way
 *
 * Each failure has its code (rpc/api/grounds_codes.def), and what nothing needed is one too.
 *
 * Spec:   api-facts section 13; docs/evidence.md
 * Floor:  5, node/query. One thread at a time. No I/O or clock.
 * Tests:  tests/unit/test_retrace.c, tests/unit/test_retrace_lies.c
 */
#ifndef NODE_QUERY_RETRACE_H
#define NODE_QUERY_RETRACE_H

#include "lightclient/consensus/sync.h"
#include "rpc/api/grounds.h"
#include "rpc/api/setup_statement.h"

/* What is trusted. Borrowed until retrace_free. */
typedef struct {
    const lc_network_t *network;
    const evm_chain_t *chain;
    hash32_t checkpoint; /* beacon block root */
} retrace_config_t;

typedef struct retrace retrace_t;

/* The heads that the evidence shows. */
typedef struct {
    lc_head_t head;     /* on which the statement rests */
    lc_head_t finality; /* not valid: none is shown beside it */
} retrace_heads_t;

/* The heads of a file: bootstrap, an update for each period up to the newest of them, and the objects that show them.
 *   age_max_s  how much older than the head the checkpoint may be; 0: the network's own bound
 * RC_REFUSED with a code; RC_NOMEM. */
NODISCARD rc_t retrace_heads(retrace_heads_t *out, err_t *e, const retrace_config_t *config, const grounds_t *g,
                             uint64_t age_max_s);

/* The periods of a file's checkpoint and of the newest head in it: an update of each but the last belongs between them.
 * RC_REFUSED with a code; RC_NOMEM. */
NODISCARD rc_t retrace_periods(uint64_t *first, uint64_t *last, err_t *e, const retrace_config_t *config,
                               const grounds_t *g);

/* Takes a file whose form is right: setup, request and consensus are judged. g is borrowed until retrace_free.
 * RC_REFUSED with a code; RC_NOMEM. */
NODISCARD rc_t retrace_new(retrace_t **out, err_t *e, const retrace_config_t *config, const grounds_t *g);

/* NULL is allowed. */
void retrace_free(retrace_t *r);

/* Asked during runs: whether the time that they may take has passed (lightclient/exec/query.h). */
void retrace_limit(retrace_t *r, bool (*expired)(void *ctx), void *ctx);

/* Puts the file's elements into the stock. RC_REFUSED with a code; RC_NOMEM. */
NODISCARD rc_t retrace_load(retrace_t *r, err_t *e);

/* What is to be driven so that the stock has all that is needed; *out stays NULL: nothing is. RC_NOMEM, and what the
 * queries say. */
NODISCARD rc_t retrace_record(retrace_t *r, query_t **out, err_t *e);

/* Runs it from the stock and compares what comes of it with the statement.
 *   spare  elements that nothing needed are passed over: the stock was recorded
 * RC_REFUSED with a code; RC_NOMEM. */
NODISCARD rc_t retrace_run(retrace_t *r, err_t *e, bool spare);

/* The file with what the last run used, in the arena. RC_LIMIT: too long; RC_NOMEM. */
NODISCARD rc_t retrace_file(view_t *out, arena_t *a, const retrace_t *r);

/* Judges a file whole, signature included.
 *   signers  whose signature is accepted; count 0: whoever the statement names
 * RC_OK: the statement follows from the checkpoint, and is signed. RC_REFUSED with a code: GROUNDS_LIE when it is
 * validly signed and the evidence, whole as it is, shows something else. RC_NOMEM. */
NODISCARD rc_t retrace_judge(err_t *e, const retrace_config_t *config, const grounds_t *g, const addr_t *signers,
                             size_t signer_count);

#endif
