#include "overlay/inbox.h"

#include <stdlib.h>

#include "overlay/wire/proto.h"

typedef struct {
    size_t n, cap;
    uint8_t b[];
} inbox_t;

/* Adds bytes. RC_LIMIT: there are too many. */
static rc_t add(net_stream_t *s, view_t bytes, size_t max)
{
    inbox_t *in = net_stream_user(s);
    const size_t have = in ? in->n : 0;
    if (bytes.n > max - have)
        return RC_LIMIT;
    if (!in || have + bytes.n > in->cap) {
        const size_t cap = 2 * (have + bytes.n);
        inbox_t *more = realloc(in, sizeof *in + cap);
        if (!more)
            return RC_NOMEM;
        in = more;
        in->n = have;
        in->cap = cap;
        net_set_stream_user(s, in);
    }
    memcpy(in->b + in->n, bytes.p, bytes.n);
    in->n += bytes.n;
    return RC_OK;
}

rc_t inbox_take(net_stream_t *s, view_t *message, view_t bytes, size_t max)
{
    size_t used;
    net_consumed(s, bytes.n);
    rc_t rc = add(s, bytes, max + VARINT_MAX);
    if (rc)
        return rc;
    const inbox_t *in = net_stream_user(s);
    rc = pb_delimited(message, &used, view_of(in->b, in->n), max);
    return !rc && used != in->n ? RC_MALFORMED : rc;
}

void inbox_free(net_stream_t *s)
{
    free(net_stream_user(s));
    net_set_stream_user(s, NULL);
}
