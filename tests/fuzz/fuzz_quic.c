/* Datagrams to a listener, each with its length before it: nobody is proven by them, one address holds few places, and
 * none for longer than a handshake may take; what is answered to an unproven address is at most three times what came. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/net_node.h"

static size_t answered(int fd)
{
    uint8_t out[2048];
    ssize_t n;
    size_t sum = 0;
    while ((n = recv(fd, out, sizeof out, MSG_DONTWAIT)) > 0)
        sum += (size_t)n;
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
    maddr_t from = { .host = MADDR_IP4, .ip = { 127, 0, 0, 1 }, .transport = MADDR_QUIC };
    sock_addr_t to;
    int fd;
    size_t sent = 0, got = 0;
    rd_t r = rd_of(view_of(in, len));
    node_start(LOOP_QUIC, "/ip4/127.0.0.1/udp/0/quic-v1");
    node_opened = 0;
    sock_addr(&to, &node_at);
    if (sock_bound(&fd, &from, NULL))
        abort();
    while (r.n && !r.bad) {
        const uint16_t n = rd_u16be(&r);
        const view_t d = rd_take(&r, n < r.n ? n : r.n);
        if (d.n && sendto(fd, d.p, d.n, 0, (struct sockaddr *)&to.a, to.n) == (ssize_t)d.n)
            sent += d.n;
        node_run(2, 1);
        got += answered(fd);
        if (node_conns() > NET_PENDING_PER_IP || got > 3 * sent)
            abort();
    }
    node_run(NET_HANDSHAKE_MS + 1000, 100);
    if (node_conns() || node_opened)
        abort();
    close(fd);
    return 0;
}
