#include "node/lies.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/crypto/secret.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/os/clock.h"
#include "base/os/file.h"
#include "base/os/log.h"
#include "base/os/persist.h"
#include "base/os/worker.h"

#define KEY_LEN 32u
#define AGAIN_MS 60000u /* after a file that could not be written */
#define PLACED_ARENA_MAX ((size_t)8 << 20)
#define WRITE_ARENA_MAX ((size_t)8 << 20)
#define READ_ARENA_MAX (2 * LIES_FILE_MAX)

typedef struct {
    bool beacon;
    char id[LIE_ID_LEN + 1];
    char reason[LIE_REASON_MAX];
    view_t text; /* owned */
} kept_t;

struct lies {
    lies_config_t config;
    up_t *watched[2]; /* whose lies are taken: execution, consensus; NULL: nobody's yet */
    uint8_t key[KEY_LEN];
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
        if (l->at[i].beacon != k->beacon || strcmp(l->at[i].id, k->id) != 0)
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
    k->beacon = lie->beacon;
    snprintf(k->id, sizeof k->id, "%.*s", (int)lie->endpoint_id.n, (const char *)lie->endpoint_id.p);
    snprintf(k->reason, sizeof k->reason, "%.*s", (int)lie->reason.n, (const char *)lie->reason.p);
}

static const char *kind_of(bool beacon)
{
    return beacon ? "consensus" : "execution";
}

/* What tells an endpoint from others. */
static void identify(const lies_t *l, char out[LIE_ID_LEN + 1], bool beacon, size_t endpoint)
{
    hash32_t digest;
    sha256_parts(&digest,
                 (view_t[]){ view_of(l->key, sizeof l->key), view_str(kind_of(beacon)),
                             view_str(up_url(l->watched[beacon], endpoint)) },
                 3);
    hex_encode(out, view_of(digest.b, LIE_ID_LEN / 2));
}

/* Where the endpoint of a record stands now. */
static void place_of(const lies_t *l, char out[LIE_ENDPOINT_MAX], const kept_t *k)
{
    up_t *u = l->watched[k->beacon];
    char id[LIE_ID_LEN + 1];
    snprintf(out, LIE_ENDPOINT_MAX, "%s_rpc[gone]", kind_of(k->beacon));
    for (size_t i = 0; u && i < up_count(u); i++) {
        if (up_is_retired(u, i))
            continue;
        identify(l, id, k->beacon, i);
        if (!strcmp(id, k->id))
            snprintf(out, LIE_ENDPOINT_MAX, "%s_rpc[%u]", kind_of(k->beacon), (unsigned)i);
    }
}

static void take(lies_t *l, bool beacon, size_t endpoint, lie_t *lie)
{
    arena_t a;
    view_t text;
    char place[LIE_ENDPOINT_MAX], id[LIE_ID_LEN + 1];
    snprintf(place, sizeof place, "%s_rpc[%u]", kind_of(beacon), (unsigned)endpoint);
    identify(l, id, beacon, endpoint);
    lie->at_s = l->config.now_s(l->config.ctx);
    lie->beacon = beacon;
    lie->endpoint = view_str(place);
    lie->endpoint_id = view_str(id);
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

static void take_execution(void *ctx, size_t endpoint, lie_t *lie)
{
    take(ctx, false, endpoint, lie);
}

static void take_consensus(void *ctx, size_t endpoint, lie_t *lie)
{
    take(ctx, true, endpoint, lie);
}

void lies_watch(lies_t *l, up_t *execution, up_t *consensus)
{
    l->watched[0] = execution;
    l->watched[1] = consensus;
    up_on_lie(execution, take_execution, l);
    up_on_lie(consensus, take_consensus, l);
}

/* ---- lists ---- */

size_t lies_count(lies_t *l)
{
    pthread_mutex_lock(&l->lock);
    const size_t n = l->count;
    pthread_mutex_unlock(&l->lock);
    return n;
}

/* Writes a record whose endpoint stands at that place now. */
static void put_placed(jw_t *w, const kept_t *k, const char *place)
{
    arena_t a;
    lie_t lie;
    view_t text;
    arena_init(&a, PLACED_ARENA_MAX);
    rc_t rc = lie_read(&lie, NULL, &a, k->text);
    lie.endpoint = view_str(place);
    if (!rc)
        rc = lie_write(&text, NULL, &a, &lie);
    if (!rc)
        jw_raw(w, NULL, text);
    else if (rc == RC_NOMEM)
        w->rc = rc;
    arena_free(&a);
}

rc_t lies_list(lies_t *l, view_t *out, arena_t *a, const char *endpoint)
{
    jw_t w = jw_of(a, LIES_FILE_MAX);
    jw_array(&w, NULL);
    pthread_mutex_lock(&l->lock);
    for (size_t i = 0; i < l->count; i++) {
        char place[LIE_ENDPOINT_MAX];
        place_of(l, place, &l->at[i]);
        if (!endpoint)
            jw_raw(&w, NULL, l->at[i].text);
        else if (!strcmp(place, endpoint))
            put_placed(&w, &l->at[i], place);
    }
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

/* The key of an earlier run, or a new one. With that the old records are of endpoints that are gone. */
static void make_key(lies_t *l)
{
    view_t old = { NULL, 0 };
    bool found = false;
    err_t e = { 0 };
    rc_t rc = RC_OK;
    const char *dir = l->config.state_dir;
    if (dir)
        rc = persist_read(&old, &found, &e, dir, LIES_KEY_FILE, sizeof l->key);
    if (found && old.n == sizeof l->key) {
        memcpy(l->key, old.p, sizeof l->key);
    } else {
        secret_random(l->key, sizeof l->key);
        if (dir && rc != RC_IO)
            rc = persist_write(&e, dir, LIES_KEY_FILE, view_of(l->key, sizeof l->key));
    }
    if (dir && rc)
        log_write(LOG_WARN, "state", "records of lies will not be told apart after a restart: %s", e.text);
    file_free(old);
}

rc_t lies_new(lies_t **out, err_t *e, const lies_config_t *config)
{
    lies_t *l = calloc(1, sizeof *l);
    if (!l)
        return err_say(e, RC_NOMEM, "out of memory");
    l->config = *config;
    pthread_mutex_init(&l->lock, NULL);
    make_key(l);
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
