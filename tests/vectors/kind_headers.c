/* headers: recorded execution block headers of every fork from London on. Their fields, as JSON-RPC gives them, must
 * hash to the block hash, and their RLP form must decode to the same header. */
#include <string.h>

#include "lightclient/exec/header.h"
#include "tests/vectors/vec.h"

static bool bytes(const json_t *o, const char *key, void *out, size_t n)
{
    return vec_hex_fixed(out, n, vec_str(o, key));
}

static bool word(const json_t *o, const char *key, u256_t *out)
{
    uint8_t b[32];
    bool ok = bytes(o, key, b, sizeof b);
    *out = u256_from_be32(b);
    return ok;
}

static bool number(const json_t *o, const char *key, uint64_t *out)
{
    uint8_t b[8];
    bool ok = bytes(o, key, b, sizeof b);
    *out = load_u64be(b);
    return ok;
}

static bool tail(ex_header_t *h, const json_t *o)
{
    static const char *const key[] = { "baseFeePerGas",         "withdrawalsRoot",
                                       "blobGasUsed",           "excessBlobGas",
                                       "parentBeaconBlockRoot", "requestsHash",
                                       "blockAccessListHash",   "slotNumber" };
    while (h->tail < 8 && vec_str(o, key[h->tail]))
        h->tail++;
    return (h->tail < 1 || word(o, key[0], &h->base_fee)) &&
           (h->tail < 2 || bytes(o, key[1], h->withdrawals_root.b, 32)) &&
           (h->tail < 3 || number(o, key[2], &h->blob_gas_used)) &&
           (h->tail < 4 || number(o, key[3], &h->excess_blob_gas)) &&
           (h->tail < 5 || bytes(o, key[4], h->parent_beacon_root.b, 32)) &&
           (h->tail < 6 || bytes(o, key[5], h->requests_hash.b, 32)) &&
           (h->tail < 7 || bytes(o, key[6], h->block_access_list_hash.b, 32)) &&
           (h->tail < 8 || number(o, key[7], &h->slot_number));
}

static bool read_header(ex_header_t *h, const json_t *o, arena_t *a)
{
    memset(h, 0, sizeof *h);
    view_t extra = vec_hex(a, vec_str(o, "extraData"));
    if (extra.n > EX_EXTRA_DATA_MAX)
        return false;
    if (extra.n)
        memcpy(h->extra_data, extra.p, extra.n);
    h->extra_data_len = (uint8_t)extra.n;
    return bytes(o, "parentHash", h->parent_hash.b, 32) && bytes(o, "sha3Uncles", h->ommers_hash.b, 32) &&
           bytes(o, "miner", h->coinbase.b, 20) && bytes(o, "stateRoot", h->state_root.b, 32) &&
           bytes(o, "transactionsRoot", h->transactions_root.b, 32) &&
           bytes(o, "receiptsRoot", h->receipts_root.b, 32) && bytes(o, "logsBloom", h->logs_bloom, 256) &&
           word(o, "difficulty", &h->difficulty) && number(o, "number", &h->number) &&
           number(o, "gasLimit", &h->gas_limit) && number(o, "gasUsed", &h->gas_used) &&
           number(o, "timestamp", &h->timestamp) && bytes(o, "mixHash", h->mix_hash.b, 32) &&
           bytes(o, "nonce", h->nonce, 8) && tail(h, o);
}

static const char *check(const json_t *fields, const char *hash_text, const char *rlp_text, arena_t *a)
{
    ex_header_t h, again;
    hash32_t hash;
    uint8_t buf[EX_HEADER_RLP_MAX];
    wr_t w = wr_of(buf, sizeof buf);
    if (!read_header(&h, fields, a) || !vec_hex_fixed(hash.b, 32, hash_text))
        return "cannot be read";
    if (ex_header_check(&h, &hash))
        return "another hash";
    ex_header_encode(&w, &h);
    if (rlp_text && !view_eq(wr_view(&w), vec_hex(a, rlp_text)))
        return "encoded wrongly";
    if (ex_header_verify(&again, &hash, wr_view(&w)) || memcmp(&h, &again, sizeof h))
        return "decoded wrongly";
    h.gas_used++;
    if (!ex_header_check(&h, &hash))
        return "altered header accepted";
    return NULL;
}

static void run_case(vec_t *v, const char *file, const json_t *fields, const char *hash_text, const char *rlp_text,
                     arena_t *a)
{
    arena_mark_t mark = arena_mark(a);
    const char *fault = check(fields, hash_text, rlp_text, a);
    if (fault)
        vec_fail(v, file, "block %s: %s", vec_str(fields, "number"), fault);
    else
        vec_pass(v);
    arena_rollback(a, mark);
}

static void run_block(vec_t *v, const char *file, const json_t *block, arena_t *a)
{
    run_case(v, file, block, vec_str(block, "hash"), NULL, a);
}

static bool is_block(const json_t *o)
{
    return vec_str(o, "hash") && vec_str(o, "parentHash") && vec_str(o, "logsBloom") && vec_str(o, "extraData");
}

/* Any JSON file: blocks at its top, one level below, or as the results of recorded exchanges. */
static void run_file(vec_t *v, const char *file, const json_t *root, arena_t *a)
{
    const char *key;
    json_t *entry;
    if (is_block(root))
        run_block(v, file, root, a);
    json_object_foreach ((json_t *)(uintptr_t)root, key, entry) { /* the macro is not const-clean */
        const json_t *inner = json_object_get(entry, "execution_header");
        if (is_block(entry))
            run_block(v, file, entry, a);
        if (is_block(inner))
            run_case(v, file, inner, vec_str(inner, "hash"), vec_str(entry, "execution_header_rlp"), a);
        for (size_t i = 0; i < json_array_size(entry); i++)
            if (is_block(json_array_get(entry, i)))
                run_block(v, file, json_array_get(entry, i), a);
    }
    for (size_t i = 0; i < json_array_size(root); i++) {
        const json_t *result = json_object_get(json_array_get(root, i), "result");
        if (is_block(result))
            run_block(v, file, result, a);
    }
}

/* A list of {json, rlp, hash}, where some members have names of ethereumjs. */
static void run_named(vec_t *v, const char *file, arena_t *a)
{
    static const char *const names[][2] = { { "uncleHash", "sha3Uncles" },
                                            { "coinbase", "miner" },
                                            { "transactionsTrie", "transactionsRoot" },
                                            { "receiptTrie", "receiptsRoot" } };
    json_t *root = vec_json(v, "%s", file);
    for (size_t i = 0; i < json_array_size(root); i++) {
        json_t *entry = json_array_get(root, i), *fields = json_object_get(entry, "json");
        for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
            json_object_set(fields, names[k][1], json_object_get(fields, names[k][0]));
        run_case(v, file, fields, vec_str(entry, "hash"), vec_str(entry, "rlp"), a);
    }
    json_decref(root);
}

void vec_kind_headers(vec_t *v)
{
    static const char *const folders[] = { "rpc-mainnet", "mainnet-calls", "devnet" };
    arena_t a;
    arena_init(&a, 256u << 20);
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        char **files = vec_walk(v, &a, folders[i], ".json");
        for (; files && *files; files++) {
            if (strstr(*files, "/forged/") || strstr(*files, "/beacon/") || strstr(*files, "state.json") ||
                strstr(*files, "/test.json")) /* what another program printed: fields are missing */
                continue;                     /* no blocks, or none that are meant to be right */
            json_t *root = vec_json(v, "%s", *files);
            run_file(v, *files, root, &a);
            json_decref(root);
        }
    }
    char **files = vec_walk(v, &a, "amsterdam", ".json");
    for (; files && *files; files++)
        if (strstr(*files, "/headers-"))
            run_named(v, *files, &a);
    arena_free(&a);
}
