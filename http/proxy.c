#include "http/proxy.h"

#include <arpa/inet.h>
#include <strings.h>

static const uint8_t MAPPED[12] = { [10] = 0xff, [11] = 0xff };

/* ---- addresses ---- */

static void map_v4(ip_t *out, const void *v4)
{
    memcpy(out->b, MAPPED, sizeof MAPPED);
    memcpy(out->b + sizeof MAPPED, v4, 4);
}

bool ip_read(ip_t *out, view_t text)
{
    char s[INET6_ADDRSTRLEN];
    struct in_addr v4;
    struct in6_addr v6;
    if (!text.n || text.n >= sizeof s || memchr(text.p, 0, text.n))
        return false;
    memcpy(s, text.p, text.n);
    s[text.n] = 0;
    if (inet_pton(AF_INET, s, &v4) == 1)
        map_v4(out, &v4);
    else if (inet_pton(AF_INET6, s, &v6) == 1)
        memcpy(out->b, &v6, sizeof out->b);
    else
        return false;
    return true;
}

bool ip_of(ip_t *out, const struct sockaddr *at)
{
    if (at->sa_family == AF_INET)
        map_v4(out, &((const struct sockaddr_in *)(const void *)at)->sin_addr);
    else if (at->sa_family == AF_INET6)
        memcpy(out->b, &((const struct sockaddr_in6 *)(const void *)at)->sin6_addr, sizeof out->b);
    else
        return false;
    return true;
}

/* A decimal number without leading zeros, at most max. */
static bool number(unsigned *out, view_t v, unsigned max)
{
    unsigned n = 0;
    if (!v.n || v.n > 5 || (v.n > 1 && v.p[0] == '0'))
        return false;
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] < '0' || v.p[i] > '9')
            return false;
        n = 10 * n + (unsigned)(v.p[i] - '0');
    }
    *out = n;
    return n <= max;
}

/* ---- who is listed ---- */

rc_t proxies_add(proxies_t *p, view_t text)
{
    const uint8_t *slash = text.n ? memchr(text.p, '/', text.n) : NULL;
    const view_t address = view_of(text.p, slash ? (size_t)(slash - text.p) : text.n);
    unsigned bits = 0;
    ip_t net;
    if (!ip_read(&net, address))
        return RC_MALFORMED;
    const bool v4 = !memchr(address.p, ':', address.n);
    if (!slash)
        bits = v4 ? 32 : 128;
    else if (!number(&bits, view_of(slash + 1, text.n - address.n - 1), v4 ? 32 : 128))
        return RC_MALFORMED;
    if (p->count == PROXIES_MAX)
        return RC_LIMIT;
    p->rows[p->count].net = net;
    p->rows[p->count++].bits = v4 ? bits + 96 : bits;
    return RC_OK;
}

static bool is_in(const ip_t *at, const ip_t *net, unsigned bits)
{
    const size_t whole = bits / 8;
    if (memcmp(at->b, net->b, whole) != 0)
        return false;
    return bits % 8 == 0 || ((at->b[whole] ^ net->b[whole]) >> (8 - bits % 8)) == 0;
}

bool proxies_have(const proxies_t *p, const ip_t *at)
{
    for (size_t i = 0; i < p->count; i++)
        if (is_in(at, &p->rows[i].net, p->rows[i].bits))
            return true;
    return false;
}

/* ---- PROXY ---- */

#define V1_MAX 107u /* with its end of line */

static view_t word(view_t *rest)
{
    const uint8_t *space = rest->n ? memchr(rest->p, ' ', rest->n) : NULL;
    const size_t n = space ? (size_t)(space - rest->p) : rest->n;
    const view_t w = view_of(rest->p, n);
    *rest = view_of(rest->p + n + (space != NULL), rest->n - n - (space != NULL));
    return w;
}

static bool is(view_t v, const char *text)
{
    return v.n == strlen(text) && memcmp(v.p, text, v.n) == 0;
}

static void set_from(struct sockaddr_in6 *from, const ip_t *ip, unsigned port)
{
    *from = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
    memcpy(&from->sin6_addr, ip->b, sizeof ip->b);
}

/* What stands between "PROXY " and the end of the line. */
static rc_t read_v1(struct sockaddr_in6 *from, bool *known, view_t line)
{
    ip_t source, target;
    unsigned source_port = 0, target_port = 0;
    const view_t family = word(&line), s = word(&line), t = word(&line), sp = word(&line), tp = line;
    *known = false;
    if (is(family, "UNKNOWN"))
        return RC_OK;
    const bool v4 = is(family, "TCP4");
    if ((!v4 && !is(family, "TCP6")) || !ip_read(&source, s) || !ip_read(&target, t) ||
        !number(&source_port, sp, 65535) || !number(&target_port, tp, 65535))
        return RC_MALFORMED;
    if (v4 != !memchr(s.p, ':', s.n) || v4 != !memchr(t.p, ':', t.n))
        return RC_MALFORMED;
    set_from(from, &source, source_port);
    *known = true;
    return RC_OK;
}

static rc_t header_v1(struct sockaddr_in6 *from, bool *known, size_t *len, view_t in)
{
    const size_t look = in.n < V1_MAX ? in.n : V1_MAX;
    const uint8_t *end = memchr(in.p, '\n', look);
    if (!end)
        return look == V1_MAX ? RC_MALFORMED : RC_NEED_DATA;
    *len = (size_t)(end - in.p) + 1;
    if (*len < 8 || end[-1] != '\r')
        return RC_MALFORMED;
    return read_v1(from, known, view_of(in.p + 6, *len - 8));
}

static rc_t header_v2(struct sockaddr_in6 *from, bool *known, size_t *len, view_t in)
{
    ip_t source;
    *known = false;
    if (in.n < 16)
        return RC_NEED_DATA;
    const unsigned command = in.p[12], family = in.p[13], more = (unsigned)in.p[14] << 8 | in.p[15];
    *len = 16u + more;
    if (command >> 4 != 2 || (command & 15) > 1 || family >> 4 > 3 || (family & 15) > 2 || *len > PROXY_HEADER_MAX)
        return RC_MALFORMED;
    if (in.n < *len)
        return RC_NEED_DATA;
    if ((command & 15) == 0 || (family != 0x11 && family != 0x21))
        return RC_OK; /* the proxy's own, or a family that has no client here */
    const size_t n = family == 0x11 ? 4 : 16;
    if (more < 2 * n + 4)
        return RC_MALFORMED;
    if (n == 4)
        map_v4(&source, in.p + 16);
    else
        memcpy(source.b, in.p + 16, n);
    set_from(from, &source, (unsigned)in.p[16 + 2 * n] << 8 | in.p[17 + 2 * n]);
    *known = true;
    return RC_OK;
}

rc_t proxy_header(struct sockaddr_in6 *from, bool *known, size_t *len, view_t in)
{
    static const char v1[] = "PROXY ";
    static const char v2[] = "\r\n\r\n\0\r\nQUIT\n";
    const size_t n1 = in.n < 6 ? in.n : 6, n2 = in.n < 12 ? in.n : 12;
    if (in.n && memcmp(in.p, v1, n1) == 0)
        return n1 < 6 ? RC_NEED_DATA : header_v1(from, known, len, in);
    if (in.n && memcmp(in.p, v2, n2) != 0)
        return RC_MALFORMED;
    return n2 < 12 ? RC_NEED_DATA : header_v2(from, known, len, in);
}

/* ---- Forwarded ---- */

static view_t trim(view_t v)
{
    while (v.n && (v.p[0] == ' ' || v.p[0] == '\t'))
        v = view_of(v.p + 1, v.n - 1);
    while (v.n && (v.p[v.n - 1] == ' ' || v.p[v.n - 1] == '\t'))
        v.n--;
    return v;
}

static view_t cut(view_t *rest, size_t n)
{
    const view_t v = trim(view_of(rest->p, n));
    n += n < rest->n;
    *rest = view_of(rest->p + n, rest->n - n);
    return v;
}

/* The next piece up to a mark outside of quotes; nothing when these do not end, as who begins them may have to do with
 * what others add. */
static view_t piece(view_t *rest, char mark)
{
    bool quoted = false;
    size_t n = 0;
    for (; n < rest->n && (quoted || rest->p[n] != (uint8_t)mark); n++)
        if (rest->p[n] == '"')
            quoted = !quoted;
    const view_t v = cut(rest, n);
    return quoted ? view_of(NULL, 0) : v;
}

/* Likewise of a text that knows no quotes. */
static view_t plain_piece(view_t *rest, char mark)
{
    const uint8_t *at = memchr(rest->p, mark, rest->n);
    return cut(rest, at ? (size_t)(at - rest->p) : rest->n);
}

/* An address with a port or without: 192.0.2.1:80, 2001:db8::1, [2001:db8::1]:80. */
static bool read_node(ip_t *out, view_t v)
{
    if (v.n && v.p[0] == '[') {
        const uint8_t *end = memchr(v.p, ']', v.n);
        return end && ip_read(out, view_of(v.p + 1, (size_t)(end - v.p) - 1));
    }
    const uint8_t *colon = v.n ? memchr(v.p, ':', v.n) : NULL;
    if (colon && !memchr(colon + 1, ':', v.n - (size_t)(colon + 1 - v.p)))
        v.n = (size_t)(colon - v.p);
    return ip_read(out, v);
}

/* What an element of Forwarded says of whom it is for, without its quotes. */
static view_t for_of(view_t element)
{
    while (element.n) {
        const view_t pair = piece(&element, ';');
        if (pair.n <= 4 || strncasecmp((const char *)pair.p, "for=", 4) != 0)
            continue;
        const view_t v = view_of(pair.p + 4, pair.n - 4);
        return v.n >= 2 && v.p[0] == '"' && v.p[v.n - 1] == '"' ? view_of(v.p + 1, v.n - 2) : v;
    }
    return view_of(NULL, 0);
}

static bool is_named(view_t name, const char *text)
{
    return name.n == strlen(text) && strncasecmp((const char *)name.p, text, name.n) == 0;
}

void forwarded_field(forwarded_t *f, view_t name, view_t value)
{
    static const ip_t unnamed = { .b = { 0x01 } }; /* 100::, which is nobody's (RFC 6666) */
    f->other |= is_named(name, f->standard ? "X-Forwarded-For" : "Forwarded");
    if (!is_named(name, f->standard ? "Forwarded" : "X-Forwarded-For"))
        return;
    while (value.n) {
        ip_t at;
        const view_t element = f->standard ? for_of(piece(&value, ',')) : plain_piece(&value, ',');
        const bool reads = read_node(&at, element);
        if (reads && proxies_have(f->proxies, &at))
            continue;
        f->known = true;
        f->client = reads ? at : unnamed;
    }
}
