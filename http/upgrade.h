/* upgrade.h - the handshake of WebSocket: whether a request asks for one as it should, and the token that agrees.
 *
 * Spec:   RFC 6455 section 4.2
 * Floor:  2, http. No state; any thread.
 * Tests:  tests/unit/test_wsframe.c
 */
#ifndef HTTP_UPGRADE_H
#define HTTP_UPGRADE_H

#include <stdbool.h>

#define UPGRADE_ACCEPT_LEN 28u

/* Headers of a GET request; NULL: absent. */
typedef struct {
    const char *upgrade, *connection, *version, *key;
} upgrade_t;

/* The status to answer with: 101, with the value of Sec-WebSocket-Accept; 426: no WebSocket of version 13 is asked for;
 * 400: the key is not the base64 of 16 bytes. */
int upgrade_check(char accept[UPGRADE_ACCEPT_LEN + 1], const upgrade_t *u);

/* Whether a header's comma-separated list has a word, whatever its case. NULL: it has none. */
bool upgrade_names(const char *list, const char *word);

#endif
