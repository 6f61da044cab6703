#include "node/p2p/wg_table.h"

#include "base/crypto/curve25519.h"
#include "base/crypto/kdf.h"
#include "base/crypto/secret.h"

#define INFO "kettle-wg-psk/1"

const char *wg_verdict_text(wg_verdict_t v)
{
    switch (v) {
    case WG_WANTED: return "is a peer";
    case WG_SECOND: return "another connection of this member counts";
    case WG_ALONE: return "this node has no address by the contract's list";
    case WG_STALE: return "the contract's list is too old";
    case WG_EXPIRED: return "its attestation is too old";
    case WG_UNLISTED: return "nobody has this address by the contract's list";
    case WG_NOT_ITS_OWN: return "by the contract's list the address is another's";
    case WG_KEY_TAKEN: return "its public key is another's";
    case WG_BAD_KEY: break;
    }
    return "its public key is none";
}

static bool is_fresh(const wg_view_t *v)
{
    const uint64_t at = v->seats->block_time_s;
    return v->now_s <= at || v->now_s - at <= v->max_age_s;
}

uint8_t wg_own_index(const wg_view_t *v)
{
    for (size_t i = 0; i < v->seats->count && is_fresh(v); i++)
        if (addr_eq(&v->seats->seats[i].wallet, &v->wallet))
            return v->seats->seats[i].index;
    return 0;
}

static bool has_expired(const wg_claim_t *c, const wg_view_t *v)
{
    return c->expires_s <= 0 || v->now_s >= (uint64_t)c->expires_s;
}

/* Whether a public key agrees on something: one of small order does not, whatever the secret. */
static bool is_key(const uint8_t pubkey[WG_KEY_LEN])
{
    static const uint8_t any[X25519_LEN] = { 8 };
    uint8_t shared[X25519_LEN];
    return x25519_shared(shared, any, pubkey) == RC_OK;
}

static wg_verdict_t judge(const wg_claim_t *c, const wg_view_t *v)
{
    const wg_seat_t *seat = NULL;
    if (!c->line || !wg_own_index(v))
        return c->line && !is_fresh(v) ? WG_STALE : WG_ALONE;
    if (has_expired(c, v))
        return WG_EXPIRED;
    for (size_t i = 0; i < v->seats->count && !seat; i++)
        if (v->seats->seats[i].index == c->index)
            seat = &v->seats->seats[i];
    if (!seat)
        return WG_UNLISTED;
    if (!addr_eq(&seat->wallet, &c->wallet) || addr_eq(&c->wallet, &v->wallet))
        return WG_NOT_ITS_OWN;
    if (!is_key(c->pubkey))
        return WG_BAD_KEY;
    return memcmp(c->pubkey, v->pubkey, WG_KEY_LEN) ? WG_WANTED : WG_KEY_TAKEN;
}

/* Whether another member said this public key first. */
static bool is_anothers_key(const wg_claim_t *claims, const wg_verdict_t *verdicts, size_t n, size_t at)
{
    for (size_t i = 0; i < n; i++)
        if (verdicts[i] == WG_WANTED && claims[i].index != claims[at].index && claims[i].line < claims[at].line &&
            memcmp(claims[i].pubkey, claims[at].pubkey, WG_KEY_LEN) == 0)
            return true;
    return false;
}

/* Of a member's connections those count that have the public key it said last: it is another one after a restart. Of
 * them both ends take the one with the smallest EX, which both know. */
static bool is_second(const wg_claim_t *claims, const wg_verdict_t *verdicts, size_t n, size_t at)
{
    size_t last = at;
    for (size_t i = 0; i < n; i++)
        if (verdicts[i] == WG_WANTED && claims[i].index == claims[at].index && claims[i].line > claims[last].line)
            last = i;
    for (size_t i = 0; i < n; i++) {
        const bool counts = verdicts[i] == WG_WANTED && claims[i].index == claims[at].index &&
                            memcmp(claims[i].pubkey, claims[last].pubkey, WG_KEY_LEN) == 0;
        const int order = memcmp(claims[i].channel, claims[at].channel, sizeof claims[at].channel);
        if (i != at && counts && (order < 0 || (order == 0 && i < at)))
            return true;
    }
    return memcmp(claims[last].pubkey, claims[at].pubkey, WG_KEY_LEN) != 0;
}

static void put(wg_table_t *t, const wg_claim_t *c, const wg_view_t *v)
{
    size_t at = t->count;
    while (at && t->peers[at - 1].index > c->index)
        at--;
    memmove(&t->peers[at + 1], &t->peers[at], (t->count - at) * sizeof t->peers[0]);
    wg_peer_t *p = &t->peers[at];
    *p = (wg_peer_t){ .endpoint = c->endpoint, .index = c->index };
    memcpy(p->pubkey, c->pubkey, WG_KEY_LEN);
    wg_preshared(p->preshared, c->channel, c->pubkey, v->pubkey);
    t->count++;
}

void wg_wanted(wg_table_t *out, wg_verdict_t *verdicts, const wg_claim_t *claims, size_t n, const wg_view_t *v)
{
    bool taken[WG_CLAIMS_MAX] = { false };
    out->count = 0;
    n = n < WG_CLAIMS_MAX ? n : WG_CLAIMS_MAX;
    for (size_t i = 0; i < n; i++)
        verdicts[i] = judge(&claims[i], v);
    for (size_t i = 0; i < n; i++)
        taken[i] = verdicts[i] == WG_WANTED && is_anothers_key(claims, verdicts, n, i);
    for (size_t i = 0; i < n; i++)
        verdicts[i] = taken[i] ? WG_KEY_TAKEN : verdicts[i];
    for (size_t i = 0; i < n; i++)
        taken[i] = verdicts[i] == WG_WANTED && is_second(claims, verdicts, n, i);
    for (size_t i = 0; i < n; i++) {
        verdicts[i] = taken[i] ? WG_SECOND : verdicts[i];
        if (verdicts[i] == WG_WANTED)
            put(out, &claims[i], v);
    }
}

void wg_preshared(uint8_t out[WG_KEY_LEN], const uint8_t channel[32], const uint8_t a[WG_KEY_LEN],
                  const uint8_t b[WG_KEY_LEN])
{
    const bool a_first = memcmp(a, b, WG_KEY_LEN) < 0;
    uint8_t prk[HKDF_PRK_LEN], info[sizeof INFO - 1 + 2 * WG_KEY_LEN];
    wr_t w = wr_of(info, sizeof info);
    wr_bytes(&w, INFO, sizeof INFO - 1);
    wr_bytes(&w, a_first ? a : b, WG_KEY_LEN);
    wr_bytes(&w, a_first ? b : a, WG_KEY_LEN);
    hkdf_extract(prk, view_of(NULL, 0), view_of(channel, 32));
    (void)!hkdf_expand(out, WG_KEY_LEN, prk, wr_view(&w)); /* 32 bytes are within its limit */
    secret_wipe(prk, sizeof prk);
}

/* ---- from what is there to what is wanted ---- */

static const wg_peer_t *find(const wg_table_t *t, const uint8_t pubkey[WG_KEY_LEN])
{
    for (size_t i = 0; i < t->count; i++)
        if (memcmp(t->peers[i].pubkey, pubkey, WG_KEY_LEN) == 0)
            return &t->peers[i];
    return NULL;
}

/* Whether it is the same peer, wherever it is reached. */
static bool is_same(const wg_peer_t *a, const wg_peer_t *b)
{
    return a && b && a->index == b->index && secret_eq(a->preshared, b->preshared, WG_KEY_LEN);
}

static bool is_elsewhere(const wg_peer_t *want, const wg_peer_t *have)
{
    const wg_endpoint_t *w = &want->endpoint, *h = &have->endpoint;
    return w->n && (w->n != h->n || w->port != h->port || memcmp(w->ip, h->ip, w->n) != 0);
}

size_t wg_diff(wg_op_t out[WG_OPS_MAX], const wg_table_t *have, const wg_table_t *want)
{
    size_t n = 0;
    for (size_t i = 0; i < have->count; i++)
        if (!is_same(&have->peers[i], find(want, have->peers[i].pubkey)))
            out[n++] = (wg_op_t){ WG_REMOVE, have->peers[i] };
    for (size_t i = 0; i < want->count; i++) {
        const wg_peer_t *had = find(have, want->peers[i].pubkey);
        if (!is_same(had, &want->peers[i]))
            out[n++] = (wg_op_t){ WG_ADD, want->peers[i] };
        else if (is_elsewhere(&want->peers[i], had))
            out[n++] = (wg_op_t){ WG_MOVE, want->peers[i] };
    }
    return n;
}
