/* join_order.c - /kettle/order/1: whoever meets a peer that runs a lower order sends it its own, once, as soon as the
 * peer's HELLO says so. An order proves itself by its signers, so nobody needs to be attested for it; and it must not
 * wait for that: a peer that was away may be one that the order shuts out, or one that by its own old policy would
 * never admit us. */
#include <stdlib.h>

#include "overlay/join_parts.h"
#include "overlay/wire/proto.h"

#define LENGTH_MAX 4u /* bytes of a message's length */

/* ---- ours ---- */

static rc_t send_order(session_t *s)
{
    const join_t *j = s->join;
    uint8_t *buf = malloc(j->order_n + LENGTH_MAX);
    wr_t w = wr_of(buf, buf ? j->order_n + LENGTH_MAX : 0);
    net_stream_t *stream;
    wr_bytes(&w, j->order_bytes, j->order_n);
    pb_delimit(&w, 0);
    rc_t rc = w.bad ? RC_NOMEM : net_open(s->conn, &stream, &j->protocols[JOIN_ORDER], NULL);
    if (!rc) {
        rc = net_write(stream, wr_view(&w));
        net_end(stream);
    }
    free(buf);
    return rc;
}

void order_tell(session_t *s)
{
    const join_t *j = s->join;
    const hello_t *h = mattest_peer_hello(s->m);
    if (!h || s->order_told)
        return;
    const order_id_t runs = { h->version, h->order };
    s->order_told = true; /* what cannot be sent now goes along with our state, or on the next connection */
    if (j->order_bytes && order_id_cmp(&runs, &j->order.id) < 0 && send_order(s))
        session_trouble(s, RC_REFUSED, "our order cannot be sent to this peer");
}

/* ---- the peer's ---- */

void order_take(session_t *s, view_t bytes)
{
    const join_t *j = s->join;
    const join_config_t *c = &j->config;
    order_signed_t *order = bytes.n && c->ordered ? malloc(sizeof *order) : NULL;
    err_t e;
    if (order && s->conn && !order_read(order, &e, bytes) && order_id_cmp(&order->id, &j->order.id) > 0)
        c->ordered(c->ctx, s->conn, order);
    free(order);
}

void order_opened(void *ctx, net_stream_t *stream)
{
    session_t *s = join_find(ctx, net_conn_of(stream));
    if (net_opener(stream))
        return;
    if (!s || s->order_heard) {
        net_reset(stream);
        return;
    }
    s->order_heard = true; /* one a connection */
    s->ordered.stream = stream;
    net_set_stream_user(stream, &s->ordered);
}

void order_data(void *ctx, net_stream_t *stream, view_t bytes)
{
    lane_t *l = net_stream_user(stream);
    view_t order;
    size_t used;
    (void)ctx;
    net_consumed(stream, bytes.n); /* as much as is kept */
    if (!l || !l->stream)
        return;
    rc_t rc = lane_add(l, bytes, ORDER_MAX + LENGTH_MAX);
    if (!rc)
        rc = pb_delimited(&order, &used, view_of(l->bytes, l->n), ORDER_MAX);
    if (rc == RC_NEED_DATA)
        return;
    const lane_t whole = *l;
    *l = (lane_t){ .session = l->session };
    net_reset(stream);
    if (!rc)
        order_take(whole.session, order); /* may end connections */
    free(whole.bytes);
}

void order_closed(void *ctx, net_stream_t *stream, rc_t why)
{
    lane_t *l = net_stream_user(stream);
    (void)ctx, (void)why;
    if (l && l->stream == stream)
        l->stream = NULL;
}
