/* dstack.h - quotes from dstack's guest agent, over HTTP on its Unix socket.
 *
 * Spec:   dstack guest agent API: POST /GetQuote; older: POST /prpc/Tappd.RawQuote?json; tee-facts sections 11.3, 11.4
 * Floor:  3, tee/provider. May be used from several threads; requests are made one after the other.
 * Tests:  tests/unit/test_provider_dstack.c
 */
#ifndef TEE_PROVIDER_DSTACK_H
#define TEE_PROVIDER_DSTACK_H

#include "tee/tee.h"

typedef enum { DSTACK_AGENT, DSTACK_TAPPD } dstack_api_t;

/* A provider that asks the agent at a socket; nothing is asked yet.
 *   timeout_ms  for one quote; 0: PROVIDER_TIMEOUT_MS
 * RC_NOMEM. */
NODISCARD rc_t dstack_open(tee_provider_t *out, const char *socket, dstack_api_t api, uint32_t timeout_ms);

#endif
