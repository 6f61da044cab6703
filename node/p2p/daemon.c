#include "node/p2p/daemon.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/os/log.h"
#include "base/os/worker.h"
#include "node/p2p/seats.h"
#include "node/p2p/shown.h"
#include "node/query/jobs.h"

#define ANSWER_MAX ((size_t)2 << 20)
#define STOP_GRACE_MS 500u
#define WAIT_FIRST_S 30u /* for the list of a head that is being asked for */

/* Who waits for a list. */
typedef struct waiter {
    struct waiter *next;
    hs_pending_t *pending;
    bool registers;                   /* for the registration, not for a list */
    char after[SHOWN_CURSOR_LEN + 1]; /* the list that he has; empty: the next result is his */
    uint64_t until_ms;
} waiter_t;

struct daemon {
    daemon_config_t with;
    p2p_list_t *list;
    writer_t *writer;
    seats_t *seats;       /* NULL: not in mode wireguard */
    rollcall_t *rollcall; /* NULL: nobody is told of it */
    hs_t *server;
    pthread_mutex_t lock; /* all below */
    worker_t *worker;     /* NULL: it is stopped */
    ex_block_t head;
    bool has_head, reading, stopping;
    bool done;         /* a result is there: of the head, or */
    uint64_t done_for; /* of this block */
    uint64_t again_ms; /* it failed, and is tried again then */
    shown_t shown;     /* the newest list */
    err_t failed;      /* why there is none; RC_OK: there is */
    err_t told;        /* what the log was told last of a list that is old, or of none */
    waiter_t *waiters;
    uint64_t reads, failures;
};

/* ---- answers ---- */

/* Fills r with what was written. */
static void put_text(hs_response_t *r, jw_t *w)
{
    const view_t text = jw_done(w);
    r->body = text.p ? malloc(text.n) : NULL;
    if (r->body) {
        memcpy(r->body, text.p, text.n);
        r->body_len = text.n;
        r->status = 200;
    } else {
        hs_problem(r, 503, "out-of-memory", "out of memory");
    }
    jw_free(w);
}

/* Fills r with the list, or with why there is none. With the lock held. */
static void answer(daemon_t *d, hs_response_t *r)
{
    const uint64_t now_s = d->with.now_s(d->with.ctx);
    err_t e = d->failed;
    rc_t rc = d->failed.rc;
    if (!rc && !d->shown.is_set)
        rc = err_say(&e, RC_NEED_DATA, "not ready: no verified head yet");
    if (!rc)
        rc = members_check_age(&e, d->shown.block_time_s, now_s, d->with.membership->max_age_s);
    if (rc) {
        const char *slug = "not-ready";
        const int status = rc == RC_NEED_DATA ? 503 : jobs_status(&slug, rc, &e);
        hs_problem(r, status, slug, e.text);
        return;
    }
    jw_t w = jw_of(NULL, ANSWER_MAX);
    jw_object(&w, NULL);
    shown_put(&w, &d->shown, now_s);
    jw_end(&w);
    put_text(r, &w);
}

/* How far the registration is: in mode wireguard nothing is sent before the interface can be had. */
static writer_state_t state_of(daemon_t *d, err_t *why)
{
    const wg_state_t wg = d->with.wg ? wg_state(d->with.wg, why) : WG_READY;
    if (wg == WG_HINDERED)
        return WRITER_STUCK;
    return wg == WG_READY ? writer_state(d->writer, why) : WRITER_AT_WORK;
}

/* Fills r with how the registration ended, or with what keeps it. */
static void answer_registration(daemon_t *d, hs_response_t *r)
{
    err_t why;
    const writer_state_t state = state_of(d, &why);
    if (state == WRITER_REGISTERED) {
        jw_t w = jw_of(NULL, ANSWER_MAX);
        jw_object(&w, NULL);
        writer_put(d->writer, &w);
        jw_end(&w);
        put_text(r, &w);
    } else if (state == WRITER_STUCK) {
        hs_problem(r, why.rc == RC_UNSUPPORTED ? 501 : 409, why.rc == RC_UNSUPPORTED ? "unsupported" : "refused",
                   why.text);
    } else {
        hs_problem(r, 504, "call-timeout", why.rc ? why.text : "the chain does not show the registration yet");
    }
}

static bool is_settled(daemon_t *d)
{
    err_t why;
    const writer_state_t state = d->writer ? state_of(d, &why) : WRITER_IDLE;
    return state == WRITER_REGISTERED || state == WRITER_STUCK;
}

/* Whether a result for the head is there. With the lock held. */
static bool is_up_to_date(const daemon_t *d)
{
    return d->has_head && d->done && d->head.env.number < d->done_for + d->with.membership->every;
}

static bool has_another(const daemon_t *d, const char *after)
{
    return d->failed.rc || (d->shown.is_set && strcmp(d->shown.cursor, after) != 0);
}

/* Answers those who need not wait any more: with a result just come, or because their time is over. */
static void release(daemon_t *d, bool has_come)
{
    const uint64_t now_ms = clock_monotonic_ms();
    const bool settled = is_settled(d);
    waiter_t *done = NULL;
    pthread_mutex_lock(&d->lock);
    for (waiter_t **at = &d->waiters, *w; (w = *at);) {
        const bool gets = w->registers ? settled : has_come && (!w->after[0] || has_another(d, w->after));
        if (!gets && !d->stopping && now_ms < w->until_ms && !hs_pending_gone(w->pending)) {
            at = &w->next;
            continue;
        }
        *at = w->next;
        w->next = done;
        done = w;
    }
    pthread_mutex_unlock(&d->lock);
    for (waiter_t *w = done, *next; w; w = next) {
        hs_response_t r = { .status = 0 };
        next = w->next;
        pthread_mutex_lock(&d->lock);
        if (d->stopping)
            hs_problem(&r, 503, "stopping", "the node is stopping");
        else if (w->registers)
            answer_registration(d, &r);
        else
            answer(d, &r);
        pthread_mutex_unlock(&d->lock);
        hs_answer(w->pending, &r);
        free(w);
    }
}

static void wake(void *ctx)
{
    daemon_t *d = ctx;
    pthread_mutex_lock(&d->lock);
    worker_wake(d->worker);
    pthread_mutex_unlock(&d->lock);
}

/* The writer has looked: it may have its key now. */
static void on_looked(void *ctx)
{
    wake(ctx);
    release(ctx, false);
}

/* ---- mode wireguard ---- */

/* The interface can be had, or not. */
static void on_checked(void *ctx)
{
    daemon_t *d = ctx;
    err_t why;
    if (wg_state(d->with.wg, &why) == WG_READY)
        writer_register(d->writer);
    release(d, false);
}

static void on_seats(void *ctx, const wg_seats_t *seats)
{
    daemon_t *d = ctx;
    addr_t wallet;
    if (writer_address(d->writer, &wallet)) /* without it nothing has been registered */
        wg_list(d->with.wg, seats, &wallet);
}

static rc_t sign_as_wallet(void *ctx, uint8_t out[ECDSA_SIG65_LEN], const hash32_t *digest)
{
    return writer_sign(((daemon_t *)ctx)->writer, out, digest);
}

static uint64_t tell_now_s(void *ctx)
{
    const daemon_t *d = ctx;
    return d->with.now_s(d->with.ctx);
}

/* Addresses are read from the registration on. When they are next. */
static uint64_t read_seats(daemon_t *d)
{
    addr_t wallet;
    const bool does = d->seats && writer_address(d->writer, &wallet);
    return does ? seats_turn(d->seats, clock_monotonic_ms()) : UINT64_MAX;
}

static void put_wireguard(jw_t *w, daemon_t *d)
{
    err_t why;
    if (!d->with.wg) {
        jw_null(w, "wireguard");
        return;
    }
    seats_trouble(d->seats, &why);
    jw_object(w, "wireguard");
    wg_put(d->with.wg, w);
    if (why.rc)
        jw_str(w, "list_error", why.text);
    else
        jw_null(w, "list_error");
    jw_end(w);
}

static rc_t start_wireguard(daemon_t *d, err_t *e)
{
    const daemon_config_t *k = &d->with;
    const wg_owner_t owner = { .sign = sign_as_wallet, .now_s = tell_now_s, .looked = on_checked, .ctx = d };
    if (!k->wg)
        return RC_OK;
    d->seats = seats_new(&(seats_config_t){ .ask = k->ask,
                                            .chain = k->chain,
                                            .cache = k->cache,
                                            .contract = k->membership->contract,
                                            .told = on_seats,
                                            .turn = wake,
                                            .ctx = d });
    return d->seats ? wg_start(k->wg, e, &owner) : err_say(e, RC_NOMEM, "out of memory");
}

/* ---- the roll ---- */

static bool own_address(void *ctx, addr_t *out)
{
    return writer_address(((daemon_t *)ctx)->writer, out);
}

/* Reads it when it is time, and tells of it; when to turn next. */
static uint64_t turn_roll(daemon_t *d)
{
    rollcall_list_t list;
    if (!d->rollcall)
        return UINT64_MAX;
    const uint64_t next = rollcall_turn(d->rollcall, clock_monotonic_ms());
    rollcall_list(d->rollcall, &list);
    d->with.listed(d->with.ctx, &list);
    return next;
}

muster_do_t daemon_muster(daemon_t *d, err_t *why, bool answers, bool is_kept)
{
    return rollcall_muster(d->rollcall, why, answers, is_kept, clock_monotonic_ms());
}

/* ---- reading ---- */

static void on_list(void *ctx, rc_t rc, const err_t *e, const p2p_answer_t *a)
{
    daemon_t *d = ctx;
    pthread_mutex_lock(&d->lock);
    err_t why = *e;
    if (!rc) {
        rc = shown_take(&d->shown, a);
        why = rc ? (err_t){ .rc = rc, .text = "out of memory" } : a->stale;
    }
    why.rc = rc ? rc : why.rc;
    const bool is_news =
        why.rc && (why.rc != d->told.rc || strcmp(why.field, d->told.field) != 0); /* texts have ages */
    d->told = why;
    d->failed = rc ? why : (err_t){ .rc = RC_OK };
    d->reading = false;
    d->done = true;
    d->again_ms = why.rc ? clock_monotonic_ms() + DAEMON_AGAIN_MS : 0;
    d->reads++;
    d->failures += why.rc != RC_OK;
    worker_wake(d->worker);
    pthread_mutex_unlock(&d->lock);
    if (is_news)
        log_write(LOG_WARN, "members", "%s%s%s%s", rc ? "no list: " : "an older list: ", why.field,
                  why.field[0] ? ": " : "", why.text);
    release(d, true);
}

/* Whether the list is to be read now, which it is then said to be. */
static bool begin_reading(daemon_t *d, ex_block_t *block)
{
    pthread_mutex_lock(&d->lock);
    const bool again = d->again_ms && clock_monotonic_ms() >= d->again_ms;
    const bool begins = d->has_head && !d->reading && !d->stopping && (again || !is_up_to_date(d));
    if (begins) {
        d->reading = true;
        d->done = false;
        d->done_for = d->head.env.number;
        d->again_ms = 0;
        *block = d->head;
    }
    pthread_mutex_unlock(&d->lock);
    return begins;
}

/* When somebody's time is over, or the list is to be tried again. */
static uint64_t next_turn_ms(daemon_t *d)
{
    uint64_t at = UINT64_MAX;
    pthread_mutex_lock(&d->lock);
    for (const waiter_t *w = d->waiters; w; w = w->next)
        at = w->until_ms < at ? w->until_ms : at;
    if (d->again_ms && !d->reading && d->again_ms < at)
        at = d->again_ms;
    pthread_mutex_unlock(&d->lock);
    return at;
}

static void run(worker_t *w, void *ctx)
{
    daemon_t *d = ctx;
    ex_block_t block;
    uint64_t next[3], at;
    do {
        if (begin_reading(d, &block))
            p2p_list_get(d->list, &block, d->with.now_s(d->with.ctx), on_list, d);
        at = read_seats(d);
        release(d, false);
        next[0] = at;
        next[1] = turn_roll(d);
        next[2] = next_turn_ms(d);
        for (size_t i = 0; i < sizeof next / sizeof next[0]; i++)
            at = next[i] < at ? next[i] : at;
    } while (worker_sleep_until(w, at));
}

void daemon_head(daemon_t *d, const ex_block_t *block)
{
    pthread_mutex_lock(&d->lock);
    const bool is_newer = !d->has_head || block->env.number > d->head.env.number;
    if (is_newer) {
        d->head = *block;
        d->has_head = true;
        if (d->rollcall)
            rollcall_head(d->rollcall, block);
        worker_wake(d->worker);
    }
    if (is_newer && d->seats)
        seats_head(d->seats, block);
    pthread_mutex_unlock(&d->lock);
}

void daemon_latest(daemon_t *d, const ex_block_t *block)
{
    writer_head(d->writer, block);
}

/* ---- routes ---- */

/* Reads "after=CURSOR&wait_s=N". False: it is something else. */
static bool read_query(char after[SHOWN_CURSOR_LEN + 1], unsigned *wait_s, const char *query)
{
    unsigned seen = 0;
    for (const char *p = query; *p;) {
        const size_t n = strcspn(p, "&");
        char *end;
        if (!strncmp(p, "after=", 6) && n == 6 + SHOWN_CURSOR_LEN && !(seen & 1)) {
            memcpy(after, p + 6, SHOWN_CURSOR_LEN);
            seen |= 1;
        } else if (!strncmp(p, "wait_s=", 7) && n > 7 && n <= 10 && p[7] >= '0' && p[7] <= '9' && !(seen & 2)) {
            *wait_s = (unsigned)strtoul(p + 7, &end, 10);
            seen |= 2;
            if (end != p + n || *wait_s > DAEMON_WAIT_MAX_S)
                return false;
        } else {
            return false;
        }
        p += n + (p[n] == '&');
    }
    return true;
}

/* Puts the answer off until there is another list than after, or any result; after NULL: until the registration has
 * ended. With the lock held. */
static void wait_for(daemon_t *d, const hs_request_t *request, hs_response_t *r, const char *after, unsigned wait_s)
{
    waiter_t *w = calloc(1, sizeof *w);
    if (w)
        w->pending = hs_defer(request, r);
    else
        hs_problem(r, 503, "out-of-memory", "out of memory");
    if (!w || !w->pending) {
        free(w);
        return;
    }
    w->registers = !after;
    if (after)
        snprintf(w->after, sizeof w->after, "%s", after);
    w->until_ms = clock_monotonic_ms() + 1000u * wait_s;
    w->next = d->waiters;
    d->waiters = w;
}

static void get_peers(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    daemon_t *d = ctx;
    char after[SHOWN_CURSOR_LEN + 1] = "";
    unsigned wait_s = 0;
    if (!read_query(after, &wait_s, request->query)) {
        hs_problem(r, 400, "bad-request", "after (a cursor) and wait_s (0 to 120) are known");
        return;
    }
    pthread_mutex_lock(&d->lock);
    if (d->stopping)
        hs_problem(r, 503, "stopping", "the node is stopping");
    else if (after[0] && wait_s && !has_another(d, after))
        wait_for(d, request, r, after, wait_s);
    else if (d->has_head && !is_up_to_date(d)) /* of the head that came this instant */
        wait_for(d, request, r, "", WAIT_FIRST_S);
    else
        answer(d, r);
    worker_wake(d->worker); /* to look at his time, too */
    pthread_mutex_unlock(&d->lock);
}

/* This node is to be listed; in mode wireguard once its interface can be had. */
static void want_registration(daemon_t *d)
{
    err_t why;
    if (d->with.wg)
        wg_register(d->with.wg);
    if (!d->with.wg || wg_state(d->with.wg, &why) == WG_READY) /* else on_checked */
        writer_register(d->writer);
}

static void post_register(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    daemon_t *d = ctx;
    want_registration(d);
    const bool settled = is_settled(d);
    pthread_mutex_lock(&d->lock);
    if (d->stopping)
        hs_problem(r, 503, "stopping", "the node is stopping");
    else if (settled)
        answer_registration(d, r);
    else
        wait_for(d, request, r, NULL, DAEMON_REGISTER_S);
    worker_wake(d->worker);
    pthread_mutex_unlock(&d->lock);
}

static void get_address(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    daemon_t *d = ctx;
    err_t e;
    const rc_t rc = writer_identity(d->writer, &e);
    jw_t w = jw_of(NULL, ANSWER_MAX);
    (void)request;
    jw_object(&w, NULL);
    writer_put(d->writer, &w);
    jw_end(&w);
    if (rc)
        hs_problem(r, rc == RC_UNSUPPORTED ? 501 : 503, rc == RC_UNSUPPORTED ? "unsupported" : "no-key", e.text);
    else
        put_text(r, &w);
    if (rc)
        jw_free(&w);
}

static void put_list(jw_t *w, const daemon_t *d, uint64_t now_s)
{
    if (d->shown.is_set) {
        jw_object(w, "list");
        jw_u64(w, "count", d->shown.count);
        shown_put_origin(w, &d->shown, now_s);
        jw_end(w);
    } else {
        jw_null(w, "list");
    }
    if (d->failed.rc)
        jw_str(w, "error", d->failed.text);
    else
        jw_null(w, "error");
}

static void get_status(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    daemon_t *d = ctx;
    const membership_t *m = d->with.membership;
    jw_t w = jw_of(NULL, ANSWER_MAX);
    (void)request;
    jw_object(&w, NULL);
    jw_hex(&w, "contract", view_of(m->contract.b, sizeof m->contract.b));
    jw_str(&w, "mode", MEMBERSHIP_MODES[m->mode]);
    jw_str(&w, "block", MEMBERSHIP_BLOCKS[m->block]);
    jw_u64(&w, "max_age_s", m->max_age_s);
    jw_u64(&w, "every", m->every);
    jw_bool(&w, "attested_only", m->attested_only);
    pthread_mutex_lock(&d->lock);
    put_list(&w, d, d->with.now_s(d->with.ctx));
    jw_u64(&w, "reads", d->reads);
    jw_u64(&w, "failures", d->failures);
    pthread_mutex_unlock(&d->lock);
    jw_object(&w, "registration");
    writer_put(d->writer, &w);
    jw_end(&w);
    put_wireguard(&w, d);
    jw_end(&w);
    put_text(r, &w);
}

static const hs_route_t routes[] = {
    { "GET", "/v1/p2p/status", get_status, 0 },
    { "GET", "/v1/p2p/peers", get_peers, 0 },
    { "GET", "/v1/p2p/address", get_address, HS_SLOW },
    { "POST", "/v1/p2p/register", post_register, 0 },
};

/* ---- start and stop ---- */

/* Of a node that comes together with others by the list: it is in the list itself, too. */
static rc_t open_roll(daemon_t *d, err_t *e)
{
    const daemon_config_t *k = &d->with;
    const membership_t *m = k->membership;
    if (!k->listed)
        return RC_OK;
    d->rollcall = rollcall_new(&(rollcall_config_t){ .ask = k->ask,
                                                     .chain = k->chain,
                                                     .cache = k->cache,
                                                     .membership = m,
                                                     .port = m->overlay_port ? m->overlay_port : k->overlay_port,
                                                     .now_s = tell_now_s,
                                                     .self = own_address,
                                                     .read = wake,
                                                     .ctx = d });
    if (d->rollcall)
        want_registration(d);
    return d->rollcall ? RC_OK : err_say(e, RC_NOMEM, "out of memory");
}

static rc_t open_all(daemon_t *d, err_t *e)
{
    const daemon_config_t *k = &d->with;
    const membership_t *m = k->membership;
    const hs_config_t server = { .unix_path = m->socket,
                                 .routes = routes,
                                 .route_count = sizeof routes / sizeof routes[0],
                                 .ctx = d,
                                 .flags = k->flags,
                                 .event_threads = 1,
                                 .workers = 1,
                                 .body_max = 4096,
                                 .connections_max = 256 };
    d->list = p2p_list_new(&(p2p_list_config_t){ .ask = k->ask,
                                                 .chain = k->chain,
                                                 .cache = k->cache,
                                                 .contract = m->contract,
                                                 .mode = (members_mode_t)m->mode,
                                                 .max_age_s = m->max_age_s,
                                                 .every = m->every,
                                                 .gateway_domain = m->gateway_domain });
    if (!d->list)
        return err_say(e, RC_NOMEM, "out of memory");
    rc_t rc = writer_start(&d->writer, e,
                           &(writer_config_t){ .membership = m,
                                               .tee = k->tee,
                                               .ask = k->ask,
                                               .chain = k->chain,
                                               .cache = k->cache,
                                               .looked = on_looked,
                                               .ctx = d });
    if (!rc)
        rc = start_wireguard(d, e);
    if (!rc)
        rc = open_roll(d, e);
    if (!rc)
        rc = worker_start(&d->worker, e, "members", run, d);
    return rc ? rc : err_before(e, hs_start(&d->server, e, &server), "membership.socket: ");
}

rc_t daemon_start(daemon_t **out, err_t *e, const daemon_config_t *config)
{
    daemon_t *d = calloc(1, sizeof *d);
    if (!d)
        return err_say(e, RC_NOMEM, "out of memory");
    d->with = *config;
    pthread_mutex_init(&d->lock, NULL);
    const rc_t rc = open_all(d, e);
    if (rc) {
        daemon_stop(d);
        daemon_free(d);
        return rc;
    }
    log_write(LOG_INFO, "members", "list of the contract's members at %s", config->membership->socket);
    *out = d;
    return RC_OK;
}

void daemon_stop(daemon_t *d)
{
    if (!d)
        return;
    pthread_mutex_lock(&d->lock);
    worker_t *worker = d->worker;
    d->worker = NULL; /* nobody wakes it any more */
    d->stopping = true;
    pthread_mutex_unlock(&d->lock);
    worker_stop(worker);
    wg_stop(d->with.wg);
    writer_stop(d->writer);
    release(d, false);
    hs_stop(d->server, STOP_GRACE_MS);
    d->server = NULL;
}

void daemon_free(daemon_t *d)
{
    if (!d)
        return;
    writer_free(d->writer);
    seats_free(d->seats);
    p2p_list_free(d->list);
    rollcall_free(d->rollcall);
    shown_clear(&d->shown);
    pthread_mutex_destroy(&d->lock);
    free(d);
}
