#include "base/crypto/hash.h"
#include "lightclient/consensus/types.h"
#include "lightclient/ssz/ssz.h"

#define EXECUTION_PAYLOAD_GINDEX 25u /* in BeaconBlockBody; capella/light-client/sync-protocol.md */

void lc_beacon_root(hash32_t *out, const lc_beacon_t *h)
{
    hash32_t leaves[5] = { ssz_u64_chunk(h->slot), ssz_u64_chunk(h->proposer_index), h->parent_root, h->state_root,
                           h->body_root };
    ssz_merkleize(out, leaves, 5, 3);
}

void lc_execution_root(hash32_t *out, const lc_execution_t *h, lc_fork_t fork)
{
    hash32_t leaf[17] = { { { 0 } } };
    leaf[0] = h->parent_hash;
    memcpy(leaf[1].b, h->fee_recipient.b, sizeof h->fee_recipient.b);
    leaf[2] = h->state_root;
    leaf[3] = h->receipts_root;
    ssz_bytes_root(&leaf[4], view_of(h->logs_bloom, sizeof h->logs_bloom), 3);
    leaf[5] = h->prev_randao;
    leaf[6] = ssz_u64_chunk(h->block_number);
    leaf[7] = ssz_u64_chunk(h->gas_limit);
    leaf[8] = ssz_u64_chunk(h->gas_used);
    leaf[9] = ssz_u64_chunk(h->timestamp);
    ssz_bytes_root(&leaf[10], view_of(h->extra_data, h->extra_data_len), 0);
    ssz_mix_in_length(&leaf[10], &leaf[10], h->extra_data_len);
    for (size_t i = 0; i < 4; i++)
        store_u64le(leaf[11].b + 8 * i, h->base_fee_per_gas.w[i]);
    leaf[12] = h->block_hash;
    leaf[13] = h->transactions_root;
    leaf[14] = h->withdrawals_root;
    leaf[15] = ssz_u64_chunk(h->blob_gas_used);
    leaf[16] = ssz_u64_chunk(h->excess_blob_gas);
    if (lc_layout(fork)->blob_fields)
        ssz_merkleize(out, leaf, 17, 5);
    else
        ssz_merkleize(out, leaf, 15, 4);
}

void lc_committee_root(hash32_t *out, const lc_committee_t *c, uint32_t committee_size)
{
    hash32_t leaf[LC_COMMITTEE_MAX];
    hash32_t pair[2];
    uint8_t padded[64] = { 0 }; /* a key is two chunks */
    for (size_t i = 0; i < committee_size; i++) {
        memcpy(padded, c->pubkeys[i].b, BLS_PUBKEY_LEN);
        sha256_64(&leaf[i], padded);
    }
    ssz_merkleize(&pair[0], leaf, committee_size, (unsigned)__builtin_ctz(committee_size));
    memcpy(padded, c->aggregate_pubkey.b, BLS_PUBKEY_LEN);
    sha256_64(&pair[1], padded);
    ssz_merkleize(out, pair, 2, 1);
}

static bool beacon_is_zero(const lc_beacon_t *h)
{
    return !h->slot && !h->proposer_index && hash32_is_zero(&h->parent_root) && hash32_is_zero(&h->state_root) &&
           hash32_is_zero(&h->body_root);
}

static bool execution_is_zero(const lc_execution_t *h)
{
    uint8_t any = h->extra_data_len;
    for (size_t i = 0; i < sizeof h->logs_bloom; i++)
        any |= h->logs_bloom[i];
    for (size_t i = 0; i < sizeof h->fee_recipient.b; i++)
        any |= h->fee_recipient.b[i];
    return !any &&
           !(h->block_number | h->gas_limit | h->gas_used | h->timestamp | h->blob_gas_used | h->excess_blob_gas) &&
           u256_is_zero(&h->base_fee_per_gas) && hash32_is_zero(&h->parent_hash) && hash32_is_zero(&h->state_root) &&
           hash32_is_zero(&h->receipts_root) && hash32_is_zero(&h->prev_randao) && hash32_is_zero(&h->block_hash) &&
           hash32_is_zero(&h->transactions_root) && hash32_is_zero(&h->withdrawals_root);
}

static bool no_execution(const lc_header_t *h)
{
    for (size_t i = 0; i < LC_EXECUTION_BRANCH_MAX; i++)
        if (!hash32_is_zero(&h->execution_branch[i]))
            return false;
    return execution_is_zero(&h->execution);
}

bool lc_header_is_zero(const lc_header_t *h)
{
    return beacon_is_zero(&h->beacon) && no_execution(h);
}

rc_t lc_header_verify(const lc_header_t *h, const lc_network_t *net)
{
    lc_fork_t fork = lc_fork_at_epoch(net, lc_epoch_of_slot(net, h->beacon.slot));
    const lc_layout_t *layout = lc_layout(fork);
    hash32_t root;
    if (!layout->execution_branch_len)
        return no_execution(h) ? RC_OK : RC_REFUSED;
    if (lc_header_by_hash(h))
        return lc_branch_verify(&h->beacon.body_root, &h->execution.block_hash, layout->block_hash_gindex,
                                h->execution_branch, LC_EXECUTION_BRANCH_MAX);
    if (!layout->execution_fixed_len)
        return RC_MALFORMED;
    if (!layout->blob_fields && (h->execution.blob_gas_used || h->execution.excess_blob_gas))
        return RC_REFUSED;
    lc_execution_root(&root, &h->execution, fork);
    return lc_branch_verify(&h->beacon.body_root, &root, EXECUTION_PAYLOAD_GINDEX, h->execution_branch,
                            LC_EXECUTION_BRANCH_MAX);
}

/* Beside block_hash (index 22857) stands parent_block_root, which the bid has from its block. */
bool lc_header_of_own_payload(const lc_header_t *h, const lc_network_t *net)
{
    const lc_layout_t *layout = lc_layout(lc_fork_at_epoch(net, lc_epoch_of_slot(net, h->beacon.slot)));
    return lc_header_by_hash(h) && layout->execution_branch_len && !layout->execution_fixed_len &&
           hash32_eq(&h->execution_branch[0], &h->beacon.parent_root);
}

rc_t lc_branch_verify(const hash32_t *root, const hash32_t *leaf, uint64_t gindex, const hash32_t *branch, size_t count)
{
    size_t depth = 63u - (unsigned)__builtin_clzll(gindex);
    if (count < depth)
        return RC_MALFORMED;
    for (size_t i = 0; i < count - depth; i++)
        if (!hash32_is_zero(&branch[i]))
            return RC_REFUSED;
    return ssz_branch_verify(root, leaf, gindex, branch + (count - depth), depth);
}
