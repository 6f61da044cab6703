#include "tee/channel/hello.h"

#include <assert.h>

#include "base/crypto/hash.h"

#define FLAG_WANTS_KEY 1u
#define FLAG_HOLDS_KEY 2u
#define M_LEN 278u

static const uint8_t magic[4] = { 'T', 'A', 'H', '2' };
static const uint8_t zeros[3];

void hello_write(uint8_t out[MATTEST_HELLO_LEN], const hello_t *h)
{
    wr_t w = wr_of(out, MATTEST_HELLO_LEN);
    wr_bytes(&w, magic, sizeof magic);
    wr_u8(&w, (uint8_t)h->role);
    wr_u8(&w, (uint8_t)h->type);
    wr_be(&w, (h->wants_key ? FLAG_WANTS_KEY : 0) | (h->holds_key ? FLAG_HOLDS_KEY : 0), 2);
    wr_bytes(&w, h->nonce, sizeof h->nonce);
    wr_bytes(&w, h->static_pubkey, sizeof h->static_pubkey);
    wr_bytes(&w, zeros, 3);
    wr_hash32(&w, &h->spki);
    wr_hash32(&w, &h->order);
    wr_be(&w, h->chain_id, 8);
    wr_be(&w, h->version, 8);
    wr_hash32(&w, &h->genesis);
    wr_bytes(&w, h->cluster, sizeof h->cluster);
    wr_bytes(&w, zeros, 3);
    wr_hash32(&w, &h->key_log);
    assert(!w.bad && w.n == MATTEST_HELLO_LEN);
}

static bool all_zero(view_t v)
{
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i])
            return false;
    return true;
}

rc_t hello_read(hello_t *out, err_t *e, const uint8_t in[MATTEST_HELLO_LEN])
{
    hello_t h = { 0 };
    rd_t r = rd_of(view_of(in, MATTEST_HELLO_LEN));
    view_t start = rd_take(&r, sizeof magic);
    unsigned role = rd_u8(&r), type = rd_u8(&r), flags = rd_u16be(&r);
    rd_copy(&r, h.nonce, sizeof h.nonce);
    rd_copy(&r, h.static_pubkey, sizeof h.static_pubkey);
    view_t gap = rd_take(&r, 3);
    h.spki = rd_hash32(&r);
    h.order = rd_hash32(&r);
    h.chain_id = rd_u64be(&r);
    h.version = rd_u64be(&r);
    h.genesis = rd_hash32(&r);
    rd_copy(&r, h.cluster, sizeof h.cluster);
    view_t second_gap = rd_take(&r, 3);
    h.key_log = rd_hash32(&r);
    if (!rd_done(&r) || !view_eq(start, view_of(magic, sizeof magic)))
        return tee_fail(e, E_HELLO, "the HELLO does not start with its magic");
    if (role != MATTEST_INITIATOR && role != MATTEST_RESPONDER)
        return tee_fail(e, E_HELLO, "the HELLO has an unknown role");
    if (!tee_is_type(type))
        return tee_fail(e, E_EVIDENCE_TYPE, "the HELLO offers an unknown evidence type");
    if (flags & ~(FLAG_WANTS_KEY | FLAG_HOLDS_KEY) || !all_zero(gap) || !all_zero(second_gap))
        return tee_fail(e, E_HELLO, "reserved parts of the HELLO are not zero");
    if (all_zero(view_of(h.nonce, sizeof h.nonce)))
        return tee_fail(e, E_HELLO, "the HELLO's nonce is zero");
    if (h.version >= MATTEST_VERSION_END)
        return tee_fail(e, E_HELLO, "the HELLO's version of an order is out of range");
    h.role = role == MATTEST_INITIATOR ? MATTEST_INITIATOR : MATTEST_RESPONDER;
    h.type = (tee_evidence_type_t)type;
    h.wants_key = flags & FLAG_WANTS_KEY;
    h.holds_key = flags & FLAG_HOLDS_KEY;
    *out = h;
    return RC_OK;
}

bool hello_is_pinned(const hello_t *h)
{
    return !all_zero(view_of(h->cluster, sizeof h->cluster));
}

static const hello_t *initiator_of(const hello_t *a, const hello_t *b)
{
    return a->role == MATTEST_INITIATOR ? a : b;
}

void hello_transcript(hash32_t *out, const hello_t *a, const hello_t *b)
{
    uint8_t both[2][MATTEST_HELLO_LEN];
    const hello_t *initiator = initiator_of(a, b);
    assert(a->role != b->role);
    hello_write(both[0], initiator);
    hello_write(both[1], initiator == a ? b : a);
    sha256(out, view_of(both, sizeof both));
}

void hello_report_data(uint8_t out[TEE_REPORT_DATA_LEN], const hello_t *attester, const hello_t *verifier,
                       const uint8_t ex[32])
{
    static const uint8_t tag[16] = "tee-mattest/v2\0";
    uint8_t m[M_LEN];
    hash32_t ht;
    wr_t w = wr_of(m, sizeof m);
    hello_transcript(&ht, attester, verifier);
    wr_bytes(&w, tag, sizeof tag);
    wr_u8(&w, (uint8_t)attester->role);
    wr_u8(&w, (uint8_t)attester->type);
    wr_bytes(&w, zeros, 2);
    wr_bytes(&w, ex, 32);
    wr_bytes(&w, verifier->nonce, sizeof verifier->nonce);
    wr_bytes(&w, attester->nonce, sizeof attester->nonce);
    wr_bytes(&w, attester->static_pubkey, sizeof attester->static_pubkey);
    wr_bytes(&w, verifier->static_pubkey, sizeof verifier->static_pubkey);
    wr_hash32(&w, &attester->spki);
    wr_hash32(&w, &verifier->spki);
    wr_hash32(&w, &ht);
    assert(!w.bad && w.n == M_LEN);
    const view_t whole = wr_view(&w);
    sha512_parts(out, &whole, 1);
}

void hello_confirm_digest(hash32_t *out, const hello_t *signer, const hello_t *other, const uint8_t ex[32])
{
    static const char tag[] = "tee-mattest-cfm1";
    const hello_t *i = initiator_of(signer, other), *r = i == signer ? other : signer;
    const uint8_t role = (uint8_t)signer->role;
    uint8_t of_i[TEE_REPORT_DATA_LEN], of_r[TEE_REPORT_DATA_LEN];
    hello_report_data(of_i, i, r, ex);
    hello_report_data(of_r, r, i, ex);
    const view_t parts[] = { view_str(tag), view_of(&role, 1), view_of(of_i, sizeof of_i), view_of(of_r, sizeof of_r),
                             view_of(ex, 32) };
    sha256_parts(out, parts, sizeof parts / sizeof parts[0]);
}
