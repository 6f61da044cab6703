#include <stdlib.h>

#include "overlay/announce.h"
#include "overlay/join_parts.h"
#include "overlay/wire/proto.h"

#define CREDIT_MAX 32u /* states that may come in a burst; */
#define CREDIT_MS 500u /* later one in that time */

/* ---- ours ---- */

/* What we tell a peer. The order goes along where the peer's is lower and there is one to send. */
static void fill(session_t *s, state_t *out, uint8_t first[ENTRY_MAX])
{
    join_t *j = s->join;
    const entry_proof_t *newest = gen_newest(j->gen);
    const entry_signed_t *bootstrap = join_first(j);
    *out = (state_t){ .has_generation = newest != NULL, .holds = !gen_wants_key(j->gen), .runs = j->order.id };
    j->config.tell(j->config.ctx, out);
    draft_fill(s, out);
    if (j->order_bytes && order_id_cmp(&s->order, &j->order.id) < 0)
        out->order = view_of(j->order_bytes, j->order_n);
    if (newest) {
        out->version = newest->entry.entry.name.version;
        out->index = newest->entry.entry.name.index;
    }
    if (out->statement.n && bootstrap) {
        wr_t w = wr_of(first, ENTRY_MAX);
        entry_write(&w, bootstrap);
        out->bootstrap = wr_view(&w);
    } else
        out->statement = view_of(NULL, 0);
}

/* What we announce of the chain is signed by itself, too: others can show it without the rest. */
static rc_t sign_announced(const join_config_t *c, state_t *told)
{
    announce_t said;
    hash32_t digest;
    announce_of(&said, told);
    told->has_announced = announce_any(&said);
    announce_digest(&digest, &said);
    return told->has_announced ? c->sign(c->sign_ctx, told->announced, &digest) : RC_OK;
}

static rc_t write_state(session_t *s, wr_t *w)
{
    const join_config_t *c = &s->join->config;
    uint8_t first[ENTRY_MAX], signature[64];
    hash32_t digest;
    state_t told;
    fill(s, &told, first);
    rc_t rc = sign_announced(c, &told);
    if (rc)
        return rc;
    state_write(w, &told);
    state_digest(&digest, wr_view(w));
    rc = c->sign(c->sign_ctx, signature, &digest);
    if (rc)
        return rc;
    state_put_signature(w, signature);
    pb_delimit(w, 0);
    return w->bad ? RC_LIMIT : RC_OK;
}

void session_tell(session_t *s)
{
    net_stream_t *stream;
    uint8_t *buf = malloc(STATE_MAX + 16);
    wr_t w = wr_of(buf, buf ? STATE_MAX : 0);
    rc_t rc = buf ? write_state(s, &w) : RC_NOMEM;
    if (!rc && !s->told.stream) {
        rc = net_open(s->conn, &stream, &s->join->protocols[JOIN_STATE], &s->told);
        if (!rc)
            s->told.stream = stream;
    }
    if (!rc)
        rc = net_write(s->told.stream, wr_view(&w));
    free(buf);
    if (rc)
        session_trouble(s, rc, "our state cannot be sent");
}

void join_tell(join_t *j)
{
    for (session_t *s = j->sessions; s; s = s->next)
        if (s->conn && s->attested)
            session_tell(s);
}

/* ---- the peer's ---- */

static void refuse(session_t *s, rc_t rc, const char *text)
{
    err_t why;
    (void)err_say(&why, rc, text);
    session_refuse(s, NET_BYE_PROTOCOL, &why);
}

static bool has_credit(session_t *s)
{
    return credit_take(&s->credit, 1, CREDIT_MAX, CREDIT_MS, s->join->now_ms);
}

/* The first generation that a state names, checked: signed by its maker and by its own key. NULL: none. */
static rc_t read_first(session_t *s, entry_signed_t **out, err_t *e, view_t bytes)
{
    *out = bytes.n ? malloc(sizeof **out) : NULL;
    if (!bytes.n)
        return RC_OK;
    rc_t rc = *out ? entry_read(*out, e, bytes) : err_say(e, RC_NOMEM, "out of memory");
    if (!rc && !entry_is_first(&(*out)->entry))
        rc = err_say(e, RC_REFUSED, "the state's first generation is a later one");
    if (!rc)
        rc = entry_judge(e, *out, NULL, s->join->config.ecdsa);
    if (rc) {
        free(*out);
        *out = NULL;
    }
    return rc;
}

/* Which order the peer runs by now; a higher one than ours came along: its owner judges it, and tells us if it is in
 * force. */
static void look_at_order(session_t *s, const state_t *state)
{
    s->order = state->runs;
    order_take(s, state->order);
}

static rc_t judge_announced(const session_t *s, err_t *e, const state_t *state)
{
    announce_signed_t a;
    announce_of(&a.said, state);
    memcpy(a.signature, state->announced, sizeof a.signature);
    return state->has_announced ? announce_judge(e, &a, s->static_key, s->join->config.ecdsa) : RC_OK;
}

/* Takes the place of the last one. take_message: owned by the session from RC_OK on. */
static rc_t take_state(session_t *s, err_t *e, uint8_t *take_message, size_t n)
{
    state_t state;
    view_t part;
    hash32_t digest;
    entry_signed_t *first;
    rc_t rc = state_read(&state, &part, e, view_of(take_message, n));
    if (rc)
        return rc;
    state_digest(&digest, part);
    if (ecdsa_verify(s->join->config.ecdsa, state.signature, &digest, s->static_key))
        return err_say(e, RC_REFUSED, "a state is not signed by its sender");
    rc = judge_announced(s, e, &state);
    if (rc)
        return rc;
    rc = read_first(s, &first, e, state.bootstrap);
    if (rc)
        return rc;
    free(s->message);
    free(s->first);
    s->message = take_message;
    s->state = state;
    s->first = first;
    s->has_state = true;
    return RC_OK;
}

static void heard(session_t *s, view_t message)
{
    err_t e;
    uint8_t *copy = malloc(message.n ? message.n : 1);
    if (copy)
        memcpy(copy, message.p, message.n);
    rc_t rc = !has_credit(s) ? err_say(&e, RC_LIMIT, "the peer tells its state too often")
              : copy         ? take_state(s, &e, copy, message.n)
                             : err_say(&e, RC_NOMEM, "out of memory");
    if (rc) {
        free(copy);
        session_refuse(s, NET_BYE_PROTOCOL, &e);
        return;
    }
    const bool was_same = session_same_order(s);
    look_at_order(s, &s->state);
    if (s->conn && !session_same_order(s))
        session_trouble(s, RC_REFUSED, "the peer runs another order: another policy, or another version of it");
    else if (s->conn && !was_same)
        session_trouble(s, RC_OK, NULL);
    else if (s->conn)
        session_changed(s);
    if (s->conn)
        draft_try(s);
}

void state_read_held(session_t *s)
{
    lane_t *l = &s->heard;
    view_t message;
    size_t used;
    while (s->conn && s->attested) {
        rc_t rc = pb_delimited(&message, &used, view_of(l->bytes, l->n), STATE_MAX);
        if (rc == RC_NEED_DATA)
            return;
        if (rc) {
            refuse(s, rc, "a state that is malformed, or too long");
            return;
        }
        heard(s, message);
        lane_use(l, used);
    }
}

void state_opened(void *ctx, net_stream_t *stream)
{
    session_t *s = join_find(ctx, net_conn_of(stream));
    if (net_opener(stream))
        return;
    if (!s || s->heard.stream) {
        net_reset(stream);
        return;
    }
    s->heard.n = 0;
    s->heard.stream = stream;
    net_set_stream_user(stream, &s->heard);
}

void state_data(void *ctx, net_stream_t *stream, view_t bytes)
{
    lane_t *l = net_stream_user(stream);
    (void)ctx;
    if (!l || l != &l->session->heard) {
        net_consumed(stream, bytes.n); /* nobody answers on our own stream */
        return;
    }
    if (lane_add(l, bytes, STATE_MAX + NET_WINDOW))
        refuse(l->session, RC_LIMIT, "a state that is too long");
    else
        state_read_held(l->session);
}

void state_closed(void *ctx, net_stream_t *stream, rc_t why)
{
    lane_t *l = net_stream_user(stream);
    (void)ctx, (void)why;
    if (l && l->stream == stream)
        l->stream = NULL;
}
