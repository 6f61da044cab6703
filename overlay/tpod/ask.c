#include "overlay/tpod/ask.h"

#include <stdlib.h>

#include "base/crypto/secret.h"
#include "overlay/tpod/codec.h"
#include "overlay/wire/proto.h"

#define LENGTH_MAX 4u

typedef struct {
    tpod_answered_fn done; /* NULL: it was called */
    void *ctx;
    uint8_t *request; /* with its length; NULL: it has gone */
    size_t request_n;
    size_t n;
    uint8_t bytes[TPOD_MESSAGE_MAX + LENGTH_MAX]; /* of the answer */
} question_t;

static void tell(question_t *q, rc_t rc, view_t message)
{
    const tpod_answered_fn done = q->done;
    q->done = NULL;
    if (done)
        done(q->ctx, rc, message);
}

static void request_free(question_t *q)
{
    if (q->request)
        secret_wipe(q->request, q->request_n);
    free(q->request);
    q->request = NULL;
}

/* Nothing of a request leaves before the peer has agreed to serve it. */
static void stream_opened(void *ctx, net_stream_t *stream)
{
    question_t *q = net_stream_user(stream);
    (void)ctx;
    const rc_t rc = net_write(stream, view_of(q->request, q->request_n));
    request_free(q);
    if (rc)
        net_reset(stream);
    else
        net_end(stream);
}

static void stream_data(void *ctx, net_stream_t *stream, view_t bytes)
{
    question_t *q = net_stream_user(stream);
    view_t message = view_of(NULL, 0);
    size_t used;
    (void)ctx;
    net_consumed(stream, bytes.n);
    if (!q->done)
        return;
    rc_t rc = bytes.n > sizeof q->bytes - q->n ? RC_LIMIT : RC_OK;
    if (!rc) {
        memcpy(q->bytes + q->n, bytes.p, bytes.n);
        q->n += bytes.n;
        rc = pb_delimited(&message, &used, view_of(q->bytes, q->n), TPOD_MESSAGE_MAX);
    }
    if (!rc && used != q->n)
        rc = RC_MALFORMED;
    if (rc != RC_NEED_DATA)
        tell(q, rc, message);
}

static void stream_closed(void *ctx, net_stream_t *stream, rc_t why)
{
    question_t *q = net_stream_user(stream);
    (void)ctx;
    tell(q, why ? why : RC_REFUSED, view_of(NULL, 0));
    request_free(q);
    free(q);
}

void tpod_asker_init(tpod_asker_t *a)
{
    for (size_t i = 0; i < TPOD_PROTOCOLS; i++)
        a->protocols[i] = (net_protocol_t){ .name = TPOD_PROTOCOL[i].name,
                                            .opened = stream_opened,
                                            .data = stream_data,
                                            .ended = NULL,
                                            .writable = NULL,
                                            .closed = stream_closed,
                                            .ctx = NULL };
}

static rc_t write_request(question_t *q, const tpod_protocol_t *p, const void *request)
{
    q->request_n = (size_t)p->request_max + LENGTH_MAX;
    q->request = malloc(q->request_n);
    if (!q->request)
        return RC_NOMEM;
    wr_t w = wr_of(q->request, q->request_n);
    tpod_write(&w, p->request, request);
    pb_delimit(&w, 0);
    if (w.bad)
        return RC_LIMIT;
    q->request_n = w.n;
    return RC_OK;
}

rc_t tpod_ask(tpod_asker_t *a, net_conn_t *c, tpod_call_t call, const void *request, tpod_answered_fn done, void *ctx)
{
    net_stream_t *stream;
    question_t *q = calloc(1, sizeof *q);
    if (!q)
        return RC_NOMEM;
    q->done = done;
    q->ctx = ctx;
    rc_t rc = write_request(q, &TPOD_PROTOCOL[call], request);
    if (!rc)
        rc = net_open(c, &stream, &a->protocols[call], q);
    if (rc) {
        request_free(q);
        free(q);
    }
    return rc;
}
