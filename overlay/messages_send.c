#include "overlay/messages.h"

#include <stdlib.h>

#include "overlay/messages_parts.h"

#define FRAME_EXTRA 512u /* bytes of a frame besides its payload */

/* ---- finding ---- */

msg_line_t *messages_find_line(const messages_t *m, uint64_t number)
{
    for (size_t i = 0; i < MESSAGES_LINES_MAX; i++)
        if (m->lines[i].number == number)
            return (msg_line_t *)&m->lines[i];
    return NULL;
}

const msg_kind_t *messages_find_kind(const messages_t *m, view_t name)
{
    for (size_t i = 0; i < MESSAGES_TYPES_MAX; i++)
        if (m->kinds[i].name[0] && view_eq(view_str(m->kinds[i].name), name))
            return &m->kinds[i];
    return NULL;
}

static msg_group_t *find_group(messages_t *m, const uint8_t *id)
{
    for (size_t i = 0; i < MESSAGES_GROUPS_MAX; i++)
        if (m->groups[i].ring && memcmp(m->groups[i].id, id, MSG_GROUP_LEN) == 0)
            return &m->groups[i];
    return NULL;
}

const keyring_t *messages_ring(const messages_t *m, msg_mode_t mode, const uint8_t *group)
{
    const msg_group_t *g = mode == MSG_GROUP && group ? find_group((messages_t *)m, group) : NULL;
    return mode == MSG_SHARED ? m->c.ring : g ? g->ring : NULL;
}

/* ---- types and groups ---- */

rc_t messages_register(messages_t *m, err_t *e, const message_type_t *type)
{
    const view_t name = view_str(type->name);
    size_t i = 0;
    if (!msg_type_is(name))
        return err_say(e, RC_MALFORMED, "a type's name has 1 to 64 visible characters");
    if (type->max > MSG_PAYLOAD_MAX)
        return err_set(e, RC_LIMIT, "a message has at most %u bytes", MSG_PAYLOAD_MAX);
    if (messages_find_kind(m, name))
        return err_set(e, RC_REPLAY, "there is a type %s already", type->name);
    while (i < MESSAGES_TYPES_MAX && m->kinds[i].name[0])
        i++;
    if (i == MESSAGES_TYPES_MAX)
        return err_set(e, RC_LIMIT, "there are %u types already", MESSAGES_TYPES_MAX);
    m->kinds[i].type = *type;
    m->kinds[i].type.max = type->max ? type->max : MSG_PAYLOAD_MAX;
    memcpy(m->kinds[i].name, name.p, name.n);
    m->kinds[i].type.name = m->kinds[i].name;
    return RC_OK;
}

void messages_unregister(messages_t *m, const char *name)
{
    for (size_t i = 0; i < MESSAGES_TYPES_MAX; i++)
        if (!strcmp(m->kinds[i].name, name))
            memset(&m->kinds[i], 0, sizeof m->kinds[i]);
}

rc_t messages_join(messages_t *m, err_t *e, const uint8_t group[MSG_GROUP_LEN], const keyring_t *ring)
{
    if (find_group(m, group))
        return err_say(e, RC_REPLAY, "this group is joined already");
    for (size_t i = 0; i < MESSAGES_GROUPS_MAX; i++) {
        if (m->groups[i].ring)
            continue;
        m->groups[i].ring = ring;
        memcpy(m->groups[i].id, group, MSG_GROUP_LEN);
        return RC_OK;
    }
    return err_set(e, RC_LIMIT, "a node is in at most %u groups", MESSAGES_GROUPS_MAX);
}

void messages_leave(messages_t *m, const uint8_t group[MSG_GROUP_LEN])
{
    msg_group_t *g = find_group(m, group);
    if (g)
        memset(g, 0, sizeof *g);
}

/* ---- lines ---- */

static uint64_t draw(messages_t *m)
{
    uint64_t x;
    m->c.random(m->c.ctx, &x, sizeof x);
    return x;
}

static rc_t say_hello(messages_t *m, const msg_line_t *l)
{
    uint8_t buf[16];
    wr_t w = wr_of(buf, sizeof buf);
    const msg_frame_t hello = { .is_hello = true, .session = l->session.own };
    msg_frame_write(&w, &hello);
    return m->c.send(m->c.ctx, l->number, wr_view(&w));
}

rc_t messages_up(messages_t *m, uint64_t line, const uint8_t peer[33])
{
    msg_line_t *l = messages_find_line(m, line);
    const bool is_new = !l;
    if (is_new)
        l = messages_find_line(m, 0);
    if (!l)
        return RC_LIMIT;
    l->up = true;
    if (!is_new)
        return RC_OK;
    l->number = line;
    memcpy(l->peer, peer, sizeof l->peer);
    msg_session_start(&l->session, draw(m));
    const rc_t rc = say_hello(m, l);
    if (rc)
        messages_gone(m, line);
    return rc;
}

void messages_down(messages_t *m, uint64_t line)
{
    msg_line_t *l = line ? messages_find_line(m, line) : NULL;
    if (l)
        l->up = false;
}

void messages_gone(messages_t *m, uint64_t line)
{
    msg_line_t *l = line ? messages_find_line(m, line) : NULL;
    if (l)
        memset(l, 0, sizeof *l);
}

static bool is_ready(const msg_line_t *l)
{
    return l->number && l->up && l->session.agreed;
}

bool messages_ready(const messages_t *m, uint64_t line)
{
    const msg_line_t *l = messages_find_line(m, line);
    return l && is_ready(l);
}

uint64_t messages_line(const messages_t *m, const uint8_t peer[33])
{
    uint64_t newest = 0;
    for (size_t i = 0; i < MESSAGES_LINES_MAX; i++)
        if (is_ready(&m->lines[i]) && m->lines[i].number > newest && memcmp(m->lines[i].peer, peer, 33) == 0)
            newest = m->lines[i].number;
    return newest;
}

/* The peer's session value. */
rc_t messages_take_hello(messages_t *m, err_t *e, msg_line_t *l, uint64_t value)
{
    const rc_t rc = msg_session_hello(&l->session, e, value, draw(m));
    if (rc == RC_NEED_DATA)
        return say_hello(m, l) ? err_say(e, RC_LIMIT, "the session value cannot be said") : RC_OK;
    if (!rc && m->c.ready)
        m->c.ready(m->c.ctx, l->number);
    return rc;
}

/* ---- sending ---- */

rc_t messages_put(messages_t *m, err_t *e, msg_line_t *l, msg_frame_t *frame)
{
    msg_session_t after = l->session;
    rc_t rc = msg_session_next(&after, e, &frame->nonce);
    if (rc)
        return rc;
    const size_t cap = frame->payload.n + FRAME_EXTRA;
    uint8_t *buf = malloc(cap);
    wr_t w = wr_of(buf, buf ? cap : 0);
    msg_frame_write(&w, frame);
    rc = !buf ? RC_NOMEM : w.bad ? RC_BUG : m->c.send(m->c.ctx, l->number, wr_view(&w));
    free(buf);
    if (rc)
        return err_say(e, rc, rc == RC_LIMIT ? "too much waits on the connection" : "the message is not sent");
    l->session = after; /* what was not sent leaves no gap */
    return RC_OK;
}

/* The payload, sealed with a number for the mode; *out is freed by the caller. */
static rc_t seal(messages_t *m, uint8_t **out, err_t *e, msg_frame_t *frame, const message_out_t *from, uint64_t number)
{
    uint8_t nonce[XAEAD_NONCE_LEN], ad[MSG_AD_MAX];
    wr_t w = wr_of(ad, sizeof ad);
    const keyring_t *ring = messages_ring(m, frame->mode, from->group);
    *out = malloc(from->payload.n + KEY_MESSAGE_EXTRA);
    if (!*out)
        return err_say(e, RC_NOMEM, "out of memory");
    m->c.random(m->c.ctx, nonce, sizeof nonce);
    msg_ad(&w, m->c.self, frame->type, number);
    const rc_t rc = keyring_seal_message(ring, *out, from->payload, wr_view(&w), nonce);
    frame->payload = view_of(*out, from->payload.n + KEY_MESSAGE_EXTRA);
    return rc ? err_say(e, rc, "there is no key to seal with yet") : RC_OK;
}

/* To one line; the frame is finished but for its nonce, and for the payload's seal unless it is relayed. */
static rc_t send_one(messages_t *m, err_t *e, uint64_t line, const msg_frame_t *finished, const message_out_t *from)
{
    msg_line_t *l = line ? messages_find_line(m, line) : NULL;
    msg_frame_t frame = *finished;
    uint8_t *sealed = NULL;
    rc_t rc = RC_OK;
    if (!l || !is_ready(l))
        return err_say(e, RC_REFUSED, "there is no session with that peer");
    if (frame.mode != MSG_PEER && !frame.relayed)
        rc = seal(m, &sealed, e, &frame, from, l->session.value + l->session.sent);
    if (!rc)
        rc = messages_put(m, e, l, &frame);
    m->counts.sent += !rc;
    free(sealed);
    return rc;
}

static rc_t check_out(const messages_t *m, err_t *e, const message_out_t *out, const msg_kind_t *kind)
{
    if (!kind)
        return err_set(e, RC_REFUSED, "no type %s is registered", out->type);
    if (out->payload.n > kind->type.max)
        return err_set(e, RC_LIMIT, "a message of type %s has at most %zu bytes", out->type, kind->type.max);
    if (out->mode > MSG_GROUP)
        return err_say(e, RC_MALFORMED, "there is no such mode");
    if (out->mode != MSG_PEER && !messages_ring(m, out->mode, out->group))
        return err_say(e, RC_REFUSED, "there is no such group");
    return RC_OK;
}

/* Gives a message of a relayed type its number, seal and signature. */
static rc_t author_it(messages_t *m, uint8_t **sealed, err_t *e, msg_frame_t *frame, const message_out_t *out)
{
    hash32_t digest;
    rc_t rc = RC_OK;
    frame->relayed = true;
    frame->seq = m->seq + 1;
    if (frame->mode != MSG_PEER)
        rc = seal(m, sealed, e, frame, out, frame->seq);
    if (rc)
        return rc;
    msg_digest(&digest, frame, m->c.self);
    rc = m->c.sign(m->c.sign_ctx, frame->signature, &digest);
    if (rc)
        return err_say(e, rc, "the message is not signed");
    m->seq++;
    return RC_OK;
}

rc_t messages_send(messages_t *m, rc_t *each, err_t *e, const uint64_t *lines, size_t n, const message_out_t *out)
{
    const msg_kind_t *kind = messages_find_kind(m, view_str(out->type));
    msg_frame_t frame = { .type = view_str(out->type), .mode = out->mode, .payload = out->payload };
    uint8_t *sealed = NULL;
    err_t first;
    rc_t rc = check_out(m, e, out, kind);
    if (rc)
        return rc;
    if (out->mode == MSG_GROUP)
        memcpy(frame.group, out->group, MSG_GROUP_LEN);
    if (kind->type.relayed)
        rc = author_it(m, &sealed, e, &frame, out);
    if (rc) {
        free(sealed);
        return rc;
    }
    for (size_t i = 0; i < n; i++) {
        const rc_t one = send_one(m, &first, lines[i], &frame, out);
        if (each)
            each[i] = one;
        if (one && !rc && e)
            *e = first;
        rc = rc ? rc : one;
    }
    free(sealed);
    return rc;
}

/* ---- life ---- */

rc_t messages_new(messages_t **out, const messages_config_t *config)
{
    messages_t *m = calloc(1, sizeof *m);
    if (!m)
        return RC_NOMEM;
    m->c = *config;
    m->authors = calloc(MESSAGES_AUTHORS_MAX, sizeof *m->authors);
    if (!m->authors) {
        free(m);
        return RC_NOMEM;
    }
    *out = m;
    return RC_OK;
}

void messages_free(messages_t *m)
{
    if (!m)
        return;
    free(m->authors);
    free(m);
}

void messages_counts(const messages_t *m, message_counts_t *out)
{
    *out = m->counts;
}
