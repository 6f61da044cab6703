/* quic_inside.h - what the files of the QUIC transport share; for nobody else.
 *
 *     quic.c      the transport: sockets, accepting and dialling, which connection a datagram is for
 *     quic_line.c datagrams to and from a socket
 *     quic_conn.c one connection: ngtcp2's callbacks, what it sends, how it ends
 *     quic_tls.c  GnuTLS: our certificate, sessions, the peer's certificate
 *
 * Floor:  4, overlay/net.
 * Tests:  tests/unit/test_quic.c
 */
#ifndef OVERLAY_NET_QUIC_INSIDE_H
#define OVERLAY_NET_QUIC_INSIDE_H

#include <gnutls/gnutls.h>
#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include "base/map.h"
#include "overlay/net/link.h"
#include "overlay/net/sock.h"
#include "overlay/net/watch.h"
#include "overlay/wire/tlscert.h"

#define QUIC_CID_LEN 18u
#define QUIC_SEND_MAX 1200u /* bytes of a datagram that we send */
#define QUIC_BATCH_MAX 24u  /* of which so many go out at once */

/* --- TLS --- */

typedef struct {
    gnutls_certificate_credentials_t cred;
    gnutls_priority_t priority;
    hash32_t spki; /* of our certificate */
} quic_tls_t;

/* Makes our certificate. RC_NOMEM; RC_BUG; what the identity's sign returned. */
NODISCARD rc_t quic_tls_init(quic_tls_t *t, err_t *e, const identity_t *who);
void quic_tls_clear(quic_tls_t *t);

/* A session for ngtcp2; ref has the quic_conn_t as user_data. RC_NOMEM. */
NODISCARD rc_t quic_tls_session(gnutls_session_t *out, const quic_tls_t *t, ngtcp2_crypto_conn_ref *ref, bool dialled);

/* TLS's exporter. RC_BUG. */
NODISCARD rc_t quic_tls_export(gnutls_session_t s, uint8_t out[32], const char *label, const hash32_t *context);

/* --- the transport --- */

typedef struct quic quic_t;

typedef struct quic_end {
    struct quic_end *next;
    watch_t watch;
    quic_t *quic;
    sock_addr_t at;
    maddr_t addr;
    bool listens;
} quic_end_t;

/* Datagrams that go the same way, and have not gone yet: each as long as the first, but for the last. */
typedef struct {
    quic_end_t *end;
    sock_addr_t to;
    size_t segment, n; /* bytes of each, of all */
    bool ended;        /* the last is shorter */
    bool uncut;        /* the system does not cut them: they go one by one */
    uint8_t bytes[QUIC_BATCH_MAX * QUIC_SEND_MAX];
} quic_batch_t;

struct quic {
    net_transport_t transport;
    watches_t *ws;
    quic_tls_t tls;
    quic_end_t *ends;
    arena_t arena;
    map_t cids; /* ids that peers send to, and which connection that is */
    uint8_t reset_key[32], token_key[32];
    unsigned replies; /* to datagrams of no connection, in this second */
    uint64_t replies_until_ms;
    quic_batch_t out;
    uint8_t in[65536];
};

/* --- a connection --- */

typedef struct {
    net_conn_t conn;
    ngtcp2_crypto_conn_ref ref;
    ngtcp2_conn *q;
    gnutls_session_t tls;
    quic_end_t *end;
    ngtcp2_cid first; /* the id that the dialler chose for its listener; n 0: none */
    tlscert_t peer;
    err_t why;       /* why the peer's certificate was refused */
    bool handshaken; /* dialled: nothing of the handshake is left to be written */
    bool due;        /* something may be to send */
    bool stuck;      /* no more may be sent until something comes */
    bool bye;        /* closed: ccerr is to be sent */
    ngtcp2_ccerr ccerr;
    char bye_text[120];
} quic_conn_t;

/* A connection that was accepted (hd is its first packet's header; odcid, when a Retry came before) or is dialled.
 * RC_NOMEM. */
NODISCARD rc_t quic_conn_new(quic_t *t, quic_conn_t **out, err_t *e, const maddr_t *addr, quic_end_t *end,
                             const ngtcp2_pkt_hd *hd, const ngtcp2_cid *odcid);

/* Gives it a datagram. False: it has to prove its address first, by a Retry; it was closed. */
bool quic_conn_read(quic_conn_t *c, view_t datagram, const sock_addr_t *from);

/* Deadlines, then all that can be sent; for a closed one, its goodbye. */
void quic_conn_turn(quic_conn_t *c);
uint64_t quic_conn_next(const quic_conn_t *c);

/* The operations of link.h on a connection. */
rc_t quic_open(net_conn_t *conn, uint64_t *id);
void quic_consumed(net_stream_t *s, size_t n);
void quic_reset(net_stream_t *s);
void quic_close(net_conn_t *conn, unsigned code, const char *text);
rc_t quic_exporter(net_conn_t *conn, uint8_t out[32], const char *label, const hash32_t *context);
void quic_drop(net_conn_t *conn);

/* Which connection an id is of; NULL: none. */
quic_conn_t *quic_find(const quic_t *t, const uint8_t *id, size_t n);
bool quic_enter(quic_t *t, const ngtcp2_cid *id, quic_conn_t *c);
void quic_leave(quic_t *t, const ngtcp2_cid *id);

/* Sends a datagram of at most QUIC_SEND_MAX bytes, with the next quic_flush at the latest; when the system takes none,
 * it is lost, as on the way. */
void quic_send(quic_end_t *end, const struct sockaddr *to, socklen_t to_n, view_t datagram);
void quic_flush(quic_t *t);

/* Lets a socket join what comes, where the system can. */
void quic_joins(int fd);

/* What came: datagrams of one sender, each of that many bytes but for the last. False: nothing is there. */
bool quic_receive(quic_t *t, int fd, sock_addr_t *from, view_t *all, size_t *each);

static inline ngtcp2_tstamp quic_now(const net_t *n)
{
    return n->now_ms * NGTCP2_MILLISECONDS;
}

#endif
