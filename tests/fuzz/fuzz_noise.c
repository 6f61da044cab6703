/* Noise handshakes with a sealing that seals nothing (the doubles of aead_seal and aead_open below), so that what stands inside is
 * reached. A peer is known only by a signature of its host key over the Noise key that it used. The first byte says which end this
 * is; each message stands behind its two bytes of length. */
#include <stdlib.h>

#include "base/crypto/aead.h"
#include "overlay/wire/noise.h"
#include "tests/fuzz/fuzz.h"

void aead_seal(uint8_t *out, view_t in, view_t ad, const uint8_t nonce[AEAD_NONCE_LEN], const uint8_t key[AEAD_KEY_LEN])
{
    (void)ad, (void)nonce, (void)key;
    if (in.n)
        memmove(out, in.p, in.n);
    memset(out + in.n, 0, AEAD_TAG_LEN);
}

rc_t aead_open(uint8_t *out, view_t sealed, view_t ad, const uint8_t nonce[AEAD_NONCE_LEN],
               const uint8_t key[AEAD_KEY_LEN])
{
    (void)ad, (void)nonce, (void)key;
    if (sealed.n < AEAD_TAG_LEN)
        return RC_MALFORMED;
    if (sealed.n > AEAD_TAG_LEN)
        memmove(out, sealed.p, sealed.n - AEAD_TAG_LEN);
    return RC_OK;
}

static rc_t sign(void *ctx, uint8_t out[HOSTKEY_SIG_MAX], size_t *n, view_t message)
{
    (void)ctx, (void)message;
    memset(out, 7, 64);
    *n = 64;
    return RC_OK;
}

static void check(const noise_t *n, rc_t rc, const err_t *e)
{
    if ((rc != RC_OK) != (n->state == NOISE_FAILED) || (rc && !e->text[0]))
        abort();
    if (n->state != NOISE_OPEN)
        return;
    peerid_t id;
    peerid_of(&id, &n->peer_key);
    if (!id.n || !peerid_eq(&id, &n->peer))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const uint8_t e[32] = { 1 }, s[32] = { 2 };
    const identity_t who = { .key = { HOSTKEY_ED25519, 32, { 9 } }, .sign = sign };
    rd_t r = rd_of(view_of(data, len));
    uint8_t out[1024], how = rd_u8(&r);
    noise_t n;
    noise_init(&n, &(noise_config_t){ .initiator = how & 1,
                                      .who = &who,
                                      .muxer = how & 2 ? "/yamux/1.0.0" : NULL,
                                      .ephemeral = e,
                                      .static_key = s });
    while (n.state == NOISE_RUNNING) {
        err_t err = { 0 };
        wr_t w = wr_of(out, sizeof out);
        if (noise_writes(&n)) {
            (void)!noise_write(&n, &w);
            continue;
        }
        if (!r.n)
            break;
        view_t body = rd_take(&r, rd_u16be(&r));
        check(&n, noise_read(&n, &err, body), &err);
    }
    if (n.state == NOISE_OPEN && r.n >= AEAD_TAG_LEN && r.n < sizeof out)
        (void)!noise_open(&n, out, view_of(r.p, r.n));
    noise_clear(&n);
    return 0;
}
