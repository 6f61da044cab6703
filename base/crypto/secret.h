/* secret.h - secret bytes: locked memory, wiping, constant-time comparison, random numbers. The door to libsodium.
 *
 * Floor:  1, base/crypto. secret_random is for edges and node/ only: pure code takes randomness as an argument.
 * Tests:  tests/unit/test_ecdsa.c
 */
#ifndef BASE_CRYPTO_SECRET_H
#define BASE_CRYPTO_SECRET_H

#include "base/bytes.h"
#include "base/rc.h"

/* Prepares libsodium; call once at program start, before any other function here. RC_IO: no random source. */
NODISCARD rc_t secret_init(void);

/* Overwrites n bytes so that the compiler cannot leave them out. */
void secret_wipe(void *p, size_t n);

/* Constant-time equality of n bytes. */
bool secret_eq(const void *a, const void *b, size_t n);

/* n bytes of guarded memory: locked (never swapped), excluded from core dumps, between guard pages. NULL on failure.
 * Freed, after wiping, with secret_free. */
void *secret_alloc(size_t n);
void secret_free(void *p);

/* n random bytes from the operating system. */
void secret_random(void *out, size_t n);

#endif
