#include "node/tpod/publisher.h"

#include <stdlib.h>

#include "node/tpod/find.h"
#include "overlay/host/crew.h"
#include "overlay/net/loop.h"
#include "overlay/tpod/ask.h"
#include "overlay/tpod/codec.h"
#include "overlay/wire/ringkey.h"

#define STEP_MS 20u

struct publisher {
    keyring_t *key;
    loop_t *loop;
    crew_t *crew;
    tpod_asker_t asker;
    find_t *find;     /* under way; NULL: none */
    net_conn_t *conn; /* NULL: not open */
    peerid_t server, self;
    err_t why;         /* why the connection is over; RC_OK: it is not */
    size_t unresolved; /* names that are asked for */
    maddr_t numbers[CREW_NUMBERS_MAX];
    size_t number_count;
    bool answered; /* of the question under way: */
    rc_t rc;
    arena_t *arena;
    view_t message;
};

static void opened(void *ctx, net_conn_t *c)
{
    publisher_t *p = ctx;
    if (p->find && !find_opened(p->find, c))
        return;
    p->conn = c;
    p->server = *net_peer(c);
}

static void closed(void *ctx, net_conn_t *c, const err_t *why)
{
    publisher_t *p = ctx;
    if (p->find)
        find_closed(p->find, c);
    if (p->conn ? p->conn != c : p->find != NULL)
        return;
    p->conn = NULL;
    p->why = *why;
}

static void named(void *ctx, size_t target, const maddr_t *numbers, size_t n)
{
    publisher_t *p = ctx;
    (void)target;
    p->unresolved--;
    for (size_t i = 0; p->find && i < n; i++)
        (void)!find_seed(p->find, &numbers[i]); /* one too many is not asked */
    if (p->find || !n)
        return;
    p->number_count = n;
    memcpy(p->numbers, numbers, n * sizeof *numbers);
}

static void answered(void *ctx, rc_t rc, view_t message)
{
    publisher_t *p = ctx;
    p->answered = true;
    p->rc = rc;
    p->message = rc ? message : arena_dup(p->arena, message);
    if (!rc && message.n && !p->message.p)
        p->rc = RC_NOMEM;
}

static rc_t make(publisher_t *p, err_t *e)
{
    net_config_t n = { .agent = "kettle/" KETTLE_VERSION, .events = { .opened = opened, .closed = closed, .ctx = p } };
    net_t *net;
    rc_t rc = ringkey_new(&p->key);
    if (rc)
        return err_say(e, rc, "no memory that may be locked");
    ringkey_identity(&n.who, p->key);
    rc = net_new(&net, &n);
    if (rc)
        return err_say(e, rc, "out of memory");
    p->self = *net_self(net);
    rc = loop_new(&p->loop, e, net, LOOP_BOTH, NULL);
    if (rc)
        net_free(net);
    return rc;
}

static rc_t ask_name(publisher_t *p, err_t *e, const maddr_t *name)
{
    const rc_t rc = p->crew ? RC_OK : crew_start(&p->crew, e, p->loop, named, p);
    if (rc)
        return rc;
    if (!crew_resolve(p->crew, 0, name))
        return err_say(e, RC_IO, "the name cannot be resolved");
    p->unresolved++;
    return RC_OK;
}

/* The first number behind a name, or the address itself. */
static rc_t resolve(publisher_t *p, err_t *e, const maddr_t *to, uint64_t until_ms)
{
    if (to->host == MADDR_IP4 || to->host == MADDR_IP6) {
        p->numbers[0] = *to;
        return RC_OK;
    }
    const rc_t rc = ask_name(p, e, to);
    while (!rc && p->unresolved && clock_monotonic_ms() < until_ms)
        loop_step(p->loop, STEP_MS);
    if (rc || p->number_count)
        return rc;
    return err_set(e, RC_IO, "%s: no address is known of it", to->name);
}

static rc_t connect_to(publisher_t *p, err_t *e, const maddr_t *to)
{
    const uint64_t until_ms = clock_monotonic_ms() + PUBLISHER_DIAL_MS;
    net_conn_t *c;
    rc_t rc = make(p, e);
    if (!rc)
        rc = resolve(p, e, to, until_ms);
    if (!rc)
        rc = net_dial(loop_net(p->loop), &c, e, &p->numbers[0], NULL);
    while (!rc && !p->conn && !p->why.rc && clock_monotonic_ms() < until_ms)
        loop_step(p->loop, STEP_MS);
    if (rc || p->conn)
        return rc;
    if (!p->why.rc)
        return err_say(e, RC_TIMEOUT, "no connection within 15 s");
    *e = p->why;
    return p->why.rc;
}

static rc_t begin_search(publisher_t *p, err_t *e, const peerid_t *who, const maddr_t *from, size_t n)
{
    rc_t rc = make(p, e);
    if (rc)
        return rc;
    rc = find_new(&p->find, loop_net(p->loop), who, clock_monotonic_ms());
    if (rc)
        return err_say(e, rc, "out of memory");
    for (size_t i = 0; !rc && i < n; i++) {
        if (from[i].host != MADDR_IP4 && from[i].host != MADDR_IP6)
            rc = ask_name(p, e, &from[i]);
        else if ((rc = find_seed(p->find, &from[i])))
            (void)err_say(e, rc, "a bootstrap peer's address needs its peer id, and there may be eight of them");
    }
    return rc;
}

static rc_t search(publisher_t *p, err_t *e, const peerid_t *who, const maddr_t *from, size_t n)
{
    const uint64_t until_ms = clock_monotonic_ms() + LOOKUP_MS;
    const rc_t rc = begin_search(p, e, who, from, n);
    if (rc)
        return rc;
    for (uint64_t now_ms; !p->conn && (now_ms = clock_monotonic_ms()) < until_ms;) {
        if (!find_turn(p->find, now_ms) && !p->unresolved)
            break;
        loop_step(p->loop, STEP_MS);
    }
    const size_t asked = find_asked(p->find);
    find_free(p->find);
    p->find = NULL;
    return p->conn ? RC_OK : err_set(e, RC_TIMEOUT, "not found; peers asked: %zu", asked);
}

/* Hands it over when it is connected. */
static rc_t give(publisher_t **out, publisher_t *take_p, rc_t rc)
{
    if (rc)
        publisher_close(take_p);
    else
        *out = take_p;
    return rc;
}

rc_t publisher_open(publisher_t **out, err_t *e, const maddr_t *to)
{
    publisher_t *p = calloc(1, sizeof *p);
    if (!p)
        return err_say(e, RC_NOMEM, "out of memory");
    tpod_asker_init(&p->asker);
    return give(out, p, connect_to(p, e, to));
}

rc_t publisher_find(publisher_t **out, err_t *e, const peerid_t *who, const maddr_t *bootstrap, size_t bootstrap_count)
{
    publisher_t *p = calloc(1, sizeof *p);
    if (!p)
        return err_say(e, RC_NOMEM, "out of memory");
    tpod_asker_init(&p->asker);
    return give(out, p, search(p, e, who, bootstrap, bootstrap_count));
}

static rc_t tell(err_t *e, rc_t rc, const char *name)
{
    switch (rc) {
    case RC_UNSUPPORTED: return err_set(e, rc, "the provider does not serve %s", name);
    case RC_REFUSED: return err_set(e, rc, "the provider ended %s without an answer", name);
    case RC_TIMEOUT: return err_set(e, rc, "the provider did not answer %s in time", name);
    default: return err_set(e, rc, "the provider's answer to %s: %s", name, rc_name(rc));
    }
}

rc_t publisher_ask(publisher_t *p, void *out, err_t *e, arena_t *a, tpod_call_t call, const void *request,
                   uint32_t time_max_ms)
{
    const uint64_t until_ms = clock_monotonic_ms() + time_max_ms;
    const char *name = TPOD_PROTOCOL[call].name;
    p->answered = false;
    p->arena = a;
    if (!p->conn)
        return err_before(e, err_set(e, RC_IO, "%s", p->why.text), "the connection is over: ");
    rc_t rc = tpod_ask(&p->asker, p->conn, call, request, answered, p);
    if (rc)
        return err_set(e, rc, "%s cannot be asked for: %s", name, rc_name(rc));
    while (!p->answered && clock_monotonic_ms() < until_ms)
        loop_step(p->loop, STEP_MS);
    rc = p->answered ? p->rc : RC_TIMEOUT;
    return rc ? tell(e, rc, name) : tpod_read(out, e, a, TPOD_PROTOCOL[call].response, p->message);
}

const peerid_t *publisher_server(const publisher_t *p)
{
    return &p->server;
}

const peerid_t *publisher_self(const publisher_t *p)
{
    return &p->self;
}

void publisher_close(publisher_t *p)
{
    if (!p)
        return;
    find_free(p->find);
    p->find = NULL;
    crew_stop(p->crew);
    loop_free(p->loop);
    crew_free(p->crew);
    keyring_free(p->key);
    free(p);
}
