/* eth_send.c - transactions on their way out. What is forwarded is decoded first, and its hash is this node's own. */
#include "lightclient/exec/send.h"
#include "lightclient/exec/transaction.h"
#include "lightclient/exec/wait.h"
#include "lightclient/rlp/rlp.h"
#include "rpc/api/filter.h"

#define SEND_MAX (2u << 20) /* bytes of one, blobs included: six of 128 KiB, with room to spare */

typedef struct {
    addr_t sender;
    uint64_t nonce;
    hash32_t hash;
} sent_t;

/* The transaction as a block holds it: of one with its blobs beside it (EIP-4844, network form) only itself. */
static view_t without_blobs(arena_t *a, view_t raw)
{
    rlp_item_t outer, inner;
    if (raw.n < 2 || raw.p[0] != 3 || rlp_decode(&outer, view_of(raw.p + 1, raw.n - 1)) || !outer.is_list)
        return raw;
    view_t rest = outer.payload;
    if (rlp_next(&inner, &rest) || !inner.is_list)
        return raw;
    const size_t n = (size_t)(rest.p - outer.payload.p);
    uint8_t *out = arena_alloc(a, n + 1);
    if (!out)
        return view_of(NULL, 0);
    out[0] = 3;
    memcpy(out + 1, outer.payload.p, n);
    return view_of(out, n + 1);
}

/* It counts as pending from now on. */
static void note(const api_world_t *w, const sent_t *s)
{
    if (w->sent_note)
        w->sent_note(w->sent_ctx, &s->sender, s->nonce, w->latest.env.number);
}

static void write_sent(api_call_t *c, const query_t *done)
{
    const sent_t *s = c->asked;
    (void)done;
    note(c->world, s);
    jw_hex(&c->out, NULL, view_of(s->hash.b, sizeof s->hash.b));
}

/* Decodes and checks what is to be sent, and makes the query that forwards it. False: the call has failed, or the
 * parameter is a fault. */
static bool read_sent(api_call_t *c, sent_t *s, query_t **q, const jo_t *arg)
{
    const view_t raw = jo_bytes(arg, c->arena, NULL, 0, SEND_MAX, HEX_0X);
    ex_transaction_t tx;
    err_t e;
    if (jo_rc(arg))
        return false;
    if (raw.n < 2 && !(raw.n && raw.p[0] > 0x7f)) {
        api_fail(c, API_FAILED, "typed transaction too short");
        return false;
    }
    const view_t bare = without_blobs(c->arena, raw);
    rc_t rc = bare.p ? ex_transaction_decode(&tx, &e, c->arena, bare, c->world->chain->chain_id)
                     : err_say(&e, RC_NOMEM, "out of memory");
    if (!rc && tx.any_chain)
        rc = err_say(&e, RC_REFUSED, "only replay-protected (EIP-155) transactions allowed over RPC");
    if (!rc) {
        *s = (sent_t){ tx.tx.from, tx.tx.nonce, tx.hash };
        rc = ex_send_new(q, &e, raw, &tx.hash);
    }
    if (rc)
        api_fail(c, rc == RC_NOMEM ? API_INTERNAL : API_FAILED, "%s", e.text);
    return !rc;
}

static void *room(api_call_t *c, size_t n)
{
    void *p = arena_calloc(c->arena, 1, n);
    if (!p)
        api_fail(c, API_INTERNAL, "out of memory");
    return p;
}

void api_eth_sendRawTransaction(api_call_t *c, const jo_t *args)
{
    static const err_t none;
    sent_t *s = room(c, sizeof *s);
    query_t *q;
    if (!s || !read_sent(c, s, &q, &args[0]))
        return;
    c->asked = s;
    api_ask(c, RC_OK, &none, q, write_sent);
}

/* ---- and their receipts (EIP-7966) ---- */

#define WAIT_USUAL_MS 20000u /* as geth's */
#define WAIT_MAX_MS 60000u

typedef struct {
    sent_t sent;
    const api_world_t *world;
    uint32_t time_ms;
    void *wait;
    bool noted;
} synced_t;

/* Called once it is forwarded, and again until its receipt is there. */
static rc_t look(void *ctx, err_t *e)
{
    synced_t *s = ctx;
    const api_world_t *w = s->world;
    if (!s->noted)
        note(w, &s->sent);
    s->noted = true;
    const rc_t rc = w->events->awaited(w->events_ctx, NULL, e, s->wait);
    if (rc == RC_TIMEOUT)
        err_set(e, rc, "The transaction was added to the transaction pool but wasn't processed in %u%s",
                s->time_ms % 1000 ? s->time_ms : s->time_ms / 1000, s->time_ms % 1000 ? "ms" : "s");
    return rc && rc != RC_NEED_DATA ? err_code(e, rc, EX_WAIT_LATE) : rc;
}

static void leave(void *ctx)
{
    const synced_t *s = ctx;
    s->world->events->leave(s->world->events_ctx, s->wait);
}

static void put_hash(api_call_t *c)
{
    const synced_t *s = c->asked;
    c->data = view_of(s->sent.hash.b, sizeof s->sent.hash.b);
}

static void write_synced(api_call_t *c, const query_t *done)
{
    const synced_t *s = c->asked;
    err_t e;
    (void)done;
    if (s->world->events->awaited(s->world->events_ctx, &c->out, &e, s->wait))
        api_fail(c, API_INTERNAL, "%s", e.text);
}

/* Milliseconds, as a number or a quantity; 0 and none: as usual. */
static uint32_t read_time(const jo_t *arg)
{
    uint64_t ms = 0;
    if (jo_kind(arg, NULL) == JO_TEXT)
        ms = jo_quantity(arg, NULL);
    else
        (void)jo_opt_u64(arg, &ms, NULL, 0, UINT64_MAX);
    return !ms ? WAIT_USUAL_MS : ms > WAIT_MAX_MS ? WAIT_MAX_MS : (uint32_t)ms;
}

/* Waits from before it is sent on, so that no block is missed. */
void api_eth_sendRawTransactionSync(api_call_t *c, const jo_t *args)
{
    const api_world_t *w = c->world;
    synced_t *s = room(c, sizeof *s);
    query_t *q;
    err_t e;
    if (!api_has_events(c) || !s)
        return;
    s->world = w;
    s->time_ms = read_time(&args[1]);
    if (!read_sent(c, &s->sent, &q, &args[0]))
        return;
    rc_t rc = jo_rc(&args[1]);
    if (!rc)
        rc = w->events->await(w->events_ctx, &s->wait, &e,
                              &(api_await_t){ &s->sent.hash, s->time_ms, w->client, &w->latest });
    if (rc) {
        query_free(q);
        if (!jo_rc(&args[1]))
            api_fail_watch(c, rc, &e);
        return;
    }
    c->asked = s;
    c->explain = put_hash;
    c->wait_ms = s->time_ms;
    rc = ex_wait_new(&q, &e, q, &(ex_wait_t){ look, leave, s });
    api_ask(c, rc, &e, q, write_synced);
}
