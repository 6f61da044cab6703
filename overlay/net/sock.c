#include "overlay/net/sock.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

bool sock_speaks(const maddr_t *m, maddr_transport_t transport)
{
    return m->transport == transport && (m->host == MADDR_IP4 || m->host == MADDR_IP6) && !m->circuit;
}

void sock_addr(sock_addr_t *out, const maddr_t *m)
{
    *out = (sock_addr_t){ .n = 0 };
    if (m->host == MADDR_IP4) {
        struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(m->port) };
        memcpy(&in.sin_addr, m->ip, 4);
        memcpy(&out->a, &in, sizeof in);
        out->n = sizeof in;
    } else {
        struct sockaddr_in6 in = { .sin6_family = AF_INET6, .sin6_port = htons(m->port) };
        memcpy(&in.sin6_addr, m->ip, 16);
        memcpy(&out->a, &in, sizeof in);
        out->n = sizeof in;
    }
}

void sock_maddr(maddr_t *out, const sock_addr_t *from, maddr_transport_t transport)
{
    *out = (maddr_t){ .transport = transport };
    if (from->a.ss_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, &from->a, sizeof in);
        out->host = MADDR_IP4;
        memcpy(out->ip, &in.sin_addr, 4);
        out->port = ntohs(in.sin_port);
    } else {
        struct sockaddr_in6 in;
        memcpy(&in, &from->a, sizeof in);
        out->host = MADDR_IP6;
        memcpy(out->ip, &in.sin6_addr, 16);
        out->port = ntohs(in.sin6_port);
    }
}

rc_t sock_new(int *fd, err_t *e, const maddr_t *of)
{
    const int type = of->transport == MADDR_TCP ? SOCK_STREAM : SOCK_DGRAM;
    *fd = socket(of->host == MADDR_IP4 ? AF_INET : AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return *fd >= 0 ? RC_OK : err_set(e, RC_IO, "no socket: %s", strerror(errno));
}

rc_t sock_bound(int *fd, maddr_t *at, err_t *e)
{
    const int one = 1;
    sock_addr_t a;
    rc_t rc = sock_new(fd, e, at);
    if (rc)
        return rc;
    sock_addr(&a, at);
    if (at->host == MADDR_IP6)
        (void)setsockopt(*fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    if (at->transport == MADDR_TCP)
        (void)setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(*fd, (struct sockaddr *)&a.a, a.n) || getsockname(*fd, (struct sockaddr *)&a.a, &a.n)) {
        rc = err_set(e, RC_IO, "cannot listen on port %u: %s", at->port, strerror(errno));
        close(*fd);
        return rc;
    }
    sock_maddr(at, &a, at->transport);
    return RC_OK;
}
