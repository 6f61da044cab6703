#include "node/query/flight_work.h"

#include "node/query/lesson.h"

/* Moves a flight with all seats to another batch. False: no memory; it stays. */
static bool change_flight(flights_t *f, flight_t *x, batch_t *to)
{
    flight_t *y = batch_add(f, to, &x->key, x->batch->needs[x->element]);
    if (!y)
        return false;
    y->seats = x->seats;
    y->wide = x->wide;
    x->seats = NULL;
    for (seat_t *s = y->seats; s; s = s->next) {
        s->flight = y;
        x->batch->passengers--;
        to->passengers++;
    }
    return true;
}

/* New batches for what is asked again. */
typedef struct {
    cap_t can;
    bool tall;    /* one alone may be longer */
    bool refused; /* the batch as a whole: what asks again waits for what comes of the others */
    batch_t *made[BATCH_MAX];
    size_t count;
} rebooking_t;

/* The one that takes a need on board. NULL: no memory, or there are too many. */
static batch_t *room_for(flights_t *f, rebooking_t *r, const batch_t *from, const need_t *need, bool alone)
{
    batch_t *last = r->count ? r->made[r->count - 1] : NULL;
    if (last && !alone && batch_has_room(last, need, &r->can))
        return last;
    batch_t *more = r->count < BATCH_MAX ? batch_new(f, from->endpoint, from->client) : NULL;
    if (!more)
        return NULL;
    more->again = r->refused;
    more->tall = r->tall;
    return r->made[r->count++] = more;
}

/* Moves all who wait for a proof of what several need to proofs of their own. Who finds no memory stays. */
static void part(flights_t *f, rebooking_t *r, flight_t *x)
{
    for (seat_t *s = x->seats, *next; s; s = next) {
        next = s->next;
        flight_t *own = flight_find(f, &s->key, x->batch->endpoint);
        batch_t *to = own ? NULL : room_for(f, r, x->batch, s->need, false);
        if (to)
            own = batch_add(f, to, &s->key, s->need);
        if (!own)
            continue;
        seat_stand_up(s);
        s->from = 0;
        seat_sit_down(s, own);
    }
}

/* Moves the flights of a batch that are marked and that somebody waits for into new ones, which go first. alone: hints
 * do not travel with others. parts: nor do those who share a proof. */
static void rebook_in(flights_t *f, rebooking_t *r, batch_t *b, bool alone, bool parts)
{
    for (size_t pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < b->count; i++) {
            flight_t *x = b->list[i];
            const bool hint = b->needs[i]->kind == NEED_HINT;
            if (!x->again || !x->seats || (pass == 1) != (alone && hint))
                continue;
            if (x->wide && parts) {
                part(f, r, x);
                continue;
            }
            batch_t *to = room_for(f, r, b, b->needs[i], pass == 1);
            if (!to || !change_flight(f, x, to))
                break;
        }
    while (r->count) {
        batch_t *more = r->made[--r->count];
        turns_first(batch_turns(f, more), more);
    }
}

/* The same, in batches as large as the endpoint takes them. */
void batch_rebook(flights_t *f, batch_t *b, bool alone, bool parts)
{
    rebooking_t r = { .can = up_capability(f->config.upstream, b->endpoint), .refused = true };
    rebook_in(f, &r, b, alone, parts);
}

void batch_mark_all(batch_t *b, bool again)
{
    for (size_t i = 0; i < b->count; i++)
        b->list[i]->again = again;
}

/* Marks the proofs of what several need that were refused: for whose part is not known. How many. */
static int mark_shared(batch_t *b)
{
    int n = 0;
    for (size_t i = 0; i < b->count; i++) {
        const jr_answer_t *a = &b->answers[i];
        const bool refused = b->list[i]->wide && a->rc && a->rc != RC_NOMEM && !refusal_passes(a->refusal);
        b->list[i]->again |= refused;
        n += refused;
    }
    return n;
}

/* Marks what a batch has beside block access lists, if it failed as it may have for one of those: it was too long, or
 * nothing could be made of the answer. False: there is nothing to mark. */
static bool mark_beside_lists(batch_t *b)
{
    const bool nothing_came = b->response.why.rc && b->response.why.rc != RC_LIMIT;
    size_t lists = 0;
    for (size_t i = 0; i < b->count; i++)
        lists += b->needs[i]->kind == NEED_CHANGES;
    if (nothing_came || b->rc == RC_NOMEM || refusal_passes((refusal_t)b->why.code) || !lists || lists == b->count)
        return false;
    for (size_t i = 0; i < b->count; i++)
        b->list[i]->again = b->needs[i]->kind != NEED_CHANGES;
    return true;
}

/* Asks for what a batch has in halves, if together it was longer than it may be, or had too many values. That is no
 * fault, nor the size that the endpoint takes: blocks may be much longer than they mostly are. False: it was not so. */
static bool halve_long(flights_t *f, batch_t *b)
{
    const size_t elements = jr_elements(b->needs, b->count, &b->form);
    if (b->rc != RC_LIMIT || elements < 2 || !batch_may_be_too_long(b))
        return false;
    rebooking_t r = { .can = up_capability(f->config.upstream, b->endpoint) };
    const size_t half = (elements + 1) / 2;
    r.can.batch = (uint16_t)(half < r.can.batch ? half : r.can.batch);
    batch_mark_all(b, true);
    rebook_in(f, &r, b, false, false);
    return true;
}

/* Asks once more for one block alone that is longer than blocks mostly are, by as much as its gas permits. False: that
 * is not what was too long. */
static bool ask_tall(flights_t *f, batch_t *b)
{
    rebooking_t r = { .can = up_capability(f->config.upstream, b->endpoint), .tall = true };
    if (b->rc != RC_LIMIT || b->tall || b->count != 1 || batch_tall_max(b->needs[0]) <= batch_body_max(b))
        return false;
    batch_mark_all(b, true);
    rebook_in(f, &r, b, false, false);
    return true;
}

/* What waits there to be asked again after a refusal has failed too. */
static void fail_again(flights_t *f, turns_t *t, const batch_t *failed)
{
    batch_t **at = &t->first;
    while (*at) {
        batch_t *b = *at;
        if (!b->again) {
            at = &b->next;
            continue;
        }
        *at = b->next;
        b->rc = failed->rc;
        b->why = failed->why;
        pool_push(f->config.pool, &b->task);
    }
}

/* The same of all that wait, when their size was not the reason. */
static void fail_waiting(flights_t *f, const batch_t *failed)
{
    fail_again(f, &f->at[failed->endpoint], failed);
    fail_again(f, &f->wide[failed->endpoint], failed);
}

/* Learns from what came, and asks again what may be had in another way. With the lock held, the flights off board. */
void batch_ask_again(flights_t *f, batch_t *b)
{
    batch_mark_all(b, false);
    if (b->sent && b->response.why.rc)
        lesson_silence(f->config.upstream, b);
    if (b->sent && b->rc && b->why.code == REFUSAL_BUSY)
        lesson_busy(f->config.upstream, b);
    if (!b->sent)
        return;
    if (!b->rc) {
        if (lesson_elements(f->config.upstream, b) + mark_shared(b))
            batch_rebook(f, b, false, true);
        return;
    }
    const bool spoilt = (b->rc == RC_MALFORMED || b->rc == RC_LIMIT) && lesson_has_hint(b);
    const bool refused = spoilt || b->why.code == REFUSAL_BATCH;
    const cap_next_t next = refused ? lesson_refusal(f->config.upstream, b) : CAP_FAILS;
    batch_mark_all(b, next != CAP_FAILS);
    if (next != CAP_FAILS || mark_beside_lists(b))
        batch_rebook(f, b, next == CAP_APART, false);
    else if (halve_long(f, b) || ask_tall(f, b))
        return;
    else if (refused && !lesson_has_hint(b))
        fail_waiting(f, b);
}
