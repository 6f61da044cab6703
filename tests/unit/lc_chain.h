/* lc_chain.h - light-client objects of a made-up beacon chain, signed by committees whose keys are known here, so that tests can
 * prove any execution block to a light client. The chain is of Fulu, or of Gloas where its network has that from the first epoch
 * on: then its headers prove the hash of an execution block alone. */
#ifndef TESTS_LC_CHAIN_H
#define TESTS_LC_CHAIN_H

#include <blst.h>
#include <stdlib.h>

#include "lightclient/consensus/types.h"
#include "lightclient/exec/header.h"
#include "lightclient/ssz/ssz.h"

#define LCC_SIZE 8u /* members of a committee; all of one have the same key */
#define LCC_EXECUTION_FIXED 584u
#define LCC_OBJECT_MAX 4096u
#define LCC_FINALIZED_GINDEX 169u
#define LCC_CURRENT_GINDEX 86u
#define LCC_NEXT_GINDEX 87u
#define LCC_PAYLOAD_GINDEX 25u
#define LCC_GLOAS_FINALIZED_GINDEX 735u
#define LCC_GLOAS_CURRENT_GINDEX 2945u
#define LCC_GLOAS_NEXT_GINDEX 2946u
#define LCC_GLOAS_HASH_GINDEX 2856u
#define LCC_MUST(x) ((x) ? (void)0 : abort())

/* A beacon block, and what its state says. */
typedef struct {
    lc_header_t header;
    hash32_t root;
    hash32_t finalized;     /* root of the block that its state has as final; zero: none */
    hash32_t current, next; /* roots of its committees */
} lcc_block_t;

static inline lc_network_t lcc_network(uint64_t chain_id)
{
    lc_network_t net = { .name = "made-up",
                         .preset = { .slots_per_epoch = 8, .epochs_per_period = 8, .committee_size = LCC_SIZE },
                         .seconds_per_slot = 12,
                         .genesis_time = 1700000000,
                         .genesis_validators_root = { { 0x77 } },
                         .chain_id = chain_id,
                         .min_withdrawability_delay = 256 };
    for (size_t f = 0; f < LC_FORKS; f++)
        net.fork_version[f][0] = (uint8_t)(f + 1);
    net.fork_epoch[LC_GLOAS] = LC_EPOCH_NEVER;
    return net;
}

/* ---- committees ---- */

static inline void lcc_secret(blst_scalar *out, uint64_t period)
{
    uint8_t be[32] = { 0 };
    be[31] = (uint8_t)(3 + period);
    blst_scalar_from_bendian(out, be);
}

static inline lc_committee_t lcc_committee(uint64_t period)
{
    static lc_committee_t c;
    blst_scalar secret;
    blst_p1 key, sum;
    lcc_secret(&secret, period);
    blst_sk_to_pk_in_g1(&key, &secret);
    for (size_t i = 0; i < LCC_SIZE; i++)
        blst_p1_compress(c.pubkeys[i].b, &key);
    blst_p1_mult(&sum, &key, (const uint8_t[]){ LCC_SIZE }, 8);
    blst_p1_compress(c.aggregate_pubkey.b, &sum);
    return c;
}

static inline hash32_t lcc_committee_root(uint64_t period)
{
    const lc_committee_t c = lcc_committee(period);
    hash32_t root;
    lc_committee_root(&root, &c, LCC_SIZE);
    return root;
}

/* The aggregate of so many members of the committee of a slot. */
static inline void lcc_sign(uint8_t out[BLS_SIG_LEN], const lc_network_t *net, const hash32_t *root, uint64_t slot,
                            unsigned members)
{
    static const uint8_t dst[] = "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";
    blst_scalar secret;
    blst_p2 point, one, all;
    hash32_t message;
    lc_signing_root(&message, net, root, slot);
    lcc_secret(&secret, lc_period_of_slot(net, slot));
    blst_hash_to_g2(&point, message.b, sizeof message.b, dst, sizeof dst - 1, NULL, 0);
    blst_sign_pk_in_g1(&one, &point, &secret);
    blst_p2_mult(&all, &one, (const uint8_t[]){ (uint8_t)members }, 8);
    blst_p2_compress(out, &all);
}

/* ---- trees ---- */

/* A leaf of a tree that is zero but for some. */
typedef struct {
    uint64_t gindex;
    hash32_t root;
} lcc_leaf_t;

static inline bool lcc_is_below(uint64_t gindex, uint64_t top)
{
    while (gindex > top)
        gindex >>= 1;
    return gindex == top;
}

static inline hash32_t lcc_node(const lcc_leaf_t *leaves, size_t count, uint64_t gindex)
{
    hash32_t out = { { 0 } };
    bool below = false;
    for (size_t i = 0; i < count; i++) {
        if (leaves[i].gindex == gindex)
            return leaves[i].root;
        below |= lcc_is_below(leaves[i].gindex, gindex);
    }
    if (!below)
        return out;
    uint8_t both[64];
    const hash32_t left = lcc_node(leaves, count, 2 * gindex), right = lcc_node(leaves, count, 2 * gindex + 1);
    memcpy(both, left.b, 32);
    memcpy(both + 32, right.b, 32);
    bls_sha256(&out, view_of(both, sizeof both));
    return out;
}

static inline void lcc_put_branch(wr_t *w, const lcc_leaf_t *leaves, size_t count, uint64_t gindex)
{
    for (; gindex > 1; gindex >>= 1) {
        const hash32_t sibling = lcc_node(leaves, count, gindex ^ 1);
        wr_bytes(w, sibling.b, sizeof sibling.b);
    }
}

static inline bool lcc_is_gloas(const lc_network_t *net)
{
    return net->fork_epoch[LC_GLOAS] == 0;
}

/* What a state has, for its root and branches: current and next committee, finalized. */
static inline size_t lcc_state(lcc_leaf_t out[3], const lc_network_t *net, const lcc_block_t *b)
{
    const bool gloas = lcc_is_gloas(net);
    out[0] = (lcc_leaf_t){ gloas ? LCC_GLOAS_CURRENT_GINDEX : LCC_CURRENT_GINDEX, b->current };
    out[1] = (lcc_leaf_t){ gloas ? LCC_GLOAS_NEXT_GINDEX : LCC_NEXT_GINDEX, b->next };
    /* Checkpoint: epoch and root; the root is its right half. */
    out[2] = (lcc_leaf_t){ gloas ? LCC_GLOAS_FINALIZED_GINDEX : LCC_FINALIZED_GINDEX, b->finalized };
    return 3;
}

/* What a body has of its execution block. */
static inline lcc_leaf_t lcc_body(const lc_network_t *net, const lc_execution_t *x)
{
    lcc_leaf_t body = { LCC_GLOAS_HASH_GINDEX, x->block_hash };
    if (lcc_is_gloas(net))
        return body;
    body.gindex = LCC_PAYLOAD_GINDEX;
    lc_execution_root(&body.root, x, LC_FULU);
    return body;
}

/* A beacon block of a slot with an execution block. final: the one that its state has as final; NULL: none. */
static inline lcc_block_t lcc_block(const lc_network_t *net, uint64_t slot, const ex_header_t *x,
                                    const lcc_block_t *final)
{
    lcc_block_t b;
    lcc_leaf_t state[3], body;
    memset(&b, 0, sizeof b);
    lc_execution_t *p = &b.header.execution;
    b.header.fork = lcc_is_gloas(net) ? LC_GLOAS : LC_FULU;
    b.header.beacon.slot = slot;
    p->parent_hash = x->parent_hash;
    p->fee_recipient = x->coinbase;
    p->state_root = x->state_root;
    p->receipts_root = x->receipts_root;
    memcpy(p->logs_bloom, x->logs_bloom, sizeof p->logs_bloom);
    p->prev_randao = x->mix_hash;
    p->block_number = x->number;
    p->gas_limit = x->gas_limit;
    p->gas_used = x->gas_used;
    p->timestamp = x->timestamp;
    p->base_fee_per_gas = x->base_fee;
    ex_header_hash(&p->block_hash, x);
    body = lcc_body(net, p);
    b.header.beacon.body_root = lcc_node(&body, 1, 1);
    b.current = lcc_committee_root(lc_period_of_slot(net, slot));
    b.next = lcc_committee_root(lc_period_of_slot(net, slot) + 1);
    if (final)
        b.finalized = final->root;
    b.header.beacon.state_root = lcc_node(state, lcc_state(state, net, &b), 1);
    lc_beacon_root(&b.root, &b.header.beacon);
    return b;
}

/* ---- objects: fork digest and SSZ ---- */

static inline void lcc_put_header(wr_t *w, const lc_network_t *net, const lcc_block_t *b)
{
    const lc_beacon_t *h = &b->header.beacon;
    const lc_execution_t *x = &b->header.execution;
    const lcc_leaf_t body = lcc_body(net, x);
    uint8_t fee[32];
    wr_u64le(w, h->slot);
    wr_u64le(w, h->proposer_index);
    wr_bytes(w, h->parent_root.b, 32);
    wr_bytes(w, h->state_root.b, 32);
    wr_bytes(w, h->body_root.b, 32);
    if (lcc_is_gloas(net)) {
        wr_bytes(w, x->block_hash.b, 32);
        lcc_put_branch(w, &body, 1, body.gindex);
        return;
    }
    wr_u32le(w, 112 + 4 + 4 * 32);
    lcc_put_branch(w, &body, 1, body.gindex);
    wr_bytes(w, x->parent_hash.b, 32);
    wr_bytes(w, x->fee_recipient.b, 20);
    wr_bytes(w, x->state_root.b, 32);
    wr_bytes(w, x->receipts_root.b, 32);
    wr_bytes(w, x->logs_bloom, 256);
    wr_bytes(w, x->prev_randao.b, 32);
    wr_u64le(w, x->block_number);
    wr_u64le(w, x->gas_limit);
    wr_u64le(w, x->gas_used);
    wr_u64le(w, x->timestamp);
    wr_u32le(w, LCC_EXECUTION_FIXED);
    u256_to_be32(fee, &x->base_fee_per_gas);
    for (size_t i = 32; i-- > 0;)
        wr_bytes(w, fee + i, 1);
    wr_bytes(w, x->block_hash.b, 32);
    wr_bytes(w, x->transactions_root.b, 32);
    wr_bytes(w, x->withdrawals_root.b, 32);
    wr_u64le(w, x->blob_gas_used);
    wr_u64le(w, x->excess_blob_gas);
}

#define LCC_HEADER_LEN (112u + 4u + 4u * 32u + LCC_EXECUTION_FIXED)

static inline void lcc_put_committee(wr_t *w, uint64_t period)
{
    const lc_committee_t c = lcc_committee(period);
    for (size_t i = 0; i < LCC_SIZE; i++)
        wr_bytes(w, c.pubkeys[i].b, sizeof c.pubkeys[i].b);
    wr_bytes(w, c.aggregate_pubkey.b, sizeof c.aggregate_pubkey.b);
}

static inline void lcc_put_aggregate(wr_t *w, const lc_network_t *net, const lcc_block_t *b, unsigned members)
{
    const uint64_t slot = b->header.beacon.slot + 1;
    const uint8_t bits = (uint8_t)((1u << members) - 1);
    uint8_t sig[BLS_SIG_LEN];
    lcc_sign(sig, net, &b->root, slot, members);
    wr_bytes(w, &bits, 1);
    wr_bytes(w, sig, sizeof sig);
    wr_u64le(w, slot);
}

static inline wr_t lcc_begin(arena_t *a, const lc_network_t *net)
{
    uint8_t digest[4];
    wr_t w = wr_of(arena_alloc(a, LCC_OBJECT_MAX), LCC_OBJECT_MAX);
    lc_fork_digest(digest, net, 0);
    wr_bytes(&w, digest, sizeof digest);
    return w;
}

/* A header in its place, or its offset: at is where it will stand, and moves on. */
static inline void lcc_place_header(wr_t *w, const lc_network_t *net, const lcc_block_t *b, uint32_t *at)
{
    if (lcc_is_gloas(net))
        lcc_put_header(w, net, b);
    else
        wr_u32le(w, *at);
    *at += LCC_HEADER_LEN;
}

static inline view_t lcc_bootstrap(arena_t *a, const lc_network_t *net, const lcc_block_t *b)
{
    wr_t w = lcc_begin(a, net);
    lcc_leaf_t state[3];
    const size_t count = lcc_state(state, net, b);
    uint32_t at = 4 + (LCC_SIZE + 1) * 48 + 6 * 32;
    lcc_place_header(&w, net, b, &at);
    lcc_put_committee(&w, lc_period_of_slot(net, b->header.beacon.slot));
    lcc_put_branch(&w, state, count, state[0].gindex);
    if (!lcc_is_gloas(net))
        lcc_put_header(&w, net, b);
    LCC_MUST(!w.bad);
    return wr_view(&w);
}

/* An update of a kind, signed by so many in the next slot. */
static inline view_t lcc_update(arena_t *a, const lc_network_t *net, lc_kind_t kind, const lcc_block_t *attested,
                                const lcc_block_t *final, unsigned members)
{
    wr_t w = lcc_begin(a, net);
    lcc_leaf_t state[3];
    const size_t count = lcc_state(state, net, attested);
    const bool has_committee = kind == LC_UPDATE, has_finality = kind != LC_OPTIMISTIC;
    uint32_t at = 4 + 1 + BLS_SIG_LEN + 8;
    at += has_committee ? (LCC_SIZE + 1) * 48 + 6 * 32 : 0;
    at += has_finality ? 4 + 7 * 32 : 0;
    lcc_place_header(&w, net, attested, &at);
    if (has_committee) {
        lcc_put_committee(&w, lc_period_of_slot(net, attested->header.beacon.slot) + 1);
        lcc_put_branch(&w, state, count, state[1].gindex);
    }
    if (has_finality) {
        lcc_place_header(&w, net, final, &at);
        lcc_put_branch(&w, state, count, state[2].gindex);
    }
    lcc_put_aggregate(&w, net, attested, members);
    if (!lcc_is_gloas(net))
        lcc_put_header(&w, net, attested);
    if (!lcc_is_gloas(net) && has_finality)
        lcc_put_header(&w, net, final);
    LCC_MUST(!w.bad);
    return wr_view(&w);
}

#endif
