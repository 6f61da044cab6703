#include "node/setup/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/os/clock.h"
#include "base/os/log.h"
#include "lightclient/consensus/sync.h"
#include "node/setup/quorum.h"
#include "rpc/upstream/finality.h"
#include "rpc/upstream/heard.h"

_Static_assert(QUORUM_SERVERS_MAX == OPTION_URLS_MAX && SETUP_HOSTS_MAX == OPTION_URLS_MAX, "one list of servers");
_Static_assert(SETUP_HOST_MAX == CHECKPOINT_HOST_MAX, "each of them has a place in the statement");

typedef struct {
    const checkpoint_ask_t *ask;
    quorum_server_t servers[OPTION_URLS_MAX];
    err_t why[OPTION_URLS_MAX];                 /* what a server did instead of answering, */
    char heard[OPTION_URLS_MAX][HEARD_MAX + 1]; /* and what its answer began with: for the log */
    uint64_t best;                              /* the newest epoch that enough have finalized, too old or not */
    bool asked_roots;                           /* for the block roots of an epoch */
    exchange_t exchange;
} search_t;

static const config_checkpoint_t *source(const search_t *s)
{
    return &s->ask->config->checkpoint;
}

static void add(search_t *s, size_t server, const char *path)
{
    hc_request_t *q = exchange_add(&s->exchange, source(s)->of.urls[server], path, server);
    q->ca_file = s->ask->config->ca_file.consensus;
    q->body_max = FINALITY_BODY_MAX;
    q->reach = config_reach(s->ask->config, s->ask->config->checkpoint_found == SETUP_FOUND_SETUP);
    q->want_header = "Kettle-Node:"; /* of nodes like this one, which count as one */
}

/* The body of answer i, and who gave it; p NULL: there is none, and why is noted. */
static view_t body_of(search_t *s, size_t *who, size_t i)
{
    err_t why;
    *who = s->exchange.who[i];
    const view_t body = exchange_body(&s->exchange, &why, i, s->ask->asked_by_owner);
    heard_of(s->heard[*who], &s->exchange.responses[i], source(s)->of.urls[*who]);
    s->servers[*who].node |= s->exchange.responses[i].header != NULL;
    if (!body.p)
        s->why[*who] = why;
    return body;
}

static void note(search_t *s, size_t who, rc_t rc, const err_t *e)
{
    if (!rc)
        return;
    s->why[who] = *e;
    (void)err_before(&s->why[who], rc, "%s: ", e->field);
}

static rc_t gave_up(const search_t *s, err_t *e)
{
    if (!s->exchange.slowest_ms)
        return err_in(e, RC_TIMEOUT, "checkpoint", "the servers were not asked to an end");
    return err_in(e, RC_TIMEOUT, "checkpoint",
                  "the servers were not asked to an end in time: checkpoint.of[%zu] took "
                  "%u s",
                  s->exchange.slowest, s->exchange.slowest_ms / 1000);
}

/* What each has finalized. */
static rc_t ask_epochs(search_t *s, err_t *e)
{
    err_t bad;
    for (size_t i = 0; i < source(s)->of.count; i++)
        add(s, i, FINALITY_PATH);
    if (exchange_perform(&s->exchange, &s->ask->deadline))
        return gave_up(s, e);
    for (size_t i = 0; i < s->exchange.n; i++) {
        size_t who;
        const view_t body = body_of(s, &who, i);
        quorum_server_t *v = &s->servers[who];
        const rc_t rc = body.p ? finality_read(&v->epoch, &v->root, &bad, body) : RC_OK;
        v->answered = body.p && !rc;
        note(s, who, rc, &bad);
    }
    exchange_clear(&s->exchange);
    return RC_OK;
}

/* The root that each names at an epoch that it has finalized: known already of those whose newest it is. */
static rc_t ask_roots(search_t *s, err_t *e, const hash32_t newest[], uint64_t epoch)
{
    char path[FINALITY_ROOT_PATH_MAX];
    err_t bad;
    s->asked_roots = true;
    finality_root_path(path, lc_first_slot(&s->ask->config->network, epoch));
    for (size_t i = 0; i < source(s)->of.count; i++) {
        s->servers[i].named = s->servers[i].answered && s->servers[i].epoch == epoch;
        s->servers[i].root = newest[i];
        if (s->servers[i].answered && s->servers[i].epoch > epoch)
            add(s, i, path);
    }
    if (exchange_perform(&s->exchange, &s->ask->deadline))
        return gave_up(s, e);
    for (size_t i = 0; i < s->exchange.n; i++) {
        size_t who;
        const view_t body = body_of(s, &who, i);
        const rc_t rc = body.p ? finality_read_root(&s->servers[who].root, &bad, body) : RC_OK;
        s->servers[who].named = body.p && !rc;
        note(s, who, rc, &bad);
    }
    exchange_clear(&s->exchange);
    return RC_OK;
}

/* Who does not name the root, and what of it is known. */
static void tell(const search_t *s, const checkpoint_t *found, uint32_t by)
{
    for (size_t i = 0; i < source(s)->of.count; i++) {
        const char *heard = s->why[i].rc ? s->heard[i] : "";
        if (!(by >> i & 1))
            log_write(LOG_WARN, "checkpoint", "%s does not name the root that %zu of %zu servers name: %s%s%s",
                      source(s)->hosts[i], found->by_count, found->of,
                      s->servers[i].named ? "it names another one"
                      : s->why[i].rc      ? s->why[i].text
                                          : "it has not finalized that epoch",
                      heard_word(heard), heard);
    }
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
    rc_t rc = quorum_epoch(&epoch, e, s->servers, source(s)->of.count, source(s)->quorum, 0);
    s->best = epoch;
    if (!rc)
        rc = quorum_epoch(&epoch, e, s->servers, source(s)->of.count, source(s)->quorum, oldest);
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

const char *checkpoint_duration(char out[40], uint64_t ms)
{
    const unsigned long long s = ms / 1000;
    if (s >= 86400)
        snprintf(out, 40, "%llu d %llu h", s / 86400, s / 3600 % 24);
    else if (s >= 3600)
        snprintf(out, 40, "%llu h %llu min", s / 3600, s / 60 % 60);
    else
        snprintf(out, 40, "%llu s", s);
    return out;
}

/* What server i did that it does not count. */
static const char *fault_of(char out[40], const search_t *s, size_t i)
{
    const quorum_server_t *v = &s->servers[i];
    if (s->why[i].rc)
        return s->why[i].text;
    if (v->named)
        snprintf(out, 40, "names 0x%02x%02x%02x%02x...", v->root.b[0], v->root.b[1], v->root.b[2], v->root.b[3]);
    else
        snprintf(out, 40, "%s", v->answered ? "has not finalized that epoch" : "did not answer");
    return out;
}

/* Tells the operator by which hosts' fault there is none. */
static void tell_faults(const search_t *s)
{
    for (size_t i = 0; i < source(s)->of.count; i++)
        if (s->why[i].rc)
            log_write(LOG_WARN, "checkpoint", "%s: checkpoint.of[%zu]: %s%s%s", source(s)->hosts[i], i, s->why[i].text,
                      heard_word(s->heard[i]), s->heard[i]);
}

/* Who is to blame that there is no quorum, behind how many there are; of what is too old how old, and the way out. */
static void say_more(const search_t *s, err_t *e)
{
    char more[sizeof e->text] = "", one[40], bound[40];
    const config_t *c = s->ask->config;
    size_t n = 0;
    if (e->rc == RC_LIMIT) {
        const uint64_t bound_ms = lc_checkpoint_bound_ms(&c->network, c->checkpoint_age_max_s);
        const uint64_t at = lc_slot_start_ms(&c->network, lc_first_slot(&c->network, s->best));
        (void)err_set(
            e, RC_LIMIT,
            "epoch %llu, the newest that %zu of %zu servers have finalized, is %s old, which is too old: it may be %s. "
            "%s",
            (unsigned long long)s->best, source(s)->quorum, source(s)->of.count,
            checkpoint_duration(one, s->ask->now_ms > at ? s->ask->now_ms - at : 0),
            checkpoint_duration(bound, bound_ms), CHECKPOINT_HOW);
        return;
    }
    for (size_t i = 0; (e->rc == RC_NEED_DATA || e->rc == RC_REFUSED) && i < source(s)->of.count && n < sizeof more;
         i++) {
        const bool counts = s->servers[i].answered && !s->servers[i].named && !s->asked_roots;
        if (!counts)
            n += (size_t)snprintf(more + n, sizeof more - n, "; checkpoint.of[%zu]: %s", i, fault_of(one, s, i));
    }
    const err_t plain = *e;
    (void)err_set(e, e->rc, "%s%s", plain.text, more);
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
    if (s && rc) {
        tell_faults(s);
        say_more(s, &bad);
    }
    free(s);
    return rc ? err_in(e, rc, "checkpoint", "%s", bad.text) : RC_OK;
}
