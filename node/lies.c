#include "node/lies.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/os/clock.h"
#include "base/os/file.h"
#include "base/os/log.h"
#include "base/os/persist.h"
#include "base/os/worker.h"

#define AGAIN_MS 60000u /* after a file that could not be written */
#define WRITE_ARENA_MAX ((size_t)8 << 20)
#define READ_ARENA_MAX (2 * LIES_FILE_MAX)

typedef struct {
    char endpoint[LIE_ENDPOINT_MAX];
    char reason[LIE_REASON_MAX];
    view_t text; /* owned */
} kept_t;

struct lies {
    lies_config_t config;
    worker_t *worker;
    pthread_mutex_t lock; /* all below */
    kept_t at[LIES_MAX];  /* the oldest first */
    size_t count, bytes;
    bool dirty;
    persist_told_t told; /* the worker's */
};

/* ---- which are kept ---- */

static void drop(lies_t *l, size_t i)
{
    l->bytes -= l->at[i].text.n;
    file_free(l->at[i].text);
    memmove(&l->at[i], &l->at[i + 1], (l->count - i - 1) * sizeof l->at[0]);
    l->count--;
}

/* Whether a record of that reason is here; drops the endpoint's oldest when it has too many. */
static bool is_known(lies_t *l, const kept_t *k)
{
    size_t of_it = 0, oldest = 0;
    for (size_t i = l->count; i--;) {
        if (strcmp(l->at[i].endpoint, k->endpoint) != 0)
            continue;
        if (!strcmp(l->at[i].reason, k->reason))
            return true;
        oldest = i;
        of_it++;
    }
    if (of_it >= LIES_EACH_MAX)
        drop(l, oldest);
    return false;
}

/* Keeps a record, whose text is taken over; with the lock held. False: it is not kept. */
static bool keep(lies_t *l, const kept_t *k)
{
    if (k->text.n > LIES_BYTES_MAX || is_known(l, k)) {
        file_free(k->text);
        return false;
    }
    while (l->count && (l->count == LIES_MAX || l->bytes + k->text.n > LIES_BYTES_MAX))
        drop(l, 0);
    l->at[l->count++] = *k;
    l->bytes += k->text.n;
    return true;
}

static void name(kept_t *k, const lie_t *lie)
{
    snprintf(k->endpoint, sizeof k->endpoint, "%.*s", (int)lie->endpoint.n, (const char *)lie->endpoint.p);
    snprintf(k->reason, sizeof k->reason, "%.*s", (int)lie->reason.n, (const char *)lie->reason.p);
}

static void take(lies_t *l, const char *kind, size_t endpoint, lie_t *lie)
{
    arena_t a;
    view_t text;
    char place[LIE_ENDPOINT_MAX];
    snprintf(place, sizeof place, "%s_rpc[%zu]", kind, endpoint);
    lie->at_s = l->config.now_s(l->config.ctx);
    lie->endpoint = view_str(place);
    lie->network = view_str(l->config.network);
    arena_init(&a, WRITE_ARENA_MAX);
    kept_t k;
    name(&k, lie);
    if (!lie_write(&text, NULL, &a, lie) && (k.text = file_dup(text)).p) {
        pthread_mutex_lock(&l->lock);
        l->dirty |= keep(l, &k);
        pthread_mutex_unlock(&l->lock);
        worker_wake(l->worker);
    }
    arena_free(&a);
}

void lies_take_execution(void *ctx, size_t endpoint, lie_t *lie)
{
    take(ctx, "execution", endpoint, lie);
}

void lies_take_consensus(void *ctx, size_t endpoint, lie_t *lie)
{
    take(ctx, "consensus", endpoint, lie);
}

/* ---- lists ---- */

size_t lies_count(lies_t *l)
{
    pthread_mutex_lock(&l->lock);
    const size_t n = l->count;
    pthread_mutex_unlock(&l->lock);
    return n;
}

rc_t lies_list(lies_t *l, view_t *out, arena_t *a, const char *endpoint)
{
    jw_t w = jw_of(a, LIES_FILE_MAX);
    jw_array(&w, NULL);
    pthread_mutex_lock(&l->lock);
    for (size_t i = 0; i < l->count; i++)
        if (!endpoint || !strcmp(l->at[i].endpoint, endpoint))
            jw_raw(&w, NULL, l->at[i].text);
    pthread_mutex_unlock(&l->lock);
    jw_end(&w);
    *out = jw_done(&w);
    return w.rc;
}

rc_t lies_read(err_t *e, view_t payload, rc_t (*each)(void *ctx, view_t record), void *ctx)
{
    jo_doc_t doc;
    arena_t a;
    rc_t rc = RC_OK;
    arena_init(&a, READ_ARENA_MAX);
    const jo_t root = jo_open(&doc, e, payload, LIES_FILE_MAX, JO_LENIENT);
    jo_t list = jo_list(&root, NULL, 0, LIES_MAX), one;
    while (!rc && jo_next(&list, &one)) {
        const jo_t record = jo_object(&one, NULL);
        const view_t text = jo_as_written(&record, &a, NULL);
        if (text.p)
            rc = each(ctx, text);
    }
    const rc_t fault = jo_done(&root);
    jo_close(&doc);
    arena_free(&a);
    return rc ? rc : fault;
}

/* ---- the file ---- */

static void save(lies_t *l)
{
    arena_t a;
    view_t text;
    err_t e;
    pthread_mutex_lock(&l->lock);
    const bool due = l->dirty && l->config.state_dir;
    l->dirty = false;
    pthread_mutex_unlock(&l->lock);
    if (!due)
        return;
    arena_init(&a, WRITE_ARENA_MAX);
    rc_t rc = lies_list(l, &text, &a, NULL);
    rc = rc ? err_say(&e, rc, "out of memory") : persist_write(&e, l->config.state_dir, LIES_FILE, text);
    arena_free(&a);
    if (persist_tell(&l->told, "state", "records of lies are not kept: ", rc, &e))
        return;
    pthread_mutex_lock(&l->lock);
    l->dirty = true;
    pthread_mutex_unlock(&l->lock);
}

static void save_on(worker_t *w, void *ctx)
{
    const lies_t *l = ctx;
    do
        save(ctx);
    while (worker_sleep_until(w, l->told.failing ? clock_monotonic_ms() + AGAIN_MS : UINT64_MAX));
}

static rc_t take_kept(void *ctx, view_t text)
{
    arena_t a;
    lie_t lie;
    kept_t k;
    arena_init(&a, READ_ARENA_MAX);
    rc_t rc = lie_read(&lie, NULL, &a, text);
    if (!rc) {
        name(&k, &lie);
        k.text = file_dup(text);
        rc = k.text.p ? RC_OK : RC_NOMEM;
    }
    arena_free(&a);
    if (!rc)
        (void)keep(ctx, &k);
    return rc;
}

/* What an earlier run kept. */
static void load(lies_t *l)
{
    view_t payload;
    bool found = false;
    err_t e = { 0 };
    if (!l->config.state_dir)
        return;
    rc_t rc = persist_read(&payload, &found, &e, l->config.state_dir, LIES_FILE, LIES_FILE_MAX);
    if (!rc && found)
        rc = lies_read(&e, payload, take_kept, l);
    if (rc)
        log_write(LOG_WARN, "state", "the kept records of lies are not all read: %s", e.text[0] ? e.text : rc_name(rc));
    file_free(payload);
}

rc_t lies_new(lies_t **out, err_t *e, const lies_config_t *config)
{
    lies_t *l = calloc(1, sizeof *l);
    if (!l)
        return err_say(e, RC_NOMEM, "out of memory");
    l->config = *config;
    pthread_mutex_init(&l->lock, NULL);
    load(l);
    const rc_t rc = worker_start(&l->worker, e, "lies", save_on, l);
    if (rc) {
        lies_free(l);
        return rc;
    }
    *out = l;
    return RC_OK;
}

void lies_free(lies_t *l)
{
    if (!l)
        return;
    worker_stop(l->worker);
    save(l);
    while (l->count)
        drop(l, l->count - 1);
    pthread_mutex_destroy(&l->lock);
    free(l);
}
