#include "node/setup/exchange.h"

#include <assert.h>

#include "base/os/clock.h"

hc_request_t *exchange_add(exchange_t *x, const char *base, const char *path, size_t who)
{
    assert(x->n < EXCHANGE_MAX);
    hc_url_join(x->urls[x->n], EXCHANGE_URL, base, path);
    x->requests[x->n] = (hc_request_t){ .url = x->urls[x->n] };
    x->who[x->n] = who;
    return &x->requests[x->n++];
}

rc_t exchange_perform(exchange_t *x, const deadline_t *d)
{
    const uint64_t now = clock_monotonic_ms(), left = d->until_ms > now ? d->until_ms - now : 0;
    if (!left || (d->cancel && d->cancel(d->ctx)))
        return RC_TIMEOUT;
    for (size_t i = 0; i < x->n; i++)
        x->requests[i].timeout_ms = left < EXCHANGE_MS ? (uint32_t)left : EXCHANGE_MS;
    if (x->n)
        hc_perform(d->http, x->responses, x->requests, x->n, d->cancel, d->ctx);
    for (size_t i = 0; i < x->n; i++)
        if (x->responses[i].elapsed_ms > x->slowest_ms) {
            x->slowest = x->who[i];
            x->slowest_ms = x->responses[i].elapsed_ms;
        }
    return RC_OK;
}

view_t exchange_body(const exchange_t *x, err_t *e, size_t i, bool places)
{
    const hc_response_t *r = &x->responses[i];
    if (!r->why.rc && r->status == 200)
        return r->body ? view_of(r->body, r->body_len) : view_str("");
    if (r->why.rc == RC_REFUSED)
        (void)err_set(e, r->why.rc, "%s (setup_may_reach)", r->why.text);
    else if (r->why.rc)
        (void)err_say(e, r->why.rc, r->why.text);
    else
        (void)err_set(e, RC_IO, "HTTP status %d%s%s%s", r->status, r->moved[0] ? ": it has moved" : "",
                      r->moved[0] && places ? " to " : "", places ? r->moved : "");
    return view_of(NULL, 0);
}

void exchange_clear(exchange_t *x)
{
    for (size_t i = 0; i < x->n; i++)
        hc_response_clear(&x->responses[i]);
    memset(x->responses, 0, sizeof x->responses);
    x->n = 0;
}
