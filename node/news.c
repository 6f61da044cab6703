#include "node/news.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/secret.h"
#include "base/hex.h"
#include "base/os/log.h"
#include "node/news_state.h"
#include "rpc/api/objects.h"

#define WATCHER_ARENA_MAX ((size_t)1 << 20) /* bytes of one filter's criteria, as text and read */

/* ---- watchers; all with the lock held ---- */

uint64_t news_now_ms(const news_t *w)
{
    return w->config.monotonic_ms();
}

static size_t *count_for(news_t *w, const watcher_t *x)
{
    return x->waits ? &w->waits : x->session ? &w->subscriptions : &w->filters;
}

static void watcher_free(news_t *w, watcher_t *x)
{
    *count_for(w, x) -= 1;
    ex_logged_unref(x->found);
    w->criteria_bytes -= x->arena.used;
    arena_free(&x->arena);
    free(x);
}

static watcher_t **find(news_t *w, const void *session, view_t id)
{
    watcher_t **at = &w->watchers;
    while (*at && ((*at)->session != session || !view_eq(id, view_str((*at)->id))))
        at = &(*at)->next;
    return *at ? at : NULL;
}

void news_take_out(news_t *w, watcher_t **at)
{
    watcher_t *x = *at;
    *at = x->next;
    if (!x->session && w->keeps)
        kept_remove(w->keep_dir, x->slot);
    if (!x->session) {
        w->slots[x->slot] = false;
        w->holders[x->slot]++;
    }
    watcher_free(w, x);
}

void news_drop_idle(news_t *w)
{
    const uint64_t now = news_now_ms(w);
    for (watcher_t **at = &w->watchers; *at;)
        if (!(*at)->session && now - (*at)->used_ms > NEWS_IDLE_MS)
            news_take_out(w, at);
        else
            at = &(*at)->next;
}

/* 16 random bytes without leading zeros, as geth's ids are. */
static void draw_id(char id[API_WATCH_ID_LEN + 1])
{
    uint8_t bytes[16];
    char hex[33];
    secret_random(bytes, sizeof bytes);
    hex_encode(hex, view_of(bytes, sizeof bytes));
    const char *from = hex + strspn(hex, "0");
    snprintf(id, API_WATCH_ID_LEN + 1, "0x%s", *from ? from : "0");
}

/* ---- what outlives the program ---- */

#define KEEP_BEHIND_MAX 1024u /* blocks that a kept filter may be behind, having had nothing to tell in them */

/* The filter of a slot as it is kept, its criteria in an arena. With the lock held. False: there is none. */
static bool as_kept(kept_t *out, arena_t *a, const news_t *w, unsigned slot)
{
    const watcher_t *x = w->watchers;
    while (x && (x->session || x->slot != slot))
        x = x->next;
    if (!x)
        return false;
    *out = (kept_t){ .kind = x->kind, .number = x->number, .hash = x->hash, .criteria = arena_dup(a, x->text) };
    memcpy(out->id, x->id, sizeof out->id);
    memcpy(out->below, x->below, sizeof out->below);
    out->below_count = x->below_count;
    return out->criteria.p || !x->text.n;
}

static bool look_at_slot(kept_t *out, uint32_t *holder, arena_t *a, news_t *w, unsigned slot)
{
    pthread_mutex_lock(&w->lock);
    const bool found = as_kept(out, a, w, slot);
    *holder = w->holders[slot];
    pthread_mutex_unlock(&w->lock);
    return found;
}

/* Takes away the file of who was taken out while it was written. Who has the slot now comes to write it. */
static void drop_left(news_t *w, unsigned slot, uint32_t holder)
{
    pthread_mutex_lock(&w->lock);
    if (w->holders[slot] != holder)
        kept_remove(w->keep_dir, slot);
    pthread_mutex_unlock(&w->lock);
}

/* Writes the filter of a slot as it stands by now: of several that write it at the same time none leaves what is older.
 * Without the lock: it waits for the disk. */
static void keep_slot(news_t *w, unsigned slot)
{
    pthread_mutex_t *const own = &w->keep_locks[slot % NEWS_KEEP_LOCKS];
    uint32_t holder;
    kept_t f;
    arena_t a;
    err_t e;
    arena_init(&a, 2 * API_CRITERIA_MAX);
    pthread_mutex_lock(own);
    if (look_at_slot(&f, &holder, &a, w, slot)) {
        if (kept_write(&e, w->keep_dir, &f, w->keep_key, slot))
            log_write(LOG_WARN, "rpc", "a filter will not survive a restart: %s", e.text);
        drop_left(w, slot, holder);
    }
    pthread_mutex_unlock(own);
    arena_free(&a);
}

/* Up to which block a filter has been told everything. False: that block does not stand, or is what it was. */
static bool told_up_to(uint64_t *number, hash32_t *hash, const news_t *w, const watcher_t *x)
{
    if (x->seq == feed_next(&w->feed))
        return feed_tip(&w->feed, number, hash);
    if (x->seq <= feed_first(&w->feed))
        return false;
    const feed_event_t *last = feed_event(&w->feed, x->seq - 1);
    *number = last->logged->block.header.number;
    *hash = last->logged->block.hash;
    return !last->removed && feed_block(&w->feed, *number) == last->logged;
}

/* It has been told something. With the lock held. False: nothing that is kept has changed. */
static bool moved(news_t *w, watcher_t *x, size_t told)
{
    uint64_t number;
    hash32_t hash;
    if (!x->placed || !told_up_to(&number, &hash, w, x) || (!told && number - x->number < KEEP_BEHIND_MAX))
        return false;
    x->number = number;
    x->hash = hash;
    news_note_below(w, x, &w->head);
    return true;
}

/* ---- filters and subscriptions ---- */

static rc_t no_memory(err_t *e)
{
    return err_say(e, RC_NOMEM, "out of memory");
}

static void watcher_discard(watcher_t *x)
{
    arena_free(&x->arena);
    free(x);
}

static rc_t watcher_new(watcher_t **out, err_t *e, api_watch_t kind, view_t criteria)
{
    watcher_t *x = calloc(1, sizeof *x);
    if (!x)
        return no_memory(e);
    arena_init(&x->arena, WATCHER_ARENA_MAX);
    x->kind = kind;
    draw_id(x->id);
    x->text = kind == API_WATCH_HEADS ? criteria : arena_dup(&x->arena, criteria);
    rc_t rc = kind != API_WATCH_HEADS && !x->text.p ? RC_NOMEM : RC_OK;
    if (!rc && kind != API_WATCH_HEADS)
        rc = api_criteria_parse(&x->criteria, &x->arena, kind, x->text);
    if (rc) {
        watcher_discard(x);
        return err_say(e, rc, rc == RC_NOMEM ? "out of memory" : "the filter cannot be kept");
    }
    *out = x;
    return RC_OK;
}

/* Counts it in. With the lock held. */
static void enlist(news_t *w, watcher_t *x)
{
    x->next = w->watchers;
    w->watchers = x;
    *count_for(w, x) += 1;
    w->criteria_bytes += x->arena.used;
    if (!x->session) {
        w->slots[x->slot] = true;
        w->holders[x->slot]++;
    }
}

/* Blocks that came before it was made, and of which nobody wanted what it wants, are none of its news: it begins behind
 * them. With the lock held. */
static void pass_unknown(news_t *w, watcher_t *x, const ex_block_t *latest)
{
    uint64_t seq = x->seq > feed_first(&w->feed) ? x->seq : feed_first(&w->feed);
    while (seq < feed_next(&w->feed) && news_answers(feed_event(&w->feed, seq)->logged, x))
        seq++;
    if (seq == feed_next(&w->feed) || !feed_tip(&w->feed, &x->number, &x->hash))
        return;
    x->seq = feed_next(&w->feed);
    news_note_below(w, x, latest);
}

/* With the lock held. */
static void insert(news_t *w, watcher_t *x, void *session, const ex_block_t *latest)
{
    uint64_t tip;
    hash32_t hash;
    const bool begun = feed_tip(&w->feed, &tip, &hash) || news_begin_feed(w, latest->env.number);
    if (!begun || (!w->watchers && w->config.mode != NEWS_ALWAYS))
        news_seed(w, latest);
    x->session = session;
    x->number = latest->env.number;
    x->hash = latest->block_hash;
    news_note_below(w, x, latest);
    x->seq = feed_next(&w->feed);
    x->used_ms = news_now_ms(w);
    for (x->slot = 0; !session && w->slots[x->slot];) /* one is free: there is room */
        x->slot++;
    enlist(w, x);
    if (news_place(w, x))
        pass_unknown(w, x, latest);
}

static rc_t add(void *ctx, char id[API_WATCH_ID_LEN + 1], err_t *e, const api_asker_t *by, api_watch_t kind,
                view_t criteria, const ex_block_t *latest)
{
    news_t *w = ctx;
    watcher_t *x;
    unsigned slot = 0;
    rc_t rc = watcher_new(&x, e, kind, criteria);
    if (rc)
        return rc;
    x->client = by->client;
    x->message = by->message;
    pthread_mutex_lock(&w->lock);
    news_drop_idle(w);
    rc = news_make_room(w, e, x, by->session);
    if (!rc) {
        insert(w, x, by->session, latest);
        memcpy(id, x->id, sizeof x->id);
        slot = x->slot;
        news_pump(w); /* this head may be newer than what was told */
    }
    pthread_mutex_unlock(&w->lock);
    if (rc)
        watcher_discard(x);
    else if (w->keeps && !by->session)
        keep_slot(w, slot);
    return rc;
}

static bool remove_one(void *ctx, void *session, view_t id)
{
    news_t *w = ctx;
    pthread_mutex_lock(&w->lock);
    watcher_t **at = find(w, session, id);
    if (at)
        news_take_out(w, at);
    pthread_mutex_unlock(&w->lock);
    return at != NULL;
}

/* Writes what a filter has not been told, as far as there is room, and gives how much that is. With the lock held. */
static size_t put_news(news_t *w, watcher_t *x, jw_t *out)
{
    size_t n = 0;
    jw_array(out, NULL);
    for (; news_place(w, x) && x->seq < feed_next(&w->feed); x->seq++, x->at = 0) {
        const feed_event_t *e = feed_event(&w->feed, x->seq);
        const size_t before = n;
        if (x->kind == API_WATCH_HEADS && !e->removed) {
            jw_hex(out, NULL, view_of(e->logged->block.hash.b, 32));
            x->told = e->logged->block.header.number;
            n++;
        } else if (news_finds_in(x, e->logged)) {
            n += api_put_logged(out, &x->at, e->logged, &x->criteria.filter, e->removed);
            x->told = n > before ? e->logged->block.header.number : x->told;
            if (x->at < e->logged->log_count)
                break; /* the rest when it is polled next */
        }
    }
    jw_end(out);
    return n;
}

/* With the lock held. *at may go. */
static rc_t tell(news_t *w, watcher_t **at, jw_t *out, err_t *e, bool *has_moved)
{
    const bool placed = news_place(w, *at);
    *has_moved = false;
    if (placed && (*at)->seq < feed_first(&w->feed)) {
        news_take_out(w, at);
        return err_say(e, RC_LIMIT, "the filter was polled too late: its changes are not kept any more");
    }
    if ((*at)->lost) {
        news_take_out(w, at);
        return err_say(e, RC_REFUSED, "filter not found");
    }
    (*at)->used_ms = news_now_ms(w);
    if (news_is_stuck(w))
        return err_say(e, RC_NEED_DATA,
                       "nobody gives the blocks behind those that the filter was told; it goes on later");
    const size_t told = put_news(w, *at, out);
    *has_moved = moved(w, *at, told);
    return RC_OK;
}

static rc_t changes(void *ctx, jw_t *out, err_t *e, view_t id)
{
    news_t *w = ctx;
    bool has_moved = false;
    pthread_mutex_lock(&w->lock);
    news_drop_idle(w);
    watcher_t **at = find(w, NULL, id);
    const unsigned slot = at ? (*at)->slot : 0;
    const rc_t rc = at ? tell(w, at, out, e, &has_moved) : err_say(e, RC_REFUSED, "filter not found");
    pthread_mutex_unlock(&w->lock);
    if (has_moved && w->keeps) /* before the answer goes out: told once rather than twice */
        keep_slot(w, slot);
    return rc;
}

static rc_t criteria(void *ctx, view_t *out, err_t *e, arena_t *a, view_t id)
{
    news_t *w = ctx;
    pthread_mutex_lock(&w->lock);
    watcher_t **at = find(w, NULL, id);
    const bool found = at && (*at)->kind == API_WATCH_LOGS;
    *out = found ? arena_dup(a, (*at)->text) : view_of(NULL, 0);
    pthread_mutex_unlock(&w->lock);
    if (!found)
        return err_say(e, RC_REFUSED, "filter not found");
    return out->p ? RC_OK : no_memory(e);
}

/* Whether the logs of a range can be answered from here: the chain is that of the latest block, and nothing is missing.
 * With the lock held. */
static bool has_range(const news_t *w, const ex_filter_t *f, uint64_t from, uint64_t to, const ex_block_t *latest)
{
    const ex_logged_t *top = feed_block(&w->feed, latest->env.number);
    if (!top || !hash32_eq(&top->block.hash, &latest->block_hash) || to > latest->env.number ||
        to - from > FEED_CHAIN_MAX)
        return false;
    size_t found = 0;
    for (uint64_t n = from; n <= to; n++) {
        const ex_logged_t *l = feed_block(&w->feed, n);
        if (!l || !ex_logged_answers(l, f))
            return false;
        for (size_t i = 0; i < l->log_count; i++)
            found += ex_filter_finds(f, &l->logs[i].log);
    }
    return found <= EX_LOGS_MAX;
}

static bool logs(void *ctx, jw_t *out, const ex_filter_t *f, uint64_t from, uint64_t to, const ex_block_t *latest)
{
    news_t *w = ctx;
    pthread_mutex_lock(&w->lock);
    const bool has = has_range(w, f, from, to, latest);
    if (has) {
        jw_array(out, NULL);
        for (uint64_t n = from; n <= to; n++)
            (void)api_put_logged(out, NULL, feed_block(&w->feed, n), f, false);
        jw_end(out);
    }
    pthread_mutex_unlock(&w->lock);
    return has;
}

/* ---- receipts that are waited for ---- */

static rc_t await(void *ctx, void **wait, err_t *e, const api_await_t *what)
{
    static const char form[] = "{\"transactionHashes\":[\"0x%s\"]}";
    news_t *w = ctx;
    watcher_t *x;
    char hex[65], text[sizeof form + 64];
    hex_encode(hex, view_of(what->tx_hash->b, sizeof what->tx_hash->b));
    snprintf(text, sizeof text, form, hex);
    rc_t rc = watcher_new(&x, e, API_WATCH_RECEIPTS, view_str(text));
    if (rc)
        return rc;
    x->waits = x->begun = true;
    x->client = what->client;
    pthread_mutex_lock(&w->lock);
    rc = news_make_room(w, e, x, x);
    if (!rc) {
        x->until_ms = news_now_ms(w) + what->time_ms;
        insert(w, x, x, what->latest);
        news_pump(w);
    }
    pthread_mutex_unlock(&w->lock);
    if (rc)
        watcher_discard(x);
    else
        *wait = x;
    return rc;
}

static rc_t awaited(void *ctx, jw_t *out, err_t *e, void *wait)
{
    news_t *w = ctx;
    watcher_t *x = wait;
    rc_t rc = RC_OK;
    pthread_mutex_lock(&w->lock);
    if (x->found) {
        if (out)
            jw_raw(out, NULL, x->found->told[x->found_at].text);
    } else if (x->failed)
        rc = err_say(e, RC_IO, "the transaction was forwarded, but the chain behind it cannot be followed");
    else if (news_now_ms(w) >= x->until_ms)
        rc = err_say(e, RC_TIMEOUT, "no block has the transaction yet");
    else
        rc = RC_NEED_DATA;
    pthread_mutex_unlock(&w->lock);
    return rc;
}

static void leave(void *ctx, void *take_wait)
{
    news_t *w = ctx;
    watcher_t **at = &w->watchers;
    pthread_mutex_lock(&w->lock);
    while (*at != take_wait)
        at = &(*at)->next;
    news_take_out(w, at);
    pthread_mutex_unlock(&w->lock);
}

const api_events_t NEWS_EVENTS = { add, remove_one, changes, criteria, logs, await, awaited, leave };

void news_begin(news_t *w, void *session, const void *message)
{
    pthread_mutex_lock(&w->lock);
    for (watcher_t *x = w->watchers; x; x = x->next)
        if (x->session == session && x->message == message && !x->begun) {
            x->begun = true;
            news_push(w, x);
        }
    pthread_mutex_unlock(&w->lock);
}

void news_more(news_t *w, void *session)
{
    pthread_mutex_lock(&w->lock);
    for (watcher_t *x = w->watchers; x; x = x->next)
        if (x->session == session)
            news_push(w, x);
    pthread_mutex_unlock(&w->lock);
}

void news_over(news_t *w, void *session)
{
    pthread_mutex_lock(&w->lock);
    for (watcher_t **at = &w->watchers; *at;)
        if ((*at)->session == session)
            news_take_out(w, at);
        else
            at = &(*at)->next;
    pthread_mutex_unlock(&w->lock);
}

void news_counts(news_t *w, uint64_t *filters, uint64_t *subscriptions)
{
    pthread_mutex_lock(&w->lock);
    *filters = w->filters;
    *subscriptions = w->subscriptions;
    pthread_mutex_unlock(&w->lock);
}

void news_status(news_t *w, jw_t *out)
{
    static const char *const words[] = { "on-demand", "off", "always" };
    pthread_mutex_lock(&w->lock);
    jw_object(out, "filters");
    jw_str(out, "log_follow", words[w->config.mode]);
    jw_u64(out, "filters", w->filters);
    jw_u64(out, "subscriptions", w->subscriptions);
    jw_u64(out, "blocks", w->feed.count);
    jw_u64(out, "bytes", w->feed.bytes);
    jw_bool(out, "survive_restart", w->keeps);
    jw_end(out);
    pthread_mutex_unlock(&w->lock);
}

/* ---- all of it ---- */

/* One filter that was kept, if there is one. */
static void restore(news_t *w, unsigned slot)
{
    kept_t f;
    watcher_t *x;
    arena_t a;
    err_t e;
    bool found = false;
    arena_init(&a, 2 * API_CRITERIA_MAX);
    if (kept_read(&f, &found, &e, &a, w->keep_dir, w->keep_key, slot)) {
        log_write(LOG_WARN, "rpc", "a kept filter is not used: %s", e.text);
    } else if (found && !watcher_new(&x, &e, f.kind, f.criteria)) {
        memcpy(x->id, f.id, sizeof x->id);
        x->number = f.number;
        x->hash = f.hash;
        memcpy(x->below, f.below, sizeof x->below);
        x->below_count = f.below_count;
        x->told = f.number - f.below_count;
        x->slot = slot;
        x->restored = true;
        x->used_ms = news_now_ms(w);
        enlist(w, x);
    }
    arena_free(&a);
}

static void restore_all(news_t *w)
{
    const news_config_t *k = &w->config;
    const int n = k->keep_dir && k->keep_key ? snprintf(w->keep_dir, sizeof w->keep_dir, "%s", k->keep_dir) : 0;
    w->keeps = n > 0 && (size_t)n < sizeof w->keep_dir;
    if (w->keeps)
        memcpy(w->keep_key, k->keep_key, sizeof w->keep_key);
    for (unsigned i = 0; w->keeps && i < KEPT_SLOTS; i++)
        restore(w, i);
}

news_t *news_new(const news_config_t *config)
{
    news_t *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->config = *config;
    if (!w->config.monotonic_ms)
        w->config.monotonic_ms = clock_monotonic_ms;
    if (feed_init(&w->feed, config->bytes_max ? config->bytes_max : NEWS_BYTES_MAX)) {
        free(w);
        return NULL;
    }
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->idle, NULL);
    for (unsigned i = 0; i < NEWS_KEEP_LOCKS; i++)
        pthread_mutex_init(&w->keep_locks[i], NULL);
    restore_all(w);
    return w;
}

void news_free(news_t *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->has_head = false; /* nothing is asked for any more */
    while (w->asking)
        pthread_cond_wait(&w->idle, &w->lock);
    pthread_mutex_unlock(&w->lock);
    w->keeps = false; /* what is kept stays */
    while (w->watchers)
        news_take_out(w, &w->watchers);
    secret_wipe(w->keep_key, sizeof w->keep_key);
    feed_clear(&w->feed);
    for (unsigned i = 0; i < NEWS_KEEP_LOCKS; i++)
        pthread_mutex_destroy(&w->keep_locks[i]);
    pthread_cond_destroy(&w->idle);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
