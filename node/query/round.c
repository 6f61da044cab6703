#include "node/query/round.h"

#include <stdio.h>
#include <string.h>

#include "base/os/log.h"

#define LATE_MS 100u /* before who does not know the block yet is asked again; doubles up to */
#define LATE_MAX_MS 800u
#define ROUND_ARENA_MAX ((size_t)16 << 20) /* bytes: keys and seats of one round's needs */

/* How much a fault says: memory is ours, a lie outranks what is broken, and that what is only missing. */
static unsigned rank(rc_t rc)
{
    return rc == RC_NOMEM ? 4 : rc == RC_REFUSED ? 3 : rc_blames_input(rc) ? 2 : rc != RC_OK;
}

static void fault_add(fault_t *f, rc_t rc, const err_t *why, bool passes)
{
    f->passes |= passes;
    if (rank(rc) <= rank(f->rc))
        return;
    f->rc = rc;
    f->why = *why;
}

/* Whether a need of this origin, or of one that is more certain, has no answer. */
static bool is_open(const round_t *r, need_origin_t upto)
{
    for (size_t i = 0; i < r->count; i++)
        if (!r->answered[i] && r->needs[i].origin <= upto)
            return true;
    return false;
}

/* Before an endpoint is asked. */
static void meet_endpoint(round_t *r)
{
    memset(r->asked, 0, r->count * sizeof *r->asked);
    r->heard = r->own = r->stopped = false;
    r->all = r->mine = (fault_t){ 0 };
    r->retry_after_ms = 0;
}

rc_t round_begin(round_t *r, query_t *query, up_t *upstream, flights_t *flights, clock_fn now_ms,
                 void (*landed)(party_t *p))
{
    *r = (round_t){ .query = query, .upstream = upstream, .flights = flights, .now_ms = now_ms, .rc = RC_IO };
    arena_init(&r->arena, ROUND_ARENA_MAX);
    r->count = query_needs(query, &r->needs);
    r->keys = arena_calloc(&r->arena, r->count, sizeof *r->keys);
    r->answered = arena_calloc(&r->arena, r->count, sizeof *r->answered);
    r->asked = arena_calloc(&r->arena, r->count, sizeof *r->asked);
    r->party.seats = arena_calloc(&r->arena, r->count, sizeof *r->party.seats);
    r->party.landed = landed;
    if (!r->keys || !r->answered || !r->asked || !r->party.seats)
        return r->rc = RC_NOMEM;
    for (size_t i = 0; i < r->count; i++)
        flight_key(&r->keys[i], &r->needs[i]);
    r->since_ms = now_ms();
    r->endpoints = up_order(upstream, r->order, r->since_ms);
    meet_endpoint(r);
    return RC_OK;
}

/* Sends off what the endpoint has not been asked for yet. True: the round is theirs with whom the party lands. False:
 * there is nothing, or it is here at once. */
static bool send(round_t *r)
{
    party_t *p = &r->party;
    p->count = 0;
    for (size_t i = 0; i < r->count; i++)
        if (!r->answered[i] && !r->asked[i])
            p->seats[p->count++] = (seat_t){ .key = r->keys[i], .need = &r->needs[i], .index = i };
    if (!p->count)
        return false;
    if (flights_send(r->flights, p, r->order[r->at]))
        return true;
    if (!p->count) {
        fault_add(&r->all, RC_NOMEM, &(err_t){ .rc = RC_NOMEM, .text = "out of memory" }, false);
        r->stopped = true;
    }
    return false;
}

/* Whether an answer to all that was asked is missing only, and what is missing need not be there. */
static rc_t if_needed(rc_t rc, bool enough)
{
    return (rc == RC_IO || rc == RC_NEED_DATA) && enough ? RC_OK : rc;
}

/* Tells the endpoints' order how this one did. That it does not know the block yet is told once. */
static void report(round_t *r, rc_t mine)
{
    const size_t endpoint = r->order[r->at];
    const bool again = mine == RC_NEED_DATA && r->told_late[endpoint];
    const uint32_t wait_ms = r->mine.passes && mine == RC_IO && !r->retry_after_ms ? 1 : r->retry_after_ms;
    r->told_late[endpoint] |= mine == RC_NEED_DATA;
    if (!again)
        up_report(r->upstream, endpoint, mine, r->mine.why.text, wait_ms, r->now_ms());
}

/* Notes when this endpoint may have what it has not now. */
static void note_soon(round_t *r, size_t endpoint)
{
    const unsigned doubled = r->passes < 3 ? r->passes : 3;
    const uint64_t now = r->now_ms(), wait = up_wait_ms(r->upstream, endpoint, now);
    const uint64_t late = LATE_MS << doubled, at = now + (wait ? wait : late < LATE_MAX_MS ? late : LATE_MAX_MS);
    r->again_ms = !r->soon || at < r->again_ms ? at : r->again_ms;
    r->soon = true;
}

/* Reports how the endpoint did, if what it did is ours to report: what only a guess asked for, it need not have. */
static void leave_endpoint(round_t *r)
{
    const size_t endpoint = r->order[r->at];
    const bool enough = !is_open(r, NEED_NAMED);
    const rc_t rc = if_needed(r->all.rc, enough), mine = if_needed(r->mine.rc, enough);
    if (r->own && mine != RC_NOMEM && (mine || !rc))
        report(r, mine);
    r->honest |= (rc == RC_IO || rc == RC_NEED_DATA) && r->heard && !r->all.passes;
    r->rc = rc;
    if (!rc)
        return;
    if (r->all.passes)
        note_soon(r, endpoint);
    err_set(&r->why, rc, "%s: %s", up_origin(r->upstream, endpoint),
            up_without_origin(r->upstream, endpoint, r->all.why.text));
    up_hide(r->upstream, endpoint, r->why.text);
    if (r->own && mine)
        log_write(mine == RC_REFUSED ? LOG_WARN : LOG_INFO, "execution", "%s", r->why.text);
}

/* Asks the present endpoint for all that it has not been asked for. True: the party is off. */
static bool ask_endpoint(round_t *r)
{
    while (!r->stopped) {
        if (send(r))
            return true;
        if (!r->party.count)
            break;
        round_take(r);
    }
    leave_endpoint(r);
    return false;
}

/* All have been asked. Whether one of them is to be asked again. */
static bool another_pass(round_t *r)
{
    const bool can_do_without = r->honest && !is_open(r, NEED_MET);
    if (!r->soon || r->rc == RC_OK || r->rc == RC_NOMEM || !is_open(r, NEED_NAMED) || can_do_without)
        return false;
    if (r->now_ms() >= r->since_ms + ROUND_VAIN_MAX_MS)
        return false;
    r->passes++;
    r->at = 0;
    r->soon = false;
    r->begun = false;
    r->endpoints = up_order(r->upstream, r->order, r->again_ms);
    meet_endpoint(r);
    return true;
}

round_state_t round_next(round_t *r)
{
    for (;;) {
        if (!r->begun && r->at < r->endpoints && up_wait_ms(r->upstream, r->order[r->at], r->now_ms())) {
            note_soon(r, r->order[r->at]); /* its time has not come */
            if (r->rc == RC_IO && !r->why.text[0])
                err_set(&r->why, RC_IO, "%s: asked too often", up_origin(r->upstream, r->order[r->at]));
        } else if (r->at < r->endpoints) {
            r->begun = true;
            if (ask_endpoint(r))
                return ROUND_WAIT;
            if (!r->rc || r->rc == RC_NOMEM)
                return ROUND_ENDED;
        }
        if (++r->at >= r->endpoints)
            return another_pass(r) ? ROUND_LATER : ROUND_ENDED;
        r->begun = false;
        meet_endpoint(r);
    }
}

/* Gives the query one answer. *again: it came to nothing for a reason of whoever asked for it, not of the endpoint.
 * *passes: it may be answered a little later. */
static rc_t take_seat(round_t *r, err_t *e, const seat_t *s, bool *again, bool *passes)
{
    const batch_t *b = s->batch;
    if (b->rc) {
        *again = b->rc == RC_NOMEM && !s->own;
        *passes = refusal_passes((refusal_t)b->why.code);
        *e = b->why;
        return b->rc;
    }
    const jr_answer_t *a = &b->answers[s->element];
    if (a->rc) {
        *again = a->rc == RC_NOMEM && !s->own;
        *passes = refusal_passes(a->refusal);
        *e = a->why;
        return a->rc;
    }
    rc_t rc = query_give(r->query, e, s->index, &a->answer);
    r->answered[s->index] = rc == RC_OK;
    if (!rc)
        r->since_ms = r->now_ms();
    if (rc_blames_input(rc)) /* whatever is wrong with it: it does not prove what was asked */
        rc = RC_REFUSED;
    return jr_before(e, rc, s->need);
}

/* Takes what came on one seat; its fault is ours to report when we asked, or when it accuses and nobody has told
 * yet. */
static void judge_seat(round_t *r, fault_t *all, fault_t *mine, const seat_t *s)
{
    err_t e = { 0 };
    bool again = false, passes = false;
    if (!s->batch) {
        r->late |= s->own;
        return;
    }
    rc_t rc = take_seat(r, &e, s, &again, &passes);
    if (again)
        return;
    r->asked[s->index] = true;
    r->heard |= s->batch->heard;
    fault_add(all, rc, &e, passes);
    const bool fewer = !s->batch->rc && s->batch->answers[s->element].refusal == REFUSAL_KEYS;
    bool tell = fewer ? false : rc_blames_input(rc) ? !atomic_exchange(&s->batch->blamed, true) : s->own;
    if (tell)
        fault_add(mine, rc, &e, passes);
    r->own |= s->own || (rc && tell);
    if (s->own && s->batch->retry_after_ms > r->retry_after_ms)
        r->retry_after_ms = s->batch->retry_after_ms;
}

void round_take(round_t *r)
{
    static const need_kind_t order[] = { NEED_SEND,  NEED_HEAD,   NEED_HEAD_BYTES, NEED_CHANGES,
                                         NEED_PROOF, NEED_HEADER, NEED_BLOCK,      NEED_RECEIPTS,
                                         NEED_CODE,  NEED_WHERE,  NEED_HINT }; /* code: once its hash is proven */
    fault_t all = { 0 }, mine = { 0 };
    bool heard_before = r->heard;
    r->heard = false;
    for (size_t pass = 0; pass < sizeof order / sizeof order[0]; pass++)
        for (size_t i = 0; i < r->party.count; i++)
            if (r->party.seats[i].need->kind == order[pass])
                judge_seat(r, &all, &mine, &r->party.seats[i]);
    flights_clear(&r->party);
    r->stopped |= all.rc && !((all.rc == RC_IO || all.rc == RC_NEED_DATA) && r->heard);
    r->heard |= heard_before;
    if (all.rc)
        r->all = all;
    if (mine.rc)
        r->mine = mine;
}

rc_t round_end(const round_t *r, err_t *e)
{
    if (!r->rc || (r->rc != RC_NOMEM && r->honest && !is_open(r, NEED_MET)))
        return RC_OK;
    if (r->rc == RC_NOMEM)
        return err_say(e, RC_NOMEM, "out of memory");
    *e = r->why;
    return e->rc = RC_IO;
}

void round_late(round_t *r)
{
    if (r->late)
        up_report(r->upstream, r->order[r->at], RC_TIMEOUT, "timed out before the answer was complete", 0, r->now_ms());
    else if (r->own)
        leave_endpoint(r);
}

void round_free(round_t *r)
{
    flights_clear(&r->party);
    arena_free(&r->arena);
}
