/* ringkey.h - a host key that a keyring holds: made at random, and what it signs connections by.
 *
 * Floor:  4, overlay/wire. No I/O, clock or thread; draws from the kernel.
 * Tests:  tests/unit/test_tpod_hook.c
 */
#ifndef OVERLAY_WIRE_RINGKEY_H
#define OVERLAY_WIRE_RINGKEY_H

#include "base/crypto/keyring.h"
#include "overlay/wire/hostkey.h"

/* A ring with a fresh secp256k1 key in use; keyring_free. RC_NOMEM: no memory, or none that may be locked. */
NODISCARD rc_t ringkey_new(keyring_t **out);

/* The identity of the key in use; k is borrowed as long as it is. */
void ringkey_identity(identity_t *out, const keyring_t *k);

#endif
