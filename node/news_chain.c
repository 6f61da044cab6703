#include <stdlib.h>

#include "base/os/log.h"
#include "node/news.h"
#include "node/news_state.h"
#include "rpc/api/objects.h"

#define TEXT_MAX ((size_t)16 << 20)       /* bytes of one message: all receipts of a block, too */
#define TELL_ARENA_MAX ((size_t)64 << 20) /* of a block's receipts as text */

/* A query that is under way. */
typedef struct {
    news_t *news;
    ex_block_t head; /* borrowed by the query */
} asked_t;

/* ---- who is told what; all with the lock held ---- */

bool news_place(news_t *w, watcher_t *x)
{
    uint64_t tip;
    hash32_t hash;
    if (x->placed)
        return true;
    x->placed = feed_after(&w->feed, &x->seq, x->number, &x->hash);
    if (!x->placed && feed_tip(&w->feed, &tip, &hash) && tip > x->number) {
        for (unsigned i = 0; i < x->below_count && !x->placed; i++)
            x->placed = feed_after(&w->feed, &x->seq, x->number - 1 - i, &x->below[i]);
        if (x->placed)
            return true;
        x->lost = x->restored;
        x->placed = !x->lost; /* its block does not stand any more: everything since it was made is news */
    }
    return x->placed;
}

bool news_finds_in(const watcher_t *x, const ex_logged_t *l)
{
    const uint64_t number = l->block.header.number;
    return x->kind == API_WATCH_LOGS && number >= x->criteria.from && number <= x->criteria.to &&
           ex_filter_may_find(&x->criteria.filter, l->block.header.logs_bloom);
}

/* Whether a watcher is told receipts: one that waits has enough with its own. */
static bool tells(const watcher_t *x)
{
    return x->kind == API_WATCH_RECEIPTS && !x->failed && !x->found;
}

bool news_answers(const ex_logged_t *l, const watcher_t *x)
{
    return tells(x) ? l->has_told : l->has_logs || !news_finds_in(x, l);
}

/* The same for everybody. Of a block with too many logs there is nobody left who may be told them. */
static bool answers_all(const news_t *w, const ex_logged_t *l)
{
    if (l->too_large)
        return true;
    if (w->config.mode == NEWS_ALWAYS && !l->has_logs)
        return false;
    for (const watcher_t *x = w->watchers; x; x = x->next)
        if (!news_answers(l, x))
            return false;
    return true;
}

/* ---- what is pushed; with the lock held ---- */

/* Rather than a gap. */
static void end_one(news_t *w, watcher_t *x)
{
    x->failed = true;
    if (!x->waits)
        w->config.end(x->session);
}

static void push_text(news_t *w, watcher_t *x, view_t result)
{
    jw_t out = jw_of(NULL, TEXT_MAX);
    jw_object(&out, NULL);
    jw_str(&out, "jsonrpc", "2.0");
    jw_str(&out, "method", "eth_subscription");
    jw_object(&out, "params");
    jw_str(&out, "subscription", x->id);
    jw_raw(&out, "result", result);
    jw_end(&out);
    jw_end(&out);
    const view_t text = jw_done(&out);
    if (!text.p)
        end_one(w, x);
    else if (!w->config.push(x->session, text))
        x->failed = true;
    jw_free(&out);
}

static void push_head(news_t *w, watcher_t *x, const ex_logged_t *l)
{
    jw_t out = jw_of(NULL, TEXT_MAX);
    api_put_header(&out, NULL, &l->block.header, &l->block.hash);
    push_text(w, x, jw_done(&out));
    jw_free(&out);
}

static bool has_room(const news_t *w, const watcher_t *x)
{
    return x->waits || !w->config.room || w->config.room(x->session);
}

/* One message for each log, as long as there is room. False: there is more. */
static bool push_logs(news_t *w, watcher_t *x, const ex_logged_t *l, bool removed)
{
    for (; x->at < l->log_count && !x->failed; x->at++) {
        const ex_placed_log_t *p = &l->logs[x->at];
        if (!ex_filter_finds(&x->criteria.filter, &p->log))
            continue;
        if (!has_room(w, x))
            return false;
        jw_t out = jw_of(NULL, TEXT_MAX);
        api_put_log(&out, NULL, &p->log,
                    &(api_log_place_t){ &l->block, &p->tx_hash, p->tx_index, p->log_index, removed });
        push_text(w, x, jw_done(&out));
        jw_free(&out);
    }
    return true;
}

static bool is_wanted(const api_criteria_t *k, const hash32_t *tx_hash)
{
    for (size_t i = 0; i < k->hash_count; i++)
        if (hash32_eq(&k->hashes[i], tx_hash))
            return true;
    return k->hash_count == 0;
}

/* One message for a block: a list, as geth has it. Nothing is said of none. */
static void push_receipts(news_t *w, watcher_t *x, const ex_logged_t *l)
{
    size_t n = 0;
    jw_t out = jw_of(NULL, TEXT_MAX);
    jw_array(&out, NULL);
    for (size_t i = 0; i < l->told_count; i++)
        if (is_wanted(&x->criteria, &l->told[i].tx_hash)) {
            jw_raw(&out, NULL, l->told[i].text);
            n++;
        }
    jw_end(&out);
    if (n)
        push_text(w, x, jw_done(&out));
    jw_free(&out);
}

/* Keeps the receipt that somebody waits for. */
static void find_receipt(watcher_t *x, ex_logged_t *l)
{
    for (size_t i = 0; i < l->told_count && !x->found; i++)
        if (is_wanted(&x->criteria, &l->told[i].tx_hash)) {
            x->found = ex_logged_ref(l);
            x->found_at = i;
        }
}

void news_push(news_t *w, watcher_t *x)
{
    if (!x->begun || x->failed || !news_place(w, x))
        return;
    if (x->seq < feed_first(&w->feed)) {
        end_one(w, x);
        return;
    }
    for (; x->seq < feed_next(&w->feed) && !x->failed && has_room(w, x); x->seq++, x->at = 0) {
        const feed_event_t *e = feed_event(&w->feed, x->seq);
        if (x->kind == API_WATCH_HEADS && !e->removed)
            push_head(w, x, e->logged);
        else if (x->waits && !e->removed)
            find_receipt(x, e->logged);
        else if (x->kind == API_WATCH_RECEIPTS && !e->removed)
            push_receipts(w, x, e->logged);
        else if (news_finds_in(x, e->logged) && !push_logs(w, x, e->logged, e->removed))
            return;
    }
}

static void push_all(news_t *w)
{
    for (watcher_t *x = w->watchers; x; x = x->next)
        if (x->session)
            news_push(w, x);
}

/* ---- the chain ---- */

/* The parent of a block of a number, both by hash. False: it is not known. */
static bool parent_of(news_t *w, hash32_t *hash, uint64_t number, const ex_block_t *newest)
{
    const ex_logged_t *l = feed_block(&w->feed, number);
    if (hash32_eq(hash, &newest->block_hash))
        *hash = newest->parent_hash;
    else if (l && hash32_eq(hash, &l->block.hash))
        *hash = l->block.header.parent_hash;
    else
        return w->config.cache && ex_cache_get_parent(w->config.cache, hash, hash);
    return true;
}

/* The ancestors of a block down to one of a number, the parent first; how many. */
static unsigned ancestors(hash32_t below[KEPT_BELOW_MAX], news_t *w, const hash32_t *hash, uint64_t number,
                          uint64_t lowest, const ex_block_t *newest)
{
    hash32_t at = *hash;
    unsigned n = 0;
    for (; n < KEPT_BELOW_MAX && number - n > lowest && parent_of(w, &at, number - n, newest); n++)
        below[n] = at;
    return n;
}

void news_note_below(news_t *w, watcher_t *x, const ex_block_t *newest)
{
    x->below_count = x->number > x->told ? ancestors(x->below, w, &x->hash, x->number, x->told, newest) : 0;
}

void news_seed(news_t *w, const ex_block_t *latest)
{
    hash32_t below[KEPT_BELOW_MAX];
    const unsigned n = ancestors(below, w, &latest->block_hash, latest->env.number, 0, latest);
    w->vain = 0;
    feed_seed(&w->feed, latest->env.number, &latest->block_hash, below, n);
}

/* There is a gap that cannot be filled: who waited for it is told, and it begins anew. With the lock held. */
static void lose(news_t *w)
{
    log_write(LOG_WARN, "rpc",
              "filters and subscriptions end: the chain behind what they were told cannot be followed");
    for (watcher_t **at = &w->watchers; *at;)
        if (!(*at)->session)
            news_take_out(w, at);
        else {
            end_one(w, *at);
            at = &(*at)->next;
        }
    news_seed(w, &w->head);
}

/* Whether all that a watcher could go on from is what the feed remembers. */
static bool stands_with_feed(const news_t *w, const watcher_t *x)
{
    uint64_t seq;
    const hash32_t *lowest = x->below_count ? &x->below[x->below_count - 1] : &x->hash;
    return x->placed || feed_after(&w->feed, &seq, x->number - x->below_count, lowest);
}

/* Nothing that the feed remembers stands any more: who was told of it cannot be told what was taken away, and ends.
 * The others go on from where they stand. With the lock held. */
static void lose_orphaned(news_t *w)
{
    log_write(LOG_WARN, "rpc", "filters and subscriptions end: the blocks that they were told do not stand any more");
    for (watcher_t **at = &w->watchers; *at;)
        if (!stands_with_feed(w, *at) || (*at)->session)
            at = &(*at)->next;
        else
            news_take_out(w, at);
    for (watcher_t *x = w->watchers; x; x = x->next)
        if (x->session && stands_with_feed(w, x))
            end_one(w, x);
    if (!news_begin_feed(w, w->head.env.number))
        news_seed(w, &w->head);
}

/* The plan of the history: of which blocks the logs are wanted. */
static rc_t plan(void *ctx, err_t *e, ex_past_t *blocks, size_t count)
{
    const asked_t *a = ctx;
    news_t *w = a->news;
    (void)e;
    pthread_mutex_lock(&w->lock);
    for (size_t i = 0; i < count; i++) {
        const ex_logged_t l = { .block = { .header = blocks[i].block.header } };
        if (!answers_all(w, &l))
            blocks[i].wants |= EX_WANT_BODY | EX_WANT_RECEIPTS;
    }
    pthread_mutex_unlock(&w->lock);
    return RC_OK;
}

/* Who may be told something of a block whose logs are too many ends, rather than not being told. With the lock held. */
static void end_untold(news_t *w, const ex_logged_t *l)
{
    log_write(LOG_WARN, "rpc", "filters and subscriptions end: the logs of block %llu are more than can be told",
              (unsigned long long)l->block.header.number);
    for (watcher_t **at = &w->watchers; *at;) {
        const bool untold = !news_answers(l, *at) && !(*at)->failed;
        if (untold && !(*at)->session) {
            news_take_out(w, at);
            continue;
        }
        if (untold)
            end_one(w, *at);
        at = &(*at)->next;
    }
}

bool news_is_stuck(const news_t *w)
{
    return w->vain >= NEWS_VAIN_MAX;
}

/* Nobody gave the next blocks for a head: who subscribed would be told nothing for as long as that lasts, as if nothing
 * happened. Filters are told when they are polled. With the lock held. */
static void note_vain(news_t *w, uint64_t head)
{
    const bool counts = !w->vain || head > w->vain_head;
    w->vain += counts;
    w->vain_head = counts ? head : w->vain_head;
    if (counts && w->vain == NEWS_VAIN_MAX)
        log_write(LOG_WARN, "rpc",
                  "filters are told nothing and subscriptions end: nobody gives the blocks behind %llu",
                  (unsigned long long)head);
    for (watcher_t *x = w->watchers; x && news_is_stuck(w); x = x->next)
        if (x->session && !x->failed)
            end_one(w, x);
}

/* Takes the blocks, if they answer also who came meanwhile. With the lock held. */
static void take(news_t *w, ex_logged_t *const *blocks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (blocks[i]->too_large)
            end_untold(w, blocks[i]);
    for (size_t i = 0; i < count; i++)
        if (!answers_all(w, blocks[i]))
            return; /* the same is asked for again, and most of it is in the cache */
    const rc_t rc = feed_give(&w->feed, blocks, count);
    w->vain = 0;
    if (rc == RC_OK)
        push_all(w);
    else if (rc != RC_NEED_DATA)
        lose_orphaned(w);
}

static bool has_receipts_watcher(news_t *w)
{
    pthread_mutex_lock(&w->lock);
    const watcher_t *x = w->watchers;
    while (x && !tells(x))
        x = x->next;
    pthread_mutex_unlock(&w->lock);
    return x != NULL;
}

/* Nobody else waits for what cannot be told. */
static void end_receipts(news_t *w, uint64_t number)
{
    log_write(LOG_WARN, "rpc", "subscriptions to receipts end: those of block %llu cannot be told",
              (unsigned long long)number);
    pthread_mutex_lock(&w->lock);
    for (watcher_t **at = &w->watchers; *at;)
        if ((*at)->kind != API_WATCH_RECEIPTS || (*at)->failed)
            at = &(*at)->next;
        else {
            end_one(w, *at);
            if ((*at)->waits)
                at = &(*at)->next;
            else
                news_take_out(w, at);
        }
    pthread_mutex_unlock(&w->lock);
}

/* Writes the receipts of a block, once for all who have subscribed to them. */
static rc_t tell_receipts(ex_logged_t *l, const ex_past_t *p, const evm_chain_t *chain)
{
    const ex_told_t *told = NULL;
    size_t count = 0;
    arena_t a;
    arena_init(&a, TELL_ARENA_MAX);
    rc_t rc = api_tell_receipts(&told, &count, &a, p, chain);
    if (!rc)
        rc = ex_logged_tell(l, told, count);
    arena_free(&a);
    return rc;
}

/* A block as it is kept; NULL: it cannot be. */
static ex_logged_t *logged_of(news_t *w, const ex_past_t *p, bool tells)
{
    ex_logged_t *l;
    err_t e;
    if (ex_logged_new(&l, &e, p))
        return NULL;
    const rc_t rc = tells && l->has_logs ? tell_receipts(l, p, w->config.chain) : RC_OK;
    if (rc)
        end_receipts(w, p->block.header.number);
    return l;
}

/* False: they cannot be kept. */
static bool keep(news_t *w, const ex_history_result_t *r)
{
    ex_logged_t **blocks = calloc(r->count, sizeof *blocks);
    const bool tells = has_receipts_watcher(w);
    size_t n = 0;
    while (blocks && n < r->count && (blocks[n] = logged_of(w, &r->blocks[n], tells)))
        n++;
    const bool whole = blocks && n == r->count;
    pthread_mutex_lock(&w->lock);
    if (whole)
        take(w, blocks, n);
    w->again |= whole;
    pthread_mutex_unlock(&w->lock);
    while (n > 0)
        ex_logged_unref(blocks[--n]);
    free(blocks);
    return whole;
}

/* So many blocks may be more than the memory of a query holds: then fewer are asked for, and more again later. With the
 * lock held. */
static void shorten_step(news_t *w, rc_t rc)
{
    const bool shorter = rc == RC_NOMEM && FEED_STEP_MAX >> w->halved > 1;
    w->again |= shorter;
    if (shorter)
        w->halved++;
    else if (rc == RC_OK && w->halved)
        w->halved--;
}

/* The last block to ask for in this step, of those that are wanted. What is below the newest announced is asked for as
 * a whole: it is where branches part. */
static uint64_t end_of_step(const news_t *w, uint64_t from, uint64_t to)
{
    uint64_t tip;
    hash32_t hash;
    const uint64_t most = FEED_STEP_MAX >> w->halved;
    const bool is_above = feed_tip(&w->feed, &tip, &hash) && from > tip;
    return is_above && to - from >= most ? from + most - 1 : to;
}

static void on_done(void *ctx, rc_t rc, const err_t *e, query_t *take_q)
{
    asked_t *a = ctx;
    news_t *w = a->news;
    const uint64_t head = a->head.env.number;
    const bool kept = rc == RC_OK && keep(w, ex_history_result(take_q));
    if (!kept)
        log_write(LOG_DEBUG, "rpc", "the chain for filters and subscriptions: %s", rc ? e->text : "out of memory");
    query_free(take_q);
    free(a);
    pthread_mutex_lock(&w->lock);
    if (!kept)
        note_vain(w, head);
    if (rc && (e->code == EX_HISTORY_PRUNED || rc == RC_LIMIT))
        lose(w);
    shorten_step(w, rc);
    w->asking = false;
    const bool again = w->again;
    w->again = false;
    pthread_cond_broadcast(&w->idle);
    if (again)
        news_pump(w);
    pthread_mutex_unlock(&w->lock);
}

static rc_t make_query(query_t **out, asked_t *a, uint64_t from, uint64_t to)
{
    const news_t *w = a->news;
    err_t e;
    return ex_history_new(out, &e,
                          &(ex_history_config_t){ .chain_id = w->config.chain->chain_id,
                                                  .cache = w->config.cache,
                                                  .head = &a->head,
                                                  .final_number = w->final_number,
                                                  .by = EX_BY_NUMBER,
                                                  .from = from,
                                                  .to = to,
                                                  .plan = plan,
                                                  .plan_ctx = a });
}

void news_pump(news_t *w)
{
    uint64_t from, to;
    query_t *q;
    if (w->asking || !w->has_head || (!w->watchers && w->config.mode != NEWS_ALWAYS) ||
        !feed_want(&w->feed, &from, &to, w->head.env.number, &w->head.block_hash))
        return;
    asked_t *a = malloc(sizeof *a);
    if (!a)
        return; /* at the next head */
    *a = (asked_t){ w, w->head };
    w->asking = true;
    if (!make_query(&q, a, from, end_of_step(w, from, to)) && !w->config.submit(w->config.submit_ctx, q, on_done, a))
        return;
    w->asking = false;
    note_vain(w, w->head.env.number);
    free(a);
}

bool news_begin_feed(news_t *w, uint64_t head)
{
    const watcher_t *oldest = NULL;
    for (watcher_t *x = w->watchers; x; x = x->next) {
        x->lost |= x->restored && x->number + EX_HISTORY_WINDOW < head;
        if (!x->lost && !x->placed && !x->failed && x->number <= head && (!oldest || x->number < oldest->number))
            oldest = x;
    }
    if (oldest)
        feed_seed(&w->feed, oldest->number, &oldest->hash, oldest->below, oldest->below_count);
    return oldest != NULL;
}

void news_head(news_t *w, const ex_block_t *latest, uint64_t final_number)
{
    uint64_t tip;
    hash32_t hash;
    pthread_mutex_lock(&w->lock);
    w->head = *latest;
    if (w->config.cache) /* so that what is known of an earlier head is known of this one */
        ex_cache_put_parent(w->config.cache, &latest->block_hash, &latest->parent_hash);
    w->has_head = true;
    w->final_number = final_number;
    if (!feed_tip(&w->feed, &tip, &hash) && !news_begin_feed(w, latest->env.number) && w->config.mode == NEWS_ALWAYS)
        news_seed(w, latest);
    news_drop_idle(w);
    news_pump(w);
    pthread_mutex_unlock(&w->lock);
}
