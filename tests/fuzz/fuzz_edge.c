/* Raw bytes on a connection of the server, whose sender listens for a moment and goes. Properties: what comes back is answers of known
 * statuses, no more than there were lines; who asks properly is answered afterwards. */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/server.h"
#include "tests/fuzz/fuzz.h"

#define INPUT_MAX 8192u
#define ROOM ((size_t)1 << 20)
#define WAIT_MS 1
#define HONEST_MS 20000

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void answer(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx;
    require(q->path[0] == '/' && q->body.n <= INPUT_MAX);
    *r = (hs_response_t){ .status = 200, .body = (uint8_t *)strdup("{}"), .body_len = 2 };
}

static const hs_route_t routes[] = { { "GET", "/quick", answer, 0 },
                                     { "POST", "/echo", answer, 0 },
                                     { "POST", "/slow", answer, HS_SLOW | HS_CORS } };

static uint16_t port(void)
{
    static hs_t *server;
    err_t e;
    const hs_config_t k = { .address = "127.0.0.1", .routes = routes, .route_count = 3, .body_max = 1000 };
    if (!server)
        require(hs_start(&server, &e, &k) == RC_OK);
    return hs_port(server);
}

/* What comes of bytes until nothing more has come for so long. */
static size_t ask(char *out, const void *p, size_t n, int wait_ms)
{
    const struct sockaddr_in at = { .sin_family = AF_INET,
                                    .sin_port = htons(port()),
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const struct linger at_once = { 1, 0 };
    size_t got = 0;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    require(fd >= 0 && !connect(fd, (const struct sockaddr *)&at, sizeof at));
    for (size_t sent = 0; sent < n;) {
        const ssize_t some = send(fd, (const uint8_t *)p + sent, n - sent, MSG_NOSIGNAL);
        if (some <= 0)
            break; /* it was refused before its end */
        sent += (size_t)some;
    }
    struct pollfd ready = { .fd = fd, .events = POLLIN };
    for (ssize_t some; got < ROOM - 1 && poll(&ready, 1, wait_ms) == 1; got += (size_t)some)
        if ((some = recv(fd, out + got, ROOM - 1 - got, 0)) <= 0)
            break;
    out[got] = '\0';
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
    return got;
}

static bool is_known(int status)
{
    static const int known[] = { 100, 200, 204, 400, 404, 405, 408, 411, 413, 414, 426, 431, 501, 503, 505 };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (status == known[i])
            return true;
    return false;
}

/* The end of the answer at p, of which no more may have come yet: its head, and the body of which that tells the length. Behind
 * HEAD there is none, but the next head. */
static const char *behind(const char *p, const char *end)
{
    static const char length[] = "\r\nContent-Length: ";
    const char *body = strstr(p, "\r\n\r\n"), *told = strstr(p, length);
    if (!body)
        return end;
    require(is_known(atoi(p + 9)));
    body += 4;
    if (!told || told >= body || !strncmp(body, "HTTP/1.1 ", 9))
        return body;
    const size_t n = strtoul(told + sizeof length - 1, NULL, 10);
    return n < (size_t)(end - body) ? body + n : end;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const char honest[] = "GET /quick HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    static char got[ROOM];
    size_t lines = 1, answers = 0;
    if (len > INPUT_MAX)
        return 0;
    for (size_t i = 0; i < len; i++)
        lines += data[i] == '\n';
    const size_t n = ask(got, data, len, WAIT_MS);
    for (const char *p = got; *p; p = behind(p, got + n), answers++)
        require(!strncmp(p, "HTTP/1.1 ", 9) || got + n - p < 9);
    require(answers <= 2 * lines);
    (void)ask(got, honest, sizeof honest - 1, HONEST_MS);
    require(!strncmp(got, "HTTP/1.1 200 ", 13));
    return 0;
}
