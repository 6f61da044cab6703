/* filter.h - filters of logs: their criteria as JSON, and logs as JSON that they find.
 *
 * Spec:   execution-apis, src/schemas/filter.yaml; api-facts section 3
 * Floor:  3, rpc/api. No I/O, clock or thread.
 * Tests:  tests/unit/test_methods_filter.c, vectors kinds rpc-hive, rpc-hive-derived
 */
#ifndef RPC_API_FILTER_H
#define RPC_API_FILTER_H

#include "lightclient/exec/history.h"
#include "lightclient/exec/logged.h"
#include "rpc/api/methods.h"

#define API_CRITERIA_MAX ((size_t)64 << 10) /* bytes of the text of criteria that are kept */

/* Whether somebody keeps filters; else the call has failed as one of a method that does not exist. */
bool api_has_events(api_call_t *c);

/* Ends the call with what api_events_t said. */
void api_fail_watch(api_call_t *c, rc_t rc, const err_t *e);

/* Reads addresses and topics of a filter object; what is wrong becomes the call's error or the reader's fault. All is
 * in the call's arena. */
void api_filter_read(api_call_t *c, ex_filter_t *out, const jo_t *o);

/* Finds fault with a filter's range where eth_getLogs would at any time: what is no block, and an end before its
 * beginning. */
void api_filter_check(api_call_t *c, const jo_t *o);

/* Criteria that are kept: what is found, and in which blocks when numbers were given. */
typedef struct {
    ex_filter_t filter;
    uint64_t from, to;
    const hash32_t *hashes; /* of receipts: those of these transactions; none: of all */
    size_t hash_count;
} api_criteria_t;

/* Reads the hashes of an object {"transactionHashes": [...]}, as api_filter_read does. */
void api_hashes_read(api_call_t *c, api_criteria_t *out, const jo_t *o);

/* Reads them from the text of an object that api_filter_read or, of API_WATCH_RECEIPTS, api_hashes_read took; all is in
 * the arena. RC_MALFORMED, RC_LIMIT, RC_NOMEM. */
NODISCARD rc_t api_criteria_parse(api_criteria_t *out, arena_t *a, api_watch_t kind, view_t text);

/* Writes the logs of blocks with receipts that a filter finds, elements of a list that is open. False: a block has more
 * receipts than transactions. */
bool api_put_logs(jw_t *w, size_t *count, const ex_history_result_t *r, const ex_filter_t *f);

/* Writes the logs of a kept block that a filter finds, elements of a list that is open. The block must answer it
 * (ex_logged_answers). Gives how many.
 *   *at  the log to begin with, and the first that may find no room any more, log_count when all found it; NULL: all of
 *        them, and the writer says when that was too much */
size_t api_put_logged(jw_t *w, size_t *at, const ex_logged_t *l, const ex_filter_t *f, bool removed);

/* The receipts of a block as texts, in transaction order, for ex_logged_tell; in the arena. RC_REFUSED: they are not as
 * many as the transactions; RC_UNSUPPORTED: a transaction of a newer fork; RC_LIMIT, RC_NOMEM. */
NODISCARD rc_t api_tell_receipts(const ex_told_t **out, size_t *count, arena_t *a, const ex_past_t *p,
                                 const evm_chain_t *chain);

#endif
