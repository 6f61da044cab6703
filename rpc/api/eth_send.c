/* eth_send.c - transactions on their way out. What is forwarded is decoded first, and its hash is this node's own. */
#include "lightclient/exec/send.h"
#include "lightclient/exec/transaction.h"
#include "lightclient/rlp/rlp.h"
#include "rpc/api/methods.h"

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

static void write_sent(api_call_t *c, const query_t *done)
{
    const sent_t *s = c->asked;
    const api_world_t *w = c->world;
    (void)done;
    if (w->sent_note)
        w->sent_note(w->sent_ctx, &s->sender, s->nonce, w->latest.env.number);
    jw_hex(&c->out, NULL, view_of(s->hash.b, sizeof s->hash.b));
}

void api_eth_sendRawTransaction(api_call_t *c, const jo_t *args)
{
    const view_t raw = jo_bytes(&args[0], c->arena, NULL, 0, SEND_MAX, HEX_0X);
    sent_t *s = arena_alloc(c->arena, sizeof *s);
    ex_transaction_t tx;
    query_t *q = NULL;
    err_t e;
    if (jo_rc(&args[0]))
        return;
    const view_t bare = without_blobs(c->arena, raw);
    rc_t rc = s && bare.p ? ex_transaction_decode(&tx, &e, c->arena, bare, c->world->chain->chain_id)
                          : err_say(&e, RC_NOMEM, "out of memory");
    if (!rc && tx.any_chain)
        rc = err_say(&e, RC_REFUSED, "only replay-protected (EIP-155) transactions allowed over RPC");
    if (!rc) {
        *s = (sent_t){ tx.tx.from, tx.tx.nonce, tx.hash };
        rc = ex_send_new(&q, &e, raw, &tx.hash);
    }
    c->asked = s;
    api_ask(c, rc, &e, q, write_sent);
}
