#include "rpc/api/question.h"

#include <stddef.h>
#include <stdio.h>

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "base/json.h"
#include "rpc/api/abi.h"
#include "rpc/api/filter.h"
#include "rpc/api/overrides.h"
#include "rpc/api/plain.h"

/* ---- names of blocks ---- */

static bool read_decimal(uint64_t *out, view_t text)
{
    uint64_t n = 0;
    if (!text.n || text.n > 20 || (text.n > 1 && text.p[0] == '0'))
        return false;
    for (size_t i = 0; i < text.n; i++) {
        const unsigned digit = (unsigned)text.p[i] - '0';
        if (digit > 9 || __builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, digit, &n))
            return false;
    }
    *out = n;
    return true;
}

/* Hex digits of a number of up to n bytes, as its big-endian bytes. */
static bool read_padded(uint8_t *out, size_t n, view_t digits)
{
    char all[65];
    if (!digits.n || digits.n > 2 * n || 2 * n >= sizeof all)
        return false;
    memset(all, '0', 2 * n - digits.n);
    memcpy(all + 2 * n - digits.n, digits.p, digits.n);
    return !hex_decode_exact(out, n, all, 2 * n);
}

static bool has_prefix(view_t text)
{
    return text.n > 2 && text.p[0] == '0' && text.p[1] == 'x';
}

rc_t question_block_read(question_block_t *out, err_t *e, view_t text)
{
    question_block_t b = { .given = true, .by = SETUP_BY_BLOCK };
    uint8_t number[8];
    for (setup_by_t by = SETUP_BY_LATEST; by < SETUP_BY_BLOCK; by++)
        if (view_eq(text, view_str(setup_by_name(by))))
            b.by = by;
    const view_t digits = has_prefix(text) ? view_of(text.p + 2, text.n - 2) : view_of(NULL, 0);
    bool ok = b.by != SETUP_BY_BLOCK;
    if (!ok && digits.n == 64)
        ok = b.by_hash = !hex_decode_exact(b.hash.b, 32, (const char *)text.p, text.n);
    else if (!ok && digits.n) {
        ok = digits.p[0] != '0' || digits.n == 1;
        ok = ok && read_padded(number, sizeof number, digits);
        b.number = ok ? load_u64be(number) : 0;
    } else if (!ok)
        ok = read_decimal(&b.number, text);
    if (!ok)
        return err_in(e, RC_MALFORMED, "block", "must be latest, safe, finalized, a number or a hash");
    *out = b;
    return RC_OK;
}

/* ---- POST /v1/call ---- */

/* A number as JSON number, decimal text or quantity; absent: 0. */
static u256_t read_amount(const jo_t *o, const char *key)
{
    if (!jo_has(o, key))
        return u256_of(0);
    if (jo_kind(o, key) != JO_TEXT)
        return u256_of(jo_u64(o, key, 0, UINT64_MAX));
    const view_t text = jo_text(o, key, 0, SIZE_MAX);
    return has_prefix(text) ? jo_quantity256(o, key) : jo_decimal256(o, key);
}

static void read_data(statement_call_t *c, arena_t *a, const jo_t *o)
{
    view_t input;
    const bool has_data = jo_opt_bytes(o, &c->data, a, "data", 0, QUESTION_MAX, HEX_0X);
    if (!jo_opt_bytes(o, &input, a, "input", 0, QUESTION_MAX, HEX_0X))
        return;
    if (has_data && !view_eq(input, c->data))
        jo_fail(o, "input", RC_MALFORMED, "is not equal to data");
    c->data = input;
}

static void read_call(statement_call_t *c, arena_t *a, const jo_t *o)
{
    jo_hex(o, c->to.b, sizeof c->to.b, "to", HEX_0X);
    jo_opt_hex(o, c->from.b, sizeof c->from.b, "from", HEX_0X);
    c->value = read_amount(o, "value");
    const u256_t gas = read_amount(o, "gas");
    if (!u256_fits_u64(&gas))
        jo_fail(o, "gas", RC_MALFORMED, "must be below 2^64");
    c->gas = gas.w[0];
    read_data(c, a, o);
}

/* The overrides, or their hash alone where that is enough. */
static view_t read_overrides(statement_call_t *c, arena_t *a, const jo_t *o, bool hash_is_enough)
{
    hash32_t said;
    const view_t text = api_canonical_overrides(&c->overrides, a, o);
    if (!jo_opt_hex(o, said.b, sizeof said.b, "overrides", HEX_0X) || hash32_eq(&said, &c->overrides))
        return text;
    if (hash_is_enough && !text.n)
        c->overrides = said;
    else
        jo_fail(o, "overrides", RC_MALFORMED, "is not the hash of stateOverride and blockOverride");
    return text;
}

/* Whether they have a form, whatever the block. */
static rc_t check_overrides(err_t *e, arena_t *a, view_t text)
{
    ex_overrides_t state;
    evm_block_t env = { .number = 0 };
    return text.n ? api_bound_overrides(&state, &env, e, a, text) : RC_OK;
}

static void read_block(question_block_t *out, const jo_t *o, const char *key)
{
    err_t e;
    if (!jo_has(o, key))
        return;
    if (jo_kind(o, key) != JO_TEXT) {
        *out = (question_block_t){ .given = true, .by = SETUP_BY_BLOCK };
        out->number = jo_u64(o, key, 0, UINT64_MAX);
    } else if (question_block_read(out, &e, jo_text(o, key, 0, SIZE_MAX)))
        jo_fail(o, key, e.rc, "%s", e.text);
}

rc_t question_of_call(question_t *out, err_t *e, arena_t *a, view_t body)
{
    jo_doc_t doc;
    question_t q = { .what.kind = STATEMENT_CALL };
    const jo_t o = jo_open(&doc, e, body, QUESTION_MAX, JO_STRICT);
    read_call(&q.what.call, a, &o);
    q.overrides = read_overrides(&q.what.call, a, &o, false);
    read_block(&q.block, &o, "block");
    rc_t rc = jo_done(&o);
    jo_close(&doc);
    if (!rc)
        rc = check_overrides(e, a, q.overrides);
    if (!rc)
        *out = q;
    return rc;
}

/* ---- POST /v1/logs ---- */

/* The first block of a range, and the criteria with their hash. */
static view_t read_range(statement_request_t *r, arena_t *a, const jo_t *o)
{
    static const char *const names[] = { "address", "topics" };
    r->kind = STATEMENT_LOGS;
    const u256_t from = read_amount(o, "fromBlock");
    if (!jo_has(o, "fromBlock"))
        jo_fail(o, "fromBlock", RC_MALFORMED, "is missing");
    if (!u256_fits_u64(&from))
        jo_fail(o, "fromBlock", RC_MALFORMED, "must be below 2^64");
    r->from_number = from.w[0];
    return api_plain_members(&r->filter_hash, a, o, names, 2);
}

static void read_filter(ex_filter_t *out, arena_t *a, const jo_t *o)
{
    api_call_t c = { .arena = a };
    api_filter_read(&c, out, o);
    if (c.error == API_INTERNAL)
        jo_fail(o, NULL, RC_NOMEM, "out of memory");
    else if (c.error)
        jo_fail(o, NULL, RC_MALFORMED, "%.*s", (int)c.message.n, (const char *)c.message.p);
}

rc_t question_of_logs(question_t *out, err_t *e, arena_t *a, view_t body)
{
    jo_doc_t doc;
    question_t q = { .gateway = false };
    const jo_t o = jo_open(&doc, e, body, QUESTION_MAX, JO_STRICT);
    q.criteria = read_range(&q.what, a, &o);
    read_filter(&q.filter, a, &o);
    read_block(&q.block, &o, "toBlock");
    const rc_t rc = jo_done(&o);
    jo_close(&doc);
    if (!rc)
        *out = q;
    return rc;
}

/* ---- what a caller says that it asked ---- */

static void read_method(statement_request_t *r, arena_t *a, const jo_t *o)
{
    r->kind = STATEMENT_RPC;
    r->method = jo_text_copy(o, a, "method", 1, STATEMENT_METHOD_MAX);
    if (jo_kind(o, "params") != JO_LIST)
        jo_fail(o, "params", RC_MALFORMED, "must be a list");
    const view_t params = api_plain(a, o, "params");
    if (!jo_rc(o))
        keccak256(&r->params_hash, params);
}

rc_t question_request_read(statement_request_t *out, err_t *e, arena_t *a, view_t json)
{
    jo_doc_t doc;
    statement_request_t r = { .kind = STATEMENT_CALL };
    const jo_t o = jo_open(&doc, e, json, QUESTION_MAX, JO_STRICT);
    if (jo_has(&o, "fromBlock"))
        read_range(&r, a, &o);
    else if (jo_has(&o, "method"))
        read_method(&r, a, &o);
    else if (jo_has(&o, "account")) {
        r.kind = jo_opt_hex(&o, r.slot.b, sizeof r.slot.b, "slot", HEX_0X) ? STATEMENT_STORAGE : STATEMENT_ACCOUNT;
        jo_hex(&o, r.account.b, sizeof r.account.b, "account", HEX_0X);
    } else {
        read_call(&r.call, a, &o);
        (void)read_overrides(&r.call, a, &o, true);
    }
    const rc_t rc = jo_done(&o);
    jo_close(&doc);
    if (!rc)
        *out = r;
    return rc;
}

/* ---- GET ---- */

/* "block=..." once, or nothing. */
static rc_t read_query(question_block_t *out, err_t *e, const char *query, bool may_name)
{
    if (!*query)
        return RC_OK;
    if (may_name && !strncmp(query, "block=", 6) && !strchr(query, '&'))
        return question_block_read(out, e, view_str(query + 6));
    return err_in(e, RC_MALFORMED, "query", may_name ? "only block is known, once" : "no parameter is known here");
}

/* "0x" and exactly n bytes. */
static bool read_hex(void *out, size_t n, view_t text)
{
    return has_prefix(text) && text.n == 2 + 2 * n && !hex_decode_exact(out, n, (const char *)text.p, text.n);
}

static rc_t read_address(addr_t *out, err_t *e, const char *field, view_t text)
{
    return read_hex(out->b, sizeof out->b, text) ? RC_OK
                                                 : err_in(e, RC_MALFORMED, field, "must be 20 bytes of hex with 0x");
}

rc_t question_of_block(question_t *out, err_t *e, const char *rest, const char *query)
{
    question_t q = { .what.kind = STATEMENT_BLOCK };
    rc_t rc = read_query(&q.block, e, query, false);
    if (!rc)
        rc = question_block_read(&q.block, e, view_str(rest));
    if (!rc)
        *out = q;
    return rc;
}

rc_t question_of_account(question_t *out, err_t *e, const char *rest, const char *query)
{
    question_t q = { .what.kind = STATEMENT_ACCOUNT };
    rc_t rc = read_address(&q.what.account, e, "address", view_str(rest));
    if (!rc)
        rc = read_query(&q.block, e, query, true);
    if (!rc)
        *out = q;
    return rc;
}

rc_t question_of_storage(question_t *out, err_t *e, const char *rest, const char *query)
{
    question_t q = { .what.kind = STATEMENT_STORAGE };
    const char *slash = strchr(rest, '/');
    const view_t address = slash ? view_of(rest, (size_t)(slash - rest)) : view_str(rest);
    const view_t slot = view_str(slash ? slash + 1 : "");
    rc_t rc = read_address(&q.what.account, e, "address", address);
    if (!rc && !(has_prefix(slot) && read_padded(q.what.slot.b, 32, view_of(slot.p + 2, slot.n - 2))))
        rc = err_in(e, RC_MALFORMED, "slot", "must be 0x and up to 64 digits of hex");
    if (!rc)
        rc = read_query(&q.block, e, query, true);
    if (!rc)
        *out = q;
    return rc;
}

rc_t question_of_checkpoint(question_t *out, err_t *e, const char *query)
{
    question_t q = { .what.kind = STATEMENT_CHECKPOINT };
    q.block = (question_block_t){ .given = true, .by = SETUP_BY_FINALIZED };
    rc_t rc = read_query(&q.block, e, query, false);
    if (!rc)
        *out = q;
    return rc;
}

rc_t question_of_receipt(question_t *out, err_t *e, const char *rest, const char *query)
{
    question_t q = { .what.kind = STATEMENT_RPC };
    char hex[2 * 32 + 1], params[sizeof hex + 8];
    q.block = (question_block_t){ .given = true, .by = SETUP_BY_BLOCK };
    if (!read_hex(q.tx_hash.b, 32, view_str(rest)))
        return err_in(e, RC_MALFORMED, "transaction", "must be 32 bytes of hex with 0x");
    const rc_t rc = read_query(&q.block, e, query, false);
    if (rc)
        return rc;
    hex_encode(hex, view_of(q.tx_hash.b, 32));
    snprintf(params, sizeof params, "[\"0x%s\"]", hex);
    q.what.method = view_str("eth_getTransactionReceipt");
    keccak256(&q.what.params_hash, view_str(params));
    *out = q;
    return RC_OK;
}

/* ---- CCIP-Read ---- */

/* The arguments of callStatement. */
typedef struct {
    statement_call_t call;
    uint8_t rule;
    uint64_t number;
} args_t;

static rc_t decode(args_t *out, err_t *e, arena_t *a, view_t data)
{
    static const eip712_member_t members[] = {
        { "call", EIP712_STRUCT, offsetof(args_t, call), &STATEMENT_CALL_TYPE, 0 },
        { "rule", EIP712_UINT8, offsetof(args_t, rule), NULL, 0 },
        { "number", EIP712_UINT64, offsetof(args_t, number), NULL, 0 },
    };
    static const eip712_type_t type = { "callStatement", members, 3 };
    /* callStatement((address,address,uint256,uint64,bytes,bytes32),uint8,uint64) */
    static const uint8_t selector[] = { 0xcd, 0xd6, 0x6a, 0xbf };
    if (data.n < sizeof selector || memcmp(data.p, selector, sizeof selector) != 0)
        return err_in(e, RC_MALFORMED, "data", "must be calldata of callStatement(Call,uint8,uint64)");
    rc_t rc = abi_decode(out, sizeof *out, a, &type, view_of(data.p + sizeof selector, data.n - sizeof selector));
    return rc ? err_in(e, rc, "data", "%s", rc == RC_NOMEM ? "out of memory" : "is not what abi.encode writes") : RC_OK;
}

/* The gateway's question in the calldata. */
static rc_t read_calldata(question_t *q, err_t *e, arena_t *a, view_t data)
{
    static const setup_by_t rules[] = { SETUP_BY_LATEST, SETUP_BY_SAFE, SETUP_BY_FINALIZED, SETUP_BY_BLOCK };
    args_t args;
    rc_t rc = decode(&args, e, a, data);
    if (rc)
        return rc;
    if (args.rule >= sizeof rules / sizeof rules[0])
        return err_in(e, RC_MALFORMED, "rule", "must be 0 latest, 1 safe, 2 finalized or 3 the block of that number");
    if (!hash32_is_zero(&args.call.overrides))
        return err_in(e, RC_MALFORMED, "call.overrides", "overrides are not supported");
    q->what.kind = STATEMENT_CALL;
    q->what.call = args.call;
    q->gateway = true;
    q->block = (question_block_t){ .given = true, .by = rules[args.rule], .number = args.number };
    q->min_number = args.number;
    return RC_OK;
}

/* The text before ".json". */
static bool cut_ending(view_t *out, view_t text)
{
    static const char ending[] = ".json";
    const size_t n = sizeof ending - 1;
    if (text.n < n || memcmp(text.p + text.n - n, ending, n) != 0)
        return false;
    *out = view_of(text.p, text.n - n);
    return true;
}

rc_t question_of_ccip_get(question_t *out, err_t *e, arena_t *a, const char *rest)
{
    question_t q = { .gateway = true };
    const char *slash = strchr(rest, '/');
    view_t hex;
    size_t n = 0;
    if (!slash || !cut_ending(&hex, view_str(slash + 1)) || !has_prefix(hex))
        return err_in(e, RC_MALFORMED, "path", "must be /v1/ccip/{sender}/{data}.json");
    rc_t rc = read_address(&q.sender, e, "sender", view_of(rest, (size_t)(slash - rest)));
    uint8_t *data = rc ? NULL : arena_alloc(a, hex.n / 2);
    if (rc || !data)
        return rc ? rc : err_say(e, RC_NOMEM, "out of memory");
    if (hex_decode(data, &n, hex.n / 2, (const char *)hex.p, hex.n))
        return err_in(e, RC_MALFORMED, "data", "must be bytes of hex with 0x");
    rc = read_calldata(&q, e, a, view_of(data, n));
    if (!rc)
        *out = q;
    return rc;
}

rc_t question_of_ccip_post(question_t *out, err_t *e, arena_t *a, const char *rest, view_t body)
{
    jo_doc_t doc;
    question_t q = { .gateway = true };
    view_t name;
    addr_t sender = { { 0 } };
    if (!cut_ending(&name, view_str(rest)))
        return err_in(e, RC_MALFORMED, "path", "must be /v1/ccip/{sender}.json");
    rc_t rc = read_address(&q.sender, e, "sender", name);
    if (rc)
        return rc;
    const jo_t o = jo_open(&doc, e, body, 2 * QUESTION_MAX, JO_STRICT);
    const view_t data = jo_bytes(&o, a, "data", 0, QUESTION_MAX, HEX_0X);
    if (jo_hex(&o, sender.b, sizeof sender.b, "sender", HEX_0X) && !addr_eq(&sender, &q.sender))
        jo_fail(&o, "sender", RC_MALFORMED, "is not the one in the path");
    rc = jo_done(&o);
    jo_close(&doc);
    if (!rc)
        rc = read_calldata(&q, e, a, data);
    if (!rc)
        *out = q;
    return rc;
}
