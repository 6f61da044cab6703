#include <stdlib.h>

#include "overlay/messages_parts.h"

#define SEEN_BITS 64u

/* ---- authors ---- */

/* A static key that has a session with us now. */
static bool is_attested(const messages_t *m, const uint8_t key[33])
{
    for (size_t i = 0; i < MESSAGES_LINES_MAX; i++)
        if (m->lines[i].number && m->lines[i].up && memcmp(m->lines[i].peer, key, 33) == 0)
            return true;
    return false;
}

static msg_author_t *find_author(messages_t *m, const uint8_t key[33])
{
    for (size_t i = 0; i < m->author_count; i++)
        if (memcmp(m->authors[i].key, key, 33) == 0)
            return &m->authors[i];
    return NULL;
}

/* Whose place a new author takes: the oldest of those that its peer brought, when they are many; else a free one, else
 * the oldest of all. Who is attested keeps his. So a peer that invents authors lets us forget its own. */
static msg_author_t *place_for(messages_t *m, const uint8_t by[33])
{
    msg_author_t *own = NULL, *oldest = NULL;
    size_t brought = 0;
    for (size_t i = 0; i < m->author_count; i++) {
        msg_author_t *a = &m->authors[i];
        if (is_attested(m, a->key))
            continue;
        if (!oldest || a->last_used < oldest->last_used)
            oldest = a;
        if (memcmp(a->by, by, 33) != 0)
            continue;
        brought++;
        if (!own || a->last_used < own->last_used)
            own = a;
    }
    if (brought >= MESSAGES_AUTHORS_PER_LINE)
        return own;
    return m->author_count < MESSAGES_AUTHORS_MAX ? &m->authors[m->author_count++] : oldest;
}

/* Whether a number is new for its author; then it has come from now on. */
static bool is_new(messages_t *m, const uint8_t key[33], const uint8_t by[33], uint64_t seq)
{
    msg_author_t *a = find_author(m, key);
    if (!a) {
        a = place_for(m, by);
        if (!a)
            return false;
        *a = (msg_author_t){ .next = seq };
        memcpy(a->key, key, sizeof a->key);
        memcpy(a->by, by, sizeof a->by);
    }
    a->last_used = ++m->uses;
    if (seq >= a->next) {
        const uint64_t ahead = seq - a->next;
        a->seen = ahead + 1 < SEEN_BITS ? a->seen << (ahead + 1) | 1 : 1;
        a->next = seq + 1;
        return true;
    }
    const uint64_t behind = a->next - 1 - seq;
    if (behind >= SEEN_BITS || (a->seen >> behind & 1))
        return false;
    a->seen |= 1ull << behind;
    return true;
}

/* ---- relaying ---- */

/* Hands a message on to everybody but its author and the peer that brought it. */
static void forward(messages_t *m, const msg_line_t *from, const msg_frame_t *frame, const uint8_t author[33])
{
    msg_frame_t out = *frame;
    err_t e;
    out.has_author = true;
    memcpy(out.author, author, sizeof out.author);
    for (size_t i = 0; i < MESSAGES_LINES_MAX; i++) {
        msg_line_t *l = &m->lines[i];
        if (!l->number || !l->up || !l->session.agreed || memcmp(l->peer, author, 33) == 0 ||
            memcmp(l->peer, from->peer, 33) == 0)
            continue;
        if (messages_put(m, &e, l, &out))
            m->counts.unrelayed++;
        else
            m->counts.forwarded++;
    }
}

/* ---- taking ---- */

/* That a relayed message is its author's, and not the sender's in another's name. */
static rc_t check_author(const messages_t *m, err_t *e, const msg_line_t *l, const msg_frame_t *frame)
{
    hash32_t digest;
    const uint8_t *author = frame->has_author ? frame->author : l->peer;
    if (frame->has_author && memcmp(frame->author, l->peer, 33) == 0)
        return err_say(e, RC_REFUSED, "a message names its sender as another author");
    msg_digest(&digest, frame, author);
    if (ecdsa_verify(m->c.ecdsa, frame->signature, &digest, author))
        return err_say(e, RC_REFUSED, "a message is not signed by its author");
    return RC_OK;
}

/* Opens what is sealed; *plain is freed by the caller. RC_REFUSED: it does not open. */
static rc_t unseal(const messages_t *m, uint8_t **plain, view_t *payload, const msg_frame_t *frame,
                   const uint8_t author[33])
{
    uint8_t ad[MSG_AD_MAX];
    wr_t w = wr_of(ad, sizeof ad);
    const keyring_t *ring = messages_ring(m, frame->mode, frame->group);
    *plain = NULL;
    *payload = frame->payload;
    if (frame->mode == MSG_PEER)
        return RC_OK;
    if (!ring || frame->payload.n < KEY_MESSAGE_EXTRA)
        return RC_REFUSED;
    const size_t n = frame->payload.n - KEY_MESSAGE_EXTRA;
    *plain = malloc(n ? n : 1);
    if (!*plain)
        return RC_NOMEM;
    msg_ad(&w, author, frame->type, frame->relayed ? frame->seq : frame->nonce);
    *payload = view_of(*plain, n);
    return keyring_open_message(ring, *plain, frame->payload, wr_view(&w));
}

/* Gives it to the application. RC_NEED_DATA: not now. */
static rc_t deliver(messages_t *m, msg_line_t *l, const msg_kind_t *kind, const msg_frame_t *frame)
{
    const uint8_t *author = frame->has_author ? frame->author : l->peer;
    uint8_t sender[33], *plain;
    message_t out = { .sender = sender,
                      .author = frame->has_author ? frame->author : sender,
                      .line = l->number,
                      .forwarded = frame->has_author,
                      .author_attested = !frame->has_author || is_attested(m, author),
                      .seq = frame->seq,
                      .mode = frame->mode,
                      .group = frame->mode == MSG_GROUP ? frame->group : NULL,
                      .type = frame->type };
    rc_t rc = unseal(m, &plain, &out.payload, frame, author);
    const bool opened = !rc && out.payload.n <= kind->type.max;
    memcpy(sender, l->peer, sizeof sender); /* the line may be gone when the application returns */
    l->waits = false;
    m->counts.unopened += rc && rc != RC_NOMEM;
    m->counts.unknown += !rc && !opened;
    if (opened && !kind->type.take(kind->type.ctx, &out)) {
        msg_line_t *still = messages_find_line(m, out.line);
        if (still)
            still->waits = true;
        rc = RC_NEED_DATA;
    } else {
        m->counts.delivered += opened;
        rc = rc == RC_NOMEM ? rc : RC_OK;
    }
    free(plain);
    return rc;
}

/* All that has to hold before a message counts, and then that it does. *fresh: it is to be handed on and delivered. */
static rc_t admit(messages_t *m, bool *fresh, err_t *e, msg_line_t *l, const msg_frame_t *frame, const msg_kind_t *kind)
{
    msg_session_t after = l->session;
    const bool known = kind && kind->type.relayed == frame->relayed;
    rc_t rc = msg_session_take(&after, e, frame->nonce);
    if (!rc && known && frame->relayed)
        rc = check_author(m, e, l, frame);
    if (rc)
        return rc;
    l->session = after;
    *fresh = known;
    m->counts.unknown += !known;
    if (!known || !frame->relayed)
        return RC_OK;
    const uint8_t *author = frame->has_author ? frame->author : l->peer;
    *fresh = memcmp(author, m->c.self, 33) != 0 && is_new(m, author, l->peer, frame->seq);
    m->counts.repeated += !*fresh;
    return RC_OK;
}

rc_t messages_take(messages_t *m, err_t *e, uint64_t line, view_t bytes)
{
    msg_line_t *l = line ? messages_find_line(m, line) : NULL;
    msg_frame_t frame;
    bool fresh = true;
    rc_t rc = msg_frame_read(&frame, e, bytes);
    if (rc)
        return rc;
    if (!l)
        return err_say(e, RC_REFUSED, "a message before its line");
    if (frame.is_hello)
        return messages_take_hello(m, e, l, frame.session);
    const msg_kind_t *kind = messages_find_kind(m, frame.type);
    const bool again = l->waits;
    if (!again)
        rc = admit(m, &fresh, e, l, &frame, kind);
    if (rc || !fresh)
        return rc;
    if (!kind) { /* it was taken off the list while the message waited */
        l->waits = false;
        return RC_OK;
    }
    if (!again && frame.relayed)
        forward(m, l, &frame, frame.has_author ? frame.author : l->peer);
    return deliver(m, l, kind, &frame);
}
