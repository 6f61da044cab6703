/* Bytes to a listener. Bit 0 of the first byte says whether they come as they are, or, behind a handshake that was done
 * right, as sealed records of that many bytes: then one peer is proven, else none. When the socket is closed, nothing is
 * left of it. */
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "overlay/wire/noise.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/net_node.h"

static int fd;

static void deliver(view_t v)
{
    uint8_t drop[4096];
    for (unsigned tries = 0; v.n && tries < 100; tries++) {
        ssize_t n = send(fd, v.p, v.n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0)
            v = view_of(v.p + n, v.n - (size_t)n);
        node_run(1, 1);
        while (recv(fd, drop, sizeof drop, MSG_DONTWAIT) > 0)
            ;
    }
}

static view_t receive(uint8_t out[1024])
{
    node_run(2, 1);
    ssize_t n = recv(fd, out, 1024, MSG_DONTWAIT);
    return view_of(out, n > 0 ? (size_t)n : 0);
}

/* Proves an identity to the listener. */
static void shake_hands(noise_t *n)
{
    static const uint8_t keys[2][NOISE_KEY_LEN] = { { 1 }, { 2 } };
    static uint8_t secret[64];
    uint8_t message[1024], answer[1024];
    const identity_t who = node_identity(secret, 8);
    const noise_config_t config = {
        .initiator = true, .who = &who, .muxer = "/yamux/1.0.0", .ephemeral = keys[0], .static_key = keys[1]
    };
    deliver(view_str("\x13/multistream/1.0.0\n\x07/noise\n")); /* the answer is as it has to be, and dropped */
    noise_init(n, &config);
    for (unsigned turn = 0; turn < 2; turn++) {
        wr_t w = wr_of(message, sizeof message);
        if (noise_write(n, &w))
            abort();
        if (send(fd, message, w.n, MSG_NOSIGNAL) != (ssize_t)w.n)
            abort();
        const view_t v = receive(answer);
        if (turn == 0 && (v.n < 2 || noise_read(n, NULL, view_of(v.p + 2, v.n - 2))))
            abort();
    }
}

static void deliver_sealed(noise_t *n, view_t in, size_t portion)
{
    uint8_t record[2 + 256 + 16];
    for (size_t at = 0; at < in.n; at += portion) {
        wr_t w = wr_of(record, sizeof record);
        if (noise_seal(n, &w, view_of(in.p + at, in.n - at < portion ? in.n - at : portion)))
            abort();
        deliver(wr_view(&w));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
    noise_t n;
    sock_addr_t to;
    if (!len)
        return 0;
    node_start(LOOP_TCP, "/ip4/127.0.0.1/tcp/0");
    node_opened = 0;
    sock_addr(&to, &node_at);
    if (sock_new(&fd, NULL, &node_at))
        abort();
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int)); /* what is sent comes at once */
    (void)connect(fd, (struct sockaddr *)&to.a, to.n);
    node_run(2, 1);
    if (in[0] & 1) {
        shake_hands(&n);
        deliver_sealed(&n, view_of(in + 1, len - 1), 1 + (in[0] >> 1));
        noise_clear(&n);
    } else {
        deliver(view_of(in + 1, len - 1));
    }
    if (node_opened != (in[0] & 1))
        abort();
    close(fd);
    node_run(3, 1);
    if (node_conns())
        abort();
    return 0;
}
