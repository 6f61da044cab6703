#include "overlay/wire/multistream.h"

#include "overlay/wire/varint.h"

static const char header[] = "/multistream/1.0.0";
static const char na[] = "na";

/* A message: length with the newline, text, newline. */
static void say(mss_t *m, const char *text)
{
    size_t n = strlen(text);
    wr_t w = wr_of(m->out + m->out_n, sizeof m->out - m->out_n);
    varint_put(&w, n + 1);
    wr_bytes(&w, text, n);
    wr_u8(&w, '\n');
    m->out_n += w.n;
}

/* Room for the longest answer? */
static bool has_room(const mss_t *m)
{
    return sizeof m->out - m->out_n >= sizeof header + MSS_NAME_MAX + 8;
}

void mss_open(mss_t *m, const char *const *wanted, size_t count)
{
    *m = (mss_t){ .opener = true, .wanted = wanted, .wanted_count = count, .next = 1 };
    say(m, header);
    say(m, wanted[0]);
}

void mss_accept(mss_t *m, mss_serves_fn serves, void *ctx)
{
    *m = (mss_t){ .serves = serves, .serves_ctx = ctx };
    say(m, header);
}

static void agree(mss_t *m, const char *name)
{
    m->chosen = name;
    m->state = MSS_AGREED;
}

static rc_t take_answer(mss_t *m, view_t text)
{
    if (view_eq(text, view_str(m->wanted[m->next - 1]))) {
        agree(m, m->wanted[m->next - 1]);
        return RC_OK;
    }
    if (!view_eq(text, view_str(na)))
        return RC_MALFORMED;
    if (m->next == m->wanted_count)
        return RC_UNSUPPORTED;
    say(m, m->wanted[m->next++]);
    return RC_OK;
}

static rc_t take_proposal(mss_t *m, view_t text)
{
    if (m->proposals++ == MSS_PROPOSALS_MAX)
        return RC_LIMIT;
    const char *name = m->serves(m->serves_ctx, text);
    say(m, name ? name : na);
    if (name)
        agree(m, name);
    return RC_OK;
}

static rc_t take_message(mss_t *m, view_t body)
{
    if (body.n == 0 || body.p[body.n - 1] != '\n')
        return RC_MALFORMED;
    const view_t text = view_of(body.p, body.n - 1);
    if (!m->greeted) {
        m->greeted = true;
        return view_eq(text, view_str(header)) ? RC_OK : RC_MALFORMED;
    }
    return m->opener ? take_answer(m, text) : take_proposal(m, text);
}

/* Looks whether a whole message stands in m->in. RC_NEED_DATA: not yet. */
static rc_t whole_message(const mss_t *m, size_t *n, view_t *body)
{
    const view_t have = view_of(m->in, m->in_n);
    size_t head = varint_front(have);
    rd_t r = rd_of(have);
    if (head == 0)
        return m->in_n < 2 ? RC_NEED_DATA : RC_LIMIT; /* two bytes can tell 1024 */
    uint64_t length = varint_take(&r);
    if (r.bad)
        return RC_MALFORMED;
    if (length > MSS_MESSAGE_MAX)
        return RC_LIMIT;
    *n = head + (size_t)length;
    if (have.n < *n)
        return RC_NEED_DATA;
    *body = view_of(have.p + head, (size_t)length);
    return RC_OK;
}

rc_t mss_take(mss_t *m, size_t *used, view_t in)
{
    rc_t rc = m->state == MSS_FAILED ? RC_REFUSED : RC_OK;
    *used = 0;
    while (!rc && m->state == MSS_RUNNING && *used < in.n && has_room(m)) {
        size_t n = 0;
        view_t body = { NULL, 0 };
        m->in[m->in_n++] = in.p[(*used)++]; /* byte by byte: none behind the agreement may be taken */
        rc = whole_message(m, &n, &body);
        if (!rc) {
            rc = take_message(m, body);
            m->in_n = 0;
        } else if (rc == RC_NEED_DATA) {
            rc = RC_OK;
        }
    }
    if (rc)
        m->state = MSS_FAILED;
    return rc;
}

view_t mss_output(const mss_t *m)
{
    return view_of(m->out, m->out_n);
}

void mss_sent(mss_t *m, size_t n)
{
    memmove(m->out, m->out + n, m->out_n - n);
    m->out_n -= n;
}
