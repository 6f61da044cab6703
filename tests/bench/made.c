#include "tests/bench/made.h"

#include "base/crypto/hash.h"
#include "lightclient/bls/bls.h"

#define EXECUTION_GINDEX 25u
#define EXECUTION_OFFSET 244u /* beacon 112, offset 4, branch of 4 */

static const char DST[] = "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";

/* The root of a tree in which leaf sits at gindex and every sibling is zero, as the branches below are. */
static hash32_t root_over(const hash32_t *leaf, uint64_t gindex)
{
    hash32_t node = *leaf;
    for (; gindex > 1; gindex /= 2) {
        uint8_t pair[64] = { 0 };
        memcpy(pair + (gindex % 2 ? 32 : 0), node.b, 32);
        sha256_64(&node, pair);
    }
    return node;
}

static unsigned depth_of(uint64_t gindex)
{
    return 63u - (unsigned)__builtin_clzll(gindex);
}

static void zeros(wr_t *w, size_t n)
{
    uint8_t *at = wr_grab(w, n);
    if (at)
        memset(at, 0, n);
}

/* A header with an empty execution header of that block number. */
static lc_header_t header_at(uint64_t slot, const hash32_t *state_root)
{
    lc_header_t h = { .fork = LC_FULU, .beacon = { .slot = slot, .state_root = *state_root } };
    hash32_t root;
    h.execution.block_number = slot;
    lc_execution_root(&root, &h.execution, LC_FULU);
    h.beacon.body_root = root_over(&root, EXECUTION_GINDEX);
    return h;
}

static void put_header(wr_t *w, const lc_header_t *h)
{
    wr_u64le(w, h->beacon.slot);
    wr_u64le(w, h->beacon.proposer_index);
    wr_hash32(w, &h->beacon.parent_root);
    wr_hash32(w, &h->beacon.state_root);
    wr_hash32(w, &h->beacon.body_root);
    wr_u32le(w, EXECUTION_OFFSET);
    zeros(w, lc_layout(LC_FULU)->execution_branch_len * 32u);
    zeros(w, 32 + 20 + 32 + 32 + 256 + 32); /* parent_hash to prev_randao */
    wr_u64le(w, h->execution.block_number);
    zeros(w, 8 + 8 + 8); /* gas_limit, gas_used, timestamp */
    wr_u32le(w, lc_layout(LC_FULU)->execution_fixed_len);
    zeros(w, 32 + 32 + 32 + 32 + 8 + 8); /* base_fee_per_gas to excess_blob_gas; no extra_data */
}

static void make_keys(made_chain_t *c)
{
    blst_scalar sum = { { 0 } };
    blst_p1 pk;
    for (uint32_t i = 0; i < MADE_MEMBERS; i++) {
        uint8_t seed[32] = { 0 };
        memcpy(seed, &i, sizeof i);
        blst_keygen(&c->secrets[i], seed, sizeof seed, NULL, 0);
        blst_sk_to_pk_in_g1(&pk, &c->secrets[i]);
        blst_p1_compress(c->committee.pubkeys[i].b, &pk);
        blst_sk_add_n_check(&sum, &sum, &c->secrets[i]);
    }
    blst_sk_to_pk_in_g1(&pk, &sum);
    blst_p1_compress(c->committee.aggregate_pubkey.b, &pk);
}

void made_chain(made_chain_t *c, made_object_t *bootstrap)
{
    uint64_t gindex = lc_layout(LC_FULU)->current_committee_gindex;
    hash32_t root;
    memset(c, 0, sizeof *c);
    c->network = *lc_network_find("mainnet");
    memset(c->network.fork_epoch, 0, sizeof c->network.fork_epoch);
    c->network.fork_epoch[LC_GLOAS] = LC_EPOCH_NEVER;
    make_keys(c);
    c->slot = 8192 * 100;
    lc_committee_root(&root, &c->committee, MADE_MEMBERS);
    root = root_over(&root, gindex);
    lc_header_t h = header_at(c->slot, &root);
    lc_beacon_root(&c->checkpoint, &h.beacon);
    wr_t w = wr_of(bootstrap->ssz, sizeof bootstrap->ssz);
    wr_u32le(&w, 4 + (MADE_MEMBERS + 1) * BLS_PUBKEY_LEN + depth_of(gindex) * 32);
    wr_bytes(&w, c->committee.pubkeys, sizeof c->committee.pubkeys);
    wr_bytes(&w, c->committee.aggregate_pubkey.b, BLS_PUBKEY_LEN);
    zeros(&w, depth_of(gindex) * 32);
    put_header(&w, &h);
    bootstrap->len = w.bad ? 0 : w.n;
}

void made_optimistic(made_object_t *out, const made_chain_t *c, uint64_t n, unsigned absent)
{
    static const hash32_t no_state;
    uint8_t bits[MADE_MEMBERS / 8] = { 0 }, sig[BLS_SIG_LEN];
    uint64_t signature_slot = c->slot + n + 1;
    lc_header_t h = header_at(c->slot + n, &no_state);
    hash32_t root, signing_root;
    blst_scalar sum = { { 0 } };
    blst_p2 point;
    for (unsigned i = absent; i < MADE_MEMBERS; i++) {
        bits[i / 8] |= (uint8_t)(1u << i % 8);
        blst_sk_add_n_check(&sum, &sum, &c->secrets[i]);
    }
    lc_beacon_root(&root, &h.beacon);
    lc_signing_root(&signing_root, &c->network, &root, signature_slot);
    blst_hash_to_g2(&point, signing_root.b, 32, (const uint8_t *)DST, sizeof DST - 1, NULL, 0);
    blst_sign_pk_in_g1(&point, &point, &sum);
    blst_p2_compress(sig, &point);
    wr_t w = wr_of(out->ssz, sizeof out->ssz);
    wr_u32le(&w, 4 + sizeof bits + BLS_SIG_LEN + 8);
    wr_bytes(&w, bits, sizeof bits);
    wr_bytes(&w, sig, sizeof sig);
    wr_u64le(&w, signature_slot);
    put_header(&w, &h);
    out->len = w.bad ? 0 : w.n;
}

uint64_t made_now_ms(const made_chain_t *c, uint64_t n)
{
    return lc_slot_start_ms(&c->network, c->slot + n + 1);
}
