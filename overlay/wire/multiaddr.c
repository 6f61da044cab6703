#include "overlay/wire/multiaddr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "overlay/wire/varint.h"

enum {
    CODE_IP4 = 4,
    CODE_TCP = 6,
    CODE_IP6 = 41,
    CODE_DNS = 53,
    CODE_DNS4 = 54,
    CODE_DNS6 = 55,
    CODE_UDP = 273,
    CODE_CIRCUIT = 290,
    CODE_P2P = 421,
    CODE_QUIC_V1 = 461
};

static const struct {
    const char *word;
    uint16_t code;
    maddr_host_t host;
} hosts[] = {
    { "ip4", CODE_IP4, MADDR_IP4 },    { "ip6", CODE_IP6, MADDR_IP6 },    { "dns", CODE_DNS, MADDR_DNS },
    { "dns4", CODE_DNS4, MADDR_DNS4 }, { "dns6", CODE_DNS6, MADDR_DNS6 },
};
#define HOSTS (sizeof hosts / sizeof hosts[0])

static size_t host_row(maddr_host_t host)
{
    size_t i = 0;
    while (hosts[i].host != host)
        i++;
    return i;
}

static bool is_name(maddr_host_t host)
{
    return host != MADDR_IP4 && host != MADDR_IP6;
}

static size_t ip_len(maddr_host_t host)
{
    return host == MADDR_IP4 ? 4 : 16;
}

/* Letters, digits, hyphens and underscores in labels of 1 to 63; a dot may stand at the end. */
static bool take_name(char out[MADDR_NAME_MAX + 1], view_t v)
{
    size_t label = 0;
    if (v.n == 0 || v.n > MADDR_NAME_MAX)
        return false;
    for (size_t i = 0; i < v.n; i++) {
        char c = (char)v.p[i];
        bool letter =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
        if (c == '.' ? label == 0 : !letter || label == 63)
            return false;
        label = c == '.' ? 0 : label + 1;
    }
    memcpy(out, v.p, v.n);
    out[v.n] = 0;
    return true;
}

/* ---- bytes ---- */

static view_t take_prefixed(rd_t *r)
{
    return rd_take(r, varint_take(r));
}

static rc_t read_host(maddr_t *m, rd_t *r)
{
    uint64_t code = varint_take(r);
    for (size_t i = 0; i < HOSTS && !r->bad; i++) {
        if (hosts[i].code != code)
            continue;
        m->host = hosts[i].host;
        if (is_name(m->host))
            return take_name(m->name, take_prefixed(r)) ? RC_OK : RC_MALFORMED;
        rd_copy(r, m->ip, ip_len(m->host));
        return r->bad ? RC_MALFORMED : RC_OK;
    }
    return r->bad ? RC_MALFORMED : RC_UNSUPPORTED;
}

static rc_t read_transport(maddr_t *m, rd_t *r)
{
    uint64_t code = varint_take(r);
    if (!r->bad && code != CODE_TCP && code != CODE_UDP)
        return RC_UNSUPPORTED;
    m->port = rd_u16be(r);
    m->transport = code == CODE_TCP ? MADDR_TCP : MADDR_QUIC;
    if (r->bad)
        return RC_MALFORMED;
    if (code == CODE_TCP)
        return RC_OK;
    if (r->n == 0 || varint_take(r) != CODE_QUIC_V1) /* UDP and nothing, or another thing, on it */
        return r->bad ? RC_MALFORMED : RC_UNSUPPORTED;
    return RC_OK;
}

static rc_t read_id(peerid_t *out, rd_t *r)
{
    view_t id = take_prefixed(r);
    return r->bad ? RC_MALFORMED : peerid_read(out, id);
}

/* What may stand behind the transport: a peer, a circuit, a peer. */
static rc_t read_peers(maddr_t *m, rd_t *r)
{
    rc_t rc = RC_OK;
    while (r->n && !r->bad && !rc) {
        uint64_t code = varint_take(r);
        peerid_t *id = m->circuit ? &m->target : &m->peer;
        if (r->bad)
            break;
        if (code == CODE_P2P && id->n == 0)
            rc = read_id(id, r);
        else if (code == CODE_CIRCUIT && !m->circuit)
            m->circuit = true;
        else
            rc = code == CODE_P2P || code == CODE_CIRCUIT ? RC_MALFORMED : RC_UNSUPPORTED;
    }
    return r->bad ? RC_MALFORMED : rc;
}

rc_t maddr_read(maddr_t *out, view_t bytes)
{
    maddr_t m = { 0 };
    rd_t r = rd_of(bytes);
    if (bytes.n > MADDR_BYTES_MAX)
        return RC_LIMIT;
    rc_t rc = read_host(&m, &r);
    if (!rc)
        rc = read_transport(&m, &r);
    if (!rc)
        rc = read_peers(&m, &r);
    if (!rc)
        *out = m;
    return rc;
}

static void write_id(wr_t *w, const peerid_t *id)
{
    if (!id->n)
        return;
    varint_put(w, CODE_P2P);
    varint_put(w, id->n);
    wr_bytes(w, id->b, id->n);
}

void maddr_write(wr_t *w, const maddr_t *m)
{
    varint_put(w, hosts[host_row(m->host)].code);
    if (is_name(m->host))
        varint_put(w, strlen(m->name));
    wr_bytes(w, is_name(m->host) ? (const void *)m->name : m->ip, is_name(m->host) ? strlen(m->name) : ip_len(m->host));
    varint_put(w, m->transport == MADDR_TCP ? CODE_TCP : CODE_UDP);
    wr_be(w, m->port, 2);
    if (m->transport == MADDR_QUIC)
        varint_put(w, CODE_QUIC_V1);
    write_id(w, &m->peer);
    if (m->circuit)
        varint_put(w, CODE_CIRCUIT);
    write_id(w, &m->target);
}

/* ---- text ---- */

/* The word up to the next slash, without the slash before it; n 0: none. */
static view_t take_word(rd_t *r)
{
    if (r->n == 0 || rd_u8(r) != '/') {
        r->bad = true;
        return (view_t){ NULL, 0 };
    }
    const uint8_t *slash = r->n ? memchr(r->p, '/', r->n) : NULL;
    view_t v = rd_take(r, slash ? (size_t)(slash - r->p) : r->n);
    if (v.n == 0)
        r->bad = true;
    return v;
}

static bool word_is(view_t v, const char *word)
{
    return view_eq(v, view_str(word));
}

/* An IP address as text; the functions of the C library take no slash, and want a NUL. */
static bool take_ip(maddr_t *m, view_t v)
{
    char text[INET6_ADDRSTRLEN];
    if (v.n >= sizeof text || memchr(v.p, 0, v.n))
        return false;
    memcpy(text, v.p, v.n);
    text[v.n] = 0;
    return inet_pton(m->host == MADDR_IP4 ? AF_INET : AF_INET6, text, m->ip) == 1;
}

static rc_t text_host(maddr_t *m, err_t *e, rd_t *r)
{
    view_t word = take_word(r);
    for (size_t i = 0; i < HOSTS && !r->bad; i++) {
        if (!word_is(word, hosts[i].word))
            continue;
        m->host = hosts[i].host;
        view_t value = take_word(r);
        if (r->bad || !(is_name(m->host) ? take_name(m->name, value) : take_ip(m, value)))
            return err_set(e, RC_MALFORMED, "/%s is not followed by such an address", hosts[i].word);
        return RC_OK;
    }
    if (r->bad)
        return err_say(e, RC_MALFORMED, "an address begins with /ip4, /ip6, /dns, /dns4 or /dns6");
    return err_say(e, RC_UNSUPPORTED, "an address can begin with /ip4, /ip6, /dns, /dns4 and /dns6 only");
}

/* A decimal number without zeros before it. */
static bool take_port(uint16_t *port, view_t v)
{
    unsigned x = 0;
    if (v.n == 0 || v.n > 5 || (v.n > 1 && v.p[0] == '0'))
        return false;
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] < '0' || v.p[i] > '9')
            return false;
        x = x * 10 + (unsigned)(v.p[i] - '0');
    }
    *port = (uint16_t)x;
    return x <= UINT16_MAX;
}

static rc_t text_transport(maddr_t *m, err_t *e, rd_t *r)
{
    view_t word = take_word(r);
    bool tcp = word_is(word, "tcp");
    if (r->bad || !(tcp || word_is(word, "udp")))
        return err_say(e, r->bad ? RC_MALFORMED : RC_UNSUPPORTED, "the host is not followed by /tcp/PORT or /udp/PORT");
    if (!take_port(&m->port, take_word(r)) || r->bad)
        return err_say(e, RC_MALFORMED, "the port is not a number from 0 to 65535");
    m->transport = tcp ? MADDR_TCP : MADDR_QUIC;
    if (!tcp && (r->n == 0 || !word_is(take_word(r), "quic-v1")))
        return err_say(e, RC_UNSUPPORTED, "/udp/PORT is not followed by /quic-v1");
    return RC_OK;
}

static rc_t text_peers(maddr_t *m, err_t *e, rd_t *r)
{
    while (r->n) {
        view_t word = take_word(r);
        peerid_t *id = m->circuit ? &m->target : &m->peer;
        if (word_is(word, "p2p") && id->n == 0) {
            if (peerid_read_text(id, take_word(r)) || r->bad)
                return err_say(e, RC_MALFORMED, "/p2p is not followed by a peer id");
        } else if (word_is(word, "p2p-circuit") && !m->circuit) {
            m->circuit = true;
        } else {
            return err_say(e, r->bad ? RC_MALFORMED : RC_UNSUPPORTED, "the address ends in something unknown");
        }
    }
    return RC_OK;
}

rc_t maddr_read_text(maddr_t *out, err_t *e, view_t text)
{
    maddr_t m = { 0 };
    rd_t r = rd_of(text);
    if (text.n > MADDR_TEXT_MAX)
        return err_set(e, RC_LIMIT, "an address is longer than %u characters", MADDR_TEXT_MAX);
    rc_t rc = text_host(&m, e, &r);
    if (!rc)
        rc = text_transport(&m, e, &r);
    if (!rc)
        rc = text_peers(&m, e, &r);
    if (!rc)
        *out = m;
    return rc;
}

static size_t put_id(char *out, size_t at, const peerid_t *id)
{
    char text[PEERID_TEXT_MAX + 1];
    if (!id->n)
        return at;
    peerid_text(text, id);
    return at + (size_t)snprintf(out + at, MADDR_TEXT_MAX + 1 - at, "/p2p/%s", text);
}

void maddr_text(char out[MADDR_TEXT_MAX + 1], const maddr_t *m)
{
    char ip[INET6_ADDRSTRLEN] = "";
    if (!is_name(m->host))
        inet_ntop(m->host == MADDR_IP4 ? AF_INET : AF_INET6, m->ip, ip, sizeof ip);
    size_t at = (size_t)snprintf(out, MADDR_TEXT_MAX + 1, "/%s/%s/%s/%u%s", hosts[host_row(m->host)].word,
                                 is_name(m->host) ? m->name : ip, m->transport == MADDR_TCP ? "tcp" : "udp",
                                 (unsigned)m->port, m->transport == MADDR_TCP ? "" : "/quic-v1");
    at = put_id(out, at, &m->peer);
    if (m->circuit)
        at += (size_t)snprintf(out + at, MADDR_TEXT_MAX + 1 - at, "/p2p-circuit");
    put_id(out, at, &m->target);
}

bool maddr_eq(const maddr_t *a, const maddr_t *b)
{
    return a->host == b->host && a->transport == b->transport && a->port == b->port && a->circuit == b->circuit &&
           memcmp(a->ip, b->ip, sizeof a->ip) == 0 && strcmp(a->name, b->name) == 0 && peerid_eq(&a->peer, &b->peer) &&
           peerid_eq(&a->target, &b->target);
}

static bool public4(const uint8_t ip[4])
{
    bool shared = ip[0] == 100 && (ip[1] & 0xc0) == 64; /* RFC 6598: behind a provider's NAT */
    return ip[0] != 0 && ip[0] != 10 && ip[0] != 127 && ip[0] < 224 && !(ip[0] == 169 && ip[1] == 254) &&
           !(ip[0] == 172 && (ip[1] & 0xf0) == 16) && !(ip[0] == 192 && ip[1] == 168) && !shared;
}

bool maddr_is_public(const maddr_t *m)
{
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
    if (is_name(m->host))
        return true;
    if (m->host == MADDR_IP4)
        return public4(m->ip);
    if (memcmp(m->ip, mapped, sizeof mapped) == 0)
        return public4(m->ip + 12);
    return (m->ip[0] & 0xe0) == 0x20; /* 2000::/3, what is given out as global unicast */
}
