#include "overlay/wire/noise.h"

#include "base/crypto/aead.h"
#include "base/crypto/curve25519.h"
#include "base/crypto/hash.h"
#include "base/crypto/kdf.h"
#include "base/crypto/secret.h"
#include "overlay/wire/proto.h"

#define PREFIX "noise-libp2p-static-key:"
#define SIGNED_LEN (sizeof PREFIX - 1 + NOISE_KEY_LEN)
#define PAYLOAD_MAX 256u /* bytes of ours */
#define NONCE_END UINT64_MAX

static const char name[] = "Noise_XX_25519_ChaChaPoly_SHA256";
_Static_assert(sizeof name - 1 == sizeof(hash32_t), "a name of 32 bytes is its own hash");

/* ---- symmetric state ---- */

static void mix_hash(noise_t *n, view_t data)
{
    const view_t parts[] = { view_of(n->hash.b, sizeof n->hash.b), data };
    sha256_parts(&n->hash, parts, 2);
}

/* HKDF with two outputs. */
static void derive(uint8_t out1[32], uint8_t out2[32], const uint8_t ck[32], view_t ikm)
{
    uint8_t prk[HKDF_PRK_LEN], both[64];
    hkdf_extract(prk, view_of(ck, 32), ikm);
    if (hkdf_expand(both, sizeof both, prk, view_of(NULL, 0)))
        memset(both, 0, sizeof both); /* cannot be: 64 bytes are within its limit */
    memcpy(out1, both, 32);
    memcpy(out2, both + 32, 32);
    secret_wipe(prk, sizeof prk);
    secret_wipe(both, sizeof both);
}

static rc_t mix_key(noise_t *n, const uint8_t secret[NOISE_KEY_LEN], const uint8_t peer[NOISE_KEY_LEN])
{
    uint8_t shared[X25519_LEN] = { 0 };
    rc_t rc = x25519_shared(shared, secret, peer);
    if (!rc)
        derive(n->ck, n->cipher.k, n->ck, view_of(shared, sizeof shared));
    n->cipher.n = 0;
    secret_wipe(shared, sizeof shared);
    return rc;
}

static void nonce_of(uint8_t out[AEAD_NONCE_LEN], uint64_t n)
{
    memset(out, 0, 4);
    store_u64le(out + 4, n);
}

static rc_t seal(noise_cipher_t *c, wr_t *w, view_t plain, view_t ad)
{
    uint8_t nonce[AEAD_NONCE_LEN];
    if (c->n == NONCE_END)
        return RC_LIMIT;
    uint8_t *out = wr_grab(w, plain.n + AEAD_TAG_LEN);
    if (!out)
        return RC_BUG;
    nonce_of(nonce, c->n++);
    aead_seal(out, plain, ad, nonce, c->k);
    return RC_OK;
}

static rc_t unseal(noise_cipher_t *c, uint8_t *out, view_t sealed, view_t ad)
{
    uint8_t nonce[AEAD_NONCE_LEN];
    if (c->n == NONCE_END)
        return RC_LIMIT;
    nonce_of(nonce, c->n);
    rc_t rc = aead_open(out, sealed, ad, nonce, c->k);
    if (!rc)
        c->n++;
    return rc;
}

static view_t hash_view(const noise_t *n)
{
    return view_of(n->hash.b, sizeof n->hash.b);
}

/* Encrypts to w and mixes what went out. */
static rc_t put_sealed(noise_t *n, wr_t *w, view_t plain)
{
    size_t from = w->n;
    rc_t rc = seal(&n->cipher, w, plain, hash_view(n));
    if (!rc)
        mix_hash(n, view_of(w->p + from, w->n - from));
    return rc;
}

/* Decrypts and mixes what came in; out has sealed.n - 16 bytes. */
static rc_t take_sealed(noise_t *n, uint8_t *out, view_t sealed)
{
    rc_t rc = unseal(&n->cipher, out, sealed, hash_view(n));
    if (!rc)
        mix_hash(n, sealed);
    return rc;
}

void noise_init(noise_t *n, const noise_config_t *config)
{
    *n = (noise_t){ .config = *config };
    n->config.ephemeral = n->config.static_key = NULL;
    memcpy(n->e, config->ephemeral, NOISE_KEY_LEN);
    memcpy(n->s, config->static_key, NOISE_KEY_LEN);
    x25519_pubkey(n->static_public, n->s);
    memcpy(n->hash.b, name, sizeof n->hash.b);
    memcpy(n->ck, name, sizeof n->ck);
    mix_hash(n, view_of(NULL, 0)); /* the empty prologue */
}

bool noise_writes(const noise_t *n)
{
    return n->state == NOISE_RUNNING && n->config.initiator == (n->turn % 2 == 0);
}

/* ---- payloads ---- */

static view_t signed_message(uint8_t out[SIGNED_LEN], const uint8_t static_key[NOISE_KEY_LEN])
{
    memcpy(out, PREFIX, sizeof PREFIX - 1);
    memcpy(out + sizeof PREFIX - 1, static_key, NOISE_KEY_LEN);
    return view_of(out, SIGNED_LEN);
}

static rc_t write_payload(const noise_t *n, wr_t *w)
{
    uint8_t message[SIGNED_LEN], sig[HOSTKEY_SIG_MAX], pb[HOSTKEY_PB_MAX];
    const identity_t *who = n->config.who;
    size_t sig_n = 0;
    rc_t rc = who->sign(who->sign_ctx, sig, &sig_n, signed_message(message, n->static_public));
    if (rc)
        return rc;
    wr_t key = wr_of(pb, sizeof pb);
    hostkey_write(&key, &who->key);
    pb_put_bytes(w, 1, wr_view(&key));
    pb_put_bytes(w, 2, view_of(sig, sig_n));
    if (n->config.muxer) {
        size_t extensions = pb_begin(w, 4);
        pb_put_bytes(w, 2, view_str(n->config.muxer));
        pb_end(w, extensions);
    }
    return w->bad ? RC_BUG : RC_OK;
}

/* What a peer's payload says. */
typedef struct {
    view_t key, sig;
    unsigned muxers;
    bool has_ours;
} payload_t;

static void read_extensions(payload_t *p, rd_t *outer, view_t bytes, const char *muxer)
{
    rd_t r = rd_of(bytes);
    pb_field_t f;
    while (pb_next(&r, &f)) {
        if (f.number != 2)
            continue;
        view_t offered = pb_bytes(&r, &f, 64);
        p->has_ours |= muxer && view_eq(offered, view_str(muxer));
        if (++p->muxers > NOISE_MUXERS_MAX)
            r.bad = true;
    }
    outer->bad |= !rd_done(&r);
}

static rc_t read_payload(payload_t *p, view_t bytes, const char *muxer)
{
    rd_t r = rd_of(bytes);
    pb_field_t f;
    *p = (payload_t){ 0 };
    while (pb_next(&r, &f))
        switch (f.number) {
        case 1: p->key = pb_bytes(&r, &f, HOSTKEY_PB_MAX); break;
        case 2: p->sig = pb_bytes(&r, &f, HOSTKEY_SIG_MAX); break;
        case 4: read_extensions(p, &r, pb_bytes(&r, &f, NOISE_HANDSHAKE_MAX), muxer); break;
        default: break;
        }
    return rd_done(&r) ? RC_OK : RC_MALFORMED;
}

static rc_t check_payload(noise_t *n, err_t *e, view_t bytes)
{
    payload_t p;
    uint8_t message[SIGNED_LEN];
    if (read_payload(&p, bytes, n->config.muxer))
        return err_say(e, RC_MALFORMED, "the peer's Noise payload is malformed");
    rc_t rc = hostkey_read(&n->peer_key, p.key);
    if (rc)
        return err_say(e, rc, "the peer's host key is malformed or of a type that is not understood");
    rc = hostkey_verify(&n->peer_key, p.sig, signed_message(message, n->peer_static));
    if (rc)
        return err_say(e, rc, "the peer's host key did not sign its Noise key");
    peerid_of(&n->peer, &n->peer_key);
    if (n->config.expected && n->config.expected->n && !peerid_eq(n->config.expected, &n->peer))
        return err_say(e, RC_REFUSED, "another peer answered than the one that was dialled");
    if (n->config.muxer && p.muxers && !p.has_ours)
        return err_say(e, RC_UNSUPPORTED, "the peer has no stream muxer in common");
    n->muxer_agreed = p.has_ours;
    return RC_OK;
}

/* ---- handshake ---- */

static void end_handshake(noise_t *n)
{
    noise_cipher_t first = { .n = 0 }, second = { .n = 0 };
    derive(first.k, second.k, n->ck, view_of(NULL, 0));
    n->send = n->config.initiator ? first : second;
    n->receive = n->config.initiator ? second : first;
    secret_wipe(&first, sizeof first);
    secret_wipe(&second, sizeof second);
    secret_wipe(&n->cipher, sizeof n->cipher);
    secret_wipe(n->ck, sizeof n->ck);
    secret_wipe(n->e, sizeof n->e);
    secret_wipe(n->s, sizeof n->s);
    n->state = NOISE_OPEN;
}

static void put_ephemeral(noise_t *n, wr_t *w)
{
    uint8_t public_key[NOISE_KEY_LEN];
    x25519_pubkey(public_key, n->e);
    wr_bytes(w, public_key, sizeof public_key);
    mix_hash(n, view_of(public_key, sizeof public_key));
}

/* s, then the token es or se, then the payload. */
static rc_t put_static(noise_t *n, wr_t *w)
{
    uint8_t payload[PAYLOAD_MAX];
    wr_t p = wr_of(payload, sizeof payload);
    rc_t rc = put_sealed(n, w, view_of(n->static_public, NOISE_KEY_LEN));
    if (!rc)
        rc = mix_key(n, n->s, n->peer_e);
    if (!rc)
        rc = write_payload(n, &p);
    return rc ? rc : put_sealed(n, w, wr_view(&p));
}

static rc_t write_turn(noise_t *n, wr_t *w)
{
    if (n->turn < 2)
        put_ephemeral(n, w);
    if (n->turn == 0) {
        mix_hash(n, view_of(NULL, 0)); /* an empty payload in clear */
        return RC_OK;
    }
    rc_t rc = n->turn == 1 ? mix_key(n, n->e, n->peer_e) : RC_OK;
    return rc ? rc : put_static(n, w);
}

rc_t noise_write(noise_t *n, wr_t *w)
{
    size_t from = w->n;
    uint8_t *length = wr_grab(w, 2);
    if (!noise_writes(n) || !length)
        return RC_BUG;
    rc_t rc = write_turn(n, w);
    if (!rc && w->bad)
        rc = RC_BUG;
    if (rc) {
        n->state = NOISE_FAILED;
        return rc;
    }
    wr_t l = wr_of(length, 2);
    wr_be(&l, w->n - from - 2, 2);
    if (++n->turn == 3)
        end_handshake(n);
    return RC_OK;
}

static rc_t take_ephemeral(noise_t *n, err_t *e, rd_t *r)
{
    rd_copy(r, n->peer_e, sizeof n->peer_e);
    if (r->bad)
        return err_say(e, RC_MALFORMED, "a Noise message is too short");
    mix_hash(n, view_of(n->peer_e, sizeof n->peer_e));
    if (n->turn == 0)
        mix_hash(n, view_of(NULL, 0));
    return RC_OK;
}

static rc_t take_static(noise_t *n, err_t *e, rd_t *r)
{
    uint8_t payload[NOISE_HANDSHAKE_MAX];
    view_t s = rd_take(r, NOISE_KEY_LEN + AEAD_TAG_LEN), rest = rd_take(r, r->n);
    if (r->bad || rest.n < AEAD_TAG_LEN)
        return err_say(e, RC_MALFORMED, "a Noise message is too short");
    rc_t rc = take_sealed(n, n->peer_static, s);
    if (!rc)
        rc = mix_key(n, n->e, n->peer_static);
    if (!rc)
        rc = take_sealed(n, payload, rest);
    if (rc)
        return err_say(e, rc, "a Noise message is not sealed with the handshake's keys");
    return check_payload(n, e, view_of(payload, rest.n - AEAD_TAG_LEN));
}

static rc_t read_turn(noise_t *n, err_t *e, view_t body)
{
    rd_t r = rd_of(body);
    if (body.n > NOISE_HANDSHAKE_MAX)
        return err_say(e, RC_LIMIT, "a Noise handshake message is longer than 4 KiB");
    rc_t rc = n->turn < 2 ? take_ephemeral(n, e, &r) : RC_OK;
    if (rc || n->turn == 0)
        return rc || rd_done(&r) ? rc : err_say(e, RC_MALFORMED, "the first Noise message has a payload");
    if (n->turn == 1 && mix_key(n, n->e, n->peer_e))
        return err_say(e, RC_REFUSED, "the peer's ephemeral key is of small order");
    return take_static(n, e, &r);
}

rc_t noise_read(noise_t *n, err_t *e, view_t body)
{
    if (n->state != NOISE_RUNNING || noise_writes(n))
        return err_say(e, RC_MALFORMED, "a Noise message out of turn");
    rc_t rc = read_turn(n, e, body);
    if (rc)
        n->state = NOISE_FAILED;
    else if (++n->turn == 3)
        end_handshake(n);
    return rc;
}

/* ---- records ---- */

rc_t noise_seal(noise_t *n, wr_t *w, view_t plain)
{
    if (n->state != NOISE_OPEN || plain.n > NOISE_PLAIN_MAX)
        return RC_LIMIT;
    wr_be(w, plain.n + AEAD_TAG_LEN, 2);
    return w->bad ? RC_BUG : seal(&n->send, w, plain, view_of(NULL, 0));
}

rc_t noise_open(noise_t *n, uint8_t *out, view_t body)
{
    if (n->state != NOISE_OPEN)
        return RC_REFUSED;
    rc_t rc = unseal(&n->receive, out, body, view_of(NULL, 0));
    if (rc)
        n->state = NOISE_FAILED;
    return rc;
}

void noise_clear(noise_t *n)
{
    secret_wipe(n, sizeof *n);
    n->state = NOISE_FAILED;
}
