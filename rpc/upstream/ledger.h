/* ledger.h - what was asked of one endpoint, and what that cost: for GET /metrics.
 *
 * Floor:  3, rpc/upstream. No I/O, clock or thread; any thread adds.
 * Tests:  tests/unit/test_endpoints.c
 */
#ifndef RPC_UPSTREAM_LEDGER_H
#define RPC_UPSTREAM_LEDGER_H

#include "base/tally.h"

#define LEDGER_METHODS 12u    /* a row each: jr_method_t of execution RPCs, lc_kind_t of beacon nodes, and */
#define LEDGER_BEACON_SPEC 0u /* their config/spec */

typedef struct {
    tally_t round_trips; /* requests of HTTP */
    tally_t sent;        /* bytes of their bodies, */
    tally_t mixed;       /* bytes of answers to requests that asked several kinds of questions, and */
    struct {
        tally_t questions; /* asked, in whichever requests */
        tally_t received;  /* bytes of answers to requests that asked nothing else */
    } of[LEDGER_METHODS];
    spread_t took; /* until a complete answer */
} ledger_t;        /* zeroed at first */

/* One request of HTTP has ended.
 *   asked     how many questions of each row were in it
 *   received  bytes of its answer; 0: there is none */
static inline void ledger_note(ledger_t *l, const uint32_t asked[LEDGER_METHODS], size_t sent, size_t received)
{
    size_t rows = 0, row = 0;
    for (size_t i = 0; i < LEDGER_METHODS; i++)
        if (asked[i]) {
            tally_add(&l->of[i].questions, asked[i]);
            row = i;
            rows++;
        }
    tally_add(&l->round_trips, 1);
    tally_add(&l->sent, sent);
    tally_add(rows == 1 ? &l->of[row].received : &l->mixed, received);
}

/* The same of one question. */
static inline void ledger_note_one(ledger_t *l, size_t row, size_t sent, size_t received)
{
    uint32_t asked[LEDGER_METHODS] = { 0 };
    asked[row] = 1;
    ledger_note(l, asked, sent, received);
}

#endif
