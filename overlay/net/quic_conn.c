#include <stdlib.h>

#include "base/crypto/secret.h"
#include "overlay/net/quic_guard.h"
#include "overlay/net/quic_inside.h"

#define STREAM_ERROR 0u /* libp2p gives the codes of streams no meaning */

static quic_t *quic_of(const quic_conn_t *c)
{
    return (quic_t *)c->conn.transport;
}

static bool alive(const quic_conn_t *c)
{
    return c->conn.state != CONN_CLOSED;
}

/* ---- endings ---- */

/* What the peer's last word was. */
static void heard_close(quic_conn_t *c, err_t *why)
{
    const ngtcp2_ccerr *said = ngtcp2_conn_get_ccerr(c->q);
    if (said->type == NGTCP2_CCERR_TYPE_APPLICATION) {
        c->conn.bye_code = (unsigned)said->error_code;
        err_set(why, RC_REFUSED, "the peer closed with code %x", c->conn.bye_code);
    } else {
        err_set(why, RC_REFUSED, "the peer closed with QUIC's code %llx", (unsigned long long)said->error_code);
    }
}

/* ngtcp2 is done with the connection. */
static void fail(quic_conn_t *c, int err)
{
    err_t why;
    if (!alive(c))
        return;
    c->bye = true;
    ngtcp2_ccerr_set_liberr(&c->ccerr, err, NULL, 0);
    switch (err) {
    case NGTCP2_ERR_DRAINING:
        heard_close(c, &why);
        c->bye = false;
        break;
    case NGTCP2_ERR_IDLE_CLOSE:
        err_say(&why, RC_TIMEOUT, "the peer is silent");
        c->bye = false;
        break;
    case NGTCP2_ERR_NOMEM:
    case NGTCP2_ERR_CALLBACK_FAILURE: err_say(&why, RC_NOMEM, "out of memory"); break;
    case NGTCP2_ERR_CRYPTO:
        ngtcp2_ccerr_set_tls_alert(&c->ccerr, ngtcp2_conn_get_tls_alert(c->q), NULL, 0);
        if (c->why.rc)
            why = c->why;
        else
            err_set(&why, RC_REFUSED, "the TLS handshake failed with alert %u", ngtcp2_conn_get_tls_alert(c->q));
        break;
    default: err_set(&why, RC_REFUSED, "the peer broke QUIC's rules: %s", ngtcp2_strerror(err));
    }
    link_closed(&c->conn, &why);
}

void quic_close(net_conn_t *conn, unsigned code, const char *text)
{
    quic_conn_t *c = (quic_conn_t *)conn;
    size_t n = strnlen(text, sizeof c->bye_text);
    memcpy(c->bye_text, text, n);
    ngtcp2_ccerr_set_application_error(&c->ccerr, code, (const uint8_t *)c->bye_text, n);
    c->bye = true; /* written in the turn: we may be inside of ngtcp2 */
}

/* ---- what ngtcp2 tells ---- */

/* 0: it may go on. */
static int go_on(const quic_conn_t *c)
{
    return alive(c) ? 0 : NGTCP2_ERR_CALLBACK_FAILURE;
}

static int confirm(quic_conn_t *c)
{
    if (c->conn.state != CONN_HANDSHAKE)
        return go_on(c);
    if (!c->peer.id.n) /* cannot be: TLS asks for a certificate */
        return NGTCP2_ERR_CALLBACK_FAILURE;
    c->conn.key = c->peer.key;
    c->conn.our_channel_key = quic_of(c)->tls.spki;
    c->conn.peer_channel_key = c->peer.spki;
    link_opened(&c->conn);
    return go_on(c);
}

static int on_completed(ngtcp2_conn *q, void *user)
{
    quic_conn_t *c = user;
    (void)q;
    return c->conn.dialled ? 0 : confirm(c);
}

static int on_confirmed(ngtcp2_conn *q, void *user)
{
    (void)q;
    return confirm(user);
}

static int on_stream_open(ngtcp2_conn *q, int64_t id, void *user)
{
    quic_conn_t *c = user;
    int err = confirm(c); /* it may overtake the listener's confirmation, and says the same */
    if (err)
        return err;
    if (!link_stream(&c->conn, (uint64_t)id))
        (void)ngtcp2_conn_shutdown_stream(q, 0, id, STREAM_ERROR);
    return go_on(c);
}

static int on_data(ngtcp2_conn *q, uint32_t flags, int64_t id, uint64_t offset, const uint8_t *data, size_t n,
                   void *user, void *stream_user)
{
    quic_conn_t *c = user;
    net_stream_t *s = link_find(&c->conn, (uint64_t)id);
    (void)offset;
    (void)stream_user;
    if (!s) { /* nobody will give the room back */
        ngtcp2_conn_extend_max_offset(q, n);
        return go_on(c);
    }
    s->unread += n;
    if (n)
        link_data(s, view_of(data, n));
    if (alive(c) && flags & NGTCP2_STREAM_DATA_FLAG_FIN)
        link_ended(s);
    return go_on(c);
}

static int on_acked(ngtcp2_conn *q, int64_t id, uint64_t offset, uint64_t n, void *user, void *stream_user)
{
    quic_conn_t *c = user;
    net_stream_t *s = link_find(&c->conn, (uint64_t)id);
    (void)q;
    (void)stream_user;
    if (s) {
        const size_t before = sendq_size(&s->out);
        sendq_arrived(&s->out, offset + n);
        link_drained(s, before);
    }
    return go_on(c);
}

/* What was brought and not used up counts against the connection no longer. */
static void give_back(net_stream_t *s)
{
    ngtcp2_conn_extend_max_offset(((quic_conn_t *)s->conn)->q, s->unread);
    s->unread = 0;
}

static int on_stream_close(ngtcp2_conn *q, uint32_t flags, int64_t id, uint64_t code, void *user, void *stream_user)
{
    quic_conn_t *c = user;
    net_stream_t *s = link_find(&c->conn, (uint64_t)id);
    (void)code;
    (void)stream_user;
    if (!ngtcp2_conn_is_local_stream(q, id))
        ngtcp2_conn_extend_max_streams_bidi(q, 1);
    if (s) {
        give_back(s);
        link_gone(s, flags & NGTCP2_STREAM_CLOSE_FLAG_APP_ERROR_CODE_SET ? RC_REFUSED : RC_OK);
    }
    return go_on(c);
}

/* The peer drops the stream, in whichever direction: so do we. */
static int dropped(quic_conn_t *c, int64_t id)
{
    net_stream_t *s = link_find(&c->conn, (uint64_t)id);
    if (!s)
        return go_on(c);
    quic_reset(s);
    link_gone(s, RC_REFUSED);
    return go_on(c);
}

static int on_reset(ngtcp2_conn *q, int64_t id, uint64_t size, uint64_t code, void *user, void *stream_user)
{
    (void)q;
    (void)size;
    (void)code;
    (void)stream_user;
    return dropped(user, id);
}

static int on_stop_sending(ngtcp2_conn *q, int64_t id, uint64_t code, void *user, void *stream_user)
{
    (void)q;
    (void)code;
    (void)stream_user;
    return dropped(user, id);
}

static void on_rand(uint8_t *out, size_t n, const ngtcp2_rand_ctx *ctx)
{
    (void)ctx;
    secret_random(out, n);
}

static int on_new_id(ngtcp2_conn *q, ngtcp2_cid *id, uint8_t *token, size_t n, void *user)
{
    quic_conn_t *c = user;
    quic_t *t = quic_of(c);
    (void)q;
    secret_random(id->data, n);
    id->datalen = n;
    if (ngtcp2_crypto_generate_stateless_reset_token(token, t->reset_key, sizeof t->reset_key, id) ||
        !quic_enter(t, id, c))
        return NGTCP2_ERR_CALLBACK_FAILURE;
    return 0;
}

static int on_remove_id(ngtcp2_conn *q, const ngtcp2_cid *id, void *user)
{
    (void)q;
    quic_leave(quic_of(user), id);
    return 0;
}

static const ngtcp2_callbacks callbacks = { .client_initial = ngtcp2_crypto_client_initial_cb,
                                            .recv_client_initial = ngtcp2_crypto_recv_client_initial_cb,
                                            .recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb,
                                            .handshake_completed = on_completed,
                                            .encrypt = ngtcp2_crypto_encrypt_cb,
                                            .decrypt = ngtcp2_crypto_decrypt_cb,
                                            .hp_mask = ngtcp2_crypto_hp_mask_cb,
                                            .recv_stream_data = on_data,
                                            .acked_stream_data_offset = on_acked,
                                            .stream_open = on_stream_open,
                                            .stream_close = on_stream_close,
                                            .recv_retry = ngtcp2_crypto_recv_retry_cb,
                                            .rand = on_rand,
                                            .get_new_connection_id = on_new_id,
                                            .remove_connection_id = on_remove_id,
                                            .update_key = ngtcp2_crypto_update_key_cb,
                                            .stream_reset = on_reset,
                                            .handshake_confirmed = on_confirmed,
                                            .delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb,
                                            .delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb,
                                            .get_path_challenge_data = ngtcp2_crypto_get_path_challenge_data_cb,
                                            .stream_stop_sending = on_stop_sending,
                                            .version_negotiation = ngtcp2_crypto_version_negotiation_cb };

/* ---- making and freeing ---- */

static void *mem_malloc(size_t n, void *user)
{
    (void)user;
    return malloc(n);
}

static void mem_free(void *p, void *user)
{
    (void)user;
    free(p);
}

static void *mem_calloc(size_t count, size_t n, void *user)
{
    (void)user;
    return calloc(count, n);
}

static void *mem_realloc(void *p, size_t n, void *user)
{
    (void)user;
    return realloc(p, n);
}

/* The project's own calls: tests let them fail. */
static const ngtcp2_mem memory = {
    .malloc = mem_malloc, .free = mem_free, .calloc = mem_calloc, .realloc = mem_realloc
};

static ngtcp2_conn *conn_of_ref(ngtcp2_crypto_conn_ref *ref)
{
    return ((quic_conn_t *)ref->user_data)->q;
}

static ngtcp2_path path_of(quic_conn_t *c, sock_addr_t *remote)
{
    return (ngtcp2_path){ .local = { (struct sockaddr *)&c->end->at.a, c->end->at.n },
                          .remote = { (struct sockaddr *)&remote->a, remote->n } };
}

static void settings_of(const quic_t *t, ngtcp2_settings *s, const ngtcp2_pkt_hd *hd, bool retried)
{
    ngtcp2_settings_default(s); /* never qlog_write: CVE-2026-40170 */
    s->initial_ts = quic_now(t->transport.net);
    s->max_tx_udp_payload_size = QUIC_SEND_MAX;
    s->no_pmtud = 1;
    if (!retried)
        return;
    s->token = hd->token;
    s->tokenlen = hd->tokenlen;
    s->token_type = NGTCP2_TOKEN_TYPE_RETRY;
}

static void params_of(ngtcp2_transport_params *p)
{
    ngtcp2_transport_params_default(p);
    p->initial_max_stream_data_bidi_local = p->initial_max_stream_data_bidi_remote = NET_WINDOW;
    p->initial_max_data = 4 * NET_WINDOW;
    p->initial_max_streams_bidi = NET_STREAMS_MAX;
    p->max_idle_timeout = NET_IDLE_MS * NGTCP2_MILLISECONDS;
    p->active_connection_id_limit = 7;
    p->disable_active_migration = 1;
}

/* What ngtcp2 leaves behind when it fails is not a connection. */
static int made(quic_conn_t *c, int err)
{
    if (err)
        c->q = NULL;
    return err;
}

static int begin_dial(quic_conn_t *c, const ngtcp2_cid *own, const ngtcp2_path *path)
{
    ngtcp2_settings settings;
    ngtcp2_transport_params params;
    ngtcp2_cid theirs = { .datalen = QUIC_CID_LEN };
    secret_random(theirs.data, theirs.datalen);
    settings_of(quic_of(c), &settings, NULL, false);
    params_of(&params);
    return made(c, ngtcp2_conn_client_new(&c->q, &theirs, own, path, NGTCP2_PROTO_VER_V1, &callbacks, &settings,
                                          &params, &memory, c));
}

static int begin_accepted(quic_conn_t *c, const ngtcp2_cid *own, const ngtcp2_path *path, const ngtcp2_pkt_hd *hd,
                          const ngtcp2_cid *odcid)
{
    quic_t *t = quic_of(c);
    ngtcp2_settings settings;
    ngtcp2_transport_params params;
    settings_of(t, &settings, hd, odcid != NULL);
    params_of(&params);
    params.original_dcid = odcid ? *odcid : hd->dcid;
    params.original_dcid_present = 1;
    if (odcid) {
        params.retry_scid = hd->dcid;
        params.retry_scid_present = 1;
    }
    params.stateless_reset_token_present = 1;
    if (ngtcp2_crypto_generate_stateless_reset_token(params.stateless_reset_token, t->reset_key, sizeof t->reset_key,
                                                     own))
        return NGTCP2_ERR_NOMEM;
    c->first = hd->dcid;
    if (!quic_enter(t, &c->first, c)) {
        c->first.datalen = 0;
        return NGTCP2_ERR_NOMEM;
    }
    return made(c, ngtcp2_conn_server_new(&c->q, &hd->scid, own, path, hd->version, &callbacks, &settings, &params,
                                          &memory, c));
}

rc_t quic_conn_new(quic_t *t, quic_conn_t **out, err_t *e, const maddr_t *addr, quic_end_t *end,
                   const ngtcp2_pkt_hd *hd, const ngtcp2_cid *odcid)
{
    ngtcp2_cid own = { .datalen = QUIC_CID_LEN };
    sock_addr_t remote;
    quic_conn_t *c = calloc(1, sizeof *c);
    if (!c)
        return err_say(e, RC_NOMEM, "out of memory");
    secret_random(own.data, own.datalen);
    sock_addr(&remote, addr);
    c->conn.transport = &t->transport;
    c->conn.dialled = !hd;
    c->end = end;
    c->ref = (ngtcp2_crypto_conn_ref){ conn_of_ref, c };
    c->due = true;
    const ngtcp2_path path = path_of(c, &remote);
    const bool whole = !quic_tls_session(&c->tls, &t->tls, &c->ref, !hd) && quic_enter(t, &own, c) &&
                       !(hd ? begin_accepted(c, &own, &path, hd, odcid) : begin_dial(c, &own, &path));
    if (!whole) {
        quic_leave(t, &own);
        quic_drop(&c->conn);
        return err_say(e, RC_NOMEM, "out of memory");
    }
    ngtcp2_conn_set_tls_native_handle(c->q, c->tls);
    ngtcp2_conn_set_keep_alive_timeout(c->q, NET_KEEP_ALIVE_MS * NGTCP2_MILLISECONDS);
    link_begin(&c->conn, &t->transport, addr, !hd);
    *out = c;
    return RC_OK;
}

#define OWN_IDS_MAX 16 /* active ones of a connection: peers may ask for 8 */

void quic_drop(net_conn_t *conn)
{
    quic_conn_t *c = (quic_conn_t *)conn;
    ngtcp2_cid ids[OWN_IDS_MAX];
    size_t n = c->q ? ngtcp2_conn_get_scid(c->q, NULL) : 0;
    if (n && n <= OWN_IDS_MAX)
        (void)ngtcp2_conn_get_scid(c->q, ids);
    for (size_t i = 0; i < n && n <= OWN_IDS_MAX; i++)
        quic_leave(quic_of(c), &ids[i]);
    if (c->first.datalen)
        quic_leave(quic_of(c), &c->first);
    ngtcp2_conn_del(c->q);
    if (c->tls)
        gnutls_deinit(c->tls);
    free(c);
}

/* ---- in ---- */

/* A connection stays at its address: what comes for it from another is lost. ngtcp2 would see a migration there, and
 * with path MTU discovery off its 1.11 ends the process once the new path is validated. */
static bool is_its_peer(const quic_conn_t *c, const sock_addr_t *from)
{
    maddr_t at;
    sock_maddr(&at, from, MADDR_QUIC);
    return at.host == c->conn.addr.host && at.port == c->conn.addr.port &&
           memcmp(at.ip, c->conn.addr.ip, sizeof at.ip) == 0;
}

bool quic_conn_read(quic_conn_t *c, view_t datagram, const sock_addr_t *from)
{
    if (!is_its_peer(c, from))
        return true;
    sock_addr_t remote = *from;
    const ngtcp2_path path = path_of(c, &remote);
    const ngtcp2_pkt_info info = { 0 };
    size_t n = c->conn.dialled && !c->handshaken ? quic_guard_cut(datagram) : datagram.n;
    if (n == 0)
        return true;
    int err = ngtcp2_conn_read_pkt(c->q, &path, &info, datagram.p, n, quic_now(c->conn.net));
    c->due = true;
    c->stuck = false;
    for (net_stream_t *s = c->conn.streams; s; s = s->next)
        s->blocked = false;
    if (err == NGTCP2_ERR_RETRY || err == NGTCP2_ERR_DROP_CONN) {
        err_t why;
        err_say(&why, RC_REFUSED, "the handshake begins wrongly");
        link_closed(&c->conn, &why);
    } else if (err) {
        fail(c, err);
    }
    return err != NGTCP2_ERR_RETRY;
}

/* ---- out ---- */

/* Writes one datagram, with data of a stream or (-1) without. What ngtcp2 returned; *taken: bytes of data in it, or
 * -1. */
static ngtcp2_ssize write_one(quic_conn_t *c, ngtcp2_ssize *taken, int64_t id, view_t data, bool fin)
{
    uint8_t out[QUIC_SEND_MAX];
    ngtcp2_path_storage ps;
    ngtcp2_pkt_info info;
    const ngtcp2_vec vec = { (uint8_t *)(uintptr_t)data.p, data.n };
    ngtcp2_path_storage_zero(&ps);
    ngtcp2_ssize n = ngtcp2_conn_writev_stream(c->q, &ps.path, &info, out, sizeof out, taken,
                                               fin ? NGTCP2_WRITE_STREAM_FLAG_FIN : NGTCP2_WRITE_STREAM_FLAG_NONE, id,
                                               &vec, data.n ? 1 : 0, quic_now(c->conn.net));
    if (n > 0)
        quic_send(c->end, ps.path.remote.addr, ps.path.remote.addrlen, view_of(out, (size_t)n));
    return n;
}

static bool wants_to_send(const net_stream_t *s)
{
    const bool all_sent = s->out.sent == s->out.end;
    return !s->gone && !s->blocked && (!all_sent || (s->end_wanted && !s->end_sent));
}

/* False: the connection takes no more now. */
static bool send_stream(quic_conn_t *c, net_stream_t *s)
{
    while (wants_to_send(s)) {
        ngtcp2_ssize taken = -1;
        const view_t v = sendq_next(&s->out);
        const bool fin = s->end_wanted && s->out.sent + v.n == s->out.end;
        ngtcp2_ssize n = write_one(c, &taken, (int64_t)s->id, v, fin);
        if (n == NGTCP2_ERR_STREAM_DATA_BLOCKED || n == NGTCP2_ERR_STREAM_SHUT_WR || n == NGTCP2_ERR_STREAM_NOT_FOUND) {
            s->blocked = true;
            return true;
        }
        if (n < 0) {
            fail(c, (int)n);
            return false;
        }
        if (taken > 0)
            sendq_sent(&s->out, (size_t)taken);
        s->end_sent = fin && taken == (ngtcp2_ssize)v.n;
        if (n == 0)
            return false;
    }
    return true;
}

static void flush(quic_conn_t *c)
{
    ngtcp2_ssize taken, n = 0;
    bool room = true;
    c->due = false;
    for (net_stream_t *s = c->conn.streams; s && room; s = s->next)
        room = send_stream(c, s);
    while (alive(c) && (n = write_one(c, &taken, -1, view_of(NULL, 0), false)) > 0)
        ;
    if (!alive(c))
        return;
    if (n < 0) {
        fail(c, (int)n);
        return;
    }
    c->stuck = !room;
    c->handshaken |= ngtcp2_conn_get_handshake_completed(c->q) != 0;
    ngtcp2_conn_update_pkt_tx_time(c->q, quic_now(c->conn.net));
}

static bool has_to_send(const quic_conn_t *c)
{
    if (c->due)
        return true;
    for (const net_stream_t *s = c->conn.streams; s && !c->stuck; s = s->next)
        if (wants_to_send(s))
            return true;
    return false;
}

static void say_goodbye(quic_conn_t *c)
{
    uint8_t out[QUIC_SEND_MAX];
    ngtcp2_path_storage ps;
    ngtcp2_pkt_info info;
    ngtcp2_path_storage_zero(&ps);
    c->bye = false;
    ngtcp2_ssize n =
        ngtcp2_conn_write_connection_close(c->q, &ps.path, &info, out, sizeof out, &c->ccerr, quic_now(c->conn.net));
    if (n > 0)
        quic_send(c->end, ps.path.remote.addr, ps.path.remote.addrlen, view_of(out, (size_t)n));
}

void quic_conn_turn(quic_conn_t *c)
{
    const ngtcp2_tstamp now = quic_now(c->conn.net);
    if (alive(c) && ngtcp2_conn_get_expiry(c->q) <= now) {
        int err = ngtcp2_conn_handle_expiry(c->q, now);
        c->due = true;
        c->stuck = false;
        if (err)
            fail(c, err);
    }
    if (alive(c) && has_to_send(c))
        flush(c);
    if (!alive(c) && c->bye)
        say_goodbye(c);
}

uint64_t quic_conn_next(const quic_conn_t *c)
{
    if (has_to_send(c))
        return c->conn.net->now_ms;
    const ngtcp2_tstamp at = ngtcp2_conn_get_expiry(c->q);
    return at == UINT64_MAX ? at : at / NGTCP2_MILLISECONDS + (at % NGTCP2_MILLISECONDS != 0);
}

/* ---- streams ---- */

rc_t quic_open(net_conn_t *conn, uint64_t *id)
{
    int64_t number;
    int err = ngtcp2_conn_open_bidi_stream(((quic_conn_t *)conn)->q, &number, NULL);
    if (err)
        return err == NGTCP2_ERR_STREAM_ID_BLOCKED ? RC_LIMIT : RC_NOMEM;
    *id = (uint64_t)number;
    return RC_OK;
}

void quic_consumed(net_stream_t *s, size_t n)
{
    quic_conn_t *c = (quic_conn_t *)s->conn;
    n = n < s->unread ? n : s->unread;
    s->unread -= n;
    (void)ngtcp2_conn_extend_max_stream_offset(c->q, (int64_t)s->id, n); /* fails for none that still needs it */
    ngtcp2_conn_extend_max_offset(c->q, n);
    c->due = true;
}

void quic_reset(net_stream_t *s)
{
    quic_conn_t *c = (quic_conn_t *)s->conn;
    give_back(s);
    (void)ngtcp2_conn_shutdown_stream(c->q, 0, (int64_t)s->id, STREAM_ERROR);
    c->due = true;
}

rc_t quic_exporter(net_conn_t *conn, uint8_t out[32], const char *label, const hash32_t *context)
{
    return quic_tls_export(((quic_conn_t *)conn)->tls, out, label, context);
}
