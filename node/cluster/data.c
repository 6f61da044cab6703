#include "node/cluster/data.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/os/clock.h"
#include "rpc/upstream/beacon.h"

#define URL_MAX 1400u
#define ARENA_MAX ((size_t)64 << 20) /* bytes: the largest answer of a beacon API as JSON tree and as SSZ */
#define LOOK_NS 50000000L            /* between two looks at whether who waits is to stop */

/* ---- asking, on the follower's thread ---- */

/* The nth member to ask: whoever answered last comes first. NULL: there are not so many. */
static net_conn_t *nth_member(cluster_t *c, size_t nth)
{
    const size_t n = join_members(c->join, c->seen, CLUSTER_MEMBERS_MAX);
    size_t peers = 0, good = 0;
    net_conn_t *conns[CLUSTER_MEMBERS_MAX];
    for (size_t i = 0; i < n; i++) {
        if (c->seen[i].phase != JOIN_PEER)
            continue;
        if (net_number(c->seen[i].conn) == c->data_good)
            good = peers;
        conns[peers++] = c->seen[i].conn;
    }
    return nth < peers ? conns[(good + nth) % peers] : NULL;
}

/* With the lock held. */
static void end_call(cluster_t *c, rc_t rc)
{
    c->data.rc = rc;
    c->data.state = DATA_ENDED;
    pthread_cond_broadcast(&c->done);
}

/* On the loop's thread. */
static void begin_call(void *ctx)
{
    cluster_t *c = ctx;
    net_conn_t *conn = nth_member(c, c->data.nth);
    rc_t rc = conn ? RC_OK : RC_NEED_DATA;
    uint64_t id = 0;
    if (conn) {
        const lc_want_t *w = &c->data.want;
        const lcdata_want_t want = {
            .kind = w->kind, .root = w->block_root, .period = w->period, .count = w->count ? w->count : 1
        };
        peerid_text(c->data.member.name, net_peer(conn));
        rc = lcdata_ask(c->lcdata, &id, conn, &want);
    }
    pthread_mutex_lock(&c->lock);
    c->data.id = id;
    c->data.number = conn ? net_number(conn) : 0;
    if (rc)
        end_call(c, rc);
    pthread_mutex_unlock(&c->lock);
}

/* Copies an answer into the call. RC_NOMEM. */
static rc_t copy_answer(follow_member_t *m, const lcdata_answer_t *a)
{
    size_t total = 0;
    for (size_t i = 0; i < a->count; i++)
        total += a->objects[i].n;
    m->bytes = malloc(total ? total : 1);
    if (!m->bytes)
        return RC_NOMEM;
    wr_t w = wr_of(m->bytes, total);
    for (m->count = 0; m->count < a->count; m->count++) {
        const view_t o = a->objects[m->count];
        m->objects[m->count] = view_of(w.p + w.n, o.n);
        wr_bytes(&w, o.p, o.n);
    }
    snprintf(m->why, sizeof m->why, "%.*s", (int)a->why.n, (const char *)a->why.p);
    return RC_OK;
}

static void answered(void *ctx, uint64_t id, rc_t rc, const lcdata_answer_t *answer)
{
    cluster_t *c = ctx;
    pthread_mutex_lock(&c->lock);
    if (c->data.state == DATA_ASKED && c->data.id == id) {
        rc = rc ? rc : copy_answer(&c->data.member, answer);
        if (!rc && answer->count)
            c->data_good = c->data.number;
        end_call(c, rc);
    }
    pthread_mutex_unlock(&c->lock);
}

static bool wait_for_end(cluster_t *c, bool (*stopping)(void *ctx), void *stop_ctx)
{
    while (c->data.state != DATA_ENDED && !stopping(stop_ctx)) {
        struct timespec until;
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += LOOK_NS;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        (void)pthread_cond_timedwait(&c->done, &c->lock, &until);
    }
    return c->data.state == DATA_ENDED;
}

rc_t data_ask(void *ctx, follow_member_t *out, err_t *e, const lc_want_t *want, size_t nth, bool (*stopping)(void *ctx),
              void *stop_ctx)
{
    cluster_t *c = ctx;
    *out = (follow_member_t){ .count = 0 };
    pthread_mutex_lock(&c->lock);
    c->data = (data_call_t){ .state = DATA_ASKED, .want = *want, .nth = nth };
    rc_t rc = c->stopping ? RC_NEED_DATA : loop_post(c->loop, begin_call, c);
    if (rc) {
        pthread_mutex_unlock(&c->lock);
        return err_say(e, rc, rc == RC_NOMEM ? "out of memory" : "the overlay has ended");
    }
    const bool ended = wait_for_end(c, stopping, stop_ctx);
    rc = ended ? c->data.rc : RC_TIMEOUT;
    *out = c->data.member;
    c->data = (data_call_t){ .state = DATA_IDLE }; /* what comes later is passed over */
    pthread_mutex_unlock(&c->lock);
    return rc == RC_TIMEOUT     ? err_say(e, rc, "no answer in time")
           : rc == RC_NEED_DATA ? err_say(e, rc, "there is no member to ask")
           : rc                 ? err_set(e, rc, "no answer: %s", rc_name(rc))
                                : RC_OK;
}

/* ---- giving ---- */

/* What a member wants, and this node does not keep, on its way from a beacon API. */
typedef struct {
    cluster_t *cluster;
    uint64_t ticket;
    lc_want_t want;
    arena_t arena;
    lcdata_answer_t answer;
    char why[LCDATA_WHY_MAX];
} fetch_t;

static void give(cluster_t *c, uint64_t ticket, lcdata_answer_t *answer, char why[LCDATA_WHY_MAX])
{
    answer->why = view_str(why);
    lcdata_answer(c->lcdata, ticket, answer);
}

static void end_fetch(void *ctx)
{
    fetch_t *f = ctx;
    give(f->cluster, f->ticket, &f->answer, f->why);
    arena_free(&f->arena);
    free(f);
}

static void queue_fetch(cluster_t *c, uint64_t ticket, const lc_want_t *want)
{
    pthread_mutex_lock(&c->lock);
    const bool fits = c->fetch_count < CLUSTER_FETCHES_MAX;
    if (fits)
        c->fetches[c->fetch_count++] = (data_fetch_t){ ticket, *want };
    pthread_mutex_unlock(&c->lock);
    if (fits)
        worker_wake(c->fetcher);
    else
        give(c, ticket, &(lcdata_answer_t){ .count = 0 }, (char[LCDATA_WHY_MAX]){ "busy" });
}

static void wanted(void *ctx, uint64_t ticket, const lcdata_want_t *w)
{
    cluster_t *c = ctx;
    const lc_want_t want = {
        .kind = (lc_kind_t)w->kind, .block_root = w->root, .period = w->period, .count = w->count
    };
    const bool is_update = w->kind == LC_UPDATE, is_known = is_update || w->kind == LC_BOOTSTRAP;
    lcdata_answer_t answer = { .count = 0 };
    char why[LCDATA_WHY_MAX];
    arena_t a;
    if (w->kind < LC_BOOTSTRAP || w->kind > LC_OPTIMISTIC) {
        give(c, ticket, &answer, (char[LCDATA_WHY_MAX]){ "no such kind is known here" });
        return;
    }
    arena_init(&a, LCDATA_ANSWER_MAX + (64u << 10));
    answer.count = objects_get(c->with.objects, answer.objects, &a, &want);
    objects_said(c->with.objects, why);
    if (!answer.count && is_known && c->with.config->consensus_rpc.count)
        queue_fetch(c, ticket, &want);
    else
        give(c, ticket, &answer, why);
    arena_free(&a);
}

/* A bootstrap is of the block that was wanted, or it is not handed on. */
static rc_t check_bootstrap(err_t *e, const lc_network_t *net, const lc_want_t *want, const bn_object_t *object,
                            uint64_t now_ms)
{
    unsigned moved;
    lc_sync_t *s = lc_sync_new(&(lc_sync_config_t){
        .network = net, .checkpoint = want->block_root, .checkpoint_age_max_s = UINT64_MAX / 2000 });
    const rc_t rc = s ? lc_sync_input(s, &moved, e, LC_BOOTSTRAP, object->fork, object->ssz, now_ms)
                      : err_say(e, RC_NOMEM, "out of memory");
    lc_sync_free(s);
    return rc;
}

/* Puts what a beacon API gave into the answer. */
static rc_t take_body(fetch_t *f, err_t *e, const hc_response_t *r)
{
    const config_t *config = f->cluster->with.config;
    const lc_network_t *net = &config->network;
    const char *version = r->consensus_version[0] ? r->consensus_version : NULL;
    bn_object_t *objects = arena_calloc(&f->arena, LC_UPDATES_PER_REQUEST_MAX, sizeof *objects);
    size_t n = 0;
    if (r->why.rc || r->status != 200)
        return r->why.rc ? err_say(e, r->why.rc, r->why.text) : err_set(e, RC_IO, "HTTP status %d", r->status);
    rc_t rc = objects ? bn_decode(objects, &n, e, &f->arena, net, &f->want, r->content_type, version,
                                  view_of(r->body, r->body_len))
                      : err_say(e, RC_NOMEM, "out of memory");
    if (!rc && f->want.kind == LC_BOOTSTRAP)
        rc = check_bootstrap(e, net, &f->want, objects,
                             (uint64_t)f->cluster->with.now_s(f->cluster->with.time_ctx) * 1000);
    if (!rc && n && objects->newer)
        return err_say(e, RC_UNSUPPORTED, "is of a fork that this build does not know");
    for (size_t i = 0; !rc && i < n && i < LCDATA_OBJECTS_MAX; i++) {
        if (objects_pack(&f->answer.objects[i], &f->arena, net, objects[i].fork, objects[i].ssz))
            break;
        f->answer.count = i + 1;
    }
    if (!rc && f->want.kind == LC_BOOTSTRAP)
        objects_note(f->cluster->with.objects, LC_BOOTSTRAP, objects->fork, objects->ssz, &f->want.block_root);
    return rc;
}

static bool fetcher_stops(void *ctx)
{
    return worker_stopping(((cluster_t *)ctx)->fetcher_self);
}

/* Asks the beacon APIs in their order until one gives it. */
static void fetch(fetch_t *f)
{
    up_t *u = f->cluster->with.consensus;
    size_t order[UP_ENDPOINTS_MAX];
    const size_t n = up_order_ready(u, order, clock_monotonic_ms());
    for (size_t i = 0; i < n && !f->answer.count; i++) {
        char url[URL_MAX], path[BN_PATH_MAX];
        hc_response_t r = { .status = 0 };
        err_t e;
        bn_path(path, &f->want);
        hc_url_join(url, sizeof url, up_url(u, order[i]), path);
        const hc_request_t request = {
            .url = url, .ca_file = up_ca_file(u), .accept = BN_ACCEPT, .body_max = bn_body_max(&f->want)
        };
        hc_perform(f->cluster->with.http, &r, &request, 1, fetcher_stops, f->cluster);
        if (take_body(f, &e, &r))
            snprintf(f->why, sizeof f->why, "consensus_rpc[%zu]: %.180s", order[i], e.text);
        hc_response_clear(&r);
    }
}

static bool next_fetch(cluster_t *c, data_fetch_t *out)
{
    pthread_mutex_lock(&c->lock);
    const bool is_there = c->fetch_count != 0;
    if (is_there)
        *out = c->fetches[--c->fetch_count];
    pthread_mutex_unlock(&c->lock);
    return is_there;
}

static void run_fetches(worker_t *w, void *ctx)
{
    cluster_t *c = ctx;
    c->fetcher_self = w;
    do {
        for (data_fetch_t next; !worker_stopping(w) && next_fetch(c, &next);) {
            fetch_t *f = calloc(1, sizeof *f);
            if (!f)
                continue; /* the asker's time runs out */
            f->cluster = c;
            f->ticket = next.ticket;
            f->want = next.want;
            arena_init(&f->arena, ARENA_MAX);
            fetch(f);
            if (loop_post(c->loop, end_fetch, f)) {
                arena_free(&f->arena);
                free(f);
            }
        }
    } while (worker_sleep_until(w, UINT64_MAX));
}

rc_t data_new(cluster_t *c)
{
    return lcdata_new(&c->lcdata, &(lcdata_config_t){ wanted, answered, c });
}

rc_t data_start(cluster_t *c, err_t *e)
{
    return worker_start(&c->fetcher, e, "lcdata", run_fetches, c);
}
