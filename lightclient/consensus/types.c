#include "lightclient/consensus/types.h"

#define BEACON_LEN 112u /* bytes of BeaconBlockHeader */

static bool all_zero(const void *p, size_t n)
{
    const uint8_t *b = p;
    uint8_t any = 0;
    for (size_t i = 0; i < n; i++)
        any |= b[i];
    return !any;
}

static unsigned branch_len(uint64_t gindex)
{
    return 63u - (unsigned)__builtin_clzll(gindex);
}

static void take_beacon(lc_beacon_t *out, rd_t *r)
{
    out->slot = rd_u64le(r);
    out->proposer_index = rd_u64le(r);
    out->parent_root = rd_hash32(r);
    out->state_root = rd_hash32(r);
    out->body_root = rd_hash32(r);
}

static bool decode_execution(lc_execution_t *out, const lc_layout_t *layout, view_t ssz)
{
    rd_t r = rd_of(ssz);
    out->parent_hash = rd_hash32(&r);
    rd_copy(&r, out->fee_recipient.b, sizeof out->fee_recipient.b);
    out->state_root = rd_hash32(&r);
    out->receipts_root = rd_hash32(&r);
    rd_copy(&r, out->logs_bloom, sizeof out->logs_bloom);
    out->prev_randao = rd_hash32(&r);
    out->block_number = rd_u64le(&r);
    out->gas_limit = rd_u64le(&r);
    out->gas_used = rd_u64le(&r);
    out->timestamp = rd_u64le(&r);
    uint32_t extra_at = rd_u32le(&r);
    for (size_t i = 0; i < 4; i++)
        out->base_fee_per_gas.w[i] = rd_u64le(&r);
    out->block_hash = rd_hash32(&r);
    out->transactions_root = rd_hash32(&r);
    out->withdrawals_root = rd_hash32(&r);
    if (layout->blob_fields) {
        out->blob_gas_used = rd_u64le(&r);
        out->excess_blob_gas = rd_u64le(&r);
    }
    if (r.bad || extra_at != layout->execution_fixed_len || r.n > LC_EXTRA_DATA_MAX)
        return false;
    out->extra_data_len = (uint8_t)r.n;
    rd_copy(&r, out->extra_data, r.n);
    return rd_done(&r);
}

/* A LightClientHeader that fills ssz. */
static bool decode_header(lc_header_t *out, lc_fork_t fork, view_t ssz)
{
    const lc_layout_t *layout = lc_layout(fork);
    rd_t r = rd_of(ssz);
    memset(out, 0, sizeof *out);
    out->fork = fork;
    take_beacon(&out->beacon, &r);
    hash32_t *branch = out->execution_branch + (LC_EXECUTION_BRANCH_MAX - layout->execution_branch_len);
    if (!layout->execution_fixed_len) {
        if (layout->execution_branch_len)
            out->execution.block_hash = rd_hash32(&r);
        rd_copy(&r, branch, layout->execution_branch_len * sizeof *branch);
        return rd_done(&r);
    }
    uint32_t execution_at = rd_u32le(&r);
    rd_copy(&r, branch, layout->execution_branch_len * sizeof *branch);
    if (r.bad || execution_at != ssz.n - r.n)
        return false;
    return decode_execution(&out->execution, layout, rd_take(&r, r.n));
}

/* Containers that hold headers, read in step: the fixed part by a reader, and each header where its offset says.
 * Offsets must be exact: the first header begins where the fixed part ends, each next one where the last ended. */
typedef struct {
    view_t ssz;
    rd_t r;            /* the whole container; what is left after the fixed part is variable */
    size_t header_len; /* without an execution header a header has this length and stands in its place; 0: an offset */
    uint32_t offset[2];
    view_t header[2]; /* the headers' bytes, after frame_close */
    unsigned headers;
} frame_t;

static frame_t frame_open(lc_fork_t fork, view_t ssz)
{
    const lc_layout_t *layout = lc_layout(fork);
    frame_t f = { .ssz = ssz, .r = rd_of(ssz) };
    if (!layout->execution_fixed_len)
        f.header_len =
            BEACON_LEN + sizeof(hash32_t) * (layout->execution_branch_len ? 1u + layout->execution_branch_len : 0);
    return f;
}

static void frame_header(frame_t *f)
{
    if (f->header_len)
        f->header[f->headers++] = rd_take(&f->r, f->header_len);
    else
        f->offset[f->headers++] = rd_u32le(&f->r);
}

/* Ends the fixed part. */
static bool frame_close(frame_t *f)
{
    if (f->header_len)
        return rd_done(&f->r);
    if (f->r.bad || f->offset[0] != f->ssz.n - f->r.n)
        return false;
    for (unsigned i = 0; i < f->headers; i++) {
        size_t end = i + 1 < f->headers ? f->offset[i + 1] : f->ssz.n;
        if (end < f->offset[i] || end > f->ssz.n)
            return false;
        f->header[i] = view_of(f->ssz.p + f->offset[i], end - f->offset[i]);
    }
    return true;
}

static uint8_t take_branch(hash32_t out[LC_BRANCH_MAX], rd_t *r, uint64_t gindex)
{
    unsigned n = branch_len(gindex);
    rd_copy(r, out, n * sizeof *out);
    return (uint8_t)n;
}

static void copy_committee(lc_committee_t *out, view_t ssz, uint32_t committee_size)
{
    memcpy(out->pubkeys, ssz.p, committee_size * BLS_PUBKEY_LEN);
    memcpy(&out->aggregate_pubkey, ssz.p + committee_size * BLS_PUBKEY_LEN, BLS_PUBKEY_LEN);
}

static size_t committee_len(const lc_network_t *net)
{
    return (size_t)net->preset.committee_size * BLS_PUBKEY_LEN + BLS_PUBKEY_LEN; /* and the aggregate */
}

rc_t lc_bootstrap_decode(lc_bootstrap_t *out, const lc_network_t *net, lc_fork_t fork, view_t ssz)
{
    frame_t f = frame_open(fork, ssz);
    if (ssz.n > LC_OBJECT_LEN_MAX)
        return RC_MALFORMED;
    frame_header(&f);
    view_t committee = rd_take(&f.r, committee_len(net));
    out->committee_branch_len = take_branch(out->committee_branch, &f.r, lc_layout(fork)->current_committee_gindex);
    if (!frame_close(&f) || !decode_header(&out->header, fork, f.header[0]))
        return RC_MALFORMED;
    copy_committee(&out->committee, committee, net->preset.committee_size);
    return RC_OK;
}

/* The parts that only some kinds have. */
static void take_next_committee(lc_update_t *out, view_t *committee, frame_t *f, const lc_network_t *net,
                                lc_fork_t fork)
{
    *committee = rd_take(&f->r, committee_len(net));
    out->committee_branch_len = take_branch(out->committee_branch, &f->r, lc_layout(fork)->next_committee_gindex);
    out->has_committee = !all_zero(out->committee_branch, out->committee_branch_len * sizeof(hash32_t));
}

static void take_finality(lc_update_t *out, frame_t *f, lc_fork_t fork)
{
    frame_header(f);
    out->finality_branch_len = take_branch(out->finality_branch, &f->r, lc_layout(fork)->finalized_gindex);
    out->has_finality = !all_zero(out->finality_branch, out->finality_branch_len * sizeof(hash32_t));
}

rc_t lc_update_decode(lc_update_t *out, const lc_network_t *net, lc_fork_t fork, lc_kind_t kind, view_t ssz)
{
    frame_t f = frame_open(fork, ssz);
    view_t committee = { NULL, 0 };
    if (ssz.n > LC_OBJECT_LEN_MAX || (kind != LC_UPDATE && kind != LC_FINALITY && kind != LC_OPTIMISTIC))
        return RC_MALFORMED;
    out->has_committee = out->has_finality = false;
    out->committee_branch_len = out->finality_branch_len = 0;
    memset(&out->finalized_header, 0, sizeof out->finalized_header);
    frame_header(&f);
    if (kind == LC_UPDATE)
        take_next_committee(out, &committee, &f, net, fork);
    if (kind != LC_OPTIMISTIC)
        take_finality(out, &f, fork);
    memset(&out->sync_aggregate, 0, sizeof out->sync_aggregate);
    rd_copy(&f.r, out->sync_aggregate.bits, net->preset.committee_size / 8);
    rd_copy(&f.r, out->sync_aggregate.signature, BLS_SIG_LEN);
    out->signature_slot = rd_u64le(&f.r);
    if (!frame_close(&f) || !decode_header(&out->attested_header, fork, f.header[0]))
        return RC_MALFORMED;
    if (kind != LC_OPTIMISTIC && !decode_header(&out->finalized_header, fork, f.header[1]))
        return RC_MALFORMED;
    if (!out->has_finality && !lc_header_is_zero(&out->finalized_header))
        return RC_MALFORMED;
    if (out->has_committee)
        copy_committee(&out->next_sync_committee, committee, net->preset.committee_size);
    else if (!all_zero(committee.p, committee.n))
        return RC_MALFORMED;
    return RC_OK;
}
