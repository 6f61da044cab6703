/* eth_state.c - methods that read the state at a block. */
#include "base/hex.h"
#include "lightclient/exec/join.h"
#include "lightclient/exec/prove.h"
#include "rpc/api/past.h"

static void write_balance(api_call_t *c, const query_t *done)
{
    jw_quantity256(&c->out, NULL, &ex_read_result(done)->account.balance);
}

void api_eth_getBalance(api_call_t *c, const jo_t *args)
{
    ex_read_config_t read = { .block = NULL };
    jo_hex(&args[0], read.addr.b, sizeof read.addr.b, NULL, HEX_0X);
    read.block = api_block(c, &args[1]);
    api_read(c, &read, write_balance);
}

static void write_nonce(api_call_t *c, const query_t *done)
{
    jw_quantity(&c->out, NULL, ex_read_result(done)->account.nonce);
}

/* With the tag pending wallets ask for the nonce of their next transaction: the proven one, and behind it what this
 * node has forwarded itself. No endpoint's word counts. */
static void write_pending_nonce(api_call_t *c, const query_t *done)
{
    const api_world_t *w = c->world;
    const uint64_t proven = ex_read_result(done)->account.nonce;
    jw_quantity(&c->out, NULL,
                w->sent_nonce ? w->sent_nonce(w->sent_ctx, c->asked, proven, w->latest.env.number) : proven);
}

void api_eth_getTransactionCount(api_call_t *c, const jo_t *args)
{
    ex_read_config_t read = { .block = NULL };
    const bool pending =
        jo_kind(&args[1], NULL) == JO_TEXT && view_eq(jo_text(&args[1], NULL, 0, SIZE_MAX), view_str("pending"));
    jo_hex(&args[0], read.addr.b, sizeof read.addr.b, NULL, HEX_0X);
    read.block = pending ? &c->world->latest : api_block(c, &args[1]);
    c->asked = arena_dup(c->arena, view_of(read.addr.b, sizeof read.addr.b)).p;
    if (!c->asked)
        api_fail(c, API_INTERNAL, "out of memory");
    api_read(c, &read, pending ? write_pending_nonce : write_nonce);
}

static void write_code(api_call_t *c, const query_t *done)
{
    jw_hex(&c->out, NULL, ex_read_result(done)->code);
}

void api_eth_getCode(api_call_t *c, const jo_t *args)
{
    ex_read_config_t read = { .code = true };
    jo_hex(&args[0], read.addr.b, sizeof read.addr.b, NULL, HEX_0X);
    read.block = api_block(c, &args[1]);
    api_read(c, &read, write_code);
}

/* ---- slots ---- */

static void put_word(jw_t *w, const u256_t *value)
{
    uint8_t word[32];
    u256_to_be32(word, value);
    jw_hex(w, NULL, view_of(word, sizeof word));
}

/* The name of a slot as geth takes it: hex with or without 0x, short ones padded. *n: bytes that were given.
 * False: the call has failed, or the parameter is a fault. */
static bool read_slot(api_call_t *c, const jo_t *arg, hash32_t *out, size_t *n)
{
    enum { DIGITS = 2 * sizeof(hash32_t) };
    const view_t text = jo_text(arg, NULL, 0, SIZE_MAX);
    const bool prefix = text.n >= 2 && text.p[0] == '0' && (text.p[1] == 'x' || text.p[1] == 'X');
    const view_t digits = prefix ? view_of(text.p + 2, text.n - 2) : text;
    char padded[DIGITS];
    if (jo_rc(arg))
        return false;
    if (digits.n > DIGITS) {
        api_fail(c, API_INVALID_PARAMS, "storage key too long (want at most 32 bytes): \"%.*s\"",
                 (int)(text.n < 600 ? text.n : 600), (const char *)text.p);
        return false;
    }
    memset(padded, '0', sizeof padded);
    if (digits.n)
        memcpy(padded + DIGITS - digits.n, digits.p, digits.n);
    if (hex_decode_exact(out->b, sizeof out->b, padded, sizeof padded)) {
        api_fail(c, API_INVALID_PARAMS, "invalid hex in storage key: \"%.*s\"", (int)text.n, (const char *)text.p);
        return false;
    }
    *n = (digits.n + 1) / 2;
    return true;
}

static void write_slot(api_call_t *c, const query_t *done)
{
    put_word(&c->out, &ex_read_result(done)->values[0]);
}

void api_eth_getStorageAt(api_call_t *c, const jo_t *args)
{
    hash32_t *slot = arena_alloc(c->arena, sizeof *slot);
    ex_read_config_t read = { .slots = slot, .slot_count = 1 };
    size_t given;
    if (!slot) {
        api_fail(c, API_INTERNAL, "out of memory");
        return;
    }
    jo_hex(&args[0], read.addr.b, sizeof read.addr.b, NULL, HEX_0X);
    read.block = api_block(c, &args[2]);
    if (read_slot(c, &args[1], slot, &given))
        api_read(c, &read, write_slot);
}

/* ---- eth_getStorageValues ---- */

#define VALUES_MAX 1024u /* slots of one call, as in geth */

typedef struct {
    addr_t addr;
    const hash32_t *slots;
    size_t count;
} values_row_t;

typedef struct {
    values_row_t *rows;
    size_t count;
    size_t slots; /* of all */
} values_t;

static bool read_row(values_row_t *row, arena_t *a, const jo_t *member)
{
    jo_t list = jo_list(member, NULL, 0, SIZE_MAX), one;
    const size_t n = jo_size(&list);
    hash32_t *slots = n > VALUES_MAX ? NULL : arena_alloc(a, n * sizeof *slots);
    *row = (values_row_t){ .slots = slots, .count = n };
    if (hex_decode_exact(row->addr.b, sizeof row->addr.b, member->name + 2, strlen(member->name) - 2))
        jo_fail(member, NULL, RC_MALFORMED, "the name must be an address");
    for (size_t i = 0; slots && jo_next(&list, &one); i++)
        jo_hex(&one, slots[i].b, sizeof slots[i].b, NULL, HEX_0X);
    return slots != NULL;
}

/* NULL: the call has failed, or the parameter is a fault. */
static const values_t *read_values(api_call_t *c, const jo_t *arg)
{
    jo_t members = jo_object(arg, NULL), one;
    values_t *v = arena_calloc(c->arena, 1, sizeof *v);
    if (v)
        v->rows = arena_calloc(c->arena, jo_size(&members), sizeof *v->rows);
    if (!v || !v->rows) {
        api_fail(c, API_INTERNAL, "out of memory");
        return NULL;
    }
    while (jo_next(&members, &one)) {
        if (strncmp(one.name, "0x", 2))
            jo_fail(&one, NULL, RC_MALFORMED, "the name must be an address");
        else if (!read_row(&v->rows[v->count], c->arena, &one))
            v->slots += VALUES_MAX + 1;
        v->slots += v->rows[v->count++].count;
    }
    if (jo_rc(arg))
        return NULL;
    if (v->slots > VALUES_MAX)
        api_fail(c, API_CLIENT_LIMIT, "too many slots (max %u)", VALUES_MAX);
    else if (!v->slots)
        api_fail(c, API_INVALID_PARAMS, "empty request");
    return c->error ? NULL : v;
}

static void write_values(api_call_t *c, const query_t *done)
{
    const values_t *v = c->asked;
    size_t part = 0;
    jw_object(&c->out, NULL);
    for (size_t i = 0; i < v->count; i++) {
        const values_row_t *row = &v->rows[i];
        char name[2 + 2 * sizeof(addr_t) + 1] = "0x";
        hex_encode(name + 2, view_of(row->addr.b, sizeof row->addr.b));
        jw_array(&c->out, name);
        const ex_read_result_t *r = row->count ? ex_read_result(ex_join_at(done, part++)) : NULL;
        for (size_t k = 0; k < row->count; k++)
            put_word(&c->out, &r->values[k]);
        jw_end(&c->out);
    }
    jw_end(&c->out);
}

/* Asks for all rows together. */
static void ask_values(api_call_t *c, const values_t *v, const ex_block_t *block)
{
    query_t *parts[VALUES_MAX], *q = NULL;
    size_t n = 0;
    err_t e = { .rc = RC_OK };
    rc_t rc = RC_OK;
    for (size_t i = 0; !rc && i < v->count; i++) {
        const ex_read_config_t read = { .block = block,
                                        .cache = c->world->cache,
                                        .addr = v->rows[i].addr,
                                        .slots = v->rows[i].slots,
                                        .slot_count = v->rows[i].count };
        if (read.slot_count && !(rc = ex_read_new(&parts[n], &e, &read)))
            n++;
    }
    if (!rc)
        rc = ex_join_new(&q, &e, parts, n);
    else
        while (n)
            query_free(parts[--n]);
    c->asked = v;
    api_ask(c, rc, &e, q, write_values);
}

void api_eth_getStorageValues(api_call_t *c, const jo_t *args)
{
    const values_t *v = read_values(c, &args[0]);
    const ex_block_t *block = v ? api_block(c, &args[1]) : NULL;
    if (block)
        ask_values(c, v, block);
}

/* ---- eth_getProof ---- */

/* A key is shown as it was given when it had all 32 bytes, else as a quantity. */
typedef struct {
    addr_t addr;
    hash32_t *slots;
    bool *whole;
    size_t count;
} proof_t;

static void put_nodes(jw_t *w, const char *key, const ex_nodes_t *nodes)
{
    jw_array(w, key);
    for (size_t i = 0; i < nodes->count; i++)
        jw_hex(w, NULL, nodes->nodes[i]);
    jw_end(w);
}

static void put_slots(jw_t *w, const proof_t *p, const ex_proven_slot_t *slots)
{
    jw_array(w, "storageProof");
    for (size_t i = 0; i < p->count; i++) {
        const u256_t key = u256_from_be32(p->slots[i].b);
        jw_object(w, NULL);
        if (p->whole[i])
            jw_hex(w, "key", view_of(p->slots[i].b, sizeof p->slots[i].b));
        else
            jw_quantity256(w, "key", &key);
        jw_quantity256(w, "value", &slots[i].value);
        put_nodes(w, "proof", &slots[i].proof);
        jw_end(w);
    }
    jw_end(w);
}

/* Of an absent account the hashes are zero, as geth has them. */
static void write_proof(api_call_t *c, const query_t *done)
{
    static const hash32_t zero;
    const proof_t *p = c->asked;
    const ex_prove_result_t *r = ex_prove_result(done);
    const mpt_account_t *a = &r->account;
    jw_t *w = &c->out;
    jw_object(w, NULL);
    jw_hex(w, "address", view_of(p->addr.b, sizeof p->addr.b));
    put_nodes(w, "accountProof", &r->proof);
    jw_quantity256(w, "balance", &a->balance);
    jw_hex(w, "codeHash", view_of(a->exists ? a->code_hash.b : zero.b, sizeof zero.b));
    jw_quantity(w, "nonce", a->nonce);
    jw_hex(w, "storageHash", view_of(a->exists ? a->storage_root.b : zero.b, sizeof zero.b));
    put_slots(w, p, r->slots);
    jw_end(w);
}

/* NULL: the call has failed, or a parameter is a fault. */
static const proof_t *read_proof(api_call_t *c, const jo_t *args)
{
    jo_t list = jo_list(&args[1], NULL, 0, SIZE_MAX), one;
    const size_t n = jo_size(&list);
    if (n > EX_PROVE_SLOTS_MAX) {
        api_fail(c, API_INVALID_PARAMS, "too many storage keys requested (max %u, got %zu)", EX_PROVE_SLOTS_MAX, n);
        return NULL;
    }
    proof_t *p = arena_calloc(c->arena, 1, sizeof *p);
    if (p) {
        p->slots = arena_alloc(c->arena, n * sizeof *p->slots);
        p->whole = arena_alloc(c->arena, n * sizeof *p->whole);
    }
    if (!p || !p->slots || !p->whole) {
        api_fail(c, API_INTERNAL, "out of memory");
        return NULL;
    }
    jo_hex(&args[0], p->addr.b, sizeof p->addr.b, NULL, HEX_0X);
    while (jo_next(&list, &one)) {
        size_t given = 0;
        if (!read_slot(c, &one, &p->slots[p->count], &given))
            return NULL;
        p->whole[p->count++] = given == sizeof(hash32_t);
    }
    return jo_rc(&args[0]) ? NULL : p;
}

void api_eth_getProof(api_call_t *c, const jo_t *args)
{
    const proof_t *p = read_proof(c, args);
    const ex_block_t *block = p ? api_block(c, &args[2]) : NULL;
    query_t *q = NULL;
    err_t e;
    if (!block)
        return;
    const rc_t rc = ex_prove_new(
        &q, &e,
        &(ex_prove_config_t){
            .cache = c->world->cache, .block = block, .addr = p->addr, .slots = p->slots, .slot_count = p->count });
    c->asked = p;
    api_ask(c, rc, &e, q, write_proof);
}
