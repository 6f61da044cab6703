/* open.h - which TEE provider a program uses.
 *
 * Floor:  3, tee/provider. Looks at files and Unix sockets.
 * Tests:  tests/unit/test_provider_dstack.c, tests/unit/test_provider_configfs.c
 */
#ifndef TEE_PROVIDER_OPEN_H
#define TEE_PROVIDER_OPEN_H

#include "tee/tee.h"

typedef struct {
    const char
        *which; /* "auto": the socket that is given, else the first that is there of dstack's socket, tappd's socket and
                          * configfs-tsm, never the simulator; "dstack": one of the sockets; "tdx": configfs-tsm; "simulator" */
    const char *
        socket; /* of the guest agent; one named tappd.sock speaks the older API. NULL or empty: the well-known places */
    const char *root;    /* put before all well-known places, for tests; NULL: nothing */
    uint32_t timeout_ms; /* for one quote of the guest agent; 0: a minute */
} tee_open_t;

/* Opens a provider. said: on RC_OK which one it is and where, else why there is none. RC_UNSUPPORTED: there is none on this
 * machine, or this build leaves it out; RC_MALFORMED: no such word in which; RC_IO, RC_TIMEOUT, RC_NOMEM. */
NODISCARD rc_t tee_open(tee_provider_t *out, const tee_open_t *options, char *said, size_t said_cap);

/* True when the word (as in tee_open_t, "auto" included) describes the provider. */
bool tee_is(const tee_provider_t *p, const char *which);

#endif
