#include "overlay/net/quic.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/crypto/secret.h"
#include "overlay/net/quic_inside.h"

#define READ_BATCH 128
#define IDS_MEMORY (4u << 20)
#define REPLIES_PER_S 256u
#define RESET_MIN 43u /* bytes of a datagram that is answered by a reset, which is shorter */
#define TOKEN_LIFE (10 * NGTCP2_SECONDS)
#define ENDS_MAX (NET_LISTEN_MAX + 4u)

/* ---- ids ---- */

typedef struct {
    uint8_t b[1 + NGTCP2_MAX_CIDLEN];
} id_key_t;

static id_key_t key_of(const uint8_t *id, size_t n)
{
    id_key_t k = { { (uint8_t)n } };
    memcpy(k.b + 1, id, n);
    return k;
}

quic_conn_t *quic_find(const quic_t *t, const uint8_t *id, size_t n)
{
    if (n > NGTCP2_MAX_CIDLEN)
        return NULL;
    const id_key_t k = key_of(id, n);
    quic_conn_t *const *c = map_get(&t->cids, k.b, sizeof k.b);
    return c ? *c : NULL;
}

bool quic_enter(quic_t *t, const ngtcp2_cid *id, quic_conn_t *c)
{
    const id_key_t k = key_of(id->data, id->datalen);
    quic_conn_t **at = map_put(&t->cids, NULL, k.b, sizeof k.b);
    if (at)
        *at = c;
    return at != NULL;
}

void quic_leave(quic_t *t, const ngtcp2_cid *id)
{
    const id_key_t k = key_of(id->data, id->datalen);
    void *at = map_get(&t->cids, k.b, sizeof k.b);
    if (at)
        map_remove(&t->cids, at);
}

/* ---- datagrams ---- */

static void reply(quic_end_t *end, const sock_addr_t *to, const uint8_t *out, ngtcp2_ssize n)
{
    quic_t *t = end->quic;
    const uint64_t now = t->transport.net->now_ms;
    if (now >= t->replies_until_ms) {
        t->replies_until_ms = now + 1000;
        t->replies = 0;
    }
    if (n > 0 && t->replies++ < REPLIES_PER_S)
        quic_send(end, (const struct sockaddr *)&to->a, to->n, view_of(out, (size_t)n));
}

static void reply_version(quic_end_t *end, const ngtcp2_version_cid *vc, const sock_addr_t *from)
{
    static const uint32_t ours[] = { NGTCP2_PROTO_VER_V1 };
    uint8_t out[256], random;
    secret_random(&random, sizeof random);
    reply(end, from, out,
          ngtcp2_pkt_write_version_negotiation(out, sizeof out, random, vc->scid, vc->scidlen, vc->dcid, vc->dcidlen,
                                               ours, 1));
}

static void reply_reset(quic_end_t *end, const ngtcp2_version_cid *vc, const sock_addr_t *from, size_t n)
{
    uint8_t out[RESET_MIN], random[RESET_MIN - 1 - NGTCP2_STATELESS_RESET_TOKENLEN],
        token[NGTCP2_STATELESS_RESET_TOKENLEN];
    ngtcp2_cid id;
    if (n < RESET_MIN)
        return;
    ngtcp2_cid_init(&id, vc->dcid, vc->dcidlen);
    secret_random(random, sizeof random);
    if (!ngtcp2_crypto_generate_stateless_reset_token(token, end->quic->reset_key, sizeof end->quic->reset_key, &id))
        reply(end, from, out, ngtcp2_pkt_write_stateless_reset(out, sizeof out, token, random, sizeof random));
}

static void reply_retry(quic_end_t *end, const ngtcp2_pkt_hd *hd, const sock_addr_t *from)
{
    quic_t *t = end->quic;
    uint8_t token[NGTCP2_CRYPTO_MAX_RETRY_TOKENLEN2], out[512];
    ngtcp2_cid own = { .datalen = QUIC_CID_LEN };
    secret_random(own.data, own.datalen);
    ngtcp2_ssize n = ngtcp2_crypto_generate_retry_token2(token, t->token_key, sizeof t->token_key, hd->version,
                                                         (const struct sockaddr *)&from->a, from->n, &own, &hd->dcid,
                                                         quic_now(t->transport.net));
    if (n > 0)
        reply(end, from, out,
              ngtcp2_crypto_write_retry(out, sizeof out, hd->version, &hd->scid, &own, &hd->dcid, token, (size_t)n));
}

/* ---- accepting ---- */

static unsigned pending(const net_t *n)
{
    unsigned count = 0;
    for (const net_conn_t *c = n->conns; c; c = c->next)
        count += c->state == CONN_HANDSHAKE && !c->dialled;
    return count;
}

static void accept_conn(quic_end_t *end, const ngtcp2_pkt_hd *hd, view_t datagram, const sock_addr_t *from)
{
    quic_t *t = end->quic;
    ngtcp2_cid odcid;
    maddr_t addr;
    quic_conn_t *c;
    bool retried = hd->tokenlen && hd->token[0] == NGTCP2_CRYPTO_TOKEN_MAGIC_RETRY2;
    if (retried && ngtcp2_crypto_verify_retry_token2(&odcid, hd->token, hd->tokenlen, t->token_key, sizeof t->token_key,
                                                     hd->version, (const struct sockaddr *)&from->a, from->n, &hd->dcid,
                                                     TOKEN_LIFE, quic_now(t->transport.net)))
        return;
    if (!retried && pending(t->transport.net) >= QUIC_RETRY_FROM) {
        reply_retry(end, hd, from);
        return;
    }
    sock_maddr(&addr, from, MADDR_QUIC);
    if (!link_may_accept(t->transport.net, &addr) ||
        quic_conn_new(t, &c, NULL, &addr, end, hd, retried ? &odcid : NULL))
        return;
    if (!quic_conn_read(c, datagram, from))
        reply_retry(end, hd, from);
}

static void take_datagram(quic_end_t *end, view_t d, const sock_addr_t *from)
{
    ngtcp2_version_cid vc;
    ngtcp2_pkt_hd hd;
    int err = ngtcp2_pkt_decode_version_cid(&vc, d.p, d.n, QUIC_CID_LEN);
    if (err == NGTCP2_ERR_VERSION_NEGOTIATION && end->listens)
        reply_version(end, &vc, from);
    if (err)
        return;
    quic_conn_t *c = quic_find(end->quic, vc.dcid, vc.dcidlen);
    if (c) {
        if (c->conn.state != CONN_CLOSED)
            (void)quic_conn_read(c, d, from);
    } else if (!end->listens) {
        return;
    } else if (vc.version == 0) {
        reply_reset(end, &vc, from, d.n);
    } else if (!ngtcp2_accept(&hd, d.p, d.n)) {
        accept_conn(end, &hd, d, from);
    }
}

static void ready(watch_t *w, uint32_t events)
{
    quic_end_t *end = (quic_end_t *)(void *)((uint8_t *)w - offsetof(quic_end_t, watch));
    quic_t *t = end->quic;
    (void)events;
    for (int i = 0; i < READ_BATCH; i++) {
        sock_addr_t from;
        view_t all;
        size_t each;
        if (!quic_receive(t, w->fd, &from, &all, &each))
            break;
        for (size_t at = 0; at < all.n; at += each)
            take_datagram(end, view_of(all.p + at, all.n - at < each ? all.n - at : each), &from);
    }
    quic_flush(t); /* replies to datagrams of no connection */
}

/* ---- sockets ---- */

static rc_t end_new(quic_t *t, quic_end_t **out, err_t *e, const maddr_t *at, bool listens)
{
    size_t count = 0;
    int fd = -1;
    for (const quic_end_t *x = t->ends; x; x = x->next)
        count++;
    if (count >= ENDS_MAX)
        return err_set(e, RC_LIMIT, "more than %u sockets", ENDS_MAX);
    quic_end_t *x = calloc(1, sizeof *x);
    if (!x)
        return err_say(e, RC_NOMEM, "out of memory");
    *x = (quic_end_t){ .watch = { .fd = -1, .ready = ready }, .quic = t, .addr = *at, .listens = listens };
    rc_t rc = sock_bound(&fd, &x->addr, e);
    if (!rc)
        rc = watch_begin(t->ws, &x->watch, e, fd, EPOLLIN);
    if (rc) {
        if (fd >= 0)
            close(fd);
        free(x);
        return rc;
    }
    quic_joins(fd);
    sock_addr(&x->at, &x->addr);
    x->next = t->ends;
    t->ends = x;
    *out = x;
    return RC_OK;
}

/* The newest socket goes. */
static void end_free(quic_t *t)
{
    quic_end_t *x = t->ends;
    t->ends = x->next;
    watch_end(t->ws, &x->watch);
    free(x);
}

static rc_t quic_listen(net_transport_t *transport, err_t *e, const maddr_t *at)
{
    quic_t *t = (quic_t *)transport;
    quic_end_t *x;
    rc_t rc = end_new(t, &x, e, at, true);
    if (!rc && link_listening(transport->net, &x->addr)) {
        end_free(t);
        return err_set(e, RC_LIMIT, "a node listens on at most %u addresses", NET_LISTEN_MAX);
    }
    return rc;
}

static bool is_any(const maddr_t *m)
{
    static const uint8_t zero[16];
    return memcmp(m->ip, zero, m->host == MADDR_IP4 ? 4 : 16) == 0;
}

static bool is_loopback(const maddr_t *m)
{
    static const uint8_t one[16] = { [15] = 1 };
    return m->host == MADDR_IP4 ? m->ip[0] == 127 : memcmp(m->ip, one, sizeof one) == 0;
}

/* The socket that can reach an address; one of its own when none that is there can. */
static rc_t end_for(quic_t *t, quic_end_t **out, err_t *e, const maddr_t *to)
{
    for (quic_end_t *x = t->ends; x; x = x->next)
        if (x->addr.host == to->host && (is_any(&x->addr) || is_loopback(&x->addr) == is_loopback(to))) {
            *out = x;
            return RC_OK;
        }
    const maddr_t any = { .host = to->host, .transport = MADDR_QUIC };
    return end_new(t, out, e, &any, false);
}

/* ---- the transport's side ---- */

static bool speaks(const net_transport_t *t, const maddr_t *m)
{
    (void)t;
    return sock_speaks(m, MADDR_QUIC);
}

static rc_t quic_dial(net_transport_t *transport, net_conn_t **out, err_t *e, const maddr_t *to)
{
    quic_t *t = (quic_t *)transport;
    quic_end_t *end;
    quic_conn_t *c;
    rc_t rc = end_for(t, &end, e, to);
    if (!rc)
        rc = quic_conn_new(t, &c, e, to, end, NULL, NULL);
    if (!rc)
        *out = &c->conn;
    return rc;
}

static void quic_turn(net_transport_t *transport)
{
    for (net_conn_t *c = transport->net->conns; c; c = c->next)
        if (c->transport == transport)
            quic_conn_turn((quic_conn_t *)c);
    quic_flush((quic_t *)transport);
}

static uint64_t quic_next(const net_transport_t *transport)
{
    uint64_t at = UINT64_MAX;
    for (const net_conn_t *c = transport->net->conns; c; c = c->next) {
        if (c->transport != transport || c->state == CONN_CLOSED)
            continue;
        const uint64_t next = quic_conn_next((const quic_conn_t *)c);
        at = next < at ? next : at;
    }
    return at;
}

static void quic_free(net_transport_t *transport)
{
    quic_t *t = (quic_t *)transport;
    while (t->ends)
        end_free(t);
    quic_tls_clear(&t->tls);
    arena_free(&t->arena);
    secret_wipe(t->reset_key, sizeof t->reset_key);
    secret_wipe(t->token_key, sizeof t->token_key);
    free(t);
}

rc_t quic_add(net_t *n, err_t *e, watches_t *ws)
{
    static const net_transport_t ops = { .speaks = speaks,
                                         .listen = quic_listen,
                                         .dial = quic_dial,
                                         .next_ms = quic_next,
                                         .turn = quic_turn,
                                         .free = quic_free,
                                         .open = quic_open,
                                         .consumed = quic_consumed,
                                         .reset = quic_reset,
                                         .close = quic_close,
                                         .exporter = quic_exporter,
                                         .drop = quic_drop };
    uint64_t seed[2];
    quic_t *t = calloc(1, sizeof *t);
    if (!t)
        return err_say(e, RC_NOMEM, "out of memory");
    t->transport = ops;
    t->ws = ws;
    secret_random(seed, sizeof seed);
    secret_random(t->reset_key, sizeof t->reset_key);
    secret_random(t->token_key, sizeof t->token_key);
    arena_init(&t->arena, IDS_MEMORY);
    rc_t rc = quic_tls_init(&t->tls, e, &n->config.who);
    if (!rc && map_init(&t->cids, &t->arena, seed, sizeof(id_key_t), sizeof(quic_conn_t *)))
        rc = err_say(e, RC_NOMEM, "out of memory");
    if (rc) {
        quic_free(&t->transport);
        return rc;
    }
    link_add(n, &t->transport);
    return RC_OK;
}
