/* heard.h - what an answer that is of no use began with: for the operator's log alone, as it is another's words.
 *
 * Floor:  3, rpc/upstream. No I/O, clock, heap or lock.
 * Tests:  tests/unit/test_secrets.c
 */
#ifndef RPC_UPSTREAM_HEARD_H
#define RPC_UPSTREAM_HEARD_H

#include "http/message.h"

#define HEARD_MAX 200u /* characters */

/* Where the answer points, if it is a redirect that was not followed, and the printable characters that its body begins
 * with, unless it is said to be bytes; empty: nothing. url: that was asked, of which what may be a secret is blanked;
 * NULL: the caller does that. */
void heard_of(char out[HEARD_MAX + 1], const hc_response_t *r, const char *url);

/* Put before it where there is something. */
static inline const char *heard_word(const char *heard)
{
    return heard[0] ? "; it said: " : "";
}

#endif
