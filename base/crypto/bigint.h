/* bigint.h - modular exponentiation of numbers of any length: the door to gmp.
 *
 * Floor:  1, base/crypto. gmp takes its working memory from malloc and aborts when there is none; callers bound the
 *         lengths by what they have charged for. Not constant time: never for secrets. No I/O, clock or thread.
 * Tests:  tests/unit/test_precompile.c, vectors kind precompiles (modexp)
 */
#ifndef BASE_CRYPTO_BIGINT_H
#define BASE_CRYPTO_BIGINT_H

#include "base/bytes.h"

/* base to the power of exponent, modulo modulus; all big-endian, of any length, also empty (zero).
 *   out  modulus.n bytes; all zero when the modulus is zero or one */
void bigint_modexp(uint8_t *out, view_t base, view_t exponent, view_t modulus);

#endif
