/* dstack.h - quotes from dstack's guest agent, over HTTP on its Unix socket.
 *
 * Spec:   dstack guest agent API: POST /GetQuote, /GetKey, /Info; older: POST /prpc/Tappd.RawQuote?json;
 *         tee-facts sections 11.3, 11.4
 * Floor:  3, tee/provider. May be used from several threads; requests are made one after the other.
 * Tests:  tests/unit/test_provider_dstack.c
 */
#ifndef TEE_PROVIDER_DSTACK_H
#define TEE_PROVIDER_DSTACK_H

#include <string.h>

#include "tee/provider/dstack_answer.h"

typedef enum { DSTACK_AGENT, DSTACK_TAPPD } dstack_api_t;

#define DSTACK_PATH_MAX 512u
#define DSTACK_FIRST_PLACE "/var/run/dstack.sock" /* of the places where dstack's SDKs look */

/* Whether an endpoint is an http URL, as a simulator of the agent may have; else it is a socket's path. */
static inline bool dstack_is_url(const char *at)
{
    return !strncmp(at, "http://", 7);
}

/* Whether there is a socket at a path. */
bool dstack_is_socket(const char *path);

/* The next of the places where dstack's SDKs look at which a socket is; *from begins with 0. False: there is no other.
 *   root  put before them */
bool dstack_find(char out[DSTACK_PATH_MAX], dstack_api_t *api, size_t *from, const char *root);

/* A provider that asks the agent at a socket or URL; nothing is asked yet.
 *   root        where nobody listens there, it is looked for at the well-known places below root; NULL: it is not
 *   timeout_ms  for one quote; 0: PROVIDER_TIMEOUT_MS
 * RC_NOMEM. */
NODISCARD rc_t dstack_open(tee_provider_t *out, const char *at, dstack_api_t api, const char *root,
                           uint32_t timeout_ms);

/* Whether a provider is the guest agent: only of one may be asked what follows. */
bool dstack_is_agent(const tee_provider_t *p);

/* The key of a path, secp256k1, for a purpose; both at most 100 characters without quotes. The caller wipes out. out
 * written only on RC_OK. RC_IO, RC_TIMEOUT, RC_NOMEM; e names the endpoint. */
NODISCARD rc_t dstack_get_key(const tee_provider_t *p, dstack_key_t *out, err_t *e, const char *path,
                              const char *purpose);

/* Which instance of which application this is. RC_REFUSED: the application runs without instance ids; otherwise as
 * dstack_get_key. */
NODISCARD rc_t dstack_get_info(const tee_provider_t *p, dstack_info_t *out, err_t *e);

#endif
