/* hook.h - the provider's own program, which makes a pod of a request. No shell is in between; what it is given:
 *
 *     standard input   {"tpod":"provision/1","client":"16Uiu2...","request":{...}}: the request by protobuf's JSON
 *                      mapping, replicas always there. In the place of each key, and of each secret that stood in the
 *                      request itself: {"fd":3}
 *     descriptors      from 3 on: those keys and secrets, each a sealed file in memory, read from its beginning
 *     environment      PATH alone
 *
 * Its standard output is the response, {"addresses":[{"multiaddr":...,"containerName":...,"containerPort":...}]} or
 * {"error":...}. Standard error is the provider's. A program that does not end with status 0 within HOOK_MS is ended.
 *
 * Spec:   sdk-facts 8
 * Floor:  5, node/tpod. Starts a process, and waits for it.
 * Tests:  tests/unit/test_tpod_hook.c
 */
#ifndef NODE_TPOD_HOOK_H
#define NODE_TPOD_HOOK_H

#include "base/arena.h"
#include "base/err.h"
#include "overlay/tpod/pod.h"
#include "overlay/wire/peerid.h"

#define HOOK_MS 600000u              /* a pod's images have to come first */
#define HOOK_ANSWER_MAX (256u << 10) /* bytes of its output */
#define HOOK_WORDS_MAX 16u

typedef struct {
    uint32_t time_max_ms;
    bool (*stops)(void *ctx); /* whether it is to end at once; looked at now and then. NULL: never */
    void *ctx;
} hook_limits_t;

/* Runs the program: argv ends with NULL, its first word a path. The request has passed tpod_check.
 *   out  texts in the arena; its error is the program's own answer
 * RC_IO: it could not be run, or failed; RC_TIMEOUT; RC_MALFORMED, RC_LIMIT: its answer is none; RC_NOMEM. */
NODISCARD rc_t hook_run(tpod_provision_response_t *out, err_t *e, arena_t *a, const char *const *argv,
                        const tpod_provision_request_t *request, const peerid_t *client, const hook_limits_t *limits);

#endif
