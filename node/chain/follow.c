#include "node/chain/follow.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/os/log.h"
#include "node/chain/age.h"
#include "node/chain/journal.h"
#include "rpc/upstream/beacon.h"

#define WANTS_MAX 8u
#define ARENA_MAX ((size_t)64 << 20) /* bytes: the largest answer as JSON tree and as SSZ */
#define URL_MAX 1400u

struct follow {
    follow_config_t config;
    lc_sync_t *sync;   /* the follower's thread only */
    journal_t journal; /* likewise */
    up_t *upstream;
    pthread_t thread;
    bool started;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t wake;
    bool stop;
    follow_view_t view;
};

static bool stopping(void *ctx)
{
    follow_t *f = ctx;
    pthread_mutex_lock(&f->lock);
    bool stop = f->stop;
    pthread_mutex_unlock(&f->lock);
    return stop;
}

/* "", or the sentence that /v1/status shows. */
static void set_trouble(follow_t *f, const char *text)
{
    pthread_mutex_lock(&f->lock);
    snprintf(f->view.trouble, sizeof f->view.trouble, "%.239s", text);
    pthread_mutex_unlock(&f->lock);
}

static void publish(follow_t *f)
{
    uint64_t now = f->config.now_ms(), slot = f->view.latest.header.beacon.slot; /* only this thread writes it */
    pthread_mutex_lock(&f->lock);
    lc_sync_latest(f->sync, &f->view.latest);
    if (!f->view.latest_moved_ms || f->view.latest.header.beacon.slot != slot)
        f->view.latest_moved_ms = clock_monotonic_ms();
    lc_sync_finalized(f->sync, &f->view.finalized);
    lc_sync_progress(f->sync, &f->view.progress, now);
    lc_progress_t p = f->view.progress;
    pthread_mutex_unlock(&f->lock);
    if (p.state == LC_STATE_SYNCING)
        log_progress("syncing: period %llu of %llu, finalized slot %llu", (unsigned long long)p.periods_done,
                     (unsigned long long)p.periods_total, (unsigned long long)p.finalized_slot);
}

static void url_join(char out[URL_MAX], const char *base, const char *path)
{
    size_t n = strcspn(base, "?#"); /* keys of some providers stand in the query */
    const char *query = base[n] == '?' ? base + n + 1 : "";
    while (n && base[n - 1] == '/')
        n--;
    snprintf(out, URL_MAX, "%.*s%s%s%s", (int)n, base, path, !*query ? "" : strchr(path, '?') ? "&" : "?", query);
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
} answer_t;

/* Feeds one object; on anything but RC_OK and RC_REPLAY (it brought nothing new) why says what is wrong with it. */
static rc_t feed(follow_t *f, const lc_want_t *want, const bn_object_t *object, char *why, size_t cap)
{
    unsigned moved = 0;
    err_t e;
    lc_head_t before, after;
    lc_sync_latest(f->sync, &before);
    rc_t rc = lc_sync_input(f->sync, &moved, &e, want->kind, object->fork, object->ssz, f->config.now_ms());
    if (rc) {
        snprintf(why, cap, "%s", e.text);
        return rc;
    }
    journal_note(&f->journal, want->kind, object->fork, object->ssz, moved);
    lc_sync_latest(f->sync, &after);
    if (moved)
        publish(f);
    if ((moved & LC_MOVED_HEAD) && after.valid)
        log_write(LOG_DEBUG, "head", "slot %llu, block %llu, %u signed", (unsigned long long)after.header.beacon.slot,
                  (unsigned long long)after.header.execution.block_number, after.participants);
    return moved ? RC_OK : RC_REPLAY;
}

/* Decodes and feeds the answer of one endpoint. RC_REPLAY: it brought nothing new. *too_old: the checkpoint is, which is the
 * operator's matter and not the endpoint's. */
static rc_t take_answer(follow_t *f, const lc_want_t *want, const hc_response_t *r, bool *too_old, char *why,
                        size_t cap)
{
    if (r->rc) {
        snprintf(why, cap, "%s", r->error);
        return r->rc;
    }
    if (r->status != 200) {
        snprintf(why, cap, "HTTP status %d", r->status);
        return RC_IO;
    }
    arena_t a;
    err_t e = { .rc = RC_OK };
    bn_object_t *objects;
    size_t count = 0;
    arena_init(&a, ARENA_MAX);
    objects = arena_calloc(&a, LC_UPDATES_PER_REQUEST_MAX, sizeof *objects);
    rc_t rc = objects ? bn_decode(objects, &count, &e, &a, f->config.network, want, r->content_type,
                                  r->consensus_version[0] ? r->consensus_version : NULL, view_of(r->body, r->body_len))
                      : RC_NOMEM;
    if (rc) {
        err_before(&e, rc, "%s: ", *e.field ? e.field : "answer");
        snprintf(why, cap, "%.*s", (int)cap - 1, e.text);
    }
    if (!rc && count == 0) {
        snprintf(why, cap, "has no update of period %llu", (unsigned long long)want->period);
        rc = RC_IO;
    }
    size_t replayed = 0;
    for (size_t i = 0; !rc && i < count; i++) {
        rc = feed(f, want, &objects[i], why, cap);
        *too_old = want->kind == LC_BOOTSTRAP && rc == RC_LIMIT;
        if (rc == RC_REPLAY) {
            replayed++;
            rc = RC_OK;
        }
    }
    arena_free(&a);
    return !rc && replayed == count ? RC_REPLAY : rc;
}

/* Whether an answer of this kind ought to have brought something new, so that another endpoint may know more. */
static bool is_behind(const follow_t *f, lc_kind_t kind)
{
    uint64_t now = f->config.now_ms();
    lc_head_t head;
    lc_progress_t progress;
    if (kind == LC_OPTIMISTIC || kind == LC_FINALITY) {
        kind == LC_FINALITY ? lc_sync_finalized(f->sync, &head) : lc_sync_latest(f->sync, &head);
        return age_lags(f->config.network, kind, &head, now);
    }
    lc_sync_progress(f->sync, &progress, now);
    return progress.state == LC_STATE_SYNCING;
}

/* Asks one endpoint for all wants whose answer was not taken. */
static void ask(follow_t *f, size_t endpoint, const lc_want_t *wants, answer_t *answers, size_t count)
{
    hc_request_t requests[WANTS_MAX] = { 0 };
    hc_response_t responses[WANTS_MAX] = { 0 };
    char urls[WANTS_MAX][URL_MAX];
    size_t which[WANTS_MAX], n = 0;
    for (size_t i = 0; i < count; i++) {
        char path[BN_PATH_MAX];
        if (answers[i] == ANSWER_TAKEN)
            continue;
        bn_path(path, &wants[i]);
        url_join(urls[n], up_url(f->upstream, endpoint), path);
        requests[n] = (hc_request_t){ .url = urls[n], .accept = BN_ACCEPT, .body_max = bn_body_max(&wants[i]) };
        which[n++] = i;
    }
    hc_perform(f->config.http, responses, requests, n, stopping, f);
    pthread_mutex_lock(&f->lock);
    f->view.round_trips++;
    pthread_mutex_unlock(&f->lock);
    for (size_t k = 0; k < n; k++) {
        const lc_want_t *want = &wants[which[k]];
        char why[UP_REASON_MAX - 48] = "", reason[UP_REASON_MAX], line[480];
        bool too_old = false;
        rc_t rc = take_answer(f, want, &responses[k], &too_old, why, sizeof why);
        if (rc == RC_OK || rc == RC_REPLAY) {
            bool stale = rc == RC_REPLAY && is_behind(f, want->kind);
            answers[which[k]] = stale ? ANSWER_STALE : ANSWER_TAKEN;
            rc = RC_OK;
        }
        bool blameless = too_old || rc == RC_NEED_DATA; /* the updates that it waits for are wanted already */
        snprintf(reason, sizeof reason, "%s: %s", kind_name(want->kind), up_without_origin(f->upstream, endpoint, why));
        snprintf(line, sizeof line, "%s: %s", up_origin(f->upstream, endpoint), reason);
        if (!stopping(f))
            up_report(f->upstream, endpoint, blameless ? RC_OK : rc, reason, responses[k].retry_after_ms,
                      f->config.now_ms());
        if (rc && rc != RC_NEED_DATA && !stopping(f)) {
            log_write(rc_blames_input(rc) ? LOG_WARN : LOG_INFO, "beacon", "%s", line);
            set_trouble(f, too_old ? why : line);
        }
        hc_response_clear(&responses[k]);
    }
}

static void serve(follow_t *f, const lc_want_t *wants, size_t count)
{
    answer_t answers[WANTS_MAX] = { ANSWER_NONE };
    size_t order[UP_ENDPOINTS_MAX], endpoints = up_order(f->upstream, order, f->config.now_ms()), left = count,
                                    none = 0;
    for (size_t e = 0; e < endpoints && left && !stopping(f); e++) {
        ask(f, order[e], wants, answers, count);
        left = 0;
        for (size_t i = 0; i < count; i++)
            left += answers[i] != ANSWER_TAKEN;
    }
    for (size_t i = 0; i < count; i++)
        if (answers[i] == ANSWER_NONE) {
            lc_sync_failed(f->sync, &wants[i], f->config.now_ms());
            none++;
        }
    if (!none)
        set_trouble(f, "");
    publish(f);
    if (f->config.on_change)
        f->config.on_change(f->config.on_change_ctx);
    journal_save(&f->journal, f->config.state_dir);
}

/* Waits until the given time or the stop. */
static void sleep_until(follow_t *f, uint64_t wake_ms)
{
    uint64_t now = f->config.now_ms(), wait = wake_ms > now ? wake_ms - now : 0;
    struct timespec t;
    if (wait < 5)
        wait = 5;
    if (wait > 60000)
        wait = 60000;
    uint64_t until = clock_monotonic_ms() + wait;
    t.tv_sec = (time_t)(until / 1000);
    t.tv_nsec = (long)(until % 1000) * 1000000;
    pthread_mutex_lock(&f->lock);
    if (!f->stop)
        pthread_cond_timedwait(&f->wake, &f->lock, &t);
    pthread_mutex_unlock(&f->lock);
}

static void *run(void *ctx)
{
    follow_t *f = ctx;
    while (!stopping(f)) {
        lc_want_t wants[WANTS_MAX];
        uint64_t wake_ms = 0;
        size_t n = lc_sync_poll(f->sync, f->config.now_ms(), wants, WANTS_MAX, &wake_ms);
        if (n)
            serve(f, wants, n);
        else
            sleep_until(f, wake_ms);
    }
    return NULL;
}

/* One record of the journal, through the same checks as an answer from the network. */
static rc_t replay_one(void *ctx, lc_kind_t kind, lc_fork_t fork, view_t ssz)
{
    follow_t *f = ctx;
    const lc_want_t want = { .kind = kind };
    char why[200] = "";
    rc_t rc = feed(f, &want, &(bn_object_t){ fork, ssz }, why, sizeof why);
    if (rc && rc != RC_REPLAY)
        log_write(LOG_WARN, "state", "the kept %s is not used: %s", kind_name(kind), why);
    return rc == RC_REPLAY ? RC_OK : rc;
}

rc_t follow_start(follow_t **out, const follow_config_t *config)
{
    follow_t *f = calloc(1, sizeof *f);
    pthread_condattr_t attr;
    if (!f)
        return RC_NOMEM;
    f->config = *config;
    f->upstream = config->upstream;
    pthread_mutex_init(&f->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&f->wake, &attr);
    pthread_condattr_destroy(&attr);
    f->sync = lc_sync_new(&(lc_sync_config_t){ .network = config->network,
                                               .checkpoint = config->checkpoint,
                                               .checkpoint_age_max_s = config->checkpoint_age_max_s });
    rc_t rc = f->sync ? RC_OK : RC_NOMEM;
    if (!rc) {
        journal_replay(config->state_dir, replay_one, f);
        publish(f);
        rc = pthread_create(&f->thread, NULL, run, f) ? RC_IO : RC_OK;
    }
    if (rc) {
        follow_free(f);
        return rc;
    }
    f->started = true;
    *out = f;
    return RC_OK;
}

void follow_view(follow_t *f, follow_view_t *out)
{
    pthread_mutex_lock(&f->lock);
    *out = f->view;
    pthread_mutex_unlock(&f->lock);
}

void follow_free(follow_t *f)
{
    if (!f)
        return;
    pthread_mutex_lock(&f->lock);
    f->stop = true;
    pthread_cond_signal(&f->wake);
    pthread_mutex_unlock(&f->lock);
    if (f->started)
        pthread_join(f->thread, NULL);
    lc_sync_free(f->sync);
    journal_clear(&f->journal);
    pthread_cond_destroy(&f->wake);
    pthread_mutex_destroy(&f->lock);
    free(f);
}
