#include "rpc/members/writes.h"

#include <stdio.h>

#include "base/crypto/hash.h"
#include "lightclient/rlp/rlp.h"

#define WORD 32u
#define CALLDATA_MAX 1024u
#define RAW_EXTRA 256u /* all of a transaction but its data */
#define TYPE_1559 0x02

static const struct {
    const char *name;
    uint32_t selector;
    uint64_t gas;
} steps[] = {
    [MEMBERS_REGISTER_INSTANCE] = { "registerInstance", 0x65d0ebe4, 300000 },
    [MEMBERS_BIND] = { "bindInstance", 0x72a2307d, 120000 },
    [MEMBERS_REGISTER_PEER] = { "registerPeer", 0xacbfcf04, 110000 },
    [MEMBERS_HEARTBEAT] = { "updateHeartbeat", 0x66e61567, 45000 },
};

const char *members_step_name(members_step_t step)
{
    return steps[step].name;
}

uint64_t members_step_gas(members_step_t step)
{
    return steps[step].gas;
}

/* ---- calldata ---- */

static void put_zeros(wr_t *w, size_t n)
{
    static const uint8_t zeros[WORD];
    wr_bytes(w, zeros, n);
}

static void put_word(wr_t *w, uint64_t x)
{
    put_zeros(w, WORD - 8);
    wr_be(w, x, 8);
}

static size_t padded(size_t n)
{
    return (n + WORD - 1) / WORD * WORD;
}

/* Length, bytes, zeros up to a whole word. */
static void put_bytes(wr_t *w, view_t bytes)
{
    put_word(w, bytes.n);
    wr_bytes(w, bytes.p, bytes.n);
    put_zeros(w, padded(bytes.n) - bytes.n);
}

static view_t done(arena_t *a, const wr_t *w)
{
    return w->bad ? view_of(NULL, 0) : arena_dup(a, wr_view(w));
}

view_t members_getter(arena_t *a, uint32_t selector)
{
    uint8_t buf[4];
    wr_t w = wr_of(buf, sizeof buf);
    wr_be(&w, selector, 4);
    return done(a, &w);
}

view_t members_getter_of(arena_t *a, uint32_t selector, const addr_t *addr)
{
    uint8_t buf[4 + WORD];
    wr_t w = wr_of(buf, sizeof buf);
    wr_be(&w, selector, 4);
    put_zeros(&w, WORD - sizeof addr->b);
    wr_bytes(&w, addr->b, sizeof addr->b);
    return done(a, &w);
}

view_t members_getter_named(arena_t *a, uint32_t selector, view_t text)
{
    uint8_t buf[CALLDATA_MAX];
    wr_t w = wr_of(buf, sizeof buf);
    wr_be(&w, selector, 4);
    put_word(&w, WORD);
    put_bytes(&w, text);
    return done(a, &w);
}

static view_t bind_data(arena_t *a, view_t id, const members_chain_t *c)
{
    uint8_t buf[CALLDATA_MAX];
    const view_t parts[] = { id, view_of(c->derived_xy, sizeof c->derived_xy), view_of(c->app_xy, sizeof c->app_xy),
                             view_of(c->app_sig, sizeof c->app_sig), view_of(c->kms_sig, sizeof c->kms_sig) };
    const size_t count = sizeof parts / sizeof parts[0];
    size_t at = (count + 1) * WORD;
    wr_t w = wr_of(buf, sizeof buf);
    wr_be(&w, steps[MEMBERS_BIND].selector, 4);
    for (size_t i = 0; i < count; i++) {
        put_word(&w, at);
        at += WORD + padded(parts[i].n);
    }
    wr_bytes(&w, c->app_id, sizeof c->app_id);
    put_zeros(&w, WORD - sizeof c->app_id);
    for (size_t i = 0; i < count; i++)
        put_bytes(&w, parts[i]);
    return done(a, &w);
}

static bool is_id(view_t id)
{
    for (size_t i = 0; i < id.n; i++)
        if (!(id.p[i] >= '0' && id.p[i] <= '9') && !(id.p[i] >= 'a' && id.p[i] <= 'z'))
            return false;
    return id.n > 0 && id.n <= MEMBERS_ID_MAX;
}

rc_t members_calldata(view_t out[MEMBERS_STEPS], err_t *e, arena_t *a, view_t instance_id, const members_chain_t *chain)
{
    if (!is_id(instance_id))
        return err_set(e, RC_MALFORMED, "the instance's id is not 1 to %u digits and lower-case letters",
                       MEMBERS_ID_MAX);
    out[MEMBERS_REGISTER_INSTANCE] = members_getter_named(a, steps[MEMBERS_REGISTER_INSTANCE].selector, instance_id);
    out[MEMBERS_BIND] = bind_data(a, instance_id, chain);
    out[MEMBERS_REGISTER_PEER] = members_getter(a, steps[MEMBERS_REGISTER_PEER].selector);
    out[MEMBERS_HEARTBEAT] = members_getter(a, steps[MEMBERS_HEARTBEAT].selector);
    for (size_t i = 0; i < MEMBERS_STEPS; i++)
        if (!out[i].p)
            return err_say(e, RC_NOMEM, "out of memory");
    return RC_OK;
}

/* ---- transactions ---- */

static void put_fields(wr_t *w, const members_tx_t *tx)
{
    rlp_put_u64(w, tx->chain_id);
    rlp_put_u64(w, tx->nonce);
    rlp_put_u64(w, tx->tip);
    rlp_put_u64(w, tx->max_fee);
    rlp_put_u64(w, tx->gas);
    rlp_put_bytes(w, view_of(tx->to.b, sizeof tx->to.b));
    rlp_put_u64(w, 0); /* value */
    rlp_put_bytes(w, tx->data);
    rlp_put_list_prefix(w, 0); /* no access list */
}

/* The transaction, with a signature or, to be signed, without. */
static void put_tx(wr_t *w, const members_tx_t *tx, const uint8_t *sig)
{
    wr_u8(w, TYPE_1559);
    const size_t began = w->n;
    put_fields(w, tx);
    if (sig) {
        const u256_t r = u256_from_be32(sig), s = u256_from_be32(sig + 32);
        rlp_put_u64(w, sig[64] - 27u);
        rlp_put_u256(w, &r);
        rlp_put_u256(w, &s);
    }
    rlp_wrap_list(w, began);
}

rc_t members_sign(view_t *raw, hash32_t *hash, arena_t *a, const members_tx_t *tx,
                  rc_t (*sign)(void *ctx, uint8_t out[ECDSA_SIG65_LEN], const hash32_t *digest), void *ctx)
{
    const size_t cap = tx->data.n + RAW_EXTRA;
    uint8_t sig[ECDSA_SIG65_LEN], *buf = arena_alloc(a, cap);
    hash32_t digest;
    if (!buf)
        return RC_NOMEM;
    wr_t w = wr_of(buf, cap);
    put_tx(&w, tx, NULL);
    keccak256(&digest, wr_view(&w));
    const rc_t rc = sign(ctx, sig, &digest);
    if (rc)
        return rc;
    w = wr_of(buf, cap);
    put_tx(&w, tx, sig);
    if (w.bad)
        return RC_BUG;
    *raw = wr_view(&w);
    keccak256(hash, *raw);
    return RC_OK;
}

/* ---- errors ---- */

static const struct {
    uint32_t selector;
    const char *text;
} errors[] = {
    { 0xd7e28573, "NoToken" },
    { 0x626abbfc, "InstanceTaken: the instance is another token's" },
    { 0xf6e17d95, "TokenInUse: the token has another instance" },
    { 0x9c0b8fbf, "NotYourInstance" },
    { 0x179435b3, "NotBound" },
    { 0xaba47339, "NotRegistered" },
    { 0x81eca93e, "ClusterFull: as many instances as may be are active" },
    { 0x211c9a9b, "NoAddressFree" },
    { 0x43b91475, "WrongSender" },
    { 0xfb42b060, "AppNotAllowed: the owner has not allowed keys of this app (setAppAllowed)" },
    { 0x44b3206e, "Malformed" },
    { 0x7d1490e0, "DomainNotAllowed: the owner has set no gateway (setGateway)" },
    { 0x08c379a0, "it says so in words" },
};

const char *members_revert(char *out, size_t cap, view_t output)
{
    rd_t r = rd_of(output);
    const uint32_t selector = rd_u32be(&r);
    snprintf(out, cap, r.bad ? "without a reason" : "error 0x%08x", (unsigned)selector);
    for (size_t i = 0; !r.bad && i < sizeof errors / sizeof errors[0]; i++)
        if (errors[i].selector == selector)
            snprintf(out, cap, "%s", errors[i].text);
    return out;
}
