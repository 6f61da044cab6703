#include "base/crypto/secret.h"

#include <sodium.h>

rc_t secret_init(void)
{
    return sodium_init() < 0 ? RC_IO : RC_OK; /* 1 means that it was done before */
}

void secret_wipe(void *p, size_t n)
{
    sodium_memzero(p, n);
}

bool secret_eq(const void *a, const void *b, size_t n)
{
    return sodium_memcmp(a, b, n) == 0;
}

void *secret_alloc(size_t n)
{
    /* Prepared here too: without it the guard value around the memory would be zeros. */
    return sodium_init() < 0 ? NULL : sodium_malloc(n);
}

void secret_free(void *p)
{
    sodium_free(p);
}

void secret_random(void *out, size_t n)
{
    randombytes_buf(out, n);
}
