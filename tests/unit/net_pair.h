/* net_pair.h - two nodes, their owners' notes of what happened, and a protocol that echoes: what tests of any transport use. */
#ifndef TESTS_NET_PAIR_H
#define TESTS_NET_PAIR_H

#include "base/crypto/secret.h"
#include "overlay/net/net.h"
#include "tests/unit/wire_id.h"

#define ECHO_NAME "/kettle/test-echo/1"
#define HIDDEN_NAME "/kettle/test-hidden/1"

typedef struct {
    net_t *net;
    wire_id_t id;
    net_protocol_t protocols[2];
    net_conn_t *conn; /* the last that was opened */
    unsigned opened, closed, identified, stream_opened, stream_closed, writable, ended;
    rc_t closed_rc, stream_rc, pong_rc;
    char closed_text[240], agent[64];
    unsigned bye;
    char names[1024]; /* protocols of the peer */
    bool hides;       /* serves HIDDEN to nobody */
    bool greedy;      /* never gives room back */
    uint64_t pong_ms;
    unsigned pongs;
    uint8_t *got; /* by the opener of echo streams */
    size_t got_n, got_cap;
} peer_t;

static inline void peer_opened(void *ctx, net_conn_t *c)
{
    peer_t *p = ctx;
    p->conn = c;
    p->opened++;
}

static inline void peer_closed(void *ctx, net_conn_t *c, const err_t *why)
{
    peer_t *p = ctx;
    p->closed++;
    p->closed_rc = why->rc;
    p->bye = net_bye_code(c);
    snprintf(p->closed_text, sizeof p->closed_text, "%s", why->text);
    if (p->conn == c)
        p->conn = NULL;
}

static inline bool peer_serves(void *ctx, net_conn_t *c, const net_protocol_t *protocol)
{
    const peer_t *p = ctx;
    (void)c;
    return !p->hides || strcmp(protocol->name, HIDDEN_NAME) != 0;
}

static inline void peer_identified(void *ctx, net_conn_t *c, const identify_t *m)
{
    peer_t *p = ctx;
    (void)c;
    p->identified++;
    snprintf(p->agent, sizeof p->agent, "%.*s", (int)m->agent_version.n, (const char *)m->agent_version.p);
    p->names[0] = 0;
    for (size_t i = 0; i < m->protocol_count; i++) {
        size_t at = strlen(p->names);
        snprintf(p->names + at, sizeof p->names - at, "%.*s ", (int)m->protocols[i].n, (const char *)m->protocols[i].p);
    }
}

static inline void echo_opened(void *ctx, net_stream_t *s)
{
    (void)s;
    ((peer_t *)ctx)->stream_opened++;
}

static inline void echo_data(void *ctx, net_stream_t *s, view_t bytes)
{
    peer_t *p = ctx;
    if (!p->greedy)
        net_consumed(s, bytes.n);
    if (!net_opener(s)) {
        if (net_write(s, bytes))
            net_reset(s);
        return;
    }
    if (p->got_n + bytes.n > p->got_cap) {
        p->got_cap = 2 * (p->got_n + bytes.n);
        p->got = realloc(p->got, p->got_cap);
    }
    memcpy(p->got + p->got_n, bytes.p, bytes.n);
    p->got_n += bytes.n;
}

static inline void echo_ended(void *ctx, net_stream_t *s)
{
    ((peer_t *)ctx)->ended++;
    if (!net_opener(s))
        net_end(s);
}

static inline void echo_writable(void *ctx, net_stream_t *s)
{
    (void)s;
    ((peer_t *)ctx)->writable++;
}

static inline void echo_closed(void *ctx, net_stream_t *s, rc_t why)
{
    peer_t *p = ctx;
    (void)s;
    p->stream_closed++;
    p->stream_rc = why;
}

static inline void peer_pong(void *ctx, net_conn_t *c, rc_t rc, uint64_t ms)
{
    peer_t *p = ctx;
    (void)c;
    p->pongs++;
    p->pong_rc = rc;
    p->pong_ms = ms;
}

static inline void peer_new(peer_t *p, const char *word, bool secp256k1)
{
    *p = (peer_t){ 0 };
    if (secp256k1)
        wire_secp256k1(&p->id, word);
    else
        wire_ed25519(&p->id, word);
    const net_protocol_t echo = { .name = ECHO_NAME,
                                  .opened = echo_opened,
                                  .data = echo_data,
                                  .ended = echo_ended,
                                  .writable = echo_writable,
                                  .closed = echo_closed,
                                  .ctx = p };
    p->protocols[0] = p->protocols[1] = echo;
    p->protocols[1].name = HIDDEN_NAME;
    const net_config_t config = { .who = p->id.who,
                                  .agent = "kettle-test/1",
                                  .events = { .opened = peer_opened,
                                              .closed = peer_closed,
                                              .serves = peer_serves,
                                              .identified = peer_identified,
                                              .ctx = p },
                                  .protocols = p->protocols,
                                  .protocol_count = 2 };
    ck_assert_int_eq(net_new(&p->net, &config), RC_OK);
}

static inline void peer_clear(peer_t *p)
{
    net_free(p->net);
    wire_id_clear(&p->id);
    free(p->got);
}

static inline maddr_t maddr(const char *text)
{
    maddr_t m;
    err_t e;
    ck_assert_msg(maddr_read_text(&m, &e, view_str(text)) == RC_OK, "%s: %s", text, e.text);
    return m;
}

#endif
