/* eth_filter.c - filters and subscriptions: what is kept between requests is somebody else's (api_events_t). */
#include "rpc/api/filter.h"

bool api_has_events(api_call_t *c)
{
    if (!c->world->events)
        api_fail(c, API_NO_METHOD, "the method %s does not exist/is not available", c->method->name);
    return c->world->events != NULL;
}

void api_fail_watch(api_call_t *c, rc_t rc, const err_t *e)
{
    const int code = rc == RC_LIMIT         ? API_LIMIT
                     : rc == RC_UNSUPPORTED ? API_NO_METHOD
                     : rc == RC_NOMEM       ? API_INTERNAL
                     : rc == RC_NEED_DATA   ? API_UNAVAILABLE
                                            : API_FAILED;
    api_fail(c, code, "%s", e->text);
}

/* Begins a filter or a subscription, and answers its id. */
static void add(api_call_t *c, void *session, api_watch_t kind, view_t criteria)
{
    const api_world_t *w = c->world;
    char id[API_WATCH_ID_LEN + 1];
    err_t e;
    if (c->error || !api_has_events(c))
        return;
    const api_asker_t by = { session, w->message, w->client };
    const rc_t rc = w->events->add(w->events_ctx, id, &e, &by, kind, criteria, &w->latest);
    if (rc)
        api_fail_watch(c, rc, &e);
    else
        jw_str(&c->out, NULL, id);
}

/* The criteria of an argument as text, once they are read without a fault; p NULL: they are not. */
static view_t criteria_of(api_call_t *c, api_watch_t kind, const jo_t *arg)
{
    static const char any[] = "{}";
    api_criteria_t read;
    if (!jo_has(arg, NULL))
        return view_str(any);
    const jo_t o = jo_object(arg, NULL);
    if (kind == API_WATCH_RECEIPTS)
        api_hashes_read(c, &read, &o);
    else {
        api_filter_read(c, &read.filter, &o);
        api_filter_check(c, &o);
    }
    if (jo_rc(arg) || c->error)
        return view_of(NULL, 0);
    const view_t text = jo_compact(arg, c->arena, NULL);
    if (!text.p && !jo_rc(arg))
        api_fail(c, API_INTERNAL, "out of memory");
    else if (text.n > API_CRITERIA_MAX)
        api_fail(c, API_INVALID_PARAMS, "the filter is longer than %zu bytes", API_CRITERIA_MAX);
    return c->error ? view_of(NULL, 0) : text;
}

void api_eth_newFilter(api_call_t *c, const jo_t *args)
{
    const view_t criteria = criteria_of(c, API_WATCH_LOGS, &args[0]);
    if (criteria.p)
        add(c, NULL, API_WATCH_LOGS, criteria);
}

void api_eth_newBlockFilter(api_call_t *c, const jo_t *args)
{
    (void)args;
    add(c, NULL, API_WATCH_HEADS, view_of(NULL, 0));
}

void api_eth_getFilterChanges(api_call_t *c, const jo_t *args)
{
    const api_world_t *w = c->world;
    const view_t id = jo_text(&args[0], NULL, 0, SIZE_MAX);
    err_t e;
    if (jo_rc(&args[0]) || !api_has_events(c))
        return;
    const rc_t rc = w->events->changes(w->events_ctx, &c->out, &e, id);
    if (rc)
        api_fail_watch(c, rc, &e);
}

void api_eth_uninstallFilter(api_call_t *c, const jo_t *args)
{
    const api_world_t *w = c->world;
    const view_t id = jo_text(&args[0], NULL, 0, SIZE_MAX);
    if (!jo_rc(&args[0]))
        jw_bool(&c->out, NULL, w->events && w->events->remove(w->events_ctx, NULL, id));
}

/* What standing calls give at each head. */
static void subscribe_standing(api_call_t *c, const jo_t *arg)
{
    const api_world_t *w = c->world;
    char id[API_WATCH_ID_LEN + 1];
    err_t e;
    const jo_t what = jo_object(arg, NULL);
    if (jo_rc(arg))
        return;
    if (!w->standing) {
        api_fail(c, API_NO_METHOD, "this node's configuration has no standing calls");
        return;
    }
    const api_asker_t by = { w->session, w->message, w->client };
    const rc_t rc = w->standing->watch(w->standing_ctx, id, &e, &by, &what);
    if (rc && !jo_rc(arg))
        api_fail_watch(c, rc, &e);
    else if (!rc)
        jw_str(&c->out, NULL, id);
}

void api_eth_subscribe(api_call_t *c, const jo_t *args)
{
    const view_t kind = jo_text(&args[0], NULL, 0, SIZE_MAX);
    void *session = c->world->session;
    if (jo_rc(&args[0]))
        return;
    if (!session) {
        api_fail(c, API_NO_METHOD, "notifications not supported");
    } else if (view_eq(kind, view_str("newHeads"))) {
        add(c, session, API_WATCH_HEADS, view_of(NULL, 0));
    } else if (view_eq(kind, view_str("logs")) || view_eq(kind, view_str("transactionReceipts"))) {
        const api_watch_t watch = kind.n == 4 ? API_WATCH_LOGS : API_WATCH_RECEIPTS;
        const view_t criteria = criteria_of(c, watch, &args[1]);
        if (criteria.p)
            add(c, session, watch, criteria);
    } else if (view_eq(kind, view_str("standing"))) {
        subscribe_standing(c, &args[1]);
    } else {
        api_fail(c, API_NO_METHOD, "no \"%.*s\" subscription in eth namespace", (int)(kind.n < 64 ? kind.n : 64),
                 (const char *)kind.p);
    }
}

void api_eth_unsubscribe(api_call_t *c, const jo_t *args)
{
    const api_world_t *w = c->world;
    const view_t id = jo_text(&args[0], NULL, 0, SIZE_MAX);
    if (jo_rc(&args[0]))
        return;
    if (!w->session)
        api_fail(c, API_NO_METHOD, "notifications not supported");
    else if ((w->events && w->events->remove(w->events_ctx, w->session, id)) ||
             (w->standing && w->standing->unwatch(w->standing_ctx, w->session, id)))
        jw_bool(&c->out, NULL, true);
    else
        api_fail(c, API_FAILED, "subscription not found");
}
