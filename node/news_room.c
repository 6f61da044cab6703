/* news_room.c - how many filters and subscriptions there may be, and whose give way when there are that many. */
#include <stdlib.h>

#include "http/share.h"
#include "node/news_state.h"

/* What a client holds. */
typedef struct {
    const void *client;
    size_t filters, bytes;
} holding_t;

static size_t count_of(const news_t *w, const void *session)
{
    size_t n = 0;
    for (const watcher_t *x = w->watchers; x; x = x->next)
        n += x->session == session;
    return n;
}

/* Whether a client has as many subscriptions as one may. */
static bool subscribes_enough(const news_t *w, const void *client)
{
    size_t n = 0;
    for (const watcher_t *x = w->watchers; client && x; x = x->next)
        n += x->session && !x->waits && x->client == client;
    return n >= NEWS_OF_CLIENT_MAX;
}

/* Whether a client waits for as much as one may. */
static bool waits_enough(const news_t *w, const void *client)
{
    size_t n = 0;
    for (const watcher_t *x = w->watchers; client && x; x = x->next)
        n += x->waits && x->client == client;
    return n >= NEWS_WAITS_MAX / SHARE_PART;
}

static void count(holding_t *h, const watcher_t *x)
{
    h->filters += !x->session;
    h->bytes += x->arena.used;
}

static holding_t holding_of(const news_t *w, const void *client)
{
    holding_t h = { .client = client };
    for (const watcher_t *x = w->watchers; x; x = x->next)
        if (x->client == client)
            count(&h, x);
    return h;
}

static int by_client(const void *a, const void *b)
{
    const holding_t *x = a, *y = b;
    return ((uintptr_t)x->client > (uintptr_t)y->client) - ((uintptr_t)x->client < (uintptr_t)y->client);
}

static bool is_more(const holding_t *a, const holding_t *b, bool by_bytes)
{
    return by_bytes ? a->bytes > b->bytes : a->filters > b->filters;
}

/* Who holds most, and more than least. client NULL: nobody, or there is no memory to tell. */
static holding_t most_of(const news_t *w, const holding_t *least, bool by_bytes)
{
    holding_t most = { .client = NULL };
    size_t n = 0;
    holding_t *rows = calloc(w->filters + w->subscriptions + w->waits + 1, sizeof *rows);
    if (!rows)
        return most;
    for (const watcher_t *x = w->watchers; x; x = x->next)
        if (x->client && x->client != least->client) {
            rows[n].client = x->client;
            count(&rows[n++], x);
        }
    qsort(rows, n, sizeof *rows, by_client);
    for (size_t i = 0; i < n; i++) {
        if (i && rows[i].client == rows[i - 1].client) {
            rows[i].filters += rows[i - 1].filters;
            rows[i].bytes += rows[i - 1].bytes;
        }
        if (is_more(&rows[i], most.client ? &most : least, by_bytes))
            most = rows[i];
    }
    free(rows);
    return most;
}

/* Takes the filter of a client that was polled longest ago, or ends one of his sessions. False: he has neither. */
static bool take_from(news_t *w, const void *client)
{
    watcher_t **oldest = NULL, *pushed = NULL;
    for (watcher_t **at = &w->watchers; *at; at = &(*at)->next) {
        if ((*at)->client != client || (*at)->waits)
            continue;
        if ((*at)->session)
            pushed = *at;
        else if (!oldest || (*at)->used_ms <= (*oldest)->used_ms)
            oldest = at;
    }
    if (oldest)
        news_take_out(w, oldest);
    else if (pushed)
        w->config.end(pushed->session);
    return oldest || pushed;
}

static bool is_full(const news_t *w, const watcher_t *x, const void *session, bool by_bytes)
{
    return by_bytes ? w->criteria_bytes + x->arena.used > NEWS_CRITERIA_MAX
                    : !session && w->filters >= NEWS_FILTERS_MAX;
}

/* Lets whoever holds most give way, as far as this one holds less than a quarter. What sessions held is freed a little
 * later. False: it is full. */
static bool make_way(news_t *w, const watcher_t *x, const void *session, bool by_bytes)
{
    holding_t mine = holding_of(w, x->client);
    count(&mine, x);
    const size_t part = by_bytes ? NEWS_CRITERIA_MAX / SHARE_PART : NEWS_FILTERS_MAX / SHARE_PART;
    while (is_full(w, x, session, by_bytes)) {
        const size_t before = w->criteria_bytes;
        if ((by_bytes ? mine.bytes : mine.filters) > part)
            return false;
        const holding_t most = most_of(w, &mine, by_bytes);
        if (!most.client || !take_from(w, most.client))
            return false;
        if (by_bytes && w->criteria_bytes == before)
            return before + x->arena.used <= NEWS_CRITERIA_MAX + part;
    }
    return true;
}

rc_t news_make_room(news_t *w, err_t *e, const watcher_t *x, const void *session)
{
    if (w->config.mode == NEWS_OFF && x->kind != API_WATCH_HEADS)
        return err_say(e, RC_UNSUPPORTED, "filters of logs are not available: log_follow is off");
    if (x->waits && w->waits >= NEWS_WAITS_MAX)
        return err_say(e, RC_LIMIT, "too many wait for receipts");
    if (x->waits && waits_enough(w, x->client))
        return err_say(e, RC_LIMIT, "this client waits for too many receipts");
    if (session && count_of(w, session) >= NEWS_SUBSCRIPTIONS_MAX)
        return err_say(e, RC_LIMIT, "too many subscriptions");
    if (session && !x->waits && subscribes_enough(w, x->client))
        return err_say(e, RC_LIMIT, "this client has too many subscriptions");
    if (!make_way(w, x, session, false))
        return err_say(e, RC_LIMIT, "too many filters");
    if (!make_way(w, x, session, true))
        return err_say(e, RC_LIMIT, "the filters hold too much memory");
    return RC_OK;
}
