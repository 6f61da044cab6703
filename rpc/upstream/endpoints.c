#include "rpc/upstream/endpoints.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "http/client.h"
#include "rpc/upstream/lie.h"
#include "rpc/upstream/pace.h"
#include "rpc/upstream/secrets.h"

#define BACKOFF_MS 250u
#define BACKOFF_WRONG_MS 4000u
#define BACKOFF_MAX_MS 30000u
#define BACKOFF_LATE_MAX_MS 800u
#define BACKOFF_BUSY_MAX_MS 4000u /* of who has enough for now, and does not say for how long */

#define BUSY_MAX 8u
#define CALM 16u /* answers in a row after which it is a little less busy */

#define SLOW_TIMES 3u   /* slower than the fastest, */
#define SLOW_MS 100u    /* ... and this */
#define TRIAL_MS 60000u /* until who is slow goes first again, or is asked for an access list once more */
#define PATIENCE_MIN_MS 200u
#define PATIENCE_UNKNOWN_MS 1000u
#define HEDGE_EVERY 20u    /* requests for one that is asked twice, */
#define HEDGE_SAVED_MAX 4u /* ... of which so many may come at once */

typedef struct {
    char *url;
    up_status_t status;     /* its url points to the one above */
    unsigned streak;        /* failures since the last success */
    unsigned busy, calm;    /* how often it was asked too often lately, and answers since it was */
    uint64_t wait_until_ms; /* it asked not to be asked before; 0: it did not */
    unsigned hints_late;    /* access lists in a row that were waited for in vain, */
    uint64_t hint_ms;       /* ... and when it may be asked for one again */
    cap_t can;
    pace_t pace;
    uint64_t trial_ms;   /* when it may go first again, if it is slow */
    size_t place;        /* in the operator's order */
    uint64_t retired_ms; /* when it retired */
    char *led;           /* where it led a POST last; NULL: nowhere, */
    bool led_on;         /* ... and still does, */
    bool led_for_good;   /* ... also when long has passed since */
    uint64_t led_ms;     /* ... then */
    ledger_t ledger;     /* needs no lock */
} endpoint_t;

struct up {
    pthread_mutex_t lock; /* all of at but the urls, which change only where nobody looks */
    atomic_size_t count;
    const char *ca_file, *key;
    up_lie_fn take_lie; /* constant, with its */
    void *take_ctx;
    unsigned saved;  /* requests that were not asked twice */
    uint64_t newest; /* block that is verified */
    endpoint_t at[UP_ENDPOINTS_MAX];
};

/* Makes an endpoint of a URL, which it takes. */
static void begin(endpoint_t *e, char *take_url, size_t place)
{
    free(e->url);
    e->url = take_url;
    e->status = (up_status_t){ .url = e->url };
    e->streak = 0;
    e->wait_until_ms = e->trial_ms = e->retired_ms = e->hint_ms = 0;
    e->busy = e->calm = e->hints_late = 0;
    e->pace = (pace_t){ 0 };
    free(e->led);
    e->led = NULL;
    e->led_on = false;
    e->place = place;
    cap_init(&e->can);
    hc_url_origin(e->status.origin, sizeof e->status.origin, e->url);
}

up_t *up_new(const char *const *urls, size_t count)
{
    up_t *u;
    if (count > UP_ENDPOINTS_MAX)
        return NULL;
    u = calloc(1, sizeof *u);
    if (!u)
        return NULL;
    pthread_mutex_init(&u->lock, NULL);
    u->count = count;
    u->key = "execution_rpc";
    u->saved = HEDGE_EVERY;
    for (size_t i = 0; i < count; i++) {
        char *url = strdup(urls[i]);
        if (!url) {
            up_free(u);
            return NULL;
        }
        begin(&u->at[i], url, i);
    }
    return u;
}

size_t up_count(const up_t *u)
{
    return atomic_load(&u->count);
}

bool up_is_retired(up_t *u, size_t i)
{
    pthread_mutex_lock(&u->lock);
    const bool retired = u->at[i].status.retired;
    pthread_mutex_unlock(&u->lock);
    return retired;
}

/* ---- other endpoints ---- */

/* The number of one that retired so long ago that nothing is under way with it, and that is not taken; used: there is
 * none. With the lock held. */
static size_t old_number(const up_t *u, const bool taken[UP_ENDPOINTS_MAX], size_t used, uint64_t now_ms)
{
    size_t k = 0;
    while (k < used && (taken[k] || !u->at[k].status.retired || now_ms - u->at[k].retired_ms < UP_RETIRED_MS))
        k++;
    return k;
}

/* Who gets which number: chosen[i] of urls[i]. With the lock held. False: there are not enough. */
static bool choose(const up_t *u, size_t chosen[UP_ENDPOINTS_MAX], const char *const *urls, size_t count,
                   uint64_t now_ms)
{
    bool taken[UP_ENDPOINTS_MAX] = { false };
    const size_t used = u->count;
    for (size_t i = 0; i < count; i++) {
        size_t k = 0;
        while (k < used && (taken[k] || strcmp(u->at[k].url, urls[i]) != 0))
            k++;
        chosen[i] = k < used ? k : UP_ENDPOINTS_MAX;
        if (k < used)
            taken[k] = true;
    }
    for (size_t i = 0, next = used; i < count; i++) {
        if (chosen[i] != UP_ENDPOINTS_MAX)
            continue;
        const bool is_new = next < UP_ENDPOINTS_MAX;
        const size_t k = is_new ? next++ : old_number(u, taken, used, now_ms);
        if (!is_new && k == used)
            return false;
        taken[k] = true;
        chosen[i] = k;
    }
    return true;
}

bool up_has_numbers(up_t *u, const char *const *urls, size_t count, uint64_t now_ms)
{
    size_t chosen[UP_ENDPOINTS_MAX];
    pthread_mutex_lock(&u->lock);
    const bool has = count <= UP_ENDPOINTS_MAX && choose(u, chosen, urls, count, now_ms);
    pthread_mutex_unlock(&u->lock);
    return has;
}

/* With the lock held. Takes the copies that are used, and leaves NULL in their place. */
static void put_in_place(up_t *u, const size_t chosen[UP_ENDPOINTS_MAX], char *copies[UP_ENDPOINTS_MAX], size_t count,
                         uint64_t now_ms)
{
    size_t used = u->count;
    for (size_t k = 0; k < used; k++) {
        endpoint_t *e = &u->at[k];
        if (!e->status.retired)
            e->retired_ms = now_ms;
        e->status.retired = true;
    }
    for (size_t i = 0; i < count; i++) {
        endpoint_t *e = &u->at[chosen[i]];
        if (chosen[i] >= used || strcmp(e->url, copies[i]) != 0) {
            begin(e, copies[i], i);
            copies[i] = NULL;
        }
        e->status.retired = false;
        e->place = i;
        if (chosen[i] + 1 > u->count)
            atomic_store(&u->count, chosen[i] + 1);
    }
    for (size_t k = 0; k < used; k++)
        u->at[k].led_on &= !u->at[k].status.retired;
}

rc_t up_replace(up_t *u, const char *const *urls, size_t count, uint64_t now_ms)
{
    size_t chosen[UP_ENDPOINTS_MAX];
    char *copies[UP_ENDPOINTS_MAX] = { NULL };
    rc_t rc = count > UP_ENDPOINTS_MAX ? RC_LIMIT : RC_OK;
    for (size_t i = 0; i < count && !rc; i++)
        rc = (copies[i] = strdup(urls[i])) ? RC_OK : RC_NOMEM;
    pthread_mutex_lock(&u->lock);
    if (!rc && !choose(u, chosen, urls, count, now_ms))
        rc = RC_LIMIT;
    if (!rc)
        put_in_place(u, chosen, copies, count, now_ms);
    pthread_mutex_unlock(&u->lock);
    for (size_t i = 0; i < UP_ENDPOINTS_MAX; i++)
        free(copies[i]);
    return rc;
}

ledger_t *up_ledger(up_t *u, size_t i)
{
    return &u->at[i].ledger;
}

void up_free(up_t *u)
{
    if (!u)
        return;
    for (size_t i = 0; i < UP_ENDPOINTS_MAX; i++) {
        free(u->at[i].url);
        free(u->at[i].led);
    }
    pthread_mutex_destroy(&u->lock);
    free(u);
}

void up_trust(up_t *u, const char *ca_file)
{
    u->ca_file = ca_file;
}

void up_call(up_t *u, const char *key)
{
    u->key = key;
}

const char *up_key(const up_t *u)
{
    return u->key;
}

const char *up_ca_file(const up_t *u)
{
    return u->ca_file;
}

/* When it may be asked: an answer that came meanwhile ends a back-off, but not what the endpoint asked for. */
static uint64_t ready_ms(const endpoint_t *e)
{
    return e->status.retry_at_ms > e->wait_until_ms ? e->status.retry_at_ms : e->wait_until_ms;
}

static bool ready(const endpoint_t *e, uint64_t now_ms)
{
    return ready_ms(e) <= now_ms;
}

/* The mean of the fastest that may be asked, and has answered; UINT32_MAX: of none is known. */
static uint32_t fastest_ms(const up_t *u, uint64_t now_ms)
{
    uint32_t best = UINT32_MAX;
    for (size_t i = 0; i < u->count; i++) {
        const pace_t *p = &u->at[i].pace;
        if (!u->at[i].status.retired && p->known && !p->at_least && ready(&u->at[i], now_ms) && pace_mean_ms(p) < best)
            best = pace_mean_ms(p);
    }
    return best;
}

static bool is_slow(const endpoint_t *e, uint32_t fastest)
{
    return e->pace.known && fastest != UINT32_MAX && pace_mean_ms(&e->pace) > SLOW_TIMES * fastest + SLOW_MS;
}

/* Where an endpoint stands: 0: it may be asked now; 1: it may, but is slow; more: the time at which it may be asked.
 * Who is slow is tried again when another one may be asked beside it. */
static uint64_t standing(const up_t *u, endpoint_t *e, uint32_t fastest, uint64_t now_ms)
{
    if (!ready(e, now_ms))
        return ready_ms(e) + 1;
    if (!is_slow(e, fastest) || now_ms < e->trial_ms || u->saved < HEDGE_EVERY)
        return is_slow(e, fastest);
    e->trial_ms = now_ms + TRIAL_MS;
    return 0;
}

size_t up_order(up_t *u, size_t out[UP_ENDPOINTS_MAX], uint64_t now_ms)
{
    uint64_t stands[UP_ENDPOINTS_MAX];
    size_t n = 0;
    pthread_mutex_lock(&u->lock);
    const uint32_t fastest = fastest_ms(u, now_ms);
    for (size_t i = 0; i < u->count; i++) { /* insertion sort: the operator's order decides among equals */
        size_t at = n;
        if (u->at[i].status.retired)
            continue;
        stands[i] = standing(u, &u->at[i], fastest, now_ms);
        while (at && (stands[out[at - 1]] > stands[i] ||
                      (stands[out[at - 1]] == stands[i] && u->at[out[at - 1]].place > u->at[i].place))) {
            out[at] = out[at - 1];
            at--;
        }
        out[at] = i;
        n++;
    }
    pthread_mutex_unlock(&u->lock);
    return n;
}

size_t up_order_ready(up_t *u, size_t out[UP_ENDPOINTS_MAX], uint64_t now_ms)
{
    const size_t all = up_order(u, out, now_ms);
    size_t n = 0;
    for (size_t i = 0; i < all; i++)
        if (!up_wait_ms(u, out[i], now_ms))
            out[n++] = out[i];
    return n ? n : all; /* none was moved */
}

void up_took(up_t *u, size_t i, uint32_t ms, bool whole, uint64_t now_ms)
{
    endpoint_t *e = &u->at[i];
    pthread_mutex_lock(&u->lock);
    (whole ? pace_took : pace_lasts)(&e->pace, ms);
    e->trial_ms = now_ms + TRIAL_MS;
    e->status.timed = e->pace.known;
    e->status.mean_ms = pace_mean_ms(&e->pace);
    pthread_mutex_unlock(&u->lock);
}

uint32_t up_usual_ms(up_t *u, size_t i)
{
    pthread_mutex_lock(&u->lock);
    const pace_t p = u->at[i].pace;
    pthread_mutex_unlock(&u->lock);
    const uint32_t usual = p.known ? pace_usual_ms(&p) : PATIENCE_UNKNOWN_MS;
    return usual > PATIENCE_MIN_MS ? usual : PATIENCE_MIN_MS;
}

uint32_t up_patience_ms(up_t *u, size_t i, uint64_t now_ms)
{
    const uint32_t usual = up_usual_ms(u, i);
    pthread_mutex_lock(&u->lock);
    const uint32_t fastest = fastest_ms(u, now_ms);
    const bool slow = is_slow(&u->at[i], fastest);
    pthread_mutex_unlock(&u->lock);
    const uint32_t most = slow ? SLOW_TIMES * fastest + SLOW_MS : usual, due = usual < most ? usual : most;
    return due > PATIENCE_MIN_MS ? due : PATIENCE_MIN_MS;
}

bool up_hedge(up_t *u, size_t i, uint64_t now_ms, unsigned requests)
{
    pthread_mutex_lock(&u->lock);
    const bool may = ready(&u->at[i], now_ms) && u->saved >= HEDGE_EVERY * requests;
    if (may)
        u->saved -= HEDGE_EVERY * requests;
    pthread_mutex_unlock(&u->lock);
    return may;
}

const char *up_url(const up_t *u, size_t i)
{
    return u->at[i].url;
}

const char *up_origin(const up_t *u, size_t i)
{
    return u->at[i].status.origin;
}

const char *up_led(up_t *u, arena_t *a, size_t i, uint64_t now_ms)
{
    const endpoint_t *e = &u->at[i];
    view_t place = { NULL, 0 };
    pthread_mutex_lock(&u->lock);
    if (e->led_on && (e->led_for_good || now_ms - e->led_ms < UP_LED_MS)) /* nor when the clock was set back */
        place = arena_dup(a, view_of(e->led, strlen(e->led) + 1));
    pthread_mutex_unlock(&u->lock);
    return (const char *)place.p;
}

void up_note_led(up_t *u, size_t i, const char *asked, hc_response_t *answer, uint64_t now_ms)
{
    endpoint_t *e = &u->at[i];
    pthread_mutex_lock(&u->lock);
    if (answer->led_failed && asked && e->led && !strcmp(e->led, asked))
        e->led_on = false;
    if (answer->led && !e->status.retired) {
        free(e->led);
        e->led = answer->led;
        answer->led = NULL;
        e->led_on = true;
        e->led_for_good = answer->led_for_good;
        e->led_ms = now_ms;
    }
    pthread_mutex_unlock(&u->lock);
}

static void hide(up_t *u, size_t i, char *text, void (*blank)(char *text, const char *url))
{
    blank(text, up_url(u, i));
    pthread_mutex_lock(&u->lock);
    if (u->at[i].led)
        blank(text, u->at[i].led);
    pthread_mutex_unlock(&u->lock);
}

void up_hide(up_t *u, size_t i, char *text)
{
    hide(u, i, text, secrets_hide);
}

void up_hide_place(up_t *u, size_t i, char *text)
{
    hide(u, i, text, secrets_hide_place);
}

/* FNV-1a of who failed, how often and when: spreads the retries of nodes that share an endpoint, without a random
 * source. */
static uint64_t spread(const endpoint_t *e, uint64_t now_ms)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (const char *p = e->url; *p; p++)
        h = (h ^ (uint8_t)*p) * 0x100000001b3u;
    for (unsigned i = 0; i < 8; i++)
        h = (h ^ (uint8_t)(now_ms >> 8 * i)) * 0x100000001b3u;
    h = (h ^ e->streak) * 0x100000001b3u;
    return h ^ h >> 32;
}

/* 3/4 to 5/4 of the doubled base, at most BACKOFF_MAX_MS, at least what the endpoint asked for. */
static uint64_t backoff_ms(const endpoint_t *e, unsigned streak, rc_t rc, uint32_t retry_after_ms, uint64_t now_ms)
{
    const uint64_t base = rc == RC_REFUSED || rc == RC_REPLAY ? BACKOFF_WRONG_MS : BACKOFF_MS;
    const uint64_t most = rc == RC_NEED_DATA ? BACKOFF_LATE_MAX_MS
                          : retry_after_ms   ? BACKOFF_BUSY_MAX_MS
                                             : BACKOFF_MAX_MS;
    uint64_t wait = base << (streak - 1 < 8 ? streak - 1 : 8);
    if (wait > most)
        wait = most;
    wait = wait * 3 / 4 + spread(e, now_ms) % (wait / 2 + 1);
    if (wait > most)
        wait = most;
    return wait < retry_after_ms ? retry_after_ms : wait;
}

/* With the lock held. */
static void count_newer(up_status_t *s, const char *reason)
{
    s->newer++;
    snprintf(s->newer_reason, sizeof s->newer_reason, "%s", reason);
}

/* The four sorts. With the lock held. */
static void count(up_status_t *s, rc_t rc, const char *reason)
{
    s->failures++;
    switch (rc) {
    case RC_REFUSED: s->lies++; break;
    case RC_NEED_DATA: s->late++; break;
    case RC_UNSUPPORTED: count_newer(s, reason); break;
    default: s->unusable++;
    }
}

bool up_claims_newer(up_t *u, size_t i, const char *reason)
{
    up_status_t *s = &u->at[i].status;
    char safe[UP_REASON_MAX];
    snprintf(safe, sizeof safe, "%s", reason);
    up_hide(u, i, safe);
    pthread_mutex_lock(&u->lock);
    const bool other = strcmp(s->newer_reason, safe) != 0;
    count_newer(s, safe);
    pthread_mutex_unlock(&u->lock);
    return other;
}

/* Whoever answers for a while is not busy any more. */
static void note_calm(endpoint_t *e)
{
    if (++e->calm < CALM)
        return;
    e->calm = 0;
    e->busy -= e->busy > 0;
}

void up_report(up_t *u, size_t i, rc_t rc, const char *reason, uint32_t retry_after_ms, uint64_t now_ms)
{
    endpoint_t *e = &u->at[i];
    up_status_t *s = &e->status;
    char safe[UP_REASON_MAX];
    snprintf(safe, sizeof safe, "%s", reason && reason[0] ? reason : rc_name(rc));
    if (rc)
        up_hide(u, i, safe);
    pthread_mutex_lock(&u->lock);
    s->requests++;
    if (u->saved < HEDGE_SAVED_MAX * HEDGE_EVERY)
        u->saved++;
    if (rc == RC_OK) {
        e->streak = 0;
        s->failing = false;
        s->retry_at_ms = 0;
        note_calm(e);
    } else {
        if (e->streak < UINT32_MAX)
            e->streak++;
        e->led_on &= rc == RC_NEED_DATA || rc == RC_UNSUPPORTED;
        e->busy += retry_after_ms && e->busy < BUSY_MAX;
        e->calm = 0;
        const uint64_t wait_ms = now_ms + backoff_ms(e, e->streak, rc, retry_after_ms, now_ms);
        const uint64_t others_ms =
            e->busy > e->streak ? now_ms + backoff_ms(e, e->busy, rc, retry_after_ms, now_ms) : 0;
        const uint64_t retry_at_ms = wait_ms > others_ms ? wait_ms : others_ms;
        count(s, rc, safe);
        s->failing = true;
        s->failed_at_ms = now_ms;
        if (retry_at_ms > s->retry_at_ms) /* never shorten what an earlier report asked for */
            s->retry_at_ms = retry_at_ms;
        if (retry_after_ms && wait_ms > e->wait_until_ms)
            e->wait_until_ms = wait_ms;
        memcpy(s->reason, safe, sizeof safe);
    }
    pthread_mutex_unlock(&u->lock);
}

uint64_t up_wait_ms(up_t *u, size_t i, uint64_t now_ms)
{
    pthread_mutex_lock(&u->lock);
    const uint64_t until = u->at[i].wait_until_ms;
    pthread_mutex_unlock(&u->lock);
    return until > now_ms ? until - now_ms : 0;
}

void up_note_wait(up_t *u, size_t i, uint32_t ms, uint64_t now_ms)
{
    endpoint_t *e = &u->at[i];
    pthread_mutex_lock(&u->lock);
    if (now_ms + ms > e->wait_until_ms)
        e->wait_until_ms = now_ms + ms;
    pthread_mutex_unlock(&u->lock);
}

cap_t up_capability(up_t *u, size_t i)
{
    pthread_mutex_lock(&u->lock);
    const cap_t c = u->at[i].can;
    pthread_mutex_unlock(&u->lock);
    return c;
}

int up_learn(up_t *u, size_t i, int (*learn)(cap_t *c, void *ctx), void *ctx)
{
    pthread_mutex_lock(&u->lock);
    const int got = learn(&u->at[i].can, ctx);
    pthread_mutex_unlock(&u->lock);
    return got;
}

bool up_plain(up_t *u, size_t i)
{
    pthread_mutex_lock(&u->lock);
    const bool plain = cap_plain(&u->at[i].can);
    pthread_mutex_unlock(&u->lock);
    return plain;
}

void up_note_coding(up_t *u, size_t i, const hc_response_t *answer)
{
    pthread_mutex_lock(&u->lock);
    if (answer->misread)
        cap_misread(&u->at[i].can);
    pthread_mutex_unlock(&u->lock);
}

bool up_hints(up_t *u, size_t i, uint64_t now_ms)
{
    pthread_mutex_lock(&u->lock);
    const endpoint_t *e = &u->at[i];
    const bool gives = !e->can.form.no_hint && ready(e, now_ms) && e->hint_ms <= now_ms;
    pthread_mutex_unlock(&u->lock);
    return gives;
}

void up_hinted(up_t *u, size_t i, bool answered, uint64_t now_ms)
{
    endpoint_t *e = &u->at[i];
    pthread_mutex_lock(&u->lock);
    if (answered) {
        e->hints_late = 0;
        e->hint_ms = 0;
    } else if (e->hint_ms <= now_ms) { /* else several waited for the same */
        const uint64_t wait = (uint64_t)UP_HINT_LATE_MS << e->hints_late;
        e->hints_late += e->hints_late < 4;
        e->hint_ms = now_ms + (wait < TRIAL_MS ? wait : TRIAL_MS);
    }
    pthread_mutex_unlock(&u->lock);
}

void up_order_state(up_t *u, size_t order[UP_ENDPOINTS_MAX], size_t count, uint64_t number)
{
    size_t others[UP_ENDPOINTS_MAX], kept = 0, moved = 0;
    pthread_mutex_lock(&u->lock);
    for (size_t i = 0; i < count; i++)
        if (cap_reaches(&u->at[order[i]].can, number))
            order[kept++] = order[i];
        else
            others[moved++] = order[i];
    pthread_mutex_unlock(&u->lock);
    for (size_t i = 0; i < moved; i++)
        order[kept + i] = others[i];
}

void up_note_block(up_t *u, uint64_t number)
{
    pthread_mutex_lock(&u->lock);
    u->newest = number > u->newest ? number : u->newest;
    pthread_mutex_unlock(&u->lock);
}

bool up_is_recent(up_t *u, uint64_t number)
{
    pthread_mutex_lock(&u->lock);
    const uint64_t newest = u->newest;
    pthread_mutex_unlock(&u->lock);
    return number >= newest || newest - number < UP_RECENT_BLOCKS;
}

void up_on_lie(up_t *u, up_lie_fn take, void *ctx)
{
    u->take_lie = take;
    u->take_ctx = ctx;
}

bool up_keeps_lies(const up_t *u)
{
    return u->take_lie != NULL;
}

void up_lied(up_t *u, size_t i, struct lie *lie)
{
    if (!u->take_lie)
        return;
    if (lie->answer.n)
        up_hide(u, i, (char *)(uintptr_t)lie->answer.p);
    u->take_lie(u->take_ctx, i, lie);
}

void up_note_date(up_t *u, size_t i, int64_t date_ms)
{
    pthread_mutex_lock(&u->lock);
    u->at[i].status.dated = true;
    u->at[i].status.date_ms = date_ms;
    pthread_mutex_unlock(&u->lock);
}

size_t up_snapshot(up_t *u, up_status_t out[UP_ENDPOINTS_MAX])
{
    pthread_mutex_lock(&u->lock);
    const size_t n = u->count;
    for (size_t i = 0; i < n; i++)
        out[i] = u->at[i].status;
    pthread_mutex_unlock(&u->lock);
    return n;
}
