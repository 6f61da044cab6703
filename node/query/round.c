#include "node/query/round.h"

#include <string.h>

#include "base/os/log.h"
#include "node/query/lesson.h"
#include "rpc/upstream/lie.h"

#define LATE_MS 100u /* before who does not know the block yet is asked again; doubles up to */
#define LATE_MAX_MS 800u
#define DOUBTS_MAX 3u                      /* questions in one visit which block it has at a number */
#define GUIDE_MAX_MS 1000u                 /* that the rest waits for an access list of another endpoint */
#define LIE_ARENA_MAX ((size_t)32 << 20)   /* bytes: the text of a whole block once more */
#define ROUND_ARENA_MAX ((size_t)16 << 20) /* bytes: keys and seats of one round's needs */

static void fault_add(fault_t *f, rc_t rc, const err_t *why, bool passes)
{
    f->passes |= passes;
    if (lesson_rank(rc) <= lesson_rank(f->rc))
        return;
    f->rc = rc;
    f->why = *why;
}

/* Whether a need of this origin, or of one that is more certain, has no answer. None has to have a hint. */
static bool is_open(const round_t *r, need_origin_t upto)
{
    for (size_t i = 0; i < r->count; i++)
        if (!r->answered[i] && r->needs[i].origin <= upto && r->needs[i].kind != NEED_HINT)
            return true;
    return false;
}

/* Before an endpoint is asked. */
static void meet_endpoint(round_t *r, visit_t *v, size_t endpoint)
{
    memset(v->asked, 0, r->count * sizeof *v->asked);
    v->open = true;
    v->endpoint = endpoint;
    v->heard = v->own = v->stopped = v->late = v->denies = false;
    v->all = v->mine = (fault_t){ 0 };
    v->retry_after_ms = 0;
    v->slots_most = BATCH_SLOTS_MAX;
    v->doubted = v->mute = false;
    v->doubts = 0;
}

/* False: no memory. */
static bool make_visit(round_t *r, visit_t *v, void (*landed)(party_t *p), void *owner)
{
    v->asked = arena_calloc(&r->arena, r->count, sizeof *v->asked);
    v->party.seats = arena_calloc(&r->arena, r->count, sizeof *v->party.seats);
    v->room = r->count;
    v->party.landed = landed;
    v->party.owner = owner;
    return v->asked && v->party.seats;
}

/* Which slots of proofs have come. False: no memory. */
static bool make_had(round_t *r)
{
    r->had = arena_calloc(&r->arena, r->count, sizeof(bool *));
    bool whole = r->had != NULL;
    for (size_t i = 0; whole && i < r->count; i++) {
        if (r->needs[i].kind != NEED_PROOF || r->needs[i].slot_count < 2)
            continue;
        r->had[i] = arena_calloc(&r->arena, r->needs[i].slot_count, sizeof(bool));
        whole = r->had[i] != NULL;
    }
    return whole;
}

/* All endpoints, whom to ask first: of state, who may still keep it. */
static void order_endpoints(round_t *r, uint64_t now)
{
    uint64_t oldest = UINT64_MAX;
    r->endpoints = up_order(r->upstream, r->order, now);
    for (size_t i = 0; i < r->count; i++) {
        const need_t *need = &r->needs[i];
        if ((need->kind == NEED_PROOF || need->kind == NEED_CODE) && need->block->env.number < oldest)
            oldest = need->block->env.number;
    }
    if (oldest != UINT64_MAX)
        up_note_block(r->upstream, oldest);
    up_order_state(r->upstream, r->order, r->endpoints, oldest);
}

rc_t round_begin(round_t *r, query_t *query, up_t *upstream, flights_t *flights, clock_fn now_ms,
                 void (*landed)(party_t *p), void *owner)
{
    *r = (round_t){ .query = query, .upstream = upstream, .flights = flights, .now_ms = now_ms, .rc = RC_IO };
    arena_init(&r->arena, ROUND_ARENA_MAX);
    r->count = query_needs(query, &r->needs);
    r->keys = arena_calloc(&r->arena, r->count, sizeof *r->keys);
    r->answered = arena_calloc(&r->arena, r->count, sizeof *r->answered);
    r->lacked = arena_calloc(&r->arena, r->count, sizeof *r->lacked);
    bool whole = r->keys && r->answered && r->lacked && make_had(r) && make_visit(r, &r->guide, landed, owner);
    for (size_t i = 0; i < ROUND_VISITS; i++)
        whole = whole && make_visit(r, &r->visits[i], landed, owner);
    if (!whole)
        return r->rc = RC_NOMEM;
    for (size_t i = 0; i < r->count; i++)
        flight_key(&r->keys[i], &r->needs[i]);
    r->since_ms = now_ms();
    order_endpoints(r, r->since_ms);
    return RC_OK;
}

void round_for(round_t *r, hs_client_t *client)
{
    for (size_t i = 0; i < ROUND_VISITS; i++)
        r->visits[i].party.client = client;
    r->guide.party.client = client;
}

/* Adds a seat. False: no memory. */
static bool add_seat(round_t *r, visit_t *v, const seat_t *s)
{
    party_t *p = &v->party;
    if (p->count == v->room) {
        seat_t *more = arena_calloc(&r->arena, 2 * v->room, sizeof *more);
        if (!more)
            return false;
        memcpy(more, p->seats, p->count * sizeof *more);
        p->seats = more;
        v->room *= 2;
    }
    p->seats[p->count++] = *s;
    return true;
}

/* A seat for so many slots of a proof. False: no memory. */
static bool add_piece(round_t *r, visit_t *v, size_t i, size_t at, size_t count)
{
    seat_t s = { .index = i, .at = at };
    need_t *piece = arena_alloc(&r->arena, sizeof *piece);
    if (!piece)
        return false;
    *piece = r->needs[i];
    piece->slots += at;
    piece->slot_count = count;
    s.need = piece;
    flight_key(&s.key, piece);
    return add_seat(r, v, &s);
}

/* Seats for the slots of a proof that have not come, in pieces of at most so many. False: no memory. */
static bool add_pieces(round_t *r, visit_t *v, size_t i, size_t most)
{
    const size_t count = r->needs[i].slot_count;
    for (size_t at = 0, len; at < count; at += len) {
        for (len = 0; at + len < count && len < most && !r->had[i][at + len];)
            len++;
        if (len && !add_piece(r, v, i, at, len))
            return false;
        len += !len;
    }
    return true;
}

static bool has_come_in_part(const round_t *r, size_t i)
{
    return r->had[i] && memchr(r->had[i], true, r->needs[i].slot_count * sizeof(bool));
}

/* A seat for the header that the endpoint has at the number. False: no memory. */
static bool add_branch(round_t *r, visit_t *v)
{
    v->branch = v->doubt;
    v->doubts++;
    seat_t s = { .need = &v->branch };
    flight_key(&s.key, &v->branch);
    return add_seat(r, v, &s);
}

/* Seats for all that the endpoint has not been asked for yet. False: no memory. */
static bool take_seats(round_t *r, visit_t *v)
{
    const cap_t can = up_capability(r->upstream, v->endpoint);
    const size_t most = cap_slots(&can, v->slots_most);
    bool whole = true;
    v->party.count = 0;
    if (v->doubted && !v->mute)
        whole = add_branch(r, v);
    for (size_t i = 0; i < r->count && whole; i++) {
        const need_t *need = &r->needs[i];
        if (r->answered[i] || v->asked[i] || (r->guided && need->kind == NEED_HINT))
            continue;
        if (r->had[i] && (need->slot_count > most || has_come_in_part(r, i)))
            whole = add_pieces(r, v, i, most);
        else
            whole = add_seat(r, v, &(seat_t){ .key = r->keys[i], .need = need, .index = i });
    }
    return whole || v->party.count;
}

/* It is our memory. */
static void stop_visit(visit_t *v)
{
    fault_add(&v->all, RC_NOMEM, &(err_t){ .rc = RC_NOMEM, .text = "out of memory" }, false);
    v->stopped = true;
}

/* Sends off what the endpoint has not been asked for yet. False: there is nothing, or it is here at once. */
static bool send(round_t *r, visit_t *v)
{
    party_t *p = &v->party;
    if (!take_seats(r, v))
        stop_visit(v);
    if (!p->count)
        return false;
    const uint64_t now = r->now_ms();
    v->patience_ms = now + up_patience_ms(r->upstream, v->endpoint, now);
    v->usual_ms = now + up_usual_ms(r->upstream, v->endpoint);
    v->out = flights_send(r->flights, p, v->endpoint);
    r->sends += v->out;
    if (v->out)
        return true; /* it is no longer ours to look at */
    if (!p->count)
        stop_visit(v);
    return false;
}

/* Whether an answer to all that was asked is missing only, and what is missing need not be there. */
static rc_t if_needed(rc_t rc, bool enough)
{
    return (rc == RC_IO || rc == RC_NEED_DATA) && enough ? RC_OK : rc;
}

/* Tells the endpoints' order how this one did. That it does not know the block yet is told once. */
static void report(round_t *r, const visit_t *v, rc_t mine)
{
    const bool again = mine == RC_NEED_DATA && r->told_late[v->endpoint];
    const uint32_t wait_ms = v->mine.passes && mine == RC_IO && !v->retry_after_ms ? 1 : v->retry_after_ms;
    r->told_late[v->endpoint] |= mine == RC_NEED_DATA;
    if (!again)
        up_report(r->upstream, v->endpoint, mine, v->mine.why.text, wait_ms, r->now_ms());
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

/* Tells the operator, who may read who it was and what it said, but for the URL's secrets. */
static void log_fault(const round_t *r, const visit_t *v, rc_t mine)
{
    char said[sizeof v->all.said];
    memcpy(said, v->all.said, sizeof said);
    up_hide(r->upstream, v->endpoint, said);
    log_write(mine == RC_REFUSED ? LOG_WARN : LOG_INFO, "execution", "%s: %s%s%s", up_origin(r->upstream, v->endpoint),
              r->why.text, heard_word(said), said);
}

/* Whether something is unknown to those that were asked, and to nobody known. */
static bool is_lacking(const round_t *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->lacked[i] && !r->answered[i])
            return true;
    return false;
}

/* Tells the query what is unknown. */
static void give_lacks(round_t *r)
{
    if (!is_lacking(r))
        return;
    for (size_t i = 0; i < r->count; i++) {
        const answer_t none = { .kind = r->needs[i].kind, .absent = true };
        if (r->lacked[i] && !r->answered[i])
            r->answered[i] = query_give(r->query, &r->why, i, &none) == RC_OK;
    }
    if (!is_open(r, NEED_GUESSED))
        r->rc = RC_OK;
}

/* An endpoint has had its say, and nothing was wrong with it: another one is asked for what it did not know. */
static void note_lacks(round_t *r, const visit_t *v)
{
    if (!is_lacking(r))
        return;
    if (!r->lacking)
        r->lacked_ms = r->now_ms();
    r->lacking = true;
    r->lacks += v->denies;
    r->honest = true;
    r->rc = err_say(&r->why, RC_IO, "nobody knows it");
    if (r->lacks >= ROUND_LACKS_MAX)
        give_lacks(r);
}

/* By now_ms, when what is unknown so far is unknown. */
static uint64_t lacks_due_ms(const round_t *r)
{
    return r->lacking && is_lacking(r) ? r->lacked_ms + ROUND_LACK_MAX_MS : UINT64_MAX;
}

/* Reports how the endpoint did, if what it did is ours to report: what only a guess asked for, it need not have. */
static void leave_endpoint(round_t *r, visit_t *v)
{
    const bool enough = !is_open(r, NEED_NAMED);
    const rc_t rc = if_needed(v->all.rc, enough), mine = if_needed(v->mine.rc, enough);
    v->open = false;
    if (v->own && mine != RC_NOMEM && (mine || !rc))
        report(r, v, mine);
    r->honest |= (rc == RC_IO || rc == RC_NEED_DATA) && v->heard && !v->all.passes;
    r->rc = rc;
    if (!rc) {
        note_lacks(r, v);
        return;
    }
    if (v->all.passes)
        note_soon(r, v->endpoint);
    err_set(&r->why, rc, "%s[%zu]: %s", up_key(r->upstream), v->endpoint, v->all.why.text);
    up_hide(r->upstream, v->endpoint, r->why.text);
    if (v->own && mine)
        log_fault(r, v, mine);
}

/* Whether all slots of a proof have come. */
static bool is_whole(const round_t *r, size_t i)
{
    return !r->had[i] || !memchr(r->had[i], false, r->needs[i].slot_count * sizeof(bool));
}

/* How many slots the proof was asked for with in which a seat has its own. */
static size_t slots_asked(const seat_t *s)
{
    return s->batch->needs[s->element]->slot_count;
}

/* Makes of an endpoint's own words what anybody may read: printable, and nothing of where it is. False: no memory. */
static bool clean_words(round_t *r, view_t *words, size_t endpoint)
{
    char *text = arena_alloc(&r->arena, words->n + 1);
    if (!text)
        return false;
    for (size_t i = 0; i < words->n; i++)
        text[i] = (char)(words->p[i] >= 0x20 && words->p[i] < 0x7f ? words->p[i] : '?');
    text[words->n] = 0;
    up_hide_place(r->upstream, endpoint, text);
    *words = view_str(text);
    return true;
}

/* Gives the query an answer, which may be to a piece of a need, and a piece of what others asked for as well. */
static rc_t give(round_t *r, err_t *e, const visit_t *v, const seat_t *s, const answer_t *answer)
{
    answer_t piece = *answer;
    bool *had = r->had[s->index];
    if (piece.refused && !clean_words(r, &piece.code, v->endpoint))
        return err_say(e, RC_NOMEM, "out of memory");
    piece.again = r->sends > 1 || s->batch->response.misread || s->batch->response.led_failed; /* sent twice below */
    if (s->need->kind == NEED_PROOF && piece.proof.slot_count && piece.proof.slot_count == slots_asked(s)) {
        piece.proof.slots += s->from;
        piece.proof.slot_count = s->need->slot_count;
    }
    if (had) {
        piece.slots_at = s->at;
        piece.slots_len = s->need->slot_count;
    }
    const rc_t rc = query_give(r->query, e, s->index, &piece);
    for (size_t i = 0; !rc && had && i < s->need->slot_count; i++)
        had[s->at + i] = true;
    if (!rc && piece.kind == NEED_HINT && piece.hint_count)
        r->hinters |= (uint32_t)1 << v->endpoint;
    r->answered[s->index] = !rc && is_whole(r, s->index);
    return rc;
}

/* What an answer comes to that does not prove what was asked for. *again: it may be of another branch, and that is
 * asked first. */
static rc_t judge_wrong(round_t *r, visit_t *v, err_t *e, const seat_t *s, bool *again)
{
    const ex_block_t *block = s->need->block;
    const uint64_t number = block->env.number;
    const bool excused = v->stand != BRANCH_OURS && v->stand != BRANCH_UNSAID;
    if (!lesson_is_numbered(s->batch, s->need))
        return RC_REFUSED;
    if (!excused && lesson_is_false(&r->arena, s->batch, s->element))
        return RC_REFUSED;
    if (v->stand == BRANCH_UNSAID)
        return err_say(e, RC_REPLAY, "it is not the block's, and it does not say which block it has there");
    if (v->stand == BRANCH_OURS && v->doubts >= DOUBTS_MAX)
        return err_say(e, RC_REPLAY, "it is not the block's, whose header it has");
    if (!v->doubted || number < v->doubt.number)
        v->doubt = (need_t){ .kind = NEED_HEADER, .block = block, .number = number };
    v->doubted = *again = true;
    return RC_NEED_DATA;
}

/* Whether the party was asked for the header at the number, too. */
static bool asks_branch(const visit_t *v)
{
    return v->party.count && v->party.seats[0].need == &v->branch;
}

/* Gives the query one answer. *again: it came to nothing for a reason of whoever asked for it, not of the endpoint.
 * *passes: it may be answered a little later. */
static rc_t take_seat(round_t *r, visit_t *v, err_t *e, const seat_t *s, bool *again, bool *passes)
{
    const batch_t *b = s->batch;
    if (b->rc) {
        *again = (b->rc == RC_NOMEM && !s->own) || (v->mute && asks_branch(v));
        *passes = refusal_passes((refusal_t)b->why.code);
        *e = b->why;
        if (s->need->kind == NEED_HINT && rc_blames_input(b->rc)) /* what it says in vain sinks nothing else */
            e->rc = RC_IO;
        return e->rc;
    }
    const jr_answer_t *a = &b->answers[s->element];
    if (a->rc) {
        *again = a->rc == RC_NOMEM && !s->own;
        *passes = refusal_passes(a->refusal) && !(a->refusal == REFUSAL_LATE && s->need->settled);
        r->not_now |= s->need->kind == NEED_HINT && *passes;
        *e = a->why;
        return a->rc;
    }
    if (r->answered[s->index]) /* another endpoint was faster */
        return RC_OK;
    if (a->answer.absent && s->need->may_lack) {
        r->lacked[s->index] = v->denies = true;
        return RC_OK;
    }
    if (s->need->kind == NEED_HINT && a->refusal == REFUSAL_METHOD) /* another one may have it */
        return RC_OK;
    rc_t rc = give(r, e, v, s, &a->answer);
    if (!rc)
        r->since_ms = r->now_ms();
    if (rc == RC_NEED_DATA && e->code == QUERY_LACKS) {
        r->lacked[s->index] = true;
        return RC_OK;
    }
    *passes = rc == RC_NEED_DATA && e->code == QUERY_LATER && !s->need->settled;
    if (rc_blames_input(rc))
        rc = judge_wrong(r, v, e, s, again);
    return jr_before(e, rc, s->need);
}

/* Hands over the record of a lie. */
static void note_lie(const round_t *r, const visit_t *v, const seat_t *s, const err_t *why)
{
    const hc_response_t *response = &s->batch->response;
    arena_t a;
    lie_t lie;
    if (!up_keeps_lies(r->upstream))
        return;
    arena_init(&a, LIE_ARENA_MAX);
    if (!lie_of_answer(&lie, NULL, &a, r->query, s->index, s->batch->needs[s->element], s->element + 1,
                       view_of(response->body, response->body_len))) {
        lie.reason = view_str(why->text);
        up_lied(r->upstream, v->endpoint, &lie);
    }
    arena_free(&a);
}

/* Whether it is the block access list that comes along if it can be had. */
static bool is_extra(const need_t *need)
{
    return need->kind == NEED_CHANGES && need->origin == NEED_GUESSED;
}

/* What is wrong with such a list costs that alone: the header that it came with stands by its own hash. One of another
 * hash than the header says is a lie all the same. */
static void forgo_extra(round_t *r, visit_t *v, fault_t *mine, const seat_t *s, rc_t rc, const err_t *why)
{
    v->asked[s->index] = true;
    if (rc == RC_REFUSED && lesson_blames(s->batch, rc)) {
        fault_add(mine, rc, why, false);
        note_lie(r, v, s, why);
        v->own = true;
        return;
    }
    log_write(rc_blames_input(rc) ? LOG_INFO : LOG_DEBUG, "execution", "%s: %s", up_origin(r->upstream, v->endpoint),
              why->text);
}

/* Whether a proof was refused for the number of its slots: then this endpoint is asked for half as many at once. */
static bool asked_too_many(visit_t *v, const seat_t *s)
{
    const batch_t *b = s->batch;
    if (b->rc || b->answers[s->element].refusal != REFUSAL_KEYS || slots_asked(s) < 2)
        return false;
    const size_t half = slots_asked(s) / 2;
    v->slots_most = half < v->slots_most ? half : v->slots_most;
    v->heard |= b->heard;
    v->own |= s->own;
    return true;
}

/* Takes what came on one seat; its fault is ours to report when we asked, or when it accuses and nobody has told
 * yet. */
static void judge_seat(round_t *r, visit_t *v, fault_t *all, fault_t *mine, const seat_t *s)
{
    err_t e = { 0 };
    bool again = false, passes = false;
    if (!s->batch) {
        v->late |= s->own;
        return;
    }
    if (asked_too_many(v, s))
        return;
    rc_t rc = take_seat(r, v, &e, s, &again, &passes);
    v->heard |= s->batch->heard;
    v->own |= s->own;
    if (again)
        return;
    if (rc && is_extra(s->need)) {
        forgo_extra(r, v, mine, s, rc, &e);
        return;
    }
    const bool *had = r->had[s->index];
    const bool more = !rc && had && had[s->at] && !r->answered[s->index]; /* pieces are still to be asked for */
    v->asked[s->index] |= !more;
    if (lesson_rank(rc) > lesson_rank(all->rc))
        heard_of(all->said, &s->batch->response, NULL);
    fault_add(all, rc, &e, passes);
    const bool fewer = !s->batch->rc && lesson_is_limit(r->upstream, s->batch, s->need, s->element);
    const bool once = rc_blames_input(rc) || s->batch->rc; /* of the batch, whoever got on it */
    const bool tell = fewer ? false : once ? lesson_blames(s->batch, rc) : s->own;
    if (tell)
        fault_add(mine, rc, &e, passes);
    if (tell && rc == RC_REFUSED)
        note_lie(r, v, s, &e);
    v->own |= rc && tell;
    if ((s->own || tell) && s->batch->retry_after_ms > v->retry_after_ms)
        v->retry_after_ms = s->batch->retry_after_ms;
}

/* Takes the header that the endpoint has at the number. Another block's, or one that it has not now, ends the visit. */
static void take_branch(round_t *r, visit_t *v, fault_t *all, fault_t *mine, const seat_t *s)
{
    const batch_t *b = s->batch;
    err_t e = { 0 };
    bool passes = true;
    if (!b) { /* it was left */
        v->late |= s->own;
        return;
    }
    v->stand = lesson_branch(&e, &passes, b, s->element, &v->branch);
    v->heard |= b->heard;
    v->mute |= v->stand == BRANCH_UNSAID && b->rc;
    if (v->stand == BRANCH_OTHER)
        lesson_other_branch(r->upstream, v->endpoint);
    if (v->stand != BRANCH_OTHER && v->stand != BRANCH_NOT_NOW)
        return;
    v->stopped = true;
    heard_of(all->said, &b->response, NULL);
    fault_add(all, e.rc, &e, passes);
    if (!s->own)
        return;
    v->own = true;
    fault_add(mine, e.rc, &e, passes);
    if (b->retry_after_ms > v->retry_after_ms)
        v->retry_after_ms = b->retry_after_ms;
}

/* What a visit came to, with what it comes to now. */
static void keep_worse(fault_t *kept, const fault_t *f)
{
    if (f->rc && lesson_rank(f->rc) >= lesson_rank(kept->rc))
        *kept = *f;
}

/* Gives the query what a party brought. */
static void take_party(round_t *r, visit_t *v)
{
    static const need_kind_t order[] = { NEED_SEND,  NEED_HEAD,   NEED_HEAD_BYTES, NEED_CHANGES,
                                         NEED_PROOF, NEED_HEADER, NEED_BLOCK,      NEED_RECEIPTS,
                                         NEED_CODE,  NEED_WHERE,  NEED_HINT }; /* code: once its hash is proven */
    fault_t all = { 0 }, mine = { 0 };
    bool heard_before = v->heard;
    const seat_t *const seats = v->party.seats;
    const size_t first = asks_branch(v);
    v->heard = v->out = v->doubted = false;
    v->stand = v->mute ? BRANCH_UNSAID : BRANCH_UNASKED;
    if (first)
        take_branch(r, v, &all, &mine, &seats[0]);
    for (size_t pass = 0; pass < sizeof order / sizeof order[0]; pass++)
        for (size_t i = first; i < v->party.count; i++)
            if (seats[i].need->kind == order[pass])
                judge_seat(r, v, &all, &mine, &seats[i]);
    flights_clear(&v->party);
    const bool minor = all.rc == RC_IO || all.rc == RC_NEED_DATA || (v->doubted && lesson_rank(all.rc) == 2);
    v->stopped |= all.rc && !(minor && v->heard);
    v->heard |= heard_before;
    keep_worse(&v->all, &all);
    keep_worse(&v->mine, &mine);
}

/* Asks an endpoint for all that it has not been asked for. */
static void ask_endpoint(round_t *r, visit_t *v)
{
    while (!v->stopped) {
        if (send(r, v))
            return;
        if (!v->party.count)
            break;
        take_party(r, v);
    }
    leave_endpoint(r, v);
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
    order_endpoints(r, r->again_ms);
    return true;
}

/* Asks the next endpoint whose time has come. False: there is none. */
static bool visit_next(round_t *r, visit_t *v)
{
    while (r->at < r->endpoints) {
        const size_t endpoint = r->order[r->at++];
        if (!up_wait_ms(r->upstream, endpoint, r->now_ms())) {
            meet_endpoint(r, v, endpoint);
            ask_endpoint(r, v);
            return true;
        }
        note_soon(r, endpoint);
        if (r->rc == RC_IO && !r->why.text[0])
            err_set(&r->why, RC_IO, "%s[%zu]: asked too often", up_key(r->upstream), endpoint);
    }
    return false;
}

/* Whether no other endpoint has to be asked, or none can be. */
static bool has_ended(const round_t *r)
{
    return r->rc == RC_OK || r->rc == RC_NOMEM;
}

/* The access list that is asked for and has not come; count: there is none. */
static size_t open_hint(const round_t *r)
{
    size_t i = 0;
    while (i < r->count && (r->answered[i] || r->needs[i].kind != NEED_HINT))
        i++;
    return i;
}

/* Takes what the guide brought. That it has no access list is no fault. */
static void take_guide(round_t *r)
{
    visit_t *v = &r->guide;
    if (!v->out || !atomic_load(&v->party.here))
        return;
    take_party(r, v);
    const rc_t mine = if_needed(v->mine.rc, true);
    if (v->heard)
        up_hinted(r->upstream, v->endpoint, true, r->now_ms());
    if (v->own && mine != RC_NOMEM)
        report(r, v, mine);
}

/* Calls the guide back; it is asked for less when it let the rest wait in vain. */
static void leave_guide(round_t *r)
{
    visit_t *v = &r->guide;
    if (v->out && flights_leave(r->flights, &v->party) && r->now_ms() >= v->patience_ms)
        up_hinted(r->upstream, v->endpoint, false, r->now_ms());
    flights_clear(&v->party);
    v->out = false;
}

/* Whether another endpoint is to be asked for the access list: the first gives none, or gave the rest and not that. */
static bool needs_guide(const round_t *r, size_t first)
{
    return up_capability(r->upstream, first).form.no_hint || (r->not_now && r->rc == RC_OK);
}

/* Asks for the access list elsewhere. */
static void ask_guide(round_t *r)
{
    visit_t *v = &r->guide;
    const size_t hint = open_hint(r), first = r->visits[0].endpoint;
    if (r->guided || hint == r->count || !needs_guide(r, first))
        return;
    for (size_t i = 0; i < r->endpoints && !r->guided; i++) {
        const uint64_t now = r->now_ms();
        if (r->order[i] == first || !up_hints(r->upstream, r->order[i], now))
            continue;
        r->guided = true;
        meet_endpoint(r, v, r->order[i]);
        v->party.seats[0] = (seat_t){ .key = r->keys[hint], .need = &r->needs[hint], .index = hint };
        v->party.count = 1;
        const uint32_t usual_ms = up_patience_ms(r->upstream, v->endpoint, now);
        v->patience_ms = now + (usual_ms < GUIDE_MAX_MS ? usual_ms : GUIDE_MAX_MS);
        v->out = flights_send(r->flights, &v->party, v->endpoint);
        if (!v->out && v->party.count)
            take_party(r, v);
    }
}

/* Whether all but the access list is there, and that is still worth waiting for. */
static bool awaits_guide(const round_t *r)
{
    return r->rc == RC_OK && r->guide.out && r->now_ms() < r->guide.patience_ms;
}

static bool is_send(const round_t *r)
{
    return r->count && r->needs[0].kind == NEED_SEND;
}

/* Whether one endpoint alone is asked, and there is another one. Two that are given a transaction at a time may tell
 * each other, and then the answer is whose comes first. */
static visit_t *lone_visit(round_t *r)
{
    visit_t *a = &r->visits[0], *b = &r->visits[1];
    if (is_send(r))
        return NULL;
    return r->at < r->endpoints && a->out != b->out ? (a->out ? a : b) : NULL;
}

/* Asks another endpoint for what is slow to come. */
static void hedge(round_t *r)
{
    visit_t *slow = lone_visit(r);
    const uint64_t now = r->now_ms();
    if (!slow || now < slow->patience_ms)
        return;
    if (up_hedge(r->upstream, r->order[r->at], now, 1))
        (void)visit_next(r, slow == r->visits ? &r->visits[1] : &r->visits[0]);
    else
        slow->patience_ms = now + up_patience_ms(r->upstream, slow->endpoint, now);
}

/* By now_ms, when an endpoint that is silent about a transaction is left for the next one. */
static uint64_t silence_due_ms(const round_t *r)
{
    const visit_t *v = &r->visits[0];
    return is_send(r) && v->out && r->at < r->endpoints ? v->usual_ms + ROUND_SILENCE_MS : UINT64_MAX;
}

/* Whoever is given it next may say that it is known, which then is as good. */
static void leave_silent(round_t *r)
{
    static const char why[] = "it did not answer in time";
    visit_t *v = &r->visits[0];
    if (r->now_ms() < silence_due_ms(r) || !flights_leave(r->flights, &v->party))
        return;
    take_party(r, v);
    v->open = false;
    if (v->late)
        up_report(r->upstream, v->endpoint, RC_TIMEOUT, why, 0, r->now_ms());
    r->rc = err_set(&r->why, RC_IO, "%s[%zu]: %s", up_key(r->upstream), v->endpoint, why);
}

/* Takes what has landed, and asks on where an endpoint has not had its say. Whether any is being asked. */
static bool go_on(round_t *r)
{
    bool any = false;
    for (size_t i = 0; i < ROUND_VISITS; i++) {
        visit_t *v = &r->visits[i];
        if (v->out && atomic_load(&v->party.here)) {
            take_party(r, v);
            ask_endpoint(r, v);
            if (has_ended(r))
                return false;
        }
        any |= v->open;
    }
    return any;
}

round_state_t round_next(round_t *r)
{
    if (r->later && r->now_ms() < r->again_ms)
        return ROUND_LATER;
    r->later = false;
    take_guide(r);
    if (go_on(r)) {
        hedge(r);
        leave_silent(r);
    }
    if (!has_ended(r) && r->now_ms() >= lacks_due_ms(r))
        give_lacks(r);
    while (!has_ended(r) && !r->visits[0].open && !r->visits[1].open)
        if (!visit_next(r, &r->visits[0])) {
            give_lacks(r);
            r->later = another_pass(r);
            return r->later ? ROUND_LATER : ROUND_ENDED;
        }
    ask_guide(r);
    return has_ended(r) && !awaits_guide(r) ? ROUND_ENDED : ROUND_WAIT;
}

uint64_t round_due_ms(round_t *r)
{
    const visit_t *lone = lone_visit(r);
    const uint64_t lacks = lacks_due_ms(r), hedge = lone ? lone->patience_ms : silence_due_ms(r);
    if (awaits_guide(r))
        return r->guide.patience_ms;
    if (r->visits[0].out || r->visits[1].out)
        return lacks < hedge ? lacks : hedge;
    return r->again_ms;
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

/* Calls back what a party still waits for. */
static void call_back(round_t *r, visit_t *v)
{
    if (v->out)
        (void)flights_leave(r->flights, &v->party);
}

void round_late(round_t *r)
{
    for (size_t i = 0; i < ROUND_VISITS; i++) {
        visit_t *v = &r->visits[i];
        call_back(r, v);
        if (v->out)
            take_party(r, v);
        if (v->open && v->late)
            up_report(r->upstream, v->endpoint, RC_TIMEOUT, "timed out before the answer was complete", 0, r->now_ms());
        else if (v->open && v->own)
            leave_endpoint(r, v);
        v->open = false;
    }
}

/* Leaves an endpoint before its answer. What it gave was wrong, and it is not to be forgotten for its silence. */
static void leave_early(round_t *r, visit_t *v)
{
    call_back(r, v);
    flights_clear(&v->party);
    v->out = false;
    if (v->open && v->doubted && v->own)
        up_report(r->upstream, v->endpoint, RC_IO,
                  "what it gave by number is not the block's, and it did not say in time which block it has there", 0,
                  r->now_ms());
}

void round_free(round_t *r)
{
    leave_guide(r);
    for (size_t i = 0; i < ROUND_VISITS; i++)
        leave_early(r, &r->visits[i]);
    arena_free(&r->arena);
}
