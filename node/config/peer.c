#include "node/config/peer.h"

#include <stdio.h>

#define HOST_MAX MADDR_NAME_MAX

static const char NO_PEER[] = "must be \"host:port\", with [] around an IPv6 address, or a multiaddr "
                              "(\"/ip4/192.0.2.1/tcp/4001\")";

/* Takes "host:port" apart; a host of IPv6 stands in brackets. */
static bool split(view_t *host, view_t *port, view_t text)
{
    size_t colon = text.n;
    while (colon && text.p[colon - 1] != ':')
        colon--;
    if (colon < 2 || colon == text.n)
        return false;
    *host = view_of(text.p, colon - 1);
    *port = view_of(text.p + colon, text.n - colon);
    for (size_t i = 0; i < port->n; i++)
        if (port->p[i] < '0' || port->p[i] > '9')
            return false;
    return port->n <= 5 && host->n <= HOST_MAX;
}

static const char *kind_of(view_t *host)
{
    if (host->p[0] == '[' && host->n > 2 && host->p[host->n - 1] == ']') {
        *host = view_of(host->p + 1, host->n - 2);
        return "ip6";
    }
    for (size_t i = 0; i < host->n; i++)
        if (host->p[i] != '.' && (host->p[i] < '0' || host->p[i] > '9'))
            return "dns";
    return "ip4";
}

rc_t config_peer_read(config_peer_t *out, err_t *e, view_t text)
{
    config_peer_t peer = { .count = 0 };
    view_t host, port;
    rc_t rc = RC_OK;
    if (text.n && text.p[0] == '/') {
        rc = maddr_read_text(&peer.ways[peer.count++], e, text);
    } else if (!split(&host, &port, text)) {
        return err_say(e, RC_MALFORMED, NO_PEER);
    } else {
        const char *kind = kind_of(&host);
        for (; !rc && peer.count < CONFIG_PEER_WAYS; peer.count++) {
            char way[MADDR_TEXT_MAX + 1];
            const int n =
                snprintf(way, sizeof way, "/%s/%.*s/%s/%.*s%s", kind, (int)host.n, (const char *)host.p,
                         peer.count ? "tcp" : "udp", (int)port.n, (const char *)port.p, peer.count ? "" : "/quic-v1");
            rc = maddr_read_text(&peer.ways[peer.count], e, view_of(way, (size_t)n));
        }
        if (rc)
            (void)err_say(e, rc, NO_PEER); /* what was said is of a multiaddr that nobody has written */
    }
    if (!rc && !peer.ways[0].port)
        rc = err_say(e, RC_MALFORMED, "has no port from 1 to 65535");
    if (!rc && peer.ways[0].circuit)
        rc = err_say(e, RC_UNSUPPORTED, "an address behind a relay is not dialled by this version");
    if (!rc)
        *out = peer;
    return rc;
}
