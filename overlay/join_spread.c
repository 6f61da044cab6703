/* join_spread.c - what goes to all: the flood among peers, and what a node's part in key generations says. */
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/crypto/secret.h"
#include "overlay/join_parts.h"
#include "overlay/wire/proto.h"

#define LENGTH_MAX 4u /* bytes of a message's length */
#define FRAME_MAX (FLOOD_FRAME_MAX + LENGTH_MAX)
#define OWED_ROOM (NET_QUEUE_MAX / 2)     /* of a stream's queue; the other half is for what comes meanwhile */
#define AGAIN_MS (FLOOD_KEEP_MS - 60000u) /* what was spread longer ago is not pulled by who connects now */

/* ---- peers ---- */

/* A peer's session by its static key; NULL: there is none. Of two connections the newest. */
static session_t *session_of(const join_t *j, const uint8_t key[33])
{
    for (session_t *s = j->sessions; s; s = s->next)
        if (session_is_peer(s) && memcmp(s->static_key, key, 33) == 0)
            return s;
    return NULL;
}

static void tell_peers(join_t *j)
{
    uint8_t keys[GEN_PEERS_MAX][33];
    size_t n = 0;
    for (const session_t *s = j->sessions; s && n < GEN_PEERS_MAX; s = s->next)
        if (session_is_peer(s))
            memcpy(keys[n++], s->static_key, sizeof keys[0]);
    gen_peers(j->gen, (const uint8_t(*)[33])keys, n);
}

/* Another connection of the same peer that the flood knows of. */
static bool has_other(const session_t *s)
{
    for (const session_t *o = s->join->sessions; o; o = o->next)
        if (o != s && o->spreads && memcmp(o->static_key, s->static_key, sizeof s->static_key) == 0)
            return true;
    return false;
}

static void became_peer(session_t *s)
{
    join_t *j = s->join;
    const bool is_new = !has_other(s);
    if (is_new && flood_connected(j->flood, s->static_key, j->now_ms))
        (void)err_say(&s->trouble, RC_LIMIT, "there are more peers than what goes to all is spread among");
    s->spreads = true;
    if (is_new)
        gen_connected(j->gen, s->static_key);
    flood_read_held(s);
    if (s->conn)
        key_read_held(s);
}

/* What was under way on this connection may be lost: on another one of the same peer both say again what they have. */
static void was_peer(session_t *s)
{
    join_t *j = s->join;
    s->spreads = false;
    flood_gone(j->flood, s->static_key);
    if (has_other(s) && flood_connected(j->flood, s->static_key, j->now_ms))
        (void)err_say(&s->trouble, RC_LIMIT, "what goes to all could not be asked for again");
}

static void update(join_t *j)
{
    bool changed = false;
    for (session_t *s = j->sessions; s; s = s->next)
        if (s->spreads && !session_is_peer(s)) {
            was_peer(s);
            changed = true;
        }
    for (session_t *s = j->sessions; s; s = s->next)
        if (!s->spreads && session_is_peer(s)) {
            if (!changed)
                tell_peers(j); /* before any of them is told what it lacks */
            changed = true;
            became_peer(s);
        }
    if (changed)
        tell_peers(j);
}

void spread_update(join_t *j)
{
    if (j->updating) {
        j->update_again = true;
        return;
    }
    j->updating = true;
    do {
        j->update_again = false;
        update(j);
    } while (j->update_again);
    j->updating = false;
    spread_pump(j);
}

/* ---- frames ---- */

/* Notes a message that goes out as soon as there is room. False: it is owed too much, or out of memory. */
static bool owe(session_t *s, const hash32_t *id)
{
    if (!s->owed)
        s->owed = malloc(FLOOD_KEPT_MAX * sizeof *s->owed);
    if (!s->owed || s->owed_count == FLOOD_KEPT_MAX)
        return false;
    s->owed[s->owed_count++] = *id;
    return true;
}

/* Whether a message has to wait, and is noted. */
static bool waits(session_t *s, const flood_out_t *out, size_t n)
{
    hash32_t id;
    if (out->kind != FLOOD_SEND || !s->flooded.stream || net_room(s->flooded.stream) >= n)
        return false;
    flood_id(&id, out->message);
    return owe(s, &id);
}

static void send_frame(join_t *j, const flood_out_t *out)
{
    net_stream_t *stream;
    session_t *s = session_of(j, out->to);
    uint8_t *buf = s ? malloc(FRAME_MAX) : NULL;
    wr_t w = wr_of(buf, buf ? FRAME_MAX : 0);
    if (!s)
        return;
    flood_frame_write(&w, out);
    pb_delimit(&w, 0);
    rc_t rc = w.bad ? RC_NOMEM : RC_OK;
    if (!rc && !s->flooded.stream) {
        rc = net_open(s->conn, &stream, &j->protocols[JOIN_FLOOD], &s->flooded);
        if (!rc)
            s->flooded.stream = stream;
    }
    if (!rc && !waits(s, out, w.n))
        rc = net_write(s->flooded.stream, wr_view(&w));
    free(buf);
    if (rc) {
        err_t why;
        (void)err_set(&why, rc, "what goes to all cannot be sent to this peer: %s", rc_name(rc));
        session_refuse(s, NET_BYE, &why); /* on a new connection it pulls what it lacks */
    }
}

/* What came of somebody. Who sent what proves nothing is passed over: others may have handed it on in good faith. */
static void deliver(join_t *j, const flood_message_t *m)
{
    err_t e;
    rc_t rc = RC_OK;
    switch (m->kind) {
    case FLOOD_ACK: rc = gen_ack(j->gen, &e, m->payload); break;
    case FLOOD_COMMIT:
    case FLOOD_EVIDENCE: rc = gen_commit(j->gen, &e, m->payload); break;
    default:
        if (j->config.delivered)
            j->config.delivered(j->config.ctx, m);
    }
    j->passed_over += rc != RC_OK;
}

static void flood_out(join_t *j, const flood_out_t *out)
{
    if (out->kind == FLOOD_DELIVER)
        deliver(j, out->message);
    else
        send_frame(j, out);
}

rc_t join_publish(join_t *j, err_t *e, uint32_t kind, view_t payload)
{
    const rc_t rc = flood_publish(j->flood, e, kind, payload, j->now_ms);
    spread_pump(j);
    return rc;
}

/* Puts the first of what is owed on its way, unless it has expired. False: nothing is, or there is no room yet. */
static bool pay(session_t *s)
{
    if (!s->conn || !s->owed_count || (s->flooded.stream && net_room(s->flooded.stream) < OWED_ROOM))
        return false;
    const hash32_t id = s->owed[0];
    memmove(s->owed, s->owed + 1, --s->owed_count * sizeof *s->owed);
    return flood_take_pull(s->join->flood, s->static_key, &id, 1, s->join->now_ms) == RC_OK;
}

void flood_writable(void *ctx, net_stream_t *stream)
{
    const lane_t *l = net_stream_user(stream);
    (void)ctx;
    if (l && l == &l->session->flooded)
        spread_pump(l->session->join);
}

/* ---- what comes ---- */

/* What a peer lacks goes as far as there is room, and then on; a peer that asks for more than there can be gets the
 * first of it. */
static void take_pull(session_t *s, const hash32_t *ids, size_t n)
{
    for (size_t i = 0; i < n && owe(s, &ids[i]); i++)
        ;
}

/* A frame beyond what a peer may send is dropped; too many of its own are no accident. What it hands on is another's:
 * it counts apart, takes nothing from its own, and is not its fault. RC_LIMIT: it is one; RC_REFUSED: too many. */
static rc_t may_send(session_t *s, const flood_frame_t *f)
{
    const unsigned cost = f->kind == FLOOD_SEND ? 1 : JOIN_FLOOD_LIST;
    if (f->kind == FLOOD_SEND && memcmp(f->message.author, s->static_key, sizeof f->message.author) != 0)
        return credit_take(&s->handed_credit, cost, JOIN_FLOOD_BURST, JOIN_FLOOD_MS, s->join->now_ms) ? RC_OK
                                                                                                      : RC_LIMIT;
    if (!credit_take(&s->flood_credit, cost, JOIN_FLOOD_BURST, JOIN_FLOOD_MS, s->join->now_ms))
        return ++s->flood_drops > JOIN_FLOOD_DROPS ? RC_REFUSED : RC_LIMIT;
    if (s->flood_credit.left >= JOIN_FLOOD_BURST / 2)
        s->flood_drops = 0;
    return RC_OK;
}

static rc_t take_frame(session_t *s, err_t *e, view_t bytes)
{
    flood_frame_t *f = malloc(sizeof *f);
    flood_t *flood = s->join->flood;
    const uint64_t now = s->join->now_ms;
    rc_t rc = f ? flood_frame_read(f, e, bytes) : RC_NOMEM;
    if (!rc)
        rc = may_send(s, f);
    if (!rc && f->kind == FLOOD_SEND)
        rc = flood_take(flood, e, s->static_key, &f->message, now);
    else if (!rc && f->kind == FLOOD_IDS)
        rc = flood_take_ids(flood, s->static_key, f->ids, f->id_count, now);
    else if (!rc)
        take_pull(s, f->ids, f->id_count);
    free(f);
    return rc == RC_REFUSED || rc == RC_MALFORMED ? rc : RC_OK; /* the rest is no fault of the peer's */
}

void flood_read_held(session_t *s)
{
    lane_t *l = &s->heard_flood;
    view_t frame;
    size_t used;
    while (s->conn && s->spreads) {
        err_t e;
        rc_t rc = pb_delimited(&frame, &used, view_of(l->bytes, l->n), FLOOD_FRAME_MAX);
        if (rc == RC_NEED_DATA)
            return;
        if (rc || take_frame(s, &e, frame)) {
            if (s->flood_drops > JOIN_FLOOD_DROPS)
                (void)err_say(&e, RC_LIMIT, "too many messages to all at once");
            else
                (void)err_say(&e, RC_MALFORMED, "a message to all that is malformed, too long, or not of its author");
            session_refuse(s, NET_BYE_PROTOCOL, &e);
            return;
        }
        lane_use(l, used);
        spread_pump(s->join);
    }
}

void flood_opened(void *ctx, net_stream_t *stream)
{
    session_t *s = join_find(ctx, net_conn_of(stream));
    if (net_opener(stream))
        return;
    if (!s || s->heard_flood.stream) {
        net_reset(stream);
        return;
    }
    s->heard_flood.n = 0;
    s->heard_flood.stream = stream;
    net_set_stream_user(stream, &s->heard_flood);
}

void flood_data(void *ctx, net_stream_t *stream, view_t bytes)
{
    lane_t *l = net_stream_user(stream);
    (void)ctx;
    if (!l || l != &l->session->heard_flood) {
        net_consumed(stream, bytes.n); /* nobody answers on our own stream */
        return;
    }
    if (lane_add(l, bytes, FRAME_MAX + NET_WINDOW)) {
        err_t why;
        (void)err_say(&why, RC_LIMIT, "a message to all that is too long");
        session_refuse(l->session, NET_BYE_PROTOCOL, &why);
    } else {
        flood_read_held(l->session);
    }
}

void flood_closed(void *ctx, net_stream_t *stream, rc_t why)
{
    lane_t *l = net_stream_user(stream);
    (void)ctx, (void)why;
    if (l && l->stream == stream)
        l->stream = NULL;
}

/* ---- generations ---- */

static void hash_said(hash32_t *out, gen_kind_t kind, view_t bytes)
{
    const uint8_t tag = (uint8_t)kind;
    const view_t parts[] = { view_of(&tag, 1), bytes };
    sha256_parts(out, parts, 2);
}

/* Whether this was spread so short a time ago that whoever connects now pulls it. */
static bool was_spread(const join_t *j, const hash32_t *hash)
{
    for (size_t i = 0; i < JOIN_SPREAD_MAX; i++)
        if (j->spread[i].at_ms && hash32_eq(&j->spread[i].hash, hash) && j->now_ms - j->spread[i].at_ms < AGAIN_MS)
            return true;
    return false;
}

static void note_spread(join_t *j, const hash32_t *hash)
{
    size_t oldest = 0;
    for (size_t i = 0; i < JOIN_SPREAD_MAX; i++)
        if (j->spread[i].at_ms < j->spread[oldest].at_ms)
            oldest = i;
    j->spread[oldest].hash = *hash;
    j->spread[oldest].at_ms = j->now_ms + 1;
}

static void gen_says(join_t *j, const gen_out_t *out)
{
    static const uint32_t kinds[] = {
        [GEN_ACK] = FLOOD_ACK, [GEN_COMMIT] = FLOOD_COMMIT, [GEN_EVIDENCE] = FLOOD_EVIDENCE
    };
    hash32_t hash;
    err_t e;
    if (out->kind == GEN_DRAFT) {
        session_t *s = session_of(j, out->to);
        if (s)
            draft_due(s, &out->name, out->bytes);
        return;
    }
    hash_said(&hash, out->kind, out->bytes);
    if (was_spread(j, &hash))
        return;
    if (flood_publish(j->flood, &e, kinds[out->kind], out->bytes, j->now_ms))
        j->passed_over++; /* too many just now: who connects later is told */
    else
        note_spread(j, &hash);
}

/* Draws the secrets of a generation that it is our turn to make. */
static void make_if_due(join_t *j)
{
    uint8_t *secrets = gen_wants_secrets(j->gen, j->now_ms) ? secret_alloc(KEY_SECRETS_LEN) : NULL;
    rc_t rc = RC_REFUSED;
    if (!secrets)
        return;
    for (int tries = 0; rc == RC_REFUSED && tries < 8; tries++) { /* one in 2^128 is no key */
        j->config.random(j->config.ctx, secrets, KEY_SECRETS_LEN);
        rc = gen_make(j->gen, secrets, j->now_ms);
    }
    secret_free(secrets);
}

void join_keys(const join_t *j, join_keys_t *out)
{
    const entry_proof_t *newest = gen_newest(j->gen);
    const key_name_t *in_use = gen_in_use(j->gen);
    *out = (join_keys_t){ .is_known = newest != NULL,
                          .holds = newest && !gen_wants_key(j->gen),
                          .is_in_use = in_use != NULL,
                          .signer = gen_signer(j->gen, j->head),
                          .until = gen_until(j->gen) };
    if (newest)
        out->newest = newest->entry.g;
    if (in_use)
        out->in_use = *in_use;
}

/* Whether what is known of generations has changed since the last time. */
static bool keys_changed(join_t *j)
{
    const join_keys_t was = j->keys;
    join_keys(j, &j->keys);
    const join_keys_t *is = &j->keys;
    return is->is_known != was.is_known || !hash32_eq(&is->newest, &was.newest) || is->holds != was.holds ||
           is->is_in_use != was.is_in_use || key_name_cmp(&is->in_use, &was.in_use) || is->signer != was.signer ||
           is->until != was.until;
}

void spread_pump(join_t *j)
{
    gen_out_t said;
    flood_out_t out;
    bool more = true;
    if (j->pumping)
        return; /* whoever is at it goes on until nothing is left */
    j->pumping = true;
    while (more) {
        more = false;
        while (gen_poll(j->gen, &said)) {
            gen_says(j, &said);
            more = true;
        }
        while (flood_poll(j->flood, &out)) {
            flood_out(j, &out);
            more = true;
        }
        for (session_t *s = j->sessions; s; s = s->next)
            more |= pay(s);
    }
    j->pumping = false;
    if (keys_changed(j)) {
        key_stop_asking(j);
        join_tell(j);
        if (j->config.keyed)
            j->config.keyed(j->config.ctx);
    }
}

void spread_turn(join_t *j)
{
    make_if_due(j);
    spread_pump(j);
}

void join_head(join_t *j, uint64_t slot)
{
    if (slot > j->head)
        j->head = slot;
    gen_head(j->gen, slot);
    make_if_due(j);
    spread_pump(j);
}
