#include "rpc/upstream/jsonrpc.h"

#include "base/hex.h"
#include "base/json.h"
#include "rpc/upstream/decode.h"

#define HEADER_BYTES_MAX 65536u /* of one header, also of a fork to come */
#define MESSAGE_MAX 120         /* characters of an upstream's error message that are repeated */

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

/* The transaction object as the caller gave it: what was left out is left out here, too. */
static void put_request(jw_t *w, const ex_request_t *q)
{
    jw_object(w, NULL);
    put_addr(w, "from", &q->from);
    if (q->has_to)
        put_addr(w, "to", &q->to);
    if (q->has_gas)
        jw_quantity(w, "gas", q->gas);
    if (q->has_gas_price)
        jw_quantity256(w, q->dynamic_fee ? "maxFeePerGas" : "gasPrice", &q->gas_price);
    if (q->dynamic_fee)
        jw_quantity256(w, "maxPriorityFeePerGas", &q->max_priority_fee);
    if (!u256_is_zero(&q->value))
        jw_quantity256(w, "value", &q->value);
    jw_hex(w, "data", q->data);
    if (q->access_count)
        put_access(w, q->access, q->access_count);
    jw_end(w);
}

static const char *method_of(need_kind_t kind)
{
    switch (kind) {
    case NEED_HINT: return "eth_createAccessList";
    case NEED_PROOF: return "eth_getProof";
    case NEED_CODE: return "eth_getCode";
    case NEED_HEADER: return "eth_getBlockByNumber";
    case NEED_HEAD: return "eth_getBlockByHash";
    case NEED_HEAD_BYTES: return "debug_getRawHeader";
    case NEED_SEND: return "eth_sendRawTransaction";
    }
    return "?";
}

/* The block is named by its number, which every server takes; the proofs are checked against its state root. */
static void put_params(jw_t *w, const need_t *need)
{
    switch (need->kind) {
    case NEED_HEADER:
        jw_quantity(w, NULL, need->number);
        jw_bool(w, NULL, false);
        return;
    case NEED_HEAD:
        jw_hex(w, NULL, view_of(need->block->block_hash.b, 32));
        jw_bool(w, NULL, false);
        return;
    case NEED_HEAD_BYTES: jw_hex(w, NULL, view_of(need->block->block_hash.b, 32)); return;
    case NEED_SEND: jw_hex(w, NULL, need->raw); return;
    case NEED_HINT: put_request(w, need->request); break;
    case NEED_CODE: put_addr(w, NULL, &need->addr); break;
    case NEED_PROOF:
        put_addr(w, NULL, &need->addr);
        put_hashes(w, NULL, need->slots, need->slot_count);
        break;
    }
    jw_quantity(w, NULL, need->block->env.number);
}

rc_t jr_encode(view_t *out, err_t *e, arena_t *a, const need_t *const *needs, size_t count)
{
    jw_t w = jw_of(a, JR_REQUEST_MAX);
    jw_array(&w, NULL);
    for (size_t i = 0; i < count; i++) {
        jw_object(&w, NULL);
        jw_str(&w, "jsonrpc", "2.0");
        jw_u64(&w, "id", i + 1);
        jw_str(&w, "method", method_of(needs[i]->kind));
        jw_array(&w, "params");
        put_params(&w, needs[i]);
        jw_end(&w);
        jw_end(&w);
    }
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
    const char *method = method_of(need->kind);
    if (need->kind == NEED_HINT || need->kind == NEED_HEAD || need->kind == NEED_HEAD_BYTES || need->kind == NEED_SEND)
        return err_before(e, rc, "%s: ", method);
    if (need->kind == NEED_HEADER)
        return err_before(e, rc, "%s %llu: ", method, (unsigned long long)need->number);
    hex_encode(hex, view_of(need->addr.b, sizeof need->addr.b));
    return err_before(e, rc, "%s 0x%s: ", method, hex);
}

/* Says code and message of an error object. */
static rc_t upstream_says(err_t *e, const jo_t *error)
{
    view_t message = { NULL, 0 };
    if (jo_kind(error, "message") == JO_TEXT)
        message = jo_text(error, "message", 0, SIZE_MAX);
    const int n = (int)(message.n < MESSAGE_MAX ? message.n : MESSAGE_MAX);
    const char *text = message.n ? (const char *)message.p : "";
    if (jo_kind(error, "code") == JO_INTEGER)
        return err_set(e, RC_IO, "error %lld: %.*s", (long long)jo_i64(error, "code", INT64_MIN, INT64_MAX), n, text);
    return err_set(e, RC_IO, "error: %.*s", n, text);
}

/* A list that does not parse is no hint; so is an error. */
static rc_t read_hint(answer_t *out, arena_t *a, const jo_t *element)
{
    jo_t result, list;
    out->hint = NULL;
    out->hint_count = 0;
    if (jo_kind(element, "result") != JO_OBJECT)
        return RC_OK;
    result = jo_object(element, "result");
    list = jo_list(&result, "accessList", 0, SIZE_MAX);
    rc_t rc = jr_read_access_list(&out->hint, &out->hint_count, a, &list);
    if (rc) {
        out->hint = NULL;
        out->hint_count = 0;
    }
    return rc == RC_NOMEM ? rc : RC_OK;
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
        if (code == of_endpoint[i])
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
    rc_t rc;
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
    const jo_t result = jo_object(element, "result");
    if (need->kind == NEED_HEADER)
        return jr_read_header(&out->header, &result);
    if (need->kind == NEED_HEAD) {
        out->header_more = jr_block_has_more(&result);
        return jr_read_header(&out->header, &result);
    }
    rc = jr_read_proof(&out->proof, a, &result, NEED_SLOTS_MAX);
    return rc ? rc : jo_done(&result);
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

/* One element of the batch. It becomes a document of its own, so that its fault is its own. */
static void take(jr_answer_t *out, arena_t *a, const need_t *need, const jo_t *element)
{
    jo_doc_t doc;
    err_t *e = &out->why;
    const jo_t o = jo_merge(&doc, e, NULL, element, NULL, JO_STRICT);
    out->answer = (answer_t){ .kind = need->kind };
    if (jo_rc(&o)) {
        out->rc = jo_rc(&o);
    } else if (need->kind == NEED_HINT) {
        out->rc = read_hint(&out->answer, a, &o);
    } else if (jo_has(&o, "error")) {
        const jo_t error = jo_object(&o, "error");
        out->rc = need->kind == NEED_SEND && is_refusal(&error) ? read_refusal(&out->answer, a, &error)
                                                                : upstream_says(e, &error);
    } else if (!jo_has(&o, "result")) {
        out->rc = err_say(e, RC_IO, "the answer is null");
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
    static const char *const names[] = { "jsonrpc", "id", "result", "error" };
    size_t known = 0;
    if (jo_kind(o, NULL) != JO_OBJECT)
        return "an element is not an object";
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        known += jo_kind(o, names[i]) != JO_ABSENT;
    if (known != jo_size(o))
        return "an element has an unknown field";
    if (jo_kind(o, "jsonrpc") != JO_TEXT || !view_eq(jo_text(o, "jsonrpc", 0, SIZE_MAX), view_str("2.0")))
        return "an element is not JSON-RPC 2.0";
    const int64_t n = jo_kind(o, "id") == JO_INTEGER ? jo_i64(o, "id", INT64_MIN, INT64_MAX) : 0;
    if (n < 1 || (uint64_t)n > count)
        return "an element has an id that was not asked for";
    if ((jo_kind(o, "result") == JO_ABSENT) == (jo_kind(o, "error") == JO_ABSENT))
        return "an element must have either a result or an error";
    if (jo_kind(o, "error") != JO_ABSENT && jo_kind(o, "error") != JO_OBJECT)
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

/* Sorts the elements by need; needs may be left without one. */
static rc_t place_all(jo_t *by_id, err_t *e, jo_t *root, size_t count)
{
    rc_t rc = RC_OK;
    jo_t element;
    if (jo_kind(root, NULL) == JO_OBJECT) {
        if (jo_kind(root, "error") == JO_OBJECT && (count > 1 || jo_kind(root, "id") != JO_INTEGER)) {
            const jo_t error = jo_object(root, "error");
            return err_before(e, upstream_says(e, &error), "the whole batch was refused: ");
        }
        return place(by_id, e, root, count); /* some servers answer a batch of one with the element alone */
    }
    if (jo_size(root) > count)
        return err_say(e, RC_MALFORMED, "batch: more elements than were asked for");
    while (!rc && jo_next(root, &element))
        rc = place(by_id, e, &element, count);
    return rc;
}

static void take_all(jr_answer_t *out, arena_t *a, const need_t *const *needs, const jo_t *by_id, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = (jr_answer_t){ .rc = RC_MALFORMED };
        if (by_id[i].doc)
            take(&out[i], a, needs[i], &by_id[i]);
        else
            jr_before(&out[i].why, err_say(&out[i].why, RC_MALFORMED, "the batch has no answer to it"), needs[i]);
    }
}

rc_t jr_decode(jr_answer_t *out, err_t *e, arena_t *a, const need_t *const *needs, size_t count, view_t body)
{
    jo_doc_t doc;
    jo_t root = jo_open(&doc, e, body, JR_BODY_MAX, JO_LENIENT), *by_id = arena_calloc(a, count, sizeof *by_id);
    rc_t rc = err_before(e, jo_rc(&root), "batch: the answer ");
    if (!rc && !by_id)
        rc = err_say(e, RC_NOMEM, "out of memory");
    if (!rc)
        rc = place_all(by_id, e, &root, count);
    if (!rc)
        take_all(out, a, needs, by_id, count);
    jo_close(&doc);
    return rc;
}
