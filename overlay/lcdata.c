#include "overlay/lcdata.h"

#include <stdlib.h>

#include "overlay/inbox.h"
#include "overlay/wire/proto.h"

#define NEVER UINT64_MAX
#define KINDS 8u
enum { WANT = 1, OBJECT = 2, WHY = 3 };
enum { KIND = 1, ROOT = 2, PERIOD = 3, COUNT = 4 };

/* A question: of ours (asked), or one that waits for our answer. */
typedef struct {
    uint64_t id; /* 0: free */
    net_stream_t *stream;
    uint64_t deadline_ms;
} open_t;

struct lcdata {
    lcdata_config_t config;
    net_protocol_t protocol;
    open_t asked[LCDATA_ASKED_MAX], served[LCDATA_SERVED_MAX];
    uint64_t last_id, now_ms;
};

/* ---- bytes ---- */

void lcdata_want_write(wr_t *w, const lcdata_want_t *want)
{
    const size_t mark = pb_begin(w, WANT);
    pb_put_u64(w, KIND, want->kind);
    if (!hash32_is_zero(&want->root))
        pb_put_bytes(w, ROOT, view_of(want->root.b, sizeof want->root.b));
    if (want->period)
        pb_put_u64(w, PERIOD, want->period);
    pb_put_u64(w, COUNT, want->count);
    pb_end(w, mark);
}

static bool read_inner(lcdata_want_t *out, view_t bytes)
{
    rd_t r = rd_of(bytes);
    pb_field_t f;
    while (pb_next(&r, &f))
        switch (f.number) {
        case KIND: out->kind = pb_u32(&r, &f); break;
        case ROOT: pb_copy(&r, &f, out->root.b, sizeof out->root.b); break;
        case PERIOD: out->period = pb_u64(&r, &f); break;
        case COUNT: out->count = pb_u32(&r, &f); break;
        default: break;
        }
    return rd_done(&r);
}

rc_t lcdata_want_read(lcdata_want_t *out, view_t message)
{
    lcdata_want_t want = { .count = 0 };
    rd_t r = rd_of(message);
    pb_field_t f;
    bool found = false;
    while (pb_next(&r, &f)) {
        if (f.number != WANT)
            continue;
        r.bad |= found || !read_inner(&want, pb_bytes(&r, &f, LCDATA_WANT_MAX));
        found = true;
    }
    if (!rd_done(&r) || !found)
        return RC_MALFORMED;
    if (want.kind >= KINDS || !want.count || want.count > LCDATA_COUNT_MAX)
        return RC_LIMIT;
    *out = want;
    return RC_OK;
}

void lcdata_answer_write(wr_t *w, const lcdata_answer_t *answer)
{
    for (size_t i = 0; i < answer->count && i < LCDATA_OBJECTS_MAX; i++)
        if (answer->objects[i].n <= LCDATA_OBJECT_MAX)
            pb_put_bytes(w, OBJECT, answer->objects[i]);
    if (answer->why.n)
        pb_put_bytes(w, WHY, view_of(answer->why.p, answer->why.n < LCDATA_WHY_MAX ? answer->why.n : LCDATA_WHY_MAX));
}

rc_t lcdata_answer_read(lcdata_answer_t *out, view_t message)
{
    lcdata_answer_t answer = { .count = 0 };
    rd_t r = rd_of(message);
    pb_field_t f;
    while (pb_next(&r, &f)) {
        if (f.number == OBJECT && answer.count == LCDATA_OBJECTS_MAX)
            return RC_LIMIT;
        if (f.number == OBJECT)
            answer.objects[answer.count++] = pb_bytes(&r, &f, LCDATA_OBJECT_MAX);
        else if (f.number == WHY)
            answer.why = pb_bytes(&r, &f, LCDATA_WHY_MAX);
    }
    if (!rd_done(&r))
        return RC_MALFORMED;
    *out = answer;
    return RC_OK;
}

/* ---- open questions ---- */

static open_t *find(open_t *rows, size_t n, const net_stream_t *s, uint64_t id)
{
    for (size_t i = 0; i < n; i++)
        if (s ? rows[i].id && rows[i].stream == s : rows[i].id == id)
            return &rows[i];
    return NULL;
}

/* Tells the owner how a question of ours ended, once. */
static void end_asked(lcdata_t *d, open_t *o, rc_t rc, const lcdata_answer_t *answer)
{
    static const lcdata_answer_t none;
    const uint64_t id = o->id;
    *o = (open_t){ .id = 0 };
    d->config.answered(d->config.ctx, id, rc, answer ? answer : &none);
}

static void take_answer(lcdata_t *d, net_stream_t *s, view_t message)
{
    lcdata_answer_t answer;
    open_t *o = find(d->asked, LCDATA_ASKED_MAX, s, 0);
    const rc_t rc = lcdata_answer_read(&answer, message);
    if (o)
        end_asked(d, o, rc, rc ? NULL : &answer);
    if (rc)
        net_reset(s);
}

/* How many questions a member has open. */
static size_t open_of(const lcdata_t *d, const net_conn_t *c)
{
    size_t n = 0;
    for (size_t i = 0; i < LCDATA_SERVED_MAX; i++)
        n += d->served[i].id && net_conn_of(d->served[i].stream) == c;
    return n;
}

static rc_t take_question(lcdata_t *d, net_stream_t *s, view_t message)
{
    lcdata_want_t want;
    open_t *o = find(d->served, LCDATA_SERVED_MAX, NULL, 0);
    const rc_t rc = lcdata_want_read(&want, message);
    if (rc)
        return rc;
    if (!o || open_of(d, net_conn_of(s)) >= LCDATA_OF_ONE_MAX)
        return RC_LIMIT;
    *o = (open_t){ .id = ++d->last_id, .stream = s, .deadline_ms = d->now_ms + LCDATA_WAIT_MS };
    d->config.wanted(d->config.ctx, o->id, &want);
    return RC_OK;
}

void lcdata_answer(lcdata_t *d, uint64_t ticket, const lcdata_answer_t *answer)
{
    open_t *o = ticket ? find(d->served, LCDATA_SERVED_MAX, NULL, ticket) : NULL;
    uint8_t *buf = o ? malloc(LCDATA_ANSWER_MAX + VARINT_MAX) : NULL;
    if (!o)
        return;
    net_stream_t *s = o->stream;
    *o = (open_t){ .id = 0 };
    wr_t w = wr_of(buf, buf ? LCDATA_ANSWER_MAX + VARINT_MAX : 0);
    lcdata_answer_write(&w, answer);
    pb_delimit(&w, 0);
    if (w.bad || net_write(s, wr_view(&w)))
        net_reset(s);
    else
        net_end(s);
    free(buf);
}

rc_t lcdata_ask(lcdata_t *d, uint64_t *id, net_conn_t *c, const lcdata_want_t *want)
{
    uint8_t buf[LCDATA_WANT_MAX + VARINT_MAX];
    wr_t w = wr_of(buf, sizeof buf);
    net_stream_t *s;
    open_t *o = find(d->asked, LCDATA_ASKED_MAX, NULL, 0);
    if (!o)
        return RC_LIMIT;
    lcdata_want_write(&w, want);
    pb_delimit(&w, 0);
    rc_t rc = w.bad ? RC_BUG : net_open(c, &s, &d->protocol, NULL);
    if (rc)
        return rc;
    rc = net_write(s, wr_view(&w));
    if (rc) {
        net_reset(s);
        return rc;
    }
    net_end(s);
    *o = (open_t){ .id = ++d->last_id, .stream = s, .deadline_ms = d->now_ms + LCDATA_WAIT_MS };
    *id = o->id;
    return RC_OK;
}

/* ---- streams ---- */

static void on_data(void *ctx, net_stream_t *s, view_t bytes)
{
    lcdata_t *d = ctx;
    view_t message;
    rc_t rc = inbox_take(s, &message, bytes, net_opener(s) ? LCDATA_ANSWER_MAX : LCDATA_WANT_MAX);
    if (rc == RC_NEED_DATA)
        return;
    open_t *o = net_opener(s) ? find(d->asked, LCDATA_ASKED_MAX, s, 0) : NULL;
    if (!rc && net_opener(s))
        take_answer(d, s, message);
    else if (!rc)
        rc = take_question(d, s, message);
    else if (o)
        end_asked(d, o, rc, NULL);
    if (rc)
        net_reset(s);
}

static void on_closed(void *ctx, net_stream_t *s, rc_t why)
{
    lcdata_t *d = ctx;
    open_t *asked = find(d->asked, LCDATA_ASKED_MAX, s, 0), *served = find(d->served, LCDATA_SERVED_MAX, s, 0);
    inbox_free(s);
    if (served)
        *served = (open_t){ .id = 0 };
    if (asked)
        end_asked(d, asked, why ? why : RC_REFUSED, NULL);
}

void lcdata_protocol(lcdata_t *d, net_protocol_t *out)
{
    d->protocol = (net_protocol_t){ .name = LCDATA_NAME, .data = on_data, .closed = on_closed, .ctx = d };
    *out = d->protocol;
}

uint64_t lcdata_turn(lcdata_t *d, uint64_t now_ms)
{
    uint64_t next = NEVER;
    d->now_ms = now_ms;
    for (size_t i = 0; i < LCDATA_ASKED_MAX + LCDATA_SERVED_MAX; i++) {
        open_t *o = i < LCDATA_ASKED_MAX ? &d->asked[i] : &d->served[i - LCDATA_ASKED_MAX];
        if (!o->id)
            continue;
        if (now_ms >= o->deadline_ms) {
            net_stream_t *s = o->stream;
            if (i < LCDATA_ASKED_MAX)
                end_asked(d, o, RC_TIMEOUT, NULL);
            *o = (open_t){ .id = 0 };
            net_reset(s);
        } else if (o->deadline_ms < next) {
            next = o->deadline_ms;
        }
    }
    return next;
}

/* ---- life ---- */

rc_t lcdata_new(lcdata_t **out, const lcdata_config_t *config)
{
    lcdata_t *d = calloc(1, sizeof *d);
    if (!d)
        return RC_NOMEM;
    d->config = *config;
    *out = d;
    return RC_OK;
}

void lcdata_free(lcdata_t *d)
{
    free(d);
}
