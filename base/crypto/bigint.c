#include "base/crypto/bigint.h"

#include <gmp.h>

static void import(mpz_t out, view_t in)
{
    mpz_init(out);
    if (in.n)
        mpz_import(out, in.n, 1, 1, 1, 0, in.p);
}

void bigint_modexp(uint8_t *out, view_t base, view_t exponent, view_t modulus)
{
    mpz_t b, e, m;
    import(b, base);
    import(e, exponent);
    import(m, modulus);
    if (modulus.n)
        memset(out, 0, modulus.n);
    if (mpz_sgn(m) != 0) {
        mpz_powm(b, b, e, m);
        size_t n = (mpz_sizeinbase(b, 2) + 7) / 8; /* at most modulus.n: b is below m */
        if (mpz_sgn(b) != 0)
            mpz_export(out + modulus.n - n, NULL, 1, 1, 1, 0, b);
    }
    mpz_clears(b, e, m, NULL);
}
