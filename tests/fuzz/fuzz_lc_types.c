/* Light-client containers: whatever decodes is encoded to the same bytes again, by an encoder that shares nothing with
 * the decoder. The first byte chooses fork, kind and preset. */
#include <stdlib.h>

#include "lightclient/consensus/types.h"
#include "tests/fuzz/fuzz.h"

static uint8_t space[2 * LC_OBJECT_LEN_MAX];

/* Whether headers have a fixed length: before Capella, and from Gloas on. */
static bool is_fixed(const lc_header_t *h)
{
    return h->fork < LC_CAPELLA || h->fork >= LC_GLOAS;
}

static void put_header(wr_t *w, const lc_header_t *h)
{
    const lc_execution_t *e = &h->execution;
    size_t fixed = h->fork >= LC_DENEB ? 584 : 568;
    wr_u64le(w, h->beacon.slot);
    wr_u64le(w, h->beacon.proposer_index);
    wr_bytes(w, &h->beacon.parent_root, 96);
    if (h->fork < LC_CAPELLA)
        return;
    if (h->fork >= LC_GLOAS) {
        wr_hash32(w, &e->block_hash);
        wr_bytes(w, h->execution_branch, 11 * 32);
        return;
    }
    wr_u32le(w, 244);
    wr_bytes(w, h->execution_branch + 7, 128);
    wr_hash32(w, &e->parent_hash);
    wr_bytes(w, e->fee_recipient.b, 20);
    wr_hash32(w, &e->state_root);
    wr_hash32(w, &e->receipts_root);
    wr_bytes(w, e->logs_bloom, 256);
    wr_hash32(w, &e->prev_randao);
    wr_u64le(w, e->block_number);
    wr_u64le(w, e->gas_limit);
    wr_u64le(w, e->gas_used);
    wr_u64le(w, e->timestamp);
    wr_u32le(w, (uint32_t)fixed);
    wr_bytes(w, e->base_fee_per_gas.w, 32);
    wr_hash32(w, &e->block_hash);
    wr_hash32(w, &e->transactions_root);
    wr_hash32(w, &e->withdrawals_root);
    if (h->fork >= LC_DENEB) {
        wr_u64le(w, e->blob_gas_used);
        wr_u64le(w, e->excess_blob_gas);
    }
    wr_bytes(w, e->extra_data, e->extra_data_len);
}

/* A header of fixed length in its place, else its offset, to be filled by end_header. */
static size_t begin_header(wr_t *w, const lc_header_t *h)
{
    size_t at = w->n;
    if (is_fixed(h))
        put_header(w, h);
    else
        wr_u32le(w, 0);
    return at;
}

static void end_header(wr_t *w, const lc_header_t *h, size_t at)
{
    wr_t offset = wr_of(space + at, 4);
    if (is_fixed(h))
        return;
    wr_u32le(&offset, (uint32_t)w->n);
    put_header(w, h);
}

static void put_committee(wr_t *w, const lc_committee_t *c, bool present, uint32_t size)
{
    uint8_t *at = wr_grab(w, (size_t)size * 48 + 48);
    if (!at)
        abort();
    memset(at, 0, (size_t)size * 48 + 48);
    if (!present)
        return;
    memcpy(at, c->pubkeys, (size_t)size * 48);
    memcpy(at + (size_t)size * 48, &c->aggregate_pubkey, 48);
}

static void put_update(wr_t *w, const lc_update_t *u, lc_kind_t kind, uint32_t size)
{
    size_t attested = begin_header(w, &u->attested_header), finalized = 0;
    if (kind == LC_UPDATE) {
        put_committee(w, &u->next_sync_committee, u->has_committee, size);
        wr_bytes(w, u->committee_branch, u->committee_branch_len * 32u);
    }
    if (kind != LC_OPTIMISTIC) {
        finalized = begin_header(w, &u->finalized_header);
        wr_bytes(w, u->finality_branch, u->finality_branch_len * 32u);
    }
    wr_bytes(w, u->sync_aggregate.bits, size / 8);
    wr_bytes(w, u->sync_aggregate.signature, 96);
    wr_u64le(w, u->signature_slot);
    end_header(w, &u->attested_header, attested);
    if (kind != LC_OPTIMISTIC)
        end_header(w, &u->finalized_header, finalized);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static lc_update_t u;
    static lc_bootstrap_t b;
    lc_network_t net = { .preset = LC_PRESET_MINIMAL };
    if (len == 0)
        return 0;
    lc_fork_t fork = (lc_fork_t)((data[0] & 7) % LC_FORKS);
    lc_kind_t kind = (lc_kind_t)(LC_BOOTSTRAP + (data[0] >> 3 & 3));
    if (data[0] & 32)
        net.preset = LC_PRESET_MAINNET;
    view_t ssz = view_of(data + 1, len - 1);
    wr_t w = wr_of(space, sizeof space);
    if (kind == LC_BOOTSTRAP) {
        if (lc_bootstrap_decode(&b, &net, fork, ssz))
            return 0;
        size_t at = begin_header(&w, &b.header);
        put_committee(&w, &b.committee, true, net.preset.committee_size);
        wr_bytes(&w, b.committee_branch, b.committee_branch_len * 32u);
        end_header(&w, &b.header, at);
    } else {
        if (lc_update_decode(&u, &net, fork, kind, ssz))
            return 0;
        put_update(&w, &u, kind, net.preset.committee_size);
    }
    if (w.bad || !view_eq(wr_view(&w), ssz))
        abort();
    return 0;
}
