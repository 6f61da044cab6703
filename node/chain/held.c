#include "node/chain/held.h"

#include <stdlib.h>

held_head_t held_head_of(const lc_head_t *h, uint64_t chain_id, bool finalized)
{
    const lc_execution_t *x = &h->header.execution;
    held_head_t out = { .slot = h->header.beacon.slot,
                        .beacon_root = h->beacon_root,
                        .beacon_state_root = h->header.beacon.state_root,
                        .participants = h->participants,
                        .finalized = finalized };
    out.block = (ex_block_t){ .block_hash = x->block_hash,
                              .parent_hash = x->parent_hash,
                              .state_root = x->state_root,
                              .gas_used = x->gas_used,
                              .blob_gas_used = x->blob_gas_used };
    out.block.env = (evm_block_t){ .number = x->block_number,
                                   .timestamp = x->timestamp,
                                   .gas_limit = x->gas_limit,
                                   .coinbase = x->fee_recipient,
                                   .prev_randao = x->prev_randao,
                                   .base_fee = x->base_fee_per_gas,
                                   .excess_blob_gas = x->excess_blob_gas,
                                   .chain_id = chain_id,
                                   .slot_number = x->slot_number };
    return out;
}

void held_init(held_t *h)
{
    memset(h, 0, sizeof *h);
    pthread_mutex_init(&h->lock, NULL);
}

void held_clear(held_t *h)
{
    pthread_mutex_destroy(&h->lock);
}

static held_head_t *find(held_t *h, const hash32_t *block_hash)
{
    for (size_t i = 0; i < h->count; i++)
        if (hash32_eq(&h->rows[i].block.block_hash, block_hash))
            return &h->rows[i];
    return NULL;
}

static void drop(held_t *h, size_t i)
{
    h->rows[i] = h->rows[--h->count];
}

static void drop_lowest(held_t *h)
{
    size_t lowest = 0;
    for (size_t i = 1; i < h->count; i++)
        if (h->rows[i].block.env.number < h->rows[lowest].block.env.number)
            lowest = i;
    drop(h, lowest);
}

/* Whether a row can be an ancestor of head, for all that their numbers and hashes say. */
static bool may_precede(const held_head_t *row, const held_head_t *head)
{
    const uint64_t number = row->block.env.number;
    if (number + 1 == head->block.env.number)
        return hash32_eq(&row->block.block_hash, &head->block.parent_hash);
    return number < head->block.env.number;
}

static void add(held_t *h, const held_head_t *head)
{
    for (size_t i = 0; i < h->count;)
        if (!h->rows[i].finalized && !may_precede(&h->rows[i], head))
            drop(h, i);
        else
            i++;
    if (h->count == HELD_MAX)
        drop_lowest(h);
    h->rows[h->count++] = *head;
}

/* The head and all that lead to it are final; what else is not above it never will be. */
static void finalize(held_t *h, const held_head_t *head)
{
    held_head_t *row = find(h, &head->block.block_hash);
    if (row && row->finalized)
        return;
    if (row)
        *row = *head;
    else {
        if (h->count == HELD_MAX)
            drop_lowest(h);
        h->rows[h->count++] = *head;
    }
    for (row = find(h, &head->block.parent_hash); row && !row->finalized; row = find(h, &row->block.parent_hash))
        row->finalized = true;
    for (size_t i = 0; i < h->count;)
        if (!h->rows[i].finalized && h->rows[i].block.env.number <= head->block.env.number)
            drop(h, i);
        else
            i++;
}

void held_note(held_t *h, const held_head_t *latest, const held_head_t *finalized)
{
    pthread_mutex_lock(&h->lock);
    if (latest->slot >= h->newest_slot && !find(h, &latest->block.block_hash))
        add(h, latest);
    if (latest->slot > h->newest_slot)
        h->newest_slot = latest->slot;
    if (finalized)
        finalize(h, finalized);
    pthread_mutex_unlock(&h->lock);
}

/* The held ancestor of a block with a number, by parent hashes alone; a final one is one without them. */
static const held_head_t *ancestor(held_t *h, const ex_block_t *of, uint64_t number)
{
    const held_head_t *row = NULL;
    for (uint64_t n = of->env.number; n > number; n--) {
        row = find(h, row ? &row->block.parent_hash : &of->parent_hash);
        if (!row || row->block.env.number != n - 1)
            break;
        if (n - 1 == number)
            return row;
    }
    for (size_t i = 0; number < of->env.number && i < h->count; i++)
        if (h->rows[i].finalized && h->rows[i].block.env.number == number)
            return &h->rows[i];
    return NULL;
}

bool held_by_number(held_t *h, held_head_t *out, const ex_block_t *of, uint64_t number)
{
    pthread_mutex_lock(&h->lock);
    const held_head_t *row = ancestor(h, of, number);
    if (row)
        *out = *row;
    pthread_mutex_unlock(&h->lock);
    return row;
}

bool held_by_hash(held_t *h, held_head_t *out, const ex_block_t *of, const hash32_t *block_hash)
{
    pthread_mutex_lock(&h->lock);
    const held_head_t *row = find(h, block_hash);
    if (row && ancestor(h, of, row->block.env.number) != row)
        row = NULL;
    if (row)
        *out = *row;
    pthread_mutex_unlock(&h->lock);
    return row;
}

bool held_anywhere(held_t *h, held_head_t *out, const hash32_t *block_hash)
{
    pthread_mutex_lock(&h->lock);
    const held_head_t *row = find(h, block_hash);
    if (row)
        *out = *row;
    pthread_mutex_unlock(&h->lock);
    return row;
}

bool held_has_between(held_t *h, uint64_t from, uint64_t to)
{
    bool found = false;
    pthread_mutex_lock(&h->lock);
    for (size_t i = 0; i < h->count; i++)
        found |= h->rows[i].block.env.number >= from && h->rows[i].block.env.number <= to;
    pthread_mutex_unlock(&h->lock);
    return found;
}

static int by_slot(const void *a, const void *b)
{
    const held_head_t *x = a, *y = b;
    return (x->slot > y->slot) - (x->slot < y->slot);
}

size_t held_list(held_t *h, held_head_t out[HELD_MAX])
{
    pthread_mutex_lock(&h->lock);
    const size_t count = h->count;
    memcpy(out, h->rows, count * sizeof *out);
    pthread_mutex_unlock(&h->lock);
    qsort(out, count, sizeof *out, by_slot);
    return count;
}
