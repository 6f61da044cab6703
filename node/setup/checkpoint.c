#include "node/setup/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/os/clock.h"
#include "base/os/log.h"
#include "lightclient/consensus/sync.h"
#include "node/setup/quorum.h"
#include "rpc/upstream/finality.h"

#define ROUND_MS 8000u /* of one exchange with all servers */
#define URL_MAX (OPTION_TEXT_MAX + FINALITY_ROOT_PATH_MAX)
_Static_assert(QUORUM_SERVERS_MAX == OPTION_URLS_MAX && SETUP_HOSTS_MAX == OPTION_URLS_MAX, "one list of servers");
_Static_assert(SETUP_HOST_MAX == CHECKPOINT_HOST_MAX, "each of them has a place in the statement");

typedef struct {
    const checkpoint_ask_t *ask;
    quorum_server_t servers[OPTION_URLS_MAX];
    err_t why[OPTION_URLS_MAX]; /* what a server did instead of answering */
    hc_request_t requests[OPTION_URLS_MAX];
    hc_response_t responses[OPTION_URLS_MAX];
    char urls[OPTION_URLS_MAX][URL_MAX];
    size_t who[OPTION_URLS_MAX], n; /* of one exchange */
} search_t;

static const config_checkpoint_t *source(const search_t *s)
{
    return &s->ask->config->checkpoint;
}

static void add(search_t *s, size_t server, const char *path)
{
    hc_url_join(s->urls[s->n], URL_MAX, source(s)->of.urls[server], path);
    s->requests[s->n] = (hc_request_t){ .url = s->urls[s->n], .body_max = FINALITY_BODY_MAX };
    s->who[s->n++] = server;
}

/* Asks all that were added. False: there is no time left, or it is to stop. */
static bool perform(search_t *s)
{
    const uint64_t now = clock_monotonic_ms(), left = s->ask->until_ms > now ? s->ask->until_ms - now : 0;
    if (!left || (s->ask->cancel && s->ask->cancel(s->ask->ctx)))
        return false;
    for (size_t i = 0; i < s->n; i++)
        s->requests[i].timeout_ms = left < ROUND_MS ? (uint32_t)left : ROUND_MS;
    hc_perform(s->ask->http, s->responses, s->requests, s->n, s->ask->cancel, s->ask->ctx);
    return true;
}

/* The body of an answer that is one; p NULL: it is none, and why is noted. */
static view_t body_of(search_t *s, size_t i)
{
    const hc_response_t *r = &s->responses[i];
    err_t bad;
    if (!r->why.rc && r->status == 200)
        return view_of(r->body, r->body_len);
    if (r->why.rc)
        err_say(&bad, r->why.rc, r->why.text);
    else
        err_set(&bad, RC_IO, "HTTP status %d", r->status);
    s->why[s->who[i]] = bad;
    return view_of(NULL, 0);
}

static void note(search_t *s, size_t i, rc_t rc, const err_t *e)
{
    if (!rc)
        return;
    s->why[s->who[i]] = *e;
    (void)err_before(&s->why[s->who[i]], rc, "%s: ", e->field);
}

static rc_t gave_up(err_t *e)
{
    return err_in(e, RC_TIMEOUT, "checkpoint", "the servers were not asked to an end");
}

/* What each has finalized. */
static rc_t ask_epochs(search_t *s, err_t *e)
{
    err_t bad;
    s->n = 0;
    for (size_t i = 0; i < source(s)->of.count; i++)
        add(s, i, FINALITY_PATH);
    if (!perform(s))
        return gave_up(e);
    for (size_t i = 0; i < s->n; i++) {
        quorum_server_t *v = &s->servers[s->who[i]];
        const view_t body = body_of(s, i);
        const rc_t rc = body.p ? finality_read(&v->epoch, &v->root, &bad, body) : RC_OK;
        v->answered = body.p && !rc;
        note(s, i, rc, &bad);
        hc_response_clear(&s->responses[i]);
    }
    return RC_OK;
}

/* The root that each names at an epoch that it has finalized: known already of those whose newest it is. */
static rc_t ask_roots(search_t *s, err_t *e, const hash32_t newest[], uint64_t epoch)
{
    char path[FINALITY_ROOT_PATH_MAX];
    err_t bad;
    finality_root_path(path, lc_first_slot(&s->ask->config->network, epoch));
    s->n = 0;
    for (size_t i = 0; i < source(s)->of.count; i++) {
        s->servers[i].named = s->servers[i].answered && s->servers[i].epoch == epoch;
        s->servers[i].root = newest[i];
        if (s->servers[i].answered && s->servers[i].epoch > epoch)
            add(s, i, path);
    }
    if (s->n && !perform(s))
        return gave_up(e);
    for (size_t i = 0; i < s->n; i++) {
        quorum_server_t *v = &s->servers[s->who[i]];
        const view_t body = body_of(s, i);
        const rc_t rc = body.p ? finality_read_root(&v->root, &bad, body) : RC_OK;
        v->named = body.p && !rc;
        note(s, i, rc, &bad);
        hc_response_clear(&s->responses[i]);
    }
    return RC_OK;
}

/* Who does not name the root, and what of it is known. */
static void tell(const search_t *s, const checkpoint_t *found, uint32_t by)
{
    for (size_t i = 0; i < source(s)->of.count; i++)
        if (!(by >> i & 1))
            log_write(LOG_WARN, "checkpoint", "%s does not name the root that %zu of %zu servers name: %s",
                      source(s)->hosts[i], found->by_count, found->of,
                      s->servers[i].named ? "it names another one"
                      : s->why[i].rc      ? s->why[i].text
                                          : "it has not finalized that epoch");
}

static void take(checkpoint_t *out, const search_t *s, const hash32_t *root, uint32_t by)
{
    *out = (checkpoint_t){ .root = *root, .of = source(s)->of.count };
    for (size_t i = 0; i < out->of; i++)
        if (by >> i & 1)
            out->by[out->by_count++] = source(s)->hosts[i];
}

/* The first epoch that is not too old to begin from. */
static uint64_t oldest_epoch(const search_t *s)
{
    const config_t *c = s->ask->config;
    const uint64_t bound = lc_checkpoint_bound_ms(&c->network, c->checkpoint_age_max_s);
    const uint64_t slot = s->ask->now_ms > bound ? lc_slot_at(&c->network, s->ask->now_ms - bound) : 0;
    return slot ? lc_epoch_of_slot(&c->network, slot) + 1 : 0;
}

/* What they agree on, an epoch further back where its block is missing (a slot without a block has no root). */
static rc_t agree(search_t *s, checkpoint_t *out, err_t *e)
{
    hash32_t newest[OPTION_URLS_MAX], root;
    uint64_t epoch = 0, oldest = oldest_epoch(s);
    uint32_t by = 0;
    for (size_t i = 0; i < OPTION_URLS_MAX; i++)
        newest[i] = s->servers[i].root;
    rc_t rc = quorum_epoch(&epoch, e, s->servers, source(s)->of.count, source(s)->quorum, oldest);
    for (unsigned step = 0; !rc; step++) {
        rc = ask_roots(s, e, newest, epoch);
        if (rc)
            break;
        rc = quorum_root(&root, &by, e, s->servers, source(s)->of.count, source(s)->quorum);
        if (!rc) {
            take(out, s, &root, by);
            tell(s, out, by);
            return RC_OK;
        }
        if (rc == RC_NEED_DATA && step + 1 < CHECKPOINT_STEPS_MAX && epoch > oldest) {
            rc = RC_OK;
            epoch--;
        }
    }
    return rc;
}

rc_t checkpoint_find(checkpoint_t *out, err_t *e, const checkpoint_ask_t *x)
{
    if (x->config->checkpoint.kind != CHECKPOINT_QUORUM) {
        *out = (checkpoint_t){ .root = x->config->checkpoint.root };
        return RC_OK;
    }
    err_t bad = { 0 };
    search_t *s = calloc(1, sizeof *s);
    rc_t rc = s ? RC_OK : err_say(&bad, RC_NOMEM, "out of memory");
    if (s)
        s->ask = x;
    if (!rc)
        rc = ask_epochs(s, &bad);
    if (!rc)
        rc = agree(s, out, &bad);
    free(s);
    return rc ? err_in(e, rc, "checkpoint", "%s", bad.text) : RC_OK;
}
