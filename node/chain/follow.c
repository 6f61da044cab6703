#include "node/chain/follow.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/os/log.h"
#include "base/os/worker.h"
#include "node/chain/age.h"
#include "node/chain/journal.h"
#include "rpc/upstream/beacon.h"
#include "rpc/upstream/heard.h"
#include "rpc/upstream/lie.h"

#define WANTS_MAX 8u
#define ARENA_MAX ((size_t)64 << 20) /* bytes: the largest answer as JSON tree and as SSZ */
#define URL_MAX 1400u
#define MEMBERS_MAX 4u /* that are asked for one thing, one after another */

#define LONG_PATIENCE_MS 4000u /* with what is more than updates of the head, before another one is asked */

#define STOP_LOOK_MS 50 /* between looks whether it is to stop, while one that was asked beside another is waited for */

#define SERVED_AGAIN_MS 1000u /* before the block of an unserved head is asked for again */
#define NOBODY SIZE_MAX

#define LIE_ARENA_MAX ((size_t)1 << 20)

#define TURN_MIN_MS 5u    /* between two looks at the machine */
#define TURN_MAX_MS 1000u /* somebody may set the clock meanwhile */

struct follow {
    follow_config_t config;
    lc_sync_t *sync;           /* the follower's thread only */
    journal_t journal;         /* likewise */
    worker_t *self;            /* the follower's thread only: its own */
    size_t asked;              /* likewise: the endpoint whose answer is taken; NOBODY: none */
    uint32_t stale[WANTS_MAX]; /* likewise: bits of those that had nothing new in this turn */
    bool complained;           /* likewise: of an endpoint, in this turn */
    pthread_mutex_t lock;      /* guards what follows */
    worker_t *worker;          /* NULL: it was ended */
    heads_t heads;
    struct {
        bool out;        /* its header is being fetched */
        hash32_t hash;   /* of the block of an unserved head */
        uint64_t due_ms; /* not to be asked for before; monotonic */
    } unserved;
    follow_view_t view;
};

static bool stopping(void *ctx)
{
    follow_t *f = ctx;
    return worker_stopping(f->self);
}

/* "", or the sentence that /v1/status shows. */
static void set_trouble(follow_t *f, const char *text)
{
    pthread_mutex_lock(&f->lock);
    snprintf(f->view.trouble, sizeof f->view.trouble, "%.239s", text);
    pthread_mutex_unlock(&f->lock);
}

static uint64_t now_ms(const follow_t *f)
{
    return timekeeper_follow_ms(f->config.time);
}

/* With the lock held. */
static void show_heads(follow_t *f)
{
    follow_view_t *v = &f->view;
    const uint64_t slot = v->latest.header.beacon.slot;
    const bool was_valid = v->latest.valid;
    v->latest = *heads_usable(&f->heads, HEAD_LATEST);
    v->finalized = *heads_usable(&f->heads, HEAD_FINALIZED);
    v->known = f->heads.way[HEAD_LATEST].known;
    if (v->latest.valid && (!was_valid || v->latest.header.beacon.slot != slot))
        v->latest_came_ms = timekeeper_read(f->config.time).raw_ms;
    if (f->heads.outdated.rc && !v->unsupported[0])
        snprintf(v->unsupported, sizeof v->unsupported, "%s", f->heads.outdated.text);
}

static void publish(follow_t *f)
{
    uint64_t now = now_ms(f);
    lc_head_t latest, finalized;
    lc_sync_latest(f->sync, &latest);
    lc_sync_finalized(f->sync, &finalized);
    pthread_mutex_lock(&f->lock);
    if (lc_sync_ahead(f->sync))
        snprintf(f->view.unsupported, sizeof f->view.unsupported,
                 "2/3 of the sync committee signed under the version of %s, which by this schedule has not begun",
                 lc_sync_ahead(f->sync));
    heads_know(&f->heads, HEAD_LATEST, &latest);
    heads_know(&f->heads, HEAD_FINALIZED, &finalized);
    show_heads(f);
    const bool was_syncing = f->view.progress.state == LC_STATE_SYNCING;
    lc_sync_progress(f->sync, &f->view.progress, now);
    lc_progress_t p = f->view.progress;
    pthread_mutex_unlock(&f->lock);
    if (p.state == LC_STATE_SYNCING)
        log_progress("syncing: period %llu of %llu, finalized slot %llu", (unsigned long long)p.periods_done,
                     (unsigned long long)p.periods_total, (unsigned long long)p.finalized_slot);
    else if (was_syncing && p.state == LC_STATE_FOLLOWING)
        log_write(LOG_INFO, "synced", "period %llu of %llu, finalized slot %llu", (unsigned long long)p.periods_done,
                  (unsigned long long)p.periods_total, (unsigned long long)p.finalized_slot);
}

static const char *kind_name(lc_kind_t kind)
{
    switch (kind) {
    case LC_BOOTSTRAP: return "bootstrap";
    case LC_UPDATE: return "updates";
    case LC_FINALITY: return "finality_update";
    case LC_OPTIMISTIC: return "optimistic_update";
    }
    return "answer";
}

/* How an exchange about one want ended. */
typedef enum {
    ANSWER_NONE,  /* another endpoint may do better */
    ANSWER_STALE, /* nothing new, though the head lags: another endpoint may know more */
    ANSWER_TAKEN
} outcome_t;

/* What was signed tells the time, also where it moved nothing. */
static void note_seen(follow_t *f)
{
    const lc_network_t *net = f->config.network;
    lc_seen_t seen;
    lc_sync_seen(f->sync, &seen);
    if (seen.slot)
        timekeeper_header(f->config.time, lc_slot_start_ms(net, seen.slot), seen.participants,
                          net->preset.committee_size);
}

/* lc_sync_input, or lc_sync_offer. */
typedef rc_t (*take_fn)(lc_sync_t *s, unsigned *moved, err_t *e, lc_kind_t kind, lc_fork_t fork, view_t ssz,
                        uint64_t now_ms);

/* Feeds one object. RC_REPLAY: it brought nothing new, which e says nothing of. */
static rc_t feed_by(take_fn take, follow_t *f, err_t *e, const lc_want_t *want, const bn_object_t *object)
{
    unsigned moved = 0;
    lc_head_t head;
    if (object->newer) {
        lc_sync_look_ahead(f->sync, want->kind, object->fork, object->ssz, now_ms(f));
        return err_say(e, RC_UNSUPPORTED, "is of a fork that this build does not know");
    }
    rc_t rc = take(f->sync, &moved, e, want->kind, object->fork, object->ssz, now_ms(f));
    note_seen(f);
    if (rc_blames_input(rc) && rc != RC_REPLAY && f->config.network->fork_epoch[object->fork] == LC_EPOCH_NEVER)
        return err_set(e, RC_UNSUPPORTED, "is of %s, which this network has not scheduled", lc_fork_name(object->fork));
    if (rc)
        return rc;
    journal_note(&f->journal, want->kind, object->fork, object->ssz, moved);
    if (f->config.objects)
        objects_note(f->config.objects, want->kind, object->fork, object->ssz, &f->config.checkpoint);
    if (f->config.claims)
        claims_note(f->config.claims, f->sync, moved, want->kind, object->fork, object->ssz);
    lc_sync_latest(f->sync, &head);
    if (moved)
        publish(f);
    if ((moved & LC_MOVED_HEAD) && head.valid)
        log_write(LOG_DEBUG, "head", "slot %llu, %u signed", (unsigned long long)head.header.beacon.slot,
                  head.participants);
    return moved ? RC_OK : RC_REPLAY;
}

static rc_t feed(follow_t *f, err_t *e, const lc_want_t *want, const bn_object_t *object)
{
    return feed_by(lc_sync_input, f, e, want, object);
}

/* Hands over the record of an endpoint's lie. */
static void note_lie(follow_t *f, const lc_want_t *want, const bn_object_t *object, const err_t *why)
{
    arena_t a;
    lie_t lie;
    if (f->asked == NOBODY || !up_keeps_lies(f->config.upstream))
        return;
    lc_progress_t at;
    lc_sync_progress(f->sync, &at, now_ms(f));
    arena_init(&a, LIE_ARENA_MAX);
    if (!lie_of_object(&lie, NULL, &a, want, object->fork, object->ssz, &f->config.checkpoint, lc_sync_store(f->sync),
                       at.current_slot + LC_SLOTS_AHEAD)) {
        lie.reason = view_str(why->text);
        up_lied(f->config.upstream, f->asked, &lie);
    }
    arena_free(&a);
}

/* Feeds the objects of one answer until one is refused. RC_REPLAY: none brought anything new. */
static rc_t feed_all(follow_t *f, bool *too_old, err_t *e, const lc_want_t *want, const bn_object_t *objects,
                     size_t count)
{
    size_t replayed = 0;
    for (size_t i = 0; i < count; i++) {
        rc_t rc = feed(f, e, want, &objects[i]);
        *too_old = rc == RC_LIMIT;
        replayed += rc == RC_REPLAY;
        if (rc == RC_REFUSED)
            note_lie(f, want, &objects[i], e);
        if (rc && rc != RC_REPLAY)
            return rc;
    }
    return replayed == count ? RC_REPLAY : RC_OK;
}

/* Decodes and feeds the body of a 200 answer. */
static rc_t take_body(follow_t *f, bool *too_old, err_t *e, arena_t *a, const lc_want_t *want, const hc_response_t *r)
{
    size_t count = 0;
    const char *version = r->consensus_version[0] ? r->consensus_version : NULL;
    bn_object_t *objects = arena_calloc(a, LC_UPDATES_PER_REQUEST_MAX, sizeof *objects);
    if (!objects)
        return err_say(e, RC_NOMEM, "out of memory");
    rc_t rc = bn_decode(objects, &count, e, a, f->config.network, want, r->content_type, version,
                        view_of(r->body, r->body_len));
    if (rc)
        return err_before(e, rc, "%s: ", *e->field ? e->field : "answer");
    if (count == 0)
        return err_set(e, RC_NEED_DATA, "has no update of period %llu", (unsigned long long)want->period);
    uint64_t first;
    if (want->kind == LC_UPDATE && bn_period(&first, f->config.network, &objects[0]) && first > want->period)
        return err_set(e, RC_NEED_DATA,
                       "has no update of period %llu, its first is %llu: use a newer checkpoint or another endpoint",
                       (unsigned long long)want->period, (unsigned long long)first);
    return feed_all(f, too_old, e, want, objects, count);
}

/* Says what a status other than 200 means. */
static rc_t refuse_status(err_t *e, lc_kind_t kind, const hc_response_t *r)
{
    if (r->status == 404 && kind == LC_BOOTSTRAP)
        return err_say(e, RC_IO,
                       "HTTP status 404: it has no light-client data for this checkpoint: no block that it knows, not "
                       "the first of its epoch, older than it keeps, or these routes are off");
    return err_set(e, RC_IO, "HTTP status %d%s", r->status, r->moved[0] ? ": it has moved" : "");
}

/* Takes the answer of one endpoint. RC_REPLAY: it brought nothing new. *too_old: the checkpoint is, which is the
 * operator's matter and not the endpoint's. */
static rc_t take_answer(follow_t *f, bool *too_old, err_t *e, const lc_want_t *want, const hc_response_t *r)
{
    arena_t a;
    *too_old = false;
    if (r->why.rc)
        return err_say(e, r->why.rc, r->why.text);
    if (r->status != 200)
        return refuse_status(e, want->kind, r);
    arena_init(&a, ARENA_MAX);
    rc_t rc = take_body(f, too_old, e, &a, want, r);
    arena_free(&a);
    return rc;
}

/* Whether an answer of this kind ought to have brought something new, so that another endpoint may know more. */
static bool is_behind(const follow_t *f, lc_kind_t kind)
{
    uint64_t now = now_ms(f);
    lc_head_t head;
    lc_progress_t progress;
    if (kind == LC_OPTIMISTIC || kind == LC_FINALITY) {
        kind == LC_FINALITY ? lc_sync_finalized(f->sync, &head) : lc_sync_latest(f->sync, &head);
        return age_lags(f->config.network, kind, &head, now);
    }
    lc_sync_progress(f->sync, &progress, now);
    return progress.state == LC_STATE_SYNCING;
}

/* Tells the endpoints' order, the log and the status of an answer that was not taken. */
static void complain(follow_t *f, size_t endpoint, const err_t *why, lc_kind_t kind, bool too_old,
                     const hc_response_t *r)
{
    const bool nobodys = too_old || why->rc == RC_NEED_DATA; /* the updates that it waits for are wanted already */
    err_t reason, line;
    char heard[HEARD_MAX + 1];
    heard_of(heard, r, NULL);
    up_hide(f->config.upstream, endpoint, heard);
    err_set(&reason, why->rc, "%s: %s", kind_name(kind), why->text);
    up_hide(f->config.upstream, endpoint, reason.text);
    err_set(&line, why->rc, "consensus_rpc[%zu]: %s", endpoint, reason.text);
    up_report(f->config.upstream, endpoint, nobodys ? RC_OK : why->rc, reason.text, r->retry_after_ms,
              clock_monotonic_ms());
    if (why->rc == RC_NEED_DATA && kind != LC_UPDATE)
        return;
    log_write(rc_blames_input(why->rc) && !nobodys ? LOG_WARN : LOG_INFO, "beacon", "%s: %s%s%s",
              up_origin(f->config.upstream, endpoint), line.text, heard_word(heard), heard);
    set_trouble(f, too_old ? why->text : line.text);
    f->complained = true;
    if (f->config.objects)
        objects_say(f->config.objects, line.text); /* for members that rest on this node's endpoints */
}

/* What the endpoint takes for the time: seconds, so in the mean half of one more. */
static void note_date(follow_t *f, size_t endpoint, int64_t date_s)
{
    up_status_t rows[UP_ENDPOINTS_MAX];
    if (!date_s || date_s > INT64_MAX / 1000 - 1)
        return;
    up_note_date(f->config.upstream, endpoint, date_s * 1000 + 500 - (int64_t)timekeeper_read(f->config.time).raw_ms);
    size_t n = up_snapshot(f->config.upstream, rows);
    pthread_mutex_lock(&f->lock);
    f->view.dates.known = true;
    f->view.dates.oldest_ms = INT64_MAX;
    f->view.dates.newest_ms = INT64_MIN;
    for (size_t i = 0; i < n; i++) {
        if (rows[i].retired)
            continue;
        if (rows[i].dated && rows[i].date_ms < f->view.dates.oldest_ms)
            f->view.dates.oldest_ms = rows[i].date_ms;
        if (rows[i].dated && rows[i].date_ms > f->view.dates.newest_ms)
            f->view.dates.newest_ms = rows[i].date_ms;
    }
    pthread_mutex_unlock(&f->lock);
}

static void note_head_answered(follow_t *f)
{
    pthread_mutex_lock(&f->lock);
    f->view.head_answered = true;
    pthread_mutex_unlock(&f->lock);
}

/* What came of an answer to the k-th want, for the endpoints' order, the log and the status. */
static void conclude(follow_t *f, outcome_t *answer, size_t endpoint, const lc_want_t *want, size_t k,
                     const hc_response_t *r, const err_t *e, bool too_old)
{
    const bool good = e->rc == RC_OK || e->rc == RC_REPLAY;
    if (good && want->kind == LC_OPTIMISTIC)
        note_head_answered(f);
    if (good)
        *answer = e->rc == RC_REPLAY && is_behind(f, want->kind) ? ANSWER_STALE : ANSWER_TAKEN;
    if (stopping(f))
        return; /* what was cancelled is nobody's failure */
    if (good && *answer == ANSWER_STALE)
        f->stale[k] |= 1u << endpoint;
    else if (good)
        up_report(f->config.upstream, endpoint, RC_OK, "", r->retry_after_ms, clock_monotonic_ms());
    else
        complain(f, endpoint, e, want->kind, too_old, r);
}

_Static_assert(UP_ENDPOINTS_MAX <= 32, "a bit for each endpoint");

/* Who had nothing new, though the head lags: late, if somebody else had; else the chain may stand. */
static void report_stale(follow_t *f, const lc_want_t *wants, const outcome_t *answers, size_t count)
{
    for (size_t k = 0; k < count && !stopping(f); k++)
        for (size_t i = 0; i < UP_ENDPOINTS_MAX; i++) {
            char why[UP_REASON_MAX];
            if (!(f->stale[k] >> i & 1))
                continue;
            snprintf(why, sizeof why, "%s: older than what another one has", kind_name(wants[k].kind));
            up_report(f->config.upstream, i, answers[k] == ANSWER_TAKEN ? RC_NEED_DATA : RC_OK, why, 0,
                      clock_monotonic_ms());
        }
}

_Static_assert(LC_OPTIMISTIC < CAP_ROUTES, "each kind of object has its route");

typedef struct {
    lc_kind_t kind;
    bool good;
} route_json_t;

/* Remembers how a route that was asked for JSON did. */
static int learn_json(cap_t *c, void *ctx)
{
    const route_json_t *told = ctx;
    cap_json(c, told->kind, told->good);
    return 0;
}

/* Updates of head and finality: asked for again and again, and all about as long. */
static bool is_of_head(lc_kind_t kind)
{
    return kind == LC_OPTIMISTIC || kind == LC_FINALITY;
}

/* One exchange with an endpoint. */
typedef struct exchange {
    hc_request_t requests[WANTS_MAX];
    hc_response_t responses[WANTS_MAX];
    char urls[WANTS_MAX][URL_MAX];
    size_t which[WANTS_MAX], n;
    int as[WANTS_MAX]; /* what cap_route said of each route */
    follow_t *follow;
    size_t endpoint, next; /* next: who is asked beside it when this one takes too long; NOBODY */
    const lc_want_t *wants;
    struct exchange *beside; /* with next: begun when n is not 0, */
    bool is_long;            /* more than updates of the head is asked for */
    uint64_t patience_ms;    /* ... by the monotonic clock */
    bool left;               /* nobody waited for its end: another one was faster */
    hc_group_t group;        /* of one beside another */
    pthread_mutex_t lock;    /* ... and of what follows */
    pthread_cond_t ended;
    bool has_ended;
} exchange_t;

static void add_request(exchange_t *x, up_t *upstream, size_t endpoint, const lc_want_t *want, size_t i, int as)
{
    char path[BN_PATH_MAX];
    bn_path(path, want);
    hc_url_join(x->urls[x->n], sizeof x->urls[x->n], up_url(upstream, endpoint), path);
    x->requests[x->n] = (hc_request_t){ .url = x->urls[x->n],
                                        .ca_file = up_ca_file(upstream),
                                        .plain = up_plain(upstream, endpoint),
                                        .accept = as == ROUTE_JSON ? BN_ACCEPT_JSON : BN_ACCEPT,
                                        .body_max = bn_body_max(want) };
    x->as[x->n] = as;
    x->which[x->n++] = i;
}

static uint32_t patience_ms(const exchange_t *x)
{
    const uint32_t usual = up_patience_ms(x->follow->config.upstream, x->endpoint, clock_monotonic_ms());
    return x->is_long && usual < LONG_PATIENCE_MS ? LONG_PATIENCE_MS : usual;
}

static int ask_route(cap_t *c, void *ctx)
{
    const lc_kind_t *kind = ctx;
    return cap_route(c, *kind);
}

/* Adds a want in the form in which an endpoint is asked for it. */
static void add_want(exchange_t *x, up_t *upstream, size_t endpoint, const lc_want_t *want, size_t i)
{
    x->is_long |= !is_of_head(want->kind);
    add_request(x, upstream, endpoint, want, i, up_learn(upstream, endpoint, ask_route, &(lc_kind_t){ want->kind }));
}

/* On the client's I/O thread. */
static void on_beside(void *ctx)
{
    exchange_t *x = ctx;
    pthread_mutex_lock(&x->lock);
    x->has_ended = true;
    pthread_cond_signal(&x->ended);
    pthread_mutex_unlock(&x->lock);
}

/* Asks the next endpoint for the same, beside an exchange that is slow. */
static void begin_beside(const exchange_t *x)
{
    exchange_t *b = x->beside;
    follow_t *f = x->follow;
    b->follow = f;
    b->endpoint = x->next;
    for (size_t k = 0; k < x->n; k++)
        add_want(b, f->config.upstream, x->next, &x->wants[x->which[k]], x->which[k]);
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->ended, NULL);
    hc_submit(f->config.http, &b->group, b->responses, b->requests, b->n, on_beside, b);
}

static bool has_ended(exchange_t *x)
{
    pthread_mutex_lock(&x->lock);
    const bool ended = x->has_ended;
    pthread_mutex_unlock(&x->lock);
    return ended;
}

/* Whether an exchange is waited for no longer: whoever was asked beside it has answered, or we stop. */
static bool is_left(void *ctx)
{
    exchange_t *x = ctx;
    up_t *u = x->follow->config.upstream;
    const uint64_t now = clock_monotonic_ms();
    if (x->left || stopping(x->follow))
        return true;
    if (x->next == NOBODY || now < x->patience_ms)
        return false;
    if (x->beside->n)
        return x->left = has_ended(x->beside);
    x->patience_ms = now + patience_ms(x);
    if (!up_is_retired(u, x->next) && up_hedge(u, x->next, now, (unsigned)x->n)) {
        x->patience_ms = now;
        begin_beside(x);
    }
    return false;
}

/* Waits for the end of one beside another; of use: else it is called back. */
static void end_beside(exchange_t *x, bool of_use)
{
    bool called_back = false;
    for (;;) {
        struct timespec until;
        if (!called_back && (!of_use || stopping(x->follow))) {
            x->left = called_back = true;
            hc_cancel(x->follow->config.http, &x->group);
        }
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += (until.tv_nsec += STOP_LOOK_MS * 1000000L) / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_mutex_lock(&x->lock);
        while (!x->has_ended && !pthread_cond_clockwait(&x->ended, &x->lock, CLOCK_MONOTONIC, &until))
            continue;
        const bool ended = x->has_ended;
        pthread_mutex_unlock(&x->lock);
        if (ended)
            break;
    }
    pthread_cond_destroy(&x->ended);
    pthread_mutex_destroy(&x->lock);
}

static void count_trip(follow_t *f)
{
    pthread_mutex_lock(&f->lock);
    f->view.round_trips++;
    pthread_mutex_unlock(&f->lock);
}

static void perform(follow_t *f, exchange_t *x, size_t endpoint, size_t next)
{
    x->follow = f;
    x->endpoint = endpoint;
    x->next = next;
    x->patience_ms = clock_monotonic_ms() + patience_ms(x);
    hc_perform(f->config.http, x->responses, x->requests, x->n, is_left, x);
    count_trip(f);
}

static void note_ledger(follow_t *f, size_t endpoint, lc_kind_t kind, const hc_response_t *r)
{
    ledger_t *l = up_ledger(f->config.upstream, endpoint);
    ledger_note_one(l, (size_t)kind, 0, r->body_len);
    if (r->why.rc || r->status != 200)
        return;
    spread_add(&l->took, r->elapsed_ms);
    if (is_of_head(kind))
        up_took(f->config.upstream, endpoint, r->elapsed_ms, true, clock_monotonic_ms());
}

/* Whether what came when JSON was asked for says anything of the form: not that it is busy, or cannot be reached.
 * second: after SSZ came to nothing. */
static bool tells_of_json(const hc_response_t *r, bool good, bool of_form, bool second)
{
    if (good || r->status == 200)
        return good || of_form;
    return second && bn_try_json(r->status, NULL);
}

/* Takes what came. What may do better in JSON is put into the next exchange (NULL: there is none). */
static void take_exchange(follow_t *f, exchange_t *next, outcome_t *answers, exchange_t *x, size_t endpoint,
                          const lc_want_t *wants)
{
    for (size_t k = 0; k < x->n; k++) {
        const lc_want_t *want = &wants[x->which[k]];
        const hc_response_t *r = &x->responses[k];
        up_note_coding(f->config.upstream, endpoint, r);
        if (answers[x->which[k]] == ANSWER_TAKEN) { /* from another one, which was faster */
            note_ledger(f, endpoint, want->kind, r);
            hc_response_clear(&x->responses[k]);
            continue;
        }
        if (x->left && r->why.rc == RC_TIMEOUT) { /* it is only slow */
            if (is_of_head(want->kind))
                up_took(f->config.upstream, endpoint, r->elapsed_ms, false, clock_monotonic_ms());
            hc_response_clear(&x->responses[k]);
            continue;
        }
        err_t e = { 0 };
        bool too_old = false;
        const bool again = next && x->as[k] == ROUTE_ANY && !r->why.rc && bn_try_json(r->status, r->content_type);
        f->asked = again ? NOBODY : endpoint; /* what is asked for once more is not held against it yet */
        e.rc = take_answer(f, &too_old, &e, want, r);
        f->asked = NOBODY;
        note_date(f, endpoint, r->date_s);
        note_ledger(f, endpoint, want->kind, r);
        const bool good = e.rc == RC_OK || e.rc == RC_REPLAY, of_form = rc_blames_input(e.rc) || r->status != 200;
        if (again && !good && of_form) {
            add_request(next, f->config.upstream, endpoint, want, x->which[k], ROUTE_JSON);
        } else {
            conclude(f, &answers[x->which[k]], endpoint, want, x->which[k], r, &e, too_old);
            if (x->as[k] == ROUTE_JSON && tells_of_json(r, good, of_form, !next))
                up_learn(f->config.upstream, endpoint, learn_json, &(route_json_t){ want->kind, good });
        }
        hc_response_clear(&x->responses[k]);
    }
}

/* Takes what came of an exchange, and asks once more in JSON where SSZ came to nothing. */
static void conclude_exchange(follow_t *f, outcome_t *answers, exchange_t *x, const lc_want_t *wants)
{
    exchange_t again = { .n = 0 };
    take_exchange(f, &again, answers, x, x->endpoint, wants);
    if (!again.n || stopping(f))
        return;
    perform(f, &again, x->endpoint, NOBODY);
    take_exchange(f, NULL, answers, &again, x->endpoint, wants);
}

static size_t open_wants(const outcome_t *answers, size_t count)
{
    size_t open = 0;
    for (size_t k = 0; k < count; k++)
        open += answers[k] != ANSWER_TAKEN;
    return open;
}

/* Asks one endpoint for all wants whose answer was not taken, and next beside it when it takes longer than it usually
 * does: what comes first is taken. *both: so it was. True: the first was left, as next had answered. */
static bool ask(follow_t *f, bool *both, outcome_t *answers, size_t endpoint, size_t next, const lc_want_t *wants,
                size_t count)
{
    exchange_t beside = { .n = 0 }, first = { .wants = wants, .beside = &beside };
    for (size_t i = 0; i < count; i++)
        if (answers[i] != ANSWER_TAKEN)
            add_want(&first, f->config.upstream, endpoint, &wants[i], i);
    perform(f, &first, endpoint, next);
    conclude_exchange(f, answers, &first, wants);
    *both = beside.n > 0;
    if (*both) {
        end_beside(&beside, open_wants(answers, count) > 0);
        count_trip(f);
        conclude_exchange(f, answers, &beside, wants);
    }
    return first.left;
}

/* Asks endpoints in their order until every want has its answer; those that were only slow once more, in the end. */
static void ask_in_order(follow_t *f, outcome_t *answers, const lc_want_t *wants, size_t count)
{
    size_t order[2 * UP_ENDPOINTS_MAX], left = count;
    size_t endpoints = up_order_ready(f->config.upstream, order, clock_monotonic_ms());
    const size_t all = endpoints;
    for (size_t i = 0; i < endpoints && left && !stopping(f); i++) {
        if (up_is_retired(f->config.upstream, order[i])) /* meanwhile: its number may soon be another one's */
            continue;
        bool both;
        if (ask(f, &both, answers, order[i], i + 1 < all ? order[i + 1] : NOBODY, wants, count))
            order[endpoints++] = order[i];
        i += both;
        left = open_wants(answers, count);
    }
}

/* ---- members ---- */

/* Takes what a member gave, as an endpoint's answer. */
static rc_t take_objects(follow_t *f, err_t *e, const lc_want_t *want, const follow_member_t *m)
{
    bn_object_t objects[LCDATA_OBJECTS_MAX];
    bool too_old;
    for (size_t i = 0; i < m->count; i++) {
        const view_t o = m->objects[i];
        if (o.n < 4 || lc_fork_from_digest(&objects[i].fork, f->config.network, o.p))
            return err_say(e, RC_UNSUPPORTED, "its fork digest is of no fork that this build knows");
        objects[i].ssz = view_of(o.p + 4, o.n - 4);
        objects[i].newer = false;
    }
    if (!m->count)
        return err_say(e, RC_NEED_DATA, m->why[0] ? m->why : "has none");
    return feed_all(f, &too_old, e, want, objects, m->count);
}

/* What is wrong with a member's answer, for the log and the status. */
static void blame_member(follow_t *f, const char *name, lc_kind_t kind, const err_t *why)
{
    err_t line;
    err_set(&line, why->rc, "member %.16s: %s: %.150s", name, kind_name(kind), why->text);
    log_write(rc_blames_input(why->rc) ? LOG_WARN : LOG_INFO, "member", "%s", line.text);
    set_trouble(f, line.text);
}

/* One member about one want. False: there are no more members. */
static bool ask_member(follow_t *f, outcome_t *answer, const lc_want_t *want, size_t nth)
{
    follow_member_t m;
    err_t e = { .rc = RC_OK };
    rc_t rc = f->config.member(f->config.member_ctx, &m, &e, want, nth, stopping, f);
    const bool is_there = rc != RC_NEED_DATA;
    if (!is_there && !nth && *answer == ANSWER_NONE && !up_count(f->config.upstream))
        set_trouble(f, "no member is connected, and there is no beacon API");
    if (!rc)
        rc = take_objects(f, &e, want, &m);
    const bool good = rc == RC_OK || rc == RC_REPLAY, stale = rc == RC_REPLAY && is_behind(f, want->kind);
    if (good && want->kind == LC_OPTIMISTIC)
        note_head_answered(f);
    if (good)
        *answer = stale ? ANSWER_STALE : ANSWER_TAKEN;
    if (stale)
        (void)err_say(&e, RC_NEED_DATA, m.why);
    if (is_there && !stopping(f) && (m.why[0] ? stale || !good : !good && (rc_blames_input(rc) || rc == RC_TIMEOUT)))
        blame_member(f, m.name, want->kind, &e);
    free(m.bytes);
    return is_there;
}

/* Asks members for what no endpoint gave. */
static void ask_members(follow_t *f, outcome_t *answers, const lc_want_t *wants, size_t count)
{
    for (size_t i = 0; i < count && f->config.member; i++) {
        size_t nth = 0;
        while (nth < MEMBERS_MAX && answers[i] != ANSWER_TAKEN && !stopping(f) &&
               ask_member(f, &answers[i], &wants[i], nth))
            nth++;
        if (nth && answers[i] == ANSWER_NONE && !f->view.trouble[0]) { /* written on this thread alone */
            err_t e;
            (void)err_set(&e, RC_NEED_DATA, "no member has the %s that is wanted", kind_name(wants[i].kind));
            set_trouble(f, e.text);
        }
    }
}

static void serve(follow_t *f, const lc_want_t *wants, size_t count)
{
    outcome_t answers[WANTS_MAX] = { ANSWER_NONE };
    size_t none = 0, stale = 0;
    f->complained = false;
    memset(f->stale, 0, sizeof f->stale);
    ask_in_order(f, answers, wants, count);
    ask_members(f, answers, wants, count);
    report_stale(f, wants, answers, count);
    for (size_t i = 0; i < count; i++) {
        if (answers[i] == ANSWER_NONE) {
            lc_sync_failed(f->sync, &wants[i], now_ms(f));
            none++;
        }
        stale += answers[i] == ANSWER_STALE;
    }
    if (!none && !f->complained && f->config.objects) /* what members gave speaks for no endpoint of ours */
        objects_say(f->config.objects, "");
    if (!none && !(stale && f->config.member))
        set_trouble(f, "");
    publish(f);
    if (f->config.on_change)
        f->config.on_change(f->config.on_change_ctx);
    journal_save(&f->journal, f->config.state_dir);
}

/* The machine's next turn on the monotonic clock: never far, since the host may move the system's. */
static uint64_t next_turn_ms(const follow_t *f, uint64_t wake_ms)
{
    uint64_t now = now_ms(f), wait = wake_ms > now ? wake_ms - now : 0;
    if (wait < TURN_MIN_MS)
        wait = TURN_MIN_MS;
    if (wait > TURN_MAX_MS)
        wait = TURN_MAX_MS;
    return clock_monotonic_ms() + wait;
}

/* Whether the header of an unserved head's block is to be fetched now. With the lock held. */
static bool wants_served(follow_t *f, hash32_t *hash, uint64_t *wake_ms)
{
    const uint64_t now = clock_monotonic_ms();
    if (!f->view.unserved || f->unserved.out || f->heads.way[HEAD_LATEST].fetched.valid)
        return false;
    if (f->unserved.due_ms > now) {
        *wake_ms = f->unserved.due_ms < *wake_ms ? f->unserved.due_ms : *wake_ms;
        return false;
    }
    f->unserved.out = true;
    *hash = f->unserved.hash;
    return true;
}

/* Has the headers fetched that heads lack. The monotonic time at which to look again. */
static uint64_t fetch_headers(follow_t *f)
{
    uint64_t wake_ms = UINT64_MAX;
    for (head_kind_t kind = 0; kind < HEADS && f->config.fetch; kind++) {
        hash32_t hash;
        bool raw;
        pthread_mutex_lock(&f->lock);
        const bool other = kind == HEAD_LATEST && f->unserved.out;
        bool due = !other && heads_want(&f->heads, &hash, &raw, kind, clock_monotonic_ms(), &wake_ms);
        if (!due && !other && kind == HEAD_LATEST && wants_served(f, &hash, &wake_ms)) {
            due = true;
            raw = false;
        }
        pthread_mutex_unlock(&f->lock);
        if (due)
            f->config.fetch(f->config.fetch_ctx, f, kind, &hash, raw);
    }
    return wake_ms;
}

void follow_header(follow_t *f, head_kind_t kind, const ex_header_t *header, const err_t *why, bool raw)
{
    err_t e = *why;
    pthread_mutex_lock(&f->lock);
    const bool of_unserved = kind == HEAD_LATEST && f->unserved.out;
    if (of_unserved) {
        f->unserved.out = false;
        f->unserved.due_ms = clock_monotonic_ms() + SERVED_AGAIN_MS;
        f->view.unserved &= !header;
        if (header)
            err_clear(&e);
    } else if (!header || heads_give(&f->heads, &e, kind, header))
        heads_failed(&f->heads, kind, raw, clock_monotonic_ms());
    else
        err_clear(&e);
    show_heads(f);
    snprintf(f->view.missing, sizeof f->view.missing, "%s", e.text);
    if (e.rc == RC_UNSUPPORTED)
        snprintf(f->view.unsupported, sizeof f->view.unsupported, "%s", e.text);
    if (f->worker)
        worker_wake(f->worker);
    pthread_mutex_unlock(&f->lock);
    if (f->config.on_change)
        f->config.on_change(f->config.on_change_ctx);
}

/* An object that a member claims something by: the same as an answer of an endpoint. */
static rc_t feed_claim(void *ctx, err_t *e, lc_kind_t kind, lc_fork_t fork, view_t ssz)
{
    const lc_want_t want = { .kind = kind };
    return feed_by(lc_sync_offer, ctx, e, &want, &(bn_object_t){ fork, ssz, false });
}

/* A member's head took the place of this one. */
static void look_whether_served(follow_t *f, const lc_head_t *was)
{
    lc_head_t head;
    lc_sync_latest(f->sync, &head);
    const uint64_t slot = head.header.beacon.slot;
    if (!was->valid || slot <= was->header.beacon.slot + FLOOR_BOUND_SLOTS || lc_header_by_hash(&head.header) ||
        !lc_proves_execution(f->config.network, slot) || !f->config.fetch)
        return; /* our first one; near enough; or its header is fetched in any case */
    pthread_mutex_lock(&f->lock);
    f->view.unserved = true;
    f->unserved.hash = head.header.execution.block_hash;
    f->unserved.due_ms = 0;
    pthread_mutex_unlock(&f->lock);
}

/* What members claim; what is proven and newer is ours, too. */
static void judge_claims(follow_t *f)
{
    lc_head_t was;
    lc_sync_latest(f->sync, &was);
    if (!f->config.claims || !claims_turn(f->config.claims, f->sync, feed_claim, f, now_ms(f)))
        return;
    look_whether_served(f, &was);
    publish(f);
    if (f->config.on_change)
        f->config.on_change(f->config.on_change_ctx);
    journal_save(&f->journal, f->config.state_dir);
}

static void run(worker_t *w, void *ctx)
{
    follow_t *f = ctx;
    f->self = w;
    for (bool go_on = !worker_stopping(w); go_on;) {
        lc_want_t wants[WANTS_MAX];
        uint64_t wake_ms = 0;
        judge_claims(f);
        size_t n = lc_sync_poll(f->sync, wants, WANTS_MAX, &wake_ms, now_ms(f));
        if (n)
            serve(f, wants, n);
        const uint64_t turn = n ? 0 : next_turn_ms(f, wake_ms), again = fetch_headers(f);
        go_on = n ? !worker_stopping(w) : worker_sleep_until(w, turn < again ? turn : again);
    }
}

/* One record of the journal, through the same checks as an answer from the network. */
static rc_t replay_one(void *ctx, lc_kind_t kind, lc_fork_t fork, view_t ssz)
{
    follow_t *f = ctx;
    const lc_want_t want = { .kind = kind };
    err_t e;
    rc_t rc = feed(f, &e, &want, &(bn_object_t){ fork, ssz, false });
    if (rc && rc != RC_REPLAY)
        log_write(LOG_WARN, "state", "the kept %s is not used: %s", kind_name(kind), e.text);
    return rc == RC_REPLAY ? RC_OK : rc;
}

/* What was fetched before; should it be refused, it is fetched again. */
static void take_bootstrap(follow_t *f, const follow_config_t *config)
{
    const lc_want_t want = { .kind = LC_BOOTSTRAP };
    err_t e;
    const rc_t rc = feed(f, &e, &want, &(bn_object_t){ config->bootstrap_fork, config->bootstrap, false });
    if (rc && rc != RC_REPLAY)
        log_write(LOG_WARN, "beacon", "the bootstrap of the setup's trial is not used: %s", e.text);
}

rc_t follow_start(follow_t **out, err_t *e, const follow_config_t *config)
{
    follow_t *f = calloc(1, sizeof *f);
    if (!f)
        return err_say(e, RC_NOMEM, "out of memory");
    f->config = *config;
    f->asked = NOBODY;
    f->heads.network = config->network;
    f->heads.chain = config->chain;
    pthread_mutex_init(&f->lock, NULL);
    f->sync = lc_sync_new(&(lc_sync_config_t){ .network = config->network,
                                               .checkpoint = config->checkpoint,
                                               .checkpoint_age_max_s = config->checkpoint_age_max_s });
    rc_t rc = f->sync ? RC_OK : err_say(e, RC_NOMEM, "out of memory");
    if (!rc) {
        journal_replay(config->state_dir, replay_one, f);
        if (config->bootstrap.n)
            take_bootstrap(f, config);
        publish(f);
        pthread_mutex_lock(&f->lock); /* the thread's first fetch may end before this does */
        rc = worker_start(&f->worker, e, "follow", run, f);
        if (!rc && config->claims)
            claims_wakes(config->claims, f->worker);
        pthread_mutex_unlock(&f->lock);
    }
    if (rc) {
        follow_free(f);
        return rc;
    }
    *out = f;
    return RC_OK;
}

void follow_view(follow_t *f, follow_view_t *out)
{
    pthread_mutex_lock(&f->lock);
    *out = f->view;
    pthread_mutex_unlock(&f->lock);
}

void follow_stop(follow_t *f)
{
    pthread_mutex_lock(&f->lock);
    worker_t *worker = f->worker;
    f->worker = NULL;
    pthread_mutex_unlock(&f->lock);
    if (f->config.claims)
        claims_wakes(f->config.claims, NULL);
    worker_stop(worker);
}

void follow_free(follow_t *f)
{
    if (!f)
        return;
    follow_stop(f);
    lc_sync_free(f->sync);
    journal_clear(&f->journal);
    pthread_mutex_destroy(&f->lock);
    free(f);
}
