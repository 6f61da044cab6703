#include "lightclient/exec/history.h"

#include <stdlib.h>

#include "base/crypto/hash.h"
#include "lightclient/exec/needs.h"
#include "lightclient/rlp/rlp.h"

#define MEMORY_MAX ((size_t)512 << 20)
#define LINKED_MAX 4u    /* headers between an anchor and the newest block that are asked for without a proof */
#define WALKED_MAX 4096u /* ... where the contract does not know the block */
#define HEADS_MAX 64u    /* blocks below an anchor that are looked at for what is known of them as heads */
#define JUMPS_MAX 16u    /* windows that are jumped over */
#define BY_NUMBER 0x80u  /* in wants: an upstream does not know the receipts by their block's hash */
#define NAMED_MAX 4u     /* blocks that may be named for one transaction */
#define ROUNDS_MAX 64u   /* batches; a range is at most a dozen, a jump two */

static const addr_t HISTORY = { { 0x00, 0x00, 0xf9, 0x08, 0x27, 0xf1, 0xc5, 0x3a, 0x10, 0xcb,
                                  0x7a, 0x02, 0x33, 0x5b, 0x17, 0x53, 0x20, 0x00, 0x29, 0x35 } }; /* EIP-2935 */

typedef struct {
    query_t query; /* first: a pointer to it is one to the history */
    ex_history_config_t config;
    arena_t mem;  /* all that lasts */
    arena_t work; /* the needs of one step */
    enum { FIND, LOCATE, FETCH, DONE } state;
    bool absent;
    bool from_memory, asked_where; /* where the transaction is */
    bool too_old;                  /* a block that was named for it can no longer be proven */
    uint64_t named[NAMED_MAX];     /* blocks that upstreams have named for it, all that were asked: */
    size_t named_count, looked_at; /* ... in the first looked_at of them it is not */
    unsigned rounds;

    ex_block_t base;   /* proven; what is older is anchored at it */
    bool jumping;      /* towards a base that is old enough */
    uint64_t top;      /* blocks[top - from] is the highest; above the newest one asked for when it is linked */
    hash32_t top_hash; /* once it is known */
    bool has_top_hash;
    bool slot_is_zero; /* the contract does not know it */
    bool has_looked;   /* at the highest blocks of many, before the others */
    hash32_t slot;     /* the slot that is asked for */
    ex_past_t *blocks; /* from config.from to top */
    ex_header_t jump;  /* the next base, once it is linked */
    bool has_jump;

    need_t *needs;
    size_t *of; /* of each need: the block that it is about */
    size_t need_count, need_cap;
    ex_history_result_t result;
} ex_history_t;

static ex_history_t *history_of(query_t *q)
{
    return (ex_history_t *)(void *)q;
}

static const ex_history_t *const_history_of(const query_t *q)
{
    return (const ex_history_t *)(const void *)q;
}

static rc_t no_memory(err_t *e)
{
    return err_say(e, RC_NOMEM, "out of memory");
}

void ex_block_of_header(ex_block_t *out, const ex_header_t *h, const hash32_t *hash, uint64_t chain_id)
{
    *out = (ex_block_t){ .block_hash = *hash,
                         .parent_hash = h->parent_hash,
                         .state_root = h->state_root,
                         .env = { .number = h->number,
                                  .timestamp = h->timestamp,
                                  .gas_limit = h->gas_limit,
                                  .coinbase = h->coinbase,
                                  .prev_randao = h->mix_hash,
                                  .base_fee = h->base_fee,
                                  .excess_blob_gas = h->excess_blob_gas,
                                  .chain_id = chain_id,
                                  .slot_number = h->slot_number },
                         .gas_used = h->gas_used,
                         .blob_gas_used = h->blob_gas_used };
}

/* ---- what the cache has ---- */

static bool cached_header(ex_history_t *h, ex_header_t *out, const hash32_t *hash)
{
    view_t rlp;
    return h->config.cache && ex_cache_get_part(h->config.cache, &rlp, &h->work, EX_PART_HEADER, hash) &&
           !ex_header_verify(out, hash, rlp);
}

static void keep_header(ex_history_t *h, const ex_header_t *header, const hash32_t *hash)
{
    uint8_t room[EX_HEADER_RLP_MAX];
    wr_t w = wr_of(room, sizeof room);
    if (!h->config.cache)
        return;
    ex_header_encode(&w, header);
    ex_cache_put_part(h->config.cache, EX_PART_HEADER, hash, wr_view(&w));
    ex_cache_put_parent(h->config.cache, hash, &header->parent_hash);
}

static void keep_body(ex_history_t *h, const ex_full_block_t *b)
{
    if (!h->config.cache)
        return;
    const size_t room = ex_block_len(b);
    arena_mark_t mark = arena_mark(&h->work);
    wr_t w = wr_of(arena_alloc(&h->work, room), room);
    if (w.p) {
        ex_block_encode(&w, b);
        ex_cache_put_part(h->config.cache, EX_PART_BODY, &b->hash, wr_view(&w));
    }
    arena_rollback(&h->work, mark);
}

/* Receipts are kept as a list of strings. */
static void keep_receipts(ex_history_t *h, const hash32_t *hash, const view_t *raw, size_t count)
{
    size_t room = 16;
    if (!h->config.cache)
        return;
    for (size_t i = 0; i < count; i++)
        room += 9 + raw[i].n;
    arena_mark_t mark = arena_mark(&h->work);
    wr_t w = wr_of(arena_alloc(&h->work, room), room);
    if (w.p) {
        for (size_t i = 0; i < count; i++)
            rlp_put_bytes(&w, raw[i]);
        rlp_wrap_list(&w, 0);
        if (!w.bad)
            ex_cache_put_part(h->config.cache, EX_PART_RECEIPTS, hash, wr_view(&w));
    }
    arena_rollback(&h->work, mark);
}

static void recall_body(ex_history_t *h, ex_past_t *p)
{
    view_t rlp;
    ex_full_block_t b;
    if (!ex_cache_get_part(h->config.cache, &rlp, &h->mem, EX_PART_BODY, &p->block.hash) ||
        ex_block_decode(&b, NULL, &h->mem, rlp) || !hash32_eq(&b.hash, &p->block.hash))
        return;
    p->block = b;
    p->has_body = true;
}

static void recall_receipts(ex_history_t *h, ex_past_t *p)
{
    view_t rlp, rest;
    rlp_item_t list, item;
    size_t count;
    if (!ex_cache_get_part(h->config.cache, &rlp, &h->mem, EX_PART_RECEIPTS, &p->block.hash) ||
        rlp_decode(&list, rlp) || rlp_count(&count, &list))
        return;
    view_t *raw = arena_calloc(&h->mem, count, sizeof *raw);
    rest = list.payload;
    for (size_t i = 0; raw && i < count; i++)
        if (!rlp_next(&item, &rest))
            raw[i] = item.payload;
    if (raw && !ex_receipts_verify(&p->receipts, NULL, &h->mem, &p->block.header, raw, count)) {
        p->receipt_count = count;
        p->has_receipts = true;
    }
}

/* Fills in what the cache has of a block whose header is known. */
static void recall(ex_history_t *h, ex_past_t *p)
{
    if (!h->config.cache)
        return;
    if (p->wants & EX_WANT_BODY && !p->has_body)
        recall_body(h, p);
    if (p->wants & EX_WANT_RECEIPTS && !p->has_receipts)
        recall_receipts(h, p);
}

/* ---- needs ---- */

static void clear_needs(ex_history_t *h)
{
    h->needs = NULL;
    h->of = NULL;
    h->need_count = h->need_cap = 0;
    arena_free(&h->work);
}

/* Whether a need names a final block, or the state of one that is older than the head. */
static bool names_final(const ex_history_t *h, const need_t *need)
{
    const bool proof = need->kind == NEED_PROOF;
    const uint64_t number = proof ? h->base.env.number : need->number;
    return h->state == FETCH && number <= h->config.final_number && (!proof || number < h->config.head->env.number);
}

static rc_t add_need(ex_history_t *h, need_t need, size_t block)
{
    if (h->need_count == h->need_cap) {
        const size_t cap = h->need_cap ? 2 * h->need_cap : 64;
        need_t *needs = arena_calloc(&h->work, cap, sizeof *needs);
        size_t *of = arena_calloc(&h->work, cap, sizeof *of);
        if (!needs || !of)
            return RC_NOMEM;
        if (h->need_count) {
            memcpy(needs, h->needs, h->need_count * sizeof *needs);
            memcpy(of, h->of, h->need_count * sizeof *of);
        }
        h->needs = needs;
        h->of = of;
        h->need_cap = cap;
    }
    need.origin = NEED_MET;
    need.block = need.kind == NEED_PROOF ? &h->base : h->config.head;
    need.settled = names_final(h, &need);
    h->of[h->need_count] = block;
    h->needs[h->need_count++] = need;
    return RC_OK;
}

/* The hash of block i when it is known before its header is. */
static bool expected_hash(const ex_history_t *h, hash32_t *out, size_t i)
{
    const size_t last = h->jumping ? 0 : (size_t)(h->top - h->config.from);
    if (i < last && h->blocks[i + 1].has_header)
        *out = h->blocks[i + 1].block.header.parent_hash;
    else if (i == last && h->has_top_hash)
        *out = h->top_hash;
    else
        return false;
    return true;
}

/* Needs of one block: its header, alone or in the whole block; its receipts. */
static rc_t block_needs(ex_history_t *h, size_t i)
{
    const ex_past_t *p = &h->blocks[i];
    need_t need = { .kind = NEED_HEADER, .number = h->config.from + i };
    rc_t rc = RC_OK;
    if (p->has_header)
        need.hash = p->block.hash;
    else if (!expected_hash(h, &need.hash, i))
        memset(&need.hash, 0, sizeof need.hash);
    const bool body = p->wants & EX_WANT_BODY && !p->has_body;
    if (body)
        need.kind = NEED_BLOCK;
    if (body || !p->has_header)
        rc = add_need(h, need, i);
    need.kind = NEED_RECEIPTS;
    need.gas = p->has_header ? p->block.header.gas_used : 0;
    if (p->wants & BY_NUMBER)
        memset(&need.hash, 0, sizeof need.hash);
    if (!rc && p->wants & EX_WANT_RECEIPTS && !p->has_receipts)
        rc = add_need(h, need, i);
    return rc;
}

/* The anchor's proof, if its hash has to be proven still. */
static rc_t anchor_need(ex_history_t *h)
{
    if (h->has_top_hash || h->slot_is_zero)
        return RC_OK;
    memset(&h->slot, 0, sizeof h->slot);
    store_u64be(h->slot.b + 24, h->top % EX_HISTORY_WINDOW);
    return add_need(h, (need_t){ .kind = NEED_PROOF, .addr = HISTORY, .slots = &h->slot, .slot_count = 1 }, 0);
}

/* Headers that the cache has, from the top down, as far as they lead. */
static void recall_headers(ex_history_t *h)
{
    for (size_t i = (size_t)(h->top - h->config.from) + 1; i-- > 0;) {
        ex_past_t *p = &h->blocks[i];
        hash32_t hash;
        if (!p->has_header && (!expected_hash(h, &hash, i) || !cached_header(h, &p->block.header, &hash)))
            return;
        if (!p->has_header)
            p->block.hash = hash;
        p->has_header = true;
        recall(h, p);
    }
}

/* The lowest block that is asked for so far. */
static size_t lowest_asked(const ex_history_t *h)
{
    const uint64_t count = h->config.to - h->config.from + 1;
    return h->config.first && !h->has_looked && count > EX_HISTORY_FIRST ? (size_t)(count - EX_HISTORY_FIRST) : 0;
}

/* All that is missing of the blocks that are asked for so far, newest first. */
static rc_t list_needs(ex_history_t *h)
{
    const size_t lowest = lowest_asked(h);
    rc_t rc = anchor_need(h);
    for (size_t i = (size_t)(h->top - h->config.from) + 1; !rc && i-- > lowest;)
        rc = block_needs(h, i);
    return rc;
}

/* Once the highest headers are known: what they say may be too much already. */
static rc_t look_first(ex_history_t *h, err_t *e)
{
    const size_t count = (size_t)(h->config.to - h->config.from) + 1, lowest = lowest_asked(h);
    size_t known = count;
    while (known > 0 && h->blocks[known - 1].has_header)
        known--;
    if (!lowest || known > lowest)
        return RC_OK;
    h->has_looked = true;
    return known ? h->config.first(h->config.plan_ctx, e, h->blocks + known, count - known, h->config.from) : RC_OK;
}

/* ---- where the newest block hangs ---- */

/* Goes down from the base by cached headers, at most to the newest block asked for; at once to that when one of the
 * blocks on the way, an earlier head, is known to descend from it. */
static uint64_t walk_cache(ex_history_t *h, hash32_t *hash)
{
    ex_cache_t *c = h->config.cache;
    const uint64_t to = h->config.to, base = h->base.env.number;
    uint64_t n = base - 1;
    *hash = h->base.parent_hash;
    if (c)
        ex_cache_put_parent(c, &h->base.block_hash, &h->base.parent_hash);
    for (; c && n > to; n--) {
        if (base - n <= HEADS_MAX && ex_cache_get_ancestor(c, hash, hash, to)) {
            ex_cache_put_ancestor(c, &h->base.block_hash, to, hash);
            return to;
        }
        if (!ex_cache_get_parent(c, hash, hash))
            break;
    }
    return n;
}

static rc_t set_range(ex_history_t *h, err_t *e, uint64_t top)
{
    const size_t count = (size_t)(top - h->config.from) + 1;
    h->top = top;
    h->blocks = arena_calloc(&h->mem, count, sizeof *h->blocks);
    if (!h->blocks)
        return no_memory(e);
    for (size_t i = 0; i < count; i++)
        h->blocks[i].wants = h->config.from + i <= h->config.to ? h->config.wants : 0;
    h->state = FETCH;
    return RC_OK;
}

static rc_t pruned(err_t *e)
{
    return err_code(e, err_say(e, RC_REFUSED, "pruned history unavailable"), EX_HISTORY_PRUNED);
}

/* Decides how the newest block is anchored. */
static rc_t locate(ex_history_t *h, err_t *e)
{
    const uint64_t to = h->config.to;
    hash32_t hash;
    h->has_top_hash = true;
    if (to == h->base.env.number) {
        h->top_hash = h->base.block_hash;
        return set_range(h, e, to);
    }
    if (h->config.cache && ex_cache_get_ancestor(h->config.cache, &h->top_hash, &h->base.block_hash, to))
        return set_range(h, e, to);
    const uint64_t from_cache = walk_cache(h, &hash);
    if (from_cache - to <= LINKED_MAX) {
        h->top_hash = hash;
        return set_range(h, e, from_cache);
    }
    h->has_top_hash = false;
    if (h->base.env.number - to <= EX_HISTORY_WINDOW)
        return set_range(h, e, to);
    if (h->base.env.number - to > JUMPS_MAX * EX_HISTORY_WINDOW)
        return pruned(e);
    h->jumping = true; /* one block alone first: the oldest that this base's contract knows */
    h->top = h->base.env.number - EX_HISTORY_WINDOW;
    h->blocks = arena_calloc(&h->mem, 1, sizeof *h->blocks);
    h->state = FETCH;
    return h->blocks ? RC_OK : no_memory(e);
}

/* The contract does not know the newest block: the headers between lead to it, if they are not too many. */
static rc_t walk(ex_history_t *h, err_t *e)
{
    hash32_t hash;
    const uint64_t from_cache = walk_cache(h, &hash);
    if (h->jumping || from_cache - h->config.from > WALKED_MAX)
        return pruned(e);
    h->has_top_hash = true;
    h->top_hash = hash;
    h->slot_is_zero = false;
    return set_range(h, e, from_cache);
}

/* ---- steps ---- */

static rc_t need_find(ex_history_t *h)
{
    const bool by_tx = h->config.by == EX_BY_TRANSACTION;
    const need_kind_t kind = by_tx ? NEED_WHERE : h->config.wants & EX_WANT_BODY ? NEED_BLOCK : NEED_HEADER;
    return add_need(h, (need_t){ .kind = kind, .hash = h->config.hash, .may_lack = true }, 0);
}

/* Where the transaction was found before. It need not be there any more, which is seen when it is not. */
static bool find_again(ex_history_t *h)
{
    uint64_t number;
    if (h->from_memory || !h->config.cache || !ex_cache_get_where(h->config.cache, &number, &h->config.hash) ||
        number > h->config.head->env.number)
        return false;
    h->config.from = h->config.to = number;
    return h->from_memory = true;
}

/* Which number the hash has: the head, one in the cache, or somebody says. */
static bool find_here(ex_history_t *h)
{
    ex_header_t header;
    if (h->config.by == EX_BY_TRANSACTION)
        return find_again(h);
    if (h->config.by == EX_BY_HASH && hash32_eq(&h->config.hash, &h->config.head->block_hash))
        h->config.from = h->config.to = h->config.head->env.number;
    else if (h->config.by == EX_BY_HASH && cached_header(h, &header, &h->config.hash))
        h->config.from = h->config.to = header.number;
    else
        return false;
    return true;
}

static bool is_complete(const ex_history_t *h)
{
    for (uint64_t n = h->config.from; n <= h->top; n++) {
        const ex_past_t *p = &h->blocks[n - h->config.from];
        if (!p->has_header || (p->wants & EX_WANT_BODY && !p->has_body) ||
            (p->wants & EX_WANT_RECEIPTS && !p->has_receipts))
            return false;
    }
    return true;
}

static rc_t finish(ex_history_t *h, bool known)
{
    h->state = DONE;
    h->absent = !known;
    h->result.blocks = h->blocks;
    h->result.count = known ? (size_t)(h->config.to - h->config.from) + 1 : 0;
    return RC_OK;
}

/* It is not where it was: somebody is asked. */
static void begin_anew(ex_history_t *h)
{
    h->state = FIND;
    h->base = *h->config.head;
    h->jumping = h->has_jump = h->slot_is_zero = h->has_top_hash = false;
}

/* The transaction is not in the block that was named for it. The others that were named are looked at; after the first
 * alone was, all who can be asked are asked. */
static rc_t look_elsewhere(ex_history_t *h, err_t *e)
{
    begin_anew(h);
    if (h->looked_at == h->named_count && h->absent)
        return h->too_old ? pruned(e) : finish(h, false);
    if (h->looked_at < h->named_count) {
        h->config.from = h->config.to = h->named[h->looked_at++];
        h->state = LOCATE;
    }
    return RC_OK;
}

/* What a hash asks for must be on the chain of the head. */
static rc_t finish_found(ex_history_t *h, err_t *e)
{
    const ex_past_t *p = &h->blocks[0];
    hash32_t hash;
    if (h->config.by == EX_BY_NUMBER)
        return finish(h, true);
    if (h->config.by == EX_BY_HASH)
        return finish(h, hash32_eq(&p->block.hash, &h->config.hash));
    for (size_t i = 0; i < p->block.transaction_count; i++) {
        keccak256(&hash, p->block.transactions[i]);
        h->result.tx_index = i;
        if (!hash32_eq(&hash, &h->config.hash))
            continue;
        if (h->config.cache)
            ex_cache_put_where(h->config.cache, &h->config.hash, h->config.to);
        return finish(h, true);
    }
    if (h->from_memory && !h->asked_where) {
        begin_anew(h);
        return RC_OK;
    }
    return look_elsewhere(h, e);
}

/* Fills in what the cache has of the blocks. True: it had something. */
static bool recall_all(ex_history_t *h, size_t count)
{
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        ex_past_t *p = &h->blocks[i];
        const bool had_body = p->has_body, had_receipts = p->has_receipts;
        recall(h, p);
        found |= p->has_body != had_body || p->has_receipts != had_receipts;
    }
    return found;
}

/* All is there: the plan may want more, also for what the cache has then. */
static rc_t look(ex_history_t *h, err_t *e, bool *more)
{
    const size_t count = (size_t)(h->config.to - h->config.from) + 1;
    rc_t rc = RC_OK;
    do
        rc = h->config.plan ? h->config.plan(h->config.plan_ctx, e, h->blocks, count) : RC_OK;
    while (!rc && recall_all(h, count));
    *more = !rc && !is_complete(h);
    return rc;
}

/* A base that is one window older. */
static rc_t land(ex_history_t *h)
{
    const ex_past_t *p = &h->blocks[0];
    ex_block_of_header(&h->base, &h->jump, &p->block.hash, h->config.chain_id);
    h->jumping = h->has_jump = false;
    h->state = LOCATE;
    return RC_OK;
}

static rc_t list_jump(ex_history_t *h)
{
    rc_t rc = anchor_need(h);
    return rc ? rc : add_need(h, (need_t){ .kind = NEED_HEADER, .number = h->top }, 0);
}

/* The range is known: fetch what is missing of it. *again: the state has changed. */
static rc_t fetch(ex_history_t *h, err_t *e, bool *again)
{
    bool more = false;
    *again = true;
    if (h->slot_is_zero)
        return walk(h, e);
    if (h->jumping && h->has_jump)
        return land(h);
    *again = false;
    if (h->jumping)
        return list_jump(h) ? no_memory(e) : RC_NEED_DATA;
    recall_headers(h);
    rc_t rc = look_first(h, e);
    if (!rc && is_complete(h))
        rc = look(h, e, &more);
    if (rc)
        return rc;
    if (is_complete(h) && !more) {
        rc = finish_found(h, e);
        *again = h->state != FETCH;
        return rc;
    }
    return list_needs(h) ? no_memory(e) : RC_NEED_DATA;
}

/* Whoever names a block that is too old for a transaction is not the last to be asked for it. */
static rc_t or_elsewhere(ex_history_t *h, err_t *e, rc_t rc)
{
    if (rc != RC_REFUSED || !h->asked_where || h->state == FIND)
        return rc;
    h->too_old = true;
    return look_elsewhere(h, e);
}

static rc_t history_step(query_t *q, err_t *e)
{
    ex_history_t *h = history_of(q);
    rc_t rc = RC_OK;
    clear_needs(h);
    if (h->state != DONE && ++h->rounds > ROUNDS_MAX)
        return err_say(e, RC_LIMIT, "the history needs more rounds than it may have");
    for (bool again = true; again && !rc && h->state != DONE;) {
        again = true;
        const bool others = h->state == FIND && h->absent && h->named_count;
        if (h->state == FIND && !others &&
            (h->absent || hash32_is_zero(&h->config.hash))) /* a need without a hash names a number */
            return finish(h, false);
        if (h->state == FIND && !h->absent && !find_here(h))
            return need_find(h) ? no_memory(e) : RC_NEED_DATA;
        h->asked_where |= others;
        if (others)
            rc = look_elsewhere(h, e);
        else if (h->state == FIND)
            h->state = LOCATE;
        else if (h->state == LOCATE && h->config.to > h->config.head->env.number)
            return finish(h, false); /* found, but younger than the head */
        else if (h->state == LOCATE)
            rc = or_elsewhere(h, e, locate(h, e));
        else
            rc = or_elsewhere(h, e, fetch(h, e, &again));
    }
    return rc;
}

static size_t history_needs(const query_t *q, const need_t **out)
{
    const ex_history_t *h = const_history_of(q);
    *out = h->needs;
    return h->need_count;
}

/* ---- answers ---- */

/* Bytes of a block that somebody else owns, in ours. */
static rc_t copy_body(ex_history_t *h, ex_full_block_t *b)
{
    view_t *all = arena_calloc(&h->mem, b->transaction_count, sizeof *all);
    const size_t room = b->withdrawal_count * sizeof *b->withdrawals;
    ex_withdrawal_t *withdrawals = arena_alloc(&h->mem, room);
    if (!all || !withdrawals)
        return RC_NOMEM;
    for (size_t i = 0; i < b->transaction_count; i++) {
        all[i] = arena_dup(&h->mem, b->transactions[i]);
        if (!all[i].p)
            return RC_NOMEM;
    }
    if (room)
        memcpy(withdrawals, b->withdrawals, room);
    b->transactions = all;
    b->withdrawals = withdrawals;
    return RC_OK;
}

/* A block whose hash is proven has such a body. */
static rc_t check_body(ex_history_t *h, err_t *e, ex_full_block_t *b)
{
    const rc_t rc = ex_body_verify(e, &h->work, b);
    if (rc)
        return rc;
    return copy_body(h, b) ? no_memory(e) : RC_OK;
}

/* Whether one of the first so many blocks that were named is it. */
static bool is_named(const ex_history_t *h, size_t count, uint64_t number)
{
    size_t i = 0;
    while (i < count && h->named[i] != number)
        i++;
    return i < count;
}

/* Notes a block that was named; as the first one to look at, or after the others. */
static void note_named(ex_history_t *h, uint64_t number, bool first)
{
    size_t i = 0;
    while (i < h->named_count && h->named[i] != number)
        i++;
    if (i == h->named_count && h->named_count < NAMED_MAX)
        h->named[h->named_count++] = number;
    if (!first)
        return;
    h->named[i < NAMED_MAX ? i : NAMED_MAX - 1] = h->named[0];
    h->named[0] = number;
}

/* Where an upstream says that the transaction is. The first who knows is believed until the block has been looked at;
 * then all are heard before any is. So they are before a block beyond the head's own history is looked at: only a state
 * of its time proves it, which few have, and whoever names one could keep all others from being asked. */
static rc_t give_where(ex_history_t *h, err_t *e, uint64_t number)
{
    const uint64_t head = h->config.head->env.number;
    if (number > head)
        return err_code(e, err_say(e, RC_NEED_DATA, "it names a block younger than the head"), QUERY_LACKS);
    const bool first = !h->asked_where && head - number <= EX_HISTORY_WINDOW;
    if (!h->too_old && number <= h->config.final_number && is_named(h, h->looked_at, number))
        return err_say(e, RC_IO, "it names a final block for the transaction, which is not in it");
    note_named(h, number, first);
    if (!first)
        return err_code(e, err_say(e, RC_NEED_DATA, "the block that it names is looked at after others"), QUERY_LACKS);
    h->asked_where = true;
    h->looked_at = 1;
    h->config.from = h->config.to = number;
    h->state = LOCATE;
    return RC_OK;
}

/* What was found by its hash alone: whether it is on the chain is seen later. */
static rc_t give_found(ex_history_t *h, err_t *e, const answer_t *answer)
{
    hash32_t hash;
    if (answer->absent) {
        h->absent = true;
        return RC_OK;
    }
    if (answer->kind == NEED_WHERE)
        return give_where(h, e, answer->number);
    ex_full_block_t b = answer->block;
    if (answer->kind == NEED_HEADER)
        b.header = answer->header;
    ex_header_hash(&hash, &b.header);
    if (!hash32_eq(&hash, &h->config.hash))
        return err_say(e, RC_REFUSED, "its fields have another hash");
    b.hash = hash;
    const rc_t rc = answer->kind == NEED_BLOCK ? check_body(h, e, &b) : RC_OK;
    if (rc)
        return rc;
    keep_header(h, &b.header, &hash);
    if (answer->kind == NEED_BLOCK)
        keep_body(h, &b);
    h->config.from = h->config.to = b.header.number;
    h->state = LOCATE;
    return RC_OK;
}

static rc_t give_anchor(ex_history_t *h, err_t *e, const need_t *need, const answer_t *answer)
{
    mpt_account_t account;
    u256_t value;
    const rc_t rc = ex_proof_verify(&account, &value, e, &h->base.state_root, &HISTORY, need->slots, 1, &answer->proof);
    if (rc)
        return rc;
    h->slot_is_zero = u256_is_zero(&value);
    h->has_top_hash = !h->slot_is_zero;
    u256_to_be32(h->top_hash.b, &value);
    if (h->has_top_hash && h->config.cache)
        ex_cache_put_ancestor(h->config.cache, &h->base.block_hash, h->top, &h->top_hash);
    return RC_OK;
}

/* The header of block i. */
static rc_t check_header(const ex_history_t *h, err_t *e, size_t i, const ex_header_t *header, hash32_t *hash)
{
    hash32_t want;
    if (!expected_hash(h, &want, i))
        return err_say(e, RC_NEED_DATA, "the block that leads to it is missing");
    ex_header_hash(hash, header);
    return hash32_eq(hash, &want) ? RC_OK : err_say(e, RC_REFUSED, "it is not the block of the head's chain");
}

static rc_t unknown(err_t *e)
{
    return err_code(e, err_say(e, RC_NEED_DATA, "it does not know the block"), QUERY_LATER);
}

static rc_t give_header(ex_history_t *h, err_t *e, size_t i, const answer_t *answer)
{
    ex_past_t *p = &h->blocks[i];
    ex_full_block_t b = answer->block;
    if (answer->kind == NEED_HEADER)
        b.header = answer->header;
    if (answer->absent)
        return unknown(e);
    rc_t rc = check_header(h, e, i, &b.header, &b.hash);
    if (rc)
        return rc;
    if (answer->kind == NEED_BLOCK)
        rc = check_body(h, e, &b);
    if (rc)
        return rc;
    p->block = b;
    p->has_header = true;
    p->has_body |= answer->kind == NEED_BLOCK;
    if (h->jumping) {
        h->jump = b.header;
        h->has_jump = true;
    }
    keep_header(h, &b.header, &b.hash);
    if (answer->kind == NEED_BLOCK)
        keep_body(h, &b);
    return RC_OK;
}

static rc_t give_receipts(ex_history_t *h, err_t *e, const need_t *need, size_t i, const answer_t *answer)
{
    ex_past_t *p = &h->blocks[i];
    if (answer->absent && hash32_is_zero(&need->hash))
        return unknown(e);
    if (answer->absent) { /* not every one takes a hash here, or has the block under it yet */
        p->wants |= BY_NUMBER;
        return RC_OK;
    }
    if (!p->has_header)
        return err_say(e, RC_NEED_DATA, "the header of their block is missing");
    view_t *raw = arena_calloc(&h->mem, answer->receipt_count, sizeof *raw);
    for (size_t k = 0; raw && k < answer->receipt_count; k++) {
        raw[k] = arena_dup(&h->mem, answer->receipts[k]);
        if (!raw[k].p && answer->receipts[k].n)
            return no_memory(e);
    }
    if (!raw)
        return no_memory(e);
    rc_t rc = ex_receipts_verify(&p->receipts, e, &h->mem, &p->block.header, raw, answer->receipt_count);
    if (rc)
        return rc;
    p->receipt_count = answer->receipt_count;
    p->has_receipts = true;
    keep_receipts(h, &p->block.hash, raw, answer->receipt_count);
    return RC_OK;
}

static rc_t history_give(query_t *q, err_t *e, size_t i, const answer_t *answer)
{
    ex_history_t *h = history_of(q);
    const need_t *need = i < h->need_count ? &h->needs[i] : NULL;
    if (!need || need->kind != answer->kind)
        return err_say(e, RC_BUG, "an answer to something that was not asked for");
    if (h->state == FIND)
        return give_found(h, e, answer);
    if (need->kind == NEED_PROOF)
        return give_anchor(h, e, need, answer);
    if (h->slot_is_zero) /* what came with the proof hangs on nothing, which is nobody's fault; it is asked for again */
        return RC_OK;
    if (need->kind == NEED_RECEIPTS)
        return give_receipts(h, e, need, h->of[i], answer);
    return h->jumping && h->has_jump ? RC_OK : give_header(h, e, h->of[i], answer);
}

static bool history_expects(query_t *q, expected_t *out, size_t i)
{
    ex_history_t *h = history_of(q);
    const need_t *need = i < h->need_count ? &h->needs[i] : NULL;
    *out = (expected_t){ .header = NULL };
    if (!need || h->state == FIND || need->kind == NEED_PROOF)
        return false;
    const ex_past_t *p = &h->blocks[h->of[i]];
    if (need->kind != NEED_RECEIPTS)
        return expected_hash(h, &out->hash, h->of[i]);
    out->hash = p->block.hash;
    out->header = p->has_header ? &p->block.header : NULL;
    return p->has_header;
}

static void history_free(query_t *q)
{
    ex_history_t *h = history_of(q);
    arena_free(&h->work);
    arena_free(&h->mem);
    free(h);
}

rc_t ex_history_new(query_t **out, err_t *e, const ex_history_config_t *c)
{
    static const query_ops_t ops = { history_step, history_needs, history_give, history_free, history_expects, NULL };
    if (c->by == EX_BY_NUMBER && (c->from > c->to || c->to > c->head->env.number))
        return err_say(e, RC_REFUSED, "the block is beyond the head");
    if (c->by == EX_BY_NUMBER && c->to - c->from >= EX_HISTORY_MAX)
        return err_set(e, RC_LIMIT, "more than %u blocks", EX_HISTORY_MAX);
    ex_history_t *h = calloc(1, sizeof *h);
    if (!h)
        return no_memory(e);
    h->query.ops = &ops;
    h->config = *c;
    if (c->by == EX_BY_TRANSACTION)
        h->config.wants |= EX_WANT_BODY;
    h->state = c->by == EX_BY_NUMBER ? LOCATE : FIND;
    h->base = *c->head;
    arena_init(&h->mem, MEMORY_MAX);
    arena_init(&h->work, MEMORY_MAX);
    *out = &h->query;
    return RC_OK;
}

const ex_history_result_t *ex_history_result(const query_t *q)
{
    const ex_history_t *h = const_history_of(q);
    return h->state == DONE ? &h->result : NULL;
}
