/* listen.h - opens the server's port. Private to http/.
 *
 * Floor:  2, http.
 * Tests:  tests/unit/test_http_server.c
 */
#ifndef HTTP_LISTEN_H
#define HTTP_LISTEN_H

#include "base/err.h"

/* Listens on the address given, or with NULL on IPv6 with IPv4 inside, or on IPv4 alone where there is no IPv6.
 *   out       the socket, non-blocking, the caller's to close
 *   out_port  the port that it got
 *   port      0: any
 * RC_IO. */
NODISCARD rc_t listen_open(int *out, uint16_t *out_port, err_t *e, const char *address, uint16_t port);

/* Listens on a Unix socket at path, which its owner and group may use. What a program left there that has ended is
 * replaced; a socket at which somebody listens, and what is no socket, stays.
 *   out  the socket, non-blocking, the caller's to close, who then removes path
 * RC_IO. */
NODISCARD rc_t listen_unix(int *out, err_t *e, const char *path);

#endif
