/* accept.h - accepts connections on several sockets, and reads what listed proxies say in front of them. Private to
 * http/.
 *
 * Floor:  2, http.
 * Tests:  tests/unit/test_http_proxy.c
 */
#ifndef HTTP_ACCEPT_H
#define HTTP_ACCEPT_H

#include "base/err.h"
#include "http/proxy.h"

#define LISTEN_MAX 8u       /* sockets */
#define PROXY_WAIT_MS 3000u /* for a PROXY header */

typedef struct acceptor acceptor_t;

typedef struct {
    const int *fds; /* that listen; the acceptor's to close from its start on */
    size_t count;   /* at most LISTEN_MAX */
    /* A connection from one of them has to begin with a PROXY header, and is closed when it does not; NULL: none has.
     * Borrowed. */
    const proxies_t *proxies;
    void (*take)(void *ctx, int fd, const struct sockaddr *from, socklen_t from_len); /* on the acceptor's thread */
    void *ctx;
} acceptor_config_t;

/* Starts a thread. RC_IO, RC_NOMEM. */
NODISCARD rc_t acceptor_start(acceptor_t **out, err_t *e, const acceptor_config_t *config);

/* Closes the sockets and what has not said its header. NULL allowed. */
void acceptor_stop(acceptor_t *a);

#endif
