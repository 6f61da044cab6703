#include "overlay/side.h"

#include <stdlib.h>

#include "overlay/framed.h"
#include "overlay/join.h"

#define LINES_MAX 64u
#define SAID_MAX 1024u /* bytes of a message */

typedef struct {
    net_conn_t *conn; /* NULL: a free place */
    uint64_t number;
} line_t;

struct side {
    side_owner_t owner;
    uint8_t own_key[33];
    join_t *join;
    framed_t *framed;
    line_t lines[LINES_MAX];       /* that are up */
    join_member_t seen[LINES_MAX]; /* room to look at members */
};

static line_t *find(side_t *s, const net_conn_t *c)
{
    for (size_t i = 0; i < LINES_MAX; i++)
        if (s->lines[i].conn == c)
            return &s->lines[i];
    return NULL;
}

/* What is known of a connection. False: it is no peer's. */
static bool describe(side_t *s, side_line_t *out, const net_conn_t *c)
{
    const size_t n = join_members(s->join, s->seen, LINES_MAX);
    const uint8_t *channel = join_channel(s->join, c);
    for (size_t i = 0; i < n && channel; i++) {
        const join_member_t *m = &s->seen[i];
        if (m->conn != c || m->phase != JOIN_PEER)
            continue;
        *out = (side_line_t){ .number = net_number(c),
                              .static_key = m->static_key,
                              .own_key = s->own_key,
                              .channel = channel,
                              .expires_s = m->expires_s,
                              .addr = net_addr(c),
                              .relayed = net_addr(c)->circuit };
        return true;
    }
    return false;
}

static void say(side_t *s, net_conn_t *c)
{
    uint8_t bytes[SAID_MAX];
    wr_t w = wr_of(bytes, s->owner.max < sizeof bytes ? s->owner.max : sizeof bytes);
    side_line_t l;
    if (!describe(s, &l, c) || !s->owner.say(s->owner.ctx, &w, &l) || w.bad)
        return;
    const rc_t rc = framed_write(s->framed, c, wr_view(&w));
    if (rc)
        net_close(c, NET_BYE_PROTOCOL, "a short message could not be written");
}

/* ---- what framed.h tells ---- */

static void up(void *ctx, net_conn_t *c)
{
    side_t *s = ctx;
    line_t *l = find(s, NULL);
    if (!l) {
        net_close(c, NET_BYE_SLOTS_FULL, "too many connections");
        return;
    }
    *l = (line_t){ c, net_number(c) };
    say(s, c);
}

static void down(void *ctx, net_conn_t *c)
{
    side_t *s = ctx;
    line_t *l = find(s, c);
    if (!l)
        return;
    const uint64_t number = l->number;
    *l = (line_t){ .conn = NULL };
    s->owner.gone(s->owner.ctx, number);
}

/* What comes before our own stream is agreed waits: gone follows only what was up. */
static rc_t take(void *ctx, err_t *e, net_conn_t *c, view_t message)
{
    side_t *s = ctx;
    side_line_t l;
    if (!find(s, c))
        return RC_NEED_DATA;
    if (!describe(s, &l, c))
        return err_say(e, RC_REFUSED, "a message of who is no peer");
    return s->owner.take(s->owner.ctx, e, &l, message);
}

/* ---- what the owner says ---- */

rc_t side_new(side_t **out, join_t *join, const side_owner_t *owner, const uint8_t own_key[33])
{
    side_t *s = calloc(1, sizeof *s);
    if (!s)
        return RC_NOMEM;
    s->owner = *owner;
    s->join = join;
    memcpy(s->own_key, own_key, sizeof s->own_key);
    const framed_config_t c = {
        .name = owner->name, .max = owner->max, .up = up, .down = down, .take = take, .ctx = s
    };
    const rc_t rc = framed_new(&s->framed, &c);
    if (rc) {
        free(s);
        return rc;
    }
    *out = s;
    return RC_OK;
}

void side_free(side_t *s)
{
    if (!s)
        return;
    framed_free(s->framed);
    free(s);
}

void side_protocol(side_t *s, net_protocol_t *out)
{
    framed_protocol(s->framed, out);
}

void side_closed(side_t *s, net_conn_t *c)
{
    framed_closed(s->framed, c);
}

/* Opens for those who are peers, and holds the others. Doing so may change who there is: by their numbers again. */
static void look(side_t *s)
{
    net_conn_t *conns[LINES_MAX];
    bool is_peer[LINES_MAX];
    const size_t n = join_members(s->join, s->seen, LINES_MAX);
    for (size_t i = 0; i < n; i++) {
        conns[i] = s->seen[i].conn;
        is_peer[i] = s->seen[i].phase == JOIN_PEER;
    }
    for (size_t i = 0; i < n; i++) {
        if (!is_peer[i])
            framed_hold(s->framed, conns[i]);
        else if (framed_open(s->framed, conns[i]))
            net_close(conns[i], NET_BYE_SLOTS_FULL, "no room for another peer");
    }
}

uint64_t side_turn(side_t *s, uint64_t now_ms)
{
    look(s);
    for (size_t i = 0; i < LINES_MAX; i++)
        if (s->lines[i].conn) {
            framed_resume(s->framed, s->lines[i].conn);
            if (s->lines[i].conn)
                say(s, s->lines[i].conn);
        }
    return framed_turn(s->framed, now_ms);
}
