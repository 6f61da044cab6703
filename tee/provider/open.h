/* open.h - which TEE provider a program uses.
 *
 * Floor:  3, tee/provider. Looks at files and Unix sockets.
 * Tests:  tests/unit/test_provider_dstack.c, tests/unit/test_provider_configfs.c
 */
#ifndef TEE_PROVIDER_OPEN_H
#define TEE_PROVIDER_OPEN_H

#include "tee/tee.h"

typedef struct {
    const char *which; /* one of TEE_WORDS. "auto": the socket that is given, else the first that is there of dstack's
                          * socket, tappd's socket and configfs-tsm */
    const char
        *socket;      /* of the guest agent; one named tappd.sock speaks the older API. NULL or empty: the well-known */
    const char *root; /* put before all well-known places, for tests; NULL: nothing */
    const char *seed; /* of the simulator: those of one text have one root; NULL: by chance */
    const char *image;   /* of the simulator: which image it says it is (MRTD: SHA-384 of the text); NULL: its own */
    uint32_t timeout_ms; /* for one quote of the guest agent; 0: a minute */
} tee_open_t;

/* Opens a provider; out->where says which one it is. A guest agent that was asked for, by "dstack" or its socket, need
 * not be there yet: its evidence is RC_IO until it is. RC_UNSUPPORTED: there is none on this machine, or this build
 * leaves it out; RC_MALFORMED: no such word in which; RC_IO, RC_TIMEOUT, RC_NOMEM. */
NODISCARD rc_t tee_open(tee_provider_t *out, err_t *e, const tee_open_t *options);

#endif
