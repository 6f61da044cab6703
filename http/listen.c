#include "http/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int listen_at(const struct sockaddr *at, socklen_t len)
{
    int on = 1, off = 0, error;
    int fd = socket(at->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (at->sa_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, at, len) == 0 && listen(fd, 1024) == 0)
        return fd;
    error = errno;
    close(fd);
    errno = error;
    return -1;
}

rc_t listen_open(int *out, uint16_t *out_port, err_t *e, const char *address, uint16_t port)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
    struct sockaddr_storage got = { 0 };
    socklen_t got_len = sizeof got;
    int fd = -1;
    if (!address) {
        fd = listen_at((const struct sockaddr *)(const void *)&v6, sizeof v6);
        if (fd < 0 && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
            fd = listen_at((const struct sockaddr *)(const void *)&v4, sizeof v4);
    } else if (inet_pton(AF_INET, address, &v4.sin_addr) == 1) {
        fd = listen_at((const struct sockaddr *)(const void *)&v4, sizeof v4);
    } else if (inet_pton(AF_INET6, address, &v6.sin6_addr) == 1) {
        fd = listen_at((const struct sockaddr *)(const void *)&v6, sizeof v6);
    } else {
        errno = EINVAL;
    }
    if (fd < 0 || getsockname(fd, (struct sockaddr *)(void *)&got, &got_len) != 0) {
        int why = errno;
        if (fd >= 0)
            close(fd);
        return err_set(e, RC_IO, "cannot listen on %s port %u: %s", address ? address : "all addresses,", port,
                       strerrordesc_np(why));
    }
    *out = fd;
    *out_port = ntohs(got.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)(void *)&got)->sin6_port
                                                : ((struct sockaddr_in *)(void *)&got)->sin_port);
    return RC_OK;
}

/* Whether a program that has ended left a socket at this place. */
static bool is_left(const struct sockaddr_un *at)
{
    struct stat s;
    if (lstat(at->sun_path, &s) != 0 || !S_ISSOCK(s.st_mode))
        return false;
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const bool left =
        fd >= 0 && connect(fd, (const struct sockaddr *)(const void *)at, sizeof *at) != 0 && errno == ECONNREFUSED;
    if (fd >= 0)
        close(fd);
    return left;
}

rc_t listen_unix(int *out, err_t *e, const char *path)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    const size_t n = strlen(path);
    if (n >= sizeof at.sun_path)
        return err_set(e, RC_IO, "cannot listen on %s: longer than %zu bytes", path, sizeof at.sun_path - 1);
    memcpy(at.sun_path, path, n);
    if (is_left(&at))
        (void)unlink(path);
    const int fd = listen_at((const struct sockaddr *)(const void *)&at, sizeof at);
    if (fd < 0)
        return err_set(e, RC_IO, "cannot listen on %s: %s", path, strerrordesc_np(errno));
    if (chmod(path, S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP) != 0) {
        const int why = errno;
        close(fd);
        (void)unlink(path);
        return err_set(e, RC_IO, "cannot listen on %s: %s", path, strerrordesc_np(why));
    }
    *out = fd;
    return RC_OK;
}
