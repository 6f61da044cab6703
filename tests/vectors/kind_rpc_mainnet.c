/* rpc-mainnet: recorded blocks and receipts of mainnet. Their JSON becomes bytes again whose roots are the header's; what
 * we write from those bytes is what was recorded. Beacon blocks give the bytes of transactions by another way. */
#include <stdlib.h>
#include <string.h>

#include "base/crypto/hash.h"
#include "lightclient/mpt/mpt.h"
#include "rpc/api/objects.h"
#include "rpc/upstream/blocks.h"
#include "rpc/upstream/decode.h"
#include "tests/vectors/same.h"
#include "tests/vectors/vec.h"

#define MEMORY_MAX ((size_t)1 << 30)
#define WHY_LEN 400

/* What servers write or leave out. */
static const char *const loose[] = { "totalDifficulty", "blockTimestamp", "size",
                                     "yParity",         "chainId",        "v",
                                     "blobGasPrice",    "blobGasUsed",    "contractAddress",
                                     "withdrawalsRoot", "requestsHash",   NULL };

typedef struct {
    vec_t *v;
    arena_t arena, scratch;
    char why[WHY_LEN];
} run_t;

/* A document of a tree. */
static jo_t open_tree(run_t *r, jo_doc_t *doc, err_t *e, const json_t *tree)
{
    char *text = json_dumps(tree, JSON_COMPACT | JSON_ENCODE_ANY);
    const view_t copy = arena_dup(&r->arena, view_str(text ? text : ""));
    free(text);
    return jo_open(doc, e, copy, SIZE_MAX, JO_STRICT | JO_ANY);
}

static const json_t *result_of(const json_t *file)
{
    const json_t *result = json_is_object(file) ? json_object_get(file, "result") : NULL;
    return result ? result : file;
}

static const char *take_block(run_t *r, ex_full_block_t *b, const json_t *block)
{
    jo_doc_t doc;
    err_t e = { .rc = RC_OK };
    const jo_t o = open_tree(r, &doc, &e, block);
    rc_t rc = jr_read_block(b, &r->arena, &o);
    if (!rc)
        rc = jo_done(&o);
    if (!rc && !vec_fixed(b->hash.b, 32, json_object_get(block, "hash")))
        rc = RC_MALFORMED;
    if (!rc && (rc = ex_header_check(&b->header, &b->hash)))
        err_say(&e, rc, "another hash");
    if (!rc)
        rc = ex_body_verify(&e, &r->arena, b);
    jo_close(&doc);
    snprintf(r->why, sizeof r->why, "%s %s", e.field, e.text);
    return rc ? r->why : NULL;
}

/* What we write, as a tree. */
static json_t *written(jw_t *w)
{
    const view_t text = jw_done(w);
    json_t *tree = text.p ? json_loadb((const char *)text.p, text.n, JSON_DECODE_ANY, NULL) : NULL;
    jw_free(w);
    return tree;
}

static const char *compare(run_t *r, const json_t *want, jw_t *w)
{
    json_t *got = written(w);
    const bool ok = same_json(r->why, sizeof r->why, want, got, loose);
    json_decref(got);
    return ok ? NULL : r->why;
}

static const char *check_block(run_t *r, const json_t *block)
{
    ex_full_block_t b;
    const char *bad = take_block(r, &b, block);
    if (bad)
        return bad;
    const api_block_t at = { .chain = &EVM_MAINNET, .block = &b, .has_body = true };
    jw_t w = jw_of(NULL, 64u << 20);
    api_put_block(&w, NULL, &r->scratch, &at, true);
    bad = compare(r, block, &w);
    if (!bad && json_object_get(block, "size") && vec_u64(vec_str(block, "size")) != ex_block_len(&b))
        bad = "another size";
    const size_t room = ex_block_len(&b);
    wr_t bytes = wr_of(arena_alloc(&r->arena, room), room);
    ex_full_block_t again;
    ex_block_encode(&bytes, &b);
    if (!bad && (bytes.bad || bytes.n != room || ex_block_decode(&again, NULL, &r->arena, wr_view(&bytes)) ||
                 !hash32_eq(&again.hash, &b.hash) || ex_body_verify(NULL, &r->arena, &again)))
        bad = "encoded wrongly";
    return bad;
}

static void note(run_t *r, const char *name, const char *bad)
{
    if (bad)
        vec_fail(r->v, name, "%s", bad);
    else
        vec_pass(r->v);
    arena_free(&r->arena);
    arena_free(&r->scratch);
}

/* ---- receipts ---- */

static const char *take_receipts(run_t *r, const view_t **raw, size_t *count, const json_t *list)
{
    jo_doc_t doc;
    err_t e = { .rc = RC_OK };
    const jo_t o = open_tree(r, &doc, &e, list);
    rc_t rc = jr_read_receipts(raw, count, &r->arena, &o);
    if (!rc)
        rc = jo_done(&o);
    jo_close(&doc);
    snprintf(r->why, sizeof r->why, "%s %s", e.field, e.text);
    return rc ? r->why : NULL;
}

/* Each alone, without a header: bloom, gas and places must agree. */
static const char *check_alone(run_t *r, const json_t *list)
{
    const view_t *raw;
    size_t count, logs = 0;
    uint64_t before = 0;
    const char *bad = take_receipts(r, &raw, &count, list);
    for (size_t i = 0; !bad && i < count; i++) {
        ex_receipt_t x;
        view_t again;
        const json_t *o = json_array_get(list, i), *theirs = json_object_get(o, "logs");
        if (ex_receipt_decode(&x, NULL, &r->arena, raw[i]))
            return "does not decode";
        if (ex_receipt_encode(&again, &r->arena, &x) || !view_eq(again, raw[i]))
            return "encoded wrongly";
        if (x.cumulative_gas - before != vec_u64(vec_str(o, "gasUsed")))
            return "another gas used";
        for (size_t k = 0; k < x.log_count; k++, logs++)
            if (vec_u64(vec_str(json_array_get(theirs, k), "logIndex")) != logs)
                return "another log index";
        before = x.cumulative_gas;
    }
    return bad;
}

/* Under a header's roots. */
static const char *check_under(run_t *r, const ex_header_t *h, const json_t *list)
{
    const view_t *raw;
    const ex_receipt_t *receipts;
    size_t count;
    err_t e = { .rc = RC_OK };
    const char *bad = take_receipts(r, &raw, &count, list);
    if (!bad && ex_receipts_verify(&receipts, &e, &r->arena, h, raw, count)) {
        snprintf(r->why, sizeof r->why, "%s", e.text);
        bad = r->why;
    }
    return bad;
}

static const char *check_pair(run_t *r, const json_t *block, const json_t *list)
{
    ex_header_t h;
    hash32_t hash;
    jo_doc_t doc;
    err_t e;
    const jo_t o = open_tree(r, &doc, &e, block);
    const rc_t rc = jr_read_header(&h, &o);
    jo_close(&doc);
    if (rc || !vec_fixed(hash.b, 32, json_object_get(block, "hash")) || ex_header_check(&h, &hash))
        return "the header";
    const char *bad = check_under(r, &h, list);
    return bad ? bad : check_alone(r, list);
}

/* ---- beacon blocks ---- */

static uint32_t offset_at(view_t v, size_t at)
{
    rd_t rd = rd_of(v);
    (void)rd_take(&rd, at);
    return rd_u32le(&rd);
}

/* The part of v from the offset that stands at `at`. */
static view_t from(view_t v, size_t at)
{
    const uint32_t offset = offset_at(v, at);
    return offset <= v.n && v.n >= at + 4 ? view_of(v.p + offset, v.n - offset) : view_of(NULL, 0);
}

/* Transactions and withdrawals of the execution payload in a SignedBeaconBlock of Deneb or later. */
static bool take_payload(run_t *r, ex_full_block_t *b, view_t ssz)
{
    enum { BODY_AT = 80, PAYLOAD_AT = 380, EXTRA_AT = 436, TRANSACTIONS_AT = 504, WITHDRAWALS_AT = 508, ROW = 44 };
    const view_t payload = from(from(from(ssz, 0), BODY_AT), PAYLOAD_AT), tail = from(payload, WITHDRAWALS_AT);
    view_t txs = from(payload, TRANSACTIONS_AT);
    if (!payload.n || !txs.n || offset_at(payload, EXTRA_AT) > payload.n)
        return false;
    txs.n = (size_t)(tail.p - txs.p);
    b->transaction_count = txs.n ? offset_at(txs, 0) / 4 : 0;
    view_t *all = arena_calloc(&r->arena, b->transaction_count, sizeof *all);
    for (size_t i = 0; i < b->transaction_count; i++) {
        const size_t at = offset_at(txs, 4 * i), end = i + 1 < b->transaction_count ? offset_at(txs, 4 * i + 4) : txs.n;
        if (at > end || end > txs.n)
            return false;
        all[i] = view_of(txs.p + at, end - at);
    }
    b->transactions = all;
    b->has_withdrawals = true;
    b->withdrawal_count = 16;
    ex_withdrawal_t *rows = arena_calloc(&r->arena, b->withdrawal_count, sizeof *rows);
    rd_t rd = rd_of(tail);
    for (size_t i = 0; i < b->withdrawal_count; i++) {
        rows[i].index = rd_u64le(&rd);
        rows[i].validator = rd_u64le(&rd);
        rd_copy(&rd, rows[i].addr.b, 20);
        rows[i].amount = rd_u64le(&rd);
    }
    b->withdrawals = rows;
    return !rd.bad;
}

static const char *take_beacon(run_t *r, ex_full_block_t *b, const char *folder, const char *file, const json_t *entry)
{
    const json_t *header = json_object_get(entry, "execution_header");
    jo_doc_t doc;
    err_t e;
    *b = (ex_full_block_t){ .rlp_len = 0 };
    const jo_t o = open_tree(r, &doc, &e, header);
    const rc_t rc = jr_read_header(&b->header, &o);
    jo_close(&doc);
    if (rc || !vec_fixed(b->hash.b, 32, json_object_get(header, "hash")) || ex_header_check(&b->header, &b->hash))
        return "the header";
    if (!take_payload(r, b, vec_read(r->v, &r->arena, "rpc-mainnet/%s/%s", folder, file)))
        return "the beacon block";
    if (ex_body_verify(NULL, &r->arena, b))
        return "another transactions or withdrawals root";
    return NULL;
}

/* Index of the transaction with a hash. */
static size_t find(const ex_full_block_t *b, const json_t *hash)
{
    hash32_t want, got;
    size_t i = b->transaction_count;
    if (vec_fixed(want.b, 32, hash))
        for (i = 0; i < b->transaction_count; i++) {
            keccak256(&got, b->transactions[i]);
            if (hash32_eq(&want, &got))
                break;
        }
    return i;
}

/* The receipts of the block that a folder has recorded. */
static json_t *recorded_receipts(run_t *r, const char *folder, uint64_t number)
{
    return vec_json(r->v, "rpc-mainnet/%s/eth_getBlockReceipts_0x%llx.json", folder, (unsigned long long)number);
}

static const char *check_receipts(run_t *r, api_block_t *at, const char *folder, const json_t *test)
{
    json_t *file = recorded_receipts(r, folder, at->block->header.number);
    const json_t *want = json_object_get(test, "expected_result");
    const view_t *raw;
    size_t count;
    err_t e = { .rc = RC_OK };
    const char *bad = file ? take_receipts(r, &raw, &count, result_of(file)) : "no receipts";
    if (!bad && ex_receipts_verify(&at->receipts, &e, &r->arena, &at->block->header, raw, count))
        bad = "the receipts do not verify";
    jw_t w = jw_of(NULL, 64u << 20);
    if (!bad && json_is_object(want)) {
        api_put_receipt(&w, NULL, &r->scratch, at, find(at->block, json_object_get(want, "transactionHash")));
        bad = compare(r, want, &w);
    } else if (!bad) {
        api_put_receipts(&w, NULL, &r->scratch, at);
        bad = compare(r, result_of(file), &w);
    } else
        jw_free(&w);
    json_decref(file);
    return bad;
}

static const char *check_case(run_t *r, const char *folder, const json_t *test, const ex_full_block_t *b)
{
    const char *method = vec_str(test, "method");
    json_t *want = json_object_get(test, "expected_result");
    api_block_t at = { .chain = &EVM_MAINNET, .block = b, .has_body = true };
    jw_t w = jw_of(NULL, 64u << 20);
    if (!strncmp(method, "eth_getBlockBy", 14)) {
        json_object_del(want, "withdrawalsRoot"); /* the recorder put the SSZ root there; the hash binds ours */
        api_put_block(&w, NULL, &r->scratch, &at, json_is_true(json_array_get(json_object_get(test, "params"), 1)));
        return compare(r, want, &w);
    }
    if (!strncmp(method, "eth_getTransactionBy", 20)) {
        api_put_transaction(&w, NULL, &r->scratch, &at, find(b, json_object_get(want, "hash")));
        return compare(r, want, &w);
    }
    return check_receipts(r, &at, folder, test);
}

/* A case whose answer is about a block, of which the folder has the beacon block. */
static void run_folder(run_t *r, const char *folder)
{
    json_t *test = vec_json(r->v, "rpc-mainnet/%s/test.json", folder);
    json_t *blocks = vec_json(r->v, "rpc-mainnet/%s/beacon-blocks.json", folder), *entry;
    const json_t *want = json_object_get(test, "expected_result"),
                 *one = json_is_array(want) ? json_array_get(want, 0) : want;
    const json_t *hash =
        json_object_get(one, "blockHash") ? json_object_get(one, "blockHash") : json_object_get(one, "hash");
    const char *key, *bad = "the folder has no such block";
    if (hash)
        json_object_foreach (blocks, key, entry) {
            ex_full_block_t b;
            if (!json_equal(json_object_get(json_object_get(entry, "execution_header"), "hash"), hash))
                continue;
            bad = take_beacon(r, &b, folder, key, entry);
            if (!bad)
                bad = check_case(r, folder, test, &b);
            break;
        }
    if (hash)
        note(r, folder, bad);
    json_decref(test);
    json_decref(blocks);
}

static void run_file(run_t *r, const char *folder, const char *name)
{
    json_t *file = vec_json(r->v, "rpc-mainnet/%s/%s", folder, name);
    const json_t *result = result_of(file);
    if (json_is_array(result))
        note(r, name, check_alone(r, result));
    else if (json_is_object(json_array_get(json_object_get(result, "transactions"), 0)))
        note(r, name, check_block(r, result));
    json_decref(file);
}

static void run_pair(run_t *r, const char *block, const char *receipts)
{
    json_t *b = vec_json(r->v, "rpc-mainnet/%s", block), *list = vec_json(r->v, "rpc-mainnet/%s", receipts);
    if (b && list)
        note(r, receipts, check_pair(r, result_of(b), result_of(list)));
    json_decref(b);
    json_decref(list);
}

void vec_kind_rpc_mainnet(vec_t *v)
{
    static const char *const folders[] = { "blocks", "block-receipts" };
    run_t r = { .v = v };
    arena_t names;
    arena_init(&r.arena, MEMORY_MAX);
    arena_init(&r.scratch, MEMORY_MAX);
    arena_init(&names, MEMORY_MAX);
    for (size_t i = 0; i < 2; i++)
        for (char **n = vec_list(v, &names, "rpc-mainnet/%s", folders[i]); n && *n; n++)
            run_file(&r, folders[i], *n);
    for (char **n = vec_list(v, &names, "rpc-mainnet"); n && *n; n++)
        run_folder(&r, *n);
    run_pair(&r, "block-receipts/colibri-block.json", "block-receipts/colibri-block_receipts.json");
    run_pair(&r, "helios-deposit-contract/rpc/block.json", "helios-deposit-contract/rpc/receipts.json");
    arena_free(&names);
}
