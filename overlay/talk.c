#include "overlay/talk.h"

#include <stdlib.h>

#include "overlay/framed.h"

typedef struct {
    net_conn_t *conn; /* NULL: a free place */
    uint64_t number;
    uint8_t key[33];
    bool begun; /* our session value has gone out */
    bool ready; /* the owner was told that its peer is there */
} link_t;

struct talk {
    talk_config_t c;
    messages_t *messages;
    framed_t *framed;
    link_t links[MESSAGES_LINES_MAX];
};

static link_t *find(talk_t *t, const net_conn_t *c)
{
    for (size_t i = 0; i < MESSAGES_LINES_MAX; i++)
        if (t->links[i].conn == c)
            return &t->links[i];
    return NULL;
}

static link_t *find_number(talk_t *t, uint64_t number)
{
    for (size_t i = 0; i < MESSAGES_LINES_MAX; i++)
        if (t->links[i].conn && t->links[i].number == number)
            return &t->links[i];
    return NULL;
}

/* Whether another connection of the same peer is ready. */
static bool has_other(const talk_t *t, const link_t *l)
{
    for (size_t i = 0; i < MESSAGES_LINES_MAX; i++)
        if (&t->links[i] != l && t->links[i].ready && memcmp(t->links[i].key, l->key, 33) == 0)
            return true;
    return false;
}

static void tell(talk_t *t, link_t *l, bool is_there)
{
    uint8_t key[33];
    if (l->ready == is_there)
        return;
    l->ready = is_there;
    memcpy(key, l->key, sizeof key);
    if (!has_other(t, l) && t->c.peer)
        t->c.peer(t->c.ctx, key, is_there);
}

/* ---- what messages.h asks for ---- */

static rc_t send_frame(void *ctx, uint64_t line, view_t frame)
{
    talk_t *t = ctx;
    const link_t *l = find_number(t, line);
    return l ? framed_write(t->framed, l->conn, frame) : RC_REFUSED;
}

static void ready(void *ctx, uint64_t line)
{
    talk_t *t = ctx;
    link_t *l = find_number(t, line);
    if (l)
        tell(t, l, true);
}

static void random_of(void *ctx, void *out, size_t n)
{
    const talk_t *t = ctx;
    t->c.messages.random(t->c.ctx, out, n);
}

/* ---- what framed.h tells ---- */

static void up(void *ctx, net_conn_t *c)
{
    talk_t *t = ctx;
    link_t *l = find(t, c);
    if (!l)
        return;
    if (messages_up(t->messages, l->number, l->key)) {
        net_close(c, NET_BYE, "no room for this peer's messages");
        return;
    }
    l->begun = true;
    if (messages_ready(t->messages, l->number))
        tell(t, l, true);
    framed_resume(t->framed, c); /* what the peer said before */
}

static void down(void *ctx, net_conn_t *c)
{
    talk_t *t = ctx;
    link_t *l = find(t, c);
    if (!l)
        return;
    messages_down(t->messages, l->number);
    tell(t, l, false);
}

static rc_t take(void *ctx, err_t *e, net_conn_t *c, view_t message)
{
    talk_t *t = ctx;
    const link_t *l = find(t, c);
    return l && l->begun ? messages_take(t->messages, e, l->number, message) : RC_NEED_DATA;
}

static void writable(void *ctx, net_conn_t *c)
{
    talk_t *t = ctx;
    const link_t *l = find(t, c);
    if (l && l->ready && t->c.writable)
        t->c.writable(t->c.ctx, l->key);
}

/* ---- what the owner says ---- */

rc_t talk_peer(talk_t *t, net_conn_t *c, const uint8_t key[33])
{
    link_t *l = find(t, c);
    if (!l)
        l = find(t, NULL);
    if (!l)
        return RC_LIMIT;
    l->conn = c;
    l->number = net_number(c);
    memcpy(l->key, key, sizeof l->key);
    return framed_open(t->framed, c);
}

void talk_hold(talk_t *t, net_conn_t *c)
{
    framed_hold(t->framed, c);
}

void talk_closed(talk_t *t, net_conn_t *c)
{
    link_t *l = find(t, c);
    framed_closed(t->framed, c); /* down, if it was up */
    if (!l)
        return;
    messages_gone(t->messages, l->number);
    memset(l, 0, sizeof *l);
}

size_t talk_peers(const talk_t *t, uint8_t (*keys)[33], size_t cap)
{
    size_t n = 0;
    for (size_t i = 0; i < MESSAGES_LINES_MAX && n < cap; i++) {
        const link_t *l = &t->links[i];
        if (l->ready && messages_line(t->messages, l->key) == l->number) /* its newest */
            memcpy(keys[n++], l->key, 33);
    }
    return n;
}

void talk_resume(talk_t *t)
{
    for (size_t i = 0; i < MESSAGES_LINES_MAX; i++)
        if (t->links[i].conn)
            framed_resume(t->framed, t->links[i].conn);
}

uint64_t talk_turn(talk_t *t, uint64_t now_ms)
{
    return framed_turn(t->framed, now_ms);
}

/* ---- life ---- */

rc_t talk_new(talk_t **out, const talk_config_t *config)
{
    talk_t *t = calloc(1, sizeof *t);
    if (!t)
        return RC_NOMEM;
    const framed_config_t f = {
        .name = MSG_PROTOCOL, .max = MSG_FRAME_MAX, .up = up, .down = down, .take = take, .writable = writable, .ctx = t
    };
    t->c = *config;
    messages_config_t m = config->messages;
    m.send = send_frame;
    m.ready = ready;
    m.random = random_of;
    m.ctx = t;
    rc_t rc = messages_new(&t->messages, &m);
    if (!rc)
        rc = framed_new(&t->framed, &f);
    if (rc) {
        talk_free(t);
        return rc;
    }
    *out = t;
    return RC_OK;
}

void talk_free(talk_t *t)
{
    if (!t)
        return;
    framed_free(t->framed);
    messages_free(t->messages);
    free(t);
}

void talk_protocol(talk_t *t, net_protocol_t *out)
{
    framed_protocol(t->framed, out);
}

messages_t *talk_messages(talk_t *t)
{
    return t->messages;
}
