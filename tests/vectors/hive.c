#include "tests/vectors/hive.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "base/map.h"
#include "lightclient/exec/history.h"
#include "lightclient/rlp/rlp.h"
#include "rpc/api/objects.h"

#define MEMORY_MAX ((size_t)2 << 30)
#define BLOCKS_MAX 64u
#define CHAIN_ID 3503995874084926u

static const evm_schedule_row_t rows[] = {
    { 0, { EVM_BERLIN, 0, 0, 0, NULL } },           { 270, { EVM_LONDON, 0, 0, 0, NULL } },
    { 360, { EVM_PARIS, 0, 0, 0, NULL } },          { 390, { EVM_SHANGHAI, 0, 0, 0, NULL } },
    { 420, { EVM_CANCUN, 3, 6, 3338477, NULL } },   { 450, { EVM_PRAGUE, 6, 9, 5007716, NULL } },
    { 480, { EVM_OSAKA, 6, 9, 5007716, NULL } },    { 510, { EVM_OSAKA, 10, 15, 8346193, NULL } },
    { 540, { EVM_OSAKA, 14, 21, 11684671, NULL } },
};
static const evm_chain_t CHAIN = { CHAIN_ID, rows, sizeof rows / sizeof rows[0] };

struct hive {
    arena_t arena;
    ex_full_block_t blocks[BLOCKS_MAX];
    const ex_receipt_t *receipts[BLOCKS_MAX];
    size_t count;
    map_t nodes, codes; /* view_t by hash */
    addr_t deposit_contract;
    api_world_t world;
    upstream_t upstream;
};

/* ---- reading ---- */

static bool put_bytes(map_t *m, arena_t *a, const json_t *hex)
{
    const view_t bytes = vec_hex(a, json_string_value(hex));
    hash32_t hash;
    keccak256(&hash, bytes);
    view_t *at = map_put(m, NULL, hash.b, sizeof hash.b);
    if (at)
        *at = bytes;
    return at && bytes.p;
}

/* Values of a list or an object of hex texts, by their hash. */
static bool read_bytes(hive_t *h, vec_t *v, map_t *m, const char *file)
{
    static const uint64_t seed[2] = { 1, 2 };
    const char *key;
    json_t *tree = vec_json(v, "rpc-hive-state/%s", file), *x;
    bool ok = tree && !map_init(m, &h->arena, seed, sizeof(hash32_t), sizeof(view_t));
    for (size_t i = 0; ok && i < json_array_size(tree); i++)
        ok = put_bytes(m, &h->arena, json_array_get(tree, i));
    if (json_is_object(tree))
        json_object_foreach (tree, key, x)
            ok = ok && put_bytes(m, &h->arena, x);
    json_decref(tree);
    return ok;
}

/* A block without its ommers, which JSON has only by hash. */
static view_t without_ommers(hive_t *h, view_t rlp)
{
    const size_t room = rlp.n + 16;
    wr_t w = wr_of(arena_alloc(&h->arena, room), room);
    rlp_item_t list, f[4];
    size_t n = 0;
    if (rlp_decode(&list, rlp) || rlp_split(f, &n, 4, list.payload) || n < 3)
        return view_of(NULL, 0);
    for (size_t i = 0; i < n; i++)
        if (i == 2)
            rlp_put_list_prefix(&w, 0);
        else
            wr_bytes(&w, f[i].whole.p, f[i].whole.n);
    rlp_wrap_list(&w, 0);
    return wr_view(&w);
}

/* The first block, which the file does not hold. */
static const char *make_genesis(hive_t *h, vec_t *v, const json_t *state_root)
{
    json_t *g = vec_json(v, "rpc-hive/chain/genesis.json");
    ex_full_block_t *b = &h->blocks[0];
    ex_header_t *x = &b->header;
    const view_t extra = vec_hex(&h->arena, vec_str(g, "extraData"));
    x->ommers_hash = EX_NO_OMMERS;
    x->transactions_root = x->receipts_root = EMPTY_TRIE_ROOT;
    x->difficulty = u256_of(vec_u64(vec_str(g, "difficulty")));
    x->gas_limit = vec_u64(vec_str(g, "gasLimit"));
    x->extra_data_len = (uint8_t)extra.n;
    memcpy(x->extra_data, extra.p, extra.n);
    const bool ok = vec_fixed(x->state_root.b, 32, state_root);
    json_decref(g);
    ex_header_hash(&b->hash, x);
    return ok && hash32_eq(&b->hash, &h->blocks[1].header.parent_hash) ? NULL : "the genesis block has another hash";
}

static const char *read_chain(hive_t *h, vec_t *v)
{
    view_t rest = vec_read(v, &h->arena, "rpc-hive/chain/chain.rlp");
    h->count = 1;
    while (rest.n && h->count < BLOCKS_MAX) {
        rlp_item_t item;
        if (rlp_next(&item, &rest) ||
            ex_block_decode(&h->blocks[h->count], NULL, &h->arena, without_ommers(h, item.whole)))
            return "a block of the chain does not decode";
        h->count++;
    }
    return h->count > 1 ? NULL : "no chain";
}

static const char *read_receipts(hive_t *h, vec_t *v)
{
    char command[4200];
    snprintf(command, sizeof command, "xz -dc '%s/rpc-hive-state/blocks.json.xz'", v->dir);
    FILE *f = popen(command, "r");
    json_t *tree = f ? json_loadf(f, 0, NULL) : NULL;
    const char *bad = tree ? NULL : "no receipts";
    if (f)
        pclose(f);
    if (!bad)
        bad = make_genesis(h, v, json_object_get(json_array_get(tree, 0), "stateRoot"));
    for (size_t i = 0; i < json_array_size(tree) && !bad; i++) {
        const json_t *entry = json_array_get(tree, i), *list = json_object_get(entry, "receipts");
        const size_t n = (size_t)json_integer_value(json_object_get(entry, "number"));
        view_t *raw = arena_calloc(&h->arena, json_array_size(list), sizeof *raw);
        for (size_t k = 0; k < json_array_size(list); k++)
            raw[k] = vec_hex(&h->arena, json_string_value(json_array_get(list, k)));
        if (n >= h->count ||
            ex_receipts_verify(&h->receipts[n], NULL, &h->arena, &h->blocks[n].header, raw, json_array_size(list)))
            bad = "receipts do not verify";
    }
    json_decref(tree);
    return bad;
}

/* EIP-2124: of the genesis block and the forks by number, which rpc-hive/chain/genesis.json has. */
static uint32_t fork_id(const hive_t *h)
{
    static const uint8_t forks[] = { 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 33, 36 };
    uint32_t crc = ~0u;
    for (size_t i = 0; i < 32 + 8 * sizeof forks; i++) {
        const size_t at = i - 32;
        crc ^= i < 32 ? h->blocks[0].hash.b[i] : at % 8 == 7 ? forks[at / 8] : 0u;
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0u);
    }
    return ~crc;
}

static void set_world(hive_t *h)
{
    const ex_full_block_t *b = &h->blocks[h->count - 1];
    h->world = (api_world_t){
        .chain = &CHAIN, .has_finalized = true, .fork_id = fork_id(h), .deposit_contract = &h->deposit_contract
    };
    ex_block_of_header(&h->world.latest, &b->header, &b->hash, CHAIN_ID);
    h->world.finalized = h->world.latest;
}

/* ---- the upstream ---- */

/* Block by a number or a hash; NULL: there is none. */
static const ex_full_block_t *find_block(const hive_t *h, const json_t *name)
{
    const char *text = json_is_object(name) ? vec_str(name, "blockHash") : json_string_value(name); /* EIP-1898 */
    hash32_t hash;
    if (text && strlen(text) == 66 && vec_hex_fixed(hash.b, 32, text)) {
        for (size_t i = 0; i < h->count; i++)
            if (hash32_eq(&h->blocks[i].hash, &hash))
                return &h->blocks[i];
        return NULL;
    }
    const uint64_t n = vec_u64(text);
    return n < h->count ? &h->blocks[n] : NULL;
}

static json_t *tree_of(jw_t *w)
{
    const view_t text = jw_done(w);
    json_t *tree = text.p ? json_loadb((const char *)text.p, text.n, JSON_DECODE_ANY, NULL) : NULL;
    jw_free(w);
    return tree;
}

static json_t *block_object(const hive_t *h, const ex_full_block_t *b, bool receipts, bool whole)
{
    const api_block_t at = { &CHAIN, b, true, h->receipts[b->header.number], NULL };
    arena_t scratch;
    jw_t w = jw_of(NULL, 64u << 20);
    arena_init(&scratch, 64u << 20);
    if (receipts)
        api_put_receipts(&w, NULL, &scratch, &at);
    else
        api_put_block(&w, NULL, &scratch, &at, whole);
    arena_free(&scratch);
    return tree_of(&w);
}

static json_t *where(const hive_t *h, const json_t *hash)
{
    hash32_t want, got;
    if (!vec_fixed(want.b, 32, hash))
        return NULL;
    for (size_t i = 0; i < h->count; i++)
        for (size_t k = 0; k < h->blocks[i].transaction_count; k++) {
            keccak256(&got, h->blocks[i].transactions[k]);
            if (hash32_eq(&want, &got))
                return json_pack("{s:s}", "blockNumber", json_string_value(json_sprintf("0x%zx", i)));
        }
    return json_null();
}

static json_t *hex_json(view_t bytes)
{
    char *text = malloc(2 * bytes.n + 3);
    memcpy(text, "0x", 2);
    hex_encode(text + 2, bytes);
    json_t *out = json_string(text);
    free(text);
    return out;
}

/* Nibble i of a hashed key. */
static unsigned nibble(const hash32_t *key, size_t i)
{
    return i % 2 ? key->b[i / 2] & 15u : key->b[i / 2] >> 4;
}

/* Whether a node's path goes on along the key; *at moves behind it. */
static bool follow(const rlp_item_t *path, const hash32_t *key, size_t *at, bool *leaf)
{
    const view_t p = path->payload;
    const unsigned flags = p.n ? p.p[0] >> 4 : 0;
    *leaf = flags & 2;
    for (size_t i = flags & 1 ? 1 : 2; i < 2 * p.n; i++, (*at)++)
        if (*at >= 64 || nibble(key, *at) != (i % 2 ? p.p[i / 2] & 15u : p.p[i / 2] >> 4u))
            return false;
    return true;
}

/* Nodes from a root along a key, and the value when there is one. */
static json_t *prove(const hive_t *h, view_t *value, const hash32_t *root, const hash32_t *key)
{
    json_t *out = json_array();
    const view_t *found = map_get(&h->nodes, root->b, sizeof root->b);
    view_t node = found ? *found : view_of(NULL, 0);
    size_t at = 0;
    bool shown = false;
    *value = view_of(NULL, 0);
    while (node.n) {
        rlp_item_t list, f[17], next;
        size_t n;
        bool leaf = false;
        if (!shown)
            json_array_append_new(out, hex_json(node));
        if (rlp_decode(&list, node) || rlp_split(f, &n, 17, list.payload))
            break;
        if (n == 2 && !follow(&f[0], key, &at, &leaf))
            break;
        if (n == 2 && leaf) {
            *value = f[1].payload;
            break;
        }
        next = n == 2 ? f[1] : f[nibble(key, at++)];
        shown = next.is_list; /* stands inside its parent */
        found = next.is_list ? &next.whole : map_get(&h->nodes, next.payload.p, 32);
        node = (next.is_list || next.payload.n == 32) && found ? *found : view_of(NULL, 0);
    }
    return out;
}

static json_t *quantity(view_t bytes)
{
    const u256_t x = u256_from_be(bytes);
    jw_t w = jw_of(NULL, 256);
    jw_quantity256(&w, NULL, &x);
    return tree_of(&w);
}

static json_t *slot_proof(const hive_t *h, const hash32_t *root, const json_t *slot)
{
    hash32_t raw, key;
    view_t value;
    rlp_item_t item = { .is_list = false };
    if (!vec_hex_fixed(raw.b, 32, json_string_value(slot)))
        return NULL;
    keccak256(&key, view_of(raw.b, 32));
    json_t *nodes = prove(h, &value, root, &key);
    if (value.n && rlp_decode(&item, value))
        return NULL;
    return json_pack("{s:O,s:o,s:o}", "key", slot, "value", quantity(item.payload), "proof", nodes);
}

static json_t *proof(const hive_t *h, const json_t *params)
{
    const ex_full_block_t *b = find_block(h, json_array_get(params, 2));
    addr_t addr;
    hash32_t key, root = EMPTY_TRIE_ROOT, code = KECCAK_EMPTY;
    view_t value;
    rlp_item_t list, f[4];
    size_t n = 0;
    if (!b || !vec_hex_fixed(addr.b, 20, json_string_value(json_array_get(params, 0))))
        return NULL;
    keccak256(&key, view_of(addr.b, 20));
    json_t *nodes = prove(h, &value, &b->header.state_root, &key), *slots = json_array(),
           *keys = json_array_get(params, 1);
    if (value.n && (rlp_decode(&list, value) || rlp_split(f, &n, 4, list.payload) || n != 4))
        return NULL;
    if (n == 4) {
        memcpy(root.b, f[2].payload.p, 32);
        memcpy(code.b, f[3].payload.p, 32);
    }
    for (size_t i = 0; i < json_array_size(keys); i++)
        json_array_append_new(slots, slot_proof(h, &root, json_array_get(keys, i)));
    return json_pack("{s:O,s:o,s:o,s:o,s:o,s:o,s:o}", "address", json_array_get(params, 0), "nonce",
                     quantity(n ? f[0].payload : value), "balance", quantity(n ? f[1].payload : value), "codeHash",
                     hex_json(view_of(code.b, 32)), "storageHash", hex_json(view_of(root.b, 32)), "accountProof", nodes,
                     "storageProof", slots);
}

static json_t *code(const hive_t *h, const json_t *params)
{
    const ex_full_block_t *b = find_block(h, json_array_get(params, 1));
    addr_t addr;
    hash32_t key;
    view_t value;
    rlp_item_t list, f[4];
    size_t n;
    if (!b || !vec_hex_fixed(addr.b, 20, json_string_value(json_array_get(params, 0))))
        return NULL;
    keccak256(&key, view_of(addr.b, 20));
    json_decref(prove(h, &value, &b->header.state_root, &key));
    if (!value.n || rlp_decode(&list, value) || rlp_split(f, &n, 4, list.payload) || n != 4)
        return json_string("0x");
    const view_t *bytes = map_get(&h->codes, f[3].payload.p, 32);
    return bytes ? hex_json(*bytes) : json_string("0x");
}

/* The hash of a transaction that is sent: nobody keeps it. */
static json_t *sent(const hive_t *h, const json_t *params)
{
    arena_t a;
    hash32_t hash;
    (void)h;
    arena_init(&a, 1u << 20);
    keccak256(&hash, vec_hex(&a, json_string_value(json_array_get(params, 0))));
    arena_free(&a);
    return hex_json(view_of(hash.b, sizeof hash.b));
}

static json_t *result(void *ctx, const char *method, const json_t *params)
{
    const hive_t *h = ctx;
    if (!strcmp(method, "eth_getProof"))
        return proof(h, params);
    if (!strcmp(method, "eth_getCode"))
        return code(h, params);
    if (!strcmp(method, "eth_sendRawTransaction"))
        return sent(h, params);
    if (!strcmp(method, "eth_getTransactionByHash"))
        return where(h, json_array_get(params, 0));
    const bool receipts = !strcmp(method, "eth_getBlockReceipts");
    if (!receipts && strncmp(method, "eth_getBlockBy", 14) != 0)
        return NULL;
    const ex_full_block_t *b = find_block(h, json_array_get(params, 0));
    return b ? block_object(h, b, receipts, json_is_true(json_array_get(params, 1))) : json_null();
}

/* ---- POST /rpc ---- */

json_t *hive_serve(hive_t *h, const json_t *request)
{
    char *text = json_dumps(request, JSON_COMPACT);
    arena_t a;
    api_rpc_t *r;
    view_t body = { NULL, 0 };
    arena_init(&a, MEMORY_MAX);
    rc_t rc = api_rpc_begin(&r, &a, &h->world, view_str(text));
    for (size_t i = 0; !rc && i < api_rpc_count(r); i++) {
        query_t *q = api_rpc_take(r, i);
        if (!q)
            continue;
        err_t e = { .rc = RC_OK };
        const rc_t done = upstream_drive(q, &h->upstream, &e);
        api_rpc_end(r, i, done == RC_NEED_DATA ? RC_IO : done, &e, q);
    }
    if (!rc)
        rc = api_rpc_finish(r, &body);
    json_t *answer = rc || !body.n ? NULL : json_loadb((const char *)body.p, body.n, 0, NULL);
    arena_free(&a);
    free(text);
    return answer;
}

hive_t *hive_open(vec_t *v)
{
    arena_t probe;
    arena_init(&probe, MEMORY_MAX);
    char **there = vec_list(v, &probe, "rpc-hive-state");
    arena_free(&probe);
    hive_t *h = there ? calloc(1, sizeof *h) : NULL;
    if (!h)
        return NULL;
    arena_init(&h->arena, MEMORY_MAX);
    const char *bad = read_chain(h, v);
    if (!bad)
        bad = read_receipts(h, v);
    if (!bad && (!read_bytes(h, v, &h->nodes, "trie-nodes.json") || !read_bytes(h, v, &h->codes, "codes.json")))
        bad = "no state";
    if (bad) {
        vec_fail(v, "the chain", "%s", bad);
        hive_close(h);
        return NULL;
    }
    set_world(h);
    h->upstream = (upstream_t){ .result = result, .ctx = h };
    return h;
}

void hive_close(hive_t *h)
{
    arena_free(&h->arena);
    free(h);
}
