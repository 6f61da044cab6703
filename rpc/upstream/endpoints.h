/* endpoints.h - an ordered list of endpoints of one kind: whom to ask next, who is in back-off or slow, who failed and
 * why.
 *
 * Floor:  3, rpc/upstream (pure except for its lock hooks). Time is an argument.
 * Tests:  tests/unit/test_endpoints.c
 */
#ifndef RPC_UPSTREAM_ENDPOINTS_H
#define RPC_UPSTREAM_ENDPOINTS_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/rc.h"
#include "http/message.h"
#include "rpc/upstream/capability.h"
#include "rpc/upstream/ledger.h"

#define UP_ENDPOINTS_MAX 16u
#define UP_REASON_MAX 240u

typedef struct up up_t;
struct lie;

typedef struct {
    const char *url;
    char origin[160]; /* for people */
    bool retired;     /* it is asked no more, and its place in what is counted stays */
    bool failing;
    char reason[UP_REASON_MAX]; /* last failure; empty when never */
    uint64_t failed_at_ms, retry_at_ms;
    uint64_t requests, failures;      /* failures of four sorts: */
    uint64_t lies;                    /* a proof, hash or signature that contradicts */
    uint64_t unusable;                /* all else that is wrong */
    uint64_t late;                    /* a block that we know to exist is not there yet */
    uint64_t newer;                   /* it claims a fork which this build does not know; also outside of failures */
    char newer_reason[UP_REASON_MAX]; /* of the last of these; empty: there was none */
    bool dated;
    bool timed;
    uint32_t mean_ms; /* when timed: that its answers take */
    int64_t date_ms;  /* when dated: the time that its last Date header told, less the caller's raw counter then */
} up_status_t;

/* Copies the URLs; count 0: there is nobody to ask. NULL: out of memory, or more than UP_ENDPOINTS_MAX. Thread-safe
 * (own mutex). */
up_t *up_new(const char *const *urls, size_t count);

/* Other URLs, in their order, from now on: whose URL is in the list stays with all that is known of it, also when it
 * was retired; the others retire, and what is under way with them ends as it would have. An endpoint keeps its number
 * for ever; that of one which has been retired for UP_RETIRED_MS is given to another one when there is no new number
 * left. RC_LIMIT: there are not numbers enough for now; RC_NOMEM: nothing has changed. */
#define UP_RETIRED_MS 120000u /* longer than any request takes */
NODISCARD rc_t up_replace(up_t *u, const char *const *urls, size_t count, uint64_t now_ms);

/* Whether there are numbers enough for that now. */
bool up_has_numbers(up_t *u, const char *const *urls, size_t count, uint64_t now_ms);

/* How many numbers are in use, those of retired ones included; and whether one is. */
size_t up_count(const up_t *u);
bool up_is_retired(up_t *u, size_t i);
void up_free(up_t *u);

/* The file of trusted certificates for all of them, or NULL for the system's; borrowed. Before the first request. */
void up_trust(up_t *u, const char *ca_file);
const char *up_ca_file(const up_t *u);

/* The key of the configuration that lists them: "execution_rpc" unless it was told, before the first request; static
 * text. */
void up_call(up_t *u, const char *key);
const char *up_key(const up_t *u);

/* Indices to try for one request, best first: those not in back-off in the operator's order, the slow after the others,
 * then those in back-off by retry time. Returns how many (all that have not retired). Slow is who takes more than three
 * times as long as the fastest, and 100 ms; once a minute it goes first again, for one request. */
size_t up_order(up_t *u, size_t out[UP_ENDPOINTS_MAX], uint64_t now_ms);

/* The same without those that asked to be left alone until later (up_wait_ms), while there is another one. */
size_t up_order_ready(up_t *u, size_t out[UP_ENDPOINTS_MAX], uint64_t now_ms);

/* The URL of endpoint i, and what of it people may see; borrowed. */
const char *up_url(const up_t *u, size_t i);
const char *up_origin(const up_t *u, size_t i);

/* Where endpoint i has led a POST before, for hc_request_t.led: a copy on the arena. NULL: nowhere; or that is
 * forgotten: when its URL is another one or it retires, with each failure that is reported but late and newer, and
 * UP_LED_MS after a redirect that was no 308. Nobody may see it, and it is kept in memory only. */
#define UP_LED_MS 300000u
const char *up_led(up_t *u, arena_t *a, size_t i, uint64_t now_ms);

/* Notes where the answer to a POST was led, or that the place `asked` was of no use. Takes answer's led. */
void up_note_led(up_t *u, size_t i, const char *asked, hc_response_t *answer, uint64_t now_ms);

/* Blanks what of endpoint i's URL, or of where it led last, may be a secret, should a text of others repeat it
 * (rpc/upstream/secrets.h); and with the host, in what anybody reads. */
void up_hide(up_t *u, size_t i, char *text);
void up_hide_place(up_t *u, size_t i, char *text);

/* Reports how a request to endpoint i ended. rc tells the sort of a failure: RC_REFUSED is a lie, RC_NEED_DATA late,
 * RC_UNSUPPORTED newer, all else unusable. RC_OK ends its back-off; a failure begins one, exponential with jitter from
 * seed-free hashing (250 ms doubling to 30 s; a lie, and RC_REPLAY: what is not of the block, start at 4 s, and late
 * stays below a second). With retry_after_ms it lasts at least so long, or up to 4 s, and up_wait_ms asks not to ask
 * before; who is asked too often again and again, answers in between or not, has others go before it for ever longer.
 */
void up_report(up_t *u, size_t i, rc_t rc, const char *reason, uint32_t retry_after_ms, uint64_t now_ms);

/* How long endpoint i asked to be left alone from now on; 0: it did not, or that is over. */
uint64_t up_wait_ms(up_t *u, size_t i, uint64_t now_ms);

/* Endpoint i asked to be left alone for so long, which is reported later. */
void up_note_wait(up_t *u, size_t i, uint32_t ms, uint64_t now_ms);

/* Notes how long an answer of endpoint i took; whole: else nobody waited for its end. */
void up_took(up_t *u, size_t i, uint32_t ms, bool whole, uint64_t now_ms);

/* How long an answer of endpoint i usually takes; a second when it was never asked. */
uint32_t up_usual_ms(up_t *u, size_t i);

/* How long it is waited for before another endpoint is asked as well: no longer than that, nor than until it is slow
 * beside the fastest that may be asked. */
uint32_t up_patience_ms(up_t *u, size_t i, uint64_t now_ms);

/* Whether endpoint i may be asked for what another one is slow with, in so many requests; counts them, if so. It may
 * not be in back-off, and of twenty requests at most one is asked twice. */
bool up_hedge(up_t *u, size_t i, uint64_t now_ms, unsigned requests);

/* What endpoint i can do, a copy; and what it has shown to be able to: learn is called with it and ctx, and gives what
 * up_learn gives. It must not call this file. */
cap_t up_capability(up_t *u, size_t i);
int up_learn(up_t *u, size_t i, int (*learn)(cap_t *c, void *ctx), void *ctx);

/* Whether a request to endpoint i, that is sent then, asks for no content coding (hc_request_t.plain); and notes what
 * came of its coding. */
bool up_plain(up_t *u, size_t i);
void up_note_coding(up_t *u, size_t i, const hc_response_t *answer);

/* Whether endpoint i may be asked for an access list: it gives them, as far as is known, and is in no back-off. */
bool up_hints(up_t *u, size_t i, uint64_t now_ms);

/* Endpoint i answered a request for an access list alone, or let it wait in vain: then it is asked for none for a
 * while, from UP_HINT_LATE_MS to a minute, the longer the oftener in a row. That is no failure. */
#define UP_HINT_LATE_MS 4000u
void up_hinted(up_t *u, size_t i, bool answered, uint64_t now_ms);

/* Moves those of an order of count that do not keep the state of a block that old behind the others. */
void up_order_state(up_t *u, size_t order[UP_ENDPOINTS_MAX], size_t count, uint64_t number);

/* Notes a block that is verified; and whether one is among the last UP_RECENT_BLOCKS of all that were, so that who has
 * no state of it has not yet. */
#define UP_RECENT_BLOCKS 3u
void up_note_block(up_t *u, uint64_t number);
bool up_is_recent(up_t *u, uint64_t number);

/* Notes that endpoint i claims a newer fork, outside of any request that is reported. Whether its last claim was
 * another one, or there was none. */
bool up_claims_newer(up_t *u, size_t i, const char *reason);

/* Who keeps the records of lies (rpc/upstream/lie.h); before the first request. take is called on any thread, and fills
 * in what of lie its maker does not know. */
typedef void (*up_lie_fn)(void *ctx, size_t endpoint, struct lie *lie);
void up_on_lie(up_t *u, up_lie_fn take, void *ctx);

/* Hands over the record of a lie of endpoint i, with what of its URL may be a secret blanked in answer, which is
 * written to. */
void up_lied(up_t *u, size_t i, struct lie *lie);

/* Whether somebody keeps them. */
bool up_keeps_lies(const up_t *u);

/* Notes what endpoint i takes for the time, a hint against this machine's clock: Unix milliseconds, less a counter that
 * the caller reads together with it, so that it stays comparable when the clock is set. */
void up_note_date(up_t *u, size_t i, int64_t date_ms);

/* Where what is asked of endpoint i is counted, by whoever asks. */
ledger_t *up_ledger(up_t *u, size_t i);

/* Copies the state of all endpoints, by their numbers, retired ones included; returns up_count. */
size_t up_snapshot(up_t *u, up_status_t out[UP_ENDPOINTS_MAX]);

#endif
