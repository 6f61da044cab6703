#include "node/chain/heads.h"

#include "lightclient/exec/block.h"

#define RETRY_MIN_MS 250u
#define TRIES_MAX 4u /* doublings */

/* The execution block of a usable head is the one that this head builds on, too. */
static bool borrow(lc_head_t *head, const lc_head_t *from)
{
    if (!from->valid || !hash32_eq(&from->header.execution.block_hash, &head->header.execution.block_hash))
        return false;
    head->header.execution = from->header.execution;
    head->whole = true;
    return true;
}

/* Takes over a head that has become whole. */
static void use(head_way_t *w, const lc_head_t *head)
{
    if (!w->usable.valid || head->header.beacon.slot > w->usable.header.beacon.slot)
        w->usable = *head;
}

/* Whether a proven block is as the schedule has it after a usable head's, if one is its parent. */
static rc_t check_parent(const heads_t *h, err_t *e, const lc_execution_t *x)
{
    for (size_t i = 0; i < HEADS; i++) {
        const lc_execution_t *p = &h->way[i].usable.header.execution;
        if (!h->way[i].usable.valid || p->block_number + 1 != x->block_number ||
            !hash32_eq(&p->block_hash, &x->parent_hash))
            continue;
        const evm_fork_t fork = evm_chain_rules(h->chain, p->timestamp)->fork;
        const ex_header_t parent = { .tail = (unsigned)fork < EVM_FORKS ? ex_header_tail(fork) : 0,
                                     .base_fee = p->base_fee_per_gas,
                                     .excess_blob_gas = p->excess_blob_gas,
                                     .blob_gas_used = p->blob_gas_used };
        return ex_excess_fits(e, x->excess_blob_gas, x->timestamp, &parent, h->chain);
    }
    return RC_OK;
}

/* Whether a whole head's block has the blobs that the schedule allows, and what follows from its parent's. */
static bool is_scheduled(heads_t *h, const lc_head_t *head)
{
    const lc_execution_t *x = &head->header.execution;
    err_t e;
    if (!h->chain || (!ex_blobs_fit(&e, x->blob_gas_used, x->timestamp, h->chain) && !check_parent(h, &e, x)))
        return true;
    h->outdated = e;
    return false;
}

/* Makes the known head usable where nothing has to be fetched for it. */
static void look(heads_t *h, head_way_t *w)
{
    for (size_t i = 0; i < HEADS && !w->known.whole; i++)
        borrow(&w->known, &h->way[i].usable);
    if (w->known.valid && w->known.whole && is_scheduled(h, &w->known))
        use(w, &w->known);
}

void heads_know(heads_t *h, head_kind_t kind, const lc_head_t *head)
{
    head_way_t *w = &h->way[kind];
    if (!head->valid || (w->known.valid && head->header.beacon.slot <= w->known.header.beacon.slot))
        return;
    w->known = *head;
    w->due_ms = 0;
    w->tries = 0;
    look(h, w);
}

bool heads_want(heads_t *h, hash32_t *hash, bool *raw, head_kind_t kind, uint64_t now_ms, uint64_t *wake_ms)
{
    head_way_t *w = &h->way[kind];
    if (!w->known.valid || w->fetched.valid)
        return false;
    look(h, w);
    if (w->known.whole || !lc_header_by_hash(&w->known.header))
        return false;
    if (w->due_ms > now_ms) {
        if (*wake_ms > w->due_ms)
            *wake_ms = w->due_ms;
        return false;
    }
    w->fetched = w->known;
    *hash = w->known.header.execution.block_hash;
    *raw = w->raw;
    return true;
}

/* What the header says of its slot must be true: of the beacon block, or an earlier one. Only the first block of the
 * execution chain, which no beacon block brought, may have another time. */
static rc_t check_slot(err_t *e, const lc_network_t *net, uint64_t slot, const ex_header_t *x)
{
    if (x->timestamp > lc_slot_start_ms(net, slot) / 1000)
        return err_say(e, RC_REFUSED, "the execution block is newer than the beacon block that builds on it");
    if (ex_header_has_slot(x) &&
        (x->slot_number >= slot || (x->number && x->timestamp != lc_slot_start_ms(net, x->slot_number) / 1000)))
        return err_say(e, RC_REFUSED, "the execution block's slot is not that of its time");
    return RC_OK;
}

static void fill(lc_execution_t *out, const ex_header_t *x)
{
    const hash32_t hash = out->block_hash;
    *out = (lc_execution_t){ .parent_hash = x->parent_hash,
                             .fee_recipient = x->coinbase,
                             .state_root = x->state_root,
                             .receipts_root = x->receipts_root,
                             .prev_randao = x->mix_hash,
                             .block_number = x->number,
                             .gas_limit = x->gas_limit,
                             .gas_used = x->gas_used,
                             .timestamp = x->timestamp,
                             .extra_data_len = x->extra_data_len,
                             .base_fee_per_gas = x->base_fee,
                             .block_hash = hash,
                             .blob_gas_used = x->blob_gas_used,
                             .excess_blob_gas = x->excess_blob_gas,
                             .slot_number = x->slot_number };
    memcpy(out->logs_bloom, x->logs_bloom, sizeof out->logs_bloom);
    memcpy(out->extra_data, x->extra_data, x->extra_data_len);
}

/* The fetch has ended; the next one may be of a newer head. */
static void ended(head_way_t *w, bool well, bool raw, uint64_t now_ms)
{
    const unsigned tries = w->tries < TRIES_MAX ? w->tries : TRIES_MAX;
    w->fetched.valid = false;
    w->raw = raw;
    if (well) {
        w->tries = 0;
        w->due_ms = 0;
        return;
    }
    w->tries++;
    w->due_ms = raw ? now_ms : now_ms + (RETRY_MIN_MS << tries);
}

rc_t heads_give(heads_t *h, err_t *e, head_kind_t kind, const ex_header_t *header)
{
    head_way_t *w = &h->way[kind];
    lc_head_t *head = &w->fetched;
    rc_t rc = check_slot(e, h->network, head->header.beacon.slot, header);
    if (!rc)
        rc = ex_header_fits(e, header, h->chain);
    if (rc)
        return rc;
    fill(&head->header.execution, header);
    rc = check_parent(h, e, &head->header.execution);
    if (rc)
        return rc;
    head->whole = true;
    use(w, head);
    for (size_t i = 0; i < HEADS; i++)
        look(h, &h->way[i]);
    ended(w, true, false, 0);
    return RC_OK;
}

void heads_failed(heads_t *h, head_kind_t kind, bool raw, uint64_t now_ms)
{
    head_way_t *w = &h->way[kind];
    ended(w, false, raw && !w->raw, now_ms);
}
