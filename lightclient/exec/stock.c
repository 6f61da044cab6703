#include "lightclient/exec/stock.h"

#include <stdlib.h>

#include "base/crypto/hash.h"

#define NUMBER_LEN 8u

/* A code, a header, a block or a list of receipts. */
typedef struct {
    view_t bytes;
    ex_full_block_t block; /* of a header only that */
    ex_stock_receipts_t receipts;
    bool used;
} item_t;

static map_t *map_of(ex_stock_t *s, ex_stock_kind_t kind)
{
    switch (kind) {
    case EX_STOCK_HEADER: return &s->headers;
    case EX_STOCK_NODE: return &s->nodes.nodes;
    case EX_STOCK_CODE: return &s->codes;
    case EX_STOCK_BLOCK: return &s->blocks;
    case EX_STOCK_RECEIPTS:
    case EX_STOCK_KINDS: break;
    }
    return &s->receipts;
}

rc_t ex_stock_init(ex_stock_t *s, arena_t *a, const uint64_t seed[2])
{
    map_t *const maps[] = { &s->codes, &s->headers, &s->blocks, &s->receipts };
    s->arena = a;
    rc_t rc = mpt_known_init(&s->nodes, a, seed);
    for (size_t i = 0; !rc && i < sizeof maps / sizeof maps[0]; i++)
        rc = map_init(maps[i], a, seed, sizeof(hash32_t), sizeof(item_t));
    return rc ? rc : map_init(&s->numbers, a, seed, NUMBER_LEN, sizeof(hash32_t));
}

/* ---- what is put in ---- */

static rc_t put(ex_stock_t *s, err_t *e, ex_stock_kind_t kind, const hash32_t *hash, const item_t *item)
{
    map_t *m = map_of(s, kind);
    bool is_new;
    if (map_get(m, hash->b, sizeof hash->b))
        return err_say(e, RC_REPLAY, "is there already");
    if (m->count >= EX_STOCK_ITEMS_MAX)
        return err_say(e, RC_LIMIT, "too many");
    item_t *at = map_put(m, &is_new, hash->b, sizeof hash->b);
    if (!at)
        return err_say(e, RC_NOMEM, "out of memory");
    *at = *item;
    return RC_OK;
}

static rc_t copy(ex_stock_t *s, err_t *e, view_t *bytes)
{
    const view_t own = arena_dup(s->arena, *bytes);
    if (!own.p)
        return err_say(e, RC_NOMEM, "out of memory");
    *bytes = own;
    return RC_OK;
}

/* One block has a number. */
static rc_t put_number(ex_stock_t *s, err_t *e, uint64_t number, const hash32_t *hash)
{
    uint8_t key[NUMBER_LEN];
    bool is_new;
    store_u64be(key, number);
    hash32_t *at = map_put(&s->numbers, &is_new, key, sizeof key);
    if (!at)
        return err_say(e, RC_NOMEM, "out of memory");
    if (!is_new && !hash32_eq(at, hash))
        return err_say(e, RC_REFUSED, "another block has its number");
    *at = *hash;
    return RC_OK;
}

static rc_t add_node(ex_stock_t *s, err_t *e, view_t bytes)
{
    hash32_t hash;
    keccak256(&hash, bytes);
    if (map_get(&s->nodes.nodes, hash.b, sizeof hash.b))
        return err_say(e, RC_REPLAY, "is there already");
    if (!bytes.n || bytes.n > MPT_NODE_LEN_MAX || s->nodes.nodes.count >= EX_STOCK_ITEMS_MAX)
        return err_say(e, RC_LIMIT, "an empty node, a too long one, or too many");
    return mpt_known_add(&s->nodes, bytes) ? err_say(e, RC_NOMEM, "out of memory") : RC_OK;
}

static rc_t add_code(ex_stock_t *s, err_t *e, view_t bytes)
{
    item_t item = { .bytes = bytes };
    hash32_t hash;
    if (!bytes.n || bytes.n > EX_CODE_MAX)
        return err_say(e, RC_LIMIT, "empty, or longer than any contract's");
    keccak256(&hash, bytes);
    const rc_t rc = copy(s, e, &item.bytes);
    return rc ? rc : put(s, e, EX_STOCK_CODE, &hash, &item);
}

static rc_t add_header(ex_stock_t *s, err_t *e, view_t bytes)
{
    item_t item = { .bytes = bytes };
    keccak256(&item.block.hash, bytes);
    const rc_t read = ex_header_verify(&item.block.header, &item.block.hash, bytes);
    if (read)
        return err_say(e, read, "is no header");
    rc_t rc = copy(s, e, &item.bytes);
    if (!rc)
        rc = put_number(s, e, item.block.header.number, &item.block.hash);
    return rc ? rc : put(s, e, EX_STOCK_HEADER, &item.block.hash, &item);
}

static rc_t add_block(ex_stock_t *s, err_t *e, view_t bytes)
{
    item_t item = { .bytes = bytes };
    if (bytes.n > EX_BLOCK_RLP_MAX)
        return err_say(e, RC_LIMIT, "is longer than any block");
    rc_t rc = copy(s, e, &item.bytes);
    if (!rc)
        rc = ex_block_decode(&item.block, e, s->arena, item.bytes);
    if (!rc)
        rc = put_number(s, e, item.block.header.number, &item.block.hash);
    return rc ? rc : put(s, e, EX_STOCK_BLOCK, &item.block.hash, &item);
}

rc_t ex_stock_add(ex_stock_t *s, err_t *e, ex_stock_kind_t kind, view_t bytes)
{
    switch (kind) {
    case EX_STOCK_HEADER: return add_header(s, e, bytes);
    case EX_STOCK_NODE: return add_node(s, e, bytes);
    case EX_STOCK_CODE: return add_code(s, e, bytes);
    case EX_STOCK_BLOCK: return add_block(s, e, bytes);
    case EX_STOCK_RECEIPTS:
    case EX_STOCK_KINDS: break;
    }
    return err_say(e, RC_BUG, "of no such kind");
}

rc_t ex_stock_add_receipts(ex_stock_t *s, err_t *e, const view_t *list, size_t count)
{
    item_t item = { .receipts.count = count };
    hash32_t root;
    if (count > EX_STOCK_ITEMS_MAX)
        return err_say(e, RC_LIMIT, "too many receipts");
    view_t *own = arena_calloc(s->arena, count, sizeof *own);
    if (!own)
        return err_say(e, RC_NOMEM, "out of memory");
    for (size_t i = 0; i < count; i++) {
        own[i] = list[i];
        if (!own[i].n)
            return err_say(e, RC_MALFORMED, "an empty receipt");
        if (copy(s, e, &own[i]))
            return RC_NOMEM;
    }
    item.receipts.at = own;
    if (mpt_list_root(&root, own, count, s->arena))
        return err_say(e, RC_NOMEM, "out of memory");
    return put(s, e, EX_STOCK_RECEIPTS, &root, &item);
}

/* ---- what a query has taken ---- */

static rc_t take_nodes(ex_stock_t *s, ex_nodes_t nodes)
{
    rc_t rc = RC_OK;
    for (size_t i = 0; !rc && i < nodes.count; i++) {
        rc = nodes.nodes[i].n ? add_node(s, NULL, nodes.nodes[i]) : RC_OK;
        rc = rc == RC_REPLAY ? RC_OK : rc;
    }
    return rc;
}

static rc_t take_proof(ex_stock_t *s, const ex_proof_answer_t *proof)
{
    rc_t rc = take_nodes(s, proof->account_proof);
    for (size_t i = 0; !rc && i < proof->slot_count; i++)
        rc = take_nodes(s, proof->slots[i].proof);
    return rc;
}

static rc_t take_header(ex_stock_t *s, const ex_header_t *header)
{
    uint8_t room[EX_HEADER_RLP_MAX];
    wr_t w = wr_of(room, sizeof room);
    ex_header_encode(&w, header);
    return w.bad ? RC_BUG : add_header(s, NULL, wr_view(&w));
}

static rc_t take_block(ex_stock_t *s, const ex_full_block_t *b)
{
    const size_t room = ex_block_len(b);
    wr_t w = wr_of(arena_alloc(s->arena, room), room);
    if (!w.p)
        return RC_NOMEM;
    ex_block_encode(&w, b);
    return w.bad ? RC_BUG : add_block(s, NULL, wr_view(&w));
}

rc_t ex_stock_take(ex_stock_t *s, const need_t *need, const answer_t *answer)
{
    rc_t rc = RC_OK;
    if (answer->absent)
        return RC_OK;
    if (need->kind == NEED_PROOF)
        rc = take_proof(s, &answer->proof);
    else if (need->kind == NEED_CODE && answer->code.n)
        rc = add_code(s, NULL, answer->code);
    else if (need->kind == NEED_HEADER || need->kind == NEED_HEAD)
        rc = take_header(s, &answer->header);
    else if (need->kind == NEED_BLOCK)
        rc = take_block(s, &answer->block);
    else if (need->kind == NEED_RECEIPTS)
        rc = ex_stock_add_receipts(s, NULL, answer->receipts, answer->receipt_count);
    return rc == RC_REPLAY ? RC_OK : rc;
}

/* ---- answers ---- */

/* A path from a root to where the key ends; count nodes of it, and their bytes. */
typedef struct {
    mpt_known_node_t *node[MPT_PROOF_NODES_MAX];
    ex_nodes_t shown;
} path_t;

static rc_t find_path(ex_stock_t *s, path_t *out, arena_t *a, const hash32_t *root, view_t name)
{
    mpt_gap_t gap;
    hash32_t key;
    keccak256(&key, name);
    rc_t rc = mpt_known_prove(out->node, &out->shown.count, &gap, &s->nodes, root, &key);
    if (rc)
        return rc;
    view_t *bytes = arena_calloc(a, out->shown.count, sizeof *bytes);
    if (!bytes)
        return RC_NOMEM;
    for (size_t i = 0; i < out->shown.count; i++)
        bytes[i] = out->node[i]->bytes;
    out->shown.nodes = bytes;
    return RC_OK;
}

static void use(const path_t *p)
{
    for (size_t i = 0; i < p->shown.count; i++)
        p->node[i]->used = true;
}

static rc_t find_account(ex_stock_t *s, mpt_account_t *out, path_t *path, arena_t *a, const need_t *need)
{
    const hash32_t *root = &need->block->state_root;
    const rc_t rc = find_path(s, path, a, root, view_of(need->addr.b, sizeof need->addr.b));
    return rc ? rc : mpt_verify_account(out, root, &need->addr, path->shown.nodes, path->shown.count);
}

static rc_t answer_slot(ex_stock_t *s, ex_slot_answer_t *out, path_t *path, arena_t *a, const hash32_t *root,
                        const hash32_t *slot)
{
    rc_t rc = find_path(s, path, a, root, view_of(slot->b, sizeof slot->b));
    if (!rc)
        rc = mpt_verify_slot(&out->value, root, slot, path->shown.nodes, path->shown.count);
    out->key = u256_from_be32(slot->b);
    out->proof = path->shown;
    return rc;
}

/* All or nothing: what is missing for one slot leaves the rest unused. */
static rc_t answer_proof(ex_stock_t *s, answer_t *out, arena_t *a, const need_t *need)
{
    ex_proof_answer_t *p = &out->proof;
    const size_t count = need->slot_count;
    mpt_account_t account;
    path_t *paths = arena_calloc(a, count + 1, sizeof *paths);
    p->slots = arena_calloc(a, count, sizeof *p->slots);
    if (!paths || !p->slots)
        return RC_NOMEM;
    rc_t rc = find_account(s, &account, &paths[count], a, need);
    for (size_t i = 0; !rc && i < count; i++)
        rc = answer_slot(s, &p->slots[i], &paths[i], a, &account.storage_root, &need->slots[i]);
    if (rc)
        return rc;
    for (size_t i = 0; i <= count; i++)
        use(&paths[i]);
    p->address = need->addr;
    p->nonce = account.nonce;
    p->balance = account.balance;
    p->code_hash = account.code_hash;
    p->storage_hash = account.storage_root;
    p->account_proof = paths[count].shown;
    p->slot_count = count;
    return RC_OK;
}

static rc_t answer_code(ex_stock_t *s, answer_t *out, ex_stock_kind_t *lacks, arena_t *a, const need_t *need)
{
    mpt_account_t account;
    path_t path;
    const rc_t rc = find_account(s, &account, &path, a, need);
    if (rc || hash32_eq(&account.code_hash, &KECCAK_EMPTY))
        return rc;
    item_t *code = map_get(&s->codes, account.code_hash.b, sizeof account.code_hash.b);
    *lacks = EX_STOCK_CODE;
    if (!code)
        return RC_NEED_DATA;
    code->used = true;
    out->code = code->bytes;
    return RC_OK;
}

/* The hash of the block that a need names by its hash, or without one by its number. */
static const hash32_t *hash_of(const ex_stock_t *s, const need_t *need)
{
    uint8_t key[NUMBER_LEN];
    if (!hash32_is_zero(&need->hash))
        return &need->hash;
    store_u64be(key, need->number);
    return map_get(&s->numbers, key, sizeof key);
}

/* Where a header stands: in its whole block, or alone. */
static item_t *find_header(const ex_stock_t *s, const hash32_t *hash)
{
    item_t *block = hash ? map_get(&s->blocks, hash->b, sizeof hash->b) : NULL;
    return block || !hash ? block : map_get(&s->headers, hash->b, sizeof hash->b);
}

static rc_t answer_header(ex_stock_t *s, answer_t *out, const hash32_t *hash)
{
    item_t *header = find_header(s, hash);
    if (!header)
        return RC_NEED_DATA;
    header->used = true;
    out->header = header->block.header;
    return RC_OK;
}

static rc_t answer_block(ex_stock_t *s, answer_t *out, ex_stock_kind_t *lacks, const hash32_t *hash)
{
    item_t *block = hash ? map_get(&s->blocks, hash->b, sizeof hash->b) : NULL;
    *lacks = EX_STOCK_BLOCK;
    if (!block)
        return RC_NEED_DATA;
    block->used = true;
    out->block = block->block;
    return RC_OK;
}

static rc_t answer_receipts(ex_stock_t *s, answer_t *out, ex_stock_kind_t *lacks, const hash32_t *hash)
{
    const item_t *header = find_header(s, hash);
    if (!header)
        return RC_NEED_DATA;
    const hash32_t *root = &header->block.header.receipts_root;
    item_t *receipts = map_get(&s->receipts, root->b, sizeof root->b);
    *lacks = EX_STOCK_RECEIPTS;
    if (!receipts)
        return RC_NEED_DATA;
    receipts->used = true;
    out->receipts = receipts->receipts.at;
    out->receipt_count = receipts->receipts.count;
    return RC_OK;
}

static rc_t answer_where(ex_stock_t *s, answer_t *out, ex_stock_kind_t *lacks, const hash32_t *tx_hash)
{
    *lacks = EX_STOCK_BLOCK;
    for (const item_t *block = map_first(&s->blocks); block; block = map_next(block))
        for (size_t i = 0; i < block->block.transaction_count; i++) {
            hash32_t hash;
            keccak256(&hash, block->block.transactions[i]);
            if (!hash32_eq(&hash, tx_hash))
                continue;
            out->number = block->block.header.number;
            out->hash = block->block.hash;
            return RC_OK;
        }
    return RC_NEED_DATA;
}

static const hash32_t *head_hash(const need_t *need)
{
    return &need->block->block_hash;
}

rc_t ex_stock_answer(ex_stock_t *s, answer_t *out, ex_stock_kind_t *lacks, arena_t *a, const need_t *need)
{
    answer_t answer = { .kind = need->kind };
    rc_t rc = RC_UNSUPPORTED;
    *lacks = need->kind == NEED_PROOF || need->kind == NEED_CODE ? EX_STOCK_NODE : EX_STOCK_HEADER;
    switch (need->kind) {
    case NEED_PROOF: rc = answer_proof(s, &answer, a, need); break;
    case NEED_CODE: rc = answer_code(s, &answer, lacks, a, need); break;
    case NEED_HEADER: rc = answer_header(s, &answer, hash_of(s, need)); break;
    case NEED_HEAD: rc = answer_header(s, &answer, head_hash(need)); break;
    case NEED_BLOCK: rc = answer_block(s, &answer, lacks, hash_of(s, need)); break;
    case NEED_RECEIPTS: rc = answer_receipts(s, &answer, lacks, hash_of(s, need)); break;
    case NEED_WHERE: rc = answer_where(s, &answer, lacks, &need->hash); break;
    case NEED_HINT:
    case NEED_HEAD_BYTES:
    case NEED_CHANGES:
    case NEED_SEND: break;
    }
    if (!rc)
        *out = answer;
    return rc;
}

/* ---- what was used ---- */

size_t ex_stock_unused(const ex_stock_t *s, ex_stock_kind_t kind)
{
    const map_t *m = map_of((ex_stock_t *)(uintptr_t)s, kind);
    size_t n = 0;
    if (kind == EX_STOCK_NODE)
        for (const mpt_known_node_t *x = map_first(m); x; x = map_next(x))
            n += !x->used;
    else
        for (const item_t *x = map_first(m); x; x = map_next(x))
            n += !x->used;
    return n;
}

typedef struct {
    view_t order; /* by which it stands in its list */
    const item_t *item;
    view_t bytes;
} row_t;

static int by_order(const void *a, const void *b)
{
    const view_t x = ((const row_t *)a)->order, y = ((const row_t *)b)->order;
    const int d = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);
    return d ? d : (x.n > y.n) - (x.n < y.n);
}

static view_t number_text(arena_t *a, uint64_t number)
{
    uint8_t *b = arena_alloc(a, NUMBER_LEN);
    if (b)
        store_u64be(b, number);
    return view_of(b, b ? NUMBER_LEN : 0);
}

/* Those that were used, in order. */
static rc_t rows_of(const ex_stock_t *s, row_t **out, size_t *count, arena_t *a, ex_stock_kind_t kind)
{
    const map_t *m = map_of((ex_stock_t *)(uintptr_t)s, kind);
    const bool by_number = kind == EX_STOCK_HEADER || kind == EX_STOCK_BLOCK;
    row_t *rows = arena_calloc(a, m->count, sizeof *rows);
    size_t n = 0;
    if (!rows)
        return RC_NOMEM;
    for (const void *x = map_first(m); x; x = map_next(x)) {
        const mpt_known_node_t *node = kind == EX_STOCK_NODE ? x : NULL;
        const item_t *item = node ? NULL : x;
        if (node ? !node->used : !item->used)
            continue;
        row_t *r = &rows[n++];
        *r = (row_t){ .item = item, .bytes = node ? node->bytes : item->bytes };
        r->order = by_number                   ? number_text(a, item->block.header.number)
                   : kind == EX_STOCK_RECEIPTS ? view_of(map_key(m, x), sizeof(hash32_t))
                                               : r->bytes;
        if (!r->order.p)
            return RC_NOMEM;
    }
    qsort(rows, n, sizeof *rows, by_order);
    *out = rows;
    *count = n;
    return RC_OK;
}

rc_t ex_stock_list(const ex_stock_t *s, view_t **out, size_t *count, arena_t *a, ex_stock_kind_t kind)
{
    row_t *rows;
    size_t n;
    if (rows_of(s, &rows, &n, a, kind))
        return RC_NOMEM;
    view_t *list = arena_calloc(a, n, sizeof *list);
    if (!list)
        return RC_NOMEM;
    for (size_t i = 0; i < n; i++)
        list[i] = rows[i].bytes;
    *out = list;
    *count = n;
    return RC_OK;
}

rc_t ex_stock_list_receipts(const ex_stock_t *s, ex_stock_receipts_t **out, size_t *count, arena_t *a)
{
    row_t *rows;
    size_t n;
    if (rows_of(s, &rows, &n, a, EX_STOCK_RECEIPTS))
        return RC_NOMEM;
    ex_stock_receipts_t *list = arena_calloc(a, n, sizeof *list);
    if (!list)
        return RC_NOMEM;
    for (size_t i = 0; i < n; i++)
        list[i] = rows[i].item->receipts;
    *out = list;
    *count = n;
    return RC_OK;
}
