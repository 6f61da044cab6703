#include "rpc/upstream/capability.h"

#include <string.h>

#define PATIENCE 32u       /* full batches before a larger one is tried */
#define PATIENCE_MAX 4096u /* ... however often that was in vain */
#define ROW_MAX 64u
#define BUSY_ROW 2u      /* batches that are refused as too often before a smaller one is tried */
#define BUSY_PROOFS 2u   /* smaller ones that are answered then, before they are all that is sent */
#define UNKNOWN_MAX 8u   /* batches by hash of which none was known: some four seconds */
#define RETRY 32u        /* batches by number before one by hash is tried again */
#define UNTIL 256u       /* batches without a hint before one is asked for again */
#define UNTIL_MAX 16384u /* ... however often that was in vain */
#define UNREAD_MAX 4u    /* access lists in a row of which few keys were read, */
#define UNREAD_KEYS 8u   /* ... of those that have so many */
#define FUNDS_WAIT 64u   /* access lists before one is asked for in a form nearer to the caller's */
#define FUNDS_WAIT_MAX 4096u
#define GAP_BLOCKS 256u /* for which it is believed that older state is not there */
#define GAP_BLOCKS_MAX ((uint64_t)1 << 20)
#define PLAIN_WAIT 256u /* requests that ask for no content coding, before one for gzip is tried */
#define JSON_WAIT 256u  /* answers in JSON before SSZ is asked for again, */
#define SSZ_WAIT 8u     /* ... and in SSZ, of no use, before JSON is */

void cap_init(cap_t *c)
{
    memset(c, 0, sizeof *c);
    c->batch = c->before = CAP_BATCH_MAX;
    c->patience = PATIENCE;
    c->row = 1;
    c->until = UNTIL;
    c->keys_wait = PATIENCE;
    c->retry = RETRY;
    c->hint_wait = FUNDS_WAIT;
    c->gap_for = GAP_BLOCKS;
}

/* There are no hints here, for a good while. */
static void without_hints(cap_t *c)
{
    c->doubt = c->rest = false;
    c->apart = 0;
    if (c->form.no_hint)
        return;
    c->form.no_hint = true;
    c->without = 0;
}

/* It may have learned to give hints. */
static void count_without(cap_t *c)
{
    if (!c->form.no_hint || ++c->without < c->until)
        return;
    c->form.no_hint = false;
    if (c->until < UNTIL_MAX)
        c->until = (uint16_t)(2 * c->until);
}

/* A full batch was answered: after enough of them a larger one may go out. */
static void count_full(cap_t *c)
{
    if (c->batch >= CAP_BATCH_MAX || ++c->full < c->patience)
        return;
    const unsigned more = c->batch + 1u + c->batch / 4u;
    c->batch = (uint16_t)(more < CAP_BATCH_MAX ? more : CAP_BATCH_MAX);
    c->full = 0;
}

/* So many were answered: whether that is less than what is refused as too often. */
static void learn_pace(cap_t *c, uint16_t n)
{
    if (n >= c->busy_of) { /* it was the pace */
        c->busy = c->busy_of = c->fits = 0;
        c->proofs = 0;
    } else if (n > c->fits)
        c->fits = n;
    if (!c->tried || n < c->tried)
        return;
    c->tried = 0;
    if (c->proofs < BUSY_PROOFS && c->fits)
        c->proofs++;
    if (c->proofs < BUSY_PROOFS)
        c->batch = c->before = c->back; /* more once again */
}

/* No smaller one is tried any more. */
static void end_trial(cap_t *c)
{
    if (c->tried)
        c->batch = c->back;
    c->tried = 0;
}

void cap_busy(cap_t *c, size_t elements)
{
    const uint16_t n = (uint16_t)(elements < CAP_BATCH_MAX ? elements : CAP_BATCH_MAX);
    if (n > c->batch) /* it was on its way when a smaller one was tried */
        return;
    if (n <= 1) { /* it is the pace */
        end_trial(c);
        c->busy = 0;
        return;
    }
    c->busy_of = c->busy_of && c->busy_of < n ? c->busy_of : n;
    c->proofs = n > c->fits ? c->proofs : 0;
    c->fits = n > c->fits ? c->fits : 0;
    if (!c->tried && !c->proofs && ++c->busy < BUSY_ROW)
        return;
    if (!c->tried)
        c->back = c->batch;
    c->busy = c->full = 0;
    if (c->proofs == BUSY_PROOFS && c->patience < PATIENCE_MAX)
        c->patience = (uint16_t)(2 * c->patience);
    c->batch = c->fits ? c->fits : (uint16_t)((n + 1) / 2);
    c->tried = c->proofs < BUSY_PROOFS ? c->batch : 0;
    c->settling = c->tried != 0;
}

/* It answers: as it was before it refused everything. */
static void end_row(cap_t *c)
{
    if (c->mute)
        c->form.no_hint = c->mute = false;
    if (c->probe)
        c->batch = c->probe;
    c->spare = c->probe = 0;
    c->row = 1;
}

void cap_answered(cap_t *c, size_t elements, bool lone_hint)
{
    learn_pace(c, (uint16_t)(elements < CAP_BATCH_MAX ? elements : CAP_BATCH_MAX));
    if (lone_hint && c->apart) { /* the hint is welcome: the batch was one element too large */
        if (c->batch >= c->apart) {
            end_trial(c);
            c->batch = (uint16_t)(c->apart - 1);
        }
        c->apart = 0;
        c->rest = c->doubt = false;
        return;
    }
    c->settling = false;
    end_row(c);
    c->rest |= c->apart != 0;
    if (c->doubt)
        without_hints(c);
    count_without(c);
    c->before = c->batch;
    if (elements > c->good) {
        c->good = (uint16_t)(elements < CAP_BATCH_MAX ? elements : CAP_BATCH_MAX);
        c->patience = PATIENCE;
    }
    if (elements >= c->batch)
        count_full(c);
}

/* One alone was refused, so the size was not the reason. Until it answers, hints only stand in the way. */
static cap_next_t in_vain(cap_t *c)
{
    if (c->settling) {
        c->spare = c->row;
        c->row = (uint16_t)(c->row < ROW_MAX ? 2 * c->row : ROW_MAX);
        c->batch = c->before;
        c->mute |= !c->form.no_hint;
        c->form.no_hint = true;
    }
    c->settling = c->doubt = c->rest = false;
    c->apart = c->probe = 0;
    return CAP_FAILS;
}

cap_next_t cap_refused(cap_t *c, size_t elements, bool has_hint)
{
    end_trial(c);
    if (elements <= 1 && has_hint) {
        c->doubt = true;
        if (c->rest)
            without_hints(c);
        return CAP_FAILS;
    }
    if (elements <= 1)
        return in_vain(c);
    if (has_hint) {
        c->apart = (uint16_t)(elements < CAP_BATCH_MAX ? elements : CAP_BATCH_MAX);
        c->doubt = c->rest = false;
        return CAP_APART;
    }
    if (c->spare) {
        c->spare--;
        return CAP_FAILS;
    }
    if (elements > c->batch) /* it was on its way when the limit was learned */
        return CAP_SMALLER;
    if (elements <= c->good)
        c->good = 0;
    else if (c->good && c->patience < PATIENCE_MAX)
        c->patience = (uint16_t)(2 * c->patience);
    if (!c->settling)
        c->before = c->batch;
    const size_t half = (elements + 1) / 2, next = c->good > half ? c->good : half;
    c->batch = (uint16_t)(next < elements ? next : elements - 1);
    if (!c->settling && c->row > 1) { /* whether it still refuses one alone is asked first */
        c->probe = c->batch;
        c->batch = 1;
    }
    c->full = 0;
    c->settling = true;
    return CAP_SMALLER;
}

cap_next_t cap_spoilt(cap_t *c, size_t elements)
{
    const cap_next_t next = cap_refused(c, elements, true);
    if (next == CAP_APART)
        c->apart = CAP_BATCH_MAX + 1; /* no batch is as large: the hint's welcome says nothing of the size */
    return next;
}

cap_next_t cap_cut(cap_t *c, size_t elements, size_t given)
{
    if (given)
        end_row(c);
    const bool was_away = elements > c->batch; /* when the limit was learned */
    const cap_next_t next = cap_refused(c, elements, false);
    if (next != CAP_SMALLER || !given)
        return next;
    c->settling = false;
    if (!was_away || given < c->batch)
        c->batch = c->good = (uint16_t)given;
    return next;
}

void cap_unanswered(cap_t *c)
{
    c->settling = false;
}

/* By hash once more: one that is unknown is enough now. */
static void try_hashes(cap_t *c)
{
    c->form.by_number = false;
    c->unknown = UNKNOWN_MAX - 1;
    c->since = 0;
}

void cap_by_hash(cap_t *c, bool answered, bool unknown)
{
    c->knows |= answered;
    if (c->form.by_number && ++c->since >= c->retry) {
        c->retry = (uint16_t)(c->retry < UNTIL_MAX ? 2 * c->retry : UNTIL_MAX);
        try_hashes(c);
    }
    if (unknown && !c->knows && ++c->unknown >= UNKNOWN_MAX) {
        c->guess = c->form.by_number = true;
        c->unknown = 0;
    }
}

bool cap_guess_numbers(cap_t *c)
{
    if (c->knows || c->form.by_number)
        return false;
    c->guess = c->form.by_number = true;
    c->since = 0;
    return true;
}

void cap_other_branch(cap_t *c)
{
    if (c->guess && c->form.by_number)
        try_hashes(c);
}

bool cap_refused_form(cap_t *c, const cap_form_t *asked)
{
    if (!asked->by_number && !c->form.by_number) { /* it says so: that will last */
        c->form.by_number = true;
        c->retry = c->retry > UNTIL ? c->retry : UNTIL;
        c->since = 0;
    }
    c->guess &= asked->by_number;
    return !asked->by_number;
}

bool cap_refused_funds(cap_t *c, const cap_form_t *asked)
{
    if (c->form.funds == asked->funds && asked->funds < FUNDS_NOBODY) {
        c->form.funds++;
        c->hinted = 0;
    }
    return c->form.funds > asked->funds && !c->form.no_hint;
}

void cap_gave_hint(cap_t *c, const cap_form_t *asked)
{
    if (!c->form.funds || asked->funds != c->form.funds || ++c->hinted < c->hint_wait)
        return;
    c->form.funds--;
    c->hinted = 0;
    c->hint_wait = (uint16_t)(c->hint_wait < FUNDS_WAIT_MAX ? 2 * c->hint_wait : FUNDS_WAIT_MAX);
}

void cap_refused_hint(cap_t *c)
{
    without_hints(c);
}

void cap_read_hint(cap_t *c, size_t named, size_t read)
{
    if (named < UNREAD_KEYS)
        return;
    c->unread = (uint8_t)(read >= named / 4 ? 0 : c->unread + (c->unread < UNREAD_MAX));
    if (c->unread == UNREAD_MAX)
        without_hints(c);
}

/* A proof of so many slots was given: after enough of as many as are asked for, a larger one may be. */
static void count_keys(cap_t *c, uint16_t n)
{
    if (n > c->keys_good) {
        c->keys_good = n;
        c->keys_wait = PATIENCE;
    }
    if (!c->keys || n < c->keys)
        return;
    c->keys = n;
    if (++c->keys_full < c->keys_wait)
        return;
    const unsigned more = n + 1u + n / 4u;
    c->keys = (uint16_t)(more < CAP_KEYS_MAX ? more : 0);
    c->keys_full = 0;
}

void cap_keys(cap_t *c, size_t slots, bool given)
{
    const uint16_t n = (uint16_t)(slots < CAP_KEYS_MAX ? slots : CAP_KEYS_MAX);
    if (given) {
        count_keys(c, n);
        return;
    }
    if (c->keys && n > c->keys) /* it was on its way when the limit was learned */
        return;
    if (n <= c->keys_good) /* fewer than it took before */
        c->keys_good = 0;
    else if (c->keys_good && c->keys_wait < PATIENCE_MAX)
        c->keys_wait = (uint16_t)(2 * c->keys_wait);
    const uint16_t half = (uint16_t)(n / 2u), next = half > c->keys_good ? half : c->keys_good;
    c->keys = next ? next : 1;
    c->keys_full = 0;
}

size_t cap_slots(const cap_t *c, size_t most)
{
    return c->keys && c->keys < most ? c->keys : most;
}

static uint64_t behind(const cap_t *c, uint64_t number)
{
    return c->newest > number ? c->newest - number : 0;
}

/* Whether what is known of the gap was learned long ago. */
static bool is_old(const cap_t *c)
{
    return c->newest - c->gap_at >= c->gap_for;
}

void cap_state(cap_t *c, uint64_t number, bool proven)
{
    c->newest = number > c->newest ? number : c->newest;
    const uint64_t depth = behind(c, number);
    if (proven) {
        c->reach = depth > c->reach ? depth : c->reach;
        c->gap = c->gap > c->reach ? c->gap : 0;
        return;
    }
    if (!depth) /* it is not its age */
        return;
    const bool old = c->gap && is_old(c);
    if (old && c->gap_for < GAP_BLOCKS_MAX)
        c->gap_for *= 2;
    c->gap = !c->gap || depth < c->gap || old ? depth : c->gap;
    c->gap_at = c->newest;
    c->reach = c->reach < c->gap ? c->reach : c->gap - 1;
}

bool cap_reaches(const cap_t *c, uint64_t number)
{
    return !c->gap || behind(c, number) < c->gap || is_old(c);
}

bool cap_plain(cap_t *c)
{
    const bool plain = c->plain > 0;
    c->plain = (uint16_t)(c->plain - plain);
    return plain;
}

void cap_misread(cap_t *c)
{
    if (c->plain) /* it was on its way when that was learned */
        return;
    c->plain_wait = (uint16_t)(!c->plain_wait ? PLAIN_WAIT : c->plain_wait < UNTIL_MAX ? 2 * c->plain_wait : UNTIL_MAX);
    c->plain = c->plain_wait;
}

int cap_route(cap_t *c, unsigned kind)
{
    cap_route_t *r = &c->routes[kind];
    if (r->as != ROUTE_ANY && !r->left--)
        r->as = ROUTE_ANY;
    return (int)r->as;
}

void cap_json(cap_t *c, unsigned kind, bool good)
{
    cap_route_t *r = &c->routes[kind];
    const uint16_t least = good ? JSON_WAIT : SSZ_WAIT;
    if (r->as == ROUTE_JSON) {
        r->as = good ? ROUTE_JSON : ROUTE_ANY; /* SSZ may be the better one again */
        return;
    }
    r->wait = (uint16_t)(r->wait < least ? least : r->wait < UNTIL_MAX ? 2 * r->wait : UNTIL_MAX);
    r->left = r->wait;
    r->as = good ? ROUTE_JSON : ROUTE_SSZ;
}
