#include "base/crypto/hash.h"

#include <nettle/sha1.h>
#include <nettle/sha2.h>

void sha256_parts(hash32_t *out, const view_t *parts, size_t count)
{
    struct sha256_ctx ctx;
    sha256_init(&ctx);
    for (size_t i = 0; i < count; i++)
        sha256_update(&ctx, parts[i].n, parts[i].p);
    sha256_digest(&ctx, sizeof out->b, out->b);
}

void sha256(hash32_t *out, view_t in)
{
    sha256_parts(out, &in, 1);
}

_Static_assert(sizeof(struct sha384_ctx) <= sizeof(sha384_t), "nettle's context fits");

static struct sha384_ctx *context_of(sha384_t *h)
{
    return (struct sha384_ctx *)(void *)h->state;
}

void sha384_begin(sha384_t *h)
{
    sha384_init(context_of(h));
}

void sha384_add(sha384_t *h, view_t in)
{
    sha384_update(context_of(h), in.n, in.p);
}

void sha384_end(uint8_t out48[48], sha384_t *h)
{
    sha384_digest(context_of(h), SHA384_DIGEST_SIZE, out48);
}

void sha384_parts(uint8_t out48[48], const view_t *parts, size_t count)
{
    sha384_t h;
    sha384_begin(&h);
    for (size_t i = 0; i < count; i++)
        sha384_add(&h, parts[i]);
    sha384_end(out48, &h);
}

void sha512_parts(uint8_t out64[64], const view_t *parts, size_t count)
{
    struct sha512_ctx ctx;
    sha512_init(&ctx);
    for (size_t i = 0; i < count; i++)
        sha512_update(&ctx, parts[i].n, parts[i].p);
    sha512_digest(&ctx, SHA512_DIGEST_SIZE, out64);
}

void sha1(uint8_t out20[20], view_t in)
{
    struct sha1_ctx ctx;
    sha1_init(&ctx);
    sha1_update(&ctx, in.n, in.p);
    sha1_digest(&ctx, SHA1_DIGEST_SIZE, out20);
}
