#include "rpc/upstream/jsonrpc.h"

#include "base/hex.h"
#include "base/json.h"
#include "rpc/upstream/blocks.h"
#include "rpc/upstream/changes.h"
#include "rpc/upstream/decode.h"
#include "rpc/upstream/ledger.h"
#include "rpc/upstream/scan.h"

#define HEADER_BYTES_MAX 65536u /* of one header, also of a fork to come */
#define MESSAGE_MAX 120         /* characters of an upstream's error message that are repeated */
#define CHEAP_GAS 2000000u      /* of a hint for a sender of whom little is known */

/* ---- requests ---- */

static void put_addr(jw_t *w, const char *key, const addr_t *addr)
{
    jw_hex(w, key, view_of(addr->b, sizeof addr->b));
}

static void put_hashes(jw_t *w, const char *key, const hash32_t *hashes, size_t count)
{
    jw_array(w, key);
    for (size_t i = 0; i < count; i++)
        jw_hex(w, NULL, view_of(hashes[i].b, sizeof hashes[i].b));
    jw_end(w);
}

static void put_access(jw_t *w, const evm_access_t *list, size_t count)
{
    jw_array(w, "accessList");
    for (size_t i = 0; i < count; i++) {
        jw_object(w, NULL);
        put_addr(w, "address", &list[i].addr);
        put_hashes(w, "storageKeys", list[i].keys, list[i].key_count);
        jw_end(w);
    }
    jw_end(w);
}

/* What a hint's request pays: as the caller said, or so that geth, which fills in fees and 50 million gas when none are
 * given, does not refuse the sender. It is a hint: what it runs out of gas over is asked for later. */
static void put_fees(jw_t *w, const ex_request_t *q, const ex_block_t *block, cap_funds_t funds)
{
    if (funds == FUNDS_CHEAP) {
        jw_quantity(w, "gas", q->has_gas && q->gas < CHEAP_GAS ? q->gas : CHEAP_GAS);
        jw_quantity256(w, "maxFeePerGas", &block->env.base_fee);
        jw_quantity(w, "maxPriorityFeePerGas", 0);
        return;
    }
    if (q->has_gas)
        jw_quantity(w, "gas", q->gas);
    if (q->has_gas_price && funds == FUNDS_AS_ASKED)
        jw_quantity256(w, q->dynamic_fee ? "maxFeePerGas" : "gasPrice", &q->gas_price);
    if (q->dynamic_fee && funds == FUNDS_AS_ASKED)
        jw_quantity256(w, "maxPriorityFeePerGas", &q->max_priority_fee);
}

/* The transaction object as the caller gave it: what was left out is left out here, too. */
static void put_request(jw_t *w, const ex_request_t *q, const ex_block_t *block, cap_funds_t funds)
{
    static const addr_t nobody;
    jw_object(w, NULL);
    put_addr(w, "from", funds == FUNDS_NOBODY ? &nobody : &q->from);
    if (q->has_to)
        put_addr(w, "to", &q->to);
    put_fees(w, q, block, funds);
    if (!u256_is_zero(&q->value) && funds != FUNDS_NOBODY)
        jw_quantity256(w, "value", &q->value);
    jw_hex(w, "data", q->data);
    if (q->access_count)
        put_access(w, q->access, q->access_count);
    jw_end(w);
}

/* Whether a need names its block by the number. */
static bool by_number(const need_t *need)
{
    return hash32_is_zero(&need->hash);
}

_Static_assert((size_t)JR_METHODS <= LEDGER_METHODS, "each has a row in a ledger");

const char *const JR_METHOD_NAMES[JR_METHODS] = { [JR_ACCESS_LIST] = "eth_createAccessList",
                                                  [JR_PROOF] = "eth_getProof",
                                                  [JR_CODE] = "eth_getCode",
                                                  [JR_BLOCK_BY_NUMBER] = "eth_getBlockByNumber",
                                                  [JR_BLOCK_BY_HASH] = "eth_getBlockByHash",
                                                  [JR_RECEIPTS] = "eth_getBlockReceipts",
                                                  [JR_TRANSACTION] = "eth_getTransactionByHash",
                                                  [JR_RAW_HEADER] = "debug_getRawHeader",
                                                  [JR_SEND] = "eth_sendRawTransaction",
                                                  [JR_CHANGES] = "eth_getBlockAccessList",
                                                  [JR_CHAIN_ID] = "eth_chainId",
                                                  [JR_CONFIG] = "eth_config" };

jr_method_t jr_method(const need_t *need)
{
    switch (need->kind) {
    case NEED_HINT: return JR_ACCESS_LIST;
    case NEED_PROOF: return JR_PROOF;
    case NEED_CODE: return JR_CODE;
    case NEED_BLOCK:
    case NEED_HEADER: return by_number(need) ? JR_BLOCK_BY_NUMBER : JR_BLOCK_BY_HASH;
    case NEED_RECEIPTS: return JR_RECEIPTS;
    case NEED_WHERE: return JR_TRANSACTION;
    case NEED_HEAD: return JR_BLOCK_BY_HASH;
    case NEED_HEAD_BYTES: return JR_RAW_HEADER;
    case NEED_SEND: return JR_SEND;
    case NEED_CHANGES: return JR_CHANGES;
    }
    return JR_BLOCK_BY_HASH;
}

static const char *method_of(const need_t *need)
{
    return JR_METHOD_NAMES[jr_method(need)];
}

/* The block by its hash, so that a server on another branch says that it does not know it; or by its number, which each
 * server takes, and the proofs show the rest. */
static void put_block(jw_t *w, const ex_block_t *block, const cap_form_t *form)
{
    if (form->by_number) {
        jw_quantity(w, NULL, block->env.number);
        return;
    }
    jw_object(w, NULL);
    jw_hex(w, "blockHash", view_of(block->block_hash.b, 32));
    jw_end(w);
}

static void put_params(jw_t *w, const need_t *need, const cap_form_t *form)
{
    switch (need->kind) {
    case NEED_HEADER:
    case NEED_BLOCK:
    case NEED_RECEIPTS:
        if (by_number(need))
            jw_quantity(w, NULL, need->number);
        else
            jw_hex(w, NULL, view_of(need->hash.b, 32));
        if (need->kind != NEED_RECEIPTS)
            jw_bool(w, NULL, need->kind == NEED_BLOCK);
        return;
    case NEED_WHERE: jw_hex(w, NULL, view_of(need->hash.b, 32)); return;
    case NEED_HEAD:
        jw_hex(w, NULL, view_of(need->block->block_hash.b, 32));
        jw_bool(w, NULL, false);
        return;
    case NEED_HEAD_BYTES:
    case NEED_CHANGES: jw_hex(w, NULL, view_of(need->block->block_hash.b, 32)); return;
    case NEED_SEND: jw_hex(w, NULL, need->raw); return;
    case NEED_HINT: put_request(w, need->request, need->block, form->funds); break;
    case NEED_CODE: put_addr(w, NULL, &need->addr); break;
    case NEED_PROOF:
        put_addr(w, NULL, &need->addr);
        put_hashes(w, NULL, need->slots, need->slot_count);
        break;
    }
    put_block(w, need->block, form);
}

/* Whether a need has an element of its own in a request. */
static bool is_asked(const need_t *need, const cap_form_t *form)
{
    return need->kind != NEED_HINT || !form->no_hint;
}

size_t jr_elements(const need_t *const *needs, size_t count, const cap_form_t *form)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        n += is_asked(needs[i], form);
    return n;
}

bool jr_names_hash(const need_t *need, const cap_form_t *form)
{
    return !form->by_number && (need->kind == NEED_HINT || need->kind == NEED_PROOF || need->kind == NEED_CODE);
}

rc_t jr_encode(view_t *out, err_t *e, arena_t *a, const need_t *const *needs, size_t count, const cap_form_t *form)
{
    jw_t w = jw_of(a, JR_REQUEST_MAX);
    const bool list = jr_elements(needs, count, form) > 1; /* not all servers take lists */
    if (list)
        jw_array(&w, NULL);
    for (size_t i = 0; i < count; i++) {
        if (!is_asked(needs[i], form))
            continue;
        jw_object(&w, NULL);
        jw_str(&w, "jsonrpc", "2.0");
        jw_u64(&w, "id", i + 1);
        jw_str(&w, "method", method_of(needs[i]));
        jw_array(&w, "params");
        put_params(&w, needs[i], form);
        jw_end(&w);
        jw_end(&w);
    }
    if (list)
        jw_end(&w);
    const view_t text = jw_done(&w);
    if (w.rc)
        return err_set(e, w.rc, "the request could not be written: %s", rc_name(w.rc));
    *out = text;
    return RC_OK;
}

/* ---- answers ---- */

rc_t jr_before(err_t *e, rc_t rc, const need_t *need)
{
    char hex[2 * sizeof(addr_t) + 1];
    const char *method = method_of(need);
    if (need->kind == NEED_HINT || need->kind == NEED_HEAD || need->kind == NEED_HEAD_BYTES ||
        need->kind == NEED_WHERE || need->kind == NEED_SEND || need->kind == NEED_CHANGES)
        return err_before(e, rc, "%s: ", method);
    if (need->kind == NEED_HEADER || need->kind == NEED_BLOCK || need->kind == NEED_RECEIPTS)
        return err_before(e, rc, "%s %llu: ", method, (unsigned long long)need->number);
    hex_encode(hex, view_of(need->addr.b, sizeof need->addr.b));
    return err_before(e, rc, "%s 0x%s: ", method, hex);
}

/* An element as it was asked for. */
typedef struct {
    const need_t *need;
    const cap_form_t *form;
} asked_t;

static bool is_receipts_by_hash(const need_t *need)
{
    return need->kind == NEED_RECEIPTS && !by_number(need);
}

/* Whether a refusal can be of what the element holds. */
static bool can_mean(refusal_t r, const asked_t *asked)
{
    const need_kind_t kind = asked->need->kind;
    switch (r) {
    case REFUSAL_FORM: return jr_names_hash(asked->need, asked->form) || is_receipts_by_hash(asked->need);
    case REFUSAL_KEYS: return kind == NEED_PROOF && asked->need->slot_count > 1;
    case REFUSAL_FUNDS: return kind == NEED_HINT || kind == NEED_SEND;
    case REFUSAL_LATE: return kind != NEED_SEND;
    case REFUSAL_STATE: return kind == NEED_PROOF || kind == NEED_CODE;
    case REFUSAL_DEPTH: return kind == NEED_PROOF || kind == NEED_CODE || kind == NEED_HINT;
    case REFUSAL_NONE:
    case REFUSAL_OTHER:
    case REFUSAL_BATCH:
    case REFUSAL_BUSY:
    case REFUSAL_METHOD: break;
    }
    return true;
}

/* Says the code of an error object, and what it means of the element that it answers; NULL: of the whole batch. Its
 * message is for the operator, who finds it in the log: it is the upstream's, and anybody may read an answer's reason.
 */
static rc_t upstream_says(err_t *e, refusal_t *meaning, const jo_t *error, const asked_t *asked)
{
    view_t message = { NULL, 0 };
    const bool has_code = jo_kind(error, "code") == JO_INTEGER;
    const int64_t code = has_code ? jo_i64(error, "code", INT64_MIN, INT64_MAX) : 0;
    if (jo_kind(error, "message") == JO_TEXT)
        message = jo_text(error, "message", 0, SIZE_MAX);
    *meaning = refusal_of_error(code, message, !asked);
    if (asked && !can_mean(*meaning, asked))
        *meaning = REFUSAL_OTHER;
    const rc_t rc = *meaning == REFUSAL_LATE ? RC_NEED_DATA : RC_IO;
    if (has_code)
        err_set(e, rc, "error %lld%s", (long long)code, refusal_text(*meaning));
    else
        err_set(e, rc, "an error%s", refusal_text(*meaning));
    return err_code(e, rc, (uint16_t)*meaning);
}

static bool read_fixed(uint8_t *out, size_t n, const jo_t *o, const char *key)
{
    if (jo_kind(o, key) != JO_TEXT)
        return false;
    const view_t text = jo_text(o, key, 0, SIZE_MAX);
    return text.n == 2 * n + 2 && hex_decode_exact(out, n, (const char *)text.p, text.n) == RC_OK;
}

/* One row of a hint: keys that are null are none. False: it cannot be read; *rc: or there is no memory. */
static bool read_hint_row(evm_access_t *out, rc_t *rc, arena_t *a, const jo_t *row)
{
    if (jo_kind(row, NULL) != JO_OBJECT || !read_fixed(out->addr.b, sizeof out->addr.b, row, "address"))
        return false;
    if (jo_kind(row, "storageKeys") != JO_LIST)
        return !jo_has(row, "storageKeys");
    jo_t list = jo_list(row, "storageKeys", 0, SIZE_MAX), key;
    hash32_t *keys = arena_calloc(a, jo_size(&list), sizeof *keys);
    *rc = keys ? RC_OK : RC_NOMEM;
    out->keys = keys;
    while (keys && jo_next(&list, &key))
        out->key_count += read_fixed(keys[out->key_count].b, sizeof keys->b, &key, NULL);
    return keys != NULL;
}

/* What of a hint can be read. */
static rc_t read_hint(answer_t *out, arena_t *a, const jo_t *element)
{
    rc_t rc = RC_OK;
    if (jo_kind(element, "result") != JO_OBJECT)
        return RC_OK;
    const jo_t result = jo_object(element, "result");
    if (jo_kind(&result, "accessList") != JO_LIST)
        return RC_OK;
    jo_t list = jo_list(&result, "accessList", 0, SIZE_MAX), row;
    evm_access_t *rows = arena_calloc(a, jo_size(&list), sizeof *rows);
    if (!rows)
        return RC_NOMEM;
    out->hint = rows;
    while (!rc && jo_next(&list, &row))
        out->hint_count += read_hint_row(&rows[out->hint_count], &rc, a, &row);
    return rc;
}

static bool names_transaction(const jo_t *error)
{
    return jo_kind(error, "message") == JO_TEXT && refusal_of_transaction(jo_text(error, "message", 0, SIZE_MAX));
}

/* Whether an error says something about the transaction, and not about the endpoint: which method it has, how much it
 * takes, what it suffers from. */
static bool is_refusal(const jo_t *error)
{
    static const int64_t of_endpoint[] = {
        -32700, -32600, -32601, -32602, -32603, -32002, -32004, -32005, -32006, 429
    };
    const int64_t code = jo_kind(error, "code") == JO_INTEGER ? jo_i64(error, "code", INT64_MIN, INT64_MAX) : 429;
    for (size_t i = 0; i < sizeof of_endpoint / sizeof of_endpoint[0]; i++)
        if (code == of_endpoint[i] && !((code == -32602 || code == -32603) && names_transaction(error)))
            return false;
    return jo_kind(error, "message") == JO_TEXT;
}

static rc_t read_refusal(answer_t *out, arena_t *a, const jo_t *error)
{
    const view_t text = jo_text(error, "message", 0, SIZE_MAX);
    out->refused = true;
    out->code = arena_dup(a, view_of(text.p, text.n < MESSAGE_MAX ? text.n : MESSAGE_MAX));
    return out->code.p || !text.n ? RC_OK : RC_NOMEM;
}

static rc_t read_code(view_t *out, arena_t *a, const jo_t *element)
{
    if (jo_kind(element, "result") == JO_TEXT && jo_text(element, "result", 0, SIZE_MAX).n > 2 * EX_CODE_MAX + 2)
        return jo_fail(element, "result", RC_LIMIT, "code is longer than any contract's");
    *out = jo_bytes(element, a, "result", 0, EX_CODE_MAX, HEX_0X);
    return jo_rc(element);
}

static rc_t read_result(answer_t *out, arena_t *a, const need_t *need, const jo_t *element)
{
    if (need->kind == NEED_CODE)
        return read_code(&out->code, a, element);
    if (need->kind == NEED_HEAD_BYTES) {
        out->code = jo_bytes(element, a, "result", 0, HEADER_BYTES_MAX, HEX_0X);
        return jo_rc(element);
    }
    if (need->kind == NEED_SEND) {
        jo_hex(element, out->hash.b, sizeof out->hash.b, "result", HEX_0X);
        return jo_rc(element);
    }
    if (need->kind == NEED_RECEIPTS) {
        const jo_t list = jo_list(element, "result", 0, JR_TRANSACTIONS_MAX);
        return jr_read_receipts(&out->receipts, &out->receipt_count, a, &list);
    }
    if (need->kind == NEED_CHANGES)
        return jr_read_changes(&out->code, a, element, "result");
    const jo_t result = jo_object(element, "result");
    if (need->kind == NEED_BLOCK)
        return jr_read_block(&out->block, a, &result);
    if (need->kind == NEED_WHERE) {
        out->absent = !jo_opt_quantity(&result, &out->number, "blockNumber");
        jo_rest(&result);
        return jo_rc(&result);
    }
    if (need->kind == NEED_HEADER)
        return jr_read_header(&out->header, &result);
    if (need->kind == NEED_HEAD) {
        out->header_more = jr_block_has_more(&result);
        return jr_read_head(&out->header, &result);
    }
    return jr_read_proof(&out->proof, a, &result, NEED_SLOTS_MAX);
}

/* Names the field that is not as the specification has it. */
static rc_t bad_field(err_t *e, rc_t rc)
{
    const char *field = strncmp(e->field, "result.", 7) ? e->field : e->field + 7;
    char draft[sizeof e->field];
    if (rc == RC_NOMEM)
        return rc;
    memcpy(draft, field, strlen(field) + 1);
    return err_before(e, rc, "bad field %s: ", draft);
}

/* A refusal of one element. A hint that is refused is none, unless it may be had later. */
static rc_t read_error(jr_answer_t *out, arena_t *a, const asked_t *asked, const jo_t *element)
{
    const need_t *need = asked->need;
    const jo_t error = jo_object(element, "error");
    if (need->kind == NEED_SEND && is_refusal(&error))
        return read_refusal(&out->answer, a, &error);
    const rc_t rc = upstream_says(&out->why, &out->refusal, &error, asked);
    if (out->refusal == REFUSAL_FORM && is_receipts_by_hash(need)) { /* it knows none by a hash */
        out->refusal = REFUSAL_NONE;
        out->answer.absent = true;
        return RC_OK;
    }
    return need->kind == NEED_HINT && !refusal_passes(out->refusal) ? RC_OK : rc;
}

/* Whether null is an answer: of a hash, an upstream need not know a block or a transaction. */
static bool may_be_absent(const need_t *need)
{
    return need->kind == NEED_WHERE ||
           ((need->kind == NEED_HEADER || need->kind == NEED_BLOCK || need->kind == NEED_RECEIPTS) &&
            !hash32_is_zero(&need->hash));
}

/* One element of the batch. It becomes a document of its own, so that its fault is its own. */
static void take(jr_answer_t *out, arena_t *a, const asked_t *asked, const jo_t *element)
{
    jo_doc_t doc;
    const need_t *need = asked->need;
    err_t *e = &out->why;
    const jo_t o = jo_merge(&doc, e, NULL, element, NULL, JO_LENIENT);
    out->answer = (answer_t){ .kind = need->kind };
    if (jo_rc(&o)) {
        out->rc = jo_rc(&o);
    } else if (jo_has(&o, "error")) {
        out->rc = read_error(out, a, asked, &o);
    } else if (!jo_has(&o, "result") && may_be_absent(need)) {
        out->answer.absent = true;
        out->rc = RC_OK;
    } else if (!jo_has(&o, "result")) {
        out->refusal = REFUSAL_LATE;
        out->rc = err_say(e, RC_NEED_DATA, "the answer is null");
    } else if (need->kind == NEED_HINT) {
        out->rc = read_hint(&out->answer, a, &o);
    } else {
        out->rc = bad_field(e, read_result(&out->answer, a, need, &o));
    }
    if (!out->rc)
        err_clear(e);
    jr_before(e, out->rc, need);
    jo_close(&doc);
}

/* What is wrong with the frame of an element; NULL: nothing. *id: the number of its need, from 0 on. */
static const char *frame_fault(size_t *id, const jo_t *o, size_t count)
{
    if (jo_kind(o, NULL) != JO_OBJECT)
        return "an element is not an object";
    if (jo_kind(o, "jsonrpc") != JO_TEXT || !view_eq(jo_text(o, "jsonrpc", 0, SIZE_MAX), view_str("2.0")))
        return "an element is not JSON-RPC 2.0";
    const int64_t n = jo_kind(o, "id") == JO_INTEGER ? jo_i64(o, "id", INT64_MIN, INT64_MAX) : 0;
    if (n < 1 || (uint64_t)n > count)
        return "an element has an id that was not asked for";
    if (jo_kind(o, "result") == JO_ABSENT ? !jo_has(o, "error") : jo_has(o, "result") && jo_has(o, "error"))
        return "an element must have either a result or an error";
    if (jo_has(o, "error") && jo_kind(o, "error") != JO_OBJECT)
        return "an element has an error that is not an object";
    *id = (size_t)n - 1;
    return NULL;
}

/* Puts one element of the batch where its id belongs. */
static rc_t place(jo_t *by_id, err_t *e, const jo_t *element, size_t count)
{
    size_t id = 0;
    const char *problem = frame_fault(&id, element, count);
    if (!problem && by_id[id].doc)
        problem = "two elements have the same id";
    if (problem)
        return err_set(e, RC_MALFORMED, "batch: %s", problem);
    by_id[id] = *element;
    return RC_OK;
}

/* A refusal in words: "error" is a text, or there is only a "message", as gateways have it. */
static bool refused_in_words(err_t *e, const jo_t *o)
{
    const char *key = jo_kind(o, "error") == JO_ABSENT ? "message" : "error";
    if (jo_has(o, "result") || jo_kind(o, key) != JO_TEXT)
        return false;
    const refusal_t meaning = refusal_of_error(0, jo_text(o, key, 0, SIZE_MAX), true);
    err_code(e, err_set(e, RC_IO, "the whole batch was refused: an error%s", refusal_text(meaning)), (uint16_t)meaning);
    return true;
}

/* An error that stands for the whole batch: alone, with no request's id or that of the first, as geth has it. */
static bool refused_whole(err_t *e, const jo_t *o, size_t count)
{
    refusal_t meaning;
    if (jo_kind(o, NULL) != JO_OBJECT || (count == 1 && jo_kind(o, "id") == JO_INTEGER))
        return false;
    if (jo_kind(o, "error") != JO_OBJECT)
        return refused_in_words(e, o);
    const jo_t error = jo_object(o, "error");
    err_before(e, upstream_says(e, &meaning, &error, NULL), "the whole batch was refused: ");
    return true;
}

/* Whether what was asked alone is refused without its id for a reason that only it can have. */
static bool refused_alone(const jo_t *o, const asked_t *asked)
{
    refusal_t meaning;
    if (jo_kind(o, NULL) != JO_OBJECT || jo_kind(o, "error") != JO_OBJECT || jo_kind(o, "id") == JO_INTEGER)
        return false;
    const jo_t error = jo_object(o, "error");
    (void)upstream_says(NULL, &meaning, &error, asked);
    return meaning == REFUSAL_LATE || meaning == REFUSAL_STATE || meaning == REFUSAL_DEPTH ||
           meaning == REFUSAL_FUNDS || meaning == REFUSAL_KEYS;
}

/* A list of nothing but errors without an id, the first of which stands for all. */
static bool refused_each(err_t *e, jo_t list, size_t elements)
{
    jo_t element, first = list;
    size_t n = 0;
    while (jo_next(&list, &element)) {
        if (jo_kind(&element, NULL) != JO_OBJECT || jo_kind(&element, "error") != JO_OBJECT || jo_has(&element, "id"))
            return false;
        if (!n++)
            first = element;
    }
    return n > 1 && refused_whole(e, &first, elements);
}

/* Sorts the elements by need; needs may be left without one, but one is asked for. */
static rc_t place_all(jo_t *by_id, err_t *e, jo_t *root, const need_t *const *needs, size_t count,
                      const cap_form_t *form)
{
    rc_t rc = RC_OK;
    jo_t element;
    const size_t elements = jr_elements(needs, count, form);
    const bool list = jo_kind(root, NULL) == JO_LIST, one = !list || jo_size(root) == 1;
    jo_t only = *root;
    size_t first = 0;
    if (list && one && !jo_next(root, &only))
        return jo_rc(root);
    while (!is_asked(needs[first], form))
        first++;
    if (one && elements == 1 && refused_alone(&only, &(asked_t){ needs[first], form })) {
        by_id[first] = only;
        return RC_OK;
    }
    if (one && refused_whole(e, &only, elements))
        return RC_IO;
    if (one) /* some servers answer a batch of one with the element alone */
        return place(by_id, e, &only, count);
    if (refused_each(e, *root, elements))
        return RC_IO;
    if (jo_size(root) > elements)
        return err_say(e, RC_MALFORMED, "batch: more elements than were asked for");
    while (!rc && jo_next(root, &element))
        rc = place(by_id, e, &element, count);
    return rc;
}

static void take_all(jr_answer_t *out, arena_t *a, const need_t *const *needs, const jo_t *by_id, size_t count,
                     const cap_form_t *form)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = (jr_answer_t){ .rc = RC_MALFORMED };
        if (by_id[i].doc)
            take(&out[i], a, &(asked_t){ needs[i], form }, &by_id[i]);
        else if (needs[i]->kind == NEED_HINT) /* was not asked for, or is not given */
            out[i] = (jr_answer_t){ .refusal = REFUSAL_METHOD, .answer.kind = NEED_HINT };
        else {
            out[i].refusal = REFUSAL_BATCH; /* it may have been one too many */
            jr_before(&out[i].why, err_say(&out[i].why, RC_MALFORMED, "the batch has no answer to it"), needs[i]);
        }
    }
}

/* What is not JSON may be a refusal: words, a page, or nothing at all. */
static rc_t not_json(err_t *e, rc_t rc, view_t body)
{
    const bool words = rc == RC_MALFORMED && (!body.n || (body.p[0] != '[' && body.p[0] != '{'));
    err_before(e, rc, "batch: the answer ");
    return words ? err_code(e, rc, REFUSAL_BATCH) : rc;
}

rc_t jr_decode(jr_answer_t *out, err_t *e, arena_t *a, const need_t *const *needs, size_t count, const cap_form_t *form,
               view_t body)
{
    if (body.n <= JR_RECEIPTS_MAX && jr_scan(out, a, needs, count, body))
        return RC_OK;
    return jr_decode_tree(out, e, a, needs, count, form, body);
}

rc_t jr_decode_tree(jr_answer_t *out, err_t *e, arena_t *a, const need_t *const *needs, size_t count,
                    const cap_form_t *form, view_t body)
{
    jo_doc_t doc;
    jo_t *by_id = arena_calloc(a, count, sizeof *by_id);
    if (!by_id)
        return err_say(e, RC_NOMEM, "out of memory");
    if (!jr_elements(needs, count, form)) { /* nothing was asked for */
        take_all(out, a, needs, by_id, count, form);
        return RC_OK;
    }
    jo_t root = jo_open(&doc, e, body, JR_BODY_MAX, JO_LENIENT);
    rc_t rc = not_json(e, jo_rc(&root), body);
    if (!rc)
        rc = place_all(by_id, e, &root, needs, count, form);
    if (!rc)
        take_all(out, a, needs, by_id, count, form);
    jo_close(&doc);
    return rc;
}

/* ---- the probe ---- */

#define PROBE_BODY_MAX 65536u

view_t jr_probe(void)
{
    return view_str("[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_chainId\",\"params\":[]},"
                    "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"eth_getCode\",\"params\":["
                    "\"0x0000000000000000000000000000000000000000\",{\"blockHash\":"
                    "\"0x0000000000000000000000000000000000000000000000000000000000000000\"}]}]");
}

rc_t jr_read_probe(cap_form_t *form, err_t *e, view_t body, uint64_t chain_id)
{
    static const need_t code = { .kind = NEED_CODE };
    static const cap_form_t usual;
    jo_doc_t doc;
    refusal_t meaning;
    uint64_t chain = 0;
    jo_t root = jo_open(&doc, NULL, body, PROBE_BODY_MAX, JO_LENIENT), element;
    while (jo_kind(&root, NULL) == JO_LIST && jo_next(&root, &element)) {
        const int64_t id = jo_kind(&element, "id") == JO_INTEGER ? jo_i64(&element, "id", INT64_MIN, INT64_MAX) : 0;
        if (id == 1 && jo_kind(&element, "result") == JO_TEXT)
            chain = jo_quantity(&element, "result");
        if (id != 2 || jo_kind(&element, "error") != JO_OBJECT)
            continue;
        const jo_t error = jo_object(&element, "error");
        (void)upstream_says(NULL, &meaning, &error, &(asked_t){ &code, &usual });
        form->by_number |= meaning == REFUSAL_FORM;
    }
    rc_t rc = jo_rc(&root);
    jo_close(&doc);
    if (rc || !chain)
        return err_say(e, RC_IO, "does not say of which chain it is");
    if (chain != chain_id)
        return err_set(e, RC_REFUSED, "is of chain %llu, and this network's is %llu", (unsigned long long)chain,
                       (unsigned long long)chain_id);
    return RC_OK;
}
